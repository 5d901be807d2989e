//! `list-contests`, `list-alerts` and `list-waiting`.

use std::collections::{BTreeMap, BTreeSet};

use portal::domain::{MemberNumber, Siret};
use portal::store::{
    Account, Alert, AlertKind, AlertMirror, Batch, Contest, ContestOutcome, Establishment, StaffAct, StoreError, Wait,
    Wanted,
};
use serde_json::{Value, json};

use crate::Function;
use crate::done::Done;
use crate::fields::{Fields, Trouble};

/// How many are listed, the newest first. Contests come some times a year; alerts some times a day.
const MOST_CONTESTS: i32 = 500;
const MOST_ALERTS: i32 = 100;

/// The most records that are listed of those that wait, the ones that have waited longest; all are counted.
const MOST_WAITING: usize = 200;

impl Function {
    /// Those that wait for a decision; with `all` also those that ended.
    pub(crate) async fn list_contests(&self, mut fields: Fields) -> Result<Done, Trouble> {
        let author = fields.author()?;
        let all = fields.optional_flag("all")?;
        fields.finish()?;
        let act = StaffAct::ContestsListed;
        let which = if all { "all" } else { "open" };
        self.note(&author, act, which.to_owned(), self.environment.clock.now()).await?;
        let contests = self.store.query::<Contest>(&Contest::newest(MOST_CONTESTS)).await?.items;
        let standing = self.standing(&contests).await?;
        let told = contests.iter().zip(standing).map(|(one, stands)| contest(one, stands));
        let told = told.filter(|contest| all || contest["state"] == "open");
        Ok(Done::quietly(act, json!({"contests": told.collect::<Value>()})))
    }

    pub(crate) async fn list_alerts(&self, mut fields: Fields) -> Result<Done, Trouble> {
        let author = fields.author()?;
        fields.finish()?;
        let act = StaffAct::AlertsListed;
        self.note(&author, act, "newest".to_owned(), self.environment.clock.now()).await?;
        let alerts = self.store.query::<AlertMirror>(&Alert::newest(MOST_ALERTS)).await?.items;
        Ok(Done::quietly(act, json!({"alerts": alerts.iter().map(|mirror| alert(&mirror.0)).collect::<Value>()})))
    }

    /// The records that wait in the ledger for their member or their action, and so count nowhere.
    pub(crate) async fn list_waiting(&self, mut fields: Fields) -> Result<Done, Trouble> {
        let author = fields.author()?;
        fields.finish()?;
        let act = StaffAct::WaitingListed;
        self.note(&author, act, "oldest".to_owned(), self.environment.clock.now()).await?;
        let accounts = self.store.awaited().await?.accounts();
        let (all, _) = self.store.waits_in(accounts, MOST_WAITING).await?;
        let rows = all.oldest.iter().map(waiting).collect::<Value>();
        let summary = json!({"records": all.records, "amount_cents": all.amount_cents, "since": all.since});
        Ok(Done::quietly(act, json!({"summary": summary, "waiting": rows})))
    }

    /// Which contests still freeze their account, under whatever SIRET it stands by now.
    async fn standing(&self, contests: &[Contest]) -> Result<Vec<bool>, StoreError> {
        // One account may have had several contests: it is asked for once.
        let open = contests.iter().filter(|contest| contest.outcome.is_none());
        let numbers: BTreeSet<&MemberNumber> = open.map(|contest| &contest.claim.member_number).collect();
        let mut batch = Batch::new();
        let wanted: Vec<Wanted<Account>> = numbers.iter().map(|number| batch.want(Account::key_of(number))).collect();
        let mut fetched = self.store.fetch(batch).await?;
        let mut frozen = BTreeSet::new();
        let mut batch = Batch::new();
        let mut seats: BTreeMap<Siret, Wanted<Establishment>> = BTreeMap::new();
        for wanted in &wanted {
            if let Some(account) = fetched.take(wanted)? {
                frozen.extend(account.parked.and_then(|parked| parked.contested).map(|contested| contested.contest_id));
                let seat = || batch.want(Establishment::key_of(&account.siret));
                seats.entry(account.siret.clone()).or_insert_with(seat);
            }
        }
        let mut fetched = self.store.fetch(batch).await?;
        for wanted in seats.values() {
            let contested = fetched.take(wanted)?.and_then(|seat| seat.contested);
            frozen.extend(contested.map(|contested| contested.contest_id));
        }
        Ok(contests.iter().map(|contest| frozen.contains(&contest.contest_id)).collect())
    }
}

/// A contest as it is told.
pub(crate) fn contest(contest: &Contest, stands: bool) -> Value {
    let state = match contest.outcome {
        Some(ContestOutcome::Dismissed) => "dismissed",
        Some(ContestOutcome::Released) => "released",
        Some(ContestOutcome::Replaced) => "replaced",
        None if stands => "open",
        // From before a contest outlived its manager: there is nothing to decide any more.
        None => "over",
    };
    json!({
        "id": contest.contest_id,
        "at": contest.at,
        "siret": contest.claim.siret,
        "member_number": contest.claim.member_number,
        "manager": contest.manager,
        "by": contest.by.map_or_else(|| "contact".to_owned(), |user_id| user_id.to_string()),
        "voices": contest.voices,
        "state": state,
    })
}

/// A record that waits, as it is told.
fn waiting(wait: &Wait) -> Value {
    json!({
        "since": wait.since,
        "member_number": wait.account,
        "action_id": wait.action_id,
        "waits_for": wait.waits_for,
        "batch_id": wait.batch_id,
        "source": wait.source,
        "source_key": wait.source_key,
        "source_version": wait.source_version,
        "kind": wait.kind,
        "amount_cents": wait.amount_cents,
        "in_force_cents": wait.in_force.as_ref().map(|in_force| in_force.amount_cents),
    })
}

/// An alert as it is told.
pub(crate) fn alert(alert: &Alert) -> Value {
    let (kind, about) = match alert.kind {
        AlertKind::GuessesOfUser { user_id } => ("guesses-of-user", Some(user_id)),
        AlertKind::GuessesOfEstablishment => ("guesses-of-establishment", None),
        AlertKind::ClaimDoubted { user_id } => ("claim-doubted", Some(user_id)),
        AlertKind::ClaimContested { contest_id } => ("claim-contested", Some(contest_id)),
        AlertKind::ContactUnreached { why } => (why.alert(), None),
    };
    json!({"id": alert.alert_id, "at": alert.at, "siret": alert.siret, "alert": kind, "about": about})
}
