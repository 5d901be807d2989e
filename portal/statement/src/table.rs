//! Tables whose heading comes again on each page.

use krilla::tagging::{TableHeaderScope, Tag, TagKind};

use crate::font::Weight;
use crate::layout::{BLUE, Colour, ElementId, INK, LEFT, LINE, Layout, PALE, Style, WIDTH};

const PADDING: f32 = 3.0;
/// The height of a line, in sizes of its text.
const LEADING: f32 = 1.3;

/// How wide a column of numbers of documents becomes for the longest of them, in parts of the page.
const MOST_FOR_NUMBERS: f32 = 0.3;

/// What a column holds.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Holds {
    /// Text, broken where it must be.
    Words,
    /// Dates and numbers of documents, which nobody can look up in two parts: the column becomes wider for them, and
    /// then they smaller.
    Numbers,
    /// Amounts, set to the right on one line, smaller where they must.
    Figures,
}

/// A column: its heading, its width in parts of the page's, and what it holds.
pub(crate) struct Column {
    heading: &'static str,
    share: f32,
    holds: Holds,
}

/// A column of words.
pub(crate) const fn words(heading: &'static str, share: f32) -> Column {
    Column { heading, share, holds: Holds::Words }
}

/// A column of the numbers of documents.
pub(crate) const fn numbers(heading: &'static str, share: f32) -> Column {
    Column { heading, share, holds: Holds::Numbers }
}

/// A column of figures, set to the right.
pub(crate) const fn figures(heading: &'static str, share: f32) -> Column {
    Column { heading, share, holds: Holds::Figures }
}

/// A table; the first cell of a row is the row's heading.
pub(crate) struct Table<'a> {
    columns: &'a [Column],
    /// Of its text, in points.
    size: f32,
    headings: Vec<String>,
    rows: Vec<Vec<String>>,
    /// The last row.
    total: Option<Vec<String>>,
    /// Of its columns, in points.
    widths: Vec<f32>,
}

/// Which part of a table a row is.
#[derive(Clone, Copy)]
enum Part {
    Head(ElementId),
    /// The heading on the next page: furniture, as the table has one already.
    HeadAgain,
    /// Without an element it is measured and not written.
    Body(Option<ElementId>),
    Foot(Option<ElementId>),
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
            Self::Head(part) => Some(part),
            Self::Body(part) | Self::Foot(part) => part,
            Self::HeadAgain => None,
        }
    }

    fn is_heading(self) -> bool {
        matches!(self, Self::Head(_) | Self::HeadAgain)
    }
}

impl<'a> Table<'a> {
    /// A table of these rows, with its columns as wide as they need.
    pub(crate) fn new(
        layout: &Layout<'_>,
        columns: &'a [Column],
        size: f32,
        rows: impl IntoIterator<Item = Vec<String>>,
        total: Option<Vec<String>>,
    ) -> Self {
        let rows: Vec<Vec<String>> = rows.into_iter().collect();
        let headings = columns.iter().map(|column| column.heading.to_owned()).collect();
        let widths = widths(layout, columns, size, &rows);
        Self { columns, size, headings, rows, total, widths }
    }

    /// The height of what has to stand together at its beginning: headings, the first row, and the total where no
    /// other row comes before it.
    pub(crate) fn room(&self, layout: &Layout<'_>) -> f32 {
        let height = |cells: &[String], part| self.height(&self.lines(layout, cells, part));
        let headings = self.room_of_headings(layout);
        let first = self.rows.first().map_or(0.0, |row| height(row, Part::Body(None)));
        let total = self.total.as_ref().filter(|_| self.rows.len() == 1);
        headings + first + total.map_or(0.0, |total| height(total, Part::Foot(None)))
    }

    /// Whether it has no row.
    pub(crate) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Writes it.
    pub(crate) fn write(&self, layout: &mut Layout<'_>) {
        let table = layout.element(Tag::Table, None);
        let head = layout.element(Tag::THead, Some(table));
        let body = layout.element(Tag::TBody, Some(table));
        self.row(layout, &self.headings, Part::Head(head), 0.0, false);
        for (number, cells) in self.rows.iter().enumerate() {
            // A total without a row above it says of nothing what it is the total of.
            let is_last = number + 1 == self.rows.len();
            let total = self.total.as_ref().filter(|_| is_last);
            let below = total.map_or(0.0, |total| self.height(&self.lines(layout, total, Part::Foot(None))));
            self.row(layout, cells, Part::Body(Some(body)), below, number == 0);
        }
        if let Some(total) = &self.total {
            let foot = layout.element(Tag::TFoot, Some(table));
            self.row(layout, total, Part::Foot(Some(foot)), 0.0, false);
        }
    }

    /// Writes a row, on the next page and below the headings where it does not fit with what has to stand below it. What
    /// no page has room for, or what would leave the headings of the table alone, goes on there instead.
    fn row(&self, layout: &mut Layout<'_>, cells: &[String], part: Part, below: f32, follows_head: bool) {
        let mut lines = self.lines(layout, cells, part);
        let row = part.parent().map(|parent| layout.element(Tag::TR, Some(parent)));
        let elements: Vec<_> = (0..self.columns.len())
            .map(|index| {
                let tag: TagKind = match (part.is_heading(), index) {
                    (true, _) => Tag::TH(TableHeaderScope::Column).into(),
                    (false, 0) => Tag::TH(TableHeaderScope::Row).into(),
                    (false, _) => Tag::TD.into(),
                };
                row.map(|row| layout.element(tag, Some(row)))
            })
            .collect();
        // A heading is low, and what has to stand below it was asked for before.
        while !part.is_heading() && !layout.fits(self.height(&lines) + below) {
            let fits_a_page = layout.fits_a_page(self.room_of_headings(layout) + self.height(&lines) + below);
            if follows_head || !fits_a_page {
                // The last line stays with what stands below it.
                let most = lines.iter().map(Vec::len).max().unwrap_or(0).saturating_sub(1);
                let count = self.lines_within(layout.left()).min(most);
                if count > 0 {
                    let rest = lines.iter_mut().map(|lines| lines.split_off(count.min(lines.len()))).collect();
                    self.chunk(layout, std::mem::replace(&mut lines, rest), part, &elements);
                }
            }
            layout.break_page();
            self.row(layout, &self.headings, Part::HeadAgain, 0.0, false);
            if self.lines_within(layout.left()) == 0 {
                break;
            }
        }
        self.chunk(layout, lines, part, &elements);
    }

    /// Writes so many lines of the cells of a row.
    fn chunk(&self, layout: &mut Layout<'_>, cells: Vec<Vec<String>>, part: Part, elements: &[Option<ElementId>]) {
        let (weight, colour, background) = part.look();
        let height = self.height(&cells);
        if let Some(background) = background {
            layout.fill((LEFT, layout.y, WIDTH, height), background);
        }
        layout.fill((LEFT, layout.y + height - 0.5, WIDTH, 0.5), LINE);
        let mut x = LEFT;
        for (((column, lines), width), element) in self.columns.iter().zip(cells).zip(&self.widths).zip(elements) {
            let room = width - 2.0 * PADDING;
            let mut baseline = layout.y + PADDING + self.size;
            for line in lines {
                let wide = layout.fonts.face(weight).width(line.trim_end(), self.size);
                let size = if wide > room { self.size * room / wide } else { self.size };
                let indent = if column.holds == Holds::Figures { (room - wide).max(0.0) } else { 0.0 };
                layout.text(x + PADDING + indent, baseline, &line, Style { weight, size, colour }, *element);
                baseline += self.size * LEADING;
            }
            x += width;
        }
        layout.y += height;
    }

    /// The count of lines of a row that so many points have room for.
    fn lines_within(&self, room: f32) -> usize {
        let mut count = 0;
        let mut height = 2.0 * PADDING + self.size * LEADING;
        while height <= room {
            count += 1;
            height += self.size * LEADING;
        }
        count
    }

    /// The height of the headings.
    fn room_of_headings(&self, layout: &Layout<'_>) -> f32 {
        self.height(&self.lines(layout, &self.headings, Part::HeadAgain))
    }

    /// The lines of each cell of a row.
    fn lines(&self, layout: &Layout<'_>, cells: &[String], part: Part) -> Vec<Vec<String>> {
        let face = layout.fonts.face(part.look().0);
        let of_cell = |((column, cell), width): ((&Column, &String), &f32)| {
            let (text, room) = (face.showable(cell), width - 2.0 * PADDING);
            match column.holds {
                _ if part.is_heading() => face.wrap_whole(&text, self.size, room),
                Holds::Words => face.wrap(&text, self.size, room),
                Holds::Numbers => face.wrap_whole(&text, self.size, room),
                Holds::Figures => vec![text],
            }
        };
        self.columns.iter().zip(cells).zip(&self.widths).map(of_cell).collect()
    }

    fn height(&self, lines: &[Vec<String>]) -> f32 {
        let most = lines.iter().map(Vec::len).max().unwrap_or(1);
        #[expect(clippy::cast_precision_loss, reason = "a cell has a few lines")]
        let most = most as f32;
        most * self.size * LEADING + 2.0 * PADDING
    }
}

/// The width of each column: its share, but that columns of words give way to numbers that are longer.
fn widths(layout: &Layout<'_>, columns: &[Column], size: f32, rows: &[Vec<String>]) -> Vec<f32> {
    let shares = columns.iter().map(|column| column.share).sum::<f32>();
    let mut widths: Vec<f32> = columns.iter().map(|column| WIDTH * column.share / shares).collect();
    let face = layout.fonts.face(Weight::Regular);
    let mut grown = 0.0;
    for (index, width) in widths.iter_mut().enumerate().filter(|(index, _)| columns[*index].holds == Holds::Numbers) {
        let cells = rows.iter().filter_map(|row| row.get(index));
        let widest = cells.map(|cell| face.widest_word(&face.showable(cell), size)).fold(0.0, f32::max);
        let wanted = (widest + 2.0 * PADDING).min(WIDTH * MOST_FOR_NUMBERS).max(*width);
        grown += wanted - *width;
        *width = wanted;
    }
    let of_words = |(index, _): &(usize, &mut f32)| columns[*index].holds == Holds::Words;
    let words: f32 = widths.iter_mut().enumerate().filter(of_words).map(|(_, width)| *width).sum();
    let left = if words > 0.0 { (words - grown) / words } else { 1.0 };
    widths.iter_mut().enumerate().filter(of_words).for_each(|(_, width)| *width *= left);
    widths
}
