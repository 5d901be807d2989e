//! The ledger's figures, as a table: `cargo build --release --workspace --example ledger`, as `make bench` does,
//! builds it like the functions of production.
//!
//! Ratios are taken in one run, in turns, and printed as medians. Capacity is what the engine reports, by
//! DynamoDB's rules.

#![allow(clippy::print_stdout, reason = "a table is what it is for")]
#![allow(clippy::expect_used, clippy::unwrap_used, reason = "a benchmark stops where it cannot go on")]

mod feed;
mod moving;
mod pages;
mod posting;
mod processor;
mod proof;
mod table;

use std::process::ExitCode;

use table::Row;

/// What can be asked for alone, by naming it.
const PARTS: [&str; 7] = ["work", "handler", "times", "capacity", "posting", "moving", "proof"];

#[tokio::main]
async fn main() -> ExitCode {
    let asked: Vec<String> = std::env::args().skip(1).collect();
    if let Some(unknown) = asked.iter().find(|part| !PARTS.contains(&part.as_str())) {
        println!("There is no part {unknown}; there are: {}", PARTS.join(", "));
        return ExitCode::FAILURE;
    }
    for part in PARTS.into_iter().filter(|part| asked.is_empty() || asked.iter().any(|asked| asked == part)) {
        let rows = match part {
            "work" => pages::work().await,
            "handler" => pages::handler().await,
            "times" => pages::times().await,
            "capacity" => posting::capacity().await,
            "posting" => vec![posting::rate().await],
            "moving" => vec![moving::moving().await],
            _ => vec![proof::proof().await],
        };
        rows.iter().for_each(Row::print);
    }
    ExitCode::SUCCESS
}
