//! One reading of an account, item by item in the order of the keys.
//!
//! An action comes right before its entries, so the sums of one action are kept at a time; facets, transfers and
//! totals come after all entries. What grows with the account is a transfer's few numbers, what each action says, and what
//! waits.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use aws_lc_rs::digest::{Context, SHA256, digest};
use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;
use portal::domain::{Identifier, MemberNumber, RemittanceNumber, View, to_hex};
use portal::store::{
    AccountTotals, Action, ActionVersion, Booked, Entry, Facets, Fingerprint, Home, Item, Likes, Misposted, Pending,
    Record, Remittance, RemittanceRow, Totals, WaitingRecord, from_item, to_item,
};

use crate::account_totals;
use crate::digest::Head;
use crate::drift::{Fields, Found};
use crate::history::Histories;
use crate::misposted::Marked;
use crate::posted::{Held, Postings, Reversals};
use crate::sums::{Homes, Sums, Transfer, ViewSums, step};

/// The attributes that an action's entries decide, or its own state does; the rest is what the fund said.
const OF_ACTION: [&str; 8] =
    ["by_view", "by_status", "by_scheme", "by_scheme_status", "entries", "invoices", "leaving", "likes"];

/// What was read of an account.
pub(crate) struct Reading<'a> {
    account: MemberNumber,
    /// The actions that are awaited in any account, with these.
    awaited: &'a HashMap<Identifier, BTreeSet<MemberNumber>>,
    /// Of these, the ones that are in this account and awaited in another one.
    here: Vec<Identifier>,
    found: Found,
    /// Which items in which versions: two readings with the same one saw the same state.
    seen: Context,
    entries: u64,
    action: Option<Open>,
    views: BTreeMap<View, ViewSums>,
    transfers: BTreeMap<(RemittanceNumber, Identifier), Transfer>,
    /// What waits by action: so many as its item says, so many as there are.
    waiting: BTreeMap<Identifier, (u64, u64)>,
    /// The count of records that wait for the account.
    for_account: u64,
    totals: Vec<Totals>,
    brief: Option<AccountTotals>,
    /// The state of each view whose totals were met.
    states: Vec<Booked>,
    /// The entries of each view by their numbers.
    postings: BTreeMap<View, Postings>,
    heads: BTreeMap<View, Head>,
    /// Those of the open action, or the contributions.
    reversals: Reversals,
    histories: Histories,
    held: Vec<Held>,
    marks: Marked,
}

/// The action whose entries pass by.
struct Open {
    id: Identifier,
    /// `None` where entries have none.
    item: Option<(Action, Item)>,
    homes: Homes,
    likes: Likes,
}

/// What a reading ended with.
pub(crate) struct Read {
    pub(crate) found: Found,
    pub(crate) seen: Vec<u8>,
    pub(crate) entries: u64,
    /// The hashes that guards have to agree with.
    pub(crate) held: Vec<Held>,
    /// The entries of each view, as a digest names them.
    pub(crate) heads: BTreeMap<View, Head>,
    /// The records that left the account, or may have.
    pub(crate) marks: Marked,
    /// The actions that entries wait for.
    pub(crate) awaited_actions: BTreeSet<Identifier>,
    /// The count of records that wait for the account.
    pub(crate) for_account: u64,
    /// The actions that are here and awaited in another account.
    pub(crate) here: Vec<Identifier>,
}

impl<'a> Reading<'a> {
    pub(crate) fn of(account: MemberNumber, awaited: &'a HashMap<Identifier, BTreeSet<MemberNumber>>) -> Self {
        Self {
            found: Found::nothing(account.clone()),
            account,
            awaited,
            here: Vec::new(),
            for_account: 0,
            seen: Context::new(&SHA256),
            entries: 0,
            action: None,
            views: BTreeMap::new(),
            transfers: BTreeMap::new(),
            waiting: BTreeMap::new(),
            totals: Vec::new(),
            brief: None,
            states: Vec::new(),
            postings: BTreeMap::new(),
            heads: BTreeMap::new(),
            reversals: Reversals::default(),
            histories: Histories::default(),
            held: Vec::new(),
            marks: Marked::default(),
        }
    }

    /// Takes the next item.
    pub(crate) fn take(&mut self, item: Item) {
        let Some(sk) = item.get("sk").and_then(|sk| sk.as_s().ok()).cloned() else { return };
        self.see(&sk, &item);
        match sk.split('#').collect::<Vec<_>>()[..] {
            ["ACTION", id, ""] => self.action(&sk, id, item),
            ["ACTION", id, "ENTRY", _, _] => self.entry(&sk, Some(id), item),
            ["ACTION_VERSION", _, _] => self.version(&sk, item),
            ["CONTRIBUTION", _, _, _, _] => self.entry(&sk, None, item),
            ["MISPOSTED", ..] => self.mark(&sk, &item),
            ["FACETS", view] => self.facets(&sk, view, &item),
            ["TOTALS"] => self.account_totals(&sk, &item),
            ["TOTALS", view] => self.totals(&sk, view, &item),
            ["REMITTANCE", number, source, ""] => self.transfer(&sk, (number, source), &item),
            ["REMITTANCE", number, source, view] => self.row(&sk, (number, source), view, &item),
            _ => self.found.unexpected(&sk, "an item of no known kind"),
        }
    }

    /// Takes the next item of what waits; it counts nowhere until it is posted.
    pub(crate) fn take_waiting(&mut self, item: Item) {
        let Some(sk) = item.get("sk").and_then(|sk| sk.as_s().ok()).cloned() else { return };
        self.see(&sk, &item);
        match sk.split('#').collect::<Vec<_>>()[..] {
            ["PENDING", id, _, _] => self.pending(&sk, id, item),
            ["WAITING", _, "ACTION" | "ENTRY", _, _] => self.waiting(&sk, item),
            _ => self.found.unexpected(&sk, "an item of no known kind"),
        }
    }

    /// Marks item and version. An entry has none: it never changes.
    fn see(&mut self, sk: &str, item: &Item) {
        let version = |name: &str| item.get(name).and_then(|version| version.as_n().ok()).map_or("", String::as_str);
        self.seen.update(format!("{sk}\n{}\n{}\n", version("version"), version("source_version")).as_bytes());
    }

    /// The record that an item is; tells of one that is none, and of an attribute more or less than the record is stored
    /// with.
    fn record<R: Record>(&mut self, sk: &str, item: &Item) -> Option<R> {
        let read = from_item::<R>(item.clone()).and_then(|record| Ok((to_item(&record)?, record)));
        let (exact, record) = read.map_err(|error| self.found.unexpected(sk, &error.to_string())).ok()?;
        let names = exact.keys().chain(item.keys()).collect::<BTreeSet<_>>();
        for name in names.into_iter().filter(|name| exact.contains_key(*name) != item.contains_key(*name)) {
            let present = |is: bool| is.then(|| "present".to_owned());
            self.found.add(sk, name, present(item.contains_key(name)), present(exact.contains_key(name)));
        }
        Some(record)
    }

    /// Versions come behind all actions and their entries, and before what counts them.
    fn version(&mut self, sk: &str, item: Item) {
        self.close_action();
        let fingerprint = Fingerprint::of(&item);
        match from_item::<ActionVersion>(item) {
            Ok(version) => self.histories.add(sk, version, fingerprint, &mut self.found),
            Err(error) => self.found.unexpected(sk, &error.to_string()),
        }
    }

    fn action(&mut self, sk: &str, id: &str, item: Item) {
        self.close_action();
        match Identifier::parse(id) {
            Ok(id) => {
                if let Some(action) = self.record::<Action>(sk, &item) {
                    self.histories.add_action(&action);
                    let elsewhere = |accounts: &BTreeSet<_>| accounts.iter().any(|account| *account != self.account);
                    if action.is_here() && self.awaited.get(&id).is_some_and(elsewhere) {
                        self.here.push(id.clone());
                    }
                    self.action =
                        Some(Open { id, item: Some((action, item)), homes: Homes::new(), likes: Likes::None });
                }
            }
            Err(refusal) => self.found.unexpected(sk, &refusal.en),
        }
    }

    fn entry(&mut self, sk: &str, action: Option<&str>, item: Item) {
        let stored = Fields::stored(&item, &["sk", "by_view", "by_status", "by_remittance"]);
        let fingerprint = Fingerprint::of(&item);
        let entry: Entry = match from_item(item) {
            Ok(entry) => entry,
            Err(error) => return self.found.unexpected(sk, &error.to_string()),
        };
        self.entries += 1;
        self.found.compare(sk, &stored, &places(&entry));
        self.postings.entry(entry.view).or_default().add(&entry, fingerprint);
        let (effect, step) = (entry.effect(), step(&entry));
        self.views.entry(entry.view).or_default().add_to_month(entry.facts.date, effect);
        if let Some(number) = entry.transfer() {
            self.transfers.entry((number.clone(), entry.source.clone())).or_default().add(&entry, effect);
        }
        if let Some(id) = &entry.action_id
            && self.action.as_ref().is_none_or(|open| open.id != *id)
        {
            self.close_action();
            self.action = Some(Open { id: id.clone(), item: None, homes: Homes::new(), likes: Likes::None });
        }
        self.reversals.add(&entry, fingerprint);
        match (action, entry.action_id.as_ref(), entry.scheme) {
            (Some(_), Some(_), Some(scheme)) => {
                if let Some(open) = &mut self.action {
                    open.homes.entry(Home { view: entry.view, scheme }).or_default().add(&entry, effect, step);
                    open.likes.count(&entry);
                }
            }
            (None, None, None) => self.views.entry(entry.view).or_default().add_contribution(effect, step),
            (None, ..) => self.found.add(sk, "scheme", entry.scheme.map(|scheme| scheme.as_str().to_owned()), None),
            _ => self.found.add(sk, "scheme", None, Some("the scheme of its action".to_owned())),
        }
    }

    /// All entries of the action, or all contributions, have passed.
    fn close_action(&mut self) {
        let (in_force, reversed) = std::mem::take(&mut self.reversals).hold(&mut self.found);
        self.marks.reversed(reversed);
        self.marks.in_force(&in_force);
        self.held.extend(in_force);
        let Some(Open { id, item, mut homes, likes }) = self.action.take() else { return };
        let sk = format!("ACTION#{id}#");
        let status = item.as_ref().and_then(|(action, _)| action.state.as_ref()).map(|state| state.status);
        if let Some((action, _)) = &item {
            // Where they were too many, the invoices at a home are not told apart any more.
            let here = action.state.as_ref().map(|state| (state.home, &action.sums));
            let leaving = action.leaving.as_ref().map(|leaving| (leaving.home, &leaving.sums));
            for (home, _) in here.into_iter().chain(leaving).filter(|(_, sums)| sums.invoices.are_too_many()) {
                homes.entry(home).or_default().invoices.clear();
            }
        }
        for (home, sums) in &homes {
            self.views.entry(home.view).or_default().add_sums(home.scheme, status, sums);
        }
        let Some((action, item)) = item else { return self.found.missing(&sk) };
        if let Some(state) = action.state.as_ref().filter(|_| action.moved_to.is_none()) {
            match Held::action(&sk, state) {
                Ok(held) => self.held.push(held),
                Err(error) => self.found.unexpected(&sk, &error.to_string()),
            }
            self.views.entry(state.home.view).or_default().add_action(state.home.scheme, state.status);
        }
        let mut stored = Fields::stored(&item, &OF_ACTION);
        let mut computed = indexes(&action, &id);
        let here = action.state.as_ref().and_then(|state| homes.remove(&state.home)).unwrap_or_default();
        computed.put("entries", here.entries);
        computed.put_some("likes", (!likes.is_none()).then(|| String::from(likes)));
        put_invoices(&mut computed, "invoices", &here, action.sums.invoices.are_too_many());
        let mut all = here;
        if let Some(leaving) = &action.leaving {
            // Entries at a home that the action has left, until the last is moved.
            let left = homes.remove(&leaving.home).unwrap_or_default();
            all = all.and(left.clone());
            if leaving.sums.invoices.are_too_many() || action.sums.invoices.are_too_many() {
                all.invoices.clear();
            }
            if left.entries != 0 {
                computed.put("leaving.home.view", leaving.home.view);
                computed.put("leaving.home.scheme", leaving.home.scheme.as_str());
                computed.put("leaving.entries", left.entries);
                put_sums(&mut computed, "leaving.sums", &left);
                let too_many = leaving.sums.invoices.are_too_many();
                put_invoices(&mut computed, "leaving.sums.invoices", &left, too_many);
            }
        }
        if action.state.is_some() {
            put_sums(&mut computed, "shown", &all);
            computed.put("shown.in_progress_beside", all.open().0 - all.in_progress.0.max(0));
            // Lists carry them under names of one letter.
            stored.put_some("shown.committed", shown(&item, "c").and_then(number));
            for (place, field) in ["to_company", "to_providers"].into_iter().enumerate() {
                let side = shown(&item, "p").and_then(|paid| paid.as_l().ok()?.get(place));
                stored.put_some(format!("shown.paid.{field}"), side.and_then(number));
            }
            stored.put_some("shown.in_progress", shown(&item, "i").and_then(number));
            // Only what is not nothing is carried.
            stored.put("shown.in_progress_beside", shown(&item, "b").and_then(number).map_or("0", String::as_str));
            stored.put("shown.recovered", shown(&item, "r").and_then(number).map_or("0", String::as_str));
        }
        self.found.compare(&sk, &stored, &computed);
        // What is at any other home was reversed there.
        for (home, sums) in homes.into_iter().filter(|(_, sums)| *sums != Sums::default()) {
            let field = format!("entries.{}.{}", home.view, home.scheme.as_str());
            self.found.add(&sk, &field, None, Some(sums.entries.to_string()));
        }
        if action.waiting > 0 {
            self.waiting.entry(id).or_default().0 = u64::from(action.waiting);
        }
    }

    fn pending(&mut self, sk: &str, id: &str, item: Item) {
        self.close_action();
        let fingerprint = Fingerprint::of(&item);
        match from_item::<Pending>(item) {
            Ok(pending) => self.held.push(Held::pending(sk, &pending, fingerprint)),
            Err(error) => self.found.unexpected(sk, &error.to_string()),
        }
        match Identifier::parse(id) {
            Ok(id) => self.waiting.entry(id).or_default().1 += 1,
            Err(refusal) => self.found.unexpected(sk, &refusal.en),
        }
    }

    fn mark(&mut self, sk: &str, item: &Item) {
        self.close_action();
        if let Some(mark) = self.record::<Misposted>(sk, item) {
            self.marks.take(mark);
        }
    }

    fn waiting(&mut self, sk: &str, item: Item) {
        let fingerprint = Fingerprint::of(&item);
        match from_item::<WaitingRecord>(item) {
            Ok(record) => {
                self.for_account += 1;
                self.held.push(Held::waiting(sk, &record, fingerprint));
            }
            Err(error) => self.found.unexpected(sk, &error.to_string()),
        }
    }

    fn view(&mut self, sk: &str, view: &str) -> Option<&mut ViewSums> {
        self.close_action();
        let Some(view) = View::parse(view) else {
            self.found.unexpected(sk, "of no view");
            return None;
        };
        Some(self.views.entry(view).or_default())
    }

    fn facets(&mut self, sk: &str, view: &str, item: &Item) {
        let Some(sums) = self.view(sk, view) else { return };
        sums.has_facets = true;
        let mut computed = sums.facets();
        let postings = View::parse(view).and_then(|view| self.postings.get(&view));
        let versions = View::parse(view).map(|view| self.histories.of(view)).unwrap_or_default();
        postings.unwrap_or(&Postings::default()).put_state(versions, &mut computed);
        let names = ["sums", "contributions", "contributed", "postings", "versions", "booked_at"];
        self.found.compare(sk, &Fields::stored(item, &names), &computed);
        self.record::<Facets>(sk, item);
    }

    fn account_totals(&mut self, sk: &str, item: &Item) {
        self.close_action();
        self.brief = self.record(sk, item);
    }

    fn totals(&mut self, sk: &str, view: &str, item: &Item) {
        let Some(sums) = self.view(sk, view) else { return };
        sums.has_totals = true;
        let mut computed = sums.totals();
        let view = View::parse(view);
        let postings = view.and_then(|view| self.postings.remove(&view)).unwrap_or_default();
        let versions = view.map(|view| self.histories.of(view)).unwrap_or_default();
        self.states.push(postings.state(versions));
        let chain = postings.put(sk, versions, &mut computed, &mut self.found);
        self.heads.extend(view.filter(|_| chain.postings > 0).map(|view| (view, Head::from(chain))));
        let names = [
            "actions",
            "entries",
            "contributions",
            "sums",
            "schemes",
            "months",
            "postings",
            "versions",
            "booked_at",
            "chain",
        ];
        self.found.compare(sk, &Fields::stored(item, &names), &computed);
        let totals = self.record(sk, item);
        self.totals.extend(totals);
    }

    /// The number and source in the key of a transfer.
    fn transfer_of((number, source): (&str, &str)) -> Option<(RemittanceNumber, Identifier)> {
        RemittanceNumber::unescape(number).zip(Identifier::parse(source).ok())
    }

    fn transfer(&mut self, sk: &str, key: (&str, &str), item: &Item) {
        self.close_action();
        let Some(key) = Self::transfer_of(key) else { return self.found.unexpected(sk, "of no number") };
        let Some(transfer) = self.transfers.get_mut(&key) else {
            return self.found.unexpected(sk, "a transfer that no entry names");
        };
        transfer.has_item = true;
        let computed = transfer.item(&key.0);
        self.record::<Remittance>(sk, item);
        self.found.compare(
            sk,
            &Fields::stored(item, &["by_view", "by_scheme", "shown", "views", "sent", "returned"]),
            &computed,
        );
    }

    fn row(&mut self, sk: &str, key: (&str, &str), view: &str, item: &Item) {
        let (Some(key), Some(view)) = (Self::transfer_of(key), View::parse(view)) else {
            return self.found.unexpected(sk, "of no transfer");
        };
        let transfer =
            self.transfers.get_mut(&key).filter(|transfer| transfer.further_views().any(|further| further == view));
        let Some(transfer) = transfer else {
            // Its first view's row is the transfer's own item, and another's is no view of it.
            return self.found.unexpected(sk, "a row of a view that the transfer pays nothing for");
        };
        transfer.has_rows.push(view);
        let computed = transfer.row(&key.0, view);
        self.record::<RemittanceRow>(sk, item);
        self.found.compare(sk, &Fields::stored(item, &["by_view", "by_scheme", "shown"]), &computed);
    }

    /// All items have passed; what is late is so `now`.
    pub(crate) fn end(mut self, now: Timestamp) -> Read {
        self.close_action();
        // Of a view whose totals are missing, too.
        for (view, postings) in std::mem::take(&mut self.postings) {
            self.states.push(postings.state(self.histories.of(view)));
        }
        let booked = Booked::of_all(self.states.iter().copied());
        account_totals::hold(self.brief.as_ref(), &self.views, booked, now, &mut self.found);
        self.histories.hold(&mut self.found);
        for (id, (stored, counted)) in &self.waiting {
            if stored != counted {
                let (stored, counted) = (stored.to_string(), counted.to_string());
                self.found.add(&format!("ACTION#{id}#"), "waiting", Some(stored), Some(counted));
            }
        }
        for (view, sums) in self.views.iter().filter(|(_, sums)| !sums.is_empty()) {
            if !sums.has_totals {
                self.found.missing(&format!("TOTALS#{view}"));
            }
            if !sums.has_facets {
                self.found.missing(&format!("FACETS#{view}"));
            }
        }
        // How often two views changed together stands in the totals of both.
        for totals in &self.totals {
            for other in &self.totals {
                let [mine, theirs] = [(totals, other), (other, totals)]
                    .map(|(totals, with)| totals.shared.get(&with.view).copied().unwrap_or_default());
                if mine != theirs {
                    let (sk, field) = (format!("TOTALS#{}", totals.view), format!("shared.{}", other.view));
                    self.found.add(&sk, &field, Some(mine.to_string()), Some(theirs.to_string()));
                }
            }
            let is_missing = |with: &&View| {
                let is_told = self.views.get(with).is_some_and(|sums| !sums.is_empty());
                !is_told && self.totals.iter().all(|other| other.view != **with)
            };
            for with in totals.shared.keys().filter(is_missing) {
                self.found.missing(&format!("TOTALS#{with}"));
            }
        }
        for ((number, source), transfer) in &self.transfers {
            if !transfer.has_item {
                self.found.missing(&format!("REMITTANCE#{}#{source}#", number.escaped()));
            }
            for view in transfer.further_views().filter(|view| !transfer.has_rows.contains(view)) {
                self.found.missing(&format!("REMITTANCE#{}#{source}#{view}", number.escaped()));
            }
        }
        let seen = self.seen.finish().as_ref().to_vec();
        Read {
            found: self.found,
            seen,
            entries: self.entries,
            held: self.held,
            heads: self.heads,
            marks: self.marks,
            awaited_actions: self.waiting.into_iter().filter(|(_, (_, there))| *there > 0).map(|(id, _)| id).collect(),
            for_account: self.for_account,
            here: self.here,
        }
    }
}

/// Where an entry is, in the table and in the indexes.
fn places(entry: &Entry) -> Fields {
    let (view, day, id) = (entry.view, entry.facts.date, entry.entry_id);
    let posting = format!("{:010}", entry.posting);
    let mut fields = Fields::default();
    fields.put(
        "sk",
        entry.action_id.as_ref().map_or_else(
            || format!("CONTRIBUTION#{view}#{day}#{posting}#{id}"),
            |action| format!("ACTION#{action}#ENTRY#{day}#{id}"),
        ),
    );
    fields.put("by_view", format!("ENTRY#{view}#{day}#{posting}"));
    fields.put("by_status", format!("ENTRY#{}#{view}#{day}#{posting}", entry.facts.kind.as_str()));
    let line = entry.transfer().map(|number| {
        let (number, source) = (number.escaped(), &entry.source);
        format!("LINE#{number}#{source}#{day}#{posting}#{id}")
    });
    fields.put_some("by_remittance", line);
    fields
}

/// Where an action is in the indexes, while it belongs to the account.
fn indexes(action: &Action, id: &Identifier) -> Fields {
    let mut fields = Fields::default();
    if let Some(state) = action.state.as_ref().filter(|_| action.moved_to.is_none()) {
        let (scheme, status) = (state.home.scheme.as_str(), state.status.as_str());
        let order = format!("{}#{}#{id}", state.home.view, state.engagement_date);
        fields.put("by_view", format!("ACTION#{order}"));
        fields.put("by_status", format!("ACTION#{status}#{order}"));
        fields.put("by_scheme", format!("ACTION#{scheme}#{order}"));
        fields.put("by_scheme_status", format!("ACTION#{scheme}#{status}#{order}"));
    }
    fields
}

/// Each invoice by the beginning of the SHA-256 of its number.
fn put_invoices(fields: &mut Fields, path: &str, sums: &Sums, too_many: bool) {
    if too_many {
        fields.put(format!("{path}.too_many"), true);
    }
    for (invoice, sum) in &sums.invoices {
        let hash = to_hex(&digest(&SHA256, invoice.as_bytes()).as_ref()[..8]);
        fields.put(format!("{path}.sums.{hash}"), sum);
    }
}

fn put_sums(fields: &mut Fields, path: &str, sums: &Sums) {
    fields.put(format!("{path}.committed"), sums.committed.0);
    fields.put(format!("{path}.paid.to_company"), sums.paid.to_company.0);
    fields.put(format!("{path}.paid.to_providers"), sums.paid.to_providers.0);
    fields.put(format!("{path}.in_progress"), sums.in_progress.0);
    fields.put(format!("{path}.recovered"), sums.recovered.0);
}

/// What lists show of an action under a letter.
fn shown<'a>(item: &'a Item, letter: &str) -> Option<&'a AttributeValue> {
    item.get("shown")?.as_m().ok()?.get(letter)
}

fn number(value: &AttributeValue) -> Option<&String> {
    value.as_n().ok()
}
