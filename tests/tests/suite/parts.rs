//! Lists that are read whole where an answer carries them, and in parts where it does not: an action's entries, a transfer's lines.

use harness::{ACCOUNT, OTHER_ACCOUNT, Visitor, World, lines};
use portal::domain::{Cents, Id, Identifier, MemberNumber, Paid, Payee, RemittanceNumber};
use portal::store::{Action, Entry, Remittance, RemittanceLine, to_item};
use serde_json::{Value, json};

use crate::ledger_files::put;

const ACTION: &str = "2012-000001";

async fn read(marie: &Visitor, rest: &str) -> Value {
    marie.get(&format!("/api/accounts/{ACCOUNT}/{rest}")).await.expect(200).body
}

/// All pages of something, each with this query, and how many there were.
async fn pages(marie: &Visitor, rest: &str, query: &str, list: &str) -> (Vec<Value>, usize, u64) {
    let (mut all, mut number, mut folded, mut cursor) = (Vec::new(), 0, 0, String::new());
    loop {
        let page = read(marie, &format!("{rest}?{query}{cursor}")).await;
        all.extend(page[list].as_array().unwrap().clone());
        folded += page["folded"].as_u64().unwrap_or_default();
        number += 1;
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return (all, number, folded),
        }
    }
}

fn ids(entries: &[Value]) -> Vec<&str> {
    entries.iter().map(|entry| entry["entry_id"].as_str().unwrap()).collect()
}

fn sum(entries: &[Value], field: &str) -> i64 {
    entries.iter().map(|entry| entry[field].as_i64().unwrap()).sum()
}

/// Moves the action to the next of these states, and back.
async fn moved(world: &World, version: u64, account: &str, scheme: &str, engaged: &str) {
    let action = json!({"record": "action", "source_key": "A-2", "source_version": version, "member_number": account,
        "action_id": ACTION, "title": "Habilitation électrique", "scheme": scheme, "status": "PAID",
        "engagement_date": engaged});
    let report = world.import(&format!("2012-11-{version:02}-001"), "", &lines(&[action])).await;
    assert_eq!((report.corrected, report.quarantined), (1, 0), "{report:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_action_that_moved_is_folded_where_it_is_more_than_a_page() {
    let world = World::start().await;
    let marie = world.manager("marie@martin.example").await;
    let action = format!("actions/{ACTION}");
    let before = read(&marie, &action).await;
    assert_eq!((before["entries"].as_array().unwrap().len(), before.get("folded")), (3, None));
    // One of its entries is corrected, which is no move.
    let corrected = json!({"record": "entry", "source_key": "E-4", "source_version": 2, "member_number": ACCOUNT,
        "action_id": ACTION, "kind": "COMMITMENT", "amount_cents": 50_000, "effective_date": "2012-01-01",
        "label": "Corrigée"});
    world.import("2012-11-01-001", "", &lines(&[corrected])).await;
    moved(&world, 2, ACCOUNT, "DIF", "2012-01-01").await;
    moved(&world, 3, OTHER_ACCOUNT, "DIF", "2012-01-01").await;
    moved(&world, 4, ACCOUNT, "PLAN", "2012-01-01").await;

    // All of it is one page: five entries, and three more with their reversals twice over.
    let all = read(&marie, &action).await;
    let entries = all["entries"].as_array().unwrap();
    assert_eq!((entries.len(), all.get("folded"), all.get("next_cursor")), (5 + 2 * 6, None, None));
    let folded = read(&marie, &format!("{action}?moves=folded")).await;
    let of_folded = folded["entries"].as_array().unwrap();
    assert_eq!((of_folded.len(), &folded["folded"]), (5, &json!(12)));
    assert_eq!((sum(of_folded, "amount_cents"), &folded["paid"]), (sum(entries, "amount_cents"), &before["paid"]));
    let in_order: Vec<&str> = ids(entries).into_iter().filter(|id| ids(of_folded).contains(id)).collect();
    assert_eq!(ids(of_folded), in_order);
    assert!(of_folded.iter().any(|entry| entry["kind"] == "REVERSAL"), "a correction stays");

    // Pages of any size hold each once, in order, and say how many are left out.
    for limit in [1, 2, 3, 5, 17] {
        let (of_pages, number, left_out) =
            pages(&marie, &action, &format!("moves=folded&limit={limit}"), "entries").await;
        assert_eq!((ids(&of_pages), number, left_out), (ids(of_folded), 5_usize.div_ceil(limit), 12), "{limit}");
        let (of_pages, number, left_out) = pages(&marie, &action, &format!("moves=all&limit={limit}"), "entries").await;
        assert_eq!((ids(&of_pages), number, left_out), (ids(entries), 17_usize.div_ceil(limit), 0), "{limit}");
        let (of_pages, _, left_out) = pages(&marie, &action, &format!("limit={limit}"), "entries").await;
        let expected = if limit < 17 { (ids(of_folded), 12) } else { (ids(entries), 0) };
        assert_eq!((ids(&of_pages), left_out), expected, "{limit}: folded where it is more than one");
    }

    // A cursor is good for the action and the moves that it is of, and for nothing else.
    let page = read(&marie, &format!("{action}?moves=folded&limit=1")).await;
    let cursor = page["next_cursor"].as_str().unwrap();
    for other in [
        format!("{action}?moves=all&cursor={cursor}"),
        format!("{action}?cursor={cursor}"),
        format!("actions/2011-000001?moves=folded&cursor={cursor}"),
        format!("remittances/V-2012-0055?cursor={cursor}"),
        format!("{action}?moves=folded&cursor=x{cursor}"),
    ] {
        let target = format!("/api/accounts/{ACCOUNT}/{other}");
        marie.get(&target).await.expect_problem(400, "bad-cursor");
    }
    let target = |rest: &str| format!("/api/accounts/{ACCOUNT}/{rest}");
    let refused = marie.get(&target(&format!("{action}?moves=some&limit=0&page=2"))).await;
    let refused = refused.expect_problem(422, "invalid-input");
    let mut fields: Vec<String> =
        refused.errors().iter().map(|error| error.split(':').next().unwrap().to_owned()).collect();
    fields.sort();
    assert_eq!(fields, ["limit", "moves", "page"]);
    marie.get(&target("actions/none?moves=some")).await.expect_problem(404, "not-found");
    marie.get(&target("remittances/none?limit=0")).await.expect_problem(404, "not-found");
}

/// An action and a transfer that weigh more than an answer: 4,000 payments with the longest texts.
#[tokio::test(flavor = "multi_thread")]
async fn what_weighs_more_than_an_answer_comes_in_parts() {
    const MORE: usize = 4_000;
    let world = World::start().await;
    let marie = world.manager("marie@martin.example").await;
    let (number, store) = (MemberNumber::parse(ACCOUNT).unwrap(), world.store());
    let identifier = Identifier::parse(ACTION).unwrap();
    let of_action = Action::entries_of(&number, &identifier);
    let entries: Vec<Entry> = store.query_all(&of_action).await.unwrap();
    let pattern = entries.iter().find(|entry| entry.transfer().is_some()).unwrap();
    // Put there past the import, as a feed of so many would take long to post.
    let mut items = Vec::new();
    for n in 0..MORE {
        let source_key = Identifier::parse(&format!("many-{n}")).unwrap();
        let entry_id = Entry::id_of(&pattern.source, &source_key, 1, 0);
        let posting = 1_000 + u64::try_from(n).unwrap();
        let mut entry = Entry { entry_id, source_key, posting, ..pattern.clone() };
        (entry.facts.amount, entry.facts.label) = (Cents(1), "\"é\"".repeat(333));
        entry.title = Some("\"é\"".repeat(333));
        items.push(to_item(&entry).unwrap());
    }
    put(&world, &items).await;
    // What keeps their sums.
    let (count, cents) = (u32::try_from(MORE).unwrap(), Cents(i64::try_from(MORE).unwrap()));
    let mut action: Action = store.get(&Action::key_of(&number, &identifier)).await.unwrap().unwrap();
    action.entries += count;
    action.sums.paid += Paid::to(Payee::Company, cents);
    action.sums.in_progress += -cents;
    let transfer = RemittanceNumber::parse("V-2012-0055").unwrap();
    let erp = Identifier::parse("erp").unwrap();
    let mut remittance: Remittance = store.get(&Remittance::key_of(&number, &erp, &transfer)).await.unwrap().unwrap();
    let share = remittance.views.values_mut().next().unwrap();
    share.moved.sent += Paid::to(Payee::Company, cents);
    share.entries += count;
    *remittance.sent.days.values_mut().next().unwrap() += count;
    put(&world, &[to_item(&action).unwrap(), to_item(&remittance).unwrap()]).await;

    let (of_pages, number_of_pages, _) = pages(&marie, &format!("actions/{ACTION}"), "", "entries").await;
    assert_eq!((of_pages.len(), number_of_pages > 1), (3 + MORE, true));
    assert_eq!(ids(&of_pages).into_iter().collect::<std::collections::HashSet<_>>().len(), 3 + MORE);
    let (of_pages, number_of_pages, _) = pages(&marie, "remittances/V-2012-0055", "", "lines").await;
    assert_eq!((of_pages.len(), number_of_pages > 1), (1 + MORE, true));
    let (by_number, pages_by_number, _) = pages(&marie, "remittance", "number=V-2012-0055", "lines").await;
    assert_eq!((ids(&by_number), pages_by_number), (ids(&of_pages), number_of_pages));
    let lines: Vec<RemittanceLine> = store.query_all(&RemittanceLine::all(&number, &transfer, None)).await.unwrap();
    let expected: Vec<Id> = lines.iter().map(|line| line.entry_id).collect();
    assert_eq!(ids(&of_pages), expected.iter().map(ToString::to_string).collect::<Vec<_>>());
}
