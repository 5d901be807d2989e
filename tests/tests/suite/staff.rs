//! What the staff do, through the function that only IAM opens: publishing a legal document.

use futures::future::join_all;
use harness::{Tap, World};
use portal::domain::DocumentKind;
use portal::store::{Query, StaffAct, StaffEvent, Table};
use serde_json::{Value, json};

fn publication(kind: &str, body: &str) -> Value {
    json!({"operation": "publish-document", "kind": kind, "body": body, "staff": "claire.durand@constructys.example",
        "reason": "Comité du 17/11 : le partage des codes d’accès."})
}

/// How many versions, references to one, and events of the staff are stored.
async fn stored(world: &World) -> [usize; 3] {
    [
        world.count(Table::Members, "DOCUMENT#", "VERSION#").await,
        world.count(Table::Members, "DOCUMENT#", "CURRENT").await,
        world.count(Table::Evidence, "STAFF#", "EVENT#").await,
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn each_kind_is_published_takes_force_at_once_and_its_versions_stay_readable() {
    let world = World::start().await;
    let visitor = world.visitor();
    for kind in DocumentKind::ALL {
        let first = visitor.get(&format!("/api/documents/{kind}")).await.expect(200);
        for version in 2..=3 {
            let body = format!("# Texte nº {version} « {kind} »\n\nArticle unique.\n");
            let answer = world.staff(publication(kind.as_str(), &body)).await;
            let current = visitor.get(&format!("/api/documents/{kind}")).await.expect(200);
            assert_eq!(current["title"], format!("Texte nº {version} « {kind} »"));
            assert_eq!((&current["body"], &current["version"]), (&json!(body), &json!(version)));
            let mut published = current.body.clone();
            published.as_object_mut().unwrap().remove("body");
            assert_eq!(answer, json!({"published": published}));
            let same = visitor.get(&format!("/api/documents/{kind}/{version}")).await.expect(200);
            assert_eq!(same.body, current.body);
        }
        assert_eq!(visitor.get(&format!("/api/documents/{kind}/1")).await.expect(200).body, first.body);
        visitor.get(&format!("/api/documents/{kind}/4")).await.expect_problem(404, "not-found");
    }
    assert_eq!(stored(&world).await, [6, 3, 6]);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_published_what_when_and_why_is_evidence() {
    let world = World::start_stopped().await;
    let before = world.portal.clock().now();
    let event = publication("charter", "# Charte\n\nUn seul article.\n");
    let answer = world.staff(event.clone()).await;
    let after = world.portal.clock().now();
    let partition = format!("STAFF#{}", after.strftime("%Y-%m"));
    let events: Vec<StaffEvent> = world.store().query_all(&Query::partition(Table::Evidence, partition)).await.unwrap();
    let [told] = events.as_slice() else { panic!("{events:?}") };
    assert_eq!((&json!(told.staff), &json!(told.reason)), (&event["staff"], &event["reason"]));
    assert_eq!(told.act, StaffAct::DocumentPublished);
    assert_eq!(told.detail, format!("charter 2 {}", answer["published"]["sha256"].as_str().unwrap()));
    assert!(before.as_millisecond() <= told.at.as_millisecond() && told.at <= after, "{told:?}");
    // The log has what was done, and nobody's name.
    let lines = world.portal.log_lines();
    let line = lines.iter().find(|line| line["function"] == "staff").unwrap();
    assert_eq!(line["staff"], answer);
    assert!(!line.to_string().contains("durand"), "{line}");
}

#[tokio::test(flavor = "multi_thread")]
async fn publishing_the_text_in_force_again_changes_nothing() {
    let world = World::start().await;
    let first = world.visitor().get("/api/documents/charter").await.expect(200);
    let unchanged = world.staff(publication("charter", first["body"].as_str().unwrap())).await;
    assert_eq!(unchanged["unchanged"]["version"], 1);
    assert_eq!(stored(&world).await, [0, 0, 0]);
    let second = publication("charter", "# Charte\n\nUn seul article.\n");
    let published = world.staff(second.clone()).await;
    for _ in 0..2 {
        assert_eq!(world.staff(second.clone()).await, json!({"unchanged": published["published"]}));
    }
    assert_eq!(stored(&world).await, [1, 1, 1]);
    // A text that was in force before is a new version: what counts is the text that is replaced.
    let third = world.staff(publication("charter", first["body"].as_str().unwrap())).await;
    assert_eq!((&third["published"]["version"], &third["published"]["sha256"]), (&json!(3), &first["sha256"]));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_refused_names_its_field_and_publishes_nothing() {
    let world = World::start().await;
    let good = publication("charter", "# Charte\n\nUn seul article.\n");
    let with = |name: &str, value: Value| {
        let mut event = good.clone();
        event[name] = value;
        event
    };
    let without = |name: &str| {
        let mut event = good.clone();
        event.as_object_mut().unwrap().remove(name);
        event
    };
    let long = format!("# Charte\n{}", "é".repeat(110_000));
    for (event, field, code) in [
        (json!(null), "operation", "operation-unknown"),
        (json!([good]), "operation", "operation-unknown"),
        (json!("publish-document"), "operation", "operation-unknown"),
        (without("operation"), "operation", "operation-unknown"),
        (with("operation", json!("publish")), "operation", "operation-unknown"),
        (with("operation", json!(7)), "operation", "operation-unknown"),
        (without("staff"), "staff", "required"),
        (with("staff", json!("  ")), "staff", "required"),
        (with("staff", json!("Claire\u{202e}Durand")), "staff", "bad-character"),
        (with("staff", json!("x".repeat(121))), "staff", "too-long"),
        (without("reason"), "reason", "required"),
        (with("reason", json!("a\nb")), "reason", "bad-character"),
        (with("reason", json!("x".repeat(501))), "reason", "too-long"),
        (without("kind"), "kind", "required"),
        (with("kind", json!("Charter")), "kind", "kind-unknown"),
        (with("kind", json!({"charter": 1})), "kind", "not-a-string"),
        (without("body"), "body", "required"),
        (with("body", json!(" \n ")), "body", "required"),
        (with("body", json!(["# Charte"])), "body", "not-a-string"),
        (with("body", json!("Charte\n\nSans titre.")), "body", "no-title"),
        (with("body", json!(format!("# {}", "x".repeat(121)))), "body", "title-too-long"),
        (with("body", json!("# Charte\r\n\r\nWindows\r\n")), "body", "bad-character"),
        (with("body", json!("# Charte\n\n\u{2066}droite à gauche\u{2069}")), "body", "bad-character"),
        (with("body", json!(long)), "body", "too-long"),
        (with("version", json!(2)), "version", "unknown-field"),
    ] {
        let answer = world.staff(event.clone()).await;
        let error = &answer["error"];
        assert_eq!((&error["field"], &error["code"]), (&json!(field), &json!(code)), "{answer}");
        assert!(error["message"].as_str().unwrap().ends_with('.'), "{answer}");
        assert_eq!(answer.as_object().unwrap().len(), 1, "{answer}");
    }
    assert_eq!(stored(&world).await, [0, 0, 0]);
    assert_eq!(world.staff(good).await["published"]["version"], 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_longest_text_is_published_and_read() {
    let world = World::start().await;
    let body = format!("# Charte\n{}", "x".repeat(200 * 1024 - 9));
    assert_eq!(world.staff(publication("charter", &body)).await["published"]["version"], 2);
    assert_eq!(world.visitor().get("/api/documents/charter").await.expect(200)["body"], body.as_str());
}

#[tokio::test(flavor = "multi_thread")]
async fn of_ten_publications_at_once_each_has_its_version_or_is_told_to_look_again() {
    let (tap, options) = Tap::on_dynamodb();
    let world = World::start_with(options).await;
    let visitor = world.visitor();
    let mut expected = 1;
    for round in 0..3 {
        let bodies: Vec<_> = (0..10).map(|n| format!("# Charte\n\nTour {round}, texte {n}.\n")).collect();
        let publications = join_all(bodies.iter().map(|body| world.staff(publication("charter", body))));
        let (answers, _) = tap.during(publications).await;
        let mut versions = Vec::new();
        for (answer, body) in answers.iter().zip(&bodies) {
            match answer["published"]["version"].as_u64() {
                Some(version) => {
                    let stored = visitor.get(&format!("/api/documents/charter/{version}")).await.expect(200);
                    assert_eq!(stored["body"], body.as_str(), "a version is one text");
                    versions.push(version);
                }
                None => assert_eq!(answer["error"]["code"], "published-meanwhile", "{answer}"),
            }
        }
        versions.sort_unstable();
        let first = expected + 1;
        expected += versions.len() as u64;
        assert_eq!(versions, (first..=expected).collect::<Vec<_>>(), "no hole, no double");
        assert!((1..10).contains(&versions.len()), "they met: {versions:?}");
        assert_eq!(visitor.get("/api/documents/charter").await.expect(200)["version"], expected);
    }
    let count = usize::try_from(expected).unwrap() - 1;
    assert_eq!(stored(&world).await, [count, 1, count], "and each is in the evidence");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_route_leads_there_and_a_program_of_this_machine_gets_there_by_lambdas_own_api() {
    let world = World::start().await;
    assert!(world.portal.routes().iter().all(|route| route.function != "staff"));
    for target in ["/api/staff", "/staff"] {
        world.visitor().post(target, &publication("charter", "# Charte\n")).await.expect_problem(404, "not-found");
    }
    let invoke = async |name: &str, kind: &str, event: &Value| {
        let url = format!("{}/_local/lambda/2015-03-31/functions/{name}/invocations", world.portal.address());
        let request = reqwest::Client::new().post(url).header("content-type", kind).body(event.to_string());
        let reply = request.send().await.unwrap();
        let failed = reply.headers().get("x-amz-function-error").is_some();
        (reply.status().as_u16(), failed, reply.json::<Value>().await.unwrap())
    };
    let event = publication("charter", "# Charte\n\nUn seul article.\n");
    let (status, ..) = invoke("staff", "text/plain", &event).await;
    assert_eq!(status, 403, "what a form of any page can send");
    assert_eq!(stored(&world).await, [0, 0, 0]);
    let (status, failed, answer) = invoke("staff", "application/json", &event).await;
    assert_eq!((status, failed, &answer["published"]["version"]), (200, false, &json!(2)));
    let (_, failed, answer) = invoke("staff", "application/json", &json!({"operation": "x"})).await;
    assert_eq!((failed, &answer["error"]["field"]), (false, &json!("operation")), "a refusal is an answer");
    let (_, failed, answer) = invoke("send-mail", "application/json", &json!({})).await;
    assert!(failed && answer["errorMessage"].as_str().unwrap().contains("send-mail"), "{answer}");
    let (status, ..) = invoke("nobody", "application/json", &event).await;
    assert_eq!(status, 404);
}
