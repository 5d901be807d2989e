//! The legal documents as pages, and where the links of mails lead.

use std::collections::BTreeSet;

use harness::{Reply, World};
use portal::domain::DocumentKind;
use serde_json::json;

use crate::everything::everything;

const SLUGS: [(DocumentKind, &str); 3] = [
    (DocumentKind::Terms, "conditions-utilisation"),
    (DocumentKind::Charter, "charte"),
    (DocumentKind::AccountTerms, "conditions-compte"),
];

fn header<'a>(reply: &'a Reply, name: &str) -> &'a str {
    reply.header(name).unwrap_or_else(|| panic!("{reply} has no {name}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_legal_document_is_a_page_by_its_version_and_as_it_is_in_force() {
    let world = World::start().await;
    let visitor = world.visitor();
    for (kind, slug) in SLUGS {
        let document = visitor.get(&format!("/api/documents/{kind}/1")).await.expect(200);
        let current = visitor.get(&format!("/documents/{slug}")).await.expect(200);
        let first = visitor.get(&format!("/documents/{slug}/1")).await.expect(200);
        for page in [&current, &first] {
            assert_eq!(header(page, "content-type"), "text/html; charset=utf-8");
            for part in ["sha256", "title"] {
                assert!(page.text.contains(document[part].as_str().unwrap()), "{slug}: no {part}");
            }
            assert!(page.text.contains("<html lang=\"fr\">") && !page.text.contains("<script"));
        }
        assert_eq!(header(&current, "cache-control"), "public, max-age=60");
        assert_eq!(header(&first, "cache-control"), "public, max-age=3600");
    }
    // A new version is in force at once, and the one before stays where it was.
    let before = visitor.get("/documents/charte/1").await.expect(200);
    world.publish(DocumentKind::Charter).await;
    let current = visitor.get("/documents/charte").await.expect(200);
    assert!(current.text.contains("<dd>2</dd>") && current.text.contains("Encore une phrase."));
    assert!(visitor.get("/documents/charte/2").await.expect(200).text.contains("Encore une phrase."));
    assert_eq!(visitor.get("/documents/charte/1").await.expect(200).text, before.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_that_the_browser_has_is_not_sent_again() {
    let world = World::start().await;
    let visitor = world.visitor();
    let page = visitor.get("/documents/charte/1").await.expect(200);
    let known = [("if-none-match", header(&page, "etag"))];
    let again = visitor.send_with(http::Method::GET, "/documents/charte/1", None, &known).await.expect(304);
    assert_eq!((again.text.as_str(), header(&again, "etag")), ("", header(&page, "etag")));
    visitor.send_with(http::Method::GET, "/documents/charte", None, &known).await.expect(200);
    world.publish(DocumentKind::Charter).await;
    visitor.send_with(http::Method::GET, "/documents/charte", None, &known).await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_of_no_document_is_answered_by_a_page_that_names_them() {
    let world = World::start().await;
    let visitor = world.visitor();
    for target in ["charter", "Charte", "charte%00", "x", "charte/2", "charte/0", "charte/01", "charte/+1", "x/1"] {
        let page = visitor.get(&format!("/documents/{target}")).await.expect(404);
        assert_eq!(header(&page, "content-type"), "text/html; charset=utf-8", "{target}");
        assert!(SLUGS.iter().all(|(_, slug)| page.text.contains(&format!("/documents/{slug}\""))), "{target}");
    }
    let refused = visitor.get("/documents/charte?version=1").await.expect_problem(422, "invalid-input");
    assert_eq!(refused.errors(), ["version:unknown-parameter"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_that_a_text_says_is_html_on_its_page() {
    let world = World::start().await;
    let said = "<script>alert(1)</script> <img src=x onerror=a()> & « ’ »";
    let body = format!("# Charte {said}\n\n## Article {said}\n\n- {said}\n\n**{said}**\n");
    let event = json!({"operation": "publish-document", "staff": "Claire Durand", "reason": "essai", "kind": "charter",
        "body": body});
    assert!(world.staff(event).await["published"].is_object());
    let page = world.visitor().get("/documents/charte").await.expect(200);
    for tag in ["<script", "<img"] {
        assert!(!page.text.contains(tag), "{}", page.text);
    }
    assert_eq!(
        page.text.matches("&lt;script&gt;").count(),
        5,
        "in the page's title and heading, and three times below"
    );
}

/// The links of a mail, in both of its parts.
fn links(mail: &local::Mail) -> BTreeSet<String> {
    let of_text = mail.text.split_whitespace().filter(|word| word.starts_with("http"));
    let of_html = mail.html.split("href=\"").skip(1).filter_map(|rest| rest.split('"').next());
    of_text.chain(of_html).map(|link| link.replace("&#38;", "&").replace("&amp;", "&")).collect()
}

/// Of all that the portal does, each mail leads to a page of the portal that is there.
#[tokio::test(flavor = "multi_thread")]
async fn every_link_of_every_mail_leads_to_a_page() {
    let world = World::start().await;
    everything(&world).await;
    let mails = world.mails().await;
    let subjects: BTreeSet<_> = mails.iter().map(|mail| mail.subject.as_str()).collect();
    assert!(subjects.len() > 15, "mails of most kinds: {subjects:?}");
    let http = reqwest::Client::new();
    let mut paths = BTreeSet::new();
    for mail in &mails {
        let links = links(mail);
        assert!(!links.is_empty(), "{}: no link", mail.subject);
        for link in links {
            let path = link.strip_prefix(world.portal.address());
            let path = path.unwrap_or_else(|| panic!("{}: {link} leads elsewhere", mail.subject));
            let path = path.split('#').next().unwrap_or_default();
            if paths.insert(path.to_owned()) {
                let answer = http.get(format!("{}{path}", world.portal.address())).send().await.unwrap();
                assert_eq!(answer.status(), 200, "{}: {link}", mail.subject);
                let kind = answer.headers()["content-type"].to_str().unwrap();
                assert!(kind.starts_with("text/html"), "{}: {link} is {kind}", mail.subject);
            }
        }
    }
    assert!(paths.iter().any(|path| path.starts_with("/documents/")), "{paths:?}");
}
