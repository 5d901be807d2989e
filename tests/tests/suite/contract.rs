//! The contract as a text that others read: by strict parsers, by generators of clients, and against the code's own
//! lists.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;

use harness::Contract;
use portal::domain::{ActionStatus, Civility, CostKind, DocumentKind, EntryKind, Payee, Scheme};
use portal::http::Language;
use portal::security::Strength;
use portal::store::{
    ActionChange, ContestOutcome, Delivery, EmailProblem, EventOutcome, ExportFormat, ExportState, ExportedList,
    Purpose, Role, Stage, TransferPayee,
};
use serde::de::value::Error;
use serde::de::{Deserialize, Deserializer, Error as _, Visitor};
use serde::forward_to_deserialize_any;
use serde_json::{Value, json};

use crate::nothing_forgotten::{problems, read};

/// How an enum's variants are called, as serde knows them: no list beside the type can be out of date.
struct Names(&'static [&'static str]);

struct Asking<'a>(&'a mut Names);

impl<'de> Deserializer<'de> for Asking<'_> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Error> {
        Err(Error::custom("no enum"))
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        variants: &'static [&'static str],
        _: V,
    ) -> Result<V::Value, Error> {
        self.0.0 = variants;
        Err(Error::custom("asked, and no more"))
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 u8 u16 u32 u64 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map struct identifier ignored_any
    }
}

type List = BTreeSet<String>;

fn names<T: for<'de> Deserialize<'de>>() -> List {
    let mut names = Names(&[]);
    // It ends with an error: there is nothing to read a value from.
    assert!(T::deserialize(Asking(&mut names)).is_err());
    assert!(!names.0.is_empty(), "{} is no enum", std::any::type_name::<T>());
    names.0.iter().map(|name| (*name).to_owned()).collect()
}

fn list<'a>(names: impl IntoIterator<Item = &'a str>) -> List {
    names.into_iter().map(str::to_owned).collect()
}

fn kinds(which: impl Fn(EntryKind) -> bool) -> List {
    list(EntryKind::ALL.iter().filter(|kind| which(**kind)).map(|kind| kind.as_str()))
}

/// The variants of an enum that a function keeps to itself, in small letters as it serializes them.
fn variants_in(file: &str, name: &str) -> List {
    let source = read(file);
    let (before, body) = source.split_once(&format!("enum {name} {{")).unwrap_or_else(|| panic!("{name} of {file}"));
    let before = before.trim_end().trim_end_matches("pub(crate)").trim_end();
    let has_hyphens = before.ends_with("#[serde(rename_all = \"kebab-case\")]");
    assert!(has_hyphens || before.ends_with("#[serde(rename_all = \"lowercase\")]"), "{name} of {file}");
    let body = body.split('}').next().unwrap();
    let lines = body.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with("//"));
    let word = |line: &str| {
        let mut name = String::new();
        for letter in line.trim_end_matches(',').chars() {
            if has_hyphens && letter.is_uppercase() && !name.is_empty() {
                name.push('-');
            }
            name.extend(letter.to_lowercase());
        }
        name
    };
    lines.map(word).collect()
}

/// The texts that a statement chooses from.
fn texts_in(file: &str, statement: &str) -> List {
    let source = read(file);
    let (_, rest) = source.split_once(statement).unwrap_or_else(|| panic!("{statement} of {file}"));
    let rest = rest.split(';').next().unwrap();
    list(rest.split('"').skip(1).step_by(2))
}

/// What the code may say where the contract has an enum at this place; `None` where nobody said yet whose list it is.
fn of_the_code(place: &str) -> Option<List> {
    let schema = place.strip_prefix("/components/schemas/").unwrap_or(place);
    Some(match schema {
        "Civility" => names::<Civility>(),
        "DocumentKind" => names::<DocumentKind>(),
        "DocumentSlug" => list(DocumentKind::ALL.map(DocumentKind::slug)),
        "NextStep" => variants_in("functions/home/src/next_step.rs", "NextStep"),
        // Those of the account are accepted with the claim.
        "AcceptanceRequest/properties/kind" | "Receipt/properties/kind" => {
            let mut kinds = names::<DocumentKind>();
            kinds.remove("account-terms");
            kinds
        }
        "Role" => names::<Role>(),
        "ActionStatus" => names::<ActionStatus>(),
        "Scheme" => names::<Scheme>(),
        "CostKind" => names::<CostKind>(),
        "Payee" => names::<Payee>(),
        "TransferPayee" => names::<TransferPayee>(),
        "ActionVersion/properties/change" => names::<ActionChange>(),
        "EntryKind" => names::<EntryKind>(),
        "ActionEntry/allOf/1/properties/kind" => kinds(|kind| !kind.is_contribution()),
        "Contribution/allOf/1/properties/kind" => kinds(|kind| kind.is_contribution() || kind == EntryKind::Reversal),
        "RemittanceLine/properties/kind" => kinds(|kind| kind.is_transferred() || kind == EntryKind::Reversal),
        // Those whose amount may be negative.
        "Entry/allOf/1/if/properties/kind" => {
            kinds(|kind| matches!(kind, EntryKind::CommitmentRevision | EntryKind::Reversal))
        }
        "Problem/properties/type" => problems().keys().map(|slug| format!("/problems/{slug}")).collect(),
        "Problem/properties/status" => problems().values().map(u16::to_string).collect(),
        "PasswordRating/properties/label" => {
            let rated = |score| Strength { score, is_common: false, hints: Vec::new() };
            list((0..=4).map(|score| rated(score).label()))
        }
        "PasswordLinkPurpose/properties/purpose"
        | "Export/properties/addresses/items/properties/mails/items/properties/purpose" => {
            let mut purposes = names::<Purpose>();
            // These two lead elsewhere, and are mailed to who is signed in.
            assert!(purposes.remove("email-change") && purposes.remove("email-undo"));
            purposes
        }
        "EmailLinkPurpose/properties/purpose" => texts_in("functions/change-email/src/lib.rs", "let purpose ="),
        "EmailProblem" => names::<EmailProblem>(),
        "Application/properties/reason" => texts_in("functions/home/src/lib.rs", "let reason ="),
        "Export/properties/addresses/items/properties/log_in/oneOf/1/properties/stage" => names::<Stage>(),
        "Export/properties/addresses/items/properties/mail_state/oneOf/1/properties/mails/items/properties/delivery" => {
            names::<Delivery>()
        }
        "Export/properties/events/items/properties/outcome" => names::<EventOutcome>(),
        "Export/properties/contests/items/properties/outcome/oneOf/0" => names::<ContestOutcome>(),
        "Export/properties/cut/items" => texts_in("functions/profile/src/export.rs", "let cut ="),
        "ExportedList" => names::<ExportedList>(),
        "ExportFormat" => names::<ExportFormat>(),
        "LedgerExportState" => names::<ExportState>(),
        "FileLinkRequest/properties/file/anyOf/0" => &names::<ExportedList>() | &list(["statement"]),
        "FileLinkRequest/properties/format" => &names::<ExportFormat>() | &list(["pdf"]),
        "AccountOrder" => {
            let fields = texts_in("functions/accounts/src/order.rs", "fn as_str(self) -> &'static str");
            fields.iter().flat_map(|field| [field.clone(), format!("-{field}")]).collect()
        }
        "Moves" => list(query_ledger::filter::Moves::ALL.map(query_ledger::filter::Moves::as_str)),
        "ActionOrder" => {
            let fields = texts_in("portal/ledger-lists/src/sort.rs", "fn as_str(self) -> &'static str");
            fields.iter().flat_map(|field| [field.clone(), format!("-{field}")]).collect()
        }
        "AccountUser/properties/status" => variants_in("functions/manage-users/src/list.rs", "Status"),
        "/components/headers/ContentLanguage/schema" => list([Language::French, Language::English].map(Language::tag)),
        _ => return None,
    })
}

/// Every object of the contract with an `enum`, by its place.
fn enums(value: &Value, place: &str, found: &mut BTreeMap<String, List>) {
    let below = |name: &str| format!("{place}/{}", name.replace('~', "~0").replace('/', "~1"));
    match value {
        Value::Object(fields) => {
            if let Some(values) = fields.get("enum").and_then(Value::as_array) {
                let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                let all: List = values.iter().map(text).collect();
                assert_eq!(all.len(), values.len(), "{place} names a value twice");
                found.insert(place.to_owned(), all);
            }
            fields.iter().for_each(|(name, value)| enums(value, &below(name), found));
        }
        Value::Array(values) => {
            values.iter().enumerate().for_each(|(nth, value)| enums(value, &below(&nth.to_string()), found))
        }
        _ => {}
    }
}

/// The name of the field whose values an enum lists.
fn field(place: &str) -> &str {
    place.rsplit('/').next().unwrap_or_default()
}

#[test]
fn an_enum_of_the_contract_lists_what_the_code_has() {
    let mut found = BTreeMap::new();
    enums(Contract::get().document(), "", &mut found);
    assert!(found.len() > 20, "{found:?}");
    for (place, values) in &found {
        if place.contains("/responses/") && field(place) == "type" {
            // Which problems an answer has: `a_problem_is_answered_with_its_own_status` holds these.
            continue;
        }
        match of_the_code(place) {
            Some(own) => assert_eq!(*values, own, "{place}"),
            // What a condition asks for is among what the field can be.
            None if place.contains("/if/") => {
                let (schema, _) = place.split_once("/allOf/").unwrap();
                let whole = &found[&format!("{schema}/properties/{}", field(place))];
                assert!(values.is_subset(whole), "{place}");
            }
            None => panic!("{place} is an enum, and this test does not know whose: say so in `of_the_code`"),
        }
    }
}

/// The generators' way: one schema for all problems, referred to, with what an answer narrows beside the reference.
/// With `allOf` openapi-python-client leaves the answer out, as it cannot merge two enums.
#[test]
fn a_problem_is_answered_with_its_own_status() {
    let problems = problems();
    let contract = Contract::get();
    let mut seen = 0;
    for (method, path, operation) in contract.operations() {
        for (status, response) in operation["responses"].as_object().unwrap() {
            let schema = &contract.resolve(response)["content"]["application/problem+json"]["schema"];
            if schema.is_null() {
                continue;
            }
            let name = format!("{status} of {method} {path}");
            let names: BTreeSet<_> = schema.as_object().unwrap().keys().map(String::as_str).collect();
            assert_eq!(names, BTreeSet::from(["$ref", "properties"]), "{name}");
            assert_eq!(schema["$ref"], "#/components/schemas/Problem", "{name}");
            let Value::Object(narrowed) = &schema["properties"] else { panic!("{name}") };
            let narrowed: BTreeSet<_> = narrowed.keys().map(String::as_str).collect();
            assert_eq!(narrowed, BTreeSet::from(["status", "type"]), "{name}");
            assert_eq!(schema["properties"]["status"], json!({"const": status.parse::<u16>().unwrap()}), "{name}");
            let one = &schema["properties"]["type"];
            let types = one["enum"].as_array().map_or_else(|| vec![&one["const"]], |types| types.iter().collect());
            for slug in types {
                let slug = slug.as_str().and_then(|slug| slug.strip_prefix("/problems/")).expect("a problem");
                assert_eq!(problems[slug].to_string(), *status, "{slug} at {name}");
                seen += 1;
            }
        }
    }
    assert!(seen > 200, "{seen} are not all");
}

/// `/` is in no name of a constant: without names generators number them, and a new problem would move the others.
#[test]
fn a_problem_has_a_name_for_generators() {
    let kinds = &Contract::get().document()["components"]["schemas"]["Problem"]["properties"]["type"];
    let name = |kind: &Value| {
        let slug = kind.as_str().unwrap().strip_prefix("/problems/").unwrap();
        Value::from(slug.to_uppercase().replace('-', "_"))
    };
    let names: Vec<_> = kinds["enum"].as_array().unwrap().iter().map(name).collect();
    assert_eq!(kinds["x-enum-varnames"], Value::from(names));
}

#[test]
fn no_key_stands_twice_in_a_yaml_file() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..");
    let infra = fs::read_dir(folder.join("infra")).unwrap().map(|entry| entry.unwrap().path());
    let infra = infra.filter(|path| path.extension().is_some_and(|extension| extension == "yaml"));
    let files: Vec<_> = infra.chain(["openapi.yaml", "template.yaml"].map(|name| folder.join(name))).collect();
    assert!(files.len() > 5, "{files:?}");
    for file in files {
        let text = fs::read_to_string(&file).unwrap();
        let parsed = serde_yaml_ng::from_str::<serde_yaml_ng::Value>(&text);
        assert!(parsed.is_ok(), "{}: {}", file.display(), parsed.unwrap_err());
    }
    // Read as JSON's values the second of two would win.
    let twice = "a: 1\nb: {c: 2, c: 3}\n";
    assert!(serde_yaml_ng::from_str::<serde_yaml_ng::Value>(twice).is_err());
    assert_eq!(serde_yaml_ng::from_str::<Value>(twice).unwrap(), json!({"a": 1, "b": {"c": 3}}));
}
