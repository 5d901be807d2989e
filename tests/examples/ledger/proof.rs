//! The proof of a large account against a digest, against reading it.

use std::collections::BTreeSet;
use std::fs;

use harness::World;
use local::{Options, bucket_name};
use portal::clock::Stopwatch;
use portal::domain::MemberNumber;
use portal::store::{Store, whole_ledger};
use prove_ledger::{Digests, prove};
use serde_json::json;

use crate::feed;
use crate::table::{Row, median};

const ENTRIES: u32 = 100_000;
const ROUNDS: usize = 5;

/// The time of the proof, as a share of that of reading the same items.
pub(crate) async fn proof() -> Row {
    let world = World::empty(Options::default()).await;
    world.import("members", &feed::members(0..1), "").await;
    world.import("ledger", "", &feed::ledger(0, ENTRIES, 8)).await;
    let number = MemberNumber::parse(&feed::number(0)).expect("a number");
    let (store, digests) = (world.portal.store().expect("a store"), digests(&world, &number).await);
    let (mut read, mut proven) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        read.push(read_all(&store, &number).await);
        let stopwatch = Stopwatch::start();
        let proof = prove(&store, &digests, None, |_| {}).await.expect("a proof");
        proven.push(stopwatch.elapsed().as_secs_f64());
        assert_eq!((proof.entries, proof.newer, proof.faults.len()), (u64::from(ENTRIES), 0, 0));
    }
    let (read, proven) = (median(&mut read), median(&mut proven));
    let mut row = Row::new("proof of 100,000 entries, against reading the account", proven / read, "x");
    row.at_most(3.0).note(format!("{proven:.2} s against {read:.2} s"));
    row
}

/// The digest that the account's hour writes, copied as an auditor copies it.
async fn digests(world: &World, number: &MemberNumber) -> Digests {
    let hour = number.as_str().parse::<u32>().expect("digits") % 24;
    let time = format!("2026-11-23T{hour:02}:15:00Z");
    let event = json!({"detail-type": "Scheduled Event", "time": time, "detail": "{}"});
    let report = world.portal.invoke("reconcile", event).await.expect("a run");
    let key = report["digest"].as_str().expect("a digest").to_owned();
    let object = world.portal.s3().expect("a client").get_object().bucket(bucket_name("DigestBucket")).key(key);
    let body = object.send().await.expect("the digest").body.collect().await.expect("all of it");
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("digest.ndjson.gz"), body.to_vec()).expect("a file");
    Digests::load(&[folder.path().to_owned()], &BTreeSet::new()).expect("a digest")
}

async fn read_all(store: &Store, number: &MemberNumber) -> f64 {
    let stopwatch = Stopwatch::start();
    let mut items = 0;
    store.each_item(whole_ledger(number), |_| items += 1).await.expect("all pages");
    assert!(items > ENTRIES);
    stopwatch.elapsed().as_secs_f64()
}
