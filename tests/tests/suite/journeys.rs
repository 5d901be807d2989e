//! Journeys as sentences: what a person does, over HTTP only, and what they see.

use harness::{ACCOUNT, EMPTY_ACCOUNT, OTHER_ACCOUNT, PASSWORD, Person, SIRET, World, link_token};
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn a_bookkeeper_goes_from_the_sign_up_to_the_ledger() {
    let world = World::start().await;
    let marie = world.visitor();

    // S20-S29: the form is looked over, nothing is stored.
    let person = Person::at("Marie.Martin@martin.example");
    let mut form = person.form(&world.document("terms").await);
    form["siret"] = json!("533 846 150 00019");
    let draft = marie.post("/api/signup/check", &form).await.expect(200);
    assert_eq!((&draft["siret"], &draft["email"]), (&json!(SIRET), &json!("marie.martin@martin.example")));
    assert!(world.mails().await.is_empty());

    // S30-S36: committed, mailed, the link shows the address.
    let answer = marie.post("/api/signup", &form).await.expect(202);
    assert!(answer["message"].as_str().unwrap().contains("e-mail"));
    let mail = world.newest_mail("marie.martin@martin.example").await;
    let token = link_token(&mail);
    let link = marie.post("/api/password/link", &json!({"token": token})).await.expect(200);
    assert_eq!((&link["email"], &link["purpose"]), (&json!("marie.martin@martin.example"), &json!("activation")));

    // S37-S40: the meter, the password, the log-in.
    let meter = marie.post("/api/password/strength", &json!({"password": PASSWORD})).await.expect(200);
    assert_eq!((&meter["label"], &meter["acceptable"]), (&json!("fort"), &json!(true)));
    let weak = json!({"token": token, "password": "martin2012", "password_confirmation": "martin2011"});
    let refused = marie.post("/api/password", &weak).await.expect_problem(422, "invalid-input");
    assert_eq!(refused.errors(), ["password:password-too-short", "password_confirmation:passwords-differ"]);
    let password = json!({"token": token, "password": PASSWORD, "password_confirmation": PASSWORD});
    marie.post("/api/password", &password).await.expect(204);
    marie.log_in("marie.martin@martin.example", PASSWORD).await.expect(200);

    // S43-S54: the home, and the charter that keeps the account closed.
    let home = marie.get("/api/home").await.expect(200);
    assert_eq!(home["user"]["greeting"], "Bonjour Mme MARTIN");
    assert_eq!(home["establishment"], json!({"siret": SIRET, "name": "MARTIN BTP"}));
    assert_eq!(home["pending_documents"], json!(["charter"]));
    assert_eq!((&home["can_claim"], &home["manager"]), (&json!(true), &json!(null)));
    world.claim(&marie, ACCOUNT).await.expect_problem(403, "charter-required");
    let charter = marie.get("/api/documents/charter").await.expect(200);
    let acceptance = json!({"kind": "charter", "version": charter["version"], "sha256": charter["sha256"]});
    let receipt = marie.post("/api/acceptances", &acceptance).await.expect(201);
    let again = marie.post("/api/acceptances", &acceptance).await.expect(200);
    assert_eq!(receipt.body, again.body);
    assert_eq!(marie.get("/api/home").await["pending_documents"], json!([]));

    // S49-S57: the claim, and the answer OUI.
    let claimed = world.claim(&marie, ACCOUNT).await.expect(201);
    assert_eq!(claimed.body, json!({"member_number": ACCOUNT, "role": "manager"}));
    let mail = world.newest_mail("marie.martin@martin.example").await;
    assert!(mail.text.contains(ACCOUNT) && mail.text.contains("MARTIN BTP"), "{}", mail.text);
    let accounts = marie.get("/api/accounts").await.expect(200);
    let account = json!({"member_number": ACCOUNT, "siret": SIRET, "name": "MARTIN BTP", "role": "manager",
        "active": false, "opened": true});
    assert_eq!(accounts["accounts"], json!([account]));
    let summary = format!("/api/accounts/{ACCOUNT}/summary");
    marie.get(&summary).await.expect_problem(409, "account-not-activated");
    let activation = format!("/api/accounts/{ACCOUNT}/activation");
    assert_eq!(marie.put(&activation, &json!({"use": true})).await.expect(200)["active"], true);

    // S58-S59: the summary, the actions of both views, one action with its entries.
    let summary = marie.get(&summary).await.expect(200);
    let views = &summary["views"];
    let totals = |view: usize| views[view]["totals"].clone();
    assert_eq!((&views[0]["view"], &views[1]["view"]), (&json!(2011), &json!(2012)));
    let of = |committed: i64, paid: i64, in_progress: i64, contributed: i64| {
        json!({"committed": committed, "paid": paid, "paid_to_company": paid, "paid_to_providers": 0,
            "in_progress": in_progress, "remaining": committed - paid, "overpaid": 0, "recovered": 0,
            "contributed": contributed})
    };
    assert_eq!(totals(0), of(180_000, 90_000, 30_000, 300_000));
    assert_eq!(totals(1), of(125_000, 50_000, 25_000, 40_000));
    assert_eq!(summary["totals"], of(305_000, 140_000, 55_000, 340_000));
    let actions = marie.get(&format!("/api/accounts/{ACCOUNT}/actions?view=2011")).await.expect(200);
    assert_eq!(actions["items"][0]["action_id"], "2011-000001");
    assert_eq!(actions["items"][0]["remaining"], 90_000);
    let actions = marie.get(&format!("/api/accounts/{ACCOUNT}/actions?view=2012")).await.expect(200);
    let ids: Vec<_> = actions["items"].as_array().unwrap().iter().map(|item| item["action_id"].clone()).collect();
    assert_eq!(ids, ["2012-000002", "2012-000001"], "newest first");
    assert_eq!(actions["totals"]["committed"], 125_000);
    let action = marie.get(&format!("/api/accounts/{ACCOUNT}/actions/2011-000001")).await.expect(200);
    let kinds: Vec<_> = action["entries"].as_array().unwrap().iter().map(|entry| entry["kind"].clone()).collect();
    assert_eq!(kinds, ["COMMITMENT", "INVOICE_RECEIVED", "PAYMENT_TO_COMPANY"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_forgotten_password_is_replaced_and_the_old_sessions_die() {
    let world = World::start().await;
    let marie = world.member("marie@martin.example").await;
    let phone = world.visitor();
    phone.post("/api/password/forgot", &json!({"email": "marie@martin.example"})).await.expect(202);
    let token = link_token(&world.newest_mail("marie@martin.example").await);
    let link = phone.post("/api/password/link", &json!({"token": token})).await.expect(200);
    assert_eq!(link["purpose"], "reset");
    let new = "escabeau mauve tournevis 7";
    let change = json!({"token": token, "password": new, "password_confirmation": new});
    phone.post("/api/password", &change).await.expect(204);

    marie.get("/api/home").await.expect_problem(401, "authentication-required");
    marie.refresh().await.expect_problem(401, "authentication-required");
    phone.log_in("marie@martin.example", PASSWORD).await.expect_problem(401, "bad-credentials");
    phone.log_in("marie@martin.example", new).await.expect(200);
    phone.get("/api/home").await.expect(200);
    let notice = world.newest_mail("marie@martin.example").await;
    assert!(notice.subject.contains("mot de passe"), "{}", notice.subject);
    phone.post("/api/password", &change).await.expect_problem(410, "link-invalid");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_person_sees_that_there_is_a_manager_and_cannot_claim() {
    let world = World::start().await;
    world.manager("marie@martin.example").await;
    let paul = world.user(&Person::at("paul@martin.example").named("m", "DURAND")).await;
    let home = paul.get("/api/home").await.expect(200);
    assert_eq!((&home["manager"], &home["can_claim"]), (&json!({"named": false}), &json!(false)));
    world.accept_charter(&paul).await;
    let refused = world.claim(&paul, ACCOUNT).await.expect_problem(409, "already-managed");
    assert_eq!(refused["manager"], json!({"civility": "mme", "last_name": "MARTIN"}));
    // Whoever proved the number sees the name from then on.
    let home = paul.get("/api/home").await;
    assert_eq!(home["manager"], json!({"named": true, "civility": "mme", "last_name": "MARTIN"}));
    paul.get(&format!("/api/accounts/{ACCOUNT}/summary")).await.expect_problem(404, "not-found");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_number_another_establishments_and_an_unknown_one_get_one_answer() {
    let world = World::start().await;
    let marie = world.member("marie@martin.example").await;
    let mut answers = Vec::new();
    for number in ["012346", OTHER_ACCOUNT, EMPTY_ACCOUNT] {
        let mut reply = world.claim(&marie, number).await.expect_problem(404, "claim-refused");
        reply.body["request_id"] = json!("");
        answers.push(reply.body);
    }
    assert!(answers.windows(2).all(|pair| pair[0] == pair[1]), "{answers:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_that_is_known_already_gets_the_same_answer_and_another_mail() {
    let world = World::start().await;
    world.user(&Person::at("marie@martin.example")).await;
    world.advance(std::time::Duration::from_secs(61));
    let known = world.sign_up(&Person::at("MARIE@martin.example")).await.expect(202);
    let fresh = world.sign_up(&Person::at("paul@martin.example")).await.expect(202);
    assert_eq!(known.body, fresh.body);
    let mail = world.newest_mail("marie@martin.example").await;
    assert!(!mail.text.contains("/mot-de-passe#"), "no link that anybody could use: {}", mail.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_fault_of_a_form_comes_in_one_answer() {
    let world = World::start().await;
    let form = json!({"siret": "5338461500019", "civility": "dr", "last_name": "", "first_name": 7,
        "email": "marie@", "email_confirmation": "marie@martin.example", "terms": {"version": 1}, "admin": true});
    let refused = world.visitor().post("/api/signup", &form).await.expect_problem(422, "invalid-input");
    assert_eq!(
        refused.errors(),
        [
            "siret:siret-length",
            "civility:civility-unknown",
            "last_name:required",
            "first_name:not-a-string",
            "job_title:required",
            "email:email-invalid",
            "terms.sha256:required",
            "admin:unknown-field",
        ]
    );
    let message = refused["errors"][0]["message"].as_str().unwrap();
    assert!(message.contains("13") && message.contains("14 chiffres"), "{message}");
    let english = [("accept-language", "en")];
    let refused = world.visitor().send_with(http::Method::POST, "/api/signup/check", Some(&form), &english).await;
    assert!(refused["errors"][0]["message"].as_str().unwrap().contains("13 digits"), "{refused}");
}
