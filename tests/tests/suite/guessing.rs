//! The limits on guessing passwords, and on log-ins and sign-ups from one place.
//!
//! No switch turns a limit off: whoever is here comes from an address of their own.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

use futures::future::join_all;
use harness::{Calls, Held, PASSWORD, Person, Reply, Tap, World, link_token};
use jiff::Timestamp;
use lambda_http::Request;
use portal::domain::Email;
use portal::environment::rng;
use portal::http::{Call, Edge};
use portal::security::{Credentials, Hashing, Password};
use portal::store::{Outcome, RateLimit, Table, Transaction};
use serde_json::json;

const EMAIL: &str = "jeanne@martin.example";
const NEW_PASSWORD: &str = "escabeau mauve tournevis 7";

/// One wrong password, from somewhere else each time.
async fn wrong(world: &World, email: &str) -> Reply {
    world.visitor().log_in(email, "une tout autre phrase 12").await
}

#[tokio::test(flavor = "multi_thread")]
async fn five_wrong_passwords_are_answered_and_then_not_even_the_right_one_is_heard() {
    let world = World::start_stopped().await;
    world.user(&Person::at(EMAIL)).await;
    // An address that nobody has is counted alike: in the same world, to the same answers.
    for email in [EMAIL, "nobody@martin.example"] {
        for _ in 0..5 {
            wrong(&world, email).await.expect_problem(401, "bad-credentials");
        }
        let mut pause = 60;
        for _ in 0..3 {
            let closed = wrong(&world, email).await.expect_problem(429, "too-many-attempts");
            assert_eq!(closed.retry_after(), pause, "{closed}");
            world.visitor().log_in(email, PASSWORD).await.expect_problem(429, "too-many-attempts");
            world.advance(Duration::from_secs(closed.retry_after()));
            wrong(&world, email).await.expect_problem(401, "bad-credentials");
            pause *= 2;
        }
    }
    // Who waits as long as they are told is heard, and a success does not start the count anew.
    let closed = wrong(&world, EMAIL).await.expect_problem(429, "too-many-attempts");
    world.advance(Duration::from_secs(closed.retry_after()));
    world.visitor().log_in(EMAIL, PASSWORD).await.expect(200);
    wrong(&world, EMAIL).await.expect_problem(401, "bad-credentials");
    wrong(&world, EMAIL).await.expect_problem(429, "too-many-attempts");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_day_has_twenty_five_wrong_passwords_at_most() {
    let world = World::start().await;
    let mut failures = 0;
    let mut passed = Duration::ZERO;
    while passed < Duration::from_secs(24 * 3600 - 60) {
        let reply = wrong(&world, EMAIL).await;
        if reply.status == 401 {
            failures += 1;
        } else {
            let wait = Duration::from_secs(reply.expect_problem(429, "too-many-attempts").retry_after());
            world.advance(wait);
            passed += wait;
        }
    }
    assert_eq!(failures, 25);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_hundred_guesses_at_once_no_more_than_five_are_answered() {
    // Slowed down, all of them read before one writes.
    let (tap, options) = Tap::on_dynamodb();
    let world = World::start_with(options).await;
    world.user(&Person::at(EMAIL)).await;
    for email in [EMAIL, "nobody@martin.example"] {
        let visitors: Vec<_> = (0..100).map(|_| world.visitor()).collect();
        let guesses = visitors.iter().enumerate().map(|(n, visitor)| {
            let guess = if n == 50 { PASSWORD.to_owned() } else { format!("une tout autre phrase {n}") };
            async move { visitor.log_in(email, &guess).await }
        });
        let (replies, _) = tap.during(join_all(guesses)).await;
        let statuses = Reply::statuses(&replies);
        assert_eq!(statuses.values().sum::<usize>(), 100);
        assert!(statuses.keys().all(|status| [200, 401, 429].contains(status)), "{statuses:?}");
        assert_eq!(statuses[&401], 5, "{statuses:?}");
        assert!(statuses.get(&200).copied().unwrap_or(0) <= 1, "{statuses:?}");
        assert!(!statuses.contains_key(&200) || replies[50].status == 200);
    }
}

/// Between the look at the password and the session lies a hash: what others do meanwhile counts.
#[tokio::test(flavor = "multi_thread")]
async fn a_right_password_counts_only_while_there_is_something_left_to_guess() {
    let world = World::start().await;
    world.user(&Person::at(EMAIL)).await;
    let store = world.store();
    let credentials = Credentials::new(&store, &Hashing::default());
    let call = Call::new(Request::default(), &Edge::default(), world.portal.clock().now());
    let rng = &mut rng();
    let (email, password) = (Email::parse(EMAIL).unwrap(), || Password::of(PASSWORD.to_owned()));
    let Ok(mut proven) = credentials.prove(&email, password(), &call, rng).await else { panic!("it is right") };
    for n in 0..5 {
        let mut transaction = Transaction::new();
        let guard = proven.guard(&mut transaction).unwrap();
        match store.commit(&transaction, rng).await.unwrap() {
            Outcome::Committed => assert_eq!(n, 0, "somebody failed meanwhile"),
            Outcome::Refused(refused) => assert!(n > 0 && refused.failed(guard)),
        }
        assert!(proven.renew(&call).await.is_ok(), "there is still something left after {n}");
        wrong(&world, EMAIL).await.expect_problem(401, "bad-credentials");
    }
    let closed = proven.renew(&call).await.unwrap_err();
    assert_eq!(closed.slug(), "too-many-attempts");
}

#[tokio::test(flavor = "multi_thread")]
async fn twenty_right_log_ins_at_once_all_pass() {
    let (tap, options) = Tap::on_dynamodb();
    let world = World::start_with(options).await;
    world.user(&Person::at(EMAIL)).await;
    wrong(&world, EMAIL).await.expect_problem(401, "bad-credentials");
    let visitors: Vec<_> = (0..20).map(|_| world.visitor()).collect();
    let (replies, _) = tap.during(join_all(visitors.iter().map(|visitor| visitor.log_in(EMAIL, PASSWORD)))).await;
    assert_eq!(Reply::statuses(&replies), BTreeMap::from([(200, 20)]));
    for reply in join_all(visitors.iter().map(|visitor| visitor.get("/api/home"))).await {
        reply.expect(200);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_reset_stays_open_while_log_in_is_closed_and_opens_it() {
    let world = World::start().await;
    world.user(&Person::at(EMAIL)).await;
    for _ in 0..5 {
        wrong(&world, EMAIL).await.expect_problem(401, "bad-credentials");
    }
    world.visitor().log_in(EMAIL, PASSWORD).await.expect_problem(429, "too-many-attempts");
    world.visitor().forgot(EMAIL).await.expect(202);
    let token = link_token(&world.newest_mail(EMAIL).await);
    world.visitor().look_at_link(&token).await.expect(200);
    world.visitor().log_in(EMAIL, PASSWORD).await.expect_problem(429, "too-many-attempts");
    world.visitor().set_password(&token, NEW_PASSWORD).await.expect(204);
    world.visitor().log_in(EMAIL, NEW_PASSWORD).await.expect(200);
    for _ in 0..5 {
        wrong(&world, EMAIL).await.expect_problem(401, "bad-credentials");
    }
    wrong(&world, EMAIL).await.expect_problem(429, "too-many-attempts");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_place_logs_in_thirty_times_a_minute() {
    let world = World::start().await;
    world.user(&Person::at(EMAIL)).await;
    let office = world.visitor();
    for n in 0..30 {
        // Right and wrong ones count alike, whatever the address.
        let reply = match n % 2 {
            0 => office.log_in(EMAIL, PASSWORD).await,
            _ => office.log_in(&format!("nobody{n}@martin.example"), PASSWORD).await,
        };
        assert!([200, 401].contains(&reply.status), "{reply}");
    }
    let closed = office.log_in(EMAIL, PASSWORD).await.expect_problem(429, "too-many-attempts");
    assert!((1..=60).contains(&closed.retry_after()), "{closed}");
    world.visitor().log_in(EMAIL, PASSWORD).await.expect(200);
    world.advance(Duration::from_secs(closed.retry_after()));
    office.log_in(EMAIL, PASSWORD).await.expect(200);
}

/// For half an hour, in every second of it: no minute has more than thirty, whenever it begins.
#[tokio::test(flavor = "multi_thread")]
async fn no_minute_has_more_than_thirty_log_ins_of_a_place_and_its_list_does_not_grow() {
    let world = World::start().await;
    let (store, place) = (world.store(), Some("198.51.100.7".parse().unwrap()));
    let mut passed = Vec::new();
    for second in 0..1_800 {
        let now = Timestamp::from_second(1_000_000 + second).unwrap();
        // In bursts and steadily, so that the list is full at all its ages.
        for _ in 0..if second % 61 == 0 { 40 } else { 1 } {
            match RateLimit::LOG_INS.admit(&store, place, now).await.unwrap() {
                Ok(()) => passed.push(second),
                Err(wait) => assert!((1..=60).contains(&wait), "{wait}"),
            }
        }
    }
    let within = |from: i64| passed.iter().filter(|at| (from..from + 60).contains(*at)).count();
    assert_eq!((0..1_740).map(within).max(), Some(30));
    assert!(passed.len() > 29 * 29, "and thirty a minute do pass: {}", passed.len());
    let items = world.items(Table::Identity).await;
    let list = items.iter().find(|item| item["pk"].as_s().unwrap() == "IP#198.51.100.7").unwrap();
    assert!(list["passed"].as_l().unwrap().len() <= 300);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_forty_log_ins_from_one_place_at_once_thirty_are_heard() {
    let (tap, options) = Tap::on_dynamodb();
    let world = World::start_with(options).await;
    world.user(&Person::at(EMAIL)).await;
    let office = world.visitor();
    let log_ins = (0..40).map(|_| office.log_in(EMAIL, PASSWORD));
    let (replies, _) = tap.during(join_all(log_ins)).await;
    assert_eq!(Reply::statuses(&replies), BTreeMap::from([(200, 30), (429, 10)]));
}

#[tokio::test(flavor = "multi_thread")]
async fn one_place_signs_up_twenty_times_an_hour() {
    let world = World::start().await;
    let terms = world.document("terms").await;
    let office = world.visitor();
    let sign_up = |n: usize| {
        let form = Person::at(&format!("person{n}@martin.example")).form(&terms);
        let office = &office;
        async move { office.post("/api/signup", &form).await }
    };
    // At once: what one place may do is decided by conditional writes.
    let replies = join_all((0..25).map(sign_up)).await;
    assert_eq!(Reply::statuses(&replies), BTreeMap::from([(202, 20), (429, 5)]));
    assert_eq!(world.mails().await.len(), 20, "who is refused causes no mail");
    let closed = sign_up(30).await.expect_problem(429, "too-many-attempts");
    assert!((3500..=3601).contains(&closed.retry_after()), "{closed}");
    world.sign_up(&Person::at("elsewhere@martin.example")).await.expect(202);
    world.advance(Duration::from_secs(closed.retry_after()));
    sign_up(31).await.expect(202);
}

/// The address that CloudFront names counts beside its secret, and nothing else does.
#[tokio::test(flavor = "multi_thread")]
async fn the_viewers_address_counts_beside_the_origin_secret_alone() {
    let mut options = local::Options::default();
    // SHA-256 of "correct".
    let hash = "15a596e3c98c407e043751ff3b21ff0358a1bdfdf3fe948b1523893a8e5de2e8";
    options.parameters.insert("OriginSecretSha256".to_owned(), hash.to_owned());
    let world = World::start_with(options).await.behind("x-origin-secret", "correct");
    let jeanne = world.user(&Person::at(EMAIL)).await;
    let credentials = json!({"email": EMAIL, "password": PASSWORD});
    let edge = world.visitor();
    let through = |viewer: &str, secret: &'static str| {
        let headers = [
            ("cloudfront-viewer-address".to_owned(), format!("{viewer}:46532")),
            ("x-forwarded-for".to_owned(), "192.0.2.99".to_owned()),
            ("x-origin-secret".to_owned(), secret.to_owned()),
        ];
        let (edge, credentials) = (&edge, &credentials);
        async move {
            let headers: Vec<_> = headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
            // A browser of its own each time, as a log-in ends the session that its browser brings.
            *edge.refresh.lock().unwrap() = None;
            edge.send_with(http::Method::POST, "/api/sessions", Some(credentials), &headers).await
        }
    };
    for n in 0..40 {
        through(&format!("198.51.100.{n}"), "correct").await.expect(200);
    }
    // One IPv6 network is one place.
    for n in 0..30 {
        through(&format!("2001:db8:1:2::{n:x}"), "correct").await.expect(200);
    }
    through("2001:db8:1:2:ffff::1", "correct").await.expect_problem(429, "too-many-attempts");
    through("2001:db8:1:3::1", "correct").await.expect(200);
    // Without it nobody is heard, whatever address they name, and nothing is counted.
    for n in 0..31 {
        through(&format!("203.0.113.{n}"), "guessed").await.expect_problem(421, "misdirected-request");
    }
    through("203.0.113.7", "correct").await.expect(200);
    // Her own was the oldest of more than a user has.
    jeanne.log_in(EMAIL, PASSWORD).await.expect(200);
    let sessions = jeanne.get("/api/sessions").await.expect(200);
    let seen: Vec<IpAddr> = sessions["sessions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|session| session["ip"].as_str().unwrap().parse().unwrap())
        .collect();
    assert!(seen.contains(&"198.51.100.39".parse().unwrap()));
    assert!(!seen.iter().any(|ip| ["203.0.113.8", "192.0.2.99"].contains(&ip.to_string().as_str())));
}

/// What is wrong with the rest of a form is told whoever knows the current password: so only while there is something left
/// to guess, also where five were wrong between its reading and the answer.
#[tokio::test(flavor = "multi_thread")]
async fn a_right_current_password_shows_by_no_refusal_once_there_is_nothing_left_to_guess() {
    let (held, options) = Held::on_dynamodb();
    let world = World::start_with(options).await;
    let jeanne = world.user(&Person::at(EMAIL)).await;
    let form = json!({"current_password": PASSWORD, "password": "x", "password_confirmation": "x"});
    jeanne.post("/api/me/password", &form).await.expect(422);
    let failures = async {
        for _ in 0..5 {
            wrong(&world, EMAIL).await.expect_problem(401, "bad-credentials");
        }
    };
    let verdict = Calls::transactions_of("profile");
    let (reply, ()) = held.between(verdict, jeanne.post("/api/me/password", &form), failures).await;
    reply.expect_problem(429, "too-many-attempts");
}
