//! The two fonts, and how wide text is in them.

use std::collections::HashMap;

use krilla::text::{Font, GlyphId, KrillaGlyph};
use skrifa::instance::{LocationRef, Size};
use skrifa::{FontRef, MetadataProvider};
use unicode_normalization::UnicodeNormalization;

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

    /// The text with what the font cannot show replaced: NFC, control characters as spaces.
    pub(crate) fn showable(&self, text: &str) -> String {
        let shown = |character: char| match character {
            control if control.is_control() => ' ',
            known if self.known.contains_key(&known) => known,
            _ => UNKNOWN,
        };
        text.nfc().map(shown).collect()
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
