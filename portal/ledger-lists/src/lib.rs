//! What the lists of a member account's ledger filter by, and their files with them.
//!
//! A list and its file have one type of filter, read by one parser, which says what is found and in which order: they
//! cannot show different things. What they do not share is how much they read, and what becomes of it.

mod entry_rows;
mod filter;
mod listing;
mod rows;
mod search;
mod sort;
mod sums;

pub use entry_rows::EntryRows;
pub use filter::{ActionFilter, ContributionFilter, EntryFilter, Period, RemittanceFilter, StatementFilter};
pub use listing::Listing;
pub use rows::{Read, RowFilter, read_rows};
pub use search::{ActionSearch, RemittanceSearch};
pub use sort::{Sort, SortKey};
pub use sums::Sums;
