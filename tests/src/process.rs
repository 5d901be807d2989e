//! The portal as a process of its own, started the way a person starts it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Output, Stdio};
use std::sync::OnceLock;
use std::time::Duration;

use portal::clock::Stopwatch;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::process::Child;

/// What stands before the address in the words of a portal that answers.
const ANSWERS_AT: &str = "The portal answers at";

/// How long a process may take for what takes seconds. Only a test that fails waits for it.
const PATIENCE: Duration = Duration::from_secs(60);

/// The workspace's folder.
pub fn folder_of_workspace() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the package is in a workspace")
}

/// A binary of these, built once: a test of one package does not build the binaries of others.
fn binary(name: &str) -> &'static Path {
    static BINARIES: OnceLock<BTreeMap<String, PathBuf>> = OnceLock::new();
    let binaries = BINARIES.get_or_init(|| {
        let mut build = Command::new(env!("CARGO"));
        // The whole workspace, so that dependencies have the features that the tests were built with.
        build.args([
            "build",
            "--workspace",
            "--bin",
            "local",
            "--bin",
            "staff-cli",
            "--locked",
            "--message-format=json",
        ]);
        let output = build.current_dir(folder_of_workspace()).output().expect("cargo runs");
        assert!(output.status.success(), "the binaries do not build: {}", String::from_utf8_lossy(&output.stderr));
        let messages = String::from_utf8(output.stdout).expect("UTF-8");
        let messages = messages.lines().filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
        let executables = messages.filter_map(|message| {
            let name = message["target"]["name"].as_str()?.to_owned();
            Some((name, PathBuf::from(message["executable"].as_str()?)))
        });
        executables.collect()
    });
    binaries.get(name).unwrap_or_else(|| panic!("cargo names the binary {name}"))
}

/// `staff-cli` with these words, in a folder and an environment of one's own: what it says and how it ends.
///
/// # Panics
/// Where it does not end in time.
pub async fn staff_cli(folder: &Path, words: &[&str], environment: &[(&str, &str)]) -> Output {
    let mut command = tokio::process::Command::new(binary("staff-cli"));
    command.args(words).current_dir(folder).kill_on_drop(true).stdin(Stdio::null());
    // Who acts, and with which profile, is what the test says.
    command.env_remove("STAFF").env_remove("AWS_PROFILE").envs(environment.iter().copied());
    tokio::time::timeout(PATIENCE, command.output()).await.expect("it ends").expect("it runs")
}

/// A running process. Dropping it kills it.
#[derive(Debug)]
pub struct Process {
    child: Child,
    /// How long it has been running.
    pub age: Stopwatch,
}

/// How a process begins.
#[derive(Debug)]
pub enum Started {
    /// It answers.
    Answering {
        /// Where.
        origin: String,
        /// What it said until then.
        said: String,
    },
    /// It ended instead.
    Ended {
        /// How.
        status: ExitStatus,
        /// What it said on standard output.
        said: String,
        /// What it said on standard error.
        complained: String,
    },
}

impl Process {
    /// Starts the portal with these arguments, in a folder of one's own.
    pub fn start(folder: &Path, arguments: &[&str]) -> Self {
        let mut command = tokio::process::Command::new(binary("local"));
        command.args(arguments).current_dir(folder).kill_on_drop(true);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        Self { child: command.spawn().expect("the portal runs"), age: Stopwatch::start() }
    }

    /// Waits until it answers or ends.
    ///
    /// # Panics
    /// Where it does neither in time.
    pub async fn settled(&mut self) -> Started {
        tokio::time::timeout(PATIENCE, self.settle()).await.expect("the portal answers or ends")
    }

    async fn settle(&mut self) -> Started {
        let mut lines = BufReader::new(self.child.stdout.as_mut().expect("it is piped")).lines();
        let mut said = String::new();
        let mut origin = None;
        while let Ok(Some(line)) = lines.next_line().await {
            said.push_str(&line);
            said.push('\n');
            origin = origin.or_else(|| line.trim().strip_prefix(ANSWERS_AT).map(|rest| rest.trim().to_owned()));
            if line.trim() == "Ctrl-C stops it."
                && let Some(origin) = origin
            {
                return Started::Answering { origin, said };
            }
        }
        let mut complained = String::new();
        let stderr = self.child.stderr.as_mut().expect("it is piped");
        stderr.read_to_string(&mut complained).await.expect("its words are UTF-8");
        let status = self.child.wait().await.expect("it ends");
        Started::Ended { status, said, complained }
    }

    /// Waits until it answers.
    ///
    /// # Panics
    /// Where it ends instead.
    pub async fn answering(&mut self) -> String {
        match self.settled().await {
            Started::Answering { origin, .. } => origin,
            ended @ Started::Ended { .. } => panic!("the portal should answer: {ended:?}"),
        }
    }

    /// Asks it to stop, as Ctrl-C does, and waits until it has.
    ///
    /// # Panics
    /// Where it does not end well.
    pub async fn interrupt(&mut self) {
        let kill = format!("kill -INT {}", self.child.id().expect("it is running"));
        let sent = tokio::process::Command::new("sh").args(["-c", &kill]).status().await.expect("a shell runs");
        assert!(sent.success(), "it was not there");
        let ended = tokio::time::timeout(PATIENCE, self.child.wait()).await.expect("it stops").expect("it ends");
        assert!(ended.success(), "it stopped with {ended}");
    }

    /// Kills it (SIGKILL), as a lost power supply would, and waits until it is gone.
    pub async fn kill(&mut self) {
        self.child.kill().await.expect("a process of one's own can be killed");
    }
}

/// Asks until there is an answer: for what another process does in its own time.
///
/// # Panics
/// Where there is none in time.
pub async fn eventually<T>(patience: Duration, what: &str, ask: impl AsyncFn() -> Option<T>) -> T {
    let asking = async {
        loop {
            match ask().await {
                Some(answer) => return answer,
                None => tokio::time::sleep(Duration::from_millis(10)).await,
            }
        }
    };
    tokio::time::timeout(patience, asking).await.unwrap_or_else(|_| panic!("{what} did not come within {patience:?}"))
}

impl Started {
    /// What the process said on standard error before it ended with a failure.
    ///
    /// # Panics
    /// Where it answers, ended well, panicked, or said more than one line.
    #[track_caller]
    pub fn one_line_of_complaint(self) -> String {
        match self {
            Self::Ended { status, complained, .. }
                if !status.success() && complained.lines().count() == 1 && !complained.contains("panicked") =>
            {
                complained.trim_end().to_owned()
            }
            other => panic!("one line on standard error and a failure are expected: {other:?}"),
        }
    }
}
