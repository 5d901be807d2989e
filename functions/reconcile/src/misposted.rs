//! Marks of records that left the account: each is there that its guard notes, and no other.

use std::collections::HashSet;

use portal::domain::MemberNumber;
use portal::store::{Guard, Key, Misposted, Store, StoreError};

use crate::drift::Found;
use crate::posted::{GUARDS_AT_ONCE, Held};

/// The marks of an account, and the records that may have one: of which all was reversed.
#[derive(Debug, Default)]
pub(crate) struct Marked {
    /// The guards of the records that have a mark.
    marked: HashSet<Key>,
    reversed: HashSet<Key>,
    in_force: HashSet<Key>,
    /// True where the item is there that says that there are marks.
    is_told: bool,
}

impl Marked {
    pub(crate) fn take(&mut self, mark: Misposted) {
        match mark.record {
            // It has the record again.
            Some(_) if mark.is_back => {}
            Some((source, source_key)) => drop(self.marked.insert(Guard::key_of(&source, &source_key))),
            None => self.is_told = true,
        }
    }

    /// Guards of reversed entries.
    pub(crate) fn reversed(&mut self, guards: Vec<Key>) {
        self.reversed.extend(guards);
    }

    /// Entries in force.
    pub(crate) fn in_force(&mut self, held: &[Held]) {
        self.in_force.extend(held.iter().map(|held| held.guard.clone()));
    }

    /// Holds the marks against the guards of their records.
    ///
    /// # Errors
    /// Where the store fails.
    pub(crate) async fn hold(self, store: &Store, account: &MemberNumber, found: &mut Found) -> Result<(), StoreError> {
        if !self.marked.is_empty() && !self.is_told {
            found.missing(&Misposted::key_of_any(account).sk);
        }
        // What is in force here has left only other accounts; a mark of it is one too many.
        let gone = self.reversed.difference(&self.in_force);
        let asked: HashSet<&Key> = gone.chain(&self.marked).collect();
        let mut asked: Vec<&Key> = asked.into_iter().collect();
        asked.sort_by_key(|key| &key.pk);
        for some in asked.chunks(GUARDS_AT_ONCE) {
            let guards = store.fetch_each::<Guard>(some.iter().copied().cloned()).await?;
            for (key, guard) in some.iter().zip(guards) {
                let has_left = guard.as_ref().is_some_and(|guard| guard.left.contains(account));
                // A guard that notes as many as it can has forgotten some.
                let may_have = guard.as_ref().is_some_and(|guard| guard.left.len() >= Guard::MOST_LEFT);
                let mark = key.pk.strip_prefix("SOURCE#").unwrap_or(&key.pk);
                match (has_left, self.marked.contains(*key)) {
                    (true, false) => found.missing(&format!("MISPOSTED#{mark}")),
                    (false, true) if !may_have => {
                        found.unexpected(&format!("MISPOSTED#{mark}"), "a mark of a record that did not leave");
                    }
                    _ => {}
                }
            }
        }
        Ok(())
    }
}
