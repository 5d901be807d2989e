//! Names as they tell people apart.

use super::folded;

/// Whether two names may be one person's: case, accents, what stands between the parts of a name and their order tell
/// nobody apart, and an address is of whom it names before the at sign.
#[must_use]
pub fn may_be_one_person(one: &str, other: &str) -> bool {
    let words = |name: &str| {
        let plain = folded(named(name));
        let is_name = |word: &&str| !TITLES.contains(word);
        plain.split_whitespace().filter(is_name).map(str::to_owned).collect::<Vec<String>>()
    };
    let (mut one, mut other) = (words(one), words(other));
    // "Anne-Marie" is "Anne Marie" and "Annemarie".
    let is_spelling = one.concat() == other.concat();
    one.sort();
    other.sort();
    is_spelling || one == other
}

/// Titles before a name, as [`folded`] writes them.
const TITLES: [&str; 7] = ["m", "mr", "mme", "mlle", "madame", "monsieur", "mademoiselle"];

/// The name in what somebody wrote for it: before an address in angle brackets and a remark in brackets, and of an address
/// what stands before the at sign and a tag.
fn named(text: &str) -> &str {
    let before = |text, end: &[char]| -> &str { str::split(text, end).next().unwrap_or_default() };
    let name = before(text, &['<', '(']);
    let name = if name.trim().is_empty() { text.trim_start_matches([' ', '<', '(']) } else { name };
    before(before(name, &['@', '＠']), &['+'])
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
                    "claire.durand+rh@constructys.example",
                    "Claire Durand <c.d@constructys.example>",
                    "<claire.durand@constructys.example>",
                    "Mme Claire Durand",
                    "Mme. DURAND Claire",
                    "Claire Durand (RH)",
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
