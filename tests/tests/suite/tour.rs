//! The README's tour, typed as it stands there.

use std::process::Stdio;

use harness::World;
use local::Options;
use tokio::process::Command;

#[tokio::test(flavor = "multi_thread")]
async fn the_tour_of_the_readme_ends_in_the_ledger() {
    let world = World::empty(Options { demo: true, ..Options::default() }).await;
    let readme = include_str!("../../../README.md");
    let blocks = readme.split("```sh tour\n").skip(1).map(|rest| rest.split("```").next().unwrap_or_default());
    let script: String = blocks.collect::<Vec<_>>().join("\n").replace("http://127.0.0.1:8080", world.portal.address());
    assert!(script.contains("manager-claims"), "the tour's blocks were found");
    let mut bash = Command::new("bash");
    let shell = bash.args(["-euo", "pipefail", "-c", &script]).stdin(Stdio::null()).kill_on_drop(true);
    let output = shell.output().await.expect("bash");
    let (said, complained) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{said}\n{complained}");
    for expected in [
        "Votre demande est enregistrée",
        "\"purpose\":\"activation\"",
        "Bonjour Mme MARTIN",
        "\"can_claim\":true",
        "\"role\":\"manager\"",
        "\"active\":true",
        "\"by_scheme\"",
        "\"entries\":[{",
    ] {
        assert!(said.contains(expected), "no {expected} in\n{said}\n{complained}");
    }
    assert!(!said.contains("/problems/"), "{said}");
}
