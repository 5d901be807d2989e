//! `members.ndjson`: member accounts.

use jiff::civil::Date;
use portal::domain::{Email, Identifier, MemberNumber, Siret};
use serde::Serialize;

use super::fields::{self, Fields, Unreadable};
use super::{Line, Reason, Rejected, content_hash};

/// A member account as the fund has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MemberRecord {
    /// Its number.
    pub member_number: MemberNumber,
    /// Its establishment.
    pub siret: Siret,
    /// The establishment's name.
    pub name: String,
    /// How many work there, in the fund's words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub headcount_band: Option<String>,
    /// Whom the fund writes to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub contact_email: Option<Email>,
    /// Since when it is a member.
    pub opened_on: Date,
    /// The day from which on it is closed; it may lie ahead.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub closed_on: Option<Date>,
    /// The version of this record.
    #[serde(skip)]
    pub version: u64,
    /// Which of its fields cannot be read.
    #[serde(skip_serializing_if = "Unreadable::is_empty")]
    pub unreadable: Unreadable,
}

impl MemberRecord {
    /// Reads a line; fields that are not known are ignored.
    ///
    /// # Errors
    /// Where it cannot be posted, whatever the store holds.
    pub fn read(line: &Line<'_>) -> Result<Self, Rejected> {
        let reject = |reason, source_key| Rejected { reason, source_key };
        let content = line.content.map_err(|_| reject(Reason::of("line-too-long"), None))?;
        let fields = Fields::read(content).map_err(|reason| reject(reason, None))?;
        let known_key = fields.required("member_number", fields::member_number).ok().as_ref().map(Self::key_of);
        Self::from_fields(fields).map_err(|reason| reject(reason, known_key))
    }

    /// Reads a line of a batch whose records name no day after `last`, as [`Manifest::last_day`] says, but for the day
    /// on which an account closes.
    ///
    /// # Errors
    /// As [`MemberRecord::read`], and where the account opens later.
    ///
    /// [`Manifest::last_day`]: super::Manifest::last_day
    pub fn read_by(line: &Line<'_>, last: Date) -> Result<Self, Rejected> {
        let record = Self::read(line)?;
        if record.opened_on > last {
            let source_key = Some(record.key());
            return Err(Rejected { reason: Reason::in_field("date-ahead", "opened_on"), source_key });
        }
        Ok(record)
    }

    /// Its number, which is its key.
    #[must_use]
    pub fn key(&self) -> Identifier {
        Self::key_of(&self.member_number)
    }

    fn key_of(number: &MemberNumber) -> Identifier {
        number.into()
    }

    fn from_fields(mut fields: Fields<'_>) -> Result<Self, Reason> {
        let opened_on = fields.required("opened_on", fields::account_date)?;
        let closed_on = fields.optional("closed_on", |value| match fields::closing_date(value)? {
            Some(day) if day < opened_on => Err("closed-before-opened"),
            day => Ok(day),
        });
        Ok(Self {
            member_number: fields.required("member_number", fields::member_number)?,
            siret: fields.required("siret", fields::siret)?,
            name: fields.required("name", fields::free_text)?,
            headcount_band: fields.optional("headcount_band", fields::free_text),
            contact_email: fields.optional("contact_email", fields::email),
            opened_on,
            closed_on: closed_on.flatten(),
            version: fields.required("version", fields::version)?,
            unreadable: fields.unreadable,
        })
    }

    /// Tells a repeat from a conflict.
    #[must_use]
    pub fn content_hash(&self) -> String {
        content_hash(self)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// What `docs/feed.md` says of each field.
    #[test]
    fn what_is_required_is_required_and_nothing_else_is() {
        let member = json!({
            "member_number": "012345", "siret": "53384615000019", "name": "MARTIN BTP", "headcount_band": "10-49",
            "contact_email": "compta@martin.example", "opened_on": "2009-03-01", "closed_on": "2012-03-31", "version": 1,
        });
        for field in member.as_object().unwrap().keys() {
            let mut without = member.clone();
            without.as_object_mut().unwrap().remove(field);
            let line = without.to_string();
            let read = MemberRecord::read(&Line { number: 1, content: Ok(line.as_bytes()) });
            let optional = ["headcount_band", "contact_email", "closed_on"].contains(&field.as_str());
            assert_eq!(read.is_ok(), optional, "without {field}: {read:?}");
        }
    }
}
