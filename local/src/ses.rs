//! SES: takes `SendEmail` of version 2 of its API, keeps what it would have sent, and publishes what became of it.

use axum::Json;
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderName, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use jiff::Timestamp;
use portal::clock::Clock;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::bus::Bus;
use crate::mailbox::{Fate, Mail, Mailbox};
use crate::schedule::bus_event;

#[derive(Clone)]
struct Ses {
    mailbox: Mailbox,
    clock: Clock,
    bus: Bus,
}

/// The routes of the API that the portal uses.
pub(crate) fn router(mailbox: Mailbox, clock: Clock, bus: Bus) -> Router {
    Router::new().route("/v2/email/outbound-emails", post(send)).with_state(Ses { mailbox, clock, bus })
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct SendEmail {
    from_email_address: String,
    destination: Destination,
    content: Content,
    #[serde(default)]
    configuration_set_name: Option<String>,
    #[serde(default)]
    email_tags: Vec<Tag>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Tag {
    name: String,
    value: String,
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
    let tags = tags(&request);
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
    let message_id = crate::ids::hex();
    for to in recipients {
        let (fate, sent_at) = (ses.mailbox.fate_of(to), ses.clock.now());
        let mut events = vec![event(fate, to, &message_id, &tags, sent_at)];
        if fate == Fate::Complained {
            events.insert(0, event(Fate::Delivered, to, &message_id, &tags, sent_at));
        }
        let mail = Mail {
            to: to.to_owned(),
            subject: subject.data.clone(),
            text: text(&body.text),
            html: text(&body.html),
            sent_at,
        };
        let arrives = matches!(fate, Fate::Delivered | Fate::Complained);
        if arrives && let Err(error) = ses.mailbox.keep(mail) {
            let problem = json!({"message": format!("the mail cannot be kept: {error}")});
            return (StatusCode::INTERNAL_SERVER_ERROR, Json(problem)).into_response();
        }
        // Nobody publishes for a mail without a configuration set.
        for event in events.into_iter().filter(|_| request.configuration_set_name.is_some()) {
            ses.bus.publish(event);
        }
    }
    Json(json!({"MessageId": message_id})).into_response()
}

/// The tags of a mail as its events carry them.
fn tags(request: &SendEmail) -> Value {
    let own = request.email_tags.iter().map(|tag| (tag.name.clone(), json!([tag.value])));
    let set = request.configuration_set_name.iter().map(|name| ("ses:configuration-set".to_owned(), json!([name])));
    own.chain(set).collect::<serde_json::Map<_, _>>().into()
}

/// What SES publishes of a mail.
fn event(fate: Fate, to: &str, message_id: &str, tags: &Value, sent_at: Timestamp) -> Value {
    let bounce = |kind: &str, sub: &str, status: &str| {
        json!({
            "bounceType": kind,
            "bounceSubType": sub,
            "bouncedRecipients": [{
                "emailAddress": to, "action": "failed", "status": status,
                "diagnosticCode": format!("smtp; 550 {status} <{to}>"),
            }],
            "timestamp": sent_at,
            "feedbackId": crate::ids::hex(),
        })
    };
    let (kind, told, name, more) = match fate {
        Fate::Delivered => (
            "Email Delivered",
            "Delivery",
            "delivery",
            json!({
                "timestamp": sent_at, "recipients": [to], "smtpResponse": "250 2.6.0 Message received",
            }),
        ),
        Fate::Bounced => ("Email Bounced", "Bounce", "bounce", bounce("Permanent", "General", "5.1.1")),
        Fate::BouncedForNow => ("Email Bounced", "Bounce", "bounce", bounce("Transient", "MailboxFull", "5.2.2")),
        Fate::Complained => (
            "Email Complaint Received",
            "Complaint",
            "complaint",
            json!({
                "complainedRecipients": [{"emailAddress": to}], "timestamp": sent_at, "complaintFeedbackType": "abuse",
                "feedbackId": crate::ids::hex(),
            }),
        ),
    };
    let mail = json!({"timestamp": sent_at, "messageId": message_id, "destination": [to], "tags": tags});
    bus_event("aws.ses", kind, sent_at, json!([]), json!({"eventType": told, "mail": mail, name: more}))
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
        let app = router(mailbox.clone(), Clock::system(), Bus::new().0);
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
