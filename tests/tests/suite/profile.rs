//! What a change of profile means for the manager's seat, and what a new password ends.

use std::collections::BTreeSet;
use std::time::Duration;

use harness::{ACCOUNT, Calls, Held, PASSWORD, Person, SIRET, World, lines, link_token};
use serde_json::{Value, json};

const OWN: Calls = Calls::of("profile");

fn member(number: &str, version: u64, closed_on: Option<&str>) -> Value {
    let mut member = json!({"member_number": number, "siret": SIRET, "name": "MARTIN BTP", "headcount_band": "10-49",
        "contact_email": "compta@martin.example", "opened_on": "2009-03-01", "version": version});
    if let Some(day) = closed_on {
        member["closed_on"] = json!(day);
    }
    member
}

#[tokio::test(flavor = "multi_thread")]
async fn a_manager_whose_account_was_closed_and_replaced_can_still_change_their_name() {
    let world = World::start().await;
    let marie = world.manager("marie@martin.example").await;
    let closed = [member(ACCOUNT, 2, Some("2012-12-31")), member("020202", 1, None)];
    world.import("2013-01-02-001", &lines(&closed), "").await;
    let renamed = marie.patch("/api/me", &json!({"last_name": "DUVAL"})).await.expect(200);
    assert_eq!(renamed["last_name"], "DUVAL");

    // The account that took the place is free; whoever claims it sits there once, under the new name.
    world.let_claim_again(&marie).await;
    world.claim(&marie, "020202").await.expect(201);
    marie.patch("/api/me", &json!({"last_name": "MERCIER"})).await.expect(200);
    let home = marie.get("/api/home").await;
    assert_eq!(home["manager"], json!({"named": true, "civility": "mme", "last_name": "MERCIER"}));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_claim_that_is_repeated_after_a_lost_answer_gets_the_same_answer() {
    let world = World::start().await;
    let marie = world.member("marie@martin.example").await;
    let first = world.claim(&marie, ACCOUNT).await.expect(201);
    let again = world.claim(&marie, ACCOUNT).await.expect(201);
    assert_eq!(first.body, again.body);
    let confirmations =
        world.mails().await.into_iter().filter(|mail| mail.subject.contains("Vous êtes gestionnaire")).count();
    assert_eq!(confirmations, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_number_with_another_spelling_is_nobodys_account() {
    let world = World::start().await;
    let marie = world.manager("marie@martin.example").await;
    for spelling in ["01%202345", "12345", "0123456", "01234x", "%30123455"] {
        let answer = json!({"use": false});
        marie.put(&format!("/api/accounts/{spelling}/activation"), &answer).await.expect_problem(404, "not-found");
        marie.get(&format!("/api/accounts/{spelling}/summary")).await.expect_problem(404, "not-found");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn unknown_fields_are_refused_without_ending_in_the_log_or_swelling_the_answer() {
    let world = World::start().await;
    let many: serde_json::Map<_, _> = (0..5_000).map(|n| (format!("f{n}"), json!(1))).collect();
    let refused = world.visitor().post("/api/password/forgot", &Value::Object(many)).await;
    assert!(refused.expect_problem(422, "invalid-input").errors().len() <= 21);
    let secret = "Kq3vX9sPz0aLw8JtYb2RmNc5UeGhDf7i";
    world.visitor().post("/api/password/forgot", &json!({secret: 1})).await.expect_problem(422, "invalid-input");
    let log: String = world.portal.log_lines().iter().map(Value::to_string).collect();
    assert!(log.contains("unknown") && !log.contains(&secret[..12]), "{log}");
}

const NEW_PASSWORD: &str = "escabeau mauve tournevis 7";

fn new_password(current: &str, password: &str) -> Value {
    json!({"current_password": current, "password": password, "password_confirmation": password})
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_password_ends_every_other_session_and_the_own_goes_on() {
    let world = World::start().await;
    let email = "jeanne@martin.example";
    let jeanne = world.user(&Person::at(email)).await;
    let phone = world.visitor();
    phone.log_in(email, PASSWORD).await.expect(200);
    world.visitor().forgot(email).await.expect(202);
    let reset = link_token(&world.newest_mail(email).await);
    jeanne.post("/api/me/password", &new_password(PASSWORD, NEW_PASSWORD)).await.expect(204);

    // Every access token of before is dead; the own session alone gets another.
    for visitor in [&jeanne, &phone] {
        visitor.get("/api/me").await.expect_problem(401, "authentication-required");
    }
    phone.refresh().await.expect_problem(401, "authentication-required");
    jeanne.refresh().await.expect(200);
    let sessions = jeanne.get("/api/sessions").await.expect(200);
    assert_eq!(sessions["sessions"].as_array().unwrap().len(), 1);
    assert_eq!(sessions["sessions"][0]["current"], true);
    world.visitor().set_password(&reset, PASSWORD).await.expect_problem(410, "link-invalid");
    world.visitor().log_in(email, PASSWORD).await.expect_problem(401, "bad-credentials");
    world.visitor().log_in(email, NEW_PASSWORD).await.expect(200);
    assert_eq!(world.newest_mail(email).await.subject, "Votre mot de passe Constructys a été modifié");
    // What follows is a link like any other.
    world.advance(Duration::from_secs(61));
    world.visitor().forgot(email).await.expect(202);
    let reset = link_token(&world.newest_mail(email).await);
    world.visitor().set_password(&reset, PASSWORD).await.expect(204);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_current_password_is_asked_for_first_and_guessing_it_is_limited() {
    let world = World::start().await;
    let email = "jeanne@martin.example";
    let jeanne = world.user(&Person::at(email)).await;
    let refused = async |body: Value| jeanne.post("/api/me/password", &body).await;
    let weak = refused(new_password(PASSWORD, "court")).await.expect_problem(422, "invalid-input");
    assert_eq!(weak.errors(), ["password:password-too-short"]);
    let own_words = refused(new_password(PASSWORD, "Jeanne Martin 53384615000019")).await;
    assert_eq!(own_words.expect_problem(422, "invalid-input").errors(), ["password:password-too-weak"]);
    let same = refused(new_password(PASSWORD, PASSWORD)).await.expect_problem(422, "invalid-input");
    assert_eq!(same.errors(), ["password:password-unchanged"]);
    let differ = json!({"current_password": PASSWORD, "password": NEW_PASSWORD, "password_confirmation": PASSWORD});
    let differ = refused(differ).await.expect_problem(422, "invalid-input");
    assert_eq!(differ.errors(), ["password_confirmation:passwords-differ"]);
    let nothing = refused(json!({})).await.expect_problem(422, "invalid-input").errors();
    assert_eq!(nothing, ["current_password:required", "password:required", "password_confirmation:required"]);
    for password in ["court", NEW_PASSWORD, "x", NEW_PASSWORD, NEW_PASSWORD] {
        refused(new_password("faux", password)).await.expect_problem(403, "bad-current-password");
    }
    // The failures of a log-in and these are one budget.
    refused(new_password(PASSWORD, NEW_PASSWORD)).await.expect_problem(429, "too-many-attempts");
    world.visitor().log_in(email, PASSWORD).await.expect_problem(429, "too-many-attempts");
    world.advance(Duration::from_secs(61));
    refused(new_password(PASSWORD, NEW_PASSWORD)).await.expect(204);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_log_in_with_the_old_password_outlives_its_change() {
    let (held, options) = Held::on_dynamodb();
    let world = World::start_with(options).await;
    let (mut orders, mut log_ins) = (held.orders(), BTreeSet::new());
    let change = new_password(PASSWORD, NEW_PASSWORD);
    while let Some(order) = orders.another() {
        let email = format!("{order}@martin.example");
        let (jeanne, visitor) = (world.user(&Person::at(&email)).await, world.visitor());
        let changes = (OWN, jeanne.post("/api/me/password", &change));
        let logs_in = (Calls::of("sessions"), visitor.log_in(&email, PASSWORD));
        let Some((changed, log_in)) = orders.meet(changes, logs_in).await else { continue };
        changed.expect(204);
        log_ins.insert(log_in.status);
        visitor.get("/api/home").await.expect_problem(401, "authentication-required");
        visitor.refresh().await.expect_problem(401, "authentication-required");
        jeanne.refresh().await.expect(200);
    }
    assert_eq!(log_ins, BTreeSet::from([200, 401]));
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_changes_of_password_at_once_one_counts() {
    let (held, options) = Held::on_dynamodb();
    let world = World::start_with(options).await;
    let second_password = "grue chocolat 77 parapluie lointain";
    let (first, second) = (new_password(PASSWORD, NEW_PASSWORD), new_password(PASSWORD, second_password));
    let (mut orders, mut ends) = (held.orders(), BTreeSet::new());
    while let Some(order) = orders.another() {
        let email = format!("{order}@martin.example");
        let (one, other) = (world.user(&Person::at(&email)).await, world.visitor());
        other.log_in(&email, PASSWORD).await.expect(200);
        let one_changes = (OWN, one.post("/api/me/password", &first));
        let other_changes = (OWN, other.post("/api/me/password", &second));
        let Some((first, second)) = orders.meet(one_changes, other_changes).await else { continue };
        let statuses = [first.status, second.status];
        assert!(statuses.contains(&204) && statuses != [204, 204], "{order}: {first} {second}");
        let [kept, lost] =
            if first.status == 204 { [NEW_PASSWORD, second_password] } else { [second_password, NEW_PASSWORD] };
        world.visitor().log_in(&email, kept).await.expect(200);
        world.visitor().log_in(&email, lost).await.expect_problem(401, "bad-credentials");
        ends.insert(first.status == 204);
    }
    assert_eq!(ends, BTreeSet::from([false, true]), "each of them did in some order");
}
