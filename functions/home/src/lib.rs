//! `GET /api/home`: « Bienvenue sur votre espace » (leaflet S43-S54), in one wait on the store.

use futures::future::join3;
use portal::domain::DocumentKind;
use portal::environment::{Environment, StartError};
use portal::http::{Answer, Call, Problem};
use portal::lambda::HttpFunction;
use portal::security::{Gate, OwnEstablishment};
use portal::store::{
    AddressHash, Batch, CurrentDocument, Establishment, Invitation, InvitationMirror, News, Rights, Store, Table,
    current_of,
};
use serde_json::{Value, json};

/// How many news items the home shows.
const NEWS: i32 = 10;

/// The function `home`.
#[derive(Clone)]
pub struct Function {
    store: Store,
    gate: Gate,
    help_url: String,
}

impl HttpFunction for Function {
    const NAME: &'static str = "home";

    async fn start(environment: &Environment) -> Result<Self, StartError> {
        let store = Store::connect(environment, &[Table::Identity, Table::Members])?;
        let help_url = environment.variable("HELP_URL")?.to_owned();
        Ok(Self { gate: Gate::start(environment, &store).await?, store, help_url })
    }

    async fn answer(&self, call: &Call) -> Result<Answer, Problem> {
        let ticket = self.gate.ticket(call).await?;
        let mut batch = Batch::new();
        let keys = ticket.ask(&mut batch);
        let charter = batch.want::<CurrentDocument>(CurrentDocument::key_of(DocumentKind::Charter));
        let establishment = OwnEstablishment::ask(&mut batch, &ticket);
        let rights = Rights::of(&self.store, ticket.claims.sub);
        let newest = News::newest(NEWS);
        let (fetched, rights, news) = join3(self.store.fetch(batch), rights, self.store.query::<News>(&newest)).await;
        let mut fetched = fetched?;
        let user = ticket.admit(&keys, &mut fetched, call.now)?.user;
        let rights = rights?;
        let establishment = establishment.of(&user, &mut fetched, &self.store).await?;
        let charter = current_of(DocumentKind::Charter, fetched.take(&charter)?);
        let charter_pending = user.owes(&charter);
        let pending: Vec<DocumentKind> = charter_pending.then_some(DocumentKind::Charter).into_iter().collect();

        // Who has no account yet may be invited to one: they alone wait for a second look.
        let invitations: Vec<InvitationMirror> = if rights.grants.is_empty() {
            self.store.query_all(&Invitation::all_of(&AddressHash::of(&user.email))).await?
        } else {
            Vec::new()
        };
        let access = rights.grants.iter().map(|grant| grant.active);
        let access: Vec<bool> = access.chain(invitations.iter().map(|invitation| invitation.0.active)).collect();

        let mut home = json!({
            "user": {
                "civility": user.civility,
                "last_name": user.last_name,
                "first_name": user.first_name,
                "greeting": user.greeting(),
            },
            "establishment": {"siret": user.siret},
            "applications": [member_account(&access, charter_pending, call)],
            "news": news?.items,
            "pending_documents": pending,
            "manager": Value::Null,
            "can_claim": false,
            "help_url": self.help_url,
        });
        if let Some(establishment) = establishment {
            home["establishment"]["name"] = json!(establishment.name);
            home["manager"] = manager(&establishment, &rights);
            home["can_claim"] = json!(establishment.open && establishment.manager.is_none());
        }
        Answer::ok(&home)
    }
}

/// The member account as an application of the space; `access` says of each account whether it is activated.
fn member_account(access: &[bool], charter_pending: bool, call: &Call) -> Value {
    let reason = if charter_pending {
        Some("charter-required")
    } else if access.is_empty() {
        Some("no-account")
    } else if !access.contains(&true) {
        Some("not-activated")
    } else {
        None
    };
    let mut application = json!({
        "id": "member-account",
        "title": call.language.choose("Compte adhérent", "Member account"),
        "url": "/",
        "available": reason.is_none(),
    });
    if let Some(reason) = reason {
        application["reason"] = json!(reason);
    }
    application
}

/// The manager, named only to who proved the number or was granted access.
fn manager(establishment: &Establishment, rights: &Rights) -> Value {
    let Some(manager) = &establishment.manager else { return Value::Null };
    let number = &establishment.member_number;
    let entitled = rights.grants.iter().any(|grant| &grant.member_number == number)
        || rights.proofs.iter().any(|proof| &proof.member_number == number);
    if entitled {
        json!({"named": true, "civility": manager.civility, "last_name": manager.last_name})
    } else {
        json!({"named": false})
    }
}
