//! The back office's feed: a batch goes into the feed bucket, and its manifest's arrival starts the
//! import, as in AWS.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use aws_sdk_s3::error::{DisplayErrorContext, ProvideErrorMetadata as _};
use aws_sdk_s3::primitives::ByteStream;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::deployment::Deployment;
use crate::embedded::{DEMO, File};
use crate::functions::{Functions, InvokeError};
use crate::queues::Queues;
use crate::schedule::bus_event;

/// The file whose arrival completes a batch.
const MANIFEST: &str = "manifest.json";
/// What the import writes beside it.
const REPORT: &str = "report.json";

/// Why a batch was not imported.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// The folder or a file in it cannot be read.
    #[error("the feed {path} cannot be read: {error}")]
    Unreadable {
        /// The folder or file.
        path: PathBuf,
        /// What the system says.
        #[source]
        error: io::Error,
    },
    /// The folder is not a batch.
    #[error("the feed {0} has no manifest.json")]
    NoManifest(PathBuf),
    /// The feed bucket does not take it.
    #[error("the feed cannot be put into the bucket: {0}")]
    Upload(String),
    /// Nothing in the templates waits for batches.
    #[error("no function in template.yaml is started by a manifest that arrives in a bucket")]
    NoRule,
    /// The import itself failed, and may be tried again.
    #[error(transparent)]
    Failed(#[from] InvokeError),
    /// Of a large batch some shard could not be posted.
    #[error("the import was given up, and posted a part of the feed: the log says why; import it again")]
    GivenUp,
    /// What the import answered is no report.
    #[error("the import's report cannot be read: {0}")]
    Report(#[from] serde_json::Error),
    /// The batch was refused whole.
    #[error("the feed was refused: {0}")]
    Refused(String),
}

/// What became of a batch.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Report {
    /// The batch.
    #[serde(default)]
    pub batch_id: Option<String>,
    /// Why it was refused whole.
    #[serde(default)]
    refused: Option<Refused>,
    /// Lines posted.
    #[serde(default)]
    pub posted: u64,
    /// Lines that changed nothing.
    #[serde(default)]
    pub unchanged: u64,
    /// Lines that replaced an earlier version.
    #[serde(default)]
    pub corrected: u64,
    /// Lines that took something back.
    #[serde(default)]
    pub withdrawn: u64,
    /// Lines ignored, because a higher version was posted before.
    #[serde(default)]
    pub stale: u64,
    /// Lines put aside.
    #[serde(default)]
    pub quarantined: u64,
    /// Lines that wait for their action.
    #[serde(default)]
    pub pending: u64,
    /// The lines put aside, each with its reason.
    #[serde(default)]
    pub quarantine: Vec<Quarantined>,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
struct Refused {
    reason: String,
    /// The reason in words.
    #[serde(default)]
    detail: Option<String>,
}

/// A line that was put aside.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Quarantined {
    /// The file.
    pub file: String,
    /// The line's number in it, from 1.
    pub line: u64,
    /// What is wrong with it.
    pub reason: String,
    /// The field at fault, where it is one.
    #[serde(default)]
    pub field: Option<String>,
}

/// The files of a batch.
#[derive(Debug, Clone)]
pub(crate) struct Batch {
    /// The prefix in the bucket.
    name: String,
    /// All files but the manifest, then the manifest.
    files: Vec<(String, Content)>,
}

#[derive(Debug, Clone)]
enum Content {
    OnDisk(PathBuf),
    Embedded(&'static [u8]),
}

impl Batch {
    /// The batch in a folder. Folders in it and hidden files are not part of it.
    pub(crate) fn of_folder(folder: &Path) -> Result<Self, ImportError> {
        let unreadable = |path: &Path, error| ImportError::Unreadable { path: path.to_owned(), error };
        // Gives `.` and `..` their names.
        let absolute = folder.canonicalize().map_err(|error| unreadable(folder, error))?;
        let name = absolute.file_name().map_or_else(|| "feed".to_owned(), |name| name.to_string_lossy().into_owned());
        let mut files = Vec::new();
        for entry in fs::read_dir(&absolute).map_err(|error| unreadable(folder, error))? {
            let path = entry.map_err(|error| unreadable(folder, error))?.path();
            let Some(file) = path.file_name().and_then(|name| name.to_str()) else { continue };
            if path.is_file() && !file.starts_with('.') {
                // Read only later, but an unreadable one is told before anything is done.
                fs::File::open(&path).map_err(|error| unreadable(&path, error))?;
                files.push((file.to_owned(), Content::OnDisk(path.clone())));
            }
        }
        Self::of_files(name, files).ok_or_else(|| ImportError::NoManifest(folder.to_owned()))
    }

    /// The demo feed; `None` where the binary carries none.
    pub(crate) fn demo() -> Option<Self> {
        let in_feed = |file: &File| {
            let name = file.path.strip_prefix("demo/feed/")?;
            (!name.contains('/')).then(|| (name.to_owned(), Content::Embedded(file.content)))
        };
        Self::of_files("demo".to_owned(), DEMO.iter().filter_map(in_feed).collect())
    }

    fn of_files(name: String, mut files: Vec<(String, Content)>) -> Option<Self> {
        // The manifest last: it says that the others are complete.
        files.sort_by_key(|(file, _)| (file == MANIFEST, file.clone()));
        files.last().is_some_and(|(file, _)| file == MANIFEST).then_some(Self { name, files })
    }

    /// Uploads the batch and has it imported.
    pub(crate) async fn import(
        &self,
        deployment: &Deployment,
        functions: &Functions,
        queues: &Queues,
        s3: &aws_sdk_s3::Client,
        now: Timestamp,
    ) -> Result<Report, ImportError> {
        let manifest = format!("{}/{MANIFEST}", self.name);
        let (function, bucket, event) = deployment
            .buckets
            .iter()
            .map(|bucket| (bucket, object_created(bucket, &manifest, now)))
            .find_map(|(bucket, event)| {
                let rule = deployment.rules.iter().find(|rule| rule.pattern.matches(&event))?;
                Some((&rule.function, bucket, event))
            })
            .ok_or(ImportError::NoRule)?;
        // Of an import before this one, which may have been given up.
        let old = s3.delete_object().bucket(bucket).key(format!("{}/{REPORT}", self.name)).send().await;
        if let Err(error) = old
            && error.code() != Some("NoSuchKey")
        {
            return Err(ImportError::Upload(DisplayErrorContext(error).to_string()));
        }
        for (file, content) in &self.files {
            let body = match content {
                Content::Embedded(content) => ByteStream::from_static(content),
                Content::OnDisk(path) => ByteStream::from_path(path)
                    .await
                    .map_err(|error| ImportError::Unreadable { path: path.clone(), error: io::Error::other(error) })?,
            };
            let put = s3.put_object().bucket(bucket).key(format!("{}/{file}", self.name)).body(body);
            put.send().await.map_err(|error| ImportError::Upload(DisplayErrorContext(error).to_string()))?;
        }
        let answer = functions.invoke(function, event).await?;
        let report = match answer.get("run") {
            None => answer,
            // Its shards are posted through the queue, and whoever posts the last one writes the report.
            Some(_) => {
                queues.idle().await;
                self.report(s3, bucket).await?
            }
        };
        let report: Report = serde_json::from_value(report)?;
        match report.refused {
            Some(Refused { reason, detail: None }) => Err(ImportError::Refused(reason)),
            Some(Refused { reason, detail: Some(detail) }) => Err(ImportError::Refused(format!("{reason}: {detail}"))),
            None => Ok(report),
        }
    }
}

impl Batch {
    /// The report that the import wrote beside the manifest.
    async fn report(&self, s3: &aws_sdk_s3::Client, bucket: &str) -> Result<Value, ImportError> {
        let output = s3.get_object().bucket(bucket).key(format!("{}/{REPORT}", self.name)).send().await;
        let body = output.map_err(|_| ImportError::GivenUp)?.body.collect().await;
        Ok(serde_json::from_slice(&body.map_err(|_| ImportError::GivenUp)?.to_vec())?)
    }
}

/// Whether a folder is a batch that can be read, before anything is done with it.
///
/// # Errors
/// Where it is not.
pub fn check_feed(folder: &Path) -> Result<(), ImportError> {
    Batch::of_folder(folder).map(drop)
}

/// The event of a file that arrived in a bucket.
pub(crate) fn object_created(bucket: &str, key: &str, now: Timestamp) -> Value {
    let detail = json!({
        "version": "0",
        "bucket": {"name": bucket},
        "object": {"key": key, "sequencer": format!("{:016X}", now.as_microsecond())},
        "reason": "PutObject",
    });
    bus_event("aws.s3", "Object Created", now, json!([format!("arn:aws:s3:::{bucket}")]), detail)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_is_the_files_of_its_folder_with_the_manifest_last() {
        let folder = tempfile::tempdir().unwrap();
        for file in ["manifest.json", "z.ndjson", "a.ndjson", ".hidden"] {
            fs::write(folder.path().join(file), "x").unwrap();
        }
        fs::create_dir(folder.path().join("below")).unwrap();
        let batch = Batch::of_folder(folder.path()).unwrap();
        let names: Vec<&str> = batch.files.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["a.ndjson", "z.ndjson", "manifest.json"]);
        assert_eq!(batch.name, folder.path().file_name().unwrap().to_str().unwrap());
    }

    #[test]
    fn a_folder_that_is_no_batch_is_named() {
        let folder = tempfile::tempdir().unwrap();
        assert!(matches!(Batch::of_folder(folder.path()), Err(ImportError::NoManifest(_))));
        let error = Batch::of_folder(&folder.path().join("none")).unwrap_err();
        assert!(error.to_string().contains("none cannot be read"), "{error}");
    }

    #[test]
    fn a_report_is_read() {
        let report: Report = serde_json::from_value(json!({
            "batch_id": "b", "posted": 2, "quarantined": 1, "more": {},
            "quarantine": [{"file": "ledger.ndjson", "line": 3, "reason": "bad-date"}],
        }))
        .unwrap();
        assert_eq!((report.posted, report.quarantine[0].line), (2, 3));
        let refused: Report = serde_json::from_value(json!({"refused": {"reason": "sum"}})).unwrap();
        assert_eq!(refused.refused.unwrap().reason, "sum");
    }
}
