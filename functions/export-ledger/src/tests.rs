//! A small ledger, as it stands in its files.

use jiff::Timestamp;
use jiff::civil::date;
use portal::domain::{Cents, CostKind, EntryKind, Id, Identifier, MemberNumber, Payee, Scheme, Siret, View};
use portal::store::{Entry, EntryFacts, Reversed};

use super::*;

fn identifier(text: &str) -> Identifier {
    Identifier::parse(text).unwrap()
}

fn instant(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// Booked on the 12th in Paris, when it was the 11th in Greenwich.
fn payment(label: &str) -> Entry {
    Entry {
        entry_id: Id::from_bytes([1; 16]),
        member_number: MemberNumber::parse("012345").unwrap(),
        siret: Siret::parse("53384615000019").unwrap(),
        action_id: Some(identifier("0007")),
        view: View::parse("2011").unwrap(),
        scheme: Some(Scheme::Plan),
        facts: EntryFacts {
            kind: EntryKind::PaymentToCompany,
            cost_kind: Some(CostKind::Tuition),
            payee: Some(Payee::Company),
            amount: Cents(123_456),
            date: date(2012, 2, 10),
            year: None,
            remittance: Some(identifier("000042")),
            bank: Some("=cmd|' /C calc'!A0".to_owned()),
            invoice: Some(identifier("-118")),
            label: label.to_owned(),
        },
        booked_at: instant("2012-02-11T23:30:00Z"),
        source: identifier("erp"),
        source_key: identifier("E-1"),
        source_version: 1,
        batch_id: identifier("2012-02-11-001"),
        reverses: None,
        title: None,
    }
}

#[test]
fn the_csv_is_what_a_french_spreadsheet_opens() {
    let file = csv_file::write(&[payment("=1+1"), payment("Un \"mot\" ; un autre")]).unwrap();
    let lines: Vec<&str> = file.strip_prefix('\u{feff}').unwrap().split("\r\n").collect();
    let before =
        "2011;10/02/2012;12/02/2012;Règlement à l’entreprise;0007;Plan de formation;Coût pédagogique;Entreprise";
    let after = "012345;53384615000019;'-118;000042;'=cmd|' /C calc'!A0;;1234,56;-1234,56;;1234,56;\
        01010101010101010101010101010101;;erp;E-1;1;2012-02-11-001";
    let [heading, formula, quoted, end] = lines[..] else { panic!("{lines:?}") };
    assert!(heading.starts_with("Exercice;Date d’effet;") && heading.ends_with(";Lot"), "{heading}");
    assert_eq!(formula, format!("{before};'=1+1;{after}"));
    assert_eq!(quoted, format!("{before};\"Un \"\"mot\"\" ; un autre\";{after}"));
    assert_eq!(end, "");
}

#[test]
fn a_line_end_inside_a_text_stays_inside_its_cell() {
    let file = csv_file::write(&[payment("a\r\n=1+1")]).unwrap();
    assert!(file.contains(";\"a\r\n=1+1\";"), "{file}");
}

#[test]
fn rows_stand_in_the_order_of_their_day_whatever_the_view() {
    let (mut early, mut reversal, late) = (payment("early"), payment("reversal"), payment("late"));
    early.facts.date = date(2012, 2, 9);
    early.view = View::parse("2012").unwrap();
    reversal.reverses = Some(Reversed { entry_id: late.entry_id, kind: EntryKind::Commitment });
    reversal.facts.kind = EntryKind::Reversal;
    let mut entries = [late, reversal, early];
    entries.sort_by_cached_key(place);
    let labels: Vec<_> = entries.iter().map(|entry| entry.facts.label.as_str()).collect();
    assert_eq!(labels, ["early", "reversal", "late"]);
}
