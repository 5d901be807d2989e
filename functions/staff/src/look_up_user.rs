//! `look-up-user`: who an address belongs to, what they may read, and what became of the mails to it.

use portal::domain::{Email, Id};
use portal::store::{
    Batch, Establishment, Link, Login, MailHistory, MailSent, MailState, Outbox, Purpose, Rights, Session, StaffAct,
    StoreError, User,
};
use serde_json::{Value, json};

use crate::Function;
use crate::done::Done;
use crate::fields::{Fields, Trouble};

impl Function {
    pub(crate) async fn look_up_user(&self, mut fields: Fields) -> Result<Done, Trouble> {
        let author = fields.author()?;
        let email = fields.email()?;
        fields.finish()?;
        let now = self.environment.clock.now();
        let mut batch = Batch::new();
        let login = batch.want::<Login>(Login::key_of(&email));
        let history = batch.want::<MailHistory>(MailHistory::key_of(&email, Purpose::Activation));
        let state = batch.want::<MailState>(MailState::key_of(&email));
        let mut fetched = self.store.fetch(batch).await?;
        let state = MailState::or_none(fetched.take(&state)?, &email, now);
        let user = match fetched.take(&login)? {
            Some(login) => self.store.get::<User>(&User::key_of(login.user_id)).await?,
            None => None,
        };
        let act = StaffAct::UserLookedUp;
        // The evidence stays when the address is gone, so it does not name it.
        let detail = user.as_ref().map_or_else(|| "nobody".to_owned(), |user| format!("user {}", user.user_id));
        self.note(&author, act, detail, now).await?;

        let mut answer = match &user {
            Some(user) => self.person(user).await?,
            None => {
                let link = match fetched.take(&history)?.and_then(|history| history.newest_link) {
                    Some(newest) => self.store.get::<Link>(&Link::key_of(&newest)).await?,
                    None => None,
                };
                // A sign-up that nobody confirmed is all that there can be.
                let waiting = link.filter(|link| link.draft.is_some() && now < link.expires_at);
                json!({"user": null, "sign_up": waiting.map(|link| json!({
                    "requested_at": link.requested_at, "link_until": link.expires_at,
                }))})
            }
        };
        let stopped = state.stopped.as_ref();
        if stopped.is_some() || state.bounced_for_now > 0 {
            answer["address"] = json!({
                "stopped": stopped.map(|stopped| stopped.why),
                "since": stopped.map(|stopped| stopped.at),
                "reason": stopped.map(|stopped| &stopped.reason),
                "bounced_for_now": state.bounced_for_now,
            });
        }
        answer["mails"] = self.mails(&email, user.map(|user| user.user_id), &state).await?;
        Ok(Done::quietly(act, answer))
    }

    async fn person(&self, user: &User) -> Result<Value, StoreError> {
        let now = self.environment.clock.now();
        let rights = Rights::of(&self.store, user.user_id).await?;
        let sessions: Vec<Session> = self.store.query_all(&Session::all_of(user.user_id)).await?;
        let establishment: Option<Establishment> = self.store.get(&Establishment::key_of(&user.siret)).await?;
        let alive = sessions.iter().filter(|session| session.is_alive(now) && session.epoch == user.epoch).count();
        Ok(json!({
            "user": {
                "id": user.user_id,
                "email": user.email.display(),
                "civility": user.civility,
                "last_name": user.last_name,
                "first_name": user.first_name,
                "job_title": user.job_title,
                "created_at": user.created_at,
                "accepted_charter": user.accepted_charter,
                "origin": user.origin,
            },
            "establishment": {
                "siret": user.siret,
                "name": establishment.as_ref().map(|establishment| &establishment.name),
                "member_number": establishment.as_ref().map(|establishment| &establishment.member_number),
            },
            "accounts": rights.grants.iter().map(|grant| json!({
                "member_number": grant.member_number,
                "name": grant.name,
                "role": grant.role,
                "since": grant.since,
            })).collect::<Value>(),
            "barred": rights.bars.iter().map(|bar| &bar.member_number).collect::<Vec<_>>(),
            "next_claim_at": user.next_claim_at,
            "proofs": rights.proofs.iter().map(|proof| &proof.member_number).collect::<Vec<_>>(),
            "sessions": alive,
        }))
    }

    /// The mails to an address, the newest first: those that wait, then what became of the others.
    async fn mails(&self, email: &Email, user_id: Option<Id>, state: &MailState) -> Result<Value, StoreError> {
        let mut mails = Vec::new();
        for outbox in self.waiting().await? {
            let Some(wish) = &outbox.wish else { continue };
            let is_theirs = wish.address() == Some(email) || user_id.is_some() && wish.reader() == user_id;
            if is_theirs {
                mails.push((
                    outbox.requested_at,
                    json!({
                        "id": outbox.outbox_id, "mail": wish.kind(), "state": "queued", "at": outbox.requested_at,
                    }),
                ));
            }
        }
        mails.extend(state.mails.iter().map(|mail| {
            let MailSent { outbox_id, kind, at, delivery, reason } = mail;
            (*at, json!({"id": outbox_id, "mail": kind, "state": delivery, "at": at, "reason": reason}))
        }));
        mails.sort_by_key(|(at, _)| std::cmp::Reverse(*at));
        Ok(mails.into_iter().map(|(_, mail)| mail).collect())
    }

    /// What is on its way: seconds long it is little, and while SES is down it is what one wants to see.
    async fn waiting(&self) -> Result<Vec<Outbox>, StoreError> {
        let unsent = Outbox::unsent_before(jiff::Timestamp::MAX);
        let items = self.store.query_all_items(&unsent).await?;
        let keys = items.iter().filter_map(|item| Outbox::id_of(item.get("pk")?.as_s().ok()?));
        let mut batch = Batch::new();
        let wanted: Vec<_> = keys.map(|outbox_id| batch.want::<Outbox>(Outbox::key_of(outbox_id))).collect();
        let mut fetched = self.store.fetch(batch).await?;
        let mut waiting = Vec::new();
        for wanted in &wanted {
            waiting.extend(fetched.take(wanted)?);
        }
        Ok(waiting)
    }
}
