//! Refresh tokens: opaque to clients, hashed at rest, each derived from the one before
//! (`docs/decisions/0115-lost-answers-to-a-refresh.md`).

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use rand::CryptoRng;
use zeroize::Zeroizing;

use super::SymmetricKey;
use crate::domain::{Id, to_hex};
use crate::store::Session;

/// How long a token is still taken after its successor was used, in milliseconds: a request that was delayed.
const DELAYED_AT_MOST: i64 = 30_000;

/// How many rotations a session remembers the times of: a client that refreshes every second has half a minute of them.
const MOST_TIMES: usize = 32;

/// Which session, and a secret of 256 bits. No `Debug`.
pub struct RefreshToken {
    /// The user.
    pub user_id: Id,
    /// The session.
    pub session_id: Id,
    secret: Zeroizing<[u8; 32]>,
}

/// What a token is to its session.
pub enum Standing {
    /// The current one: rotate it.
    Current,
    /// Replaced, and whoever brings it may not know by what: here is the session's current one.
    Replaced(RefreshToken),
    /// Replaced, and its successor was used more than 30 seconds ago: somebody else has a copy. End the session.
    Stolen,
    /// None of this session's.
    Foreign,
}

impl RefreshToken {
    /// The first token of a session.
    pub fn random(user_id: Id, session_id: Id, rng: &mut impl CryptoRng) -> Self {
        let mut secret = Zeroizing::new([0; 32]);
        rng.fill_bytes(secret.as_mut_slice());
        Self { user_id, session_id, secret }
    }

    /// Reads a cookie's value; `None` where it cannot be a token.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = Zeroizing::new(URL_SAFE_NO_PAD.decode(text).ok()?);
        let (user_id, rest) = bytes.split_first_chunk::<16>()?;
        let (session_id, secret) = rest.split_first_chunk::<16>()?;
        let secret = Zeroizing::new(<[u8; 32]>::try_from(secret).ok()?);
        Some(Self { user_id: Id::from_bytes(*user_id), session_id: Id::from_bytes(*session_id), secret })
    }

    /// As a cookie's value.
    #[must_use]
    pub fn to_text(&self) -> Zeroizing<String> {
        let bytes = Zeroizing::new(
            [self.user_id.as_bytes().as_slice(), self.session_id.as_bytes(), self.secret.as_slice()].concat(),
        );
        Zeroizing::new(URL_SAFE_NO_PAD.encode(bytes.as_slice()))
    }

    /// SHA-256 of the secret: what the session keeps.
    #[must_use]
    pub fn hash(&self) -> String {
        to_hex(digest(&SHA256, self.secret.as_slice()).as_ref())
    }

    /// The token that replaces this one: derived, so that two callers who rotate it get the same.
    #[must_use]
    pub fn successor(&self, key: &SymmetricKey) -> Self {
        let secret = Zeroizing::new(key.derive("refresh", self.secret.as_slice()));
        Self { user_id: self.user_id, session_id: self.session_id, secret }
    }

    /// What this token is to `session`: its place in the chain of derivations tells.
    ///
    /// That a successor was used says that somebody got it. Until then the answer that brought it may have been lost,
    /// however long ago that was.
    #[must_use]
    pub fn standing(&self, session: &Session, key: &SymmetricKey, now: Timestamp) -> Standing {
        let is_current =
            |token: &Self| verify_slices_are_equal(token.hash().as_bytes(), session.refresh_hash.as_bytes()).is_ok();
        if is_current(self) {
            return Standing::Current;
        }
        let mut token = self.successor(key);
        // Twelve hours of refreshing every ten minutes are 72 rotations, and `Session::MOST_ROTATIONS` bounds a
        // client that never rests; each step costs a microsecond.
        for behind in 1..=session.generation {
            if is_current(&token) {
                return if behind == 1 || successor_was_used_lately(session, behind, now) {
                    Standing::Replaced(token)
                } else {
                    Standing::Stolen
                };
            }
            token = token.successor(key);
        }
        Standing::Foreign
    }

    /// When a session that is rotated at `now` was rotated lately, for its item.
    #[must_use]
    pub fn rotations_with(session: &Session, now: Timestamp) -> Vec<i64> {
        let now = now.as_millisecond();
        let lately = session.rotations.iter().copied().filter(|at| now - at <= DELAYED_AT_MOST);
        let mut rotations: Vec<_> = lately.chain([now]).collect();
        rotations.drain(..rotations.len().saturating_sub(MOST_TIMES));
        rotations
    }
}

/// Whether the successor of a token `behind` (2 and more) generations back was used within the window: by the rotation
/// one generation after the token's own.
fn successor_was_used_lately(session: &Session, behind: u32, now: Timestamp) -> bool {
    let since = usize::try_from(behind).ok().and_then(|behind| behind.checked_sub(1));
    let index = since.and_then(|since| session.rotations.len().checked_sub(since));
    let used_at = index.and_then(|index| session.rotations.get(index));
    used_at.is_some_and(|at| now.as_millisecond() - at <= DELAYED_AT_MOST)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::environment::rng;

    struct Chain {
        key: SymmetricKey,
        tokens: Vec<RefreshToken>,
        session: Session,
        now: Timestamp,
    }

    impl Chain {
        fn new() -> Self {
            let now: Timestamp = "2026-11-23T12:00:00Z".parse().unwrap();
            let (user_id, session_id) = (Id::from_bytes([1; 16]), Id::from_bytes([2; 16]));
            let token = RefreshToken::random(user_id, session_id, &mut rng());
            let session = Session {
                user_id,
                session_id,
                refresh_hash: token.hash(),
                generation: 0,
                rotations: vec![],
                epoch: 0,
                created_at: now,
                last_used_at: now,
                expires_at: now + Session::LONGEST,
                ip: None,
                user_agent: None,
                ttl: 0,
            };
            Self { key: SymmetricKey::from_secret("refresh key"), tokens: vec![token], session, now }
        }

        fn wait(&mut self, seconds: u64) {
            self.now += Duration::from_secs(seconds);
        }

        fn rotate(&mut self) {
            let next = self.tokens.last().unwrap().successor(&self.key);
            self.session.rotations = RefreshToken::rotations_with(&self.session, self.now);
            self.session.refresh_hash = next.hash();
            self.session.generation += 1;
            self.tokens.push(next);
        }

        fn standing(&self, token: usize) -> &'static str {
            match self.tokens[token].standing(&self.session, &self.key, self.now) {
                Standing::Current => "current",
                Standing::Replaced(now) if now.hash() == self.session.refresh_hash => "replaced",
                Standing::Replaced(_) => "replaced wrongly",
                Standing::Stolen => "stolen",
                Standing::Foreign => "foreign",
            }
        }
    }

    #[test]
    fn a_token_whose_successor_nobody_used_gets_the_current_one_however_late() {
        let mut chain = Chain::new();
        chain.rotate();
        for minutes in [0, 1, 10, 100] {
            chain.wait(minutes * 60);
            assert_eq!([chain.standing(0), chain.standing(1)], ["replaced", "current"]);
        }
    }

    #[test]
    fn a_token_whose_successor_was_used_has_half_a_minute_and_ends_the_session_then() {
        let mut chain = Chain::new();
        chain.rotate();
        chain.wait(600);
        chain.rotate();
        chain.wait(30);
        assert_eq!([chain.standing(0), chain.standing(1), chain.standing(2)], ["replaced", "replaced", "current"]);
        chain.rotate();
        chain.wait(1);
        let all = [chain.standing(0), chain.standing(1), chain.standing(2), chain.standing(3)];
        assert_eq!(all, ["stolen", "replaced", "replaced", "current"], "each has a half minute of its own");
        chain.wait(30);
        let all = [chain.standing(0), chain.standing(1), chain.standing(2), chain.standing(3)];
        assert_eq!(all, ["stolen", "stolen", "replaced", "current"]);
    }

    #[test]
    fn a_client_that_never_rests_leaves_no_more_than_32_times_behind() {
        let mut chain = Chain::new();
        for _ in 0..100 {
            chain.rotate();
        }
        assert_eq!(chain.session.rotations.len(), MOST_TIMES);
        assert_eq!(
            [chain.standing(100 - MOST_TIMES - 1), chain.standing(100 - MOST_TIMES - 2)],
            ["replaced", "stolen"]
        );
    }

    #[test]
    fn a_made_up_secret_is_foreign_and_ends_nothing() {
        let mut chain = Chain::new();
        chain.rotate();
        let (user, session) = (chain.session.user_id, chain.session.session_id);
        chain.tokens.push(RefreshToken::random(user, session, &mut rng()));
        assert_eq!(chain.standing(2), "foreign");
    }

    #[test]
    fn a_cookie_reads_back() {
        let token = &Chain::new().tokens[0];
        let back = RefreshToken::parse(&token.to_text()).unwrap();
        assert_eq!((back.user_id, back.session_id, back.hash()), (token.user_id, token.session_id, token.hash()));
        assert!(RefreshToken::parse("AAAA").is_none() && RefreshToken::parse("").is_none());
    }
}
