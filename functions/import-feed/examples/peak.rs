//! How much memory an import takes at most: posts a feed against an engine in another process.
//!
//! `cargo run --release -p import-feed --example peak -- DIR [WORKERS]` prints one line of JSON. Every feed is cut
//! into shards here, however small, so that two of them are comparable.

#![allow(clippy::unwrap_used, reason = "a measurement that cannot go on ends")]
#![allow(clippy::print_stdout, reason = "a line is what it is for")]

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use aws_sdk_s3::primitives::ByteStream;
use futures::StreamExt as _;
use import_feed::Function;
use local::{Options, Portal};
use portal::clock::{Clock, Stopwatch};
use portal::environment::{Environment, StartError};
use portal::lambda::EventFunction as _;
use portal::log::Log;
use serde_json::{Value, json};

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() {
    let mut arguments = std::env::args().skip(1);
    match arguments.next().as_deref() {
        Some("serve") => serve().await,
        Some(folder) => {
            let workers = arguments.next().map_or(4, |count| count.parse().unwrap());
            import(Path::new(folder), workers).await;
        }
        None => println!("usage: peak DIR [WORKERS]"),
    }
}

/// The other process: tells its variables, and ends with its standard input.
async fn serve() {
    let parameters = BTreeMap::from([("ImportWorkers".to_owned(), "0".to_owned())]);
    let portal = Portal::prepare(Options { parameters, ..Options::default() }).await.unwrap();
    let environment = portal.environment_of("import-feed").unwrap();
    println!("{}", json!(environment.variables()));
    let wait = || std::io::stdin().read_to_end(&mut Vec::new());
    let _ = tokio::task::spawn_blocking(wait).await;
}

async fn import(folder: &Path, workers: usize) {
    let mut child: Child = Command::new(std::env::current_exe().unwrap())
        .arg("serve")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let mut variables: BTreeMap<String, String> = serde_json::from_str(&line).unwrap();
    variables.insert("SPLIT_ABOVE".to_owned(), "0".to_owned());
    let http = aws_smithy_http_client::Builder::new().build_http();
    let environment = Environment::new(variables, Clock::system(), Log::to(|_| {}), http);
    let function = Function::start(&environment).await.unwrap();
    let s3 = client(&environment).unwrap();
    let feed = environment.variable("FEED_BUCKET").unwrap();
    for file in ["members.ndjson", "ledger.ndjson", "manifest.json"] {
        let path = folder.join(file);
        if path.exists() {
            let body = ByteStream::from_path(path).await.unwrap();
            s3.put_object().bucket(feed).key(format!("feed/{file}")).body(body).send().await.unwrap();
        }
    }
    let before = peak();
    let began = Stopwatch::start();
    let answer = handle(&function, arrival(feed, "feed/manifest.json")).await;
    assert!(answer["run"].is_string(), "{answer}");
    let cut = began.elapsed();
    let work = environment.variable("WORK_BUCKET").unwrap();
    loop {
        let listed = s3.list_objects_v2().bucket(work).prefix("tasks/").send().await.unwrap();
        let keys: Vec<String> = listed.contents.unwrap_or_default().into_iter().filter_map(|o| o.key).collect();
        if keys.is_empty() {
            break;
        }
        let tasks = futures::stream::iter(keys).map(|key| {
            let body = arrival(work, &key).to_string();
            handle(&function, json!({"Records": [{"messageId": key, "body": body}]}))
        });
        let answers: Vec<Value> = tasks.buffer_unordered(workers).collect().await;
        assert!(answers.iter().all(|answer| *answer == json!({"batchItemFailures": []})), "{answers:?}");
    }
    let report = s3.get_object().bucket(feed).key("feed/report.json").send().await.unwrap();
    let report: Value = serde_json::from_slice(&report.body.collect().await.unwrap().to_vec()).unwrap();
    println!(
        "{}",
        json!({
            "lines": report["totals"]["lines"], "posted": report["posted"], "workers": workers,
            "cut_s": cut.as_secs_f64(), "seconds": began.elapsed().as_secs_f64(),
            "before_kib": before, "peak_kib": peak(),
        })
    );
    drop(child.stdin.take());
    let _ = child.wait();
}

fn client(environment: &Environment) -> Result<aws_sdk_s3::Client, StartError> {
    // An upload takes as long as it takes.
    let unhurried = aws_sdk_s3::config::timeout::TimeoutConfig::disabled();
    let config = portal::aws_config!(aws_sdk_s3, environment, "S3").timeout_config(unhurried).force_path_style(true);
    Ok(aws_sdk_s3::Client::from_conf(config.build()))
}

fn arrival(bucket: &str, key: &str) -> Value {
    json!({"detail": {"bucket": {"name": bucket}, "object": {"key": key, "sequencer": "1"}}})
}

async fn handle(function: &Function, event: Value) -> Value {
    let outcome = function.handle(serde_json::from_value(event).unwrap()).await.unwrap();
    serde_json::to_value(outcome).unwrap()
}

/// The most memory that this process had at any time, in KiB.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches("kB").trim().parse().unwrap()
}
