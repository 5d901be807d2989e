//! Secrets as canaries: after all kinds of journeys, and with secrets typed where they do not belong, no
//! log line and no item sings.

use std::collections::BTreeSet;
use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use harness::{ACCOUNT, OTHER_ACCOUNT, Person, SIRET, Visitor, World, address_token, contest_token, link_token};
use http::Method;
use portal::store::Table;
use serde_json::{Value, json};

const MARIE: &str = "marie.canari@martin.example";
const PAUL: &str = "paul.canari@martin.example";
const NOBODY: &str = "personne.canari@martin.example";
const FIRST: &str = "perroquet béton mésange 41";
const SECOND: &str = "escabeau mauve tournevis 7";
const THIRD: &str = "pinson jaune charpente 63";
const WRONG: &str = "cacatoès vert bouteille 12";
const WEAK: &str = "canari2012";

/// What was a secret at some time of the journeys.
#[derive(Default)]
struct Secrets {
    passwords: BTreeSet<String>,
    /// Tokens of links, access tokens, refresh tokens.
    tokens: BTreeSet<String>,
    addresses: BTreeSet<String>,
}

impl Secrets {
    fn keep(&mut self, visitor: &Visitor) {
        self.tokens.extend(visitor.token.lock().unwrap().clone());
        self.tokens.extend(visitor.refresh.lock().unwrap().clone());
    }

    fn link(&mut self, token: &str) {
        self.tokens.insert(token.to_owned());
    }
}

/// The ways in which a text could be written down: as it is, in hexadecimal, in base64; and, of what is
/// base64 itself, the bytes in hexadecimal and in the other base64.
fn guises(secret: &str) -> Vec<String> {
    let mut guises = vec![secret.to_owned()];
    let mut write = |bytes: &[u8]| {
        guises.push(portal::domain::to_hex(bytes));
        guises.push(URL_SAFE_NO_PAD.encode(bytes));
        guises.push(STANDARD.encode(bytes).trim_end_matches('=').to_owned());
    };
    write(secret.as_bytes());
    if let Ok(bytes) = URL_SAFE_NO_PAD.decode(secret) {
        write(&bytes);
    }
    // The parts of a compound token are secrets of their own.
    for part in secret.split('.').filter(|part| part.len() >= 40 && *part != secret) {
        if let Ok(bytes) = URL_SAFE_NO_PAD.decode(part) {
            write(&bytes);
        }
    }
    guises
}

/// All texts of an item, binary values in hexadecimal and base64.
fn texts(value: &AttributeValue, found: &mut Vec<String>) {
    match value {
        AttributeValue::S(text) | AttributeValue::N(text) => found.push(text.clone()),
        AttributeValue::Ss(texts) | AttributeValue::Ns(texts) => found.extend(texts.iter().cloned()),
        AttributeValue::B(bytes) => {
            found.push(portal::domain::to_hex(bytes.as_ref()));
            found.push(URL_SAFE_NO_PAD.encode(bytes.as_ref()));
            found.push(String::from_utf8_lossy(bytes.as_ref()).into_owned());
        }
        AttributeValue::L(values) => values.iter().for_each(|value| texts(value, found)),
        AttributeValue::M(values) => values.iter().for_each(|(name, value)| {
            found.push(name.clone());
            texts(value, found);
        }),
        AttributeValue::Bool(_) | AttributeValue::Null(_) => {}
        other => panic!("an attribute that this test cannot look into: {other:?}"),
    }
}

/// Every text of every item of every table, with the item's key.
async fn all_texts(world: &World) -> Vec<(String, String)> {
    let client = world.portal.dynamodb().unwrap();
    let mut all = Vec::new();
    for table in [Table::Identity, Table::Members, Table::Ledger, Table::Evidence] {
        let mut start = None;
        loop {
            let page = client.scan().table_name(world.portal.table(table).unwrap()).set_exclusive_start_key(start);
            let page = page.send().await.unwrap();
            for item in page.items() {
                let key = format!("{table:?} {:?} {:?}", item["pk"], item["sk"]);
                let mut found = Vec::new();
                item.values().for_each(|value| texts(value, &mut found));
                all.extend(found.into_iter().map(|text| (key.clone(), text)));
            }
            start = page.last_evaluated_key().cloned();
            if start.is_none() {
                break;
            }
        }
    }
    all
}

#[tokio::test(flavor = "multi_thread")]
async fn no_log_line_and_no_item_holds_a_secret() {
    let world = World::start().await;
    let mut secrets = Secrets::default();
    secrets.passwords.extend([FIRST, SECOND, THIRD, WRONG, WEAK].map(str::to_owned));
    secrets.addresses.extend([MARIE, PAUL, NOBODY].map(str::to_owned));
    let marie = journey(&world, &mut secrets).await;
    mishaps(&world, &marie, &mut secrets).await;

    // The journeys were real ones, so there is something to find.
    assert!(secrets.tokens.len() >= 10, "{} tokens", secrets.tokens.len());
    let lines: Vec<String> = world.portal.log_lines().iter().map(Value::to_string).collect();
    assert!(lines.len() >= 40, "{} lines", lines.len());
    let all = || secrets.passwords.iter().chain(&secrets.tokens).chain(&secrets.addresses);
    for line in &lines {
        for secret in all() {
            let told = guises(secret).into_iter().find(|guise| line.to_lowercase().contains(&guise.to_lowercase()));
            assert!(told.is_none(), "{secret} is in a log line: {line}");
        }
        for path in ["mot-de-passe#", "contestation#", "adresse#"] {
            assert!(!line.contains(path), "a link is in a log line: {line}");
        }
    }

    let stored = all_texts(&world).await;
    assert!(stored.iter().any(|(_, text)| text.contains("$argon2id$")), "the scan sees the items");
    for secret in secrets.passwords.iter().chain(&secrets.tokens) {
        let guises = guises(secret);
        let told = stored.iter().find(|(_, text)| guises.iter().any(|guise| text.contains(guise.as_str())));
        assert!(told.is_none(), "{secret} is in a table: {told:?}");
    }

    // A link goes to its addressee and nobody else; no mail holds a password or a session.
    for mail in world.mails().await {
        for secret in secrets.passwords.iter().chain(&secrets.tokens) {
            let is_the_link = mail.text.contains(&format!("#{secret}")) && mail.html.contains(&format!("#{secret}"));
            let holds = [&mail.subject, &mail.text, &mail.html].iter().any(|part| part.contains(secret.as_str()));
            assert!(!holds || is_the_link, "{secret} is in a mail: {}", mail.text);
        }
        let others = secrets.addresses.iter().filter(|address| **address != mail.to);
        for address in others {
            assert!(!mail.text.contains(address) && !mail.html.contains(address), "{address} in a mail to {}", mail.to);
        }
        let token = mail.text.split_once("/mot-de-passe#").map(|_| link_token(&mail));
        if let Some(token) = token {
            assert!(secrets.tokens.contains(&token), "a link to {} that no journey asked for", mail.to);
            assert_eq!(holders(&world, &token), BTreeSet::from([mail.to.clone()]), "one link, one addressee");
        }
    }
}

/// Who got a mail with this token.
fn holders(world: &World, token: &str) -> BTreeSet<String> {
    let mails = world.portal.mails();
    mails
        .into_iter()
        .filter(|mail| mail.text.contains(token) || mail.html.contains(token))
        .map(|mail| mail.to)
        .collect()
}

/// Sign-up to ledger, a reset, and all ends of a session.
async fn journey(world: &World, secrets: &mut Secrets) -> Visitor {
    let marie = world.visitor();
    world.sign_up(&Person::at(MARIE)).await.expect(202);
    let token = link_token(&world.newest_mail(MARIE).await);
    secrets.link(&token);
    marie.post("/api/password/link", &json!({"token": token})).await.expect(200);
    marie.post("/api/password/strength", &json!({"password": FIRST, "known_words": [MARIE]})).await.expect(200);
    let weak = json!({"token": token, "password": WEAK, "password_confirmation": WRONG});
    marie.post("/api/password", &weak).await.expect_problem(422, "invalid-input");
    let password = json!({"token": token, "password": FIRST, "password_confirmation": FIRST});
    marie.post("/api/password", &password).await.expect(204);
    marie.post("/api/password", &password).await.expect_problem(410, "link-invalid");
    marie.log_in(MARIE, WRONG).await.expect_problem(401, "bad-credentials");
    marie.log_in(NOBODY, FIRST).await.expect_problem(401, "bad-credentials");
    marie.log_in(MARIE, FIRST).await.expect(200);
    secrets.keep(&marie);
    marie.refresh().await.expect(200);
    secrets.keep(&marie);
    marie.get("/api/home").await.expect(200);
    world.claim(&marie, ACCOUNT).await.expect_problem(403, "charter-required");
    world.accept_charter(&marie).await;
    world.claim(&marie, OTHER_ACCOUNT).await.expect_problem(404, "claim-refused");
    world.claim(&marie, ACCOUNT).await.expect(201);
    // The contact on file contests her, and the staff look at everything.
    let contest = contest_token(&world.newest_mail("compta@martin.example").await);
    secrets.link(&contest);
    for status in [202, 410] {
        marie.post("/api/manager-claims/contest", &json!({"token": contest})).await.expect(status);
    }
    for (operation, fields) in [
        ("look-up-user", json!({"email": MARIE})),
        ("look-up-user", json!({"email": NOBODY})),
        ("look-up-establishment", json!({"establishment": ACCOUNT})),
        ("resend-mail", json!({"email": NOBODY, "mail": "reset"})),
        ("resend-mail", json!({"email": MARIE, "mail": contest})),
        ("dismiss-contest", json!({"establishment": ACCOUNT})),
        ("list-contests", json!({"all": true})),
        ("list-alerts", json!({})),
        ("list-waiting", json!({})),
    ] {
        let mut event = json!({"operation": operation, "staff": "Claire Durand", "reason": "canari"});
        event.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        let answer = world.staff(event).await.to_string();
        let told = secrets.passwords.iter().chain(&secrets.tokens).find(|secret| answer.contains(secret.as_str()));
        assert!(told.is_none(), "the staff are told {told:?}: {answer}");
    }
    marie.put(&format!("/api/accounts/{ACCOUNT}/activation"), &json!({"use": true})).await.expect(200);
    let reads = ["summary", "actions?view=2012", "actions/2012-000001", "ledger", "remittances", "contributions"];
    for rest in reads.into_iter().chain([
        "ledger.csv",
        "ledger.xlsx?view=2012",
        "actions.csv?q=a",
        "remittances.xlsx",
        "statement.pdf",
    ]) {
        marie.get(&format!("/api/accounts/{ACCOUNT}/{rest}")).await.expect(200);
    }
    let export = json!({"format": "xlsx", "view": 2012});
    let export = marie.post(&format!("/api/accounts/{ACCOUNT}/exports"), &export).await.expect(202);
    world.portal.drain().await.unwrap();
    let export = format!("/api/accounts/{ACCOUNT}/exports/{}", export["id"].as_str().unwrap());
    let link = marie.get(&export).await.expect(200)["url"].as_str().unwrap().to_owned();
    // What signs it is nobody's but the reader's.
    secrets.link(link.split_once("X-Amz-Signature=").unwrap().1.split('&').next().unwrap());
    let files =
        [json!({"file": "actions", "format": "csv", "view": 2012}), json!({"file": "statement", "format": "pdf"})];
    for file in files {
        let made = marie.post(&format!("/api/accounts/{ACCOUNT}/file-links"), &file).await.expect(201);
        let url = made["url"].as_str().unwrap();
        secrets.link(url.split_once("link=").unwrap().1);
        world.visitor().get(&url[url.find("/api/").unwrap()..]).await.expect(200);
    }
    marie.patch("/api/me", &json!({"job_title": "Gérante"})).await.expect(200);

    // The address is known, is forgotten, and belongs to nobody.
    world.advance(Duration::from_secs(61));
    world.sign_up(&Person::at(MARIE)).await.expect(202);
    for email in [MARIE, NOBODY] {
        world.visitor().post("/api/password/forgot", &json!({"email": email})).await.expect(202);
    }
    let token = link_token(&world.newest_mail(MARIE).await);
    secrets.link(&token);
    let password = json!({"token": token, "password": SECOND, "password_confirmation": SECOND});
    marie.post("/api/password", &password).await.expect(204);
    marie.get("/api/me").await.expect_problem(401, "authentication-required");
    marie.log_in(MARIE, SECOND).await.expect(200);
    secrets.keep(&marie);
    let phone = world.visitor();
    phone.log_in(MARIE, SECOND).await.expect(200);
    secrets.keep(&phone);
    let stolen = phone.refresh.lock().unwrap().clone();
    for _ in 0..2 {
        phone.refresh().await.expect(200);
        secrets.keep(&phone);
    }
    world.advance(Duration::from_secs(120));
    *phone.refresh.lock().unwrap() = stolen;
    phone.refresh().await.expect_problem(401, "authentication-required");
    let tablet = world.visitor();
    tablet.log_in(MARIE, SECOND).await.expect(200);
    secrets.keep(&tablet);
    tablet.delete("/api/sessions/current").await.expect(204);

    // Another address is asked for, and passwords are changed.
    let moved = "marie.ailleurs@martin.example";
    secrets.addresses.insert(moved.to_owned());
    let email = json!({"current_password": SECOND, "email": moved, "email_confirmation": moved});
    tablet.log_in(MARIE, SECOND).await.expect(200);
    tablet.post("/api/me/email", &email).await.expect(202);
    for address in [moved, MARIE] {
        let mail = world.newest_mail(address).await;
        let token = address_token(&mail);
        secrets.link(&token);
        tablet.post("/api/email/link", &json!({"token": token})).await.expect(200);
    }
    let change = json!({"current_password": SECOND, "password": THIRD, "password_confirmation": THIRD});
    tablet.post("/api/me/password", &change).await.expect(204);
    tablet.refresh().await.expect(200);
    let change = json!({"current_password": THIRD, "password": SECOND, "password_confirmation": SECOND});
    tablet.post("/api/me/password", &change).await.expect(204);
    tablet.refresh().await.expect(200);
    secrets.keep(&tablet);
    tablet.get("/api/me/export").await.expect(200);
    marie.log_in(MARIE, SECOND).await.expect(200);
    secrets.keep(&marie);

    // Links that nobody used are at rest while the tables are searched.
    world.sign_up(&Person::at(PAUL)).await.expect(202);
    secrets.link(&link_token(&world.newest_mail(PAUL).await));
    world.visitor().post("/api/password/forgot", &json!({"email": MARIE})).await.expect(202);
    secrets.link(&link_token(&world.newest_mail(MARIE).await));
    marie
}

/// Secrets where they do not belong: in other fields, names of fields, paths, queries, headers.
async fn mishaps(world: &World, marie: &Visitor, secrets: &mut Secrets) {
    let access = marie.token.lock().unwrap().clone().unwrap();
    let refresh = marie.refresh.lock().unwrap().clone().unwrap();
    let link = link_token(&world.newest_mail(MARIE).await);
    let visitor = world.visitor();
    visitor.post("/api/sessions", &json!({"email": SECOND, "password": MARIE})).await;
    visitor.post("/api/password/forgot", &json!({"email": SECOND})).await.expect(422);
    visitor.post("/api/password/forgot", &json!({"email": MARIE, SECOND: 1, MARIE: 2})).await.expect(422);
    visitor.post("/api/password/link", &json!({"token": SECOND})).await.expect_problem(410, "link-invalid");
    visitor.post("/api/password/link", &json!({"token": access})).await.expect_problem(410, "link-invalid");
    let form = json!({"siret": SECOND, "civility": SECOND, "last_name": link, "first_name": access, "job_title": refresh,
        "email": link, "email_confirmation": MARIE, "terms": {"version": SECOND, "sha256": link}, link.clone(): true});
    visitor.post("/api/signup", &form).await.expect(422);
    visitor.post("/api/signup/check", &form).await.expect(422);
    for path in [&link, &access, &refresh, MARIE] {
        visitor.get(&format!("/api/{path}")).await.expect(404);
        visitor.get(&format!("/api/documents/{path}")).await.expect(404);
        visitor.get(&format!("/api/mot-de-passe/{path}")).await.expect(404);
        marie.get(&format!("/api/accounts/{path}/summary")).await.expect(404);
        marie.get(&format!("/api/accounts/{ACCOUNT}/actions?cursor={path}")).await;
        marie.get(&format!("/api/accounts/{ACCOUNT}/actions?view={path}&{path}=1")).await;
        marie.get(&format!("/api/accounts/{ACCOUNT}/actions/{path}")).await.expect(404);
        marie.get(&format!("/api/accounts/{path}/ledger.csv")).await.expect(404);
        marie.get(&format!("/api/accounts/{ACCOUNT}/ledger.xlsx?view={path}")).await.expect(422);
        marie.get(&format!("/api/accounts/{ACCOUNT}/statement.pdf?view={path}")).await.expect(422);
        marie.delete(&format!("/api/sessions/{path}")).await;
    }
    for header in ["authorization", "x-request-id", "user-agent", "accept-language", "idempotency-key", "cookie"] {
        for value in [&link, &refresh, MARIE] {
            visitor.send_with(Method::GET, "/api/home", None, &[(header, value)]).await.expect(401);
        }
    }
    visitor
        .send_with(Method::GET, "/api/home", None, &[("authorization", &format!("Bearer {access}x"))])
        .await
        .expect(401);
    marie.patch("/api/me", &json!({"siret": SIRET, SECOND: access})).await.expect(422);
    marie.patch("/api/me", &json!({"last_name": link, "job_title": 7})).await.expect(422);
    marie.post("/api/manager-claims", &json!({"member_number": refresh, "account_terms": link})).await.expect(422);
    for secret in [&link, &access, &refresh] {
        marie.post("/api/access-requests", &json!({"message": secret})).await;
        marie.post("/api/access-requests", &json!({secret.clone(): secret})).await.expect(422);
        marie.post(&format!("/api/accounts/{ACCOUNT}/manager"), &json!({"id": secret})).await.expect(422);
        marie.post(&format!("/api/accounts/{ACCOUNT}/users"), &json!({"emails": [secret]})).await.expect(422);
        let reply = marie.get(&format!("/api/accounts?q={secret}&cursor={secret}")).await;
        assert!([400, 422].contains(&reply.status), "{reply}");
    }
    secrets.keep(marie);
    world.mails().await;
}
