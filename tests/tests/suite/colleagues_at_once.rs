//! Colleagues who deal with each other at the same moment: whatever comes first, an account that had colleagues
//! keeps one manager, and the last event of each says what they are.

use std::collections::{BTreeMap, BTreeSet};

use futures::future::{FutureExt as _, join, join_all};
use harness::{
    ACCOUNT, Calls, Held, Inventory, OTHER_SIRET, Order, PASSWORD, Person, Reply, SIRET, Tap, Visitor, World,
};
use http::Method;
use portal::domain::{MemberNumber, Siret};
use portal::store::{AccountUsers, AuditEvent, Establishment, EventKind, Query, Role, Table};
use serde_json::json;

const PAUL: &str = "paul@martin.example";
const ZOE: &str = "zoe@martin.example";
const OMAR: &str = "omar@martin.example";

fn target(rest: &str) -> String {
    format!("/api/accounts/{ACCOUNT}/{rest}")
}

async fn hand_over(from: &Visitor, to: &str) -> Reply {
    from.post(&target("manager"), &json!({"id": to})).await
}

async fn end(by: &Visitor, whose: &str) -> Reply {
    by.delete(&target(&format!("users/{whose}"))).await
}

async fn give(by: &Visitor, email: &str) -> Reply {
    by.post(&target("users"), &json!({"email": email})).await
}

async fn change(who: &Visitor, field: &str, to: &str) -> Reply {
    who.patch("/api/me", &json!({field: to})).await
}

async fn ask(who: &Visitor) -> Reply {
    who.post("/api/access-requests", &json!({"message": "Bonjour"})).await
}

async fn erase(visitor: &Visitor) -> Reply {
    visitor.send(Method::DELETE, "/api/me", Some(&json!({"current_password": PASSWORD}))).await
}

const OWN: Calls = Calls::of("profile");
const MANAGES: Calls = Calls::of("manage-users");
const ASKS: Calls = Calls::of("request-access");

/// Marie, who manages, Paul and Zoé, who read, and Omar, who asks.
struct Office {
    marie: Visitor,
    paul: Visitor,
    zoe: Visitor,
    omar: Visitor,
    ids: [String; 4],
}

impl Office {
    async fn of(world: &World) -> Self {
        let marie = world.manager("marie@martin.example").await;
        let people = [(PAUL, "DURAND"), (ZOE, "PETIT"), (OMAR, "LEROY")];
        let people = people.map(|(email, name)| Person::at(email).named("m", name));
        let [paul, zoe, omar]: [Visitor; 3] = world.users(&people).await.try_into().ok().unwrap();
        for colleague in [&paul, &zoe, &omar] {
            world.accept_charter(colleague).await;
        }
        for (email, reader) in [(PAUL, &paul), (ZOE, &zoe)] {
            give(&marie, email).await.expect(202);
            reader.get(&target("summary")).await.expect(200);
        }
        omar.post("/api/access-requests", &json!({"message": "Bonjour"})).await.expect(202);
        let mut ids = Vec::new();
        for person in [&marie, &paul, &zoe, &omar] {
            ids.push(person.id().await.to_string());
        }
        Self { marie, paul, zoe, omar, ids: ids.try_into().unwrap() }
    }
}

/// One manager, or nobody at all; copies agree; and the last event about each says what they have.
async fn all_is_well(world: &World, what: &str) {
    Inventory::of(world).await.expect_whole(what);
    let (number, siret) = (MemberNumber::parse(ACCOUNT).unwrap(), Siret::parse(SIRET).unwrap());
    let seat: Establishment = world.store().get(&Establishment::key_of(&siret)).await.unwrap().unwrap();
    let AccountUsers { grants, invitations, requests } = AccountUsers::of(&world.store(), &number).await.unwrap();
    let managers: Vec<_> =
        grants.iter().filter(|grant| grant.role == Role::Manager).map(|grant| grant.user_id).collect();
    let seated: Vec<_> = seat.manager.iter().map(|manager| manager.user_id).collect();
    assert_eq!(managers, seated, "{what}");
    assert!(!seated.is_empty() || grants.is_empty() && invitations.is_empty(), "{what}: nobody manages {grants:?}");

    let evidence = world.items(Table::Evidence).await;
    let subjects: BTreeSet<_> = evidence.iter().map(|item| item["pk"].as_s().unwrap().clone()).collect();
    let subjects = subjects.into_iter().filter(|pk| pk.starts_with("SUBJECT#"));
    let mut last: BTreeMap<String, EventKind> = BTreeMap::new();
    for subject in subjects {
        let query = Query::partition(Table::Evidence, subject).beginning("EVENT#");
        for event in world.store().query_all::<AuditEvent>(&query).await.unwrap() {
            use EventKind::{
                AccessGranted, AccessRefused, AccessRequested, AccessRevoked, AccountClaimed, RoleHandedOver,
                RoleTakenOver,
            };
            let kinds = [
                AccessGranted,
                AccessRefused,
                AccessRequested,
                AccessRevoked,
                AccountClaimed,
                RoleHandedOver,
                RoleTakenOver,
            ];
            if kinds.contains(&event.event) {
                last.insert(event.subject.to_string(), event.event);
            }
        }
    }
    for (subject, kind) in &last {
        let grant = grants.iter().find(|grant| grant.user_id.to_string() == *subject);
        let asks = requests.iter().any(|request| request.user_id.to_string() == *subject);
        let was_opened = grants.iter().any(|grant| grant.invitation_id.is_some_and(|id| id.to_string() == *subject));
        let is_invited = invitations.iter().any(|invitation| invitation.invitation_id.to_string() == *subject);
        // An invitation's own last event stays, when who opened it leaves.
        let is_invitation = is_invited || was_opened || !world_knows(&evidence, subject);
        let agrees = match kind {
            EventKind::AccountClaimed | EventKind::RoleTakenOver => {
                grant.is_some_and(|grant| grant.role == Role::Manager)
            }
            EventKind::RoleHandedOver => grant.is_some_and(|grant| grant.role == Role::Reader),
            EventKind::AccessGranted => is_invitation || grant.is_some_and(|grant| grant.role == Role::Reader),
            EventKind::AccessRequested => asks && grant.is_none(),
            _ => grant.is_none() && !asks && !is_invited,
        };
        assert!(agrees, "{what}: the last about {subject} is {kind:?}, they have {grant:?}, ask: {asks}");
    }
}

/// Whether a subject of the evidence is a user, and no invitation.
fn world_knows(evidence: &[portal::store::Item], subject: &str) -> bool {
    let own = format!("SUBJECT#{subject}");
    evidence.iter().any(|item| item["pk"].as_s() == Ok(&own) && item["sk"].as_s().unwrap().starts_with("ACCEPTANCE#"))
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_colleagues_do_at_once_there_is_one_manager_and_the_evidence_says_who() {
    for round in 0..6 {
        let (tap, options) = Tap::on_dynamodb();
        let world = World::start_with(options).await;
        let Office { marie, paul, zoe, omar, ids: [marie_id, paul_id, zoe_id, omar_id] } = &Office::of(&world).await;
        let mut acts = [
            hand_over(marie, paul_id).boxed(),
            hand_over(marie, zoe_id).boxed(),
            end(marie, zoe_id).boxed(),
            end(paul, paul_id).boxed(),
            end(marie, omar_id).boxed(),
            give(marie, "new@cabinet.example").boxed(),
            give(marie, OMAR).boxed(),
            give(paul, "other@cabinet.example").boxed(),
            change(marie, "siret", OTHER_SIRET).boxed(),
            erase(zoe).boxed(),
            ask(omar).boxed(),
            hand_over(paul, marie_id).boxed(),
        ];
        // Who begins differs from round to round.
        acts.rotate_left(2 * round);
        let (replies, _) = tap.during(join_all(acts)).await;
        for reply in &replies {
            assert!([200, 202, 204, 401, 403, 404, 409, 503].contains(&reply.status), "round {round}: {reply}");
        }
        assert!(replies.iter().any(|reply| reply.status < 300), "round {round}: nothing came through");
        all_is_well(&world, &format!("round {round}")).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_heirs_at_once_one_is_the_manager() {
    let (tap, options) = Tap::on_dynamodb();
    let world = World::start_with(options).await;
    let Office { marie, paul, zoe, ids: [marie_id, paul_id, zoe_id, _], .. } = &Office::of(&world).await;
    for round in 0..4 {
        let both = join(hand_over(marie, paul_id), hand_over(marie, zoe_id));
        let ((one, other), _) = tap.during(both).await;
        let mut statuses = [one.status, other.status];
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 403], "round {round}: {one} {other}");
        all_is_well(&world, &format!("round {round}")).await;
        let heir = if one.status == 200 { paul } else { zoe };
        hand_over(heir, marie_id).await.expect(200);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_gets_access_from_a_manager_who_leaves_at_that_moment() {
    let (held, options) = Held::on_dynamodb();
    let world = World::start_with(options).await;
    let marie = world.manager("marie@martin.example").await;
    let mut ends = BTreeSet::new();
    let mut orders = held.orders();
    while let Some(order) = orders.another() {
        let leaving = (OWN, change(&marie, "siret", OTHER_SIRET));
        let giving = (MANAGES, give(&marie, "new@cabinet.example"));
        let met = orders.meet(leaving, giving).await;
        if let Some((left, given)) = &met {
            assert!([200, 409, 503].contains(&left.status), "{left}");
            assert!([202, 403, 404, 401].contains(&given.status), "{given}");
            ends.insert((left.status == 200, given.status == 202));
        }
        let what = order.to_string();
        all_is_well(&world, &what).await;
        // As before the round.
        if marie.get("/api/me").await.expect(200)["siret"] == SIRET {
            let listed = marie.get(&target("users")).await.expect(200);
            for user in listed["users"].as_array().unwrap().iter().filter(|user| user["role"] == "reader") {
                end(&marie, user["id"].as_str().unwrap()).await.expect(204);
            }
        } else {
            marie.patch("/api/me", &json!({"siret": SIRET})).await.expect(200);
            world.forget_claims(&marie).await;
            world.claim(&marie, ACCOUNT).await.expect(201);
        }
    }
    assert!(ends.contains(&(true, false)) && ends.contains(&(false, true)), "{ends:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_seat_has_the_name_that_its_heir_takes_at_that_moment() {
    let (held, options) = Held::on_dynamodb();
    let world = World::start_with(options).await;
    let Office { marie, paul, ids: [marie_id, paul_id, ..], .. } = &Office::of(&world).await;
    let mut names = ('A'..='Z').map(|letter| format!("DURAND-{letter}"));
    let mut orders = held.orders();
    while let Some(order) = orders.another() {
        let name = names.next().unwrap();
        let (renaming, giving) = ((OWN, change(paul, "last_name", &name)), (MANAGES, hand_over(marie, paul_id)));
        let met = orders.meet(renaming, giving).await;
        // Which looks at the names too.
        all_is_well(&world, &order.to_string()).await;
        let Some((renamed, given)) = met else {
            // The one that met nothing may have been done.
            if paul.get("/api/accounts").await.expect(200)["accounts"][0]["role"] == "manager" {
                hand_over(paul, marie_id).await.expect(200);
            }
            continue;
        };
        assert!([200, 503].contains(&renamed.status), "{renamed}");
        given.expect(200);
        hand_over(paul, marie_id).await.expect(200);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_who_ask_at_once_ask_once() {
    let (tap, options) = Tap::on_dynamodb();
    let world = World::start_with(options).await;
    let Office { marie, omar, ids: [.., omar_id], .. } = &Office::of(&world).await;
    end(marie, omar_id).await.expect(204);
    let before = world.mails_to("marie@martin.example").await;
    let asking = join_all((0..10).map(|_| ask(omar)));
    for reply in tap.during(asking).await.0 {
        reply.expect(202);
    }
    assert_eq!(world.mails_to("marie@martin.example").await, before + 1);
    all_is_well(&world, "ten asked").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_is_approved_and_refused_at_once_is_one_of_the_two() {
    let (held, options) = Held::on_dynamodb();
    let world = World::start_with(options).await;
    let Office { marie, omar, ids: [.., omar_id], .. } = &Office::of(&world).await;
    let mut orders = held.orders();
    while let Some(order) = orders.another() {
        let what = order.to_string();
        all_is_well(&world, &format!("before {what}")).await;
        let (giving, refusing) = ((MANAGES, give(marie, OMAR)), (MANAGES, end(marie, omar_id)));
        let met = orders.meet(giving, refusing).await;
        all_is_well(&world, &what).await;
        if let Some((given, ended)) = &met {
            assert_eq!(given.status, 202, "{given}");
            assert!([204, 404].contains(&ended.status), "{ended}");
        }
        let listed = marie.get(&target("users")).await.expect(200);
        let omars: Vec<_> =
            listed["users"].as_array().unwrap().iter().filter(|user| user["email"] == OMAR).cloned().collect();
        assert!(omars.len() <= 1, "{omars:?}");
        for user in omars {
            end(marie, user["id"].as_str().unwrap()).await.expect(204);
        }
        ask(omar).await.expect(202);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_and_an_invitation_of_one_moment_are_one_access() {
    let (held, options) = Held::on_dynamodb();
    let world = World::start_with(options).await;
    let Office { marie, omar, ids: [.., omar_id], .. } = &Office::of(&world).await;
    end(marie, omar_id).await.expect(204);
    let mut orders = held.orders();
    while let Some(order) = orders.another() {
        let (asking, giving) = ((ASKS, ask(omar)), (MANAGES, give(marie, OMAR)));
        let met = orders.meet(asking, giving).await;
        let listed = marie.get(&target("users")).await.expect(200);
        let omars = listed["users"].as_array().unwrap().iter().filter(|user| user["email"] == OMAR).count();
        assert_eq!(omars, 1, "{}", listed.text);
        if let Some((asked, given)) = &met {
            assert_eq!((asked.status, given.status), (202, 202), "{asked} {given}");
        }
        // Whatever it is, once he opened it nothing else is left.
        let opened = omar.get(&target("summary")).await.status == 200;
        assert_eq!(opened, met.is_some() || matches!(order, Order::Second(_)));
        let what = order.to_string();
        all_is_well(&world, &what).await;
        end(marie, omar_id).await.expect(204);
        all_is_well(&world, &format!("after {what}")).await;
    }
}
