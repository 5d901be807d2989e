//! `GET /api/accounts/{number}/remittances`.

use jiff::civil::Date;
use ledger_lists::{Period, RemittanceFilter, RowFilter, Sort, SortKey};
use portal::domain::{Identifier, RemittanceNumber, View};
use portal::http::{Answer, Call, Problem};
use portal::security::Visit;
use portal::store::{Facets, Item, ListedRemittance, Query};
use rand::CryptoRng;
use serde::Serialize;

use crate::Function;
use crate::cursor::Cursor;
use crate::figures::TransferBody;
use crate::filter;
use crate::list::{List, Listed, Views};
use crate::state::StateBody;
use crate::whole::Searched;

#[derive(Serialize)]
struct PageBody {
    #[serde(flatten)]
    state: StateBody,
    #[serde(skip_serializing_if = "Option::is_none")]
    view: Option<View>,
    items: Vec<TransferSummary>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

/// A transfer as lists have it.
#[derive(Serialize)]
pub(crate) struct TransferSummary {
    pub(crate) remittance_number: RemittanceNumber,
    pub(crate) source: Identifier,
    pub(crate) date: Date,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) bank_reference: Option<String>,
    #[serde(flatten)]
    pub(crate) moved: TransferBody,
}

impl List for RemittanceFilter {
    type Row = ListedRemittance;
    const TOTALS: bool = false;
    const ENTRIES: bool = false;
    /// A transfer pays for actions of any year, and shows in each of these what it paid in all.
    const OF_ALL_VIEWS: bool = true;

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
        let (source, number) = cursor.id.split_once('#')?;
        let (source, number) = (Identifier::parse(source).ok()?, RemittanceNumber::parse(number).ok()?);
        Some(ListedRemittance::place(&visit.number, self.view, cursor.date, &source, &number))
    }

    fn view_of(row: &ListedRemittance) -> View {
        row.view
    }

    fn cursor(row: &ListedRemittance) -> Cursor {
        // `#` is in no source.
        let id = format!("{}#{}", row.source, row.number);
        Cursor { view: row.view, date: row.date, state: None, id }
    }
}

impl Searched for RemittanceFilter {
    fn reads_whole(&self) -> Option<&'static str> {
        self.search.as_ref().map(|_| "q")
    }

    fn finds(&self, row: &ListedRemittance) -> bool {
        RowFilter::finds(self, row)
    }

    fn sort(&self) -> Sort {
        Sort::default()
    }

    fn key(&self, row: &ListedRemittance) -> (SortKey, String) {
        (SortKey::Text(row.date.to_string()), format!("{}#{}", row.number, row.source))
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
        let Listed { view, state, rows, next_cursor, .. } = page;
        let item = |remittance: ListedRemittance| TransferSummary {
            remittance_number: remittance.number,
            source: remittance.source,
            date: remittance.date,
            bank_reference: remittance.bank_reference,
            moved: remittance.moved.into(),
        };
        Answer::ok(&PageBody { state, view, items: rows.into_iter().map(item).collect(), next_cursor })
    }
}
