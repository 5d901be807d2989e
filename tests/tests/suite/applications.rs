//! The registry of applications: another one is an entry, not code; the member account is one of them.

use futures::future::join_all;
use harness::{Person, Visitor, World};
use portal::store::Table;
use serde_json::{Value, json};

fn entry(id: &str) -> Value {
    json!({"operation": "put-application", "id": id, "title_fr": "Catalogue", "title_en": "Catalogue of trainings",
        "url": "https://formations.constructys.example/", "audience": "everyone", "order": 20, "enabled": true,
        "staff": "Claire Durand", "reason": "ouverture du catalogue"})
}

fn with(mut event: Value, name: &str, value: impl Into<Value>) -> Value {
    event[name] = value.into();
    event
}

async fn shown(visitor: &Visitor) -> Vec<Value> {
    visitor.get("/api/home").await.expect(200)["applications"].as_array().unwrap().clone()
}

fn ids(applications: &[Value]) -> Vec<&str> {
    applications.iter().map(|entry| entry["id"].as_str().unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn another_application_is_an_entry_and_readers_alone_see_what_is_for_them() {
    let world = World::start().await;
    let marie = world.manager("marie@martin.example").await;
    let paul = world.user(&Person::at("paul@martin.example")).await;
    assert_eq!(ids(&shown(&paul).await), ["member-account"]);
    assert!(world.staff(entry("catalogue")).await["put"].is_object());
    let readers = with(with(entry("factures"), "audience", "account-readers"), "order", 5);
    assert!(world.staff(readers.clone()).await["put"].is_object());
    assert_eq!(ids(&shown(&marie).await), ["factures", "member-account", "catalogue"]);
    let seen = shown(&paul).await;
    assert_eq!(ids(&seen), ["member-account", "catalogue"]);
    assert_eq!((&seen[0]["available"], &seen[0]["reason"]), (&json!(false), &json!("charter-required")));
    let english = paul.send_with(http::Method::GET, "/api/home", None, &[("accept-language", "en")]).await.expect(200);
    assert_eq!(english["applications"][1]["title"], "Catalogue of trainings");
    assert_eq!(english["applications"][1]["available"], true);
    // What is of the account waits for the charter as the account does.
    world.publish(portal::domain::DocumentKind::Charter).await;
    let closed = shown(&marie).await;
    assert_eq!((&closed[0]["available"], &closed[0]["reason"]), (&json!(false), &json!("charter-required")));
    assert_eq!(closed[2]["available"], true);
    world.staff(with(readers, "enabled", false)).await;
    assert_eq!(ids(&shown(&marie).await), ["member-account", "catalogue"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_member_account_can_be_renamed_and_hidden_but_not_removed() {
    let world = World::start().await;
    let marie = world.manager("marie@martin.example").await;
    let renamed = with(with(entry("member-account"), "title_fr", "Mon compte"), "url", "/compte");
    assert!(world.staff(renamed.clone()).await["put"].is_object());
    assert_eq!(world.staff(renamed.clone()).await["unchanged"]["title_fr"], "Mon compte");
    let seen = shown(&marie).await;
    assert_eq!(
        (&seen[0]["title"], &seen[0]["url"], &seen[0]["available"]),
        (&json!("Mon compte"), &json!("/compte"), &json!(true))
    );
    let removal = json!({"operation": "remove-application", "id": "member-account", "staff": "C", "reason": "r"});
    assert_eq!(world.staff(removal).await["error"]["code"], "not-removable");
    world.staff(with(renamed, "enabled", false)).await;
    assert!(shown(&marie).await.is_empty());
    assert_eq!(world.count(Table::Evidence, "STAFF#", "EVENT#").await, 2, "what changed nothing is no event");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_five_entries_put_at_once_none_is_lost_and_removing_one_takes_no_other() {
    let world = World::start().await;
    let events: Vec<_> = (0..5).map(|n| entry(&format!("service-{n}"))).collect();
    let answers = join_all(events.iter().map(|event| world.staff(event.clone()))).await;
    assert!(answers.iter().all(|answer| answer["put"].is_object()), "{answers:?}");
    let removal = |id: &str| json!({"operation": "remove-application", "id": id, "staff": "C", "reason": "r"});
    assert_eq!(world.staff(removal("service-2")).await, json!({"removed": "service-2"}));
    assert_eq!(world.staff(removal("service-2")).await["error"]["code"], "application-unknown");
    let paul = world.user(&Person::at("paul@martin.example")).await;
    assert_eq!(ids(&shown(&paul).await), ["member-account", "service-0", "service-1", "service-3", "service-4"]);
    assert_eq!(world.count(Table::Evidence, "STAFF#", "EVENT#").await, 6);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_refused_names_its_field() {
    let world = World::start().await;
    for (name, value, code) in [
        ("id", json!("Catalogue"), "bad-id"),
        ("id", json!("a".repeat(41)), "bad-id"),
        ("id", json!(null), "required"),
        ("title_fr", json!("x".repeat(81)), "too-long"),
        ("title_en", json!(""), "required"),
        ("url", json!("javascript:alert(1)"), "bad-url"),
        ("url", json!("http://formations.constructys.example/"), "bad-url"),
        ("url", json!("//formations.constructys.example/"), "bad-url"),
        ("url", json!("/\\formations.constructys.example"), "bad-url"),
        ("audience", json!("accountants"), "audience-unknown"),
        ("order", json!(-1), "not-a-number"),
        ("order", json!("1"), "not-a-number"),
        ("enabled", json!("yes"), "not-a-flag"),
        ("colour", json!("red"), "unknown-field"),
    ] {
        let answer = world.staff(with(entry("catalogue"), name, value)).await;
        assert_eq!((&answer["error"]["field"], &answer["error"]["code"]), (&json!(name), &json!(code)), "{answer}");
    }
    assert_eq!(world.count(Table::Members, "APPLICATIONS", "").await, 0);
}
