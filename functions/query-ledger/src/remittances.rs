//! `GET /api/accounts/{number}/remittances`.

use jiff::Timestamp;
use jiff::civil::Date;
use portal::domain::{Cents, Identifier, View};
use portal::http::{Answer, Call, Problem};
use portal::security::Visit;
use portal::store::{Item, ListedRemittance, Query};
use rand::CryptoRng;
use serde::Serialize;

use crate::Function;
use crate::cursor::Cursor;
use crate::filter::{self, Remittances};
use crate::list::{List, Listed};

#[derive(Serialize)]
struct PageBody {
    as_of: Timestamp,
    view: View,
    items: Vec<ItemBody>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

#[derive(Serialize)]
struct ItemBody {
    remittance_number: Identifier,
    date: Date,
    #[serde(skip_serializing_if = "Option::is_none")]
    bank_reference: Option<String>,
    amount: Cents,
}

impl List for Remittances {
    type Row = ListedRemittance;
    const TOTALS: bool = false;

    fn view(self) -> Option<View> {
        self.0
    }

    fn as_text(self) -> String {
        Self::as_text(self)
    }

    fn of_view(self, visit: &Visit, view: View) -> Query {
        ListedRemittance::list(&visit.number, Some(view))
    }

    fn of_all_views(self, visit: &Visit) -> Option<Query> {
        Some(ListedRemittance::list(&visit.number, None))
    }

    fn place(self, visit: &Visit, cursor: &Cursor) -> Option<Item> {
        Some(ListedRemittance::place(&visit.number, cursor.view, cursor.date, &cursor.id))
    }

    fn view_of(row: &ListedRemittance) -> View {
        row.view
    }

    fn cursor(row: &ListedRemittance) -> Cursor {
        Cursor { view: row.view, date: row.date, id: row.number.clone(), action_id: None }
    }
}

impl Function {
    pub(crate) async fn remittances(&self, call: &Call, rng: &mut impl CryptoRng) -> Result<Answer, Problem> {
        let page = self.list(call, rng, |form| filter::of_view(form, Remittances)).await?;
        let Listed { view, rows, next_cursor, .. } = page;
        let item = |remittance: ListedRemittance| ItemBody {
            remittance_number: remittance.number,
            date: remittance.date,
            bank_reference: remittance.bank_reference,
            amount: remittance.amount,
        };
        Answer::ok(&PageBody { as_of: call.now, view, items: rows.into_iter().map(item).collect(), next_cursor })
    }
}
