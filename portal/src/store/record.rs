//! Items: tables, keys, and how a record becomes an item and back.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::StoreError;
use super::attributes::of_item;

/// An item as DynamoDB gives it.
pub type Item = HashMap<String, AttributeValue>;

/// The four tables, apart for access, backup, retention and streams.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Table {
    /// Users, sessions, links, the outbox.
    Identity,
    /// Establishments, member accounts, grants, news, documents.
    Members,
    /// Entries, actions, totals.
    Ledger,
    /// Acceptances and audit events; append-only.
    Evidence,
}

impl Table {
    /// The variable that names the table.
    #[must_use]
    pub fn variable(self) -> &'static str {
        match self {
            Self::Identity => "IDENTITY_TABLE",
            Self::Members => "MEMBERS_TABLE",
            Self::Ledger => "LEDGER_TABLE",
            Self::Evidence => "EVIDENCE_TABLE",
        }
    }
}

/// Where an item is.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Key {
    /// The table.
    pub table: Table,
    /// The partition key.
    pub pk: String,
    /// The sort key.
    pub sk: String,
}

impl Key {
    /// A key.
    pub fn new(table: Table, pk: impl Into<String>, sk: impl Into<String>) -> Self {
        Self { table, pk: pk.into(), sk: sk.into() }
    }

    pub(super) fn attributes(&self) -> Item {
        HashMap::from([
            ("pk".to_owned(), AttributeValue::S(self.pk.clone())),
            ("sk".to_owned(), AttributeValue::S(self.sk.clone())),
        ])
    }
}

/// Something that is stored as one item.
pub trait Record: Serialize + DeserializeOwned {
    /// Where it is stored.
    fn key(&self) -> Key;
}

/// A record as an item, keys included.
///
/// # Errors
/// Where it cannot be written as attributes, which is a defect of its type.
pub fn to_item<R: Record>(record: &R) -> Result<Item, StoreError> {
    let mut item: Item = serde_dynamo::to_item(record)
        .map_err(|error| StoreError::inconsistent(format!("{} is no item: {error}", std::any::type_name::<R>())))?;
    // An absent option is an absent attribute: conditions ask for existence, indexes are sparse.
    item.retain(|_, value| !matches!(value, AttributeValue::Null(_)));
    item.extend(record.key().attributes());
    Ok(item)
}

/// An item as a record.
///
/// # Errors
/// Where the item is no such record.
pub fn from_item<R: Record>(item: Item) -> Result<R, StoreError> {
    R::deserialize(of_item(item))
        .map_err(|error| StoreError::inconsistent(format!("no {}: {error}", std::any::type_name::<R>())))
}

/// A value as an attribute.
pub(super) fn to_attribute<T: Serialize>(value: &T) -> Result<AttributeValue, StoreError> {
    serde_dynamo::to_attribute_value(value)
        .map_err(|error| StoreError::inconsistent(format!("{} is no attribute: {error}", std::any::type_name::<T>())))
}
