//! The totals of an account in brief, held against the entries.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use portal::domain::View;
use portal::store::{AccountTotals, Booked};

use crate::drift::{Fields, Found};
use crate::sums::ViewSums;

/// How long they may be behind: an import writes them right after what they are of, and one that was cut off in between
/// has gone on long before.
const BEHIND_FOR: SignedDuration = SignedDuration::from_hours(1);

/// Tells where they are not the figures of the state that they name, or are of an earlier state for too long, or of one
/// that was never there. `views` and `booked` are what the entries add up to.
pub(crate) fn hold(
    brief: Option<&AccountTotals>,
    views: &BTreeMap<View, ViewSums>,
    booked: Booked,
    now: Timestamp,
    found: &mut Found,
) {
    let state = brief.map(|brief| brief.booked).unwrap_or_default();
    let is_late = booked.at.is_some_and(|at| now.duration_since(at) > BEHIND_FOR);
    let is_behind = state.postings <= booked.postings && state.versions <= booked.versions && state.at <= booked.at;
    if state != booked && is_behind && !is_late {
        return;
    }
    let Some(brief) = brief else {
        if booked != Booked::default() {
            found.missing("TOTALS");
        }
        return;
    };
    let (mut stored, mut computed) = (Fields::default(), Fields::default());
    put_state(&mut stored, brief.booked);
    put_state(&mut computed, booked);
    for (view, figures) in &brief.views {
        let sums = figures.of_actions;
        for (name, cents) in [
            ("committed", sums.committed),
            ("paid_to_company", sums.paid.to_company),
            ("paid_to_providers", sums.paid.to_providers),
            ("in_progress", sums.in_progress),
            ("remaining", sums.remaining),
            ("overpaid", sums.overpaid),
            ("recovered", sums.recovered),
            ("contributed", figures.contributed),
        ] {
            stored.put(format!("views.{view}.{name}"), cents.0);
        }
    }
    for (view, sums) in views.iter().filter(|(_, sums)| sums.is_shown()) {
        sums.put_sums(&format!("views.{view}"), &mut computed);
    }
    found.compare("TOTALS", &stored, &computed);
}

fn put_state(fields: &mut Fields, Booked { postings, versions, at }: Booked) {
    fields.put("postings", postings);
    fields.put("versions", versions);
    fields.put_some("booked_at", at.map(Timestamp::as_millisecond));
}

#[cfg(test)]
mod tests {
    use portal::domain::{Cents, Effect, MemberNumber};

    use super::*;

    const BOOKED: &str = "2012-06-01T02:00:00Z";

    fn number() -> MemberNumber {
        MemberNumber::parse("012345").unwrap()
    }

    /// A contribution of an euro, and the state that it makes.
    fn one_contribution() -> (BTreeMap<View, ViewSums>, Booked) {
        let mut sums = ViewSums::default();
        sums.add_contribution(Effect { contributed: Cents(100), ..Effect::default() }, 1);
        let booked = Booked { postings: 1, versions: 0, at: Some(BOOKED.parse().unwrap()) };
        ([(View::parse("2012").unwrap(), sums)].into(), booked)
    }

    /// What is right of it.
    fn right() -> AccountTotals {
        let mut brief = AccountTotals::of(number(), &[]);
        let figures = portal::store::ViewTotals { contributed: Cents(100), ..Default::default() };
        brief.views.insert(View::parse("2012").unwrap(), figures);
        brief.booked = one_contribution().1;
        brief
    }

    /// The fields that drift so long after the last was booked.
    fn drifts(
        brief: Option<&AccountTotals>,
        (views, booked): &(BTreeMap<View, ViewSums>, Booked),
        minutes: i64,
    ) -> Vec<String> {
        let mut found = Found::nothing(number());
        let now = BOOKED.parse::<Timestamp>().unwrap() + SignedDuration::from_mins(minutes);
        hold(brief, views, *booked, now, &mut found);
        found.kept.into_iter().map(|drift| drift.field).collect()
    }

    #[test]
    fn they_may_be_behind_for_an_hour() {
        let nothing = AccountTotals::of(number(), &[]);
        for (minutes, late) in [(0, false), (60, false), (61, true)] {
            assert_eq!(
                !drifts(None, &one_contribution(), minutes).is_empty(),
                late,
                "none is there, {minutes} minutes"
            );
            assert_eq!(
                !drifts(Some(&nothing), &one_contribution(), minutes).is_empty(),
                late,
                "an earlier one, {minutes}"
            );
        }
        let no_ledger = (BTreeMap::new(), Booked::default());
        assert!(drifts(None, &no_ledger, 100).is_empty());
    }

    #[test]
    fn what_they_say_of_the_present_state_is_right_at_once() {
        assert!(drifts(Some(&right()), &one_contribution(), 0).is_empty());
        let mut wrong = right();
        wrong.views.values_mut().for_each(|view| view.contributed = Cents(101));
        assert_eq!(drifts(Some(&wrong), &one_contribution(), 0), ["views.2012.contributed"]);
        wrong.views.clear();
        assert_eq!(drifts(Some(&wrong), &one_contribution(), 0).len(), 8);
    }

    #[test]
    fn a_state_that_was_never_there_is_told_at_once() {
        let mut ahead = right();
        ahead.booked.postings = 2;
        assert_eq!(drifts(Some(&ahead), &one_contribution(), 0), ["postings"]);
        let no_ledger = (BTreeMap::new(), Booked::default());
        assert_eq!(drifts(Some(&ahead), &no_ledger, 0).len(), 10, "nothing was posted at all");
    }
}
