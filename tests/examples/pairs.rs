//! Asks the local portal for known and for unknown things in turns, and prints whether the time tells them
//! apart: `cargo run -p portal-tests --example pairs`.
//!
//! For each operation there are 200 pairs, the known thing first in every other pair, each request from an
//! address of its own; what one leaves to be done behind the scenes is done before the next. In between run
//! 200 pairs of two unknown things: how much two of the same differ is the machine's noise.

#![allow(clippy::print_stdout, reason = "a table is what it is for")]
#![allow(clippy::expect_used, clippy::unwrap_used, reason = "a benchmark stops where it cannot go on")]

use std::process::ExitCode;
use std::time::Duration;

use harness::{ACCOUNT, OTHER_ACCOUNT, PASSWORD, Person, Reply, Visitor, World};
use portal::clock::Stopwatch;
use serde_json::json;

const PAIRS: usize = 200;
/// Pairs before those that count, which open connections and load keys.
const WARM_UP: usize = 5;
/// Wrong passwords that an address may have before log-in closes.
const GUESSES: usize = 5;
/// What the time of an answer may tell, in milliseconds.
const ALLOWED: f64 = 5.0;
const WRONG_PASSWORD: &str = "une tout autre phrase 12";
const MANAGER: &str = "manager@martin.example";

#[tokio::main]
async fn main() -> ExitCode {
    let world = World::start().await;
    let known = people(&world).await;
    println!(
        "{:<8} {:>10} {:>10} {:>12} {:>18}   result",
        "request", "known", "unknown", "difference", "noise of the same"
    );
    let alike = [
        sign_up(&world).await,
        forgot(&world, &known).await,
        log_in(&world, &known).await,
        grant(&world, &known).await,
        claim(&world).await,
    ];
    if alike == [true; 5] { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// As many addresses with a space as log-ins need.
async fn people(world: &World) -> Vec<String> {
    let addresses = (0..(PAIRS + WARM_UP).div_ceil(GUESSES)).map(|n| format!("known{n}@martin.example"));
    let people: Vec<_> = addresses.map(|email| Person::at(&email)).collect();
    world.users(&people).await;
    people.into_iter().map(|person| person.email).collect()
}

async fn sign_up(world: &World) -> bool {
    let terms = world.document("terms").await;
    let ask = async |number: usize, is_known: bool| {
        let email = if is_known { format!("known{}@martin.example", number % 10) } else { fresh("signup", number) };
        let form = Person::at(&email).form(&terms);
        let visitor = ready(world).await;
        timed(visitor.post("/api/signup", &form), 202).await
    };
    measure(world, "sign-up", ask).await
}

async fn forgot(world: &World, known: &[String]) -> bool {
    let ask = async |number: usize, is_known: bool| {
        let email = if is_known { known[number % known.len()].clone() } else { fresh("forgot", number) };
        let visitor = ready(world).await;
        timed(visitor.forgot(&email), 202).await
    };
    measure(world, "forgot", ask).await
}

async fn log_in(world: &World, known: &[String]) -> bool {
    let mut asked = 0;
    let ask = async |number: usize, is_known: bool| {
        // Five for each address, known or not, so that the fifth failure is compared with a fifth.
        let turn = number / GUESSES;
        let email = if is_known { known[(asked / GUESSES) % known.len()].clone() } else { fresh("log-in", turn) };
        asked += usize::from(is_known);
        let visitor = ready(world).await;
        timed(visitor.log_in(&email, WRONG_PASSWORD), 401).await
    };
    measure(world, "log-in", ask).await
}

async fn grant(world: &World, known: &[String]) -> bool {
    let manager = world.manager(MANAGER).await;
    let target = format!("/api/accounts/{ACCOUNT}/users");
    let ask = async |number: usize, is_known: bool| {
        // Access is taken back each time, so that both are given anew.
        let email = if is_known { known[number % known.len()].clone() } else { fresh("grant", number) };
        manager.get("/api/me").await.expect(200);
        let time = timed(manager.post(&target, &json!({"email": email})), 202).await;
        let users = manager.get(&target).await.expect(200);
        let user = users["users"].as_array().unwrap().iter().find(|user| user["email"] == email.as_str()).unwrap();
        manager.delete(&format!("{target}/{}", user["id"].as_str().unwrap())).await.expect(204);
        time
    };
    measure(world, "grant", ask).await
}

/// Another establishment's number against one that nobody has. Four a day, as the fifth closes the door.
async fn claim(world: &World) -> bool {
    let guesser = world.member("guesser@martin.example").await;
    let terms = world.document("account-terms").await;
    let mut asked = 0;
    let ask = async |number: usize, is_known: bool| {
        if asked % (GUESSES - 1) == 0 {
            world.advance(Duration::from_secs(24 * 3600 + 1));
            guesser.log_in("guesser@martin.example", PASSWORD).await.expect(200);
        }
        asked += 1;
        let member_number = if is_known { OTHER_ACCOUNT.to_owned() } else { format!("{:06}", 700_000 + number) };
        let claim = json!({"member_number": member_number, "account_terms": terms});
        guesser.get("/api/me").await.expect(200);
        timed(guesser.post("/api/manager-claims", &claim), 404).await
    };
    measure(world, "claim", ask).await
}

/// An address that nobody has, and that is asked about for the first time.
fn fresh(what: &str, number: usize) -> String {
    format!("{what}-{number}@unknown.example")
}

/// A visitor whose connection is open.
async fn ready(world: &World) -> Visitor {
    let visitor = world.visitor();
    visitor.get("/api/health").await.expect(200);
    visitor
}

async fn timed(request: impl Future<Output = Reply>, status: u16) -> Duration {
    let stopwatch = Stopwatch::start();
    let reply = request.await;
    let time = stopwatch.elapsed();
    reply.expect(status);
    time
}

/// Runs the pairs, and prints a line; whether the times are alike.
async fn measure(world: &World, name: &str, mut ask: impl AsyncFnMut(usize, bool) -> Duration) -> bool {
    let (mut known, mut unknown, mut same) = (Vec::new(), Vec::new(), Vec::new());
    for pair in 0..PAIRS + WARM_UP {
        let mut times = [0.0; 4];
        // Whichever comes first may find the machine warmer.
        let order = if pair % 2 == 0 { [0, 1, 2, 3] } else { [3, 2, 1, 0] };
        for place in order {
            times[place] = ask(pair * 4 + place, place == 0).await.as_secs_f64() * 1000.0;
            world.mails().await;
        }
        if pair >= WARM_UP {
            known.push(times[0]);
            unknown.push(times[1]);
            same.push((times[2] - times[3]).abs());
        }
    }
    let (known, unknown, noise) = (median(&mut known), median(&mut unknown), median(&mut same));
    let difference = (known - unknown).abs();
    let alike = difference <= ALLOWED && difference <= noise;
    let result = if alike { "not told apart" } else { "TOLD APART" };
    println!("{name:<8} {known:>7.2} ms {unknown:>7.2} ms {difference:>9.2} ms {noise:>15.2} ms   {result}");
    alike
}

fn median(times: &mut [f64]) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}
