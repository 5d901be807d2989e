//! Moving the entries of a large action to another view, against posting them.

use harness::World;
use local::Options;
use portal::clock::Stopwatch;
use serde_json::json;

use crate::feed;
use crate::table::{Row, median};

const ENTRIES: u32 = 4_000;
const ROUNDS: usize = 3;

/// The time that it takes to move an entry, as a share of what posting it took. Moving writes its reversal and its
/// replacement.
pub(crate) async fn moving() -> Row {
    let (mut posted, mut moved) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let world = World::empty(Options::default()).await;
        world.import("members", &feed::members(0..1), "").await;
        posted.push(import(&world, "posted", &(action(1, 2011) + &entries())).await);
        moved.push(import(&world, "moved", &action(2, 2012)).await);
    }
    let (posted, moved) = (median(&mut posted), median(&mut moved));
    let mut row = Row::new("moving 4,000 entries to another view, against posting them", moved / posted, "x");
    row.note(format!("{moved:.2} s against {posted:.2} s"));
    row
}

async fn import(world: &World, batch: &str, ledger: &str) -> f64 {
    let stopwatch = Stopwatch::start();
    let report = world.import(batch, "", ledger).await;
    let seconds = stopwatch.elapsed().as_secs_f64();
    assert_eq!((report.quarantined, report.pending), (0, 0));
    seconds
}

fn action(version: u32, year: u32) -> String {
    let record = json!({"record": "action", "source_key": "A-1", "source_version": version,
        "member_number": feed::number(0), "action_id": "2011-1", "title": "CACES R482", "scheme": "PLAN",
        "status": "COMMITTED", "engagement_date": format!("{year}-03-01")});
    format!("{record}\n")
}

fn entries() -> String {
    let entry = |n| {
        json!({"record": "entry", "source_key": format!("E-{n}"), "source_version": 1,
            "member_number": feed::number(0), "action_id": "2011-1", "kind": "COMMITMENT", "cost_kind": "TUITION",
            "payee": "COMPANY", "amount_cents": 100 + n, "effective_date": format!("2011-{:02}-01", n % 12 + 1),
            "label": "Coût pédagogique"})
    };
    (0..ENTRIES).map(|n| format!("{}\n", entry(n))).collect()
}
