//! The payments and invoices of an action, so that the same one under two keys is seen without reading its entries.

use std::collections::BTreeMap;

use aws_lc_rs::digest::{SHA256, digest};
use serde::{Deserialize, Serialize};

use super::{Entry, EntryFacts};
use crate::domain::{EntryKind, to_hex};

/// The bytes that are kept of an entry's hash: two different ones of an action are alike by chance once in some ten million actions.
const BYTES: usize = 4;

/// The count of unreversed entries of each payment and each numbered invoice that an action ever had in an account.
///
/// It follows from the entries alone, whatever their order. An action with more than sixteen different ones has none: an item
/// has to be small, and what it would take to go on is to read all entries.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Likes {
    /// Nothing yet.
    #[default]
    None,
    /// By their hashes. Where a reversal is counted before what it reverses, below zero until that comes.
    Few(BTreeMap<String, i32>),
    /// Too many to be kept.
    Many,
}

impl Likes {
    const MOST: usize = 16;

    /// Tells whether it holds nothing, and so is not stored.
    #[must_use]
    pub fn is_none(&self) -> bool {
        *self == Self::None
    }

    /// Counts an entry up, or its reversal down.
    pub fn count(&mut self, entry: &Entry) {
        let Some(hash) = hash(entry) else { return };
        let mut few = match std::mem::take(self) {
            Self::None => BTreeMap::new(),
            Self::Few(few) => few,
            Self::Many => return *self = Self::Many,
        };
        let count = few.entry(hash).or_default();
        *count = count.saturating_add(if entry.reverses.is_some() { -1 } else { 1 });
        *self = if few.len() > Self::MOST { Self::Many } else { Self::Few(few) };
    }

    /// Tells whether one of them is there twice that was not, or more often.
    #[must_use]
    pub fn doubles_since(&self, before: &Self) -> bool {
        let Self::Few(few) = self else { return false };
        let were = |hash: &String| match before {
            Self::Few(before) => before.get(hash).copied().unwrap_or_default(),
            Self::None | Self::Many => 0,
        };
        few.iter().any(|(hash, count)| *count > 1 && *count > were(hash))
    }

    /// Tells whether any of them is there twice.
    #[must_use]
    pub fn has_doubles(&self) -> bool {
        self.doubles_since(&Self::None)
    }
}

/// The hash of all that two entries have alike which are one: all but key, label and the text of the bank. Nothing of what may well come twice.
fn hash(entry: &Entry) -> Option<String> {
    let EntryFacts { cost_kind, payee, amount, date, remittance, invoice, .. } = &entry.facts;
    let kind = entry.reverses.map_or(entry.facts.kind, |reversed| reversed.kind);
    match kind {
        EntryKind::PaymentToCompany | EntryKind::PaymentToProvider => {}
        EntryKind::InvoiceReceived if invoice.is_some() => {}
        _ => return None,
    }
    // A reversal has the negative amount.
    let amount = amount.0.unsigned_abs();
    let parts = (kind, cost_kind, payee, amount, date, remittance, invoice);
    // Names and numbers only: these always have a JSON form.
    let text = serde_json::to_vec(&parts).unwrap_or_default();
    Some(to_hex(&digest(&SHA256, &text).as_ref()[..BYTES]))
}

impl From<Likes> for String {
    fn from(likes: Likes) -> Self {
        match likes {
            Likes::None => Self::new(),
            Likes::Many => "many".to_owned(),
            Likes::Few(few) => {
                let one = |(hash, count): (String, i32)| if count == 1 { hash } else { format!("{hash}*{count}") };
                few.into_iter().map(one).collect::<Vec<_>>().join(" ")
            }
        }
    }
}

impl TryFrom<String> for Likes {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        match text.as_str() {
            "" => return Ok(Self::None),
            "many" => return Ok(Self::Many),
            _ => {}
        }
        let one = |word: &str| {
            let (hash, count) = word.split_once('*').unwrap_or((word, "1"));
            let count = count.parse().ok().filter(|_| hash.len() == 2 * BYTES)?;
            Some((hash.to_owned(), count))
        };
        text.split(' ').map(one).collect::<Option<_>>().map(Self::Few).ok_or("no hashes with their counts")
    }
}
