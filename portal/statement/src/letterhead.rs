//! The head of the first page: who writes to whom, what it is, and the sums.

use jiff::civil::Date;
use krilla::tagging::Tag;
use portal::domain::{FUND_ZONE, Siret};

use crate::font::Weight;
use crate::layout::{BLUE, GREY, INK, LEFT, Layout, PALE, RIGHT, Style, TOP, WIDTH};
use crate::{Measures, Statement, has_excess};

/// Kept for the fund's logo at the top left, in points. Until the fund gives its artwork, its name stands there.
const LOGO: (f32, f32) = (170.0, 48.0);
/// Where the addressee stands, so that the window of an envelope (DL, on the right) shows it.
const ADDRESSEE: f32 = 320.0;

/// The document's title.
pub(crate) fn title(statement: &Statement) -> String {
    format!("Relevé annuel du compte adhérent – exercice {}", statement.view)
}

/// The state that the data are of.
pub(crate) fn as_of(statement: &Statement) -> String {
    let local = statement.as_of.to_zoned_datetime(FUND_ZONE.clone());
    let time = format!("{:02}:{:02}:{:02}", local.hour(), local.minute(), local.second());
    let last = match statement.postings {
        0 => "aucune écriture".to_owned(),
        number => format!("écriture n° {number} de l’exercice"),
    };
    format!("Situation au {} à {time} (heure de Paris), {last}", day(local.date()))
}

/// `31/12/2011`
pub(crate) fn day(date: Date) -> String {
    format!("{:02}/{:02}/{:04}", date.day(), date.month(), date.year())
}

/// `533 846 150 00019`, with no-break spaces, as the SIRET is read.
fn siret(siret: &Siret) -> String {
    let digits = siret.to_string();
    let space = |index| matches!(index, 3 | 6 | 9);
    digits
        .chars()
        .enumerate()
        .flat_map(|(index, digit)| space(index).then_some('\u{a0}').into_iter().chain([digit]))
        .collect()
}

/// `unshown` is how many characters of the statement's texts the fonts lack.
pub(crate) fn write(layout: &mut Layout<'_>, statement: &Statement, unshown: usize) {
    let body = Style { weight: Weight::Regular, size: 9.5, colour: INK };
    logo(layout);
    addressee(layout, statement, body);

    layout.y = TOP + 122.0;
    let title = title(statement);
    let style = Style { weight: Weight::Bold, size: 18.0, colour: BLUE };
    layout.paragraph(&title, style, Tag::Hn(std::num::NonZeroU16::MIN, Some(title.clone())));
    layout.y += 2.0;
    let period = match statement.from {
        Some(from) => format!("Actions engagées du {} au {}", day(from), day(statement.to)),
        None => format!("Actions engagées jusqu’au {}", day(statement.to)),
    };
    layout.paragraph(&period, body, Tag::P);
    layout.paragraph(&as_of(statement), body, Tag::P);
    let small = Style { size: 8.5, colour: GREY, ..body };
    if let Some(note) = unshown_note(unshown) {
        layout.paragraph(&note, small, Tag::P);
    }

    layout.section("Vue d’ensemble", 110.0);
    sums(layout, statement);
    let note = "Engagements, règlements et contributions sont trois mesures distinctes : elles ne forment pas un solde. \
                Le réglé est ce que l’entreprise a reçu et ce que les organismes de formation ont reçu pour elle, moins \
                ce qui est revenu ou a été repris. Le reste à payer est l’engagé moins le réglé.";
    layout.paragraph(note, small, Tag::P);
}

/// What the statement says of characters that it cannot show; nothing where there are none.
fn unshown_note(unshown: usize) -> Option<String> {
    let of_them = match unshown {
        0 => return None,
        1 => "1 caractère que ce document ne sait pas reproduire y est remplacé par « \u{fffd} » ou omis".to_owned(),
        many => {
            format!(
                "{many} caractères que ce document ne sait pas reproduire y sont remplacés par « \u{fffd} » ou omis"
            )
        }
    };
    Some(format!("{of_them} : le compte adhérent en ligne et ses exports montrent les textes entiers."))
}

fn logo(layout: &mut Layout<'_>) {
    let (width, height) = LOGO;
    let figure = layout.figure("Constructys", (LEFT, TOP, width, height));
    layout.fill_of(figure, (LEFT, TOP, 6.0, height), BLUE);
    let name = Style { weight: Weight::Bold, size: 22.0, colour: BLUE };
    layout.text(LEFT + 16.0, TOP + 24.0, "Constructys ", name, Some(figure));
    let below = Style { weight: Weight::Regular, size: 9.0, colour: GREY };
    layout.text(LEFT + 16.0, TOP + 41.0, "Compte adhérent", below, Some(figure));
}

fn addressee(layout: &mut Layout<'_>, statement: &Statement, body: Style) {
    layout.y = TOP + 38.0;
    let width = RIGHT - ADDRESSEE;
    let name = Style { weight: Weight::Bold, size: 11.0, ..body };
    layout.lines(&statement.establishment, name, Tag::P, (ADDRESSEE, width));
    layout.lines(&format!("SIRET : {}", siret(&statement.siret)), body, Tag::P, (ADDRESSEE, width));
    layout.lines(&format!("Numéro adhérent : {}", statement.member_number), body, Tag::P, (ADDRESSEE, width));
}

/// The sums side by side.
fn sums(layout: &mut Layout<'_>, statement: &Statement) {
    let totals: Measures = statement.totals;
    // Most accounts have neither, and a zero would make them look for it.
    let excess = match has_excess(&totals) {
        true => format!(" trop-perçu : {} ; repris : {}", totals.overpaid, totals.recovered),
        false => String::new(),
    };
    let boxes = [
        (
            "Engagé",
            totals.committed,
            [
                format!("Reste à payer : {} ", totals.remaining),
                format!("En cours de traitement : {}", totals.in_progress),
                String::new(),
            ],
        ),
        (
            "Réglé",
            totals.paid.total(),
            [
                format!("à l’entreprise : {} ", totals.paid.to_company),
                format!("aux organismes de formation : {}", totals.paid.to_providers),
                excess,
            ],
        ),
        (
            "Contributions versées",
            statement.contributed,
            ["mutualisées, sans droit de tirage".to_owned(), String::new(), String::new()],
        ),
    ];
    let (gap, height, top) = (10.0, 87.0, layout.y);
    let width = (WIDTH - 2.0 * gap) / 3.0;
    let mut x = LEFT;
    for (name, amount, [more, most, last]) in boxes {
        layout.fill((x, top, width, height), PALE);
        layout.fill((x, top, width, 3.0), BLUE);
        let small = Style { weight: Weight::Regular, size: 9.0, colour: INK };
        let large = Style { weight: Weight::Bold, size: 16.0, colour: BLUE };
        let element = layout.element(Tag::P, None);
        for (text, baseline, style) in [
            (format!("{name} "), 19.0, small),
            (format!("{amount} "), 39.0, large),
            (more, 55.0, Style { size: 8.0, ..small }),
            (most, 66.0, Style { size: 8.0, ..small }),
            (last, 77.0, Style { size: 8.0, ..small }),
        ] {
            if text.is_empty() {
                continue;
            }
            layout.text_within((x + 12.0, top + baseline), &text, style, width - 20.0, element);
        }
        x += width + gap;
    }
    layout.y = top + height + 8.0;
}
