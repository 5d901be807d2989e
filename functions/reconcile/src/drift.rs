//! Where what is stored is not what the entries say: item, field, both values.

use std::collections::BTreeMap;
use std::fmt::{self, Display};

use aws_sdk_dynamodb::types::AttributeValue;
use portal::domain::MemberNumber;
use portal::store::Item;
use serde::Serialize;

use crate::sums::{MEASURES, OF_MONTH, TRANSFERRED};

/// How many drifts of one account are kept; all are counted.
const MOST_KEPT: usize = 100;

/// A field that is not what the entries add up to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Drift {
    /// Whose ledger.
    pub account: MemberNumber,
    /// The item's sort key.
    pub item: String,
    /// The field in it; `item` where the whole item should be there, or should not.
    pub field: String,
    /// What is stored; nothing where it is not there.
    pub stored: Option<String>,
    /// What it must be; nothing where it must not be there.
    pub computed: Option<String>,
}

impl Display for Drift {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { account, item, field, stored, computed } = self;
        let or_nothing = |value: &Option<String>| value.clone().unwrap_or_else(|| "nothing".to_owned());
        let (stored, computed) = (or_nothing(stored), or_nothing(computed));
        write!(formatter, "{account} {item} {field}: stored {stored}, computed {computed}")
    }
}

/// An item's fields with what they hold, as text: `sums.paid_to_company`, `days.2012-02-10`.
#[derive(Debug, Clone, Default)]
pub(crate) struct Fields(BTreeMap<String, String>);

impl Fields {
    /// What an item holds of some attributes, each with all that is in it.
    pub(crate) fn stored(item: &Item, attributes: &[&str]) -> Self {
        let mut fields = Self::default();
        for name in attributes {
            if let Some(value) = item.get(*name) {
                fields.flatten((*name).to_owned(), value);
            }
        }
        fields
    }

    fn flatten(&mut self, path: String, value: &AttributeValue) {
        match value {
            AttributeValue::S(text) | AttributeValue::N(text) => self.put(path, text),
            AttributeValue::Bool(truth) => self.put(path, truth),
            AttributeValue::L(list) => {
                let names = columns(&path);
                for (place, value) in list.iter().enumerate() {
                    let name = names.get(place).map_or_else(|| place.to_string(), |name| (*name).to_owned());
                    self.flatten(format!("{path}.{name}"), value);
                }
                // A row is stored without the zeros at its end.
                for name in names.iter().skip(list.len()) {
                    self.put(format!("{path}.{name}"), 0);
                }
            }
            AttributeValue::M(map) => {
                for (name, value) in map {
                    self.flatten(format!("{path}.{name}"), value);
                }
            }
            AttributeValue::Null(_) => {}
            _ => self.put(path, "of a type that the ledger has none of"),
        }
    }

    /// What a field must hold.
    pub(crate) fn put(&mut self, field: impl Into<String>, value: impl Display) {
        self.0.insert(field.into(), value.to_string());
    }

    /// What a field must hold, where it must be there.
    pub(crate) fn put_some(&mut self, field: impl Into<String>, value: Option<impl Display>) {
        if let Some(value) = value {
            self.put(field, value);
        }
    }
}

/// The names of a row's numbers: totals and facets are rows to be small.
fn columns(path: &str) -> Vec<&'static str> {
    let names: &[&[&str]] = match path.split('.').collect::<Vec<_>>()[..] {
        ["sums"] => &[&MEASURES[..4], &["contributed"], &MEASURES[4..]],
        ["schemes", _] => &[&MEASURES],
        ["months", _] => &[&OF_MONTH],
        ["sums", _] => &[&["actions"], &MEASURES],
        [.., "moved"] => &[&TRANSFERRED],
        [.., "paid"] => &[&["to_company", "to_providers"]],
        _ => &[],
    };
    names.concat()
}

/// What was found in an account.
#[derive(Debug)]
pub(crate) struct Found {
    account: MemberNumber,
    /// The first of them.
    pub(crate) kept: Vec<Drift>,
    /// How many there are.
    pub(crate) count: u64,
}

impl Found {
    pub(crate) fn nothing(account: MemberNumber) -> Self {
        Self { account, kept: Vec::new(), count: 0 }
    }

    pub(crate) fn add(&mut self, item: &str, field: &str, stored: Option<String>, computed: Option<String>) {
        self.count += 1;
        if self.kept.len() < MOST_KEPT {
            let (account, item, field) = (self.account.clone(), item.to_owned(), field.to_owned());
            self.kept.push(Drift { account, item, field, stored, computed });
        }
    }

    /// Holds an item's fields against what they must be.
    pub(crate) fn compare(&mut self, item: &str, stored: &Fields, computed: &Fields) {
        for (field, value) in &stored.0 {
            match computed.0.get(field) {
                Some(computed) if computed == value => {}
                other => self.add(item, field, Some(value.clone()), other.cloned()),
            }
        }
        for (field, value) in computed.0.iter().filter(|(field, _)| !stored.0.contains_key(*field)) {
            self.add(item, field, None, Some(value.clone()));
        }
    }

    /// An item that the entries ask for is not there.
    pub(crate) fn missing(&mut self, item: &str) {
        self.add(item, "item", None, Some("present".to_owned()));
    }

    /// An item is there that nothing asks for, or that cannot be read.
    pub(crate) fn unexpected(&mut self, item: &str, why: &str) {
        self.add(item, "item", Some(why.to_owned()), None);
    }
}
