//! What the staff do to members: looking up, releasing, dismissing, sending again, closing. Each is evidence.

use std::collections::BTreeSet;
use std::time::Duration;

use futures::future::{join, join_all};
use harness::{
    ACCOUNT, Calls, EMPTY_SIRET, Held, OTHER_ACCOUNT, OTHER_SIRET, PASSWORD, Person, SIRET, Visitor, World,
    contest_token, link_token,
};
use local::Mail;
use portal::domain::{Email, Id, Siret, fund_day};
use portal::store::{AuditEvent, Establishment, EventKind, Outbox, Query, Release, StaffEvent, Table, Wish};
use serde_json::{Value, json};

const CLAIRE: &str = "Claire Durand";
const HUGO: &str = "Hugo Petit";
const MARIE: &str = "marie@martin.example";
const PAUL: &str = "paul@martin.example";

fn event(operation: &str, staff: &str, fields: Value) -> Value {
    let mut event = json!({"operation": operation, "staff": staff, "reason": "appel du 24/11"});
    event.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    event
}

async fn act(world: &World, operation: &str, staff: &str, fields: Value) -> Value {
    world.staff(event(operation, staff, fields)).await
}

async fn about(world: &World, operation: &str, staff: &str) -> Value {
    act(world, operation, staff, json!({"establishment": ACCOUNT})).await
}

/// What the staff did, oldest first: the act and its detail.
async fn acts(world: &World) -> Vec<StaffEvent> {
    let now = world.portal.clock().now();
    // A month may have ended since.
    let months = BTreeSet::from([now - Duration::from_secs(3600), now].map(|at| at.strftime("%Y-%m").to_string()));
    let mut acts = Vec::new();
    for month in months {
        let query = Query::partition(Table::Evidence, format!("STAFF#{month}"));
        acts.append(&mut world.store().query_all(&query).await.unwrap());
    }
    acts
}

fn target(rest: &str) -> String {
    format!("/api/accounts/{ACCOUNT}/{rest}")
}

async fn seat(world: &World) -> Establishment {
    world.store().get(&Establishment::key_of(&Siret::parse(SIRET).unwrap())).await.unwrap().unwrap()
}

/// Marie who manages, Paul who contests her, a reader.
async fn contested(world: &World) -> (Visitor, Visitor, Visitor) {
    let paul = world.user(&Person::at(PAUL).named("m", "DURAND")).await;
    world.accept_charter(&paul).await;
    world.let_prove(&paul).await;
    // Of a manager before.
    let reader = world.member("reader@martin.example").await;
    world.make_reader(&reader).await;
    let marie = world.manager(MARIE).await;
    let mails = world.mails().await;
    let notice = mails.iter().find(|mail| mail.to == PAUL && mail.text.contains("/contestation#")).unwrap();
    let token = json!({"token": contest_token(notice)});
    world.visitor().post("/api/manager-claims/contest", &token).await.expect(202);
    (marie, paul, reader)
}

async fn mails_about(world: &World, to: &str, subject: &str) -> Vec<Mail> {
    world.mails().await.into_iter().filter(|mail| mail.to == to && mail.subject.contains(subject)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_establishment_is_looked_up_by_its_siret_and_by_its_number() {
    let world = World::start().await;
    let (marie, paul, reader) = contested(&world).await;
    let shown = about(&world, "look-up-establishment", CLAIRE).await;
    let by_siret = json!({"establishment": "533 846 150 00019"});
    assert_eq!(act(&world, "look-up-establishment", CLAIRE, by_siret).await, shown);
    let establishment = &shown["establishment"];
    assert_eq!(establishment["name"], "MARTIN BTP");
    assert_eq!((&establishment["siret"], &establishment["member_number"]), (&json!(SIRET), &json!(ACCOUNT)));
    assert_eq!((&establishment["open"], &establishment["active"]), (&json!(true), &json!(true)));
    assert_eq!(establishment["contact_email"], "compta@martin.example");
    assert_eq!((&shown["manager"]["email"], &shown["manager"]["last_name"]), (&json!(MARIE), &json!("MARTIN")));
    let mut users: Vec<_> =
        shown["users"].as_array().unwrap().iter().map(|user| (user["email"].clone(), user["role"].clone())).collect();
    users.sort_by_key(|(email, _)| email.to_string());
    assert_eq!(users, [(json!(MARIE), json!("manager")), (json!("reader@martin.example"), json!("reader"))]);
    assert_eq!((&shown["invitations"], &shown["belonging"]), (&json!([]), &json!(3)));
    assert_eq!((&shown["contest"]["state"], &shown["contest"]["voices"]), (&json!("open"), &json!(1)));
    assert_eq!(shown["contest"]["by"], paul.id().await.to_string());
    assert_eq!(shown["alerts"][0]["alert"], "claim-contested");
    assert_eq!(shown["release"], json!(null));
    let told = acts(&world).await;
    assert_eq!(told.len(), 2, "each look is evidence");
    assert!(told.iter().all(|told| told.staff == CLAIRE && told.reason == "appel du 24/11"), "{told:?}");
    assert!(told.iter().all(|told| told.detail == format!("establishment {SIRET} {ACCOUNT}")), "{told:?}");
    // The log learns that something was looked at, and nobody's name.
    let lines = world.portal.log_lines();
    let lines: Vec<_> = lines.iter().filter(|line| line["function"] == "staff").map(Value::to_string).collect();
    assert!(lines.len() == 2 && lines.iter().all(|line| !line.contains("martin") && !line.contains("MARTIN")));
    for (visitor, status) in [(&marie, 200), (&reader, 200)] {
        visitor.get(&target("summary")).await.expect(status);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_is_looked_up_with_what_became_of_their_mails() {
    let world = World::start().await;
    let look = async |email: &str| act(&world, "look-up-user", CLAIRE, json!({"email": email})).await;
    // Nobody, then a sign-up that waits.
    let nobody = look(MARIE).await;
    assert_eq!(nobody, json!({"user": null, "sign_up": null, "mails": []}));
    let mut form = Person::at(MARIE).form(&world.document("terms").await);
    form["origin"] = json!("bretagne");
    world.visitor().post("/api/signup", &form).await.expect(202);
    world.mails().await;
    let waiting = look(MARIE).await;
    assert!(waiting["user"].is_null() && waiting["sign_up"]["link_until"].is_string(), "{waiting}");
    let mail = &waiting["mails"][0];
    assert_eq!((&mail["mail"], &mail["state"]), (&json!("sign-up"), &json!("delivered")));

    let marie = world.visitor();
    marie.set_password(&link_token(&world.newest_mail(MARIE).await), PASSWORD).await.expect(204);
    marie.log_in(MARIE, PASSWORD).await.expect(200);
    world.accept_charter(&marie).await;
    world.claim(&marie, ACCOUNT).await.expect(201);
    world.mails().await;
    let shown = look(&MARIE.to_uppercase()).await;
    assert_eq!((&shown["user"]["email"], &shown["user"]["last_name"]), (&json!(MARIE), &json!("MARTIN")));
    assert_eq!((&shown["establishment"]["siret"], &shown["sessions"]), (&json!(SIRET), &json!(1)));
    assert_eq!(shown["accounts"][0]["role"], "manager");
    assert_eq!(shown["user"]["origin"], "bretagne");
    assert_eq!(marie.get("/api/me/export").await.expect(200)["profile"]["origin"], "bretagne");
    assert_eq!(shown["proofs"], json!([ACCOUNT]));
    let kinds = |shown: &Value| -> Vec<String> {
        let mut kinds: Vec<_> =
            shown["mails"].as_array().unwrap().iter().map(|mail| mail["mail"].as_str().unwrap().to_owned()).collect();
        kinds.sort();
        kinds
    };
    assert_eq!(kinds(&shown), ["acceptance-receipt", "acceptance-receipt", "claim-made", "sign-up"]);
    // What waits is shown too, whether the wish names the address or its user.
    let store = world.store();
    let id = |n: u8| Id::from_bytes([n; 16]);
    let now = world.portal.clock().now();
    let siret = Siret::parse(SIRET).unwrap();
    let released =
        Wish::ManagerReleased { user_id: marie.id().await, siret: siret.clone(), establishment: "MARTIN".to_owned() };
    let reset = Wish::Reset { email: Email::parse(MARIE).unwrap() };
    let others = Wish::Reset { email: Email::parse(PAUL).unwrap() };
    for (n, wish) in (1..).zip([released, reset, others]) {
        let outbox = Outbox::new(id(n), wish, now);
        // Past the stream, which tells of what is new.
        store.put(&Outbox { wish: None, ..outbox.clone() }).await.unwrap();
        world.mails().await;
        store.put(&outbox).await.unwrap();
    }
    let shown = look(MARIE).await;
    let queued: Vec<_> = shown["mails"].as_array().unwrap().iter().filter(|mail| mail["state"] == "queued").collect();
    assert_eq!(queued.len(), 2, "{shown}");
    // No secret: no hash of a password, no key, no token, no session.
    let text = shown.to_string();
    for secret in ["argon2", "seal", "hash", "token", "refresh"] {
        assert!(!text.contains(secret), "{secret}: {text}");
    }
    let told = acts(&world).await;
    let user = format!("user {}", marie.id().await);
    assert_eq!(told.iter().map(|told| told.detail.as_str()).collect::<Vec<_>>(), ["nobody", "nobody", &user, &user]);
    assert!(told.iter().all(|told| !told.detail.contains('@')), "evidence stays when the address is gone");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_kept_of_mails_goes_with_the_user() {
    let world = World::start().await;
    let marie = world.member(MARIE).await;
    world.mails().await;
    let own = format!("USER#{}", marie.id().await);
    assert_eq!(world.count(Table::Identity, &format!("EMAIL#{MARIE}"), "MAIL-STATE").await, 1);
    let exported = marie.get("/api/me/export").await.expect(200);
    let exported = exported.body.to_string();
    for kind in ["sign-up", "acceptance-receipt"] {
        assert!(exported.contains(kind), "{exported}");
    }
    marie.send(http::Method::DELETE, "/api/me", Some(&json!({"current_password": PASSWORD}))).await.expect(204);
    world.mails().await;
    for pk in [own, format!("EMAIL#{MARIE}")] {
        assert_eq!(world.count(Table::Identity, &pk, "").await, 0, "nor of the last word");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_manager_is_released_by_two_and_the_account_can_be_claimed_again() {
    let world = World::start().await;
    let (marie, paul, reader) = contested(&world).await;
    let first = about(&world, "release-manager", CLAIRE).await;
    assert_eq!(first["awaiting_second"]["manager"]["last_name"], "MARTIN", "{first}");
    assert_eq!(seat(&world).await.manager.unwrap().user_id, marie.id().await, "nothing has changed");
    for same in [CLAIRE, "claire durand", " Claire  DURAND ", "Cláire Durand", "claire.durand@constructys.example"] {
        let refused = about(&world, "release-manager", same).await;
        let error = &refused["error"];
        assert_eq!((&error["code"], &error["field"]), (&json!("second-person-needed"), &json!("staff")), "{refused}");
        assert!(error["message"].as_str().unwrap().contains(CLAIRE), "{refused}");
    }
    let shown = about(&world, "look-up-establishment", HUGO).await;
    assert_eq!(shown["release"]["asked_by"], CLAIRE);
    let second = about(&world, "release-manager", HUGO).await;
    assert_eq!(second["released"]["asked_by"], CLAIRE, "{second}");

    // Seat and contest are gone; who sat there reads nothing; colleagues read on.
    let after = seat(&world).await;
    assert_eq!((after.manager, after.contested), (None, None));
    marie.get(&target("summary")).await.expect_problem(404, "not-found");
    marie.get(&target("users")).await.expect_problem(404, "not-found");
    assert_eq!(marie.get("/api/accounts").await.expect(200)["accounts"], json!([]));
    reader.get(&target("summary")).await.expect(200);
    let contests = act(&world, "list-contests", HUGO, json!({"all": true})).await;
    assert_eq!(contests["contests"][0]["state"], "released");
    assert_eq!(act(&world, "list-contests", HUGO, json!({})).await["contests"], json!([]));
    // Both are told.
    assert_eq!(mails_about(&world, MARIE, "a pris fin").await.len(), 1);
    let closed = mails_about(&world, PAUL, "vérification").await;
    assert!(closed.len() == 1 && closed[0].text.contains("mis fin"), "{closed:?}");
    // Evidence: of both acts, and of the access that ended.
    let told: Vec<_> = acts(&world).await.into_iter().map(|told| (json!(told.act), told.staff)).collect();
    let release = [(json!("release-asked"), CLAIRE.to_owned()), (json!("manager-released"), HUGO.to_owned())];
    assert!(release.iter().all(|wanted| told.contains(wanted)), "{told:?}");
    let subject = Query::partition(Table::Evidence, format!("SUBJECT#{}", marie.id().await)).beginning("EVENT#");
    let last = world.store().query_all::<AuditEvent>(&subject).await.unwrap().pop().unwrap();
    assert_eq!((last.event, last.actor), (EventKind::AccessRevoked, None));

    // There is nothing left to release; the next claim works, with the OUI that colleagues go on reading by.
    assert_eq!(about(&world, "release-manager", HUGO).await["error"]["code"], "no-manager");
    world.claim(&paul, ACCOUNT).await.expect(201);
    let accounts = paul.get("/api/accounts").await.expect(200);
    assert_eq!(
        (&accounts["accounts"][0]["role"], &accounts["accounts"][0]["active"]),
        (&json!("manager"), &json!(true))
    );
    paul.get(&target("summary")).await.expect(200);
    paul.post(&target("users"), &json!({"email": "new@cabinet.example"})).await.expect(202);
}

#[tokio::test(flavor = "multi_thread")]
async fn alone_a_released_manager_takes_their_oui_along() {
    let world = World::start().await;
    world.manager(MARIE).await;
    about(&world, "release-manager", CLAIRE).await;
    assert!(about(&world, "release-manager", HUGO).await["released"].is_object());
    let paul = world.member(PAUL).await;
    world.claim(&paul, ACCOUNT).await.expect(201);
    paul.get(&target("summary")).await.expect_problem(409, "account-not-activated");
    // Nobody contested: the contact on file is told instead.
    assert_eq!(mails_about(&world, "compta@martin.example", "vérification").await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_intention_ends_after_a_day_and_is_about_the_person() {
    let world = World::start().await;
    let marie = world.manager(MARIE).await;
    assert!(about(&world, "release-manager", CLAIRE).await["awaiting_second"].is_object());
    world.advance(Release::LIFETIME);
    let late = about(&world, "release-manager", HUGO).await;
    assert!(late["awaiting_second"].is_object(), "too late: Hugo is the first now: {late}");
    assert_eq!(about(&world, "release-manager", HUGO).await["error"]["code"], "second-person-needed");
    // Marie goes and comes back: what is wanted is about her.
    let marie = {
        marie.log_in(MARIE, PASSWORD).await.expect(200);
        marie
    };
    for siret in [OTHER_SIRET, SIRET] {
        marie.patch("/api/me", &json!({"siret": siret})).await.expect(200);
    }
    world.claim(&marie, ACCOUNT).await.expect_problem(409, "claim-contested");
    assert_eq!(about(&world, "look-up-establishment", CLAIRE).await["release"]["asked_by"], HUGO);
    assert!(about(&world, "release-manager", CLAIRE).await["released"].is_object());
    world.let_claim_again(&marie).await;
    world.claim(&marie, ACCOUNT).await.expect_problem(403, "claim-barred");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_contest_that_is_dismissed_opens_what_it_froze_and_both_are_told() {
    let world = World::start().await;
    let (marie, ..) = contested(&world).await;
    let invited = json!({"email": "new@cabinet.example"});
    marie.post(&target("users"), &invited).await.expect_problem(409, "claim-contested");
    about(&world, "release-manager", HUGO).await;
    let listed = act(&world, "list-contests", CLAIRE, json!({})).await;
    assert_eq!((&listed["contests"][0]["state"], &listed["contests"][0]["siret"]), (&json!("open"), &json!(SIRET)));
    assert_eq!(about(&world, "dismiss-contest", CLAIRE).await["dismissed"]["member_number"], ACCOUNT);
    marie.post(&target("users"), &invited).await.expect(202);
    for to in [MARIE, PAUL] {
        let told = mails_about(&world, to, "vérification").await;
        assert!(told.len() == 1 && told[0].text.contains("confirmé dans son rôle"), "{told:?}");
    }
    let again = about(&world, "dismiss-contest", CLAIRE).await;
    assert_eq!(again["error"]["code"], "not-contested");
    let listed = act(&world, "list-contests", CLAIRE, json!({"all": true})).await;
    assert_eq!(listed["contests"][0]["state"], "dismissed");
    let shown = about(&world, "look-up-establishment", CLAIRE).await;
    assert_eq!(
        (&shown["contest"], &shown["release"]),
        (&json!(null), &json!(null)),
        "nor does anybody wait to release her"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_contest_stays_when_its_manager_leaves_and_goes_along_when_the_account_moves() {
    let world = World::start().await;
    let (marie, _, reader) = contested(&world).await;
    // The fund's file moves the account: manager and contest go along.
    let (members, _) = harness::fixture();
    let moved = members.replace("\"version\":1", "\"version\":2").replace(SIRET, EMPTY_SIRET);
    world.import("2012-10-16-001", &moved, "").await;
    marie.post(&target("users"), &json!({"email": "new@cabinet.example"})).await.expect_problem(409, "claim-contested");
    let back = members.replace("\"version\":1", "\"version\":3");
    world.import("2012-10-17-001", &back, "").await;
    assert!(about(&world, "look-up-establishment", CLAIRE).await["contest"].is_object());
    reader.delete(&target(&format!("users/{}", reader.id().await))).await.expect(204);
    marie.patch("/api/me", &json!({"siret": OTHER_SIRET})).await.expect(200);
    let seat = seat(&world).await;
    assert!(seat.manager.is_none() && seat.contested.is_some(), "{seat:?}");
    let listed = act(&world, "list-contests", CLAIRE, json!({"all": true})).await;
    assert_eq!(listed["contests"][0]["state"], "open");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_goes_out_again_and_its_link_is_in_the_mail_alone() {
    let world = World::start().await;
    let resend = async |fields: Value| act(&world, "resend-mail", CLAIRE, fields).await;
    let activation = json!({"email": MARIE, "mail": "activation"});
    assert_eq!(resend(activation.clone()).await["error"]["code"], "no-sign-up");
    world.sign_up(&Person::at(MARIE)).await.expect(202);
    let first = world.newest_mail(MARIE).await;
    // Almost a day later, the same link again, good for another day.
    world.advance(Duration::from_secs(23 * 3600));
    let answer = resend(activation.clone()).await;
    assert_eq!(answer["queued"]["mail"], "sign-up", "{answer}");
    assert_eq!(world.mails_to(MARIE).await, 2);
    let token = link_token(&world.newest_mail(MARIE).await);
    assert_eq!(token, link_token(&first));
    assert!(!answer.to_string().contains(&token));
    world.advance(Duration::from_secs(2 * 3600));
    let marie = world.visitor();
    marie.set_password(&token, PASSWORD).await.expect(204);
    assert_eq!(resend(activation).await["error"]["code"], "has-a-space");

    let reset = json!({"email": MARIE, "mail": "reset"});
    assert_eq!(resend(json!({"email": PAUL, "mail": "reset"})).await["error"]["code"], "no-space");
    assert_eq!(resend(reset.clone()).await["queued"]["mail"], "reset");
    let token = link_token(&world.newest_mail(MARIE).await);
    assert_eq!(resend(reset.clone()).await["error"]["code"], "mailed-lately");
    world.advance(Duration::from_secs(61));
    assert_eq!(resend(reset).await["queued"]["mail"], "reset");
    marie.set_password(&token, PASSWORD).await.expect_problem(410, "link-invalid");
    marie.set_password(&link_token(&world.newest_mail(MARIE).await), PASSWORD).await.expect(204);

    // What waits is woken.
    let outbox = Outbox::new(
        Id::from_bytes([9; 16]),
        Wish::Reset { email: Email::parse(MARIE).unwrap() },
        world.portal.clock().now() + Duration::from_secs(120),
    );
    let store = world.store();
    store.put(&Outbox { wish: None, ..outbox.clone() }).await.unwrap();
    world.mails().await;
    store.put(&outbox).await.unwrap();
    let before = world.mails_to(MARIE).await;
    let by_id = json!({"id": outbox.outbox_id});
    assert_eq!(resend(by_id.clone()).await["queued"]["mail"], "reset");
    assert_eq!(world.mails_to(MARIE).await, before + 1);
    assert_eq!(resend(by_id).await["error"]["code"], "not-queued");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_closed_account_takes_no_claims_and_grants_and_is_read_on_until_the_file_decides() {
    let world = World::start().await;
    let marie = world.manager(MARIE).await;
    let today = fund_day(world.portal.clock().now());
    let closed = about(&world, "close-account", CLAIRE).await;
    assert!(closed["closed"]["closed_on"].is_string(), "{closed}");
    marie.get(&target("summary")).await.expect(200);
    marie.post(&target("users"), &json!({"email": "x@cabinet.example"})).await.expect_problem(403, "manager-only");
    assert_eq!(about(&world, "close-account", HUGO).await["error"]["code"], "closed-already");
    // The same record again says nothing new; the next one decides.
    let (members, _) = harness::fixture();
    world.import("2012-10-16-001", &members, "").await;
    assert!(!seat(&world).await.is_open(today));
    world.import("2012-10-17-001", &members.replace("\"version\":1", "\"version\":2"), "").await;
    assert!(seat(&world).await.is_open(today));
    marie.post(&target("users"), &json!({"email": "x@cabinet.example"})).await.expect(202);
    let other = act(&world, "close-account", CLAIRE, json!({"establishment": OTHER_ACCOUNT})).await;
    assert_eq!(other["closed"]["siret"], OTHER_SIRET);
    let paul = world.user(&Person::at(PAUL).of(OTHER_SIRET)).await;
    world.accept_charter(&paul).await;
    world.claim(&paul, OTHER_ACCOUNT).await.expect_problem(404, "claim-refused");
}

#[tokio::test(flavor = "multi_thread")]
async fn guesses_that_reach_a_limit_are_listed() {
    let world = World::start().await;
    for name in ["one", "two"] {
        let guesser = world.member(&format!("{name}@martin.example")).await;
        for _ in 0..5 {
            world.claim(&guesser, OTHER_ACCOUNT).await.expect_problem(404, "claim-refused");
        }
    }
    let alerts = act(&world, "list-alerts", CLAIRE, json!({})).await;
    let mut kinds: Vec<_> =
        alerts["alerts"].as_array().unwrap().iter().map(|alert| alert["alert"].as_str().unwrap()).collect();
    kinds.sort_unstable();
    assert_eq!(kinds, ["guesses-of-establishment", "guesses-of-user", "guesses-of-user"]);
    let shown = about(&world, "look-up-establishment", CLAIRE).await;
    assert_eq!(shown["alerts"].as_array().unwrap().len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_in_the_ledger_is_listed_with_what_stays_in_force() {
    let world = World::start().await;
    let none = act(&world, "list-waiting", CLAIRE, json!({})).await;
    assert_eq!((&none["summary"]["records"], &none["waiting"]), (&json!(0), &json!([])), "{none}");
    let sent = |key: &str, version: u64, account: &str, cents: u64| {
        json!({"record": "entry", "source_key": key, "source_version": version, "member_number": account,
            "action_id": "2011-mistyped", "kind": "COMMITMENT", "amount_cents": cents,
            "effective_date": "2011-11-30", "label": "Engagement"})
    };
    // The fixture has posted its first version.
    let (_, ledger) = harness::fixture();
    let first = ledger.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let first = first.into_iter().find(|record| record["kind"] == "COMMITMENT").unwrap();
    let correction = sent(first["source_key"].as_str().unwrap(), 9, ACCOUNT, 700);
    let stranger = sent("E-new", 1, "000077", 30);
    let report = world.import("2012-11-20-001", "", &format!("{correction}\n{stranger}\n")).await;
    assert_eq!(report.pending, 2, "{report:?}");
    let told = act(&world, "list-waiting", CLAIRE, json!({})).await;
    assert_eq!((&told["summary"]["records"], &told["summary"]["amount_cents"]), (&json!(2), &json!(730)), "{told}");
    let rows = told["waiting"].as_array().unwrap();
    let of = |account: &str| rows.iter().find(|row| row["member_number"] == account).unwrap();
    assert_eq!((&of(ACCOUNT)["waits_for"], &of("000077")["waits_for"]), (&json!("action"), &json!("member")));
    assert_eq!(of(ACCOUNT)["in_force_cents"], first["amount_cents"], "{told}");
    assert_eq!((&of("000077")["in_force_cents"], &of("000077")["batch_id"]), (&json!(null), &json!("2012-11-20-001")));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_refused_names_its_field_and_leaves_nothing() {
    let world = World::start().await;
    world.manager(MARIE).await;
    let with = |operation: &str, fields: Value| event(operation, CLAIRE, fields);
    for (event, field, code) in [
        (with("look-up-establishment", json!({})), "establishment", "required"),
        (with("look-up-establishment", json!({"establishment": 12345})), "establishment", "not-a-string"),
        (with("look-up-establishment", json!({"establishment": "MARTIN"})), "establishment", "no-establishment"),
        (with("look-up-establishment", json!({"establishment": "12345"})), "establishment", "member-number"),
        (with("look-up-establishment", json!({"establishment": "5338461500019"})), "establishment", "siret-length"),
        (with("look-up-establishment", json!({"establishment": "53384615000018"})), "establishment", "siret-checksum"),
        (with("look-up-establishment", json!({"establishment": "999999"})), "establishment", "establishment-unknown"),
        (
            with("look-up-establishment", json!({"establishment": EMPTY_SIRET})),
            "establishment",
            "establishment-unknown",
        ),
        (with("look-up-establishment", json!({"establishment": ACCOUNT, "more": 1})), "more", "unknown-field"),
        (with("look-up-user", json!({})), "email", "required"),
        (with("look-up-user", json!({"email": "marie"})), "email", "email-invalid"),
        (with("release-manager", json!({"establishment": OTHER_ACCOUNT})), "establishment", "no-manager"),
        (with("dismiss-contest", json!({"establishment": ACCOUNT})), "establishment", "not-contested"),
        (with("resend-mail", json!({"email": MARIE})), "mail", "required"),
        (with("resend-mail", json!({"email": MARIE, "mail": "claim-made"})), "mail", "mail-unknown"),
        (with("resend-mail", json!({"id": "x"})), "id", "not-an-id"),
        (with("resend-mail", json!({"id": "0".repeat(32)})), "id", "not-queued"),
        (with("resend-mail", json!({"id": "0".repeat(32), "email": MARIE})), "email", "unknown-field"),
        (with("list-contests", json!({"all": "yes"})), "all", "not-a-flag"),
        (with("list-alerts", json!({"limit": 1})), "limit", "unknown-field"),
        (json!({"operation": "list-alerts", "staff": CLAIRE}), "reason", "required"),
        (json!({"operation": "release-manager", "reason": "x", "establishment": ACCOUNT}), "staff", "required"),
    ] {
        let answer = world.staff(event.clone()).await;
        let error = &answer["error"];
        assert_eq!((&error["field"], &error["code"]), (&json!(field), &json!(code)), "{event}: {answer}");
        assert!(error["message"].as_str().unwrap().ends_with('.'), "{answer}");
    }
    assert_eq!(acts(&world).await.len(), 0, "nothing was done, and nothing shown");
}

/// Those who confirm at once release once; a contest, a grant or a claim of that moment came before or after; grants
/// and seat agree, and the evidence tells what happened.
#[tokio::test(flavor = "multi_thread")]
async fn of_releases_a_contest_grants_and_claims_at_once_the_end_is_one_of_the_possible_ones() {
    let mut released = 0;
    let staff = Calls::of("staff");
    for (calls, passing) in [(staff, 0), (staff, 2), (Calls::transactions_of("staff"), 0)] {
        let (held, options) = Held::on_dynamodb();
        let world = World::start_with(options).await;
        let others = world.users(&[Person::at(PAUL), Person::at("zoe@martin.example")]).await;
        for other in &others {
            world.accept_charter(other).await;
        }
        world.let_prove(&others[0]).await;
        let marie = world.manager(MARIE).await;
        let mails = world.mails().await;
        let notice = mails.iter().find(|mail| mail.to == PAUL && mail.text.contains("/contestation#")).unwrap();
        let token = json!({"token": contest_token(notice)});
        assert!(about(&world, "release-manager", CLAIRE).await["awaiting_second"].is_object());

        let (stranger, invited) = (world.visitor(), json!({"email": "guest@cabinet.example"}));
        let users = target("users");
        let confirm = join_all([HUGO, "Inès Roy", "Jean Faure"].map(|name| about(&world, "release-manager", name)));
        let contest = stranger.post("/api/manager-claims/contest", &token);
        let claims = join_all(others.iter().map(|other| world.claim(other, ACCOUNT)));
        // One of those who confirm is overtaken by all others.
        let rest = join(contest, join(marie.post(&users, &invited), claims));
        let (confirmed, rest) = held.behind(passing, calls, confirm, rest).await;
        let (contested, (granted, claimed)) = rest.unwrap();

        let done = confirmed.iter().filter(|answer| answer["released"].is_object()).count();
        assert!(done <= 1, "{confirmed:?}");
        for answer in confirmed.iter().filter(|answer| !answer["released"].is_object()) {
            let told = answer["error"]["code"].as_str().or(answer["awaiting_second"].is_object().then_some("awaiting"));
            assert!(matches!(told, Some("changed-meanwhile" | "no-manager" | "awaiting")), "{answer}");
        }
        assert!([202, 410].contains(&contested.status), "{contested}");
        let known = granted.status == 202
            || [(409, "claim-contested"), (403, "manager-only"), (404, "not-found")]
                .contains(&(granted.status, granted.problem()));
        assert!(known, "{granted}");
        assert!(claimed.iter().all(|claim| [201, 409, 503].contains(&claim.status)), "{claimed:?}");
        released += done;

        let seat = seat(&world).await;
        let items = world.items(Table::Members).await;
        let text = |item: &portal::store::Item, name: &str| {
            item.get(name).and_then(|value| value.as_s().ok()).cloned().unwrap_or_default()
        };
        let managers: Vec<_> = items
            .iter()
            .filter(|item| text(item, "pk") == format!("ACCOUNT#{ACCOUNT}") && text(item, "role") == "manager")
            .map(|item| text(item, "user_id"))
            .collect();
        let sits: Vec<_> = seat.manager.iter().map(|manager| manager.user_id.to_string()).collect();
        assert_eq!(managers, sits, "grants and seat agree");
        assert_eq!(done == 1, !sits.contains(&marie.id().await.to_string()), "{confirmed:?}");
        assert_eq!(marie.get(&target("summary")).await.status, if done == 1 { 404 } else { 200 });
        let told = acts(&world).await.into_iter().filter(|told| json!(told.act) == "manager-released").count();
        assert_eq!(told, done, "each release is evidence, and nothing else is");
    }
    assert!(released > 0, "of three, two were held by nothing");
}
