//! Lists the files that the binary carries: templates, the demo feed.
//!
//! The folders are read here, so that no list in the code has to follow them: a template that is
//! added is carried from the next build on.

use std::error::Error;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

fn main() -> Result<(), Box<dyn Error>> {
    let workspace = PathBuf::from(std::env::var_os("CARGO_MANIFEST_DIR").ok_or("no CARGO_MANIFEST_DIR")?).join("..");
    let output = PathBuf::from(std::env::var_os("OUT_DIR").ok_or("no OUT_DIR")?).join("embedded.rs");

    let mut code = String::new();
    for (constant, places) in [("TEMPLATES", ["template.yaml", "infra"].as_slice()), ("DEMO", &["demo"])] {
        let mut files = Vec::new();
        for place in places {
            // A folder is watched as a whole: cargo then sees files that come and go.
            println!("cargo::rerun-if-changed={}", workspace.join(place).display());
            collect(&workspace, Path::new(place), &mut files)?;
        }
        files.sort();
        writeln!(code, "pub(crate) static {constant}: &[File] = &[")?;
        for file in files {
            let absolute = workspace.join(&file).canonicalize()?;
            writeln!(code, "    File {{ path: {file:?}, content: include_bytes!({absolute:?}) }},")?;
        }
        writeln!(code, "];")?;
    }
    fs::write(output, code)?;
    Ok(())
}

/// Adds the files at `place` and below, as paths relative to the workspace with `/` between folders.
fn collect(workspace: &Path, place: &Path, files: &mut Vec<String>) -> Result<(), Box<dyn Error>> {
    let absolute = workspace.join(place);
    if absolute.is_dir() {
        for entry in fs::read_dir(absolute)? {
            collect(workspace, &place.join(entry?.file_name()), files)?;
        }
    } else if absolute.is_file() {
        let parts: Option<Vec<&str>> = place.iter().map(std::ffi::OsStr::to_str).collect();
        files.push(parts.ok_or_else(|| format!("not UTF-8: {}", place.display()))?.join("/"));
    }
    Ok(())
}
