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
    let keyed = |feed: &str| feed.replace("\"source_key\":\"", "\"source_key\":\"doc-");
    let feed = keyed(&feed);
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
    let endings = keyed(&format!("{}\n", block(document, "```ndjson endings")));
    let report = world.import("2012-10-21-001", "", &endings).await;
    assert_eq!((report.posted, report.corrected, report.quarantined), (7, 1, 0));
    let ended = read(&marie, "summary").await;
    for row in rows(document, "| View | Remaining before") {
        let of_view = |summary: &Value, measure: &str| {
            let views = summary["views"].as_array().unwrap();
            let view = views.iter().find(|view| view["view"].as_i64() == row[0].parse().ok()).unwrap();
            view["totals"][measure].as_i64().unwrap()
        };
        let moved = |to: &Value, measure: &str| of_view(to, measure) - of_view(&before, measure);
        assert_eq!(moved(&after, "remaining"), cents(&row[1]), "{}", row[0]);
        for (measure, printed) in ["remaining", "overpaid", "recovered"].into_iter().zip(&row[2..]) {
            assert_eq!(moved(&ended, measure), cents(printed), "{measure} of {}", row[0]);
        }
    }
    let transfer = json!({"remittance_number": "V-42", "source": "erp", "date": "2012-02-10", "bank_reference": "CSTR 0042", "amount": 130_000,
            "sent": 130_000, "returned": 0, "payee": "COMPANY", "paid_to_company": 130_000, "paid_to_providers": 0});
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

/// Two systems number their notices each for itself: what they number alike is two transfers, in lists and by number.
#[tokio::test(flavor = "multi_thread")]
async fn one_number_of_two_systems_is_two_transfers_in_every_read() {
    let world = World::start().await;
    let marie = world.manager("marie@martin.example").await;
    let feed = lines(&[
        json!({"record": "action", "source_key": "A-1", "source_version": 1, "member_number": ACCOUNT,
            "action_id": "D-1", "title": "Soudage", "scheme": "PLAN", "status": "PAID", "engagement_date": "2012-03-01"}),
        json!({"record": "entry", "source_key": "E-1", "source_version": 1, "member_number": ACCOUNT, "action_id": "D-1",
            "kind": "PAYMENT_TO_PROVIDER", "amount_cents": 20_000, "effective_date": "2013-01-10", "label": "Paiement",
            "remittance_number": "V-2012-0042", "bank_reference": "DEMO 0042"}),
    ]);
    let report = world.import_of("demo", "2013-01-11-001", "", &feed).await;
    assert_eq!((report.posted, report.quarantined), (2, 0));
    let without_time = |mut body: Value| {
        body.as_object_mut().unwrap().remove("as_of").expect("when");
        body
    };
    // One to a page, whatever has the same number.
    for query in ["limit=1", "limit=1&q=V-2012-0042"] {
        let mut listed = Vec::new();
        let mut cursor = String::new();
        loop {
            let page = read(&marie, &format!("remittances?{query}&cursor={cursor}")).await;
            listed.extend(page["items"].as_array().unwrap().clone());
            match page["next_cursor"].as_str() {
                Some(next) => next.clone_into(&mut cursor),
                None => break,
            }
        }
        listed.retain(|transfer| transfer["remittance_number"] == "V-2012-0042");
        let told: Vec<_> = listed.iter().map(|of| (&of["source"], &of["sent"], &of["payee"])).collect();
        let (demo, erp) = (json!("demo"), json!("erp"));
        let [provider, company] = ["PROVIDER", "COMPANY"].map(Value::from);
        assert_eq!(told, [(&demo, &json!(20_000), &provider), (&erp, &json!(90_000), &company)], "{query}");
    }
    for path in ["remittances/V-2012-0042?", "remittance?number=V-2012-0042&"] {
        let latest = without_time(read(&marie, path).await);
        assert_eq!((&latest["source"], latest["lines"].as_array().unwrap().len()), (&json!("demo"), 1));
        let others = latest["other_transfers"].as_array().unwrap();
        assert_eq!((others.len(), &others[0]["source"], &others[0]["sent"]), (1, &json!("erp"), &json!(90_000)));
        let of = async |source: &str| without_time(read(&marie, &format!("{path}source={source}")).await);
        let (demo, erp) = (of("demo").await, of("erp").await);
        assert_eq!((&demo["lines"], demo.get("other_transfers")), (&latest["lines"], None));
        assert_eq!((&erp["amount"], erp["lines"].as_array().unwrap().len()), (&json!(90_000), 1));
        let nobodys = format!("/api/accounts/{ACCOUNT}/{path}source=crm");
        marie.get(&nobodys).await.expect_problem(404, "not-found");
    }
    let reconciled = world.portal.invoke("reconcile", json!({"account": ACCOUNT})).await.unwrap();
    assert_eq!(reconciled["drift"], 0, "{reconciled}");
}

/// The side of each figure in every read: a payment to a training body is money that the company never sees.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_paid_is_told_apart_by_who_received_it_in_every_read() {
    let world = World::start().await;
    let marie = world.manager("marie@martin.example").await;
    let record = |key: &str, kind: &str, cents: i64, date: &str, transfer: &str| {
        json!({"record": "entry", "source_key": key, "source_version": 1, "member_number": ACCOUNT,
            "action_id": "2011-000001", "kind": kind, "amount_cents": cents, "effective_date": date,
            "label": "Écriture", "remittance_number": transfer})
    };
    let feed = lines(&[
        record("N-1", "PAYMENT_TO_PROVIDER", 20_000, "2012-04-02", "P-1"),
        // Nobody says from whom it comes back: from whom its transfer went to, and without one from the company.
        record("N-2", "PAYMENT_RETURNED", 5_000, "2012-04-09", "P-1"),
        record("N-3", "RECOVERY", 1_000, "2012-05-01", "P-1"),
        record("N-4", "RECOVERY", 300, "2012-05-02", "V-2012-0042"),
        record("N-5", "RECOVERY", 70, "2012-05-03", "P-2"),
    ]);
    world.import("2012-10-20-001", "", &feed).await;
    let corrected = record("N-1", "PAYMENT_TO_PROVIDER", 21_000, "2012-04-02", "P-1");
    let corrected = corrected.to_string().replace("\"source_version\":1", "\"source_version\":2");
    world.import("2012-10-21-001", "", &format!("{corrected}\n")).await;
    let (company, providers) = (90_000 - 300 - 70, 21_000 - 5_000 - 1_000);
    let sides = |of: &Value| ["paid", "paid_to_company", "paid_to_providers"].map(|side| of[side].as_i64().unwrap());
    let told = [company + providers, company, providers];

    let summary = read(&marie, "summary").await;
    let view = &summary["views"][0];
    assert_eq!((sides(&view["totals"]), sides(&view["by_scheme"][0])), (told, told));
    let months = view["by_month"].as_array().unwrap().iter();
    let months: Vec<_> = months.map(|of| (of["month"].as_str().unwrap(), sides(of))).collect();
    let of_april = 21_000 - 5_000;
    assert!(months.contains(&("2012-02", [90_000, 90_000, 0])), "{months:?}");
    assert!(months.contains(&("2012-04", [of_april, 0, of_april])), "{months:?}");
    assert!(months.contains(&("2012-05", [-1_370, -370, -1_000])), "{months:?}");
    assert_eq!(sides(&summary["totals"]), [told[0] + 50_000, company + 50_000, providers]);

    let page = read(&marie, "actions?view=2011&scheme=PLAN").await;
    assert_eq!((sides(&page["totals"]), sides(&page["items"][0])), (told, told));
    let action = read(&marie, "actions/2011-000001").await;
    // What was taken back is not to be paid again; what the bank sent back is.
    let recovered = 1_000 + 300 + 70;
    assert_eq!((sides(&action), action["recovered"].as_i64()), (told, Some(recovered)));
    assert_eq!(action["remaining"].as_i64(), Some(180_000 - told[0] - recovered));
    let of_entries = |key: &str| -> Vec<Value> {
        let entries = action["entries"].as_array().unwrap().iter().filter(|entry| entry["source_key"] == key);
        entries.map(|entry| entry["paid_to"].clone()).collect()
    };
    assert_eq!(of_entries("N-1"), ["PROVIDER"; 3], "an entry, its reversal, its replacement");
    assert_eq!([of_entries("N-2"), of_entries("N-3")].concat(), ["PROVIDER"; 2]);
    assert_eq!([of_entries("N-4"), of_entries("N-5"), of_entries("E-3")].concat(), ["COMPANY"; 3]);
    assert_eq!(of_entries("E-1"), [Value::Null], "a commitment is paid to nobody");

    let transfers = read(&marie, "remittances?view=2011").await;
    let transfer = |number: &str| {
        let listed = transfers["items"].as_array().unwrap().iter().find(|of| of["remittance_number"] == number);
        let listed = listed.unwrap();
        let amounts = ["sent", "returned", "amount", "paid_to_company", "paid_to_providers"];
        (listed["payee"].as_str().unwrap(), amounts.map(|name| listed[name].as_i64().unwrap()))
    };
    assert_eq!(transfer("P-1"), ("PROVIDER", [21_000, 6_000, 15_000, 0, 15_000]));
    assert_eq!(transfer("V-2012-0042"), ("COMPANY", [90_000, 300, 89_700, 89_700, 0]));
    // Nothing was sent under P-2: no bank shows it, and no list of transfers. What came back under it is read by its number.
    assert!(transfers["items"].as_array().unwrap().iter().all(|of| of["remittance_number"] != "P-2"), "{transfers}");
    let recovered = read(&marie, "remittances/P-2").await;
    assert_eq!(
        (&recovered["sent"], &recovered["returned"], &recovered["payee"]),
        (&json!(0), &json!(70), &json!("COMPANY"))
    );
    let detail = read(&marie, "remittances/P-1").await;
    let payees: Vec<_> = detail["lines"].as_array().unwrap().iter().map(|line| &line["payee"]).collect();
    assert_eq!((payees.len(), payees.iter().all(|payee| **payee == "PROVIDER")), (5, true));
    assert_eq!(detail["returned"], 6_000);

    let reconciled = world.portal.invoke("reconcile", json!({"account": ACCOUNT})).await.unwrap();
    assert_eq!(reconciled["drift"], 0, "{reconciled}");
}
