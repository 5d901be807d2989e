//! Reading which state of the ledger is asked for.

use jiff::{SignedDuration, Timestamp};

use super::{Form, Problem};
use crate::domain::Refusal;

/// Two machines' clocks may be apart by as much, and the last posting a moment ahead of both.
const AHEAD: SignedDuration = SignedDuration::from_secs(1);

impl Form {
    /// An instant that has passed by `now`, if one is given.
    pub fn past(&mut self, name: &str, now: Timestamp) -> Option<Option<Timestamp>> {
        self.optional(name, |text| past(text, now))
    }
}

fn past(text: &str, now: Timestamp) -> Result<Timestamp, Refusal> {
    let refusal = || {
        Refusal::new(
            "bad-instant",
            "Donnez un instant en UTC, comme 2012-10-15T08:21:40Z.",
            "Give an instant in UTC, such as 2012-10-15T08:21:40Z.",
        )
    };
    // The parser takes other forms and offsets as well, of which `+` is a space in a query.
    let instant: Timestamp = text.parse().ok().filter(|_| text.ends_with('Z')).ok_or_else(refusal)?;
    if instant.duration_since(now) > AHEAD {
        return Err(Refusal::new(
            "instant-in-the-future",
            "Cet instant n’est pas encore passé : donnez-en un qui l’est.",
            "This instant has not come yet: give one that has.",
        ));
    }
    Ok(instant)
}

/// The problem of an instant by which nothing had been booked.
#[must_use]
pub fn before_the_first_booking(field: &str) -> Problem {
    let refusal = Refusal::new(
        "before-the-first-booking",
        "Rien n’était encore comptabilisé à cet instant : donnez-en un plus tardif.",
        "Nothing had been booked by this instant: give a later one.",
    );
    Problem::field(field, refusal)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instant_is_of_one_form_and_of_the_past() {
        let now: Timestamp = "2012-10-15T08:21:40Z".parse().unwrap();
        let read = |text: &str| past(text, now).map_err(|refusal| refusal.code);
        assert_eq!(read("2012-10-15T08:21:40Z"), Ok(now));
        assert_eq!(read("2012-10-15T08:21:40.999Z").map(|at| at.as_millisecond() - now.as_millisecond()), Ok(999));
        assert!(read("1999-12-31T23:59:59.5Z").is_ok());
        for future in ["2012-10-15T08:21:42Z", "2013-01-01T00:00:00Z", "9999-12-30T00:00:00Z"] {
            assert_eq!(read(future), Err("instant-in-the-future"), "{future}");
        }
        for bad in
            ["", "2012-10-15", "2012-10-15T08:21:40", "2012-10-15T08:21:40 02:00", "yesterday", "1350289300", "Z"]
        {
            assert_eq!(read(bad), Err("bad-instant"), "{bad}");
        }
    }
}
