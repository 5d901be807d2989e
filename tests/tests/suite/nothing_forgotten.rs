//! Nothing is forgotten: a function is a folder, a package, a binary, a resource, an event, an entry of
//! the registry, a row of the documentation and a subject of tests, all by one name; an operation is a
//! route; a problem is documented; and a policy allows what the code does and no more of the evidence.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use harness::{
    ACCOUNT, Contract, EMPTY_SIRET, OTHER_ACCOUNT, OTHER_SIRET, PASSWORD, Person, SIRET, Tap, Use, Visitor, World,
    contest_token, fixture, folder_of_workspace, link_token, pass_token,
};
use http::{Method, StatusCode};
use local::{Deployment, Fate, Options, RouteKey};
use portal::domain::{DocumentKind, Email, Id};
use portal::environment::rng;
use portal::store::{Outbox, Wish};
use serde_json::{Value, json};
use serde_yaml_ng::Value as Yaml;

type Names = BTreeSet<String>;

fn read(path: &str) -> String {
    let path = folder_of_workspace().join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The folders under `functions/`: what everything else is held against.
fn functions() -> Names {
    names_in("functions", |path| path.is_dir())
}

fn names_in(folder: &str, wanted: impl Fn(&Path) -> bool) -> Names {
    let entries = fs::read_dir(folder_of_workspace().join(folder)).unwrap().map(|entry| entry.unwrap().path());
    entries.filter(|path| wanted(path)).map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned()).collect()
}

/// `forgot-password` as `ForgotPassword`.
fn pascal(name: &str) -> String {
    name.split('-').map(|part| format!("{}{}", part[..1].to_uppercase(), &part[1..])).collect()
}

fn template() -> Yaml {
    serde_yaml_ng::from_str(&read("template.yaml")).unwrap()
}

/// The functions of the template: logical id and body.
fn resources(template: &Yaml) -> BTreeMap<String, &Yaml> {
    let resources = template["Resources"].as_mapping().unwrap().iter();
    let functions = resources.filter(|(_, body)| body["Type"] == "AWS::Serverless::Function");
    functions.map(|(id, body)| (id.as_str().unwrap().to_owned(), body)).collect()
}

#[test]
fn a_function_is_a_folder_a_package_a_binary_and_a_library_of_one_name() {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["metadata", "--no-deps", "--format-version=1", "--offline"]).current_dir(folder_of_workspace());
    let metadata: Value = serde_json::from_slice(&cargo.output().unwrap().stdout).unwrap();
    for name in functions() {
        let packages = metadata["packages"].as_array().unwrap();
        let folder = folder_of_workspace().join("functions").join(&name).join("Cargo.toml");
        let package =
            packages.iter().find(|package| package["manifest_path"].as_str().unwrap() == folder.to_str().unwrap());
        let package = package.unwrap_or_else(|| panic!("functions/{name} is no package of the workspace"));
        assert_eq!(package["name"], name);
        let targets = package["targets"].as_array().unwrap();
        let of_kind = |kind: &str| -> Vec<_> {
            targets.iter().filter(|t| t["kind"][0] == kind).map(|t| t["name"].as_str().unwrap().to_owned()).collect()
        };
        assert_eq!(of_kind("bin"), [name.as_str()], "functions/{name}: one binary of its name");
        assert_eq!(of_kind("lib"), [name.replace('-', "_")], "functions/{name}: one library of its name");
    }
}

#[test]
fn a_function_is_a_resource_of_the_template() {
    let template = template();
    let binaries: BTreeMap<String, String> = resources(&template)
        .into_iter()
        .map(|(id, body)| (id, body["Metadata"]["BuildProperties"]["Binary"].as_str().unwrap_or_default().to_owned()))
        .collect();
    let wanted = functions().into_iter().map(|name| (format!("{}Function", pascal(&name)), name)).collect();
    assert_eq!(binaries, wanted);
    for (id, body) in resources(&template) {
        // `sam build` calls cargo there, without naming a package: anywhere else it would look among the default
        // members, or give the function what the others ask of its dependencies.
        assert_eq!(body["Properties"]["CodeUri"], format!("functions/{}", binaries[&id]).as_str(), "{id}");
    }
    for name in functions() {
        assert!(!template["Resources"][format!("{}LogGroup", pascal(&name))].is_null(), "{name} has no log group");
    }
}

#[test]
fn a_function_has_a_sample_event() {
    assert_eq!(names_in("events", |path| path.extension().is_some_and(|extension| extension == "json")), functions());
    let handed_over = read("tests/tests/suite/events.rs");
    for name in functions() {
        assert!(handed_over.contains(&format!("\"{name}\"")), "events/{name}.json goes through no handler");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_function_is_in_the_registry_and_starts() {
    // A portal starts only where registry and template know the same functions.
    let world = World::empty(Options::default()).await;
    assert_eq!(world.portal.deployment().functions.keys().cloned().collect::<Names>(), functions());
    world.portal.start_functions().await.unwrap();
}

#[test]
fn a_function_is_a_row_of_the_architecture() {
    let text = read("docs/ARCHITECTURE.md");
    let (_, section) = text.split_once("\n## Functions\n").unwrap();
    let section = section.split("\n## ").next().unwrap();
    let rows = section.lines().filter_map(|line| line.strip_prefix("| `")?.split_once('`'));
    assert_eq!(rows.map(|(name, _)| name.to_owned()).collect::<Names>(), functions());
}

#[test]
fn a_function_is_a_subject_of_tests() {
    // Those behind routes are driven through each operation by the matrix of roles; others by name.
    let contract = Contract::get().operations();
    let driven: Names = contract.iter().map(|(_, _, operation)| x_function(operation)).collect();
    let suite = folder_of_workspace().join("tests/tests/suite");
    let here = Path::new(file!()).file_name().unwrap();
    let files = fs::read_dir(suite).unwrap().map(|entry| entry.unwrap().path());
    let files = files.filter(|path| path.is_file() && path.file_name() != Some(here));
    let text: String = files.map(|path| fs::read_to_string(path).unwrap()).collect();
    for name in functions() {
        assert!(driven.contains(&name) || text.contains(&format!("\"{name}\"")), "no test speaks of {name}");
    }
    assert!(driven.is_subset(&functions()), "the contract names a function that is not there");
}

fn x_function(operation: &Value) -> String {
    operation["x-function"].as_str().unwrap_or_else(|| panic!("{operation} names no function")).to_owned()
}

#[test]
fn an_operation_is_a_route_of_the_same_function() {
    let parameters = [
        ("PortalOrigin", "https://adherents.example"),
        ("MailFrom", "a@adherents.example"),
        ("StaffEmail", "b@adherents.example"),
    ];
    let parameters = parameters.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let deployment = Deployment::read(BTreeMap::from(parameters)).unwrap();
    let (mut routes, mut fallback) = (BTreeSet::new(), Vec::new());
    for route in deployment.routes {
        match route.key {
            RouteKey::Default => fallback.push(route.function),
            RouteKey::Path { method, path } => assert!(routes.insert((method, path, route.function)), "a route twice"),
        }
    }
    let operations = Contract::get().operations().into_iter();
    let operations = operations.map(|(method, path, operation)| (method, path, x_function(operation)));
    assert_eq!(routes, operations.collect());
    assert_eq!(fallback, ["not-found"]);
}

/// Slug and status of each arm of the one match over all problems; the compiler sees to it that none is
/// missing there.
fn problems() -> BTreeMap<String, u16> {
    let source = read("portal/src/http/problem.rs");
    let (_, table) = source.split_once("fn text(&self) -> Text {").unwrap();
    let table = table.split("\n    }\n").next().unwrap();
    let lines: Vec<&str> = table.lines().map(str::trim).collect();
    let arms = lines.windows(3).filter(|lines| lines[0].starts_with("Self::") && lines[0].ends_with("=> ("));
    arms.map(|lines| {
        let slug = lines[1].trim_matches([',', '"']).to_owned();
        (slug, status(lines[2].trim_start_matches("StatusCode::").trim_end_matches(',')))
    })
    .collect()
}

/// The code of a constant such as `NOT_FOUND`.
fn status(name: &str) -> u16 {
    let of_name = |code: &u16| {
        let reason = StatusCode::from_u16(*code).ok().and_then(|status| status.canonical_reason());
        reason.is_some_and(|reason| reason.to_uppercase().replace(' ', "_") == name)
    };
    (400..600).find(of_name).unwrap_or_else(|| panic!("{name} is no status of an error"))
}

#[test]
fn a_problem_is_documented() {
    let problems = problems();
    let slugs: Names = problems.keys().cloned().collect();
    assert!(slugs.len() >= 18 && slugs.contains("not-found"), "the table is not read any more: {slugs:?}");
    let documented = read("docs/problems.md");
    let sections = documented.lines().filter_map(|line| line.strip_prefix("## ")).map(str::to_owned);
    assert_eq!(sections.collect::<Names>(), slugs, "the sections of docs/problems.md");
    let rows = documented.lines().filter_map(|line| {
        let (slug, rest) = line.strip_prefix("| [")?.split_once(']')?;
        Some((slug.to_owned(), rest.split('|').nth(1)?.trim().parse().ok()?))
    });
    assert_eq!(rows.collect::<BTreeMap<_, u16>>(), problems, "the table of docs/problems.md");

    let contract: Value = serde_yaml_ng::from_str(&read("openapi.yaml")).unwrap();
    let kinds = contract["components"]["schemas"]["Problem"]["properties"]["type"]["enum"].as_array().unwrap();
    let kinds = kinds.iter().map(|kind| kind.as_str().unwrap().strip_prefix("/problems/").unwrap().to_owned());
    assert_eq!(kinds.collect::<Names>(), slugs, "openapi.yaml");
}

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
    let named: Names = alarms.value[1]
        .as_sequence()
        .unwrap()
        .iter()
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
    for (name, alarm) in there {
        // Five minutes at most, and the canary of samconfig.toml takes ten.
        let minutes = alarm["EvaluationPeriods"].as_u64().unwrap();
        assert!(minutes <= 5, "{name} looks at {minutes} minutes");
        let metrics = alarm["Metrics"].as_sequence().unwrap().iter().filter(|metric| !metric["MetricStat"].is_null());
        metrics.for_each(|metric| assert_eq!(metric["MetricStat"]["Period"], 60, "{name}"));
    }
    assert!(read("samconfig.toml").contains("\"DeploymentType=Canary10Percent10Minutes\""));
}

/// The one policy that functions share: services that encrypt with the portal's key use it with their rights.
fn is_use_of_the_key(policy: &Yaml) -> bool {
    matches!(policy, Yaml::Tagged(tagged) if tagged.value == "Encryption.Outputs.UseOfKeyPolicyArn")
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
        if body["Type"] == "AWS::Serverless::Function" {
            assert!(says(&body["Properties"]["VersionDescription"]), "{id} has no VersionDescription of `{named}`");
        }
    }
}

#[test]
fn every_function_may_use_the_key_of_what_it_reads() {
    let template = template();
    for (id, body) in resources(&template) {
        if body["Type"] == "AWS::Serverless::Function" {
            let policies = body["Properties"]["Policies"].as_sequence();
            let uses = policies.into_iter().flatten().filter(|policy| is_use_of_the_key(policy)).count();
            assert_eq!(uses, 1, "{id}");
        }
    }
}

/// What the policies of a function allow: action and resource, as they are written.
fn allowed(body: &Yaml) -> Vec<(String, String)> {
    let list = |value: &Yaml| value.as_sequence().cloned().unwrap_or_else(|| vec![value.clone()]);
    let mut allowed = Vec::new();
    for policy in body["Properties"]["Policies"].as_sequence().into_iter().flatten() {
        if is_use_of_the_key(policy) {
            continue;
        }
        let statements = policy["Statement"].as_sequence();
        for statement in statements.expect("a policy is written out: what a name of AWS's allows, AWS decides") {
            assert_eq!(statement["Effect"], "Allow");
            for action in list(&statement["Action"]) {
                for resource in list(&statement["Resource"]) {
                    let resource = match &resource {
                        Yaml::Tagged(tagged) => tagged.value.as_str().unwrap().to_owned(),
                        other => other.as_str().unwrap().to_owned(),
                    };
                    allowed.push((action.as_str().unwrap().to_owned(), resource));
                }
            }
        }
    }
    allowed
}

#[test]
fn no_function_may_change_the_evidence_or_everything() {
    let template = template();
    for (id, body) in resources(&template) {
        for (action, resource) in allowed(body) {
            assert!(!action.contains('*'), "{id} may {action}");
            assert!(resource != "*" && !resource.starts_with('*'), "{id} may {action} on {resource}");
            if resource.contains("Evidence") {
                let adds_or_reads = ["GetItem", "BatchGetItem", "Query", "PutItem", "ConditionCheckItem"];
                let short = action.strip_prefix("dynamodb:").unwrap_or(&action);
                assert!(adds_or_reads.contains(&short), "{id} may {action} on the evidence");
            }
        }
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

#[test]
fn log_in_and_rotation_alone_reach_the_signing_keys() {
    let template = template();
    let reach = resources(&template).into_iter().flat_map(|(id, body)| {
        let keys = allowed(body).into_iter().filter(|(_, resource)| resource.contains("SigningKeys"));
        keys.map(|(action, _)| (id.clone(), action)).collect::<Vec<_>>()
    });
    let read = "secretsmanager:GetSecretValue".to_owned();
    let wanted = [
        ("RotateKeysFunction".to_owned(), read.clone()),
        ("RotateKeysFunction".to_owned(), "secretsmanager:PutSecretValue".to_owned()),
        ("SessionsFunction".to_owned(), read),
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
    let resources = resources(&template);
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
            let allowed = allowed(resources[&format!("{}Function", pascal(function))]);
            !allowed.iter().any(|(action, resource)| *action == used.action && covers(resource, used))
        })
        .collect();
    assert!(forbidden.is_empty(), "template.yaml does not allow what is done: {forbidden:#?}");

    // Reading its stream is done for a function, not by it.
    let granted = functions().into_iter().flat_map(|name| {
        let allowed = allowed(resources[&format!("{}Function", pascal(&name))]).into_iter();
        allowed.map(move |(action, resource)| (name.clone(), action, resource))
    });
    let idle: Vec<_> = granted
        .filter(|(_, action, resource)| action.starts_with("dynamodb:") && !resource.contains("Stream"))
        .filter(|(name, action, resource)| {
            !seen.iter().any(|(function, used)| function == name && used.action == *action && covers(resource, used))
        })
        .collect();
    assert!(idle.is_empty(), "allowed, and nothing here needs it: {idle:#?}");
}

/// What the back office may send: corrections, and entries before their action.
async fn feeds(world: &World) {
    let (members, ledger) = fixture();
    let corrected = ledger.replace("\"source_version\":1", "\"source_version\":2").replace("0000,", "1000,");
    let members = members.replace("\"version\":1", "\"version\":2").replace("MARTIN BTP", "MARTIN TRAVAUX");
    assert!(world.import("2012-10-16-001", &members, &corrected).await.corrected > 0);
    let (actions, entries): (Vec<&str>, Vec<&str>) = ledger
        .lines()
        .filter(|line| line.contains("2012-000001"))
        .partition(|line| line.contains("\"record\":\"action\""));
    let renamed = |lines: &[&str]| {
        let lines: String = lines.iter().map(|line| format!("{line}\n")).collect();
        lines.replace("2012-000001", "2012-000009").replace("\"source_key\":\"", "\"source_key\":\"N")
    };
    assert!(world.import("2012-10-17-001", "", &renamed(&entries)).await.pending > 0);
    assert!(world.import("2012-10-18-001", "", &renamed(&actions)).await.posted > 0);
}

/// Somebody changes password and address, comes back from that, takes their data away, and goes.
async fn own_space(world: &World) {
    let (old, new) = ("ana@martin.example", "ana@toitures.example");
    let ana = world.member(old).await;
    let wrong = json!({"current_password": "faux", "password": PASSWORD, "password_confirmation": PASSWORD});
    ana.post("/api/me/password", &wrong).await.expect_problem(403, "bad-current-password");
    let other = "escabeau mauve tournevis 7";
    let password = json!({"current_password": PASSWORD, "password": other, "password_confirmation": other});
    ana.post("/api/me/password", &password).await.expect(204);
    ana.refresh().await.expect(200);
    let email = json!({"current_password": other, "email": new, "email_confirmation": new});
    ana.post("/api/me/email", &email).await.expect(202);
    for address in [new, old] {
        let mail = world.newest_mail(address).await;
        let token = mail.text.split_once("/adresse#").unwrap().1.split_whitespace().next().unwrap();
        ana.post("/api/email/link", &json!({"token": token})).await.expect(200);
        ana.post("/api/email", &json!({"token": token})).await.expect(204);
    }
    ana.set_password(&link_token(&world.newest_mail(old).await), PASSWORD).await.expect(204);
    ana.log_in(old, PASSWORD).await.expect(200);
    ana.get("/api/me/export").await.expect(200);
    let sure = json!({"current_password": PASSWORD});
    ana.send(Method::DELETE, "/api/me", Some(&sure)).await.expect(204);
}

/// So many wrong numbers that the establishment's contact is mailed a pass, which a wrong number uses up.
async fn passes(world: &World, paul: &Visitor) {
    for name in ["one", "two"] {
        let guesser = world.member(&format!("{name}@elsewhere.example")).await;
        for _ in 0..5 {
            world.claim(&guesser, OTHER_ACCOUNT).await;
        }
    }
    let token = pass_token(&world.newest_mail("compta@martin.example").await);
    let terms = world.document("account-terms").await;
    let claim = json!({"member_number": OTHER_ACCOUNT, "account_terms": terms, "token": token});
    paul.post("/api/manager-claims", &claim).await.expect_problem(404, "claim-refused");
}

/// A claim is contested by two, is found to be right, is contested again, and its manager released; mails are sent
/// again, and the account is closed.
async fn contests(world: &World) {
    // The guesses of before are forgotten.
    world.advance(Duration::from_secs(25 * 3600));
    let staff = async |operation: &str, staff: &str, more: Value| {
        let mut event = json!({"operation": operation, "staff": staff, "reason": "appel du 24/11"});
        event.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let answer = world.staff(event).await;
        assert!(answer["error"].is_null(), "{answer}");
    };
    for name in ["lea", "noe", "ugo"] {
        world.member(&format!("{name}@btp.example")).await;
    }
    let noe = world.visitor();
    noe.log_in("noe@btp.example", PASSWORD).await.expect(200);
    world.claim(&noe, ACCOUNT).await.expect(201);
    let mails = world.mails().await;
    let tokens = mails.iter().rev().filter(|mail| mail.text.contains("/contestation#")).map(contest_token);
    let tokens: Vec<_> = tokens.take(3).collect();
    let contest = async |token: &str| {
        world.visitor().post("/api/manager-claims/contest", &json!({"token": token})).await.expect(202);
    };
    contest(&tokens[0]).await;
    contest(&tokens[1]).await;
    let here = json!({"establishment": ACCOUNT});
    staff("look-up-establishment", "Claire", here.clone()).await;
    staff("list-contests", "Claire", json!({"all": true})).await;
    staff("list-alerts", "Claire", json!({})).await;
    staff("look-up-user", "Claire", json!({"email": "noe@btp.example"})).await;
    staff("dismiss-contest", "Claire", here.clone()).await;
    contest(&tokens[2]).await;
    staff("release-manager", "Claire", here.clone()).await;
    staff("release-manager", "Hugo", here.clone()).await;
    staff("resend-mail", "Claire", json!({"email": "noe@btp.example", "mail": "reset"})).await;
    world.sign_up(&Person::at("late@btp.example")).await.expect(202);
    world.mails().await;
    staff("resend-mail", "Claire", json!({"email": "late@btp.example", "mail": "activation"})).await;
    world.mails().await;
    staff("close-account", "Claire", here).await;
}

/// Two ask the manager for access: one gets it, and the role for a while.
async fn colleagues(world: &World, marie: &Visitor) {
    let account = format!("/api/accounts/{ACCOUNT}");
    let kim = world.user(&Person::at("kim@laposte.example").of(OTHER_SIRET)).await;
    world.accept_charter(&kim).await;
    // With the token of before.
    kim.patch("/api/me", &json!({"siret": SIRET})).await.expect(200);
    let lee = world.member("lee@martin.example").await;
    for asking in [&kim, &lee] {
        asking.post("/api/access-requests", &json!({"message": "Bonjour"})).await.expect(202);
    }
    world.mails().await;
    marie.post(&format!("{account}/users"), &json!({"emails": ["kim@laposte.example"]})).await.expect(202);
    marie.delete(&format!("{account}/users/{}", lee.id().await)).await.expect(204);
    marie.get("/api/accounts?q=martin&limit=1").await.expect(200);
    let (marie_id, kim_id) = (marie.id().await, kim.id().await);
    marie.post(&format!("{account}/manager"), &json!({"id": kim_id})).await.expect(200);
    kim.post(&format!("{account}/manager"), &json!({"id": marie_id})).await.expect(200);
    kim.delete(&format!("{account}/users/{kim_id}")).await.expect(204);
}

/// A bit of everything that the portal does.
pub(crate) async fn everything(world: &World) {
    feeds(world).await;
    let marie = world.manager("marie@martin.example").await;
    for target in ["/api/home", "/api/me", "/api/sessions", "/api/accounts", "/api/documents/terms/1"] {
        marie.get(target).await.expect(200);
    }
    for rest in [
        "summary",
        "actions",
        "actions?view=2012",
        "actions?view=2012&status=PAID",
        "actions?view=2012&scheme=PLAN",
        "actions?view=2012&status=PAID&scheme=PLAN",
        "actions?status=PAID",
        "actions/2012-000001",
        "contributions",
        "remittances?view=2012",
        "remittances/V-2012-0042",
        "ledger?view=2012&kind=COMMITMENT",
        "ledger?from=2012-01-01",
        "ledger.csv",
        "ledger.xlsx?view=2012",
        "statement.pdf",
        "statement.pdf?view=2012",
    ] {
        marie.get(&format!("/api/accounts/{ACCOUNT}/{rest}")).await.expect(200);
    }
    let exports = format!("/api/accounts/{ACCOUNT}/exports");
    let export = marie.post(&exports, &json!({"format": "csv"})).await.expect(202);
    world.portal.drain().await.unwrap();
    let export = marie.get(&format!("{exports}/{}", export["id"].as_str().unwrap())).await.expect(200);
    assert_eq!(export["state"], "ready");
    marie.patch("/api/me", &json!({"job_title": "Gérante"})).await.expect(200);
    marie.refresh().await.expect(200);
    let mut terms = world.document("terms").await;
    terms["kind"] = json!("terms");
    assert!([200, 201].contains(&marie.post("/api/acceptances", &terms).await.status));
    let paul = world.member("paul@martin.example").await;
    world.claim(&paul, ACCOUNT).await.expect_problem(409, "already-managed");
    world.claim(&paul, OTHER_ACCOUNT).await.expect_problem(404, "claim-refused");
    passes(world, &paul).await;
    paul.log_in("paul@martin.example", "faux").await.expect_problem(401, "bad-credentials");
    paul.patch("/api/me", &json!({"siret": OTHER_SIRET})).await.expect(200);
    world.claim(&paul, OTHER_ACCOUNT).await.expect(201);
    world.sign_up(&Person::at("paul@martin.example")).await.expect(202);
    // The second link replaces the first.
    for _ in 0..2 {
        world.advance(Duration::from_secs(61));
        paul.post("/api/password/forgot", &json!({"email": "paul@martin.example"})).await.expect(202);
        world.mails().await;
    }
    let token = link_token(&world.newest_mail("paul@martin.example").await);
    paul.post("/api/password/link", &json!({"token": token})).await.expect(200);
    let password = json!({"token": token, "password": PASSWORD, "password_confirmation": PASSWORD});
    paul.post("/api/password", &password).await.expect(204);
    world.visitor().get("/.well-known/jwks.json").await.expect(200);
    let users = format!("/api/accounts/{ACCOUNT}/users");
    let zoe = world.member("zoe@martin.example").await;
    for opens in [Some("summary"), Some("ledger.csv"), Some("statement.pdf"), None] {
        marie.post(&users, &json!({"email": "zoe@martin.example"})).await.expect(202);
        if let Some(read) = opens {
            zoe.get(&format!("/api/accounts/{ACCOUNT}/{read}")).await.expect(200);
        }
        let listed = marie.get(&users).await.expect(200);
        let id = listed["users"][1]["id"].as_str().unwrap();
        marie.delete(&format!("{users}/{id}")).await.expect(204);
    }
    colleagues(world, &marie).await;
    own_space(world).await;
    // A manager changes her name, and leaves alone.
    marie.patch("/api/me", &json!({"last_name": "Dupont"})).await.expect(200);
    marie.patch("/api/me", &json!({"siret": OTHER_SIRET})).await.expect(200);
    marie.get("/api/home").await.expect(200);
    let sessions = paul.log_in("paul@martin.example", PASSWORD).await.expect(200);
    assert!(sessions["access_token"].is_string());
    paul.delete("/api/sessions/all").await.expect(204);
    marie.delete("/api/sessions/current").await.expect(204);
    // A mail that was not sent in time is woken.
    let id = Id::random(&mut rng());
    let wish = Wish::Reset { email: Email::parse("marie@martin.example").unwrap() };
    let outbox = Outbox::new(id, wish, world.portal.clock().now());
    let store = world.portal.store().unwrap();
    store.put(&Outbox { wish: None, ..outbox.clone() }).await.unwrap();
    world.mails().await;
    store.put(&outbox).await.unwrap();
    world.advance(Duration::from_secs(600));
    let reconciled = world.portal.invoke("reconcile", json!({})).await.unwrap();
    assert_eq!((&reconciled["drift"], &reconciled["busy"]), (&json!(0), &json!([])), "{reconciled}");
    let swept = world.portal.invoke("sweep-outbox", json!({})).await.unwrap();
    assert_eq!(swept, json!({"woken": 1}));
    world.mails().await;

    // The staff publish a document, news of which one expires, and an application.
    world.publish(DocumentKind::Terms).await;
    contests(world).await;
    let staff = |event: Value| async {
        let mut event = event;
        (event["staff"], event["reason"]) = (json!("Claire Durand"), json!("essai"));
        let answer = world.staff(event).await;
        assert!(answer["error"].is_null(), "{answer}");
        answer
    };
    let soon = (world.portal.clock().now() + Duration::from_secs(60)).to_string();
    staff(json!({"operation": "publish-news", "title": "Bref", "body": "Texte.", "expires_at": soon})).await;
    world.advance(Duration::from_secs(61));
    let news = staff(json!({"operation": "publish-news", "title": "Durable", "body": "Texte."})).await;
    staff(json!({"operation": "withdraw-news", "id": news["published"]["id"]})).await;
    staff(json!({"operation": "put-application", "id": "catalogue", "title_fr": "Catalogue", "title_en": "Catalogue",
        "url": "/catalogue", "audience": "everyone", "order": 20, "enabled": true}))
    .await;
    staff(json!({"operation": "remove-application", "id": "catalogue"})).await;
    // A mail came back, and the mailbox is mended.
    world.portal.decide_mails_to("zoe@martin.example", Fate::Bounced);
    world.visitor().forgot("zoe@martin.example").await.expect(202);
    world.mails().await;
    staff(json!({"operation": "resume-mail", "email": "zoe@martin.example"})).await;

    // An establishment moves, and a key comes to its end.
    let (members, _) = fixture();
    let moved = members.replace("\"version\":1", "\"version\":3").replace(OTHER_SIRET, EMPTY_SIRET);
    world.import("2012-10-19-001", &moved, "").await;
    for _ in 0..2 {
        world.advance(Duration::from_secs(30 * 24 * 3600));
        world.portal.invoke("rotate-keys", json!({})).await.unwrap();
    }
    // Then nobody comes any more.
    for months in [24, 2] {
        world.advance(Duration::from_secs(months * 31 * 24 * 3600));
        world.portal.invoke("expire-users", json!({})).await.unwrap();
    }
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
    let mut queues = 0;
    for stack in ["infra/data.yaml", "infra/mail.yaml"] {
        let template: Yaml = serde_yaml_ng::from_str(&read(stack)).unwrap();
        for (id, body) in template["Resources"].as_mapping().unwrap() {
            let id = id.as_str().unwrap();
            // Of a queue that has one behind it what failed ends there.
            if body["Type"] != "AWS::SQS::Queue" || !body["Properties"]["RedrivePolicy"].is_null() {
                continue;
            }
            queues += 1;
            let command = format!("infra/redrive.py --stack <stack> {id}");
            assert!(runbook.contains(&command), "docs/operations.md has no {command:?}");
        }
    }
    assert!(queues >= 5, "{queues} queues");
}
