use std::sync::LazyLock;

use jiff::civil::date;
use krilla::tagging::TagKind;
use portal::domain::{ActionStatus, Cents, EntryKind, MemberNumber, Paid, Payee, Scheme, Siret, View};

use crate::layout::{ElementId, Mark, Pages};
use crate::{
    Action, Contribution, MOST_ROWS, Measures, Month, Remittance, RenderError, Statement, font, pages, render, unshown,
};

fn measures(committed: i64, paid: i64, in_progress: i64) -> Measures {
    let [committed, amount, in_progress] = [committed, paid, in_progress].map(Cents);
    let (paid, remaining) = (Paid::to(Payee::Company, amount), (committed - amount).or_zero());
    Measures { committed, paid, in_progress, remaining, ..Measures::default() }
}

/// 600.00 to the company, 400.00 to a training body.
fn split() -> Paid {
    Paid { to_company: Cents(60_000), to_providers: Cents(40_000) }
}

fn action(number: usize) -> Action {
    Action {
        id: format!("DOS-{number:06}"),
        title: "Conduite d’engins de chantier, catégorie A".into(),
        scheme: Scheme::Plan,
        status: ActionStatus::PartlyPaid,
        engaged: date(2011, 8, 30),
        measures: Measures { paid: split(), ..measures(123_456, 100_000, 20_000) },
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
        postings: 8,
        totals: Measures { paid: split(), ..measures(123_456, 100_000, 20_000) },
        contributed: Cents(987_654_321),
        schemes: vec![(Scheme::Plan, Measures { paid: split(), ..measures(123_456, 100_000, 20_000) })],
        months: vec![Month {
            first_day: date(2011, 8, 1),
            committed: Cents(123_456),
            paid: split(),
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
        remittances: vec![
            Remittance {
                number: "V-2011-0042".into(),
                date: date(2011, 11, 3),
                bank_reference: Some("SEPA 20111103 000042".into()),
                sent: Paid::to(Payee::Company, Cents(61_000)),
                returned: Paid::to(Payee::Company, Cents(1_000)),
            },
            Remittance {
                number: "P-2011-0043".into(),
                date: date(2011, 11, 3),
                bank_reference: None,
                sent: Paid::to(Payee::Provider, Cents(40_000)),
                returned: Paid::ZERO,
            },
        ],
    }
}

fn small() -> Statement {
    of_actions(vec![action(1)])
}

static FONTS: LazyLock<font::Fonts> = LazyLock::new(|| font::Fonts::load().unwrap());

fn laid_out(statement: &Statement) -> Pages {
    pages(&FONTS, statement, unshown(&FONTS, statement).values().sum())
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

/// Two actions with something that was overpaid or taken back, and one without: what the head and a section of their own
/// say of them, and that a statement without any says nothing.
#[test]
fn what_was_overpaid_or_taken_back_is_listed_for_itself() {
    let [overpaid, recovered] = [30_000, 1_200].map(Cents);
    let mut statement = of_actions(vec![action(1), action(2), action(3)]);
    statement.actions[1].measures.overpaid = overpaid;
    statement.actions[2].measures.recovered = recovered;
    statement.totals = Measures { overpaid, recovered, ..statement.totals };
    assert_eq!((statement.rows(), small().rows()), (3 + 2 + 4, 5));
    let said = read(&laid_out(&statement)).replace(['\u{a0}', '\u{202f}'], " ");
    assert!(said.contains("trop-perçu : 300,00 € ; repris : 12,00 €"), "{said}");
    let (_, section) = said.split_once("Trop-perçus et reprises").unwrap();
    for row in [
        "Dossier | Intitulé | Trop-perçu | Repris",
        "DOS-000002 | Conduite d’engins de chantier, catégorie A | 300,00 € | 0,00 €",
        "DOS-000003 | Conduite d’engins de chantier, catégorie A | 0,00 € | 12,00 €",
        "Total |  | 300,00 € | 12,00 €",
    ] {
        assert!(section.contains(row), "{row}: {section}");
    }
    assert!(!section.contains("DOS-000001"), "{section}");
    let nothing = read(&laid_out(&small()));
    assert!(!nothing.contains("reprises") && !nothing.contains("trop-perçu :"), "{nothing}");
}

#[test]
fn the_document_is_tagged_in_french_and_has_its_title() {
    let pdf = render(&small()).unwrap().pdf;
    assert_eq!(count(&pdf, "/Marked true"), 1);
    assert_eq!(count(&pdf, "/Lang(fr-FR)"), 2, "of the catalogue and of the tree");
    assert_eq!(count(&pdf, "/DisplayDocTitle true"), 1);
    assert_eq!(count(&pdf, "pdfuaid:part"), 2, "the element's start and end");
    assert!(count(&pdf, "Relevé annuel du compte adhérent – exercice 2011") > 0, "the title is in the metadata");
    assert_eq!(count(&pdf, "/Alt(Constructys)"), 1, "what the logo says");
}

#[test]
fn every_heading_of_a_table_has_its_scope_and_stands_in_the_tree_once() {
    let pdf = render(&of_actions((0..300).map(action).collect())).unwrap().pdf;
    // Schemes 6, months 5, actions 8, contributions 4, transfers of each side 6.
    let columns = 6 + 5 + 8 + 4 + 2 * 6;
    // One a body row, one a total.
    let rows = (1 + 1) + (1 + 1) + (300 + 1) + (2 + 1) + 2;
    assert_eq!(count(&pdf, "/Scope/Column"), columns);
    assert_eq!(count(&pdf, "/Scope/Row"), rows);
    assert_eq!(count(&pdf, "/S/TH/"), columns + rows);
    assert_eq!(count(&pdf, "/S/TD/"), 2 * 5 + 2 * 4 + 301 * 7 + 3 * 3 + 2 * 5);
    assert_eq!(count(&pdf, "/S/TR/"), 6 + rows);
    assert_eq!((count(&pdf, "/S/Table/"), count(&pdf, "/S/TFoot/")), (6, 4));
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
    let mut odd = action(1);
    odd.id = "X".repeat(64);
    odd.title = "Gros œuvre ".repeat(40);
    odd.measures = measures(i64::MIN, i64::MAX, 1);
    let actions = (0..90).map(|number| if number % 7 == 3 { odd.clone() } else { action(number) });
    let pages = laid_out(&of_actions(actions.collect()));
    for mark in pages.pages.iter().flatten() {
        let Mark::Text { x, baseline, text, style, .. } = mark else { continue };
        let right = x + FONTS.face(style.weight).width(text.trim_end(), style.size);
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
    let mut statement = of_actions(vec![long.clone(); MOST_ROWS - 4]);
    let pdf = render(&statement).unwrap().pdf;
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
    assert!(text.contains("\u{fffd}\u{fffd}    école \u{fffd} \u{fffd}"), "{text}");
    assert!(text.contains("Aucune contribution sur cet exercice."), "{text}");
    render(&statement).unwrap();
    statement.actions.clear();
    assert!(read(&laid_out(&statement)).contains("Aucune action engagée sur cet exercice."));
    render(&statement).unwrap();
}

#[test]
fn a_text_shows_as_it_is_or_by_its_compatible_parts() {
    let face = FONTS.face(font::Weight::Regular);
    for (text, shown) in [
        ("≥ 3 m → ok", "≥ 3 m → ok"),
        ("≤ ≠ ≈ ± ← ↔ ⇒ ⌀ ■ √", "≤ ≠ ≈ ± ← ↔ ⇒ ⌀ ■ √"),
        ("certiﬁcation, eﬄuent", "certification, effluent"),
        ("Nguyễn Thị Hằng", "Nguyễn Thị Hằng"),
        ("Nguye\u{302}\u{303}n", "Nguyễn"),
        ("10 ㎡, 3 ㎏, 20 ℃", "10 m2, 3 kg, 20 °C"),
        ("10 m², ½ j, n° 3, № 4", "10 m², ½ j, n° 3, № 4"),
        ("Module Ⅳ, ⅳ et ①", "Module IV, iv et 1"),
        ("Ｆａｃｔｕｒｅ　１", "Facture 1"),
        ("co\u{ad}pie\u{200b}r \u{202e}ici\u{feff}", "copier ici"),
        ("L\u{2019}Œuvre – Škoda, Łódź, Ștefan, Ђорђе, Αθήνα", "L’Œuvre – Škoda, Łódź, Ștefan, Ђорђе, Αθήνα"),
        ("une\tligne\u{2028}deux", "une ligne deux"),
    ] {
        assert_eq!((face.showable(text).as_str(), face.unshown(text)), (shown, vec![]), "{text}");
    }
}

#[test]
fn what_the_font_lacks_is_marked_and_counted() {
    let face = FONTS.face(font::Weight::Regular);
    for (text, shown, unshown) in [
        ("工事", "\u{fffd}\u{fffd}", vec!['工', '事']),
        // An accent that no letter of the font has is left out, and the letter stays.
        ("x\u{304}", "x", vec!['\u{304}']),
        ("👷 chantier", "\u{fffd} chantier", vec!['👷']),
        ("\u{e000}", "\u{fffd}", vec!['\u{e000}']),
    ] {
        assert_eq!((face.showable(text).as_str(), face.unshown(text)), (shown, unshown), "{text}");
    }
    let mut statement = small();
    assert!(!read(&laid_out(&statement)).contains("reproduire"), "where all is shown nothing is said");
    statement.actions[0].title = "工事 👷".into();
    assert!(read(&laid_out(&statement)).contains("3 caractères que ce document ne sait pas reproduire"));
    statement.actions[0].title = "工".into();
    assert!(read(&laid_out(&statement)).contains("1 caractère que ce document ne sait pas reproduire"));
    // Wherever it stands.
    statement.establishment = "工".into();
    statement.contributions[0].label = "工工".into();
    statement.remittances[0].bank_reference = Some("事".into());
    assert_eq!(render(&statement).unwrap().unshown, [('工', 4), ('事', 1)].into());
}

#[test]
fn both_weights_show_the_same_characters() {
    let all: String = (0..=0xffff_u32).filter_map(char::from_u32).collect();
    assert_eq!(FONTS.face(font::Weight::Regular).unshown(&all), FONTS.face(font::Weight::Bold).unshown(&all));
    for (from, to) in [(0x20, 0x7e), (0xa1, 0x24f), (0x1e00, 0x1eff), (0x2190, 0x2199), (0x2264, 0x2265)] {
        let range: String = (from..=to).filter_map(char::from_u32).collect();
        assert_eq!(FONTS.face(font::Weight::Bold).unshown(&range), vec![], "U+{from:04X} to U+{to:04X}");
    }
}

#[test]
fn numbers_of_dossiers_and_transfers_and_their_dates_stand_on_one_line_however_long() {
    for length in 1..=64 {
        let number: String = "2011-000077-BTP-".chars().cycle().take(length).collect();
        let mut statement = small();
        statement.actions[0].id.clone_from(&number);
        statement.remittances[0].number.clone_from(&number);
        let pages = laid_out(&statement);
        let whole = |wanted: &str| {
            let marks = pages.pages.iter().flatten();
            marks
                .filter(|mark| matches!(mark, Mark::Text { text, element: Some(_), .. } if text.trim_end() == wanted))
                .count()
        };
        assert_eq!(whole(&number), 2, "{number}");
        assert_eq!(whole("03/11/2011"), statement.remittances.len(), "{number}");
    }
}

/// Titles that no page, or no rest of a page below the head of its table, has room for; in the first row, alone or not.
#[test]
fn a_row_of_any_height_begins_below_its_headings_and_is_shown_whole() {
    // Some of them fit a page, but not below the heading of the section.
    for length in (200..2_000).step_by(20).chain([9_000]) {
        for others in [0, 1] {
            let mut statement = of_actions((0..=others).map(action).collect());
            let first = &mut statement.actions[0];
            first.id = "2011-000077-BTP-".repeat(4);
            first.title = "Gros œuvre ".chars().cycle().take(length).collect();
            let title = first.title.trim_end().replace(' ', "");
            let pages = laid_out(&statement);
            let mut texts_of = vec![String::new(); pages.elements.len()];
            for page in &pages.pages {
                let mut texts = page.iter().filter_map(|mark| match mark {
                    Mark::Text { baseline, text, element: Some(element), .. } => Some((*baseline, text, *element)),
                    _ => None,
                });
                for (baseline, text, ElementId(element)) in texts.clone() {
                    assert!(baseline <= crate::layout::PAGE.1 - 62.0, "{length} {others}: {text} at {baseline}");
                    texts_of[element].push_str(&text.replace(' ', ""));
                }
                let (_, _, last) = texts.next_back().unwrap();
                let in_head = part_of(&pages, last).is_some_and(|(_, part)| matches!(part, TagKind::THead(_)));
                assert!(!in_head, "{length} {others}: the head of a table alone");
            }
            assert!(texts_of.contains(&title), "{length} {others}: cut");
        }
    }
}

/// The table and the part of it that an element is in.
fn part_of(pages: &Pages, element: ElementId) -> Option<(usize, &TagKind)> {
    let parent = |of: ElementId| pages.elements[of.0].parent;
    let part = parent(parent(element)?)?;
    Some((parent(part)?.0, &pages.elements[part.0].tag))
}

#[test]
fn no_page_begins_with_a_total_and_none_ends_with_a_heading() {
    let mut totals = 0;
    for count in (1..120).step_by(3) {
        let mut statement = of_actions((0..count).map(action).collect());
        // Rows of several heights, and tables that begin anywhere on the page.
        statement.actions.iter_mut().step_by(3).for_each(|action| action.title = "Gros œuvre ".repeat(count % 17));
        statement.schemes = statement.schemes.into_iter().cycle().take(count % 11 + 1).collect();
        let pages = laid_out(&statement);
        for page in &pages.pages {
            let elements = page.iter().filter_map(|mark| match mark {
                Mark::Text { element: Some(element), .. } => Some(*element),
                _ => None,
            });
            let elements: Vec<ElementId> = elements.collect();
            let bodies: Vec<usize> = elements
                .iter()
                .filter_map(|element| part_of(&pages, *element))
                .filter(|(_, part)| matches!(part, TagKind::TBody(_)))
                .map(|(table, _)| table)
                .collect();
            for (table, part) in elements.iter().filter_map(|element| part_of(&pages, *element)) {
                if matches!(part, TagKind::TFoot(_)) {
                    totals += 1;
                    assert!(bodies.contains(&table), "{count} actions: a total alone");
                }
            }
            let last = *elements.last().unwrap();
            let in_head = part_of(&pages, last).is_some_and(|(_, part)| matches!(part, TagKind::THead(_)));
            let is_heading = matches!(pages.elements[last.0].tag, TagKind::Hn(_));
            assert!(!in_head && !is_heading, "{count} actions: a heading with nothing below it");
        }
    }
    assert!(totals > 0);
}
