//! The registry of applications: what the space offers beside the documents and the news (leaflet S12, S44).

use serde::{Deserialize, Serialize};

use super::{Condition, Key, Record, StoreError, Table};

/// Who is shown an application.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Audience {
    /// Everyone who has a space.
    Everyone,
    /// Who has access to a member account that is activated.
    AccountReaders,
}

/// One application of the space.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Application {
    /// Which it is.
    pub id: String,
    /// What it is called in French.
    pub title_fr: String,
    /// What it is called in English.
    pub title_en: String,
    /// Where it is: a page of the portal (`/…`) or of elsewhere (`https://…`).
    pub url: String,
    /// Who is shown it.
    pub audience: Audience,
    /// Its place among the others: the lowest first.
    pub order: u32,
    /// Whether it is shown at all.
    pub enabled: bool,
}

/// All applications: one item, so that the home reads them within the batch that it asks for anyway
/// (`docs/decisions/0070-applications-are-one-item.md`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Applications {
    /// By their order.
    pub applications: Vec<Application>,
    /// How often it was changed; a change demands the version that it read.
    pub version: u64,
}

impl Application {
    /// The id of the member account. Whether it can be opened depends on who asks; the home decides.
    pub const MEMBER_ACCOUNT: &str = "member-account";

    /// The member account as it is shown until an entry of its own says otherwise.
    #[must_use]
    pub fn member_account() -> Self {
        Self {
            id: Self::MEMBER_ACCOUNT.to_owned(),
            title_fr: "Compte adhérent".to_owned(),
            title_en: "Member account".to_owned(),
            url: "/".to_owned(),
            audience: Audience::Everyone,
            order: 10,
            enabled: true,
        }
    }
}

impl Applications {
    /// How many there may be: a list that one reads at a glance, in an item of some kilobytes.
    pub const MOST: usize = 40;

    /// Where the registry is stored.
    #[must_use]
    pub fn key() -> Key {
        Key::new(Table::Members, "APPLICATIONS", "REGISTRY")
    }

    /// What is stored, or the member account alone where nothing is.
    #[must_use]
    pub fn or_default(stored: Option<Self>) -> Self {
        stored.unwrap_or_else(|| Self { applications: vec![Application::member_account()], version: 0 })
    }

    /// The registry with this entry, in the place of the one of its id.
    #[must_use]
    pub fn with(&self, entry: Application) -> Self {
        let mut applications = self.without(&entry.id).applications;
        applications.push(entry);
        applications.sort_by(|one, other| (one.order, &one.id).cmp(&(other.order, &other.id)));
        Self { applications, version: self.version + 1 }
    }

    /// The registry without the entry of this id.
    #[must_use]
    pub fn without(&self, id: &str) -> Self {
        let kept = self.applications.iter().filter(|entry| entry.id != id).cloned();
        Self { applications: kept.collect(), version: self.version + 1 }
    }

    /// Nobody changed it since this was read.
    ///
    /// # Errors
    /// Where the condition cannot be built.
    pub fn unchanged(&self) -> Result<Condition, StoreError> {
        if self.version == 0 { Ok(Condition::Absent) } else { Condition::is("version", &self.version) }
    }
}

impl Record for Applications {
    fn key(&self) -> Key {
        Self::key()
    }
}
