//! The binary as a person types it: what it says, where it stops, what it keeps.

use std::fs;
use std::net::{IpAddr, Ipv4Addr};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use harness::{
    ACCOUNT, PASSWORD, Person, Process, Started, Visitor, World, eventually, fixture, link_token, write_batch,
};
use portal::store::Table;
use serde_json::json;
use tempfile::TempDir;

fn folder() -> TempDir {
    tempfile::tempdir().unwrap()
}

/// Runs the portal to its end, or until it answers.
async fn start(folder: &Path, arguments: &[&str]) -> (Process, Started) {
    let mut process = Process::start(folder, arguments);
    let started = process.settled().await;
    (process, started)
}

async fn complaint(folder: &Path, arguments: &[&str]) -> String {
    let (_, started) = start(folder, arguments).await;
    started.one_line_of_complaint()
}

fn visitor(origin: &str) -> Visitor {
    Visitor::new(origin, IpAddr::V4(Ipv4Addr::new(127, 0, 0, 7)))
}

/// A batch in a folder of its own, its members and ledger changed by the caller.
fn batch(folder: &Path, change: impl FnOnce(&mut String, &mut String)) -> String {
    let (mut members, mut ledger) = fixture();
    change(&mut members, &mut ledger);
    let batch = folder.join("2012-10-15-001");
    fs::create_dir(&batch).unwrap();
    write_batch(&batch, "2012-10-15-001", &members, &ledger);
    batch.to_str().unwrap().to_owned()
}

#[tokio::test]
async fn help_names_every_option() {
    let here = folder();
    let (_, started) = start(here.path(), &["--help"]).await;
    let Started::Ended { status, said, complained } = started else { panic!("{started:?}") };
    assert!(status.success() && complained.is_empty());
    for option in ["--port", "--data", "--memory", "--no-demo", "--import", "--clock", "--help", "invoke", "reconcile"]
    {
        assert!(said.contains(option), "{option} is not explained:\n{said}");
    }
    assert!(said.contains("8080"), "the port that it takes by itself");
}

#[tokio::test]
async fn what_does_not_go_together_is_refused() {
    let here = folder();
    for arguments in [
        &["--memory", "--data", "x"][..],
        &["--port", "65536"],
        &["--clock", "soon"],
        &["--clock", "-5m"],
        &["--colour"],
    ] {
        let (_, started) = start(here.path(), arguments).await;
        let Started::Ended { status, complained, .. } = started else { panic!("{arguments:?}: {started:?}") };
        assert_eq!(status.code(), Some(2), "{complained}");
        assert!(complained.starts_with("error: ") && complained.contains(arguments[0]), "{complained}");
    }
    assert_eq!(fs::read_dir(here.path()).unwrap().count(), 0, "nothing was begun");
}

#[tokio::test]
async fn a_busy_port_is_one_line() {
    let here = folder();
    let busy = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let port = busy.local_addr().unwrap().port().to_string();
    let complaint = complaint(here.path(), &["--memory", "--no-demo", "--port", &port]).await;
    assert!(complaint.contains(&port) && complaint.contains("in use"), "{complaint}");
}

#[tokio::test]
async fn a_folder_that_cannot_be_used_is_one_line() {
    let here = folder();
    fs::write(here.path().join("file"), "not a folder").unwrap();
    for data in ["file", "file/below", "/proc/portal"] {
        let complaint = complaint(here.path(), &["--no-demo", "--port", "0", "--data", data]).await;
        assert!(complaint.contains(data), "{complaint}");
    }
    // Root may write everywhere, so for root this one is no obstacle.
    let closed = here.path().join("closed");
    fs::create_dir(&closed).unwrap();
    fs::set_permissions(&closed, fs::Permissions::from_mode(0o500)).unwrap();
    if fs::write(closed.join("probe"), "").is_err() {
        let complaint = complaint(here.path(), &["--no-demo", "--port", "0", "--data", "closed"]).await;
        assert!(complaint.contains("closed"), "{complaint}");
    }
}

#[tokio::test]
async fn a_folder_in_use_is_one_line() {
    let here = folder();
    let (_process, first) = start(here.path(), &["--no-demo", "--port", "0", "--data", "data"]).await;
    assert!(matches!(first, Started::Answering { .. }), "{first:?}");
    let complaint = complaint(here.path(), &["--no-demo", "--port", "0", "--data", "data"]).await;
    assert!(complaint.contains("in use by another portal"), "{complaint}");
}

#[tokio::test]
async fn a_feed_that_is_none_is_one_line() {
    let here = folder();
    let import = async |feed: &str| {
        complaint(here.path(), &["--no-demo", "--port", "0", "--data", "data", "--import", feed]).await
    };
    let said = import("nowhere").await;
    assert!(said.contains("nowhere") && said.contains("cannot be read"), "{said}");
    fs::create_dir(here.path().join("empty")).unwrap();
    let said = import("empty").await;
    assert!(said.contains("empty") && said.contains("manifest.json"), "{said}");

    let feed = batch(here.path(), |_, _| {});
    let ledger = Path::new(&feed).join("ledger.ndjson");
    let changed = fs::read_to_string(&ledger).unwrap().replacen("180000", "180001", 1);
    fs::write(&ledger, changed).unwrap();
    let said = import(&feed).await;
    assert!(said.contains(&feed) && said.contains("refused") && said.contains("ledger.ndjson"), "{said}");
    fs::write(Path::new(&feed).join("manifest.json"), "{").unwrap();
    let said = import(&feed).await;
    assert!(said.contains(&feed) && said.contains("refused"), "{said}");
}

#[tokio::test]
async fn lines_that_are_put_aside_are_told_and_do_not_stop_the_start() {
    let here = folder();
    let feed =
        batch(here.path(), |_, ledger| ledger.push_str("{\"record\": \"entry\", \"amount_cents\": 12.5}\nnot JSON\n"));
    let (_process, started) = start(here.path(), &["--no-demo", "--port", "0", "--memory", "--import", &feed]).await;
    let Started::Answering { origin, said } = started else { panic!("{started:?}") };
    assert!(said.contains("2 put aside"), "{said}");
    for line in [15, 16] {
        assert!(said.contains(&format!("put aside: ledger.ndjson line {line}: ")), "{said}");
    }
    visitor(&origin).get("/api/health").await.expect(200);
}

#[tokio::test]
async fn a_second_start_keeps_the_data_and_memory_does_not() {
    let here = folder();
    let feed = batch(here.path(), |_, _| {});
    let arguments = ["--no-demo", "--port", "0", "--data", "data", "--import", &feed];
    let (mut process, started) = start(here.path(), &arguments).await;
    let Started::Answering { origin, .. } = started else { panic!("{started:?}") };
    let marie = visitor(&origin);
    sign_up(&marie).await;
    process.interrupt().await;

    // The same batch again changes nothing.
    let (mut process, started) = start(here.path(), &arguments).await;
    let Started::Answering { origin, said } = started else { panic!("{started:?}") };
    assert!(said.contains(" 0 posted"), "{said}");
    let marie = visitor(&origin);
    marie.log_in("marie@martin.example", PASSWORD).await.expect(200);
    assert_eq!(marie.get("/api/home").await.expect(200)["establishment"]["name"], "MARTIN BTP");
    let links = marie.mails().await.unwrap().iter().filter(|mail| mail.text.contains("/mot-de-passe#")).count();
    assert_eq!(links, 1);
    process.interrupt().await;

    let (_process, started) = start(here.path(), &["--no-demo", "--port", "0", "--memory"]).await;
    let Started::Answering { origin, said } = started else { panic!("{started:?}") };
    assert!(said.contains("memory, gone when it stops"), "{said}");
    visitor(&origin).log_in("marie@martin.example", PASSWORD).await.expect_problem(401, "bad-credentials");
}

#[tokio::test]
async fn a_clock_that_runs_ahead_shows_what_expires() {
    let here = folder();
    let arguments = ["--no-demo", "--port", "0", "--data", "data"];
    let (mut process, started) = start(here.path(), &arguments).await;
    let Started::Answering { origin, .. } = started else { panic!("{started:?}") };
    let marie = visitor(&origin);
    sign_up(&marie).await;
    marie.post("/api/password/forgot", &json!({"email": "marie@martin.example"})).await.expect(202);
    let token = newest_token(&marie, 2).await;
    // Not killed: between a mail and its mark that would send it again, with a link as good as new.
    process.interrupt().await;

    for (clock, status) in [("29m", 200), ("31m", 410), ("1d12h", 410)] {
        let (mut process, started) = start(here.path(), &[&arguments[..], &["--clock", clock]].concat()).await;
        let Started::Answering { origin, said } = started else { panic!("{started:?}") };
        assert!(said.contains("Its clock says"), "{said}");
        visitor(&origin).post("/api/password/link", &json!({"token": token})).await.expect(status);
        process.kill().await;
    }
}

/// The demo as the first command gives it: an establishment is named that can be tried, with news and
/// ledger, and a second start finds it all.
#[tokio::test]
#[allow(clippy::print_stdout, reason = "how long a start takes is of interest, and no test's business")]
async fn the_first_start_loads_the_demo_and_names_an_establishment_to_try() {
    let here = folder();
    let mut took = Vec::new();
    for start in ["first", "second"] {
        let mut process = Process::start(here.path(), &["--port", "0"]);
        let started = process.settled().await;
        let Started::Answering { origin, said } = started else { panic!("{started:?}") };
        visitor(&origin).get("/api/health").await.expect(200);
        took.push(format!("{start} start to first answer: {:?}", process.age.elapsed()));
        assert_eq!(said.contains("Demo data loaded"), start == "first", "{said}");
        assert!(said.contains("SIRET ") && said.contains("member number "), "{said}");
        assert!(said.contains("/_local/mail") && said.contains(".portal"), "{said}");
        process.interrupt().await;
    }
    println!("{}", took.join("\n"));
}

#[tokio::test]
async fn an_operator_hands_an_event_to_a_running_portal() {
    let here = folder();
    let write = |name: &str, event: &serde_json::Value| fs::write(here.path().join(name), event.to_string()).unwrap();
    let event = json!({"operation": "publish-document", "kind": "charter", "body": "# Charte\n\nUn article.\n",
        "staff": "Claire Durand", "reason": "comité"});
    write("event.json", &event);
    let (_portal, started) = start(here.path(), &["--no-demo", "--port", "0", "--memory"]).await;
    let Started::Answering { origin, .. } = started else { panic!("{started:?}") };
    let slash = format!("{origin}/");
    for (origin, outcome) in [(&origin, "published"), (&slash, "unchanged")] {
        let (_, ended) = start(here.path(), &["invoke", "staff", "event.json", "--portal", origin]).await;
        let Started::Ended { status, said, complained } = ended else { panic!("{ended:?}") };
        assert!(status.success() && complained.is_empty(), "{complained}");
        let answer: serde_json::Value = serde_json::from_str(&said).unwrap();
        assert_eq!(answer[outcome]["version"], 2, "{said}");
    }
    assert_eq!(visitor(&origin).get("/api/documents/charter").await.expect(200)["title"], "Charte");

    let invoke = async |arguments: &[&str]| {
        complaint(here.path(), &[&["invoke"], arguments, &["--portal", &origin]].concat()).await
    };
    write("refused.json", &json!({"operation": "publish-document", "staff": "x", "reason": "y", "kind": "letter"}));
    let said = invoke(&["staff", "refused.json"]).await;
    assert!(said.contains("kind (kind-unknown)") && said.contains("charter"), "{said}");
    let said = invoke(&["send-mail", "refused.json"]).await;
    assert!(said.contains("send-mail failed"), "{said}");
    let said = invoke(&["nobody", "event.json"]).await;
    assert!(said.contains("there is no function nobody"), "{said}");
    let said = invoke(&["staff", "nowhere.json"]).await;
    assert!(said.contains("nowhere.json cannot be read"), "{said}");
    fs::write(here.path().join("broken.json"), "{").unwrap();
    let said = invoke(&["staff", "broken.json"]).await;
    assert!(said.contains("broken.json is not JSON"), "{said}");
    let said = invoke(&["staff", "-"]).await;
    assert!(said.contains("standard input is not JSON"), "{said}");

    let free = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap().local_addr().unwrap();
    for (portal, expected) in [(format!("http://{free}"), "cargo run"), ("portal".to_owned(), "no address")] {
        let said = complaint(here.path(), &["invoke", "staff", "event.json", "--portal", &portal]).await;
        assert!(said.contains(&portal) && said.contains(expected), "{said}");
    }
    // What starts a portal and what speaks to one do not go together.
    let (_, ended) = start(here.path(), &["--memory", "invoke", "staff", "event.json"]).await;
    let Started::Ended { status, .. } = ended else { panic!("{ended:?}") };
    assert_eq!(status.code(), Some(2));
}

/// Marie gets an account: sign-up, mail, password.
async fn sign_up(marie: &Visitor) {
    let document = marie.get("/api/documents/terms").await.expect(200);
    let terms = json!({"version": document["version"], "sha256": document["sha256"]});
    let form = Person::at("marie@martin.example").form(&terms);
    marie.post("/api/signup", &form).await.expect(202);
    let token = newest_token(marie, 1).await;
    let password = json!({"token": token, "password": PASSWORD, "password_confirmation": PASSWORD});
    marie.post("/api/password", &password).await.expect(204);
    marie.log_in("marie@martin.example", PASSWORD).await.expect(200);
    marie.get(&format!("/api/accounts/{ACCOUNT}/summary")).await.expect(404);
}

/// The token of the newest mail with a link, once there are so many.
async fn newest_token(visitor: &Visitor, count: usize) -> String {
    eventually(Duration::from_secs(20), "the mail", async || {
        let mut mails = visitor.mails().await.unwrap();
        mails.retain(|mail| mail.text.contains("/mot-de-passe#"));
        (mails.len() >= count).then(|| link_token(mails.last().unwrap()))
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ledger_that_is_not_what_its_entries_add_up_to_is_told_line_by_line() {
    let here = folder();
    let world = World::start().await;
    let origin = world.portal.address().to_owned();
    let reconcile = async |arguments: &[&str]| {
        let (_, started) = start(here.path(), &[&["reconcile", "--portal", &origin], arguments].concat()).await;
        let Started::Ended { status, said, complained } = started else { panic!("{started:?}") };
        (status.code(), said, complained)
    };
    let (code, said, complained) = reconcile(&[]).await;
    assert_eq!((code, complained.as_str()), (Some(0), ""));
    assert!(said.starts_with("No drift: 2 accounts, "), "{said}");
    assert_eq!(reconcile(&["--account", "12345"]).await.0, Some(1), "no member number");
    let (code, said, _) = reconcile(&["--account", "999998"]).await;
    assert!(code == Some(0) && said.contains("is that its number?") && !said.contains("No drift"), "{said}");

    let client = world.portal.dynamodb().unwrap();
    let key = |name: &str, text: &str| (name.to_owned(), AttributeValue::S(text.to_owned()));
    let change = client
        .update_item()
        .table_name(world.portal.table(Table::Ledger).unwrap())
        .set_key(Some([key("pk", &format!("ACCOUNT#{ACCOUNT}")), key("sk", "TOTALS#2012")].into()))
        .update_expression("SET actions = actions + :one")
        .expression_attribute_values(":one", AttributeValue::N("1".to_owned()));
    change.send().await.unwrap();
    for arguments in [&[][..], &["--account", ACCOUNT]] {
        let (code, said, complained) = reconcile(arguments).await;
        assert_eq!(code, Some(1));
        let told = said.trim_end().strip_prefix(&format!("{ACCOUNT} TOTALS#2012 actions: stored ")).unwrap();
        let (stored, computed) = told.split_once(", computed ").unwrap();
        assert_eq!(stored.parse::<u64>().unwrap(), computed.parse::<u64>().unwrap() + 1);
        assert!(complained.contains("1 field"), "{complained}");
    }
    let (code, said, _) = reconcile(&["--json"]).await;
    let report: serde_json::Value = serde_json::from_str(&said).unwrap();
    assert_eq!((code, &report["drift"], &report["accounts"]), (Some(1), &json!(1), &json!(2)), "{report}");
    assert_eq!(report["listed"][0]["item"], "TOTALS#2012");
    assert_eq!(reconcile(&["--account", "000007"]).await.0, Some(0), "another account is as it was");
}
