//! How often a request waits for DynamoDB in a row, and how many calls it makes: a cold member portal is
//! slow by its round trips, so each of them is a decision.

use std::fmt::Write as _;
use std::time::Duration;

use harness::{ACCOUNT, Contract, OTHER_ACCOUNT, OTHER_SIRET, PASSWORD, Person, Reply, Tap, World, link_token};
use portal::domain::fund_day;
use serde_json::json;

/// A request that was counted, beside what it may cost.
struct Row {
    name: &'static str,
    waits: usize,
    most_waits: usize,
    calls: usize,
    most_calls: usize,
    operations: String,
}

struct Ledger {
    tap: Tap,
    rows: Vec<Row>,
}

impl Ledger {
    /// Counts the calls of the function that answers; what another does behind the scenes is not its.
    async fn count(
        &mut self,
        name: &'static str,
        budget: (usize, usize),
        status: u16,
        act: impl Future<Output = Reply>,
    ) -> Reply {
        let (reply, observed) = self.tap.during(act).await;
        let reply = reply.expect(status);
        let (_, operation) = Contract::get().operation(&reply.method, &reply.path).expect("a route");
        let observed = observed.of(operation["x-function"].as_str().expect("a function"));
        let operations: Vec<_> = observed.calls.iter().map(|call| call.operation.as_str()).collect();
        self.rows.push(Row {
            name,
            waits: observed.waits(),
            most_waits: budget.0,
            calls: observed.all(),
            most_calls: budget.1,
            operations: operations.join(" "),
        });
        reply
    }

    fn table(&self) -> String {
        let mut table = format!("{:<32} {:>9}  {:>9}  calls\n", "request", "in a row", "all");
        for row in &self.rows {
            let Row { name, waits, most_waits, calls, most_calls, operations } = row;
            writeln!(table, "{name:<32} {waits:>4} of {most_waits}  {calls:>4} of {most_calls}  {operations}").unwrap();
        }
        table
    }
}

/// What makes this year's view the account's latest.
async fn contribute_this_year(world: &World) {
    let year = fund_day(world.portal.clock().now()).year();
    let contribution = json!({"record": "entry", "source_key": "C-NOW", "source_version": 1, "member_number": ACCOUNT,
        "kind": "CONTRIBUTION_LEGAL", "amount_cents": 100, "effective_date": format!("{year}-01-01"),
        "contribution_year": year, "label": "Contribution"});
    world.import("this-year", "", &format!("{contribution}\n")).await;
}

/// Corrects it to the year before the fixture's.
async fn take_back_this_year(world: &World) {
    let contribution = json!({"record": "entry", "source_key": "C-NOW", "source_version": 2, "member_number": ACCOUNT,
        "kind": "CONTRIBUTION_LEGAL", "amount_cents": 100, "effective_date": "2012-01-01", "contribution_year": 2011,
        "label": "Contribution"});
    world.import("not-this-year", "", &format!("{contribution}\n")).await;
}

#[tokio::test(flavor = "multi_thread")]
#[allow(clippy::print_stdout, reason = "the table is what one runs this alone for")]
async fn no_request_waits_longer_for_the_store_than_its_budget() {
    let (tap, options) = Tap::on_dynamodb();
    let world = World::start_with(options).await;
    // What was booked a moment ago takes lists a second look.
    world.advance(Duration::from_secs(120));
    // Somebody went all the way before: keys are loaded, connections are open.
    let marie = world.manager("marie@martin.example").await;
    let exports = format!("/api/accounts/{ACCOUNT}/exports");
    let asked = marie.post(&exports, &json!({"format": "csv"})).await.expect(202);
    let export = asked["id"].as_str().unwrap().to_owned();
    world.portal.drain().await.unwrap();
    let reads = [
        ("home", "/api/home".to_owned()),
        ("profile", "/api/me".to_owned()),
        ("sessions", "/api/sessions".to_owned()),
        ("accounts", "/api/accounts".to_owned()),
        ("summary", format!("/api/accounts/{ACCOUNT}/summary")),
        ("actions", format!("/api/accounts/{ACCOUNT}/actions")),
        ("actions of a view", format!("/api/accounts/{ACCOUNT}/actions?view=2012")),
        ("actions of a status", format!("/api/accounts/{ACCOUNT}/actions?view=2012&status=PAID&scheme=PLAN")),
        ("actions searched", format!("/api/accounts/{ACCOUNT}/actions?q=habilitation")),
        ("actions of a view sorted", format!("/api/accounts/{ACCOUNT}/actions?view=2012&sort=-committed")),
        ("contributions", format!("/api/accounts/{ACCOUNT}/contributions")),
        ("contributions of a view", format!("/api/accounts/{ACCOUNT}/contributions?view=2011")),
        ("remittances", format!("/api/accounts/{ACCOUNT}/remittances")),
        ("remittances of a view", format!("/api/accounts/{ACCOUNT}/remittances?view=2012")),
        ("remittances searched", format!("/api/accounts/{ACCOUNT}/remittances?q=0042&from=2012-01-01")),
        ("remittance", format!("/api/accounts/{ACCOUNT}/remittances/V-2012-0042")),
        ("remittance by its number", format!("/api/accounts/{ACCOUNT}/remittance?number=V-2012-0042")),
        ("ledger", format!("/api/accounts/{ACCOUNT}/ledger")),
        ("ledger of a kind", format!("/api/accounts/{ACCOUNT}/ledger?kind=COMMITMENT")),
        ("days of all views", format!("/api/accounts/{ACCOUNT}/ledger?from=2012-01-01&to=2012-12-31")),
        ("days of all views and a kind", format!("/api/accounts/{ACCOUNT}/ledger?kind=COMMITMENT&from=2012-01-01")),
        (
            "ledger of a view, a kind and a range",
            format!("/api/accounts/{ACCOUNT}/ledger?view=2012&kind=COMMITMENT&from=2012-01-01&to=2012-06-30"),
        ),
        ("action", format!("/api/accounts/{ACCOUNT}/actions/2012-000001")),
        ("an export", format!("/api/accounts/{ACCOUNT}/exports/{export}")),
        ("ledger as CSV", format!("/api/accounts/{ACCOUNT}/ledger.csv")),
        ("ledger of a view as XLSX", format!("/api/accounts/{ACCOUNT}/ledger.xlsx?view=2012")),
        ("ledger of a kind as CSV", format!("/api/accounts/{ACCOUNT}/ledger.csv?view=2012&kind=COMMITMENT")),
        ("days of all views as CSV", format!("/api/accounts/{ACCOUNT}/ledger.csv?from=2012-01-01&to=2012-12-31")),
        ("contributions of a view as CSV", format!("/api/accounts/{ACCOUNT}/contributions.csv?view=2011")),
        ("contributions as CSV", format!("/api/accounts/{ACCOUNT}/contributions.csv")),
        (
            "actions of a view as CSV",
            format!("/api/accounts/{ACCOUNT}/actions.csv?view=2012&status=PAID&q=a&sort=title"),
        ),
        ("actions as CSV", format!("/api/accounts/{ACCOUNT}/actions.csv")),
        ("remittances as XLSX", format!("/api/accounts/{ACCOUNT}/remittances.xlsx?q=0042")),
        ("exports", format!("/api/accounts/{ACCOUNT}/exports")),
    ];
    for (_, target) in &reads {
        marie.get(target).await.expect(200);
    }
    // She has access, and asks for nothing.
    marie.post("/api/access-requests", &json!({})).await.expect(202);
    marie.refresh().await.expect(200);
    world.visitor().post("/api/password/forgot", &json!({"email": "nobody@martin.example"})).await.expect(202);
    let wrong = json!({"token": "x"});
    world.visitor().post("/api/password/link", &wrong).await.expect_problem(410, "link-invalid");
    world.mails().await;

    let mut ledger = Ledger { tap, rows: Vec::new() };
    let paul = world.visitor();
    let email = "paul@poste.example";
    let form = Person::at(email).of(OTHER_SIRET).form(&world.document("terms").await);
    ledger.count("sign-up", (1, 2), 202, paul.post("/api/signup", &form)).await;
    let token = link_token(&world.newest_mail(email).await);
    ledger.count("link check", (1, 1), 200, paul.post("/api/password/link", &json!({"token": token}))).await;
    let password = json!({"token": token, "password": PASSWORD, "password_confirmation": PASSWORD});
    ledger.count("set password (activation)", (2, 3), 204, paul.post("/api/password", &password)).await;
    ledger.count("log-in", (2, 4), 200, paul.log_in(email, PASSWORD)).await;
    ledger.count("refresh", (2, 3), 200, paul.refresh()).await;
    ledger.count("forgot", (1, 2), 202, paul.post("/api/password/forgot", &json!({"email": email}))).await;
    let token = link_token(&world.newest_mail(email).await);
    let password = json!({"token": token, "password": PASSWORD, "password_confirmation": PASSWORD});
    ledger.count("set password (reset)", (2, 3), 204, paul.post("/api/password", &password)).await;
    world.mails().await;
    paul.log_in(email, PASSWORD).await.expect(200);
    world.accept_charter(&paul).await;
    let terms = world.document("account-terms").await;
    let claim = json!({"member_number": OTHER_ACCOUNT, "account_terms": terms});
    ledger.count("claim", (2, 4), 201, paul.post("/api/manager-claims", &claim)).await;
    world.mails().await;
    for (name, target) in &reads {
        let (waits, calls) = match *name {
            // What the address is invited to is asked for when the user's item tells it, beside the figures.
            "accounts" => (2, 4),
            // What the address is invited to, and who asks for what they manage.
            "home" => (2, 5),
            // Which views there are, then each of them.
            "days of all views" | "days of all views and a kind" => (2, 4),
            // The transfers of a number and their lines, beside who is calling.
            "remittance" | "remittance by its number" => (1, 4),
            "days of all views as CSV" => (2, 4),
            // The second look at the facets is behind the rows; without a view the first tells which is meant.
            "actions of a view as CSV" | "remittances as XLSX" => (2, 3),
            "actions as CSV" => (3, 4),
            "contributions as CSV" => (2, 4),
            "exports" => (1, 2),
            _ => (1, 3),
        };
        ledger.count(name, (waits, calls), 200, marie.get(target)).await;
    }
    let links = format!("/api/accounts/{ACCOUNT}/file-links");
    let file = json!({"file": "actions", "format": "csv", "view": 2012});
    let made = ledger.count("link to a file", (1, 1), 201, marie.post(&links, &file)).await;
    let link = made["url"].as_str().unwrap().split_once("/api/").unwrap().1.to_owned();
    ledger.count("following it", (2, 3), 200, world.visitor().get(&format!("/api/{link}"))).await;
    ledger.count("link to a whole ledger", (1, 2), 201, marie.post(&links, &json!({"format": "csv"}))).await;
    let export = json!({"file": "actions", "format": "csv"});
    ledger.count("ask for an export", (2, 3), 202, marie.post(&exports, &export)).await;
    // Totals with the gate's batch, three lists beside it.
    let statement = format!("/api/accounts/{ACCOUNT}/statement.pdf");
    marie.get(&statement).await.expect(200);
    ledger.count("statement of a view", (1, 5), 200, marie.get(&format!("{statement}?view=2012"))).await;
    // The latest view is not known: this year's is read meanwhile, and is the latest of whoever still trains.
    ledger.count("statement, nothing of this year", (2, 9), 200, marie.get(&statement)).await;
    contribute_this_year(&world).await;
    world.advance(Duration::from_secs(120));
    ledger.count("statement, no view named", (1, 6), 200, marie.get(&statement)).await;
    // What was booked for this year turns out to be of another: its rows lie before those of the latest view.
    take_back_this_year(&world).await;
    world.advance(Duration::from_secs(120));
    let contributions = format!("/api/accounts/{ACCOUNT}/contributions");
    let of_2012 = ledger.count("contributions, a later year emptied", (2, 4), 200, marie.get(&contributions)).await;
    assert_eq!(of_2012["view"], 2012);
    let users = format!("/api/accounts/{ACCOUNT}/users");
    let invited = json!({"email": email});
    ledger.count("give access", (3, 4), 202, marie.post(&users, &invited)).await;
    let (_, summary) = &reads[4];
    ledger.count("accounts of the invited", (2, 4), 200, paul.get("/api/accounts")).await;
    ledger.count("first read", (3, 4), 200, paul.get(summary)).await;
    ledger.count("second read", (1, 3), 200, paul.get(summary)).await;
    let listed = ledger.count("users", (2, 3), 200, marie.get(&users)).await;
    let id = listed["users"][1]["id"].as_str().unwrap();
    ledger.count("give access again", (3, 4), 202, marie.post(&users, &invited)).await;
    ledger.count("take access back", (3, 4), 204, marie.delete(&format!("{users}/{id}"))).await;

    let omar = world.member("omar@martin.example").await;
    let asked = json!({"message": "Bonjour, je tiens les comptes."});
    ledger.count("ask for access", (2, 3), 202, omar.post("/api/access-requests", &asked)).await;
    ledger.count("ask again", (2, 3), 202, omar.post("/api/access-requests", &asked)).await;
    ledger.count("users, one asking", (2, 3), 200, marie.get(&users)).await;
    let id = omar.id().await;
    ledger.count("refuse access", (3, 4), 204, marie.delete(&format!("{users}/{id}"))).await;
    omar.post("/api/access-requests", &asked).await.expect(202);
    let both = json!({"emails": ["omar@martin.example", "nobody@poste.example"]});
    ledger.count("approve and invite", (3, 4), 202, marie.post(&users, &both)).await;
    let manager = format!("/api/accounts/{ACCOUNT}/manager");
    ledger.count("hand over", (3, 4), 200, marie.post(&manager, &json!({"id": id}))).await;
    ledger.count("accounts searched", (2, 4), 200, omar.get("/api/accounts?q=martin&limit=10")).await;

    let table = ledger.table();
    println!("{table}");
    for row in &ledger.rows {
        assert!(row.waits <= row.most_waits && row.calls <= row.most_calls, "{} costs too much:\n{table}", row.name);
        assert!(row.calls > 0, "{} was not seen:\n{table}", row.name);
    }
}
