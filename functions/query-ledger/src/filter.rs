//! What a list is asked for.

use jiff::Timestamp;
use jiff::civil::Date;
use portal::domain::{ActionStatus, EntryKind, Identifier, Refusal, RemittanceNumber, Scheme, View, Words};
use portal::http::{Form, Problem};

use crate::search::RemittanceSearch;
use crate::sort::Sort;

const DEFAULT_LIMIT: usize = 50;

/// A list's query: what it filters by, and which page of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Asked<F> {
    pub(crate) filter: F,
    pub(crate) cursor: Option<String>,
    pub(crate) limit: usize,
}

/// Which actions, in which order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// Of this view.
    pub view: Option<View>,
    /// In this status.
    pub status: Option<ActionStatus>,
    /// Of this scheme.
    pub scheme: Option<Scheme>,
    /// With these words in title or number.
    pub words: Option<Words>,
    /// Their order.
    pub sort: Sort,
}

impl Filter {
    /// The filter as text.
    #[must_use]
    pub fn as_text(&self) -> String {
        let status = self.status.map(ActionStatus::as_str).unwrap_or_default();
        let scheme = self.scheme.map(Scheme::as_str).unwrap_or_default();
        let words = self.words.as_ref().map(Words::as_text).unwrap_or_default();
        format!("actions/{}/{status}/{scheme}/{}/{words}", text_of(self.view), self.sort.as_text())
    }
}

/// Days, both included.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Period {
    /// From this day on.
    pub(crate) from: Option<Date>,
    /// Up to this day.
    pub(crate) to: Option<Date>,
}

impl Period {
    /// Whether it has a beginning or an end.
    pub(crate) fn is_given(self) -> bool {
        self.from.is_some() || self.to.is_some()
    }

    fn as_text(self) -> String {
        let day = |day: Option<Date>| day.map(|day| day.to_string()).unwrap_or_default();
        format!("{}/{}", day(self.from), day(self.to))
    }

    /// Reads `from` and `to`.
    fn read(form: &mut Form) -> Option<Self> {
        let from = form.optional("from", day);
        let to = form.optional("to", |text| {
            let to = day(text)?;
            let backwards = || {
                let fr = "La fin de la période précède son début : échangez les deux dates.";
                Refusal::new("bad-range", fr, "The range ends before it begins: exchange the two days.")
            };
            match from.flatten() {
                Some(from) if to < from => Err(backwards()),
                _ => Ok(to),
            }
        });
        Some(Self { from: from?, to: to? })
    }
}

/// Which entries of the ledger as it is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct EntryFilter {
    /// Of this view.
    pub(crate) view: Option<View>,
    /// Of this kind.
    pub(crate) kind: Option<EntryKind>,
    /// Of these days.
    pub(crate) period: Period,
    /// Booked by then, where an earlier state is asked for.
    pub(crate) at: Option<Timestamp>,
}

impl EntryFilter {
    /// Returns true where it asks for days of all views: what is booked on a day belongs to the year of its action, which
    /// is the one to be found out.
    pub(crate) fn is_of_days(self) -> bool {
        self.view.is_none() && self.period.is_given()
    }

    /// The filter as text.
    pub(crate) fn as_text(self) -> String {
        let kind = self.kind.map(EntryKind::as_str).unwrap_or_default();
        let at = self.at.map(|at| at.to_string()).unwrap_or_default();
        format!("ledger/{}/{kind}/{}/{at}", text_of(self.view), self.period.as_text())
    }
}

/// Which contributions.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Contributions(pub(crate) Option<View>);

impl Contributions {
    /// The filter as text.
    pub(crate) fn as_text(self) -> String {
        format!("contributions/{}", text_of(self.0))
    }
}

/// Which transfers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Remittances {
    /// That pay for actions of this view.
    pub(crate) view: Option<View>,
    /// Of these days.
    pub(crate) period: Period,
    /// That are searched for.
    pub(crate) search: Option<RemittanceSearch>,
}

impl Remittances {
    /// The filter as text.
    pub(crate) fn as_text(&self) -> String {
        let search = self.search.as_ref().map(RemittanceSearch::as_text).unwrap_or_default();
        format!("remittances/{}/{}/{search}", text_of(self.view), self.period.as_text())
    }
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

fn view(form: &mut Form) -> Option<Option<View>> {
    form.optional("view", View::read)
}

/// Which page: its size, and where it begins.
fn page(form: &mut Form) -> (Option<Option<usize>>, Option<Option<String>>) {
    let limit = form.limit("limit");
    (limit, form.optional("cursor", |text| Ok(text.to_owned())))
}

fn text_of(view: Option<View>) -> String {
    view.map(|view| view.to_string()).unwrap_or_default()
}

/// Reads the query of a list of actions.
pub(crate) fn of_actions(mut form: Form) -> Result<Asked<Filter>, Problem> {
    let view = view(&mut form);
    let status = form.optional("status", |text| {
        let refusal = || Refusal::new("unknown-status", "Ce statut n’existe pas.", "There is no such status.");
        ActionStatus::parse(text).ok_or_else(refusal)
    });
    let scheme = form.optional("scheme", |text| {
        let refusal = || Refusal::new("unknown-scheme", "Ce dispositif n’existe pas.", "There is no such scheme.");
        Scheme::parse(text).ok_or_else(refusal)
    });
    let words = form.search("q");
    let sort = form.optional("sort", |text| {
        let refusal = || Refusal::new("unknown-sort", "Cet ordre n’existe pas.", "There is no such order.");
        Sort::parse(text).ok_or_else(refusal)
    });
    let (limit, cursor) = page(&mut form);
    let (view, status, scheme, words, sort, limit, cursor) =
        form.finish((view, status, scheme, words, sort, limit, cursor))?;
    // What has signs alone finds everything.
    let words = words.map(|text| Words::of(&text)).filter(|words| !words.is_empty());
    let filter = Filter { view, status, scheme, words, sort: sort.unwrap_or_default() };
    Ok(Asked { filter, cursor, limit: limit.unwrap_or(DEFAULT_LIMIT) })
}

/// Reads the query of the ledger as it is.
pub(crate) fn of_entries(mut form: Form, now: Timestamp) -> Result<Asked<EntryFilter>, Problem> {
    let view = view(&mut form);
    let kind = form.optional("kind", |text| {
        let refusal =
            || Refusal::new("unknown-kind", "Ce type d’écriture n’existe pas.", "There is no such kind of entry.");
        EntryKind::parse(text).ok_or_else(refusal)
    });
    let period = Period::read(&mut form);
    let at = form.past("as_of", now);
    let (limit, cursor) = page(&mut form);
    let (view, kind, period, at, limit, cursor) = form.finish((view, kind, period, at, limit, cursor))?;
    Ok(Asked { filter: EntryFilter { view, kind, period, at }, cursor, limit: limit.unwrap_or(DEFAULT_LIMIT) })
}

/// Reads the query of a list of transfers.
pub(crate) fn of_remittances(mut form: Form) -> Result<Asked<Remittances>, Problem> {
    let view = view(&mut form);
    let period = Period::read(&mut form);
    let search = form.search("q");
    let (limit, cursor) = page(&mut form);
    let (view, period, search, limit, cursor) = form.finish((view, period, search, limit, cursor))?;
    let search = search.map(|text| RemittanceSearch::of(&text));
    Ok(Asked { filter: Remittances { view, period, search }, cursor, limit: limit.unwrap_or(DEFAULT_LIMIT) })
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

/// Reads the query of a list of contributions.
pub(crate) fn of_contributions(mut form: Form) -> Result<Asked<Contributions>, Problem> {
    let view = view(&mut form);
    let (limit, cursor) = page(&mut form);
    let (view, limit, cursor) = form.finish((view, limit, cursor))?;
    Ok(Asked { filter: Contributions(view), cursor, limit: limit.unwrap_or(DEFAULT_LIMIT) })
}

fn day(text: &str) -> Result<Date, Refusal> {
    let refusal = || Refusal::new("bad-date", "Donnez une date AAAA-MM-JJ.", "Give a day as YYYY-MM-DD.");
    // Digits and hyphens alone: the parser would take other forms of ISO 8601 too.
    let shaped = text.len() == 10 && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
    text.parse().ok().filter(|_| shaped).ok_or_else(refusal)
}
