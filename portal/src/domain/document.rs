//! Legal documents: what users accept, by version and hash.

use std::fmt;

use aws_lc_rs::digest::{SHA256, digest};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::to_hex;

/// The kinds of legal document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DocumentKind {
    /// CGU of the portal, accepted at sign-up.
    Terms,
    /// The charter, accepted in the space, again whenever a new version is published.
    Charter,
    /// CGU of the member account, accepted with the manager claim.
    AccountTerms,
}

impl DocumentKind {
    /// All kinds.
    pub const ALL: [Self; 3] = [Self::Terms, Self::Charter, Self::AccountTerms];

    /// The name in paths and keys.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Terms => "terms",
            Self::Charter => "charter",
            Self::AccountTerms => "account-terms",
        }
    }

    /// The name in the addresses of pages.
    #[must_use]
    pub fn slug(self) -> &'static str {
        match self {
            Self::Terms => "conditions-utilisation",
            Self::Charter => "charte",
            Self::AccountTerms => "conditions-compte",
        }
    }

    /// Reads the name in the address of a page.
    #[must_use]
    pub fn parse_slug(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.slug() == text)
    }

    /// Reads a name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }
}

impl fmt::Display for DocumentKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// Which text exactly somebody accepts: the version they read, and the hash of its bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DocumentReference {
    /// The version, from 1 on.
    pub version: u32,
    /// SHA-256 of the body's bytes, 64 lower-case hex digits.
    pub sha256: String,
}

/// One version of a legal document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Document {
    /// Its kind.
    pub kind: DocumentKind,
    /// Its version, from 1 on.
    pub version: u32,
    /// SHA-256 of the body's bytes, 64 lower-case hex digits.
    pub sha256: String,
    /// Its title, in French.
    pub title: String,
    /// When it came into force.
    pub published_at: Timestamp,
    /// Its text, in Markdown.
    pub body: String,
}

impl Document {
    /// A document of this text; its hash is computed.
    #[must_use]
    pub fn new(kind: DocumentKind, version: u32, title: String, body: String, published_at: Timestamp) -> Self {
        let sha256 = to_hex(digest(&SHA256, body.as_bytes()).as_ref());
        Self { kind, version, sha256, title, published_at, body }
    }

    /// Whether this is the text that the reference names.
    #[must_use]
    pub fn is(&self, reference: &DocumentReference) -> bool {
        self.version == reference.version && self.sha256 == reference.sha256
    }
}
