//! What the reader of each mail sees, and what holds for all of them.

use jiff::Timestamp;
use portal::domain::{Civility, MemberNumber, PersonName, Siret};

use super::{Addressee, Mail, Rendered, render};

const ORIGIN: &str = "https://portail.example";
/// As long as a real one: 256 bits in base64url.
const TOKEN: &str = "q0Vb7mJrWc1yX-4uZ_8sKdN3tHfE6aLgPi2oR9vBxYk";
const NO_BREAK: char = '\u{a0}';

/// What a mail is made of, with names that a test may replace.
struct Sample {
    last_name: PersonName,
    establishment: String,
    member_number: MemberNumber,
    siret: Siret,
    at: Timestamp,
}

impl Sample {
    fn new() -> Self {
        Self {
            last_name: PersonName::parse("Martin").unwrap(),
            establishment: "MAÇONNERIE MARTIN & FILS".to_owned(),
            member_number: MemberNumber::parse("012345").unwrap(),
            siret: Siret::parse("53384615000019").unwrap(),
            // In summer Paris is two hours ahead: already the next day there.
            at: "2016-06-30T22:05:09Z".parse().unwrap(),
        }
    }

    /// Under a name as the store would give it back, whatever a constructor thinks of it.
    fn named(last_name: &str) -> Self {
        let stored = serde_json::to_string(last_name).unwrap();
        Self { last_name: serde_json::from_str(&stored).unwrap(), ..Self::new() }
    }

    /// Each mail, with its folder's name and the one link it carries.
    fn mails(&self) -> [(&'static str, Mail<'_>, String); 5] {
        let to = Addressee { civility: Civility::Mme, last_name: &self.last_name };
        let (origin, token) = (ORIGIN, TOKEN);
        let password_page = format!("{ORIGIN}/mot-de-passe#{TOKEN}");
        let front_page = format!("{ORIGIN}/");
        [
            ("activation", Mail::Activation { to, origin, token }, password_page.clone()),
            ("already-registered", Mail::AlreadyRegistered { to, origin }, front_page.clone()),
            ("password-reset", Mail::PasswordReset { to, origin, token }, password_page),
            ("password-changed", Mail::PasswordChanged { to, origin, changed_at: self.at }, front_page.clone()),
            (
                "claim-made",
                Mail::ClaimMade {
                    to,
                    origin,
                    member_number: &self.member_number,
                    establishment: &self.establishment,
                    siret: &self.siret,
                    claimed_at: self.at,
                },
                front_page,
            ),
        ]
    }

    fn rendered(&self) -> [(&'static str, Rendered, String); 5] {
        self.mails().map(|(name, mail, link)| (name, render(&mail).unwrap(), link))
    }
}

/// The HTML as its reader sees it: no head, tags or comments, entities read.
fn visible(html: &str) -> String {
    let body = &html[html.find("<body").unwrap()..];
    let mut text = String::new();
    let mut in_tag = false;
    for character in body.chars() {
        match character {
            '<' => in_tag = true,
            '>' if in_tag => in_tag = false,
            _ if !in_tag => text.push(character),
            _ => {}
        }
    }
    text.replace("&#847;&zwnj;&nbsp;", "").replace("&nbsp;", "\u{a0}").replace("&#38;", "&")
}

#[test]
fn the_reader_sees() {
    for (name, mail, _) in Sample::new().rendered() {
        insta::assert_snapshot!(format!("{name}.txt"), format!("{}\n\n{}", mail.subject, mail.text));
        insta::assert_snapshot!(format!("{name}.html"), mail.html);
    }
}

#[test]
fn each_folder_has_its_mail_here() {
    let folders = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/mails")).unwrap();
    let mut folders: Vec<_> = folders
        .map(Result::unwrap)
        .filter(|entry| entry.file_type().unwrap().is_dir())
        .map(|entry| entry.file_name().into_string().unwrap())
        .collect();
    let mut tested: Vec<_> = Sample::new().rendered().map(|(name, ..)| name.to_owned()).to_vec();
    folders.sort();
    tested.sort();
    assert_eq!(folders, tested);
}

#[test]
fn the_link_is_the_button_and_plain_below_in_html_and_once_on_its_own_line_in_text() {
    for (name, mail, link) in Sample::new().rendered() {
        assert_eq!(mail.html.matches(&link).count(), 2, "{name}");
        assert!(mail.html.contains(&format!("<a href=\"{link}\"")), "{name}");
        assert!(mail.html.contains(&format!("<br>{link}</td>")), "{name}");
        assert_eq!(mail.text.matches(&link).count(), 1, "{name}");
        assert!(mail.text.lines().any(|line| line == link), "{name}");
    }
}

#[test]
fn a_mail_refers_to_nothing_but_the_portal_and_loads_nothing() {
    for (name, mail, _) in Sample::new().rendered() {
        for part in [&mail.subject, &mail.text, &mail.html] {
            let elsewhere = part.replace(ORIGIN, "");
            for mark in ["http", "://", "www.", "mailto:", "url(", "@import", "<img", "<link", "<script", "src="] {
                assert!(!elsewhere.contains(mark), "{name} holds {mark}");
            }
        }
    }
}

#[test]
fn only_links_are_longer_than_78_characters_even_with_the_longest_names() {
    let longest = Sample { establishment: "Établissements ".repeat(9), ..Sample::named(&"Été ".repeat(20)) };
    for sample in [Sample::new(), longest] {
        for (name, mail, link) in sample.rendered() {
            for line in mail.text.lines().filter(|line| *line != link) {
                assert!(line.chars().count() <= 78, "{name}: {line}");
                assert_eq!(line, line.trim_end(), "{name}");
            }
        }
    }
}

#[test]
fn no_line_begins_with_the_punctuation_that_french_sets_apart() {
    for (name, mail, _) in Sample::new().rendered() {
        for part in [mail.subject, mail.text, visible(&mail.html)] {
            let characters: Vec<char> = part.replace(ORIGIN, "").chars().collect();
            for (before, after) in characters.iter().zip(&characters[1..]) {
                let bound = !matches!(after, ':' | ';' | '!' | '?' | '»') || *before == NO_BREAK;
                let opened = *before != '«' || *after == NO_BREAK;
                assert!(bound && opened, "{name}: {before:?} before {after:?}");
            }
            assert!(!part.contains(['\'', '"']), "{name}: a typewriter's apostrophe or quote");
        }
    }
}

#[test]
fn every_mail_greets_its_reader_and_is_in_french() {
    for (name, mail, _) in Sample::new().rendered() {
        assert!(mail.text.starts_with("Bonjour Mme MARTIN,\n\n"), "{name}");
        assert!(mail.html.contains("Bonjour Mme MARTIN,"), "{name}");
        assert!(mail.html.starts_with("<!doctype html>\n<html lang=\"fr\">"), "{name}");
    }
}

#[test]
fn instants_are_told_in_paris() {
    let mails = Sample::new().rendered().map(|(_, mail, _)| mail);
    let [.., password_changed, claim_made] = mails;
    let told = "01/07/2016 à 00\u{a0}h\u{a0}05";
    assert!(password_changed.text.contains(told) && password_changed.html.contains(told));
    assert!(claim_made.text.contains("Depuis le 01/07/2016,") && claim_made.html.contains("Depuis le 01/07/2016,"));
}

#[test]
fn a_name_is_inert_in_html_and_in_text() {
    let hostile = [
        "<script>alert(1)</script>",
        "\"><a href=\"https://gagnez.example\">",
        "https://gagnez.example/lot",
        "www.gagnez.example",
        "Martin\r\nBcc: tous@gagnez.example",
        "Martin\u{2028}\u{202e}Été",
        "{{ mail.link }}{% block after %}",
        "&lt;b&gt;",
    ];
    for last_name in hostile {
        let sample =
            Sample { establishment: last_name.replace("gagnez.example", "gagnez"), ..Sample::named(last_name) };
        for ((name, calm, _), (_, mail, _)) in Sample::new().rendered().into_iter().zip(sample.rendered()) {
            assert!(
                !mail.text.contains("gagnez.example") && !mail.html.contains("gagnez.example"),
                "{name}: {last_name}"
            );
            assert_eq!(mail.html.matches('<').count(), calm.html.matches('<').count(), "{name}: {last_name}");
            assert_eq!(mail.html.matches('"').count(), calm.html.matches('"').count(), "{name}: {last_name}");
            assert_eq!(mail.html.lines().count(), calm.html.lines().count(), "{name}: {last_name}");
            assert!(mail.text.starts_with("Bonjour Mme "), "{name}: {last_name}");
            assert_eq!(mail.text.lines().nth(1), Some(""), "{name}: the greeting of {last_name} is one line");
            assert!(!mail.text.contains(['\r', '\u{2028}', '\u{202e}']), "{name}: {last_name}");
            assert!(!mail.subject.contains(char::is_control), "{name}: {last_name}");
        }
    }
}

#[test]
fn an_origin_may_end_in_a_slash() {
    let sample = Sample::new();
    let to = Addressee { civility: Civility::M, last_name: &sample.last_name };
    let mail = render(&Mail::PasswordReset { to, origin: "https://portail.example/", token: TOKEN }).unwrap();
    assert!(mail.text.contains(&format!("\nhttps://portail.example/mot-de-passe#{TOKEN}\n")));
    assert!(mail.text.starts_with("Bonjour M. MARTIN,\n"));
}
