//! Starts functions as Lambda does, in turns, and prints a table: what each weighs, how long it takes until it is
//! ready and until its first answer, and what it holds in memory when it is ready; beside what is to be reached.
//!
//! Ready is when the runtime API is asked for the first event. That API, and the AWS services that a function talks to,
//! are one stand-in on loopback here, which answers at once: Secrets Manager with a secret, everything else with no
//! items. What a function waits for them is left out all the same: from a connection's first sign, or a request's first
//! byte on one that is there, to the answer's last byte. So the call that opens DynamoDB's connection in Init is left
//! out, but for the making of its request.
//!
//! The first event asks for the least: of a route without a body or credentials, of a stream without records. Its
//! answer may be a refusal; it is one that the function itself gave.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a table is what it is for")]
#![allow(clippy::disallowed_methods, reason = "it measures a process from outside, where no clock is injected")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// How often each is started; the first starts, which read the files, do not count.
const RUNS: usize = 21;
const WARM_UP: usize = 2;
const PATIENCE: Duration = Duration::from_secs(20);

/// At most so many times what the bare one takes.
const MOST_TIMES: f64 = 1.25;
/// At most so many bytes, stripped: 5 MB; 8 MB where zxcvbn, SES or a library that writes files is in.
const MOST_BYTES: u64 = 5_000_000;
const MOST_BYTES_WITH_LIBRARIES: u64 = 8_000_000;
const WITH_LIBRARIES: [&str; 7] =
    ["create-password", "export-ledger", "import-feed", "profile", "send-mail", "statement", "write-export"];
/// At most so many bytes resident: 8 MB.
const MOST_RESIDENT: u64 = 8_000_000;

fn main() -> ExitCode {
    let binaries: Vec<PathBuf> = std::env::args_os().skip(1).map(PathBuf::from).collect();
    if binaries.is_empty() {
        eprintln!("usage: starts BARE FUNCTION...   (in the workspace's folder)");
        return ExitCode::FAILURE;
    }
    match measure(&binaries) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// One start.
struct Start {
    ready: Duration,
    answered: Duration,
    resident: u64,
}

fn measure(binaries: &[PathBuf]) -> io::Result<()> {
    let variables = variables(&fs::read_to_string("template.yaml")?);
    let mut starts: BTreeMap<&Path, Vec<Start>> = BTreeMap::new();
    // In turns, so that what else the machine does meets all alike.
    for run in 0..WARM_UP + RUNS {
        for binary in binaries {
            // One of its own, so that nothing of one start is heard in the next.
            let start = StandIn::open()?.start(binary, &variables)?;
            if run >= WARM_UP {
                starts.entry(binary).or_default().push(start);
            }
        }
    }
    println!(
        "{:<16} {:>8} {:>8} {:>5}   {:>8} {:>6}   {:>8} {:>6}   {:>8}",
        "function", "stripped", "zipped", "most", "ready", "ratio", "answer", "ratio", "resident"
    );
    let mut base = None;
    let mut short = 0;
    for binary in binaries {
        let name = name_of(binary);
        let starts = starts.remove(binary.as_path()).unwrap_or_default();
        let (ready, answered) = (fastest(&starts, |start| start.ready), fastest(&starts, |start| start.answered));
        let resident = starts.iter().map(|start| start.resident).max().unwrap_or_default();
        let bare = *base.get_or_insert((ready, answered));
        let ratios = (ready.as_secs_f64() / bare.0.as_secs_f64(), answered.as_secs_f64() / bare.1.as_secs_f64());
        let size = fs::metadata(binary)?.len();
        let most = if WITH_LIBRARIES.contains(&name.as_str()) { MOST_BYTES_WITH_LIBRARIES } else { MOST_BYTES };
        let misses: Vec<&str> = [
            (size > most, "size"),
            (ratios.0 > MOST_TIMES, "ready"),
            (ratios.1 > MOST_TIMES, "answer"),
            (resident > MOST_RESIDENT, "resident"),
        ]
        .into_iter()
        .filter_map(|(misses, what)| misses.then_some(what))
        .collect();
        short += usize::from(!misses.is_empty());
        println!(
            "{name:<16} {:>5.2} MB {:>5.2} MB {:>5.0}   {:>5.2} ms {:>6.2}   {:>5.2} ms {:>6.2}   {:>5.2} MB  {}",
            megabytes(size),
            megabytes(zipped(binary)?),
            megabytes(most),
            ready.as_secs_f64() * 1000.0,
            ratios.0,
            answered.as_secs_f64() * 1000.0,
            ratios.1,
            megabytes(resident),
            if misses.is_empty() { "reached".to_owned() } else { format!("SHORT: {}", misses.join(", ")) },
        );
    }
    println!(
        "the fastest of {RUNS} starts; to reach: times at most {MOST_TIMES} of the bare one's, {:.0} MB resident; \
         {short} of {} fall short",
        megabytes(MOST_RESIDENT),
        binaries.len(),
    );
    Ok(())
}

/// The fastest: what else the machine does only adds.
fn fastest(starts: &[Start], of: impl Fn(&Start) -> Duration) -> Duration {
    starts.iter().map(of).min().unwrap_or_default()
}

#[allow(clippy::cast_precision_loss, reason = "binaries are no petabytes")]
fn megabytes(bytes: u64) -> f64 {
    bytes as f64 / 1e6
}

/// The size of what is uploaded: a zip holds the deflated binary, as this does.
fn zipped(binary: &Path) -> io::Result<u64> {
    let output = Command::new("gzip").arg("--stdout").arg(binary).output()?;
    if !output.status.success() {
        return Err(io::Error::other("gzip failed"));
    }
    Ok(output.stdout.len() as u64)
}

fn name_of(binary: &Path) -> String {
    binary.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// The variables that functions read, by the template, with values that are good enough to start with.
fn variables(template: &str) -> BTreeMap<String, String> {
    let names: BTreeSet<&str> = template
        .lines()
        .filter_map(|line| line.trim().split_once(": "))
        .map(|(name, _)| name)
        .filter(|name| name.len() > 2 && name.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_'))
        .collect();
    let value = |name: &str| match name {
        "PORTAL_ORIGIN" | "HELP_URL" => "https://adherents.example",
        "MAIL_FROM" | "STAFF_EMAIL" => "portail@adherents.example",
        "FIRST_VIEW" => "2011",
        "FEED_SOURCES" => "erp",
        "ANSWERED_ENTRIES" | "SPLIT_ABOVE" => "25000",
        "ORIGIN_SECRET_SHA256" => "",
        _ => "example",
    };
    names.into_iter().map(|name| (name.to_owned(), value(name).to_owned())).collect()
}

/// The least that a function can be asked: its sample event without what makes it work.
fn least_event(name: &str) -> io::Result<String> {
    // The bare one takes any request.
    let name = if name == "bare" { "health" } else { name };
    let text = fs::read_to_string(format!("events/{name}.json"))?;
    if text.contains("\"Records\"") {
        return Ok(r#"{"Records":[]}"#.to_owned());
    }
    // Without its body and whom it is from; as text, so that the bench needs no crate that functions have.
    let kept = |line: &&str| {
        let line = line.trim_start();
        !["\"body\"", "\"authorization\"", "\"cookie\""].iter().any(|name| line.starts_with(name))
    };
    Ok(text.lines().filter(kept).collect::<Vec<_>>().join("\n"))
}

/// The runtime API and the AWS services in one.
struct StandIn {
    address: SocketAddr,
    happened: Receiver<Happened>,
    /// The event that the function gets.
    event: Arc<Mutex<String>>,
    is_closed: Arc<AtomicBool>,
}

impl Drop for StandIn {
    fn drop(&mut self) {
        self.is_closed.store(true, Ordering::SeqCst);
        // Wakes who accepts; where that fails, a thread waits until the bench ends.
        let _ = TcpStream::connect(self.address);
    }
}

/// What a function did, seen from here.
enum Happened {
    /// It asked for its first event.
    Ready(Instant),
    /// It answered it.
    Answered(Instant),
    /// It waited for a service.
    Waited(Instant, Instant),
}

impl StandIn {
    fn open() -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let address = listener.local_addr()?;
        let (sender, happened) = channel();
        let event = Arc::new(Mutex::new(String::new()));
        let is_closed = Arc::new(AtomicBool::new(false));
        let (next, closed) = (Arc::clone(&event), Arc::clone(&is_closed));
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if closed.load(Ordering::SeqCst) {
                    return;
                }
                let (sender, next, since) = (sender.clone(), Arc::clone(&next), Instant::now());
                // A connection that breaks is the function being killed.
                thread::spawn(move || serve(stream, since, &sender, &next).ok());
            }
        });
        Ok(Self { address, happened, event, is_closed })
    }

    /// Starts a function with what Lambda and the template give it, until its first answer.
    fn start(&self, binary: &Path, variables: &BTreeMap<String, String>) -> io::Result<Start> {
        let name = name_of(binary);
        // Held until its memory is looked at: only then it gets the event.
        let mut event = self.event.lock().unwrap_or_else(PoisonError::into_inner);
        *event = least_event(&name)?;
        let mut command = Command::new(binary);
        command.env_clear().stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command.envs(variables);
        for (name, value) in [
            ("AWS_LAMBDA_RUNTIME_API", self.address.to_string().as_str()),
            ("AWS_ENDPOINT_URL", format!("http://{}", self.address).as_str()),
            ("AWS_LAMBDA_FUNCTION_NAME", "function"),
            ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
            ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "512"),
            ("AWS_LAMBDA_LOG_FORMAT", "JSON"),
            ("AWS_REGION", "eu-west-3"),
            ("AWS_ACCESS_KEY_ID", "example"),
            ("AWS_SECRET_ACCESS_KEY", "example"),
        ] {
            command.env(name, value);
        }
        let started = Instant::now();
        let mut child = command.spawn()?;
        let seen = self.watch(started, child.id(), event);
        child.kill()?;
        child.wait()?;
        seen.ok_or_else(|| io::Error::other(format!("{name} did not start, or not answer, within {PATIENCE:?}")))
    }

    fn watch(&self, started: Instant, pid: u32, event: MutexGuard<'_, String>) -> Option<Start> {
        let (mut waits, mut ready, mut resident, mut event) = (Vec::new(), None, 0, Some(event));
        loop {
            // The event is given by letting go of it.
            let _ = &event;
            match self.happened.recv_timeout(PATIENCE).ok()? {
                Happened::Waited(from, to) => waits.push((from, to)),
                Happened::Ready(at) => {
                    ready = Some(at - started - waited(&waits, at));
                    resident = resident_of(pid)?;
                    waits.push((at, Instant::now()));
                    event = None;
                }
                Happened::Answered(at) => {
                    return Some(Start { ready: ready?, answered: at - started - waited(&waits, at), resident });
                }
            }
        }
    }
}

/// How long it waited for any service until an instant.
fn waited(waits: &[(Instant, Instant)], until: Instant) -> Duration {
    let mut spans: Vec<_> = waits.iter().filter(|(from, _)| *from < until).copied().collect();
    spans.sort();
    let (mut sum, mut end) = (Duration::ZERO, None);
    for (from, to) in spans {
        let (from, to) = (end.map_or(from, |end: Instant| end.max(from)), to.min(until));
        sum += to.saturating_duration_since(from);
        end = Some(end.map_or(to, |end| end.max(to)));
    }
    sum
}

fn resident_of(pid: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let kibibytes = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    Some(kibibytes.trim().trim_end_matches(" kB").trim().parse::<u64>().ok()? * 1024)
}

fn serve(stream: TcpStream, since: Instant, happened: &Sender<Happened>, event: &Mutex<String>) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut writer = stream.try_clone()?;
    let mut reader = BufReader::new(stream);
    let (mut since, mut is_given) = (Some(since), false);
    loop {
        if reader.fill_buf()?.is_empty() {
            return Ok(());
        }
        let began = since.take().unwrap_or_else(Instant::now);
        let mut request_line = String::new();
        reader.read_line(&mut request_line)?;
        let (mut length, mut target) = (0, String::new());
        loop {
            let mut header = String::new();
            reader.read_line(&mut header)?;
            let Some((name, value)) = header.trim_end().split_once(':') else { break };
            match name.to_ascii_lowercase().as_str() {
                "content-length" => length = value.trim().parse().unwrap_or(0),
                "x-amz-target" => target = value.trim().to_owned(),
                _ => {}
            }
        }
        io::copy(&mut reader.by_ref().take(length), &mut io::sink())?;
        let now = Instant::now();
        if request_line.contains("/runtime/invocation/next") {
            if is_given {
                // No further event ever comes: the connection stays open until the function is killed.
                io::copy(&mut reader, &mut io::sink())?;
                return Ok(());
            }
            is_given = true;
            happened.send(Happened::Ready(now)).map_err(io::Error::other)?;
            let body = event.lock().unwrap_or_else(PoisonError::into_inner).clone();
            let head = "HTTP/1.1 200 OK\r\nlambda-runtime-aws-request-id: 8476a536\r\n\
                        lambda-runtime-deadline-ms: 4102444800000\r\n\
                        lambda-runtime-invoked-function-arn: arn:aws:lambda:eu-west-3:123456789012:function:function";
            write!(writer, "{head}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}", body.len())?;
            continue;
        }
        if request_line.contains("/runtime/invocation/") {
            happened.send(Happened::Answered(now)).map_err(io::Error::other)?;
            write!(writer, "HTTP/1.1 202 Accepted\r\ncontent-length: 0\r\n\r\n")?;
            continue;
        }
        let body = match target.rsplit('.').next() {
            Some("GetSecretValue") => r#"{"Name":"Secret","SecretString":"{\"keys\":[]}"}"#,
            _ => r#"{"Items":[],"Count":0,"ScannedCount":0}"#,
        };
        let head = "HTTP/1.1 200 OK\r\ncontent-type: application/x-amz-json-1.1";
        write!(writer, "{head}\r\ncontent-length: {}\r\n\r\n{body}", body.len())?;
        happened.send(Happened::Waited(began, Instant::now())).map_err(io::Error::other)?;
    }
}
