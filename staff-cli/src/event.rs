//! From a command to the event that the function reads.

use std::io::{self, Read};
use std::path::Path;

use serde_json::{Value, json};

use crate::cli::{Command, Common};

/// Says who does not say it on the command line.
const STAFF: &str = "STAFF";

/// The event of a command, or what is wrong with what was typed.
pub(crate) fn of(command: &Command) -> Result<Value, String> {
    let (operation, fields) = match command {
        Command::PublishDocument { kind, file, .. } => {
            ("publish-document", json!({"kind": kind, "body": text_of(file)?}))
        }
        Command::PublishNews { title, file, from, until, .. } => {
            ("publish-news", json!({"title": title, "body": text_of(file)?, "published_at": from, "expires_at": until}))
        }
        Command::WithdrawNews { id, .. } => ("withdraw-news", json!({"id": id})),
        Command::PutApplication { id, title_fr, title_en, url, audience, order, disabled, .. } => (
            "put-application",
            json!({"id": id, "title_fr": title_fr, "title_en": title_en, "url": url, "audience": audience,
                "order": order, "enabled": !disabled}),
        ),
        Command::RemoveApplication { id, .. } => ("remove-application", json!({"id": id})),
        Command::ResumeMail { email, .. } => ("resume-mail", json!({"email": email})),
        Command::LookUpEstablishment { place, .. } => {
            ("look-up-establishment", json!({"establishment": place.establishment}))
        }
        Command::LookUpUser { email, .. } => ("look-up-user", json!({"email": email})),
        Command::ReleaseManager { place, .. } => ("release-manager", json!({"establishment": place.establishment})),
        Command::DismissContest { place, .. } => ("dismiss-contest", json!({"establishment": place.establishment})),
        Command::AllowClaim { place, email, .. } => {
            ("allow-claim", json!({"establishment": place.establishment, "email": email}))
        }
        Command::ResendMail { id: Some(id), .. } => ("resend-mail", json!({"id": id})),
        Command::ResendMail { email, mail, .. } => ("resend-mail", json!({"email": email, "mail": mail})),
        Command::MailPass { place, email, .. } => {
            ("mail-pass", json!({"establishment": place.establishment, "email": email}))
        }
        Command::CloseAccount { place, .. } => ("close-account", json!({"establishment": place.establishment})),
        Command::ListContests { all, .. } => ("list-contests", json!({"all": all})),
        Command::ListAlerts { .. } => ("list-alerts", json!({})),
        Command::ListWaiting { .. } => ("list-waiting", json!({})),
    };
    let mut event = fields;
    let common = command.common();
    event["operation"] = json!(operation);
    event["staff"] = json!(staff(common)?);
    event["reason"] = json!(common.reason);
    Ok(event)
}

/// Who acts. AWS knows which role invoked the function, and not who sat in front of it.
fn staff(common: &Common) -> Result<String, String> {
    #[allow(clippy::disallowed_methods, reason = "a command line has the environment that it was typed in")]
    let named = common.staff.clone().or_else(|| std::env::var(STAFF).ok());
    let named = named.filter(|name| !name.trim().is_empty());
    named.ok_or_else(|| {
        format!(
            "say who you are with --staff \"Claire Durand\", or once for all with `export {STAFF}=\"Claire Durand\"`"
        )
    })
}

/// The text of a file, or of standard input.
fn text_of(path: &Path) -> Result<String, String> {
    let mut bytes = Vec::new();
    let (name, read) = if path == Path::new("-") {
        ("standard input".to_owned(), io::stdin().read_to_end(&mut bytes).map(drop))
    } else {
        (path.display().to_string(), std::fs::read(path).map(|read| bytes = read))
    };
    read.map_err(|error| format!("{name} cannot be read: {error}"))?;
    String::from_utf8(bytes).map_err(|_| format!("{name} is not UTF-8: save it as UTF-8, and try again"))
}
