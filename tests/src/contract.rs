//! The contract: `openapi.yaml`, and whether an answer keeps it.

use std::collections::{BTreeSet, HashMap};
use std::sync::{LazyLock, Mutex};

use jsonschema::Validator;
use serde_json::{Map, Value, json};

use crate::Reply;

static CONTRACT: LazyLock<Contract> = LazyLock::new(Contract::read);

/// `openapi.yaml`, with a validator for each answer that was seen.
pub struct Contract {
    document: Value,
    validators: Mutex<HashMap<String, &'static Validator>>,
}

impl Contract {
    /// The one contract.
    pub fn get() -> &'static Self {
        &CONTRACT
    }

    fn read() -> Self {
        let text = include_str!("../../openapi.yaml");
        let document = serde_yaml_ng::from_str(text).expect("openapi.yaml is YAML");
        Self { document, validators: Mutex::default() }
    }

    /// All of it.
    pub fn document(&self) -> &Value {
        &self.document
    }

    /// Every operation: method, path template, and its object.
    pub fn operations(&self) -> Vec<(String, String, &Value)> {
        let mut operations = Vec::new();
        for (path, item) in self.document["paths"].as_object().expect("paths") {
            for (method, operation) in item.as_object().expect("a path item") {
                if matches!(method.as_str(), "get" | "put" | "post" | "patch" | "delete") {
                    operations.push((method.to_uppercase(), path.clone(), operation));
                }
            }
        }
        operations
    }

    /// The headers of requests that it names, in small letters.
    pub fn request_headers(&self) -> BTreeSet<String> {
        let parameters = self.document["components"]["parameters"].as_object().expect("parameters").values();
        let headers = parameters.filter(|parameter| parameter["in"] == "header");
        headers.map(|header| header["name"].as_str().expect("a name").to_ascii_lowercase()).collect()
    }

    /// Holds an answer against the contract.
    ///
    /// # Panics
    /// Where the contract does not document it, or says otherwise.
    pub fn check(&self, reply: &Reply) {
        let Some((path, operation)) = self.operation(&reply.method, &reply.path) else {
            let said = (reply.status, reply.body["type"].as_str());
            assert!(
                [(404, Some("/problems/not-found")), (421, Some("/problems/misdirected-request"))].contains(&said),
                "{reply} is in no route of the contract, so it has to be a not-found problem"
            );
            return;
        };
        let status = reply.status.to_string();
        let name = format!("{} {path} {status}", reply.method);
        let response = self.resolve(&operation["responses"][&status]);
        assert!(!response.is_null(), "{reply}: the contract of {name} has no such status");
        self.check_headers(&name, response, reply);
        let content_type = reply.header("content-type");
        let Some(content) = response["content"].as_object() else {
            assert!(reply.text.is_empty(), "{reply}: {name} has no body");
            return;
        };
        let content_type = content_type.unwrap_or_default();
        let media = content.get(content_type.split(';').next().unwrap_or_default());
        let media = media.unwrap_or_else(|| panic!("{reply}: {name} does not answer {content_type}"));
        let validator = self.validator(&format!("{name} {content_type}"), &media["schema"]);
        // What is no JSON is held against its schema as the text that it is.
        let text = Value::from(reply.text.as_str());
        let body = if content_type.contains("json") { &reply.body } else { &text };
        let errors: Vec<_> = validator.iter_errors(body).map(|e| format!("{} at {}", e, e.instance_path())).collect();
        assert!(errors.is_empty(), "{reply} breaks the contract of {name}: {errors:#?}");
    }

    /// The operation that a method and a concrete path belong to, with its path template.
    pub fn operation(&self, method: &str, path: &str) -> Option<(String, &Value)> {
        let fits = |template: &str| {
            let (wanted, given) = (template.split('/'), path.split('/'));
            wanted.clone().count() == given.clone().count()
                && wanted.zip(given).all(|(w, g)| w == g || (w.starts_with('{') && !g.is_empty()))
        };
        let mut found: Vec<_> =
            self.operations().into_iter().filter(|(m, template, _)| m == method && fits(template)).collect();
        // As at the gateway, a path without parameters comes first.
        found.sort_by_key(|(_, template, _)| template.matches('{').count());
        found.into_iter().next().map(|(_, template, operation)| (template, operation))
    }

    fn check_headers(&self, name: &str, response: &Value, reply: &Reply) {
        let empty = Map::new();
        for (header, definition) in response["headers"].as_object().unwrap_or(&empty) {
            let definition = self.resolve(definition);
            let value = reply.header(header);
            if definition["required"] == json!(true) {
                assert!(value.is_some(), "{reply}: {name} lacks the header {header}");
            }
            if let Some(value) = value {
                let schema = &definition["schema"];
                let number = value.parse::<i64>().map(Value::from);
                let typed =
                    if self.resolve(schema)["type"] == "integer" { number.unwrap() } else { Value::from(value) };
                let valid = self.validator(&format!("{name} header {header}"), schema).is_valid(&typed);
                assert!(valid, "{reply}: {name} does not allow {header}: {value}");
            }
        }
    }

    fn validator(&self, name: &str, schema: &Value) -> &'static Validator {
        let mut validators = self.validators.lock().unwrap();
        validators.entry(name.to_owned()).or_insert_with(|| {
            let root = json!({
                "$schema": "https://json-schema.org/draft/2020-12/schema",
                "components": self.document["components"],
                "allOf": [schema],
            });
            let options = jsonschema::options().should_validate_formats(true).build(&root);
            Box::leak(Box::new(options.unwrap_or_else(|error| panic!("the schema of {name}: {error}"))))
        })
    }

    /// What a reference leads to; anything else as it is.
    ///
    /// # Panics
    /// Where it leads nowhere.
    pub fn resolve<'a>(&'a self, value: &'a Value) -> &'a Value {
        match value["$ref"].as_str().and_then(|reference| reference.strip_prefix('#')) {
            Some(pointer) => self.document.pointer(pointer).unwrap_or_else(|| panic!("a dangling {pointer}")),
            None => value,
        }
    }
}
