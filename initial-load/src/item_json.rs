//! DynamoDB JSON: an item with the type of each value, as exports and imports have it.

use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use portal::store::Item;
use serde_json::{Map, Value, json};

/// Why a text is no item.
#[derive(Debug, thiserror::Error)]
#[error("no DynamoDB JSON: {0}")]
pub struct NoItem(String);

/// An item as an object; attributes come out by name, so the same item gives the same bytes.
///
/// # Errors
/// Where a value is of a type that this crate does not know.
pub fn to_json(item: &Item) -> Result<Value, NoItem> {
    item.iter().map(|(name, value)| Ok((name.clone(), value_to_json(value)?))).collect()
}

/// An item from the object that [`to_json`] gives.
///
/// # Errors
/// Where it is anything else.
pub fn from_json(value: Value) -> Result<Item, NoItem> {
    let Value::Object(fields) = value else { return Err(NoItem("an object is needed".to_owned())) };
    fields.into_iter().map(|(name, value)| Ok((name, value_from_json(value)?))).collect()
}

fn value_to_json(value: &AttributeValue) -> Result<Value, NoItem> {
    let base64 = |blob: &Blob| STANDARD.encode(blob.as_ref());
    Ok(match value {
        AttributeValue::S(text) => json!({"S": text}),
        AttributeValue::N(number) => json!({"N": number}),
        AttributeValue::Bool(yes) => json!({"BOOL": yes}),
        AttributeValue::Null(_) => json!({"NULL": true}),
        AttributeValue::B(bytes) => json!({"B": base64(bytes)}),
        AttributeValue::L(list) => json!({"L": list.iter().map(value_to_json).collect::<Result<Vec<_>, _>>()?}),
        AttributeValue::M(map) => json!({"M": to_json(map)?}),
        AttributeValue::Ss(texts) => json!({"SS": texts}),
        AttributeValue::Ns(numbers) => json!({"NS": numbers}),
        AttributeValue::Bs(all) => json!({"BS": all.iter().map(base64).collect::<Vec<_>>()}),
        _ => return Err(NoItem("a value of an unknown type".to_owned())),
    })
}

fn value_from_json(value: Value) -> Result<AttributeValue, NoItem> {
    let wrong = || NoItem("a value is one type and its value".to_owned());
    let Value::Object(typed) = value else { return Err(wrong()) };
    let (name, value) = only(typed).ok_or_else(wrong)?;
    let blob = |text: &str| STANDARD.decode(text).map(Blob::new).map_err(|_| wrong());
    let texts = |list: Vec<Value>| {
        let text = |value: Value| if let Value::String(text) = value { Ok(text) } else { Err(wrong()) };
        list.into_iter().map(text).collect::<Result<Vec<String>, _>>()
    };
    Ok(match (name.as_str(), value) {
        ("S", Value::String(text)) => AttributeValue::S(text),
        ("N", Value::String(number)) => AttributeValue::N(number),
        ("BOOL", Value::Bool(yes)) => AttributeValue::Bool(yes),
        ("NULL", Value::Bool(true)) => AttributeValue::Null(true),
        ("B", Value::String(text)) => AttributeValue::B(blob(&text)?),
        ("L", Value::Array(list)) => {
            AttributeValue::L(list.into_iter().map(value_from_json).collect::<Result<_, _>>()?)
        }
        ("M", map) => AttributeValue::M(from_json(map)?),
        ("SS", Value::Array(list)) => AttributeValue::Ss(texts(list)?),
        ("NS", Value::Array(list)) => AttributeValue::Ns(texts(list)?),
        ("BS", Value::Array(list)) => {
            AttributeValue::Bs(texts(list)?.iter().map(|text| blob(text)).collect::<Result<_, _>>()?)
        }
        _ => return Err(wrong()),
    })
}

fn only(typed: Map<String, Value>) -> Option<(String, Value)> {
    let mut fields = typed.into_iter();
    let first = fields.next()?;
    fields.next().is_none().then_some(first)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_item_of_every_type_comes_back_and_looks_as_dynamodb_documents_it() {
        let document = json!({
            "s": {"S": "é\n\"\u{1}"}, "n": {"N": "-12.50"}, "b": {"B": "AAH/"}, "bool": {"BOOL": false},
            "null": {"NULL": true}, "l": {"L": [{"S": "a"}, {"L": []}]}, "m": {"M": {"x": {"N": "1"}}},
            "ss": {"SS": ["a"]}, "ns": {"NS": ["1", "2"]}, "bs": {"BS": ["AAH/"]},
        });
        let item = from_json(document.clone()).unwrap();
        assert_eq!(item["b"], AttributeValue::B(Blob::new([0, 1, 255])));
        assert_eq!(item["n"], AttributeValue::N("-12.50".to_owned()));
        assert_eq!(to_json(&item).unwrap(), document);
    }

    #[test]
    fn anything_else_is_no_item() {
        for wrong in [
            json!([]),
            json!({"a": 1}),
            json!({"a": {}}),
            json!({"a": {"S": "x", "N": "1"}}),
            json!({"a": {"S": 1}}),
            json!({"a": {"X": "1"}}),
            json!({"a": {"B": "?"}}),
            json!({"a": {"SS": [1]}}),
        ] {
            assert!(from_json(wrong.clone()).is_err(), "{wrong}");
        }
    }
}
