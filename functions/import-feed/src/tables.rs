//! Where members and ledger are kept: DynamoDB, or tables that are made to be loaded into it.

use std::future::Future;

use portal::environment::rng;
use portal::store::{
    Batch, Condition, Fetched, Item, Key, Outcome, Page, Query, Record, Store, StoreError, Transaction, from_item,
};

/// The members and the ledger table. A read finds what was committed before it.
pub trait Tables: Send + Sync {
    /// Brings all records of a batch.
    fn fetch(&self, batch: Batch) -> impl Future<Output = Result<Fetched, StoreError>> + Send;

    /// One page of a list.
    fn query_items(&self, query: &Query) -> impl Future<Output = Result<Page<Item>, StoreError>> + Send;

    /// Writes all of a transaction, or nothing where a condition does not hold.
    fn commit(&self, transaction: &Transaction) -> impl Future<Output = Result<Outcome, StoreError>> + Send;

    /// Writes one record where a condition holds of what is there; `false` where it does not. A repeat after a lost answer
    /// may find its own work done and answer `false`.
    fn put_if<R: Record + Sync>(
        &self,
        record: &R,
        condition: Condition,
    ) -> impl Future<Output = Result<bool, StoreError>> + Send {
        async move {
            let mut transaction = Transaction::new();
            transaction.put(record, Some(condition))?;
            Ok(matches!(self.commit(&transaction).await?, Outcome::Committed))
        }
    }

    /// One record by its key.
    fn get<R: Record>(&self, key: &Key) -> impl Future<Output = Result<Option<R>, StoreError>> + Send {
        async move {
            let mut batch = Batch::new();
            let wanted = batch.want::<R>(key.clone());
            self.fetch(batch).await?.take(&wanted)
        }
    }

    /// One page of records of one kind.
    fn query<R: Record + Send>(&self, query: &Query) -> impl Future<Output = Result<Page<R>, StoreError>> + Send {
        async move {
            let Page { items, next } = self.query_items(query).await?;
            Ok(Page { items: items.into_iter().map(from_item).collect::<Result<_, _>>()?, next })
        }
    }

    /// All of a list that is known to be short.
    fn query_all<R: Record + Send>(&self, query: &Query) -> impl Future<Output = Result<Vec<R>, StoreError>> + Send {
        async move {
            let mut query = query.clone();
            let mut all = Vec::new();
            loop {
                let Page { mut items, next } = self.query(&query).await?;
                all.append(&mut items);
                if next.is_none() {
                    return Ok(all);
                }
                query = query.after(next);
            }
        }
    }
}

impl Tables for Store {
    async fn fetch(&self, batch: Batch) -> Result<Fetched, StoreError> {
        Store::fetch(self, batch).await
    }

    async fn query_items(&self, query: &Query) -> Result<Page<Item>, StoreError> {
        Store::query_items(self, query).await
    }

    async fn commit(&self, transaction: &Transaction) -> Result<Outcome, StoreError> {
        Store::commit(self, transaction, &mut rng()).await
    }

    async fn put_if<R: Record + Sync>(&self, record: &R, condition: Condition) -> Result<bool, StoreError> {
        Store::put_if(self, record, &condition).await
    }

    async fn get<R: Record>(&self, key: &Key) -> Result<Option<R>, StoreError> {
        Store::get(self, key).await
    }
}
