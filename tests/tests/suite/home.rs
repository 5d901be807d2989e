//! What the home says: the documents to accept, what one has access to and manages, and what comes next.

use harness::{ACCOUNT, OTHER_ACCOUNT, OTHER_SIRET, Person, Visitor, World};
use portal::domain::DocumentKind;
use serde_json::{Value, json};

async fn home(visitor: &Visitor) -> Value {
    visitor.get("/api/home").await.expect(200).body
}

/// What comes next for somebody.
async fn next(visitor: &Visitor) -> String {
    home(visitor).await["next_step"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pending_document_comes_with_what_it_takes_to_accept_it() {
    let world = World::start().await;
    let marie = world.user(&Person::at("marie@martin.example")).await;
    for version in [1, 2] {
        let charter = marie.get("/api/documents/charter").await.expect(200);
        let home = home(&marie).await;
        let pending = &home["documents_to_accept"][0];
        for field in ["kind", "version", "sha256", "title", "published_at"] {
            assert_eq!(pending[field], charter[field], "{field}");
        }
        assert_eq!(pending["page"], format!("/documents/charte/{version}"));
        assert!(marie.get(pending["page"].as_str().unwrap()).await.expect(200).text.contains("<h1>"));
        let accepted = json!({"kind": "charter", "version": pending["version"], "sha256": pending["sha256"]});
        marie.post("/api/acceptances", &accepted).await.expect(201);
        assert_eq!(marie.get("/api/home").await.expect(200)["documents_to_accept"], json!([]));
        world.publish(DocumentKind::Charter).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_next_step_leads_from_the_charter_to_the_account() {
    let world = World::start().await;
    let marie = world.user(&Person::at("marie@martin.example")).await;
    assert_eq!(next(&marie).await, "accept-charter");
    world.accept_charter(&marie).await;
    assert_eq!(next(&marie).await, "claim-account");
    world.claim(&marie, ACCOUNT).await.expect(201);
    let claimed = home(&marie).await;
    assert_eq!(claimed["next_step"], "answer-activation");
    let managed = json!([{"member_number": ACCOUNT, "name": "MARTIN BTP", "active": false, "access_requests": 0}]);
    assert_eq!(claimed["managed_accounts"], managed);

    // A colleague asks, and waits.
    let paul = world.member("paul@martin.example").await;
    assert_eq!(next(&paul).await, "ask-for-access");
    paul.post("/api/access-requests", &json!({})).await.expect(202);
    let asked = home(&paul).await;
    assert_eq!(asked["next_step"], "await-access");
    assert!(asked["access_requested_at"].is_string() && asked["access"]["only_account"].is_null(), "{asked}");
    assert!(!asked.to_string().contains(ACCOUNT), "whoever asks need not know the number");

    let activation = format!("/api/accounts/{ACCOUNT}/activation");
    marie.put(&activation, &json!({"use": true})).await.expect(200);
    assert_eq!(next(&marie).await, "answer-requests");
    assert_eq!(home(&marie).await["managed_accounts"][0]["access_requests"], 1);
    marie.post(&format!("/api/accounts/{ACCOUNT}/users"), &json!({"email": "paul@martin.example"})).await.expect(202);
    assert_eq!(next(&marie).await, "open-account");

    // Whoever asked has access at once; then the manager says NON.
    let opened = home(&paul).await;
    assert_eq!(opened["next_step"], "open-account");
    assert_eq!(opened["access"]["only_account"]["opened"], true);
    let counts = |home: &Value| ["granted", "invited", "active"].map(|name| home["access"][name].as_u64().unwrap());
    assert_eq!((counts(&opened), &opened["access_requested_at"]), ([1, 0, 1], &Value::Null));
    assert_eq!(opened["managed_accounts"], json!([]));
    marie.put(&activation, &json!({"use": false})).await.expect(200);
    assert_eq!(next(&paul).await, "await-activation");
    assert_eq!(counts(&home(&paul).await), [1, 0, 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_has_an_account_hears_of_an_invitation_to_another() {
    let world = World::start().await;
    let marie = world.manager("marie@martin.example").await;
    let jeanne = world.user(&Person::at("jeanne@laposte.example").of(OTHER_SIRET)).await;
    world.accept_charter(&jeanne).await;
    world.claim(&jeanne, OTHER_ACCOUNT).await.expect(201);
    assert_eq!(home(&jeanne).await["access"]["only_account"]["role"], "manager");
    marie
        .post(&format!("/api/accounts/{ACCOUNT}/users"), &json!({"email": "jeanne@laposte.example"}))
        .await
        .expect(202);
    let paul = world.user(&Person::at("paul@cabinet.example").of(OTHER_SIRET)).await;
    marie.post(&format!("/api/accounts/{ACCOUNT}/users"), &json!({"email": "paul@cabinet.example"})).await.expect(202);
    assert_eq!(home(&paul).await["access"]["only_account"]["opened"], false);
    let home_of_two = home(&jeanne).await;
    assert_eq!(home_of_two["access"], json!({"granted": 1, "invited": 1, "active": 1}));
    // Until a new charter is accepted nobody counts who asks.
    world.publish(DocumentKind::Charter).await;
    let owing = home(&jeanne).await;
    assert_eq!(owing["next_step"], "accept-charter");
    assert!(owing["managed_accounts"][0]["access_requests"].is_null(), "{owing}");
}
