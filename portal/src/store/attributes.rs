//! Items read as records where they are: `serde_dynamo` first moves each into a map of its own kind of attribute,
//! hashing every name again, which was a fifth of what a page of the ledger took
//! (`docs/decisions/0050-transfers-and-kinds.md`).

use std::collections::hash_map;
use std::fmt::Display;
use std::iter;

use aws_sdk_dynamodb::types::AttributeValue;
use serde::de::value::{MapAccessDeserializer, MapDeserializer, SeqDeserializer, StringDeserializer};
use serde::de::{Deserializer, Error as _, Expected, IntoDeserializer, Unexpected, Visitor};
use serde::forward_to_deserialize_any;

use super::Item;

/// The attributes of an item, or of a map in it.
pub(super) fn of_item(item: Item) -> Attribute {
    Attribute(AttributeValue::M(item))
}

/// Why an attribute is not what is read from it: without what it says, which may be anybody's.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct Error(String);

impl serde::de::Error for Error {
    fn custom<T: Display>(message: T) -> Self {
        Self(message.to_string())
    }

    fn invalid_type(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        let found = match found {
            Unexpected::Bool(_) => "a boolean",
            Unexpected::Signed(_) | Unexpected::Unsigned(_) => "a number",
            Unexpected::Str(_) => "a string",
            Unexpected::Unit => "null",
            Unexpected::Seq => "a list",
            Unexpected::Map => "a map",
            Unexpected::Other(other) => other,
            _ => "something else",
        };
        Self(format!("{found} where there should be {expected}"))
    }

    fn invalid_value(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::invalid_type(found, expected)
    }

    fn unknown_variant(_: &str, expected: &'static [&'static str]) -> Self {
        Self(format!("none of the variants {}", expected.join(", ")))
    }
}

/// An attribute from which a value is read.
pub(super) struct Attribute(AttributeValue);

impl IntoDeserializer<'_, Error> for Attribute {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

impl<'de> Deserializer<'de> for Attribute {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.0 {
            AttributeValue::S(text) => visitor.visit_string(text),
            AttributeValue::N(digits) => number(&digits, visitor),
            AttributeValue::Bool(value) => visitor.visit_bool(value),
            AttributeValue::Null(_) => visitor.visit_unit(),
            AttributeValue::M(map) => visitor.visit_map(entries(map)),
            AttributeValue::L(list) => visitor.visit_seq(SeqDeserializer::new(list.into_iter().map(Self))),
            // No record has any.
            _ => Err(Error::invalid_type(Unexpected::Other("a set or a binary value"), &visitor)),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.0 {
            AttributeValue::Null(_) => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    /// A variant without data is its name, one with data a map of its name to them.
    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        match self.0 {
            AttributeValue::S(variant) => visitor.visit_enum(StringDeserializer::new(variant)),
            AttributeValue::M(map) => {
                MapAccessDeserializer::new(entries(map)).deserialize_enum(name, variants, visitor)
            }
            other => Self(other).deserialize_any(visitor),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct seq tuple
        tuple_struct map struct identifier ignored_any
    }
}

type Entries =
    iter::Map<hash_map::IntoIter<String, AttributeValue>, fn((String, AttributeValue)) -> (String, Attribute)>;

fn entries<'de>(map: Item) -> MapDeserializer<'de, Entries, Error> {
    let entry: fn((String, AttributeValue)) -> (String, Attribute) = |(name, value)| (name, Attribute(value));
    MapDeserializer::new(map.into_iter().map(entry))
}

/// DynamoDB has decimal numbers as text; a record has whole ones.
fn number<'de, V: Visitor<'de>>(digits: &str, visitor: V) -> Result<V::Value, Error> {
    if let Ok(value) = digits.parse() {
        visitor.visit_i64(value)
    } else if let Ok(value) = digits.parse() {
        visitor.visit_u64(value)
    } else {
        Err(Error::invalid_type(Unexpected::Other("a number that is not whole, or too large"), &visitor))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;
    use serde::{Deserialize, Serialize};

    use super::*;

    /// Every shape that a record has.
    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
    struct Shapes {
        text: String,
        small: i16,
        large: u64,
        flag: bool,
        list: Vec<Choice>,
        map: BTreeMap<String, (i64, Option<bool>)>,
        absent: Option<String>,
        newtype: Newtype,
        #[serde(flatten)]
        flattened: Flattened,
    }

    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
    enum Choice {
        Unit,
        One(i32),
        Two(u8, String),
        Named { at: i64 },
    }

    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
    struct Newtype(u32);

    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
    struct Flattened {
        inner: Option<i64>,
    }

    prop_compose! {
        fn shapes()(
            text in ".*", small: i16, large: u64, flag: bool,
            list in prop::collection::vec(choice(), 0..4),
            map in prop::collection::btree_map(".{0,4}", any::<(i64, Option<bool>)>(), 0..4),
            absent in prop::option::of(".*"), newtype: u32, inner: Option<i64>,
        ) -> Shapes {
            let (newtype, flattened) = (Newtype(newtype), Flattened { inner });
            Shapes { text, small, large, flag, list, map, absent, newtype, flattened }
        }
    }

    fn choice() -> impl Strategy<Value = Choice> {
        prop_oneof![
            Just(Choice::Unit),
            any::<i32>().prop_map(Choice::One),
            (any::<u8>(), ".*").prop_map(|(number, text)| Choice::Two(number, text)),
            any::<i64>().prop_map(|at| Choice::Named { at }),
        ]
    }

    proptest! {
        #[test]
        fn what_serde_dynamo_wrote_is_read_as_it_reads_it(shapes in shapes()) {
            let item: Item = serde_dynamo::to_item(&shapes).unwrap();
            let theirs: Shapes = serde_dynamo::from_item(item.clone()).unwrap();
            prop_assert_eq!(&theirs, &shapes);
            prop_assert_eq!(Shapes::deserialize(of_item(item)).unwrap(), shapes);
        }
    }

    #[test]
    fn what_is_wrong_is_said_without_what_is_stored() {
        #[derive(Debug, Deserialize)]
        #[allow(dead_code, reason = "only its reading fails")]
        struct Wanted {
            value: u8,
            choice: Option<Choice>,
        }
        let read = |value: AttributeValue, choice: &str| {
            let item = [("value", value), ("choice", AttributeValue::S(choice.to_owned()))];
            let item = item.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
            Wanted::deserialize(of_item(item)).unwrap_err().to_string()
        };
        let text = read(AttributeValue::S("a secret".to_owned()), "Unit");
        assert_eq!(text, "a string where there should be u8");
        let large = read(AttributeValue::N("256".to_owned()), "Unit");
        assert_eq!(large, "a number where there should be u8");
        let broken = read(AttributeValue::N("1.5".to_owned()), "Unit");
        assert_eq!(broken, "a number that is not whole, or too large where there should be u8");
        let set = read(AttributeValue::Ns(vec!["1".to_owned()]), "Unit");
        assert_eq!(set, "a set or a binary value where there should be u8");
        let unknown = read(AttributeValue::N("1".to_owned()), "a secret");
        assert_eq!(unknown, "none of the variants Unit, One, Two, Named");
    }
}
