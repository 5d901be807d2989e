//! Conditions and updates as data, so that no expression is written by hand.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use serde::Serialize;

use super::StoreError;
use super::record::to_attribute;

/// What must hold for a write to happen. It has no `Debug`, as what it compares with may be a secret.
#[derive(Clone)]
pub enum Condition {
    /// The item exists.
    Exists,
    /// The item does not exist.
    Absent,
    /// The attribute does not exist.
    Without(&'static str),
    /// The attribute has this value.
    Is(&'static str, AttributeValue),
    /// The attribute is a number or text above this one.
    Above(&'static str, AttributeValue),
    /// The attribute is a number or text below this one.
    Below(&'static str, AttributeValue),
    /// The list has no element at this index.
    WithoutElement(&'static str, usize),
    /// The list's element at this index is a number or text below this one.
    ElementBelow(&'static str, usize, AttributeValue),
    /// All of these hold.
    All(Vec<Condition>),
    /// One of these holds.
    Any(Vec<Condition>),
}

impl Condition {
    /// The attribute has this value.
    ///
    /// # Errors
    /// Where the value cannot be an attribute.
    pub fn is<T: Serialize>(attribute: &'static str, value: &T) -> Result<Self, StoreError> {
        Ok(Self::Is(attribute, to_attribute(value)?))
    }

    /// The attribute is above this value.
    ///
    /// # Errors
    /// Where the value cannot be an attribute.
    pub fn above<T: Serialize>(attribute: &'static str, value: &T) -> Result<Self, StoreError> {
        Ok(Self::Above(attribute, to_attribute(value)?))
    }

    /// The attribute is below this value.
    ///
    /// # Errors
    /// Where the value cannot be an attribute.
    pub fn below<T: Serialize>(attribute: &'static str, value: &T) -> Result<Self, StoreError> {
        Ok(Self::Below(attribute, to_attribute(value)?))
    }

    fn write(&self, expression: &mut Expression) -> String {
        match self {
            Self::Exists => "attribute_exists(pk)".to_owned(),
            Self::Absent => "attribute_not_exists(pk)".to_owned(),
            Self::Without(name) => format!("attribute_not_exists({})", expression.name(name)),
            Self::Is(name, value) => format!("{} = {}", expression.name(name), expression.value(value)),
            Self::Above(name, value) => format!("{} > {}", expression.name(name), expression.value(value)),
            Self::Below(name, value) => format!("{} < {}", expression.name(name), expression.value(value)),
            Self::WithoutElement(name, index) => {
                format!("attribute_not_exists({}[{index}])", expression.name(name))
            }
            Self::ElementBelow(name, index, value) => {
                format!("{}[{index}] < {}", expression.name(name), expression.value(value))
            }
            Self::All(conditions) => Self::join(conditions, " AND ", expression),
            Self::Any(conditions) => Self::join(conditions, " OR ", expression),
        }
    }

    fn join(conditions: &[Self], with: &str, expression: &mut Expression) -> String {
        let parts: Vec<_> = conditions.iter().map(|condition| condition.write(expression)).collect();
        format!("({})", parts.join(with))
    }
}

/// What an update does to an item's attributes. It has no `Debug`, as what it writes may be a secret.
#[derive(Clone, Default)]
pub struct Change {
    pub(super) set: Vec<(&'static str, AttributeValue)>,
    pub(super) prepend: Vec<(&'static str, AttributeValue)>,
    pub(super) add: Vec<(&'static str, AttributeValue)>,
    pub(super) remove: Vec<&'static str>,
}

impl Change {
    /// A change of nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Gives an attribute a value.
    ///
    /// # Errors
    /// Where the value cannot be an attribute.
    pub fn set<T: Serialize>(mut self, attribute: &'static str, value: &T) -> Result<Self, StoreError> {
        self.set.push((attribute, to_attribute(value)?));
        Ok(self)
    }

    /// Puts a value at the head of a list, which need not be there yet.
    ///
    /// # Errors
    /// Where the value cannot be an attribute.
    pub fn prepend<T: Serialize>(mut self, attribute: &'static str, value: &T) -> Result<Self, StoreError> {
        self.prepend.push((attribute, AttributeValue::L(vec![to_attribute(value)?])));
        Ok(self)
    }

    /// Adds to a number.
    #[must_use]
    pub fn add(mut self, attribute: &'static str, number: i64) -> Self {
        self.add.push((attribute, AttributeValue::N(number.to_string())));
        self
    }

    /// Removes an attribute.
    #[must_use]
    pub fn remove(mut self, attribute: &'static str) -> Self {
        self.remove.push(attribute);
        self
    }

    pub(super) fn write(&self, expression: &mut Expression) -> String {
        let mut clauses = Vec::new();
        let mut parts: Vec<_> =
            self.set.iter().map(|(n, v)| format!("{} = {}", expression.name(n), expression.value(v))).collect();
        for (list, head) in &self.prepend {
            let (list, head) = (expression.name(list), expression.value(head));
            let empty = expression.value(&AttributeValue::L(Vec::new()));
            parts.push(format!("{list} = list_append({head}, if_not_exists({list}, {empty}))"));
        }
        if !parts.is_empty() {
            clauses.push(format!("SET {}", parts.join(", ")));
        }
        if !self.add.is_empty() {
            let parts: Vec<_> =
                self.add.iter().map(|(n, v)| format!("{} {}", expression.name(n), expression.value(v))).collect();
            clauses.push(format!("ADD {}", parts.join(", ")));
        }
        if !self.remove.is_empty() {
            let parts: Vec<_> = self.remove.iter().map(|n| expression.name(n)).collect();
            clauses.push(format!("REMOVE {}", parts.join(", ")));
        }
        clauses.join(" ")
    }
}

/// Placeholders of one expression; every name is one, so no reserved word can get in the way.
#[derive(Default)]
pub(super) struct Expression {
    names: HashMap<String, String>,
    values: HashMap<String, AttributeValue>,
}

impl Expression {
    pub(super) fn condition(&mut self, condition: Option<&Condition>) -> Option<String> {
        condition.map(|condition| condition.write(self))
    }

    /// The placeholder of an attribute, or of a path such as `manager.user_id`.
    pub(super) fn name(&mut self, path: &str) -> String {
        let mut placeholder = |attribute: &str| {
            let placeholder = format!("#{attribute}");
            self.names.insert(placeholder.clone(), attribute.to_owned());
            placeholder
        };
        path.split('.').map(&mut placeholder).collect::<Vec<_>>().join(".")
    }

    pub(super) fn value(&mut self, value: &AttributeValue) -> String {
        let placeholder = format!(":v{}", self.values.len());
        self.values.insert(placeholder.clone(), value.clone());
        placeholder
    }

    pub(super) fn names(&self) -> Option<HashMap<String, String>> {
        (!self.names.is_empty()).then(|| self.names.clone())
    }

    pub(super) fn values(&self) -> Option<HashMap<String, AttributeValue>> {
        (!self.values.is_empty()).then(|| self.values.clone())
    }
}
