//! What the lists filter by.

use std::fmt;

use jiff::Timestamp;
use jiff::civil::Date;
use portal::domain::{ActionStatus, EntryKind, Refusal, Scheme, View};
use portal::http::Form;

use crate::search::{ActionSearch, RemittanceSearch};
use crate::sort::Sort;

/// Which actions, in which order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ActionFilter {
    /// Of this view.
    pub view: Option<View>,
    /// In this status.
    pub status: Option<ActionStatus>,
    /// Of this scheme.
    pub scheme: Option<Scheme>,
    /// That are searched for.
    pub search: Option<ActionSearch>,
    /// Their order.
    pub sort: Sort,
}

impl ActionFilter {
    /// Reads its parameters, or the fields of a body with the same names.
    pub fn read(form: &mut Form) -> Option<Self> {
        let view = form.view("view");
        let status = form.optional("status", |text| {
            let refusal = || Refusal::new("unknown-status", "Ce statut n’existe pas.", "There is no such status.");
            ActionStatus::parse(text).ok_or_else(refusal)
        });
        let scheme = form.optional("scheme", |text| {
            let refusal = || Refusal::new("unknown-scheme", "Ce dispositif n’existe pas.", "There is no such scheme.");
            Scheme::parse(text).ok_or_else(refusal)
        });
        let search = form.search("q");
        let sort = form.optional("sort", |text| {
            let refusal = || Refusal::new("unknown-sort", "Cet ordre n’existe pas.", "There is no such order.");
            Sort::parse(text).ok_or_else(refusal)
        });
        let (view, status, scheme, search, sort) = (view?, status?, scheme?, search?, sort?);
        Some(Self { view, status, scheme, search: ActionSearch::of(search), sort: sort.unwrap_or_default() })
    }

    /// The filter as text, one for all that list the same.
    #[must_use]
    pub fn as_text(&self) -> String {
        let status = self.status.map(ActionStatus::as_str).unwrap_or_default();
        let scheme = self.scheme.map(Scheme::as_str).unwrap_or_default();
        let words = self.search.as_ref().map(ActionSearch::as_text).unwrap_or_default();
        format!("actions/{}/{status}/{scheme}/{}/{words}", text_of(self.view), self.sort.as_text())
    }
}

/// Days, both included.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Period {
    /// From this day on.
    pub from: Option<Date>,
    /// Up to this day.
    pub to: Option<Date>,
}

impl Period {
    /// Whether it has a beginning or an end.
    #[must_use]
    pub fn is_given(self) -> bool {
        self.from.is_some() || self.to.is_some()
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

/// `<from>/<to>`
impl fmt::Display for Period {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", text_of(self.from), text_of(self.to))
    }
}

/// Which entries.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct EntryFilter {
    /// Of this view.
    pub view: Option<View>,
    /// Of this kind.
    pub kind: Option<EntryKind>,
    /// Of these days.
    pub period: Period,
    /// Booked by then, where an earlier state is asked for.
    pub at: Option<Timestamp>,
}

impl EntryFilter {
    /// Reads its parameters, or the fields of a body with the same names.
    pub fn read(form: &mut Form, now: Timestamp) -> Option<Self> {
        let view = form.view("view");
        let kind = form.optional("kind", |text| {
            let refusal =
                || Refusal::new("unknown-kind", "Ce type d’écriture n’existe pas.", "There is no such kind of entry.");
            EntryKind::parse(text).ok_or_else(refusal)
        });
        let period = Period::read(form);
        let at = form.past("as_of", now);
        Some(Self { view: view?, kind: kind?, period: period?, at: at? })
    }

    /// Returns true where it asks for days of all views: what is booked on a day belongs to the year of its action, which
    /// is the one to be found out.
    #[must_use]
    pub fn is_of_days(self) -> bool {
        self.view.is_none() && self.period.is_given()
    }

    /// Whether it lets through all that its views have.
    #[must_use]
    pub fn is_of_all(self) -> bool {
        self.kind.is_none() && !self.period.is_given()
    }

    /// The filter as text, one for all that list the same.
    #[must_use]
    pub fn as_text(self) -> String {
        let kind = self.kind.map(EntryKind::as_str).unwrap_or_default();
        format!("ledger/{}/{kind}/{}/{}", text_of(self.view), self.period, text_of(self.at))
    }
}

/// Which contributions.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ContributionFilter {
    /// Of this view.
    pub view: Option<View>,
}

impl ContributionFilter {
    /// Reads its parameter, or the field of a body with the same name.
    pub fn read(form: &mut Form) -> Option<Self> {
        Some(Self { view: form.view("view")? })
    }

    /// The filter as text, one for all that list the same.
    #[must_use]
    pub fn as_text(self) -> String {
        format!("contributions/{}", text_of(self.view))
    }
}

/// Which transfers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RemittanceFilter {
    /// That pay for actions of this view.
    pub view: Option<View>,
    /// Of these days.
    pub period: Period,
    /// That are searched for.
    pub search: Option<RemittanceSearch>,
}

impl RemittanceFilter {
    /// Reads its parameters, or the fields of a body with the same names.
    pub fn read(form: &mut Form) -> Option<Self> {
        let view = form.view("view");
        let period = Period::read(form);
        let search = form.search("q");
        let (view, period, search) = (view?, period?, search?);
        Some(Self { view, period, search: search.map(RemittanceSearch::of) })
    }

    /// The filter as text, one for all that list the same.
    #[must_use]
    pub fn as_text(&self) -> String {
        let search = self.search.as_ref().map(RemittanceSearch::as_text).unwrap_or_default();
        format!("remittances/{}/{}/{search}", text_of(self.view), self.period)
    }
}

/// Which statement.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct StatementFilter {
    /// Of this view.
    pub view: Option<View>,
    /// As it was then, where an earlier state is asked for.
    pub at: Option<Timestamp>,
}

impl StatementFilter {
    /// Reads its parameters, or the fields of a body with the same names.
    pub fn read(form: &mut Form, now: Timestamp) -> Option<Self> {
        let (view, at) = (form.view("view"), form.past("as_of", now));
        Some(Self { view: view?, at: at? })
    }

    /// The parameters that say the same, each where it is given.
    #[must_use]
    pub fn parameters(&self) -> Vec<(&'static str, String)> {
        let view = self.view.map(|view| ("view", view.to_string()));
        let at = self.at.map(|at| ("as_of", at.to_string()));
        view.into_iter().chain(at).collect()
    }
}

fn text_of(given: Option<impl fmt::Display>) -> String {
    given.map(|given| given.to_string()).unwrap_or_default()
}

fn day(text: &str) -> Result<Date, Refusal> {
    let refusal = || Refusal::new("bad-date", "Donnez une date AAAA-MM-JJ.", "Give a day as YYYY-MM-DD.");
    // Digits and hyphens alone: the parser would take other forms of ISO 8601 too.
    let shaped = text.len() == 10 && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
    text.parse().ok().filter(|_| shaped).ok_or_else(refusal)
}
