//! What a run that posts a batch piece by piece leaves on the guards, so that a piece which is posted twice
//! is counted once.

use serde::{Deserialize, Serialize};

/// How many lines of one key a run remembers: no honest batch has so many versions of one record.
const MOST: usize = 16;

/// A line of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct BatchLine {
    /// Which of the batch's files, in the order of posting, from 0.
    pub file: u32,
    /// The line, counted from 1.
    pub line: u64,
}

impl BatchLine {
    /// A line of the batch's file with this index.
    #[must_use]
    pub fn of(file_index: usize, line: u64) -> Self {
        // No manifest lists four billion files.
        Self { file: u32::try_from(file_index).unwrap_or(u32::MAX), line }
    }
}

/// What a line did to the ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Became {
    /// It was posted as new.
    Posted,
    /// It was posted in place of an older version.
    Corrected,
    /// It took back what was in force.
    Withdrawn,
}

/// A version of a record, and the beginning of the hash of its content.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    /// The version.
    pub version: u64,
    /// Enough of the hash to tell a repeat from a conflict.
    pub content: String,
}

/// How much of the hash is kept: of 16 versions no two are taken for each other in practice.
const CONTENT: usize = 16;

impl Seen {
    /// A version with this hash.
    #[must_use]
    pub fn new(version: u64, content_hash: &str) -> Self {
        Self { version, content: content_hash.chars().take(CONTENT).collect() }
    }
}

/// A line that a run posted, or kept until its action comes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    /// Which.
    pub at: BatchLine,
    /// What it holds.
    pub seen: Seen,
    /// Whether it had to wait for its action.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub waited: bool,
    /// What it became; nothing as long as it waits, and for good where a newer version came meanwhile.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub became: Option<Became>,
    /// Whether it repeats an entry that an earlier batch left waiting, and whose release was counted as one.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub released: bool,
}

/// The lines of one key that a run posted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Marks {
    /// The run; marks of an earlier one are replaced.
    pub run: String,
    /// What was there before the run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<Seen>,
    /// Its lines, in the order of posting.
    pub lines: Vec<Mark>,
}

impl Marks {
    /// The marks `old` with one more. Those of another run are dropped, and `before` is what that left.
    #[must_use]
    pub fn with(old: Option<&Self>, run: &str, before: Option<Seen>, mark: Mark) -> Self {
        let mut marks = match old.filter(|old| old.run == run) {
            Some(old) => old.clone(),
            None => Self { run: run.to_owned(), before, lines: Vec::new() },
        };
        if marks.lines.len() >= MOST {
            marks.lines.remove(0);
        }
        marks.lines.push(mark);
        marks
    }

    /// What the run made of a line.
    #[must_use]
    pub fn of(&self, at: BatchLine) -> Option<&Mark> {
        self.lines.iter().find(|mark| mark.at == at)
    }

    /// The line of the run that was the last to change the record before a line came.
    #[must_use]
    pub fn last_before(&self, at: BatchLine) -> Option<&Mark> {
        self.lines.iter().rfind(|mark| mark.at < at)
    }

    /// The line that kept this version until its action came, now that it is posted.
    #[must_use]
    pub fn posted(mut self, version: u64, became: Became, released: bool) -> Self {
        if let Some(mark) = self.lines.iter_mut().rfind(|mark| mark.waited && mark.seen.version == version) {
            mark.became = Some(became);
            mark.released = released;
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mark(line: u64, version: u64) -> Mark {
        let seen = Seen::new(version, "0123456789abcdef0123");
        Mark { at: BatchLine { file: 0, line }, seen, waited: true, became: None, released: false }
    }

    #[test]
    fn marks_are_of_one_run_and_bounded() {
        let mut marks = Marks::with(None, "a", None, mark(1, 1));
        for line in 2..100 {
            marks = Marks::with(Some(&marks), "a", Some(Seen::new(7, "x")), mark(line, line));
        }
        assert_eq!((marks.lines.len(), &marks.before), (MOST, &None));
        let next = Marks::with(Some(&marks), "b", Some(Seen::new(99, "x")), mark(5, 100));
        assert_eq!((next.lines.len(), next.before.unwrap().version), (1, 99));
    }

    #[test]
    fn what_waited_is_marked_when_it_is_posted() {
        let marks = Marks::with(None, "a", None, mark(1, 1));
        let marks = Marks::with(Some(&marks), "a", None, mark(9, 2)).posted(2, Became::Corrected, true);
        assert_eq!(marks.of(BatchLine { file: 0, line: 1 }).unwrap().became, None);
        let last = marks.last_before(BatchLine { file: 1, line: 1 }).unwrap();
        assert_eq!((last.at.line, last.became, last.released), (9, Some(Became::Corrected), true));
        assert_eq!(marks.last_before(BatchLine { file: 0, line: 1 }), None);
    }
}
