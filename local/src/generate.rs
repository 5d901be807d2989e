//! `GenerateSecretString`: how CloudFormation has a secret's first value made.

use portal::environment::rng;
use rand::RngExt;
use rand::seq::SliceRandom;
use serde_json::Value;

const PUNCTUATION: &str = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~";

/// A value by the settings of the template.
pub(crate) fn secret(settings: &Value) -> Result<String, String> {
    let password = password(settings)?;
    match (settings["SecretStringTemplate"].as_str(), settings["GenerateStringKey"].as_str()) {
        (None, None) => Ok(password),
        (Some(template), Some(key)) => {
            let mut value: Value =
                serde_json::from_str(template).map_err(|error| format!("SecretStringTemplate is not JSON: {error}"))?;
            let object = value.as_object_mut().ok_or("SecretStringTemplate is not an object")?;
            object.insert(key.to_owned(), password.into());
            Ok(value.to_string())
        }
        _ => Err("SecretStringTemplate and GenerateStringKey come together".to_owned()),
    }
}

fn password(settings: &Value) -> Result<String, String> {
    // 32 characters and every kind is the service's default.
    let length = usize::try_from(settings["PasswordLength"].as_u64().unwrap_or(32)).unwrap_or(usize::MAX);
    if !(1..=4096).contains(&length) {
        return Err("PasswordLength is from 1 to 4096".to_owned());
    }
    let on = |name: &str| settings[name] == true;
    let excluded = settings["ExcludeCharacters"].as_str().unwrap_or_default();
    let kinds: Vec<Vec<char>> = [
        (!on("ExcludeLowercase"), ('a'..='z').collect::<Vec<char>>()),
        (!on("ExcludeUppercase"), ('A'..='Z').collect()),
        (!on("ExcludeNumbers"), ('0'..='9').collect()),
        (!on("ExcludePunctuation"), PUNCTUATION.chars().collect()),
        (on("IncludeSpace"), vec![' ']),
    ]
    .into_iter()
    .filter(|(wanted, _)| *wanted)
    .map(|(_, kind)| kind.into_iter().filter(|character| !excluded.contains(*character)).collect::<Vec<_>>())
    .filter(|kind| !kind.is_empty())
    .collect();
    let all: Vec<char> = kinds.iter().flatten().copied().collect();
    if all.is_empty() {
        return Err("every character is excluded".to_owned());
    }
    let mut rng = rng();
    let mut password = Vec::with_capacity(length);
    if settings["RequireEachIncludedType"] != false {
        if kinds.len() > length {
            return Err("PasswordLength is too short for one character of each kind".to_owned());
        }
        password.extend(kinds.iter().map(|kind| kind[rng.random_range(0..kind.len())]));
    }
    while password.len() < length {
        password.push(all[rng.random_range(0..all.len())]);
    }
    password.shuffle(&mut rng);
    Ok(password.into_iter().collect())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_password_has_its_length_and_only_the_kinds_asked_for() {
        let password = secret(&json!({"PasswordLength": 64, "ExcludePunctuation": true})).unwrap();
        assert_eq!(password.len(), 64);
        assert!(password.chars().all(|character| character.is_ascii_alphanumeric()), "{password}");
        for kind in [char::is_uppercase as fn(char) -> bool, char::is_lowercase, char::is_numeric] {
            assert!(password.chars().any(kind), "{password}");
        }
        assert_ne!(password, secret(&json!({"PasswordLength": 64, "ExcludePunctuation": true})).unwrap());
    }

    #[test]
    fn a_template_gets_the_password_under_its_key() {
        let settings = json!({
            "SecretStringTemplate": "{\"keys\":[]}", "GenerateStringKey": "salt", "ExcludeCharacters": "\"\\",
        });
        let value: Value = serde_json::from_str(&secret(&settings).unwrap()).unwrap();
        assert_eq!(value["keys"], json!([]));
        assert_eq!(value["salt"].as_str().unwrap().len(), 32);
    }

    #[test]
    fn settings_that_make_no_sense_are_refused() {
        for settings in [
            json!({"PasswordLength": 0}),
            json!({"PasswordLength": 2}),
            json!({"SecretStringTemplate": "{}"}),
            json!({"SecretStringTemplate": "[]", "GenerateStringKey": "x"}),
            json!({"ExcludeLowercase": true, "ExcludeUppercase": true, "ExcludeNumbers": true, "ExcludePunctuation": true}),
        ] {
            assert!(secret(&settings).is_err(), "{settings}");
        }
    }
}
