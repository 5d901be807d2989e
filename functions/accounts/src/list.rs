//! `GET /api/accounts`: what the caller was granted, and what they are invited to and have not opened, sorted
//! by number.
//!
//! An accountant has up to 300, each an item of some 300 bytes: one `Query` reads them all (up to a megabyte), so
//! they are searched and cut into pages here, at the cost of the one read that shows them
//! (`docs/decisions/0062-many-accounts-many-colleagues.md`).

use futures::future::join3;
use portal::domain::{Id, MemberNumber, one_line};
use portal::http::{Answer, Call, Form, Problem};
use portal::security::{SealedCursor, SymmetricKey};
use portal::store::{AddressHash, Batch, Grant, Invitation, InvitationMirror, Role, User};
use serde_json::{Value, json};

use crate::search::Search;
use crate::{Function, shown};

/// How many accounts a page has where only a cursor says that there are pages.
const DEFAULT_LIMIT: usize = 50;

/// The longest search, in characters: longer than a name on the fund's file.
const LONGEST_SEARCH: usize = 200;

/// The form of what a cursor says; a cursor of another form is not valid.
const VERSION: &str = "1";

/// What the list is asked for.
struct Asked {
    search: Search,
    /// The last account of the page before.
    after: Option<MemberNumber>,
    /// How many a page has; all in one, where there are no pages.
    limit: Option<usize>,
    /// For whom, and for which search, a cursor is good.
    bound: String,
}

impl Function {
    pub(crate) async fn list(&self, call: &Call) -> Result<Answer, Problem> {
        let ticket = self.gate.ticket(call).await?;
        let asked = Asked::read(call.query(), ticket.claims.sub, &self.cursor_key);
        let mut batch = Batch::new();
        let keys = ticket.ask(&mut batch);
        let remembered = &ticket.claims.address;
        let (grants, invitations) = (Grant::all_of(ticket.claims.sub), Invitation::all_of(remembered));
        let grants = self.store.query_all::<Grant>(&grants);
        let invitations = self.store.query_all::<InvitationMirror>(&invitations);
        let (fetched, grants, invitations) = join3(self.store.fetch(batch), grants, invitations).await;
        let user = ticket.admit(&keys, &mut fetched?, call.now)?.user;
        let asked = asked?;
        let (mut accounts, mut invitations) = (grants?, invitations?);
        let address = AddressHash::of(&user.email);
        if *remembered != address {
            invitations = self.store.query_all(&Invitation::all_of(&address)).await?;
        }
        for InvitationMirror(invitation) in invitations {
            let granted = accounts.iter().any(|grant| grant.member_number == invitation.member_number);
            if invitation.email == user.email && !granted {
                accounts.push(as_granted(invitation, &user));
            }
        }
        Answer::ok(&asked.page(accounts, &self.cursor_key))
    }
}

impl Asked {
    fn read(mut form: Form, user_id: Id, key: &SymmetricKey) -> Result<Self, Problem> {
        let words = form.optional("q", |text| one_line(text, LONGEST_SEARCH));
        let limit = form.limit("limit");
        let cursor = form.optional("cursor", |text| Ok(text.to_owned()));
        let (words, limit, cursor) = form.finish((words, limit, cursor))?;
        let search = Search::of(&words.unwrap_or_default());
        let bound = format!("{user_id}\n{}", search.as_text());
        let after = cursor.map(|text| open(&text, key, &bound).ok_or(Problem::BadCursor)).transpose()?;
        let limit = limit.or(after.as_ref().map(|_| DEFAULT_LIMIT));
        Ok(Self { search, after, limit, bound })
    }

    /// The accounts that are searched for, those of the page.
    fn page(&self, mut accounts: Vec<Grant>, key: &SymmetricKey) -> Value {
        accounts.retain(|account| self.search.finds(account));
        accounts.sort_by(|one, other| one.member_number.as_str().cmp(other.member_number.as_str()));
        if let Some(after) = &self.after {
            accounts.retain(|account| account.member_number.as_str() > after.as_str());
        }
        let more = self.limit.is_some_and(|limit| accounts.len() > limit);
        accounts.truncate(self.limit.unwrap_or(accounts.len()));
        let mut page = json!({"accounts": accounts.iter().map(shown).collect::<Value>()});
        if let Some(last) = accounts.last().filter(|_| more) {
            let said = format!("{VERSION}#{}", last.member_number);
            page["next_cursor"] = json!(SealedCursor::OfAccounts.seal(&said, key, &self.bound));
        }
        page
    }
}

/// The account that a cursor names.
fn open(text: &str, key: &SymmetricKey, bound: &str) -> Option<MemberNumber> {
    let said = SealedCursor::OfAccounts.open(text, key, bound)?;
    MemberNumber::parse(said.strip_prefix(VERSION)?.strip_prefix('#')?).ok()
}

/// An invitation as the list shows it: as the grant that it becomes.
fn as_granted(invitation: Invitation, user: &User) -> Grant {
    let Invitation { invitation_id, member_number, siret, name, active, since, .. } = invitation;
    let (user_id, invitation_id) = (user.user_id, Some(invitation_id));
    Grant { user_id, member_number, role: Role::Reader, siret, name, active, since, invitation_id }
}
