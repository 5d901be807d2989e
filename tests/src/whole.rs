//! What has to hold of the tables between any two requests, whatever went wrong during them.

use std::collections::{BTreeMap, BTreeSet};

use portal::security::read_secret;
use portal::store::Table;
use serde_json::Value;

use crate::World;

/// Items by partition and sort key.
type Items = BTreeMap<(String, String), Value>;

/// What is in the tables, and how many mails went out.
#[derive(Debug)]
pub struct Inventory {
    identity: Items,
    members: Items,
    evidence: Items,
    mails: usize,
    /// The names of the keys that may sign.
    ring: BTreeSet<String>,
}

impl Inventory {
    /// What is there, once everything written so far has been handled.
    pub async fn of(world: &World) -> Self {
        let mails = world.mails().await.len();
        let (identity, members) = (items(world, Table::Identity).await, items(world, Table::Members).await);
        let evidence = items(world, Table::Evidence).await;
        let ring = read_secret(world.portal.environment(), "SIGNING_KEYS_SECRET").await.expect("the ring");
        let ring: Value = serde_json::from_str(&ring).expect("a ring");
        let ring = ring["keys"].as_array().expect("keys").iter().map(|key| text(&key["kid"]).to_owned()).collect();
        Self { identity, members, evidence, mails, ring }
    }

    /// How many there are of each kind: `USER SESSION`, `EVENT logged-in`, `mail`. Failures that count are
    /// counted one by one.
    pub fn census(&self) -> BTreeMap<String, i64> {
        let mut census = BTreeMap::new();
        let mut count = |kind: String, number: usize| {
            *census.entry(kind).or_default() += i64::try_from(number).expect("not that many");
        };
        for ((pk, sk), item) in self.identity.iter().chain(&self.members).chain(&self.evidence) {
            let (owner, what) = (head(pk), head(sk));
            match (owner, what) {
                // What only limits how often: an attempt that failed half may count.
                ("IP", _) | ("EMAIL", "MAIL") | ("ACCOUNT", "REQUEST-MAILS") => {}
                // An event of a subject, told of its account too.
                ("ACCOUNT", "EVENT") => {}
                // What SES told of mails comes whenever it comes.
                ("EMAIL", "MAIL-STATE") => {}
                (_, "ATTEMPTS" | "CLAIM-ATTEMPTS") => {
                    count(format!("failure of {owner}"), item["failures"].as_array().map_or(0, Vec::len));
                }
                ("SUBJECT" | "STAFF", "EVENT") => {
                    let event = if owner == "STAFF" { &item["act"] } else { &item["event"] };
                    count(format!("{what} {}", text(event)), 1);
                }
                ("SUBJECT", "ACCEPTANCE") => count(format!("{what} {}", text(&item["document"])), 1),
                ("USER", "PROFILE") if item["email_problem"].is_string() => {
                    count("USER PROFILE".to_owned(), 1);
                    count("stopped address".to_owned(), 1);
                }
                ("SIGNING-KEYS" | "ALERTS" | "CONTESTS" | "NEWS", _) => count(owner.to_owned(), 1),
                _ => count(format!("{owner} {what}"), 1),
            }
        }
        count("mail".to_owned(), self.mails);
        // A key comes as another goes: their number does not tell.
        let newest = of(&self.identity, "SIGNING-KEYS", "").filter_map(|(_, key)| key["active_from"].as_u64()).max();
        let days = newest.unwrap_or_default() / (24 * 3600 * 1000);
        count("day of the newest key".to_owned(), usize::try_from(days).expect("not that late"));
        census
    }

    /// What does not fit together. `told` says whether lists have been told what accounts say: they are
    /// after the account, and a request that fails in between leaves that to its repeat.
    pub fn flaws(&self, told: bool) -> Vec<String> {
        let mut flaws = Vec::new();
        let mut demand = |holds: bool, what: String| {
            if !holds {
                flaws.push(what);
            }
        };
        self.users(&mut demand);
        self.mails(&mut demand);
        self.accounts(told, &mut demand);
        self.documents(&mut demand);
        let published: BTreeSet<_> = of(&self.identity, "SIGNING-KEYS", "").map(|(sk, _)| sk.to_owned()).collect();
        demand(self.ring.is_subset(&published), format!("keys {:?} sign, {published:?} are published", self.ring));
        flaws
    }

    /// Nothing is half done, and lists have been told.
    ///
    /// # Panics
    /// Where something does not fit together, with `what` came before.
    #[track_caller]
    pub fn expect_whole(&self, what: &str) {
        let flaws = self.flaws(true);
        assert!(flaws.is_empty(), "{what}: {flaws:#?}");
    }

    /// A user has one log-in, which agrees with them, and the evidence of how they came to be.
    fn users(&self, demand: &mut impl FnMut(bool, String)) {
        let logins = of(&self.identity, "EMAIL#", "LOGIN").count();
        let users: Vec<_> = of(&self.identity, "USER#", "PROFILE").map(|(_, user)| user).collect();
        demand(logins == users.len(), format!("{logins} log-ins of {} users", users.len()));
        for user in users {
            let (id, email) = (text(&user["user_id"]), text(&user["email"]));
            let login = self.identity.get(&(format!("EMAIL#{email}"), "LOGIN".to_owned()));
            for copied in ["user_id", "epoch", "siret", "seal_key"] {
                let copy = login.map(|login| &login[copied]);
                demand(copy == Some(&user[copied]), format!("{email}: {copied} is {copy:?} in the log-in"));
            }
            let home = (format!("SIRET#{}", text(&user["siret"])), format!("USER#{id}"));
            demand(self.identity.contains_key(&home), format!("{email} is not among those of their establishment"));
            let own = format!("SUBJECT#{id}");
            let evidence = || of(&self.evidence, &own, "");
            let came = evidence().filter(|(_, item)| item["event"] == "account-created").count();
            demand(came == 1, format!("{email} came to be {came} times"));
            demand(evidence().any(|(sk, _)| sk.starts_with("ACCEPTANCE#terms#")), format!("{email} accepted no terms"));
            let newest = evidence().filter(|(_, item)| item["document"] == "charter");
            let newest = newest.filter_map(|(_, item)| item["version"].as_u64()).max();
            let known = user["accepted_charter"].as_u64();
            demand(newest == known, format!("{email}: charter {known:?}, evidence of {newest:?}"));
        }
        let residents = of(&self.identity, "SIRET#", "USER#").count();
        let all = of(&self.identity, "USER#", "PROFILE").count();
        demand(residents == all, format!("{residents} belong to establishments, of {all} users"));
        for ((pk, _), session) in self.identity.iter().filter(|((_, sk), _)| sk.starts_with("SESSION#")) {
            let user = self.identity.get(&(pk.clone(), "PROFILE".to_owned()));
            let epoch = user.and_then(|user| user["epoch"].as_u64());
            demand(epoch >= session["epoch"].as_u64(), format!("a session of {pk} is of a later epoch than {epoch:?}"));
        }
    }

    /// A wish is open or done with; of the links to set a password only the newest of an address is there.
    fn mails(&self, demand: &mut impl FnMut(bool, String)) {
        for (_, wish) in of(&self.identity, "OUTBOX#", "MAIL") {
            let (open, unsent, done) =
                (!wish["wish"].is_null(), !wish["unsent"].is_null(), wish["outcome"].is_string());
            demand(open == unsent && open != done, format!("a wish is half done with: {wish}"));
        }
        for (_, link) in of(&self.identity, "LINK#", "LINK") {
            let (email, purpose) = (text(&link["email"]), text(&link["purpose"]));
            let history = self.identity.get(&(format!("EMAIL#{email}"), format!("MAIL#{purpose}")));
            let newest = history.map_or(&Value::Null, |history| &history["newest_link"]);
            let replaced = matches!(purpose, "activation" | "reset") && *newest != link["hash"];
            demand(!replaced, format!("a link for {purpose} of {email} is not the newest"));
        }
    }

    /// Grants and their mirrors, invitations and theirs, seats and who sits in them.
    fn accounts(&self, told: bool, demand: &mut impl FnMut(bool, String)) {
        let mirrored = |kinds: [(&str, &str); 2]| {
            kinds.map(|(pk, sk)| of(&self.members, pk, sk).map(|(_, item)| without_keys(item)).collect::<BTreeSet<_>>())
        };
        let [grants, mirrors] = mirrored([("USER#", "GRANT#"), ("ACCOUNT#", "GRANT#")]);
        demand(grants == mirrors, format!("grants {grants:#?} are mirrored as {mirrors:#?}"));
        let [invitations, mirrors] = mirrored([("ACCOUNT#", "INVITATION#"), ("INVITED#", "ACCOUNT#")]);
        demand(invitations == mirrors, format!("invitations {invitations:#?} are mirrored as {mirrors:#?}"));
        let [requests, mirrors] = mirrored([("ACCOUNT#", "REQUEST#"), ("USER#", "REQUEST#")]);
        demand(requests == mirrors, format!("requests {requests:#?} are mirrored as {mirrors:#?}"));
        for (_, request) in of(&self.members, "ACCOUNT#", "REQUEST#") {
            let (id, number) = (text(&request["user_id"]), text(&request["member_number"]));
            let user = self.identity.get(&(format!("USER#{id}"), "PROFILE".to_owned())).unwrap_or(&Value::Null);
            demand(user["siret"] == request["siret"], format!("{id}, who asks for {number}, is not of it: {user}"));
            let granted = self.members.contains_key(&(format!("USER#{id}"), format!("GRANT#{number}")));
            demand(!granted, format!("{id} asks for {number}, and has it"));
        }
        let mut managers = BTreeSet::new();
        for (_, establishment) in of(&self.members, "SIRET#", "ESTABLISHMENT") {
            let Value::Object(seat) = &establishment["manager"] else { continue };
            let (id, number) = (text(&seat["user_id"]), text(&establishment["member_number"]));
            managers.insert((id.to_owned(), number.to_owned()));
            let user = self.identity.get(&(format!("USER#{id}"), "PROFILE".to_owned())).unwrap_or(&Value::Null);
            for name in ["civility", "last_name"] {
                demand(
                    seat[name] == user[name],
                    format!("{number}: the seat's {name} is {}, not {}", seat[name], user[name]),
                );
            }
            let accepted = of(&self.evidence, &format!("SUBJECT#{id}"), "ACCEPTANCE#account-terms#");
            let accepted = accepted.filter(|(_, item)| item["member_number"] == number).count();
            let given = of(&self.evidence, &format!("SUBJECT#{id}"), "EVENT#");
            let given =
                given.filter(|(_, event)| event["event"] == "role-taken-over" && event["member_number"] == number);
            demand(accepted > 0 || given.count() > 0, format!("the manager of {number} accepted no terms of it"));
        }
        let [alerts, mirrors] = ["SIRET#", "ALERTS"].map(|pk| {
            let sk = if pk == "ALERTS" { "" } else { "ALERT#" };
            of(&self.identity, pk, sk).map(|(_, item)| without_keys(item)).collect::<BTreeSet<_>>()
        });
        demand(alerts == mirrors, format!("alerts {alerts:#?} are mirrored as {mirrors:#?}"));
        for (_, establishment) in of(&self.members, "SIRET#", "ESTABLISHMENT") {
            let Value::Object(contested) = &establishment["contested"] else { continue };
            let sits = &establishment["manager"]["user_id"];
            let open = of(&self.members, "CONTESTS", "").any(|(_, contest)| {
                contest["contest_id"] == contested["contest_id"]
                    && contest["outcome"].is_null()
                    && (sits.is_null() || contest["manager"] == *sits)
            });
            demand(open, format!("{establishment} is contested by nothing"));
        }
        for ((pk, sk), told) in self.evidence.iter().filter(|((pk, _), _)| pk.starts_with("ACCOUNT#")) {
            let subject = (format!("SUBJECT#{}", text(&told["subject"])), sk.clone());
            let same = self.evidence.get(&subject).is_some_and(|event| {
                ["event_id", "event", "at", "actor", "detail", "member_number"].iter().all(|it| event[it] == told[it])
            });
            demand(same, format!("{pk} {sk} is no event of its subject"));
        }
        for (_, establishment) in of(&self.members, "SIRET#", "ESTABLISHMENT") {
            let newest = &establishment["claims"][0];
            let stands = newest.is_object() && newest["until"].is_null();
            demand(
                !stands || newest["since"] == establishment["manager"]["since"],
                format!("{establishment}: a claim stands by which nobody manages"),
            );
        }
        let granted = of(&self.members, "USER#", "GRANT#").filter(|(_, grant)| grant["role"] == "manager");
        let granted: BTreeSet<_> = granted
            .map(|(_, grant)| (text(&grant["user_id"]).to_owned(), text(&grant["member_number"]).to_owned()))
            .collect();
        demand(granted == managers, format!("{managers:?} sit, {granted:?} are granted it"));
        for (_, account) in of(&self.members, "ACCOUNT#", "ACCOUNT") {
            let number = text(&account["member_number"]);
            let managed = managers.iter().any(|(_, managed)| managed == number);
            // Colleagues of a manager whom the staff released read on.
            let is_release = |(_, event): (&str, &Value)| {
                event["act"] == "manager-released" && text(&event["detail"]).starts_with(&format!("account {number} "))
            };
            let released = of(&self.evidence, "STAFF#", "EVENT#").any(is_release);
            let lists = |sk: &str| sk.starts_with("GRANT#") || sk.starts_with("INVITATION#");
            let left = of(&self.members, &format!("ACCOUNT#{number}"), "").filter(|(sk, _)| lists(sk)).count();
            demand(
                managed || (released && left > 0) || account["active"] == false,
                format!("{number} is used by nobody"),
            );
            demand(managed || released || left == 0, format!("{left} have access to {number}, and nobody manages it"));
            let copies = of(&self.members, &format!("ACCOUNT#{number}"), "").filter(|(sk, _)| lists(sk));
            let lag = copies.filter(|(_, copy)| copy["active"] != account["active"]).count();
            demand(!told || lag == 0, format!("{lag} lists show another answer than that of {number}"));
        }
    }

    /// Every version up to the one in force has its text.
    fn documents(&self, demand: &mut impl FnMut(bool, String)) {
        for ((pk, _), current) in self.members.iter().filter(|((_, sk), _)| sk == "CURRENT") {
            let texts: Vec<_> =
                of(&self.members, pk, "VERSION#").filter_map(|(_, text)| text["version"].as_u64()).collect();
            let version = current["version"].as_u64().unwrap_or_default();
            demand(
                texts == (2..=version).collect::<Vec<_>>(),
                format!("{pk}: {version} is in force, texts are {texts:?}"),
            );
        }
    }
}

async fn items(world: &World, table: Table) -> Items {
    let text = |item: &Value, key: &str| item[key].as_str().expect("a key").to_owned();
    let items = world.items(table).await.into_iter();
    let items = items.map(|item| serde_dynamo::from_item::<_, Value>(item).expect("an item"));
    items.map(|item| ((text(&item, "pk"), text(&item, "sk")), item)).collect()
}

/// The items whose keys begin like this, with their sort keys.
fn of<'a>(items: &'a Items, pk: &str, sk: &str) -> impl Iterator<Item = (&'a str, &'a Value)> + use<'a> {
    let (pk, sk) = (pk.to_owned(), sk.to_owned());
    let found = items.iter().filter(move |(key, _)| key.0.starts_with(&pk) && key.1.starts_with(&sk));
    found.map(|((_, sk), item)| (sk.as_str(), item))
}

/// An item as its mirror has it; what lists are told later is not compared here.
fn without_keys(item: &Value) -> String {
    let mut item = item.clone();
    if let Some(fields) = item.as_object_mut() {
        for name in ["pk", "sk", "active"] {
            fields.remove(name);
        }
    }
    item.to_string()
}

fn head(key: &str) -> &str {
    key.split('#').next().unwrap_or_default()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}
