//! A posted ledger, the digests that `reconcile` writes of it, and what they prove after somebody was in the table.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use aws_sdk_dynamodb::types::AttributeValue;
use harness::{lines, write_batch};
use local::{Options, Portal, bucket_name};
use portal::domain::{MemberNumber, View};
use portal::store::{Chain, Entry, Guard, Record as _, Table, Totals, from_item, to_item, whole_ledger};
use prove_ledger::{Digests, Fault, Proof, prove};
use serde_json::{Value, json};
use tempfile::TempDir;

const NUMBER: &str = "012345";

struct Fund {
    portal: Portal,
    digests: TempDir,
    batches: TempDir,
}

impl Fund {
    async fn start() -> Self {
        let portal = Portal::prepare(Options::default()).await.unwrap();
        let [digests, batches] = [(); 2].map(|()| tempfile::tempdir().unwrap());
        Self { portal, digests, batches }
    }

    /// Posts so many contributions for 2012, whose source keys begin like this.
    async fn post(&self, batch: &str, contributions: u32) {
        let member = json!({"member_number": NUMBER, "siret": "53384615000019", "name": "MARTIN BTP",
            "opened_on": "2009-03-01", "version": 1});
        let records: Vec<_> = (1..=contributions)
            .map(|n| {
                json!({"record": "entry", "source_key": format!("{batch}-{n}"), "source_version": 1, "member_number": NUMBER,
                    "kind": "CONTRIBUTION_LEGAL", "amount_cents": 10_000 + n, "effective_date": "2012-02-28",
                    "contribution_year": 2012, "label": "Contribution"})
            })
            .collect();
        let folder = self.batches.path().join(batch);
        fs::create_dir(&folder).unwrap();
        write_batch(&folder, batch, &lines(&[member]), &lines(&records));
        let report = self.portal.import(&folder).await.unwrap();
        assert_eq!((report.quarantined, report.pending), (0, 0), "{report:?}");
    }

    /// The scheduled run that has the turn of the account, on a day.
    async fn hour(&self, day: u32) -> Value {
        let time = format!("2026-11-{day:02}T09:15:00Z");
        let event = json!({"detail-type": "Scheduled Event", "time": time, "detail": "{}"});
        self.portal.invoke("reconcile", event).await.unwrap()
    }

    /// Copies what the bucket has, as an auditor would; returns the keys.
    async fn copy(&self) -> Vec<String> {
        let (s3, bucket) = (self.portal.s3().unwrap(), bucket_name("DigestBucket"));
        let listed = s3.list_objects_v2().bucket(&bucket).send().await.unwrap();
        let mut keys = Vec::new();
        for object in listed.contents() {
            let key = object.key().unwrap();
            let body = s3.get_object().bucket(&bucket).key(key).send().await.unwrap().body.collect().await.unwrap();
            let path = self.digests.path().join(key);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, body.to_vec()).unwrap();
            keys.push(key.to_owned());
        }
        keys
    }

    async fn prove(&self) -> Proof {
        self.copy().await;
        let digests = Digests::load(&[self.digests.path().to_owned()], &BTreeSet::new()).unwrap();
        // In small pages, so that a small account takes several as a large one does.
        prove(&self.portal.store().unwrap(), &digests, Some(3), |_| {}).await.unwrap()
    }

    /// The command, with the rights of the portal here.
    fn command(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_prove-ledger"));
        command.env_clear().envs(self.portal.environment().variables());
        command.arg("--table").arg(self.portal.table(Table::Ledger).unwrap());
        command.arg("--digests").arg(self.digests.path()).args(arguments).output().unwrap()
    }

    async fn entries(&self) -> Vec<Entry> {
        let store = self.portal.store().unwrap();
        let items = store.query_items(&whole_ledger(&number())).await.unwrap().items;
        let of_contributions = items.into_iter().filter(|item| item["sk"].as_s().unwrap().starts_with("CONTRIBUTION#"));
        let mut entries: Vec<Entry> = of_contributions.map(|item| from_item(item).unwrap()).collect();
        entries.sort_by_key(|entry| entry.posting);
        entries
    }

    /// Writes an entry of another label in place of one, and computes anew every hash that the table has of it: what whoever may
    /// write to the table can do.
    async fn falsify(&self, posting: u64) {
        let (store, mut entries) = (self.portal.store().unwrap(), self.entries().await);
        let altered = &mut entries[usize::try_from(posting).unwrap() - 1];
        let mut item = to_item(altered).unwrap();
        let facts = item.get_mut("facts").unwrap();
        let AttributeValue::M(facts) = facts else { panic!("facts are a map") };
        facts.insert("label".to_owned(), AttributeValue::S("Contribution volontaire".to_owned()));
        *altered = from_item(item).unwrap();
        store.put(altered).await.unwrap();
        let key = Guard::key_of(&altered.source, &altered.source_key);
        let mut guard: Guard = store.get(&key).await.unwrap().unwrap();
        guard.in_force = Some(altered.fingerprint().unwrap());
        store.put(&guard).await.unwrap();
        let key = Totals::key_of(&number(), view());
        let mut totals: Totals = store.get(&key).await.unwrap().unwrap();
        totals.chain = Chain::default();
        entries.iter().for_each(|entry| totals.chain.append(entry.fingerprint().unwrap()));
        store.put(&totals).await.unwrap();
    }

    async fn drift(&self) -> u64 {
        let report = self.portal.invoke("reconcile", json!({"account": NUMBER})).await.unwrap();
        report["drift"].as_u64().unwrap()
    }
}

fn number() -> MemberNumber {
    MemberNumber::parse(NUMBER).unwrap()
}

fn view() -> View {
    View::parse("2012").unwrap()
}

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ledger_that_was_only_posted_to_is_proven() {
    let fund = Fund::start().await;
    fund.post("a", 3).await;
    assert_eq!(fund.hour(28).await["digest"], "2026/11/28/09.ndjson.gz");
    fund.post("b", 4).await;
    fund.hour(29).await;
    fund.post("c", 2).await;
    let proof = fund.prove().await;
    assert_eq!(proof, Proof { accounts: 1, entries: 9, newer: 2, faults: vec![] });
    let output = fund.command(&["--account", NUMBER]);
    let line = "Proven: 1 account, 7 entries, as 2 digests of 2026-11-28T09:15:00Z to 2026-11-29T09:15:00Z say; newer than these: 2\n";
    assert_eq!((output.status.code(), said(&output).as_str()), (Some(0), line));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_falsified_with_all_hashes_beside_it_is_told_by_the_digests() {
    let fund = Fund::start().await;
    fund.post("a", 3).await;
    fund.hour(28).await;
    fund.post("b", 4).await;
    fund.hour(29).await;
    fund.falsify(5).await;
    assert_eq!(fund.drift().await, 0, "the table agrees with itself");
    let proof = fund.prove().await;
    let digest = "2026-11-29T09:15:00Z".parse().unwrap();
    let faults: Vec<_> = proof.faults.iter().map(|faulty| (&faulty.account, &faulty.fault)).collect();
    assert_eq!(faults, [(&number(), &Fault::Altered { view: view(), from: 4, to: 7, digest })]);
    let output = fund.command(&[]);
    assert_eq!(output.status.code(), Some(1));
    let told = "012345 view 2012: entries 4 to 7 are not what the digest of 2026-11-29T09:15:00Z has\nNOT proven: 1 fault in 1 account";
    assert!(said(&output).starts_with(told), "{}", said(&output));
    let report: Value = serde_json::from_slice(&fund.command(&["--json"]).stdout).unwrap();
    assert_eq!(
        report["proof"]["faults"],
        json!([{"account": NUMBER, "fault": "altered", "view": 2012, "from": 4, "to": 7, "digest": "2026-11-29T09:15:00Z"}])
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_of_an_earlier_day_lacks_what_digests_have() {
    let fund = Fund::start().await;
    fund.post("a", 3).await;
    fund.hour(28).await;
    let last = fund.entries().await.pop().unwrap();
    let key = last.key();
    let client = fund.portal.dynamodb().unwrap();
    let text = |text: &str| AttributeValue::S(text.to_owned());
    let delete = client.delete_item().table_name(fund.portal.table(Table::Ledger).unwrap());
    delete.key("pk", text(&key.pk)).key("sk", text(&key.sk)).send().await.unwrap();
    let digest = "2026-11-28T09:15:00Z".parse().unwrap();
    let missing = Fault::Missing { view: view(), from: 3, to: 3, digest };
    assert_eq!(fund.prove().await.faults.into_iter().map(|faulty| faulty.fault).collect::<Vec<_>>(), [missing]);
}

/// A schedule may start a run twice, and somebody who falsified may start one with the time of an earlier one.
#[tokio::test(flavor = "multi_thread")]
async fn the_first_digest_of_an_hour_stands() {
    let fund = Fund::start().await;
    fund.post("a", 3).await;
    fund.hour(28).await;
    let path = fund.digests.path().join(&fund.copy().await[0]);
    let first = fs::read(&path).unwrap();
    fund.falsify(1).await;
    fund.hour(28).await;
    assert_eq!(fund.copy().await.len(), 1);
    assert_eq!(fs::read(&path).unwrap(), first);
    let warned = fund.portal.log_lines().into_iter().rfind(|line| line["function"] == "reconcile").unwrap();
    assert!(warned.to_string().contains("is there already"), "{warned}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_with_drift_is_in_no_digest_and_not_proven() {
    let fund = Fund::start().await;
    fund.post("a", 3).await;
    let store = fund.portal.store().unwrap();
    let mut totals: Totals = store.get(&Totals::key_of(&number(), view())).await.unwrap().unwrap();
    totals.contributions += 1;
    store.put(&totals).await.unwrap();
    fund.hour(28).await;
    fund.copy().await;
    let output = fund.command(&["--account", NUMBER]);
    assert_eq!(output.status.code(), Some(1));
    assert!(said(&output).contains("012345 not proven: its digests left it out"), "{}", said(&output));
    let output = fund.command(&["--account", "000001"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(said(&output).contains("000001 not proven: no digest names it"), "{}", said(&output));
}

#[test]
fn what_is_no_digest_is_told_by_its_path() {
    let here = tempfile::tempdir().unwrap();
    let load = |path: &Path| Digests::load(&[path.to_owned()], &BTreeSet::new()).unwrap_err().to_string();
    assert!(load(here.path()).contains("copy digests from their bucket into it"), "{}", load(here.path()));
    let file: PathBuf = here.path().join("09.ndjson.gz");
    assert!(load(&file).contains("09.ndjson.gz: No such file"), "{}", load(&file));
    fs::write(&file, "no digest").unwrap();
    assert!(load(here.path()).contains("09.ndjson.gz is no digest: line 1"), "{}", load(here.path()));
}
