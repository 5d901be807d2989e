//! A ledger in memory that plans and applies one job after the other, and after each holds the totals
//! against the sum of the entries.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use portal::domain::{
    ActionStatus, Cents, EntryKind, Identifier, MemberNumber, Paid, RemittanceNumber, Scheme, View, ViewRule,
};
use portal::store::{
    Action, ActionPlace, ActionSums, ActionVersion, Booked, Chain, Entry, Facet, Facets, Home, Measures,
    MispostedRecords, Month, Moved, Pending, Record as _, Subject, Totals, WaitingRecord,
};
use serde_json::{Value, json};

use super::bounds::Largest;
use crate::feed::{LedgerRecord, Line};
use crate::posting::{Blocked, Context, Job, Need, State, Task, Verdict, plan};
use crate::sources::Sources;
use crate::warning::{Warned, Warning};

/// Reads a record as it stands in a feed.
pub(super) fn record(value: &Value) -> LedgerRecord {
    let line = value.to_string();
    LedgerRecord::read(&Line { number: 1, content: Ok(line.as_bytes()) }).unwrap()
}

/// An action of the feed.
pub(super) fn action(
    key: &str,
    version: u64,
    account: &str,
    id: &str,
    status: &str,
    scheme: &str,
    engaged: &str,
) -> Value {
    json!({
        "record": "action", "source_key": key, "source_version": version, "member_number": account,
        "action_id": id, "title": format!("Formation {id}"), "scheme": scheme, "status": status,
        "engagement_date": engaged,
    })
}

/// An entry of an action.
pub(super) fn entry(key: &str, version: u64, account: &str, id: &str, kind: &str, cents: i64, date: &str) -> Value {
    json!({
        "record": "entry", "source_key": key, "source_version": version, "member_number": account,
        "action_id": id, "kind": kind, "amount_cents": cents, "effective_date": date, "label": "Écriture",
    })
}

/// A withdrawal of what has this key.
pub(super) fn withdrawal(key: &str, version: u64) -> Value {
    json!({"record": "withdrawal", "source_key": key, "source_version": version})
}

/// A contribution.
pub(super) fn contribution(
    key: &str,
    version: u64,
    account: &str,
    kind: &str,
    cents: i64,
    date: &str,
    year: i16,
) -> Value {
    json!({
        "record": "entry", "source_key": key, "source_version": version, "member_number": account,
        "kind": kind, "amount_cents": cents, "effective_date": date, "contribution_year": year, "label": "Cotisation",
    })
}

pub(super) struct Ledger {
    pub(super) state: State,
    context: Context,
    /// The accounts that have not come.
    unknown: BTreeSet<MemberNumber>,
    /// What was warned of so far.
    pub(super) warnings: Vec<Warning>,
    /// The count of entries that were posted without a field that could not be kept.
    pub(super) ignored: usize,
    /// Looks at the changes instead of holding all against the entries each time, which takes long where there are many.
    largest: Option<Largest>,
    /// The same with their figures.
    pub(super) warned: Vec<Warned>,
}

/// A record for each account and view.
pub(super) type ByView<R> = BTreeMap<(MemberNumber, View), R>;

/// A view's figures as a test writes them: committed, paid, in progress, contributed.
pub(super) type Figures = [i64; 4];

impl Ledger {
    pub(super) fn new() -> Self {
        let identifier = |text| Identifier::parse(text).unwrap();
        Self {
            state: State::default(),
            context: Context {
                source: identifier("erp"),
                batch_id: identifier("batch"),
                now: "2012-10-15T02:00:00Z".parse().unwrap(),
                rule: ViewRule::starting(View::parse("2011").unwrap()),
                sources: Arc::new(Sources::parse("erp,crm,bank,bank:erp").unwrap()),
                run: None,
            },
            unknown: BTreeSet::new(),
            warnings: Vec::new(),
            ignored: 0,
            largest: None,
            warned: Vec::new(),
        }
    }

    /// Has the sizes of changes looked at from now on, and the sums no longer.
    pub(super) fn inspect_with(&mut self, largest: Largest) {
        self.largest = Some(largest);
    }

    /// Returns what was looked at; holds the sums against the entries once.
    pub(super) fn inspected(&mut self) -> Largest {
        self.check();
        self.largest.take().expect("something is looked at")
    }

    /// The kinds that were warned of and that their actions still give rise to.
    pub(super) fn standing(&self) -> Vec<Warning> {
        let mut kinds = Vec::new();
        for warned in &self.warned {
            let Some(place) = &warned.doubted else { continue };
            let stands =
                self.action(place).is_some_and(|action| Warning::of(&action).any(|kind| kind == warned.warning));
            if stands && !kinds.contains(&warned.warning) {
                kinds.push(warned.warning);
            }
        }
        kinds
    }

    /// The instant that the clock shows.
    pub(super) fn now(&self) -> Timestamp {
        self.context.now
    }

    pub(super) fn set_clock(&mut self, now: Timestamp) {
        self.context.now = now;
    }

    /// Has what is posted from now on come with this batch.
    pub(super) fn of_batch(&mut self, batch_id: &str) {
        self.context.batch_id = Identifier::parse(batch_id).unwrap();
    }

    /// Lets so much time pass.
    pub(super) fn wait(&mut self, by: SignedDuration) {
        self.context.now += by;
    }

    /// What is posted from now on comes from this source.
    pub(super) fn of_source(&mut self, source: &str) {
        self.context.source = Identifier::parse(source).unwrap();
    }

    /// The sources that are known from now on, and their pairs.
    pub(super) fn with_sources(&mut self, sources: &str) {
        self.context.sources = Arc::new(Sources::parse(sources).unwrap());
    }

    /// A ledger that this account has not come to yet.
    pub(super) fn without(account: &str) -> Self {
        Self { unknown: BTreeSet::from([MemberNumber::parse(account).unwrap()]), ..Self::new() }
    }

    /// The account comes, and whoever posts it is killed right after.
    pub(super) fn come_and_die(&mut self, account: &str) {
        let number = MemberNumber::parse(account).unwrap();
        self.unknown.remove(&number);
        self.state.assume_account(&number);
    }

    /// The account comes, and what waits for it is posted.
    pub(super) fn come(&mut self, account: &str) {
        self.come_and_die(account);
        self.follow_up();
    }

    /// The records that wait for their member.
    pub(super) fn waiting(&self) -> Vec<WaitingRecord> {
        self.state.waiting.values().flatten().cloned().collect()
    }

    /// Posts a record, and then moves and releases what it makes room for.
    pub(super) fn post(&mut self, value: &Value) -> Verdict {
        let verdict = self.do_job(Task::Post(record(value)));
        self.follow_up();
        verdict
    }

    /// What a record needs to be read of which only the guard is known.
    pub(super) fn needs(&self, value: &Value) -> Vec<Need> {
        let state = State { guards: self.state.guards.clone(), ..State::default() };
        let job = Job { task: Task::Post(record(value)), line: None };
        match plan(&state, &self.context, &job) {
            Err(Blocked::Needs(needs)) => needs,
            other => panic!("{other:?}"),
        }
    }

    /// Posts a record as a run does that is killed right after it.
    pub(super) fn post_and_die(&mut self, value: &Value) -> Verdict {
        self.do_job(Task::Post(record(value)))
    }

    /// What a run does after its records, and before the next one that needs it.
    pub(super) fn follow_up(&mut self) {
        let due: BTreeSet<_> = self.state.due().cloned().collect();
        let waiting = self.state.waiting.values().flatten().filter(|record| due.contains(&record.place.account));
        let mut waiting: Vec<_> = waiting.cloned().collect();
        waiting.sort_by_key(|record| record.key().sk);
        for record in waiting {
            self.do_job(Task::Admit(record));
        }
        let places: BTreeSet<_> = self.state.actions().filter(|a| a.is_unfinished()).map(place_of).collect();
        for place in places {
            self.settle(&place);
            let mut target = place.clone();
            while let Some(now) = self.action(&target).and_then(|action| action.moved_to) {
                target = now;
            }
            let pendings = self.state.pendings.values().flatten().filter(|pending| pending.place == place);
            for pending in pendings.cloned().collect::<Vec<_>>() {
                self.do_job(Task::Release(pending, target.clone()));
            }
        }
    }

    fn do_job(&mut self, task: Task) -> Verdict {
        let job = Job { task, line: None };
        loop {
            match plan(&self.state, &self.context, &job) {
                Ok((verdict, mut changes)) => {
                    let at_once = changes.warnings.iter().filter(|warned| warned.doubted.is_none());
                    self.warnings.extend(at_once.map(|warned| warned.warning));
                    self.warned.append(&mut changes.warnings);
                    self.ignored += usize::from(changes.ignored.is_some());
                    if let Some(largest) = &mut self.largest {
                        largest.see(&changes);
                    }
                    self.state.apply(changes);
                    self.state.book(self.context.now).unwrap();
                    if self.largest.is_none() {
                        self.check();
                    }
                    return verdict;
                }
                Err(Blocked::Needs(needs)) => self.look_up(needs),
                Err(Blocked::Unsettled(place)) => self.settle(&place),
                Err(Blocked::Inconsistent(what)) => panic!("{what}"),
                Err(Blocked::Refused(reason)) => panic!("a refusal is a verdict: {reason:?}"),
            }
        }
    }

    fn look_up(&mut self, needs: Vec<Need>) {
        for need in needs {
            match &need {
                Need::Account(key) => {
                    let number = MemberNumber::parse(key.pk.strip_prefix("ACCOUNT#").unwrap()).unwrap();
                    if self.unknown.contains(&number) {
                        self.state.assume_absent(vec![need]);
                    } else {
                        self.state.assume_account(&number);
                    }
                }
                _ => self.state.assume_absent(vec![need]),
            }
        }
    }

    fn settle(&mut self, place: &ActionPlace) {
        let entries: Vec<Entry> = self.state.entries.values().cloned().collect();
        let Some(target) = self.action(place).filter(Action::is_moving) else { return };
        let from = target.coming_from.unwrap_or_else(|| place.clone());
        let of_action = |entry: &Entry| entry.action_id.as_ref() == Some(&from.action_id) && entry.reverses.is_none();
        for entry in entries.into_iter().filter(|entry| entry.member_number == from.account && of_action(entry)) {
            self.do_job(Task::Relocate(entry, place.clone()));
        }
        assert!(!self.action(place).unwrap().is_moving(), "the move came to its end");
    }

    pub(super) fn action(&self, place: &ActionPlace) -> Option<Action> {
        self.state.actions.get(&Action::key_of(&place.account, &place.action_id)).flatten().cloned()
    }

    pub(super) fn pendings(&self) -> Vec<Pending> {
        self.state.pendings.values().flatten().cloned().collect()
    }

    pub(super) fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.state.entries.values()
    }

    /// The count of an account's entries that members read without their texts.
    pub(super) fn withheld(&self, account: &str) -> usize {
        let of_account = |number: &MemberNumber| number.as_str() == account;
        let marks = self.state.misposted.values().filter(|mark| of_account(&mark.member_number));
        let misposted = MispostedRecords::of(marks.cloned());
        let entries = self.entries().filter(|entry| of_account(&entry.member_number));
        entries.filter(|entry| misposted.readable((*entry).clone()).is_withheld()).count()
    }

    /// The figures of an account's views.
    pub(super) fn figures(&self, account: &str) -> BTreeMap<i16, Figures> {
        let of_account = self.state.totals.values().filter(|totals| totals.member_number.as_str() == account);
        of_account.filter(|totals| totals.is_shown()).map(|t| (t.view.year(), figures(t))).collect()
    }

    /// What remains, is overpaid and was recovered in an account's view.
    pub(super) fn outcome(&self, account: &str, view: i16) -> [i64; 3] {
        let of_view = |totals: &&Totals| totals.member_number.as_str() == account && totals.view.year() == view;
        let sums = self.state.totals.values().find(of_view).map(|totals| totals.sums).unwrap_or_default();
        [sums.remaining, sums.overpaid, sums.recovered].map(|cents| cents.0)
    }

    /// What is paid in an account's view, to the company and to providers.
    pub(super) fn paid(&self, account: &str, view: i16) -> [i64; 2] {
        let of_view = |totals: &&Totals| totals.member_number.as_str() == account && totals.view.year() == view;
        let paid = self.state.totals.values().find(of_view).map_or(Paid::ZERO, |totals| totals.sums.paid);
        [paid.to_company.0, paid.to_providers.0]
    }

    /// All totals and facets that are not of nothing, without what tells when they came to be so.
    pub(super) fn stored(&self) -> (ByView<Totals>, ByView<Facets>) {
        let totals = self.state.totals.values().filter(|totals| totals.is_shown());
        let facets = self.state.facets.values().filter(|facets| facets.is_shown());
        (
            totals
                .map(|t| {
                    let bare = Totals { chain: Chain::default(), versions: 0, booked_at: None, ..t.clone() };
                    ((t.member_number.clone(), t.view), bare)
                })
                .collect(),
            facets
                .map(|f| ((f.member_number.clone(), f.view), Facets { booked: Booked::default(), ..f.clone() }))
                .collect(),
        )
    }

    /// The invariant: totals and facets are what the entries and the actions add up to.
    fn check(&self) {
        let mut sums = Sums::default();
        for entry in self.entries() {
            let action = entry.action_id.as_ref().map(|action_id| {
                let place = ActionPlace { account: entry.member_number.clone(), action_id: action_id.clone() };
                self.action(&place).expect("an entry has its action")
            });
            sums.add_entry(entry, action.as_ref());
        }
        for action in self.state.actions() {
            sums.add_action(action);
            let state = action.state.as_ref();
            let at = |home: Home| sums.homes.get(&(place_of(action), home)).cloned().unwrap_or_default();
            assert_eq!(state.map_or(ActionSums::default(), |state| at(state.home)), action.sums);
            if let Some(leaving) = &action.leaving {
                assert_eq!(at(leaving.home), leaving.sums);
            }
        }
        let (totals, facets) = sums.totals();
        let (stored_totals, mut stored_facets) = self.stored();
        stored_facets.retain(|_, facets| facets.is_shown());
        assert_eq!(stored_totals, totals);
        assert_eq!(stored_facets, facets);
        self.check_remittances();
        self.check_chains();
        self.check_marks();
        let mut waiting: BTreeMap<MemberNumber, u64> = BTreeMap::new();
        self.waiting().into_iter().for_each(|record| *waiting.entry(record.place.account).or_default() += 1);
        let awaited = self.state.awaited.values().filter(|awaited| awaited.records > 0);
        assert!(awaited.map(|awaited| (awaited.member_number.clone(), awaited.records)).eq(waiting), "each is counted");
        let actions: BTreeSet<_> = self.pendings().into_iter().map(|pending| pending.place).collect();
        let named = self.state.awaited_actions.values().flatten().map(|awaited| awaited.place.clone());
        assert_eq!(named.collect::<BTreeSet<_>>(), actions, "each action that is awaited has its item");
    }

    /// The versions of an action in an account, oldest first.
    pub(super) fn history(&self, account: &str, id: &str) -> Vec<&ActionVersion> {
        let of =
            |version: &&ActionVersion| version.member_number.as_str() == account && version.action_id.as_str() == id;
        let mut history: Vec<_> = self.state.versions.values().filter(of).collect();
        history.sort_by_key(|version| version.number);
        history
    }

    /// Each action has its versions, numbered without a gap; each replaced what the one before said, the last says what the
    /// action is, and the views that they were booked to have counted them.
    fn check_histories(&self) {
        let mut views: ByView<u64> = BTreeMap::new();
        for action in self.state.actions() {
            let history = self.history(action.member_number.as_str(), action.action_id.as_str());
            let (mut chain, mut state, mut last) = (Chain::default(), None, Timestamp::MIN);
            for version in &history {
                assert_eq!((version.number, &version.replaced), (chain.next(), &state), "{version:?}");
                assert!(last < version.booked_at, "{version:?}");
                chain.append(version.fingerprint().unwrap());
                (state, last) = (version.state.clone(), version.booked_at);
                for view in version.views() {
                    *views.entry((action.member_number.clone(), view)).or_default() += 1;
                }
            }
            let changed_at = history.last().map(|version| version.booked_at);
            assert_eq!((action.history, action.changed_at), (chain, changed_at));
            assert_eq!(action.state.clone().filter(|_| action.is_here()), state);
        }
        let counted = self.state.totals.values().filter(|totals| totals.versions > 0);
        let counted: ByView<u64> = counted.map(|t| ((t.member_number.clone(), t.view), t.versions)).collect();
        assert_eq!(counted, views);
    }

    /// The entries of each view are numbered without a gap, and its totals have the hash of them all in that order; of
    /// what is in force the guard has the hash.
    fn check_chains(&self) {
        let mut views: ByView<Vec<&Entry>> = BTreeMap::new();
        for entry in self.entries() {
            views.entry((entry.member_number.clone(), entry.view)).or_default().push(entry);
        }
        for ((account, view), mut entries) in views {
            entries.sort_by_key(|entry| entry.posting);
            let (mut chain, mut last) = (Chain::default(), Timestamp::MIN);
            for entry in entries {
                assert_eq!(entry.posting, chain.next());
                chain.append(entry.fingerprint().unwrap());
                assert!(last <= entry.booked_at, "in the order of the numbers");
                last = entry.booked_at;
            }
            let totals = self.state.totals.get(&Totals::key_of(&account, view)).flatten().expect("totals");
            assert_eq!(totals.chain, chain);
            assert!(totals.booked_at >= Some(last), "an action may have come since");
            let facets = self.state.facets.get(&Facets::key_of(&account, view)).flatten().expect("facets");
            assert_eq!(facets.booked, totals.booked());
        }
        self.check_histories();
        for guard in self.state.guards.values() {
            let known = match &guard.subject {
                Subject::Entry { posted: Some(place), .. } => {
                    let entry = self.entries().find(|entry| entry.place() == *place).expect("what is in force");
                    Some(entry.fingerprint().unwrap())
                }
                Subject::Action(place) => {
                    let state = self.action(place).and_then(|action| action.state).expect("a state");
                    Some(state.fingerprint().unwrap())
                }
                Subject::Entry { posted: None, .. } | Subject::Nothing | Subject::Withdrawn(_) => None,
            };
            assert_eq!(guard.in_force, known);
            let kept = match &guard.subject {
                Subject::Entry { pending: Some(place), .. } => {
                    let key = Pending::key_of(place, &guard.source, &guard.source_key);
                    let pending = self.state.pendings.get(&key).and_then(Option::as_ref).expect("what is kept");
                    Some(pending.fingerprint().unwrap())
                }
                _ => None,
            };
            assert_eq!(guard.kept, kept);
            let waits = guard.waits.as_ref();
            let awaited = waits.map(|waits| {
                let key = WaitingRecord::key_of(&waits.place, &guard.source, &guard.source_key);
                self.state.waiting.get(&key).and_then(Option::as_ref).expect("what waits").fingerprint().unwrap()
            });
            assert_eq!(waits.and_then(|waits| waits.kept), awaited);
        }
    }

    /// An account that has entries of a record has a mark of it, but for the account that the record is in now, or was
    /// withdrawn from.
    fn check_marks(&self) {
        let marks: Vec<_> = self.state.misposted.values().filter(|mark| !mark.is_back).collect();
        for guard in self.state.guards.values() {
            let now = match &guard.subject {
                Subject::Entry { posted: Some(place), .. } => Some(&place.account),
                _ => guard.withdrawn_from.as_ref(),
            };
            let of_record = |entry: &&Entry| entry.source == guard.source && entry.source_key == guard.source_key;
            let had = self.entries().filter(of_record).map(|entry| &entry.member_number);
            let left: BTreeSet<_> = had.filter(|account| Some(*account) != now).collect();
            let record = Some((guard.source.clone(), guard.source_key.clone()));
            let marked = marks.iter().filter(|mark| mark.record == record).map(|mark| &mark.member_number);
            assert_eq!(marked.collect::<BTreeSet<_>>(), left, "{record:?}");
        }
        for mark in &marks {
            assert!(marks.iter().any(|any| any.member_number == mark.member_number && any.record.is_none()));
        }
    }

    /// Each transfer is what the entries that carry its number add up to: what was sent and what came back, by side.
    fn check_remittances(&self) {
        type ByTransfer = BTreeMap<(MemberNumber, Identifier, RemittanceNumber), BTreeMap<View, (Moved, i64)>>;
        let mut sums = ByTransfer::new();
        for entry in self.entries() {
            let Some(number) = &entry.facts.remittance else { continue };
            // What moves nothing that is paid is no line of a transfer, whatever number it carries.
            let paid = entry.effect().paid;
            if paid == Paid::ZERO {
                continue;
            }
            let views = sums.entry((entry.member_number.clone(), entry.source.clone(), number.clone())).or_default();
            let (moved, in_force) = views.entry(entry.view).or_default();
            match entry.reverses.map_or(entry.facts.kind, |reversed| reversed.kind) {
                EntryKind::PaymentReturned | EntryKind::Recovery => moved.returned += -paid,
                _ => moved.sent += paid,
            }
            *in_force += if entry.reverses.is_some() { -1 } else { 1 };
        }
        let stored = self.state.remittances.values().map(|remittance| {
            let views = remittance.views.iter();
            let views = views.map(|(view, share)| (*view, (share.moved, i64::from(share.entries)))).collect();
            let key = (remittance.member_number.clone(), remittance.source.clone(), remittance.number.clone());
            (key, views)
        });
        assert_eq!(stored.collect::<BTreeMap<_, BTreeMap<_, _>>>(), sums);
    }
}

/// What entries and actions add up to, told without the posting rule.
#[derive(Default)]
pub(super) struct Sums {
    totals: ByView<Totals>,
    facets: ByView<Facets>,
    homes: BTreeMap<(ActionPlace, Home), ActionSums>,
    /// The sum in progress of each invoice.
    invoices: BTreeMap<(ActionPlace, Home), BTreeMap<String, i64>>,
    statuses: BTreeMap<ActionPlace, ActionStatus>,
}

impl Sums {
    fn view(&mut self, account: &MemberNumber, view: View) -> (&mut Totals, &mut Facets) {
        let key = (account.clone(), view);
        let totals = self.totals.entry(key.clone()).or_insert_with(|| Totals::empty(account.clone(), view));
        (totals, self.facets.entry(key).or_insert_with(|| Facets::empty(account.clone(), view)))
    }

    pub(super) fn add_entry(&mut self, entry: &Entry, action: Option<&Action>) {
        let effect = entry.effect();
        let (totals, facets) = self.view(&entry.member_number, entry.view);
        let count = |number: &mut u32| {
            if entry.reverses.is_some() { *number = number.wrapping_sub(1) } else { *number = number.wrapping_add(1) }
        };
        totals.add_to_month(Month::of(entry.facts.date), effect);
        let Some(action) = action else {
            count(&mut totals.contributions);
            totals.contributed += effect.contributed;
            facets.contributions = totals.contributions > 0;
            facets.contributed = totals.contributed;
            return;
        };
        count(&mut totals.entries);
        let home = Home { view: entry.view, scheme: entry.scheme.expect("an action's entry has a scheme") };
        let sums = self.homes.entry((place_of(action), home)).or_default();
        *sums = std::mem::take(sums).after(effect, entry.facts.invoice.as_ref());
        if let Some(invoice) = &entry.facts.invoice {
            let of_home = self.invoices.entry((place_of(action), home)).or_default();
            *of_home.entry(invoice.to_string()).or_default() += effect.in_progress.0;
        }
    }

    pub(super) fn add_action(&mut self, action: &Action) {
        let Some(state) = &action.state else { return };
        self.statuses.insert(place_of(action), state.status);
        if action.is_here() {
            let (totals, facets) = self.view(&action.member_number, state.home.view);
            totals.actions += 1;
            facets.add(state.home.scheme, state.status, 1, Measures::default());
        }
    }

    pub(super) fn totals(mut self) -> (ByView<Totals>, ByView<Facets>) {
        for ((place, home), sums) in std::mem::take(&mut self.homes) {
            let Some(status) = self.statuses.get(&place).copied() else {
                assert_eq!(sums, ActionSums::default(), "nothing of a withdrawn action is in force");
                continue;
            };
            let of_home = self.invoices.remove(&(place.clone(), home)).unwrap_or_default();
            let shown = shown(&sums, of_home.into_values().collect(), status);
            let (totals, facets) = self.view(&place.account, home.view);
            totals.add(home.scheme, shown);
            facets.add(home.scheme, status, 0, shown);
        }
        self.totals.retain(|_, totals| totals.is_shown());
        self.facets.retain(|_, facets| facets.is_shown());
        (self.totals, self.facets)
    }
}

/// What an action shows, told once more: whatever is paid of a promise is paid, also where some of it came back to the
/// fund as a recovery, and an action that is settled has nothing left to pay.
fn shown(sums: &ActionSums, invoices: Vec<i64>, status: ActionStatus) -> Measures {
    let [committed, paid, recovered] = [sums.committed, sums.paid.total(), sums.recovered].map(|cents| cents.0.max(0));
    let gross = (sums.paid.total() + sums.recovered).0.max(0);
    let open = in_progress(sums.in_progress.0, &invoices);
    let settled = ["CLOSED", "REFUSED", "CANCELLED"].contains(&status.as_str());
    let or_nothing = |is: bool, cents: i64| Cents(if is { cents } else { 0 });
    assert_eq!(recovered, sums.recovered.0, "what was taken back is never below nothing");
    Measures {
        committed: sums.committed,
        paid: sums.paid,
        in_progress: or_nothing(open > 0, open),
        remaining: or_nothing(!settled && committed > gross, committed - gross),
        overpaid: or_nothing(paid > committed, paid - committed),
        recovered: sums.recovered,
    }
}

/// The sum in progress, told once more: payments without a number are put to the invoices one by one, and what is left of payments
/// with one to what was invoiced without.
fn in_progress(whole: i64, invoices: &[i64]) -> i64 {
    let mut open: Vec<i64> = invoices.iter().copied().filter(|sum| *sum > 0).collect();
    let mut left_over: i64 = invoices.iter().copied().filter(|sum| *sum < 0).map(|sum| -sum).sum();
    let mut unnumbered = whole - invoices.iter().sum::<i64>();
    for invoice in &mut open {
        while unnumbered < 0 && *invoice > 0 {
            let paid = (*invoice).min(-unnumbered);
            (*invoice, unnumbered) = (*invoice - paid, unnumbered + paid);
        }
    }
    while unnumbered > 0 && left_over > 0 {
        let paid = unnumbered.min(left_over);
        (unnumbered, left_over) = (unnumbered - paid, left_over - paid);
    }
    open.iter().sum::<i64>() + unnumbered.max(0)
}

pub(super) fn place_of(action: &Action) -> ActionPlace {
    ActionPlace { account: action.member_number.clone(), action_id: action.action_id.clone() }
}

pub(super) fn figures(totals: &Totals) -> Figures {
    let sums = totals.sums;
    [sums.committed.0, sums.paid.total().0, sums.in_progress.0, totals.contributed.0]
}

pub(super) fn facet(ledger: &Ledger, view: &str, scheme: Scheme, status: ActionStatus) -> Option<Facet> {
    let facets = ledger.state.facets.values().find(|facets| facets.view.to_string() == view)?;
    facets.sums.get(&(scheme, status)).copied()
}
