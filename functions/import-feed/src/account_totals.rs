//! Brings the totals of an account in brief into step with those of its views.

use portal::domain::MemberNumber;
use portal::store::{AccountTotals, Condition, Item, Page, StoreError, Totals, from_item};

use crate::ImportError;
use crate::post::Poster;
use crate::tables::Tables;

/// How often another writer may come between reading and writing. Each such time one of them came through.
const MOST_ATTEMPTS: usize = 20;

/// What is stored of an account: the totals in brief, where they were ever written, and those of each view.
struct Known {
    brief: Option<AccountTotals>,
    views: Vec<Totals>,
}

impl<T: Tables> Poster<T> {
    /// Writes the totals of an account in brief, where they are not what those of its views say: after whatever else was
    /// committed, so that of two writers the last one to commit has the last word. What posts the same again, because the
    /// attempt before was cut off, comes here again too.
    ///
    /// # Errors
    /// Where the store fails for longer than trying again helps.
    pub(crate) async fn sum_up(&self, account: &MemberNumber) -> Result<(), ImportError> {
        for _ in 0..MOST_ATTEMPTS {
            let Known { brief, views } = self.known(account).await?;
            if views.is_empty() {
                return Ok(());
            }
            let version = brief.as_ref().map_or(0, |brief| brief.version);
            let now = AccountTotals { version, ..AccountTotals::of(account.clone(), &views) };
            if brief.is_some_and(|brief| brief == now) {
                return Ok(());
            }
            let condition = if version == 0 { Condition::Absent } else { Condition::is("version", &version)? };
            if self.store.put_if(&AccountTotals { version: version + 1, ..now }, condition).await? {
                return Ok(());
            }
        }
        Err(ImportError::Store(StoreError::Contention))
    }

    /// Reads an account until the totals of its views are of one state. Where they never are, somebody posts to it all the
    /// time and will come here, or they drift, which is for `reconcile` to tell: then what was read last.
    async fn known(&self, account: &MemberNumber) -> Result<Known, ImportError> {
        let mut known = self.known_once(account).await?;
        for _ in 1..Totals::MOST_READS {
            if Totals::are_of_one_state(&known.views) {
                break;
            }
            known = self.known_once(account).await?;
        }
        Ok(known)
    }

    async fn known_once(&self, account: &MemberNumber) -> Result<Known, ImportError> {
        let brief = AccountTotals::key_of(account);
        let is_brief = |item: &Item| item.get("sk").and_then(|sk| sk.as_s().ok()) == Some(&brief.sk);
        let mut known = Known { brief: None, views: Vec::new() };
        let mut query = AccountTotals::with_totals(account);
        loop {
            let Page { items, next } = self.store.query_items(&query).await?;
            for item in items {
                if is_brief(&item) {
                    known.brief = Some(from_item(item)?);
                } else {
                    known.views.push(from_item(item)?);
                }
            }
            if next.is_none() {
                return Ok(known);
            }
            query = query.after(next);
        }
    }
}
