//! From what the ledger says to what the statement shows.

use jiff::civil::Date;
use portal::domain::{Cents, ViewRule};
use portal::store::{Account, ListedAction, ListedRemittance, Measures, ReadableEntry, Totals};
use statement_pdf::{Action, Contribution, Month, Remittance, Statement};

/// What was read of a view; lists with the oldest first.
pub(crate) struct Read {
    pub(crate) account: Account,
    pub(crate) totals: Totals,
    pub(crate) actions: Vec<ListedAction>,
    pub(crate) contributions: Vec<ReadableEntry>,
    pub(crate) remittances: Vec<ListedRemittance>,
}

impl Read {
    /// Whether the lists come to the totals. They do not where the ledger was posted to while they were read, or an
    /// action is on its way from one view to another.
    pub(crate) fn adds_up(&self) -> bool {
        let listed: Measures = self.actions.iter().map(ListedAction::measures).sum();
        let contributed: Cents = self.contributions.iter().map(|entry| entry.effect().contributed).sum();
        (listed, contributed) == (self.totals.sums, self.totals.contributed)
    }

    /// The statement: the figures that the summary and the lists of the API show.
    pub(crate) fn into_statement(self, rule: ViewRule, today: Date) -> Statement {
        let Self { account, totals, actions, contributions, remittances } = self;
        let booked = totals.booked();
        Statement {
            member_number: account.member_number,
            siret: account.siret,
            establishment: account.name,
            view: totals.view,
            from: totals.view.first_day(rule),
            to: totals.view.last_day(today),
            as_of: booked.at.unwrap_or(account.booked_at),
            postings: booked.postings,
            totals: totals.sums,
            contributed: totals.contributed,
            schemes: totals.schemes.into_iter().collect(),
            months: totals
                .months
                .into_iter()
                .map(|(month, s)| Month {
                    first_day: month.first_day(),
                    committed: s.committed,
                    paid: s.paid,
                    contributed: s.contributed,
                })
                .collect(),
            actions: actions.into_iter().map(action).collect(),
            contributions: contributions.into_iter().map(contribution).collect(),
            remittances: remittances.into_iter().map(remittance).collect(),
        }
    }
}

fn action(action: ListedAction) -> Action {
    Action {
        measures: action.measures(),
        id: action.action_id.to_string(),
        title: action.title,
        scheme: action.home.scheme,
        status: action.status,
        engaged: action.engagement_date,
    }
}

fn contribution(entry: ReadableEntry) -> Contribution {
    let (amount, entry) = (entry.effect().contributed, entry.into_entry());
    Contribution { date: entry.facts.date, kind: entry.facts.kind, label: entry.facts.label, amount }
}

fn remittance(remittance: ListedRemittance) -> Remittance {
    Remittance {
        number: remittance.number.to_string(),
        date: remittance.date,
        bank_reference: remittance.bank_reference,
        sent: remittance.moved.sent,
        returned: remittance.moved.returned,
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use jiff::civil::date;
    use portal::domain::{
        ActionStatus, EntryKind, FUND_ZONE, Id, Identifier, MemberNumber, Paid, Payee, Scheme, Siret, View, fund_day,
    };
    use portal::store::{ActionSums, Entry, EntryFacts, Home, MispostedRecords, Reversed};

    use super::*;

    fn identifier(text: &str) -> Identifier {
        Identifier::parse(text).unwrap()
    }

    fn number() -> MemberNumber {
        MemberNumber::parse("012345").unwrap()
    }

    fn siret() -> Siret {
        Siret::parse("53384615000019").unwrap()
    }

    fn account() -> Account {
        Account {
            member_number: number(),
            siret: siret(),
            name: "MARTIN BTP".to_owned(),
            headcount_band: None,
            contact_email: None,
            opened_on: date(1999, 1, 1),
            closed_on: None,
            version: 1,
            content_hash: String::new(),
            booked_at: jiff::Timestamp::UNIX_EPOCH,
            active: true,
            sirets_before: Vec::new(),
            parked: None,
        }
    }

    /// A contribution that was wrong, as its reversal takes it back.
    fn reversal(year: View) -> ReadableEntry {
        MispostedRecords::of([]).readable(Entry {
            entry_id: Id::from_bytes([2; 16]),
            member_number: number(),
            siret: siret(),
            action_id: None,
            view: year,
            posting: 1,
            scheme: None,
            facts: EntryFacts {
                kind: EntryKind::Reversal,
                cost_kind: None,
                payee: None,
                amount: Cents(-31_000),
                date: date(2012, 2, 28),
                year: Some(2011),
                remittance: None,
                bank: None,
                invoice: None,
                label: "Contribution légale 2011".to_owned(),
            },
            booked_at: Timestamp::UNIX_EPOCH,
            source: identifier("erp"),
            source_key: identifier("C-1"),
            source_version: 2,
            batch_id: identifier("b"),
            reverses: Some(Reversed { entry_id: Id::from_bytes([1; 16]), kind: EntryKind::ContributionLegal }),
            came_back_from: None,
            title: None,
        })
    }

    /// An action that was paid before its invoice came: its sum is below zero, which no list shows.
    fn paid_ahead(view: View) -> ListedAction {
        ListedAction {
            member_number: number(),
            action_id: identifier("2011-9001"),
            title: "CACES R482".to_owned(),
            home: Home { view, scheme: Scheme::Plan },
            status: ActionStatus::PartlyPaid,
            engagement_date: date(2011, 12, 31),
            sums: ActionSums {
                committed: Cents(180_000),
                paid: Paid::to(Payee::Company, Cents(90_000)),
                in_progress: Cents(-4),
                recovered: Cents(7),
                ..ActionSums::default()
            },
            in_progress_beside: Cents::ZERO,
        }
    }

    #[test]
    fn a_statement_shows_what_the_lists_of_the_api_show() {
        let view = View::parse("2011").unwrap();
        let rule = ViewRule::starting(view);
        let mut totals = Totals::empty(number(), view);
        let paid = Paid::to(Payee::Company, Cents(90_000));
        let whole = Measures {
            committed: Cents(180_000),
            paid,
            in_progress: Cents(60_000),
            remaining: Cents(89_993),
            overpaid: Cents::ZERO,
            recovered: Cents(7),
        };
        totals.add(Scheme::Plan, whole);
        let now: Timestamp = "2012-10-15T09:05:00Z".parse().unwrap();
        let (actions, contributions) = (vec![paid_ahead(view)], vec![reversal(view)]);
        let read = Read { account: account(), totals, actions, contributions, remittances: Vec::new() };
        assert!(
            !read.adds_up(),
            "of 600 euros in progress nothing is listed, and of the contribution nothing is totalled"
        );
        let read = Read { totals: Totals { booked_at: Some(now), ..read.totals }, ..read };
        let statement = read.into_statement(rule, fund_day("2013-01-01T00:00:00Z".parse().unwrap()));

        assert_eq!((statement.from, statement.to), (None, date(2011, 12, 31)));
        assert_eq!((statement.totals, &statement.schemes[..]), (whole, &[(Scheme::Plan, whole)][..]));
        assert_eq!(statement.actions[0].measures, Measures { in_progress: Cents::ZERO, ..whole });
        assert_eq!(
            (statement.contributions[0].kind, statement.contributions[0].amount),
            (EntryKind::Reversal, Cents(-31_000))
        );
        // When the last entry was booked, and not when somebody asked.
        assert_eq!(statement.as_of.to_zoned_datetime(FUND_ZONE.clone()).hour(), 11);
    }

    #[test]
    fn lists_add_up_where_each_measure_does() {
        let view = View::parse("2011").unwrap();
        let adds_up = |change: fn(&mut Totals)| {
            let mut totals = Totals::empty(number(), view);
            let paid = Paid::to(Payee::Company, Cents(90_000));
            // What is paid ahead of its invoice is nothing in progress.
            let (committed, remaining, recovered) = (Cents(180_000), Cents(89_993), Cents(7));
            totals.sums = Measures { committed, paid, remaining, recovered, ..Measures::default() };
            totals.contributed = Cents(-31_000);
            change(&mut totals);
            let (actions, contributions) = (vec![paid_ahead(view)], vec![reversal(view)]);
            Read { account: account(), totals, actions, contributions, remittances: Vec::new() }.adds_up()
        };
        assert!(adds_up(|_| {}));
        let changes: [fn(&mut Totals); 9] = [
            |totals| totals.sums.committed += Cents(1),
            |totals| totals.sums.paid.to_company += Cents(1),
            // The same amount on the other side.
            |totals| totals.sums.paid = Paid::to(Payee::Provider, Cents(90_000)),
            |totals| totals.sums.in_progress = Cents(-4),
            |totals| totals.sums.remaining += Cents(7),
            |totals| totals.sums.overpaid += Cents(1),
            |totals| totals.sums.recovered = Cents::ZERO,
            |totals| totals.contributed = Cents(31_000),
            |totals| totals.contributed = Cents::ZERO,
        ];
        for (number, change) in changes.into_iter().enumerate() {
            assert!(!adds_up(change), "change {number}");
        }
    }
}
