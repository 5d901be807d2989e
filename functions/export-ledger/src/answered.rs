//! `GET /api/accounts/{number}/ledger.csv`, `/actions.csv`, `/contributions.csv` and `/remittances.csv`, and the same as
//! `.xlsx`.
//!
//! A file has what the list of the same name finds with the same parameters, all pages of it, of one state of the ledger
//! (`reading`).

use futures::future::join;
use jiff::Timestamp;
use ledger_files::{CsvFile, FileError, Row, XlsxFile};
use ledger_lists::{EntryRows, Listing};
use portal::http::{Answer, Call, FileContent, Problem};
use portal::store::{ExportFormat, ExportedList, Misposted};
use rand::CryptoRng;

use crate::Function;
use crate::reading::Begun;

impl Function {
    pub(crate) async fn answered(
        &self,
        call: &Call,
        list: ExportedList,
        format: ExportFormat,
        rng: &mut impl CryptoRng,
    ) -> Result<Answer, Problem> {
        let (visit, mut batch) = self.files.visit(call).await?;
        let mut query = call.query();
        let listing = Listing::read(list, &mut query, call.now);
        let mut listing = match query.finish((listing,)) {
            Ok((listing,)) => listing,
            Err(problem) => return Err(visit.refuse(&self.store, batch, problem, call.now).await),
        };
        let number = &visit.number;
        let mark = batch.want::<Misposted>(Misposted::key_of_any(number));
        let (fetched, begun) = join(self.store.fetch(batch), self.begin(number, &listing)).await;
        let mut fetched = fetched?;
        visit.enter(&self.store, &mut fetched, call, rng).await?.activated()?;
        let mut begun = begun?;
        if let Begun::Facets(facets) = &begun {
            listing = listing.of_meant_view(facets, self.rule, call.now);
            begun = self.begin(number, &listing).await?;
        }
        let content = match &listing {
            Listing::Actions(filter) => {
                let rows = self.rows(number, filter, begun.actions(), call.now).await?;
                written(rows, format, call.now).await?
            }
            Listing::Remittances(filter) => {
                let rows = self.rows(number, filter, begun.remittances(), call.now).await?;
                written(rows, format, call.now).await?
            }
            Listing::Ledger(_) | Listing::Contributions(_) => {
                let rows = EntryRows::of(&listing).ok_or(Problem::NotFound)?;
                let entries = self.entries(number, rows, begun.entries(), call.now).await?;
                let misposted = self.store.misposted_where(number, fetched.take(&mark)?).await?;
                let rows = entries.into_iter().map(|entry| misposted.readable(entry)).collect();
                written(rows, format, call.now).await?
            }
        };
        Answer::file(&listing.file_name(number, format), format.content_type(), content)
    }
}

/// The content of a file. Some thousand rows are compressed for as long as a password is hashed: nobody else has to wait
/// for it.
async fn written<R: Row + Send>(rows: Vec<R>, format: ExportFormat, now: Timestamp) -> Result<FileContent, Problem> {
    let written = tokio::task::spawn_blocking(move || write(&rows, format, now)).await;
    let written = written.map_err(|error| Problem::internal("a file was not written to its end", &error))?;
    written.map_err(|error| Problem::internal("a file was not written", &error))
}

fn write<R: Row>(rows: &[R], format: ExportFormat, now: Timestamp) -> Result<FileContent, FileError> {
    match format {
        ExportFormat::Csv => {
            let mut file = CsvFile::start()?;
            for row in rows {
                file.add(row)?;
            }
            Ok(FileContent::Text(String::from_utf8_lossy(&file.take()).into_owned()))
        }
        ExportFormat::Xlsx => {
            let mut file = XlsxFile::start(now)?;
            for row in rows {
                file.add(row)?;
            }
            let mut bytes = Vec::new();
            file.finish(&mut bytes)?;
            Ok(FileContent::Bytes(bytes))
        }
    }
}
