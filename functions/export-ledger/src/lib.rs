//! `export-ledger`: a member account's ledger as a file to keep.
//!
//! What an answer can carry is answered at once (`answered`). For what is larger the caller asks (`asked`);
//! `write-export` writes the file, and whoever asked polls until there is a link to it.

mod answered;
mod asked;

use portal::environment::{Environment, StartError, rng};
use portal::http::{Answer, Call, Problem};
use portal::lambda::HttpFunction;
use portal::security::Gate;
use portal::store::{ExportFormat, Store, Table};

/// The function.
#[derive(Clone)]
pub struct Function {
    store: Store,
    gate: Gate,
    /// How many entries are read for an answer at most.
    most_entries: usize,
    s3: aws_sdk_s3::Client,
    bucket: String,
}

impl HttpFunction for Function {
    const NAME: &'static str = "export-ledger";

    async fn start(environment: &Environment) -> Result<Self, StartError> {
        let store = Store::connect(environment, &[Table::Identity, Table::Members, Table::Ledger, Table::Evidence])?;
        let most_entries = environment.variable("ANSWERED_ENTRIES")?.parse().map_err(|_| {
            StartError::InvalidVariable { name: "ANSWERED_ENTRIES", reason: "a number is needed".to_owned() }
        })?;
        let s3 = portal::s3_config!(aws_sdk_s3, environment);
        Ok(Self {
            gate: Gate::start(environment, &store).await?,
            store,
            most_entries,
            s3: aws_sdk_s3::Client::from_conf(s3.build()),
            bucket: environment.variable("EXPORT_BUCKET")?.to_owned(),
        })
    }

    async fn answer(&self, call: &Call) -> Result<Answer, Problem> {
        match call.route.as_str() {
            "GET /api/accounts/{number}/ledger.csv" => self.answered(call, ExportFormat::Csv, &mut rng()).await,
            "GET /api/accounts/{number}/ledger.xlsx" => self.answered(call, ExportFormat::Xlsx, &mut rng()).await,
            "POST /api/accounts/{number}/exports" => self.ask(call, &mut rng()).await,
            "GET /api/accounts/{number}/exports/{id}" => self.poll(call, &mut rng()).await,
            _ => Err(Problem::NotFound),
        }
    }
}
