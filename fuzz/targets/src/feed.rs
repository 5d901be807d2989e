//! The back office's files.

use import_feed::feed::{LedgerRecord, Line, Lines, Manifest, MemberRecord, amount_of};

/// Any bytes are cut into the same lines however they come, and any line is a record or is put aside.
pub fn feed(bytes: &[u8]) {
    let _ = Manifest::read(bytes);
    let whole = lines(bytes, bytes.len().max(1));
    assert_eq!(lines(bytes, 7), whole, "lines depend on how the bytes come");
}

/// What is read from each line, the bytes coming in pieces of this size.
fn lines(bytes: &[u8], pieces: usize) -> Vec<String> {
    let mut lines = Lines::default();
    let mut all = Vec::new();
    let mut each = |line: Line<'_>| {
        let (member, ledger) = (MemberRecord::read(&line), LedgerRecord::read(&line));
        let amount = amount_of(&line);
        all.push(format!("{} {member:?} {ledger:?} {amount}", line.number));
    };
    for piece in bytes.chunks(pieces) {
        lines.push(piece, &mut each);
    }
    lines.finish(&mut each);
    all
}
