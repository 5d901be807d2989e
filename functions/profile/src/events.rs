//! The events of a user's export: what concerns them, and what they did to others.

use std::cmp::Reverse;
use std::time::Duration;

use jiff::Timestamp;
use portal::http::Answer;
use portal::store::{AuditEvent, RequestOrigin, User, Witness};
use serde_json::{Value, json};

/// How many events an answer has at most. Each weighs some 1.7 kB at worst, with a browser's name of nothing but
/// quotation marks, and Lambda carries 6 MB.
pub(crate) const MOST_EVENTS: usize = 2_000;

/// The newest events, in that order, and the one behind them where there are older ones.
pub(crate) struct Newest {
    pub(crate) events: Vec<AuditEvent>,
    pub(crate) behind: Option<AuditEvent>,
}

/// Two lists of events, each the newest of its own, as one.
pub(crate) fn newest_of_both(
    (mut events, one_behind): (Vec<AuditEvent>, Option<AuditEvent>),
    (others, other_behind): (Vec<AuditEvent>, Option<AuditEvent>),
) -> Newest {
    events.extend(others);
    events.extend(one_behind);
    events.extend(other_behind);
    events.sort_by_key(|event| Reverse((event.at, event.event_id)));
    let behind = (events.len() > MOST_EVENTS).then(|| events.swap_remove(MOST_EVENTS));
    events.truncate(MOST_EVENTS);
    Newest { events, behind }
}

/// Events in the order of their time, as many as weigh no more than `room`, and the instant before which the rest is.
/// What is of one millisecond stays together.
pub(crate) fn as_many_as_fit(newest: Newest, user: &User, mut room: usize) -> (Value, Option<Timestamp>) {
    let Newest { events, mut behind } = newest;
    let mut told = Vec::new();
    for one in events {
        let shown = event(&one, user);
        let weight = Answer::weight_of(&shown);
        // One at least, so that who asks again gets on.
        if weight > room && !told.is_empty() {
            behind = Some(one);
            break;
        }
        room = room.saturating_sub(weight);
        told.push((one.at, shown));
    }
    let next = behind.map(|behind| behind.at + Duration::from_millis(1));
    told.retain(|(at, _)| next.is_none_or(|next| *at >= next));
    (told.into_iter().rev().map(|(_, shown)| shown).collect(), next)
}

/// An event as its subject, or whoever brought it about, sees it.
fn event(event: &AuditEvent, user: &User) -> Value {
    let about_yourself = event.subject == user.user_id;
    with_witness(
        &event.witness,
        event.seen(&user.seal_key),
        json!({
            "id": event.event_id,
            "event": event.event,
            "at": event.at,
            "outcome": event.outcome,
            // Others are not named to each other.
            "by_yourself": event.actor == Some(user.user_id),
            "about_yourself": about_yourself,
            // As the account's list of users showed them to whoever did it.
            "other_id": (!about_yourself).then_some(event.subject),
            "member_number": event.member_number,
            "detail": event.detail,
        }),
    )
}

/// What a witness saw, beside what it testifies. One that was sealed under another's key, as of a manager's
/// act, stays shut.
pub(crate) fn with_witness(witness: &Witness, seen: Option<RequestOrigin>, mut testified: Value) -> Value {
    testified["request_id"] = json!(witness.request_id);
    testified["ip"] = json!(seen.as_ref().and_then(|seen| seen.ip.as_ref()));
    testified["user_agent"] = json!(seen.as_ref().and_then(|seen| seen.user_agent.as_ref()));
    testified
}

#[cfg(test)]
mod tests {
    use portal::domain::{Civility, Email, Id, JobTitle, PersonName, Siret};
    use portal::security::SealKey;
    use portal::store::EventKind;

    use super::*;

    /// A user, and events of theirs at these milliseconds.
    fn events_at(milliseconds: &[i64]) -> (User, Vec<AuditEvent>) {
        let mut rng = portal::environment::rng();
        let seal_key = SealKey::random(&mut rng);
        let user = User {
            user_id: Id::random(&mut rng),
            email: Email::parse("jeanne@martin.example").unwrap(),
            civility: Civility::parse("mme").unwrap(),
            last_name: PersonName::parse("MARTIN").unwrap(),
            first_name: PersonName::parse("Jeanne").unwrap(),
            job_title: JobTitle::parse("Comptable").unwrap(),
            siret: Siret::parse("53384615000019").unwrap(),
            siret_since: None,
            epoch: 0,
            origin: None,
            created_at: Timestamp::UNIX_EPOCH,
            accepted_charter: None,
            email_changes: Vec::new(),
            email_problem: None,
            dealings: 0,
            next_claim_at: None,
            seal_key,
        };
        let mut event = |millisecond: &i64| {
            let witness = Witness::seal("r", None, None, &user.seal_key, &mut rng).unwrap();
            let at = Timestamp::from_millisecond(*millisecond).unwrap();
            AuditEvent::by_user(user.user_id, EventKind::LoggedIn, at, witness)
        };
        let events = milliseconds.iter().map(&mut event).collect();
        (user, events)
    }

    fn given(newest_first: &[i64], behind: Option<i64>, most: usize) -> (Vec<i64>, Option<i64>) {
        let (user, events) = events_at(newest_first);
        let (_, behind) = events_at(&behind.into_iter().collect::<Vec<_>>());
        let room = most * Answer::weight_of(&event(&events[0], &user));
        let (events, before) = as_many_as_fit(Newest { events, behind: behind.into_iter().next() }, &user, room);
        let at = |event: &Value| event["at"].as_str().unwrap().parse::<Timestamp>().unwrap().as_millisecond();
        (events.as_array().unwrap().iter().map(at).collect(), before.map(Timestamp::as_millisecond))
    }

    #[test]
    fn events_of_a_millisecond_stay_together() {
        assert_eq!(given(&[9, 7, 7, 5], None, 9), (vec![5, 7, 7, 9], None));
        assert_eq!(given(&[9, 7, 7], Some(5), 9), (vec![7, 7, 9], Some(6)));
        assert_eq!(given(&[9, 7], Some(7), 9), (vec![9], Some(8)), "both of 7 come next");
    }

    #[test]
    fn events_for_which_there_is_no_room_come_next() {
        assert_eq!(given(&[9, 8, 7, 5], None, 2), (vec![8, 9], Some(8)));
        assert_eq!(given(&[9, 7, 7, 5], Some(3), 2), (vec![9], Some(8)), "both of 7 come next");
    }

    #[test]
    fn of_two_lists_the_newest_come_first_and_one_is_behind() {
        let all = |milliseconds: Vec<i64>| events_at(&milliseconds).1;
        let begun = i64::try_from(MOST_EVENTS).unwrap() * 2;
        let even = all((0..begun / 2).map(|n| begun - 2 * n).collect());
        let odd = all((0..begun / 2).map(|n| begun - 2 * n - 1).collect());
        let Newest { events, behind } = newest_of_both((even, None), (odd, None));
        let at: Vec<_> = events.iter().map(|event| event.at.as_millisecond()).collect();
        assert!(at.is_sorted_by_key(|at| Reverse(*at)) && at.len() == MOST_EVENTS && at[0] == begun);
        assert_eq!(behind.map(|behind| behind.at.as_millisecond()), at.last().map(|last| last - 1));
    }
}
