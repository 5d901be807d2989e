//! `withdraw-news`: a news item is shown no more, or never.

use portal::environment::rng;
use portal::store::{Condition, News, Outcome, Record as _, StaffAct, Transaction};
use serde_json::json;

use crate::Function;
use crate::done::Done;
use crate::fields::{Fields, Refused, Trouble};
use crate::publish_news::told;

impl Function {
    pub(crate) async fn withdraw_news(&self, mut fields: Fields) -> Result<Done, Trouble> {
        let author = fields.author()?;
        let id = fields.text("id")?;
        fields.finish()?;
        let kept = self.store.query_all::<News>(&News::all()).await?;
        let Some(news) = kept.into_iter().find(|item| item.id == id) else { return Err(unknown().into()) };
        let (now, detail) = (self.environment.clock.now(), format!("{} {}", news.id, news.published_at));
        let mut transaction = Transaction::new();
        transaction.delete(news.key(), Some(Condition::Exists));
        transaction.create(&author.event(StaffAct::NewsWithdrawn, detail, now))?;
        match self.store.commit(&transaction, &mut rng()).await? {
            Outcome::Committed => Ok(Done::openly(json!({"withdrawn": told(&news)}))),
            // Somebody else was faster.
            Outcome::Refused(_) => Err(unknown().into()),
        }
    }
}

fn unknown() -> Refused {
    let message = "No news item has this id: take the one that publish-news answered, or that GET /api/home shows.";
    Refused::new("news-unknown", "id", message)
}
