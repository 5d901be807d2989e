//! The staff's command line as a person types it, against a portal that answers on this machine.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Output;

use harness::{ACCOUNT, PASSWORD, Person, SIRET, World, contest_token, link_token, staff_cli};
use local::Fate;
use serde_json::{Value, json};
use tempfile::TempDir;

const MARIE: &str = "marie@martin.example";
const PAUL: &str = "paul@martin.example";
const WHY: [&str; 2] = ["--reason", "appel du 24/11"];

/// Somebody of the staff at a terminal.
struct Terminal<'a> {
    world: &'a World,
    folder: TempDir,
    staff: &'static str,
}

/// How a command ended.
struct Ended {
    code: i32,
    said: String,
    complained: String,
}

impl From<Output> for Ended {
    fn from(output: Output) -> Self {
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        let (said, complained) = (text(output.stdout), text(output.stderr));
        assert!(!complained.contains("panicked"), "{complained}");
        Self { code: output.status.code().unwrap(), said, complained }
    }
}

impl Ended {
    #[track_caller]
    fn done(self) -> String {
        assert_eq!((self.code, self.complained.as_str()), (0, ""), "{}", self.said);
        self.said
    }

    #[track_caller]
    fn failed(self, code: i32) -> String {
        assert_eq!(self.code, code, "{}{}", self.said, self.complained);
        assert_eq!(self.said, "");
        self.complained
    }
}

impl<'a> Terminal<'a> {
    fn of(world: &'a World, staff: &'static str) -> Self {
        Self { world, folder: tempfile::tempdir().unwrap(), staff }
    }

    /// The words behind `staff-cli`, with the portal's address.
    async fn types(&self, words: &[&str]) -> Ended {
        let here = ["--endpoint", self.world.portal.address()];
        self.types_exactly(&[words, &here].concat(), &[("STAFF", self.staff)]).await
    }

    async fn types_exactly(&self, words: &[&str], environment: &[(&str, &str)]) -> Ended {
        staff_cli(self.folder.path(), words, environment).await.into()
    }

    /// The same as a script does it.
    async fn scripted(&self, words: &[&str]) -> Value {
        let said = self.types(&[words, &["--json"]].concat()).await.done();
        serde_json::from_str(&said).unwrap_or_else(|error| panic!("{error}: {said}"))
    }
}

/// Marie who manages, Paul who contests her.
async fn contested(world: &World) {
    let paul = world.user(&Person::at(PAUL).named("m", "DURAND")).await;
    world.let_prove(&paul).await;
    world.manager(MARIE).await;
    let mails = world.mails().await;
    let notice = mails.iter().find(|mail| mail.to == PAUL && mail.text.contains("/contestation#")).unwrap();
    let token = json!({"token": contest_token(notice)});
    world.visitor().post("/api/manager-claims/contest", &token).await.expect(202);
}

fn type_in<'a>(words: &[&'a str]) -> Vec<&'a str> {
    [words, &WHY].concat()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_contest_from_the_list_to_the_release_by_two() {
    let world = World::start().await;
    contested(&world).await;
    let (claire, hugo) = (Terminal::of(&world, "Claire Durand"), Terminal::of(&world, "Hugo Petit"));
    let listed = claire.types(&type_in(&["list-contests"])).await.done();
    assert!(listed.starts_with("Contests: 1\n"), "{listed}");
    for part in [SIRET, ACCOUNT, "open", "siret"] {
        assert!(listed.contains(part), "{listed}");
    }
    let shown = claire.types(&type_in(&["look-up-establishment", ACCOUNT])).await.done();
    for part in ["MARTIN BTP", MARIE, "Contest\n", "Alerts: 1\n", "claim-contested", "Invitations: none"] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    let asked = claire.types(&type_in(&["release-manager", ACCOUNT])).await.done();
    assert!(asked.starts_with("No access is given") && asked.contains("release-manager 012345"), "{asked}");
    let alone = claire.types(&type_in(&["release-manager", ACCOUNT])).await.failed(1);
    assert!(alone.starts_with("error: refused, staff (second-person-needed): Claire Durand asked"), "{alone}");
    let words =
        ["release-manager", ACCOUNT, "--staff", "CLAIRE DURAND", "--json", "--endpoint", world.portal.address()];
    let alone = claire.types_exactly(&type_in(&words), &[]).await;
    let told: Value = serde_json::from_str(&alone.said).unwrap();
    assert_eq!((alone.code, &told["error"]["code"]), (1, &json!("second-person-needed")), "a script sees it too");
    let released = hugo.types(&type_in(&["release-manager", "533 846 150 00019"])).await.done();
    assert!(released.contains("MARTIN BTP (53384615000019, 012345) is released, as Claire Durand asked"), "{released}");
    assert_eq!(hugo.types(&type_in(&["list-contests"])).await.done(), "Contests: none\n");
    let all = hugo.scripted(&type_in(&["list-contests", "--all"])).await;
    assert_eq!(all["contests"][0]["state"], "released");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_contest_that_is_dismissed_and_an_account_that_is_closed() {
    let world = World::start().await;
    contested(&world).await;
    let claire = Terminal::of(&world, "Claire Durand");
    let dismissed = claire.types(&type_in(&["dismiss-contest", SIRET])).await.done();
    assert!(dismissed.starts_with("The claim of MARTIN BTP (53384615000019, 012345) was right"), "{dismissed}");
    let again = claire.types(&type_in(&["dismiss-contest", SIRET])).await.failed(1);
    assert!(again.contains("(not-contested)"), "{again}");
    let closed = claire.types(&type_in(&["close-account", ACCOUNT])).await.done();
    assert!(closed.contains("is closed since 20"), "{closed}");
    let alerts = claire.types(&type_in(&["list-alerts"])).await.done();
    assert!(alerts.starts_with("Alerts: 1\n"), "{alerts}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_that_did_not_come() {
    let world = World::start().await;
    let claire = Terminal::of(&world, "Claire Durand");
    let nobody = claire.types(&type_in(&["look-up-user", MARIE])).await.done();
    assert_eq!(nobody, "User: none\nSign up: none\nMails: none\n");
    world.sign_up(&Person::at(MARIE)).await.expect(202);
    let first = link_token(&world.newest_mail(MARIE).await);
    let shown = claire.types(&type_in(&["look-up-user", MARIE])).await.done();
    assert!(shown.contains("Mails: 1\n") && shown.contains("delivered") && shown.contains("sign-up"), "{shown}");
    let queued = claire.types(&type_in(&["resend-mail", MARIE, "activation"])).await.done();
    assert!(queued.starts_with("The mail sign-up goes out now. Its id is "), "{queued}");
    assert_eq!(link_token(&world.newest_mail(MARIE).await), first);
    assert_eq!(world.mails_to(MARIE).await, 2);
    world.visitor().set_password(&first, PASSWORD).await.expect(204);
    let shown = claire.scripted(&type_in(&["look-up-user", MARIE])).await;
    assert_eq!(shown["user"]["last_name"], "MARTIN");
    for said in [shown.to_string(), queued] {
        assert!(!said.contains(&first), "no token is shown: {said}");
    }
    claire.types(&type_in(&["resend-mail", MARIE, "reset"])).await.done();
    world.mails().await;
    let soon = claire.types(&type_in(&["resend-mail", MARIE, "reset"])).await.failed(1);
    assert!(soon.contains("(mailed-lately)"), "{soon}");
}

#[tokio::test(flavor = "multi_thread")]
async fn news_applications_and_an_address_that_was_mended() {
    let world = World::start().await;
    let claire = Terminal::of(&world, "Claire Durand");
    let folder = claire.folder.path();
    std::fs::write(folder.join("texte.md"), "Le portail ferme **lundi**.\n").unwrap();
    std::fs::write(folder.join("page.md"), "<b>Lundi</b>\n").unwrap();
    let marie = world.user(&Person::at(MARIE)).await;
    let titles = async || marie.get("/api/home").await.expect(200)["news"].to_string();

    let said = claire.types(&type_in(&["publish-news", "Fermeture", "texte.md"])).await.done();
    assert!(said.starts_with("« Fermeture » is shown from 20"), "{said}");
    let id = said.trim_end().trim_end_matches('.').rsplit(' ').next().unwrap().to_owned();
    assert!(titles().await.contains("Fermeture"));
    let again = claire.types(&type_in(&["publish-news", "Fermeture", "texte.md"])).await.done();
    assert_eq!(again, "It is so already: nothing has changed.\n");
    let html = claire.types(&type_in(&["publish-news", "Page", "page.md"])).await.failed(1);
    assert!(html.starts_with("error: refused, body ("), "{html}");
    let when = ["publish-news", "Page", "texte.md", "--from", "lundi"];
    assert!(claire.types(&type_in(&when)).await.failed(1).contains("published_at"));
    let said = claire.types(&type_in(&["withdraw-news", &id])).await.done();
    assert_eq!(said, "« Fermeture » is withdrawn.\n");
    assert!(!titles().await.contains("Fermeture"));
    assert!(claire.types(&type_in(&["withdraw-news", &id])).await.failed(1).contains("(news-unknown)"));

    let put =
        ["put-application", "catalogue", "--title-fr", "Catalogue", "--title-en", "Catalogue", "--url", "/catalogue"];
    let said = claire.types(&type_in(&put)).await.done();
    assert_eq!(said, "The application catalogue is in the registry: /catalogue.\n");
    let shown = marie.get("/api/home").await.expect(200)["applications"].to_string();
    assert!(shown.contains("catalogue"), "{shown}");
    let said = claire.types(&type_in(&["remove-application", "catalogue"])).await.done();
    assert_eq!(said, "The application catalogue is out of the registry.\n");
    assert!(
        claire.types(&type_in(&["remove-application", "member-account"])).await.failed(1).contains("(not-removable)")
    );
    assert!(claire.types(&type_in(&["put-application", "x"])).await.failed(2).contains("--title-fr"));

    let fine = claire.types(&type_in(&["resume-mail", MARIE])).await.done();
    assert_eq!(fine, "It is so already: nothing has changed.\n");
    world.portal.decide_mails_to(MARIE, Fate::Bounced);
    world.visitor().forgot(MARIE).await.expect(202);
    world.mails().await;
    let shown = claire.types(&type_in(&["look-up-user", MARIE])).await.done();
    assert!(shown.contains("bounced"), "{shown}");
    // For people: why, and an instant.
    assert!(shown.contains("Address\n  stopped          bounced\n") && !shown.contains('{'), "{shown}");
    let of_the_address = shown.split("Address").nth(1).unwrap();
    assert!(of_the_address.lines().any(|line| line.starts_with("  since            20")), "{shown}");
    let said = claire.types(&type_in(&["resume-mail", MARIE])).await.done();
    assert!(said.starts_with("The address is mailed again; it was not since 20") && said.contains("bounced"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_document_is_published_from_a_file() {
    let world = World::start().await;
    let claire = Terminal::of(&world, "Claire Durand");
    std::fs::write(claire.folder.path().join("charte.md"), "# Charte\n\nUn seul article.\n").unwrap();
    std::fs::write(claire.folder.path().join("latin1.md"), b"# Charte r\xe9vis\xe9e\n").unwrap();
    let said = claire.types(&type_in(&["publish-document", "charter", "charte.md"])).await.done();
    assert!(said.starts_with("charter 2 is in force since 20"), "{said}");
    let said = claire.types(&type_in(&["publish-document", "charter", "charte.md"])).await.done();
    assert_eq!(said, "This very text is in force already, as charter 2.\n");
    let refused = claire.types(&type_in(&["publish-document", "chartre", "charte.md"])).await.failed(1);
    assert!(refused.starts_with("error: refused, kind (kind-unknown): Give one of: terms, charter"), "{refused}");
    for (file, problem) in [("nowhere.md", "nowhere.md cannot be read"), ("latin1.md", "is not UTF-8")] {
        let wrong = claire.types(&type_in(&["publish-document", "charter", file])).await.failed(2);
        assert!(wrong.contains(problem), "{wrong}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_typed_wrongly_ends_with_the_next_step() {
    let world = World::start().await;
    let claire = Terminal::of(&world, "Claire Durand");
    for (words, code, told) in [
        (vec![], 2, "Usage: staff-cli"),
        (vec!["look-up"], 2, "unrecognized subcommand"),
        (vec!["look-up-user", MARIE], 2, "--reason <TEXT>"),
        (type_in(&["look-up-user"]), 2, "<EMAIL>"),
        (type_in(&["look-up-user", MARIE, "more"]), 2, "unexpected argument"),
        (type_in(&["resend-mail", MARIE]), 2, "<MAIL>"),
        (type_in(&["resend-mail", MARIE, "reset", "--id", "x"]), 2, "cannot be used with"),
        (type_in(&["list-alerts", "--profile", "prod"]), 2, "--function"),
    ] {
        let ended = claire.types_exactly(&words, &[("STAFF", "Claire Durand")]).await;
        assert_eq!(ended.code, code, "{words:?}: {}{}", ended.said, ended.complained);
        assert!(ended.complained.contains(told), "{words:?}: {}", ended.complained);
    }
    for (words, told) in [
        (vec!["look-up-user", MARIE, "--reason", " "], "reason (required)"),
        (type_in(&["look-up-user", "marie"]), "email (email-invalid)"),
        (type_in(&["look-up-establishment", "5338461500019"]), "establishment (siret-length)"),
        (type_in(&["look-up-establishment", "99999"]), "Give a SIRET (14 digits) or a member number (6 digits)."),
        (type_in(&["look-up-establishment", "999999"]), "establishment (establishment-unknown)"),
        (type_in(&["resend-mail", "--id", "12"]), "id (not-an-id)"),
    ] {
        let refused = claire.types(&words).await.failed(1);
        assert!(refused.starts_with("error: refused, ") && refused.contains(told), "{words:?}: {refused}");
    }
    // Who one is has to be said.
    for environment in [&[][..], &[("STAFF", "  ")]] {
        let words = type_in(&["list-alerts", "--endpoint", world.portal.address()]);
        let unknown = claire.types_exactly(&words, environment).await.failed(2);
        assert!(unknown.contains("--staff \"Claire Durand\"") && unknown.contains("export STAFF="), "{unknown}");
    }
    // Where nothing answers, or something else does.
    for (origin, code, told) in [
        ("http://127.0.0.1:1", 3, "start one with `cargo run`"),
        ("https://portail.example", 2, "is no portal on this machine"),
        ("127.0.0.1:8080", 2, "is no portal on this machine"),
        (&format!("{}/elsewhere", world.portal.address()), 3, "not as a portal does"),
    ] {
        let words = type_in(&["list-alerts", "--endpoint", origin]);
        let lost = claire.types_exactly(&words, &[("STAFF", "Claire Durand")]).await.failed(code);
        assert!(lost.contains(told), "{origin}: {lost}");
    }
    for help in [vec!["--help"], vec!["release-manager", "--help"], vec!["help", "resend-mail"]] {
        let said = claire.types_exactly(&help, &[]).await.done();
        assert!(said.contains("Usage: staff-cli"), "{said}");
    }
}

/// A program by the name of `aws` in a folder of its own, which does as it is told.
fn aws_that(folder: &Path, script: &str) -> String {
    let program = folder.join("aws");
    std::fs::write(&program, format!("#!/bin/sh\n{script}")).unwrap();
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
    format!("{}:/usr/bin:/bin", folder.display())
}

/// The AWS CLI is not the portal's. What it is told, and what becomes of what it says, is.
#[tokio::test(flavor = "multi_thread")]
async fn in_aws_the_function_is_invoked_through_the_aws_cli() {
    let world = World::start().await;
    let claire = Terminal::of(&world, "Claire Durand");
    let folder = claire.folder.path();
    let words =
        type_in(&["list-contests", "--function", "portal-staff-1", "--profile", "prod", "--region", "eu-west-3"]);
    let run = async |path: &str| claire.types_exactly(&words, &[("STAFF", "Claire Durand"), ("PATH", path)]).await;

    let path = aws_that(
        folder,
        "printf '%s\\n' \"$@\" > words; cat > event.json; echo '{\"contests\": []}{\"StatusCode\": 200}'",
    );
    assert_eq!(run(&path).await.done(), "Contests: none\n");
    let told = std::fs::read_to_string(folder.join("words")).unwrap();
    let told: Vec<_> = told.lines().collect();
    let wanted = "lambda invoke --function-name portal-staff-1 --output json --profile prod --region eu-west-3 --payload \
        fileb:///dev/stdin /dev/stdout";
    assert_eq!(told.join(" "), wanted);
    let event: Value = serde_json::from_slice(&std::fs::read(folder.join("event.json")).unwrap()).unwrap();
    assert_eq!(event["operation"], "list-contests");
    assert_eq!((&event["staff"], &event["reason"]), (&json!("Claire Durand"), &json!("appel du 24/11")));

    let path =
        aws_that(folder, "cat > /dev/null; echo '{\"errorMessage\": \"throttled\"}{\"FunctionError\": \"Unhandled\"}'");
    let failed = run(&path).await.failed(3);
    assert!(failed.contains("could not finish (throttled)"), "{failed}");
    let path = aws_that(folder, "echo 'AccessDeniedException' >&2; exit 254");
    let denied = run(&path).await.failed(3);
    assert!(denied.contains("AccessDeniedException") && denied.contains("docs/operations.md"), "{denied}");
    let path = aws_that(folder, "cat > /dev/null; echo 'a page'");
    assert!(run(&path).await.failed(3).contains("gave no answer"));
    std::fs::remove_file(folder.join("aws")).unwrap();
    let missing = run(&folder.display().to_string()).await.failed(3);
    assert!(missing.contains("the AWS CLI does not start") && missing.contains("aws --version"), "{missing}");
}
