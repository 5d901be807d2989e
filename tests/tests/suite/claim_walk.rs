//! Every sequence of acts on one account's claim, up to a length: after each act the promises of `docs/security.md` hold.
//!
//! Two states that differ in ids and instants alone go on alike, so each is walked on from once; an act that is refused
//! leaves the state as it was, which is held, and leads nowhere new. What is counted are the sequences that this covers.
//! `ACTS=5 cargo test --workspace --test suite claim_walk` walks longer ones, each act more in some ten times the time.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use futures::FutureExt as _;
use futures::future::BoxFuture;
use harness::{
    ACCOUNT, Inventory, OTHER_SIRET, PASSWORD, Reply, SIRET, Snapshot, Visitor, World, contest_freezes, contest_token,
};
use http::Method;
use portal::domain::{Id, Siret};
use portal::store::{Establishment, Grant, Item, Table};
use serde_json::{Value, json};

const CONTACT: &str = "compta@martin.example";

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Act {
    /// Marie claims.
    Claims,
    /// Her accomplice does, or they who may be one.
    AccompliceClaims,
    /// Whoever of them manages says OUI.
    SaysOui,
    /// Marie goes to another establishment.
    Leaves,
    /// She comes back, a day later.
    Returns,
    /// The contact on the fund's file contests the newest claim that they have a link for.
    Contests,
    Dismisses,
    Releases,
    ReleasesToo,
    /// Marie gives her accomplice access, who opens the account.
    Invites,
    /// She takes access back: from the accomplice, else from who had it before.
    Revokes,
    Erases,
}

/// How many acts in a row are walked where nobody asks for more: what takes a minute.
const DEFAULT_LENGTH: usize = 3;

const ACTS: [Act; 12] = [
    Act::Claims,
    Act::AccompliceClaims,
    Act::SaysOui,
    Act::Leaves,
    Act::Returns,
    Act::Contests,
    Act::Dismisses,
    Act::Releases,
    Act::ReleasesToo,
    Act::Invites,
    Act::Revokes,
    Act::Erases,
];

/// Who there is.
struct Cast {
    world: World,
    marie: Visitor,
    accomplice: Visitor,
    /// Had access before anybody claimed, where they are of the play.
    before: Option<Visitor>,
    ids: BTreeMap<Id, &'static str>,
    terms: Value,
}

/// What is true of the account after some acts.
#[derive(Clone)]
struct State {
    tables: Snapshot,
    seat: Establishment,
    /// Who reads, by their names.
    readers: BTreeSet<&'static str>,
    /// The tokens that freeze which the contact was mailed and has not used, the oldest first.
    tokens: Vec<String>,
    /// How many claims succeeded so far, and how many of them the contact was told of.
    claimed: usize,
    told: usize,
    /// From whom the staff took the role, and who was not let back.
    released: BTreeSet<&'static str>,
}

impl State {
    fn frozen(&self, cast: &Cast) -> bool {
        self.seat.is_frozen(cast.world.portal.clock().now())
    }

    fn manager(&self, cast: &Cast) -> Option<&'static str> {
        self.seat.manager.as_ref().map(|manager| cast.ids[&manager.user_id])
    }

    /// What decides how it goes on: without evidence, alerts, mails, answers, and with ids and instants by what they
    /// are to each other.
    fn signature(&self, cast: &Cast) -> String {
        let mut items = Vec::new();
        let now = cast.world.portal.clock().now();
        let claims: Vec<_> = self.seat.claims.iter().map(|claim| claim.since).collect();
        for (key, item) in self.tables.items(Table::Members) {
            if key.0.starts_with("CONTESTS") || key.1 == "ESTABLISHMENT" {
                continue;
            }
            let grant = key.1.starts_with("GRANT#");
            let mut facts = vec![name_ids(cast, &format!("{} {}", key.0, key.1))];
            for name in ["role", "active"] {
                facts.push(item.get(name).map(|value| format!("{value:?}")).unwrap_or_default());
            }
            if grant {
                let grant: Grant = portal::store::from_item(item.clone()).unwrap();
                facts.push(claims.iter().map(|since| (grant.given_at() >= *since).to_string()).collect());
            }
            items.push(facts.join(" "));
        }
        for (key, item) in self.tables.items(Table::Identity) {
            if key.0.starts_with("USER#") && key.1 == "PROFILE" {
                let siret = item["siret"].as_s().unwrap();
                let paused = item.contains_key("next_claim_at");
                items.push(format!("{} {siret} {paused}", name_ids(cast, &key.0)));
            }
        }
        let seat = &self.seat;
        let claims = seat.claims.iter().map(|claim| {
            format!("{} {:?} {} {}", cast.ids[&claim.user_id], claim.ended, claim.doubts, claim.dismissed)
        });
        let release = seat.release.as_ref().filter(|release| release.is_open(now));
        let release = release.map(|release| format!("{} {}", cast.ids[&release.user_id], release.staff));
        items.push(format!(
            "{:?} {:?} {:?} {release:?} {} {:?}",
            self.manager(cast),
            claims.collect::<Vec<_>>(),
            seat.contested.is_some(),
            self.tokens.len(),
            self.released,
        ));
        items.sort();
        items.join("\n")
    }
}

/// A text with the ids of the cast by their names.
fn name_ids(cast: &Cast, text: &str) -> String {
    cast.ids.iter().fold(text.to_owned(), |text, (id, name)| text.replace(&id.to_string(), name))
}

impl Cast {
    async fn assemble(with_before: bool) -> Self {
        let world = World::start().await;
        let marie = world.member("marie@martin.example").await;
        let accomplice = world.member("accomplice@martin.example").await;
        let mut ids = BTreeMap::from([(marie.id().await, "marie"), (accomplice.id().await, "accomplice")]);
        let before = if with_before {
            let before = world.member("before@martin.example").await;
            world.make_reader(&before).await;
            ids.insert(before.id().await, "before");
            Some(before)
        } else {
            None
        };
        let terms = world.document("account-terms").await;
        Self { world, marie, accomplice, before, ids, terms }
    }

    async fn sign_in(&self) {
        let emails = ["marie@martin.example", "accomplice@martin.example", "before@martin.example"];
        for (visitor, email) in
            [Some(&self.marie), Some(&self.accomplice), self.before.as_ref()].into_iter().zip(emails)
        {
            if let Some(visitor) = visitor {
                visitor.log_in(email, PASSWORD).await.expect(200);
            }
        }
    }

    fn people(&self) -> impl Iterator<Item = (&'static str, &Visitor)> {
        let named =
            [("marie", Some(&self.marie)), ("accomplice", Some(&self.accomplice)), ("before", self.before.as_ref())];
        named.into_iter().filter_map(|(name, visitor)| Some((name, visitor?)))
    }

    /// What is true where this is in the tables.
    async fn state(
        &self,
        tables: Snapshot,
        released: &BTreeSet<&'static str>,
        tokens: Vec<String>,
        (claimed, told): (usize, usize),
    ) -> State {
        let seat: Establishment =
            self.world.store().get(&Establishment::key_of(&Siret::parse(SIRET).unwrap())).await.unwrap().unwrap();
        let mut readers = BTreeSet::new();
        for (name, visitor) in self.people() {
            // 409 is who may read once somebody says OUI.
            if [200, 409].contains(&visitor.get(&target("summary")).await.status) {
                readers.insert(name);
            }
        }
        State { tables, seat, readers, tokens, claimed, told, released: released.clone() }
    }

    async fn claim(&self, visitor: &Visitor) -> Reply {
        let claim = json!({"member_number": ACCOUNT, "account_terms": self.terms});
        visitor.post("/api/manager-claims", &claim).await
    }

    async fn staff(&self, operation: &str, name: &str) -> bool {
        let event =
            json!({"operation": operation, "staff": name, "reason": "appel du 24/11", "establishment": ACCOUNT});
        self.world.staff(event).await["error"].is_null()
    }

    /// Does it; whether it was done.
    async fn does(&self, act: Act, state: &State) -> bool {
        let sure = json!({"current_password": PASSWORD});
        let moves = async |siret: &str| self.marie.patch("/api/me", &json!({"siret": siret})).await.status == 200;
        match act {
            Act::Claims => self.claim(&self.marie).await.status == 201,
            Act::AccompliceClaims => self.claim(&self.accomplice).await.status == 201,
            Act::SaysOui => {
                let yes = json!({"use": true});
                let mut done = false;
                for visitor in [&self.marie, &self.accomplice] {
                    done |= visitor.put(&target("activation"), &yes).await.status == 200;
                }
                done
            }
            Act::Leaves => moves(OTHER_SIRET).await,
            Act::Returns => {
                let back = moves(SIRET).await;
                if back {
                    self.world.let_claim_again(&self.marie).await;
                }
                back
            }
            Act::Contests => match state.tokens.last() {
                Some(token) => {
                    let used = self.world.visitor().post("/api/manager-claims/contest", &json!({"token": token})).await;
                    used.status == 202
                }
                None => false,
            },
            Act::Dismisses => self.staff("dismiss-contest", "Claire Durand").await,
            Act::Releases => self.staff("release-manager", "Claire Durand").await,
            Act::ReleasesToo => self.staff("release-manager", "Hugo Petit").await,
            Act::Invites => {
                let email = json!({"email": "accomplice@martin.example"});
                let given = self.marie.post(&target("users"), &email).await.status == 202;
                if given {
                    self.accomplice.get(&target("summary")).await;
                }
                given
            }
            Act::Revokes => {
                let whom = if state.readers.contains("accomplice") {
                    &self.accomplice
                } else {
                    match &self.before {
                        Some(before) => before,
                        None => &self.accomplice,
                    }
                };
                let id = self.ids.iter().find(|(_, name)| **name == self.name(whom)).unwrap().0;
                self.marie.delete(&target(&format!("users/{id}"))).await.status == 204
            }
            Act::Erases => self.marie.send(Method::DELETE, "/api/me", Some(&sure)).await.status == 204,
        }
    }

    fn name(&self, visitor: &Visitor) -> &'static str {
        self.people().find(|(_, other)| std::ptr::eq(*other, visitor)).unwrap().0
    }
}

fn target(rest: &str) -> String {
    format!("/api/accounts/{ACCOUNT}/{rest}")
}

/// The promises that an act may break.
fn hold(cast: &Cast, act: Act, before: &State, after: &State, what: &str) {
    let frozen = before.frozen(cast);
    let decided = matches!(act, Act::Dismisses | Act::ReleasesToo | Act::Releases);
    assert_eq!(after.told, after.claimed, "{what}: a claim that was made is told to the contact");
    assert!(after.claimed <= 3, "{what}: three claims a day");
    assert_eq!(after.seat.claims.iter().count(), after.claimed, "{what}: what is known of claims");
    if frozen && !decided {
        assert!(after.frozen(cast), "{what}: only the staff end a contest");
        assert!(after.readers.is_subset(&before.readers), "{what}: nobody gets access under a contest");
        let manager = after.manager(cast);
        assert!(manager.is_none() || manager == before.manager(cast), "{what}: nobody gets the role under a contest");
        let witness = |state: &State| state.readers.contains("before");
        assert_eq!(witness(before), witness(after), "{what}: who was there before stays under a contest");
    }
    if let Some(manager) = after.manager(cast) {
        assert!(!after.released.contains(manager), "{what}: who was released does not claim again");
        assert!(after.readers.contains(manager), "{what}: the manager reads");
    }
    if after.released.len() > before.released.len() {
        let given = after.readers.iter().filter(|name| **name != "before").count();
        assert_eq!(given, 0, "{what}: what they gave ends with their release");
    }
    match act {
        Act::Leaves | Act::Erases => assert!(!after.readers.contains("marie"), "{what}: who leaves reads no more"),
        Act::Contests => assert!(after.frozen(cast) || after.manager(cast).is_some(), "{what}: a contest is heard"),
        _ => {}
    }
    // Evidence is only ever added.
    let kept: BTreeMap<_, _> = after.tables.items(Table::Evidence).collect();
    for (key, item) in before.tables.items(Table::Evidence) {
        assert_eq!(kept.get(key), Some(&item), "{what}: evidence changed");
    }
    // Each claim is found by the account.
    let own = format!("ACCOUNT#{ACCOUNT}");
    let is_claim = |key: &(String, String), item: &Item| {
        key.0 == own && item.get("event").and_then(|event| event.as_s().ok()).is_some_and(|it| it == "account-claimed")
    };
    let found = kept.iter().filter(|(key, item)| is_claim(key, item)).count();
    assert_eq!(found, after.claimed, "{what}: the evidence of a claim is found by the account");
    for claim in after.seat.claims.iter() {
        let stands = after.seat.manager.as_ref().is_some_and(|manager| manager.since == claim.since);
        assert_eq!(claim.until.is_none(), stands, "{what}: former managers are known as such");
    }
}

/// The states that were walked on from, with how many acts were left, and how many sequences that was.
type Walked = HashMap<String, (usize, u64)>;

struct Walk<'a> {
    cast: &'a Cast,
    walked: Walked,
    acts: usize,
}

impl Walk<'_> {
    /// Tries each act after the state in which the tables are, and comes back to it: how many sequences that covers.
    fn on<'b>(&'b mut self, state: &'b State, path: Vec<Act>, left: usize) -> BoxFuture<'b, u64> {
        async move {
            if left == 0 {
                return 0;
            }
            let signature = state.signature(self.cast);
            if let Some((_, covered)) = self.walked.get(&signature).filter(|(walked, _)| *walked == left) {
                return *covered;
            }
            let mut covered = 0;
            let mut from = state.clone();
            for (nth, act) in ACTS.into_iter().enumerate() {
                self.acts += 1;
                if path.is_empty() && nth.is_multiple_of(3) {
                    // Access tokens live ten minutes.
                    self.cast.sign_in().await;
                    from.tables = Snapshot::of(&self.cast.world).await;
                }
                let path: Vec<Act> = path.iter().copied().chain([act]).collect();
                covered += 1 + self.one(&from, act, path, left).await;
            }
            self.walked.insert(signature, (left, covered));
            covered
        }
        .boxed()
    }

    async fn one(&mut self, state: &State, act: Act, path: Vec<Act>, left: usize) -> u64 {
        let cast = self.cast;
        let what = format!("{path:?}");
        let mails = cast.world.portal.mails().len();
        let done = cast.does(act, state).await;
        let tables = Snapshot::of(&cast.world).await;
        if !done && unchanged(state, &tables, &what) {
            state.tables.restore(&cast.world, &tables).await;
            // Its continuations are those of here, with one act less.
            return sequences(left - 1);
        }
        let news = cast.world.portal.mails().split_off(mails);
        let to_contact = |mail: &&local::Mail| mail.to == CONTACT && mail.text.contains("/contestation#");
        let told: Vec<_> = news.iter().filter(to_contact).collect();
        assert!(told.iter().all(|mail| contest_freezes(mail)), "{what}: the contact's link freezes");
        let mut tokens = state.tokens.clone();
        if act == Act::Contests && done {
            tokens.pop();
        }
        tokens.extend(told.iter().map(|mail| contest_token(mail)));
        let claims = usize::from(done && matches!(act, Act::Claims | Act::AccompliceClaims))
            .saturating_sub(usize::from(is_repeat(cast, act, state)));
        let counts = (state.claimed + claims, state.told + told.len());
        let mut after = cast.state(tables, &state.released, tokens, counts).await;
        if act == Act::ReleasesToo || act == Act::Releases {
            let was = |state: &State| state.frozen(cast) || state.seat.manager.is_some();
            let ended = was(state) && !was(&after);
            if ended && done {
                let contested = state.seat.release.as_ref().map(|release| cast.ids[&release.user_id]);
                after.released.extend(contested);
            }
        }
        let mut covered = 0;
        if done {
            hold(cast, act, state, &after, &what);
            let known = self.walked.contains_key(&after.signature(cast));
            let mut flaws = if known { Vec::new() } else { Inventory::of(&cast.world).await.flaws(true) };
            // Who had access before was given it by nobody in this play.
            flaws.retain(|flaw| {
                cast.before.is_none()
                    || ["nobody manages it", "by nobody", "another answer"]
                        .iter()
                        .all(|of_before| !flaw.contains(of_before))
            });
            assert!(flaws.is_empty(), "{what}: {flaws:#?}");
        }
        if after.signature(cast) != state.signature(cast) {
            covered = self.on(&after, path, left - 1).await;
        } else if left > 1 {
            covered = sequences(left - 1);
        }
        // What came behind has come back to it.
        state.tables.restore(&cast.world, &after.tables).await;
        covered
    }
}

/// A claim by who manages already is answered as the first was.
fn is_repeat(cast: &Cast, act: Act, state: &State) -> bool {
    let who = match act {
        Act::Claims => "marie",
        Act::AccompliceClaims => "accomplice",
        _ => return false,
    };
    state.manager(cast) == Some(who)
}

/// How many sequences of up to so many acts there are.
fn sequences(acts: usize) -> u64 {
    (1..=u32::try_from(acts).unwrap()).map(|acts| 12_u64.pow(acts)).sum()
}

/// Whether nothing at all has changed. A refusal changes nothing, but that a right number proves itself.
fn unchanged(before: &State, after: &Snapshot, what: &str) -> bool {
    let members = |tables: &Snapshot| -> BTreeMap<(String, String), Item> {
        tables.items(Table::Members).map(|(key, item)| (key.clone(), item.clone())).collect()
    };
    let without_proofs = |mut items: BTreeMap<(String, String), Item>| {
        items.retain(|(_, sk), _| !sk.starts_with("PROOF#"));
        items
    };
    let (before, after) = (members(&before.tables), members(after));
    let same = before == after;
    assert!(without_proofs(before) == without_proofs(after), "{what}: a refusal changed the account");
    same
}

#[tokio::test(flavor = "multi_thread")]
#[allow(clippy::disallowed_methods, clippy::print_stdout, reason = "how much is tried is told by whoever tries it")]
async fn no_sequence_of_acts_on_a_claim_breaks_a_promise() {
    let longest = std::env::var("ACTS").map_or(DEFAULT_LENGTH, |acts| acts.parse().expect("a number of acts"));
    for with_before in [false, true] {
        let cast = Cast::assemble(with_before).await;
        let tables = Snapshot::of(&cast.world).await;
        let begin = cast.state(tables, &BTreeSet::new(), Vec::new(), (0, 0)).await;
        let mut walk = Walk { cast: &cast, walked: Walked::new(), acts: 0 };
        let covered = walk.on(&begin, Vec::new(), longest).await;
        println!(
            "0 of {covered} sequences of up to {longest} acts break a promise: {} acts from {} states, with somebody who had access before: {with_before}",
            walk.acts,
            walk.walked.len(),
        );
        assert_eq!(covered, sequences(longest), "each is covered");
    }
}

/// What the walk stands on: it comes back to where it was.
#[tokio::test(flavor = "multi_thread")]
async fn a_snapshot_is_what_was_there() {
    let world = World::start().await;
    let marie = world.member("marie@martin.example").await;
    let then = Snapshot::of(&world).await;
    world.claim(&marie, ACCOUNT).await.expect(201);
    let now = Snapshot::of(&world).await;
    assert!(now != then);
    then.restore(&world, &now).await;
    assert!(Snapshot::of(&world).await == then);
    world.claim(&marie, ACCOUNT).await.expect(201);
}
