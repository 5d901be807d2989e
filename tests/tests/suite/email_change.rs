//! Another address: asked for, confirmed from the new one, undone from the old one, and whatever comes between.

use std::collections::BTreeSet;
use std::time::Duration;

use futures::future::{join, join_all};
use harness::{Calls, Held, Outage, PASSWORD, Person, Reply, Tap, World, link_token};
use portal::store::Table;
use serde_json::{Value, json};

const OLD: &str = "jeanne@martin.example";
const NEW: &str = "jeanne@toitures.example";
const THIRD: &str = "jeanne@charpentes.example";
const NEW_PASSWORD: &str = "escabeau mauve tournevis 7";
const A_DAY: u64 = 24 * 3600;

/// The token of the link to the page of addresses that the newest such mail to somebody carries.
async fn address_token(world: &World, to: &str) -> String {
    let mails = world.mails().await;
    let mail = mails.iter().rev().find(|mail| mail.to == to && mail.text.contains("/adresse#"));
    harness::address_token(mail.unwrap_or_else(|| panic!("no link to {to}")))
}

async fn look(world: &World, token: &str) -> Reply {
    world.visitor().post("/api/email/link", &json!({"token": token})).await
}

async fn follow(world: &World, token: &str) -> Reply {
    world.visitor().post("/api/email", &json!({"token": token})).await
}

async fn is_dead(world: &World, token: &str) {
    look(world, token).await.expect_problem(410, "link-invalid");
    follow(world, token).await.expect_problem(410, "link-invalid");
}

/// Whether this is what one logs in with.
async fn opens(world: &World, email: &str, password: &str) -> bool {
    let status = world.visitor().log_in(email, password).await.status;
    assert!([200, 401].contains(&status));
    status == 200
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_to_the_new_address_moves_the_space_and_whoever_is_signed_in_stays() {
    let world = World::start().await;
    let jeanne = world.manager(OLD).await;
    jeanne.ask_for_address(NEW).await.expect(202);
    let (confirming, undoing) = (address_token(&world, NEW).await, address_token(&world, OLD).await);
    assert_ne!(confirming, undoing);
    // Looking, as a mail scanner does, changes nothing.
    let Person { civility, last_name, first_name, siret, .. } = Person::at(OLD);
    let owner = json!({"civility": civility, "last_name": last_name, "first_name": first_name, "siret": siret});
    for _ in 0..3 {
        let confirms = json!({"email": NEW, "purpose": "change", "owner": owner});
        assert_eq!(look(&world, &confirming).await.expect(200).body, confirms);
        let undoes = json!({"email": OLD, "purpose": "undo", "owner": owner});
        assert_eq!(look(&world, &undoing).await.expect(200).body, undoes);
    }
    let mail = world.newest_mail(NEW).await;
    let named = format!("{first_name} {}", last_name.to_uppercase());
    assert!(mail.text.contains(&named) && mail.text.contains("SIRET"), "{}", mail.text);
    assert_eq!(jeanne.get("/api/me").await.expect(200)["email"], OLD);
    assert!(opens(&world, OLD, PASSWORD).await && !opens(&world, NEW, PASSWORD).await);

    follow(&world, &confirming).await.expect(204);
    assert_eq!(jeanne.get("/api/me").await.expect(200)["email"], NEW);
    jeanne.refresh().await.expect(200);
    assert_eq!(jeanne.get("/api/accounts").await["accounts"][0]["role"], "manager");
    assert!(opens(&world, NEW, PASSWORD).await && !opens(&world, OLD, PASSWORD).await);
    is_dead(&world, &confirming).await;
    let sent = world.mails().await.len();
    world.visitor().forgot(OLD).await.expect(202);
    assert_eq!(world.mails().await.len(), sent, "there is no space at the old address");
    world.visitor().forgot(NEW).await.expect(202);
    assert_eq!(world.newest_mail(NEW).await.subject, "Créez un nouveau mot de passe Constructys");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_old_address_undoes_it_and_whoever_did_it_is_out_and_knows_no_password() {
    let world = World::start().await;
    let jeanne = world.member(OLD).await;
    let thief = world.visitor();
    thief.log_in(OLD, PASSWORD).await.expect(200);
    for confirmed in [false, true] {
        thief.ask_for_address(NEW).await.expect(202);
        let (confirming, undoing) = (address_token(&world, NEW).await, address_token(&world, OLD).await);
        if confirmed {
            follow(&world, &confirming).await.expect(204);
            world.advance(Duration::from_secs(6 * A_DAY));
        }
        follow(&world, &undoing).await.expect(204);
        for visitor in [&thief, &jeanne] {
            visitor.get("/api/me").await.expect_problem(401, "authentication-required");
            visitor.refresh().await.expect_problem(401, "authentication-required");
        }
        assert!(!opens(&world, OLD, PASSWORD).await && !opens(&world, NEW, PASSWORD).await);
        for token in [&confirming, &undoing] {
            is_dead(&world, token).await;
        }
        // The owner is mailed at once, and sets a password that the thief does not know; here, the old one.
        let reset = link_token(&world.newest_mail(OLD).await);
        world.visitor().set_password(&reset, PASSWORD).await.expect(204);
        thief.log_in(OLD, PASSWORD).await.expect(200);
        assert_eq!(thief.get("/api/me").await.expect(200)["email"], OLD);
        world.advance(Duration::from_secs(3600));
        thief.log_in(OLD, PASSWORD).await.expect(200);
    }
    // What the thief's address was is anybody's again.
    world.user(&Person::at(NEW)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn undoing_the_first_of_several_changes_undoes_them_all() {
    let world = World::start().await;
    let thief = world.member(OLD).await;
    thief.ask_for_address(NEW).await.expect(202);
    let first = address_token(&world, OLD).await;
    follow(&world, &address_token(&world, NEW).await).await.expect(204);
    thief.ask_for_address(THIRD).await.expect(202);
    let second = address_token(&world, NEW).await;
    follow(&world, &address_token(&world, THIRD).await).await.expect(204);
    thief.ask_for_address("more@charpentes.example").await.expect(202);
    let (third, pending) = (address_token(&world, THIRD).await, address_token(&world, "more@charpentes.example").await);

    assert_eq!(look(&world, &second).await.expect(200)["email"], NEW);
    follow(&world, &first).await.expect(204);
    for token in [&second, &third, &pending] {
        is_dead(&world, token).await;
    }
    let reset = link_token(&world.newest_mail(OLD).await);
    world.visitor().set_password(&reset, NEW_PASSWORD).await.expect(204);
    assert!(opens(&world, OLD, NEW_PASSWORD).await);
    assert_eq!(world.count(Table::Identity, "EMAIL#", "LOGIN").await, 1);
    assert_eq!(world.count(Table::Identity, "EMAIL#", "RESERVATION").await, 0);
    assert_eq!(world.count(Table::Identity, "LINK#", "LINK").await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn undoing_a_later_change_leaves_the_earlier_one_as_it_is() {
    let world = World::start().await;
    let jeanne = world.member(OLD).await;
    jeanne.ask_for_address(NEW).await.expect(202);
    let first = address_token(&world, OLD).await;
    follow(&world, &address_token(&world, NEW).await).await.expect(204);
    jeanne.ask_for_address(THIRD).await.expect(202);
    follow(&world, &address_token(&world, THIRD).await).await.expect(204);
    follow(&world, &address_token(&world, NEW).await).await.expect(204);
    let reset = link_token(&world.newest_mail(NEW).await);
    world.visitor().set_password(&reset, NEW_PASSWORD).await.expect(204);
    assert!(opens(&world, NEW, NEW_PASSWORD).await);
    follow(&world, &first).await.expect(204);
    let reset = link_token(&world.newest_mail(OLD).await);
    world.visitor().set_password(&reset, PASSWORD).await.expect(204);
    assert!(opens(&world, OLD, PASSWORD).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_can_go_back_oneself() {
    let world = World::start().await;
    let jeanne = world.member(OLD).await;
    jeanne.ask_for_address(NEW).await.expect(202);
    follow(&world, &address_token(&world, NEW).await).await.expect(204);
    jeanne.ask_for_address(OLD).await.expect(202);
    follow(&world, &address_token(&world, OLD).await).await.expect(204);
    assert_eq!(jeanne.get("/api/me").await.expect(200)["email"], OLD);
    assert!(opens(&world, OLD, PASSWORD).await && !opens(&world, NEW, PASSWORD).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn links_end_after_a_day_and_after_seven_and_the_old_address_is_kept_as_long() {
    let world = World::start().await;
    let jeanne = world.member(OLD).await;
    jeanne.ask_for_address(THIRD).await.expect(202);
    let late = address_token(&world, THIRD).await;
    world.advance(Duration::from_secs(A_DAY + 1));
    is_dead(&world, &late).await;
    jeanne.log_in(OLD, PASSWORD).await.expect(200);
    jeanne.ask_for_address(NEW).await.expect(202);
    let undoing = address_token(&world, OLD).await;
    follow(&world, &address_token(&world, NEW).await).await.expect(204);

    // Whoever signs up with the old address meanwhile is told what is told of any that is taken.
    world.advance(Duration::from_secs(6 * A_DAY));
    world.sign_up(&Person::at(OLD)).await.expect(202);
    assert_eq!(world.newest_mail(OLD).await.subject, "Vous avez déjà un espace personnalisé Constructys");
    look(&world, &undoing).await.expect(200);
    world.advance(Duration::from_secs(A_DAY + 1));
    is_dead(&world, &undoing).await;
    let stranger = world.user(&Person::at(OLD)).await;
    assert_ne!(stranger.id().await, {
        jeanne.log_in(NEW, PASSWORD).await.expect(200);
        jeanne.id().await
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn an_activation_link_from_before_does_not_take_an_address_that_is_kept() {
    let world = World::start().await;
    // The link is mailed while the address is free, and used while it is kept.
    world.sign_up(&Person::at(NEW)).await.expect(202);
    let activation = link_token(&world.newest_mail(NEW).await);
    let jeanne = world.member(OLD).await;
    jeanne.ask_for_address(NEW).await.expect(202);
    follow(&world, &address_token(&world, NEW).await).await.expect(204);
    world.visitor().set_password(&activation, NEW_PASSWORD).await.expect_problem(410, "link-invalid");
    jeanne.ask_for_address(THIRD).await.expect(202);
    follow(&world, &address_token(&world, THIRD).await).await.expect(204);
    world.visitor().set_password(&activation, NEW_PASSWORD).await.expect_problem(410, "link-invalid");
    // Nor does another's change.
    let paul = world.member("paul@martin.example").await;
    let sent = world.mails_to(NEW).await;
    world.advance(Duration::from_secs(61));
    paul.ask_for_address(NEW).await.expect(202);
    let told = world.newest_mail(NEW).await;
    assert_eq!(world.mails_to(NEW).await, sent + 1);
    assert_eq!(told.subject, "Vous avez déjà un espace personnalisé Constructys");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_taken_address_gets_the_same_answer_and_its_owner_a_word_but_no_link() {
    let world = World::start().await;
    let jeanne = world.member(OLD).await;
    world.member("paul@martin.example").await;
    world.advance(Duration::from_secs(61));
    let free = jeanne.ask_for_address(NEW).await.expect(202);
    let taken = jeanne.ask_for_address("paul@martin.example").await.expect(202);
    assert_eq!(free.body, taken.body);
    let told = world.newest_mail("paul@martin.example").await;
    assert_eq!(told.subject, "Vous avez déjà un espace personnalisé Constructys");
    assert!(!told.text.contains("/adresse#"));
    let notices = world.mails().await.into_iter().filter(|mail| mail.to == OLD && mail.text.contains("/adresse#"));
    assert_eq!(notices.count(), 2, "the notice tells nothing apart either");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_cannot_be_confirmed_after_a_newer_one_a_new_password_or_a_log_out_everywhere() {
    let world = World::start().await;
    let jeanne = world.member(OLD).await;
    jeanne.ask_for_address(NEW).await.expect(202);
    let replaced = address_token(&world, NEW).await;
    jeanne.ask_for_address(THIRD).await.expect(202);
    let newer = address_token(&world, THIRD).await;
    is_dead(&world, &replaced).await;
    jeanne.delete("/api/sessions/all").await.expect(204);
    is_dead(&world, &newer).await;
    jeanne.log_in(OLD, PASSWORD).await.expect(200);
    jeanne.ask_for_address(THIRD).await.expect(202);
    let third = address_token(&world, THIRD).await;
    look(&world, &third).await.expect(200);
    let change = json!({"current_password": PASSWORD, "password": NEW_PASSWORD, "password_confirmation": NEW_PASSWORD});
    jeanne.post("/api/me/password", &change).await.expect(204);
    is_dead(&world, &third).await;
    // The notices outlast all of that.
    look(&world, &address_token(&world, OLD).await).await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_with_a_request_is_said_after_the_password() {
    let world = World::start().await;
    let jeanne = world.member(OLD).await;
    let wrong = json!({"current_password": "faux", "email": "x", "email_confirmation": NEW});
    jeanne.post("/api/me/email", &wrong).await.expect_problem(403, "bad-current-password");
    for (form, errors) in [
        (json!({}), ["current_password:required", "email:required", "email_confirmation:required"].as_slice()),
        (
            json!({"current_password": PASSWORD, "email": NEW, "email_confirmation": THIRD}),
            &["email_confirmation:emails-differ"],
        ),
        (json!({"current_password": PASSWORD, "email": OLD, "email_confirmation": OLD}), &["email:email-unchanged"]),
        (
            json!({"current_password": PASSWORD, "email": "x", "email_confirmation": "x"}),
            &["email:email-invalid", "email_confirmation:email-invalid"],
        ),
    ] {
        let refused = jeanne.post("/api/me/email", &form).await.expect_problem(422, "invalid-input");
        assert_eq!(refused.errors(), errors);
    }
    let mails = world.mails().await;
    assert!(mails.iter().all(|mail| !mail.text.contains("/adresse#")));
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_requests_in_seven_days_and_no_more() {
    let world = World::start().await;
    let jeanne = world.member(OLD).await;
    for n in 0..10 {
        jeanne.ask_for_address(&format!("jeanne{n}@toitures.example")).await.expect(202);
    }
    let refused = jeanne.ask_for_address(NEW).await.expect_problem(429, "too-many-attempts");
    let wait: u64 = refused.header("retry-after").unwrap().parse().unwrap();
    assert!((6 * A_DAY..=7 * A_DAY).contains(&wait), "{wait}");
    world.advance(Duration::from_secs(wait));
    jeanne.log_in(OLD, PASSWORD).await.expect(200);
    jeanne.ask_for_address(NEW).await.expect(202);
    follow(&world, &address_token(&world, NEW).await).await.expect(204);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_of_an_address_sets_no_password_and_one_of_a_password_changes_no_address() {
    let world = World::start().await;
    let jeanne = world.member(OLD).await;
    jeanne.ask_for_address(NEW).await.expect(202);
    for token in [address_token(&world, NEW).await, address_token(&world, OLD).await] {
        world.visitor().look_at_link(&token).await.expect_problem(410, "link-invalid");
        world.visitor().set_password(&token, NEW_PASSWORD).await.expect_problem(410, "link-invalid");
        look(&world, &token).await.expect(200);
    }
    world.visitor().forgot(OLD).await.expect(202);
    let reset = link_token(&world.newest_mail(OLD).await);
    is_dead(&world, &reset).await;
    world.visitor().look_at_link(&reset).await.expect(200);
    for wrong in ["x", "", &"A".repeat(43)] {
        let status = if wrong.is_empty() { 422 } else { 410 };
        look(&world, wrong).await.expect(status);
        follow(&world, wrong).await.expect(status);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn while_ses_is_down_nothing_is_lost_and_a_retry_sends_the_same_links() {
    let (ses, options) = Outage::of_ses();
    let world = World::start_with(options).await;
    let jeanne = world.member(OLD).await;
    ses.begin();
    jeanne.ask_for_address(NEW).await.expect(202);
    world.mails().await;
    assert_eq!(world.count(Table::Identity, "LINK#", "LINK").await, 2, "both links are written down");
    ses.end();
    world.advance(Duration::from_secs(600));
    world.sweep().await;
    assert_eq!(world.count(Table::Identity, "LINK#", "LINK").await, 2);
    look(&world, &address_token(&world, OLD).await).await.expect(200);
    follow(&world, &address_token(&world, NEW).await).await.expect(204);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_fifty_who_use_a_link_at_once_one_changes_the_address() {
    let world = World::start().await;
    let jeanne = world.member(OLD).await;
    jeanne.ask_for_address(NEW).await.expect(202);
    let (confirming, undoing) = (address_token(&world, NEW).await, address_token(&world, OLD).await);
    for token in [&confirming, &undoing] {
        let answers = join_all((0..50).map(|_| follow(&world, token))).await;
        assert_eq!(answers.iter().filter(|answer| answer.status == 204).count(), 1);
        assert!(answers.iter().all(|answer| [204, 410].contains(&answer.status)));
    }
    assert_eq!(world.count(Table::Identity, "EMAIL#", "LOGIN").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn confirming_and_undoing_at_once_end_undone_or_undoable() {
    let (held, options) = Held::on_dynamodb();
    let world = World::start_with(options).await;
    let (mut orders, mut ends, calls) = (held.orders(), BTreeSet::new(), Calls::of("change-email"));
    while let Some(order) = orders.another() {
        let (old, new) = (format!("old-{order}@martin.example"), format!("new-{order}@martin.example"));
        let jeanne = world.member(&old).await;
        jeanne.ask_for_address(&new).await.expect(202);
        let (confirming, undoing) = (address_token(&world, &new).await, address_token(&world, &old).await);
        let (confirms, undoes) = ((calls, follow(&world, &confirming)), (calls, follow(&world, &undoing)));
        let Some((confirmed, undone)) = orders.meet(confirms, undoes).await else { continue };
        undone.expect(204);
        ends.insert(confirmed.status);
        jeanne.get("/api/me").await.expect_problem(401, "authentication-required");
        let reset = link_token(&world.newest_mail(&old).await);
        world.visitor().set_password(&reset, NEW_PASSWORD).await.expect(204);
        assert!(opens(&world, &old, NEW_PASSWORD).await && !opens(&world, &new, NEW_PASSWORD).await, "{order}");
    }
    assert_eq!(ends, BTreeSet::from([204, 410]));
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_users_and_a_sign_up_that_want_one_address_one_gets_it() {
    let (tap, options) = Tap::on_dynamodb();
    let world = World::start_with(options).await;
    for n in 0..4 {
        let wanted = format!("wanted{n}@martin.example");
        let (jeanne, paul) = (format!("jeanne{n}@martin.example"), format!("paul{n}@martin.example"));
        let (one, other) = (world.member(&jeanne).await, world.member(&paul).await);
        world.sign_up(&Person::at(&wanted)).await.expect(202);
        let activation = link_token(&world.newest_mail(&wanted).await);
        one.ask_for_address(&wanted).await.expect(202);
        let first = address_token(&world, &wanted).await;
        other.ask_for_address(&wanted).await.expect(202);
        let second = address_token(&world, &wanted).await;
        assert_ne!(first, second);
        let visitor = world.visitor();
        let signing_up = visitor.set_password(&activation, PASSWORD);
        let all = join(signing_up, join(follow(&world, &first), follow(&world, &second)));
        let ((signed_up, (first, second)), _) = tap.during(all).await;
        let answers = [&signed_up, &first, &second];
        assert_eq!(answers.iter().filter(|answer| answer.status == 204).count(), 1, "{signed_up} {first} {second}");
        for lost in answers.into_iter().filter(|answer| answer.status != 204) {
            assert_eq!((lost.status, lost.problem()), (410, "link-invalid"), "{lost}");
        }
        let winner = world.visitor();
        winner.log_in(&wanted, PASSWORD).await.expect(200);
        assert_eq!(winner.get("/api/me").await["email"], Value::from(wanted));
    }
}
