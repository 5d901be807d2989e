//! The portal's types and rules: no AWS, no HTTP, no clock.
//!
//! Each type has one fallible constructor; what it refuses, it refuses with a [`Refusal`] that a person
//! can act on. Past a handler's first lines nothing is a raw string.

mod document;
mod domain_name;
mod email;
mod id;
mod labels;
mod ledger;
mod member_number;
mod message;
mod money;
mod pasted;
mod person;
mod refusal;
mod same_person;
mod short_text;
mod siret;
mod view;
mod words;

pub use document::{Document, DocumentKind, DocumentReference};
pub use email::Email;
pub use id::{Id, Identifier, from_hex, to_hex};
pub use ledger::{ActionStatus, CostKind, Effect, EntryKind, Paid, Payee, Scheme};
pub use member_number::MemberNumber;
pub use message::Message;
pub use money::Cents;
pub use person::{Civility, JobTitle, Origin, PersonName, is_blank, is_unfit, one_line};
pub use refusal::Refusal;
pub use same_person::may_be_one_person;
pub use short_text::{RemittanceNumber, ShortText};
pub use siret::Siret;
pub use view::{FUND_ZONE, View, ViewRule, fund_day};
pub use words::{Words, folded};
