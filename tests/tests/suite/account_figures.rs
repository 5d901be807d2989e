//! The figures in the list of accounts: those of the summary, for whom may read that, in two waits.

use futures::future::join_all;
use harness::{ACCOUNT, OTHER_ACCOUNT, OTHER_SIRET, Person, Reply, SIRET, Tap, Visitor, World};
use jiff::Timestamp;
use jiff::civil::date;
use portal::domain::{Cents, DocumentKind, Id, MemberNumber, Siret, View, fund_day};
use portal::store::{
    Account, AccountTotals, Booked, Change, Condition, Grant, GrantMirror, Measures, Role, ViewTotals,
};
use serde_json::{Value, json};

const ACCOUNTS: usize = 300;

/// An account of the list; nothing where it is not listed.
fn of<'a>(list: &'a Reply, number: &str) -> &'a Value {
    let accounts = list["accounts"].as_array().unwrap();
    accounts.iter().find(|account| account["member_number"] == number).unwrap_or(&Value::Null)
}

/// The figures that the list has of an account.
async fn figures(visitor: &Visitor, query: &str, number: &str) -> Value {
    of(&visitor.get(&format!("/api/accounts{query}")).await.expect(200), number)["figures"].clone()
}

/// Holds the figures of the list against the summary, all views together and each.
async fn hold(world: &World, marie: &Visitor) {
    let summary = marie.get(&format!("/api/accounts/{ACCOUNT}/summary")).await.expect(200).body;
    let all = figures(marie, "", ACCOUNT).await;
    assert_eq!(all["totals"], summary["totals"]);
    assert_eq!((&all["as_of"], &all["postings"]), (&summary["as_of"], &summary["postings"]));
    let booked: Timestamp = all["as_of"].as_str().unwrap().parse().unwrap();
    assert_eq!(all["last_movement_on"], fund_day(booked).to_string());
    let views = summary["views"].as_array().unwrap();
    let years: Vec<_> = views.iter().map(|view| view["view"].clone()).collect();
    assert_eq!(all["views"], Value::from(years));
    for view in views {
        let of_view = figures(marie, &format!("?view={}", view["view"]), ACCOUNT).await;
        assert_eq!(of_view["totals"], view["totals"]);
        assert_eq!((&of_view["as_of"], &of_view["views"]), (&all["as_of"], &all["views"]), "they are of the account");
    }
    let nothing = figures(marie, "?view=1999", ACCOUNT).await;
    let zeros = nothing["totals"].as_object().unwrap();
    assert!(zeros.len() == 9 && zeros.values().all(|cents| *cents == 0), "{nothing}");
    let stored: AccountTotals =
        world.store().get(&AccountTotals::key_of(&MemberNumber::parse(ACCOUNT).unwrap())).await.unwrap().unwrap();
    assert_eq!(stored.booked.postings, all["postings"].as_u64().unwrap());
}

fn contribution(key: &str, version: u64, number: &str, year: i16, cents: i64) -> String {
    let record = json!({"record": "entry", "source_key": key, "source_version": version, "member_number": number,
        "kind": "CONTRIBUTION_LEGAL", "amount_cents": cents, "effective_date": format!("{year}-03-01"),
        "contribution_year": year, "label": "Contribution"});
    format!("{record}\n")
}

#[tokio::test(flavor = "multi_thread")]
async fn the_list_has_the_figures_of_the_summary_after_each_batch() {
    let world = World::start().await;
    let marie = world.manager("marie@martin.example").await;
    hold(&world, &marie).await;
    // A view more; one that moves to another year, of which nothing is left where it was; one that goes to another account.
    world.import("more", "", &contribution("C-NEW", 1, ACCOUNT, 2009, 12_345)).await;
    hold(&world, &marie).await;
    world.import("year", "", &contribution("C-NEW", 2, ACCOUNT, 2014, 12_345)).await;
    hold(&world, &marie).await;
    let before = figures(&marie, "", ACCOUNT).await;
    world.import("other", "", &contribution("C-NEW", 3, OTHER_ACCOUNT, 2014, 12_345)).await;
    hold(&world, &marie).await;
    let after = figures(&marie, "", ACCOUNT).await;
    let contributed = |figures: &Value| figures["totals"]["contributed"].as_i64().unwrap();
    assert_eq!(contributed(&before) - contributed(&after), 12_345, "the account that something left is summed up, too");
    // The same again changes nothing, not even the item.
    let key = AccountTotals::key_of(&MemberNumber::parse(ACCOUNT).unwrap());
    let stored: Option<AccountTotals> = world.store().get(&key).await.unwrap();
    world.import("again", "", &contribution("C-NEW", 3, OTHER_ACCOUNT, 2014, 12_345)).await;
    assert_eq!(world.store().get::<AccountTotals>(&key).await.unwrap(), stored);
    // Of an account that nothing was ever posted to.
    let jeanne = world.user(&Person::at("jeanne@other.example").of(OTHER_SIRET)).await;
    world.accept_charter(&jeanne).await;
    world.claim(&jeanne, OTHER_ACCOUNT).await.expect(201);
    assert_eq!(figures(&jeanne, "", OTHER_ACCOUNT).await, Value::Null, "nobody said OUI");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_not_read_the_summary_has_no_figures() {
    let world = World::start().await;
    let marie = world.manager("marie@martin.example").await;
    let activation = format!("/api/accounts/{ACCOUNT}/activation");
    assert!(figures(&marie, "", ACCOUNT).await.is_object());
    marie.put(&activation, &json!({"use": false})).await.expect(200);
    assert_eq!(figures(&marie, "", ACCOUNT).await, Value::Null);
    // A copy that was not brought into step opens nothing.
    let number = MemberNumber::parse(ACCOUNT).unwrap();
    let grant = Grant::key_of(marie.id().await, &number);
    let active = Change::new().set("active", &true).unwrap();
    assert!(world.store().update(&grant, &active, Some(&Condition::Exists)).await.unwrap());
    let list = marie.get("/api/accounts").await.expect(200);
    assert_eq!((&of(&list, ACCOUNT)["active"], &of(&list, ACCOUNT)["figures"]), (&json!(true), &Value::Null));
    marie.put(&activation, &json!({"use": true})).await.expect(200);

    // Whoever is invited opens the account by reading it.
    let paul = world.user(&Person::at("paul@cabinet.example").of(OTHER_SIRET)).await;
    world.accept_charter(&paul).await;
    marie.post(&format!("/api/accounts/{ACCOUNT}/users"), &json!({"email": "paul@cabinet.example"})).await.expect(202);
    let list = paul.get("/api/accounts?sort=-remaining").await.expect(200);
    assert_eq!((&of(&list, ACCOUNT)["opened"], &of(&list, ACCOUNT)["figures"]), (&json!(false), &Value::Null));
    paul.get(&format!("/api/accounts/{ACCOUNT}/summary")).await.expect(200);
    let list = paul.get("/api/accounts").await.expect(200);
    assert_eq!(of(&list, ACCOUNT)["opened"], true);
    assert_eq!(of(&list, ACCOUNT)["figures"], figures(&marie, "", ACCOUNT).await);

    // A new charter closes the ledger until it is accepted.
    world.publish(DocumentKind::Charter).await;
    for visitor in [&marie, &paul] {
        visitor.get(&format!("/api/accounts/{ACCOUNT}/summary")).await.expect_problem(403, "charter-required");
        assert_eq!(figures(visitor, "", ACCOUNT).await, Value::Null);
        world.accept_charter(visitor).await;
        assert!(figures(visitor, "", ACCOUNT).await.is_object());
    }
}

/// The n-th account of an accountant: every third without a movement, every fourth not activated.
fn account(n: usize) -> Account {
    let number = MemberNumber::parse(&format!("{:06}", 500_000 + n)).unwrap();
    Account {
        member_number: number,
        siret: Siret::parse(SIRET).unwrap(),
        name: format!("Charpente du Nord {n:03}"),
        headcount_band: None,
        contact_email: None,
        opened_on: date(2009, 3, 1),
        closed_on: None,
        version: 1,
        content_hash: String::new(),
        booked_at: Timestamp::UNIX_EPOCH,
        active: !n.is_multiple_of(4),
        sirets_before: Vec::new(),
        parked: None,
    }
}

/// What its ledger has: in 2012, and nothing else.
fn totals(n: usize) -> AccountTotals {
    let mut totals = AccountTotals::of(account(n).member_number, &[]);
    let cents = i64::try_from(n * 7_919 % 1_000).unwrap();
    let of_actions = Measures { remaining: Cents(cents), committed: Cents(1_000 - cents), ..Measures::default() };
    totals.views.insert(View::parse("2012").unwrap(), ViewTotals { of_actions, contributed: Cents(n as i64) });
    let at = Timestamp::from_second(1_350_000_000 + cents).unwrap();
    totals.booked = Booked { postings: 3, versions: 1, at: Some(at) };
    totals
}

/// An accountant's clerk who may read three hundred accounts.
async fn clerk(world: &World) -> Visitor {
    let clerk = world.user(&Person::at("clerk@cabinet.example").of(OTHER_SIRET)).await;
    world.accept_charter(&clerk).await;
    let (id, store): (Id, _) = (clerk.id().await, world.store());
    for some in (0..ACCOUNTS).collect::<Vec<_>>().chunks(20) {
        join_all(some.iter().map(async |n| {
            let account = account(*n);
            let mut grant = Grant::of_reader(id, &account, Timestamp::UNIX_EPOCH, None);
            grant.role = Role::Reader;
            store.put(&account).await.unwrap();
            store.put(&grant).await.unwrap();
            store.put(&GrantMirror(grant)).await.unwrap();
            if !n.is_multiple_of(3) {
                store.put(&totals(*n)).await.unwrap();
            }
        }))
        .await;
    }
    clerk
}

#[tokio::test(flavor = "multi_thread")]
#[allow(clippy::print_stdout, reason = "the capacity is what one runs this alone for")]
async fn three_hundred_accounts_have_their_figures_in_two_waits() {
    let (tap, options) = Tap::on_dynamodb();
    let world = World::start_with(options).await;
    let clerk = clerk(&world).await;
    clerk.get("/api/accounts").await.expect(200);
    // Six hundred items are six calls side by side; a page reads its own alone, and a figure that sorts all.
    for (query, listed, batches) in
        [("", ACCOUNTS, 6), ("?limit=50", 50, 1), ("?limit=51", 51, 2), ("?sort=-remaining&limit=10", 10, 6)]
    {
        let (list, observed) = tap.during(clerk.get(&format!("/api/accounts{query}"))).await;
        let list = list.expect(200);
        assert_eq!(list["accounts"].as_array().unwrap().len(), listed, "{query}");
        let observed = observed.of("accounts");
        let count = |name: &str| observed.calls.iter().filter(|call| call.operation == name).count();
        assert_eq!((count("BatchGetItem"), count("Query"), observed.waits()), (1 + batches, 2, 2), "{query}");
        let units = observed.capacity(&["BatchGetItem", "Query"]);
        println!("{query:<28} {:>2} calls {units:>6.1} units {:>7} bytes", observed.all(), list.text.len());
        assert!(list.text.len() < 250_000, "{query}: {}", list.text.len());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn accounts_are_sorted_by_their_figures_and_paged() {
    let world = World::start().await;
    let clerk = clerk(&world).await;
    let with_figures = (0..ACCOUNTS).filter(|n| !n.is_multiple_of(4)).count();
    for sort in ["last_movement", "committed", "in_progress", "remaining"] {
        for descending in [false, true] {
            let order = format!("{}{sort}", if descending { "-" } else { "" });
            let (mut found, mut cursor) = (Vec::new(), String::new());
            loop {
                let target = format!("/api/accounts?view=2012&sort={order}&limit=70{cursor}");
                let page = clerk.get(&target).await.expect(200);
                found.extend(page["accounts"].as_array().unwrap().iter().cloned());
                let Some(next) = page["next_cursor"].as_str() else { break };
                cursor = format!("&cursor={next}");
            }
            let mut numbers: Vec<_> = found.iter().map(|account| account["member_number"].to_string()).collect();
            numbers.sort();
            numbers.dedup();
            assert_eq!((found.len(), numbers.len()), (ACCOUNTS, ACCOUNTS), "{order}: each once");
            let figure = |account: &Value| match sort {
                "last_movement" => account["figures"]["last_movement_on"].as_str().map(|_| {
                    account["figures"]["as_of"].as_str().unwrap().parse::<Timestamp>().unwrap().as_millisecond()
                }),
                name => account["figures"]["totals"][name].as_i64(),
            };
            let known: Vec<i64> = found.iter().map_while(figure).collect();
            assert!(found[known.len()..].iter().all(|account| figure(account).is_none()), "{order}: last");
            assert!(known.len() <= with_figures && known.len() > 100, "{order}: {}", known.len());
            let is_sorted = if descending { known.is_sorted_by(|a, b| a >= b) } else { known.is_sorted() };
            assert!(is_sorted, "{order}: {known:?}");
        }
    }
    // A cursor is good for its order and its view.
    let first = clerk.get("/api/accounts?view=2012&sort=remaining&limit=10").await.expect(200);
    let cursor = first["next_cursor"].as_str().unwrap();
    for query in ["sort=remaining", "view=2011&sort=remaining", "view=2012&sort=-remaining", "view=2012"] {
        clerk.get(&format!("/api/accounts?{query}&cursor={cursor}")).await.expect_problem(400, "bad-cursor");
    }
    for (query, error) in
        [("view=12", "view:bad-view"), ("sort=paid", "sort:unknown-sort"), ("year=2012", "year:unknown-parameter")]
    {
        let refused = clerk.get(&format!("/api/accounts?{query}")).await.expect_problem(422, "invalid-input");
        assert_eq!(refused.errors(), [error]);
    }
}
