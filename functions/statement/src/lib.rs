//! `statement`: a member account's year as a PDF to file or to mail.
//!
//! All is read in one wait: who is calling, whether they may, the view's totals and the lists. Where no view is named
//! the lists are this year's, and are read again where the account's latest view is another. A list of more than a
//! megabyte takes further pages, once it is known that the caller may have them. What is posted meanwhile may be in a
//! list and not in the totals: so the lists have to add up to them, or all is read anew. Where the ledger was posted to a
//! moment ago, lists are read behind the totals, whose state the statement names.

mod content;
mod earlier;

use std::collections::BTreeMap;

use futures::future::{join, join3, try_join, try_join3};
use jiff::Timestamp;
use jiff::civil::Date;
use ledger_lists::StatementFilter;
use portal::domain::{Refusal, View, ViewRule, fund_day};
use portal::environment::{Environment, StartError, rng};
use portal::http::{Answer, Call, FileContent, Form, Problem, before_the_first_booking};
use portal::invocation;
use portal::lambda::HttpFunction;
use portal::security::{AccountDoor, FileLinks, Gate, Visit};
use portal::store::{
    Account, ActionVersion, Batch, Entry, ListedAction, ListedRemittance, Misposted, MispostedRecords, Page, Query,
    Record, Store, StoreError, Table, Totals,
};
use rand::CryptoRng;
use statement_pdf::{MOST_ROWS, RenderError, Rendered, Statement, render};

use content::Read;

/// The most entries, and the most versions of actions, that are read for an earlier state.
const MOST_READ: usize = 25_000;

/// How many different characters that the font lacks a log line names.
const MOST_TOLD: usize = 10;

/// The function.
#[derive(Clone)]
pub struct Function {
    store: Store,
    gate: Gate,
    rule: ViewRule,
}

impl HttpFunction for Function {
    const NAME: &'static str = "statement";

    async fn start(environment: &Environment) -> Result<Self, StartError> {
        let store = Store::connect(environment, &[Table::Identity, Table::Members, Table::Ledger, Table::Evidence])?;
        // Side by side: a cold start waits once.
        let (gate, links) = try_join(Gate::start(environment, &store), FileLinks::load(environment)).await?;
        Ok(Self { gate: gate.with_links(links), store, rule: environment.view_rule()? })
    }

    async fn answer(&self, call: &Call) -> Result<Answer, Problem> {
        match call.route.as_str() {
            "GET /api/accounts/{number}/statement.pdf" => self.statement(call, &mut rng()).await,
            _ => Err(Problem::NotFound),
        }
    }
}

/// The lists of a view, and where each goes on.
struct Lists {
    actions: (Query, Page<ListedAction>),
    contributions: (Query, Page<Entry>),
    remittances: (Query, Page<ListedRemittance>),
}

impl Function {
    async fn statement(&self, call: &Call, rng: &mut impl CryptoRng) -> Result<Answer, Problem> {
        let (visit, batch) = self.gate.visit(call).await?;
        let asked = match asked(call.query(), call.now) {
            Ok(asked) => asked,
            Err(problem) => return Err(visit.refuse(&self.store, batch, problem, call.now).await),
        };
        if let Some(at) = asked.at {
            return self.earlier(&visit, batch, asked.view, at, call, rng).await;
        }
        let (door, totals, mark, lists) = match asked.view {
            Some(view) => self.of_view(&visit, batch, view, call, rng).await?,
            None => self.of_latest(&visit, batch, call, rng).await?,
        };
        // What no action can have been engaged in, and nothing was contributed for, has no statement.
        let today = fund_day(call.now);
        if !totals.is_shown() && !self.has_begun(totals.view, today) {
            return Err(Problem::NotFound);
        }
        let misposted = self.store.misposted_where(&visit.number, mark).await?;
        let read = self.read(&visit, door.account, totals, &misposted, lists, call.now).await?;
        self.drawn(read, today).await
    }

    /// The statement of an earlier state, of all that was booked by then.
    async fn earlier(
        &self,
        visit: &Visit,
        mut batch: Batch,
        view: Option<View>,
        at: Timestamp,
        call: &Call,
        rng: &mut impl CryptoRng,
    ) -> Result<Answer, Problem> {
        let (entries, versions) = (Entry::in_order(&visit.number, None), ActionVersion::all(&visit.number));
        let first = try_join(self.store.query::<Entry>(&entries), self.store.query::<ActionVersion>(&versions));
        let mark = batch.want::<Misposted>(Misposted::key_of_any(&visit.number));
        let (fetched, first) = join(self.store.fetch(batch), first).await;
        let mut fetched = fetched?;
        let account = visit.enter(&self.store, &mut fetched, call, rng).await?.activated()?.account;
        let misposted = self.store.misposted_where(&visit.number, fetched.take(&mark)?).await?;
        let today = fund_day(at);
        let (mut of_entries, mut of_versions) = first?;
        for _ in 0..Totals::MOST_READS {
            let all_entries = self.store.query_rest(entries.clone(), of_entries, MOST_READ).await?;
            let all_versions = self.store.query_rest(versions.clone(), of_versions, MOST_READ).await?;
            let (all_entries, all_versions) = all_entries.zip(all_versions).ok_or(Problem::StatementTooLarge)?;
            let booked = earlier::Booked::by(at, all_entries, all_versions);
            if booked.is_empty() {
                return Err(before_the_first_booking("as_of"));
            }
            let view = view.unwrap_or_else(|| self.rule.default_of(booked.views(), at));
            if !booked.views().contains(&view) && !self.has_begun(view, today) {
                return Err(Problem::NotFound);
            }
            if booked.is_whole(view) {
                let read = booked.into_read(account, view, &misposted);
                // An action is moved to another year in several transactions.
                return if read.adds_up() { self.drawn(read, today).await } else { Err(within_a_move()) };
            }
            (of_entries, of_versions) = try_join(self.store.query(&entries), self.store.query(&versions)).await?;
        }
        Err(Problem::TryAgain { context: Totals::OVERTAKEN.to_owned() })
    }

    /// Tells whether an action may have been engaged in a view by this day.
    fn has_begun(&self, view: View, today: Date) -> bool {
        view == self.rule.of_year(view.year()) && view.year() <= today.year()
    }

    async fn drawn(&self, read: Read, today: Date) -> Result<Answer, Problem> {
        let name = format!("releve-{}-{}.pdf", read.account.member_number, read.totals.view);
        let pdf = draw(read.into_statement(self.rule, today)).await?;
        Answer::file(&name, "application/pdf", FileContent::Bytes(pdf)).map_err(|problem| match problem {
            Problem::ExportTooLarge => Problem::StatementTooLarge,
            other => other,
        })
    }

    /// All of one state of the ledger: lists that add up to the totals.
    async fn read(
        &self,
        visit: &Visit,
        account: Account,
        mut totals: Totals,
        misposted: &MispostedRecords,
        mut lists: Lists,
        now: Timestamp,
    ) -> Result<Read, Problem> {
        let view = totals.view;
        if !totals.booked().was_before(now) {
            lists = self.lists(visit, view).await?;
        }
        for _ in 0..Totals::MOST_READS {
            let (actions, contributions, remittances) =
                try_join3(self.whole(lists.actions), self.whole(lists.contributions), self.whole(lists.remittances))
                    .await?;
            let contributions = contributions.into_iter().map(|entry| misposted.readable(entry)).collect();
            let read = Read { account: account.clone(), totals, actions, contributions, remittances };
            if read.adds_up() {
                return Ok(read);
            }
            let mut batch = Batch::new();
            let again = batch.want::<Totals>(Totals::key_of(&visit.number, view));
            // One after the other: the state that totals name is in lists that are read behind them.
            totals = self
                .store
                .fetch(batch)
                .await?
                .take(&again)?
                .unwrap_or_else(|| Totals::empty(visit.number.clone(), view));
            lists = self.lists(visit, view).await?;
        }
        Err(Problem::TryAgain { context: Totals::OVERTAKEN.to_owned() })
    }

    /// All in one wait.
    async fn of_view(
        &self,
        visit: &Visit,
        mut batch: Batch,
        view: View,
        call: &Call,
        rng: &mut impl CryptoRng,
    ) -> Result<(AccountDoor, Totals, Option<Misposted>, Lists), Problem> {
        let totals = batch.want::<Totals>(Totals::key_of(&visit.number, view));
        let mark = batch.want::<Misposted>(Misposted::key_of_any(&visit.number));
        let (fetched, lists) = join(self.store.fetch(batch), self.lists(visit, view)).await;
        let mut fetched = fetched?;
        let door = visit.enter(&self.store, &mut fetched, call, rng).await?.activated()?;
        let totals = fetched.take(&totals)?.unwrap_or_else(|| Totals::empty(visit.number.clone(), view));
        Ok((door, totals, fetched.take(&mark)?, lists?))
    }

    /// The view that is meant where none is named.
    async fn of_latest(
        &self,
        visit: &Visit,
        mut batch: Batch,
        call: &Call,
        rng: &mut impl CryptoRng,
    ) -> Result<(AccountDoor, Totals, Option<Misposted>, Lists), Problem> {
        let mark = batch.want::<Misposted>(Misposted::key_of_any(&visit.number));
        let all = Totals::all(&visit.number);
        let this_year = self.rule.of_today(call.now);
        let lists = self.lists(visit, this_year);
        let (fetched, all, lists) = join3(self.store.fetch(batch), self.store.query_all::<Totals>(&all), lists).await;
        let mut fetched = fetched?;
        let door = visit.enter(&self.store, &mut fetched, call, rng).await?.activated()?;
        let all = all?;
        let shown = all.iter().filter(|totals| totals.is_shown()).map(|totals| totals.view);
        let view = self.rule.default_of(shown, call.now);
        let meant = all.into_iter().find(|totals| totals.view == view);
        let totals = meant.unwrap_or_else(|| Totals::empty(visit.number.clone(), view));
        let lists = if totals.view == this_year { lists? } else { self.lists(visit, totals.view).await? };
        Ok((door, totals, fetched.take(&mark)?, lists))
    }

    /// The first page of each list, beside each other.
    async fn lists(&self, visit: &Visit, view: View) -> Result<Lists, StoreError> {
        let number = &visit.number;
        // One more than a statement has: enough to know that there is none.
        let most = i32::try_from(MOST_ROWS + 1).unwrap_or(i32::MAX);
        let actions = ListedAction::list(number, view, None, None).limit(most);
        let contributions = Entry::contributions(number, view).limit(most);
        let remittances = ListedRemittance::list(number, Some(view), None, None).limit(most);
        let (of_actions, of_contributions, of_remittances) =
            try_join3(self.store.query(&actions), self.store.query(&contributions), self.store.query(&remittances))
                .await?;
        Ok(Lists {
            actions: (actions, of_actions),
            contributions: (contributions, of_contributions),
            remittances: (remittances, of_remittances),
        })
    }

    /// The whole list, oldest first, of which the first page is here.
    async fn whole<R: Record>(&self, (list, first): (Query, Page<R>)) -> Result<Vec<R>, Problem> {
        let rest = self.store.query_rest(list, first, MOST_ROWS).await?;
        let mut items = rest.ok_or(Problem::StatementTooLarge)?;
        items.reverse();
        Ok(items)
    }
}

/// Draws the statement where nobody else has to wait for it: a long one takes as long as hashing some passwords.
async fn draw(statement: Statement) -> Result<Vec<u8>, Problem> {
    let drawn = tokio::task::spawn_blocking(move || render(&statement)).await;
    match drawn.map_err(|error| Problem::internal("a statement was not drawn to its end", &error))? {
        Ok(Rendered { pdf, unshown }) => {
            if !unshown.is_empty() {
                invocation::warn(lacking(&unshown));
            }
            Ok(pdf)
        }
        Err(RenderError::TooLong(_)) => Err(Problem::StatementTooLarge),
        Err(error) => Err(Problem::internal("a statement was not drawn", &error)),
    }
}

/// How many characters of a statement its font lacks, and the first of them, for whoever keeps the font.
fn lacking(unshown: &BTreeMap<char, usize>) -> String {
    let first = unshown.keys().take(MOST_TOLD).map(|character| format!("U+{:04X}", u32::from(*character)));
    let first: Vec<String> = first.collect();
    let number: usize = unshown.values().sum();
    format!("the statement's font lacks {number} characters of its texts, among them {}", first.join(", "))
}

fn asked(mut form: Form, now: Timestamp) -> Result<StatementFilter, Problem> {
    let filter = StatementFilter::read(&mut form, now);
    form.finish((filter,)).map(|(filter,)| filter)
}

fn within_a_move() -> Problem {
    let refusal = Refusal::new(
        "within-a-move",
        "À cet instant, des écritures passaient d’un exercice à un autre : donnez un instant un peu plus tardif.",
        "At this instant entries were being moved from one year to another: give one that is a little later.",
    );
    Problem::field("as_of", refusal)
}
