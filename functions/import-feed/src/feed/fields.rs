//! Reads the fields of a record strictly, and says what is wrong with which.

use jiff::civil::Date;
use portal::domain::{Identifier, MemberNumber};
use serde_json::Value;

/// The years that a date of the feed can be in: from the first training contributions (law of 16 July
/// 1971) to far beyond any contract. A mistyped year would make a view of its own.
const YEARS: std::ops::RangeInclusive<i16> = 1972..=2100;

/// Free texts are cut nowhere, so an absurd one is refused.
const LONGEST_TEXT: usize = 1_000;

/// Why a line is quarantined.
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

/// A field as it came; null counts as absent.
pub(super) type Field = Option<Value>;

/// The JSON object on a line.
pub(super) fn object<T: serde::de::DeserializeOwned>(line: &[u8]) -> Result<T, Reason> {
    let text = std::str::from_utf8(line).map_err(|_| Reason::of("not-utf8"))?;
    let text = text.trim_matches([' ', '\t', '\r']);
    if text.is_empty() {
        return Err(Reason::of("blank-line"));
    }
    // serde reads a struct from an array too.
    if !text.starts_with('{') {
        return Err(Reason::of("not-json"));
    }
    serde_json::from_str(text).map_err(|_| Reason::of("not-json"))
}

/// A mandatory text.
pub(super) fn text(field: Field, name: &'static str) -> Result<String, Reason> {
    match field {
        Some(Value::String(text)) => Ok(text),
        Some(_) => Err(Reason::in_field("not-a-text", name)),
        None => Err(Reason::in_field("missing-field", name)),
    }
}

/// A free text: not too long, and without what no display can show.
pub(super) fn free_text(field: Field, name: &'static str) -> Result<String, Reason> {
    let text = text(field, name)?.trim().to_owned();
    if text.chars().count() > LONGEST_TEXT || text.chars().any(char::is_control) {
        return Err(Reason::in_field("bad-text", name));
    }
    Ok(text)
}

/// A free text that says something.
pub(super) fn title(field: Field, name: &'static str) -> Result<String, Reason> {
    let text = free_text(field, name)?;
    if text.is_empty() { Err(Reason::in_field("missing-field", name)) } else { Ok(text) }
}

/// A field that may be absent.
pub(super) fn optional<T>(
    field: Field,
    name: &'static str,
    read: impl FnOnce(Field, &'static str) -> Result<T, Reason>,
) -> Result<Option<T>, Reason> {
    if field.is_none() { Ok(None) } else { read(field, name).map(Some) }
}

pub(super) fn identifier(field: Field, name: &'static str) -> Result<Identifier, Reason> {
    Identifier::parse(&text(field, name)?).map_err(|_| Reason::in_field("bad-identifier", name))
}

/// An identifier that may hold spaces too.
pub(super) fn bank_reference(field: Field, name: &'static str) -> Result<String, Reason> {
    let text = text(field, name)?;
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._- ".contains(&byte);
    let valid = (1..=64).contains(&text.len()) && text.bytes().all(allowed);
    if valid { Ok(text) } else { Err(Reason::in_field("bad-identifier", name)) }
}

/// Six digits; what a person may space out, a file may not.
pub(super) fn member_number(field: Field, name: &'static str) -> Result<MemberNumber, Reason> {
    let text = text(field, name)?;
    let number = MemberNumber::parse(&text).ok().filter(|number| number.as_str() == text);
    number.ok_or(Reason::in_field("bad-member-number", name))
}

/// A day as `jjjj-mm-tt`; jiff reads other forms too, which would make two spellings of one content.
pub(super) fn date(field: Field, name: &'static str) -> Result<Date, Reason> {
    let text = text(field, name)?;
    let date = text.parse::<Date>().ok().filter(|date| date.to_string() == text && YEARS.contains(&date.year()));
    date.ok_or(Reason::in_field("bad-date", name))
}

pub(super) fn year(field: Field, name: &'static str) -> Result<i16, Reason> {
    match field {
        None => Err(Reason::in_field("missing-field", name)),
        Some(value) => {
            let year = value.as_i64().and_then(|year| i16::try_from(year).ok()).filter(|year| YEARS.contains(year));
            year.ok_or(Reason::in_field("bad-year", name))
        }
    }
}

/// A version: a whole number from 1 on that a number of JavaScript holds exactly.
pub(super) fn version(field: Field, name: &'static str) -> Result<u64, Reason> {
    match field {
        None => Err(Reason::in_field("missing-field", name)),
        Some(value) => {
            let version = value.as_u64().filter(|version| (1..=(1 << 53) - 1).contains(version));
            version.ok_or(Reason::in_field("bad-version", name))
        }
    }
}

/// One of a list of names.
pub(super) fn named<T>(
    field: Field,
    name: &'static str,
    parse: impl FnOnce(&str) -> Option<T>,
    unknown: &'static str,
) -> Result<T, Reason> {
    parse(&text(field, name)?).ok_or(Reason::in_field(unknown, name))
}
