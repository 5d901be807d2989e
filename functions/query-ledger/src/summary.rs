//! `GET /api/accounts/{number}/summary`.

use futures::future::join;
use jiff::civil::Date;
use portal::domain::{Cents, Scheme, View, ViewRule, fund_day};
use portal::http::{Answer, Call, Problem};
use portal::security::Visit;
use portal::store::{Account, Booked, Measures, Totals};
use rand::CryptoRng;
use serde::Serialize;

use crate::Function;
use crate::figures::{ActionFigures, PaidBody, TotalsBody};
use crate::state::StateBody;

#[derive(Serialize)]
struct SummaryBody {
    #[serde(flatten)]
    state: StateBody,
    views: Vec<ViewBody>,
    totals: TotalsBody,
    /// Years that had something, all of which was reversed or moved: the ledger still has its entries.
    emptied_views: Vec<View>,
}

#[derive(Serialize)]
struct ViewBody {
    view: View,
    /// The state of the view alone.
    #[serde(flatten)]
    state: StateBody,
    #[serde(skip_serializing_if = "Option::is_none")]
    from: Option<Date>,
    to: Date,
    totals: TotalsBody,
    by_scheme: Vec<SchemeBody>,
    by_month: Vec<MonthBody>,
}

#[derive(Serialize)]
struct SchemeBody {
    scheme: Scheme,
    #[serde(flatten)]
    figures: ActionFigures,
}

#[derive(Serialize)]
struct MonthBody {
    month: String,
    committed: Cents,
    #[serde(flatten)]
    paid: PaidBody,
    contributed: Cents,
}

impl Function {
    pub(crate) async fn summary(&self, call: &Call, rng: &mut impl CryptoRng) -> Result<Answer, Problem> {
        let (visit, batch) = self.gate.visit(call).await?;
        let totals = Totals::all(&visit.number);
        let (fetched, totals) = join(self.store.fetch(batch), self.store.query_all::<Totals>(&totals)).await;
        let account = visit.enter(&self.store, &mut fetched?, call, rng).await?.activated()?.account;
        let today = fund_day(call.now);
        let totals = self.of_one_state(&visit, totals?).await?;
        let state = StateBody::new(Booked::of_all(totals.iter().map(Totals::booked)), &account);
        let (shown, emptied): (Vec<_>, Vec<_>) = totals.into_iter().partition(Totals::is_shown);
        // Of what an action without entries left nothing can be found.
        let emptied = emptied.into_iter().filter(|totals| totals.chain.postings > 0);
        let emptied_views = emptied.map(|totals| totals.view).collect();
        let of_actions: Measures = shown.iter().map(|totals| totals.sums).sum();
        let all = TotalsBody::new(of_actions, shown.iter().map(|totals| totals.contributed).sum());
        let views = shown.into_iter().map(|totals| view(totals, &account, self.rule, today)).collect();
        Answer::ok(&SummaryBody { state, views, totals: all, emptied_views })
    }

    /// The totals of all views at one moment: as they were read, or read again.
    async fn of_one_state(&self, visit: &Visit, mut totals: Vec<Totals>) -> Result<Vec<Totals>, Problem> {
        for _ in 1..Totals::MOST_READS {
            if Totals::are_of_one_state(&totals) {
                break;
            }
            totals = self.store.query_all::<Totals>(&Totals::all(&visit.number)).await?;
        }
        if Totals::are_of_one_state(&totals) {
            return Ok(totals);
        }
        Err(Problem::TryAgain { context: Totals::OVERTAKEN.to_owned() })
    }
}

fn view(totals: Totals, account: &Account, rule: ViewRule, today: Date) -> ViewBody {
    let scheme = |(scheme, sums): (Scheme, Measures)| SchemeBody { scheme, figures: sums.into() };
    let month = |(month, sums): (portal::store::Month, portal::store::MonthSums)| MonthBody {
        month: month.to_string(),
        committed: sums.committed,
        paid: sums.paid.into(),
        contributed: sums.contributed,
    };
    ViewBody {
        view: totals.view,
        state: StateBody::new(totals.booked(), account),
        from: totals.view.first_day(rule),
        to: totals.view.last_day(today),
        totals: TotalsBody::new(totals.sums, totals.contributed),
        by_scheme: totals.schemes.into_iter().map(scheme).collect(),
        by_month: totals.months.into_iter().map(month).collect(),
    }
}
