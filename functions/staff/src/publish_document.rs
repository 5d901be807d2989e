//! `publish-document`: a new version of a legal document takes force.
//!
//! From the next read on a sign-up, an acceptance or a claim that names the version before is told
//! `document-outdated`, and after a new charter the member account is closed until it is accepted. What
//! was accepted stays accepted, and every version stays readable.

use portal::domain::{Document, DocumentKind};
use portal::environment::rng;
use portal::store::{CurrentDocument, Outcome, StaffAct, Transaction, current_document, put_into_force};
use serde_json::json;

use crate::Function;
use crate::done::Done;
use crate::fields::{Fields, Refused, Trouble, legible};

/// The longest text: half of what DynamoDB takes as an item (400 KB), so that no attribute beside it
/// matters. The longest of version 1 has 7 KB.
const LONGEST_BODY: usize = 200 * 1024;

/// The longest title: it stands in mails and on one line of a page.
const LONGEST_TITLE: usize = 120;

impl Function {
    pub(crate) async fn publish_document(&self, mut fields: Fields) -> Result<Done, Trouble> {
        let author = fields.author()?;
        let kind = kind(&fields.text("kind")?)?;
        let body = fields.text("body")?;
        fields.finish()?;
        let title = title(&body)?;

        let now = self.environment.clock.now();
        let replaced = current_document(&self.store, kind).await?;
        let document = Document::new(kind, replaced.version.saturating_add(1), title, body, now);
        if document.sha256 == replaced.sha256 {
            return Ok(Done::openly(json!({"unchanged": replaced})));
        }
        let rng = &mut rng();
        let detail = format!("{kind} {} {}", document.version, document.sha256);
        let event = author.event(StaffAct::DocumentPublished, detail, now);
        let mut transaction = Transaction::new();
        put_into_force(&mut transaction, &document, &replaced)?;
        transaction.create(&event)?;
        match self.store.commit(&transaction, rng).await? {
            Outcome::Committed => Ok(Done::openly(json!({"published": CurrentDocument::of(&document)}))),
            Outcome::Refused(_) => Err(overtaken(&document).into()),
        }
    }
}

fn kind(text: &str) -> Result<DocumentKind, Refused> {
    let names = DocumentKind::ALL.map(DocumentKind::as_str).join(", ");
    DocumentKind::parse(text).ok_or_else(|| Refused::new("kind-unknown", "kind", format!("Give one of: {names}.")))
}

/// The title of a text that can be published: its first line, behind `# `.
fn title(body: &str) -> Result<String, Refused> {
    legible(body, LONGEST_BODY)?;
    let refused = |code, message: String| Err(Refused::new(code, "body", message));
    let first = body.split('\n').next().unwrap_or_default();
    let title = first.strip_prefix("# ").map(str::trim).unwrap_or_default();
    match title.chars().count() {
        0 => refused("no-title", "Begin the text with its title: a first line of \"# \" and words.".to_owned()),
        length if length > LONGEST_TITLE => {
            refused("title-too-long", format!("The title has {length} characters: shorten it to {LONGEST_TITLE}."))
        }
        _ => Ok(title.to_owned()),
    }
}

/// Somebody else published between this operation's look and its write.
fn overtaken(document: &Document) -> Refused {
    let Document { kind, version, .. } = document;
    let message = format!(
        "Somebody else has just published {kind} {version}: read it, and publish again if yours is still to replace it."
    );
    Refused::new("published-meanwhile", "kind", message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_title_is_the_first_line() {
        assert_eq!(title("#   Charte d’utilisation \n\nTexte").unwrap(), "Charte d’utilisation");
        for none in ["Texte", "\n# Charte", "## Charte", "#Charte", "#  \nTexte"] {
            assert_eq!(title(none).unwrap_err().code, "no-title", "{none:?}");
        }
        assert_eq!(title(&format!("# {}", "é".repeat(121))).unwrap_err().code, "title-too-long");
        assert!(title(&format!("# {}", "é".repeat(120))).is_ok());
    }

    #[test]
    fn what_nobody_sees_is_in_no_text() {
        for unfit in ["\r", "\t", "\0", "\u{202e}", "\u{200b}", "\u{feff}", "\u{2028}", "\u{1b}[2J"] {
            let refused = title(&format!("# Charte\n\nTexte{unfit}\n")).unwrap_err();
            assert_eq!((refused.code, refused.field.as_str()), ("bad-character", "body"), "{unfit:?}");
            assert!(refused.message.starts_with("Line 3 "), "{}", refused.message);
        }
        assert!(title("# Charte\n\n« Été »\u{a0}; cœur\u{202f}! – l’€\n").is_ok());
    }

    #[test]
    fn a_text_is_measured_in_bytes() {
        let body = |length: usize| format!("# Charte\n{}", "x".repeat(length - 9));
        assert!(title(&body(LONGEST_BODY)).is_ok());
        assert_eq!(title(&body(LONGEST_BODY + 1)).unwrap_err().code, "too-long");
        let accented = format!("# Charte\n{}", "é".repeat(LONGEST_BODY / 2));
        assert_eq!(title(&accented).unwrap_err().code, "too-long");
    }
}
