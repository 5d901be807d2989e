//! What was posted, held against itself: numbers without gaps, the chain of a view, reversals against what they reverse, and
//! what is in force against its guard.

use std::collections::HashMap;

use jiff::Timestamp;
use portal::domain::Id;
use portal::store::{
    ActionState, Booked, Chain, Entry, Fingerprint, Guard, Key, Pending, Store, StoreError, WaitingRecord,
};

use crate::drift::{Fields, Found};
use crate::history::Versions;

/// The entries of a view, by their numbers.
#[derive(Debug, Default)]
pub(crate) struct Postings(Vec<(u64, Timestamp, Fingerprint)>);

impl Postings {
    pub(crate) fn add(&mut self, entry: &Entry, fingerprint: Fingerprint) {
        self.0.push((entry.posting, entry.booked_at, fingerprint));
    }

    /// Puts what names the state of the view: the number of the last entry, how many versions of actions were booked beside,
    /// and when the last of either was.
    pub(crate) fn put_state(&self, versions: Versions, fields: &mut Fields) {
        let Booked { postings, versions, at } = self.state(versions);
        fields.put("postings", postings);
        fields.put("versions", versions);
        fields.put_some("booked_at", at.map(Timestamp::as_millisecond));
    }

    /// The state of the view.
    pub(crate) fn state(&self, versions: Versions) -> Booked {
        let postings = self.0.iter().map(|(number, ..)| *number).max().unwrap_or_default();
        let last = self.0.iter().map(|(_, at, _)| *at).max().max(versions.last);
        Booked { postings, versions: versions.count, at: last }
    }

    /// Puts what the totals of the view, which are stored under `sk`, must have, and returns it; tells of each number that is
    /// missing or stands twice.
    pub(crate) fn put(mut self, sk: &str, versions: Versions, fields: &mut Fields, found: &mut Found) -> Chain {
        self.put_state(versions, fields);
        self.0.sort_unstable_by_key(|(number, ..)| *number);
        let mut chain = Chain::default();
        let mut last = Timestamp::MIN;
        for (number, at, fingerprint) in &self.0 {
            if *at < last {
                found.add(sk, "booked_at.order", Some(at.to_string()), Some(last.to_string()));
            }
            last = *at;
            if *number != chain.next() {
                let expected = chain.next().to_string();
                found.add(sk, "postings.number", Some(number.to_string()), Some(expected));
            }
            chain.append(*fingerprint);
            // Goes on from here, so that one gap is one drift.
            chain.postings = *number;
        }
        fields.put("chain", chain.hash);
        chain
    }
}

/// The entries of an action, or the contributions, while they pass by: of reversed ones and reversals the hash of what the
/// reversal must be.
#[derive(Debug, Default)]
pub(crate) struct Reversals {
    /// The reversal that each entry would have, and the entry as it is in force.
    reversible: HashMap<Id, (Fingerprint, Held)>,
    /// By what they reverse.
    reversals: HashMap<Id, (String, Fingerprint)>,
}

impl Reversals {
    /// Takes the next entry, whose item has this fingerprint.
    pub(crate) fn add(&mut self, entry: &Entry, fingerprint: Fingerprint) {
        let sk = entry.place().sk;
        match entry.reverses {
            Some(reversed) => {
                self.reversals.insert(reversed.entry_id, (sk, mirror(entry.clone())));
            }
            None => {
                let reversal = entry.reversal(entry.source_version, &entry.batch_id, entry.booked_at);
                let key = Guard::key_of(&entry.source, &entry.source_key);
                let in_force = Held { guard: key, fingerprint, sk, as_what: As::InForce };
                self.reversible.insert(entry.entry_id, (mirror(reversal), in_force));
            }
        }
    }

    /// Holds reversals against what they reverse; returns what is not reversed, and the guards of what is.
    pub(crate) fn hold(mut self, found: &mut Found) -> (Vec<Held>, Vec<Key>) {
        let mut of_reversed = Vec::new();
        for (reversed, (sk, stored)) in self.reversals {
            match self.reversible.remove(&reversed) {
                Some((computed, held)) if computed == stored => of_reversed.push(held.guard),
                Some((computed, _)) => found.add(&sk, "mirror", Some(stored.to_string()), Some(computed.to_string())),
                None => found.add(&sk, "reverses", Some(reversed.to_string()), None),
            }
        }
        (self.reversible.into_values().map(|(_, in_force)| in_force).collect(), of_reversed)
    }
}

/// The hash of a reversal without what it has of its own: when and with what it came.
fn mirror(reversal: Entry) -> Fingerprint {
    let bare = Entry {
        posting: 0,
        source_version: 0,
        batch_id: reversal.source.clone(),
        booked_at: Timestamp::UNIX_EPOCH,
        ..reversal
    };
    // What was read from an item is one; where it were none, it would be like nothing that is stored.
    bare.fingerprint().unwrap_or_default()
}

/// The way in which a guard has a hash.
#[derive(Debug, Clone, Copy)]
enum As {
    InForce,
    /// For its action.
    Pending,
    /// For its member.
    Waiting,
}

/// A thing that a guard has the hash of: in force, or waiting for its action or its member.
#[derive(Debug)]
pub(crate) struct Held {
    pub(crate) guard: Key,
    fingerprint: Fingerprint,
    sk: String,
    as_what: As,
}

impl Held {
    /// An entry that waits for its action; its item has this fingerprint.
    pub(crate) fn pending(sk: &str, pending: &Pending, fingerprint: Fingerprint) -> Self {
        let guard = Guard::key_of(&pending.source, &pending.source_key);
        Self { guard, fingerprint, sk: sk.to_owned(), as_what: As::Pending }
    }

    /// A record that waits for its member; its item has this fingerprint.
    pub(crate) fn waiting(sk: &str, record: &WaitingRecord, fingerprint: Fingerprint) -> Self {
        let guard = Guard::key_of(&record.source, &record.source_key);
        Self { guard, fingerprint, sk: sk.to_owned(), as_what: As::Waiting }
    }

    /// An action's state, stored under `sk`.
    ///
    /// # Errors
    /// Where it cannot be an item.
    pub(crate) fn action(sk: &str, state: &ActionState) -> Result<Self, StoreError> {
        let guard = Guard::key_of(&state.source, &state.source_key);
        Ok(Self { guard, fingerprint: state.fingerprint()?, sk: sk.to_owned(), as_what: As::InForce })
    }
}

/// Holds what is in force, and what waits, against the guards of its source keys.
///
/// # Errors
/// Where the store fails.
pub(crate) async fn hold_guards(store: &Store, held: &[Held], found: &mut Found) -> Result<(), StoreError> {
    for some in held.chunks(GUARDS_AT_ONCE) {
        // What is in force and what is to correct it have one guard.
        let guards = store.fetch_each::<Guard>(some.iter().map(|held| held.guard.clone())).await?;
        for (held, guard) in some.iter().zip(guards) {
            let known = guard.and_then(|guard| match held.as_what {
                As::InForce => guard.in_force,
                As::Pending => guard.kept,
                As::Waiting => guard.waits.and_then(|waits| waits.kept),
            });
            if known != Some(held.fingerprint) {
                let known = known.map(|fingerprint| fingerprint.to_string());
                found.add(&held.sk, "content", Some(held.fingerprint.to_string()), known);
            }
        }
    }
    Ok(())
}

/// The guards that are read at once, so that those of a large account are not all in memory: what one `BatchGetItem` takes.
pub(crate) const GUARDS_AT_ONCE: usize = 100;
