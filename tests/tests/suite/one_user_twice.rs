//! Whatever two things a user does at the same moment, in every order: neither fails, what is stored fits together, they
//! get in with what they know, and once they are erased nothing of them is left.
//!
//! Those are tried that move or end an identity, with everything; `EVERY_PAIR=1 cargo test -p portal-tests one_user_twice`
//! tries every pair, in some eight minutes.

use harness::{
    ACCOUNT, Calls, Held, Inventory, OTHER_SIRET, PASSWORD, Reply, Visitor, World, address_token, link_token,
};
use http::Method;
use portal::store::Table;
use serde_json::{Value, json};

const RESET: &str = "escabeau mauve tournevis 7";
const CHANGED: &str = "pinson jaune charpente 63";

/// What they do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Does {
    /// Takes another name, which a seat shows too.
    Renames,
    /// Goes to another establishment.
    Leaves,
    /// Claims the account of the one that they are of.
    Claims,
    /// Changes their password.
    ChangesPassword,
    /// Sets another by a link.
    Resets,
    /// Asks for a link.
    Forgets,
    /// Asks for another address.
    AsksForAddress,
    /// Confirms it.
    ConfirmsAddress,
    /// Logs in.
    LogsIn,
    /// Refreshes their session.
    Refreshes,
    /// Logs out everywhere.
    LogsOut,
    /// Erases themselves.
    Erases,
}

use Does::*;

/// Each, with the calls of what does it: a link is made where its mail is sent.
const ALL: [(Does, Calls); 12] = [
    (Renames, Calls::of("profile")),
    (Leaves, Calls::of("profile")),
    (Claims, Calls::of("claim-manager")),
    (ChangesPassword, Calls::of("profile")),
    (Resets, Calls::of("create-password")),
    (Forgets, Calls::of("send-mail")),
    (AsksForAddress, Calls::of("profile")),
    (ConfirmsAddress, Calls::of("change-email")),
    (LogsIn, Calls::of("sessions")),
    (Refreshes, Calls::of("sessions")),
    (LogsOut, Calls::of("sessions")),
    (Erases, Calls::of("profile")),
];

/// Somebody who has accepted the charter, in two browsers, with the links that they follow.
struct One<'a> {
    world: &'a World,
    browser: Visitor,
    other: Visitor,
    addresses: [String; 2],
    reset: String,
    confirmation: String,
}

impl<'a> One<'a> {
    async fn ready_to(world: &'a World, tag: &str, both: [Does; 2]) -> Self {
        let addresses = [format!("{tag}@martin.example"), format!("{tag}@toitures.example")];
        let browser = world.member(&addresses[0]).await;
        let other = world.visitor().holding(&browser.cookie().unwrap());
        if both.contains(&Claims) {
            world.forget_claims(&browser).await;
        }
        let mut one = Self { world, browser, other, addresses, reset: String::new(), confirmation: String::new() };
        if both.contains(&Resets) {
            world.visitor().forgot(&one.addresses[0]).await.expect(202);
            one.reset = link_token(&world.newest_mail(&one.addresses[0]).await);
        }
        if both.contains(&ConfirmsAddress) {
            one.does(AsksForAddress).await.expect(202);
            one.confirmation = address_token(&world.newest_mail(&one.addresses[1]).await);
        }
        one
    }

    async fn does(&self, what: Does) -> Reply {
        let Self { world, browser, other, addresses: [address, new], .. } = self;
        let me = |fields: Value| async move { browser.patch("/api/me", &fields).await };
        match what {
            Renames => me(json!({"last_name": "DUVAL"})).await,
            Leaves => me(json!({"siret": OTHER_SIRET})).await,
            Claims => world.claim(browser, ACCOUNT).await,
            ChangesPassword => {
                let form = json!({"current_password": PASSWORD, "password": CHANGED, "password_confirmation": CHANGED});
                browser.post("/api/me/password", &form).await
            }
            Resets => other.set_password(&self.reset, RESET).await,
            Forgets => {
                let reply = world.visitor().forgot(address).await;
                world.mails().await;
                reply
            }
            AsksForAddress => browser.ask_for_address(new).await,
            ConfirmsAddress => world.visitor().post("/api/email", &json!({"token": self.confirmation})).await,
            LogsIn => world.visitor().log_in(address, PASSWORD).await,
            Refreshes => other.refresh().await,
            LogsOut => browser.delete("/api/sessions/all").await,
            Erases => browser.send(Method::DELETE, "/api/me", Some(&json!({"current_password": PASSWORD}))).await,
        }
    }

    /// Gets in by one of the addresses and passwords that they may have by now, and erases themselves. Whether there
    /// was anybody.
    async fn ends(&self) -> bool {
        for address in &self.addresses {
            for password in [PASSWORD, RESET, CHANGED] {
                let visitor = self.world.visitor();
                if visitor.log_in(address, password).await.status == 200 {
                    let sure = json!({"current_password": password});
                    visitor.send(Method::DELETE, "/api/me", Some(&sure)).await.expect(204);
                    return true;
                }
            }
        }
        false
    }
}

#[tokio::test(flavor = "multi_thread")]
#[allow(clippy::disallowed_methods, reason = "how much is tried is told by whoever tries it")]
async fn both_end_and_all_is_well_in_every_order() {
    let pairs = ALL.iter().enumerate().flat_map(|(n, one)| ALL[n..].iter().map(|other| [*one, *other]));
    let every_pair = std::env::var_os("EVERY_PAIR").is_some();
    for pair in pairs {
        let both = pair.map(|(does, _)| does);
        if !(every_pair || both.contains(&Erases) || both.contains(&ConfirmsAddress)) {
            continue;
        }
        let (held, options) = Held::on_dynamodb();
        let world = World::start_with(options).await;
        let mut orders = held.orders();
        while let Some(order) = orders.another() {
            let what = format!("{both:?} {order}");
            let one = One::ready_to(&world, &order.to_string(), both).await;
            let [first, second] = pair.map(|(does, calls)| (calls, one.does(does)));
            if let Some((first, second)) = orders.meet(first, second).await {
                for reply in [first, second] {
                    let expected = [200, 201, 202, 204, 401, 403, 404, 409, 410, 422, 429, 503];
                    assert!(expected.contains(&reply.status), "{what}: {reply}");
                }
            }
            Inventory::of(&world).await.expect_whole(&what);
            let was_there = world.count(Table::Identity, "USER#", "PROFILE").await == 1;
            assert_eq!(one.ends().await, was_there, "{what}");
            Inventory::of(&world).await.expect_whole(&format!("{what}, erased"));
            assert_eq!(world.count(Table::Identity, "USER#", "").await, 0, "{what}");
            assert_eq!(world.count(Table::Members, "USER#", "").await, 0, "{what}");
        }
    }
}
