//! Hashing passwords with argon2id.

use std::sync::{Arc, Mutex, PoisonError};

use argon2::password_hash::phc::{self, Output, ParamsString, Salt};
use argon2::{ARGON2ID_IDENT, Algorithm, Argon2, Block, Params, Version};
use aws_lc_rs::constant_time::verify_slices_are_equal;
use rand::CryptoRng;
use serde::{Deserialize, Serialize};
use tokio::sync::Semaphore;

use super::Password;

/// OWASP's floor for argon2id: 19 MiB, two passes, one lane.
const MEMORY_KIB: u32 = 19_456;
const PASSES: u32 = 2;
const LANES: u32 = 1;
const OUTPUT_BYTES: usize = 32;

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

/// Computes hashes off the async threads, in kept and wiped buffers.
///
/// With glibc, one allocation of 19 MiB for each hash grows to some 180 MiB of resident memory.
#[derive(Clone)]
pub struct Hashing {
    buffers: Arc<Mutex<Vec<Vec<Block>>>>,
    permits: Arc<Semaphore>,
}

/// Hashing failed: no memory, or a stored hash that is none.
#[derive(Debug, thiserror::Error)]
#[error("hashing failed: {0}")]
pub struct HashingError(String);

impl Default for Hashing {
    fn default() -> Self {
        Self { buffers: Arc::default(), permits: Arc::new(Semaphore::new(AT_A_TIME)) }
    }
}

impl Hashing {
    /// Hashes a new password under a random salt.
    ///
    /// # Errors
    /// Where there is no memory for it.
    pub async fn hash(&self, password: Password, rng: &mut impl CryptoRng) -> Result<PasswordHash, HashingError> {
        let mut salt = [0; 16];
        rng.fill_bytes(&mut salt);
        let output = self.compute(password, current_parameters()?, salt.to_vec()).await?;
        let mut params = ParamsString::new();
        for (name, value) in [("m", MEMORY_KIB), ("t", PASSES), ("p", LANES)] {
            params.add_decimal(name, value).map_err(failed)?;
        }
        let hash = phc::PasswordHash {
            algorithm: ARGON2ID_IDENT,
            version: Some(Version::V0x13.into()),
            params,
            salt: Some(Salt::new(&salt).map_err(failed)?),
            hash: Some(Output::new(&output).map_err(failed)?),
        };
        Ok(PasswordHash(hash.to_string()))
    }

    /// Whether a password is the one of a hash; with no hash, the same work and `false`.
    ///
    /// # Errors
    /// Where there is no memory for it, or the stored hash is none.
    pub async fn verify(&self, password: Password, hash: Option<&PasswordHash>) -> Result<bool, HashingError> {
        let parsed = phc::PasswordHash::new(hash.map_or(NOBODYS, |hash| &hash.0)).map_err(failed)?;
        let (Some(salt), Some(expected)) = (&parsed.salt, &parsed.hash) else {
            return Err(HashingError("a stored hash lacks its salt or its output".to_owned()));
        };
        let params = Params::try_from(&parsed).map_err(failed)?;
        let output = self.compute(password, params, salt.to_vec()).await?;
        Ok(verify_slices_are_equal(&output, expected.as_bytes()).is_ok() && hash.is_some())
    }

    async fn compute(&self, password: Password, params: Params, salt: Vec<u8>) -> Result<Vec<u8>, HashingError> {
        // The semaphore is never closed.
        let _permit = self.permits.acquire().await.map_err(failed)?;
        let buffers = Arc::clone(&self.buffers);
        let computed = tokio::task::spawn_blocking(move || {
            let mut blocks = buffers.lock().unwrap_or_else(PoisonError::into_inner).pop().unwrap_or_default();
            blocks.resize(params.block_count(), Block::default());
            let mut output = vec![0; OUTPUT_BYTES];
            let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
            let result = argon2.hash_password_into_with_memory(password.as_bytes(), &salt, &mut output, &mut blocks);
            blocks.fill(Block::default());
            buffers.lock().unwrap_or_else(PoisonError::into_inner).push(blocks);
            result.map(|()| output)
        });
        computed.await.map_err(failed)?.map_err(failed)
    }
}

fn current_parameters() -> Result<Params, HashingError> {
    Params::new(MEMORY_KIB, PASSES, LANES, Some(OUTPUT_BYTES)).map_err(failed)
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
        let hash = hashing.hash(password("truelle béton mésange"), &mut rng()).await.unwrap();
        assert!(hash.0.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{}", hash.0);
        assert!(hashing.verify(password("truelle béton mésange"), Some(&hash)).await.unwrap());
        assert!(!hashing.verify(password("truelle béton mesange"), Some(&hash)).await.unwrap());
        assert!(!hashing.verify(password("truelle béton mésange"), None).await.unwrap());
        let again = hashing.hash(password("truelle béton mésange"), &mut rng()).await.unwrap();
        assert!(hash != again, "salts differ");
    }

    #[tokio::test]
    async fn a_hash_of_other_parameters_is_verified_with_its_own() {
        let hash = PasswordHash(
            "$argon2id$v=19$m=64,t=2,p=1$c29tZXNhbHRzb21lc2FsdA$V0w0Kgwa6oxlhKDgkpRQZ2Ff8ZGjTmJqmJzNuGdoFaM".into(),
        );
        assert!(!Hashing::default().verify(password("x"), Some(&hash)).await.unwrap());
        assert!(Hashing::default().verify(password("x"), Some(&PasswordHash("no hash".into()))).await.is_err());
    }

    #[tokio::test]
    async fn buffers_are_kept_and_wiped() {
        let hashing = Hashing::default();
        for _ in 0..3 {
            hashing.verify(password("secret"), None).await.unwrap();
        }
        let buffers = hashing.buffers.lock().unwrap();
        assert_eq!(buffers.len(), 1);
        assert!(buffers[0].iter().all(|block| block.as_ref().iter().all(|word| *word == 0)));
    }
}
