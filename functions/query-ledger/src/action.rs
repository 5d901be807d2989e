//! `GET /api/accounts/{number}/actions/{action_id}`.

use futures::future::{join, try_join};
use jiff::civil::Date;
use portal::domain::{ActionStatus, Id, Identifier, MemberNumber, Scheme, View};
use portal::http::{Answer, Call, Problem};
use portal::security::Visit;
use portal::store::{
    Account, Action, ActionSums, ActionVersion, Entry, Invoices, Misposted, MispostedRecords, StoreError, Totals,
};
use rand::CryptoRng;
use serde::Serialize;

use crate::Function;
use crate::action_entries::ActionEntries;
use crate::cursor::{Bound, Cursor};
use crate::entry::EntryBody;
use crate::figures::ActionFigures;
use crate::filter::{self, Moves, Part};
use crate::history::VersionBody;
use crate::state::{StateBody, of_entries};

#[derive(Serialize)]
struct ActionBody {
    #[serde(flatten)]
    state: StateBody,
    action_id: Identifier,
    title: String,
    scheme: Scheme,
    status: ActionStatus,
    view: View,
    engagement_date: Date,
    #[serde(flatten)]
    figures: ActionFigures,
    /// Said only where it is so: what is in progress is not told apart by invoice, as there were too many.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    unmatched: bool,
    entries: Vec<EntryBody>,
    /// Each version that the account had, oldest first; with the first part alone.
    history: Vec<VersionBody>,
    /// The count of entries that are left out, where any may be.
    #[serde(skip_serializing_if = "Option::is_none")]
    folded: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

/// An action as it was read.
struct Found {
    action: Action,
    /// All of them, or those from a day on.
    entries: Vec<Entry>,
    /// All of them, or none where entries are from a day on.
    history: Vec<ActionVersion>,
}

/// The beginning of a part of an action's entries.
struct Start {
    moves: Moves,
    day: Date,
    /// The last entry of the part before.
    last: Id,
}

impl Function {
    pub(crate) async fn action(&self, call: &Call, rng: &mut impl CryptoRng) -> Result<Answer, Problem> {
        let (visit, mut batch) = self.gate.visit(call).await?;
        let action_id = Identifier::parse(call.path("action_id")).ok();
        let asked = filter::of_action(call.query()).and_then(|part| self.start(&visit, action_id.as_ref(), part));
        let from = asked.as_ref().ok().and_then(|(_, start)| start.as_ref()).map(|start| start.day);
        let mark = batch.want::<Misposted>(Misposted::key_of_any(&visit.number));
        let read = async {
            match &action_id {
                Some(action_id) => self.read_action(&visit.number, action_id, from).await,
                // No action has such an id.
                None => Ok(None),
            }
        };
        let (fetched, found) = join(self.store.fetch(batch), read).await;
        let mut fetched = fetched?;
        let guest = visit.admit(&self.store, &mut fetched, call.now).await;
        let (account, asked, found) = match (guest, found) {
            // An action that is not there is 404 like an account that is not the caller's, and so comes
            // before what keeps the caller from an action that is.
            (Ok(_) | Err(Problem::CharterRequired), Ok(None)) => return Err(Problem::NotFound),
            (Err(problem), _) => return Err(problem),
            (Ok(guest), found) => {
                let (asked, found) = (asked?, found?);
                (guest.open(&self.store, call, rng).await?.activated()?.account, asked, found)
            }
        };
        let (Some(action_id), Some(mut found)) = (action_id, found) else { return Err(Problem::NotFound) };
        // The rest of a list is not what the sums are of.
        let is_read = |found: &Found| from.is_some() || adds_up(found);
        for _ in 1..Totals::MOST_READS {
            if is_read(&found) {
                break;
            }
            found = self.read_action(&visit.number, &action_id, from).await?.ok_or(Problem::NotFound)?;
        }
        if !is_read(&found) {
            return Err(Problem::TryAgain { context: Totals::OVERTAKEN.to_owned() });
        }
        let misposted = self.store.misposted_where(&visit.number, fetched.take(&mark)?).await?;
        Answer::ok(&self.action_body(&visit, &account, asked, found, &misposted)?)
    }

    /// The part that is asked for, and where it begins.
    fn start(
        &self,
        visit: &Visit,
        action_id: Option<&Identifier>,
        part: Part,
    ) -> Result<(Part, Option<Start>), Problem> {
        let Some(text) = &part.cursor else { return Ok((part, None)) };
        let opened = || {
            let cursor = Cursor::open(text, &self.cursor_key, &bound(visit, action_id?, &part))?;
            let (moves, last) = cursor.id.split_once('#')?;
            Some(Start { moves: Moves::parse(moves)?, day: cursor.date, last: Id::parse(last)? })
        };
        let start = opened().ok_or(Problem::BadCursor)?;
        Ok((part, Some(start)))
    }

    /// An action with its entries, all of them and its versions, or those from a day on; `None` where the account has no such action.
    async fn read_action(
        &self,
        number: &MemberNumber,
        action_id: &Identifier,
        from: Option<Date>,
    ) -> Result<Option<Found>, StoreError> {
        let Some(from) = from else {
            let versions = ActionVersion::of(number, action_id);
            let (found, history) =
                try_join(self.store.action_with_entries(number, action_id), self.store.query_all(&versions)).await?;
            return Ok(found.map(|(action, entries)| Found { action, entries, history }));
        };
        let key = Action::key_of(number, action_id);
        let entries = Action::entries_from(number, action_id, from);
        let (action, entries) =
            try_join(self.store.get::<Action>(&key), self.store.query_all::<Entry>(&entries)).await?;
        Ok(action.filter(Action::is_here).map(|action| Found { action, entries, history: Vec::new() }))
    }

    fn action_body(
        &self,
        visit: &Visit,
        account: &Account,
        (part, start): (Part, Option<Start>),
        Found { action, entries, history }: Found,
        misposted: &MispostedRecords,
    ) -> Result<ActionBody, Problem> {
        let mut booked = of_entries(entries.iter().map(|entry| entry.booked_at));
        booked.at = booked.at.max(action.changed_at);
        let sums = action.all_sums();
        let Some(state) = action.state else {
            return Err(Problem::Internal { context: "an action that is here without a state".to_owned() });
        };
        let mut body = ActionBody {
            state: StateBody::new(booked, account).without_number(start.is_some()),
            action_id: action.action_id,
            title: state.title,
            scheme: state.home.scheme,
            status: state.status,
            view: state.home.view,
            engagement_date: state.engagement_date,
            figures: sums.measures(state.status).into(),
            unmatched: sums.invoices.are_too_many(),
            entries: Vec::new(),
            history: history.into_iter().map(VersionBody::from).collect(),
            folded: None,
            next_cursor: None,
        };
        let entries = ActionEntries::new(entries);
        let (moves, entries) = match &start {
            Some(start) => (Some(start.moves), entries.behind(start.last).ok_or(Problem::BadCursor)?),
            None => (part.moves, entries),
        };
        let found = entries.part(moves, part.limit, Answer::room_beside(&body), misposted);
        body.folded = (found.moves == Moves::Folded).then_some(found.folded);
        body.next_cursor = found.last.map(|last| {
            let id = format!("{}#{}", found.moves.as_str(), last.entry_id);
            let cursor = Cursor { view: last.view, date: last.facts.date, state: None, id };
            cursor.seal(&self.cursor_key, &bound(visit, &body.action_id, &part))
        });
        body.entries = found.entries;
        Ok(body)
    }
}

/// The list that a cursor is good for.
fn bound<'a>(visit: &'a Visit, action_id: &Identifier, part: &Part) -> Bound<'a> {
    let moves = part.moves.map_or("", Moves::as_str);
    Bound { user: visit.session.user_id, account: &visit.number, filter: format!("action/{action_id}/{moves}") }
}

/// Whether an action's sums are those of its entries. A `Query` is read-committed: an entry that is posted meanwhile may
/// be in it while the action is still as it was before, or the other way round.
fn adds_up(Found { action, entries, history }: &Found) -> bool {
    let sums = entries.iter().fold(ActionSums::default(), |sums, entry| sums.after(entry.effect(), None));
    let reversals = entries.iter().filter(|entry| entry.reverses.is_some()).count();
    // Each reversal takes another entry out, besides itself.
    let unreversed = entries.len().checked_sub(2 * reversals);
    let counted = action.entries + action.leaving.as_ref().map_or(0, |leaving| leaving.entries);
    let has_history = u64::try_from(history.len()) == Ok(action.history.postings);
    // What is in progress of each invoice follows.
    sums == ActionSums { invoices: Invoices::default(), ..action.all_sums() }
        && unreversed == usize::try_from(counted).ok()
        && has_history
}
