//! A list of the ledger as CSV, as French spreadsheets write and read it.
//!
//! UTF-8 with a byte order mark, `;` between cells, `,` in amounts, CRLF at the end of a line, days as
//! `jj/mm/aaaa`. A text that a spreadsheet would take for a number, a date or a formula is led by an apostrophe
//! ([`crate::literal`]).

use std::marker::PhantomData;

use csv::{Terminator, WriterBuilder};
use jiff::civil::Date;
use portal::domain::Cents;

use crate::FileError;
use crate::columns::{Cell, Row};
use crate::literal::literal;

/// By which Excel knows UTF-8.
const BYTE_ORDER_MARK: &str = "\u{feff}";

/// The file, of which what is written already can be taken away at any time.
#[derive(Debug)]
pub struct CsvFile<R> {
    bytes: Vec<u8>,
    of: PhantomData<fn(R)>,
}

impl<R: Row> CsvFile<R> {
    /// The mark and the headings.
    ///
    /// # Errors
    /// Where they cannot be written.
    pub fn start() -> Result<Self, FileError> {
        let mut file = Self { bytes: BYTE_ORDER_MARK.as_bytes().to_vec(), of: PhantomData };
        file.row(R::COLUMNS.iter().map(|column| column.heading.to_owned()))?;
        Ok(file)
    }

    /// One more row.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub fn add(&mut self, row: &R) -> Result<(), FileError> {
        self.row(R::COLUMNS.iter().map(|column| shown((column.cell)(row))))
    }

    /// What was written since it was taken last.
    #[must_use]
    pub fn take(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.bytes)
    }

    fn row(&mut self, cells: impl Iterator<Item = String>) -> Result<(), FileError> {
        let mut builder = WriterBuilder::new();
        let mut writer = builder.delimiter(b';').terminator(Terminator::CRLF).from_writer(&mut self.bytes);
        writer.write_record(cells)?;
        writer.flush().map_err(csv::Error::from)?;
        Ok(())
    }
}

fn shown(cell: Cell) -> String {
    match cell {
        Cell::Empty => String::new(),
        Cell::Text(text) => literal(&text).into_owned(),
        Cell::Whole(number) => number.to_string(),
        Cell::Number(number) => number.to_string(),
        Cell::Day(day) => french(day),
        Cell::Moment(at) => {
            let (day, milliseconds) = (french(at.date()), at.subsec_nanosecond() / 1_000_000);
            format!("{day} {:02}:{:02}:{:02},{milliseconds:03}", at.hour(), at.minute(), at.second())
        }
        Cell::Amount(amount) => euros(amount),
    }
}

/// `31/12/2011`
fn french(day: Date) -> String {
    format!("{:02}/{:02}/{:04}", day.day(), day.month(), day.year())
}

/// `-1234,56`: nothing between thousands, which programs would trip over.
fn euros(amount: Cents) -> String {
    let sign = if amount.0 < 0 { "-" } else { "" };
    let cents = amount.0.unsigned_abs();
    format!("{sign}{},{:02}", cents / 100, cents % 100)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn amounts_have_a_decimal_comma_and_their_sign_is_no_formula() {
        for (cents, shown) in
            [(0, "0,00"), (5, "0,05"), (-5, "-0,05"), (123_456, "1234,56"), (-100_000_000, "-1000000,00")]
        {
            assert_eq!(super::shown(Cell::Amount(Cents(cents))), shown);
        }
    }

    proptest! {
        #[test]
        fn an_amount_is_the_same_to_the_cent(cents in any::<i64>()) {
            prop_assert_eq!(euros(Cents(cents)).replace(',', "").parse::<i64>().unwrap(), cents);
        }
    }
}
