//! The outbox: wishes to send a mail, written in the transaction that is their reason.
//!
//! A new item wakes `send-mail` through the table's stream. No request waits for SES, none is lost when
//! SES is down, and a known and an unknown address cost the same.

use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{ClaimOf, ContactTrouble, Draft, Key, Query, Receipt, Record, Table};
use crate::domain::{Civility, Email, Id, MemberNumber, PersonName, Siret};

/// Somebody whom a mail names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Named {
    /// How they are addressed.
    pub civility: Civility,
    /// Their last name.
    pub last_name: PersonName,
}

/// What somebody wishes to be mailed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Wish {
    /// A sign-up: an activation link, or a word to who has an account already.
    SignUp {
        /// The form.
        draft: Draft,
    },
    /// A forgotten password: a reset link where there is an account, nothing where there is none.
    Reset {
        /// The address that was typed.
        email: Email,
    },
    /// Notice that the password was changed.
    PasswordChanged {
        /// To whom.
        email: Email,
        /// How they are addressed.
        civility: Civility,
        /// Their last name.
        last_name: PersonName,
    },
    /// Another address was asked for: a link to it, or a word to its owner where it is taken.
    EmailChange {
        /// Whose address.
        user_id: Id,
        /// Which of their changes.
        change_id: Id,
    },
    /// The same, to the address before: notice, and the link that undoes it.
    EmailChangeNotice {
        /// Whose address.
        user_id: Id,
        /// Which of their changes; also this wish's own id.
        change_id: Id,
    },
    /// The last word to somebody who erased their space.
    UserErased {
        /// To whom.
        email: Email,
        /// How they are addressed.
        civility: Civility,
        /// Their last name.
        last_name: PersonName,
        /// Because nobody used it, and not at their wish.
        #[serde(default)]
        inactive: bool,
    },
    /// A space that nobody uses will end.
    InactivityWarning {
        /// To whom.
        email: Email,
        /// How they are addressed.
        civility: Civility,
        /// Their last name.
        last_name: PersonName,
        /// When it ends.
        #[serde(with = "jiff::fmt::serde::timestamp::millisecond::required")]
        ends_at: Timestamp,
    },
    /// Word to the fund's staff that a manager who has colleagues does not use their space.
    ManagerInactive {
        /// Who.
        user_id: Id,
        /// One of the accounts that would be left without a manager.
        member_number: MemberNumber,
    },
    /// Too many wrong member numbers for one establishment: a pass to the contact address on file.
    ClaimsClosed {
        /// The establishment.
        siret: Siret,
    },
    /// The staff give somebody of an establishment a pass, to an address that they have checked.
    ClaimPass {
        /// The establishment.
        siret: Siret,
        /// To whom; none for the contact on the fund's file.
        email: Option<Email>,
    },
    /// Word to the fund's staff that a limit on guessing member numbers was reached.
    StaffAlert {
        /// The establishment whose number was guessed.
        siret: Siret,
        /// The user, where the limit is theirs; none where it is the establishment's.
        user_id: Option<Id>,
    },
    /// Word to the fund's staff that the contact on the fund's file is not reached.
    ContactAlert {
        /// Whose contact.
        siret: Siret,
        /// Why.
        why: ContactTrouble,
    },
    /// Somebody became manager, and may be so no more: the contact on the fund's file and some of those whom it concerns
    /// shall know. It becomes a [`Wish::ClaimNotice`] for each of them.
    ClaimTold {
        /// The claim.
        claim: ClaimOf,
    },
    /// The same for one of them, with a link that contests the claim.
    ClaimNotice {
        /// The claim.
        claim: ClaimOf,
        /// Which user; none for the contact on the fund's file.
        reader: Option<Id>,
        /// Whether their link freezes; else it is a voice for the staff.
        freezes: bool,
    },
    /// Word to the fund's staff that a claim is contested.
    ContestAlert {
        /// The claim.
        claim: ClaimOf,
        /// Whose it is.
        manager: Id,
        /// Whether it is contested; else somebody who merely has the SIRET says that it is not right.
        freezes: bool,
    },
    /// Word to a manager that the staff released them.
    ManagerReleased {
        /// Who.
        user_id: Id,
        /// The establishment's SIRET.
        siret: Siret,
        /// Its name.
        establishment: String,
    },
    /// Word that the staff decided about a manager: to who contested them, and where they stay, to them.
    ContestClosed {
        /// Which user; none for the contact on the fund's file.
        reader: Option<Id>,
        /// The establishment's SIRET.
        siret: Siret,
        /// Its name.
        establishment: String,
        /// Whether the seat is free now.
        released: bool,
    },
    /// Confirmation that the manager claim succeeded.
    ClaimMade {
        /// To whom.
        email: Email,
        /// How they are addressed.
        civility: Civility,
        /// Their last name.
        last_name: PersonName,
        /// The account that they manage now.
        member_number: MemberNumber,
        /// The establishment's SIRET.
        siret: Siret,
        /// The establishment's name.
        establishment: String,
        /// That the account terms were accepted with it.
        receipt: Receipt,
    },
    /// Word that an address has access to an account; the same whether it has a space or not.
    Invitation {
        /// To whom.
        email: Email,
        /// How the manager who gives it is addressed.
        civility: Civility,
        /// The manager's last name.
        last_name: PersonName,
        /// The account.
        member_number: MemberNumber,
        /// The establishment's SIRET.
        siret: Siret,
        /// The establishment's name.
        establishment: String,
    },
    /// Word to an account's manager that somebody asks for access: to whoever it is when the mail is sent.
    AccessRequested {
        /// Who asks.
        user_id: Id,
        /// The account.
        member_number: MemberNumber,
    },
    /// Word to who asked for access that they have it.
    AccessApproved {
        /// To whom.
        email: Email,
        /// How they are addressed.
        civility: Civility,
        /// Their last name.
        last_name: PersonName,
        /// The manager who gave it.
        manager: Named,
        /// The account.
        member_number: MemberNumber,
        /// The establishment's SIRET.
        siret: Siret,
        /// The establishment's name.
        establishment: String,
    },
    /// Word to who asked for access that they do not get it. It names neither account nor manager.
    AccessRefused {
        /// To whom.
        email: Email,
        /// How they are addressed.
        civility: Civility,
        /// Their last name.
        last_name: PersonName,
        /// The establishment's SIRET.
        siret: Siret,
        /// The establishment's name.
        establishment: String,
    },
    /// Word to who was the manager that they handed the role over.
    RoleHandedOver {
        /// To whom.
        email: Email,
        /// How they are addressed.
        civility: Civility,
        /// Their last name.
        last_name: PersonName,
        /// The manager from now on.
        to: Named,
        /// The account.
        member_number: MemberNumber,
        /// The establishment's SIRET.
        siret: Siret,
        /// The establishment's name.
        establishment: String,
    },
    /// Word to who is the manager from now on.
    RoleTakenOver {
        /// To whom.
        email: Email,
        /// How they are addressed.
        civility: Civility,
        /// Their last name.
        last_name: PersonName,
        /// The manager before.
        from: Named,
        /// The account.
        member_number: MemberNumber,
        /// The establishment's SIRET.
        siret: Siret,
        /// The establishment's name.
        establishment: String,
    },
    /// The receipt of an accepted document.
    AcceptanceReceipt {
        /// To whom.
        email: Email,
        /// How they are addressed.
        civility: Civility,
        /// Their last name.
        last_name: PersonName,
        /// What they accepted.
        receipt: Receipt,
    },
}

impl Wish {
    /// Which kind it is, as the stored item names it.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::SignUp { .. } => "sign-up",
            Self::Reset { .. } => "reset",
            Self::PasswordChanged { .. } => "password-changed",
            Self::EmailChange { .. } => "email-change",
            Self::EmailChangeNotice { .. } => "email-change-notice",
            Self::UserErased { .. } => "user-erased",
            Self::InactivityWarning { .. } => "inactivity-warning",
            Self::ManagerInactive { .. } => "manager-inactive",
            Self::ClaimsClosed { .. } => "claims-closed",
            Self::ClaimPass { .. } => "claim-pass",
            Self::StaffAlert { .. } => "staff-alert",
            Self::ContactAlert { .. } => "contact-alert",
            Self::ClaimTold { .. } => "claim-told",
            Self::ClaimNotice { .. } => "claim-notice",
            Self::ContestAlert { .. } => "contest-alert",
            Self::ManagerReleased { .. } => "manager-released",
            Self::ContestClosed { .. } => "contest-closed",
            Self::ClaimMade { .. } => "claim-made",
            Self::Invitation { .. } => "invitation",
            Self::AccessRequested { .. } => "access-requested",
            Self::AccessApproved { .. } => "access-approved",
            Self::AccessRefused { .. } => "access-refused",
            Self::RoleHandedOver { .. } => "role-handed-over",
            Self::RoleTakenOver { .. } => "role-taken-over",
            Self::AcceptanceReceipt { .. } => "acceptance-receipt",
        }
    }

    /// The address that the wish itself names.
    #[must_use]
    pub fn address(&self) -> Option<&Email> {
        match self {
            Self::SignUp { draft } => Some(&draft.email),
            Self::ClaimPass { email, .. } => email.as_ref(),
            Self::Reset { email }
            | Self::PasswordChanged { email, .. }
            | Self::UserErased { email, .. }
            | Self::ClaimMade { email, .. }
            | Self::Invitation { email, .. }
            | Self::InactivityWarning { email, .. }
            | Self::AccessApproved { email, .. }
            | Self::AccessRefused { email, .. }
            | Self::RoleHandedOver { email, .. }
            | Self::RoleTakenOver { email, .. }
            | Self::AcceptanceReceipt { email, .. } => Some(email),
            _ => None,
        }
    }

    /// The establishment whose contact on the fund's file it goes to.
    #[must_use]
    pub fn contact_of(&self) -> Option<&Siret> {
        match self {
            Self::ClaimsClosed { siret } => Some(siret),
            Self::ClaimNotice { claim, reader: None, .. } => Some(&claim.siret),
            _ => None,
        }
    }

    /// The user that the wish names in place of an address.
    #[must_use]
    pub fn reader(&self) -> Option<Id> {
        match self {
            Self::EmailChange { user_id, .. }
            | Self::EmailChangeNotice { user_id, .. }
            | Self::ManagerReleased { user_id, .. } => Some(*user_id),
            Self::ClaimNotice { reader, .. } | Self::ContestClosed { reader, .. } => *reader,
            _ => None,
        }
    }
}

/// A wish on its way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outbox {
    /// Which it is; the token of its link derives from it.
    pub outbox_id: Id,
    /// What is wished; removed when it is done with, as it names a person.
    pub wish: Option<Wish>,
    /// The establishment whose contact on the fund's file it goes to; kept when the wish is removed, as it names nobody.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contact_of: Option<Siret>,
    /// When it was wished, in milliseconds (also the range key of the index `unsent`).
    #[serde(with = "jiff::fmt::serde::timestamp::millisecond::required")]
    pub requested_at: Timestamp,
    /// There until it is done with: the key of the sparse index that the sweep reads.
    pub unsent: Option<String>,
    /// What became of it, once it is done with: `no mail`, or how far the mail got.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<String>,
    /// Whether the limit on mails has let it pass.
    #[serde(default)]
    pub admitted: bool,
    /// Seconds since 1970 after which DynamoDB may delete it.
    pub ttl: i64,
}

/// Kept for a week: longer than any outage of SES, long enough for the help desk.
const KEPT: Duration = Duration::from_secs(7 * 24 * 3600);

impl Outbox {
    /// The one partition of the index `unsent`: it holds what is on its way only, so it stays small.
    pub const UNSENT: &str = "UNSENT";

    /// A new wish.
    #[must_use]
    pub fn new(outbox_id: Id, wish: Wish, now: Timestamp) -> Self {
        Self {
            outbox_id,
            contact_of: wish.contact_of().cloned(),
            wish: Some(wish),
            requested_at: now,
            unsent: Some(Self::UNSENT.to_owned()),
            outcome: None,
            admitted: false,
            ttl: (now + KEPT).as_second(),
        }
    }

    /// A wish that this one becomes, for one of those it concerns. Its id derives from this one's and from a name,
    /// so that a repeat finds it.
    #[must_use]
    pub fn branch(&self, name: &str, wish: Wish) -> Self {
        Self::branch_of(self.outbox_id, name, wish, self.requested_at)
    }

    /// The same, of an entry of which the id is known.
    #[must_use]
    pub fn branch_of(outbox_id: Id, name: &str, wish: Wish, now: Timestamp) -> Self {
        let whole = digest(&SHA256, format!("{outbox_id}#{name}").as_bytes());
        let mut half = [0; 16];
        half.iter_mut().zip(whole.as_ref()).for_each(|(half, whole)| *half = *whole);
        Self::new(Id::from_bytes(half), wish, now)
    }

    /// Where a wish is stored.
    #[must_use]
    pub fn key_of(outbox_id: Id) -> Key {
        Key::new(Table::Identity, format!("OUTBOX#{outbox_id}"), "MAIL")
    }

    /// What was wished before `then` and is not done with: keys only, oldest first.
    #[must_use]
    pub fn unsent_before(then: Timestamp) -> Query {
        let unsent = Query::partition(Table::Identity, Self::UNSENT).global_index("unsent", "requested_at");
        unsent.below(then.as_millisecond())
    }

    /// Whether it goes to an address that nobody need have a space for; any other goes to somebody's own.
    #[must_use]
    pub fn may_be_anybodys(&self) -> bool {
        matches!(self.wish, Some(Wish::SignUp { .. } | Wish::Invitation { .. }))
    }

    /// The id in a partition key of the outbox.
    #[must_use]
    pub fn id_of(pk: &str) -> Option<Id> {
        pk.strip_prefix("OUTBOX#").and_then(Id::parse)
    }
}

impl Record for Outbox {
    fn key(&self) -> Key {
        Self::key_of(self.outbox_id)
    }
}

/// A knock at the door of `send-mail` for a wish that it has not fulfilled.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wake {
    /// The wish.
    pub outbox_id: Id,
    /// When the sweep found it.
    #[serde(with = "jiff::fmt::serde::timestamp::millisecond::required")]
    pub woken_at: Timestamp,
    /// Seconds since 1970 after which DynamoDB may delete it.
    pub ttl: i64,
}

impl Wake {
    /// A knock, kept for a day.
    #[must_use]
    pub fn new(outbox_id: Id, now: Timestamp) -> Self {
        Self { outbox_id, woken_at: now, ttl: now.as_second() + 24 * 3600 }
    }
}

impl Record for Wake {
    fn key(&self) -> Key {
        Key::new(
            Table::Identity,
            format!("OUTBOX#{}", self.outbox_id),
            format!("WAKE#{}", self.woken_at.as_millisecond()),
        )
    }
}
