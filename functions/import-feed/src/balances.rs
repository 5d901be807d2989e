//! Holds the figures of a batch's balances against the ledger.

use portal::domain::{Cents, MemberNumber, View};
use portal::store::{Batch, Totals};
use serde::{Deserialize, Serialize};

use crate::ImportError;
use crate::feed::BalanceRecord;
use crate::post::Poster;
use crate::report::{Origin, Report};
use crate::tables::Tables;

/// The count of totals that are read at once.
const TOTALS_AT_ONCE: usize = 100;

/// A comparison of balances with the ledger.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Balances {
    /// The count of those that are as in the ledger.
    pub equal: u64,
    /// The count of those that are not.
    pub different: u64,
    /// The first of these.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub differences: Vec<Difference>,
}

/// A balance that is not what the ledger has.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Difference {
    /// Which of the batch's files, in the order of posting.
    #[serde(skip)]
    pub file_index: usize,
    /// The file.
    pub file: String,
    /// The line, counted from 1.
    pub line: u64,
    /// Whose figures they are.
    pub member_number: MemberNumber,
    /// The view.
    pub view: View,
    /// The figures of the line.
    pub sent: Figures,
    /// The figures of the ledger.
    pub stored: Figures,
}

/// The figures of a view, in cents.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Figures {
    /// What is committed.
    pub committed: Cents,
    /// What is paid, to the company and to training bodies.
    pub paid: Cents,
    /// What is contributed.
    pub contributed: Cents,
}

impl Balances {
    fn count(&mut self, origin: &Origin, record: BalanceRecord, stored: Figures) {
        let BalanceRecord { member_number, view, committed, paid, contributed } = record;
        let sent = Figures { committed, paid, contributed };
        if sent == stored {
            self.equal += 1;
            return;
        }
        self.different += 1;
        let (file_index, file, line) = (origin.file_index, origin.file.clone(), origin.line);
        self.differences.push(Difference { file_index, file, line, member_number, view, sent, stored });
    }

    /// Takes over those of another piece of the batch.
    pub(crate) fn add(&mut self, other: Self) {
        self.equal += other.equal;
        self.different += other.different;
        self.differences.extend(other.differences);
    }
}

impl<T: Tables> Poster<T> {
    /// Holds balances against the ledger as it is now.
    ///
    /// # Errors
    /// Where the store fails.
    pub(crate) async fn check_balances(
        &self,
        balances: Vec<(BalanceRecord, Origin)>,
        report: &mut Report,
    ) -> Result<(), ImportError> {
        let mut balances = balances.into_iter().peekable();
        while balances.peek().is_some() {
            let some: Vec<_> = balances.by_ref().take(TOTALS_AT_ONCE).collect();
            let mut batch = Batch::new();
            let key = |record: &BalanceRecord| Totals::key_of(&record.member_number, record.view);
            let wanted: Vec<_> = some.iter().map(|(record, _)| batch.want::<Totals>(key(record))).collect();
            let mut fetched = self.store.fetch(batch).await?;
            let totals = fetched.take_each(&wanted)?;
            for ((record, origin), totals) in some.into_iter().zip(totals) {
                let stored = totals.as_ref().map(figures_of).unwrap_or_default();
                report.balances.get_or_insert_default().count(&origin, record, stored);
            }
            report.trim();
        }
        Ok(())
    }
}

fn figures_of(totals: &Totals) -> Figures {
    Figures { committed: totals.sums.committed, paid: totals.sums.paid.total(), contributed: totals.contributed }
}
