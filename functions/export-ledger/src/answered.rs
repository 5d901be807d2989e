//! `GET /api/accounts/{number}/ledger.csv` and `/ledger.xlsx`.
//!
//! Who is calling, whether they may, and the first page of entries are fetched beside each other; a ledger of
//! more than a megabyte takes further pages, one after the other, once it is known that the caller may have them.

use futures::future::join;
use jiff::Timestamp;
use ledger_files::{CsvFile, Days, FileError, XlsxFile};
use portal::http::{Answer, Call, FileContent, Problem};
use portal::store::{Entry, ExportFormat};
use rand::CryptoRng;

use crate::Function;

impl Function {
    pub(crate) async fn answered(
        &self,
        call: &Call,
        format: ExportFormat,
        rng: &mut impl CryptoRng,
    ) -> Result<Answer, Problem> {
        let (visit, batch) = self.gate.visit(call).await?;
        let mut query = call.query();
        let view = query.view("view");
        let view = match query.finish((view,)) {
            Ok((view,)) => view,
            Err(problem) => return Err(visit.refuse(&self.store, batch, problem, call.now).await),
        };
        let list = Entry::in_order(&visit.number, view);
        let (fetched, first) = join(self.store.fetch(batch), self.store.query(&list)).await;
        visit.enter(&self.store, &mut fetched?, call, rng).await?.activated()?;
        let entries = self.store.query_rest(list, first?, self.most_entries).await?.ok_or(Problem::ExportTooLarge)?;
        let now = call.now;
        // Some thousand rows are compressed for as long as a password is hashed: nobody else has to wait for it.
        let written = tokio::task::spawn_blocking(move || write(entries, format, now));
        let written = written.await.map_err(|error| Problem::internal("a file was not written to its end", &error))?;
        let content = written.map_err(|error| Problem::internal("a file was not written", &error))?;
        Answer::file(&format.file_name(&visit.number, view), format.content_type(), content)
    }
}

fn write(entries: Vec<Entry>, format: ExportFormat, now: Timestamp) -> Result<FileContent, FileError> {
    let mut days = Days::default();
    let mut rows: Vec<Entry> = Vec::with_capacity(entries.len());
    for entry in entries {
        rows.extend(days.next(entry));
    }
    rows.extend(days.last());
    match format {
        ExportFormat::Csv => {
            let mut file = CsvFile::start()?;
            for entry in &rows {
                file.add(entry)?;
            }
            Ok(FileContent::Text(String::from_utf8_lossy(&file.take()).into_owned()))
        }
        ExportFormat::Xlsx => {
            let mut file = XlsxFile::start(now)?;
            for entry in &rows {
                file.add(entry)?;
            }
            let mut bytes = Vec::new();
            file.finish(&mut bytes)?;
            Ok(FileContent::Bytes(bytes))
        }
    }
}
