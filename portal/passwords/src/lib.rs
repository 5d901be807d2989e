//! How soon a guesser comes to a password: whether it is a common one, and how many guesses a French guesser needs.
//!
//! The lists are files of this package, binary fuse filters of some 18 bits an entry, used where they lie in the binary; nothing is
//! read or built at the start. `make.sh` makes them again from public packages
//! (`docs/decisions/0032-common-passwords.md`, `0140-french-guesses.md`).

mod addresses;
mod calendar;
mod common;
pub mod dictionary;
mod filter;
mod fold;
mod guesses;
mod keyboard;
mod phrases;
mod spelled;
mod texts;

pub use common::{APPENDED, SHORTEST, entries, is_common};
pub use filter::build;
pub use fold::fold;
pub use guesses::{ASSESSED, Guesses, estimate};
