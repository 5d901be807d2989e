//! `docs/asvs.md` names, for each requirement of OWASP ASVS 5.0.0 at level 2 in eight chapters, what meets it and
//! the tests that say so; and the few tests that only the standard asks for.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use harness::{Contract, PASSWORD, Person, World, folder_of_workspace, link_token};
use http::Method;
use portal::domain::Id;
use portal::environment::rng;
use portal::security::{LinkToken, RefreshToken, SealKey, SymmetricKey};
use portal::store::{Table, User};
use serde_json::Value;

/// The requirements of levels 1 and 2, by section.
const REQUIRED: &[(&str, &[u8])] = &[
    ("2.1", &[1, 2, 3]),
    ("2.2", &[1, 2, 3]),
    ("2.3", &[1, 2, 3, 4]),
    ("2.4", &[1]),
    ("6.1", &[1, 2, 3]),
    ("6.2", &[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]),
    ("6.3", &[1, 2, 3, 4]),
    ("6.4", &[1, 2, 3, 4]),
    ("6.5", &[1, 2, 3, 4, 5]),
    ("6.6", &[1, 2, 3]),
    ("6.8", &[1, 2, 3, 4]),
    ("7.1", &[1, 2, 3]),
    ("7.2", &[1, 2, 3, 4]),
    ("7.3", &[1, 2]),
    ("7.4", &[1, 2, 3, 4, 5]),
    ("7.5", &[1, 2]),
    ("7.6", &[1, 2]),
    ("8.1", &[1, 2]),
    ("8.2", &[1, 2, 3]),
    ("8.3", &[1]),
    ("8.4", &[1]),
    ("9.1", &[1, 2, 3]),
    ("9.2", &[1, 2, 3, 4]),
    ("11.1", &[1, 2]),
    ("11.2", &[1, 2, 3]),
    ("11.3", &[1, 2, 3]),
    ("11.4", &[1, 2, 3, 4]),
    ("11.5", &[1]),
    ("11.6", &[1]),
    ("14.1", &[1, 2]),
    ("14.2", &[1, 2, 3, 4]),
    ("14.3", &[1, 2, 3]),
    ("16.1", &[1]),
    ("16.2", &[1, 2, 3, 4, 5]),
    ("16.3", &[1, 2, 3, 4]),
    ("16.4", &[1, 2, 3]),
    ("16.5", &[1, 2, 3]),
];

/// What a reason has at least: less than this is a word and no reason.
const SHORTEST_REASON: usize = 40;

/// A row of `docs/asvs.md`.
#[derive(Debug)]
struct Row {
    requirement: String,
    asks: String,
    status: String,
    reason: String,
    tests: String,
}

fn read(path: &str) -> String {
    let path = folder_of_workspace().join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn rows() -> Vec<Row> {
    let page = read("docs/asvs.md");
    let lines = page.lines().filter(|line| line.starts_with("| ") && line.as_bytes()[2].is_ascii_digit());
    lines
        .map(|line| {
            let cells: Vec<&str> = line.trim_matches('|').split(" | ").map(str::trim).collect();
            let [requirement, asks, status, reason, tests] = cells[..] else { panic!("five cells: {line}") };
            let [requirement, asks, status, reason, tests] =
                [requirement, asks, status, reason, tests].map(str::to_owned);
            Row { requirement, asks, status, reason, tests }
        })
        .collect()
}

/// What stands in backticks.
fn quoted(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

#[test]
fn every_requirement_has_its_row_and_no_cell_is_empty() {
    let required = REQUIRED.iter().flat_map(|(section, numbers)| numbers.iter().map(move |n| format!("{section}.{n}")));
    let required: BTreeSet<String> = required.collect();
    assert_eq!(required.len(), 117, "11 + 35 + 18 + 7 + 7 + 14 + 9 + 16");
    let rows = rows();
    let mut seen = BTreeMap::new();
    for row in &rows {
        *seen.entry(row.requirement.clone()).or_insert(0) += 1;
    }
    assert_eq!(seen.keys().cloned().collect::<BTreeSet<_>>(), required);
    assert!(seen.values().all(|rows| *rows == 1), "{seen:?}");
    for row in &rows {
        assert!(row.asks.len() > 15 && row.reason.len() >= SHORTEST_REASON, "{row:?} says too little");
        match row.status.as_str() {
            "Met" => assert!(quoted(&row.tests).count() > 0, "{row:?} names no test"),
            "Not applicable" | "Not met" => assert!(!row.tests.is_empty(), "{row:?}"),
            other => panic!("{other} is no status: {row:?}"),
        }
    }
    // The page's own count is this one.
    let page = read("docs/asvs.md");
    let count = |status: &str| rows.iter().filter(|row| row.status == status).count();
    let (met, not_applicable, not_met) = (count("Met"), count("Not applicable"), count("Not met"));
    let said = format!("{met} met, {not_applicable} not applicable, {not_met} not met");
    assert!(page.contains(&said), "the page does not say: {said}");
}

/// Where a test may be, by its path: `journeys::…` in the suite, `portal::security::hashing::tests::…` beside
/// what it tests, `import_feed::batches::…` in a package's folder of tests.
fn places(test: &str) -> (Vec<PathBuf>, &str) {
    let (path, name) = test.rsplit_once("::").unwrap_or_else(|| panic!("{test} names no module"));
    let parts: Vec<&str> = path.split("::").collect();
    if let [module] = parts[..] {
        return (vec![PathBuf::from(format!("tests/tests/suite/{module}.rs"))], name);
    }
    let (package, modules) = (parts[0].replace('_', "-"), &parts[1..]);
    let folder = match package.as_str() {
        "portal" | "local" => package.clone(),
        "common-passwords" => "portal/passwords".to_owned(),
        _ => format!("functions/{package}"),
    };
    let file = modules.join("/");
    let without_tests = file.strip_suffix("/tests").unwrap_or(if file == "tests" { "lib" } else { &file });
    let places = [
        format!("{folder}/src/{file}.rs"),
        format!("{folder}/src/{without_tests}.rs"),
        format!("{folder}/src/{without_tests}/mod.rs"),
        format!("{folder}/tests/{file}.rs"),
    ];
    (places.map(PathBuf::from).to_vec(), name)
}

/// Whether the source has a test of this name: a function right behind a test's attribute.
fn has_test(source: &str, name: &str) -> bool {
    let lines: Vec<&str> = source.lines().map(str::trim).collect();
    lines.iter().enumerate().any(|(at, line)| {
        let is_it = [format!("fn {name}("), format!("async fn {name}(")].iter().any(|start| line.starts_with(start));
        is_it && lines[at.saturating_sub(4)..at].iter().any(|line| line.starts_with("#[") && line.contains("test"))
    })
}

#[test]
fn every_named_test_and_file_is_there() {
    let root = folder_of_workspace();
    let (asvs, security) = (rows(), read("docs/security.md"));
    let promises = security.lines().filter(|line| line.starts_with("| ") && line.contains("::"));
    let named = asvs.iter().map(|row| row.tests.as_str()).chain(promises).flat_map(quoted);
    let tests: BTreeSet<&str> = named.filter(|text| text.contains("::")).collect();
    assert!(tests.len() >= 60, "{}", tests.len());
    let gone: Vec<_> = tests
        .iter()
        .filter(|test| {
            let (places, name) = places(test);
            !places
                .iter()
                .filter_map(|place| fs::read_to_string(root.join(place)).ok())
                .any(|text| has_test(&text, name))
        })
        .collect();
    assert!(gone.is_empty(), "named in docs/asvs.md or docs/security.md, and no tests: {gone:#?}");

    let is_file = |text: &&str| {
        let known = ["rs", "yaml", "md", "toml", "js", "html", "txt", "json"];
        let extension = text.rsplit_once('.').map(|(_, extension)| extension);
        extension.is_some_and(|extension| known.contains(&extension)) && !text.starts_with('/') && !text.contains(' ')
    };
    let files: BTreeSet<&str> = asvs.iter().flat_map(|row| quoted(&row.reason)).filter(is_file).collect();
    assert!(files.len() >= 20, "{files:?}");
    let gone: Vec<_> = files.iter().filter(|file| !root.join(file).is_file()).collect();
    assert!(gone.is_empty(), "named in docs/asvs.md, and not there: {gone:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_password_is_compared_as_it_was_typed_and_never_expires() {
    let world = World::start().await;
    let email = "marie@martin.example";
    world.sign_up(&Person::at(email)).await.expect(202);
    // Of 128 code points, small letters and spaces alone: no mixture is asked for, and nothing is cut off.
    let words = ["  truelle", "mésange", "escabeau", "tournevis", "perroquet", "brouette", "hirondelle", "charpente"];
    let mut password = words.iter().cycle().flat_map(|word| format!("{word} ").chars().collect::<Vec<_>>());
    let password: String = password.by_ref().take(127).chain(['x']).collect();
    assert_eq!(password.chars().count(), 128);
    let visitor = world.visitor();
    let token = link_token(&world.newest_mail(email).await);
    visitor.set_password(&token, &format!("{password}x")).await.expect_problem(422, "invalid-input");
    visitor.set_password(&token, &password).await.expect(204);
    let shortened: String = password.chars().take(127).collect();
    for other in [shortened.clone(), format!("{shortened}y"), password.to_uppercase(), password.trim().to_owned()] {
        world.visitor().log_in(email, &other).await.expect_problem(401, "bad-credentials");
    }
    world.advance(Duration::from_secs(3 * 365 * 24 * 3600));
    world.visitor().log_in(email, &password).await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_there_at_first_and_a_mailed_link_opens_no_session() {
    let world = World::start().await;
    for place in ["USER#", "EMAIL#"] {
        assert_eq!(world.count(Table::Identity, place, "").await, 0, "{place}");
    }
    let email = "marie@martin.example";
    world.sign_up(&Person::at(email)).await.expect(202);
    let visitor = world.visitor();
    let token = link_token(&world.newest_mail(email).await);
    let reply = visitor.set_password(&token, PASSWORD).await.expect(204);
    assert_eq!((reply.header("set-cookie"), reply.text.as_str()), (None, ""));
    assert_eq!(world.count(Table::Identity, "USER#", "SESSION#").await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_defect_lets_nobody_in_and_is_told_to_the_log_alone() {
    let world = World::start().await;
    let marie = world.user(&Person::at("marie@martin.example")).await;
    let key = User::key_of(marie.id().await);
    let broken =
        world.portal.dynamodb().unwrap().update_item().table_name(world.portal.table(Table::Identity).unwrap());
    let broken = broken.key("pk", AttributeValue::S(key.pk)).key("sk", AttributeValue::S(key.sk));
    broken.update_expression("REMOVE epoch").send().await.unwrap();
    for (method, path) in [(Method::GET, "/api/me"), (Method::GET, "/api/home"), (Method::DELETE, "/api/sessions/all")]
    {
        let reply = marie.send(method, path, None).await.expect_problem(500, "internal-error");
        for inside in ["epoch", "USER#", "PROFILE", "store", "serde", ".rs", "Table"] {
            assert!(!reply.text.contains(inside), "{inside} in {reply}");
        }
        let lines = world.portal.log_lines();
        let line = lines.iter().find(|line| line["request_id"] == reply["request_id"]).expect("a line of this request");
        assert_eq!(line["level"], "error", "{line}");
        assert!(line["context"].as_str().is_some_and(|context| context.contains("epoch")), "{line}");
    }
}

/// Each bit of what must not be guessed takes both values, and no two draws are alike.
#[test]
fn what_must_not_be_guessed_has_128_random_bits_and_more() {
    let (mut rng, key) = (rng(), SymmetricKey::from_secret("a key"));
    let id = Id::from_bytes([0; 16]);
    let draws = |mut draw: Box<dyn FnMut() -> Vec<u8> + '_>, bits: usize| {
        let all: BTreeSet<Vec<u8>> = (0..256).map(|_| draw()).collect();
        assert_eq!(all.len(), 256);
        let moving = |bit: usize| {
            let values: BTreeSet<u8> = all.iter().map(|bytes| bytes[bit / 8] >> (bit % 8) & 1).collect();
            values.len() == 2
        };
        let length = all.first().unwrap().len() * 8;
        assert!((0..length).filter(|bit| moving(*bit)).count() >= bits, "{bits} of {length} bits");
    };
    draws(Box::new(|| Id::random(&mut rng).as_bytes().to_vec()), 128);
    // Hexadecimal, so four bits a byte that move, and some more that go with them.
    draws(Box::new(|| RefreshToken::random(id, id, &mut rng).hash().into_bytes()), 256);
    draws(Box::new(|| String::from(SealKey::random(&mut rng)).into_bytes()), 200);
    draws(Box::new(|| LinkToken::of(Id::random(&mut rng), &key).hashed().as_str().as_bytes().to_vec()), 256);
    draws(Box::new(|| RefreshToken::random(id, id, &mut rng).to_text().as_bytes()[43..].to_vec()), 200);
}

/// What the pages are built of: documents, fragments, scripts, components, styles.
fn pages() -> Vec<(String, String)> {
    let mut pages = Vec::new();
    let mut folders: Vec<PathBuf> =
        ["web/fragments", "web/src"].map(|folder| folder_of_workspace().join(folder)).into();
    let documents = fs::read_dir(folder_of_workspace().join("web")).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<_> = documents.filter(|path| path.extension().is_some_and(|kind| kind == "html")).collect();
    while let Some(folder) = folders.pop() {
        for path in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            if !path.is_dir() {
                files.push(path);
            } else if !path.ends_with("generated") {
                folders.push(path);
            }
        }
    }
    for file in files {
        let name = file.display().to_string();
        if !name.ends_with(".test.ts") {
            pages.push((name, fs::read_to_string(&file).unwrap()));
        }
    }
    assert!(pages.len() > 20, "the pages are elsewhere");
    pages
}

#[test]
fn password_fields_are_masked_and_open_to_password_managers() {
    let mut fields = 0;
    for (name, page) in pages() {
        for field in page.split("<input").skip(1).map(|rest| rest.split('>').next().unwrap()) {
            if field.contains("name=\"password") {
                fields += 1;
                assert!(field.contains("type=\"password\""), "{name}: {field}");
                let helps = ["current-password", "new-password"];
                assert!(
                    helps.iter().any(|help| field.contains(&format!("autocomplete=\"{help}\""))),
                    "{name}: {field}"
                );
                assert!(!field.contains("maxlength"), "{name} cuts passwords off: {field}");
            }
        }
        for hindrance in ["onpaste", "\"paste\"", "oncopy", "autocomplete=\"off\""] {
            assert!(!page.contains(hindrance), "{name}: {hindrance}");
        }
    }
    assert!(fields >= 3, "{fields} password fields");
}

#[test]
fn the_pages_keep_nothing_in_the_browser_and_load_nothing_from_elsewhere() {
    for (name, page) in pages() {
        for store in ["localStorage", "sessionStorage", "indexedDB", "document.cookie", "caches.", "serviceWorker"] {
            assert!(!page.contains(store), "{name} uses {store}");
        }
        let elsewhere =
            page.split(['"', '\'', '(', ' ']).filter(|word| word.starts_with("http") && word.contains("//"));
        let elsewhere: Vec<_> = elsewhere.filter(|url| !url.starts_with("http://www.w3.org/")).collect();
        assert!(elsewhere.is_empty(), "{name} names {elsewhere:?}");
        if page.starts_with("<!doctype html>") {
            assert!(page.contains("  <head>\n    <!-- include head -->\n"), "{name} has no policy of its own");
        }
    }
    let head = read("web/fragments/head.html");
    assert!(
        head.contains("default-src 'self'; base-uri 'none'; form-action 'none'; require-trusted-types-for 'script'")
    );
}

/// That the log-out works and what is seen after it is for the browser tests; here, that no page is without it.
#[test]
fn every_page_that_somebody_signed_in_sees_has_the_log_out_which_leaves_nothing_of_it() {
    let of_a_user =
        |(name, script): &(String, String)| name.contains("/src/pages/") && script.contains("callSignedIn(");
    let scripts: Vec<_> = pages().into_iter().filter(of_a_user).collect();
    assert!(!scripts.is_empty(), "the pages of those who are signed in are elsewhere");
    for (name, script) in scripts {
        assert!(script.contains("\nofferLogOut("), "{name} has no log-out");
    }
    assert!(read("web/fragments/log-out.html").contains("Se déconnecter"));
    let form = read("web/src/lib/log-out.ts");
    let (_, after) = form.split_once("await logOut();").expect("the form logs out");
    assert!(after.contains("location.replace(\"/\")"), "the page that was shown stays");
    assert!(after.contains("location.reload()"), "a page that the browser keeps to go back to stays");

    // The space has it above every view.
    let (app, masthead) = (read("web/src/space/App.svelte"), read("web/src/space/components/Masthead.svelte"));
    let (above, _) = app.split_once("<main").expect("a view");
    assert!(above.contains("<Masthead />") && masthead.contains("Se déconnecter"));
    let (_, after) = masthead.split_once("await logOut();").expect("the form logs out");
    assert!(after.contains("location.replace(\"/\")"), "the view that was shown stays");
    assert!(read("web/src/space/main.ts").contains("location.reload()"), "a view that the browser keeps stays");

    // On the page of several states it is shown in all in which somebody is or may be signed in.
    let page = read("web/gestionnaire.html");
    let states = page.split("data-state=\"").skip(1).map(|rest| rest.split_once('"').unwrap());
    let (shared, own): (Vec<_>, Vec<_>) = states.partition(|(_, rest)| rest.starts_with(" data-log-out"));
    let shared: BTreeSet<&str> = shared.iter().flat_map(|(names, _)| names.split(' ')).collect();
    let own: BTreeSet<&str> = own.into_iter().map(|(name, _)| name).collect();
    let without: Vec<_> = own.difference(&shared).copied().collect();
    assert_eq!(without, ["checking", "log-in"]);
}

/// The names of all properties below a schema of the contract, references followed.
fn properties(contract: &Value, schema: &Value, found: &mut BTreeSet<String>) {
    match schema {
        Value::Object(object) => {
            if let Some(reference) = object.get("$ref").and_then(Value::as_str) {
                properties(contract, contract.pointer(reference.trim_start_matches('#')).unwrap(), found);
            }
            found.extend(
                object.get("properties").and_then(Value::as_object).into_iter().flat_map(|o| o.keys().cloned()),
            );
            object.values().for_each(|value| properties(contract, value, found));
        }
        Value::Array(values) => values.iter().for_each(|value| properties(contract, value, found)),
        _ => {}
    }
}

#[test]
fn no_form_asks_for_a_hint_or_a_secret_question() {
    let contract: Value = serde_yaml_ng::from_str(&read("openapi.yaml")).unwrap();
    let mut asked = BTreeSet::new();
    for (_, _, operation) in Contract::get().operations() {
        properties(&contract, &operation["requestBody"], &mut asked);
    }
    assert!(["password", "siret", "member_number"].iter().all(|name| asked.contains(*name)), "{asked:?}");
    let tells = |name: &&String| ["hint", "question", "answer", "reminder"].iter().any(|word| name.contains(word));
    assert_eq!(asked.iter().filter(tells).count(), 0, "{asked:?}");
}
