//! The page behind a mailed link (leaflet S33-S39, S41-S42): how strong is it, whose link is it, set it.

mod activate;
mod decline;
mod reset;

use jiff::Timestamp;
use portal::environment::{Environment, StartError, rng};
use portal::http::{Answer, Call, MailedLink, Problem};
use portal::lambda::HttpFunction;
use portal::security::{Hashing, LinkToken, NewPassword, Password, PasswordHash, PasswordPolicy, assess};
use portal::store::{Condition, Link, Purpose, Store, StoreError, Table};
use rand::CryptoRng;
use serde_json::json;

/// The function `create-password`.
#[derive(Clone)]
pub struct Function {
    store: Store,
    hashing: Hashing,
}

impl HttpFunction for Function {
    const NAME: &'static str = "create-password";

    async fn start(environment: &Environment) -> Result<Self, StartError> {
        let store = Store::connect(environment, &[Table::Identity, Table::Evidence])?;
        Ok(Self { store, hashing: Hashing::default() })
    }

    async fn answer(&self, call: &Call) -> Result<Answer, Problem> {
        match call.route.as_str() {
            "POST /api/password/strength" => strength(call),
            "POST /api/password/link" => self.show_link(call).await,
            "POST /api/password/decline" => self.decline(call, &mut rng()).await,
            "POST /api/password" => self.set_password(call).await,
            _ => Err(Problem::NotFound),
        }
    }
}

/// The meter. Stores and logs nothing.
fn strength(call: &Call) -> Result<Answer, Problem> {
    let mut form = call.form()?;
    let password = form.verbatim("password");
    let known = form.texts("known_words", 20, 100);
    let (password, known) = form.finish((password, known))?;
    let password = Password::of(password);
    let known: Vec<&str> = known.iter().map(String::as_str).collect();
    let strength = assess(&password, &known);
    let hints: Vec<&str> = strength.hints.iter().map(|[fr, en]| call.language.choose(fr, en)).collect();
    Answer::ok(&json!({
        "score": strength.score,
        "label": strength.label(),
        "acceptable": PasswordPolicy::check(&password, &strength).is_ok(),
        "hints": hints,
    }))
}

impl Function {
    /// Whose link it is, and of an activation whose space it opens: somebody else may have typed that. Consumes
    /// nothing, so that looking, and a mail scanner's looking, is free.
    async fn show_link(&self, call: &Call) -> Result<Answer, Problem> {
        let link = self.usable_link(&token(call)?, call.now).await?;
        let mut shown = json!({"email": link.email.display(), "purpose": link.purpose});
        if let Some(draft) = &link.draft {
            shown["draft"] = json!({
                "civility": draft.civility,
                "last_name": draft.last_name,
                "first_name": draft.first_name,
                "siret": draft.siret,
            });
            if let Some(establishment) = &link.establishment {
                shown["draft"]["establishment"] = json!(establishment);
            }
        }
        Answer::ok(&shown)
    }

    /// Sets the password and consumes the link, in one transaction.
    async fn set_password(&self, call: &Call) -> Result<Answer, Problem> {
        let mut form = call.form()?;
        let token = form.verbatim("token");
        let new = NewPassword::read(&mut form);
        let link = match &token {
            Some(token) => Some(self.usable_link(token, call.now).await?),
            None => None,
        };
        let known = link.as_ref().map(known_words).unwrap_or_default();
        let known: Vec<&str> = known.iter().map(String::as_str).collect();
        let password = new.held_against_policy(&mut form, &known);
        let (link, password) = form.finish((link.clone(), password))?;
        let mut rng = rng();
        let hash = self.hash(&password, &mut rng).await?;
        match (link.draft.clone(), link.owner.clone()) {
            (Some(draft), None) => activate::activate(&self.store, &link, draft, hash, call, &mut rng).await,
            (None, Some(owner)) => reset::reset(&self.store, &link, owner, hash, call, &mut rng).await,
            _ => Err(Problem::Internal { context: "a link has neither a draft nor an owner".to_owned() }),
        }
    }

    /// The link of a token: one answer for used, replaced, expired, malformed and foreign.
    async fn usable_link(&self, token: &str, now: Timestamp) -> Result<Link, Problem> {
        let token = LinkToken::parse(token).ok_or(Problem::LinkInvalid(MailedLink::Password))?;
        let link: Option<Link> = self.store.get(&Link::key_of(token.hashed().as_str())).await?;
        let sets_a_password = |link: &Link| matches!(link.purpose, Purpose::Activation | Purpose::Reset);
        link.filter(|link| sets_a_password(link) && now < link.expires_at)
            .ok_or(Problem::LinkInvalid(MailedLink::Password))
    }

    async fn hash(&self, password: &Password, rng: &mut impl CryptoRng) -> Result<PasswordHash, Problem> {
        self.hashing.hash(password, rng).await.map_err(|error| Problem::internal("password", &error))
    }
}

/// The token of a form that has nothing else.
fn token(call: &Call) -> Result<String, Problem> {
    let mut form = call.form()?;
    let token = form.verbatim("token");
    form.finish((token,)).map(|(token,)| token)
}

/// What an attacker knows to go with the person whose link it is.
fn known_words(link: &Link) -> Vec<String> {
    let person = match (&link.draft, &link.owner) {
        (Some(draft), _) => Some((&draft.last_name, &draft.first_name, &draft.siret)),
        (None, Some(owner)) => Some((&owner.last_name, &owner.first_name, &owner.siret)),
        (None, None) => None,
    };
    let mut known = vec![link.email.display()];
    if let Some((last_name, first_name, siret)) = person {
        known.extend([last_name.as_str(), first_name.as_str(), siret.as_str()].map(str::to_owned));
    }
    known
}

/// The link is still there and not expired at the moment of its use.
fn unused(now: Timestamp) -> Result<Condition, StoreError> {
    Condition::above("expires_at", &now.as_millisecond())
}
