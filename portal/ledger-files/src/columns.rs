//! The columns of a file, the same in every format.

use std::fmt::Display;

use jiff::civil::{Date, DateTime};
use portal::domain::Cents;

/// What stands in a cell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Cell {
    /// Nothing.
    Empty,
    /// Text, also of what looks like a number: a SIRET is no quantity, and zeros lead it.
    Text(String),
    /// A whole number.
    Whole(i16),
    /// A number of whatever size.
    Number(u64),
    /// A day.
    Day(Date),
    /// A day and a time, to the millisecond.
    Moment(DateTime),
    /// An amount.
    Amount(Cents),
}

/// A column.
pub struct Column<R> {
    /// What stands above it.
    pub(crate) heading: &'static str,
    /// How wide a spreadsheet shows it, in characters.
    pub(crate) width: u8,
    /// Its cell of a row.
    pub(crate) cell: fn(&R) -> Cell,
}

/// What a file has rows of.
pub trait Row: Sized + 'static {
    /// The columns.
    const COLUMNS: &'static [Column<Self>];
    /// What a sheet of a workbook is called.
    const SHEET: &'static str;
    /// What the last sheet says of them.
    const NOTES: &'static [&'static str];
}

pub(crate) const fn column<R>(heading: &'static str, width: u8, cell: fn(&R) -> Cell) -> Column<R> {
    Column { heading, width, cell }
}

pub(crate) fn text(shown: impl Display) -> Cell {
    Cell::Text(shown.to_string())
}

pub(crate) fn optional(shown: Option<impl Display>) -> Cell {
    shown.map_or(Cell::Empty, text)
}
