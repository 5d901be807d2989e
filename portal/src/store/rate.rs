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

/// After so many windows a new item begins, so that none grows for ever: at most 300 instants, 4 KiB. What
/// passed just before such a change is not counted just after it, once in ten windows.
const WINDOWS: i64 = 10;

impl RateLimit {
    /// Log-ins: a whole office may share an address, and nobody types thirty a minute.
    pub const LOG_INS: Self = Self { name: "LOG-IN", most: 30, window: Duration::from_secs(60) };

    /// Sign-ups: a training day of twenty people.
    pub const SIGN_UPS: Self = Self { name: "SIGN-UP", most: 20, window: Duration::from_secs(3600) };

    fn key(self, ip: Option<IpAddr>, now: Timestamp) -> Key {
        let span = now.as_millisecond().div_euclid(WINDOWS * self.milliseconds());
        Key::new(Table::Identity, format!("IP#{}", network(ip)), format!("{}#{span}", self.name))
    }

    fn counting(self, now: Timestamp) -> Result<(Change, Condition), StoreError> {
        let kept = now + self.window * u32::try_from(WINDOWS + 1).unwrap_or(u32::MAX);
        let change = Change::new().prepend("passed", &now.as_millisecond())?.set("ttl", &kept.as_second())?;
        let window_began = AttributeValue::N((now.as_millisecond() - self.milliseconds() + 1).to_string());
        let index = self.most - 1;
        let free =
            vec![Condition::WithoutElement("passed", index), Condition::ElementBelow("passed", index, window_began)];
        Ok((change, Condition::Any(free)))
    }

    /// Lets one pass, or says how many seconds to wait.
    ///
    /// # Errors
    /// Where the store fails.
    pub async fn admit(self, store: &Store, ip: Option<IpAddr>, now: Timestamp) -> Result<Result<(), u32>, StoreError> {
        let (change, condition) = self.counting(now)?;
        let refused = store.update_or_see(&self.key(ip, now), &change, &condition).await?;
        Ok(match refused {
            Ok(()) => Ok(()),
            Err(item) => Err(self.wait(item.as_ref(), now)),
        })
    }

    /// Lets one pass together with the writes of a transaction.
    ///
    /// Requests from one place cancel each other here, and try again; so this is for what a person does
    /// once.
    ///
    /// # Errors
    /// Where the condition cannot be built.
    pub fn admit_in(
        self,
        transaction: &mut Transaction,
        ip: Option<IpAddr>,
        now: Timestamp,
    ) -> Result<Step, StoreError> {
        let (change, condition) = self.counting(now)?;
        Ok(transaction.update(self.key(ip, now), change, condition))
    }

    /// How many seconds to wait, where it was this that refused a transaction.
    #[must_use]
    pub fn refusal(self, refused: &Refused, step: Step, now: Timestamp) -> Option<u32> {
        refused.failed(step).then(|| self.wait(refused.item(step), now))
    }

    /// Until the oldest of those that fill the window leaves it.
    fn wait(self, item: Option<&Item>, now: Timestamp) -> u32 {
        let passed = item.and_then(|item| item.get("passed")?.as_l().ok());
        let blocking = passed.and_then(|passed| passed.get(self.most - 1)?.as_n().ok()?.parse::<i64>().ok());
        let until = blocking.unwrap_or(now.as_millisecond()) + self.milliseconds();
        seconds(until - now.as_millisecond())
    }

    fn milliseconds(self) -> i64 {
        // Windows are constants of at most an hour.
        i64::try_from(self.window.as_millis()).unwrap_or(i64::MAX / (2 * WINDOWS))
    }
}

/// Whole seconds, never none.
fn seconds(milliseconds: i64) -> u32 {
    u32::try_from(milliseconds.max(1).div_euclid(1000) + 1).unwrap_or(u32::MAX)
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
