//! `/_local/mail`: the mails as a page and as JSON. Only the local portal has it.

use std::fmt::Write as _;

use axum::Json;
use axum::Router;
use axum::extract::State;
use axum::http::{HeaderName, HeaderValue, header};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;

use crate::mailbox::{Mail, Mailbox};

/// A mail's own styles must work inside its frame, which is held to this page's policy; scripts must not.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; img-src 'self' data:; base-uri 'self'";

const STYLE: &str = "body{font:16px/1.5 system-ui,sans-serif;max-width:48rem;margin:2rem auto;padding:0 1rem;\
    color:#1b1b1b;background:#f6f6f4}article{background:#fff;border:1px solid #ccc;border-radius:6px;padding:1rem;\
    margin:1rem 0}h2{font-size:1.1rem;margin:0}p.meta{color:#555;margin:.25rem 0 1rem}\
    iframe{width:100%;height:26rem;border:1px solid #ddd;background:#fff}pre{white-space:pre-wrap;\
    overflow-wrap:anywhere}summary{cursor:pointer}";

/// The routes.
pub(crate) fn router(mailbox: Mailbox) -> Router {
    Router::new().route("/_local/mail", get(page)).route("/_local/mail.json", get(list)).with_state(mailbox)
}

async fn list(State(mailbox): State<Mailbox>) -> Response {
    ([(header::CACHE_CONTROL, HeaderValue::from_static("no-store"))], Json(mailbox.all())).into_response()
}

async fn page(State(mailbox): State<Mailbox>) -> Response {
    let headers = [
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
        (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY)),
        (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
        (HeaderName::from_static("referrer-policy"), HeaderValue::from_static("no-referrer")),
    ];
    (headers, Html(render(&mailbox.all()))).into_response()
}

fn render(mails: &[Mail]) -> String {
    let mut page = format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><meta name=\"viewport\" \
         content=\"width=device-width\"><title>Mails of the local portal</title><style>{STYLE}</style>\
         <h1>Mails of the local portal</h1><p>{} so far, the newest first.</p>",
        mails.len()
    );
    for mail in mails.iter().rev() {
        let _ = write!(
            page,
            "<article><h2>{}</h2><p class=\"meta\">to {} · {}</p>",
            escape(&mail.subject),
            escape(&mail.to),
            mail.sent_at
        );
        if !mail.html.is_empty() {
            // No scripts, no forms, an origin of its own; a click may lead this tab to where it says.
            let _ = write!(
                page,
                "<iframe title=\"{}\" sandbox=\"allow-top-navigation-by-user-activation\" srcdoc=\"{}\"></iframe>",
                escape(&mail.subject),
                escape(&for_frame(&mail.html))
            );
        }
        let _ = write!(page, "<details><summary>Text</summary><pre>{}</pre></details></article>", escape(&mail.text));
    }
    page
}

/// The mail's HTML with its links leading the whole tab, not the frame.
fn for_frame(html: &str) -> String {
    const BASE: &str = "<base target=\"_top\">";
    // ASCII only changes, so places in the lower-cased text are places in the text.
    let lower = html.to_ascii_lowercase();
    let head = lower.find("<head").and_then(|start| lower[start..].find('>').map(|end| start + end + 1));
    match head {
        Some(place) => format!("{}{BASE}{}", &html[..place], &html[place..]),
        None => format!("{BASE}{html}"),
    }
}

fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::call;

    fn mailbox() -> Mailbox {
        let mailbox = Mailbox::open(None).unwrap();
        for subject in ["<b>first", "second"] {
            mailbox
                .keep(Mail {
                    to: "a@b.example".into(),
                    subject: subject.into(),
                    text: "</pre><script>".into(),
                    html: "<html><HEAD lang=\"fr\"><title>é</title></head><a href=\"/mot-de-passe#t\">x</a>".into(),
                    sent_at: "2012-10-15T02:00:00Z".parse().unwrap(),
                })
                .unwrap();
        }
        mailbox
    }

    #[tokio::test]
    async fn the_page_escapes_what_mails_say_and_frames_their_html() {
        let (_, page) = call(router(mailbox()), "GET", "/_local/mail", &[], "").await;
        assert!(page.contains("&lt;b&gt;first") && !page.contains("<b>first"));
        assert!(page.contains("&lt;/pre&gt;&lt;script&gt;") && !page.contains("<script"));
        assert!(page.contains("&lt;HEAD lang=&quot;fr&quot;&gt;&lt;base target=&quot;_top&quot;&gt;&lt;title&gt;é"));
        assert!(page.find("<h2>second").unwrap() < page.find("<h2>&lt;b&gt;first").unwrap());
    }

    #[tokio::test]
    async fn the_list_is_oldest_first() {
        let (_, list) = call(router(mailbox()), "GET", "/_local/mail.json", &[], "").await;
        let list: serde_json::Value = serde_json::from_str(&list).unwrap();
        assert_eq!(list[0]["subject"], "<b>first");
        assert_eq!(list[0]["to"], "a@b.example");
        assert_eq!(list[1]["sent_at"], "2012-10-15T02:00:00Z");
    }
}
