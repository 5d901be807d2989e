//! Handing the manager's role over: one seat, which is never empty by it and never has two.

use harness::{
    ACCOUNT, Inventory, OTHER_ACCOUNT, OTHER_SIRET, PASSWORD, Person, Reply, SIRET, Visitor, World, fixture,
};
use http::Method;
use portal::domain::Id;
use portal::store::{AuditEvent, EventKind, Query, Table};
use serde_json::{Value, json};

const MARIE: &str = "marie@martin.example";
const PAUL: &str = "paul@martin.example";

fn target(rest: &str) -> String {
    format!("/api/accounts/{ACCOUNT}/{rest}")
}

async fn hand_over(manager: &Visitor, id: impl ToString) -> Reply {
    manager.post(&target("manager"), &json!({"id": id.to_string()})).await
}

async fn users(manager: &Visitor) -> Vec<Value> {
    manager.get(&target("users")).await.expect(200)["users"].as_array().unwrap().clone()
}

async fn role(visitor: &Visitor) -> Value {
    visitor.get("/api/accounts").await.expect(200)["accounts"][0]["role"].clone()
}

/// Mme MARTIN who manages, M. DURAND who reads.
async fn both(world: &World) -> (Visitor, Visitor) {
    let marie = world.manager(MARIE).await;
    let paul = world.user(&Person::at(PAUL).named("m", "DURAND")).await;
    world.accept_charter(&paul).await;
    marie.post(&target("users"), &json!({"email": PAUL})).await.expect(202);
    paul.get(&target("summary")).await.expect(200);
    (marie, paul)
}

/// Nothing is half done.
async fn all_is_well(world: &World) {
    Inventory::of(world).await.expect_whole("in between");
}

async fn events(world: &World, subject: Id) -> Vec<(EventKind, Id)> {
    let query = Query::partition(Table::Evidence, format!("SUBJECT#{subject}")).beginning("EVENT#");
    let events: Vec<AuditEvent> = world.store().query_all(&query).await.unwrap();
    let about_role = |event: &AuditEvent| matches!(event.event, EventKind::RoleHandedOver | EventKind::RoleTakenOver);
    events.into_iter().filter(about_role).map(|event| (event.event, event.actor.unwrap())).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_other_is_the_manager_from_the_next_read_on_and_both_are_told() {
    let world = World::start().await;
    let (marie, paul) = both(&world).await;
    let (marie_id, paul_id) = (marie.id().await, paul.id().await);
    let answer = hand_over(&marie, paul_id).await.expect(200);
    let manager = json!({"id": paul_id, "civility": "m", "last_name": "DURAND"});
    assert_eq!(answer.body, json!({"member_number": ACCOUNT, "manager": manager}));
    assert_eq!((role(&marie).await, role(&paul).await), (json!("reader"), json!("manager")));
    for visitor in [&marie, &paul] {
        let home = visitor.get("/api/home").await.expect(200);
        assert_eq!(home["manager"], json!({"named": true, "civility": "m", "last_name": "DURAND"}));
        assert_eq!(home["can_claim"], false);
        visitor.get(&target("summary")).await.expect(200);
    }
    let before = world.newest_mail(MARIE).await;
    assert!(before.subject.contains("transmis le rôle") && before.text.contains("M. DURAND"), "{}", before.text);
    let after = world.newest_mail(PAUL).await;
    assert!(after.subject.contains("Vous êtes gestionnaire") && after.text.contains("Mme MARTIN"), "{}", after.text);

    // Who was the manager reads, and no more; who is manages.
    marie.get(&target("users")).await.expect_problem(403, "manager-only");
    marie.put(&target("activation"), &json!({"use": false})).await.expect_problem(403, "manager-only");
    marie.post(&target("users"), &json!({"email": "x@cabinet.example"})).await.expect_problem(403, "manager-only");
    hand_over(&marie, paul_id).await.expect_problem(403, "manager-only");
    let roles: Vec<_> =
        users(&paul).await.into_iter().map(|user| (user["email"].clone(), user["role"].clone())).collect();
    assert!(roles.contains(&(json!(MARIE), json!("reader"))) && roles.contains(&(json!(PAUL), json!("manager"))));
    paul.put(&target("activation"), &json!({"use": true})).await.expect(200);
    paul.patch("/api/me", &json!({"last_name": "DUVAL"})).await.expect(200);
    assert_eq!(marie.get("/api/home").await.expect(200)["manager"]["last_name"], "DUVAL", "the seat has his name");
    assert_eq!(events(&world, marie_id).await, [(EventKind::RoleHandedOver, marie_id)]);
    assert_eq!(events(&world, paul_id).await, [(EventKind::RoleTakenOver, marie_id)]);
    all_is_well(&world).await;

    // Back again; and then she may leave, which she could not as manager.
    hand_over(&paul, marie_id).await.expect(200);
    marie.delete(&target(&format!("users/{marie_id}"))).await.expect_problem(409, "manager-must-hand-over");
    marie.patch("/api/me", &json!({"siret": OTHER_SIRET})).await.expect_problem(409, "manager-must-hand-over");
    hand_over(&marie, paul_id).await.expect(200);
    marie.delete(&target(&format!("users/{marie_id}"))).await.expect(204);
    marie.get(&target("summary")).await.expect_problem(404, "not-found");
    paul.get(&target("summary")).await.expect(200);
    assert_eq!(users(&paul).await.len(), 1);
    all_is_well(&world).await;
    // Alone, he leaves the account unclaimed.
    let erased = paul.send(Method::DELETE, "/api/me", Some(&json!({"current_password": PASSWORD}))).await;
    erased.expect(204);
    assert_eq!(marie.get("/api/home").await.expect(200)["can_claim"], true);
    all_is_well(&world).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn it_goes_to_somebody_who_has_access_and_to_nobody_else() {
    let world = World::start().await;
    let (marie, paul) = both(&world).await;
    let zoe = world.member("zoe@martin.example").await;
    zoe.post("/api/access-requests", &json!({})).await.expect(202);
    marie.post(&target("users"), &json!({"email": "invited@cabinet.example"})).await.expect(202);
    let listed = users(&marie).await;
    let invited = listed.iter().find(|user| user["status"] == "invited").unwrap()["id"].as_str().unwrap().to_owned();
    let other = world.user(&Person::at("manager@laposte.example").of(OTHER_SIRET)).await;
    world.accept_charter(&other).await;
    world.claim(&other, OTHER_ACCOUNT).await.expect(201);

    for (id, error) in [
        (invited, "id:no-access-yet"),
        (zoe.id().await.to_string(), "id:no-access-yet"),
        (marie.id().await.to_string(), "id:already-manager"),
        ("current".to_owned(), "id:bad-id"),
        ("F".repeat(32), "id:bad-id"),
    ] {
        assert_eq!(hand_over(&marie, &id).await.expect_problem(422, "invalid-input").errors(), [error], "{id}");
    }
    for (body, error) in [
        (json!({}), "id:required"),
        (json!({"id": 7}), "id:not-a-string"),
        (json!({"id": paul.id().await, "role": "manager"}), "role:unknown-field"),
    ] {
        assert_eq!(marie.post(&target("manager"), &body).await.expect_problem(422, "invalid-input").errors(), [error]);
    }
    // Who is nobody here is nobody, whether there is such a person or not.
    for id in ["0".repeat(32), other.id().await.to_string()] {
        hand_over(&marie, id).await.expect_problem(404, "not-found");
    }
    hand_over(&other, paul.id().await).await.expect_problem(404, "not-found");
    hand_over(&paul, paul.id().await).await.expect_problem(403, "manager-only");
    marie.post(&target("manager"), &json!([])).await.expect_problem(400, "malformed-request");
    assert_eq!(role(&marie).await, "manager");
    all_is_well(&world).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invitation_that_was_opened_names_who_opened_it() {
    let world = World::start().await;
    let marie = world.manager(MARIE).await;
    let paul = world.member(PAUL).await;
    marie.post(&target("users"), &json!({"email": PAUL})).await.expect(202);
    let invitation = users(&marie).await[1]["id"].as_str().unwrap().to_owned();
    paul.get(&target("summary")).await.expect(200);
    hand_over(&marie, invitation).await.expect(200);
    assert_eq!(role(&paul).await, "manager");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeat_with_the_same_key_gets_the_first_answer() {
    let world = World::start().await;
    let (marie, paul) = both(&world).await;
    let send = async |who: &Visitor, key: &str, id: Id| {
        let (body, headers) = (json!({"id": id}), [("idempotency-key", key)]);
        who.send_with(Method::POST, &target("manager"), Some(&body), &headers).await
    };
    let (marie_id, paul_id) = (marie.id().await, paul.id().await);
    let first = send(&marie, "one", paul_id).await.expect(200);
    assert_eq!(send(&marie, "one", paul_id).await.expect(200).text, first.text);
    send(&marie, "two", paul_id).await.expect_problem(403, "manager-only");
    // Handed back meanwhile: the repeat does nothing any more.
    hand_over(&paul, marie_id).await.expect(200);
    assert_eq!(send(&marie, "one", paul_id).await.expect(200).text, first.text);
    assert_eq!(role(&marie).await, "manager");
    send(&marie, "one", marie_id).await.expect_problem(422, "idempotency-key-reused");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_contested_role_stays_where_it_is() {
    let world = World::start().await;
    let (marie, paul) = both(&world).await;
    world.contest(SIRET).await;
    hand_over(&marie, paul.id().await).await.expect_problem(409, "claim-contested");
    assert_eq!((role(&marie).await, role(&paul).await), (json!("manager"), json!("reader")));
    // Reading, taking access back and leaving go on.
    marie.get(&target("summary")).await.expect(200);
    paul.delete(&target(&format!("users/{}", paul.id().await))).await.expect(204);
    assert_eq!(users(&marie).await.len(), 1);
    // The fund's file does not end a contest.
    let renamed = fixture().0.replace("\"version\":1", "\"version\":2").replace("MARTIN BTP", "MARTIN TRAVAUX");
    world.import("2012-10-16-001", &renamed, "").await;
    let invited = marie.post(&target("users"), &json!({"email": PAUL})).await;
    invited.expect_problem(409, "claim-contested");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_closed_account_the_role_can_be_handed_over_so_that_its_manager_can_go() {
    let world = World::start().await;
    let (marie, paul) = both(&world).await;
    let closed = fixture().0.replace("\"version\":1", "\"closed_on\":\"2012-12-31\",\"version\":2");
    world.import("2013-01-02-001", &closed, "").await;
    marie.delete(&target(&format!("users/{}", marie.id().await))).await.expect_problem(409, "manager-must-hand-over");
    hand_over(&marie, paul.id().await).await.expect(200);
    marie.delete(&target(&format!("users/{}", marie.id().await))).await.expect(204);
    assert_eq!(role(&paul).await, "manager");
    all_is_well(&world).await;
}

/// Who entered the number is entitled to the manager's name, whoever that is by then, as long as they are of the
/// establishment.
#[tokio::test(flavor = "multi_thread")]
async fn who_proved_the_number_sees_the_manager_of_the_day_until_they_leave() {
    let world = World::start().await;
    let (marie, paul) = both(&world).await;
    let zoe = world.member("zoe@martin.example").await;
    let manager = async || zoe.get("/api/home").await.expect(200)["manager"].clone();
    assert_eq!(manager().await, json!({"named": false}));
    world.claim(&zoe, OTHER_ACCOUNT).await.expect_problem(404, "claim-refused");
    assert_eq!(manager().await, json!({"named": false}), "a wrong number proves nothing");
    let lost = world.claim(&zoe, ACCOUNT).await.expect_problem(409, "already-managed");
    assert_eq!(lost["manager"], json!({"civility": "mme", "last_name": "MARTIN"}));
    assert_eq!(manager().await, json!({"named": true, "civility": "mme", "last_name": "MARTIN"}));
    hand_over(&marie, paul.id().await).await.expect(200);
    assert_eq!(manager().await, json!({"named": true, "civility": "m", "last_name": "DURAND"}));
    for siret in [OTHER_SIRET, SIRET] {
        zoe.patch("/api/me", &json!({"siret": siret})).await.expect(200);
    }
    assert_eq!(manager().await, json!({"named": false}), "who comes back proves it anew");
    assert_eq!(world.count(Table::Members, &format!("USER#{}", zoe.id().await), "PROOF#").await, 0);
}
