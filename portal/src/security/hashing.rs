//! Hashing passwords with argon2id.

use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use argon2_rust::params::{Memory, TagLen};
use argon2_rust::{Algorithm, Argon2, Error, Hasher, Params, Version, decode_string};
use rand::CryptoRng;
use serde::{Deserialize, Serialize};
use tokio::sync::Semaphore;

use super::Password;
use crate::clock::Stopwatch;
use crate::invocation;

/// What is done today: OWASP's floor for argon2id, 19 MiB, two passes, one lane.
const TODAY: Argon2 = Argon2::new(
    Algorithm::Argon2id,
    Version::V0x13,
    Params::builder().memory(Memory::kib(19_456)).passes(2).lanes(1).tag_len(TagLen::bytes(32)).build_or_panic(),
);

/// How many hashes are computed at a time: a Lambda function of 1769 MB has one processor and serves one
/// request, the local portal has few; each holds a buffer of 19 MiB.
const AT_A_TIME: usize = 2;

/// Hash of nobody's password, verified for unknown addresses so that they cost what known ones cost.
const NOBODYS: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// A password's hash as a PHC string. No `Debug`: it is not for logs.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PasswordHash(String);

impl PasswordHash {
    /// The hash that no password has: nobody signs in until another is set.
    #[must_use]
    pub fn of_no_password() -> Self {
        Self(NOBODYS.to_owned())
    }

    /// Whether it was made with less work than is done today: at the next log-in it is made anew.
    #[must_use]
    pub fn is_outdated(&self) -> bool {
        let today = TODAY.params();
        let read = decode_string(&self.0, TODAY.algorithm()).map(|decoded| decoded.params);
        // One that cannot be read fails when it is verified.
        read.is_ok_and(|its| its.memory_kib() < today.memory_kib() || its.passes() < today.passes())
    }
}

/// What came of holding a password against a hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It is another password's hash, or there is none.
    Wrong,
    /// It is the password's.
    Right,
    /// It is that of the text as it was typed, from before other spaces counted as U+0020: to be made anew.
    RightAsTyped,
}

/// Computes hashes off the async threads, in memory that is kept between two and wiped after each.
///
/// What is kept is one hash's 19 MiB. A second hash at the same time maps its own and gives it back to the
/// system: with glibc's allocator, an allocation for each hash grows to some 180 MiB of resident memory.
#[derive(Clone)]
pub struct Hashing {
    kept: Arc<Mutex<Option<Hasher>>>,
    permits: Arc<Semaphore>,
}

/// Hashing failed: no memory, or a stored hash that is none.
#[derive(Debug, thiserror::Error)]
#[error("hashing failed: {0}")]
pub struct HashingError(String);

impl Default for Hashing {
    /// What is kept is the process's: the local portal runs all functions in one.
    fn default() -> Self {
        static KEPT: LazyLock<Arc<Mutex<Option<Hasher>>>> = LazyLock::new(Arc::default);
        Self { kept: Arc::clone(&KEPT), permits: Arc::new(Semaphore::new(AT_A_TIME)) }
    }
}

impl Hashing {
    /// Hashes a new password under a random salt.
    ///
    /// # Errors
    /// Where there is no memory for it.
    pub async fn hash(&self, password: &Password, rng: &mut impl CryptoRng) -> Result<PasswordHash, HashingError> {
        let mut salt = [0; 16];
        rng.fill_bytes(&mut salt);
        let compute = move |hasher: &mut Hasher, password: &Password| hasher.hash_encoded(password.as_bytes(), &salt);
        self.compute(password, TODAY, compute).await?.map(PasswordHash).map_err(failed)
    }

    /// Judges a password by a hash; with no hash, the same work and [`Verdict::Wrong`].
    ///
    /// What was typed with spaces other than U+0020 is tried as prepared and, where that is not it, with its own spaces:
    /// two hashes for a wrong one, whether there is a hash to hold it against or not.
    ///
    /// # Errors
    /// Where there is no memory for it, or the stored hash is none.
    pub async fn verify(&self, password: &Password, hash: Option<&PasswordHash>) -> Result<Verdict, HashingError> {
        if self.is_of(password, hash).await? {
            return Ok(Verdict::Right);
        }
        match password.with_its_spaces() {
            Some(as_typed) if self.is_of(&as_typed, hash).await? => Ok(Verdict::RightAsTyped),
            _ => Ok(Verdict::Wrong),
        }
    }

    async fn is_of(&self, password: &Password, hash: Option<&PasswordHash>) -> Result<bool, HashingError> {
        let stored = decode_string(hash.map_or(NOBODYS, |hash| &hash.0), TODAY.algorithm()).map_err(failed)?;
        let argon2 = Argon2::new(stored.algorithm, stored.version, stored.params);
        let compute = move |hasher: &mut Hasher, password: &Password| {
            hasher.verify(password.as_bytes(), &stored.salt, &stored.hash)
        };
        match self.compute(password, argon2, compute).await? {
            Ok(()) => Ok(hash.is_some()),
            Err(Error::VerifyMismatch) => Ok(false),
            Err(error) => Err(failed(error)),
        }
    }

    async fn compute<T: Send + 'static>(
        &self,
        password: &Password,
        argon2: Argon2,
        compute: impl FnOnce(&mut Hasher, &Password) -> T + Send + 'static,
    ) -> Result<T, HashingError> {
        // The semaphore is never closed.
        let permit = Arc::clone(&self.permits).acquire_owned().await.map_err(failed)?;
        let kept = Arc::clone(&self.kept);
        let password = password.clone();
        let computed = tokio::task::spawn_blocking(move || {
            // Until the end of the computation, which goes on when nobody waits for it any more.
            let _permit = permit;
            let mut hasher = lock(&kept).take().unwrap_or_else(|| argon2.hasher());
            hasher.set_argon2(argon2);
            let stopwatch = Stopwatch::start();
            let result = compute(&mut hasher, &password);
            let time = stopwatch.elapsed();
            *lock(&kept) = Some(hasher);
            (result, time)
        });
        let (result, time) = computed.await.map_err(failed)?;
        invocation::hashed(time);
        Ok(result)
    }
}

fn lock(kept: &Mutex<Option<Hasher>>) -> std::sync::MutexGuard<'_, Option<Hasher>> {
    kept.lock().unwrap_or_else(PoisonError::into_inner)
}

fn failed(error: impl std::fmt::Display) -> HashingError {
    HashingError(error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::environment::rng;

    fn password(text: &str) -> Password {
        Password::of(text.to_owned())
    }

    #[tokio::test]
    async fn the_right_password_passes_and_no_other() {
        let hashing = Hashing::default();
        let hash = hashing.hash(&password("truelle béton mésange"), &mut rng()).await.unwrap();
        assert!(hash.0.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{}", hash.0);
        let verdict = async |text, hash| hashing.verify(&password(text), hash).await.unwrap();
        assert_eq!(verdict("truelle béton mésange", Some(&hash)).await, Verdict::Right);
        assert_eq!(verdict("truelle\u{a0}béton mésange", Some(&hash)).await, Verdict::Right);
        assert_eq!(verdict("truelle béton mesange", Some(&hash)).await, Verdict::Wrong);
        assert_eq!(verdict("truelle béton mésange", None).await, Verdict::Wrong);
        let again = hashing.hash(&password("truelle béton mésange"), &mut rng()).await.unwrap();
        assert!(hash != again, "salts differ");
    }

    #[tokio::test]
    async fn a_hash_of_a_text_with_its_own_spaces_opens_to_that_text_and_is_made_anew() {
        let hashing = Hashing::default();
        let typed = "truelle\u{a0}béton\u{202f}mésange";
        let before = password(typed).with_its_spaces().unwrap();
        let hash = hashing.hash(&before, &mut rng()).await.unwrap();
        assert_eq!(hashing.verify(&password(typed), Some(&hash)).await.unwrap(), Verdict::RightAsTyped);
        assert_eq!(hashing.verify(&password("truelle béton mésange"), Some(&hash)).await.unwrap(), Verdict::Wrong);
        assert_eq!(hashing.verify(&password(typed), None).await.unwrap(), Verdict::Wrong);
    }

    #[tokio::test]
    async fn a_hash_of_other_parameters_is_verified_with_its_own() {
        // A vector of the reference implementation's family: of "password" and "somesalt".
        let hash =
            PasswordHash("$argon2id$v=19$m=64,t=1,p=1$c29tZXNhbHQ$cpx6VEQbwTVZvcpxNIxOVUWZ5xnAipUmAe1cg2GMG70".into());
        let verdict = async |text| Hashing::default().verify(&password(text), Some(&hash)).await.unwrap();
        assert_eq!((verdict("password").await, verdict("passwore").await), (Verdict::Right, Verdict::Wrong));
        assert!(hash.is_outdated());
        assert!(Hashing::default().verify(&password("x"), Some(&PasswordHash("no hash".into()))).await.is_err());
    }

    #[tokio::test]
    async fn a_hash_of_today_is_not_outdated() {
        let hash = Hashing::default().hash(&password("truelle"), &mut rng()).await.unwrap();
        assert!(!hash.is_outdated());
        let with = |params: &str| PasswordHash(hash.0.replace("m=19456,t=2,p=1", params));
        assert!(with("m=19455,t=2,p=1").is_outdated());
        assert!(with("m=19456,t=1,p=1").is_outdated());
        assert!(!with("m=47104,t=2,p=1").is_outdated());
    }

    /// That it is wiped too is seen from outside: `tests/wiping.rs`.
    #[tokio::test]
    async fn the_memory_of_one_hash_is_kept() {
        let hashing = Hashing { kept: Arc::default(), ..Hashing::default() };
        let password = password("secret");
        for _ in 0..3 {
            let both = (hashing.verify(&password, None), hashing.verify(&password, None));
            assert!(matches!(futures::future::join(both.0, both.1).await, (Ok(Verdict::Wrong), Ok(Verdict::Wrong))));
        }
        let kept = lock(&hashing.kept).as_ref().map(Hasher::reserved_blocks);
        assert_eq!(kept, Some(19_456));
    }

    /// The crate is young and written with SIMD by hand: an old one, written plainly, says whether it is right.
    #[tokio::test]
    async fn another_implementation_agrees() {
        let (hashing, mut rng) = (Hashing::default(), rng());
        for length in [0, 1, 12, 63, 64, 127, 128, 129, 512] {
            let password = password(&"é-7".chars().cycle().take(length).collect::<String>());
            let hash = hashing.hash(&password, &mut rng).await.unwrap();
            let decoded = decode_string(&hash.0, Algorithm::Argon2id).unwrap();
            let params = argon2::Params::new(19_456, 2, 1, Some(32)).unwrap();
            let other = argon2::Argon2::new(argon2::Algorithm::Argon2id, argon2::Version::V0x13, params);
            let mut output = [0; 32];
            other.hash_password_into(password.as_bytes(), &decoded.salt, &mut output).unwrap();
            assert_eq!(decoded.hash, output, "{length}");
        }
    }
}
