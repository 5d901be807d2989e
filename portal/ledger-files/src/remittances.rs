//! Transfers as rows, with the amounts that their list shows.

use portal::store::{ListedRemittance, TransferPayee};

use crate::columns::{Cell, Column, Row, column, optional, text};

impl Row for ListedRemittance {
    const COLUMNS: &'static [Column<Self>] = &COLUMNS;
    const SHEET: &'static str = "Virements";
    const NOTES: &'static [&'static str] = &NOTES;
}

/// What the last sheet says.
const NOTES: [&str; 4] = [
    "Une ligne par virement, tel que le portail le montre à l’instant où ce fichier a été préparé, le plus récent en tête.",
    "Envoyé est le virement entier, Revenu ce qui en est revenu ou a été repris, Montant la différence. Votre banque affiche ce qui est allé à l’entreprise, et rien de ce qui est allé aux organismes de formation.",
    "Un virement peut payer des actions de plusieurs exercices : il figure dans le fichier de chacun avec ses montants entiers. N’additionnez donc pas les fichiers de plusieurs exercices ; celui de tous les exercices contient chaque virement une fois.",
    "Les numéros (adhérent, avis de virement) sont des textes : leurs zéros de tête comptent.",
];

#[rustfmt::skip]
const COLUMNS: [Column<ListedRemittance>; 11] = [
    column("Date", 12, |transfer| Cell::Day(transfer.date)),
    column("N° d’avis de virement", 21, |transfer| text(&transfer.number)),
    column("Référence bancaire", 24, |transfer| optional(transfer.bank_reference.as_ref())),
    column("Destinataire", 36, |transfer| text(payee(transfer.moved.payee()))),
    column("N° adhérent", 12, |transfer| text(&transfer.member_number)),
    column("Envoyé (€)", 15, |transfer| Cell::Amount(transfer.moved.sent.total())),
    column("Revenu (€)", 15, |transfer| Cell::Amount(transfer.moved.returned.total())),
    column("Montant (€)", 15, |transfer| Cell::Amount(transfer.moved.paid().total())),
    column("Payé à l’entreprise (€)", 22, |transfer| Cell::Amount(transfer.moved.paid().to_company)),
    column("Payé aux organismes (€)", 22, |transfer| Cell::Amount(transfer.moved.paid().to_providers)),
    column("Source", 12, |transfer| text(&transfer.source)),
];

fn payee(payee: TransferPayee) -> &'static str {
    match payee {
        TransferPayee::Company => "Entreprise",
        TransferPayee::Provider => "Organisme de formation",
        TransferPayee::Both => "Entreprise et organismes de formation",
    }
}
