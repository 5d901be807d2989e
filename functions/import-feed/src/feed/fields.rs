//! Reads the fields of a record strictly, and says what is wrong with which.

use std::ops::RangeInclusive;

use jiff::civil::Date;
use portal::domain::{Email, Identifier, MemberNumber, RemittanceNumber, ShortText, Siret};
use serde::ser::{Serialize, SerializeSeq as _, Serializer};

use super::object::{Object, Scalar};
use super::{Line, Rejected};

/// The years that a day of the ledger can be in: from the first training contributions (law of 16 July
/// 1971) to far beyond any contract. A mistyped year would make a view of its own.
const YEARS: RangeInclusive<i16> = 1972..=2100;

/// The years that a day of an account can be in: accounts may be older than the law that made the contributions.
const YEARS_OF_ACCOUNTS: RangeInclusive<i16> = 1900..=2100;

/// Free texts are cut nowhere, so an absurd one is refused.
const LONGEST_TEXT: usize = 1_000;

/// Why a line is quarantined, or a field ignored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Reason {
    /// Kebab-case; part of the report.
    pub code: &'static str,
    /// The field at fault.
    pub field: Option<&'static str>,
}

impl Reason {
    /// A reason that concerns the record as a whole.
    #[must_use]
    pub const fn of(code: &'static str) -> Self {
        Self { code, field: None }
    }

    /// A reason that concerns a field.
    #[must_use]
    pub const fn in_field(code: &'static str, field: &'static str) -> Self {
        Self { code, field: Some(field) }
    }
}

/// The optional fields of a record that cannot be read, and why.
///
/// They are part of what the record says: where a former version had a value, that one is kept, while a field that is
/// absent takes it away.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Unreadable(Vec<Reason>);

impl Unreadable {
    /// Every field could be read.
    pub const NONE: &Self = &Self(Vec::new());

    /// Whether every field could be read.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether this field could not be read.
    #[must_use]
    pub fn has(&self, field: &str) -> bool {
        self.0.iter().any(|reason| reason.field == Some(field))
    }

    /// Why each could not.
    pub fn reasons(&self) -> impl Iterator<Item = Reason> + '_ {
        self.0.iter().copied()
    }

    /// One more.
    pub(super) fn add(&mut self, reason: Reason) {
        self.0.push(reason);
    }
}

impl Serialize for Unreadable {
    /// The names: it changes nothing of a record in which way a field cannot be read.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut names = serializer.serialize_seq(Some(self.0.len()))?;
        for name in self.0.iter().filter_map(|reason| reason.field) {
            names.serialize_element(name)?;
        }
        names.end()
    }
}

/// The fields of a record: those that it must have, and those that may be absent.
pub(super) struct Fields<'a> {
    object: Object<'a>,
    /// The optional fields that could not be read so far.
    pub(super) unreadable: Unreadable,
}

impl<'a> Fields<'a> {
    /// The fields of a line of a file.
    pub(super) fn of_line(line: &Line<'a>) -> Result<Self, Rejected> {
        let reject = |reason| Rejected { reason, source_key: None };
        let content = line.content.map_err(|_| reject(Reason::of("line-too-long")))?;
        Self::read(content).map_err(reject)
    }

    /// The fields of a line.
    pub(super) fn read(line: &'a [u8]) -> Result<Self, Reason> {
        Ok(Self { object: Object::read(line)?, unreadable: Unreadable::default() })
    }

    /// Tells whether a field that can be read holds this text.
    pub(super) fn is(&self, name: &'static str, text: &str) -> bool {
        self.object.scalar(name).ok().flatten() == Some(Scalar::Text(text.into()))
    }

    /// A field that the record must have; one that is blank is missing.
    pub(super) fn required<T>(
        &self,
        name: &'static str,
        read: impl FnOnce(Scalar<'a>) -> Result<T, &'static str>,
    ) -> Result<T, Reason> {
        let value = self.object.scalar(name)?.ok_or(Reason::in_field("missing-field", name))?;
        read(value).map_err(|code| Reason::in_field(code, name))
    }

    /// A field that may be absent, and costs its record where it cannot be read, because that means something else without it.
    pub(super) fn if_there<T>(
        &self,
        name: &'static str,
        read: impl FnOnce(Scalar<'a>) -> Result<T, &'static str>,
    ) -> Result<Option<T>, Reason> {
        let value = self.object.scalar(name)?;
        value.map(read).transpose().map_err(|code| Reason::in_field(code, name))
    }

    /// A field that may be absent; one that cannot be read is noted, and costs nothing but itself.
    pub(super) fn optional<T>(
        &mut self,
        name: &'static str,
        read: impl FnOnce(Scalar<'a>) -> Result<T, &'static str>,
    ) -> Option<T> {
        let value = self.object.scalar(name).transpose()?;
        match value.and_then(|value| read(value).map_err(|code| Reason::in_field(code, name))) {
            Ok(value) => Some(value),
            Err(reason) => {
                self.unreadable.add(reason);
                None
            }
        }
    }
}

pub(super) fn text(value: Scalar<'_>) -> Result<std::borrow::Cow<'_, str>, &'static str> {
    match value {
        Scalar::Text(text) => Ok(text),
        Scalar::Number(_) | Scalar::Other => Err("not-a-text"),
    }
}

/// A free text: not too long, and without what no display can show.
pub(super) fn free_text(value: Scalar<'_>) -> Result<String, &'static str> {
    let text = text(value)?.trim().to_owned();
    if text.chars().count() > LONGEST_TEXT || text.chars().any(char::is_control) { Err("bad-text") } else { Ok(text) }
}

/// What a third party numbers or words.
pub(super) fn short_text(value: Scalar<'_>) -> Result<ShortText, &'static str> {
    ShortText::parse(&text(value)?).map_err(|_| "bad-text")
}

pub(super) fn remittance_number(value: Scalar<'_>) -> Result<RemittanceNumber, &'static str> {
    RemittanceNumber::parse(&text(value)?).map_err(|_| "bad-text")
}

pub(super) fn identifier(value: Scalar<'_>) -> Result<Identifier, &'static str> {
    Identifier::parse(&text(value)?).map_err(|_| "bad-identifier")
}

pub(super) fn email(value: Scalar<'_>) -> Result<Email, &'static str> {
    Email::parse(&text(value)?).map_err(|_| "bad-email")
}

pub(super) fn siret(value: Scalar<'_>) -> Result<Siret, &'static str> {
    let text = text(value)?;
    Siret::parse(&text).ok().filter(|siret| siret.as_str() == text).ok_or("bad-siret")
}

/// Six digits; what a person may space out, a file may not.
pub(super) fn member_number(value: Scalar<'_>) -> Result<MemberNumber, &'static str> {
    let text = text(value)?;
    MemberNumber::parse(&text).ok().filter(|number| number.as_str() == text).ok_or("bad-member-number")
}

/// A day of the ledger.
pub(super) fn date(value: Scalar<'_>) -> Result<Date, &'static str> {
    day(value, &YEARS)
}

/// A day of an account.
pub(super) fn account_date(value: Scalar<'_>) -> Result<Date, &'static str> {
    day(value, &YEARS_OF_ACCOUNTS)
}

/// The day on which an account closes, or nothing where it is the day that stands for no end.
pub(super) fn closing_date(value: Scalar<'_>) -> Result<Option<Date>, &'static str> {
    if value == Scalar::Text("9999-12-31".into()) { Ok(None) } else { account_date(value).map(Some) }
}

/// A day as `jjjj-mm-tt`; jiff reads other forms too, which would make two spellings of one content.
fn day(value: Scalar<'_>, years: &RangeInclusive<i16>) -> Result<Date, &'static str> {
    let text = text(value)?;
    let date = text.parse::<Date>().ok().filter(|date| date.to_string() == text && years.contains(&date.year()));
    date.ok_or("bad-date")
}

pub(super) fn year(value: Scalar<'_>) -> Result<i16, &'static str> {
    let year = integer(&value).and_then(|year| i16::try_from(year).ok()).filter(|year| YEARS.contains(year));
    year.ok_or("bad-year")
}

/// A version: a whole number from 1 on that a number of JavaScript holds exactly.
pub(super) fn version(value: Scalar<'_>) -> Result<u64, &'static str> {
    let version = integer(&value).and_then(|version| u64::try_from(version).ok());
    version.filter(|version| (1..=(1 << 53) - 1).contains(version)).ok_or("bad-version")
}

/// A number without a fraction or an exponent.
pub(super) fn integer(value: &Scalar<'_>) -> Option<i64> {
    match value {
        Scalar::Number(number) => number.parse().ok(),
        Scalar::Text(_) | Scalar::Other => None,
    }
}

/// Reads one of a list of names.
pub(super) fn named<'a, T>(
    parse: impl FnOnce(&str) -> Option<T>,
    unknown: &'static str,
) -> impl FnOnce(Scalar<'a>) -> Result<T, &'static str> {
    move |value| parse(&text(value)?).ok_or(unknown)
}
