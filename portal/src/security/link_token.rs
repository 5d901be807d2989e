//! The token of a mailed link: derived, never stored.

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use zeroize::Zeroizing;

use super::SymmetricKey;
use crate::domain::{Id, is_unfit, to_hex};

/// `HMAC-SHA256(link key, outbox id)`: only `send-mail` has the key, and a retry sends the same link.
///
/// No `Debug`: it opens an account.
pub struct LinkToken(Zeroizing<[u8; 32]>);

/// SHA-256 of a link token: what the store knows of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HashedToken(String);

impl LinkToken {
    /// The token of an outbox entry.
    #[must_use]
    pub fn of(outbox_id: Id, key: &SymmetricKey) -> Self {
        Self(Zeroizing::new(key.derive("link", outbox_id.as_bytes())))
    }

    /// Reads a token, or the link that it stands in; `None` where it cannot be one. Spaces, line ends, marks around it and
    /// characters that cannot be seen, which copying and mail programs add, are no part of it.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        // Quoted-printable breaks a line with `=` before it.
        let text = Zeroizing::new(text.replace("=\r\n", ""));
        let text = Zeroizing::new(text.replace("=\n", ""));
        let is_seen = |character: &char| !character.is_whitespace() && !is_unfit(*character);
        let text: Zeroizing<String> = Zeroizing::new(text.chars().filter(is_seen).collect());
        let token = text.rsplit_once('#').map_or(text.as_str(), |(_, token)| token);
        let token = token.trim_matches(|character: char| "\"'’‘“”«»()[]<>.,;:!?".contains(character));
        let bytes = Zeroizing::new(URL_SAFE_NO_PAD.decode(token.as_bytes()).ok()?);
        <[u8; 32]>::try_from(bytes.as_slice()).ok().map(|bytes| Self(Zeroizing::new(bytes)))
    }

    /// As it stands in a link.
    #[must_use]
    pub fn to_text(&self) -> Zeroizing<String> {
        Zeroizing::new(URL_SAFE_NO_PAD.encode(self.0.as_slice()))
    }

    /// What the store knows of it.
    #[must_use]
    pub fn hashed(&self) -> HashedToken {
        HashedToken(to_hex(digest(&SHA256, self.0.as_slice()).as_ref()))
    }
}

impl HashedToken {
    /// 64 hex digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_retry_makes_the_same_link_and_another_entry_another() {
        let key = SymmetricKey::from_secret("link key");
        let (first, second) = (Id::from_bytes([1; 16]), Id::from_bytes([2; 16]));
        let text = LinkToken::of(first, &key).to_text();
        assert_eq!(text, LinkToken::of(first, &key).to_text());
        assert_ne!(text, LinkToken::of(second, &key).to_text());
        assert_eq!(LinkToken::parse(&text).unwrap().hashed(), LinkToken::of(first, &key).hashed());
        assert_eq!(text.len(), 43);
    }

    #[test]
    fn what_copying_adds_is_no_part_of_a_token() {
        let token = LinkToken::of(Id::from_bytes([1; 16]), &SymmetricKey::from_secret("link key"));
        let text = token.to_text();
        for added in
            [" ", "\n", "\r\n", "\t", "\u{a0}", "\u{2009}", "\u{202f}", "\u{200b}", "\u{feff}", "\u{ad}", "\u{2060}"]
        {
            let (begin, end) = text.split_at(20);
            let spellings = [format!("{added}{}", *text), format!("{}{added}", *text), format!("{begin}{added}{end}")];
            for spelling in spellings {
                let read = LinkToken::parse(&spelling).map(|read| read.hashed());
                assert_eq!(read, Some(token.hashed()), "{spelling:?}");
            }
        }
    }

    #[test]
    fn a_link_and_marks_around_a_token_are_no_part_of_it() {
        let token = LinkToken::of(Id::from_bytes([1; 16]), &SymmetricKey::from_secret("link key"));
        let text = token.to_text();
        let (begin, end) = text.split_at(20);
        for spelling in [
            format!("https://portail.example/mot-de-passe#{}", *text),
            format!("<https://portail.example/adresse#{}>.", *text),
            format!("mot-de-passe#{},", *text),
            format!("#{}", *text),
            format!("«\u{a0}{}\u{a0}»", *text),
            format!("\"{}\"", *text),
            format!("({})", *text),
            format!("{begin}=\r\n{end}"),
        ] {
            let read = LinkToken::parse(&spelling).map(|read| read.hashed());
            assert_eq!(read, Some(token.hashed()), "{spelling:?}");
        }
    }

    #[test]
    fn what_cannot_be_a_token_is_none() {
        for wrong in
            ["", "#", "abc", "é", &"A".repeat(42), &"A".repeat(44), "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="]
        {
            assert!(LinkToken::parse(wrong).is_none(), "{wrong}");
        }
    }
}
