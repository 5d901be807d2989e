//! The statement of an earlier state: of the entries that were booked by then, and of what was said of their actions then.
//!
//! Nothing is stored of earlier sums. They are added up by the rule that posting goes by (`ActionSums`, `Remittance`).

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use portal::domain::{ActionStatus, Cents, Identifier, RemittanceNumber, View};
use portal::store::{
    Account, ActionChange, ActionSums, ActionVersion, Entry, Home, ListedAction, ListedRemittance, MispostedRecords,
    Month, Remittance, Totals,
};

use crate::content::Read;

/// Everything that was booked to an account by an instant, whatever the view; entries in the order of views and days.
pub(crate) struct Booked {
    entries: Vec<Entry>,
    versions: Vec<ActionVersion>,
}

impl Booked {
    pub(crate) fn by(at: Timestamp, mut entries: Vec<Entry>, mut versions: Vec<ActionVersion>) -> Self {
        entries.retain(|entry| entry.booked_at <= at);
        versions.retain(|version| version.booked_at <= at);
        Self { entries, versions }
    }

    /// Tells whether nothing was booked yet.
    pub(crate) fn is_empty(&self) -> bool {
        self.entries.is_empty() && self.versions.is_empty()
    }

    /// The views that something was booked to.
    pub(crate) fn views(&self) -> BTreeSet<View> {
        let of_versions = self.versions.iter().flat_map(ActionVersion::views);
        self.entries.iter().map(|entry| entry.view).chain(of_versions).collect()
    }

    /// Tells whether the entries of a view are all there, as their numbers tell.
    pub(crate) fn is_whole(&self, view: View) -> bool {
        let numbers: BTreeSet<u64> =
            self.entries.iter().filter(|entry| entry.view == view).map(|entry| entry.posting).collect();
        numbers.last().is_none_or(|last| *last == numbers.len() as u64)
    }

    /// A view as it stood.
    pub(crate) fn into_read(self, account: Account, view: View, misposted: &MispostedRecords) -> Read {
        let mut totals = Totals::empty(account.member_number.clone(), view);
        // Versions of one action come in their order, so the last one stays.
        let said: BTreeMap<&Identifier, &ActionVersion> =
            self.versions.iter().map(|version| (&version.action_id, version)).collect();
        let mut homes: BTreeMap<(&Identifier, Home), ActionSums> = BTreeMap::new();
        for entry in &self.entries {
            if let (Some(action_id), Some(scheme)) = (&entry.action_id, entry.scheme) {
                let sums = homes.entry((action_id, Home { view: entry.view, scheme })).or_default();
                *sums = std::mem::take(sums).after(entry.effect(), entry.facts.invoice.as_ref());
            }
        }
        for ((action_id, home), sums) in homes.iter().filter(|((_, home), _)| home.view == view) {
            totals.add(home.scheme, sums.measures(status(said.get(action_id).copied())));
        }
        for entry in self.entries.iter().filter(|entry| entry.view == view) {
            totals.add_to_month(Month::of(entry.facts.date), entry.effect());
            totals.contributed += entry.effect().contributed;
            totals.chain.postings = totals.chain.postings.max(entry.posting);
            totals.booked_at = totals.booked_at.max(Some(entry.booked_at));
        }
        for version in self.versions.iter().filter(|version| version.views().any(|of| of == view)) {
            totals.booked_at = totals.booked_at.max(Some(version.booked_at));
        }
        let mut actions: Vec<ListedAction> = Vec::new();
        for version in said.values() {
            let Some(state) = version.state.as_ref().filter(|state| state.home.view == view) else { continue };
            let of_action = homes.iter().filter(|((action_id, _), _)| **action_id == version.action_id);
            actions.push(ListedAction {
                member_number: version.member_number.clone(),
                action_id: version.action_id.clone(),
                title: state.title.clone(),
                home: state.home,
                status: state.status,
                engagement_date: state.engagement_date,
                sums: of_action.fold(ActionSums::default(), |all, (_, sums)| all + sums.clone()),
                // The sums are those of its entries, with their invoices.
                in_progress_beside: Cents::ZERO,
            });
        }
        actions.sort_by(|one, other| {
            (one.engagement_date, &one.action_id).cmp(&(other.engagement_date, &other.action_id))
        });
        totals.actions = u32::try_from(actions.len()).unwrap_or(u32::MAX);
        let remittances = self.remittances(view);
        let is_contribution = |entry: &Entry| entry.view == view && entry.action_id.is_none();
        let contributions = self.entries.into_iter().filter(is_contribution);
        let contributions: Vec<_> = contributions.map(|entry| misposted.readable(entry)).collect();
        totals.contributions = u32::from(!contributions.is_empty());
        Read { account, totals, actions, contributions, remittances }
    }

    /// The transfers that a view lists, with all that they moved; oldest first.
    fn remittances(&self, view: View) -> Vec<ListedRemittance> {
        let mut all: BTreeMap<(&RemittanceNumber, &Identifier), Remittance> = BTreeMap::new();
        for entry in &self.entries {
            if let Some(number) = entry.transfer() {
                let (account, source) = (&entry.member_number, &entry.source);
                let empty = || Remittance::empty(account.clone(), source.clone(), number.clone());
                all.entry((number, source)).or_insert_with(empty).count(entry);
            }
        }
        let mut listed: Vec<_> = all.values().filter_map(|remittance| remittance.listed_in(view)).collect();
        let order =
            |listed: &ListedRemittance| (listed.date, listed.number.escaped().to_string(), listed.source.clone());
        listed.sort_by_key(order);
        listed
    }
}

/// The status that an action's entries count under: what was said last, also of one that has moved away and leaves some.
fn status(last: Option<&ActionVersion>) -> ActionStatus {
    let state = last.and_then(|version| match version.change {
        ActionChange::Moved => version.replaced.as_ref(),
        _ => version.state.as_ref(),
    });
    state.map_or(ActionStatus::Committed, |state| state.status)
}
