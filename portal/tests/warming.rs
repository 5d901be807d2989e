//! What a start does for the first request: it opens the connection that the request then uses.

#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs, reason = "a test")]

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};
use std::thread;

use jiff::Timestamp;
use portal::clock::Clock;
use portal::environment::{Environment, StartError, http_client};
use portal::lambda::{Context, EventFunction, start_event};
use portal::log::Log;
use portal::store::{Key, PublicKey, Store, StoreError, Table};
use serde_json::{Value, json};

/// A function that reads one item.
#[derive(Clone)]
struct Reader(Store);

impl EventFunction for Reader {
    const NAME: &'static str = "reader";
    type Event = Value;
    type Outcome = Value;
    type Error = StoreError;

    async fn start(environment: &Environment) -> Result<Self, StartError> {
        Ok(Self(Store::connect(environment, &[Table::Identity])?))
    }

    async fn handle(&self, _: Value) -> Result<Value, StoreError> {
        let read = self.0.get::<PublicKey>(&Key::new(Table::Identity, "pk", "sk")).await?;
        Ok(json!(read.is_some()))
    }
}

/// What DynamoDB was asked: which connection, which operation.
type Asked = Arc<Mutex<Vec<(usize, String)>>>;

/// A DynamoDB that has nothing, and does not know the call that warms.
fn dynamodb() -> (String, Asked) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let asked = Asked::default();
    let kept = Arc::clone(&asked);
    thread::spawn(move || {
        for (connection, stream) in listener.incoming().flatten().enumerate() {
            let asked = Arc::clone(&kept);
            thread::spawn(move || {
                let mut writer = stream.try_clone().unwrap();
                let mut reader = BufReader::new(stream);
                loop {
                    let (mut length, mut operation, mut line) = (0, String::new(), String::new());
                    while reader.read_line(&mut line).unwrap_or(0) > 2 {
                        let (name, value) = line.trim_end().split_once(':').unwrap_or_default();
                        match name {
                            "content-length" => length = value.trim().parse().unwrap(),
                            "x-amz-target" => operation = value.rsplit('.').next().unwrap().to_owned(),
                            _ => {}
                        }
                        line.clear();
                    }
                    if operation.is_empty() {
                        return;
                    }
                    reader.read_exact(&mut vec![0; length]).unwrap();
                    let (status, body) = match operation.as_str() {
                        "GetItem" => ("200 OK", r#"{"ConsumedCapacity":{"TableName":"t","CapacityUnits":1.5}}"#),
                        _ => ("400 Bad Request", r#"{"__type":"com.amazon.coral.service#UnknownOperationException"}"#),
                    };
                    asked.lock().unwrap().push((connection, operation));
                    let head = format!("HTTP/1.1 {status}\r\ncontent-type: application/x-amz-json-1.0");
                    write!(writer, "{head}\r\ncontent-length: {}\r\n\r\n{body}", body.len()).unwrap();
                }
            });
        }
    });
    (address, asked)
}

fn environment(endpoint: &str, table: &str) -> (Environment, Arc<Mutex<Vec<Value>>>) {
    let variables = [
        ("AWS_REGION", "eu-west-3"),
        ("AWS_ACCESS_KEY_ID", "example"),
        ("AWS_SECRET_ACCESS_KEY", "example"),
        ("AWS_ENDPOINT_URL_DYNAMODB", endpoint),
        (table, "t"),
    ];
    let variables: BTreeMap<_, _> = variables.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    let lines = Arc::<Mutex<Vec<Value>>>::default();
    let kept = Arc::clone(&lines);
    let log = Log::to(move |line| kept.lock().unwrap().push(line.clone()));
    (Environment::new(variables, Clock::stopped_at(Timestamp::UNIX_EPOCH), log, http_client()), lines)
}

#[tokio::test]
async fn the_first_event_uses_the_connection_that_the_start_opened() {
    let (address, asked) = dynamodb();
    let (environment, lines) = environment(&address, "IDENTITY_TABLE");
    let invoke = start_event::<Reader>(&environment).await.expect("a start");
    assert_eq!(*asked.lock().unwrap(), [(0, "DescribeEndpoints".to_owned())], "the one call of a start");
    assert!(lines.lock().unwrap().is_empty(), "whatever DynamoDB answers, the connection is open");
    invoke(json!({}), Context::default()).await.expect("an answer");
    assert_eq!(asked.lock().unwrap()[1..], [(0, "GetItem".to_owned())], "on the same connection");
    let lines = lines.lock().unwrap();
    let [line] = lines.as_slice() else { panic!("{lines:?}") };
    assert_eq!((&line["read_units"], &line["cold"], &line["outcome"]), (&json!(1.5), &json!(true), &json!("ok")));
}

#[tokio::test]
async fn a_function_starts_where_dynamodb_is_out_of_reach() {
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let (environment, lines) = environment(&format!("http://{closed}"), "IDENTITY_TABLE");
    let _ = start_event::<Reader>(&environment).await.expect("a start");
    let lines = lines.lock().unwrap();
    let [line] = lines.as_slice() else { panic!("{lines:?}") };
    assert_eq!((&line["level"], &line["function"]), (&json!("warn"), &json!("reader")));
    assert!(line["context"].as_str().unwrap().starts_with("no connection at start"), "{line}");
}

#[tokio::test]
async fn what_has_no_table_opens_nothing() {
    /// A function without a store.
    #[derive(Clone)]
    struct Idle;

    impl EventFunction for Idle {
        const NAME: &'static str = "idle";
        type Event = Value;
        type Outcome = Value;
        type Error = StoreError;

        async fn start(_: &Environment) -> Result<Self, StartError> {
            Ok(Self)
        }

        async fn handle(&self, _: Value) -> Result<Value, StoreError> {
            Ok(json!(null))
        }
    }

    let (address, asked) = dynamodb();
    let (environment, _) = environment(&address, "NO_TABLE");
    let _ = start_event::<Idle>(&environment).await.expect("a start");
    assert!(asked.lock().unwrap().is_empty());
}
