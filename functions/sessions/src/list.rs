//! `GET /api/sessions`: where the caller is signed in.

use futures::future::join;
use portal::http::{Answer, Call, Problem};
use portal::store::{Batch, Session};
use serde_json::{Value, json};

use crate::Function;

impl Function {
    pub(crate) async fn list(&self, call: &Call) -> Result<Answer, Problem> {
        let ticket = self.gate.ticket(call).await?;
        let mut batch = Batch::new();
        let keys = ticket.ask(&mut batch);
        let all = Session::all_of(ticket.claims.sub);
        let (fetched, sessions) = join(self.store.fetch(batch), self.store.query_all::<Session>(&all)).await;
        let caller = ticket.admit(&keys, &mut fetched?, call.now)?;
        let mut sessions = sessions?;
        sessions.retain(|session| session.is_alive(call.now) && session.epoch == caller.user.epoch);
        sessions.sort_by_key(|session| session.created_at);
        let shown = |session: &Session| {
            json!({
                "id": session.session_id,
                "created_at": session.created_at,
                "last_used_at": session.last_used_at,
                "ip": session.ip,
                "user_agent": session.user_agent,
                "current": session.session_id == caller.session.session_id,
            })
        };
        Answer::ok(&json!({"sessions": sessions.iter().map(shown).collect::<Value>()}))
    }
}
