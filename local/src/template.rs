//! A CloudFormation template as JSON: short-form intrinsics (`!Ref X`) become long ones
//! (`{"Ref": "X"}`), so that whatever reads it afterwards knows one form only.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde_json::{Map, Value, json};
use serde_yaml_ng::Value as Yaml;

use crate::embedded::TEMPLATES;

/// The project's own templates. Parsed once: the tests start a portal each, by the hundred.
static PARSED: LazyLock<BTreeMap<&str, Result<Value, TemplateError>>> =
    LazyLock::new(|| TEMPLATES.iter().map(|file| (file.path, parse(file.path, file.content))).collect());

/// What is wrong with the templates. Shown to whoever changes them, so it names file and place.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{file}: {place}: {problem}")]
pub struct TemplateError {
    /// The template's path in the workspace.
    pub file: String,
    /// The resource, parameter or section.
    pub place: String,
    /// What is wrong there.
    pub problem: String,
}

impl TemplateError {
    /// An error at a place of a file.
    pub(crate) fn new(file: &str, place: &str, problem: impl Into<String>) -> Self {
        Self { file: file.to_owned(), place: place.to_owned(), problem: problem.into() }
    }
}

/// One of the project's own templates.
///
/// # Errors
/// Where there is no such template, or it cannot be read.
pub(crate) fn of_project(path: &str) -> Result<Value, TemplateError> {
    let missing = || Err(TemplateError::new(path, "file", "there is no such template"));
    PARSED.get(path).cloned().unwrap_or_else(missing)
}

/// Reads a template's YAML.
///
/// # Errors
/// Where it is not YAML, or has what JSON cannot hold.
pub(crate) fn parse(file: &str, text: &[u8]) -> Result<Value, TemplateError> {
    let yaml: Yaml =
        serde_yaml_ng::from_slice(text).map_err(|error| TemplateError::new(file, "YAML", error.to_string()))?;
    to_json(yaml).map_err(|problem| TemplateError::new(file, "YAML", problem))
}

fn to_json(yaml: Yaml) -> Result<Value, String> {
    Ok(match yaml {
        Yaml::Null => Value::Null,
        Yaml::Bool(flag) => Value::Bool(flag),
        Yaml::Number(number) => number_to_json(&number)?,
        Yaml::String(text) => Value::String(text),
        Yaml::Sequence(items) => Value::Array(items.into_iter().map(to_json).collect::<Result<_, _>>()?),
        Yaml::Mapping(entries) => {
            let mut object = Map::new();
            for (key, value) in entries {
                let key = match key {
                    Yaml::String(text) => text,
                    Yaml::Number(number) => number.to_string(),
                    Yaml::Bool(flag) => flag.to_string(),
                    other => return Err(format!("a key that is neither text nor number: {other:?}")),
                };
                object.insert(key, to_json(value)?);
            }
            Value::Object(object)
        }
        Yaml::Tagged(tagged) => {
            let tag = tagged.tag.to_string();
            let name = tag.trim_start_matches('!');
            let content = to_json(tagged.value)?;
            match name {
                "Ref" | "Condition" => json!({ name: content }),
                // `!GetAtt A.B.C` is resource A, attribute B.C.
                "GetAtt" => match &content {
                    Value::String(text) => match text.split_once('.') {
                        Some((resource, attribute)) => json!({"Fn::GetAtt": [resource, attribute]}),
                        None => return Err(format!("!GetAtt {text} names no attribute")),
                    },
                    _ => json!({"Fn::GetAtt": content}),
                },
                _ => json!({ format!("Fn::{name}"): content }),
            }
        }
    })
}

fn number_to_json(number: &serde_yaml_ng::Number) -> Result<Value, String> {
    let json = if let Some(whole) = number.as_i64() {
        Some(whole.into())
    } else if let Some(whole) = number.as_u64() {
        Some(whole.into())
    } else {
        number.as_f64().and_then(serde_json::Number::from_f64)
    };
    json.map(Value::Number).ok_or_else(|| format!("{number} is not a number of JSON"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_forms_become_long_ones() {
        let parsed = parse(
            "t.yaml",
            b"a: !Ref X\nb: !GetAtt Data.Outputs.Y\nc: !Sub ['${Z}', {Z: 1}]\nd: !If [C, !Ref A, 2.5]\ne: !Condition C\n",
        )
        .unwrap();
        assert_eq!(
            parsed,
            json!({
                "a": {"Ref": "X"},
                "b": {"Fn::GetAtt": ["Data", "Outputs.Y"]},
                "c": {"Fn::Sub": ["${Z}", {"Z": 1}]},
                "d": {"Fn::If": ["C", {"Ref": "A"}, 2.5]},
                "e": {"Condition": "C"},
            })
        );
    }

    #[test]
    fn an_error_names_the_file() {
        let error = parse("infra/data.yaml", b"a: [").unwrap_err();
        assert!(error.to_string().starts_with("infra/data.yaml: YAML: "), "{error}");
        assert!(parse("t.yaml", b"a: !GetAtt X").unwrap_err().to_string().contains("names no attribute"));
    }
}
