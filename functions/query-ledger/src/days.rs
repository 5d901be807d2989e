//! Entries between two days, of all views: what each view holds of them, in one order.

use std::cmp::Reverse;

use futures::future::{join, try_join, try_join_all};
use ledger_lists::EntryFilter;
use portal::domain::View;
use portal::http::{Call, Problem};
use portal::security::Visit;
use portal::store::{Booked, Entry, EntryPosition, Facets, Misposted, StoreError};
use rand::CryptoRng;

use crate::Function;
use crate::filter::Asked;
use crate::ledger::{entry_cursor, position};
use crate::list::{Listed, bound};
use crate::state::{StateBody, is_of};

impl Function {
    /// Reads a page in two waits: which views there are, and what each of them holds, all at once.
    pub(crate) async fn list_days(
        &self,
        call: &Call,
        rng: &mut impl CryptoRng,
        asked: Asked<EntryFilter>,
    ) -> Result<Listed<EntryFilter>, Problem> {
        let (visit, mut batch) = self.gate.visit(call).await?;
        let (Asked { filter, limit, .. }, after) = match self.after(&visit, asked) {
            Ok(asked) => asked,
            Err(problem) => return Err(visit.refuse(&self.store, batch, problem, call.now).await),
        };
        let mark = batch.want::<Misposted>(Misposted::key_of_any(&visit.number));
        let facets = Facets::all(&visit.number);
        let (fetched, facets) = join(self.store.fetch(batch), self.store.query_all::<Facets>(&facets)).await;
        let mut fetched = fetched?;
        let account = visit.enter(&self.store, &mut fetched, call, rng).await?.activated()?.account;
        let (mark, facets) = (fetched.take(&mark)?, facets?);
        // What each view holds is read behind the state of all.
        let stays = after.as_ref().and_then(|cursor| cursor.state);
        let present = Booked::of_all(facets.iter().map(|facets| facets.booked));
        let earlier = filter.at.filter(|at| present.at.is_some_and(|last| *at < last));
        let of_earlier = |at| Booked { at: Some(at), ..Booked::default() };
        let booked = stays.unwrap_or_else(|| earlier.map_or(present, of_earlier));
        let after = after.as_ref().map(|cursor| position(cursor).ok_or(Problem::BadCursor)).transpose()?;
        let of_views = facets.iter().map(|facets| self.first_of(&visit, filter, facets.view, after.as_ref(), limit));
        let misposted = self.store.misposted_where(&visit.number, mark);
        let (of_views, misposted) = try_join(try_join_all(of_views), misposted).await?;
        let mut rows: Vec<Entry> = of_views.into_iter().flatten().collect();
        rows.sort_by_key(|entry| Reverse(entry.position().by_day()));
        let more = rows.len() > limit;
        rows.truncate(limit);
        let next = rows.last().filter(|_| more).map(|entry| entry_cursor(entry, Some(booked)));
        let next_cursor = next.map(|cursor| cursor.seal(&self.cursor_key, &bound(&visit, &filter)));
        rows.retain(|entry| is_of(entry, booked));
        let state = StateBody::new(booked, &account).without_number(earlier.is_some());
        Ok(Listed { filter, view: None, state, facets: None, rows, misposted, next_cursor })
    }

    /// The first entries of a view behind a place, at least one more than a page has where there are so many.
    async fn first_of(
        &self,
        visit: &Visit,
        filter: EntryFilter,
        view: View,
        after: Option<&EntryPosition>,
        limit: usize,
    ) -> Result<Vec<Entry>, StoreError> {
        let (number, kind, period) = (&visit.number, filter.kind, filter.period);
        let range = match after {
            None => Entry::list(number, view, kind, period.from, period.to),
            Some(after) => Entry::list_from_position(number, view, kind, period.from, after),
        };
        // The entry at the position may be of this view: two more than a page has are one more without it.
        let (mut rows, behind): (Vec<Entry>, _) = self.store.query_first(range, limit + 1).await?;
        rows.extend(behind);
        rows.retain(|entry| after.is_none_or(|after| entry.entry_id != after.entry_id));
        Ok(rows)
    }
}
