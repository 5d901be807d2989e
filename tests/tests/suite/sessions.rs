//! Logging in and out, the cookie, the profile, and what a change of it takes away.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use harness::{ACCOUNT, OTHER_SIRET, PASSWORD, Person, SIRET, Visitor, World};
use portal::domain::Email;
use portal::store::{Change, Login, Table};
use serde_json::{Value, json};

const EMAIL: &str = "jeanne@martin.example";

#[tokio::test(flavor = "multi_thread")]
async fn logging_out_ends_this_session_at_once_and_no_other() {
    let world = World::start().await;
    let office = world.user(&Person::at(EMAIL)).await;
    let phone = world.visitor();
    phone.log_in(EMAIL, PASSWORD).await.expect(200);
    let cookie = office.cookie().unwrap();

    let reply = office.delete("/api/sessions/current").await.expect(204);
    let cleared = reply.header("set-cookie").unwrap();
    assert_eq!(cleared, "refresh=; Max-Age=0; HttpOnly; SameSite=Strict; Path=/");
    assert_eq!(office.cookie(), None);
    assert_eq!(reply.header("clear-site-data"), Some("\"cache\", \"storage\""));
    office.get("/api/home").await.expect_problem(401, "authentication-required");
    world.visitor().holding(&cookie).refresh().await.expect_problem(401, "authentication-required");
    office.delete("/api/sessions/current").await.expect_problem(401, "authentication-required");
    phone.get("/api/home").await.expect(200);
    phone.refresh().await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_in_ends_the_session_that_the_browser_brings_and_no_made_up_one() {
    let world = World::start().await;
    let jeanne = world.user(&Person::at(EMAIL)).await;
    let stale = jeanne.cookie().unwrap();
    jeanne.refresh().await.expect(200);
    let brought = jeanne.cookie().unwrap();
    let sessions = async |visitor: &Visitor| visitor.get("/api/sessions").await["sessions"].as_array().unwrap().len();
    let paul = world.user(&Person::at("paul@martin.example")).await;

    // A token of before, and a secret that is wrong for a right session, end nothing.
    let mut forged = brought.clone();
    let another = if &forged[60..61] == "A" { "B" } else { "A" };
    forged.replace_range(60..61, another);
    for cookie in [stale, forged] {
        let thief = world.visitor().holding(&cookie);
        thief.log_in("paul@martin.example", PASSWORD).await.expect(200);
        jeanne.get("/api/home").await.expect(200);
    }
    assert_eq!(sessions(&jeanne).await, 1, "nothing was ended, and nothing added");
    // Somebody else at the same computer: what she left open there ends.
    let shared = world.visitor().holding(&brought);
    shared.log_in("paul@martin.example", PASSWORD).await.expect(200);
    jeanne.get("/api/home").await.expect_problem(401, "authentication-required");
    // A wrong password ends nothing, and a right one does not add up.
    let before = sessions(&paul).await;
    paul.log_in("paul@martin.example", "faux").await.expect_problem(401, "bad-credentials");
    paul.get("/api/home").await.expect(200);
    paul.log_in("paul@martin.example", PASSWORD).await.expect(200);
    assert_eq!(sessions(&paul).await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_of_several_sessions_is_ended_by_its_id() {
    let world = World::start().await;
    let office = world.user(&Person::at(EMAIL)).await;
    let phone = world.visitor();
    phone.log_in(EMAIL, PASSWORD).await.expect(200);
    let stranger = world.user(&Person::at("paul@martin.example")).await;

    let listed = office.get("/api/sessions").await.expect(200);
    let sessions = listed["sessions"].as_array().unwrap();
    let current: Vec<_> = sessions.iter().map(|session| session["current"].clone()).collect();
    assert_eq!(current, [json!(true), json!(false)], "oldest first");
    assert!(sessions.iter().all(|session| session["ip"].as_str().unwrap().starts_with("127.")));
    let id = sessions[1]["id"].as_str().unwrap();

    let target = format!("/api/sessions/{id}");
    stranger.delete(&target).await.expect_problem(404, "not-found");
    phone.get("/api/home").await.expect(200);
    let reply = office.delete(&target).await.expect(204);
    assert_eq!(reply.header("set-cookie"), None, "one's own cookie stays");
    phone.get("/api/home").await.expect_problem(401, "authentication-required");
    phone.refresh().await.expect_problem(401, "authentication-required");
    office.delete(&target).await.expect_problem(404, "not-found");
    office.get("/api/home").await.expect(200);
    for never in ["0", "00000000000000000000000000000000", "CURRENT", "%2e%2e", "current%20"] {
        office.delete(&format!("/api/sessions/{never}")).await.expect_problem(404, "not-found");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn logging_out_everywhere_ends_all_sessions_at_once_and_the_next_log_in_works() {
    let world = World::start().await;
    let office = world.user(&Person::at(EMAIL)).await;
    let phone = world.visitor();
    phone.log_in(EMAIL, PASSWORD).await.expect(200);
    let reply = phone.delete("/api/sessions/all").await.expect(204);
    assert!(reply.header("set-cookie").unwrap().starts_with("refresh=; Max-Age=0"));
    for visitor in [&office, &phone] {
        visitor.get("/api/home").await.expect_problem(401, "authentication-required");
        visitor.refresh().await.expect_problem(401, "authentication-required");
    }
    phone.log_in(EMAIL, PASSWORD).await.expect(200);
    let sessions = phone.get("/api/sessions").await.expect(200);
    assert_eq!(sessions["sessions"].as_array().unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_cookie_is_out_of_reach_of_scripts_and_of_other_sites() {
    let world = World::start().await;
    let jeanne = world.user(&Person::at(EMAIL)).await;
    let log_in = jeanne.log_in(EMAIL, PASSWORD).await.expect(200);
    let refresh = jeanne.refresh().await.expect(200);
    for reply in [log_in, refresh] {
        let cookie = reply.header("set-cookie").unwrap();
        let (pair, attributes) = cookie.split_once("; ").unwrap();
        assert_eq!(attributes, "Max-Age=7200; HttpOnly; SameSite=Strict; Path=/");
        let token = pair.strip_prefix("refresh=").unwrap();
        assert!(token.len() >= 43, "256 bits at least");
        assert!(!reply.text.contains(token), "the body is for scripts");
        assert_eq!(
            reply.body.as_object().unwrap().keys().collect::<Vec<_>>(),
            ["access_token", "expires_in", "token_type"]
        );
        assert_eq!(reply.header("cache-control"), Some("no-store"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_password_an_unknown_address_and_an_unused_link_look_alike() {
    let world = World::start().await;
    world.user(&Person::at(EMAIL)).await;
    world.sign_up(&Person::at("invited@martin.example")).await.expect(202);
    world.mails().await;
    let visitor = world.visitor();
    let before = world.portal.log_lines().len();
    let mut bodies = Vec::new();
    for (email, password) in [
        (EMAIL, "truelle béton mésange 42"),
        (EMAIL, "x"),
        ("unknown@martin.example", PASSWORD),
        ("invited@martin.example", PASSWORD),
    ] {
        let mut reply = visitor.log_in(email, password).await.expect_problem(401, "bad-credentials");
        assert_eq!(reply.header("set-cookie"), None);
        reply.body["request_id"] = json!(null);
        bodies.push(reply.body);
    }
    assert!(bodies.windows(2).all(|pair| pair[0] == pair[1]), "{bodies:#?}");
    let lines: Vec<Value> = world.portal.log_lines().split_off(before);
    let mut lines: Vec<Value> = lines.into_iter().filter(|line| line["function"] == "sessions").collect();
    assert_eq!(lines.len(), 4);
    for line in &mut lines {
        assert!(!line.to_string().contains("martin"), "{line}");
        line["request_id"] = json!(null);
        for timed in ["latency_ms", "hash_ms", "cold", "_aws"] {
            assert!(line.get(timed).is_some(), "{timed}: {line}");
            line[timed] = json!(null);
        }
    }
    assert!(lines.windows(2).all(|pair| pair[0] == pair[1]), "{lines:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_is_one_address_in_any_case() {
    let world = World::start().await;
    world.user(&Person::at(EMAIL)).await;
    let visitor = world.visitor();
    visitor.log_in("JEANNE@Martin.EXAMPLE", PASSWORD).await.expect(200);
    assert_eq!(visitor.get("/api/me").await["email"], EMAIL);
    visitor.log_in(&format!("  {EMAIL} "), PASSWORD).await.expect(200);
    visitor.log_in(EMAIL, &PASSWORD.to_uppercase()).await.expect_problem(401, "bad-credentials");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_profile_changes_field_by_field_and_the_rest_stays() {
    let world = World::start().await;
    let jeanne = world.user(&Person::at(EMAIL)).await;
    let before = jeanne.get("/api/me").await.expect(200);
    let changed = jeanne.patch("/api/me", &json!({"job_title": "  Directrice   administrative "})).await.expect(200);
    let mut expected = before.body.clone();
    expected["job_title"] = json!("Directrice administrative");
    assert_eq!(changed.body, expected);
    assert_eq!(jeanne.get("/api/me").await.body, expected);

    for (change, errors) in [
        (json!({}), vec![":required"]),
        (json!({"siret": "5338461500019", "civility": "dr"}), vec!["civility:civility-unknown", "siret:siret-length"]),
        (json!({"last_name": "", "first_name": 1}), vec!["last_name:required", "first_name:not-a-string"]),
        (json!({"email": "other@martin.example"}), vec![":required", "email:unknown-field"]),
        (json!({"job_title": "Gérante", "epoch": 7}), vec!["epoch:unknown-field"]),
    ] {
        let refused = jeanne.patch("/api/me", &change).await.expect_problem(422, "invalid-input");
        assert_eq!(refused.errors(), errors, "{change}");
    }
    assert_eq!(jeanne.get("/api/me").await.body, expected, "what is refused changes nothing");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_managers_name_follows_their_profile() {
    let world = World::start().await;
    let jeanne = world.manager(EMAIL).await;
    let paul = world.member("paul@martin.example").await;
    world.claim(&paul, ACCOUNT).await.expect_problem(409, "already-managed");
    jeanne.patch("/api/me", &json!({"civility": "m", "last_name": "Dupont-Été"})).await.expect(200);
    let named = json!({"named": true, "civility": "m", "last_name": "Dupont-Été"});
    assert_eq!(paul.get("/api/home").await["manager"], named);
    let refused = world.claim(&paul, ACCOUNT).await.expect_problem(409, "already-managed");
    assert_eq!(refused["manager"], json!({"civility": "m", "last_name": "Dupont-Été"}));
    assert_eq!(jeanne.get("/api/home").await["user"]["greeting"], "Bonjour M. Dupont-Été");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_manager_alone_who_changes_establishment_leaves_the_account_unclaimed() {
    let world = World::start().await;
    let jeanne = world.manager(EMAIL).await;
    let paul = world.member("paul@martin.example").await;
    world.claim(&paul, ACCOUNT).await.expect_problem(409, "already-managed");
    let summary = format!("/api/accounts/{ACCOUNT}/summary");
    jeanne.get(&summary).await.expect(200);

    // A new name in the same change: the seat is left, not renamed.
    let change = json!({"siret": OTHER_SIRET, "last_name": "DUPONT"});
    jeanne.patch("/api/me", &change).await.expect(200);
    jeanne.get(&summary).await.expect_problem(404, "not-found");
    assert_eq!(jeanne.get("/api/accounts").await["accounts"], json!([]));
    let home = jeanne.get("/api/home").await.expect(200);
    assert_eq!(home["establishment"], json!({"siret": OTHER_SIRET, "name": "LA POSTE"}));
    assert_eq!((&home["manager"], &home["can_claim"]), (&json!(null), &json!(true)));
    assert_eq!(world.count(Table::Members, "ACCOUNT#", "GRANT#").await, 0);
    assert_eq!(world.count(Table::Members, "USER#", "GRANT#").await, 0);
    let home = paul.get("/api/home").await.expect(200);
    assert_eq!((&home["manager"], &home["can_claim"]), (&json!(null), &json!(true)));

    // The next manager says OUI for themselves, and whoever comes back has nothing to show.
    world.claim(&paul, ACCOUNT).await.expect(201);
    paul.get(&summary).await.expect_problem(409, "account-not-activated");
    jeanne.patch("/api/me", &json!({"siret": SIRET})).await.expect(200);
    let home = jeanne.get("/api/home").await.expect(200);
    assert_eq!((&home["manager"], &home["can_claim"]), (&json!({"named": false}), &json!(false)));
    jeanne.get(&summary).await.expect_problem(404, "not-found");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_colleague_who_changes_establishment_loses_what_they_proved_and_were_granted() {
    let world = World::start().await;
    world.manager(EMAIL).await;
    let paul = world.member("paul@martin.example").await;
    world.claim(&paul, ACCOUNT).await.expect_problem(409, "already-managed");
    world.make_reader(&paul).await;
    let summary = format!("/api/accounts/{ACCOUNT}/summary");
    paul.get(&summary).await.expect(200);
    paul.patch("/api/me", &json!({"siret": OTHER_SIRET})).await.expect(200);
    paul.get(&summary).await.expect_problem(404, "not-found");
    paul.patch("/api/me", &json!({"siret": SIRET})).await.expect(200);
    paul.get(&summary).await.expect_problem(404, "not-found");
    assert_eq!(paul.get("/api/home").await["manager"], json!({"named": false}));
    assert_eq!(world.count(Table::Members, "USER#", "PROOF#").await, 1, "the manager's own");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_manager_with_colleagues_hands_over_before_they_leave() {
    let world = World::start().await;
    let jeanne = world.manager(EMAIL).await;
    let paul = world.member("paul@martin.example").await;
    world.make_reader(&paul).await;
    let before = jeanne.get("/api/me").await.body;
    let change = json!({"siret": OTHER_SIRET, "job_title": "Gérante"});
    jeanne.patch("/api/me", &change).await.expect_problem(409, "manager-must-hand-over");
    assert_eq!(jeanne.get("/api/me").await.body, before, "nothing has changed");
    for visitor in [&jeanne, &paul] {
        visitor.get(&format!("/api/accounts/{ACCOUNT}/summary")).await.expect(200);
    }
    // What does not leave the establishment is free to change.
    jeanne.patch("/api/me", &json!({"siret": SIRET, "job_title": "Gérante"})).await.expect(200);
}

/// A hash as it was made years ago, with less work than is done today.
fn weak_hash(password: &str) -> String {
    let params = argon2::Params::new(8 * 1024, 1, 1, Some(32)).unwrap();
    let mut output = [0; 32];
    let argon2 = argon2::Argon2::new(argon2::Algorithm::Argon2id, argon2::Version::V0x13, params);
    argon2.hash_password_into(password.as_bytes(), b"salt of 16 bytes", &mut output).unwrap();
    let encode = |bytes: &[u8]| STANDARD_NO_PAD.encode(bytes);
    format!("$argon2id$v=19$m=8192,t=1,p=1${}${}", encode(b"salt of 16 bytes"), encode(&output))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_weaker_hash_is_made_anew_at_log_in_and_at_no_failure() {
    let world = World::start().await;
    let jeanne = world.user(&Person::at(EMAIL)).await;
    let place = Login::key_of(&Email::parse(EMAIL).unwrap());
    let stored = async || -> String {
        let items = world.items(Table::Identity).await;
        let login = items.iter().find(|item| item["pk"].as_s() == Ok(&place.pk) && item["sk"].as_s() == Ok(&place.sk));
        login.unwrap()["password_hash"].as_s().unwrap().clone()
    };
    let strong = stored().await;
    assert!(strong.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "PHC, with OWASP's floor");
    let weak = weak_hash(PASSWORD);
    let change = Change::new().set("password_hash", &weak).unwrap();
    assert!(world.store().update(&place, &change, None).await.unwrap());
    world.visitor().log_in(EMAIL, "faux").await.expect_problem(401, "bad-credentials");
    assert_eq!(stored().await, weak);
    world.visitor().log_in(EMAIL, PASSWORD).await.expect(200);
    let renewed = stored().await;
    assert!(renewed.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{renewed}");
    world.visitor().log_in(EMAIL, PASSWORD).await.expect(200);
    assert_eq!(stored().await, renewed, "once");
    jeanne.get("/api/home").await.expect(200);
}
