//! What operators see: one line a request and an event, its metrics, the capacity in it, and the dashboard.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use harness::{ACCOUNT, Contract, Outage, Person, Tap, World, folder_of_workspace};
use jsonschema::Validator;
use local::Fate;
use portal::domain::{Identifier, MemberNumber};
use portal::environment::rng;
use portal::log::Line;
use portal::store::{Action, Table, Transaction, User};
use serde_json::{Value, json};
use serde_yaml_ng::Value as Yaml;

use crate::everything::everything;

/// The embedded metric format, after the schema in CloudWatch's specification of it.
fn embedded_metric_format() -> Validator {
    let name = json!({"type": "string", "minLength": 1, "maxLength": 255});
    let units = ["Seconds", "Microseconds", "Milliseconds", "Bytes", "Percent", "Count", "None"];
    let metric = json!({"type": "object", "required": ["Name"], "additionalProperties": false,
        "properties": {"Name": name, "Unit": {"enum": units}}});
    let directive = json!({"type": "object", "required": ["Namespace", "Dimensions", "Metrics"],
    "additionalProperties": false,
    "properties": {
        "Namespace": name,
        "Dimensions": {"type": "array", "minItems": 1,
            "items": {"type": "array", "minItems": 0, "maxItems": 9, "items": name}},
        "Metrics": {"type": "array", "maxItems": 100, "items": metric},
    }});
    let schema = json!({"type": "object", "required": ["_aws"], "properties": {"_aws": {
        "type": "object", "required": ["Timestamp", "CloudWatchMetrics"],
        "properties": {"Timestamp": {"type": "integer"},
            "CloudWatchMetrics": {"type": "array", "items": directive}}}}});
    jsonschema::options().build(&schema).expect("a schema")
}

/// A metric as CloudWatch knows it: namespace, name, dimensions.
type Published = (String, String, BTreeMap<String, String>);

/// The metrics of a line.
///
/// # Panics
/// Where CloudWatch would not accept them.
fn published(line: &Value) -> Vec<Published> {
    if line["_aws"].is_null() {
        return Vec::new();
    }
    if let Err(error) = embedded_metric_format().validate(line) {
        panic!("{error}: {line}");
    }
    let mut all = Vec::new();
    for directive in line["_aws"]["CloudWatchMetrics"].as_array().unwrap() {
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        for dimensions in directive["Dimensions"].as_array().unwrap() {
            // Targets are members of the root: of a dimension a text, of a metric a number.
            let target = |name: &Value| {
                let value = line[text(name)].as_str().filter(|value| !value.is_empty() && value.len() <= 1024);
                (text(name), value.unwrap_or_else(|| panic!("{name} is no dimension: {line}")).to_owned())
            };
            let dimensions: BTreeMap<_, _> = dimensions.as_array().unwrap().iter().map(target).collect();
            for metric in directive["Metrics"].as_array().unwrap() {
                assert!(line[text(&metric["Name"])].is_number(), "{metric} is no number: {line}");
                all.push((text(&directive["Namespace"]), text(&metric["Name"]), dimensions.clone()));
            }
        }
    }
    let once: BTreeSet<_> = all.iter().collect();
    assert_eq!(once.len(), all.len(), "a metric twice: {line}");
    all
}

/// What is wrong with a line, if anything.
fn flaw(line: &Value) -> Option<String> {
    let length = line.to_string().len();
    if length > Line::LONGEST {
        return Some(format!("{length} bytes: {line}"));
    }
    let of_request = ["level", "request_id", "function", "route", "outcome", "status", "latency_ms", "cold"];
    let of_event = ["level", "request_id", "function", "outcome", "latency_ms", "cold"];
    let needed: &[&str] = match (line.get("route"), line.get("outcome")) {
        (Some(_), _) => &of_request,
        (None, Some(_)) => &of_event,
        // How far a long import is, and what the event source tells and not the function.
        (None, None) if line.get("import").is_some() || line.get("dead_letter").is_some() => return None,
        (None, None) => return Some(format!("of nothing: {line}")),
    };
    let mut needed = needed.iter().chain(&["read_units", "write_units"]);
    needed.find(|name| line.get(**name).is_none()).map(|name| format!("no {name}: {line}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_and_an_event_have_one_line_each_with_what_they_took() {
    let (tap, options) = Tap::on_dynamodb();
    let world = World::empty(options).await;
    // What a start reads is no request's, and what schedules start is done.
    world.portal.start_functions().await.unwrap();
    world.portal.drain().await.unwrap();
    let functions: BTreeSet<_> = world.portal.deployment().functions.keys().cloned().collect();
    let with_tables = functions.iter().filter(|name| !["health", "not-found"].contains(&name.as_str())).cloned();
    let mut warmed = tap.warmed();
    warmed.sort();
    assert_eq!(warmed, with_tables.collect::<Vec<_>>(), "each opens its connection once");
    tap.take();
    let before = world.portal.log_lines().len();
    let (members, ledger) = harness::fixture();
    world.import("2012-10-15-001", &members, &ledger).await;
    everything(&world).await;
    world.visitor().get("/api/health").await.expect(200);
    world.visitor().get("/api/nowhere").await.expect(404);
    world.portal.drain().await.unwrap();

    let (lines, observed) = (world.portal.log_lines().split_off(before), tap.take());
    let flaws: Vec<_> = lines.iter().filter_map(flaw).collect();
    assert!(flaws.is_empty(), "{flaws:#?}");
    let mut of_each: BTreeMap<&str, usize> = BTreeMap::new();
    for line in lines.iter().filter(|line| line.get("import").is_none()) {
        *of_each.entry(line["request_id"].as_str().unwrap()).or_default() += 1;
    }
    let twice: Vec<_> = of_each.iter().filter(|(_, times)| **times != 1).collect();
    assert!(twice.is_empty(), "more lines than one: {twice:?}");
    let told: BTreeSet<_> = lines.iter().map(|line| line["function"].as_str().unwrap().to_owned()).collect();
    assert_eq!(told, functions, "each says what it did");

    // What DynamoDB said that a function consumed is in its lines, wherever in the function the call was made.
    for function in &functions {
        let sum = |name: &str| -> f64 {
            let its = lines.iter().filter(|line| line["function"] == function.as_str());
            its.filter_map(|line| line[name].as_f64()).sum()
        };
        let calls = observed.of(function);
        let reads = calls.capacity(&["GetItem", "BatchGetItem", "Query", "Scan"]);
        let writes = calls.capacity(&["PutItem", "UpdateItem", "DeleteItem", "TransactWriteItems"]);
        assert_eq!((sum("read_units"), sum("write_units")), (reads, writes), "{function}");
    }
    assert!(observed.of("query-ledger").capacity(&["BatchGetItem"]) > 0.0, "the engine counts");

    let mut metrics: BTreeSet<Published> = lines.iter().flat_map(published).collect();
    let stray: Vec<_> = metrics.iter().filter(|(namespace, ..)| namespace != "MemberPortal/dev").collect();
    assert!(stray.is_empty(), "{stray:?}");
    let names = |dimension: &str, value: &str| -> BTreeSet<&str> {
        let of = metrics.iter().filter(|(_, _, dimensions)| dimensions.get(dimension).is_some_and(|is| is == value));
        of.map(|(_, name, _)| name.as_str()).collect()
    };
    assert_eq!(names("outcome", "ok"), ["requests", "latency_ms", "read_units", "write_units", "hash_ms"].into());
    assert_eq!(names("outcome", "claim-refused"), ["requests"].into());
    assert_eq!(names("function", "send-mail"), ["mails_sent"].into());
    assert!(names("function", "import-feed").is_superset(&["posted", "corrected", "batch_age_s"].into()));
    assert_eq!(names("function", "reconcile"), ["drift", "longest_wait_s"].into());
    // A dimension has few values: what is billed grows with them.
    let outcomes: BTreeSet<_> = metrics.iter().filter_map(|(_, _, dimensions)| dimensions.get("outcome")).collect();
    assert!(outcomes.iter().all(|outcome| outcome.as_str() == "ok" || is_problem(outcome)), "{outcomes:?}");
    metrics.extend(troubles().await);
    every_widget_shows_what_is_written(&metrics);
    every_alarm_watches_what_is_written(&metrics);
}

fn is_problem(slug: &str) -> bool {
    let path = folder_of_workspace().join("docs/problems.md");
    std::fs::read_to_string(path).unwrap().contains(&format!("\n## {slug}\n"))
}

/// The longest that requests can ask for, and failures can say.
#[tokio::test(flavor = "multi_thread")]
async fn no_request_gets_a_longer_line() {
    let world = World::start().await;
    let marie = world.manager("marie@martin.example").await;
    let before = world.portal.log_lines().len();
    let visitor = world.visitor();
    let many: serde_json::Map<String, Value> = (0..900).map(|n| (format!("field{n}"), json!("x".repeat(50)))).collect();
    visitor.post("/api/signup", &Value::Object(many)).await.expect(422);
    let wrong = json!({"siret": "1", "civility": "x", "last_name": "", "first_name": "", "job_title": "", "email": "x",
        "email_confirmation": "y", "terms": {"version": "z", "sha256": "0"}});
    visitor.post("/api/signup", &wrong).await.expect(422);
    visitor.get(&format!("/api/{}", "x".repeat(5_000))).await.expect(404);
    marie.get(&format!("/api/accounts/{ACCOUNT}/remittances/{}", "x".repeat(3_000))).await.expect(404);
    for (_, path, _) in Contract::get().operations() {
        let path = path.replace("{number}", ACCOUNT);
        let target: String = path.chars().map(|c| if "{}".contains(c) { 'x' } else { c }).collect();
        marie.get(&format!("{target}?{}", "q=ééé&".repeat(100))).await;
    }
    // An item that is none: the error says which type was to be read, and what was found.
    let client = world.portal.dynamodb().unwrap();
    let key = User::key_of(marie.id().await);
    let broken = client.update_item().table_name(world.portal.table(Table::Identity).unwrap());
    let value = |text: String| aws_sdk_dynamodb::types::AttributeValue::S(text);
    let broken = broken.key("pk", value(key.pk)).key("sk", value(key.sk)).update_expression("SET epoch = :long");
    broken.expression_attribute_values(":long", value("é\"\n".repeat(2_000))).send().await.unwrap();
    marie.get(&format!("/api/accounts/{ACCOUNT}/remittances/V-2012-0042")).await.expect(500);

    let lines = world.portal.log_lines().split_off(before);
    let flaws: Vec<_> = lines.iter().filter_map(flaw).collect();
    assert!(flaws.is_empty(), "{flaws:#?}");
    let longest = lines.iter().map(|line| line.to_string().len()).max().unwrap_or_default();
    assert!(longest > Line::LONGEST * 4 / 5, "{longest} bytes are the most that was asked for");
    let failed = lines.iter().find(|line| line["level"] == "error").expect("a failure");
    assert!(
        failed["context"].as_str().is_some_and(|context| context.contains("no portal::store::user::User")),
        "{failed}"
    );
}

#[test]
fn a_line_that_is_too_long_or_says_too_little_is_seen() {
    let good = json!({"level": "info", "request_id": "x", "function": "home", "route": "GET /api/home", "outcome": "ok",
        "status": 200, "latency_ms": 4, "cold": false, "read_units": 3, "write_units": 0});
    assert_eq!(flaw(&good), None);
    let with = |name: &str, value: Value| {
        let mut line = good.clone();
        line[name] = value;
        line
    };
    assert!(flaw(&with("context", json!("x".repeat(500)))).is_some_and(|flaw| flaw.contains("bytes")));
    let mut silent = good.clone();
    silent.as_object_mut().unwrap().remove("read_units");
    assert!(flaw(&silent).is_some_and(|flaw| flaw.contains("read_units")));
    assert!(flaw(&json!({"level": "info", "function": "home"})).is_some());
}

/// A function writes nothing but lines: what may be of any length is the local portal's.
#[test]
fn a_function_has_no_other_way_into_the_log() {
    let mut left = vec![folder_of_workspace().join("functions"), folder_of_workspace().join("portal/src")];
    let mut read = 0;
    while let Some(path) = left.pop() {
        if path.is_dir() {
            left.extend(std::fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()));
        } else if path.extension().is_some_and(|extension| extension == "rs") && !path.ends_with("log/mod.rs") {
            read += 1;
            assert!(!std::fs::read_to_string(&path).unwrap().contains("write_local"), "{}", path.display());
        }
    }
    assert!(read > 100, "{read} files");
}

#[test]
fn what_cloudwatch_would_not_accept_is_seen() {
    let line = |directive: Value| json!({"_aws": {"Timestamp": 1, "CloudWatchMetrics": [directive]}, "a": 1, "b": "x"});
    let directive = |dimensions: Value, name: &str, unit: &str| {
        json!({"Namespace": "N", "Dimensions": dimensions,
        "Metrics": [{"Name": name, "Unit": unit}]})
    };
    assert_eq!(published(&line(directive(json!([["b"]]), "a", "Count"))).len(), 1);
    for wrong in [
        directive(json!([["b"]]), "a", "Meters"),
        directive(json!([]), "a", "Count"),
        directive(json!([["a"]]), "a", "Count"),
        directive(json!([["c"]]), "a", "Count"),
        directive(json!([["b"]]), "b", "Count"),
        directive(json!([["b"]]), "c", "Count"),
    ] {
        let line = line(wrong);
        assert!(std::panic::catch_unwind(|| published(&line)).is_err(), "{line}");
    }
}

/// The metrics of the portal's own that the dashboard shows: name and dimensions, as its widgets have them.
fn widgets(template: &str) -> Vec<(String, BTreeMap<String, String>)> {
    let template: Yaml = serde_yaml_ng::from_str(template).unwrap();
    let body = &template["Resources"]["Dashboard"]["Properties"]["DashboardBody"];
    let body = match body {
        Yaml::Tagged(tagged) => tagged.value.as_str(),
        other => other.as_str(),
    };
    let body: Value = serde_json::from_str(body.expect("a text")).expect("JSON, whatever is put in for parameters");
    let mut own = Vec::new();
    let widgets = body["widgets"].as_array().unwrap().iter();
    for metrics in widgets.filter_map(|widget| widget["properties"]["metrics"].as_array()) {
        for metric in metrics {
            let words: Vec<_> = metric.as_array().unwrap().iter().filter_map(Value::as_str).collect();
            match words.split_first() {
                Some((&"MemberPortal/${Stage}", rest)) => {
                    let (name, dimensions) = rest.split_first().expect("a name");
                    let pairs = dimensions.chunks(2).map(|pair| (pair[0].to_owned(), pair[1].to_owned()));
                    own.push(((*name).to_owned(), pairs.collect()));
                }
                _ => {
                    // A search over the values of a dimension: `SEARCH('{"MemberPortal/…",outcome} …')`.
                    let expression = metric[0]["expression"].as_str().unwrap_or_default();
                    if let Some((_, rest)) = expression.split_once("{\"MemberPortal/${Stage}\",") {
                        let (dimension, rest) = rest.split_once('}').expect("a schema");
                        let (_, name) = rest.split_once("MetricName=\"").expect("a metric");
                        let name = name.split('"').next().unwrap().to_owned();
                        own.push((name, [(dimension.to_owned(), "*".to_owned())].into()));
                    }
                }
            }
        }
    }
    own
}

/// The metrics of the portal's own that alarms watch.
fn watched(template: &str) -> Vec<(String, BTreeMap<String, String>)> {
    let template: Yaml = serde_yaml_ng::from_str(template).unwrap();
    let alarms = template["Resources"].as_mapping().unwrap().values().map(|resource| &resource["Properties"]);
    let own = alarms.filter(|alarm| match &alarm["Namespace"] {
        Yaml::Tagged(tagged) => tagged.value.as_str().is_some_and(|namespace| namespace.starts_with("MemberPortal/")),
        _ => false,
    });
    let text = |value: &Yaml| value.as_str().expect("a text").to_owned();
    own.map(|alarm| {
        let dimensions = alarm["Dimensions"].as_sequence().unwrap().iter();
        let dimensions = dimensions.map(|dimension| (text(&dimension["Name"]), text(&dimension["Value"])));
        (text(&alarm["MetricName"]), dimensions.collect())
    })
    .collect()
}

/// What is shown or watched, and in no line.
fn unwritten(shown: Vec<(String, BTreeMap<String, String>)>, metrics: &BTreeSet<Published>) -> Vec<String> {
    let is_written = |name: &str, shown: &BTreeMap<String, String>| {
        let same = |written: &BTreeMap<String, String>| {
            written.keys().eq(shown.keys()) && shown.iter().all(|(name, value)| value == "*" || written[name] == *value)
        };
        metrics.iter().any(|(_, written, dimensions)| written == name && same(dimensions))
    };
    let missing = shown.into_iter().filter(|(name, dimensions)| !is_written(name, dimensions));
    missing.map(|(name, dimensions)| format!("{name} {dimensions:?}")).collect()
}

fn every_widget_shows_what_is_written(metrics: &BTreeSet<Published>) {
    let template = std::fs::read_to_string(folder_of_workspace().join("infra/dashboard.yaml")).unwrap();
    let shown = widgets(&template);
    assert!(shown.len() >= 8, "the dashboard is not read any more: {shown:?}");
    assert_eq!(unwritten(shown, metrics), Vec::<String>::new());
    // And a name that nothing writes is seen, in a widget and in a search.
    for (is, wrong) in [("\"mails_sent\"", "\"mails_went\""), ("MetricName=\\\"requests", "MetricName=\\\"asked")] {
        assert!(template.contains(is), "{is}");
        assert_eq!(unwritten(widgets(&template.replace(is, wrong)), metrics).len(), 1, "{wrong}");
    }
}

fn every_alarm_watches_what_is_written(metrics: &BTreeSet<Published>) {
    let template = std::fs::read_to_string(folder_of_workspace().join("infra/monitoring.yaml")).unwrap();
    let all = watched(&template);
    assert_eq!(all.len(), 7, "{all:?}");
    assert_eq!(unwritten(all, metrics), Vec::<String>::new());
    for (is, wrong, alarms) in [
        ("MetricName: drift", "MetricName: drifted", 1),
        ("longest_wait_s", "longest_s", 1),
        ("Value: import-feed", "Value: import-feeds", 4),
    ] {
        assert!(template.contains(is), "{is}");
        assert_eq!(unwritten(watched(&template.replace(is, wrong)), metrics).len(), alarms, "{wrong}");
    }
}

/// Makes an action so large that its item holds nothing more.
async fn fill_action(world: &World, id: &str) {
    let store = world.portal.store().unwrap();
    let key = Action::key_of(&MemberNumber::parse(ACCOUNT).unwrap(), &Identifier::parse(id).unwrap());
    let stored: Action = store.get(&key).await.unwrap().unwrap();
    for length in (0..400 * 1_024).rev() {
        let mut filled = stored.clone();
        filled.state.as_mut().unwrap().title = "x".repeat(length);
        let mut transaction = Transaction::new();
        transaction.put(&filled, None).unwrap();
        if store.commit(&transaction, &mut rng()).await.is_ok() {
            return;
        }
    }
}

/// What fails behind the scenes is counted by a line that is an error: a mail that SES refuses, a line of a feed that is
/// none, a batch that is not what its manifest says, a record that the store will not hold.
async fn troubles() -> BTreeSet<Published> {
    let (outage, options) = Outage::of_ses();
    let world = World::start_with(options).await;
    world.user(&Person::at("marie@martin.example")).await;
    world.portal.decide_mails_to("marie@martin.example", Fate::Bounced);
    for _ in 0..2 {
        world.advance(Duration::from_secs(61));
        world.visitor().forgot("marie@martin.example").await.expect(202);
        world.mails().await;
    }
    outage.refuse_for_good(1);
    world.sign_up(&Person::at("paul@martin.example")).await.expect(202);
    world.portal.drain().await.unwrap();
    outage.begin();
    world.sign_up(&Person::at("jeanne@martin.example")).await.expect(202);
    world.portal.drain().await.unwrap();
    let (members, ledger) = harness::fixture();
    assert!(world.import("2012-11-15-001", &members, &format!("{ledger}no record\n")).await.quarantined > 0);
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path().join("2012-11-16-001");
    std::fs::create_dir(&folder).unwrap();
    harness::write_batch(&folder, "2012-11-16-001", &members, &ledger);
    std::fs::write(folder.join("ledger.ndjson"), "").unwrap();
    world.portal.import(&folder).await.unwrap_err();
    // The second batch of its source that has a number never came, and figures are not what the ledger has.
    for (batch_id, sequence) in [("2012-11-17-001", 1), ("2012-11-19-001", 3)] {
        let folder = tempfile::tempdir().unwrap();
        let balance = json!({"record": "balance", "member_number": ACCOUNT, "view": 2011, "committed": sequence,
            "paid": 0, "contributed": 0});
        harness::write_batch(folder.path(), batch_id, "", &format!("{balance}\n"));
        let path = folder.path().join("manifest.json");
        let mut manifest: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        manifest["sequence"] = json!(sequence);
        std::fs::write(path, manifest.to_string()).unwrap();
        world.portal.import(folder.path()).await.unwrap();
    }
    // An entry more, and the item of its action would have more than an item may.
    fill_action(&world, "2011-000001").await;
    let commitment = json!({"record": "entry", "source_key": "N-LARGE", "source_version": 1, "member_number": ACCOUNT,
        "action_id": "2011-000001", "kind": "COMMITMENT", "amount_cents": 1_000_000_000, "effective_date": "2012-02-10"});
    assert_eq!(world.import("2012-11-20-001", "", &format!("{commitment}\n")).await.quarantined, 1);
    let lines = world.portal.log_lines();
    let flaws: Vec<_> = lines.iter().filter_map(flaw).collect();
    assert!(flaws.is_empty(), "{flaws:#?}");
    for (name, level) in [
        ("mails_held_back", "warn"),
        ("mails_failed", "error"),
        ("mails_refused", "error"),
        ("refused_batches", "error"),
        ("missing_batches", "error"),
        ("unequal_balances", "error"),
        ("refused_records", "error"),
    ] {
        let line = lines.iter().find(|line| line[name].as_f64() >= Some(1.0)).unwrap_or_else(|| panic!("no {name}"));
        assert_eq!(line["level"], level, "{line}");
        assert!(line["context"].is_string(), "{line}");
    }
    lines.iter().flat_map(published).collect()
}
