//! What is fuzzed: each target takes any bytes, and panics where the portal breaks a promise.
//!
//! libFuzzer calls them (`make fuzz`), and a test replays the seeds through them, so that a target that
//! no longer builds or a finding that comes back fails `make test`.

#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "a panic is how a target reports")]

mod cursor;
mod feed;
mod request;

pub use cursor::cursor;
pub use feed::feed;
pub use request::request;
