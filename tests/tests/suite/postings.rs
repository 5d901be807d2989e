//! Any batches, cut off anywhere, repeated, in any order and beside each other, on the engine: after each
//! transaction the ledger is what its entries add up to, and the end is that of a plain model.
//!
//! A seed is printed with each case; `POSTINGS_SEED=<seed> cargo test -p portal-tests postings::` runs that one
//! alone. What is parallel is not replayed to the call, but the records, batches and cuts are.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use futures::FutureExt as _;
use harness::{Calls, Commits, Held, World, write_batch};
use portal::domain::{MemberNumber, Siret};
use portal::environment::rng;
use portal::lambda::EventFunction as _;
use portal::store::{Action, Entry, Item, from_item, whole_ledger};
use rand::rngs::StdRng;
use rand::seq::{IndexedRandom as _, SliceRandom as _};
use rand::{RngExt as _, SeedableRng as _};
use serde_json::{Value, json};

/// How many cases are run; about a second each.
const CASES: u64 = 24;
const DATES: [&str; 4] = ["2010-05-05", "2011-12-31", "2012-01-01", "2013-06-30"];
const KINDS: [&str; 9] = [
    "COMMITMENT",
    "COMMITMENT_REVISION",
    "COMMITMENT_CANCELLATION",
    "INVOICE_RECEIVED",
    "INVOICE_REJECTED",
    "PAYMENT_TO_COMPANY",
    "PAYMENT_TO_PROVIDER",
    "PAYMENT_RETURNED",
    "RECOVERY",
];
const CONTRIBUTIONS: [&str; 4] =
    ["CONTRIBUTION_LEGAL", "CONTRIBUTION_AGREEMENT", "CONTRIBUTION_VOLUNTARY", "CONTRIBUTION_REFUND"];

/// A case: two accounts, and versions of actions and entries in them. The content follows from key and version.
struct Case {
    seed: u64,
    rng: StdRng,
    accounts: [String; 2],
    records: Vec<Value>,
}

impl Case {
    fn new(number: u64, seed: u64) -> Self {
        let accounts = [100_000 + 2 * number, 100_001 + 2 * number].map(|number| number.to_string());
        let mut case = Self { seed, rng: StdRng::seed_from_u64(seed), accounts, records: Vec::new() };
        let mut versions = BTreeMap::<String, u64>::new();
        let mut next = |key: String| {
            let version = versions.entry(key.clone()).or_default();
            *version += 1;
            (key, *version)
        };
        for _ in 0..case.rng.random_range(3..9) {
            let id = case.rng.random_range(0..3);
            let (key, version) = next(format!("A-{number}-{id}"));
            let record = json!({
                "record": "action", "source_key": key, "source_version": version, "member_number": case.account(),
                "action_id": format!("id-{id}"), "title": "CACES", "scheme": case.one(&["PLAN", "DIF"]),
                "status": case.one(&["COMMITTED", "PARTLY_PAID", "PAID"]), "engagement_date": case.one(&DATES),
            });
            case.records.push(record);
        }
        for _ in 0..case.rng.random_range(8..25) {
            let nth = case.rng.random_range(0..9);
            let (key, version) = next(format!("E-{number}-{nth}"));
            let record = case.entry(&key, version);
            case.records.push(record);
        }
        case.complete();
        case
    }

    fn one(&mut self, of: &[&'static str]) -> &'static str {
        of.choose(&mut self.rng).unwrap()
    }

    fn account(&mut self) -> String {
        self.accounts.choose(&mut self.rng).unwrap().clone()
    }

    fn entry(&mut self, key: &str, version: u64) -> Value {
        let cents = self.rng.random_range(1..1_000);
        let mut entry = json!({
            "record": "entry", "source_key": key, "source_version": version, "member_number": self.account(),
            "amount_cents": cents, "effective_date": self.one(&DATES), "label": "Écriture",
        });
        if self.rng.random_ratio(1, 5) {
            entry["kind"] = json!(self.one(&CONTRIBUTIONS));
            entry["contribution_year"] = json!(self.rng.random_range(2009..2014));
            self.maybe_transferred(&mut entry, 1);
            return entry;
        }
        let kind = self.one(&KINDS);
        entry["kind"] = json!(kind);
        entry["action_id"] = json!(format!("id-{}", self.rng.random_range(0..3)));
        if kind == "COMMITMENT_REVISION" && self.rng.random() {
            entry["amount_cents"] = json!(-cents);
        }
        self.maybe_transferred(&mut entry, if kind.starts_with("PAYMENT") { 3 } else { 1 });
        entry
    }

    /// Gives an entry the number of a notice so many times of four: also one that no transfer pays.
    fn maybe_transferred(&mut self, entry: &mut Value, of_four: u32) {
        if self.rng.random_ratio(of_four, 4) {
            entry["remittance_number"] = json!(self.one(&["V-1", "V-2"]));
            entry["bank_reference"] = json!(self.one(&["CSTR 1", "CSTR 2"]));
        }
    }

    /// Makes the newest version of each entry one that does not wait for ever.
    fn complete(&mut self) {
        for (place, action_id) in newest(&self.records)
            .into_values()
            .filter_map(|place| {
                Some((place, self.records[place]["action_id"].clone()))
                    .filter(|_| self.records[place]["record"] == "entry")
            })
            .collect::<Vec<_>>()
        {
            if action_id.is_null() {
                continue;
            }
            let had: Vec<Value> = self
                .records
                .iter()
                .filter(|record| record["record"] == "action" && record["action_id"] == action_id)
                .map(|action| action["member_number"].clone())
                .collect();
            let record = &mut self.records[place];
            match had.last() {
                // An account that the action had at some time will do.
                Some(_) if had.contains(&record["member_number"]) => {}
                Some(account) => record["member_number"] = account.clone(),
                None => {
                    let fields = record.as_object_mut().unwrap();
                    for name in ["action_id", "remittance_number", "bank_reference"] {
                        fields.remove(name);
                    }
                    record["kind"] = json!("CONTRIBUTION_LEGAL");
                    record["contribution_year"] = json!(2012);
                    record["amount_cents"] = json!(77);
                }
            }
        }
    }

    /// Some of the records, in any order, some of them twice.
    fn some(&mut self) -> Vec<Value> {
        let mut some: Vec<Value> = self.records.iter().chain(&self.records).cloned().collect();
        some.shuffle(&mut self.rng);
        some.truncate(self.rng.random_range(1..=some.len()));
        some
    }

    /// What the newest versions say, told without any code of the portal.
    fn model(&self) -> BTreeSet<String> {
        let newest: Vec<&Value> = newest(&self.records).into_values().map(|place| &self.records[place]).collect();
        let view = |date: &Value| date.as_str().unwrap()[..4].parse::<i64>().unwrap().max(2011);
        let actions: BTreeMap<&str, &Value> = newest
            .iter()
            .filter(|record| record["record"] == "action")
            .map(|action| (action["action_id"].as_str().unwrap(), *action))
            .collect();
        let told = |record: &&Value| {
            let text = |value: &Value| value.as_str().unwrap_or("-").to_owned();
            if record["record"] == "action" {
                return line(&[
                    &text(&record["member_number"]),
                    &text(&record["action_id"]),
                    &view(&record["engagement_date"]).to_string(),
                    &text(&record["scheme"]),
                    &text(&record["status"]),
                ]);
            }
            let action = record["action_id"].as_str().map(|id| actions[id]);
            let year = || record["contribution_year"].as_i64().unwrap().max(2011);
            line(&[
                &text(&action.unwrap_or(*record)["member_number"]),
                &text(&record["action_id"]),
                &action.map_or_else(year, |action| view(&action["engagement_date"])).to_string(),
                &action.map_or("-".to_owned(), |action| text(&action["scheme"])),
                &text(&record["source_key"]),
                &record["source_version"].to_string(),
                &text(&record["kind"]),
                &record["amount_cents"].to_string(),
                &text(&record["effective_date"]),
                &text(&record["remittance_number"]),
                &text(&record["bank_reference"]),
            ])
        };
        newest.iter().map(told).collect()
    }

    /// What the ledger says: the actions that are here, and the entries in force.
    async fn ledger(&self, world: &World) -> (BTreeSet<String>, usize) {
        let (mut lines, mut count) = (BTreeSet::new(), 0);
        for account in &self.accounts {
            let query = whole_ledger(&MemberNumber::parse(account).unwrap());
            let items: Vec<Item> = world.store().query_all_items(&query).await.unwrap();
            count += items.len();
            let sort_key = |item: &Item| item["sk"].as_s().unwrap().clone();
            assert!(!items.iter().any(|item| sort_key(item).starts_with("PENDING#")), "nothing waits in the end");
            let is_entry = |sk: &str| sk.starts_with("CONTRIBUTION#") || sk.contains("#ENTRY#");
            let entries: Vec<Entry> = items
                .iter()
                .filter(|item| is_entry(&sort_key(item)))
                .map(|item| from_item(item.clone()).unwrap())
                .collect();
            let reversed: BTreeSet<String> =
                entries.iter().filter_map(|entry| Some(entry.reverses?.entry_id.to_string())).collect();
            let in_force = |entry: &&Entry| entry.reverses.is_none() && !reversed.contains(&entry.entry_id.to_string());
            lines.extend(entries.iter().filter(in_force).map(entry_line));
            let is_action = |sk: &str| sk.starts_with("ACTION#") && sk.ends_with('#');
            for item in items.iter().filter(|item| is_action(&sort_key(item))) {
                let action: Action = from_item(item.clone()).unwrap();
                assert!(!action.is_unfinished(), "{action:?}");
                lines.extend(action.state.as_ref().filter(|_| action.is_here()).map(|state| {
                    line(&[
                        account,
                        action.action_id.as_str(),
                        &state.home.view.to_string(),
                        state.home.scheme.as_str(),
                        state.status.as_str(),
                    ])
                }));
            }
        }
        (lines, count)
    }
}

/// Where the newest version of each key is.
fn newest(records: &[Value]) -> BTreeMap<String, usize> {
    let keys = records.iter().enumerate().map(|(place, record)| (record["source_key"].to_string(), place));
    // Versions count up, so the last is the newest.
    keys.collect()
}

fn line(fields: &[&str]) -> String {
    fields.join(" ")
}

fn entry_line(entry: &Entry) -> String {
    let facts = &entry.facts;
    line(&[
        entry.member_number.as_str(),
        entry.action_id.as_ref().map_or("-", |id| id.as_str()),
        &entry.view.to_string(),
        entry.scheme.map_or("-", |scheme| scheme.as_str()),
        entry.source_key.as_str(),
        &entry.source_version.to_string(),
        facts.kind.as_str(),
        &facts.amount.0.to_string(),
        &facts.date.to_string(),
        facts.remittance.as_ref().map_or("-", |number| number.as_str()),
        facts.bank.as_ref().map_or("-", |bank| bank.as_str()),
    ])
}

/// Imports records under a name; an error where the line died.
async fn import(world: &World, folder: &Path, name: &str, records: &[Value]) -> Result<local::Report, String> {
    let folder = folder.join(name);
    std::fs::create_dir(&folder).unwrap();
    let lines: String = records.iter().map(|record| format!("{record}\n")).collect();
    write_batch(&folder, name, "", &lines);
    let report = world.portal.import(&folder).await.map_err(|error| error.to_string())?;
    assert_eq!(report.quarantined, 0, "{:?}", report.quarantine);
    Ok(report)
}

/// Members for all cases.
fn members(cases: &[Case]) -> String {
    // With these two digits at its end every one of them has the right sum.
    let sirets = (0_u64..).filter_map(|n| Siret::parse(&format!("{}", 53_384_615_000_000 + n)).ok());
    let numbers = cases.iter().flat_map(|case| &case.accounts);
    let member = |(number, siret): (&String, Siret)| {
        json!({"member_number": number, "siret": siret.as_str(), "name": "MARTIN BTP", "headcount_band": "10-49",
            "contact_email": "compta@martin.example", "opened_on": "2009-03-01", "version": 1})
    };
    numbers.zip(sirets).map(member).map(|member| format!("{member}\n")).collect()
}

#[tokio::test(flavor = "multi_thread")]
#[allow(clippy::disallowed_methods, clippy::print_stdout, reason = "a seed is told, and taken from whoever replays it")]
async fn any_batches_cut_anywhere_and_beside_each_other_end_in_the_models_state_and_never_drift() {
    let (commits, options) = Commits::of_imports();
    let world = World::empty(options).await;
    let given = std::env::var("POSTINGS_SEED").ok().map(|seed| seed.parse::<u64>().unwrap());
    let base = rng().random::<u64>() >> 16;
    let seeds = given.map_or_else(|| (base..base + CASES).collect(), |seed| vec![seed]);
    let mut cases: Vec<Case> = seeds.into_iter().zip(0..).map(|(seed, number)| Case::new(number, seed)).collect();
    world.import("members", &members(&cases), "").await;

    let environment = world.portal.environment_of("reconcile").unwrap();
    let reconcile = reconcile::Function::start(environment).await.unwrap();
    commits.look(move || {
        let reconcile = reconcile.clone();
        async move {
            let report = reconcile.handle(json!({})).await.unwrap();
            (report.drift > 0 || !report.busy.is_empty()).then(|| format!("{report:?}"))
        }
        .boxed()
    });
    let folder = tempfile::tempdir().unwrap();
    let mut died = 0;
    for case in &mut cases {
        let seed = case.seed;
        println!("POSTINGS_SEED={seed}: {} records", case.records.len());
        for round in 0..4 {
            let (one, other) = (case.some(), case.some());
            if round % 2 == 1 {
                commits.die_after(case.rng.random_range(1..25));
            }
            let [one_name, other_name] = ["one", "other"].map(|name| format!("{seed}-{round}-{name}"));
            let both = futures::join!(
                import(&world, folder.path(), &one_name, &one),
                import(&world, folder.path(), &other_name, &other)
            );
            let dead = commits.revive();
            died += usize::from(dead);
            assert!(dead || (both.0.is_ok() && both.1.is_ok()), "seed {seed}: {both:?}");
        }
        let mut all = case.records.clone();
        all.shuffle(&mut case.rng);
        import(&world, folder.path(), &format!("{seed}-all"), &all).await.unwrap();
        let (looks, complaints) = commits.take();
        assert_eq!(complaints, Vec::<String>::new(), "seed {seed}");
        assert!(looks > 0, "seed {seed}: nothing was posted");
        let (ledger, items) = case.ledger(&world).await;
        assert_eq!(ledger, case.model(), "seed {seed}");
        let again = import(&world, folder.path(), &format!("{seed}-again"), &case.records).await.unwrap();
        assert_eq!((again.posted, again.corrected, again.pending), (0, 0, 0), "seed {seed}: {again:?}");
        assert_eq!(case.ledger(&world).await, (ledger, items), "seed {seed}: once more changes nothing");
    }
    assert!(given.is_some() || died > 0, "no import died");
}

/// What one import may do to an action A, an entry E of it, an action B, and an entry F that waits for an action C.
#[derive(Debug, Clone, Copy)]
enum Does {
    /// E has another amount.
    Corrects(u64),
    /// E is one of B's.
    TakesAway(u64),
    /// A belongs to another year.
    ReDates(u64),
    /// A belongs to another account.
    Moves(u64),
    /// F comes before C.
    Waits,
    /// C comes.
    Comes,
}

/// Two imports about the same: what one of them reads is partly of before the other and partly of after it, which is no
/// fault of the ledger.
#[tokio::test(flavor = "multi_thread")]
async fn two_imports_about_one_thing_end_in_the_models_state_in_every_order() {
    let (held, options) = Held::on_dynamodb();
    let world = World::empty(options).await;
    let mut case = Case { records: Vec::new(), ..Case::new(0, 0) };
    world.import("members", &members(std::slice::from_ref(&case)), "").await;
    let reconcile = reconcile::Function::start(world.portal.environment_of("reconcile").unwrap()).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let [here, there] = case.accounts.clone();
    let calls = Calls::of("import-feed");
    for (number, (one, other)) in (0..).zip([
        (Does::TakesAway(2), Does::ReDates(2)),
        (Does::TakesAway(2), Does::Moves(2)),
        (Does::Corrects(2), Does::ReDates(2)),
        (Does::Corrects(2), Does::Moves(2)),
        (Does::Corrects(2), Does::Corrects(2)),
        (Does::Corrects(2), Does::TakesAway(3)),
        (Does::ReDates(2), Does::Moves(3)),
        (Does::Waits, Does::Comes),
    ]) {
        let mut orders = held.orders();
        while let Some(order) = orders.another() {
            let tag = format!("{number}-{order}");
            let action = |id: &str, version: u64, account: &str, date: &str| {
                json!({"record": "action", "source_key": format!("{id}-{tag}"), "source_version": version,
                    "member_number": account, "action_id": format!("{id}-{tag}"), "title": "CACES", "scheme": "PLAN",
                    "status": "COMMITTED", "engagement_date": date})
            };
            let entry = |key: &str, version: u64, action: &str, cents: u64| {
                json!({"record": "entry", "source_key": format!("{key}-{tag}"), "source_version": version,
                    "member_number": here, "action_id": format!("{action}-{tag}"), "kind": "PAYMENT_TO_COMPANY",
                    "amount_cents": cents, "effective_date": "2011-12-31", "label": "Écriture",
                    "remittance_number": format!("V-{tag}"), "bank_reference": "CSTR 1"})
            };
            let done = |does| match does {
                Does::Corrects(version) => entry("E", version, "A", 2_000),
                Does::TakesAway(version) => entry("E", version, "B", 1_000),
                Does::ReDates(version) => action("A", version, &here, "2012-01-01"),
                Does::Moves(version) => action("A", version, &there, "2011-12-31"),
                Does::Waits => entry("F", 1, "C", 500),
                Does::Comes => action("C", 1, &here, "2011-12-31"),
            };
            let before =
                [action("A", 1, &here, "2011-12-31"), action("B", 1, &here, "2011-12-31"), entry("E", 1, "A", 1_000)];
            import(&world, folder.path(), &format!("{tag}-before"), &before).await.unwrap();
            let (first, second) = ([done(one)], [done(other)]);
            let names = [format!("{tag}-one"), format!("{tag}-other")];
            let does_one = (calls, import(&world, folder.path(), &names[0], &first));
            let does_other = (calls, import(&world, folder.path(), &names[1], &second));
            case.records.extend(before);
            case.records.extend(first.clone());
            if let Some((one_ended, other_ended)) = orders.meet(does_one, does_other).await {
                assert!(
                    one_ended.is_ok() && other_ended.is_ok(),
                    "{one:?} {other:?} {tag}: {one_ended:?} {other_ended:?}"
                );
            } else {
                // One of them was done alone.
                for (name, records) in [("one-again", &first), ("other-again", &second)] {
                    import(&world, folder.path(), &format!("{tag}-{name}"), records).await.unwrap();
                }
            }
            case.records.extend(second);
        }
        let drift = reconcile.handle(json!({})).await.unwrap();
        assert_eq!((drift.drift, drift.busy.len()), (0, 0), "{one:?} {other:?}: {drift:?}");
        assert_eq!(case.ledger(&world).await.0, case.model(), "{one:?} {other:?}");
    }
}
