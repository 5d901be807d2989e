//! The pages' French for the ledger's words is that of files, mails and statement.

use std::fs;

use harness::folder_of_workspace;
use portal::domain::{ActionStatus, CostKind, EntryKind, Payee, Scheme};

/// The lines of a table of `web/src/lib/words.ts`, between its braces.
fn table(name: &str) -> Vec<String> {
    let text = fs::read_to_string(folder_of_workspace().join("web/src/lib/words.ts")).unwrap();
    let (_, from) = text.split_once(&format!("export const {name}: ")).unwrap_or_else(|| panic!("no table {name}"));
    let (table, _) = from.split_once("\n};").unwrap();
    table.lines().skip(1).map(|line| line.trim().to_owned()).collect()
}

#[test]
fn pages_say_the_ledgers_words_as_files_and_statement_do() {
    let line = |code: &str, label: &str| format!("{code}: \"{label}\",");
    let schemes: Vec<_> = Scheme::ALL.iter().map(|word| line(word.as_str(), word.label())).collect();
    let statuses: Vec<_> = ActionStatus::ALL.iter().map(|word| line(word.as_str(), word.label())).collect();
    let kinds: Vec<_> = EntryKind::ALL.iter().map(|word| line(word.as_str(), word.label())).collect();
    let costs: Vec<_> = CostKind::ALL.iter().map(|word| line(word.as_str(), word.label())).collect();
    let payees: Vec<_> = Payee::ALL.iter().map(|word| line(word.as_str(), word.label())).collect();
    assert_eq!(table("SCHEMES"), schemes);
    assert_eq!(table("STATUSES"), statuses);
    assert_eq!(table("KINDS"), kinds);
    assert_eq!(table("COSTS"), costs);
    assert_eq!(table("PAYEES"), payees);
}
