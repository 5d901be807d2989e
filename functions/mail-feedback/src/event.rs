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
    bounce_sub_type: String,
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

impl Event {
    /// The address and what became of its mail; none where the event tells of nothing that is kept.
    pub(crate) fn told(&self) -> Option<(Email, Feedback)> {
        let Detail { event_type, mail, bounce, complaint, reject } = &self.detail;
        let (delivery, reason) = match (event_type.as_str(), bounce, complaint) {
            ("Bounce", Some(bounce), _) => (bounce.delivery(), bounce.reason()),
            ("Complaint", _, Some(complaint)) => (Delivery::Complained, complaint.reason()),
            ("Delivery", ..) => (Delivery::Delivered, String::new()),
            ("Reject", ..) => {
                let reason = reject.as_ref().and_then(|reject| reject.reason.clone());
                (Delivery::Rejected, reason.unwrap_or_default())
            }
            _ => return None,
        };
        // Each mail of the portal has one reader.
        let [destination] = mail.destination.as_slice() else { return None };
        let email = Email::parse(destination).ok()?;
        let outbox_id = mail.tags.get(TAG).and_then(|values| values.first()).and_then(|text| Id::parse(text));
        let reason = reason.chars().filter(|c| c.is_ascii_alphanumeric() || " /.-".contains(*c));
        let reason = reason.take(LONGEST_REASON).collect();
        Some((email, Feedback { delivery, outbox_id, mail_sent_at: mail.timestamp, reason }))
    }
}

impl Bounce {
    /// Only what is permanent says that there is no such mailbox; what SES cannot tell may pass.
    fn delivery(&self) -> Delivery {
        if self.bounce_type == "Permanent" { Delivery::Bounced } else { Delivery::BouncedForNow }
    }

    fn reason(&self) -> String {
        let status = self.bounced_recipients.iter().find_map(|bounced| bounced.status.clone()).unwrap_or_default();
        format!("{}/{} {status}", self.bounce_type, self.bounce_sub_type).trim_end().to_owned()
    }
}

impl Complaint {
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
        serde_json::from_value::<Event>(event).unwrap().told()
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
}
