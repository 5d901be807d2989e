//! `events/<name>.json`: each goes through its handler as Lambda would hand it over.

use std::collections::BTreeMap;
use std::fs;
use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use harness::{
    ACCOUNT, Calls, Contract, Held, Person, Reply, SIRET, World, fixture, folder_of_workspace, link_token, write_batch,
};
use http::{HeaderMap, HeaderName, HeaderValue};
use portal::domain::{Email, Id, MemberNumber, View};
use portal::store::{Export, ExportFormat, ExportState, ExportedList, Outbox, Record as _, Wish, to_item};
use serde_json::{Value, json};

use crate::ledger_files::without_bucket;

/// Who the events are of.
const EMAIL: &str = "zoe.martin@martin.example";

fn sample(name: &str) -> Value {
    let path = folder_of_workspace().join("events").join(format!("{name}.json"));
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Hands an event of the HTTP API to a function and holds the answer against payload 2.0 and the contract.
async fn answer(world: &World, name: &str, event: &Value) -> Reply {
    let answer = world.portal.invoke(name, event.clone()).await.unwrap_or_else(|error| panic!("{name}: {error}"));
    let status = answer["statusCode"].as_u64().unwrap_or_else(|| panic!("{name}: no statusCode in {answer}"));
    let is_bytes = answer["headers"]["content-type"] == "application/pdf";
    assert_eq!(answer["isBase64Encoded"], is_bytes, "{name}: text goes as it is, and nothing else does");
    let mut headers = HeaderMap::new();
    for (header, value) in answer["headers"].as_object().unwrap_or_else(|| panic!("{name}: no headers in {answer}")) {
        let value = value.as_str().unwrap_or_else(|| panic!("{name}: {header} is no text"));
        headers.append(HeaderName::try_from(header).unwrap(), HeaderValue::try_from(value).unwrap());
    }
    for cookie in answer["cookies"].as_array().into_iter().flatten() {
        headers.append("set-cookie", HeaderValue::try_from(cookie.as_str().unwrap()).unwrap());
    }
    let mut text = answer["body"].as_str().unwrap_or_default().to_owned();
    if is_bytes {
        text = String::from_utf8_lossy(&STANDARD.decode(&text).unwrap()).into_owned();
    }
    let reply = Reply {
        method: event["requestContext"]["http"]["method"].as_str().unwrap().to_owned(),
        path: event["rawPath"].as_str().unwrap().to_owned(),
        status: u16::try_from(status).unwrap(),
        headers,
        body: serde_json::from_str(&text).unwrap_or_default(),
        text,
    };
    Contract::get().check(&reply);
    reply
}

/// The body of an event, changed.
fn with_body(event: &Value, change: impl FnOnce(&mut Value)) -> Value {
    let mut body: Value = serde_json::from_str(event["body"].as_str().unwrap()).unwrap();
    change(&mut body);
    let mut event = event.clone();
    event["headers"]["content-length"] = json!(body.to_string().len().to_string());
    event["body"] = json!(body.to_string());
    event
}

/// An event as the template's own route would come: what the gateway says of the route is consistent.
fn is_consistent(name: &str, event: &Value) {
    let route = event["routeKey"].as_str().unwrap();
    assert_eq!(event["version"], "2.0", "{name}");
    assert_eq!(event["requestContext"]["routeKey"], route, "{name}");
    assert_eq!(event["requestContext"]["http"]["path"], event["rawPath"], "{name}");
    if let Some(body) = event["body"].as_str() {
        assert_eq!(event["headers"]["content-length"], body.len().to_string(), "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_needs_nobody_to_be_known_succeeds_as_it_is() {
    let world = World::start().await;
    for (name, status) in [
        ("read-document", 200),
        ("signup", 202),
        ("forgot-password", 202),
        ("public-keys", 200),
        ("health", 200),
        ("not-found", 404),
    ] {
        let event = sample(name);
        is_consistent(name, &event);
        answer(&world, name, &event).await.expect(status);
    }
    assert_eq!(world.mails().await.len(), 1, "the sign-up's; nobody has forgotten a password yet");
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_of_an_example_are_refused_and_ones_own_in_their_place_succeed() {
    let world = World::start().await;
    for (name, status, slug) in [
        ("create-password", 410, "link-invalid"),
        ("change-email", 410, "link-invalid"),
        ("contest-claim", 410, "link-invalid"),
        ("sessions", 401, "bad-credentials"),
        ("home", 401, "authentication-required"),
        ("profile", 401, "authentication-required"),
        ("accept-document", 401, "authentication-required"),
        ("claim-manager", 401, "authentication-required"),
        ("accounts", 401, "authentication-required"),
        ("manage-users", 401, "authentication-required"),
        ("request-access", 401, "authentication-required"),
        ("query-ledger", 401, "authentication-required"),
        ("export-ledger", 401, "authentication-required"),
        ("statement", 401, "authentication-required"),
    ] {
        let event = sample(name);
        is_consistent(name, &event);
        answer(&world, name, &event).await.expect_problem(status, slug);
    }

    // The same events as one journey: only what nobody can know beforehand is put in.
    answer(&world, "signup", &sample("signup")).await.expect(202);
    let token = link_token(&world.newest_mail(EMAIL).await);
    let event = with_body(&sample("create-password"), |body| body["token"] = json!(token));
    let set = answer(&world, "create-password", &event).await.expect(204);
    assert_eq!((set.text.as_str(), set.header("content-type")), ("", None));
    let session = answer(&world, "sessions", &sample("sessions")).await.expect(200);
    assert!(session.header("set-cookie").is_some(), "log-in gives a cookie");
    for (name, status) in [
        ("home", 200),
        ("profile", 200),
        ("accept-document", 201),
        ("claim-manager", 201),
        ("accounts", 200),
        ("manage-users", 202),
        ("request-access", 202),
        ("query-ledger", 200),
        ("export-ledger", 200),
        ("statement", 200),
    ] {
        let mut event = sample(name);
        event["headers"]["authorization"] = json!(format!("Bearer {}", session["access_token"].as_str().unwrap()));
        answer(&world, name, &event).await.expect(status);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_is_written_for_the_record_of_the_stream() {
    let world = World::start().await;
    let event = sample("write-export");
    let image = &event["Records"][0]["dynamodb"]["NewImage"];
    let id = |name: &str| serde_json::from_value(image[name]["S"].clone()).unwrap();
    let export = Export {
        export_id: id("export_id"),
        user_id: id("user_id"),
        member_number: MemberNumber::parse(ACCOUNT).unwrap(),
        list: ExportedList::Actions,
        view: View::parse("2012"),
        filter: BTreeMap::from([("status".to_owned(), "PAID".to_owned())]),
        format: ExportFormat::Xlsx,
        requested_at: world.portal.clock().now(),
        written: ExportState::Preparing,
        attempts: 0,
        size: None,
        ttl: 0,
    };
    // The function goes by the item, not by the record: without one there is nothing to do.
    let nothing = json!({"batchItemFailures": []});
    assert_eq!(world.portal.invoke("write-export", event.clone()).await.unwrap(), nothing);
    let store = world.store();
    store.put(&export).await.unwrap();
    assert_eq!(world.portal.invoke("write-export", event.clone()).await.unwrap(), nothing);
    let written = store.get::<Export>(&export.key()).await.unwrap().unwrap();
    assert_eq!((written.written, written.attempts >= 1), (ExportState::Ready, true));

    // And the sample shows the item as it is.
    let shown = image.as_object().unwrap().iter().map(|(name, value)| {
        let kinds = value.as_object().unwrap();
        (name.as_str(), kinds.keys().next().unwrap().as_str())
    });
    let item = to_item(&export).unwrap();
    let stored = item.iter().map(|(name, value)| (name.as_str(), type_of(value)));
    assert_eq!(shown.collect::<BTreeMap<_, _>>(), stored.collect::<BTreeMap<_, _>>());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_goes_out_for_the_record_of_the_stream() {
    let world = World::start().await;
    world.user(&Person::at(EMAIL)).await;
    let before = world.mails().await.len();
    let event = sample("send-mail");
    let image = &event["Records"][0]["dynamodb"]["NewImage"];
    let outbox_id: Id = serde_json::from_value(image["outbox_id"]["S"].clone()).unwrap();
    // The function goes by the outbox, not by the record: without a wish there is nothing to do.
    let nothing = json!({"batchItemFailures": []});
    assert_eq!(world.portal.invoke("send-mail", event.clone()).await.unwrap(), nothing);
    assert_eq!(world.mails().await.len(), before);

    // The local stream tells of new items only, so one that is changed waits for this very event.
    let wish = Wish::Reset { email: Email::parse(EMAIL).unwrap() };
    let outbox = Outbox::new(outbox_id, wish, world.portal.clock().now());
    let store = world.portal.store().unwrap();
    store.put(&Outbox { wish: None, ..outbox.clone() }).await.unwrap();
    assert_eq!(world.mails().await.len(), before);
    store.put(&outbox).await.unwrap();
    assert_eq!(world.portal.invoke("send-mail", event.clone()).await.unwrap(), nothing);
    let mails = world.mails().await;
    assert_eq!((mails.len(), mails[before].to.as_str()), (before + 1, EMAIL));
    assert_eq!(world.portal.invoke("send-mail", event.clone()).await.unwrap(), nothing);
    assert_eq!(world.mails().await.len(), before + 1, "a record that comes twice sends once");

    // And the sample shows the outbox as it is.
    let shown = image.as_object().unwrap().iter().map(|(name, value)| {
        let kinds = value.as_object().unwrap();
        (name.as_str(), kinds.keys().next().unwrap().as_str())
    });
    let item = to_item(&outbox).unwrap();
    let stored = item.iter().map(|(name, value)| (name.as_str(), type_of(value)));
    assert_eq!(shown.collect::<BTreeMap<_, _>>(), stored.collect::<BTreeMap<_, _>>());
}

/// The type of an attribute, as DynamoDB's JSON names it.
fn type_of(attribute: &AttributeValue) -> &'static str {
    match attribute {
        AttributeValue::Bool(_) => "BOOL",
        AttributeValue::M(_) => "M",
        AttributeValue::N(_) => "N",
        AttributeValue::S(_) => "S",
        other => panic!("the outbox has no {other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_batch_that_the_event_names_is_imported() {
    let world = World::empty(local::Options::default()).await;
    let mut event = sample("import-feed");
    let ignored = world.portal.invoke("import-feed", event.clone()).await.unwrap();
    assert_eq!(ignored, json!({"ignored": event["detail"]["object"]["key"]}), "another deployment's bucket");

    let bucket = world.portal.environment().variable("FEED_BUCKET").unwrap();
    event["detail"]["bucket"]["name"] = json!(bucket);
    let key = event["detail"]["object"]["key"].as_str().unwrap();
    let prefix = key.strip_suffix("manifest.json").unwrap();
    let batch_id = prefix.trim_end_matches('/').rsplit('/').next().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let (members, ledger) = fixture();
    write_batch(folder.path(), batch_id, &members, &ledger);
    for file in ["members.ndjson", "ledger.ndjson", "manifest.json"] {
        let body = fs::read(folder.path().join(file)).unwrap();
        let put = world.portal.s3().unwrap().put_object().bucket(bucket).key(format!("{prefix}{file}"));
        put.body(body.into()).send().await.unwrap();
    }
    let report = world.portal.invoke("import-feed", event.clone()).await.unwrap();
    assert_eq!((&report["batch_id"], &report["quarantined"]), (&json!(batch_id), &json!(0)), "{report}");
    assert!(report["posted"].as_u64().unwrap() > 0, "{report}");
    let marie = world.manager("marie@martin.example").await;
    marie.get(&format!("/api/accounts/{ACCOUNT}/summary")).await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_is_marked_for_the_bounce_of_the_event() {
    let world = World::start().await;
    world.user(&Person::at(EMAIL)).await;
    // What became of the newest mail counts, so the event is of today.
    let mut event = sample("mail-feedback");
    event["detail"]["mail"]["timestamp"] = json!(world.portal.clock().now());
    let answer = world.portal.invoke("mail-feedback", event).await.unwrap();
    assert_eq!(answer, json!({"mail": "bounced", "stopped": "bounced"}));
    let visitor = world.visitor();
    let session = visitor.log_in(EMAIL, harness::PASSWORD).await.expect(200);
    assert_eq!(session["email_problem"], "bounced");
}

#[tokio::test(flavor = "multi_thread")]
async fn schedules_run() {
    let world = World::start().await;
    let keys = world.visitor().get("/.well-known/jwks.json").await.expect(200);
    world.portal.invoke("rotate-keys", sample("rotate-keys")).await.unwrap();
    assert_eq!(world.visitor().get("/.well-known/jwks.json").await.body, keys.body, "a key of today stays");
    let swept = world.portal.invoke("sweep-outbox", sample("sweep-outbox")).await.unwrap();
    assert_eq!(swept, json!({"woken": 0}));
    let expired = world.portal.invoke("expire-users", sample("expire-users")).await.unwrap();
    assert_eq!(expired, json!({"warned": 0, "erased": 0, "kept": 0, "failed": 0}));
    // Nine o'clock (UTC) is the turn of account 012345, and not of the other.
    let reconciled = world.portal.invoke("reconcile", sample("reconcile")).await.unwrap();
    assert_eq!((&reconciled["accounts"], &reconciled["drift"]), (&json!(1), &json!(0)), "{reconciled}");
    assert_eq!(reconciled["digest"], "2026/11/23/09.ndjson.gz");
}

/// Nothing is proven later that was not written down, so a run that cannot write it down fails, and the alarm tells of it.
#[tokio::test(flavor = "multi_thread")]
async fn an_hour_whose_digest_is_not_taken_fails() {
    let world = World::start_with(without_bucket("reconcile").await).await;
    let error = world.portal.invoke("reconcile", sample("reconcile")).await.unwrap_err().to_string();
    assert!(error.contains("the digest is not kept: PutObject of 2026/11/23/09.ndjson.gz"), "{error}");
    let by_hand = world.portal.invoke("reconcile", json!({"account": ACCOUNT})).await.unwrap();
    assert_eq!((&by_hand["drift"], &by_hand["digest"]), (&json!(0), &Value::Null), "one by hand writes none");
}

/// Nobody goes on where an hour's run was ended, so it does not end quietly.
#[tokio::test(flavor = "multi_thread")]
async fn an_hour_that_is_too_short_for_its_accounts_is_an_error() {
    let (held, options) = Held::on_dynamodb();
    let world = World::start_with(options).await;
    let (members, _) = fixture();
    // All of the same hour as 012345, the last of them.
    let member = |n: u32| {
        let (number, siret) = (format!("{:06}", 24 * n + 9), generate_feed::siret(n + 1, 0));
        members.lines().next().unwrap().replace(ACCOUNT, &number).replace(SIRET, &siret) + "\n"
    };
    assert_eq!(world.import("2012-11-01-001", &(0..5).map(member).collect::<String>(), "").await.posted, 5);
    let run = world.portal.invoke("reconcile", sample("reconcile"));
    let time_passes = async { world.advance(Duration::from_secs(721)) };
    let (outcome, ()) = held.between(Calls::queries_of("reconcile", "000009"), run, time_passes).await;
    let error = outcome.unwrap_err().to_string();
    assert!(error.contains("2 of 6 accounts of this hour"), "{error}");
    let reconciled = world.portal.invoke("reconcile", sample("reconcile")).await.unwrap();
    assert_eq!((&reconciled["accounts"], &reconciled["drift"]), (&json!(6), &json!(0)), "{reconciled}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_charter_of_the_event_is_published() {
    let world = World::start().await;
    let event = sample("staff");
    let answer = world.portal.invoke("staff", event.clone()).await.unwrap();
    assert_eq!(answer["published"]["version"], 2, "{answer}");
    assert_eq!(world.visitor().get("/api/documents/charter").await.expect(200)["body"], event["body"]);
}
