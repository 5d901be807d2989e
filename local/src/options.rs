//! How a portal starts, and why it does not.

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use portal::clock::Clock;
use portal::environment::StartError;

use crate::data::{Data, DataError};
use crate::demo::DemoError;
use crate::engine::EngineError;
use crate::feed::ImportError;
use crate::functions::InvokeError;
use crate::log::{LineHook, LogTo};
use crate::registry::Registry;
use crate::template::TemplateError;

/// A service that functions call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Service {
    /// DynamoDB.
    DynamoDb,
    /// SES, version 2.
    Ses,
    /// S3.
    S3,
    /// Secrets Manager.
    SecretsManager,
}

/// Given a function's name, a service and its endpoint, says which endpoint that function uses instead:
/// how a test puts something in between.
pub type EndpointHook = Arc<dyn Fn(&str, Service, &str) -> String + Send + Sync>;

/// How a portal starts.
#[derive(Clone, Default)]
pub struct Options {
    /// The port on loopback; 0 is any free one.
    pub port: u16,
    /// Where the data live.
    pub data: Data,
    /// The portal's clock.
    pub clock: Clock,
    /// Whether the demo data are loaded, if they are not there yet.
    pub demo: bool,
    /// Where log lines go.
    pub log: LogTo,
    /// Gets every log line besides.
    pub on_line: Option<LineHook>,
    /// What stands between the functions and the services.
    pub endpoints: Option<EndpointHook>,
    /// Parameters of the root template, besides those that the local portal gives itself.
    pub parameters: BTreeMap<String, String>,
    /// The folder of the built pages; where `make pages` puts them if it is `None`.
    pub pages: Option<PathBuf>,
    /// The functions; all of the portal's where it is `None`.
    pub registry: Option<Registry>,
}

impl fmt::Debug for Options {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Options").field("port", &self.port).field("data", &self.data).finish_non_exhaustive()
    }
}

/// Why a portal does not start.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The port cannot be had.
    #[error("port {port} cannot be used: {error}")]
    Port {
        /// Which.
        port: u16,
        /// What the system says.
        #[source]
        error: io::Error,
    },
    /// The data folder cannot be used.
    #[error(transparent)]
    Data(#[from] DataError),
    /// The templates say what the local portal cannot do.
    #[error(transparent)]
    Template(#[from] TemplateError),
    /// What waits in the buckets cannot be looked for.
    #[error("the buckets cannot be read: {0}")]
    Queues(String),
    /// Templates and registry know different functions.
    #[error("{0}")]
    Functions(String),
    /// The database does not start.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// A file or a socket fails.
    #[error("{what} cannot be opened: {error}")]
    File {
        /// What it is for.
        what: &'static str,
        /// What the system says.
        #[source]
        error: io::Error,
    },
    /// A client cannot be made.
    #[error(transparent)]
    Start(#[from] StartError),
    /// A function that must run at the start fails.
    #[error(transparent)]
    Invoke(#[from] InvokeError),
    /// The demo feed was not imported.
    #[error("the demo data: {0}")]
    Import(#[from] ImportError),
    /// The rest of the demo data was not stored.
    #[error("the demo data: {0}")]
    Demo(#[from] DemoError),
}

impl Error {
    /// Says what a file or socket that fails is for.
    pub(crate) fn file(what: &'static str) -> impl Fn(io::Error) -> Self {
        move |error| Self::File { what, error }
    }
}
