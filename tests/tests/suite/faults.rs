//! A bad day of DynamoDB: whatever becomes of one call of a request, the request has its effect once, or says
//! that it can be repeated and then has it once; nothing is half done.
//!
//! Each flow runs once undisturbed, which tells its calls. Then it runs once for each of its calls and each
//! fault that the call can meet. `docs/decisions/0039-what-a-lost-answer-leaves.md` says what a repeat may find.

#[path = "faults_deeds.rs"]
mod deeds;
#[path = "faults_flows.rs"]
mod flows;
#[path = "faults_stage.rs"]
mod stage;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use futures::future::join_all;
use harness::{ACCOUNT, Effect, Fault, Faults, Inventory, Person, Place, World};
use portal::clock::Stopwatch;
use serde_json::json;
use tokio::sync::Semaphore;

use flows::{FLOWS, Flow};
use stage::{Answer, Stage};

/// A fault, how many requests of the call it strikes, and for how many seconds it then keeps one waiting. Three
/// is all attempts of the SDK, ten all writes that are sent after conflicts.
type Ordeal = (Fault, usize, f64);

/// Ordeals that are the same to a flow, and how many of them each call meets: they go round among the calls.
type Kind = (&'static [Ordeal], usize);

/// The SDK's repeat gets through, and finds nothing done.
const PASSING: Kind = (&[(Fault::Throttled, 1, 0.5), (Fault::Silence(Effect::None), 1, 2.5)], 1);

/// The SDK's repeat gets through, and finds it done.
const REPEATED: Kind = (
    &[
        (Fault::Internal(Effect::Done), 1, 0.5),
        (Fault::HangUp(Effect::Done), 1, 0.5),
        (Fault::CutOff, 1, 0.5),
        (Fault::Silence(Effect::Done), 1, 2.5),
    ],
    2,
);

/// Nothing is done, and all attempts fail.
const FAILING: Kind = (
    &[
        (Fault::NoCapacity, 3, 1.5),
        (Fault::InProgress, 3, 1.5),
        (Fault::Internal(Effect::None), 3, 1.5),
        (Fault::Unavailable, 3, 1.5),
        (Fault::HangUp(Effect::None), 3, 1.5),
    ],
    2,
);

/// It is done, and nobody is told.
const LOST: Kind =
    (&[(Fault::Internal(Effect::Done), 3, 1.5), (Fault::CutOff, 3, 1.5), (Fault::Silence(Effect::Done), 3, 7.0)], 3);

/// What only a transaction meets: it is cancelled, by throttling or by others.
const CANCELLED: Kind = (
    &[(Fault::Cancelled, 1, 0.0), (Fault::Conflict, 1, 0.0), (Fault::Conflict, 3, 0.0), (Fault::Conflict, 10, 0.7)],
    4,
);

/// A transaction is at the item, which the SDK does not wait for.
const IN_THE_WAY: Kind = (&[(Fault::Conflict, 1, 0.0), (Fault::Conflict, 9, 0.5), (Fault::Conflict, 10, 0.5)], 2);

const BATCH: Kind = (
    &[
        (Fault::Unprocessed, 1, 0.0),
        (Fault::Unprocessed, 7, 0.3),
        (Fault::OneOfBatch, usize::MAX, 0.1),
        (Fault::NoCapacity, 3, 1.5),
        (Fault::CutOff, 3, 1.5),
    ],
    2,
);

const READ: Kind = (
    &[
        (Fault::Throttled, 3, 1.5),
        (Fault::CutOff, 3, 1.5),
        (Fault::Unavailable, 3, 1.5),
        (Fault::HangUp(Effect::None), 3, 1.5),
        (Fault::Silence(Effect::None), 1, 2.5),
    ],
    1,
);

/// How many seconds the cases of one stage keep one waiting in all; they come one after the other.
const LONGEST_WAIT: f64 = 14.0;

/// How many stages there are at a time. Most of them wait.
const STAGES: usize = 24;

#[tokio::test(flavor = "multi_thread")]
#[allow(clippy::print_stdout, reason = "the table is what one runs this alone for")]
async fn every_flow_has_its_effect_once_whatever_becomes_of_each_of_its_calls() {
    let stopwatch = Stopwatch::start();
    let room = Arc::new(Semaphore::new(STAGES));
    let runs = FLOWS.iter().enumerate().map(|(number, flow)| run(number, flow, Arc::clone(&room)));
    let ended = join_all(runs).await;
    let mut table = format!("{:<28} {:>5}  {:>8}  calls\n", "flow", "cases", "repeated");
    let (mut cases, mut complaints) = (0, Vec::new());
    for (flow, ended) in FLOWS.iter().zip(ended) {
        let calls: Vec<_> = ended.places.iter().map(|place| place.operation.as_str()).collect();
        writeln!(table, "{:<28} {:>5}  {:>8}  {}", flow.name, ended.cases, ended.repeated, calls.join(" ")).unwrap();
        cases += ended.cases;
        complaints.extend(ended.complaints);
    }
    println!("{table}{cases} cases in {:.0} s", stopwatch.elapsed().as_secs_f64());
    assert!(complaints.is_empty(), "{} of {cases} cases:\n{}", complaints.len(), complaints.join("\n"));
}

/// How the cases of a flow ended.
#[derive(Default)]
struct Ended {
    places: Vec<Place>,
    cases: usize,
    /// Those whose first answer was that one should try again.
    repeated: usize,
    complaints: Vec<String>,
}

/// One run of a flow: undisturbed, or with something that happens to one of its calls.
#[derive(Clone)]
struct Case {
    flow: &'static Flow,
    number: usize,
    ordeal: Option<(Place, Fault, usize)>,
}

impl Case {
    /// Whether the store's own pauses outlast what happens.
    fn is_waited_for(&self) -> bool {
        match self.ordeal {
            Some((_, Fault::Conflict, times)) => times < 10,
            Some((_, Fault::Cancelled | Fault::Unprocessed, times)) => times < 16,
            Some((_, Fault::OneOfBatch, _)) => true,
            _ => false,
        }
    }
}

async fn run(number: usize, flow: &'static Flow, room: Arc<Semaphore>) -> Ended {
    let first = {
        let _room = room.acquire().await.unwrap();
        let stage = Arc::new(Stage::set(flow).await);
        let undisturbed = Case { flow, number: 0, ordeal: None };
        match played(&stage, undisturbed).await {
            Ok(_) => stage,
            Err(complaint) => return Ended { cases: 1, complaints: vec![complaint], ..Ended::default() },
        }
    };
    let places = first.places();
    if places.is_empty() {
        let complaint = format!("{}: {} called nothing", flow.name, flow.function);
        return Ended { cases: 1, complaints: vec![complaint], ..Ended::default() };
    }
    let mut waits = Vec::new();
    let mut stages: Vec<Vec<Case>> = Vec::new();
    for (nth, place) in places.iter().enumerate() {
        for (fault, times, wait) in ordeals(place, number + nth) {
            // Into the first stage that has room for it.
            let fits = waits.iter().position(|waited| waited + wait <= LONGEST_WAIT);
            let at = fits.unwrap_or_else(|| {
                waits.push(0.0);
                stages.push(Vec::new());
                stages.len() - 1
            });
            waits[at] += wait;
            let number = stages[at].len() + 1;
            stages[at].push(Case { flow, number, ordeal: Some((place.clone(), fault, times)) });
        }
    }
    let mut first = Some(first);
    let ended = join_all(stages.into_iter().map(|cases| play_all(cases, first.take(), &room))).await;
    let mut all = Ended { places, cases: 1, ..Ended::default() };
    for ended in ended {
        all.cases += ended.cases;
        all.repeated += ended.repeated;
        all.complaints.extend(ended.complaints);
    }
    all
}

/// Plays cases one after the other; after one that went wrong the stage is of no use to the others.
async fn play_all(cases: Vec<Case>, stage: Option<Arc<Stage>>, room: &Semaphore) -> Ended {
    let _room = room.acquire().await.unwrap();
    let stage = match stage {
        Some(stage) => stage,
        None => Arc::new(Stage::set(cases[0].flow).await),
    };
    let mut ended = Ended::default();
    for case in cases {
        ended.cases += 1;
        match played(&stage, case).await {
            Ok(repeated) => ended.repeated += usize::from(repeated),
            Err(complaint) => {
                ended.complaints.push(complaint);
                break;
            }
        }
    }
    ended
}

/// Plays one case, and names it where it goes wrong.
async fn played(stage: &Arc<Stage>, case: Case) -> Result<bool, String> {
    let ordeal = case.ordeal.as_ref().map(|(place, fault, times)| {
        format!("{fault:?} {times} times at {} {} of {}", place.operation, place.nth, place.function)
    });
    let name = format!("{}, {}", case.flow.name, ordeal.as_deref().unwrap_or("undisturbed"));
    // A task of its own, so that a panic is its own too.
    let stage = Arc::clone(stage);
    match tokio::spawn(async move { play(&stage, &case).await }).await {
        Ok(played) => played.map_err(|complaint| format!("{name}: {complaint}")),
        Err(panic) => Err(format!("{name}: {panic}")),
    }
}

/// Whether it had to be repeated.
async fn play(stage: &Stage, case: &Case) -> Result<bool, String> {
    let flow = case.flow;
    let deed = (flow.prepare)(stage, case.number).await;
    let before = Inventory::of(&stage.world).await;
    match &case.ordeal {
        Some((place, fault, times)) => stage.faults.strike(place, *fault, *times),
        None => drop(stage.faults.take_calls()),
    }
    let first = deed.done(stage).await;
    if flow.is_behind_stream() {
        stage.world.mails().await;
    }
    stage.remember_places();
    let struck = stage.faults.heal();
    if case.ordeal.is_some() && struck == 0 {
        return Err("it was not struck".to_owned());
    }
    // A request that ended with a time-out in the SDK is over; what it began is too.
    whole(&Inventory::of(&stage.world).await, false)?;
    let mut tries = 1;
    match first {
        answer if flow.is_success(&answer) => {}
        Answer::TryAgain if case.is_waited_for() => return Err("it was not waited for".to_owned()),
        Answer::TryAgain => {
            tries = 2;
            let second = deed.done_again(stage).await;
            if !flow.is_success(&second) && !flow.is_done(&second) {
                return Err(format!("the repeat: {}", second.text()));
            }
        }
        answer => return Err(answer.text().to_owned()),
    }
    let extra = flow.is_behind_stream() && case.ordeal.as_ref().is_some_and(|(place, ..)| place.operation != "GetItem");
    if flow.function == "send-mail" {
        stage.wake_unsent().await;
    }
    let after = Inventory::of(&stage.world).await;
    whole(&after, true)?;
    counted(flow, &before.census(), &after.census(), tries + i64::from(extra))?;
    Ok(tries > 1)
}

fn whole(inventory: &Inventory, told: bool) -> Result<(), String> {
    let flaws = inventory.flaws(told);
    if flaws.is_empty() { Ok(()) } else { Err(flaws.join("; ")) }
}

/// What changed is the flow's effect, and nothing else.
fn counted(
    flow: &Flow,
    before: &BTreeMap<String, i64>,
    after: &BTreeMap<String, i64>,
    tries: i64,
) -> Result<(), String> {
    let number = |census: &BTreeMap<String, i64>, kind: &str| census.get(kind).copied().unwrap_or_default();
    let kinds =
        before.keys().chain(after.keys()).map(String::as_str).chain(flow.effect.iter().map(|change| change.kind));
    for kind in kinds {
        let more = number(after, kind) - number(before, kind);
        let expected = flow.effect.iter().find(|change| change.kind == kind);
        let (least, most) = expected.map_or((0, 0), |change| (change.least, change.most + change.again * (tries - 1)));
        if !(least..=most).contains(&more) {
            return Err(format!("{more:+} {kind}, not {least:+} to {most:+}, after {tries} tries"));
        }
    }
    Ok(())
}

/// What happens to a call in turn.
fn ordeals(place: &Place, number: usize) -> impl Iterator<Item = Ordeal> {
    let kinds: &[Kind] = match place.operation.as_str() {
        "TransactWriteItems" => &[CANCELLED, PASSING, REPEATED, FAILING, LOST],
        "PutItem" | "UpdateItem" | "DeleteItem" => &[IN_THE_WAY, PASSING, REPEATED, FAILING, LOST],
        "BatchGetItem" => &[BATCH],
        _ => &[READ],
    };
    kinds.iter().flat_map(move |(ordeals, met)| ordeals.iter().cycle().skip(number % ordeals.len()).take(*met).copied())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_all_of_whose_calls_are_slow_ends_in_time() {
    let stage = Stage::set(&FLOWS[0]).await;
    let deed = (FLOWS[0].prepare)(&stage, 0).await;
    stage.faults.slow_down(Duration::from_millis(1900));
    let answer = deed.done(&stage).await;
    stage.faults.slow_down(Duration::ZERO);
    assert!(matches!(answer, Answer::TryAgain), "{}", answer.text());
    let again = deed.done_again(&stage).await;
    assert!(FLOWS[0].is_success(&again), "{}", again.text());
    whole(&Inventory::of(&stage.world).await, true).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_function_that_cannot_read_its_keys_as_it_starts_reads_them_later() {
    let (faults, options) = Faults::on_dynamodb();
    let world = World::start_with(options).await;
    let jeanne = world.user(&Person::at("jeanne@martin.example")).await;
    let place = Place { function: "home".to_owned(), operation: "Query".to_owned(), nth: 0 };
    faults.strike(&place, Fault::HangUp(Effect::None), usize::MAX);
    jeanne.get("/api/home").await.expect_problem(503, "try-again");
    assert!(faults.heal() > 3, "as it started, and at the call");
    jeanne.get("/api/home").await.expect(200);
}

/// A throttle comes and goes within milliseconds, and more than a megabyte of one partition is left for later whatever
/// the capacity.
#[tokio::test(flavor = "multi_thread")]
async fn a_batch_is_read_for_as_long_as_a_round_brings_something() {
    let (faults, options) = Faults::on_dynamodb();
    let world = World::start_with(options).await;
    let jeanne = world.member("jeanne@martin.example").await;
    let place = Place { function: "home".to_owned(), operation: "BatchGetItem".to_owned(), nth: 0 };
    faults.strike(&place, Fault::OneOfBatch, usize::MAX);
    jeanne.get("/api/home").await.expect(200);
    assert!(faults.heal() > 3, "one round for each key");
    faults.strike(&place, Fault::Unprocessed, 9);
    jeanne.get("/api/home").await.expect(200);
    assert_eq!(faults.heal(), 9);
    faults.strike(&place, Fault::Unprocessed, usize::MAX);
    jeanne.get("/api/home").await.expect_problem(503, "try-again");
    assert_eq!(faults.heal(), 17, "it gives up where nothing comes at all");
}

/// The lists are brought into step with the account by single writes, after the answer is committed.
#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_is_committed_waits_for_transactions_at_what_lists_show() {
    let (faults, options) = Faults::on_dynamodb();
    let world = World::start_with(options).await;
    let jeanne = world.manager("jeanne@martin.example").await;
    let target = format!("/api/accounts/{ACCOUNT}/activation");
    jeanne.put(&target, &json!({"use": true})).await.expect(200);
    faults.take_calls();
    jeanne.put(&target, &json!({"use": false})).await.expect(200);
    let tells = |place: &Place| (&*place.function, &*place.operation) == ("accounts", "UpdateItem");
    let writes: Vec<_> = faults.take_calls().into_iter().filter(tells).collect();
    assert!(!writes.is_empty(), "lists are told");
    for place in writes {
        faults.strike(&place, Fault::Conflict, 9);
        jeanne.put(&target, &json!({"use": true})).await.expect(200);
        assert_eq!(faults.heal(), 9, "{place:?}");
    }
}
