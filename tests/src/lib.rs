//! What the tests stand on: a whole portal in memory for each test, visitors who talk to it over HTTP
//! from addresses of their own, and the contract that every answer is held against.
//!
//! ```no_run
//! # async fn example() {
//! use harness::World;
//! let world = World::start().await;
//! let marie = world.member("marie@martin.example").await;
//! let home = marie.get("/api/home").await;
//! assert_eq!(home["user"]["greeting"], "Bonjour Mme MARTIN");
//! # }
//! ```
//!
//! A test never sleeps for time to pass (`World::advance` moves the clock) and never depends on another:
//! each has its own portal. Helpers panic with what they saw: a test that goes on after a surprise tells
//! less.

#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, missing_docs, reason = "test support")]

mod commits;
mod contract;
mod faults;
mod feed;
mod forge;
mod held;
mod outage;
mod person;
mod process;
mod proxy;
mod reply;
mod snapshot;
mod tap;
mod torn;
mod uses;
mod visitor;
mod whole;
mod world;

pub use commits::Commits;
pub use contract::Contract;
pub use faults::{Effect, Fault, Faults, Place};
pub use feed::{ACCOUNT, EMPTY_ACCOUNT, EMPTY_SIRET, OTHER_ACCOUNT, OTHER_SIRET, SIRET, fixture, lines, write_batch};
pub use forge::Forge;
pub use held::{Calls, Held, Order};
pub use outage::Outage;
pub use person::{PASSWORD, Person};
pub use process::{Process, Started, eventually, folder_of_workspace, staff_cli};
pub use reply::Reply;
pub use snapshot::Snapshot;
pub use tap::{Call, Observed, Tap};
pub use torn::Torn;
pub use uses::Use;
pub use visitor::Visitor;
pub use whole::Inventory;
pub use world::{World, address_token, contest_freezes, contest_token, link_token, pass_token};
