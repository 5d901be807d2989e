//! `GET /api/accounts/{number}/actions/{action_id}`.

use std::collections::HashMap;

use futures::future::join;
use jiff::Timestamp;
use jiff::civil::Date;
use portal::domain::{ActionStatus, Id, Identifier, Scheme, View};
use portal::http::{Answer, Call, Problem};
use portal::store::{Action, ActionSums, Entry, Misposted, MispostedRecords, Totals};
use rand::CryptoRng;
use serde::Serialize;

use crate::Function;
use crate::entry::EntryBody;
use crate::figures::ActionFigures;

#[derive(Serialize)]
struct ActionBody {
    as_of: Timestamp,
    action_id: Identifier,
    title: String,
    scheme: Scheme,
    status: ActionStatus,
    view: View,
    engagement_date: Date,
    #[serde(flatten)]
    figures: ActionFigures,
    entries: Vec<EntryBody>,
}

impl Function {
    pub(crate) async fn action(&self, call: &Call, rng: &mut impl CryptoRng) -> Result<Answer, Problem> {
        let (visit, mut batch) = self.gate.visit(call).await?;
        let mark = batch.want::<Misposted>(Misposted::key_of_any(&visit.number));
        let action_id = Identifier::parse(call.path("action_id")).ok();
        let read = async {
            match &action_id {
                Some(action_id) => self.store.action_with_entries(&visit.number, action_id).await,
                // No action has such an id.
                None => Ok(None),
            }
        };
        let (fetched, found) = join(self.store.fetch(batch), read).await;
        let mut fetched = fetched?;
        let guest = visit.admit(&self.store, &mut fetched, call.now).await;
        let found = match (guest, found) {
            // An action that is not there is 404 like an account that is not the caller's, and so comes
            // before what keeps the caller from an action that is.
            (Ok(_) | Err(Problem::CharterRequired), Ok(None)) => return Err(Problem::NotFound),
            (Err(problem), _) => return Err(problem),
            (Ok(guest), found) => {
                let found = found?;
                guest.open(&self.store, call, rng).await?.activated()?;
                found
            }
        };
        let (Some(action_id), Some(mut found)) = (action_id, found) else { return Err(Problem::NotFound) };
        for _ in 1..Totals::MOST_READS {
            if adds_up(&found) {
                break;
            }
            let again = self.store.action_with_entries(&visit.number, &action_id).await?;
            found = again.ok_or(Problem::NotFound)?;
        }
        if !adds_up(&found) {
            return Err(Problem::TryAgain { context: Totals::OVERTAKEN.to_owned() });
        }
        let misposted = self.store.misposted_where(&visit.number, fetched.take(&mark)?).await?;
        let (action, entries) = found;
        Answer::ok(&body(call.now, action, entries, &misposted)?)
    }
}

/// Whether an action's sums are those of its entries. A `Query` is read-committed: an entry that is posted meanwhile may
/// be in it while the action is still as it was before, or the other way round.
fn adds_up((action, entries): &(Action, Vec<Entry>)) -> bool {
    let sums = entries.iter().fold(ActionSums::default(), |sums, entry| sums.after(entry.effect()));
    let reversals = entries.iter().filter(|entry| entry.reverses.is_some()).count();
    // Each reversal takes another entry out, besides itself.
    let unreversed = entries.len().checked_sub(2 * reversals);
    let counted = action.entries + action.leaving.as_ref().map_or(0, |leaving| leaving.entries);
    sums == action.all_sums() && unreversed == usize::try_from(counted).ok()
}

fn body(
    as_of: Timestamp,
    action: Action,
    entries: Vec<Entry>,
    misposted: &MispostedRecords,
) -> Result<ActionBody, Problem> {
    let sums = action.all_sums();
    let Some(state) = action.state else {
        return Err(Problem::Internal { context: "an action that is here without a state".to_owned() });
    };
    Ok(ActionBody {
        as_of,
        action_id: action.action_id,
        title: state.title,
        scheme: state.home.scheme,
        status: state.status,
        view: state.home.view,
        engagement_date: state.engagement_date,
        figures: sums.measures(state.status).into(),
        entries: in_order(entries, misposted),
    })
}

/// As they were booked, each with what reverses it.
fn in_order(mut entries: Vec<Entry>, misposted: &MispostedRecords) -> Vec<EntryBody> {
    let reversals = entries.iter().filter_map(|entry| Some((entry.reverses?.entry_id, entry.entry_id)));
    let reversals: HashMap<Id, Id> = reversals.collect();
    Entry::sort_as_booked(&mut entries);
    let body =
        |entry: Entry| EntryBody::reversed(reversals.get(&entry.entry_id).copied(), misposted.readable(entry));
    entries.into_iter().map(body).collect()
}
