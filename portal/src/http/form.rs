//! Reads a body or a query field by field, and reports everything that is wrong with it at once.
//!
//! ```text
//! let mut form = call.form()?;
//! let siret = form.text("siret", Siret::parse);
//! let origin = form.optional("origin", Origin::parse);
//! let (siret, origin) = form.finish((siret, origin))?;
//! ```
//!
//! A reader gives `None` for a field that it refused, and [`Form::finish`] alone turns the readers'
//! results into values: a handler cannot go on with half a form.

use aws_lambda_events::query_map::QueryMap;
use serde_json::{Map, Value};

use super::field::AllOf;
use super::{FieldError, Problem};
use crate::domain::{DocumentReference, Refusal, View, one_line};

/// How many fields that a route does not know an answer names.
const MOST_UNKNOWN: usize = 20;

/// The longest search, in characters.
const LONGEST_SEARCH: usize = 200;

/// The largest page of a list.
const LARGEST_PAGE: usize = 200;

/// A body or a query being read.
pub struct Form {
    object: Map<String, Value>,
    path: String,
    errors: Vec<FieldError>,
    source: Source,
}

/// Where fields come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Source {
    Body,
    /// Values are texts; a list of texts is a parameter that was given more than once.
    Query,
}

impl Form {
    /// A body's fields, to a route that has no query parameters.
    pub(super) fn of_body(object: Map<String, Value>, query: &QueryMap) -> Self {
        let mut parameters = Self::of_query(query);
        parameters.refuse_others();
        Self { object, errors: parameters.errors, ..Self::part(String::new()) }
    }

    /// The parameters of a query.
    pub(super) fn of_query(query: &QueryMap) -> Self {
        let mut object = Map::new();
        // `?&&` has pairs without a name and without a value: nothing was said.
        for (name, value) in query.iter().filter(|(name, value)| !name.is_empty() || !value.is_empty()) {
            match object.get_mut(name) {
                None => {
                    object.insert(name.to_owned(), Value::from(value));
                }
                Some(Value::Array(values)) => values.push(Value::from(value)),
                Some(first) => *first = Value::from(vec![first.take(), Value::from(value)]),
            }
        }
        Self { object, source: Source::Query, ..Self::part(String::new()) }
    }

    /// Parameters that were read once, and written down.
    #[must_use]
    pub fn of_texts(texts: impl IntoIterator<Item = (String, String)>) -> Self {
        let object = texts.into_iter().map(|(name, text)| (name, Value::from(text))).collect();
        Self { object, source: Source::Query, ..Self::part(String::new()) }
    }

    /// What is inside of a field of a body.
    fn part(path: String) -> Self {
        Self { object: Map::new(), path, errors: Vec::new(), source: Source::Body }
    }

    /// Whether the field is there at all.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.object.contains_key(name)
    }

    /// A mandatory text.
    pub fn text<T>(&mut self, name: &str, parse: impl FnOnce(&str) -> Result<T, Refusal>) -> Option<T> {
        match self.object.remove(name) {
            None | Some(Value::Null) => self.refuse(name, required()),
            Some(Value::String(text)) if text.trim().is_empty() => self.refuse(name, required()),
            Some(Value::String(text)) => self.parsed(name, &text, parse),
            Some(Value::Array(_)) if self.source == Source::Query => self.refuse(name, repeated()),
            Some(_) => self.refuse(name, not_a("not-a-string", "du texte", "text")),
        }
    }

    fn parsed<T>(&mut self, name: &str, text: &str, parse: impl FnOnce(&str) -> Result<T, Refusal>) -> Option<T> {
        // What is no UTF-8 was replaced when it was decoded.
        if self.source == Source::Query && text.contains(char::REPLACEMENT_CHARACTER) {
            return self.refuse(name, not_decoded());
        }
        match parse(text) {
            Ok(value) => Some(value),
            Err(refusal) => self.refuse(name, refusal),
        }
    }

    /// A text that may be missing, null or empty. `None` only where it is there and refused.
    pub fn optional<T>(&mut self, name: &str, parse: impl FnOnce(&str) -> Result<T, Refusal>) -> Option<Option<T>> {
        match self.object.get(name) {
            None | Some(Value::Null) => {
                self.object.remove(name);
                Some(None)
            }
            Some(Value::String(text)) if text.is_empty() => {
                self.object.remove(name);
                Some(None)
            }
            // Spaces are no missing parameter: each says by itself what it makes of them.
            Some(Value::String(text)) if self.source == Source::Query => {
                let text = text.clone();
                self.object.remove(name);
                self.parsed(name, &text, parse).map(Some)
            }
            Some(_) => self.text(name, parse).map(Some),
        }
    }

    /// A mandatory text, taken as it is: a password, a token.
    pub fn verbatim(&mut self, name: &str) -> Option<String> {
        match self.object.remove(name) {
            None | Some(Value::Null) => self.refuse(name, required()),
            Some(Value::String(text)) if text.is_empty() => self.refuse(name, required()),
            Some(Value::String(text)) => Some(text),
            Some(_) => self.refuse(name, not_a("not-a-string", "du texte", "text")),
        }
    }

    /// A mandatory `true` or `false`.
    pub fn boolean(&mut self, name: &str) -> Option<bool> {
        match self.object.remove(name) {
            None | Some(Value::Null) => self.refuse(name, required()),
            Some(Value::Bool(value)) => Some(value),
            Some(_) => self.refuse(name, not_a("not-a-boolean", "true ou false", "true or false")),
        }
    }

    /// A list of texts that may be missing: at most `most`, each of at most `longest` characters.
    pub fn texts(&mut self, name: &str, most: usize, longest: usize) -> Option<Vec<String>> {
        let refusal = Refusal::new(
            "bad-list",
            format!("Donnez une liste d’au plus {most} textes de {longest} caractères au plus."),
            format!("Give a list of at most {most} texts of at most {longest} characters."),
        );
        let values = match self.object.remove(name) {
            None | Some(Value::Null) => return Some(Vec::new()),
            Some(Value::Array(values)) if values.len() <= most => values,
            Some(_) => return self.refuse(name, refusal),
        };
        let text = |value| match value {
            Value::String(text) if text.chars().count() <= longest => Some(text),
            _ => None,
        };
        match values.into_iter().map(text).collect() {
            Some(texts) => Some(texts),
            None => self.refuse(name, refusal),
        }
    }

    /// A mandatory list of 1 to `most` texts; each that is refused is named by its place, as `emails.3`.
    pub fn list<T>(&mut self, name: &str, most: usize, parse: impl Fn(&str) -> Result<T, Refusal>) -> Option<Vec<T>> {
        let values = match self.object.remove(name) {
            None | Some(Value::Null) => return self.refuse(name, required()),
            Some(Value::Array(values)) if (1..=most).contains(&values.len()) => values,
            Some(_) => {
                let refusal = Refusal::new(
                    "bad-list",
                    format!("Donnez une liste de 1 à {most} textes."),
                    format!("Give a list of 1 to {most} texts."),
                );
                return self.refuse(name, refusal);
            }
        };
        let object = values.into_iter().enumerate().map(|(place, value)| (place.to_string(), value)).collect();
        let mut inner = Self { object, ..Self::part(format!("{}{name}.", self.path)) };
        let places = 0..inner.object.len();
        let texts: Vec<_> = places.map(|place| inner.text(&place.to_string(), &parse)).collect();
        self.errors.append(&mut inner.errors);
        texts.into_iter().collect()
    }

    /// A mandatory reference to one version of a legal document: `{version, sha256}`.
    pub fn document(&mut self, name: &str) -> Option<DocumentReference> {
        let object = match self.object.remove(name) {
            None | Some(Value::Null) => return self.refuse(name, required()),
            Some(Value::Object(object)) => object,
            Some(_) => {
                return self
                    .refuse(name, not_a("not-an-object", "un objet {version, sha256}", "an object {version, sha256}"));
            }
        };
        let mut inner = Self { object, ..Self::part(format!("{}{name}.", self.path)) };
        let version = inner.version("version");
        let sha256 = inner.sha256("sha256");
        inner.refuse_others();
        self.errors.append(&mut inner.errors);
        Some(DocumentReference { version: version?, sha256: sha256? })
    }

    /// A mandatory document version: a whole number from 1 on.
    pub fn version(&mut self, name: &str) -> Option<u32> {
        match self.object.remove(name) {
            None | Some(Value::Null) => self.refuse(name, required()),
            Some(value) => match whole(&value) {
                Some(version) if version > 0 => Some(version),
                _ => self
                    .refuse(name, not_a("not-a-version", "un nombre entier à partir de 1", "a whole number from 1 on")),
            },
        }
    }

    /// A view that may be missing: its year, a number in a body and text in a query.
    pub fn view(&mut self, name: &str) -> Option<Option<View>> {
        if let Some(value) = self.object.get_mut(name)
            && self.source == Source::Body
            && !matches!(value, Value::Null | Value::String(_))
        {
            *value = Value::from(whole(value).map_or_else(|| "?".to_owned(), |year| year.to_string()));
        }
        self.optional(name, View::read)
    }

    /// What is searched for, which may be missing: one line of at most 200 characters, longer than any title or name.
    pub fn search(&mut self, name: &str) -> Option<Option<String>> {
        let blank = |text: &str| text.trim().is_empty();
        let searched =
            self.optional(name, |text| if blank(text) { Ok(String::new()) } else { one_line(text, LONGEST_SEARCH) })?;
        Some(searched.filter(|text| !text.is_empty()))
    }

    /// A mandatory SHA-256: 64 lower-case hex digits.
    pub fn sha256(&mut self, name: &str) -> Option<String> {
        self.text(name, parse_sha256)
    }

    /// How many items a page shall have, which may be missing: 1 to 200.
    pub fn limit(&mut self, name: &str) -> Option<Option<usize>> {
        self.optional(name, |text| {
            // One spelling: no sign, no zero in front.
            let limit = text.parse::<usize>().ok().filter(|limit| limit.to_string() == text);
            let limit = limit.filter(|limit| (1..=LARGEST_PAGE).contains(limit));
            limit.ok_or_else(|| {
                Refusal::new("bad-limit", "Donnez un nombre entier de 1 à 200.", "Give a whole number from 1 to 200.")
            })
        })
    }

    /// Refuses a field for a reason that concerns several.
    pub fn refuse<T>(&mut self, name: &str, refusal: Refusal) -> Option<T> {
        self.errors.push(FieldError { field: format!("{}{name}", self.path), refusal });
        None
    }

    /// The problem of what was refused so far, for a form of which nothing further can be read.
    #[must_use]
    pub fn refused(self) -> Problem {
        Problem::InvalidInput(self.errors)
    }

    /// The values, where every field was accepted and there is none that the route does not know.
    ///
    /// # Errors
    /// `invalid-input` with every refused and every unknown field.
    pub fn finish<V: AllOf>(mut self, values: V) -> Result<V::Values, Problem> {
        self.refuse_others();
        if !self.errors.is_empty() {
            return Err(Problem::InvalidInput(self.errors));
        }
        values.all().ok_or_else(|| Problem::Internal { context: "a form lost a field without an error".to_owned() })
    }

    fn refuse_others(&mut self) {
        let unknown = std::mem::take(&mut self.object);
        // A body of 64 KiB holds thousands of fields; twenty tell what is wrong.
        for name in unknown.keys().take(MOST_UNKNOWN) {
            self.refuse::<()>(name, self.source.unknown());
        }
    }
}

impl Source {
    /// The refusal of what the route does not know.
    fn unknown(self) -> Refusal {
        match self {
            Self::Body => Refusal::new(
                FieldError::UNKNOWN_FIELD,
                "Ce champ n’existe pas : retirez-le.",
                "There is no such field: leave it out.",
            ),
            Self::Query => Refusal::new(
                FieldError::UNKNOWN_PARAMETER,
                "Ce paramètre n’existe pas ici : retirez-le de l’adresse.",
                "There is no such parameter here: leave it out of the address.",
            ),
        }
    }
}

/// A whole number, however it is written: `1.0` and `1e0` are 1.
fn whole(value: &Value) -> Option<u32> {
    let number = value.as_f64().filter(|number| number.fract() == 0.0)?;
    (0.0..=f64::from(u32::MAX)).contains(&number).then_some(number as u32)
}

/// Reads a SHA-256 as 64 lower-case hex digits.
fn parse_sha256(text: &str) -> Result<String, Refusal> {
    if crate::domain::from_hex::<32>(text).is_some() {
        return Ok(text.to_owned());
    }
    Err(Refusal::new(
        "sha256",
        "L’empreinte SHA-256 comporte 64 chiffres hexadécimaux en minuscules.",
        "A SHA-256 has 64 lower-case hexadecimal digits.",
    ))
}

fn required() -> Refusal {
    Refusal::new("required", "Ce champ est obligatoire.", "This field is required.")
}

fn repeated() -> Refusal {
    Refusal::new(
        "repeated-parameter",
        "Ce paramètre est donné plusieurs fois : n’en gardez qu’un.",
        "This parameter is given more than once: keep one.",
    )
}

fn not_decoded() -> Refusal {
    Refusal::new(
        "bad-encoding",
        "Cette valeur n’est pas codée en UTF-8 (`é` s’écrit `%C3%A9`).",
        "This value is not encoded as UTF-8 (`é` is written `%C3%A9`).",
    )
}

fn not_a(code: &'static str, fr: &str, en: &str) -> Refusal {
    Refusal::new(code, format!("Donnez {fr}."), format!("Give {en}."))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::domain::{Email, Siret};

    fn form(value: Value) -> Form {
        match value {
            Value::Object(object) => Form::of_body(object, &QueryMap::default()),
            _ => panic!("an object"),
        }
    }

    fn codes(problem: Problem) -> Vec<(String, &'static str)> {
        match problem {
            Problem::InvalidInput(errors) => errors.into_iter().map(|e| (e.field, e.refusal.code)).collect(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn everything_wrong_is_said_at_once() {
        let mut form = form(json!({
            "siret": 5, "email": "x", "terms": {"version": 0, "sha256": "AB", "more": 1}, "admin": true,
        }));
        let siret = form.text("siret", Siret::parse);
        let email = form.text("email", Email::parse);
        let name = form.verbatim("password");
        let terms = form.document("terms");
        let errors = codes(form.finish((siret, email, name, terms)).unwrap_err());
        let expected = [
            ("siret", "not-a-string"),
            ("email", "email-invalid"),
            ("password", "required"),
            ("terms.version", "not-a-version"),
            ("terms.sha256", "sha256"),
            ("terms.more", "unknown-field"),
            ("admin", "unknown-field"),
        ];
        assert_eq!(errors, expected.map(|(field, code)| (field.to_owned(), code)));
    }

    #[test]
    fn a_version_is_a_whole_number_from_1_on_however_it_is_written() {
        for right in ["1", "1.0", "1e0", "10e-1"] {
            assert_eq!(
                form(serde_json::from_str(&format!(r#"{{"version": {right}}}"#)).unwrap()).version("version"),
                Some(1)
            );
        }
        for wrong in ["0", "-1", "0.5", "1.5", "4294967296", "1e300", "-0.0", "\"1\"", "true"] {
            let mut form = form(serde_json::from_str(&format!(r#"{{"version": {wrong}}}"#)).unwrap());
            assert_eq!(form.version("version"), None, "{wrong}");
        }
    }

    #[test]
    fn of_a_list_each_wrong_text_is_named_by_its_place() {
        let siret = "53384615000019";
        let mut form = form(json!({"sirets": [siret, "1", 7], "none": [], "text": "x", "many": [siret, siret]}));
        let sirets = form.list("sirets", 3, Siret::parse);
        let wrong = ["none", "text", "missing", "many"].map(|name| form.list(name, 1, Siret::parse));
        assert!(sirets.is_none() && wrong.iter().all(Option::is_none));
        let expected = [
            ("sirets.1", "siret-length"),
            ("sirets.2", "not-a-string"),
            ("none", "bad-list"),
            ("text", "bad-list"),
            ("missing", "required"),
            ("many", "bad-list"),
        ];
        assert_eq!(codes(form.finish((sirets,)).unwrap_err()), expected.map(|(field, code)| (field.to_owned(), code)));
    }

    #[test]
    fn an_optional_field_may_be_missing_but_not_wrong() {
        let mut absent = form(json!({"origin": null}));
        let origin = absent.optional("origin", Siret::parse);
        assert_eq!(absent.finish((origin,)).unwrap(), (None,));
        let mut wrong = form(json!({"origin": "12"}));
        let origin = wrong.optional("origin", Siret::parse);
        assert_eq!(codes(wrong.finish((origin,)).unwrap_err()), [("origin".to_owned(), "siret-length")]);
    }
}
