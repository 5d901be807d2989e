//! A running portal: how it starts, what one can ask of it, how it stops.

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use portal::clock::Clock;
use portal::environment::{Environment, StartError};
use portal::store::{Store, StoreError, Table};
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::data::{Data, DataError, Place};
use crate::dead_letters::DeadLetters;
use crate::demo::{self, DemoError, Unclaimed};
use crate::deployment::{Deployment, Schedule};
use crate::engine::{Engine, EngineError};
use crate::feed::{Batch, ImportError, Report};
use crate::functions::{Functions, InvokeError};
use crate::gateway::Gateway;
use crate::log::{self, LineHook, Lines, LogTo};
use crate::mailbox::{Mail, Mailbox};
use crate::position::Position;
use crate::registry::Registry;
use crate::routes::Route;
use crate::schedule;
use crate::secrets::Secrets;
use crate::server::{Stop, Stopper, listen, serve};
use crate::streams::{Progress, Reader};
use crate::template::TemplateError;
use crate::{s3, ses};

/// Credentials that only the endpoints of this process take.
const ACCESS_KEY: &str = "local";
const SECRET_KEY: &str = "local-secret";
/// Who the local portal's mails are from; `.example` is nobody's.
const MAIL_FROM: &str = "ne-pas-repondre@adherents.example";
/// The first pause after a failed batch of a stream. In memory nobody waits for a service to recover.
const PAUSE_ON_DISK: Duration = Duration::from_millis(200);
const PAUSE_IN_MEMORY: Duration = Duration::from_millis(2);
/// Says that the demo data are in the data folder, all of them.
const DEMO_MARKER: &str = "demo-loaded";

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

/// Given a service and its endpoint, says which endpoint the functions use instead: how a test puts
/// something in between.
pub type EndpointHook = Arc<dyn Fn(Service, &str) -> String + Send + Sync>;

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
    /// Templates and registry know different functions.
    #[error("{0}")]
    Functions(String),
    /// The database does not start.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// A file or a socket fails.
    #[error("{0}")]
    Io(#[from] io::Error),
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

/// A portal. Dropping it ends it at once; [`Portal::stop`] lets it finish what it does.
#[derive(Debug)]
pub struct Portal {
    origin: String,
    deployment: Deployment,
    /// What the functions get, by their names.
    environments: BTreeMap<String, Environment>,
    /// The portal's own: past every hook.
    environment: Environment,
    functions: Functions,
    mailbox: Mailbox,
    lines: Lines,
    dead_letters: Arc<DeadLetters>,
    progress: Vec<Progress>,
    clock: Clock,
    /// Bound at the start, so that a busy port is told first; accepted from when all is ready.
    listener: Option<TcpListener>,
    /// What takes work: the gateway, schedules, readers of streams.
    front: Option<(Stopper, Stop)>,
    front_tasks: Vec<JoinHandle<()>>,
    /// What that work stands on: the services.
    back: Option<Stopper>,
    back_tasks: Vec<JoinHandle<()>>,
    engine: Option<std::thread::JoinHandle<()>>,
    /// Last, so that the folder stays locked until nothing writes to it any more.
    place: Place,
}

impl Portal {
    /// Starts a portal that answers when this returns.
    ///
    /// # Errors
    /// Where it cannot; what was started is ended.
    pub async fn start(options: Options) -> Result<Self, Error> {
        let demo = options.demo;
        let mut portal = Self::prepare(options).await?;
        if demo {
            portal.load_demo().await?;
        }
        portal.serve();
        Ok(portal)
    }

    /// Starts everything but the answering: the port is taken, and requests wait until [`Portal::serve`].
    ///
    /// # Errors
    /// Where it cannot; what was started is ended.
    pub async fn prepare(options: Options) -> Result<Self, Error> {
        let port = |error| Error::Port { port: options.port, error };
        let (listener, address) = listen(options.port).await.map_err(port)?;
        let origin = format!("http://{address}");
        let place = Place::open(&options.data)?;
        let mut parameters = options.parameters;
        for (name, value) in [("PortalOrigin", origin.as_str()), ("MailFrom", MAIL_FROM)] {
            parameters.entry(name.to_owned()).or_insert_with(|| value.to_owned());
        }
        let deployment = Deployment::read(parameters)?;
        let (log, lines) = log::open(&options.log, options.on_line)?;
        let clock = options.clock;

        let (back, back_stop) = Stop::new();
        let engine = Engine::start(place.file("dynamodb.sqlite").as_deref(), &deployment.tables, back_stop.clone())?;
        let mailbox = Mailbox::open(place.folder("mails")?)?;
        let secrets = Secrets::open(place.folder("secrets")?, &deployment.secrets)?;
        let bucket_root = place.disk_folder("s3")?;
        // One listener for both: their paths differ.
        let (services, services_address) = listen(0).await?;
        let (buckets, buckets_address) = listen(0).await?;
        let services_app = ses::router(mailbox.clone(), clock.clone()).merge(secrets.router());
        let buckets_app = s3::router(&bucket_root, &deployment.buckets, ACCESS_KEY, SECRET_KEY)?;
        let back_tasks = vec![
            serve(services, services_app, back_stop.clone()),
            serve(buckets, buckets_app, back_stop),
        ];

        let services_endpoint = format!("http://{services_address}");
        let endpoints = [
            (Service::DynamoDb, "DYNAMODB", engine.endpoint.clone()),
            (Service::Ses, "SESV2", services_endpoint.clone()),
            (Service::SecretsManager, "SECRETS_MANAGER", services_endpoint),
            (Service::S3, "S3", format!("http://{buckets_address}")),
        ];
        // One connector, without TLS: no endpoint is beyond loopback.
        let http = aws_smithy_http_client::Builder::new().build_http();
        let make = |variables: &BTreeMap<String, String>, hook: Option<&EndpointHook>| {
            let mut variables = variables.clone();
            for (service, name, endpoint) in &endpoints {
                let endpoint = hook.map_or_else(|| endpoint.clone(), |hook| hook(*service, endpoint));
                variables.insert(format!("AWS_ENDPOINT_URL_{name}"), endpoint);
            }
            for (name, value) in [
                ("AWS_REGION", crate::resolve::REGION),
                ("AWS_ACCESS_KEY_ID", ACCESS_KEY),
                ("AWS_SECRET_ACCESS_KEY", SECRET_KEY),
            ] {
                variables.insert(name.to_owned(), value.to_owned());
            }
            Environment::new(variables, clock.clone(), log.clone(), http.clone())
        };
        let hook = options.endpoints.as_ref();
        let named = deployment.functions.iter();
        let environments: BTreeMap<_, _> = named.map(|(name, given)| (name.clone(), make(given, hook))).collect();
        // Every variable of every function: it serves the portal itself and its tests.
        let all = deployment.functions.values().flatten().map(|(name, value)| (name.clone(), value.clone())).collect();
        let environment = make(&all, None);
        let registry = options.registry.unwrap_or_else(Registry::portal);
        let functions = Functions::new(&registry, environments.clone()).map_err(Error::Functions)?;

        let dead_letters = DeadLetters::new(place.file("dead-letters.ndjson"), clock.clone(), log);
        let mut portal = Self {
            origin,
            deployment,
            environments,
            environment,
            functions,
            mailbox,
            lines,
            dead_letters: Arc::new(dead_letters),
            progress: Vec::new(),
            clock,
            listener: Some(listener),
            front: Some(Stop::new()),
            front_tasks: Vec::new(),
            back: Some(back),
            back_tasks,
            engine: Some(engine.thread),
            place,
        };
        portal.read_streams(&engine.database)?;
        portal.run_schedules().await?;
        Ok(portal)
    }

    fn read_streams(&mut self, database: &crate::engine::Handle) -> Result<(), Error> {
        let folder = self.place.folder("streams")?;
        let pause = if folder.is_some() { PAUSE_ON_DISK } else { PAUSE_IN_MEMORY };
        for mapping in self.deployment.streams.clone() {
            let file = folder.as_ref().map(|folder| folder.join(format!("{}-{}", mapping.function, mapping.table)));
            let (reader, progress) = Reader::new(
                mapping,
                database.clone(),
                self.functions.clone(),
                Arc::clone(&self.dead_letters),
                Position::open(file)?,
                pause,
            );
            self.progress.push(progress);
            if let Some((_, stop)) = &self.front {
                self.front_tasks.push(tokio::spawn(reader.run(stop.clone())));
            }
        }
        Ok(())
    }

    /// Whatever came due while the portal was not running runs now, before anything is answered: it
    /// makes the first signing keys, and wakes mails that a kill left unsent.
    async fn run_schedules(&mut self) -> Result<(), Error> {
        let runs = self.deployment.schedules.iter().map(|due| schedule::run(due, &self.functions, &self.clock));
        futures::future::try_join_all(runs).await?;
        let schedules: Vec<Schedule> = self.deployment.schedules.clone();
        for due in schedules {
            if let Some((_, stop)) = &self.front {
                let keep = schedule::keep_running(due, self.functions.clone(), self.clock.clone(), stop.clone());
                self.front_tasks.push(tokio::spawn(keep));
            }
        }
        Ok(())
    }

    /// Loads the demo data unless all of them are there; an interrupted load goes on where it stopped.
    ///
    /// # Errors
    /// Where they cannot be loaded.
    pub async fn load_demo(&self) -> Result<Option<Report>, Error> {
        let marker = self.place.file(DEMO_MARKER);
        if marker.as_deref().is_some_and(Path::exists) {
            return Ok(None);
        }
        let Some(batch) = Batch::demo() else { return Ok(None) };
        let report = self.import_batch(&batch).await?;
        demo::store_news(&self.store()?).await?;
        if let Some(marker) = marker {
            crate::data::write_whole(&marker, b"")?;
        }
        Ok(Some(report))
    }

    /// Imports the batch in a folder, as if its files had arrived in the feed bucket.
    ///
    /// # Errors
    /// Where the folder is no batch or the batch is refused.
    pub async fn import(&self, folder: &Path) -> Result<Report, ImportError> {
        self.import_batch(&Batch::of_folder(folder)?).await
    }

    async fn import_batch(&self, batch: &Batch) -> Result<Report, ImportError> {
        let s3 = self.s3().map_err(|error| ImportError::Upload(error.to_string()))?;
        batch.import(&self.deployment, &self.functions, &s3, self.clock.now()).await
    }

    /// Begins to answer.
    pub fn serve(&mut self) {
        if let (Some(listener), Some((_, stop))) = (self.listener.take(), &self.front) {
            let gateway = Gateway {
                routes: self.deployment.routes.clone(),
                functions: self.functions.clone(),
                clock: self.clock.clone(),
            };
            self.front_tasks.push(serve(listener, gateway.router(self.mailbox.clone()), stop.clone()));
        }
    }

    /// Starts every function now instead of at its first call.
    ///
    /// # Errors
    /// Where one of them cannot start.
    pub async fn start_functions(&self) -> Result<(), InvokeError> {
        self.functions.start_all().await
    }

    /// Finishes what is running and ends; what then is in the data folder is what the next start finds.
    pub async fn stop(mut self) {
        self.front = None;
        futures::future::join_all(self.front_tasks.drain(..)).await;
        self.back = None;
        futures::future::join_all(self.back_tasks.drain(..)).await;
        if let Some(engine) = self.engine.take() {
            // It ends by the signal; only a panic in it could be heard here, and there is nothing to do then.
            let _ = tokio::task::spawn_blocking(move || engine.join()).await;
        }
    }
}

impl Portal {
    /// Where it is: `http://127.0.0.1:8080`, without a slash at its end.
    #[must_use]
    pub fn address(&self) -> &str {
        &self.origin
    }

    /// Its clock; moving it moves the portal's.
    #[must_use]
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// The mails sent so far, oldest first.
    #[must_use]
    pub fn mails(&self) -> Vec<Mail> {
        self.mailbox.all()
    }

    /// The log lines so far, where they are kept in memory.
    #[must_use]
    pub fn log_lines(&self) -> Vec<Value> {
        self.lines.all()
    }

    /// What readers of streams gave up on in this run.
    #[must_use]
    pub fn dead_letters(&self) -> Vec<Value> {
        self.dead_letters.all()
    }

    /// The routes of the HTTP API.
    #[must_use]
    pub fn routes(&self) -> &[Route] {
        &self.deployment.routes
    }

    /// What the templates describe.
    #[must_use]
    pub fn deployment(&self) -> &Deployment {
        &self.deployment
    }

    /// What a function was given, by its name.
    #[must_use]
    pub fn environment_of(&self, function: &str) -> Option<&Environment> {
        self.environments.get(function)
    }

    /// Waits until everything written so far, and everything that its handling wrote, was handed to the
    /// functions that read streams.
    ///
    /// # Errors
    /// Where the engine fails or the portal is stopping.
    pub async fn drain(&self) -> io::Result<()> {
        let mut progress = self.progress.clone();
        loop {
            let mut moved = false;
            for reader in &mut progress {
                moved |= reader.catch_up(&self.functions).await?;
            }
            if !moved {
                return Ok(());
            }
        }
    }

    /// Hands one event to a function, as its source would.
    ///
    /// # Errors
    /// Where there is no such function or it fails.
    pub async fn invoke(&self, function: &str, event: Value) -> Result<Value, InvokeError> {
        self.functions.invoke(function, event).await
    }

    /// An environment with the variables of all functions, past every hook.
    #[must_use]
    pub fn environment(&self) -> &Environment {
        &self.environment
    }

    /// A DynamoDB client at the engine, past every hook.
    ///
    /// # Errors
    /// None as long as the portal gives itself region and credentials.
    pub fn dynamodb(&self) -> Result<aws_sdk_dynamodb::Client, StartError> {
        portal::aws::dynamodb(&self.environment)
    }

    /// An S3 client at the feed bucket's endpoint, past every hook.
    ///
    /// # Errors
    /// None as long as the portal gives itself region and credentials.
    pub fn s3(&self) -> Result<aws_sdk_s3::Client, StartError> {
        let config = portal::aws_config!(aws_sdk_s3, &self.environment, "S3");
        Ok(aws_sdk_s3::Client::from_conf(config.build()))
    }

    /// A store of all tables, past every hook.
    ///
    /// # Errors
    /// Where no function has the variable that names a table.
    pub fn store(&self) -> Result<Store, StartError> {
        Store::connect(&self.environment, &[Table::Identity, Table::Members, Table::Ledger, Table::Evidence])
    }

    /// The name of a table.
    ///
    /// # Errors
    /// Where no function has the variable that names it.
    pub fn table(&self, table: Table) -> Result<&str, StartError> {
        self.environment.variable(table.variable())
    }

    /// An establishment of the demo feed that nobody claimed yet.
    ///
    /// # Errors
    /// Where the store fails.
    pub async fn unclaimed_demo_establishment(&self) -> Result<Option<Unclaimed>, StoreError> {
        match self.store() {
            Ok(store) => demo::unclaimed(&store).await,
            Err(_) => Ok(None),
        }
    }
}
