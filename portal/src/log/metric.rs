//! The portal's own metrics: what no service of AWS counts by itself.

use super::Level;

/// Something that is counted or measured; its name is the field of the log line that holds it.
///
/// CloudWatch bills each name with each value of its dimension by the hour, so the list is short, and a
/// dimension has few values (`docs/decisions/0080-one-line-a-request.md`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Metric {
    /// Requests, by outcome: `ok` or a problem's slug.
    Requests,
    /// From the event to the answer.
    Latency,
    /// DynamoDB's read units.
    ReadUnits,
    /// DynamoDB's write units.
    WriteUnits,
    /// What hashing passwords took, waiting for its turn not included.
    HashTime,
    /// Mails that SES took.
    MailsSent,
    /// Mails that SES did not take, and wishes that failed otherwise: tries, as the stream brings them again.
    MailsFailed,
    /// Of these, what SES refused for good.
    MailsRefused,
    /// Mails that were not sent because their address bounced or complained.
    MailsHeldBack,
    /// New records of a feed.
    Posted,
    /// Records of a feed that were posted before.
    Unchanged,
    /// Records of a feed in place of an older version.
    Corrected,
    /// Records of a feed that took back what was in force or waited.
    Withdrawn,
    /// Records of a feed of which a newer version was there.
    Stale,
    /// Lines of a feed that could not be posted.
    Quarantined,
    /// Entries of a feed that wait for their action.
    Pending,
    /// Entries of earlier batches whose action came.
    Released,
    /// Batches that were refused whole.
    RefusedBatches,
    /// Numbers of a source that no batch came with, as a batch of it finds them.
    MissingBatches,
    /// Balances of a feed that are not what the ledger has.
    UnequalBalances,
    /// Records of a feed that the store will not hold.
    RefusedRecords,
    /// From a manifest's making to the end of its batch.
    BatchAge,
    /// For how long the record has waited that has waited longest.
    LongestWait,
    /// Fields of the ledger that are not what the entries add up to.
    Drift,
}

impl Metric {
    /// The name, in a line and in CloudWatch.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Requests => "requests",
            Self::Latency => "latency_ms",
            Self::ReadUnits => "read_units",
            Self::WriteUnits => "write_units",
            Self::HashTime => "hash_ms",
            Self::MailsSent => "mails_sent",
            Self::MailsFailed => "mails_failed",
            Self::MailsRefused => "mails_refused",
            Self::MailsHeldBack => "mails_held_back",
            Self::Posted => "posted",
            Self::Unchanged => "unchanged",
            Self::Corrected => "corrected",
            Self::Withdrawn => "withdrawn",
            Self::Stale => "stale",
            Self::Quarantined => "quarantined",
            Self::Pending => "pending",
            Self::Released => "released",
            Self::RefusedBatches => "refused_batches",
            Self::MissingBatches => "missing_batches",
            Self::UnequalBalances => "unequal_balances",
            Self::RefusedRecords => "refused_records",
            Self::BatchAge => "batch_age_s",
            Self::LongestWait => "longest_wait_s",
            Self::Drift => "drift",
        }
    }

    /// CloudWatch's unit; none, which is its default, for what is a number of things.
    pub(super) fn unit(self) -> Option<&'static str> {
        match self {
            Self::Latency | Self::HashTime => Some("Milliseconds"),
            Self::BatchAge | Self::LongestWait => Some("Seconds"),
            _ => None,
        }
    }

    /// The least that a line says which has counted some of it.
    pub(crate) fn level(self) -> Level {
        match self {
            Self::MailsFailed
            | Self::MailsRefused
            | Self::RefusedBatches
            | Self::MissingBatches
            | Self::UnequalBalances
            | Self::RefusedRecords
            | Self::Drift => Level::Error,
            Self::MailsHeldBack => Level::Warn,
            _ => Level::Info,
        }
    }
}
