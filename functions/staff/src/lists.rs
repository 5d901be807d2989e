//! `list-contests` and `list-alerts`.

use portal::store::{
    Alert, AlertKind, AlertMirror, Batch, Contest, ContestOutcome, Establishment, StaffAct, StoreError, Wanted,
};
use serde_json::{Value, json};

use crate::Function;
use crate::done::Done;
use crate::fields::{Fields, Trouble};

/// How many are listed, the newest first. Contests come some times a year; alerts some times a day.
const MOST_CONTESTS: i32 = 500;
const MOST_ALERTS: i32 = 100;

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

    /// Which contests still freeze their establishment: a manager who left took the contest along.
    async fn standing(&self, contests: &[Contest]) -> Result<Vec<bool>, StoreError> {
        let mut batch = Batch::new();
        let wanted: Vec<Wanted<Establishment>> =
            contests.iter().map(|contest| batch.want(Establishment::key_of(&contest.claim.siret))).collect();
        let mut fetched = self.store.fetch(batch).await?;
        let mut seats = std::collections::BTreeMap::new();
        for wanted in &wanted {
            // One establishment may have had several contests; it is taken once.
            if let Some(seat) = fetched.take(wanted)? {
                seats.insert(seat.siret.clone(), seat.contested);
            }
        }
        let stands = |contest: &Contest| {
            let contested = seats.get(&contest.claim.siret).and_then(Option::as_ref);
            contested.is_some_and(|contested| contested.contest_id == contest.contest_id)
        };
        Ok(contests.iter().map(stands).collect())
    }
}

/// A contest as it is told.
pub(crate) fn contest(contest: &Contest, stands: bool) -> Value {
    let state = match contest.outcome {
        Some(ContestOutcome::Dismissed) => "dismissed",
        Some(ContestOutcome::Released) => "released",
        None if stands => "open",
        // The manager left, or the account moved: there is nothing to decide any more.
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

/// An alert as it is told.
pub(crate) fn alert(alert: &Alert) -> Value {
    let (kind, about) = match alert.kind {
        AlertKind::GuessesOfUser { user_id } => ("guesses-of-user", Some(user_id)),
        AlertKind::GuessesOfEstablishment => ("guesses-of-establishment", None),
        AlertKind::ClaimContested { contest_id } => ("claim-contested", Some(contest_id)),
        AlertKind::ContactUnreached { why } => (why.alert(), None),
    };
    json!({"id": alert.alert_id, "at": alert.at, "siret": alert.siret, "alert": kind, "about": about})
}
