//! Many at once, and two in every order: one of them wins, the others are told, and what is stored agrees.

use std::collections::BTreeSet;

use futures::future::join_all;
use harness::{
    ACCOUNT, Calls, Held, OTHER_ACCOUNT, OTHER_SIRET, PASSWORD, Person, Reply, SIRET, Tap, Visitor, World, link_token,
};
use portal::domain::{Id, Siret};
use portal::store::{Establishment, Rights, Role, Table};
use serde_json::json;

const ACCOUNTS: Calls = Calls::of("accounts");
const CLAIMS: Calls = Calls::of("claim-manager");
const OWN: Calls = Calls::of("profile");
const PASSWORDS: Calls = Calls::of("create-password");
const SESSIONS: Calls = Calls::of("sessions");

#[tokio::test(flavor = "multi_thread")]
async fn fifty_sign_ups_of_one_address_in_any_case_are_one_mail_and_one_account() {
    let world = World::start().await;
    let address = "jeanne.martin@martin-btp.example";
    let people: Vec<_> = (0..50).map(|seed| Person::at(&in_some_case(address, seed))).collect();
    for answer in join_all(people.iter().map(|person| world.sign_up(person))).await {
        answer.expect(202);
    }
    let mails = world.mails().await;
    assert_eq!(mails.iter().map(|mail| mail.to.as_str()).collect::<Vec<_>>(), [address]);
    assert_eq!(world.count(Table::Identity, "LINK#", "LINK").await, 1, "nobody can hold a second link");
    let token = link_token(&mails[0]);
    world.visitor().set_password(&token, PASSWORD).await.expect(204);

    // As many again: the address is known now, and within the minute it is not written to.
    for answer in join_all(people.iter().map(|person| world.sign_up(person))).await {
        answer.expect(202);
    }
    assert_eq!(world.mails().await.len(), 2, "the link, and the receipt of the terms");
    assert_eq!(world.count(Table::Identity, "LINK#", "LINK").await, 0);
    assert_eq!(world.count(Table::Identity, "EMAIL#", "LOGIN").await, 1);
    assert_eq!(world.count(Table::Identity, "USER#", "PROFILE").await, 1);
    assert_eq!(world.count(Table::Evidence, "SUBJECT#", "ACCEPTANCE#terms").await, 1);
    let (one, other) = (world.visitor(), world.visitor());
    one.log_in(address, PASSWORD).await.expect(200);
    other.log_in(&in_some_case(address, 7), PASSWORD).await.expect(200);
    assert_eq!(one.id().await, other.id().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_fifty_who_use_an_activation_link_at_once_one_succeeds() {
    let world = World::start().await;
    let email = "jeanne@martin.example";
    world.sign_up(&Person::at(email)).await.expect(202);
    one_of_fifty_sets_the_password(&world, email).await;
    assert_eq!(world.count(Table::Identity, "USER#", "PROFILE").await, 1);
    assert_eq!(world.count(Table::Evidence, "SUBJECT#", "ACCEPTANCE#terms").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_fifty_who_use_a_reset_link_at_once_one_succeeds() {
    let world = World::start().await;
    let email = "jeanne@martin.example";
    let jeanne = world.user(&Person::at(email)).await;
    world.visitor().forgot(email).await.expect(202);
    one_of_fifty_sets_the_password(&world, email).await;
    jeanne.get("/api/home").await.expect_problem(401, "authentication-required");
    world.visitor().log_in(email, PASSWORD).await.expect_problem(401, "bad-credentials");
    assert_eq!(world.mails_to(email).await, 4, "the two links, one receipt, and one notice of one change");
}

async fn one_of_fifty_sets_the_password(world: &World, email: &str) {
    let token = link_token(&world.newest_mail(email).await);
    let passwords: Vec<_> = (0..50).map(|n| format!("pelle brouette niveau {n} cordeau")).collect();
    let visitors: Vec<_> = passwords.iter().map(|_| world.visitor()).collect();
    let tries = visitors.iter().zip(&passwords).map(|(visitor, password)| visitor.set_password(&token, password));
    let answers = join_all(tries).await;
    let winner = the_one(&answers, 204);
    for (n, answer) in answers.into_iter().enumerate().filter(|(n, _)| *n != winner) {
        answer.expect_problem(410, "link-invalid");
        // Three at most: five wrong ones close log-in.
        if n % 20 == 0 {
            world.visitor().log_in(email, &passwords[n]).await.expect_problem(401, "bad-credentials");
        }
    }
    world.visitor().log_in(email, &passwords[winner]).await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_sixty_four_colleagues_who_claim_at_once_one_becomes_manager() {
    // Slowed down, many of them read the free seat before the first one takes it.
    let (tap, options) = Tap::on_dynamodb();
    let world = World::start_with(options).await;
    let name = |n: u8| format!("MARTIN-{}{}", char::from(b'A' + n / 8), char::from(b'A' + n % 8));
    let people: Vec<_> =
        (0..64).map(|n| Person::at(&format!("colleague{n}@martin.example")).named("m", &name(n))).collect();
    let visitors = world.users(&people).await;
    join_all(visitors.iter().map(|visitor| world.accept_charter(visitor))).await;

    let claim = json!({"member_number": ACCOUNT, "account_terms": world.document("account-terms").await});
    let claims = join_all(visitors.iter().map(|visitor| visitor.post("/api/manager-claims", &claim)));
    let (answers, _) = tap.during(claims).await;
    let winner = the_one(&answers, 201);
    let expected = json!({"civility": "m", "last_name": people[winner].last_name});
    for (_, answer) in answers.into_iter().enumerate().filter(|(n, _)| *n != winner) {
        assert_eq!(answer.expect_problem(409, "already-managed")["manager"], expected);
    }
    assert_eq!(world.count(Table::Members, "USER#", "GRANT#").await, 1);
    assert_eq!(world.count(Table::Members, "ACCOUNT#", "GRANT#").await, 1);
    assert_eq!(world.count(Table::Evidence, "SUBJECT#", "ACCEPTANCE#account-terms").await, 1);
    assert_eq!(seat(&world, SIRET).await, Some(visitors[winner].id().await));
    let words = "a link and two receipts each, one confirmation; word of the claim to twenty and to the contact";
    assert_eq!(world.mails().await.len(), 3 * 64 + 1 + 20 + 1, "{words}");
    let accounts = join_all(visitors.iter().map(|visitor| visitor.get("/api/accounts"))).await;
    let seen = accounts.iter().filter(|reply| reply["accounts"] != json!([])).count();
    assert_eq!(seen, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn twenty_refreshes_of_one_token_give_one_successor() {
    let (tap, options) = Tap::on_dynamodb();
    let world = World::start_with(options).await;
    let jeanne = world.user(&Person::at("jeanne@martin.example")).await;
    let cookie = jeanne.cookie().unwrap();
    let tabs: Vec<_> = (0..20).map(|_| world.visitor().holding(&cookie)).collect();
    let (answers, _) = tap.during(join_all(tabs.iter().map(Visitor::refresh))).await;
    for answer in answers {
        answer.expect(200);
    }
    let successor = tabs[0].cookie().unwrap();
    assert_ne!(successor, cookie);
    assert!(tabs.iter().all(|tab| tab.cookie().as_deref() == Some(successor.as_str())));
    for answer in join_all(tabs.iter().map(|tab| tab.get("/api/home"))).await {
        answer.expect(200);
    }
    let sessions = tabs[0].get("/api/sessions").await.expect(200);
    assert_eq!(sessions["sessions"].as_array().unwrap().len(), 1);
    tabs[7].refresh().await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_refresh_brings_back_a_session_that_is_being_ended() {
    let (held, options) = Held::on_dynamodb();
    let world = World::start_with(options).await;
    for what in ["current", "all"] {
        let (target, mut refreshes) = (format!("/api/sessions/{what}"), BTreeSet::new());
        let mut orders = held.orders();
        while let Some(order) = orders.another() {
            let jeanne = world.user(&Person::at(&format!("{what}-{order}@martin.example"))).await;
            let tab = world.visitor().holding(&jeanne.cookie().unwrap());
            let (ending, refreshing) = ((SESSIONS, jeanne.delete(&target)), (SESSIONS, tab.refresh()));
            let Some((ended, refreshed)) = orders.meet(ending, refreshing).await else { continue };
            ended.expect(204);
            refreshes.insert(refreshed.status);
            tab.get("/api/home").await.expect_problem(401, "authentication-required");
            tab.refresh().await.expect_problem(401, "authentication-required");
        }
        assert_eq!(refreshes, BTreeSet::from([200, 401]), "{what}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_manages_an_establishment_that_they_leave_at_the_same_moment() {
    let (held, options) = Held::on_dynamodb();
    let world = World::start_with(options).await;
    let leaving = json!({"siret": OTHER_SIRET});
    let (mut orders, mut ends) = (held.orders(), BTreeSet::new());
    while let Some(order) = orders.another() {
        let jeanne = world.member(&format!("{order}@martin.example")).await;
        world.forget_claims(&jeanne).await;
        let claims = (CLAIMS, world.claim(&jeanne, ACCOUNT));
        let leaves = (OWN, jeanne.patch("/api/me", &leaving));
        if let Some((claimed, left)) = orders.meet(claims, leaves).await {
            assert!([200, 503].contains(&left.status), "{order}: {left}");
            ends.insert(claimed.status);
            rights_fit_the_siret(&world, &jeanne).await;
        }
        jeanne.patch("/api/me", &leaving).await.expect(200);
        rights_fit_the_siret(&world, &jeanne).await;
        assert_eq!(seat(&world, SIRET).await, None, "{order}");
    }
    assert_eq!(ends, BTreeSet::from([201, 404, 503]));
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_keeps_a_number_that_they_prove_while_they_leave() {
    let (held, options) = Held::on_dynamodb();
    let world = World::start_with(options).await;
    world.manager("jeanne@martin.example").await;
    let leaving = json!({"siret": OTHER_SIRET});
    let (mut orders, mut ends) = (held.orders(), BTreeSet::new());
    while let Some(order) = orders.another() {
        let paul = world.member(&format!("{order}@martin.example")).await;
        let proves = (CLAIMS, world.claim(&paul, ACCOUNT));
        let leaves = (OWN, paul.patch("/api/me", &leaving));
        if let Some((proved, left)) = orders.meet(proves, leaves).await {
            assert!([200, 503].contains(&left.status), "{order}: {left}");
            ends.insert(proved.status);
        }
        paul.patch("/api/me", &leaving).await.expect(200);
        rights_fit_the_siret(&world, &paul).await;
        paul.patch("/api/me", &json!({"siret": SIRET})).await.expect(200);
        assert_eq!(paul.get("/api/home").await["manager"], json!({"named": false}), "{order}");
    }
    assert_eq!(ends, BTreeSet::from([404, 409, 503]));
    let paul = world.member("paul@martin.example").await;
    paul.patch("/api/me", &leaving).await.expect(200);
    world.claim(&paul, OTHER_ACCOUNT).await.expect(201);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_changes_during_the_claim_is_the_name_in_the_seat() {
    let (held, options) = Held::on_dynamodb();
    let world = World::start_with(options).await;
    let jeanne = world.member("jeanne@martin.example").await;
    let (mut orders, mut letters, mut ends) = (held.orders(), 'A'..='Z', BTreeSet::new());
    while let Some(order) = orders.another() {
        let renaming = json!({"last_name": format!("MARTIN-{}", letters.next().unwrap())});
        world.forget_claims(&jeanne).await;
        let claims = (CLAIMS, world.claim(&jeanne, ACCOUNT));
        let renames = (OWN, jeanne.patch("/api/me", &renaming));
        if let Some((claimed, renamed)) = orders.meet(claims, renames).await {
            ends.insert((claimed.status, renamed.status));
            // Whoever was told to try again does.
            world.claim(&jeanne, ACCOUNT).await.expect(201);
            let (me, home) = (jeanne.get("/api/me").await, jeanne.get("/api/home").await);
            assert_eq!(home["manager"]["last_name"], me["last_name"], "{order}");
        }
        // Leaves the seat for the next round.
        for siret in [OTHER_SIRET, SIRET] {
            jeanne.patch("/api/me", &json!({"siret": siret})).await.expect(200);
        }
    }
    assert_eq!(ends, BTreeSet::from([(201, 200), (201, 503), (503, 200)]));
}

#[tokio::test(flavor = "multi_thread")]
async fn changes_of_different_fields_at_once_all_stay() {
    let (held, options) = Held::on_dynamodb();
    let world = World::start_with(options).await;
    let jeanne = world.manager("jeanne@martin.example").await;
    // The name stands in the seat too, as the civility does and the job title does not.
    for field in ["job_title", "civility"] {
        let (mut orders, mut letters) = (held.orders(), 'A'..='Z');
        while let Some(order) = orders.another() {
            let name = format!("MARTIN-{}", letters.next().unwrap());
            let civility = if jeanne.get("/api/me").await["civility"] == "mme" { "m" } else { "mme" };
            let value = if field == "civility" { civility } else { name.as_str() };
            let (renaming, changing) = (json!({"last_name": name}), json!({field: value}));
            let renames = (OWN, jeanne.patch("/api/me", &renaming));
            let changes = (OWN, jeanne.patch("/api/me", &changing));
            let Some((renamed, changed)) = orders.meet(renames, changes).await else { continue };
            renamed.expect(200);
            changed.expect(200);
            let (me, home) = (jeanne.get("/api/me").await, jeanne.get("/api/home").await);
            assert_eq!(me["last_name"], name.as_str(), "{order}");
            assert_eq!(me[field], value, "{order}");
            for field in ["civility", "last_name"] {
                assert_eq!(home["manager"][field], me[field], "{order}: {field}");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_charter_accepted_ten_times_at_once_has_one_receipt() {
    let (tap, options) = Tap::on_dynamodb();
    let world = World::start_with(options).await;
    let jeanne = world.user(&Person::at("jeanne@martin.example")).await;
    let mut acceptance = world.document("charter").await;
    acceptance["kind"] = json!("charter");
    let tries = join_all((0..10).map(|_| jeanne.post("/api/acceptances", &acceptance)));
    let (answers, _) = tap.during(tries).await;
    let first = the_one(&answers, 201);
    for answer in &answers {
        assert!([200, 201].contains(&answer.status), "{answer}");
        assert_eq!(answer.body, answers[first].body);
    }
    assert_eq!(world.count(Table::Evidence, "SUBJECT#", "ACCEPTANCE#charter").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn yes_and_no_at_once_leave_one_answer_that_every_list_shows() {
    let (held, options) = Held::on_dynamodb();
    let world = World::start_with(options).await;
    let jeanne = world.manager("jeanne@martin.example").await;
    let paul = world.member("paul@martin.example").await;
    world.make_reader(&paul).await;
    let activation = format!("/api/accounts/{ACCOUNT}/activation");
    let (yes, no) = (json!({"use": true}), json!({"use": false}));
    for before in [&yes, &no] {
        let (mut orders, mut ends) = (held.orders(), BTreeSet::new());
        while let Some(order) = orders.another() {
            jeanne.put(&activation, before).await.expect(200);
            let says_yes = (ACCOUNTS, jeanne.put(&activation, &yes));
            let says_no = (ACCOUNTS, jeanne.put(&activation, &no));
            let Some((one, other)) = orders.meet(says_yes, says_no).await else { continue };
            one.expect(200);
            other.expect(200);
            let open = jeanne.get(&format!("/api/accounts/{ACCOUNT}/summary")).await.status == 200;
            ends.insert(open);
            for visitor in [&jeanne, &paul] {
                assert_eq!(visitor.get("/api/accounts").await["accounts"][0]["active"], open, "{order}");
            }
        }
        assert_eq!(ends, BTreeSet::from([false, true]), "from {before}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_log_in_with_the_old_password_outlives_a_reset() {
    let (held, options) = Held::on_dynamodb();
    let world = World::start_with(options).await;
    let (mut orders, mut log_ins) = (held.orders(), BTreeSet::new());
    while let Some(order) = orders.another() {
        let email = format!("{order}@martin.example");
        world.user(&Person::at(&email)).await;
        world.visitor().forgot(&email).await.expect(202);
        let token = link_token(&world.newest_mail(&email).await);
        let (resetting, visitor) = (world.visitor(), world.visitor());
        let resets = (PASSWORDS, resetting.set_password(&token, "escabeau mauve tournevis 7"));
        let logs_in = (SESSIONS, visitor.log_in(&email, PASSWORD));
        let Some((reset, log_in)) = orders.meet(resets, logs_in).await else { continue };
        reset.expect(204);
        log_ins.insert(log_in.status);
        visitor.get("/api/home").await.expect_problem(401, "authentication-required");
        visitor.refresh().await.expect_problem(401, "authentication-required");
    }
    assert_eq!(log_ins, BTreeSet::from([200, 401]));
}

/// What the store says a user may do belongs to the establishment that their profile names.
async fn rights_fit_the_siret(world: &World, visitor: &Visitor) {
    let id = visitor.id().await;
    let siret = visitor.get("/api/me").await["siret"].as_str().unwrap().to_owned();
    let rights = Rights::of(&world.store(), id).await.unwrap();
    assert!(rights.grants.iter().all(|grant| grant.siret.as_str() == siret), "{siret}: {rights:?}");
    assert!(rights.proofs.iter().all(|proof| proof.siret.as_str() == siret), "{siret}: {rights:?}");
    for establishment in [SIRET, OTHER_SIRET] {
        let manages = rights.grants.iter().any(|g| g.role == Role::Manager && g.siret.as_str() == establishment);
        assert_eq!(seat(world, establishment).await == Some(id), manages, "{establishment}: {rights:?}");
    }
}

async fn seat(world: &World, siret: &str) -> Option<Id> {
    let key = Establishment::key_of(&Siret::parse(siret).unwrap());
    let establishment = world.store().get::<Establishment>(&key).await.unwrap().unwrap();
    establishment.manager.map(|manager| manager.user_id)
}

/// The place of the one answer that has this status.
fn the_one(answers: &[Reply], status: u16) -> usize {
    let having: Vec<_> = answers.iter().enumerate().filter(|(_, reply)| reply.status == status).collect();
    assert_eq!(having.len(), 1, "{:?}", answers.iter().map(|reply| reply.status).collect::<Vec<_>>());
    having[0].0
}

/// The address with some of its letters in upper case.
fn in_some_case(address: &str, seed: u64) -> String {
    let bits = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_left(17);
    let cased = |(n, c): (usize, char)| if bits >> (n % 64) & 1 == 1 { c.to_ascii_uppercase() } else { c };
    address.chars().enumerate().map(cased).collect()
}
