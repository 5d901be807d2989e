//! What a list is asked for: its filter, which its file has too, and which page.

use jiff::Timestamp;
use ledger_lists::{ActionFilter, ContributionFilter, EntryFilter, RemittanceFilter};
use portal::domain::{Identifier, Refusal, RemittanceNumber};
use portal::http::{Form, Problem};

const DEFAULT_LIMIT: usize = 50;

/// A list's query: what it filters by, and which page of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Asked<F> {
    pub(crate) filter: F,
    pub(crate) cursor: Option<String>,
    pub(crate) limit: usize,
}

/// Which entries of an action are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moves {
    /// All of them.
    All,
    /// All but those that a move to another view, scheme or account reversed, and these reversals.
    Folded,
}

impl Moves {
    /// Both.
    pub const ALL: [Self; 2] = [Self::All, Self::Folded];

    /// The name in the contract.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Folded => "folded",
        }
    }

    pub(crate) fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|moves| moves.as_str() == text)
    }
}

/// A part of something that is whole where an answer carries it: of an action's entries, or of a transfer's lines.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Part {
    /// Of an action's entries, which; all where they are one page, by default.
    pub(crate) moves: Option<Moves>,
    /// The most that are listed; as many as an answer carries, by default.
    pub(crate) limit: Option<usize>,
    /// From where on.
    pub(crate) cursor: Option<String>,
}

/// Which page: its size, and where it begins.
fn page(form: &mut Form) -> (Option<Option<usize>>, Option<Option<String>>) {
    let limit = form.limit("limit");
    (limit, form.optional("cursor", |text| Ok(text.to_owned())))
}

/// Reads the query of a list, of whose filter the parameters are read by `read`.
fn of_list<F>(mut form: Form, read: impl FnOnce(&mut Form) -> Option<F>) -> Result<Asked<F>, Problem> {
    let filter = read(&mut form);
    let (limit, cursor) = page(&mut form);
    let (filter, limit, cursor) = form.finish((filter, limit, cursor))?;
    Ok(Asked { filter, cursor, limit: limit.unwrap_or(DEFAULT_LIMIT) })
}

/// Reads the query of a list of actions.
pub(crate) fn of_actions(form: Form) -> Result<Asked<ActionFilter>, Problem> {
    of_list(form, ActionFilter::read)
}

/// Reads the query of a list of entries.
pub(crate) fn of_entries(form: Form, now: Timestamp) -> Result<Asked<EntryFilter>, Problem> {
    of_list(form, |form| EntryFilter::read(form, now))
}

/// Reads the query of a list of transfers.
pub(crate) fn of_remittances(form: Form) -> Result<Asked<RemittanceFilter>, Problem> {
    of_list(form, RemittanceFilter::read)
}

/// Reads the query of a list of contributions.
pub(crate) fn of_contributions(form: Form) -> Result<Asked<ContributionFilter>, Problem> {
    of_list(form, ContributionFilter::read)
}

/// Reads the query of an action.
pub(crate) fn of_action(mut form: Form) -> Result<Part, Problem> {
    let moves = form.optional("moves", |text| {
        let refusal = || Refusal::new("unknown-moves", "Donnez all ou folded.", "Give all or folded.");
        Moves::parse(text).ok_or_else(refusal)
    });
    let (limit, cursor) = page(&mut form);
    let (moves, limit, cursor) = form.finish((moves, limit, cursor))?;
    Ok(Part { moves, limit, cursor })
}

/// Reads the query of a transfer that the path names: the system that numbers it, where it is named, and a part.
pub(crate) fn of_remittance(mut form: Form) -> Result<(Option<Identifier>, Part), Problem> {
    let source = form.optional("source", Identifier::parse);
    let (limit, cursor) = page(&mut form);
    let (source, limit, cursor) = form.finish((source, limit, cursor))?;
    Ok((source, Part { moves: None, limit, cursor }))
}

/// Reads the query of a transfer that the query names.
pub(crate) fn of_numbered(mut form: Form) -> Result<(RemittanceNumber, Option<Identifier>, Part), Problem> {
    let number = form.text("number", RemittanceNumber::parse);
    let source = form.optional("source", Identifier::parse);
    let (limit, cursor) = page(&mut form);
    let (number, source, limit, cursor) = form.finish((number, source, limit, cursor))?;
    Ok((number, source, Part { moves: None, limit, cursor }))
}
