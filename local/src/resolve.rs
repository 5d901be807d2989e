//! What CloudFormation does with a template before it makes anything: nested stacks, parameters,
//! conditions and intrinsic functions.
//!
//! Only what is asked for is resolved, so an intrinsic that only AWS can answer does no harm where the
//! local portal has no use for it. A physical name is the logical id, which keeps logs readable.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::names::{ACCOUNT, REGION, bucket_name, secret_arn, table_arn};
use crate::template::TemplateError;

/// Deeper than any chain of references in a template that makes sense.
const DEEPEST: usize = 64;

#[derive(Debug)]
struct Stack {
    file: String,
    template: Value,
    /// The stack that this one is nested in, and its name there.
    parent: Option<(usize, String)>,
    children: BTreeMap<String, usize>,
}

/// The root template with its nested stacks.
#[derive(Debug)]
pub(crate) struct Stacks {
    stacks: Vec<Stack>,
    parameters: BTreeMap<String, String>,
}

/// A resource whose condition holds.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Resource<'a> {
    stack: usize,
    pub(crate) file: &'a str,
    pub(crate) id: &'a str,
    pub(crate) kind: &'a str,
    pub(crate) body: &'a Value,
}

/// Where a value stands: names are looked up from there, errors name it.
#[derive(Clone, Copy)]
struct Scope<'a> {
    stack: usize,
    place: &'a str,
    depth: usize,
}

impl Stacks {
    /// Reads `root` and every stack nested in it; `read` gives a template by its path, and `parameters`
    /// are the root's.
    pub(crate) fn load(
        root: &str,
        read: impl Fn(&str) -> Result<Value, TemplateError>,
        parameters: BTreeMap<String, String>,
    ) -> Result<Self, TemplateError> {
        let mut stacks = Self { stacks: Vec::new(), parameters };
        stacks.add(root, None, &read)?;
        for name in stacks.parameters.keys() {
            if stacks.stacks[0].template["Parameters"].get(name).is_none() {
                return Err(TemplateError::new(root, name, "is not a parameter of this template"));
            }
        }
        Ok(stacks)
    }

    fn add(
        &mut self,
        file: &str,
        parent: Option<(usize, String)>,
        read: &impl Fn(&str) -> Result<Value, TemplateError>,
    ) -> Result<usize, TemplateError> {
        let template = read(file)?;
        let own = self.stacks.len();
        if own >= DEEPEST {
            return Err(TemplateError::new(file, "file", "stacks are nested without end"));
        }
        let nested: Vec<(String, String)> = template["Resources"]
            .as_object()
            .into_iter()
            .flatten()
            .filter_map(|(id, body)| {
                let place = match body["Type"].as_str()? {
                    "AWS::Serverless::Application" => "Location",
                    "AWS::CloudFormation::Stack" => "TemplateURL",
                    _ => return None,
                };
                Some((id.clone(), body["Properties"][place].as_str()?.to_owned()))
            })
            .collect();
        self.stacks.push(Stack { file: file.to_owned(), template, parent, children: BTreeMap::new() });
        let folder = file.rsplit_once('/').map_or("", |(folder, _)| folder);
        for (id, location) in nested {
            let location = location.trim_start_matches("./");
            let path = if folder.is_empty() { location.to_owned() } else { format!("{folder}/{location}") };
            let child = self.add(&path, Some((own, id.clone())), read)?;
            self.stacks[own].children.insert(id, child);
        }
        Ok(own)
    }

    /// All resources whose condition holds.
    pub(crate) fn resources(&self) -> Result<Vec<Resource<'_>>, TemplateError> {
        let mut resources = Vec::new();
        for (index, stack) in self.stacks.iter().enumerate() {
            for (id, body) in stack.template["Resources"].as_object().into_iter().flatten() {
                let scope = Scope { stack: index, place: id, depth: 0 };
                if let Some(condition) = body["Condition"].as_str()
                    && !self.named_condition(scope, condition)?
                {
                    continue;
                }
                let kind = body["Type"].as_str().ok_or_else(|| self.error(scope, "has no Type"))?;
                resources.push(Resource { stack: index, file: &stack.file, id, kind, body });
            }
        }
        Ok(resources)
    }

    /// A value of a resource's body, resolved; `None` where it is `AWS::NoValue`.
    pub(crate) fn resolve(&self, resource: &Resource<'_>, value: &Value) -> Result<Option<Value>, TemplateError> {
        self.value(Scope { stack: resource.stack, place: resource.id, depth: 0 }, value)
    }

    /// The `Globals` section of the template that the resource stands in.
    pub(crate) fn globals(&self, resource: &Resource<'_>) -> &Value {
        &self.stacks[resource.stack].template["Globals"]
    }

    fn error(&self, scope: Scope<'_>, problem: impl Into<String>) -> TemplateError {
        TemplateError::new(&self.stacks[scope.stack].file, scope.place, problem)
    }

    fn value(&self, scope: Scope<'_>, value: &Value) -> Result<Option<Value>, TemplateError> {
        if scope.depth > DEEPEST {
            return Err(self.error(scope, "refers to itself"));
        }
        let scope = Scope { depth: scope.depth + 1, ..scope };
        match value {
            Value::Array(items) => {
                let mut resolved = Vec::with_capacity(items.len());
                for item in items {
                    resolved.extend(self.value(scope, item)?);
                }
                Ok(Some(Value::Array(resolved)))
            }
            Value::Object(object) => {
                if let Some((name, argument)) = intrinsic(object) {
                    return self.intrinsic(scope, name, argument);
                }
                let mut resolved = Map::new();
                for (key, item) in object {
                    if let Some(item) = self.value(scope, item)? {
                        resolved.insert(key.clone(), item);
                    }
                }
                Ok(Some(Value::Object(resolved)))
            }
            scalar => Ok(Some(scalar.clone())),
        }
    }

    fn intrinsic(&self, scope: Scope<'_>, name: &str, argument: &Value) -> Result<Option<Value>, TemplateError> {
        let text = |text: String| Ok(Some(Value::String(text)));
        match name {
            "Ref" => match argument.as_str() {
                Some("AWS::NoValue") => Ok(None),
                Some(target) => self.reference(scope, target).map(Some),
                None => Err(self.error(scope, "Ref takes a name")),
            },
            "Fn::GetAtt" => {
                let (resource, attribute) = self.pair(scope, name, argument)?;
                let attribute = self.text(scope, attribute)?;
                let resource = resource.as_str().ok_or_else(|| self.error(scope, "Fn::GetAtt takes a resource"))?;
                self.attribute(scope, resource, &attribute).map(Some)
            }
            "Fn::If" => match argument.as_array().map(Vec::as_slice) {
                Some([Value::String(condition), yes, no]) => {
                    let chosen = if self.named_condition(scope, condition)? { yes } else { no };
                    self.value(scope, chosen)
                }
                _ => Err(self.error(scope, "Fn::If takes a condition's name and two values")),
            },
            "Fn::Sub" => text(self.substitute(scope, argument)?),
            "Fn::Join" => {
                let (delimiter, items) = self.pair(scope, name, argument)?;
                let delimiter = self.text(scope, delimiter)?;
                text(self.texts(scope, items)?.join(&delimiter))
            }
            "Fn::Split" => {
                let (delimiter, source) = self.pair(scope, name, argument)?;
                let (delimiter, source) = (self.text(scope, delimiter)?, self.text(scope, source)?);
                Ok(Some(source.split(&delimiter).map(Value::from).collect()))
            }
            "Fn::Select" => {
                let (index, items) = self.pair(scope, name, argument)?;
                let index = self.text(scope, index)?;
                let items = self.texts(scope, items)?;
                let chosen = index.parse::<usize>().ok().and_then(|index| items.get(index));
                let chosen = chosen.ok_or_else(|| self.error(scope, format!("Fn::Select has no item {index}")))?;
                text(chosen.clone())
            }
            "Fn::FindInMap" => {
                let keys = self.texts(scope, argument)?;
                let mut found = &self.stacks[scope.stack].template["Mappings"];
                for key in &keys {
                    found = found
                        .get(key)
                        .ok_or_else(|| self.error(scope, format!("no mapping has {}", keys.join("."))))?;
                }
                Ok(Some(found.clone()))
            }
            "Fn::Equals" | "Fn::And" | "Fn::Or" | "Fn::Not" => {
                let object = Value::Object(Map::from_iter([(name.to_owned(), argument.clone())]));
                self.condition(scope, &object).map(|holds| Some(Value::Bool(holds)))
            }
            unknown => Err(self.error(scope, format!("{unknown} is not known to the local portal"))),
        }
    }

    fn reference(&self, scope: Scope<'_>, target: &str) -> Result<Value, TemplateError> {
        let pseudo = match target {
            "AWS::Region" => Some(REGION),
            "AWS::AccountId" => Some(ACCOUNT),
            "AWS::Partition" => Some("aws"),
            "AWS::URLSuffix" => Some("amazonaws.com"),
            "AWS::StackName" | "AWS::StackId" => Some("local"),
            _ => None,
        };
        if let Some(value) = pseudo {
            return Ok(Value::from(value));
        }
        let stack = &self.stacks[scope.stack];
        if let Some(declared) = stack.template["Parameters"].get(target) {
            let value = self.parameter(scope, target, declared)?;
            return Ok(match (declared["Type"].as_str(), value) {
                (Some("CommaDelimitedList" | "List<Number>"), Value::String(list)) => {
                    list.split(',').map(|item| Value::from(item.trim())).collect()
                }
                (_, value) => value,
            });
        }
        match stack.template["Resources"][target]["Type"].as_str() {
            Some("AWS::S3::Bucket") => Ok(bucket_name(target).into()),
            Some("AWS::SecretsManager::Secret") => Ok(secret_arn(target).into()),
            Some(_) => Ok(Value::from(target)),
            None => Err(self.error(scope, format!("{target} is neither a parameter nor a resource of this template"))),
        }
    }

    fn parameter(&self, scope: Scope<'_>, name: &str, declared: &Value) -> Result<Value, TemplateError> {
        let stack = &self.stacks[scope.stack];
        let given = match &stack.parent {
            None => self.parameters.get(name).map(|value| Value::from(value.as_str())),
            Some((parent, id)) => {
                let given = &self.stacks[*parent].template["Resources"][id]["Properties"]["Parameters"][name];
                if given.is_null() {
                    None
                } else {
                    self.value(Scope { stack: *parent, place: id, depth: scope.depth }, given)?
                }
            }
        };
        given
            .or_else(|| declared.get("Default").cloned())
            .ok_or_else(|| self.error(scope, format!("parameter {name} has neither a value nor a default")))
    }

    fn attribute(&self, scope: Scope<'_>, id: &str, attribute: &str) -> Result<Value, TemplateError> {
        let stack = &self.stacks[scope.stack];
        if let (Some(&child), Some(output)) = (stack.children.get(id), attribute.strip_prefix("Outputs.")) {
            let value = &self.stacks[child].template["Outputs"][output]["Value"];
            if value.is_null() {
                return Err(self.error(scope, format!("{} has no output {output}", self.stacks[child].file)));
            }
            let resolved = self.value(Scope { stack: child, place: output, depth: scope.depth }, value)?;
            return resolved.ok_or_else(|| self.error(scope, format!("output {output} has no value")));
        }
        let Some(kind) = stack.template["Resources"][id]["Type"].as_str() else {
            return Err(self.error(scope, format!("{id} is not a resource of this template")));
        };
        let service = kind.split("::").nth(1).unwrap_or_default().to_lowercase();
        let text = match (kind, attribute) {
            ("AWS::DynamoDB::Table", "Arn") => table_arn(id),
            ("AWS::DynamoDB::Table", "StreamArn") => format!("{}/stream/local", table_arn(id)),
            ("AWS::S3::Bucket", "Arn") => format!("arn:aws:s3:::{}", bucket_name(id)),
            (_, "Arn") => format!("arn:aws:{service}:{REGION}:{ACCOUNT}:{id}"),
            (_, name) if name.ends_with("Name") => id.to_owned(),
            _ => return Err(self.error(scope, format!("{id}.{attribute} ({kind}) is not known to the local portal"))),
        };
        Ok(text.into())
    }

    fn substitute(&self, scope: Scope<'_>, argument: &Value) -> Result<String, TemplateError> {
        let none = Value::Null;
        let (pattern, variables) = match argument {
            Value::String(pattern) => (pattern.as_str(), &none),
            Value::Array(parts) if parts.len() == 2 => (parts[0].as_str().unwrap_or_default(), &parts[1]),
            _ => return Err(self.error(scope, "Fn::Sub takes a text, or a text and variables")),
        };
        let mut out = String::new();
        let mut rest = pattern;
        while let Some((before, after)) = rest.split_once("${") {
            let (name, behind) =
                after.split_once('}').ok_or_else(|| self.error(scope, format!("{pattern} has no closing brace")))?;
            out.push_str(before);
            if let Some(literal) = name.strip_prefix('!') {
                out.push_str(&format!("${{{literal}}}"));
            } else if let Some(variable) = variables.get(name) {
                out.push_str(&self.text(scope, variable)?);
            } else if let Some((resource, attribute)) = name.split_once('.') {
                out.push_str(&as_text(&self.attribute(scope, resource, attribute)?));
            } else {
                out.push_str(&as_text(&self.reference(scope, name)?));
            }
            rest = behind;
        }
        out.push_str(rest);
        Ok(out)
    }

    fn named_condition(&self, scope: Scope<'_>, name: &str) -> Result<bool, TemplateError> {
        match self.stacks[scope.stack].template["Conditions"].get(name) {
            Some(condition) => self.condition(scope, condition),
            None => Err(self.error(scope, format!("there is no condition {name}"))),
        }
    }

    fn condition(&self, scope: Scope<'_>, condition: &Value) -> Result<bool, TemplateError> {
        if scope.depth > DEEPEST {
            return Err(self.error(scope, "a condition refers to itself"));
        }
        let scope = Scope { depth: scope.depth + 1, ..scope };
        let single = condition.as_object().and_then(|object| object.iter().next());
        let items = |value: &Value| -> Result<Vec<bool>, TemplateError> {
            value.as_array().into_iter().flatten().map(|item| self.condition(scope, item)).collect()
        };
        match single.map(|(name, argument)| (name.as_str(), argument)) {
            Some(("Condition", Value::String(name))) => self.named_condition(scope, name),
            Some(("Fn::Equals", argument)) => {
                let (left, right) = self.pair(scope, "Fn::Equals", argument)?;
                Ok(self.text(scope, left)? == self.text(scope, right)?)
            }
            Some(("Fn::And", argument)) => Ok(items(argument)?.into_iter().all(|holds| holds)),
            Some(("Fn::Or", argument)) => Ok(items(argument)?.into_iter().any(|holds| holds)),
            Some(("Fn::Not", argument)) => Ok(!items(argument)?.into_iter().all(|holds| holds)),
            _ => Err(self.error(scope, "is not a condition that the local portal knows")),
        }
    }

    fn pair<'v>(
        &self,
        scope: Scope<'_>,
        name: &str,
        argument: &'v Value,
    ) -> Result<(&'v Value, &'v Value), TemplateError> {
        match argument.as_array().map(Vec::as_slice) {
            Some([first, second]) => Ok((first, second)),
            _ => Err(self.error(scope, format!("{name} takes two values"))),
        }
    }

    fn text(&self, scope: Scope<'_>, value: &Value) -> Result<String, TemplateError> {
        Ok(self.value(scope, value)?.as_ref().map(as_text).unwrap_or_default())
    }

    fn texts(&self, scope: Scope<'_>, value: &Value) -> Result<Vec<String>, TemplateError> {
        match self.value(scope, value)? {
            Some(Value::Array(items)) => Ok(items.iter().map(as_text).collect()),
            _ => Err(self.error(scope, "a list is missing")),
        }
    }
}

fn intrinsic(object: &Map<String, Value>) -> Option<(&str, &Value)> {
    let (name, argument) = object.iter().next()?;
    (object.len() == 1 && (name == "Ref" || name.starts_with("Fn::"))).then_some((name.as_str(), argument))
}

/// A scalar as CloudFormation writes it into a text.
pub(crate) fn as_text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

#[cfg(test)]
#[path = "resolve_tests.rs"]
mod tests;
