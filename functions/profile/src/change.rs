//! Changing names, job title and SIRET.

use futures::future::join;
use portal::domain::{Civility, JobTitle, PersonName, Refusal, Siret};
use portal::http::{Answer, Call, Problem};
use portal::store::{
    Account, AuditEvent, Batch, Change, Condition, Establishment, EventKind, Grant, GrantMirror, Login, Outcome, Proof,
    Record, Rights, Role, StoreError, Transaction, User, Witness,
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
        // Only what changes: another change of other fields at the same moment stays.
        let mut profile = name_change(&before, &after, ["civility", "last_name"])?.set("siret", &after.siret)?;
        if after.first_name != before.first_name {
            profile = profile.set("first_name", &after.first_name)?;
        }
        if after.job_title != before.job_title {
            profile = profile.set("job_title", &after.job_title)?;
        }
        let unmoved = Condition::All(vec![this_epoch.clone(), Condition::is("siret", &before.siret)?]);
        transaction.update(before.key(), profile, unmoved);
        let moves = after.siret != before.siret;
        if moves || is_renamed(&before, &after) {
            self.hold_claims_off(&before, &rights, moves, &mut transaction).await?;
        }
        if moves {
            transaction.update(Login::key_of(&before.email), Change::new().set("siret", &after.siret)?, this_epoch);
            self.leave(&before, &rights, &mut transaction).await?;
        }
        rename_manager(&before, &after, &rights, &mut transaction)?;
        let witness = Witness::of_call(call, &before, rng)?;
        let event = AuditEvent::by_user(before.user_id, EventKind::ProfileChanged, call.now, witness, rng);
        transaction.create(&event)?;
        match self.store.commit(&transaction, rng).await? {
            Outcome::Committed => Answer::ok(&shown(&after)),
            Outcome::Refused(_) => Err(Problem::TryAgain { context: "the profile changed meanwhile".to_owned() }),
        }
    }

    /// Leaves the old establishment: its proofs and grants end with the SIRET that they were given for.
    async fn leave(&self, user: &User, rights: &Rights, transaction: &mut Transaction) -> Result<(), Problem> {
        for proof in rights.proofs.iter().filter(|proof| proof.siret == user.siret) {
            transaction.delete(Proof::key_of(user.user_id, &proof.member_number), None);
        }
        for grant in rights.grants.iter().filter(|grant| grant.siret == user.siret) {
            if grant.role == Role::Manager {
                let readers: Vec<GrantMirror> = self.store.query_all(&Grant::all_on(&grant.member_number)).await?;
                if readers.iter().any(|reader| reader.0.user_id != user.user_id) {
                    return Err(Problem::ManagerMustHandOver);
                }
                // Alone, the manager leaves the account unclaimed.
                let own_seat = Condition::is("manager.user_id", &user.user_id)?;
                transaction.update(Establishment::key_of(&grant.siret), Change::new().remove("manager"), own_seat);
                // Whoever claims it next gives an answer of their own (leaflet S57).
                let unused = Change::new().set("active", &false)?;
                transaction.update(Account::key_of(&grant.member_number), unused, Condition::Exists);
            }
            transaction.delete(grant.key(), Some(Condition::is("role", &grant.role)?));
            transaction.delete(Grant::mirror_key_of(user.user_id, &grant.member_number), None);
        }
        Ok(())
    }

    /// A claim may commit between the look at the rights and the change: its grant would stay behind, its
    /// seat would keep the old name. Then the change waits for a second look.
    async fn hold_claims_off(
        &self,
        user: &User,
        rights: &Rights,
        moves: bool,
        transaction: &mut Transaction,
    ) -> Result<(), Problem> {
        let establishment: Option<Establishment> = self.store.get(&Establishment::key_of(&user.siret)).await?;
        let Some(Establishment { member_number: number, .. }) = establishment else { return Ok(()) };
        match rights.grants.iter().find(|grant| grant.member_number == number) {
            None => {
                transaction.check(Grant::key_of(user.user_id, &number), Condition::Absent);
            }
            Some(grant) if !moves => {
                transaction.check(grant.key(), Condition::is("role", &grant.role)?);
            }
            // Leaving deletes it, under the same condition.
            Some(_) => {}
        }
        if moves && !rights.proofs.iter().any(|proof| proof.member_number == number) {
            transaction.delete(Proof::key_of(user.user_id, &number), None);
        }
        Ok(())
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

fn is_renamed(before: &User, after: &User) -> bool {
    before.civility != after.civility || before.last_name != after.last_name
}

/// What changes of civility and last name, as attributes of these names.
fn name_change(before: &User, after: &User, [civility, last_name]: [&'static str; 2]) -> Result<Change, StoreError> {
    let mut change = Change::new();
    if after.civility != before.civility {
        change = change.set(civility, &after.civility)?;
    }
    if after.last_name != before.last_name {
        change = change.set(last_name, &after.last_name)?;
    }
    Ok(change)
}

/// Keeps the name that colleagues see in step with the profile.
fn rename_manager(before: &User, after: &User, rights: &Rights, transaction: &mut Transaction) -> Result<(), Problem> {
    if !is_renamed(before, after) {
        return Ok(());
    }
    let kept =
        |grant: &&Grant| grant.role == Role::Manager && (grant.siret != before.siret || after.siret == before.siret);
    for grant in rights.grants.iter().filter(kept) {
        let name = name_change(before, after, ["manager.civility", "manager.last_name"])?;
        let own_seat = Condition::is("manager.user_id", &after.user_id)?;
        transaction.update(Establishment::key_of(&grant.siret), name, own_seat);
    }
    Ok(())
}
