use std::collections::BTreeMap;

use portal::environment::{Environment, StartError};
use portal::lambda::EventFunction;
use portal::log::Log;
use tokio::sync::Semaphore;

use super::*;
use crate::deployment::QueueRule;
use crate::registry::Registry;
use crate::server::Stopper;

/// Waits for a permit, then does what the key's name says: `ok`, `fail` (until it is mended), `spoil`.
#[derive(Clone)]
struct Worker(Log);

static MENDED: std::sync::atomic::AtomicBool = std::sync::atomic::AtomicBool::new(false);
static PERMITS: Semaphore = Semaphore::const_new(1000);

impl EventFunction for Worker {
    const NAME: &'static str = "worker";
    type Event = Value;
    type Outcome = Value;
    type Error = String;

    async fn start(environment: &Environment) -> Result<Self, StartError> {
        Ok(Self(environment.log.clone()))
    }

    async fn handle(&self, event: Value) -> Result<Value, String> {
        let record = &event["Records"][0];
        let body: Value = serde_json::from_str(record["body"].as_str().unwrap()).unwrap();
        let key = body["detail"]["object"]["key"].as_str().unwrap();
        self.0.write_local(&json!({"begun": key, "times": record["attributes"]["ApproximateReceiveCount"]}));
        let _permit = PERMITS.acquire().await;
        if key.ends_with("spoil") {
            return Err("spoilt".to_owned());
        }
        let fails = key.ends_with("fail") && !MENDED.load(std::sync::atomic::Ordering::SeqCst);
        Ok(
            json!({"batchItemFailures": if fails { json!([{"itemIdentifier": record["messageId"]}]) } else { json!([]) }}),
        )
    }
}

struct Bench {
    queues: Queues,
    letters: Arc<DeadLetters>,
    lines: Arc<Mutex<Vec<Value>>>,
    _stopper: Stopper,
}

impl Bench {
    fn start(at_once: usize) -> Self {
        let pattern = Pattern::parse(&json!({"detail": {"object": {"key": [{"prefix": "tasks/"}]}}})).unwrap();
        let mapping = QueueMapping {
            function: "worker".into(),
            queue: "Queue".into(),
            at_once,
            most_receives: 3,
            reports_item_failures: true,
        };
        let deployment = Deployment {
            queues: BTreeMap::from([("Queue".to_owned(), 3)]),
            queue_rules: vec![QueueRule { queue: "Queue".into(), pattern }],
            queue_readers: vec![mapping.clone()],
            ..Deployment::default()
        };
        let lines: Arc<Mutex<Vec<Value>>> = Arc::default();
        let kept = Arc::clone(&lines);
        let log = Log::to(move |line: &Value| kept.lock().unwrap().push(line.clone()));
        let http = aws_smithy_http_client::Builder::new().build_http();
        let environment = Environment::new(BTreeMap::new(), Clock::system(), log, http);
        let environments = BTreeMap::from([("worker".to_owned(), environment)]);
        let functions = Functions::new(&Registry::default().event::<Worker>(), environments, &BTreeMap::new()).unwrap();
        let queues = Queues::new(&deployment, Clock::system());
        let letters = Arc::new(DeadLetters::new(None, Clock::system(), Log::to(|_| {})));
        let (stopper, stop) = Stop::new();
        for _ in 0..at_once {
            let pause = Duration::from_millis(1);
            let read =
                queues.clone().read(mapping.clone(), functions.clone(), Arc::clone(&letters), pause, stop.clone());
            drop(tokio::spawn(read));
        }
        Self { queues, letters, lines, _stopper: stopper }
    }

    fn begun(&self, key: &str) -> usize {
        self.lines.lock().unwrap().iter().filter(|line| line["begun"] == key).count()
    }
}

#[tokio::test]
async fn an_object_becomes_a_message_and_what_fails_comes_again_until_it_is_a_dead_letter() {
    let bench = Bench::start(2);
    for key in ["tasks/1-ok", "tasks/2-fail", "tasks/3-spoil", "elsewhere/4-ok"] {
        bench.queues.object_arrived("bucket", key);
    }
    bench.queues.idle().await;
    let begun = ["tasks/1-ok", "tasks/2-fail", "tasks/3-spoil", "elsewhere/4-ok"].map(|key| bench.begun(key));
    assert_eq!(begun, [1, 3, 3, 0]);
    assert_eq!(bench.letters.all().len(), 2);
    MENDED.store(true, std::sync::atomic::Ordering::SeqCst);
    assert_eq!(bench.queues.redrive(), 2);
    bench.queues.idle().await;
    assert_eq!((bench.begun("tasks/2-fail"), bench.begun("tasks/3-spoil")), (4, 6));
    assert_eq!(bench.queues.redrive(), 1, "what was mended is done with");
}
