//! What each function may do: a role of its own, written out, that allows what its code and the services that run it
//! do with its rights, and nothing more.

use std::collections::BTreeSet;

use harness::{Tap, Use, World};
use serde_yaml_ng::Value as Yaml;

use crate::everything::everything;
use crate::nothing_forgotten::{functions, pascal, resources, template};

/// What AWS writes traces with; X-Ray has no resources to name, so its is the one wildcard that there is.
const TRACES: &str = "arn:${AWS::Partition}:iam::aws:policy/AWSXrayWriteOnlyAccess";

/// What a short form (`!GetAtt`, `!Sub`, `!Ref`) or a text says.
fn text(value: &Yaml) -> String {
    match value {
        Yaml::Tagged(tagged) => tagged.value.as_str().unwrap().to_owned(),
        other => other.as_str().unwrap().to_owned(),
    }
}

fn list(value: &Yaml) -> Vec<Yaml> {
    value.as_sequence().cloned().unwrap_or_else(|| vec![value.clone()])
}

fn strings(value: &Yaml) -> Vec<String> {
    list(value).iter().map(text).collect()
}

/// What the role of a function allows: action and resource, as they are written.
fn allowed(template: &Yaml, function: &str) -> Vec<(String, String)> {
    let role = &template["Resources"][format!("{}Role", pascal(function)).as_str()]["Properties"];
    let mut allowed = Vec::new();
    for policy in role["Policies"].as_sequence().expect("statements of its own") {
        for statement in policy["PolicyDocument"]["Statement"].as_sequence().unwrap() {
            assert_eq!(statement["Effect"], "Allow");
            let keys: BTreeSet<_> = statement.as_mapping().unwrap().keys().map(text).collect();
            let others: Vec<_> = keys
                .iter()
                .filter(|key| !["Effect", "Action", "Resource", "Condition"].contains(&key.as_str()))
                .collect();
            assert!(others.is_empty(), "{function} may do what is not read here: {others:?}");
            for action in strings(&statement["Action"]) {
                allowed.extend(strings(&statement["Resource"]).into_iter().map(|resource| (action.clone(), resource)));
            }
        }
    }
    allowed
}

/// Without a role of its own SAM would make one, with managed policies that write any log and read any stream.
#[test]
fn every_function_has_a_role_of_its_own_and_no_policy_that_others_write() {
    let template = template();
    let mut of_functions = BTreeSet::new();
    for name in functions() {
        let function = &template["Resources"][format!("{}Function", pascal(&name)).as_str()]["Properties"];
        let role = format!("{}Role", pascal(&name));
        assert_eq!(text(&function["Role"]), format!("{role}.Arn"), "{name}");
        assert!(function["Policies"].is_null(), "{name} has a role, beside which SAM reads no policies");
        let properties = &template["Resources"][role.as_str()]["Properties"];
        // The one policy that functions share: what encrypts with the portal's key uses it with their rights.
        assert_eq!(
            strings(&properties["ManagedPolicyArns"]),
            ["Encryption.Outputs.UseOfKeyPolicyArn", TRACES],
            "{name} may do what nobody here wrote"
        );
        let who = &properties["AssumeRolePolicyDocument"]["Statement"];
        assert_eq!(who.as_sequence().unwrap().len(), 1, "{name}");
        assert_eq!(text(&who[0]["Principal"]["Service"]), "lambda.amazonaws.com", "{name}");
        of_functions.insert(role);
    }
    assert_eq!(resources(&template).len(), of_functions.len());
    let all = template["Resources"].as_mapping().unwrap().iter();
    let roles = all.filter(|(_, body)| body["Type"] == "AWS::IAM::Role").map(|(id, _)| text(id));
    assert_eq!(roles.collect::<BTreeSet<_>>(), of_functions, "a role that no function has");
}

/// What Lambda does with a function's role: its log, and what its events and its failures need. All of it, and beside
/// it nothing of these services.
#[test]
fn what_lambda_does_for_a_function_is_allowed_for_its_own_resources_only() {
    let template = template();
    for name in functions() {
        let mut wanted = BTreeSet::new();
        let mut want = |resource: &str, actions: &[&str]| {
            wanted.extend(actions.iter().map(|action| ((*action).to_owned(), resource.to_owned())));
        };
        want(&format!("{}LogGroup.Arn", pascal(&name)), &["logs:CreateLogStream", "logs:PutLogEvents"]);
        let properties = &template["Resources"][format!("{}Function", pascal(&name)).as_str()]["Properties"];
        let mut failures = vec![properties["EventInvokeConfig"].clone()];
        for event in properties["Events"].as_mapping().into_iter().flat_map(|events| events.values()) {
            let properties = &event["Properties"];
            if event["Type"] == "DynamoDB" {
                let stream = text(&properties["Stream"]);
                want(&stream, &["dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator"]);
                let table = stream.replace("StreamArn", "TableArn");
                want(&format!("${{{table}}}/stream/*"), &["dynamodb:ListStreams"]);
                failures.push(properties.clone());
            }
            if event["Type"] == "SQS" {
                let queue = text(&properties["Queue"]);
                want(&queue, &["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"]);
            }
        }
        for failures in failures {
            let queue = &failures["DestinationConfig"]["OnFailure"]["Destination"];
            if !queue.is_null() {
                want(&text(queue), &["sqs:SendMessage"]);
            }
        }
        let of_lambda = allowed(&template, &name).into_iter().filter(|(action, resource)| {
            ["logs:", "sqs:"].iter().any(|service| action.starts_with(service)) || is_of_a_stream(resource)
        });
        assert_eq!(of_lambda.collect::<BTreeSet<_>>(), wanted, "{name}");
    }
}

fn is_of_a_stream(resource: &str) -> bool {
    resource.ends_with("StreamArn") || resource.ends_with("/stream/*")
}

#[test]
fn no_function_may_change_the_evidence_or_everything() {
    let template = template();
    for name in functions() {
        for (action, resource) in allowed(&template, &name) {
            assert!(!action.contains('*'), "{name} may {action}");
            // Whatever it is, it is of one table, bucket or queue.
            let names_one = resource.contains(".Outputs.") || resource.ends_with("LogGroup.Arn");
            assert!(names_one && !resource.starts_with('*'), "{name} may {action} on {resource}");
            if resource.contains("Evidence") {
                let adds_or_reads = ["GetItem", "BatchGetItem", "Query", "PutItem", "ConditionCheckItem"];
                let short = action.strip_prefix("dynamodb:").unwrap_or(&action);
                assert!(adds_or_reads.contains(&short), "{name} may {action} on the evidence");
            }
        }
    }
}

#[test]
fn log_in_and_rotation_alone_reach_the_signing_keys() {
    let template = template();
    let reach = functions().into_iter().flat_map(|name| {
        let keys = allowed(&template, &name).into_iter().filter(|(_, resource)| resource.contains("SigningKeys"));
        keys.map(|(action, _)| (name.clone(), action)).collect::<Vec<_>>()
    });
    let read = "secretsmanager:GetSecretValue".to_owned();
    let wanted = [
        ("rotate-keys".to_owned(), read.clone()),
        ("rotate-keys".to_owned(), "secretsmanager:PutSecretValue".to_owned()),
        ("sessions".to_owned(), read),
    ];
    assert_eq!(reach.collect::<BTreeSet<_>>(), BTreeSet::from(wanted));
}

/// The resource of a policy that covers a use: `Data.Outputs.IdentityTableArn`, with `/index/…` for one
/// of its indexes.
fn covers(resource: &str, wanted: &Use) -> bool {
    let resource = resource.trim_start_matches("${").replacen('}', "", 1);
    let Some(rest) = resource.strip_prefix(&format!("Data.Outputs.{}Arn", wanted.table)) else { return false };
    match &wanted.index {
        None => rest.is_empty(),
        Some(index) => rest == format!("/index/{index}") || rest == "/index/*",
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_policy_allows_every_call_that_a_function_makes_and_no_other() {
    let (tap, options) = Tap::on_dynamodb().await;
    let world = World::start_with(options).await;
    everything(&world).await;
    let template = template();
    let calls = tap.take().calls;
    // A policy cannot demand the condition, and a plain put would replace what is there.
    let replaced = calls.iter().filter(|call| call.replaces.contains("EvidenceTable")).collect::<Vec<_>>();
    assert!(replaced.is_empty(), "evidence is created under the condition that there is none: {replaced:#?}");
    let seen: BTreeSet<(String, Use)> = calls
        .into_iter()
        .flat_map(|call| call.uses.into_iter().map(move |used| (call.function.clone(), used)))
        .collect();
    let quiet: Vec<_> =
        functions().into_iter().filter(|name| !seen.iter().any(|(function, _)| function == name)).collect();
    assert_eq!(quiet, ["health", "not-found"], "these alone need no table");
    let forbidden: Vec<_> = seen
        .iter()
        .filter(|(function, used)| {
            let allowed = allowed(&template, function);
            !allowed.iter().any(|(action, resource)| *action == used.action && covers(resource, used))
        })
        .collect();
    assert!(forbidden.is_empty(), "template.yaml does not allow what is done: {forbidden:#?}");

    // Reading its stream is done for a function, not by it.
    let granted = functions().into_iter().flat_map(|name| {
        let allowed = allowed(&template, &name).into_iter();
        allowed.map(move |(action, resource)| (name.clone(), action, resource))
    });
    let idle: Vec<_> = granted
        .filter(|(_, action, resource)| action.starts_with("dynamodb:") && !is_of_a_stream(resource))
        .filter(|(name, action, resource)| {
            !seen.iter().any(|(function, used)| function == name && used.action == *action && covers(resource, used))
        })
        .collect();
    assert!(idle.is_empty(), "allowed, and nothing here needs it: {idle:#?}");
}
