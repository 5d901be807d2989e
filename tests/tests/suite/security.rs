//! What `docs/security.md` says is so: limits, lifetimes, rights, keys, data and logs, held against the code.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use harness::{ACCOUNT, Contract, OTHER_ACCOUNT, World, folder_of_workspace};
use portal::domain::{Email, Id, Siret};
use portal::security::{ACCESS_TOKEN_LIFETIME, PasswordPolicy};
use portal::store::{ClaimPass, EmailChange, Guessed, Invitation, Purpose, RequestCount, Session, User};
use serde_json::{Value, json};
use serde_yaml_ng::Value as Yaml;

type Names = BTreeSet<String>;

fn read(path: &str) -> String {
    let path = folder_of_workspace().join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn page() -> String {
    read("docs/security.md")
}

/// The row of a table whose first cell is this: its other cells.
fn row(first: &str) -> Vec<String> {
    let page = page();
    let mut rows = page.lines().filter_map(|line| line.strip_prefix(&format!("| {first} |")));
    let row = rows.next().unwrap_or_else(|| panic!("docs/security.md has no row \"{first}\""));
    assert!(rows.next().is_none(), "docs/security.md has two rows \"{first}\"");
    row.trim_end_matches('|').split(" |").map(|cell| cell.trim().to_owned()).collect()
}

/// The section under a heading.
fn section(heading: &str) -> String {
    let page = page();
    let (_, section) = page.split_once(&format!("\n## {heading}\n")).expect("a section");
    section.split("\n## ").next().unwrap().to_owned()
}

/// What stands in backticks.
fn quoted(text: &str) -> Names {
    text.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

/// `12 hours`, in the largest unit that needs no fraction; days from a week on.
fn spoken(duration: Duration) -> String {
    match duration.as_secs() {
        seconds if seconds >= 7 * 86_400 && seconds % 86_400 == 0 => format!("{} days", seconds / 86_400),
        seconds if seconds % 3_600 == 0 && seconds > 3_600 => format!("{} hours", seconds / 3_600),
        seconds if seconds % 60 == 0 && seconds > 60 => format!("{} minutes", seconds / 60),
        seconds => format!("{seconds} seconds"),
    }
}

/// A constant as the source writes it, so that the page's numbers are the code's.
fn in_source(path: &str, text: &str) {
    assert!(read(path).contains(text), "{path} says no longer `{text}`: change docs/security.md with it");
}

#[test]
fn the_limits_are_those_in_force() {
    let password = Guessed::Password { email: Email::parse("a@exemple.fr").unwrap() };
    let closed =
        &row("wrong passwords of one address, known or not, at log-in and wherever the password is asked again");
    in_source("portal/src/store/attempts.rs", "const FREE: usize = 5;");
    in_source("portal/src/store/attempts.rs", "const LONGEST: Duration = Duration::from_secs(3600);");
    in_source("portal/src/store/attempts.rs", "Duration::from_secs(60) * (1 << doublings");
    let then = "closed for 60 seconds, doubling with each further one, up to 3600 seconds; at most";
    assert_eq!(closed[..2], ["5".to_owned(), format!("{then} {} in 24 hours", password.most())]);

    let by = Guessed::MemberNumberBy { user_id: Id::from_bytes([0; 16]) };
    let of = Guessed::MemberNumberOf { siret: Siret::parse("53384615000019").unwrap() };
    assert_eq!(row("wrong member numbers of one user")[0], format!("{} in 24 hours", by.most()));
    assert_eq!(row("wrong member numbers of one establishment")[0], format!("{} in 24 hours", of.most()));
    in_source("portal/src/store/attempts.rs", "const WINDOW: Duration = DAY;");
    in_source("portal/src/store/attempts.rs", "Duration::from_secs(180 * 24 * 3600), 10)");
    in_source("portal/src/store/user.rs", "const STANDING: Duration = Duration::from_secs(7 * 24 * 3600);");
    let then = &row("wrong member numbers of one establishment")[1];
    assert!(then.contains("for 7 days") && then.contains("last 180 days"), "{then}");
    assert_eq!(row("requests for access to one account that are open")[0], RequestCount::MOST.to_string());
    in_source("functions/manage-users/src/invite.rs", "const MOST_PEOPLE: usize = 1_000;");
    let ends = format!("nobody opened ends after {}", spoken(Invitation::LIFETIME));
    assert!(section("Sessions").contains(&ends), "{ends}");

    in_source("portal/src/store/rate.rs", "name: \"LOG-IN\", most: 30, window: Duration::from_secs(60)");
    assert_eq!(row("log-ins from one network")[0], "30 in 60 seconds");
    in_source("portal/src/store/rate.rs", "name: \"SIGN-UP\", most: 20, window: Duration::from_secs(3600)");
    assert_eq!(row("sign-ups from one network")[0], "20 in 3600 seconds");

    in_source("portal/src/store/login.rs", "const LIMITS: [(i64, usize); 2] = [(A_MINUTE, 1), (AN_HOUR, 3)];");
    for mails in ["sign-up mails to one address", "reset mails to one address"] {
        assert_eq!(row(mails)[0], "1 a minute, 3 an hour");
    }
    in_source("portal/src/store/invitation.rs", "const LIMITS: [(i64, usize); 1] = [(3_600_000, 3)];");
    assert_eq!(row("invitation mails to one address about one account")[0], "3 an hour");
    in_source(
        "portal/src/store/access_request.rs",
        "const LIMITS: [(i64, usize); 2] = [(3_600_000, 5), (86_400_000, 20)];",
    );
    assert_eq!(row("mails to a manager about requests for access to one account")[0], "5 an hour, 20 a day");
    in_source("portal/src/store/access_request.rs", "const PAUSE: Duration = Duration::from_secs(24 * 3600);");
    let claims = "portal/src/store/claims.rs";
    in_source(claims, "const MOST_IN_WINDOW: usize = 3;");
    in_source(claims, "const WINDOW: Duration = Duration::from_secs(24 * 3600);");
    in_source("functions/send-mail/src/contest.rs", "const MOST_TOLD: usize = 20;");
    let claimed = row("claims of one account");
    assert!(claimed[0] == "3 in 24 hours" && claimed[1].contains("at most 20 users"), "{claimed:?}");
    let pause = spoken(User::CLAIM_PAUSE);
    let claimed = format!("1 in {pause}, and none within {pause} of leaving a manager's role");
    assert_eq!(row("claims of one user")[0], claimed);
    assert_eq!(row("reminders of one request for access")[0], "1 a day");
    let changes = format!("{} in {}", EmailChange::MOST, spoken(EmailChange::UNDOABLE));
    assert_eq!(row("other addresses asked for by one user")[0], changes);

    let lengths = format!("have {} to {} code points", PasswordPolicy::SHORTEST, PasswordPolicy::LONGEST);
    assert!(section("Ways in").contains(&lengths), "{lengths}");
    let scores = format!("below {} of 4", PasswordPolicy::LOWEST_SCORE);
    assert!(section("Ways in").contains(&scores), "{scores}");
}

#[test]
fn the_throttles_are_those_of_the_template() {
    let template: Yaml = serde_yaml_ng::from_str(&read("template.yaml")).unwrap();
    let functions = &template["Resources"];
    let of = |function: &str, event: &str| {
        functions[function]["Properties"]["Events"][event]["Properties"]["RouteSettings"]["ThrottlingRateLimit"]
            .as_u64()
    };
    let all = functions["Api"]["Properties"]["DefaultRouteSettings"]["ThrottlingRateLimit"].as_u64();
    let narrow =
        [("SignupFunction", "Commit"), ("CreatePasswordFunction", "Set"), ("ForgotPasswordFunction", "Forgot")];
    assert!(narrow.into_iter().all(|(function, event)| of(function, event) == Some(20)));
    assert_eq!((all, of("SessionsFunction", "LogIn")), (Some(300), Some(50)));
    let said = "300 requests a second, 50 log-ins, 20 each of sign-ups, new passwords";
    assert!(section("Limits on guessing").contains(said), "{said}");
}

#[test]
fn the_lifetimes_are_those_in_force() {
    let lives = |first: &str, duration: Duration| {
        let said = row(first).remove(0);
        assert!(said.starts_with(&spoken(duration)), "{first}: {said}, and it is {}", spoken(duration));
    };
    lives("access token", ACCESS_TOKEN_LIFETIME);
    lives("session without a refresh", Session::IDLE);
    lives("session, however often refreshed", Session::LONGEST);
    in_source("portal/src/security/refresh_token.rs", "const DELAYED_AT_MOST: i64 = 30_000;");
    let delayed = "replaced refresh token whose successor was used, as of a request that was delayed";
    lives(delayed, Duration::from_secs(30));
    let sessions = format!("A user has {} sessions at most", Session::MOST);
    assert!(section("Sessions").contains(&sessions), "{sessions}");
    lives("link that activates a space", Purpose::Activation.lifetime());
    lives("link that resets a password", Purpose::Reset.lifetime());
    lives("link that confirms another address", Purpose::EmailChange.lifetime());
    lives("link that undoes a change of address", Purpose::EmailUndo.lifetime());
    lives("pass for a claim", ClaimPass::LIFETIME);
}

#[test]
fn the_words_that_no_password_is_made_of_are_listed() {
    let source = read("portal/src/security/strength.rs");
    let (_, list) = source.split_once("const PRODUCT: [&str;").unwrap();
    let list = list.split("];").next().unwrap();
    let words: Names = list.split('"').skip(1).step_by(2).map(str::to_owned).collect();
    assert!(words.len() >= 12);
    let missing: Vec<_> = words.difference(&quoted(&section("Ways in"))).cloned().collect();
    assert!(missing.is_empty(), "not in docs/security.md: {missing:?}");
}

#[test]
fn every_operation_is_in_the_table_of_who_may_do_what() {
    let written = quoted(&section("Who may do what"));
    let operations = Contract::get().operations();
    let all: Names = operations.iter().map(|(method, path, _)| format!("{method} {path}")).collect();
    let missing: Vec<_> = all.difference(&written).collect();
    assert!(missing.is_empty(), "say in docs/security.md, under \"Who may do what\", who may do: {missing:?}");
    let gone: Vec<_> = written.iter().filter(|name| name.contains(" /") && !all.contains(*name)).collect();
    assert!(gone.iter().all(|name| name.starts_with("PATCH /api/me ")), "no such operation: {gone:?}");

    // Whoever is let in without an access token is named under the ways in.
    let ways = quoted(&section("Ways in"));
    let public = operations
        .iter()
        .filter(|(method, _, operation)| method == "POST" && !operation["security"][0]["accessToken"].is_array());
    let unnamed: Vec<_> = public
        .map(|(method, path, _)| format!("{method} {path}"))
        .filter(|name| name != "POST /api/password/strength" && !ways.contains(name))
        .collect();
    assert!(unnamed.is_empty(), "say in docs/security.md, under \"Ways in\", what these give: {unnamed:?}");
}

/// The resources of a template that are of one of these types.
fn resources(path: &str, types: &[&str]) -> Names {
    let template: Yaml = serde_yaml_ng::from_str(&read(path)).unwrap();
    let all = template["Resources"].as_mapping().unwrap().iter();
    let wanted = all.filter(|(_, body)| types.iter().any(|kind| body["Type"] == *kind));
    wanted.map(|(name, _)| name.as_str().unwrap().to_owned()).collect()
}

#[test]
fn every_key_and_algorithm_is_in_the_inventory() {
    let section = section("Keys and algorithms");
    let written = quoted(&section);
    let secrets = resources("infra/secrets.yaml", &["AWS::SecretsManager::Secret"]);
    assert_eq!(secrets.len(), 5);
    for secret in &secrets {
        assert_eq!(row(&format!("`{secret}`")).len(), 6, "{secret}");
    }
    in_source("infra/secrets.yaml", "PasswordLength: 64");
    in_source(
        "portal/src/security/signing_keys.rs",
        "const SIGNS_FOR: Duration = Duration::from_secs(30 * 24 * 3600);",
    );

    // Each has its holder, and no other function may read it.
    let template: Yaml = serde_yaml_ng::from_str(&read("template.yaml")).unwrap();
    let holders = |secret: &str| -> Vec<String> {
        let all = template["Resources"].as_mapping().unwrap().iter();
        let reads = |body: &Yaml| serde_yaml_ng::to_string(body).unwrap().contains(&format!("Outputs.{secret}Arn"));
        all.filter(|(_, body)| reads(body)).map(|(name, _)| name.as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(holders("LinkKey"), ["SendMailFunction", "SendMailRole"]);
    assert_eq!(holders("RefreshKey"), ["SessionsFunction", "SessionsRole"]);
    let of_lists = ["AccountsFunction", "AccountsRole", "QueryLedgerFunction", "QueryLedgerRole"];
    assert_eq!(holders("CursorKey"), [&of_lists[..], &["ExportLedgerFunction", "ExportLedgerRole"]].concat());
    let of_files = ["ExportLedgerFunction", "ExportLedgerRole", "StatementFunction", "StatementRole"];
    assert_eq!(holders("FileLinkKey"), of_files);
    assert_eq!(holders("SigningKeys"), ["SessionsFunction", "SessionsRole", "RotateKeysFunction", "RotateKeysRole"]);

    // Constants that name an algorithm, as the libraries spell them; nothing else may come in unseen.
    let families = ["SHA", "HMAC_", "AES_", "CHACHA", "MD5", "RSA_", "ECDSA_", "ED25519", "PBKDF2"];
    let mut used = Names::new();
    for file in sources() {
        let text = fs::read_to_string(&file).unwrap();
        let shipped = text.split("#[cfg(test)]").next().unwrap();
        let code = shipped.lines().filter(|line| !line.trim_start().starts_with("//"));
        for word in code.flat_map(|line| line.split(|c: char| !c.is_ascii_alphanumeric() && c != '_')) {
            let is_constant = word.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_');
            let names =
                families.iter().any(|family| word.starts_with(family)) && word.chars().any(|c| c.is_ascii_digit());
            if is_constant && names {
                used.insert(word.to_owned());
            }
        }
        used.extend(
            ["Argon2id", "EdDSA"]
                .into_iter()
                .filter(|name| shipped.contains(&format!("Algorithm::{name}")))
                .map(str::to_owned),
        );
    }
    let unlisted: Vec<_> = used.difference(&written).filter(|name| *name != "ORIGIN_SECRET_SHA256").collect();
    assert!(unlisted.is_empty(), "algorithms that docs/security.md does not list: {unlisted:?}");
    let listed = ["Argon2id", "SHA256", "HMAC_SHA256", "AES_256_GCM", "EdDSA"].map(str::to_owned);
    assert!(listed.iter().all(|name| used.contains(name)), "{used:?}");
}

/// The code that is deployed.
fn sources() -> Vec<PathBuf> {
    fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            if entry.is_dir() {
                collect(&entry, files);
            } else if entry.extension().is_some_and(|extension| extension == "rs") {
                files.push(entry);
            }
        }
    }
    let (mut files, root) = (Vec::new(), folder_of_workspace());
    collect(&root.join("portal/src"), &mut files);
    for function in fs::read_dir(root.join("functions")).unwrap() {
        collect(&function.unwrap().path().join("src"), &mut files);
    }
    assert!(files.len() > 60, "the sources are elsewhere");
    files
}

#[test]
fn every_place_that_data_are_kept_in_has_its_level() {
    let written = quoted(&section("Data"));
    let kinds = ["AWS::DynamoDB::Table", "AWS::S3::Bucket", "AWS::SQS::Queue"];
    let files = ["data", "mail", "web", "edge"].map(|name| format!("infra/{name}.yaml"));
    let places: Names = files.iter().flat_map(|path| resources(path, &kinds)).collect();
    assert!(places.len() >= 9);
    let missing: Vec<_> = places.difference(&written).collect();
    assert!(missing.is_empty(), "docs/security.md does not say what level these are: {missing:?}");
    let retention = ["ExpirationInDays: 306", "NoncurrentDays: 90", "RecoveryPeriodInDays: 35", "1209600 # 14 days"];
    retention.into_iter().for_each(|text| in_source("infra/data.yaml", text));
    in_source("samconfig.toml", "\"LogRetentionDays=180\"");
}

/// The variants of an enum, in kebab case.
fn kinds_of(path: &str, name: &str) -> Names {
    let source = read(path);
    let (_, body) = source.split_once(&format!("pub enum {name} {{")).unwrap();
    let variants = body.split("\n}").next().unwrap().lines().map(|line| line.trim().trim_end_matches(','));
    let variants = variants.filter(|line| line.starts_with(|c: char| c.is_ascii_uppercase()));
    let kebab = |variant: &str| -> String {
        let spread = variant.chars().flat_map(|c| if c.is_ascii_uppercase() { vec!['-', c] } else { vec![c] });
        spread.collect::<String>().trim_start_matches('-').to_lowercase()
    };
    variants.map(kebab).collect()
}

#[test]
fn every_kind_of_evidence_is_in_the_inventory_of_logs() {
    let written = quoted(&section("Logs and evidence"));
    for (path, name) in [("portal/src/store/evidence.rs", "EventKind"), ("portal/src/store/staff_event.rs", "StaffAct")]
    {
        let kinds = kinds_of(path, name);
        assert!(!kinds.is_empty());
        let missing: Vec<_> = kinds.difference(&written).collect();
        assert!(missing.is_empty(), "docs/security.md does not list: {missing:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_line_holds_what_the_inventory_says_and_no_more() {
    let world = World::start().await;
    let before = world.portal.log_lines().len();
    let marie = world.manager("marie@martin.example").await;
    marie.get(&format!("/api/accounts/{ACCOUNT}/summary")).await.expect(200);
    let stranger = world.visitor();
    // One attempt of each kind to get past a rule.
    stranger.log_in("marie@martin.example", "une tout autre phrase").await.expect(401);
    stranger.get("/api/home").await.expect(401);
    stranger.look_at_link("none").await.expect(410);
    stranger.post("/api/signup", &json!({"line\nbreak": "\r\n{\"level\":\"info\"}"})).await.expect(422);
    marie.get(&format!("/api/accounts/{OTHER_ACCOUNT}/summary")).await.expect(404);
    marie.get(&format!("/api/accounts/{ACCOUNT}/actions?cursor=AAAA")).await.expect(400);
    world.claim(&marie, OTHER_ACCOUNT).await.expect(404);
    for n in 0..5 {
        world.visitor().log_in("nobody@martin.example", &format!("phrase numéro {n}")).await.expect(401);
    }
    stranger.log_in("nobody@martin.example", "phrase").await.expect(429);
    world.mails().await;

    let lines = world.portal.log_lines().split_off(before);
    let id = marie.id().await.to_string();
    let written = quoted(&section("Logs and evidence"));
    let mut outcomes = Names::new();
    for line in &lines {
        let fields = line.as_object().expect("one object a line");
        let unknown: Vec<_> = fields.keys().filter(|name| !written.contains(*name)).collect();
        assert!(unknown.is_empty(), "{unknown:?} in {line}");
        assert!(!line.to_string().contains(['\n', '\r']), "a line is one line: {line}");
        if let Some(route) = fields.get("route") {
            for name in [
                "level",
                "request_id",
                "function",
                "cold",
                "latency_ms",
                "read_units",
                "write_units",
                "outcome",
                "status",
            ] {
                assert!(fields.contains_key(name), "{name} in {line}");
            }
            assert!(!route.as_str().unwrap().contains(ACCOUNT), "a route, not a path: {line}");
            // Whoever is signed in is named by their id, refused or not; here that is one person.
            let user = fields.get("user").map(|user| user.as_str().unwrap());
            assert!(user.is_none_or(|user| user == id), "{line}");
            assert!(user.is_some() || !route.as_str().unwrap().contains("/api/accounts/"), "by nobody: {line}");
            outcomes.insert(fields["outcome"].as_str().unwrap().to_owned());
        }
    }
    for refusal in [
        "bad-credentials",
        "authentication-required",
        "link-invalid",
        "invalid-input",
        "not-found",
        "bad-cursor",
        "claim-refused",
        "too-many-attempts",
    ] {
        assert!(outcomes.contains(refusal), "{refusal} left no trace: {outcomes:?}");
    }
}

/// The access log names when, what and from where, in UTC and without a path; its groups end.
#[test]
fn the_access_log_and_the_log_groups_are_as_the_inventory_says() {
    let template: Yaml = serde_yaml_ng::from_str(&read("template.yaml")).unwrap();
    let format = &template["Resources"]["Api"]["Properties"]["AccessLogSettings"]["Format"];
    let format = format.as_str().unwrap();
    for part in
        ["$context.requestId", "$context.requestTimeEpoch", "$context.routeKey", "$context.status", "identity.sourceIp"]
    {
        assert!(format.contains(part), "{part}");
    }
    for part in ["$context.path", "$context.authorizer", "userAgent"] {
        assert!(!format.contains(part), "{part}");
    }
    let fields: Value = serde_json::from_str(&format.replace('\n', "")).expect("JSON");
    assert!(fields.as_object().unwrap().len() >= 8);
    for (name, body) in template["Resources"].as_mapping().unwrap() {
        if body["Type"] == "AWS::Logs::LogGroup" {
            assert!(!body["Properties"]["RetentionInDays"].is_null(), "{name:?} keeps for ever");
        }
        for policy in body["Properties"]["Policies"].as_sequence().into_iter().flatten() {
            let text = serde_yaml_ng::to_string(policy).unwrap();
            let without_writing = text.replace("logs:CreateLogStream", "").replace("logs:PutLogEvents", "");
            let touches = without_writing.contains("logs:") || without_writing.contains("cloudtrail:");
            assert!(!touches, "{name:?} may read, change or delete logs");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whom_to_tell_of_a_hole_is_said_where_programs_look() {
    let world = World::empty(local::Options::default()).await;
    let url = format!("{}/.well-known/security.txt", world.portal.address());
    let response = reqwest::get(url).await.unwrap();
    assert_eq!(
        (response.status().as_u16(), response.headers()["content-type"].to_str().unwrap()),
        (200, "text/plain; charset=utf-8")
    );
    let text = response.text().await.unwrap();
    let field = |name: &str| text.lines().find_map(|line| line.strip_prefix(&format!("{name}: "))).expect("a field");
    let contact = field("Contact").strip_prefix("mailto:").expect("an address");
    assert!(section("Reporting a hole").contains(contact), "{contact}");
    assert!(field("Expires").parse::<jiff::Timestamp>().is_ok());
    assert!(field("Canonical").ends_with("/.well-known/security.txt"));
}
