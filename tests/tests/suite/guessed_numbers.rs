//! The limits on guessing member numbers, and the pass that opens a closed establishment to its own.

use std::collections::BTreeMap;
use std::time::Duration;

use futures::future::join_all;
use harness::{
    ACCOUNT, Calls, EMPTY_ACCOUNT, EMPTY_SIRET, Held, OTHER_ACCOUNT, OTHER_SIRET, PASSWORD, Person, Reply, SIRET, Tap,
    Visitor, World, pass_token,
};
use portal::store::Table;
use serde_json::json;

const EMAIL: &str = "jeanne@martin.example";
const STAFF: &str = "agents@constructys.example";
/// The contact on the fixture's file.
const CONTACT: &str = "compta@martin.example";

/// Claims a number for the establishment in the visitor's profile.
async fn claim(world: &World, visitor: &Visitor, number: &str) -> Reply {
    world.claim(visitor, number).await
}

fn number(n: usize) -> String {
    format!("{:06}", 700_000 + n)
}

#[tokio::test(flavor = "multi_thread")]
async fn five_wrong_numbers_close_the_claim_for_a_user_and_alert_the_staff() {
    let world = World::start().await;
    let jeanne = world.member(EMAIL).await;
    for n in 0..5 {
        claim(&world, &jeanne, &number(n)).await.expect_problem(404, "claim-refused");
    }
    let closed = claim(&world, &jeanne, ACCOUNT).await.expect_problem(429, "too-many-attempts");
    assert!(closed.retry_after() > 23 * 3600, "{closed}");
    let alert = world.newest_mail(STAFF).await;
    assert!(alert.text.contains(&jeanne.id().await.to_string()), "{}", alert.text);
    assert_eq!((world.mails_to(STAFF).await, world.mails_to(CONTACT).await), (1, 0));
    // Others of the establishment are heard, and a day later she is.
    let paul = world.member("paul@martin.example").await;
    claim(&world, &paul, &number(9)).await.expect_problem(404, "claim-refused");
    world.advance(Duration::from_secs(closed.retry_after()));
    let jeanne = world.visitor();
    jeanne.log_in(EMAIL, PASSWORD).await.expect(200);
    claim(&world, &jeanne, ACCOUNT).await.expect(201);
}

/// Ten failures for the leaflet's establishment, by two users.
async fn closed_establishment(world: &World) {
    for name in ["guesser", "stranger"] {
        let guesser = world.member(&format!("{name}@elsewhere.example")).await;
        for n in 0..5 {
            claim(world, &guesser, &number(n)).await.expect_problem(404, "claim-refused");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_establishment_that_strangers_closed_gets_in_by_the_pass_mailed_to_its_contact() {
    let world = World::start().await;
    let jeanne = world.member(EMAIL).await;
    closed_establishment(&world).await;
    claim(&world, &jeanne, ACCOUNT).await.expect_problem(429, "too-many-attempts");
    assert_eq!(world.mails_to(STAFF).await, 3, "two users, one establishment");
    let pass = pass_token(&world.newest_mail(CONTACT).await);
    let terms = world.document("account-terms").await;
    let with = |number: &str, token: &str| json!({"member_number": number, "account_terms": terms, "token": token});
    jeanne.post("/api/manager-claims", &with(ACCOUNT, "none")).await.expect_problem(410, "link-invalid");
    // It is the establishment's, not whoever's holds it.
    let other = world.user(&Person::at("paul@poste.example").of(OTHER_SIRET)).await;
    world.accept_charter(&other).await;
    other.post("/api/manager-claims", &with(OTHER_ACCOUNT, &pass)).await.expect_problem(410, "link-invalid");
    jeanne.post("/api/manager-claims", &with(ACCOUNT, &pass)).await.expect(201);
    assert_eq!(world.count(Table::Identity, "CLAIM-PASS#", "PASS").await, 0, "it is used up");
    assert_eq!(world.mails_to(CONTACT).await, 2, "the pass, and word of the claim");
    claim(&world, &other, OTHER_ACCOUNT).await.expect(201);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pass_is_one_guess_and_lasts_a_week() {
    let world = World::start().await;
    let jeanne = world.member(EMAIL).await;
    closed_establishment(&world).await;
    world.mails().await;
    let pass = pass_token(&world.newest_mail(CONTACT).await);
    let terms = world.document("account-terms").await;
    let with = |number: &str| json!({"member_number": number, "account_terms": terms, "token": pass});
    // Many at once with one pass: one guess is heard.
    let guesses: Vec<_> = (0..10).map(|n| with(&number(n))).collect();
    let replies = join_all(guesses.iter().map(|guess| jeanne.post("/api/manager-claims", guess))).await;
    assert_eq!(Reply::statuses(&replies), BTreeMap::from([(404, 1), (410, 9)]));
    jeanne.post("/api/manager-claims", &with(ACCOUNT)).await.expect_problem(410, "link-invalid");

    let world = World::start().await;
    let jeanne = world.member(EMAIL).await;
    closed_establishment(&world).await;
    let pass = pass_token(&world.newest_mail(CONTACT).await);
    let terms = world.document("account-terms").await;
    world.advance(Duration::from_secs(7 * 24 * 3600 + 1));
    jeanne.log_in(EMAIL, PASSWORD).await.expect(200);
    let late = json!({"member_number": ACCOUNT, "account_terms": terms, "token": pass});
    jeanne.post("/api/manager-claims", &late).await.expect_problem(410, "link-invalid");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_fifty_wrong_numbers_at_once_five_are_answered_and_one_alert_is_sent() {
    let (tap, options) = Tap::on_dynamodb();
    let world = World::start_with(options).await;
    let jeanne = world.member(EMAIL).await;
    let terms = world.document("account-terms").await;
    let claims: Vec<_> = (0..50).map(|n| json!({"member_number": number(n), "account_terms": terms})).collect();
    let (replies, _) = tap.during(join_all(claims.iter().map(|claim| jeanne.post("/api/manager-claims", claim)))).await;
    assert_eq!(Reply::statuses(&replies), BTreeMap::from([(404, 5), (429, 45)]));
    assert_eq!(world.mails_to(STAFF).await, 1);
    assert_eq!(world.count(Table::Identity, "USER#", "CLAIM-ATTEMPTS").await, 1);
}

/// What a right number is refused for tells that it is right: so it is told only while there is something left to
/// guess, also where five were wrong between its reading and its answer.
#[tokio::test(flavor = "multi_thread")]
async fn a_right_number_shows_by_no_refusal_once_there_is_nothing_left_to_guess() {
    let (held, options) = Held::on_dynamodb();
    let world = World::start_with(options).await;
    let terms = world.document("account-terms").await;
    let outdated = json!({"version": 1, "sha256": "0".repeat(64)});
    for (name, accepts, terms) in [("one", false, terms), ("two", true, outdated)] {
        let guesser = world.user(&Person::at(&format!("{name}@martin.example"))).await;
        if accepts {
            world.accept_charter(&guesser).await;
        }
        let claim = |number: &str| json!({"member_number": number, "account_terms": terms});
        let right = claim(ACCOUNT);
        let failures = async {
            for n in 0..5 {
                guesser.post("/api/manager-claims", &claim(&number(n))).await.expect_problem(404, "claim-refused");
            }
        };
        let verdict = Calls::transactions_of("claim-manager");
        let (reply, ()) = held.between(verdict, guesser.post("/api/manager-claims", &right), failures).await;
        reply.expect_problem(429, "too-many-attempts");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_establishment_without_contact_or_account_closes_alike() {
    let world = World::start().await;
    for name in ["one", "two"] {
        let person = Person::at(&format!("{name}@elsewhere.example")).of(EMPTY_SIRET);
        let guesser = world.user(&person).await;
        world.accept_charter(&guesser).await;
        for n in 0..5 {
            claim(&world, &guesser, &number(n)).await.expect_problem(404, "claim-refused");
        }
    }
    let third = world.user(&Person::at("three@elsewhere.example").of(EMPTY_SIRET)).await;
    world.accept_charter(&third).await;
    claim(&world, &third, EMPTY_ACCOUNT).await.expect_problem(429, "too-many-attempts");
    assert_eq!(world.mails_to(CONTACT).await, 0);
    let mails = world.mails().await;
    assert!(mails.iter().any(|mail| mail.to == STAFF && mail.text.contains("356\u{a0}000\u{a0}000\u{a0}09075")));
    // Another establishment is not concerned.
    let jeanne = world.member(EMAIL).await;
    claim(&world, &jeanne, ACCOUNT).await.expect(201);
    assert_eq!(jeanne.get("/api/accounts").await["accounts"][0]["siret"], SIRET);
}
