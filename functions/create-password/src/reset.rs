//! A reset link is used: a new password, a new epoch (so every session ends), a notice by mail.

use portal::domain::Id;
use portal::http::{Answer, Call, MailedLink, Problem};
use portal::security::PasswordHash;
use portal::store::{
    AuditEvent, Change, Condition, EventKind, Guessed, Link, Login, Outbox, Outcome, Owner, Store, Transaction, User,
    Wish, Witness,
};
use rand::CryptoRng;

pub(super) async fn reset(
    store: &Store,
    link: &Link,
    owner: Owner,
    password_hash: PasswordHash,
    call: &Call,
    rng: &mut impl CryptoRng,
) -> Result<Answer, Problem> {
    let witness = Witness::of_call(call, &owner.seal_key, rng)?;
    let event = AuditEvent::by_user(owner.user_id, EventKind::PasswordChanged, call.now, witness);
    let notice =
        Wish::PasswordChanged { email: link.email.clone(), civility: owner.civility, last_name: owner.last_name };

    let mut transaction = Transaction::new();
    transaction.delete(Link::key_of(&link.hash), Some(super::unused(call.now)?));
    let login = Change::new().set("password_hash", &password_hash)?.add("epoch", 1);
    transaction.update(Login::key_of(&link.email), login, Condition::is("user_id", &owner.user_id)?);
    transaction.update(User::key_of(owner.user_id), Change::new().add("epoch", 1), Condition::Exists);
    // Whoever read the mail owns the address, whatever others guessed: log-in opens again.
    transaction.delete(Guessed::Password { email: link.email.clone() }.key(), None);
    transaction.create(&Outbox::new(Id::random(rng), notice, call.now))?;
    transaction.create(&event)?;
    match store.commit(&transaction, rng).await? {
        Outcome::Committed => Ok(Answer::no_content()),
        Outcome::Refused(_) => Err(Problem::LinkInvalid(MailedLink::Password)),
    }
}
