//! A small feed with what most tests need: two establishments with an account each, and one that is
//! closed.

use std::path::Path;

use aws_lc_rs::digest::{SHA256, digest};
use serde_json::{Value, json};

/// The establishment of the leaflet, its SIRET mended.
pub const SIRET: &str = "53384615000019";
/// Its member account.
pub const ACCOUNT: &str = "012345";
/// Another establishment.
pub const OTHER_SIRET: &str = "35600000000048";
/// Its member account.
pub const OTHER_ACCOUNT: &str = "000007";
/// An establishment that the fund does not know.
pub const EMPTY_SIRET: &str = "35600000009075";
/// A member account that does not exist.
pub const EMPTY_ACCOUNT: &str = "999999";

/// The fixture's files: `(members.ndjson, ledger.ndjson)`.
pub fn fixture() -> (String, String) {
    let member = |number: &str, siret: &str, name: &str| {
        json!({"member_number": number, "siret": siret, "name": name, "headcount_band": "10-49",
            "contact_email": "compta@martin.example", "opened_on": "2009-03-01", "version": 1})
    };
    let members = [member(ACCOUNT, SIRET, "MARTIN BTP"), member(OTHER_ACCOUNT, OTHER_SIRET, "LA POSTE")];
    let action = |key: &str, id: &str, title: &str, scheme: &str, status: &str, engaged: &str| {
        json!({"record": "action", "source_key": key, "source_version": 1, "member_number": ACCOUNT, "action_id": id,
            "title": title, "scheme": scheme, "status": status, "engagement_date": engaged})
    };
    let entry = |key: &str, id: &str, kind: &str, cents: i64, date: &str| {
        json!({"record": "entry", "source_key": key, "source_version": 1, "member_number": ACCOUNT, "action_id": id,
            "kind": kind, "cost_kind": "TUITION", "payee": "COMPANY", "amount_cents": cents, "effective_date": date,
            "label": "Écriture"})
    };
    let paid = |mut entry: Value, remittance: &str, bank: &str, invoice: &str| {
        entry["remittance_number"] = json!(remittance);
        entry["bank_reference"] = json!(bank);
        entry["invoice_number"] = json!(invoice);
        entry
    };
    let contribution = |key: &str, kind: &str, cents: i64, year: i64| {
        json!({"record": "entry", "source_key": key, "source_version": 1, "member_number": ACCOUNT, "kind": kind,
            "amount_cents": cents, "effective_date": format!("{}-02-28", year + 1), "contribution_year": year,
            "label": "Contribution"})
    };
    let ledger = [
        action("A-1", "2011-000001", "CACES R482 catégorie A", "PLAN", "PARTLY_PAID", "2011-12-31"),
        action("A-2", "2012-000001", "Habilitation électrique", "PLAN", "PAID", "2012-01-01"),
        action("A-3", "2012-000002", "Bilan de compétences", "ASSESSMENT", "INVOICED", "2012-06-15"),
        entry("E-1", "2011-000001", "COMMITMENT", 180_000, "2011-12-31"),
        entry("E-2", "2011-000001", "INVOICE_RECEIVED", 120_000, "2012-01-20"),
        paid(
            entry("E-3", "2011-000001", "PAYMENT_TO_COMPANY", 90_000, "2012-02-10"),
            "V-2012-0042",
            "CSTR 0042",
            "F-118",
        ),
        entry("E-4", "2012-000001", "COMMITMENT", 50_000, "2012-01-01"),
        // The payment comes before its invoice: in progress stays at zero, never below.
        paid(
            entry("E-5", "2012-000001", "PAYMENT_TO_COMPANY", 50_000, "2012-03-05"),
            "V-2012-0055",
            "CSTR 0055",
            "F-131",
        ),
        entry("E-6", "2012-000001", "INVOICE_RECEIVED", 50_000, "2012-03-07"),
        entry("E-7", "2012-000002", "COMMITMENT", 75_000, "2012-06-15"),
        entry("E-8", "2012-000002", "INVOICE_RECEIVED", 25_000, "2012-09-01"),
        contribution("C-1", "CONTRIBUTION_LEGAL", 310_000, 2011),
        contribution("C-2", "CONTRIBUTION_REFUND", 10_000, 2011),
        contribution("C-3", "CONTRIBUTION_VOLUNTARY", 40_000, 2012),
    ];
    (lines(&members), lines(&ledger))
}

/// Records as NDJSON.
pub fn lines(records: &[Value]) -> String {
    records.iter().map(|record| format!("{record}\n")).collect()
}

/// Writes a batch into a folder, with a manifest that fits it.
pub fn write_batch(folder: &Path, batch_id: &str, members: &str, ledger: &str) {
    write_batch_of(folder, "erp", batch_id, members, ledger);
}

/// Writes a batch of another source.
pub(crate) fn write_batch_of(folder: &Path, source: &str, batch_id: &str, members: &str, ledger: &str) {
    let file = |name: &str, content: &str| {
        std::fs::write(folder.join(name), content).expect("a file of the batch");
        let sha256 = portal::domain::to_hex(digest(&SHA256, content.as_bytes()).as_ref());
        json!({"name": name, "lines": content.lines().count(), "sha256": sha256})
    };
    let members = file("members.ndjson", members);
    let mut entries = file("ledger.ndjson", ledger);
    let amount =
        |line: &str| serde_json::from_str::<Value>(line).ok().and_then(|record| record["amount_cents"].as_i64());
    entries["amount_cents"] = json!(ledger.lines().filter_map(amount).sum::<i64>());
    // Of the fixture's night, or of its newest entry's day: what lies further ahead would be put aside.
    let day = |line: &str| Some(serde_json::from_str::<Value>(line).ok()?["effective_date"].as_str()?.to_owned());
    let created = ledger.lines().filter_map(day).max().unwrap_or_default().max("2012-10-15".to_owned());
    let created_at = format!("{created}T02:00:00Z");
    let manifest =
        json!({"batch_id": batch_id, "source": source, "created_at": created_at, "files": [members, entries]});
    std::fs::write(folder.join("manifest.json"), manifest.to_string()).expect("a manifest");
}
