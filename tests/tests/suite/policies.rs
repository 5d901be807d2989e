//! What each function may do: a role of its own, written out, that allows what its code and the services that run it
//! do with its rights, and nothing more.

use std::collections::BTreeSet;

use harness::{Tap, Use, World, fixture, write_batch};
use local::bucket_name;
use serde_json::json;
use serde_yaml_ng::Value as Yaml;

use crate::everything::everything;
use crate::ledger_files::{add_what_no_total_has, asked, download};
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

/// What a role allows, as it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Allowed {
    action: String,
    resource: String,
    /// A pattern of the partitions that it is limited to; of a statement with several there is one of these for each.
    leading_key: Option<String>,
}

impl Allowed {
    fn covers(&self, used: &Use) -> bool {
        let key = used.leading_key.as_deref().unwrap_or_default();
        self.action == used.action
            && covers(&pattern(&self.resource), &used.resource)
            && self.leading_key.as_ref().is_none_or(|leading_key| covers(leading_key, key))
    }
}

/// The one kind of condition that limits what is done: to items whose partition key is like one of these.
fn leading_keys(statement: &Yaml) -> Vec<Option<String>> {
    let condition = &statement["Condition"]["ForAllValues:StringLike"]["dynamodb:LeadingKeys"];
    if condition.is_null() { vec![None] } else { strings(condition).into_iter().map(Some).collect() }
}

/// What the role of a function allows: action and resource, as they are written.
fn allowed(template: &Yaml, function: &str) -> Vec<(String, String)> {
    statements(template, function).into_iter().map(|allowed| (allowed.action, allowed.resource)).collect()
}

fn statements(template: &Yaml, function: &str) -> Vec<Allowed> {
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
                for resource in strings(&statement["Resource"]) {
                    allowed.extend(leading_keys(statement).into_iter().map(|leading_key| Allowed {
                        action: action.clone(),
                        resource: resource.clone(),
                        leading_key,
                    }));
                }
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
        let of_lambda =
            allowed(&template, &name).into_iter().filter(|(action, resource)| is_of_lambda(action, resource));
        assert_eq!(of_lambda.collect::<BTreeSet<_>>(), wanted, "{name}");
    }
}

/// Whether it is what Lambda does with a function's role.
fn is_of_lambda(action: &str, resource: &str) -> bool {
    let of_a_stream = resource.ends_with("StreamArn") || resource.ends_with("/stream/*");
    of_a_stream || ["logs:", "sqs:"].iter().any(|service| action.starts_with(service))
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

/// Whoever breaks a function that shows ledgers, or one that follows a mailed link, takes no seat by it, and changes
/// no document that is in force.
#[test]
fn a_function_that_reads_accounts_writes_only_what_opening_an_invitation_takes() {
    let template = template();
    for name in ["query-ledger", "export-ledger", "statement", "change-email"] {
        for allowed in statements(&template, name).iter().filter(|allowed| allowed.resource.contains("MembersTable")) {
            let reads = ["dynamodb:BatchGetItem"].contains(&allowed.action.as_str());
            let own = ["ACCOUNT#*", "USER#*", "INVITED#*"];
            let limited = allowed.leading_key.as_deref().is_some_and(|key| own.contains(&key));
            assert!(reads || limited, "{name} may do more than it needs: {allowed:?}");
        }
    }
}

/// A posting stays: of the ledger nothing is updated in place, and the import alone deletes, in the partitions of what waits.
#[test]
fn nothing_posted_can_be_deleted_or_updated() {
    let template = template();
    let posted = ["ACCOUNT#", "SOURCE#", "BATCHES#"];
    let mut deletes = BTreeSet::new();
    for name in functions() {
        for allowed in statements(&template, &name) {
            let in_ledger = allowed.resource.contains("LedgerTable");
            let changes = ["dynamodb:DeleteItem", "dynamodb:UpdateItem", "dynamodb:BatchWriteItem"];
            if !in_ledger || !changes.contains(&allowed.action.as_str()) {
                continue;
            }
            let open: Vec<_> = posted
                .iter()
                .filter(|key| {
                    let (action, resource) = (allowed.action.clone(), "LedgerTable".to_owned());
                    allowed.covers(&Use { action, resource, leading_key: Some((**key).to_owned()) })
                })
                .collect();
            assert!(open.is_empty(), "{name} may {} in the partitions {open:?}", allowed.action);
            deletes.insert((name.clone(), allowed.action, allowed.leading_key.unwrap_or_default()));
        }
    }
    let import = |key: &str| ("import-feed".to_owned(), "dynamodb:DeleteItem".to_owned(), key.to_owned());
    assert_eq!(deletes, [import("AWAITED*"), import("WAITING#*")].into());
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

/// The end of the ARNs that a policy's resource covers, as a [`Use`] names them: of `${Data.Outputs.FeedBucketArn}/*`
/// it is `feed-bucket/*`. An output is called as what it is of.
fn pattern(resource: &str) -> String {
    let resource = resource.trim_start_matches("${").replacen('}', "", 1);
    let (_, named) = resource.split_once(".Outputs.").expect("an output of another template");
    let (output, rest) =
        named.split_once('/').map_or((named, String::new()), |(output, rest)| (output, format!("/{rest}")));
    let id = output.strip_suffix("Arn").expect("an ARN");
    let name = if id.ends_with("Bucket") { bucket_name(id) } else { id.to_owned() };
    format!("{name}{rest}")
}

/// Whether a resource with `*` for any text covers another.
fn covers(pattern: &str, resource: &str) -> bool {
    let Some((before, after)) = pattern.split_once('*') else { return pattern == resource };
    // Names of resources are ASCII.
    resource.strip_prefix(before).is_some_and(|rest| (0..=rest.len()).any(|at| covers(after, &rest[at..])))
}

#[test]
fn a_star_is_any_text_and_nothing_else_is() {
    for (pattern, resource, covered) in [
        ("LedgerTable", "LedgerTable", true),
        ("LedgerTable", "LedgerTable/index/by_view", false),
        ("LedgerTable/index/*", "LedgerTable/index/by_view", true),
        ("LedgerTable/index/*", "LedgerTable", false),
        ("feed-bucket/*/report.json", "feed-bucket/a/b/report.json", true),
        ("feed-bucket/*/report.json", "feed-bucket/a/manifest.json", false),
    ] {
        assert_eq!(covers(pattern, resource), covered, "{pattern} and {resource}");
    }
    assert_eq!(pattern("${Data.Outputs.FeedBucketArn}/*/report.json"), "feed-bucket/*/report.json");
    assert_eq!(pattern("Secrets.Outputs.CursorKeyArn"), "CursorKey");
}

/// What happens on few days: a batch without one of its files, a file that never adds up. And what a link opens is
/// opened with the rights of who signed it.
async fn on_few_days(world: &World) {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path().join("2012-11-02-001");
    std::fs::create_dir(&folder).unwrap();
    let (members, ledger) = fixture();
    write_batch(&folder, "2012-11-02-001", &members, &ledger);
    std::fs::remove_file(folder.join("ledger.ndjson")).unwrap();
    world.portal.import(&folder).await.expect_err("a file is missing");

    let jeanne = world.manager("jeanne@martin.example").await;
    let ready = asked(world, &jeanne, &json!({"format": "csv"})).await;
    download(&jeanne.get(&ready).await.expect(200)).await;
    add_what_no_total_has(world, "2012").await;
    let failed = asked(world, &jeanne, &json!({"format": "csv"})).await;
    assert_eq!(jeanne.get(&failed).await.expect(200)["state"], "failed");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_policy_allows_every_call_that_a_function_makes_and_no_other() {
    let (tap, mut options) = Tap::on_all();
    // The first batch is a large one, so that it is cut into tasks.
    options.parameters.insert("SplitAbove".to_owned(), "10".to_owned());
    on_few_days(&World::start_with(options.clone()).await).await;
    everything(&World::start_with(options).await).await;
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
    assert_eq!(quiet, ["health", "not-found"], "these alone need no service");
    let forbidden: Vec<_> = seen
        .iter()
        .filter(|(function, used)| !statements(&template, function).iter().any(|allowed| allowed.covers(used)))
        .collect();
    assert!(forbidden.is_empty(), "template.yaml does not allow what is done: {forbidden:#?}");

    // What Lambda does for a function is not done by it; another test has that.
    let granted = functions().into_iter().flat_map(|name| {
        let own = statements(&template, &name);
        let own = own.into_iter().filter(|allowed| !is_of_lambda(&allowed.action, &allowed.resource));
        own.map(|allowed| (name.clone(), allowed)).collect::<Vec<_>>()
    });
    let idle: Vec<_> = granted
        .filter(|(name, allowed)| !seen.iter().any(|(function, used)| function == name && allowed.covers(used)))
        .collect();
    assert!(idle.is_empty(), "allowed, and nothing here needs it: {idle:#?}");
}
