//! Nothing is forgotten: a function is a folder, a package, a binary, a resource, an event, an entry of
//! the registry, a row of the documentation and a subject of tests, all by one name; an operation is a
//! route; a problem is documented.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::Command;

use harness::{Contract, World, folder_of_workspace};
use http::StatusCode;
use local::{Deployment, Options, RouteKey};
use serde_json::Value;
use serde_yaml_ng::Value as Yaml;

pub(crate) type Names = BTreeSet<String>;

pub(crate) fn read(path: &str) -> String {
    let path = folder_of_workspace().join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The folders under `functions/`: what everything else is held against.
pub(crate) fn functions() -> Names {
    names_in("functions", |path| path.is_dir())
}

pub(crate) fn names_in(folder: &str, wanted: impl Fn(&Path) -> bool) -> Names {
    let entries = fs::read_dir(folder_of_workspace().join(folder)).unwrap().map(|entry| entry.unwrap().path());
    entries.filter(|path| wanted(path)).map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned()).collect()
}

/// `forgot-password` as `ForgotPassword`.
pub(crate) fn pascal(name: &str) -> String {
    name.split('-').map(|part| format!("{}{}", part[..1].to_uppercase(), &part[1..])).collect()
}

pub(crate) fn template() -> Yaml {
    serde_yaml_ng::from_str(&read("template.yaml")).unwrap()
}

/// The functions of the template: logical id and body.
pub(crate) fn resources(template: &Yaml) -> BTreeMap<String, &Yaml> {
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
        ("FeedSources", "erp"),
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
pub(crate) fn problems() -> BTreeMap<String, u16> {
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
