//! Prints how much of what French guessers try first the meter accepts: `accepted COMMON [WORDS]`.
//!
//! COMMON lists the most common passwords of a country, one a line, most common first; WORDS lists words that honest pass phrases are
//! drawn from, one a line. Neither is part of the project. Fails where a row exceeds its bound.

#![allow(clippy::print_stdout, reason = "a table is what it is for")]

use std::error::Error;

use portal::security::{Password, PasswordPolicy, assess};
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};

/// Letters alone, five and more, are "words"; those of the first so many passwords.
const WORDS_OF: usize = 6_000;
/// And those that are put together in pairs.
const PAIRS_OF: usize = 1_600;
const DRAWN: usize = 2_000;

fn main() -> Result<(), Box<dyn Error>> {
    let mut paths = std::env::args().skip(1);
    let common = std::fs::read_to_string(paths.next().ok_or("usage: accepted COMMON [WORDS]")?)?;
    let common: Vec<&str> = common.lines().collect();
    let words = |most: usize| {
        let first = common.iter().take(most);
        first
            .copied()
            .filter(|word| word.chars().count() >= 5 && word.chars().all(char::is_alphabetic))
            .collect::<Vec<_>>()
    };
    let mut rng = StdRng::seed_from_u64(2026);
    let pairs_of = words(PAIRS_OF);
    let pairs: Vec<String> = (0..DRAWN)
        .map(|_| {
            format!(
                "{} {}",
                pairs_of[rng.random_range(0..pairs_of.len())],
                pairs_of[rng.random_range(0..pairs_of.len())]
            )
        })
        .collect();
    let with = |end: &str| words(WORDS_OF).iter().map(|word| format!("{}{end}", capitalised(word))).collect::<Vec<_>>();
    let mut rows = vec![
        Row::accepted("common ones", common.iter().map(|&password| password.to_owned()).collect(), 25.0 / 154.0),
        Row::accepted("a word and 2026!", with("2026!"), 0.02),
        Row::accepted("a word and a space and 2026", with(" 2026"), 0.02),
        Row::accepted("two common words", pairs, 0.02),
    ];
    if let Some(path) = paths.next() {
        let list = std::fs::read_to_string(path)?;
        let list: Vec<&str> = list.lines().map(str::trim).filter(|word| !word.is_empty()).collect();
        let drawn = || list.sample(&mut rng, 4).copied().collect::<Vec<_>>().join(" ");
        rows.push(Row::refused(
            "four words drawn at random",
            std::iter::repeat_with(drawn).take(DRAWN).collect(),
            0.01,
        ));
    }
    rows.iter().for_each(Row::print);
    if rows.iter().all(Row::holds) { Ok(()) } else { Err("more than the bound".into()) }
}

struct Row {
    what: &'static str,
    verdict: &'static str,
    wrong: Vec<String>,
    of: usize,
    most: f64,
}

impl Row {
    fn accepted(what: &'static str, mut passwords: Vec<String>, most: f64) -> Self {
        passwords.retain(|password| password.chars().count() >= PasswordPolicy::SHORTEST);
        let of = passwords.len();
        passwords.retain(|password| is_accepted(password));
        Self { what, verdict: "accepted", wrong: passwords, of, most }
    }

    fn refused(what: &'static str, mut passwords: Vec<String>, most: f64) -> Self {
        let of = passwords.len();
        passwords.retain(|password| !is_accepted(password));
        Self { what, verdict: "refused", wrong: passwords, of, most }
    }

    fn share(&self) -> f64 {
        // Some thousands.
        #[allow(clippy::cast_precision_loss, reason = "some thousands")]
        let share = self.wrong.len() as f64 / self.of.max(1) as f64;
        share
    }

    fn holds(&self) -> bool {
        self.of > 0 && self.share() <= self.most
    }

    fn print(&self) {
        let Self { what, verdict, wrong, of, most } = self;
        let (share, most) = (self.share() * 100.0, most * 100.0);
        println!("{what}: {} of {of} {verdict}, {share:.1} % (at most {most:.1} %)", wrong.len());
        println!("    {}", wrong.iter().take(30).map(String::as_str).collect::<Vec<_>>().join(" | "));
    }
}

fn is_accepted(password: &str) -> bool {
    let password = Password::of(password.to_owned());
    PasswordPolicy::check(&password, &assess(&password, &[])).is_ok()
}

fn capitalised(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().into_iter().flat_map(char::to_uppercase).chain(letters).collect()
}
