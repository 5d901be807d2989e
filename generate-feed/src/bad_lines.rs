//! Lines that no import can post, each bad for one reason that `docs/feed.md` names.
//!
//! A bad line is a spoiled copy of a good one that is sent as well: nothing is lost with it, so the accounts
//! must come out as if it had not been there.

use serde::Serialize;

use crate::batch::BadLine;
use crate::distribution::Draw;
use crate::records::{EntryKind, EntryRecord, LedgerRecord, MemberRecord};

/// Ten billion euros and a cent, one more than an entry may have.
const TOO_MUCH: i64 = 1_000_000_000_001;

/// Above 64 KiB, whatever else is on the line.
const TOO_LONG: usize = 66_000;

/// Of bad lines, per mille: they cost a hundred times the space of the others.
const TOO_LONG_ONES: u32 = 10;

/// Spoils a copy of an entry under a key that nothing else has, made of the ordinal; or sends the entry
/// itself again with the same version and another amount.
pub(crate) fn bad_entry(draw: &mut Draw, good: &EntryRecord, ordinal: u64) -> BadLine {
    let copy =
        EntryRecord { source_key: format!("X-{}-{ordinal}", good.member_number), source_version: 1, ..good.clone() };
    let cents = copy.amount_cents;
    if draw.chance(TOO_LONG_ONES) {
        let mut long = bytes(EntryRecord { label: "#".to_owned(), ..copy });
        // In one piece and not by doubling: it is the largest thing that the generator ever holds.
        long.reserve_exact(TOO_LONG);
        if let Some(place) = long.iter().rposition(|byte| *byte == b'#') {
            long.splice(place..=place, std::iter::repeat_n(b'a', TOO_LONG));
        }
        return bad(long, "line-too-long", cents);
    }
    let changed = |field, value, reason, cents| bad(with(bytes(copy.clone()), field, value), reason, cents);
    match draw.below(10) {
        // Cut off behind its first field, so it is no JSON and counts nothing.
        0 => {
            let whole = bytes(copy);
            let kept = whole.iter().position(|byte| *byte == b',').unwrap_or(1);
            bad(whole[..=kept].to_vec(), "not-json", 0)
        }
        1 => changed("kind", r#""PAYMENT""#, "unknown-kind", cents),
        2 => changed("effective_date", r#""2012-02-30""#, "bad-date", cents),
        3 => changed("amount_cents", "0", "bad-amount", 0),
        4 => changed("amount_cents", &TOO_MUCH.to_string(), "bad-amount", TOO_MUCH),
        5 => changed("amount_cents", r#""729.00""#, "bad-amount", 0),
        6 => {
            let kind = if copy.kind.is_contribution() { copy.kind } else { EntryKind::Commitment };
            let amount_cents = -cents.abs();
            bad(bytes(EntryRecord { kind, amount_cents, ..copy }), "negative-amount", amount_cents)
        }
        // In Latin-1, as old systems export it.
        7 => {
            let mut latin = bytes(EntryRecord { label: "#".to_owned(), ..copy });
            if let Some(place) = latin.iter().rposition(|byte| *byte == b'#') {
                latin[place] = 0xE9;
            }
            bad(latin, "not-utf8", cents)
        }
        8 => {
            let mut doubled = bytes(copy);
            if let Some(brace) = doubled.iter().position(|byte| *byte == b'{') {
                doubled.splice(brace..=brace, br#"{"effective_date":"2012-02-10","#.iter().copied());
            }
            bad(doubled, "doubled-field", cents)
        }
        _ => bad(bytes(EntryRecord { amount_cents: cents * 2, ..good.clone() }), "conflicting-version", cents * 2),
    }
}

/// A member with a wrong digit in its SIRET, or a line that was cut off.
pub(crate) fn bad_member(draw: &mut Draw, good: &MemberRecord) -> BadLine {
    if draw.chance(300) {
        return bad(b"{\"member_number\":\"0".to_vec(), "not-json", 0);
    }
    let mut siret = good.siret.clone();
    let check = siret.pop().and_then(|digit| digit.to_digit(10)).unwrap_or_default();
    siret.push_str(&((check + draw.between(1, 9)) % 10).to_string());
    bad(json(&MemberRecord { siret, ..good.clone() }), "bad-siret", 0)
}

fn bad(bytes: Vec<u8>, reason: &'static str, cents: i64) -> BadLine {
    BadLine { bytes, reason, cents }
}

fn bytes(record: EntryRecord) -> Vec<u8> {
    json(&LedgerRecord::Entry(record))
}

fn json(record: &impl Serialize) -> Vec<u8> {
    #[allow(clippy::expect_used, reason = "records of strings, numbers and days always serialise")]
    serde_json::to_vec(record).expect("a record serialises")
}

/// The line with another value in a field whose own has no comma. Not by way of `serde_json::Value`: the
/// order of its fields, and so the bytes, would depend on what else is built.
fn with(mut line: Vec<u8>, field: &str, value: &str) -> Vec<u8> {
    let name = format!("\"{field}\":");
    if let Some(start) = line.windows(name.len()).position(|part| part == name.as_bytes()) {
        let start = start + name.len();
        let end = line[start..].iter().position(|byte| b",}".contains(byte)).map_or(line.len(), |at| start + at);
        line.splice(start..end, value.bytes());
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_is_replaced_and_the_rest_is_kept() {
        let line = br#"{"kind":"RECOVERY","amount_cents":12,"label":"a,b"}"#.to_vec();
        assert_eq!(with(line.clone(), "kind", "0"), br#"{"kind":0,"amount_cents":12,"label":"a,b"}"#);
        assert_eq!(with(line.clone(), "amount_cents", "0"), br#"{"kind":"RECOVERY","amount_cents":0,"label":"a,b"}"#);
        assert_eq!(with(line.clone(), "payee", "0"), line);
    }
}
