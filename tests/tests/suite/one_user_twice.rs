//! Whatever two things a user does at the same moment, in every order: neither fails, what is stored fits together, they
//! get in with what they know, and once they are erased nothing of them is left.
//!
//! Those are tried that move or end an identity, with everything; `EVERY_PAIR=1 cargo test -p portal-tests one_user_twice`
//! tries every pair, in some eight minutes.

use harness::{ACCOUNT, Calls, Held, Inventory, OTHER_SIRET, PASSWORD, Reply, Visitor, World, link_token};
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

use Does::{
    AsksForAddress, ChangesPassword, Claims, ConfirmsAddress, Erases, Forgets, Leaves, LogsIn, LogsOut, Refreshes,
    Renames, Resets,
};

const ALL: [Does; 12] = [
    Renames,
    Leaves,
    Claims,
    ChangesPassword,
    Resets,
    Forgets,
    AsksForAddress,
    ConfirmsAddress,
    LogsIn,
    Refreshes,
    LogsOut,
    Erases,
];

impl Does {
    /// The calls of what does it: a link is made where its mail is sent.
    fn calls(self) -> Calls {
        Calls::of(match self {
            Renames | Leaves | ChangesPassword | AsksForAddress | Erases => "profile",
            Claims => "claim-manager",
            Resets => "create-password",
            Forgets => "send-mail",
            ConfirmsAddress => "change-email",
            LogsIn | Refreshes | LogsOut => "sessions",
        })
    }
}

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
        let mut one = Self { world, browser, other, addresses, reset: String::new(), confirmation: String::new() };
        if both.contains(&Resets) {
            world.visitor().forgot(&one.addresses[0]).await.expect(202);
            one.reset = link_token(&world.newest_mail(&one.addresses[0]).await);
        }
        if both.contains(&ConfirmsAddress) {
            one.does(AsksForAddress).await.expect(202);
            let mail = world.newest_mail(&one.addresses[1]).await;
            let (_, token) = mail.text.split_once("/adresse#").unwrap();
            one.confirmation = token.split_whitespace().next().unwrap().to_owned();
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
            AsksForAddress => {
                let form = json!({"current_password": PASSWORD, "email": new, "email_confirmation": new});
                browser.post("/api/me/email", &form).await
            }
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

async fn fits(world: &World, what: &str) {
    let flaws = Inventory::of(world).await.flaws(true);
    assert!(flaws.is_empty(), "{what}: {}", flaws.join("; "));
}

#[tokio::test(flavor = "multi_thread")]
#[allow(clippy::disallowed_methods, reason = "how much is tried is told by whoever tries it")]
async fn both_end_and_all_is_well_in_every_order() {
    let pairs = ALL.iter().enumerate().flat_map(|(n, one)| ALL[n..].iter().map(|other| [*one, *other]));
    let every_pair = std::env::var_os("EVERY_PAIR").is_some();
    for both in pairs.filter(|both| every_pair || both.contains(&Erases) || both.contains(&ConfirmsAddress)) {
        let (held, options) = Held::on_dynamodb();
        let world = World::start_with(options).await;
        let mut orders = held.orders();
        while let Some(order) = orders.another() {
            let what = format!("{both:?} {order}");
            let one = One::ready_to(&world, &order.to_string(), both).await;
            let [first, second] = both.map(|does| (does.calls(), one.does(does)));
            if let Some((first, second)) = orders.meet(first, second).await {
                for reply in [first, second] {
                    let expected = [200, 201, 202, 204, 401, 403, 404, 409, 410, 422, 503];
                    assert!(expected.contains(&reply.status), "{what}: {reply}");
                }
            }
            fits(&world, &what).await;
            let was_there = world.count(Table::Identity, "USER#", "PROFILE").await == 1;
            assert_eq!(one.ends().await, was_there, "{what}");
            fits(&world, &format!("{what}, erased")).await;
            assert_eq!(world.count(Table::Identity, "USER#", "").await, 0, "{what}");
            assert_eq!(world.count(Table::Members, "USER#", "").await, 0, "{what}");
        }
    }
}
