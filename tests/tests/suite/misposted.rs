//! Entries that were posted to an account by mistake: its members read days and amounts, whichever way they ask, and the texts
//! are of the account that has the records by now.

use harness::{ACCOUNT, OTHER_ACCOUNT, Visitor, World, lines};
use serde_json::{Value, json};

/// Stands in each text of what is another company's.
const TEXT: &str = "Dupont";

/// A record of an account with texts of another company.
fn entry(account: &str, key: &str, version: u64, kind: &str, action: &str) -> Value {
    let mut entry = json!({"record": "entry", "source_key": key, "source_version": version, "member_number": account,
        "kind": kind, "cost_kind": "WAGES", "payee": "PROVIDER", "amount_cents": 12_300, "effective_date": "2012-02-10",
        "label": format!("Stage de {TEXT}"), "invoice_number": format!("F-{TEXT}"),
        "bank_reference": format!("CSTR {TEXT}")});
    if kind.starts_with("CONTRIBUTION") {
        entry["contribution_year"] = json!(2011);
    } else {
        entry["action_id"] = json!(action);
        entry["remittance_number"] = json!("V-77");
    }
    entry
}

fn action(account: &str, version: u64) -> Value {
    json!({"record": "action", "source_key": "A-77", "source_version": version, "member_number": account,
        "action_id": "2011-Dupont", "title": format!("CACES de {TEXT}"), "scheme": "DIF", "status": "PAID",
        "engagement_date": "2011-11-30"})
}

async fn import(world: &World, batch: &str, records: &[Value]) {
    let report = world.import(batch, "", &lines(records)).await;
    assert_eq!((report.quarantined, report.pending), (0, 0), "{report:?}");
}

/// Every answer about the account that lists entries, transfers or actions.
async fn all_reads(marie: &Visitor) -> Vec<(String, String)> {
    let mut reads = Vec::new();
    for rest in [
        "summary",
        "actions",
        "actions?view=2011",
        "actions?view=2011&q=Dupont",
        "actions/2012-000001",
        "contributions?view=2011",
        "remittances",
        "remittances?q=Dupont",
        "remittances?view=2011",
        "remittances/V-77",
        "remittance?number=V-77",
        "ledger?view=2011",
        "ledger?view=2012",
        "ledger?view=2012&limit=1",
        "ledger?view=2012&kind=REVERSAL&limit=1",
        "ledger?kind=PAYMENT_TO_PROVIDER",
        "ledger?from=2012-02-10&to=2012-02-10",
        "ledger.csv",
    ] {
        let reply = marie.get(&format!("/api/accounts/{ACCOUNT}/{rest}")).await.expect(200);
        reads.push((rest.to_owned(), reply.text));
    }
    reads
}

#[tokio::test(flavor = "multi_thread")]
async fn members_read_no_texts_of_a_record_that_is_another_accounts() {
    let world = World::start().await;
    let marie = world.manager("marie@martin.example").await;
    let read = async |rest: &str| marie.get(&format!("/api/accounts/{ACCOUNT}/{rest}")).await.expect(200).body;
    let totals = read("summary").await["totals"].clone();
    // All of it is posted to Marie's company: an action, a payment on an action of hers, a contribution.
    import(
        &world,
        "2012-11-01-001",
        &[
            action(ACCOUNT, 1),
            entry(ACCOUNT, "M-1", 1, "COMMITMENT", "2011-Dupont"),
            entry(ACCOUNT, "M-2", 1, "INVOICE_RECEIVED", "2011-Dupont"),
            entry(ACCOUNT, "M-3", 1, "PAYMENT_TO_PROVIDER", "2011-Dupont"),
            entry(ACCOUNT, "M-4", 1, "PAYMENT_TO_PROVIDER", "2012-000001"),
            entry(ACCOUNT, "M-5", 1, "CONTRIBUTION_LEGAL", ""),
        ],
    )
    .await;
    // Corrected once, before anybody sees that it is another company's. One payment of the transfer is Marie's.
    let mut hers = entry(ACCOUNT, "M-6", 1, "PAYMENT_TO_COMPANY", "2012-000001");
    for (field, text) in
        [("label", "À elle"), ("invoice_number", "F-1"), ("bank_reference", "CSTR 77"), ("payee", "COMPANY")]
    {
        hers[field] = json!(text);
    }
    import(&world, "2012-11-02-001", &[entry(ACCOUNT, "M-4", 2, "PAYMENT_TO_PROVIDER", "2012-000001"), hers]).await;
    assert!(all_reads(&marie).await.iter().any(|(_, text)| text.contains(TEXT)), "as long as it is hers");

    import(
        &world,
        "2012-11-03-001",
        &[
            action(OTHER_ACCOUNT, 2),
            entry(OTHER_ACCOUNT, "M-4", 3, "PAYMENT_TO_PROVIDER", "2011-Dupont"),
            entry(OTHER_ACCOUNT, "M-5", 2, "CONTRIBUTION_LEGAL", ""),
        ],
    )
    .await;
    for (rest, text) in all_reads(&marie).await {
        let asked = if rest.contains("q=") { text.replace("q=Dupont", "") } else { text };
        assert!(!asked.contains(TEXT), "{rest}: {asked}");
    }
    marie.get(&format!("/api/accounts/{ACCOUNT}/actions/2011-Dupont")).await.expect_problem(404, "not-found");

    // Days, amounts and kinds stay, each with what reverses it.
    let page = read("ledger?view=2011").await;
    let items = page["items"].as_array().unwrap();
    let withheld: Vec<&Value> = items.iter().filter(|item| item["posted_by_mistake"] == true).collect();
    assert_eq!(withheld.len(), 8, "three entries of the action and the contribution, each reversed");
    assert_eq!(withheld.iter().map(|item| item["amount_cents"].as_i64().unwrap()).sum::<i64>(), 0);
    for item in &withheld {
        assert_eq!((&item["label"], &item["effective_date"]), (&json!("Imputé par erreur"), &json!("2012-02-10")));
        for told in
            ["action_id", "scheme", "cost_kind", "payee", "remittance_number", "bank_reference", "invoice_number"]
        {
            assert_eq!(item.get(told), None, "{told} of {item}");
        }
    }
    // On an action that stays, among others that are as they were.
    let of_hers = read("actions/2012-000001").await;
    let entries = of_hers["entries"].as_array().unwrap();
    let withheld = entries.iter().filter(|entry| entry["posted_by_mistake"] == true).count();
    assert_eq!((withheld, entries.len()), (4, 4 + 4), "two versions and their reversals");
    assert!(entries.iter().any(|entry| entry["label"] == "À elle"));
    // A transfer still adds up, and says of the others' lines that they were a mistake.
    let transfer = read("remittances/V-77").await;
    let lines = transfer["lines"].as_array().unwrap();
    assert_eq!((lines.len(), &transfer["amount"]), (7, &json!(12_300)));
    let withheld = lines.iter().filter(|line| line["title"] == "Imputé par erreur" && line.get("action_id").is_none());
    assert_eq!(withheld.count(), 6);
    let csv = marie.get(&format!("/api/accounts/{ACCOUNT}/ledger.csv")).await.expect(200).text;
    assert_eq!(csv.matches("Imputé par erreur").count(), 12);
    let after = read("summary").await["totals"].clone();
    assert_eq!(after["paid"].as_i64().unwrap() - totals["paid"].as_i64().unwrap(), 12_300);

    // It was the fund that erred twice: with the records the texts come back.
    import(
        &world,
        "2012-11-04-001",
        &[
            action(ACCOUNT, 3),
            entry(ACCOUNT, "M-4", 4, "PAYMENT_TO_PROVIDER", "2012-000001"),
            entry(ACCOUNT, "M-5", 3, "CONTRIBUTION_LEGAL", ""),
        ],
    )
    .await;
    let csv = marie.get(&format!("/api/accounts/{ACCOUNT}/ledger.csv")).await.expect(200).text;
    assert_eq!(csv.matches("Imputé par erreur").count(), 0);
    read("actions/2011-Dupont").await;
}
