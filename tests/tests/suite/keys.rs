//! The keys that sign access tokens: published before they sign, replaced without anybody noticing.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use futures::future::{join, join_all};
use harness::{PASSWORD, Person, Visitor, World};
use jiff::Timestamp;
use serde_json::{Value, json};

const EMAIL: &str = "jeanne@martin.example";
const HOUR: Duration = Duration::from_secs(3600);

/// The name of the key that signed a visitor's token.
fn kid(visitor: &Visitor) -> String {
    let token = visitor.token.lock().unwrap().clone().expect("signed in");
    let header = URL_SAFE_NO_PAD.decode(token.split('.').next().unwrap()).unwrap();
    serde_json::from_slice::<Value>(&header).unwrap()["kid"].as_str().unwrap().to_owned()
}

async fn published(world: &World) -> BTreeSet<String> {
    let keys = world.visitor().get("/.well-known/jwks.json").await.expect(200);
    let kids = keys["keys"].as_array().unwrap().iter().map(|key| key["kid"].as_str().unwrap().to_owned());
    kids.collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_rotate_under_load_and_nobody_is_turned_away() {
    let world = World::start().await;
    world.user(&Person::at(EMAIL)).await;
    let mut first_seen: BTreeMap<String, Timestamp> = BTreeMap::new();
    let mut signed = Vec::new();
    // Every eleven hours for ten weeks: sessions live for twelve.
    for _ in 0..(70 * 24 / 11) {
        let now = world.portal.clock().now();
        let jeanne = world.visitor();
        jeanne.log_in(EMAIL, PASSWORD).await.expect(200);
        let tabs: Vec<_> = (0..4).map(|_| world.visitor().holding(&jeanne.cookie().unwrap())).collect();
        let load = join_all(tabs.iter().map(async |tab| {
            for _ in 0..3 {
                tab.refresh().await.expect(200);
                tab.get("/api/me").await.expect(200);
            }
        }));
        let (rotated, _) = join(world.portal.invoke("rotate-keys", json!({})), load).await;
        rotated.unwrap();
        let published = published(&world).await;
        assert!((1..=3).contains(&published.len()), "{published:?}");
        for kid in published {
            first_seen.entry(kid).or_insert(now);
        }
        // What was signed before a rotation is read after it, until it expires.
        jeanne.get("/api/me").await.expect(200);
        let kid = kid(&jeanne);
        if signed.last() != Some(&kid) {
            let published_for = now.duration_since(first_seen[&kid]);
            assert!(signed.is_empty() || published_for.as_hours() >= 24, "{kid} signs after {published_for:?}");
            signed.push(kid);
        }
        world.advance(HOUR * 11);
    }
    assert_eq!(signed.len(), 3, "30 days each: {signed:?}");
    assert!(!published(&world).await.contains(&signed[0]), "a key that is done with is not published");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_of_the_previous_key_is_read_until_it_expires() {
    let world = World::start().await;
    let jeanne = world.user(&Person::at(EMAIL)).await;
    let old = kid(&jeanne);
    // The next key is published a day before its time.
    world.advance(HOUR * 24 * 29);
    world.portal.invoke("rotate-keys", json!({})).await.unwrap();
    assert_eq!(published(&world).await.len(), 2);
    world.advance(HOUR * 24 - Duration::from_secs(120));
    jeanne.log_in(EMAIL, PASSWORD).await.expect(200);
    assert_eq!(kid(&jeanne), old);
    let other = world.visitor();
    for _ in 0..6 {
        world.advance(Duration::from_secs(60));
        world.portal.invoke("rotate-keys", json!({})).await.unwrap();
        jeanne.get("/api/me").await.expect(200);
        other.log_in(EMAIL, PASSWORD).await.expect(200);
        other.get("/api/me").await.expect(200);
    }
    assert_ne!(kid(&other), old);
    world.advance(Duration::from_secs(300));
    jeanne.get("/api/me").await.expect_problem(401, "authentication-required");
    jeanne.refresh().await.expect(200);
    assert_eq!(kid(&jeanne), kid(&other));
}
