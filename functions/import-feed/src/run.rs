//! From a folder of the bucket to a report.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use futures::future::BoxFuture;
use futures::{StreamExt as _, TryStreamExt as _};
use portal::domain::{Cents, Identifier, MemberNumber, Siret};
use portal::lambda::EventFunction as _;
use portal::log::Log;
use portal::store::{Account, Batch};
use serde_json::{Value, json};

use crate::bucket::Object;
use crate::check::check;
use crate::feed::{FileKind, LedgerRecord, Line, Lines, Manifest, MemberRecord, Reason, Rejected, amount_of};
use crate::files::Files;
use crate::members::{SIRET_TAKEN, post_members};
use crate::post::Poster;
use crate::posting::Verdict;
use crate::report::{Origin, Refusal, Report};
use crate::tables::Tables;
use crate::{Function, ImportError, MANIFEST};

/// A manifest of a thousand files has a tenth of this.
const LARGEST_MANIFEST: u64 = 1024 * 1024;

/// How many accounts are posted to at the same time. Each waits for DynamoDB most of the time.
const ACCOUNTS_AT_ONCE: usize = 16;

/// How many members are kept to be tried again; more than ever move in a day.
const MOST_TAKEN: usize = 20_000;

/// How often these are tried. Each pass but the last posts some: one is enough for each link of a chain of
/// companies that move into each other's place.
const MOST_PASSES: u32 = 100;

/// How many lines there are between two progress lines in the log.
const PROGRESS_EVERY: u64 = 500;

/// Posts batches of these files into these tables.
#[derive(Clone)]
pub struct Importer<F, T> {
    /// Where the files are.
    pub files: F,
    /// What posts.
    pub poster: Poster<T>,
    /// Is told how far an import has come.
    pub progress: Advance,
}

/// Is told the batch, how many of its lines are done, and how many there are.
pub type Advance = Arc<dyn Fn(&Manifest, u64, u64) + Send + Sync>;

/// Reads the manifest in a folder (empty, or with a slash at its end); what is wrong with it is
/// `Ok(Err(refusal))`.
///
/// # Errors
/// Where the files fail, or there is no manifest.
pub async fn read_manifest(files: &impl Files, folder: &str) -> Result<Result<Manifest, Refusal>, ImportError> {
    let key = format!("{folder}{MANIFEST}");
    let object = files.find(&key).await?.ok_or_else(|| ImportError::NoManifest(key.clone()))?;
    if object.size() > LARGEST_MANIFEST {
        return Ok(Err(Refusal::new("manifest", "the manifest is above 1 MiB")));
    }
    let manifest = Manifest::read(&files.read(&object, 0).await?);
    Ok(manifest.map_err(|detail| Refusal::new("manifest", detail)))
}

/// Finds the files of a batch and holds each against the manifest.
///
/// # Errors
/// Where the files fail. One that is not as listed is `Ok(Err(refusal))`.
pub async fn check_files(
    files: &impl Files,
    folder: &str,
    manifest: &Manifest,
) -> Result<Result<Vec<Object>, Refusal>, ImportError> {
    let mut objects = Vec::with_capacity(manifest.files.len());
    for file in &manifest.files {
        match check(files, &format!("{folder}{}", file.name), file).await? {
            Ok(object) => objects.push(object),
            Err(refusal) => return Ok(Err(refusal)),
        }
    }
    Ok(Ok(objects))
}

impl Function {
    /// Posts the batch in a folder (empty, or with a slash at its end).
    pub(crate) async fn import(&self, folder: &str) -> Result<Report, ImportError> {
        let started = self.clock().now();
        let files = &self.importer.files;
        let report = match read_manifest(files, folder).await? {
            Ok(manifest) => match check_files(files, folder, &manifest).await? {
                Ok(objects) => self.importer.post_batch(&manifest, &objects).await?,
                Err(refusal) => Report::of(&manifest).refused(refusal),
            },
            Err(refusal) => Report::default().refused(refusal),
        };
        let document = serde_json::to_value(&report).unwrap_or_default();
        files.write_json(&format!("{folder}report.json"), format!("{document:#}\n")).await?;
        self.log_summary(document, self.clock().now().duration_since(started).as_millis());
        Ok(report)
    }

    fn log_summary(&self, mut report: Value, milliseconds: i128) {
        // Counts only: the lines themselves are in the report.
        if let Some(report) = report.as_object_mut() {
            report.remove("quarantine");
        }
        let level = if report.get("refused").is_some() { "error" } else { "info" };
        self.log.line(&json!({"level": level, "function": Self::NAME, "imported": report, "ms": milliseconds}));
    }
}

impl<F: Files, T: Tables> Importer<F, T> {
    /// Posts a batch whose files were held against its manifest.
    ///
    /// # Errors
    /// Where files or tables fail; a repeat goes on where it stopped.
    pub async fn post_batch(&self, manifest: &Manifest, objects: &[Object]) -> Result<Report, ImportError> {
        let mut report = Report::of(manifest);
        let progress = Progress::new(manifest, report.totals.lines, &self.progress);
        let mut taken = Vec::new();
        for (file_index, (file, object)) in manifest.files.iter().zip(objects).enumerate() {
            if file.kind() == Some(FileKind::Ledger) {
                // Members come first, and the ledger counts on them.
                self.post_taken(&mut taken, &mut report).await?;
            }
            let origin = Origin::of(file_index, &file.name);
            let mut lines = Lines::default();
            let mut offset = 0;
            while offset < object.size() {
                let piece = self.files.read(object, offset).await?;
                offset += piece.len() as u64;
                let last = offset >= object.size();
                // What cannot be posted is counted while the piece is cut: of the worst piece, a mebibyte of
                // blank lines, nothing else would fit into memory.
                if file.kind() == Some(FileKind::Members) {
                    let mut window = Vec::new();
                    cut(&mut lines, &piece, last, |line| {
                        let origin = Origin { line: line.number, ..origin.clone() };
                        match MemberRecord::read(line) {
                            Ok(record) => window.push((record, origin)),
                            Err(rejected) => {
                                report.quarantine(&origin, &rejected);
                                progress.advance(1);
                            }
                        }
                    });
                    self.post_members(window, &mut taken, &mut report, &progress).await?;
                } else {
                    let mut window = Vec::new();
                    cut(&mut lines, &piece, last, |line| match LedgerRecord::read(line) {
                        Ok(record) => window.push(origin.of_record(line, record)),
                        Err(rejected) => {
                            let amount = Cents(amount_of(line));
                            report.quarantine(&Origin { line: line.number, amount, ..origin.clone() }, &rejected);
                            progress.advance(1);
                        }
                    });
                    self.post_ledger(manifest, window, &mut report, &progress).await?;
                }
                report.trim();
            }
        }
        self.post_taken(&mut taken, &mut report).await?;
        report.trim();
        progress.end();
        Ok(report)
    }

    /// Posts members; those whose SIRET another account has are put into `taken`.
    async fn post_members(
        &self,
        window: Vec<(MemberRecord, Origin)>,
        taken: &mut Vec<(MemberRecord, Origin)>,
        report: &mut Report,
        progress: &Progress<'_>,
    ) -> Result<(), ImportError> {
        let (records, origins): (Vec<_>, Vec<_>) = window.into_iter().unzip();
        let verdicts = post_members(&self.poster.store, &records).await?;
        for ((record, origin), verdict) in records.into_iter().zip(origins).zip(verdicts) {
            if verdict == Verdict::Quarantined(SIRET_TAKEN) && taken.len() < MOST_TAKEN {
                taken.push((record, origin));
            } else {
                report.count(&origin, verdict);
            }
            progress.advance(1);
        }
        Ok(())
    }

    /// Tries members again whose SIRET another account had: that account may move away or close in a line
    /// behind them, wherever the pieces and files of the batch end. Ends where nothing changes any more.
    async fn post_taken(
        &self,
        taken: &mut Vec<(MemberRecord, Origin)>,
        report: &mut Report,
    ) -> Result<(), ImportError> {
        for _ in 0..MOST_PASSES {
            let before = taken.len();
            let (records, origins): (Vec<_>, Vec<_>) = std::mem::take(taken).into_iter().unzip();
            let verdicts = post_members(&self.poster.store, &records).await?;
            for ((record, origin), verdict) in records.into_iter().zip(origins).zip(verdicts) {
                if verdict == Verdict::Quarantined(SIRET_TAKEN) {
                    taken.push((record, origin));
                } else {
                    report.count(&origin, verdict);
                }
            }
            if taken.len() == before {
                break;
            }
        }
        for (_, origin) in taken.drain(..) {
            report.count(&origin, Verdict::Quarantined(SIRET_TAKEN));
        }
        Ok(())
    }

    async fn post_ledger(
        &self,
        manifest: &Manifest,
        good: Vec<(LedgerRecord, Origin)>,
        report: &mut Report,
        progress: &Progress<'_>,
    ) -> Result<(), ImportError> {
        let numbers: BTreeSet<MemberNumber> = good.iter().map(|(record, _)| record.member_number().clone()).collect();
        let sirets = self.sirets(&numbers).await?;
        let mut posted: Vec<BoxFuture<'_, Result<_, ImportError>>> = Vec::new();
        for group in together(good) {
            let (mut records, mut origins) = (Vec::with_capacity(group.len()), Vec::with_capacity(group.len()));
            for (record, origin) in group {
                if let Some(siret) = sirets.get(record.member_number()) {
                    records.push((record, siret.clone()));
                    origins.push(origin);
                } else {
                    let reason = Reason::in_field("unknown-member", "member_number");
                    report.quarantine(&origin, &Rejected { reason, source_key: origin.source_key.clone() });
                    progress.advance(1);
                }
            }
            posted.push(Box::pin(async move {
                let done = self.poster.post(manifest, records, |lines| progress.advance(lines)).await?;
                Ok((origins, done))
            }));
        }
        let mut posted = futures::stream::iter(posted).buffer_unordered(ACCOUNTS_AT_ONCE);
        while let Some((origins, (verdicts, released))) = posted.try_next().await? {
            for (origin, verdict) in origins.iter().zip(verdicts) {
                report.count(origin, verdict);
            }
            for (pending, verdict) in released {
                report.release(&pending, verdict);
            }
        }
        Ok(())
    }

    /// The establishments of the accounts that there are.
    async fn sirets(&self, numbers: &BTreeSet<MemberNumber>) -> Result<BTreeMap<MemberNumber, Siret>, ImportError> {
        let mut batch = Batch::new();
        let wanted: Vec<_> = numbers.iter().map(|number| batch.want::<Account>(Account::key_of(number))).collect();
        let mut sirets = BTreeMap::new();
        if wanted.is_empty() {
            return Ok(sirets);
        }
        let mut fetched = self.poster.store.fetch(batch).await?;
        for account in &wanted {
            if let Some(account) = fetched.take(account)? {
                sirets.insert(account.member_number, account.siret);
            }
        }
        Ok(sirets)
    }
}

/// Records that are posted one after the other: those of an account, and those of accounts between which
/// a source key or an action moves, so that its versions are posted in the order of the file.
fn together(records: Vec<(LedgerRecord, Origin)>) -> Vec<Vec<(LedgerRecord, Origin)>> {
    let mut groups = Groups::default();
    let mut of_account: HashMap<MemberNumber, usize> = HashMap::new();
    let mut of_key: HashMap<Identifier, usize> = HashMap::new();
    let mut of_action: HashMap<Identifier, usize> = HashMap::new();
    for (record, _) in &records {
        let group = *of_account.entry(record.member_number().clone()).or_insert_with(|| groups.add());
        let other = *of_key.entry(record.source_key().clone()).or_insert(group);
        groups.join(group, other);
        if let Some(action_id) = record.action_id() {
            let other = *of_action.entry(action_id.clone()).or_insert(group);
            groups.join(group, other);
        }
    }
    let mut together: BTreeMap<usize, Vec<_>> = BTreeMap::new();
    for (record, origin) in records {
        let group = of_account.get(record.member_number()).map_or(0, |group| groups.root(*group));
        together.entry(group).or_default().push((record, origin));
    }
    together.into_values().collect()
}

/// Disjoint sets: each points at a set that it was joined with before it, the first at itself.
#[derive(Default)]
struct Groups(Vec<usize>);

impl Groups {
    fn add(&mut self) -> usize {
        self.0.push(self.0.len());
        self.0.len() - 1
    }

    fn root(&self, mut group: usize) -> usize {
        while self.0[group] != group {
            group = self.0[group];
        }
        group
    }

    fn join(&mut self, one: usize, other: usize) {
        let (one, other) = (self.root(one), self.root(other));
        self.0[one.max(other)] = one.min(other);
    }
}

/// Hands over the lines of a piece of a file.
fn cut(lines: &mut Lines, piece: &[u8], last: bool, mut each: impl FnMut(&Line<'_>)) {
    lines.push(piece, |line| each(&line));
    if last {
        lines.finish(|line| each(&line));
    }
}

/// Says how far an import has come.
struct Progress<'a> {
    manifest: &'a Manifest,
    done: AtomicU64,
    of: u64,
    told: &'a Advance,
}

impl<'a> Progress<'a> {
    fn new(manifest: &'a Manifest, of: u64, told: &'a Advance) -> Self {
        let progress = Self { manifest, done: AtomicU64::new(0), of, told };
        progress.write(0);
        progress
    }

    fn advance(&self, lines: u64) {
        let before = self.done.fetch_add(lines, Ordering::Relaxed);
        let now = before + lines;
        if before / PROGRESS_EVERY != now / PROGRESS_EVERY && now < self.of {
            self.write(now);
        }
    }

    fn end(&self) {
        self.write(self.done.load(Ordering::Relaxed));
    }

    fn write(&self, done: u64) {
        (self.told)(self.manifest, done, self.of);
    }
}

/// Says in the log how far an import has come.
pub(crate) fn into_log(log: Log) -> Advance {
    Arc::new(move |manifest, done, of| {
        let import = json!({"batch_id": manifest.batch_id, "done": done, "of": of});
        log.line(&json!({"level": "info", "function": Function::NAME, "import": import}));
    })
}
