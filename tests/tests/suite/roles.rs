//! Who may do what: every operation of the contract, asked for by everybody there is.

use std::collections::BTreeSet;

use harness::{
    ACCOUNT, Contract, Forge, Inventory, OTHER_ACCOUNT, OTHER_SIRET, PASSWORD, Person, SIRET, Visitor, World,
    contest_freezes, contest_token, fixture,
};
use http::Method;
use portal::domain::{Email, Id, MemberNumber, Siret};
use portal::store::{Invitation, InvitationMirror};
use serde_json::{Value, json};

/// The columns of the table.
const PEOPLE: [&str; 6] = ["nobody", "no charter", "newcomer", "reader", "manager", "elsewhere"];

/// Somebody of each kind.
struct People {
    /// Who is not signed in.
    nobody: Visitor,
    /// Who may read the account and has not accepted the charter.
    no_charter: Visitor,
    /// Who has accepted it and has no account.
    newcomer: Visitor,
    /// Who may read the account.
    reader: Visitor,
    /// Its manager, who said OUI.
    manager: Visitor,
    /// Another account's manager.
    elsewhere: Visitor,
}

impl People {
    async fn of(world: &World) -> Self {
        let manager = world.manager("manager@martin.example").await;
        let no_charter = world.user(&Person::at("no-charter@martin.example")).await;
        let newcomer = world.member("newcomer@martin.example").await;
        let reader = world.member("reader@martin.example").await;
        for reader in [&no_charter, &reader] {
            world.make_reader(reader).await;
        }
        invite_someone(world).await;
        let elsewhere = world.user(&Person::at("manager@laposte.example").of(OTHER_SIRET)).await;
        world.accept_charter(&elsewhere).await;
        world.claim(&elsewhere, OTHER_ACCOUNT).await.expect(201);
        Self { nobody: world.visitor(), no_charter, newcomer, reader, manager, elsewhere }
    }

    /// In the order of the columns.
    fn all(&self) -> [&Visitor; 6] {
        [&self.nobody, &self.no_charter, &self.newcomer, &self.reader, &self.manager, &self.elsewhere]
    }
}

/// The invitation that the matrix takes back.
const INVITATION: &str = "90c1b7e2a64f4d0f8a3b5c7d9e1f2031";

async fn invite_someone(world: &World) {
    let invitation = Invitation {
        invitation_id: Id::parse(INVITATION).unwrap(),
        email: Email::parse("someone@cabinet.example").unwrap(),
        member_number: MemberNumber::parse(ACCOUNT).unwrap(),
        siret: Siret::parse(SIRET).unwrap(),
        name: "MARTIN BTP".to_owned(),
        active: true,
        since: world.portal.clock().now(),
        expires_at: world.portal.clock().now() + Invitation::LIFETIME,
    };
    world.store().put(&invitation).await.unwrap();
    world.store().put(&InvitationMirror(invitation)).await.unwrap();
}

/// One operation: what is sent, and the status that each of [`PEOPLE`] gets.
struct Row {
    method: Method,
    template: &'static str,
    target: String,
    body: Option<Value>,
    expected: [u16; 6],
}

fn row(method: Method, template: &'static str, body: Option<Value>, expected: [u16; 6]) -> Row {
    let target = template.replace("{number}", ACCOUNT).replace("{action_id}", "2011-000001");
    let target = target.replace("{remittance_number}", "V-2012-0042");
    let target = target.replace("/users/{id}", &format!("/users/{INVITATION}"));
    let target = if target.ends_with("/remittance") { target + "?number=V-2012-0042" } else { target };
    let target = target
        .replace("{kind}", "charter")
        .replace("{slug}", "charte")
        .replace("{version}", "1")
        .replace("{id}", "current");
    Row { method, template, target, body, expected }
}

/// The matrix, in an order in which no row changes what a later one expects.
async fn matrix(world: &World) -> Vec<Row> {
    let terms = world.document("terms").await;
    let sign_up = Some(Person::at("anybody@martin.example").form(&terms));
    let claim = Some(json!({"member_number": ACCOUNT, "account_terms": world.document("account-terms").await}));
    let invited = Some(json!({"email": "another@cabinet.example"}));
    let mut charter = world.document("charter").await;
    charter["kind"] = json!("charter");
    let token = json!({"token": "A".repeat(43)});
    let password = json!({"token": "A".repeat(43), "password": "x", "password_confirmation": "x"});
    // The sixth wrong one would find the door closed, so there is none.
    let credentials = json!({"email": "unknown@martin.example"});
    let new_password = json!({"current_password": "x", "password": "x", "password_confirmation": "x"});
    let address = "another@martin.example";
    let email = json!({"current_password": PASSWORD, "email": address, "email_confirmation": address});
    let (get, post, put, patch, delete) = (Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE);
    let everybody = |status: u16| [status; 6];
    let signed_in = |status: u16| [401, status, status, status, status, status];
    #[rustfmt::skip]
    let rows = vec![
        row(get.clone(), "/api/health", None, everybody(200)),
        row(get.clone(), "/.well-known/jwks.json", None, everybody(200)),
        row(get.clone(), "/api/documents/{kind}", None, everybody(200)),
        row(get.clone(), "/api/documents/{kind}/{version}", None, everybody(200)),
        row(get.clone(), "/documents/{slug}", None, everybody(200)),
        row(get.clone(), "/documents/{slug}/{version}", None, everybody(200)),
        row(post.clone(), "/api/signup/check", sign_up.clone(), everybody(200)),
        row(post.clone(), "/api/signup", sign_up, everybody(202)),
        row(post.clone(), "/api/password/strength", Some(json!({"password": "x"})), everybody(200)),
        row(post.clone(), "/api/password/link", Some(token.clone()), everybody(410)),
        row(post.clone(), "/api/password/decline", Some(token.clone()), everybody(410)),
        row(post.clone(), "/api/email/link", Some(token.clone()), everybody(410)),
        row(post.clone(), "/api/email", Some(token.clone()), everybody(410)),
        row(post.clone(), "/api/manager-claims/contest", Some(token), everybody(410)),
        row(post.clone(), "/api/password", Some(password), everybody(410)),
        row(post.clone(), "/api/password/forgot", Some(json!({"email": "unknown@martin.example"})), everybody(202)),
        row(post.clone(), "/api/sessions", Some(credentials), everybody(422)),
        row(post.clone(), "/api/sessions/refresh", None, signed_in(200)),
        row(get.clone(), "/api/sessions", None, signed_in(200)),
        row(get.clone(), "/api/home", None, signed_in(200)),
        row(get.clone(), "/api/me", None, signed_in(200)),
        row(patch, "/api/me", Some(json!({"job_title": "Gérante"})), signed_in(200)),
        row(get.clone(), "/api/me/export", None, signed_in(200)),
        row(post.clone(), "/api/me/email", Some(email), signed_in(202)),
        // With the right password, each would be gone for the rows below.
        row(post.clone(), "/api/me/password", Some(new_password), signed_in(403)),
        row(delete.clone(), "/api/me", Some(json!({"current_password": "x"})), signed_in(403)),
        row(get.clone(), "/api/accounts", None, signed_in(200)),
        //                                                            nobody, no charter, newcomer, reader, manager, elsewhere
        row(get.clone(), "/api/accounts/{number}/summary", None,             [401, 403, 404, 200, 200, 404]),
        row(get.clone(), "/api/accounts/{number}/actions", None,             [401, 403, 404, 200, 200, 404]),
        row(get.clone(), "/api/accounts/{number}/actions/{action_id}", None, [401, 403, 404, 200, 200, 404]),
        row(get.clone(), "/api/accounts/{number}/contributions", None,       [401, 403, 404, 200, 200, 404]),
        row(get.clone(), "/api/accounts/{number}/remittances", None,         [401, 403, 404, 200, 200, 404]),
        row(get.clone(), "/api/accounts/{number}/remittances/{remittance_number}", None, [401, 403, 404, 200, 200, 404]),
        row(get.clone(), "/api/accounts/{number}/remittance", None, [401, 403, 404, 200, 200, 404]),
        row(get.clone(), "/api/accounts/{number}/ledger", None,              [401, 403, 404, 200, 200, 404]),
        row(get.clone(), "/api/accounts/{number}/ledger.csv", None,          [401, 403, 404, 200, 200, 404]),
        row(get.clone(), "/api/accounts/{number}/ledger.xlsx", None,         [401, 403, 404, 200, 200, 404]),
        row(get.clone(), "/api/accounts/{number}/actions.csv", None,          [401, 403, 404, 200, 200, 404]),
        row(get.clone(), "/api/accounts/{number}/actions.xlsx", None,         [401, 403, 404, 200, 200, 404]),
        row(get.clone(), "/api/accounts/{number}/contributions.csv", None,    [401, 403, 404, 200, 200, 404]),
        row(get.clone(), "/api/accounts/{number}/contributions.xlsx", None,   [401, 403, 404, 200, 200, 404]),
        row(get.clone(), "/api/accounts/{number}/remittances.csv", None,      [401, 403, 404, 200, 200, 404]),
        row(get.clone(), "/api/accounts/{number}/remittances.xlsx", None,     [401, 403, 404, 200, 200, 404]),
        row(post.clone(), "/api/accounts/{number}/file-links", Some(json!({"format": "csv"})), [401, 403, 404, 201, 201, 404]),
        row(get.clone(), "/api/accounts/{number}/exports", None,             [401, 403, 404, 200, 200, 404]),
        row(get.clone(), "/api/accounts/{number}/statement.pdf", None,       [401, 403, 404, 200, 200, 404]),
        row(post.clone(), "/api/accounts/{number}/exports", Some(json!({"format": "csv"})), [401, 403, 404, 202, 202, 404]),
        // Nobody has this one; who gets what of their own is in `ledger_exports`.
        row(get.clone(), "/api/accounts/{number}/exports/{id}", None,        [401, 403, 404, 404, 404, 404]),
        // Of those who have access already nothing is asked.
        row(post.clone(), "/api/access-requests", Some(json!({"message": "Bonjour"})), signed_in(202)),
        row(put, "/api/accounts/{number}/activation", Some(json!({"use": true})), [401, 403, 404, 403, 200, 404]),
        row(get.clone(), "/api/accounts/{number}/users", None,               [401, 403, 404, 403, 200, 404]),
        row(post.clone(), "/api/accounts/{number}/users", invited,           [401, 403, 404, 403, 202, 404]),
        row(delete.clone(), "/api/accounts/{number}/users/{id}", None,       [401, 403, 404, 403, 204, 404]),
        // To nobody whom there is: to whom there is, and in which state of the account, is below.
        row(post.clone(), "/api/accounts/{number}/manager", Some(json!({"id": "0".repeat(32)})), [401, 403, 404, 403, 404, 404]),
        // For the manager it is their own claim again.
        row(post.clone(), "/api/manager-claims", claim,                      [401, 403, 409, 409, 201, 404]),
        row(post, "/api/acceptances", Some(charter),                         [401, 201, 200, 200, 200, 200]),
        row(delete, "/api/sessions/{id}", None, signed_in(204)),
    ];
    rows
}

#[tokio::test(flavor = "multi_thread")]
async fn everybody_may_do_what_the_matrix_says_and_nothing_else() {
    let world = World::start().await;
    let people = People::of(&world).await;
    assert_eq!(wrong(&people, matrix(&world).await).await, Vec::<String>::new());
}

/// No route has it: it is refused after who may ask, and before all else, so that nothing is done.
#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_parameter_is_refused_by_name_on_every_route() {
    let world = World::start().await;
    let people = People::of(&world).await;
    let mut wrong_ones = Vec::new();
    for row in matrix(&world).await {
        let sign = if row.target.contains('?') { '&' } else { '?' };
        let target = format!("{}{sign}utm_source=lettre", row.target);
        for ((name, visitor), expected) in PEOPLE.iter().zip(people.all()).zip(row.expected) {
            let allowed = match (expected, row.body.is_some()) {
                // What the body brings, as a link or a password, may be looked at before the rest of it, or after.
                (403 | 404 | 410, true) => vec![expected, 422],
                (401 | 403 | 404, _) => vec![expected],
                _ => vec![422],
            };
            let reply = visitor.send(row.method.clone(), &target, row.body.as_ref()).await;
            let is_named = reply.errors().contains(&"utm_source:unknown-parameter".to_owned());
            if !allowed.contains(&reply.status) || is_named != (reply.status == 422) {
                wrong_ones.push(format!("{name}, one of {allowed:?} expected: {reply}"));
            }
        }
    }
    assert_eq!(wrong_ones, Vec::<String>::new());
    // Nothing was done: the matrix gives what it gives.
    assert_eq!(wrong(&people, matrix(&world).await).await, Vec::<String>::new());
}

/// What of the matrix is not so.
async fn wrong(people: &People, rows: Vec<Row>) -> Vec<String> {
    let mut wrong = Vec::new();
    for row in rows {
        for ((name, visitor), expected) in PEOPLE.iter().zip(people.all()).zip(row.expected) {
            let reply = visitor.send(row.method.clone(), &row.target, row.body.as_ref()).await;
            if reply.status != expected {
                wrong.push(format!("{name}, {expected} expected: {reply}"));
            }
        }
    }
    wrong
}

#[tokio::test(flavor = "multi_thread")]
async fn a_contested_manager_cannot_give_access_and_everything_else_is_as_before() {
    let world = World::start().await;
    let people = People::of(&world).await;
    let mails = world.mails().await;
    let notice = mails.iter().find(|mail| contest_freezes(mail) && mail.text.contains("MARTIN BTP"));
    let token = json!({"token": contest_token(notice.unwrap())});
    people.nobody.post("/api/manager-claims/contest", &token).await.expect(202);
    let mut rows = matrix(&world).await;
    for row in rows.iter_mut().filter(|row| row.method == Method::POST && row.template.ends_with("/users")) {
        row.expected[4] = 409;
    }
    assert_eq!(wrong(&people, rows).await, Vec::<String>::new());
}

/// What the account can be in when its colleagues deal with each other.
#[derive(Debug, Clone, Copy, PartialEq)]
enum State {
    /// Its manager said OUI.
    Activated,
    /// Its manager said NON.
    NotActivated,
    /// Its claim is contested.
    Contested,
    /// It is no member's any more.
    Closed,
}

impl State {
    async fn set(self, world: &World, manager: &Visitor) {
        match self {
            Self::Activated => {}
            Self::NotActivated => {
                let activation = format!("/api/accounts/{ACCOUNT}/activation");
                manager.put(&activation, &json!({"use": false})).await.expect(200);
            }
            Self::Contested => world.contest(SIRET).await,
            Self::Closed => {
                let closed = fixture().0.replace("\"version\":1", "\"closed_on\":\"2012-12-31\",\"version\":2");
                world.import("2013-01-02-001", &closed, "").await;
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_colleagues_may_do_depends_on_the_state_of_the_account() {
    let mut wrong = Vec::new();
    for state in [State::Activated, State::NotActivated, State::Contested, State::Closed] {
        let world = World::start().await;
        let people = People::of(&world).await;
        let asker = world.member("asker@martin.example").await;
        asker.post("/api/access-requests", &json!({})).await.expect(202);
        let refused = world.member("refused@martin.example").await;
        refused.post("/api/access-requests", &json!({})).await.expect(202);
        let (heir, refused) = (people.reader.id().await, refused.id().await);
        state.set(&world, &people.manager).await;

        // What the manager is answered, where nobody contests and it is open; contested; closed.
        let by_state = |open: u16, contested: u16, closed: u16| match state {
            State::Activated | State::NotActivated => open,
            State::Contested => contested,
            State::Closed => closed,
        };
        let of_manager = |status: u16| [401, 403, 404, 403, status, 404];
        let asked = by_state(202, 202, 409);
        let account = format!("/api/accounts/{ACCOUNT}");
        let (get, post, delete) = (Method::GET, Method::POST, Method::DELETE);
        let rows = [
            (get.clone(), "/api/accounts".to_owned(), None, [401, 200, 200, 200, 200, 200]),
            (get.clone(), "/api/accounts?q=martin&limit=1".to_owned(), None, [401, 200, 200, 200, 200, 200]),
            (get, format!("{account}/users"), None, of_manager(200)),
            // Who is elsewhere manages another establishment, which closed with this one.
            (post.clone(), "/api/access-requests".to_owned(), Some(json!({})), [401, 202, asked, 202, 202, 202]),
            (
                post.clone(),
                format!("{account}/users"),
                Some(json!({"email": "asker@martin.example"})),
                of_manager(by_state(202, 409, 403)),
            ),
            (
                post.clone(),
                format!("{account}/users"),
                Some(json!({"emails": ["x@cabinet.example", "y@cabinet.example"]})),
                of_manager(by_state(202, 409, 403)),
            ),
            (delete.clone(), format!("{account}/users/{refused}"), None, of_manager(204)),
            (delete, format!("{account}/users/{INVITATION}"), None, of_manager(204)),
            (post, format!("{account}/manager"), Some(json!({"id": heir})), of_manager(by_state(200, 409, 200))),
        ];
        for (method, target, body, expected) in rows {
            for ((name, visitor), expected) in PEOPLE.iter().zip(people.all()).zip(expected) {
                let reply = visitor.send(method.clone(), &target, body.as_ref()).await;
                if reply.status != expected {
                    wrong.push(format!("{state:?}, {name}, {expected} expected: {reply}"));
                }
                let contested = state == State::Contested && reply.status == 409;
                assert!(!contested || reply.problem() == "claim-contested", "{reply}");
            }
        }
        // Whatever was refused, the state is one that the others may be in.
        Inventory::of(&world).await.expect_whole(&format!("{state:?}"));
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_operation_of_the_contract_has_its_row() {
    let world = World::start().await;
    let rows = matrix(&world).await;
    let in_matrix: BTreeSet<_> = rows.iter().map(|row| (row.method.to_string(), row.template.to_owned())).collect();
    let operations = Contract::get().operations();
    let in_contract: BTreeSet<_> = operations.iter().map(|(method, path, _)| (method.clone(), path.clone())).collect();
    assert_eq!(in_contract, in_matrix);
    for row in rows {
        let path = row.target.split('?').next().unwrap();
        let (template, operation) = Contract::get().operation(row.method.as_str(), path).unwrap();
        assert_eq!(template, row.template, "the row asks for its own operation");
        // Refresh and log-in answer 401 for reasons of their own.
        let guarded = operation["security"][0]["accessToken"].is_array();
        let public = operation["security"] == json!([]);
        assert!(!guarded || row.expected[0] == 401, "{} {template} is guarded", row.method);
        assert!(!public || row.expected.iter().all(|status| *status == row.expected[0]), "{template} is public");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_that_one_may_not_see_is_one_that_does_not_exist() {
    let world = World::start().await;
    let people = People::of(&world).await;
    for (method, suffix, body) in [
        (Method::GET, "summary", None),
        (Method::GET, "actions?view=2011", None),
        (Method::GET, "actions/2011-000001", None),
        (Method::GET, "contributions", None),
        (Method::GET, "remittances", None),
        (Method::GET, "remittances/V-2012-0001", None),
        (Method::GET, "remittance?number=V-2012-0042", None),
        (Method::GET, "remittance", None),
        (Method::GET, "remittance?utm_source=a", None),
        (Method::GET, "ledger?kind=COMMITMENT", None),
        (Method::GET, "ledger.csv", None),
        (Method::GET, "ledger.csv?view=x", None),
        (Method::GET, "ledger.xlsx?view=2011", None),
        (Method::GET, "statement.pdf", None),
        (Method::GET, "statement.pdf?view=x", None),
        (Method::GET, "statement.pdf?view=1999", None),
        (Method::POST, "exports", Some(json!({"format": "csv"}))),
        (Method::POST, "exports", Some(json!({"format": "pdf", "view": "x"}))),
        (Method::GET, "exports/4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d", None),
        (Method::PUT, "activation", Some(json!({"use": true}))),
        (Method::PUT, "activation", Some(json!({"use": "perhaps", "more": 1}))),
        (Method::GET, "users", None),
        (Method::POST, "users", Some(json!({"email": "x@cabinet.example"}))),
        (Method::POST, "users", Some(json!({"email": 7}))),
        (Method::POST, "users", Some(json!({"emails": ["x@cabinet.example"]}))),
        (Method::POST, "manager", Some(json!({"id": "90c1b7e2a64f4d0f8a3b5c7d9e1f2031"}))),
        (Method::POST, "manager", Some(json!({"id": 7, "more": 1}))),
        (Method::DELETE, "users/90c1b7e2a64f4d0f8a3b5c7d9e1f2031", None),
    ] {
        let mut answers = Vec::new();
        for number in [ACCOUNT, "999999", "12345", "abcdef", "%20"] {
            let target = format!("/api/accounts/{number}/{suffix}");
            let mut reply = people.elsewhere.send(method.clone(), &target, body.as_ref()).await;
            assert_eq!((reply.status, reply.problem()), (404, "not-found"), "{reply}");
            reply.body["request_id"] = json!(null);
            answers.push(reply.body);
        }
        assert!(answers.windows(2).all(|pair| pair[0] == pair[1]), "{answers:#?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_other_token_opens_any_operation() {
    let world = World::start().await;
    let manager = world.manager("manager@martin.example").await;
    let paul = world.member("paul@martin.example").await;
    let forge = Forge::of(&world).await;
    let claims_of = |visitor: &Visitor| Forge::claims(visitor.token.lock().unwrap().as_ref().unwrap());
    let (header, claims, pauls) = (forge.header(), claims_of(&manager), claims_of(&paul));
    let with = |name: &str, value: Value| {
        let mut changed = claims.clone();
        changed[name] = value;
        forge.signed(&header, &changed)
    };
    let headed = |name: &str, value: Value| {
        let mut changed = header.clone();
        changed[name] = value;
        forge.signed(&changed, &claims)
    };
    let (hs256, none) =
        (json!({"alg": "HS256", "typ": "at+jwt", "kid": header["kid"]}), json!({"alg": "none", "typ": "at+jwt"}));
    let (real, others) = (forge.signed(&header, &claims), forge.signed(&header, &pauls));
    let now = claims["iat"].as_i64().unwrap();
    let tokens = [
        ("no algorithm", Forge::unsigned(&none, &claims, "")),
        ("no algorithm, signed", forge.signed(&none, &claims)),
        ("no signature", Forge::unsigned(&header, &claims, "")),
        ("another's signature", Forge::unsigned(&header, &claims, others.rsplit('.').next().unwrap())),
        ("HS256 with the public key", forge.hashed_with_public_key(&hs256, &claims)),
        ("EdDSA in name, HS256 in truth", forge.hashed_with_public_key(&header, &claims)),
        ("another key of the same name", forge.signed_with_another_key(&claims)),
        ("another key's name", headed("kid", json!("0123456789abcdef"))),
        ("a key's name that is a path", headed("kid", json!("../SIGNING-KEYS"))),
        ("another type", headed("typ", json!("JWT"))),
        ("a key of its own", headed("jwk", json!({"kty": "OKP", "crv": "Ed25519", "x": "AA"}))),
        ("a place to fetch a key from", headed("jku", json!("https://evil.example/jwks.json"))),
        ("a certificate to fetch", headed("x5u", json!("https://evil.example/cert.pem"))),
        ("a critical extension", headed("crit", json!(["b64"]))),
        ("expired", with("exp", json!(now - 1))),
        ("not valid yet", with("nbf", json!(now + 3_600))),
        ("another issuer", with("iss", json!("https://adherents.example"))),
        ("another audience", with("aud", json!("another"))),
        ("another's session", with("sid", pauls["sid"].clone())),
        ("another's name on one's own session", with("sub", pauls["sub"].clone())),
        ("a session that never was", with("sid", json!("0".repeat(32)))),
        ("an epoch to come", with("epoch", json!(1))),
        ("an epoch that is none", with("epoch", json!(-1))),
        ("empty", String::new()),
        ("no token", "null".to_owned()),
        ("two tokens", format!("{real} {real}")),
        ("a long text", "A".repeat(6_000)),
    ];
    let guarded: Vec<_> = matrix(&world).await.into_iter().filter(|row| row.expected[0] == 401).collect();
    assert!(guarded.len() >= 12);
    let visitor = world.visitor();
    for (what, token) in &tokens {
        for row in guarded.iter().filter(|row| !row.template.starts_with("/api/sessions") || row.method != Method::POST)
        {
            *visitor.token.lock().unwrap() = Some(token.clone());
            let reply = visitor.send(row.method.clone(), &row.target, row.body.as_ref()).await;
            assert_eq!((reply.status, reply.problem()), (401, "authentication-required"), "{what}: {reply}");
        }
    }
    // The same forge makes what is taken, so what was refused was refused for the one difference.
    *visitor.token.lock().unwrap() = Some(real);
    visitor.get(&format!("/api/accounts/{ACCOUNT}/summary")).await.expect(200);
    // The SIRET in a token is a hint for what to fetch, never believed.
    *visitor.token.lock().unwrap() = Some(with("siret", json!(OTHER_SIRET)));
    assert_eq!(visitor.get("/api/home").await.expect(200)["establishment"]["siret"], SIRET);
    world.claim(&visitor, OTHER_ACCOUNT).await.expect_problem(404, "claim-refused");
}

/// The clocks of two machines may be seconds apart, not more; and no claim may be left out.
#[tokio::test(flavor = "multi_thread")]
async fn a_token_counts_within_its_time_and_with_all_its_claims() {
    let world = World::start().await;
    let jeanne = world.user(&Person::at("jeanne@martin.example")).await;
    let forge = Forge::of(&world).await;
    let claims = Forge::claims(jeanne.token.lock().unwrap().as_ref().unwrap());
    let visitor = world.visitor();
    let answer = async |claims: &Value| {
        *visitor.token.lock().unwrap() = Some(forge.signed(&forge.header(), claims));
        visitor.get("/api/me").await.status
    };
    assert_eq!(answer(&claims).await, 200, "what is forged here differs in nothing else");
    let now = world.portal.clock().now().as_second();
    for (nbf, status) in [(now + 31, 401), (now + 3, 200)] {
        let mut early = claims.clone();
        early["nbf"] = json!(nbf);
        assert_eq!(answer(&early).await, status, "valid from {nbf}, now {now}");
    }
    for name in ["iss", "aud", "sub", "sid", "epoch", "jti", "iat", "nbf", "exp"] {
        let mut incomplete = claims.clone();
        incomplete.as_object_mut().unwrap().remove(name);
        assert_eq!(answer(&incomplete).await, 401, "without {name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn another_scheme_or_the_cookie_alone_signs_nobody_in() {
    let world = World::start().await;
    let jeanne = world.member("jeanne@martin.example").await;
    let token = jeanne.token.lock().unwrap().take().unwrap();
    jeanne.get("/api/home").await.expect_problem(401, "authentication-required");
    let visitor = world.visitor();
    for authorization in [token.clone(), format!("Basic {token}"), format!("Bearer{token}"), "Bearer".to_owned()] {
        let headers = [("authorization", authorization.as_str())];
        let reply = visitor.send_with(Method::GET, "/api/home", None, &headers).await;
        reply.expect_problem(401, "authentication-required");
    }
    // RFC 7235: a scheme's name has no case.
    let authorization = format!("bearer {token}");
    let headers = [("authorization", authorization.as_str())];
    visitor.send_with(Method::GET, "/api/home", None, &headers).await.expect(200);
}
