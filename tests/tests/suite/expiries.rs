//! What ends by itself, and what is held back for a while: only the clock moves.

use std::time::Duration;

use harness::{Outage, PASSWORD, Person, Reply, World, link_token};
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};

const EMAIL: &str = "jeanne@martin.example";
const NEW_PASSWORD: &str = "escabeau mauve tournevis 7";

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn minutes(minutes: u64) -> Duration {
    seconds(minutes * 60)
}

fn hours(hours: u64) -> Duration {
    minutes(hours * 60)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_activation_link_lives_for_a_day() {
    let world = World::start().await;
    for email in ["in-time@martin.example", "late@martin.example"] {
        world.sign_up(&Person::at(email)).await.expect(202);
    }
    let in_time = link_token(&world.newest_mail("in-time@martin.example").await);
    let late = link_token(&world.newest_mail("late@martin.example").await);
    let visitor = world.visitor();
    world.advance(hours(24) - minutes(1));
    visitor.look_at_link(&late).await.expect(200);
    visitor.set_password(&in_time, PASSWORD).await.expect(204);
    world.advance(minutes(2));
    visitor.look_at_link(&late).await.expect_problem(410, "link-invalid");
    visitor.set_password(&late, PASSWORD).await.expect_problem(410, "link-invalid");
    visitor.log_in("late@martin.example", PASSWORD).await.expect_problem(401, "bad-credentials");
    visitor.log_in("in-time@martin.example", PASSWORD).await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reset_link_lives_for_half_an_hour() {
    let world = World::start().await;
    world.user(&Person::at(EMAIL)).await;
    let visitor = world.visitor();
    visitor.forgot(EMAIL).await.expect(202);
    let first = link_token(&world.newest_mail(EMAIL).await);
    world.advance(minutes(31));
    visitor.look_at_link(&first).await.expect_problem(410, "link-invalid");
    visitor.set_password(&first, NEW_PASSWORD).await.expect_problem(410, "link-invalid");
    visitor.forgot(EMAIL).await.expect(202);
    let second = link_token(&world.newest_mail(EMAIL).await);
    world.advance(minutes(29));
    visitor.look_at_link(&second).await.expect(200);
    visitor.set_password(&second, NEW_PASSWORD).await.expect(204);
    visitor.log_in(EMAIL, NEW_PASSWORD).await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_access_token_lives_for_ten_minutes_and_a_refresh_gives_another() {
    let world = World::start().await;
    let jeanne = world.user(&Person::at(EMAIL)).await;
    world.advance(minutes(9) + seconds(30));
    jeanne.get("/api/home").await.expect(200);
    world.advance(minutes(1));
    jeanne.get("/api/home").await.expect_problem(401, "authentication-required");
    assert_eq!(jeanne.refresh().await.expect(200)["expires_in"], 600);
    jeanne.get("/api/home").await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_ends_after_two_hours_without_a_refresh() {
    let world = World::start().await;
    let jeanne = world.user(&Person::at(EMAIL)).await;
    for _ in 0..2 {
        world.advance(hours(2) - minutes(1));
        jeanne.refresh().await.expect(200);
    }
    world.advance(hours(2) + minutes(1));
    jeanne.refresh().await.expect_problem(401, "authentication-required");
    jeanne.log_in(EMAIL, PASSWORD).await.expect(200);
    let sessions = jeanne.get("/api/sessions").await.expect(200);
    assert_eq!(sessions["sessions"].as_array().unwrap().len(), 1, "the dead one is not listed");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_signed_in_is_told_when_the_session_ends_used_and_unused() {
    let world = World::start().await;
    let jeanne = world.user(&Person::at(EMAIL)).await;
    let told =
        |tokens: Reply| (tokens["session_idle_in"].as_i64().unwrap(), tokens["session_ends_in"].as_i64().unwrap());
    assert_eq!(told(jeanne.log_in(EMAIL, PASSWORD).await.expect(200)), (7_200, 43_200));
    for _ in 0..6 {
        world.advance(minutes(110));
        jeanne.refresh().await.expect(200);
    }
    // An hour before the end of the twelve, less what the test itself takes.
    let (idle, all) = told(jeanne.refresh().await.expect(200));
    assert_eq!(idle, all, "no longer than the session");
    assert!((3_000..=3_600).contains(&all), "{all}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_ends_after_twelve_hours_however_often_it_is_refreshed() {
    let world = World::start().await;
    let jeanne = world.user(&Person::at(EMAIL)).await;
    for _ in 0..71 {
        world.advance(minutes(10));
        jeanne.refresh().await.expect(200);
    }
    world.advance(minutes(9));
    jeanne.refresh().await.expect(200);
    jeanne.get("/api/home").await.expect(200);
    world.advance(minutes(2));
    jeanne.get("/api/home").await.expect_problem(401, "authentication-required");
    jeanne.refresh().await.expect_problem(401, "authentication-required");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replaced_token_is_good_until_its_successor_was_used_and_half_a_minute_beyond() {
    let world = World::start_stopped().await;
    let jeanne = world.user(&Person::at(EMAIL)).await;
    let first = jeanne.cookie().unwrap();
    jeanne.refresh().await.expect(200);
    let second = jeanne.cookie().unwrap();
    for wait in [seconds(31), minutes(9), hours(1)] {
        world.advance(wait);
        let lost = world.visitor().holding(&first);
        lost.refresh().await.expect(200);
        assert_eq!(lost.cookie().as_deref(), Some(second.as_str()));
        lost.get("/api/home").await.expect(200);
    }

    jeanne.refresh().await.expect(200);
    let third = jeanne.cookie().unwrap();
    world.advance(seconds(29));
    let delayed = world.visitor().holding(&first);
    delayed.refresh().await.expect(200);
    assert_eq!(delayed.cookie().as_deref(), Some(third.as_str()));
    delayed.get("/api/home").await.expect(200);

    world.advance(seconds(2));
    let thief = world.visitor().holding(&first);
    thief.refresh().await.expect_problem(401, "authentication-required");
    for tab in [&jeanne, &delayed] {
        tab.get("/api/home").await.expect_problem(401, "authentication-required");
        tab.refresh().await.expect_problem(401, "authentication-required");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_replaced_token_has_half_a_minute_from_the_use_of_its_own_successor() {
    let world = World::start_stopped().await;
    let jeanne = world.user(&Person::at(EMAIL)).await;
    let mut cookies = vec![jeanne.cookie().unwrap()];
    for _ in 0..3 {
        jeanne.refresh().await.expect(200);
        cookies.push(jeanne.cookie().unwrap());
        world.advance(seconds(14));
    }
    // The successor of the oldest was used 28 seconds ago, that of the next 14, and nobody used that of the last.
    for cookie in &cookies {
        let slow = world.visitor().holding(cookie);
        slow.refresh().await.expect(200);
        assert_ne!(slow.cookie().as_ref(), Some(cookie));
        if *cookie == cookies[3] {
            cookies[3] = slow.cookie().unwrap();
            break;
        }
        assert_eq!(slow.cookie().as_ref(), Some(&cookies[3]));
    }
    world.advance(seconds(3));
    world.visitor().holding(&cookies[1]).refresh().await.expect(200);
    world.visitor().holding(&cookies[0]).refresh().await.expect_problem(401, "authentication-required");
    jeanne.get("/api/home").await.expect_problem(401, "authentication-required");
}

/// Half of the answers get lost, some several times in a row; the client comes back with what it has.
#[tokio::test(flavor = "multi_thread")]
async fn of_a_thousand_lost_answers_to_a_refresh_none_signs_anybody_out() {
    let world = World::start_stopped().await;
    let jeanne = world.user(&Person::at(EMAIL)).await;
    let mut chance = StdRng::seed_from_u64(20);
    let (mut lost, mut lasted) = (0, Duration::ZERO);
    while lost < 1_000 {
        let wait = seconds(chance.random_range(0..=600));
        if lasted + wait > hours(12) - minutes(1) {
            // The end of any session.
            jeanne.log_in(EMAIL, PASSWORD).await.expect(200);
            lasted = Duration::ZERO;
            jeanne.get("/api/home").await.expect(200);
        }
        world.advance(wait);
        lasted += wait;
        let (cookie, token) = (jeanne.cookie().unwrap(), jeanne.token.lock().unwrap().clone());
        jeanne.refresh().await.expect(200);
        if chance.random_bool(0.5) {
            lost += 1;
            *jeanne.refresh.lock().unwrap() = Some(cookie);
            *jeanne.token.lock().unwrap() = token;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_whose_answers_get_lost_does_not_lie_idle() {
    let world = World::start_stopped().await;
    let jeanne = world.user(&Person::at(EMAIL)).await;
    let first = jeanne.cookie().unwrap();
    for _ in 0..3 {
        let lost = world.visitor().holding(&first);
        lost.refresh().await.expect(200);
        world.advance(hours(2) - minutes(1));
    }
    let lost = world.visitor().holding(&first);
    lost.refresh().await.expect(200);
    world.advance(minutes(9));
    lost.get("/api/home").await.expect(200);
    lost.refresh().await.expect(200);
    // Idle time and the longest time hold for a replaced token too.
    let replaced = jeanne.holding(&lost.cookie().unwrap());
    lost.refresh().await.expect(200);
    world.advance(hours(2) + minutes(1));
    replaced.refresh().await.expect_problem(401, "authentication-required");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_made_up_refresh_token_ends_nothing() {
    let world = World::start().await;
    let jeanne = world.user(&Person::at(EMAIL)).await;
    // The right session with another secret, as somebody would write who has seen ids only.
    let mut forged = jeanne.cookie().unwrap().into_bytes();
    let last = forged.len() - 2;
    forged[last] = if forged[last] == b'A' { b'B' } else { b'A' };
    let forged = String::from_utf8(forged).unwrap();
    for cookie in [forged.as_str(), "", "x", &"A".repeat(86), &"A".repeat(4000), "%00"] {
        world.visitor().holding(cookie).refresh().await.expect_problem(401, "authentication-required");
    }
    jeanne.refresh().await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_gets_one_sign_up_mail_a_minute_and_three_an_hour() {
    let world = World::start().await;
    let mut counts = Vec::new();
    // Asked for at 0:00, 0:50, 1:10, 2:20, 3:30, 59:50 and, an hour after the first, 60:10 and 60:40.
    for wait in [0, 50, 20, 70, 70, 56 * 60 + 20, 20, 30] {
        world.advance(seconds(wait));
        world.sign_up(&Person::at(EMAIL)).await.expect(202);
        counts.push(world.mails_to(EMAIL).await);
    }
    assert_eq!(counts, [1, 1, 2, 3, 3, 3, 4, 4]);
    world.sign_up(&Person::at("other@martin.example")).await.expect(202);
    assert_eq!(world.mails_to("other@martin.example").await, 1, "each address has its own limit");
}

#[tokio::test(flavor = "multi_thread")]
async fn activation_and_already_registered_share_a_limit_and_a_reset_has_its_own() {
    let world = World::start().await;
    let jeanne = Person::at(EMAIL);
    world.user(&jeanne).await;
    let visitor = world.visitor();
    let mut counts = Vec::new();
    world.sign_up(&jeanne).await.expect(202);
    counts.push(world.mails_to(EMAIL).await);
    visitor.forgot(EMAIL).await.expect(202);
    counts.push(world.mails_to(EMAIL).await);
    for _ in 0..3 {
        world.advance(seconds(70));
        world.sign_up(&jeanne).await.expect(202);
        counts.push(world.mails_to(EMAIL).await);
    }
    visitor.forgot(EMAIL).await.expect(202);
    counts.push(world.mails_to(EMAIL).await);
    // One activation and the receipt of its terms; a reset; two words that there is a space already; a reset.
    assert_eq!(counts, [2, 3, 4, 5, 5, 6]);
}

#[tokio::test(flavor = "multi_thread")]
async fn notices_are_not_counted() {
    let world = World::start().await;
    world.manager(EMAIL).await;
    assert_eq!(world.mails_to(EMAIL).await, 4, "the link, two receipts, and the claim's confirmation in one minute");
    for change in 1..=3 {
        let visitor = world.visitor();
        visitor.forgot(EMAIL).await.expect(202);
        let token = link_token(&world.newest_mail(EMAIL).await);
        visitor.set_password(&token, &format!("{NEW_PASSWORD}{change}")).await.expect(204);
        assert_eq!(world.mails_to(EMAIL).await, 4 + 2 * change, "a link and a notice");
        world.advance(seconds(61));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_that_ses_refused_for_hours_is_sent_once_and_its_link_counts_from_then() {
    let (ses, options) = Outage::of_ses();
    let world = World::start_with(options).await;
    ses.begin();
    world.sign_up(&Person::at(EMAIL)).await.expect(202);
    assert!(world.mails().await.is_empty());
    assert!(ses.refused() > 0);
    world.advance(hours(20));
    world.sweep().await;
    assert!(world.portal.mails().is_empty(), "woken in vain, and not lost");
    world.advance(hours(10));
    ses.end();
    // A sweep that runs twice, or finds what the one before it woke, sends nothing twice.
    world.portal.invoke("sweep-outbox", serde_json::json!({})).await.unwrap();
    world.sweep().await;
    world.advance(minutes(6));
    world.sweep().await;
    let mails = world.mails().await;
    assert_eq!(mails.iter().map(|mail| mail.to.as_str()).collect::<Vec<_>>(), [EMAIL]);

    let token = link_token(&mails[0]);
    world.advance(hours(24) - minutes(8));
    let jeanne = world.visitor();
    jeanne.look_at_link(&token).await.expect(200);
    jeanne.set_password(&token, PASSWORD).await.expect(204);
    jeanne.log_in(EMAIL, PASSWORD).await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_mails_that_waited_for_ses_only_the_newer_has_a_link_that_works() {
    let (ses, options) = Outage::of_ses();
    let world = World::start_with(options).await;
    world.user(&Person::at(EMAIL)).await;
    ses.begin();
    let visitor = world.visitor();
    for _ in 0..2 {
        visitor.forgot(EMAIL).await.expect(202);
        world.mails().await;
        world.advance(minutes(40));
    }
    ses.end();
    world.sweep().await;
    let mails = world.mails().await;
    // What came before: the link of the sign-up, and the receipt of its terms.
    let resets: Vec<_> = mails.iter().skip(2).collect();
    assert_eq!(resets.len(), 1, "a link that was replaced before it went out is not mailed");
    visitor.set_password(&link_token(resets[0]), NEW_PASSWORD).await.expect(204);
}
