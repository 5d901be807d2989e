//! Tables whose heading comes again on each page.

use krilla::tagging::{TableHeaderScope, Tag};

use crate::font::Weight;
use crate::layout::{BLUE, Colour, ElementId, INK, LEFT, LINE, Layout, PALE, Style, WIDTH};

const PADDING: f32 = 3.0;
/// The height of a line, in sizes of its text.
const LEADING: f32 = 1.3;

/// A column: its heading, its width in parts of the page's, and whether it holds figures.
pub(crate) struct Column {
    heading: &'static str,
    share: f32,
    figures: bool,
}

/// A column of words.
pub(crate) const fn words(heading: &'static str, share: f32) -> Column {
    Column { heading, share, figures: false }
}

/// A column of figures, set to the right.
pub(crate) const fn figures(heading: &'static str, share: f32) -> Column {
    Column { heading, share, figures: true }
}

/// A table; the first cell of a row is the row's heading.
pub(crate) struct Table<'a> {
    pub(crate) columns: &'a [Column],
    /// Of its text, in points.
    pub(crate) size: f32,
    /// The last row.
    pub(crate) total: Option<Vec<String>>,
}

/// Which part of a table a row is.
#[derive(Clone, Copy)]
enum Part {
    Head(ElementId),
    /// The heading on the next page: furniture, as the table has one already.
    HeadAgain,
    Body(ElementId),
    Foot(ElementId),
}

impl Part {
    fn look(self) -> (Weight, Colour, Option<Colour>) {
        match self {
            Self::Head(_) | Self::HeadAgain => (Weight::Bold, BLUE, Some(PALE)),
            Self::Body(_) => (Weight::Regular, INK, None),
            Self::Foot(_) => (Weight::Bold, INK, Some(PALE)),
        }
    }

    fn parent(self) -> Option<ElementId> {
        match self {
            Self::Head(part) | Self::Body(part) | Self::Foot(part) => Some(part),
            Self::HeadAgain => None,
        }
    }

    fn is_heading(self) -> bool {
        matches!(self, Self::Head(_) | Self::HeadAgain)
    }
}

impl Table<'_> {
    /// Writes it.
    pub(crate) fn write(&self, layout: &mut Layout<'_>, rows: impl IntoIterator<Item = Vec<String>>) {
        let table = layout.element(Tag::Table, None);
        let head = layout.element(Tag::THead, Some(table));
        let body = layout.element(Tag::TBody, Some(table));
        let headings: Vec<String> = self.columns.iter().map(|column| column.heading.to_owned()).collect();
        self.row(layout, &headings, &headings, Part::Head(head));
        for cells in rows {
            self.row(layout, &headings, &cells, Part::Body(body));
        }
        if let Some(total) = &self.total {
            let foot = layout.element(Tag::TFoot, Some(table));
            self.row(layout, &headings, total, Part::Foot(foot));
        }
    }

    /// Writes a row, on the next page and below the headings where it does not fit.
    fn row(&self, layout: &mut Layout<'_>, headings: &[String], cells: &[String], part: Part) {
        let (weight, colour, background) = part.look();
        let lines: Vec<Vec<String>> = self
            .columns
            .iter()
            .zip(cells)
            .map(|(column, cell)| self.lines(layout, column, cell, weight, part))
            .collect();
        let most = lines.iter().map(Vec::len).max().unwrap_or(1);
        #[expect(clippy::cast_precision_loss, reason = "a cell has a few lines")]
        let height = most as f32 * self.size * LEADING + 2.0 * PADDING;
        if !layout.fits(height) && !part.is_heading() {
            layout.break_page();
            self.row(layout, headings, headings, Part::HeadAgain);
        }
        if let Some(background) = background {
            layout.fill((LEFT, layout.y, WIDTH, height), background);
        }
        layout.fill((LEFT, layout.y + height - 0.5, WIDTH, 0.5), LINE);

        let row = part.parent().map(|parent| layout.element(Tag::TR, Some(parent)));
        let mut x = LEFT;
        for (index, (column, lines)) in self.columns.iter().zip(lines).enumerate() {
            let element = row.map(|row| match (part.is_heading(), index) {
                (true, _) => layout.element(Tag::TH(TableHeaderScope::Column), Some(row)),
                (false, 0) => layout.element(Tag::TH(TableHeaderScope::Row), Some(row)),
                (false, _) => layout.element(Tag::TD, Some(row)),
            });
            let width = self.width(column);
            let room = width - 2.0 * PADDING;
            let mut baseline = layout.y + PADDING + self.size;
            for line in lines {
                let wide = layout.fonts.face(weight).width(line.trim_end(), self.size);
                let size = if wide > room { self.size * room / wide } else { self.size };
                let indent = if column.figures { (room - wide).max(0.0) } else { 0.0 };
                layout.text(x + PADDING + indent, baseline, &line, Style { weight, size, colour }, element);
                baseline += self.size * LEADING;
            }
            x += width;
        }
        layout.y += height;
    }

    /// The lines of a cell. A figure is never broken: it is made smaller where it must.
    fn lines(&self, layout: &Layout<'_>, column: &Column, cell: &str, weight: Weight, part: Part) -> Vec<String> {
        let face = layout.fonts.face(weight);
        let text = face.showable(cell);
        if column.figures && !part.is_heading() {
            return vec![text];
        }
        face.wrap(&text, self.size, self.width(column) - 2.0 * PADDING)
    }

    fn width(&self, column: &Column) -> f32 {
        WIDTH * column.share / self.columns.iter().map(|column| column.share).sum::<f32>()
    }
}
