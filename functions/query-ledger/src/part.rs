//! Lists that are whole where an answer carries them, and come in parts where it does not.

use portal::http::Answer;
use serde::Serialize;

/// As many of a list as an answer may have.
pub(crate) struct Fitting<T> {
    /// So many, from the first on.
    pub(crate) items: Vec<T>,
    /// True where there are more.
    pub(crate) more: bool,
}

/// Takes items from a list until there are so many, or an answer that has this much room left carries no more.
pub(crate) fn fit<T: Serialize>(items: impl Iterator<Item = T>, limit: Option<usize>, mut room: usize) -> Fitting<T> {
    let mut fitting = Fitting { items: Vec::new(), more: false };
    for item in items {
        let weight = Answer::weight_of(&item);
        // The first one always fits: none is as heavy as an answer.
        if limit == Some(fitting.items.len()) || (weight > room && !fitting.items.is_empty()) {
            fitting.more = true;
            break;
        }
        room = room.saturating_sub(weight);
        fitting.items.push(item);
    }
    fitting
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(lengths: &[usize], limit: Option<usize>, room: usize) -> (usize, bool) {
        let texts = lengths.iter().map(|length| "a".repeat(*length));
        let fitting = fit(texts, limit, room);
        (fitting.items.len(), fitting.more)
    }

    #[test]
    fn as_many_are_taken_as_are_asked_for_and_fit() {
        // Two quotation marks, which weigh two each, and a comma.
        assert_eq!(texts(&[5, 5, 5], None, 30), (3, false));
        assert_eq!(texts(&[5, 5, 5], None, 29), (2, true));
        assert_eq!(texts(&[5, 5, 5], Some(2), 30), (2, true));
        assert_eq!(texts(&[5, 5, 5], Some(3), 30), (3, false));
        assert_eq!(texts(&[50, 5], None, 30), (1, true), "no page is empty, so whoever goes on comes to an end");
        assert_eq!(texts(&[], Some(1), 0), (0, false));
    }
}
