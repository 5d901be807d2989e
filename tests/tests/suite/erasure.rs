//! Erasing oneself: what goes, what stays, and what it meets on its way.

use std::collections::BTreeSet;
use std::time::Duration;

use harness::{
    ACCOUNT, Calls, Held, OTHER_ACCOUNT, OTHER_SIRET, PASSWORD, Person, Reply, SIRET, Visitor, World, address_token,
    link_token,
};
use http::Method;
use portal::domain::{Email, Id, MemberNumber, Siret};
use portal::store::{
    Account, AuditEvent, Establishment, EventKind, Grant, GrantMirror, Item, Login, Query, Reservation, Role, Table,
    User,
};
use serde_json::json;

const JEANNE: &str = "jeanne@martin.example";
const NEW: &str = "jeanne@toitures.example";
const TABLES: [Table; 4] = [Table::Identity, Table::Members, Table::Ledger, Table::Evidence];

async fn erase(visitor: &Visitor) -> Reply {
    visitor.send(Method::DELETE, "/api/me", Some(&json!({"current_password": PASSWORD}))).await
}

/// Which items of a table hold one of these texts anywhere.
async fn items_with(world: &World, table: Table, texts: &[&str]) -> Vec<Item> {
    let mut items = world.items(table).await;
    items.retain(|item| {
        let written = format!("{item:?}");
        texts.iter().any(|text| written.contains(text))
    });
    items
}

/// Which items say a user's id, but what is known of an account's claims, which goes on naming who made them by it.
async fn items_about(world: &World, table: Table, id: Id) -> Vec<Item> {
    let mut items = items_with(world, table, &[&id.to_string()]).await;
    items.retain(|item| item["sk"].as_s().is_ok_and(|sk| sk != "ESTABLISHMENT"));
    items
}

async fn seal_key(world: &World, id: Id) -> String {
    let user: User = world.store().get(&User::key_of(id)).await.unwrap().unwrap();
    String::from(user.seal_key)
}

async fn establishment(world: &World, siret: &str) -> Establishment {
    world.store().get(&Establishment::key_of(&Siret::parse(siret).unwrap())).await.unwrap().unwrap()
}

async fn is_gone(world: &World, visitor: &Visitor, email: &str) {
    visitor.get("/api/me").await.expect_problem(401, "authentication-required");
    visitor.refresh().await.expect_problem(401, "authentication-required");
    world.visitor().log_in(email, PASSWORD).await.expect_problem(401, "bad-credentials");
    let sent = world.mails().await.len();
    world.visitor().forgot(email).await.expect(202);
    assert_eq!(world.mails().await.len(), sent, "nobody is there to be mailed");
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_of_the_person_is_left_in_any_table_but_evidence_that_cannot_be_read() {
    let world = World::start().await;
    let jeanne = world.manager(JEANNE).await;
    let id = jeanne.id().await;
    // All that can lie about: other sessions, failures, links of every kind, a left address, an invitation.
    for _ in 0..3 {
        world.visitor().log_in(JEANNE, PASSWORD).await.expect(200);
    }
    world.claim(&jeanne, OTHER_ACCOUNT).await.expect_problem(404, "claim-refused");
    jeanne.ask_for_address(NEW).await.expect(202);
    let mail = world.newest_mail(NEW).await;
    let token = address_token(&mail);
    // A link to the old address is outstanding when it is left, one to the new when the end comes.
    world.visitor().forgot(JEANNE).await.expect(202);
    world.mails().await;
    world.visitor().post("/api/email", &json!({"token": token})).await.expect(204);
    jeanne.ask_for_address("more@toitures.example").await.expect(202);
    world.visitor().log_in(NEW, "faux").await.expect_problem(401, "bad-credentials");
    world.visitor().log_in(JEANNE, "faux").await.expect_problem(401, "bad-credentials");
    for email in [NEW, JEANNE] {
        world.visitor().forgot(email).await.expect(202);
        world.sign_up(&Person::at(email)).await.expect(202);
    }
    let reset = link_token(&world.mails().await.into_iter().rev().find(|m| m.text.contains("/mot-de-passe#")).unwrap());
    let paul = Person::at("manager@laposte.example").of(OTHER_SIRET).named("m", "DURAND");
    let manager = world.user(&Person { first_name: "Paul".to_owned(), ..paul }).await;
    world.accept_charter(&manager).await;
    world.claim(&manager, OTHER_ACCOUNT).await.expect(201);
    manager.post(&format!("/api/accounts/{OTHER_ACCOUNT}/users"), &json!({"email": NEW})).await.expect(202);
    world.mails().await;
    let key = seal_key(&world, id).await;
    let evidence = world.count(Table::Evidence, &format!("SUBJECT#{id}"), "").await;
    assert!(!items_with(&world, Table::Identity, &[&key]).await.is_empty(), "the scan sees the key");

    erase(&jeanne).await.expect(204);
    let last = world.newest_mail(NEW).await;
    assert_eq!(last.subject, "Votre espace personnalisé Constructys est supprimé");
    for table in TABLES {
        let of_person = [key.as_str(), JEANNE, NEW, "more@toitures.example", "Jeanne", "MARTIN\""];
        let left = items_with(&world, table, &of_person).await;
        assert!(left.is_empty(), "{table:?}: {left:#?}");
        if table != Table::Evidence {
            let left = items_about(&world, table, id).await;
            assert!(left.is_empty(), "{table:?}: {left:#?}");
        }
    }
    let query = Query::partition(Table::Evidence, format!("SUBJECT#{id}"));
    assert!(world.store().query_all_items(&query).await.unwrap().len() > evidence, "the evidence stays");
    let events: Vec<AuditEvent> = world.store().query_all(&query.beginning("EVENT#")).await.unwrap();
    assert!(events.iter().any(|event| event.event == EventKind::UserErased));
    let revoked = events.iter().filter(|event| event.event == EventKind::AccessRevoked).count();
    assert_eq!(revoked, 2, "the account that she managed, the invitation that she never opened");

    // The account is unclaimed, and closed until somebody says OUI anew.
    assert_eq!(establishment(&world, SIRET).await.manager, None);
    let account = Account::key_of(&MemberNumber::parse(ACCOUNT).unwrap());
    assert!(!world.store().get::<Account>(&account).await.unwrap().unwrap().active);
    is_gone(&world, &jeanne, NEW).await;
    world.visitor().look_at_link(&reset).await.expect_problem(410, "link-invalid");

    // And both addresses are free for strangers.
    world.advance(Duration::from_secs(3700));
    for email in [NEW, JEANNE] {
        let stranger = world.member(email).await;
        assert_ne!(stranger.id().await, id);
        assert_eq!(stranger.get("/api/accounts").await["accounts"], json!([]));
    }
}

/// Follows the link of a change of address in the newest mail to somebody that has one.
async fn follow(world: &World, address: &str) {
    let mails = world.mails().await;
    let mail = mails.iter().rev().find(|mail| mail.to == address && mail.text.contains("/adresse#")).unwrap();
    let token = address_token(mail);
    world.visitor().post("/api/email", &json!({"token": token})).await.expect(204);
}

async fn reset(world: &World, address: &str) {
    let token = link_token(&world.newest_mail(address).await);
    world.visitor().set_password(&token, PASSWORD).await.expect(204);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_left_of_an_address_that_was_undone_and_had_a_reset_link() {
    let world = World::start().await;
    let jeanne = world.member(JEANNE).await;
    let id = jeanne.id().await;
    jeanne.ask_for_address(NEW).await.expect(202);
    follow(&world, NEW).await;
    world.visitor().forgot(NEW).await.expect(202);
    let key = seal_key(&world, id).await;
    world.mails().await;
    follow(&world, JEANNE).await;
    reset(&world, JEANNE).await;
    jeanne.log_in(JEANNE, PASSWORD).await.expect(200);
    erase(&jeanne).await.expect(204);
    world.mails().await;
    let left = items_with(&world, Table::Identity, &[&key, &id.to_string(), JEANNE, NEW, "Jeanne"]).await;
    assert!(left.is_empty(), "{left:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_that_is_somebody_elses_by_now_is_left_alone() {
    let world = World::start().await;
    let jeanne = world.member(JEANNE).await;
    jeanne.ask_for_address(NEW).await.expect(202);
    follow(&world, NEW).await;
    // Whatever it is that lost the address to a stranger.
    let address = Email::parse(JEANNE).unwrap();
    let reservation = Reservation::key_of(&address);
    let kept: Reservation = world.store().get(&reservation).await.unwrap().unwrap();
    world.store().delete(&reservation).await.unwrap();
    world.advance(Duration::from_secs(61));
    let stranger = world.member(JEANNE).await;
    world.visitor().forgot(JEANNE).await.expect(202);
    world.visitor().log_in(JEANNE, "faux").await.expect_problem(401, "bad-credentials");
    world.mails().await;
    for reserved in [false, true] {
        if reserved {
            world.store().put(&kept).await.unwrap();
        }
        let export = jeanne.get("/api/me/export").await.expect(200);
        assert_eq!(export["addresses"].as_array().unwrap().len(), 1, "{}", export["addresses"]);
        assert_eq!(export["addresses"][0]["email"], NEW);
    }
    let before = world.count(Table::Identity, &format!("EMAIL#{JEANNE}"), "").await;
    erase(&jeanne).await.expect(204);
    // All but the reservation.
    assert_eq!(world.count(Table::Identity, &format!("EMAIL#{JEANNE}"), "").await, before - 1);
    stranger.get("/api/me").await.expect(200);
    world.visitor().log_in(JEANNE, PASSWORD).await.expect(200);
    reset(&world, JEANNE).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_went_back_and_forth_erases_themselves_and_no_stranger() {
    let world = World::start().await;
    let jeanne = world.member(JEANNE).await;
    jeanne.ask_for_address(NEW).await.expect(202);
    follow(&world, NEW).await;
    jeanne.ask_for_address(JEANNE).await.expect(202);
    follow(&world, JEANNE).await;
    // Undoes the way back, so the way there can be undone still.
    follow(&world, NEW).await;
    reset(&world, NEW).await;
    world.advance(Duration::from_secs(61));
    world.sign_up(&Person::at(JEANNE)).await.expect(202);
    let told = world.newest_mail(JEANNE).await;
    assert_eq!(told.subject, "Vous avez déjà un espace personnalisé Constructys");
    jeanne.log_in(NEW, PASSWORD).await.expect(200);
    erase(&jeanne).await.expect(204);
    is_gone(&world, &jeanne, NEW).await;
    world.advance(Duration::from_secs(3700));
    let stranger = world.member(JEANNE).await;
    stranger.get("/api/me").await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_manager_with_a_colleague_hands_over_first() {
    let world = World::start().await;
    let marie = world.manager("marie@martin.example").await;
    let paul = world.member("paul@martin.example").await;
    marie.post(&format!("/api/accounts/{ACCOUNT}/users"), &json!({"email": "paul@martin.example"})).await.expect(202);
    // Invited, or in.
    erase(&marie).await.expect_problem(409, "manager-must-hand-over");
    marie.get("/api/me").await.expect(200);
    paul.get(&format!("/api/accounts/{ACCOUNT}/summary")).await.expect(200);
    erase(&marie).await.expect_problem(409, "manager-must-hand-over");
    marie.get(&format!("/api/accounts/{ACCOUNT}/summary")).await.expect(200);
    // A reader goes whenever they like, and then the manager, alone again.
    erase(&paul).await.expect(204);
    assert_eq!(world.count(Table::Members, &format!("ACCOUNT#{ACCOUNT}"), "GRANT#").await, 1);
    erase(&marie).await.expect(204);
    assert_eq!(establishment(&world, SIRET).await.manager, None);
    let next = world.member("next@martin.example").await;
    world.claim(&next, ACCOUNT).await.expect(201);
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_password_erases_and_wrong_ones_count() {
    let world = World::start().await;
    let jeanne = world.member(JEANNE).await;
    let with = async |body: serde_json::Value| jeanne.send(Method::DELETE, "/api/me", Some(&body)).await;
    with(json!({})).await.expect_problem(422, "invalid-input");
    with(json!({"current_password": PASSWORD, "sure": true})).await.expect_problem(422, "invalid-input");
    jeanne.delete("/api/me").await.expect_problem(415, "unsupported-media-type");
    for _ in 0..5 {
        with(json!({"current_password": "faux"})).await.expect_problem(403, "bad-current-password");
    }
    with(json!({"current_password": PASSWORD})).await.expect_problem(429, "too-many-attempts");
    world.visitor().log_in(JEANNE, PASSWORD).await.expect_problem(429, "too-many-attempts");
    world.advance(Duration::from_secs(61));
    erase(&jeanne).await.expect(204);
    is_gone(&world, &jeanne, JEANNE).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_erasure_that_was_interrupted_is_asked_for_again() {
    let world = World::start().await;
    let jeanne = world.manager(JEANNE).await;
    let id = jeanne.id().await;
    // What is left of it after its first step: the epoch has moved, the own session with it.
    let store = world.store();
    let mut user: User = store.get(&User::key_of(id)).await.unwrap().unwrap();
    let mut login: Login = store.get(&Login::key_of(&user.email)).await.unwrap().unwrap();
    let sessions: Vec<portal::store::Session> = store.query_all(&portal::store::Session::all_of(id)).await.unwrap();
    for mut session in sessions {
        session.epoch += 1;
        store.put(&session).await.unwrap();
    }
    user.epoch += 1;
    login.epoch += 1;
    store.put(&user).await.unwrap();
    store.put(&login).await.unwrap();
    erase(&jeanne).await.expect_problem(401, "authentication-required");
    jeanne.refresh().await.expect(200);
    erase(&jeanne).await.expect(204);
    assert_eq!(items_about(&world, Table::Members, id).await.len(), 0);
    is_gone(&world, &jeanne, JEANNE).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_manages_or_reads_anything_who_claims_or_opens_it_while_they_are_erased() {
    let (held, options) = Held::on_dynamodb();
    let world = World::start_with(options).await;
    let other = world.user(&Person::at("manager@laposte.example").of(OTHER_SIRET)).await;
    world.accept_charter(&other).await;
    world.claim(&other, OTHER_ACCOUNT).await.expect(201);
    other.put(&format!("/api/accounts/{OTHER_ACCOUNT}/activation"), &json!({"use": true})).await.expect(200);
    let others_summary = format!("/api/accounts/{OTHER_ACCOUNT}/summary");
    for claims in [true, false] {
        let (mut orders, mut ends) = (held.orders(), BTreeSet::new());
        while let Some(order) = orders.another() {
            let email = format!("{claims}-{order}@martin.example");
            let jeanne = world.member(&email).await;
            let id = jeanne.id().await;
            other.post(&format!("/api/accounts/{OTHER_ACCOUNT}/users"), &json!({"email": email})).await.expect(202);
            world.forget_claims(&jeanne).await;
            let gets =
                async { if claims { world.claim(&jeanne, ACCOUNT).await } else { jeanne.get(&others_summary).await } };
            let function = if claims { "claim-manager" } else { "query-ledger" };
            let (erases, gets) = ((Calls::of("profile"), erase(&jeanne)), (Calls::of(function), gets));
            let met = orders.meet(erases, gets).await;
            let is_there = world.store().get::<User>(&User::key_of(id)).await.unwrap().is_some();
            if let Some((erased, got)) = met {
                assert_eq!(erased.status, if is_there { 503 } else { 204 }, "{order}: {erased}");
                ends.insert(got.status);
            }
            if is_there {
                jeanne.log_in(&email, PASSWORD).await.expect(200);
                erase(&jeanne).await.expect(204);
            }
            assert_eq!(establishment(&world, SIRET).await.manager, None, "{order}");
            for table in [Table::Identity, Table::Members] {
                let left = items_about(&world, table, id).await;
                assert!(left.is_empty(), "{order}: {table:?}: {left:#?}");
            }
        }
        let got = if claims { 201 } else { 200 };
        // An invitation that the erasure has ended opens nothing, for a read that began before the epoch moved too.
        let gone = if claims { 401 } else { 404 };
        assert!(ends.is_subset(&BTreeSet::from([got, 401, 503, gone])), "{ends:?}");
        assert!(ends.is_superset(&BTreeSet::from([got, 401])), "{ends:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_stays_signed_in_who_logs_in_or_refreshes_while_they_are_erased() {
    let (held, options) = Held::on_dynamodb();
    let world = World::start_with(options).await;
    for logs_in in [true, false] {
        let (mut orders, mut ends) = (held.orders(), BTreeSet::new());
        while let Some(order) = orders.another() {
            let email = format!("{logs_in}-{order}@martin.example");
            let jeanne = world.member(&email).await;
            let id = jeanne.id().await;
            let eraser = world.visitor();
            eraser.log_in(&email, PASSWORD).await.expect(200);
            let other = world.visitor().holding(&jeanne.cookie().unwrap());
            world.visitor().forgot(&email).await.expect(202);
            let signs_in = async { if logs_in { other.log_in(&email, PASSWORD).await } else { other.refresh().await } };
            let (erases, signs_in) = ((Calls::of("profile"), erase(&eraser)), (Calls::of("sessions"), signs_in));
            let Some((erased, signed_in)) = orders.meet(erases, signs_in).await else { continue };
            erased.expect(204);
            ends.insert(signed_in.status);
            let is_failed_log_in = logs_in && signed_in.status == 401;
            for visitor in [&other, &jeanne, &eraser] {
                visitor.get("/api/me").await.expect_problem(401, "authentication-required");
                visitor.refresh().await.expect_problem(401, "authentication-required");
            }
            world.mails().await;
            let mut left = items_with(&world, Table::Identity, &[&id.to_string(), &email]).await;
            // A log-in that failed is counted under the address that it named, whether there is anybody, for a day.
            left.retain(|item| !is_failed_log_in || item["sk"].as_s().unwrap() != "ATTEMPTS");
            assert!(left.is_empty(), "{order}: {left:#?}");
        }
        assert_eq!(ends, BTreeSet::from([200, 401]));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_grant_on_a_closed_account_holds_nobody_back() {
    let world = World::start().await;
    let jeanne = world.manager(JEANNE).await;
    let colleague = world.member("colleague@martin.example").await;
    world.make_reader(&colleague).await;
    // The account was closed and another took its place, so nobody sits in a seat of the old one.
    let id = jeanne.id().await;
    let number = MemberNumber::parse(ACCOUNT).unwrap();
    let mut seat = establishment(&world, SIRET).await;
    seat.member_number = MemberNumber::parse("020202").unwrap();
    seat.manager = None;
    world.store().put(&seat).await.unwrap();
    erase(&jeanne).await.expect(204);
    assert!(world.store().get::<Grant>(&Grant::key_of(id, &number)).await.unwrap().is_none());
    assert!(world.store().get::<GrantMirror>(&Grant::mirror_key_of(id, &number)).await.unwrap().is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn who_has_very_many_sessions_and_accounts_goes_all_the_same() {
    let world = World::start().await;
    let jeanne = world.member(JEANNE).await;
    let id = jeanne.id().await;
    let store = world.store();
    let sessions: Vec<portal::store::Session> = store.query_all(&portal::store::Session::all_of(id)).await.unwrap();
    for n in 0..130_u8 {
        let session = portal::store::Session { session_id: Id::from_bytes([n; 16]), ..sessions[0].clone() };
        store.put(&session).await.unwrap();
    }
    for n in 0..30 {
        let grant = Grant {
            user_id: id,
            member_number: MemberNumber::parse(&format!("9{n:05}")).unwrap(),
            role: Role::Reader,
            siret: Siret::parse(SIRET).unwrap(),
            name: "MARTIN BTP".to_owned(),
            active: true,
            since: world.portal.clock().now(),
            invitation_id: None,
            given_at: None,
            sirets_before: Vec::new(),
        };
        store.put(&GrantMirror(grant.clone())).await.unwrap();
        store.put(&grant).await.unwrap();
    }
    erase(&jeanne).await.expect(204);
    for table in [Table::Identity, Table::Members] {
        assert!(items_with(&world, table, &[&id.to_string()]).await.is_empty());
    }
    let gone = Login::key_of(&Email::parse(JEANNE).unwrap());
    assert!(store.get::<Login>(&gone).await.unwrap().is_none());
}
