//! A small ledger, as it stands in its files.

use jiff::Timestamp;
use jiff::civil::date;
use portal::domain::{
    Cents, CostKind, EntryKind, Id, Identifier, MemberNumber, Payee, RemittanceNumber, Scheme, ShortText, Siret, View,
};
use portal::store::{Entry, EntryFacts, Misposted, MispostedRecords, ReadableEntry};

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
        posting: 1,
        scheme: Some(Scheme::Plan),
        facts: EntryFacts {
            kind: EntryKind::PaymentToCompany,
            cost_kind: Some(CostKind::Tuition),
            payee: Some(Payee::Company),
            amount: Cents(123_456),
            date: date(2012, 2, 10),
            year: None,
            remittance: RemittanceNumber::parse("000042").ok(),
            bank: ShortText::parse("=cmd|' /C calc'!A0").ok(),
            invoice: ShortText::parse("-118").ok(),
            label: label.to_owned(),
        },
        booked_at: instant("2012-02-11T23:30:00Z"),
        source: identifier("erp"),
        source_key: identifier("E-1"),
        source_version: 1,
        batch_id: identifier("2012-02-11-001"),
        reverses: None,
        came_back_from: None,
        title: None,
    }
}

/// As who reads an account that nothing left.
fn readable(entry: Entry) -> ReadableEntry {
    MispostedRecords::of([]).readable(entry)
}

fn csv(entries: &[ReadableEntry]) -> String {
    let mut file = CsvFile::start().unwrap();
    let mut bytes = file.take();
    for entry in entries {
        file.add(entry).unwrap();
        bytes.extend(file.take());
    }
    String::from_utf8(bytes).unwrap()
}

#[test]
fn the_csv_is_what_a_french_spreadsheet_opens() {
    let file = csv(&[readable(payment("=1+1")), readable(payment("Un \"mot\" ; un autre"))]);
    let lines: Vec<&str> = file.strip_prefix('\u{feff}').unwrap().split("\r\n").collect();
    let before =
        "2011;10/02/2012;12/02/2012;Règlement à l’entreprise;'0007;Plan de formation;Coût pédagogique;Entreprise";
    let after = "'012345;'53384615000019;'-118;'000042;'=cmd|' /C calc'!A0;;1234,56;1234,56;;-1234,56;;1234,56;\
        '01010101010101010101010101010101;;erp;E-1;'1;'2012-02-11-001;1;12/02/2012 00:30:00,000";
    let [heading, formula, quoted, end] = lines[..] else { panic!("{lines:?}") };
    assert!(
        heading.starts_with("Exercice;Date d’effet;") && heading.ends_with(";Comptabilisé à (heure de Paris)"),
        "{heading}"
    );
    assert_eq!(formula, format!("{before};'=1+1;{after}"));
    assert_eq!(quoted, format!("{before};\"Un \"\"mot\"\" ; un autre\";{after}"));
    assert_eq!(end, "");
}

#[test]
fn of_what_is_another_accounts_a_row_has_day_and_amounts_alone() {
    let mut entry = payment("CACES de Dupont");
    entry.facts.kind = EntryKind::PaymentReturned;
    entry.facts.payee = Some(Payee::Provider);
    let left = Misposted {
        member_number: entry.member_number.clone(),
        record: Some((entry.source.clone(), entry.source_key.clone())),
        is_back: false,
    };
    let file = csv(&[MispostedRecords::of([left]).readable(entry)]);
    let row = file.lines().nth(1).unwrap();
    let shown = "2011;10/02/2012;12/02/2012;Règlement retourné;;;;;Imputé par erreur;'012345;'53384615000019;;;;;-1234,56;;\
        -1234,56;1234,56;;1234,56;";
    assert!(row.starts_with(shown), "{row}");
}

#[test]
fn a_line_end_inside_a_text_stays_inside_its_cell() {
    let file = csv(&[readable(payment("a\r\n=1+1"))]);
    assert!(file.contains(";\"a\r\n=1+1\";"), "{file}");
}

#[test]
fn a_workbook_of_more_rows_than_a_sheet_takes_has_a_further_sheet() {
    let now = instant("2012-02-12T00:00:00Z");
    let size = |most_rows: u32| {
        let mut file = XlsxFile::<ReadableEntry>::with_sheets_of(most_rows, now).unwrap();
        for _ in 0..5 {
            file.add(&readable(payment("a"))).unwrap();
        }
        let mut bytes = Vec::new();
        file.finish(&mut bytes).unwrap();
        let names =
            bytes.windows(24).filter(|name| name.starts_with(b"xl/worksheets/sheet") && name.ends_with(b".xml"));
        // An archive names each of its files twice: before it, and in its directory.
        names.count() / 2
    };
    assert_eq!((size(5), size(2)), (2, 4), "and the notes");
}
