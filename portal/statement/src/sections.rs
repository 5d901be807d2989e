//! What follows the head, in the order of reading: sums by scheme and month, then each list.

use jiff::civil::Date;
use krilla::tagging::Tag;
use portal::domain::Cents;

use crate::font::Weight;
use crate::layout::{GREY, Layout, Style};
use crate::letterhead::day;
use crate::table::{Table, figures, words};
use crate::{Action, Contribution, Measures, Month, Remittance, Statement};

/// A table's heading and three rows, in points: no less stands below the heading of a section.
const ROOM: f32 = 72.0;
/// The size of tables with room for it.
const TEXT: f32 = 9.0;
/// That of the actions, which have eight columns.
const SMALL: f32 = 7.5;

const MONTHS: [&str; 12] = [
    "janvier",
    "février",
    "mars",
    "avril",
    "mai",
    "juin",
    "juillet",
    "août",
    "septembre",
    "octobre",
    "novembre",
    "décembre",
];

pub(crate) fn write(layout: &mut Layout<'_>, statement: &Statement) {
    schemes(layout, statement);
    months(layout, statement);
    actions(layout, statement);
    contributions(layout, statement);
    remittances(layout, statement);
}

fn month(date: Date) -> String {
    let index = usize::from(date.month().unsigned_abs()).saturating_sub(1);
    format!("{} {}", MONTHS.get(index).unwrap_or(&""), date.year())
}

/// Committed, paid, in progress, remaining: the columns that most tables end with.
fn shown(measures: Measures) -> [String; 4] {
    [measures.committed, measures.paid, measures.in_progress, measures.remaining()].map(|amount| amount.to_string())
}

fn note(layout: &mut Layout<'_>, text: &str) {
    layout.paragraph(text, Style { weight: Weight::Regular, size: TEXT, colour: GREY }, Tag::P);
}

fn schemes(layout: &mut Layout<'_>, statement: &Statement) {
    layout.section("Par dispositif", ROOM);
    if statement.schemes.is_empty() {
        return note(layout, "Aucun engagement sur cet exercice.");
    }
    let columns = [
        words("Dispositif", 2.2),
        figures("Engagé", 1.0),
        figures("Réglé", 1.0),
        figures("En cours", 1.0),
        figures("Reste à payer", 1.0),
    ];
    let rows = statement.schemes.iter().map(|(scheme, sums)| row([scheme.label().to_owned()], shown(*sums)));
    let total = row(["Total".to_owned()], shown(statement.totals));
    Table { columns: &columns, size: TEXT, total: Some(total) }.write(layout, rows);
}

fn months(layout: &mut Layout<'_>, statement: &Statement) {
    layout.section("Par mois", ROOM);
    if statement.months.is_empty() {
        return note(layout, "Aucun mouvement sur cet exercice.");
    }
    let columns =
        [words("Mois", 2.0), figures("Engagé", 1.0), figures("Réglé", 1.0), figures("Contributions versées", 1.2)];
    let amounts = |amounts: [Cents; 3]| amounts.map(|amount| amount.to_string());
    let rows = statement.months.iter().map(|Month { first_day, committed, paid, contributed }| {
        row([month(*first_day)], amounts([*committed, *paid, *contributed]))
    });
    let Measures { committed, paid, .. } = statement.totals;
    let total = row(["Total".to_owned()], amounts([committed, paid, statement.contributed]));
    Table { columns: &columns, size: TEXT, total: Some(total) }.write(layout, rows);
}

fn actions(layout: &mut Layout<'_>, statement: &Statement) {
    layout.section("Actions de formation", ROOM);
    if statement.actions.is_empty() {
        return note(layout, "Aucune action engagée sur cet exercice.");
    }
    let columns = [
        words("Dossier", 66.0),
        words("Intitulé", 108.0),
        words("Dispositif", 85.0),
        words("Statut", 56.0),
        figures("Engagé", 49.0),
        figures("Réglé", 49.0),
        figures("En cours", 49.0),
        figures("Reste à payer", 49.0),
    ];
    let rows = statement.actions.iter().map(|action: &Action| {
        let words = [
            format!("{} du\u{a0}{}", action.id, day(action.engaged)),
            action.title.clone(),
            action.scheme.label().to_owned(),
            action.status.label().to_owned(),
        ];
        row(words, shown(action.measures))
    });
    let words = ["Total".to_owned(), String::new(), String::new(), String::new()];
    let total = row(words, shown(statement.totals));
    Table { columns: &columns, size: SMALL, total: Some(total) }.write(layout, rows);
}

fn contributions(layout: &mut Layout<'_>, statement: &Statement) {
    layout.section("Contributions", ROOM);
    if statement.contributions.is_empty() {
        return note(layout, "Aucune contribution sur cet exercice.");
    }
    let columns = [words("Date", 1.0), words("Nature", 2.0), words("Libellé", 2.2), figures("Montant", 1.2)];
    let rows = statement.contributions.iter().map(|Contribution { date, kind, label, amount }| {
        row([day(*date), kind.label().to_owned(), label.clone()], [amount.to_string()])
    });
    let total = row(["Total".to_owned(), String::new(), String::new()], [statement.contributed.to_string()]);
    Table { columns: &columns, size: TEXT, total: Some(total) }.write(layout, rows);
}

fn remittances(layout: &mut Layout<'_>, statement: &Statement) {
    layout.section("Virements", ROOM);
    if statement.remittances.is_empty() {
        return note(layout, "Aucun virement sur cet exercice.");
    }
    note(
        layout,
        "Chaque montant est celui du virement entier à ce compte adhérent, tel que la banque l’affiche, moins ce qui \
         est revenu. Un virement peut aussi régler des actions d’autres exercices : ces montants ne s’additionnent pas.",
    );
    layout.y += 4.0;
    let columns =
        [words("Date", 1.0), words("Avis de virement", 1.6), words("Référence bancaire", 2.6), figures("Montant", 1.2)];
    let rows = statement.remittances.iter().map(|Remittance { number, date, bank_reference, amount }| {
        row([day(*date), number.clone(), bank_reference.clone().unwrap_or_default()], [amount.to_string()])
    });
    Table { columns: &columns, size: TEXT, total: None }.write(layout, rows);
}

fn row<const W: usize, const F: usize>(words: [String; W], figures: [String; F]) -> Vec<String> {
    words.into_iter().chain(figures).collect()
}
