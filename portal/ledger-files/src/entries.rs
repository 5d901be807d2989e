//! Entries as rows.
//!
//! The measures are signed by what an entry does to them, so the sum of a column is the total that the
//! summary shows. "En cours" alone is not: what is shown of an action is never below zero, nor is what is open of one of its
//! invoices, and a column of entries cannot say that; added up by action and invoice, it is the total too.

use portal::domain::{Cents, CostKind, FUND_ZONE, Payee, Scheme, fund_day};
use portal::store::ReadableEntry;

use crate::columns::{Cell, Column, Row, column, optional, text};

impl Row for ReadableEntry {
    const COLUMNS: &'static [Column<Self>] = &COLUMNS;
    const SHEET: &'static str = "Écritures";
    const NOTES: &'static [&'static str] = &NOTES;
}

/// What the last sheet says.
const NOTES: [&str; 10] = [
    "Une ligne par écriture, dans l’ordre des exercices et des dates d’effet. Rien n’est jamais modifié : une erreur est corrigée par une contre-passation et une nouvelle écriture.",
    "Les colonnes Engagé, Payé et Cotisé portent le signe de leur effet : la somme d’une colonne, pour un exercice entier, est le total affiché par le portail, au centime près.",
    "Payé est la somme de Payé à l’entreprise, que votre banque affiche, et de Payé aux organismes, réglé directement aux organismes de formation. Ce qui revient ou est repris est retiré du côté dont il provient.",
    "En cours est signé par écriture. Pour chaque action, additionnez par n° de facture et comptez zéro pour une somme négative : ce qui est payé au-delà d’une facture n’en solde aucune autre. Déduisez-en les paiements sans n° de facture ; ajoutez les factures sans n°, moins ce que les autres ont reçu en trop. Jamais moins de zéro, vous retrouvez le total affiché.",
    "Le reste à payer n’est pas une somme de colonnes : pour chaque action, c’est l’engagé moins ce qui a été payé, sans y rajouter les reprises, et jamais moins de zéro ; rien pour une action soldée, refusée ou annulée. Ce qui a été repris est la somme des écritures Reprise et de leurs contre-passations.",
    "Engagé, Payé et Cotisé ne forment ensemble aucun solde : les contributions légales sont mutualisées.",
    "Montant brut est le montant que le fonds a transmis, et d’une contre-passation l’opposé du montant qu’elle reprend ; l’effet d’un montant sur Engagé, Payé et Cotisé est donné par la nature de l’écriture, d’une contre-passation par celle de l’écriture contre-passée.",
    "Imputé par erreur désigne une écriture qui relève d’un autre compte, où elle est désormais, et ce qui l’annule ici : sa date et son montant restent, ses textes n’appartiennent qu’à l’autre compte.",
    "Comptabilisé à donne l’instant auquel l’écriture a été passée, et N° d’ordre dans l’exercice son rang, sans lacune : dans un fichier sans filtre, le dernier numéro de chaque exercice nomme l’état du compte que ce fichier montre.",
    "Les numéros (SIRET, adhérent, action, facture, avis de virement) sont des textes : leurs zéros de tête comptent.",
];

#[rustfmt::skip]
const COLUMNS: [Column<ReadableEntry>; 29] = [
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
