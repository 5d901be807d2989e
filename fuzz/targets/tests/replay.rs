//! The committed seeds and findings, through the targets, without a fuzzer.

#![allow(clippy::expect_used, clippy::panic, clippy::print_stdout, reason = "a test, which names the seed that fails")]

use std::fs;
use std::path::Path;

fn replay(name: &str, target: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../seeds").join(name);
    let mut seen = 0;
    for entry in fs::read_dir(&folder).expect("a folder of seeds") {
        let path = entry.expect("a seed").path();
        println!("{}", path.display());
        target(&fs::read(&path).expect("a seed"));
        seen += 1;
    }
    assert!(seen > 0, "{} is empty", folder.display());
}

#[test]
fn requests() {
    replay("request", fuzz_targets::request);
}

#[test]
fn cursors() {
    replay("cursor", fuzz_targets::cursor);
}

#[test]
fn feeds() {
    replay("feed", fuzz_targets::feed);
}
