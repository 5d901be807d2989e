//! Legal documents: version 1 is compiled in, later versions are items.
//!
//! So a new deployment has its documents before anybody publishes one, and a published version takes
//! force in the next read.

use std::borrow::Cow;
use std::sync::LazyLock;

use aws_lc_rs::digest::{SHA256, digest};
use serde::{Deserialize, Serialize};

use super::{Key, Record, Store, StoreError, Table};
use crate::domain::{Document, DocumentKind, to_hex};

/// When version 1 of all three came into force.
const FOUNDED: &str = "2026-11-01T00:00:00Z";

static FIRST: LazyLock<[Document; 3]> = LazyLock::new(|| {
    [
        first(DocumentKind::Terms, include_str!("../../documents/terms-1.md")),
        first(DocumentKind::Charter, include_str!("../../documents/charter-1.md")),
        first(DocumentKind::AccountTerms, include_str!("../../documents/account-terms-1.md")),
    ]
});

fn first(kind: DocumentKind, body: &str) -> Document {
    Document {
        kind,
        version: 1,
        sha256: to_hex(digest(&SHA256, body.as_bytes()).as_ref()),
        title: body.lines().next().unwrap_or_default().trim_start_matches("# ").to_owned(),
        // A constant that a test reads; the epoch would do as well.
        published_at: FOUNDED.parse().unwrap_or_default(),
        body: body.to_owned(),
    }
}

fn first_of(kind: DocumentKind) -> &'static Document {
    match kind {
        DocumentKind::Terms => &FIRST[0],
        DocumentKind::Charter => &FIRST[1],
        DocumentKind::AccountTerms => &FIRST[2],
    }
}

/// The version in force, where it is not the first.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CurrentDocument(pub Document);

impl CurrentDocument {
    /// Where the version in force is stored.
    #[must_use]
    pub fn key_of(kind: DocumentKind) -> Key {
        Key::new(Table::Members, partition(kind), "CURRENT")
    }
}

impl Record for CurrentDocument {
    fn key(&self) -> Key {
        Self::key_of(self.0.kind)
    }
}

/// A published version, in force or not.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(transparent)]
pub struct OlderDocument(pub Document);

impl OlderDocument {
    fn key_of(kind: DocumentKind, version: u32) -> Key {
        Key::new(Table::Members, partition(kind), format!("VERSION#{version:05}"))
    }
}

impl Record for OlderDocument {
    fn key(&self) -> Key {
        Self::key_of(self.0.kind, self.0.version)
    }
}

fn partition(kind: DocumentKind) -> String {
    format!("DOCUMENT#{kind}")
}

/// The version in force, out of what a batch brought.
#[must_use]
pub fn current_of(kind: DocumentKind, stored: Option<CurrentDocument>) -> Cow<'static, Document> {
    stored.map_or_else(|| Cow::Borrowed(first_of(kind)), |stored| Cow::Owned(stored.0))
}

/// The version in force.
///
/// # Errors
/// Where the store fails.
pub async fn current_document(store: &Store, kind: DocumentKind) -> Result<Cow<'static, Document>, StoreError> {
    Ok(current_of(kind, store.get(&CurrentDocument::key_of(kind)).await?))
}

/// One version, in force or not.
///
/// # Errors
/// Where the store fails.
pub async fn document_version(
    store: &Store,
    kind: DocumentKind,
    version: u32,
) -> Result<Option<Cow<'static, Document>>, StoreError> {
    if version == 1 {
        return Ok(Some(Cow::Borrowed(first_of(kind))));
    }
    let stored: Option<OlderDocument> = store.get(&OlderDocument::key_of(kind, version)).await?;
    Ok(stored.map(|stored| Cow::Owned(stored.0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_versions_have_a_title_a_date_and_a_text() {
        for kind in DocumentKind::ALL {
            let document = first_of(kind);
            assert_eq!((document.kind, document.version), (kind, 1));
            assert_eq!(document.published_at.to_string(), FOUNDED);
            assert!(document.title.len() > 5 && !document.title.contains('#'), "{}", document.title);
            assert!(document.body.len() > 1_000, "{kind} is a text");
        }
    }
}
