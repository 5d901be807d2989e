//! Sealed cursors: where the next page of a list begins, opaque and authenticated.
//!
//! A cursor's tag covers, besides what it says, whatever it was made for (the user, the filter): in other hands
//! or with another filter it is not valid.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::SymmetricKey;

/// An HMAC-SHA256.
const TAG: usize = 32;

/// Of which kind of list a cursor is: one of another kind is not valid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SealedCursor {
    /// A list of an account's ledger.
    OfLedger,
    /// The accounts that a user may read.
    OfAccounts,
    /// The files that a user asked for.
    OfExports,
}

impl SealedCursor {
    /// The text of a cursor that says this and is good for `bound`. Neither may hold a line end but that `bound`
    /// may, in always the same number.
    #[must_use]
    pub fn seal(self, said: &str, key: &SymmetricKey, bound: &str) -> String {
        let tag = key.derive(self.purpose(), &message(said, bound));
        URL_SAFE_NO_PAD.encode([tag.as_slice(), said.as_bytes()].concat())
    }

    /// What a cursor says; `None` where it was not made for `bound`, or was changed.
    #[must_use]
    pub fn open(self, text: &str, key: &SymmetricKey, bound: &str) -> Option<String> {
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        let (tag, said) = bytes.split_first_chunk::<TAG>()?;
        let said = std::str::from_utf8(said).ok()?;
        key.verify(self.purpose(), &message(said, bound), tag).then(|| said.to_owned())
    }

    /// Keeps the kinds, and other uses of the key, apart.
    fn purpose(self) -> &'static str {
        match self {
            Self::OfLedger => "cursor",
            Self::OfAccounts => "cursor of accounts",
            Self::OfExports => "cursor of exports",
        }
    }
}

fn message(said: &str, bound: &str) -> Vec<u8> {
    format!("{said}\n{bound}").into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_opens_for_its_list_and_what_it_was_made_for() {
        let (key, other) = (SymmetricKey::from_secret("a secret"), SymmetricKey::from_secret("another"));
        let text = SealedCursor::OfAccounts.seal("1#012345", &key, "somebody\nmartin");
        assert_eq!(SealedCursor::OfAccounts.open(&text, &key, "somebody\nmartin").as_deref(), Some("1#012345"));
        assert_eq!(SealedCursor::OfAccounts.open(&text, &key, "somebody\nmarti"), None);
        assert_eq!(SealedCursor::OfAccounts.open(&text, &other, "somebody\nmartin"), None);
        assert_eq!(SealedCursor::OfLedger.open(&text, &key, "somebody\nmartin"), None);
        assert_eq!(SealedCursor::OfAccounts.open(&text[1..], &key, "somebody\nmartin"), None);
    }
}
