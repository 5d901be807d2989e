//! The address is what it was before a change, confirmed or not; that change and every later one are void.
//!
//! Whoever asked for it knew the password. So nobody is signed in any more, the password opens nothing, and the
//! owner of the address is mailed a link to set another.

use portal::domain::{Email, Id};
use portal::http::{Call, Problem};
use portal::security::PasswordHash;
use portal::store::{
    AuditEvent, Change, EmailChange, EventKind, Link, Login, Outbox, Record as _, Reservation, Step, StoreError,
    Transaction, Wish, Witness,
};
use rand::CryptoRng;

use crate::{Usable, consume, move_login, same, with_changes};

impl Usable {
    /// What undoing writes. The steps are those that fail where the address is somebody else's, which keeping it
    /// free prevents.
    pub(crate) fn undo(
        &self,
        login: Login,
        call: &Call,
        transaction: &mut Transaction,
        rng: &mut impl CryptoRng,
    ) -> Result<Vec<Step>, Problem> {
        let Self { link, user, place } = self;
        let (kept, void) = user.email_changes.split_at(*place);
        let restored = self.email()?;
        let witness = Witness::of_call(call, &user.seal_key, rng)?;
        let event = AuditEvent::by_user(user.user_id, EventKind::EmailChanged, call.now, witness, rng);
        let reset = Wish::Reset { email: restored.clone() };

        consume(link, call.now, transaction)?;
        let links = void.iter().flat_map(|change| change.confirming.iter().chain(&change.undoing));
        for hash in links.filter(|hash| **hash != link.hash) {
            transaction.delete(Link::key_of(hash), None);
        }
        for address in released(void) {
            transaction.delete(Reservation::key_of(address), None);
        }
        let unused = reopen(login, restored, transaction)?;
        let back = with_changes(Change::new().set("email", restored)?.add("epoch", 1), kept)?;
        transaction.update(user.key(), back, user.same_address()?);
        transaction.create(&Outbox::new(Id::random(rng), reset, call.now))?;
        transaction.create(&event.with_detail("undone"))?;
        Ok(unused.into_iter().collect())
    }
}

/// The addresses that were kept free for the user because of changes that are void now.
fn released(void: &[EmailChange]) -> Vec<&Email> {
    let mut released: Vec<&Email> = Vec::new();
    for change in void.iter().filter(|change| change.confirmed_at.is_some()) {
        if !released.contains(&&change.before) {
            released.push(&change.before);
        }
    }
    released
}

/// The log-in at the restored address, in a new epoch, with a password that nobody has.
fn reopen(login: Login, restored: &Email, transaction: &mut Transaction) -> Result<Option<Step>, StoreError> {
    let password_hash = PasswordHash::of_no_password();
    if login.email == *restored {
        let change = Change::new().set("password_hash", &password_hash)?.add("epoch", 1);
        transaction.update(login.key(), change, same(&login)?);
        return Ok(None);
    }
    let after = Login { email: restored.clone(), password_hash, epoch: login.epoch + 1, ..login.clone() };
    move_login(&login, &after, transaction).map(Some)
}
