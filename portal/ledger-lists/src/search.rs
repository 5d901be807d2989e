//! What is searched for in lists.

use jiff::civil::Date;
use portal::domain::{Cents, Words};
use portal::store::{ListedAction, ListedRemittance};

/// What is searched for among actions: words of title or number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ActionSearch {
    text: String,
    words: Words,
}

impl ActionSearch {
    /// A search for a text; nothing where it has signs alone, which everything has.
    #[must_use]
    pub fn of(text: Option<String>) -> Option<Self> {
        let text = text?;
        let words = Words::of(&text);
        (!words.is_empty()).then_some(Self { text, words })
    }

    /// One text for all searches that find the same.
    #[must_use]
    pub fn as_text(&self) -> String {
        self.words.as_text()
    }

    /// The text as it was typed.
    #[must_use]
    pub fn typed(&self) -> &str {
        &self.text
    }

    /// Whether an action is found.
    #[must_use]
    pub fn finds(&self, action: &ListedAction) -> bool {
        self.words.are_in(&[&action.title, action.action_id.as_str()])
    }
}

/// What is searched for among transfers, as somebody types it who has the bank's statement before their eyes: words of the
/// number and the bank reference; or an amount; or a day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemittanceSearch {
    text: String,
    words: Words,
    amount: Option<Cents>,
    day: Option<Date>,
}

impl RemittanceSearch {
    /// A search for a text.
    #[must_use]
    pub fn of(text: String) -> Self {
        Self { words: Words::of(&text), amount: amount(&text), day: day(&text), text }
    }

    /// One text for all searches that find the same.
    #[must_use]
    pub fn as_text(&self) -> String {
        let amount = self.amount.map(|amount| amount.0.to_string()).unwrap_or_default();
        let day = self.day.map(|day| day.to_string()).unwrap_or_default();
        format!("{}/{amount}/{day}", self.words.as_text())
    }

    /// The text as it was typed.
    #[must_use]
    pub fn typed(&self) -> &str {
        &self.text
    }

    /// Whether a transfer is found.
    #[must_use]
    pub fn finds(&self, remittance: &ListedRemittance) -> bool {
        let bank = remittance.bank_reference.as_deref().unwrap_or_default();
        self.day == Some(remittance.date)
            // The bank's statement shows what was sent and what came back without a sign of ours.
            || self.amount.is_some_and(|amount| remittance.moved.shows(amount) || remittance.moved.shows(-amount))
            || self.words.are_in(&[remittance.number.as_str(), bank])
    }
}

/// An amount in euros: `1300`, `1 300,00 €`, `1.300,00`, `1300.5`. Spaces part thousands; so does a comma or a point before
/// the other one, or a point where no cents follow it.
fn amount(text: &str) -> Option<Cents> {
    let text: String = text.chars().filter(|character| !character.is_whitespace()).collect();
    let text = text.strip_suffix('€').or_else(|| text.strip_suffix("EUR")).unwrap_or(&text);
    let (sign, text) = match text.strip_prefix(['-', '\u{2212}']) {
        Some(rest) => (-1, rest),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    let is_cents = |behind: &str| behind.len() <= 2;
    let (euros, cents, parts_thousands) = match text.rsplit_once([',', '.']) {
        Some((euros, cents)) if is_cents(cents) => (euros, cents, if euros.contains('.') { '.' } else { ',' }),
        _ => (text, "0", '.'),
    };
    if text[euros.len()..].starts_with(parts_thousands) && euros.contains(parts_thousands) {
        return None;
    }
    let mut groups = euros.split(parts_thousands);
    let first = groups.next()?;
    let has_groups = first.len() < euros.len();
    if has_groups && !((1..=3).contains(&first.len()) && groups.all(|group| group.len() == 3)) {
        return None;
    }
    let euros = euros.replace(parts_thousands, "");
    let digits = |text: &str, most: usize| {
        ((1..=most).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit()))
            .then(|| text.parse::<i64>().ok())
            .flatten()
    };
    let tenths = if cents.len() == 1 { 10 } else { 1 };
    // Fifteen digits of cents are below what an `i64` holds.
    Some(Cents(sign * (digits(&euros, 13)? * 100 + digits(cents, 2)? * tenths)))
}

/// A day: `10/02/2012`, `10.02.2012`, `10-02-12` or `2012-02-10`. A year of two digits is one of this century: the fund's
/// accounts begin in it.
fn day(text: &str) -> Option<Date> {
    let pieces = |sign: char| {
        let pieces: Vec<&str> = text.trim().split(sign).collect();
        let all_digits =
            pieces.iter().all(|piece| !piece.is_empty() && piece.bytes().all(|byte| byte.is_ascii_digit()));
        all_digits.then_some(pieces).filter(|pieces| pieces.len() == 3)
    };
    let pieces = ['-', '/', '.'].into_iter().find_map(pieces)?;
    let (year, month, day) = if pieces[0].len() == 4 { (0, 1, 2) } else { (2, 1, 0) };
    let year = match pieces[year].len() {
        2 => 2000 + pieces[year].parse::<i16>().ok()?,
        4 => pieces[year].parse().ok()?,
        _ => return None,
    };
    Date::new(year, pieces[month].parse().ok()?, pieces[day].parse().ok()?).ok()
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn an_amount_is_read_as_a_bank_or_a_keyboard_writes_it() {
        for (text, cents) in [
            ("1300", 130_000),
            ("1 300,00 €", 130_000),
            ("1\u{202f}300,00\u{a0}€", 130_000),
            ("1300.5", 130_050),
            ("0,07", 7),
            ("-90,00", -9_000),
            ("90EUR", 9_000),
            ("+5", 500),
            ("7.594,12", 759_412),
            ("7,594.12 €", 759_412),
            ("1.234.567,8", 123_456_780),
            ("1.300", 130_000),
        ] {
            assert_eq!(amount(text), Some(Cents(cents)), "{text:?}");
        }
        for none in [
            "",
            "€",
            "V-42",
            "1,234",
            "1e5",
            "+-5",
            "12345678901234",
            "5,",
            ",5",
            "1.2.3",
            "1.30,00",
            "1,300,00",
            "1.300.00",
            ".300,00",
            "1..300",
        ] {
            assert_eq!(amount(none), None, "{none:?}");
        }
    }

    #[test]
    fn a_day_is_read_in_the_french_and_in_the_iso_form() {
        for text in ["10/02/2012", "2012-02-10", " 10/2/2012 ", "10.02.2012", "10-02-2012", "10/02/12", "2012/02/10"] {
            assert_eq!(day(text), Some(date(2012, 2, 10)), "{text:?}");
        }
        for none in
            ["", "10/02", "10/02/1", "//", "10.02-2012", "2012-02-30", "02/30/2012", "2012-02-10-1", "+1/02/2012"]
        {
            assert_eq!(day(none), None, "{none:?}");
        }
    }

    #[test]
    fn searches_that_find_other_things_have_other_texts() {
        let text = |search: &str| RemittanceSearch::of(search.to_owned()).as_text();
        assert_ne!(text("13,00"), text("13 00"), "thirteen euros, and thirteen hundred");
        assert_eq!(text(" CSTR  0042 "), text("cstr 0042"));
    }
}
