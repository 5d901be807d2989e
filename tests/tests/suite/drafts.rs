//! A sign-up that somebody else typed: whoever confirms it sees whose space it opens, and can decline it.

use std::time::Duration;

use futures::future::join;
use harness::{Calls, Held, PASSWORD, Person, Reply, World, link_token};
use portal::domain::DocumentKind;
use portal::store::{Acceptance, AuditEvent, EventKind, Query, Table, User};
use serde_json::{Value, json};

const OWNER: &str = "jeanne@martin.example";

/// The stranger's sign-up with the owner's address, another SIRET and another name.
fn stranger() -> Person {
    let mut person = Person::at(OWNER).of("35600000009075").named("m", "GAGNEZ https://lot.example");
    "Ici 0899".clone_into(&mut person.first_name);
    person
}

async fn newest_token(world: &World) -> String {
    link_token(&world.newest_mail(OWNER).await)
}

async fn decline(world: &World, token: &str) -> Reply {
    world.visitor().post("/api/password/decline", &json!({"token": token})).await
}

fn words(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[tokio::test(flavor = "multi_thread")]
async fn mail_and_link_name_whose_space_it_is_whoever_typed_it() {
    let world = World::start().await;
    world.sign_up(&Person::at(OWNER)).await.expect(202);
    let mail = world.newest_mail(OWNER).await;
    let text = words(&mail.text);
    for told in ["Mme Jeanne MARTIN", "MARTIN BTP, SIRET 533 846 150 00019", "Ce n’est pas moi"] {
        assert!(text.contains(told), "{told:?} in {text}");
    }
    let own = world.visitor().look_at_link(&link_token(&mail)).await.expect(200);
    let draft = json!({"civility": "mme", "last_name": "MARTIN", "first_name": "Jeanne", "siret": "53384615000019",
        "establishment": "MARTIN BTP"});
    assert_eq!(own.body, json!({"email": OWNER, "purpose": "activation", "draft": draft}));

    world.advance(Duration::from_secs(61));
    world.sign_up(&stranger()).await.expect(202);
    let mail = world.newest_mail(OWNER).await;
    let text = words(&mail.text);
    assert!(text.contains("SIRET 356 000 000 09075"), "{text}");
    // A stranger's text: a client finds nothing to make a link of, and no number to call.
    for part in [&mail.text, &mail.html] {
        assert!(!part.contains("lot.example") && !part.contains("0899"), "{part}");
    }
    let strangers = world.visitor().look_at_link(&link_token(&mail)).await.expect(200);
    assert_eq!(strangers["draft"]["last_name"], "GAGNEZ https://lot.example", "as it was typed, for a page to show");
    assert_eq!(strangers["draft"]["siret"], "35600000009075");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_establishment_that_the_fund_does_not_know_is_named_by_its_siret_alone() {
    let world = World::start().await;
    world.sign_up(&Person::at(OWNER).of("73282932000074")).await.expect(202);
    let link = world.visitor().look_at_link(&newest_token(&world).await).await.expect(200);
    assert_eq!(link["draft"]["siret"], "73282932000074");
    assert_eq!(link["draft"].get("establishment"), None);
    let visitor = world.visitor();
    visitor.set_password(&newest_token(&world).await, PASSWORD).await.expect(204);
    // A reset has an owner, and no draft.
    visitor.forgot(OWNER).await.expect(202);
    let reset = visitor.look_at_link(&newest_token(&world).await).await.expect(200);
    assert_eq!(reset.body, json!({"email": OWNER, "purpose": "reset"}));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_declined_sign_up_is_gone_and_its_address_free() {
    let world = World::start().await;
    world.sign_up(&Person::at(OWNER)).await.expect(202);
    let own = newest_token(&world).await;
    world.advance(Duration::from_secs(61));
    for _ in 0..2 {
        world.sign_up(&stranger()).await.expect(202);
        world.mails().await;
        world.advance(Duration::from_secs(61));
    }
    let token = newest_token(&world).await;
    decline(&world, &own).await.expect_problem(410, "link-invalid");
    decline(&world, &token).await.expect(204);
    for _ in 0..2 {
        decline(&world, &token).await.expect_problem(410, "link-invalid");
    }
    world.visitor().look_at_link(&token).await.expect_problem(410, "link-invalid");
    world.visitor().set_password(&token, PASSWORD).await.expect_problem(410, "link-invalid");
    assert_eq!(world.count(Table::Identity, "LINK#", "LINK").await, 0, "what the stranger typed is gone");
    world.sweep().await;
    assert_eq!(world.count(Table::Identity, "LINK#", "LINK").await, 0, "and does not come again");

    // Three mails went out within the hour; the owner signs up at once all the same.
    let jeanne = world.user(&Person::at(OWNER)).await;
    assert_eq!(jeanne.get("/api/me").await["last_name"], "MARTIN");
    for token in ["", "x", &"A".repeat(43)] {
        let reply = decline(&world, token).await;
        assert!([410, 422].contains(&reply.status), "{reply}");
    }
    // A reset is no draft: declining leaves it as it is.
    world.visitor().forgot(OWNER).await.expect(202);
    let reset = newest_token(&world).await;
    decline(&world, &reset).await.expect_problem(410, "link-invalid");
    world.visitor().look_at_link(&reset).await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_confirming_and_declining_at_once_one_happens() {
    let (held, options) = Held::on_dynamodb();
    let world = World::start_with(options).await;
    let mut orders = held.orders();
    let calls = Calls::of("create-password");
    while let Some(order) = orders.another() {
        let email = format!("jeanne-{order}@martin.example");
        world.sign_up(&Person::at(&email)).await.expect(202);
        let token = link_token(&world.newest_mail(&email).await);
        let visitor = world.visitor();
        let confirms = (calls, visitor.set_password(&token, PASSWORD));
        let declines = (calls, decline(&world, &token));
        let Some((confirmed, declined)) = orders.meet(confirms, declines).await else { continue };
        let mut statuses = [confirmed.status, declined.status];
        statuses.sort_unstable();
        assert_eq!(statuses, [204, 410], "{order}");
        let opened = world.visitor().log_in(&email, PASSWORD).await.status == 200;
        assert_eq!(opened, confirmed.status == 204, "{order}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_newer_sign_up_and_a_decline_at_once_leave_a_link_that_works_or_none() {
    let (held, options) = Held::on_dynamodb();
    let world = World::start_with(options).await;
    let mut orders = held.orders();
    while let Some(order) = orders.another() {
        let email = format!("jeanne-{order}@martin.example");
        world.sign_up(&Person::at(&email)).await.expect(202);
        let token = link_token(&world.newest_mail(&email).await);
        world.advance(Duration::from_secs(61));
        let newer = async {
            world.sign_up(&Person::at(&email)).await.expect(202);
            world.newest_mail(&email).await
        };
        let newer = (Calls::of("send-mail"), newer);
        let declines = (Calls::of("create-password"), decline(&world, &token));
        let Some((mail, _)) = orders.meet(newer, declines).await else { continue };
        assert_ne!(link_token(&mail), token, "{order}");
        world.visitor().look_at_link(&link_token(&mail)).await.expect(200);
        world.visitor().look_at_link(&token).await.expect_problem(410, "link-invalid");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_evidence_has_who_typed_and_who_confirmed() {
    let world = World::start().await;
    let form = Person::at(OWNER).form(&world.document("terms").await);
    let (typist, reader) = (world.visitor(), world.visitor());
    let from = |name: &'static str| [("user-agent", name)];
    typist.send_with(http::Method::POST, "/api/signup", Some(&form), &from("Typist/1.0")).await.expect(202);
    let token = newest_token(&world).await;
    world.advance(Duration::from_secs(600));
    let password = json!({"token": token, "password": PASSWORD, "password_confirmation": PASSWORD});
    reader.send_with(http::Method::POST, "/api/password", Some(&password), &from("Reader/2.0")).await.expect(204);

    let jeanne = world.visitor();
    jeanne.log_in(OWNER, PASSWORD).await.expect(200);
    let id = jeanne.id().await;
    let user: User = world.store().get(&User::key_of(id)).await.unwrap().unwrap();
    let accepted: Vec<Acceptance> = world.store().query_all(&Acceptance::all_of(id)).await.unwrap();
    let terms = accepted.iter().find(|acceptance| acceptance.document == DocumentKind::Terms).unwrap();
    let (typed, confirmed) = (terms.seen(&user.seal_key).unwrap(), terms.seen_confirming(&user.seal_key).unwrap());
    assert_eq!(typed.user_agent.as_deref(), Some("Typist/1.0"));
    assert_eq!(confirmed.user_agent.as_deref(), Some("Reader/2.0"));
    assert_ne!(typed.ip, confirmed.ip);
    assert_eq!(terms.confirmed_at.unwrap().duration_since(terms.accepted_at).as_secs() / 60, 10);

    let events = Query::partition(Table::Evidence, format!("SUBJECT#{id}")).beginning("EVENT#");
    let events: Vec<AuditEvent> = world.store().query_all(&events).await.unwrap();
    let created = events.iter().find(|event| event.event == EventKind::AccountCreated).unwrap();
    assert_eq!(created.seen(&user.seal_key).unwrap(), confirmed);
    // The owner is shown both.
    let export = jeanne.get("/api/me/export").await.expect(200);
    let told = export["acceptances"].as_array().unwrap().iter().find(|told| told["kind"] == "terms").unwrap();
    assert_eq!(
        (&told["user_agent"], &told["confirmed_by"]["user_agent"]),
        (&json!("Typist/1.0"), &json!("Reader/2.0"))
    );
    assert_ne!(told["confirmed_by"]["request_id"], Value::Null);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_who_decline_at_once_decline_once() {
    let world = World::start().await;
    world.sign_up(&Person::at(OWNER)).await.expect(202);
    let token = newest_token(&world).await;
    let (one, other) = join(decline(&world, &token), decline(&world, &token)).await;
    let mut statuses = [one.status, other.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [204, 410]);
}
