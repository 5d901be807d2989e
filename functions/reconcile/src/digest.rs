//! The digest of an hour: the count and the hash of the entries of each view, of the accounts whose turn it was.
//!
//! Whoever may write to the table can alter entries and compute all hashes anew that stand beside them. A digest stands in a
//! bucket that keeps it for years, whoever asks, so what it names is fixed from that hour on
//! ([0159](../../../docs/decisions/0159-digests-that-nobody-can-delete.md)).

use std::collections::BTreeMap;
use std::io::{self, BufRead, BufReader, Read, Write as _};

use flate2::Compression;
use flate2::read::MultiGzDecoder;
use flate2::write::GzEncoder;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use portal::domain::{MemberNumber, View};
use portal::store::{Chain, Fingerprint};
use serde::{Deserialize, Serialize};

/// The format that is written, and the only one that is read.
const FORMAT: u32 = 1;

/// The entries of a view at an hour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Head {
    /// The count of those posted; the number of the last one.
    pub postings: u64,
    /// The hash of them all.
    pub chain: Fingerprint,
}

impl From<Chain> for Head {
    fn from(Chain { postings, hash }: Chain) -> Self {
        Self { postings, chain: hash }
    }
}

/// The entries of an account at an hour.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Line {
    /// The account.
    pub account: MemberNumber,
    /// Its views that have entries.
    pub views: BTreeMap<View, Head>,
}

/// The first line of a digest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    digest: Timestamp,
    format: u32,
    /// The count of lines that follow.
    accounts: usize,
    left_out: Vec<MemberNumber>,
}

/// The digest of an hour.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Digest {
    /// The instant that the hour's schedule names.
    pub hour: Timestamp,
    /// The accounts that were found true, in the order of their numbers.
    pub lines: Vec<Line>,
    /// The accounts of which nothing is said, because they had drift or were posted to all the time.
    pub left_out: Vec<MemberNumber>,
}

impl Digest {
    /// The key of an hour's digest in the bucket: `2026/11/30/13.ndjson.gz` (UTC).
    #[must_use]
    pub fn key(hour: Timestamp) -> String {
        hour.to_zoned_datetime(TimeZone::UTC).strftime("%Y/%m/%d/%H.ndjson.gz").to_string()
    }

    /// The bytes of its object: JSON, a line for the digest and one for each account, compressed.
    ///
    /// # Errors
    /// Where memory fails to be written to; there is no other reason.
    pub fn write(&self) -> io::Result<Vec<u8>> {
        let mut lines = GzEncoder::new(Vec::new(), Compression::default());
        let left_out = self.left_out.clone();
        let header = Header { digest: self.hour, format: FORMAT, accounts: self.lines.len(), left_out };
        serde_json::to_writer(&mut lines, &header)?;
        for line in &self.lines {
            lines.write_all(b"\n")?;
            serde_json::to_writer(&mut lines, line)?;
        }
        lines.write_all(b"\n")?;
        lines.finish()
    }

    /// Reads what [`Digest::write`] gave.
    ///
    /// # Errors
    /// A text that names the line, where it is not whole or anything else.
    pub fn read(object: impl Read) -> Result<Self, String> {
        let mut lines = BufReader::new(MultiGzDecoder::new(object)).lines();
        let mut next = |number: usize| match lines.next() {
            None => Err(format!("it ends before line {number}: is it whole?")),
            Some(line) => line.map_err(|error| format!("line {number}: {error}")),
        };
        let header: Header = parse(1, &next(1)?)?;
        if header.format != FORMAT {
            return Err(format!("it has format {}, and this program reads {FORMAT}: use a newer one", header.format));
        }
        let read = (2..header.accounts.saturating_add(2)).map(|number| parse(number, &next(number)?));
        let lines = read.collect::<Result<Vec<Line>, _>>()?;
        if next(0).is_ok() {
            return Err(format!("more than the {} accounts stand in it that its first line says", header.accounts));
        }
        Ok(Self { hour: header.digest, lines, left_out: header.left_out })
    }
}

fn parse<'a, T: Deserialize<'a>>(number: usize, line: &'a str) -> Result<T, String> {
    serde_json::from_str(line).map_err(|error| format!("line {number}: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digest() -> Digest {
        let head = |postings| Head { postings, chain: Fingerprint::default() };
        let view = |year| View::parse(year).unwrap();
        let number = |text| MemberNumber::parse(text).unwrap();
        Digest {
            hour: "2026-11-30T13:00:00Z".parse().unwrap(),
            lines: vec![
                Line { account: number("000007"), views: BTreeMap::new() },
                Line { account: number("012345"), views: [(view("2011"), head(57)), (view("2012"), head(4))].into() },
            ],
            left_out: vec![number("630378")],
        }
    }

    fn compressed(text: &str) -> Vec<u8> {
        let mut lines = GzEncoder::new(Vec::new(), Compression::default());
        lines.write_all(text.as_bytes()).unwrap();
        lines.finish().unwrap()
    }

    #[test]
    fn a_digest_is_read_as_it_was_written() {
        let object = digest().write().unwrap();
        assert_eq!(Digest::read(&object[..]).unwrap(), digest());
        let mut text = String::new();
        MultiGzDecoder::new(&object[..]).read_to_string(&mut text).unwrap();
        let lines: Vec<_> = text.lines().collect();
        let header = r#"{"digest":"2026-11-30T13:00:00Z","format":1,"accounts":2,"left_out":["630378"]}"#;
        assert_eq!(lines[..2], [header, r#"{"account":"000007","views":{}}"#]);
        assert!(lines[2].starts_with(r#"{"account":"012345","views":{"2011":{"postings":57,"chain":"0000"#), "{text}");
        assert_eq!(Digest::key(digest().hour), "2026/11/30/13.ndjson.gz");
    }

    #[test]
    fn what_is_no_whole_digest_is_told() {
        let object = digest().write().unwrap();
        let mut text = String::new();
        MultiGzDecoder::new(&object[..]).read_to_string(&mut text).unwrap();
        let without_the_last = text.lines().take(2).collect::<Vec<_>>().join("\n");
        let twice_the_last = format!("{text}{}\n", text.lines().last().unwrap());
        let cases = [
            (object[..object.len() - 9].to_vec(), "line"),
            (b"2026".to_vec(), "line 1"),
            (Vec::new(), "line 1"),
            (compressed(&without_the_last), "before line 3"),
            (compressed(&twice_the_last), "more than the 2 accounts"),
            (compressed(&text.replace("\"format\":1", "\"format\":2")), "format 2"),
            (compressed(&text.replace("012345", "12345")), "line 3"),
            (compressed(&text.replace("postings", "posting")), "line 3"),
        ];
        for (object, told) in cases {
            let error = Digest::read(&object[..]).unwrap_err();
            assert!(error.contains(told), "{told}: {error}");
        }
    }
}
