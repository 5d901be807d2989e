//! What is asked in each flow, with all that has to be there before.

use std::sync::Arc;
use std::time::Duration;

use harness::{ACCOUNT, OTHER_SIRET, PASSWORD, Person, SIRET, Visitor, address_token, contest_token, link_token};
use http::Method;
use portal::domain::{Civility, DocumentKind, Email, Id, MemberNumber, PersonName, Siret};
use portal::environment::rng;
use portal::store::Stage as Due;
use portal::store::{
    Change, ExportsUnderWay, Guessed, LastUse, Link, Login, MailHistory, Outbox, Purpose, RequestMails, Wish,
};
use serde_json::{Value, json};

use super::stage::{Answer, Deed, EMAIL, Stage};

const NEW_PASSWORD: &str = "escabeau mauve tournevis 7";

pub(super) async fn sign_up(stage: &Stage, n: usize) -> Deed {
    let form = nth(n).form(&stage.world.document("terms").await);
    Deed::post(stage.world.visitor(), "/api/signup", form)
}

pub(super) async fn activate(stage: &Stage, n: usize) -> Deed {
    let person = nth(n);
    stage.world.sign_up(&person).await.expect(202);
    set_password(stage, &link_token(&stage.world.newest_mail(&person.email).await))
}

pub(super) async fn forget(stage: &Stage) -> Deed {
    stage.user().await;
    forget_the_last_reset(stage).await;
    Deed::post(stage.world.visitor(), "/api/password/forgot", json!({"email": EMAIL}))
}

pub(super) async fn reset(stage: &Stage) -> Deed {
    forget(stage).await;
    stage.world.visitor().forgot(EMAIL).await.expect(202);
    set_password(stage, &link_token(&stage.world.newest_mail(EMAIL).await))
}

fn set_password(stage: &Stage, token: &str) -> Deed {
    let form = json!({"token": token, "password": NEW_PASSWORD, "password_confirmation": NEW_PASSWORD});
    Deed::post(stage.world.visitor(), "/api/password", form)
}

/// As if it had been asked for long ago.
async fn forget_the_last_reset(stage: &Stage) {
    let (store, place) = (stage.world.store(), MailHistory::key_of(&jeanne(), Purpose::Reset));
    let history: Option<MailHistory> = store.get(&place).await.unwrap();
    if let Some(newest) = history.and_then(|history| history.newest_link) {
        store.delete(&Link::key_of(&newest)).await.unwrap();
    }
    store.delete(&place).await.unwrap();
}

pub(super) async fn log_in(stage: &Stage, password: &str) -> Deed {
    stage.user().await;
    stage.world.store().delete(&Guessed::Password { email: jeanne() }.key()).await.unwrap();
    Deed::post(stage.world.visitor(), "/api/sessions", json!({"email": EMAIL, "password": password}))
}

pub(super) async fn refresh(stage: &Stage) -> Deed {
    Deed::request(&stage.user().await, Method::POST, "/api/sessions/refresh".to_owned(), None)
}

pub(super) async fn log_out(stage: &Stage, which: &str) -> Deed {
    Deed::request(&stage.log_in().await, Method::DELETE, format!("/api/sessions/{which}"), None)
}

pub(super) async fn accept(stage: &Stage) -> Deed {
    let jeanne = stage.user().await;
    // Five minutes pass after each mail.
    jeanne.refresh().await.expect(200);
    let current = stage.world.publish(DocumentKind::Charter).await;
    let acceptance = json!({"kind": "charter", "version": current["version"], "sha256": current["sha256"]});
    Deed::request(&jeanne, Method::POST, "/api/acceptances".to_owned(), Some(acceptance))
}

pub(super) async fn claim(stage: &Stage) -> Deed {
    let jeanne = stage.member().await;
    // Away and back: the seat is free.
    for siret in [OTHER_SIRET, SIRET] {
        jeanne.patch("/api/me", &json!({"siret": siret})).await.expect(200);
    }
    stage.world.forget_claims(&jeanne).await;
    claim_of(stage, &jeanne, ACCOUNT).await
}

/// Five minutes pass after each mail.
pub(super) async fn claim_later(stage: &Stage) -> Deed {
    stage.member().await.refresh().await.expect(200);
    claim(stage).await
}

/// By the contact on the fund's file, about a claim of this moment.
pub(super) async fn contest(stage: &Stage) -> Deed {
    assert!(matches!(claim(stage).await.done(stage).await, Answer::Told { status: 201, .. }));
    let mails = stage.world.mails().await;
    let notice = mails.iter().rev().find(|mail| mail.text.contains("/contestation#")).unwrap();
    let token = json!({"token": contest_token(notice)});
    Deed::post(stage.world.visitor(), "/api/manager-claims/contest", token)
}

/// The second of two, about a claim of this moment.
pub(super) async fn release(stage: &Stage) -> Deed {
    assert!(matches!(claim(stage).await.done(stage).await, Answer::Told { status: 201, .. }));
    let event = |staff: &str| json!({"operation": "release-manager", "staff": staff, "reason": "appel du 24/11", "establishment": ACCOUNT});
    assert!(stage.world.staff(event("Claire Durand")).await["awaiting_second"].is_object());
    Deed::Event { function: "staff", event: event("Hugo Petit") }
}

pub(super) async fn claim_wrongly(stage: &Stage, n: usize) -> Deed {
    let jeanne = stage.member().await;
    let by = Guessed::MemberNumberBy { user_id: jeanne.id().await };
    let of = Guessed::MemberNumberOf { siret: Siret::parse(SIRET).unwrap() };
    for guessed in [by, of] {
        stage.world.store().delete(&guessed.key()).await.unwrap();
    }
    claim_of(stage, &jeanne, "999998").await.with_key(n)
}

async fn claim_of(stage: &Stage, who: &Arc<Visitor>, number: &str) -> Deed {
    let terms = stage.world.document("account-terms").await;
    let claim = json!({"member_number": number, "account_terms": terms});
    Deed::request(who, Method::POST, "/api/manager-claims".to_owned(), Some(claim))
}

pub(super) async fn answer_oui_or_non(stage: &Stage, n: usize) -> Deed {
    let jeanne = stage.manager().await;
    stage.colleague().await;
    let target = format!("/api/accounts/{ACCOUNT}/activation");
    jeanne.put(&target, &json!({"use": !n.is_multiple_of(2)})).await.expect(200);
    Deed::request(&jeanne, Method::PUT, target, Some(json!({"use": n.is_multiple_of(2)})))
}

pub(super) async fn rename(stage: &Stage, n: usize) -> Deed {
    let jeanne = stage.manager().await;
    let letter = |n: usize| char::from(b'A' + u8::try_from(n % 26).unwrap());
    let name = format!("MARTIN-{}{}", letter(n / 26), letter(n));
    Deed::request(&jeanne, Method::PATCH, "/api/me".to_owned(), Some(json!({"last_name": name})))
}

pub(super) async fn leave(stage: &Stage) -> Deed {
    let jeanne = stage.member().await;
    jeanne.patch("/api/me", &json!({"siret": SIRET})).await.expect(200);
    stage.world.forget_claims(&jeanne).await;
    stage.world.claim(&jeanne, ACCOUNT).await.expect(201);
    Deed::request(&jeanne, Method::PATCH, "/api/me".to_owned(), Some(json!({"siret": OTHER_SIRET})))
}

pub(super) async fn change_password(stage: &Stage, n: usize) -> Deed {
    let jeanne = stage.world.user(&nth(n)).await;
    let form = json!({"current_password": PASSWORD, "password": NEW_PASSWORD, "password_confirmation": NEW_PASSWORD});
    Deed::post(jeanne, "/api/me/password", form)
}

/// Somebody new, who asks for another address.
pub(super) async fn ask_for_address(stage: &Stage, n: usize) -> Deed {
    let jeanne = stage.world.user(&nth(n)).await;
    let address = new_address(n);
    let form = json!({"current_password": PASSWORD, "email": address, "email_confirmation": address});
    Deed::post(jeanne, "/api/me/email", form)
}

/// Whose mail has the link that is followed.
#[derive(PartialEq)]
pub(super) enum Whose {
    New,
    Old,
}

pub(super) async fn follow(stage: &Stage, n: usize, whose: Whose) -> Deed {
    let deed = ask_for_address(stage, n).await;
    assert!(matches!(deed.done(stage).await, Answer::Told { status: 202, .. }));
    let link_to = async |address: &str| {
        let token = address_token(&stage.world.newest_mail(address).await);
        Deed::post(stage.world.visitor(), "/api/email", json!({"token": token}))
    };
    let (new, old) = (new_address(n), nth(n).email);
    if whose == Whose::New {
        return link_to(&new).await;
    }
    let undo = link_to(&old).await;
    assert!(matches!(link_to(&new).await.done(stage).await, Answer::Told { status: 204, .. }));
    undo
}

pub(super) async fn export(stage: &Stage) -> Deed {
    Deed::request(&stage.member().await, Method::GET, "/api/me/export".to_owned(), None)
}

/// A manager without colleagues.
pub(super) async fn erase(stage: &Stage, n: usize) -> Deed {
    let jeanne = Arc::new(stage.world.member(&nth(n).email).await);
    stage.world.forget_claims(&jeanne).await;
    stage.world.claim(&jeanne, ACCOUNT).await.expect(201);
    let form = json!({"current_password": PASSWORD});
    Deed::request(&jeanne, Method::DELETE, "/api/me".to_owned(), Some(form))
}

pub(super) async fn give_access(stage: &Stage, n: usize) -> Deed {
    let jeanne = stage.manager().await;
    Deed::request(&jeanne, Method::POST, users(""), Some(json!({"email": nth(n).email}))).with_key(n)
}

/// Somebody new, who asks the manager for access.
pub(super) async fn ask_for_access(stage: &Stage, n: usize) -> Deed {
    stage.manager().await;
    let number = MemberNumber::parse(ACCOUNT).unwrap();
    stage.world.store().delete(&RequestMails::key_of(&number)).await.unwrap();
    let someone = stage.world.user(&nth(n)).await;
    Deed::post(someone, "/api/access-requests", json!({"message": "Bonjour"})).with_key(n)
}

pub(super) async fn approve(stage: &Stage, n: usize) -> Deed {
    let asked = ask_for_access(stage, n).await;
    assert!(matches!(asked.done(stage).await, Answer::Told { status: 202, .. }));
    stage.world.mails().await;
    give_access(stage, n).await
}

pub(super) async fn refuse(stage: &Stage, n: usize) -> Deed {
    let asked = ask_for_access(stage, n).await;
    assert!(matches!(asked.done(stage).await, Answer::Told { status: 202, .. }));
    stage.world.mails().await;
    let jeanne = stage.manager().await;
    let list = jeanne.get(&users("")).await.expect(200);
    let asking = list["users"].as_array().unwrap().iter().find(|user| user["email"] == nth(n).email).cloned();
    let id = asking.unwrap()["id"].as_str().unwrap().to_owned();
    Deed::request(&jeanne, Method::DELETE, users(&format!("/{id}")), None)
}

/// To and fro between the two.
pub(super) async fn hand_over(stage: &Stage, n: usize) -> Deed {
    let jeanne = stage.member().await;
    jeanne.refresh().await.expect(200);
    let role = async || jeanne.get("/api/accounts").await.expect(200)["accounts"][0]["role"].clone();
    if role().await.is_null() {
        let activation = format!("/api/accounts/{ACCOUNT}/activation");
        stage.manager().await.put(&activation, &json!({"use": true})).await.expect(200);
    }
    let paul = stage.colleague().await;
    paul.refresh().await.expect(200);
    let is_manager = role().await == "manager";
    let (from, to) = if is_manager { (jeanne, paul) } else { (paul, jeanne) };
    let heir = json!({"id": to.id().await});
    Deed::request(&from, Method::POST, format!("/api/accounts/{ACCOUNT}/manager"), Some(heir)).with_key(n)
}

pub(super) async fn open_by(stage: &Stage, n: usize, read: &str) -> Deed {
    let jeanne = stage.manager().await;
    let activation = format!("/api/accounts/{ACCOUNT}/activation");
    jeanne.put(&activation, &json!({"use": true})).await.expect(200);
    let paul = Arc::new(stage.world.member(&nth(n).email).await);
    jeanne.post(&users(""), &json!({"email": nth(n).email})).await.expect(202);
    Deed::request(&paul, Method::GET, format!("/api/accounts/{ACCOUNT}/{read}"), None)
}

/// Nothing else of the account is under way: it may have three.
pub(super) async fn ask_for_export(stage: &Stage) -> Deed {
    let jeanne = stage.manager().await;
    jeanne.put(&format!("/api/accounts/{ACCOUNT}/activation"), &json!({"use": true})).await.expect(200);
    let number = MemberNumber::parse(ACCOUNT).unwrap();
    stage.world.store().delete(&ExportsUnderWay::key_of(&number)).await.unwrap();
    Deed::request(
        &jeanne,
        Method::POST,
        format!("/api/accounts/{ACCOUNT}/exports"),
        Some(json!({"format": "csv", "view": 2012})),
    )
}

pub(super) async fn take_back(stage: &Stage, n: usize) -> Deed {
    let jeanne = stage.manager().await;
    jeanne.post(&users(""), &json!({"email": nth(n).email})).await.expect(202);
    let list = jeanne.get(&users("")).await.expect(200);
    let invited = list["users"].as_array().unwrap().iter().find(|user| user["email"] == nth(n).email).cloned();
    let id = invited.unwrap()["id"].as_str().unwrap().to_owned();
    Deed::request(&jeanne, Method::DELETE, users(&format!("/{id}")), None)
}

pub(super) async fn publish(stage: &Stage, n: usize) -> Deed {
    // Which version is in force is an item from the second on.
    stage.world.publish(DocumentKind::Charter).await;
    let event = json!({"operation": "publish-document", "staff": "Claire Durand", "reason": "comité du 17/11",
        "kind": "charter", "body": format!("# Charte {n}\n\nUn texte.\n")});
    Deed::Event { function: "staff", event }
}

/// A wish that the stream has passed by.
pub(super) async fn sweep(stage: &Stage) -> Deed {
    let (world, now) = (&stage.world, stage.world.portal.clock().now());
    let (civility, last_name) = (Civility::parse("m").unwrap(), PersonName::parse("DURAND").unwrap());
    let wish = Wish::PasswordChanged { email: jeanne(), civility, last_name };
    let open = Outbox::new(Id::random(&mut rng()), wish, now - Duration::from_secs(600));
    // The stream's function is called for what is new, and finds nothing to do.
    let nothing = Outbox { wish: None, unsent: None, ..open.clone() };
    world.store().put(&nothing).await.unwrap();
    world.mails().await;
    world.store().put(&open).await.unwrap();
    Deed::Event { function: "sweep-outbox", event: json!({}) }
}

/// A month later a new key is due.
pub(super) async fn rotate(stage: &Stage) -> Deed {
    stage.world.advance(Duration::from_secs(30 * 24 * 3600));
    Deed::Event { function: "rotate-keys", event: Value::Null }
}

/// A mail to somebody came back.
pub(super) async fn bounce(stage: &Stage, n: usize) -> Deed {
    let person = nth(n);
    stage.world.user(&person).await;
    stage.world.portal.drain().await.unwrap();
    let event = json!({"detail": {"eventType": "Bounce",
        "bounce": {"bounceType": "Permanent", "bounceSubType": "General"},
        "mail": {"timestamp": stage.world.portal.clock().now(), "destination": [person.email]}}});
    Deed::Event { function: "mail-feedback", event }
}

/// Somebody for whom something is due, as nobody used their space.
pub(super) async fn unused(stage: &Stage, n: usize, due: Due) -> Deed {
    let person = nth(n);
    stage.world.user(&person).await;
    let key = Login::key_of(&Email::parse(&person.email).unwrap());
    let store = stage.world.store();
    let login: Login = store.get(&key).await.unwrap().unwrap();
    let last_use = LastUse { expiry: due, expiry_due: 0, ..login.last_use };
    assert!(store.update(&key, &last_use.write(Change::new()).unwrap(), None).await.unwrap());
    Deed::Event { function: "expire-users", event: json!({}) }
}

pub(super) async fn news(n: usize) -> Deed {
    let event = json!({"operation": "publish-news", "staff": "Claire Durand", "reason": "essai",
        "title": format!("Titre {n}"), "body": "Un texte."});
    Deed::Event { function: "staff", event }
}

pub(super) async fn application(n: usize) -> Deed {
    let event = json!({"operation": "put-application", "staff": "Claire Durand", "reason": "essai",
        "id": format!("service-{n}"), "title_fr": "Service", "title_en": "Service", "url": "/service",
        "audience": "everyone", "order": 20, "enabled": true});
    Deed::Event { function: "staff", event }
}

/// Everything is read, and nothing written.
pub(super) async fn reconcile() -> Deed {
    Deed::Event { function: "reconcile", event: json!({}) }
}

fn nth(n: usize) -> Person {
    Person::at(&format!("personne{n}@martin.example"))
}

fn new_address(n: usize) -> String {
    format!("nouvelle{n}@martin.example")
}

fn users(rest: &str) -> String {
    format!("/api/accounts/{ACCOUNT}/users{rest}")
}

fn jeanne() -> Email {
    Email::parse(EMAIL).unwrap()
}
