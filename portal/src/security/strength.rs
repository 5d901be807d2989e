//! The strength meter (leaflet S37-S39): Faible, Moyen, Fort, with hints.

use zxcvbn::Score;
use zxcvbn::feedback::{Suggestion, Warning};

use super::{Password, PasswordPolicy};

/// Words of the product itself, which its users' passwords are made of first.
const PRODUCT: [&str; 12] = [
    "constructys",
    "construction",
    "extranet",
    "portail",
    "formation",
    "adherent",
    "adhérent",
    "compte",
    "batiment",
    "bâtiment",
    "opco",
    "opca",
];

const VERY_COMMON: [&str; 2] = ["C’est un mot de passe très courant.", "This is a very common password."];

/// So many code points zxcvbn looks at. Its time grows with the square of the length, times the ways in which signs may
/// stand for letters: half a second of the processor at 128, for anybody who asks. What comes behind makes a password
/// no weaker.
const ASSESSED: usize = common_passwords::ASSESSED;

/// Guesses from which a password has zxcvbn's scores of 1 to 4.
const GUESSES_OF_SCORES: [f64; 4] = [1e3, 1e6, ENOUGH_GUESSES, 1e10];

/// Guesses that nobody makes against a slow hash: where [`PasswordPolicy::LOWEST_SCORE`] begins.
const ENOUGH_GUESSES: f64 = 1e8;

/// How strong a password is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Strength {
    /// On zxcvbn's scale, 0 to 4: its own score, or that of a French guesser where it is lower.
    pub score: u8,
    /// It is on the list of common passwords.
    pub is_common: bool,
    /// What would help, each in French and in English.
    pub hints: Vec<[&'static str; 2]>,
}

impl Strength {
    /// The meter's word: 0-2 faible, 3 moyen, 4 fort.
    #[must_use]
    pub fn label(&self) -> &'static str {
        match self.score {
            0..=2 => "faible",
            3 => "moyen",
            _ => "fort",
        }
    }
}

/// Assesses a password; `known` are words that an attacker knows to go with it.
#[must_use]
pub fn assess(password: &Password, known: &[&str]) -> Strength {
    let text = password.as_str();
    // Not a copy: nobody would wipe it.
    let first = |most: usize| text.char_indices().nth(most).map_or(text, |(end, _)| &text[..end]);
    let (text, assessed) = (first(PasswordPolicy::LONGEST), first(ASSESSED));
    // Addresses and names are known in one piece and in parts.
    let parts = known.iter().flat_map(|word| word.split(|c: char| !c.is_alphanumeric())).filter(|part| part.len() > 2);
    let words: Vec<&str> = PRODUCT.into_iter().chain(known.iter().copied()).chain(parts).collect();
    let entropy = zxcvbn::zxcvbn(assessed, &words);
    let of_zxcvbn = match entropy.score() {
        Score::Zero => 0,
        Score::One => 1,
        Score::Two => 2,
        Score::Three => 3,
        _ => 4,
    };
    // zxcvbn knows English and multiplies the guesses of words in a row, known ones too; what a French guesser needs is another
    // estimate, and the lower one counts.
    let guesses = common_passwords::estimate(text, &words);
    let of_guesses =
        (0..).zip(GUESSES_OF_SCORES).filter(|(_, least)| guesses.count >= *least).map(|(below, _)| below + 1);
    let is_common = common_passwords::is_common(text);
    let most = if is_common { PasswordPolicy::LOWEST_SCORE - 1 } else { u8::MAX };
    let score = of_zxcvbn.min(of_guesses.max().unwrap_or(0)).min(most);
    let mut hints = Vec::new();
    if password.as_str().chars().count() < PasswordPolicy::SHORTEST {
        hints.push(["Au moins 12 caractères.", "At least 12 characters."]);
    }
    if score < PasswordPolicy::LOWEST_SCORE && guesses.has_known_word {
        hints.push([
            "Évitez votre nom, votre adresse, votre SIRET et les mots du portail.",
            "Avoid your name, your address, your SIRET and the portal's words.",
        ]);
    } else if guesses.count < ENOUGH_GUESSES && guesses.has_word {
        hints.push([
            "Un ou deux mots, un prénom ou une ville se devinent, même suivis d’une année ou d’un signe : employez-en quatre, sans rapport entre eux.",
            "One or two words, a name or a town are guessed, even with a year or a sign: use four that have nothing to do with each other.",
        ]);
    } else if guesses.count < ENOUGH_GUESSES && guesses.has_keyboard_run {
        hints.push(warning(Warning::StraightRowsOfKeysAreEasyToGuess));
    }
    if is_common {
        hints.push(VERY_COMMON);
    }
    if let Some(feedback) = entropy.feedback() {
        hints.extend(feedback.warning().map(warning).filter(|hint| !hints.contains(hint)));
        hints.extend(feedback.suggestions().iter().copied().map(suggestion));
    }
    Strength { score, is_common, hints }
}

fn warning(warning: Warning) -> [&'static str; 2] {
    match warning {
        Warning::StraightRowsOfKeysAreEasyToGuess => {
            ["Une rangée du clavier se devine facilement.", "Straight rows of keys are easy to guess."]
        }
        Warning::ShortKeyboardPatternsAreEasyToGuess => {
            ["Un motif court du clavier se devine facilement.", "Short keyboard patterns are easy to guess."]
        }
        Warning::RepeatsLikeAaaAreEasyToGuess => {
            ["Une répétition comme « aaa » se devine facilement.", "Repeats like \"aaa\" are easy to guess."]
        }
        Warning::RepeatsLikeAbcAbcAreOnlySlightlyHarderToGuess => [
            "« abcabcabc » n’est guère plus difficile à deviner que « abc ».",
            "Repeats like \"abcabcabc\" are only slightly harder to guess than \"abc\".",
        ],
        Warning::ThisIsATop10Password | Warning::ThisIsATop100Password | Warning::ThisIsACommonPassword => VERY_COMMON,
        Warning::ThisIsSimilarToACommonlyUsedPassword => {
            ["Il ressemble à un mot de passe courant.", "This is similar to a commonly used password."]
        }
        Warning::SequencesLikeAbcAreEasyToGuess => [
            "Une suite comme « abc » ou « 6543 » se devine facilement.",
            "Sequences like abc or 6543 are easy to guess.",
        ],
        Warning::RecentYearsAreEasyToGuess => {
            ["Une année récente se devine facilement.", "Recent years are easy to guess."]
        }
        Warning::AWordByItselfIsEasyToGuess => {
            ["Un mot seul se devine facilement.", "A word by itself is easy to guess."]
        }
        Warning::DatesAreOftenEasyToGuess => ["Une date se devine facilement.", "Dates are often easy to guess."],
        Warning::NamesAndSurnamesByThemselvesAreEasyToGuess | Warning::CommonNamesAndSurnamesAreEasyToGuess => {
            ["Un nom ou un prénom se devine facilement.", "Names and surnames are easy to guess."]
        }
    }
}

fn suggestion(suggestion: Suggestion) -> [&'static str; 2] {
    match suggestion {
        Suggestion::UseAFewWordsAvoidCommonPhrases => {
            ["Utilisez plusieurs mots, mais pas une expression connue.", "Use a few words, avoid common phrases."]
        }
        Suggestion::NoNeedForSymbolsDigitsOrUppercaseLetters => [
            "Signes, chiffres et majuscules ne sont pas nécessaires.",
            "No need for symbols, digits, or uppercase letters.",
        ],
        Suggestion::AddAnotherWordOrTwo => {
            ["Ajoutez un ou deux mots peu courants.", "Add another word or two, uncommon ones."]
        }
        Suggestion::CapitalizationDoesntHelpVeryMuch => {
            ["Une majuscule au début n’aide guère.", "Capitalization does not help very much."]
        }
        Suggestion::AllUppercaseIsAlmostAsEasyToGuessAsAllLowercase => [
            "Tout en majuscules se devine presque aussi facilement que tout en minuscules.",
            "All-uppercase is almost as easy to guess as all-lowercase.",
        ],
        Suggestion::ReversedWordsArentMuchHarderToGuess => {
            ["Un mot à l’envers n’est guère plus difficile à deviner.", "Reversed words are not much harder to guess."]
        }
        Suggestion::PredictableSubstitutionsDontHelpVeryMuch => [
            "Remplacer « a » par « @ » n’aide guère.",
            "Predictable substitutions like '@' instead of 'a' do not help very much.",
        ],
        Suggestion::UseALongerKeyboardPatternWithMoreTurns => [
            "Un motif du clavier doit être plus long et changer de direction.",
            "Use a longer keyboard pattern with more turns.",
        ],
        Suggestion::AvoidRepeatedWordsAndCharacters => {
            ["Évitez de répéter des mots ou des caractères.", "Avoid repeated words and characters."]
        }
        Suggestion::AvoidSequences => ["Évitez les suites.", "Avoid sequences."],
        Suggestion::AvoidRecentYears => ["Évitez les années récentes.", "Avoid recent years."],
        Suggestion::AvoidYearsThatAreAssociatedWithYou | Suggestion::AvoidDatesAndYearsThatAreAssociatedWithYou => [
            "Évitez les dates et années qui ont un rapport avec vous.",
            "Avoid dates and years that are associated with you.",
        ],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_meter_has_the_leaflets_three_words() {
        let label = |text: &str| assess(&Password::of(text.to_owned()), &[]).label();
        assert_eq!(label("azerty123"), "faible");
        assert_eq!(label("truelle béton mésange 41"), "fort");
        assert_eq!(assess(&Password::of("azerty123".into()), &[]).hints[0][0], "Au moins 12 caractères.");
    }

    #[test]
    fn a_common_password_is_weak_and_says_so_once() {
        for common in ["marseille94700", "neednottoknow!", "qwertyuiop12", "needforspeed"] {
            let strength = assess(&Password::of(common.into()), &[]);
            assert_eq!(strength.label(), "faible", "{common}");
            assert_eq!(strength.hints.iter().filter(|hint| **hint == VERY_COMMON).count(), 1, "{common}");
        }
        assert!(!assess(&Password::of("truelle béton mésange 41".into()), &[]).hints.contains(&VERY_COMMON));
    }

    #[test]
    fn known_words_in_a_row_are_no_password() {
        let known = ["jeanne.martin@martin.example", "MARTIN", "Jeanne", "53384615000019"];
        for weak in ["jeanne martin 53384615000019", "Constructys-Formation-2026", "martin+jeanne+portail!"] {
            let strength = assess(&Password::of(weak.into()), &known);
            assert!(strength.score < PasswordPolicy::LOWEST_SCORE, "{weak}");
            assert!(strength.hints.iter().any(|[fr, _]| fr.contains("votre SIRET")), "{weak}");
        }
        assert!(assess(&Password::of("martin pêcheur sous la grêle".into()), &known).score >= 3);
    }

    #[test]
    fn a_password_of_signs_alone_is_as_good_as_its_guesses() {
        for signs in ["😀🚧🧱🪜🔧🪚🏗️🧰🪛📐📏🔩", "!?;:,.-_+*/=()", "§$%&/()=?*+'#-_.:,;<>|~^"]
        {
            let strength = assess(&Password::of(signs.into()), &["Jeanne"]);
            assert_eq!(strength.label(), "fort", "{signs}");
            assert!(!strength.hints.iter().any(|[fr, _]| fr.contains("votre SIRET")), "{signs}");
        }
        assert_eq!(assess(&Password::of("!!!!!!!!!!!!!!!!".into()), &[]).label(), "faible");
    }

    #[test]
    fn a_password_of_one_kind_of_character_is_as_good_as_it_is_hard_to_guess() {
        for one_kind in ["%)=§*+_#{[|`^@]}¤£µ!:;,?", "739105826417", "ξκδμβζ ψθγωλρ", "constructys %)=§*+_#{[|`"]
        {
            let strength = assess(&Password::of(one_kind.into()), &["Jeanne"]);
            assert!(strength.score >= PasswordPolicy::LOWEST_SCORE, "{one_kind}: {strength:?}");
        }
        for easy in ["------------------------", "..-..-..-..-..-..", "Constructys!!!!!!", "Jeanne - martin - !!!"] {
            let strength = assess(&Password::of(easy.into()), &["Jeanne", "Martin"]);
            assert!(strength.score < PasswordPolicy::LOWEST_SCORE, "{easy}: {strength:?}");
        }
    }

    #[test]
    fn french_habits_are_weak_and_told_why() {
        let weak = |text: &str, hint: &str| {
            let strength = assess(&Password::of(text.into()), &[]);
            assert_eq!(strength.label(), "faible", "{text}");
            assert!(strength.hints.iter().any(|[fr, _]| fr.contains(hint)), "{text}: {:?}", strength.hints);
        };
        weak("Marseille2026!", "employez-en quatre");
        weak("Septembre 2026", "employez-en quatre");
        weak("doudou chouchou", "employez-en quatre");
        weak("1a2z3e4r5t6y", "rangée du clavier");
        weak("constructys 2026", "mots du portail");
    }

    #[test]
    fn what_comes_behind_the_assessed_part_costs_no_time_and_makes_nothing_weaker() {
        let strong = "truelle béton mésange 41 grue parapluie 77";
        assert_eq!(strong.chars().count(), ASSESSED + 2);
        let score = |text: String| assess(&Password::of(text), &[]).score;
        assert_eq!(score(format!("{strong}{}", "a".repeat(80))), 4);
        // The part that is assessed says it all.
        assert_eq!(score(format!("{}{strong}", "a".repeat(ASSESSED))), score("a".repeat(ASSESSED)));
    }

    #[test]
    fn parts_of_an_address_are_known_words() {
        let score = |known: &[&str]| assess(&Password::of("jeannedelacourtine".into()), known).score;
        assert!(score(&["jeanne.delacourtine@gravelines.example"]) < score(&[]));
    }
}
