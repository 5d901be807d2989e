//! Members whose SIRETs, managers and grants move, on the embedded engine.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

use portal::domain::{Civility, Id, MemberNumber, PersonName, Siret};
use portal::store::{Account, Establishment, Grant, GrantMirror, Manager, Role};
use serde_json::{Value, json};
use support::{Batch, Fund, member};

const NUMBER: &str = "012345";
const OTHER: &str = "630378";
const SIRETS: [&str; 3] = ["53384615000019", "53384615000027", "35600000000048"];

fn number(text: &str) -> MemberNumber {
    MemberNumber::parse(text).unwrap()
}

fn changed(number: &str, siret: &str, version: u64, field: &str, value: Value) -> String {
    let mut record = member(number, siret, version);
    record[field] = value;
    record.to_string()
}

async fn account(fund: &Fund, text: &str) -> Account {
    fund.store.get(&Account::key_of(&number(text))).await.unwrap().unwrap()
}

async fn seat(fund: &Fund, siret: &str) -> Establishment {
    fund.store.get(&Establishment::key_of(&Siret::parse(siret).unwrap())).await.unwrap().unwrap()
}

/// Gives the account a grant; a manager's seat too.
async fn grant(fund: &Fund, user: u8, role: Role) -> Grant {
    let account = account(fund, NUMBER).await;
    let grant = Grant {
        user_id: Id::from_bytes([user; 16]),
        member_number: account.member_number.clone(),
        role,
        siret: account.siret.clone(),
        name: account.name.clone(),
        active: true,
        since: jiff::Timestamp::UNIX_EPOCH,
        invitation_id: None,
        given_at: None,
        sirets_before: Vec::new(),
    };
    fund.store.put(&grant).await.unwrap();
    fund.store.put(&GrantMirror(grant.clone())).await.unwrap();
    if role == Role::Manager {
        let mut seat = seat(fund, account.siret.as_str()).await;
        seat.manager = Some(Manager {
            user_id: grant.user_id,
            civility: Civility::Mme,
            last_name: PersonName::parse("Martin").unwrap(),
            since: grant.since,
        });
        fund.store.put(&seat).await.unwrap();
    }
    grant
}

async fn grants(fund: &Fund) -> Vec<(Role, String)> {
    let mirrors: Vec<GrantMirror> = fund.store.query_all(&Grant::all_on(&number(NUMBER))).await.unwrap();
    let mut all = Vec::new();
    for GrantMirror(mirror) in mirrors {
        let grant: Grant =
            fund.store.get(&Grant::key_of(mirror.user_id, &mirror.member_number)).await.unwrap().unwrap();
        assert_eq!(grant, mirror);
        all.push((grant.role, grant.siret.to_string()));
    }
    all
}

#[tokio::test]
async fn companies_change_places_wherever_the_pieces_end() {
    let fund = Fund::start().await;
    fund.import(&Batch::new("one").member(NUMBER, SIRETS[0], 1).member(OTHER, SIRETS[1], 1)).await;
    // Each takes the place that the next one leaves, two pieces and some thousand lines before it leaves.
    let filler = changed(NUMBER, SIRETS[0], 1, "name", json!("x".repeat(1_200)));
    let mut batch = Batch::new("two").member("248411", SIRETS[0], 1).member(NUMBER, SIRETS[1], 2);
    batch.members.extend(std::iter::repeat_n(filler, 1_800));
    let batch = batch.member(OTHER, SIRETS[2], 2);
    let report = fund.import(&batch).await;
    assert_eq!(report["by_reason"].get("siret-of-another-account"), None, "{}", report["by_reason"]);
    assert_eq!((&report["posted"], &report["corrected"]), (&json!(1), &json!(2)));
    for (place, member_number) in ["248411", NUMBER, OTHER].into_iter().enumerate() {
        assert_eq!(seat(&fund, SIRETS[place]).await.member_number.as_str(), member_number);
    }
}

#[tokio::test]
async fn grants_have_the_siret_of_their_account_whatever_was_tried() {
    let fund = Fund::start().await;
    fund.import(&Batch::new("one").member(NUMBER, SIRETS[0], 1).member(OTHER, SIRETS[1], 1)).await;
    // As an attempt leaves it that was overtaken by the other account.
    let before = grant(&fund, 1, Role::Reader).await;
    let wrong = Grant { siret: Siret::parse(SIRETS[1]).unwrap(), ..before };
    fund.store.put(&wrong).await.unwrap();
    fund.store.put(&GrantMirror(wrong)).await.unwrap();
    let report = fund.import(&Batch::new("two").member(NUMBER, SIRETS[1], 2)).await;
    assert_eq!(report["quarantine"][0]["reason"], "siret-of-another-account");
    assert_eq!(grants(&fund).await, [(Role::Reader, SIRETS[0].to_owned())]);
}

#[tokio::test]
async fn an_account_that_opens_again_without_its_seat_has_no_manager() {
    let fund = Fund::start().await;
    fund.import(&Batch::new("one").member(NUMBER, SIRETS[0], 1)).await;
    grant(&fund, 1, Role::Manager).await;
    // It closes, another one takes the SIRET, it opens again elsewhere.
    let mut batch = Batch::new("two");
    batch.members.push(changed(NUMBER, SIRETS[0], 2, "closed_on", json!("2012-03-31")));
    fund.import(&batch).await;
    assert_eq!(grants(&fund).await, [(Role::Manager, SIRETS[0].to_owned())]);
    let report = fund.import(&Batch::new("three").member(OTHER, SIRETS[0], 1).member(NUMBER, SIRETS[1], 3)).await;
    assert_eq!((&report["posted"], &report["corrected"]), (&json!(1), &json!(1)), "{report}");
    // The seat is free for a claim, so nobody else may have it.
    assert_eq!((seat(&fund, SIRETS[1]).await.manager, seat(&fund, SIRETS[0]).await.manager), (None, None));
    assert_eq!(grants(&fund).await, [(Role::Reader, SIRETS[1].to_owned())]);
}

#[tokio::test]
async fn an_account_that_opens_again_in_its_seat_keeps_its_manager() {
    let fund = Fund::start().await;
    fund.import(&Batch::new("one").member(NUMBER, SIRETS[0], 1)).await;
    let manager = grant(&fund, 1, Role::Manager).await;
    let mut batch = Batch::new("two");
    batch.members.push(changed(NUMBER, SIRETS[0], 2, "closed_on", json!("2012-03-31")));
    fund.import(&batch.member(NUMBER, SIRETS[1], 3)).await;
    assert_eq!(seat(&fund, SIRETS[1]).await.manager.map(|manager| manager.user_id), Some(manager.user_id));
    assert_eq!(grants(&fund).await, [(Role::Manager, SIRETS[1].to_owned())]);
}
