//! `GET /api/me/export`: everything that the portal keeps about its user (RGPD, articles 15 and 20).
//!
//! Not the secrets that stand for them (the password's hash, refresh tokens, tokens of links, the key that
//! seals evidence): those are named where they matter, as a link that is outstanding. Evidence is shown with
//! its witness opened, which its owner alone may see.
//!
//! Audit events never end: somebody who guesses at a password adds to them every day. So an answer has the newest, as
//! many as fit beside the rest, and says where older ones begin. Among them is what the user did to others, of whom
//! there is what the lists show: an id.

use futures::FutureExt as _;
use futures::future::{try_join, try_join_all, try_join4};
use jiff::Timestamp;
use portal::domain::{Email, Refusal};
use portal::http::{Answer, Call, Form, Problem};
use portal::security::Caller;
use portal::store::{
    Acceptance, AddressHash, Alert, AlertKind, Attempts, AuditEvent, Batch, Contest, EmailChange, EventKind, Export,
    Guessed, Invitation, InvitationMails, InvitationMirror, Link, Login, MailHistory, MailState, Outcome, Page,
    Purpose, Reservation, Rights, Session, StoreError, Transaction, User, Witness,
};
use rand::CryptoRng;
use serde_json::{Value, json};

use crate::events::{MOST_EVENTS, Newest, as_many_as_fit, newest_of_both, with_witness};
use crate::{Function, shown};

/// How many acceptances an answer has at most: ten years of one claim every other day.
const MOST_ACCEPTANCES: usize = 2_000;

/// How many of the newest contests, of all establishments, and of the newest alerts of one's own are looked through for
/// those about the user. Both are rare.
const MOST_LOOKED_THROUGH: i32 = 1_000;

/// How many files of ledgers an answer has at most; they are forgotten after a day.
const MOST_LEDGER_EXPORTS: usize = 1_000;

/// What is kept under the user's id.
struct ById {
    caller: Caller,
    claim_failures: Option<Attempts>,
    sessions: Vec<Session>,
    ledger_exports: Vec<Export>,
    rights: Rights,
    acceptances: Vec<Acceptance>,
    events: Newest,
    alerts: Vec<Alert>,
    contests: Vec<Contest>,
    /// The lists of which there is more than an answer has.
    cut: Vec<&'static str>,
}

/// What is kept under one address.
struct ByAddress {
    email: Email,
    histories: [Option<MailHistory>; 2],
    /// The newest link of each, where it is still there.
    links: Vec<Link>,
    mail_state: Option<MailState>,
    failures: Option<Attempts>,
    login: Option<Login>,
    reservation: Option<Reservation>,
    invitations: Vec<Invitation>,
    invitation_mails: Vec<InvitationMails>,
}

impl ByAddress {
    /// Whether the newest link that was mailed can still be used.
    fn is_outstanding(&self, history: &MailHistory, now: Timestamp) -> bool {
        let is_newest = |link: &&Link| history.newest_link.as_ref() == Some(&link.hash);
        self.links.iter().find(is_newest).is_some_and(|link| now < link.expires_at)
    }

    /// Whether the address is a user's: they sign in with it, or it is kept for them and nobody does.
    fn is_of(&self, user: &User, now: Timestamp) -> bool {
        match &self.login {
            Some(login) => login.user_id == user.user_id,
            None => self.reservation.as_ref().is_some_and(|reservation| reservation.is_for(user.user_id, now)),
        }
    }
}

impl Function {
    pub(crate) async fn export(&self, call: &Call, rng: &mut impl CryptoRng) -> Result<Answer, Problem> {
        let before = match events_before(call.query()) {
            Ok(before) => before,
            Err(problem) => {
                self.gate.caller(call).await?;
                return Err(problem);
            }
        };
        let mut by_id = self.by_id(call, before).boxed().await?;
        let user = by_id.caller.user.clone();
        let witness = Witness::of_call(call, &user.seal_key, rng)?;
        let event = AuditEvent::by_user(user.user_id, EventKind::DataExported, call.now, witness);
        let mut transaction = Transaction::new();
        transaction.create(&event)?;
        let mut addresses = vec![user.email.clone()];
        addresses.extend(user.addresses_before().into_iter().cloned());
        let by_address = try_join_all(addresses.iter().map(|address| self.by_address(address).boxed()));
        // That it was exported is written beside, not after: the answer tells of it too.
        let (mut by_address, written) = try_join(by_address, self.store.commit(&transaction, rng)).await?;
        let Outcome::Committed = written else {
            return Err(Problem::Internal { context: "an event was there already".to_owned() });
        };
        // What is kept under an address that is not theirs any more is of somebody else.
        by_address.retain(|address| address.is_of(&user, call.now));
        if before.is_none_or(|before| event.at < before) {
            by_id.events.events.insert(0, event);
        }
        let mut document = document(&by_id, &by_address, call.now);
        let room = Answer::room_beside(&document);
        let (events, before) = as_many_as_fit(by_id.events, &user, room);
        document["events"] = events;
        if let Some(before) = before {
            document["events_before"] = json!(before);
        }
        Answer::ok(&document)
    }

    async fn by_id(&self, call: &Call, before: Option<Timestamp>) -> Result<ById, Problem> {
        let ticket = self.gate.ticket(call).await?;
        let user_id = ticket.claims.sub;
        let mut batch = Batch::new();
        let keys = ticket.ask(&mut batch);
        let claim_failures = batch.want::<Attempts>(Guessed::MemberNumberBy { user_id }.key());
        let acceptances = self.store.query_first(Acceptance::all_of(user_id), MOST_ACCEPTANCES);
        let ledger_exports = self.store.query_first(Export::all_of(user_id), MOST_LEDGER_EXPORTS);
        let all_sessions = Session::all_of(user_id);
        let concerning = self.store.query_first(AuditEvent::newest_of(user_id, before), MOST_EVENTS);
        let done = self.store.query_first(AuditEvent::newest_by(user_id, before), MOST_EVENTS);
        let alerts = Alert::newest_of(&ticket.claims.siret, MOST_LOOKED_THROUGH);
        let contests = Contest::newest(MOST_LOOKED_THROUGH);
        let cases = try_join(self.store.query(&alerts), self.store.query(&contests));
        let (mut fetched, (sessions, ledger_exports), rights, (acceptances, concerning, done, (alerts, contests))) =
            try_join4(
                // Each on the heap: so many calls in one future are more than a thread's stack holds.
                self.store.fetch(batch).boxed(),
                try_join(self.store.query_all(&all_sessions), ledger_exports).boxed(),
                Rights::of(&self.store, user_id).boxed(),
                try_join4(acceptances.boxed(), concerning.boxed(), done.boxed(), cases.boxed()),
            )
            .await?;
        let caller = ticket.admit(&keys, &mut fetched, call.now)?;
        let claim_failures = fetched.take(&claim_failures)?;
        let events = newest_of_both(concerning, done);
        let (acceptances, more_acceptances) = acceptances;
        let (ledger_exports, more_exports): (_, Option<Export>) = ledger_exports;
        let cut = [("acceptances", more_acceptances.is_some()), ("ledger_exports", more_exports.is_some())];
        let cut = cut.into_iter().filter_map(|(name, is_cut)| is_cut.then_some(name)).collect();
        let (mut alerts, mut contests): (Page<Alert>, Page<Contest>) = (alerts, contests);
        alerts.items.retain(|alert| matches!(alert.kind, AlertKind::GuessesOfUser { user_id: of } if of == user_id));
        contests.items.retain(|contest| contest.manager == user_id || contest.by == Some(user_id));
        let (alerts, contests) = (alerts.items, contests.items);
        Ok(ById {
            caller,
            claim_failures,
            sessions,
            ledger_exports,
            rights,
            acceptances,
            events,
            alerts,
            contests,
            cut,
        })
    }

    async fn by_address(&self, email: &Email) -> Result<ByAddress, StoreError> {
        let mut batch = Batch::new();
        let [activation, reset] =
            [Purpose::Activation, Purpose::Reset].map(|p| batch.want(MailHistory::key_of(email, p)));
        let failures = batch.want::<Attempts>(Guessed::Password { email: email.clone() }.key());
        let mail_state = batch.want::<MailState>(MailState::key_of(email));
        let login = batch.want::<Login>(Login::key_of(email));
        let reservation = batch.want::<Reservation>(Reservation::key_of(email));
        let invitations = Invitation::all_of(&AddressHash::of(email));
        let invitation_mails = InvitationMails::all_to(email);
        let (mut fetched, (invitations, invitation_mails)) = try_join(
            self.store.fetch(batch),
            try_join(
                self.store.query_all::<InvitationMirror>(&invitations),
                self.store.query_all::<InvitationMails>(&invitation_mails),
            ),
        )
        .await?;
        let histories: [Option<MailHistory>; 2] = [fetched.take(&activation)?, fetched.take(&reset)?];
        Ok(ByAddress {
            email: email.clone(),
            links: self.newest_links(&histories).await?,
            histories,
            mail_state: fetched.take(&mail_state)?,
            failures: fetched.take(&failures)?,
            login: fetched.take(&login)?,
            reservation: fetched.take(&reservation)?,
            invitations: invitations.into_iter().map(|mirror| mirror.0).collect(),
            invitation_mails,
        })
    }
}

impl Function {
    /// A used link is gone, and its history does not tell: one more read where a mail went out within the last days.
    async fn newest_links(&self, histories: &[Option<MailHistory>; 2]) -> Result<Vec<Link>, StoreError> {
        let newest: Vec<&String> =
            histories.iter().flatten().filter_map(|history| history.newest_link.as_ref()).collect();
        if newest.is_empty() {
            return Ok(Vec::new());
        }
        let mut batch = Batch::new();
        let wanted: Vec<_> = newest.into_iter().map(|hash| batch.want::<Link>(Link::key_of(hash))).collect();
        let mut fetched = self.store.fetch(batch).await?;
        let links: Result<Vec<_>, _> = wanted.iter().map(|link| fetched.take(link)).collect();
        Ok(links?.into_iter().flatten().collect())
    }
}

/// The instant before which the events are asked for, if one is.
fn events_before(mut form: Form) -> Result<Option<Timestamp>, Problem> {
    let before = form.optional("events_before", |text| {
        let refusal = || {
            let fr = "Donnez l’instant que la réponse précédente a donné.";
            Refusal::new("bad-instant", fr, "Give the instant that the answer before has given.")
        };
        text.parse().map_err(|_| refusal())
    });
    Ok(form.finish((before,))?.0)
}

fn document(by_id: &ById, by_address: &[ByAddress], now: Timestamp) -> Value {
    let ById { caller, claim_failures, sessions, ledger_exports, rights, acceptances, .. } = by_id;
    let ById { alerts, contests, cut, events: _, .. } = by_id;
    let user = &caller.user;
    let mut profile = shown(user);
    profile["origin"] = json!(user.origin);
    profile["accepted_charter"] = json!(user.accepted_charter);
    if let Some(next) = user.next_claim_at {
        profile["next_claim_at"] = json!(next);
    }
    let current = |session: &&Session| session.session_id == caller.session.session_id;
    let mut document = json!({
        "exported_at": now,
        "profile": profile,
        "email_changes": list(&user.email_changes, |change| email_change(change, now)),
        "ledger_exports": list(ledger_exports, |export| json!({
            "id": export.export_id,
            "member_number": export.member_number,
            "file": export.list,
            "view": export.view,
            "filter": export.parameters(),
            "format": export.format,
            "requested_at": export.requested_at,
            "state": export.written,
            "attempts": export.attempts,
        })),
        "sessions": list(sessions, |session| json!({
            "id": session.session_id,
            "created_at": session.created_at,
            "last_used_at": session.last_used_at,
            "expires_at": session.expires_at,
            "refreshes": session.generation,
            "refreshed_at": instants(&session.rotations),
            "ip": session.ip,
            "user_agent": session.user_agent,
            "alive": session.is_alive(now) && session.epoch == user.epoch,
            "current": current(&session),
        })),
        "accounts": list(&rights.grants, |grant| json!({
            "member_number": grant.member_number,
            "siret": grant.siret,
            "name": grant.name,
            "role": grant.role,
            "active": grant.active,
            "since": grant.since,
            "invitation_id": grant.invitation_id,
            "given_at": grant.given_at(),
            "sirets_before": grant.sirets_before,
        })),
        "claims_barred": list(&rights.bars, |bar| json!({
            "member_number": bar.member_number,
            "since": bar.since,
        })),
        "proofs": list(&rights.proofs, |proof| json!({
            "member_number": proof.member_number,
            "siret": proof.siret,
            "proved_at": proof.proved_at,
        })),
        "access_requests": list(&rights.requests, |request| json!({
            "id": request.request_id,
            "member_number": request.member_number,
            "siret": request.siret,
            "message": request.message,
            "since": request.since,
            "told_at": request.told_at,
        })),
        "claim_failures": failures(claim_failures.as_ref()),
        "alerts": list(alerts, |alert| json!({
            "id": alert.alert_id,
            "kind": "guesses-of-user",
            "at": alert.at,
            "siret": alert.siret,
        })),
        "contests": list(contests, |contest| json!({
            "id": contest.contest_id,
            "at": contest.at,
            "siret": contest.claim.siret,
            "member_number": contest.claim.member_number,
            "claimed_at": contest.claim.since,
            "manager_is_you": contest.manager == user.user_id,
            "by_yourself": contest.by == Some(user.user_id),
            "voices": contest.voices,
            "outcome": contest.outcome,
        })),
        "addresses": list(by_address, |address| json!({
            "email": address.email.display(),
            "kept_until": address.reservation.as_ref().map(|reservation| reservation.until),
            "log_in": address.login.as_ref().map(|login| json!({
                "used_on": login.last_use.used_on,
                "stage": login.last_use.expiry,
                "due_at": instants(&[login.last_use.expiry_due])[0],
                "opened_at": instants(&login.opened),
            })),
            "log_in_failures": failures(address.failures.as_ref()),
            "mails": address.histories.iter().flatten().map(|history| json!({
                "purpose": history.purpose,
                "asked_at": instants(&history.admitted),
                "link_outstanding": address.is_outstanding(history, now),
            })).collect::<Value>(),
            "mail_state": address.mail_state.as_ref().map(mail_state),
            "invitations": list(&address.invitations, |invitation| json!({
                "id": invitation.invitation_id,
                "member_number": invitation.member_number,
                "siret": invitation.siret,
                "name": invitation.name,
                "active": invitation.active,
                "since": invitation.since,
                "expires_at": invitation.expires_at,
            })),
            "invitation_mails": list(&address.invitation_mails, |mails| json!({
                "member_number": mails.member_number,
                "asked_at": instants(&mails.admitted),
            })),
        })),
        "acceptances": list(acceptances, |acceptance| {
            let mut told = with_witness(&acceptance.witness, acceptance.seen(&user.seal_key), json!({
                "receipt_id": acceptance.receipt_id,
                "kind": acceptance.document,
                "version": acceptance.version,
                "sha256": acceptance.sha256,
                "accepted_at": acceptance.accepted_at,
                "confirmed_at": acceptance.confirmed_at,
                "member_number": acceptance.member_number,
            }));
            if let Some(witness) = &acceptance.confirmed_by {
                let seen = acceptance.seen_confirming(&user.seal_key);
                told["confirmed_by"] = with_witness(witness, seen, json!({}));
            }
            told
        }),
    });
    if !cut.is_empty() {
        document["cut"] = json!(cut);
    }
    document
}

fn list<T>(all: &[T], one: impl Fn(&T) -> Value) -> Value {
    all.iter().map(one).collect()
}

fn email_change(change: &EmailChange, now: Timestamp) -> Value {
    json!({
        "id": change.change_id,
        "before": change.before.display(),
        "wanted": change.wanted.display(),
        "asked_at": change.asked_at,
        "confirmed_at": change.confirmed_at,
        "can_be_undone_until": change.until(),
        "can_be_undone": now < change.until(),
        "confirmation_mailed": change.confirming.is_some(),
        "notice_mailed": change.undoing.is_some(),
    })
}

fn mail_state(state: &MailState) -> Value {
    json!({
        "stopped": state.stopped.as_ref().map(|stopped| json!({
            "why": stopped.why,
            "at": stopped.at,
            "mail_sent_at": stopped.mail_sent_at,
            "reason": stopped.reason,
        })),
        "bounced_for_now": state.bounced_for_now,
        "good_since": state.good_since,
        "mails": list(&state.mails, |mail| json!({
            "id": mail.outbox_id,
            "kind": mail.kind,
            "at": mail.at,
            "delivery": mail.delivery,
            "reason": mail.reason,
        })),
    })
}

fn failures(attempts: Option<&Attempts>) -> Value {
    attempts.map_or_else(|| json!([]), |attempts| instants(&attempts.failures))
}

/// Instants that are kept in milliseconds.
fn instants(milliseconds: &[i64]) -> Value {
    let instants = milliseconds.iter().filter_map(|at| Timestamp::from_millisecond(*at).ok());
    instants.map(|at| json!(at)).collect()
}
