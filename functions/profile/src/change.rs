//! Changing names, job title and SIRET.

use futures::future::join;
use jiff::Timestamp;
use portal::domain::{Civility, JobTitle, PersonName, Refusal, Siret};
use portal::erasure::{Scene, Seats, name_change, revoked, tell_revoked, withdraw};
use portal::http::{Answer, Call, Problem};
use portal::store::{
    AuditEvent, Batch, Change, Condition, EventKind, Login, Outcome, Record, Resident, Rights, Role, StoreError,
    Transaction, User, Witness,
};
use rand::CryptoRng;

use crate::{Function, shown};

impl Function {
    pub(crate) async fn change(&self, call: &Call, rng: &mut impl CryptoRng) -> Result<Answer, Problem> {
        let ticket = self.gate.ticket(call).await?;
        let mut batch = Batch::new();
        let keys = ticket.ask(&mut batch);
        let rights = Rights::of(&self.store, ticket.claims.sub);
        let (fetched, rights) = join(self.store.fetch(batch), rights).await;
        let before = ticket.admit(&keys, &mut fetched?, call.now)?.user;
        let rights = rights?;
        let after = changed(&before, call)?;

        let mut transaction = Transaction::new();
        let this_epoch = Condition::is("epoch", &before.epoch)?;
        let mut unmoved = vec![this_epoch.clone(), Condition::is("siret", &before.siret)?];
        let moves = after.siret != before.siret;
        if moves || is_renamed(&before, &after) {
            // Whom they give access, or what role they are given, at this moment would not be found below.
            unmoved.push(before.same_dealings()?);
        }
        let mut change = profile_change(&before, &after, call.now)?;
        if moves || is_renamed(&before, &after) {
            let seats = Seats::of(&self.store, &before, &rights).await?;
            seats.hold_claims_off(&before, &rights, moves, &mut transaction)?;
            let mut ended = Vec::new();
            if moves {
                let there = (&after.siret, call.now);
                ended = seats.leave(&self.store, &before, &rights, there, &mut transaction).await?;
                for grant in &ended {
                    let event = revoked(grant, &before, "moved", &Scene::of_call(call), rng)?;
                    tell_revoked(&event, grant, &mut transaction)?;
                }
                if ended.iter().any(|grant| grant.role == Role::Manager) {
                    let next = call.now + User::CLAIM_PAUSE;
                    change = change.set("next_claim_at", &next.as_millisecond())?;
                }
                for request in &rights.requests {
                    withdraw(request, &before, "moved", &Scene::of_call(call), rng, &mut transaction)?;
                }
            }
            if is_renamed(&before, &after) {
                seats.rename(&ended, &before, &after, &mut transaction)?;
            }
        }
        transaction.update(before.key(), change, Condition::All(unmoved));
        if moves {
            transaction.delete(Resident::key_of(&before.siret, before.user_id), None);
            transaction.put(&Resident { siret: after.siret.clone(), user_id: after.user_id }, None)?;
            transaction.update(Login::key_of(&before.email), Change::new().set("siret", &after.siret)?, this_epoch);
        }
        let witness = Witness::of_call(call, &before.seal_key, rng)?;
        let event = AuditEvent::by_user(before.user_id, EventKind::ProfileChanged, call.now, witness);
        transaction.create(&event)?;
        match self.store.commit(&transaction, rng).await? {
            Outcome::Committed => Answer::ok(&shown(&after)),
            Outcome::Refused(_) => Err(Problem::TryAgain { context: "the profile changed meanwhile".to_owned() }),
        }
    }
}

/// The profile as it will be.
fn changed(before: &User, call: &Call) -> Result<User, Problem> {
    let mut form = call.form()?;
    if !["civility", "last_name", "first_name", "job_title", "siret"].iter().any(|field| form.has(field)) {
        let nothing = Refusal::new(
            "required",
            "Indiquez au moins un champ à modifier : civility, last_name, first_name, job_title ou siret.",
            "Give at least one field to change: civility, last_name, first_name, job_title or siret.",
        );
        form.refuse::<()>("", nothing);
    }
    let mut after = before.clone();
    if form.has("civility") {
        after.civility = form.text("civility", Civility::parse).unwrap_or(before.civility);
    }
    if form.has("last_name") {
        after.last_name = form.text("last_name", PersonName::parse).unwrap_or_else(|| before.last_name.clone());
    }
    if form.has("first_name") {
        after.first_name = form.text("first_name", PersonName::parse).unwrap_or_else(|| before.first_name.clone());
    }
    if form.has("job_title") {
        after.job_title = form.text("job_title", JobTitle::parse).unwrap_or_else(|| before.job_title.clone());
    }
    if form.has("siret") {
        after.siret = form.text("siret", Siret::parse).unwrap_or_else(|| before.siret.clone());
    }
    form.finish((Some(after),)).map(|(after,)| after)
}

/// Only what changes: another change of other fields at the same moment stays.
fn profile_change(before: &User, after: &User, now: Timestamp) -> Result<Change, StoreError> {
    let mut change = name_change(before, after, ["civility", "last_name"])?.set("siret", &after.siret)?;
    if after.first_name != before.first_name {
        change = change.set("first_name", &after.first_name)?;
    }
    if after.job_title != before.job_title {
        change = change.set("job_title", &after.job_title)?;
    }
    if after.siret != before.siret {
        change = change.set("siret_since", &now.as_millisecond())?;
    }
    Ok(change)
}

fn is_renamed(before: &User, after: &User) -> bool {
    before.civility != after.civility || before.last_name != after.last_name
}
