//! What a function is started with: variables, clock, log, randomness, HTTP connector.
//!
//! In Lambda it comes from the process; the local portal and the tests make one for each function out
//! of the `Environment` that `template.yaml` gives it, so a variable that the template forgets is
//! missing here too.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use aws_credential_types::Credentials;
use aws_smithy_http_client::{Builder, tls};
use aws_smithy_runtime_api::client::http::{HttpClient as _, SharedHttpClient, http_client_fn};
use rand::SeedableRng;
use rand::rngs::{StdRng, SysRng};

use crate::clock::Clock;
use crate::domain::{View, ViewRule};
use crate::log::{Log, Publication};

/// Why a function cannot start. Shown to operators, never to clients.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A variable that the template must give is not there.
    #[error("environment variable {0} is not set: give it in template.yaml")]
    MissingVariable(&'static str),
    /// A variable is there but makes no sense.
    #[error("environment variable {name} is not valid: {reason}")]
    InvalidVariable {
        /// The variable's name.
        name: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// A secret cannot be read or makes no sense.
    #[error("secret {name} cannot be used: {reason}")]
    Secret {
        /// The variable that names the secret.
        name: &'static str,
        /// What is wrong; never the secret itself.
        reason: String,
    },
    /// The store did not answer while the function started.
    #[error("the store cannot be read at start")]
    Store(#[from] crate::store::StoreError),
}

/// What a function is started with. It has no `Debug`: credentials of AWS are among its variables.
#[derive(Clone)]
pub struct Environment {
    variables: BTreeMap<String, String>,
    /// The clock that every expiry is compared with.
    pub clock: Clock,
    /// The log.
    pub log: Log,
    /// The connector, made when the first client asks for it: a function without clients carries none.
    http: Arc<OnceLock<SharedHttpClient>>,
    /// The client that `aws::dynamodb` made.
    pub(crate) dynamodb: Arc<OnceLock<aws_sdk_dynamodb::Client>>,
}

impl Environment {
    /// The environment of a Lambda process.
    #[must_use]
    pub fn of_process() -> Self {
        Self {
            variables: std::env::vars().collect(),
            clock: Clock::system(),
            log: Log::stdout(),
            http: Arc::default(),
            dynamodb: Arc::default(),
        }
    }

    /// An environment made of parts.
    ///
    /// `http` is given, not made, because the many functions of the local portal share one.
    #[must_use]
    pub fn new(variables: BTreeMap<String, String>, clock: Clock, log: Log, http: SharedHttpClient) -> Self {
        Self { variables, clock, log, http: Arc::new(OnceLock::from(http)), dynamodb: Arc::default() }
    }

    /// All variables, for a process or a way to the services of its own. Credentials are among them.
    #[must_use]
    pub fn variables(&self) -> &BTreeMap<String, String> {
        &self.variables
    }

    /// The value of a variable.
    ///
    /// # Errors
    /// Where it is missing or empty.
    pub fn variable(&self, name: &'static str) -> Result<&str, StartError> {
        self.optional(name).ok_or(StartError::MissingVariable(name))
    }

    /// The value of a variable that may be missing; an empty one counts as missing.
    #[must_use]
    pub fn optional(&self, name: &str) -> Option<&str> {
        self.variables.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// Which view an action or a contribution belongs to, by the variable `FIRST_VIEW`.
    ///
    /// # Errors
    /// Where it is missing or no year of four digits.
    pub fn view_rule(&self) -> Result<ViewRule, StartError> {
        let first = View::parse(self.variable("FIRST_VIEW")?).ok_or_else(|| StartError::InvalidVariable {
            name: "FIRST_VIEW",
            reason: "a year of four digits is needed".to_owned(),
        })?;
        Ok(ViewRule::starting(first))
    }

    /// What the metrics of a line are published under: the namespace of the variable `METRICS_NAMESPACE`, where the
    /// function has one, with a dimension.
    #[must_use]
    pub fn publication(&self, dimension: &'static str) -> Option<Publication<'_>> {
        let namespace = self.optional("METRICS_NAMESPACE")?;
        Some(Publication { namespace, dimension, at: self.clock.now() })
    }

    /// The connector that every SDK client shares.
    #[must_use]
    pub fn http(&self) -> SharedHttpClient {
        self.http.get_or_init(http_client).clone()
    }

    /// The AWS region.
    ///
    /// # Errors
    /// Where `AWS_REGION` is missing.
    pub fn region(&self) -> Result<String, StartError> {
        self.variable("AWS_REGION").map(str::to_owned)
    }

    /// The role's credentials, which Lambda puts into the environment.
    ///
    /// # Errors
    /// Where one of them is missing.
    pub fn credentials(&self) -> Result<Credentials, StartError> {
        Ok(Credentials::new(
            self.variable("AWS_ACCESS_KEY_ID")?,
            self.variable("AWS_SECRET_ACCESS_KEY")?,
            self.optional("AWS_SESSION_TOKEN").map(str::to_owned),
            None,
            "environment",
        ))
    }

    /// The endpoint of a service where it is not AWS's own (`AWS_ENDPOINT_URL_<SERVICE>`, else
    /// `AWS_ENDPOINT_URL`: the SDKs' standard variables).
    #[must_use]
    pub fn endpoint(&self, service: &str) -> Option<String> {
        self.optional(&format!("AWS_ENDPOINT_URL_{service}"))
            .or_else(|| self.optional("AWS_ENDPOINT_URL"))
            .map(str::to_owned)
    }
}

/// The roots of Amazon Trust Services, one of which every certificate of an AWS service hangs from.
const AMAZON_ROOTS: &[u8] = include_bytes!("amazon_roots.pem");

/// An HTTPS connector with one TLS stack (rustls on aws-lc) that trusts Amazon's own roots alone: reading and parsing
/// the platform's hundred and more is most of a start, and none of the others vouches for what a function talks to
/// (`docs/decisions/0087-amazons-roots-alone.md`).
///
/// By itself it would also read them for each SDK client that is made, to have them read before the first request, and
/// throw them away. Here they are read once, by the first request.
///
/// # Panics
/// Never: a context of nothing but a trust store is refused by nobody, and the certificates are the same each time.
#[must_use]
pub fn http_client() -> SharedHttpClient {
    let amazon = tls::TrustStore::empty().with_pem_certificate(AMAZON_ROOTS);
    let context = tls::TlsContext::builder().with_trust_store(amazon).build();
    let context = context.unwrap_or_else(|error| panic!("no TLS: {error}"));
    let client = Builder::new()
        .tls_provider(tls::Provider::Rustls(tls::rustls_provider::CryptoMode::AwsLc))
        .tls_context(context)
        .build_https();
    http_client_fn(move |settings, components| client.http_connector(settings, components))
}

/// A fresh random generator, seeded by the operating system.
///
/// # Panics
/// Where the operating system has no randomness to give: nothing here is safe without.
#[must_use]
pub fn rng() -> StdRng {
    StdRng::try_from_rng(&mut SysRng).unwrap_or_else(|error| panic!("no randomness from the system: {error}"))
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::digest::{SHA256, digest};
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;

    use super::*;

    /// The five that Amazon Trust Services publishes, by the SHA-256 of each certificate.
    #[test]
    fn the_roots_that_are_trusted_are_amazons() {
        let text = std::str::from_utf8(AMAZON_ROOTS).unwrap();
        let certificates = text.split("-----BEGIN CERTIFICATE-----").skip(1).map(|rest| {
            let (base64, _) = rest.split_once("-----END CERTIFICATE-----").unwrap();
            let der = STANDARD.decode(base64.replace('\n', "")).unwrap();
            digest(&SHA256, &der).as_ref().iter().map(|byte| format!("{byte:02x}")).collect::<String>()
        });
        assert_eq!(
            certificates.collect::<Vec<_>>(),
            [
                "8ecde6884f3d87b1125ba31ac3fcb13d7016de7f57cc904fe1cb97c6ae98196e",
                "1ba5b2aa8c65401a82960118f80bec4f62304d83cec4713a19c39c011ea46db4",
                "18ce6cfe7bf14e60b2e347b8dfe868cb31d02ebb3ada271569f50343b46db3a4",
                "e35d28419ed02025cfa69038cd623962458da5c695fbdea3c22b0bfb25897092",
                "568d6905a2c88708a4b3025190edcfedb1974a606a13c6e5290fcb2ae63edab5",
            ]
        );
    }
}
