//! `manifest.json`: what a batch consists of, to check before anything is posted.

use std::collections::BTreeSet;

use jiff::Timestamp;
use portal::domain::{Identifier, from_hex};
use serde::{Deserialize, Serialize};

/// A batch's table of contents.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Manifest {
    /// The batch's name.
    pub batch_id: Identifier,
    /// The system that sent it; with a source key, what makes posting safe to repeat.
    pub source: Identifier,
    /// When it was made.
    pub created_at: Timestamp,
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
    #[serde(default)]
    pub amount_cents: i64,
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
    /// Reads a manifest; its files come out with members first.
    ///
    /// # Errors
    /// What is wrong with it, in words for the back office.
    pub fn read(bytes: &[u8]) -> Result<Self, String> {
        let mut manifest: Self = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
        let mut names = BTreeSet::new();
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(files: serde_json::Value) -> Result<Manifest, String> {
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
