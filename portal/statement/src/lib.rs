//! The yearly statement of a member account: an accessible PDF (PDF/UA-1), A4, in French.
//!
//! [`render`] is a pure function: the same statement gives the same bytes, and says what of its texts the font lacks. Why this library and these fonts:
//! `docs/decisions/0056-statement-in-pdf.md`. What it looks like: `cargo run -p statement-pdf --example sample`.

mod font;
mod layout;
mod letterhead;
mod pdf;
mod sections;
mod table;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::Date;
use portal::domain::{ActionStatus, Cents, EntryKind, MemberNumber, Paid, Scheme, Siret, View};
pub use portal::store::Measures;

/// How many actions, contributions and transfers a statement lists at most, all together.
///
/// Each takes some 1,250 bytes, most of them for the tags of its cells, and an answer carries 4.4 MB (6 MB as base64).
/// `example sample` tells time and size.
pub const MOST_ROWS: usize = 3_000;

/// What a statement shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// The member account.
    pub member_number: MemberNumber,
    /// The establishment.
    pub siret: Siret,
    /// Its name.
    pub establishment: String,
    /// The year.
    pub view: View,
    /// The view's first day; none for the first view, which holds everything before it too.
    pub from: Option<Date>,
    /// The view's last day.
    pub to: Date,
    /// The instant at which the last entry that it shows was booked; before any was, that at which the account came.
    pub as_of: Timestamp,
    /// The number of that entry in the view; 0 before any.
    pub postings: u64,
    /// The view's measures.
    pub totals: Measures,
    /// What is contributed, never set off against the other measures.
    pub contributed: Cents,
    /// The measures by scheme.
    pub schemes: Vec<(Scheme, Measures)>,
    /// What was booked by month of the effective date.
    pub months: Vec<Month>,
    /// The training actions, in the order in which they are to show.
    pub actions: Vec<Action>,
    /// The contributions, in the order in which they are to show.
    pub contributions: Vec<Contribution>,
    /// The bank transfers, in the order in which they are to show.
    pub remittances: Vec<Remittance>,
}

impl Statement {
    /// How many rows its lists have, against [`MOST_ROWS`].
    #[must_use]
    pub fn rows(&self) -> usize {
        self.actions.len() + self.excesses().count() + self.contributions.len() + self.remittances.len()
    }

    /// The actions that were paid too much, or of which something was taken back: listed once more, for that.
    fn excesses(&self) -> impl Iterator<Item = &Action> {
        self.actions.iter().filter(|action| has_excess(&action.measures))
    }

    /// The texts that others wrote.
    fn texts(&self) -> impl Iterator<Item = &str> {
        let actions = self.actions.iter().flat_map(|action| [&action.id, &action.title]);
        let contributions = self.contributions.iter().map(|contribution| &contribution.label);
        let transfers =
            self.remittances.iter().flat_map(|transfer| [Some(&transfer.number), transfer.bank_reference.as_ref()]);
        let texts = std::iter::once(&self.establishment).chain(actions).chain(contributions);
        texts.chain(transfers.flatten()).map(String::as_str)
    }
}

/// What was booked in a month.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Month {
    /// Its first day.
    pub first_day: Date,
    /// Promised.
    pub committed: Cents,
    /// Paid, by who received it.
    pub paid: Paid,
    /// Contributed.
    pub contributed: Cents,
}

/// A training action.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Action {
    /// Its number at the fund.
    pub id: String,
    /// What it is called.
    pub title: String,
    /// What funds it.
    pub scheme: Scheme,
    /// Where it stands.
    pub status: ActionStatus,
    /// The day on which the fund promised the money.
    pub engaged: Date,
    /// Its figures.
    pub measures: Measures,
}

/// Whether something was overpaid or taken back.
fn has_excess(measures: &Measures) -> bool {
    measures.overpaid != Cents::ZERO || measures.recovered != Cents::ZERO
}

/// Money that the company paid in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contribution {
    /// The day on which it counts.
    pub date: Date,
    /// Which contribution.
    pub kind: EntryKind,
    /// What the fund wrote beside it.
    pub label: String,
    /// How much; a refund is negative.
    pub amount: Cents,
}

/// A bank transfer of the fund.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remittance {
    /// The number on the notice.
    pub number: String,
    /// The day of the transfer.
    pub date: Date,
    /// The text on the bank's statement; none where the fund gave none.
    pub bank_reference: Option<String>,
    /// What it sent, by who received it.
    pub sent: Paid,
    /// What came back of it or was taken back, by whom.
    pub returned: Paid,
}

/// A statement as a PDF.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rendered {
    /// The file.
    pub pdf: Vec<u8>,
    /// The characters of its texts that it shows as U+FFFD or leaves out, and how often; it says how many there are.
    pub unshown: BTreeMap<char, usize>,
}

/// Why there is no statement.
#[derive(Debug, thiserror::Error)]
pub enum RenderError {
    /// It would list more than [`MOST_ROWS`]; the exported ledger holds them all.
    #[error("a statement of {0} rows, where {MOST_ROWS} are the most: export the ledger instead")]
    TooLong(usize),
    /// A font of this package cannot be read: a defect.
    #[error("the font {0} of the statement cannot be read: make it again with fonts/make.sh")]
    Font(&'static str),
    /// The page or the standard asked for does not exist: a defect.
    #[error("the page or the standard of the statement is not one that the PDF library knows")]
    Settings,
    /// The document breaks a rule of PDF/UA-1 or a limit of PDF: a defect.
    #[error("the statement is no valid PDF/UA-1 document")]
    Export(#[from] krilla::error::KrillaError),
}

/// Writes the statement as a PDF.
///
/// # Errors
/// `TooLong` beyond [`MOST_ROWS`]; no other value of a statement leads to an error.
pub fn render(statement: &Statement) -> Result<Rendered, RenderError> {
    if statement.rows() > MOST_ROWS {
        return Err(RenderError::TooLong(statement.rows()));
    }
    let fonts = font::Fonts::load()?;
    let unshown = unshown(&fonts, statement);
    let pdf = pdf::export(pages(&fonts, statement, unshown.values().sum()), &fonts, statement)?;
    Ok(Rendered { pdf, unshown })
}

/// What the fonts lack of a statement's texts. Both have the same characters.
fn unshown(fonts: &font::Fonts, statement: &Statement) -> BTreeMap<char, usize> {
    let face = fonts.face(font::Weight::Regular);
    let mut unshown = BTreeMap::new();
    for character in statement.texts().flat_map(|text| face.unshown(text)) {
        *unshown.entry(character).or_default() += 1;
    }
    unshown
}

/// What stands on which page.
fn pages(fonts: &font::Fonts, statement: &Statement, unshown: usize) -> layout::Pages {
    let mut layout = layout::Layout::new(fonts);
    letterhead::write(&mut layout, statement, unshown);
    sections::write(&mut layout, statement);
    layout.finish()
}
