//! The mails that the portal sends: what each says, in text and HTML.
//!
//! A mail is a folder under `mails/` with `subject.txt`, `body.txt` and `body.html`, embedded when this
//! package is compiled; both bodies extend the layout beside the folders. In the text, a line of the
//! template is a paragraph or an item of a list: [`render`] breaks it. To add a mail: its folder, a
//! variant of [`Mail`], its arm in [`render`], and its line in the tests' list.
//!
//! What people chose themselves (a name at sign-up, typed by whoever knows an address) stands in mails
//! that reach others. It is escaped in HTML by the templates, and `plain` makes it one line in which no
//! client finds an address to make a link of.

mod plain;
#[cfg(test)]
mod tests;

use askama::Template;
use jiff::{Timestamp, tz};
use portal::domain::{Civility, MemberNumber, PersonName, Siret};

/// Where the fund's hours and days are told.
static FUND_ZONE: tz::TimeZone = tz::get!("Europe/Paris");

/// Whom a mail greets.
#[derive(Clone, Copy)]
pub struct Addressee<'a> {
    /// How they are addressed.
    pub civility: Civility,
    /// Their last name.
    pub last_name: &'a PersonName,
}

/// A mail, with what it tells.
///
/// `origin` is the portal's configured origin, such as `https://portail.example`: every link begins with
/// it, whatever host a request named. There is no `Debug`, because a token opens a space.
#[derive(Clone, Copy)]
pub enum Mail<'a> {
    /// Somebody signed up with an address that is free: the link that creates the password.
    Activation {
        /// The name given at sign-up.
        to: Addressee<'a>,
        /// The portal's origin.
        origin: &'a str,
        /// The link's token; the mail says that it is valid for 24 hours.
        token: &'a str,
    },
    /// Somebody signed up with an address that has a space already.
    AlreadyRegistered {
        /// The owner of the space, not the name that was given at sign-up.
        to: Addressee<'a>,
        /// The portal's origin.
        origin: &'a str,
    },
    /// Somebody forgot the password: the link that creates a new one.
    PasswordReset {
        /// The owner of the space.
        to: Addressee<'a>,
        /// The portal's origin.
        origin: &'a str,
        /// The link's token; the mail says that it is valid for 30 minutes.
        token: &'a str,
    },
    /// The password was changed, and all sessions ended.
    PasswordChanged {
        /// The owner of the space.
        to: Addressee<'a>,
        /// The portal's origin.
        origin: &'a str,
        /// When it was changed.
        changed_at: Timestamp,
    },
    /// A claim succeeded: its user is now the manager of a member account.
    ClaimMade {
        /// The new manager.
        to: Addressee<'a>,
        /// The portal's origin.
        origin: &'a str,
        /// The number of the member account.
        member_number: &'a MemberNumber,
        /// The establishment's name on the fund's file.
        establishment: &'a str,
        /// The establishment.
        siret: &'a Siret,
        /// When the claim succeeded.
        claimed_at: Timestamp,
    },
}

/// A mail as it is sent. It may hold a link that opens a space, so there is no `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct Rendered {
    /// One line, without control characters.
    pub subject: String,
    /// The text part: lines of at most 78 characters, longer words and links aside, that end in LF.
    pub text: String,
    /// The HTML part; it refers to nothing but the portal's pages.
    pub html: String,
}

/// Fills the templates of one folder with the same fields.
///
/// A macro, because a template's path is an attribute: it can be neither a constant nor an argument.
macro_rules! fill {
    ($subject:tt, $text:tt, $html:tt, { $($field:ident: $value:expr),+ $(,)? }) => {{
        struct Fields {
            $($field: String),+
        }

        #[derive(Template)]
        #[template(path = $subject)]
        #[allow(dead_code, reason = "most subjects say nothing that varies")]
        struct Subject<'f> {
            mail: &'f Fields,
        }

        #[derive(Template)]
        #[template(path = $text)]
        struct Text<'f> {
            mail: &'f Fields,
        }

        #[derive(Template)]
        #[template(path = $html)]
        struct Html<'f> {
            mail: &'f Fields,
        }

        let mail = &Fields { $($field: $value),+ };
        Ok(Rendered {
            subject: plain::one_line(&Subject { mail }.render()?),
            text: plain::broken_into_lines(&Text { mail }.render()?),
            html: Html { mail }.render()?,
        })
    }};
}

/// Renders a mail.
///
/// # Errors
/// What askama reports; a template that only prints strings, as all of these do, gives it no cause.
pub fn render(mail: &Mail<'_>) -> Result<Rendered, askama::Error> {
    match *mail {
        Mail::Activation { to, origin, token } => {
            fill!("activation/subject.txt", "activation/body.txt", "activation/body.html", {
                addressee: addressed(to),
                link: password_page(origin, token),
            })
        }
        Mail::AlreadyRegistered { to, origin } => {
            fill!("already-registered/subject.txt", "already-registered/body.txt", "already-registered/body.html", {
                addressee: addressed(to),
                link: front_page(origin),
            })
        }
        Mail::PasswordReset { to, origin, token } => {
            fill!("password-reset/subject.txt", "password-reset/body.txt", "password-reset/body.html", {
                addressee: addressed(to),
                link: password_page(origin, token),
            })
        }
        Mail::PasswordChanged { to, origin, changed_at } => {
            fill!("password-changed/subject.txt", "password-changed/body.txt", "password-changed/body.html", {
                addressee: addressed(to),
                link: front_page(origin),
                changed_at: paris(changed_at, "%d/%m/%Y à %H\u{a0}h\u{a0}%M"),
            })
        }
        Mail::ClaimMade { to, origin, member_number, establishment, siret, claimed_at } => {
            fill!("claim-made/subject.txt", "claim-made/body.txt", "claim-made/body.html", {
                addressee: addressed(to),
                link: front_page(origin),
                member_number: member_number.to_string(),
                establishment: plain::one_line(establishment),
                siret: grouped(siret),
                claimed_on: paris(claimed_at, "%d/%m/%Y"),
            })
        }
    }
}

/// `Mme MARTIN`
fn addressed(to: Addressee<'_>) -> String {
    let name = plain::without_addresses(to.last_name.as_str()).to_uppercase();
    plain::one_line(&format!("{} {name}", to.civility.title()))
}

/// The page that creates a password. The token stands in the fragment, which no browser sends: it is in
/// no access log and no `Referer`.
fn password_page(origin: &str, token: &str) -> String {
    format!("{}mot-de-passe#{token}", front_page(origin))
}

fn front_page(origin: &str) -> String {
    format!("{}/", origin.trim_end_matches('/'))
}

fn paris(instant: Timestamp, format: &str) -> String {
    instant.to_zoned_datetime(FUND_ZONE.clone()).strftime(format).to_string()
}

/// `533 846 150 00019`: company in threes, then the site, with no-break spaces.
fn grouped(siret: &Siret) -> String {
    let mut grouped = String::with_capacity(20);
    for (index, digit) in siret.as_str().chars().enumerate() {
        if matches!(index, 3 | 6 | 9) {
            grouped.push('\u{a0}');
        }
        grouped.push(digit);
    }
    grouped
}
