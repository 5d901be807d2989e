//! News that the fund publishes.

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
    /// Its text, in Markdown.
    pub body: String,
    /// When it was published.
    pub published_at: Timestamp,
}

impl News {
    /// The newest first.
    #[must_use]
    pub fn newest(limit: i32) -> Query {
        Query::partition(Table::Members, "NEWS").newest_first().limit(limit)
    }
}

impl Record for News {
    fn key(&self) -> Key {
        Key::new(Table::Members, "NEWS", format!("{}#{}", self.published_at, self.id))
    }
}
