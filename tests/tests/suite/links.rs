//! Mailed links: which works, which does not, and that nobody can tell why.

use std::time::Duration;

use harness::{ACCOUNT, PASSWORD, Person, Reply, Visitor, World, address_token, contest_token, link_token};
use http::Method;
use portal::store::Table;
use serde_json::{Value, json};

const EMAIL: &str = "jeanne@martin.example";
const NEW_PASSWORD: &str = "escabeau mauve tournevis 7";

#[tokio::test(flavor = "multi_thread")]
async fn only_the_newest_link_of_its_purpose_works() {
    let world = World::start().await;
    let visitor = world.visitor();
    let mut tokens = Vec::new();
    for _ in 0..3 {
        world.sign_up(&Person::at(EMAIL)).await.expect(202);
        tokens.push(link_token(&world.newest_mail(EMAIL).await));
        world.advance(Duration::from_secs(61));
    }
    newest_only(&visitor, &tokens, PASSWORD).await;

    tokens.clear();
    for _ in 0..3 {
        visitor.forgot(EMAIL).await.expect(202);
        tokens.push(link_token(&world.newest_mail(EMAIL).await));
        world.advance(Duration::from_secs(61));
        // Of another purpose, so it replaces nothing.
        world.sign_up(&Person::at(EMAIL)).await.expect(202);
    }
    newest_only(&visitor, &tokens, NEW_PASSWORD).await;
    visitor.log_in(EMAIL, NEW_PASSWORD).await.expect(200);
}

async fn newest_only(visitor: &Visitor, tokens: &[String], password: &str) {
    let (newest, replaced) = tokens.split_last().unwrap();
    for token in replaced {
        visitor.look_at_link(token).await.expect_problem(410, "link-invalid");
        visitor.set_password(token, password).await.expect_problem(410, "link-invalid");
    }
    visitor.set_password(newest, password).await.expect(204);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reset_activates_nothing() {
    let world = World::start().await;
    let visitor = world.visitor();
    world.sign_up(&Person::at(EMAIL)).await.expect(202);
    visitor.forgot(EMAIL).await.expect(202);
    visitor.forgot("nobody@martin.example").await.expect(202);
    let mails = world.mails().await;
    assert_eq!(mails.len(), 1, "a reset is mailed only to who has a space");
    let link = visitor.look_at_link(&link_token(&mails[0])).await.expect(200);
    assert_eq!(link["purpose"], "activation", "and leaves the sign-up's link as it is");
    visitor.set_password(&link_token(&mails[0]), PASSWORD).await.expect(204);

    // The other way round: who has a space is never sent a second activation.
    world.advance(Duration::from_secs(61));
    world.sign_up(&Person::at(EMAIL)).await.expect(202);
    visitor.forgot(EMAIL).await.expect(202);
    let token = link_token(&world.newest_mail(EMAIL).await);
    assert_eq!(visitor.look_at_link(&token).await.expect(200)["purpose"], "reset");
    visitor.set_password(&token, NEW_PASSWORD).await.expect(204);
    assert_eq!(world.count(Table::Identity, "USER#", "PROFILE").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_opens_the_space_of_its_own_address_only() {
    let world = World::start().await;
    let paul = "paul@martin.example";
    world.user(&Person::at(EMAIL)).await;
    world.sign_up(&Person::at(paul)).await.expect(202);
    let token = link_token(&world.newest_mail(paul).await);
    let visitor = world.visitor();
    assert_eq!(visitor.look_at_link(&token).await.expect(200)["email"], paul);
    let mut form = json!({"token": token, "password": NEW_PASSWORD, "password_confirmation": NEW_PASSWORD});
    form["email"] = json!(EMAIL);
    assert_eq!(
        visitor.post("/api/password", &form).await.expect_problem(422, "invalid-input").errors(),
        ["email:unknown-field"]
    );
    visitor.set_password(&token, NEW_PASSWORD).await.expect(204);
    visitor.log_in(EMAIL, NEW_PASSWORD).await.expect_problem(401, "bad-credentials");
    visitor.log_in(EMAIL, PASSWORD).await.expect(200);
    visitor.log_in(paul, NEW_PASSWORD).await.expect(200);
}

/// Mail scanners and browsers fetch what they find, before anybody clicks.
#[tokio::test(flavor = "multi_thread")]
async fn what_fetches_a_link_by_itself_consumes_nothing() {
    let world = World::start().await;
    world.sign_up(&Person::at(EMAIL)).await.expect(202);
    let token = link_token(&world.newest_mail(EMAIL).await);
    let (origin, scanner) = (world.portal.address().to_owned(), reqwest::Client::new());
    let pages = [format!("/mot-de-passe#{token}"), format!("/mot-de-passe?token={token}")];
    let routes = ["/api/password", "/api/password/link"].map(|route| format!("{route}?token={token}"));
    for target in pages.iter().chain(&routes) {
        for method in [Method::GET, Method::HEAD, Method::OPTIONS] {
            let request = scanner.request(method.clone(), format!("{origin}{target}"));
            let reply = request.header("purpose", "prefetch").header("sec-purpose", "prefetch").send().await.unwrap();
            let is_page = target.starts_with("/mot-de-passe") && method != Method::OPTIONS;
            assert_eq!(reply.status().is_success(), is_page, "{method} {target}: {}", reply.status());
        }
    }
    world.visitor().look_at_link(&token).await.expect(200);
    world.visitor().set_password(&token, PASSWORD).await.expect(204);
}

#[tokio::test(flavor = "multi_thread")]
async fn looking_and_a_refused_password_leave_a_link_usable() {
    let world = World::start().await;
    world.sign_up(&Person::at(EMAIL)).await.expect(202);
    let token = link_token(&world.newest_mail(EMAIL).await);
    let visitor = world.visitor();
    for _ in 0..20 {
        visitor.look_at_link(&token).await.expect(200);
    }
    for weak in ["", "abc", "motdepasse2012", "Martin53384615000019", "aaaaaaaaaaaaaaaaaaaa", &"é".repeat(129)] {
        visitor.set_password(&token, weak).await.expect_problem(422, "invalid-input");
    }
    let differ = json!({"token": token, "password": PASSWORD, "password_confirmation": NEW_PASSWORD});
    let refused = visitor.post("/api/password", &differ).await.expect_problem(422, "invalid-input");
    assert_eq!(refused.errors(), ["password_confirmation:passwords-differ"]);
    visitor.log_in(EMAIL, PASSWORD).await.expect_problem(401, "bad-credentials");
    assert_eq!(world.count(Table::Evidence, "SUBJECT#", "ACCEPTANCE#").await, 0, "no consent before the link is used");
    visitor.set_password(&token, PASSWORD).await.expect(204);
    visitor.log_in(EMAIL, PASSWORD).await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn used_expired_malformed_foreign_and_replaced_links_get_one_answer() {
    let world = World::start().await;
    let visitor = world.visitor();
    let link_of = async |world: &World, email: &str| {
        world.sign_up(&Person::at(email)).await.expect(202);
        link_token(&world.newest_mail(email).await)
    };
    let expired = link_of(&world, "expired@martin.example").await;
    world.advance(Duration::from_secs(24 * 3600 + 60));
    let used = link_of(&world, "used@martin.example").await;
    visitor.set_password(&used, PASSWORD).await.expect(204);
    let replaced = link_of(&world, EMAIL).await;
    world.advance(Duration::from_secs(61));
    let good = link_of(&world, EMAIL).await;
    let foreign = link_of(&World::start().await, EMAIL).await;

    let mut changed = good.clone();
    changed.replace_range(0..1, if good.starts_with('A') { "B" } else { "A" });
    let (cut, padded, long) = (&good[1..], format!("{good}="), "A".repeat(5_000));
    let malformed = [" ", cut, &padded, &long, "é", "../LINK", &changed, "\u{200b}"];
    let mut bodies = Vec::new();
    for token in [&used, &expired, &replaced, &foreign].into_iter().map(String::as_str).chain(malformed) {
        bodies.push(without_request_id(visitor.look_at_link(token).await.expect_problem(410, "link-invalid")));
        // Not even a weak password tells a good link from a bad one.
        for password in [NEW_PASSWORD, "weak"] {
            let refused = visitor.set_password(token, password).await.expect_problem(410, "link-invalid");
            bodies.push(without_request_id(refused));
        }
    }
    assert!(bodies.windows(2).all(|pair| pair[0] == pair[1]), "{bodies:#?}");
    visitor.set_password(&good, PASSWORD).await.expect(204);
}

/// A token as it is pasted: with what stood around it, and broken over two lines.
fn pasted(token: &str) -> [String; 5] {
    let (begin, end) = token.split_at(20);
    [
        format!("{token} "),
        format!("\n{token}\r\n"),
        format!("\u{feff}{token}\u{200b}"),
        format!("\u{a0}{token}\t"),
        format!("{begin}\r\n {end}"),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_is_taken_as_it_is_pasted_by_every_route_that_takes_one() {
    let world = World::start().await;
    let visitor = world.visitor();
    world.sign_up(&Person::at(EMAIL)).await.expect(202);
    let token = link_token(&world.newest_mail(EMAIL).await);
    for spelling in pasted(&token) {
        visitor.look_at_link(&spelling).await.expect(200);
    }
    visitor.set_password(&pasted(&token)[2], PASSWORD).await.expect(204);

    visitor.log_in(EMAIL, PASSWORD).await.expect(200);
    visitor.ask_for_address("moved@martin.example").await.expect(202);
    let token = address_token(&world.newest_mail("moved@martin.example").await);
    for spelling in pasted(&token) {
        visitor.post("/api/email/link", &json!({"token": spelling})).await.expect(200);
    }
    visitor.post("/api/email", &json!({"token": pasted(&token)[4]})).await.expect(204);

    world.accept_charter(&visitor).await;
    world.claim(&visitor, ACCOUNT).await.expect(201);
    let token = contest_token(&world.newest_mail("compta@martin.example").await);
    visitor.post("/api/manager-claims/contest", &json!({"token": pasted(&token)[1]})).await.expect(202);
}

fn without_request_id(mut reply: Reply) -> Value {
    assert!(reply.body["request_id"].is_string());
    reply.body["request_id"] = json!(null);
    reply.body
}
