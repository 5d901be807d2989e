//! What any generated feed keeps to: the format, its own manifest, and sound accounts.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::collections::{HashMap, HashSet};

use generate_feed::records::{ActionStatus, EntryKind};
use generate_feed::{Options, write_feed};
use support::{Feed, options};

#[test]
fn equal_arguments_give_equal_bytes() {
    let once = Feed::write(&options(60));
    let again = Feed::write(&options(60));
    assert_eq!(once.members_bytes, again.members_bytes);
    assert_eq!(once.ledger_bytes, again.ledger_bytes);
    assert_eq!(once.manifest, again.manifest);
}

#[test]
fn another_seed_tells_another_history_of_the_same_numbers() {
    let one = Feed::write(&options(60));
    let other = Feed::write(&Options { seed: 99, ..options(60) });
    assert_ne!(one.ledger_bytes, other.ledger_bytes);
    let numbers =
        |feed: &Feed| -> Vec<String> { feed.members.iter().map(|member| member.member_number.clone()).collect() };
    assert_eq!(numbers(&one), numbers(&other));
}

#[test]
fn a_larger_feed_begins_with_the_smaller_one() {
    let small = Feed::write(&options(25));
    let large = Feed::write(&options(60));
    assert!(large.members_bytes.starts_with(&small.members_bytes));
    assert!(large.ledger_bytes.starts_with(&small.ledger_bytes));
}

#[test]
fn the_manifest_counts_sums_and_hashes_what_is_there() {
    Feed::write(&options(60)).check_manifest();
}

#[test]
fn every_source_key_and_action_is_one_of_its_kind() {
    let feed = Feed::write(&options(400));
    let mut keys = HashSet::new();
    for key in feed.entries.iter().map(|entry| &entry.source_key) {
        assert!(keys.insert(key), "{key}");
    }
    for key in feed.actions.iter().flat_map(|action| [&action.source_key, &action.action_id]) {
        assert!(keys.insert(key), "{key}");
    }
}

#[test]
fn accounts_are_sound() {
    Feed::write(&options(1_500)).check_accounts();
}

#[test]
fn a_feed_may_tell_any_years() {
    for years in ["1995-1999", "2012", "2017-2024"] {
        let options = Options { years: years.parse().unwrap(), ..options(200) };
        let feed = Feed::write(&options);
        feed.check_manifest();
        feed.check_accounts();
        let horizon = options.years.horizon();
        assert!(feed.entries.iter().all(|entry| entry.effective_date <= horizon), "{years}");
    }
}

#[test]
fn the_large_account_is_exact_at_any_size() {
    for entries in [500, 501, 502, 503, 4_321] {
        let options = Options { large_account: Some(entries), ..options(6) };
        let feed = Feed::write(&options);
        feed.check_accounts();
        let large = &feed.members[5].member_number;
        let found = feed.entries.iter().filter(|entry| entry.member_number == *large).count();
        assert_eq!(found, entries as usize);
    }
}

/// The fund's entries an account by band, and the shares of what goes wrong: within what a sample
/// of this size may stray by. The largest accounts are too rare in it to be counted.
#[test]
fn the_distribution_is_the_funds() {
    let feed = Feed::write(&options(4_000));
    let bands: HashMap<_, _> =
        feed.members.iter().map(|it| (it.member_number.as_str(), it.headcount_band.as_str())).collect();
    for (band, expected) in [("1-9", 30..=37), ("10-49", 105..=135)] {
        let accounts = bands.values().filter(|it| **it == band).count();
        let entries = feed.entries.iter().filter(|it| bands[it.member_number.as_str()] == band).count();
        let mean = entries / accounts;
        assert!(expected.contains(&mean), "{mean} entries an account of {band}");
    }

    let share = |count: usize, of: usize| count * 1000 / of;
    let with = |status| feed.actions.iter().filter(|action| action.status == status).count();
    let cancelled = share(with(ActionStatus::Cancelled), feed.actions.len());
    assert!((40..=60).contains(&cancelled), "{cancelled} per mille cancelled");

    let of = |kinds: &[EntryKind]| feed.entries.iter().filter(|it| kinds.contains(&it.kind)).count();
    let payments = of(&[EntryKind::PaymentToCompany, EntryKind::PaymentToProvider]);
    let returned = of(&[EntryKind::PaymentReturned]) * 10_000 / payments;
    assert!((15..=45).contains(&returned), "{returned} in ten thousand returned");

    let new_year = feed.actions.iter().filter(|action| {
        let day = action.engagement_date;
        (day.month(), day.day()) == (12, 31) || (day.month(), day.day()) == (1, 1)
    });
    assert!(new_year.count() > feed.actions.len() / 100);
}

/// Each way in which what remains is not what was committed less what was paid.
#[test]
fn some_actions_are_over_or_paid_otherwise_than_promised() {
    use ActionStatus::{Cancelled, Closed, Refused};
    let feed = Feed::write(&options(4_000));
    let mut sums: HashMap<&str, support::Sums> = HashMap::new();
    for entry in &feed.entries {
        if let Some(action_id) = &entry.action_id {
            sums.entry(action_id).or_default().add(entry);
        }
    }
    let actions = || feed.actions.iter().filter(|action| action.member_number != "012345");
    let count = |is: fn(ActionStatus, &support::Sums) -> bool| {
        actions()
            .filter(|action| sums.get(action.action_id.as_str()).is_some_and(|sums| is(action.status, sums)))
            .count()
    };
    let counts = [
        count(|_, sums| sums.paid > sums.committed && sums.committed > 0),
        count(|status, sums| status == Closed && sums.recovered > 0 && sums.paid < sums.committed),
        count(|status, sums| status == Closed && sums.recovered == 0 && sums.paid < sums.committed),
        count(|status, sums| status == Refused && sums.committed > 0),
        count(|status, sums| status == Cancelled && sums.paid > 0),
        count(|status, sums| status == Cancelled && sums.recovered > 0),
    ];
    let one_in = actions().count() / 20_000;
    assert!(counts.iter().all(|count| *count > one_in), "{counts:?} of {}", actions().count());
}

#[test]
fn a_failing_disk_is_an_error_and_not_a_panic() {
    struct Full;
    impl std::io::Write for Full {
        fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
            Err(std::io::ErrorKind::StorageFull.into())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    assert!(write_feed(&options(3), Full, Vec::new(), |_| ()).is_err());
    assert!(write_feed(&options(3), Vec::new(), Full, |_| ()).is_err());
}

#[test]
fn progress_names_each_establishment_once() {
    let mut told = Vec::new();
    write_feed(&options(4), Vec::new(), Vec::new(), |done| told.push(done)).unwrap();
    assert_eq!(told, [1, 2, 3, 4]);
}
