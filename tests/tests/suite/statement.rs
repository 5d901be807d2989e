//! The yearly statement: which views have one, how long it may be, how it is answered. What it says is read by other
//! software in `tests/exports`.

use std::time::Duration;

use harness::{ACCOUNT, Calls, Held, Tap, World};
use portal::domain::{Identifier, MemberNumber, fund_day};
use portal::store::{Action, ActionSums, Batch, to_item};

use crate::ledger_files::{post_one, put};

/// An action of 2012.
async fn action(world: &World) -> Action {
    let mut batch = Batch::new();
    let number = MemberNumber::parse(ACCOUNT).unwrap();
    let wanted = batch.want(Action::key_of(&number, &Identifier::parse("2012-000001").unwrap()));
    world.store().fetch(batch).await.unwrap().take::<Action>(&wanted).unwrap().unwrap()
}

fn statement(rest: &str) -> String {
    format!("/api/accounts/{ACCOUNT}/statement.pdf{rest}")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_statement_is_a_file_named_by_account_and_view_and_the_latest_view_is_the_default() {
    let world = World::start().await;
    let marie = world.manager("marie@martin.example").await;
    let of_2012 = marie.get(&statement("?view=2012")).await.expect(200);
    assert_eq!(of_2012.header("content-type"), Some("application/pdf"));
    let name = format!("attachment; filename=\"releve-{ACCOUNT}-2012.pdf\"");
    assert_eq!(of_2012.header("content-disposition"), Some(name.as_str()));
    let latest = marie.get(&statement("")).await.expect(200);
    assert_eq!(latest.header("content-disposition"), Some(name.as_str()), "as the summary's last");
    // The tree of a PDF is not compressed: actions, contributions and transfers are tables with headings.
    let count = |what: &str| of_2012.text.matches(what).count();
    assert!(count("/Scope/Row") > 3 && count("/S/Table/") == 5 && count("/Lang(fr-FR)") == 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_view_that_is_over_or_running_has_a_statement_and_no_other_has() {
    let world = World::start().await;
    let marie = world.manager("marie@martin.example").await;
    let summary = marie.get(&format!("/api/accounts/{ACCOUNT}/summary")).await.expect(200);
    let this_year = fund_day(summary["as_of"].as_str().unwrap().parse().unwrap()).year();
    for empty in 2013..=this_year {
        marie.get(&statement(&format!("?view={empty}"))).await.expect(200);
    }
    // The first view has all before it; the next year has not begun.
    for none in ["2010".to_owned(), "1000".to_owned(), (this_year + 1).to_string(), "9999".to_owned()] {
        marie.get(&statement(&format!("?view={none}"))).await.expect_problem(404, "not-found");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_view_of_more_rows_than_a_statement_carries_is_refused_and_its_ledger_is_to_be_had() {
    let (tap, options) = Tap::on_dynamodb();
    let world = World::start_with(options).await;
    let marie = world.manager("marie@martin.example").await;
    let rows = |name: &'static str| {
        let marie = &marie;
        async move {
            let page = marie.get(&format!("/api/accounts/{ACCOUNT}/{name}?view=2012&limit=200")).await.expect(200);
            page["items"].as_array().unwrap().len()
        }
    };
    let before = rows("actions").await + rows("contributions").await + rows("remittances").await;
    // Of no amount, so that the totals are theirs too.
    let pattern = Action { sums: ActionSums::default(), ..action(&world).await };
    let mut more: Vec<_> = (0..3_001 - before)
        .map(|n| {
            let action_id = Identifier::parse(&format!("many-{n}")).unwrap();
            to_item(&Action { action_id, ..pattern.clone() }).unwrap()
        })
        .collect();
    let one_too_many = more.pop().unwrap();

    put(&world, &more).await;
    // What was booked a moment ago takes lists a second look.
    world.advance(Duration::from_secs(120));
    let (reply, observed) = tap.during(marie.get(&statement("?view=2012"))).await;
    assert_eq!(reply.expect(200).text.matches("/S/Figure/").count(), 1);
    let observed = observed.of("statement");
    assert!(observed.waits() <= 2, "{} waits for a list of a little more than a megabyte", observed.waits());
    put(&world, &[one_too_many]).await;
    marie.get(&statement("?view=2012")).await.expect_problem(409, "statement-too-large");
    marie.get(&format!("/api/accounts/{ACCOUNT}/ledger.csv?view=2012")).await.expect(200);
    marie.get(&statement("?view=2011")).await.expect(200);
}

/// A list of after a posting beside totals of before it: all is read anew.
#[tokio::test(flavor = "multi_thread")]
async fn a_statement_that_is_read_while_the_ledger_is_posted_to_adds_up() {
    let (held, options) = Held::on_dynamodb();
    let world = World::start_with(options).await;
    let marie = world.manager("marie@martin.example").await;
    world.advance(Duration::from_secs(120));
    let actions = Calls::queries_of("statement", "ACTION#2012#");
    let of_2012 = statement("?view=2012");
    let (reply, ()) = held.between(actions, marie.get(&of_2012), post_one(&world, "2012")).await;
    assert_eq!(held.seen(), 2, "of before and after");
    reply.expect(200);
    // What adds up to nothing that the portal shows is given to nobody.
    let action_id = Identifier::parse("2012-000777").unwrap();
    put(&world, &[to_item(&Action { action_id, ..action(&world).await }).unwrap()]).await;
    marie.get(&statement("?view=2012")).await.expect_problem(503, "try-again");
}
