//! The demo data that the binary carries: a feed, news, and an establishment to try the portal with.

use std::collections::BTreeMap;

use jiff::civil::Date;
use portal::domain::{MemberNumber, Siret};
use portal::environment::StartError;
use portal::store::{Establishment, News, Store, StoreError};
use serde::Deserialize;

use crate::embedded::{DEMO, find};

/// Why the demo data were not loaded.
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    /// The news cannot be read: a defect of the file.
    #[error("demo/news.json cannot be read: {0}")]
    News(#[from] serde_json::Error),
    /// The tables cannot be found.
    #[error(transparent)]
    Start(#[from] StartError),
    /// The tables cannot be written.
    #[error("the demo news cannot be stored")]
    Store(#[from] StoreError),
}

/// An establishment of the demo feed that nobody claimed yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unclaimed {
    /// Its SIRET.
    pub siret: Siret,
    /// The number of its member account.
    pub member_number: MemberNumber,
    /// Its name.
    pub name: String,
}

/// Stores the news of the demo.
pub(crate) async fn store_news(store: &Store) -> Result<(), DemoError> {
    let Some(file) = find(DEMO, "demo/news.json") else { return Ok(()) };
    let news: Vec<News> = serde_json::from_slice(file.content)?;
    for item in &news {
        store.put(item).await?;
    }
    Ok(())
}

/// The first establishment of the demo feed, in its order, that is open on this day and has no manager.
pub(crate) async fn unclaimed(store: &Store, today: Date) -> Result<Option<Unclaimed>, StoreError> {
    let Some(file) = find(DEMO, "demo/feed/members.ndjson") else { return Ok(None) };
    for siret in sirets(file.content) {
        let known: Option<Establishment> = store.get(&Establishment::key_of(&siret)).await?;
        let unclaimed = known.filter(|known| known.is_open(today) && known.manager.is_none());
        if let Some(Establishment { siret, name, member_number, .. }) = unclaimed {
            return Ok(Some(Unclaimed { siret, member_number, name }));
        }
    }
    Ok(None)
}

/// The SIRET of each member, by its last line, in the order of first lines.
fn sirets(members: &[u8]) -> Vec<Siret> {
    #[derive(Deserialize)]
    struct Line {
        member_number: String,
        siret: Siret,
    }
    let mut order = BTreeMap::new();
    let mut last = Vec::new();
    for line in members.split(|byte| *byte == b'\n') {
        // Lines that are wrong on purpose are the import's to report.
        let Ok(line) = serde_json::from_slice::<Line>(line) else { continue };
        match order.get(&line.member_number) {
            Some(place) => last[*place] = line.siret,
            None => {
                order.insert(line.member_number, last.len());
                last.push(line.siret);
            }
        }
    }
    last
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_member_is_known_by_its_last_line() {
        let lines = br#"{"member_number":"000001","siret":"53384615000019"}
not json
{"member_number":"000002","siret":"35600000009075"}
{"member_number":"000001","siret":"35600000000048"}
"#;
        let found: Vec<String> = sirets(lines).iter().map(ToString::to_string).collect();
        assert_eq!(found, ["35600000000048", "35600000009075"]);
    }
}
