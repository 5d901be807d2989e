//! The lines of a feed, as `docs/feed.md` defines them, in the ledger's own vocabulary.

use jiff::civil::Date;
pub use portal::domain::{ActionStatus, CostKind, EntryKind, Payee, Scheme};
use serde::{Deserialize, Serialize};

/// A line of `members.ndjson`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MemberRecord {
    /// Six digits; leading zeros count.
    pub member_number: String,
    /// Fourteen digits.
    pub siret: String,
    /// The establishment's name.
    pub name: String,
    /// Free text, such as `10-49`.
    pub headcount_band: String,
    /// The address on the fund's file.
    pub contact_email: String,
    /// When the account was opened.
    pub opened_on: Date,
    /// When it was closed, if it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closed_on: Option<Date>,
    /// Grows with each change of the member.
    pub version: u32,
}

/// A line of `ledger.ndjson`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "record", rename_all = "snake_case")]
pub enum LedgerRecord {
    /// The current state of an action.
    Action(ActionRecord),
    /// One accounting fact.
    Entry(EntryRecord),
}

/// The current state of a training action.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ActionRecord {
    /// Unique within the source.
    pub source_key: String,
    /// Grows with each change of the action.
    pub source_version: u32,
    /// Whose action it is.
    pub member_number: String,
    /// What its entries name.
    pub action_id: String,
    /// What is taught.
    pub title: String,
    /// What pays for it.
    pub scheme: Scheme,
    /// How far it has come.
    pub status: ActionStatus,
    /// Decides the view; the day of lodging as long as nothing is committed.
    pub engagement_date: Date,
}

/// One accounting fact, never changed once sent except by a higher version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EntryRecord {
    /// Unique within the source.
    pub source_key: String,
    /// Grows with each correction.
    pub source_version: u32,
    /// Whose entry it is.
    pub member_number: String,
    /// The action; contributions have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub action_id: Option<String>,
    /// What happened; gives the amount its sign.
    pub kind: EntryKind,
    /// What the money is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost_kind: Option<CostKind>,
    /// Who is paid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payee: Option<Payee>,
    /// Whole cents; negative only for a commitment's revision.
    pub amount_cents: i64,
    /// The day on which it counts.
    pub effective_date: Date,
    /// The year that a contribution is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contribution_year: Option<i16>,
    /// The notice that lists this payment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remittance_number: Option<String>,
    /// The line on the bank statement.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bank_reference: Option<String>,
    /// The invoice that is received, rejected or paid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub invoice_number: Option<String>,
    /// What a member reads, in French.
    pub label: String,
}

/// Whether the law had this scheme, and the fund ran it, in that year.
#[must_use]
pub fn scheme_in_force(scheme: Scheme, year: i16) -> bool {
    match scheme {
        Scheme::Plan => year <= 2018,
        Scheme::Dif => (2004..=2014).contains(&year),
        // From 2020 on the Caisse des Dépôts runs it, not the funds.
        Scheme::Cpf => (2015..=2019).contains(&year),
        Scheme::Pdc | Scheme::ProA | Scheme::Apprenticeship => year >= 2019,
        Scheme::Poe => year >= 2011,
        Scheme::Professionalisation => year >= 2004,
        Scheme::Vae | Scheme::Assessment => true,
    }
}
