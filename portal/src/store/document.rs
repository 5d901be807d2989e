//! Legal documents: version 1 is compiled in, later versions are items.
//!
//! So a new deployment has its documents before anybody publishes one, and a published version takes
//! force in the next read.
//!
//! Which version is in force is an item without the text: every request about a member account reads
//! that one, and DynamoDB charges for, and limits, the kilobytes that are read of one key.

use std::borrow::Cow;
use std::sync::LazyLock;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Condition, Key, Record, Step, Store, StoreError, Table, Transaction};
use crate::domain::{Document, DocumentKind, DocumentReference};

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
    let title = body.lines().next().unwrap_or_default().trim_start_matches("# ").to_owned();
    // A constant that a test reads; the epoch would do as well.
    let published_at = FOUNDED.parse().unwrap_or_default();
    Document::new(kind, 1, title, body.to_owned(), published_at)
}

fn first_of(kind: DocumentKind) -> &'static Document {
    match kind {
        DocumentKind::Terms => &FIRST[0],
        DocumentKind::Charter => &FIRST[1],
        DocumentKind::AccountTerms => &FIRST[2],
    }
}

/// Which version is in force; stored where it is not the first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CurrentDocument {
    /// Its kind.
    pub kind: DocumentKind,
    /// Its version, from 1 on.
    pub version: u32,
    /// SHA-256 of the text's bytes, 64 lower-case hex digits.
    pub sha256: String,
    /// When it came into force.
    pub published_at: Timestamp,
    /// Its title; empty where it was put into force before that stood here.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    title: String,
}

impl CurrentDocument {
    /// What is said of a document once it is in force.
    #[must_use]
    pub fn of(document: &Document) -> Self {
        let Document { kind, version, sha256, published_at, title, .. } = document;
        let (sha256, title) = (sha256.clone(), title.clone());
        Self { kind: *kind, version: *version, sha256, published_at: *published_at, title }
    }

    /// Its title, in French.
    #[must_use]
    pub fn title(&self) -> &str {
        if self.title.is_empty() { &first_of(self.kind).title } else { &self.title }
    }

    /// Whether this is the text that the reference names.
    #[must_use]
    pub fn is(&self, reference: &DocumentReference) -> bool {
        self.version == reference.version && self.sha256 == reference.sha256
    }

    /// Where the version in force is stored.
    #[must_use]
    pub fn key_of(kind: DocumentKind) -> Key {
        Key::new(Table::Members, partition(kind), "CURRENT")
    }
}

impl Record for CurrentDocument {
    fn key(&self) -> Key {
        Self::key_of(self.kind)
    }
}

/// A published version with its text, in force or not. Written once and never changed.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(transparent)]
struct PublishedDocument(Document);

impl PublishedDocument {
    fn key_of(kind: DocumentKind, version: u32) -> Key {
        Key::new(Table::Members, partition(kind), format!("VERSION#{version:05}"))
    }
}

impl Record for PublishedDocument {
    fn key(&self) -> Key {
        Self::key_of(self.0.kind, self.0.version)
    }
}

fn partition(kind: DocumentKind) -> String {
    format!("DOCUMENT#{kind}")
}

/// Puts a document into force in the place of `replaced`, whose successor it is. The step's condition is
/// that `replaced` is still in force.
///
/// # Errors
/// Where the document cannot be an item.
pub fn put_into_force(
    transaction: &mut Transaction,
    document: &Document,
    replaced: &CurrentDocument,
) -> Result<Step, StoreError> {
    let still = match replaced.version {
        1 => Condition::Absent,
        version => Condition::is("version", &version)?,
    };
    let step = transaction.put(&CurrentDocument::of(document), Some(still))?;
    transaction.create(&PublishedDocument(document.clone()))?;
    Ok(step)
}

/// Which version is in force, out of what a batch brought.
#[must_use]
pub fn current_of(kind: DocumentKind, stored: Option<CurrentDocument>) -> CurrentDocument {
    stored.unwrap_or_else(|| CurrentDocument::of(first_of(kind)))
}

/// Which version is in force.
///
/// # Errors
/// Where the store fails.
pub async fn current_document(store: &Store, kind: DocumentKind) -> Result<CurrentDocument, StoreError> {
    Ok(current_of(kind, store.get(&CurrentDocument::key_of(kind)).await?))
}

/// The text in force.
///
/// # Errors
/// Where the store fails.
pub async fn current_text(store: &Store, kind: DocumentKind) -> Result<Cow<'static, Document>, StoreError> {
    let current = current_document(store, kind).await?;
    let text = document_version(store, kind, current.version).await?;
    text.ok_or_else(|| StoreError::inconsistent(format!("{kind} {} is in force and has no text", current.version)))
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
    let stored: Option<PublishedDocument> = store.get(&PublishedDocument::key_of(kind, version)).await?;
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
