//! The page behind the two links of a change of address: the one that confirms it, mailed to the new address,
//! and the one that undoes it, mailed to the old one. Whoever holds the token need not be signed in.
//!
//! Both demand in their transaction that the user's address, changes and epoch are what was read, so of two
//! links that are used at once one counts, and the other is looked at again. Both leave exactly the reservations
//! that go with the changes ([`User::reservations`]), no reset link of an address that is left, and nothing that it is
//! invited to and has not opened: the address may be somebody else's later.

mod confirm;
mod undo;

use jiff::Timestamp;
use portal::domain::Email;
use portal::environment::{Environment, StartError, rng};
use portal::erasure::{Scene, end_invitations};
use portal::http::{Answer, Call, MailedLink, Problem};
use portal::lambda::HttpFunction;
use portal::security::LinkToken;
use portal::store::{
    Batch, Change, Condition, EmailChange, Link, Login, MailHistory, MailState, Outcome, Purpose, Record as _,
    Reservation, Step, Store, StoreError, Table, Transaction, User,
};
use rand::CryptoRng;
use serde_json::json;

/// How often a link is looked at again because the user changed in between: mails are written down, links are
/// used, nothing that goes on and on.
const MOST_ATTEMPTS: usize = 20;

/// The function `change-email`.
#[derive(Clone)]
pub struct Function {
    store: Store,
}

impl HttpFunction for Function {
    const NAME: &'static str = "change-email";

    async fn start(environment: &Environment) -> Result<Self, StartError> {
        Ok(Self { store: Store::connect(environment, &[Table::Identity, Table::Members, Table::Evidence])? })
    }

    async fn answer(&self, call: &Call) -> Result<Answer, Problem> {
        match call.route.as_str() {
            "POST /api/email/link" => self.show(call).await,
            "POST /api/email" => self.follow(call, &mut rng()).await,
            _ => Err(Problem::NotFound),
        }
    }
}

/// What is kept under the address that a user has.
struct Present {
    login: Login,
    resets: Option<MailHistory>,
}

/// A link that can be used, with whose it is.
struct Usable {
    link: Link,
    user: User,
    /// The place of its change among the user's.
    place: usize,
}

impl Usable {
    fn change(&self) -> Result<&EmailChange, Problem> {
        self.user.email_changes.get(self.place).ok_or(Problem::LinkInvalid(MailedLink::Address))
    }

    /// The address that the user will have.
    fn email(&self) -> Result<&Email, Problem> {
        let change = self.change()?;
        Ok(if self.link.purpose == Purpose::EmailUndo { &change.before } else { &change.wanted })
    }
}

impl Function {
    /// What a link does. Consumes nothing.
    async fn show(&self, call: &Call) -> Result<Answer, Problem> {
        let token = read(call)?;
        let usable = self.usable(&token, call.now).await?;
        let purpose = if usable.link.purpose == Purpose::EmailUndo { "undo" } else { "change" };
        // Whoever reads the mailbox may not be who asked: they see whose space they would confirm.
        let User { civility, last_name, first_name, siret, .. } = &usable.user;
        let owner = json!({"civility": civility, "last_name": last_name, "first_name": first_name, "siret": siret});
        Answer::ok(&json!({"email": usable.email()?.display(), "purpose": purpose, "owner": owner}))
    }

    /// Does it, and consumes the link in the same transaction.
    async fn follow(&self, call: &Call, rng: &mut impl CryptoRng) -> Result<Answer, Problem> {
        let token = read(call)?;
        for _ in 0..MOST_ATTEMPTS {
            let usable = self.usable(&token, call.now).await?;
            // Where it is not theirs any more, another link of theirs was used since the user was read.
            let Some(present) = self.present(&usable.user).await? else { continue };
            let mut transaction = Transaction::new();
            let free = match usable.link.purpose {
                Purpose::EmailUndo => usable.undo(&present, call, &mut transaction, rng)?,
                _ => usable.confirm(&present, call, &mut transaction, rng)?,
            };
            // Before, as nothing would do it after a crash; and after, for what came in between. Nobody else gets the
            // address meanwhile, nor for as long as the change can be undone.
            self.leave_invitations(&usable, call, rng).await?;
            match self.store.commit(&transaction, rng).await? {
                Outcome::Committed => {
                    // The address is changed, whatever the store says now; an invitation ends by itself too.
                    self.leave_invitations(&usable, call, rng).await.ok();
                    return Ok(Answer::no_content());
                }
                // Somebody else has the address by now, and a link of its own made it theirs.
                Outcome::Refused(refused) if free.iter().any(|step| refused.failed(*step)) => {
                    return Err(Problem::LinkInvalid(MailedLink::Address));
                }
                Outcome::Refused(_) => {}
            }
        }
        Err(Problem::TryAgain { context: "the user changed all the time".to_owned() })
    }

    /// Ends what the address is invited to that the user leaves, where they leave one.
    async fn leave_invitations(&self, usable: &Usable, call: &Call, rng: &mut impl CryptoRng) -> Result<(), Problem> {
        let user = &usable.user;
        if *usable.email()? == user.email {
            return Ok(());
        }
        end_invitations(&self.store, &user.email, user, "address left", &Scene::of_call(call), rng).await?;
        Ok(())
    }

    /// The link of a token: one answer for used, replaced, expired, malformed, foreign, and for one whose change
    /// is not the user's any more.
    async fn usable(&self, token: &str, now: Timestamp) -> Result<Usable, Problem> {
        let token = LinkToken::parse(token).ok_or(Problem::LinkInvalid(MailedLink::Address))?;
        let link: Option<Link> = self.store.get(&Link::key_of(token.hashed().as_str())).await?;
        let link = link.filter(|link| now < link.expires_at).ok_or(Problem::LinkInvalid(MailedLink::Address))?;
        let of = link.change.as_ref().ok_or(Problem::LinkInvalid(MailedLink::Address))?;
        let user: Option<User> = self.store.get(&User::key_of(of.user_id)).await?;
        let user = user.ok_or(Problem::LinkInvalid(MailedLink::Address))?;
        let (place, change) = user.email_change(of.change_id).ok_or(Problem::LinkInvalid(MailedLink::Address))?;
        let good = match link.purpose {
            Purpose::EmailUndo => true,
            Purpose::EmailChange => user.pending_email() == Some(change),
            Purpose::Activation | Purpose::Reset => false,
        };
        if good { Ok(Usable { place, link, user }) } else { Err(Problem::LinkInvalid(MailedLink::Address)) }
    }

    /// What the user signs in with, and the reset link that they may have been mailed.
    async fn present(&self, user: &User) -> Result<Option<Present>, StoreError> {
        let mut batch = Batch::new();
        let login = batch.want::<Login>(Login::key_of(&user.email));
        let resets = batch.want(MailHistory::key_of(&user.email, Purpose::Reset));
        let mut fetched = self.store.fetch(batch).await?;
        let login = fetched.take(&login)?.filter(|login| login.user_id == user.user_id);
        let resets = fetched.take(&resets)?;
        Ok(login.map(|login| Present { login, resets }))
    }
}

fn read(call: &Call) -> Result<String, Problem> {
    let mut form = call.form()?;
    let token = form.verbatim("token");
    form.finish((token,)).map(|(token,)| token)
}

/// Consumes a link: still there, and not expired at this moment.
fn consume(link: &Link, now: Timestamp, transaction: &mut Transaction) -> Result<(), StoreError> {
    transaction.delete(link.key(), Some(Condition::above("expires_at", &now.as_millisecond())?));
    Ok(())
}

/// Takes a log-in, as it was read, from one address to another; the step fails where that is not free. No reset
/// link outlives the address that it was mailed to.
fn move_login(before: &Present, after: &Login, transaction: &mut Transaction) -> Result<Step, StoreError> {
    let Present { login, resets } = before;
    transaction.delete(login.key(), Some(same(login)?));
    MailHistory::end_resets(&login.email, resets.as_ref(), transaction)?;
    // What became of the mails to an address goes with who read them.
    transaction.delete(MailState::key_of(&login.email), None);
    transaction.create(after)
}

/// The log-in is still what was read: a change of SIRET and a hash made stronger move no epoch.
fn same(login: &Login) -> Result<Condition, StoreError> {
    let Login { user_id, epoch, siret, password_hash, email: _, seal_key: _, last_use, opened: _ } = login;
    Ok(Condition::All(vec![
        Condition::is("user_id", user_id)?,
        Condition::is("epoch", epoch)?,
        Condition::is("siret", siret)?,
        Condition::is("password_hash", password_hash)?,
        // Else a log-in of this moment would be forgotten.
        last_use.unchanged()?,
        login.same_opened()?,
    ]))
}

/// Keeps the reservations in step with the changes, wherever those began. An address that becomes kept had this
/// user's log-in or reservation until now, so nobody else can have it. The step fails where somebody else left
/// the address that the user will have, and can come back to it.
fn reserve(before: &User, after: &User, now: Timestamp, transaction: &mut Transaction) -> Result<Step, StoreError> {
    let nobodys = Reservation::none_of_others(after.user_id, now)?;
    let kept = after.reservations(now);
    for over in before.reservations(now) {
        if over.email != after.email && kept.iter().all(|reservation| reservation.email != over.email) {
            transaction.delete(over.key(), Some(nobodys.clone()));
        }
    }
    for reservation in &kept {
        transaction.put(reservation, Some(nobodys.clone()))?;
    }
    Ok(transaction.delete(Reservation::key_of(&after.email), Some(nobodys)))
}

/// The user's changes as an attribute, which is absent where there are none.
fn with_changes(change: Change, changes: &[EmailChange]) -> Result<Change, StoreError> {
    if changes.is_empty() { Ok(change.remove("email_changes")) } else { change.set("email_changes", &changes) }
}
