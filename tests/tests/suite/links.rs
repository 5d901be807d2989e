//! Mailed links and accepted documents: what counts, what does not, and what is kept of it.

use std::time::Duration;

use harness::{ACCOUNT, Outage, PASSWORD, Person, Reply, Visitor, World, link_token};
use portal::domain::DocumentKind;
use portal::store::{Acceptance, Query, Table};
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
    assert_eq!(world.count(Table::Evidence, "", "").await, 0, "no consent is recorded before the link is used");
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
    let malformed = [" ", cut, &padded, &long, "é", "../LINK", &changed, &format!(" {good}")];
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

#[tokio::test(flavor = "multi_thread")]
async fn a_sign_up_with_other_terms_is_refused_and_never_mailed() {
    let world = World::start().await;
    let first = world.document("terms").await;
    let charter = world.document("charter").await;
    world.publish(DocumentKind::Terms, 2).await;
    let current = world.document("terms").await;
    assert_eq!((&first["version"], &current["version"]), (&json!(1), &json!(2)));
    let others = [
        first.clone(),
        json!({"version": 3, "sha256": current["sha256"]}),
        json!({"version": 2, "sha256": first["sha256"]}),
        json!({"version": 2, "sha256": charter["sha256"]}),
    ];
    for (n, terms) in others.iter().enumerate() {
        let person = Person::at(&format!("other{n}@martin.example"));
        let refused = world.visitor().post("/api/signup", &person.form(terms)).await;
        refused.expect_problem(409, "document-outdated");
    }
    assert!(world.mails().await.is_empty());
    world.advance(Duration::from_secs(400));
    world.sweep().await;
    assert!(world.mails().await.is_empty(), "the sweep sends none of them either");
    world.sign_up(&Person::at("other0@martin.example")).await.expect(202);
    assert_eq!(world.mails().await.len(), 1, "and none has used up the address's mail");
}

#[tokio::test(flavor = "multi_thread")]
async fn terms_replaced_between_sign_up_and_mail_stay_what_was_accepted() {
    let (ses, options) = Outage::of_ses().await;
    let world = World::start_with(options).await;
    let accepted = world.document("terms").await;
    ses.begin();
    world.sign_up(&Person::at(EMAIL)).await.expect(202);
    assert!(world.mails().await.is_empty());
    world.advance(Duration::from_secs(600));
    world.publish(DocumentKind::Terms, 2).await;
    ses.end();
    world.sweep().await;
    let token = link_token(&world.newest_mail(EMAIL).await);
    let jeanne = world.visitor();
    jeanne.set_password(&token, PASSWORD).await.expect(204);
    jeanne.log_in(EMAIL, PASSWORD).await.expect(200);

    let evidence = acceptances(&world, &jeanne, "terms").await;
    assert_eq!(evidence.len(), 1);
    assert_eq!(json!({"version": evidence[0].version, "sha256": evidence[0].sha256}), accepted);
    let confirmed = evidence[0].confirmed_at.unwrap();
    assert!(confirmed.duration_since(evidence[0].accepted_at).as_secs() >= 600, "{evidence:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_charter_closes_the_account_until_it_is_accepted() {
    let world = World::start().await;
    let jeanne = world.manager(EMAIL).await;
    let old = world.document("charter").await;
    let routes = ["summary", "actions?view=2012", "actions/2011-000001"];
    let routes = routes.map(|route| format!("/api/accounts/{ACCOUNT}/{route}"));
    for route in &routes {
        jeanne.get(route).await.expect(200);
    }
    world.publish(DocumentKind::Charter, 2).await;
    let current = world.document("charter").await;
    for route in &routes {
        jeanne.get(route).await.expect_problem(403, "charter-required");
    }
    let activation = format!("/api/accounts/{ACCOUNT}/activation");
    jeanne.put(&activation, &json!({"use": false})).await.expect_problem(403, "charter-required");
    world.claim(&jeanne, ACCOUNT).await.expect_problem(403, "charter-required");
    let home = jeanne.get("/api/home").await.expect(200);
    assert_eq!(home["pending_documents"], json!(["charter"]));
    assert_eq!(home["applications"][0]["reason"], "charter-required");

    let before = world.items(Table::Evidence).await.len();
    let mut hash = current["sha256"].as_str().unwrap().to_owned();
    hash.replace_range(0..1, if hash.starts_with('0') { "1" } else { "0" });
    for (version, sha256) in [
        (&old["version"], &old["sha256"]),
        (&current["version"], &old["sha256"]),
        (&current["version"], &json!(hash)),
        (&json!(3), &current["sha256"]),
    ] {
        let acceptance = json!({"kind": "charter", "version": version, "sha256": sha256});
        jeanne.post("/api/acceptances", &acceptance).await.expect_problem(409, "document-outdated");
    }
    assert_eq!(world.items(Table::Evidence).await.len(), before, "what was refused is not recorded");
    jeanne.get(&routes[0]).await.expect_problem(403, "charter-required");

    world.accept_charter(&jeanne).await;
    for route in &routes {
        jeanne.get(route).await.expect(200);
    }
    let versions: Vec<_> = acceptances(&world, &jeanne, "charter").await.iter().map(|a| a.version).collect();
    assert_eq!(versions, [1, 2]);
}

async fn acceptances(world: &World, visitor: &Visitor, kind: &str) -> Vec<Acceptance> {
    let subject = format!("SUBJECT#{}", visitor.id().await);
    let query = Query::partition(Table::Evidence, subject).beginning(format!("ACCEPTANCE#{kind}#"));
    world.store().query_all(&query).await.unwrap()
}

fn without_request_id(mut reply: Reply) -> Value {
    assert!(reply.body["request_id"].is_string());
    reply.body["request_id"] = json!(null);
    reply.body
}
