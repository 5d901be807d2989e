//! Whether a batch is what its manifest says; looked at before anything is posted.

use aws_lc_rs::digest::{Context, SHA256};
use portal::domain::to_hex;

use crate::ImportError;
use crate::bucket::Object;
use crate::feed::{FileKind, Line, Lines, ListedFile, amount_of};
use crate::files::Files;
use crate::report::Refusal;

/// Finds a file and holds it against the manifest: hash, number of lines, sum of amounts.
///
/// # Errors
/// Where the bucket does not answer. A file that is not as listed is `Ok(Err(refusal))`.
pub(crate) async fn check(
    files: &impl Files,
    key: &str,
    listed: &ListedFile,
) -> Result<Result<Object, Refusal>, ImportError> {
    let name = &listed.name;
    let Some(object) = files.find(key).await? else {
        return Ok(Err(Refusal::new("missing-file", format!("{name} is not there"))));
    };
    let mut hash = Context::new(&SHA256);
    let mut lines = Lines::default();
    // Wider than an amount, so no number of lines makes it overflow.
    let mut sum = 0_i128;
    let with_amounts = listed.kind() == Some(FileKind::Ledger);
    let mut add = |line: Line<'_>| {
        if with_amounts {
            sum += i128::from(amount_of(&line));
        }
    };
    let mut offset = 0;
    while offset < object.size() {
        let piece = files.read(&object, offset).await?;
        offset += piece.len() as u64;
        hash.update(&piece);
        lines.push(&piece, &mut add);
    }
    lines.finish(&mut add);
    let refused = |reason, detail| Ok(Err(Refusal::new(reason, detail)));
    if lines.count() != listed.lines {
        return refused(
            "line-count",
            format!("{name} has {} lines, the manifest says {}", lines.count(), listed.lines),
        );
    }
    if with_amounts && sum != i128::from(listed.amount_cents) {
        return refused(
            "amount-sum",
            format!("the amounts of {name} add up to {sum}, the manifest says {}", listed.amount_cents),
        );
    }
    let sha256 = to_hex(hash.finish().as_ref());
    if sha256 != listed.sha256 {
        return refused("sha256", format!("{name} has the SHA-256 {sha256}, the manifest says {}", listed.sha256));
    }
    Ok(Ok(object))
}
