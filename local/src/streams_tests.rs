use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Mutex;

use dynoxide::actions::put_item::PutItemRequest;
use portal::clock::Clock;
use portal::environment::{Environment, StartError};
use portal::lambda::EventFunction;
use portal::log::Log;

use super::*;
use crate::deployment::Table;
use crate::engine::Engine;
use crate::pattern::Pattern;
use crate::registry::Registry;
use crate::server::Stopper;

/// Handles records as their `behave` says: `ok`, `once` (fails the first time), `always` (fails), `panic`.
#[derive(Clone)]
struct Worker {
    log: Log,
    failed: Arc<Mutex<BTreeSet<String>>>,
}

impl EventFunction for Worker {
    const NAME: &'static str = "worker";
    type Event = Value;
    type Outcome = Value;
    type Error = String;

    async fn start(environment: &Environment) -> Result<Self, StartError> {
        Ok(Self { log: environment.log.clone(), failed: Arc::default() })
    }

    async fn handle(&self, event: Value) -> Result<Value, String> {
        let mut failures = Vec::new();
        for record in event["Records"].as_array().unwrap() {
            let image = &record["dynamodb"]["NewImage"];
            let pk = image["pk"]["S"].as_str().unwrap();
            let failed = match image["behave"]["S"].as_str().unwrap() {
                "ok" => false,
                "once" => self.failed.lock().unwrap().insert(pk.to_owned()),
                "always" => true,
                "spoil" => return Err("spoilt".to_owned()),
                other => panic!("{other}"),
            };
            if failed {
                failures.push(json!({"itemIdentifier": record["dynamodb"]["SequenceNumber"]}));
            } else {
                self.log.write_local(&json!({"handled": pk, "record": record}));
            }
        }
        Ok(json!({"batchItemFailures": failures}))
    }
}

struct Bench {
    database: Handle,
    functions: Functions,
    dead_letters: Arc<DeadLetters>,
    progress: Progress,
    handled: Arc<Mutex<Vec<Value>>>,
    reader: tokio::task::JoinHandle<()>,
    stopper: Stopper,
}

impl Bench {
    fn start(folder: Option<&Path>) -> Self {
        let (stopper, stop) = Stop::new();
        let table = Table {
            name: "Table".into(),
            create: json!({
                "TableName": "Table",
                "BillingMode": "PAY_PER_REQUEST",
                "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
                "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
                "StreamSpecification": {"StreamEnabled": true, "StreamViewType": "NEW_IMAGE"},
            }),
            ttl: None,
        };
        let path = folder.map(|folder| folder.join("db"));
        let database = Engine::start(path.as_deref(), &[table], stop.clone()).unwrap().database;
        let handled = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&handled);
        let log = Log::to(move |line: &Value| kept.lock().unwrap().push(line.clone()));
        let http = aws_smithy_http_client::Builder::new().build_http();
        let environment = Environment::new(BTreeMap::new(), Clock::system(), log.clone(), http);
        let registry = Registry::default().event::<Worker>();
        let functions =
            Functions::new(&registry, BTreeMap::from([("worker".to_owned(), environment)]), &BTreeMap::new()).unwrap();
        let dead_letters = Arc::new(DeadLetters::new(None, Clock::system(), Log::to(|_| {})));
        let mapping = StreamMapping {
            function: "worker".into(),
            table: "Table".into(),
            batch_size: 3,
            filters: vec![Pattern::parse(&json!({"dynamodb": {"Keys": {"pk": {"S": [{"prefix": "job"}]}}}})).unwrap()],
            reports_item_failures: true,
            retries: 2,
        };
        let position = Position::open(folder.map(|folder| folder.join("position"))).unwrap();
        let (reader, progress) = Reader::new(
            mapping,
            database.clone(),
            functions.clone(),
            Arc::clone(&dead_letters),
            position,
            Duration::from_millis(1),
        );
        let reader = tokio::spawn(reader.run(stop));
        Self { database, functions, dead_letters, progress, handled, reader, stopper }
    }

    fn put(&self, pk: &str, behave: &str) {
        let request: PutItemRequest = serde_json::from_value(json!({
            "TableName": "Table", "Item": {"pk": {"S": pk}, "behave": {"S": behave}},
        }))
        .unwrap();
        self.database.0.put_item(request).unwrap();
    }

    /// The keys handled so far, once the reader has caught up.
    async fn handled(&mut self) -> Vec<String> {
        while self.progress.catch_up(&self.functions).await.unwrap() {}
        let lines = self.handled.lock().unwrap();
        lines.iter().filter_map(|line| line["handled"].as_str().map(str::to_owned)).collect()
    }

    async fn stop(self) {
        drop(self.stopper);
        self.reader.await.unwrap();
    }
}

#[tokio::test]
async fn records_that_pass_the_filter_are_handed_over_in_order() {
    let mut bench = Bench::start(None);
    for pk in ["job1", "other", "job2", "job3", "job4"] {
        bench.put(pk, "ok");
    }
    assert_eq!(bench.handled().await, ["job1", "job2", "job3", "job4"]);
    let line = bench.handled.lock().unwrap()[0]["record"].clone();
    assert_eq!(line["eventName"], "INSERT");
    assert_eq!(line["eventSource"], "aws:dynamodb");
    assert_eq!(line["eventSourceARN"], "arn:aws:dynamodb:eu-west-3:000000000000:table/Table/stream/local");
    assert_eq!(line["dynamodb"]["Keys"], json!({"pk": {"S": "job1"}}));
    assert_eq!(line["dynamodb"]["StreamViewType"], "NEW_IMAGE");
    let event = json!({"Records": [line]});
    let typed: aws_lambda_events::dynamodb::Event = serde_json::from_value(event).unwrap();
    assert_eq!(typed.records[0].event_name, "INSERT");
}

#[tokio::test]
async fn a_failed_record_is_tried_again_and_what_follows_waits() {
    let mut bench = Bench::start(None);
    bench.put("job1", "ok");
    bench.put("job2", "once");
    bench.put("job3", "ok");
    let handled = bench.handled().await;
    // At least once: what stood behind the failed one in its batch may come twice.
    assert!(handled.contains(&"job2".to_owned()), "{handled:?}");
    assert_eq!(handled.last().unwrap(), "job3");
    assert!(bench.dead_letters.all().is_empty());
}

#[tokio::test]
async fn what_keeps_failing_is_given_up_and_named_and_the_rest_goes_on() {
    let mut bench = Bench::start(None);
    for (pk, behave) in [("job1", "always"), ("job2", "ok"), ("job3", "spoil"), ("job4", "panic"), ("job5", "ok")] {
        bench.put(pk, behave);
    }
    let handled = bench.handled().await;
    assert!(handled.contains(&"job2".to_owned()) && handled.contains(&"job5".to_owned()), "{handled:?}");
    let letters = bench.dead_letters.all();
    assert_eq!(letters.len(), 3, "{letters:?}");
    assert_eq!(letters[0]["function"], "worker");
    assert!(letters.iter().all(|letter| letter["sequence_number"].as_str().unwrap().len() == 21));
}

#[tokio::test]
async fn a_restart_goes_on_where_it_stopped() {
    let folder = tempfile::tempdir().unwrap();
    let mut bench = Bench::start(Some(folder.path()));
    bench.put("job1", "ok");
    assert_eq!(bench.handled().await, ["job1"]);
    bench.stop().await;

    let mut bench = Bench::start(Some(folder.path()));
    bench.put("job2", "ok");
    assert_eq!(bench.handled().await, ["job2"]);
}

#[tokio::test]
async fn what_was_written_before_the_reader_ran_is_handed_over() {
    let folder = tempfile::tempdir().unwrap();
    let bench = Bench::start(Some(folder.path()));
    bench.stopper_only().await.put("job1", "ok");
    let mut bench = Bench::start(Some(folder.path()));
    assert_eq!(bench.handled().await, ["job1"]);
}

impl Bench {
    /// Without its reader, as if the process had been killed after a write.
    async fn stopper_only(mut self) -> Self {
        let reader = std::mem::replace(&mut self.reader, tokio::spawn(async {}));
        reader.abort();
        let _ = reader.await;
        self
    }
}
