//! Plain text: what makes a string one harmless line, and a paragraph lines of a readable length.

/// The longest line of a text part (RFC 5322, 2.1.1, recommends it).
const LINE: usize = 78;

/// One line: control characters, line and paragraph separators and what turns the direction of writing
/// become spaces, and spaces that follow each other one. No-break spaces stay.
pub(super) fn one_line(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for character in text.chars() {
        let turns = matches!(character, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
        let separates = matches!(character, '\u{2028}' | '\u{2029}');
        if !(character.is_control() || turns || separates || character == ' ') {
            line.push(character);
        } else if !line.ends_with(' ') {
            line.push(' ');
        }
    }
    line.trim_matches(' ').to_owned()
}

/// A person's name in which mail clients find no address, telephone number or markup.
///
/// Anybody can sign up somebody else's address under the name `gagnez.example/lot` or `0899 …`, and most
/// clients make links of these by themselves, in text as in HTML. So letters, accents, apostrophes, hyphens
/// and the middle dot (Catalan `l·l`) stay, full stops get a space behind (`J.P.` reads `J. P.`), and all
/// else becomes a space, the many characters among it that IDNA (UTS 46) takes for a dot.
pub(super) fn without_addresses(name: &str) -> String {
    let mut harmless = String::with_capacity(name.len());
    for character in name.chars() {
        match character {
            '.' => harmless.push_str(". "),
            '\'' | '’' | '-' | '‐' | '\u{2011}' | '·' | '\u{300}'..='\u{36f}' => harmless.push(character),
            _ if character.is_alphabetic() => harmless.push(character),
            _ => harmless.push(' '),
        }
    }
    one_line(&harmless)
}

/// What somebody wrote to somebody else, line by line, in which mail clients find no address or markup.
///
/// As with a name, whoever writes it chose it, and it goes to a stranger. Letters, digits and the punctuation of
/// a sentence stay, full stops get a space behind where none follows, and all else becomes a space.
pub(super) fn quoted(message: &str) -> String {
    let inert = |line: &str| {
        let mut harmless = String::with_capacity(line.len());
        for character in line.chars() {
            match character {
                '.' => harmless.push_str(". "),
                '\'' => harmless.push('’'),
                ',' | ';' | ':' | '!' | '?' | '(' | ')' | '’' | '-' | '–' | '…' | '«' | '»' | '€' | '%' | '+' =>
                {
                    harmless.push(character);
                }
                '\u{a0}' | '\u{202f}' | '\u{300}'..='\u{36f}' => harmless.push(character),
                _ if character.is_alphabetic() || character.is_ascii_digit() => harmless.push(character),
                _ => harmless.push(' '),
            }
        }
        one_line(&harmless)
    };
    message.lines().map(inert).collect::<Vec<_>>().join("\n")
}

/// Breaks lines longer than [`LINE`] at spaces; a list's item goes on under its text. What has no space,
/// such as a link, stays whole. At most one empty line follows another, and the text ends in LF.
pub(super) fn broken_into_lines(text: &str) -> String {
    let mut broken = String::with_capacity(text.len() + text.len() / LINE);
    for line in text.trim().lines().map(str::trim_end) {
        if line.is_empty() {
            if !broken.ends_with("\n\n") {
                broken.push('\n');
            }
            continue;
        }
        let indent = marker_width(line);
        let mut width = 0;
        for word in line.split(' ').filter(|word| !word.is_empty()) {
            let length = word.chars().count();
            if width > 0 && width + 1 + length > LINE {
                broken.push('\n');
                broken.push_str(&" ".repeat(indent));
                width = indent;
            } else if width > 0 {
                broken.push(' ');
                width += 1;
            }
            broken.push_str(word);
            width += length;
        }
        broken.push('\n');
    }
    broken
}

/// The width of what marks an item of a list, `- ` or `1. `, or a quotation, `> `; 0 for a paragraph.
fn marker_width(line: &str) -> usize {
    let after_digits = line.trim_start_matches(|character: char| character.is_ascii_digit());
    match line.len() - after_digits.len() {
        0 if line.starts_with("- ") || line.starts_with("> ") => 2,
        digits if digits > 0 && after_digits.starts_with(". ") => digits + 2,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_stays_one_and_keeps_its_no_break_spaces() {
        assert_eq!(one_line(" a\r\nBcc: b\u{2028}c\u{202e}d\0\te\u{a0}!  "), "a Bcc: b c d e\u{a0}!");
        assert_eq!(one_line("\r\n"), "");
    }

    #[test]
    fn names_lose_what_makes_an_address_and_keep_what_makes_a_name() {
        for (name, harmless) in [
            ("d’Été-Œuvre", "d’Été-Œuvre"),
            ("O'Neill", "O'Neill"),
            ("J.P. Martin", "J. P. Martin"),
            ("Le\u{301}ger", "Le\u{301}ger"),
            ("https://gagnez.example/lot?a=b", "https gagnez. example lot a b"),
            ("gagnez。example gagnez․example", "gagnez example gagnez example"),
            ("Gal·la Jean\u{2011}Luc", "Gal·la Jean\u{2011}Luc"),
            ("moi@gagnez.example", "moi gagnez. example"),
            ("<b>Martin</b>", "b Martin b"),
            ("Appelez 0899 70 ٠١", "Appelez"),
        ] {
            assert_eq!(without_addresses(name), harmless);
        }
    }

    #[test]
    fn a_message_keeps_its_sentences_and_loses_what_makes_an_address() {
        for (message, harmless) in [
            (
                "Bonjour,\n\nje tiens la paie (poste 12)\u{a0}; merci !",
                "Bonjour,\n\nje tiens la paie (poste 12)\u{a0}; merci !",
            ),
            ("Fin. Suite.", "Fin. Suite."),
            ("https://gagnez.example/lot?a=b", "https: gagnez. example lot?a b"),
            ("gagnez。example moi@gagnez.example", "gagnez example moi gagnez. example"),
            ("<b>l'offre</b>", "b l’offre b"),
        ] {
            assert_eq!(quoted(message), harmless);
        }
    }

    #[test]
    fn paragraphs_break_at_spaces_only_and_items_go_on_under_their_text() {
        let word = "x".repeat(30);
        let long = "y".repeat(100);
        assert_eq!(broken_into_lines(&format!("{word} {word} {word}\n")), format!("{word} {word}\n{word}\n"));
        assert_eq!(broken_into_lines(&format!("- {word} {word} {word}")), format!("- {word} {word}\n  {word}\n"));
        assert_eq!(broken_into_lines(&format!("12. {word} {word} {word}")), format!("12. {word} {word}\n    {word}\n"));
        assert_eq!(
            broken_into_lines(&format!("{word}\u{a0}{word}\u{a0}{word}")),
            format!("{word}\u{a0}{word}\u{a0}{word}\n")
        );
        assert_eq!(broken_into_lines(&long), format!("{long}\n"));
        assert_eq!(broken_into_lines("\n\na \n\n\n\nb"), "a\n\nb\n");
    }

    #[test]
    fn a_line_of_78_stays_and_one_of_79_breaks() {
        let (fits, breaks) =
            (format!("{} {}", "a".repeat(38), "b".repeat(39)), format!("{} {}", "a".repeat(39), "b".repeat(39)));
        assert_eq!(broken_into_lines(&fits).lines().count(), 1);
        assert_eq!(broken_into_lines(&breaks).lines().count(), 2);
    }
}
