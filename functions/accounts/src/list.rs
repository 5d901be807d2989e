//! `GET /api/accounts`: what the caller was granted, and what they are invited to and have not opened, sorted
//! by number or by name.
//!
//! An accountant has up to 300, each an item of some 300 bytes: one `Query` reads them all (up to a megabyte), so
//! they are searched and cut into pages here, at the cost of the one read that shows them
//! (`docs/decisions/0062-many-accounts-many-colleagues.md`).

use std::cmp::Ordering;

use futures::future::try_join;
use portal::domain::{Id, Refusal, folded};
use portal::http::{Answer, Call, Form, Problem};
use portal::security::{SealedCursor, SymmetricKey};
use portal::store::{AddressHash, Batch, Grant, Invitation, InvitationMirror, Role, User};
use serde_json::{Value, json};

use crate::search::Search;
use crate::{Function, shown};

/// How many accounts a page has where only a cursor says that there are pages.
const DEFAULT_LIMIT: usize = 50;

/// How many it has where nothing is said: more than anybody has, and far from the 6 MB of an answer.
const MOST_AT_ONCE: usize = 1_000;

/// The form of what a cursor says; a cursor of another form is not valid.
const VERSION: &str = "2";

/// What the list is asked for.
struct Asked {
    search: Search,
    sort: Sort,
    /// The last account of the page before.
    after: Option<Place>,
    /// How many a page has.
    limit: usize,
    /// For whom, in which order and for which search, a cursor is good.
    bound: String,
}

impl Function {
    pub(crate) async fn list(&self, call: &Call) -> Result<Answer, Problem> {
        let ticket = self.gate.ticket(call).await?;
        let asked = Asked::read(call.query(), ticket.claims.sub, &self.cursor_key);
        let mut batch = Batch::new();
        let keys = ticket.ask(&mut batch);
        let user = ticket.admit(&keys, &mut self.store.fetch(batch).await?, call.now)?.user;
        let asked = asked?;
        // A second wait: invitations are found by the address, and no token tells that.
        let (grants, invitations) = (Grant::all_of(user.user_id), Invitation::all_of(&AddressHash::of(&user.email)));
        let grants = self.store.query_all::<Grant>(&grants);
        let invitations = self.store.query_all::<InvitationMirror>(&invitations);
        let (mut accounts, invitations) = try_join(grants, invitations).await?;
        for InvitationMirror(invitation) in invitations {
            let granted = accounts.iter().any(|grant| grant.member_number == invitation.member_number);
            if invitation.email == user.email && invitation.is_open(call.now) && !granted {
                accounts.push(as_granted(invitation, &user));
            }
        }
        Answer::ok(&asked.page(accounts, &self.cursor_key))
    }
}

impl Asked {
    fn read(mut form: Form, user_id: Id, key: &SymmetricKey) -> Result<Self, Problem> {
        let words = form.search("q");
        let sort = form.optional("sort", |text| {
            let refusal = || Refusal::new("unknown-sort", "Cet ordre n’existe pas.", "There is no such order.");
            Sort::parse(text).ok_or_else(refusal)
        });
        let limit = form.limit("limit");
        let cursor = form.optional("cursor", |text| Ok(text.to_owned()));
        let (words, sort, limit, cursor) = form.finish((words, sort, limit, cursor))?;
        let (search, sort) = (Search::of(&words.unwrap_or_default()), sort.unwrap_or_default());
        let bound = format!("{user_id}\n{}\n{}", sort.as_str(), search.as_text());
        let after = cursor.map(|text| Place::open(&text, key, &bound).ok_or(Problem::BadCursor)).transpose()?;
        let limit = limit.unwrap_or(if after.is_some() { DEFAULT_LIMIT } else { MOST_AT_ONCE });
        Ok(Self { search, sort, after, limit, bound })
    }

    /// The accounts that are searched for, those of the page.
    fn page(&self, mut accounts: Vec<Grant>, key: &SymmetricKey) -> Value {
        accounts.retain(|account| self.search.finds(account));
        let mut placed: Vec<_> =
            accounts.into_iter().map(|account| (Place::of(&account, self.sort), account)).collect();
        placed.sort_by(|(one, _), (other, _)| self.sort.compare(one, other));
        if let Some(after) = &self.after {
            placed.retain(|(place, _)| self.sort.compare(place, after).is_gt());
        }
        let more = placed.len() > self.limit;
        placed.truncate(self.limit);
        let mut page = json!({"accounts": placed.iter().map(|(_, account)| shown(account)).collect::<Value>()});
        if let Some((last, _)) = placed.last().filter(|_| more) {
            page["next_cursor"] = json!(last.seal(key, &self.bound));
        }
        page
    }
}

/// The order of the list.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Sort {
    #[default]
    Number,
    NumberDescending,
    Name,
    NameDescending,
}

impl Sort {
    fn parse(text: &str) -> Option<Self> {
        let all = [Self::Number, Self::NumberDescending, Self::Name, Self::NameDescending];
        all.into_iter().find(|sort| sort.as_str() == text)
    }

    fn as_str(self) -> &'static str {
        match self {
            Self::Number => "member_number",
            Self::NumberDescending => "-member_number",
            Self::Name => "name",
            Self::NameDescending => "-name",
        }
    }

    fn compare(self, one: &Place, other: &Place) -> Ordering {
        match self {
            Self::Number | Self::Name => one.cmp(other),
            Self::NumberDescending | Self::NameDescending => other.cmp(one),
        }
    }
}

/// The place of an account in the order of a list.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    /// Without case and accents; empty where the number alone decides.
    name: String,
    number: String,
}

impl Place {
    fn of(account: &Grant, sort: Sort) -> Self {
        let name = match sort {
            Sort::Number | Sort::NumberDescending => String::new(),
            Sort::Name | Sort::NameDescending => folded(&account.name),
        };
        Self { name, number: account.member_number.to_string() }
    }

    /// The text of a cursor behind it.
    fn seal(&self, key: &SymmetricKey, bound: &str) -> String {
        let said = format!("{VERSION}#{}#{}", self.number, self.name);
        SealedCursor::OfAccounts.seal(&said, key, bound)
    }

    /// The place that a cursor names.
    fn open(text: &str, key: &SymmetricKey, bound: &str) -> Option<Self> {
        let said = SealedCursor::OfAccounts.open(text, key, bound)?;
        let (number, name) = said.strip_prefix(VERSION)?.strip_prefix('#')?.split_once('#')?;
        Some(Self { name: name.to_owned(), number: number.to_owned() })
    }
}

/// An invitation as the list shows it: as the grant that it becomes.
fn as_granted(invitation: Invitation, user: &User) -> Grant {
    let Invitation { invitation_id, member_number, siret, name, active, since, .. } = invitation;
    let (user_id, invitation_id) = (user.user_id, Some(invitation_id));
    let (given_at, sirets_before) = (None, Vec::new());
    Grant {
        user_id,
        member_number,
        role: Role::Reader,
        siret,
        name,
        active,
        since,
        invitation_id,
        given_at,
        sirets_before,
    }
}
