//! Invitations that nobody opens end by themselves, and when the owner of their address leaves it.

use std::time::Duration;

use harness::{
    ACCOUNT, Calls, Held, OTHER_ACCOUNT, OTHER_SIRET, PASSWORD, Person, Reply, Visitor, World, address_token,
};
use http::Method;
use portal::domain::Id;
use portal::store::{AuditEvent, EventKind, Query, Table};
use serde_json::{Value, json};

const MANAGER: &str = "marie@martin.example";
const PAUL: &str = "paul@cabinet.example";
const DAY: u64 = 24 * 3600;

fn target(rest: &str) -> String {
    format!("/api/accounts/{ACCOUNT}/{rest}")
}

async fn invite(manager: &Visitor, email: &str) -> Reply {
    manager.post(&target("users"), &json!({"email": email})).await
}

async fn listed(manager: &Visitor, email: &str) -> Option<Value> {
    let list = manager.get(&target("users")).await.expect(200);
    list["users"].as_array().unwrap().iter().find(|user| user["email"] == email).cloned()
}

async fn status(manager: &Visitor, email: &str) -> Option<String> {
    listed(manager, email).await.map(|user| user["status"].as_str().unwrap().to_owned())
}

/// Time passes, after which everybody logs in again.
async fn pass(world: &World, days: u64, visitors: &[(&Visitor, &str)]) {
    world.advance(Duration::from_secs(days * DAY));
    for (visitor, email) in visitors {
        visitor.log_in(email, PASSWORD).await.expect(200);
    }
}

/// Somebody of another establishment, with a space and the charter accepted.
async fn accountant(world: &World, email: &str) -> Visitor {
    let visitor = world.user(&Person::at(email).named("m", "DURAND").of(OTHER_SIRET)).await;
    world.accept_charter(&visitor).await;
    visitor
}

/// Everywhere that an invitation would show.
async fn sees_nothing(visitor: &Visitor) {
    assert_eq!(visitor.get("/api/accounts").await.expect(200)["accounts"], json!([]));
    let home = visitor.get("/api/home").await.expect(200);
    let member_account = home["applications"].as_array().unwrap().iter().find(|entry| entry["id"] == "member-account");
    assert_eq!(member_account.unwrap()["reason"], "no-account");
    for rest in ["summary", "actions", "ledger.csv", "statement.pdf", "users"] {
        visitor.get(&target(rest)).await.expect_problem(404, "not-found");
    }
}

async fn events(world: &World, subject: Id) -> Vec<(EventKind, Option<String>)> {
    let query = Query::partition(Table::Evidence, format!("SUBJECT#{subject}")).beginning("EVENT#");
    let events: Vec<AuditEvent> = world.store().query_all(&query).await.unwrap();
    let about = events.into_iter().filter(|event| event.member_number.is_some());
    about.map(|event| (event.event, event.detail)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn somebody_else_who_signs_up_later_reads_nothing() {
    let world = World::start().await;
    let marie = world.manager(MANAGER).await;
    invite(&marie, PAUL).await.expect(202);
    pass(&world, 400, &[(&marie, MANAGER)]).await;
    let successor = accountant(&world, PAUL).await;
    sees_nothing(&successor).await;
    assert_eq!(status(&marie, PAUL).await.as_deref(), Some("expired"));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invitation_ends_after_thirty_days_is_listed_as_expired_and_renewed_by_inviting_again() {
    let world = World::start().await;
    let marie = world.manager(MANAGER).await;
    let paul = accountant(&world, PAUL).await;
    invite(&marie, PAUL).await.expect(202);
    let mail = world.newest_mail(PAUL).await;
    let until = world.portal.clock().now() + Duration::from_secs(30 * DAY);
    let day = until.to_zoned_datetime(portal::domain::FUND_ZONE.clone()).strftime("%d/%m/%Y").to_string();
    assert!(mail.text.contains(&day), "{day} in {}", mail.text);
    let invited = listed(&marie, PAUL).await.unwrap();
    assert_eq!(invited["status"], "invited");

    world.advance(Duration::from_secs(30 * DAY - 60));
    paul.log_in(PAUL, PASSWORD).await.expect(200);
    assert_eq!(paul.get("/api/accounts").await.expect(200)["accounts"][0]["member_number"], ACCOUNT);
    world.advance(Duration::from_secs(61));
    marie.log_in(MANAGER, PASSWORD).await.expect(200);
    sees_nothing(&paul).await;
    let expired = listed(&marie, PAUL).await.unwrap();
    assert_eq!((&expired["status"], &expired["id"]), (&json!("expired"), &invited["id"]));
    assert_eq!(expired["expires_at"], invited["expires_at"]);

    let before = world.mails_to(PAUL).await;
    invite(&marie, PAUL).await.expect(202);
    assert_eq!(world.mails_to(PAUL).await, before + 1);
    let renewed = listed(&marie, PAUL).await.unwrap();
    assert_eq!((&renewed["status"], &renewed["id"]), (&json!("invited"), &invited["id"]));
    let granted = |detail: &str| (EventKind::AccessGranted, Some(detail.to_owned()));
    let id = Id::parse(invited["id"].as_str().unwrap()).unwrap();
    assert_eq!(events(&world, id).await, [granted("invitation"), granted("invitation renewed")]);
    pass(&world, 29, &[(&marie, MANAGER), (&paul, PAUL)]).await;
    paul.get(&target("summary")).await.expect(200);
    assert_eq!(status(&marie, PAUL).await.as_deref(), Some("active"));
    // What was opened does not end.
    pass(&world, 60, &[(&paul, PAUL)]).await;
    paul.get(&target("summary")).await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn inviting_again_in_time_gives_thirty_days_anew() {
    let world = World::start().await;
    let marie = world.manager(MANAGER).await;
    let paul = accountant(&world, PAUL).await;
    invite(&marie, PAUL).await.expect(202);
    pass(&world, 20, &[(&marie, MANAGER)]).await;
    invite(&marie, PAUL).await.expect(202);
    pass(&world, 20, &[(&marie, MANAGER), (&paul, PAUL)]).await;
    assert_eq!(status(&marie, PAUL).await.as_deref(), Some("invited"));
    paul.get(&target("summary")).await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_expired_invitation_is_no_access_and_binds_nobody() {
    let world = World::start().await;
    let marie = world.manager(MANAGER).await;
    let zoe = world.member("zoe@martin.example").await;
    invite(&marie, "zoe@martin.example").await.expect(202);
    invite(&marie, PAUL).await.expect(202);
    pass(&world, 31, &[(&marie, MANAGER), (&zoe, "zoe@martin.example")]).await;
    // Who let it expire asks as anybody, and is shown as asking; approving it leaves nothing behind.
    zoe.post("/api/access-requests", &json!({})).await.expect(202);
    let asking = listed(&marie, "zoe@martin.example").await.unwrap();
    assert_eq!((&asking["status"], &asking["id"]), (&json!("requested"), &json!(zoe.id().await)));
    invite(&marie, "zoe@martin.example").await.expect(202);
    assert_eq!(status(&marie, "zoe@martin.example").await.as_deref(), Some("active"));
    zoe.get(&target("summary")).await.expect(200);
    let id = asking["id"].as_str().unwrap();
    marie.delete(&target(&format!("users/{id}"))).await.expect(204);
    // An expired one is taken back as any other, and one that is not keeps no manager.
    assert_eq!(status(&marie, PAUL).await.as_deref(), Some("expired"));
    marie.patch("/api/me", &json!({"siret": OTHER_SIRET})).await.expect(200);
    marie.get(&target("summary")).await.expect_problem(404, "not-found");
    world.claim(&zoe, ACCOUNT).await.expect(201);
    let left = listed(&zoe, PAUL).await.unwrap()["id"].as_str().unwrap().to_owned();
    zoe.delete(&target(&format!("users/{left}"))).await.expect(204);
    assert_eq!(listed(&zoe, PAUL).await, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn leaving_an_address_ends_what_it_was_invited_to() {
    let world = World::start().await;
    let marie = world.manager(MANAGER).await;
    let paul = accountant(&world, PAUL).await;
    let new = "paul@conseil.example";
    invite(&marie, PAUL).await.expect(202);
    paul.ask_for_address(new).await.expect(202);
    let (confirming, undoing) =
        (address_token(&world.newest_mail(new).await), address_token(&world.newest_mail(PAUL).await));
    assert_eq!(status(&marie, PAUL).await.as_deref(), Some("invited"), "asking leaves nothing yet");
    let follow = async |token: &str| world.visitor().post("/api/email", &json!({"token": token})).await;
    follow(&confirming).await.expect(204);
    assert_eq!(listed(&marie, PAUL).await, None);
    sees_nothing(&paul).await;
    let id = paul.id().await;
    let (kind, detail) = events(&world, id).await.pop().unwrap();
    assert_eq!(kind, EventKind::AccessRevoked);
    assert!(detail.as_ref().is_some_and(|detail| detail.starts_with("address left, invitation ")), "{detail:?}");

    // The address is kept for him; undoing leaves the other one.
    invite(&marie, new).await.expect(202);
    follow(&undoing).await.expect(204);
    assert_eq!(listed(&marie, new).await, None);
    assert_eq!(world.count(Table::Members, "INVITED#", "ACCOUNT#").await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn erasing_oneself_ends_the_invitations_of_every_address_that_is_still_ones_own() {
    let world = World::start().await;
    let marie = world.manager(MANAGER).await;
    let paul = accountant(&world, PAUL).await;
    let new = "paul@conseil.example";
    paul.ask_for_address(new).await.expect(202);
    let confirming = address_token(&world.newest_mail(new).await);
    world.visitor().post("/api/email", &json!({"token": confirming})).await.expect(204);
    // The one before is reserved for him, and the other is his.
    invite(&marie, PAUL).await.expect(202);
    invite(&marie, new).await.expect(202);
    paul.send(Method::DELETE, "/api/me", Some(&json!({"current_password": PASSWORD}))).await.expect(204);
    assert_eq!((listed(&marie, PAUL).await, listed(&marie, new).await), (None, None));
    for email in [PAUL, new] {
        sees_nothing(&accountant(&world, email).await).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn opening_and_inviting_again_at_the_end_of_an_invitation_meet_in_every_order() {
    let (held, options) = Held::on_dynamodb();
    let world = World::start_with(options).await;
    let marie = world.manager(MANAGER).await;
    let mut orders = held.orders();
    while let Some(order) = orders.another() {
        let email = format!("paul-{order}@cabinet.example");
        let paul = accountant(&world, &email).await;
        marie.log_in(MANAGER, PASSWORD).await.expect(200);
        invite(&marie, &email).await.expect(202);
        pass(&world, 31, &[(&marie, MANAGER), (&paul, &email)]).await;
        let summary = target("summary");
        let opens = (Calls::of("query-ledger"), paul.get(&summary));
        let renews = (Calls::of("manage-users"), invite(&marie, &email));
        let Some((opened, renewed)) = orders.meet(opens, renews).await else { continue };
        renewed.expect(202);
        // Before it was renewed there was nothing to open; afterwards it opens as any other.
        assert!([200, 404].contains(&opened.status), "{order}: {opened}");
        paul.get(&summary).await.expect(200);
        assert_eq!(status(&marie, &email).await.as_deref(), Some("active"), "{order}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn leaving_an_address_and_opening_what_it_is_invited_to_meet_in_every_order() {
    let (held, options) = Held::on_dynamodb();
    let world = World::start_with(options).await;
    let marie = world.manager(MANAGER).await;
    let mut orders = held.orders();
    while let Some(order) = orders.another() {
        let (old, new) = (format!("old-{order}@cabinet.example"), format!("new-{order}@cabinet.example"));
        let paul = accountant(&world, &old).await;
        invite(&marie, &old).await.expect(202);
        paul.ask_for_address(&new).await.expect(202);
        let token = json!({"token": address_token(&world.newest_mail(&new).await)});
        let summary = target("summary");
        let (visitor, opens) = (world.visitor(), (Calls::of("query-ledger"), paul.get(&summary)));
        let leaves = (Calls::of("change-email"), visitor.post("/api/email", &token));
        let Some((opened, left)) = orders.meet(opens, leaves).await else { continue };
        left.expect(204);
        assert!([200, 404, 503].contains(&opened.status), "{order}: {opened}");
        // Opened before, it is his; else it is gone, and nothing is left under the old address.
        let reads = paul.get(&summary).await.status == 200;
        assert!(reads || opened.status != 200, "{order}");
        assert!(status(&marie, &old).await.is_none(), "{order}");
        assert_eq!(world.count(Table::Members, "INVITED#", "ACCOUNT#").await, 0, "{order}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_access_token_tells_nothing_of_the_address() {
    let world = World::start().await;
    let paul = accountant(&world, PAUL).await;
    let claims = harness::Forge::claims(paul.token.lock().unwrap().as_ref().unwrap());
    let mut names: Vec<_> = claims.as_object().unwrap().keys().map(String::as_str).collect();
    names.sort_unstable();
    assert_eq!(names, ["aud", "epoch", "exp", "iat", "iss", "jti", "nbf", "sid", "siret", "sub"]);
    world.claim(&paul, OTHER_ACCOUNT).await.expect(201);
}
