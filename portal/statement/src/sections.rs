//! What follows the head, in the order of reading: sums by scheme and month, then each list.

use jiff::civil::Date;
use krilla::tagging::Tag;
use portal::domain::{Cents, Paid};

use crate::font::Weight;
use crate::layout::{GREY, Layout, Style};
use crate::letterhead::day;
use crate::table::{Table, figures, numbers, words};
use crate::{Action, Contribution, Measures, Month, Remittance, Statement};

/// Between a note and its table, in points.
const GAP: f32 = 4.0;
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
    excesses(layout, statement);
    contributions(layout, statement);
    remittances(layout, statement);
}

fn month(date: Date) -> String {
    let index = usize::from(date.month().unsigned_abs()).saturating_sub(1);
    format!("{} {}", MONTHS.get(index).unwrap_or(&""), date.year())
}

/// Committed, paid to the company and to providers, in progress, remaining: the columns that most tables end with.
fn shown(measures: Measures) -> [String; 5] {
    let Paid { to_company, to_providers } = measures.paid;
    [measures.committed, to_company, to_providers, measures.in_progress, measures.remaining]
        .map(|amount| amount.to_string())
}

const NOTE: Style = Style { weight: Weight::Regular, size: TEXT, colour: GREY };

/// A section that has nothing to list.
fn nothing(layout: &mut Layout<'_>, heading: &str, says: &str) {
    layout.section(heading, NOTE.size * 1.4);
    layout.paragraph(says, NOTE, Tag::P);
}

/// A section with a table.
fn section(layout: &mut Layout<'_>, heading: &str, table: &Table<'_>) {
    layout.section(heading, table.room(layout));
    table.write(layout);
}

/// A section with a note above its table.
fn noted(layout: &mut Layout<'_>, heading: &str, note: &str, table: &Table<'_>) {
    layout.section(heading, layout.height(note, NOTE) + GAP + table.room(layout));
    layout.paragraph(note, NOTE, Tag::P);
    layout.y += GAP;
    table.write(layout);
}

fn schemes(layout: &mut Layout<'_>, statement: &Statement) {
    if statement.schemes.is_empty() {
        return nothing(layout, "Par dispositif", "Aucun engagement sur cet exercice.");
    }
    let columns = [
        words("Dispositif", 1.9),
        figures("Engagé", 1.0),
        figures("Réglé à l’entreprise", 1.0),
        figures("Réglé aux organismes", 1.0),
        figures("En cours", 1.0),
        figures("Reste à payer", 1.0),
    ];
    let rows = statement.schemes.iter().map(|(scheme, sums)| row([scheme.label().to_owned()], shown(*sums)));
    let total = row(["Total".to_owned()], shown(statement.totals));
    section(layout, "Par dispositif", &Table::new(layout, &columns, TEXT, rows, Some(total)));
}

fn months(layout: &mut Layout<'_>, statement: &Statement) {
    if statement.months.is_empty() {
        return nothing(layout, "Par mois", "Aucun mouvement sur cet exercice.");
    }
    let columns = [
        words("Mois", 1.7),
        figures("Engagé", 1.0),
        figures("Réglé à l’entreprise", 1.0),
        figures("Réglé aux organismes", 1.0),
        figures("Contributions versées", 1.2),
    ];
    let amounts = |committed, paid: Paid, contributed| {
        [committed, paid.to_company, paid.to_providers, contributed].map(|amount: Cents| amount.to_string())
    };
    let rows = statement.months.iter().map(|Month { first_day, committed, paid, contributed }| {
        row([month(*first_day)], amounts(*committed, *paid, *contributed))
    });
    let Measures { committed, paid, .. } = statement.totals;
    let total = row(["Total".to_owned()], amounts(committed, paid, statement.contributed));
    section(layout, "Par mois", &Table::new(layout, &columns, TEXT, rows, Some(total)));
}

fn actions(layout: &mut Layout<'_>, statement: &Statement) {
    if statement.actions.is_empty() {
        return nothing(layout, "Actions de formation", "Aucune action engagée sur cet exercice.");
    }
    let columns = [
        numbers("Dossier", 62.0),
        words("Intitulé", 118.0),
        words("Dispositif, statut", 92.0),
        figures("Engagé", 44.0),
        figures("Réglé à l’entreprise", 54.0),
        figures("Réglé aux organismes", 54.0),
        figures("En cours", 44.0),
        figures("Reste à payer", 44.0),
    ];
    let rows = statement.actions.iter().map(|action: &Action| {
        let words = [
            format!("{} du\u{a0}{}", action.id, day(action.engaged)),
            action.title.clone(),
            format!("{}, {}", action.scheme.label(), action.status.label()),
        ];
        row(words, shown(action.measures))
    });
    let words = ["Total".to_owned(), String::new(), String::new()];
    let total = row(words, shown(statement.totals));
    section(layout, "Actions de formation", &Table::new(layout, &columns, SMALL, rows, Some(total)));
}

/// The actions that were paid too much or of which something was taken back; most accounts have none, and no section.
fn excesses(layout: &mut Layout<'_>, statement: &Statement) {
    let columns = [numbers("Dossier", 1.6), words("Intitulé", 3.4), figures("Trop-perçu", 1.0), figures("Repris", 1.0)];
    let amounts = |measures: Measures| [measures.overpaid, measures.recovered].map(|amount| amount.to_string());
    let rows =
        statement.excesses().map(|action| row([action.id.clone(), action.title.clone()], amounts(action.measures)));
    let total = row(["Total".to_owned(), String::new()], amounts(statement.totals));
    let table = Table::new(layout, &columns, TEXT, rows, Some(total));
    if table.is_empty() {
        return;
    }
    let note = "« Trop-perçu » est ce qui reste réglé au-delà de l’engagement ; « Repris » est ce que le fonds a repris de ce \
                qu’il avait réglé. Ni l’un ni l’autre n’augmente le reste à payer.";
    noted(layout, "Trop-perçus et reprises", note, &table);
}

fn contributions(layout: &mut Layout<'_>, statement: &Statement) {
    if statement.contributions.is_empty() {
        return nothing(layout, "Contributions", "Aucune contribution sur cet exercice.");
    }
    let columns = [numbers("Date", 1.0), words("Nature", 2.0), words("Libellé", 2.2), figures("Montant", 1.2)];
    let rows = statement.contributions.iter().map(|Contribution { date, kind, label, amount }| {
        row([day(*date), kind.label().to_owned(), label.clone()], [amount.to_string()])
    });
    let total = row(["Total".to_owned(), String::new(), String::new()], [statement.contributed.to_string()]);
    section(layout, "Contributions", &Table::new(layout, &columns, TEXT, rows, Some(total)));
}

/// Transfers of each side apart: a company's bank shows nothing of what went to training bodies.
fn remittances(layout: &mut Layout<'_>, statement: &Statement) {
    side(
        layout,
        statement,
        |paid| paid.to_company,
        "Virements à l’entreprise",
        "Aucun virement à l’entreprise sur cet exercice.",
        "Chaque virement est montré en entier. « Viré » est ce que le fonds a envoyé, comme la banque de l’entreprise \
         l’affiche ; « Revenu ou repris » est ce qui est revenu de la banque ou que le fonds a repris. Un virement peut \
         aussi régler des actions d’autres exercices : ces montants ne s’additionnent pas.",
    );
    side(
        layout,
        statement,
        |paid| paid.to_providers,
        "Virements aux organismes de formation",
        "Aucun virement à un organisme de formation sur cet exercice.",
        "Réglés directement aux organismes pour les actions de l’entreprise : la banque de l’entreprise n’en affiche \
         rien. Ces montants ne s’additionnent pas non plus.",
    );
}

/// The transfers of one side, each with what it sent to that side and what came back from it.
fn side(layout: &mut Layout<'_>, statement: &Statement, of: fn(Paid) -> Cents, heading: &str, none: &str, note: &str) {
    let columns = [
        numbers("Date", 1.1),
        numbers("Avis de virement", 1.6),
        words("Référence bancaire", 2.0),
        figures("Viré", 1.1),
        figures("Revenu ou repris", 1.1),
        figures("Net", 1.1),
    ];
    let rows =
        statement.remittances.iter().filter_map(|Remittance { number, date, bank_reference, sent, returned }| {
            let (sent, returned) = (of(*sent), of(*returned));
            if sent == Cents::ZERO && returned == Cents::ZERO {
                return None;
            }
            let words = [day(*date), number.clone(), bank_reference.clone().unwrap_or_default()];
            Some(row(words, [sent, returned, sent - returned].map(|amount| amount.to_string())))
        });
    let table = Table::new(layout, &columns, TEXT, rows, None);
    if table.is_empty() {
        return nothing(layout, heading, none);
    }
    noted(layout, heading, note, &table);
}

fn row<const W: usize, const F: usize>(words: [String; W], figures: [String; F]) -> Vec<String> {
    words.into_iter().chain(figures).collect()
}
