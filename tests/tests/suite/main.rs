//! The tests of what crosses functions. One binary, as each would link the whole portal; a part runs
//! alone with `cargo test -p portal-tests journeys::`.

mod budgets;
mod events;
mod journeys;
mod nothing_forgotten;
mod races;
mod tour;
