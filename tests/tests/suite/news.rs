//! News: published by the staff for now or for later, shown until they expire, in Markdown that hides nothing.

use std::time::Duration;

use futures::future::join_all;
use harness::{Person, Visitor, World};
use jiff::Timestamp;
use portal::store::Table;
use serde_json::{Value, json};

const HOUR: Duration = Duration::from_secs(3600);

fn news(title: &str) -> Value {
    json!({"operation": "publish-news", "title": title, "body": "Le portail est **ouvert**.",
        "staff": "Claire Durand", "reason": "service de la communication"})
}

fn with(mut event: Value, name: &str, value: impl Into<Value>) -> Value {
    event[name] = value.into();
    event
}

/// The next whole second, some time from now.
fn later(world: &World, by: Duration) -> Timestamp {
    Timestamp::from_second((world.portal.clock().now() + by).as_second() + 1).unwrap()
}

async fn shown(visitor: &Visitor) -> Vec<String> {
    let home = visitor.get("/api/home").await.expect(200);
    home["news"].as_array().unwrap().iter().map(|item| item["title"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_news_item_shows_from_its_publication_to_its_end_and_not_a_second_longer() {
    let world = World::start().await;
    let marie = world.user(&Person::at("marie@martin.example")).await;
    let now = world.staff(news("Maintenant")).await;
    assert!(now["published"]["id"].is_string(), "{now}");
    let (from, to) = (later(&world, Duration::from_secs(60)), later(&world, Duration::from_secs(180)));
    let scheduled = with(with(news("Plus tard"), "published_at", from.to_string()), "expires_at", to.to_string());
    let answer = world.staff(scheduled).await;
    assert_eq!((&answer["published"]["published_at"], &answer["published"]["expires_at"]), (&json!(from), &json!(to)));
    assert_eq!(shown(&marie).await, ["Maintenant"]);
    // The clock goes on by itself, so what comes before a boundary is asked some seconds before it.
    let reach = async |at: Timestamp| world.advance((at - world.portal.clock().now()).try_into().unwrap_or_default());
    reach(from - Duration::from_secs(10)).await;
    assert_eq!(shown(&marie).await, ["Maintenant"]);
    reach(from).await;
    assert_eq!(shown(&marie).await, ["Plus tard", "Maintenant"], "the newest first");
    let home = marie.get("/api/home").await.expect(200);
    assert!(home["news"][0].get("expires_at").is_none(), "until when is the fund's matter");
    reach(to - Duration::from_secs(30)).await;
    assert_eq!(shown(&marie).await, ["Plus tard", "Maintenant"]);
    reach(to).await;
    assert_eq!(shown(&marie).await, ["Maintenant"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_ten_newest_are_shown_however_many_expired_or_are_still_to_come() {
    let world = World::start().await;
    let marie = world.user(&Person::at("marie@martin.example")).await;
    for n in 0..11 {
        assert!(world.staff(news(&format!("Durable {n}"))).await["published"].is_object());
        world.advance(Duration::from_secs(1));
    }
    let to = later(&world, Duration::from_secs(60));
    for n in 0..10 {
        let expiring = with(news(&format!("Bref {n}")), "expires_at", to.to_string());
        assert!(world.staff(expiring).await["published"].is_object());
        world.advance(Duration::from_secs(1));
    }
    let eleventh = with(news("Bref 10"), "expires_at", to.to_string());
    assert_eq!(world.staff(eleventh.clone()).await["error"]["code"], "too-many-expiring");
    let future = with(news("À venir"), "published_at", later(&world, 48 * HOUR).to_string());
    assert!(world.staff(future).await["published"].is_object());
    let titles = |name: &str, from: usize| (from..from + 10).rev().map(|n| format!("{name} {n}")).collect::<Vec<_>>();
    assert_eq!(shown(&marie).await, titles("Bref", 0));
    world.advance(Duration::from_secs(90));
    assert_eq!(shown(&marie).await, titles("Durable", 1), "all ten have expired at once");
    // The next publication clears them away, and there is room again.
    let eleventh = with(eleventh, "expires_at", later(&world, HOUR).to_string());
    assert!(world.staff(eleventh).await["published"].is_object());
    assert_eq!(world.count(Table::Members, "NEWS", "").await, 13);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_withdrawn_is_gone_and_each_act_is_evidence() {
    let world = World::start().await;
    let marie = world.user(&Person::at("marie@martin.example")).await;
    let published = world.staff(news("Une erreur")).await;
    let id = published["published"]["id"].as_str().unwrap();
    let again = world.staff(news("Une erreur")).await;
    assert_eq!(again, json!({"unchanged": published["published"]}), "a repeat publishes nothing twice");
    let withdrawal = json!({"operation": "withdraw-news", "id": id, "staff": "Claire Durand", "reason": "une erreur"});
    let answers = join_all((0..4).map(|_| world.staff(withdrawal.clone()))).await;
    let (gone, late): (Vec<_>, Vec<_>) = answers.into_iter().partition(|answer| answer["withdrawn"].is_object());
    assert_eq!((gone.len(), late.len()), (1, 3));
    assert!(late.iter().all(|answer| answer["error"]["code"] == "news-unknown"), "{late:?}");
    assert!(shown(&marie).await.is_empty());
    assert_eq!(world.count(Table::Evidence, "STAFF#", "EVENT#").await, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_refused_names_its_field_and_publishes_nothing() {
    let world = World::start().await;
    let good = news("Titre");
    for (name, value, code) in [
        ("title", json!(null), "required"),
        ("title", json!("x".repeat(121)), "too-long"),
        ("title", json!("a\nb"), "bad-character"),
        ("body", json!(""), "required"),
        ("body", json!("é".repeat(2049)), "too-long"),
        ("body", json!("<script>alert(1)</script>"), "html"),
        ("body", json!("[ici](javascript:alert(1))"), "bad-link"),
        ("body", json!("![x](https://ailleurs.example/x.png)"), "image"),
        ("published_at", json!("demain"), "not-an-instant"),
        ("published_at", json!(1_700_000_000), "not-an-instant"),
        ("published_at", json!("2020-01-01T00:00:00Z"), "in-the-past"),
        ("published_at", json!("2999-01-01T00:00:00Z"), "too-far"),
        ("expires_at", json!("2020-01-01T00:00:00Z"), "expires-before"),
        ("expires_at", json!("2999-01-01T00:00:00Z"), "too-far"),
        ("staff", json!(null), "required"),
        ("reason", json!(""), "required"),
        ("colour", json!("red"), "unknown-field"),
    ] {
        let answer = world.staff(with(good.clone(), name, value)).await;
        assert_eq!((&answer["error"]["field"], &answer["error"]["code"]), (&json!(name), &json!(code)), "{answer}");
        assert!(answer["error"]["message"].as_str().unwrap().ends_with('.'), "{answer}");
    }
    assert_eq!(world.count(Table::Members, "NEWS", "").await, 0);
    assert_eq!(world.count(Table::Evidence, "STAFF#", "EVENT#").await, 0);
    assert!(world.staff(good).await["published"].is_object());
}
