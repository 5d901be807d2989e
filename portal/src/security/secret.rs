//! Secrets: read from Secrets Manager when a function starts.

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::hmac;
use aws_sdk_secretsmanager::error::DisplayErrorContext;

use crate::aws;
use crate::environment::{Environment, StartError};

/// A key that never leaves the process: for links, refresh tokens, cursors.
#[derive(Clone)]
pub struct SymmetricKey(hmac::Key);

impl SymmetricKey {
    /// A key from the text of a secret, whatever its alphabet.
    #[must_use]
    pub fn from_secret(text: &str) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, digest(&SHA256, text.as_bytes()).as_ref()))
    }

    /// Reads the key whose secret a variable names.
    ///
    /// # Errors
    /// Where the variable is missing or the secret cannot be read.
    pub async fn load(environment: &Environment, variable: &'static str) -> Result<Self, StartError> {
        read_secret(environment, variable).await.map(|text| Self::from_secret(&text))
    }

    /// HMAC-SHA256 of a message. `purpose` keeps the uses of one key apart.
    #[must_use]
    pub fn derive(&self, purpose: &str, message: &[u8]) -> [u8; 32] {
        let mut context = hmac::Context::with_key(&self.0);
        context.update(purpose.as_bytes());
        context.update(&[0]);
        context.update(message);
        let mut bytes = [0; 32];
        bytes.copy_from_slice(context.sign().as_ref());
        bytes
    }

    /// Whether a tag is the one that [`Self::derive`] gives, in constant time.
    #[must_use]
    pub fn verify(&self, purpose: &str, message: &[u8], tag: &[u8]) -> bool {
        aws_lc_rs::constant_time::verify_slices_are_equal(&self.derive(purpose, message), tag).is_ok()
    }
}

/// The text of the secret that a variable names.
///
/// # Errors
/// Where the variable is missing or the secret cannot be read.
pub async fn read_secret(environment: &Environment, variable: &'static str) -> Result<String, StartError> {
    let unusable = |reason: String| StartError::Secret { name: variable, reason };
    let request = aws::secrets_manager(environment)?.get_secret_value().secret_id(environment.variable(variable)?);
    let output = request.send().await.map_err(|error| unusable(DisplayErrorContext(error).to_string()))?;
    output.secret_string.ok_or_else(|| unusable("it holds no text".to_owned()))
}

/// Replaces the text of the secret that a variable names.
///
/// # Errors
/// Where the variable is missing or the secret cannot be written.
pub async fn write_secret(environment: &Environment, variable: &'static str, text: String) -> Result<(), StartError> {
    let request = aws::secrets_manager(environment)?.put_secret_value().secret_id(environment.variable(variable)?);
    let sent = request.secret_string(text).send().await;
    sent.map(drop)
        .map_err(|error| StartError::Secret { name: variable, reason: DisplayErrorContext(error).to_string() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uses_of_one_key_do_not_mix() {
        let key = SymmetricKey::from_secret("a secret");
        let tag = key.derive("link", b"message");
        assert!(key.verify("link", b"message", &tag));
        assert!(!key.verify("cursor", b"message", &tag));
        assert!(!key.verify("link", b"massage", &tag));
        assert!(!key.verify("link", b"message", &tag[..31]));
        assert!(!SymmetricKey::from_secret("another").verify("link", b"message", &tag));
    }
}
