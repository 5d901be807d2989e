use jiff::civil::date;
use portal::domain::{ActionStatus, Cents, EntryKind, MemberNumber, Scheme, Siret, View};

use crate::layout::{ElementId, Mark, Pages};
use crate::{
    Action, Contribution, MOST_ROWS, Measures, Month, Remittance, RenderError, Statement, font, pages, render,
};

fn measures(committed: i64, paid: i64, in_progress: i64) -> Measures {
    Measures { committed: Cents(committed), paid: Cents(paid), in_progress: Cents(in_progress) }
}

fn action(number: usize) -> Action {
    Action {
        id: format!("DOS-{number:06}"),
        title: "Conduite d’engins de chantier, catégorie A".into(),
        scheme: Scheme::Plan,
        status: ActionStatus::PartlyPaid,
        engaged: date(2011, 8, 30),
        measures: measures(123_456, 100_000, 20_000),
    }
}

fn of_actions(actions: Vec<Action>) -> Statement {
    Statement {
        member_number: MemberNumber::parse("012345").unwrap(),
        siret: Siret::parse("53384615000019").unwrap(),
        establishment: "Maçonnerie Lefèvre & Fils – Œuvres".into(),
        view: View::parse("2011").unwrap(),
        from: None,
        to: date(2011, 12, 31),
        as_of: "2012-10-15T09:05:00Z".parse().unwrap(),
        totals: measures(123_456, 100_000, 20_000),
        contributed: Cents(987_654_321),
        schemes: vec![(Scheme::Plan, measures(123_456, 100_000, 20_000))],
        months: vec![Month {
            first_day: date(2011, 8, 1),
            committed: Cents(123_456),
            paid: Cents(100_000),
            contributed: Cents(987_654_321),
        }],
        actions,
        contributions: vec![
            Contribution {
                date: date(2011, 2, 28),
                kind: EntryKind::ContributionLegal,
                label: "Appel 2011".into(),
                amount: Cents(987_704_321),
            },
            Contribution {
                date: date(2011, 8, 1),
                kind: EntryKind::ContributionRefund,
                label: "Trop-perçu".into(),
                amount: Cents(-50_000),
            },
        ],
        remittances: vec![Remittance {
            number: "V-2011-0042".into(),
            date: date(2011, 11, 3),
            bank_reference: Some("SEPA 20111103 000042".into()),
            amount: Cents(100_000),
        }],
    }
}

fn small() -> Statement {
    of_actions(vec![action(1)])
}

fn laid_out(statement: &Statement) -> Pages {
    pages(&font::Fonts::load().unwrap(), statement)
}

/// What belongs to an element of the document, one element a line, cells of a row beside each other.
fn read(pages: &Pages) -> String {
    let mut lines: Vec<(Option<ElementId>, String)> = Vec::new();
    let mut texts: Vec<String> = vec![String::new(); pages.elements.len()];
    for mark in pages.pages.iter().flatten() {
        if let Mark::Text { text, element: Some(ElementId(element)), .. } = mark {
            texts[*element].push_str(text);
        }
    }
    for (element, text) in pages.elements.iter().zip(texts) {
        match lines.last_mut() {
            Some((row, line)) if row.is_some() && *row == element.parent && !line.is_empty() => {
                line.push_str(" | ");
                line.push_str(&text);
            }
            _ if text.is_empty() => {}
            _ => lines.push((element.parent, text)),
        }
    }
    lines.into_iter().map(|(_, line)| line + "\n").collect()
}

/// How often something stands in the PDF; the tree of its elements is not compressed.
fn count(pdf: &[u8], what: &str) -> usize {
    pdf.windows(what.len()).filter(|window| *window == what.as_bytes()).count()
}

#[test]
fn a_small_statement_reads_as_it_should() {
    let text = read(&laid_out(&small())).replace('\u{202f}', "_").replace('\u{a0}', "~");
    insta::assert_snapshot!(text);
}

#[test]
fn the_document_is_tagged_in_french_and_has_its_title() {
    let pdf = render(&small()).unwrap();
    assert_eq!(count(&pdf, "/Marked true"), 1);
    assert_eq!(count(&pdf, "/Lang(fr-FR)"), 2, "of the catalogue and of the tree");
    assert_eq!(count(&pdf, "/DisplayDocTitle true"), 1);
    assert_eq!(count(&pdf, "pdfuaid:part"), 2, "the element's start and end");
    assert!(count(&pdf, "Relevé annuel du compte adhérent – exercice 2011") > 0, "the title is in the metadata");
    assert_eq!(count(&pdf, "/Alt(Constructys)"), 1, "what the logo says");
}

#[test]
fn every_heading_of_a_table_has_its_scope_and_stands_in_the_tree_once() {
    let pdf = render(&of_actions((0..300).map(action).collect())).unwrap();
    // Schemes 5, months 4, actions 8, contributions 4, transfers 4.
    let columns = 5 + 4 + 8 + 4 + 4;
    // One a body row, one a total.
    let rows = (1 + 1) + (1 + 1) + (300 + 1) + (2 + 1) + 1;
    assert_eq!(count(&pdf, "/Scope/Column"), columns);
    assert_eq!(count(&pdf, "/Scope/Row"), rows);
    assert_eq!(count(&pdf, "/S/TH/"), columns + rows);
    assert_eq!(count(&pdf, "/S/TD/"), 2 * 4 + 2 * 3 + 301 * 7 + 3 * 3 + 3);
    assert_eq!(count(&pdf, "/S/TR/"), 5 + rows);
    assert_eq!((count(&pdf, "/S/Table/"), count(&pdf, "/S/TFoot/")), (5, 4));
}

#[test]
fn a_long_table_repeats_its_heading_on_each_page_as_furniture() {
    let pages = laid_out(&of_actions((0..300).map(action).collect()));
    assert!(pages.pages.len() > 5, "{} pages", pages.pages.len());
    let (mut tagged, mut furniture) = (0, 0);
    for page in &pages.pages {
        let texts = || {
            page.iter().filter_map(|mark| match mark {
                Mark::Text { text, element, .. } => Some((text.as_str(), element)),
                Mark::Box { .. } => None,
            })
        };
        let headings: Vec<_> = texts().filter(|(text, _)| *text == "Dossier").collect();
        assert_eq!(headings.len(), usize::from(texts().any(|(text, _)| text.starts_with("DOS-"))));
        tagged += headings.iter().filter(|(_, element)| element.is_some()).count();
        furniture += headings.iter().filter(|(_, element)| element.is_none()).count();
    }
    assert_eq!(tagged, 1);
    assert!(furniture > 4);
    let text = read(&pages);
    assert!((0..300).all(|number| text.matches(&format!("DOS-{number:06}")).count() == 1));
}

#[test]
fn nothing_stands_below_the_last_line_or_beside_the_page() {
    let fonts = font::Fonts::load().unwrap();
    let mut odd = action(1);
    odd.id = "X".repeat(64);
    odd.title = "Gros œuvre ".repeat(40);
    odd.measures = measures(i64::MIN, i64::MAX, 1);
    let actions = (0..90).map(|number| if number % 7 == 3 { odd.clone() } else { action(number) });
    let pages = laid_out(&of_actions(actions.collect()));
    for mark in pages.pages.iter().flatten() {
        let Mark::Text { x, baseline, text, style, .. } = mark else { continue };
        let right = x + fonts.face(style.weight).width(text.trim_end(), style.size);
        assert!(*x >= crate::layout::LEFT && right <= crate::layout::RIGHT + 0.1, "{text} ends at {right}");
        assert!(*baseline < crate::layout::PAGE.1 - 60.0, "{text} stands at {baseline}");
    }
}

#[test]
fn the_same_statement_gives_the_same_bytes() {
    assert_eq!(render(&small()).unwrap(), render(&small()).unwrap());
}

#[test]
fn three_thousand_rows_fit_into_an_answer_and_one_more_is_refused() {
    let mut long = action(1);
    long.title = "Conduite d’engins de chantier et de levage, catégorie A, recyclage des acquis ".repeat(2);
    let mut statement = of_actions(vec![long.clone(); MOST_ROWS - 3]);
    let pdf = render(&statement).unwrap();
    // 6 MB as base64, less the frame of the answer.
    assert!(pdf.len() < 4_400_000, "{} bytes", pdf.len());
    statement.actions.push(long);
    assert!(matches!(render(&statement), Err(RenderError::TooLong(rows)) if rows == MOST_ROWS + 1));
}

#[test]
fn no_text_or_amount_keeps_a_statement_from_being_written() {
    let mut strange = action(1);
    strange.title = "工事 \u{0}\t e\u{301}cole \u{e000}\u{202e} ".repeat(20);
    strange.id = String::new();
    strange.measures = measures(i64::MIN, i64::MAX, i64::MIN);
    let mut statement = of_actions(vec![strange]);
    statement.establishment = String::new();
    statement.totals = measures(i64::MIN, i64::MAX, i64::MIN);
    statement.schemes.clear();
    statement.months.clear();
    statement.contributions.clear();
    statement.remittances.clear();
    let text = read(&laid_out(&statement));
    assert!(text.contains("\u{fffd}\u{fffd}    école \u{fffd}"), "{text}");
    assert!(text.contains("Aucune contribution sur cet exercice."), "{text}");
    render(&statement).unwrap();
    statement.actions.clear();
    assert!(read(&laid_out(&statement)).contains("Aucune action engagée sur cet exercice."));
    render(&statement).unwrap();
}
