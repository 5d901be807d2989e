//! Requests of each kind against a portal of an average account.

use std::sync::atomic::{AtomicUsize, Ordering};

use harness::{PASSWORD, Person, Reply, Visitor, World, link_token};
use local::Options;
use serde_json::{Value, json};

use crate::feed;

/// An account has some 56 entries of ten years on average (11.3 million of 200,000); one that is looked at has more.
const ENTRIES: u32 = 104;
/// Accounts that are there to be claimed.
const CLAIMED: u32 = 40;
const MANAGER: &str = "manager@cost.example";

/// A portal, and who asks it.
pub(crate) struct Stage {
    pub(crate) world: World,
    manager: Visitor,
    action: String,
    remittance: String,
    next: AtomicUsize,
}

impl Stage {
    pub(crate) async fn set(options: Options) -> Self {
        let world = World::empty(options).await;
        // What starts read is no request's.
        world.portal.start_functions().await.expect("a start");
        world.import("members", &feed::members(0..CLAIMED + 1), "").await;
        world.import("ledger", "", &feed::ledger(0, ENTRIES, 8)).await;
        let manager = world.user(&Person::at(MANAGER).of(&feed::siret(0))).await;
        world.accept_charter(&manager).await;
        world.claim(&manager, &feed::number(0)).await.expect(201);
        manager.put(&target("activation"), &json!({"use": true})).await.expect(200);
        world.mails().await;
        let first = |list: &Reply, name: &str| list["items"][0][name].as_str().expect("an item").to_owned();
        let action = first(&manager.get(&target("actions?view=2012")).await.expect(200), "action_id");
        let remittance = first(&manager.get(&target("remittances?view=2012")).await.expect(200), "remittance_number");
        Self { world, manager, action, remittance, next: AtomicUsize::new(0) }
    }

    /// What has to be there before a request of this kind is made.
    pub(crate) async fn ready(&self, kind: &str) -> Ready {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let email = format!("user{number}@cost.example");
        let account = u32::try_from(number).expect("not that many") % CLAIMED + 1;
        let person = Person::at(&email).of(&feed::siret(account));
        let mut ready = Ready { visitor: self.world.visitor(), email, account, given: Value::Null };
        match kind {
            "sign up" => ready.given = person.form(&self.world.document("terms").await),
            "look at a link" | "create a password" => {
                self.world.sign_up(&person).await.expect(202);
                ready.given = link_token(&self.world.newest_mail(&ready.email).await).into();
            }
            "accept the charter" => {
                ready.visitor = self.world.user(&person).await;
                ready.given = self.world.document("charter").await;
                ready.given["kind"] = json!("charter");
            }
            "claim an account" => {
                ready.visitor = self.world.member(&ready.email).await;
                ready.visitor.patch("/api/me", &json!({"siret": feed::siret(account)})).await.expect(200);
                ready.given = self.world.document("account-terms").await;
            }
            "forgotten password" | "log in" | "log in, wrongly" | "refresh" | "log out" | "give access" => {
                ready.visitor = self.world.user(&person).await;
            }
            _ => {}
        }
        self.world.mails().await;
        ready
    }

    /// One request of a kind.
    pub(crate) async fn ask(&self, kind: &str, ready: &Ready) -> Reply {
        let Ready { visitor, email, account, given } = ready;
        let me = &self.manager;
        match kind {
            "read a document" => visitor.get("/api/documents/terms").await.expect(200),
            "sign up" => visitor.post("/api/signup", given).await.expect(202),
            "look at a link" => visitor.look_at_link(given.as_str().expect("a token")).await.expect(200),
            "create a password" => visitor.set_password(given.as_str().expect("a token"), PASSWORD).await.expect(204),
            "forgotten password" => visitor.forgot(email).await.expect(202),
            "log in" => visitor.log_in(email, PASSWORD).await.expect(200),
            "log in, wrongly" => visitor.log_in(email, "une tout autre phrase 12").await.expect(401),
            "refresh" => visitor.refresh().await.expect(200),
            "log out" => visitor.delete("/api/sessions/current").await.expect(204),
            "home" => me.get("/api/home").await.expect(200),
            "profile" => me.get("/api/me").await.expect(200),
            "change the profile" => {
                me.patch("/api/me", &json!({"job_title": format!("Poste {email}")})).await.expect(200)
            }
            "accept the charter" => visitor.post("/api/acceptances", given).await.expect(201),
            "claim an account" => {
                let claim = json!({"member_number": feed::number(*account), "account_terms": given});
                visitor.post("/api/manager-claims", &claim).await.expect(201)
            }
            "accounts" => me.get("/api/accounts").await.expect(200),
            "users" => me.get(&target("users")).await.expect(200),
            "give access" => me.post(&target("users"), &json!({"email": email})).await.expect(202),
            "summary" => me.get(&target("summary")).await.expect(200),
            "actions of a view" => me.get(&target("actions?view=2012")).await.expect(200),
            "an action" => me.get(&target(&format!("actions/{}", self.action))).await.expect(200),
            "contributions" => me.get(&target("contributions")).await.expect(200),
            "remittances" => me.get(&target("remittances")).await.expect(200),
            "a remittance" => me.get(&target(&format!("remittances/{}", self.remittance))).await.expect(200),
            "ledger page" => me.get(&target("ledger?limit=50")).await.expect(200),
            "ledger as CSV" => me.get(&target("ledger.csv")).await.expect(200),
            "statement" => me.get(&target("statement.pdf?view=2012")).await.expect(200),
            "export in the background" => me.post(&target("exports"), &json!({"format": "xlsx"})).await.expect(202),
            other => panic!("there is no way to ask for {other}"),
        }
    }
}

/// Who asks, and with what.
pub(crate) struct Ready {
    visitor: Visitor,
    email: String,
    account: u32,
    given: Value,
}

fn target(rest: &str) -> String {
    format!("/api/accounts/{}/{rest}", feed::number(0))
}
