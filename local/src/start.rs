//! A running portal: how it starts, what one can ask of it, how it stops.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use aws_sdk_s3::error::DisplayErrorContext;
use portal::clock::Clock;
use portal::environment::Environment;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::bus::{Bus, Deliveries};
use crate::data::Place;
use crate::dead_letters::DeadLetters;
use crate::demo;
use crate::deployment::{Deployment, Schedule};
use crate::edge::Edge;
use crate::feed::{Batch, ImportError, Report};
use crate::functions::{Functions, InvokeError};
use crate::gateway::Gateway;
use crate::log::{self, Lines};
use crate::mailbox::Mailbox;
use crate::options::{Error, Options};
use crate::pages::{NotBuilt, Pages};
use crate::position::Position;
use crate::queues::Queues;
use crate::registry::Registry;
use crate::s3::Arrived;
use crate::schedule;
use crate::server::{Stop, Stopper, listen, serve};
use crate::services::{Endpoints, Services};
use crate::streams::{Progress, Reader};

/// Where alerts to the fund's staff go; `.example` is nobody's.
const STAFF_EMAIL: &str = "agents@constructys.example";

/// The sources of the demo and of generated feeds, and of the feed that `docs/feed.md` shows.
const FEED_SOURCES: &str = "demo,erp";

/// A folder locks nothing. What has no schedule can be invoked.
const DIGEST_YEARS: &str = "0";

/// Who the local portal's mails are from.
const MAIL_FROM: &str = "ne-pas-repondre@adherents.example";
/// The first pause after a failed batch of a stream. In memory nobody waits for a service to recover.
const PAUSE_ON_DISK: Duration = Duration::from_millis(200);
const PAUSE_IN_MEMORY: Duration = Duration::from_millis(2);
/// Says that the demo data are in the data folder, all of them.
const DEMO_MARKER: &str = "demo-loaded";

/// A portal. Dropping it ends it at once; [`Portal::stop`] lets it finish what it does.
pub struct Portal {
    pub(crate) origin: String,
    pub(crate) deployment: Deployment,
    pages: Pages,
    edge: Edge,
    /// What the functions get, by their names.
    pub(crate) environments: BTreeMap<String, Environment>,
    /// The portal's own: past every hook.
    pub(crate) environment: Environment,
    pub(crate) functions: Functions,
    pub(crate) mailbox: Mailbox,
    pub(crate) lines: Lines,
    pub(crate) dead_letters: Arc<DeadLetters>,
    pub(crate) progress: Vec<Progress>,
    pub(crate) queues: Queues,
    pub(crate) bus: Bus,
    pub(crate) clock: Clock,
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
        let (listener, address) = listen(options.port).map_err(port)?;
        // By name: browsers take an IP address for no site of its own, and give it no passkeys.
        let origin = format!("http://localhost:{}", address.port());
        let place = Place::open(&options.data)?;
        let mut parameters = options.parameters;
        for (name, value) in [
            ("PortalOrigin", origin.as_str()),
            ("MailFrom", MAIL_FROM),
            ("StaffEmail", STAFF_EMAIL),
            ("FeedSources", FEED_SOURCES),
            ("DigestYears", DIGEST_YEARS),
        ] {
            parameters.entry(name.to_owned()).or_insert_with(|| value.to_owned());
        }
        let deployment = Deployment::read(parameters)?;
        let edge = Edge::of_project()?;
        let pages = options.pages.map_or_else(Pages::default, Pages::of);
        let (log, lines) = log::open(&options.log, options.on_line).map_err(Error::file("the log"))?;
        let clock = options.clock;

        let (back, back_stop) = Stop::new();
        let queues = Queues::new(&deployment, clock.clone());
        let fed = queues.clone();
        let arrived: Arrived = Arc::new(move |bucket, key| fed.object_arrived(bucket, key));
        let (bus, deliveries) = Bus::new();
        let services = Services::start(&place, &deployment, &clock, arrived, bus.clone(), &back_stop)?;
        let make = |variables: &BTreeMap<String, String>, endpoints: &Endpoints| {
            let mut variables = variables.clone();
            variables.extend(endpoints.variables());
            Environment::new(variables, clock.clone(), log.clone(), services.http.clone())
        };
        let hook = options.endpoints.as_ref();
        let named = deployment.functions.iter();
        let environments: BTreeMap<_, _> =
            named.map(|(name, given)| (name.clone(), make(given, &services.endpoints.hooked(name, hook)))).collect();
        // Every variable of every function: it serves the portal itself and its tests.
        let all = deployment.functions.values().flatten().map(|(name, value)| (name.clone(), value.clone())).collect();
        let environment = make(&all, &services.endpoints);
        let registry = options.registry.unwrap_or_else(Registry::portal);
        let functions =
            Functions::new(&registry, environments.clone(), &deployment.timeouts).map_err(Error::Functions)?;

        let dead_letters = DeadLetters::new(place.file("dead-letters.ndjson"), clock.clone(), log);
        let mut portal = Self {
            origin,
            deployment,
            pages,
            edge,
            environments,
            environment,
            functions,
            mailbox: services.mailbox,
            lines,
            dead_letters: Arc::new(dead_letters),
            progress: Vec::new(),
            queues,
            bus,
            clock,
            listener: Some(listener),
            front: Some(Stop::new()),
            front_tasks: Vec::new(),
            back: Some(back),
            back_tasks: services.tasks,
            engine: Some(services.engine.thread),
            place,
        };
        portal.read_streams(&services.engine.database)?;
        portal.read_queues().await?;
        portal.hand_over_events(deliveries);
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
                Position::open(file).map_err(Error::file("a stream's position"))?,
                pause,
            );
            self.progress.push(progress);
            if let Some((_, stop)) = &self.front {
                self.front_tasks.push(tokio::spawn(reader.run(stop.clone())));
            }
        }
        Ok(())
    }

    fn hand_over_events(&mut self, deliveries: Deliveries) {
        let Some((_, stop)) = &self.front else { return };
        let pause = if self.place.file("s3").is_some() { PAUSE_ON_DISK } else { PAUSE_IN_MEMORY };
        let (rules, functions) = (self.deployment.rules.clone(), self.functions.clone());
        let run = deliveries.run(rules, functions, Arc::clone(&self.dead_letters), pause, stop.clone());
        self.front_tasks.push(tokio::spawn(run));
    }

    /// Objects that were there before are told again: a kill may have lost their messages.
    async fn read_queues(&mut self) -> Result<(), Error> {
        let on_disk = self.place.file("s3").is_some();
        if on_disk && self.queues.are_fed() {
            let s3 = self.s3().map_err(|error| Error::Queues(error.to_string()))?;
            for bucket in &self.deployment.buckets {
                let mut keys = s3.list_objects_v2().bucket(bucket).into_paginator().send();
                while let Some(page) = keys.next().await {
                    let page = page.map_err(|error| Error::Queues(DisplayErrorContext(error).to_string()))?;
                    for key in page.contents().iter().filter_map(|object| object.key()) {
                        self.queues.object_arrived(bucket, key);
                    }
                }
            }
        }
        let pause = if on_disk { PAUSE_ON_DISK } else { PAUSE_IN_MEMORY };
        for mapping in self.deployment.queue_readers.clone() {
            for _ in 0..mapping.at_once {
                let Some((_, stop)) = &self.front else { continue };
                let (functions, letters) = (self.functions.clone(), Arc::clone(&self.dead_letters));
                let read = self.queues.clone().read(mapping.clone(), functions, letters, pause, stop.clone());
                self.front_tasks.push(tokio::spawn(read));
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

    /// Looks for the pages that it serves.
    ///
    /// # Errors
    /// Where they are not built; the API answers all the same.
    pub fn look_for_pages(&self) -> Result<(), NotBuilt> {
        self.pages.list().map(drop)
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
            crate::data::write_whole(&marker, b"").map_err(Error::file("the demo's marker"))?;
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
        batch.import(&self.deployment, &self.functions, &self.queues, &s3, self.clock.now()).await
    }

    /// Begins to answer.
    pub fn serve(&mut self) {
        if let (Some(listener), Some((_, stop))) = (self.listener.take(), &self.front) {
            let gateway = Gateway {
                routes: self.deployment.routes.clone(),
                timeouts: self.deployment.timeouts.clone(),
                functions: self.functions.clone(),
                clock: self.clock.clone(),
                pages: self.pages.clone(),
                edge: self.edge.clone(),
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
        self.functions.idle().await;
        self.back = None;
        futures::future::join_all(self.back_tasks.drain(..)).await;
        if let Some(engine) = self.engine.take() {
            // It ends by the signal; only a panic in it could be heard here, and there is nothing to do then.
            let _ = tokio::task::spawn_blocking(move || engine.join()).await;
        }
    }
}
