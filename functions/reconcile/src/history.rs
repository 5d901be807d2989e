//! The versions of actions, held against the actions, against each other, and against what counted them.

use std::collections::BTreeMap;

use jiff::Timestamp;
use portal::domain::{Identifier, View};
use portal::store::{Action, ActionState, ActionVersion, Chain, Fingerprint};

use crate::drift::Found;

/// The histories of an account's actions, while their versions pass by.
#[derive(Debug, Default)]
pub(crate) struct Histories {
    actions: BTreeMap<Identifier, History>,
    views: BTreeMap<View, Versions>,
}

/// The versions that were booked to a view.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Versions {
    pub(crate) count: u64,
    pub(crate) last: Option<Timestamp>,
}

/// The history of one action.
#[derive(Debug)]
struct History {
    /// As the action's item has it, and when the last version was booked.
    stored: (Chain, Option<Timestamp>),
    /// The action's state now, where it is here.
    state: Option<ActionState>,
    /// Of the versions that passed.
    passed: (Chain, Option<Timestamp>),
    /// The state that the last of them said.
    last: Option<ActionState>,
}

impl Histories {
    /// Takes an action, before its versions.
    pub(crate) fn add_action(&mut self, action: &Action) {
        let state = action.state.clone().filter(|_| action.is_here());
        let stored = (action.history, action.changed_at);
        let history = History { stored, state, passed: (Chain::default(), None), last: None };
        self.actions.insert(action.action_id.clone(), history);
    }

    /// Takes the next version, whose item has this fingerprint, stored under `sk`.
    pub(crate) fn add(&mut self, sk: &str, version: ActionVersion, fingerprint: Fingerprint, found: &mut Found) {
        for view in version.views() {
            let of_view = self.views.entry(view).or_default();
            of_view.count += 1;
            of_view.last = of_view.last.max(Some(version.booked_at));
        }
        let Some(history) = self.actions.get_mut(&version.action_id) else {
            return found.unexpected(sk, "a version of no action");
        };
        let (chain, changed_at) = &mut history.passed;
        if version.number != chain.next() {
            let expected = chain.next().to_string();
            found.add(sk, "number", Some(version.number.to_string()), Some(expected));
        }
        if version.replaced != history.last {
            found.unexpected(sk, "it replaced something else than the version before");
        }
        chain.append(fingerprint);
        // Goes on from here, so that one gap is one drift.
        (chain.postings, *changed_at) = (version.number, Some(version.booked_at));
        history.last = version.state;
    }

    /// All versions have passed.
    pub(crate) fn hold(&self, found: &mut Found) {
        for (id, history) in &self.actions {
            let sk = format!("ACTION#{id}#");
            let told = |(chain, at): &(Chain, Option<Timestamp>)| {
                let at = at.map(|at| at.to_string()).unwrap_or_default();
                Some(format!("{} {} {at}", chain.postings, chain.hash))
            };
            if history.stored != history.passed {
                found.add(&sk, "history", told(&history.stored), told(&history.passed));
            }
            if history.state != history.last {
                found.unexpected(&sk, "its last version says something else");
            }
        }
    }

    pub(crate) fn of(&self, view: View) -> Versions {
        self.views.get(&view).copied().unwrap_or_default()
    }
}
