//! Spaces that nobody uses, through the function "expire-users": a warning after 23 months, the end after 24, and a
//! log-in that wins until the end has begun.

use std::time::Duration;

use futures::future::{join, join_all};
use harness::{ACCOUNT, PASSWORD, Person, SIRET, World};
use jiff::Timestamp;
use portal::domain::{Email, Siret};
use portal::store::{Change, Establishment, LastUse, Login, Record as _, Stage, Table};
use serde_json::{Value, json};

const ZOE: &str = "zoe@martin.example";

async fn run(world: &World) -> [u64; 3] {
    let did = world.portal.invoke("expire-users", json!({})).await.unwrap();
    ["warned", "erased", "kept"].map(|name| did[name].as_u64().unwrap())
}

async fn login(world: &World, email: &str) -> Option<Login> {
    world.store().get(&Login::key_of(&Email::parse(email).unwrap())).await.unwrap()
}

/// When the next step is due.
async fn due(world: &World, email: &str) -> Timestamp {
    Timestamp::from_millisecond(login(world, email).await.unwrap().last_use.expiry_due).unwrap()
}

/// Moves the clock to an instant, or some seconds before it.
fn reach(world: &World, at: Timestamp, before: u64) {
    let left = at.duration_since(world.portal.clock().now()).unsigned_abs();
    world.advance(left - Duration::from_secs(before));
}

/// Keys that sign, after months without the schedule.
async fn keys(world: &World) {
    for _ in 0..2 {
        world.portal.invoke("rotate-keys", json!({})).await.unwrap();
        world.advance(Duration::from_secs(24 * 3600));
    }
}

async fn subjects(world: &World, email: &str) -> Vec<String> {
    world.mails().await.into_iter().filter(|mail| mail.to == email).map(|mail| mail.subject).collect()
}

const WARNING: &str = "Votre espace personnalisé Constructys va être supprimé";
const END: &str = "Votre espace personnalisé Constructys est supprimé";

#[tokio::test(flavor = "multi_thread")]
async fn who_does_not_log_in_is_warned_once_and_gone_a_month_later_and_not_a_minute_early() {
    let world = World::start_stopped().await;
    let people: Vec<_> = (0..6).map(|n| Person::at(&format!("p{n}@martin.example"))).collect();
    world.users(&people).await;
    world.user(&Person::at(ZOE)).await;
    assert_eq!(run(&world).await, [0, 0, 0]);
    let warning = due(&world, ZOE).await;
    let months = |at: Timestamp| at.duration_since(world.portal.clock().now()).as_secs() / (24 * 3600);
    assert!((699..704).contains(&months(warning)), "23 months and a day: {}", months(warning));
    reach(&world, warning, 20);
    assert_eq!(run(&world).await, [0, 0, 0]);
    reach(&world, warning, 0);
    assert_eq!(run(&world).await, [7, 0, 0]);
    assert_eq!(run(&world).await, [0, 0, 0], "one warning");
    assert_eq!(subjects(&world, ZOE).await.iter().filter(|subject| *subject == WARNING).count(), 1);
    let end = due(&world, ZOE).await;
    assert!((28..32).contains(&months(end)), "{}", months(end));
    let told = world.newest_mail(ZOE).await.text;
    let on = end.to_zoned_datetime(portal::domain::FUND_ZONE.clone()).strftime("%d/%m/%Y").to_string();
    assert!(told.contains(&on), "{on} in {told}");
    reach(&world, end, 20);
    assert_eq!(run(&world).await, [0, 0, 0]);
    reach(&world, end, 0);
    assert_eq!(run(&world).await, [0, 7, 0]);
    assert_eq!(run(&world).await, [0, 0, 0]);
    let last = world.newest_mail(ZOE).await;
    assert_eq!(last.subject, END);
    assert!(last.text.contains("Faute de connexion") && !last.text.contains("à votre demande"), "{}", last.text);
    assert_eq!(world.count(Table::Identity, "EMAIL#", "").await, 0, "nothing is left under any address");
    assert_eq!(world.count(Table::Identity, "USER#", "").await, 0);
    let evidence = world.items(Table::Evidence).await;
    let of = |kind: &str| {
        evidence.iter().filter(|item| item.get("event").is_some_and(|event| event.as_s().unwrap() == kind)).count()
    };
    assert_eq!((of("inactivity-warned"), of("user-erased")), (7, 7));
    world.visitor().log_in(ZOE, PASSWORD).await.expect_problem(401, "bad-credentials");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_in_after_the_warning_begins_the_two_years_anew() {
    let world = World::start_stopped().await;
    let zoe = world.user(&Person::at(ZOE)).await;
    reach(&world, due(&world, ZOE).await, 0);
    assert_eq!(run(&world).await, [1, 0, 0]);
    let end = due(&world, ZOE).await;
    keys(&world).await;
    zoe.log_in(ZOE, PASSWORD).await.expect(200);
    let login = login(&world, ZOE).await.unwrap();
    assert_eq!(login.last_use, LastUse::at(world.portal.clock().now()));
    reach(&world, end, 0);
    assert_eq!(run(&world).await, [0, 0, 0]);
    reach(&world, due(&world, ZOE).await, 0);
    assert_eq!(run(&world).await, [1, 0, 0], "and warned again, two years later");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_manager_who_has_colleagues_is_kept_and_the_staff_told_until_the_colleagues_have_gone() {
    let world = World::start_stopped().await;
    world.manager("marie@martin.example").await;
    let paul = world.user(&Person::at("paul@martin.example")).await;
    world.make_reader(&paul).await;
    let staff = "agents@constructys.example";
    reach(&world, due(&world, "marie@martin.example").await, 0);
    keys(&world).await;
    paul.log_in("paul@martin.example", PASSWORD).await.expect(200);
    assert_eq!(run(&world).await, [1, 0, 0]);
    for alerts in 1..=2 {
        reach(&world, due(&world, "marie@martin.example").await, 0);
        assert_eq!(run(&world).await, [0, 0, 1]);
        assert_eq!(run(&world).await, [0, 0, 0], "once a month");
        assert_eq!(world.mails_to(staff).await, alerts);
    }
    assert!(world.newest_mail(staff).await.text.contains(ACCOUNT));
    let establishment = async || {
        let key = Establishment::key_of(&Siret::parse(SIRET).unwrap());
        world.store().get::<Establishment>(&key).await.unwrap().unwrap()
    };
    assert!(establishment().await.manager.is_some(), "an account with readers keeps its manager");

    keys(&world).await;
    paul.log_in("paul@martin.example", PASSWORD).await.expect(200);
    let me = json!({"current_password": PASSWORD});
    paul.send(http::Method::DELETE, "/api/me", Some(&me)).await.expect(204);
    reach(&world, due(&world, "marie@martin.example").await, 0);
    assert_eq!(run(&world).await, [0, 1, 0]);
    assert!(establishment().await.manager.is_none(), "alone, she leaves it unclaimed");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_log_in_and_the_end_at_once_one_wins_whole() {
    let world = World::start_stopped().await;
    let people: Vec<_> = (0..12).map(|n| Person::at(&format!("p{n}@martin.example"))).collect();
    let visitors = world.users(&people).await;
    reach(&world, due(&world, &people[0].email).await, 0);
    assert_eq!(run(&world).await, [12, 0, 0]);
    reach(&world, due(&world, &people[0].email).await, 0);
    keys(&world).await;
    // They are ended one after the other, while all of them log in: some come in time.
    let log_ins = visitors.iter().zip(&people).map(|(visitor, person)| visitor.log_in(&person.email, PASSWORD));
    let (sessions, did) = join(join_all(log_ins), world.portal.invoke("expire-users", json!({}))).await;
    let did = did.unwrap();
    let mut stayed = 0;
    for ((session, visitor), person) in sessions.into_iter().zip(&visitors).zip(&people) {
        let stage = login(&world, &person.email).await.map(|login| login.last_use.expiry);
        if session.status == 200 {
            stayed += 1;
            assert_eq!(stage, Some(Stage::Active));
            visitor.get("/api/home").await.expect(200);
        } else {
            session.expect_problem(401, "bad-credentials");
            assert_eq!(stage, None);
        }
    }
    assert_eq!(did["erased"], 12 - stayed, "{did}");
    assert_eq!(world.count(Table::Identity, "USER#", "PROFILE").await, stayed);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_end_that_was_cut_off_goes_on_the_next_day_and_nobody_logs_in_meanwhile() {
    let world = World::start_stopped().await;
    world.user(&Person::at(ZOE)).await;
    let store = world.store();
    let begun = login(&world, ZOE).await.unwrap();
    let leaving = LastUse { expiry_due: 0, ..begun.last_use }.leaving();
    assert!(store.update(&begun.key(), &leaving.write(Change::new()).unwrap(), None).await.unwrap());
    world.visitor().log_in(ZOE, PASSWORD).await.expect_problem(401, "bad-credentials");
    assert_eq!(run(&world).await, [0, 1, 0]);
    assert_eq!(world.count(Table::Identity, "USER#", "").await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_due_is_told_with_everything_else_that_is_kept() {
    let world = World::start_stopped().await;
    let zoe = world.user(&Person::at(ZOE)).await;
    let export = zoe.get("/api/me/export").await.expect(200);
    let told: &Value = &export["addresses"][0]["log_in"];
    assert_eq!((&told["stage"], &told["due_at"]), (&json!("active"), &json!(due(&world, ZOE).await)));
}
