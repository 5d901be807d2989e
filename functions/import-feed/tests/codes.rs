//! Every code that a report may hold is in `docs/feed.md`, with its way out, and no other is.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::collections::BTreeSet;
use std::path::Path;

use import_feed::Warning;

/// Codes of one word, which no pattern tells from other texts.
const OF_ONE_WORD: [&str; 2] = ["manifest", "sha256"];

/// Texts of the same form that are no codes: names of functions and of ways to write names.
const OTHERS: [&str; 2] = ["import-feed", "kebab-case"];

fn is_code(text: &str) -> bool {
    let words: Vec<&str> = text.split('-').collect();
    let is_word = |word: &&str| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase());
    words.len() > 1 && words.iter().all(is_word)
}

/// The codes in the texts of a file, its tests left out.
fn codes_of(source: &str) -> impl Iterator<Item = &str> {
    let code = source.split("#[cfg(test)]").next().unwrap_or_default();
    let lines = code.lines().filter(|line| !line.trim_start().starts_with("//"));
    lines.flat_map(|line| line.split('"').skip(1).step_by(2)).filter(|text| is_code(text) && !OTHERS.contains(text))
}

fn collect(folder: &Path, found: &mut BTreeSet<String>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            if !path.ends_with("tests") {
                collect(&path, found);
            }
        } else {
            let source = std::fs::read_to_string(&path).unwrap();
            found.extend(codes_of(&source).map(str::to_owned));
        }
    }
}

#[test]
fn each_code_is_documented_with_its_way_out() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut written: BTreeSet<String> = OF_ONE_WORD.map(str::to_owned).into();
    collect(&root.join("src"), &mut written);
    assert!(written.len() > 40, "the sources are not read any more: {written:?}");
    let page = std::fs::read_to_string(root.join("../../docs/feed.md")).unwrap();
    let table = page.split("\n## Codes\n").nth(1).unwrap().split("\n## ").next().unwrap();
    let mut documented = BTreeSet::new();
    for row in table.lines().filter(|line| line.starts_with("| `")) {
        let cells: Vec<&str> = row.trim_matches('|').split(" | ").map(str::trim).collect();
        assert_eq!(cells.len(), 4, "code, of what, means, way out: {row}");
        assert!(cells.iter().all(|cell| !cell.is_empty()), "{row}");
        for code in cells[0].split(", ") {
            assert!(documented.insert(code.trim_matches('`').to_owned()), "twice: {code}");
        }
    }
    assert_eq!(documented, written);
    assert!(Warning::ALL.iter().all(|warning| written.contains(warning.code())));
}
