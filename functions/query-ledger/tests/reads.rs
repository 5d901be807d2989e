//! The demo ledger, read by somebody who may and by others who may not.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::collections::BTreeSet;
use std::path::Path;

use local::{Options, Portal};
use portal::domain::{Civility, Email, Id, JobTitle, MemberNumber, PersonName, Siret};
use portal::environment::rng;
use portal::lambda::{Context, Invoke, start_http};
use portal::security::{Claims, SealKey, SigningKey};
use portal::store::{Account, Change, Grant, Role, Session, Store, User};
use serde_json::{Value, json};

const NUMBER: &str = "012345";
const ACTIONS: &str = "GET /api/accounts/{number}/actions";

struct Reader {
    _portal: Portal,
    store: Store,
    read: Invoke,
    token: String,
    user: User,
    session: Session,
}

impl Reader {
    /// The demo feed, and a user with a grant on one of its accounts.
    async fn of_the_demo() -> Self {
        let portal = Portal::prepare(Options::default()).await.unwrap();
        portal.import(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../../demo/feed")).await.unwrap();
        let (store, now, mut rng) = (portal.store().unwrap(), portal.clock().now(), rng());
        let key = SigningKey::random(now, &mut rng);
        store.put(&key.public().unwrap()).await.unwrap();
        let (user_id, session_id) = (Id::random(&mut rng), Id::random(&mut rng));
        let user = User {
            user_id,
            email: Email::parse("marie@exemple.fr").unwrap(),
            civility: Civility::Mme,
            last_name: PersonName::parse("Martin").unwrap(),
            first_name: PersonName::parse("Marie").unwrap(),
            job_title: JobTitle::parse("Comptable").unwrap(),
            siret: Siret::parse("53384615000019").unwrap(),
            siret_since: None,
            epoch: 1,
            origin: None,
            created_at: now,
            accepted_charter: Some(1),
            email_changes: Vec::new(),
            email_problem: None,
            dealings: 0,
            next_claim_at: None,
            seal_key: SealKey::random(&mut rng),
        };
        let session = Session {
            user_id,
            session_id,
            refresh_hash: String::new(),
            generation: 0,
            rotations: Vec::new(),
            epoch: 1,
            created_at: now,
            last_used_at: now,
            expires_at: now + Session::LONGEST,
            ip: None,
            user_agent: None,
            ttl: 0,
        };
        let environment = portal.environment();
        let claims = Claims::new(environment.variable("PORTAL_ORIGIN").unwrap(), &session, &user.siret, now, &mut rng);
        let grant = Grant {
            user_id,
            member_number: number(),
            role: Role::Reader,
            siret: user.siret.clone(),
            name: "MARTIN BTP".to_owned(),
            active: true,
            since: now,
            invitation_id: None,
            given_at: None,
            sirets_before: Vec::new(),
        };
        store.put(&user).await.unwrap();
        store.put(&session).await.unwrap();
        store.put(&grant).await.unwrap();
        let token = claims.sign(&key).unwrap();
        let read = start_http::<query_ledger::Function>(environment).await.unwrap();
        let reader = Self { store, read, token, user, session, _portal: portal };
        reader.activate(true).await;
        reader
    }

    async fn activate(&self, active: bool) {
        let change = Change::new().set("active", &active).unwrap();
        self.store.update(&Account::key_of(&number()), &change, None).await.unwrap();
    }

    async fn get(&self, route: &str, parameters: Value, query: &str) -> (u64, Value) {
        let event = json!({
            "version": "2.0", "routeKey": route, "rawPath": "/api", "rawQueryString": query,
            "headers": {"authorization": format!("Bearer {}", self.token)}, "pathParameters": parameters,
            "requestContext": {
                "accountId": "1", "apiId": "a", "requestId": "r", "routeKey": route, "stage": "$default",
                "time": "23/Nov/2026:09:15:00 +0000", "timeEpoch": 1_795_425_300_000_u64,
                "http": {"method": "GET", "path": "/api", "protocol": "HTTP/1.1", "sourceIp": "127.0.0.1", "userAgent": "t"},
            },
            "isBase64Encoded": false,
        });
        let answer = (self.read)(event, Context::default()).await.unwrap();
        let body = serde_json::from_str(answer["body"].as_str().unwrap()).unwrap();
        (answer["statusCode"].as_u64().unwrap(), body)
    }

    async fn actions(&self, query: &str) -> (u64, Value) {
        self.list("actions", query).await
    }

    async fn list(&self, list: &str, query: &str) -> (u64, Value) {
        self.get(&format!("GET /api/accounts/{{number}}/{list}"), json!({"number": NUMBER}), query).await
    }

    async fn remittance(&self, remittance: &str) -> (u64, Value) {
        let parameters = json!({"number": NUMBER, "remittance_number": remittance});
        self.get("GET /api/accounts/{number}/remittances/{remittance_number}", parameters, "").await
    }

    async fn summary(&self) -> Value {
        let (status, summary) = self.get("GET /api/accounts/{number}/summary", json!({"number": NUMBER}), "").await;
        assert_eq!(status, 200, "{summary}");
        summary
    }

    async fn action(&self, id: &str) -> (u64, Value) {
        let parameters = json!({"number": NUMBER, "action_id": id});
        self.get("GET /api/accounts/{number}/actions/{action_id}", parameters, "").await
    }

    /// All pages of a list.
    async fn all(&self, query: &str) -> (Value, Vec<Value>) {
        self.all_of("actions", query).await
    }

    async fn all_of(&self, list: &str, query: &str) -> (Value, Vec<Value>) {
        let (status, first) = self.list(list, query).await;
        assert_eq!(status, 200, "{first}");
        let mut items = first["items"].as_array().unwrap().clone();
        let mut cursor = first["next_cursor"].as_str().map(str::to_owned);
        while let Some(text) = cursor {
            let (status, page) = self.list(list, &format!("{query}&cursor={text}")).await;
            assert_eq!((status, &page["view"]), (200, &first["view"]));
            assert_eq!(page["totals"], first["totals"]);
            assert!(!page["items"].as_array().unwrap().is_empty(), "no page is empty but the first");
            items.extend(page["items"].as_array().unwrap().clone());
            cursor = page["next_cursor"].as_str().map(str::to_owned);
        }
        (first, items)
    }
}

fn number() -> MemberNumber {
    MemberNumber::parse(NUMBER).unwrap()
}

fn sum(items: &[Value], field: &str) -> i64 {
    items.iter().map(|item| item[field].as_i64().unwrap()).sum()
}

/// What an entry adds to what is paid, told by the kind of what it is or reverses.
fn paid(entries: &[Value], entry: &Value) -> i64 {
    let reversed = entries.iter().find(|other| other["entry_id"] == entry["reverses"]).unwrap_or(entry);
    let cents = entry["amount_cents"].as_i64().unwrap();
    if matches!(reversed["kind"].as_str(), Some("PAYMENT_RETURNED" | "RECOVERY")) { -cents } else { cents }
}

/// The measures that an action has.
const OF_ACTIONS: [&str; 8] =
    ["committed", "paid", "paid_to_company", "paid_to_providers", "in_progress", "remaining", "overpaid", "recovered"];

#[tokio::test]
async fn the_three_reads_agree_to_the_cent() {
    let reader = Reader::of_the_demo().await;
    let summary = reader.summary().await;
    let views = summary["views"].as_array().unwrap();
    let years: Vec<_> = views.iter().map(|view| view["view"].as_i64().unwrap()).collect();
    assert!(years.len() > 3 && years.is_sorted() && years[0] == 2011, "{years:?}");
    assert_eq!((views[0].get("from"), &views[0]["to"]), (None, &json!("2011-12-31")));
    assert_eq!(views[1]["from"], "2012-01-01");
    for measure in OF_ACTIONS.into_iter().chain(["contributed"]) {
        let of_views: Vec<_> = views.iter().map(|view| view["totals"].clone()).collect();
        assert_eq!(summary["totals"][measure], sum(&of_views, measure));
        // Months say what was booked, not how things stand.
        for view in views.iter().filter(|view| view["by_month"][0].get(measure).is_some()) {
            assert_eq!(sum(view["by_month"].as_array().unwrap(), measure), view["totals"][measure].as_i64().unwrap());
        }
    }
    let (mut corrections, mut endings) = (0, BTreeSet::new());
    for view in views {
        let (page, items) = reader.all(&format!("view={}&limit=3", view["view"])).await;
        for measure in OF_ACTIONS {
            assert_eq!(page["totals"][measure], view["totals"][measure]);
            assert_eq!(sum(&items, measure), view["totals"][measure].as_i64().unwrap());
            assert_eq!(sum(view["by_scheme"].as_array().unwrap(), measure), view["totals"][measure].as_i64().unwrap());
        }
        let days: Vec<_> = items.iter().map(|item| item["engagement_date"].as_str().unwrap()).collect();
        assert!(days.is_sorted_by(|a, b| a >= b), "newest first");
        let ids: BTreeSet<_> = items.iter().map(|item| item["action_id"].as_str().unwrap()).collect();
        assert_eq!(ids.len(), items.len());
        for item in &items {
            let (status, action) = reader.action(item["action_id"].as_str().unwrap()).await;
            assert_eq!((status, &action["view"]), (200, &view["view"]));
            for field in OF_ACTIONS.into_iter().chain(["title", "status", "scheme"]) {
                assert_eq!(action[field], item[field]);
            }
            let cents = |field: &str| action[field].as_i64().unwrap();
            let settled = ["CLOSED", "REFUSED", "CANCELLED"].contains(&action["status"].as_str().unwrap());
            let remaining = cents("committed") - cents("paid") - cents("recovered");
            assert_eq!(cents("remaining"), if settled { 0 } else { remaining.max(0) }, "{action}");
            assert_eq!(cents("overpaid"), (cents("paid") - cents("committed")).max(0), "{action}");
            endings.extend(["overpaid", "recovered"].into_iter().filter(|field| cents(field) > 0));
            endings.extend((settled && remaining > 0).then_some("not spent"));
            let entries = action["entries"].as_array().unwrap();
            for (measure, side) in [("paid_to_company", "COMPANY"), ("paid_to_providers", "PROVIDER")] {
                assert_eq!(action[measure], item[measure]);
                let paid = entries.iter().filter(|entry| entry["paid_to"] == side).map(|entry| paid(entries, entry));
                assert_eq!(paid.sum::<i64>(), action[measure].as_i64().unwrap(), "{action}");
            }
            let dates: Vec<_> = entries.iter().map(|entry| entry["effective_date"].as_str().unwrap()).collect();
            assert!(dates.is_sorted());
            // What was wrong, that it is taken back, what replaces it: in this order, also when all three
            // were booked with one batch on one day.
            for (place, reversal) in entries.iter().enumerate().filter(|(_, entry)| entry["kind"] == "REVERSAL") {
                let [reversed, replacement] = [place - 1, place + 1].map(|place| &entries[place]);
                assert_eq!(reversed["reversed_by"], reversal["entry_id"]);
                assert_eq!(reversal["reverses"], reversed["entry_id"]);
                assert_eq!(replacement["source_key"], reversed["source_key"]);
                assert_eq!((&reversed["source_version"], &replacement["source_version"]), (&json!(1), &json!(2)));
                assert_eq!(reversal["amount_cents"].as_i64(), reversed["amount_cents"].as_i64().map(|cents| -cents));
                corrections += 1;
            }
        }
    }
    assert_eq!((corrections, endings.len()), (1, 3), "the demo has one, and {endings:?}");
}

#[tokio::test]
async fn filters_add_up_and_the_default_view_is_the_latest() {
    let reader = Reader::of_the_demo().await;
    let summary = reader.summary().await;
    let latest = summary["views"].as_array().unwrap().last().unwrap()["view"].clone();
    let (whole, all) = reader.all("limit=2").await;
    assert_eq!((&whole["view"], whole["totals"]["committed"].as_i64().unwrap()), (&latest, sum(&all, "committed")));
    let (named, again) = reader.all(&format!("view={latest}&limit=200")).await;
    assert_eq!((&named["totals"], again), (&whole["totals"], all.clone()));
    for view in [None, Some(2011), Some(2012)] {
        let view = view.map(|year| format!("view={year}&")).unwrap_or_default();
        let (_, all) = reader.all(&view).await;
        for field in ["status", "scheme"] {
            let values: BTreeSet<_> = all.iter().map(|item| item[field].as_str().unwrap()).collect();
            for value in values {
                let (page, items) = reader.all(&format!("{view}{field}={value}&limit=1")).await;
                let expected: Vec<_> = all.iter().filter(|item| item[field] == value).cloned().collect();
                assert_eq!(items, expected);
                for paid in ["paid", "paid_to_company", "paid_to_providers"] {
                    assert_eq!(page["totals"][paid].as_i64().unwrap(), sum(&expected, paid));
                }
            }
        }
        for item in &all {
            let (scheme, status) = (item["scheme"].as_str().unwrap(), item["status"].as_str().unwrap());
            let (_, items) = reader.all(&format!("{view}scheme={scheme}&status={status}")).await;
            assert!(items.contains(item) && items.iter().all(|i| i["scheme"] == scheme && i["status"] == status));
        }
    }
    let (status, none) = reader.actions("view=1990").await;
    assert_eq!((status, &none["items"], &none["totals"]["committed"]), (200, &json!([]), &json!(0)));
}

#[tokio::test]
async fn the_ledger_as_it_was_posted_holds_every_entry_once_and_adds_up() {
    let reader = Reader::of_the_demo().await;
    let summary = reader.summary().await;
    for view in summary["views"].as_array().unwrap() {
        let named = format!("view={}", view["view"]);
        let (_, entries) = reader.all_of("ledger", &format!("{named}&limit=7")).await;
        let days: Vec<_> = entries.iter().map(|entry| entry["effective_date"].as_str().unwrap()).collect();
        assert!(days.is_sorted_by(|a, b| a >= b), "latest first");
        let ids: BTreeSet<_> = entries.iter().map(|entry| entry["entry_id"].as_str().unwrap()).collect();
        assert_eq!(ids.len(), entries.len());
        // Every entry of the actions and every contribution, and nothing else.
        let (_, actions) = reader.all(&named).await;
        let (_, contributions) = reader.all_of("contributions", &format!("{named}&limit=1")).await;
        let mut elsewhere: BTreeSet<String> = BTreeSet::new();
        for action in &actions {
            let (_, action) = reader.action(action["action_id"].as_str().unwrap()).await;
            let entries = action["entries"].as_array().unwrap();
            elsewhere.extend(entries.iter().map(|entry| entry["entry_id"].as_str().unwrap().to_owned()));
        }
        elsewhere.extend(contributions.iter().map(|entry| entry["entry_id"].as_str().unwrap().to_owned()));
        assert!(elsewhere.iter().map(String::as_str).eq(ids));
        assert_eq!(sum(&contributions, "contributed"), view["totals"]["contributed"].as_i64().unwrap());
        // Of one kind: the same entries in the same order, whatever the page.
        let kinds: BTreeSet<_> = entries.iter().map(|entry| entry["kind"].as_str().unwrap()).collect();
        for kind in kinds {
            let (_, of_kind) = reader.all_of("ledger", &format!("{named}&kind={kind}&limit=2")).await;
            let expected: Vec<_> = entries.iter().filter(|entry| entry["kind"] == kind).cloned().collect();
            assert_eq!(of_kind, expected, "{kind}");
        }
        // Between two days, both included; an end alone; and within a kind.
        let (last, first) = (days[days.len() / 4], days[days.len() * 3 / 4]);
        let within = |from: &str, to: &str, kind: Option<&str>| -> Vec<Value> {
            let day = |entry: &Value| entry["effective_date"].as_str().unwrap().to_owned();
            let right = |entry: &&Value| {
                (from..=to).contains(&day(entry).as_str()) && kind.is_none_or(|kind| entry["kind"] == kind)
            };
            entries.iter().filter(right).cloned().collect()
        };
        for kind in [None, Some("COMMITMENT")] {
            let of_kind = kind.map(|kind| format!("&kind={kind}")).unwrap_or_default();
            let (_, both) = reader.all_of("ledger", &format!("{named}&from={first}&to={last}{of_kind}&limit=3")).await;
            assert_eq!(both, within(first, last, kind));
            let (_, from) = reader.all_of("ledger", &format!("{named}&from={first}{of_kind}")).await;
            assert_eq!(from, within(first, "9", kind));
            let (_, to) = reader.all_of("ledger", &format!("{named}&to={last}{of_kind}")).await;
            assert_eq!(to, within("", last, kind));
        }
    }
}

#[tokio::test]
async fn other_lists_without_a_view_are_of_the_latest_whatever_else_they_filter_by() {
    let reader = Reader::of_the_demo().await;
    let summary = reader.summary().await;
    let latest = &summary["views"].as_array().unwrap().last().unwrap()["view"];
    for (list, query) in [
        ("ledger", "limit=3"),
        ("ledger", "kind=COMMITMENT&limit=1"),
        ("actions", "q=a&limit=1"),
        ("actions", "sort=-paid&limit=1"),
        ("contributions", "limit=1"),
    ] {
        let (page, items) = reader.all_of(list, query).await;
        let (_, named) = reader.all_of(list, &format!("view={latest}&{query}")).await;
        assert_eq!((&page["view"], items), (latest, named), "{list}?{query}");
    }
}

#[tokio::test]
async fn days_and_transfers_without_a_view_are_of_all_views() {
    let reader = Reader::of_the_demo().await;
    let summary = reader.summary().await;
    for (list, query, id) in [
        ("ledger", "from=2012-01-01&to=2015-12-31&limit=2", "entry_id"),
        ("ledger", "kind=CONTRIBUTION_LEGAL&from=2012-01-01&limit=1", "entry_id"),
        ("remittances", "limit=1", "remittance_number"),
        ("remittances", "from=2012-03-01&limit=1", "remittance_number"),
    ] {
        let (page, items) = reader.all_of(list, query).await;
        let ids = |items: &[Value]| items.iter().map(|item| item[id].as_str().unwrap().to_owned()).collect::<Vec<_>>();
        let mut of_views = BTreeSet::new();
        for view in summary["views"].as_array().unwrap() {
            of_views.extend(ids(&reader.all_of(list, &format!("view={}&{query}", view["view"])).await.1));
        }
        let found = ids(&items);
        assert_eq!((page.get("view"), found.len()), (None, of_views.len()), "{list}?{query}: each once");
        assert!(!found.is_empty() && found.into_iter().collect::<BTreeSet<_>>() == of_views, "{list}?{query}");
    }
}

#[tokio::test]
async fn a_transfer_is_traced_to_each_action_and_invoice_that_it_pays() {
    let reader = Reader::of_the_demo().await;
    let summary = reader.summary().await;
    let (mut seen, mut sides) = (BTreeSet::new(), BTreeSet::new());
    for view in summary["views"].as_array().unwrap() {
        let (_, remittances) = reader.all_of("remittances", &format!("view={}&limit=1", view["view"])).await;
        let days: Vec<_> = remittances.iter().map(|remittance| remittance["date"].as_str().unwrap()).collect();
        assert!(days.is_sorted_by(|a, b| a >= b), "latest first");
        for listed in &remittances {
            let number = listed["remittance_number"].as_str().unwrap();
            let (status, detail) = reader.remittance(number).await;
            assert_eq!(status, 200, "{detail}");
            for field in [
                "remittance_number",
                "source",
                "date",
                "bank_reference",
                "amount",
                "sent",
                "returned",
                "payee",
                "paid_to_company",
                "paid_to_providers",
            ] {
                assert_eq!(detail[field], listed[field]);
            }
            let lines = detail["lines"].as_array().unwrap();
            assert_eq!(sum(lines, "amount"), listed["amount"].as_i64().unwrap());
            for (measure, side) in [("paid_to_company", "COMPANY"), ("paid_to_providers", "PROVIDER")] {
                let of_side: Vec<Value> = lines.iter().filter(|line| line["payee"] == side).cloned().collect();
                assert_eq!(sum(&of_side, "amount"), listed[measure].as_i64().unwrap());
                assert_eq!(of_side.is_empty(), ![side, "BOTH"].contains(&listed["payee"].as_str().unwrap()));
                sides.insert(listed["payee"].as_str().unwrap().to_owned());
            }
            assert_eq!(
                listed["sent"].as_i64(),
                listed["amount"].as_i64().zip(listed["returned"].as_i64()).map(|(a, b)| a + b)
            );
            assert!(lines.iter().any(|line| line["view"] == view["view"]), "it pays for an action of the view");
            for line in lines {
                let (_, action) = reader.action(line["action_id"].as_str().unwrap()).await;
                assert_eq!(line["title"], action["title"]);
                let entries = action["entries"].as_array().unwrap();
                let entry = entries.iter().find(|entry| entry["entry_id"] == line["entry_id"]).unwrap();
                assert_eq!(entry["remittance_number"], number);
                assert_eq!(entry.get("invoice_number"), line.get("invoice_number"));
            }
            seen.extend(lines.iter().map(|line| line["entry_id"].as_str().unwrap().to_owned()));
        }
    }
    // Every payment that names a transfer is a line of it.
    let mut payments = BTreeSet::new();
    for view in summary["views"].as_array().unwrap() {
        let (_, entries) = reader.all_of("ledger", &format!("view={}&limit=200", view["view"])).await;
        let named = entries.iter().filter(|entry| entry.get("remittance_number").is_some());
        payments.extend(named.map(|entry| entry["entry_id"].as_str().unwrap().to_owned()));
    }
    assert!(seen.len() > 3 && seen == payments);
    assert!(["COMPANY", "PROVIDER"].iter().all(|side| sides.contains(*side)), "{sides:?}");
    for nobodys in ["V-0", "not a number", ""] {
        assert_eq!(reader.remittance(nobodys).await.0, 404, "{nobodys:?}");
    }
}

#[tokio::test]
async fn a_ledger_query_that_makes_no_sense_names_every_field() {
    let reader = Reader::of_the_demo().await;
    let codes = async |query: &str| -> Vec<String> {
        let (status, problem) = reader.list("ledger", query).await;
        assert_eq!(status, 422, "{problem}");
        let errors = problem["errors"].as_array().unwrap();
        errors.iter().map(|error| format!("{} {}", error["field"], error["code"]).replace('"', "")).collect()
    };
    let all = "view=x&kind=GIFT&from=2012-02-30&to=20120101&limit=0";
    let expected = ["view bad-view", "kind unknown-kind", "from bad-date", "to bad-date", "limit bad-limit"];
    assert_eq!(codes(all).await, expected);
    assert_eq!(codes("from=2012-01-02&to=2012-01-01").await, ["to bad-range"]);
    // A cursor of one list opens no other, nor the same with another range.
    let (_, page) = reader.list("ledger", "view=2012&limit=1").await;
    let cursor = page["next_cursor"].as_str().unwrap();
    for (list, query) in [("contributions", "view=2012"), ("ledger", "view=2012&from=2012-01-01"), ("remittances", "")]
    {
        assert_eq!(reader.list(list, &format!("{query}&cursor={cursor}")).await.0, 400, "{list}?{query}");
    }
}

#[tokio::test]
async fn problems_come_in_the_order_of_the_contract() {
    let mut reader = Reader::of_the_demo().await;
    let slug = |answer: (u64, Value)| (answer.0, answer.1["type"].as_str().unwrap_or_default().to_owned());
    let wrong = "limit=0&view=12&status=DONE&scheme=X&limit=201";
    // 422 for everything at once, 400 for a cursor of another filter.
    let (status, problem) = reader.actions(wrong).await;
    assert_eq!((status, problem["errors"].as_array().unwrap().len()), (422, 4));
    let (_, page) = reader.actions("view=2011&limit=1").await;
    let cursor = page["next_cursor"].as_str().unwrap().to_owned();
    assert_eq!(slug(reader.actions(&format!("view=2012&cursor={cursor}")).await), (400, "/problems/bad-cursor".into()));
    assert_eq!(slug(reader.actions("cursor=x").await), (400, "/problems/bad-cursor".into()));
    // 409 after 422, 403 before both, 404 before that, 401 first.
    reader.activate(false).await;
    assert_eq!(reader.actions(wrong).await.0, 422);
    assert_eq!(slug(reader.actions("").await), (409, "/problems/account-not-activated".into()));
    assert_eq!(reader.action("no-such").await.0, 404);
    reader.user.accepted_charter = None;
    reader.store.put(&reader.user).await.unwrap();
    assert_eq!(slug(reader.actions(wrong).await), (403, "/problems/charter-required".into()));
    assert_eq!(reader.action("no-such").await.0, 404);
    assert_eq!(reader.action("not an id").await.0, 404);
    for other in ["630378", "999999", "12345", "0123456", ""] {
        assert_eq!(reader.get(ACTIONS, json!({"number": other}), wrong).await.0, 404, "{other:?}");
    }
    reader.session.epoch = 2;
    reader.store.put(&reader.session).await.unwrap();
    for number in [NUMBER, "12345"] {
        assert_eq!(reader.get(ACTIONS, json!({"number": number}), wrong).await.0, 401);
    }
    reader.token = "no token".to_owned();
    assert_eq!(reader.summary_status().await, 401);
}

#[tokio::test]
async fn an_account_without_entries_has_a_summary_of_nothing() {
    let reader = Reader::of_the_demo().await;
    let empty = Account {
        member_number: MemberNumber::parse("000001").unwrap(),
        siret: Siret::parse("35600000000048").unwrap(),
        name: "NOUVELLE".to_owned(),
        headcount_band: None,
        contact_email: None,
        opened_on: jiff::civil::date(2016, 1, 1),
        closed_on: None,
        version: 1,
        content_hash: String::new(),
        booked_at: jiff::Timestamp::UNIX_EPOCH,
        active: true,
        sirets_before: Vec::new(),
        parked: None,
    };
    let grant = Grant {
        user_id: reader.user.user_id,
        member_number: empty.member_number.clone(),
        role: Role::Manager,
        siret: empty.siret.clone(),
        name: empty.name.clone(),
        active: true,
        since: jiff::Timestamp::UNIX_EPOCH,
        invitation_id: None,
        given_at: None,
        sirets_before: Vec::new(),
    };
    reader.store.put(&empty).await.unwrap();
    reader.store.put(&grant).await.unwrap();
    let number = json!({"number": "000001"});
    let (_, summary) = reader.get("GET /api/accounts/{number}/summary", number.clone(), "").await;
    let nothing = json!({"committed": 0, "paid": 0, "paid_to_company": 0, "paid_to_providers": 0, "in_progress": 0,
        "remaining": 0, "overpaid": 0, "recovered": 0, "contributed": 0});
    assert_eq!((&summary["views"], &summary["totals"]), (&json!([]), &nothing));
    let (status, page) = reader.get(ACTIONS, number, "").await;
    assert_eq!((status, &page["items"], page.get("next_cursor")), (200, &json!([]), None));
    assert!(page["view"].as_i64().unwrap() >= 2026);
}

impl Reader {
    async fn summary_status(&self) -> u64 {
        self.get("GET /api/accounts/{number}/summary", json!({"number": NUMBER}), "").await.0
    }
}
