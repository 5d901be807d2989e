//! What the reader of each mail sees, and what holds for all of them.

use std::collections::BTreeMap;

use jiff::Timestamp;
use portal::domain::{
    Civility, DocumentKind, DocumentReference, Email, Id, JobTitle, MemberNumber, Message, PersonName, Siret,
};
use portal::store::{ContactTrouble, Draft, Named, Receipt};

use super::{AcceptedText, Addressee, Mail, Rendered, SpaceOwner, render};

const ORIGIN: &str = "https://portail.example";
/// As long as a real one: 256 bits in base64url.
const TOKEN: &str = "q0Vb7mJrWc1yX-4uZ_8sKdN3tHfE6aLgPi2oR9vBxYk";
const NO_BREAK: char = '\u{a0}';

/// Mails to an address behind which there may be anybody.
const OF_NOBODY: [&str; 7] =
    ["claims-closed", "claim-pass", "staff-alert", "contact-alert", "contest-alert", "invitation", "manager-inactive"];

/// What a mail is made of, with names that a test may replace.
struct Sample {
    last_name: PersonName,
    establishment: String,
    member_number: MemberNumber,
    siret: Siret,
    at: Timestamp,
    receipt: Receipt,
    draft: Draft,
    owner: SpaceOwner,
    colleague: Colleague,
}

/// What somebody of this name typed at sign-up, as the store would give it back.
fn draft_of(last_name: &PersonName) -> Draft {
    Draft {
        siret: Siret::parse("53384615000019").unwrap(),
        civility: Civility::Mme,
        last_name: last_name.clone(),
        first_name: last_name.clone(),
        job_title: JobTitle::parse("Gérante").unwrap(),
        email: Email::parse("jeanne@martin.example").unwrap(),
        origin: None,
        terms: DocumentReference { version: 2, sha256: "0".repeat(64) },
        request_id: "r-1".to_owned(),
        ip: None,
        user_agent: None,
    }
}

fn owner_of(first_name: &PersonName, last_name: &PersonName) -> SpaceOwner {
    SpaceOwner {
        civility: Civility::Mme,
        first_name: first_name.clone(),
        last_name: last_name.clone(),
        siret: Siret::parse("53384615000019").unwrap(),
    }
}

/// The other one of two colleagues.
struct Colleague {
    named: Named,
    email: Email,
    job_title: JobTitle,
    message: Option<Message>,
}

impl Colleague {
    /// What they say of themselves, as the store would give it back.
    fn called(last_name: &str, job_title: &str, message: &str) -> Self {
        let stored = |text: &str| serde_json::to_string(text).unwrap();
        let last_name = serde_json::from_str(&stored(last_name)).unwrap();
        Self {
            named: Named { civility: Civility::M, last_name },
            email: Email::parse("paul@martin.example").unwrap(),
            job_title: serde_json::from_str(&stored(job_title)).unwrap(),
            message: Some(serde_json::from_str(&stored(message)).unwrap()),
        }
    }
}

impl Sample {
    fn new() -> Self {
        // In summer Paris is two hours ahead: already the next day there.
        let at = "2016-06-30T22:05:09Z".parse().unwrap();
        Self {
            last_name: PersonName::parse("Martin").unwrap(),
            establishment: "MAÇONNERIE MARTIN & FILS".to_owned(),
            member_number: MemberNumber::parse("012345").unwrap(),
            siret: Siret::parse("53384615000019").unwrap(),
            at,
            receipt: Receipt {
                receipt_id: Id::from_bytes([0x3f; 16]),
                document: DocumentKind::Terms,
                version: 2,
                sha256: "5b1c9a0e4f7d2836a1e0c9b8d7f6a5b4c3d2e1f00112233445566778899aabbc".to_owned(),
                accepted_at: at,
                confirmed_at: Some("2016-07-01T10:00:00Z".parse().unwrap()),
            },
            draft: Draft {
                first_name: PersonName::parse("Jeanne").unwrap(),
                ..draft_of(&PersonName::parse("Martin").unwrap())
            },
            owner: owner_of(&PersonName::parse("Jeanne").unwrap(), &PersonName::parse("Martin").unwrap()),
            colleague: Colleague::called(
                "Durand",
                "Comptable",
                "Bonjour,\n\nje tiens les comptes depuis lundi et j’aurais besoin des remboursements de l’an dernier pour le bilan.",
            ),
        }
    }

    /// Under a name as the store would give it back, whatever a constructor thinks of it.
    fn named(last_name: &str) -> Self {
        let stored = serde_json::to_string(last_name).unwrap();
        let message = format!("Bonjour,\n\n{}", last_name.replace(['\r', '\n'], " "));
        let colleague = Colleague::called(last_name, last_name, &message);
        let last_name: PersonName = serde_json::from_str(&stored).unwrap();
        let (draft, owner) = (draft_of(&last_name), owner_of(&last_name, &last_name));
        Self { draft, owner, last_name, colleague, ..Self::new() }
    }

    /// Each mail, with its folder's name and the one link it carries.
    fn mails(&self) -> Vec<(&'static str, Mail<'_>, String)> {
        let to = Addressee::Person { civility: Civility::Mme, last_name: &self.last_name };
        let (origin, token) = (ORIGIN, TOKEN);
        let password_page = format!("{ORIGIN}/mot-de-passe#{TOKEN}");
        let front_page = format!("{ORIGIN}/");
        let title = "Conditions générales d’utilisation du portail";
        let accepted = AcceptedText { title, receipt: &self.receipt };
        vec![
            (
                "activation",
                Mail::Activation { to, origin, token, draft: &self.draft, establishment: Some(&self.establishment) },
                password_page.clone(),
            ),
            ("already-registered", Mail::AlreadyRegistered { to, origin }, front_page.clone()),
            ("password-reset", Mail::PasswordReset { to, origin, token }, password_page),
            ("password-changed", Mail::PasswordChanged { to, origin, changed_at: self.at }, front_page.clone()),
            (
                "email-change",
                Mail::EmailChange { to, origin, token, owner: &self.owner },
                format!("{ORIGIN}/adresse#{TOKEN}"),
            ),
            (
                "email-change-notice",
                Mail::EmailChangeNotice {
                    to,
                    origin,
                    token,
                    asked_at: self.at,
                    until: self.at + std::time::Duration::from_secs(7 * 24 * 3600),
                },
                format!("{ORIGIN}/adresse#{TOKEN}"),
            ),
            ("user-erased", Mail::UserErased { to, origin, erased_at: self.at }, front_page.clone()),
            ("user-expired", Mail::UserExpired { to, origin, erased_at: self.at }, front_page.clone()),
            ("inactivity-warning", Mail::InactivityWarning { to, origin, ends_at: self.at }, front_page.clone()),
            (
                "manager-inactive",
                Mail::ManagerInactive {
                    to: Addressee::Office,
                    origin,
                    user_id: Id::from_bytes([7; 16]),
                    member_number: &self.member_number,
                },
                front_page.clone(),
            ),
            (
                "claims-closed",
                Mail::ClaimsClosed {
                    to: Addressee::Office,
                    origin,
                    token,
                    establishment: &self.establishment,
                    siret: &self.siret,
                    until: self.at,
                },
                format!("{ORIGIN}/gestionnaire#{TOKEN}"),
            ),
            (
                "claim-pass",
                Mail::ClaimPass {
                    to: Addressee::Office,
                    origin,
                    token,
                    establishment: &self.establishment,
                    siret: &self.siret,
                    until: self.at,
                },
                format!("{ORIGIN}/gestionnaire#{TOKEN}"),
            ),
            (
                "staff-alert",
                Mail::StaffAlert {
                    to: Addressee::Office,
                    origin,
                    siret: &self.siret,
                    user_id: Some(Id::from_bytes([7; 16])),
                    at: self.at,
                },
                front_page.clone(),
            ),
            (
                "contact-alert",
                Mail::ContactAlert {
                    to: Addressee::Office,
                    origin,
                    siret: &self.siret,
                    why: ContactTrouble::Bounced,
                    at: self.at,
                },
                front_page.clone(),
            ),
            (
                "claim-notice",
                Mail::ClaimNotice {
                    to,
                    origin,
                    token,
                    establishment: &self.establishment,
                    siret: &self.siret,
                    manager: Some((Civility::M, &self.last_name)),
                    claimed_at: self.at,
                    ended_at: None,
                    freezes: true,
                    until: self.at + std::time::Duration::from_secs(30 * 24 * 3600),
                },
                format!("{ORIGIN}/contestation#{TOKEN}"),
            ),
            (
                "contest-alert",
                Mail::ContestAlert {
                    to: Addressee::Office,
                    origin,
                    siret: &self.siret,
                    manager: Id::from_bytes([7; 16]),
                    freezes: true,
                    at: self.at,
                },
                front_page.clone(),
            ),
            (
                "manager-released",
                Mail::ManagerReleased {
                    to,
                    origin,
                    establishment: &self.establishment,
                    siret: &self.siret,
                    at: self.at,
                },
                front_page.clone(),
            ),
            (
                "contest-closed",
                Mail::ContestClosed {
                    to,
                    origin,
                    establishment: &self.establishment,
                    siret: &self.siret,
                    released: true,
                    at: self.at,
                },
                front_page.clone(),
            ),
            (
                "invitation",
                Mail::Invitation {
                    to: Addressee::Office,
                    origin,
                    civility: Civility::Mme,
                    last_name: &self.last_name,
                    member_number: &self.member_number,
                    establishment: &self.establishment,
                    siret: &self.siret,
                    until: self.at,
                },
                front_page.clone(),
            ),
            (
                "access-request",
                Mail::AccessRequest {
                    to,
                    origin,
                    asker: &self.colleague.named,
                    email: &self.colleague.email,
                    job_title: &self.colleague.job_title,
                    message: self.colleague.message.as_ref(),
                    member_number: &self.member_number,
                    establishment: &self.establishment,
                    siret: &self.siret,
                },
                front_page.clone(),
            ),
            (
                "access-approved",
                Mail::AccessApproved {
                    to,
                    origin,
                    manager: &self.colleague.named,
                    member_number: &self.member_number,
                    establishment: &self.establishment,
                    siret: &self.siret,
                },
                front_page.clone(),
            ),
            (
                "access-refused",
                Mail::AccessRefused { to, origin, establishment: &self.establishment, siret: &self.siret },
                front_page.clone(),
            ),
            (
                "role-handed-over",
                Mail::RoleHandedOver {
                    to,
                    origin,
                    other: &self.colleague.named,
                    member_number: &self.member_number,
                    establishment: &self.establishment,
                    siret: &self.siret,
                    at: self.at,
                },
                front_page.clone(),
            ),
            (
                "role-taken-over",
                Mail::RoleTakenOver {
                    to,
                    origin,
                    other: &self.colleague.named,
                    member_number: &self.member_number,
                    establishment: &self.establishment,
                    siret: &self.siret,
                    at: self.at,
                },
                front_page.clone(),
            ),
            (
                "claim-made",
                Mail::ClaimMade {
                    to,
                    origin,
                    member_number: &self.member_number,
                    establishment: &self.establishment,
                    siret: &self.siret,
                    accepted,
                    claimed_at: self.at,
                },
                front_page,
            ),
            (
                "acceptance-receipt",
                Mail::AcceptanceReceipt { to, origin, accepted },
                format!("{ORIGIN}/documents/conditions-utilisation/2"),
            ),
        ]
    }

    fn rendered(&self) -> Vec<(&'static str, Rendered, String)> {
        self.mails().into_iter().map(|(name, mail, link)| (name, render(&mail).unwrap(), link)).collect()
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
    let mut tested: Vec<_> = Sample::new().rendered().into_iter().map(|(name, ..)| name.to_owned()).collect();
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
        let greeting = if OF_NOBODY.contains(&name) { "Bonjour Madame, Monsieur," } else { "Bonjour Mme MARTIN," };
        assert!(mail.text.starts_with(&format!("{greeting}\n\n")), "{name}");
        assert!(mail.html.contains(greeting), "{name}");
        assert!(mail.html.starts_with("<!doctype html>\n<html lang=\"fr\">"), "{name}");
    }
}

#[test]
fn instants_are_told_in_paris() {
    let mails: BTreeMap<_, _> = Sample::new().rendered().into_iter().map(|(name, mail, _)| (name, mail)).collect();
    let (password_changed, claim_made) = (&mails["password-changed"], &mails["claim-made"]);
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
            let greeting = if OF_NOBODY.contains(&name) { "Bonjour Madame, Monsieur," } else { "Bonjour Mme " };
            assert!(mail.text.starts_with(greeting), "{name}: {last_name}");
            assert_eq!(mail.text.lines().nth(1), Some(""), "{name}: the greeting of {last_name} is one line");
            assert!(!mail.text.contains(['\r', '\u{2028}', '\u{202e}']), "{name}: {last_name}");
            assert!(!mail.subject.contains(char::is_control), "{name}: {last_name}");
        }
    }
}

#[test]
fn an_origin_may_end_in_a_slash() {
    let sample = Sample::new();
    let to = Addressee::Person { civility: Civility::M, last_name: &sample.last_name };
    let mail = render(&Mail::PasswordReset { to, origin: "https://portail.example/", token: TOKEN }).unwrap();
    assert!(mail.text.contains(&format!("\nhttps://portail.example/mot-de-passe#{TOKEN}\n")));
    assert!(mail.text.starts_with("Bonjour M. MARTIN,\n"));
}

#[test]
fn a_receipt_tells_of_a_confirmation_only_where_there_was_one() {
    let mut sample = Sample::new();
    let receipt = |sample: &Sample| sample.rendered().into_iter().find(|(name, ..)| *name == "acceptance-receipt");
    let (_, confirmed, _) = receipt(&sample).unwrap();
    sample.receipt.confirmed_at = None;
    let (_, at_once, _) = receipt(&sample).unwrap();
    let accepted = "Accepté le\u{a0}: 01/07/2016 à 00\u{a0}h\u{a0}05\u{a0}min\u{a0}09\u{a0}s (heure de Paris)";
    assert!(confirmed.text.contains(accepted) && at_once.text.contains(accepted), "{}", at_once.text);
    assert!(
        confirmed.text.contains("Confirmé le\u{a0}: 01/07/2016 à 12\u{a0}h") && confirmed.html.contains("Confirmé")
    );
    assert!(!at_once.text.contains("Confirmé") && !at_once.html.contains("Confirmé"));
}

#[test]
fn a_request_without_a_message_quotes_none() {
    let mut sample = Sample::new();
    let request = |sample: &Sample| sample.rendered().into_iter().find(|(name, ..)| *name == "access-request");
    let (_, with, _) = request(&sample).unwrap();
    sample.colleague.message = None;
    let (_, without, _) = request(&sample).unwrap();
    assert!(with.text.contains("> je tiens les comptes") && with.html.contains("<blockquote"));
    assert!(!without.text.contains("Son message") && !without.html.contains("<blockquote"), "{}", without.text);
}
