//! The README's tour, typed as it stands there into the shells that people have.

use std::path::PathBuf;
use std::process::{Output, Stdio};
use std::time::Duration;

use futures::future::join_all;
use harness::World;
use local::Options;
use tokio::process::Command;
use tokio::sync::Mutex;

/// The shells, each with what has it end at the first failure. `echo` makes line ends of what looks like them in two of
/// them, and the arrays and options of the third are in neither.
const SHELLS: [&[&str]; 3] = [&["bash", "-euo", "pipefail"], &["zsh", "-f", "-eu"], &["dash", "-eu"]];

/// Longer than the tour waits for a mail.
const PATIENCE: Duration = Duration::from_secs(120);

static INSTALLING: Mutex<()> = Mutex::const_new(());

/// The tour's blocks, for a portal at this address.
fn script(address: &str) -> String {
    let readme = include_str!("../../../README.md");
    let blocks = readme.split("```sh tour\n").skip(1).map(|rest| rest.split("```").next().unwrap_or_default());
    let script = blocks.collect::<Vec<_>>().join("\n").replace("http://localhost:8080", address);
    assert!(script.contains("manager-claims"), "the tour's blocks were found");
    script
}

/// The answers that the README prints below its blocks, each cut where it leaves something out.
fn answers() -> Vec<Vec<&'static str>> {
    let readme = include_str!("../../../README.md");
    let blocks = readme.split("```json\n").skip(1).map(|rest| rest.split("```").next().unwrap_or_default());
    let answers: Vec<Vec<_>> = blocks.flat_map(str::lines).map(|line| line.split('…').collect()).collect();
    assert!(answers.len() > 3, "the tour's answers were found");
    answers
}

/// Returns true where these pieces stand in the text, in this order.
fn has_in_order(text: &str, pieces: &[&str]) -> bool {
    let mut rest = text;
    pieces.iter().all(|piece| {
        let found = rest.find(piece);
        rest = found.map_or("", |at| &rest[at + piece.len()..]);
        found.is_some()
    })
}

/// Has a shell at hand, from Debian's package where it is not.
async fn have(shell: &str) {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let install =
        format!(". ./debian.sh; command -v {shell} >/dev/null || debian {shell} 'The tour is typed in {shell}.'");
    // One after the other: `apt-get` has a lock.
    let _alone = INSTALLING.lock().await;
    let output = Command::new("sh").args(["-euc", &install]).current_dir(folder).output().await.expect("sh");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

async fn typed(shell: &[&str], script: &str) -> Output {
    let mut command = Command::new(shell[0]);
    command.args(&shell[1..]).args(["-c", script]).stdin(Stdio::null()).kill_on_drop(true);
    let ended = tokio::time::timeout(PATIENCE, command.output()).await;
    ended.unwrap_or_else(|_| panic!("{} hangs in\n{script}", shell[0])).expect(shell[0])
}

#[tokio::test(flavor = "multi_thread")]
async fn the_tour_of_the_readme_ends_in_the_ledger_in_every_shell() {
    for shell in SHELLS {
        have(shell[0]).await;
    }
    join_all(SHELLS.map(|shell| async move {
        let world = World::empty(Options { demo: true, ..Options::default() }).await;
        let output = typed(shell, &script(world.portal.address())).await;
        let (said, complained) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success(), "{}: {said}\n{complained}", shell[0]);
        for expected in ["\"status\":\"ok\"", "\"active\":true", "\"by_scheme\"", "\"entries\":[{"] {
            assert!(said.contains(expected), "{}: no {expected} in\n{said}\n{complained}", shell[0]);
        }
        for answer in answers() {
            assert!(has_in_order(&said, &answer), "{}: not as README.md has it: {answer:?} in\n{said}", shell[0]);
        }
        assert!(!said.contains("/problems/") && complained.is_empty(), "{}: {said}\n{complained}", shell[0]);
    }))
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_tour_says_what_is_missing_and_ends() {
    for shell in SHELLS {
        have(shell[0]).await;
    }
    let world = World::empty(Options { demo: true, ..Options::default() }).await;
    let tour = script(world.portal.address());
    // Nothing listens there.
    let nowhere = script("http://127.0.0.1:1");
    let refused = tour.replace("533 846 150 00019", "5338461500019");
    let unmailed = tour.replace("mot-de-passe#[A", "no-such-link#[A").replace("tries=50", "tries=5");
    let (nowhere, refused, unmailed) = (&nowhere, &refused, &unmailed);
    join_all(SHELLS.map(|shell| async move {
        for (script, word) in [
            (nowhere, "Not done. Is the portal running at http://127.0.0.1:1 (cargo run)"),
            (refused, "siret-length"),
            (unmailed, "No mail came within ten seconds"),
        ] {
            // As a script that does not say to end at a failure, too.
            for shell in [shell, &shell[..1]] {
                let output = typed(shell, script).await;
                let (said, complained) =
                    (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
                assert!(!output.status.success(), "{shell:?}: {said}\n{complained}");
                assert!(said.contains(word) || complained.contains(word), "{shell:?}: {said}\n{complained}");
                let last = complained.lines().last().unwrap_or_default();
                assert!(last.contains("Is the portal running"), "{shell:?}: {complained}");
            }
        }
    }))
    .await;
}
