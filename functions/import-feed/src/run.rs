//! From a folder of the bucket to a report.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use jiff::Timestamp;
use portal::domain::Cents;
use portal::invocation::{count, tell, trouble};
use portal::lambda::EventFunction as _;
use portal::log::{Log, Metric};
use serde_json::json;

use crate::accounts::Posted;
use crate::awaited::Due;
use crate::bucket::Object;
use crate::check::check;
use crate::feed::{FileKind, LedgerLine, Manifest, MemberRecord, amount_of};
use crate::files::Files;
use crate::members::{SIRET_TAKEN, SentBy, post_members};
use crate::pieces::Pieces;
use crate::plan::{MEMBERS, Plan, Run, Task};
use crate::post::Poster;
use crate::posting::Verdict;
use crate::report::{Origin, Refusal, Report};
use crate::sequence::Gap;
use crate::sources::Sources;
use crate::split::{Split, split};
use crate::tables::Tables;
use crate::{Function, ImportError, MANIFEST, Outcome};

/// A manifest of a thousand files has a tenth of this.
const LARGEST_MANIFEST: u64 = 1024 * 1024;

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
    Ok(Manifest::read(&files.read(&object, 0).await?))
}

/// Holds the source of a batch against those that are known, then finds its files and holds each against the manifest.
///
/// # Errors
/// Where the files fail. One that is not as listed is `Ok(Err(refusal))`.
pub async fn check_files(
    files: &impl Files,
    folder: &str,
    manifest: &Manifest,
    sources: &Sources,
) -> Result<Result<Vec<Object>, Refusal>, ImportError> {
    if !sources.knows(&manifest.source) {
        let detail = format!("{} is no source that the portal knows; these are: {sources}", manifest.source);
        return Ok(Err(Refusal::new("unknown-source", detail)));
    }
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
    ///
    /// `arrival` tells arrivals of a manifest apart: an event that is delivered twice goes on with the run that
    /// the first delivery began.
    pub(crate) async fn import(&self, folder: &str, arrival: &str) -> Result<Outcome, ImportError> {
        let started = self.clock().now();
        let files = &self.importer.files;
        let run = Run::of(folder, arrival);
        if self.work.find(&run.done()).await?.is_some() {
            return Ok(Outcome::Done { done: run.0 });
        }
        if let Some(plan) = self.work.kept::<Plan>(&run.plan()).await? {
            return self.begin_run(&run, &plan).await;
        }
        let mut created = None;
        let report = match read_manifest(files, folder).await? {
            Ok(manifest) => {
                created = Some(manifest.created_at);
                match check_files(files, folder, &manifest, &self.importer.poster.sources).await? {
                    Ok(objects) => {
                        let mut report = match self.importer.take(&manifest).await? {
                            Ok(report) => report,
                            Err(refusal) => {
                                let report = Report::of(&manifest).refused(refusal);
                                self.write_report(folder, &report, started, created).await?;
                                return Ok(Outcome::Report(Box::new(report)));
                            }
                        };
                        if lines_of(&manifest) > self.bounds.above {
                            let begun = (report, None);
                            return self.cut_and_begin(folder, &run, manifest, &objects, started, begun).await;
                        }
                        let progress = self.importer.progress_of(&manifest);
                        self.importer.post_all_members(&manifest, &objects, &progress, &mut report).await?;
                        let due = self.importer.poster.due().await?;
                        if due.records() > self.bounds.above {
                            let begun = (report, Some(due));
                            return self.cut_and_begin(folder, &run, manifest, &objects, started, begun).await;
                        }
                        self.importer.post_ledger(&manifest, &objects, &due, &progress, report).await?
                    }
                    Err(refusal) => Report::of(&manifest).refused(refusal),
                }
            }
            Err(refusal) => Report::default().refused(refusal),
        };
        self.write_report(folder, &report, started, created).await?;
        Ok(Outcome::Report(Box::new(report)))
    }

    /// Cuts a batch, or its ledger alone where its members are posted already and what waited for those that came, which
    /// is given then, is as large as a large batch.
    async fn cut_and_begin(
        &self,
        folder: &str,
        run: &Run,
        manifest: Manifest,
        objects: &[Object],
        started: Timestamp,
        (report, due): (Report, Option<Due>),
    ) -> Result<Outcome, ImportError> {
        let progress = Progress::new(&manifest, lines_of(&manifest), &self.importer.progress);
        let buckets = (&self.importer.files, &self.work);
        // Cutting is no posting: the bar stays at nothing, and only says how much there is.
        let Split { shards, report } =
            split(buckets, &self.bounds, run, &manifest, objects, report, due.is_some()).await?;
        progress.end();
        if let Some(due) = due {
            self.work.keep(&run.due(), &due).await?;
        }
        let plan = Plan { folder: folder.to_owned(), manifest, started, shards, report };
        self.work.keep(&run.plan(), &plan).await?;
        self.begin_run(run, &plan).await
    }

    /// Starts a run whose plan is there, or what is left of it.
    async fn begin_run(&self, run: &Run, plan: &Plan) -> Result<Outcome, ImportError> {
        let members_first = plan.filled().any(|shard| shard == MEMBERS)
            && self.work.find(&run.finished_shard(MEMBERS)).await?.is_none();
        if members_first {
            self.begin(&Task { run: run.clone(), shard: MEMBERS, from: 0 }).await?;
        } else {
            self.begin_ledger(run, plan).await?;
            // Where no line is a record there is nothing to post, and what is counted is the report.
            self.merge_if_last(run, plan).await?;
        }
        let shards = plan.filled().count();
        Ok(Outcome::Split { batch_id: plan.manifest.batch_id.clone(), run: run.0.clone(), shards })
    }

    /// Writes the report beside the manifest, into the log and the metrics.
    pub(crate) async fn write_report(
        &self,
        folder: &str,
        report: &Report,
        started: Timestamp,
        created: Option<Timestamp>,
    ) -> Result<(), ImportError> {
        let document = serde_json::to_value(report).unwrap_or_default();
        self.importer.files.write_json(&format!("{folder}report.json"), format!("{document:#}\n")).await?;
        let now = self.clock().now();
        let counts = [
            (Metric::Posted, report.posted),
            (Metric::Unchanged, report.unchanged),
            (Metric::Corrected, report.corrected),
            (Metric::Withdrawn, report.withdrawn),
            (Metric::Stale, report.stale),
            (Metric::Quarantined, report.quarantined),
            (Metric::Pending, report.pending),
            (Metric::Released, report.released),
            (Metric::RefusedBatches, u64::from(report.refused.is_some())),
            (Metric::MissingBatches, report.sequence.as_ref().map_or(0, |sequence| sequence.missing)),
            (Metric::UnequalBalances, report.balances.as_ref().map_or(0, |balances| balances.different)),
            (Metric::RefusedRecords, report.refused_records()),
        ];
        // What there was none of needs no metric: a datapoint of nothing costs what one of something does.
        counts.into_iter().filter(|(_, number)| *number > 0).for_each(|(metric, number)| count(metric, number));
        if let Some(created) = created {
            count(Metric::BatchAge, u64::try_from(now.duration_since(created).as_secs()).unwrap_or(0));
        }
        tell("batch", report.batch_id.as_ref().map(ToString::to_string));
        // It may have begun in another invocation.
        tell("took_s", now.duration_since(started).as_secs());
        if let Some(sequence) = report.sequence.as_ref().filter(|sequence| sequence.missing > 0) {
            let gap = sequence.gaps.first().map(|Gap { from, to }| format!(", first {from} to {to}"));
            trouble(format!("{} batches never came{}", sequence.missing, gap.unwrap_or_default()));
        }
        if let Some(balances) = report.balances.as_ref().filter(|balances| balances.different > 0) {
            trouble(format!("{} balances differ from the ledger", balances.different));
        }
        if report.refused_records() > 0 {
            trouble(format!("{} records are put aside that the store does not hold", report.refused_records()));
        }
        if report.refused.is_some() {
            trouble(format!("refused: {}", document["refused"]));
        }
        Ok(())
    }
}

impl<F: Files, T: Tables> Importer<F, T> {
    /// Takes a batch whose files were held against its manifest; gives the report of nothing yet.
    async fn take(&self, manifest: &Manifest) -> Result<Result<Report, Refusal>, ImportError> {
        let taken = self.poster.take(manifest).await?;
        let mut report = Report::of(manifest);
        Ok(taken.map(|sequence| {
            report.sequence = sequence;
            report
        }))
    }

    /// Posts a batch whose files were held against its manifest; one whose name or number another batch has is
    /// `Ok(Err(refusal))`.
    ///
    /// # Errors
    /// Where files or tables fail; a repeat goes on where it stopped.
    pub async fn post_batch(
        &self,
        manifest: &Manifest,
        objects: &[Object],
    ) -> Result<Result<Report, Refusal>, ImportError> {
        let mut report = match self.take(manifest).await? {
            Ok(report) => report,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let progress = self.progress_of(manifest);
        self.post_all_members(manifest, objects, &progress, &mut report).await?;
        let due = self.poster.due().await?;
        self.post_ledger(manifest, objects, &due, &progress, report).await.map(Ok)
    }

    fn progress_of<'a>(&'a self, manifest: &'a Manifest) -> Progress<'a> {
        Progress::new(manifest, lines_of(manifest), &self.progress)
    }

    /// Posts the members of a batch, which come before any ledger.
    async fn post_all_members(
        &self,
        manifest: &Manifest,
        objects: &[Object],
        progress: &Progress<'_>,
        report: &mut Report,
    ) -> Result<(), ImportError> {
        let last_day = manifest.last_day();
        let mut taken = Vec::new();
        for (file_index, object) in files_of(manifest, objects, FileKind::Members) {
            let origin = Origin::in_batch(manifest, file_index);
            let mut pieces = Pieces::of(&self.files, object);
            while let Some(piece) = pieces.next().await? {
                let mut window = Vec::new();
                // What cannot be posted is counted while the piece is cut: of the worst piece, a mebibyte of
                // blank lines, nothing else would fit into memory.
                piece.cut(|line| {
                    let origin = Origin { line: line.number, ..origin.clone() };
                    match MemberRecord::read_by(line, last_day) {
                        Ok(record) => {
                            let origin = Origin { source_key: Some(record.key()), ..origin };
                            report.ignore(&origin, &record.unreadable);
                            window.push((record, origin));
                        }
                        Err(rejected) => {
                            report.quarantine(&origin, &rejected);
                            progress.advance(1);
                        }
                    }
                });
                self.post_members(manifest, window, &mut taken, report, |lines| progress.advance(lines)).await?;
                report.trim();
            }
        }
        self.post_taken(manifest, &mut taken, report).await
    }

    /// Posts what waited for the members that have come, and then the ledger of a batch; gives the whole report.
    async fn post_ledger(
        &self,
        manifest: &Manifest,
        objects: &[Object],
        due: &Due,
        progress: &Progress<'_>,
        mut report: Report,
    ) -> Result<Report, ImportError> {
        self.poster.admit_all(manifest, due, &mut report).await?;
        let last_day = manifest.last_day();
        let mut has_balances = false;
        for (file_index, object) in files_of(manifest, objects, FileKind::Ledger) {
            let origin = Origin::in_batch(manifest, file_index);
            let mut pieces = Pieces::of(&self.files, object);
            while let Some(piece) = pieces.next().await? {
                let mut window = Vec::new();
                piece.cut(|line| match LedgerLine::read_by(line, last_day) {
                    Ok(LedgerLine::Balance(_)) => has_balances = true,
                    Ok(LedgerLine::Record(record)) => {
                        let (record, origin) = origin.of_record(line, record);
                        report.ignore(&origin, record.unreadable());
                        window.push((record, origin));
                    }
                    Err(rejected) => {
                        let amount = Cents(amount_of(line));
                        report.quarantine(&Origin { line: line.number, amount, ..origin.clone() }, &rejected);
                        progress.advance(1);
                    }
                });
                let advance = |lines| progress.advance(lines);
                let Posted { decisions, released } = self.poster.post_lines(manifest, None, window, advance).await?;
                for (origin, decided) in decisions {
                    report.decide(&origin, &decided);
                }
                for released in released {
                    report.release(&released);
                }
                report.trim();
                self.poster.thin_doubts(&mut report).await?;
            }
        }
        if has_balances {
            self.check_all_balances(manifest, objects, progress, &mut report).await?;
        }
        report.awaited = self.poster.awaited().await?;
        report.name_waiting();
        self.poster.end_doubts(&mut report).await?;
        report.trim();
        progress.end();
        Ok(report)
    }

    /// Reads the ledger of a batch once more, and holds its balances against what is posted now. So memory does not grow
    /// with them.
    async fn check_all_balances(
        &self,
        manifest: &Manifest,
        objects: &[Object],
        progress: &Progress<'_>,
        report: &mut Report,
    ) -> Result<(), ImportError> {
        let last_day = manifest.last_day();
        for (file_index, object) in files_of(manifest, objects, FileKind::Ledger) {
            let origin = Origin::in_batch(manifest, file_index);
            let mut pieces = Pieces::of(&self.files, object);
            while let Some(piece) = pieces.next().await? {
                let mut window = Vec::new();
                piece.cut(|line| {
                    if let Ok(LedgerLine::Balance(balance)) = LedgerLine::read_by(line, last_day) {
                        window.push((balance, origin.of_balance(line, report)));
                    }
                });
                progress.advance(window.len() as u64);
                self.poster.check_balances(window, report).await?;
            }
        }
        Ok(())
    }

    /// Posts members; those whose SIRET another account has are put into `taken`.
    pub(crate) async fn post_members(
        &self,
        manifest: &Manifest,
        window: Vec<(MemberRecord, Origin)>,
        taken: &mut Vec<(MemberRecord, Origin)>,
        report: &mut Report,
        advance: impl Fn(u64),
    ) -> Result<(), ImportError> {
        let (records, origins): (Vec<_>, Vec<_>) = window.into_iter().unzip();
        let verdicts = self.post_records(manifest, &records).await?;
        for ((record, origin), verdict) in records.into_iter().zip(origins).zip(verdicts) {
            if verdict == Verdict::Quarantined(SIRET_TAKEN) && taken.len() < MOST_TAKEN {
                taken.push((record, origin));
            } else {
                report.count(&origin, verdict);
            }
            advance(1);
        }
        Ok(())
    }

    async fn post_records(&self, manifest: &Manifest, records: &[MemberRecord]) -> Result<Vec<Verdict>, ImportError> {
        let sent = SentBy { source: &manifest.source, batch_id: &manifest.batch_id };
        post_members(&self.poster.store, records, &sent, &self.poster.clock).await
    }

    /// Tries members again whose SIRET another account had: that account may move away or close in a line
    /// behind them, wherever the pieces and files of the batch end. Ends where nothing changes any more.
    pub(crate) async fn post_taken(
        &self,
        manifest: &Manifest,
        taken: &mut Vec<(MemberRecord, Origin)>,
        report: &mut Report,
    ) -> Result<(), ImportError> {
        for _ in 0..MOST_PASSES {
            let before = taken.len();
            let (records, origins): (Vec<_>, Vec<_>) = std::mem::take(taken).into_iter().unzip();
            let verdicts = self.post_records(manifest, &records).await?;
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
}

/// The files of a batch that hold this, each with its place in the manifest.
fn files_of<'a>(
    manifest: &'a Manifest,
    objects: &'a [Object],
    kind: FileKind,
) -> impl Iterator<Item = (usize, &'a Object)> {
    let files = manifest.files.iter().zip(objects).enumerate();
    files.filter(move |(_, (file, _))| file.kind() == Some(kind)).map(|(index, (_, object))| (index, object))
}

fn lines_of(manifest: &Manifest) -> u64 {
    manifest.files.iter().fold(0, |sum, file| sum.saturating_add(file.lines))
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

/// Says in the log how far an import has come: beside `reconcile`, what takes longest, and what a cut-off leaves.
pub(crate) fn into_log(log: Log) -> Advance {
    Arc::new(move |manifest, done, of| {
        // The end is in the line of the invocation.
        if done > 0 && done < of {
            let import = json!({"batch_id": manifest.batch_id, "done": done, "of": of});
            log.write(portal::log::Line::new(Function::NAME).with("import", import));
        }
    })
}
