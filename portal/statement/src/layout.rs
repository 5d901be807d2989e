//! Pages before they are drawn: what stands where, and which element of the document it belongs to.
//!
//! Two steps, as a page shows how many there are.

use krilla::geom::Rect;
use krilla::tagging::{BBox, Tag, TagKind};

use crate::font::{Fonts, Weight};

/// A4, in points.
pub(crate) const PAGE: (f32, f32) = (595.28, 841.89);
pub(crate) const LEFT: f32 = 42.0;
pub(crate) const RIGHT: f32 = PAGE.0 - LEFT;
pub(crate) const WIDTH: f32 = RIGHT - LEFT;
pub(crate) const TOP: f32 = 48.0;
/// Below it is the footer.
const BOTTOM: f32 = PAGE.1 - 62.0;

/// Colours, with a contrast of 7:1 and more on what lies below (WCAG 2.2, 1.4.6).
pub(crate) const INK: Colour = (0x1d, 0x24, 0x2b);
pub(crate) const BLUE: Colour = (0x0f, 0x3d, 0x66);
pub(crate) const GREY: Colour = (0x4a, 0x52, 0x5a);
pub(crate) const PALE: Colour = (0xea, 0xf0, 0xf5);
pub(crate) const LINE: Colour = (0xc9, 0xd2, 0xda);

pub(crate) type Colour = (u8, u8, u8);
/// Left, top, width, height, in points from the top left of the page.
pub(crate) type Area = (f32, f32, f32, f32);

/// An element of the document, by its place in [`Pages::elements`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ElementId(pub(crate) usize);

pub(crate) struct Element {
    pub(crate) tag: TagKind,
    pub(crate) parent: Option<ElementId>,
}

/// How text looks.
#[derive(Clone, Copy)]
pub(crate) struct Style {
    pub(crate) weight: Weight,
    pub(crate) size: f32,
    pub(crate) colour: Colour,
}

/// Something to draw; what belongs to no element is furniture of the page.
pub(crate) enum Mark {
    Text { x: f32, baseline: f32, text: String, style: Style, element: Option<ElementId> },
    Box { area: Area, colour: Colour, element: Option<ElementId> },
}

/// A heading for the table of contents that readers show: text, page, height on it.
pub(crate) struct Bookmark {
    pub(crate) text: String,
    pub(crate) page: usize,
    pub(crate) y: f32,
}

/// Laid-out pages.
pub(crate) struct Pages {
    pub(crate) pages: Vec<Vec<Mark>>,
    pub(crate) elements: Vec<Element>,
    pub(crate) bookmarks: Vec<Bookmark>,
}

pub(crate) struct Layout<'a> {
    pub(crate) fonts: &'a Fonts,
    done: Vec<Vec<Mark>>,
    page: Vec<Mark>,
    elements: Vec<Element>,
    bookmarks: Vec<Bookmark>,
    /// Where the next thing goes, from the top of the page.
    pub(crate) y: f32,
}

impl<'a> Layout<'a> {
    pub(crate) fn new(fonts: &'a Fonts) -> Self {
        Self { fonts, done: Vec::new(), page: Vec::new(), elements: Vec::new(), bookmarks: Vec::new(), y: TOP }
    }

    /// Whether so many points are left on the page.
    pub(crate) fn fits(&self, height: f32) -> bool {
        self.y + height <= BOTTOM
    }

    /// The points that are left on the page.
    pub(crate) fn left(&self) -> f32 {
        BOTTOM - self.y
    }

    /// Tells whether a page with nothing on it has room for so many points.
    #[allow(clippy::unused_self, reason = "asked for as what is left is")]
    pub(crate) fn fits_a_page(&self, height: f32) -> bool {
        TOP + height <= BOTTOM
    }

    pub(crate) fn break_page(&mut self) {
        self.done.push(std::mem::take(&mut self.page));
        self.y = TOP;
    }

    /// Starts a page where there is not so much left.
    pub(crate) fn keep(&mut self, height: f32) {
        if !self.fits(height) {
            self.break_page();
        }
    }

    pub(crate) fn element(&mut self, tag: impl Into<TagKind>, parent: Option<ElementId>) -> ElementId {
        self.elements.push(Element { tag: tag.into(), parent });
        ElementId(self.elements.len() - 1)
    }

    /// One line of text that the font can show.
    pub(crate) fn text(&mut self, x: f32, baseline: f32, text: &str, style: Style, element: Option<ElementId>) {
        self.page.push(Mark::Text { x, baseline, text: text.to_owned(), style, element });
    }

    /// One line of text, made smaller where it is wider than `room`.
    pub(crate) fn text_within(
        &mut self,
        (x, baseline): (f32, f32),
        text: &str,
        style: Style,
        room: f32,
        element: ElementId,
    ) {
        let wide = self.fonts.face(style.weight).width(text.trim(), style.size);
        let size = if wide > room { style.size * room / wide } else { style.size };
        self.text(x, baseline, text, Style { size, ..style }, Some(element));
    }

    /// A coloured area that means nothing.
    pub(crate) fn fill(&mut self, area: Area, colour: Colour) {
        self.page.push(Mark::Box { area, colour, element: None });
    }

    /// A coloured area that is part of a figure.
    pub(crate) fn fill_of(&mut self, figure: ElementId, area: Area, colour: Colour) {
        self.page.push(Mark::Box { area, colour, element: Some(figure) });
    }

    /// A figure, with what it says to those who do not see it.
    pub(crate) fn figure(&mut self, says: &str, (x, y, width, height): Area) -> ElementId {
        let bbox = Rect::from_xywh(x, y, width, height).map(|rect| BBox::new(self.done.len(), rect));
        self.element(Tag::Figure(Some(says.to_owned())).with_bbox(bbox), None)
    }

    /// A paragraph or a heading over the width of the page.
    pub(crate) fn paragraph(&mut self, text: &str, style: Style, tag: impl Into<TagKind>) {
        self.lines(text, style, tag, (LEFT, WIDTH));
    }

    /// A paragraph in a column: from `x`, so wide.
    pub(crate) fn lines(&mut self, text: &str, style: Style, tag: impl Into<TagKind>, (x, width): (f32, f32)) {
        let element = self.element(tag, None);
        let face = self.fonts.face(style.weight);
        let text = face.showable(text);
        for line in face.wrap(&text, style.size, width) {
            self.keep(style.size * 1.4);
            self.text(x, self.y + style.size, &line, style, Some(element));
            self.y += style.size * 1.4;
        }
    }

    /// How high a paragraph over the width of the page is.
    pub(crate) fn height(&self, text: &str, style: Style) -> f32 {
        let face = self.fonts.face(style.weight);
        let lines = face.wrap(&face.showable(text), style.size, WIDTH).len();
        #[expect(clippy::cast_precision_loss, reason = "a paragraph has a few lines")]
        let lines = lines as f32;
        lines * style.size * 1.4
    }

    /// A heading of the second level, with at least `room` points left below it.
    pub(crate) fn section(&mut self, text: &str, room: f32) {
        self.y += 14.0;
        self.keep(24.0 + room);
        self.bookmarks.push(Bookmark { text: text.to_owned(), page: self.done.len(), y: self.y });
        let style = Style { weight: Weight::Bold, size: 12.0, colour: BLUE };
        self.paragraph(text, style, Tag::Hn(std::num::NonZeroU16::MIN.saturating_add(1), Some(text.to_owned())));
        self.y += 4.0;
    }

    pub(crate) fn finish(mut self) -> Pages {
        self.break_page();
        Pages { pages: self.done, elements: self.elements, bookmarks: self.bookmarks }
    }
}
