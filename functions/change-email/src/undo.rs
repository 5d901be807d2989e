//! The address is what it was before a change, confirmed or not; that change and every later one are void.
//!
//! Whoever asked for it knew the password. So nobody is signed in any more, the password opens nothing, and the
//! owner of the address is mailed a link to set another.

use portal::domain::{Email, Id};
use portal::http::{Call, Problem};
use portal::security::PasswordHash;
use portal::store::{
    AuditEvent, Change, EventKind, Link, Login, Outbox, Record as _, Step, StoreError, Transaction, User, Wish, Witness,
};
use rand::CryptoRng;

use crate::{Present, Usable, consume, move_login, reserve, same, with_changes};

impl Usable {
    /// What undoing writes. The steps are those that fail where the address is somebody else's, which keeping it
    /// free prevents.
    pub(crate) fn undo(
        &self,
        before: &Present,
        call: &Call,
        transaction: &mut Transaction,
        rng: &mut impl CryptoRng,
    ) -> Result<Vec<Step>, Problem> {
        let Self { link, user, place } = self;
        let (kept, void) = user.email_changes.split_at(*place);
        let restored = self.email()?;
        let after = User { email: restored.clone(), email_changes: kept.to_vec(), ..user.clone() };
        let witness = Witness::of_call(call, &user.seal_key, rng)?;
        let event = AuditEvent::by_user(user.user_id, EventKind::EmailChanged, call.now, witness);
        let reset = Wish::Reset { email: restored.clone() };

        consume(link, call.now, transaction)?;
        let links = void.iter().flat_map(|change| change.confirming.iter().chain(&change.undoing));
        for hash in links.filter(|hash| **hash != link.hash) {
            transaction.delete(Link::key_of(hash), None);
        }
        let unused = reopen(before, restored, transaction)?;
        let unreserved = reserve(user, &after, call.now, transaction)?;
        let back = with_changes(Change::new().set("email", restored)?.remove("email_problem").add("epoch", 1), kept)?;
        transaction.update(user.key(), back, user.same_address()?);
        transaction.create(&Outbox::new(Id::random(rng), reset, call.now))?;
        transaction.create(&event.with_detail("undone"))?;
        Ok(unused.into_iter().chain([unreserved]).collect())
    }
}

/// The log-in at the restored address, in a new epoch, with a password that nobody has.
fn reopen(before: &Present, restored: &Email, transaction: &mut Transaction) -> Result<Option<Step>, StoreError> {
    let (login, password_hash) = (&before.login, PasswordHash::of_no_password());
    if login.email == *restored {
        let change = Change::new().set("password_hash", &password_hash)?.add("epoch", 1);
        transaction.update(login.key(), change, same(login)?);
        return Ok(None);
    }
    let after = Login { email: restored.clone(), password_hash, epoch: login.epoch + 1, ..login.clone() };
    move_login(before, &after, transaction).map(Some)
}
