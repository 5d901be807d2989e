//! How much memory a file takes: `cargo run --release -p write-export --example export_memory -- csv 1000000`
//! writes a file of so many invented entries to nowhere, as the function does, and prints the most that the
//! process had in memory, in kB (`VmHWM` of Linux). A process a measurement, for it is the process's peak.

#![allow(clippy::print_stdout, clippy::unwrap_used, reason = "a measurement")]

use std::io::Write as _;

use jiff::{Timestamp, ToSpan as _};
use portal::domain::{
    Cents, CostKind, EntryKind, Identifier, MemberNumber, Payee, RemittanceNumber, Scheme, ShortText, Siret, View,
};
use portal::store::{Entry, EntryFacts, ExportFormat, MispostedRecords};
use write_export::write::File;

/// As many as a page of the index has.
const PAGE: u32 = 1_500;

fn entry(n: u32, of: u32) -> Entry {
    let source = Identifier::parse("bench").unwrap();
    let source_key = Identifier::parse(&format!("E-{n}")).unwrap();
    // In the order of the index: a view after the other, and in it a day after the other.
    let (view, day) = (2009 + n * 8 / of, i64::from(n % of.div_ceil(8)) * 360 / i64::from(of.div_ceil(8)));
    let view = View::parse(&view.to_string()).unwrap();
    let date = jiff::civil::date(view.year(), 1, 1) + day.days();
    Entry {
        entry_id: Entry::id_of(&source, &source_key, 1, 0),
        member_number: MemberNumber::parse("012345").unwrap(),
        siret: Siret::parse("53384615000019").unwrap(),
        action_id: Some(Identifier::parse(&format!("{view}-{:06}", n / 5)).unwrap()),
        view,
        posting: u64::from(n) + 1,
        scheme: Some(Scheme::Plan),
        facts: EntryFacts {
            kind: EntryKind::PaymentToCompany,
            cost_kind: Some(CostKind::Tuition),
            payee: Some(Payee::Company),
            amount: Cents(i64::from(n) + 1),
            date,
            year: None,
            remittance: Some(RemittanceNumber::parse(&format!("V-{n}")).unwrap()),
            bank: Some(ShortText::parse(&format!("CSTR {n}")).unwrap()),
            invoice: Some(ShortText::parse(&format!("F-{n}")).unwrap()),
            label: format!("Remboursement de la facture F-{n}"),
        },
        booked_at: Timestamp::UNIX_EPOCH,
        source,
        source_key,
        source_version: 1,
        batch_id: Identifier::parse("batch-1").unwrap(),
        reverses: None,
        came_back_from: None,
        title: None,
    }
}

fn main() {
    let mut arguments = std::env::args().skip(1);
    let format = ExportFormat::parse(&arguments.next().unwrap()).unwrap();
    let number: u32 = arguments.next().unwrap().parse().unwrap();
    let mut file = File::<portal::store::ReadableEntry>::start(format, Timestamp::UNIX_EPOCH).unwrap();
    let mut nowhere = std::io::sink();
    let misposted = MispostedRecords::of([]);
    for n in 0..number {
        file.add(&misposted.readable(entry(n, number))).unwrap();
        if n % PAGE == 0 {
            nowhere.write_all(&file.take()).unwrap();
        }
    }
    match file {
        File::Csv(mut file) => nowhere.write_all(&file.take()).unwrap(),
        File::Xlsx(file) => file.finish(nowhere).unwrap(),
    }
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    println!("{} {number}: {}", format.ending(), peak.trim());
}
