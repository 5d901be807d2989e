//! `export-ledger`: a member account's ledger as a file to keep.
//!
//! The entries are those of the ledger, one a row, in order of their effective date. Who is calling, whether
//! they may, and the first page of entries are fetched beside each other; a ledger of more than a megabyte
//! takes further pages, one after the other, once it is known that the caller may have them.

mod columns;
mod csv_file;
#[cfg(test)]
mod tests;
mod xlsx_file;

use futures::future::join;
use portal::domain::{MemberNumber, View};
use portal::environment::{Environment, StartError, rng};
use portal::http::{Answer, Call, FileContent, Form, Problem};
use portal::lambda::HttpFunction;
use portal::security::Gate;
use portal::store::{Entry, Page, Query, Store, Table};
use rand::CryptoRng;

/// The function.
#[derive(Clone)]
pub struct Function {
    store: Store,
    gate: Gate,
    /// How many entries are read for a file at most.
    most_entries: usize,
}

/// What a ledger is written as.
#[derive(Debug, Clone, Copy)]
enum Format {
    Csv,
    Xlsx,
}

impl HttpFunction for Function {
    const NAME: &'static str = "export-ledger";

    async fn start(environment: &Environment) -> Result<Self, StartError> {
        let store = Store::connect(environment, &[Table::Identity, Table::Members, Table::Ledger, Table::Evidence])?;
        let most_entries = environment.variable("ANSWERED_ENTRIES")?.parse().map_err(|_| {
            StartError::InvalidVariable { name: "ANSWERED_ENTRIES", reason: "a number is needed".to_owned() }
        })?;
        Ok(Self { gate: Gate::start(environment, &store).await?, store, most_entries })
    }

    async fn answer(&self, call: &Call) -> Result<Answer, Problem> {
        match call.route.as_str() {
            "GET /api/accounts/{number}/ledger.csv" => self.export(call, Format::Csv, &mut rng()).await,
            "GET /api/accounts/{number}/ledger.xlsx" => self.export(call, Format::Xlsx, &mut rng()).await,
            _ => Err(Problem::NotFound),
        }
    }
}

impl Function {
    async fn export(&self, call: &Call, format: Format, rng: &mut impl CryptoRng) -> Result<Answer, Problem> {
        let (visit, batch) = self.gate.visit(call).await?;
        let view = match view(call.query()) {
            Ok(view) => view,
            Err(problem) => {
                visit.admit(&self.store, &mut self.store.fetch(batch).await?, call.now).await?;
                return Err(problem);
            }
        };
        let list = match view {
            Some(view) => Entry::list(&visit.number, view, None, None, None),
            None => Entry::list_from_latest(&visit.number, None),
        };
        let (fetched, first) = join(self.store.fetch(batch), self.store.query(&list)).await;
        visit.enter(&self.store, &mut fetched?, call, rng).await?.activated()?;
        let mut entries = self.all(list, first?).await?;
        entries.sort_by_cached_key(place);
        let (ending, content_type) = match format {
            Format::Csv => ("csv", "text/csv; charset=utf-8; header=present"),
            Format::Xlsx => ("xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
        };
        let now = call.now;
        // Some thousand rows are compressed for as long as a password is hashed: nobody else has to wait for it.
        let written = tokio::task::spawn_blocking(move || match format {
            Format::Csv => csv_file::write(&entries).map(FileContent::Text),
            Format::Xlsx => xlsx_file::write(&entries, now).map(FileContent::Bytes),
        });
        let content =
            written.await.map_err(|error| Problem::internal("a file was not written to its end", &error))??;
        Answer::file(&name(&visit.number, view, ending), content_type, content)
    }

    /// The whole list, of which the first page is here.
    async fn all(&self, list: Query, first: Page<Entry>) -> Result<Vec<Entry>, Problem> {
        let Page { items: mut entries, mut next } = first;
        while entries.len() <= self.most_entries {
            if next.is_none() {
                return Ok(entries);
            }
            let page = self.store.query::<Entry>(&list.clone().after(next)).await?;
            entries.extend(page.items);
            next = page.next;
        }
        Err(Problem::ExportTooLarge)
    }
}

/// The view that a query names; all of them where it names none.
fn view(mut form: Form) -> Result<Option<View>, Problem> {
    let view = form.optional("view", View::read);
    form.finish((view,)).map(|(view,)| view)
}

/// `ledger-012345-2011.csv`; without a view `ledger-012345.csv`.
fn name(number: &MemberNumber, view: Option<View>, ending: &str) -> String {
    match view {
        Some(view) => format!("ledger-{number}-{view}.{ending}"),
        None => format!("ledger-{number}.{ending}"),
    }
}

/// By effective date, whatever the view; then as entries were booked, a reversal behind what it reverses and
/// before what replaces it.
fn place(entry: &Entry) -> impl Ord + use<> {
    (entry.facts.date, entry.booked_at, entry.source_key.clone(), entry.source_version, entry.reverses.is_none())
}
