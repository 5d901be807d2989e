//! Links that open one file for some minutes: what a browser follows has no `Authorization` header.
//!
//! A link is the address of the file itself, with one more parameter: a session of the user, an end, and an HMAC over these
//! and the rest of the address. Nothing is stored for it. It stands for an access token on this one address, so who may have
//! the file is asked when it is used, and a session that has ended takes its links along.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;

use super::{SessionOf, SymmetricKey};
use crate::domain::{Id, MemberNumber};
use crate::environment::{Environment, StartError};
use crate::http::Call;

/// Keeps the uses of a key apart.
const PURPOSE: &str = "file link";

/// User, session, epoch and end.
const SAID: usize = 16 + 16 + 8 + 8;

/// An HMAC-SHA256.
const TAG: usize = 32;

/// Makes and opens links.
#[derive(Clone)]
pub struct FileLinks(SymmetricKey);

/// The address of a file: its path, and its parameters but for the link, in the order of their names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileAddress(String);

impl FileAddress {
    /// The address of a file of an account: `ledger.csv` or the like, with these parameters.
    #[must_use]
    pub fn of_account(number: &MemberNumber, file: &str, parameters: Vec<(&str, String)>) -> Self {
        Self::new(&format!("/api/accounts/{number}/{file}"), parameters)
    }

    /// The address that a call asks for.
    #[must_use]
    pub fn of_call(call: &Call) -> Self {
        let path = call.route.strip_prefix("GET ").unwrap_or_default().replace("{number}", call.path("number"));
        Self::new(&path, call.parameters_beside_link())
    }

    fn new(path: &str, mut parameters: Vec<(&str, String)>) -> Self {
        parameters.sort();
        let parameters = parameters.iter().map(|(name, value)| format!("{}={}", escaped(name), escaped(value)));
        Self([path.to_owned(), parameters.collect::<Vec<_>>().join("&")].join("?"))
    }
}

impl FileLinks {
    /// The parameter of an address that is the link.
    pub const PARAMETER: &'static str = "link";

    /// How long a link opens its file: for a download to begin, again where it is broken off, and not to be passed on.
    pub const LIVES: Duration = Duration::from_secs(5 * 60);

    /// Reads the key of links.
    ///
    /// # Errors
    /// Where the variable is missing or the secret cannot be read.
    pub async fn load(environment: &Environment) -> Result<Self, StartError> {
        SymmetricKey::load(environment, "FILE_LINK_KEY_SECRET").await.map(Self)
    }

    /// Makes a link, from its path on, for whoever has this session.
    #[must_use]
    pub fn make(&self, who: &SessionOf, address: &FileAddress, expires_at: Timestamp) -> String {
        let said = [
            who.user_id.as_bytes().as_slice(),
            who.session_id.as_bytes(),
            &who.epoch.to_be_bytes(),
            &expires_at.as_second().to_be_bytes(),
        ]
        .concat();
        let tag = self.0.derive(PURPOSE, &message(&said, address));
        let link = URL_SAFE_NO_PAD.encode([tag.as_slice(), &said].concat());
        let FileAddress(address) = address;
        let sign = if address.ends_with('?') { "" } else { "&" };
        format!("{address}{sign}{}={link}", Self::PARAMETER)
    }

    /// Whose session a link stands for; `None` where it was not made for this address, was changed, or is over.
    #[must_use]
    pub fn open(&self, link: &str, address: &FileAddress, now: Timestamp) -> Option<SessionOf> {
        let bytes = <[u8; TAG + SAID]>::try_from(URL_SAFE_NO_PAD.decode(link).ok()?).ok()?;
        let (tag, said) = bytes.split_first_chunk::<TAG>()?;
        if !self.0.verify(PURPOSE, &message(said, address), tag) {
            return None;
        }
        let (user_id, said) = said.split_first_chunk::<16>()?;
        let (session_id, said) = said.split_first_chunk::<16>()?;
        let (epoch, said) = said.split_first_chunk::<8>()?;
        let expires_at = i64::from_be_bytes(said.try_into().ok()?);
        let who = SessionOf {
            user_id: Id::from_bytes(*user_id),
            session_id: Id::from_bytes(*session_id),
            epoch: u64::from_be_bytes(*epoch),
        };
        (now.as_second() < expires_at).then_some(who)
    }
}

/// What is said has one length, so no two things have one text.
fn message(said: &[u8], FileAddress(address): &FileAddress) -> Vec<u8> {
    [said, address.as_bytes()].concat()
}

/// A text as it stands in a query (RFC 3986): unreserved characters as they are, all other bytes as `%XX`.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => escaped.push(byte.into()),
            _ => escaped.push_str(&format!("%{byte:02X}")),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn links() -> FileLinks {
        FileLinks(SymmetricKey::from_secret("a secret of the test"))
    }

    fn who(byte: u8) -> SessionOf {
        SessionOf { user_id: Id::from_bytes([byte; 16]), session_id: Id::from_bytes([byte + 1; 16]), epoch: 7 }
    }

    fn address(number: &str, file: &str, parameters: &[(&'static str, &str)]) -> FileAddress {
        let parameters = parameters.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
        FileAddress::of_account(&MemberNumber::parse(number).unwrap(), file, parameters)
    }

    fn link_of(url: &str) -> &str {
        url.rsplit_once("link=").unwrap().1
    }

    #[test]
    fn a_link_opens_its_address_until_it_ends_and_nothing_else() {
        let now = Timestamp::from_second(1_800_000_000).unwrap();
        let of = address("012345", "actions.csv", &[("view", "2012"), ("q", "é & =?#")]);
        let url = links().make(&who(1), &of, now + FileLinks::LIVES);
        assert!(
            url.starts_with("/api/accounts/012345/actions.csv?q=%C3%A9%20%26%20%3D%3F%23&view=2012&link="),
            "{url}"
        );
        let link = link_of(&url);
        let open = |links: &FileLinks, link: &str, address: &FileAddress, after: i64| {
            let at = Timestamp::from_second(now.as_second() + after).unwrap();
            links.open(link, address, at)
        };
        assert_eq!(open(&links(), link, &of, 0), Some(who(1)));
        assert_eq!(open(&links(), link, &of, 299), Some(who(1)), "and a second time");
        assert_eq!(open(&links(), link, &of, 300), None);
        let swapped = address("012345", "actions.csv", &[("q", "é & =?#"), ("view", "2012")]);
        assert_eq!(open(&links(), link, &swapped, 0), Some(who(1)), "the order of parameters says nothing");
        for other in [
            address("012346", "actions.csv", &[("view", "2012"), ("q", "é & =?#")]),
            address("012345", "actions.xlsx", &[("view", "2012"), ("q", "é & =?#")]),
            address("012345", "actions.csv", &[("view", "2011"), ("q", "é & =?#")]),
            address("012345", "actions.csv", &[("view", "2012")]),
            address("012345", "actions.csv", &[("view", "2012"), ("q", "é & =?#"), ("status", "PAID")]),
            address("012345", "actions.csv", &[]),
        ] {
            assert_eq!(open(&links(), link, &other, 0), None, "{other:?}");
        }
        assert_eq!(open(&FileLinks(SymmetricKey::from_secret("another")), link, &of, 0), None);
        let whole = links().make(&who(1), &address("012345", "ledger.csv", &[]), now);
        assert!(whole.starts_with("/api/accounts/012345/ledger.csv?link="), "{whole}");
    }

    proptest! {
        #[test]
        fn a_changed_link_does_not_open(at in any::<prop::sample::Index>(), to in "[A-Za-z0-9_-]") {
            let now = Timestamp::from_second(1_800_000_000).unwrap();
            let of = address("012345", "ledger.csv", &[]);
            let url = links().make(&who(1), &of, now + FileLinks::LIVES);
            let link = link_of(&url);
            let at = at.index(link.len());
            let changed = format!("{}{to}{}", &link[..at], &link[at + 1..]);
            prop_assert!(changed == link || links().open(&changed, &of, now).is_none());
        }

        #[test]
        fn no_text_opens_by_chance_nor_panics(text in "\\PC{0,150}") {
            let of = address("012345", "ledger.csv", &[]);
            prop_assert_eq!(links().open(&text, &of, Timestamp::UNIX_EPOCH), None);
        }
    }
}
