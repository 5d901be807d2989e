//! Passwords, tokens, signatures, sealed evidence, and who is calling.

mod access_token;
mod account_door;
mod credentials;
mod cursor;
mod file_link;
mod hashing;
mod link_token;
mod new_password;
mod own_establishment;
mod password;
mod refresh_token;
mod seal;
mod secret;
mod signed_in;
mod signing_keys;
mod strength;

pub use access_token::{AUDIENCE, AccessTokens, Claims, LIFETIME as ACCESS_TOKEN_LIFETIME};
pub use account_door::{AccountDoor, Guest, Permit, Visit};
pub use credentials::{Candidate, Credentials, Proven};
pub use cursor::SealedCursor;
pub use file_link::{FileAddress, FileLinks};
pub use hashing::{Hashing, PasswordHash, Verdict};
pub use link_token::{HashedToken, LinkToken};
pub use new_password::NewPassword;
pub use own_establishment::OwnEstablishment;
pub use password::{Password, PasswordPolicy};
pub use refresh_token::{RefreshToken, Standing};
pub use seal::SealKey;
pub use secret::{SymmetricKey, read_secret, write_secret};
pub use signed_in::{Caller, Gate, SessionOf, Ticket, TicketKeys, same_user};
pub use signing_keys::{KeyRing, SigningKey};
pub use strength::{Strength, assess};
