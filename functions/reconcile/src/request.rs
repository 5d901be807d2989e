//! What is to be walked.

use std::collections::BTreeSet;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use portal::domain::MemberNumber;
use serde::Deserialize;
use serde_json::Value;

/// Into how many parts the accounts are divided: one for each hour of the day.
const PARTS: u32 = 24;

/// What an event asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Request {
    /// One account.
    One(MemberNumber),
    /// Every account behind one, so many at most.
    All { after: Option<MemberNumber>, most: Option<usize> },
    /// The accounts whose turn it is in the hour of the day (UTC) at which a schedule started it.
    Hour(Timestamp),
}

/// What an operator writes.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    account: Option<String>,
    after: Option<String>,
    most: Option<usize>,
}

/// A member number as an operator pastes it.
fn number(text: &str) -> Result<MemberNumber, String> {
    MemberNumber::parse(text).map_err(|refusal| refusal.en)
}

/// The hour of the day (UTC).
fn hour(at: Timestamp) -> u32 {
    u32::try_from(at.to_zoned_datetime(TimeZone::UTC).hour()).unwrap_or_default()
}

/// What a schedule sends, as far as it matters.
#[derive(Deserialize)]
struct Scheduled {
    time: Timestamp,
}

impl Request {
    /// Reads an event.
    ///
    /// # Errors
    /// A text that names the field, where it is none of the three.
    pub(crate) fn read(event: Value) -> Result<Self, String> {
        let wrong = |error: serde_json::Error| error.to_string();
        if event.get("detail-type").is_some() {
            let Scheduled { time } = serde_json::from_value(event).map_err(wrong)?;
            return Ok(Self::Hour(time));
        }
        match serde_json::from_value(event).map_err(wrong)? {
            Asked { account: Some(account), after: None, most: None } => number(&account).map(Self::One),
            Asked { account: Some(_), .. } => Err("account stands alone, without after and most".to_owned()),
            Asked { most: Some(0), .. } => Err("most is one at least".to_owned()),
            Asked { account: None, after, most } => {
                Ok(Self::All { after: after.as_deref().map(number).transpose()?, most })
            }
        }
    }

    /// Which of all accounts, in their order; and how many more there are behind `most`.
    pub(crate) fn choose(&self, all: BTreeSet<MemberNumber>) -> Vec<MemberNumber> {
        let wanted = |number: &MemberNumber| match self {
            Self::One(account) => number == account,
            Self::All { after, .. } => after.as_ref().is_none_or(|after| number > after),
            // Six digits, so this is a number.
            Self::Hour(at) => number.as_str().parse::<u32>().unwrap_or_default() % PARTS == hour(*at),
        };
        all.into_iter().filter(wanted).collect()
    }

    /// How many accounts at most.
    pub(crate) fn most(&self) -> usize {
        match self {
            Self::All { most: Some(most), .. } => *most,
            _ => usize::MAX,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn number(text: &str) -> MemberNumber {
        MemberNumber::parse(text).unwrap()
    }

    #[test]
    fn an_event_is_an_account_a_place_to_go_on_or_an_hour() {
        let read = |event| Request::read(event).unwrap();
        assert_eq!(read(json!({"account": "012345"})), Request::One(number("012345")));
        assert_eq!(read(json!({})), Request::All { after: None, most: None });
        let on = Request::All { after: Some(number("012345")), most: Some(7) };
        assert_eq!(read(json!({"after": "012345", "most": 7})), on);
        let scheduled = json!({"detail-type": "Scheduled Event", "time": "2026-11-23T09:59:59Z", "detail": "{}"});
        assert_eq!(read(scheduled), Request::Hour("2026-11-23T09:59:59Z".parse().unwrap()));
    }

    #[test]
    fn what_is_none_of_these_is_told_by_its_field() {
        for (event, told) in [
            (json!({"acount": "012345"}), "acount"),
            (json!({"account": "12345"}), "6 digits"),
            (json!({"account": "012345", "after": "012345"}), "account stands alone"),
            (json!({"most": 0}), "most"),
            (json!({"most": -1}), "-1"),
            (json!({"detail-type": "Scheduled Event"}), "time"),
            (json!([]), "expected"),
            (json!(null), "expected"),
        ] {
            let error = Request::read(event.clone()).unwrap_err();
            assert!(error.contains(told), "{event}: {error}");
        }
    }

    #[test]
    fn the_hours_of_a_day_have_every_account_once() {
        let all: BTreeSet<_> = (0..1_000).map(|n| number(&format!("{:06}", n * 997 % 1_000_000))).collect();
        let hours = (0..PARTS).map(|hour| format!("2026-11-23T{hour:02}:15:00Z").parse().unwrap());
        let mut seen: Vec<_> = hours.flat_map(|hour| Request::Hour(hour).choose(all.clone())).collect();
        seen.sort();
        assert_eq!(seen, all.iter().cloned().collect::<Vec<_>>());
        let behind = Request::All { after: seen.get(899).cloned(), most: None }.choose(all);
        assert_eq!(behind, seen[900..]);
    }
}
