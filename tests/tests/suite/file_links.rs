//! Links that download a file without an access token: for five minutes, this file alone, and only while who made them may
//! have it.

use harness::{ACCOUNT, OTHER_ACCOUNT, PASSWORD, Reply, Visitor, World};
use http::{Method, StatusCode};
use jiff::Timestamp;
use portal::domain::DocumentKind;
use portal::security::FileLinks;
use serde_json::{Value, json};

use crate::ledger_files::post_one;

const LINKS: &str = "/api/accounts/012345/file-links";

/// Asks for a link, and gives its address from the path on.
async fn link(world: &World, visitor: &Visitor, file: &Value) -> String {
    let made = visitor.post(LINKS, file).await.expect(201);
    let expires_at: Timestamp = made["expires_at"].as_str().unwrap().parse().unwrap();
    let left = expires_at.duration_since(world.portal.clock().now());
    assert!(left.as_secs() > 290 && left.as_secs() <= 300, "{left}");
    let url = made["url"].as_str().unwrap();
    let (origin, path) = url.split_at(url.find("/api/").unwrap());
    assert_eq!(origin, world.portal.address(), "the portal's own origin");
    path.to_owned()
}

/// Follows a link as a browser does: without a token.
async fn follow(world: &World, link: &str) -> Reply {
    world.visitor().get(link).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_downloads_the_file_that_the_token_would() {
    let world = World::start().await;
    let marie = world.manager("marie@martin.example").await;
    let as_of = world.portal.clock().now();
    for (file, target) in [
        (json!({"format": "csv"}), "ledger.csv".to_owned()),
        (
            json!({"file": "ledger", "format": "csv", "view": 2012, "kind": "COMMITMENT"}),
            "ledger.csv?kind=COMMITMENT&view=2012".to_owned(),
        ),
        (
            json!({"file": "ledger", "format": "csv", "from": "2012-01-01", "to": "2012-06-30"}),
            "ledger.csv?from=2012-01-01&to=2012-06-30".to_owned(),
        ),
        (json!({"file": "ledger", "format": "csv", "as_of": as_of}), format!("ledger.csv?as_of={as_of}")),
        (
            json!({"file": "actions", "format": "csv", "view": 2012, "q": "Étoile & « 50 % » + #1", "sort": "-title"}),
            "actions.csv?q=%C3%89toile%20%26%20%C2%AB%2050%20%25%20%C2%BB%20%2B%20%231&sort=-title&view=2012"
                .to_owned(),
        ),
        (
            json!({"file": "actions", "format": "csv", "view": 2012, "q": "habilitation"}),
            "actions.csv?q=habilitation&view=2012".to_owned(),
        ),
        (json!({"file": "contributions", "format": "csv"}), "contributions.csv".to_owned()),
        (
            json!({"file": "remittances", "format": "csv", "q": "1 300,00 €"}),
            "remittances.csv?q=1%20300,00%20%E2%82%AC".to_owned(),
        ),
        (json!({"file": "statement", "format": "pdf", "view": 2012}), "statement.pdf?view=2012".to_owned()),
    ] {
        let link = link(&world, &marie, &file).await;
        let by_token = marie.get(&format!("/api/accounts/{ACCOUNT}/{target}")).await.expect(200);
        // Phones and download managers fetch twice.
        for _ in 0..2 {
            let by_link = follow(&world, &link).await.expect(200);
            assert_eq!(by_link.text, by_token.text, "{file}");
            for name in ["content-disposition", "content-type", "cache-control"] {
                assert_eq!(by_link.header(name), by_token.header(name), "{name} of {file}");
            }
            assert!(by_link.header("content-disposition").unwrap().starts_with("attachment; "));
        }
    }
    let workbook = link(&world, &marie, &json!({"file": "remittances", "format": "xlsx"})).await;
    follow(&world, &workbook).await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_opens_its_file_for_five_minutes_and_no_other() {
    let world = World::start().await;
    let marie = world.manager("marie@martin.example").await;
    let of_2012 = link(&world, &marie, &json!({"file": "actions", "format": "csv", "view": 2012})).await;
    follow(&world, &of_2012).await.expect(200);
    let (address, secret) = of_2012.split_once("link=").unwrap();
    let with_secret = |rest: &str| format!("/api/accounts/{rest}link={secret}");
    for other in [
        of_2012.replace("2012&", "2011&"),
        of_2012.replace("view=2012&", ""),
        of_2012.replace("actions.csv", "actions.xlsx"),
        of_2012.replace("actions.csv", "ledger.csv"),
        of_2012.replace(ACCOUNT, OTHER_ACCOUNT),
        format!("{of_2012}&status=PAID"),
        with_secret(&format!("{ACCOUNT}/statement.pdf?view=2012&")),
        format!("{address}link={}", secret.to_uppercase()),
        format!("{address}link="),
        format!("{of_2012}&link={secret}"),
        address.trim_end_matches('&').to_owned(),
        // No file, though a member reads it: links are no parameter there.
        with_secret(&format!("{ACCOUNT}/summary?")),
        with_secret(&format!("{ACCOUNT}/exports?")),
    ] {
        let refused = follow(&world, &other).await.expect_problem(401, "authentication-required");
        assert_eq!(refused.header("www-authenticate"), Some("Bearer"), "{other}");
    }
    // A link that is wrong is not passed over for a token that is right; where none is taken, it is no parameter.
    marie.get(&format!("{address}link=x")).await.expect_problem(401, "authentication-required");
    let twice = marie.get(&format!("{of_2012}&link={secret}")).await.expect(422);
    assert_eq!(twice.errors(), ["link:repeated-parameter"]);
    let summary = marie.get(&with_secret(&format!("{ACCOUNT}/summary?"))).await.expect(422);
    assert_eq!(summary.errors(), ["link:unknown-parameter"]);
    marie.get(&format!("{address}link=")).await.expect(200);

    // What is posted meanwhile is in the file: a link is no copy.
    let before = follow(&world, &of_2012).await.expect(200).text;
    post_one(&world, "2012").await;
    assert_ne!(follow(&world, &of_2012).await.expect(200).text, before);
    world.advance(FileLinks::LIVES);
    follow(&world, &of_2012).await.expect_problem(401, "authentication-required");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_have_a_file_is_asked_when_its_link_is_followed() {
    let world = World::start().await;
    let marie = world.manager("marie@martin.example").await;
    let paul = world.member("paul@martin.example").await;
    let users = format!("/api/accounts/{ACCOUNT}/users");
    marie.post(&users, &json!({"email": "paul@martin.example"})).await.expect(202);
    let files = [json!({"format": "csv"}), json!({"file": "statement", "format": "pdf", "view": 2012})];
    let mut links = Vec::new();
    for file in &files {
        links.push(link(&world, &paul, file).await);
    }
    let all = async |status: u16| {
        for link in &links {
            follow(&world, link).await.expect(status);
        }
    };
    all(200).await;
    // A charter that is owed comes first, as for the token.
    world.publish(DocumentKind::Charter).await;
    all(403).await;
    world.accept_charter(&paul).await;
    all(200).await;
    // NON closes the account.
    world.accept_charter(&marie).await;
    let activation = format!("/api/accounts/{ACCOUNT}/activation");
    marie.put(&activation, &json!({"use": false})).await.expect(200);
    all(409).await;
    marie.post(LINKS, &files[0]).await.expect_problem(409, "account-not-activated");
    marie.put(&activation, &json!({"use": true})).await.expect(200);
    all(200).await;
    // Access that was taken back takes links along; so does the session that they were made with.
    let id = paul.id().await;
    marie.delete(&format!("{users}/{id}")).await.expect(204);
    all(404).await;
    let own = link(&world, &marie, &files[0]).await;
    follow(&world, &own).await.expect(200);
    marie.delete("/api/sessions/current").await.expect(204);
    follow(&world, &own).await.expect_problem(401, "authentication-required");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_out_everywhere_and_an_erasure_end_all_links() {
    let world = World::start().await;
    let marie = world.manager("marie@martin.example").await;
    let other = world.visitor();
    other.log_in("marie@martin.example", PASSWORD).await.expect(200);
    let before = link(&world, &other, &json!({"format": "csv"})).await;
    follow(&world, &before).await.expect(200);
    marie.delete("/api/sessions/all").await.expect(204);
    follow(&world, &before).await.expect_problem(401, "authentication-required");
    other.log_in("marie@martin.example", PASSWORD).await.expect(200);
    let again = link(&world, &other, &json!({"format": "csv"})).await;
    other.send(Method::DELETE, "/api/me", Some(&json!({"current_password": PASSWORD}))).await.expect(204);
    follow(&world, &again).await.expect_problem(401, "authentication-required");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_is_refused_for_what_is_no_file_and_for_a_ledger_that_is_too_large() {
    let mut options = local::Options::default();
    options.parameters.insert("AnsweredEntries".to_owned(), "10".to_owned());
    let world = World::start_with(options).await;
    let marie = world.manager("marie@martin.example").await;
    for (body, errors) in [
        (json!({}), vec!["format:required"]),
        (json!({"file": "users", "format": "csv"}), vec!["file:unknown-file"]),
        (json!({"file": "statement", "format": "csv"}), vec!["format:bad-format"]),
        (json!({"file": "ledger", "format": "pdf"}), vec!["format:bad-format"]),
        (json!({"file": "statement", "format": "pdf", "kind": "COMMITMENT"}), vec!["kind:unknown-field"]),
        (json!({"file": "contributions", "format": "csv", "from": "2012-01-01"}), vec!["from:unknown-field"]),
        (
            json!({"file": "ledger", "format": "csv", "view": "12", "more": 1}),
            vec!["view:bad-view", "more:unknown-field"],
        ),
    ] {
        assert_eq!(marie.post(LINKS, &body).await.expect(422).errors(), errors, "{body}");
    }
    marie.post(LINKS, &json!({"format": "csv"})).await.expect_problem(409, "export-too-large");
    let part = link(&world, &marie, &json!({"format": "csv", "view": 2011})).await;
    follow(&world, &part).await.expect(200);
    // How much a part has is known when it is read.
    let days = link(&world, &marie, &json!({"format": "csv", "from": "2000-01-01"})).await;
    let refused = follow(&world, &days).await.expect_problem(409, "export-too-large");
    assert_eq!(refused.status, StatusCode::CONFLICT);
}
