//! `GET /api/accounts/{number}/exports`: what the caller asked for of an account, as long as it is kept.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use futures::future::join;
use jiff::Timestamp;
use portal::domain::Id;
use portal::http::{Answer, Call, Form, Problem};
use portal::security::{SealedCursor, Visit};
use portal::store::{Export, ExportFormat, ExportSize, ExportState, ExportedList};
use rand::CryptoRng;
use serde::Serialize;

use crate::Function;

const DEFAULT_LIMIT: usize = 50;

/// An export as the contract shows it.
#[derive(Serialize)]
pub(crate) struct ExportBody {
    id: Id,
    state: ExportState,
    file: ExportedList,
    format: ExportFormat,
    /// As parameters of the list.
    filter: BTreeMap<String, String>,
    requested_at: Timestamp,
    kept_until: Timestamp,
    #[serde(flatten)]
    size: Option<ExportSize>,
}

impl ExportBody {
    /// How far an export is; nothing where it is over.
    pub(crate) fn of(export: &Export, now: Timestamp) -> Option<Self> {
        Some(Self {
            id: export.export_id,
            state: export.state(now)?,
            file: export.list,
            format: export.format,
            filter: export.parameters(),
            requested_at: export.requested_at,
            kept_until: export.kept_until(),
            size: export.size,
        })
    }

    pub(crate) fn is_ready(&self) -> bool {
        self.state == ExportState::Ready
    }

    /// Its place: newest first, and of those of one instant by id.
    fn place(&self) -> Place {
        (Reverse(self.requested_at.as_millisecond()), self.id)
    }
}

type Place = (Reverse<i64>, Id);

#[derive(Serialize)]
struct PageBody {
    items: Vec<ExportBody>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

impl Function {
    pub(crate) async fn list(&self, call: &Call, rng: &mut impl CryptoRng) -> Result<Answer, Problem> {
        let (visit, batch) = self.gate.visit(call).await?;
        let (limit, after) = match self.page(&visit, call.query()) {
            Ok(page) => page,
            Err(problem) => return Err(visit.refuse(&self.store, batch, problem, call.now).await),
        };
        // Under the caller, whatever the account: what was asked for within a day is no long list.
        let all = Export::all_of(visit.session.user_id);
        let (fetched, all) = join(self.store.fetch(batch), self.store.query_all::<Export>(&all)).await;
        visit.enter(&self.store, &mut fetched?, call, rng).await?.activated()?;
        let mut all = all?;
        all.retain(|export| export.member_number == visit.number);
        let mut items: Vec<_> = all.iter().filter_map(|export| ExportBody::of(export, call.now)).collect();
        items.sort_by_key(ExportBody::place);
        items.retain(|item| after.is_none_or(|after| item.place() > after));
        let more = items.len() > limit;
        items.truncate(limit);
        let last = items.last().filter(|_| more);
        let next_cursor = last.map(|last| {
            let (Reverse(at), id) = last.place();
            SealedCursor::OfExports.seal(&format!("{at}#{id}"), &self.cursor_key, &bound(&visit))
        });
        Answer::ok(&PageBody { items, next_cursor })
    }

    fn page(&self, visit: &Visit, mut form: Form) -> Result<(usize, Option<Place>), Problem> {
        let limit = form.limit("limit");
        let cursor = form.optional("cursor", |text| Ok(text.to_owned()));
        let (limit, cursor) = form.finish((limit, cursor))?;
        let place = |text: String| {
            let said = SealedCursor::OfExports.open(&text, &self.cursor_key, &bound(visit))?;
            let (at, id) = said.split_once('#')?;
            Some((Reverse(at.parse().ok()?), Id::parse(id)?))
        };
        let after = cursor.map(|text| place(text).ok_or(Problem::BadCursor)).transpose()?;
        Ok((limit.unwrap_or(DEFAULT_LIMIT), after))
    }
}

/// What a cursor is good for.
fn bound(visit: &Visit) -> String {
    format!("{}\n{}", visit.session.user_id, visit.number)
}
