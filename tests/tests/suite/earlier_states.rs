//! Earlier states, asked for later: that of a list and of a statement is the one that was given then.

use std::time::Duration;

use harness::{ACCOUNT, Reply, Visitor, World, lines};
use serde_json::{Value, json};

async fn get(marie: &Visitor, target: &str) -> Reply {
    marie.get(&format!("/api/accounts/{ACCOUNT}/{target}")).await
}

/// The instant that names the present state of a view.
async fn state_of(marie: &Visitor, view: i16) -> String {
    let summary = get(marie, "summary").await.expect(200).body;
    let views = summary["views"].as_array().unwrap();
    let of_view = views.iter().find(|of| of["view"] == view).expect("the view");
    of_view["as_of"].as_str().unwrap().to_owned()
}

/// All entries of a list, page by page, each of at most three.
async fn pages(marie: &Visitor, list: &str) -> Vec<Value> {
    let (mut items, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = get(marie, &format!("{list}&limit=3{cursor}")).await.expect(200).body;
        items.extend(page["items"].as_array().unwrap().iter().cloned());
        let Some(next) = page["next_cursor"].as_str() else { return items };
        cursor = format!("&cursor={next}");
    }
}

/// Posts the records of the day after: corrections, a new payment of an old transfer, other statuses, another title, an action that
/// goes to another year, and one that is withdrawn.
async fn post_the_day_after(world: &World) {
    let entry = |key: &str, version: u64, fields: Value| {
        let mut record = json!({"record": "entry", "source_key": key, "source_version": version,
            "member_number": ACCOUNT, "label": "Écriture"});
        record.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        record
    };
    let action = |key: &str, id: &str, title: &str, status: &str, engaged: &str| {
        json!({"record": "action", "source_key": key, "source_version": 7, "member_number": ACCOUNT, "action_id": id,
            "title": title, "scheme": "PLAN", "status": status, "engagement_date": engaged})
    };
    let records = [
        action("A-NEW", "2012-NEW", "Nouvelle", "COMMITTED", "2012-06-01"),
        action("A-2", "2012-000001", "Autre titre", "CLOSED", "2012-01-01"),
        action("A-3", "2012-000002", "Bilan de compétences", "INVOICED", "2011-06-15"),
        json!({"record": "withdrawal", "source_key": "E-6", "source_version": 2}),
        entry(
            "E-NEW",
            1,
            json!({"action_id": "2012-NEW", "kind": "COMMITMENT", "amount_cents": 77_700,
            "effective_date": "2012-06-01"}),
        ),
        entry(
            "E-4",
            2,
            json!({"action_id": "2012-000001", "kind": "COMMITMENT", "amount_cents": 49_999,
            "effective_date": "2012-01-01"}),
        ),
        entry(
            "E-PAID",
            1,
            json!({"action_id": "2012-000001", "kind": "PAYMENT_TO_PROVIDER", "amount_cents": 1_001,
            "effective_date": "2012-03-09", "remittance_number": "V-2012-0055"}),
        ),
        entry(
            "C-3",
            2,
            json!({"kind": "CONTRIBUTION_VOLUNTARY", "amount_cents": 41_000,
            "effective_date": "2013-02-28", "contribution_year": 2012}),
        ),
    ];
    let report = world.import("2012-10-16-001", "", &lines(&records)).await;
    assert!(report.posted >= 3 && report.corrected >= 2, "{report:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_earlier_statement_is_the_one_that_was_given_then() {
    let world = World::start().await;
    let marie = world.manager("marie@martin.example").await;
    let (then, of_2011) = (state_of(&marie, 2012).await, state_of(&marie, 2011).await);
    let given = get(&marie, "statement.pdf?view=2012").await.expect(200).text;
    let given_of_2011 = get(&marie, "statement.pdf?view=2011").await.expect(200).text;
    world.advance(Duration::from_secs(120));
    post_the_day_after(&world).await;

    assert_ne!(get(&marie, "statement.pdf?view=2012").await.expect(200).text, given);
    let again = get(&marie, &format!("statement.pdf?view=2012&as_of={then}")).await.expect(200);
    assert!(again.text == given, "the statement of {then}");
    let of_then = get(&marie, &format!("statement.pdf?view=2011&as_of={of_2011}")).await.expect(200);
    assert!(of_then.text == given_of_2011, "the statement of {of_2011}");
    // The present state by its name.
    let now = state_of(&marie, 2012).await;
    let named = get(&marie, &format!("statement.pdf?view=2012&as_of={now}")).await.expect(200);
    assert!(named.text == get(&marie, "statement.pdf?view=2012").await.expect(200).text, "the statement of {now}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_earlier_list_of_entries_has_what_was_booked_by_then() {
    let world = World::start().await;
    let marie = world.manager("marie@martin.example").await;
    let then = state_of(&marie, 2012).await;
    let lists = ["ledger?view=2012", "ledger?view=2012&kind=COMMITMENT", "ledger?from=2011-01-01"];
    let mut given = Vec::new();
    for list in lists {
        given.push(pages(&marie, list).await);
    }
    world.advance(Duration::from_secs(120));
    post_the_day_after(&world).await;
    for (list, given) in lists.into_iter().zip(given) {
        assert_ne!(pages(&marie, list).await, given, "{list}");
        let list = format!("{list}&as_of={then}");
        assert_eq!(pages(&marie, &list).await, given, "{list}");
        let page = get(&marie, &list).await.expect(200).body;
        assert_eq!((page["as_of"].as_str(), page.get("postings")), (Some(then.as_str()), None), "{list}");
    }
    // One that a posting is later than begins none of the pages.
    let all = pages(&marie, "ledger?view=2012").await;
    assert!(all.len() > given_count(&all, &then), "something came later");
}

/// The count of entries that were booked by an instant.
fn given_count(entries: &[Value], at: &str) -> usize {
    let at: jiff::Timestamp = at.parse().unwrap();
    let booked = |entry: &&Value| entry["booked_at"].as_str().unwrap().parse::<jiff::Timestamp>().unwrap() <= at;
    entries.iter().filter(booked).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_state_that_has_not_come_or_of_before_the_first_booking_is_refused() {
    let world = World::start().await;
    let marie = world.manager("marie@martin.example").await;
    for list in ["ledger?view=2012", "statement.pdf?view=2012"] {
        for (at, code) in [
            ("2999-01-01T00:00:00Z", "instant-in-the-future"),
            ("1999-01-01T00:00:00Z", "before-the-first-booking"),
            ("2012-10-15", "bad-instant"),
        ] {
            let refused = get(&marie, &format!("{list}&as_of={at}")).await.expect_problem(422, "invalid-input");
            assert_eq!(refused.errors(), [format!("as_of:{code}")], "{list} {at}");
        }
    }
}
