//! Batches whose size is exact: so many accounts with so many entries each.

use std::fmt::Write as _;

use serde_json::json;

/// The years of engagement: eight views.
const YEARS: [u32; 8] = [2011, 2012, 2013, 2014, 2015, 2016, 2017, 2018];

/// The entries of one action, in the order of their lines.
const STORY: [(&str, u32, u32); 8] = [
    ("COMMITMENT", 0, 180_000),
    ("COMMITMENT_REVISION", 1, 20_000),
    ("INVOICE_RECEIVED", 2, 60_000),
    ("PAYMENT_TO_COMPANY", 3, 60_000),
    ("INVOICE_RECEIVED", 4, 70_000),
    ("PAYMENT_TO_COMPANY", 5, 70_000),
    ("INVOICE_RECEIVED", 6, 70_000),
    ("PAYMENT_TO_COMPANY", 7, 70_000),
];

/// Entries of an action.
pub(crate) const OF_AN_ACTION: u32 = 8;

/// The member number of an account.
pub(crate) fn number(account: u32) -> String {
    format!("{:06}", 100_000 + account)
}

/// The SIRET of its establishment.
pub(crate) fn siret(account: u32) -> String {
    generate_feed::siret(account, 0)
}

/// The members' lines of accounts.
pub(crate) fn members(accounts: std::ops::Range<u32>) -> String {
    let line = |account| {
        json!({"member_number": number(account), "siret": siret(account), "name": format!("ENTREPRISE {account}"),
            "opened_on": "2009-03-01", "version": 1})
    };
    accounts.fold(String::new(), |mut lines, account| {
        let _ = writeln!(lines, "{}", line(account));
        lines
    })
}

/// The ledger's lines of an account with so many entries, a multiple of [`OF_AN_ACTION`], in up to eight views.
pub(crate) fn ledger(account: u32, entries: u32, views: usize) -> String {
    let mut lines = String::new();
    let mut line = |record: serde_json::Value| {
        let _ = writeln!(lines, "{record}");
    };
    let number = number(account);
    for action in 0..entries / OF_AN_ACTION {
        let year = YEARS[action as usize % views];
        let (month, day) = (action / 8 % 4 + 1, action / 32 % 28 + 1);
        let action_id = format!("{year}-{number}-{action:06}");
        line(json!({"record": "action", "source_key": format!("A-{action_id}"), "source_version": 1,
            "member_number": number, "action_id": action_id, "title": "CACES R482 catégorie A, chantier et conduite",
            "scheme": "PLAN", "status": "PAID", "engagement_date": format!("{year}-{month:02}-{day:02}")}));
        for (place, (kind, later, cents)) in STORY.into_iter().enumerate() {
            let mut entry = json!({"record": "entry", "source_key": format!("E-{action_id}-{place}"),
                "source_version": 1, "member_number": number, "action_id": action_id, "kind": kind,
                "cost_kind": "TUITION", "payee": "COMPANY", "amount_cents": cents + action % 1000,
                "effective_date": format!("{year}-{:02}-{day:02}", month + later), "label": "Coût pédagogique"});
            if kind == "PAYMENT_TO_COMPANY" {
                // One transfer a month pays what was invoiced in it.
                entry["remittance_number"] = json!(format!("V-{year}-{:02}-{number}", month + later));
                entry["bank_reference"] = json!(format!("CSTR {year}{:02}", month + later));
                entry["invoice_number"] = json!(format!("F-{action}-{place}"));
            }
            line(entry);
        }
    }
    lines
}

/// The line of a contribution for a year.
pub(crate) fn contribution(account: u32, year: i16) -> String {
    let number = number(account);
    let record = json!({"record": "entry", "source_key": format!("C-{number}-{year}"), "source_version": 1,
        "member_number": number, "kind": "CONTRIBUTION_LEGAL", "amount_cents": 100,
        "effective_date": format!("{year}-01-01"), "contribution_year": year, "label": "Contribution"});
    format!("{record}\n")
}
