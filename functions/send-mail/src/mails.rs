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
use portal::domain::{Civility, Email, Id, JobTitle, MemberNumber, Message, PersonName, Siret};
use portal::store::{ContactTrouble, Draft, Named, Receipt};

/// Where the fund's hours and days are told.
static FUND_ZONE: tz::TimeZone = tz::get!("Europe/Paris");

/// Whom a mail greets.
#[derive(Clone, Copy)]
pub enum Addressee<'a> {
    /// Somebody whose name is known.
    Person {
        /// How they are addressed.
        civility: Civility,
        /// Their last name.
        last_name: &'a PersonName,
    },
    /// Whoever reads what comes to an establishment's or the fund's address.
    Office,
}

/// A text that was accepted, and the receipt of it.
#[derive(Clone, Copy)]
pub struct AcceptedText<'a> {
    /// The text's title.
    pub title: &'a str,
    /// Its version and hash, when it was accepted, and under which number that is kept.
    pub receipt: &'a Receipt,
}

/// The owner of a space, as a mail names them to whoever reads it.
pub struct SpaceOwner {
    /// Mme or M.
    pub civility: Civility,
    /// First name.
    pub first_name: PersonName,
    /// Last name.
    pub last_name: PersonName,
    /// Their establishment.
    pub siret: Siret,
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
        /// What was typed at sign-up, by whoever it was: told, so that the reader knows what they confirm.
        draft: &'a Draft,
        /// The establishment's name on the fund's file, where that has it.
        establishment: Option<&'a str>,
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
    /// Another address was asked for, and this is it: the link that confirms the change.
    EmailChange {
        /// The owner of the space.
        to: Addressee<'a>,
        /// The portal's origin.
        origin: &'a str,
        /// The link's token; the mail says that it is valid for 24 hours.
        token: &'a str,
        /// The owner of the space: told, because whoever reads the mail may be somebody else.
        owner: &'a SpaceOwner,
    },
    /// Another address was asked for: notice to the one before, with the link that undoes it.
    EmailChangeNotice {
        /// The owner of the space.
        to: Addressee<'a>,
        /// The portal's origin.
        origin: &'a str,
        /// The link's token.
        token: &'a str,
        /// When it was asked for. The address itself stays unsaid: whoever asked knows it, and who else reads
        /// the old mailbox need not.
        asked_at: Timestamp,
        /// From when on the link does nothing.
        until: Timestamp,
    },
    /// The space was erased at its owner's wish.
    UserErased {
        /// Whose it was.
        to: Addressee<'a>,
        /// The portal's origin.
        origin: &'a str,
        /// When it was erased.
        erased_at: Timestamp,
    },
    /// The space was erased because nobody used it.
    UserExpired {
        /// Whose it was.
        to: Addressee<'a>,
        /// The portal's origin.
        origin: &'a str,
        /// When it was erased.
        erased_at: Timestamp,
    },
    /// Nobody uses the space: it ends unless its owner logs in.
    InactivityWarning {
        /// Whose it is.
        to: Addressee<'a>,
        /// The portal's origin.
        origin: &'a str,
        /// When it ends.
        ends_at: Timestamp,
    },
    /// A manager who has colleagues does not use their space, which cannot end before somebody else manages.
    ManagerInactive {
        /// The fund's staff.
        to: Addressee<'a>,
        /// The portal's origin.
        origin: &'a str,
        /// The manager.
        user_id: Id,
        /// The account.
        member_number: &'a MemberNumber,
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
        /// The account terms, accepted with the claim.
        accepted: AcceptedText<'a>,
        /// When the claim succeeded.
        claimed_at: Timestamp,
    },
    /// Too many wrong member numbers for an establishment: the pass that lets one claim through.
    ClaimsClosed {
        /// The contact address on the fund's file.
        to: Addressee<'a>,
        /// The portal's origin.
        origin: &'a str,
        /// The pass's token.
        token: &'a str,
        /// The establishment's name on the fund's file.
        establishment: &'a str,
        /// The establishment.
        siret: &'a Siret,
        /// From when on the pass does nothing.
        until: Timestamp,
    },
    /// The staff give somebody of an establishment a pass that lets one claim through.
    ClaimPass {
        /// Whom the staff have checked, by no name.
        to: Addressee<'a>,
        /// The portal's origin.
        origin: &'a str,
        /// The pass's token.
        token: &'a str,
        /// The establishment's name on the fund's file.
        establishment: &'a str,
        /// The establishment.
        siret: &'a Siret,
        /// From when on the pass does nothing.
        until: Timestamp,
    },
    /// A limit on guessing member numbers was reached.
    StaffAlert {
        /// The fund's staff.
        to: Addressee<'a>,
        /// The portal's origin.
        origin: &'a str,
        /// The establishment whose number was guessed.
        siret: &'a Siret,
        /// The user, where the limit is theirs.
        user_id: Option<Id>,
        /// When it was reached.
        at: Timestamp,
    },
    /// The contact on the fund's file was not told of a claim, or may not be any more.
    ContactAlert {
        /// The fund's staff.
        to: Addressee<'a>,
        /// The portal's origin.
        origin: &'a str,
        /// The establishment.
        siret: &'a Siret,
        /// Why.
        why: ContactTrouble,
        /// When the message was due.
        at: Timestamp,
    },
    /// Somebody became manager of an establishment's account: word to whoever belongs to it, with the link that
    /// contests it.
    ClaimNotice {
        /// The user; nobody by name at the contact address on the fund's file.
        to: Addressee<'a>,
        /// The portal's origin.
        origin: &'a str,
        /// The link's token.
        token: &'a str,
        /// The establishment's name on the fund's file.
        establishment: &'a str,
        /// The establishment.
        siret: &'a Siret,
        /// The manager, for who proved the member number or has access; else only that there is one.
        manager: Option<(Civility, &'a PersonName)>,
        /// When the claim succeeded.
        claimed_at: Timestamp,
        /// When the manager lost the role, where they did by now.
        ended_at: Option<Timestamp>,
        /// Whether the link freezes; else it is a voice for the staff.
        freezes: bool,
        /// From when on the link does nothing.
        until: Timestamp,
    },
    /// A claim is contested.
    ContestAlert {
        /// The fund's staff.
        to: Addressee<'a>,
        /// The portal's origin.
        origin: &'a str,
        /// The establishment.
        siret: &'a Siret,
        /// Whose claim it is.
        manager: Id,
        /// Whether it is contested; else somebody who merely has the SIRET says that it is not right.
        freezes: bool,
        /// Since when.
        at: Timestamp,
    },
    /// The staff released a manager.
    ManagerReleased {
        /// Who was manager.
        to: Addressee<'a>,
        /// The portal's origin.
        origin: &'a str,
        /// The establishment's name on the fund's file.
        establishment: &'a str,
        /// The establishment.
        siret: &'a Siret,
        /// When.
        at: Timestamp,
    },
    /// The staff decided about a manager.
    ContestClosed {
        /// Who contested them; or the manager, where they stay.
        to: Addressee<'a>,
        /// The portal's origin.
        origin: &'a str,
        /// The establishment's name on the fund's file.
        establishment: &'a str,
        /// The establishment.
        siret: &'a Siret,
        /// Whether the seat is free now.
        released: bool,
        /// When.
        at: Timestamp,
    },
    /// A manager gave an address access to an account, whoever reads it: one text for who has a space and for
    /// who has none, as the manager may read the mailbox too.
    Invitation {
        /// Nobody by name: whose the address is was not looked up.
        to: Addressee<'a>,
        /// The portal's origin.
        origin: &'a str,
        /// How the manager is addressed.
        civility: Civility,
        /// The manager's last name.
        last_name: &'a PersonName,
        /// The number of the member account.
        member_number: &'a MemberNumber,
        /// The establishment's name on the fund's file.
        establishment: &'a str,
        /// The establishment.
        siret: &'a Siret,
        /// When it ends, unless it is opened.
        until: Timestamp,
    },
    /// Somebody of the establishment asks for access.
    AccessRequest {
        /// The account's manager.
        to: Addressee<'a>,
        /// The portal's origin.
        origin: &'a str,
        /// Who asks.
        asker: &'a Named,
        /// Their address.
        email: &'a Email,
        /// Their function.
        job_title: &'a JobTitle,
        /// What they wrote.
        message: Option<&'a Message>,
        /// The number of the member account.
        member_number: &'a MemberNumber,
        /// The establishment's name on the fund's file.
        establishment: &'a str,
        /// The establishment.
        siret: &'a Siret,
    },
    /// The manager gave the access that was asked for.
    AccessApproved {
        /// Who asked.
        to: Addressee<'a>,
        /// The portal's origin.
        origin: &'a str,
        /// The manager.
        manager: &'a Named,
        /// The number of the member account.
        member_number: &'a MemberNumber,
        /// The establishment's name on the fund's file.
        establishment: &'a str,
        /// The establishment.
        siret: &'a Siret,
    },
    /// The manager refused it. It names neither them nor the account.
    AccessRefused {
        /// Who asked.
        to: Addressee<'a>,
        /// The portal's origin.
        origin: &'a str,
        /// The establishment's name on the fund's file.
        establishment: &'a str,
        /// The establishment.
        siret: &'a Siret,
    },
    /// The manager's role was handed over: to who did it.
    RoleHandedOver {
        /// The manager before.
        to: Addressee<'a>,
        /// The portal's origin.
        origin: &'a str,
        /// The manager now.
        other: &'a Named,
        /// The number of the member account.
        member_number: &'a MemberNumber,
        /// The establishment's name on the fund's file.
        establishment: &'a str,
        /// The establishment.
        siret: &'a Siret,
        /// When.
        at: Timestamp,
    },
    /// The manager's role was handed over: to who got it.
    RoleTakenOver {
        /// The manager now.
        to: Addressee<'a>,
        /// The portal's origin.
        origin: &'a str,
        /// The manager before.
        other: &'a Named,
        /// The number of the member account.
        member_number: &'a MemberNumber,
        /// The establishment's name on the fund's file.
        establishment: &'a str,
        /// The establishment.
        siret: &'a Siret,
        /// When.
        at: Timestamp,
    },
    /// A legal document was accepted: the receipt.
    AcceptanceReceipt {
        /// Who accepted it.
        to: Addressee<'a>,
        /// The portal's origin.
        origin: &'a str,
        /// What they accepted.
        accepted: AcceptedText<'a>,
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
        Mail::Activation { to, origin, token, draft, establishment } => {
            fill!("activation/subject.txt", "activation/body.txt", "activation/body.html", {
                addressee: addressed(to),
                link: password_page(origin, token),
                person: in_full(draft.civility, &draft.first_name, &draft.last_name),
                siret: grouped(&draft.siret),
                establishment: establishment.map(plain::one_line).unwrap_or_default(),
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
        Mail::EmailChange { to, origin, token, owner } => {
            fill!("email-change/subject.txt", "email-change/body.txt", "email-change/body.html", {
                addressee: addressed(to),
                link: address_page(origin, token),
                person: in_full(owner.civility, &owner.first_name, &owner.last_name),
                siret: grouped(&owner.siret),
            })
        }
        Mail::EmailChangeNotice { to, origin, token, asked_at, until } => {
            fill!("email-change-notice/subject.txt", "email-change-notice/body.txt", "email-change-notice/body.html", {
                addressee: addressed(to),
                link: address_page(origin, token),
                asked_at: paris(asked_at, "%d/%m/%Y à %H\u{a0}h\u{a0}%M"),
                until: paris(until, "%d/%m/%Y à %H\u{a0}h\u{a0}%M"),
            })
        }
        Mail::InactivityWarning { to, origin, ends_at } => {
            fill!("inactivity-warning/subject.txt", "inactivity-warning/body.txt", "inactivity-warning/body.html", {
                addressee: addressed(to),
                link: front_page(origin),
                ends_on: paris(ends_at, "%d/%m/%Y"),
            })
        }
        Mail::ManagerInactive { to, origin, user_id, member_number } => {
            fill!("manager-inactive/subject.txt", "manager-inactive/body.txt", "manager-inactive/body.html", {
                addressee: addressed(to),
                link: front_page(origin),
                user: user_id.to_string(),
                member_number: member_number.to_string(),
            })
        }
        Mail::UserExpired { to, origin, erased_at } => {
            fill!("user-expired/subject.txt", "user-expired/body.txt", "user-expired/body.html", {
                addressee: addressed(to),
                link: front_page(origin),
                erased_on: paris(erased_at, "%d/%m/%Y"),
            })
        }
        Mail::UserErased { to, origin, erased_at } => {
            fill!("user-erased/subject.txt", "user-erased/body.txt", "user-erased/body.html", {
                addressee: addressed(to),
                link: front_page(origin),
                erased_at: paris(erased_at, "%d/%m/%Y à %H\u{a0}h\u{a0}%M"),
            })
        }
        Mail::ClaimMade { to, origin, member_number, establishment, siret, accepted, claimed_at } => {
            fill!("claim-made/subject.txt", "claim-made/body.txt", "claim-made/body.html", {
                addressee: addressed(to),
                link: front_page(origin),
                member_number: member_number.to_string(),
                establishment: plain::one_line(establishment),
                siret: grouped(siret),
                claimed_on: paris(claimed_at, "%d/%m/%Y"),
                title: plain::one_line(accepted.title),
                version: accepted.receipt.version.to_string(),
                accepted_at: to_the_second(accepted.receipt.accepted_at),
                receipt_id: accepted.receipt.receipt_id.to_string(),
                sha256: accepted.receipt.sha256.clone(),
            })
        }
        Mail::ClaimsClosed { to, origin, token, establishment, siret, until } => {
            fill!("claims-closed/subject.txt", "claims-closed/body.txt", "claims-closed/body.html", {
                addressee: addressed(to),
                link: format!("{}gestionnaire#{token}", front_page(origin)),
                establishment: plain::one_line(establishment),
                siret: grouped(siret),
                until: paris(until, "%d/%m/%Y à %H\u{a0}h\u{a0}%M"),
            })
        }
        Mail::ClaimPass { to, origin, token, establishment, siret, until } => {
            fill!("claim-pass/subject.txt", "claim-pass/body.txt", "claim-pass/body.html", {
                addressee: addressed(to),
                link: format!("{}gestionnaire#{token}", front_page(origin)),
                establishment: plain::one_line(establishment),
                siret: grouped(siret),
                until: paris(until, "%d/%m/%Y à %H\u{a0}h\u{a0}%M"),
            })
        }
        Mail::StaffAlert { to, origin, siret, user_id, at } => {
            fill!("staff-alert/subject.txt", "staff-alert/body.txt", "staff-alert/body.html", {
                addressee: addressed(to),
                link: front_page(origin),
                siret: grouped(siret),
                user: user_id.map(|id| id.to_string()).unwrap_or_default(),
                at: paris(at, "%d/%m/%Y à %H\u{a0}h\u{a0}%M"),
            })
        }
        Mail::ContactAlert { to, origin, siret, why, at } => {
            fill!("contact-alert/subject.txt", "contact-alert/body.txt", "contact-alert/body.html", {
                addressee: addressed(to),
                link: front_page(origin),
                siret: grouped(siret),
                why: contact_trouble(why).to_owned(),
                at: paris(at, "%d/%m/%Y à %H\u{a0}h\u{a0}%M"),
            })
        }
        Mail::ClaimNotice {
            to,
            origin,
            token,
            establishment,
            siret,
            manager,
            claimed_at,
            ended_at,
            freezes,
            until,
        } => {
            fill!("claim-notice/subject.txt", "claim-notice/body.txt", "claim-notice/body.html", {
                addressee: addressed(to),
                link: format!("{}contestation#{token}", front_page(origin)),
                establishment: plain::one_line(establishment),
                siret: grouped(siret),
                manager: manager
                    .map(|(civility, last_name)| addressed(Addressee::Person { civility, last_name }))
                    .unwrap_or_default(),
                claimed_at: paris(claimed_at, "%d/%m/%Y à %H\u{a0}h\u{a0}%M"),
                ended_at: ended_at.map(|at| paris(at, "%d/%m/%Y à %H\u{a0}h\u{a0}%M")).unwrap_or_default(),
                freezes: if freezes { "freezes".to_owned() } else { String::new() },
                until: paris(until, "%d/%m/%Y à %H\u{a0}h\u{a0}%M"),
            })
        }
        Mail::ContestAlert { to, origin, siret, manager, freezes, at } => {
            fill!("contest-alert/subject.txt", "contest-alert/body.txt", "contest-alert/body.html", {
                addressee: addressed(to),
                link: front_page(origin),
                siret: grouped(siret),
                manager: manager.to_string(),
                freezes: if freezes { "freezes".to_owned() } else { String::new() },
                at: paris(at, "%d/%m/%Y à %H\u{a0}h\u{a0}%M"),
            })
        }
        Mail::ManagerReleased { to, origin, establishment, siret, at } => {
            fill!("manager-released/subject.txt", "manager-released/body.txt", "manager-released/body.html", {
                addressee: addressed(to),
                link: front_page(origin),
                establishment: plain::one_line(establishment),
                siret: grouped(siret),
                at: paris(at, "%d/%m/%Y à %H\u{a0}h\u{a0}%M"),
            })
        }
        Mail::ContestClosed { to, origin, establishment, siret, released, at } => {
            fill!("contest-closed/subject.txt", "contest-closed/body.txt", "contest-closed/body.html", {
                addressee: addressed(to),
                link: front_page(origin),
                establishment: plain::one_line(establishment),
                siret: grouped(siret),
                outcome: if released { "released".to_owned() } else { String::new() },
                at: paris(at, "%d/%m/%Y à %H\u{a0}h\u{a0}%M"),
            })
        }
        Mail::Invitation { to, origin, civility, last_name, member_number, establishment, siret, until } => {
            fill!("invitation/subject.txt", "invitation/body.txt", "invitation/body.html", {
                addressee: addressed(to),
                link: front_page(origin),
                manager: addressed(Addressee::Person { civility, last_name }),
                member_number: member_number.to_string(),
                establishment: plain::one_line(establishment),
                siret: grouped(siret),
                until: paris(until, "%d/%m/%Y"),
            })
        }
        Mail::AccessRequest { to, origin, asker, email, job_title, message, member_number, establishment, siret } => {
            fill!("access-request/subject.txt", "access-request/body.txt", "access-request/body.html", {
                addressee: addressed(to),
                link: front_page(origin),
                asker: named(asker),
                email: email.display(),
                job_title: plain::without_addresses(job_title.as_str()),
                message: message.map(|message| plain::quoted(message.as_str())).unwrap_or_default(),
                member_number: member_number.to_string(),
                establishment: plain::one_line(establishment),
                siret: grouped(siret),
            })
        }
        Mail::AccessApproved { to, origin, manager, member_number, establishment, siret } => {
            fill!("access-approved/subject.txt", "access-approved/body.txt", "access-approved/body.html", {
                addressee: addressed(to),
                link: front_page(origin),
                manager: named(manager),
                member_number: member_number.to_string(),
                establishment: plain::one_line(establishment),
                siret: grouped(siret),
            })
        }
        Mail::AccessRefused { to, origin, establishment, siret } => {
            fill!("access-refused/subject.txt", "access-refused/body.txt", "access-refused/body.html", {
                addressee: addressed(to),
                link: front_page(origin),
                establishment: plain::one_line(establishment),
                siret: grouped(siret),
            })
        }
        Mail::RoleHandedOver { to, origin, other, member_number, establishment, siret, at } => {
            fill!("role-handed-over/subject.txt", "role-handed-over/body.txt", "role-handed-over/body.html", {
                addressee: addressed(to),
                link: front_page(origin),
                other: named(other),
                member_number: member_number.to_string(),
                establishment: plain::one_line(establishment),
                siret: grouped(siret),
                at: paris(at, "%d/%m/%Y à %H\u{a0}h\u{a0}%M"),
            })
        }
        Mail::RoleTakenOver { to, origin, other, member_number, establishment, siret, at } => {
            fill!("role-taken-over/subject.txt", "role-taken-over/body.txt", "role-taken-over/body.html", {
                addressee: addressed(to),
                link: front_page(origin),
                other: named(other),
                member_number: member_number.to_string(),
                establishment: plain::one_line(establishment),
                siret: grouped(siret),
                at: paris(at, "%d/%m/%Y à %H\u{a0}h\u{a0}%M"),
            })
        }
        Mail::AcceptanceReceipt { to, origin, accepted: AcceptedText { title, receipt } } => {
            fill!("acceptance-receipt/subject.txt", "acceptance-receipt/body.txt", "acceptance-receipt/body.html", {
                addressee: addressed(to),
                link: text_of(origin, receipt),
                title: plain::one_line(title),
                version: receipt.version.to_string(),
                accepted_at: to_the_second(receipt.accepted_at),
                confirmed_at: receipt.confirmed_at.map(to_the_second).unwrap_or_default(),
                receipt_id: receipt.receipt_id.to_string(),
                sha256: receipt.sha256.clone(),
            })
        }
    }
}

/// Why a contact is not reached, as the staff are told.
fn contact_trouble(why: ContactTrouble) -> &'static str {
    match why {
        ContactTrouble::Missing => "Le fichier des adhérents n’indique aucune adresse e-mail valable.",
        ContactTrouble::Bounced => "Son adresse n’existe pas\u{a0}: le message n’a pas été remis.",
        ContactTrouble::Complained => {
            "Il a signalé un de nos messages comme indésirable\u{a0}: celui-ci a été envoyé, sans doute sans être lu."
        }
        ContactTrouble::Refused => "Le service d’envoi a refusé le message.",
    }
}

/// `Mme MARTIN`, or `Madame, Monsieur`
fn addressed(to: Addressee<'_>) -> String {
    match to {
        Addressee::Person { civility, last_name } => {
            let name = plain::without_addresses(last_name.as_str()).to_uppercase();
            plain::one_line(&format!("{} {name}", civility.title()))
        }
        Addressee::Office => "Madame, Monsieur".to_owned(),
    }
}

/// `Mme Jeanne MARTIN`
fn in_full(civility: Civility, first_name: &PersonName, last_name: &PersonName) -> String {
    let last_name = plain::without_addresses(last_name.as_str()).to_uppercase();
    let first_name = plain::without_addresses(first_name.as_str());
    plain::one_line(&format!("{} {first_name} {last_name}", civility.title()))
}

/// `Mme MARTIN`
fn named(who: &Named) -> String {
    addressed(Addressee::Person { civility: who.civility, last_name: &who.last_name })
}

/// The page that creates a password. The token stands in the fragment, which no browser sends: it is in
/// no access log and no `Referer`.
fn password_page(origin: &str, token: &str) -> String {
    format!("{}mot-de-passe#{token}", front_page(origin))
}

/// The page that confirms or undoes a change of address; the token's place is as above.
fn address_page(origin: &str, token: &str) -> String {
    format!("{}adresse#{token}", front_page(origin))
}

fn front_page(origin: &str) -> String {
    format!("{}/", origin.trim_end_matches('/'))
}

/// Where exactly this version is, whatever is in force by then.
fn text_of(origin: &str, receipt: &Receipt) -> String {
    format!("{}documents/{}/{}", front_page(origin), receipt.document.slug(), receipt.version)
}

/// As a receipt tells it.
fn to_the_second(instant: Timestamp) -> String {
    paris(instant, "%d/%m/%Y à %H\u{a0}h\u{a0}%M\u{a0}min\u{a0}%S\u{a0}s")
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
