//! Reads a body as JSON, more strictly than JSON asks for.
//!
//! A field that is given twice is refused: readers differ in which of the two counts, so what stood before
//! the portal may have looked at the other one. What nests deeper than any form does is refused unread.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

/// How many objects and lists may stand inside each other; the forms have two.
const DEEPEST: usize = 8;

/// Reads the one value that a body is.
///
/// # Errors
/// Where it is no JSON in UTF-8, names a field of an object twice, or nests more than 8 deep.
pub(super) fn read(bytes: &[u8]) -> serde_json::Result<Value> {
    let mut source = serde_json::Deserializer::from_slice(bytes);
    let value = Inside { levels: DEEPEST }.deserialize(&mut source)?;
    source.end()?;
    Ok(value)
}

/// A value that may hold so many levels of objects and lists.
#[derive(Clone, Copy)]
struct Inside {
    levels: usize,
}

impl Inside {
    fn one_deeper<E: Error>(self) -> Result<Self, E> {
        let levels = self.levels.checked_sub(1).ok_or_else(|| E::custom("nested too deep"))?;
        Ok(Self { levels })
    }
}

impl<'de> DeserializeSeed<'de> for Inside {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, source: D) -> Result<Value, D::Error> {
        source.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Inside {
    type Value = Value;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a value of JSON")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, number: i64) -> Result<Value, E> {
        Ok(number.into())
    }

    fn visit_u64<E>(self, number: u64) -> Result<Value, E> {
        Ok(number.into())
    }

    fn visit_f64<E>(self, number: f64) -> Result<Value, E> {
        Ok(number.into())
    }

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(text.into())
    }

    fn visit_string<E>(self, text: String) -> Result<Value, E> {
        Ok(text.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Value, A::Error> {
        let inside = self.one_deeper()?;
        let mut list = Vec::new();
        while let Some(element) = elements.next_element_seed(inside)? {
            list.push(element);
        }
        Ok(list.into())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Value, A::Error> {
        let inside = self.one_deeper()?;
        let mut object = Map::new();
        while let Some(name) = fields.next_key::<String>()? {
            if object.insert(name, fields.next_value_seed(inside)?).is_some() {
                return Err(A::Error::custom("a field is given twice"));
            }
        }
        Ok(object.into())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn values() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<u64>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            any::<String>().prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 40, 5, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
                prop::collection::vec((any::<String>(), inner), 0..5)
                    .prop_map(|fields| Value::from(fields.into_iter().collect::<Map<_, _>>())),
            ]
        })
    }

    #[test]
    fn a_field_given_twice_is_refused_wherever_it_stands() {
        for twice in [r#"{"a": 1, "a": 1}"#, r#"{"b": [{"a": 1, "\u0061": 2}]}"#] {
            assert!(read(twice.as_bytes()).is_err(), "{twice}");
        }
        assert!(read(br#"{"a": {"a": 1}, "b": {"a": 1}}"#).is_ok());
    }

    #[test]
    fn what_nests_deeper_than_eight_is_refused() {
        let nested = |open: &str, close: &str, levels| format!("{}1{}", open.repeat(levels), close.repeat(levels));
        for (open, close) in [("[", "]"), (r#"{"a":"#, "}")] {
            assert!(read(nested(open, close, DEEPEST).as_bytes()).is_ok());
            assert!(read(nested(open, close, DEEPEST + 1).as_bytes()).is_err());
            assert!(read(nested(open, close, 20_000).as_bytes()).is_err());
        }
    }

    #[test]
    fn what_is_no_json_in_utf_8_is_refused() {
        for wrong in
            [&b""[..], b"{", b"{} {}", b"\xef\xbb\xbf{}", b"{\"a\": \"\xe9\"}", b"\"\\ud800\"", b"NaN", b"1e999"]
        {
            assert!(read(wrong).is_err(), "{wrong:?}");
        }
    }

    proptest! {
        #[test]
        fn what_passes_is_what_it_says(value in values()) {
            let text = value.to_string();
            prop_assert_eq!(read(text.as_bytes()).unwrap(), serde_json::from_str::<Value>(&text).unwrap());
        }
    }
}
