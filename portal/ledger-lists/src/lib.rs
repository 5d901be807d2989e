//! What the lists of a member account's ledger filter by.
//!
//! Who needs the rows of a list in another form takes its type of filter, read by the one parser, which says what is found
//! and in which order.

mod filter;
mod rows;
mod search;
mod sort;

pub use filter::{ActionFilter, ContributionFilter, EntryFilter, Period, RemittanceFilter, StatementFilter};
pub use rows::{Read, RowFilter, read_rows};
pub use search::{ActionSearch, RemittanceSearch};
pub use sort::{Sort, SortKey};
