//! A bit of everything that the portal does, for what has to hold of all of it.

use std::time::Duration;

use harness::{
    ACCOUNT, EMPTY_SIRET, OTHER_ACCOUNT, OTHER_SIRET, PASSWORD, Person, SIRET, Visitor, World, address_token,
    contest_freezes, contest_token, fixture, link_token, pass_token,
};
use http::Method;
use local::Fate;
use portal::domain::{DocumentKind, Email, Id};
use portal::environment::rng;
use portal::store::{Outbox, Wish};
use serde_json::{Value, json};

/// What the back office may send: corrections, and entries before their action or their member.
async fn feeds(world: &World) {
    let (members, ledger) = fixture();
    let corrected = ledger.replace("\"source_version\":1", "\"source_version\":2").replace("0000,", "1000,");
    let members = members.replace("\"version\":1", "\"version\":2").replace("MARTIN BTP", "MARTIN TRAVAUX");
    assert!(world.import("2012-10-16-001", &members, &corrected).await.corrected > 0);
    let (actions, entries): (Vec<&str>, Vec<&str>) = ledger
        .lines()
        .filter(|line| line.contains("2012-000001"))
        .partition(|line| line.contains("\"record\":\"action\""));
    let renamed = |lines: &[&str]| {
        let lines: String = lines.iter().map(|line| format!("{line}\n")).collect();
        lines.replace("2012-000001", "2012-000009").replace("\"source_key\":\"", "\"source_key\":\"N")
    };
    assert!(world.import("2012-10-17-001", "", &renamed(&entries)).await.pending > 0);
    assert!(world.import("2012-10-18-001", "", &renamed(&actions)).await.posted > 0);
    let of_nobody = renamed(&entries).replace(ACCOUNT, "000077").replace("\"source_key\":\"", "\"source_key\":\"M");
    assert!(world.import("2012-10-18-002", "", &of_nobody).await.pending > 0);
}

/// Somebody changes password and address, with what it was invited to, comes back from that, takes their data away, and
/// goes.
async fn own_space(world: &World, manager: &Visitor) {
    let (old, new) = ("ana@martin.example", "ana@toitures.example");
    let ana = world.member(old).await;
    manager.post(&format!("/api/accounts/{ACCOUNT}/users"), &json!({"email": old})).await.expect(202);
    let wrong = json!({"current_password": "faux", "password": PASSWORD, "password_confirmation": PASSWORD});
    ana.post("/api/me/password", &wrong).await.expect_problem(403, "bad-current-password");
    let other = "escabeau mauve tournevis 7";
    let password = json!({"current_password": PASSWORD, "password": other, "password_confirmation": other});
    ana.post("/api/me/password", &password).await.expect(204);
    ana.refresh().await.expect(200);
    let email = json!({"current_password": other, "email": new, "email_confirmation": new});
    ana.post("/api/me/email", &email).await.expect(202);
    for address in [new, old] {
        let mail = world.newest_mail(address).await;
        let token = address_token(&mail);
        ana.post("/api/email/link", &json!({"token": token})).await.expect(200);
        ana.post("/api/email", &json!({"token": token})).await.expect(204);
    }
    ana.set_password(&link_token(&world.newest_mail(old).await), PASSWORD).await.expect(204);
    ana.log_in(old, PASSWORD).await.expect(200);
    ana.get("/api/me/export").await.expect(200);
    let sure = json!({"current_password": PASSWORD});
    ana.send(Method::DELETE, "/api/me", Some(&sure)).await.expect(204);
}

/// So many wrong numbers that the establishment's contact is mailed a pass, which a wrong number uses up.
async fn passes(world: &World, paul: &Visitor) {
    for name in ["one", "two"] {
        let guesser = world.member(&format!("{name}@elsewhere.example")).await;
        for _ in 0..5 {
            world.claim(&guesser, OTHER_ACCOUNT).await;
        }
    }
    let token = pass_token(&world.newest_mail("compta@martin.example").await);
    let terms = world.document("account-terms").await;
    let claim = json!({"member_number": OTHER_ACCOUNT, "account_terms": terms, "token": token});
    paul.post("/api/manager-claims", &claim).await.expect_problem(404, "claim-refused");
}

/// A claim is contested by two, is found to be right, is contested again, and its manager released; mails are sent
/// again, and the account is closed.
async fn contests(world: &World) {
    // The guesses of before are forgotten.
    world.advance(Duration::from_secs(25 * 3600));
    let staff = async |operation: &str, staff: &str, more: Value| {
        let mut event = json!({"operation": operation, "staff": staff, "reason": "appel du 24/11"});
        event.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let answer = world.staff(event).await;
        assert!(answer["error"].is_null(), "{answer}");
    };
    for name in ["lea", "noe", "ugo"] {
        world.member(&format!("{name}@btp.example")).await;
    }
    let noe = world.visitor();
    noe.log_in("noe@btp.example", PASSWORD).await.expect(200);
    world.claim(&noe, ACCOUNT).await.expect(201);
    let mails = world.mails().await;
    // Of his claim: that of the contact freezes, that of a colleague adds its voice.
    let newest = |freezes: bool| {
        let told = |mail: &&local::Mail| mail.text.contains("/contestation#") && contest_freezes(mail) == freezes;
        contest_token(mails.iter().rev().find(told).unwrap())
    };
    let tokens = [newest(true), newest(false)];
    let contest = async |token: &str| {
        world.visitor().post("/api/manager-claims/contest", &json!({"token": token})).await.expect(202);
    };
    contest(&tokens[0]).await;
    contest(&tokens[1]).await;
    let here = json!({"establishment": ACCOUNT});
    staff("look-up-establishment", "Claire", here.clone()).await;
    staff("list-contests", "Claire", json!({"all": true})).await;
    staff("list-alerts", "Claire", json!({})).await;
    staff("list-waiting", "Claire", json!({})).await;
    staff("look-up-user", "Claire", json!({"email": "noe@btp.example"})).await;
    staff("dismiss-contest", "Claire", here.clone()).await;
    staff("release-manager", "Claire", here.clone()).await;
    staff("release-manager", "Hugo", here.clone()).await;
    staff("allow-claim", "Hugo", json!({"establishment": ACCOUNT, "email": "noe@btp.example"})).await;
    staff("resend-mail", "Claire", json!({"email": "noe@btp.example", "mail": "reset"})).await;
    world.sign_up(&Person::at("late@btp.example")).await.expect(202);
    world.mails().await;
    staff("resend-mail", "Claire", json!({"email": "late@btp.example", "mail": "activation"})).await;
    world.mails().await;
    staff("close-account", "Claire", here).await;
}

/// Two ask the manager for access: one gets it, and the role for a while.
async fn colleagues(world: &World, marie: &Visitor) {
    let account = format!("/api/accounts/{ACCOUNT}");
    let kim = world.user(&Person::at("kim@laposte.example").of(OTHER_SIRET)).await;
    world.accept_charter(&kim).await;
    // With the token of before.
    kim.patch("/api/me", &json!({"siret": SIRET})).await.expect(200);
    let lee = world.member("lee@martin.example").await;
    for asking in [&kim, &lee] {
        asking.post("/api/access-requests", &json!({"message": "Bonjour"})).await.expect(202);
    }
    world.mails().await;
    marie.post(&format!("{account}/users"), &json!({"emails": ["kim@laposte.example"]})).await.expect(202);
    marie.delete(&format!("{account}/users/{}", lee.id().await)).await.expect(204);
    marie.get("/api/accounts?q=martin&limit=1").await.expect(200);
    let (marie_id, kim_id) = (marie.id().await, kim.id().await);
    marie.post(&format!("{account}/manager"), &json!({"id": kim_id})).await.expect(200);
    kim.post(&format!("{account}/manager"), &json!({"id": marie_id})).await.expect(200);
    kim.delete(&format!("{account}/users/{kim_id}")).await.expect(204);
}

/// A bit of everything that the portal does.
pub(crate) async fn everything(world: &World) {
    feeds(world).await;
    let marie = world.manager("marie@martin.example").await;
    for target in ["/api/home", "/api/me", "/api/sessions", "/api/accounts", "/api/documents/terms/1"] {
        marie.get(target).await.expect(200);
    }
    for rest in [
        "summary",
        "actions",
        "actions?view=2012",
        "actions?view=2012&status=PAID",
        "actions?view=2012&scheme=PLAN",
        "actions?view=2012&status=PAID&scheme=PLAN",
        "actions?status=PAID",
        "actions/2012-000001",
        "contributions",
        "remittances?view=2012",
        "remittances/V-2012-0042",
        "ledger?view=2012&kind=COMMITMENT",
        "ledger?from=2012-01-01",
        "ledger.csv",
        "ledger.xlsx?view=2012",
        "ledger.csv?kind=COMMITMENT",
        "ledger.csv?from=2012-01-01",
        "actions.csv",
        "actions.xlsx?view=2012&status=PAID&scheme=PLAN",
        "contributions.csv?view=2011",
        "remittances.csv?q=0042",
        "statement.pdf",
        "statement.pdf?view=2012",
    ] {
        marie.get(&format!("/api/accounts/{ACCOUNT}/{rest}")).await.expect(200);
    }
    let exports = format!("/api/accounts/{ACCOUNT}/exports");
    let export = marie.post(&exports, &json!({"format": "csv"})).await.expect(202);
    world.portal.drain().await.unwrap();
    let export = marie.get(&format!("{exports}/{}", export["id"].as_str().unwrap())).await.expect(200);
    assert_eq!(export["state"], "ready");
    for file in
        [json!({"file": "actions", "format": "csv", "status": "PAID"}), json!({"kind": "COMMITMENT", "format": "csv"})]
    {
        marie.post(&exports, &file).await.expect(202);
        world.portal.drain().await.unwrap();
    }
    assert_eq!(marie.get(&exports).await.expect(200)["items"].as_array().unwrap().len(), 3);
    for file in [json!({"format": "csv"}), json!({"file": "statement", "format": "pdf"})] {
        let made = marie.post(&format!("/api/accounts/{ACCOUNT}/file-links"), &file).await.expect(201);
        let url = made["url"].as_str().unwrap();
        world.visitor().get(&url[url.find("/api/").unwrap()..]).await.expect(200);
    }
    marie.patch("/api/me", &json!({"job_title": "Gérante"})).await.expect(200);
    marie.refresh().await.expect(200);
    let mut terms = world.document("terms").await;
    terms["kind"] = json!("terms");
    assert!([200, 201].contains(&marie.post("/api/acceptances", &terms).await.status));
    let paul = world.member("paul@martin.example").await;
    world.claim(&paul, ACCOUNT).await.expect_problem(409, "already-managed");
    world.claim(&paul, OTHER_ACCOUNT).await.expect_problem(404, "claim-refused");
    passes(world, &paul).await;
    paul.log_in("paul@martin.example", "faux").await.expect_problem(401, "bad-credentials");
    paul.patch("/api/me", &json!({"siret": OTHER_SIRET})).await.expect(200);
    world.claim(&paul, OTHER_ACCOUNT).await.expect(201);
    world.sign_up(&Person::at("paul@martin.example")).await.expect(202);
    // The second link replaces the first.
    for _ in 0..2 {
        world.advance(Duration::from_secs(61));
        paul.post("/api/password/forgot", &json!({"email": "paul@martin.example"})).await.expect(202);
        world.mails().await;
    }
    world.sign_up(&Person::at("nobody@martin.example")).await.expect(202);
    let declined = json!({"token": link_token(&world.newest_mail("nobody@martin.example").await)});
    world.visitor().post("/api/password/decline", &declined).await.expect(204);
    let token = link_token(&world.newest_mail("paul@martin.example").await);
    paul.post("/api/password/link", &json!({"token": token})).await.expect(200);
    let password = json!({"token": token, "password": PASSWORD, "password_confirmation": PASSWORD});
    paul.post("/api/password", &password).await.expect(204);
    world.visitor().get("/.well-known/jwks.json").await.expect(200);
    let users = format!("/api/accounts/{ACCOUNT}/users");
    let zoe = world.member("zoe@martin.example").await;
    for opens in [Some("summary"), Some("ledger.csv"), Some("statement.pdf"), None] {
        marie.post(&users, &json!({"email": "zoe@martin.example"})).await.expect(202);
        if let Some(read) = opens {
            zoe.get(&format!("/api/accounts/{ACCOUNT}/{read}")).await.expect(200);
        }
        // The answer that is there already, of which invitations have a copy too.
        marie.put(&format!("/api/accounts/{ACCOUNT}/activation"), &json!({"use": true})).await.expect(200);
        let listed = marie.get(&users).await.expect(200);
        let id = listed["users"][1]["id"].as_str().unwrap();
        marie.delete(&format!("{users}/{id}")).await.expect(204);
    }
    colleagues(world, &marie).await;
    own_space(world, &marie).await;
    // A manager changes her name, and leaves alone.
    marie.patch("/api/me", &json!({"last_name": "Dupont"})).await.expect(200);
    marie.patch("/api/me", &json!({"siret": OTHER_SIRET})).await.expect(200);
    marie.get("/api/home").await.expect(200);
    let sessions = paul.log_in("paul@martin.example", PASSWORD).await.expect(200);
    assert!(sessions["access_token"].is_string());
    paul.delete("/api/sessions/all").await.expect(204);
    marie.delete("/api/sessions/current").await.expect(204);
    // A mail that was not sent in time is woken.
    let id = Id::random(&mut rng());
    let wish = Wish::Reset { email: Email::parse("marie@martin.example").unwrap() };
    let outbox = Outbox::new(id, wish, world.portal.clock().now());
    let store = world.portal.store().unwrap();
    store.put(&Outbox { wish: None, ..outbox.clone() }).await.unwrap();
    world.mails().await;
    store.put(&outbox).await.unwrap();
    world.advance(Duration::from_secs(600));
    let reconciled = world.portal.invoke("reconcile", json!({})).await.unwrap();
    assert_eq!((&reconciled["drift"], &reconciled["busy"]), (&json!(0), &json!([])), "{reconciled}");
    let hour = json!({"detail-type": "Scheduled Event", "time": "2026-11-23T09:15:00Z"});
    let written = world.portal.invoke("reconcile", hour).await.unwrap();
    assert!(written["digest"].is_string(), "{written}");
    let swept = world.portal.invoke("sweep-outbox", json!({})).await.unwrap();
    assert_eq!(swept, json!({"woken": 1}));
    world.mails().await;

    // The staff publish a document, news of which one expires, and an application.
    world.publish(DocumentKind::Terms).await;
    contests(world).await;
    let staff = |event: Value| async {
        let mut event = event;
        (event["staff"], event["reason"]) = (json!("Claire Durand"), json!("essai"));
        let answer = world.staff(event).await;
        assert!(answer["error"].is_null(), "{answer}");
        answer
    };
    let soon = (world.portal.clock().now() + Duration::from_secs(60)).to_string();
    staff(json!({"operation": "publish-news", "title": "Bref", "body": "Texte.", "expires_at": soon})).await;
    world.advance(Duration::from_secs(61));
    let news = staff(json!({"operation": "publish-news", "title": "Durable", "body": "Texte."})).await;
    staff(json!({"operation": "withdraw-news", "id": news["published"]["id"]})).await;
    staff(json!({"operation": "put-application", "id": "catalogue", "title_fr": "Catalogue", "title_en": "Catalogue",
        "url": "/catalogue", "audience": "everyone", "order": 20, "enabled": true}))
    .await;
    staff(json!({"operation": "remove-application", "id": "catalogue"})).await;
    // A mail came back, and the mailbox is mended.
    world.portal.decide_mails_to("zoe@martin.example", Fate::Bounced);
    world.visitor().forgot("zoe@martin.example").await.expect(202);
    world.mails().await;
    staff(json!({"operation": "resume-mail", "email": "zoe@martin.example"})).await;
    staff(json!({"operation": "mail-pass", "establishment": OTHER_SIRET, "email": "zoe@martin.example"})).await;

    // An establishment moves, and a key comes to its end.
    let (members, _) = fixture();
    let moved = members.replace("\"version\":1", "\"version\":3").replace(OTHER_SIRET, EMPTY_SIRET);
    world.import("2012-10-19-001", &moved, "").await;
    for _ in 0..2 {
        world.advance(Duration::from_secs(30 * 24 * 3600));
        world.portal.invoke("rotate-keys", json!({})).await.unwrap();
    }
    // Then nobody comes any more.
    for months in [24, 2] {
        world.advance(Duration::from_secs(months * 31 * 24 * 3600));
        world.portal.invoke("expire-users", json!({})).await.unwrap();
    }
}
