//! The tests of what crosses functions. One binary, as each would link the whole portal; a part runs
//! alone with `cargo test -p portal-tests journeys::`.

#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "tests and what they are made of")]

mod budgets;
mod canary;
mod command_line;
mod events;
mod expiries;
mod journeys;
mod kill;
mod links;
mod nothing_forgotten;
mod profile;
mod races;
mod roles;
mod sessions;
mod tour;
