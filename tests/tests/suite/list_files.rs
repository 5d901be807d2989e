//! A file has what its list shows with the same filter: the same rows, in order, with the same amounts, whether it is
//! answered, linked to, or made in the background.

use std::collections::BTreeMap;

use harness::{ACCOUNT, Calls, Held, Visitor, World};
use serde_json::{Value, json};

use crate::ledger_files::{add_what_no_total_has, asked, download, post_one};

/// The rows of a CSV, each by the headings.
pub(super) fn rows(text: &str) -> Vec<BTreeMap<String, String>> {
    let mut reader =
        csv::ReaderBuilder::new().delimiter(b';').from_reader(text.trim_start_matches('\u{feff}').as_bytes());
    reader.deserialize().map(Result::unwrap).collect()
}

/// A cell as it is without what keeps it a text.
fn text<'a>(row: &'a BTreeMap<String, String>, heading: &str) -> &'a str {
    let cell = &row[heading];
    cell.strip_prefix('\'').unwrap_or(cell)
}

fn cents(row: &BTreeMap<String, String>, heading: &str) -> i64 {
    let cell = &row[heading];
    if cell.is_empty() { 0 } else { cell.replace(',', "").parse().unwrap() }
}

/// `2012-02-10` as `10/02/2012`.
fn french(day: &Value) -> String {
    let day = day.as_str().unwrap();
    format!("{}/{}/{}", &day[8..], &day[5..7], &day[..4])
}

/// More of an account than a page has: actions of two years in every status, of some schemes, with titles that a spreadsheet
/// would calculate; payments to either side, what came back, what was corrected.
async fn book(world: &World) {
    let statuses = ["SUBMITTED", "COMMITTED", "PAID", "CLOSED", "CANCELLED", "PARTLY_PAID"];
    let schemes = ["PLAN", "CPF", "PLAN", "ASSESSMENT"];
    let titles = ["Habilitation électrique", "=1+1", "2012", "CACES R482", "Étoile"];
    let mut ledger = Vec::new();
    for n in 0..24_i64 {
        let (year, day) = (2011 + n % 2, 1 + n % 28);
        let id = format!("{year}-1{n:05}");
        ledger.push(json!({"record": "action", "source_key": format!("AA-{n}"), "source_version": 1,
            "member_number": ACCOUNT, "action_id": id, "title": titles[n as usize % 5], "status": statuses[n as usize % 6],
            "scheme": schemes[n as usize % 4], "engagement_date": format!("{year}-05-{day:02}")}));
        let entry = |key: &str, version: i64, kind: &str, cents: i64, date: &str| {
            json!({"record": "entry", "source_key": format!("{key}-{n}"), "source_version": version, "label": "Écriture",
                "member_number": ACCOUNT, "action_id": id, "kind": kind, "amount_cents": cents, "effective_date": date})
        };
        ledger.push(entry("EC", 1, "COMMITMENT", 10_000 + 101 * n, &format!("{year}-05-{day:02}")));
        let kind = if n % 3 == 0 { "PAYMENT_TO_PROVIDER" } else { "PAYMENT_TO_COMPANY" };
        for version in 1..=1 + n % 2 {
            let mut paid = entry("EP", version, kind, 4_007 + 13 * n * version, &format!("2012-07-{day:02}"));
            paid["remittance_number"] = json!(format!("V-{}", n / 2));
            paid["bank_reference"] = json!(format!("000{n}"));
            ledger.push(paid);
        }
        if n % 5 == 0 {
            let mut back = entry("ER", 1, "PAYMENT_RETURNED", 1_001, &format!("2012-08-{day:02}"));
            back["remittance_number"] = json!(format!("V-{}", n / 2));
            ledger.push(back);
        }
    }
    let ledger: String = ledger.iter().map(|record| format!("{record}\n")).collect();
    let report = world.import("2012-10-20-001", "", &ledger).await;
    assert_eq!(report.corrected, 12);
}

/// All items of a list, and its first page.
async fn listed(visitor: &Visitor, list: &str, query: &str) -> (Vec<Value>, Value) {
    let mut items = Vec::new();
    let (mut first, mut cursor) = (Value::Null, String::new());
    loop {
        let target = format!("/api/accounts/{ACCOUNT}/{list}?{query}&limit=7&cursor={cursor}");
        let page = visitor.get(&target).await.expect(200).body;
        items.extend(page["items"].as_array().unwrap().iter().cloned());
        match page["next_cursor"].as_str() {
            Some(next) => cursor = next.to_owned(),
            None => {
                if first.is_null() {
                    first = page;
                }
                return (items, first);
            }
        }
        if first.is_null() {
            first = page;
        }
    }
}

async fn csv_of(visitor: &Visitor, list: &str, query: &str) -> Vec<BTreeMap<String, String>> {
    rows(&visitor.get(&format!("/api/accounts/{ACCOUNT}/{list}.csv?{query}")).await.expect(200).text)
}

/// What is compared of a list and its file: of each row, in order, what tells it from any other and what it counts.
fn of_actions(items: &[Value], file: &[BTreeMap<String, String>]) -> [Vec<(String, [i64; 8])>; 2] {
    let figures = [
        "committed",
        "paid",
        "paid_to_company",
        "paid_to_providers",
        "in_progress",
        "remaining",
        "overpaid",
        "recovered",
    ];
    let headings = [
        "Engagé (€)",
        "Payé (€)",
        "Payé à l’entreprise (€)",
        "Payé aux organismes (€)",
        "En cours (€)",
        "Reste à payer (€)",
        "Payé en trop (€)",
        "Repris (€)",
    ];
    let item = |item: &Value| {
        (item["action_id"].as_str().unwrap().to_owned(), figures.map(|name| item[name].as_i64().unwrap()))
    };
    let row =
        |row: &BTreeMap<String, String>| (text(row, "N° d’action").to_owned(), headings.map(|name| cents(row, name)));
    [items.iter().map(item).collect(), file.iter().map(row).collect()]
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_of_actions_has_the_rows_order_and_totals_of_the_list_for_each_filter() {
    let world = World::start().await;
    book(&world).await;
    let marie = world.manager("marie@martin.example").await;
    let mut found = 0;
    for query in [
        "",
        "view=2011",
        "view=2012&status=PAID",
        "view=2012&scheme=PLAN",
        "view=2012&scheme=PLAN&status=PARTLY_PAID",
        "view=2012&q=habilitation",
        "view=2012&sort=title",
        "view=2012&sort=-committed",
        "view=2012&q=a&sort=-remaining&status=PAID",
        "view=1999",
    ] {
        let (items, first) = listed(&marie, "actions", query).await;
        let file = csv_of(&marie, "actions", query).await;
        let [shown, written] = of_actions(&items, &file);
        assert_eq!(shown, written, "{query}");
        found += shown.len();
        let sum = |place: usize| written.iter().map(|(_, figures)| figures[place]).sum::<i64>();
        for (place, name) in
            ["committed", "paid", "paid_to_company", "paid_to_providers", "in_progress", "remaining"].iter().enumerate()
        {
            assert_eq!(sum(place), first["totals"][name].as_i64().unwrap(), "{name} of {query}");
        }
        for (item, row) in items.iter().zip(&file) {
            assert_eq!(item["title"], text(row, "Intitulé"));
            assert_eq!(french(&item["engagement_date"]), row["Date d’engagement"]);
        }
    }
    assert!(found > 20, "{found} rows tell little");
    // What the list refuses, its file does.
    for wrong in [
        "view=12",
        "status=GONE",
        "scheme=GONE",
        "sort=colour",
        "from=2012-01-01",
        "kind=COMMITMENT",
        "limit=10",
        "cursor=x",
    ] {
        let target = |file: &str| format!("/api/accounts/{ACCOUNT}/{file}?{wrong}");
        let refused = marie.get(&target("actions.csv")).await.expect(422).errors();
        if !wrong.starts_with("limit") && !wrong.starts_with("cursor") {
            assert_eq!(refused, marie.get(&target("actions")).await.expect(422).errors());
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_of_transfers_has_the_rows_and_amounts_of_the_list_for_each_filter() {
    let world = World::start().await;
    book(&world).await;
    let marie = world.manager("marie@martin.example").await;
    let (all, _) = listed(&marie, "remittances", "").await;
    let one = &all[0];
    let amount = one["amount"].as_i64().unwrap();
    let day = one["date"].as_str().unwrap();
    for query in [
        String::new(),
        "view=2011".to_owned(),
        "view=2012".to_owned(),
        format!("from={day}&to={day}"),
        "to=2011-12-31".to_owned(),
        format!("q={}", one["remittance_number"].as_str().unwrap()),
        format!("q={}.{:02}&view=2012", amount / 100, amount % 100),
        "q=nowhere".to_owned(),
    ] {
        let (items, _) = listed(&marie, "remittances", &query).await;
        let file = csv_of(&marie, "remittances", &query).await;
        let shown: Vec<_> = items
            .iter()
            .map(|item| {
                let text = |name: &str| item[name].as_str().unwrap_or_default().to_owned();
                let amounts = ["sent", "returned", "amount", "paid_to_company", "paid_to_providers"]
                    .map(|name| item[name].as_i64().unwrap());
                (text("remittance_number"), text("source"), text("bank_reference"), french(&item["date"]), amounts)
            })
            .collect();
        let written: Vec<_> = file
            .iter()
            .map(|row| {
                let amounts =
                    ["Envoyé (€)", "Revenu (€)", "Montant (€)", "Payé à l’entreprise (€)", "Payé aux organismes (€)"]
                        .map(|name| cents(row, name));
                let text = |name: &str| text(row, name).to_owned();
                (
                    text("N° d’avis de virement"),
                    text("Source"),
                    text("Référence bancaire"),
                    row["Date"].clone(),
                    amounts,
                )
            })
            .collect();
        assert_eq!(shown, written, "{query}");
    }
    assert!(all.len() > 2, "{} transfers tell little", all.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_of_entries_has_those_of_the_list_for_each_filter() {
    let world = World::start().await;
    book(&world).await;
    let marie = world.manager("marie@martin.example").await;
    let (first, _) = listed(&marie, "ledger", "view=2011").await;
    let before = first.iter().map(|entry| entry["booked_at"].as_str().unwrap()).min().unwrap();
    post_one(&world, "2012").await;
    let (newest, _) = listed(&marie, "ledger", "view=2012").await;
    let last = newest.iter().map(|entry| entry["booked_at"].as_str().unwrap()).max().unwrap();
    // Just before it.
    let earlier = last.parse::<jiff::Timestamp>().unwrap() - jiff::SignedDuration::from_millis(1);
    let mut counts = Vec::new();
    for query in [
        "view=2011".to_owned(),
        "view=2012&kind=PAYMENT_TO_COMPANY".to_owned(),
        "view=2012&from=2012-01-01&to=2012-06-30".to_owned(),
        "view=2012&kind=COMMITMENT&from=2012-02-01".to_owned(),
        "from=2012-02-01&to=2012-12-31".to_owned(),
        "kind=PAYMENT_TO_COMPANY&from=2012-01-01".to_owned(),
        format!("view=2012&as_of={earlier}"),
        format!("view=2011&as_of={before}"),
        format!("to=2012-12-31&as_of={earlier}"),
    ] {
        let (items, _) = listed(&marie, "ledger", &query).await;
        let file = csv_of(&marie, "ledger", &query).await;
        let mut shown: Vec<_> = items
            .iter()
            .map(|item| (item["entry_id"].as_str().unwrap().to_owned(), item["amount_cents"].as_i64().unwrap()))
            .collect();
        let mut written: Vec<_> =
            file.iter().map(|row| (text(row, "Écriture").to_owned(), cents(row, "Montant brut (€)"))).collect();
        let order: Vec<_> = file
            .iter()
            .map(|row| {
                let day = &row["Date d’effet"];
                (
                    row["Exercice"].clone(),
                    format!("{}{}{}", &day[6..], &day[3..5], &day[..2]),
                    row["N° d’ordre dans l’exercice"].parse::<u64>().unwrap(),
                )
            })
            .collect();
        assert!(order.is_sorted(), "{query}: by year, day and number");
        shown.sort();
        written.sort();
        assert_eq!(shown, written, "{query}");
        counts.push(shown.len());
    }
    assert!(counts.iter().all(|count| *count > 0), "{counts:?} tell little");
    assert!(
        csv_of(&marie, "ledger", "").await.len() > newest.len(),
        "a file that names no view is of all, as it always was"
    );
    let kinds = csv_of(&marie, "ledger", "kind=COMMITMENT").await;
    let years: std::collections::BTreeSet<_> = kinds.iter().map(|row| &row["Exercice"]).collect();
    assert!(years.len() > 1, "and so is one of a kind: {years:?}");
    let early = format!("/api/accounts/{ACCOUNT}/ledger.csv?as_of=2001-01-01T00:00:00Z");
    assert_eq!(marie.get(&early).await.expect(422).errors(), ["as_of:before-the-first-booking"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_of_contributions_has_those_of_the_list_and_its_total() {
    let world = World::start().await;
    book(&world).await;
    let marie = world.manager("marie@martin.example").await;
    for query in ["", "view=2011", "view=2012", "view=1999"] {
        let (items, first) = listed(&marie, "contributions", query).await;
        let file = csv_of(&marie, "contributions", query).await;
        let mut shown: Vec<_> = items
            .iter()
            .map(|item| (item["entry_id"].as_str().unwrap(), item["contributed"].as_i64().unwrap()))
            .collect();
        let mut written: Vec<_> = file.iter().map(|row| (text(row, "Écriture"), cents(row, "Cotisé (€)"))).collect();
        shown.sort_unstable();
        written.sort_unstable();
        assert_eq!(shown, written, "{query}");
        let sum: i64 = written.iter().map(|(_, contributed)| contributed).sum();
        assert_eq!(sum, first["totals"]["contributed"].as_i64().unwrap(), "{query}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_made_in_the_background_is_the_one_that_an_answer_would_be() {
    let world = World::start().await;
    book(&world).await;
    let marie = world.manager("marie@martin.example").await;
    for (body, target) in [
        (
            json!({"file": "actions", "view": 2012, "q": "habilitation", "sort": "title"}),
            "actions.csv?view=2012&q=habilitation&sort=title",
        ),
        (json!({"file": "actions", "status": "PAID"}), "actions.csv?status=PAID"),
        (json!({"file": "contributions"}), "contributions.csv"),
        (
            json!({"file": "remittances", "from": "2012-01-01", "to": "2012-12-31"}),
            "remittances.csv?from=2012-01-01&to=2012-12-31",
        ),
        (json!({"file": "ledger", "kind": "COMMITMENT"}), "ledger.csv?kind=COMMITMENT"),
        (json!({"from": "2012-01-01", "to": "2012-06-30"}), "ledger.csv?from=2012-01-01&to=2012-06-30"),
    ] {
        let mut body = body;
        body["format"] = json!("csv");
        let export = asked(&world, &marie, &body).await;
        let ready = marie.get(&export).await.expect(200);
        assert_eq!(ready["state"], "ready", "{body}");
        let (disposition, bytes) = download(&ready).await;
        let answered = marie.get(&format!("/api/accounts/{ACCOUNT}/{target}")).await.expect(200);
        assert_eq!(String::from_utf8(bytes.clone()).unwrap(), answered.text, "{body}");
        assert_eq!(answered.header("content-disposition"), Some(disposition.as_str()), "{body}");
        assert_eq!(ready["rows"].as_u64().unwrap() as usize, rows(&answered.text).len());
        assert_eq!(ready["bytes"].as_u64().unwrap() as usize, bytes.len());
        body["format"] = json!("xlsx");
        let export = asked(&world, &marie, &body).await;
        let (_, bytes) = download(&marie.get(&export).await.expect(200)).await;
        assert!(bytes.starts_with(b"PK"), "an archive");
    }
    let refused = |body: Value| {
        let marie = &marie;
        async move { marie.post(&format!("/api/accounts/{ACCOUNT}/exports"), &body).await.expect(422).errors() }
    };
    assert_eq!(refused(json!({"format": "csv", "file": "users"})).await, ["file:unknown-file"]);
    assert_eq!(
        refused(json!({"format": "csv", "file": "actions", "kind": "COMMITMENT"})).await,
        ["kind:unknown-field"]
    );
    assert_eq!(
        refused(json!({"format": "csv", "file": "remittances", "from": "2012-02-01", "to": "2012-01-01"})).await,
        ["to:bad-range"]
    );
}

/// A transfer whose amount moves between two looks is in no file with one half of the move.
#[tokio::test(flavor = "multi_thread")]
async fn a_file_of_what_changes_is_of_one_state_or_read_again() {
    let (held, options) = Held::on_dynamodb();
    let world = World::start_with(options).await;
    let marie = world.manager("marie@martin.example").await;
    let target = format!("/api/accounts/{ACCOUNT}/actions.csv?view=2012");
    let before: i64 = rows(&marie.get(&target).await.expect(200).text).iter().map(|row| cents(row, "Engagé (€)")).sum();
    let facets = Calls::queries_of("export-ledger", "FACETS#");
    let (reply, ()) = held.between(facets, marie.get(&target), post_one(&world, "2012")).await;
    let after: i64 = rows(&reply.expect(200).text).iter().map(|row| cents(row, "Engagé (€)")).sum();
    assert_eq!(after, before + 100);
    let (items, _) = listed(&marie, "actions", "view=2012").await;
    assert_eq!(after, items.iter().map(|item| item["committed"].as_i64().unwrap()).sum::<i64>());
}

/// Of entries that no total has a whole file is given to nobody; a part of the view may be told by its numbers alone.
#[tokio::test(flavor = "multi_thread")]
async fn a_file_of_a_whole_view_adds_up_or_is_given_to_nobody() {
    let world = World::start().await;
    let marie = world.manager("marie@martin.example").await;
    add_what_no_total_has(&world, "2012").await;
    let file = |query: &str| format!("/api/accounts/{ACCOUNT}/ledger.csv?view=2012{query}");
    marie.get(&file("")).await.expect_problem(503, "try-again");
    marie.get(&file("&kind=PAYMENT_TO_COMPANY")).await.expect(200);
}
