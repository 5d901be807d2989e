//! What a million requests cost: `make cost`.
//!
//! Each kind of request of [`mix::MIX`] is made several times, with all that it leaves to be done behind the scenes.
//! Units of DynamoDB, log bytes, mails and times are what the functions' log lines say; waits for DynamoDB are
//! counted at the tap. Prices, and what cannot be measured here, are in `prices.yaml`.

#![allow(clippy::print_stdout, reason = "a table is what it is for")]
#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic, reason = "a benchmark stops where it cannot go on")]

mod bill;
#[path = "../ledger/feed.rs"]
#[allow(dead_code, reason = "the ledger's figures use all of it")]
mod feed;
mod mix;
mod prices;
mod stage;

use std::collections::{BTreeMap, BTreeSet};

use bill::{Taken, of_million};
use harness::{Tap, folder_of_workspace};
use local::Options;
use mix::MIX;
use prices::File;
use serde_json::Value;
use serde_yaml_ng::Value as Yaml;
use stage::Stage;

const ROUNDS: usize = 10;

#[tokio::main]
async fn main() {
    let file = prices::read();
    let memory = memory();
    let (tap, options) = Tap::on_dynamodb();
    let tapped = Stage::set(options).await;
    let stage = Stage::set(Options::default()).await;
    assert_eq!(MIX.iter().map(|kind| kind.of_thousand).sum::<u32>(), 1000, "the mix is of a thousand");
    println!("$ of a million requests, {} at the prices of {}", file.region, file.as_of);
    if !file.checked {
        println!("(prices.yaml says: from memory, to be checked against AWS's pages)");
    }
    println!(
        "\n{:<25} {:>7} {:>7} {:>7} {:>6} {:>6} {:>8} {:>9} {:>8} {:>9}",
        "request", "of 1000", "read u.", "write u.", "waits", "mails", "billed", "log bytes", "$ each M", "$ in mix"
    );
    let (mut all, mut metrics) = (Taken::default(), BTreeSet::new());
    for kind in &MIX {
        let waits = waits(&tap, &tapped, kind.name).await;
        let mut each = Taken::default();
        for _ in 0..ROUNDS {
            each += once(&stage, kind.name, waits, &memory, &file, &mut metrics).await;
        }
        let each = each.times(1.0 / ROUNDS as f64);
        let share = f64::from(kind.of_thousand) / 1000.0;
        let dollars = sum(&each, &file);
        println!(
            "{:<25} {:>7} {:>7.1} {:>8.1} {:>6.0} {:>6.1} {:>5.0} ms {:>9.0} {:>8.2} {:>9.4}",
            kind.name,
            kind.of_thousand,
            each.read_units,
            each.write_units,
            waits,
            each.mails,
            each.billed_ms,
            each.log_bytes,
            dollars,
            dollars * share
        );
        all += each.times(share);
    }
    println!("\nof these");
    for (service, dollars) in of_million(&all, &file.prices, &file.assumed) {
        println!("{service:<25} {dollars:>8.2} $");
    }
    println!("{:<25} {:>8.2} $ for a million requests", "total", sum(&all, &file));
    monthly(&file, metrics.len());
}

fn sum(each: &Taken, file: &File) -> f64 {
    of_million(each, &file.prices, &file.assumed).iter().map(|(_, dollars)| dollars).sum()
}

/// How often the function that answers waits for DynamoDB in a row.
async fn waits(tap: &Tap, stage: &Stage, kind: &str) -> f64 {
    let ready = stage.ready(kind).await;
    let (reply, observed) = tap.during(stage.ask(kind, &ready)).await;
    let (_, operation) = harness::Contract::get().operation(&reply.method, &reply.path).expect("a route");
    let waits = observed.of(operation["x-function"].as_str().expect("a function")).waits();
    stage.world.mails().await;
    waits as f64
}

/// One request, and what it leaves to be done.
async fn once(
    stage: &Stage,
    kind: &str,
    waits: f64,
    memory: &BTreeMap<String, f64>,
    file: &File,
    metrics: &mut BTreeSet<String>,
) -> Taken {
    let ready = stage.ready(kind).await;
    let before = stage.world.portal.log_lines().len();
    let reply = stage.ask(kind, &ready).await;
    stage.world.mails().await;
    let mut taken = Taken { answer_bytes: reply.text.len() as f64, ..Taken::default() };
    for line in stage.world.portal.log_lines().split_off(before).iter().filter(|line| line.get("outcome").is_some()) {
        // What runs behind the scenes reads, commits, and marks as done, one after the other.
        let waits = if line.get("route").is_some() { waits } else { 3.0 };
        taken.add_line(line, waits, memory, &file.assumed);
        metrics.extend(published(line));
    }
    taken
}

fn published(line: &Value) -> Vec<String> {
    let directives = line["_aws"]["CloudWatchMetrics"].as_array().into_iter().flatten();
    let named = directives.flat_map(|directive| {
        let value = directive["Dimensions"][0][0].as_str().map_or(&Value::Null, |name| &line[name]);
        let metrics = directive["Metrics"].as_array().into_iter().flatten();
        metrics.map(move |metric| format!("{} {value}", metric["Name"]))
    });
    named.collect()
}

/// The metrics that alarms watch: each is billed, also of an alarm that adds several up.
fn alarm_metrics() -> f64 {
    let alarms = resources("infra/monitoring.yaml");
    let alarms = alarms.iter().filter(|(_, body)| body["Type"] == "AWS::CloudWatch::Alarm");
    let watched = alarms.map(|(_, body)| match body["Properties"]["Metrics"].as_sequence() {
        Some(metrics) => metrics.iter().filter(|metric| !metric["MetricStat"].is_null()).count(),
        None => 1,
    });
    watched.sum::<usize>() as f64
}

/// What is paid whatever is asked.
fn monthly(file: &File, seen: usize) {
    let File { prices, assumed, .. } = file;
    let count = |path: &str, kind: &str| resources(path).iter().filter(|(_, body)| body["Type"] == kind).count() as f64;
    // Each problem that happens in an hour is a metric in that hour: twenty of the slugs, all month, is many. The rest
    // is what imports and trouble publish.
    let metrics = seen as f64 + 20.0 + 15.0;
    println!("\na month, whatever is asked (stored data, restores and the account's own services apart)");
    let lines = [
        ("custom metrics", metrics * prices.metric_month),
        ("alarms", alarm_metrics() * prices.alarm_month),
        ("dashboard", prices.dashboard_month),
        ("secrets", count("infra/secrets.yaml", "AWS::SecretsManager::Secret") * prices.secret_month),
        ("key", prices.kms_key_month + assumed.kms_requests_month / 1e4 * prices.kms_ten_thousand_requests),
        ("firewall", prices.waf_acl_month + assumed.waf_rules * prices.waf_rule_month),
    ];
    for (what, dollars) in lines {
        println!("{what:<25} {dollars:>8.2} $");
    }
    println!("{:<25} {:>8.2} $", "total", lines.iter().map(|(_, dollars)| dollars).sum::<f64>());
}

/// The memory of each function, in MB.
fn memory() -> BTreeMap<String, f64> {
    let template = yaml("template.yaml");
    let usual = template["Globals"]["Function"]["MemorySize"].as_f64().expect("a size");
    let functions =
        resources("template.yaml").into_iter().filter(|(_, body)| body["Type"] == "AWS::Serverless::Function");
    let sized = functions.map(|(_, body)| {
        let name = body["Metadata"]["BuildProperties"]["Binary"].as_str().expect("a binary").to_owned();
        (name, body["Properties"]["MemorySize"].as_f64().unwrap_or(usual))
    });
    sized.collect()
}

fn resources(path: &str) -> Vec<(String, Yaml)> {
    let template = yaml(path);
    let resources = template["Resources"].as_mapping().expect("resources").iter();
    resources.map(|(name, body)| (name.as_str().expect("a name").to_owned(), body.clone())).collect()
}

fn yaml(path: &str) -> Yaml {
    let text = std::fs::read_to_string(folder_of_workspace().join(path)).expect("a template");
    serde_yaml_ng::from_str(&text).expect("YAML")
}
