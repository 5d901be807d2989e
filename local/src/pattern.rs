//! Event patterns, as EventBridge rules and Lambda's event filters know them.
//!
//! Every field of a pattern must match (and); a field's list holds what it may be (or). Known: texts,
//! numbers, flags and null for equality; `prefix`, `suffix`, `exists`, `anything-but`. The rest of the
//! language is refused when the template is read, so that nothing matches by accident.

use serde_json::{Map, Value};

/// A pattern that events match or do not match.
#[derive(Debug, Clone, PartialEq)]
pub struct Pattern(Vec<(String, Field)>);

#[derive(Debug, Clone, PartialEq)]
enum Field {
    Within(Pattern),
    AnyOf(Vec<Test>),
}

#[derive(Debug, Clone, PartialEq)]
enum Test {
    Equals(Value),
    Prefix(String),
    Suffix(String),
    Exists(bool),
    AnythingBut(Vec<Value>),
    AnythingButPrefix(String),
}

impl Pattern {
    /// Reads a pattern.
    ///
    /// # Errors
    /// Where it uses what the local portal does not know.
    pub fn parse(pattern: &Value) -> Result<Self, String> {
        let fields = pattern.as_object().ok_or("an event pattern is an object")?;
        fields
            .iter()
            .map(|(name, value)| {
                let field = match value {
                    Value::Object(_) => Field::Within(Self::parse(value)?),
                    Value::Array(tests) => Field::AnyOf(tests.iter().map(Test::parse).collect::<Result<_, _>>()?),
                    _ => return Err(format!("a pattern's field is a list or an object: {name}")),
                };
                Ok((name.clone(), field))
            })
            .collect::<Result<_, _>>()
            .map(Self)
    }

    /// Whether an event matches.
    #[must_use]
    pub fn matches(&self, event: &Value) -> bool {
        self.0.iter().all(|(name, field)| {
            let value = event.get(name);
            match field {
                // A field that is not there matches what asks for its absence.
                Field::Within(pattern) => pattern.matches(value.unwrap_or(&Value::Null)),
                Field::AnyOf(tests) => tests.iter().any(|test| test.passes(value)),
            }
        })
    }
}

impl Test {
    fn parse(test: &Value) -> Result<Self, String> {
        let Value::Object(test) = test else {
            return Ok(Self::Equals(test.clone()));
        };
        let unknown = || format!("of a pattern the local portal does not know {}", Value::Object(test.clone()));
        let (name, argument) = only(test).ok_or_else(unknown)?;
        match (name, argument) {
            ("prefix", Value::String(text)) => Ok(Self::Prefix(text.clone())),
            ("suffix", Value::String(text)) => Ok(Self::Suffix(text.clone())),
            ("exists", Value::Bool(flag)) => Ok(Self::Exists(*flag)),
            ("anything-but", Value::Array(values)) => Ok(Self::AnythingBut(values.clone())),
            ("anything-but", Value::Object(inner)) => match only(inner) {
                Some(("prefix", Value::String(text))) => Ok(Self::AnythingButPrefix(text.clone())),
                _ => Err(unknown()),
            },
            ("anything-but", value) => Ok(Self::AnythingBut(vec![value.clone()])),
            _ => Err(unknown()),
        }
    }

    fn passes(&self, value: Option<&Value>) -> bool {
        // An event's own list matches where one of its items does.
        if let Some(Value::Array(items)) = value
            && !matches!(self, Self::Exists(_))
        {
            return items.iter().any(|item| self.passes(Some(item)));
        }
        let text = value.and_then(Value::as_str);
        match self {
            Self::Equals(wanted) => value == Some(wanted),
            Self::Prefix(prefix) => text.is_some_and(|text| text.starts_with(prefix)),
            Self::Suffix(suffix) => text.is_some_and(|text| text.ends_with(suffix)),
            // Only a leaf exists: an object is never matched by `exists`, as the services have it.
            Self::Exists(wanted) => value.is_some_and(|value| !value.is_object()) == *wanted,
            Self::AnythingBut(values) => value.is_some_and(|value| !values.contains(value)),
            Self::AnythingButPrefix(prefix) => text.is_some_and(|text| !text.starts_with(prefix)),
        }
    }
}

fn only(object: &Map<String, Value>) -> Option<(&str, &Value)> {
    let (name, value) = object.iter().next()?;
    (object.len() == 1).then_some((name.as_str(), value))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn matches(pattern: Value, event: Value) -> bool {
        Pattern::parse(&pattern).unwrap().matches(&event)
    }

    #[test]
    fn every_field_and_any_of_its_values() {
        let pattern = json!({"a": ["x", 1, null], "b": {"c": [true]}});
        assert!(matches(pattern.clone(), json!({"a": "x", "b": {"c": true}, "more": 1})));
        assert!(matches(pattern.clone(), json!({"a": 1, "b": {"c": true}})));
        assert!(matches(pattern.clone(), json!({"a": null, "b": {"c": true}})));
        assert!(!matches(pattern.clone(), json!({"a": "y", "b": {"c": true}})));
        assert!(!matches(pattern.clone(), json!({"a": "x", "b": {"c": false}})));
        assert!(!matches(pattern, json!({"a": "x"})));
    }

    #[test]
    fn prefixes_suffixes_absences_and_exceptions() {
        assert!(matches(json!({"k": [{"prefix": "OUTBOX#"}]}), json!({"k": "OUTBOX#1"})));
        assert!(!matches(json!({"k": [{"prefix": "OUTBOX#"}]}), json!({"k": 5})));
        assert!(matches(json!({"k": [{"suffix": "/manifest.json"}]}), json!({"k": "a/manifest.json"})));
        assert!(matches(json!({"d": {"k": [{"exists": false}]}}), json!({})));
        assert!(matches(json!({"k": [{"exists": true}]}), json!({"k": "v"})));
        assert!(!matches(json!({"k": [{"anything-but": ["a", "b"]}]}), json!({"k": "b"})));
        assert!(matches(json!({"k": [{"anything-but": "a"}]}), json!({"k": "b"})));
        assert!(!matches(json!({"k": [{"anything-but": {"prefix": "a"}}]}), json!({"k": "ab"})));
        assert!(matches(json!({"k": ["a"]}), json!({"k": ["b", "a"]})));
    }

    #[test]
    fn the_rest_of_the_language_is_refused() {
        for pattern in [
            json!({"a": [{"numeric": [">", 1]}]}),
            json!({"a": [{"cidr": "10.0.0.0/8"}]}),
            json!({"a": [{"prefix": "x", "suffix": "y"}]}),
            json!({"a": [{"anything-but": {"suffix": "y"}}]}),
            json!({"a": "x"}),
            json!("x"),
        ] {
            assert!(Pattern::parse(&pattern).is_err(), "{pattern}");
        }
    }
}
