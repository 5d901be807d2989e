//! Lists: a range of one partition, or of an index.

use aws_sdk_dynamodb::types::AttributeValue;

use super::change::Expression;
use super::record::from_item;
use super::{Item, Record, Store, StoreError, Table};

/// A range of a partition, in the order of its sort key.
///
/// There is no filter expression: what is read is what is returned.
#[derive(Debug, Clone)]
pub struct Query {
    pub(super) table: Table,
    pub(super) index: Option<&'static str>,
    pub(super) partition: (&'static str, String),
    pub(super) sort: (&'static str, Range),
    pub(super) newest_first: bool,
    pub(super) limit: Option<i32>,
    pub(super) after: Option<Item>,
}

/// Which sort keys.
#[derive(Debug, Clone)]
pub(super) enum Range {
    All,
    Beginning(String),
    Below(i64),
    Between(String, String),
}

/// One page of a list.
#[derive(Debug)]
pub struct Page<R> {
    /// The records.
    pub items: Vec<R>,
    /// Where the next page starts, where there is more.
    pub next: Option<Item>,
}

impl Query {
    /// A whole partition.
    pub fn partition(table: Table, pk: impl Into<String>) -> Self {
        Self {
            table,
            index: None,
            partition: ("pk", pk.into()),
            sort: ("sk", Range::All),
            newest_first: false,
            limit: None,
            after: None,
        }
    }

    /// A partition of a local index, whose sort key is the attribute of the same name.
    #[must_use]
    pub fn local_index(mut self, index: &'static str) -> Self {
        self.index = Some(index);
        self.sort.0 = index;
        self
    }

    /// A partition of a global index, whose partition key is the attribute of the same name, sorted by
    /// the attribute `sort`.
    #[must_use]
    pub fn global_index(mut self, index: &'static str, sort: &'static str) -> Self {
        self.index = Some(index);
        self.partition.0 = index;
        self.sort.0 = sort;
        self
    }

    /// Only sort keys, which are numbers, below this one.
    #[must_use]
    pub fn below(mut self, number: i64) -> Self {
        self.sort.1 = Range::Below(number);
        self
    }

    /// Only sort keys that begin like this.
    #[must_use]
    pub fn beginning(mut self, prefix: impl Into<String>) -> Self {
        self.sort.1 = Range::Beginning(prefix.into());
        self
    }

    /// Only sort keys from one to another, both included.
    #[must_use]
    pub fn between(mut self, from: impl Into<String>, to: impl Into<String>) -> Self {
        self.sort.1 = Range::Between(from.into(), to.into());
        self
    }

    /// In descending order.
    #[must_use]
    pub fn newest_first(mut self) -> Self {
        self.newest_first = true;
        self
    }

    /// At most so many.
    #[must_use]
    pub fn limit(mut self, limit: i32) -> Self {
        self.limit = Some(limit);
        self
    }

    /// From where an earlier page ended.
    #[must_use]
    pub fn after(mut self, place: Option<Item>) -> Self {
        self.after = place;
        self
    }

    /// What is left of the range behind the place where it goes on. DynamoDB goes there in one step whatever the
    /// range; the embedded engine reads from the end of the range to the place, which takes longer with each
    /// page.
    fn rest(&self) -> Range {
        let place = self.after.as_ref().and_then(|place| place.get(self.sort.0)?.as_s().ok());
        let Some(place) = place.cloned() else { return self.sort.1.clone() };
        match (self.sort.1.clone(), self.newest_first) {
            (Range::Beginning(from) | Range::Between(from, _), true) => Range::Between(from, place),
            (Range::Between(_, to), false) => Range::Between(place, to),
            // Behind all keys that begin like this: none has the last of all characters.
            (Range::Beginning(prefix), false) => Range::Between(place, format!("{prefix}{}", char::MAX)),
            (range @ (Range::All | Range::Below(_)), _) => range,
        }
    }
}

impl Store {
    /// One page: up to the limit, or up to the megabyte that DynamoDB reads at once.
    ///
    /// # Errors
    /// Where the store fails.
    pub async fn query<R: Record>(&self, query: &Query) -> Result<Page<R>, StoreError> {
        let Page { items, next } = self.query_items(query).await?;
        Ok(Page { items: items.into_iter().map(from_item).collect::<Result<_, _>>()?, next })
    }

    /// All of a list whose first page is here; `None` where it has more than `most` records.
    ///
    /// # Errors
    /// Where the store fails.
    pub async fn query_rest<R: Record>(
        &self,
        query: Query,
        first: Page<R>,
        most: usize,
    ) -> Result<Option<Vec<R>>, StoreError> {
        let Page { mut items, mut next } = first;
        while items.len() <= most {
            if next.is_none() {
                return Ok(Some(items));
            }
            let page = self.query::<R>(&query.clone().after(next)).await?;
            items.extend(page.items);
            next = page.next;
        }
        Ok(None)
    }

    /// The first records of a list, `most` of them at most, and the one behind them if there is one.
    ///
    /// # Errors
    /// Where the store fails.
    pub async fn query_first<R: Record>(
        &self,
        mut query: Query,
        most: usize,
    ) -> Result<(Vec<R>, Option<R>), StoreError> {
        let mut first = Vec::new();
        loop {
            let left = i32::try_from(most + 1 - first.len()).unwrap_or(i32::MAX);
            let page = self.query(&query.clone().limit(left)).await?;
            first.extend(page.items);
            if page.next.is_none() || first.len() > most {
                let behind = (first.len() > most).then(|| first.pop()).flatten();
                return Ok((first, behind));
            }
            query.after = page.next;
        }
    }

    /// All of a list that is known to be short.
    ///
    /// # Errors
    /// Where the store fails.
    pub async fn query_all<R: Record>(&self, query: &Query) -> Result<Vec<R>, StoreError> {
        self.query_all_items(query).await?.into_iter().map(from_item).collect()
    }

    /// All items of a list that is known to be short, whatever their kinds.
    ///
    /// # Errors
    /// Where the store fails.
    pub async fn query_all_items(&self, query: &Query) -> Result<Vec<Item>, StoreError> {
        let mut all = Vec::new();
        self.each_item(query.clone(), |item| all.push(item)).await?;
        Ok(all)
    }

    /// Hands over the items of a list, page by page, so that no more than a page of them is held here.
    ///
    /// # Errors
    /// Where the store fails.
    pub async fn each_item(&self, mut query: Query, mut each: impl FnMut(Item)) -> Result<(), StoreError> {
        loop {
            let Page { items, next } = self.query_items(&query).await?;
            items.into_iter().for_each(&mut each);
            if next.is_none() {
                return Ok(());
            }
            query.after = next;
        }
    }

    /// One page of items, whatever their kinds.
    ///
    /// # Errors
    /// Where the store fails.
    pub async fn query_items(&self, query: &Query) -> Result<Page<Item>, StoreError> {
        let mut expression = Expression::default();
        let mut condition = expression.name(query.partition.0);
        condition += &format!(" = {}", expression.value(&AttributeValue::S(query.partition.1.clone())));
        match query.rest() {
            Range::All => {}
            Range::Beginning(prefix) => {
                let (sk, prefix) = (expression.name(query.sort.0), expression.value(&AttributeValue::S(prefix)));
                condition += &format!(" AND begins_with({sk}, {prefix})");
            }
            Range::Below(number) => {
                let (sk, number) =
                    (expression.name(query.sort.0), expression.value(&AttributeValue::N(number.to_string())));
                condition += &format!(" AND {sk} < {number}");
            }
            Range::Between(from, to) => {
                let sk = expression.name(query.sort.0);
                let [from, to] = [from, to].map(|key| expression.value(&AttributeValue::S(key)));
                condition += &format!(" AND {sk} BETWEEN {from} AND {to}");
            }
        }
        // Only a global index cannot be read consistently.
        let consistent = query.partition.0 == "pk";
        let request = self.client().query().table_name(self.name(query.table)?);
        let output = request
            .set_index_name(query.index.map(str::to_owned))
            .key_condition_expression(condition)
            .set_expression_attribute_names(expression.names())
            .set_expression_attribute_values(expression.values())
            .scan_index_forward(!query.newest_first)
            .consistent_read(consistent)
            .set_limit(query.limit)
            .set_exclusive_start_key(query.after.clone())
            .send()
            .await
            .map_err(|error| StoreError::from_sdk("Query", &error))?;
        Ok(Page { items: output.items.unwrap_or_default(), next: output.last_evaluated_key })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn left_of(query: &Query, sort: &str) -> Range {
        let place = Item::from([("sk".to_owned(), AttributeValue::S(sort.to_owned()))]);
        query.clone().after(Some(place)).rest()
    }

    #[test]
    fn what_is_left_begins_at_the_place_and_ends_where_the_range_does() {
        let partition = Query::partition(Table::Ledger, "p");
        let cases = [
            (partition.clone().beginning("A#").newest_first(), ("A#", "A#5")),
            (partition.clone().between("A#1", "A#9").newest_first(), ("A#1", "A#5")),
            (partition.clone().between("A#1", "A#9"), ("A#5", "A#9")),
            (partition.clone().beginning("A#"), ("A#5", "A#\u{10ffff}")),
        ];
        for (query, (from, to)) in cases {
            let Range::Between(left_from, left_to) = left_of(&query, "A#5") else { panic!("{query:?} has no ends") };
            assert_eq!((left_from.as_str(), left_to.as_str()), (from, to));
        }
        assert!(matches!(left_of(&partition, "A#5"), Range::All));
        assert!(matches!(partition.beginning("A#").rest(), Range::Beginning(_)));
    }
}
