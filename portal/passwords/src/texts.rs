//! The beginnings of a text, for the parts that a password is cut into.

/// The length of a name where `rest` begins with it.
pub(crate) fn begins(rest: &[char], name: &str) -> Option<usize> {
    (rest.len() >= name.len() && name.chars().zip(rest).all(|(expected, found)| expected == *found))
        .then_some(name.len())
}

/// The number that `length` digits make.
pub(crate) fn number(rest: &[char], length: usize) -> Option<u32> {
    rest.get(..length)?.iter().try_fold(0, |number, digit| Some(number * 10 + digit.to_digit(10)?))
}

/// The fewest guesses of a whole text, by one kind of parts.
#[cfg(test)]
pub(crate) fn cheapest(parts: fn(&[char]) -> Vec<(usize, f64)>, text: &str) -> Option<f64> {
    let rest: Vec<char> = text.chars().collect();
    parts(&rest).into_iter().filter(|(length, _)| *length == rest.len()).map(|(_, guesses)| guesses).reduce(f64::min)
}
