//! Whatever stands in an optional field: the record is read, and what could not be read is named.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::{LedgerRecord, Line, MemberRecord, Unreadable};

/// What is odd in any field, and what stands for nothing.
fn odd() -> impl Strategy<Value = Value> {
    let blank = prop::sample::select(vec![json!(null), json!(""), json!("   "), json!("\u{a0}\t"), json!("\n")]);
    let text = prop::sample::select(vec![
        json!("néant"),
        json!("a@b.fr;c@d.fr"),
        json!("2012-02-30"),
        json!("9999-12-31"),
        json!("0000-00-00"),
        json!("a\u{7}b"),
        json!("deux\nlignes"),
        json!("x".repeat(2_000)),
        json!("FA/2012 n°7, « gros œuvre » (#2)"),
    ]);
    let other = prop::sample::select(vec![json!(0), json!(4217), json!(1.5), json!(true), json!([]), json!({"a": {}})]);
    prop_oneof![blank, text, other, any::<String>().prop_map(Value::from)]
}

fn payment() -> Value {
    json!({
        "record": "entry", "source_key": "E-1", "source_version": 1, "member_number": "012345", "action_id": "a",
        "kind": "PAYMENT_TO_COMPANY", "cost_kind": "TUITION", "payee": "COMPANY", "amount_cents": 4_200,
        "effective_date": "2012-02-10", "remittance_number": "V-1", "bank_reference": "CSTR 1",
        "invoice_number": "F-1", "label": "x",
    })
}

fn contribution() -> Value {
    json!({
        "record": "entry", "source_key": "C-1", "source_version": 1, "member_number": "012345",
        "kind": "CONTRIBUTION_LEGAL", "amount_cents": 4_200, "effective_date": "2012-02-10",
        "contribution_year": 2011, "cost_kind": "TUITION", "payee": "COMPANY", "label": "x",
    })
}

fn member() -> Value {
    json!({
        "member_number": "012345", "siret": "53384615000019", "name": "MARTIN BTP", "headcount_band": "10-49",
        "contact_email": "compta@martin.example", "opened_on": "2009-03-01", "closed_on": "2012-03-31", "version": 1,
    })
}

const OF_PAYMENTS: [&str; 6] = ["cost_kind", "payee", "remittance_number", "bank_reference", "invoice_number", "label"];
const OF_CONTRIBUTIONS: [&str; 4] = ["cost_kind", "payee", "label", "action_id"];
const OF_MEMBERS: [&str; 3] = ["headcount_band", "contact_email", "closed_on"];

fn is_blank(value: &Value) -> bool {
    value.is_null() || value.as_str().is_some_and(|text| text.trim().is_empty())
}

/// Blank is absent; anything else is read, or named, and nothing but itself.
fn holds(field: &str, value: &Value, unreadable: &Unreadable, is_read: bool) {
    let named: Vec<_> = unreadable.reasons().filter_map(|reason| reason.field).collect();
    if is_blank(value) {
        assert!(named.is_empty() && !is_read, "{field} {value}");
    } else if is_read {
        assert!(named.is_empty(), "{field} {value}");
    } else {
        assert_eq!(named, [field], "{value}");
    }
}

proptest! {
    #[test]
    fn no_optional_field_of_an_entry_costs_its_money(
        is_payment in any::<bool>(), field in any::<prop::sample::Index>(), value in odd(),
    ) {
        let (mut record, fields) = if is_payment { (payment(), &OF_PAYMENTS[..]) } else { (contribution(), &OF_CONTRIBUTIONS[..]) };
        let field = *field.get(fields);
        record[field] = value.clone();
        let line = record.to_string();
        let read = LedgerRecord::read(&Line { number: 1, content: Ok(line.as_bytes()) }).unwrap();
        let LedgerRecord::Entry(entry) = &read else { panic!("an entry") };
        prop_assert_eq!(entry.facts.amount.0, 4_200);
        let facts = serde_json::to_value(&entry.facts).unwrap();
        let kept = match field {
            "remittance_number" => &facts["remittance"],
            "bank_reference" => &facts["bank"],
            "invoice_number" => &facts["invoice"],
            "action_id" => &facts["none"],
            other => &facts[other],
        };
        holds(field, &value, read.unreadable(), !is_blank(kept));
    }

    #[test]
    fn no_optional_field_of_a_member_costs_its_account(field in any::<prop::sample::Index>(), value in odd()) {
        let field = *field.get(&OF_MEMBERS);
        let mut record = member();
        record[field] = value.clone();
        let line = record.to_string();
        let read = MemberRecord::read(&Line { number: 1, content: Ok(line.as_bytes()) }).unwrap();
        let kept = match field {
            "headcount_band" => read.headcount_band.is_some(),
            "contact_email" => read.contact_email.is_some(),
            _ => read.closed_on.is_some() || value == json!("9999-12-31"),
        };
        holds(field, &value, &read.unreadable, kept);
    }

    #[test]
    fn a_missing_optional_field_is_none(missing in prop::collection::vec(any::<bool>(), 6)) {
        let mut record = payment();
        for (field, missing) in OF_PAYMENTS.iter().zip(missing) {
            if missing {
                record.as_object_mut().unwrap().remove(*field);
            }
        }
        let line = record.to_string();
        let read = LedgerRecord::read(&Line { number: 1, content: Ok(line.as_bytes()) }).unwrap();
        prop_assert!(read.unreadable().is_empty());
    }
}

/// Half characters and fields that stand there twice cost an optional field itself, and a required one the record, under
/// reasons of their own.
#[test]
fn what_json_lets_through_is_named_for_what_it_is() {
    for record in [payment(), contribution(), member()] {
        for (field, value) in record.as_object().unwrap() {
            let name = format!("\"{field}\":");
            let half = record.to_string().replace(&format!("{name}{value}"), &format!("{name}\"\\ud83d\""));
            let doubled = record.to_string().replace(&name, &format!("{name}{value},{name}"));
            for (line, code) in [(half, "lone-surrogate"), (doubled, "doubled-field")] {
                let line = Line { number: 1, content: Ok(line.as_bytes()) };
                let read = if record.get("siret").is_some() {
                    MemberRecord::read(&line).map(|record| record.unreadable)
                } else {
                    LedgerRecord::read(&line).map(|record| record.unreadable().clone())
                };
                let optional = OF_PAYMENTS.contains(&field.as_str()) || OF_MEMBERS.contains(&field.as_str());
                let reason = match read {
                    Ok(unreadable) if optional => unreadable.reasons().next().unwrap(),
                    Err(rejected) if !optional => rejected.reason,
                    other => panic!("{field}: {other:?}"),
                };
                assert_eq!((reason.code, reason.field), (code, Some(field.as_str())));
            }
        }
    }
}

/// "9999-12-31" is no end; a day ahead is one; before the account opened there is none.
#[test]
fn the_day_on_which_an_account_closes_may_lie_ahead() {
    let read = |day: &str| {
        let mut record = member();
        record["closed_on"] = json!(day);
        let line = record.to_string();
        let read = MemberRecord::read(&Line { number: 1, content: Ok(line.as_bytes()) }).unwrap();
        (read.closed_on.map(|day| day.to_string()), read.unreadable.reasons().next().map(|reason| reason.code))
    };
    assert_eq!(read("2027-06-30"), (Some("2027-06-30".to_owned()), None));
    assert_eq!(read("2009-03-01"), (Some("2009-03-01".to_owned()), None));
    assert_eq!(read("9999-12-31"), (None, None));
    assert_eq!(read("2009-02-28"), (None, Some("closed-before-opened")));
    assert_eq!(read("2101-01-01"), (None, Some("bad-date")));
}
