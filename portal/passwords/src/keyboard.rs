//! Runs over a keyboard: rows, columns, walks from key to key, two rows in turn.

use std::sync::LazyLock;

/// Rows and columns of the French keyboard and of the American one, the number pad's, and the alphabet.
const LINES: [&str; 38] = [
    "1234567890",
    "&e\"'(-e_ca)=",
    "azertyuiop^$",
    "qsdfghjklmu*",
    "wxcvbn,;:!",
    "qwertyuiop",
    "asdfghjkl",
    "zxcvbnm",
    "abcdefghijklmnopqrstuvwxyz",
    "1aqw",
    "2zsx",
    "3edc",
    "4rfv",
    "5tgb",
    "6yhn",
    "7uj",
    "8ik",
    "9ol",
    "0pm",
    "1qaz",
    "2wsx",
    "147",
    "258",
    "369",
    "159",
    "357",
    "qwe",
    "asd",
    "zxc",
    "aze",
    "qsd",
    "wxc",
    "2468",
    "13579",
    "02468",
    "112233445566778899",
    "102030405060708090",
    "010203040506070809",
];

/// Each line as it is and backwards.
static DIRECTED_LINES: LazyLock<Vec<Vec<char>>> =
    LazyLock::new(|| LINES.iter().flat_map(|line| [line.chars().collect(), line.chars().rev().collect()]).collect());

/// The French keyboard by its rows; each is half a key to the right of the one above it, as keys are.
const ROWS: [&str; 4] = ["1234567890", "azertyuiop", "qsdfghjklm", "wxcvbn"];

/// The shortest run that is a pattern.
const SHORTEST: usize = 3;

/// Guesses for one run along a line: which line, where it starts, in which direction.
pub(crate) const RUN: f64 = 50.0;

/// Guesses for each change of direction of a walk: the other neighbours of a key.
const TURN: f64 = 4.0;

/// Returns the patterns that start at the beginning of `keys`, each as its length and the guesses that it takes.
pub(crate) fn patterns(keys: &[char]) -> Vec<(usize, f64)> {
    let mut found = Vec::new();
    for length in SHORTEST..=run_along_a_line(keys) {
        found.push((length, RUN));
    }
    let (mut turns, mut direction) = (0_i32, None);
    for (length, pair) in (2..).zip(keys.windows(2)) {
        let Some(step) = step(pair[0], pair[1]) else { break };
        if direction.replace(step).is_some_and(|before| before != step) {
            turns += 1;
        }
        if length >= SHORTEST {
            found.push((length, RUN * TURN.powi(turns)));
        }
    }
    let of_turn = |odd: usize| keys.iter().copied().skip(odd).step_by(2).collect::<Vec<_>>();
    let in_turn = 2 * run_along_a_line(&of_turn(0)).min(run_along_a_line(&of_turn(1)));
    if in_turn >= 2 * SHORTEST {
        found.push((in_turn, RUN * RUN));
    }
    found
}

/// Returns how many keys from the first on lie in a row on one line, forwards or backwards.
fn run_along_a_line(keys: &[char]) -> usize {
    let from = |on_line: &[char]| on_line.iter().zip(keys).take_while(|(on_line, key)| on_line == key).count();
    let along = |line: &Vec<char>| (0..line.len()).map(|start| from(&line[start..])).max();
    DIRECTED_LINES.iter().filter_map(along).max().unwrap_or(0)
}

/// Returns the direction from one key to a neighbour of it, `None` where it is no neighbour.
fn step(from: char, to: char) -> Option<(i32, i32)> {
    let place = |key: char| {
        (0..).zip(ROWS).find_map(|(row, keys)| keys.chars().position(|on_row| on_row == key).map(|at| (row, at)))
    };
    let ((row, at), (next_row, next_at)) = (place(from)?, place(to)?);
    let (down, right): (i32, i32) = (next_row - row, i32::try_from(next_at).ok()? - i32::try_from(at).ok()?);
    (down.abs() <= 1 && right.abs() <= 1).then_some((down, right))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cheapest(text: &str) -> Option<f64> {
        let keys: Vec<char> = text.chars().collect();
        patterns(&keys).into_iter().filter(|(length, _)| *length == keys.len()).map(|(_, cost)| cost).reduce(f64::min)
    }

    #[test]
    fn rows_columns_walks_and_two_rows_in_turn_are_patterns() {
        for (text, most) in [
            ("azertyuiop", RUN),
            ("mlkjhgfdsq", RUN),
            ("qwerty", RUN),
            ("3edc", RUN),
            ("1a2z3e4r5t6y", RUN * RUN),
            ("1q2w3e4r5t6y", RUN * RUN),
            ("azqswx", 20_000.0),
        ] {
            assert!(cheapest(text).is_some_and(|cost| cost <= most), "{text}: {:?}", cheapest(text));
        }
    }

    #[test]
    fn a_word_is_no_pattern() {
        for text in ["mesange", "truelle", "grele"] {
            assert_eq!(cheapest(text), None, "{text}");
        }
    }
}
