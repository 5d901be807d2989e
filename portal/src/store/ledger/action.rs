//! Training actions with their running sums.

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::{
    ActionPlace, ActionSums, Chain, Fingerprint, Home, Invoices, Likes, Measures, account_of, days, partition, pieces,
};
use crate::domain::{ActionStatus, Cents, Identifier, MemberNumber, Paid, Scheme, View};
use crate::store::{Item, Key, Query, Record, StoreError, Table};

/// A training action as the fund last described it, and the sums of its entries.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Stored", into = "Stored")]
pub struct Action {
    /// Whose it is.
    pub member_number: MemberNumber,
    /// Which it is.
    pub action_id: Identifier,
    /// What the fund says of it; nothing while only entries for it have come.
    pub state: Option<ActionState>,
    /// The sums of its entries at its home.
    pub sums: ActionSums,
    /// How many unreversed entries there are at its home.
    pub entries: u32,
    /// What is still to be moved here after its view or scheme changed.
    pub leaving: Option<Leaving>,
    /// The place that entries are still to be moved from: another account, another number, or both.
    pub coming_from: Option<ActionPlace>,
    /// The account that it belongs to now, and its number there; it is no longer shown here.
    pub moved_to: Option<ActionPlace>,
    /// How many entries wait for it.
    pub waiting: u32,
    /// Its versions in this account, [`super::ActionVersion`], those that are of the past among them.
    pub history: Chain,
    /// The instant at which the last of these was booked.
    pub changed_at: Option<Timestamp>,
    /// Its payments and invoices in this account.
    pub likes: Likes,
    /// Counted up with each write.
    pub version: u64,
}

/// What the fund says of an action.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActionState {
    /// The system that sent it.
    pub source: Identifier,
    /// Its key there.
    pub source_key: Identifier,
    /// What is taught.
    pub title: String,
    /// Under which view and scheme its entries count.
    pub home: Home,
    /// How far it has come.
    pub status: ActionStatus,
    /// When it was engaged; decides the view.
    pub engagement_date: Date,
}

impl ActionState {
    /// The hash of what the fund says.
    ///
    /// # Errors
    /// Where it cannot be an item.
    pub fn fingerprint(&self) -> Result<Fingerprint, StoreError> {
        Fingerprint::of_parts(self)
    }
}

/// Entries that count under a home that the action has left, until they are moved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Leaving {
    /// The home that it left.
    pub home: Home,
    /// The sums of what is still there.
    pub sums: ActionSums,
    /// How many unreversed entries are still there.
    pub entries: u32,
}

impl Action {
    /// An action of which nothing is known yet.
    #[must_use]
    pub fn unknown(member_number: MemberNumber, action_id: Identifier) -> Self {
        Self {
            member_number,
            action_id,
            state: None,
            sums: ActionSums::default(),
            entries: 0,
            leaving: None,
            coming_from: None,
            moved_to: None,
            waiting: 0,
            history: Chain::default(),
            changed_at: None,
            likes: Likes::None,
            version: 0,
        }
    }

    /// Where an action is stored.
    #[must_use]
    pub fn key_of(number: &MemberNumber, action_id: &Identifier) -> Key {
        Key::new(Table::Ledger, partition(number), format!("ACTION#{action_id}#"))
    }

    /// Where its entries are stored, oldest day first.
    #[must_use]
    pub fn entries_of(number: &MemberNumber, action_id: &Identifier) -> Query {
        Query::partition(Table::Ledger, partition(number)).beginning(format!("ACTION#{action_id}#ENTRY#"))
    }

    /// Its account and its number.
    #[must_use]
    pub fn place(&self) -> ActionPlace {
        ActionPlace { account: self.member_number.clone(), action_id: self.action_id.clone() }
    }

    /// Its entries from a day on, oldest day first.
    #[must_use]
    pub fn entries_from(number: &MemberNumber, action_id: &Identifier, from: Date) -> Query {
        let (from, to) = days(&format!("ACTION#{action_id}#ENTRY#"), Some(from), None);
        Query::partition(Table::Ledger, partition(number)).between(from, to)
    }

    /// Whether the fund has described it and it belongs to this account.
    #[must_use]
    pub fn is_here(&self) -> bool {
        self.state.is_some() && self.moved_to.is_none()
    }

    /// Whether the account never had it; entries may wait for it.
    #[must_use]
    pub fn never_came(&self) -> bool {
        self.state.is_none() && self.moved_to.is_none()
    }

    /// Whether there is something to be moved, or to be released here or to where it has moved.
    #[must_use]
    pub fn is_unfinished(&self) -> bool {
        self.is_moving() || (self.waiting > 0 && !self.never_came())
    }

    /// Whether entries are still to be moved after a change of view, scheme or account.
    #[must_use]
    pub fn is_moving(&self) -> bool {
        self.leaving.is_some() || self.coming_from.is_some()
    }

    /// The sums of all its entries in this account, moved or not.
    #[must_use]
    pub fn all_sums(&self) -> ActionSums {
        let leaving = self.leaving.as_ref().map(|leaving| leaving.sums.clone()).unwrap_or_default();
        self.sums.clone() + leaving
    }
}

impl Record for Action {
    fn key(&self) -> Key {
        Self::key_of(&self.member_number, &self.action_id)
    }
}

/// An action as a list shows it: what the indexes need to carry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "StoredLine", into = "StoredLine")]
pub struct ListedAction {
    /// Whose it is.
    pub member_number: MemberNumber,
    /// Which it is.
    pub action_id: Identifier,
    /// What is taught.
    pub title: String,
    /// Under which view and scheme its entries count.
    pub home: Home,
    /// How far it has come.
    pub status: ActionStatus,
    /// When it was engaged.
    pub engagement_date: Date,
    /// The sums of its entries; read from a list, without those of its invoices.
    pub sums: ActionSums,
    /// The sum in progress beyond what is of all invoices together.
    pub in_progress_beside: Cents,
}

impl ListedAction {
    /// Its figures.
    #[must_use]
    pub fn measures(&self) -> Measures {
        let measures = self.sums.measures(self.status);
        Measures { in_progress: measures.in_progress + self.in_progress_beside, ..measures }
    }

    /// An account's actions of a view, latest engagement first, of one status or scheme or both or any.
    ///
    /// Each combination has its index. Behind what it filters by, an index sorts by view and date: a list
    /// of one view is a prefix, and a list of several begins with the latest.
    #[must_use]
    pub fn list(number: &MemberNumber, view: View, status: Option<ActionStatus>, scheme: Option<Scheme>) -> Query {
        let (index, prefix) = index_of(status, scheme);
        let prefix = format!("{prefix}{view}#");
        Query::partition(Table::Ledger, partition(number)).local_index(index).beginning(prefix).newest_first()
    }

    /// The same of every view up to `last`, latest view first.
    #[must_use]
    pub fn list_from_latest(
        number: &MemberNumber,
        last: View,
        status: Option<ActionStatus>,
        scheme: Option<Scheme>,
    ) -> Query {
        let (index, prefix) = index_of(status, scheme);
        // `$` comes after `#`, which ends a view, and after no digit.
        let to = format!("{prefix}{last}$");
        Query::partition(Table::Ledger, partition(number)).local_index(index).between(prefix, to).newest_first()
    }

    /// The place of an action in such a list, for the list to go on after it.
    #[must_use]
    pub fn place(
        number: &MemberNumber,
        view: View,
        status: Option<ActionStatus>,
        scheme: Option<Scheme>,
        engaged: Date,
        action_id: &Identifier,
    ) -> Item {
        let (index, prefix) = index_of(status, scheme);
        let mut place = Action::key_of(number, action_id).attributes();
        place.insert(index.to_owned(), AttributeValue::S(prefix + &order(view, engaged, action_id)));
        place
    }
}

/// The index that serves a filter, and how its keys begin.
fn index_of(status: Option<ActionStatus>, scheme: Option<Scheme>) -> (&'static str, String) {
    match (scheme, status) {
        (None, None) => ("by_view", "ACTION#".to_owned()),
        (None, Some(status)) => ("by_status", format!("ACTION#{}#", status.as_str())),
        (Some(scheme), None) => ("by_scheme", format!("ACTION#{}#", scheme.as_str())),
        (Some(scheme), Some(status)) => {
            ("by_scheme_status", format!("ACTION#{}#{}#", scheme.as_str(), status.as_str()))
        }
    }
}

/// How the keys of every index end.
fn order(view: View, engaged: Date, action_id: &Identifier) -> String {
    format!("{view}#{engaged}#{action_id}")
}

impl Record for ListedAction {
    fn key(&self) -> Key {
        Action::key_of(&self.member_number, &self.action_id)
    }
}

/// The item. `shown` is all that a list needs, so an index carries that and no more.
#[derive(Clone, Serialize, Deserialize)]
struct Stored {
    pk: String,
    sk: String,
    by_view: Option<String>,
    by_status: Option<String>,
    by_scheme: Option<String>,
    by_scheme_status: Option<String>,
    shown: Option<Shown>,
    source: Option<Identifier>,
    source_key: Option<Identifier>,
    #[serde(default)]
    entries: u32,
    #[serde(default, skip_serializing_if = "Invoices::is_empty")]
    invoices: Invoices,
    leaving: Option<Leaving>,
    coming_from: Option<String>,
    moved_to: Option<String>,
    #[serde(default)]
    waiting: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    history: Option<History>,
    #[serde(default, skip_serializing_if = "Likes::is_none")]
    likes: Likes,
    version: u64,
}

/// The chain of an action's versions.
#[derive(Clone, Copy, Serialize, Deserialize)]
struct History {
    versions: u64,
    chain: Fingerprint,
    #[serde(with = "jiff::fmt::serde::timestamp::millisecond::required")]
    changed_at: Timestamp,
}

#[derive(Clone, Serialize, Deserialize)]
struct StoredLine {
    pk: String,
    sk: String,
    shown: Shown,
}

/// What a list shows; the sums are of all entries, those that are leaving included.
///
/// Stored under names of one letter: with whole words, a page of fifty would be beyond 12 KB, and cost a fourth
/// unit of capacity.
#[derive(Clone, Serialize, Deserialize)]
struct Shown {
    #[serde(rename = "t")]
    title: String,
    #[serde(rename = "v")]
    view: View,
    #[serde(rename = "m")]
    scheme: Scheme,
    #[serde(rename = "s")]
    status: ActionStatus,
    #[serde(rename = "e")]
    engaged: Date,
    #[serde(rename = "c")]
    committed: Cents,
    #[serde(rename = "p")]
    paid: Paid,
    #[serde(rename = "i")]
    in_progress: Cents,
    /// The sum that is shown of it beyond that, because it is of another invoice than what was paid.
    #[serde(rename = "b", default, skip_serializing_if = "is_nothing")]
    in_progress_beside: Cents,
    #[serde(rename = "r", default, skip_serializing_if = "is_nothing")]
    recovered: Cents,
}

/// Most actions have nothing that was taken back, and a page of them shall be small.
#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde hands it over so")]
fn is_nothing(amount: &Cents) -> bool {
    *amount == Cents::ZERO
}

impl Shown {
    fn sums(&self) -> ActionSums {
        ActionSums {
            committed: self.committed,
            paid: self.paid,
            in_progress: self.in_progress,
            recovered: self.recovered,
            invoices: Invoices::default(),
        }
    }
}

fn action_id_of(sk: &str) -> Result<Identifier, String> {
    let ["ACTION", action_id, ""] = pieces(sk)? else { return Err("not the sort key of an action".to_owned()) };
    Identifier::parse(action_id).map_err(|refusal| refusal.en)
}

/// The place of an action, as it is stored: the account, and its number where that is another one.
fn text_of(ActionPlace { account, action_id }: &ActionPlace, known: &Identifier) -> String {
    if action_id == known { account.to_string() } else { format!("{account}#{action_id}") }
}

fn place_of(text: &str, known: &Identifier) -> Result<ActionPlace, String> {
    let (account, action_id) = match text.split_once('#') {
        Some((account, action_id)) => (account, Identifier::parse(action_id).map_err(|refusal| refusal.en)?),
        None => (text, known.clone()),
    };
    Ok(ActionPlace { account: MemberNumber::parse(account).map_err(|refusal| refusal.en)?, action_id })
}

impl TryFrom<Stored> for Action {
    type Error = String;

    fn try_from(stored: Stored) -> Result<Self, String> {
        // Lists show what is here and what is leaving added up.
        let mut sums = stored.shown.as_ref().map(Shown::sums).unwrap_or_default();
        if let Some(Leaving { sums: leaving, .. }) = &stored.leaving {
            sums.committed -= leaving.committed;
            sums.paid = sums.paid - leaving.paid;
            sums.in_progress -= leaving.in_progress;
            sums.recovered -= leaving.recovered;
        }
        sums.invoices = stored.invoices;
        let state = match (stored.shown, stored.source, stored.source_key) {
            (Some(shown), Some(source), Some(source_key)) => Some(ActionState {
                source,
                source_key,
                title: shown.title,
                home: Home { view: shown.view, scheme: shown.scheme },
                status: shown.status,
                engagement_date: shown.engaged,
            }),
            (None, None, None) => None,
            _ => return Err("an action with half a state".to_owned()),
        };
        let action_id = action_id_of(&stored.sk)?;
        let place = |stored: Option<String>| stored.map(|text| place_of(&text, &action_id)).transpose();
        Ok(Self {
            coming_from: place(stored.coming_from)?,
            moved_to: place(stored.moved_to)?,
            member_number: account_of(&stored.pk)?,
            action_id,
            state,
            sums,
            entries: stored.entries,
            leaving: stored.leaving,
            waiting: stored.waiting,
            history: stored
                .history
                .map(|history| Chain { postings: history.versions, hash: history.chain })
                .unwrap_or_default(),
            changed_at: stored.history.map(|history| history.changed_at),
            likes: stored.likes,
            version: stored.version,
        })
    }
}

impl From<Action> for Stored {
    fn from(action: Action) -> Self {
        let Key { pk, sk, .. } = action.key();
        let sums = action.all_sums();
        let in_progress_beside = sums.invoices.in_progress(sums.in_progress) - sums.in_progress.or_zero();
        // An action that moved away is in no list.
        let listed = action.state.as_ref().filter(|_| action.moved_to.is_none());
        let index = |by_status: bool, by_scheme: bool| {
            listed.map(|state| {
                let (_, prefix) = index_of(by_status.then_some(state.status), by_scheme.then_some(state.home.scheme));
                prefix + &order(state.home.view, state.engagement_date, &action.action_id)
            })
        };
        let [by_view, by_status] = [index(false, false), index(true, false)];
        let [by_scheme, by_scheme_status] = [index(false, true), index(true, true)];
        let [coming_from, moved_to] = [&action.coming_from, &action.moved_to]
            .map(|place| place.as_ref().map(|place| text_of(place, &action.action_id)));
        let (source, source_key) = action.state.as_ref().map(|s| (s.source.clone(), s.source_key.clone())).unzip();
        Self {
            by_view,
            by_status,
            by_scheme,
            by_scheme_status,
            shown: action.state.map(|state| Shown {
                title: state.title,
                view: state.home.view,
                scheme: state.home.scheme,
                status: state.status,
                engaged: state.engagement_date,
                committed: sums.committed,
                paid: sums.paid,
                in_progress: sums.in_progress,
                in_progress_beside,
                recovered: sums.recovered,
            }),
            pk,
            sk,
            source,
            source_key,
            entries: action.entries,
            invoices: action.sums.invoices,
            leaving: action.leaving,
            coming_from,
            moved_to,
            waiting: action.waiting,
            history: action.changed_at.map(|changed_at| History {
                versions: action.history.postings,
                chain: action.history.hash,
                changed_at,
            }),
            likes: action.likes,
            version: action.version,
        }
    }
}

impl TryFrom<StoredLine> for ListedAction {
    type Error = String;

    fn try_from(StoredLine { pk, sk, shown }: StoredLine) -> Result<Self, String> {
        Ok(Self {
            member_number: account_of(&pk)?,
            action_id: action_id_of(&sk)?,
            sums: shown.sums(),
            in_progress_beside: shown.in_progress_beside,
            title: shown.title,
            home: Home { view: shown.view, scheme: shown.scheme },
            status: shown.status,
            engagement_date: shown.engaged,
        })
    }
}

impl From<ListedAction> for StoredLine {
    fn from(line: ListedAction) -> Self {
        let Key { pk, sk, .. } = line.key();
        let shown = Shown {
            title: line.title,
            view: line.home.view,
            scheme: line.home.scheme,
            status: line.status,
            engaged: line.engagement_date,
            committed: line.sums.committed,
            paid: line.sums.paid,
            in_progress: line.sums.in_progress,
            in_progress_beside: line.in_progress_beside,
            recovered: line.sums.recovered,
        };
        Self { pk, sk, shown }
    }
}
