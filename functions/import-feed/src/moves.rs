//! Entries that follow their action: moved to where it is now, or posted there because they waited for it.

use portal::domain::EntryKind;
use portal::store::{Action, ActionPlace, Entry, Page, Pending};

use crate::ImportError;
use crate::feed::Reason;
use crate::post::{MOST_ATTEMPTS, PAGE, Poster, Released};
use crate::posting::{Context, Job, MOST_MOVES, Task, Verdict};
use crate::tables::Tables;

impl<T: Tables> Poster<T> {
    /// Moves the entries of an action to the account, view and scheme that it has now. Cut off anywhere,
    /// it goes on with what is left when it is called again. Gives the reason for which some had to stay where they were, and
    /// what is to be said of them to `moved`.
    pub(crate) async fn settle(
        &self,
        context: &Context,
        place: &ActionPlace,
        moved: &mut Vec<Released>,
    ) -> Result<Option<Reason>, ImportError> {
        let target: Option<Action> = self.store.get(&Action::key_of(&place.account, &place.action_id)).await?;
        let Some(target) = target.filter(Action::is_moving) else { return Ok(None) };
        let mut left = None;
        let from = target.coming_from.as_ref().unwrap_or(place);
        let home = target.state.as_ref().map(|state| state.home);
        let is_there = |entry: &Entry| {
            entry.member_number == place.account
                && entry.action_id.as_ref() == Some(&place.action_id)
                && home.is_some_and(|home| home.view == entry.view && Some(home.scheme) == entry.scheme)
        };
        let mut query = Action::entries_of(&from.account, &from.action_id).limit(PAGE);
        loop {
            let Page { items, next } = self.store.query::<Entry>(&query).await?;
            let entries = items.into_iter().filter(|entry| entry.facts.kind != EntryKind::Reversal && !is_there(entry));
            let entries: Vec<Entry> = entries.collect();
            let relocate = |entry: &Entry| Job { task: Task::Relocate(entry.clone(), place.clone()), line: None };
            let jobs: Vec<Job> = entries.iter().map(relocate).collect();
            let (decisions, _) = self.run(context, &jobs, &|_| {}).await?;
            left = left.or(decisions.iter().find_map(|decided| match decided.verdict {
                Verdict::Quarantined(reason) => Some(reason),
                _ => None,
            }));
            let each = entries.iter().zip(decisions);
            moved.extend(each.filter_map(|(entry, decided)| Released::of_moved(entry, decided)));
            if next.is_none() {
                return Ok(left);
            }
            query = query.after(next);
        }
    }

    /// Posts the entries that waited for an action, to where it is now.
    pub(crate) async fn release(&self, context: &Context, place: &ActionPlace) -> Result<Vec<Released>, ImportError> {
        let mut released = Vec::new();
        // Again where it moved on meanwhile.
        for _ in 0..MOST_ATTEMPTS {
            let Some(target) = self.present(place).await? else { return Ok(released) };
            let mut query = Pending::all(place).limit(PAGE);
            let mut all_done = true;
            loop {
                let Page { mut items, next } = self.store.query::<Pending>(&query).await?;
                // As above: payments first.
                items.sort_by_key(|pending| pending.facts.has_side_of_transfer());
                let release =
                    |pending: &Pending| Job { task: Task::Release(pending.clone(), target.clone()), line: None };
                let jobs: Vec<Job> = items.iter().map(release).collect();
                let (decisions, _) = self.run(context, &jobs, &|_| {}).await?;
                all_done &= decisions.iter().all(|decided| decided.verdict != Verdict::Pending);
                let posted = items.into_iter().zip(decisions);
                released.extend(posted.map(|(pending, decided)| Released::of_pending(pending, decided)));
                if next.is_none() {
                    break;
                }
                query = query.after(next);
            }
            if all_done {
                break;
            }
        }
        Ok(released)
    }

    /// The place of an action that something waits for: here, or where it has moved to.
    async fn present(&self, place: &ActionPlace) -> Result<Option<ActionPlace>, ImportError> {
        let mut place = place.clone();
        let mut waits = false;
        // Each account was left later than the one before, so this ends; the bound is for what it costs.
        for _ in 0..MOST_MOVES {
            let action: Option<Action> = self.store.get(&Action::key_of(&place.account, &place.action_id)).await?;
            let Some(action) = action else { return Ok(None) };
            waits |= action.waiting > 0;
            match action.moved_to {
                Some(now) if waits => place = now,
                _ => return Ok((waits && action.state.is_some()).then_some(place)),
            }
        }
        // It goes on waiting, as what names this account now is put aside.
        Ok(None)
    }
}
