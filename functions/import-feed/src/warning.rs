//! What a report warns of: records that are counted as they were sent, and look mistaken.

/// A kind of warning. It changes nothing of what becomes of the record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
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
}

impl Warning {
    /// Every kind.
    pub const ALL: [Self; 4] =
        [Self::WithdrawalOfNothing, Self::ActionOfAnotherSource, Self::TransferOfSeveral, Self::ReturnedAboveSent];

    /// The name in a report.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::WithdrawalOfNothing => "withdrawal-of-nothing",
            Self::ActionOfAnotherSource => "action-of-another-source",
            Self::TransferOfSeveral => "transfer-of-several",
            Self::ReturnedAboveSent => "returned-above-sent",
        }
    }
}
