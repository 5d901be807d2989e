//! The worked example of `docs/ledger.md`, as it stands there.

use harness::{ACCOUNT, Visitor, World, lines};
use serde_json::{Value, json};

/// The first block of a document that opens like this.
fn block<'a>(document: &'a str, opening: &str) -> &'a str {
    let (_, rest) = document.split_once(opening).expect("the block");
    rest.split_once("\n```").expect("its end").0.trim_start()
}

/// The rows of the first table whose head begins like this.
fn rows(document: &str, head: &str) -> Vec<Vec<String>> {
    let (_, rest) = document.split_once(head).expect("the table");
    let rows = rest.lines().skip(2).take_while(|line| line.starts_with('|'));
    rows.map(|row| row.trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect()).collect()
}

fn cents(text: &str) -> i64 {
    text.replace('.', "").parse().expect("an amount")
}

async fn read(marie: &Visitor, rest: &str) -> Value {
    marie.get(&format!("/api/accounts/{ACCOUNT}/{rest}")).await.expect(200).body
}

#[tokio::test(flavor = "multi_thread")]
async fn the_worked_example_comes_out_as_it_is_printed() {
    let document = include_str!("../../../docs/ledger.md");
    let world = World::start().await;
    let marie = world.manager("marie@martin.example").await;
    let before = read(&marie, "summary").await;
    let feed = format!("{}\n", block(document, "```ndjson feed"));
    // Other keys than the fixture's, which has entries of these names.
    let feed = feed.replace("\"source_key\":\"", "\"source_key\":\"doc-");
    let report = world.import("2012-10-20-001", "", &feed).await;
    assert_eq!((report.quarantined, report.corrected), (0, 1));
    let after = read(&marie, "summary").await;
    let rows_of_views = rows(document, "| View | Committed");
    assert!(!rows_of_views.is_empty());
    for row in rows_of_views {
        let of_view = |summary: &Value| {
            let views = summary["views"].as_array().unwrap();
            views.iter().find(|view| view["view"].as_i64() == row[0].parse().ok()).unwrap()["totals"].clone()
        };
        let (before, after) = (of_view(&before), of_view(&after));
        for (measure, printed) in ["committed", "paid", "in_progress", "contributed"].into_iter().zip(&row[1..]) {
            let moved = after[measure].as_i64().unwrap() - before[measure].as_i64().unwrap();
            assert_eq!(moved, cents(printed), "{measure} of {}", row[0]);
        }
    }
    let transfer =
        json!({"remittance_number": "V-42", "date": "2012-02-10", "bank_reference": "CSTR 0042", "amount": 130_000});
    for view in ["2011", "2012"] {
        // One to a page: the list goes on behind a transfer that another view has too.
        let mut listed = Vec::new();
        let mut cursor = String::new();
        loop {
            let page = read(&marie, &format!("remittances?view={view}&limit=1&cursor={cursor}")).await;
            listed.extend(page["items"].as_array().unwrap().clone());
            match page["next_cursor"].as_str() {
                Some(next) => next.clone_into(&mut cursor),
                None => break,
            }
        }
        let numbers: Vec<_> =
            listed.iter().map(|remittance| remittance["remittance_number"].as_str().unwrap()).collect();
        assert_eq!(numbers.iter().filter(|number| **number == "V-42").count(), 1, "{view}: {numbers:?}");
        assert_eq!(numbers.len(), 2, "{view}: {numbers:?}");
        assert!(listed.contains(&transfer), "{listed:?}");
    }
    let detail = read(&marie, "remittances/V-42").await;
    let mut lines: Vec<Vec<String>> = Vec::new();
    for line in detail["lines"].as_array().unwrap() {
        let amount = line["amount"].as_i64().unwrap();
        let text = |field: &str| line[field].as_str().unwrap().to_owned();
        lines.push(vec![text("action_id"), text("invoice_number"), amount.to_string()]);
    }
    let mut printed = rows(document, "| Action | Invoice");
    printed.iter_mut().for_each(|row| row[2] = cents(&row[2]).to_string());
    lines.sort();
    printed.sort();
    assert_eq!(lines, printed);
}

/// A notice's number on what no transfer pays is shown with the entry, and makes no transfer and no line of one.
#[tokio::test(flavor = "multi_thread")]
async fn a_number_on_what_no_transfer_pays_is_no_line_of_a_transfer() {
    let world = World::start().await;
    let marie = world.manager("marie@martin.example").await;
    let transfer = async || {
        let mut transfer = read(&marie, "remittances/V-2012-0042").await;
        transfer.as_object_mut().unwrap().remove("as_of").expect("when");
        transfer
    };
    let before = transfer().await;
    let record = |key: &str, fields: Value| {
        let mut record = json!({"record": "entry", "source_key": key, "source_version": 1, "member_number": ACCOUNT,
            "amount_cents": 2_000, "effective_date": "2012-02-10", "label": "Écriture"});
        record.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        record
    };
    let refund = json!({"kind": "CONTRIBUTION_REFUND", "contribution_year": 2011, "remittance_number": "V-2012-0042",
        "bank_reference": "CSTR 0042"});
    let commitment = json!({"kind": "COMMITMENT", "action_id": "2011-000001", "remittance_number": "V-NONE"});
    let feed = lines(&[record("N-1", refund), record("N-2", commitment)]);
    let report = world.import("2012-10-20-001", "", &feed).await;
    assert_eq!((report.posted, report.quarantined), (2, 0));

    assert_eq!(transfer().await, before);
    let none = format!("/api/accounts/{ACCOUNT}/remittances/V-NONE");
    marie.get(&none).await.expect(404);
    let listed = read(&marie, "remittances?view=2011").await;
    let numbers: Vec<_> = listed["items"].as_array().unwrap().iter().map(|row| &row["remittance_number"]).collect();
    assert_eq!(numbers, ["V-2012-0042"]);
    let entries = read(&marie, "ledger?view=2011&limit=200").await;
    let shown = entries["items"].as_array().unwrap().iter().filter(|entry| entry["remittance_number"] == "V-NONE");
    assert_eq!(shown.count(), 1);
    let reconciled = world.portal.invoke("reconcile", json!({"account": ACCOUNT})).await.unwrap();
    assert_eq!(reconciled["drift"], 0, "{reconciled}");
}
