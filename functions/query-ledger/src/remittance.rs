//! `GET /api/accounts/{number}/remittances/{remittance_number}`, and `GET /api/accounts/{number}/remittance?number=` for
//! any number: each action and invoice that a transfer pays.

use futures::future::{join, try_join};
use jiff::Timestamp;
use jiff::civil::Date;
use portal::domain::{Cents, EntryKind, Id, Identifier, MemberNumber, Paid, Payee, RemittanceNumber, ShortText, View};
use portal::http::{Answer, Call, Problem};
use portal::security::Visit;
use portal::store::{Batch, Misposted, ReadableLine, Remittance, RemittanceLine, Totals};
use rand::CryptoRng;
use serde::Serialize;

use crate::Function;
use crate::cursor::{Bound, Cursor};
use crate::figures::TransferBody;
use crate::filter::{self, Part};
use crate::part::fit;

#[derive(Serialize)]
struct RemittanceBody {
    as_of: Timestamp,
    remittance_number: RemittanceNumber,
    date: Date,
    #[serde(skip_serializing_if = "Option::is_none")]
    bank_reference: Option<String>,
    #[serde(flatten)]
    moved: TransferBody,
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

impl Function {
    pub(crate) async fn remittance(&self, call: &Call, rng: &mut impl CryptoRng) -> Result<Answer, Problem> {
        // What is no number is the number of nothing.
        let number = RemittanceNumber::parse(call.path("remittance_number")).ok();
        self.numbered(number, filter::of_remittance(call.query()), call, rng).await
    }

    /// A path is decoded before it is routed: a number with `/` in it never comes as one.
    pub(crate) async fn remittance_by_number(&self, call: &Call, rng: &mut impl CryptoRng) -> Result<Answer, Problem> {
        match filter::of_numbered(call.query()) {
            Ok((number, part)) => self.numbered(Some(number), Ok(part), call, rng).await,
            Err(problem) => {
                let (visit, batch) = self.gate.visit(call).await?;
                Err(visit.refuse(&self.store, batch, problem, call.now).await)
            }
        }
    }

    async fn numbered(
        &self,
        number: Option<RemittanceNumber>,
        part: Result<Part, Problem>,
        call: &Call,
        rng: &mut impl CryptoRng,
    ) -> Result<Answer, Problem> {
        let (visit, mut batch) = self.gate.visit(call).await?;
        let mark = batch.want::<Misposted>(Misposted::key_of_any(&visit.number));
        let wanted = number.as_ref().map(|number| batch.want(Remittance::key_of(&visit.number, number)));
        let lines = async {
            match &number {
                Some(number) => self.store.query_all::<RemittanceLine>(&Remittance::lines(&visit.number, number)).await,
                None => Ok(Vec::new()),
            }
        };
        let (fetched, lines) = join(self.store.fetch(batch), lines).await;
        let mut fetched = fetched?;
        let guest = visit.admit(&self.store, &mut fetched, call.now).await;
        let found = match wanted {
            Some(wanted) => fetched.take::<Remittance>(&wanted)?,
            None => None,
        };
        // A transfer of which nothing is left is in no list, and so is not here either.
        let found = found.and_then(|remittance| Some((remittance.date()?, remittance)));
        let (guest, mut found) = match (guest, found) {
            // As for an action: what is not there comes before what keeps the caller from what is.
            (Ok(_) | Err(Problem::CharterRequired), None) => return Err(Problem::NotFound),
            (Err(problem), _) => return Err(problem),
            (Ok(guest), Some(found)) => (guest, found),
        };
        let part = part?;
        guest.open(&self.store, call, rng).await?.activated()?;
        let mut lines = lines?;
        for _ in 1..Totals::MOST_READS {
            if adds_up(&found.1, &lines) {
                break;
            }
            (found, lines) = self.transfer(&visit.number, &found.1.number).await?;
        }
        if !adds_up(&found.1, &lines) {
            return Err(Problem::TryAgain { context: Totals::OVERTAKEN.to_owned() });
        }
        let misposted = self.store.misposted_where(&visit.number, fetched.take(&mark)?).await?;
        let (date, remittance) = found;
        let bound = bound(&visit, &remittance.number);
        if let Some(text) = &part.cursor {
            let cursor = Cursor::open(text, &self.cursor_key, &bound).ok_or(Problem::BadCursor)?;
            let last = lines.iter().position(|line| line.entry_id.to_string() == cursor.id);
            lines.drain(..=last.ok_or(Problem::BadCursor)?);
        }
        let mut body = RemittanceBody {
            as_of: call.now,
            date,
            bank_reference: remittance.bank_reference().map(str::to_owned),
            moved: remittance.moved().into(),
            remittance_number: remittance.number,
            lines: Vec::new(),
            next_cursor: None,
        };
        let shown = lines.iter().map(|of_transfer| line(&misposted.readable_line(of_transfer.clone())));
        let fitting = fit(shown, part.limit, Answer::room_beside(&body));
        let last = fitting.items.len().checked_sub(1).and_then(|last| lines.get(last)).filter(|_| fitting.more);
        body.next_cursor = last.map(|last| {
            let cursor = Cursor { view: last.view, date: last.facts.date, id: last.entry_id.to_string() };
            cursor.seal(&self.cursor_key, &bound)
        });
        body.lines = fitting.items;
        Answer::ok(&body)
    }

    /// A transfer and its lines, read once more.
    async fn transfer(
        &self,
        account: &MemberNumber,
        number: &RemittanceNumber,
    ) -> Result<((Date, Remittance), Vec<RemittanceLine>), Problem> {
        let mut batch = Batch::new();
        let wanted = batch.want::<Remittance>(Remittance::key_of(account, number));
        let lines = Remittance::lines(account, number);
        let (mut fetched, lines) = try_join(self.store.fetch(batch), self.store.query_all(&lines)).await?;
        let found = fetched.take(&wanted)?.and_then(|remittance| Some((remittance.date()?, remittance)));
        Ok((found.ok_or(Problem::NotFound)?, lines))
    }
}

/// Whether a transfer is the sum of its lines. They are read beside each other, and an entry that is posted meanwhile may
/// be in the one and not in the other.
fn adds_up(remittance: &Remittance, lines: &[RemittanceLine]) -> bool {
    let paid: Paid = lines.iter().map(|line| Paid::to(line.payee, line.paid())).sum();
    let reversals = lines.iter().filter(|line| line.reverses.is_some()).count();
    // Each reversal takes another line out, besides itself.
    let unreversed = lines.len().checked_sub(2 * reversals);
    paid == remittance.moved().paid() && unreversed == usize::try_from(remittance.unreversed()).ok()
}

/// What a cursor is good for.
fn bound<'a>(visit: &'a Visit, number: &RemittanceNumber) -> Bound<'a> {
    let filter = format!("remittance/{}", number.escaped());
    Bound { user: visit.ticket.claims.sub, account: &visit.number, filter }
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
