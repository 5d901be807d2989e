//! `GET /api/accounts/{number}/remittances/{remittance_number}`, and `GET /api/accounts/{number}/remittance?number=` for
//! any number: each action and invoice that a transfer pays. Where two systems use one number, `source` says whose.

use futures::future::{join, try_join};
use jiff::civil::Date;
use portal::domain::{Cents, EntryKind, Id, Identifier, MemberNumber, Paid, Payee, RemittanceNumber, ShortText, View};
use portal::http::{Answer, Call, Problem};
use portal::security::Visit;
use portal::store::{Misposted, ReadableLine, Remittance, RemittanceLine, StoreError, Totals};
use rand::CryptoRng;
use serde::Serialize;

use crate::Function;
use crate::cursor::{Bound, Cursor};
use crate::filter::{self, Part};
use crate::part::fit;
use crate::remittances::TransferSummary;
use crate::state::{StateBody, of_entries};

#[derive(Serialize)]
struct RemittanceBody {
    #[serde(flatten)]
    state: StateBody,
    #[serde(flatten)]
    transfer: TransferSummary,
    /// Those of other systems that have the same number.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    other_transfers: Vec<TransferSummary>,
    lines: Vec<LineBody>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

#[derive(Serialize)]
struct LineBody {
    #[serde(skip_serializing_if = "Option::is_none")]
    action_id: Option<Identifier>,
    title: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    invoice_number: Option<ShortText>,
    /// Paid; less than nothing where it came back or was taken out.
    amount: Cents,
    /// Who it was paid to, or came back from.
    payee: Payee,
    view: View,
    kind: EntryKind,
    effective_date: Date,
    entry_id: Id,
    #[serde(skip_serializing_if = "Option::is_none")]
    reverses: Option<Id>,
    /// Said only where it is so: its texts are another account's.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    posted_by_mistake: bool,
}

/// The number and the source that a transfer is asked for by.
struct Wanted {
    /// Nothing where no transfer can have what was given for its number.
    number: Option<RemittanceNumber>,
    /// The system that numbers it, where it is named.
    source: Option<Identifier>,
}

/// The transfers with a number, the one that is shown first, and the lines of all.
#[derive(Default)]
struct Found {
    transfers: Vec<(Date, Remittance)>,
    lines: Vec<RemittanceLine>,
}

impl Function {
    pub(crate) async fn remittance(&self, call: &Call, rng: &mut impl CryptoRng) -> Result<Answer, Problem> {
        // What is no number is the number of nothing.
        let number = RemittanceNumber::parse(call.path("remittance_number")).ok();
        let (source, part) = match filter::of_remittance(call.query()) {
            Ok((source, part)) => (source, Ok(part)),
            Err(problem) => (None, Err(problem)),
        };
        self.numbered(Wanted { number, source }, part, call, rng).await
    }

    /// A path is decoded before it is routed: a number with `/` in it never comes as one.
    pub(crate) async fn remittance_by_number(&self, call: &Call, rng: &mut impl CryptoRng) -> Result<Answer, Problem> {
        match filter::of_numbered(call.query()) {
            Ok((number, source, part)) => {
                self.numbered(Wanted { number: Some(number), source }, Ok(part), call, rng).await
            }
            Err(problem) => {
                let (visit, batch) = self.gate.visit(call).await?;
                Err(visit.refuse(&self.store, batch, problem, call.now).await)
            }
        }
    }

    async fn numbered(
        &self,
        wanted: Wanted,
        part: Result<Part, Problem>,
        call: &Call,
        rng: &mut impl CryptoRng,
    ) -> Result<Answer, Problem> {
        let (visit, mut batch) = self.gate.visit(call).await?;
        let mark = batch.want::<Misposted>(Misposted::key_of_any(&visit.number));
        let (fetched, found) = join(self.store.fetch(batch), self.find(&visit.number, &wanted)).await;
        let mut fetched = fetched?;
        let guest = visit.admit(&self.store, &mut fetched, call.now).await;
        let (guest, mut found) = match (guest, found) {
            // As for an action: what is not there comes before what keeps the caller from what is.
            (Ok(_) | Err(Problem::CharterRequired), Ok(found)) if found.transfers.is_empty() => {
                return Err(Problem::NotFound);
            }
            (Err(problem), _) => return Err(problem),
            (Ok(guest), found) => (guest, found?),
        };
        let part = part?;
        let account = guest.open(&self.store, call, rng).await?.activated()?.account;
        for _ in 1..Totals::MOST_READS {
            if found.adds_up() {
                break;
            }
            found = self.find(&visit.number, &wanted).await?;
        }
        if !found.adds_up() {
            return Err(Problem::TryAgain { context: Totals::OVERTAKEN.to_owned() });
        }
        let misposted = self.store.misposted_where(&visit.number, fetched.take(&mark)?).await?;
        let (transfer, other_transfers, mut lines) = found.shown().ok_or(Problem::NotFound)?;
        let state = StateBody::new(of_entries(lines.iter().map(|line| line.booked_at)), &account);
        let bound = bound(&visit, &transfer);
        if let Some(text) = &part.cursor {
            let cursor = Cursor::open(text, &self.cursor_key, &bound).ok_or(Problem::BadCursor)?;
            let last = lines.iter().position(|line| line.entry_id.to_string() == cursor.id);
            lines.drain(..=last.ok_or(Problem::BadCursor)?);
        }
        let mut body = RemittanceBody { state, transfer, other_transfers, lines: Vec::new(), next_cursor: None };
        let shown = lines.iter().map(|of_transfer| line(&misposted.readable_line(of_transfer.clone())));
        let fitting = fit(shown, part.limit, Answer::room_beside(&body));
        let last = fitting.items.len().checked_sub(1).and_then(|last| lines.get(last)).filter(|_| fitting.more);
        body.next_cursor = last.map(|last| {
            let cursor = Cursor { view: last.view, date: last.facts.date, state: None, id: last.entry_id.to_string() };
            cursor.seal(&self.cursor_key, &bound)
        });
        body.lines = fitting.items;
        Answer::ok(&body)
    }

    /// Reads the transfers with a number, side by side with their lines.
    async fn find(&self, account: &MemberNumber, wanted: &Wanted) -> Result<Found, StoreError> {
        let Wanted { number: Some(number), source } = wanted else { return Ok(Found::default()) };
        let lines = RemittanceLine::all(account, number, source.as_ref());
        let transfers = self.store.remittances_of_number(account, number, source.as_ref());
        let (transfers, lines) = try_join(transfers, self.store.query_all(&lines)).await?;
        // One of which nothing is left is in no list, and so is not here either.
        let in_force = transfers.into_iter().filter_map(|transfer| Some((transfer.date()?, transfer)));
        let mut transfers: Vec<_> = in_force.collect();
        // The latest first: of a number that two systems have used it is the likelier one. They are in the order of their
        // sources, which this keeps within a day.
        transfers.sort_by_key(|(date, _)| std::cmp::Reverse(*date));
        Ok(Found { transfers, lines })
    }
}

impl Found {
    /// Tells whether each transfer is the sum of its lines. They are read beside each other, and an entry that is posted meanwhile
    /// may be in the one and not in the other.
    fn adds_up(&self) -> bool {
        self.transfers.iter().all(|(_, transfer)| {
            let lines = self.lines.iter().filter(|line| line.source == transfer.source);
            let paid: Paid = lines.clone().map(|line| Paid::to(line.payee, line.paid())).sum();
            let reversals = lines.clone().filter(|line| line.reverses.is_some()).count();
            // Each reversal takes another line out, besides itself.
            let unreversed = lines.count().checked_sub(2 * reversals);
            paid == transfer.moved().paid() && unreversed == usize::try_from(transfer.unreversed()).ok()
        })
    }

    /// The first transfer, the others, and the lines of the first.
    fn shown(self) -> Option<(TransferSummary, Vec<TransferSummary>, Vec<RemittanceLine>)> {
        let mut transfers = self.transfers.into_iter().map(summary);
        let transfer = transfers.next()?;
        let lines = self.lines.into_iter().filter(|line| line.source == transfer.source).collect();
        Some((transfer, transfers.collect(), lines))
    }
}

fn summary((date, remittance): (Date, Remittance)) -> TransferSummary {
    TransferSummary {
        date,
        bank_reference: remittance.bank_reference().map(str::to_owned),
        moved: remittance.moved().into(),
        remittance_number: remittance.number,
        source: remittance.source,
    }
}

/// The list that a cursor is good for: a transfer, whichever is answered where no source is named.
fn bound<'a>(visit: &'a Visit, transfer: &TransferSummary) -> Bound<'a> {
    let filter = format!("remittance/{}/{}", transfer.source, transfer.remittance_number.escaped());
    Bound { user: visit.session.user_id, account: &visit.number, filter }
}

fn line(line: &ReadableLine) -> LineBody {
    LineBody {
        amount: line.paid(),
        payee: line.payee,
        action_id: line.action_id().cloned(),
        title: line.title.clone(),
        invoice_number: line.facts.invoice.clone(),
        view: line.view,
        kind: line.facts.kind,
        effective_date: line.facts.date,
        entry_id: line.entry_id,
        reverses: line.reverses.map(|reversed| reversed.entry_id),
        posted_by_mistake: line.is_withheld(),
    }
}
