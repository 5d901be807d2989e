//! Entries: accounting facts, written once.

use std::cmp::Ordering;
use std::collections::{HashMap, HashSet};

use aws_lc_rs::digest::{SHA256, digest};
use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::{EntryPlace, Fingerprint, RemittanceLine, account_of, days, partition, pieces};
use crate::domain::{
    Cents, CostKind, Effect, EntryKind, Id, Identifier, MemberNumber, Payee, RemittanceNumber, Scheme, ShortText,
    Siret, View,
};
use crate::store::{Item, Key, Query, Record, StoreError, Table, to_item};

/// One accounting fact. Never updated, never deleted: a mistake is corrected by a reversal and a
/// replacement (French commercial code, L123-22).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Stored", into = "Stored")]
pub struct Entry {
    /// Which it is; follows from what was posted, so a repeat makes the same.
    pub entry_id: Id,
    /// Whose it is.
    pub member_number: MemberNumber,
    /// The account's establishment when it was posted.
    pub siret: Siret,
    /// Its action; contributions have none.
    pub action_id: Option<Identifier>,
    /// The view that it counts in.
    pub view: View,
    /// Its number among the postings of its view, from 1 without gaps: the order in which they were booked. 0 until it
    /// is posted.
    pub posting: u64,
    /// The scheme that it counts under; contributions have none.
    pub scheme: Option<Scheme>,
    /// What the fund says of it.
    pub facts: EntryFacts,
    /// When the portal posted it.
    pub booked_at: Timestamp,
    /// The system that sent it.
    pub source: Identifier,
    /// Its key there.
    pub source_key: Identifier,
    /// Its version there.
    pub source_version: u64,
    /// The batch that it came with.
    pub batch_id: Identifier,
    /// Of a reversal, what it reverses.
    pub reverses: Option<Reversed>,
    /// Of money that came back and whose payee the fund does not name, the side of its transfer when it was posted.
    /// Kept, because the transfer may change; a reversal has that of what it reverses.
    pub came_back_from: Option<Payee>,
    /// Of what a remittance notice lists, the action's title when it was posted: what the notice printed. Lists
    /// of entries do not carry it.
    pub title: Option<String>,
}

/// What the fund says of an entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EntryFacts {
    /// What kind of fact; gives the amount its sign.
    pub kind: EntryKind,
    /// What the money is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost_kind: Option<CostKind>,
    /// Who gets it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payee: Option<Payee>,
    /// How much.
    pub amount: Cents,
    /// The day that it counts from; its month in the totals.
    pub date: Date,
    /// The year that a contribution is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub year: Option<i16>,
    /// The remittance notice that lists it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remittance: Option<RemittanceNumber>,
    /// The line of the bank's statement.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bank: Option<ShortText>,
    /// The invoice that came, was rejected or is paid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub invoice: Option<ShortText>,
    /// What a member reads.
    pub label: String,
}

impl EntryFacts {
    /// The transfer that an entry of these facts is a line of: a payment, what comes back of one, a recovery, and what
    /// reverses these. Another entry may carry the number of a remittance notice, for who reads it; it is nothing that a
    /// transfer pays.
    #[must_use]
    pub fn transfer(&self, reverses: Option<Reversed>) -> Option<&RemittanceNumber> {
        self.remittance.as_ref().filter(|_| self.moves_as(reverses).is_transferred())
    }

    /// The side that an entry of these facts is paid to, or comes back from: what the kind says, else the payee, else
    /// the side of the transfer, else the company.
    #[must_use]
    pub fn side(&self, reverses: Option<Reversed>, came_back_from: Option<Payee>) -> Payee {
        let of_kind = self.moves_as(reverses).paid_to();
        of_kind.or(self.payee).or(came_back_from).unwrap_or(Payee::Company)
    }

    /// Whether neither kind nor payee says the side of what these facts move: that of its transfer does.
    #[must_use]
    pub fn has_side_of_transfer(&self) -> bool {
        self.kind.comes_back() && self.payee.is_none()
    }

    /// The kind whose measures it moves: a reversal moves those of what it reverses.
    pub(super) fn moves_as(&self, reverses: Option<Reversed>) -> EntryKind {
        reverses.map_or(self.kind, |reversed| reversed.kind)
    }
}

/// The entry that a reversal mirrors.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reversed {
    /// Which.
    pub entry_id: Id,
    /// Of which kind: a reversal moves what this kind moves.
    pub kind: EntryKind,
}

impl Entry {
    /// The id of the entry that a version of a source record makes; `moves` counts how often that version
    /// was moved to another view, scheme or account since.
    #[must_use]
    pub fn id_of(source: &Identifier, source_key: &Identifier, source_version: u64, moves: u32) -> Id {
        // `#` is in no identifier, so no two different records give one text.
        derived(&format!("{source}#{source_key}#{source_version}#{moves}#entry"))
    }

    /// The mirror of this entry: same day, view and scheme, so that every figure it moved moves back.
    #[must_use]
    pub fn reversal(&self, source_version: u64, batch_id: &Identifier, now: Timestamp) -> Self {
        Self {
            entry_id: derived(&format!("{}#reversal", self.entry_id)),
            facts: EntryFacts {
                kind: EntryKind::Reversal,
                amount: -self.facts.amount,
                label: format!("Annulation : {}", self.facts.label),
                ..self.facts.clone()
            },
            posting: 0,
            booked_at: now,
            source_version,
            batch_id: batch_id.clone(),
            reverses: Some(Reversed { entry_id: self.entry_id, kind: self.facts.kind }),
            ..self.clone()
        }
    }

    /// What it does to the measures.
    #[must_use]
    pub fn effect(&self) -> Effect {
        Self::effect_of(&self.facts, self.reverses, self.side())
    }

    /// The side that it is paid to or comes back from, as [`EntryFacts::side`] says.
    fn side(&self) -> Payee {
        self.facts.side(self.reverses, self.came_back_from)
    }

    /// The side whose paid amount it moves; nothing where it moves none.
    #[must_use]
    pub fn paid_side(&self) -> Option<Payee> {
        self.facts.moves_as(self.reverses).is_transferred().then(|| self.side())
    }

    /// The transfer that it is a line of, as [`EntryFacts::transfer`] says.
    #[must_use]
    pub fn transfer(&self) -> Option<&RemittanceNumber> {
        self.facts.transfer(self.reverses)
    }

    /// Puts entries into the order of their days and, within a day, in which they were booked. What was booked at once
    /// goes by its record: an entry, its reversal, what replaces it.
    pub fn sort_as_booked(entries: &mut [Self]) {
        let reversed: HashSet<Id> = entries.iter().filter_map(|entry| Some(entry.reverses?.entry_id)).collect();
        let versions: HashMap<Id, u64> = entries.iter().map(|entry| (entry.entry_id, entry.source_version)).collect();
        entries.sort_by_cached_key(|entry| {
            // A reversal has the version that made it, and its place behind the entry that it reverses.
            let fact = entry.reverses.map_or(entry.entry_id, |reversed| reversed.entry_id);
            let version = versions.get(&fact).copied().unwrap_or(entry.source_version);
            let in_force = entry.reverses.is_none() && !reversed.contains(&entry.entry_id);
            let key = entry.source_key.clone();
            (entry.facts.date, entry.booked_at, key, version, in_force, fact, entry.reverses.is_some())
        });
    }

    /// The hash of its item.
    ///
    /// # Errors
    /// Where it cannot be an item.
    pub fn fingerprint(&self) -> Result<Fingerprint, StoreError> {
        Ok(Fingerprint::of(&to_item(self)?))
    }

    /// What an entry of these facts does to the measures.
    pub(super) fn effect_of(facts: &EntryFacts, reverses: Option<Reversed>, side: Payee) -> Effect {
        // A reversal's amount is the negative of what it reverses, and effects are linear. Nothing
        // reverses a reversal, so the kind always has an effect.
        facts.moves_as(reverses).effect(facts.amount, side).unwrap_or_default()
    }

    /// Where it is stored.
    #[must_use]
    pub fn place(&self) -> EntryPlace {
        let sk = match &self.action_id {
            Some(action_id) => format!("ACTION#{action_id}#ENTRY#{}#{}", self.facts.date, self.entry_id),
            None => self.position().of_contribution(),
        };
        EntryPlace { account: self.member_number.clone(), sk }
    }

    /// Its position in lists.
    #[must_use]
    pub fn position(&self) -> EntryPosition {
        EntryPosition { view: self.view, date: self.facts.date, posting: self.posting, entry_id: self.entry_id }
    }

    /// A view's entries of every kind or of one, latest day first, from one day to another where they are
    /// given. Every combination is one range of an index.
    #[must_use]
    pub fn list(
        number: &MemberNumber,
        view: View,
        kind: Option<EntryKind>,
        from: Option<Date>,
        to: Option<Date>,
    ) -> Query {
        let (index, prefix) = index_of(kind);
        let (from, to) = days(&format!("{prefix}{view}#"), from, to);
        Query::partition(Table::Ledger, partition(number)).local_index(index).between(from, to).newest_first()
    }

    /// The entries of a view or of all, of every kind, oldest view and day first.
    #[must_use]
    pub fn in_order(number: &MemberNumber, view: Option<View>) -> Query {
        Self::in_order_of(number, view, None)
    }

    /// The entries of a view or of all, of every kind or of one, oldest view and day first.
    #[must_use]
    pub fn in_order_of(number: &MemberNumber, view: Option<View>, kind: Option<EntryKind>) -> Query {
        let (index, all) = index_of(kind);
        let prefix = view.map_or_else(|| all.clone(), |view| format!("{all}{view}#"));
        Query::partition(Table::Ledger, partition(number)).local_index(index).beginning(prefix)
    }

    /// A view's entries of every kind or of one, oldest day first, from one day to another where they are given.
    #[must_use]
    pub fn days_in_order(
        number: &MemberNumber,
        view: View,
        kind: Option<EntryKind>,
        from: Option<Date>,
        to: Option<Date>,
    ) -> Query {
        let (index, prefix) = index_of(kind);
        let (from, to) = days(&format!("{prefix}{view}#"), from, to);
        Query::partition(Table::Ledger, partition(number)).local_index(index).between(from, to)
    }

    /// The contributions of a view, oldest day first, what took some of them back included.
    #[must_use]
    pub fn contributions_in_order(number: &MemberNumber, view: View) -> Query {
        Query::partition(Table::Ledger, partition(number)).beginning(format!("CONTRIBUTION#{view}#"))
    }

    /// The entries of every view up to `last`, of every kind or of one, latest view and day first.
    #[must_use]
    pub fn list_from_latest(number: &MemberNumber, last: View, kind: Option<EntryKind>) -> Query {
        let (index, prefix) = index_of(kind);
        let to = format!("{prefix}{last}$");
        Query::partition(Table::Ledger, partition(number)).local_index(index).between(prefix, to).newest_first()
    }

    /// A view's entries of every kind or of one, latest day first, from one day on where it is given, and not before a
    /// position in the order of days and, within a day, views. The entry there is the first where it is of this view.
    #[must_use]
    pub fn list_from_position(
        number: &MemberNumber,
        view: View,
        kind: Option<EntryKind>,
        from: Option<Date>,
        position: &EntryPosition,
    ) -> Query {
        let (index, prefix) = index_of(kind);
        let (from, _) = days(&format!("{prefix}{view}#"), from, None);
        let day = position.date;
        let to = match view.cmp(&position.view) {
            Ordering::Equal => format!("{prefix}{}", position.in_view()),
            // All of the day: `$` comes after `#`.
            Ordering::Less => format!("{prefix}{view}#{day}$"),
            // Nothing of the day.
            Ordering::Greater => format!("{prefix}{view}#{day}"),
        };
        Query::partition(Table::Ledger, partition(number)).local_index(index).between(from, to).newest_first()
    }

    /// The place of an entry in a list of entries of a kind or of all, for the list to go on after it.
    #[must_use]
    pub fn place_in_list(number: &MemberNumber, kind: Option<EntryKind>, position: &EntryPosition) -> Item {
        let (index, prefix) = index_of(kind);
        // One entry alone has this key of the index, and in a descending list it comes before the lowest sort key.
        let mut place = Key::new(Table::Ledger, partition(number), "A").attributes();
        place.insert(index.to_owned(), AttributeValue::S(format!("{prefix}{}", position.in_view())));
        place
    }

    /// The contributions of a view, latest day first, what took some of them back included.
    #[must_use]
    pub fn contributions(number: &MemberNumber, view: View) -> Query {
        Query::partition(Table::Ledger, partition(number)).beginning(format!("CONTRIBUTION#{view}#")).newest_first()
    }

    /// The contributions of every view up to `last`, latest view and day first.
    #[must_use]
    pub fn contributions_from_latest(number: &MemberNumber, last: View) -> Query {
        let to = format!("CONTRIBUTION#{last}$");
        Query::partition(Table::Ledger, partition(number)).between("CONTRIBUTION#", to).newest_first()
    }

    /// The place of a contribution in these lists, for the list to go on after it.
    #[must_use]
    pub fn place_of_contribution(number: &MemberNumber, position: &EntryPosition) -> Item {
        Key::new(Table::Ledger, partition(number), position.of_contribution()).attributes()
    }
}

/// The position of an entry in lists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntryPosition {
    /// Its view.
    pub view: View,
    /// The day that it counts from.
    pub date: Date,
    /// Its number in the view.
    pub posting: u64,
    /// Which it is.
    pub entry_id: Id,
}

impl EntryPosition {
    /// The order of all views together: by day, and within a day by view and number.
    #[must_use]
    pub fn by_day(&self) -> (Date, View, u64) {
        (self.date, self.view, self.posting)
    }

    /// The end of its key in every index: by day, and within a day as booked.
    fn in_view(&self) -> String {
        format!("{}#{}#{:010}", self.view, self.date, self.posting)
    }

    /// The sort key of a contribution there.
    fn of_contribution(&self) -> String {
        format!("CONTRIBUTION#{}#{}", self.in_view(), self.entry_id)
    }
}

/// The index that serves a list of entries, and how its keys begin. A kind is to an entry what its status is to
/// an action, and shares that index: a table has five at most.
fn index_of(kind: Option<EntryKind>) -> (&'static str, String) {
    match kind {
        None => ("by_view", "ENTRY#".to_owned()),
        Some(kind) => ("by_status", format!("ENTRY#{}#", kind.as_str())),
    }
}

/// The first 128 bits of a SHA-256.
fn derived(text: &str) -> Id {
    let hash = digest(&SHA256, text.as_bytes());
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&hash.as_ref()[..16]);
    Id::from_bytes(bytes)
}

impl Record for Entry {
    fn key(&self) -> Key {
        self.place().key()
    }
}

impl EntryPlace {
    /// The key of the entry there.
    #[must_use]
    pub fn key(&self) -> Key {
        Key::new(Table::Ledger, partition(&self.account), self.sk.clone())
    }
}

/// The item. What the key says is not said again.
#[derive(Clone, Serialize, Deserialize)]
struct Stored {
    pk: String,
    sk: String,
    /// `ENTRY#<view>#<date>#<posting>`: a view's entries of every kind by date, and within a day as booked.
    by_view: String,
    /// `ENTRY#<kind>#<view>#<date>#<posting>`: those of one kind.
    // Only written: an index carries its own key, and not those of the others.
    #[serde(default)]
    by_status: String,
    /// `LINE#<remittance number>#<source>#<date>#<posting>#<id>`: what a transfer paid, and within a day as booked.
    by_remittance: Option<String>,
    siret: Siret,
    scheme: Option<Scheme>,
    facts: EntryFacts,
    #[serde(with = "jiff::fmt::serde::timestamp::millisecond::required")]
    booked_at: Timestamp,
    source: Identifier,
    source_key: Identifier,
    source_version: u64,
    batch_id: Identifier,
    reverses: Option<Reversed>,
    came_back_from: Option<Payee>,
    title: Option<String>,
}

impl TryFrom<Stored> for Entry {
    type Error = String;

    fn try_from(stored: Stored) -> Result<Self, String> {
        let ["ENTRY", view, _, posting] = pieces(&stored.by_view)? else {
            return Err("not the index key of an entry".to_owned());
        };
        let (action_id, entry_id) = if stored.sk.starts_with("CONTRIBUTION#") {
            let [_, _, _, _, entry_id] = pieces(&stored.sk)?;
            (None, entry_id)
        } else {
            let ["ACTION", action_id, "ENTRY", _, entry_id] = pieces(&stored.sk)? else {
                return Err("not the sort key of an entry".to_owned());
            };
            (Some(Identifier::parse(action_id).map_err(|refusal| refusal.en)?), entry_id)
        };
        Ok(Self {
            entry_id: Id::parse(entry_id).ok_or("an entry without an id")?,
            member_number: account_of(&stored.pk)?,
            siret: stored.siret,
            action_id,
            view: View::parse(view).ok_or("an entry without a view")?,
            posting: posting.parse().map_err(|_| "an entry without a number")?,
            scheme: stored.scheme,
            facts: stored.facts,
            booked_at: stored.booked_at,
            source: stored.source,
            source_key: stored.source_key,
            source_version: stored.source_version,
            batch_id: stored.batch_id,
            reverses: stored.reverses,
            came_back_from: stored.came_back_from,
            title: stored.title,
        })
    }
}

impl From<Entry> for Stored {
    fn from(entry: Entry) -> Self {
        let Key { pk, sk, .. } = entry.key();
        let in_view = entry.position().in_view();
        let index = |kind| format!("{}{in_view}", index_of(kind).1);
        Self {
            pk,
            sk,
            by_view: index(None),
            by_status: index(Some(entry.facts.kind)),
            by_remittance: RemittanceLine::order(&entry),
            siret: entry.siret,
            scheme: entry.scheme,
            facts: entry.facts,
            booked_at: entry.booked_at,
            source: entry.source,
            source_key: entry.source_key,
            source_version: entry.source_version,
            batch_id: entry.batch_id,
            reverses: entry.reverses,
            came_back_from: entry.came_back_from,
            title: entry.title,
        }
    }
}
