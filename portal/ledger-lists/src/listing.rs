//! A list with its filter: what a file is asked to have.

use jiff::Timestamp;
use portal::domain::{MemberNumber, View, ViewRule, folded};
use portal::http::{Form, Problem};
use portal::store::{ExportFormat, ExportedList, Facets};

use crate::filter::{ActionFilter, ContributionFilter, EntryFilter, Period, RemittanceFilter};
use crate::search::{ActionSearch, RemittanceSearch};
use crate::sort::Sort;

/// How much of a search stands in the name of a file, in bytes.
const LONGEST_WORDS: usize = 40;

/// A list with its filter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Listing {
    /// Entries; without a view those of all.
    Ledger(EntryFilter),
    /// Actions; without a view those of the one that is meant.
    Actions(ActionFilter),
    /// Contributions; without a view those of the one that is meant.
    Contributions(ContributionFilter),
    /// Transfers; without a view those of all.
    Remittances(RemittanceFilter),
}

impl Listing {
    /// Reads the filter of a list: the parameters of its query, or the fields of a body with the same names.
    pub fn read(list: ExportedList, form: &mut Form, now: Timestamp) -> Option<Self> {
        match list {
            ExportedList::Ledger => EntryFilter::read(form, now).map(Self::Ledger),
            ExportedList::Actions => ActionFilter::read(form).map(Self::Actions),
            ExportedList::Contributions => ContributionFilter::read(form).map(Self::Contributions),
            ExportedList::Remittances => RemittanceFilter::read(form).map(Self::Remittances),
        }
    }

    /// Reads what [`Self::parameters`] gave by `now`.
    ///
    /// # Errors
    /// Where it is of another list.
    pub fn of_texts(
        list: ExportedList,
        texts: impl IntoIterator<Item = (String, String)>,
        now: Timestamp,
    ) -> Result<Self, Problem> {
        let mut form = Form::of_texts(texts);
        let listing = Self::read(list, &mut form, now);
        form.finish((listing,)).map(|(listing,)| listing)
    }

    /// Which list.
    #[must_use]
    pub fn list(&self) -> ExportedList {
        match self {
            Self::Ledger(_) => ExportedList::Ledger,
            Self::Actions(_) => ExportedList::Actions,
            Self::Contributions(_) => ExportedList::Contributions,
            Self::Remittances(_) => ExportedList::Remittances,
        }
    }

    /// The view that it names.
    #[must_use]
    pub fn view(&self) -> Option<View> {
        match self {
            Self::Ledger(filter) => filter.view,
            Self::Actions(filter) => filter.view,
            Self::Contributions(filter) => filter.view,
            Self::Remittances(filter) => filter.view,
        }
    }

    /// Whether it is of one view and does not say which.
    #[must_use]
    pub fn is_of_meant_view(&self) -> bool {
        matches!(self, Self::Actions(_) | Self::Contributions(_)) && self.view().is_none()
    }

    /// The same, of the view that is meant where it is of one and does not say which.
    #[must_use]
    pub fn of_meant_view(mut self, facets: &[Facets], rule: ViewRule, now: Timestamp) -> Self {
        let shown = facets.iter().filter(|facets| facets.is_shown()).map(|facets| facets.view);
        let meant = Some(rule.default_of(shown, now));
        match &mut self {
            Self::Actions(ActionFilter { view, .. }) | Self::Contributions(ContributionFilter { view }) => {
                *view = view.or(meant);
            }
            Self::Ledger(_) | Self::Remittances(_) => {}
        }
        self
    }

    /// The parameters that say the same, each where it is given.
    #[must_use]
    pub fn parameters(&self) -> Vec<(&'static str, String)> {
        let mut all = Parameters::default();
        all.add("view", self.view());
        match self {
            Self::Ledger(EntryFilter { view: _, kind, period, at }) => {
                all.add("kind", kind.map(|kind| kind.as_str()));
                all.add_days(*period);
                all.add("as_of", *at);
            }
            Self::Actions(ActionFilter { view: _, status, scheme, search, sort }) => {
                all.add("status", status.map(|status| status.as_str()));
                all.add("scheme", scheme.map(|scheme| scheme.as_str()));
                all.add("q", search.as_ref().map(ActionSearch::typed));
                all.add("sort", Some(sort.as_text()).filter(|_| *sort != Sort::default()));
            }
            Self::Contributions(ContributionFilter { view: _ }) => {}
            Self::Remittances(RemittanceFilter { view: _, period, search }) => {
                all.add_days(*period);
                all.add("q", search.as_ref().map(RemittanceSearch::typed));
            }
        }
        all.0
    }

    /// `ledger-012345-2011.csv`, `actions-012345-2012-paid-plan.xlsx`, `remittances-012345-20120201-20120229.csv`: the list,
    /// the account, and what is filtered by. Plain ASCII, without quotation marks.
    #[must_use]
    pub fn file_name(&self, number: &MemberNumber, format: ExportFormat) -> String {
        let mut name = format!("{}-{number}", self.list().as_str());
        for (parameter, value) in self.parameters() {
            let value = match parameter {
                // An order is no filter.
                "sort" => continue,
                "from" => format!("from-{value}"),
                "to" => format!("to-{value}"),
                "as_of" => format!("as-of-{value}"),
                "q" => format!("q-{value}"),
                _ => value,
            };
            name.push('-');
            name.push_str(&plain(&value));
        }
        format!("{}.{}", name.trim_end_matches('-'), format.ending())
    }
}

/// Small letters and digits, with hyphens between; the beginning of a long text.
fn plain(text: &str) -> String {
    let ascii = |character: char| if character.is_ascii_alphanumeric() { character } else { ' ' };
    let text: String = folded(text).chars().map(ascii).collect();
    let mut plain = text.split_whitespace().collect::<Vec<_>>().join("-");
    plain.truncate(LONGEST_WORDS);
    plain
}

#[derive(Default)]
struct Parameters(Vec<(&'static str, String)>);

impl Parameters {
    fn add(&mut self, name: &'static str, value: Option<impl ToString>) {
        self.0.extend(value.map(|value| (name, value.to_string())));
    }

    fn add_days(&mut self, Period { from, to }: Period) {
        self.add("from", from);
        self.add("to", to);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: &str = "2026-11-30T12:00:00Z";

    fn listing(list: ExportedList, parameters: &[(&str, &str)]) -> Result<Listing, Problem> {
        let texts = parameters.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Listing::of_texts(list, texts, NOW.parse().unwrap())
    }

    /// One of each parameter of each list.
    fn all() -> Vec<(ExportedList, Vec<(&'static str, &'static str)>)> {
        let days = [("from", "2012-01-01"), ("to", "2012-06-30")];
        let entries =
            [&[("view", "2012"), ("kind", "PAYMENT_TO_COMPANY")], &days[..], &[("as_of", "2012-10-15T08:21:40Z")]];
        let actions =
            [("view", "2011"), ("status", "PAID"), ("scheme", "PLAN"), ("q", "Étoile « r482 »"), ("sort", "-title")];
        vec![
            (ExportedList::Ledger, entries.concat()),
            (ExportedList::Actions, actions.to_vec()),
            (ExportedList::Contributions, vec![("view", "2012")]),
            (ExportedList::Remittances, [&[("view", "2011")], &days[..], &[("q", "1 300,00 €")]].concat()),
        ]
    }

    #[test]
    fn a_filter_comes_back_from_its_parameters_each_of_which_counts() {
        for (list, parameters) in all() {
            let whole = listing(list, &parameters).unwrap();
            let again: Vec<_> = whole.parameters();
            let again: Vec<_> = again.iter().map(|(name, value)| (*name, value.as_str())).collect();
            assert_eq!(again, parameters);
            assert_eq!(whole.list(), list);
            for left_out in 0..parameters.len() {
                let mut fewer = parameters.clone();
                fewer.remove(left_out);
                assert_ne!(listing(list, &fewer).unwrap(), whole, "{:?} counts for nothing", parameters[left_out]);
            }
            assert!(listing(list, &[]).unwrap().parameters().is_empty());
            assert!(listing(list, &[("other", "x")]).is_err(), "what a list does not know is refused");
        }
    }

    #[test]
    fn a_file_is_named_by_its_list_and_filter() {
        let number = MemberNumber::parse("012345").unwrap();
        let names = all()
            .into_iter()
            .map(|(list, parameters)| listing(list, &parameters).unwrap().file_name(&number, ExportFormat::Csv));
        assert_eq!(
            names.collect::<Vec<_>>(),
            [
                "ledger-012345-2012-payment-to-company-from-2012-01-01-to-2012-06-30-as-of-2012-10-15t08-21-40z.csv",
                "actions-012345-2011-paid-plan-q-etoile-r482.csv",
                "contributions-012345-2012.csv",
                "remittances-012345-2011-from-2012-01-01-to-2012-06-30-q-1-300-00.csv",
            ]
        );
        let none = listing(ExportedList::Ledger, &[]).unwrap();
        assert_eq!(none.file_name(&number, ExportFormat::Xlsx), "ledger-012345.xlsx");
        let odd = listing(ExportedList::Remittances, &[("q", "\"../Ω\" €")]).unwrap();
        assert_eq!(odd.file_name(&number, ExportFormat::Csv), "remittances-012345-q.csv");
        let long = "caces ".repeat(30);
        let long = listing(ExportedList::Actions, &[("q", long.trim())]).unwrap();
        assert!(long.file_name(&number, ExportFormat::Csv).len() < 80);
    }
}
