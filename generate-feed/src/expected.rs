//! What an import of the feed must come to: counted while the feed is written, from what the generator
//! meant, and never from what the import does. So a test can hold one against the other.

use std::collections::BTreeMap;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::contributions::Contribution;
use crate::records::{ActionStatus, EntryKind, Payee};
use crate::story::Told;

/// The view that everything earlier belongs to, as the portal has it unless it is set up otherwise.
pub const FIRST_VIEW: i16 = 2011;

/// `expected.json`: the reports and the accounts after an import of all batches, in their order, into an
/// empty ledger.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Expected {
    /// The portal's parameter of that name which the views are counted with.
    pub first_view: i16,
    /// How many accounts there are.
    pub accounts: u64,
    /// The report of each batch, in the order of import.
    pub batches: Vec<ExpectedReport>,
    /// The sums over all accounts, by view.
    pub views: BTreeMap<i16, ViewTotals>,
    /// What was put in on purpose.
    pub injected: Injected,
}

/// What `report.json` says of a batch, its list of single lines left out.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExpectedReport {
    /// The batch.
    pub batch_id: String,
    /// The system that sends it.
    pub source: String,
    /// New records.
    pub posted: u64,
    /// Repeats.
    pub unchanged: u64,
    /// Records in place of an older version.
    pub corrected: u64,
    /// Records of which a newer version was there.
    pub stale: u64,
    /// Bad lines.
    pub quarantined: u64,
    /// Entries whose action never comes: none.
    pub pending: u64,
    /// Entries of earlier batches whose action comes: none.
    pub released: u64,
    /// Bad and stale lines by reason.
    pub by_reason: BTreeMap<String, u64>,
    /// Lines, and cents by outcome.
    pub totals: ExpectedTotals,
}

/// The control totals of a batch.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExpectedTotals {
    /// Lines of all files.
    pub lines: u64,
    /// The sum of all amounts as they stand, which the manifest has too.
    pub amount_cents: i64,
    /// Of entries posted, corrections included.
    pub posted_cents: i64,
    /// Of repeats.
    pub unchanged_cents: i64,
    /// Of entries that wait: nothing.
    pub pending_cents: i64,
    /// Of older versions that came late.
    pub stale_cents: i64,
    /// Of bad lines.
    pub quarantined_cents: i64,
}

/// What all accounts together have in one view.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ViewTotals {
    /// Actions.
    pub actions: u64,
    /// Entries of actions in force: each counted once, whatever was corrected.
    pub entries: u64,
    /// Contributions in force.
    pub contributions: u64,
    /// Cents committed.
    pub committed: i64,
    /// Cents paid to the companies.
    pub paid_to_company: i64,
    /// Cents paid to training bodies.
    pub paid_to_providers: i64,
    /// Cents in progress, as they are shown: of each action what is open of its invoices.
    pub in_progress: i64,
    /// Cents left to pay: of each action what is committed and was never paid, nothing where it is over.
    pub remaining: i64,
    /// Cents paid beyond the commitment, of each action.
    pub overpaid: i64,
    /// Cents that the fund took back.
    pub recovered: i64,
    /// Cents contributed.
    pub contributed: i64,
}

/// How many lines of each trouble there are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Injected {
    /// Entries keyed in wrong first: each has two lines.
    pub corrections: u64,
    /// Lines sent again.
    pub replays: u64,
    /// Entries that come at another place than they happened, some before their action, some before the
    /// version that they correct.
    pub out_of_order: u64,
    /// Lines that cannot be posted.
    pub bad_lines: u64,
}

/// What becomes of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    Posted,
    Corrected,
    Unchanged,
    Stale,
    Quarantined(&'static str),
}

impl Injected {
    pub(crate) fn add(&mut self, other: Self) {
        self.corrections += other.corrections;
        self.replays += other.replays;
        self.out_of_order += other.out_of_order;
        self.bad_lines += other.bad_lines;
    }
}

impl ExpectedReport {
    pub(crate) fn count(&mut self, outcome: Outcome, cents: i64) {
        let totals = &mut self.totals;
        let (lines, sum) = match outcome {
            Outcome::Posted => (&mut self.posted, &mut totals.posted_cents),
            Outcome::Corrected => (&mut self.corrected, &mut totals.posted_cents),
            Outcome::Unchanged => (&mut self.unchanged, &mut totals.unchanged_cents),
            Outcome::Stale => {
                *self.by_reason.entry("stale-version".to_owned()).or_default() += 1;
                (&mut self.stale, &mut totals.stale_cents)
            }
            Outcome::Quarantined(reason) => {
                *self.by_reason.entry(reason.to_owned()).or_default() += 1;
                (&mut self.quarantined, &mut totals.quarantined_cents)
            }
        };
        *lines += 1;
        *sum += cents;
        totals.lines += 1;
        totals.amount_cents += cents;
    }
}

/// The sum that is open of an action's invoices: of each what its own payments left, and of all together what payments in advance, which
/// name none, left.
fn in_progress(invoices: &BTreeMap<Option<&str>, i64>) -> i64 {
    let in_advance = invoices.get(&None).copied().unwrap_or_default();
    let sums = || invoices.iter().filter(|(number, _)| number.is_some()).map(|(_, sum)| *sum);
    let open: i64 = sums().filter(|sum| *sum > 0).sum();
    let left_over: i64 = sums().filter(|sum| *sum < 0).sum();
    if in_advance > 0 { open + (in_advance + left_over).max(0) } else { (open + in_advance).max(0) }
}

impl Expected {
    pub(crate) fn action(&mut self, told: &Told) {
        let view = self.view(told.engagement_date.year());
        view.actions += 1;
        view.entries += told.facts.len() as u64;
        let (mut committed, mut paid_out, mut recovered) = (0, 0, 0);
        let mut invoices: BTreeMap<Option<&str>, i64> = BTreeMap::new();
        for (_, fact) in &told.facts {
            let cents = fact.cents;
            let in_progress = invoices.entry(fact.invoice.as_deref()).or_default();
            // Every fact of a story names its payee, so what comes back goes to the side that it was paid to.
            let paid = match fact.line.payee {
                Payee::Company => &mut view.paid_to_company,
                Payee::Provider => &mut view.paid_to_providers,
            };
            match fact.kind {
                EntryKind::Commitment | EntryKind::CommitmentRevision => committed += cents,
                EntryKind::CommitmentCancellation => committed -= cents,
                EntryKind::InvoiceReceived => *in_progress += cents,
                EntryKind::InvoiceRejected => *in_progress -= cents,
                EntryKind::PaymentToCompany | EntryKind::PaymentToProvider => {
                    *paid += cents;
                    paid_out += cents;
                    *in_progress -= cents;
                }
                EntryKind::PaymentReturned => {
                    *paid -= cents;
                    paid_out -= cents;
                    *in_progress += cents;
                }
                EntryKind::Recovery => {
                    *paid -= cents;
                    recovered += cents;
                }
                // No story has them.
                EntryKind::ContributionLegal
                | EntryKind::ContributionAgreement
                | EntryKind::ContributionVoluntary
                | EntryKind::ContributionRefund
                | EntryKind::Reversal => {}
            }
        }
        view.committed += committed;
        view.in_progress += in_progress(&invoices);
        view.recovered += recovered;
        view.overpaid += (paid_out - recovered - committed).max(0);
        if !matches!(told.status, ActionStatus::Closed | ActionStatus::Refused | ActionStatus::Cancelled) {
            view.remaining += (committed - paid_out).max(0);
        }
    }

    pub(crate) fn contribution(&mut self, contribution: &Contribution) {
        let refund = contribution.kind == EntryKind::ContributionRefund;
        let view = self.view(contribution.year);
        view.contributions += 1;
        view.contributed += if refund { -contribution.cents } else { contribution.cents };
    }

    fn view(&mut self, year: i16) -> &mut ViewTotals {
        self.views.entry(year.max(FIRST_VIEW)).or_default()
    }

    /// The file's text: indented, for people read it, with a line end.
    #[must_use]
    pub fn to_json(&self) -> String {
        #[allow(clippy::expect_used, reason = "strings, integers and maps of them always serialise")]
        let mut json = serde_json::to_string_pretty(self).expect("expectations serialise");
        json.push('\n');
        json
    }
}

/// The days that a batch is about: those up to its last one that no batch before it had.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Days {
    /// The last day of the batch before; nothing for the first.
    pub after: Option<Date>,
    pub last: Date,
}

impl Days {
    pub(crate) fn contains(self, day: Date) -> bool {
        day <= self.last && self.after.is_none_or(|after| day > after)
    }
}
