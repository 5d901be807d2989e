//! What the functions call: the services that stand in for AWS's, and how the functions find them.

use aws_smithy_runtime_api::client::http::SharedHttpClient;
use portal::clock::Clock;
use tokio::task::JoinHandle;

use crate::bus::Bus;
use crate::data::Place;
use crate::deployment::Deployment;
use crate::engine::Engine;
use crate::mailbox::Mailbox;
use crate::names::REGION;
use crate::options::{EndpointHook, Error, Service};
use crate::s3::Arrived;
use crate::secrets::Secrets;
use crate::server::{Stop, listen, serve};
use crate::{s3, ses};

/// Credentials that only the endpoints of this process take.
const ACCESS_KEY: &str = "local";
const SECRET_KEY: &str = "local-secret";

/// The running services.
pub(crate) struct Services {
    pub(crate) engine: Engine,
    pub(crate) mailbox: Mailbox,
    pub(crate) endpoints: Endpoints,
    /// The one connector of all clients, without TLS: no endpoint is beyond loopback.
    pub(crate) http: SharedHttpClient,
    pub(crate) tasks: Vec<JoinHandle<()>>,
}

/// Where each service is.
#[derive(Debug, Clone)]
pub(crate) struct Endpoints([(Service, String); 4]);

impl Services {
    /// Starts them with what the templates describe.
    pub(crate) fn start(
        place: &Place,
        deployment: &Deployment,
        clock: &Clock,
        arrived: Arrived,
        bus: Bus,
        stop: &Stop,
    ) -> Result<Self, Error> {
        let engine = Engine::start(place.file("dynamodb.sqlite").as_deref(), &deployment.tables, stop.clone())?;
        let mailbox = Mailbox::open(place.folder("mails")?).map_err(Error::file("the mails"))?;
        let secrets =
            Secrets::open(place.folder("secrets")?, &deployment.secrets).map_err(Error::file("the secrets"))?;
        let buckets = s3::router(&place.disk_folder("s3")?, &deployment.buckets, (ACCESS_KEY, SECRET_KEY), arrived)
            .map_err(Error::file("the buckets"))?;
        // One listener for both: their paths differ.
        let others = ses::router(mailbox.clone(), clock.clone(), bus).merge(secrets.router());
        let (others_listener, others_address) = listen(0).map_err(Error::file("a socket"))?;
        let (buckets_listener, buckets_address) = listen(0).map_err(Error::file("a socket"))?;
        let endpoints = Endpoints([
            (Service::DynamoDb, engine.endpoint.clone()),
            (Service::Ses, format!("http://{others_address}")),
            (Service::SecretsManager, format!("http://{others_address}")),
            (Service::S3, format!("http://{buckets_address}")),
        ]);
        let tasks = vec![serve(others_listener, others, stop.clone()), serve(buckets_listener, buckets, stop.clone())];
        let http = aws_smithy_http_client::Builder::new().build_http();
        Ok(Self { engine, mailbox, endpoints, http, tasks })
    }
}

impl Endpoints {
    /// The endpoints that a function uses.
    pub(crate) fn hooked(&self, function: &str, hook: Option<&EndpointHook>) -> Self {
        let Some(hook) = hook else { return self.clone() };
        Self(self.0.clone().map(|(service, real)| (service, hook(function, service, &real))))
    }

    /// What Lambda and the SDKs' standard variables would say.
    pub(crate) fn variables(&self) -> Vec<(String, String)> {
        let role = [("AWS_REGION", REGION), ("AWS_ACCESS_KEY_ID", ACCESS_KEY), ("AWS_SECRET_ACCESS_KEY", SECRET_KEY)];
        let named = self.0.iter().map(|(service, endpoint)| (service.variable(), endpoint.as_str()));
        role.into_iter().chain(named).map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
    }
}

impl Service {
    fn variable(self) -> &'static str {
        match self {
            Self::DynamoDb => "AWS_ENDPOINT_URL_DYNAMODB",
            Self::Ses => "AWS_ENDPOINT_URL_SESV2",
            Self::S3 => "AWS_ENDPOINT_URL_S3",
            Self::SecretsManager => "AWS_ENDPOINT_URL_SECRETS_MANAGER",
        }
    }
}
