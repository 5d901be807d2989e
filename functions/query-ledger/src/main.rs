//! The Lambda binary of `query-ledger`.
fn main() {}
