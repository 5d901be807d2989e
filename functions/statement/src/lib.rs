//! `statement`: a member account's year as a PDF to file or to mail.
//!
//! All is read in one wait: who is calling, whether they may, the view's totals and the lists. Where no view is named
//! the lists are this year's, and are read again where the account's latest view is another. A list of more than a
//! megabyte takes further pages, once it is known that the caller may have them. What is posted meanwhile may be in a
//! list and not in the totals: so the lists have to add up to them, or all is read anew.

mod content;

use std::collections::BTreeMap;

use futures::future::{join, join3, try_join, try_join3};
use portal::domain::{View, ViewRule, fund_day};
use portal::environment::{Environment, StartError, rng};
use portal::http::{Answer, Call, FileContent, Form, Problem};
use portal::invocation;
use portal::lambda::HttpFunction;
use portal::security::{AccountDoor, Gate, Visit};
use portal::store::{
    Account, Batch, Entry, ListedAction, ListedRemittance, Misposted, MispostedRecords, Page, Query, Record, Store,
    StoreError, Table, Totals,
};
use rand::CryptoRng;
use statement_pdf::{MOST_ROWS, RenderError, Rendered, Statement, render};

use content::Read;

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
        Ok(Self { gate: Gate::start(environment, &store).await?, store, rule: environment.view_rule()? })
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
        let asked = match asked(call.query()) {
            Ok(asked) => asked,
            Err(problem) => return Err(visit.refuse(&self.store, batch, problem, call.now).await),
        };
        let (door, totals, mark, lists) = match asked {
            Some(view) => self.of_view(&visit, batch, view, call, rng).await?,
            None => self.of_latest(&visit, batch, call, rng).await?,
        };
        let today = fund_day(call.now);
        // What no action can have been engaged in, and nothing was contributed for, has no statement.
        let begun = totals.view == self.rule.of_year(totals.view.year()) && totals.view.year() <= today.year();
        if !totals.is_shown() && !begun {
            return Err(Problem::NotFound);
        }
        let view = totals.view;
        let misposted = self.store.misposted_where(&visit.number, mark).await?;
        let read = self.read(&visit, door.account, totals, &misposted, lists).await?;
        let statement = read.into_statement(self.rule, today, call.now);
        let pdf = draw(statement).await?;
        let name = format!("releve-{}-{view}.pdf", visit.number);
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
    ) -> Result<Read, Problem> {
        let view = totals.view;
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
            let (mut fetched, listed) = try_join(self.store.fetch(batch), self.lists(visit, view)).await?;
            totals = fetched.take(&again)?.unwrap_or_else(|| Totals::empty(visit.number.clone(), view));
            lists = listed;
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

/// The view that a query names.
fn asked(mut form: Form) -> Result<Option<View>, Problem> {
    let view = form.optional("view", View::read);
    form.finish((view,)).map(|(view,)| view)
}
