//! What a report warns of: records that are counted as they were sent, and look mistaken.

use portal::domain::{ActionStatus, Cents, MemberNumber};
use portal::store::{Action, ActionPlace};
use serde::{Deserialize, Serialize};

/// A kind of warning. It changes nothing of what becomes of the record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Warning {
    /// A withdrawal of a key of which nothing was in force or waited.
    WithdrawalOfNothing,
    /// An entry waits although its action is there, because another source sent that.
    ActionOfAnotherSource,
    /// A payment of a transfer whose payments name several days or bank references: a number that begins anew each year, or
    /// stands for whatever has none.
    TransferOfSeveral,
    /// A payment that was sent back or a recovery, where more came back of its transfer than that sent.
    ReturnedAboveSent,
    /// An entry waits for an action of the named account, and what it corrects is in force at that action in another one.
    ActionInAnotherAccount,
    /// A correction waits, and what it corrects stays in force.
    PendingCorrection,
    /// A version is so much higher than the one before that it looks mistyped, or so high that few can follow.
    VersionJump,
    /// An amount is far beyond the usual.
    LargeAmount,
    /// An action has the same payment, or the same invoice, under two keys.
    SamePayment,
    /// More is paid of an action than is committed.
    PaidAboveCommitted,
    /// An action is called paid, and nothing of it is.
    PaidWithoutPayment,
    /// More of an action was cancelled than is committed, or more came back than was paid.
    BelowZero,
}

impl Warning {
    /// Every kind.
    pub const ALL: [Self; 12] = [
        Self::WithdrawalOfNothing,
        Self::ActionOfAnotherSource,
        Self::ActionInAnotherAccount,
        Self::PendingCorrection,
        Self::VersionJump,
        Self::LargeAmount,
        Self::SamePayment,
        Self::TransferOfSeveral,
        Self::ReturnedAboveSent,
        Self::PaidAboveCommitted,
        Self::PaidWithoutPayment,
        Self::BelowZero,
    ];

    /// The name in a report.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::WithdrawalOfNothing => "withdrawal-of-nothing",
            Self::ActionOfAnotherSource => "action-of-another-source",
            Self::TransferOfSeveral => "transfer-of-several",
            Self::ReturnedAboveSent => "returned-above-sent",
            Self::ActionInAnotherAccount => "action-in-another-account",
            Self::PendingCorrection => "pending-correction",
            Self::VersionJump => "version-jump",
            Self::LargeAmount => "large-amount",
            Self::SamePayment => "same-payment",
            Self::PaidAboveCommitted => "paid-above-committed",
            Self::PaidWithoutPayment => "paid-without-payment",
            Self::BelowZero => "below-zero",
        }
    }

    /// Tells whether it is over once the record is posted.
    #[must_use]
    pub fn is_of_waiting(self) -> bool {
        matches!(self, Self::ActionOfAnotherSource | Self::ActionInAnotherAccount | Self::PendingCorrection)
    }

    /// The kinds that an action gives rise to, as it is.
    pub(crate) fn of(action: &Action) -> impl Iterator<Item = Self> {
        let [committed, paid, overpaid] = measured(action);
        let status = action.state.as_ref().filter(|_| action.is_here()).map(|state| state.status);
        let kinds = [
            (Self::SamePayment, action.likes.has_doubles()),
            (Self::PaidAboveCommitted, overpaid > Cents::ZERO),
            (Self::PaidWithoutPayment, status == Some(ActionStatus::Paid) && paid <= Cents::ZERO),
            (Self::BelowZero, committed < Cents::ZERO || paid < Cents::ZERO),
        ];
        kinds.into_iter().filter(move |(_, is)| *is && status.is_some()).map(|(kind, _)| kind)
    }

    /// The kinds that an action gives rise to and did not before, or that are worse.
    pub(crate) fn of_change<'a>(before: Option<&'a Action>, after: &'a Action) -> impl Iterator<Item = Self> + 'a {
        let [committed, paid, overpaid] = measured(after);
        let were = before.map(measured).unwrap_or_default();
        let had = move |kind| before.is_some_and(|before| Self::of(before).any(|other| other == kind));
        Self::of(after).filter(move |kind| match kind {
            Self::SamePayment => before.is_none_or(|before| after.likes.doubles_since(&before.likes)),
            Self::PaidAboveCommitted => overpaid > were[2],
            Self::BelowZero => committed < were[0].min(Cents::ZERO) || paid < were[1].min(Cents::ZERO),
            kind => !had(*kind),
        })
    }

    /// The figures of an action that is warned of.
    pub(crate) fn particulars_of(action: &Action) -> Particulars {
        let [committed, paid, _] = measured(action);
        Particulars { committed_cents: Some(committed), paid_cents: Some(paid), ..Particulars::default() }
    }

    /// The same with figures, of the record as it is.
    pub(crate) fn with(self, figures: Particulars) -> Warned {
        Warned { figures, ..Warned::from(self) }
    }
}

/// The sums that are committed of an action, paid of it, and overpaid.
fn measured(action: &Action) -> [Cents; 3] {
    let sums = action.all_sums();
    let overpaid = action.state.as_ref().map_or(Cents::ZERO, |state| sums.measures(state.status).overpaid);
    [sums.committed, sums.paid.total(), overpaid]
}

/// The figures of a warning: what was sent, and what it is held against.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Particulars {
    /// The amount of the record.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount_cents: Option<Cents>,
    /// The amount that is in force instead.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub in_force_cents: Option<Cents>,
    /// The account in which the action is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<MemberNumber>,
    /// The sum that is committed of the action when all of the batch is posted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub committed_cents: Option<Cents>,
    /// The sum that is paid of it then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paid_cents: Option<Cents>,
    /// The version of the record.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_version: Option<u64>,
    /// The version before; nothing where it is the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub former_version: Option<u64>,
}

/// A warning of a record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Warned {
    /// The kind.
    pub warning: Warning,
    /// The figures.
    pub figures: Particulars,
    /// The action that it depends on how this is when all of the batch is posted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub doubted: Option<ActionPlace>,
}

impl From<Warning> for Warned {
    fn from(warning: Warning) -> Self {
        Self { warning, figures: Particulars::default(), doubted: None }
    }
}
