//! `GET /api/accounts`: what the caller was granted, and what they are invited to and have not opened, with the
//! figures of what they may read.
//!
//! An accountant has up to 300, each an item of some 300 bytes: one `Query` reads them all (up to a megabyte), so
//! they are searched and cut into pages here, at the cost of the one read that shows them
//! (`docs/decisions/0062-many-accounts-many-colleagues.md`). The figures are one small item an account more, read for the
//! accounts of the page (`docs/decisions/0167-figures-in-the-list-of-accounts.md`).

use std::collections::HashSet;

use futures::future::{join, try_join};
use portal::domain::{DocumentKind, Id, MemberNumber, Refusal, View};
use portal::http::{Answer, Call, Form, Problem};
use portal::security::SymmetricKey;
use portal::store::{AddressHash, Batch, CurrentDocument, Grant, Invitation, InvitationMirror, Role, User, current_of};
use serde_json::{Value, json};

use crate::figures::{Figures, FiguresBody};
use crate::order::{Place, Sort};
use crate::search::Search;
use crate::{Function, shown};

/// How many accounts a page has where only a cursor says that there are pages.
const DEFAULT_LIMIT: usize = 50;

/// How many it has where nothing is said: more than anybody has, and far from the 6 MB of an answer.
const MOST_AT_ONCE: usize = 1_000;

/// What the list is asked for.
struct Asked {
    search: Search,
    sort: Sort,
    /// The view that figures are of; without it, all.
    view: Option<View>,
    /// The last account of the page before.
    after: Option<Place>,
    /// How many a page has.
    limit: usize,
    /// For whom, in which order and for which search, a cursor is good.
    bound: String,
}

/// An account of the list.
struct Listed {
    grant: Grant,
    /// Whether the caller has a grant: what one is invited to is opened by the first read of it.
    opened: bool,
    /// Of what the caller may read.
    figures: Option<Figures>,
}

impl Function {
    pub(crate) async fn list(&self, call: &Call) -> Result<Answer, Problem> {
        let ticket = self.gate.ticket(call).await?;
        let asked = Asked::read(call.query(), ticket.claims.sub, &self.cursor_key);
        let mut batch = Batch::new();
        let keys = ticket.ask(&mut batch);
        let charter = batch.want::<CurrentDocument>(CurrentDocument::key_of(DocumentKind::Charter));
        let grants = Grant::all_of(ticket.claims.sub);
        let (fetched, grants) = join(self.store.fetch(batch), self.store.query_all::<Grant>(&grants)).await;
        let mut fetched = fetched?;
        let user = ticket.admit(&keys, &mut fetched, call.now)?.user;
        let (asked, mut grants) = (asked?, grants?);
        let may_read = !user.owes(&current_of(DocumentKind::Charter, fetched.take(&charter)?));
        let granted: HashSet<MemberNumber> = grants.iter().map(|grant| grant.member_number.clone()).collect();
        grants.retain(|grant| asked.search.finds(grant));
        // A second wait: invitations are found by the address, and no token tells that.
        let invitations = Invitation::all_of(&AddressHash::of(&user.email));
        let read = if may_read { asked.may_show(&grants) } else { Vec::new() };
        let figures = Figures::read(&self.store, read, asked.view);
        let invitations = self.store.query_all::<InvitationMirror>(&invitations);
        let (invitations, mut figures) = try_join(invitations, figures).await?;
        let invited: Vec<Grant> = invitations
            .into_iter()
            .map(|InvitationMirror(invitation)| invitation)
            .filter(|invitation| invitation.email == user.email && invitation.is_open(call.now))
            .filter(|invitation| !granted.contains(&invitation.member_number))
            .map(|invitation| as_granted(invitation, &user))
            .filter(|grant| asked.search.finds(grant))
            .collect();
        let mut listed: Vec<Listed> = Vec::with_capacity(grants.len() + invited.len());
        for grant in grants {
            let figures = figures.remove(&grant.member_number);
            listed.push(Listed { grant, opened: true, figures });
        }
        listed.extend(invited.into_iter().map(|grant| Listed { grant, opened: false, figures: None }));
        Answer::ok(&asked.page(listed, &self.cursor_key))
    }
}

impl Asked {
    fn read(mut form: Form, user_id: Id, key: &SymmetricKey) -> Result<Self, Problem> {
        let words = form.search("q");
        let sort = form.optional("sort", |text| {
            let refusal = || Refusal::new("unknown-sort", "Cet ordre n’existe pas.", "There is no such order.");
            Sort::parse(text).ok_or_else(refusal)
        });
        let view = form.view("view");
        let limit = form.limit("limit");
        let cursor = form.optional("cursor", |text| Ok(text.to_owned()));
        let (words, sort, view, limit, cursor) = form.finish((words, sort, view, limit, cursor))?;
        let (search, sort) = (Search::of(&words.unwrap_or_default()), sort.unwrap_or_default());
        let of_view = view.map(|view| view.to_string()).unwrap_or_default();
        let bound = format!("{user_id}\n{}\n{of_view}\n{}", sort.as_text(), search.as_text());
        let after = cursor.map(|text| Place::open(&text, key, &bound).ok_or(Problem::BadCursor)).transpose()?;
        let limit = limit.unwrap_or(if after.is_some() { DEFAULT_LIMIT } else { MOST_AT_ONCE });
        Ok(Self { search, sort, view, after, limit, bound })
    }

    /// Returns the accounts whose figures the page may show: all where a figure sorts them, and otherwise those of the page
    /// as it is without what the caller is invited to, which can only push some of these out of it.
    fn may_show(&self, grants: &[Grant]) -> Vec<MemberNumber> {
        if self.sort.is_by_figure() {
            return grants.iter().map(|grant| grant.member_number.clone()).collect();
        }
        let placed = grants.iter().map(|grant| (Place::of(grant, None, self.sort), grant)).collect();
        let (page, _) = self.cut(placed);
        page.into_iter().map(|(_, grant)| grant.member_number.clone()).collect()
    }

    /// The accounts of the page in their order, and whether there are more.
    fn cut<T>(&self, mut placed: Vec<(Place, T)>) -> (Vec<(Place, T)>, bool) {
        placed.sort_by(|(one, _), (other, _)| self.sort.compare(one, other));
        if let Some(after) = &self.after {
            placed.retain(|(place, _)| self.sort.compare(place, after).is_gt());
        }
        let more = placed.len() > self.limit;
        placed.truncate(self.limit);
        (placed, more)
    }

    /// The page as it is answered.
    fn page(&self, listed: Vec<Listed>, key: &SymmetricKey) -> Value {
        let place = |listed: &Listed| Place::of(&listed.grant, listed.figures.as_ref(), self.sort);
        let (placed, more) = self.cut(listed.into_iter().map(|listed| (place(&listed), listed)).collect());
        let next = placed.last().filter(|_| more).map(|(last, _)| last.seal(key, &self.bound));
        let mut page = json!({"accounts": placed.into_iter().map(|(_, listed)| listed.shown()).collect::<Value>()});
        if let Some(next) = next {
            page["next_cursor"] = json!(next);
        }
        page
    }
}

impl Listed {
    fn shown(self) -> Value {
        let mut account = shown(&self.grant);
        account["opened"] = json!(self.opened);
        if let Some(figures) = self.figures {
            account["figures"] = json!(FiguresBody::from(figures));
        }
        account
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
