//! `members.ndjson`: member accounts.

use jiff::civil::Date;
use portal::domain::{Email, MemberNumber, Siret};
use serde::{Deserialize, Serialize};

use super::fields::{self, Field};
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
    /// Since when it is none any more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub closed_on: Option<Date>,
    /// The version of this record.
    #[serde(skip)]
    pub version: u64,
}

impl MemberRecord {
    /// Reads a line; fields that are not known are ignored.
    ///
    /// # Errors
    /// Where it cannot be posted, whatever the store holds.
    pub fn read(line: &Line<'_>) -> Result<Self, Rejected> {
        let reject = |reason| Rejected { reason, source_key: None };
        let content = line.content.map_err(|_| reject(Reason::of("line-too-long")))?;
        fields::object(content).and_then(Self::from_raw).map_err(reject)
    }

    fn from_raw(raw: Raw) -> Result<Self, Reason> {
        let siret = |field, name| {
            let text = fields::text(field, name)?;
            let siret = Siret::parse(&text).ok().filter(|siret| siret.as_str() == text);
            siret.ok_or(Reason::in_field("bad-siret", name))
        };
        let email =
            |field, name| Email::parse(&fields::text(field, name)?).map_err(|_| Reason::in_field("bad-email", name));
        // Accounts may be older than the law that made the contributions.
        let day = |field, name| {
            let text = fields::text(field, name)?;
            let day = text.parse::<Date>().ok().filter(|day| day.to_string() == text && day.year() >= 1900);
            day.ok_or(Reason::in_field("bad-date", name))
        };
        Ok(Self {
            member_number: fields::member_number(raw.member_number, "member_number")?,
            siret: siret(raw.siret, "siret")?,
            name: fields::title(raw.name, "name")?,
            headcount_band: fields::optional(raw.headcount_band, "headcount_band", fields::free_text)?,
            contact_email: fields::optional(raw.contact_email, "contact_email", email)?,
            opened_on: day(raw.opened_on, "opened_on")?,
            closed_on: fields::optional(raw.closed_on, "closed_on", day)?,
            version: fields::version(raw.version, "version")?,
        })
    }

    /// Tells a repeat from a conflict.
    #[must_use]
    pub fn content_hash(&self) -> String {
        content_hash(self)
    }
}

#[derive(Deserialize)]
struct Raw {
    member_number: Field,
    siret: Field,
    name: Field,
    headcount_band: Field,
    contact_email: Field,
    opened_on: Field,
    closed_on: Field,
    version: Field,
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
