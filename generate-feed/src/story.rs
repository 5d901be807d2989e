//! What happens to one training action, step by step, and what its status is after each.
//!
//! A story is told to its end, whatever the feed's last day is, and then cut there. An action that
//! is still under way on that day is so for a reason, and its status always agrees with its sums.

use jiff::civil::Date;

use crate::records::{ActionStatus, CostKind, EntryKind, Payee, Scheme};

/// What an amount is for and who gets it. An action has at most one sum of each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Line {
    pub cost_kind: CostKind,
    pub payee: Payee,
}

/// An entry in the making.
#[derive(Debug, Clone)]
pub(crate) struct Fact {
    pub kind: EntryKind,
    pub line: Line,
    pub cents: i64,
    /// The amount that was keyed in by mistake before; the feed has it as the first version.
    pub keyed_in: Option<i64>,
    /// The day of the bank transfer that this fact is about.
    pub transfer: Option<Date>,
    pub invoice: Option<String>,
    pub label: &'static str,
}

#[derive(Debug, Default, Clone, Copy)]
struct Sums {
    committed: i64,
    invoiced: i64,
    paid: i64,
}

struct Moment {
    date: Date,
    /// The status after this moment.
    status: ActionStatus,
    fact: Option<Fact>,
}

/// An action's life. Steps are told in the order in which they happen: a date before the last
/// step's counts as the last step's.
pub(crate) struct Story {
    title: &'static str,
    scheme: Scheme,
    lodged: Date,
    engaged: Option<Date>,
    lines: Vec<(Line, Sums)>,
    moments: Vec<Moment>,
    latest: Date,
    status: ActionStatus,
}

/// The part of a story that is known on some day.
pub(crate) struct Told {
    pub title: &'static str,
    pub scheme: Scheme,
    pub status: ActionStatus,
    /// How many states the action has been in.
    pub version: u32,
    pub lodged: Date,
    pub engagement_date: Date,
    pub facts: Vec<(Date, Fact)>,
}

impl Story {
    pub(crate) fn lodged(title: &'static str, scheme: Scheme, date: Date) -> Self {
        let mut story = Self {
            title,
            scheme,
            lodged: date,
            engaged: None,
            lines: Vec::new(),
            moments: Vec::new(),
            latest: date,
            status: ActionStatus::Submitted,
        };
        story.step(date, ActionStatus::Submitted, None);
        story
    }

    /// The date of the last step so far.
    pub(crate) fn latest(&self) -> Date {
        self.latest
    }

    pub(crate) fn found_incomplete(&mut self, date: Date) {
        self.step(date, ActionStatus::Incomplete, None);
    }

    pub(crate) fn reviewed(&mut self, date: Date) {
        self.step(date, ActionStatus::UnderReview, None);
    }

    /// Refuses the action; what was committed for it before stays.
    pub(crate) fn refused(&mut self, date: Date) {
        self.step(date, ActionStatus::Refused, None);
    }

    /// Whether money was promised for it.
    pub(crate) fn is_committed(&self) -> bool {
        self.engaged.is_some()
    }

    pub(crate) fn committed(&mut self, date: Date, line: Line, cents: i64) {
        self.sums(line).committed += cents;
        self.engaged.get_or_insert(date);
        let fact = Fact::new(EntryKind::Commitment, line, cents, "Engagement");
        self.step(date, ActionStatus::Committed, Some(fact));
    }

    pub(crate) fn revised(&mut self, date: Date, line: Line, cents: i64) {
        self.sums(line).committed += cents;
        let fact = Fact::new(EntryKind::CommitmentRevision, line, cents, "Révision de l'engagement");
        let status = self.after_money_moved(self.status);
        self.step(date, status, Some(fact));
    }

    /// Takes back all that was committed; for actions that nothing is due for. What was paid stays paid.
    pub(crate) fn cancelled(&mut self, date: Date) {
        for (line, sums) in self.lines.clone() {
            self.sums(line).committed = 0;
            let kind = EntryKind::CommitmentCancellation;
            let fact = Fact::new(kind, line, sums.committed, "Annulation de l'engagement");
            self.step(date, ActionStatus::Cancelled, Some(fact));
        }
    }

    pub(crate) fn delivered(&mut self, date: Date) {
        let untouched = self.total(|sums| sums.invoiced) == 0 && self.paid() == 0;
        let status = if untouched { ActionStatus::Delivered } else { self.status };
        self.step(date, status, None);
    }

    pub(crate) fn invoiced(&mut self, date: Date, line: Line, cents: i64, invoice: &str) {
        self.sums(line).invoiced += cents;
        let status = if self.paid() == 0 { ActionStatus::Invoiced } else { self.status };
        let label = match line.payee {
            Payee::Company => "Demande de remboursement reçue",
            Payee::Provider => "Facture de l'organisme reçue",
        };
        let fact = Fact::new(EntryKind::InvoiceReceived, line, cents, label).invoice(invoice);
        self.step(date, status, Some(fact));
    }

    /// The last entry so far was keyed in with another amount first, and corrected.
    pub(crate) fn after_a_mistake(&mut self, keyed_in: i64) {
        if let Some(fact) = self.moments.iter_mut().rev().find_map(|moment| moment.fact.as_mut()) {
            fact.keyed_in = Some(keyed_in);
        }
    }

    pub(crate) fn invoice_rejected(&mut self, date: Date, line: Line, cents: i64, invoice: &str) {
        self.sums(line).invoiced -= cents;
        let nothing_due = self.total(|sums| sums.invoiced) == 0 && self.paid() == 0;
        let status = if nothing_due { ActionStatus::Delivered } else { self.status };
        let fact = Fact::new(EntryKind::InvoiceRejected, line, cents, "Facture rejetée");
        self.step(date, status, Some(fact.invoice(invoice)));
    }

    pub(crate) fn payment_ordered(&mut self, date: Date) {
        let status = if self.paid() == 0 { ActionStatus::PaymentInProgress } else { self.status };
        self.step(date, status, None);
    }

    pub(crate) fn paid_out(&mut self, date: Date, line: Line, cents: i64, invoice: &str) {
        self.sums(line).paid += cents;
        let (kind, label) = match line.payee {
            Payee::Company => (EntryKind::PaymentToCompany, "Remboursement à l'entreprise"),
            Payee::Provider => (EntryKind::PaymentToProvider, "Règlement à l'organisme"),
        };
        let mut fact = Fact::new(kind, line, cents, label).transfer(date);
        if !invoice.is_empty() {
            fact = fact.invoice(invoice);
        }
        let status = self.after_money_moved(self.status);
        self.step(date, status, Some(fact));
    }

    /// The bank sends back what was transferred on `transfer`.
    pub(crate) fn payment_returned(&mut self, date: Date, transfer: Date, line: Line, cents: i64) {
        self.sums(line).paid -= cents;
        let fact = Fact::new(EntryKind::PaymentReturned, line, cents, "Virement rejeté par la banque");
        let status = self.after_money_moved(ActionStatus::PaymentInProgress);
        self.step(date, status, Some(fact.transfer(transfer)));
    }

    pub(crate) fn recovered(&mut self, date: Date, line: Line, cents: i64) {
        self.sums(line).paid -= cents;
        let fact = Fact::new(EntryKind::Recovery, line, cents, "Récupération d'un trop-perçu");
        // What is over stays over, whatever comes back.
        let status =
            if self.status == ActionStatus::Cancelled { self.status } else { self.after_money_moved(self.status) };
        self.step(date, status, Some(fact));
    }

    /// Ends the action and leaves all as it is: what was not spent stays committed, what was paid too much stays paid.
    pub(crate) fn closed_as_it_stands(&mut self, date: Date) {
        self.step(date, ActionStatus::Closed, None);
    }

    /// Ends the action and gives back what was committed and not spent; for actions where nothing
    /// is due any more.
    pub(crate) fn closed(&mut self, date: Date) {
        for (line, sums) in self.lines.clone() {
            let unspent = sums.paid - sums.committed;
            if unspent != 0 {
                self.revised(date, line, unspent);
            }
        }
        self.step(date, ActionStatus::Closed, None);
    }

    /// What is known at the end of `horizon`; nothing if the action was lodged later.
    pub(crate) fn until(&self, horizon: Date) -> Option<Told> {
        let mut status = None;
        let mut version = 0;
        let mut facts = Vec::new();
        for moment in self.moments.iter().take_while(|moment| moment.date <= horizon) {
            version += u32::from(status.replace(moment.status) != Some(moment.status));
            facts.extend(moment.fact.clone().map(|fact| (moment.date, fact)));
        }
        Some(Told {
            title: self.title,
            scheme: self.scheme,
            status: status?,
            version,
            lodged: self.lodged,
            engagement_date: self.engaged.filter(|day| *day <= horizon).unwrap_or(self.lodged),
            facts,
        })
    }

    fn step(&mut self, date: Date, status: ActionStatus, fact: Option<Fact>) {
        self.latest = self.latest.max(date);
        self.status = status;
        self.moments.push(Moment { date: self.latest, status, fact });
    }

    fn sums(&mut self, line: Line) -> &mut Sums {
        let known = self.lines.iter().position(|(other, _)| *other == line);
        let place = known.unwrap_or_else(|| {
            self.lines.push((line, Sums::default()));
            self.lines.len() - 1
        });
        &mut self.lines[place].1
    }

    fn total(&self, of: impl Fn(&Sums) -> i64) -> i64 {
        self.lines.iter().map(|(_, sums)| of(sums)).sum()
    }

    fn paid(&self) -> i64 {
        self.total(|sums| sums.paid)
    }

    /// Paid actions are named by how much of the commitment is paid, the others stay what they are.
    fn after_money_moved(&self, unpaid: ActionStatus) -> ActionStatus {
        let committed = self.total(|sums| sums.committed);
        match self.paid() {
            0 => unpaid,
            paid if paid < committed => ActionStatus::PartlyPaid,
            _ => ActionStatus::Paid,
        }
    }
}

impl Fact {
    fn new(kind: EntryKind, line: Line, cents: i64, label: &'static str) -> Self {
        Self { kind, line, cents, keyed_in: None, transfer: None, invoice: None, label }
    }

    fn invoice(mut self, number: &str) -> Self {
        self.invoice = Some(number.to_owned());
        self
    }

    fn transfer(mut self, date: Date) -> Self {
        self.transfer = Some(date);
        self
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    const TUITION: Line = Line { cost_kind: CostKind::Tuition, payee: Payee::Company };

    fn told(last: Date, tell: impl FnOnce(&mut Story)) -> Told {
        let mut story = Story::lodged("Lecture de plans", Scheme::Plan, date(2011, 12, 1));
        tell(&mut story);
        story.until(last).unwrap()
    }

    fn half_paid(story: &mut Story) {
        story.committed(date(2012, 1, 1), TUITION, 1_000);
        story.delivered(date(2012, 2, 1));
        story.invoiced(date(2012, 2, 5), TUITION, 600, "F-1");
        story.payment_ordered(date(2012, 2, 6));
        story.paid_out(date(2012, 2, 10), TUITION, 600, "F-1");
    }

    #[test]
    fn each_day_knows_what_has_happened_by_then() {
        let status = |last| told(last, half_paid).status;
        assert_eq!(status(date(2011, 12, 31)), ActionStatus::Submitted);
        assert_eq!(status(date(2012, 1, 1)), ActionStatus::Committed);
        assert_eq!(status(date(2012, 2, 1)), ActionStatus::Delivered);
        assert_eq!(status(date(2012, 2, 5)), ActionStatus::Invoiced);
        assert_eq!(status(date(2012, 2, 9)), ActionStatus::PaymentInProgress);
        assert_eq!(status(date(2012, 2, 10)), ActionStatus::PartlyPaid);
    }

    #[test]
    fn an_action_goes_by_its_lodging_until_it_is_engaged() {
        assert_eq!(told(date(2011, 12, 31), half_paid).engagement_date, date(2011, 12, 1));
        assert_eq!(told(date(2012, 1, 1), half_paid).engagement_date, date(2012, 1, 1));
    }

    #[test]
    fn nothing_is_known_before_lodging() {
        let story = Story::lodged("Lecture de plans", Scheme::Plan, date(2012, 1, 1));
        assert!(story.until(date(2011, 12, 31)).is_none());
    }

    #[test]
    fn closing_gives_back_what_was_not_spent() {
        let told = told(date(2013, 1, 1), |story| {
            half_paid(story);
            story.closed(date(2012, 6, 1));
        });
        assert_eq!(told.status, ActionStatus::Closed);
        let (_, last) = told.facts.last().unwrap();
        assert_eq!((last.kind, last.cents), (EntryKind::CommitmentRevision, -400));
    }

    #[test]
    fn a_returned_transfer_is_due_again() {
        let told = told(date(2013, 1, 1), |story| {
            half_paid(story);
            story.payment_returned(date(2012, 2, 14), date(2012, 2, 10), TUITION, 600);
        });
        assert_eq!(told.status, ActionStatus::PaymentInProgress);
        assert_eq!(told.facts.last().unwrap().1.transfer, Some(date(2012, 2, 10)));
    }

    #[test]
    fn a_mistake_is_remembered_and_changes_no_sum() {
        let told = told(date(2013, 1, 1), |story| {
            story.committed(date(2012, 1, 1), TUITION, 1_000);
            story.delivered(date(2012, 2, 1));
            story.invoiced(date(2012, 2, 5), TUITION, 600, "F-1");
            story.after_a_mistake(900);
            story.paid_out(date(2012, 2, 10), TUITION, 600, "F-1");
        });
        let keyed_in: Vec<_> = told.facts.iter().map(|(_, fact)| (fact.cents, fact.keyed_in)).collect();
        assert_eq!(keyed_in, [(1_000, None), (600, Some(900)), (600, None)]);
    }

    #[test]
    fn the_version_counts_states() {
        assert_eq!(told(date(2011, 12, 1), half_paid).version, 1);
        assert_eq!(told(date(2013, 1, 1), half_paid).version, 6);
    }

    #[test]
    fn steps_never_go_back_in_time() {
        let told = told(date(2013, 1, 1), |story| {
            half_paid(story);
            story.recovered(date(2011, 1, 1), TUITION, 100);
        });
        assert!(told.facts.is_sorted_by_key(|(date, _)| *date));
    }
}
