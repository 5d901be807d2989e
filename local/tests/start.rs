//! A portal as a whole: it starts, answers, stops, and finds its data again.

#![allow(clippy::unwrap_used, reason = "the helper is of tests only")]

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::{Arc, Mutex};

use local::{Data, Error, LogTo, Options, Portal, Service};

/// The status line and the rest of the answer to a request from an address of loopback.
fn get(portal: &Portal, path: &str) -> (String, String) {
    let address = portal.address().strip_prefix("http://").unwrap();
    let mut stream = TcpStream::connect(address).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (status, rest) = answer.split_once("\r\n").unwrap();
    (status.to_owned(), rest.to_owned())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_fresh_portal_answers_in_memory() {
    let portal = Portal::start(Options::default()).await.unwrap();
    assert_eq!(get(&portal, "/api/health").0, "HTTP/1.1 200 OK");
    assert!(get(&portal, "/.well-known/jwks.json").1.contains("\"kid\""), "the first key is there");
    let (status, page) = get(&portal, "/mot-de-passe");
    assert_eq!(status, "HTTP/1.1 200 OK");
    assert!(page.contains("content-security-policy: default-src 'self'"), "{page}");
    assert_eq!(get(&portal, "/../template.yaml").0, "HTTP/1.1 404 Not Found");
    assert_eq!(get(&portal, "/_local/mail.json").1.split("\r\n\r\n").nth(1), Some("[]"));
    portal.drain().await.unwrap();
    assert!(portal.dead_letters().is_empty());
    assert!(portal.log_lines().iter().any(|line| line["function"] == "health"));
    portal.start_functions().await.unwrap();
    portal.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_start_finds_the_data_of_the_first() {
    let folder = tempfile::tempdir().unwrap();
    let options = || Options {
        data: Data::Folder(folder.path().to_owned()),
        log: LogTo::File(folder.path().join("portal.log")),
        ..Options::default()
    };
    let portal = Portal::start(options()).await.unwrap();
    let keys = get(&portal, "/.well-known/jwks.json").1;
    assert!(matches!(Portal::start(options()).await, Err(Error::Data(_))), "one portal at a time");
    portal.stop().await;
    let portal = Portal::start(options()).await.unwrap();
    let body = |answer: String| answer.split("\r\n\r\n").nth(1).map(str::to_owned);
    assert_eq!(body(get(&portal, "/.well-known/jwks.json").1), body(keys));
    portal.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_test_can_stand_between_functions_and_services() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let seen_by_hook = Arc::clone(&seen);
    let options = Options {
        endpoints: Some(Arc::new(move |function, service, real| {
            seen_by_hook.lock().unwrap().push((function.to_owned(), service));
            real.to_owned()
        })),
        ..Options::default()
    };
    let portal = Portal::start(options).await.unwrap();
    let seen = seen.lock().unwrap().clone();
    for service in [Service::DynamoDb, Service::Ses, Service::SecretsManager, Service::S3] {
        assert!(seen.contains(&("home".to_owned(), service)), "{service:?}");
    }
    let home = portal.environment_of("home").unwrap();
    assert_eq!(home.variable("PORTAL_ORIGIN").unwrap(), portal.address());
}

#[tokio::test]
async fn a_busy_port_is_told_at_once() {
    let first = Portal::start(Options::default()).await.unwrap();
    let port = first.address().rsplit_once(':').unwrap().1.parse().unwrap();
    let error = Portal::start(Options { port, ..Options::default() }).await.map(drop).unwrap_err();
    assert!(matches!(error, Error::Port { port: named, .. } if named == port));
}
