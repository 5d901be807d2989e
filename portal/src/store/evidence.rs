//! Evidence: acceptances and audit events. Only ever created; no function may change or delete them.

use std::net::IpAddr;
use std::time::Duration;

use jiff::Timestamp;
use rand::CryptoRng;
use serde::{Deserialize, Serialize};

use super::{Key, Query, Record, StoreError, Table, Transaction};
use crate::domain::{DocumentKind, DocumentReference, Id, MemberNumber};
use crate::http::Call;
use crate::security::SealKey;

/// When an act of `now` is told that follows one told at `earlier`: after it, even within its millisecond and
/// whatever the clocks of two machines say.
#[must_use]
pub fn told_after(earlier: Timestamp, now: Timestamp) -> Timestamp {
    now.max(earlier + Duration::from_millis(1))
}

/// Where an act came from: what evidence keeps of a request, sealed under the user's own key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Witness {
    /// API Gateway's id of the request.
    pub request_id: String,
    /// Address and browser, readable until the user is erased.
    pub sealed: String,
}

/// A witness of one record, which takes the id that the witness was sealed to. There is no `Clone`: each record has a
/// witness of its own, and one that is moved to another record opens nowhere.
#[derive(Debug)]
pub struct BoundWitness {
    record_id: Id,
    witness: Witness,
}

/// Fields of a record that hold a witness: part of what it is sealed to.
const WITNESS: &str = "witness";
const CONFIRMED_BY: &str = "confirmed_by";

impl Witness {
    /// Seals where a call came from, for a record to come.
    ///
    /// # Errors
    /// Where sealing fails, which is a defect.
    pub fn of_call(call: &Call, key: &SealKey, rng: &mut impl CryptoRng) -> Result<BoundWitness, StoreError> {
        let ip = call.source_ip.as_ref().map(IpAddr::to_string);
        Self::seal(&call.request_id, ip.as_deref(), call.user_agent.as_deref(), key, rng)
    }

    /// Seals an address and a browser, for a record to come.
    ///
    /// # Errors
    /// Where sealing fails, which is a defect.
    pub fn seal(
        request_id: &str,
        ip: Option<&str>,
        user_agent: Option<&str>,
        key: &SealKey,
        rng: &mut impl CryptoRng,
    ) -> Result<BoundWitness, StoreError> {
        let record_id = Id::random(rng);
        let witness = Self::sealed(request_id, ip, user_agent, key, &place(record_id, WITNESS), rng)?;
        Ok(BoundWitness { record_id, witness })
    }

    fn sealed(
        request_id: &str,
        ip: Option<&str>,
        user_agent: Option<&str>,
        key: &SealKey,
        place: &str,
        rng: &mut impl CryptoRng,
    ) -> Result<Self, StoreError> {
        let plain = serde_json::json!({"ip": ip, "user_agent": user_agent}).to_string();
        let sealed = key.seal(plain.as_bytes(), place, rng);
        let sealed = sealed.ok_or_else(|| StoreError::inconsistent("a seal key does not seal"))?;
        Ok(Self { request_id: request_id.to_owned(), sealed })
    }
}

/// Address and browser that a witness saw.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestOrigin {
    /// The network address.
    pub ip: Option<String>,
    /// The browser, as it calls itself.
    pub user_agent: Option<String>,
}

impl RequestOrigin {
    fn of(witness: &Witness, place: &str, key: &SealKey) -> Option<Self> {
        serde_json::from_slice(&key.open(&witness.sealed, place)?).ok()
    }
}

/// What a witness is sealed to: the record by its id, and the field.
fn place(record_id: Id, field: &str) -> String {
    format!("{record_id}#{field}")
}

/// That a user accepted one version of a legal document; the receipt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Acceptance {
    /// The user, by their random id.
    pub subject: Id,
    /// The receipt's own id.
    pub receipt_id: Id,
    /// What they accepted.
    pub document: DocumentKind,
    /// Which version of it.
    pub version: u32,
    /// The hash of its text.
    pub sha256: String,
    /// When they accepted it.
    #[serde(with = "jiff::fmt::serde::timestamp::millisecond::required")]
    pub accepted_at: Timestamp,
    /// When they confirmed it by using the link mailed for it; for the terms of a sign-up only.
    #[serde(default, with = "jiff::fmt::serde::timestamp::millisecond::optional")]
    pub confirmed_at: Option<Timestamp>,
    /// The account whose claim it belongs to; for the account terms only, which go with each claim.
    pub member_number: Option<MemberNumber>,
    /// Where it came from.
    pub witness: Witness,
    /// Where it was confirmed from, for the terms of a sign-up: who typed the form may have been another than who read
    /// what it says and used the link.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confirmed_by: Option<Witness>,
}

impl Acceptance {
    /// An acceptance at `now`.
    #[must_use]
    pub fn new(
        subject: Id,
        document: DocumentKind,
        reference: &DocumentReference,
        now: Timestamp,
        witness: BoundWitness,
    ) -> Self {
        let BoundWitness { record_id, witness } = witness;
        Self {
            subject,
            receipt_id: record_id,
            document,
            version: reference.version,
            sha256: reference.sha256.clone(),
            accepted_at: now,
            confirmed_at: None,
            member_number: None,
            witness,
            confirmed_by: None,
        }
    }
}

impl Acceptance {
    /// All of somebody.
    #[must_use]
    pub fn all_of(subject: Id) -> Query {
        Query::partition(Table::Evidence, format!("SUBJECT#{subject}")).beginning("ACCEPTANCE#")
    }

    /// The same, as part of the claim of an account.
    #[must_use]
    pub fn with_claim_of(mut self, number: &MemberNumber) -> Self {
        self.member_number = Some(number.clone());
        self
    }

    /// The same, confirmed by a later call that uses a mailed link.
    ///
    /// # Errors
    /// Where sealing fails, which is a defect.
    pub fn confirmed(mut self, call: &Call, key: &SealKey, rng: &mut impl CryptoRng) -> Result<Self, StoreError> {
        let (ip, place) = (call.source_ip.as_ref().map(IpAddr::to_string), place(self.receipt_id, CONFIRMED_BY));
        let witness = Witness::sealed(&call.request_id, ip.as_deref(), call.user_agent.as_deref(), key, &place, rng)?;
        self.confirmed_at = Some(call.now);
        self.confirmed_by = Some(witness);
        Ok(self)
    }

    /// Where it came from, if `key` is its subject's.
    #[must_use]
    pub fn seen(&self, key: &SealKey) -> Option<RequestOrigin> {
        RequestOrigin::of(&self.witness, &place(self.receipt_id, WITNESS), key)
    }

    /// Where it was confirmed from, likewise.
    #[must_use]
    pub fn seen_confirming(&self, key: &SealKey) -> Option<RequestOrigin> {
        RequestOrigin::of(self.confirmed_by.as_ref()?, &place(self.receipt_id, CONFIRMED_BY), key)
    }
}

impl Acceptance {
    /// What the user is mailed of it.
    #[must_use]
    pub fn receipt(&self) -> Receipt {
        Receipt {
            receipt_id: self.receipt_id,
            document: self.document,
            version: self.version,
            sha256: self.sha256.clone(),
            accepted_at: self.accepted_at,
            confirmed_at: self.confirmed_at,
        }
    }
}

/// An acceptance as its user's mail tells it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    /// The receipt's own id.
    pub receipt_id: Id,
    /// What was accepted.
    pub document: DocumentKind,
    /// Which version of it.
    pub version: u32,
    /// The hash of its text.
    pub sha256: String,
    /// When it was accepted.
    #[serde(with = "jiff::fmt::serde::timestamp::millisecond::required")]
    pub accepted_at: Timestamp,
    /// When it was confirmed by using the link mailed for it; for the terms of a sign-up only.
    #[serde(default, with = "jiff::fmt::serde::timestamp::millisecond::optional")]
    pub confirmed_at: Option<Timestamp>,
}

impl Record for Acceptance {
    fn key(&self) -> Key {
        // One for each version of a document; for the account terms, one for each claim.
        let mut sk = format!("ACCEPTANCE#{}#{:05}", self.document, self.version);
        if let Some(number) = &self.member_number {
            sk += &format!("#{number}#{}", self.receipt_id);
        }
        Key::new(Table::Evidence, format!("SUBJECT#{}", self.subject), sk)
    }
}

/// What an audit event says happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EventKind {
    /// The account came to be.
    AccountCreated,
    /// A log-in.
    LoggedIn,
    /// A log-in, or another question for the password, with a wrong one.
    LogInFailed,
    /// A log-out, here or everywhere.
    LoggedOut,
    /// A new password.
    PasswordChanged,
    /// Another address was asked for, confirmed or undone.
    EmailChanged,
    /// Names, job title or SIRET changed.
    ProfileChanged,
    /// A legal document was accepted.
    DocumentAccepted,
    /// The manager claim succeeded.
    AccountClaimed,
    /// A claim with a number that is not the establishment's.
    ClaimFailed,
    /// Somebody of the establishment contested the claim.
    ClaimContested,
    /// Somebody who merely has the SIRET told the staff that the claim is not right.
    ClaimDoubted,
    /// The manager said OUI or NON.
    ActivationChanged,
    /// The manager gave somebody access, or an invitation was opened.
    AccessGranted,
    /// Access, or an invitation, was taken back, or given up.
    AccessRevoked,
    /// The user asked for access to an account.
    AccessRequested,
    /// The manager refused that, or it went away with what it was about.
    AccessRefused,
    /// The user gave the manager's role to somebody else.
    RoleHandedOver,
    /// The user was given the manager's role.
    RoleTakenOver,
    /// The user took away what the portal keeps about them.
    DataExported,
    /// The user was erased.
    UserErased,
    /// The user was warned that a space that nobody uses ends.
    InactivityWarned,
}

/// How it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EventOutcome {
    /// It happened.
    Success,
    /// It was tried, and refused.
    Failure,
}

impl EventKind {
    fn outcome(self) -> EventOutcome {
        match self {
            Self::LogInFailed | Self::ClaimFailed => EventOutcome::Failure,
            _ => EventOutcome::Success,
        }
    }
}

/// One audit event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditEvent {
    /// The event's own id.
    pub event_id: Id,
    /// Whom it concerns, by their random id.
    pub subject: Id,
    /// Who did it, by their random id; none where nobody knows, as of a log-in that failed. What a mailed link
    /// does is its reader's act.
    pub actor: Option<Id>,
    /// The same, where it is somebody else than whom it concerns: the key of the index of what one did to others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acted_by: Option<Id>,
    /// What happened.
    pub event: EventKind,
    /// How it ended.
    pub outcome: EventOutcome,
    /// When (UTC).
    #[serde(with = "jiff::fmt::serde::timestamp::millisecond::required")]
    pub at: Timestamp,
    /// Which account it concerns.
    pub member_number: Option<MemberNumber>,
    /// Details without personal data, such as `charter 1`.
    pub detail: Option<String>,
    /// Where it came from.
    pub witness: Witness,
}

impl AuditEvent {
    /// An event that a user brings about for themselves.
    #[must_use]
    pub fn by_user(user_id: Id, event: EventKind, now: Timestamp, witness: BoundWitness) -> Self {
        let BoundWitness { record_id, witness } = witness;
        Self {
            event_id: record_id,
            subject: user_id,
            actor: Some(user_id),
            acted_by: None,
            event,
            outcome: event.outcome(),
            at: now,
            member_number: None,
            detail: None,
            witness,
        }
    }

    /// An event that a user brings about for somebody else: a user, or an invitation, by its id.
    ///
    /// The subject's key is not at hand, and where the actor sat is no business of the subject's: the witness
    /// is sealed under the actor's key, and it is the actor's erasure that makes it unreadable.
    #[must_use]
    pub fn for_other(subject: Id, actor: Id, event: EventKind, at: Timestamp, witness: BoundWitness) -> Self {
        Self::by_whoever(subject, Some(actor), event, at, witness)
    }

    /// An event that somebody brings about for `subject`: whoever is signed in, if anybody is.
    #[must_use]
    pub fn by_whoever(subject: Id, actor: Option<Id>, event: EventKind, at: Timestamp, witness: BoundWitness) -> Self {
        let acted_by = actor.filter(|actor| *actor != subject);
        Self { actor, acted_by, ..Self::by_user(subject, event, at, witness) }
    }

    /// Where it came from, if it was sealed under `key`.
    #[must_use]
    pub fn seen(&self, key: &SealKey) -> Option<RequestOrigin> {
        RequestOrigin::of(&self.witness, &place(self.event_id, WITNESS), key)
    }

    /// What concerns somebody, newest first; with `before`, what is older than that, to the millisecond.
    #[must_use]
    pub fn newest_of(subject: Id, before: Option<Timestamp>) -> Query {
        older_than(Query::partition(Table::Evidence, format!("SUBJECT#{subject}")), before)
    }

    /// What somebody did to others, in the same order.
    #[must_use]
    pub fn newest_by(actor: Id, before: Option<Timestamp>) -> Query {
        older_than(Query::partition(Table::Evidence, actor.to_string()).global_index("acted_by", "sk"), before)
    }

    /// The same, about an account.
    #[must_use]
    pub fn about(mut self, number: &MemberNumber) -> Self {
        self.member_number = Some(number.clone());
        self
    }

    /// The same, with a detail.
    #[must_use]
    pub fn with_detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = Some(detail.into());
        self
    }
}

/// The events of a partition, newest first, and older than `before` where it is given.
fn older_than(partition: Query, before: Option<Timestamp>) -> Query {
    let all = partition.newest_first();
    match before {
        None => all.beginning("EVENT#"),
        // What is of that millisecond goes on behind the number, and so is not in it.
        Some(before) => all.between("EVENT#", format!("EVENT#{:014}", before.as_millisecond().max(0))),
    }
}

impl AuditEvent {
    /// Writes it, and the same among the events of its account: it tells who had the account's role.
    ///
    /// # Errors
    /// Where it cannot be an item.
    pub fn create_with_account(&self, transaction: &mut Transaction) -> Result<(), StoreError> {
        transaction.create(self)?;
        if let Some(number) = &self.member_number {
            transaction.create(&AccountEvent {
                member_number: number.clone(),
                event_id: self.event_id,
                subject: self.subject,
                actor: self.actor,
                event: self.event,
                at: self.at,
                detail: self.detail.clone(),
            })?;
        }
        Ok(())
    }
}

/// An event about an account's role, found by the account: by whoever does not know whom it concerns. Where it came from
/// stands with its subject.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountEvent {
    /// Which account.
    pub member_number: MemberNumber,
    /// The event's own id, the same as among those of its subject.
    pub event_id: Id,
    /// Whom it concerns, by their random id.
    pub subject: Id,
    /// Who did it; none where nobody knows.
    pub actor: Option<Id>,
    /// What happened.
    pub event: EventKind,
    /// When (UTC).
    #[serde(with = "jiff::fmt::serde::timestamp::millisecond::required")]
    pub at: Timestamp,
    /// Details without personal data.
    pub detail: Option<String>,
}

impl AccountEvent {
    /// Those of an account, the newest first.
    #[must_use]
    pub fn newest_of(number: &MemberNumber, limit: i32) -> Query {
        let all = Query::partition(Table::Evidence, format!("ACCOUNT#{number}")).beginning("EVENT#");
        all.newest_first().limit(limit)
    }
}

impl Record for AccountEvent {
    fn key(&self) -> Key {
        let sk = format!("EVENT#{:014}#{}", self.at.as_millisecond(), self.event_id);
        Key::new(Table::Evidence, format!("ACCOUNT#{}", self.member_number), sk)
    }
}

impl Record for AuditEvent {
    fn key(&self) -> Key {
        let sk = format!("EVENT#{:014}#{}", self.at.as_millisecond(), self.event_id);
        Key::new(Table::Evidence, format!("SUBJECT#{}", self.subject), sk)
    }
}
