//! What a change of profile means for the manager's seat.

use harness::{ACCOUNT, SIRET, World, lines};
use serde_json::{Value, json};

fn member(number: &str, version: u64, closed_on: Option<&str>) -> Value {
    let mut member = json!({"member_number": number, "siret": SIRET, "name": "MARTIN BTP", "headcount_band": "10-49",
        "contact_email": "compta@martin.example", "opened_on": "2009-03-01", "version": version});
    if let Some(day) = closed_on {
        member["closed_on"] = json!(day);
    }
    member
}

#[tokio::test(flavor = "multi_thread")]
async fn a_manager_whose_account_was_closed_and_replaced_can_still_change_their_name() {
    let world = World::start().await;
    let marie = world.manager("marie@martin.example").await;
    let closed = [member(ACCOUNT, 2, Some("2012-12-31")), member("020202", 1, None)];
    world.import("2013-01-02-001", &lines(&closed), "").await;
    let renamed = marie.patch("/api/me", &json!({"last_name": "DUVAL"})).await.expect(200);
    assert_eq!(renamed["last_name"], "DUVAL");

    // The account that took the place is free; whoever claims it sits there once, under the new name.
    world.claim(&marie, "020202").await.expect(201);
    marie.patch("/api/me", &json!({"last_name": "MERCIER"})).await.expect(200);
    let home = marie.get("/api/home").await;
    assert_eq!(home["manager"], json!({"named": true, "civility": "mme", "last_name": "MERCIER"}));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_claim_that_is_repeated_after_a_lost_answer_gets_the_same_answer() {
    let world = World::start().await;
    let marie = world.member("marie@martin.example").await;
    let first = world.claim(&marie, ACCOUNT).await.expect(201);
    let again = world.claim(&marie, ACCOUNT).await.expect(201);
    assert_eq!(first.body, again.body);
    let confirmations = world.mails().await.into_iter().filter(|mail| mail.subject.contains("gestionnaire")).count();
    assert_eq!(confirmations, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_number_with_another_spelling_is_nobodys_account() {
    let world = World::start().await;
    let marie = world.manager("marie@martin.example").await;
    for spelling in ["01%202345", "12345", "0123456", "01234x", "%30123455"] {
        let answer = json!({"use": false});
        marie.put(&format!("/api/accounts/{spelling}/activation"), &answer).await.expect_problem(404, "not-found");
        marie.get(&format!("/api/accounts/{spelling}/summary")).await.expect_problem(404, "not-found");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn unknown_fields_are_refused_without_ending_in_the_log_or_swelling_the_answer() {
    let world = World::start().await;
    let many: serde_json::Map<_, _> = (0..5_000).map(|n| (format!("f{n}"), json!(1))).collect();
    let refused = world.visitor().post("/api/password/forgot", &Value::Object(many)).await;
    assert!(refused.expect_problem(422, "invalid-input").errors().len() <= 21);
    let secret = "Kq3vX9sPz0aLw8JtYb2RmNc5UeGhDf7i";
    world.visitor().post("/api/password/forgot", &json!({secret: 1})).await.expect_problem(422, "invalid-input");
    let log: String = world.portal.log_lines().iter().map(Value::to_string).collect();
    assert!(log.contains("unknown") && !log.contains(&secret[..12]), "{log}");
}
