//! What a transfer moved, told apart by whom.

use serde::{Deserialize, Serialize};

use super::{EntryFacts, Reversed};
use crate::domain::{Cents, Paid};

/// What a transfer sent, and what came back of it, each by its side. Neither is ever negative.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "[Cents; 4]", into = "[Cents; 4]")]
pub struct Moved {
    /// The payments in force.
    pub sent: Paid,
    /// What the bank sent back and what the fund took back.
    pub returned: Paid,
}

impl Moved {
    /// Counts what a line moved.
    pub fn count(&mut self, facts: &EntryFacts, reverses: Option<Reversed>, paid: Paid) {
        if facts.moves_as(reverses).comes_back() { self.returned += -paid } else { self.sent += paid }
    }

    /// What is left by its side: sent, less what came back.
    #[must_use]
    pub fn paid(self) -> Paid {
        self.sent - self.returned
    }

    /// Whether an amount is one that a list or a bank shows of it: net, sent or come back, of both sides or of one. Nothing
    /// is no such amount: something of most transfers is nothing.
    #[must_use]
    pub fn shows(self, amount: Cents) -> bool {
        let shown = [self.paid(), self.sent, self.returned];
        amount != Cents::ZERO
            && shown.iter().any(|paid| [paid.total(), paid.to_company, paid.to_providers].contains(&amount))
    }

    /// To whom it went. Amounts of payments are positive, so a side without any has nothing.
    #[must_use]
    pub fn payee(self) -> TransferPayee {
        let Self { sent, returned } = self;
        let of_company = sent.to_company != Cents::ZERO || returned.to_company != Cents::ZERO;
        let of_providers = sent.to_providers != Cents::ZERO || returned.to_providers != Cents::ZERO;
        match (of_company, of_providers) {
            (true, true) => TransferPayee::Both,
            (false, true) => TransferPayee::Provider,
            (_, false) => TransferPayee::Company,
        }
    }
}

impl std::ops::AddAssign for Moved {
    fn add_assign(&mut self, other: Self) {
        self.sent += other.sent;
        self.returned += other.returned;
    }
}

impl From<[Cents; 4]> for Moved {
    fn from([sent_to_company, sent_to_providers, from_company, from_providers]: [Cents; 4]) -> Self {
        Self { sent: [sent_to_company, sent_to_providers].into(), returned: [from_company, from_providers].into() }
    }
}

impl From<Moved> for [Cents; 4] {
    fn from(Moved { sent, returned }: Moved) -> Self {
        [sent.to_company, sent.to_providers, returned.to_company, returned.to_providers]
    }
}

/// To whom a transfer went: mostly one side, but one number may stand for a run of payments.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum TransferPayee {
    /// The member company, whose bank shows it.
    Company,
    /// A training body: the company's bank shows nothing of it.
    Provider,
    /// Some of it to each.
    Both,
}
