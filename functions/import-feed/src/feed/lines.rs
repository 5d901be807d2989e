//! Cuts a stream of bytes into lines, in constant memory.

/// Longer lines are quarantined; the longest honest one has a thousandth of it.
pub(super) const LONGEST_LINE: usize = 64 * 1024;

/// Of longer lines not even the amount is read, so that memory stays the same whatever comes.
pub(super) const LONGEST_KEPT: usize = 1024 * 1024;

/// U+FEFF, which programs write before a text to say that it is in Unicode.
const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

/// A JSON text without the byte order mark that may stand before it (RFC 8259, 8.1).
pub(super) fn without_mark(bytes: &[u8]) -> &[u8] {
    bytes.strip_prefix(BYTE_ORDER_MARK).unwrap_or(bytes)
}

/// A line of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Line<'a> {
    /// Counted from 1.
    pub number: u64,
    /// What it holds, without its line end. A byte order mark before it is left out: there is one at the start of a
    /// file, and where files were put together.
    pub content: Result<&'a [u8], TooLong<'a>>,
}

/// The line is above 64 KiB: what it holds, for its amount; nothing where it is above 1 MiB.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooLong<'a>(pub &'a [u8]);

impl<'a> Line<'a> {
    fn new(number: u64, bytes: &'a [u8]) -> Self {
        let text = without_mark(bytes);
        Self { number, content: if bytes.len() > LONGEST_LINE { Err(TooLong(text)) } else { Ok(text) } }
    }
}

/// Lines of a file whose bytes come piece by piece.
///
/// A line ends with U+000A. What follows the last one is a line too, unless it is empty.
#[derive(Debug, Default)]
pub struct Lines {
    /// The beginning of a line whose end has not come yet.
    started: Vec<u8>,
    /// That line is above what is kept of one.
    dropped: bool,
    number: u64,
}

impl Lines {
    /// How many lines have ended.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.number
    }

    /// Takes the next bytes and hands over the lines that end in them.
    pub fn push(&mut self, mut bytes: &[u8], mut each: impl FnMut(Line<'_>)) {
        while let Some(end) = bytes.iter().position(|byte| *byte == b'\n') {
            let (rest_of_line, others) = (&bytes[..end], &bytes[end + 1..]);
            if self.started.is_empty() && !self.dropped && rest_of_line.len() <= LONGEST_KEPT {
                self.number += 1;
                each(Line::new(self.number, rest_of_line));
            } else {
                self.keep(rest_of_line);
                self.end(&mut each);
            }
            bytes = others;
        }
        self.keep(bytes);
    }

    /// Hands over what follows the last line end.
    pub fn finish(&mut self, mut each: impl FnMut(Line<'_>)) {
        // A file of nothing but the mark is an empty one.
        let is_only_mark = self.number == 0 && self.started == BYTE_ORDER_MARK;
        if self.dropped || !(self.started.is_empty() || is_only_mark) {
            self.end(&mut each);
        }
    }

    fn keep(&mut self, bytes: &[u8]) {
        if self.dropped || self.started.len() + bytes.len() > LONGEST_KEPT {
            self.dropped = true;
            self.started = Vec::new();
        } else {
            self.started.extend_from_slice(bytes);
        }
    }

    fn end(&mut self, each: &mut impl FnMut(Line<'_>)) {
        self.number += 1;
        let dropped = std::mem::take(&mut self.dropped);
        let line = Line::new(self.number, &self.started);
        each(if dropped { Line { content: Err(TooLong(&[])), ..line } } else { line });
        self.started.clear();
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The lines; of those that are too long, how much is kept.
    fn cut(bytes: &[u8], pieces: usize) -> Vec<Result<Vec<u8>, usize>> {
        let mut lines = Lines::default();
        let mut all = Vec::new();
        let mut keep = |line: Line<'_>| {
            all.push(line.content.map(<[u8]>::to_vec).map_err(|TooLong(kept)| kept.len()));
            assert_eq!(line.number, all.len() as u64);
        };
        for piece in bytes.chunks(pieces) {
            lines.push(piece, &mut keep);
        }
        lines.finish(&mut keep);
        assert_eq!(lines.count(), all.len() as u64);
        all
    }

    #[test]
    fn a_line_above_64_kib_is_named_and_the_next_one_is_read() {
        let long = |length| vec![b'b'; length];
        let bytes = [long(LONGEST_LINE), long(LONGEST_LINE + 1), long(LONGEST_KEPT + 1), b"c".to_vec()].join(&b'\n');
        for pieces in [1_000, 65_537, 1_000_000, 10_000_000] {
            let lines = cut(&bytes, pieces);
            assert_eq!(lines.len(), 4);
            assert!(lines[0].is_ok());
            assert_eq!(lines[1..], [Err(LONGEST_LINE + 1), Err(0), Ok(b"c".to_vec())]);
        }
    }

    #[test]
    fn a_byte_order_mark_is_no_part_of_a_line() {
        let long = [BYTE_ORDER_MARK, &vec![b'b'; LONGEST_LINE]].concat();
        let bytes = [b"\xEF\xBB\xBFa", &b"\xEF\xBB\xBFb\xEF\xBB\xBF"[..], b"\xEF\xBB\xBF", &long, b"c"].join(&b'\n');
        for pieces in [1, 2, 5, 1_000_000] {
            let lines = cut(&bytes, pieces);
            let expected = [
                Ok(b"a".to_vec()),
                Ok(b"b\xEF\xBB\xBF".to_vec()),
                Ok(Vec::new()),
                Err(LONGEST_LINE),
                Ok(b"c".to_vec()),
            ];
            assert_eq!(lines, expected);
        }
        assert_eq!(cut(BYTE_ORDER_MARK, 1), []);
        assert_eq!(cut(b"\xEF\xBB\xBF\n", 1), [Ok(Vec::new())]);
    }

    proptest! {
        #[test]
        fn lines_do_not_depend_on_how_the_bytes_come(text in "[ab\n]{0,60}", pieces in 1_usize..20) {
            let expected: Vec<_> = text.split_terminator('\n').map(|line| Ok(line.as_bytes().to_vec())).collect();
            prop_assert_eq!(cut(text.as_bytes(), pieces), expected);
        }
    }
}
