//! A portal in memory, batches made line by line, and the ledger held against its entries.

#![allow(dead_code, reason = "each test file uses its part")]

use std::collections::{BTreeMap, BTreeSet};

use aws_lc_rs::digest::{SHA256, digest};
use aws_sdk_s3::primitives::ByteStream;
use import_feed::Function;
use local::{Options, Portal};
use portal::clock::Clock;
use portal::domain::{MemberNumber, to_hex};
use portal::lambda::EventFunction as _;
use portal::store::{Action, Entry, Facets, Home, Item, Month, Query, Store, Table, Totals};
use serde_json::{Value, json};

/// A portal without demo data, with the function under test and a store of its tables.
pub(crate) struct Fund {
    pub(crate) portal: Portal,
    pub(crate) function: Function,
    pub(crate) store: Store,
    bucket: String,
}

/// A batch under way.
#[derive(Clone)]
pub(crate) struct Batch {
    pub(crate) id: String,
    pub(crate) members: Vec<String>,
    pub(crate) ledger: Vec<String>,
}

impl Batch {
    pub(crate) fn new(id: &str) -> Self {
        Self { id: id.to_owned(), members: Vec::new(), ledger: Vec::new() }
    }

    pub(crate) fn member(mut self, number: &str, siret: &str, version: u64) -> Self {
        self.members.push(member(number, siret, version).to_string());
        self
    }

    pub(crate) fn record(mut self, record: &Value) -> Self {
        self.ledger.push(record.to_string());
        self
    }

    pub(crate) fn line(mut self, line: &str) -> Self {
        self.ledger.push(line.to_owned());
        self
    }

    /// The files, and a manifest that is true of them.
    pub(crate) fn files(&self) -> (BTreeMap<String, Vec<u8>>, Value) {
        let mut files = BTreeMap::new();
        let mut listed = Vec::new();
        for (name, lines) in [("members.ndjson", &self.members), ("ledger.ndjson", &self.ledger)] {
            let bytes: Vec<u8> = lines.iter().flat_map(|line| [line.as_bytes(), b"\n"].concat()).collect();
            let amount = |line: &String| serde_json::from_str::<Value>(line).ok()?.get("amount_cents")?.as_i64();
            let sum: i64 = lines.iter().filter_map(amount).sum();
            listed.push(json!({
                "name": name, "lines": lines.len(), "amount_cents": sum,
                "sha256": to_hex(digest(&SHA256, &bytes).as_ref()),
            }));
            files.insert(name.to_owned(), bytes);
        }
        let manifest = json!({
            "batch_id": self.id, "source": "erp", "created_at": "2012-10-15T02:00:00Z", "files": listed,
        });
        (files, manifest)
    }
}

pub(crate) fn member(number: &str, siret: &str, version: u64) -> Value {
    json!({
        "member_number": number, "siret": siret, "name": format!("ENTREPRISE {number}"), "headcount_band": "10-49",
        "contact_email": "compta@exemple.fr", "opened_on": "2009-03-01", "version": version,
    })
}

pub(crate) fn action(key: &str, version: u64, number: &str, id: &str, status: &str, engaged: &str) -> Value {
    json!({
        "record": "action", "source_key": key, "source_version": version, "member_number": number, "action_id": id,
        "title": "CACES R482 catégorie A", "scheme": "PLAN", "status": status, "engagement_date": engaged,
    })
}

pub(crate) fn entry(key: &str, version: u64, number: &str, id: &str, kind: &str, cents: i64) -> Value {
    json!({
        "record": "entry", "source_key": key, "source_version": version, "member_number": number, "action_id": id,
        "kind": kind, "amount_cents": cents, "effective_date": "2012-02-10", "label": "Écriture",
    })
}

pub(crate) fn withdrawal(key: &str, version: u64) -> Value {
    json!({"record": "withdrawal", "source_key": key, "source_version": version})
}

impl Fund {
    pub(crate) async fn start() -> Self {
        Self::with(Clock::system(), &[]).await
    }

    /// One whose entries are booked by this clock.
    pub(crate) async fn start_at(clock: Clock) -> Self {
        Self::with(clock, &[]).await
    }

    /// One with these parameters of the template.
    pub(crate) async fn with(clock: Clock, parameters: &[(&str, &str)]) -> Self {
        let parameters = parameters.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let portal = Portal::prepare(Options { parameters, ..Options::default() }).await.unwrap();
        let mut environment = portal.environment_of("import-feed").unwrap().clone();
        environment.clock = clock;
        let bucket = environment.variable("FEED_BUCKET").unwrap().to_owned();
        let function = Function::start(&environment).await.unwrap();
        let store = portal.store().unwrap();
        Self { portal, function, store, bucket }
    }

    pub(crate) async fn put(&self, key: &str, bytes: Vec<u8>) {
        let s3 = self.portal.s3().unwrap();
        s3.put_object().bucket(&self.bucket).key(key).body(ByteStream::from(bytes)).send().await.unwrap();
    }

    pub(crate) async fn object(&self, key: &str) -> Value {
        let s3 = self.portal.s3().unwrap();
        let output = s3.get_object().bucket(&self.bucket).key(key).send().await.unwrap();
        serde_json::from_slice(&output.body.collect().await.unwrap().to_vec()).unwrap()
    }

    pub(crate) async fn upload(&self, batch: &Batch) {
        let (files, manifest) = batch.files();
        self.upload_files(&batch.id, files, &manifest).await;
    }

    pub(crate) async fn upload_files(&self, folder: &str, files: BTreeMap<String, Vec<u8>>, manifest: &Value) {
        for (name, bytes) in files {
            self.put(&format!("{folder}/{name}"), bytes).await;
        }
        self.put(&format!("{folder}/manifest.json"), manifest.to_string().into_bytes()).await;
    }

    pub(crate) fn event(&self, key: &str) -> Value {
        json!({
            "version": "0", "detail-type": "Object Created", "source": "aws.s3",
            "detail": {"bucket": {"name": self.bucket}, "object": {"key": key, "size": 1}},
        })
    }

    /// Hands a function an event and gives its outcome.
    pub(crate) async fn hand(function: &Function, event: Value) -> Value {
        let event = serde_json::from_value(event).unwrap();
        serde_json::to_value(function.handle(event).await.unwrap()).unwrap()
    }

    pub(crate) async fn arrive(&self, folder: &str) -> Value {
        Self::hand(&self.function, self.event(&format!("{folder}/manifest.json"))).await
    }

    pub(crate) async fn import(&self, batch: &Batch) -> Value {
        self.upload(batch).await;
        self.arrive(&batch.id).await
    }

    /// All items of a table.
    pub(crate) async fn items(&self, table: Table) -> Vec<Item> {
        let client = self.portal.dynamodb().unwrap();
        let name = self.portal.table(table).unwrap();
        let mut pages = client.scan().table_name(name).into_paginator().items().send();
        let mut all = Vec::new();
        while let Some(item) = pages.next().await {
            all.push(item.unwrap());
        }
        all
    }

    /// The accounts that the ledger has anything of.
    pub(crate) async fn accounts(&self) -> Vec<MemberNumber> {
        let numbers = self
            .items(Table::Ledger)
            .await
            .into_iter()
            .filter_map(|item| MemberNumber::parse(item["pk"].as_s().ok()?.strip_prefix("ACCOUNT#")?).ok());
        numbers.collect::<BTreeSet<_>>().into_iter().collect()
    }

    pub(crate) async fn entries(&self, number: &MemberNumber) -> Vec<Entry> {
        let all =
            Query::partition(Table::Ledger, format!("ACCOUNT#{number}")).local_index("by_view").beginning("ENTRY#");
        self.store.query_all(&all).await.unwrap()
    }

    /// Committed, paid, in progress, contributed by view.
    pub(crate) async fn figures(&self, number: &str) -> BTreeMap<i16, [i64; 4]> {
        let totals: Vec<Totals> =
            self.store.query_all(&Totals::all(&MemberNumber::parse(number).unwrap())).await.unwrap();
        let shown = totals.into_iter().filter(Totals::is_shown);
        shown
            .map(|t| {
                (t.view.year(), [t.sums.committed.0, t.sums.paid.total().0, t.sums.in_progress.0, t.contributed.0])
            })
            .collect()
    }

    /// Holds all totals and facets against the entries.
    pub(crate) async fn reconcile(&self) {
        for number in self.accounts().await {
            let mut totals: BTreeMap<_, Totals> = BTreeMap::new();
            let mut homes: BTreeMap<_, portal::store::ActionSums> = BTreeMap::new();
            for entry in self.entries(&number).await {
                let view = totals.entry(entry.view).or_insert_with(|| Totals::empty(number.clone(), entry.view));
                view.add_to_month(Month::of(entry.facts.date), entry.effect());
                match (&entry.action_id, entry.scheme) {
                    (Some(action_id), Some(scheme)) => {
                        let home = homes.entry((action_id.clone(), Home { view: entry.view, scheme })).or_default();
                        *home = std::mem::take(home).after(entry.effect(), entry.facts.invoice.as_ref());
                    }
                    _ => view.contributed += entry.effect().contributed,
                }
            }
            for ((action_id, home), sums) in &homes {
                let action: Option<Action> = self.store.get(&Action::key_of(&number, action_id)).await.unwrap();
                let action = action.unwrap();
                // One that was withdrawn has no home, and nothing in force.
                let state = action.state.as_ref();
                let shown = state.map(|state| sums.measures(state.status)).unwrap_or_default();
                totals.get_mut(&home.view).unwrap().add(home.scheme, shown);
                if state.is_none_or(|state| state.home == *home) {
                    assert_eq!(action.sums, *sums, "{number} {action_id}");
                }
            }
            let stored: Vec<Totals> = self.store.query_all(&Totals::all(&number)).await.unwrap();
            for stored in stored {
                let summed = totals.remove(&stored.view).unwrap_or_else(|| Totals::empty(number.clone(), stored.view));
                assert_eq!(
                    (stored.sums, stored.contributed, &stored.schemes, &stored.months),
                    (summed.sums, summed.contributed, &summed.schemes, &summed.months)
                );
                let facets: Option<Facets> = self.store.get(&Facets::key_of(&number, stored.view)).await.unwrap();
                let all = facets.map(|facets| facets.filtered(None, None)).unwrap_or_default();
                assert_eq!(all.measures, stored.sums);
                assert_eq!(all.actions, stored.actions);
            }
            assert!(totals.is_empty(), "entries without totals");
        }
    }
}
