//! The new address takes the place of the old one. The epoch stays: who is signed in stays signed in.

use portal::http::{Call, Problem};
use portal::store::{AuditEvent, Change, EmailChange, EventKind, Login, Record as _, Step, Transaction, User, Witness};
use rand::CryptoRng;

use crate::{Present, Usable, consume, move_login, reserve, with_changes};

impl Usable {
    /// What a confirmation writes. The steps are those that fail where the address is somebody else's.
    pub(crate) fn confirm(
        &self,
        before: &Present,
        call: &Call,
        transaction: &mut Transaction,
        rng: &mut impl CryptoRng,
    ) -> Result<Vec<Step>, Problem> {
        let Self { link, user, place } = self;
        let asked = self.change()?;
        let confirmed = EmailChange { confirmed_at: Some(call.now), confirming: None, ..asked.clone() };
        let mut changes = user.email_changes.clone();
        changes.truncate(*place);
        changes.push(confirmed);
        let after = User { email: asked.wanted.clone(), email_changes: changes, ..user.clone() };
        let login = Login { email: after.email.clone(), ..before.login.clone() };
        let witness = Witness::of_call(call, &user.seal_key, rng)?;
        let event = AuditEvent::by_user(user.user_id, EventKind::EmailChanged, call.now, witness);

        consume(link, call.now, transaction)?;
        // Free in both senses: nobody signs in with it, and nobody else can still come back to it.
        let unused = move_login(before, &login, transaction)?;
        let unreserved = reserve(user, &after, call.now, transaction)?;
        let moved =
            with_changes(Change::new().set("email", &after.email)?.remove("email_problem"), &after.email_changes)?;
        transaction.update(user.key(), moved, user.same_address()?);
        transaction.create(&event.with_detail("confirmed"))?;
        Ok(vec![unused, unreserved])
    }
}
