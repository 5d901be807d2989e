//! An answer as people read it: sentences for what was done, lists and tables for what was looked up.

use std::fmt::Write as _;

use serde_json::{Map, Value};

/// The order in which parts and columns are shown; what is not named here comes behind.
const ORDER: [&str; 60] = [
    "user",
    "sign_up",
    "establishment",
    "manager",
    "contest",
    "release",
    "claims",
    "history",
    "versions",
    "accounts",
    "proofs",
    "sessions",
    "users",
    "address",
    "invitations",
    "requests",
    "belonging",
    "mails",
    "contests",
    "alerts",
    "summary",
    "waiting", // parts
    "stopped",
    "at",
    "requested_at",
    "since",
    "until",
    "ended",
    "event",
    "doubts",
    "state",
    "alert",
    "mail",
    "reason",
    "email",
    "role",
    "civility",
    "last_name",
    "first_name",
    "job_title",
    "origin",
    "name",
    "siret",
    "member_number",
    "open",
    "active",
    "by",
    "voices",
    "asked_by",
    "about",
    "id",
    "action_id",
    "waits_for",
    "kind",
    "amount_cents",
    "in_force_cents",
    "batch_id",
    "source",
    "source_key",
    "source_version", // columns
];

/// Why the function refused, where it did.
pub(crate) fn refusal(answer: &Value) -> Option<String> {
    let error = answer.get("error")?;
    let text = |name: &str| error[name].as_str().unwrap_or_default();
    Some(format!("refused, {} ({}): {}", text("field"), text("code"), text("message")))
}

/// An answer that is no refusal.
pub(crate) fn answer(answer: &Value) -> String {
    let Some(parts) = answer.as_object() else { return answer.to_string() };
    if let Some(sentence) = parts.iter().find_map(|(name, value)| sentence(name, value)) {
        return sentence;
    }
    let mut text = String::new();
    for (name, value) in ordered(parts) {
        part(&mut text, name, value);
    }
    text
}

/// What was done, and what comes next.
fn sentence(name: &str, value: &Value) -> Option<String> {
    let text = |field: &str| plain(&value[field]);
    let place = || format!("{} ({}, {})", text("name"), text("siret"), text("member_number"));
    Some(match name {
        "published" if value["title"].is_string() && value["kind"].is_null() => {
            format!("« {} » is shown from {} on. Its id is {}.", text("title"), text("published_at"), text("id"))
        }
        "withdrawn" => format!("« {} » is withdrawn.", text("title")),
        "put" => format!("The application {} is in the registry: {}.", text("id"), text("url")),
        "removed" => format!("The application {} is out of the registry.", plain(value)),
        "resumed" => format!("The address is mailed again; it was not since {}: {}.", text("at"), text("why")),
        "unchanged" if value["kind"].is_null() => "It is so already: nothing has changed.".to_owned(),
        "published" => format!("{} {} is in force since {}.", text("kind"), text("version"), text("published_at")),
        "unchanged" => format!("This very text is in force already, as {} {}.", text("kind"), text("version")),
        "awaiting_second" => format!(
            "No access is given and the role goes nowhere for now: somebody else has to release the manager of {} too, before {}:\n  \
             staff-cli release-manager {} --staff \"…\" --reason \"…\"",
            place(),
            text("until"),
            text("member_number"),
        ),
        "released" => format!(
            "The manager of {} is released, as {} asked too, and with them {} given since they claimed. Both sides are told by mail; the account can be claimed, but not by them.",
            place(),
            text("asked_by"),
            match value["ended"].as_array().map_or(0, Vec::len) {
                1 => "1 access".to_owned(),
                number => format!("{number} accesses"),
            },
        ),
        "dismissed" => {
            format!("The claim of {} was right: role and access can move again. Both sides are told by mail.", place())
        }
        "allowed" => format!("The user {} can claim the account of {} again.", text("user"), place()),
        "closed" => format!("The account of {} is closed since {}. It can still be read.", place(), text("closed_on")),
        "queued" => format!(
            "The mail {} goes out now. Its id is {}; look-up-user tells when it is sent.",
            text("mail"),
            text("id"),
        ),
        _ => return None,
    })
}

fn part(text: &mut String, name: &str, value: &Value) {
    let title = title(name);
    match value {
        Value::Object(fields) => {
            let _ = writeln!(text, "{title}");
            let width = fields.keys().map(String::len).max().unwrap_or_default();
            for (name, value) in ordered(fields) {
                let _ = writeln!(text, "  {name:width$}  {}", plain(value));
            }
        }
        Value::Array(rows) if rows.iter().any(Value::is_object) => {
            let _ = writeln!(text, "{title}: {}", rows.len());
            table(text, rows);
        }
        Value::Array(values) if values.is_empty() => {
            let _ = writeln!(text, "{title}: none");
        }
        Value::Array(values) => {
            let values: Vec<_> = values.iter().map(plain).collect();
            let _ = writeln!(text, "{title}: {}", values.join(", "));
        }
        other => {
            let _ = writeln!(text, "{title}: {}", if other.is_null() { "none".to_owned() } else { plain(other) });
        }
    }
}

/// Rows below each other, each column as wide as its widest value.
fn table(text: &mut String, rows: &[Value]) {
    let mut all = Map::new();
    for row in rows.iter().filter_map(Value::as_object) {
        all.extend(row.clone());
    }
    let columns: Vec<&str> = ordered(&all).into_iter().map(|(name, _)| name).collect();
    let cells = |row: &Value| -> Vec<String> { columns.iter().map(|column| plain(&row[*column])).collect() };
    let head: Vec<String> = columns.iter().map(|column| (*column).to_owned()).collect();
    let lines: Vec<Vec<String>> = std::iter::once(head).chain(rows.iter().map(cells)).collect();
    let width = |column: usize| {
        lines.iter().filter_map(|line| line.get(column)).map(|cell| cell.chars().count()).max().unwrap_or_default()
    };
    let widths: Vec<usize> = (0..columns.len()).map(width).collect();
    for line in &lines {
        let cells: Vec<_> = line.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}")).collect();
        let _ = writeln!(text, "  {}", cells.join("  ").trim_end());
    }
}

fn ordered(fields: &Map<String, Value>) -> Vec<(&str, &Value)> {
    let place = |name: &str| ORDER.iter().position(|known| *known == name).unwrap_or(ORDER.len());
    let mut fields: Vec<_> = fields.iter().map(|(name, value)| (name.as_str(), value)).collect();
    fields.sort_by_key(|(name, _)| (place(name), *name));
    fields
}

/// `sign_up` as `Sign up`.
fn title(name: &str) -> String {
    let words = name.replace('_', " ");
    let mut letters = words.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

fn plain(value: &Value) -> String {
    match value {
        Value::Null => "-".to_owned(),
        Value::Bool(flag) => if *flag { "yes" } else { "no" }.to_owned(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_table_has_its_columns_below_each_other() {
        let shown = answer(&json!({"alerts": [
            {"id": "b", "at": "2026-11-25T10:00:00Z", "siret": "53384615000019", "alert": "claim-contested", "about": "c"},
            {"id": "d", "at": "2026-11-24T10:00:00Z", "siret": "35600000000048", "alert": "guesses-of-user", "about": null},
        ]}));
        let wanted = "Alerts: 2\n  \
            at                    alert            siret           about  id\n  \
            2026-11-25T10:00:00Z  claim-contested  53384615000019  c      b\n  \
            2026-11-24T10:00:00Z  guesses-of-user  35600000000048  -      d\n";
        assert_eq!(shown, wanted);
    }

    #[test]
    fn what_is_not_there_is_said() {
        let shown = answer(&json!({"user": null, "sign_up": null, "mails": [], "proofs": ["012345"]}));
        assert_eq!(shown, "User: none\nSign up: none\nProofs: 012345\nMails: none\n");
    }

    #[test]
    fn a_refusal_names_field_code_and_remedy() {
        let error = json!({"error": {"code": "required", "field": "reason", "message": "This field is required."}});
        assert_eq!(refusal(&error).unwrap(), "refused, reason (required): This field is required.");
        assert_eq!(refusal(&json!({"contests": []})), None);
    }
}
