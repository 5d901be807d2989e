//! News that the fund publishes: scheduled, shown, expired.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Key, Query, Record, Table};

/// A news item.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct News {
    /// Which it is.
    pub id: String,
    /// Its title.
    pub title: String,
    /// Its text, in Markdown without HTML.
    pub body: String,
    /// From when on it is shown, in whole seconds.
    pub published_at: Timestamp,
    /// From when on it is shown no more; none where it stays.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
}

impl News {
    /// How many the home shows.
    pub const SHOWN: usize = 10;

    /// How many that expire are kept at a time, so that so many more reads always find those to be shown.
    pub const MOST_EXPIRING: usize = 10;

    /// What has been published by `now`, the newest first: at least [`News::SHOWN`] that are to be shown, where
    /// there are so many. Those of later on are not read.
    #[must_use]
    pub fn published_by(now: Timestamp) -> Query {
        // `$` is the character after `#`: all of this second, whatever their ids.
        let last = format!("{}$", instant(now));
        let most = i32::try_from(Self::SHOWN + Self::MOST_EXPIRING).unwrap_or(i32::MAX);
        Self::all().between("0", last).newest_first().limit(most)
    }

    /// All that are kept, expired or to come.
    #[must_use]
    pub fn all() -> Query {
        Query::partition(Table::Members, "NEWS")
    }

    /// Whether its time is over.
    #[must_use]
    pub fn has_expired(&self, now: Timestamp) -> bool {
        self.expires_at.is_some_and(|expires_at| expires_at <= now)
    }
}

impl Record for News {
    fn key(&self) -> Key {
        Key::new(Table::Members, "NEWS", format!("{}#{}", instant(self.published_at), self.id))
    }
}

/// One width for all, so that the order of the texts is the order in time.
fn instant(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}
