//! What is called drift, and what is only somebody posting meanwhile.

use super::*;
use crate::reading::Reading;

/// A reading with drift or without, of a state that a letter names.
fn saw(state: &str, drift: bool) -> Read {
    let mut read = Reading::of(MemberNumber::parse("012345").unwrap(), &HashMap::new()).end(Timestamp::UNIX_EPOCH);
    read.seen = state.as_bytes().to_vec();
    if drift {
        read.found.missing("TOTALS#2011");
    }
    read
}

/// How many readings it takes, whether drift is left, and whether the account is called busy.
async fn ends(readings: Vec<Read>) -> (usize, bool, bool) {
    let (count, mut readings) = (readings.len(), readings.into_iter());
    let (last, busy) = settled(|| std::future::ready(Ok(readings.next().unwrap()))).await.unwrap();
    (count - readings.len(), last.found.count > 0, busy)
}

#[tokio::test]
async fn drift_is_what_two_readings_of_one_state_have() {
    assert_eq!(ends(vec![saw("a", false)]).await, (1, false, false));
    assert_eq!(ends(vec![saw("a", true), saw("a", true)]).await, (2, true, false));
    assert_eq!(ends(vec![saw("a", true), saw("b", true), saw("b", true)]).await, (3, true, false));
}

#[tokio::test]
async fn drift_that_is_gone_in_another_state_was_a_posting() {
    assert_eq!(ends(vec![saw("a", true), saw("b", false)]).await, (2, false, false));
    assert_eq!(ends(vec![saw("a", true), saw("b", true), saw("c", false)]).await, (3, false, false));
}

#[tokio::test]
async fn an_account_that_never_stands_still_is_busy() {
    let states = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j"];
    assert_eq!(ends(states.map(|state| saw(state, true)).into()).await, (10, true, true));
}
