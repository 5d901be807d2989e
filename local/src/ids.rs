//! Identifiers as AWS makes them: opaque, never repeated.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use portal::environment::rng;
use rand::Rng;

/// 32 hexadecimal digits.
pub(crate) fn hex() -> String {
    let mut bytes = [0; 16];
    rng().fill_bytes(&mut bytes);
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A request's id, as the HTTP API writes it: 16 characters of base64.
pub(crate) fn request() -> String {
    let mut bytes = [0; 11];
    rng().fill_bytes(&mut bytes);
    STANDARD.encode(bytes)
}
