//! The link of a sign-up is used: the account, and the evidence of the accepted terms, come to be.

use portal::domain::{DocumentKind, Id};
use portal::http::{Answer, Call, MailedLink, Problem};
use portal::security::{PasswordHash, SealKey};
use portal::store::{
    Acceptance, AuditEvent, Draft, EventKind, LastUse, Link, Login, Outbox, Outcome, Reservation, Resident, Store,
    Transaction, User, Wish, Witness,
};
use rand::CryptoRng;

pub(super) async fn activate(
    store: &Store,
    link: &Link,
    draft: Draft,
    password_hash: PasswordHash,
    call: &Call,
    rng: &mut impl CryptoRng,
) -> Result<Answer, Problem> {
    let seal_key = SealKey::random(rng);
    // The form was sent by one request, the link used by another, and maybe by another person: the evidence has who
    // typed, and who saw what was typed and confirmed it.
    let signed_up = Witness::seal(&draft.request_id, draft.ip.as_deref(), draft.user_agent.as_deref(), &seal_key, rng)?;
    let user = User {
        user_id: Id::random(rng),
        email: draft.email,
        civility: draft.civility,
        last_name: draft.last_name,
        first_name: draft.first_name,
        job_title: draft.job_title,
        siret: draft.siret,
        siret_since: None,
        epoch: 0,
        origin: draft.origin,
        created_at: call.now,
        accepted_charter: None,
        email_changes: Vec::new(),
        email_problem: None,
        dealings: 0,
        next_claim_at: None,
        seal_key,
    };
    let login = Login {
        email: user.email.clone(),
        user_id: user.user_id,
        password_hash,
        epoch: user.epoch,
        siret: user.siret.clone(),
        seal_key: user.seal_key.clone(),
        last_use: LastUse::at(call.now),
        opened: Vec::new(),
    };
    let terms = Acceptance::new(user.user_id, DocumentKind::Terms, &draft.terms, link.requested_at, signed_up)
        .confirmed(call, &user.seal_key, rng)?;
    let witness = Witness::of_call(call, &user.seal_key, rng)?;
    let event = AuditEvent::by_user(user.user_id, EventKind::AccountCreated, call.now, witness);

    let receipt = Wish::AcceptanceReceipt {
        email: user.email.clone(),
        civility: user.civility,
        last_name: user.last_name.clone(),
        receipt: terms.receipt(),
    };

    let mut transaction = Transaction::new();
    transaction.delete(Link::key_of(&link.hash), Some(super::unused(call.now)?));
    // That the address is free is a condition too: two links of one address make one account.
    transaction.create(&login)?;
    // So is that nobody who left it can still come back to it. What has expired goes.
    transaction.delete(Reservation::key_of(&login.email), Some(Reservation::none_of_others(user.user_id, call.now)?));
    transaction.create(&user)?;
    transaction.create(&Resident { siret: user.siret.clone(), user_id: user.user_id })?;
    transaction.create(&terms)?;
    transaction.create(&Outbox::new(Id::random(rng), receipt, call.now))?;
    transaction.create(&event)?;
    match store.commit(&transaction, rng).await? {
        Outcome::Committed => Ok(Answer::no_content()),
        Outcome::Refused(_) => Err(Problem::LinkInvalid(MailedLink::Password)),
    }
}
