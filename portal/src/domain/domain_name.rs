//! Domain names as addresses have them: from what a person types to the ASCII form and back (UTS 46, RFC 5891).
//!
//! Non-transitional processing with `CheckHyphens`, `UseSTD3ASCIIRules` and `VerifyDnsLength`, by the mapping table that
//! `idna`'s authors publish and `idna`'s Punycode. `CheckBidi` and `CheckJoiners` are about what is displayed, and this
//! displays the ASCII form of what they are about (`docs/decisions/0121-accented-domains.md`).

use idna::punycode;
use idna_mapping::Mapper;
use unicode_normalization::UnicodeNormalization as _;
use unicode_normalization::char::is_combining_mark;

/// RFC 1035, 2.3.4.
const LONGEST_LABEL: usize = 63;

/// What the ASCII form of a label with other letters begins with.
const PREFIX: &str = "xn--";

/// The ASCII form, in lower case; none where no domain is written so.
pub(super) fn to_ascii(domain: &str) -> Option<String> {
    let mapped = mapped(domain)?;
    let labels: Option<Vec<String>> = mapped.split('.').map(label_to_ascii).collect();
    labels.map(|labels| labels.join(".")).filter(|ascii| is_ascii_domain(ascii))
}

/// The domain as people write it, where its letters are those of Western and Central European languages; else as it is,
/// as letters of other scripts look like Latin ones.
pub(super) fn to_display(domain: &str) -> String {
    let label = |label: &str| {
        let letters = label.strip_prefix(PREFIX).and_then(punycode::decode_to_string);
        letters.filter(|letters| letters.chars().all(is_plain)).unwrap_or_else(|| label.to_owned())
    };
    domain.split('.').map(label).collect::<Vec<_>>().join(".")
}

/// A host name of two labels or more, in ASCII and lower case, whose last label is no number.
pub(super) fn is_ascii_domain(domain: &str) -> bool {
    let is_label = |label: &str| {
        let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        (1..=LONGEST_LABEL).contains(&label.len())
            && label.bytes().all(allowed)
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let numeric = |label: &str| label.bytes().all(|byte| byte.is_ascii_digit());
    domain.split('.').all(is_label) && domain.rsplit_once('.').is_some_and(|(_, top)| top.len() >= 2 && !numeric(top))
}

/// Lower case, compatibility forms and composition as UTS 46 maps them.
fn mapped(text: &str) -> Option<String> {
    if text.is_ascii() {
        return Some(text.to_ascii_lowercase());
    }
    // What UTS 46 disallows becomes the replacement character, which it disallows too.
    let mapped: String = Mapper::new(text.chars(), false).nfc().collect();
    mapped.chars().all(is_registered).then_some(mapped)
}

/// Returns true for what registries give names with: letters, digits, marks on them, hyphens, dots, and the points that Catalan and
/// Japanese have inside words (RFC 5892). UTS 46 maps symbols and quotation marks too, and nobody has a domain of them.
fn is_registered(character: char) -> bool {
    character.is_alphanumeric()
        || is_combining_mark(character)
        || matches!(character, '.' | '-' | '·' | '・' | '々' | '〇')
}

fn label_to_ascii(label: &str) -> Option<String> {
    if !label.is_ascii() {
        return encoded(label);
    }
    match label.strip_prefix(PREFIX) {
        // One domain has one ASCII form: what another would decode to it is refused.
        Some(letters) => punycode::decode_to_string(letters)
            .filter(|letters| !letters.is_ascii() && mapped(letters).as_ref() == Some(letters))
            .and_then(|letters| encoded(&letters))
            .filter(|ascii| ascii == label),
        None => Some(label.to_owned()),
    }
}

fn encoded(label: &str) -> Option<String> {
    let is_reserved = label.chars().skip(2).take(2).eq(['-', '-']);
    if label.starts_with(is_combining_mark) || label.starts_with('-') || label.ends_with('-') || is_reserved {
        return None;
    }
    Some(format!("{PREFIX}{}", punycode::encode_str(label)?))
}

/// Letters with accents of Latin-1 and Latin Extended-A, but the two that look like others without (ı, ĸ).
fn is_plain(character: char) -> bool {
    character.is_ascii() || matches!(character, 'ß'..='ö' | 'ø'..='ſ') && !matches!(character, 'ı' | 'ĸ' | 'ŉ' | 'ſ')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn spellings_of_one_domain_have_one_ascii_form() {
        for (typed, ascii) in [
            ("société.fr", "xn--socit-esab.fr"),
            ("SOCIÉTÉ.FR", "xn--socit-esab.fr"),
            ("socie\u{301}te\u{301}.fr", "xn--socit-esab.fr"),
            ("soc\u{ad}iété。fr", "xn--socit-esab.fr"),
            ("XN--SOCIT-ESAB.fr", "xn--socit-esab.fr"),
            ("bâtiment-été.example", "xn--btiment-t-b2a8fb.example"),
            ("straße.de", "xn--strae-oqa.de"),
            ("müller.de", "xn--mller-kva.de"),
            ("ＭＡＲＴＩＮ.fr", "martin.fr"),
            ("例え.jp", "xn--r8jz45g.jp"),
            ("خط.xn--mgbaam7a8h", "xn--tgbs.xn--mgbaam7a8h"),
            ("σίσυφος.gr", "xn--kxa6ajbbmh.gr"),
            ("Martin-BTP.fr", "martin-btp.fr"),
            ("r3---sn.example", "r3---sn.example"),
        ] {
            assert_eq!(to_ascii(typed).as_deref(), Some(ascii), "{typed}");
        }
    }

    #[test]
    fn what_is_no_domain_has_no_ascii_form() {
        for wrong in [
            "",
            "société",
            "-société.fr",
            "société-.fr",
            "so--ciété.fr",
            "\u{301}société.fr",
            "soci été.fr",
            "société..fr",
            "xn--.fr",
            "xn--a.fr",
            "xn--martin-.fr",
            "xn--martin.fr\u{e9}",
            "société.2026",
            "société\u{fffd}.fr",
            "so_ciété.fr",
            "martin’.fr",
            "martin–btp.fr",
            "martin\u{2011}btp.fr",
            "xn--martinbtp-079d.fr",
            "☃.fr",
            "xn--Socit-9nab.fr",
            &format!("{}.fr", "é".repeat(64)),
        ] {
            assert_eq!(to_ascii(wrong), None, "{wrong:?}");
        }
    }

    #[test]
    fn only_letters_that_cannot_be_taken_for_others_are_displayed() {
        assert_eq!(to_display("xn--socit-esab.fr"), "société.fr");
        assert_eq!(to_display("martin.fr"), "martin.fr");
        // Cyrillic letters that look like "constructys".
        let lookalike = to_ascii("сonstruсtys.fr").unwrap();
        assert_eq!(to_display(&lookalike), lookalike);
        let dotless = to_ascii("martın.fr").unwrap();
        assert_eq!(to_display(&dotless), dotless);
    }

    proptest! {
        #[test]
        fn the_ascii_form_is_its_own_and_what_is_displayed_leads_back_to_it(text in "[a-zéÉèçœß㎡Ａ\u{301}\u{ad}一.-]{1,20}\\.fr") {
            if let Some(ascii) = to_ascii(&text) {
                prop_assert_eq!(to_ascii(&ascii), Some(ascii.clone()));
                prop_assert_eq!(to_ascii(&to_display(&ascii)), Some(ascii));
            }
        }

        #[test]
        fn no_text_makes_it_panic(text in any::<String>()) {
            if let Some(ascii) = to_ascii(&text) {
                prop_assert!(is_ascii_domain(&ascii));
                let _ = to_display(&ascii);
            }
        }
    }
}
