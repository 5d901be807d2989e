//! What reads and writes mean, worked out on items at hand: for tables that are made outside DynamoDB.
//!
//! Whoever keeps the items gives and takes them by key; the meaning of conditions and changes is here, beside
//! the expressions that DynamoDB gets, so that one list of both is enough.

use std::cmp::Ordering;
use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;

use super::query::Range;
use super::transaction::{Act, Refused};
use super::{Batch, Change, Condition, Fetched, Item, Key, Outcome, Query, Table, Transaction};

/// What a transaction makes of an item; `None` is its end.
pub type Written = (Key, Option<Item>);

/// A range of a table's partition, in the order of its sort key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span<'a> {
    /// The table.
    pub table: Table,
    /// The partition.
    pub pk: &'a str,
    /// How its sort keys begin.
    pub prefix: &'a str,
    /// The sort key after which it starts.
    pub after: Option<&'a str>,
    /// At most so many items.
    pub limit: Option<usize>,
}

impl Query {
    /// What it asks of the table itself, oldest first; `None` where it asks anything else.
    #[must_use]
    pub fn span(&self) -> Option<Span<'_>> {
        let prefix = match &self.sort.1 {
            Range::All => "",
            Range::Beginning(prefix) => prefix,
            Range::Below(_) | Range::Between(..) => return None,
        };
        if self.index.is_some() || self.newest_first {
            return None;
        }
        let after = self.after.as_ref().and_then(|place| place.get("sk")?.as_s().ok()).map(String::as_str);
        let limit = self.limit.and_then(|limit| usize::try_from(limit).ok());
        Some(Span { table: self.table, pk: &self.partition.1, prefix, after, limit })
    }
}

impl Batch {
    /// What it asks for.
    #[must_use]
    pub fn keys(&self) -> &[Key] {
        &self.keys
    }
}

impl Fetched {
    /// What was found for a batch.
    #[must_use]
    pub fn of(items: HashMap<Key, Item>) -> Self {
        Self { items }
    }
}

impl Transaction {
    /// What it makes of the items that `read` finds, in its order. Nothing at all where a condition
    /// does not hold, as [`Outcome::refused`] says.
    ///
    /// # Errors
    /// Those of `read`.
    pub fn on<E>(&self, mut read: impl FnMut(&Key) -> Result<Option<Item>, E>) -> Result<Option<Vec<Written>>, E> {
        let mut written = Vec::with_capacity(self.steps.len());
        for write in &self.steps {
            // A put without a condition needs no look at what is there.
            let blind = write.condition.is_none() && !matches!(write.act, Act::Update(_));
            let before = if blind { None } else { read(&write.key)? };
            if write.condition.as_ref().is_some_and(|condition| !condition.holds(before.as_ref())) {
                return Ok(None);
            }
            let after = match &write.act {
                Act::Put(item) => Some(item.clone()),
                Act::Update(change) => {
                    let mut item = before.unwrap_or_else(|| write.key.attributes());
                    change.apply(&mut item);
                    Some(item)
                }
                Act::Delete => None,
                Act::Check => continue,
            };
            written.push((write.key.clone(), after));
        }
        Ok(Some(written))
    }
}

impl Outcome {
    /// That some condition did not hold, without saying which.
    pub fn refused() -> Self {
        Self::Refused(Refused { reasons: Vec::new() })
    }
}

impl Condition {
    /// Whether it holds of an item, or of none.
    fn holds(&self, item: Option<&Item>) -> bool {
        let at = |path: &str| item.and_then(|item| attribute(item, path));
        let element = |path: &str, index: usize| at(path).and_then(|list| list.as_l().ok()).and_then(|l| l.get(index));
        match self {
            Self::Exists => item.is_some(),
            Self::Absent => item.is_none(),
            Self::Without(path) => at(path).is_none(),
            Self::Is(path, value) => at(path) == Some(value),
            Self::Above(path, value) => at(path).is_some_and(|it| compare(it, value) == Some(Ordering::Greater)),
            Self::Below(path, value) => at(path).is_some_and(|it| compare(it, value) == Some(Ordering::Less)),
            Self::WithoutElement(path, index) => element(path, *index).is_none(),
            Self::ElementBelow(path, index, value) => {
                element(path, *index).is_some_and(|it| compare(it, value) == Some(Ordering::Less))
            }
            Self::All(conditions) => conditions.iter().all(|condition| condition.holds(item)),
            Self::Any(conditions) => conditions.iter().any(|condition| condition.holds(item)),
        }
    }
}

/// An attribute by its name, or by a path such as `manager.user_id`.
fn attribute<'a>(item: &'a Item, path: &str) -> Option<&'a AttributeValue> {
    let mut names = path.split('.');
    let first = item.get(names.next()?)?;
    names.try_fold(first, |value, name| value.as_m().ok()?.get(name))
}

/// Texts by their bytes, whole numbers by their value; nothing else is compared anywhere.
fn compare(one: &AttributeValue, other: &AttributeValue) -> Option<Ordering> {
    match (one, other) {
        (AttributeValue::S(one), AttributeValue::S(other)) => Some(one.cmp(other)),
        (AttributeValue::N(one), AttributeValue::N(other)) => {
            Some(one.parse::<i128>().ok()?.cmp(&other.parse::<i128>().ok()?))
        }
        _ => None,
    }
}

impl Change {
    /// Changes an item; only attributes of the item itself, as no caller changes deeper ones.
    fn apply(&self, item: &mut Item) {
        for (name, value) in &self.set {
            item.insert((*name).to_owned(), value.clone());
        }
        for (name, head) in &self.prepend {
            let mut list = head.as_l().cloned().unwrap_or_default();
            list.extend(item.get(*name).and_then(|rest| rest.as_l().ok()).into_iter().flatten().cloned());
            item.insert((*name).to_owned(), AttributeValue::L(list));
        }
        for (name, value) in &self.add {
            let number = |value: &AttributeValue| value.as_n().ok().and_then(|number| number.parse::<i64>().ok());
            let before = item.get(*name).and_then(number).unwrap_or(0);
            let sum = before.saturating_add(number(value).unwrap_or(0));
            item.insert((*name).to_owned(), AttributeValue::N(sum.to_string()));
        }
        for name in &self.remove {
            item.remove(*name);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item() -> Item {
        let inner = HashMap::from([("user_id".to_owned(), AttributeValue::S("u".to_owned()))]);
        HashMap::from([
            ("version".to_owned(), AttributeValue::N("10".to_owned())),
            ("name".to_owned(), AttributeValue::S("b".to_owned())),
            ("manager".to_owned(), AttributeValue::M(inner)),
            ("list".to_owned(), AttributeValue::L(vec![AttributeValue::N("1".to_owned())])),
        ])
    }

    #[test]
    fn a_condition_holds_of_what_it_says_and_of_nothing_else() {
        let (item, no) = (item(), None);
        let holds = |condition: Condition| (condition.holds(Some(&item)), condition.holds(no));
        assert_eq!(holds(Condition::Exists), (true, false));
        assert_eq!(holds(Condition::Absent), (false, true));
        assert_eq!(holds(Condition::Without("name")), (false, true));
        assert_eq!(holds(Condition::Without("manager.since")), (true, true));
        assert_eq!(holds(Condition::is("manager.user_id", &"u").unwrap()), (true, false));
        assert_eq!(holds(Condition::is("version", &11).unwrap()), (false, false));
        assert_eq!(holds(Condition::above("version", &9).unwrap()), (true, false));
        assert_eq!(holds(Condition::below("version", &9).unwrap()), (false, false));
        assert_eq!(holds(Condition::below("name", &"c").unwrap()), (true, false));
        assert_eq!(holds(Condition::below("name", &1).unwrap()), (false, false));
        assert_eq!(holds(Condition::WithoutElement("list", 1)), (true, true));
        assert_eq!(holds(Condition::WithoutElement("list", 0)), (false, true));
        assert_eq!(holds(Condition::ElementBelow("list", 0, AttributeValue::N("2".to_owned()))), (true, false));
        assert_eq!(holds(Condition::All(vec![Condition::Exists, Condition::Absent])), (false, false));
        assert_eq!(holds(Condition::Any(vec![Condition::Exists, Condition::Absent])), (true, true));
    }

    #[test]
    fn a_transaction_gives_what_dynamodb_would_leave_or_nothing() {
        let key = |sk: &str| Key::new(Table::Members, "p", sk);
        let change = Change::new().set("name", &"c").unwrap().add("version", 2).remove("manager");
        let change = change.prepend("list", &0).unwrap();
        let mut transaction = Transaction::new();
        transaction.update(key("a"), change, Condition::Exists);
        transaction.delete(key("b"), None);
        let read = |key: &Key| Ok::<_, ()>((key.sk == "a").then(item));
        let written = transaction.on(read).unwrap().unwrap();
        assert_eq!(written[1], (key("b"), None));
        let after = written[0].1.as_ref().unwrap();
        let number = |number: &str| AttributeValue::N(number.to_owned());
        assert_eq!((&after["version"], after.get("manager")), (&number("12"), None));
        assert_eq!(after["list"], AttributeValue::L(vec![number("0"), number("1")]));
        transaction.check(key("c"), Condition::Exists);
        assert!(transaction.on(read).unwrap().is_none());
    }

    #[test]
    fn a_query_of_an_index_or_backwards_is_no_span_of_the_table() {
        let query = Query::partition(Table::Ledger, "p").beginning("A#").limit(2);
        let after = Some(HashMap::from([("sk".to_owned(), AttributeValue::S("A#1".to_owned()))]));
        let expected = Span { table: Table::Ledger, pk: "p", prefix: "A#", after: Some("A#1"), limit: Some(2) };
        assert_eq!(query.clone().after(after).span(), Some(expected));
        assert_eq!(query.clone().newest_first().span(), None);
        assert_eq!(query.local_index("by_view").span(), None);
    }
}
