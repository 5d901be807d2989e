//! `GET /api/accounts/{number}/remittances/{remittance_number}`: each action and invoice that a transfer pays.

use futures::future::join;
use jiff::Timestamp;
use jiff::civil::Date;
use portal::domain::{Cents, EntryKind, Id, Identifier, View};
use portal::http::{Answer, Call, Problem};
use portal::store::{Remittance, RemittanceLine};
use rand::CryptoRng;
use serde::Serialize;

use crate::Function;

#[derive(Serialize)]
struct RemittanceBody {
    as_of: Timestamp,
    remittance_number: Identifier,
    date: Date,
    #[serde(skip_serializing_if = "Option::is_none")]
    bank_reference: Option<String>,
    amount: Cents,
    lines: Vec<LineBody>,
}

#[derive(Serialize)]
struct LineBody {
    action_id: Identifier,
    title: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    invoice_number: Option<Identifier>,
    /// Paid; less than nothing where it came back or was taken out.
    amount: Cents,
    view: View,
    kind: EntryKind,
    effective_date: Date,
    entry_id: Id,
    #[serde(skip_serializing_if = "Option::is_none")]
    reverses: Option<Id>,
}

impl Function {
    pub(crate) async fn remittance(&self, call: &Call, rng: &mut impl CryptoRng) -> Result<Answer, Problem> {
        let (visit, mut batch) = self.gate.visit(call).await?;
        // What is no number is the number of nothing.
        let number = Identifier::parse(call.path("remittance_number")).ok();
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
        let (guest, (date, remittance)) = match (guest, found) {
            // As for an action: what is not there comes before what keeps the caller from what is.
            (Ok(_) | Err(Problem::CharterRequired), None) => return Err(Problem::NotFound),
            (Err(problem), _) => return Err(problem),
            (Ok(guest), Some(found)) => (guest, found),
        };
        guest.open(&self.store, call, rng).await?.activated()?;
        Answer::ok(&RemittanceBody {
            as_of: call.now,
            date,
            bank_reference: remittance.bank_reference().map(str::to_owned),
            amount: remittance.amount(),
            remittance_number: remittance.number,
            lines: lines?.into_iter().map(line).collect(),
        })
    }
}

fn line(line: RemittanceLine) -> LineBody {
    LineBody {
        amount: line.paid(),
        action_id: line.action_id,
        title: line.title,
        invoice_number: line.facts.invoice,
        view: line.view,
        kind: line.facts.kind,
        effective_date: line.facts.date,
        entry_id: line.entry_id,
        reverses: line.reverses.map(|reversed| reversed.entry_id),
    }
}
