//! Prints the resident memory before the first of a thousand log-ins and after the last, two at a time.

#![allow(clippy::print_stdout, reason = "a table is what it is for")]

use std::error::Error;

use portal::environment::rng;
use portal::security::{Hashing, Password, PasswordHash, Verdict};

const LOG_INS: usize = 1_000;
/// What a thousand log-ins may cost: the memory of one hash, and some.
const MOST_MIB: f64 = 30.0;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let hashing = Hashing::default();
    let before = resident_mib()?;
    let hash = hashing.hash(&Password::of("truelle béton mésange 41".to_owned()), &mut rng()).await?;
    for pair in 0..LOG_INS / 2 {
        let (right, wrong) = tokio::join!(
            log_in(&hashing, "truelle béton mésange 41".to_owned(), Some(&hash)),
            log_in(&hashing, format!("truelle béton mésange, wrong for the time {pair}"), None),
        );
        if !right? || wrong? {
            return Err("a right password is wrong, or a wrong one right".into());
        }
    }
    let after = resident_mib()?;
    let grown = after - before;
    println!("resident: {before:.1} MiB before {LOG_INS} log-ins, {after:.1} MiB after: {grown:.1} MiB more");
    if grown > MOST_MIB { Err(format!("more than {MOST_MIB} MiB").into()) } else { Ok(()) }
}

async fn log_in(hashing: &Hashing, typed: String, hash: Option<&PasswordHash>) -> Result<bool, Box<dyn Error>> {
    Ok(hashing.verify(&Password::of(typed), hash).await? != Verdict::Wrong)
}

/// The process's resident memory, as Linux counts it.
fn resident_mib() -> Result<f64, Box<dyn Error>> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).ok_or("no VmRSS")?;
    let kib: f64 = line.trim().trim_end_matches(" kB").parse()?;
    Ok(kib / 1024.0)
}
