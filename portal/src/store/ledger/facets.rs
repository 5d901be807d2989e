//! The totals of a view by scheme and status: what a filtered list shows above its pages.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::measures::Row;
use super::{Booked, Measures, account_of, partition, pieces};
use crate::domain::{ActionStatus, Cents, MemberNumber, Scheme, View};
use crate::store::{Key, Query, Record, Table};

/// What an account's actions have in a view, by scheme and status.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Stored", into = "Stored")]
pub struct Facets {
    /// Whose they are.
    pub member_number: MemberNumber,
    /// The view.
    pub view: View,
    /// None that is all zero.
    pub sums: BTreeMap<(Scheme, ActionStatus), Facet>,
    /// Whether the view has contributions: these have no facet, but make the view one that is shown.
    pub contributions: bool,
    /// What is contributed.
    pub contributed: Cents,
    /// The state of the view that these are of.
    pub booked: Booked,
    /// Counted up with each write.
    pub version: u64,
}

/// The actions of one scheme and status.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Facet {
    /// How many.
    pub actions: u32,
    /// What they show, added up.
    pub measures: Measures,
}

impl Facets {
    /// Facets of nothing.
    #[must_use]
    pub fn empty(member_number: MemberNumber, view: View) -> Self {
        Self {
            member_number,
            view,
            sums: BTreeMap::new(),
            contributions: false,
            contributed: Cents::ZERO,
            booked: Booked::default(),
            version: 0,
        }
    }

    /// Where they are stored.
    #[must_use]
    pub fn key_of(number: &MemberNumber, view: View) -> Key {
        Key::new(Table::Ledger, partition(number), format!("FACETS#{view}"))
    }

    /// Those of every view, latest first.
    #[must_use]
    pub fn all(number: &MemberNumber) -> Query {
        Query::partition(Table::Ledger, partition(number)).beginning("FACETS#").newest_first()
    }

    /// Whether anything counts in the view; agrees with [`super::Totals::is_shown`] but for the moment in
    /// which an action's entries are moved.
    #[must_use]
    pub fn is_shown(&self) -> bool {
        self.contributions || !self.sums.is_empty()
    }

    /// Counts actions and what they moved.
    pub fn add(&mut self, scheme: Scheme, status: ActionStatus, actions: i32, by: Measures) {
        let facet = self.sums.entry((scheme, status)).or_default();
        facet.actions = facet.actions.saturating_add_signed(actions);
        facet.measures += by;
        if *facet == Facet::default() {
            self.sums.remove(&(scheme, status));
        }
    }

    /// The sums over the facets that a filter lets through.
    #[must_use]
    pub fn filtered(&self, scheme: Option<Scheme>, status: Option<ActionStatus>) -> Facet {
        let passes = |key: &(Scheme, ActionStatus)| {
            scheme.is_none_or(|scheme| scheme == key.0) && status.is_none_or(|status| status == key.1)
        };
        let mut all = Facet::default();
        for (_, facet) in self.sums.iter().filter(|(key, _)| passes(key)) {
            all.actions = all.actions.saturating_add(facet.actions);
            all.measures += facet.measures;
        }
        all
    }
}

impl Record for Facets {
    fn key(&self) -> Key {
        Self::key_of(&self.member_number, self.view)
    }
}

/// The item: `<scheme>#<status>` to how many actions there are, and their figures.
#[derive(Clone, Serialize, Deserialize)]
struct Stored {
    pk: String,
    sk: String,
    sums: BTreeMap<String, Row<8>>,
    contributions: bool,
    contributed: Cents,
    #[serde(flatten)]
    booked: Booked,
    version: u64,
}

impl TryFrom<Stored> for Facets {
    type Error = String;

    fn try_from(stored: Stored) -> Result<Self, String> {
        let ["FACETS", view] = pieces(&stored.sk)? else { return Err("not the sort key of facets".to_owned()) };
        let facet = |(name, Row(row)): (String, Row<8>)| {
            let [actions, measures @ ..] = row;
            let actions = u32::try_from(actions.0).map_err(|_| "a facet with no number of actions")?;
            let [scheme, status] = pieces(&name)?;
            let key = Scheme::parse(scheme).zip(ActionStatus::parse(status)).ok_or("a facet of another kind")?;
            Ok::<_, String>((key, Facet { actions, measures: Row(measures).into() }))
        };
        Ok(Self {
            member_number: account_of(&stored.pk)?,
            view: View::parse(view).ok_or("facets without a view")?,
            sums: stored.sums.into_iter().map(facet).collect::<Result<_, _>>()?,
            contributions: stored.contributions,
            contributed: stored.contributed,
            booked: stored.booked,
            version: stored.version,
        })
    }
}

impl From<Facets> for Stored {
    fn from(facets: Facets) -> Self {
        let Key { pk, sk, .. } = facets.key();
        let facet = |((scheme, status), f): ((Scheme, ActionStatus), Facet)| {
            let Row([committed, to_company, to_providers, in_progress, remaining, overpaid, recovered]) =
                f.measures.into();
            let actions = Cents(f.actions.into());
            let row = [actions, committed, to_company, to_providers, in_progress, remaining, overpaid, recovered];
            (format!("{}#{}", scheme.as_str(), status.as_str()), Row(row))
        };
        Self {
            pk,
            sk,
            sums: facets.sums.into_iter().map(facet).collect(),
            contributions: facets.contributions,
            contributed: facets.contributed,
            booked: facets.booked,
            version: facets.version,
        }
    }
}
