//! `POST /api/sessions`: e-mail and password open a session.

use portal::domain::{Email, Id};
use portal::http::{Answer, Call, Problem};
use portal::security::{Password, RefreshToken};
use portal::store::{AuditEvent, Condition, EventKind, Login, Outcome, Session, Transaction, Witness};
use rand::CryptoRng;

use crate::Function;

impl Function {
    /// One read, one hash, whether the address is known or not; then one write where the password is
    /// right.
    pub(crate) async fn log_in(&self, call: &Call, rng: &mut impl CryptoRng) -> Result<Answer, Problem> {
        let mut form = call.form()?;
        let email = form.text("email", Email::parse);
        let password = form.verbatim("password");
        let (email, password) = form.finish((email, password))?;

        let login: Option<Login> = self.store.get(&Login::key_of(&email)).await?;
        let hash = login.as_ref().map(|login| &login.password_hash);
        let verified = self.hashing.verify(Password::of(password), hash).await;
        let right = verified.map_err(|error| Problem::internal("password", &error))?;
        let login = login.filter(|_| right).ok_or(Problem::BadCredentials)?;
        let key = self.signer.key(call.now).await?;

        let witness = Witness::of_call(call, &login.seal_key, rng)?;
        let refresh = RefreshToken::random(login.user_id, Id::random(rng), rng);
        let session = Session {
            user_id: login.user_id,
            session_id: refresh.session_id,
            refresh_hash: refresh.hash(),
            generation: 0,
            rotations: Vec::new(),
            epoch: login.epoch,
            created_at: call.now,
            last_used_at: call.now,
            expires_at: call.now + Session::LONGEST,
            ip: call.source_ip.map(|ip| ip.to_string()),
            user_agent: call.user_agent.clone(),
            ttl: (call.now + Session::LONGEST).as_second(),
        };

        let mut transaction = Transaction::new();
        // The epoch moves with the password: a log-in with one that was changed meanwhile opens nothing.
        transaction.check(Login::key_of(&login.email), Condition::is("epoch", &login.epoch)?);
        transaction.create(&session)?;
        transaction.create(&AuditEvent::by_user(login.user_id, EventKind::LoggedIn, call.now, witness, rng))?;
        match self.store.commit(&transaction, rng).await? {
            Outcome::Committed => self.tokens(&session, &login.siret, &refresh, &key, call.now, rng),
            Outcome::Refused(_) => Err(Problem::BadCredentials),
        }
    }
}
