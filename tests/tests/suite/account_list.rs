//! The accounts of an accountant: all of them in one read, searched and paged.

use std::collections::BTreeSet;

use futures::future::join_all;
use harness::{ACCOUNT, Person, Reply, Tap, Visitor, World};
use portal::domain::{Id, MemberNumber, Siret};
use portal::store::{Grant, GrantMirror, Role};
use serde_json::json;

const ACCOUNTS: usize = 300;

/// A SIRET whose check digits hold: of one company, its sites.
fn siret(site: usize) -> Siret {
    let mut found = (0..10).filter_map(|digit| Siret::parse(&format!("533846150{:04}{digit}", 1_000 + site)).ok());
    found.next().unwrap()
}

/// What the n-th account is granted as; every tenth is of a mason.
fn grant(user_id: Id, n: usize) -> Grant {
    let name =
        if n.is_multiple_of(10) { format!("MAÇONNERIE LÉGER {n:03}") } else { format!("Charpente du Nord {n:03}") };
    Grant {
        user_id,
        member_number: MemberNumber::parse(&format!("{:06}", 400_000 - n)).unwrap(),
        role: Role::Reader,
        siret: siret(n),
        name,
        active: true,
        since: jiff::Timestamp::from_second(1_350_000_000).unwrap(),
        invitation_id: None,
        given_at: None,
        sirets_before: Vec::new(),
    }
}

/// An accountant's clerk, who may read three hundred accounts.
async fn clerk(world: &World, email: &str) -> Visitor {
    let clerk = world.user(&Person::at(email)).await;
    let (id, store) = (clerk.id().await, world.store());
    for some in (0..ACCOUNTS).collect::<Vec<_>>().chunks(20) {
        join_all(some.iter().map(async |n| {
            store.put(&grant(id, *n)).await.unwrap();
            store.put(&GrantMirror(grant(id, *n))).await.unwrap();
        }))
        .await;
    }
    clerk
}

fn numbers(accounts: &Reply) -> Vec<String> {
    let accounts = accounts["accounts"].as_array().unwrap().iter();
    accounts.map(|account| account["member_number"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn three_hundred_accounts_are_listed_in_one_call_and_found_in_the_same() {
    let (tap, options) = Tap::on_dynamodb();
    let world = World::start_with(options).await;
    let clerk = clerk(&world, "clerk@cabinet.example").await;
    clerk.get("/api/accounts").await.expect(200);
    for (query, expected) in [("", ACCOUNTS), ("?q=maconnerie", 30), ("?limit=100", 100)] {
        let (listed, observed) = tap.during(clerk.get(&format!("/api/accounts{query}"))).await;
        let listed = listed.expect(200);
        assert_eq!(numbers(&listed).len(), expected, "{query}");
        assert!(listed.text.len() < 1_000_000, "as large as a page of a query may be, it would have been two");
        let observed = observed.of("accounts");
        let mut operations: Vec<_> = observed.calls.iter().map(|call| call.operation.as_str()).collect();
        operations.sort_unstable();
        // Who asks, beside what they were granted; what they are invited to. They owe the charter, and so have no figures.
        assert_eq!((observed.waits(), operations), (2, vec!["BatchGetItem", "Query", "Query"]), "{query}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_hold_every_account_once_in_the_order_of_the_numbers() {
    let world = World::start().await;
    let (clerk, colleague) =
        (clerk(&world, "clerk@cabinet.example").await, clerk(&world, "colleague@cabinet.example").await);
    // An invitation is one of them, in its place.
    let marie = world.manager("marie@martin.example").await;
    let users = format!("/api/accounts/{ACCOUNT}/users");
    marie.post(&users, &json!({"email": "clerk@cabinet.example"})).await.expect(202);
    let all = clerk.get("/api/accounts").await.expect(200);
    assert!(all["next_cursor"].is_null(), "all in one, where no page is asked for");
    let all = numbers(&all);
    assert_eq!((all.len(), all[0].as_str()), (ACCOUNTS + 1, ACCOUNT));
    assert!(all.is_sorted());

    for (filter, expected) in [("", ACCOUNTS + 1), ("q=charpente+nord&", 270), ("q=L%C3%A9ger&", 30)] {
        let (mut found, mut target, mut pages) = (Vec::new(), format!("/api/accounts?{filter}limit=80"), 0);
        loop {
            let page = clerk.get(&target).await.expect(200);
            found.extend(numbers(&page));
            pages += 1;
            let Some(cursor) = page["next_cursor"].as_str() else { break };
            target = format!("/api/accounts?{filter}limit=80&cursor={cursor}");
        }
        assert_eq!((found.len(), pages), (expected, expected.div_ceil(80)), "{filter}");
        assert_eq!(found.iter().collect::<BTreeSet<_>>().len(), expected, "each once");
        assert!(found.is_sorted());
    }

    // A cursor is good for its user and its search, and asks for pages of fifty by itself.
    let first = clerk.get("/api/accounts?q=charpente&limit=10").await.expect(200);
    let cursor = first["next_cursor"].as_str().unwrap();
    let next = clerk.get(&format!("/api/accounts?q=CHARPENTE&cursor={cursor}")).await.expect(200);
    assert_eq!(numbers(&next).len(), 50);
    for target in [
        format!("q=charpent&cursor={cursor}"),
        format!("cursor={cursor}"),
        "cursor=AAAA".to_owned(),
        format!("q=charpente&cursor={cursor}A"),
    ] {
        clerk.get(&format!("/api/accounts?{target}")).await.expect_problem(400, "bad-cursor");
    }
    colleague.get(&format!("/api/accounts?q=charpente&cursor={cursor}")).await.expect_problem(400, "bad-cursor");
    // An account that goes away between two pages takes no other along.
    let last = numbers(&first).pop().unwrap();
    let number = MemberNumber::parse(&last).unwrap();
    world.store().delete(&Grant::key_of(clerk.id().await, &number)).await.unwrap();
    let after = clerk.get(&format!("/api/accounts?q=charpente&limit=50&cursor={cursor}")).await.expect(200);
    assert_eq!(numbers(&after), numbers(&next));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_is_found_by_name_siret_or_number() {
    let world = World::start().await;
    let clerk = clerk(&world, "clerk@cabinet.example").await;
    let wanted = grant(clerk.id().await, 120);
    let (site, number) = (wanted.siret.as_str().to_owned(), wanted.member_number.to_string());
    let grouped = format!("{}+{}+{}+{}", &site[..3], &site[3..6], &site[6..9], &site[9..]);
    for query in ["maconnerie+120", "%20L%C3%89GER%20120", &site, &grouped, &number, "9880"] {
        let found = clerk.get(&format!("/api/accounts?q={query}")).await.expect(200);
        assert!(numbers(&found).contains(&number), "{query}: {}", found.text);
        assert!(numbers(&found).len() < 20, "{query}: {}", found.text);
    }
    for (query, count) in [("nobody", 0), ("", ACCOUNTS), ("maconnerie+charpente", 0)] {
        assert_eq!(numbers(&clerk.get(&format!("/api/accounts?q={query}")).await.expect(200)).len(), count, "{query}");
    }
    for (query, error) in [
        ("limit=0".to_owned(), "limit:bad-limit"),
        ("limit=201".to_owned(), "limit:bad-limit"),
        ("limit=x".to_owned(), "limit:bad-limit"),
        (format!("q={}", "a".repeat(201)), "q:too-long"),
        ("q=a%0Ab".to_owned(), "q:bad-character"),
    ] {
        let refused = clerk.get(&format!("/api/accounts?{query}")).await.expect_problem(422, "invalid-input");
        assert_eq!(refused.errors(), [error]);
    }
    world.visitor().get("/api/accounts?limit=0").await.expect_problem(401, "authentication-required");
}
