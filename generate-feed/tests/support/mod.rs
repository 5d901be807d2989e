//! A feed in memory, read back line by line, with the checks that every feed must pass.

#![allow(dead_code, reason = "each test file uses its part")]

use std::collections::{BTreeSet, HashMap};

use aws_lc_rs::digest::{SHA256, digest};
use generate_feed::records::{
    ActionRecord, ActionStatus, EntryKind, EntryRecord, LedgerRecord, MemberRecord, Payee, scheme_in_force,
};
use generate_feed::{Expected, Manifest, Options, Sending, write_feed, write_troubled_feed};

/// Arguments of a feed without specialities.
pub(crate) fn options(establishments: u32) -> Options {
    Options {
        establishments,
        years: "2009-2016".parse().unwrap(),
        seed: 7,
        batch_id: "test".to_owned(),
        large_account: None,
    }
}

/// A feed, as bytes and as records.
pub(crate) struct Feed {
    pub(crate) members_bytes: Vec<u8>,
    pub(crate) ledger_bytes: Vec<u8>,
    pub(crate) manifest: Manifest,
    pub(crate) members: Vec<MemberRecord>,
    pub(crate) actions: Vec<ActionRecord>,
    /// Those in force: the newest version of each.
    pub(crate) entries: Vec<EntryRecord>,
    /// Those that a newer version replaces.
    pub(crate) replaced: Vec<EntryRecord>,
}

/// A feed as it is sent: members and ledger of each batch, and what its import must come to.
pub(crate) struct SentFeed {
    pub(crate) files: Vec<(Vec<u8>, Vec<u8>)>,
    pub(crate) manifests: Vec<Manifest>,
    pub(crate) expected: Expected,
}

impl SentFeed {
    pub(crate) fn write(options: &Options, sending: Sending) -> Self {
        let mut files = vec![(Vec::new(), Vec::new()); sending.count(options)];
        let writers = files.iter_mut().map(|(members, ledger)| (members, ledger)).collect();
        let (manifests, expected) = write_troubled_feed(options, sending, writers, |_| ()).unwrap();
        Self { files, manifests, expected }
    }

    /// The accounts, bad lines left out.
    pub(crate) fn member_numbers(&self) -> BTreeSet<String> {
        let lines = self.files.iter().flat_map(|(members, _)| lines(members));
        lines.filter_map(|line| serde_json::from_str::<MemberRecord>(line).ok()).map(|it| it.member_number).collect()
    }
}

/// The sums of an action's entries.
#[derive(Default)]
pub(crate) struct Sums {
    pub(crate) committed: i64,
    /// The most that was committed at any time.
    pub(crate) promised: i64,
    pub(crate) recovered: i64,
    pub(crate) invoiced: i64,
    pub(crate) paid: i64,
    /// Invoices less payments; below zero between a payment in advance and its invoice.
    pub(crate) in_progress: i64,
    pub(crate) entries: usize,
}

impl Feed {
    pub(crate) fn write(options: &Options) -> Self {
        let (mut members, mut ledger) = (Vec::new(), Vec::new());
        let manifest = write_feed(options, &mut members, &mut ledger, |_| ()).unwrap();
        Self::read(manifest, members, ledger)
    }

    pub(crate) fn read(manifest: Manifest, members_bytes: Vec<u8>, ledger_bytes: Vec<u8>) -> Self {
        let members = lines(&members_bytes).map(|line| serde_json::from_str(line).unwrap());
        let members = members.collect();
        let (mut actions, mut entries, mut replaced) = (Vec::new(), Vec::<EntryRecord>::new(), Vec::new());
        for line in lines(&ledger_bytes) {
            match serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}")) {
                LedgerRecord::Action(action) => actions.push(action),
                LedgerRecord::Entry(entry) => {
                    // A correction follows what it corrects.
                    replaced.extend(entries.pop_if(|last| last.source_key == entry.source_key));
                    entries.push(entry);
                }
            }
        }
        Self { members_bytes, ledger_bytes, manifest, members, actions, entries, replaced }
    }

    pub(crate) fn check_manifest(&self) {
        let [members, ledger] = &self.manifest.files[..] else { panic!("two files") };
        for (file, bytes) in [(members, &self.members_bytes), (ledger, &self.ledger_bytes)] {
            assert_eq!(file.lines, lines(bytes).count() as u64);
            let hash = digest(&SHA256, bytes);
            let hash: String = hash.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
            assert_eq!(file.sha256, hash);
        }
        assert_eq!(members.amount_cents, None);
        let sum: i64 = self.entries.iter().chain(&self.replaced).map(|entry| entry.amount_cents).sum();
        assert_eq!(ledger.amount_cents, Some(sum));
    }

    /// Every entry is well-formed, and every action's status agrees with its sums.
    pub(crate) fn check_accounts(&self) {
        let mut members = HashMap::new();
        for member in &self.members {
            assert!(members.insert(&member.member_number, member).is_none());
        }
        let mut actions: HashMap<&String, (&ActionRecord, Sums)> = HashMap::new();
        for action in &self.actions {
            assert!(members.contains_key(&action.member_number));
            assert!(scheme_in_force(action.scheme, action.engagement_date.year()), "{action:?}");
            actions.insert(&action.action_id, (action, Sums::default()));
        }
        for entry in &self.entries {
            check_entry(entry);
            let Some(action_id) = &entry.action_id else { continue };
            let (action, sums) = actions.get_mut(action_id).unwrap();
            assert_eq!(action.member_number, entry.member_number);
            assert!(entry.effective_date >= action.engagement_date, "{entry:?}");
            sums.add(entry);
        }
        for (action, sums) in actions.values() {
            check_status(action, sums);
        }
    }

    pub(crate) fn sums_of(&self, action_id: &str) -> Sums {
        let mut sums = Sums::default();
        let of_action = |entry: &&EntryRecord| entry.action_id.as_deref() == Some(action_id);
        self.entries.iter().filter(of_action).for_each(|entry| sums.add(entry));
        sums
    }
}

impl Sums {
    pub(crate) fn add(&mut self, entry: &EntryRecord) {
        let cents = entry.amount_cents;
        self.entries += 1;
        match entry.kind {
            EntryKind::Commitment | EntryKind::CommitmentRevision => self.committed += cents,
            EntryKind::CommitmentCancellation => self.committed -= cents,
            EntryKind::InvoiceReceived => {
                self.invoiced += cents;
                self.in_progress += cents;
            }
            EntryKind::InvoiceRejected => {
                self.invoiced -= cents;
                self.in_progress -= cents;
            }
            EntryKind::PaymentToCompany | EntryKind::PaymentToProvider => {
                self.paid += cents;
                self.in_progress -= cents;
            }
            EntryKind::PaymentReturned => {
                self.paid -= cents;
                self.in_progress += cents;
            }
            EntryKind::Recovery => {
                self.paid -= cents;
                self.recovered += cents;
            }
            other => panic!("{other:?} of an action"),
        }
        // What is paid without an invoice is paid in advance, on purpose; the rest was invoiced before.
        let in_advance = self.in_progress < 0;
        assert!(!in_advance || entry.invoice_number.is_none() || entry.kind == EntryKind::InvoiceReceived, "{entry:?}");
        self.promised = self.promised.max(self.committed);
        // Paid in advance or not, nobody is paid more than once too often, and never less than nothing.
        assert!(self.paid <= 2 * self.promised && self.paid >= 0, "{entry:?}");
        assert!(self.in_progress.abs() <= self.promised.max(self.invoiced), "{entry:?}");
    }
}

fn lines(bytes: &[u8]) -> impl Iterator<Item = &str> {
    assert!(bytes.is_empty() || bytes.ends_with(b"\n"));
    str::from_utf8(bytes).unwrap().lines()
}

fn check_entry(entry: &EntryRecord) {
    let is_contribution = entry.kind.is_contribution();
    assert_eq!(entry.action_id.is_none(), is_contribution, "{entry:?}");
    assert_eq!(entry.contribution_year.is_some(), is_contribution, "{entry:?}");
    let positive = entry.amount_cents > 0;
    assert!(entry.amount_cents != 0 && (positive || entry.kind == EntryKind::CommitmentRevision));

    let is_transfer = match entry.kind {
        EntryKind::PaymentToCompany => entry.payee == Some(Payee::Company),
        EntryKind::PaymentToProvider => entry.payee == Some(Payee::Provider),
        EntryKind::PaymentReturned => true,
        _ => false,
    };
    assert_eq!(entry.remittance_number.is_some(), is_transfer, "{entry:?}");
    assert_eq!(entry.bank_reference.is_some(), is_transfer, "{entry:?}");

    let ids = [&entry.action_id, &entry.remittance_number, &entry.invoice_number];
    for id in ids.into_iter().flatten().chain([&entry.source_key]) {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
        assert!((1..=64).contains(&id.len()) && id.bytes().all(plain), "{id}");
    }
}

fn check_status(action: &ActionRecord, sums: &Sums) {
    let Sums { committed, invoiced, paid, in_progress, entries, .. } = *sums;
    let agrees = match action.status {
        ActionStatus::Submitted | ActionStatus::Incomplete | ActionStatus::UnderReview => entries == 0,
        // A commitment that was booked before stays.
        ActionStatus::Refused => (entries == 0) == (committed == 0) && invoiced == 0 && paid == 0,
        ActionStatus::Committed | ActionStatus::Delivered => committed > 0 && invoiced == 0 && paid == 0,
        ActionStatus::Invoiced | ActionStatus::PaymentInProgress => in_progress > 0 && paid == 0,
        ActionStatus::PartlyPaid => 0 < paid && paid < committed,
        // The invoice of a payment in advance may still be missing.
        ActionStatus::Paid => paid >= committed && paid > 0 && in_progress <= 0,
        ActionStatus::Closed => paid > 0 && in_progress <= 0,
        ActionStatus::Cancelled => committed == 0 && invoiced == 0 && in_progress <= 0 && entries > 0,
    };
    assert!(agrees, "{action:?}: {committed} {invoiced} {paid} {in_progress}");
}
