//! Addresses in passwords: of mail, of sites, post codes, phone numbers.

use crate::texts::{begins, number};

/// A provider of mail: the list holds three dozen, and the first five have most of the people.
const MAIL_DOMAIN: f64 = 10.0;
/// The beginnings of a site's address, and its ends.
const SITE_START: f64 = 5.0;
const SITE_END: f64 = 10.0;
/// Departments; the code of a prefecture is its department and `000`, those of Paris, Lyon and Marseille their districts.
const DEPARTMENT: f64 = 100.0;
/// The codes of towns of some size are a hundred and their department.
const TOWN_CODE: f64 = 1_000.0;
/// France has 6,300 post codes.
const POST_CODE: f64 = 6_300.0;
/// Of the 10^8 mobile numbers in use those that are published, of companies and in advertisements, come first.
const PHONE_NUMBER: f64 = 3e7;

const PROVIDERS: [&str; 37] = [
    "gmail",
    "googlemail",
    "orange",
    "wanadoo",
    "free",
    "hotmail",
    "outlook",
    "live",
    "msn",
    "laposte",
    "sfr",
    "neuf",
    "cegetel",
    "club-internet",
    "yahoo",
    "ymail",
    "rocketmail",
    "icloud",
    "me",
    "mac",
    "aol",
    "bbox",
    "bouygtel",
    "numericable",
    "noos",
    "aliceadsl",
    "alice",
    "voila",
    "caramail",
    "gmx",
    "proton",
    "protonmail",
    "tutanota",
    "mailo",
    "netcourrier",
    "dartybox",
    "skynet",
];
const STARTS: [&str; 5] = ["https://www.", "http://www.", "https://", "http://", "www."];
const ENDS: [&str; 16] = [
    ".asso.fr", ".gouv.fr", ".com", ".net", ".org", ".info", ".biz", ".fr", ".eu", ".be", ".ch", ".ca", ".re", ".io",
    ".me", ".bzh",
];

/// Returns the parts of addresses that `rest` begins with, each as its length and its guesses.
pub(crate) fn parts(rest: &[char]) -> Vec<(usize, f64)> {
    let mut found = Vec::new();
    let of = |names: &'static [&str], guesses: f64| {
        names.iter().filter_map(move |name| begins(rest, name)).map(move |length| (length, guesses))
    };
    found.extend(of(&STARTS, SITE_START).chain(of(&ENDS, SITE_END)));
    if let Some(('@', domain)) = rest.split_first() {
        for length in PROVIDERS.iter().filter_map(|name| begins(domain, name)).map(|length| length + 1) {
            found.push((length, MAIL_DOMAIN));
            let ends = ENDS.iter().filter_map(|end| begins(&rest[length..], end));
            found.extend(ends.map(|end| (length + end, MAIL_DOMAIN)));
        }
    }
    found.extend(post_code(rest).map(|guesses| (5, guesses)));
    found.extend(phone_number(rest).map(|length| (length, PHONE_NUMBER)));
    found
}

fn post_code(rest: &[char]) -> Option<f64> {
    match number(rest, 5)? {
        13_001..=13_016 | 69_001..=69_009 | 75_001..=75_020 => Some(DEPARTMENT),
        code @ 1_000..=98_999 if code % 1_000 == 0 => Some(DEPARTMENT),
        code @ 1_000..=98_999 if code % 100 == 0 => Some(TOWN_CODE),
        1_000..=98_999 => Some(POST_CODE),
        _ => None,
    }
}

/// The length of a French number: `0612345678`, `06 12 34 56 78`, `06.12.34.56.78`, `+33 6 12 34 56 78`.
fn phone_number(rest: &[char]) -> Option<usize> {
    let prefix = ["+33", "0033", "0"].iter().find_map(|prefix| begins(rest, prefix))?;
    let mut at = prefix;
    for digit in 0..9 {
        if rest.get(at).is_some_and(|sign| matches!(sign, ' ' | '.' | '-' | '_' | '/')) {
            at += 1;
        }
        let value = rest.get(at)?.to_digit(10)?;
        if digit == 0 && value == 0 {
            return None;
        }
        at += 1;
    }
    Some(at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::texts::cheapest;

    #[test]
    fn mail_sites_post_codes_and_phone_numbers_are_parts() {
        for (text, guesses) in [
            ("@laposte.net", MAIL_DOMAIN),
            ("@club-internet.fr", MAIL_DOMAIN),
            ("https://www.", SITE_START),
            (".gouv.fr", SITE_END),
            ("33000", DEPARTMENT),
            ("69007", DEPARTMENT),
            ("59100", TOWN_CODE),
            ("35131", POST_CODE),
            ("0145678923", PHONE_NUMBER),
            ("07-48-20-81-37", PHONE_NUMBER),
            ("+33 7 48 20 81 37", PHONE_NUMBER),
            ("0033748208137", PHONE_NUMBER),
        ] {
            assert_eq!(cheapest(parts, text), Some(guesses), "{text}");
        }
    }

    #[test]
    fn what_is_no_address_is_no_part() {
        for text in ["@mesange.fr", "www", "fr", "00123", "99123", "0012345678", "06 12 34 56 7", "1612345678"] {
            assert_eq!(cheapest(parts, text), None, "{text}");
        }
    }
}
