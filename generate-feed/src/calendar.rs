//! Dates that the fund's year is made of.

use jiff::civil::{self, Date, Weekday};
use jiff::{Span, ToSpan};

/// The day `days` after `date`; the calendar's last day is as late as it gets.
pub(crate) fn after(date: Date, days: u32) -> Date {
    date.saturating_add(span(days))
}

/// The day `days` before `date`.
pub(crate) fn before(date: Date, days: u32) -> Date {
    date.saturating_sub(span(days))
}

/// A century is longer than any story; the bound keeps the number inside what a span can hold.
fn span(days: u32) -> Span {
    i64::from(days.min(36_500)).days()
}

/// The fund transfers money twice a month, on the 10th and the 25th, or on the Monday after: the
/// first such day not before `date`. One run pays a company once, for all that is due, which is
/// why one remittance covers several actions.
pub(crate) fn payment_run(date: Date) -> Date {
    let first = date.first_of_month();
    let next = after(first, 31).first_of_month();
    [on_working_day(after(first, 9)), on_working_day(after(first, 24))]
        .into_iter()
        .find(|run| *run >= date)
        .unwrap_or_else(|| on_working_day(after(next, 9)))
}

fn on_working_day(date: Date) -> Date {
    match date.weekday() {
        Weekday::Saturday => after(date, 2),
        Weekday::Sunday => after(date, 1),
        _ => date,
    }
}

/// The last day of `year`, which closes its view.
pub(crate) fn year_end(year: i16) -> Date {
    civil::date(year, 12, 31)
}

/// The first day of `year`.
pub(crate) fn year_start(year: i16) -> Date {
    civil::date(year, 1, 1)
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn payments_run_twice_a_month_on_working_days() {
        assert_eq!(payment_run(date(2012, 2, 10)), date(2012, 2, 10));
        assert_eq!(payment_run(date(2012, 2, 11)), date(2012, 2, 27), "the 25th is a Saturday");
        assert_eq!(payment_run(date(2012, 2, 28)), date(2012, 3, 12), "the 10th is a Saturday");
        assert_eq!(payment_run(date(2012, 12, 31)), date(2013, 1, 10));
    }

    proptest! {
        #[test]
        fn the_next_run_is_never_past_and_at_most_eighteen_days_ahead(days in 0_u32..20_000) {
            let day = after(date(1990, 1, 1), days);
            let run = payment_run(day);
            prop_assert!(run >= day && run <= after(day, 18));
            prop_assert!(!matches!(run.weekday(), Weekday::Saturday | Weekday::Sunday));
        }
    }
}
