//! What people type and paste for an address, a SIRET, a member number, a name and a password: one value however it is
//! written.

use std::time::Duration;

use harness::{ACCOUNT, PASSWORD, Person, SIRET, World, address_token, contest_token, link_token};
use local::Fate;
use portal::domain::Email;
use portal::security::PasswordHash;
use portal::store::{Change, Condition, Login, MailState, Table};
use serde_json::json;

const MARIE: &str = "marie@martin.example";

/// Of "truelle béton mésange 41" with U+00A0 for its spaces, composed and not mapped.
const OF_OTHER_SPACES: &str = "$argon2id$v=19$m=19456,t=2,p=1$c2l4dGVlbiBieXRlcyA0MQ$\
                               DHCeOPJeNV/HwKZyAi9MTQmYcG6JgSjxxgcfe3FZP9k";

fn with_other_spaces(password: &str) -> String {
    password.replace(' ', "\u{a0}")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_password_opens_the_space_with_whichever_spaces_it_is_typed() {
    let world = World::start().await;
    world.sign_up(&Person::at(MARIE)).await.expect(202);
    let token = link_token(&world.newest_mail(MARIE).await);
    let typed = with_other_spaces(PASSWORD);
    // Typed on a Mac, and confirmed without the option key.
    let choice = json!({"token": token, "password": typed, "password_confirmation": PASSWORD});
    world.visitor().post("/api/password", &choice).await.expect(204);
    for again in [PASSWORD, &typed, &PASSWORD.replace(' ', "\u{202f}"), &PASSWORD.replace('é', "e\u{301}")] {
        world.visitor().log_in(MARIE, again).await.expect(200);
    }
    world.visitor().log_in(MARIE, &PASSWORD.replace(' ', "")).await.expect_problem(401, "bad-credentials");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hash_of_other_spaces_opens_as_it_was_typed_and_is_made_anew() {
    let world = World::start().await;
    world.user(&Person::at(MARIE)).await;
    let key = Login::key_of(&Email::parse(MARIE).unwrap());
    let before: PasswordHash = serde_json::from_value(json!(OF_OTHER_SPACES)).unwrap();
    let change = Change::new().set("password_hash", &before).unwrap();
    world.store().update(&key, &change, Some(&Condition::Exists)).await.unwrap();
    world.visitor().log_in(MARIE, PASSWORD).await.expect_problem(401, "bad-credentials");
    world.visitor().log_in(MARIE, &with_other_spaces(PASSWORD)).await.expect(200);
    let login: Login = world.store().get(&key).await.unwrap().unwrap();
    assert!(login.password_hash != before, "made anew");
    world.visitor().log_in(MARIE, PASSWORD).await.expect(200);
    // Each counted as one: four wrong ones are left of the five.
    for _ in 0..4 {
        world.visitor().log_in(MARIE, "a\u{a0}wrong one").await.expect_problem(401, "bad-credentials");
    }
    world.visitor().log_in(MARIE, PASSWORD).await.expect_problem(429, "too-many-attempts");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_password_holds_nothing_that_could_not_be_typed_again_and_any_sign() {
    let world = World::start().await;
    world.sign_up(&Person::at(MARIE)).await.expect(202);
    let token = link_token(&world.newest_mail(MARIE).await);
    for unseen in ['\n', '\0', '\u{200b}', '\u{feff}'] {
        let reply = world.visitor().set_password(&token, &format!("{PASSWORD}{unseen}")).await.expect(422);
        assert_eq!(reply.errors(), ["password:password-bad-character"], "{unseen:?}");
    }
    for signs in ["%)=§*+_#{[|`^@]}¤£µ!:;,?", "739105826417"] {
        let meter = world.visitor().post("/api/password/strength", &json!({"password": signs})).await.expect(200);
        assert_eq!(meter["acceptable"], true, "{signs}: {meter}");
    }
    world.visitor().set_password(&token, "%)=§*+_#{[|`^@]}¤£µ!:;,?").await.expect(204);
}

#[tokio::test(flavor = "multi_thread")]
async fn all_spellings_of_an_accented_domain_are_one_address_and_people_see_the_letters() {
    let world = World::start().await;
    let (letters, ascii) = ("contact@société.fr", "contact@xn--socit-esab.fr");
    let mut form = Person::at(letters).form(&world.document("terms").await);
    form["email_confirmation"] = json!("Contact@SOCIE\u{301}TE\u{301}.fr");
    let draft = world.visitor().post("/api/signup/check", &form).await.expect(200);
    assert_eq!(draft["email"], letters);
    world.visitor().post("/api/signup", &form).await.expect(202);
    // SES takes ASCII only.
    let token = link_token(&world.newest_mail(ascii).await);
    assert_eq!(world.visitor().look_at_link(&token).await.expect(200)["email"], letters);
    world.visitor().set_password(&token, PASSWORD).await.expect(204);

    let visitor = world.visitor();
    for spelling in [letters, ascii, "CONTACT@Société.FR", "contact@socie\u{301}te\u{301}.fr", "contact@société。fr"]
    {
        visitor.log_in(spelling, PASSWORD).await.expect(200);
    }
    assert_eq!(visitor.get("/api/me").await.expect(200)["email"], letters);
    let exported = visitor.get("/api/me/export").await.expect(200);
    assert_eq!((&exported["profile"]["email"], &exported["addresses"][0]["email"]), (&json!(letters), &json!(letters)));
    // One limit, one history, one state.
    for spelling in [letters, ascii, "CONTACT@Société.FR"] {
        world.visitor().forgot(spelling).await.expect(202);
    }
    let sent = world.mails_to(ascii).await;
    assert_eq!(sent, 3, "the link, the receipt, and one reset a minute");
    assert_eq!(world.mails_to(letters).await, 0);
    assert_eq!(world.count(Table::Identity, &format!("EMAIL#{ascii}"), "MAIL-STATE").await, 1);
    assert_eq!(world.count(Table::Identity, "EMAIL#contact@soci", "").await, 0);
    for n in 0..5 {
        let spelling = if n % 2 == 0 { letters } else { ascii };
        world.visitor().log_in(spelling, "another truelle 4711").await.expect_problem(401, "bad-credentials");
    }
    world.visitor().log_in(letters, PASSWORD).await.expect_problem(429, "too-many-attempts");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_accented_address_is_invited_changed_to_and_looked_up_in_any_spelling() {
    let world = World::start().await;
    let manager = world.manager(MARIE).await;
    let users = format!("/api/accounts/{ACCOUNT}/users");
    for spelling in ["paie@société.fr", "PAIE@xn--socit-esab.FR", "paie@socie\u{301}té.fr"] {
        manager.post(&users, &json!({"email": spelling})).await.expect(202);
    }
    let list = manager.get(&users).await.expect(200);
    let addresses: Vec<_> = list["users"].as_array().unwrap().iter().map(|user| &user["email"]).collect();
    assert_eq!(addresses, [&json!(MARIE), &json!("paie@société.fr")]);
    assert_eq!(world.mails_to("paie@xn--socit-esab.fr").await, 3, "each invitation of it");
    // Mails are addressed in ASCII, which is where the test looks for its link.
    let paie = world.user(&Person::at("paie@xn--socit-esab.fr")).await;
    world.accept_charter(&paie).await;
    assert_eq!(paie.get("/api/accounts").await.expect(200)["accounts"][0]["member_number"], ACCOUNT);

    manager.ask_for_address("marie@bâtiment.fr").await.expect(202);
    let mail = world.newest_mail("marie@xn--btiment-pwa.fr").await;
    let token = address_token(&mail);
    let link = manager.post("/api/email/link", &json!({"token": token})).await.expect(200);
    assert_eq!(link["email"], "marie@bâtiment.fr");
    manager.post("/api/email", &json!({"token": token})).await.expect(204);
    let look_up =
        json!({"operation": "look-up-user", "email": "Marie@Bâtiment.fr", "staff": "Claire", "reason": "appel"});
    assert_eq!(world.staff(look_up).await["user"]["email"], "marie@bâtiment.fr");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_plainly_meant_is_taken_and_what_is_not_is_named() {
    let world = World::start().await;
    let mut form = Person::at(MARIE).form(&world.document("terms").await);
    form["siret"] = json!("SIRET\u{a0}: 533.846.150\u{202f}00019\u{200b}");
    form["last_name"] = json!("MARTIN\t");
    form["first_name"] = json!("\u{feff}Jeanne\r\n");
    form["job_title"] = json!("Comptable\u{2028}");
    form["email"] = json!("mailto:jeanne.o’brien@martin.example,");
    form["email_confirmation"] = json!("jeanne.o'brien@mar\u{ad}tin.example");
    let draft = world.visitor().post("/api/signup/check", &form).await.expect(200);
    let understood = ["siret", "last_name", "first_name", "job_title", "email"].map(|name| draft[name].clone());
    assert_eq!(understood, [SIRET, "MARTIN", "Jeanne", "Comptable", "jeanne.o'brien@martin.example"].map(|t| json!(t)));

    for (field, wrong, code, named) in [
        ("siret", "5338461500001O", "siret-not-digits", "« O »"),
        ("siret", "5338461500019", "siret-length", "13"),
        ("siret", "SIRET : 00000000000000", "siret-never-given", "jamais"),
        ("siret", "35600000000001", "siret-never-given", "jamais"),
        ("last_name", "MAR\u{202e}TIN", "bad-character", "U+202E"),
        ("email", "rené@martin.example", "email-invalid", "« é »"),
        ("email", "a@martin.example; b@martin.example", "email-invalid", "une seule"),
    ] {
        let mut form = form.clone();
        form[field] = json!(wrong);
        let reply = world.visitor().post("/api/signup/check", &form).await.expect(422);
        let message = reply["errors"][0]["message"].as_str().unwrap().replace('\u{a0}', " ");
        assert_eq!(reply.errors()[0], format!("{field}:{code}"), "{wrong:?}");
        assert!(message.contains(named), "{wrong:?}: {message}");
    }

    let marie = world.member(MARIE).await;
    let letter = world.claim(&marie, "O12345").await.expect(422);
    assert!(letter["errors"][0]["message"].as_str().unwrap().contains("O\u{a0}»"), "{letter}");
    world.claim(&marie, "N° adhérent : 012.345\u{200e}").await.expect(201);
    marie.get("/api/accounts/012.345/users").await.expect_problem(404, "not-found");
    let found = marie.get("/api/accounts?q=SIRET%20%3A%20533%20846%20150%2000019").await.expect(200);
    assert_eq!(found["accounts"][0]["member_number"], ACCOUNT);
    for establishment in ["n° SIRET 533 846 150 00019", "N° adhérent 012-345"] {
        let event = json!({"operation": "look-up-establishment", "establishment": establishment, "staff": "Claire",
            "reason": "appel"});
        assert_eq!(world.staff(event).await["establishment"]["member_number"], ACCOUNT, "{establishment}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn only_a_complaint_stops_mails_and_whoever_takes_it_back_is_mailed_again() {
    let world = World::start().await;
    let marie = world.user(&Person::at(MARIE)).await;
    world.portal.drain().await.unwrap();
    let email = Email::parse(MARIE).unwrap();
    let state: MailState = world.store().get(&MailState::key_of(&email)).await.unwrap().unwrap();
    let mail = &state.mails[0];
    let report = |complaint: serde_json::Value| {
        json!({"source": "aws.ses", "detail": {"eventType": "Complaint", "complaint": complaint, "mail": {
            "timestamp": world.portal.clock().now(), "destination": [MARIE], "messageId": "m", "tags": {"outbox": [mail.outbox_id]},
        }}})
    };
    let told = async |feedback_type: &str| {
        world.portal.invoke("mail-feedback", report(json!({"complaintFeedbackType": feedback_type}))).await.unwrap();
        marie.get("/api/me").await.expect(200).body.get("email_problem").cloned()
    };
    for neither in ["auth-failure", "virus", "other"] {
        assert_eq!(told(neither).await, None, "{neither}");
    }
    let suppressed = json!({"complaintSubType": "OnAccountSuppressionList"});
    world.portal.invoke("mail-feedback", report(suppressed)).await.unwrap();
    assert_eq!(told("other").await, None);
    assert_eq!(told("abuse").await, Some(json!("complained")));
    assert_eq!(told("auth-failure").await, Some(json!("complained")));
    assert_eq!(told("not-spam").await, None);
    let exported = marie.get("/api/me/export").await.expect(200);
    assert_eq!(exported["addresses"][0]["mail_state"]["mails"][0]["delivery"], "not-spam");
}

const CONTACT: &str = "compta@martin.example";

async fn alerts(world: &World) -> Vec<String> {
    world.portal.drain().await.unwrap();
    let event = json!({"operation": "list-alerts", "staff": "Claire", "reason": "tour"});
    let alerts = world.staff(event).await["alerts"].as_array().cloned().unwrap();
    alerts.iter().map(|alert| alert["alert"].as_str().unwrap().to_owned()).collect()
}

async fn staff_mails(world: &World) -> usize {
    world.mails().await.iter().filter(|mail| mail.subject == "Alerte\u{a0}: un contact n’est pas joint").count()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_contact_who_complained_is_told_of_claims_all_the_same_and_the_staff_are_alerted() {
    let world = World::start().await;
    world.portal.decide_mails_to(CONTACT, Fate::Complained);
    world.visitor().forgot(CONTACT).await.expect(202);
    world.sign_up(&Person::at(CONTACT)).await.expect(202);
    world.portal.drain().await.unwrap();
    let before = world.mails_to(CONTACT).await;
    world.portal.decide_mails_to(CONTACT, Fate::Delivered);
    let marie = world.member(MARIE).await;
    world.claim(&marie, ACCOUNT).await.expect(201);
    assert_eq!(world.mails_to(CONTACT).await, before + 1);
    contest_token(&world.newest_mail(CONTACT).await);
    assert_eq!(alerts(&world).await, ["contact-complained"]);
    assert_eq!(staff_mails(&world).await, 1);
    world.sweep().await;
    assert_eq!(alerts(&world).await.len(), 1, "once for each message");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_contact_without_a_mailbox_is_an_alert_with_the_first_claim_and_with_the_next() {
    let world = World::start().await;
    world.portal.decide_mails_to(CONTACT, Fate::Bounced);
    let marie = world.member(MARIE).await;
    world.claim(&marie, ACCOUNT).await.expect(201);
    assert_eq!(alerts(&world).await, ["contact-bounced"], "its notice came back");
    // Wrong numbers of a colleague: the pass is not sent any more.
    let paul = world.member("paul@martin.example").await;
    let zoe = world.member("zoe@martin.example").await;
    for guesser in [&paul, &zoe] {
        for _ in 0..5 {
            world.claim(guesser, "999999").await.expect_problem(404, "claim-refused");
        }
    }
    let told = alerts(&world).await;
    assert_eq!(told.iter().filter(|alert| *alert == "contact-bounced").count(), 2, "{told:?}");
    assert_eq!(staff_mails(&world).await, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_establishment_without_a_contact_is_an_alert_with_each_claim() {
    let world = World::start().await;
    let key = portal::store::Account::key_of(&portal::domain::MemberNumber::parse(ACCOUNT).unwrap());
    let without = Change::new().remove("contact_email");
    world.store().update(&key, &without, Some(&Condition::Exists)).await.unwrap();
    let marie = world.member(MARIE).await;
    world.claim(&marie, ACCOUNT).await.expect(201);
    assert_eq!(alerts(&world).await, ["contact-missing"]);
    assert_eq!(staff_mails(&world).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_that_does_nothing_says_what_is_true_of_its_kind() {
    let world = World::start().await;
    let visitor = world.visitor();
    let detail = async |target: &str, body: serde_json::Value| {
        let reply = visitor.post(target, &body).await.expect_problem(410, "link-invalid");
        reply["detail"].as_str().unwrap().to_owned()
    };
    let token = json!({"token": "none"});
    let password = detail("/api/password/link", token.clone()).await;
    let address = detail("/api/email/link", token.clone()).await;
    let contest = detail("/api/manager-claims/contest", token.clone()).await;
    assert!(password.contains("mot de passe"), "{password}");
    assert!(address.contains("changement d’adresse") && !address.contains("mot de passe"), "{address}");
    assert!(contest.contains("contester") && !contest.contains("mot de passe"), "{contest}");
    assert_eq!(detail("/api/email", token.clone()).await, address);
    let marie = world.member(MARIE).await;
    let terms = world.document("account-terms").await;
    let claim = json!({"member_number": ACCOUNT, "account_terms": terms, "token": "none"});
    let pass = marie.post("/api/manager-claims", &claim).await.expect_problem(410, "link-invalid");
    assert!(pass["detail"].as_str().unwrap().contains("24 heures"), "{pass}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_is_outstanding_until_it_is_used_or_over() {
    let world = World::start().await;
    let marie = world.user(&Person::at(MARIE)).await;
    let outstanding = async |visitor: &harness::Visitor| {
        let exported = visitor.get("/api/me/export").await.expect(200);
        let mails = exported["addresses"][0]["mails"].as_array().unwrap().clone();
        mails.iter().map(|mail| (mail["purpose"].clone(), mail["link_outstanding"].clone())).collect::<Vec<_>>()
    };
    assert_eq!(outstanding(&marie).await, [(json!("activation"), json!(false))], "it was used");
    marie.forgot(MARIE).await.expect(202);
    let token = link_token(&world.newest_mail(MARIE).await);
    assert_eq!(outstanding(&marie).await[1], (json!("reset"), json!(true)));
    world.advance(Duration::from_secs(31 * 60));
    marie.refresh().await.expect(200);
    assert_eq!(outstanding(&marie).await[1], (json!("reset"), json!(false)), "it is over");
    world.visitor().look_at_link(&token).await.expect_problem(410, "link-invalid");
    marie.forgot(MARIE).await.expect(202);
    let token = link_token(&world.newest_mail(MARIE).await);
    world.visitor().set_password(&token, PASSWORD).await.expect(204);
    marie.log_in(MARIE, PASSWORD).await.expect(200);
    assert_eq!(outstanding(&marie).await[1], (json!("reset"), json!(false)), "it was used");
}
