//! Lists of the ledger: what is listed where no view is named, days over all years, transfers from the bank's statement,
//! searching and sorting, and where a page ends.

use std::collections::{BTreeMap, BTreeSet};

use harness::{ACCOUNT, Reply, Visitor, World, lines};
use portal::domain::{ActionStatus, Cents, Identifier, MemberNumber, Paid, Payee, RemittanceNumber, Scheme, View};
use portal::store::{
    Action, ActionState, ActionSums, Entry, Facets, Home, ListedRemittance, Moved, Totals, from_item, to_item,
    whole_ledger,
};
use serde_json::{Value, json};

use crate::ledger_files::put;

const MOST_ROWS: usize = 2_000;

async fn get(marie: &Visitor, target: &str) -> Reply {
    marie.get(&format!("/api/accounts/{ACCOUNT}/{target}")).await
}

async fn read(marie: &Visitor, target: &str) -> Value {
    get(marie, target).await.expect(200).body
}

/// All items of a list, page by page, with what its first page says of all.
async fn walk(marie: &Visitor, list: &str, query: &str) -> (Value, Vec<Value>) {
    let first = read(marie, &format!("{list}?{query}")).await;
    let mut items = first["items"].as_array().unwrap().clone();
    let mut cursor = first["next_cursor"].as_str().map(str::to_owned);
    while let Some(text) = cursor {
        let page = read(marie, &format!("{list}?{query}&cursor={text}")).await;
        assert_eq!((page.get("view"), page.get("totals")), (first.get("view"), first.get("totals")), "{list}?{query}");
        assert!(!page["items"].as_array().unwrap().is_empty(), "no page is empty but the first");
        items.extend(page["items"].as_array().unwrap().clone());
        cursor = page["next_cursor"].as_str().map(str::to_owned);
    }
    (first, items)
}

fn texts<'a>(items: &'a [Value], field: &str) -> Vec<&'a str> {
    items.iter().map(|item| item[field].as_str().unwrap()).collect()
}

fn record(key: &str, version: u64, fields: &Value) -> Value {
    let mut record = json!({"record": "entry", "source_key": key, "source_version": version, "member_number": ACCOUNT,
        "amount_cents": 1_000, "label": "Écriture"});
    record.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    record
}

fn payment(key: &str, version: u64, action: &str, day: &str, transfer: &str) -> Value {
    record(
        key,
        version,
        &json!({"action_id": action, "kind": "PAYMENT_TO_COMPANY", "payee": "COMPANY", "effective_date": day,
            "remittance_number": transfer, "bank_reference": format!("CSTR {transfer}")}),
    )
}

fn contribution(key: &str, version: u64, year: i16) -> Value {
    record(
        key,
        version,
        &json!({"kind": "CONTRIBUTION_LEGAL", "effective_date": "2012-09-03", "contribution_year": year}),
    )
}

async fn post(world: &World, batch: &str, records: &[Value]) {
    let report = world.import(batch, "", &lines(records)).await;
    assert_eq!(report.quarantined, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn days_find_what_was_booked_then_whatever_the_year_of_its_action() {
    let world = World::start().await;
    let marie = world.manager("marie@martin.example").await;
    let january = [
        payment("P-1", 1, "2011-000001", "2013-01-15", "V-2013-0001"),
        payment("P-2", 1, "2012-000001", "2013-01-15", "V-2013-0001"),
        payment("P-3", 1, "2011-000001", "2013-01-31", "V-2013-0002"),
        payment("P-4", 1, "2012-000002", "2013-02-01", "V-2013-0003"),
        payment("P-5", 1, "2011-000001", "2012-12-31", "V-2012-0099"),
    ];
    post(&world, "2012-10-16-001", &january).await;
    let (page, found) = walk(&marie, "ledger", "from=2013-01-01&to=2013-01-31&limit=1").await;
    assert_eq!(page.get("view"), None);
    assert_eq!(texts(&found, "effective_date"), ["2013-01-31", "2013-01-15", "2013-01-15"]);
    let keys: BTreeSet<_> = texts(&found, "source_key").into_iter().collect();
    assert_eq!(keys, BTreeSet::from(["P-1", "P-2", "P-3"]));

    // Whatever the days and the kind: what the views hold, each entry once, the latest first.
    let mut all = Vec::new();
    for view in ["2012", "2011"] {
        all.extend(walk(&marie, "ledger", &format!("view={view}&limit=200")).await.1);
    }
    for (query, from, to, kind) in [
        ("from=2000-01-01", "2000-01-01", "9999-12-31", None),
        ("to=2012-12-31", "0000-01-01", "2012-12-31", None),
        ("from=2012-02-10&to=2012-02-10", "2012-02-10", "2012-02-10", None),
        ("from=2012-02-01&kind=PAYMENT_TO_COMPANY", "2012-02-01", "9999-12-31", Some("PAYMENT_TO_COMPANY")),
        ("to=9999-12-31&kind=COMMITMENT", "0000-01-01", "9999-12-31", Some("COMMITMENT")),
        ("from=2030-01-01", "2030-01-01", "9999-12-31", None),
    ] {
        let right = |entry: &&Value| {
            let day = entry["effective_date"].as_str().unwrap();
            (from..=to).contains(&day) && kind.is_none_or(|kind| entry["kind"] == kind)
        };
        let mut expected: Vec<_> = all.iter().filter(right).cloned().collect();
        // Those of a day as they stand in their views, the later view first.
        let day = |entry: &Value| entry["effective_date"].as_str().unwrap().to_owned();
        expected.sort_by_key(|entry| std::cmp::Reverse(day(entry)));
        for limit in [1, 2, 3, 200] {
            let (_, found) = walk(&marie, "ledger", &format!("{query}&limit={limit}")).await;
            assert_eq!(found, expected, "{query} by {limit}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn entries_of_a_day_stand_as_they_were_booked() {
    let world = World::start().await;
    let marie = world.manager("marie@martin.example").await;
    let keys = ["P-4", "P-1", "P-3", "P-2"];
    for (number, key) in keys.into_iter().enumerate() {
        let batch = format!("2012-10-16-{number:03}");
        post(&world, &batch, &[payment(key, 1, "2011-000001", "2012-10-15", "V-2012-0001")]).await;
    }
    post(&world, "2012-10-17-001", &[payment("P-1", 2, "2011-000001", "2012-10-15", "V-2012-0002")]).await;
    let place = |entry: &Value| (entry["source_key"].as_str().unwrap().to_owned(), entry["kind"] == "REVERSAL");
    let newest = [("P-1", false), ("P-1", true), ("P-2", false), ("P-3", false), ("P-1", false), ("P-4", false)];
    for query in ["limit=200", "limit=1", "view=2011&limit=200", "view=2011&limit=1"] {
        let (_, entries) = walk(&marie, "ledger", &format!("from=2012-10-15&to=2012-10-15&{query}")).await;
        let found: Vec<_> = entries.iter().map(place).collect();
        assert_eq!(found, newest.map(|(key, reverses)| (key.to_owned(), reverses)), "{query}");
    }
    let notice = read(&marie, "remittances/V-2012-0001").await;
    let booked: Vec<_> = notice["lines"].as_array().unwrap().iter().map(|line| line["kind"] == "REVERSAL").collect();
    assert_eq!(booked, [false, false, false, false, true]);
}

#[tokio::test(flavor = "multi_thread")]
async fn transfers_are_listed_over_all_years_each_once_and_found_from_the_banks_statement() {
    let world = World::start().await;
    let marie = world.manager("marie@martin.example").await;
    // V-2012-0042 pays for both years from now on.
    let records = [
        payment("P-1", 1, "2012-000001", "2012-02-10", "V-2012-0042"),
        payment("P-2", 1, "2011-000001", "2013-01-15", "V-2013-0001"),
    ];
    post(&world, "2012-10-16-001", &records).await;
    for limit in [1, 2, 200] {
        let (page, all) = walk(&marie, "remittances", &format!("limit={limit}")).await;
        assert_eq!(page.get("view"), None);
        assert_eq!(texts(&all, "remittance_number"), ["V-2013-0001", "V-2012-0055", "V-2012-0042"], "by {limit}");
        assert_eq!(all[2]["amount"], 91_000, "the whole amount");
    }
    let (_, of_2012) = walk(&marie, "remittances", "view=2012&limit=1").await;
    assert_eq!(texts(&of_2012, "remittance_number"), ["V-2012-0055", "V-2012-0042"]);
    for (query, numbers) in [
        ("from=2012-02-10&to=2012-02-10", vec!["V-2012-0042"]),
        ("from=2012-03-01", vec!["V-2013-0001", "V-2012-0055"]),
        ("to=2012-03-05&view=2011", vec!["V-2012-0042"]),
        ("q=v-2012-0042", vec!["V-2012-0042"]),
        ("q=2012", vec!["V-2012-0055", "V-2012-0042"]),
        ("q=cstr%200055", vec!["V-2012-0055"]),
        ("q=910", vec!["V-2012-0042"]),
        ("q=910%2C00%20%E2%82%AC", vec!["V-2012-0042"]),
        ("q=-910.00", vec!["V-2012-0042"]),
        ("q=910%2C01", vec![]),
        ("q=10%2F02%2F2012", vec!["V-2012-0042"]),
        ("q=2012-03-05", vec!["V-2012-0055"]),
        ("q=2012&from=2012-03-01", vec!["V-2012-0055"]),
        ("q=2013&view=2012", vec![]),
        ("q=%20", vec!["V-2013-0001", "V-2012-0055", "V-2012-0042"]),
    ] {
        let (_, found) = walk(&marie, "remittances", &format!("{query}&limit=1")).await;
        assert_eq!(texts(&found, "remittance_number"), numbers, "{query}");
    }
    // What it paid of 2011 turns out to be another transfer's: it pays for 2012 alone, and stays in the list of all.
    let mut corrected = payment("E-3", 2, "2011-000001", "2012-02-10", "V-2012-0043");
    corrected["amount_cents"] = json!(90_000);
    post(&world, "2012-10-17-001", &[corrected]).await;
    let (_, all) = walk(&marie, "remittances", "limit=1").await;
    let numbers = texts(&all, "remittance_number");
    assert_eq!(numbers, ["V-2013-0001", "V-2012-0055", "V-2012-0043", "V-2012-0042"]);
    assert_eq!(all[3]["amount"], 1_000);
    let reconciled = world.portal.invoke("reconcile", json!({"account": ACCOUNT})).await.unwrap();
    assert_eq!(reconciled["drift"], 0, "{reconciled}");
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_of_transfers_hold_each_once_whatever_its_number() {
    let world = World::start().await;
    let marie = world.manager("marie@martin.example").await;
    let numbers = ["V#1", "V#2", "V$", "V%", "V%24", "V 50 %", "V 50 %A", "W"];
    let records: Vec<_> = (0..)
        .zip(numbers)
        .map(|(place, number)| payment(&format!("P-{place}"), 1, "2012-000001", "2012-07-01", number))
        .collect();
    post(&world, "2012-10-16-001", &records).await;
    for view in ["", "&view=2012"] {
        let query = |limit: usize| format!("from=2012-07-01&to=2012-07-01&limit={limit}{view}");
        let (_, whole) = walk(&marie, "remittances", &query(200)).await;
        let all: BTreeSet<_> = texts(&whole, "remittance_number").into_iter().collect();
        assert_eq!(all, BTreeSet::from(numbers));
        for limit in [1, 3] {
            let (_, paged) = walk(&marie, "remittances", &query(limit)).await;
            assert_eq!(paged, whole, "by {limit}{view}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_year_that_was_a_mistake_hides_no_other_and_is_named() {
    let world = World::start().await;
    let marie = world.manager("marie@martin.example").await;
    let lists = ["contributions", "ledger", "actions"];
    let action = |number: u64, version: u64, engaged: &str| {
        json!({"record": "action", "source_key": format!("A-{number}"), "source_version": version,
            "member_number": ACCOUNT, "action_id": format!("2013-00000{number}"), "title": "Soudage", "scheme": "DIF",
            "status": "COMMITTED", "engagement_date": engaged})
    };
    // An action without entries leaves nothing to be found in the year that it left.
    post(&world, "2012-10-15-002", &[action(8, 1, "2013-06-01")]).await;
    post(&world, "2012-10-15-003", &[action(8, 2, "2012-06-01")]).await;
    let mut before = Vec::new();
    for list in lists {
        before.push(walk(&marie, list, "limit=1").await.1);
    }
    let summary = read(&marie, "summary").await;
    assert_eq!(summary["emptied_views"], json!([]));
    post(&world, "2012-10-16-001", &[contribution("C-9", 1, 2013)]).await;
    assert_eq!(read(&marie, "contributions").await["view"], 2013);
    // Corrected to an amount of the year that it is for.
    post(&world, "2012-10-17-001", &[contribution("C-9", 2, 2011)]).await;
    // And an action that was dated a year too late, with an entry.
    let commitment =
        record("E-9", 1, &json!({"action_id": "2013-000009", "kind": "COMMITMENT", "effective_date": "2011-06-01"}));
    post(&world, "2012-10-18-001", &[action(9, 1, "2013-06-01"), commitment]).await;
    post(&world, "2012-10-19-001", &[action(9, 2, "2011-06-01")]).await;

    for (list, before) in lists.iter().zip(before) {
        for limit in [1, 200] {
            let (page, items) = walk(&marie, list, &format!("limit={limit}")).await;
            assert_eq!((page["view"].as_i64(), &items), (Some(2012), &before), "{list}");
        }
    }
    for query in ["kind=COMMITMENT&limit=1", "kind=CONTRIBUTION_LEGAL&limit=1"] {
        let (page, items) = walk(&marie, "ledger", query).await;
        let (_, named) = walk(&marie, "ledger", &format!("{query}&view=2012")).await;
        assert_eq!((page["view"].as_i64(), items), (Some(2012), named), "{query}");
    }
    let summary = read(&marie, "summary").await;
    let views: Vec<_> = summary["views"].as_array().unwrap().iter().map(|view| view["view"].clone()).collect();
    assert_eq!((views, &summary["emptied_views"]), (vec![json!(2011), json!(2012)], &json!([2013])));
    // What was reversed can be found.
    let (_, entries) = walk(&marie, "ledger", "view=2013&limit=1").await;
    assert_eq!(entries.len(), 4);
    let cents: i64 = entries.iter().map(|entry| entry["amount_cents"].as_i64().unwrap()).sum();
    assert_eq!(cents, 0);
    let statement = get(&marie, "statement.pdf").await.expect(200);
    assert!(statement.header("content-disposition").unwrap().contains("releve-012345-2012.pdf"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_year_that_was_mistyped_is_nobodys_default() {
    let world = World::start().await;
    let marie = world.manager("marie@martin.example").await;
    let mut before = Vec::new();
    let lists = ["actions", "contributions", "ledger", "actions?q=bilan", "actions?sort=paid"];
    for list in lists {
        before.push(read(&marie, list).await);
    }
    // As it was posted before the import refused such a day.
    let number = MemberNumber::parse(ACCOUNT).unwrap();
    let far = View::parse("2062").unwrap();
    let pattern = world.store().query_items(&whole_ledger(&number)).await.unwrap().items;
    let mut items = Vec::new();
    let mut add = |item| items.push(item);
    for item in pattern {
        let is_of_2012 = item["sk"].as_s().unwrap().ends_with("#2012");
        match item["sk"].as_s().unwrap().split('#').next().unwrap() {
            "CONTRIBUTION" => {
                let mut entry = from_item::<Entry>(item).unwrap();
                entry.view = far;
                add(to_item(&entry).unwrap());
            }
            "TOTALS" if is_of_2012 => {
                add(to_item(&Totals { view: far, shared: BTreeMap::new(), ..from_item(item).unwrap() }).unwrap())
            }
            "FACETS" if is_of_2012 => add(to_item(&Facets { view: far, ..from_item(item).unwrap() }).unwrap()),
            "ACTION" if item["sk"].as_s().unwrap().ends_with('#') => {
                let mut action = from_item::<Action>(item).unwrap();
                action.action_id = Identifier::parse(&format!("far-{}", action.action_id)).unwrap();
                action.state.as_mut().unwrap().home.view = far;
                add(to_item(&action).unwrap());
            }
            _ => {}
        }
    }
    put(&world, &items).await;
    let summary = read(&marie, "summary").await;
    assert_eq!(summary["views"].as_array().unwrap().last().unwrap()["view"], 2062, "the summary shows all there is");
    for (list, before) in lists.iter().zip(before) {
        let now = read(&marie, list).await;
        assert_eq!((&now["view"], &now["items"]), (&json!(2012), &before["items"]), "{list}");
    }
    let statement = get(&marie, "statement.pdf").await.expect(200);
    assert!(statement.header("content-disposition").unwrap().contains("releve-012345-2012.pdf"));
    assert_eq!(read(&marie, "actions?view=2062&limit=200").await["items"].as_array().unwrap().len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn actions_are_searched_and_sorted_within_what_else_they_are_filtered_by() {
    let world = World::start().await;
    let marie = world.manager("marie@martin.example").await;
    let action = |n: usize, title: &str| {
        json!({"record": "action", "source_key": format!("A-N{n}"), "source_version": 1, "member_number": ACCOUNT,
            "action_id": format!("2012-1{n:05}"), "title": title, "scheme": if n.is_multiple_of(2) { "PLAN" } else { "DIF" },
            "status": "COMMITTED", "engagement_date": format!("2012-0{}-01", n % 9 + 1)})
    };
    let committed = |n: usize| {
        record(
            &format!("E-N{n}"),
            1,
            &json!({"action_id": format!("2012-1{n:05}"), "kind": "COMMITMENT",
            "amount_cents": 1_000 * (n % 5 + 1), "effective_date": "2012-06-01"}),
        )
    };
    let titles =
        ["Élingage", "échafaudages", "Soudage à l’arc", "Éco-conduite", "ELECTRICITE", "Électricité (recyclage)"];
    let mut records = Vec::new();
    for n in 0..12 {
        records.extend([action(n, titles[n % titles.len()]), committed(n)]);
    }
    post(&world, "2012-10-16-001", &records).await;
    let (_, all) = walk(&marie, "actions", "view=2012&limit=200").await;
    let sum = |items: &[Value], field: &str| items.iter().map(|item| item[field].as_i64().unwrap()).sum::<i64>();
    for (query, word) in
        [("q=ELECTRICITE", "lectricit"), ("q=recyclage%20electr", "recyclage"), ("q=2012-100003", "co-conduite")]
    {
        for limit in [1, 200] {
            let (page, found) = walk(&marie, "actions", &format!("{query}&limit={limit}")).await;
            let is_right = |item: &&Value| item["title"].as_str().unwrap().to_lowercase().contains(word);
            let mut expected: Vec<_> = all.iter().filter(is_right).cloned().collect();
            if query.contains("100003") {
                expected.retain(|item| item["action_id"] == "2012-100003");
            }
            assert_eq!(found, expected, "{query}: in the order of the list");
            assert_eq!(page["totals"]["committed"], sum(&found, "committed"), "totals are of what was found");
            assert!(!found.is_empty());
        }
    }
    for (sort, field) in
        [("committed", "committed"), ("-committed", "committed"), ("-remaining", "remaining"), ("paid", "paid")]
    {
        for filter in ["", "&scheme=DIF", "&view=2012&status=COMMITTED", "&q=e"] {
            let (page, sorted) = walk(&marie, "actions", &format!("sort={sort}{filter}&limit=3")).await;
            let (other, same) = walk(&marie, "actions", &format!("sort=title{filter}&limit=200")).await;
            assert_eq!(page["totals"], other["totals"]);
            let ids = |items: &[Value]| {
                items.iter().map(|item| item["action_id"].as_str().unwrap().to_owned()).collect::<BTreeSet<_>>()
            };
            assert_eq!((sorted.len(), ids(&sorted)), (same.len(), ids(&same)), "{sort}{filter}: each once");
            let cents = |item: &Value| item[field].as_i64().unwrap();
            let in_order = |a: &Value, b: &Value| {
                if sort.starts_with('-') { cents(a) >= cents(b) } else { cents(a) <= cents(b) }
            };
            assert!(sorted.is_sorted_by(in_order), "{sort}{filter}");
            assert_eq!(page["totals"]["committed"], sum(&sorted, "committed"));
        }
    }
    let (_, by_title) = walk(&marie, "actions", "view=2012&sort=title&q=e&limit=2").await;
    let mut expected = texts(&by_title, "title");
    expected.dedup();
    let plain = [
        "Bilan de compétences",
        "échafaudages",
        "Éco-conduite",
        "ELECTRICITE",
        "Électricité (recyclage)",
        "Élingage",
        "Habilitation électrique",
        "Soudage à l’arc",
    ];
    assert_eq!(expected, plain, "accents and case do not matter");
    let (_, newest) = walk(&marie, "actions", "view=2012&sort=-engagement_date&limit=5").await;
    assert_eq!(newest, all, "the order of the list itself");

    // A cursor is good for its search and order alone.
    let page = read(&marie, "actions?q=e&sort=title&limit=1").await;
    let cursor = page["next_cursor"].as_str().unwrap();
    for other in ["q=e&sort=-title", "q=el&sort=title", "sort=title", "q=e", "", "q=e&sort=title&view=2012"] {
        get(&marie, &format!("actions?{other}&cursor={cursor}")).await.expect_problem(400, "bad-cursor");
    }
    get(&marie, &format!("actions?q=E&sort=title&limit=2&cursor={cursor}")).await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn more_rows_than_are_read_whole_ask_for_a_narrower_filter() {
    let world = World::start().await;
    let marie = world.manager("marie@martin.example").await;
    let number = MemberNumber::parse(ACCOUNT).unwrap();
    let identifier = |text: &str| Identifier::parse(text).unwrap();
    let action = |n: usize| {
        let day = jiff::civil::date(2012, 1, 1);
        let home = Home { view: View::parse("2012").unwrap(), scheme: Scheme::Pdc };
        let state = ActionState {
            source: identifier("erp"),
            source_key: identifier(&format!("many-{n}")),
            title: "Une parmi beaucoup".to_owned(),
            home,
            status: ActionStatus::Committed,
            engagement_date: day,
        };
        let action_id = identifier(&format!("many-{n}"));
        Action {
            state: Some(state),
            sums: ActionSums::default(),
            version: 1,
            ..Action::unknown(number.clone(), action_id)
        }
    };
    let items: Vec<_> = (0..MOST_ROWS).map(|n| to_item(&action(n)).unwrap()).collect();
    put(&world, &items).await;
    // Two of the fixture are of the view too.
    for (query, error) in [
        ("q=bilan", "q:too-many-rows"),
        ("sort=title", "sort:too-many-rows"),
        ("view=2012&q=bilan&sort=title", "q:too-many-rows"),
        ("view=2012&scheme=PDC&q=une", ""),
        ("view=2012&scheme=PLAN&q=habilitation", ""),
        ("scheme=ASSESSMENT&sort=title", ""),
    ] {
        let reply = get(&marie, &format!("actions?{query}")).await;
        if error.is_empty() {
            // Their facets know nothing of those that were put there past the import.
            assert!(query.contains("PDC") || reply.status == 200, "{reply}");
            assert_ne!(reply.status, 422, "{reply}");
        } else {
            assert_eq!(reply.expect(422).errors(), [error], "{query}");
        }
    }
    let transfer = |n: usize| ListedRemittance {
        member_number: number.clone(),
        source: Identifier::parse("erp").unwrap(),
        number: RemittanceNumber::parse(&format!("V-MANY-{n}")).unwrap(),
        view: View::parse("2012").unwrap(),
        date: jiff::civil::date(2012, 7, 1),
        moved: Moved { sent: Paid::to(Payee::Company, Cents(100)), returned: Paid::ZERO },
        bank_reference: None,
    };
    let in_list_of_all = |n: usize| {
        let mut item = to_item(&transfer(n)).unwrap();
        let place = format!("REMITTANCE#2012-07-01#V-MANY-{n}");
        item.insert("by_scheme".to_owned(), aws_sdk_dynamodb::types::AttributeValue::S(place));
        item
    };
    let items: Vec<_> = (0..MOST_ROWS).map(in_list_of_all).collect();
    put(&world, &items).await;
    let reply = get(&marie, "remittances?q=0042").await.expect(422);
    assert_eq!(reply.errors(), ["q:too-many-rows"]);
    let (_, found) = walk(&marie, "remittances", "q=0042&to=2012-06-30").await;
    assert_eq!(texts(&found, "remittance_number"), ["V-2012-0042"]);
    let (_, found) = walk(&marie, "remittances", "q=MANY-19&from=2012-07-01&limit=50").await;
    assert_eq!(found.len(), (0..MOST_ROWS).filter(|n| n.to_string().contains("19")).count());
}
