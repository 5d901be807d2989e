//! The demo feed that is committed: made by this generator, and showing all there is to show.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::collections::{BTreeMap, HashSet};
use std::fs;
use std::path::{Path, PathBuf};

use generate_feed::records::{ActionStatus, EntryKind, EntryRecord, Payee, Scheme};
use generate_feed::{LEDGER_FILE, MANIFEST_FILE, MEMBERS_FILE, Options, generate};
use jiff::civil::{Date, date};
use portal::domain::{Email, MemberNumber, Siret};
use support::Feed;

/// The arguments that the command's help and `docs/feed.md` name.
fn demo_options() -> Options {
    Options {
        establishments: 40,
        years: "2009-2016".parse().unwrap(),
        seed: 2012,
        batch_id: "demo-2009-2016".to_owned(),
        large_account: Some(1500),
    }
}

fn demo_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../demo/feed")
}

fn committed() -> Feed {
    let read = |name| fs::read(demo_folder().join(name)).unwrap();
    let manifest = serde_json::from_slice(&read(MANIFEST_FILE)).unwrap();
    Feed::read(manifest, read(MEMBERS_FILE), read(LEDGER_FILE))
}

#[test]
fn the_committed_feed_is_what_the_generator_makes() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("demo-feed");
    let manifest = generate(&demo_options(), &folder, |_| ()).unwrap();
    for name in [MANIFEST_FILE, MEMBERS_FILE, LEDGER_FILE] {
        let made = fs::read(folder.join(name)).unwrap();
        let committed = fs::read(demo_folder().join(name)).unwrap();
        assert!(made == committed, "demo/feed/{name} differs: make it anew, see docs/feed.md");
    }
    assert_eq!(manifest, committed().manifest);
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 3, "nothing half-written stays behind");
}

#[test]
fn it_is_sound() {
    let feed = committed();
    feed.check_manifest();
    feed.check_accounts();
}

#[test]
fn its_totals_are_known() {
    let feed = committed();
    assert_eq!(feed.members.len(), 40);
    assert_eq!((feed.actions.len(), feed.entries.len() + feed.replaced.len()), (ACTIONS, ENTRIES));
    assert_eq!(feed.manifest.files[1].amount_cents, Some(AMOUNT_CENTS));
}

const ACTIONS: usize = 477;
const ENTRIES: usize = 3_447;
const AMOUNT_CENTS: i64 = 320_771_051;

/// The first start loads it within 30 s, on an engine that writes 2,300 items a second.
#[test]
fn it_is_small_enough_for_a_first_start() {
    let feed = committed();
    assert!(feed.actions.len() + feed.entries.len() < 7_000);
    assert!(feed.ledger_bytes.len() + feed.members_bytes.len() < 1_500_000);
}

#[test]
fn the_leaflets_establishment_comes_first() {
    let feed = committed();
    let first = &feed.members[0];
    assert_eq!(first.member_number, "012345");
    assert_eq!(first.siret, "53384615000019");
    assert_eq!(first.name, "MARTIN BTP");
    assert_eq!(first.headcount_band, "10-49");
    assert_eq!(first.closed_on, None);
    let siblings = feed.members[1..].iter().filter(|it| it.siret.starts_with("533846150"));
    assert_eq!(siblings.count(), 2);
}

#[test]
fn members_come_in_all_shapes() {
    let feed = committed();
    let closed = feed.members.iter().filter(|member| member.closed_on.is_some()).count();
    assert!((3..=15).contains(&closed), "{closed}");
    let bands: HashSet<_> = feed.members.iter().map(|it| it.headcount_band.as_str()).collect();
    assert!(bands.is_superset(&HashSet::from(["1-9", "10-49", "50-249"])), "{bands:?}");
    assert!(feed.members.iter().filter(|it| it.member_number.starts_with('0')).count() >= 3);
    assert!(feed.members.iter().all(|it| it.contact_email.ends_with(".example")));
    for member in &feed.members {
        Siret::parse(&member.siret).unwrap();
        MemberNumber::parse(&member.member_number).unwrap();
        Email::parse(&member.contact_email).unwrap();
    }
    let sirets: HashSet<_> = feed.members.iter().map(|it| &it.siret).collect();
    assert_eq!(sirets.len(), 40);
}

#[test]
fn the_showcase_has_every_status_and_every_kind() {
    use EntryKind::*;
    let feed = committed();
    let own = entries_of(&feed, "012345");
    assert!((60..=120).contains(&own.len()), "{}", own.len());
    let kinds: HashSet<EntryKind> = own.iter().map(|entry| entry.kind).collect();
    let sent = EntryKind::ALL.iter().copied().filter(|kind| *kind != Reversal);
    assert_eq!(kinds, sent.collect());
    let revisions = || own.iter().filter(|entry| entry.kind == CommitmentRevision);
    assert!(revisions().any(|entry| entry.amount_cents > 0));
    assert!(revisions().any(|entry| entry.amount_cents < 0));

    let actions = feed.actions.iter().filter(|action| action.member_number == "012345");
    let statuses: HashSet<ActionStatus> = actions.map(|action| action.status).collect();
    assert_eq!(statuses, ActionStatus::ALL.iter().copied().collect());
}

/// Paid twice, taken back, closed with something left, refused with a commitment, cancelled after a payment: by hand,
/// one of each, and what the portal has to show of them.
#[test]
fn the_showcase_has_what_is_over_otherwise_than_promised() {
    let feed = committed();
    let sums = |title: &str| {
        let action = feed.actions.iter().find(|it| it.member_number == "012345" && it.title == title).unwrap();
        let sums = feed.sums_of(&action.action_id);
        (action.status, [sums.committed, sums.paid, sums.recovered])
    };
    assert_eq!(sums("Pose de cloisons"), (ActionStatus::Paid, [90_000, 120_000, 60_000]));
    assert_eq!(sums("Conduite de grue"), (ActionStatus::Closed, [180_000, 150_000, 30_000]));
    assert_eq!(sums("Couverture et zinguerie"), (ActionStatus::Closed, [150_000, 90_000, 0]));
    assert_eq!(sums("Coffrage et banchage"), (ActionStatus::Refused, [70_000, 0, 0]));
    assert_eq!(sums("Carrelage"), (ActionStatus::Cancelled, [0, 20_000, 0]));
}

/// The import makes a reversal of it, the one kind of entry that no feed carries.
#[test]
fn the_showcase_has_a_corrected_entry() {
    let feed = committed();
    let [mistake] = &feed.replaced[..] else { panic!("one: {:?}", feed.replaced) };
    let corrected = feed.entries.iter().find(|entry| entry.source_key == mistake.source_key).unwrap();
    assert_eq!((mistake.source_version, corrected.source_version), (1, 2));
    assert_eq!((mistake.member_number.as_str(), mistake.effective_date), ("012345", corrected.effective_date));
    assert_ne!(mistake.amount_cents, corrected.amount_cents);
}

#[test]
fn the_showcase_has_new_years_eve_and_new_years_day() {
    let feed = committed();
    let engaged = |day: Date| {
        let on_day = |it: &&generate_feed::records::ActionRecord| it.engagement_date == day;
        feed.actions.iter().filter(|it| it.member_number == "012345").find(on_day).unwrap()
    };
    let last_of_2011 = engaged(date(2011, 12, 31));
    engaged(date(2012, 1, 1));

    let paid_in_2013 = entries_of(&feed, "012345").into_iter().any(|entry| {
        entry.action_id.as_ref() == Some(&last_of_2011.action_id)
            && entry.kind == EntryKind::PaymentToCompany
            && entry.effective_date.year() == 2013
    });
    assert!(paid_in_2013);
}

#[test]
fn the_showcase_fills_the_views_of_the_leaflet() {
    let feed = committed();
    let actions = || feed.actions.iter().filter(|action| action.member_number == "012345");
    let in_view = |view: i16| actions().filter(|action| action.engagement_date.year().max(2011) == view).count();
    assert!(in_view(2011) >= 5 && in_view(2012) >= 8);
    for year in 2009..=2016 {
        let mut own = entries_of(&feed, "012345").into_iter();
        assert!(own.any(|entry| entry.contribution_year == Some(year)), "{year}");
    }
}

#[test]
fn one_transfer_pays_several_actions() {
    let feed = committed();
    let mut by_remittance: BTreeMap<&String, HashSet<&Option<String>>> = BTreeMap::new();
    let mut references = BTreeMap::new();
    for entry in entries_of(&feed, "012345") {
        if let Some(number) = &entry.remittance_number {
            by_remittance.entry(number).or_default().insert(&entry.action_id);
            let known = references.insert(number, &entry.bank_reference);
            assert!(known.is_none_or(|reference| *reference == entry.bank_reference));
        }
    }
    assert!(by_remittance.values().any(|actions| actions.len() >= 3));
}

#[test]
fn one_account_has_exactly_1500_entries() {
    let feed = committed();
    let large = &feed.members[5];
    assert_eq!(entries_of(&feed, &large.member_number).len(), 1500);
    assert_eq!(large.closed_on, None);
}

#[test]
fn schemes_are_those_of_their_time() {
    let feed = committed();
    let schemes: HashSet<Scheme> = feed.actions.iter().map(|action| action.scheme).collect();
    use Scheme::*;
    assert_eq!(schemes, HashSet::from([Plan, Dif, Professionalisation, Cpf, Vae, Assessment, Poe]));
}

/// A few are paid on the promise of an invoice: what is in progress is then less than nothing for
/// a while, which a reader must see as zero.
#[test]
fn some_payments_come_before_their_invoice() {
    let feed = committed();
    let advance = entries_of(&feed, "012345").into_iter().find(|entry| {
        entry.kind == EntryKind::PaymentToProvider
            && entry.payee == Some(Payee::Provider)
            && entry.invoice_number.is_none()
    });
    let sums = feed.sums_of(advance.unwrap().action_id.as_ref().unwrap());
    assert_eq!(sums.in_progress, 0, "the invoice came");
}

fn entries_of<'a>(feed: &'a Feed, member_number: &str) -> Vec<&'a EntryRecord> {
    feed.entries.iter().filter(|entry| entry.member_number == member_number).collect()
}
