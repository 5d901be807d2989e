//! The outbox: wishes to send a mail, written in the transaction that is their reason.
//!
//! A new item wakes `send-mail` through the table's stream. No request waits for SES, none is lost when
//! SES is down, and a known and an unknown address cost the same.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Draft, Key, Query, Receipt, Record, Table};
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
    },
    /// Too many wrong member numbers for one establishment: a pass to the contact address on file.
    ClaimsClosed {
        /// The establishment.
        siret: Siret,
    },
    /// Word to the fund's staff that a limit on guessing member numbers was reached.
    StaffAlert {
        /// The establishment whose number was guessed.
        siret: Siret,
        /// The user, where the limit is theirs; none where it is the establishment's.
        user_id: Option<Id>,
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

/// A wish on its way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outbox {
    /// Which it is; the token of its link derives from it.
    pub outbox_id: Id,
    /// What is wished; removed when it is done with, as it names a person.
    pub wish: Option<Wish>,
    /// When it was wished, in milliseconds (also the range key of the index `unsent`).
    #[serde(with = "jiff::fmt::serde::timestamp::millisecond::required")]
    pub requested_at: Timestamp,
    /// There until it is done with: the key of the sparse index that the sweep reads.
    pub unsent: Option<String>,
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
            wish: Some(wish),
            requested_at: now,
            unsent: Some(Self::UNSENT.to_owned()),
            admitted: false,
            ttl: (now + KEPT).as_second(),
        }
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
