//! What a report warns of: records that are posted as they were sent, and look mistaken.

/// A kind of warning. It changes nothing of what is posted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Warning {
    /// A withdrawal of a key of which nothing was in force or waited.
    WithdrawalOfNothing,
}

impl Warning {
    /// Every kind.
    pub const ALL: [Self; 1] = [Self::WithdrawalOfNothing];

    /// The name in a report.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::WithdrawalOfNothing => "withdrawal-of-nothing",
        }
    }
}
