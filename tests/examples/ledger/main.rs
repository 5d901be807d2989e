//! The ledger's figures, as a table: `cargo run -p portal-tests --example ledger`; `make bench` builds it with
//! the size optimisation of the release profile.
//!
//! Ratios are taken in one run, in turns, and printed as medians. Capacity is what the engine reports, by
//! DynamoDB's rules.

#![allow(clippy::print_stdout, reason = "a table is what it is for")]
#![allow(clippy::expect_used, clippy::unwrap_used, reason = "a benchmark stops where it cannot go on")]

mod feed;
mod pages;
mod posting;
mod table;

#[tokio::main]
async fn main() {
    for row in pages::work().await {
        row.print();
    }
    for row in pages::times().await {
        row.print();
    }
    for row in posting::capacity().await {
        row.print();
    }
    posting::rate().await.print();
}
