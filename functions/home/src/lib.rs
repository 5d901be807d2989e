//! `GET /api/home`: « Bienvenue sur votre espace » (leaflet S43-S54), in two waits on the store.

mod access;
mod next_step;

use futures::future::join3;
use jiff::Timestamp;
use jiff::civil::Date;
use portal::domain::{DocumentKind, fund_day};
use portal::environment::{Environment, StartError};
use portal::http::{Answer, Call, Problem};
use portal::lambda::HttpFunction;
use portal::security::{Gate, OwnEstablishment};
use portal::store::{
    Application, Applications, Audience, Batch, CurrentDocument, Establishment, News, Rights, Store, Table, current_of,
};
use serde_json::{Value, json};

use crate::access::Access;
use crate::next_step::{NextStep, Standing};

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
        let registry = batch.want::<Applications>(Applications::key());
        let rights = Rights::of(&self.store, ticket.claims.sub);
        let newest = News::published_by(call.now);
        let (fetched, rights, news) = join3(self.store.fetch(batch), rights, self.store.query::<News>(&newest)).await;
        let mut fetched = fetched?;
        let user = ticket.admit(&keys, &mut fetched, call.now)?.user;
        let rights = rights?;
        let establishment = establishment.of(&user, &mut fetched, &self.store).await?;
        let charter = current_of(DocumentKind::Charter, fetched.take(&charter)?);
        let registry = Applications::or_default(fetched.take(&registry)?);
        let charter_pending = user.owes(&charter);
        let pending: Vec<DocumentKind> = charter_pending.then_some(DocumentKind::Charter).into_iter().collect();
        let access = Access::read(&self.store, &user, &rights, charter_pending, call.now).await?;
        let activated = access.activated();
        let asked = rights.requests.iter().filter(|request| request.siret == user.siret).map(|request| request.since);
        let asked: Option<Timestamp> = asked.max();

        let mut home = json!({
            "user": {
                "civility": user.civility,
                "last_name": user.last_name,
                "first_name": user.first_name,
                "greeting": user.greeting(),
            },
            "establishment": {"siret": user.siret},
            "applications": applications(&registry, &activated, charter_pending, call),
            "news": shown(news?.items, call.now),
            "pending_documents": pending,
            "documents_to_accept": charter_pending.then(|| to_accept(&charter)).into_iter().collect::<Vec<_>>(),
            "access": access.body(),
            "managed_accounts": access.managed,
            "manager": Value::Null,
            "can_claim": false,
            "help_url": self.help_url,
        });
        if let Some(problem) = user.email_problem {
            home["email_problem"] = json!(problem);
        }
        if let Some(asked) = asked {
            home["access_requested_at"] = json!(asked);
        }
        let mut standing = Standing {
            owes_charter: charter_pending,
            manages_inactive: access.managed.iter().any(|account| !account.active),
            is_asked: access.managed.iter().any(|account| account.access_requests.is_some_and(|asking| asking > 0)),
            reads_active: activated.contains(&true),
            has_access: !activated.is_empty(),
            has_asked: asked.is_some(),
            ..Standing::default()
        };
        if let Some(establishment) = establishment {
            let today = fund_day(call.now);
            home["establishment"]["name"] = json!(establishment.name);
            home["manager"] = manager(&establishment, &rights, today);
            let is_free = establishment.manager.is_none() && !establishment.is_frozen(call.now);
            standing.can_claim = is_free && establishment.is_open(today);
            standing.can_ask = establishment.manager.is_some() && establishment.is_open(today);
            home["can_claim"] = json!(standing.can_claim);
        }
        home["next_step"] = json!(NextStep::of(standing));
        Answer::ok(&home)
    }
}

/// A document to accept: what it takes to do so, and where it is to be read.
fn to_accept(document: &CurrentDocument) -> Value {
    let CurrentDocument { kind, version, sha256, published_at, .. } = document;
    json!({
        "kind": kind,
        "version": version,
        "sha256": sha256,
        "title": document.title(),
        "published_at": published_at,
        "page": format!("/documents/{}/{version}", kind.slug()),
    })
}

/// The news whose time has come and is not over.
fn shown(news: Vec<News>, now: Timestamp) -> Vec<News> {
    let shown = news.into_iter().filter(|item| !item.has_expired(now)).take(News::SHOWN);
    // Until when is the fund's own matter.
    shown.map(|item| News { expires_at: None, ..item }).collect()
}

/// The applications that the user is shown, each with whether it can be opened now; `access` says of each
/// account of theirs whether it is activated.
fn applications(registry: &Applications, access: &[bool], charter_pending: bool, call: &Call) -> Vec<Value> {
    let reads = access.contains(&true);
    let seen = registry.applications.iter().filter(|entry| match entry.audience {
        Audience::Everyone => entry.enabled,
        Audience::AccountReaders => entry.enabled && reads,
    });
    seen.map(|entry| {
        let of_the_account = entry.id == Application::MEMBER_ACCOUNT || entry.audience == Audience::AccountReaders;
        let reason = if of_the_account && charter_pending {
            Some("charter-required")
        } else if entry.id != Application::MEMBER_ACCOUNT || reads {
            None
        } else if access.is_empty() {
            Some("no-account")
        } else {
            Some("not-activated")
        };
        let mut application = json!({
            "id": entry.id,
            "title": call.language.choose(entry.title_fr.as_str(), entry.title_en.as_str()),
            "url": entry.url,
            "available": reason.is_none(),
        });
        if let Some(reason) = reason {
            application["reason"] = json!(reason);
        }
        application
    })
    .collect()
}

/// The manager, named only to who proved the number or was granted access; to others it is said that there is one to ask.
fn manager(establishment: &Establishment, rights: &Rights, today: Date) -> Value {
    let Some(manager) = &establishment.manager else { return Value::Null };
    let number = &establishment.member_number;
    let entitled = rights.grants.iter().any(|grant| &grant.member_number == number)
        || rights.proofs.iter().any(|proof| &proof.member_number == number);
    if entitled {
        json!({"named": true, "civility": manager.civility, "last_name": manager.last_name})
    } else if establishment.is_open(today) {
        json!({"named": false})
    } else {
        // Nobody can ask them for access any more.
        Value::Null
    }
}
