//! Names as they tell people apart.

use super::folded;

/// Whether two names may be one person's: case, accents, what stands between the parts of a name and their order tell
/// nobody apart, and an address is of whom it names before the at sign.
#[must_use]
pub fn may_be_one_person(one: &str, other: &str) -> bool {
    let plain = |name: &str| folded(name.split(['@', '＠']).next().unwrap_or_default());
    let (one, other) = (plain(one), plain(other));
    let words = |name: &str| {
        let mut words: Vec<String> = name.split_whitespace().map(str::to_owned).collect();
        words.sort();
        words
    };
    // "Anne-Marie" is "Anne Marie" and "Annemarie".
    one.replace(' ', "") == other.replace(' ', "") || words(&one) == words(&other)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_person_is_one_however_they_write_their_name() {
        for (one, others) in [
            (
                "Claire Durand",
                &[
                    "claire  DURAND ",
                    "\tClaire Durand",
                    "Ｃlaire Durand",
                    "DURAND, Claire",
                    "Claïre-Durand.",
                    "claire.durand@constructys.example",
                ][..],
            ),
            (
                "Clémence Durand",
                &["Clemence Durand", "CLÉMENCE DURAND", "Cle\u{301}mence Durand", "Cl\u{ad}émence Durand"],
            ),
            ("Anne-Marie L’Hôte", &["Anne Marie L'Hote", "ANNEMARIE LHOTE", "Anne‑Marie L Hôte", "L’Hôte Anne-Marie"]),
            ("Françoise Lecœur", &["Francoise Lecoeur", "FRANÇOISE LECŒUR"]),
            ("Łukasz Strauß", &["Lukasz Strauss", "LUKASZ STRAUSS"]),
        ] {
            for other in others {
                assert!(may_be_one_person(one, other), "{one:?} and {other:?}");
            }
            assert!(!may_be_one_person(one, "Claire Dupond"), "{one:?}");
        }
    }
}
