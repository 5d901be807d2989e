//! Troubles: as many as the fund counts, told apart by the import's own parser, and without a trace in the
//! accounts.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::collections::{BTreeMap, HashSet};
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use generate_feed::{
    Batches, EXPECTED_FILE, Expected, GenerateError, InvalidOptions, LEDGER_FILE, MANIFEST_FILE, MEMBERS_FILE,
    Manifest, Options, Sending, ensure_empty, send, write_troubled_feed,
};
use import_feed::feed::{LedgerRecord, Lines, MemberRecord, Rejected, amount_of};
use support::{SentFeed, options};

const TROUBLED: Sending = Sending { troubles: true, batches: Batches::Whole };
const YEARLY: Sending = Sending { troubles: true, batches: Batches::Yearly };

/// What only the store can tell.
const WITH_THE_STORE: [&str; 2] = ["stale-version", "conflicting-version"];

#[test]
fn the_imports_parser_refuses_the_bad_lines_and_no_others() {
    for sending in [TROUBLED, YEARLY] {
        let feed = SentFeed::write(&options(3_000), sending);
        for ((members, ledger), expected) in feed.files.iter().zip(&feed.expected.batches) {
            let mut reasons = BTreeMap::new();
            let mut refused = |rejected: Rejected| *reasons.entry(rejected.reason.code.to_owned()).or_default() += 1;
            let (mut lines, mut cents) = (0, 0);
            let mut reader = Lines::default();
            reader.push(members, |line| {
                lines += 1;
                let _ = MemberRecord::read(&line).map_err(&mut refused);
            });
            let mut reader = Lines::default();
            reader.push(ledger, |line| {
                lines += 1;
                cents += amount_of(&line);
                let _ = LedgerRecord::read(&line).map_err(&mut refused);
            });
            let mut known: BTreeMap<String, u64> = expected.by_reason.clone();
            known.retain(|reason, _| !WITH_THE_STORE.contains(&reason.as_str()));
            assert_eq!(reasons, known);
            assert_eq!((lines, cents), (expected.totals.lines, expected.totals.amount_cents));
        }
    }
}

#[test]
fn every_reason_comes_up() {
    let feed = SentFeed::write(&options(6_000), TROUBLED);
    let reasons: HashSet<&str> = feed.expected.batches[0].by_reason.keys().map(String::as_str).collect();
    let all = [
        "bad-amount",
        "bad-date",
        "bad-siret",
        "conflicting-version",
        "doubled-field",
        "line-too-long",
        "negative-amount",
        "not-json",
        "not-utf8",
        "stale-version",
        "unknown-kind",
    ];
    assert_eq!(reasons, HashSet::from(all));
}

#[test]
fn there_are_as_many_as_the_fund_counts() {
    let Expected { views, injected, batches, .. } = SentFeed::write(&options(8_000), TROUBLED).expected;
    let entries: u64 = views.values().map(|view| view.entries + view.contributions).sum();
    let lines = batches[0].totals.lines;
    let in_100_000 = |count: u64, of: u64| count * 100_000 / of;
    for (name, share, wanted) in [
        ("corrections", in_100_000(injected.corrections, entries), 2_900..=3_100),
        ("out of order", in_100_000(injected.out_of_order, entries), 900..=1_100),
        ("replays", in_100_000(injected.replays, lines), 450..=550),
        ("bad lines", in_100_000(injected.bad_lines, lines), 80..=120),
    ] {
        assert!(wanted.contains(&share), "{name}: {share} in 100,000");
    }
}

#[test]
fn counts_add_up() {
    for sending in [TROUBLED, YEARLY] {
        let feed = SentFeed::write(&options(300), sending);
        for (report, manifest) in feed.expected.batches.iter().zip(&feed.manifests) {
            let counted = report.posted + report.unchanged + report.corrected + report.stale + report.quarantined;
            let totals = &report.totals;
            assert_eq!(counted, totals.lines);
            let cents = totals.posted_cents + totals.unchanged_cents + totals.stale_cents + totals.quarantined_cents;
            assert_eq!(cents, totals.amount_cents);
            assert_eq!(Some(cents), manifest.files[1].amount_cents);
            assert_eq!(totals.lines, manifest.files.iter().map(|file| file.lines).sum::<u64>());
        }
    }
}

#[test]
fn the_accounts_are_the_same_however_they_are_sent() {
    let options = Options { large_account: Some(600), ..options(200) };
    let clean = SentFeed::write(&options, Sending::default()).expected;
    assert_eq!(clean.injected, generate_feed::Injected::default());
    for sending in [TROUBLED, YEARLY, Sending { batches: Batches::Yearly, ..Sending::default() }] {
        let sent = SentFeed::write(&options, sending).expected;
        assert_eq!((sent.views, sent.accounts), (clean.views.clone(), clean.accounts), "{sending:?}");
    }
}

#[test]
fn equal_arguments_give_equal_bytes_and_larger_feeds_begin_with_smaller_ones() {
    for sending in [TROUBLED, YEARLY] {
        let small = SentFeed::write(&options(40), sending);
        let again = SentFeed::write(&options(40), sending);
        assert!(small.files == again.files && small.expected == again.expected && small.manifests == again.manifests);
        let large = SentFeed::write(&options(90), sending);
        for ((members, ledger), (more_members, more_ledger)) in small.files.iter().zip(&large.files) {
            assert!(more_members.starts_with(members) && more_ledger.starts_with(ledger));
        }
    }
}

#[test]
fn yearly_batches_hold_the_entries_of_their_year() {
    let feed = SentFeed::write(&options(60), Sending { batches: Batches::Yearly, ..Sending::default() });
    let mut entries = 0;
    for (year, (_, ledger)) in (2009..=2016).zip(&feed.files) {
        for line in str::from_utf8(ledger).unwrap().lines() {
            let record: serde_json::Value = serde_json::from_str(line).unwrap();
            if record["record"] == "entry" {
                entries += 1;
                assert!(record["effective_date"].as_str().unwrap().starts_with(&year.to_string()), "{year}: {line}");
            }
        }
    }
    // The showcase's one correction has two lines.
    let in_force: u64 = feed.expected.views.values().map(|view| view.entries + view.contributions).sum();
    assert_eq!(entries, in_force + 1);
}

#[test]
fn folders_hold_what_the_manifests_say() {
    for sending in [TROUBLED, YEARLY] {
        let folder = empty_folder(&format!("complete-{:?}", sending.batches));
        ensure_empty(&folder).unwrap();
        let (manifests, expected) = send(&options(20), sending, &folder, |_| ()).unwrap();
        let feed = SentFeed::write(&options(20), sending);
        assert_eq!((&manifests, &expected), (&feed.manifests, &feed.expected));
        for (place, manifest) in manifests.iter().enumerate() {
            let of_batch = if sending == YEARLY { folder.join((2009 + place).to_string()) } else { folder.clone() };
            let read = |name| fs::read(of_batch.join(name)).unwrap();
            assert_eq!(serde_json::from_slice::<Manifest>(&read(MANIFEST_FILE)).unwrap(), *manifest);
            assert_eq!((read(MEMBERS_FILE), read(LEDGER_FILE)), feed.files[place]);
        }
        let written: Expected = serde_json::from_slice(&fs::read(folder.join(EXPECTED_FILE)).unwrap()).unwrap();
        assert_eq!(written, expected);
        assert!(matches!(ensure_empty(&folder), Err(GenerateError::NotEmpty(_))));
    }
}

#[test]
fn a_run_that_is_cut_off_leaves_no_batch() {
    let folder = empty_folder("cut-off");
    send(&options(5), YEARLY, &folder, |_| ()).unwrap();
    let cut_off = |done| assert!(done < 3, "cut off");
    catch_unwind(AssertUnwindSafe(|| send(&options(5), YEARLY, &folder, cut_off))).unwrap_err();
    assert!(!folder.join(EXPECTED_FILE).exists());
    for year in 2009..=2016 {
        assert!(!folder.join(year.to_string()).join(MANIFEST_FILE).exists(), "{year}");
    }
}

#[test]
fn each_batch_needs_its_writers() {
    let error = write_troubled_feed(&options(5), YEARLY, vec![(Vec::new(), Vec::new())], |_| ()).unwrap_err();
    let expected = InvalidOptions::Writers { batches: 8, writers: 1 }.to_string();
    assert_eq!(error.to_string(), expected);
}

fn empty_folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    if folder.exists() {
        fs::remove_dir_all(&folder).unwrap();
    }
    folder
}
