//! What became of the mails to an address, and whether it is mailed any more.
//!
//! `send-mail` writes that a mail was sent or held back, `mail-feedback` what SES tells of it later. Kept under
//! the address and not with the mail, so that it goes with its owner, and a mail that is done with names nobody.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Batch, Change, Condition, Key, Login, Outbox, Record, Step, Store, StoreError, Table, Transaction, User};
use crate::domain::{Email, Id};

/// Why an address is not mailed any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EmailProblem {
    /// A mail came back for good: there is no such mailbox.
    Bounced,
    /// Its reader marked a mail as unwanted.
    Complained,
}

impl EmailProblem {
    /// As answers and logs name it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Bounced => "bounced",
            Self::Complained => "complained",
        }
    }
}

/// How far a mail got.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Delivery {
    /// SES took it.
    Sent,
    /// It was not handed to SES: the address is not mailed any more, or SES refuses the mail.
    NotSent,
    /// It came back, and the next one may get through: a full mailbox, a server that is down.
    BouncedForNow,
    /// The reader's server took it.
    Delivered,
    /// SES took it and did not send it: it holds a virus, or SES has the address on a list of its own for another reason
    /// than a bounce.
    Rejected,
    /// It came back for good.
    Bounced,
    /// Its reader marked it as unwanted.
    Complained,
    /// Its reader said that it is not unwanted, where that had been said of it or of another.
    NotSpam,
}

impl Delivery {
    /// Whether it says that the mail is in the reader's mailbox and welcome.
    #[must_use]
    pub fn is_arrival(self) -> bool {
        matches!(self, Self::Delivered | Self::NotSpam)
    }

    /// As answers and logs name it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Sent => "sent",
            Self::NotSent => "not-sent",
            Self::BouncedForNow => "bounced-for-now",
            Self::Delivered => "delivered",
            Self::Rejected => "rejected",
            Self::Bounced => "bounced",
            Self::Complained => "complained",
            Self::NotSpam => "not-spam",
        }
    }

    /// SES tells in any order; what weighs more stays. A mail may bounce after its delivery, be complained of after that,
    /// and the complaint be taken back.
    fn weight(self) -> u8 {
        match self {
            Self::Sent | Self::NotSent => 0,
            Self::BouncedForNow => 1,
            Self::Delivered => 2,
            Self::Rejected | Self::Bounced => 3,
            Self::Complained => 4,
            Self::NotSpam => 5,
        }
    }
}

/// One of the last mails to an address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MailSent {
    /// The outbox entry.
    pub outbox_id: Id,
    /// Which kind of wish it was, as [`super::Wish::kind`] names it.
    pub kind: String,
    /// When it was sent, or held back.
    #[serde(with = "jiff::fmt::serde::timestamp::millisecond::required")]
    pub at: Timestamp,
    /// How far it got.
    pub delivery: Delivery,
    /// Why no further, without an address: `Permanent/General 5.1.1`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// That an address is not mailed any more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stopped {
    /// Why.
    pub why: EmailProblem,
    /// When that was heard.
    #[serde(with = "jiff::fmt::serde::timestamp::millisecond::required")]
    pub at: Timestamp,
    /// When the mail that it is about was sent.
    #[serde(with = "jiff::fmt::serde::timestamp::millisecond::required")]
    pub mail_sent_at: Timestamp,
    /// What SES says of it.
    pub reason: String,
}

/// What SES tells of a mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Feedback {
    /// How far it got.
    pub delivery: Delivery,
    /// Which mail, where its tag says so.
    pub outbox_id: Option<Id>,
    /// When SES took it.
    pub mail_sent_at: Timestamp,
    /// What SES says of it, without an address.
    pub reason: String,
}

/// The mails to an address of late.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MailState {
    /// The address.
    pub email: Email,
    /// That it is not mailed any more, where that is so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stopped: Option<Stopped>,
    /// The complaint of who reads it, while a bounce stops more: it stands again when mails arrive again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub complaint: Option<Stopped>,
    /// How many mails bounced for now since the last one that was delivered.
    pub bounced_for_now: u32,
    /// When the newest mail that was delivered was sent, or somebody of the staff had the address mailed again:
    /// what SES tells of older ones stops nothing any more.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        with = "jiff::fmt::serde::timestamp::millisecond::optional"
    )]
    pub good_since: Option<Timestamp>,
    /// The last mails, the newest last.
    pub mails: Vec<MailSent>,
    /// How often it was written; a change demands the version that it read.
    pub version: u64,
    /// Seconds since 1970 after which it says nothing any more.
    pub ttl: i64,
}

impl MailState {
    /// How many of the last mails are told of.
    pub const MOST_MAILS: usize = 10;

    /// How long mails are told of.
    pub const KEPT: Duration = Duration::from_secs(30 * 24 * 3600);

    /// How long an address is not mailed any more.
    pub const STOPPED_FOR: Duration = Duration::from_secs(365 * 24 * 3600);

    /// Where it is stored.
    #[must_use]
    pub fn key_of(email: &Email) -> Key {
        Key::new(Table::Identity, format!("EMAIL#{}", email.as_str()), "MAIL-STATE")
    }

    /// What is known of an address; what was stored and is over counts for its version alone, as TTL deletes late.
    #[must_use]
    pub fn or_none(stored: Option<Self>, email: &Email, now: Timestamp) -> Self {
        let none = |version| Self {
            email: email.clone(),
            stopped: None,
            complaint: None,
            bounced_for_now: 0,
            good_since: None,
            mails: Vec::new(),
            version,
            ttl: 0,
        };
        match stored {
            None => none(0),
            Some(over) if over.ttl <= now.as_second() => none(over.version),
            Some(state) => state,
        }
    }

    /// Why the address is not mailed any more.
    #[must_use]
    pub fn problem(&self) -> Option<EmailProblem> {
        self.stopped.as_ref().map(|stopped| stopped.why)
    }

    /// With one more mail, sent or held back; where SES was faster to tell of it, what it told stays.
    #[must_use]
    pub fn with_mail(&self, mail: MailSent, now: Timestamp) -> Self {
        let mut after = self.clone();
        if after.mails.iter().all(|known| known.outbox_id != mail.outbox_id) {
            after.mails.push(mail);
        }
        after.written(now)
    }

    /// With what SES tells; `kind` is that of the mail, where it is known and not yet among the last ones.
    #[must_use]
    pub fn with_feedback(&self, feedback: &Feedback, kind: Option<String>, now: Timestamp) -> Self {
        let mut after = self.clone();
        let known = after.mails.iter_mut().find(|mail| Some(mail.outbox_id) == feedback.outbox_id);
        let reason = Some(feedback.reason.clone()).filter(|reason| !reason.is_empty());
        let is_news = match (known, feedback.outbox_id, kind) {
            (Some(mail), ..) if mail.delivery.weight() >= feedback.delivery.weight() => false,
            (Some(mail), ..) => {
                (mail.delivery, mail.reason) = (feedback.delivery, reason);
                true
            }
            (None, Some(outbox_id), Some(kind)) => {
                let (at, delivery) = (feedback.mail_sent_at, feedback.delivery);
                after.mails.push(MailSent { outbox_id, kind, at, delivery, reason });
                true
            }
            _ => true,
        };
        if is_news {
            after.judge(feedback, now);
        }
        after.written(now)
    }

    /// What a mail's fate says of its address.
    fn judge(&mut self, feedback: &Feedback, now: Timestamp) {
        let is_over = self.good_since.is_some_and(|since| feedback.mail_sent_at < since);
        let stopped = |why| {
            let (mail_sent_at, reason) = (feedback.mail_sent_at, feedback.reason.clone());
            Some(Stopped { why, at: now, mail_sent_at, reason })
        };
        match feedback.delivery {
            Delivery::Bounced if !is_over => {
                let before = std::mem::replace(&mut self.stopped, stopped(EmailProblem::Bounced));
                // A bounce stops more, and is over with the next mail that arrives.
                self.complaint =
                    before.filter(|before| before.why == EmailProblem::Complained).or(self.complaint.take());
            }
            Delivery::Complained if !is_over => match &self.stopped {
                None => self.stopped = stopped(EmailProblem::Complained),
                Some(before) if before.why == EmailProblem::Bounced && self.complaint.is_none() => {
                    self.complaint = stopped(EmailProblem::Complained);
                }
                Some(_) => {}
            },
            Delivery::BouncedForNow if !is_over => self.bounced_for_now = self.bounced_for_now.saturating_add(1),
            Delivery::Delivered | Delivery::NotSpam => {
                let taken_back = |stopped: &mut Stopped| match stopped.why {
                    EmailProblem::Bounced => stopped.mail_sent_at < feedback.mail_sent_at,
                    // Of that very mail, or of one before.
                    EmailProblem::Complained => {
                        feedback.delivery == Delivery::NotSpam && stopped.mail_sent_at <= feedback.mail_sent_at
                    }
                };
                self.complaint.take_if(taken_back);
                if self.stopped.take_if(taken_back).is_some() {
                    self.stopped = self.complaint.take();
                }
                if !is_over {
                    self.bounced_for_now = 0;
                    // A complaint is of a mail that was delivered: that alone does not make the address good.
                    self.good_since = self.stopped.is_none().then_some(feedback.mail_sent_at).or(self.good_since);
                }
            }
            _ => {}
        }
    }

    /// Mailed again from now on, whatever happened.
    #[must_use]
    pub fn resumed(&self, now: Timestamp) -> Self {
        let after = Self { stopped: None, complaint: None, bounced_for_now: 0, good_since: Some(now), ..self.clone() };
        after.written(now)
    }

    fn written(mut self, now: Timestamp) -> Self {
        self.mails.retain(|mail| now.duration_since(mail.at).unsigned_abs() < Self::KEPT);
        let surplus = self.mails.len().saturating_sub(Self::MOST_MAILS);
        self.mails.drain(..surplus);
        let kept = if self.stopped.is_some() { Self::STOPPED_FOR } else { Self::KEPT };
        Self { version: self.version + 1, ttl: (now + kept).as_second(), ..self }
    }

    /// Nobody wrote it since it was read.
    ///
    /// # Errors
    /// Where the condition cannot be built.
    pub fn unchanged(&self) -> Result<Condition, StoreError> {
        if self.version == 0 { Ok(Condition::Absent) } else { Condition::is("version", &self.version) }
    }
}

impl Record for MailState {
    fn key(&self) -> Key {
        Self::key_of(&self.email)
    }
}

/// What is to be known before the state of an address is changed: the state, whose the address is, and the mail
/// that it is about.
pub struct Correspondence {
    /// The state.
    pub state: MailState,
    /// Who signs in with the address.
    pub login: Option<Login>,
    /// The mail.
    pub outbox: Option<Outbox>,
}

impl Correspondence {
    /// Reads them, in one call.
    ///
    /// # Errors
    /// Where the store fails.
    pub async fn of(store: &Store, email: &Email, mail: Option<Id>, now: Timestamp) -> Result<Self, StoreError> {
        let mut batch = Batch::new();
        let state = batch.want::<MailState>(MailState::key_of(email));
        let login = batch.want::<Login>(Login::key_of(email));
        let outbox = mail.map(|id| batch.want::<Outbox>(Outbox::key_of(id)));
        let mut fetched = store.fetch(batch).await?;
        Ok(Self {
            state: MailState::or_none(fetched.take(&state)?, email, now),
            login: fetched.take(&login)?,
            outbox: outbox.map(|outbox| fetched.take(&outbox)).transpose()?.flatten(),
        })
    }

    /// The kind of the mail, where it is on its way still and what became of it is to be kept: not that of a
    /// mail to somebody who has gone.
    #[must_use]
    pub fn kind_on_its_way(&self) -> Option<String> {
        let outbox = self.outbox.as_ref()?;
        let kind = outbox.wish.as_ref()?.kind().to_owned();
        (outbox.may_be_anybodys() || self.login.is_some()).then_some(kind)
    }

    /// Writes the state as it is now, and, where that changes, into the user what their home says of it. The
    /// steps fail where anybody wrote in between.
    ///
    /// # Errors
    /// Where a condition cannot be built.
    pub fn write(&self, after: &MailState, transaction: &mut Transaction) -> Result<(), StoreError> {
        transaction.put(after, Some(self.state.unchanged()?))?;
        let Some(login) = self.login.as_ref().filter(|_| self.state.problem() != after.problem()) else {
            return Ok(());
        };
        let change = match after.problem() {
            Some(problem) => Change::new().set("email_problem", &problem)?,
            None => Change::new().remove("email_problem"),
        };
        let still_theirs = Condition::is("email", &login.email)?;
        transaction.update(User::key_of(login.user_id), change, still_theirs);
        Ok(())
    }

    /// Writes into the mail's own entry how far it got, where it is done with; one on its way learns it when it is.
    ///
    /// # Errors
    /// Where the change cannot be built.
    pub fn write_outcome(&self, delivery: Delivery, transaction: &mut Transaction) -> Result<Option<Step>, StoreError> {
        let Some(outbox) = self.outbox.as_ref().filter(|outbox| outbox.unsent.is_none()) else { return Ok(None) };
        let change = Change::new().set("outcome", &delivery.as_str())?;
        Ok(Some(transaction.update(outbox.key(), change, Condition::Exists)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_700_000_000 + seconds).unwrap()
    }

    fn id(number: u8) -> Id {
        Id::from_bytes([number; 16])
    }

    fn state() -> MailState {
        let none = MailState::or_none(None, &Email::parse("a@exemple.fr").unwrap(), at(0));
        (1..=3).fold(none, |state, number| {
            let (outbox_id, kind) = (id(number), "reset".to_owned());
            let sent = MailSent { outbox_id, kind, at: at(number.into()), delivery: Delivery::Sent, reason: None };
            state.with_mail(sent, at(number.into()))
        })
    }

    fn told(state: &MailState, number: u8, delivery: Delivery) -> MailState {
        let feedback = Feedback {
            delivery,
            outbox_id: Some(id(number)),
            mail_sent_at: at(number.into()),
            reason: "Permanent/General 5.1.1".to_owned(),
        };
        state.with_feedback(&feedback, None, at(60))
    }

    #[test]
    fn a_bounce_stops_until_a_later_mail_is_delivered() {
        let bounced = told(&state(), 2, Delivery::Bounced);
        assert_eq!(bounced.problem(), Some(EmailProblem::Bounced));
        assert_eq!(told(&bounced, 1, Delivery::Delivered).problem(), Some(EmailProblem::Bounced), "an earlier one");
        assert_eq!(told(&bounced, 2, Delivery::Delivered).problem(), Some(EmailProblem::Bounced), "the same one");
        let later = told(&bounced, 3, Delivery::Delivered);
        assert_eq!(later.problem(), None);
        assert_eq!(told(&later, 1, Delivery::Bounced).problem(), None, "an old one comes late");
    }

    #[test]
    fn a_complaint_follows_its_delivery_and_no_delivery_takes_it_back() {
        let complained = told(&told(&state(), 2, Delivery::Delivered), 2, Delivery::Complained);
        assert_eq!(complained.problem(), Some(EmailProblem::Complained));
        let later = told(&complained, 3, Delivery::Delivered);
        assert_eq!(later.problem(), Some(EmailProblem::Complained));
        assert_eq!(told(&later, 3, Delivery::Bounced).problem(), Some(EmailProblem::Bounced), "a bounce stops more");
        let bounced = told(&later, 3, Delivery::Bounced);
        assert_eq!(
            told(&bounced, 4, Delivery::Delivered).problem(),
            Some(EmailProblem::Complained),
            "a bounce between"
        );
        assert_eq!(told(&bounced, 4, Delivery::NotSpam).problem(), None, "wanted again, and arrived");
        let bounced = told(&told(&state(), 2, Delivery::Bounced), 2, Delivery::Complained);
        assert_eq!(bounced.problem(), Some(EmailProblem::Bounced));
        assert_eq!(told(&bounced, 3, Delivery::Delivered).problem(), Some(EmailProblem::Complained), "after a bounce");
        assert_eq!(bounced.resumed(at(61)).problem(), None);
        assert_eq!(later.resumed(at(61)).problem(), None);
        assert_eq!(told(&later.resumed(at(61)), 3, Delivery::Complained).problem(), None, "of a mail before that");
    }

    #[test]
    fn who_says_that_a_mail_is_wanted_takes_back_what_was_said_of_it_and_of_those_before() {
        let complained = told(&told(&state(), 2, Delivery::Delivered), 2, Delivery::Complained);
        let taken_back = told(&complained, 2, Delivery::NotSpam);
        assert_eq!((complained.problem(), taken_back.problem()), (Some(EmailProblem::Complained), None));
        assert_eq!(told(&complained, 3, Delivery::NotSpam).problem(), None, "of a later mail");
        assert_eq!(
            told(&complained, 1, Delivery::NotSpam).problem(),
            Some(EmailProblem::Complained),
            "of an earlier one"
        );
        // In whatever order the two are told.
        let first = told(&state(), 2, Delivery::NotSpam);
        assert_eq!(first.problem(), None, "nothing was said before");
        assert_eq!(told(&first, 2, Delivery::Complained).problem(), None);
        assert_eq!(told(&first, 1, Delivery::Complained).problem(), None);
        assert_eq!(told(&taken_back, 3, Delivery::Complained).problem(), Some(EmailProblem::Complained));
        let bounced = told(&state(), 2, Delivery::Bounced);
        assert_eq!(told(&bounced, 2, Delivery::NotSpam).problem(), Some(EmailProblem::Bounced));
    }

    #[test]
    fn what_bounces_for_now_is_counted_once_and_stops_nothing() {
        let once = told(&state(), 1, Delivery::BouncedForNow);
        let again = told(&once, 1, Delivery::BouncedForNow);
        assert_eq!((again.bounced_for_now, again.problem()), (1, None));
        let twice = told(&again, 2, Delivery::BouncedForNow);
        assert_eq!(twice.bounced_for_now, 2);
        assert_eq!(told(&twice, 3, Delivery::Delivered).bounced_for_now, 0);
    }

    #[test]
    fn ten_mails_of_thirty_days_are_told_of_and_a_stop_lasts_a_year() {
        let mut state = state();
        for number in 4..=20 {
            let (outbox_id, kind) = (id(number), "reset".to_owned());
            let sent = MailSent { outbox_id, kind, at: at(number.into()), delivery: Delivery::Sent, reason: None };
            state = state.with_mail(sent, at(number.into()));
        }
        assert_eq!(
            state.mails.iter().map(|mail| mail.outbox_id).collect::<Vec<_>>(),
            (11..=20).map(id).collect::<Vec<_>>()
        );
        let bounced = told(&state, 20, Delivery::Bounced);
        assert_eq!(bounced.ttl, at(60 + 365 * 86_400).as_second());
        let email = state.email.clone();
        let held = |days: i64| MailState::or_none(Some(bounced.clone()), &email, at(60 + days * 86_400)).problem();
        assert_eq!((held(364), held(365)), (Some(EmailProblem::Bounced), None));
    }
}
