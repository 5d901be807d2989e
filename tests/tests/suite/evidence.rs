//! Evidence: what is written of each act, by whom, and that it names nobody.

use std::collections::BTreeSet;
use std::time::Duration;

use harness::{ACCOUNT, OTHER_ACCOUNT, PASSWORD, Person, World, link_token};
use portal::security::SealKey;
use portal::store::{Acceptance, Table};
use serde_json::{Map, Value, json};

const EMAIL: &str = "jeanne@martin.example";
const NEW_PASSWORD: &str = "escabeau mauve tournevis 7";

/// Every kind of act that leaves an audit event.
const KINDS: [&str; 19] = [
    "access-granted",
    "access-refused",
    "access-requested",
    "access-revoked",
    "account-claimed",
    "account-created",
    "activation-changed",
    "claim-failed",
    "data-exported",
    "document-accepted",
    "email-changed",
    "log-in-failed",
    "logged-in",
    "logged-out",
    "password-changed",
    "profile-changed",
    "role-handed-over",
    "role-taken-over",
    "user-erased",
];

/// The items of the evidence whose sort keys begin like this, as JSON.
async fn evidence(world: &World, sk: &str) -> Vec<Map<String, Value>> {
    let items = world.items(Table::Evidence).await;
    let json = items.into_iter().map(|item| serde_dynamo::from_item::<_, Map<String, Value>>(item).unwrap());
    json.filter(|item| item["sk"].as_str().unwrap().starts_with(sk)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_act_leaves_an_event_that_says_who_what_when_and_how_it_ended() {
    let world = World::start().await;
    let before = world.portal.clock().now();
    let jeanne = world.manager(EMAIL).await;
    let paul = world.member("paul@martin.example").await;
    let users = format!("/api/accounts/{ACCOUNT}/users");
    jeanne.post(&users, &json!({"email": "paul@martin.example"})).await.expect(202);
    paul.get(&format!("/api/accounts/{ACCOUNT}/summary")).await.expect(200);
    jeanne.delete(&format!("{users}/{}", paul.id().await)).await.expect(204);
    let (jeanne_id, paul_id) = (jeanne.id().await, paul.id().await);
    for approved in [false, true] {
        paul.post("/api/access-requests", &json!({})).await.expect(202);
        if approved {
            jeanne.post(&users, &json!({"email": "paul@martin.example"})).await.expect(202);
        } else {
            jeanne.delete(&format!("{users}/{paul_id}")).await.expect(204);
        }
    }
    let manager = format!("/api/accounts/{ACCOUNT}/manager");
    jeanne.post(&manager, &json!({"id": paul_id})).await.expect(200);
    paul.post(&manager, &json!({"id": jeanne_id})).await.expect(200);
    jeanne.delete(&format!("{users}/{paul_id}")).await.expect(204);
    world.claim(&paul, OTHER_ACCOUNT).await.expect_problem(404, "claim-refused");
    world.visitor().log_in(EMAIL, "une tout autre phrase 12").await.expect_problem(401, "bad-credentials");
    world.visitor().log_in("nobody@martin.example", PASSWORD).await.expect_problem(401, "bad-credentials");
    let change = json!({"current_password": PASSWORD, "password": NEW_PASSWORD, "password_confirmation": NEW_PASSWORD});
    paul.post("/api/me/password", &change).await.expect(204);
    paul.refresh().await.expect(200);
    let address = "paul@durand.example";
    let change = json!({"current_password": NEW_PASSWORD, "email": address, "email_confirmation": address});
    paul.post("/api/me/email", &change).await.expect(202);
    paul.patch("/api/me", &json!({"job_title": "Gérant"})).await.expect(200);
    paul.get("/api/me/export").await.expect(200);
    let jeanne_id = jeanne.id().await.to_string();
    jeanne.delete("/api/sessions/current").await.expect(204);
    paul.send(http::Method::DELETE, "/api/me", Some(&json!({"current_password": NEW_PASSWORD}))).await.expect(204);

    let all = evidence(&world, "EVENT#").await;
    let (of_accounts, events): (Vec<_>, Vec<_>) =
        all.into_iter().partition(|event| event["pk"].as_str().unwrap().starts_with("ACCOUNT#"));
    // What concerns an account's role is found by the account too, as the event that its subject has.
    let ids: BTreeSet<_> = events.iter().map(|event| event["event_id"].as_str().unwrap()).collect();
    assert!(of_accounts.iter().any(|event| event["event"] == "account-claimed"), "{of_accounts:?}");
    assert!(of_accounts.iter().all(|event| ids.contains(event["event_id"].as_str().unwrap())), "{of_accounts:?}");
    let kinds: BTreeSet<_> = events.iter().map(|event| event["event"].as_str().unwrap()).collect();
    assert_eq!(kinds, BTreeSet::from(KINDS));
    let now = world.portal.clock().now();
    for event in &events {
        let failed = ["log-in-failed", "claim-failed"].contains(&event["event"].as_str().unwrap());
        assert_eq!(event["outcome"], if failed { "failure" } else { "success" }, "{event:?}");
        assert!(!event["witness"]["request_id"].as_str().unwrap().is_empty(), "{event:?}");
        let at = event["at"].as_i64().unwrap();
        assert!((before.as_millisecond()..=now.as_millisecond()).contains(&at), "{event:?}");
        for id in ["subject", "event_id"] {
            assert_eq!(event[id].as_str().unwrap().len(), 32, "{event:?}");
        }
        // Who types a wrong password at log-in is nobody one knows, and least of all the owner of the address.
        let unknown = event["event"] == "log-in-failed";
        assert_eq!(event.get("actor").is_none_or(Value::is_null), unknown, "{event:?}");
    }
    let text = serde_json::to_string(&events).unwrap().to_lowercase();
    for personal in ["martin", "jeanne", "paul", "durand", "127."] {
        assert!(!text.contains(personal), "evidence names {personal}");
    }
    // What the manager does to somebody names both.
    let manager = jeanne_id.as_str();
    for kind in ["access-granted", "access-revoked"] {
        let by_manager = |event: &&Map<String, Value>| event["event"] == kind && event["actor"] == manager;
        assert!(events.iter().filter(by_manager).any(|event| event["subject"] != manager), "{kind}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_acceptance_says_which_text_when_and_from_where() {
    let world = World::start().await;
    let jeanne = world.member(EMAIL).await;
    world.claim(&jeanne, ACCOUNT).await.expect(201);
    let id = jeanne.id().await.to_string();
    let users = world.items(Table::Identity).await;
    let user =
        users.iter().find(|item| item["pk"].as_s() == Ok(&format!("USER#{id}")) && item.contains_key("seal_key"));
    let key: SealKey = serde_json::from_value(json!(user.unwrap()["seal_key"].as_s().unwrap())).unwrap();
    let accepted = evidence(&world, "ACCEPTANCE#").await;
    let documents: BTreeSet<_> = accepted.iter().map(|item| item["document"].as_str().unwrap()).collect();
    assert_eq!(documents, BTreeSet::from(["account-terms", "charter", "terms"]));
    for acceptance in &accepted {
        let document = world.document(acceptance["document"].as_str().unwrap()).await;
        assert_eq!((&acceptance["version"], &acceptance["sha256"]), (&document["version"], &document["sha256"]));
        assert_eq!(acceptance["subject"], id.as_str());
        assert_eq!(acceptance["receipt_id"].as_str().unwrap().len(), 32);
        let witness = &acceptance["witness"];
        assert!(!witness["request_id"].as_str().unwrap().is_empty());
        let record: Acceptance = serde_json::from_value(Value::Object(acceptance.clone())).unwrap();
        let seen = record.seen(&key).expect("her key opens it");
        assert!(seen.ip.as_ref().unwrap().starts_with("127."), "{seen:?}");
        // Sealed to its record and its field: moved elsewhere, it testifies of nothing.
        let others = accepted.iter().filter(|other| other["receipt_id"] != acceptance["receipt_id"]);
        for other in others {
            let mut moved = other.clone();
            moved.insert("witness".to_owned(), acceptance["witness"].clone());
            let moved: Acceptance = serde_json::from_value(Value::Object(moved)).unwrap();
            assert_eq!(moved.seen(&key), None, "{moved:?}");
        }
        let confirming = Acceptance { confirmed_by: Some(record.witness.clone()), ..record };
        assert_eq!(confirming.seen_confirming(&key), None);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_in_the_evidence_ever_changes_or_goes() {
    let world = World::start().await;
    let jeanne = world.manager(EMAIL).await;
    let before = evidence(&world, "").await;
    assert!(before.len() > 6);
    world.visitor().forgot(EMAIL).await.expect(202);
    let token = link_token(&world.newest_mail(EMAIL).await);
    world.visitor().set_password(&token, NEW_PASSWORD).await.expect(204);
    jeanne.log_in(EMAIL, NEW_PASSWORD).await.expect(200);
    jeanne.patch("/api/me", &json!({"last_name": "DUPONT"})).await.expect(200);
    world.advance(Duration::from_secs(3600));
    jeanne.refresh().await.expect(200);
    jeanne.send(http::Method::DELETE, "/api/me", Some(&json!({"current_password": NEW_PASSWORD}))).await.expect(204);
    world.user(&Person::at(EMAIL)).await;
    let after = evidence(&world, "").await;
    assert!(after.len() > before.len() + 4);
    for item in &before {
        assert!(after.contains(item), "{item:?} is not there as it was");
    }
}
