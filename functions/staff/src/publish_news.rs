//! `publish-news`: a news item on the home of every space, from now on or from a later instant.
//!
//! Its text is Markdown without HTML, held against a parser here, so that no page that shows it has to mend it
//! (docs/decisions/0069-news-have-one-range.md).

use std::time::Duration;

use jiff::Timestamp;
use portal::domain::Id;
use portal::environment::rng;
use portal::store::{News, Outcome, Record as _, StaffAct, StoreError, Transaction};
use pulldown_cmark::{Event, LinkType, Parser, Tag};
use serde_json::{Value, json};

use crate::Function;
use crate::done::Done;
use crate::fields::{Fields, Refused, Trouble, legible};

/// The longest text: ten of them are in the answer to every home.
const LONGEST_BODY: usize = 4 * 1024;

/// The longest title: a line of a page.
const LONGEST_TITLE: usize = 120;

/// How far ahead a news item may be scheduled, or expire: what is further away is a slip of the pen.
const FURTHEST: Duration = Duration::from_secs(5 * 366 * 24 * 3600);

/// Where a link may lead.
const SCHEMES: [&str; 2] = ["https://", "mailto:"];

impl Function {
    pub(crate) async fn publish_news(&self, mut fields: Fields) -> Result<Done, Trouble> {
        let author = fields.author()?;
        let title = fields.line("title", LONGEST_TITLE)?;
        let body = fields.text("body")?;
        fit(&body)?;
        let now = whole_second(self.environment.clock.now());
        let published_at = fields.instant("published_at")?.map_or(now, whole_second);
        let expires_at = fields.instant("expires_at")?.map(whole_second);
        fields.finish()?;
        in_order(now, published_at, expires_at)?;

        // The same words are the same item, so a repeat publishes nothing twice.
        let kept = self.store.query_all::<News>(&News::all()).await?;
        let (over, kept): (Vec<_>, Vec<_>) = kept.into_iter().partition(|item| item.has_expired(now));
        if let Some(same) = kept.iter().find(|item| item.title == title && item.body == body) {
            return Ok(Done::openly(json!({"unchanged": told(same)})));
        }
        if expires_at.is_some() && kept.iter().filter(|item| item.expires_at.is_some()).count() >= News::MOST_EXPIRING {
            let message = format!(
                "{} news items that expire are kept: withdraw one, or leave this field out.",
                News::MOST_EXPIRING
            );
            return Err(Refused::new("too-many-expiring", "expires_at", message).into());
        }
        let rng = &mut rng();
        let news = News { id: Id::random(rng).to_string(), title, body, published_at, expires_at };
        let event = author.event(StaffAct::NewsPublished, format!("{} {}", news.id, news.published_at), now);
        let mut transaction = Transaction::new();
        transaction.create(&news)?;
        transaction.create(&event)?;
        // Room for the new one: expired ones would be read with every home, and shown by none.
        for item in over.iter().take(MOST_CLEARED) {
            transaction.delete(item.key(), None);
        }
        match self.store.commit(&transaction, rng).await? {
            Outcome::Committed => Ok(Done::openly(json!({"published": told(&news)}))),
            // Both keys are random.
            Outcome::Refused(_) => Err(StoreError::Contention.into()),
        }
    }
}

/// How many expired ones one publication clears away: there can be no more than this, but for others at once.
const MOST_CLEARED: usize = 50;

/// What the staff are told of an item: not its text, which they have.
pub(crate) fn told(news: &News) -> Value {
    let mut told = json!({"id": news.id, "title": news.title, "published_at": news.published_at});
    if let Some(expires_at) = news.expires_at {
        told["expires_at"] = json!(expires_at);
    }
    told
}

fn whole_second(at: Timestamp) -> Timestamp {
    Timestamp::from_second(at.as_second()).unwrap_or(at)
}

fn in_order(now: Timestamp, published_at: Timestamp, expires_at: Option<Timestamp>) -> Result<(), Refused> {
    if published_at < now {
        let message = "This instant is over: leave the field out to publish now.";
        return Err(Refused::new("in-the-past", "published_at", message));
    }
    if published_at > now + FURTHEST {
        return Err(Refused::new("too-far", "published_at", "Give an instant within the next five years."));
    }
    match expires_at {
        Some(expires_at) if expires_at <= published_at => {
            Err(Refused::new("expires-before", "expires_at", "Give an instant after the publication."))
        }
        Some(expires_at) if expires_at > published_at + FURTHEST => {
            let message = "Give an instant within five years of the publication, or leave the field out.";
            Err(Refused::new("too-far", "expires_at", message))
        }
        _ => Ok(()),
    }
}

/// A text that a page can show as it is: what Markdown says, and nothing that it lets through.
fn fit(body: &str) -> Result<(), Refused> {
    legible(body, LONGEST_BODY)?;
    let refused = |code, message: String| Err(Refused::new(code, "body", message));
    for (event, place) in Parser::new(body).into_offset_iter() {
        let line = 1 + body.as_bytes()[..place.start].iter().filter(|byte| **byte == b'\n').count();
        match event {
            Event::Html(_) | Event::InlineHtml(_) | Event::Start(Tag::HtmlBlock) => {
                return refused("html", format!("Line {line} holds HTML: write Markdown alone."));
            }
            Event::Start(Tag::Image { .. }) => {
                return refused(
                    "image",
                    format!("Line {line} holds an image, which no page of ours loads: take it out."),
                );
            }
            Event::Start(Tag::Link { link_type, dest_url, .. }) if !leads_somewhere(link_type, &dest_url) => {
                let message = format!(
                    "Line {line} links to {dest_url:?}: give an address that begins with https://, mailto: or a single /."
                );
                return refused("bad-link", message);
            }
            _ => {}
        }
    }
    Ok(())
}

fn leads_somewhere(link_type: LinkType, address: &str) -> bool {
    let lower = address.to_ascii_lowercase();
    // What browsers take for a slash, or leave out, must not turn a path into another place.
    let is_path = lower.starts_with('/') && !lower.starts_with("//") && !lower.contains('\\');
    link_type == LinkType::Email || is_path || SCHEMES.iter().any(|scheme| lower.starts_with(scheme))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(body: &str) -> &'static str {
        fit(body).map_or_else(|refused| refused.code, |()| "")
    }

    #[test]
    fn markdown_alone_is_published() {
        let good = "Le portail est **ouvert**.\n\n- un\n- deux\n\n[Guide](https://www.constructys.fr/a?b=1&c) ou \
            [espace](/), <https://www.constructys.fr/>, <aide@constructys.example>, 1 < 2 & 3 > 2.\n\n`<b>` est du texte.";
        assert_eq!(code(good), "");
    }

    #[test]
    fn html_images_and_links_that_run_are_refused() {
        for (body, wanted) in [
            ("a <b>gras</b>", "html"),
            ("<script>alert(1)</script>", "html"),
            ("texte\n\n<div onclick=x>\n", "html"),
            ("<!-- caché -->", "html"),
            ("![logo](https://ailleurs.example/x.png)", "image"),
            ("[x](javascript:alert(1))", "bad-link"),
            ("[x](JaVaScRiPt:alert(1))", "bad-link"),
            ("[x](&#106;avascript:alert(1))", "bad-link"),
            ("<javascript:alert(1)>", "bad-link"),
            ("[x](data:text/html;base64,AAAA)", "bad-link"),
            ("[x](//ailleurs.example/)", "bad-link"),
            ("[x](/\\\\ailleurs.example/)", "bad-link"),
            ("[x](http://www.constructys.fr/)", "bad-link"),
            ("[x][ref]\n\n[ref]: vbscript:x", "bad-link"),
            ("a\u{202e}b", "bad-character"),
        ] {
            assert_eq!(code(body), wanted, "{body}");
        }
        let refused = fit("un\n\ndeux <b>gras</b>").unwrap_err();
        assert!(refused.message.starts_with("Line 3 "), "{}", refused.message);
    }
}
