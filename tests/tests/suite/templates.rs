//! What the templates say of running the portal: alarms, logs, releases, streams and queues.

use std::collections::BTreeMap;

use serde_yaml_ng::Value as Yaml;

use crate::nothing_forgotten::{Names, functions, names_in, read, resources, template};

/// The resources of a type in every template: name and body.
fn everywhere(kind: &str) -> BTreeMap<String, Yaml> {
    let stacks = names_in("infra", |path| path.extension().is_some_and(|extension| extension == "yaml"));
    let paths = stacks.iter().map(|stack| format!("infra/{stack}.yaml")).chain(["template.yaml".to_owned()]);
    let mut found = BTreeMap::new();
    for path in paths {
        let template: Yaml = serde_yaml_ng::from_str(&read(&path)).unwrap();
        for (name, body) in template["Resources"].as_mapping().unwrap() {
            if body["Type"] == kind {
                found.insert(name.as_str().unwrap().to_owned(), body.clone());
            }
        }
    }
    found
}

/// The anchors of a page's headings.
fn anchors(page: &str) -> Names {
    let headings = page.lines().filter(|line| line.starts_with('#')).map(|line| line.trim_start_matches('#').trim());
    let kept = |c: &char| c.is_alphanumeric() || matches!(c, ' ' | '-');
    headings.map(|text| text.to_lowercase().chars().filter(kept).collect::<String>().replace(' ', "-")).collect()
}

#[test]
fn every_alarm_tells_somebody_and_has_its_place_in_the_runbook() {
    let alarms = everywhere("AWS::CloudWatch::Alarm");
    let operations = read("docs/operations.md");
    let (_, rows) = operations.split_once("\n## Alarms\n").expect("a section");
    let rows = rows.split("\n## ").next().unwrap().lines().filter(|line| line.starts_with("| `"));
    let first =
        rows.flat_map(|row| row.split('|').nth(1).unwrap().split(',').map(|name| name.trim().trim_matches('`')));
    assert_eq!(first.map(str::to_owned).collect::<Names>(), alarms.keys().cloned().collect());
    let anchors = anchors(&operations);
    for (name, body) in alarms {
        let properties = &body["Properties"];
        assert!(
            properties["AlarmActions"].as_sequence().is_some_and(|actions| !actions.is_empty()),
            "{name} tells nobody"
        );
        let description = properties["AlarmDescription"].as_str().unwrap();
        let anchor = description.trim().rsplit_once(" docs/operations.md#").map(|(_, anchor)| anchor);
        assert!(anchor.is_some_and(|anchor| anchors.contains(anchor)), "{name} names no place of docs/operations.md");
    }
}

/// What cannot be made again outlives its stack, and no call by mistake deletes a table.
#[test]
fn what_holds_data_outlives_its_stack() {
    let mut kept = everywhere("AWS::DynamoDB::Table");
    kept.extend(everywhere("AWS::SecretsManager::Secret"));
    // The edge's alarms have a key of their own, which nothing that stays is under.
    kept.extend(everywhere("AWS::KMS::Key").into_iter().filter(|(name, _)| name == "DataKey"));
    kept.extend(
        everywhere("AWS::S3::Bucket")
            .into_iter()
            .filter(|(name, _)| ["FeedBucket", "DigestBucket"].contains(&name.as_str())),
    );
    assert_eq!(kept.len(), 4 + 5 + 1 + 2);
    // And no update replaces it, where the policy of the runbook is set.
    let policy: Yaml = serde_yaml_ng::from_str(&read("infra/keep-data.json")).unwrap();
    let denied = &policy["Statement"][1];
    assert_eq!((&denied["Effect"], &denied["Action"][0]), (&"Deny".into(), &"Update:Replace".into()));
    let types = denied["Condition"]["StringEquals"]["ResourceType"].as_sequence().unwrap();
    let kept_types: Names = types.iter().map(|kind| kind.as_str().unwrap().to_owned()).collect();
    for (name, body) in kept {
        for policy in ["DeletionPolicy", "UpdateReplacePolicy"] {
            assert_eq!(body[policy], "Retain", "{policy} of {name}");
        }
        assert!(kept_types.contains(body["Type"].as_str().unwrap()), "infra/keep-data.json does not know {name}");
        if body["Type"] == "AWS::DynamoDB::Table" {
            assert_eq!(body["Properties"]["DeletionProtectionEnabled"], true, "{name}");
        }
    }
}

/// Every function that events start and no route reaches is in the alarm that takes a release back.
#[test]
fn no_function_behind_events_fails_unseen() {
    let template = template();
    let behind_events: Names = template["Resources"]
        .as_mapping()
        .unwrap()
        .iter()
        .filter(|(_, body)| body["Type"] == "AWS::Serverless::Function")
        .filter(|(_, body)| {
            let events = body["Properties"]["Events"].as_mapping();
            events.is_some_and(|events| !events.is_empty() && events.values().all(|event| event["Type"] != "HttpApi"))
        })
        .map(|(name, _)| name.as_str().unwrap().to_owned())
        .collect();
    let alarm = &everywhere("AWS::CloudWatch::Alarm")["FailingEventsAlarm"]["Properties"];
    let watched = alarm["Metrics"].as_sequence().unwrap().iter().filter(|metric| !metric["MetricStat"].is_null());
    let watched: Names = watched
        .map(|metric| match &metric["MetricStat"]["Metric"]["Dimensions"][0]["Value"] {
            Yaml::Tagged(name) => name.value.as_str().unwrap().to_owned(),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(watched, behind_events);
}

#[test]
fn every_log_ends() {
    let groups = everywhere("AWS::Logs::LogGroup");
    assert!(groups.len() > functions().len());
    for (name, body) in groups {
        assert!(!body["Properties"]["RetentionInDays"].is_null(), "{name} keeps its lines for good");
    }
}

/// Whoever invokes `live` gets a version that is judged before it has all calls, and what follows a parameter.
#[test]
fn a_release_is_taken_back_by_alarms_that_are_there() {
    let globals = &template()["Globals"]["Function"];
    assert_eq!(globals["AutoPublishAlias"], "live");
    assert_eq!(globals["AutoPublishAliasAllProperties"], true);
    let Yaml::Tagged(alarms) = &globals["DeploymentPreference"]["Alarms"] else { panic!("a choice") };
    // Of a canary, and of what is none: that one is never on, so that nothing holds up what mends a release.
    let named: Names = [&alarms.value[1], &alarms.value[2]]
        .into_iter()
        .flat_map(|alarms| alarms.as_sequence().unwrap())
        .map(|alarm| match alarm {
            Yaml::Tagged(name) => name.value.as_str().unwrap().replace("${AWS::StackName}", "${RollBackPrefix}"),
            other => panic!("{other:?}"),
        })
        .collect();
    let there =
        everywhere("AWS::CloudWatch::Alarm").into_values().filter_map(|body| match &body["Properties"]["AlarmName"] {
            Yaml::Tagged(name) => Some((name.value.as_str().unwrap().to_owned(), body["Properties"].clone())),
            _ => None,
        });
    let there: BTreeMap<_, _> = there.collect();
    assert_eq!(there.keys().cloned().collect::<Names>(), named);
    let never = &there["${RollBackPrefix}-never"];
    assert_eq!((&never["ComparisonOperator"], &never["Threshold"]), (&"LessThanThreshold".into(), &0.into()));
    assert_eq!((&never["MetricName"], &never["TreatMissingData"]), (&"Count".into(), &"notBreaching".into()));
    for (name, alarm) in there.iter().filter(|(name, _)| !name.ends_with("-never")) {
        // Five minutes at most, and the canary of samconfig.toml takes ten.
        let minutes = alarm["EvaluationPeriods"].as_u64().unwrap();
        assert!(minutes <= 5, "{name} looks at {minutes} minutes");
        let metrics = alarm["Metrics"].as_sequence().unwrap().iter().filter(|metric| !metric["MetricStat"].is_null());
        metrics.for_each(|metric| assert_eq!(metric["MetricStat"]["Period"], 60, "{name}"));
    }
    assert!(read("samconfig.toml").contains("\"DeploymentType=Canary10Percent10Minutes\""));
}

/// The alias of a function goes on with what its version was started with: `Release` and restored tables have to make
/// another version, which takes another description of it and another configuration of the function.
#[test]
fn what_an_operator_changes_without_a_template_makes_new_versions() {
    let template = template();
    let named = "${Release} ${RestoredTables} ${RestoredEvidence}";
    let says = |value: &Yaml| match value {
        Yaml::Tagged(tagged) => tagged.value.as_str().is_some_and(|text| text.ends_with(named)),
        _ => false,
    };
    assert!(says(&template["Globals"]["Function"]["Description"]));
    for (id, body) in resources(&template) {
        assert!(says(&body["Properties"]["VersionDescription"]), "{id} has no VersionDescription of `{named}`");
    }
}

/// Else SQS would hand a task to a second worker while the first still has it.
#[test]
fn a_task_is_invisible_for_as_long_as_a_worker_may_take() {
    let data: Yaml = serde_yaml_ng::from_str(&read("infra/data.yaml")).unwrap();
    let invisible = data["Resources"]["ImportTasksQueue"]["Properties"]["VisibilityTimeout"].as_u64().unwrap();
    let worker = template()["Resources"]["ImportFeedFunction"]["Properties"]["Timeout"].as_u64().unwrap();
    assert!(invisible > worker, "{invisible} s, and a worker may take {worker} s");
}

/// What a mapping of a stream has to say so that one record holds nobody up for long and none is given up on unnamed.
#[test]
fn a_stream_is_read_with_partial_failures_bisecting_bounds_and_a_place_for_what_failed() {
    let template = template();
    let mut mappings = 0;
    for (id, body) in resources(&template) {
        let events = body["Properties"]["Events"].as_mapping().into_iter().flatten();
        for (event, mapping) in events.filter(|(_, event)| event["Type"] == "DynamoDB") {
            let (place, properties) = (format!("{id} {event:?}"), &mapping["Properties"]);
            mappings += 1;
            let response = properties["FunctionResponseTypes"].as_sequence();
            assert!(response.is_some_and(|types| types.contains(&"ReportBatchItemFailures".into())), "{place}");
            // A batch of one has nothing to cut.
            let is_cut = properties["BisectBatchOnFunctionError"] == Yaml::Bool(true);
            assert!(is_cut || properties["BatchSize"].as_u64() == Some(1), "{place}");
            // Both have to be there: each is without an end where it is not said.
            let retries = properties["MaximumRetryAttempts"].as_u64();
            assert!(retries.is_some_and(|most| (1..=10).contains(&most)), "{place}: {retries:?}");
            let age = properties["MaximumRecordAgeInSeconds"].as_u64();
            assert!(age.is_some_and(|most| (60..=6 * 3600).contains(&most)), "{place}: {age:?}");
            let queue = serde_json::to_string(&properties["DestinationConfig"]["OnFailure"]["Destination"]).unwrap();
            assert!(queue.contains("QueueArn"), "{place}: {queue}");
        }
    }
    assert_eq!(mappings, 2, "send-mail and write-export read a stream");
}

/// A dead-letter queue that the runbook has no command for would be looked up by nobody.
#[test]
fn every_queue_of_what_failed_has_its_redrive_command_in_the_runbook() {
    let runbook = read("docs/operations.md");
    let mut queues = everywhere("AWS::SQS::Queue");
    // Of a queue that has one behind it what failed ends there.
    queues.retain(|_, body| body["Properties"]["RedrivePolicy"].is_null());
    for id in queues.keys() {
        let command = format!("infra/redrive.py --stack <stack> {id}");
        assert!(runbook.contains(&command), "docs/operations.md has no {command:?}");
    }
    assert!(queues.len() >= 5, "{} queues", queues.len());
}
