//! A JSON object whose fields are read one by one, so that one which cannot be read leaves the others as they are.

use std::borrow::Cow;
use std::fmt;

use portal::domain::is_blank;
use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::Reason;

/// The fields of a JSON object, as they stand there.
pub(super) struct Object<'a>(Vec<(Cow<'a, str>, &'a RawValue)>);

/// The value of a field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Scalar<'a> {
    /// A string.
    Text(Cow<'a, str>),
    /// A number, as it is written.
    Number(&'a str),
    /// Neither.
    Other,
}

impl<'a> Object<'a> {
    /// Reads a line that is an object.
    ///
    /// # Errors
    /// Where it is none.
    pub(super) fn read(line: &'a [u8]) -> Result<Self, Reason> {
        let text = std::str::from_utf8(line).map_err(|_| Reason::of("not-utf8"))?;
        let text = text.trim_matches([' ', '\t', '\r']);
        if text.is_empty() {
            return Err(Reason::of("blank-line"));
        }
        serde_json::from_str(text).map_err(|_| Reason::of("not-json"))
    }

    /// The value of a field; `None` where it is absent or null, or holds nothing but blanks.
    ///
    /// # Errors
    /// Where it stands there twice, or is a text that no encoding has.
    pub(super) fn scalar(&self, name: &'static str) -> Result<Option<Scalar<'a>>, Reason> {
        let Some(raw) = self.raw(name)? else { return Ok(None) };
        let text = raw.get();
        Ok(match text.as_bytes().first() {
            Some(b'n') => None,
            Some(b'"') => {
                let text = unquote(text).ok_or(Reason::in_field("lone-surrogate", name))?;
                if is_blank(&text) { None } else { Some(Scalar::Text(text)) }
            }
            Some(b'-' | b'0'..=b'9') => Some(Scalar::Number(text)),
            _ => Some(Scalar::Other),
        })
    }

    /// A field as it is written.
    ///
    /// # Errors
    /// Where it stands there twice.
    pub(super) fn raw(&self, name: &'static str) -> Result<Option<&'a RawValue>, Reason> {
        let mut found = self.0.iter().filter(|(field, _)| field == name);
        let first = found.next();
        if found.next().is_some() {
            return Err(Reason::in_field("doubled-field", name));
        }
        Ok(first.map(|(_, value)| *value))
    }

    /// The last value of a field, whatever stands there beside it.
    pub(super) fn last(&self, name: &str) -> Option<&'a RawValue> {
        self.0.iter().rfind(|(field, _)| field == name).map(|(_, value)| *value)
    }
}

/// The text of a JSON string that is well formed; `None` where it escapes half of a surrogate pair, which JSON's
/// grammar allows and Unicode does not (RFC 8259, 8.2).
fn unquote(string: &str) -> Option<Cow<'_, str>> {
    let inner = string.get(1..string.len().checked_sub(1)?)?;
    if inner.contains('\\') { serde_json::from_str(string).ok().map(Cow::Owned) } else { Some(Cow::Borrowed(inner)) }
}

impl<'de: 'a, 'a> Deserialize<'de> for Object<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Fields;
        impl<'de> Visitor<'de> for Fields {
            type Value = Object<'de>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Object<'de>, A::Error> {
                let mut fields = Vec::with_capacity(16);
                while let Some((name, value)) = map.next_entry::<&'de RawValue, &'de RawValue>()? {
                    // A name that no encoding has is that of a field which nobody knows.
                    fields.extend(unquote(name.get()).map(|name| (name, value)));
                }
                Ok(Object(fields))
            }
        }
        deserializer.deserialize_map(Fields)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scalar<'a>(object: &Object<'a>, name: &'static str) -> Result<Option<Scalar<'a>>, &'static str> {
        object.scalar(name).map_err(|reason| reason.code)
    }

    #[test]
    fn each_field_is_read_on_its_own() {
        let line = r#" {"a":"x\né","b":-12,"c":"\ud83d","d":[{"d":"\udc00"}],"e":" \t\u200b","f":null,"\u0067":1e999,
            "h":"\ud83d\ude00","i":1,"i":1,"\ud800":1,"j":true} "#
            .replace('\n', "");
        let object = Object::read(line.as_bytes()).unwrap();
        let text = |text: &'static str| Ok(Some(Scalar::Text(Cow::Borrowed(text))));
        assert_eq!(scalar(&object, "a"), text("x\né"));
        assert_eq!(scalar(&object, "b"), Ok(Some(Scalar::Number("-12"))));
        assert_eq!(scalar(&object, "c"), Err("lone-surrogate"));
        assert_eq!(scalar(&object, "d"), Ok(Some(Scalar::Other)));
        assert_eq!(scalar(&object, "e"), Ok(None));
        assert_eq!(scalar(&object, "f"), Ok(None));
        assert_eq!(scalar(&object, "g"), Ok(Some(Scalar::Number("1e999"))));
        assert_eq!(scalar(&object, "h"), text("😀"));
        assert_eq!(scalar(&object, "i"), Err("doubled-field"));
        assert_eq!(scalar(&object, "j"), Ok(Some(Scalar::Other)));
        assert_eq!(scalar(&object, "k"), Ok(None));
        assert_eq!(object.last("i").map(RawValue::get), Some("1"));
    }

    #[test]
    fn what_is_no_object_is_none() {
        for (line, code) in [
            (&b""[..], "blank-line"),
            (b" \t\r", "blank-line"),
            (b"\xff", "not-utf8"),
            (b"[]", "not-json"),
            (b"{", "not-json"),
            (b"{}{}", "not-json"),
            (b"{\"a\":\"\\x\"}", "not-json"),
            (b"{\"a\":\"\t\"}", "not-json"),
            (b"{\"a\":01}", "not-json"),
            (b"null", "not-json"),
        ] {
            assert_eq!(Object::read(line).map(|_| ()).unwrap_err().code, code, "{line:?}");
        }
    }
}
