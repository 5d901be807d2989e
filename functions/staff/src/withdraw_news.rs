//! `withdraw-news`: a news item is shown no more, or never.

use portal::environment::rng;
use portal::store::{Condition, News, Outcome, Record as _, StaffAct, StaffEvent, Transaction};
use serde_json::{Value, json};

use crate::Function;
use crate::fields::{Fields, Refused, Trouble};
use crate::publish_news::told;

impl Function {
    pub(crate) async fn withdraw_news(&self, mut fields: Fields) -> Result<Value, Trouble> {
        let author = fields.author()?;
        let id = fields.text("id")?;
        fields.finish()?;
        let kept = self.store.query_all::<News>(&News::all()).await?;
        let Some(news) = kept.into_iter().find(|item| item.id == id) else { return Err(unknown().into()) };
        let rng = &mut rng();
        let (now, detail) = (self.environment.clock.now(), format!("{} {}", news.id, news.published_at));
        let event = StaffEvent::new(&author.staff, &author.reason, StaffAct::NewsWithdrawn, detail, now, rng);
        let mut transaction = Transaction::new();
        transaction.delete(news.key(), Some(Condition::Exists));
        transaction.create(&event)?;
        match self.store.commit(&transaction, rng).await? {
            Outcome::Committed => Ok(json!({"withdrawn": told(&news)})),
            // Somebody else was faster.
            Outcome::Refused(_) => Err(unknown().into()),
        }
    }
}

fn unknown() -> Refused {
    let message = "No news item has this id: take the one that publish-news answered, or that GET /api/home shows.";
    Refused::new("news-unknown", "id", message)
}
