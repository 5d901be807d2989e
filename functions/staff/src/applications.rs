//! `put-application` and `remove-application`: what the space offers is a matter of the registry, not of code.

use portal::environment::rng;
use portal::store::{Application, Applications, Audience, Outcome, StaffAct, StoreError, Transaction};
use rand::CryptoRng;
use serde_json::json;

use crate::Function;
use crate::done::Done;
use crate::fields::{Author, Fields, Refused, Trouble};

/// A title is a line of a list.
const LONGEST_TITLE: usize = 80;
const LONGEST_URL: usize = 500;
const LONGEST_ID: usize = 40;
const HIGHEST_ORDER: u32 = 1_000;

/// How often a change is tried again because somebody else changed the registry meanwhile.
const MOST_ATTEMPTS: usize = 10;

impl Function {
    /// Adds an entry, or replaces the one of its id.
    pub(crate) async fn put_application(&self, mut fields: Fields) -> Result<Done, Trouble> {
        let author = fields.author()?;
        let entry = Application {
            id: id(fields.text("id")?)?,
            title_fr: fields.line("title_fr", LONGEST_TITLE)?,
            title_en: fields.line("title_en", LONGEST_TITLE)?,
            url: url(fields.line("url", LONGEST_URL)?)?,
            audience: audience(&fields.text("audience")?)?,
            order: fields.whole("order", HIGHEST_ORDER)?,
            enabled: fields.flag("enabled")?,
        };
        fields.finish()?;
        let rng = &mut rng();
        for _ in 0..MOST_ATTEMPTS {
            let before = self.registry().await?;
            if before.applications.contains(&entry) {
                return Ok(Done::openly(json!({"unchanged": entry})));
            }
            let after = before.with(entry.clone());
            if after.applications.len() > Applications::MOST {
                let message = format!("There are {} applications: remove one first.", Applications::MOST);
                return Err(Refused::new("too-many", "id", message).into());
            }
            let detail = format!("{} {}", entry.id, if entry.enabled { "enabled" } else { "disabled" });
            if self.replace(&before, &after, &author, StaffAct::ApplicationPut, detail, rng).await? {
                return Ok(Done::openly(json!({"put": entry})));
            }
        }
        Err(StoreError::Contention.into())
    }

    /// Takes an entry out. The member account's own can be disabled only: it comes back where there is none.
    pub(crate) async fn remove_application(&self, mut fields: Fields) -> Result<Done, Trouble> {
        let author = fields.author()?;
        let id = id(fields.text("id")?)?;
        fields.finish()?;
        if id == Application::MEMBER_ACCOUNT {
            let message = "The member account belongs to the space: put it with \"enabled\": false to hide it.";
            return Err(Refused::new("not-removable", "id", message).into());
        }
        let rng = &mut rng();
        for _ in 0..MOST_ATTEMPTS {
            let before = self.registry().await?;
            if before.applications.iter().all(|entry| entry.id != id) {
                let message = "No application has this id: GET /api/home shows those that are enabled.";
                return Err(Refused::new("application-unknown", "id", message).into());
            }
            let after = before.without(&id);
            if self.replace(&before, &after, &author, StaffAct::ApplicationRemoved, id.clone(), rng).await? {
                return Ok(Done::openly(json!({"removed": id})));
            }
        }
        Err(StoreError::Contention.into())
    }

    async fn registry(&self) -> Result<Applications, StoreError> {
        Ok(Applications::or_default(self.store.get(&Applications::key()).await?))
    }

    /// Writes the registry with its evidence; `false` where it is not what was read.
    async fn replace(
        &self,
        before: &Applications,
        after: &Applications,
        author: &Author,
        act: StaffAct,
        detail: String,
        rng: &mut impl CryptoRng,
    ) -> Result<bool, StoreError> {
        let now = self.environment.clock.now();
        let mut transaction = Transaction::new();
        transaction.put(after, Some(before.unchanged()?))?;
        transaction.create(&author.event(act, detail, now))?;
        Ok(matches!(self.store.commit(&transaction, rng).await?, Outcome::Committed))
    }
}

fn id(text: String) -> Result<String, Refused> {
    let fits = |character: char| character.is_ascii_lowercase() || character.is_ascii_digit() || character == '-';
    if text.len() <= LONGEST_ID && text.starts_with(|c: char| c.is_ascii_lowercase()) && text.chars().all(fits) {
        return Ok(text);
    }
    let message = format!("Give at most {LONGEST_ID} small letters, digits and hyphens, a letter first.");
    Err(Refused::new("bad-id", "id", message))
}

fn url(text: String) -> Result<String, Refused> {
    // What browsers take for a slash must not turn a path into another place.
    let is_path = text.starts_with('/') && !text.starts_with("//");
    let elsewhere = text.strip_prefix("https://").is_some_and(|rest| rest.starts_with(|c: char| c.is_alphanumeric()));
    if (is_path || elsewhere) && !text.contains(['\\', ' ', '"', '<', '>']) {
        return Ok(text);
    }
    Err(Refused::new("bad-url", "url", "Give an address that begins with https://, or a path that begins with one /."))
}

fn audience(text: &str) -> Result<Audience, Refused> {
    match text {
        "everyone" => Ok(Audience::Everyone),
        "account-readers" => Ok(Audience::AccountReaders),
        _ => Err(Refused::new("audience-unknown", "audience", "Give one of: everyone, account-readers.")),
    }
}
