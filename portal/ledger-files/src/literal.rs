//! Which texts a spreadsheet takes for something else when it opens a CSV.
//!
//! A CSV says of no cell what it is, and quotes do not tell either: Excel and LibreOffice read each as if somebody had
//! typed it, and make numbers, dates, times, truth values, errors and formulas of what looks like one. What they know
//! depends on language and version, so this errs on the side of text. Why, and what their makers say of it:
//! `docs/decisions/0111-texts-of-a-csv-stay-texts.md`.

use std::borrow::Cow;

/// Leads a text that has to stay one. Any program takes it away again: a text that begins with it has one more.
const MARK: char = '\'';

/// What makes a spreadsheet read a formula, or step into the next cell (OWASP, CSV injection); the wide forms
/// are what some of them take for the same.
const HARMFUL: [char; 11] = ['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠'];

/// Truth values of the languages that the fund's members work in.
const TRUTHS: [&str; 4] = ["vrai", "faux", "true", "false"];

/// Names of months and days, French and English, without accents. Spreadsheets take their beginnings as well.
const NAMES_OF_DAYS: [&str; 38] = [
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
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
    "lundi",
    "mardi",
    "mercredi",
    "jeudi",
    "vendredi",
    "samedi",
    "dimanche",
    "monday",
    "tuesday",
    "wednesday",
    "thursday",
    "friday",
    "saturday",
    "sunday",
];

/// Currencies by their letters.
const CURRENCIES: [&str; 3] = ["eur", "chf", "usd"];

/// The text, led by an apostrophe where a spreadsheet would make something else of it.
pub(crate) fn literal(text: &str) -> Cow<'_, str> {
    if is_taken_for_more(text) { Cow::Owned(format!("{MARK}{text}")) } else { Cow::Borrowed(text) }
}

fn is_taken_for_more(text: &str) -> bool {
    let shown = text.trim_start_matches(|c: char| c.is_whitespace() || c.is_control() || is_invisible(c));
    // Excel makes an error of a text that is the name of one, such as `#N/A`.
    let begins_badly = |text: &str| text.starts_with(HARMFUL) || text.starts_with([MARK, '#']);
    begins_badly(text) || begins_badly(shown) || is_truth(shown.trim_end()) || is_taken_for_a_number(shown)
}

fn is_truth(text: &str) -> bool {
    TRUTHS.iter().any(|truth| text.eq_ignore_ascii_case(truth))
}

/// Whether a text has a digit and no word that keeps it from being an amount, a date, a time or a number otherwise.
fn is_taken_for_a_number(text: &str) -> bool {
    if !text.chars().any(char::is_numeric) {
        return false;
    }
    let mut words = text.split(|c: char| !c.is_alphabetic() || c.is_numeric()).filter(|word| !word.is_empty());
    if text.starts_with(|c: char| c.is_alphabetic() && !c.is_numeric()) {
        // `V-42` is a text whatever follows; `mars 2012` is not.
        return words.all(names_part_of_a_number);
    }
    // `1E5`, `12h30`, `1er`, `5 m`: one or two letters may mean something.
    words.all(|word| word.chars().count() <= 2 || names_part_of_a_number(word))
}

/// Whether a word is, or begins, the name of a month or a day, or is a currency.
fn names_part_of_a_number(word: &str) -> bool {
    let word: String = word.to_lowercase().chars().map(without_accent).collect();
    let names_day = word.len() >= 3 && NAMES_OF_DAYS.iter().any(|name| name.starts_with(&word));
    names_day || CURRENCIES.contains(&word.as_str())
}

fn without_accent(letter: char) -> char {
    match letter {
        'é' | 'è' | 'ê' => 'e',
        'û' | 'ù' => 'u',
        other => other,
    }
}

/// Characters that nobody sees, and that a spreadsheet may leave out before it looks.
fn is_invisible(character: char) -> bool {
    matches!(character, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2064}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_a_spreadsheet_would_calculate_is_led_by_an_apostrophe() {
        for harmful in [
            "=1+1",
            "+33 1 23",
            "-2+3",
            "@SUM(A1)",
            "\t=1",
            "\r=1",
            "\n=1",
            "＝1",
            "=HYPERLINK(\"http://a\")",
            " =1",
            "\u{a0}=1",
            "\u{200b}@a",
        ] {
            assert_eq!(literal(harmful), format!("'{harmful}"));
        }
    }

    /// What LibreOffice 7.4 made numbers, dates, times, truth values or errors of, and what Excel's documents name.
    #[test]
    fn what_a_spreadsheet_would_take_for_a_number_or_a_date_is_led_by_an_apostrophe() {
        for taken in [
            "004217",
            "0007",
            "1E5",
            "12e3",
            "1.5E+3",
            "12.03.2012",
            "12/3",
            "53384615000019",
            "12345678901234567890",
            "VRAI",
            "faux",
            "TRUE",
            "mars 2012",
            "12 mars",
            "lundi 12 mars 2012",
            "MARCH1",
            "Sept-5",
            "août 12",
            "10 €",
            "€ 12",
            "50 %",
            "1 1/2",
            "(5)",
            "12:30",
            "12h30",
            "1 234",
            "2012-03-12",
            "1,5",
            "5-",
            ".5",
            "#N/A",
            " 5",
            "5 ",
            "\u{a0}5",
            "12 EUR",
            "EUR 12",
            "1er mai",
            "12A",
            "½",
            "٣",
            "１２",
            "\u{200b}5",
            "0x1F",
        ] {
            assert_eq!(literal(taken), format!("'{taken}"));
        }
    }

    #[test]
    fn a_text_that_is_plainly_one_stays_as_it_is() {
        for plain in [
            "",
            "Formation A=B",
            "É",
            "V-2012-0042",
            "F-118",
            "CSTR 0042",
            "2 jours de formation",
            "E-9001",
            "erp",
            "Maintenance 2012",
            "1ère année",
            "CACES R482 catégorie A",
            "Plan de formation",
            "vrai prix",
            "N° 12",
            "Martin 12",
        ] {
            assert_eq!(literal(plain), plain);
        }
    }

    proptest! {
        #[test]
        fn any_text_comes_back_by_taking_one_apostrophe_away(text in "[='0-9A-Za-z€ .,\\-\\t]{0,12}") {
            let shown = literal(&text);
            prop_assert_eq!(shown.strip_prefix(MARK).unwrap_or(&shown), text.as_str());
        }

        #[test]
        fn digits_with_nothing_but_signs_are_always_marked(text in "[0-9 .,:/()%€+-]{0,8}[0-9][0-9 .,:/()%€-]{0,8}") {
            prop_assert!(literal(&text).starts_with(MARK));
        }
    }
}
