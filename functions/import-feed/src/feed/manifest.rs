//! `manifest.json`: what a batch consists of, to check before anything is posted.

use std::collections::BTreeSet;

use jiff::civil::Date;
use jiff::{Timestamp, ToSpan as _};
use portal::domain::{Identifier, from_hex, fund_day};
use serde::{Deserialize, Serialize};

use super::Reason;
use super::lines::without_mark;
use super::object::Object;
use crate::report::Refusal;

/// The numbers that a batch may have: those that a number of JavaScript holds exactly.
const SEQUENCES: std::ops::RangeInclusive<u64> = 1..=(1 << 53) - 1;

/// A batch's table of contents.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Manifest {
    /// The batch's name.
    pub batch_id: Identifier,
    /// The system that sent it; with a source key, what makes posting safe to repeat.
    pub source: Identifier,
    /// When it was made.
    pub created_at: Timestamp,
    /// Its number among the batches of its source, which has no gaps.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sequence: Option<u64>,
    /// Its files.
    pub files: Vec<ListedFile>,
}

/// A file of a batch.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ListedFile {
    /// Its name beside the manifest.
    pub name: String,
    /// How many lines it has.
    pub lines: u64,
    /// SHA-256 of its bytes, lower-case hex; the manifest may have capitals.
    pub sha256: String,
    /// The sum of its amounts; a file without it holds none.
    #[serde(default, deserialize_with = "null_is_absent")]
    pub amount_cents: i64,
}

fn null_is_absent<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<i64, D::Error> {
    Ok(Option::<i64>::deserialize(deserializer)?.unwrap_or_default())
}

/// What a file holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum FileKind {
    /// Member accounts: posted before any ledger, which refers to them.
    Members,
    /// Actions and entries.
    Ledger,
}

impl ListedFile {
    /// What the file holds, by its name: `members.ndjson`, or `members-2.ndjson` where there are several.
    #[must_use]
    pub fn kind(&self) -> Option<FileKind> {
        let stem = self.name.strip_suffix(".ndjson")?;
        let named = |kind: &str| stem.strip_prefix(kind).is_some_and(|rest| rest.is_empty() || rest.starts_with('-'));
        if named("members") {
            Some(FileKind::Members)
        } else if named("ledger") {
            Some(FileKind::Ledger)
        } else {
            None
        }
    }
}

impl Manifest {
    /// The last day that a record may name: a year after the fund's day on which the batch was made.
    #[must_use]
    pub fn last_day(&self) -> Date {
        fund_day(self.created_at).checked_add(1.year()).unwrap_or(Date::MAX)
    }

    /// Reads a manifest; its files come out with members first.
    ///
    /// # Errors
    /// What is wrong with it, in words for the back office.
    pub fn read(bytes: &[u8]) -> Result<Self, Refusal> {
        let bytes = without_mark(bytes);
        check_fields(bytes)?;
        Self::read_fields(bytes).map_err(|detail| Refusal::new("manifest", detail))
    }

    fn read_fields(bytes: &[u8]) -> Result<Self, String> {
        let mut manifest: Self = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
        let mut names = BTreeSet::new();
        if manifest.sequence.is_some_and(|number| !SEQUENCES.contains(&number)) {
            return Err("the sequence is no number from 1 to 2^53 - 1".to_owned());
        }
        if manifest.files.is_empty() {
            return Err("no file is listed".to_owned());
        }
        for file in &mut manifest.files {
            file.sha256.make_ascii_lowercase();
            // A name and no path: nothing outside the batch's own folder can be reached.
            Identifier::parse(&file.name).map_err(|_| "a file's name is no plain name".to_owned())?;
            if file.kind().is_none() {
                return Err(format!("{} is neither members*.ndjson nor ledger*.ndjson", file.name));
            }
            if from_hex::<32>(&file.sha256).is_none() {
                return Err(format!("the SHA-256 of {} is not 64 hexadecimal digits", file.name));
            }
            if !names.insert(file.name.clone()) {
                return Err(format!("{} is listed twice", file.name));
            }
        }
        manifest.files.sort_by_key(ListedFile::kind);
        Ok(manifest)
    }
}

/// Looks for what a JSON parser says little about: fields that stand there twice, and half characters.
fn check_fields(bytes: &[u8]) -> Result<(), Refusal> {
    let is_read = |object: &Object<'_>, field| match object.scalar(field).map_err(|Reason { code, .. }| code) {
        Err(code @ "doubled-field") => Err(Refusal::new(code, format!("{field} stands there twice"))),
        Err(code) => Err(Refusal::new(code, format!("{field} has one half of a surrogate pair"))),
        Ok(_) => Ok(()),
    };
    // What is no object is named by whoever reads it whole.
    let Ok(manifest) = Object::read(bytes) else { return Ok(()) };
    ["batch_id", "source", "created_at", "sequence", "files"]
        .into_iter()
        .try_for_each(|field| is_read(&manifest, field))?;
    let files = manifest.last("files").and_then(|files| serde_json::from_str::<Vec<Object<'_>>>(files.get()).ok());
    files.unwrap_or_default().iter().try_for_each(|file| {
        ["name", "lines", "sha256", "amount_cents"].into_iter().try_for_each(|field| is_read(file, field))
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(files: serde_json::Value) -> Result<Manifest, Refusal> {
        let manifest = json!({
            "batch_id": "2012-10-15-001", "source": "erp", "created_at": "2012-10-15T02:00:00Z", "files": files,
        });
        Manifest::read(manifest.to_string().as_bytes())
    }

    fn file(name: &str) -> serde_json::Value {
        json!({"name": name, "lines": 1, "sha256": "0".repeat(64)})
    }

    #[test]
    fn members_come_first_whatever_the_order() {
        let manifest = read(json!([file("ledger.ndjson"), file("members-2.ndjson"), file("members.ndjson")])).unwrap();
        let names: Vec<_> = manifest.files.iter().map(|file| file.name.as_str()).collect();
        assert_eq!(names, ["members-2.ndjson", "members.ndjson", "ledger.ndjson"]);
    }

    #[test]
    fn a_hash_is_read_in_capitals_and_a_batch_has_a_file() {
        let mut capitals = file("ledger.ndjson");
        capitals["sha256"] = json!("AB".repeat(32));
        assert_eq!(read(json!([capitals])).unwrap().files[0].sha256, "ab".repeat(32));
        assert!(read(json!([])).is_err());
    }

    #[test]
    fn no_name_leads_out_of_the_folder() {
        for name in ["../ledger.ndjson", "a/ledger.ndjson", "/ledger.ndjson", "", "..", "ledger.ndjson\0", "notes.txt"]
        {
            assert!(read(json!([file(name)])).is_err(), "{name:?}");
        }
        assert!(read(json!([file("ledger.ndjson"), file("ledger.ndjson")])).is_err());
    }

    #[test]
    fn a_byte_order_mark_is_skipped_and_what_is_doubled_or_half_a_character_is_named() {
        let whole = read(json!([file("ledger.ndjson")])).unwrap();
        let text = serde_json::to_string(&whole).unwrap();
        let read = |text: &str| Manifest::read(text.as_bytes()).map_err(|refusal| (refusal.reason, refusal.detail));
        assert_eq!(read(&format!("\u{feff}{text}")).unwrap().batch_id, whole.batch_id);
        for (from, to, reason, field) in [
            ("\"source\":", "\"source\":\"crm\",\"source\":", "doubled-field", "source"),
            ("\"files\":", "\"files\":[],\"files\":", "doubled-field", "files"),
            ("\"lines\":", "\"lines\":2,\"lines\":", "doubled-field", "lines"),
            ("\"erp\"", "\"erp\\ud83d\"", "lone-surrogate", "source"),
            ("\"name\":\"", "\"name\":\"\\udc00", "lone-surrogate", "name"),
        ] {
            let (code, detail) = read(&text.replace(from, to)).unwrap_err();
            assert_eq!(code, reason);
            assert!(detail.starts_with(field), "{detail}");
        }
        let unknown = text.replace("\"source\":", "\"note\":\"\\ud83d\",\"note\":1,\"source\":");
        assert!(read(&unknown).is_ok());
    }

    #[test]
    fn a_file_of_no_amounts_may_say_null() {
        let mut file = file("members.ndjson");
        file["amount_cents"] = serde_json::Value::Null;
        assert_eq!(read(json!([file])).unwrap().files[0].amount_cents, 0);
    }

    #[test]
    fn every_field_is_typed() {
        for (field, wrong) in [("lines", json!(-1)), ("sha256", json!("x")), ("amount_cents", json!(1.5))] {
            let mut file = file("ledger.ndjson");
            file[field] = wrong;
            assert!(read(json!([file])).is_err(), "{field}");
        }
        assert!(Manifest::read(b"[]").is_err());
        assert!(Manifest::read(b"\xff").is_err());
    }
}
