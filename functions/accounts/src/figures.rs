//! The figures of accounts in the list: of each one small item, read beside what says whether its ledger is open.

use std::collections::HashMap;

use jiff::Timestamp;
use jiff::civil::Date;
use portal::domain::{MemberNumber, View, fund_day};
use portal::http::TotalsBody;
use portal::store::{Account, AccountTotals, Batch, Booked, Store, StoreError, ViewTotals};
use serde::Serialize;

/// What the list shows of the ledger of an account.
#[derive(Debug, Clone)]
pub(crate) struct Figures {
    /// What was booked to the account.
    pub(crate) booked: Booked,
    /// Of the view that is asked for, or of all.
    pub(crate) totals: ViewTotals,
    views: Vec<View>,
    account_booked_at: Timestamp,
}

#[derive(Debug, Serialize)]
pub(crate) struct FiguresBody {
    as_of: Timestamp,
    postings: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_movement_on: Option<Date>,
    views: Vec<View>,
    totals: TotalsBody,
}

impl Figures {
    /// Reads those of each of these accounts whose manager said OUI, as the account itself has it: what a grant has of that
    /// is a copy. Where nothing was ever posted they are nothing.
    pub(crate) async fn read(
        store: &Store,
        numbers: impl IntoIterator<Item = MemberNumber>,
        view: Option<View>,
    ) -> Result<HashMap<MemberNumber, Self>, StoreError> {
        let mut batch = Batch::new();
        let wanted: Vec<_> = numbers
            .into_iter()
            .map(|number| {
                let account = batch.want::<Account>(Account::key_of(&number));
                let totals = batch.want::<AccountTotals>(AccountTotals::key_of(&number));
                (number, account, totals)
            })
            .collect();
        let mut fetched = store.fetch(batch).await?;
        let mut figures = HashMap::with_capacity(wanted.len());
        for (number, account, totals) in wanted {
            let (account, totals) = (fetched.take(&account)?, fetched.take(&totals)?);
            let Some(account) = account.filter(|account| account.active) else { continue };
            let totals = totals.unwrap_or_else(|| AccountTotals::of(number.clone(), &[]));
            let of_account = Self {
                booked: totals.booked,
                totals: totals.figures(view),
                views: totals.views.into_keys().collect(),
                account_booked_at: account.booked_at,
            };
            figures.insert(number, of_account);
        }
        Ok(figures)
    }
}

impl From<Figures> for FiguresBody {
    fn from(figures: Figures) -> Self {
        let Figures { booked, totals, views, account_booked_at } = figures;
        Self {
            as_of: booked.at.unwrap_or(account_booked_at),
            postings: booked.postings,
            last_movement_on: booked.at.map(fund_day),
            views,
            totals: TotalsBody::new(totals.of_actions, totals.contributed),
        }
    }
}
