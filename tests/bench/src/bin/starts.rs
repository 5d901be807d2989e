//! Starts binaries of functions as Lambda does, in turns, and prints a table: size, time from start to
//! ready, and both as ratios to the first, the bare one.
//!
//! Ready is when the runtime API is asked for the first event. The API and the AWS services that a
//! function talks to before are one stand-in here that answers at once: Secrets Manager with a secret,
//! DynamoDB with no items. There is no TLS and no network in the times, so what differs is the
//! function's own work.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a table is what it is for")]
#![allow(clippy::disallowed_methods, reason = "it measures a process from outside, where no clock is injected")]

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

/// How often each is started; the first starts, which read the files, do not count.
const RUNS: usize = 40;
const WARM_UP: usize = 3;
const PATIENCE: Duration = Duration::from_secs(20);

fn main() -> ExitCode {
    let binaries: Vec<PathBuf> = std::env::args_os().skip(1).map(PathBuf::from).collect();
    if binaries.is_empty() {
        eprintln!("usage: starts BARE FUNCTION...");
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

fn measure(binaries: &[PathBuf]) -> io::Result<()> {
    let (address, ready) = stand_in()?;
    let mut times: BTreeMap<&Path, Vec<Duration>> = BTreeMap::new();
    // In turns, so that what else the machine does meets all alike.
    for run in 0..WARM_UP + RUNS {
        for binary in binaries {
            let time = start(binary, address, &ready)?;
            if run >= WARM_UP {
                times.entry(binary).or_default().push(time);
            }
        }
    }
    println!(
        "{:<16} {:>10} {:>7}   {:>14} {:>9} {:>7}",
        "binary", "size", "ratio", "start to ready", "middle half", "ratio"
    );
    let mut base = None;
    for binary in binaries {
        let size = fs::metadata(binary)?.len();
        let mut times = times.remove(binary.as_path()).unwrap_or_default();
        times.sort();
        let at = |share: usize| times.get(times.len() * share / 4).copied().unwrap_or_default().as_secs_f64() * 1000.0;
        let (base_size, base_time) = *base.get_or_insert((size, at(2)));
        #[allow(clippy::cast_precision_loss, reason = "binaries are no petabytes")]
        let (mebibytes, size_ratio) = (size as f64 / 1_048_576.0, size as f64 / base_size as f64);
        let name = binary.file_name().unwrap_or_default().to_string_lossy().into_owned();
        println!(
            "{name:<16} {mebibytes:>6.2} MiB {size_ratio:>7.2}   {:>11.2} ms {:>4.1}-{:<4.1} {:>7.2}",
            at(2),
            at(1),
            at(3),
            at(2) / base_time,
        );
    }
    Ok(())
}

/// Starts a function with what Lambda and the template give it, until it asks for its first event.
fn start(binary: &Path, address: SocketAddr, ready: &Receiver<Instant>) -> io::Result<Duration> {
    let mut command = Command::new(binary);
    command.env_clear().stdin(Stdio::null()).stdout(Stdio::inherit()).stderr(Stdio::inherit());
    command.env("AWS_LAMBDA_RUNTIME_API", address.to_string());
    command.env("AWS_ENDPOINT_URL", format!("http://{address}"));
    for (name, value) in [
        ("AWS_LAMBDA_FUNCTION_NAME", "function"),
        ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "512"),
        ("AWS_LAMBDA_LOG_FORMAT", "JSON"),
        ("AWS_REGION", "eu-west-3"),
        ("AWS_ACCESS_KEY_ID", "example"),
        ("AWS_SECRET_ACCESS_KEY", "example"),
        ("IDENTITY_TABLE", "Identity"),
        ("MEMBERS_TABLE", "Members"),
        ("LEDGER_TABLE", "Ledger"),
        ("EVIDENCE_TABLE", "Evidence"),
        ("PORTAL_ORIGIN", "https://adherents.example"),
        ("FIRST_VIEW", "2011"),
        ("ANSWERED_ENTRIES", "25000"),
        ("EXPORT_BUCKET", "exports"),
        ("CURSOR_KEY_SECRET", "CursorKey"),
        ("REFRESH_KEY_SECRET", "RefreshKey"),
        ("SIGNING_KEYS_SECRET", "SigningKeys"),
    ] {
        command.env(name, value);
    }
    let started = Instant::now();
    let mut child = command.spawn()?;
    let arrived = ready.recv_timeout(PATIENCE);
    child.kill()?;
    child.wait()?;
    let arrived = arrived.map_err(|_| io::Error::other(format!("{} never asked for an event", binary.display())))?;
    Ok(arrived.duration_since(started))
}

/// The runtime API and the AWS services in one; tells when an event is asked for.
fn stand_in() -> io::Result<(SocketAddr, Receiver<Instant>)> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let address = listener.local_addr()?;
    let (sender, receiver) = channel();
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let sender = sender.clone();
            // A connection that breaks is the function being killed.
            thread::spawn(move || serve(stream, &sender).ok());
        }
    });
    Ok((address, receiver))
}

fn serve(stream: TcpStream, ready: &Sender<Instant>) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut writer = stream.try_clone()?;
    let mut reader = BufReader::new(stream);
    loop {
        let mut request_line = String::new();
        if reader.read_line(&mut request_line)? == 0 {
            return Ok(());
        }
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
        if request_line.contains("/runtime/invocation/next") {
            // No event ever comes: the connection stays open until the function is killed.
            ready.send(Instant::now()).map_err(io::Error::other)?;
            io::copy(&mut reader, &mut io::sink())?;
            return Ok(());
        }
        let body = match target.rsplit('.').next() {
            Some("GetSecretValue") => r#"{"Name":"Secret","SecretString":"{\"keys\":[]}"}"#,
            _ => r#"{"Items":[],"Count":0,"ScannedCount":0}"#,
        };
        let head = "HTTP/1.1 200 OK\r\ncontent-type: application/x-amz-json-1.1";
        write!(writer, "{head}\r\ncontent-length: {}\r\n\r\n{body}", body.len())?;
    }
}
