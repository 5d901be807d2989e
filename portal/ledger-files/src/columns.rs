//! The columns of an export, the same in every format.
//!
//! The measures are signed by what an entry does to them, so the sum of a column is the total that the
//! summary shows. "En cours" alone is not: what is shown of an action is never below zero, nor is what is open of one of its
//! invoices, and a column of entries cannot say that; added up by action and invoice, it is the total too.

use std::fmt::Display;

use jiff::civil::{Date, DateTime};
use portal::domain::{Cents, CostKind, FUND_ZONE, Payee, Scheme, fund_day};
use portal::store::ReadableEntry;

/// What stands in a cell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Cell {
    /// Nothing.
    Empty,
    /// Text, also of what looks like a number: a SIRET is no quantity, and zeros lead it.
    Text(String),
    /// A whole number.
    Whole(i16),
    /// A number of whatever size.
    Number(u64),
    /// A day.
    Day(Date),
    /// A day and a time, to the millisecond.
    Moment(DateTime),
    /// An amount.
    Amount(Cents),
}

/// A column.
pub(crate) struct Column {
    /// What stands above it.
    pub(crate) heading: &'static str,
    /// How wide a spreadsheet shows it, in characters.
    pub(crate) width: u8,
    /// Its cell of an entry.
    pub(crate) cell: fn(&ReadableEntry) -> Cell,
}

/// The columns.
#[rustfmt::skip]
pub(crate) const COLUMNS: [Column; 29] = [
    column("Exercice", 9, |entry| Cell::Whole(entry.view.year())),
    column("Date d’effet", 12, |entry| Cell::Day(entry.facts.date)),
    column("Comptabilisé le", 15, |entry| Cell::Day(fund_day(entry.booked_at))),
    column("Nature", 32, |entry| text(nature(entry))),
    column("N° d’action", 16, |entry| optional(entry.action_id.as_ref())),
    column("Dispositif", 24, |entry| optional(entry.scheme.map(Scheme::label))),
    column("Nature du coût", 18, |entry| optional(entry.facts.cost_kind.map(CostKind::label))),
    column("Bénéficiaire", 22, |entry| optional(entry.facts.payee.map(Payee::label))),
    column("Libellé", 44, |entry| text(&entry.facts.label)),
    column("N° adhérent", 12, |entry| text(&entry.member_number)),
    column("SIRET", 16, |entry| text(&entry.siret)),
    column("N° de facture", 18, |entry| optional(entry.facts.invoice.as_ref())),
    column("N° d’avis de virement", 21, |entry| optional(entry.facts.remittance.as_ref())),
    column("Référence bancaire", 24, |entry| optional(entry.facts.bank.as_ref())),
    column("Engagé (€)", 15, |entry| measure(entry.effect().committed)),
    column("Payé (€)", 15, |entry| measure(entry.effect().paid.total())),
    column("Payé à l’entreprise (€)", 22, |entry| measure(entry.effect().paid.to_company)),
    column("Payé aux organismes (€)", 22, |entry| measure(entry.effect().paid.to_providers)),
    column("En cours (€, signé par écriture)", 30, |entry| measure(entry.effect().in_progress)),
    column("Cotisé (€)", 15, |entry| measure(entry.effect().contributed)),
    column("Montant brut (€)", 16, |entry| Cell::Amount(entry.facts.amount)),
    column("Écriture", 34, |entry| text(entry.entry_id)),
    column("Contre-passe l’écriture", 34, |entry| optional(entry.reverses.map(|reversed| reversed.entry_id))),
    column("Source", 12, |entry| text(&entry.source)),
    column("Clé dans la source", 20, |entry| text(&entry.source_key)),
    column("Version", 9, |entry| text(entry.source_version)),
    column("Lot", 18, |entry| text(&entry.batch_id)),
    column("N° d’ordre dans l’exercice", 24, |entry| Cell::Number(entry.posting)),
    column("Comptabilisé à (heure de Paris)", 28, |entry| Cell::Moment(entry.booked_at.to_zoned_datetime(FUND_ZONE.clone()).datetime())),
];

const fn column(heading: &'static str, width: u8, cell: fn(&ReadableEntry) -> Cell) -> Column {
    Column { heading, width, cell }
}

fn text(shown: impl Display) -> Cell {
    Cell::Text(shown.to_string())
}

fn optional(shown: Option<impl Display>) -> Cell {
    shown.map_or(Cell::Empty, text)
}

/// A measure that an entry does not move stays empty.
fn measure(amount: Cents) -> Cell {
    if amount == Cents::ZERO { Cell::Empty } else { Cell::Amount(amount) }
}

/// The kind; of a reversal also what it takes back.
fn nature(entry: &ReadableEntry) -> String {
    let kind = entry.facts.kind.label();
    match entry.reverses {
        Some(reversed) => format!("{kind} : {}", reversed.kind.label()),
        None => kind.to_owned(),
    }
}
