//! `GET /api/accounts/{number}/remittances`.

use jiff::Timestamp;
use jiff::civil::Date;
use portal::domain::{RemittanceNumber, View};
use portal::http::{Answer, Call, Problem};
use portal::security::Visit;
use portal::store::{Facets, Item, ListedRemittance, Query};
use rand::CryptoRng;
use serde::Serialize;

use crate::Function;
use crate::cursor::Cursor;
use crate::figures::TransferBody;
use crate::filter::{self, Period, Remittances};
use crate::list::{List, Listed, Views};
use crate::search::RemittanceSearch;
use crate::sort::{Sort, SortKey};
use crate::whole::Searched;

#[derive(Serialize)]
struct PageBody {
    as_of: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    view: Option<View>,
    items: Vec<ItemBody>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

#[derive(Serialize)]
struct ItemBody {
    remittance_number: RemittanceNumber,
    date: Date,
    #[serde(skip_serializing_if = "Option::is_none")]
    bank_reference: Option<String>,
    #[serde(flatten)]
    moved: TransferBody,
}

impl List for Remittances {
    type Row = ListedRemittance;
    const TOTALS: bool = false;
    const ENTRIES: bool = false;

    /// Without a view all transfers, each once: a bank's statement knows no year of engagement.
    fn views(&self) -> Option<Views> {
        Some(self.view.map_or(Views::All, Views::One))
    }

    fn as_text(&self) -> String {
        Self::as_text(self)
    }

    fn range(&self, visit: &Visit, views: Views) -> Query {
        let view = if let Views::One(view) = views { Some(view) } else { None };
        let Period { from, to } = self.period;
        ListedRemittance::list(&visit.number, view, from, to)
    }

    fn place(&self, visit: &Visit, cursor: &Cursor) -> Option<Item> {
        let number = RemittanceNumber::parse(&cursor.id).ok()?;
        Some(ListedRemittance::place(&visit.number, self.view, cursor.date, &number))
    }

    fn view_of(row: &ListedRemittance) -> View {
        row.view
    }

    fn cursor(row: &ListedRemittance) -> Cursor {
        Cursor { view: row.view, date: row.date, id: row.number.to_string() }
    }
}

impl Searched for Remittances {
    fn reads_whole(&self) -> Option<&'static str> {
        self.search.as_ref().map(|_| "q")
    }

    fn finds(&self, row: &ListedRemittance) -> bool {
        self.search.as_ref().is_none_or(|search: &RemittanceSearch| search.finds(row))
    }

    fn sort(&self) -> Sort {
        Sort::default()
    }

    fn key(&self, row: &ListedRemittance) -> (SortKey, String) {
        (SortKey::Text(row.date.to_string()), row.number.to_string())
    }

    fn adds_up(&self, _: &[ListedRemittance], _: Option<&Facets>) -> bool {
        true
    }

    fn facets_of(_: &[ListedRemittance]) -> Option<Facets> {
        None
    }
}

impl Function {
    pub(crate) async fn remittances(&self, call: &Call, rng: &mut impl CryptoRng) -> Result<Answer, Problem> {
        let page = self.searched_list(call, rng, filter::of_remittances).await?;
        let Listed { view, rows, next_cursor, .. } = page;
        let item = |remittance: ListedRemittance| ItemBody {
            remittance_number: remittance.number,
            date: remittance.date,
            bank_reference: remittance.bank_reference,
            moved: remittance.moved.into(),
        };
        Answer::ok(&PageBody { as_of: call.now, view, items: rows.into_iter().map(item).collect(), next_cursor })
    }
}
