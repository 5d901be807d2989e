//! Batches of several systems, on the embedded engine.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

use import_feed::Function;
use portal::clock::Clock;
use portal::environment::StartError;
use portal::lambda::EventFunction as _;
use portal::store::Table;
use serde_json::{Value, json};
use support::{Batch, Fund, action, entry};

const NUMBER: &str = "012345";

fn first() -> Batch {
    Batch::new("one")
        .member(NUMBER, "53384615000019", 1)
        .record(&action("A-77", 1, NUMBER, "2011-000077", "PARTLY_PAID", "2011-11-30"))
        .record(&entry("E-1", 1, NUMBER, "2011-000077", "COMMITMENT", 180_000))
}

impl Fund {
    /// Uploads a batch as another source's, and has it imported.
    async fn import_of(&self, source: &str, batch: &Batch) -> Value {
        let (files, mut manifest) = batch.files();
        manifest["source"] = json!(source);
        self.upload_files(&batch.id, files, &manifest).await;
        self.arrive(&batch.id).await
    }
}

#[tokio::test]
async fn a_batch_of_an_unknown_source_is_refused_whole() {
    let fund = Fund::with(Clock::system(), &[("FeedSources", "erp,crm")]).await;
    for source in ["ERP", "erp2", "demo"] {
        let report = fund.import_of(source, &first()).await;
        let detail = format!("{source} is no source that the portal knows; these are: crm, erp");
        assert_eq!(report["refused"], json!({"reason": "unknown-source", "detail": detail}));
        assert_eq!((&report["source"], &report["batch_id"]), (&json!(source), &json!("one")));
        assert_eq!((fund.items(Table::Ledger).await.len(), fund.items(Table::Members).await.len()), (0, 0));
        assert_eq!(fund.object("one/report.json").await, report);
    }
    assert_eq!(fund.import_of("crm", &first()).await["posted"], 3);
}

/// What was doubled: a second system's entries on the first one's actions.
#[tokio::test]
async fn entries_on_another_sources_action_wait_until_the_pair_is_allowed() {
    let mut fund = Fund::with(Clock::system(), &[("FeedSources", "erp,crm")]).await;
    fund.import(&first()).await;
    let second = Batch::new("two")
        .record(&action("A-77", 1, NUMBER, "2011-000077", "PARTLY_PAID", "2011-11-30"))
        .record(&entry("E-1", 1, NUMBER, "2011-000077", "COMMITMENT", 180_000));
    for _ in 0..2 {
        let report = fund.import_of("crm", &second).await;
        assert_eq!((&report["pending"], &report["quarantined"]), (&json!(1), &json!(1)), "{report:#}");
        assert_eq!(report["warnings"], json!({"action-of-another-source": 1}));
        assert_eq!((&report["warned"][0]["line"], &report["warned"][0]["source_key"]), (&json!(2), &json!("E-1")));
        assert_eq!(report["totals"]["pending_cents"], 180_000);
        assert_eq!(fund.figures(NUMBER).await, [(2011, [180_000, 0, 0, 0])].into());
    }
    fund.reconcile().await;
    // The parameter is changed: the function starts anew, and any record of the action brings what waits.
    let given = fund.portal.environment_of("import-feed").unwrap();
    let mut variables = given.variables().clone();
    variables.insert("FEED_SOURCES".to_owned(), "erp,crm,crm:erp".to_owned());
    let environment =
        |variables| portal::environment::Environment::new(variables, Clock::system(), given.log.clone(), given.http());
    fund.function = Function::start(&environment(variables.clone())).await.unwrap();
    let report = fund.arrive("one").await;
    assert_eq!((&report["unchanged"], &report["released"]), (&json!(3), &json!(1)), "{report:#}");
    assert_eq!(fund.figures(NUMBER).await, [(2011, [360_000, 0, 0, 0])].into());
    fund.reconcile().await;
    for (wrong, why) in [("erp,ERP", "capitals"), ("crm:erp", "a source is needed")] {
        variables.insert("FEED_SOURCES".to_owned(), wrong.to_owned());
        match Function::start(&environment(variables.clone())).await.err() {
            Some(StartError::InvalidVariable { name: "FEED_SOURCES", reason }) => assert!(reason.contains(why)),
            other => panic!("{other:?}"),
        }
    }
}
