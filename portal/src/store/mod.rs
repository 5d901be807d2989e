//! DynamoDB: a file for each kind of record, and what they share.
//!
//! A [`Record`] knows its table and key. Single reads go through [`Store::get`], several at once through
//! a [`Batch`], lists through [`Store::query`], and writes through a [`Transaction`] (or one
//! [`Store::update`]), whose failed conditions are an [`Outcome`] and never an error.
//!
//! Reads are strongly consistent unless an index forbids it: what was posted, granted or revoked is
//! true in the next read.

mod access_request;
mod account;
mod alert;
mod application;
mod attempts;
mod attributes;
mod batch;
mod capacity;
mod change;
mod claim_pass;
mod claims;
mod client;
mod contest;
mod document;
mod email_change;
mod error;
mod evidence;
mod export;
mod invitation;
mod last_use;
mod ledger;
mod link;
mod login;
mod mail_state;
mod member_numbers;
mod member_version;
mod news;
mod offline;
mod outbox;
mod pauses;
mod query;
mod rate;
mod record;
mod release;
mod remembered;
mod resident;
mod session;
mod signing_key;
mod staff_event;
mod transaction;
mod user;
mod waits;
mod warming;

pub use access_request::{AccessRequest, AccessRequestMirror, RequestCount, RequestMails};
pub use account::{Account, Establishment, Grant, GrantMirror, Manager, Parked, Proof, Rights, Role};
pub use alert::{Alert, AlertKind, AlertMirror, ContactTrouble};
pub use application::{Application, Applications, Audience};
pub use attempts::{Attempts, Guessed};
pub use batch::{Batch, Fetched, Wanted};
pub(crate) use capacity::Capacity;
pub use change::{Change, Condition};
pub use claim_pass::ClaimPass;
pub use claims::{ClaimBar, ClaimEnd, Claims, PastClaim};
pub use client::Store;
pub use contest::{ClaimOf, Contest, ContestLink, ContestOutcome, Contested};
pub use document::{CurrentDocument, current_document, current_of, current_text, document_version, put_into_force};
pub use email_change::{EmailChange, Reservation};
pub use error::StoreError;
pub use evidence::{
    Acceptance, AccountEvent, AuditEvent, BoundWitness, EventKind, EventOutcome, Receipt, RequestOrigin, Witness,
    told_after,
};
pub use export::{Export, ExportFormat, ExportSize, ExportState, ExportedList, ExportsUnderWay, UnderWay};
pub use invitation::{AccountUsers, AddressHash, Invitation, InvitationMails, InvitationMirror};
pub use last_use::{LastUse, Stage};
pub use ledger::{
    AccountTotals, Action, ActionChange, ActionPlace, ActionState, ActionSums, ActionVersion, AwaitedAction,
    AwaitedMember, Awaits, BatchLine, Became, Booked, Chain, Entry, EntryFacts, EntryPlace, EntryPosition, Facet,
    Facets, Fingerprint, Guard, Home, Invoices, KeyedRecord, Leaving, Likes, ListedAction, ListedRemittance, Mark,
    Marks, Measures, Misposted, MispostedRecords, Month, MonthSums, Moved, Pending, ReadableEntry, ReadableLine,
    References, Remittance, RemittanceLine, RemittanceRow, Reversed, Seen, SentBatch, Share, SourceSequence, Subject,
    Totals, TransferPayee, UsedSequence, ViewTotals, WaitingContent, WaitingPlace, WaitingRecord, Waits, Withdrawn,
    whole_ledger, whole_waiting,
};
pub use link::{Draft, Link, OfChange, Owner, Purpose};
pub use login::{Login, MailHistory};
pub use mail_state::{Correspondence, Delivery, EmailProblem, Feedback, MailSent, MailState, Stopped};
pub use member_version::{MemberVersion, SaidOfMember};
pub use news::News;
pub use offline::{Span, Written};
pub use outbox::{Named, Outbox, Wake, Wish};
pub use query::{Page, Query};
pub use rate::{Held, Passage, RateLimit};
pub use record::{Item, Key, Record, Table, from_item, to_item};
pub use release::Release;
pub use remembered::{Remembered, RememberedOutcome};
pub use resident::Resident;
pub use session::Session;
pub use signing_key::PublicKey;
pub use staff_event::{StaffAct, StaffEvent};
pub use transaction::{Outcome, Refused, Step, Transaction};
pub use user::User;
pub use waits::{AllWaits, Awaited, InForce, Wait, WaitsFor};
pub(crate) use warming::open_connection;
