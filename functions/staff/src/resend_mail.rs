//! `resend-mail`: a mail that did not arrive goes out again. Its link is in the mail alone: nobody of the staff sees
//! it, and the table has its hash.

use jiff::Timestamp;
use portal::domain::{Email, Id};
use portal::environment::rng;
use portal::store::{
    Batch, Change, Condition, Link, Login, MailHistory, MailState, Outbox, Outcome, Purpose, Record as _, StaffAct,
    Transaction, Wake, Wish,
};
use serde_json::json;

use crate::Function;
use crate::done::Done;
use crate::fields::{Author, Fields, Refused, Trouble};

/// What can be sent again to an address.
const MAILS: [&str; 2] = ["activation", "reset"];

impl Function {
    pub(crate) async fn resend_mail(&self, mut fields: Fields) -> Result<Done, Trouble> {
        let author = fields.author()?;
        if let Some(text) = fields.optional_text("id")? {
            fields.finish()?;
            let outbox_id = Id::parse(&text).ok_or_else(|| {
                Refused::new("not-an-id", "id", "Give the id of a mail as look-up-user shows it: 32 hex digits.")
            })?;
            return self.wake(outbox_id, &author).await;
        }
        let email = fields.email()?;
        let mail = fields.text("mail")?;
        fields.finish()?;
        match mail.as_str() {
            "activation" => self.send_activation_again(&email, &author).await,
            "reset" => self.send_reset(email, &author).await,
            _ => {
                let message = format!("Give one of: {}; or the id of a mail that is queued.", MAILS.join(", "));
                Err(Refused::new("mail-unknown", "mail", message).into())
            }
        }
    }

    /// A mail that waits is tried now, not with the next sweep.
    async fn wake(&self, outbox_id: Id, author: &Author) -> Result<Done, Trouble> {
        let now = self.environment.clock.now();
        let outbox: Option<Outbox> = self.store.get(&Outbox::key_of(outbox_id)).await?;
        let wish = outbox.and_then(|outbox| outbox.wish);
        let Some(wish) = wish else {
            let message = "No such mail is queued. What was sent is not kept: for an activation or a reset give email \
                and mail; anything else is told again by whoever caused it.";
            return Err(Refused::new("not-queued", "id", message).into());
        };
        let mut transaction = Transaction::new();
        transaction.create(&Wake::new(outbox_id, now))?;
        self.sent(transaction, outbox_id, wish.kind(), author, now).await
    }

    /// The entry of the sign-up is opened again: the same link goes out, good for as long as a new one.
    async fn send_activation_again(&self, email: &Email, author: &Author) -> Result<Done, Trouble> {
        let now = self.environment.clock.now();
        let mut batch = Batch::new();
        let login = batch.want::<Login>(Login::key_of(email));
        let history = batch.want::<MailHistory>(MailHistory::key_of(email, Purpose::Activation));
        let state = batch.want::<MailState>(MailState::key_of(email));
        let mut fetched = self.store.fetch(batch).await?;
        let state = MailState::or_none(fetched.take(&state)?, email, now);
        if fetched.take(&login)?.is_some() {
            let message = "This address has a space already: send a reset.";
            return Err(Refused::new("has-a-space", "mail", message).into());
        }
        let link = match fetched.take(&history)?.and_then(|history| history.newest_link) {
            Some(newest) => self.store.get::<Link>(&Link::key_of(&newest)).await?,
            None => None,
        };
        let newest = state.mails.iter().filter(|sent| sent.kind == "sign-up").max_by_key(|sent| sent.at);
        let outbox = match newest {
            Some(sent) => self.store.get::<Outbox>(&Outbox::key_of(sent.outbox_id)).await?,
            None => None,
        };
        let draft = link.as_ref().and_then(|link| link.draft.clone());
        let (Some(link), Some(draft), Some(outbox)) = (&link, draft, outbox.filter(|outbox| outbox.wish.is_none()))
        else {
            let message = "No sign-up of this address waits for its link: look the user up for mails that are queued, \
                or have them sign up again.";
            return Err(Refused::new("no-sign-up", "email", message).into());
        };
        let mut transaction = Transaction::new();
        transaction.check(Link::key_of(&link.hash), Condition::Exists);
        let again = Change::new().set("wish", &Wish::SignUp { draft })?.set("unsent", &Outbox::UNSENT)?;
        transaction.update(outbox.key(), again, Condition::All(vec![Condition::Exists, Condition::Without("wish")]));
        transaction.create(&Wake::new(outbox.outbox_id, now))?;
        self.sent(transaction, outbox.outbox_id, "sign-up", author, now).await
    }

    /// As if its owner had asked: within the same limits, which are told here.
    async fn send_reset(&self, email: Email, author: &Author) -> Result<Done, Trouble> {
        let now = self.environment.clock.now();
        let mut batch = Batch::new();
        let login = batch.want::<Login>(Login::key_of(&email));
        let history = batch.want::<MailHistory>(MailHistory::key_of(&email, Purpose::Reset));
        let mut fetched = self.store.fetch(batch).await?;
        if fetched.take(&login)?.is_none() {
            let message = "Nobody has a space with this address: look it up, and send the activation where one waits.";
            return Err(Refused::new("no-space", "email", message).into());
        }
        if fetched.take(&history)?.is_some_and(|history| history.admit(now).is_none()) {
            let message = "Mails of this kind went out lately: one a minute and three an hour are the limit, wait.";
            return Err(Refused::new("mailed-lately", "email", message).into());
        }
        let outbox = Outbox::new(Id::random(&mut rng()), Wish::Reset { email }, now);
        let mut transaction = Transaction::new();
        transaction.create(&outbox)?;
        self.sent(transaction, outbox.outbox_id, "reset", author, now).await
    }

    async fn sent(
        &self,
        mut transaction: Transaction,
        outbox_id: Id,
        mail: &str,
        author: &Author,
        now: Timestamp,
    ) -> Result<Done, Trouble> {
        let act = StaffAct::MailResent;
        transaction.create(&author.event(act, format!("{mail} {outbox_id}"), now))?;
        match self.store.commit(&transaction, &mut rng()).await? {
            Outcome::Committed => Ok(Done::quietly(act, json!({"queued": {"id": outbox_id, "mail": mail}}))),
            Outcome::Refused(_) => {
                let message = "This mail has just changed: look the user up, and repeat if it is still right.";
                Err(Refused::new("changed-meanwhile", "id", message).into())
            }
        }
    }
}
