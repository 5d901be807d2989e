//! What SES tells of mails, through the function "mail-feedback": an address that bounced or complained is mailed no
//! more, its owner is told at the log-in, and the staff can see why.

use std::collections::BTreeSet;
use std::time::Duration;

use futures::future::join_all;
use harness::{Calls, Held, PASSWORD, Person, Visitor, World, address_token, link_token};
use local::Fate;
use portal::domain::Email;
use portal::store::{Delivery, EmailProblem, MailState, Outbox, Table};
use serde_json::{Value, json};

const MARIE: &str = "marie@martin.example";

async fn state(world: &World, email: &str) -> MailState {
    world.portal.drain().await.unwrap();
    let email = Email::parse(email).unwrap();
    let stored = world.store().get(&MailState::key_of(&email)).await.unwrap();
    MailState::or_none(stored, &email, world.portal.clock().now())
}

/// The kinds of the last mails and how far each got.
fn mails(state: &MailState) -> Vec<(&str, Delivery)> {
    state.mails.iter().map(|mail| (mail.kind.as_str(), mail.delivery)).collect()
}

/// Asks for another password, when that may be asked for again.
async fn forgets(world: &World, visitor: &Visitor) {
    world.advance(Duration::from_secs(1500));
    visitor.forgot(MARIE).await.expect(202);
    world.portal.drain().await.unwrap();
}

/// What the log-in, the home and the profile say of the address.
async fn told(visitor: &Visitor, email: &str) -> [Value; 3] {
    let session = visitor.log_in(email, PASSWORD).await.expect(200);
    let home = visitor.get("/api/home").await.expect(200);
    let profile = visitor.get("/api/me").await.expect(200);
    [&session, &home, &profile].map(|reply| reply.body.get("email_problem").cloned().unwrap_or_default())
}

fn thrice(what: &str) -> [Value; 3] {
    [json!(what), json!(what), json!(what)]
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_that_bounced_is_mailed_no_more_and_its_owner_is_told_until_they_change_it() {
    let world = World::start().await;
    let marie = world.user(&Person::at(MARIE)).await;
    let before = state(&world, MARIE).await;
    let welcome = [("sign-up", Delivery::Delivered), ("acceptance-receipt", Delivery::Delivered)];
    assert_eq!(mails(&before), welcome);
    assert_eq!(told(&marie, MARIE).await, [Value::Null, Value::Null, Value::Null]);

    world.portal.decide_mails_to(MARIE, Fate::Bounced);
    forgets(&world, &world.visitor()).await;
    let bounced = state(&world, MARIE).await;
    assert_eq!(bounced.problem(), Some(EmailProblem::Bounced));
    assert_eq!(mails(&bounced)[2], ("reset", Delivery::Bounced));
    assert_eq!(bounced.stopped.unwrap().reason, "Permanent/General 5.1.1");
    assert_eq!(told(&marie, MARIE).await, thrice("bounced"));
    assert_eq!(marie.refresh().await.expect(200)["email_problem"], "bounced");

    // The mailbox works again, and nobody knows: nothing is sent.
    world.portal.decide_mails_to(MARIE, Fate::Delivered);
    let sent = world.mails().await.len();
    forgets(&world, &world.visitor()).await;
    assert_eq!(world.mails().await.len(), sent);
    let held = state(&world, MARIE).await;
    let last = held.mails.last().unwrap();
    assert_eq!((last.delivery, last.reason.as_deref()), (Delivery::NotSent, Some("bounced")));
    let outbox: Outbox = world.store().get(&Outbox::key_of(last.outbox_id)).await.unwrap().unwrap();
    assert_eq!((outbox.outcome.as_deref(), outbox.wish.is_none(), outbox.unsent), (Some("not-sent"), true, None));

    // Another address, and all is well.
    marie.log_in(MARIE, PASSWORD).await.expect(200);
    let new = "marie@toitures.example";
    marie.ask_for_address(new).await.expect(202);
    let mail = world.newest_mail(new).await;
    let token = address_token(&mail);
    marie.post("/api/email", &json!({"token": token})).await.expect(204);
    assert_eq!(told(&marie, new).await, [Value::Null, Value::Null, Value::Null]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_staff_have_an_address_mailed_again_and_a_delivery_makes_it_good() {
    let world = World::start().await;
    let marie = world.user(&Person::at(MARIE)).await;
    world.portal.decide_mails_to(MARIE, Fate::Bounced);
    forgets(&world, &world.visitor()).await;
    let resume = json!({"operation": "resume-mail", "email": MARIE, "staff": "Claire Durand", "reason": "appel"});
    world.portal.decide_mails_to(MARIE, Fate::Delivered);
    let answer = world.staff(resume.clone()).await;
    assert_eq!(answer["resumed"]["why"], "bounced", "{answer}");
    assert_eq!(world.staff(resume.clone()).await, json!({"unchanged": {"stopped": null}}));
    assert_eq!(world.count(Table::Evidence, "STAFF#", "EVENT#").await, 1);
    let evidence = world.items(Table::Evidence).await;
    assert!(!format!("{evidence:?}").contains("marie"), "evidence outlives who it is about");
    assert_eq!(told(&marie, MARIE).await, [Value::Null, Value::Null, Value::Null]);
    let sent = world.mails_to(MARIE).await;
    forgets(&world, &world.visitor()).await;
    assert_eq!(world.mails_to(MARIE).await, sent + 1);
    assert_eq!(mails(&state(&world, MARIE).await).last(), Some(&("reset", Delivery::Delivered)));
    for (email, code) in [(json!("nowhere"), "email-invalid"), (json!(null), "required")] {
        let mut wrong = resume.clone();
        wrong["email"] = email;
        let error = world.staff(wrong).await["error"].clone();
        assert_eq!(error["field"], "email", "{error}");
        assert_eq!(error["code"], code, "{error}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_complained_gets_what_keeps_their_space_safe_and_nothing_else() {
    let world = World::start().await;
    let boss = world.manager("paul@martin.example").await;
    let marie = world.member(MARIE).await;
    world.portal.decide_mails_to(MARIE, Fate::Complained);
    let users = format!("/api/accounts/{}/users", harness::ACCOUNT);
    boss.post(&users, &json!({"email": MARIE})).await.expect(202);
    assert_eq!(state(&world, MARIE).await.problem(), Some(EmailProblem::Complained));
    assert_eq!(told(&marie, MARIE).await, thrice("complained"));
    world.portal.decide_mails_to(MARIE, Fate::Delivered);
    let received = world.mails_to(MARIE).await;

    // A stranger signs up with the address, and the manager invites it once more: it is left alone.
    world.advance(Duration::from_secs(4000));
    world.sign_up(&Person::at(MARIE)).await.expect(202);
    world.portal.drain().await.unwrap();
    assert_eq!(world.mails_to(MARIE).await, received);
    // Its owner has forgotten the password, sets another, and is told so.
    let visitor = world.visitor();
    forgets(&world, &visitor).await;
    visitor.set_password(&link_token(&world.newest_mail(MARIE).await), PASSWORD).await.expect(204);
    assert_eq!(world.mails_to(MARIE).await, received + 2);
    let kept = state(&world, MARIE).await;
    let last = &mails(&kept)[kept.mails.len() - 3..];
    assert_eq!(
        last,
        [("sign-up", Delivery::NotSent), ("reset", Delivery::Delivered), ("password-changed", Delivery::Delivered),]
    );
    assert_eq!(kept.problem(), Some(EmailProblem::Complained), "no delivery takes a complaint back");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_bounces_for_now_is_counted_and_sent_to_all_the_same() {
    let world = World::start().await;
    let marie = world.user(&Person::at(MARIE)).await;
    world.portal.decide_mails_to(MARIE, Fate::BouncedForNow);
    for times in 1..=2 {
        forgets(&world, &world.visitor()).await;
        let state = state(&world, MARIE).await;
        assert_eq!((state.bounced_for_now, state.problem()), (times, None));
    }
    assert_eq!(told(&marie, MARIE).await, [Value::Null, Value::Null, Value::Null]);
    world.portal.decide_mails_to(MARIE, Fate::Delivered);
    forgets(&world, &world.visitor()).await;
    assert_eq!(state(&world, MARIE).await.bounced_for_now, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_of_nobody_is_marked_alike_and_a_simulated_one_has_its_fate_in_its_name() {
    let world = World::start().await;
    for (email, why) in [
        ("bounce@simulator.amazonses.com", EmailProblem::Bounced),
        ("bounce+two@simulator.amazonses.com", EmailProblem::Bounced),
        ("complaint@simulator.amazonses.com", EmailProblem::Complained),
    ] {
        let sign_up = async || {
            world.sign_up(&Person::at(email)).await.expect(202);
            state(&world, email).await
        };
        assert_eq!(sign_up().await.problem(), Some(why), "{email}");
        let sent = world.mails().await.len();
        world.advance(Duration::from_secs(3700));
        let again = sign_up().await;
        assert_eq!(mails(&again).last(), Some(&("sign-up", Delivery::NotSent)), "{email}");
        assert_eq!(world.mails().await.len(), sent);
        // A year later it is tried again.
        world.advance(MailState::STOPPED_FOR);
        assert_eq!(sign_up().await.mails.len(), 1, "{email}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_comes_twice_or_at_once_with_others_counts_once() {
    let world = World::start().await;
    let marie = world.user(&Person::at(MARIE)).await;
    let outbox_id = state(&world, MARIE).await.mails[0].outbox_id;
    let event = |kind: &str, name: &str, more: Value| {
        json!({"source": "aws.ses", "detail": {"eventType": kind, name: more, "mail": {
            "timestamp": world.portal.clock().now(), "destination": [MARIE], "messageId": "m",
            "tags": {"outbox": [outbox_id]},
        }}})
    };
    let for_now = json!({"bounceType": "Transient", "bounceSubType": "General", "bouncedRecipients": []});
    let transient = event("Bounce", "bounce", for_now);
    let complaint = event("Complaint", "complaint", json!({"complaintFeedbackType": "abuse"}));
    let all = (0..16).map(|n| if n % 2 == 0 { transient.clone() } else { complaint.clone() });
    for answer in join_all(all.map(|event| world.portal.invoke("mail-feedback", event))).await {
        assert!(answer.is_ok(), "{answer:?}");
    }
    let after = state(&world, MARIE).await;
    assert_eq!(
        (after.problem(), after.bounced_for_now),
        (Some(EmailProblem::Complained), 0),
        "it was delivered before"
    );
    assert_eq!(mails(&after)[0], ("sign-up", Delivery::Complained));
    assert_eq!(told(&marie, MARIE).await, thrice("complained"));
    assert!(
        world.portal.invoke("mail-feedback", json!({"detail": {}})).await.is_err(),
        "what is no event is no success"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bounce_and_a_change_of_address_at_once_leave_no_mark_on_the_new_one() {
    let (held, options) = Held::on_dynamodb();
    let world = World::start_with(options).await;
    let (mut orders, mut stopped) = (held.orders(), BTreeSet::new());
    while let Some(order) = orders.another() {
        let (old, new) = (format!("{order}@martin.example"), format!("{order}@toitures.example"));
        let marie = world.user(&Person::at(&old)).await;
        marie.ask_for_address(&new).await.expect(202);
        let mail = world.newest_mail(&new).await;
        let token = address_token(&mail);
        let bounce = json!({"detail": {"eventType": "Bounce",
            "bounce": {"bounceType": "Permanent", "bounceSubType": "General"},
            "mail": {"timestamp": world.portal.clock().now(), "destination": [old]}}});
        let confirmation = json!({"token": token});
        let confirms = (Calls::of("change-email"), marie.post("/api/email", &confirmation));
        let bounces = (Calls::of("mail-feedback"), world.portal.invoke("mail-feedback", bounce));
        let Some((confirmed, bounced)) = orders.meet(confirms, bounces).await else { continue };
        confirmed.expect(204);
        bounced.unwrap();
        stopped.insert(state(&world, &old).await.problem().is_some());
        assert_eq!(told(&marie, &new).await, [Value::Null, Value::Null, Value::Null], "{order}");
    }
    // Where the change was confirmed first, a mail that tells of it was delivered there since.
    assert!(stopped.contains(&true), "the bounce was of the old address");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_ses_tells_of_who_was_erased_brings_nothing_of_them_back() {
    let world = World::start().await;
    let marie = world.user(&Person::at(MARIE)).await;
    marie.send(http::Method::DELETE, "/api/me", Some(&json!({"current_password": PASSWORD}))).await.expect(204);
    assert_eq!(world.newest_mail(MARIE).await.subject, "Votre espace personnalisé Constructys est supprimé");
    assert_eq!(world.count(Table::Identity, &format!("EMAIL#{MARIE}"), "").await, 0);
}

#[test]
fn the_configuration_set_publishes_what_the_rule_waits_for() {
    let read = |path: &str| {
        let text = std::fs::read_to_string(harness::folder_of_workspace().join(path)).unwrap();
        serde_yaml_ng::from_str::<serde_yaml_ng::Value>(&text).unwrap()
    };
    let published = &read("infra/mail.yaml")["Resources"]["MailEvents"]["Properties"]["EventDestination"];
    let published = serde_json::to_value(&published["MatchingEventTypes"]).unwrap();
    assert_eq!(published, json!(["delivery", "bounce", "complaint", "reject"]));
    let rule =
        &read("template.yaml")["Resources"]["MailFeedbackFunction"]["Properties"]["Events"]["Told"]["Properties"];
    let awaited = serde_json::to_value(&rule["Pattern"]["detail-type"]).unwrap();
    let names = ["Email Delivered", "Email Bounced", "Email Complaint Received", "Email Rejected"];
    assert_eq!(awaited, json!(names), "as EventBridge names them, in the same order");
}
