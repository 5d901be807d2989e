//! Verifies one password with several implementations, in turns, and prints a table: median, middle half, and
//! the median as a ratio to the fastest.
//!
//! The portal's `Hashing` is measured as a function uses it, with its way to another thread and back and with
//! its wiping. Each argument is a command that, for each line "PHC password", verifies and answers with its
//! own time in milliseconds.

#![allow(clippy::print_stdout, clippy::disallowed_methods, reason = "a table of times is what it is for")]

use std::error::Error;
use std::io::{BufRead, BufReader, Lines, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Instant;

use portal::environment::rng;
use portal::security::{Hashing, Password, Verdict};

/// How often each verifies; the first ones, which map memory and find out what the processor can, do not count.
const RUNS: usize = 150;
const WARM_UP: usize = 10;
/// Without a space: it is a word of a line.
const PASSWORD: &str = "truelle-béton-mésange-41";

type Failure = Box<dyn Error>;

/// Another process that verifies.
struct Other {
    name: String,
    child: Child,
    questions: ChildStdin,
    answers: Lines<BufReader<ChildStdout>>,
}

impl Other {
    fn start(command: &str) -> Result<Self, Failure> {
        let mut words = command.split(' ');
        let mut process = Command::new(words.next().unwrap_or_default());
        let mut child = process.args(words).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let (Some(questions), Some(answers)) = (child.stdin.take(), child.stdout.take()) else {
            return Err("a process without pipes".into());
        };
        let name = command.rsplit('/').next().unwrap_or(command).to_owned();
        Ok(Self { name, child, questions, answers: BufReader::new(answers).lines() })
    }

    fn verify(&mut self, hash: &str) -> Result<f64, Failure> {
        writeln!(self.questions, "{hash} {PASSWORD}")?;
        let answer = self.answers.next().ok_or_else(|| format!("{} ended", self.name))??;
        answer.parse().map_err(|_| format!("{} answered {answer}", self.name).into())
    }
}

impl Drop for Other {
    fn drop(&mut self) {
        // One that is gone already is what is wanted.
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Failure> {
    let mut others = std::env::args().skip(1).map(|command| Other::start(&command)).collect::<Result<Vec<_>, _>>()?;
    let hashing = Hashing::default();
    let password = Password::of(PASSWORD.to_owned());
    let hash = hashing.hash(&password, &mut rng()).await?;
    let phc = serde_json::to_value(&hash)?;
    let phc = phc.as_str().ok_or("a hash is stored as a string")?;

    let mut rows = vec![("portal".to_owned(), Vec::new()), ("RustCrypto argon2".to_owned(), Vec::new())];
    rows.extend(others.iter().map(|other| (other.name.clone(), Vec::new())));
    // In turns, so that what else the machine does meets all alike.
    for run in 0..WARM_UP + RUNS {
        let started = Instant::now();
        if hashing.verify(&password, Some(&hash)).await? == Verdict::Wrong {
            return Err("the portal finds its own password wrong".into());
        }
        let mut times = vec![milliseconds(started)];
        times.push(bare(password.as_bytes())?);
        for other in &mut others {
            times.push(other.verify(phc)?);
        }
        if run >= WARM_UP {
            rows.iter_mut().zip(times).for_each(|((_, row), time)| row.push(time));
        }
    }
    print(rows);
    Ok(())
}

/// The plainest use of the crate that most Rust programs hash with.
fn bare(password: &[u8]) -> Result<f64, Failure> {
    let params = argon2::Params::new(19_456, 2, 1, Some(32)).map_err(|error| error.to_string())?;
    let argon2 = argon2::Argon2::new(argon2::Algorithm::Argon2id, argon2::Version::V0x13, params);
    let started = Instant::now();
    argon2.hash_password_into(password, &[7; 16], &mut [0; 32]).map_err(|error| error.to_string())?;
    Ok(milliseconds(started))
}

fn milliseconds(started: Instant) -> f64 {
    started.elapsed().as_secs_f64() * 1000.0
}

fn print(rows: Vec<(String, Vec<f64>)>) {
    let mut rows: Vec<(String, [f64; 3])> = rows
        .into_iter()
        .map(|(name, mut times)| {
            times.sort_by(f64::total_cmp);
            let at = |share: usize| times.get(times.len() * share / 4).copied().unwrap_or_default();
            (name, [at(1), at(2), at(3)])
        })
        .collect();
    let fastest = rows.iter().map(|(_, [_, median, _])| *median).fold(f64::INFINITY, f64::min);
    rows.sort_by(|(_, one), (_, other)| one[1].total_cmp(&other[1]));
    println!("{:<20} {:>10} {:>13} {:>7}", "m=19456, t=2, p=1", "median", "middle half", "ratio");
    for (name, [quarter, median, three_quarters]) in rows {
        println!("{name:<20} {median:>7.2} ms {quarter:>6.2}-{three_quarters:<6.2} {:>7.2}", median / fastest);
    }
}
