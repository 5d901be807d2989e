//! Batches by name and number: none is taken twice with other content, and one that never came is missed.

use aws_lc_rs::digest::{SHA256, digest};
use portal::domain::to_hex;
use portal::store::{Batch, Condition, Outcome, SentBatch, SourceSequence, StoreError, Transaction, UsedSequence};
use serde::{Deserialize, Serialize};

use crate::ImportError;
use crate::feed::Manifest;
use crate::post::Poster;
use crate::report::Refusal;
use crate::tables::Tables;

/// How often in a row another batch of the source may come between.
const MOST_ATTEMPTS: u32 = 20;

/// The most gaps that a report names; all numbers are counted.
const MOST_NAMED: usize = 100;

/// Where a batch stands among those of its source.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sequence {
    /// Its number; nothing where it has none and others of its source have.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub number: Option<u64>,
    /// The count of the source's numbers that are missing, this batch taken.
    pub missing: u64,
    /// The first of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub gaps: Vec<Gap>,
}

/// Numbers of a source that no batch came with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gap {
    /// The first.
    pub from: u64,
    /// The last.
    pub to: u64,
}

impl Sequence {
    fn of(number: Option<u64>, sequence: &SourceSequence) -> Self {
        let gaps = sequence.gaps().take(MOST_NAMED).map(|gap| Gap { from: *gap.start(), to: *gap.end() });
        Self { number, missing: sequence.count_missing(), gaps: gaps.collect() }
    }
}

/// SHA-256 of what makes a batch the same one: its number and its files, whenever the manifest was made.
fn content_of(manifest: &Manifest) -> String {
    let mut text = format!("{:?}\n", manifest.sequence);
    for file in &manifest.files {
        // A file's name has no blank.
        text += &format!("{} {} {} {}\n", file.name, file.lines, file.amount_cents, file.sha256);
    }
    to_hex(digest(&SHA256, text.as_bytes()).as_ref())
}

impl<T: Tables> Poster<T> {
    /// Takes a batch, or takes it again; a name or a number that the source has used for other content refuses it.
    ///
    /// Gives where it stands among the others; nothing where its source has no numbers.
    ///
    /// # Errors
    /// Where the store fails.
    pub(crate) async fn take(&self, manifest: &Manifest) -> Result<Result<Option<Sequence>, Refusal>, ImportError> {
        let Manifest { source, batch_id, sequence: number, .. } = manifest;
        let content_hash = content_of(manifest);
        for _ in 0..MOST_ATTEMPTS {
            let mut batch = Batch::new();
            let sent = batch.want::<SentBatch>(SentBatch::key_of(source, batch_id));
            let used = number.map(|number| batch.want::<UsedSequence>(UsedSequence::key_of(source, number)));
            let sequence = batch.want::<SourceSequence>(SourceSequence::key_of(source));
            let mut fetched = self.store.fetch(batch).await?;
            let sent = fetched.take(&sent)?;
            let used = used.map(|used| fetched.take(&used)).transpose()?.flatten();
            let mut sequence = fetched.take(&sequence)?;
            if let Some(sent) = sent {
                if sent.content_hash != content_hash {
                    let detail = format!("{batch_id} was sent before, with other files or another sequence");
                    return Ok(Err(Refusal::new("batch-id-used", detail)));
                }
                return Ok(Ok(sequence.map(|sequence| Sequence::of(*number, &sequence))));
            }
            if let Some(used) = used.as_ref().filter(|used| used.content_hash != content_hash) {
                let UsedSequence { sequence, batch_id, .. } = used;
                let detail = format!("the sequence {sequence} is that of the batch {batch_id}, which has other files");
                return Ok(Err(Refusal::new("sequence-used", detail)));
            }
            let mut transaction = Transaction::new();
            transaction.create(&SentBatch {
                source: source.clone(),
                batch_id: batch_id.clone(),
                sequence: *number,
                content_hash: content_hash.clone(),
                taken_at: self.clock.now(),
            })?;
            if let Some(number) = number.filter(|_| used.is_none()) {
                let (source, batch_id, content_hash) = (source.clone(), batch_id.clone(), content_hash.clone());
                transaction.create(&UsedSequence {
                    source: source.clone(),
                    sequence: number,
                    batch_id,
                    content_hash,
                })?;
                let mut after = sequence.unwrap_or_else(|| SourceSequence::beginning(source, number));
                after.note(number);
                let condition = match after.version {
                    0 => Condition::Absent,
                    version => Condition::is("version", &version)?,
                };
                after.version += 1;
                transaction.put(&after, Some(condition))?;
                sequence = Some(after);
            }
            if let Outcome::Committed = self.store.commit(&transaction).await? {
                return Ok(Ok(sequence.map(|sequence| Sequence::of(*number, &sequence))));
            }
        }
        Err(ImportError::Store(StoreError::Contention))
    }
}
