//! Access that is given, opened and taken back at the same moment: the end is one of the possible ones, the
//! copies agree with each other, and the evidence tells it.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_dynamodb::types::AttributeValue;
use futures::future::join_all;
use harness::{ACCOUNT, Calls, Held, Person, Reply, Tap, Visitor, World};
use portal::domain::Id;
use portal::store::{AuditEvent, EventKind, Item, Query, Table};
use serde_json::{Value, json};

const PAUL: &str = "paul@cabinet.example";

fn target(rest: &str) -> String {
    format!("/api/accounts/{ACCOUNT}/{rest}")
}

async fn invite(manager: &Visitor) -> Reply {
    manager.post(&target("users"), &json!({"email": PAUL})).await
}

async fn revoke(visitor: &Visitor, id: &Value) -> Reply {
    visitor.delete(&target(&format!("users/{}", id.as_str().unwrap()))).await
}

/// Paul as the manager's list has him.
async fn listed(manager: &Visitor) -> Option<Value> {
    let users = manager.get(&target("users")).await.expect(200)["users"].as_array().unwrap().clone();
    let mut pauls: Vec<_> = users.into_iter().filter(|user| user["email"] == PAUL).collect();
    assert!(pauls.len() <= 1, "{pauls:?}");
    pauls.pop()
}

/// Invites Paul, who has nothing then but an invitation that he did not open.
async fn invite_anew(manager: &Visitor) {
    if let Some(user) = listed(manager).await {
        revoke(manager, &user["id"]).await.expect(204);
    }
    invite(manager).await.expect(202);
}

/// Marie who manages, Paul who may or may not read.
async fn both(world: &World) -> (Visitor, Visitor) {
    let marie = world.manager("marie@martin.example").await;
    let paul = world.user(&Person::at(PAUL).named("m", "DURAND")).await;
    world.accept_charter(&paul).await;
    (marie, paul)
}

fn text<'a>(item: &'a Item, name: &str) -> &'a str {
    item.get(name).and_then(|value: &AttributeValue| value.as_s().ok()).map_or("", String::as_str)
}

/// Grants and invitations are in both of their places, and the last event about each tells what there is.
async fn everything_agrees(world: &World, paul: Id) {
    let items = world.items(Table::Members).await;
    let at = |pk: &str, sk: &str| -> BTreeSet<(String, String)> {
        let there = items.iter().filter(|item| text(item, "pk").starts_with(pk) && text(item, "sk").starts_with(sk));
        there.map(|item| (text(item, "user_id").to_owned(), text(item, "invitation_id").to_owned())).collect()
    };
    let (grants, invitations) = (at("USER#", "GRANT#"), at("ACCOUNT#", "INVITATION#"));
    assert_eq!(grants, at("ACCOUNT#", "GRANT#"));
    assert_eq!(invitations, at("INVITED#", "ACCOUNT#"));

    let mut last: BTreeMap<String, AuditEvent> = BTreeMap::new();
    let mut opened = BTreeSet::new();
    let evidence = world.items(Table::Evidence).await;
    let places = evidence.iter().map(|item| text(item, "pk"));
    let subjects: BTreeSet<_> = places.filter(|pk| pk.starts_with("SUBJECT#")).map(str::to_owned).collect();
    for subject in subjects {
        let query = Query::partition(Table::Evidence, subject).beginning("EVENT#");
        for event in world.store().query_all::<AuditEvent>(&query).await.unwrap() {
            if !matches!(event.event, EventKind::AccessGranted | EventKind::AccessRevoked) {
                continue;
            }
            let invitation = event.detail.as_deref().and_then(|detail| detail.strip_prefix("opened invitation "));
            opened.extend(invitation.map(str::to_owned));
            last.insert(event.subject.to_string(), event);
        }
    }
    for (subject, event) in &last {
        let granted = event.event == EventKind::AccessGranted;
        let holds = grants.iter().any(|(user, _)| user == subject);
        let pending = invitations.iter().any(|(_, invitation)| invitation == subject);
        if *subject == paul.to_string() {
            assert_eq!(granted, holds, "{event:?}");
        } else {
            assert_eq!(granted, pending || opened.contains(subject), "{event:?}");
        }
    }
    assert!(invitations.iter().all(|(_, invitation)| last.contains_key(invitation)));
}

const MANAGES: Calls = Calls::of("manage-users");
const READS: Calls = Calls::of("query-ledger");

#[tokio::test(flavor = "multi_thread")]
async fn no_read_that_was_sent_after_access_was_taken_back_succeeds() {
    let (held, options) = Held::on_dynamodb();
    let world = World::start_with(options).await;
    let (marie, paul) = both(&world).await;
    for read in ["summary", "actions", "actions?view=2012", "actions/2011-000001"].map(target) {
        for opened in [false, true] {
            let mut orders = held.orders();
            while orders.another().is_some() {
                invite_anew(&marie).await;
                if opened {
                    paul.get(&read).await.expect(200);
                }
                let id = listed(&marie).await.unwrap()["id"].clone();
                let (reading, revoking) = ((READS, paul.get(&read)), (MANAGES, revoke(&marie, &id)));
                let Some((reply, revoked)) = orders.meet(reading, revoking).await else { continue };
                revoked.expect(204);
                // What came through is whole: the contract was checked. The rest is a plain no.
                if reply.status != 200 {
                    reply.expect_problem(404, "not-found");
                }
                paul.get(&read).await.expect_problem(404, "not-found");
                assert_eq!(listed(&marie).await, None);
                everything_agrees(&world, paul.id().await).await;
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn giving_and_taking_back_at_once_end_as_one_of_the_two() {
    let (held, options) = Held::on_dynamodb();
    let world = World::start_with(options).await;
    let (marie, paul) = both(&world).await;
    let mut ends = BTreeSet::new();
    for opened in [false, true] {
        let mut orders = held.orders();
        while orders.another().is_some() {
            invite_anew(&marie).await;
            if opened {
                paul.get(&target("summary")).await.expect(200);
            }
            let id = listed(&marie).await.unwrap()["id"].clone();
            let (giving, taking) = ((MANAGES, invite(&marie)), (MANAGES, revoke(&marie, &id)));
            let Some((given, taken)) = orders.meet(giving, taking).await else { continue };
            given.expect(202);
            taken.expect(204);
            let (user, reads) = (listed(&marie).await, paul.get(&target("summary")).await.status);
            assert_eq!(reads, if user.is_some() { 200 } else { 404 });
            assert!(user.as_ref().is_none_or(|user| user["status"] == "invited"), "{user:?}");
            ends.insert(reads);
            everything_agrees(&world, paul.id().await).await;
        }
    }
    assert_eq!(ends, BTreeSet::from([200, 404]));
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_first_reads_at_once_all_succeed_and_open_the_account_once() {
    let (tap, options) = Tap::on_dynamodb();
    let world = World::start_with(options).await;
    let (marie, paul) = both(&world).await;
    invite(&marie).await.expect(202);
    let reads = ["summary", "actions", "actions/2011-000001"].map(target);
    let reading = join_all((0..10).map(|n| paul.get(&reads[n % reads.len()])));
    for reply in tap.during(reading).await.0 {
        reply.expect(200);
    }
    assert_eq!(listed(&marie).await.unwrap()["status"], "active");
    assert_eq!(world.count(Table::Members, "USER#", "GRANT#").await, 2);
    everything_agrees(&world, paul.id().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invitation_that_is_opened_while_it_is_taken_back_ends_for_good() {
    let (held, options) = Held::on_dynamodb();
    let world = World::start_with(options).await;
    let (marie, paul) = both(&world).await;
    let (mut opened, own) = (BTreeSet::new(), json!(paul.id().await.to_string()));
    let summary = target("summary");
    for by_manager in [true, false] {
        let mut orders = held.orders();
        while orders.another().is_some() {
            invite_anew(&marie).await;
            let id = listed(&marie).await.unwrap()["id"].clone();
            // By the manager, or by Paul himself.
            let (who, whose) = if by_manager { (&marie, &id) } else { (&paul, &own) };
            let (reading, taking) = ((READS, paul.get(&summary)), (MANAGES, revoke(who, whose)));
            let Some((read, taken)) = orders.meet(reading, taking).await else { continue };
            assert!([200, 404].contains(&read.status), "{read}");
            opened.insert(read.status);
            taken.expect(204);
            paul.get(&summary).await.expect_problem(404, "not-found");
            assert_eq!(listed(&marie).await, None);
            everything_agrees(&world, paul.id().await).await;
        }
    }
    assert_eq!(opened, BTreeSet::from([200, 404]));
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_requests_for_one_address_at_once_are_one_invitation_and_one_mail() {
    let (tap, options) = Tap::on_dynamodb();
    let world = World::start_with(options).await;
    let (marie, paul) = both(&world).await;
    let before = world.mails_to(PAUL).await;
    for reply in tap.during(join_all((0..10).map(|_| invite(&marie)))).await.0 {
        reply.expect(202);
    }
    assert_eq!(listed(&marie).await.unwrap()["status"], "invited");
    assert_eq!(world.mails_to(PAUL).await, before + 1);
    everything_agrees(&world, paul.id().await).await;
}
