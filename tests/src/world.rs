//! A portal of one's own.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use futures::future::join_all;
use local::{Data, Mail, Options, Portal};
use portal::clock::Clock;
use portal::domain::{DocumentKind, MemberNumber, Siret};
use portal::store::{
    Change, ClaimBar, Condition, Establishment, Grant, GrantMirror, Item, Proof, Role, Store, Table, User,
};
use serde_json::{Value, json};

use crate::feed::{fixture, write_batch_of};
use crate::{ACCOUNT, PASSWORD, Person, Reply, SIRET, Visitor};

/// A portal in memory, with its own clock, mails and visitors.
pub struct World {
    /// The portal.
    pub portal: Portal,
    clock: Clock,
    next_address: AtomicU32,
    /// A header that whatever stands in front of the portal adds.
    added: Option<(&'static str, &'static str)>,
}

impl World {
    /// A portal that knows the establishments of the fixture.
    pub async fn start() -> Self {
        Self::start_with(Options::default()).await
    }

    /// The same with options of one's own.
    pub async fn start_with(options: Options) -> Self {
        Self::empty(options).await.with_fixture().await
    }

    async fn with_fixture(self) -> Self {
        let (members, ledger) = fixture();
        self.import("2012-10-15-001", &members, &ledger).await;
        self
    }

    /// The same with a clock that only [`Self::advance`] moves.
    pub async fn start_stopped() -> Self {
        Self::empty_at(Clock::stopped_at(Clock::system().now()), Options::default()).await.with_fixture().await
    }

    /// A portal that knows nobody.
    pub async fn empty(options: Options) -> Self {
        Self::empty_at(Clock::system(), options).await
    }

    async fn empty_at(clock: Clock, mut options: Options) -> Self {
        options.clock = clock.clone();
        options.data = Data::Memory;
        let portal = Portal::start(options).await.expect("a portal");
        Self { portal, clock, next_address: AtomicU32::new(2), added: None }
    }

    /// The same portal, reached through what adds this header to each request of a visitor.
    #[must_use]
    pub fn behind(mut self, name: &'static str, value: &'static str) -> Self {
        self.added = Some((name, value));
        self
    }

    /// Imports a batch, as the back office would send it.
    pub async fn import(&self, batch_id: &str, members: &str, ledger: &str) -> local::Report {
        self.import_of("erp", batch_id, members, ledger).await
    }

    /// Imports a batch of another source.
    pub async fn import_of(&self, source: &str, batch_id: &str, members: &str, ledger: &str) -> local::Report {
        let folder = tempfile::tempdir().expect("a folder");
        let folder = folder.path().join(batch_id);
        std::fs::create_dir(&folder).expect("a folder");
        write_batch_of(&folder, source, batch_id, members, ledger);
        self.portal.import(&folder).await.expect("an import")
    }

    /// Moves the portal's clock forward.
    pub fn advance(&self, by: Duration) {
        self.clock.advance(by);
    }

    /// Somebody with an address of 127.0.0.0/8 that nobody else in this world has.
    pub fn visitor(&self) -> Visitor {
        let number = self.next_address.fetch_add(1, Ordering::Relaxed);
        let [_, a, b, c] = number.to_be_bytes();
        let visitor = Visitor::new(self.portal.address(), IpAddr::V4(Ipv4Addr::new(127, a, b, c)));
        self.added.into_iter().fold(visitor, |visitor, (name, value)| visitor.through(name, value))
    }

    /// All mails that went out, once everything written so far has been handled.
    pub async fn mails(&self) -> Vec<Mail> {
        self.portal.drain().await.expect("the streams");
        self.portal.mails()
    }

    /// The newest mail to an address.
    pub async fn newest_mail(&self, to: &str) -> Mail {
        let mails = self.mails().await;
        mails.into_iter().rev().find(|mail| mail.to == to).unwrap_or_else(|| panic!("no mail to {to}"))
    }

    /// How many mails went to an address so far.
    pub async fn mails_to(&self, to: &str) -> usize {
        self.mails().await.iter().filter(|mail| mail.to == to).count()
    }

    /// Runs the sweep of the outbox, as its schedule would, and lets what it wakes be handled.
    pub async fn sweep(&self) {
        self.portal.invoke("sweep-outbox", json!({})).await.expect("a sweep");
        self.portal.drain().await.expect("the streams");
    }

    /// The store, past the functions.
    pub fn store(&self) -> Store {
        self.portal.store().expect("a store")
    }

    /// Everything in a table.
    pub async fn items(&self, table: Table) -> Vec<Item> {
        let client = self.portal.dynamodb().expect("a client");
        let pages = client.scan().table_name(self.portal.table(table).expect("a table")).into_paginator();
        pages.items().send().collect::<Result<_, _>>().await.expect("items")
    }

    /// How many items of a table have keys that begin like this.
    pub async fn count(&self, table: Table, pk: &str, sk: &str) -> usize {
        let begins = |item: &Item, name: &str, prefix: &str| {
            item.get(name).and_then(|key| key.as_s().ok()).is_some_and(|key| key.starts_with(prefix))
        };
        self.items(table).await.iter().filter(|item| begins(item, "pk", pk) && begins(item, "sk", sk)).count()
    }

    /// Publishes the next version of a legal document, as the staff do; it is in force at once. Gives what
    /// the staff are answered.
    pub async fn publish(&self, kind: DocumentKind) -> Value {
        let current = self.visitor().get(&format!("/api/documents/{kind}")).await.expect(200);
        let body = format!("{}\nEncore une phrase.\n", current["body"].as_str().expect("a text"));
        let event = json!({"operation": "publish-document", "staff": "Claire Durand", "reason": "comité du 17/11",
            "kind": kind, "body": body});
        let answer = self.staff(event).await;
        assert_eq!(answer["published"]["version"], current["version"].as_u64().expect("a version") + 1, "{answer}");
        answer["published"].clone()
    }

    /// Hands the function `staff` an event, as an operator does.
    pub async fn staff(&self, event: Value) -> Value {
        self.portal.invoke("staff", event).await.expect("an answer")
    }

    /// The current version and hash of a document, as a form wants them.
    pub async fn document(&self, kind: &str) -> Value {
        let document = self.visitor().get(&format!("/api/documents/{kind}")).await.expect(200);
        json!({"version": document["version"], "sha256": document["sha256"]})
    }

    /// Signs a person up: the answer, and nothing more.
    pub async fn sign_up(&self, person: &Person) -> Reply {
        let form = person.form(&self.document("terms").await);
        self.visitor().post("/api/signup", &form).await
    }

    /// A person with an account, signed in: sign-up, mail, password, log-in.
    pub async fn user(&self, person: &Person) -> Visitor {
        self.sign_up(person).await.expect(202);
        self.open_space(person).await
    }

    /// The same for many at once.
    pub async fn users(&self, people: &[Person]) -> Vec<Visitor> {
        for answer in join_all(people.iter().map(|person| self.sign_up(person))).await {
            answer.expect(202);
        }
        self.mails().await;
        join_all(people.iter().map(|person| self.open_space(person))).await
    }

    /// Follows the newest link mailed to a person, sets [`PASSWORD`], logs in.
    async fn open_space(&self, person: &Person) -> Visitor {
        let token = link_token(&self.newest_mail(&person.email.to_lowercase()).await);
        let visitor = self.visitor();
        visitor.set_password(&token, PASSWORD).await.expect(204);
        visitor.log_in(&person.email, PASSWORD).await.expect(200);
        visitor
    }

    /// Mme MARTIN with an account, signed in, the charter accepted.
    pub async fn member(&self, email: &str) -> Visitor {
        let visitor = self.user(&Person::at(email)).await;
        self.accept_charter(&visitor).await;
        visitor
    }

    /// Accepts the current charter.
    pub async fn accept_charter(&self, visitor: &Visitor) {
        let mut acceptance = self.document("charter").await;
        acceptance["kind"] = json!("charter");
        visitor.post("/api/acceptances", &acceptance).await.expect(201);
    }

    /// Claims an account.
    pub async fn claim(&self, visitor: &Visitor, number: &str) -> Reply {
        let terms = self.document("account-terms").await;
        visitor.post("/api/manager-claims", &json!({"member_number": number, "account_terms": terms})).await
    }

    /// Lets somebody read the leaflet's account, as its manager will be able to.
    pub async fn make_reader(&self, visitor: &Visitor) {
        let grant = Grant {
            user_id: visitor.id().await,
            member_number: MemberNumber::parse(ACCOUNT).expect("a number"),
            role: Role::Reader,
            siret: Siret::parse(SIRET).expect("a SIRET"),
            name: "MARTIN BTP".to_owned(),
            active: true,
            since: self.clock.now(),
            invitation_id: None,
            given_at: None,
            sirets_before: Vec::new(),
        };
        self.store().put(&grant).await.expect("the store");
        self.store().put(&GrantMirror(grant)).await.expect("the store");
    }

    /// As if a user had entered the number of the leaflet's account correctly.
    pub async fn let_prove(&self, visitor: &Visitor) {
        let proof = Proof {
            user_id: visitor.id().await,
            member_number: MemberNumber::parse(ACCOUNT).expect("a number"),
            siret: Siret::parse(SIRET).expect("a SIRET"),
            proved_at: self.clock.now(),
        };
        self.store().put(&proof).await.expect("the store");
    }

    /// As if the day were over that a user waits after a claim, or after leaving a manager's role.
    pub async fn let_claim_again(&self, visitor: &Visitor) {
        let waited = Change::new().remove("next_claim_at");
        let user = User::key_of(visitor.id().await);
        assert!(self.store().update(&user, &waited, Some(&Condition::Exists)).await.expect("the store"));
    }

    /// As if all claims of the leaflet's account were long ago, and a user had made none: for what is tried again and
    /// again.
    pub async fn forget_claims(&self, visitor: &Visitor) {
        self.let_claim_again(visitor).await;
        let store = self.store();
        let bar = ClaimBar::key_of(visitor.id().await, &MemberNumber::parse(ACCOUNT).expect("a number"));
        store.delete(&bar).await.expect("the store");
        let seat = Establishment::key_of(&Siret::parse(SIRET).expect("a SIRET"));
        let forgotten = Change::new().remove("claims").remove("contested").remove("release");
        assert!(store.update(&seat, &forgotten, Some(&Condition::Exists)).await.expect("the store"));
    }

    /// Has the claim of an establishment's account contested, by whoever was mailed a link last that freezes.
    pub async fn contest(&self, siret: &str) {
        let mails = self.mails().await;
        let is_of = |text: &str| text.split_whitespace().collect::<String>().contains(siret);
        let told = mails.iter().rev().find(|mail| contest_freezes(mail) && is_of(&mail.text));
        let token = contest_token(told.expect("a mail that tells of a claim"));
        self.visitor().post("/api/manager-claims/contest", &json!({"token": token})).await.expect(202);
    }

    /// Mme MARTIN as manager of the leaflet's account, who said OUI.
    pub async fn manager(&self, email: &str) -> Visitor {
        let visitor = self.member(email).await;
        self.claim(&visitor, ACCOUNT).await.expect(201);
        visitor.put(&format!("/api/accounts/{ACCOUNT}/activation"), &json!({"use": true})).await.expect(200);
        visitor
    }
}

/// The token of the link to the page that a mail carries.
fn token_of(mail: &Mail, page: &str) -> String {
    let (_, rest) = mail.text.split_once(page).unwrap_or_else(|| panic!("no link in {}", mail.subject));
    rest.split_whitespace().next().expect("a token").to_owned()
}

/// The token of the link that a mail carries.
pub fn link_token(mail: &Mail) -> String {
    token_of(mail, "/mot-de-passe#")
}

/// The token of the link that contests a claim.
pub fn contest_token(mail: &Mail) -> String {
    token_of(mail, "/contestation#")
}

/// Whether a mail tells of a claim with a link that freezes.
pub fn contest_freezes(mail: &Mail) -> bool {
    let text = mail.text.split_whitespace().collect::<Vec<_>>().join(" ");
    text.contains("/contestation#") && text.contains("personne ne pourra donner d’accès")
}

/// The token of the link that confirms a change of address, or undoes it.
pub fn address_token(mail: &Mail) -> String {
    token_of(mail, "/adresse#")
}

/// The token of the pass that a mail carries.
pub fn pass_token(mail: &Mail) -> String {
    token_of(mail, "/gestionnaire#")
}
