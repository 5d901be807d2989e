//! Records of the contract at its bounds: the longest texts, the greatest amounts, the first and the last days, the highest
//! versions, many actions and views under few numbers of transfers.

use std::collections::BTreeMap;

use serde_json::{Value, json};

/// An action moves now and then between these accounts. The first has the most records, and one number the most of its
/// payments, so that its transfer is full some time.
pub(crate) const ACCOUNTS: [&str; 3] = ["012345", "630378", "999999"];

const HIGHEST_VERSION: u64 = (1 << 53) - 1;
const LARGEST_AMOUNT: i64 = 1_000_000_000_000;
const ACTIONS: u64 = 40;

/// Four bytes in UTF-8, the most that a character has.
const LONG: &str = "\u{1f3d7}";

const OF_ACTIONS: [&str; 9] = [
    "COMMITMENT",
    "COMMITMENT_REVISION",
    "COMMITMENT_CANCELLATION",
    "INVOICE_RECEIVED",
    "INVOICE_REJECTED",
    "PAYMENT_TO_COMPANY",
    "PAYMENT_TO_PROVIDER",
    "PAYMENT_RETURNED",
    "RECOVERY",
];
const OF_ACCOUNTS: [&str; 4] =
    ["CONTRIBUTION_LEGAL", "CONTRIBUTION_AGREEMENT", "CONTRIBUTION_VOLUNTARY", "CONTRIBUTION_REFUND"];
const SCHEMES: [&str; 10] =
    ["PLAN", "PDC", "DIF", "CPF", "PROFESSIONALISATION", "APPRENTICESHIP", "PRO_A", "VAE", "ASSESSMENT", "POE"];
const STATUSES: [&str; 6] = ["SUBMITTED", "REFUSED", "COMMITTED", "PARTLY_PAID", "CLOSED", "CANCELLED"];

/// Draws records; the same seed gives the same ones.
pub(crate) struct Bounds {
    state: u64,
    keys: u64,
    versions: BTreeMap<String, u64>,
}

impl Bounds {
    pub(crate) fn of(seed: u64) -> Self {
        Self { state: seed.wrapping_mul(2).wrapping_add(1), keys: 0, versions: BTreeMap::new() }
    }

    /// A number below this one: splitmix64.
    fn below(&mut self, bound: u64) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.state ^ (self.state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % bound
    }

    fn account(&mut self) -> &'static str {
        if self.below(4) > 0 { ACCOUNTS[0] } else { self.one(&ACCOUNTS) }
    }

    fn one<'a>(&mut self, of: &[&'a str]) -> &'a str {
        of[usize::try_from(self.below(of.len() as u64)).unwrap()]
    }

    fn day(&mut self) -> String {
        match self.below(8) {
            0 => "1972-01-01".to_owned(),
            1 => "2100-12-31".to_owned(),
            _ => format!("{}-{:02}-{:02}", 1972 + self.below(129), 1 + self.below(12), 1 + self.below(28)),
        }
    }

    /// The next version of a key; now and then the highest that there is, after which the key has no other.
    fn version(&mut self, key: &str) -> u64 {
        let last = self.below(200) == 0;
        let version = self.versions.entry(key.to_owned()).or_default();
        *version = if last { HIGHEST_VERSION } else { (*version + 1).min(HIGHEST_VERSION) };
        *version
    }

    /// A text of this many characters whose end is one of `kinds`.
    fn text(&mut self, characters: usize, kinds: u64) -> String {
        let end = self.below(kinds).to_string();
        LONG.repeat(characters - end.len()) + &end
    }

    /// A new key, or one that was used: an entry's keys are `E…`.
    fn key(&mut self) -> String {
        if self.keys == 0 || self.below(5) > 0 {
            self.keys += 1;
        }
        let number = if self.below(5) > 0 { self.keys } else { 1 + self.below(self.keys) };
        format!("E{number:063}")
    }

    fn action_id(&mut self) -> String {
        format!("a{:063}", self.below(ACTIONS))
    }

    /// The next record.
    pub(crate) fn record(&mut self) -> Value {
        match self.below(100) {
            0..6 => self.action(),
            6..8 => {
                let key = if self.below(4) == 0 { self.action_id() } else { self.key() };
                json!({"record": "withdrawal", "source_key": key, "source_version": self.version(&key)})
            }
            8..14 => self.contribution(),
            _ => self.entry(),
        }
    }

    fn action(&mut self) -> Value {
        // Its key is its number, so that none is renamed. The last two never come, and entries wait for them.
        let id = format!("a{:063}", self.below(ACTIONS - 2));
        json!({
            "record": "action", "source_key": id, "source_version": self.version(&id),
            "member_number": self.account(), "action_id": id, "title": self.text(1_000, 3),
            "scheme": self.one(&SCHEMES), "status": self.one(&STATUSES), "engagement_date": self.day(),
        })
    }

    fn contribution(&mut self) -> Value {
        let key = self.key();
        json!({
            "record": "entry", "source_key": key, "source_version": self.version(&key),
            "member_number": self.account(), "kind": self.one(&OF_ACCOUNTS), "amount_cents": LARGEST_AMOUNT,
            "effective_date": self.day(), "contribution_year": 1972 + self.below(129), "label": self.text(1_000, 9),
        })
    }

    fn entry(&mut self) -> Value {
        let (key, kind) = (self.key(), self.one(&OF_ACTIONS));
        let sign = if kind == "COMMITMENT_REVISION" && self.below(2) == 0 { -1 } else { 1 };
        let number = [LONG.repeat(64), "#".repeat(64), "%".repeat(64), "0".to_owned()];
        let number = &number[usize::try_from(self.below(16)).unwrap().min(3)];
        let payees = [json!("COMPANY"), json!("PROVIDER"), json!(null)];
        json!({
            "record": "entry", "source_key": key, "source_version": self.version(&key),
            "member_number": self.account(), "action_id": self.action_id(), "kind": kind,
            "payee": payees[usize::try_from(self.below(3)).unwrap()],
            "amount_cents": if self.below(4) == 0 { 1 } else { sign * LARGEST_AMOUNT }, "effective_date": self.day(),
            "remittance_number": number, "bank_reference": self.text(140, 1_000_000),
            "invoice_number": self.text(140, 9), "label": self.text(1_000, 9),
        })
    }
}
