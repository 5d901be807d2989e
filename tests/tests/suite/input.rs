//! What comes in from outside: bodies that are too large, too deep or no JSON, texts that would break a mail
//! or a page, and what a caller may say of where a request comes from.

use harness::{ACCOUNT, Contract, EMPTY_ACCOUNT, Person, Reply, Visitor, World, link_token};
use http::Method;
use serde_json::{Value, json};

/// The largest body that is read.
const LARGEST: usize = 64 * 1024;

/// Control characters, what turns the direction of writing, what separates lines, what is not seen, what has
/// no meaning.
const UNFIT: [char; 28] = [
    '\0',
    '\u{7}',
    '\t',
    '\n',
    '\r',
    '\u{1b}',
    '\u{7f}',
    '\u{85}',
    '\u{ad}',
    '\u{61c}',
    '\u{200b}',
    '\u{200d}',
    '\u{200e}',
    '\u{200f}',
    '\u{2028}',
    '\u{2029}',
    '\u{202a}',
    '\u{202b}',
    '\u{202c}',
    '\u{202d}',
    '\u{202e}',
    '\u{2066}',
    '\u{2067}',
    '\u{2068}',
    '\u{2069}',
    '\u{feff}',
    '\u{e000}',
    '\u{e0041}',
];

/// What of these changes nothing that one sees in an address.
const UNSEEN: [char; 13] = [
    '\u{ad}', '\u{61c}', '\u{200b}', '\u{200d}', '\u{200e}', '\u{200f}', '\u{202a}', '\u{202c}', '\u{202d}',
    '\u{2066}', '\u{2068}', '\u{2069}', '\u{feff}',
];

/// What a caller may say of where a request went and came from.
const FORGED: [(&str, &str); 9] = [
    ("host", "evil.example"),
    ("forwarded", "for=203.0.113.66;host=evil.example;proto=http"),
    ("x-forwarded-for", "203.0.113.66"),
    ("x-forwarded-host", "evil.example"),
    ("x-forwarded-port", "6666"),
    ("x-forwarded-proto", "javascript"),
    ("x-real-ip", "203.0.113.66"),
    ("x-original-url", "/api/home"),
    ("x-http-method-override", "DELETE"),
];

/// Sends any bytes as a body, and holds the answer against the contract.
async fn send_bytes(world: &World, visitor: &Visitor, method: &str, path: &str, body: Vec<u8>) -> Reply {
    send_as(world, visitor, method, path, body, Some("application/json")).await
}

/// The same, said to be of this type, or of none.
async fn send_as(
    world: &World,
    visitor: &Visitor,
    method: &str,
    path: &str,
    body: Vec<u8>,
    kind: Option<&str>,
) -> Reply {
    let url = format!("{}{path}", world.portal.address());
    let mut request = reqwest::Client::new().request(method.parse().unwrap(), url).body(body);
    if let Some(token) = visitor.token.lock().unwrap().clone() {
        request = request.bearer_auth(token);
    }
    if let Some(kind) = kind {
        request = request.header("content-type", kind);
    }
    let response = request.send().await.unwrap();
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    let text = response.text().await.unwrap();
    let body = serde_json::from_str(&text).unwrap_or_default();
    let reply = Reply { method: method.to_owned(), path: path.to_owned(), status, headers, text, body };
    Contract::get().check(&reply);
    reply
}

/// Method and path of every operation that takes a body.
fn forms() -> Vec<(String, String)> {
    let operations =
        Contract::get().operations().into_iter().filter(|(_, _, operation)| operation.get("requestBody").is_some());
    let forms: Vec<_> = operations.map(|(method, path, _)| (method, path.replace("{number}", ACCOUNT))).collect();
    assert!(forms.len() > 8, "{forms:?}");
    forms
}

fn text_of(bytes: &[u8]) -> String {
    String::from_utf8_lossy(&bytes[..bytes.len().min(40)]).into_owned()
}

#[tokio::test]
async fn a_body_above_64_kib_is_refused_unread_and_one_of_64_kib_is_read() {
    let world = World::start().await;
    let marie = world.manager("marie@martin.example").await;
    for (method, path) in forms() {
        let too_large = send_bytes(&world, &marie, &method, &path, vec![b'['; LARGEST + 1]).await;
        too_large.expect_problem(413, "body-too-large");
        let just_read = send_bytes(&world, &marie, &method, &path, vec![b'['; LARGEST]).await;
        just_read.expect_problem(400, "malformed-request");
    }
    let mut form = Person::at("paul@martin.example").form(&world.document("terms").await).to_string();
    form.push_str(&" ".repeat(LARGEST - form.len()));
    send_bytes(&world, &marie, "POST", "/api/signup/check", form.into_bytes()).await.expect(200);
}

#[tokio::test]
async fn a_body_that_is_not_said_to_be_json_is_read_by_no_route() {
    let world = World::start().await;
    let marie = world.manager("marie@martin.example").await;
    // What a form of another site can send, and what looks like JSON.
    let others = [
        "text/plain",
        "text/plain;charset=UTF-8",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "text/json",
        "application/problem+json",
        "application/json; charset=iso-8859-1",
        "text/plain, application/json",
    ];
    for (method, path) in forms() {
        for kind in others.into_iter().map(Some).chain([None]) {
            for body in [&b"{}"[..], b""] {
                let reply = send_as(&world, &marie, &method, &path, body.to_vec(), kind).await;
                assert_eq!((reply.status, reply.problem()), (415, "unsupported-media-type"), "{reply} for {kind:?}");
                assert_eq!(reply.header("accept"), Some("application/json"));
            }
        }
        for kind in ["application/json", "Application/JSON;charset=utf-8", "application/json; charset=\"UTF-8\""] {
            let reply = send_as(&world, &marie, &method, &path, b"{".to_vec(), Some(kind)).await;
            assert_eq!((reply.status, reply.problem()), (400, "malformed-request"), "{reply} for {kind}");
        }
    }
    // A form of another site logs nobody in.
    let body = json!({"email": "marie@martin.example", "password": harness::PASSWORD}).to_string();
    let visitor = world.visitor();
    let reply = send_as(&world, &visitor, "POST", "/api/sessions", body.into_bytes(), Some("text/plain")).await;
    reply.expect_problem(415, "unsupported-media-type");
}

#[tokio::test]
async fn what_is_no_plain_json_object_is_refused_everywhere_in_the_same_way() {
    let world = World::start().await;
    let marie = world.manager("marie@martin.example").await;
    let nested = |levels: usize| format!("{}1{}", r#"{"a":"#.repeat(levels), "}".repeat(levels)).into_bytes();
    let bodies = [
        Vec::new(),
        b"null".to_vec(),
        b"[]".to_vec(),
        b"\"text\"".to_vec(),
        b"{\"a\": 1".to_vec(),
        b"{} {}".to_vec(),
        b"\xef\xbb\xbf{}".to_vec(),
        b"{\"a\": \"\xe9\"}".to_vec(),
        br#"{"a": "\ud800"}"#.to_vec(),
        br#"{"a": NaN}"#.to_vec(),
        br#"{"a": 1e999}"#.to_vec(),
        br#"{"a": 1, "a": 1}"#.to_vec(),
        br#"{"a": {"b": 1, "\u0062": 2}}"#.to_vec(),
        nested(9),
        nested(10_000),
    ];
    for (method, path) in forms() {
        for body in &bodies {
            let reply = send_bytes(&world, &marie, &method, &path, body.clone()).await;
            let seen = (reply.status, reply.problem());
            assert_eq!(seen, (400, "malformed-request"), "{reply} for {:?}", text_of(body));
        }
    }
}

#[tokio::test]
async fn a_text_with_a_character_that_nobody_types_is_refused_by_the_name_of_its_field() {
    let world = World::start().await;
    let marie = world.member("marie@martin.example").await;
    let right = Person::at("paul@martin.example").form(&world.document("terms").await);
    for character in UNFIT {
        for (field, code) in [
            ("last_name", "bad-character"),
            ("first_name", "bad-character"),
            ("job_title", "bad-character"),
            ("email", "email-invalid"),
            ("email_confirmation", "email-invalid"),
            ("origin", "origin-invalid"),
            ("civility", "civility-unknown"),
        ] {
            let mut form = right.clone();
            let text = form[field].as_str().unwrap_or("m").to_owned();
            let (begin, end) = text.split_at(text.len() / 2);
            form[field] = json!(format!("{begin}{character}{end}"));
            let reply = marie.post("/api/signup/check", &form).await;
            if code == "email-invalid" && UNSEEN.contains(&character) {
                // Nobody sees it, so nobody means it.
                assert_eq!(reply.expect(200)["email"], right["email"], "{character:?}");
                continue;
            }
            let reply = reply.expect(422);
            assert_eq!(reply.errors(), [format!("{field}:{code}")], "{character:?}");
            if code == "bad-character" {
                let reply = marie.patch("/api/me", &json!({field: form[field]})).await.expect(422);
                assert_eq!(reply.errors(), [format!("{field}:{code}")], "{character:?}");
            }
        }
    }
}

#[tokio::test]
async fn no_header_and_no_line_is_put_into_a_mail_through_an_address_or_a_name() {
    let world = World::start().await;
    let terms = world.document("terms").await;
    let nobody = world.visitor();
    for address in [
        "paul@martin.example\r\nBcc: eve@evil.example",
        "paul@martin.example\nSubject: x",
        "paul@martin.example%0d%0aBcc:eve@evil.example",
        "paul@martin.example,eve@evil.example",
        "paul@martin.example;eve@evil.example",
        "Paul <paul@martin.example>",
        "=?utf-8?q?paul?=@martin.example>",
        "paul@martin.example\u{2028}Bcc: eve@evil.example",
    ] {
        let reply = nobody.post("/api/password/forgot", &json!({"email": address})).await.expect(422);
        assert_eq!(reply.errors(), ["email:email-invalid"], "{address:?}");
        let mut form = Person::at(address).form(&terms);
        form["email_confirmation"] = json!(address);
        nobody.post("/api/signup", &form).await.expect(422);
    }
    assert!(world.mails().await.is_empty());

    let mut form = Person::at("paul@martin.example").form(&terms);
    form["last_name"] = json!("=?utf-8?q?Bcc=3A_eve?= <b>http://evil.example/?a=1</b>");
    form["first_name"] = json!("{{link}} %0d%0a \\r\\nBcc: eve@evil.example");
    // Surrounding line ends are no part of an address.
    form["email"] = json!(" paul@martin.example\r\n");
    nobody.post("/api/signup", &form).await.expect(202);
    let mail = world.newest_mail("paul@martin.example").await;
    assert!(!mail.subject.chars().any(char::is_control), "{}", mail.subject);
    for (part, harmful) in [
        (&mail.subject, "=?"),
        (&mail.text, "evil.example"),
        (&mail.text, "\r"),
        (&mail.html, "<b>http"),
        (&mail.html, "evil.example"),
    ] {
        assert!(!part.contains(harmful), "{harmful} in {part}");
    }
}

#[tokio::test]
async fn numbers_out_of_range_are_refused_and_whole_ones_count_however_they_are_written() {
    let world = World::start().await;
    let marie = world.user(&Person::at("marie@martin.example")).await;
    let charter = world.document("charter").await;
    let acceptance = |version: &str| {
        let sha256 = charter["sha256"].as_str().unwrap();
        format!(r#"{{"kind": "charter", "version": {version}, "sha256": "{sha256}"}}"#).into_bytes()
    };
    for version in ["0", "-1", "1.5", "4294967296", "18446744073709551616", "-9223372036854775809", "1e300", "\"1\""] {
        let reply = send_bytes(&world, &marie, "POST", "/api/acceptances", acceptance(version)).await.expect(422);
        assert_eq!(reply.errors(), ["version:not-a-version"], "{version}");
    }
    send_bytes(&world, &marie, "POST", "/api/acceptances", acceptance("1.0")).await.expect(201);
    marie.get(&format!("/api/accounts/{EMPTY_ACCOUNT}/actions?limit=99999999999999999999")).await.expect(404);
}

#[tokio::test]
async fn host_and_forwarding_headers_change_no_link_no_cookie_no_address_and_no_route() {
    let world = World::start().await;
    let post = async |visitor: &Visitor, path: &str, body: &Value| {
        visitor.send_with(Method::POST, path, Some(body), &FORGED).await
    };
    let marie = world.visitor();
    let form = Person::at("marie@martin.example").form(&world.document("terms").await);
    post(&marie, "/api/signup", &form).await.expect(202);
    let mail = world.newest_mail("marie@martin.example").await;
    for part in [&mail.text, &mail.html] {
        assert!(part.contains(&format!("{}/mot-de-passe#", world.portal.address())), "{part}");
        assert!(!part.contains("evil") && !part.contains("6666") && !part.contains("javascript"), "{part}");
    }
    let password = harness::PASSWORD;
    let choice = json!({"token": link_token(&mail), "password": password, "password_confirmation": password});
    post(&marie, "/api/password", &choice).await.expect(204);

    let credentials = json!({"email": "marie@martin.example", "password": password});
    let forged = post(&marie, "/api/sessions", &credentials).await.expect(200);
    // Another browser at the same address: a log-in ends the session that its browser brings.
    *marie.refresh.lock().unwrap() = None;
    let plain = marie.log_in("marie@martin.example", password).await.expect(200);
    let attributes = |reply: &Reply| {
        let cookie = reply.header("set-cookie").unwrap();
        cookie.split_once(';').unwrap().1.to_owned()
    };
    assert_eq!(attributes(&forged), attributes(&plain));

    let sessions = marie.send_with(Method::GET, "/api/sessions", None, &FORGED).await.expect(200);
    let addresses: Vec<_> = sessions["sessions"].as_array().unwrap().iter().map(|session| &session["ip"]).collect();
    assert_eq!(addresses.len(), 2);
    assert!(addresses[0] == addresses[1] && addresses[0].as_str().unwrap().starts_with("127."), "{addresses:?}");
}

#[tokio::test]
async fn odd_spellings_of_a_path_are_not_found_and_plain_ones_are_decoded() {
    let world = World::start().await;
    let marie = world.manager("marie@martin.example").await;
    for odd in [
        "/api/documents/charter%00",
        "/api/documents/%2e%2e%2fcharter",
        "/api/documents/CHARTER",
        "/api/documents/charter/1e0",
        "/api/documents/charter/+1",
        "/api/documents/charter/01",
        "/api/documents/charter/4294967297",
        "/api/accounts/012345%0a/summary",
        "/api/accounts/%EF%BC%90%EF%BC%91%EF%BC%92%EF%BC%93%EF%BC%94%EF%BC%95/summary",
        "/api/accounts/%ff12345/summary",
        "/api/accounts/012345%23/summary",
        "/api/accounts//summary",
        "/api/accounts/012345/actions/%E2%80%AE",
        "/api/accounts/012345/actions/..%2f..",
        "/api/accounts/012345/actions/%",
        "/api/accounts/012345/actions/2011%23ENTRY",
    ] {
        marie.get(odd).await.expect_problem(404, "not-found");
    }
    marie.get("/api/documents/%63harter").await.expect(200);
    marie.get("/api/accounts/%30%31%32345/summary").await.expect(200);
    marie.delete("/api/sessions/%2a").await.expect_problem(404, "not-found");
}

#[tokio::test]
async fn a_parameter_is_known_given_once_and_has_one_spelling() {
    let world = World::start().await;
    let marie = world.manager("marie@martin.example").await;
    let account = format!("/api/accounts/{ACCOUNT}");
    let errors = async |target: &str| marie.get(target).await.expect(422).errors();
    let odd_views = [
        "x",
        "11",
        "0999",
        "0000",
        "02011",
        "%202011",
        "2011%20",
        "+2011",
        "2011.0",
        "2011,2012",
        "%D9%A2%D9%A0%D9%A1%D9%A1",
        "2011%0d%0aSet-Cookie:a=b",
        "2011%22",
        "%zz",
        "%",
    ];
    let lists = ["actions", "contributions", "remittances", "ledger"];
    let files = ["ledger.csv", "ledger.xlsx", "actions.csv", "contributions.xlsx", "remittances.csv", "statement.pdf"];
    for list in lists.into_iter().chain(files) {
        let list = format!("{account}/{list}");
        for view in odd_views {
            assert_eq!(errors(&format!("{list}?view={view}")).await, ["view:bad-view"], "{list} {view}");
        }
        assert_eq!(errors(&format!("{list}?view=2011&view=2011")).await, ["view:repeated-parameter"], "{list}");
        assert_eq!(errors(&format!("{list}?view=&view=2011")).await, ["view:repeated-parameter"], "{list}");
        assert_eq!(errors(&format!("{list}?view=201%E9")).await, ["view:bad-encoding"], "{list}");
        let all = errors(&format!("{list}?view=2011&View=2011&%zz&%E9=&fbclid=a&fbclid=b&=1")).await;
        let unknown = [":", "%zz:", "View:", "fbclid:", "\u{fffd}:"].map(|name| format!("{name}unknown-parameter"));
        assert_eq!(all, unknown, "{list}");
        // Nothing is said: no name and no value, or a name that is known and no value.
        marie.get(&format!("{list}?&view=&&=&")).await.expect(200);
    }
    for (target, error) in [
        ("actions?limit=0", "limit:bad-limit"),
        ("actions?limit=201", "limit:bad-limit"),
        ("actions?limit=1e1", "limit:bad-limit"),
        ("actions?limit=%2B1", "limit:bad-limit"),
        ("actions?limit=01", "limit:bad-limit"),
        ("actions?limit=%D9%A1", "limit:bad-limit"),
        ("actions?limit=1&limit=2", "limit:repeated-parameter"),
        ("actions?status=PAID%00", "status:unknown-status"),
        ("actions?status=paid", "status:unknown-status"),
        ("actions?scheme=PLAN%0d%0aSet-Cookie:a=b", "scheme:unknown-scheme"),
        ("actions?sort=date", "sort:unknown-sort"),
        ("actions?q=a%00b", "q:bad-character"),
        ("actions?q=caf%E9", "q:bad-encoding"),
        ("actions?from=2012-01-01", "from:unknown-parameter"),
        ("contributions?q=2011", "q:unknown-parameter"),
        ("remittances?kind=RECOVERY", "kind:unknown-parameter"),
        ("remittances?from=2012-1-1", "from:bad-date"),
        ("remittances?from=20120101", "from:bad-date"),
        ("remittances?from=2012-02-30", "from:bad-date"),
        ("remittances?from=2012-01-02&to=2012-01-01", "to:bad-range"),
        ("remittance", "number:required"),
        ("remittance?number=", "number:required"),
        ("remittance?number=%20", "number:required"),
        ("remittance?number=V-1&number=V-2", "number:repeated-parameter"),
        ("remittance?number=V%E9", "number:bad-encoding"),
        ("remittances/V-2012-0042?view=2012", "view:unknown-parameter"),
        ("remittances/V-2012-0042?source=a%20b", "source:identifier"),
        ("remittance?number=V-1&source=%2A", "source:identifier"),
        ("ledger?q=a", "q:unknown-parameter"),
        ("ledger.csv?limit=10", "limit:unknown-parameter"),
        ("ledger.xlsx?status=PAID", "status:unknown-parameter"),
        ("ledger.csv?from=2012-1-1", "from:bad-date"),
        ("ledger.csv?from=2012-02-01&to=2012-01-31", "to:bad-range"),
        ("actions.csv?kind=COMMITMENT", "kind:unknown-parameter"),
        ("actions.xlsx?cursor=a", "cursor:unknown-parameter"),
        ("contributions.csv?from=2012-01-01", "from:unknown-parameter"),
        ("remittances.csv?as_of=2012-01-01T00:00:00Z", "as_of:unknown-parameter"),
        ("exports?file=ledger", "file:unknown-parameter"),
        ("statement.pdf?from=2012-01-01", "from:unknown-parameter"),
        ("summary?view=2012", "view:unknown-parameter"),
    ] {
        assert_eq!(errors(&format!("{account}/{target}")).await, [error], "{target}");
    }
    assert_eq!(errors("/api/accounts?sort=siret").await, ["sort:unknown-sort"]);
    assert_eq!(errors("/api/me/export?events_before=2012").await, ["events_before:bad-instant"]);
}

#[tokio::test]
async fn pages_ignore_what_trackers_add_to_their_addresses() {
    let world = World::start().await;
    for page in ["/", "/mot-de-passe", "/adresse", "/contestation"] {
        let plain = reqwest::get(format!("{}{page}", world.portal.address())).await.unwrap();
        let tracked = format!("{}{page}?utm_source=lettre&fbclid=x&%zz", world.portal.address());
        let tracked = reqwest::get(tracked).await.unwrap();
        assert_eq!((plain.status(), tracked.status()), (http::StatusCode::OK, http::StatusCode::OK), "{page}");
        assert_eq!(plain.text().await.unwrap(), tracked.text().await.unwrap(), "{page}");
    }
}

#[tokio::test]
async fn many_and_long_headers_are_no_trouble() {
    let world = World::start().await;
    let marie = world.member("marie@martin.example").await;
    let names: Vec<_> = (0..80).map(|number| format!("x-more-{number}")).collect();
    let many: Vec<_> = names.iter().map(|name| (name.as_str(), "0123456789")).collect();
    marie.send_with(Method::GET, "/api/home", None, &many).await.expect(200);
    let long = "en;q=0.5,".repeat(700);
    let agent = "é".repeat(3_000);
    let long =
        [("accept-language", long.as_str()), ("user-agent", agent.as_str()), ("cookie", "refresh; =; refresh=a;;")];
    marie.send_with(Method::GET, "/api/home", None, &long).await.expect(200);
}
