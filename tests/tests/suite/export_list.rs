//! The list of what one asked for of an account: one's own, of the last day, newest first.

use std::time::Duration;

use harness::{ACCOUNT, OTHER_ACCOUNT, PASSWORD, World};
use portal::domain::{Id, MemberNumber};
use portal::store::Export;
use serde_json::{Value, json};

use crate::ledger_files::{add_what_no_total_has, asked};

const EXPORTS: &str = "/api/accounts/012345/exports";

#[tokio::test(flavor = "multi_thread")]
async fn ones_exports_are_listed_newest_first_for_a_day_and_nobody_elses() {
    let world = World::start().await;
    let marie = world.manager("marie@martin.example").await;
    let paul = world.member("paul@martin.example").await;
    world.make_reader(&paul).await;
    assert_eq!(marie.get(EXPORTS).await.expect(200)["items"], json!([]));
    let mut ids: Vec<String> = Vec::new();
    for body in [
        json!({"format": "csv"}),
        json!({"format": "xlsx", "file": "actions", "view": 2012, "status": "PAID", "q": "Habil", "sort": "title"}),
        json!({"format": "csv", "file": "remittances", "to": "2012-12-31"}),
    ] {
        let export = asked(&world, &marie, &body).await;
        ids.insert(0, export.rsplit_once('/').unwrap().1.to_owned());
        world.advance(Duration::from_secs(1));
    }
    asked(&world, &paul, &json!({"format": "csv"})).await;
    add_what_no_total_has(&world, "2012").await;
    asked(&world, &paul, &json!({"format": "csv", "view": 2012})).await;

    let listed = marie.get(EXPORTS).await.expect(200);
    let items = listed["items"].as_array().unwrap();
    let of = |items: &[Value]| items.iter().map(|item| item["id"].as_str().unwrap().to_owned()).collect::<Vec<_>>();
    assert_eq!(of(items), ids);
    assert_eq!(listed.body.get("next_cursor"), None);
    let actions = &items[1];
    assert_eq!(actions["filter"], json!({"view": "2012", "status": "PAID", "q": "Habil", "sort": "title"}));
    assert_eq!(
        (&actions["file"], &actions["format"], &actions["state"]),
        (&json!("actions"), &json!("xlsx"), &json!("ready"))
    );
    assert_eq!(actions["rows"], 1);
    assert!(actions["bytes"].as_u64().unwrap() > 1_000 && actions.get("url").is_none());
    assert_eq!((&items[2]["file"], &items[2]["filter"]), (&json!("ledger"), &json!({})));
    // Of another account one has others.
    let id = marie.id().await;
    let own = world.store().query_all::<Export>(&Export::all_of(id)).await.unwrap().remove(0);
    let elsewhere = MemberNumber::parse(OTHER_ACCOUNT).unwrap();
    let other = Export { export_id: Id::from_bytes([9; 16]), member_number: elsewhere, ..own };
    world.store().put(&other).await.unwrap();
    assert_eq!(of(marie.get(EXPORTS).await.expect(200)["items"].as_array().unwrap()), ids);
    // Each by itself says the same, and gives the link.
    let polled = marie.get(&format!("{EXPORTS}/{}", ids[1])).await.expect(200);
    for (name, value) in actions.as_object().unwrap() {
        assert_eq!(polled[name.as_str()], *value, "{name}");
    }
    assert!(polled["url"].is_string() && polled["expires_at"].is_string());

    // In pages, which are of this caller and account.
    let mut paged = Vec::new();
    let mut target = format!("{EXPORTS}?limit=2");
    loop {
        let page = marie.get(&target).await.expect(200);
        paged.extend(of(page["items"].as_array().unwrap()));
        let Some(cursor) = page["next_cursor"].as_str() else { break };
        paul.get(&format!("{EXPORTS}?cursor={cursor}")).await.expect_problem(400, "bad-cursor");
        target = format!("{EXPORTS}?limit=2&cursor={cursor}");
    }
    assert_eq!(paged, ids);
    marie.get(&format!("{EXPORTS}?cursor=x")).await.expect_problem(400, "bad-cursor");
    assert_eq!(marie.get(&format!("{EXPORTS}?state=ready")).await.expect(422).errors(), ["state:unknown-parameter"]);

    let pauls = paul.get(EXPORTS).await.expect(200);
    let states: Vec<_> =
        pauls["items"].as_array().unwrap().iter().map(|item| item["state"].as_str().unwrap()).collect();
    assert_eq!(states, ["failed", "ready"]);
    assert_eq!(pauls["items"][0].get("rows"), None, "of what failed there is nothing");
    paul.get(&EXPORTS.replace(ACCOUNT, OTHER_ACCOUNT)).await.expect_problem(404, "not-found");
    marie.put(&format!("/api/accounts/{ACCOUNT}/activation"), &json!({"use": false})).await.expect(200);
    paul.get(EXPORTS).await.expect_problem(409, "account-not-activated");
    marie.put(&format!("/api/accounts/{ACCOUNT}/activation"), &json!({"use": true})).await.expect(200);

    world.advance(Export::KEPT);
    let later = world.visitor();
    later.log_in("marie@martin.example", PASSWORD).await.expect(200);
    assert_eq!(later.get(EXPORTS).await.expect(200)["items"], json!([]));
}
