//! `cargo run -- reconcile`: the ledger of a portal that is running, held against its entries.

use indicatif::{ProgressBar, ProgressStyle};
use portal::domain::Cents;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::cli::Reconciliation;
use crate::invoke::call;

/// How many accounts are asked for at once: a bar that moves, and little to do again where a call fails.
const AT_ONCE: u64 = 50;

/// What a call found, and what all of them did.
#[derive(Debug, Default, Deserialize, Serialize)]
struct Found {
    accounts: u64,
    of: u64,
    entries: u64,
    drift: u64,
    /// Up to a hundred a call; all are counted.
    listed: Vec<Drift>,
    /// Accounts that were posted to all the time.
    busy: Vec<String>,
    /// The records that wait, the same in each call for all accounts.
    waiting: Waiting,
    /// Actions that are awaited in another account than the one that has them.
    elsewhere: Vec<Elsewhere>,
    #[serde(default, skip_serializing)]
    after: Option<String>,
}

/// A field that is not what the entries add up to.
#[derive(Debug, Deserialize, Serialize)]
struct Drift {
    account: String,
    item: String,
    field: String,
    stored: Option<String>,
    computed: Option<String>,
}

/// The records that wait for their member or their action.
#[derive(Debug, Default, Deserialize, Serialize)]
struct Waiting {
    records: u64,
    amount_cents: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    since: Option<String>,
    oldest: Vec<Value>,
}

/// An action that records of other accounts wait for.
#[derive(Debug, Deserialize, Serialize)]
struct Elsewhere {
    action_id: String,
    account: String,
    awaited_in: Vec<String>,
}

/// Walks one account or all, and says what differs; an error where anything does.
pub(crate) async fn reconcile(asked: &Reconciliation, say: impl Fn(&str)) -> Result<(), String> {
    let found = walk(asked).await?;
    if asked.json {
        say(&serde_json::to_string(&found).map_err(|error| error.to_string())?);
    } else {
        found.listed.iter().for_each(|drift| say(&drift.line()));
        found.waiting.lines().iter().for_each(|line| say(line));
    }
    let Found { accounts, entries, drift, busy, listed, .. } = &found;
    if *drift > 0 {
        let listed = listed.len() as u64;
        let of = if listed < *drift { format!(", of which {listed} are listed") } else { String::new() };
        let fields = if *drift == 1 { "field is" } else { "fields are" };
        let told = format!("{drift} {fields} not what the entries add up to{of}");
        return Err(format!("{told} ({accounts} accounts, {entries} entries)"));
    }
    if !busy.is_empty() {
        return Err(format!("posted to all the time, so nothing is known of them: {}; try again", busy.join(", ")));
    }
    match &asked.account {
        _ if asked.json => {}
        // A number that was mistyped is no all-clear.
        Some(account) if *entries == 0 => say(&format!("No entry is in account {account}: is that its number?")),
        _ => say(&format!("No drift: {accounts} accounts, {entries} entries")),
    }
    Ok(())
}

async fn walk(asked: &Reconciliation) -> Result<Found, String> {
    let ask = async |event: Value| {
        let answer = call("reconcile", &event, &asked.portal).await?;
        serde_json::from_value::<Found>(answer).map_err(|error| format!("the report cannot be read: {error}"))
    };
    if let Some(account) = &asked.account {
        return ask(json!({"account": account})).await;
    }
    let mut all = ask(json!({"most": AT_ONCE})).await?;
    let bar = ProgressBar::new(all.of);
    if let Ok(style) =
        ProgressStyle::with_template("  reconcile [{bar:32}] {human_pos} of {human_len} accounts, {eta} left")
    {
        bar.set_style(style.progress_chars("=> "));
    }
    while let Some(after) = all.after.take() {
        bar.set_position(all.accounts);
        let mut more = ask(json!({"after": after, "most": AT_ONCE})).await?;
        all.accounts += more.accounts;
        all.entries += more.entries;
        all.drift += more.drift;
        all.listed.append(&mut more.listed);
        all.busy.append(&mut more.busy);
        all.elsewhere.append(&mut more.elsewhere);
        all.after = more.after;
    }
    bar.finish_and_clear();
    all.waiting.point(&all.elsewhere);
    Ok(all)
}

impl Waiting {
    /// Says which of the records have their action in another account, wherever that was met.
    fn point(&mut self, elsewhere: &[Elsewhere]) {
        for wait in self.oldest.iter_mut().filter(|wait| wait["waits_for"] != "source") {
            let awaits = |met: &&Elsewhere| {
                wait["action_id"] == met.action_id.as_str()
                    && met.awaited_in.iter().any(|other| wait["account"] == other.as_str())
            };
            if let Some(met) = elsewhere.iter().find(awaits) {
                wait["action_in"] = met.account.as_str().into();
            }
        }
    }

    /// A line for each record that is listed, and one for all.
    fn lines(&self) -> Vec<String> {
        let mut lines: Vec<String> = self.oldest.iter().map(line_of).collect();
        if self.records > 0 {
            let (records, cents) = (self.records, Cents(self.amount_cents));
            let since = self.since.as_deref().unwrap_or_default();
            lines.push(format!("{records} records of {cents} wait, the first since {since}"));
        }
        lines
    }
}

/// A record that waits, as it is said.
fn line_of(wait: &Value) -> String {
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let cents = |value: &Value| Cents(value.as_i64().unwrap_or_default());
    let [account, source, key, version, batch, since] =
        ["account", "source", "source_key", "source_version", "batch_id", "since"].map(|name| text(&wait[name]));
    let action = text(&wait["action_id"]);
    let what = match wait["waits_for"].as_str() {
        Some("member") => "its account".to_owned(),
        Some("source") => format!("leave to be posted on action {action} of another source"),
        _ => format!("its action {action}"),
    };
    let mut line =
        format!("{account} {source} {key} version {version} of batch {batch} waits for {what} since {since}");
    if !wait["amount_cents"].is_null() {
        line += &format!(": {}", cents(&wait["amount_cents"]));
    }
    if !wait["in_force"].is_null() {
        line += &format!(" instead of {}, which stays in force", cents(&wait["in_force"]["amount_cents"]));
    }
    if let Some(account) = wait["action_in"].as_str() {
        line += &format!("; account {account} has an action {action}");
    }
    line
}

impl Drift {
    fn line(&self) -> String {
        let Self { account, item, field, stored, computed } = self;
        let [stored, computed] = [stored, computed].map(|value| value.as_deref().unwrap_or("nothing"));
        format!("{account} {item} {field}: stored {stored}, computed {computed}")
    }
}
