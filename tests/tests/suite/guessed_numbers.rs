//! The limits on guessing member numbers, and the pass that opens a closed establishment to its own.

use std::collections::BTreeMap;
use std::time::Duration;

use futures::future::join_all;
use harness::{
    ACCOUNT, Calls, EMPTY_ACCOUNT, EMPTY_SIRET, Held, OTHER_ACCOUNT, OTHER_SIRET, PASSWORD, Person, Reply, SIRET, Tap,
    Visitor, World, pass_token,
};
use portal::domain::MemberNumber;
use portal::store::{Account, Change, Table};
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

/// What strangers with spaces of their own do every day: five wrong numbers each.
async fn close(world: &World, strangers: &[(&str, &Visitor)]) {
    for (email, stranger) in strangers {
        stranger.log_in(email, PASSWORD).await.expect(200);
        for n in 0..5 {
            claim(world, stranger, &number(n)).await;
        }
    }
}

/// An establishment whose account has no contact on file, with a member of a week's standing, and two
/// strangers who close it every day.
struct Besieged {
    world: World,
    owner: Visitor,
    strangers: [Visitor; 2],
}

const OWNER: &str = "owner@poste.example";
const STRANGERS: [&str; 2] = ["one@elsewhere.example", "two@elsewhere.example"];

impl Besieged {
    async fn start() -> Self {
        let world = World::start().await;
        let (account, none) = (MemberNumber::parse(OTHER_ACCOUNT).unwrap(), Change::new().remove("contact_email"));
        world.store().update(&Account::key_of(&account), &none, None).await.unwrap();
        let of = async |email: &str| {
            let visitor = world.user(&Person::at(email).of(OTHER_SIRET)).await;
            world.accept_charter(&visitor).await;
            visitor
        };
        let (owner, strangers) = (of(OWNER).await, [of(STRANGERS[0]).await, of(STRANGERS[1]).await]);
        Self { world, owner, strangers }
    }

    async fn day(&self) {
        self.world.advance(Duration::from_secs(24 * 3600 + 1));
        let [one, two] = &self.strangers;
        close(&self.world, &[(STRANGERS[0], one), (STRANGERS[1], two)]).await;
        self.owner.log_in(OWNER, PASSWORD).await.expect(200);
    }

    async fn owner_claims(&self, number: &str) -> Reply {
        claim(&self.world, &self.owner, number).await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_member_of_standing_is_heard_although_strangers_close_their_establishment_daily() {
    let besieged = Besieged::start().await;
    for day in 1..=6 {
        besieged.day().await;
        let closed = besieged.owner_claims(OTHER_ACCOUNT).await;
        assert_eq!(closed.status, 429, "a space of {day} days is a stranger's as well as anybody's");
    }
    besieged.day().await;
    // Those who failed are of a week's standing too, and not heard.
    for stranger in &besieged.strangers {
        claim(&besieged.world, stranger, OTHER_ACCOUNT).await.expect_problem(429, "too-many-attempts");
    }
    // One wrong number, and a day's rest.
    besieged.owner_claims(&number(0)).await.expect_problem(404, "claim-refused");
    let rests = besieged.owner_claims(OTHER_ACCOUNT).await.expect_problem(429, "too-many-attempts");
    assert!((23 * 3600..=24 * 3600).contains(&rests.retry_after()), "{rests}");
    besieged.day().await;
    besieged.owner_claims(OTHER_ACCOUNT).await.expect(201);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_guesses_at_once_a_closed_establishment_hears_one_of_a_member_of_standing() {
    let besieged = Besieged::start().await;
    for _ in 0..7 {
        besieged.day().await;
    }
    let terms = besieged.world.document("account-terms").await;
    let guesses: Vec<_> = (0..20).map(|n| json!({"member_number": number(n), "account_terms": terms})).collect();
    let guesses = guesses.iter().map(|guess| besieged.owner.post("/api/manager-claims", guess));
    let replies = join_all(guesses).await;
    assert_eq!(Reply::statuses(&replies), BTreeMap::from([(404, 1), (429, 19)]));
    besieged.owner_claims(OTHER_ACCOUNT).await.expect_problem(429, "too-many-attempts");
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_moves_to_an_establishment_has_no_standing_there_yet() {
    let besieged = Besieged::start().await;
    let world = &besieged.world;
    let email = "mover@martin.example";
    let mover = world.user(&Person::at(email)).await;
    world.accept_charter(&mover).await;
    for _ in 0..8 {
        besieged.day().await;
    }
    mover.log_in(email, PASSWORD).await.expect(200);
    mover.patch("/api/me", &json!({"siret": OTHER_SIRET})).await.expect(200);
    mover.refresh().await.expect(200);
    claim(world, &mover, OTHER_ACCOUNT).await.expect_problem(429, "too-many-attempts");
    for _ in 0..7 {
        besieged.day().await;
    }
    mover.log_in(email, PASSWORD).await.expect(200);
    claim(world, &mover, OTHER_ACCOUNT).await.expect(201);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_staff_mail_a_pass_to_whom_they_checked_or_to_the_contact_on_file() {
    let besieged = Besieged::start().await;
    let world = &besieged.world;
    besieged.day().await;
    let pass = |establishment: &str, email: Option<&str>| {
        let mut event = json!({"operation": "mail-pass", "staff": "Claire Durand", "reason": "appel du 25/11",
            "establishment": establishment});
        if let Some(email) = email {
            event["email"] = json!(email);
        }
        event
    };
    let refused = world.staff(pass(OTHER_SIRET, None)).await;
    assert_eq!((&refused["error"]["code"], &refused["error"]["field"]), (&json!("no-contact"), &json!("email")));
    let refused = world.staff(pass(OTHER_SIRET, Some("nobody"))).await;
    assert_eq!(refused["error"]["field"], "email");
    let queued = world.staff(pass(OTHER_SIRET, Some(OWNER))).await;
    assert_eq!(queued["queued"]["mail"], "claim-pass", "{queued}");
    let mail = world.newest_mail(OWNER).await;
    let token = pass_token(&mail);
    assert!(!queued.to_string().contains(&token) && mail.subject.contains("passage"), "{}", mail.subject);
    besieged.owner_claims(OTHER_ACCOUNT).await.expect_problem(429, "too-many-attempts");
    let terms = world.document("account-terms").await;
    let claim = json!({"member_number": OTHER_ACCOUNT, "account_terms": terms, "token": token});
    besieged.owner.post("/api/manager-claims", &claim).await.expect(201);

    let queued = world.staff(pass(ACCOUNT, None)).await;
    assert_eq!(queued["queued"]["mail"], "claim-pass");
    pass_token(&world.newest_mail(CONTACT).await);
    let events: Vec<_> = world.items(Table::Evidence).await.into_iter().collect();
    let told = format!("{events:?}");
    assert!(told.matches("pass-mailed").count() == 2 && !told.contains(OWNER), "evidence names no address");
    let closed = world
        .staff(json!({"operation": "close-account", "staff": "Claire Durand", "reason": "radiée",
        "establishment": ACCOUNT}))
        .await;
    assert_eq!(closed.get("error"), None, "{closed}");
    assert_eq!(world.staff(pass(ACCOUNT, None)).await["error"]["code"], "account-closed");
}
