//! The chain of a view: its entries are numbered without gaps, and one hash covers them all.
//!
//! Totals say how many entries were posted to their view, and the hash of all of them in that order. Each posting goes on from
//! there, in the transaction that moves the totals anyway. An entry that is changed in the table afterwards, taken out or put in
//! no longer comes to that hash.

use std::collections::BTreeMap;
use std::fmt;

use aws_lc_rs::digest::{Context, SHA256};
use aws_sdk_dynamodb::types::AttributeValue;
use serde::{Deserialize, Serialize};

use crate::domain::{from_hex, to_hex};
use crate::store::record::to_attribute;
use crate::store::{Item, StoreError};

/// A SHA-256 of what is stored; as text 64 hexadecimal digits.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Fingerprint([u8; 32]);

impl Fingerprint {
    /// The hash of an item: all its attributes with their types, in the order of their names. What the table gives back
    /// has the same one, and nothing else has.
    #[must_use]
    pub fn of(item: &Item) -> Self {
        let mut context = Context::new(&SHA256);
        add_map(&mut context, item.iter());
        Self::finished(context)
    }

    /// The hash of what an item would be made of.
    ///
    /// # Errors
    /// Where it cannot be an item.
    pub fn of_parts<T: Serialize>(parts: &T) -> Result<Self, StoreError> {
        let mut context = Context::new(&SHA256);
        add_value(&mut context, &to_attribute(parts)?);
        Ok(Self::finished(context))
    }

    fn finished(context: Context) -> Self {
        let mut bytes = [0; 32];
        bytes.copy_from_slice(context.finish().as_ref());
        Self(bytes)
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&to_hex(&self.0))
    }
}

impl From<Fingerprint> for String {
    fn from(fingerprint: Fingerprint) -> Self {
        to_hex(&fingerprint.0)
    }
}

impl TryFrom<String> for Fingerprint {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        from_hex(&text).map(Self).ok_or("no SHA-256 in hexadecimal digits")
    }
}

/// The count of entries that were posted to a view, and the hash of them all.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Chain {
    /// The number of the last one.
    pub postings: u64,
    /// The hash of the last one's fingerprint behind the hash before it; all zero before the first.
    pub hash: Fingerprint,
}

impl Chain {
    /// The number that the next entry gets.
    #[must_use]
    pub fn next(&self) -> u64 {
        self.postings.saturating_add(1)
    }

    /// Takes the next number for an entry, whose fingerprint is [sealed](Self::seal) when it is booked.
    pub fn take_number(&mut self) -> u64 {
        self.postings = self.next();
        self.postings
    }

    /// Covers the next entry whose number was taken, which has this fingerprint.
    pub fn seal(&mut self, fingerprint: Fingerprint) {
        let mut context = Context::new(&SHA256);
        context.update(&self.hash.0);
        context.update(&fingerprint.0);
        self.hash = Fingerprint::finished(context);
    }

    /// Goes on with the next entry, which has this fingerprint.
    pub fn append(&mut self, fingerprint: Fingerprint) {
        self.take_number();
        self.seal(fingerprint);
    }
}

/// Each thing says its type and its length first, so that no two different ones are one text.
fn add(context: &mut Context, kind: u8, length: usize) {
    context.update(&[kind]);
    context.update(&(length as u64).to_be_bytes());
}

fn add_text(context: &mut Context, kind: u8, text: &[u8]) {
    add(context, kind, text.len());
    context.update(text);
}

fn add_map<'a>(context: &mut Context, attributes: impl Iterator<Item = (&'a String, &'a AttributeValue)>) {
    let attributes: BTreeMap<_, _> = attributes.collect();
    add(context, b'M', attributes.len());
    for (name, value) in attributes {
        add_text(context, b'S', name.as_bytes());
        add_value(context, value);
    }
}

fn add_value(context: &mut Context, value: &AttributeValue) {
    match value {
        AttributeValue::S(text) => add_text(context, b'S', text.as_bytes()),
        AttributeValue::N(digits) => add_text(context, b'N', digits.as_bytes()),
        AttributeValue::B(bytes) => add_text(context, b'B', bytes.as_ref()),
        AttributeValue::Bool(truth) => add(context, b'T', usize::from(*truth)),
        AttributeValue::L(list) => {
            add(context, b'L', list.len());
            list.iter().for_each(|value| add_value(context, value));
        }
        AttributeValue::M(map) => add_map(context, map.iter()),
        // The ledger stores no sets; one that stands there is no value of its.
        _ => add(context, b'0', 0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> AttributeValue {
        AttributeValue::S(text.to_owned())
    }

    fn item(attributes: &[(&str, AttributeValue)]) -> Item {
        attributes.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect()
    }

    #[test]
    fn every_other_item_has_another_fingerprint() {
        let number = |digits: &str| AttributeValue::N(digits.to_owned());
        let map = |name: &str, value| AttributeValue::M(item(&[(name, value)]));
        let items = [
            item(&[]),
            item(&[("a", text("b"))]),
            item(&[("ab", text(""))]),
            item(&[("a", text("1"))]),
            item(&[("a", number("1"))]),
            item(&[("a", number("12"))]),
            item(&[("a", AttributeValue::Bool(true))]),
            item(&[("a", AttributeValue::Bool(false))]),
            item(&[("a", AttributeValue::L(vec![text("b"), text("c")]))]),
            item(&[("a", AttributeValue::L(vec![text("bc")]))]),
            item(&[("a", AttributeValue::L(vec![text("b")])), ("c", text(""))]),
            item(&[("a", map("b", text("c")))]),
            item(&[("a", map("bc", text("")))]),
            item(&[("a", text("b")), ("b", text("a"))]),
            item(&[("a", text("a")), ("b", text("b"))]),
        ];
        for (place, one) in items.iter().enumerate() {
            for other in &items[place + 1..] {
                assert_ne!(Fingerprint::of(one), Fingerprint::of(other), "{one:?} and {other:?}");
            }
        }
    }

    #[test]
    fn a_chain_tells_order_and_number() {
        let [one, other] = ["1", "2"].map(|value| Fingerprint::of(&item(&[("a", text(value))])));
        let chain = |fingerprints: &[Fingerprint]| {
            let mut chain = Chain::default();
            fingerprints.iter().for_each(|fingerprint| chain.append(*fingerprint));
            chain
        };
        assert_eq!(chain(&[one, other]).postings, 2);
        assert_ne!(chain(&[one, other]), chain(&[other, one]));
        assert_ne!(chain(&[one]), chain(&[one, one]));
        assert_eq!(Fingerprint::try_from(one.to_string()), Ok(one));
    }
}
