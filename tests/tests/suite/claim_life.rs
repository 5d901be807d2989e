//! What becomes of a claim whose manager does not stay: who is told, what a contest holds, who may claim again, and what
//! a release ends.

use std::collections::BTreeSet;
use std::time::Duration;

use futures::future::join_all;
use harness::{
    ACCOUNT, Calls, EMPTY_SIRET, Held, Inventory, OTHER_ACCOUNT, OTHER_SIRET, Order, PASSWORD, Person, Reply, SIRET,
    Tap, Visitor, World, contest_freezes, contest_token, fixture, pass_token,
};
use http::Method;
use local::Mail;
use portal::domain::{MemberNumber, Siret};
use portal::store::{
    AccountUsers, ClaimBar, Contest, Establishment, EventKind, Grant, GrantMirror, Outbox, Query, Table, User, Wish,
};
use serde_json::{Value, json};

const CONTACT: &str = "compta@martin.example";
const MARIE: &str = "marie@martin.example";
const PAUL: &str = "paul@martin.example";
const DAY: Duration = Duration::from_secs(24 * 3600);

fn target(rest: &str) -> String {
    format!("/api/accounts/{ACCOUNT}/{rest}")
}

async fn moves(visitor: &Visitor, siret: &str) -> Reply {
    visitor.patch("/api/me", &json!({"siret": siret})).await
}

async fn erases(visitor: &Visitor) -> Reply {
    visitor.send(Method::DELETE, "/api/me", Some(&json!({"current_password": PASSWORD}))).await
}

async fn contest(world: &World, token: &str) -> Reply {
    world.visitor().post("/api/manager-claims/contest", &json!({"token": token})).await
}

async fn give(visitor: &Visitor, email: &str) -> Reply {
    visitor.post(&target("users"), &json!({"email": email})).await
}

async fn take_back(visitor: &Visitor, whose: &Visitor) -> Reply {
    visitor.delete(&target(&format!("users/{}", whose.id().await))).await
}

async fn staff(world: &World, operation: &str, name: &str) -> Value {
    let event = json!({"operation": operation, "staff": name, "reason": "appel du 24/11", "establishment": ACCOUNT});
    world.staff(event).await
}

async fn seat(world: &World) -> Establishment {
    world.store().get(&Establishment::key_of(&Siret::parse(SIRET).unwrap())).await.unwrap().unwrap()
}

/// The mails that tell somebody of claims, the newest first.
async fn notices(world: &World, to: &str) -> Vec<Mail> {
    let mails = world.mails().await.into_iter().rev();
    mails.filter(|mail| mail.to == to && mail.text.contains("/contestation#")).collect()
}

async fn token_to(world: &World, to: &str) -> String {
    contest_token(notices(world, to).await.first().unwrap_or_else(|| panic!("no word of a claim to {to}")))
}

/// A pass mailed to the contact, as somebody of the establishment who guessed ten times brings it about.
async fn pass(world: &World) -> String {
    // A claim's own mails are asked for by its first: once they went out, the next mail to the contact is the pass.
    world.mails().await;
    let claims_closed = Wish::ClaimsClosed { siret: Siret::parse(SIRET).unwrap() };
    let now = world.portal.clock().now();
    let outbox = Outbox::new(portal::domain::Id::random(&mut portal::environment::rng()), claims_closed, now);
    world.store().put(&outbox).await.unwrap();
    pass_token(&world.newest_mail(CONTACT).await)
}

async fn claim_with(world: &World, visitor: &Visitor, pass: &str) -> Reply {
    let terms = world.document("account-terms").await;
    let claim = json!({"member_number": ACCOUNT, "account_terms": terms, "token": pass});
    visitor.post("/api/manager-claims", &claim).await
}

/// The same user a day later.
async fn a_day_later(world: &World, email: &str) -> Visitor {
    world.advance(DAY);
    let visitor = world.visitor();
    visitor.log_in(email, PASSWORD).await.expect(200);
    visitor
}

async fn named(world: &World, email: &str, name: &str) -> Visitor {
    let visitor = world.user(&Person::at(email).named("m", name)).await;
    world.accept_charter(&visitor).await;
    visitor
}

/// Whoever leaves or is erased while the notices of their claim are on their way, in every order: the contact is told,
/// and the staff see who it was.
#[tokio::test(flavor = "multi_thread")]
async fn a_claim_that_was_made_is_told_whether_it_stands_or_not() {
    for erased in [false, true] {
        let (held, options) = Held::on_dynamodb();
        let world = World::start_with(options).await;
        let (mut orders, mut told_as) = (held.orders(), BTreeSet::new());
        // A notice is held; there is none to hold before the claim.
        while let Some(order) = orders.another().filter(|order| matches!(order, Order::First(_))) {
            let what = format!("{order}, erased: {erased}");
            let thief = world.member(&format!("{order}@martin.example")).await;
            let before = notices(&world, CONTACT).await.len();
            let claims = async {
                world.claim(&thief, ACCOUNT).await.expect(201);
                world.mails().await;
            };
            let goes = async {
                // The claim has succeeded by the time that its notices are on their way.
                thief.put(&target("activation"), &json!({"use": true})).await.expect(200);
                thief.get(&target("ledger.csv")).await.expect(200);
                if erased {
                    erases(&thief).await.expect(204)
                } else {
                    moves(&thief, OTHER_SIRET).await.expect(200)
                };
            };
            let met = orders.meet((Calls::of("send-mail"), claims), (Calls::of("profile"), goes)).await;
            if met.is_none() {
                // It was done alone, or could not be.
                if seat(&world).await.manager.is_some() {
                    moves(&thief, OTHER_SIRET).await.expect(200);
                }
                world.advance(DAY);
                continue;
            }
            let told = notices(&world, CONTACT).await;
            assert_eq!(told.len(), before + 1, "{what}");
            assert!(contest_freezes(&told[0]), "{what}: {}", told[0].text);
            told_as.insert(told[0].text.contains("pu consulter"));
            let shown = staff(&world, "look-up-establishment", "Claire").await;
            let claim = &shown["claims"][0];
            assert_eq!(claim["ended"], if erased { "erased" } else { "left" }, "{what}: {shown}");
            assert_eq!(claim["email"].is_null(), erased, "{what}");
            assert_eq!(shown["manager"], Value::Null, "{what}");
            let history: Vec<_> = shown["history"].as_array().unwrap().iter().take(2).collect();
            assert!(history.iter().all(|event| event["user"] == claim["id"]), "{what}: {history:?}");
            let events: Vec<_> = history.iter().map(|event| event["event"].as_str().unwrap()).collect();
            assert_eq!(events, ["access-revoked", "account-claimed"], "{what}");
            world.advance(DAY);
        }
        assert!(told_as.contains(&true), "some are told of a claim that is over by then");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_link_of_a_claim_that_is_over_closes_the_seat_and_no_other_manager() {
    let world = World::start().await;
    let thief = world.member("thief@martin.example").await;
    world.claim(&thief, ACCOUNT).await.expect(201);
    moves(&thief, OTHER_SIRET).await.expect(200);
    let first = token_to(&world, CONTACT).await;
    let marie = world.member(MARIE).await;
    assert_eq!(marie.get("/api/home").await["can_claim"], true);
    world.claim(&marie, ACCOUNT).await.expect(201);
    // It is about another's claim: the staff hear of it, and she goes on.
    contest(&world, &first).await.expect(202);
    assert_eq!(seat(&world).await.contested, None);
    give(&marie, "guest@cabinet.example").await.expect(202);
    let shown = staff(&world, "look-up-establishment", "Claire").await;
    assert_eq!((&shown["claims"][1]["doubts"], &shown["claims"][0]["doubts"]), (&json!(1), &json!(0)), "{shown}");
    assert_eq!(shown["alerts"][0]["alert"], "claim-doubted");
    // And where nobody has followed, the seat stays empty until the staff decide.
    let world = World::start().await;
    let thief = world.member("thief@martin.example").await;
    world.claim(&thief, ACCOUNT).await.expect(201);
    erases(&thief).await.expect(204);
    contest(&world, &token_to(&world, CONTACT).await).await.expect(202);
    let marie = world.member(MARIE).await;
    assert_eq!(marie.get("/api/home").await["can_claim"], false);
    world.claim(&marie, ACCOUNT).await.expect_problem(409, "claim-contested");
    assert!(staff(&world, "dismiss-contest", "Claire").await["dismissed"].is_object());
    world.claim(&marie, ACCOUNT).await.expect(201);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_contest_survives_leaving_and_no_claim_passes_it() {
    let world = World::start().await;
    let marie = world.manager(MARIE).await;
    let paul = named(&world, PAUL, "DURAND").await;
    world.contest(SIRET).await;
    let contested = seat(&world).await.contested;
    assert!(contested.is_some());
    for siret in [OTHER_SIRET, SIRET] {
        moves(&marie, siret).await.expect(200);
    }
    let marie_later = a_day_later(&world, MARIE).await;
    world.claim(&marie_later, ACCOUNT).await.expect_problem(409, "claim-contested");
    let paul_later = world.visitor();
    paul_later.log_in(PAUL, PASSWORD).await.expect(200);
    world.claim(&paul_later, ACCOUNT).await.expect_problem(409, "claim-contested");
    assert_eq!(paul_later.get("/api/home").await["can_claim"], false);
    assert_eq!(seat(&world).await.contested, contested);
    let listed = staff_lists(&world).await;
    assert_eq!((&listed[0]["state"], &listed[0]["manager"]), (&json!("open"), &json!(marie_later.id().await)));

    // The contact lets somebody else claim, not her; and then she does not claim again.
    let token = pass(&world).await;
    claim_with(&world, &marie_later, &token).await.expect_problem(409, "claim-contested");
    claim_with(&world, &paul_later, &token).await.expect(201);
    give(&paul_later, "guest@cabinet.example").await.expect(202);
    assert_eq!(staff_lists(&world).await[0]["state"], "replaced");
    let shut = ClaimBar::key_of(marie_later.id().await, &MemberNumber::parse(ACCOUNT).unwrap());
    assert!(world.store().get::<ClaimBar>(&shut).await.unwrap().is_some());
    Inventory::of(&world).await.expect_whole("a claim with a pass");
    drop(paul);
}

async fn staff_lists(world: &World) -> Value {
    let event = json!({"operation": "list-contests", "staff": "Claire", "reason": "revue", "all": true});
    world.staff(event).await["contests"].clone()
}

/// A contest, and the manager who leaves, in every order: whichever comes first, the seat is closed afterwards.
#[tokio::test(flavor = "multi_thread")]
async fn of_a_contest_and_leaving_at_once_the_contest_stays() {
    let (held, options) = Held::on_dynamodb();
    let world = World::start_with(options).await;
    let mut orders = held.orders();
    while let Some(order) = orders.another() {
        let thief = world.member(&format!("{order}@martin.example")).await;
        world.claim(&thief, ACCOUNT).await.expect(201);
        let token = token_to(&world, CONTACT).await;
        let contests = (Calls::of("contest-claim"), contest(&world, &token));
        let leaves = (Calls::of("profile"), moves(&thief, OTHER_SIRET));
        let met = orders.meet(contests, leaves).await;
        if let Some((contested, left)) = met {
            contested.expect(202);
            assert!([200, 503].contains(&left.status), "{order}: {left}");
            let seat = seat(&world).await;
            assert!(seat.contested.is_some(), "{order}");
            assert_eq!(seat.manager.is_some(), left.status != 200, "{order}");
        }
        if seat(&world).await.manager.is_some() {
            moves(&thief, OTHER_SIRET).await.expect(200);
        }
        if seat(&world).await.contested.is_some() {
            assert!(staff(&world, "dismiss-contest", "Claire").await["dismissed"].is_object(), "{order}");
        }
        Inventory::of(&world).await.expect_whole(&order.to_string());
        world.advance(DAY);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_release_names_the_person_and_leaving_in_between_does_not_begin_it_anew() {
    let world = World::start().await;
    let marie = world.manager(MARIE).await;
    let accomplice = world.member("accomplice@martin.example").await;
    give(&marie, "accomplice@martin.example").await.expect(202);
    accomplice.get(&target("summary")).await.expect(200);
    let asked = staff(&world, "release-manager", "Claire").await;
    assert_eq!(asked["awaiting_second"]["ends"].as_array().map(Vec::len), Some(1), "{asked}");
    // Between the two nothing moves but what they may take back.
    give(&marie, "other@martin.example").await.expect_problem(409, "claim-contested");
    let heir = json!({"id": accomplice.id().await});
    marie.post(&target("manager"), &heir).await.expect_problem(409, "claim-contested");
    take_back(&marie, &accomplice).await.expect(204);
    for siret in [OTHER_SIRET, SIRET] {
        moves(&marie, siret).await.expect(200);
    }
    world.let_claim_again(&marie).await;
    for visitor in [&marie, &accomplice] {
        world.claim(visitor, ACCOUNT).await.expect_problem(409, "claim-contested");
    }
    let released = staff(&world, "release-manager", "Hugo").await;
    assert_eq!(released["released"]["manager"]["id"], json!(marie.id().await), "{released}");
    world.claim(&marie, ACCOUNT).await.expect_problem(403, "claim-barred");
    let allowed = json!({"operation": "allow-claim", "staff": "Claire", "reason": "erreur", "establishment": ACCOUNT,
        "email": MARIE});
    assert_eq!(world.staff(allowed.clone()).await["allowed"]["user"], json!(marie.id().await));
    assert_eq!(world.staff(allowed).await["error"]["code"], "not-barred");
    world.claim(&marie, ACCOUNT).await.expect(201);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_release_ends_what_was_given_since_the_claim_and_nothing_before() {
    let world = World::start().await;
    let before = world.member("before@martin.example").await;
    world.make_reader(&before).await;
    let marie = world.manager(MARIE).await;
    let people: Vec<_> = (0..30).map(|n| format!("guest{n}@cabinet.example")).collect();
    for some in people.chunks(15) {
        marie.post(&target("users"), &json!({"emails": some})).await.expect(202);
    }
    let heir = world.member("heir@martin.example").await;
    give(&marie, "heir@martin.example").await.expect(202);
    heir.get(&target("summary")).await.expect(200);
    // Who claimed hands over: what it gives her is of the claim too.
    let marie_id = marie.id().await;
    marie.post(&target("manager"), &json!({"id": heir.id().await})).await.expect(200);
    world.contest(SIRET).await;
    staff(&world, "release-manager", "Claire").await;
    let released = staff(&world, "release-manager", "Hugo").await;
    assert_eq!(released["released"]["ended"].as_array().map(Vec::len), Some(31), "{released}");
    let number = MemberNumber::parse(ACCOUNT).unwrap();
    let left = AccountUsers::of(&world.store(), &number).await.unwrap();
    assert_eq!(left.grants.iter().map(|grant| grant.user_id).collect::<Vec<_>>(), [before.id().await]);
    assert!(left.invitations.is_empty(), "{left:?}");
    before.get(&target("summary")).await.expect(200);
    for released in [&marie, &heir] {
        released.get(&target("summary")).await.expect_problem(404, "not-found");
        world.let_claim_again(released).await;
        world.claim(released, ACCOUNT).await.expect_problem(403, "claim-barred");
    }
    let subject = Query::partition(Table::Evidence, format!("SUBJECT#{marie_id}")).beginning("EVENT#");
    let events: Vec<portal::store::AuditEvent> = world.store().query_all(&subject).await.unwrap();
    let revoked = events.iter().find(|event| event.event == EventKind::AccessRevoked).unwrap();
    assert_eq!(revoked.detail.as_deref(), Some("released by the staff"));
    Inventory::of(&world).await.expect_whole("a release");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_contested_manager_takes_back_what_they_gave_and_not_what_was_there_before() {
    let world = World::start().await;
    let before = world.member("before@martin.example").await;
    world.make_reader(&before).await;
    let marie = world.manager(MARIE).await;
    let guest = world.member("guest@martin.example").await;
    give(&marie, "guest@martin.example").await.expect(202);
    guest.get(&target("summary")).await.expect(200);
    world.contest(SIRET).await;
    take_back(&marie, &before).await.expect_problem(409, "claim-contested");
    before.get(&target("summary")).await.expect(200);
    // She does not leave them without a manager either.
    moves(&marie, OTHER_SIRET).await.expect_problem(409, "manager-must-hand-over");
    take_back(&marie, &guest).await.expect(204);
    assert!(staff(&world, "dismiss-contest", "Claire").await["dismissed"].is_object());
    take_back(&marie, &before).await.expect(204);
}

#[tokio::test(flavor = "multi_thread")]
async fn taking_back_and_a_contest_at_once_go_one_after_the_other() {
    let (held, options) = Held::on_dynamodb();
    let world = World::start_with(options).await;
    let marie = world.manager(MARIE).await;
    let number = MemberNumber::parse(ACCOUNT).unwrap();
    let (mut orders, mut statuses) = (held.orders(), BTreeSet::new());
    let claim = seat(&world).await.standing_claim().unwrap();
    let mut n = 0;
    while let Some(order) = orders.another() {
        n += 1;
        let before = world.member(&format!("{order}@cabinet.example")).await;
        world.make_reader(&before).await;
        let id = before.id().await;
        for key in [Grant::key_of(id, &number), Grant::mirror_key_of(id, &number)] {
            let long_ago = (claim.since - DAY).as_millisecond();
            let given = portal::store::Change::new().set("given_at", &long_ago).unwrap();
            assert!(world.store().update(&key, &given, None).await.unwrap());
        }
        // A link of their own for each round.
        let parent = Outbox::new(
            portal::domain::Id::from_bytes([n; 16]),
            Wish::ClaimTold { claim: claim.clone() },
            world.portal.clock().now(),
        );
        world.store().put(&parent).await.unwrap();
        let token = token_to(&world, CONTACT).await;
        let takes = (Calls::of("manage-users"), take_back(&marie, &before));
        let contests = (Calls::of("contest-claim"), contest(&world, &token));
        let Some((taken, contested)) = orders.meet(takes, contests).await else { continue };
        contested.expect(202);
        statuses.insert(taken.status);
        let kept: Option<GrantMirror> = world.store().get(&Grant::mirror_key_of(id, &number)).await.unwrap();
        assert_eq!(taken.status == 204, kept.is_none(), "{order}: {taken}");
        // The staff lift it for the next round, whose link is of the same claim: not by a dismissal, which would end it.
        let lifted = portal::store::Change::new().remove("contested");
        let place = Establishment::key_of(&claim.siret);
        let contested = seat(&world).await.contested.unwrap();
        assert!(world.store().update(&place, &lifted, None).await.unwrap());
        let ended = portal::store::Change::new().set("outcome", &portal::store::ContestOutcome::Dismissed).unwrap();
        assert!(world.store().update(&Contest::key_of(&contested), &ended, None).await.unwrap());
    }
    assert_eq!(statuses, BTreeSet::from([204, 409]));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_takes_three_claims_a_day_and_a_user_makes_one() {
    let world = World::start().await;
    let mut people = Vec::new();
    for n in 0..5 {
        people.push(world.member(&format!("person{n}@martin.example")).await);
    }
    for person in &people[..3] {
        world.claim(person, ACCOUNT).await.expect(201);
        moves(person, OTHER_SIRET).await.expect(200);
    }
    let closed = world.claim(&people[3], ACCOUNT).await.expect_problem(429, "too-many-attempts");
    assert!(closed.retry_after() > 23 * 3600, "{closed}");
    // One's own pause holds for any account, and begins anew with leaving.
    let own = world.claim(&people[0], OTHER_ACCOUNT).await.expect_problem(429, "too-many-attempts");
    assert!(own.retry_after() > 23 * 3600, "{own}");
    // A wrong number is a wrong number first.
    world.claim(&people[0], "700001").await.expect_problem(404, "claim-refused");
    // Strangers keep nobody out: the contact lets one claim through.
    claim_with(&world, &people[3], &pass(&world).await).await.expect(201);
    moves(&people[3], OTHER_SIRET).await.expect(200);
    world.claim(&people[4], ACCOUNT).await.expect_problem(429, "too-many-attempts");
    world.advance(DAY);
    let last = world.visitor();
    last.log_in("person4@martin.example", PASSWORD).await.expect(200);
    world.claim(&last, ACCOUNT).await.expect(201);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_pause_of_a_user_is_over_when_the_answer_says_so() {
    let world = World::start().await;
    let marie = world.manager(MARIE).await;
    world.advance(Duration::from_secs(20 * 3600));
    marie.log_in(MARIE, PASSWORD).await.expect(200);
    for siret in [OTHER_SIRET, SIRET] {
        moves(&marie, siret).await.expect(200);
    }
    let left = world.claim(&marie, ACCOUNT).await.expect_problem(429, "too-many-attempts").retry_after();
    assert!((23 * 3600 + 3500..=24 * 3600).contains(&left), "{left}");
    world.advance(Duration::from_secs(left));
    marie.log_in(MARIE, PASSWORD).await.expect(200);
    world.claim(&marie, ACCOUNT).await.expect(201);
}

/// However many come and go at once.
#[tokio::test(flavor = "multi_thread")]
async fn no_more_than_three_claims_of_an_account_pass_however_many_race() {
    let (tap, options) = Tap::on_dynamodb();
    let world = World::start_with(options).await;
    let people: Vec<_> = (0..8).map(|n| Person::at(&format!("person{n}@martin.example"))).collect();
    let visitors = world.users(&people).await;
    for visitor in &visitors {
        world.accept_charter(visitor).await;
    }
    let rounds = visitors.iter().map(|visitor| async {
        let claimed = world.claim(visitor, ACCOUNT).await;
        moves(visitor, OTHER_SIRET).await;
        claimed.status
    });
    let (statuses, _) = tap.during(join_all(rounds)).await;
    let made = statuses.iter().filter(|status| **status == 201).count();
    assert!((1..=3).contains(&made), "{statuses:?}");
    assert!(statuses.iter().all(|status| [201, 404, 409, 429, 503].contains(status)), "{statuses:?}");
    assert_eq!(seat(&world).await.claims.iter().count(), made);
    let told = notices(&world, CONTACT).await.len();
    assert_eq!(told, made, "each is told once");
}

#[tokio::test(flavor = "multi_thread")]
async fn at_most_twenty_users_are_told_and_those_who_may_freeze_first() {
    let world = World::start().await;
    let people: Vec<_> = (0..24).map(|n| Person::at(&format!("person{n}@martin.example"))).collect();
    let visitors = world.users(&people).await;
    world.let_prove(&visitors[7]).await;
    let outside = world.user(&Person::at("cabinet@laposte.example").of(OTHER_SIRET)).await;
    world.make_reader(&outside).await;
    world.manager(MARIE).await;
    let mails = world.mails().await;
    let told: Vec<_> = mails.iter().filter(|mail| mail.text.contains("/contestation#")).collect();
    assert_eq!(told.len(), 21, "the contact, and twenty");
    let freezing: BTreeSet<_> = told.iter().filter(|mail| contest_freezes(mail)).map(|mail| mail.to.as_str()).collect();
    assert_eq!(freezing, BTreeSet::from([CONTACT, "person7@martin.example", "cabinet@laposte.example"]));
    // Who has access is told of the manager's name, wherever they are of.
    let reader = told.iter().find(|mail| mail.to == "cabinet@laposte.example").unwrap();
    assert!(reader.text.contains("MARTIN"), "{}", reader.text);
    contest(&world, &contest_token(reader)).await.expect(202);
    assert!(seat(&world).await.contested.is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn who_merely_typed_the_siret_alerts_the_staff_and_freezes_nobody() {
    let world = World::start().await;
    let strangers: Vec<_> = (0..3).map(|n| Person::at(&format!("stranger{n}@elsewhere.example"))).collect();
    let strangers = world.users(&strangers).await;
    let marie = world.manager(MARIE).await;
    for n in 0..3 {
        let told = &notices(&world, &format!("stranger{n}@elsewhere.example")).await[0];
        assert!(!contest_freezes(told), "{}", told.text);
        contest(&world, &contest_token(told)).await.expect(202);
        contest(&world, &contest_token(told)).await.expect_problem(410, "link-invalid");
    }
    erases(&strangers[0]).await.expect(204);
    assert_eq!(seat(&world).await.contested, None);
    give(&marie, "guest@cabinet.example").await.expect(202);
    // The staff are alerted once, and see how many.
    assert_eq!(world.count(Table::Identity, "ALERTS", "").await, 1);
    let alerts: Vec<_> = world.mails().await.into_iter().filter(|mail| mail.subject.contains("mis en doute")).collect();
    assert_eq!(alerts.len(), 1);
    let shown = staff(&world, "look-up-establishment", "Claire").await;
    assert_eq!(shown["claims"][0]["doubts"], 3, "{shown}");
    assert_eq!(shown["history"][0]["event"], "claim-doubted");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dismissal_ends_the_links_of_that_claim_and_of_no_other() {
    let world = World::start().await;
    let paul = named(&world, PAUL, "DURAND").await;
    world.let_prove(&paul).await;
    world.user(&Person::at("zoe@martin.example")).await;
    let marie = world.manager(MARIE).await;
    let tokens =
        [token_to(&world, CONTACT).await, token_to(&world, PAUL).await, token_to(&world, "zoe@martin.example").await];
    contest(&world, &tokens[0]).await.expect(202);
    assert!(staff(&world, "dismiss-contest", "Claire").await["dismissed"].is_object());
    for token in &tokens {
        contest(&world, token).await.expect_problem(410, "link-invalid");
    }
    give(&marie, "guest@cabinet.example").await.expect(202);
    let users = marie.get(&target("users")).await.expect(200);
    let guest = users["users"].as_array().unwrap().iter().find(|user| user["status"] == "invited").unwrap();
    marie.delete(&target(&format!("users/{}", guest["id"].as_str().unwrap()))).await.expect(204);
    moves(&marie, OTHER_SIRET).await.expect(200);
    world.claim(&paul, ACCOUNT).await.expect(201);
    contest(&world, &token_to(&world, CONTACT).await).await.expect(202);
    assert!(seat(&world).await.contested.is_some(), "his is another claim");
}

/// The fund's file moves the account while a link is in a mailbox.
#[tokio::test(flavor = "multi_thread")]
async fn a_link_and_a_contest_go_where_the_account_goes() {
    let world = World::start().await;
    let paul = named(&world, PAUL, "DURAND").await;
    world.let_prove(&paul).await;
    let marie = world.manager(MARIE).await;
    let tokens = [token_to(&world, CONTACT).await, token_to(&world, PAUL).await];
    let moved = fixture().0.replace("\"version\":1", "\"version\":2").replace(SIRET, EMPTY_SIRET);
    world.import("2012-10-16-001", &moved, "").await;
    contest(&world, &tokens[0]).await.expect(202);
    contest(&world, &tokens[1]).await.expect(202);
    give(&marie, "guest@cabinet.example").await.expect_problem(409, "claim-contested");
    let listed = staff_lists(&world).await;
    assert_eq!((&listed[0]["state"], &listed[0]["voices"]), (&json!("open"), &json!(2)), "{listed}");
    // Neither closing nor another account on its SIRET loses it.
    let file = |text: &str, version: &str| text.replace("\"version\":1", version);
    let closed = file(&fixture().0.replace(SIRET, EMPTY_SIRET), "\"closed_on\":\"2012-12-31\",\"version\":3");
    let of_account = |file: &str| file.lines().find(|line| line.contains(ACCOUNT)).unwrap().to_owned() + "\n";
    world.import("2012-10-17-001", &of_account(&closed), "").await;
    let other = of_account(&fixture().0).replace(ACCOUNT, "000042").replace(SIRET, EMPTY_SIRET);
    world.import("2012-10-18-001", &other, "").await;
    assert_eq!(staff_lists(&world).await[0]["state"], "open");
    let reopened = of_account(&file(&fixture().0, "\"version\":4"));
    world.import("2012-10-19-001", &reopened, "").await;
    let back = seat(&world).await;
    assert!(back.contested.is_some() && back.manager.is_none(), "{back:?}");
    // Nor does closing, at the same time, on a SIRET that another account has.
    let away = fixture().0.replace(SIRET, EMPTY_SIRET);
    let away = of_account(&file(&away, "\"closed_on\":\"2012-12-31\",\"version\":5"));
    world.import("2012-10-20-001", &away, "").await;
    world.import("2012-10-21-001", &of_account(&file(&fixture().0, "\"version\":6")), "").await;
    let back = seat(&world).await;
    assert!(back.contested.is_some() && !back.claims.is_empty(), "{back:?}");
    world.claim(&paul, ACCOUNT).await.expect_problem(409, "claim-contested");
}

/// Leaving the establishment ends what it gave, whatever SIRET the fund's file gave the account meanwhile.
#[tokio::test(flavor = "multi_thread")]
async fn who_leaves_the_establishment_leaves_the_account_wherever_that_went() {
    let world = World::start().await;
    let marie = world.manager(MARIE).await;
    let paul = world.member(PAUL).await;
    let outside = world.user(&Person::at("cabinet@laposte.example").of(OTHER_SIRET)).await;
    world.accept_charter(&outside).await;
    for (email, reader) in [(PAUL, &paul), ("cabinet@laposte.example", &outside)] {
        give(&marie, email).await.expect(202);
        reader.get(&target("summary")).await.expect(200);
    }
    let moved = fixture().0.replace("\"version\":1", "\"version\":2").replace(SIRET, EMPTY_SIRET);
    world.import("2012-10-16-001", &moved, "").await;
    let third = "53384615000027";
    moves(&marie, third).await.expect_problem(409, "manager-must-hand-over");
    moves(&paul, third).await.expect(200);
    paul.get(&target("summary")).await.expect_problem(404, "not-found");
    // Who goes along keeps it, and leaves it from there.
    moves(&marie, EMPTY_SIRET).await.expect(200);
    marie.get(&target("users")).await.expect(200);
    moves(&outside, third).await.expect(200);
    outside.get(&target("summary")).await.expect(200);
    take_back(&marie, &outside).await.expect(204);
    let again = fixture().0.replace("\"version\":1", "\"version\":3").replace(SIRET, third);
    world.import("2012-10-17-001", &again, "").await;
    moves(&marie, OTHER_SIRET).await.expect(200);
    marie.get(&target("summary")).await.expect_problem(404, "not-found");
    give(&marie, "x@cabinet.example").await.expect_problem(404, "not-found");
    let place = Establishment::key_of(&Siret::parse(third).unwrap());
    let seat: Establishment = world.store().get(&place).await.unwrap().unwrap();
    assert_eq!((seat.manager, seat.claims.iter().next().unwrap().until.is_some()), (None, true));
    Inventory::of(&world).await.expect_whole("left");
}

/// A move of the account and somebody's leaving, in every order.
#[tokio::test(flavor = "multi_thread")]
async fn nobody_keeps_access_who_leaves_while_the_account_moves() {
    let (held, options) = Held::on_dynamodb();
    let world = World::start_with(options).await;
    let (mut orders, mut version, mut at_home) = (held.orders(), 1, true);
    while let Some(order) = orders.another() {
        let email = format!("{order}@martin.example");
        let here = if at_home { SIRET } else { EMPTY_SIRET };
        let marie = world.user(&Person::at(&email).of(here)).await;
        world.accept_charter(&marie).await;
        world.claim(&marie, ACCOUNT).await.expect(201);
        version += 1;
        let there = if at_home { EMPTY_SIRET } else { SIRET };
        let file = fixture().0.replace("\"version\":1", &format!("\"version\":{version}")).replace(SIRET, there);
        let batch = format!("2012-11-{version:02}-001");
        let leaves = (Calls::of("profile"), moves(&marie, OTHER_SIRET));
        let imports = (Calls::of("import-feed"), world.import(&batch, &file, ""));
        let met = orders.meet(leaves, imports).await;
        if let Some((left, _)) = met {
            at_home = !at_home;
            assert!([200, 503].contains(&left.status), "{order}: {left}");
            if left.status == 503 {
                moves(&marie, OTHER_SIRET).await.expect(200);
            }
        } else {
            let siret = world
                .store()
                .get::<portal::store::Account>(&portal::store::Account::key_of(&MemberNumber::parse(ACCOUNT).unwrap()))
                .await
                .unwrap()
                .unwrap()
                .siret;
            at_home = siret.as_str() == SIRET;
            moves(&marie, OTHER_SIRET).await.expect(200);
        }
        marie.get(&target("summary")).await.expect_problem(404, "not-found");
        Inventory::of(&world).await.expect_whole(&order.to_string());
        world.advance(DAY);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pass_is_the_accounts_whatever_siret_that_has() {
    let world = World::start().await;
    let token = pass(&world).await;
    let moved = fixture().0.replace("\"version\":1", "\"version\":2").replace(SIRET, EMPTY_SIRET);
    world.import("2012-10-16-001", &moved, "").await;
    let paul = world.user(&Person::at(PAUL).of(EMPTY_SIRET)).await;
    world.accept_charter(&paul).await;
    claim_with(&world, &paul, &token).await.expect(201);
}

/// What leaving wrote stays with the user alone.
#[tokio::test(flavor = "multi_thread")]
async fn a_bar_goes_with_its_user() {
    let world = World::start().await;
    let marie = world.manager(MARIE).await;
    let id = marie.id().await;
    for name in ["Claire", "Hugo"] {
        staff(&world, "release-manager", name).await;
    }
    let export = marie.get("/api/me/export").await.expect(200);
    assert_eq!(export["claims_barred"][0]["member_number"], ACCOUNT);
    assert!(world.store().get::<User>(&User::key_of(id)).await.unwrap().unwrap().next_claim_at.is_some());
    erases(&marie).await.expect(204);
    assert_eq!(world.count(Table::Members, &format!("USER#{id}"), "").await, 0);
}
