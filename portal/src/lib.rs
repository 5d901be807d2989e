//! What the functions of the portal share.
//!
//! - [`domain`]: types and rules; no AWS, no HTTP, no clock.
//! - [`store`]: DynamoDB, a file for each kind of record.
//! - [`security`]: passwords, tokens, signatures, sealed evidence.
//! - [`erasure`]: how a user goes.
//! - [`http`]: request to caller and form, problem documents, answers.
//! - [`lambda`]: what a function is, and how it is run.
//! - [`environment`], [`clock`], [`log`]: what a function is started with.
//! - [`invocation`]: what a request or event takes, for its log line.
//!
//! To add a function, read `docs/adding-a-function.md`.

pub mod aws;
pub mod clock;
pub mod domain;
pub mod environment;
pub mod erasure;
pub mod http;
pub mod invocation;
pub mod lambda;
pub mod log;
pub mod security;
pub mod store;
