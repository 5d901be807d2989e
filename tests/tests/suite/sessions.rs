//! Logging in and out, the cookie, the profile, and what a change of it takes away.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use futures::future::join_all;
use harness::{ACCOUNT, OTHER_SIRET, PASSWORD, Person, SIRET, Visitor, World};
use http::HeaderValue;
use portal::domain::Email;
use portal::store::{Change, Login, Session, Table};
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
    jeanne.refresh().await.expect(200);
    let brought = jeanne.cookie().unwrap();
    world.advance(Duration::from_secs(60));
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
    // So does one whose answer was lost: its token is as good.
    jeanne.log_in(EMAIL, PASSWORD).await.expect(200);
    let lost = world.visitor().holding(&jeanne.cookie().unwrap());
    jeanne.refresh().await.expect(200);
    lost.log_in("paul@martin.example", PASSWORD).await.expect(200);
    jeanne.get("/api/home").await.expect_problem(401, "authentication-required");
}

/// The ids of the sessions that a visitor sees, oldest first.
async fn ids_seen_by(visitor: &Visitor) -> Vec<String> {
    let list = visitor.get("/api/sessions").await.expect(200);
    list["sessions"].as_array().unwrap().iter().map(|session| session["id"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_has_fifty_sessions_and_the_next_log_in_ends_the_oldest() {
    let world = World::start().await;
    let oldest = world.user(&Person::at(EMAIL)).await;
    let office = world.visitor();
    let mut newest = Vec::new();
    for n in 1..Session::MOST {
        world.advance(Duration::from_secs(1));
        let visitor = if n == 1 { &office } else { &world.visitor() };
        visitor.log_in(EMAIL, PASSWORD).await.expect(200);
        newest = ids_seen_by(visitor).await;
    }
    assert_eq!(newest.len(), Session::MOST);
    oldest.refresh().await.expect(200);
    for ended in 1..=3 {
        world.advance(Duration::from_secs(1));
        let next = world.visitor();
        next.log_in(EMAIL, PASSWORD).await.expect(200);
        let seen = ids_seen_by(&next).await;
        assert_eq!(seen[..Session::MOST - ended], newest[ended..], "by when they began, not by when they were used");
        assert_eq!(seen.len(), Session::MOST);
        assert_eq!(world.count(Table::Identity, "USER#", "SESSION#").await, Session::MOST);
    }
    for gone in [&oldest, &office] {
        gone.get("/api/home").await.expect_problem(401, "authentication-required");
        gone.refresh().await.expect_problem(401, "authentication-required");
    }
    // What has ended makes room, and nobody else goes.
    let last = world.visitor();
    last.log_in(EMAIL, PASSWORD).await.expect(200);
    let seen = ids_seen_by(&last).await;
    for id in &seen[10..20] {
        last.delete(&format!("/api/sessions/{id}")).await.expect(204);
    }
    for _ in 0..10 {
        world.visitor().log_in(EMAIL, PASSWORD).await.expect(200);
    }
    let after = ids_seen_by(&last).await;
    assert_eq!((after.len(), &after[..10]), (Session::MOST, &seen[..10]));
    // Sessions that lie idle are ended, and go before any other.
    world.advance(Session::IDLE);
    last.log_in(EMAIL, PASSWORD).await.expect(200);
    assert_eq!(ids_seen_by(&last).await.len(), 1);
    assert_eq!(world.count(Table::Identity, "USER#", "SESSION#").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn however_many_log_in_at_once_there_are_fifty_sessions() {
    let world = World::start().await;
    world.user(&Person::at(EMAIL)).await;
    for _ in 0..45 {
        world.visitor().log_in(EMAIL, PASSWORD).await.expect(200);
    }
    let visitors: Vec<_> = (0..16).map(|_| world.visitor()).collect();
    let replies = join_all(visitors.iter().map(|visitor| visitor.log_in(EMAIL, PASSWORD))).await;
    for reply in &replies {
        assert!([200, 503].contains(&reply.status), "{reply}");
    }
    assert!(replies.iter().any(|reply| reply.status == 200));
    assert_eq!(world.count(Table::Identity, "USER#", "SESSION#").await, Session::MOST);
    let next = world.visitor();
    next.log_in(EMAIL, PASSWORD).await.expect(200);
    assert_eq!(ids_seen_by(&next).await.len(), Session::MOST);
}

/// What other sites of the domain set, in bytes of their choice, beside what is ours.
#[tokio::test(flavor = "multi_thread")]
async fn cookies_of_others_in_any_bytes_and_order_sign_nobody_out() {
    let world = World::start().await;
    let jeanne = world.user(&Person::at(EMAIL)).await;
    let stale = jeanne.cookie().unwrap();
    jeanne.refresh().await.expect(200);
    jeanne.refresh().await.expect(200);
    world.advance(Duration::from_secs(60));
    let http = reqwest::Client::new();
    let url = format!("{}/api/sessions/refresh", world.portal.address());
    let refresh = async |lines: &[Vec<u8>]| {
        let mut request = http.post(&url);
        for line in lines {
            request = request.header("cookie", HeaderValue::from_bytes(line).unwrap());
        }
        let answer = request.send().await.unwrap();
        let cookie = answer.headers().get("set-cookie").map(|cookie| cookie.to_str().unwrap().to_owned());
        let value = cookie.and_then(|cookie| Some(cookie.split(';').next()?.strip_prefix("refresh=")?.to_owned()));
        (answer.status().as_u16(), value)
    };
    let mut ours = jeanne.cookie().unwrap();
    let others: [&[u8]; 7] = [
        b"ville=Orl\xe9ans",
        "prénom=Zoé".as_bytes(),
        b"x=\x80\xff\xfe",
        b"=; ;;",
        b"refresh=no token",
        b"refresh=\xe9",
        // One of the session's own that is stolen: it would end the session, were it believed beside the current one.
        format!("refresh={stale}").leak().as_bytes(),
    ];
    for other in others {
        for ours_first in [true, false] {
            for lines in [false, true] {
                let mut pairs = [format!("refresh={ours}").into_bytes(), other.to_vec()];
                if !ours_first {
                    pairs.reverse();
                }
                let sent = if lines { pairs.to_vec() } else { vec![pairs.join(&b"; "[..])] };
                let (status, next) = refresh(&sent).await;
                assert_eq!(status, 200, "{:?}", String::from_utf8_lossy(&sent.concat()));
                ours = next.unwrap();
            }
        }
    }
    // No other name passes for ours.
    for name in ["\u{2000}refresh", "\u{a0}refresh", "Refresh", "a=1,refresh"] {
        assert_eq!(refresh(&[format!("{name}={ours}").into_bytes()]).await.0, 401, "{name:?}");
    }
}

/// As the gateway hands them over: in `cookies`, as a header, or in both, with what no header may hold.
#[tokio::test(flavor = "multi_thread")]
async fn cookies_are_found_in_both_forms_of_the_event_and_no_header_fails_an_invocation() {
    let world = World::start().await;
    let jeanne = world.user(&Person::at(EMAIL)).await;
    let ours = format!("refresh={}", jeanne.cookie().unwrap());
    let theirs = "x=\u{1}\u{7f}é";
    let forms = [
        json!({"cookies": [theirs, ours]}),
        json!({"cookies": [ours, theirs]}),
        json!({"headers": {"cookie": format!("{theirs}; {ours}")}}),
        json!({"headers": {"Cookie": format!("{ours}; {theirs}")}}),
        json!({"headers": {"cookie": theirs}, "cookies": [ours]}),
        json!({"headers": {"cookie": ours}, "cookies": [theirs]}),
        json!({"cookies": [ours], "headers": {"user-agent": "a\u{0}b", "accept-language": "\u{1b}", "né": "x", "": "y",
            "authorization": "Bearer \u{7}", "x": null, "content-type": "\u{2}"}}),
    ];
    for form in forms {
        let mut event: Value = serde_json::from_str(include_str!("../../../events/sessions.json")).unwrap();
        event["routeKey"] = json!("POST /api/sessions/refresh");
        event["rawPath"] = json!("/api/sessions/refresh");
        event["requestContext"]["routeKey"] = event["routeKey"].clone();
        event["requestContext"]["http"]["path"] = event["rawPath"].clone();
        event["body"] = Value::Null;
        for (name, value) in form.as_object().unwrap() {
            event[name] = value.clone();
        }
        let answer = world.portal.invoke("sessions", event).await.unwrap();
        assert_eq!(answer["statusCode"], 200, "{form}: {answer}");
    }
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
            ["access_token", "expires_in", "session_ends_in", "session_idle_in", "token_type"]
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
