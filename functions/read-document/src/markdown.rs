//! The Markdown of the legal documents as HTML: headings, lists, paragraphs and `**strong**`.
//!
//! What is none of these stands as it was written, for a legal text must never lose a word, and nothing in it is ever
//! HTML: each character of the text is escaped here, and every tag is one of this file's. The pages show the same text by
//! the same rules (`web/assets/legal-text.js`).

use std::fmt::Write as _;

/// The last level of headings that HTML has.
const LAST_LEVEL: usize = 6;

/// A piece of the text.
enum Block {
    Heading(usize, String),
    Paragraph(String),
    /// With the number that it starts at, where it is numbered.
    List(Option<u32>, Vec<String>),
}

/// A line of the text.
enum Line<'a> {
    Blank,
    Heading(usize, &'a str),
    Item(Option<u32>, &'a str),
    Text(&'a str),
}

/// Returns the text as HTML. Its headings come behind that of the page, which is `title`: where the text begins with the
/// same words they are left out, as they would be read twice.
pub(crate) fn to_html(markdown: &str, title: &str) -> String {
    let mut html = String::with_capacity(markdown.len() * 2);
    let blocks = blocks(markdown).into_iter().enumerate();
    for (_, block) in blocks.filter(|(place, block)| !(*place == 0 && is_title(block, title))) {
        // Writing into a string cannot fail.
        let _ = match block {
            Block::Heading(level, text) => {
                let level = (level + 1).min(LAST_LEVEL);
                writeln!(html, "<h{level}>{}</h{level}>", emphasised(&text))
            }
            Block::Paragraph(text) => writeln!(html, "<p>{}</p>", emphasised(&text)),
            Block::List(start, items) => {
                let (tag, start) = match start {
                    None => ("ul", String::new()),
                    Some(1) => ("ol", String::new()),
                    Some(start) => ("ol", format!(" start=\"{start}\"")),
                };
                let items: String = items.iter().map(|item| format!("<li>{}</li>\n", emphasised(item))).collect();
                writeln!(html, "<{tag}{start}>\n{items}</{tag}>")
            }
        };
    }
    html
}

fn is_title(block: &Block, title: &str) -> bool {
    matches!(block, Block::Heading(1, text) if text == title)
}

fn blocks(markdown: &str) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    // A paragraph or an item goes on over the following lines.
    let mut is_open = false;
    for line in markdown.lines() {
        match read(line.trim()) {
            Line::Blank => is_open = false,
            Line::Heading(level, text) => {
                blocks.push(Block::Heading(level, text.to_owned()));
                is_open = false;
            }
            Line::Item(number, text) => {
                match blocks.last_mut() {
                    Some(Block::List(start, items)) if start.is_some() == number.is_some() => {
                        items.push(text.to_owned());
                    }
                    _ => blocks.push(Block::List(number, vec![text.to_owned()])),
                }
                is_open = true;
            }
            Line::Text(text) => {
                let open = match blocks.last_mut().filter(|_| is_open) {
                    Some(Block::Paragraph(open)) => Some(open),
                    Some(Block::List(_, items)) => items.last_mut(),
                    _ => None,
                };
                match open {
                    Some(open) => {
                        open.push(' ');
                        open.push_str(text);
                    }
                    None => blocks.push(Block::Paragraph(text.to_owned())),
                }
                is_open = true;
            }
        }
    }
    blocks
}

fn read(line: &str) -> Line<'_> {
    if line.is_empty() {
        return Line::Blank;
    }
    let hashes = line.bytes().take_while(|byte| *byte == b'#').count();
    if let (1..=LAST_LEVEL, Some(text)) = (hashes, after_space(&line[hashes..])) {
        return Line::Heading(hashes, text);
    }
    if let Some(text) = line.strip_prefix(['-', '*']).and_then(after_space) {
        return Line::Item(None, text);
    }
    let digits = line.bytes().take_while(u8::is_ascii_digit).count();
    let numbered = line[digits..].strip_prefix(['.', ')']).and_then(after_space);
    // A number that no list starts at is a text.
    match (line[..digits].parse(), numbered) {
        (Ok(number), Some(text)) => Line::Item(Some(number), text),
        _ => Line::Text(line),
    }
}

/// What comes after a space or more.
fn after_space(text: &str) -> Option<&str> {
    text.starts_with(char::is_whitespace).then(|| text.trim_start())
}

/// The text, escaped, with what stands between `**` and `**` strong.
fn emphasised(text: &str) -> String {
    let mut html = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, strong, after)) = next_strong(rest) {
        html.push_str(&escaped(before));
        html.push_str("<strong>");
        html.push_str(&escaped(strong));
        html.push_str("</strong>");
        rest = after;
    }
    html.push_str(&escaped(rest));
    html
}

/// What is strong, with what stands before and after it: one character at least.
fn next_strong(text: &str) -> Option<(&str, &str, &str)> {
    let (before, opened) = text.split_once("**")?;
    let first = opened.chars().next()?.len_utf8();
    let end = first + opened[first..].find("**")?;
    Some((before, &opened[..end], &opened[end + 2..]))
}

/// The text with what HTML would read as its own replaced, in elements and in quoted attributes.
pub(crate) fn escaped(text: &str) -> String {
    let mut html = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '"' => html.push_str("&quot;"),
            '\'' => html.push_str("&#39;"),
            other => html.push(other),
        }
    }
    html
}

#[cfg(test)]
mod tests {
    use super::*;

    fn html(markdown: &str) -> String {
        to_html(markdown, "Charte").replace('\n', "")
    }

    #[test]
    fn headings_lists_and_paragraphs_are_what_they_are() {
        for (markdown, expected) in [
            ("# Charte\n\nVersion 1", "<p>Version 1</p>"),
            ("# Autre", "<h2>Autre</h2>"),
            (
                "## Article 1\nDu texte\nqui continue\n\nAutre",
                "<h3>Article 1</h3><p>Du texte qui continue</p><p>Autre</p>",
            ),
            ("###### six", "<h6>six</h6>"),
            ("- un\n- deux\n  suite\n\n* trois", "<ul><li>un</li><li>deux suite</li><li>trois</li></ul>"),
            ("1. un\n2) deux", "<ol><li>un</li><li>deux</li></ol>"),
            ("3. trois", "<ol start=\"3\"><li>trois</li></ol>"),
            ("- un\n1. un", "<ul><li>un</li></ul><ol><li>un</li></ol>"),
            ("un **mot** et **deux mots**", "<p>un <strong>mot</strong> et <strong>deux mots</strong></p>"),
            ("\r\n# A\r\n\r\nb\r\n", "<h2>A</h2><p>b</p>"),
        ] {
            assert_eq!(html(markdown), expected, "{markdown:?}");
        }
    }

    #[test]
    fn what_is_no_markdown_of_ours_stands_as_it_was_written() {
        for (markdown, expected) in [
            ("#sans espace", "<p>#sans espace</p>"),
            ("####### sept", "<p>####### sept</p>"),
            ("-sans espace", "<p>-sans espace</p>"),
            ("**", "<p>**</p>"),
            ("****", "<p>****</p>"),
            ("a ** b", "<p>a ** b</p>"),
            ("[lien](https://a.example) `code` _x_", "<p>[lien](https://a.example) `code` _x_</p>"),
            ("| a | b |", "<p>| a | b |</p>"),
            ("99999999999. trop", "<p>99999999999. trop</p>"),
        ] {
            assert_eq!(html(markdown), expected, "{markdown:?}");
        }
    }

    #[test]
    fn nothing_in_a_text_is_html() {
        for text in ["<script>alert(1)</script>", "\"><img src=x onerror='a()'>", "&lt;b&gt;", "</p></main>"] {
            for markdown in
                [text.to_owned(), format!("# {text}"), format!("- {text}"), format!("1. {text}"), format!("**{text}**")]
            {
                let html = html(&markdown);
                let tags: String =
                    html.split('<').skip(1).filter_map(|rest| rest.split_once('>')).map(|(tag, _)| tag).collect();
                assert!(
                    ["pp", "h2/h2", "p/p", "ulli/li/ul", "olli/li/ol", "pstrong/strong/p"]
                        .contains(&&*tags.replace(" ", "")),
                    "{markdown:?} gave {html}"
                );
                assert_eq!(html.matches('<').count(), html.matches('>').count(), "{markdown:?} gave {html}");
                assert!(html.contains(&escaped(text)), "{html}");
            }
        }
    }

    /// Every letter and digit of the texts that are compiled in is on their page.
    #[test]
    fn no_word_of_a_text_is_lost() {
        let letters = |text: &str| text.chars().filter(|character| character.is_alphanumeric()).collect::<String>();
        for text in [
            include_str!("../../../portal/documents/charter-1.md"),
            include_str!("../../../portal/documents/terms-1.md"),
            include_str!("../../../portal/documents/account-terms-1.md"),
        ] {
            let html = to_html(text, "");
            let mut shown = String::new();
            for piece in html.split('<').filter_map(|piece| piece.split_once('>').map(|(_, text)| text)) {
                shown.push_str(&piece.replace("&#39;", "'").replace("&quot;", "\"").replace("&amp;", "&"));
            }
            // The numbers of items are those of the list.
            let numbered = |line: &&str| line.trim_start().starts_with(|first: char| first.is_ascii_digit());
            assert!(text.lines().filter(numbered).count() == 0 || html.contains("<ol"));
            let without_numbers = |text: &str| letters(text).replace(|digit: char| digit.is_ascii_digit(), "");
            assert_eq!(without_numbers(&shown), without_numbers(text));
        }
    }
}
