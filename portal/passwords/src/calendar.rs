//! The calendar in passwords: years, dates in digits and in words, days of the week, months.

use crate::texts::{begins, number};

/// A year of late, and any since 1930.
const RECENT_YEAR: f64 = 10.0;
const YEAR: f64 = 60.0;
/// A day and a month.
const DAY_OF_YEAR: f64 = 366.0;
/// With signs between the parts: the same ones throughout, and mostly slashes.
const PARTED: f64 = 2.0;

const WEEKDAYS: [&str; 7] = ["lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche"];
const MONTHS: [&str; 12] = [
    "janvier",
    "fevrier",
    "mars",
    "avril",
    "mai",
    "juin",
    "juillet",
    "aout",
    "septembre",
    "octobre",
    "novembre",
    "decembre",
];
/// As they stand in dates, not alone.
const SHORT_MONTHS: [&str; 10] = ["janv", "jan", "fevr", "fev", "avr", "juil", "sept", "oct", "nov", "dec"];

/// Returns what of the calendar `rest` begins with, each as its length and its guesses.
pub(crate) fn parts(rest: &[char]) -> Vec<(usize, f64)> {
    let mut found = names(rest);
    found.extend(year(rest));
    dates_in_digits(rest, &mut found);
    dates_with_signs(rest, &mut found);
    date_in_words(rest, &mut found);
    // « Nicolas.01.06.1986 »: the sign before a date that has it between its parts comes with it.
    if let Some((sign, behind)) = rest.split_first().filter(|(sign, _)| is_sign(**sign)) {
        let mut dates = Vec::new();
        dates_with_signs(behind, &mut dates);
        let same = dates.into_iter().filter(|(length, _)| behind.iter().take(*length).any(|inner| inner == sign));
        found.extend(same.map(|(length, guesses)| (length + 1, guesses)));
    }
    found
}

fn is_sign(character: char) -> bool {
    matches!(character, '/' | '-' | '.' | ' ' | '_')
}

/// Days of the week and months, one among seven and among twelve.
#[allow(clippy::cast_precision_loss, reason = "seven and twelve")]
fn names(rest: &[char]) -> Vec<(usize, f64)> {
    let of = |names: &'static [&str]| {
        names.iter().filter_map(|name| begins(rest, name)).map(|length| (length, names.len() as f64))
    };
    of(&WEEKDAYS).chain(of(&MONTHS)).collect()
}

fn guesses_of_year(year: u32) -> Option<f64> {
    match year {
        2010..=2030 => Some(RECENT_YEAR),
        1930..=2039 => Some(YEAR),
        _ => None,
    }
}

fn year(rest: &[char]) -> Option<(usize, f64)> {
    number(rest, 4).and_then(guesses_of_year).map(|guesses| (4, guesses))
}

/// A year of four digits, and one of two.
fn years(rest: &[char]) -> impl Iterator<Item = (usize, f64)> {
    let short = number(rest, 2).map(|_| (2, YEAR));
    year(rest).into_iter().chain(short)
}

/// The day or the month, up to `most`, that `rest` begins with, in one digit or in two.
fn counts(rest: &[char], most: u32) -> impl Iterator<Item = usize> {
    [2, 1].into_iter().filter(move |length| number(rest, *length).is_some_and(|count| (1..=most).contains(&count)))
}

/// `1407`, `140789`, `14071989`, `19890714`.
fn dates_in_digits(rest: &[char], found: &mut Vec<(usize, f64)>) {
    let is = |from: usize, most: u32| {
        rest.get(from..).and_then(|rest| number(rest, 2)).is_some_and(|count| (1..=most).contains(&count))
    };
    if is(0, 31) && is(2, 12) {
        found.push((4, DAY_OF_YEAR));
        found.extend(years(&rest[4..]).map(|(length, guesses)| (4 + length, DAY_OF_YEAR * guesses)));
    }
    if is(4, 12) && is(6, 31) {
        found.extend(year(rest).map(|(_, guesses)| (8, DAY_OF_YEAR * guesses)));
    }
}

/// `14/07`, `14-7-89`, `14.07.1989`, `1989_07_14`.
fn dates_with_signs(rest: &[char], found: &mut Vec<(usize, f64)>) {
    let sign = |at: usize| rest.get(at).is_some_and(|sign| is_sign(*sign));
    for day in counts(rest, 31).filter(|day| sign(*day)) {
        for month in counts(&rest[day + 1..], 12) {
            let end = day + 1 + month;
            found.push((end, DAY_OF_YEAR * PARTED));
            if sign(end) {
                let dates = years(&rest[end + 1..]);
                found.extend(dates.map(|(length, year)| (end + 1 + length, DAY_OF_YEAR * PARTED * year)));
            }
        }
    }
    if let Some((_, guesses)) = year(rest).filter(|_| sign(4)) {
        for month in counts(&rest[5..], 12).filter(|month| sign(5 + month)) {
            let days = counts(&rest[6 + month..], 31);
            found.extend(days.map(|day| (6 + month + day, DAY_OF_YEAR * PARTED * guesses)));
        }
    }
}

/// `14 juillet`, `1er-mai-2026`, `4nov08`.
fn date_in_words(rest: &[char], found: &mut Vec<(usize, f64)>) {
    let past_sign = |at: usize| at + usize::from(rest.get(at).is_some_and(|sign| is_sign(*sign)));
    for day in counts(rest, 31) {
        let behind = if begins(&rest[day..], "er").is_some() { day + 2 } else { day };
        let start = past_sign(behind);
        for month in MONTHS.iter().chain(&SHORT_MONTHS).filter_map(|month| begins(&rest[start..], month)) {
            let end = start + month;
            let style = if start > behind { PARTED } else { 1.0 };
            found.push((end, DAY_OF_YEAR * style));
            let from = past_sign(end);
            found.extend(years(&rest[from..]).map(|(length, year)| (from + length, DAY_OF_YEAR * style * year)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::texts::cheapest;

    #[test]
    fn days_months_years_and_dates_are_parts() {
        for (text, guesses) in [
            ("mercredi", 7.0),
            ("fevrier", 12.0),
            ("2026", RECENT_YEAR),
            ("1963", YEAR),
            ("2512", DAY_OF_YEAR),
            ("251263", DAY_OF_YEAR * YEAR),
            ("25121963", DAY_OF_YEAR * YEAR),
            ("20261225", DAY_OF_YEAR * RECENT_YEAR),
            ("5/3", DAY_OF_YEAR * PARTED),
            ("25_12_1963", DAY_OF_YEAR * PARTED * YEAR),
            ("_25_12_1963", DAY_OF_YEAR * PARTED * YEAR),
            ("1963-12-25", DAY_OF_YEAR * PARTED * YEAR),
            ("25decembre", DAY_OF_YEAR),
            ("1er mai 2026", DAY_OF_YEAR * PARTED * RECENT_YEAR),
            ("3-sept-98", DAY_OF_YEAR * PARTED * YEAR),
        ] {
            assert_eq!(cheapest(parts, text), Some(guesses), "{text}");
        }
    }

    #[test]
    fn what_no_calendar_has_is_no_part() {
        for text in ["32/12/1963", "25/13/1963", "1863", "0mai", "lundis", "-25/12/1963", "25 "] {
            assert_eq!(cheapest(parts, text), None, "{text}");
        }
    }
}
