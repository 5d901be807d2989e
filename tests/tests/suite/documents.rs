//! The life of a legal document: what closes when a version is published, what opens when it is accepted,
//! and what is kept and mailed of that.

use std::time::Duration;

use harness::{ACCOUNT, Contract, Outage, PASSWORD, Person, Visitor, World, link_token};
use http::Method;
use jiff::Timestamp;
use local::Mail;
use portal::domain::{DocumentKind, FUND_ZONE};
use portal::store::{Acceptance, Query, RequestOrigin, Table, User};
use serde_json::json;

const EMAIL: &str = "jeanne@martin.example";
const SHA256: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

/// Every operation on a member account that asks who is calling, as method and path.
fn of_the_member_account() -> Vec<(Method, String)> {
    let operations = Contract::get().operations().into_iter();
    let guarded = operations.filter(|(_, _, operation)| operation["security"][0]["accessToken"].is_array());
    let inside = guarded.filter(|(_, path, _)| path.starts_with("/api/accounts/{") || path == "/api/manager-claims");
    let targets = inside.map(|(method, path, _)| {
        let path = path
            .replace("{number}", ACCOUNT)
            .replace("{action_id}", "2011-000001")
            .replace("{remittance_number}", "V-2012-0042");
        // Whatever else is named there need not exist: the charter comes first.
        let parts = path.split('/').map(|part| if part.starts_with('{') { "0".repeat(32) } else { part.to_owned() });
        (method.parse().unwrap(), parts.collect::<Vec<_>>().join("/"))
    });
    targets.collect()
}

/// What evidence and outbox hold so far: what is refused adds to neither.
async fn recorded(world: &World) -> (usize, usize) {
    (world.items(Table::Evidence).await.len(), world.count(Table::Identity, "OUTBOX#", "MAIL").await)
}

async fn acceptances(world: &World, visitor: &Visitor, kind: &str) -> Vec<Acceptance> {
    let subject = format!("SUBJECT#{}", visitor.id().await);
    let query = Query::partition(Table::Evidence, subject).beginning(format!("ACCEPTANCE#{kind}#"));
    world.store().query_all(&query).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_charter_closes_every_route_of_the_member_account_until_it_is_accepted() {
    let world = World::start().await;
    let manager = world.manager(EMAIL).await;
    let reader = world.member("paul@martin.example").await;
    world.make_reader(&reader).await;
    let summary = format!("/api/accounts/{ACCOUNT}/summary");
    let routes = of_the_member_account();
    assert!(routes.len() >= 5 && routes.contains(&(Method::GET, summary.clone())), "{routes:?}");
    world.publish(DocumentKind::Charter).await;
    for visitor in [&manager, &reader] {
        for (method, target) in &routes {
            let body = (method != Method::GET).then(|| json!({}));
            let reply = visitor.send(method.clone(), target, body.as_ref()).await;
            reply.expect_problem(403, "charter-required");
        }
        let home = visitor.get("/api/home").await.expect(200);
        assert_eq!(home["pending_documents"], json!(["charter"]));
        assert_eq!(home["applications"][0]["reason"], "charter-required");
    }

    // Each accepts for themselves.
    world.accept_charter(&manager).await;
    manager.get(&summary).await.expect(200);
    reader.get(&summary).await.expect_problem(403, "charter-required");
    world.accept_charter(&reader).await;
    reader.get(&summary).await.expect(200);
    let home = reader.get("/api/home").await.expect(200);
    assert_eq!((&home["pending_documents"], &home["applications"][0]["available"]), (&json!([]), &json!(true)));
    let versions: Vec<_> = acceptances(&world, &manager, "charter").await.iter().map(|a| a.version).collect();
    assert_eq!(versions, [1, 2]);
    // A third closes again what the second opened.
    world.publish(DocumentKind::Charter).await;
    manager.get(&summary).await.expect_problem(403, "charter-required");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_charter_leaves_the_space_itself_and_the_way_out_open() {
    let world = World::start().await;
    let manager = world.manager(EMAIL).await;
    let (phone, tablet) = (world.visitor(), world.visitor());
    for device in [&phone, &tablet] {
        device.log_in(EMAIL, PASSWORD).await.expect(200);
    }
    world.publish(DocumentKind::Charter).await;
    for target in ["/api/home", "/api/me", "/api/accounts", "/api/documents/charter", "/api/documents/charter/1"] {
        manager.get(target).await.expect(200);
    }
    manager.get("/api/documents/charter/2").await.expect(200);
    manager.patch("/api/me", &json!({"job_title": "Gérante"})).await.expect(200);
    manager.refresh().await.expect(200);
    let exports = Contract::get().operations().into_iter().filter(|(_, path, _)| path.contains("/export"));
    let exports: Vec<_> = exports.filter(|(_, path, _)| !path.contains('{')).collect();
    assert!(!exports.is_empty(), "one may always take one's data along");
    for (method, path, _) in exports {
        let reply = manager.send(method.parse().unwrap(), &path, None).await;
        assert_ne!(reply.problem(), "charter-required", "{reply}");
    }
    let sessions = manager.get("/api/sessions").await.expect(200);
    let other = sessions["sessions"].as_array().unwrap().iter().find(|session| session["current"] == false).unwrap();
    manager.delete(&format!("/api/sessions/{}", other["id"].as_str().unwrap())).await.expect(204);
    tablet.delete("/api/sessions/current").await.expect(204);
    manager.delete("/api/sessions/all").await.expect(204);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replaced_version_or_another_hash_is_refused_and_nothing_is_recorded() {
    let world = World::start().await;
    let jeanne = world.member(EMAIL).await;
    let documents = ["charter", "terms", "account-terms"];
    let mut replaced = Vec::new();
    for name in documents {
        replaced.push(world.document(name).await);
        world.publish(DocumentKind::parse(name).unwrap()).await;
    }
    world.mails().await;
    let before = recorded(&world).await;
    for (name, old) in documents.iter().zip(&replaced).take(2) {
        let current = world.document(name).await;
        for (version, sha256) in [
            (&old["version"], &old["sha256"]),
            (&current["version"], &old["sha256"]),
            (&old["version"], &current["sha256"]),
            (&current["version"], &json!(SHA256)),
            (&json!(3), &current["sha256"]),
        ] {
            let acceptance = json!({"kind": name, "version": version, "sha256": sha256});
            jeanne.post("/api/acceptances", &acceptance).await.expect_problem(409, "document-outdated");
        }
    }
    assert_eq!(recorded(&world).await, before);
    world.accept_charter(&jeanne).await;
    world.mails().await;

    let before = recorded(&world).await;
    let current = world.document("account-terms").await;
    for terms in [&replaced[2], &json!({"version": current["version"], "sha256": SHA256})] {
        let claim = json!({"member_number": ACCOUNT, "account_terms": terms});
        jeanne.post("/api/manager-claims", &claim).await.expect_problem(409, "document-outdated");
    }
    assert_eq!(recorded(&world).await, before);
    let home = jeanne.get("/api/home").await.expect(200);
    assert_eq!((&home["manager"], &home["can_claim"]), (&json!(null), &json!(true)));
    world.claim(&jeanne, ACCOUNT).await.expect(201);
    let accepted = &acceptances(&world, &jeanne, "account-terms").await[0];
    assert_eq!(json!({"version": accepted.version, "sha256": accepted.sha256}), current);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sign_up_with_other_terms_is_refused_and_never_mailed() {
    let world = World::start().await;
    let first = world.document("terms").await;
    let charter = world.document("charter").await;
    world.publish(DocumentKind::Terms).await;
    let current = world.document("terms").await;
    assert_eq!((&first["version"], &current["version"]), (&json!(1), &json!(2)));
    let others = [
        first.clone(),
        json!({"version": 3, "sha256": current["sha256"]}),
        json!({"version": 2, "sha256": first["sha256"]}),
        json!({"version": 2, "sha256": charter["sha256"]}),
    ];
    for (n, terms) in others.iter().enumerate() {
        let person = Person::at(&format!("other{n}@martin.example"));
        let refused = world.visitor().post("/api/signup", &person.form(terms)).await;
        refused.expect_problem(409, "document-outdated");
    }
    assert!(world.mails().await.is_empty());
    world.advance(Duration::from_secs(400));
    world.sweep().await;
    assert!(world.mails().await.is_empty(), "the sweep sends none of them either");
    assert_eq!(world.count(Table::Evidence, "SUBJECT#", "").await, 0);
    world.sign_up(&Person::at("other0@martin.example")).await.expect(202);
    assert_eq!(world.mails().await.len(), 1, "and none has used up the address's mail");
}

#[tokio::test(flavor = "multi_thread")]
async fn terms_replaced_between_sign_up_and_mail_stay_what_was_accepted() {
    let (ses, options) = Outage::of_ses();
    let world = World::start_with(options).await;
    let accepted = world.document("terms").await;
    ses.begin();
    world.sign_up(&Person::at(EMAIL)).await.expect(202);
    assert!(world.mails().await.is_empty());
    world.advance(Duration::from_secs(600));
    world.publish(DocumentKind::Terms).await;
    ses.end();
    world.sweep().await;
    let token = link_token(&world.newest_mail(EMAIL).await);
    // And replaced once more between the mail and the use of its link.
    world.publish(DocumentKind::Terms).await;
    let jeanne = world.visitor();
    jeanne.set_password(&token, PASSWORD).await.expect(204);
    jeanne.log_in(EMAIL, PASSWORD).await.expect(200);

    let evidence = acceptances(&world, &jeanne, "terms").await;
    assert_eq!(evidence.len(), 1);
    assert_eq!(json!({"version": evidence[0].version, "sha256": evidence[0].sha256}), accepted);
    let confirmed = evidence[0].confirmed_at.unwrap();
    assert!(confirmed.duration_since(evidence[0].accepted_at).as_secs() >= 600, "{evidence:?}");
    says_what_the_evidence_says(&world, &world.newest_mail(EMAIL).await, &evidence[0]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_acceptance_that_is_repeated_has_one_receipt() {
    let world = World::start().await;
    let jeanne = world.member(EMAIL).await;
    world.publish(DocumentKind::Charter).await;
    let mut acceptance = world.document("charter").await;
    acceptance["kind"] = json!("charter");
    let first = jeanne.post("/api/acceptances", &acceptance).await.expect(201);
    world.mails().await;
    let before = recorded(&world).await;
    world.advance(Duration::from_secs(300));
    for _ in 0..3 {
        let repeat = jeanne.post("/api/acceptances", &acceptance).await.expect(200);
        assert_eq!(repeat.body, first.body);
    }
    assert_eq!(recorded(&world).await, before, "one piece of evidence, one mail");
    let id = first["receipt_id"].as_str().unwrap();
    assert_eq!(world.mails().await.iter().filter(|mail| mail.text.contains(id)).count(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_acceptance_is_evidence_and_its_mail_says_the_same() {
    let world = World::start().await;
    let jeanne = world.user(&Person::at(EMAIL)).await;
    let terms = acceptances(&world, &jeanne, "terms").await.remove(0);
    assert!(terms.confirmed_at.is_some(), "by the use of the link");
    says_what_the_evidence_says(&world, &world.newest_mail(EMAIL).await, &terms).await;

    world.publish(DocumentKind::Charter).await;
    let mut body = world.document("charter").await;
    body["kind"] = json!("charter");
    let browser = [("user-agent", "Mozilla/5.0 (X11; Linux)")];
    let receipt = jeanne.send_with(Method::POST, "/api/acceptances", Some(&body), &browser).await.expect(201);
    let charter = acceptances(&world, &jeanne, "charter").await.remove(0);
    let told = json!({"receipt_id": charter.receipt_id, "kind": "charter", "version": 2, "sha256": charter.sha256});
    for (name, value) in told.as_object().unwrap() {
        assert_eq!(&receipt[name.as_str()], value);
    }
    let instant: Timestamp = receipt["accepted_at"].as_str().unwrap().parse().unwrap();
    assert_eq!(instant.as_millisecond(), charter.accepted_at.as_millisecond());
    assert_eq!(seen(&world, &charter).await.user_agent.as_deref(), Some(browser[0].1));
    says_what_the_evidence_says(&world, &world.newest_mail(EMAIL).await, &charter).await;

    world.claim(&jeanne, ACCOUNT).await.expect(201);
    let account_terms = acceptances(&world, &jeanne, "account-terms").await.remove(0);
    let mail = world.newest_mail(EMAIL).await;
    assert!(mail.subject.contains(ACCOUNT), "one mail confirms the claim and is the receipt: {}", mail.subject);
    says_what_the_evidence_says(&world, &mail, &account_terms).await;
    assert_eq!(world.mails_to(EMAIL).await, 4, "the link, and a mail for each acceptance");
}

/// Title, version, hash, instants and number of the receipt, in both parts of the mail; and the evidence
/// has what a mail is not the place for.
async fn says_what_the_evidence_says(world: &World, mail: &Mail, evidence: &Acceptance) {
    let target = format!("/api/documents/{}/{}", evidence.document, evidence.version);
    let text = world.visitor().get(&target).await.expect(200);
    assert_eq!(text["sha256"], evidence.sha256.as_str());
    let told = |instant: Timestamp| {
        instant.to_zoned_datetime(FUND_ZONE.clone()).strftime("%d/%m/%Y à %H h %M min %S s").to_string()
    };
    let mut expected = vec![
        text["title"].as_str().unwrap().to_owned(),
        format!("Version du texte : {}", evidence.version),
        evidence.sha256.clone(),
        evidence.receipt_id.to_string(),
        format!("Accepté le : {}", told(evidence.accepted_at)),
    ];
    expected.extend(evidence.confirmed_at.map(|instant| format!("Confirmé le : {}", told(instant))));
    if evidence.document != DocumentKind::AccountTerms {
        let page = format!("/documents/{}/{}", evidence.document.slug(), evidence.version);
        expected.push(format!("{}{page}", world.portal.address()));
        assert!(mail.subject.starts_with("Reçu\u{a0}: vous avez accepté «\u{a0}"), "{}", mail.subject);
    }
    for part in [&mail.text, &mail.html.replace("<strong>", "").replace("</strong>", "").replace("&nbsp;", " ")] {
        let words = part.split_whitespace().collect::<Vec<_>>().join(" ");
        for expected in &expected {
            assert!(words.contains(expected.as_str()), "no {expected:?} in {part}");
        }
    }
    let ip = seen(world, evidence).await.ip.unwrap();
    assert!(ip.starts_with("127."), "{ip}");
    assert!(!evidence.witness.request_id.is_empty());
    assert!(!mail.text.contains(&ip));
}

/// Address and browser, opened with the user's key.
async fn seen(world: &World, evidence: &Acceptance) -> RequestOrigin {
    let user: User = world.store().get(&User::key_of(evidence.subject)).await.unwrap().unwrap();
    evidence.seen(&user.seal_key).expect("her key opens it")
}
