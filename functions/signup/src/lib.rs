//! `POST /api/signup/check` and `POST /api/signup` (leaflet S20-S32).
//!
//! The check returns what was understood, for the person to look over, and stores nothing. The sign-up
//! itself only writes the wish for a mail, with the form as its draft: one write, which also counts it
//! against the limit of its network and remembers its answer, whether the address is known or not. The account comes to be when the mailed link is used.

use futures::future::join;
use portal::domain::{Civility, DocumentKind, Email, Id, JobTitle, Origin, PersonName, Refusal, Siret};
use portal::environment::{Environment, StartError, rng};
use portal::http::{Answer, Call, Idempotency, Problem};
use portal::lambda::HttpFunction;
use portal::store::{Draft, Held, Outbox, Outcome, RateLimit, Store, Table, Transaction, Wish, current_document};
use serde_json::json;

/// How often a sign-up is tried again because others from the same network came between.
const MOST_ATTEMPTS: usize = 10;

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
        "email": draft.email.display(),
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
        let repeat = Idempotency::of(call, None)?;
        let accepted = draft.terms.clone();
        let rng = &mut rng();
        let wish = Outbox::new(Id::random(rng), Wish::SignUp { draft }, call.now);
        let answer = taken(call)?;
        let mut passage = RateLimit::SIGN_UPS.passage(call.source_ip, call.now);
        for _ in 0..MOST_ATTEMPTS {
            let mut transaction = Transaction::new();
            let limit = passage.write(&mut transaction)?;
            transaction.create(&wish)?;
            let remembered = repeat.remember(&mut transaction, answer.to_remember())?;
            // Side by side, for one wait: a draft with outdated terms is written too, but `send-mail` holds it
            // against the same document and drops it (docs/decisions/0004-sign-up-is-a-draft.md).
            let terms = current_document(&self.store, DocumentKind::Terms);
            let (terms, written) = join(terms, self.store.commit(&transaction, rng)).await;
            let outdated = !terms?.is(&accepted);
            let refused = match written.map_err(|error| repeat.failure(error))? {
                Outcome::Committed if outdated => {
                    repeat.remember_refusal(&self.store).await?;
                    return Err(Problem::DocumentOutdated);
                }
                Outcome::Committed => return Ok(answer),
                Outcome::Refused(refused) => refused,
            };
            // Whatever has become of the terms since: the first answer stands.
            if let Some(first) = repeat.recall_refused(&refused, remembered)? {
                return first.or(Problem::DocumentOutdated);
            }
            match passage.refused_by(&refused, limit) {
                Some(Held::For(retry_after)) => return Err(Problem::TooManyAttempts { retry_after }),
                Some(Held::Again(again)) => passage = again,
                None => return Err(Problem::TryAgain { context: "a sign-up was refused".to_owned() }),
            }
        }
        Err(Problem::TryAgain { context: "others signed up from there all the time".to_owned() })
    }
}

/// What everybody is told whose form is in order.
fn taken(call: &Call) -> Result<Answer, Problem> {
    let message = call.language.choose(
        "Votre demande est enregistrée. Un e-mail vient de vous être envoyé : suivez son lien dans les 24 heures \
         pour créer votre mot de passe.",
        "Your request is recorded. A mail is on its way to you: follow its link within 24 hours to create your \
         password.",
    );
    Answer::accepted(&json!({"message": message}))
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
