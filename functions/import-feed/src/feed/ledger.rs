//! `ledger.ndjson`: actions and entries.

use jiff::civil::Date;
use portal::domain::{ActionStatus, Cents, CostKind, EntryKind, Identifier, MemberNumber, Payee, Scheme};
use portal::store::EntryFacts;
use serde::Serialize;

use super::fields::{self, Fields, Unreadable};
use super::object::{Object, Scalar};
use super::{Line, Reason, Rejected, TooLong, WithdrawalRecord, content_hash};

/// The largest amount of one entry, in cents: 10 billion euros.
const LARGEST_AMOUNT: i64 = 1_000_000_000_000;

/// A record of the ledger, valid as far as it can be known without the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LedgerRecord {
    /// The current state of an action.
    Action(ActionRecord),
    /// An accounting fact.
    Entry(EntryRecord),
    /// Takes an action or an entry back.
    Withdrawal(WithdrawalRecord),
}

/// The current state of an action.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ActionRecord {
    /// Its key in its source.
    #[serde(skip)]
    pub source_key: Identifier,
    /// Its version there.
    #[serde(skip)]
    pub source_version: u64,
    /// Whose it is.
    pub member_number: MemberNumber,
    /// Which it is.
    pub action_id: Identifier,
    /// What is taught.
    pub title: String,
    /// What funds it.
    pub scheme: Scheme,
    /// How far it has come.
    pub status: ActionStatus,
    /// When it was engaged.
    pub engagement_date: Date,
}

/// An accounting fact.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct EntryRecord {
    /// Its key in its source.
    #[serde(skip)]
    pub source_key: Identifier,
    /// Its version there.
    #[serde(skip)]
    pub source_version: u64,
    /// Whose it is.
    pub member_number: MemberNumber,
    /// Its action; contributions have none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub action_id: Option<Identifier>,
    /// What it says.
    pub facts: EntryFacts,
    /// Which of its fields cannot be read.
    #[serde(skip_serializing_if = "Unreadable::is_empty")]
    pub unreadable: Unreadable,
}

impl LedgerRecord {
    /// Reads a line.
    ///
    /// Fields that are not known are ignored: the back office may add some before the portal reads them
    /// (`docs/decisions/0022-unknown-fields-of-the-feed.md`).
    ///
    /// # Errors
    /// Where it cannot be posted, whatever the store holds.
    pub fn read(line: &Line<'_>) -> Result<Self, Rejected> {
        Self::of_fields(Fields::of_line(line)?)
    }

    /// The record of these fields.
    pub(super) fn of_fields(fields: Fields<'_>) -> Result<Self, Rejected> {
        let reject = |reason, source_key| Rejected { reason, source_key };
        let source_key = fields.required("source_key", fields::identifier);
        let known_key = source_key.clone().ok();
        source_key.and_then(|key| Self::from_fields(fields, key)).map_err(|reason| reject(reason, known_key))
    }

    fn from_fields(fields: Fields<'_>, source_key: Identifier) -> Result<Self, Reason> {
        let record = fields.required("record", |value| Ok(fields::text(value).unwrap_or_default()))?;
        match record.as_ref() {
            "action" => ActionRecord::from_fields(&fields, source_key).map(Self::Action),
            "entry" => EntryRecord::from_fields(fields, source_key).map(Self::Entry),
            "withdrawal" => WithdrawalRecord::from_fields(&fields, source_key).map(Self::Withdrawal),
            _ => Err(Reason::in_field("unknown-record", "record")),
        }
    }

    /// Reads a line of a batch whose records name no day after `last`, as [`Manifest::last_day`] says.
    ///
    /// # Errors
    /// As [`LedgerRecord::read`], and where the line names a later day.
    ///
    /// [`Manifest::last_day`]: super::Manifest::last_day
    pub fn read_by(line: &Line<'_>, last: Date) -> Result<Self, Rejected> {
        Self::read(line)?.by(last)
    }

    /// The record, where it names no day after `last`.
    pub(super) fn by(self, last: Date) -> Result<Self, Rejected> {
        let ahead = match &self {
            Self::Action(action) => (action.engagement_date > last).then_some("engagement_date"),
            Self::Entry(EntryRecord { facts, .. }) if facts.date > last => Some("effective_date"),
            Self::Entry(EntryRecord { facts, .. }) => {
                facts.year.is_some_and(|year| year > last.year()).then_some("contribution_year")
            }
            Self::Withdrawal(_) => None,
        };
        match ahead {
            Some(field) => {
                let source_key = Some(self.source_key().clone());
                Err(Rejected { reason: Reason::in_field("date-ahead", field), source_key })
            }
            None => Ok(self),
        }
    }

    /// Which of its fields cannot be read.
    #[must_use]
    pub fn unreadable(&self) -> &Unreadable {
        match self {
            Self::Action(_) | Self::Withdrawal(_) => Unreadable::NONE,
            Self::Entry(entry) => &entry.unreadable,
        }
    }

    /// Whose it is; a withdrawal names a key alone.
    #[must_use]
    pub fn member_number(&self) -> Option<&MemberNumber> {
        match self {
            Self::Action(action) => Some(&action.member_number),
            Self::Entry(entry) => Some(&entry.member_number),
            Self::Withdrawal(_) => None,
        }
    }

    /// The action that it is, or that it belongs to.
    #[must_use]
    pub fn action_id(&self) -> Option<&Identifier> {
        match self {
            Self::Action(action) => Some(&action.action_id),
            Self::Entry(entry) => entry.action_id.as_ref(),
            Self::Withdrawal(_) => None,
        }
    }

    /// Its version in its source.
    #[must_use]
    pub fn source_version(&self) -> u64 {
        match self {
            Self::Action(action) => action.source_version,
            Self::Entry(entry) => entry.source_version,
            Self::Withdrawal(withdrawal) => withdrawal.source_version,
        }
    }

    /// Its key in its source.
    #[must_use]
    pub fn source_key(&self) -> &Identifier {
        match self {
            Self::Action(action) => &action.source_key,
            Self::Entry(entry) => &entry.source_key,
            Self::Withdrawal(withdrawal) => &withdrawal.source_key,
        }
    }
}

impl ActionRecord {
    fn from_fields(fields: &Fields<'_>, source_key: Identifier) -> Result<Self, Reason> {
        Ok(Self {
            source_key,
            source_version: fields.required("source_version", fields::version)?,
            member_number: fields.required("member_number", fields::member_number)?,
            action_id: fields.required("action_id", fields::identifier)?,
            title: fields.required("title", fields::free_text)?,
            scheme: fields.required("scheme", fields::named(Scheme::parse, "unknown-scheme"))?,
            status: fields.required("status", fields::named(ActionStatus::parse, "unknown-status"))?,
            engagement_date: fields.required("engagement_date", fields::date)?,
        })
    }

    /// Tells a repeat from a conflict.
    #[must_use]
    pub fn content_hash(&self) -> String {
        content_hash(self)
    }
}

impl EntryRecord {
    fn from_fields(mut fields: Fields<'_>, source_key: Identifier) -> Result<Self, Reason> {
        // A reversal is made by the import and never sent.
        let kind = |name: &str| EntryKind::parse(name).filter(|kind| *kind != EntryKind::Reversal);
        let kind = fields.required("kind", fields::named(kind, "unknown-kind"))?;
        let (action_id, year) = if kind.is_contribution() {
            // Its year says where it counts; an action that it names all the same is none of its.
            fields.optional("action_id", |_| Err::<(), _>("contribution-with-action"));
            (None, Some(fields.required("contribution_year", fields::year)?))
        } else {
            // The year of an action's entry says nothing: its view is its action's.
            (Some(fields.required("action_id", fields::identifier)?), None)
        };
        Ok(Self {
            source_key,
            source_version: fields.required("source_version", fields::version)?,
            member_number: fields.required("member_number", fields::member_number)?,
            action_id,
            facts: EntryFacts {
                kind,
                cost_kind: fields.optional("cost_kind", fields::named(CostKind::parse, "unknown-cost-kind")),
                payee: fields.optional("payee", fields::named(Payee::parse, "unknown-payee")),
                amount: fields.required("amount_cents", |value| amount(&value, kind))?,
                date: fields.required("effective_date", fields::date)?,
                year,
                remittance: fields.optional("remittance_number", fields::remittance_number),
                bank: fields.optional("bank_reference", fields::short_text),
                invoice: fields.optional("invoice_number", fields::short_text),
                label: fields.optional("label", fields::free_text).unwrap_or_default(),
            },
            unreadable: fields.unreadable,
        })
    }

    /// The facts, with the value that a former version had in each field that cannot be read.
    #[must_use]
    pub fn facts_after(&self, former: &EntryFacts) -> EntryFacts {
        let mut facts = self.facts.clone();
        let unreadable = |field| self.unreadable.has(field);
        if unreadable("cost_kind") {
            facts.cost_kind = former.cost_kind;
        }
        if unreadable("payee") {
            facts.payee = former.payee;
        }
        if unreadable("remittance_number") {
            facts.remittance.clone_from(&former.remittance);
        }
        if unreadable("bank_reference") {
            facts.bank.clone_from(&former.bank);
        }
        if unreadable("invoice_number") {
            facts.invoice.clone_from(&former.invoice);
        }
        if unreadable("label") {
            facts.label.clone_from(&former.label);
        }
        facts
    }

    /// Tells a repeat from a conflict.
    #[must_use]
    pub fn content_hash(&self) -> String {
        content_hash(self)
    }
}

fn amount(value: &Scalar<'_>, kind: EntryKind) -> Result<Cents, &'static str> {
    let amount = fields::integer(value).filter(|amount| (-LARGEST_AMOUNT..=LARGEST_AMOUNT).contains(amount));
    match amount {
        None | Some(0) => Err("bad-amount"),
        Some(..0) if kind != EntryKind::CommitmentRevision => Err("negative-amount"),
        Some(amount) => Ok(Cents(amount)),
    }
}

/// What a line counts in the manifest's sum, whatever else is wrong with it: the back office adds up what
/// it sent, and a line that is too long or in another character set must not refuse the whole batch.
/// Nothing where it is no JSON object, has no whole number there, or is above 1 MiB.
#[must_use]
pub fn amount_of(line: &Line<'_>) -> i64 {
    let bytes = line.content.unwrap_or_else(|TooLong(bytes)| bytes);
    let text = String::from_utf8_lossy(bytes);
    let amount = serde_json::from_str::<Object<'_>>(&text).ok().and_then(|object| object.last("amount_cents"));
    amount.and_then(|amount| amount.get().parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn entry(line: &str) -> EntryRecord {
        match LedgerRecord::read(&Line { number: 1, content: Ok(line.as_bytes()) }).unwrap() {
            LedgerRecord::Entry(entry) => entry,
            other => panic!("an entry: {other:?}"),
        }
    }

    #[test]
    fn content_is_the_same_whatever_its_spacing_order_and_unknown_fields() {
        let one = entry(
            r#"{"record":"entry","source_key":"E-1","source_version":1,"member_number":"012345","action_id":"a",
            "kind":"COMMITMENT","amount_cents":100,"effective_date":"2011-11-30","label":"x"}"#,
        );
        let other = entry(
            r#"{ "label": "x", "payee": null, "tomorrow": [1], "effective_date": "2011-11-30", "amount_cents": 100,
            "kind": "COMMITMENT", "action_id": "a", "member_number": "012345", "source_version": 2,
            "source_key": "E-1", "record": "entry"}"#,
        );
        assert_eq!(one.content_hash(), other.content_hash());
        let changed = EntryRecord { facts: EntryFacts { amount: Cents(101), ..one.facts.clone() }, ..one.clone() };
        assert_ne!(one.content_hash(), changed.content_hash());
    }

    #[test]
    fn the_hash_of_a_record_never_changes_from_release_to_release() {
        let hash = entry(
            r#"{"record":"entry","source_key":"E-1","source_version":1,"member_number":"012345","action_id":"a",
            "kind":"COMMITMENT","amount_cents":100,"effective_date":"2011-11-30","label":"x"}"#,
        )
        .content_hash();
        assert_eq!(hash, "46f959fcf5bdb8904be7f695e1c132a2ade2f58d5644bf55977042b172d27187");
    }

    /// What `docs/feed.md` says of each field.
    #[test]
    fn what_is_required_is_required_and_nothing_else_is() {
        let action = json!({
            "record": "action", "source_key": "A-1", "source_version": 1, "member_number": "012345", "action_id": "a",
            "title": "x", "scheme": "PLAN", "status": "PAID", "engagement_date": "2011-11-30",
        });
        let payment = json!({
            "record": "entry", "source_key": "E-1", "source_version": 1, "member_number": "012345", "action_id": "a",
            "kind": "PAYMENT_TO_COMPANY", "cost_kind": "TUITION", "payee": "COMPANY", "amount_cents": 1,
            "effective_date": "2012-02-10", "remittance_number": "V-1", "bank_reference": "CSTR 1",
            "invoice_number": "F-1", "label": "x",
        });
        let contribution = json!({
            "record": "entry", "source_key": "C-1", "source_version": 1, "member_number": "012345",
            "kind": "CONTRIBUTION_LEGAL", "amount_cents": 1, "effective_date": "2012-02-10",
            "contribution_year": 2011, "cost_kind": "TUITION", "payee": "COMPANY", "label": "x",
        });
        let optional = ["cost_kind", "payee", "remittance_number", "bank_reference", "invoice_number", "label"];
        for record in [action, payment, contribution] {
            for field in record.as_object().unwrap().keys() {
                let mut without = record.clone();
                without.as_object_mut().unwrap().remove(field);
                let line = without.to_string();
                let read = LedgerRecord::read(&Line { number: 1, content: Ok(line.as_bytes()) });
                assert_eq!(read.is_ok(), optional.contains(&field.as_str()), "without {field}: {read:?}");
            }
        }
    }

    #[test]
    fn the_control_sum_covers_what_parses_posted_or_not() {
        let amount = |line: &str| amount_of(&Line { number: 1, content: Ok(line.as_bytes()) });
        assert_eq!(amount(&json!({"record": "entry", "amount_cents": -5}).to_string()), -5);
        assert_eq!(amount(&json!({"amount_cents": 9_000_000_000_000_i64}).to_string()), 9_000_000_000_000);
        for nothing in ["{}", "", "{", "{\"amount_cents\":1.0}", "{\"amount_cents\":\"1\"}", "[{\"amount_cents\":1}]"] {
            assert_eq!(amount(nothing), 0, "{nothing}");
        }
        assert_eq!(amount("{\"amount_cents\":1,\"amount_cents\":2,\"x\":0,\"x\":0}"), 2);
        assert_eq!(amount("\t{\"amount_cents\":3,\"bad\":[{\"amount_cents\":9}]}\r"), 3);
        let of = |content| amount_of(&Line { number: 1, content });
        assert_eq!(of(Ok(b"{\"label\":\"\xe9\",\"amount_cents\":5}")), 5);
        assert_eq!(of(Err(TooLong(b"{\"amount_cents\":7}"))), 7);
        assert_eq!(of(Err(TooLong(b""))), 0);
    }

    proptest! {
        #[test]
        fn no_line_makes_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..200), text in "\\PC{0,80}") {
            for content in [bytes.as_slice(), text.as_bytes()] {
                let line = Line { number: 1, content: Ok(content) };
                let _ = LedgerRecord::read(&line);
                let _ = super::super::MemberRecord::read(&line);
                let _ = amount_of(&line);
            }
        }

        #[test]
        fn an_amount_that_is_read_is_within_its_bounds(amount in any::<i64>(), kind in 0..13_usize) {
            let kind = EntryKind::ALL[kind];
            if let Ok(Cents(read)) = super::amount(&Scalar::Number(&amount.to_string()), kind) {
                prop_assert!(read == amount && read != 0 && read.abs() <= LARGEST_AMOUNT);
                prop_assert!(read > 0 || kind == EntryKind::CommitmentRevision);
            }
        }
    }
}
