//! The two fonts, what they can show of a text, and how wide it is in them.

use std::collections::HashMap;

use krilla::text::{Font, GlyphId, KrillaGlyph};
use skrifa::instance::{LocationRef, Size};
use skrifa::{FontRef, MetadataProvider};
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

use crate::RenderError;

static REGULAR: &[u8] = include_bytes!("../fonts/NotoSans-Regular.ttf");
static BOLD: &[u8] = include_bytes!("../fonts/NotoSans-Bold.ttf");

/// Shown where the font has no glyph.
const UNKNOWN: char = char::REPLACEMENT_CHARACTER;

/// A weight of the font.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Weight {
    Regular,
    Bold,
}

pub(crate) struct Fonts {
    regular: Face,
    bold: Face,
}

/// One font, as the PDF embeds it and as text is measured in it.
pub(crate) struct Face {
    pub(crate) embedded: Font,
    /// What it can show: the glyph and its advance in ems. Latin needs no shaping: one glyph a character.
    known: HashMap<char, (GlyphId, f32)>,
}

impl Fonts {
    pub(crate) fn load() -> Result<Self, RenderError> {
        Ok(Self { regular: Face::load("NotoSans-Regular", REGULAR)?, bold: Face::load("NotoSans-Bold", BOLD)? })
    }

    pub(crate) fn face(&self, weight: Weight) -> &Face {
        match weight {
            Weight::Regular => &self.regular,
            Weight::Bold => &self.bold,
        }
    }
}

impl Face {
    fn load(name: &'static str, bytes: &'static [u8]) -> Result<Self, RenderError> {
        let embedded = Font::new(bytes.into(), 0).ok_or(RenderError::Font(name))?;
        let font = FontRef::new(bytes).map_err(|_| RenderError::Font(name))?;
        let metrics = font.glyph_metrics(Size::unscaled(), LocationRef::default());
        let em = embedded.units_per_em();
        let known = |(code, id): (u32, skrifa::GlyphId)| {
            Some((char::from_u32(code)?, (GlyphId::new(id.to_u32()), metrics.advance_width(id)? / em)))
        };
        Ok(Self { known: font.charmap().mappings().filter_map(known).collect(), embedded })
    }

    /// The text as the font can show it.
    pub(crate) fn showable(&self, text: &str) -> String {
        self.show(text, |_| ())
    }

    /// The characters of a text that the font can show neither as they are nor by their parts.
    pub(crate) fn unshown(&self, text: &str) -> Vec<char> {
        let mut unshown = Vec::new();
        self.show(text, |character| unshown.push(character));
        unshown
    }

    /// The text as the font can show it: composed (NFC), control characters as spaces, and what has no glyph by its
    /// compatible parts (NFKC), as the two letters of a ligature. What is left goes to `lacks`: an accent that no
    /// letter of the font has is left out, anything else shows as U+FFFD.
    fn show(&self, text: &str, mut lacks: impl FnMut(char)) -> String {
        let mut shown = String::with_capacity(text.len());
        for character in text.nfc().filter(|character| !is_ignorable(*character)) {
            if self.known.contains_key(&character) {
                shown.push(character);
                continue;
            }
            if character.is_control() || matches!(character, '\u{2028}' | '\u{2029}') {
                shown.push(' ');
                continue;
            }
            let parts: String = std::iter::once(character).nfkc().collect();
            if parts.chars().all(|part| self.known.contains_key(&part)) {
                shown.push_str(&parts);
                continue;
            }
            lacks(character);
            let bare: String = parts.nfd().filter(|part| !is_combining_mark(*part)).collect();
            if bare.chars().all(|part| self.known.contains_key(&part)) {
                shown.push_str(&bare);
            } else {
                shown.push(UNKNOWN);
            }
        }
        shown
    }

    pub(crate) fn glyphs(&self, text: &str) -> Vec<KrillaGlyph> {
        let glyph = |(at, character): (usize, char)| {
            let (id, advance) = self.known.get(&character).copied().unwrap_or((GlyphId::new(0), 0.0));
            KrillaGlyph::new(id, advance, 0.0, 0.0, 0.0, at..at + character.len_utf8(), None)
        };
        text.char_indices().map(glyph).collect()
    }

    /// The width in points at a size.
    pub(crate) fn width(&self, text: &str, size: f32) -> f32 {
        let advance = |character| self.known.get(&character).map_or(0.0, |(_, advance)| *advance);
        text.chars().map(advance).sum::<f32>() * size
    }

    /// The width of the widest word, which [`Self::wrap_whole`] needs for none to be wider than its line.
    pub(crate) fn widest_word(&self, text: &str, size: f32) -> f32 {
        text.split(' ').map(|word| self.width(word, size)).fold(0.0, f32::max)
    }

    /// The text in lines, broken between words alone: one that is wider than `width` has a line for itself.
    pub(crate) fn wrap_whole(&self, text: &str, size: f32, width: f32) -> Vec<String> {
        let mut lines = vec![String::new()];
        for word in text.split_inclusive(' ') {
            let last = lines.last().map_or(0.0, |line| self.width(line, size));
            if last > 0.0 && last + self.width(word.trim_end(), size) > width {
                lines.push(String::new());
            }
            if let Some(line) = lines.last_mut() {
                line.push_str(word);
            }
        }
        lines
    }

    /// The text in lines no wider than `width`; a word that is wider is broken.
    ///
    /// A line that another follows ends with its space: a reader aloud hears two words.
    pub(crate) fn wrap(&self, text: &str, size: f32, width: f32) -> Vec<String> {
        let mut lines = Vec::new();
        let mut line = String::new();
        for word in text.split_inclusive(' ') {
            if !line.is_empty() && self.width(&line, size) + self.width(word.trim_end(), size) > width {
                lines.push(std::mem::take(&mut line));
            }
            if self.width(word.trim_end(), size) <= width {
                line.push_str(word);
                continue;
            }
            for character in word.chars() {
                line.push(character);
                if character != ' ' && self.width(&line, size) > width && line.chars().count() > 1 {
                    line.pop();
                    lines.push(std::mem::replace(&mut line, character.to_string()));
                }
            }
        }
        lines.push(line);
        lines
    }
}

/// Characters without any look of their own: soft hyphens, joiners, directions, selectors of variants, tags
/// (Unicode's `Default_Ignorable_Code_Point`).
fn is_ignorable(character: char) -> bool {
    matches!(
        character,
        '\u{ad}'
            | '\u{34f}'
            | '\u{61c}'
            | '\u{115f}'..='\u{1160}'
            | '\u{17b4}'..='\u{17b5}'
            | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}'
            | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{3164}'
            | '\u{fe00}'..='\u{fe0f}'
            | '\u{feff}'
            | '\u{ffa0}'
            | '\u{fff0}'..='\u{fff8}'
            | '\u{1bca0}'..='\u{1bca3}'
            | '\u{1d173}'..='\u{1d17a}'
            | '\u{e0000}'..='\u{e0fff}'
    )
}
