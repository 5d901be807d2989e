//! `POST /api/signup/check` and `POST /api/signup` (leaflet S20-S32).
//!
//! The check returns what was understood, for the person to look over, and stores nothing. The sign-up
//! itself only writes the wish for a mail, with the form as its draft: one write whether the address is
//! known or not. The account comes to be when the mailed link is used.

use futures::future::join;
use portal::domain::{Civility, DocumentKind, Email, Id, JobTitle, Origin, PersonName, Refusal, Siret};
use portal::environment::{Environment, StartError, rng};
use portal::http::{Answer, Call, Problem};
use portal::lambda::HttpFunction;
use portal::store::{Draft, Outbox, Store, Table, Wish, current_document};
use serde_json::json;

/// The function `signup`.
#[derive(Clone)]
pub struct Function {
    store: Store,
}

impl HttpFunction for Function {
    const NAME: &'static str = "signup";

    async fn start(environment: &Environment) -> Result<Self, StartError> {
        Ok(Self { store: Store::connect(environment, &[Table::Identity, Table::Members])? })
    }

    async fn answer(&self, call: &Call) -> Result<Answer, Problem> {
        match call.route.as_str() {
            "POST /api/signup/check" => check(call),
            "POST /api/signup" => self.sign_up(call).await,
            _ => Err(Problem::NotFound),
        }
    }
}

/// What was understood of the form.
fn check(call: &Call) -> Result<Answer, Problem> {
    let draft = read(call)?;
    let mut understood = json!({
        "siret": draft.siret,
        "civility": draft.civility,
        "last_name": draft.last_name,
        "first_name": draft.first_name,
        "job_title": draft.job_title,
        "email": draft.email,
        "terms": draft.terms,
    });
    if let Some(origin) = draft.origin {
        understood["origin"] = json!(origin);
    }
    Answer::ok(&understood)
}

impl Function {
    async fn sign_up(&self, call: &Call) -> Result<Answer, Problem> {
        let draft = read(call)?;
        let accepted = draft.terms.clone();
        let wish = Outbox::new(Id::random(&mut rng()), Wish::SignUp { draft }, call.now);
        // Side by side, for one wait: a draft with outdated terms is written too, but `send-mail` holds it
        // against the same document and drops it (docs/decisions/0004-sign-up-is-a-draft.md).
        let (terms, written) = join(current_document(&self.store, DocumentKind::Terms), self.store.create(&wish)).await;
        if !terms?.is(&accepted) {
            return Err(Problem::DocumentOutdated);
        }
        written?;
        let message = call.language.choose(
            "Votre demande est enregistrée. Un e-mail vient de vous être envoyé : suivez son lien dans les 24 heures \
             pour créer votre mot de passe.",
            "Your request is recorded. A mail is on its way to you: follow its link within 24 hours to create your \
             password.",
        );
        Answer::accepted(&json!({"message": message}))
    }
}

/// The form, every field of it (leaflet S20-S27).
fn read(call: &Call) -> Result<Draft, Problem> {
    let mut form = call.form()?;
    let siret = form.text("siret", Siret::parse);
    let civility = form.text("civility", Civility::parse);
    let last_name = form.text("last_name", PersonName::parse);
    let first_name = form.text("first_name", PersonName::parse);
    let job_title = form.text("job_title", JobTitle::parse);
    let email = form.text("email", Email::parse);
    let confirmation = form.text("email_confirmation", Email::parse);
    let terms = form.document("terms");
    let origin = form.optional("origin", Origin::parse);
    if let (Some(email), Some(confirmation)) = (&email, &confirmation)
        && email != confirmation
    {
        form.refuse::<()>(
            "email_confirmation",
            Refusal::new(
                "emails-differ",
                "Les deux adresses diffèrent : ressaisissez la confirmation.",
                "The two addresses differ: type the confirmation again.",
            ),
        );
    }
    let values = (siret, civility, last_name, first_name, job_title, email, terms, origin);
    let (siret, civility, last_name, first_name, job_title, email, terms, origin) = form.finish(values)?;
    Ok(Draft {
        siret,
        civility,
        last_name,
        first_name,
        job_title,
        email,
        origin,
        terms,
        request_id: call.request_id.clone(),
        ip: call.source_ip.map(|ip| ip.to_string()),
        user_agent: call.user_agent.clone(),
    })
}
