//! The export is complete: whatever any table keeps of a user is in it, or in the list here of what is not.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use futures::future::join_all;
use harness::{
    ACCOUNT, OTHER_ACCOUNT, OTHER_SIRET, PASSWORD, Person, SIRET, Visitor, World, address_token, link_token,
};
use jiff::Timestamp;
use portal::domain::{Email, Id};
use portal::security::SealKey;
use portal::store::{AddressHash, AuditEvent, EventKind, Item, Table, User};
use serde_json::{Value, json};

const JEANNE: &str = "jeanne@martin.example";
const NEW: &str = "jeanne@toitures.example";

/// Attributes that are not shown, with why.
const NOT_SHOWN: [(&str, &str); 23] = [
    ("pk", "made of what is shown"),
    ("sk", "made of what is shown"),
    ("ttl", "when DynamoDB may delete the item, some time after it says nothing any more"),
    ("password_hash", "a secret"),
    ("seal_key", "a secret"),
    ("refresh_hash", "a secret"),
    ("newest_link", "a secret; that there is a link is said"),
    ("confirming", "a secret; that it was mailed is said"),
    ("undoing", "a secret; that it was mailed is said"),
    ("hash", "a secret; that there is a link is said"),
    ("sealed", "opened"),
    ("epoch", "how often sessions were ended; says nothing of the person"),
    ("dealings", "how often they gave access or got a role; the evidence that is shown says which"),
    ("purpose", "of a link; which were mailed is said with the change of address"),
    ("expires_at", "of a link; when it was asked for is shown"),
    ("requested_at", "of a link; shown as the asking of its mail"),
    ("guessed", "names the kind of the item"),
    ("actor", "whether it was they is shown; others are not named"),
    ("acted_by", "the same"),
    ("subject", "the user's id, shown in the profile"),
    ("doubts", "of a claim; how many others doubt it is for the staff"),
    ("dismissed", "of a claim; whoever was contested was mailed that it was found to be right"),
    ("version", "of what became of mails: how often it was written"),
];

/// Every text and number of an item, by the attribute that it is in.
fn leaves(name: &str, value: &AttributeValue, found: &mut Vec<(String, String)>) {
    match value {
        AttributeValue::S(text) | AttributeValue::N(text) => found.push((name.to_owned(), text.clone())),
        AttributeValue::Bool(value) => found.push((name.to_owned(), value.to_string())),
        AttributeValue::L(values) => values.iter().for_each(|value| leaves(name, value, found)),
        AttributeValue::M(values) => values.iter().for_each(|(name, value)| leaves(name, value, found)),
        AttributeValue::Null(_) => {}
        other => panic!("an attribute that this test cannot look into: {other:?}"),
    }
}

/// Every text, number and truth of the export, instants in milliseconds too.
fn told(value: &Value, all: &mut BTreeSet<String>) {
    match value {
        Value::Array(values) => values.iter().for_each(|value| told(value, all)),
        Value::Object(values) => values.values().for_each(|value| told(value, all)),
        Value::String(text) => {
            if let Ok(instant) = text.parse::<Timestamp>() {
                all.insert(instant.as_millisecond().to_string());
            }
            all.insert(text.clone());
        }
        Value::Null => {}
        other => {
            all.insert(other.to_string());
        }
    }
}

fn names(item: &Item, texts: &[String]) -> bool {
    let mut found = Vec::new();
    item.iter().for_each(|(name, value)| leaves(name, value, &mut found));
    found.iter().any(|(_, text)| texts.iter().any(|wanted| text.contains(wanted.as_str())))
}

/// Everything that a manager can do to others, with the evidence of it: kind, and the other's id.
async fn acts_on_others(world: &World, jeanne: &Visitor, paul: &Visitor) -> Vec<(&'static str, String)> {
    let users = format!("/api/accounts/{ACCOUNT}/users");
    let paul_id = paul.id().await.to_string();
    let mut acts = Vec::new();
    let id_of = async |email: &str| {
        let list = jeanne.get(&users).await.expect(200);
        let all = list["users"].as_array().unwrap();
        all.iter().find(|user| user["email"] == email).unwrap()["id"].as_str().unwrap().to_owned()
    };
    jeanne.post(&users, &json!({"email": "asked@martin.example"})).await.expect(202);
    let invited = id_of("asked@martin.example").await;
    jeanne.delete(&format!("{users}/{invited}")).await.expect(204);
    acts.extend([("access-granted", invited.clone()), ("access-revoked", invited)]);
    for refused in [true, false] {
        paul.post("/api/access-requests", &json!({})).await.expect(202);
        if refused {
            jeanne.delete(&format!("{users}/{paul_id}")).await.expect(204);
            acts.push(("access-refused", paul_id.clone()));
        } else {
            jeanne.post(&users, &json!({"email": "paul@martin.example"})).await.expect(202);
            acts.push(("access-granted", paul_id.clone()));
        }
    }
    // There and back: the manager of before did the first, and the manager of then the second.
    jeanne.post(&format!("/api/accounts/{ACCOUNT}/manager"), &json!({"id": paul_id})).await.expect(200);
    acts.push(("role-taken-over", paul_id.clone()));
    let jeanne_id = jeanne.id().await.to_string();
    paul.post(&format!("/api/accounts/{ACCOUNT}/manager"), &json!({"id": jeanne_id})).await.expect(200);
    jeanne.delete(&format!("{users}/{paul_id}")).await.expect(204);
    acts.push(("access-revoked", paul_id));
    world.mails().await;
    acts
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_a_table_keeps_of_a_user_is_in_their_export() {
    let world = World::start().await;
    let jeanne = world.manager(JEANNE).await;
    let id = jeanne.id().await;
    let phone = world.visitor();
    phone.log_in(JEANNE, PASSWORD).await.expect(200);
    phone.refresh().await.expect(200);
    world.visitor().log_in(JEANNE, "faux").await.expect_problem(401, "bad-credentials");
    world.claim(&jeanne, OTHER_ACCOUNT).await.expect_problem(404, "claim-refused");
    world.visitor().forgot(JEANNE).await.expect(202);
    jeanne.ask_for_address(NEW).await.expect(202);
    let mail = world.newest_mail(NEW).await;
    let token = address_token(&mail);
    world.visitor().post("/api/email", &json!({"token": token})).await.expect(204);
    jeanne.ask_for_address("more@toitures.example").await.expect(202);
    world.visitor().log_in(NEW, "faux").await.expect_problem(401, "bad-credentials");
    world.visitor().forgot(NEW).await.expect(202);
    world.sign_up(&Person::at(JEANNE)).await.expect(202);
    let reset = link_token(&world.newest_mail(NEW).await);
    let paul = world.member("paul@martin.example").await;
    let acts = acts_on_others(&world, &jeanne, &paul).await;
    // Her claim is contested, and she guesses until the staff are alerted.
    world.contest(SIRET).await;
    for _ in 0..5 {
        world.claim(&jeanne, OTHER_ACCOUNT).await;
    }
    let other = world.user(&Person::at("manager@laposte.example").of(OTHER_SIRET)).await;
    world.accept_charter(&other).await;
    world.claim(&other, OTHER_ACCOUNT).await.expect(201);
    other.post(&format!("/api/accounts/{OTHER_ACCOUNT}/users"), &json!({"email": NEW})).await.expect(202);
    world.mails().await;

    let export = jeanne.get("/api/me/export").await.expect(200).body;
    let mut all = BTreeSet::new();
    told(&export, &mut all);
    let address = |email: &str| json!(AddressHash::of(&Email::parse(email).unwrap())).as_str().unwrap().to_owned();
    let of_jeanne = [id.to_string(), JEANNE.to_owned(), NEW.to_owned(), address(NEW), address(JEANNE)];
    let not_shown: BTreeMap<_, _> = NOT_SHOWN.into_iter().collect();
    let mut kinds = BTreeSet::new();
    let mut missing = Vec::new();
    for table in [Table::Identity, Table::Members, Table::Ledger, Table::Evidence] {
        for item in world.items(table).await.into_iter().filter(|item| names(item, &of_jeanne)) {
            let key = |name: &str| item[name].as_s().unwrap().clone();
            let kind = |text: String| text.split('#').next().unwrap().to_owned();
            kinds.insert(format!("{} {}", kind(key("pk")), kind(key("sk"))));
            let mut found = Vec::new();
            item.iter().for_each(|(name, value)| leaves(name, value, &mut found));
            for (name, text) in found {
                if !not_shown.contains_key(name.as_str()) && !all.contains(&text) {
                    missing.push(format!("{} {}: {name} = {text}", key("pk"), key("sk")));
                }
            }
        }
    }
    assert!(missing.is_empty(), "{missing:#?}");
    // The walk met everything there is to meet.
    let expected = [
        "ACCOUNT GRANT",
        "ACCOUNT INVITATION",
        "EMAIL ATTEMPTS",
        "EMAIL LOGIN",
        "EMAIL MAIL",
        "EMAIL MAIL-STATE",
        "EMAIL RESERVATION",
        "INVITED ACCOUNT",
        "LINK LINK",
        "SIRET ESTABLISHMENT",
        "SUBJECT ACCEPTANCE",
        "SUBJECT EVENT",
        "USER CLAIM-ATTEMPTS",
        "USER GRANT",
        "USER PROFILE",
        "USER PROOF",
        "USER SESSION",
    ];
    for kind in expected {
        assert!(kinds.contains(kind), "no {kind} among {kinds:?}");
    }

    // What she did to others is told with their ids alone.
    let shown = export["events"].as_array().unwrap().iter();
    let on_others: Vec<_> = shown
        .filter(|event| event["about_yourself"] == false)
        .map(|event| {
            assert!(event["by_yourself"] == true && event["ip"].is_string(), "{event}");
            (event["event"].as_str().unwrap(), event["other_id"].as_str().unwrap())
        })
        .collect();
    let acts: Vec<_> = acts.iter().map(|(kind, id)| (*kind, id.as_str())).collect();
    assert_eq!(on_others, acts);

    // What a witness saw is readable to its owner, and no secret is there.
    let ip = jeanne.get("/api/sessions").await["sessions"][0]["ip"].clone();
    assert!(export["events"].as_array().unwrap().iter().any(|event| event["ip"] == ip), "{ip}");
    let events: Vec<_> =
        export["events"].as_array().unwrap().iter().map(|event| event["event"].as_str().unwrap()).collect();
    for event in
        ["account-created", "log-in-failed", "claim-failed", "email-changed", "account-claimed", "data-exported"]
    {
        assert!(events.contains(&event), "{event} among {events:?}");
    }
    let user: User = world.store().get(&User::key_of(id)).await.unwrap().unwrap();
    let text = export.to_string();
    assert!(!text.contains("argon2") && !text.contains(&String::from(user.seal_key)) && !text.contains(&reset));
    for another in ["manager@laposte.example", "paul@martin.example", "asked@martin.example"] {
        assert!(!text.contains(another), "nobody else is in it: {another}");
    }
    assert_eq!(export["accounts"][0]["member_number"], ACCOUNT);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_needs_no_charter_and_is_evidence_itself() {
    let world = World::start().await;
    let jeanne = world.user(&Person::at(JEANNE)).await;
    let id = jeanne.id().await;
    for n in 1..=2 {
        let export = jeanne.get("/api/me/export").await.expect(200);
        let exports = |event: &&Value| event["event"] == "data-exported";
        assert_eq!(export["events"].as_array().unwrap().iter().filter(exports).count(), n);
    }
    assert!(world.count(Table::Evidence, &format!("SUBJECT#{id}"), "EVENT#").await >= 4);
    world.visitor().get("/api/me/export").await.expect_problem(401, "authentication-required");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_witness_that_was_sealed_for_somebody_else_stays_shut() {
    let world = World::start().await;
    let jeanne = world.user(&Person::at(JEANNE)).await;
    let id = jeanne.id().await;
    let mut rng = portal::environment::rng();
    let key = SealKey::random(&mut rng);
    let witness = portal::store::Witness::seal("r-1", Some("203.0.113.7"), None, &key, &mut rng).unwrap();
    let mut event = AuditEvent::by_user(id, EventKind::AccessGranted, world.portal.clock().now(), witness);
    event.actor = Some(Id::random(&mut rng));
    world.store().put(&event).await.unwrap();
    let export = jeanne.get("/api/me/export").await.expect(200);
    let shown = export["events"].as_array().unwrap().iter().find(|shown| shown["event"] == "access-granted").unwrap();
    assert_eq!((&shown["by_yourself"], &shown["ip"]), (&json!(false), &Value::Null));
    assert!(!export.text.contains("203.0.113.7") && !export.text.contains(&event.actor.unwrap().to_string()));
}

/// What a stranger's guesses leave in a few months.
async fn add_events(world: &World, user_id: Id, number: i64) {
    let mut rng = portal::environment::rng();
    let key = SealKey::random(&mut rng);
    let begun = world.portal.clock().now();
    let events = (0..number).map(|n| {
        // Two to a millisecond, so that an answer may end between two of one.
        let at = begun - Duration::from_millis((n / 2).unsigned_abs());
        let witness = portal::store::Witness::seal("r-1", None, None, &key, &mut rng).unwrap();
        AuditEvent::by_user(user_id, EventKind::LogInFailed, at, witness)
    });
    let store = world.store();
    for events in events.collect::<Vec<_>>().chunks(50) {
        for put in join_all(events.iter().map(|event| store.put(event))).await {
            put.unwrap();
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn more_events_than_an_answer_has_are_given_in_several() {
    let world = World::start().await;
    let jeanne = world.user(&Person::at(JEANNE)).await;
    let id = jeanne.id().await;
    add_events(&world, id, 4_500).await;
    let stored = world.count(Table::Evidence, &format!("SUBJECT#{id}"), "EVENT#").await;
    let (mut given, mut query, mut answers) = (Vec::new(), String::new(), 0);
    loop {
        let export = jeanne.get(&format!("/api/me/export{query}")).await.expect(200);
        let events = export["events"].as_array().unwrap();
        assert!(
            events.len() <= 2_001
                && events.is_sorted_by_key(|event| event["at"].as_str().unwrap().parse::<Timestamp>().unwrap())
        );
        given.extend(
            events.iter().filter(|event| event["event"] != "data-exported").map(|event| event["id"].to_string()),
        );
        answers += 1;
        let Some(before) = export["events_before"].as_str() else { break };
        query = format!("?events_before={before}");
    }
    assert_eq!(answers, 3);
    assert_eq!(given.len(), stored);
    assert_eq!(given.into_iter().collect::<BTreeSet<_>>().len(), stored, "each once");

    let bad = jeanne.get("/api/me/export?events_before=yesterday").await.expect(422);
    assert_eq!(bad.errors(), ["events_before:bad-instant"]);
    world.visitor().get("/api/me/export?events_before=yesterday").await.expect_problem(401, "authentication-required");
}
