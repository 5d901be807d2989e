//! SES: takes `SendEmail` of version 2 of its API, and keeps what it would have sent.

use axum::Json;
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderName, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use portal::clock::Clock;
use serde::Deserialize;
use serde_json::json;

use crate::mailbox::{Mail, Mailbox};

#[derive(Clone)]
struct Ses {
    mailbox: Mailbox,
    clock: Clock,
}

/// The routes of the API that the portal uses.
pub(crate) fn router(mailbox: Mailbox, clock: Clock) -> Router {
    Router::new().route("/v2/email/outbound-emails", post(send)).with_state(Ses { mailbox, clock })
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct SendEmail {
    from_email_address: String,
    destination: Destination,
    content: Content,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Destination {
    #[serde(default)]
    to_addresses: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Content {
    simple: Simple,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Simple {
    subject: Text,
    body: Body,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Body {
    #[serde(default)]
    text: Option<Text>,
    #[serde(default)]
    html: Option<Text>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Text {
    data: String,
}

async fn send(State(ses): State<Ses>, body: Bytes) -> Response {
    let request: SendEmail = match serde_json::from_slice(&body) {
        Ok(request) => request,
        Err(error) => return refuse(&format!("not a SendEmail with simple content: {error}")),
    };
    let Simple { subject, body } = request.content.simple;
    if address(&request.from_email_address).is_none() {
        return refuse("Missing or invalid FromEmailAddress.");
    }
    let recipients: Option<Vec<&str>> = request.destination.to_addresses.iter().map(|to| address(to)).collect();
    let Some(recipients) = recipients.filter(|recipients| !recipients.is_empty()) else {
        return refuse("Missing or invalid address among the ToAddresses.");
    };
    if body.text.is_none() && body.html.is_none() {
        return refuse("A mail has a text or an HTML body.");
    }
    let text = |part: &Option<Text>| part.as_ref().map(|text| text.data.clone()).unwrap_or_default();
    // Each reader gets a mail of their own, as SES delivers it.
    for to in recipients {
        let mail = Mail {
            to: to.to_owned(),
            subject: subject.data.clone(),
            text: text(&body.text),
            html: text(&body.html),
            sent_at: ses.clock.now(),
        };
        if let Err(error) = ses.mailbox.keep(mail) {
            let problem = json!({"message": format!("the mail cannot be kept: {error}")});
            return (StatusCode::INTERNAL_SERVER_ERROR, Json(problem)).into_response();
        }
    }
    Json(json!({"MessageId": crate::ids::hex()})).into_response()
}

/// The address in `Name <address>`, or alone; `None` where that is none.
fn address(text: &str) -> Option<&str> {
    let address = match text.split_once('<') {
        Some((_, rest)) => rest.strip_suffix('>')?,
        None => text,
    };
    let (local, domain) = address.rsplit_once('@')?;
    let plain = !address.chars().any(|character| character.is_whitespace() || character.is_control());
    (plain && !local.is_empty() && !domain.is_empty()).then_some(address)
}

fn refuse(message: &str) -> Response {
    let kind = (HeaderName::from_static("x-amzn-errortype"), "BadRequestException");
    (StatusCode::BAD_REQUEST, [kind], Json(json!({"message": message}))).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::call;

    async fn post_mail(mailbox: &Mailbox, body: &serde_json::Value) -> (StatusCode, String) {
        let app = router(mailbox.clone(), Clock::system());
        call(app, "POST", "/v2/email/outbound-emails", &[], body.to_string()).await
    }

    #[tokio::test]
    async fn a_mail_is_kept_for_each_reader() {
        let mailbox = Mailbox::open(None).unwrap();
        let (status, answer) = post_mail(
            &mailbox,
            &json!({
                "FromEmailAddress": "Portail <portail@adherents.example>",
                "Destination": {"ToAddresses": ["a@b.example", "Mme C <c@d.example>"]},
                "Content": {"Simple": {
                    "Subject": {"Data": "Sujet", "Charset": "UTF-8"},
                    "Body": {"Text": {"Data": "texte"}, "Html": {"Data": "<p>x"}},
                }},
                "ConfigurationSetName": "MailConfigurationSet",
            }),
        )
        .await;
        assert_eq!(status, StatusCode::OK, "{answer}");
        assert!(answer.contains("MessageId"));
        let mails = mailbox.all();
        assert_eq!(mails.iter().map(|mail| mail.to.as_str()).collect::<Vec<_>>(), ["a@b.example", "c@d.example"]);
        assert_eq!(
            (mails[0].subject.as_str(), mails[0].text.as_str(), mails[0].html.as_str()),
            ("Sujet", "texte", "<p>x")
        );
    }

    #[tokio::test]
    async fn a_bad_request_is_answered_as_ses_does_and_nothing_is_kept() {
        let good = json!({
            "FromEmailAddress": "p@q.example",
            "Destination": {"ToAddresses": ["a@b.example"]},
            "Content": {"Simple": {"Subject": {"Data": "s"}, "Body": {"Text": {"Data": "t"}}}},
        });
        for (pointer, value) in [
            ("/FromEmailAddress", json!("nobody")),
            ("/Destination/ToAddresses", json!([])),
            ("/Destination/ToAddresses/0", json!("a b@c")),
            ("/Content", json!({"Raw": {"Data": ""}})),
            ("/Content/Simple/Body", json!({})),
        ] {
            let mut request = good.clone();
            *request.pointer_mut(pointer).unwrap() = value;
            let mailbox = Mailbox::open(None).unwrap();
            let (status, answer) = post_mail(&mailbox, &request).await;
            assert_eq!(status, StatusCode::BAD_REQUEST, "{pointer}");
            assert!(answer.contains("message"), "{answer}");
            assert!(mailbox.all().is_empty());
        }
    }
}
