//! The command that proves a ledger against its digests.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use indicatif::{ProgressBar, ProgressStyle};
use portal::clock::Clock;
use portal::domain::MemberNumber;
use portal::environment::{Environment, http_client};
use portal::log::Log;
use portal::store::{Store, Table};
use prove_ledger::{Digests, Proof, prove};
use serde_json::json;

/// Prove that the entries of a ledger are those that digests of earlier hours name.
///
/// Needs dynamodb:Query on the ledger's table, with region and credentials in the environment (AWS_REGION,
/// AWS_ACCESS_KEY_ID ...). See "Proving the ledger" in docs/operations.md.
#[derive(Debug, Parser)]
#[command(name = "prove-ledger", version)]
struct Arguments {
    /// A digest, or a folder of digests; again for more
    #[arg(long = "digests", value_name = "PATH", required = true)]
    digests: Vec<PathBuf>,

    /// The ledger's table
    #[arg(long, value_name = "NAME")]
    table: String,

    /// Only this account; again for more
    #[arg(long = "account", value_name = "NUMBER", value_parser = number)]
    accounts: Vec<MemberNumber>,

    /// Print a report as JSON
    #[arg(long)]
    json: bool,
}

fn number(text: &str) -> Result<MemberNumber, String> {
    MemberNumber::parse(text).map_err(|refusal| refusal.en)
}

fn main() -> ExitCode {
    match run(Arguments::parse()) {
        Ok(code) => code,
        Err(error) => {
            #[allow(clippy::print_stderr, reason = "a command tells its user what is wrong")]
            {
                eprintln!("prove-ledger: {error}");
            }
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: Arguments) -> Result<ExitCode, Box<dyn std::error::Error>> {
    let Arguments { digests, table, accounts, json } = arguments;
    let wanted: BTreeSet<_> = accounts.into_iter().collect();
    let digests = Digests::load(&digests, &wanted)?;
    let store = Store::connect(&environment(table)?, &[Table::Ledger])?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let bar = bar(digests.accounts.len() as u64);
    let proof = runtime.block_on(prove(&store, &digests, None, |done| bar.set_position(done)));
    bar.finish_and_clear();
    let proof = proof?;
    // What was asked for and no digest names is not proven, and what nobody asked for is told.
    let named = |account: &&MemberNumber| !digests.accounts.contains_key(*account);
    let unproven: Vec<_> = wanted.iter().filter(named).collect();
    #[allow(clippy::print_stdout, reason = "a command tells its user what it found")]
    if json {
        let hours = digests.hours.map(|(first, last)| json!({"first": first, "last": last}));
        let told = json!({"digests": digests.read, "hours": hours, "proof": proof,
            "left_out": digests.left_out, "unproven": unproven});
        println!("{told}");
    } else {
        println!("{}", told(&digests, &proof, &unproven));
    }
    let is_proven = proof.faults.is_empty() && unproven.is_empty() && proof.accounts > 0;
    Ok(if is_proven { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The variables of the process, with the table.
fn environment(table: String) -> Result<Environment, String> {
    let mut variables: BTreeMap<String, String> = std::env::vars().collect();
    variables.insert("LEDGER_TABLE".to_owned(), table);
    let environment = Environment::new(variables, Clock::system(), Log::stdout(), http_client());
    if environment.region().is_err() {
        return Err("no region: set AWS_REGION to that of the stack".to_owned());
    }
    if environment.credentials().is_err() {
        return Err(
            "no credentials: sign in, then eval \"$(aws configure export-credentials --format env)\"".to_owned()
        );
    }
    Ok(environment)
}

/// Draws on standard error, and nothing at all where that is no terminal.
fn bar(accounts: u64) -> ProgressBar {
    let style = ProgressStyle::with_template("  proving [{bar:32}] {human_pos} of {human_len} accounts, {eta} left");
    let bar = ProgressBar::new(accounts);
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()).progress_chars("=> "));
    bar
}

fn told(digests: &Digests, proof: &Proof, unproven: &[&MemberNumber]) -> String {
    let Proof { accounts, entries, newer, faults } = proof;
    let mut lines: Vec<_> = faults.iter().map(|faulty| format!("{} {}", faulty.account, faulty.fault)).collect();
    for account in unproven {
        let reason = match digests.left_out.contains(*account) {
            true => "its digests left it out, as reconcile did not find it true in that hour",
            false => "no digest names it: give those of its hour, the number divided by 24 leaves it (UTC)",
        };
        lines.push(format!("{account} not proven: {reason}"));
    }
    let left_out = digests.left_out.iter().filter(|account| !unproven.contains(account)).count() as u64;
    if left_out > 0 {
        lines.push(format!(
            "{} left out by their digests: see reconcile's log of these hours",
            some(left_out, "account")
        ));
    }
    let hours = digests.hours.map(|(first, last)| format!(" of {first} to {last}")).unwrap_or_default();
    let against = format!("{}{hours}", some(digests.read as u64, "digest"));
    let (accounts, proven) = (some(*accounts, "account"), some(entries - newer, "entry"));
    lines.push(match faults.len() as u64 {
        0 if proof.accounts == 0 => format!("Nothing proven: none of these accounts is in {against}"),
        0 => format!("Proven: {accounts}, {proven}, as {against} say; newer than these: {newer}"),
        faults => format!(
            "NOT proven: {} in {accounts}, {}, against {against}",
            some(faults, "fault"),
            some(*entries, "entry")
        ),
    });
    lines.join("\n")
}

/// `1 entry`, `2 entries`.
fn some(number: u64, noun: &str) -> String {
    match (number, noun.strip_suffix('y')) {
        (1, _) => format!("1 {noun}"),
        (_, Some(stem)) => format!("{number} {stem}ies"),
        (_, None) => format!("{number} {noun}s"),
    }
}
