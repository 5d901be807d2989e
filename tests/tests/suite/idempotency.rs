//! `Idempotency-Key`: a request that is sent twice has one effect, and both get the same answer.

use std::time::Duration;

use futures::future::join_all;
use harness::{ACCOUNT, Fault, Faults, OTHER_ACCOUNT, Person, Place, Reply, Tap, Visitor, World};
use http::Method;
use portal::domain::DocumentKind;
use portal::store::Table;
use serde_json::{Value, json};

const KEY: &str = "5f0c7b1e-8d0f-4a53-9c0e-3e0b6b1d2a77";

async fn post(visitor: &Visitor, target: &str, key: &str, body: &Value) -> Reply {
    visitor.send_with(Method::POST, target, Some(body), &[("idempotency-key", key)]).await
}

/// The form, with its fields in another order and other spaces: the same body to whoever reads JSON.
fn respelled(body: &Value) -> String {
    let fields = body.as_object().unwrap().iter().rev().map(|(name, value)| format!("\"{name}\" : {value}"));
    format!("{{ {} }}", fields.collect::<Vec<_>>().join(" ,\n"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sign_up_that_is_sent_twice_is_one_wish_and_one_answer() {
    let world = World::start().await;
    let form = Person::at("jeanne@martin.example").form(&world.document("terms").await);
    let jeanne = world.visitor();
    let first = post(&jeanne, "/api/signup", KEY, &form).await.expect(202);
    let again = post(&jeanne, "/api/signup", KEY, &form).await.expect(202);
    assert_eq!(first.text, again.text);
    assert_eq!(world.count(Table::Identity, "OUTBOX#", "MAIL").await, 1);
    // From elsewhere, as a telephone that changed its network, and spelled anew.
    let other = world.visitor();
    let headers = [("idempotency-key", KEY), ("content-type", "application/json")];
    let reply = other.send_text(Method::POST, "/api/signup", &respelled(&form), &headers).await;
    assert_eq!(reply.expect(202).text, first.text);
    assert_eq!(world.count(Table::Identity, "OUTBOX#", "MAIL").await, 1);
    // Another key is another request, and a key is good as new a day later.
    post(&jeanne, "/api/signup", "another", &form).await.expect(202);
    world.advance(Duration::from_secs(24 * 3600 + 1));
    post(&jeanne, "/api/signup", KEY, &form).await.expect(202);
    assert_eq!(world.count(Table::Identity, "OUTBOX#", "MAIL").await, 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn strangers_who_use_one_key_do_not_meet() {
    let world = World::start().await;
    let terms = world.document("terms").await;
    let [jeanne, paul] = ["jeanne@martin.example", "paul@martin.example"].map(|email| Person::at(email).form(&terms));
    for (visitor, form) in [(world.visitor(), &jeanne), (world.visitor(), &paul)] {
        for _ in 0..2 {
            post(&visitor, "/api/signup", "1", form).await.expect(202);
        }
    }
    assert_eq!(world.count(Table::Identity, "OUTBOX#", "MAIL").await, 2);
    for email in ["jeanne@martin.example", "paul@martin.example"] {
        assert_eq!(world.mails_to(email).await, 1, "{email}");
    }
    // Nor does one who changes the form meet what they sent before; the limits count it.
    let mut changed = jeanne.clone();
    changed["job_title"] = json!("Gérante");
    let visitor = world.visitor();
    post(&visitor, "/api/signup", "1", &changed).await.expect(202);
    assert_eq!(world.count(Table::Identity, "OUTBOX#", "MAIL").await, 3);
    // A caller who is signed in is told: it is their own key.
    let member = world.member("marie@martin.example").await;
    let claim = |number: &str| json!({"member_number": number, "account_terms": terms});
    post(&member, "/api/manager-claims", "1", &claim(OTHER_ACCOUNT)).await.expect_problem(404, "claim-refused");
    let other = claim(ACCOUNT);
    post(&member, "/api/manager-claims", "1", &other).await.expect_problem(422, "idempotency-key-reused");
}

#[tokio::test(flavor = "multi_thread")]
async fn twenty_sign_ups_with_one_key_at_once_are_one_wish() {
    let (tap, options) = Tap::on_dynamodb();
    let world = World::start_with(options).await;
    let form = Person::at("jeanne@martin.example").form(&world.document("terms").await);
    let visitors: Vec<_> = (0..20).map(|_| world.visitor()).collect();
    let (replies, _) =
        tap.during(join_all(visitors.iter().map(|visitor| post(visitor, "/api/signup", KEY, &form)))).await;
    for reply in &replies {
        assert!([202, 409].contains(&reply.status), "{reply}");
    }
    assert!(replies.iter().any(|reply| reply.status == 202));
    assert_eq!(world.count(Table::Identity, "OUTBOX#", "MAIL").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeat_does_not_count_against_the_limit_of_its_network() {
    let world = World::start().await;
    let form = Person::at("jeanne@martin.example").form(&world.document("terms").await);
    let jeanne = world.visitor();
    for _ in 0..30 {
        post(&jeanne, "/api/signup", KEY, &form).await.expect(202);
    }
    let other = Person::at("paul@martin.example").form(&world.document("terms").await);
    jeanne.post("/api/signup", &other).await.expect(202);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_claim_that_is_sent_twice_is_one_claim_or_one_failure() {
    let world = World::start().await;
    let jeanne = world.member("jeanne@martin.example").await;
    let terms = world.document("account-terms").await;
    let claim = |number: &str| json!({"member_number": number, "account_terms": terms});
    for _ in 0..10 {
        post(&jeanne, "/api/manager-claims", "wrong", &claim(OTHER_ACCOUNT)).await.expect_problem(404, "claim-refused");
    }
    post(&jeanne, "/api/manager-claims", "wrong", &claim(ACCOUNT)).await.expect_problem(422, "idempotency-key-reused");
    let first = post(&jeanne, "/api/manager-claims", KEY, &claim(ACCOUNT)).await.expect(201);
    let again = post(&jeanne, "/api/manager-claims", KEY, &claim(ACCOUNT)).await.expect(201);
    assert_eq!(first.text, again.text);
    assert_eq!(world.count(Table::Evidence, "SUBJECT#", "ACCEPTANCE#account-terms").await, 1);
    // A key is its owner's alone.
    let paul = world.member("paul@martin.example").await;
    post(&paul, "/api/manager-claims", KEY, &claim(ACCOUNT)).await.expect_problem(409, "already-managed");
}

/// As long as the first request holds the key, and longer than one can wait.
#[tokio::test(flavor = "multi_thread")]
async fn a_request_whose_first_is_still_under_way_is_told_so() {
    let (faults, options) = Faults::on_dynamodb();
    let world = World::start_with(options).await;
    let jeanne = world.member("jeanne@martin.example").await;
    let form = Person::at("paul@martin.example").form(&world.document("terms").await);
    let claim = json!({"member_number": ACCOUNT, "account_terms": world.document("account-terms").await});
    for (function, target, body, status) in
        [("signup", "/api/signup", &form, 202), ("claim-manager", "/api/manager-claims", &claim, 201)]
    {
        let operation = "TransactWriteItems".to_owned();
        let place = Place { function: function.to_owned(), operation, nth: 0 };
        faults.strike(&place, Fault::Conflict, 100);
        let busy = post(&jeanne, target, KEY, body).await.expect_problem(409, "request-in-flight");
        assert!(busy.header("retry-after").is_some(), "{busy}");
        assert_eq!(faults.heal(), 10, "it tries ten times");
        faults.strike(&place, Fault::Conflict, 100);
        jeanne.post(target, body).await.expect_problem(503, "try-again");
        faults.heal();
        post(&jeanne, target, KEY, body).await.expect(status);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeat_gets_the_first_answer_whatever_became_of_the_terms() {
    let world = World::start().await;
    let jeanne = world.visitor();
    let form = Person::at("jeanne@martin.example").form(&world.document("terms").await);
    let first = post(&jeanne, "/api/signup", KEY, &form).await.expect(202);
    world.publish(DocumentKind::Terms).await;
    assert_eq!(post(&jeanne, "/api/signup", KEY, &form).await.expect(202).text, first.text);
    // What was refused for its terms stays refused, under its own key too.
    for _ in 0..2 {
        post(&jeanne, "/api/signup", "another", &form).await.expect_problem(409, "document-outdated");
    }
    assert_eq!(world.mails_to("jeanne@martin.example").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_is_none_is_refused_by_name() {
    let world = World::start().await;
    let form = Person::at("jeanne@martin.example").form(&world.document("terms").await);
    let long = "k".repeat(256);
    for key in ["", "two words", long.as_str()] {
        let reply = post(&world.visitor(), "/api/signup", key, &form).await.expect_problem(422, "invalid-input");
        assert_eq!(reply.errors(), ["Idempotency-Key:idempotency-key"], "{key:?}");
    }
    assert_eq!(world.count(Table::Identity, "OUTBOX#", "MAIL").await, 0);
}
