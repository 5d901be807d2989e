//! Records of members that come later, fields that nobody can read, and bytes before the first line.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

use jiff::civil::date;
use portal::clock::Clock;
use portal::domain::{Cents, MemberNumber, Paid, Siret};
use portal::store::{Account, Establishment, Table, Totals};
use serde_json::{Value, json};
use support::{Batch, Fund, action, entry, member};

const NUMBER: &str = "012345";
const SIRET: &str = "53384615000019";

/// The ledger of a member: what is due to it, in one view.
fn ledger(id: &str, entries: i64) -> Batch {
    let batch = (1..=entries).fold(Batch::new(id), |batch, n| {
        batch.record(&entry(&format!("E-{n}"), 1, NUMBER, "2011-000077", "COMMITMENT", n))
    });
    batch.record(&action("A-77", 1, NUMBER, "2011-000077", "PARTLY_PAID", "2011-11-30"))
}

fn members(id: &str) -> Batch {
    Batch::new(id).member(NUMBER, SIRET, 1)
}

fn figure(report: &Value, name: &str) -> u64 {
    report[name].as_u64().unwrap()
}

/// How many items there are of records that wait, and of members that are awaited.
async fn waiting(fund: &Fund) -> (usize, usize) {
    let items = fund.items(Table::Ledger).await;
    let of =
        |name: &str, begins: &str| items.iter().filter(|item| item[name].as_s().unwrap().starts_with(begins)).count();
    (of("sk", "WAITING#"), of("pk", "AWAITED"))
}

#[tokio::test]
async fn the_ledger_of_a_member_that_comes_later_is_posted_when_it_comes() {
    let fund = Fund::start().await;
    let report = fund.import(&ledger("early", 250)).await;
    assert_eq!((figure(&report, "pending"), figure(&report, "quarantined")), (251, 0), "{report}");
    assert_eq!((&report["awaited"]["members"], &report["awaited"]["records"]), (&json!(1), &json!(251)));
    assert!(report["awaited"]["since"].is_string() && report["awaited"]["longest"][0]["member_number"] == NUMBER);
    assert_eq!((waiting(&fund).await, fund.figures(NUMBER).await), ((251, 1), [].into()));
    // Again: nothing is kept twice.
    let again = fund.import(&ledger("early", 250)).await;
    assert_eq!((figure(&again, "pending"), &again["awaited"]["records"]), (251, &json!(251)));
    // A member that cannot be posted brings nothing.
    let mut spoiled = Batch::new("spoiled");
    spoiled.members.push(member(NUMBER, "53384615000018", 1).to_string());
    let report = fund.import(&spoiled).await;
    assert_eq!((figure(&report, "quarantined"), &report["awaited"]["records"]), (1, &json!(251)), "{report}");
    let report = fund.import(&members("late")).await;
    assert_eq!((figure(&report, "posted"), figure(&report, "released")), (1, 251), "{report}");
    assert_eq!((report.get("awaited"), waiting(&fund).await), (None, (0, 0)));
    assert_eq!(fund.figures(NUMBER).await, [(2011, [250 * 251 / 2, 0, 0, 0])].into());
    fund.reconcile().await;
    let again = fund.import(&ledger("early", 250)).await;
    assert_eq!((figure(&again, "unchanged"), figure(&again, "pending")), (251, 0), "{again}");
}

/// The keys of what comes back sort before that of the payment, and each waits for the action and for the member.
#[tokio::test]
async fn what_comes_back_goes_to_the_side_of_its_transfer_whatever_it_waited_for() {
    let of_transfer = |key: &str, kind: &str, amount: i64| {
        let mut entry = entry(key, 1, NUMBER, "2011-000077", kind, amount);
        entry["remittance_number"] = json!("V 1/2");
        entry.as_object_mut().unwrap().remove("payee");
        entry
    };
    let lines = Batch::new("lines")
        .record(&of_transfer("E-0", "RECOVERY", 50))
        .record(&of_transfer("E-1", "PAYMENT_RETURNED", 100))
        .record(&of_transfer("E-9", "PAYMENT_TO_PROVIDER", 400));
    let the_action =
        Batch::new("action").record(&action("A-77", 1, NUMBER, "2011-000077", "PARTLY_PAID", "2011-11-30"));
    let member = members("member");
    for order in [[&member, &lines, &the_action], [&lines, &member, &the_action], [&lines, &the_action, &member]] {
        let fund = Fund::start().await;
        for batch in order {
            fund.import(batch).await;
        }
        let totals = Totals::of(&fund.store, &MemberNumber::parse(NUMBER).unwrap(), None).await.unwrap();
        assert_eq!(totals.len(), 1);
        assert_eq!(totals[0].sums.paid, Paid { to_company: Cents::ZERO, to_providers: Cents(250) });
        fund.reconcile().await;
    }
}

/// More waits than an invocation posts: it is posted in shards, as a large batch is.
#[tokio::test]
async fn what_waits_in_numbers_is_posted_in_shards() {
    let fund = Fund::with(Clock::system(), &[("SplitAbove", "10"), ("ImportWorkers", "2")]).await;
    let folder = tempfile::tempdir().unwrap();
    let import = async |batch: &Batch| {
        let folder = folder.path().join(&batch.id);
        std::fs::create_dir(&folder).unwrap();
        let (files, manifest) = batch.files();
        for (name, bytes) in files {
            std::fs::write(folder.join(name), bytes).unwrap();
        }
        std::fs::write(folder.join("manifest.json"), manifest.to_string()).unwrap();
        fund.portal.import(&folder).await.unwrap();
        fund.object(&format!("{}/report.json", batch.id)).await
    };
    let report = import(&ledger("early", 450)).await;
    assert_eq!((figure(&report, "pending"), &report["awaited"]["records"]), (451, &json!(451)));
    let mut late = members("late");
    // The newer version of what waits, and what waited already.
    late = late.record(&entry("E-1", 2, NUMBER, "2011-000077", "COMMITMENT", 1_001));
    late = late.record(&entry("E-2", 1, NUMBER, "2011-000077", "COMMITMENT", 2));
    let report = import(&late).await;
    let [posted, corrected, unchanged, released, pending] =
        ["posted", "corrected", "unchanged", "released", "pending"].map(|name| figure(&report, name));
    assert_eq!((posted, corrected, unchanged, pending), (1, 1, 1, 0), "{report}");
    assert_eq!((released, report.get("awaited")), (451, None));
    assert_eq!(fund.figures(NUMBER).await, [(2011, [450 * 451 / 2 + 1_000, 0, 0, 0])].into());
    fund.reconcile().await;
}

/// Values that no optional field of an entry can have, or that say nothing.
fn odd_values() -> Vec<Value> {
    let mut values =
        vec![json!(null), json!(""), json!("  "), json!(4217), json!(1.5), json!(true), json!([]), json!({})];
    values.extend(["\u{7}", "deux\nlignes", "x\u{1}y"].map(Value::from));
    values.push(json!("x".repeat(1_001)));
    values
}

#[tokio::test]
async fn ten_thousand_records_with_one_odd_optional_field_each_lose_no_money() {
    let fund = Fund::start().await;
    let fields = ["cost_kind", "payee", "remittance_number", "bank_reference", "invoice_number", "label", "action_id"];
    let odd = odd_values();
    let mut batch = Batch::new("odd");
    let (mut committed, mut contributed, mut dropped) = (0, 0, 0);
    for account in 0..20 {
        let number = format!("1{account:05}");
        let mut record = member(&number, &siret(account), 1);
        record[["contact_email", "closed_on", "headcount_band"][account % 3]] = odd[account % odd.len()].clone();
        dropped += usize::from(is_unreadable(&odd[account % odd.len()]));
        batch.members.push(record.to_string());
        batch = batch.record(&action(&format!("A-{account}"), 1, &number, "a", "PAID", "2011-11-30"));
        for line in 0..500_usize {
            let (field, value) = (fields[line % fields.len()], &odd[line % odd.len()]);
            let cents = i64::try_from(line).unwrap() + 1;
            let mut record = entry(&format!("E-{account}-{line}"), 1, &number, "a", "COMMITMENT", cents);
            if field == "action_id" {
                record["kind"] = json!("CONTRIBUTION_LEGAL");
                record["contribution_year"] = json!(2012);
                contributed += cents;
            } else {
                committed += cents;
            }
            record[field] = value.clone();
            dropped += usize::from(is_unreadable(value));
            batch = batch.record(&record);
        }
    }
    let report = fund.import(&batch).await;
    assert_eq!((figure(&report, "posted"), figure(&report, "quarantined")), (10_040, 0), "{}", report["quarantine"][0]);
    assert_eq!(report["totals"]["posted_cents"], report["totals"]["amount_cents"]);
    assert_eq!(report["by_reason"], json!({"ignored-field": dropped}));
    let mut sums = (0, 0);
    for account in 0..20 {
        for (_, figures) in fund.figures(&format!("1{account:05}")).await {
            sums = (sums.0 + figures[0], sums.1 + figures[3]);
        }
    }
    assert_eq!(sums, (committed, contributed));
    assert_eq!(report["ignored"].as_array().unwrap().len(), 1_000);
}

fn is_unreadable(value: &Value) -> bool {
    !(value.is_null() || value.as_str().is_some_and(|text| text.trim().is_empty()))
}

/// A SIRET whose check sums are right; no NIC begins with four zeros.
fn siret(establishment: usize) -> String {
    let all = (0..10).map(|check| format!("533846150{:04}{check}", establishment + 1));
    all.into_iter().find(|siret| Siret::parse(siret).is_ok()).unwrap()
}

/// What nobody can read reopens no account and takes no address away; a day ahead closes when it comes.
#[tokio::test]
async fn an_account_closes_on_its_day_and_an_unreadable_field_changes_nothing() {
    let fund = Fund::start().await;
    let number = MemberNumber::parse(NUMBER).unwrap();
    let stored = async || {
        let account: Account = fund.store.get(&Account::key_of(&number)).await.unwrap().unwrap();
        let seat = Establishment::key_of(&Siret::parse(SIRET).unwrap());
        let seat: Establishment = fund.store.get(&seat).await.unwrap().unwrap();
        let open = [date(2099, 6, 29), date(2099, 6, 30)].map(|day| (account.is_open(day), seat.is_open(day)));
        (open, account.contact_email)
    };
    let (open, closed) = ((true, true), (false, false));
    let address = Some("compta@exemple.fr".to_owned());
    for (version, field, value, expected) in [
        (1, "closed_on", json!("2099-06-30"), ([open, closed], address.clone())),
        (2, "closed_on", json!("bientôt"), ([open, closed], address.clone())),
        (3, "closed_on", json!("2009-02-28"), ([open, closed], address.clone())),
        (4, "contact_email", json!("a@b.fr;c@d.fr"), ([open, open], address.clone())),
        (5, "closed_on", json!("2012-03-31"), ([closed, closed], address.clone())),
        (6, "closed_on", json!(20_120_331), ([closed, closed], address.clone())),
        (7, "closed_on", json!("9999-12-31"), ([open, open], address)),
        (8, "contact_email", json!(""), ([open, open], None)),
    ] {
        let mut record = member(NUMBER, SIRET, version);
        record[field] = value;
        let mut batch = Batch::new(&format!("v{version}"));
        batch.members.push(record.to_string());
        let report = fund.import(&batch).await;
        assert_eq!(figure(&report, "quarantined"), 0, "{report}");
        assert_eq!(stored().await, expected, "version {version}");
    }
}

#[tokio::test]
async fn a_byte_order_mark_costs_no_record() {
    let fund = Fund::start().await;
    let batch = members("marked").record(&action("A-77", 1, NUMBER, "2011-000077", "PAID", "2011-11-30"));
    let mark = "\u{feff}";
    let mut marked = Batch::new("marked");
    marked.members = batch.members.iter().map(|line| format!("{mark}{line}")).collect();
    marked.ledger = batch.ledger.iter().map(|line| format!("{mark}{line}")).collect();
    let (files, manifest) = marked.files();
    for (name, bytes) in files {
        fund.put(&format!("marked/{name}"), bytes).await;
    }
    fund.put("marked/manifest.json", format!("{mark}{manifest}").into_bytes()).await;
    let report = fund.arrive("marked").await;
    assert_eq!((figure(&report, "posted"), figure(&report, "quarantined")), (2, 0), "{report}");
}
