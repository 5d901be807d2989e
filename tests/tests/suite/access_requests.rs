//! Asking the manager for access: what who asks, the manager and everybody else sees of it, and what becomes of
//! a request when its people or its manager change.

use std::collections::BTreeSet;
use std::time::Duration;

use futures::future::join_all;
use harness::{
    ACCOUNT, Calls, Held, OTHER_ACCOUNT, OTHER_SIRET, PASSWORD, Person, Reply, SIRET, Visitor, World, address_token,
    fixture,
};
use http::Method;
use portal::domain::{Id, MemberNumber, Siret};
use portal::store::{AccessRequest, AccessRequestMirror, AuditEvent, EventKind, Query, RequestCount, Table};
use serde_json::{Value, json};

const MANAGER: &str = "marie@martin.example";
const PAUL: &str = "paul@martin.example";

async fn ask(visitor: &Visitor, message: &str) -> Reply {
    visitor.post("/api/access-requests", &json!({"message": message})).await
}

async fn users(manager: &Visitor) -> Vec<Value> {
    let list = manager.get(&format!("/api/accounts/{ACCOUNT}/users")).await.expect(200);
    list["users"].as_array().unwrap().clone()
}

async fn requests(manager: &Visitor) -> Vec<Value> {
    users(manager).await.into_iter().filter(|user| user["status"] == "requested").collect()
}

async fn give(manager: &Visitor, email: &str) -> Reply {
    manager.post(&format!("/api/accounts/{ACCOUNT}/users"), &json!({"email": email})).await
}

async fn refuse(manager: &Visitor, id: Id) -> Reply {
    manager.delete(&format!("/api/accounts/{ACCOUNT}/users/{id}")).await
}

/// Paul, who has signed up with the SIRET and done nothing else.
async fn paul(world: &World) -> Visitor {
    world.user(&Person::at(PAUL).named("m", "DURAND")).await
}

/// No item of a request is left.
async fn none_is_left(world: &World) {
    for owner in ["ACCOUNT#", "USER#"] {
        assert_eq!(world.count(Table::Members, owner, "REQUEST#").await, 0, "under {owner}");
    }
}

/// What happened to somebody's access, in order.
async fn told_of(world: &World, subject: Id) -> Vec<(EventKind, Option<Id>)> {
    let query = Query::partition(Table::Evidence, format!("SUBJECT#{subject}")).beginning("EVENT#");
    let events: Vec<AuditEvent> = world.store().query_all(&query).await.unwrap();
    let about = events.into_iter().filter(|event| event.member_number.is_some());
    about.map(|event| (event.event, event.actor)).collect()
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[tokio::test(flavor = "multi_thread")]
async fn who_asks_shows_themselves_to_the_manager_and_learns_nothing_about_them() {
    let world = World::start().await;
    let marie = world.manager(MANAGER).await;
    let paul = paul(&world).await;
    let message = "Bonjour,\r\n\r\nje tiens la paie depuis lundi. Voir https://gagnez.example !  ";
    let told = ask(&paul, message).await.expect(202).text;
    assert!(!told.contains("MARTIN") && !told.contains("Mme"), "{told}");
    assert_eq!(paul.get("/api/home").await.expect(200)["manager"], json!({"named": false}));
    assert_eq!(paul.get("/api/accounts").await.expect(200)["accounts"], json!([]));
    paul.get(&format!("/api/accounts/{ACCOUNT}/summary")).await.expect_problem(404, "not-found");

    let mail = world.newest_mail(MANAGER).await;
    assert!(mail.subject.contains("M. DURAND") && mail.subject.contains(ACCOUNT), "{}", mail.subject);
    for told in [PAUL, "Comptable", "\n> Bonjour,\n", "> je tiens la paie depuis lundi.", "Bonjour Mme MARTIN,"] {
        assert!(mail.text.contains(told), "{told:?} in {}", mail.text);
    }
    assert!(!mail.text.contains("gagnez.example") && !mail.html.contains("gagnez.example"), "{}", mail.text);

    let asking = requests(&marie).await;
    let shown = json!({"id": paul.id().await, "email": PAUL, "civility": "m", "last_name": "DURAND", "first_name": "Jeanne",
        "role": "reader", "status": "requested", "since": asking[0]["since"],
        "message": "Bonjour,\n\nje tiens la paie depuis lundi. Voir https://gagnez.example !"});
    assert_eq!(asking, [shown]);

    // Their address approves it, and they have access at once.
    give(&marie, PAUL).await.expect(202);
    let mail = world.newest_mail(PAUL).await;
    assert_eq!(mail.subject, format!("Vous avez accès au compte adhérent {ACCOUNT}"));
    assert!(one_line(&mail.text).contains("Mme MARTIN, gestionnaire"), "{}", mail.text);
    paul.get(&format!("/api/accounts/{ACCOUNT}/summary")).await.expect_problem(403, "charter-required");
    world.accept_charter(&paul).await;
    paul.get(&format!("/api/accounts/{ACCOUNT}/summary")).await.expect(200);
    let named = json!({"named": true, "civility": "mme", "last_name": "MARTIN"});
    assert_eq!(paul.get("/api/home").await.expect(200)["manager"], named);
    let shown = users(&marie).await.pop().unwrap();
    assert_eq!((&shown["status"], &shown["email"], &shown["message"]), (&json!("active"), &json!(PAUL), &Value::Null));
    none_is_left(&world).await;
    let (paul, marie) = (paul.id().await, marie.id().await);
    let expected = [(EventKind::AccessRequested, Some(paul)), (EventKind::AccessGranted, Some(marie))];
    assert_eq!(told_of(&world, paul).await, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_is_told_politely_and_names_neither_manager_nor_account() {
    let world = World::start().await;
    let marie = world.manager(MANAGER).await;
    let paul = paul(&world).await;
    let id = paul.id().await;
    ask(&paul, "").await.expect(202);
    assert!(!world.newest_mail(MANAGER).await.text.contains("Son message"), "there is none");
    refuse(&marie, id).await.expect(204);
    let mail = world.newest_mail(PAUL).await;
    assert!(one_line(&mail.text).contains("n’a pas été acceptée"), "{}", mail.text);
    for part in [&mail.subject, &mail.text, &mail.html] {
        assert!(!part.contains("Mme") && !part.contains(ACCOUNT), "{part}");
    }
    assert_eq!(users(&marie).await.len(), 1);
    none_is_left(&world).await;
    refuse(&marie, id).await.expect_problem(404, "not-found");
    paul.get(&format!("/api/accounts/{ACCOUNT}/summary")).await.expect_problem(404, "not-found");
    // What was refused can be asked for again, and is another request.
    ask(&paul, "S’il vous plaît").await.expect(202);
    assert_eq!(requests(&marie).await[0]["message"], "S’il vous plaît");
    let marie = marie.id().await;
    use EventKind::{AccessRefused, AccessRequested};
    let expected = [(AccessRequested, Some(id)), (AccessRefused, Some(marie)), (AccessRequested, Some(id))];
    assert_eq!(told_of(&world, id).await, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn asking_again_is_one_request_and_one_mail_a_day() {
    let world = World::start().await;
    let marie = world.manager(MANAGER).await;
    let paul = paul(&world).await;
    let before = world.mails_to(MANAGER).await;
    let first = ask(&paul, "Premier").await.expect(202).text;
    for message in ["Deuxième", "", "Troisième"] {
        assert_eq!(ask(&paul, message).await.expect(202).text, first);
    }
    let asking = requests(&marie).await;
    assert_eq!((asking.len(), &asking[0]["message"]), (1, &json!("Troisième")));
    assert_eq!(world.mails_to(MANAGER).await, before + 1);
    world.advance(Duration::from_secs(24 * 3600));
    paul.log_in(PAUL, PASSWORD).await.expect(200);
    for _ in 0..2 {
        ask(&paul, "").await.expect(202);
    }
    assert_eq!(world.mails_to(MANAGER).await, before + 2);
    assert!(world.newest_mail(MANAGER).await.text.contains("> Troisième"), "the message stays");
    marie.log_in(MANAGER, PASSWORD).await.expect(200);
    assert_eq!(requests(&marie).await[0]["since"], asking[0]["since"]);
    assert_eq!(told_of(&world, paul.id().await).await.len(), 1, "it is one request");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_manager_is_mailed_five_times_an_hour_however_many_ask() {
    let world = World::start().await;
    let marie = world.manager(MANAGER).await;
    let before = world.mails_to(MANAGER).await;
    let people: Vec<_> = (0..7).map(|n| Person::at(&format!("personne{n}@martin.example"))).collect();
    for asking in world.users(&people).await {
        ask(&asking, "Bonjour").await.expect(202);
    }
    assert_eq!(world.mails_to(MANAGER).await, before + 5);
    assert_eq!(requests(&marie).await.len(), 7, "all are on the list");
}

#[tokio::test(flavor = "multi_thread")]
async fn where_nobody_manages_there_is_nobody_to_ask() {
    let world = World::start().await;
    let (unknown, unclaimed) = (Person::at("a@inconnu.example").of("73282932000074"), Person::at(PAUL));
    for person in [unknown, unclaimed] {
        let asking = world.user(&person).await;
        ask(&asking, "Bonjour").await.expect_problem(409, "no-manager");
        // A form that is wrong comes before.
        let refused = asking.post("/api/access-requests", &json!({"message": 7})).await;
        assert_eq!(refused.expect_problem(422, "invalid-input").errors(), ["message:not-a-string"]);
    }
    let zoe = world.member("zoe@martin.example").await;
    let marie = world.manager(MANAGER).await;
    assert_eq!(zoe.get("/api/home").await.expect(200)["manager"], json!({"named": false}));
    let closed = fixture().0.replace("\"version\":1", "\"closed_on\":\"2012-12-31\",\"version\":2");
    world.import("2013-01-02-001", &closed, "").await;
    ask(&zoe, "Bonjour").await.expect_problem(409, "no-manager");
    assert_eq!(zoe.get("/api/home").await.expect(200)["manager"], Value::Null, "nobody whom one could ask");
    assert_eq!(marie.get("/api/home").await.expect(200)["manager"]["named"], true);
    none_is_left(&world).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_has_access_already_asks_for_nothing() {
    let world = World::start().await;
    let marie = world.manager(MANAGER).await;
    let (reader, invited) = (world.member("reader@martin.example").await, paul(&world).await);
    world.make_reader(&reader).await;
    give(&marie, PAUL).await.expect(202);
    let before = (world.mails().await.len(), users(&marie).await);
    let told = ask(&marie, "Bonjour").await.expect(202).text;
    for has_access in [&reader, &invited] {
        assert_eq!(ask(has_access, "Bonjour").await.expect(202).text, told);
    }
    assert_eq!((world.mails().await.len(), users(&marie).await), before);
    none_is_left(&world).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_message_is_refused_and_leaves_nothing() {
    let world = World::start().await;
    world.manager(MANAGER).await;
    let paul = paul(&world).await;
    for (body, error) in [
        (json!({"message": "é".repeat(501)}), "message:too-long"),
        (json!({"message": "a\u{1}b"}), "message:bad-character"),
        (json!({"message": "a\u{202e}b"}), "message:bad-character"),
        (json!({"message": ["a"]}), "message:not-a-string"),
        (json!({"message": "a", "account": ACCOUNT}), "account:unknown-field"),
    ] {
        let refused = paul.post("/api/access-requests", &body).await.expect_problem(422, "invalid-input");
        assert_eq!(refused.errors(), [error]);
    }
    paul.post("/api/access-requests", &json!("Bonjour")).await.expect_problem(400, "malformed-request");
    ask(&world.visitor(), "Bonjour").await.expect_problem(401, "authentication-required");
    none_is_left(&world).await;
    for (right, length) in [
        (json!({"message": "é".repeat(500)}), Some(500)),
        (json!({"message": null}), Some(500)),
        (json!({}), Some(500)),
    ] {
        paul.post("/api/access-requests", &right).await.expect(202);
        let items = world.items(Table::Members).await;
        let request = items.iter().find(|item| item["sk"].as_s().unwrap().starts_with("REQUEST#")).unwrap();
        assert_eq!(request.get("message").map(|text| text.as_s().unwrap().chars().count()), length);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_with_a_key_is_made_once() {
    let world = World::start().await;
    let marie = world.manager(MANAGER).await;
    let paul = paul(&world).await;
    let send = async |key: &str, message: &str, language: &str| {
        let headers = [("idempotency-key", key), ("accept-language", language)];
        let body = json!({"message": message});
        paul.send_with(Method::POST, "/api/access-requests", Some(&body), &headers).await
    };
    let first = send("one", "Bonjour", "fr").await.expect(202);
    refuse(&marie, paul.id().await).await.expect(204);
    assert_eq!(send("one", "Bonjour", "en").await.expect(202).text, first.text, "the first answer, word for word");
    none_is_left(&world).await;
    send("one", "Bonsoir", "fr").await.expect_problem(422, "idempotency-key-reused");
    let english = send("two", "Bonjour", "en").await.expect(202);
    assert_eq!(english["message"], "Your request goes to the manager of your establishment's member account.");
    assert_eq!(requests(&marie).await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_leaves_the_establishment_takes_their_request_along() {
    let world = World::start().await;
    let marie = world.manager(MANAGER).await;
    let paul = paul(&world).await;
    ask(&paul, "Bonjour").await.expect(202);
    for siret in [OTHER_SIRET, SIRET] {
        paul.patch("/api/me", &json!({"siret": siret})).await.expect(200);
        assert_eq!(requests(&marie).await, [] as [Value; 0]);
        none_is_left(&world).await;
    }
    // The address of a request that is gone is any address.
    give(&marie, PAUL).await.expect(202);
    assert_eq!(users(&marie).await.pop().unwrap()["status"], "invited");
    let id = paul.id().await;
    let expected = [(EventKind::AccessRequested, Some(id)), (EventKind::AccessRefused, Some(id))];
    assert_eq!(told_of(&world, id).await, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_of_a_request_outlives_who_made_it_and_their_export_has_it() {
    let world = World::start().await;
    let marie = world.manager(MANAGER).await;
    let paul = paul(&world).await;
    let id = paul.id().await;
    ask(&paul, "Je suis Paul, de la paie").await.expect(202);
    let before = world.mails_to(MANAGER).await;
    let export = paul.get("/api/me/export").await.expect(200);
    let request = &export["access_requests"][0];
    assert_eq!((&request["message"], &request["member_number"]), (&json!("Je suis Paul, de la paie"), &json!(ACCOUNT)));
    let shown =
        world.items(Table::Members).await.into_iter().find(|item| item["sk"].as_s().unwrap().starts_with("REQUEST#"));
    for name in ["request_id", "member_number", "siret", "message"] {
        let value = shown.as_ref().unwrap()[name].as_s().unwrap();
        assert!(export.text.contains(value), "{name} is not in the export");
    }
    // Asked again a day later, and erased before the mail goes.
    let erased = paul.send(Method::DELETE, "/api/me", Some(&json!({"current_password": PASSWORD}))).await;
    erased.expect(204);
    none_is_left(&world).await;
    assert_eq!(requests(&marie).await, [] as [Value; 0]);
    for table in [Table::Identity, Table::Members] {
        let items = format!("{:?}", world.items(table).await);
        assert!(!items.contains(&id.to_string()) && !items.contains("de la paie"), "{table:?}");
    }
    assert_eq!(world.mails_to(MANAGER).await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_is_found_under_the_address_that_its_owner_has_now() {
    let world = World::start().await;
    let marie = world.manager(MANAGER).await;
    let paul = paul(&world).await;
    ask(&paul, "Bonjour").await.expect(202);
    let moved = "paul@durand.example";
    paul.ask_for_address(moved).await.expect(202);
    let mail = world.newest_mail(moved).await;
    let token = address_token(&mail);
    world.visitor().post("/api/email", &json!({"token": token})).await.expect(204);
    paul.patch("/api/me", &json!({"last_name": "DUVAL"})).await.expect(200);
    let asking = requests(&marie).await;
    assert_eq!((&asking[0]["email"], &asking[0]["last_name"]), (&json!(moved), &json!("DUVAL")));
    // The address before is nobody's; the one of now approves.
    give(&marie, PAUL).await.expect(202);
    assert_eq!(requests(&marie).await.len(), 1);
    give(&marie, moved).await.expect(202);
    assert_eq!(paul.get("/api/accounts").await.expect(200)["accounts"][0]["member_number"], ACCOUNT);
    none_is_left(&world).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_next_manager_finds_the_requests_and_who_becomes_it_has_none() {
    let world = World::start().await;
    let marie = world.manager(MANAGER).await;
    let (paul, zoe) = (paul(&world).await, world.member("zoe@martin.example").await);
    for asking in [&paul, &zoe] {
        ask(asking, "Bonjour").await.expect(202);
    }
    // Whoever asks is no colleague yet: the manager may leave.
    marie.patch("/api/me", &json!({"siret": OTHER_SIRET})).await.expect(200);
    world.claim(&zoe, ACCOUNT).await.expect(201);
    let asking = requests(&zoe).await;
    assert_eq!((asking.len(), &asking[0]["email"]), (1, &json!(PAUL)), "hers is gone");
    world.advance(Duration::from_secs(24 * 3600));
    paul.log_in(PAUL, PASSWORD).await.expect(200);
    let before = world.mails_to(MANAGER).await;
    ask(&paul, "Encore moi").await.expect(202);
    let mail = world.newest_mail("zoe@martin.example").await;
    assert!(mail.text.contains("> Encore moi"), "{}", mail.text);
    assert_eq!(world.mails_to(MANAGER).await, before, "who left is told nothing any more");
    zoe.log_in("zoe@martin.example", PASSWORD).await.expect(200);
    give(&zoe, PAUL).await.expect(202);
    none_is_left(&world).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_invited_and_opens_the_account_asks_no_more() {
    let world = World::start().await;
    let marie = world.manager(MANAGER).await;
    let paul = world.member(PAUL).await;
    give(&marie, PAUL).await.expect(202);
    let invitation = users(&marie).await.pop().unwrap()["id"].clone();
    refuse(&marie, Id::parse(invitation.as_str().unwrap()).unwrap()).await.expect(204);
    ask(&paul, "Bonjour").await.expect(202);
    // As if the invitation had come at the moment of the request.
    let stored = world.items(Table::Members).await;
    let request: Vec<_> =
        stored.into_iter().filter(|item| item["sk"].as_s().unwrap().starts_with("REQUEST#")).collect();
    give(&marie, PAUL).await.expect(202);
    refuse(&marie, paul.id().await).await.expect(204);
    give(&marie, PAUL).await.expect(202);
    let client = world.portal.dynamodb().unwrap();
    for item in request {
        let table = world.portal.table(Table::Members).unwrap();
        client.put_item().table_name(table).set_item(Some(item)).send().await.unwrap();
    }
    let shown = users(&marie).await;
    assert_eq!((shown.len(), &shown[1]["status"]), (2, &json!("invited")), "somebody shows once");
    paul.get(&format!("/api/accounts/{ACCOUNT}/summary")).await.expect(200);
    none_is_left(&world).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_contested_is_not_approved_and_may_be_refused() {
    let world = World::start().await;
    let marie = world.manager(MANAGER).await;
    let paul = paul(&world).await;
    ask(&paul, "Bonjour").await.expect(202);
    world.contest(SIRET).await;
    for email in [PAUL, "someone@cabinet.example"] {
        give(&marie, email).await.expect_problem(409, "claim-contested");
    }
    ask(&paul, "Encore").await.expect(202);
    assert_eq!(requests(&marie).await.len(), 1);
    refuse(&marie, paul.id().await).await.expect(204);
    marie.get(&format!("/api/accounts/{ACCOUNT}/summary")).await.expect(200);
}

/// A firm's colleagues, granted together.
#[tokio::test(flavor = "multi_thread")]
async fn several_addresses_get_access_together_or_none_does() {
    let world = World::start().await;
    let marie = world.manager(MANAGER).await;
    let (paul, reader) = (paul(&world).await, world.member("reader@martin.example").await);
    world.make_reader(&reader).await;
    ask(&paul, "Bonjour").await.expect(202);
    give(&marie, "first@cabinet.example").await.expect(202);
    let target = format!("/api/accounts/{ACCOUNT}/users");
    let many = |count: usize| (0..count).map(|n| format!("personne{n}@cabinet.example")).collect::<Vec<_>>();
    let before = (users(&marie).await, world.mails().await.len());
    for (body, errors) in [
        (json!({"emails": []}), vec!["emails:bad-list"]),
        (json!({"emails": many(21)}), vec!["emails:bad-list"]),
        (json!({"emails": "a@cabinet.example"}), vec!["emails:bad-list"]),
        (json!({"emails": null}), vec!["emails:required"]),
        (json!({"emails": ["a@cabinet.example", "b@", 7]}), vec!["emails.1:email-invalid", "emails.2:not-a-string"]),
        (json!({"email": "a@cabinet.example", "emails": many(1)}), vec!["emails:either-or"]),
    ] {
        let refused = marie.post(&target, &body).await.expect_problem(422, "invalid-input");
        assert_eq!(refused.errors(), errors);
    }
    assert_eq!((users(&marie).await, world.mails().await.len()), before);

    // Somebody new, twice; who asked; who has access; who has not opened it.
    let emails = ["New@Cabinet.example", "new@cabinet.example", PAUL, "reader@martin.example", "first@cabinet.example"];
    marie.post(&target, &json!({"emails": emails})).await.expect(202);
    let statuses: Vec<_> =
        users(&marie).await.into_iter().map(|user| (user["email"].clone(), user["status"].clone())).collect();
    let status = |email: &str| {
        statuses.iter().filter(|(of, _)| of == email).map(|(_, status)| status.as_str().unwrap()).collect::<Vec<_>>()
    };
    assert_eq!(statuses.len(), 5);
    assert_eq!([status("new@cabinet.example"), status("first@cabinet.example")], [["invited"], ["invited"]]);
    assert_eq!([status(PAUL), status("reader@martin.example")], [["active"], ["active"]]);
    assert_eq!(world.mails().await.len(), before.1 + 3, "the new one, Paul, and a reminder");
    // As many as it takes.
    marie.post(&target, &json!({"emails": many(20)})).await.expect(202);
    assert_eq!(users(&marie).await.len(), 25);
}

#[tokio::test(flavor = "multi_thread")]
async fn more_requests_than_one_transaction_holds_are_refused_whole() {
    let world = World::start().await;
    let marie = world.manager(MANAGER).await;
    let people: Vec<_> = (0..17).map(|n| Person::at(&format!("personne{n}@martin.example"))).collect();
    for asking in world.users(&people).await {
        ask(&asking, "Bonjour").await.expect(202);
    }
    let target = format!("/api/accounts/{ACCOUNT}/users");
    let emails: Vec<_> = people.iter().map(|person| person.email.clone()).collect();
    let refused = marie.post(&target, &json!({"emails": emails})).await.expect_problem(422, "invalid-input");
    assert_eq!(refused.errors(), ["emails:too-many-requests"]);
    assert_eq!(requests(&marie).await.len(), 17);
    for some in emails.chunks(10) {
        marie.post(&target, &json!({"emails": some})).await.expect(202);
    }
    assert_eq!(requests(&marie).await.len(), 0);
    assert!(users(&marie).await.iter().all(|user| user["status"] == "active"));
}

#[tokio::test(flavor = "multi_thread")]
async fn another_establishments_people_see_and_answer_no_request() {
    let world = World::start().await;
    world.manager(MANAGER).await;
    let paul = paul(&world).await;
    ask(&paul, "Bonjour").await.expect(202);
    let other = world.user(&Person::at("manager@laposte.example").of(OTHER_SIRET)).await;
    world.accept_charter(&other).await;
    world.claim(&other, OTHER_ACCOUNT).await.expect(201);
    refuse(&other, paul.id().await).await.expect_problem(404, "not-found");
    give(&other, PAUL).await.expect_problem(404, "not-found");
    let own = format!("/api/accounts/{OTHER_ACCOUNT}/users");
    other.delete(&format!("{own}/{}", paul.id().await)).await.expect_problem(404, "not-found");
    // There, the address is any address: it is invited.
    other.post(&own, &json!({"email": PAUL})).await.expect(202);
    assert_eq!(other.get(&own).await.expect(200)["users"][1]["status"], "invited");
    assert_eq!(world.count(Table::Members, "ACCOUNT#", "REQUEST#").await, 1);
}

/// As many requests as are given, of nobody, and the count that they leave.
async fn fill(world: &World, requests: usize) {
    let (store, number) = (world.store(), MemberNumber::parse(ACCOUNT).unwrap());
    let now = world.portal.clock().now();
    for n in 0..requests {
        let mut bytes = [9; 16];
        bytes[..8].copy_from_slice(&n.to_be_bytes());
        let request = AccessRequest {
            request_id: Id::from_bytes(bytes),
            user_id: Id::from_bytes(bytes),
            member_number: number.clone(),
            siret: Siret::parse(SIRET).unwrap(),
            message: None,
            since: now,
            told_at: now,
        };
        store.put(&request).await.unwrap();
        store.put(&AccessRequestMirror(request)).await.unwrap();
    }
    store.put(&RequestCount { member_number: number, made: requests, counts: 0 }).await.unwrap();
}

async fn open_requests(world: &World) -> usize {
    world.count(Table::Members, &format!("ACCOUNT#{ACCOUNT}"), "REQUEST#").await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_has_a_hundred_open_requests_and_the_next_is_told_nothing_else() {
    let world = World::start().await;
    let marie = world.manager(MANAGER).await;
    fill(&world, 98).await;
    let people: Vec<_> = (0..6).map(|n| Person::at(&format!("colleague-{n}@martin.example"))).collect();
    let colleagues = world.users(&people).await;
    let replies = join_all(colleagues.iter().map(|colleague| ask(colleague, "Bonjour"))).await;
    let told: BTreeSet<_> = replies.iter().map(|reply| (reply.status, reply.text.clone())).collect();
    assert_eq!(told.len(), 1, "the answer tells nobody how many ask: {told:?}");
    assert_eq!(told.first().unwrap().0, 202);
    assert_eq!(open_requests(&world).await, 100);
    assert_eq!(requests(&marie).await.len(), 2, "the manager sees who is there");

    // Who waits may ask again, and is reminded of; who is answered makes room.
    let asking = requests(&marie).await;
    let waiting = asking[0]["id"].as_str().unwrap();
    for colleague in &colleagues {
        ask(colleague, "Encore").await.expect(202);
    }
    assert_eq!(open_requests(&world).await, 100);
    refuse(&marie, Id::parse(waiting).unwrap()).await.expect(204);
    assert_eq!(open_requests(&world).await, 99);
    let replies = join_all(colleagues.iter().map(|colleague| ask(colleague, "Encore"))).await;
    assert!(replies.iter().all(|reply| reply.status == 202));
    assert_eq!(open_requests(&world).await, 100, "however many ask at once");
    // The count begins from what is open, not from all that ever asked.
    for _ in 0..3 {
        let asking = requests(&marie).await;
        refuse(&marie, Id::parse(asking[0]["id"].as_str().unwrap()).unwrap()).await.expect(204);
        join_all(colleagues.iter().map(|colleague| ask(colleague, "Encore"))).await;
        assert_eq!(open_requests(&world).await, 100);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_who_ask_for_the_last_place_meet_in_every_order() {
    let (held, options) = Held::on_dynamodb();
    let world = World::start_with(options).await;
    world.manager(MANAGER).await;
    let (one, two) = (paul(&world).await, world.member("zoe@martin.example").await);
    let mut orders = held.orders();
    while let Some(order) = orders.another() {
        for visitor in [&one, &two] {
            let id = visitor.id().await;
            let number = MemberNumber::parse(ACCOUNT).unwrap();
            for key in [AccessRequest::key_of(id, &number), AccessRequest::mirror_key_of(id, &number)] {
                world.store().delete(&key).await.unwrap();
            }
        }
        // The bound is reached, and one was answered: both count anew.
        fill(&world, 99).await;
        let number = MemberNumber::parse(ACCOUNT).unwrap();
        world.store().put(&RequestCount { member_number: number, made: 100, counts: 0 }).await.unwrap();
        let calls = Calls::of("request-access");
        let met = orders.meet((calls, ask(&one, "Bonjour")), (calls, ask(&two, "Bonjour"))).await;
        let Some((first, second)) = met else { continue };
        assert_eq!((first.status, second.status), (202, 202), "{order}");
        assert_eq!(open_requests(&world).await, 100, "{order}");
    }
}
