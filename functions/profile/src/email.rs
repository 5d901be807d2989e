//! `POST /api/me/email`: asks for another address.
//!
//! Nothing is looked up about it: the request writes the wish, and whether the address is free turns out
//! behind the stream. So the answer and its time are the same for an address that others have.

use portal::domain::{Email, Id, Refusal};
use portal::http::{Answer, Call, Form, Problem};
use portal::security::{Password, Proven, same_user};
use portal::store::{
    AuditEvent, Change, EmailChange, EventKind, Link, Outbox, Outcome, Record, Transaction, User, Wish, Witness,
};
use rand::CryptoRng;
use serde_json::json;

use crate::{Function, MOST_ATTEMPTS};

impl Function {
    pub(crate) async fn change_email(&self, call: &Call, rng: &mut impl CryptoRng) -> Result<Answer, Problem> {
        let user = self.gate.caller(call).await?.user;
        let mut form = call.form()?;
        let current = form.verbatim("current_password").map(Password::of);
        let wanted = read(&mut form, &user);
        let proven = self.prove(&user, current.as_ref(), call, rng).await?;
        let (proven, wanted) = form.finish((proven, wanted))?;
        self.ask(user, proven, wanted, call, rng).await?;
        let message = call.language.choose(
            "Un e-mail vient d’être envoyé à la nouvelle adresse : suivez son lien dans les 24 heures pour la \
             confirmer. D’ici là, rien ne change.",
            "A mail is on its way to the new address: follow its link within 24 hours to confirm it. Until then \
             nothing changes.",
        );
        Answer::accepted(&json!({"message": message}))
    }

    async fn ask(
        &self,
        mut user: User,
        mut proven: Proven,
        wanted: Email,
        call: &Call,
        rng: &mut impl CryptoRng,
    ) -> Result<(), Problem> {
        let change_id = Id::random(rng);
        let (user_id, epoch) = (user.user_id, user.epoch);
        let notice = Outbox::new(change_id, Wish::EmailChangeNotice { user_id, change_id }, call.now);
        let link = Outbox::new(Id::random(rng), Wish::EmailChange { user_id, change_id }, call.now);
        let witness = Witness::of_call(call, &user.seal_key, rng)?;
        let event = AuditEvent::by_user(user_id, EventKind::EmailChanged, call.now, witness).with_detail("asked");
        for _ in 0..MOST_ATTEMPTS {
            let mut changes = user.email_changes.clone();
            changes.retain(|change| call.now < change.until());
            if let Some(oldest) = changes.first().filter(|_| changes.len() >= EmailChange::MOST) {
                let left = oldest.until().duration_since(call.now).unsigned_abs();
                return Err(Problem::closed_for(left));
            }
            changes.push(EmailChange {
                change_id,
                before: user.email.clone(),
                wanted: wanted.clone(),
                epoch,
                asked_at: call.now,
                confirmed_at: None,
                confirming: None,
                undoing: None,
            });
            let mut transaction = Transaction::new();
            let guard = proven.guard(&mut transaction)?;
            transaction.update(user.key(), Change::new().set("email_changes", &changes)?, user.same_address()?);
            // Only the newest can be confirmed; the link of the one before need not wait for its end.
            if let Some(replaced) = user.pending_email().and_then(|change| change.confirming.as_ref()) {
                transaction.delete(Link::key_of(replaced), None);
            }
            transaction.create(&notice)?;
            transaction.create(&link)?;
            transaction.create(&event)?;
            match self.store.commit(&transaction, rng).await? {
                Outcome::Committed => return Ok(()),
                Outcome::Refused(refused) if refused.failed(guard) => proven.renew(call).await?,
                // Links of an earlier change were written down in between, or the user is another by now.
                Outcome::Refused(_) => user = same_user(&self.store, user).await?,
            }
        }
        Err(Problem::TryAgain { context: "others wrote of the same address all the time".to_owned() })
    }
}

/// The address, twice, and another than before.
fn read(form: &mut Form, user: &User) -> Option<Email> {
    let email = form.text("email", Email::parse);
    let confirmation = form.text("email_confirmation", Email::parse);
    match (&email, &confirmation) {
        (Some(email), Some(confirmation)) if email != confirmation => form.refuse("email_confirmation", differ()),
        (Some(email), _) if *email == user.email => form.refuse("email", unchanged()),
        _ => email,
    }
}

fn differ() -> Refusal {
    Refusal::new(
        "emails-differ",
        "Les deux adresses diffèrent : ressaisissez la confirmation.",
        "The two addresses differ: type the confirmation again.",
    )
}

fn unchanged() -> Refusal {
    Refusal::new(
        "email-unchanged",
        "C’est déjà votre adresse : indiquez-en une autre.",
        "This is your address already: give another.",
    )
}
