//! Actions as rows, with the figures that their list shows.

use portal::store::ListedAction;

use crate::columns::{Cell, Column, Row, column, text};

impl Row for ListedAction {
    const COLUMNS: &'static [Column<Self>] = &COLUMNS;
    const SHEET: &'static str = "Actions";
    const NOTES: &'static [&'static str] = &NOTES;
}

/// What the last sheet says.
const NOTES: [&str; 4] = [
    "Une ligne par action, telle que le portail la montre à l’instant où ce fichier a été préparé, dans l’ordre de la liste affichée.",
    "La somme d’une colonne de montants est le total affiché au-dessus de la liste, au centime près, tous filtres compris.",
    "Payé est la somme de Payé à l’entreprise, que votre banque affiche, et de Payé aux organismes, réglé directement aux organismes de formation. Le reste à payer n’est jamais moins de zéro ; ce qui est payé au-delà de l’engagé est Payé en trop.",
    "Les numéros (adhérent, action) sont des textes : leurs zéros de tête comptent.",
];

#[rustfmt::skip]
const COLUMNS: [Column<ListedAction>; 15] = [
    column("Exercice", 9, |action| Cell::Whole(action.home.view.year())),
    column("Date d’engagement", 17, |action| Cell::Day(action.engagement_date)),
    column("N° d’action", 16, |action| text(&action.action_id)),
    column("Intitulé", 44, |action| text(&action.title)),
    column("Dispositif", 24, |action| text(action.home.scheme.label())),
    column("Statut", 20, |action| text(action.status.label())),
    column("N° adhérent", 12, |action| text(&action.member_number)),
    column("Engagé (€)", 15, |action| Cell::Amount(action.measures().committed)),
    column("Payé (€)", 15, |action| Cell::Amount(action.measures().paid.total())),
    column("Payé à l’entreprise (€)", 22, |action| Cell::Amount(action.measures().paid.to_company)),
    column("Payé aux organismes (€)", 22, |action| Cell::Amount(action.measures().paid.to_providers)),
    column("En cours (€)", 15, |action| Cell::Amount(action.measures().in_progress)),
    column("Reste à payer (€)", 17, |action| Cell::Amount(action.measures().remaining)),
    column("Payé en trop (€)", 16, |action| Cell::Amount(action.measures().overpaid)),
    column("Repris (€)", 15, |action| Cell::Amount(action.measures().recovered)),
];
