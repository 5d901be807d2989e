//! Somebody became manager: who is told, and what becomes of « ce n’est pas normal ».

use std::collections::BTreeSet;
use std::time::Duration;

use futures::future::join_all;
use harness::{
    ACCOUNT, Calls, Held, OTHER_SIRET, Order, PASSWORD, Person, Reply, SIRET, Tap, Visitor, World, contest_token,
};
use http::Method;
use local::Mail;
use portal::domain::{Id, Siret};
use portal::environment::rng;
use portal::store::{
    AuditEvent, Change, Condition, Contest, ContestLink, Establishment, EventKind, Outbox, Query, Resident, Table, Wish,
};
use serde_json::json;

const CONTACT: &str = "compta@martin.example";
const MARIE: &str = "marie@martin.example";
const PAUL: &str = "paul@martin.example";

fn target(rest: &str) -> String {
    format!("/api/accounts/{ACCOUNT}/{rest}")
}

/// The mails that tell of a claim.
async fn notices(world: &World) -> Vec<Mail> {
    world.mails().await.into_iter().filter(|mail| mail.text.contains("/contestation#")).collect()
}

async fn notice_to(world: &World, address: &str) -> Mail {
    let mine = notices(world).await.into_iter().rev().find(|mail| mail.to == address);
    mine.unwrap_or_else(|| panic!("no word of a claim to {address}"))
}

async fn contest(world: &World, token: &str) -> Reply {
    world.visitor().post("/api/manager-claims/contest", &json!({"token": token})).await
}

async fn seat(world: &World) -> Establishment {
    world.store().get(&Establishment::key_of(&Siret::parse(SIRET).unwrap())).await.unwrap().unwrap()
}

/// As if the contest had not been: a dismissal would end the links of the claim.
async fn lift(world: &World) {
    let place = Establishment::key_of(&Siret::parse(SIRET).unwrap());
    let contested = seat(world).await.contested.unwrap();
    let (lifted, ended) = (Change::new().remove("contested"), Change::new().set("outcome", &"dismissed").unwrap());
    assert!(world.store().update(&place, &lifted, Some(&Condition::Exists)).await.unwrap());
    assert!(world.store().update(&Contest::key_of(&contested), &ended, Some(&Condition::Exists)).await.unwrap());
}

/// Who is written down as belonging to an establishment.
async fn residents(world: &World, siret: &str) -> BTreeSet<Id> {
    let all = Resident::all_of(&Siret::parse(siret).unwrap());
    world.store().query_all::<Resident>(&all).await.unwrap().into_iter().map(|resident| resident.user_id).collect()
}

async fn paul(world: &World) -> Visitor {
    let paul = world.user(&Person::at(PAUL).named("m", "DURAND")).await;
    world.accept_charter(&paul).await;
    paul
}

#[tokio::test(flavor = "multi_thread")]
async fn everybody_of_the_establishment_and_its_contact_are_told_once_with_links_of_their_own() {
    let world = World::start().await;
    let marie = world.member(MARIE).await;
    paul(&world).await;
    world.user(&Person::at("zoe@martin.example").named("mme", "BLANC")).await;
    world.user(&Person::at("else@laposte.example").of(OTHER_SIRET)).await;
    world.sign_up(&Person::at("not-yet@martin.example")).await.expect(202);
    world.claim(&marie, ACCOUNT).await.expect(201);
    let told = notices(&world).await;
    let mut addresses: Vec<_> = told.iter().map(|mail| mail.to.as_str()).collect();
    addresses.sort_unstable();
    assert_eq!(addresses, [CONTACT, PAUL, "zoe@martin.example"], "not who claimed, nor who has no space yet");
    let tokens: BTreeSet<_> = told.iter().map(contest_token).collect();
    assert_eq!(tokens.len(), 3, "each has a link of their own");
    for mail in &told {
        assert!(!mail.text.contains("Mme MARTIN"), "who merely typed the SIRET learns no name: {}", mail.text);
        assert!(!mail.text.contains(ACCOUNT), "the number proves who knows it: {}", mail.text);
    }
    // The answer to a claim that was lost, sent again, tells nobody again.
    world.claim(&marie, ACCOUNT).await.expect(201);
    assert_eq!(notices(&world).await.len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_name_is_for_who_proved_the_number_or_has_access() {
    let world = World::start().await;
    let marie = world.manager(MARIE).await;
    let paul = paul(&world).await;
    world.claim(&paul, ACCOUNT).await.expect_problem(409, "already-managed");
    let reader = world.member("reader@martin.example").await;
    marie.patch("/api/me", &json!({"siret": OTHER_SIRET})).await.expect(200);
    world.make_reader(&reader).await;
    world.user(&Person::at("stranger@martin.example")).await;
    let leon = world.user(&Person::at("leon@martin.example").named("m", "BLANC")).await;
    world.accept_charter(&leon).await;
    world.claim(&leon, ACCOUNT).await.expect(201);
    for (address, named) in
        [(PAUL, true), ("reader@martin.example", true), ("stranger@martin.example", false), (CONTACT, false)]
    {
        let mail = notice_to(&world, address).await;
        let told = [&mail.subject, &mail.text, &mail.html].iter().any(|part| part.contains("BLANC"));
        assert_eq!(told, named, "{address}: {}", mail.text);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_contest_freezes_what_gives_access_and_nothing_else() {
    let world = World::start().await;
    let paul = paul(&world).await;
    world.let_prove(&paul).await;
    let marie = world.manager(MARIE).await;
    let guest = world.member("guest@martin.example").await;
    marie.post(&target("users"), &json!({"email": "guest@martin.example"})).await.expect(202);
    marie.post(&target("users"), &json!({"email": "other@cabinet.example"})).await.expect(202);
    guest.get(&target("summary")).await.expect(200);
    let before = marie.get(&target("users")).await.expect(200).body;

    let token = contest_token(&notice_to(&world, PAUL).await);
    contest(&world, &token).await.expect(202);
    for address in ["new@cabinet.example", "other@cabinet.example", "guest@martin.example"] {
        let refused = marie.post(&target("users"), &json!({"email": address})).await;
        refused.expect_problem(409, "claim-contested");
    }
    assert_eq!(marie.get(&target("users")).await.expect(200).body, before);
    for reader in [&marie, &guest] {
        reader.get(&target("summary")).await.expect(200);
    }
    assert_eq!(world.mails_to("new@cabinet.example").await, 0);
    // Who reads an account cannot tell from the order of the answers that it is contested.
    paul.post(&target("users"), &json!({"email": "new@cabinet.example"})).await.expect_problem(404, "not-found");
    guest.post(&target("users"), &json!({"email": "new@cabinet.example"})).await.expect_problem(403, "manager-only");
    marie.post(&target("users"), &json!({"email": 7})).await.expect_problem(422, "invalid-input");
    // Taking back, and leaving, go on.
    let invited = before["users"].as_array().unwrap().iter().find(|user| user["status"] == "invited").unwrap();
    marie.delete(&target(&format!("users/{}", invited["id"].as_str().unwrap()))).await.expect(204);
    guest.delete(&target(&format!("users/{}", guest.id().await))).await.expect(204);
    guest.get(&target("summary")).await.expect_problem(404, "not-found");
    marie.put(&target("activation"), &json!({"use": true})).await.expect(200);

    // The staff know, by mail, by alert and by record.
    let staff = world.portal.environment().variable("STAFF_EMAIL").unwrap().to_owned();
    let alerts: Vec<_> = world.mails().await.into_iter().filter(|mail| mail.subject.contains("contesté")).collect();
    assert_eq!(alerts.len(), 1, "{alerts:?}");
    assert_eq!(alerts[0].to, staff);
    assert_eq!(world.count(Table::Identity, "ALERTS", "").await, 1);
    assert_eq!(world.count(Table::Identity, &format!("SIRET#{SIRET}"), "ALERT#").await, 1);
    let seat = seat(&world).await;
    let contested = seat.contested.clone().unwrap();
    let record: Contest = world.store().get(&Contest::key_of(&contested)).await.unwrap().unwrap();
    assert_eq!((record.by, record.voices, record.outcome), (Some(paul.id().await), 1, None));
    // And so does the evidence: about the manager, by Paul.
    let subject = format!("SUBJECT#{}", marie.id().await);
    let events = Query::partition(Table::Evidence, subject).beginning("EVENT#");
    let events: Vec<AuditEvent> = world.store().query_all(&events).await.unwrap();
    let told: Vec<_> = events.iter().filter(|event| event.event == EventKind::ClaimContested).collect();
    let [event] = told.as_slice() else { panic!("{events:?}") };
    assert_eq!((event.actor, event.member_number.as_ref()), (Some(paul.id().await), Some(&seat.member_number)));
    assert_eq!(event.detail.as_deref(), Some(format!("contest {}", record.contest_id).as_str()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_contests_once_and_a_colleagues_adds_its_voice() {
    let world = World::start().await;
    let paul_too = paul(&world).await;
    world.let_prove(&paul_too).await;
    world.manager(MARIE).await;
    let (pauls, contacts) = (notice_to(&world, PAUL).await, notice_to(&world, CONTACT).await);
    contest(&world, &contest_token(&pauls)).await.expect(202);
    let first = seat(&world).await.contested.unwrap();
    contest(&world, &contest_token(&pauls)).await.expect_problem(410, "link-invalid");
    contest(&world, &contest_token(&contacts)).await.expect(202);
    contest(&world, &contest_token(&contacts)).await.expect_problem(410, "link-invalid");
    assert_eq!(seat(&world).await.contested, Some(first.clone()), "one contest");
    let record: Contest = world.store().get(&Contest::key_of(&first)).await.unwrap().unwrap();
    assert_eq!(record.voices, 2);
    assert_eq!(world.count(Table::Members, "CONTESTS", "").await, 1);
    assert_eq!(world.count(Table::Identity, "ALERTS", "").await, 1, "the staff are alerted once");
    // The message is in the reader's language.
    let world = World::start().await;
    paul(&world).await;
    world.manager(MARIE).await;
    let token = json!({"token": contest_token(&notice_to(&world, PAUL).await)});
    let english = [("accept-language", "en")];
    let path = "/api/manager-claims/contest";
    let answer = world.visitor().send_with(Method::POST, path, Some(&token), &english).await.expect(202);
    assert_eq!(answer["message"], "Your report is recorded; the fund's staff will check.");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_whose_claim_or_reader_is_gone_is_like_one_that_never_was() {
    let invalid = async |world: &World, token: &str| {
        contest(world, token).await.expect_problem(410, "link-invalid");
        assert_eq!(world.count(Table::Members, "CONTESTS", "").await, 0);
    };
    let world = World::start().await;
    let paul = paul(&world).await;
    world.manager(MARIE).await;
    let token = contest_token(&notice_to(&world, PAUL).await);
    let foreign = harness::link_token(&{
        world.visitor().forgot(PAUL).await.expect(202);
        world.newest_mail(PAUL).await
    });
    for wrong in ["x", &"A".repeat(43), &foreign, &format!("{token}x")] {
        invalid(&world, wrong).await;
    }
    world.visitor().look_at_link(&token).await.expect_problem(410, "link-invalid");
    for (body, field) in [(json!({}), "token"), (json!({"token": 7}), "token"), (json!({"token": token, "x": 1}), "x")]
    {
        let refused = world.visitor().post("/api/manager-claims/contest", &body).await;
        assert_eq!(refused.expect_problem(422, "invalid-input")["errors"][0]["field"], field);
    }
    // The reader is of another establishment now.
    paul.patch("/api/me", &json!({"siret": OTHER_SIRET})).await.expect(200);
    invalid(&world, &token).await;
    paul.patch("/api/me", &json!({"siret": SIRET})).await.expect(200);
    // A month is over.
    world.advance(ContestLink::LIFETIME + Duration::from_secs(1));
    invalid(&world, &token).await;
    // The reader is erased.
    let world = World::start().await;
    let zoe = world.member("zoe@martin.example").await;
    world.manager(MARIE).await;
    let token = contest_token(&notice_to(&world, "zoe@martin.example").await);
    let sure = json!({"current_password": PASSWORD});
    zoe.send(Method::DELETE, "/api/me", Some(&sure)).await.expect(204);
    invalid(&world, &token).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_belongs_to_an_establishment_is_written_down_with_every_change() {
    let world = World::start().await;
    let marie = world.member(MARIE).await;
    let paul = paul(&world).await;
    let (ids, none) = (BTreeSet::from([marie.id().await, paul.id().await]), BTreeSet::new());
    assert_eq!(residents(&world, SIRET).await, ids);
    world.sign_up(&Person::at("not-yet@martin.example")).await.expect(202);
    world.mails().await;
    assert_eq!(residents(&world, SIRET).await, ids, "a sign-up is nobody yet");
    marie.patch("/api/me", &json!({"last_name": "Dupont"})).await.expect(200);
    assert_eq!(residents(&world, SIRET).await, ids);
    paul.patch("/api/me", &json!({"siret": OTHER_SIRET})).await.expect(200);
    assert_eq!(residents(&world, SIRET).await, BTreeSet::from([marie.id().await]));
    assert_eq!(residents(&world, OTHER_SIRET).await, BTreeSet::from([paul.id().await]));
    let gone = [(&marie, SIRET), (&paul, OTHER_SIRET)];
    for (visitor, siret) in gone {
        visitor.send(Method::DELETE, "/api/me", Some(&json!({"current_password": PASSWORD}))).await.expect(204);
        assert_eq!(residents(&world, siret).await, none);
    }
}

/// A change of SIRET and an erasure at the same moment: whoever is gone is written down nowhere.
#[tokio::test(flavor = "multi_thread")]
async fn nobody_who_is_gone_is_written_down_whatever_met() {
    let (held, options) = Held::on_dynamodb();
    let world = World::start_with(options).await;
    let (calls, sure) = (Calls::of("profile"), json!({"current_password": PASSWORD}));
    let (elsewhere, mut statuses) = (json!({"siret": OTHER_SIRET}), BTreeSet::new());
    let mut orders = held.orders();
    while let Some(order) = orders.another() {
        let who = world.member(&format!("{order}@martin.example")).await;
        let id = who.id().await;
        let erased = (calls, who.send(Method::DELETE, "/api/me", Some(&sure)));
        let moved = (calls, who.patch("/api/me", &elsewhere));
        let Some((erased, _)) = orders.meet(erased, moved).await else { continue };
        let written = [residents(&world, SIRET).await, residents(&world, OTHER_SIRET).await];
        let there = written.iter().any(|residents| residents.contains(&id));
        assert_eq!(erased.status != 204, there, "{order}: {erased}");
        statuses.insert(erased.status);
    }
    assert!(statuses.contains(&204), "{statuses:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_that_contest_at_once_make_one_contest_with_ten_voices() {
    let (tap, options) = Tap::on_dynamodb();
    let world = World::start_with(options).await;
    let people: Vec<_> = (0..9).map(|n| Person::at(&format!("person{n}@martin.example"))).collect();
    for person in world.users(&people).await {
        world.let_prove(&person).await;
    }
    world.manager(MARIE).await;
    let tokens: Vec<_> = notices(&world).await.iter().map(contest_token).collect();
    assert_eq!(tokens.len(), 10);
    let (answers, _) = tap.during(join_all(tokens.iter().map(|token| contest(&world, token)))).await;
    for answer in answers {
        answer.expect(202);
    }
    let contested = seat(&world).await.contested.unwrap();
    let record: Contest = world.store().get(&Contest::key_of(&contested)).await.unwrap().unwrap();
    assert_eq!(record.voices, 10);
    assert_eq!(world.count(Table::Members, "CONTESTS", "").await, 1);
    assert_eq!(world.count(Table::Identity, "ALERTS", "").await, 1);
}

/// Access that is given in the moment of a contest was given before it, or not at all.
#[tokio::test(flavor = "multi_thread")]
async fn of_a_grant_and_a_contest_at_once_the_grant_came_first_or_was_refused() {
    let (held, options) = Held::on_dynamodb();
    let world = World::start_with(options).await;
    let people: Vec<_> = (0..20).map(|n| Person::at(&format!("person{n}@martin.example"))).collect();
    for person in world.users(&people).await {
        world.let_prove(&person).await;
    }
    let marie = world.manager(MARIE).await;
    let tokens: Vec<_> = notices(&world).await.iter().map(contest_token).collect();
    let (mut tokens, mut statuses) = (tokens.iter(), BTreeSet::new());
    let mut orders = held.orders();
    while let Some(order) = orders.another() {
        let guest = json!({"email": format!("{order}@cabinet.example")});
        let users = target("users");
        let granted = (Calls::of("manage-users"), marie.post(&users, &guest));
        let contested = (Calls::of("contest-claim"), contest(&world, tokens.next().unwrap()));
        let met = orders.meet(granted, contested).await;
        let Some((granted, contested)) = met else { continue };
        contested.expect(202);
        let listed = marie.get(&users).await.expect(200);
        let has = listed["users"].as_array().unwrap().iter().any(|user| user["email"] == guest["email"]);
        assert_eq!(granted.status == 202, has, "{order}: {granted}");
        statuses.insert(granted.status);
        if !has {
            granted.expect_problem(409, "claim-contested");
        }
        lift(&world).await;
    }
    assert_eq!(statuses, BTreeSet::from([202, 409]));
}

/// A hand-over is the same claim: it came before the contest, or it is refused, and shakes nobody's link off.
#[tokio::test(flavor = "multi_thread")]
async fn of_a_hand_over_and_a_contest_at_once_the_hand_over_came_first_or_was_refused() {
    let (held, options) = Held::on_dynamodb();
    let world = World::start_with(options).await;
    let people: Vec<_> = (0..20).map(|n| Person::at(&format!("person{n}@martin.example"))).collect();
    for person in world.users(&people).await {
        world.let_prove(&person).await;
    }
    let marie = world.manager(MARIE).await;
    let tokens: Vec<_> = notices(&world).await.iter().map(contest_token).collect();
    let paul = paul(&world).await;
    marie.post(&target("users"), &json!({"email": PAUL})).await.expect(202);
    paul.get(&target("summary")).await.expect(200);
    let ids = [marie.id().await, paul.id().await];
    let both = [&marie, &paul];
    let (mut holder, mut tokens, mut statuses) = (0, tokens.iter(), BTreeSet::new());
    let place = target("manager");
    let mut orders = held.orders();
    while let Some(order) = orders.another() {
        let body = json!({"id": ids[1 - holder]});
        let handed = (Calls::of("manage-users"), both[holder].post(&place, &body));
        let contested = (Calls::of("contest-claim"), contest(&world, tokens.next().unwrap()));
        let Some((handed, contested)) = orders.meet(handed, contested).await else {
            // It was done alone.
            if matches!(order, Order::First(_)) {
                holder = 1 - holder;
            }
            continue;
        };
        contested.expect(202);
        statuses.insert(handed.status);
        if handed.status == 200 {
            holder = 1 - holder;
        } else {
            handed.expect_problem(409, "claim-contested");
        }
        let seat = seat(&world).await;
        assert_eq!(seat.manager.unwrap().user_id.to_string(), ids[holder].to_string());
        assert!(seat.contested.is_some());
        let again = both[holder].post(&place, &json!({"id": ids[1 - holder]})).await;
        again.expect_problem(409, "claim-contested");
        lift(&world).await;
    }
    assert_eq!(statuses, BTreeSet::from([200, 409]));
}

/// The wish of the claim comes again after a crash: in the middle of the branches, and after their mails went out.
#[tokio::test(flavor = "multi_thread")]
async fn whatever_comes_again_after_a_crash_tells_nobody_twice_and_nobody_never() {
    let world = World::start().await;
    paul(&world).await;
    world.user(&Person::at("zoe@martin.example")).await;
    world.manager(MARIE).await;
    let told = notices(&world).await;
    assert_eq!(told.len(), 3);
    let claim = {
        let seat = seat(&world).await;
        let manager = seat.manager.unwrap();
        portal::store::ClaimOf { siret: seat.siret, member_number: seat.member_number, since: manager.since }
    };
    // As if the first attempt had written one branch of three, and then died.
    let store = world.store();
    let parent =
        Outbox::new(Id::random(&mut rng()), Wish::ClaimTold { claim: claim.clone() }, world.portal.clock().now());
    let branch = parent.branch("contact", Wish::ClaimNotice { claim, reader: None, freezes: true });
    store.put(&branch).await.unwrap();
    world.mails().await;
    store.put(&parent).await.unwrap();
    assert_eq!(notices(&world).await.len(), 6, "the other two, and the one not again");
    // And as if the mark that it is done with had been lost.
    let again = Change::new().set("wish", &parent.wish).unwrap().set("unsent", &Outbox::UNSENT).unwrap();
    use portal::store::Record as _;
    assert!(store.update(&parent.key(), &again, Some(&Condition::Exists)).await.unwrap());
    world.advance(Duration::from_secs(301));
    world.sweep().await;
    assert_eq!(notices(&world).await.len(), 6);
}
