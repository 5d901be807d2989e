//! Balances: what the back office has on an account's view, to hold the ledger against.

use portal::domain::{Cents, MemberNumber, View};

use super::fields::{self, Fields};
use super::object::Scalar;
use super::{LedgerRecord, Line, Reason, Rejected};

/// The largest amount of a balance, in cents: what a number of JavaScript holds exactly.
const LARGEST_AMOUNT: i64 = (1 << 53) - 1;

/// The figures that a view of an account has in the back office. It posts nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BalanceRecord {
    /// Whose they are.
    pub member_number: MemberNumber,
    /// The view.
    pub view: View,
    /// What is committed.
    pub committed: Cents,
    /// What is paid, to the company and to training bodies.
    pub paid: Cents,
    /// What is contributed.
    pub contributed: Cents,
}

impl BalanceRecord {
    fn from_fields(fields: &Fields<'_>) -> Result<Self, Reason> {
        Ok(Self {
            member_number: fields.required("member_number", fields::member_number)?,
            view: fields.required("view", |value| {
                let year = fields::year(value)?;
                View::parse(&year.to_string()).ok_or("bad-year")
            })?,
            committed: fields.required("committed", |value| amount(&value))?,
            paid: fields.required("paid", |value| amount(&value))?,
            contributed: fields.required("contributed", |value| amount(&value))?,
        })
    }
}

fn amount(value: &Scalar<'_>) -> Result<Cents, &'static str> {
    let amount = fields::integer(value).filter(|amount| (-LARGEST_AMOUNT..=LARGEST_AMOUNT).contains(amount));
    amount.map(Cents).ok_or("bad-amount")
}

/// A line of a ledger's file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LedgerLine {
    /// A record to post.
    Record(LedgerRecord),
    /// Figures to hold the ledger against, once all records of the batch are posted.
    Balance(BalanceRecord),
}

impl LedgerLine {
    /// Reads a line of a batch whose records name no day after `last`.
    ///
    /// # Errors
    /// As [`LedgerRecord::read_by`].
    pub fn read_by(line: &Line<'_>, last: jiff::civil::Date) -> Result<Self, Rejected> {
        let fields = Fields::of_line(line)?;
        if !fields.is("record", "balance") {
            return LedgerRecord::of_fields(fields)?.by(last).map(Self::Record);
        }
        let reject = |reason| Rejected { reason, source_key: None };
        let balance = BalanceRecord::from_fields(&fields).map_err(reject)?;
        if balance.view.year() > last.year() {
            return Err(reject(Reason::in_field("date-ahead", "view")));
        }
        Ok(Self::Balance(balance))
    }
}
