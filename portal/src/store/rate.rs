//! How often something may come from one place of the network.

use std::net::{IpAddr, Ipv6Addr};
use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;

use super::{Change, Condition, Item, Key, Refused, Step, Store, StoreError, Table, Transaction};

/// So many within so long, from one IPv4 address or one IPv6 network of 64 bits.
///
/// An item holds the instants of those that passed, newest first, and one conditional write both asks and
/// counts: the n-th newest has to be older than the window. Nothing has to be read before, and requests in
/// parallel cannot slip through together.
#[derive(Debug, Clone, Copy)]
pub struct RateLimit {
    name: &'static str,
    most: usize,
    window: Duration,
}

/// One that wishes to pass: what has to be written for it.
#[derive(Debug, Clone)]
pub struct Passage {
    limit: RateLimit,
    place: Key,
    now: Timestamp,
    /// The list as it was read, where it has grown so long that it is written anew.
    replaced: Option<Vec<i64>>,
}

/// Why one did not pass.
#[derive(Debug)]
pub enum Held {
    /// The limit is reached: so many seconds are left.
    For(u32),
    /// The list had grown long, or changed: it is asked once more, in this way.
    Again(Passage),
}

/// A list that has so many windows' worth of instants is cut to one: at most 300 instants, 4 KiB.
const WINDOWS: usize = 10;

/// How often a list that is to be cut may change meanwhile.
const MOST_ATTEMPTS: usize = 10;

impl RateLimit {
    /// Log-ins: a whole office may share an address, and nobody types thirty a minute.
    pub const LOG_INS: Self = Self { name: "LOG-IN", most: 30, window: Duration::from_secs(60) };

    /// Sign-ups: a training day of twenty people.
    pub const SIGN_UPS: Self = Self { name: "SIGN-UP", most: 20, window: Duration::from_secs(3600) };

    /// Somebody from this place wishes to pass.
    #[must_use]
    pub fn passage(self, ip: Option<IpAddr>, now: Timestamp) -> Passage {
        let place = Key::new(Table::Identity, format!("IP#{}", network(ip)), self.name);
        Passage { limit: self, place, now, replaced: None }
    }

    /// Lets one pass, or says how many seconds to wait.
    ///
    /// # Errors
    /// Where the store fails.
    pub async fn admit(self, store: &Store, ip: Option<IpAddr>, now: Timestamp) -> Result<Result<(), u32>, StoreError> {
        let mut passage = self.passage(ip, now);
        for _ in 0..MOST_ATTEMPTS {
            let (change, condition) = passage.counting()?;
            match store.update_or_see(&passage.place, &change, &condition).await? {
                Ok(()) => return Ok(Ok(())),
                Err(item) => match passage.held(item.as_ref()) {
                    Held::For(seconds) => return Ok(Err(seconds)),
                    Held::Again(again) => passage = again,
                },
            }
        }
        Err(StoreError::Contention)
    }

    fn milliseconds(self) -> i64 {
        // Windows are constants of at most an hour.
        i64::try_from(self.window.as_millis()).unwrap_or(i64::MAX / 2)
    }
}

impl Passage {
    /// Lets one pass together with the writes of a transaction.
    ///
    /// Requests from one place cancel each other here, and try again; so this is for what a person does
    /// once.
    ///
    /// # Errors
    /// Where the condition cannot be built.
    pub fn write(&self, transaction: &mut Transaction) -> Result<Step, StoreError> {
        let (change, condition) = self.counting()?;
        Ok(transaction.update(self.place.clone(), change, condition))
    }

    /// Why it did not pass, where it was this that refused a transaction.
    #[must_use]
    pub fn refused_by(&self, refused: &Refused, step: Step) -> Option<Held> {
        refused.failed(step).then(|| self.held(refused.item(step)))
    }

    fn counting(&self) -> Result<(Change, Condition), StoreError> {
        let now = self.now.as_millisecond();
        let change = Change::new().set("ttl", &(self.now + self.limit.window).as_second())?;
        if let Some(replaced) = &self.replaced {
            let kept: Vec<i64> = [now].into_iter().chain(replaced.iter().copied().take(self.limit.most)).collect();
            return Ok((change.set("passed", &kept)?, Condition::is("passed", replaced)?));
        }
        let window_began = AttributeValue::N((now - self.limit.milliseconds() + 1).to_string());
        let nth = self.limit.most - 1;
        let free = Condition::Any(vec![
            Condition::WithoutElement("passed", nth),
            Condition::ElementBelow("passed", nth, window_began),
        ]);
        let short = Condition::WithoutElement("passed", self.limit.most * WINDOWS - 1);
        Ok((change.prepend("passed", &now)?, Condition::All(vec![free, short])))
    }

    /// What the item that stood in the way says.
    fn held(&self, item: Option<&Item>) -> Held {
        let passed = item.and_then(|item| item.get("passed")?.as_l().ok());
        let passed: Vec<i64> = passed.into_iter().flatten().filter_map(|at| at.as_n().ok()?.parse().ok()).collect();
        let now = self.now.as_millisecond();
        let until = passed.get(self.limit.most - 1).map_or(now, |nth| nth + self.limit.milliseconds());
        if until > now {
            // Rounded up: whoever waits as long as they are told passes.
            return Held::For(u32::try_from((until - now + 999) / 1000).unwrap_or(u32::MAX));
        }
        // Free, so it is the length. An item that is gone meanwhile starts a list of its own.
        let replaced = (!passed.is_empty()).then_some(passed);
        Held::Again(Self { replaced, ..self.clone() })
    }
}

/// The place that a request came from: whoever has an IPv6 address has 2^64 of them (RFC 6177).
fn network(ip: Option<IpAddr>) -> String {
    match ip.map(|ip| ip.to_canonical()) {
        Some(IpAddr::V4(ip)) => ip.to_string(),
        Some(IpAddr::V6(ip)) => {
            let [a, b, c, d, ..] = ip.segments();
            format!("{}/64", Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
        }
        // The gateway always names one; what it did not name counts together.
        None => "unknown".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ipv6_network_is_one_place_and_an_ipv4_address_one_whatever_its_spelling() {
        let place = |text: &str| network(Some(text.parse().unwrap()));
        assert_eq!(place("2001:db8:1:2:3:4:5:6"), place("2001:db8:1:2::1"));
        assert_ne!(place("2001:db8:1:2::1"), place("2001:db8:1:3::1"));
        assert_eq!(place("::ffff:192.0.2.7"), "192.0.2.7");
    }
}
