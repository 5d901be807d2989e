//! The fields of an operation, read one by one; the first that is wrong is named with what to do.

use jiff::Timestamp;
use portal::domain::{Email, Refusal, is_unfit, one_line};
use portal::store::StoreError;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// The longest name, and the longest reason: evidence is kept for good.
const LONGEST_NAME: usize = 120;
const LONGEST_REASON: usize = 500;

/// What is wrong with an event, for a person and for a script.
#[derive(Debug, Serialize)]
pub(crate) struct Refused {
    pub(crate) code: &'static str,
    pub(crate) field: String,
    pub(crate) message: String,
}

impl Refused {
    pub(crate) fn new(code: &'static str, field: &str, message: impl Into<String>) -> Self {
        Self { code, field: field.to_owned(), message: message.into() }
    }
}

/// Why an operation did not happen.
#[derive(Debug)]
pub(crate) enum Trouble {
    /// The event is wrong, or no longer fits.
    Refused(Refused),
    /// The store failed.
    Store(StoreError),
}

impl From<Refused> for Trouble {
    fn from(refused: Refused) -> Self {
        Self::Refused(refused)
    }
}

impl From<StoreError> for Trouble {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// Who acts, and why: every operation wants both, for the evidence.
#[derive(Debug)]
pub(crate) struct Author {
    pub(crate) staff: String,
    pub(crate) reason: String,
}

/// The fields that an operation has not read yet.
#[derive(Debug, Deserialize)]
pub(crate) struct Fields(Map<String, Value>);

impl Fields {
    /// Who acts, and why.
    pub(crate) fn author(&mut self) -> Result<Author, Refused> {
        Ok(Author { staff: self.line("staff", LONGEST_NAME)?, reason: self.line("reason", LONGEST_REASON)? })
    }

    /// A mandatory text, as it is.
    pub(crate) fn text(&mut self, name: &'static str) -> Result<String, Refused> {
        match self.0.remove(name) {
            Some(Value::String(text)) if !text.trim().is_empty() => Ok(text),
            None | Some(Value::Null | Value::String(_)) => {
                Err(Refused::new("required", name, "This field is required."))
            }
            Some(_) => Err(Refused::new("not-a-string", name, "Give text.")),
        }
    }

    /// The address that an operation is about.
    pub(crate) fn email(&mut self) -> Result<Email, Refused> {
        let text = self.text("email")?;
        Email::parse(&text).map_err(|refusal| Refused::new(refusal.code, "email", refusal.en))
    }

    /// An address that may be left out.
    pub(crate) fn optional_email(&mut self) -> Result<Option<Email>, Refused> {
        let text = self.optional_text("email")?;
        let refused = |refusal: Refusal| Refused::new(refusal.code, "email", refusal.en);
        text.map(|text| Email::parse(&text).map_err(refused)).transpose()
    }

    /// A text that may be left out.
    pub(crate) fn optional_text(&mut self, name: &'static str) -> Result<Option<String>, Refused> {
        match self.0.get(name) {
            None | Some(Value::Null) => {
                self.0.remove(name);
                Ok(None)
            }
            Some(_) => self.text(name).map(Some),
        }
    }

    /// Yes or no; no where it is left out.
    pub(crate) fn optional_flag(&mut self, name: &'static str) -> Result<bool, Refused> {
        match self.0.get(name) {
            None | Some(Value::Null) => {
                self.0.remove(name);
                Ok(false)
            }
            Some(_) => self.flag(name),
        }
    }

    /// Ends the reading: what is left is nothing that the operation knows.
    pub(crate) fn finish(self) -> Result<(), Refused> {
        match self.0.keys().next() {
            None => Ok(()),
            Some(name) => Err(Refused::new("unknown-field", name, "There is no such field: leave it out.")),
        }
    }

    /// A mandatory whole number from 0 on.
    pub(crate) fn whole(&mut self, name: &'static str, highest: u32) -> Result<u32, Refused> {
        let refused = || Refused::new("not-a-number", name, format!("Give a whole number from 0 to {highest}."));
        match self.0.remove(name) {
            None | Some(Value::Null) => Err(Refused::new("required", name, "This field is required.")),
            Some(value) => {
                let number = value.as_u64().and_then(|number| u32::try_from(number).ok());
                number.filter(|number| *number <= highest).ok_or_else(refused)
            }
        }
    }

    /// A mandatory yes or no.
    pub(crate) fn flag(&mut self, name: &'static str) -> Result<bool, Refused> {
        match self.0.remove(name) {
            None | Some(Value::Null) => Err(Refused::new("required", name, "This field is required.")),
            Some(Value::Bool(flag)) => Ok(flag),
            Some(_) => Err(Refused::new("not-a-flag", name, "Give true or false.")),
        }
    }

    /// An instant, where one is given.
    pub(crate) fn instant(&mut self, name: &'static str) -> Result<Option<Timestamp>, Refused> {
        let refused = || Refused::new("not-an-instant", name, "Give an instant such as 2026-12-01T08:00:00Z.");
        match self.0.remove(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => text.parse().map(Some).map_err(|_| refused()),
            Some(_) => Err(refused()),
        }
    }

    /// A mandatory text of one line.
    pub(crate) fn line(&mut self, name: &'static str, longest: usize) -> Result<String, Refused> {
        let refused = |refusal: Refusal| Refused::new(refusal.code, name, refusal.en);
        one_line(&self.text(name)?, longest).map_err(refused)
    }
}

/// A body of so many bytes at most, without what nobody sees.
pub(crate) fn legible(body: &str, longest: usize) -> Result<(), Refused> {
    if body.len() > longest {
        let message = format!("The text has {} bytes: shorten it to {longest}.", body.len());
        return Err(Refused::new("too-long", "body", message));
    }
    for (line, text) in (1..).zip(body.split('\n')) {
        if let Some(character) = text.chars().find(|character| is_unfit(*character)) {
            let found = character.escape_unicode();
            let message = format!(
                "Line {line} holds {found}: take out control and invisible characters, and end lines with LF alone."
            );
            return Err(Refused::new("bad-character", "body", message));
        }
    }
    Ok(())
}
