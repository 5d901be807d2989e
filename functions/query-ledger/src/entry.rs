//! An entry as the contract shows it: made of one that is readable, and of no other.

use jiff::Timestamp;
use jiff::civil::Date;
use portal::domain::{Cents, CostKind, EntryKind, Id, Identifier, Payee, RemittanceNumber, ShortText, Siret};
use portal::store::ReadableEntry;
use serde::Serialize;

#[derive(Serialize)]
pub(crate) struct EntryBody {
    entry_id: Id,
    siret: Siret,
    kind: EntryKind,
    #[serde(skip_serializing_if = "Option::is_none")]
    cost_kind: Option<CostKind>,
    #[serde(skip_serializing_if = "Option::is_none")]
    payee: Option<Payee>,
    /// The side whose paid amount it moves, where it moves one.
    #[serde(skip_serializing_if = "Option::is_none")]
    paid_to: Option<Payee>,
    amount_cents: Cents,
    effective_date: Date,
    booked_at: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    remittance_number: Option<RemittanceNumber>,
    #[serde(skip_serializing_if = "Option::is_none")]
    bank_reference: Option<ShortText>,
    #[serde(skip_serializing_if = "Option::is_none")]
    invoice_number: Option<ShortText>,
    label: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    reverses: Option<Id>,
    /// Said only where all entries of the action are at hand.
    #[serde(skip_serializing_if = "Option::is_none")]
    reversed_by: Option<Id>,
    source: Identifier,
    source_key: Identifier,
    source_version: u64,
    batch_id: Identifier,
    /// Said only where it is so: its texts are another account's.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    posted_by_mistake: bool,
}

impl EntryBody {
    /// An entry that another one reverses, if any does.
    pub(crate) fn reversed(reversed_by: Option<Id>, entry: ReadableEntry) -> Self {
        Self { reversed_by, ..entry.into() }
    }
}

impl From<ReadableEntry> for EntryBody {
    fn from(entry: ReadableEntry) -> Self {
        let (paid_to, posted_by_mistake) = (entry.paid_side(), entry.is_withheld());
        let entry = entry.into_entry();
        Self {
            entry_id: entry.entry_id,
            siret: entry.siret,
            kind: entry.facts.kind,
            cost_kind: entry.facts.cost_kind,
            payee: entry.facts.payee,
            paid_to,
            amount_cents: entry.facts.amount,
            effective_date: entry.facts.date,
            booked_at: entry.booked_at,
            remittance_number: entry.facts.remittance,
            bank_reference: entry.facts.bank,
            invoice_number: entry.facts.invoice,
            label: entry.facts.label,
            reverses: entry.reverses.map(|reversed| reversed.entry_id),
            reversed_by: None,
            source: entry.source,
            source_key: entry.source_key,
            source_version: entry.source_version,
            batch_id: entry.batch_id,
            posted_by_mistake,
        }
    }
}
