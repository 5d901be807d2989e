//! `export-ledger`: the lists of a member account's ledger as files to keep.
//!
//! What an answer can carry is answered at once (`answered`). For what is larger the caller asks (`asked`);
//! `write-export` writes the file, and whoever asked polls until there is a link to it. What one has asked for is a list
//! (`listed`). A link opens what is answered at once, for who cannot send an access token (`linked`).

mod answered;
mod asked;
mod linked;
mod listed;
mod reading;

use futures::future::try_join3;
use portal::domain::ViewRule;
use portal::environment::{Environment, StartError, rng};
use portal::http::{Answer, Call, Problem};
use portal::lambda::HttpFunction;
use portal::security::{FileLinks, Gate, SymmetricKey};
use portal::store::{ExportFormat, ExportedList, Store, Table};

/// The function.
#[derive(Clone)]
pub struct Function {
    store: Store,
    gate: Gate,
    /// The gate of what links open too.
    files: Gate,
    links: FileLinks,
    cursor_key: SymmetricKey,
    rule: ViewRule,
    /// How many rows are read for an answer at most.
    most_rows: usize,
    s3: aws_sdk_s3::Client,
    bucket: String,
}

impl HttpFunction for Function {
    const NAME: &'static str = "export-ledger";

    async fn start(environment: &Environment) -> Result<Self, StartError> {
        let store = Store::connect(environment, &[Table::Identity, Table::Members, Table::Ledger, Table::Evidence])?;
        let most_rows = environment.variable("ANSWERED_ENTRIES")?.parse().map_err(|_| StartError::InvalidVariable {
            name: "ANSWERED_ENTRIES",
            reason: "a number is needed".to_owned(),
        })?;
        let s3 = portal::s3_config!(aws_sdk_s3, environment);
        // Side by side: a cold start waits once.
        let (gate, links, cursor_key) = try_join3(
            Gate::start(environment, &store),
            FileLinks::load(environment),
            SymmetricKey::load(environment, "CURSOR_KEY_SECRET"),
        )
        .await?;
        Ok(Self {
            files: gate.clone().with_links(links.clone()),
            gate,
            links,
            cursor_key,
            rule: environment.view_rule()?,
            store,
            most_rows,
            s3: aws_sdk_s3::Client::from_conf(s3.build()),
            bucket: environment.variable("EXPORT_BUCKET")?.to_owned(),
        })
    }

    async fn answer(&self, call: &Call) -> Result<Answer, Problem> {
        match call.route.as_str() {
            "POST /api/accounts/{number}/file-links" => self.link(call, &mut rng()).await,
            "POST /api/accounts/{number}/exports" => self.ask(call, &mut rng()).await,
            "GET /api/accounts/{number}/exports" => self.list(call, &mut rng()).await,
            "GET /api/accounts/{number}/exports/{id}" => self.poll(call, &mut rng()).await,
            route => match file_of(route) {
                Some((list, format)) => self.answered(call, list, format, &mut rng()).await,
                None => Err(Problem::NotFound),
            },
        }
    }
}

/// The file that a route such as `GET /api/accounts/{number}/ledger.csv` answers.
fn file_of(route: &str) -> Option<(ExportedList, ExportFormat)> {
    let (list, format) = route.strip_prefix("GET /api/accounts/{number}/")?.split_once('.')?;
    Some((ExportedList::parse(list)?, ExportFormat::parse(format)?))
}
