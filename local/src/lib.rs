//! The whole portal in one process on loopback: the functions of the project, and what they stand on.
//!
//! Routes, variables, tables, streams, schedules, buckets and secrets are read from the templates, so
//! what runs here is what is deployed. [`Portal::start`] gives a portal; without options it lives in
//! memory, on any free port, with nothing in it:
//!
//! ```no_run
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let portal = local::Portal::start(local::Options::default()).await?;
//! // … requests to portal.address() …
//! portal.drain().await?;
//! assert!(portal.mails().is_empty());
//! portal.stop().await;
//! # Ok(())
//! # }
//! ```

mod bus;
mod data;
mod dead_letters;
mod demo;
mod deployment;
mod edge;
mod embedded;
mod engine;
mod feed;
mod functions;
mod gateway;
mod generate;
mod ids;
mod inspect;
mod invoke_api;
mod log;
mod mail_page;
mod mailbox;
mod names;
mod options;
mod pages;
mod pattern;
mod payload;
mod position;
mod queues;
mod registry;
mod resolve;
mod retry;
mod routes;
mod s3;
mod schedule;
mod secrets;
mod server;
mod services;
mod ses;
mod start;
mod streams;
mod template;
#[cfg(test)]
mod testing;

pub use data::{Data, DataError};
pub use demo::{DemoError, Unclaimed};
pub use deployment::{Deployment, QueueMapping, QueueRule, Rule, Schedule, Secret, StreamMapping, Table};
pub use engine::EngineError;
pub use feed::{ImportError, Quarantined, Report, check_feed};
pub use functions::InvokeError;
pub use log::{LineHook, LogTo};
pub use mailbox::{Fate, Mail};
pub use names::bucket_name;
pub use options::{EndpointHook, Error, Options, Service};
pub use pages::{NotBuilt, Page, Pages};
pub use pattern::Pattern;
pub use registry::{Registry, Starter};
pub use routes::{Found, Route, RouteKey, find as find_route};
pub use start::Portal;
pub use template::TemplateError;
