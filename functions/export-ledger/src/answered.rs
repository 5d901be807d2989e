//! `GET /api/accounts/{number}/ledger.csv` and `/ledger.xlsx`.
//!
//! Who is calling, whether they may, and the first page of entries are fetched beside each other; a ledger of
//! more than a megabyte takes further pages, one after the other, once it is known that the caller may have them.
//!
//! A correction that is posted between two pages would leave half of itself in the file: so the rows are those that the
//! totals, which are read in the same wait as the first page, have numbered, and have to add up to them, or all is read anew.

use futures::future::{join, try_join};
use jiff::Timestamp;
use ledger_files::{CsvFile, FileError, Sums, XlsxFile};
use portal::domain::{MemberNumber, View};
use portal::http::{Answer, Call, FileContent, Problem};
use portal::store::{Entry, ExportFormat, Misposted, MispostedRecords, Page, StoreError, Totals};
use rand::CryptoRng;

use crate::Function;

impl Function {
    pub(crate) async fn answered(
        &self,
        call: &Call,
        format: ExportFormat,
        rng: &mut impl CryptoRng,
    ) -> Result<Answer, Problem> {
        let (visit, mut batch) = self.gate.visit(call).await?;
        let mut query = call.query();
        let view = query.view("view");
        let view = match query.finish((view,)) {
            Ok((view,)) => view,
            Err(problem) => return Err(visit.refuse(&self.store, batch, problem, call.now).await),
        };
        let mark = batch.want::<Misposted>(Misposted::key_of_any(&visit.number));
        let (fetched, begun) = join(self.store.fetch(batch), self.begin(&visit.number, view)).await;
        let mut fetched = fetched?;
        visit.enter(&self.store, &mut fetched, call, rng).await?.activated()?;
        let entries = self.whole(&visit.number, view, begun?).await?;
        let misposted = self.store.misposted_where(&visit.number, fetched.take(&mark)?).await?;
        let now = call.now;
        // Some thousand rows are compressed for as long as a password is hashed: nobody else has to wait for it.
        let written = tokio::task::spawn_blocking(move || write(entries, &misposted, format, now));
        let written = written.await.map_err(|error| Problem::internal("a file was not written to its end", &error))?;
        let content = written.map_err(|error| Problem::internal("a file was not written", &error))?;
        Answer::file(&format.file_name(&visit.number, view), format.content_type(), content)
    }

    /// The totals, and the first page of entries, side by side.
    async fn begin(&self, number: &MemberNumber, view: Option<View>) -> Result<(Vec<Totals>, Page<Entry>), StoreError> {
        let list = Entry::in_order(number, view);
        try_join(Totals::of(&self.store, number, view), self.store.query(&list)).await
    }

    /// All entries, of one state of the ledger: those that add up to its totals.
    async fn whole(
        &self,
        number: &MemberNumber,
        view: Option<View>,
        (mut totals, mut first): (Vec<Totals>, Page<Entry>),
    ) -> Result<Vec<Entry>, Problem> {
        for _ in 0..Totals::MOST_READS {
            let entries = self.store.query_rest(Entry::in_order(number, view), first, self.most_entries).await?;
            let mut entries = entries.ok_or(Problem::ExportTooLarge)?;
            // What was posted since is of a later state.
            entries.retain(|entry| {
                totals.iter().any(|totals| totals.view == entry.view && entry.posting <= totals.chain.postings)
            });
            let mut sums = Sums::default();
            entries.iter().for_each(|entry| sums.add(entry));
            let postings = totals.iter().map(|totals| totals.chain.postings).sum::<u64>();
            if entries.len() as u64 == postings && sums == Sums::of(&totals) {
                return Ok(entries);
            }
            (totals, first) = self.begin(number, view).await?;
        }
        Err(Problem::TryAgain { context: Totals::OVERTAKEN.to_owned() })
    }
}

fn write(
    entries: Vec<Entry>,
    misposted: &MispostedRecords,
    format: ExportFormat,
    now: Timestamp,
) -> Result<FileContent, FileError> {
    let entries = entries.into_iter().map(|entry| misposted.readable(entry));
    match format {
        ExportFormat::Csv => {
            let mut file = CsvFile::start()?;
            for entry in entries {
                file.add(&entry)?;
            }
            Ok(FileContent::Text(String::from_utf8_lossy(&file.take()).into_owned()))
        }
        ExportFormat::Xlsx => {
            let mut file = XlsxFile::start(now)?;
            for entry in entries {
                file.add(&entry)?;
            }
            let mut bytes = Vec::new();
            file.finish(&mut bytes)?;
            Ok(FileContent::Bytes(bytes))
        }
    }
}
