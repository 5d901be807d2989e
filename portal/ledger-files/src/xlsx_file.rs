//! A list of the ledger as an Excel workbook: amounts that can be added, days that can be sorted, texts that stay texts.
//!
//! Rows go to a temporary file without a name as they are written, and from there, compressed, to their place:
//! memory holds neither.

use std::io::Write;
use std::marker::PhantomData;

use jiff::Timestamp;
use jiff::civil::Date;
use portal::domain::Cents;
use rust_xlsxwriter::{DocProperties, ExcelDateTime, Format, IgnoreError, Workbook, Worksheet, XlsxError};

use crate::FileError;
use crate::columns::{Cell, Row};

/// Rows of a sheet, the headings not counted. Excel takes 1,048,576 lines; what is more goes to a further sheet.
const MOST_ROWS: u32 = 1_000_000;

/// How cells are shown.
struct Formats {
    heading: Format,
    text: Format,
    day: Format,
    moment: Format,
    amount: Format,
}

/// The file. Its rows are in a temporary file until it is finished.
pub struct XlsxFile<R> {
    workbook: Workbook,
    formats: Formats,
    /// Which sheet is written.
    sheet: usize,
    /// How many rows it has.
    rows: u32,
    most_rows: u32,
    of: PhantomData<fn(R)>,
}

impl<R: Row> XlsxFile<R> {
    /// A workbook that says it was made `now`.
    ///
    /// # Errors
    /// Where there is no temporary file.
    pub fn start(now: Timestamp) -> Result<Self, FileError> {
        Self::with_sheets_of(MOST_ROWS, now)
    }

    pub(crate) fn with_sheets_of(most_rows: u32, now: Timestamp) -> Result<Self, FileError> {
        let formats = Formats {
            heading: Format::new().set_bold(),
            // The prefix keeps a text that begins like a formula from becoming one when somebody edits it.
            text: Format::new().set_num_format("@").set_quote_prefix(),
            day: Format::new().set_num_format("dd/mm/yyyy"),
            moment: Format::new().set_num_format("dd/mm/yyyy hh:mm:ss.000"),
            amount: Format::new().set_num_format("#,##0.00 \"€\""),
        };
        let mut workbook = Workbook::new();
        let created = ExcelDateTime::from_timestamp(now.as_second())?;
        workbook.set_properties(&DocProperties::new().set_title("Compte adhérent").set_creation_datetime(&created));
        let mut file = Self { workbook, formats, sheet: 0, rows: 0, most_rows, of: PhantomData };
        file.begin_sheet(R::SHEET)?;
        Ok(file)
    }

    /// One more row.
    ///
    /// # Errors
    /// Where the temporary file takes no more.
    pub fn add(&mut self, row: &R) -> Result<(), FileError> {
        if self.rows == self.most_rows {
            self.end_sheet()?;
            self.sheet += 1;
            self.begin_sheet(&format!("{} {}", R::SHEET, self.sheet + 1))?;
        }
        self.rows += 1;
        let sheet = self.workbook.worksheet_from_index(self.sheet)?;
        for (number, column) in (0..).zip(R::COLUMNS) {
            put(sheet, self.rows, number, (column.cell)(row), &self.formats)?;
        }
        Ok(())
    }

    /// Writes the whole to its place.
    ///
    /// # Errors
    /// Where the place takes it not.
    pub fn finish(mut self, to: impl Write + Send) -> Result<(), FileError> {
        self.end_sheet()?;
        let notes = self.workbook.add_worksheet();
        notes.set_name("Notes")?;
        notes.set_column_width(0, 120)?;
        let wrapped = Format::new().set_text_wrap();
        for (row, note) in (0..).zip(R::NOTES) {
            notes.write_string_with_format(row, 0, *note, &wrapped)?;
        }
        Ok(self.workbook.save_to_writer(to)?)
    }

    fn begin_sheet(&mut self, name: &str) -> Result<(), XlsxError> {
        self.rows = 0;
        let sheet = self.workbook.add_worksheet_with_constant_memory()?;
        sheet.set_name(name)?;
        for (number, column) in (0..).zip(R::COLUMNS) {
            sheet.set_column_width(number, column.width)?;
            sheet.write_string_with_format(0, number, column.heading, &self.formats.heading)?;
        }
        sheet.set_freeze_panes(1, 0)?;
        Ok(())
    }

    fn end_sheet(&mut self) -> Result<(), XlsxError> {
        let sheet = self.workbook.worksheet_from_index(self.sheet)?;
        let last_column = (0..).zip(R::COLUMNS).map(|(number, _)| number).last().unwrap_or(0);
        sheet.autofilter(0, 0, self.rows, last_column)?;
        // Numbers as text are meant.
        sheet.ignore_error_range(0, 0, self.rows, last_column, IgnoreError::NumberStoredAsText)?;
        Ok(())
    }
}

fn put(sheet: &mut Worksheet, row: u32, column: u16, cell: Cell, formats: &Formats) -> Result<(), XlsxError> {
    match cell {
        Cell::Empty => {}
        Cell::Text(text) => {
            sheet.write_string_with_format(row, column, text, &formats.text)?;
        }
        Cell::Whole(number) => {
            sheet.write_number(row, column, number)?;
        }
        Cell::Number(number) => {
            // Up to 2^53 a double is exact; nobody posts as much.
            #[allow(clippy::cast_precision_loss, reason = "a number of an entry has ten digits")]
            sheet.write_number(row, column, number as f64)?;
        }
        Cell::Moment(at) => {
            let milliseconds = f64::from(at.second()) + f64::from(at.subsec_nanosecond() / 1_000_000) / 1_000.0;
            let hour = u16::from(at.hour().unsigned_abs());
            let moment = excel_day(at.date())?.and_hms(hour, at.minute().unsigned_abs(), milliseconds)?;
            sheet.write_datetime_with_format(row, column, moment, &formats.moment)?;
        }
        Cell::Day(day) => {
            sheet.write_datetime_with_format(row, column, excel_day(day)?, &formats.day)?;
        }
        Cell::Amount(amount) => {
            sheet.write_number_with_format(row, column, euros(amount), &formats.amount)?;
        }
    }
    Ok(())
}

fn excel_day(day: Date) -> Result<ExcelDateTime, XlsxError> {
    // Days of the ledger lie between 1972 and 2100.
    let unfit = || XlsxError::DateTimeRangeError(day.to_string());
    let year = u16::try_from(day.year()).map_err(|_| unfit())?;
    let (month, day_of_month) = (u8::try_from(day.month()), u8::try_from(day.day()));
    ExcelDateTime::from_ymd(year, month.map_err(|_| unfit())?, day_of_month.map_err(|_| unfit())?)
}

/// The amount as Excel keeps numbers. A double is exact to the cent up to 2^53 cents, ninety thousand times
/// the largest entry.
#[allow(clippy::cast_precision_loss, reason = "an amount is at most 10^12 cents")]
fn euros(amount: Cents) -> f64 {
    amount.0 as f64 / 100.0
}
