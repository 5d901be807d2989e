//! What the entries add up to, told from scratch: nothing here is what posting computes with, but for what a kind
//! of entry does to the measures.

use std::collections::BTreeMap;

use jiff::civil::Date;
use portal::domain::{ActionStatus, Cents, Effect, EntryKind, Paid, RemittanceNumber, Scheme, View};
use portal::store::{Entry, Home};

use crate::drift::Fields;

/// Three measures with their sign, and how many entries are in force.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Sums {
    pub(crate) committed: Cents,
    pub(crate) paid: Paid,
    /// Received - rejected - payments + returned; may be negative.
    pub(crate) in_progress: Cents,
    /// Taken back, of which `paid` is less.
    pub(crate) recovered: Cents,
    /// Reversals take one away. Negative where there is a reversal of nothing.
    pub(crate) entries: i64,
    /// The sum in progress of each invoice that is named.
    pub(crate) invoices: BTreeMap<String, i64>,
}

impl Sums {
    pub(crate) fn add(&mut self, entry: &Entry, effect: Effect, step: i64) {
        self.committed += effect.committed;
        self.paid += effect.paid;
        self.in_progress += effect.in_progress;
        self.recovered += effect.recovered;
        self.entries += step;
        if let Some(invoice) = &entry.facts.invoice {
            *self.invoices.entry(invoice.as_str().to_owned()).or_default() += effect.in_progress.0;
            self.invoices.retain(|_, sum| *sum != 0);
        }
    }

    /// The same with those at another home.
    pub(crate) fn and(mut self, other: Self) -> Self {
        self.committed += other.committed;
        self.paid += other.paid;
        self.in_progress += other.in_progress;
        self.recovered += other.recovered;
        self.entries += other.entries;
        for (invoice, sum) in other.invoices {
            *self.invoices.entry(invoice).or_default() += sum;
        }
        self.invoices.retain(|_, sum| *sum != 0);
        self
    }

    /// The sum in progress as it is shown: what is open of each invoice, which only its own payments and those without a
    /// number pay, and what was invoiced without a number, which whatever is left of payments pays.
    pub(crate) fn open(&self) -> Cents {
        let (mut open, mut left_over, mut rest) = (0, 0, self.in_progress.0);
        for sum in self.invoices.values() {
            rest -= sum;
            if *sum > 0 { open += sum } else { left_over -= sum }
        }
        let without_number = if rest > 0 { (rest - left_over).max(0) } else { rest };
        Cents((open + without_number).max(0))
    }

    /// In the order of [`MEASURES`], as an action with this status shows it: nothing is in progress where more was paid
    /// than invoiced, nothing remains of a promise that was spent or that the fund does not keep any more.
    fn shown(&self, status: Option<ActionStatus>) -> Row {
        let Paid { to_company, to_providers } = self.paid;
        let [promised, paid, spent] =
            [self.committed.0, to_company.0 + to_providers.0, to_company.0 + to_providers.0 + self.recovered.0]
                .map(|cents| cents.max(0));
        let remaining = match status {
            Some(ActionStatus::Closed | ActionStatus::Refused | ActionStatus::Cancelled) => 0,
            _ => (promised - spent).max(0),
        };
        let (in_progress, overpaid) = (self.open().0, (paid - promised).max(0));
        let [in_progress, remaining, overpaid] = [in_progress, remaining, overpaid].map(Cents);
        [self.committed, to_company, to_providers, in_progress, remaining, overpaid, self.recovered]
    }
}

/// A row of numbers, as totals and facets have them of actions.
type Row = [Cents; 7];

/// What a row holds of a scheme or a facet.
pub(crate) const MEASURES: [&str; 7] =
    ["committed", "paid_to_company", "paid_to_providers", "in_progress", "remaining", "overpaid", "recovered"];

/// What a row holds of a month.
pub(crate) const OF_MONTH: [&str; 4] = ["committed", "paid_to_company", "paid_to_providers", "contributed"];

/// What an entry counts: one, or one less where it is a reversal.
pub(crate) fn step(entry: &Entry) -> i64 {
    if entry.reverses.is_some() { -1 } else { 1 }
}

/// A view of an account.
#[derive(Debug, Default)]
pub(crate) struct ViewSums {
    actions: i64,
    entries: i64,
    contributions: i64,
    contributed: Cents,
    schemes: BTreeMap<Scheme, Row>,
    /// By year and month.
    months: BTreeMap<(i16, i8), [Cents; 4]>,
    /// Actions, and what they have, by scheme and status.
    facets: BTreeMap<(Scheme, ActionStatus), (i64, Row)>,
    /// Whether the items that keep them were met.
    pub(crate) has_totals: bool,
    pub(crate) has_facets: bool,
}

impl ViewSums {
    /// An entry's month.
    pub(crate) fn add_to_month(&mut self, day: Date, effect: Effect) {
        let month = self.months.entry((day.year(), day.month())).or_default();
        add(month, [effect.committed, effect.paid.to_company, effect.paid.to_providers, effect.contributed]);
    }

    pub(crate) fn add_contribution(&mut self, effect: Effect, step: i64) {
        self.contributed += effect.contributed;
        self.contributions += step;
    }

    /// An action that counts here.
    pub(crate) fn add_action(&mut self, scheme: Scheme, status: ActionStatus) {
        self.actions += 1;
        self.facets.entry((scheme, status)).or_default().0 += 1;
    }

    /// What an action has here, all of it: what is in progress is the sum of what each action shows.
    pub(crate) fn add_sums(&mut self, scheme: Scheme, status: Option<ActionStatus>, sums: &Sums) {
        self.entries += sums.entries;
        let shown = sums.shown(status);
        add(self.schemes.entry(scheme).or_default(), shown);
        if let Some(status) = status {
            add(&mut self.facets.entry((scheme, status)).or_default().1, shown);
        }
    }

    /// Whether there is anything to keep.
    pub(crate) fn is_empty(&self) -> bool {
        let none = |row: &[Cents]| row.iter().all(|number| *number == Cents::ZERO);
        self.actions == 0
            && self.entries == 0
            && self.contributions == 0
            && self.months.values().all(|row| none(row))
            && self.schemes.values().all(|row| none(row))
    }

    /// Whether lists of views and accounts show it.
    pub(crate) fn is_shown(&self) -> bool {
        self.actions > 0 || self.entries > 0 || self.contributions > 0
    }

    /// Puts what all actions and contributions have here.
    pub(crate) fn put_sums(&self, path: &str, fields: &mut Fields) {
        let mut all = Row::default();
        self.schemes.values().for_each(|row| add(&mut all, *row));
        for (name, sum) in MEASURES.into_iter().zip(all) {
            fields.put(format!("{path}.{name}"), sum.0);
        }
        fields.put(format!("{path}.contributed"), self.contributed.0);
    }

    /// The totals as their item has them.
    pub(crate) fn totals(&self) -> Fields {
        let mut fields = Fields::default();
        fields.put("actions", self.actions);
        fields.put("entries", self.entries);
        fields.put("contributions", self.contributions);
        self.put_sums("sums", &mut fields);
        for (scheme, row) in &self.schemes {
            put_row(&mut fields, &format!("schemes.{}", scheme.as_str()), MEASURES, *row);
        }
        for ((year, month), row) in &self.months {
            let month = format!("months.{year:04}-{month:02}");
            put_row(&mut fields, &month, OF_MONTH, *row);
        }
        fields
    }

    /// The facets as their item has them.
    pub(crate) fn facets(&self) -> Fields {
        let mut fields = Fields::default();
        for ((scheme, status), (actions, row)) in &self.facets {
            if *actions == 0 && *row == Row::default() {
                continue;
            }
            let facet = format!("sums.{}#{}", scheme.as_str(), status.as_str());
            fields.put(format!("{facet}.actions"), actions);
            for (name, sum) in MEASURES.into_iter().zip(row) {
                fields.put(format!("{facet}.{name}"), sum.0);
            }
        }
        fields.put("contributions", self.contributions > 0);
        fields.put("contributed", self.contributed.0);
        fields
    }
}

fn add<const N: usize>(row: &mut [Cents; N], more: [Cents; N]) {
    row.iter_mut().zip(more).for_each(|(sum, more)| *sum += more);
}

/// A row of numbers; none where all are nothing.
fn put_row<const N: usize>(fields: &mut Fields, path: &str, names: [&str; N], row: [Cents; N]) {
    if row != [Cents::ZERO; N] {
        names.into_iter().zip(row).for_each(|(name, sum)| fields.put(format!("{path}.{name}"), sum.0));
    }
}

/// A transfer, of the entries that carry its number.
#[derive(Debug, Default)]
pub(crate) struct Transfer {
    views: BTreeMap<View, (Transferred, i64)>,
    /// The days and references that its payments name, and those of what came back.
    sent: References,
    returned: References,
    /// Whether its item was met, and in which further views.
    pub(crate) has_item: bool,
    pub(crate) has_rows: Vec<View>,
}

/// The counts of lines in force that name a day, and a bank reference.
#[derive(Debug, Default)]
struct References {
    days: BTreeMap<Date, i64>,
    banks: BTreeMap<String, i64>,
}

/// The names that lines in force have.
fn in_force<K>(counts: &BTreeMap<K, i64>) -> impl Iterator<Item = (&K, i64)> {
    counts.iter().filter(|(_, count)| **count != 0).map(|(name, count)| (name, *count))
}

/// What a transfer moved, in the order of [`TRANSFERRED`].
type Transferred = [Cents; 4];

pub(crate) const TRANSFERRED: [&str; 4] =
    ["sent_to_company", "sent_to_providers", "returned_by_company", "returned_by_providers"];

impl Transfer {
    pub(crate) fn add(&mut self, entry: &Entry, effect: Effect) {
        let (moved, entries) = self.views.entry(entry.view).or_default();
        let Paid { to_company, to_providers } = effect.paid;
        let kind = entry.reverses.map_or(entry.facts.kind, |reversed| reversed.kind);
        let (more, named) = match kind {
            EntryKind::PaymentReturned | EntryKind::Recovery => {
                ([Cents::ZERO, Cents::ZERO, -to_company, -to_providers], &mut self.returned)
            }
            _ => ([to_company, to_providers, Cents::ZERO, Cents::ZERO], &mut self.sent),
        };
        add(moved, more);
        *entries += step(entry);
        *named.days.entry(entry.facts.date).or_default() += step(entry);
        if let Some(bank) = &entry.facts.bank {
            *named.banks.entry(bank.as_str().to_owned()).or_default() += step(entry);
        }
    }

    /// The views that have a row of their own: all but the first.
    pub(crate) fn further_views(&self) -> impl Iterator<Item = View> + '_ {
        self.views.keys().skip(1).copied()
    }

    /// What a view's list shows, and where; the same in each view but for the place.
    pub(crate) fn row(&self, number: &RemittanceNumber, view: View) -> Fields {
        let mut fields = Fields::default();
        // What came back alone is no transfer.
        let Some((first, _)) = in_force(&self.sent.days).next() else { return fields };
        if self.views.get(&view).is_none_or(|(_, entries)| *entries == 0) {
            return fields;
        }
        fields.put("shown.date", first);
        fields.put("by_view", format!("REMITTANCE#{view}#{first}#{}", number.escaped()));
        // Once in the list of all views: by the first view that still lists it.
        if self.views.iter().find(|(_, (_, entries))| *entries != 0).map(|(first, _)| *first) == Some(view) {
            fields.put("by_scheme", format!("REMITTANCE#{first}#{}", number.escaped()));
        }
        let mut all = Transferred::default();
        self.views.values().for_each(|(moved, _)| add(&mut all, *moved));
        TRANSFERRED.into_iter().zip(all).for_each(|(name, sum)| fields.put(format!("shown.moved.{name}"), sum.0));
        fields.put_some("shown.bank_reference", in_force(&self.sent.banks).next().map(|(bank, _)| bank));
        fields
    }

    /// The transfer's own item: its row in the first view, and the share of each.
    pub(crate) fn item(&self, number: &RemittanceNumber) -> Fields {
        let first = self.views.keys().next();
        let mut fields = first.map(|view| self.row(number, *view)).unwrap_or_default();
        for (view, (moved, entries)) in &self.views {
            for (name, sum) in TRANSFERRED.into_iter().zip(moved) {
                fields.put(format!("views.{view}.moved.{name}"), sum.0);
            }
            fields.put(format!("views.{view}.entries"), entries);
        }
        for (name, named) in [("sent", &self.sent), ("returned", &self.returned)] {
            in_force(&named.days).for_each(|(day, count)| fields.put(format!("{name}.days.{day}"), count));
            in_force(&named.banks).for_each(|(bank, count)| fields.put(format!("{name}.banks.{bank}"), count));
        }
        fields
    }
}

/// What an action's homes have, while its entries pass by.
pub(crate) type Homes = BTreeMap<Home, Sums>;
