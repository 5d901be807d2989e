//! What SES publishes of a mail, as EventBridge hands it over; what is not read is not demanded.

use std::collections::BTreeMap;

use jiff::Timestamp;
use portal::domain::{Email, Id};
use portal::store::{Delivery, Feedback};
use serde::Deserialize;

/// The tag by which `send-mail` names its outbox entry.
const TAG: &str = "outbox";

/// The longest reason that is kept.
const LONGEST_REASON: usize = 80;

/// An event of SES.
#[derive(Debug, Deserialize)]
pub struct Event {
    detail: Detail,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Detail {
    event_type: String,
    mail: Mail,
    bounce: Option<Bounce>,
    complaint: Option<Complaint>,
    reject: Option<Reject>,
}

#[derive(Debug, Deserialize)]
struct Mail {
    timestamp: Timestamp,
    destination: Vec<String>,
    #[serde(default)]
    tags: BTreeMap<String, Vec<String>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Bounce {
    bounce_type: String,
    /// Missing where the bounce is of no special kind.
    bounce_sub_type: Option<String>,
    #[serde(default)]
    bounced_recipients: Vec<Bounced>,
}

/// Its `diagnosticCode` is what a foreign server says, addresses included, and is left out.
#[derive(Debug, Deserialize)]
struct Bounced {
    status: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Complaint {
    complaint_feedback_type: Option<String>,
    complaint_sub_type: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Reject {
    reason: Option<String>,
}

/// What an event tells.
#[derive(Debug)]
pub(crate) enum Told {
    /// What became of a mail to an address.
    Feedback(Email, Feedback),
    /// A report about a mail that says nothing of what its reader thinks: its type.
    Report(String),
    /// Nothing that is kept.
    Nothing,
}

impl Event {
    /// The address and what became of its mail, where the event tells of that.
    pub(crate) fn told(&self) -> Told {
        let Detail { event_type, mail, bounce, complaint, reject } = &self.detail;
        let (delivery, reason) = match (event_type.as_str(), bounce, complaint) {
            ("Bounce", Some(bounce), _) => (bounce.delivery(), bounce.reason()),
            ("Complaint", _, Some(complaint)) => match complaint.delivery() {
                Some(delivery) => (delivery, complaint.reason()),
                None => return Told::Report(legible(&complaint.reason())),
            },
            ("Delivery", ..) => (Delivery::Delivered, String::new()),
            ("Reject", ..) => {
                let reason = reject.as_ref().and_then(|reject| reject.reason.clone());
                (Delivery::Rejected, reason.unwrap_or_default())
            }
            _ => return Told::Nothing,
        };
        // Each mail of the portal has one reader, and goes to their address in the form in which it is kept.
        let [destination] = mail.destination.as_slice() else { return Told::Nothing };
        let Some(email) = Email::canonical(destination.to_ascii_lowercase()) else { return Told::Nothing };
        let outbox_id = mail.tags.get(TAG).and_then(|values| values.first()).and_then(|text| Id::parse(text));
        let reason = legible(&reason);
        Told::Feedback(email, Feedback { delivery, outbox_id, mail_sent_at: mail.timestamp, reason })
    }
}

/// A reason without what could be an address, and no longer than one is kept.
fn legible(reason: &str) -> String {
    let plain = reason.chars().filter(|c| c.is_ascii_alphanumeric() || " /.-".contains(*c));
    plain.take(LONGEST_REASON).collect()
}

impl Bounce {
    /// Only what is permanent says that there is no such mailbox; what SES cannot tell may pass. Who took themselves off a
    /// list at SES has a mailbox: SES has sent nothing.
    fn delivery(&self) -> Delivery {
        if !self.bounce_type.eq_ignore_ascii_case("Permanent") {
            Delivery::BouncedForNow
        } else if self.bounce_sub_type.as_deref() == Some("UnsubscribedRecipient") {
            Delivery::Rejected
        } else {
            Delivery::Bounced
        }
    }

    fn reason(&self) -> String {
        let status = self.bounced_recipients.iter().find_map(|bounced| bounced.status.clone()).unwrap_or_default();
        let sub_type = self.bounce_sub_type.as_deref().unwrap_or("Undetermined");
        format!("{}/{sub_type} {status}", self.bounce_type).trim_end().to_owned()
    }
}

impl Complaint {
    /// What a report makes of its mail; none where it says nothing of the reader's mind.
    ///
    /// SES passes the report's `Feedback-Type` on, of which IANA registers six: `abuse` and `fraud` are complaints of a
    /// reader (RFC 5965), and so is an event without a type, as SES makes one of a provider's complaints only. `not-spam`
    /// takes one back (RFC 6430). `auth-failure` is about signatures (RFC 6591), `virus` a scanner's find, `other` anything
    /// else (RFC 5965), and a type that is registered later is none that stops mails today. The sub-type says that SES did
    /// not send the mail: nobody complained of it.
    fn delivery(&self) -> Option<Delivery> {
        if self.complaint_sub_type.as_deref() == Some("OnAccountSuppressionList") {
            return Some(Delivery::Rejected);
        }
        let feedback_type = self.complaint_feedback_type.as_deref().unwrap_or_default().trim().to_ascii_lowercase();
        match feedback_type.as_str() {
            "" | "abuse" | "fraud" => Some(Delivery::Complained),
            "not-spam" => Some(Delivery::NotSpam),
            _ => None,
        }
    }

    fn reason(&self) -> String {
        let told = [&self.complaint_feedback_type, &self.complaint_sub_type].into_iter().flatten();
        told.cloned().collect::<Vec<_>>().join(" ")
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn told(event: Value) -> Option<(Email, Feedback)> {
        match serde_json::from_value::<Event>(event).unwrap().told() {
            Told::Feedback(email, feedback) => Some((email, feedback)),
            Told::Report(_) | Told::Nothing => None,
        }
    }

    fn event(kind: &str, name: &str, more: Value) -> Value {
        json!({"source": "aws.ses", "detail": {
            "eventType": kind,
            "mail": {"timestamp": "2026-11-25T10:00:00.123Z", "destination": ["Marie@martin.example"], "messageId": "m",
                "tags": {"ses:configuration-set": ["portal"], "outbox": ["4d1a9b3c0f8e2b7c5d7e8f904f6e1234"]}},
            name: more,
        }})
    }

    #[test]
    fn each_event_is_read_and_a_foreign_servers_words_are_not() {
        let bounce = |kind: &str| {
            event(
                "Bounce",
                "bounce",
                json!({"bounceType": kind, "bounceSubType": "General", "bouncedRecipients": [
                {"emailAddress": "marie@martin.example", "status": "5.1.1", "diagnosticCode": "smtp; 550 marie@martin.example"},
            ], "timestamp": "2026-11-25T10:00:01Z"}),
            )
        };
        let (email, feedback) = told(bounce("Permanent")).unwrap();
        assert_eq!(email.as_str(), "marie@martin.example");
        assert_eq!((feedback.delivery, feedback.reason.as_str()), (Delivery::Bounced, "Permanent/General 5.1.1"));
        assert_eq!(feedback.outbox_id, Id::parse("4d1a9b3c0f8e2b7c5d7e8f904f6e1234"));
        assert_eq!(feedback.mail_sent_at.as_millisecond() % 1000, 123);
        for kind in ["Transient", "Undetermined"] {
            assert_eq!(told(bounce(kind)).unwrap().1.delivery, Delivery::BouncedForNow);
        }
        let complaint = event("Complaint", "complaint", json!({"complaintFeedbackType": "abuse", "userAgent": "x@y"}));
        let (_, feedback) = told(complaint).unwrap();
        assert_eq!((feedback.delivery, feedback.reason.as_str()), (Delivery::Complained, "abuse"));
        let delivery = event("Delivery", "delivery", json!({"smtpResponse": "250 ok", "recipients": ["a@b.example"]}));
        assert_eq!(told(delivery).unwrap().1.delivery, Delivery::Delivered);
        let reject = event("Reject", "reject", json!({"reason": "Bad content <a@b.example>"}));
        assert_eq!(told(reject).unwrap().1.reason, "Bad content ab.example");
        assert!(told(event("Open", "open", json!({}))).is_none());
        let mut many = event("Delivery", "delivery", json!({}));
        many["detail"]["mail"]["destination"] = json!(["a@b.example", "c@d.example"]);
        assert!(told(many).is_none());
    }
    #[test]
    fn each_type_of_report_is_a_complaint_or_its_opposite_or_neither() {
        let complaint =
            |more: Value| told(event("Complaint", "complaint", more)).map(|(_, feedback)| feedback.delivery);
        let of_type = |feedback_type: &str| complaint(json!({"complaintFeedbackType": feedback_type}));
        for (feedback_type, delivery) in [
            ("abuse", Some(Delivery::Complained)),
            ("Abuse", Some(Delivery::Complained)),
            ("fraud", Some(Delivery::Complained)),
            ("not-spam", Some(Delivery::NotSpam)),
            ("auth-failure", None),
            ("virus", None),
            ("other", None),
            ("registered-later", None),
        ] {
            assert_eq!(of_type(feedback_type), delivery, "{feedback_type}");
        }
        assert_eq!(complaint(json!({})), Some(Delivery::Complained), "a provider's complaint without a report");
        assert_eq!(
            complaint(json!({"complaintFeedbackType": null, "complaintSubType": null})),
            Some(Delivery::Complained)
        );
        let suppressed = json!({"complaintFeedbackType": null, "complaintSubType": "OnAccountSuppressionList"});
        assert_eq!(complaint(suppressed), Some(Delivery::Rejected), "it was not sent");
        let report = event("Complaint", "complaint", json!({"complaintFeedbackType": "auth-failure"}));
        let report = serde_json::from_value::<Event>(report).unwrap().told();
        assert!(matches!(&report, Told::Report(kind) if kind == "auth-failure"), "{report:?}");
    }

    #[test]
    fn each_type_of_bounce_is_for_good_or_for_now() {
        let bounce = |kind: &str, sub: &str| {
            let event = event("Bounce", "bounce", json!({"bounceType": kind, "bounceSubType": sub}));
            told(event).map(|(_, feedback)| feedback.delivery)
        };
        for (kind, sub, delivery) in [
            ("Undetermined", "Undetermined", Delivery::BouncedForNow),
            ("Permanent", "General", Delivery::Bounced),
            ("Permanent", "NoEmail", Delivery::Bounced),
            ("Permanent", "Suppressed", Delivery::Bounced),
            ("Permanent", "OnAccountSuppressionList", Delivery::Bounced),
            ("Permanent", "UnsubscribedRecipient", Delivery::Rejected),
            ("Transient", "General", Delivery::BouncedForNow),
            ("Transient", "MailboxFull", Delivery::BouncedForNow),
            ("Transient", "MessageTooLarge", Delivery::BouncedForNow),
            ("Transient", "ContentRejected", Delivery::BouncedForNow),
            ("Transient", "AttachmentRejected", Delivery::BouncedForNow),
            ("Transient", "CustomTimeoutExceeded", Delivery::BouncedForNow),
        ] {
            assert_eq!(bounce(kind, sub), Some(delivery), "{kind}/{sub}");
        }
        assert!(told(event("DeliveryDelay", "deliveryDelay", json!({"delayType": "MailboxFull"}))).is_none());
    }
}
