//! Giving access to a member account and taking it back (leaflet S55): what the manager, the invited and
//! everybody else sees of it.

use std::collections::BTreeSet;
use std::time::Duration;

use harness::{ACCOUNT, Forge, OTHER_ACCOUNT, OTHER_SIRET, Person, Reply, Tap, Visitor, World, fixture};
use http::Method;
use portal::domain::{Email, Id};
use portal::store::{AuditEvent, EventKind, Query, Table, User};
use serde_json::{Value, json};

const MANAGER: &str = "marie@martin.example";
const PAUL: &str = "paul@cabinet.example";

fn target(rest: &str) -> String {
    format!("/api/accounts/{ACCOUNT}/{rest}")
}

async fn invite(manager: &Visitor, email: &str) -> Reply {
    manager.post(&target("users"), &json!({"email": email})).await
}

async fn revoke(visitor: &Visitor, id: &Value) -> Reply {
    visitor.delete(&target(&format!("users/{}", id.as_str().unwrap()))).await
}

async fn listed(manager: &Visitor) -> Vec<Value> {
    manager.get(&target("users")).await.expect(200)["users"].as_array().unwrap().clone()
}

/// The one of the list with this address.
async fn of_list(manager: &Visitor, email: &str) -> Value {
    let mut having: Vec<_> = listed(manager).await.into_iter().filter(|user| user["email"] == email).collect();
    assert_eq!(having.len(), 1, "{email}: {having:?}");
    having.remove(0)
}

async fn accounts(visitor: &Visitor) -> Value {
    visitor.get("/api/accounts").await.expect(200)["accounts"].clone()
}

/// Paul of an accountant's office: of another establishment than the account's.
async fn paul(world: &World) -> Visitor {
    let paul = world.user(&Person::at(PAUL).named("m", "DURAND").of(OTHER_SIRET)).await;
    world.accept_charter(&paul).await;
    paul
}

async fn events(world: &World, subject: Id) -> Vec<AuditEvent> {
    let query = Query::partition(Table::Evidence, format!("SUBJECT#{subject}")).beginning("EVENT#");
    let events: Vec<AuditEvent> = world.store().query_all(&query).await.unwrap();
    let about_access = |event: &AuditEvent| matches!(event.event, EventKind::AccessGranted | EventKind::AccessRevoked);
    events.into_iter().filter(about_access).collect()
}

fn id(user: &Value) -> Id {
    Id::parse(user["id"].as_str().unwrap()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn who_was_invited_has_access_and_opens_the_account_by_their_first_read() {
    let world = World::start().await;
    let marie = world.manager(MANAGER).await;
    let paul = paul(&world).await;
    paul.get(&target("summary")).await.expect_problem(404, "not-found");
    assert_eq!(accounts(&paul).await, json!([]));

    invite(&marie, " Paul@Cabinet.example ").await.expect(202);
    let invited = of_list(&marie, PAUL).await;
    let shown = json!({"id": invited["id"], "email": PAUL, "role": "reader", "status": "invited", "since": invited["since"],
            "expires_at": invited["expires_at"]});
    assert_eq!(invited, shown, "no name, though the address has a space");
    let mail = world.newest_mail(PAUL).await;
    assert!(mail.subject.contains(ACCOUNT), "{}", mail.subject);
    let text = mail.text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(text.contains("Mme MARTIN, gestionnaire") && text.contains("l’établissement MARTIN BTP"), "{text}");
    let account = json!({"member_number": ACCOUNT, "siret": "53384615000019", "name": "MARTIN BTP", "role": "reader", "active": true,
            "opened": false});
    assert_eq!(accounts(&paul).await, json!([account]));
    assert_eq!(of_list(&marie, PAUL).await, invited, "a list of accounts opens none");

    paul.get(&target("summary")).await.expect(200);
    let active = of_list(&marie, PAUL).await;
    assert_eq!((&active["status"], &active["role"]), (&json!("active"), &json!("reader")));
    assert_eq!(
        (&active["civility"], &active["last_name"], &active["first_name"]),
        (&json!("m"), &json!("DURAND"), &json!("Jeanne"))
    );
    assert_eq!(active["id"], paul.id().await.to_string());
    let opened = accounts(&paul).await[0].clone();
    assert_eq!((&opened["opened"], opened["figures"].is_object()), (&json!(true), true));
    for rest in ["summary", "actions?view=2012", "actions/2011-000001"] {
        paul.get(&target(rest)).await.expect(200);
    }
    // A reader manages nothing, and a new name shows at once.
    paul.get(&target("users")).await.expect_problem(403, "manager-only");
    invite(&paul, "x@cabinet.example").await.expect_problem(403, "manager-only");
    revoke(&paul, &listed(&marie).await[0]["id"]).await.expect_problem(403, "manager-only");
    paul.patch("/api/me", &json!({"last_name": "DUVAL"})).await.expect(200);
    assert_eq!(of_list(&marie, PAUL).await["last_name"], "DUVAL");
    assert_eq!(listed(&marie).await[0]["role"], "manager", "oldest first");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_has_no_space_yet_finds_the_account_in_it_after_signing_up() {
    let world = World::start().await;
    let marie = world.manager(MANAGER).await;
    invite(&marie, PAUL).await.expect(202);
    let mail = world.newest_mail(PAUL).await;
    assert!(mail.text.contains("Créez votre compte") && mail.text.contains("connectez-vous"), "{}", mail.text);
    let paul = world.user(&Person::at(PAUL).named("m", "DURAND").of(OTHER_SIRET)).await;
    assert_eq!(accounts(&paul).await[0]["member_number"], ACCOUNT);

    // The charter comes before the account is opened.
    for rest in ["summary", "actions", "actions/2011-000001"] {
        paul.get(&target(rest)).await.expect_problem(403, "charter-required");
    }
    paul.get(&target("actions/0000-000000")).await.expect_problem(404, "not-found");
    assert_eq!(of_list(&marie, PAUL).await["status"], "invited");
    world.accept_charter(&paul).await;
    paul.get(&target("actions?view=first")).await.expect_problem(422, "invalid-input");
    paul.get(&target("actions/0000-000000")).await.expect_problem(404, "not-found");
    paul.get(&target("users")).await.expect_problem(403, "manager-only");
    paul.put(&target("activation"), &json!({"use": false})).await.expect_problem(403, "manager-only");
    assert_eq!(of_list(&marie, PAUL).await["status"], "invited", "what is no read opens nothing");
    paul.get(&target("actions/2011-000001")).await.expect(200);
    assert_eq!(of_list(&marie, PAUL).await["status"], "active");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_with_a_space_and_one_without_cannot_be_told_apart() {
    let (tap, options) = Tap::on_dynamodb();
    let world = World::start_with(options).await;
    let marie = world.manager(MANAGER).await;
    paul(&world).await;
    listed(&marie).await;
    let mut seen = Vec::new();
    for email in [PAUL, "nobody@cabinet.example"] {
        let (reply, observed) = tap.during(invite(&marie, email)).await;
        let observed = observed.of("manage-users");
        // Those sent side by side arrive in any order.
        let mut calls: Vec<_> = observed.calls.iter().map(|call| (call.operation.clone(), call.uses.clone())).collect();
        calls.sort();
        let waits = observed.waits();
        let mut user = of_list(&marie, email).await;
        for varies in ["id", "email", "since", "expires_at"] {
            user[varies] = json!(null);
        }
        let mail = world.newest_mail(email).await;
        assert!(!calls.is_empty());
        seen.push((reply.expect(202).text, calls, waits, user, mail.subject, mail.text, mail.html));
    }
    assert!(seen[0] == seen[1], "{seen:#?}");
    // A second time, and when it is taken back, neither.
    for email in [PAUL, "nobody@cabinet.example"] {
        assert_eq!(invite(&marie, email).await.expect(202).text, seen[0].0);
        let id = of_list(&marie, email).await["id"].clone();
        revoke(&marie, &id).await.expect(204);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_is_invited_once_and_reminded_at_most_three_times_an_hour() {
    let world = World::start().await;
    let marie = world.manager(MANAGER).await;
    let paul = paul(&world).await;
    let before = world.mails_to(PAUL).await;
    for email in [PAUL, "PAUL@cabinet.example", PAUL, PAUL, PAUL] {
        invite(&marie, email).await.expect(202);
    }
    let first = of_list(&marie, PAUL).await;
    assert_eq!(world.mails_to(PAUL).await, before + 3);
    // Not even by taking it back and giving it again.
    revoke(&marie, &first["id"]).await.expect(204);
    invite(&marie, PAUL).await.expect(202);
    assert_ne!(of_list(&marie, PAUL).await["id"], first["id"]);
    assert_eq!(world.mails_to(PAUL).await, before + 3);
    // Another account's manager has mails of their own.
    let zoe = world.user(&Person::at("zoe@laposte.example").of(OTHER_SIRET)).await;
    world.accept_charter(&zoe).await;
    world.claim(&zoe, OTHER_ACCOUNT).await.expect(201);
    // He is of that establishment, and is told.
    let before = before + 1;
    zoe.post(&format!("/api/accounts/{OTHER_ACCOUNT}/users"), &json!({"email": PAUL})).await.expect(202);
    assert_eq!(world.mails_to(PAUL).await, before + 4);
    assert_eq!(accounts(&paul).await.as_array().unwrap().len(), 2);
    world.advance(Duration::from_secs(3_601));
    marie.refresh().await.expect(200);
    invite(&marie, PAUL).await.expect(202);
    assert_eq!(world.mails_to(PAUL).await, before + 5);

    // Whoever is a user already is neither invited nor mailed.
    paul.refresh().await.expect(200);
    paul.get(&target("summary")).await.expect(200);
    for email in [PAUL, MANAGER] {
        let mails = world.mails_to(email).await;
        invite(&marie, email).await.expect(202);
        assert_eq!(of_list(&marie, email).await["status"], "active");
        assert_eq!(world.mails_to(email).await, mails);
    }
    assert_eq!(world.count(Table::Members, "ACCOUNT#", "INVITATION#").await, 1, "the other account's");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_address_is_refused_and_leaves_nothing() {
    let world = World::start().await;
    let marie = world.manager(MANAGER).await;
    world.mails().await;
    let counts = async || (world.items(Table::Members).await.len(), world.items(Table::Evidence).await.len());
    let before = counts().await;
    for (body, errors) in [
        (json!({}), vec!["email:required"]),
        (json!({"email": null}), vec!["email:required"]),
        (json!({"email": 7}), vec!["email:not-a-string"]),
        (json!({"email": "paul@"}), vec!["email:email-invalid"]),
        (json!({"email": "paul@cabinet.example\r\nBcc: x@y.example"}), vec!["email:email-invalid"]),
        (json!({"email": PAUL, "role": "manager"}), vec!["role:unknown-field"]),
    ] {
        let refused = marie.post(&target("users"), &body).await.expect_problem(422, "invalid-input");
        assert_eq!(refused.errors(), errors);
    }
    marie.post(&target("users"), &json!([PAUL])).await.expect_problem(400, "malformed-request");
    for id in ["0", "current", &"0".repeat(32), &"F".repeat(32)] {
        revoke(&marie, &json!(id)).await.expect_problem(404, "not-found");
    }
    assert_eq!(counts().await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_is_sent_twice_invites_once() {
    let world = World::start().await;
    let marie = world.manager(MANAGER).await;
    let send = async |key: &str, email: &str, language: &str| {
        let headers = [("idempotency-key", key), ("accept-language", language)];
        marie.send_with(Method::POST, &target("users"), Some(&json!({"email": email})), &headers).await
    };
    let first = send("one", PAUL, "fr").await.expect(202);
    assert_eq!(send("one", PAUL, "en").await.expect(202).text, first.text, "the first answer, word for word");
    assert_eq!(world.mails_to(PAUL).await, 1);
    send("one", "other@cabinet.example", "fr").await.expect_problem(422, "idempotency-key-reused");
    send("no key", PAUL, "fr").await.expect_problem(422, "invalid-input");
    assert_eq!(listed(&marie).await.len(), 2);
    send("two", PAUL, "fr").await.expect(202);
    assert_eq!(world.mails_to(PAUL).await, 2, "another key is another request");
    // A repeat does not give again what was taken back in between.
    let id = of_list(&marie, PAUL).await["id"].clone();
    revoke(&marie, &id).await.expect(204);
    send("one", PAUL, "fr").await.expect(202);
    assert_eq!(listed(&marie).await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_lost_access_reads_nothing_more_and_can_be_invited_again() {
    let world = World::start().await;
    let marie = world.manager(MANAGER).await;
    let paul = paul(&world).await;
    for round in 0..3 {
        invite(&marie, PAUL).await.expect(202);
        let invitation = of_list(&marie, PAUL).await["id"].clone();
        if round > 0 {
            paul.get(&target("summary")).await.expect(200);
        }
        // The id of the list, of before the account was opened or of after.
        let ended = if round == 1 { of_list(&marie, PAUL).await["id"].clone() } else { invitation };
        revoke(&marie, &ended).await.expect(204);
        for rest in ["summary", "actions", "actions/2011-000001", "users"] {
            paul.get(&target(rest)).await.expect_problem(404, "not-found");
        }
        assert_eq!(accounts(&paul).await, json!([]));
        assert_eq!(listed(&marie).await.len(), 1);
        revoke(&marie, &ended).await.expect_problem(404, "not-found");
    }
    for (pk, sk) in [("USER#", "GRANT#"), ("ACCOUNT#", "GRANT#")] {
        assert_eq!(world.count(Table::Members, pk, sk).await, 1, "the manager's");
    }
    for (pk, sk) in [("ACCOUNT#", "INVITATION#"), ("INVITED#", "ACCOUNT#")] {
        assert_eq!(world.count(Table::Members, pk, sk).await, 0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_leaves_and_a_manager_has_to_hand_over() {
    let world = World::start().await;
    let marie = world.manager(MANAGER).await;
    let paul = paul(&world).await;
    let (marie_id, paul_id) = (json!(marie.id().await.to_string()), json!(paul.id().await.to_string()));
    revoke(&marie, &marie_id).await.expect_problem(409, "manager-must-hand-over");
    revoke(&paul, &paul_id).await.expect_problem(404, "not-found");
    // Who was invited may decline without opening.
    for opens in [true, false] {
        invite(&marie, PAUL).await.expect(202);
        revoke(&marie, &marie_id).await.expect_problem(409, "manager-must-hand-over");
        if opens {
            paul.get(&target("summary")).await.expect(200);
        }
        revoke(&paul, &marie_id).await.expect_problem(403, "manager-only");
        revoke(&paul, &paul_id).await.expect(204);
        paul.get(&target("summary")).await.expect_problem(404, "not-found");
        revoke(&paul, &paul_id).await.expect_problem(404, "not-found");
        assert_eq!((accounts(&paul).await, listed(&marie).await.len()), (json!([]), 1));
    }
    marie.get(&target("summary")).await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hint_that_is_added_to_a_token_opens_nothing_and_hides_nothing() {
    let world = World::start().await;
    let marie = world.manager(MANAGER).await;
    let paul = paul(&world).await;
    let zoe = world.member("zoe@martin.example").await;
    invite(&marie, PAUL).await.expect(202);
    let forge = Forge::of(&world).await;
    let claims = |visitor: &Visitor| Forge::claims(visitor.token.lock().unwrap().as_ref().unwrap());
    let (pauls, zoes) = (claims(&paul), claims(&zoe));
    assert!(!pauls.to_string().contains("cabinet"), "a token does not tell the address: {pauls}");
    for (visitor, mut own, hint) in [(&zoe, zoes.clone(), &pauls), (&paul, pauls.clone(), &zoes)] {
        own["siret"] = hint["siret"].clone();
        // As tokens had it once.
        own["address"] = json!("c9cce933121f33ed368f5205897692e9");
        *visitor.token.lock().unwrap() = Some(forge.signed(&forge.header(), &own));
    }
    assert_eq!(accounts(&zoe).await, json!([]));
    zoe.get(&target("summary")).await.expect_problem(404, "not-found");
    assert_eq!(of_list(&marie, PAUL).await["status"], "invited");
    assert_eq!(accounts(&paul).await[0]["member_number"], ACCOUNT);
    paul.get(&target("summary")).await.expect(200);
    assert_eq!(of_list(&marie, PAUL).await["status"], "active");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_managers_no_and_yes_are_in_the_lists_of_the_invited_too() {
    let world = World::start().await;
    let marie = world.manager(MANAGER).await;
    let paul = paul(&world).await;
    invite(&marie, PAUL).await.expect(202);
    for yes in [false, true] {
        marie.put(&target("activation"), &json!({"use": yes})).await.expect(200);
        assert_eq!(accounts(&paul).await[0]["active"], yes);
    }
    marie.put(&target("activation"), &json!({"use": false})).await.expect(200);
    paul.get(&target("summary")).await.expect_problem(409, "account-not-activated");
    assert_eq!(accounts(&paul).await[0]["active"], false);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_closed_account_takes_nobody_in_and_lets_everybody_go() {
    let world = World::start().await;
    let marie = world.manager(MANAGER).await;
    let paul = paul(&world).await;
    invite(&marie, PAUL).await.expect(202);
    paul.get(&target("summary")).await.expect(200);
    let (members, _) = fixture();
    let closed = members.replace("\"version\":1", "\"closed_on\":\"2012-12-31\",\"version\":2");
    world.import("2013-01-02-001", &closed, "").await;
    invite(&marie, "zoe@cabinet.example").await.expect_problem(403, "manager-only");
    assert_eq!(listed(&marie).await.len(), 2);
    revoke(&marie, &of_list(&marie, PAUL).await["id"]).await.expect(204);
    paul.get(&target("summary")).await.expect_problem(404, "not-found");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_step_is_evidence_of_whom_it_concerns_and_who_did_it() {
    let world = World::start().await;
    let marie = world.manager(MANAGER).await;
    let paul = paul(&world).await;
    let (marie_id, paul_id) = (marie.id().await, paul.id().await);
    invite(&marie, PAUL).await.expect(202);
    invite(&marie, PAUL).await.expect(202);
    let invitation = id(&of_list(&marie, PAUL).await);
    paul.get(&target("summary")).await.expect(200);
    revoke(&marie, &json!(paul_id.to_string())).await.expect(204);
    invite(&marie, PAUL).await.expect(202);
    let declined = id(&of_list(&marie, PAUL).await);
    revoke(&paul, &json!(paul_id.to_string())).await.expect(204);

    let of = async |subject: Id| {
        let told =
            |event: &AuditEvent| (event.event, event.actor.unwrap(), event.member_number.as_ref().unwrap().to_string());
        events(&world, subject).await.iter().map(told).collect::<Vec<_>>()
    };
    let event = |kind: EventKind, actor: Id| (kind, actor, ACCOUNT.to_owned());
    use EventKind::{AccessGranted, AccessRevoked};
    assert_eq!(of(invitation).await, [event(AccessGranted, marie_id)]);
    assert_eq!(of(paul_id).await, [event(AccessGranted, paul_id), event(AccessRevoked, marie_id)]);
    assert_eq!(of(declined).await, [event(AccessGranted, marie_id), event(AccessRevoked, paul_id)]);
    // Sealed under the actor's key, and without the address.
    for event in [events(&world, paul_id).await, events(&world, declined).await].concat() {
        let actor: User = world.store().get(&User::key_of(event.actor.unwrap())).await.unwrap().unwrap();
        assert!(event.seen(&actor.seal_key).is_some(), "{event:?}");
    }
    let evidence = format!("{:?}", world.items(Table::Evidence).await);
    assert!(!evidence.contains("cabinet"), "{evidence}");
    let log: BTreeSet<String> = world.portal.log_lines().iter().map(Value::to_string).collect();
    let email = Email::parse(PAUL).unwrap();
    assert!(!log.iter().any(|line| line.contains(email.as_str())), "{log:?}");
}
