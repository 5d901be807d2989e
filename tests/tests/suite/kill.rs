//! Killed at any moment: whatever was answered with success is there after a restart, whatever was not
//! can be sent again, and nothing happens twice.
//!
//! The portal is a process of its own on a folder of its own. Each request of the journey is sent while
//! a kill is on its way, after a delay drawn from a seed, so that some come before the work, some in its
//! middle and some after the answer. Which of them it was shows in the answer, or in that there is none.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;
use std::time::Duration;

use futures::future::join;
use harness::{
    ACCOUNT, PASSWORD, Person, Process, Reply, Started, Visitor, eventually, fixture, link_token, write_batch,
};
use http::Method;
use local::Mail;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde_json::{Value, json};
use tempfile::TempDir;

const EMAIL: &str = "marie@martin.example";
const NEW_PASSWORD: &str = "escabeau mauve tournevis 7";
/// How long the poller and the mail that it starts may take after a restart.
const PATIENCE: Duration = Duration::from_secs(20);

/// A portal that is killed and started again on one folder, and the person who uses it.
struct Victim {
    folder: TempDir,
    port: String,
    process: Process,
    marie: Visitor,
    rng: StdRng,
    kills: usize,
    /// How often the kill came first.
    unanswered: usize,
}

impl Victim {
    async fn start(seed: u64) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let batch = folder.path().join("2012-10-15-001");
        std::fs::create_dir(&batch).unwrap();
        let (members, ledger) = fixture();
        write_batch(&batch, "2012-10-15-001", &members, &ledger);
        let port = free_port();
        let process = run(folder.path(), &port, true);
        let origin = format!("http://localhost:{port}");
        let marie = Visitor::new(&origin, IpAddr::V4(Ipv4Addr::new(127, 0, 0, 9)));
        let rng = StdRng::seed_from_u64(seed);
        Self { folder, port, process, marie, rng, kills: 0, unanswered: 0 }
    }

    /// A moment to kill at: most lie early, where answers are not out yet on a fast machine either.
    fn moment(&mut self, up_to: Duration) -> Duration {
        let share: f64 = self.rng.random();
        up_to.mul_f64(share * share)
    }

    /// Kills it at a moment of its start, and begins another.
    async fn kill_at_start(&mut self) {
        let moment = self.moment(Duration::from_millis(200));
        // The moment itself is drawn; nothing is waited for.
        let _ = tokio::time::timeout(moment, self.process.settled()).await;
        self.process.kill().await;
        self.kills += 1;
        self.process = run(self.folder.path(), &self.port, true);
    }

    async fn kill_and_start(&mut self) {
        self.process.kill().await;
        self.start_again().await;
    }

    async fn start_again(&mut self) {
        self.kills += 1;
        self.process = run(self.folder.path(), &self.port, false);
        self.process.answering().await;
    }

    /// Sends a request while a kill is on its way, and starts the portal again: the answer, if it came.
    async fn send_and_kill(
        &mut self,
        method: Method,
        target: &str,
        body: Option<&Value>,
        takes: Duration,
    ) -> Option<Reply> {
        let moment = self.moment(takes * 4);
        let Self { marie, process, .. } = self;
        let kill = async {
            tokio::time::sleep(moment).await;
            process.kill().await;
        };
        // An answer before the kill is followed by what happens behind the scenes, until the kill.
        let (answer, ()) = join(marie.try_send(method, target, body, &[]), kill).await;
        let answer = answer.ok();
        self.unanswered += usize::from(answer.is_none());
        self.start_again().await;
        answer
    }

    /// Waits for a mail whose subject contains this.
    async fn mail(&self, subject: &str) -> Mail {
        let what = format!("the mail {subject:?}");
        let found = eventually(PATIENCE, &what, async || {
            let mails = self.marie.mails().await.ok()?;
            mails.into_iter().find(|mail| mail.subject.contains(subject))
        });
        found.await
    }
}

fn run(folder: &Path, port: &str, import: bool) -> Process {
    let mut arguments = vec!["--port", port, "--no-demo", "--data", "data"];
    if import {
        arguments.extend(["--import", "2012-10-15-001"]);
    }
    Process::start(folder, &arguments)
}

/// A port that the portal keeps from start to start, so that its origin, which its tokens name, stays: one
/// below those that the system gives to whoever asks for any.
fn free_port() -> String {
    let first = 20_000 + u16::try_from(std::process::id() % 10_000).unwrap();
    let free = (first..32_000).find(|port| std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_ok());
    free.expect("a free port").to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn no_kill_takes_back_what_was_answered() {
    for seed in [2, 7, 19, 36, 41, 53, 64, 78] {
        Box::pin(journey(seed)).await;
    }
}

#[allow(clippy::print_stdout, reason = "whoever sees it fail wants to know how far it got")]
async fn journey(seed: u64) {
    let mut victim = Victim::start(seed).await;
    let short = Duration::from_millis(8);
    let hashing = Duration::from_millis(50);

    // The import, cut off wherever; the last start runs it to its end.
    for _ in 0..3 {
        victim.kill_at_start().await;
    }
    let started = victim.process.settled().await;
    let Started::Answering { said, .. } = started else { panic!("seed {seed}: {started:?}") };
    assert!(said.contains(" 0 put aside, 0 waiting"), "{said}");
    victim.kill_and_start().await;

    // A sign-up that was answered leads to a mail; one that was not may be sent again.
    let form = Person::at(EMAIL).form(&document(&victim, "terms").await);
    let answer = victim.send_and_kill(Method::POST, "/api/signup", Some(&form), short).await;
    match answer {
        Some(reply) => drop(reply.expect(202)),
        None => drop(victim.marie.post("/api/signup", &form).await.expect(202)),
    }
    victim.kill_and_start().await;
    let token = link_token(&victim.mail("Activez").await);

    let password = json!({"token": token, "password": PASSWORD, "password_confirmation": PASSWORD});
    set_password(&mut victim, &password, hashing).await;
    let log_in = json!({"email": EMAIL, "password": PASSWORD});
    let answer = victim.send_and_kill(Method::POST, "/api/sessions", Some(&log_in), hashing).await;
    match answer {
        Some(reply) => {
            *victim.marie.token.lock().unwrap() = reply.expect(200)["access_token"].as_str().map(str::to_owned)
        }
        None => drop(victim.marie.log_in(EMAIL, PASSWORD).await.expect(200)),
    }
    victim.marie.get("/api/me").await.expect(200);

    let mut charter = document(&victim, "charter").await;
    charter["kind"] = json!("charter");
    let answer = victim.send_and_kill(Method::POST, "/api/acceptances", Some(&charter), short).await;
    let again = victim.marie.post("/api/acceptances", &charter).await;
    if let Some(first) = answer {
        assert_eq!(first.expect(201).body, again.body, "the first receipt is the receipt");
    }
    let again = victim.marie.post("/api/acceptances", &charter).await.expect(200);
    assert_eq!(victim.marie.get("/api/home").await.expect(200)["pending_documents"], json!([]), "{again}");

    claim_and_activate(&mut victim, short).await;

    let change = json!({"job_title": "Gérante"});
    match victim.send_and_kill(Method::PATCH, "/api/me", Some(&change), short).await {
        Some(reply) => drop(reply.expect(200)),
        None => drop(victim.marie.patch("/api/me", &change).await.expect(200)),
    }
    assert_eq!(victim.marie.get("/api/me").await.expect(200)["job_title"], "Gérante");

    // A refreshed session lives on; where the answer was lost, so may be the session.
    match victim.send_and_kill(Method::POST, "/api/sessions/refresh", None, short).await {
        Some(reply) => drop(reply.expect(200)),
        None => drop(victim.marie.log_in(EMAIL, PASSWORD).await.expect(200)),
    }
    victim.marie.refresh().await.expect(200);

    reset(&mut victim, short, hashing).await;
    no_mail_came_too_often(&victim).await;
    println!("seed {seed}: {} kills, {} of them before the answer", victim.kills, victim.unanswered);
    assert!(victim.kills >= 12);
}

/// The password is set by one use of the link, answered or not.
async fn set_password(victim: &mut Victim, password: &Value, hashing: Duration) {
    let answer = victim.send_and_kill(Method::POST, "/api/password", Some(password), hashing).await;
    let again = victim.marie.post("/api/password", password).await;
    match answer {
        Some(reply) => {
            reply.expect(204);
            again.expect_problem(410, "link-invalid");
        }
        None => assert!(again.status == 204 || again.problem() == "link-invalid", "{again}"),
    }
}

async fn claim_and_activate(victim: &mut Victim, short: Duration) {
    let claim = json!({"member_number": ACCOUNT, "account_terms": document(victim, "account-terms").await});
    match victim.send_and_kill(Method::POST, "/api/manager-claims", Some(&claim), short).await {
        Some(reply) => drop(reply.expect(201)),
        // Whether it was a claim or finds itself as manager: the seat is taken by nobody else.
        None => assert!([201, 409].contains(&victim.marie.post("/api/manager-claims", &claim).await.status)),
    }
    let accounts = victim.marie.get("/api/accounts").await.expect(200);
    let roles: Vec<_> =
        accounts["accounts"].as_array().unwrap().iter().map(|a| (&a["member_number"], &a["role"])).collect();
    assert_eq!(roles, [(&json!(ACCOUNT), &json!("manager"))]);
    victim.mail(ACCOUNT).await;

    let (activation, yes) = (format!("/api/accounts/{ACCOUNT}/activation"), json!({"use": true}));
    match victim.send_and_kill(Method::PUT, &activation, Some(&yes), short).await {
        Some(reply) => drop(reply.expect(200)),
        None => drop(victim.marie.put(&activation, &yes).await.expect(200)),
    }
    let summary = victim.marie.get(&format!("/api/accounts/{ACCOUNT}/summary")).await.expect(200);
    let totals = json!({"committed": 305_000, "paid": 140_000, "paid_to_company": 140_000, "paid_to_providers": 0,
        "in_progress": 55_000, "remaining": 165_000, "overpaid": 0, "recovered": 0, "contributed": 340_000});
    assert_eq!(summary["totals"], totals, "the import is complete, and nothing was posted twice");
}

/// A forgotten password: the mail comes, the new password holds, the old one does not.
async fn reset(victim: &mut Victim, short: Duration, hashing: Duration) {
    let forgot = json!({"email": EMAIL});
    match victim.send_and_kill(Method::POST, "/api/password/forgot", Some(&forgot), short).await {
        Some(reply) => drop(reply.expect(202)),
        None => drop(victim.marie.post("/api/password/forgot", &forgot).await.expect(202)),
    }
    let token = link_token(&victim.mail("Créez un nouveau mot de passe").await);
    let password = json!({"token": token, "password": NEW_PASSWORD, "password_confirmation": NEW_PASSWORD});
    set_password(victim, &password, hashing).await;
    victim.marie.get("/api/me").await.expect_problem(401, "authentication-required");
    victim.marie.log_in(EMAIL, PASSWORD).await.expect_problem(401, "bad-credentials");
    victim.marie.log_in(EMAIL, NEW_PASSWORD).await.expect(200);
    victim.mail("mot de passe Constructys a été modifié").await;
}

/// Copies of a mail are one mail, sent again because a kill came between sending and writing it down.
async fn no_mail_came_too_often(victim: &Victim) {
    let mut copies = BTreeMap::<(String, String), usize>::new();
    let mails = victim.marie.mails().await.unwrap();
    for mail in &mails {
        let is_notice = mail.to == "compta@martin.example" && mail.text.contains("/contestation#");
        assert!(mail.to == EMAIL || is_notice, "{}: {}", mail.to, mail.subject);
        *copies.entry((mail.subject.clone(), mail.text.clone())).or_default() += 1;
    }
    let subjects: Vec<&String> = copies.keys().map(|(subject, _)| subject).collect();
    assert_eq!(subjects.len(), 7, "one mail of each kind, copies alike to the letter: {subjects:#?}");
    let extra = mails.len() - copies.len();
    assert!(extra <= victim.kills, "{extra} copies after {} kills", victim.kills);
    // A mail is on its way for the span of two or three kills at most.
    assert!(copies.values().all(|copies| *copies <= 3), "{copies:?}");
}

async fn document(victim: &Victim, kind: &str) -> Value {
    let document = victim.marie.get(&format!("/api/documents/{kind}")).await.expect(200);
    json!({"version": document["version"], "sha256": document["sha256"]})
}
