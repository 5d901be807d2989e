//! Views (*exercices*): the ledger years that the fund shows (leaflet S58-S59).

use std::fmt;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, tz};
use serde::{Deserialize, Serialize};

use super::Refusal;

/// Where the fund's day ends.
pub static FUND_ZONE: TimeZone = tz::get!("Europe/Paris");

/// A view, named by its year.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct View(i16);

impl View {
    /// The latest that there can be.
    pub const LAST: Self = Self(9999);

    /// Reads a year from 1000 to 9999, as it stands in a query or a key: it has one spelling, of four digits.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let four_digits = text.len() == 4 && text.bytes().all(|byte| byte.is_ascii_digit());
        (four_digits && !text.starts_with('0')).then(|| text.parse().ok().map(Self))?
    }

    /// Reads the year that a client names.
    ///
    /// # Errors
    /// `bad-view` where it is none from 1000 to 9999.
    pub fn read(text: &str) -> Result<Self, Refusal> {
        let refusal =
            || Refusal::new("bad-view", "Donnez un exercice sur 4 chiffres.", "Give a view as a year of 4 digits.");
        Self::parse(text).ok_or_else(refusal)
    }

    /// The year.
    #[must_use]
    pub fn year(self) -> i16 {
        self.0
    }

    /// The last day of the view: 31/12, or today while the year runs.
    #[must_use]
    pub fn last_day(self, today: Date) -> Date {
        if self.0 == today.year() { today } else { Date::constant(self.0, 12, 31) }
    }

    /// The first day of the view; the first view has none, it holds everything before it too.
    #[must_use]
    pub fn first_day(self, rule: ViewRule) -> Option<Date> {
        (self != rule.first).then(|| Date::constant(self.0, 1, 1))
    }
}

impl fmt::Display for View {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:04}", self.0)
    }
}

/// Which view an action or a contribution belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ViewRule {
    first: View,
}

impl ViewRule {
    /// The rule with its first view (a stack parameter, 2011 by default).
    #[must_use]
    pub fn starting(first: View) -> Self {
        Self { first }
    }

    /// The view of an action engaged on this day: its year, the first view for all before.
    ///
    /// A payment goes with its action: what is paid in 2013 on an action of 2011 shows in view 2011.
    #[must_use]
    pub fn of_engagement(self, engaged: Date) -> View {
        self.of_year(engaged.year())
    }

    /// The view of a contribution for this year, by the same rule.
    #[must_use]
    pub fn of_year(self, year: i16) -> View {
        View(year).max(self.first)
    }

    /// The view that is meant where none is named, of those that are shown: the latest that is not after next year's,
    /// as a year that is mistyped would be. Where all are, the first of these; where none is shown, this year's.
    #[must_use]
    pub fn default_of(self, shown: impl IntoIterator<Item = View>, now: Timestamp) -> View {
        let last = self.last_default(now);
        let (usual, ahead): (Vec<View>, Vec<View>) = shown.into_iter().partition(|view| *view <= last);
        usual.into_iter().max().or(ahead.into_iter().min()).unwrap_or_else(|| self.of_today(now))
    }

    /// The latest view that is meant where none is named: next year's, in which some actions are engaged already.
    #[must_use]
    pub fn last_default(self, now: Timestamp) -> View {
        self.of_year(fund_day(now).year().saturating_add(1))
    }

    /// The view of what is engaged today: the latest of every account that still trains.
    #[must_use]
    pub fn of_today(self, now: Timestamp) -> View {
        self.of_engagement(fund_day(now))
    }
}

/// The fund's calendar day at an instant (Europe/Paris).
#[must_use]
pub fn fund_day(now: Timestamp) -> Date {
    now.to_zoned_datetime(FUND_ZONE.clone()).date()
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use proptest::prelude::*;

    use super::*;

    fn rule() -> ViewRule {
        ViewRule::starting(View::parse("2011").unwrap())
    }

    #[test]
    fn the_leaflets_two_views_part_at_midnight_of_31_12_2011() {
        assert_eq!(rule().of_engagement(date(2011, 12, 31)).year(), 2011);
        assert_eq!(rule().of_engagement(date(2012, 1, 1)).year(), 2012);
        assert_eq!(rule().of_engagement(date(2009, 3, 2)).year(), 2011);
        assert_eq!(rule().of_year(2010).year(), 2011);
    }

    #[test]
    fn the_day_ends_at_midnight_in_paris() {
        assert_eq!(fund_day("2012-12-31T22:59:59Z".parse().unwrap()), date(2012, 12, 31));
        assert_eq!(fund_day("2012-12-31T23:00:00Z".parse().unwrap()), date(2013, 1, 1));
        assert_eq!(fund_day("2012-06-30T22:00:00Z".parse().unwrap()), date(2012, 7, 1));
    }

    #[test]
    fn a_running_view_ends_today_and_the_first_has_no_start() {
        let (first, second) = (rule().of_year(2011), rule().of_year(2012));
        assert_eq!(second.last_day(date(2012, 10, 15)), date(2012, 10, 15));
        assert_eq!(first.last_day(date(2012, 10, 15)), date(2011, 12, 31));
        assert_eq!((first.first_day(rule()), second.first_day(rule())), (None, Some(date(2012, 1, 1))));
    }

    #[test]
    fn a_view_has_one_spelling() {
        let read = |text: &str| View::parse(text).map(View::year);
        assert_eq!([read("1000"), read("2012"), read("9999")], [Some(1000), Some(2012), Some(9999)]);
        for wrong in ["", "0999", "0000", "999", "02012", "20120", "+2012", "-2012", " 2012", "2012 ", "2012.0", "20.1"]
        {
            assert_eq!(read(wrong), None, "{wrong:?}");
        }
    }

    #[test]
    fn the_view_that_is_meant_is_the_latest_that_is_shown_and_not_after_next_years() {
        let now: Timestamp = "2026-12-31T22:59:59Z".parse().unwrap();
        let meant = |years: &[i16]| rule().default_of(years.iter().map(|year| View(*year)), now).year();
        assert_eq!(meant(&[2011, 2012]), 2012);
        assert_eq!(meant(&[2027, 2012, 2062]), 2027);
        assert_eq!(meant(&[2012, 2028]), 2012);
        assert_eq!(meant(&[2062, 2028]), 2028, "better what is there than nothing");
        assert_eq!(meant(&[]), 2026);
        let next_year = rule().default_of([View(2012), View(2028)], "2026-12-31T23:00:00Z".parse().unwrap());
        assert_eq!(next_year.year(), 2028, "the fund's day has ended");
    }

    proptest! {
        #[test]
        fn a_view_is_never_before_the_first_nor_other_than_the_year(year in 1990_i16..2100, month in 1_i8..=12) {
            let view = rule().of_engagement(date(year, month, 1));
            prop_assert_eq!(view.year(), year.max(2011));
            prop_assert_eq!(View::parse(&view.to_string()), Some(view));
        }
    }
}
