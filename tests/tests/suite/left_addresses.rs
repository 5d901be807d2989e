//! What is kept of addresses that were left. Whatever changes were confirmed and undone, in whatever order: an
//! address that its owner can come back to is theirs, every other is anybody's, no link for a password outlives
//! them there, and their erasure touches nobody else.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use futures::future::join_all;
use harness::{Calls, Held, OTHER_SIRET, PASSWORD, Person, Reply, Visitor, World, address_token, link_token};
use http::Method;
use local::Mail;
use portal::domain::{Email, Id};
use portal::store::{Login, Table, User};
use serde_json::{Value, json};

const LETTERS: [&str; 3] = ["a", "b", "c"];
const MOST_STEPS: usize = 4;
const CONFIRMS: Calls = Calls::of("change-email");

/// How many walk at once: each wants the processor for its passwords.
const AT_ONCE: usize = 8;

#[derive(Debug, Clone, Copy)]
enum Step {
    /// To this address, confirmed.
    Change(&'static str),
    /// The change at this place, and with it every later one.
    Undo(usize),
}

/// Every sequence of at most so many steps.
fn sequences() -> Vec<Vec<Step>> {
    let mut all: Vec<Vec<Step>> = vec![Vec::new()];
    let mut from = 0;
    for _ in 0..MOST_STEPS {
        let until = all.len();
        for n in from..until {
            let (present, left) = walked(&all[n]);
            let changes = LETTERS.into_iter().filter(|letter| *letter != present).map(Step::Change);
            for step in changes.chain((0..left.len()).map(Step::Undo)) {
                all.push(all[n].iter().copied().chain([step]).collect());
            }
        }
        from = until;
    }
    all
}

/// Where steps lead: the address, and the one before each change that can be undone.
fn walked(steps: &[Step]) -> (&'static str, Vec<&'static str>) {
    let (mut present, mut left) = (LETTERS[0], Vec::new());
    for step in steps {
        match step {
            Step::Change(letter) => {
                left.push(present);
                present = letter;
            }
            Step::Undo(place) => {
                present = left[*place];
                left.truncate(*place);
            }
        }
    }
    (present, left)
}

struct Walk {
    steps: Vec<Step>,
    number: usize,
    visitor: Visitor,
    id: Id,
    undoing: Vec<String>,
}

impl Walk {
    fn address(&self, letter: &str) -> String {
        format!("{letter}{}@martin.example", self.number)
    }

    /// The address after so many steps, and those that are kept.
    fn after(&self, steps: usize) -> (String, BTreeSet<String>) {
        let (present, left) = walked(&self.steps[..steps]);
        let left = left.into_iter().filter(|letter| *letter != present);
        (self.address(present), left.map(|letter| self.address(letter)).collect())
    }

    /// The first half of a step: what is mailed about.
    async fn begin(&self, world: &World, n: usize) {
        match self.steps[n] {
            Step::Change(letter) => {
                let email = self.address(letter);
                self.visitor.log_in(&self.after(n).0, PASSWORD).await.expect(200);
                self.visitor.ask_for_address(&email).await.expect(202);
            }
            Step::Undo(place) => {
                let token = json!({"token": self.undoing[place]});
                let shown = world.visitor().post("/api/email/link", &token).await.expect(200);
                world.visitor().post("/api/email", &token).await.expect(204);
                assert_eq!(shown["email"], Value::from(self.after(n + 1).0));
            }
        }
    }

    /// The second: following what was mailed.
    async fn end(&mut self, world: &World, n: usize, mails: &[Mail]) {
        let to = |address: &str| mails.iter().rev().find(|mail| mail.to == address).expect("a mail").clone();
        match self.steps[n] {
            Step::Change(letter) => {
                self.undoing.push(address_token(&to(&self.after(n).0)));
                let confirming = address_token(&to(&self.address(letter)));
                world.visitor().post("/api/email", &json!({"token": confirming})).await.expect(204);
            }
            Step::Undo(place) => {
                for token in self.undoing.drain(place..) {
                    let dead = json!({"token": token});
                    world.visitor().post("/api/email/link", &dead).await.expect_problem(410, "link-invalid");
                }
                let reset = link_token(&to(&self.after(n + 1).0));
                world.visitor().set_password(&reset, PASSWORD).await.expect(204);
            }
        }
    }

    /// Nobody gets an address that is kept, anybody one that is not: gives who did.
    async fn meet_strangers(&self, world: &World) -> Vec<(String, Visitor)> {
        let (present, kept) = self.after(self.steps.len());
        let mut strangers = Vec::new();
        for address in LETTERS.map(|letter| self.address(letter)) {
            world.sign_up(&Person::at(&address)).await.expect(202);
            let mail = world.newest_mail(&address).await;
            if address == present || kept.contains(&address) {
                assert_eq!(mail.subject, "Vous avez déjà un espace personnalisé Constructys", "{:?}", self.steps);
                continue;
            }
            let stranger = world.visitor();
            stranger.set_password(&link_token(&mail), PASSWORD).await.expect(204);
            stranger.log_in(&address, PASSWORD).await.expect(200);
            strangers.push((address, stranger));
        }
        strangers
    }

    async fn erase(&self, world: &World, strangers: &[(String, Visitor)]) {
        let (present, mut theirs) = self.after(self.steps.len());
        self.visitor.log_in(&present, PASSWORD).await.expect(200);
        let export = self.visitor.get("/api/me/export").await.expect(200);
        theirs.insert(present);
        let told = export["addresses"].as_array().unwrap().iter().map(|address| address["email"].as_str().unwrap());
        assert_eq!(told.map(str::to_owned).collect::<BTreeSet<_>>(), theirs, "{:?}", self.steps);

        let form = json!({"current_password": PASSWORD});
        self.visitor.send(Method::DELETE, "/api/me", Some(&form)).await.expect(204);
        for (address, stranger) in strangers {
            stranger.get("/api/me").await.expect(200);
            world.visitor().log_in(address, PASSWORD).await.expect(200);
        }
    }
}

/// Follows the link in the newest mail to an address.
async fn follow(world: &World, address: &str) -> Reply {
    let token = address_token(&world.newest_mail(address).await);
    world.visitor().post("/api/email", &json!({"token": token})).await
}

/// A link for a password that nobody has used yet.
async fn reset_link(world: &World, address: &str) -> String {
    world.visitor().forgot(address).await.expect(202);
    let token = link_token(&world.newest_mail(address).await);
    world.visitor().look_at_link(&token).await.expect(200);
    token
}

async fn opens_nothing(world: &World, token: &str) {
    world.visitor().look_at_link(token).await.expect_problem(410, "link-invalid");
    world.visitor().set_password(token, "escabeau mauve tournevis 7").await.expect_problem(410, "link-invalid");
}

/// Who is kept an address, and who signs in with one, as the store has it.
#[derive(Debug, Default, PartialEq)]
struct Kept {
    reservations: BTreeMap<String, i64>,
    log_ins: BTreeSet<String>,
}

async fn kept(world: &World) -> BTreeMap<Id, Kept> {
    let mut kept: BTreeMap<Id, Kept> = BTreeMap::new();
    for item in world.items(Table::Identity).await {
        let text = |name: &str| item.get(name).and_then(|value| value.as_s().ok()).cloned().unwrap_or_default();
        let Some(email) = text("pk").strip_prefix("EMAIL#").map(str::to_owned) else { continue };
        let id = || Id::parse(&text("user_id")).unwrap();
        match text("sk").as_str() {
            "RESERVATION" => {
                let until = item["until"].as_n().unwrap().parse().unwrap();
                kept.entry(id()).or_default().reservations.insert(email, until);
            }
            "LOGIN" => assert!(kept.entry(id()).or_default().log_ins.insert(email)),
            _ => {}
        }
    }
    kept
}

/// Exactly the addresses that can be come back to are kept, each until the last change from it ends.
async fn is_in_step(world: &World, walk: &Walk, steps: usize, there: &Kept) {
    let (present, kept) = walk.after(steps);
    let user: User = world.store().get(&User::key_of(walk.id)).await.unwrap().unwrap();
    let until = |address: &String| {
        let from = user.email_changes.iter().filter(|change| change.before.as_str() == address);
        from.map(|change| change.until().as_millisecond()).max().unwrap()
    };
    let reservations = kept.iter().map(|address| (address.clone(), until(address))).collect();
    let expected = Kept { reservations, log_ins: BTreeSet::from([present]) };
    assert_eq!(*there, expected, "after {steps} of {:?}", walk.steps);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_is_kept_as_long_as_its_owner_can_come_back_and_no_erasure_touches_a_stranger() {
    let world = World::start().await;
    let sequences = sequences();
    assert_eq!(sequences.len(), 1 + 2 + 6 + 20 + 72);
    let people: Vec<_> = (0..sequences.len()).map(|n| Person::at(&format!("a{n}@martin.example"))).collect();
    let mut walks = Vec::new();
    for (number, (steps, visitor)) in sequences.into_iter().zip(world.users(&people).await).enumerate() {
        walks.push(Walk { steps, number, id: visitor.id().await, visitor, undoing: Vec::new() });
    }
    for n in 0..MOST_STEPS {
        // Past the limits on mails, and on those who log in.
        world.advance(Duration::from_secs(1800));
        let under_way: Vec<_> = walks.iter_mut().filter(|walk| n < walk.steps.len()).collect();
        for walks in under_way.chunks(AT_ONCE) {
            join_all(walks.iter().map(|walk| walk.begin(&world, n))).await;
        }
        let mails = world.mails().await;
        for walk in under_way {
            walk.end(&world, n, &mails).await;
        }
        let kept = kept(&world).await;
        for walk in walks.iter().filter(|walk| n < walk.steps.len()) {
            is_in_step(&world, walk, n + 1, &kept[&walk.id]).await;
        }
    }
    world.advance(Duration::from_secs(3600));
    for walks in walks.chunks(AT_ONCE) {
        let all = join_all(walks.iter().map(async |walk| walk.meet_strangers(&world).await)).await;
        join_all(walks.iter().zip(&all).map(async |(walk, strangers)| walk.erase(&world, strangers).await)).await;
    }
    let kept = kept(&world).await;
    assert!(walks.iter().all(|walk| !kept.contains_key(&walk.id)), "nothing is kept for who is erased");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_for_a_password_dies_when_its_address_is_left_and_does_not_come_back_with_it() {
    let world = World::start().await;
    let (old, new) = ("jeanne@martin.example", "jeanne@toitures.example");
    let jeanne = world.member(old).await;
    jeanne.ask_for_address(new).await.expect(202);
    let undoing = address_token(&world.newest_mail(old).await);
    let to_old = reset_link(&world, old).await;
    follow(&world, new).await.expect(204);
    opens_nothing(&world, &to_old).await;
    let to_new = reset_link(&world, new).await;
    world.visitor().post("/api/email", &json!({"token": undoing})).await.expect(204);
    for token in [&to_old, &to_new] {
        opens_nothing(&world, token).await;
    }
    assert_eq!(world.count(Table::Identity, &format!("EMAIL#{new}"), "MAIL#reset").await, 0);
    // The one that undoing mails is the only one.
    let reset = link_token(&world.newest_mail(old).await);
    assert_eq!(world.count(Table::Identity, "LINK#", "LINK").await, 1);
    world.visitor().set_password(&reset, PASSWORD).await.expect(204);
    world.visitor().log_in(old, PASSWORD).await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_link_for_a_password_that_is_asked_for_while_an_address_is_left_outlives_it() {
    let (held, options) = Held::on_dynamodb();
    let world = World::start_with(options).await;
    let (mut orders, mut mailed) = (held.orders(), BTreeSet::new());
    while let Some(order) = orders.another() {
        let (old, new) = (format!("old-{order}@martin.example"), format!("new-{order}@martin.example"));
        let jeanne = world.member(&old).await;
        jeanne.ask_for_address(&new).await.expect(202);
        let token = json!({"token": address_token(&world.newest_mail(&new).await)});
        let (confirming, forgetting) = (world.visitor(), world.visitor());
        let confirms = (CONFIRMS, confirming.post("/api/email", &token));
        // The link comes to be where the mail is sent.
        let forgets = async {
            forgetting.forgot(&old).await.expect(202);
            world.mails().await;
        };
        let Some((confirmed, ())) = orders.meet(confirms, (Calls::of("send-mail"), forgets)).await else { continue };
        confirmed.expect(204);
        let mails = world.mails().await;
        mailed.insert(mails.iter().filter(|mail| mail.to == old && mail.text.contains("/mot-de-passe#")).count());
        let links = world.items(Table::Identity).await.into_iter().filter(|item| item.contains_key("owner"));
        assert!(links.filter(|link| !matches!(&link["owner"], AttributeValue::Null(_))).count() == 0, "{order}");
    }
    assert_eq!(mailed, BTreeSet::from([1, 2]), "that of the sign-up, and in some orders another");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_in_moves_with_the_siret_that_its_user_has_by_then() {
    let (held, options) = Held::on_dynamodb();
    let world = World::start_with(options).await;
    let (mut orders, mut changes) = (held.orders(), BTreeSet::new());
    while let Some(order) = orders.another() {
        let (old, new) = (format!("old-{order}@martin.example"), format!("new-{order}@martin.example"));
        let jeanne = world.user(&Person::at(&old)).await;
        let id = jeanne.id().await;
        jeanne.ask_for_address(&new).await.expect(202);
        let siret = json!({"siret": OTHER_SIRET});
        let confirms = (CONFIRMS, follow(&world, &new));
        let moves = (Calls::of("profile"), jeanne.patch("/api/me", &siret));
        let Some((confirmed, moved)) = orders.meet(confirms, moves).await else { continue };
        confirmed.expect(204);
        changes.insert(moved.status);
        let user: User = world.store().get(&User::key_of(id)).await.unwrap().unwrap();
        let login: Login = world.store().get(&Login::key_of(&Email::parse(&new).unwrap())).await.unwrap().unwrap();
        assert_eq!(login.siret, user.siret, "{order}");
    }
    assert!(changes.contains(&200) && changes.is_subset(&BTreeSet::from([200, 401, 503])), "{changes:?}");
}
