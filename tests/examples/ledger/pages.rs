//! Pages: of a large account against a small one, the last against the first, their capacity, their waits, and
//! what the handler itself takes.

use std::sync::{LazyLock, Mutex};
use std::time::Duration;

use harness::{Person, Tap, Visitor, World};
use local::{Options, Registry};
use portal::clock::Stopwatch;
use portal::domain::fund_day;
use portal::environment::{Environment, StartError};
use portal::http::{Answer, Call, Problem};
use portal::lambda::HttpFunction;
use serde_json::{Value, json};
use tokio::runtime::Runtime;
use tokio::task::block_in_place;

use crate::feed;
use crate::processor::{self, Operations, outside_operations};
use crate::table::{Row, median};

const LARGE: u32 = 0;
const SMALL: u32 = 1;
const ENTRIES_OF_LARGE: u32 = 100_000;
const ENTRIES_OF_SMALL: u32 = 104;
/// Fifty actions in each of eight views, and some more.
const ENTRIES_FOR_WORK: u32 = 4_000;
const PAIRS: usize = 200;
const WARM_UP: usize = 20;

/// How long the handler took at each call.
static HANDLED: Mutex<Vec<Handled>> = Mutex::new(Vec::new());

/// What a call took.
#[derive(Debug, Clone, Copy)]
struct Handled {
    /// Waiting for DynamoDB included.
    whole: Duration,
    /// The processor's time of the one thread that does all of a call, as in Lambda: the SDK's and the kernel's
    /// work for it included, waiting not.
    busy: Duration,
    /// Of this, what is neither in the SDK's operations on DynamoDB nor in their connections.
    outside: Duration,
}

/// Where the function runs: alone in a thread, as in Lambda.
static RUNTIME: LazyLock<Runtime> =
    LazyLock::new(|| tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime"));

/// `query-ledger` under a stopwatch.
#[derive(Clone)]
struct Timed(query_ledger::Function);

impl HttpFunction for Timed {
    const NAME: &'static str = query_ledger::Function::NAME;

    async fn start(environment: &Environment) -> Result<Self, StartError> {
        block_in_place(|| RUNTIME.block_on(query_ledger::Function::start(environment))).map(Self)
    }

    async fn answer(&self, call: &Call) -> Result<Answer, Problem> {
        block_in_place(|| {
            let (stopwatch, before) = (Stopwatch::start(), processor::now());
            let (answer, outside) = RUNTIME.block_on(outside_operations(self.0.answer(call)));
            let busy = processor::now().saturating_sub(before);
            let handled = Handled { whole: stopwatch.elapsed(), busy, outside };
            HANDLED.lock().unwrap().push(handled);
            answer
        })
    }
}

/// What the handler took since it was asked last.
fn handled() -> Handled {
    let handled = std::mem::take(&mut *HANDLED.lock().unwrap());
    *handled.last().expect("a call")
}

/// A portal with a large account and a small one, and the manager of each.
struct Stage {
    world: World,
    large: Visitor,
    small: Visitor,
}

impl Stage {
    async fn set(options: Options, entries_of_large: u32) -> Self {
        let world = World::empty(options).await;
        world.import("members", &feed::members(LARGE..SMALL + 1), "").await;
        world.import("large", "", &feed::ledger(LARGE, entries_of_large, 8)).await;
        world.import("small", "", &feed::ledger(SMALL, ENTRIES_OF_SMALL, 1)).await;
        let (large, small) = (manager(&world, LARGE).await, manager(&world, SMALL).await);
        Self { world, large, small }
    }
}

async fn manager(world: &World, account: u32) -> Visitor {
    let person = Person::at(&format!("manager{account}@bench.example")).of(&feed::siret(account));
    let visitor = world.user(&person).await;
    world.accept_charter(&visitor).await;
    world.claim(&visitor, &feed::number(account)).await.expect(201);
    let activation = format!("/api/accounts/{}/activation", feed::number(account));
    visitor.put(&activation, &json!({"use": true})).await.expect(200);
    visitor
}

fn target(account: u32, rest: &str) -> String {
    format!("/api/accounts/{}/{rest}", feed::number(account))
}

/// Times of whole requests, without anything in between.
pub(crate) async fn times() -> Vec<Row> {
    let Stage { world, large, small } = Stage::set(timed(), ENTRIES_OF_LARGE).await;
    let mut rows = Vec::new();
    let page = "ledger?limit=50";
    let name = "first page of 50 entries, an account of 100,000 against one of 100";
    rows.push(compare(name, (&large, &target(LARGE, page)), (&small, &target(SMALL, page))).await);
    // Of the default order the latest view comes first; the largest is any, as all are of one size.
    for list in ["ledger?view=2012&limit=50", "actions?view=2012&limit=50"] {
        let first = target(LARGE, list);
        let last = last_page(&large, &first).await;
        let name = format!("last page of {list} against its first");
        rows.push(compare(&name, (&large, &last), (&large, &first)).await);
    }
    drop(world);
    rows
}

/// The most calls in a row of any read of the ledger.
async fn waits(tap: &Tap, large: &Visitor, account: &str) -> Row {
    let lists = [
        "summary",
        "actions",
        "contributions",
        "remittances",
        "ledger",
        "ledger?view=2012",
        "ledger?from=2012-01-01&to=2013-12-31",
        "ledger?kind=COMMITMENT",
        "actions?status=PAID",
        "actions?view=2012&scheme=PLAN",
        "remittances?view=2012",
        "contributions?view=2012",
    ];
    let mut most = 0;
    for rest in lists {
        let (reply, observed) = tap.during(large.get(&target(LARGE, rest))).await;
        reply.expect(200);
        let observed = observed.of("query-ledger");
        if observed.waits() > 1 {
            println!("    {rest} waits {} times in a row", observed.waits());
        }
        most = most.max(observed.waits());
    }
    #[allow(clippy::cast_precision_loss, reason = "a handful")]
    let mut row =
        Row::new(&format!("calls to DynamoDB in a row, the most of 12 ledger reads, {account}"), most as f64, "");
    row.at_most(1.0);
    row
}

/// What the handler does besides waiting. A page of fifty is the same work in any account.
pub(crate) async fn handler() -> Vec<Row> {
    tracing::subscriber::set_global_default(Operations).expect("no other subscriber");
    let Stage { world, large, .. } = Stage::set(timed(), ENTRIES_FOR_WORK).await;
    let mut rows = Vec::new();
    for rest in ["actions?limit=50", "actions?view=2012&limit=50", "ledger?limit=50", "ledger?view=2012&limit=50"] {
        rows.push(beside_the_store(&large, &target(LARGE, rest)).await);
    }
    drop(world);
    rows
}

fn timed() -> Options {
    Options { registry: Some(Registry::portal().http::<Timed>()), ..Options::default() }
}

/// The target of the last whole page.
async fn last_page(visitor: &Visitor, first: &str) -> String {
    let mut current = first.to_owned();
    loop {
        let page = visitor.get(&current).await.expect(200);
        let next = page["next_cursor"].as_str().map(|cursor| format!("{first}&cursor={cursor}"));
        match next {
            Some(next) if items(&visitor.get(&next).await.expect(200).body) == 50 => current = next,
            _ => return current,
        }
    }
}

fn items(page: &Value) -> usize {
    page["items"].as_array().map_or(0, Vec::len)
}

/// The median of the ratios of pairs of requests, in turns.
async fn compare(name: &str, one: (&Visitor, &str), other: (&Visitor, &str)) -> Row {
    for (visitor, target) in [one, other] {
        assert_eq!(items(&visitor.get(target).await.expect(200).body), 50, "{target}");
    }
    let (mut ones, mut others, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    for pair in 0..PAIRS + WARM_UP {
        let mut times = [0.0; 2];
        let order = if pair % 2 == 0 { [0, 1] } else { [1, 0] };
        for place in order {
            let (visitor, target) = [one, other][place];
            visitor.get(target).await.expect(200);
            times[place] = handled().whole.as_secs_f64() * 1000.0;
        }
        if pair >= WARM_UP {
            ones.push(times[0]);
            others.push(times[1]);
            ratios.push(times[0] / times[1]);
        }
    }
    let mut row = Row::new(name, median(&mut ratios), "x");
    row.at_most(1.15).note(format!("{:.2} ms against {:.2} ms in the handler", median(&mut ones), median(&mut others)));
    row
}

/// What DynamoDB has to do for a read. Capacity follows from what is read, whatever else the account has.
pub(crate) async fn work() -> Vec<Row> {
    let (tap, options) = Tap::on_dynamodb();
    let Stage { world, large, .. } = Stage::set(options, ENTRIES_FOR_WORK).await;
    let mut rows = Vec::new();
    let measured = [
        ("actions?view=2012&limit=50", "a page of 50 actions of a view", 3.0),
        ("actions?view=2012&status=PAID&scheme=PLAN&limit=50", "the same by status and scheme", 3.0),
        ("actions?limit=50", "the same of the latest view, not named", 3.0),
        ("ledger?view=2012&limit=50", "a page of 50 entries of a view", 6.0),
        ("ledger?view=2012&kind=COMMITMENT&limit=50", "the same by kind", 6.0),
        ("ledger?limit=50", "the same from the latest view on, not named", 6.0),
        ("summary", "the summary of 8 views", 2.0),
    ];
    for (rest, name, limit) in measured {
        let target = target(LARGE, rest);
        large.get(&target).await.expect(200);
        let (reply, observed) = tap.during(large.get(&target)).await;
        let body = reply.expect(200).body;
        if rest == "summary" {
            assert_eq!(body["views"].as_array().map(Vec::len), Some(8));
        } else {
            assert_eq!(items(&body), 50, "{target}");
        }
        let observed = observed.of("query-ledger");
        let calls: Vec<_> = observed.calls.iter().map(|call| format!("{} {}", call.operation, call.capacity)).collect();
        // The rows themselves are the largest query; beside them are who is calling, the totals, and, where no view
        // is named, which one is the latest.
        let queries = observed.calls.iter().filter(|call| call.operation == "Query");
        let rows_read = queries.map(|call| call.capacity).fold(0.0, f64::max);
        let mut row = Row::new(&format!("capacity read, {name}"), rows_read, "RRU");
        row.at_most(limit).note(format!("of {}", calls.join(", ")));
        rows.push(row);
    }
    rows.push(waits(&tap, &large, "nothing of this year").await);
    let year = fund_day(world.portal.clock().now()).year();
    world.import("this-year", "", &feed::contribution(LARGE, year)).await;
    rows.push(waits(&tap, &large, "something of this year").await);
    drop(world);
    rows
}

/// What a handler takes besides DynamoDB: the checks, the records of the items, the answer.
async fn beside_the_store(visitor: &Visitor, target: &str) -> Row {
    let (mut outside, mut busy) = (Vec::new(), Vec::new());
    for call in 0..PAIRS + WARM_UP {
        visitor.get(target).await.expect(200);
        let handled = handled();
        assert!(handled.outside < handled.busy, "the SDK's operations are seen");
        if call >= WARM_UP {
            outside.push(handled.outside.as_secs_f64() * 1000.0);
            busy.push(handled.busy.as_secs_f64() * 1000.0);
        }
    }
    let list = target.rsplit('/').next().unwrap_or_default();
    let mut row = Row::new(&format!("handler's own time, {list}"), median(&mut outside), "ms");
    row.at_most(0.3).note(format!("{:.2} ms with what the SDK and the kernel do for it", median(&mut busy)));
    row
}
