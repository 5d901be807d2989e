//! What a list of actions is asked for.

use portal::domain::{ActionStatus, Refusal, Scheme, View};
use portal::http::{Form, Problem};

const DEFAULT_LIMIT: usize = 50;
const LARGEST_LIMIT: usize = 200;

/// A list's query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Asked {
    pub(crate) filter: Filter,
    pub(crate) cursor: Option<String>,
    pub(crate) limit: usize,
}

/// Which actions; the latest view where none is named.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Filter {
    /// Of this view.
    pub view: Option<View>,
    /// In this status.
    pub status: Option<ActionStatus>,
    /// Of this scheme.
    pub scheme: Option<Scheme>,
}

impl Filter {
    /// The filter as text, different for different filters: a cursor is bound to it.
    pub(crate) fn as_text(self) -> String {
        let view = self.view.map(|view| view.to_string()).unwrap_or_default();
        let status = self.status.map(ActionStatus::as_str).unwrap_or_default();
        format!("{view}/{status}/{}", self.scheme.map(Scheme::as_str).unwrap_or_default())
    }
}

/// Reads a query.
pub(crate) fn read(mut form: Form) -> Result<Asked, Problem> {
    let view = form.optional("view", |text| {
        let refusal =
            || Refusal::new("bad-view", "Donnez un exercice sur 4 chiffres.", "Give a view as a year of 4 digits.");
        View::parse(text).ok_or_else(refusal)
    });
    let status = form.optional("status", |text| {
        let refusal = || Refusal::new("unknown-status", "Ce statut n’existe pas.", "There is no such status.");
        ActionStatus::parse(text).ok_or_else(refusal)
    });
    let scheme = form.optional("scheme", |text| {
        let refusal = || Refusal::new("unknown-scheme", "Ce dispositif n’existe pas.", "There is no such scheme.");
        Scheme::parse(text).ok_or_else(refusal)
    });
    let limit = form.optional("limit", |text| {
        let digits = text.bytes().all(|byte| byte.is_ascii_digit());
        let limit = text.parse().ok().filter(|limit| digits && (1..=LARGEST_LIMIT).contains(limit));
        limit.ok_or_else(|| {
            Refusal::new("bad-limit", "Donnez un nombre entier de 1 à 200.", "Give a whole number from 1 to 200.")
        })
    });
    let cursor = form.optional("cursor", |text| Ok(text.to_owned()));
    let (view, status, scheme, limit, cursor) = form.finish((view, status, scheme, limit, cursor))?;
    Ok(Asked { filter: Filter { view, status, scheme }, cursor, limit: limit.unwrap_or(DEFAULT_LIMIT) })
}
