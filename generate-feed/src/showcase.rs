//! The account that visitors are shown: the leaflet's establishment, written by hand.
//!
//! Whatever the seed, index 0 has an action in every status, an entry of every kind, a
//! corrected one (of which the import makes a reversal), the days around New Year, payments long after the engagement, and contributions each year, in amounts
//! that can be added up with a pencil. Of a feed that ends before 2016 it has the earlier part.

use jiff::civil::{Date, date};

use crate::calendar::{after, before, payment_run};
use crate::contributions::Contribution;
use crate::distribution::{BRACKETS, Bracket};
use crate::records::{CostKind, EntryKind, Payee, Scheme};
use crate::story::{Line, Story};

/// As the leaflet's establishment has it.
pub(crate) const OPENED_ON: Date = date(2009, 3, 1);

/// 10 to 19 employees.
pub(crate) fn bracket() -> &'static Bracket {
    &BRACKETS[3]
}

const TUITION: Line = Line { cost_kind: CostKind::Tuition, payee: Payee::Company };
const PROVIDER: Line = Line { cost_kind: CostKind::Tuition, payee: Payee::Provider };
const WAGES: Line = Line { cost_kind: CostKind::Wages, payee: Payee::Company };
const EXPENSES: Line = Line { cost_kind: CostKind::Expenses, payee: Payee::Company };

/// What the establishment paid in, for each year.
pub(crate) fn contributions() -> impl Iterator<Item = Contribution> {
    const EUROS: i64 = 100;
    let yearly = (2009..=2016).flat_map(|year| {
        let growth = i64::from(year - 2009) * 50 * EUROS;
        let agreement = 600 * EUROS + growth;
        let legal = 4_800 * EUROS + 4 * growth;
        [
            contribution("A", EntryKind::ContributionAgreement, year, agreement, date(year, 9, 15)),
            contribution("L", EntryKind::ContributionLegal, year, legal, date(year + 1, 2, 20)),
        ]
    });
    let (voluntary, refund) = (EntryKind::ContributionVoluntary, EntryKind::ContributionRefund);
    yearly.chain([
        contribution("V", voluntary, 2011, 1_500 * EUROS, date(2011, 11, 21)),
        contribution("R", refund, 2012, 200 * EUROS, date(2013, 5, 13)),
        contribution("V", voluntary, 2014, 1_000 * EUROS, date(2014, 11, 17)),
    ])
}

fn contribution(key: &'static str, kind: EntryKind, year: i16, cents: i64, date: Date) -> Contribution {
    Contribution { key, kind, year, cents, date }
}

/// The actions, in the order of their lodging.
pub(crate) fn stories() -> Vec<Story> {
    let mut stories = Vec::with_capacity(32);
    before_2012(&mut stories);
    of_2012(&mut stories);
    later(&mut stories);
    under_way(&mut stories);
    stories
}

fn before_2012(stories: &mut Vec<Story>) {
    let mut story = engaged("Sauveteur secouriste du travail", Scheme::Plan, date(2009, 6, 15));
    story.committed(date(2009, 6, 15), TUITION, 60_000);
    bill_and_pay(&mut story, date(2009, 8, 20), &[(TUITION, 60_000)], "F-041");
    story.closed(date(2009, 12, 1));
    stories.push(story);

    let mut story = engaged("Lecture de plans", Scheme::Dif, date(2010, 10, 4));
    story.committed(date(2010, 10, 4), PROVIDER, 84_000);
    bill_and_pay(&mut story, date(2010, 12, 6), &[(PROVIDER, 84_000)], "F-067");
    stories.push(story);

    let mut story = engaged("Conduite de travaux", Scheme::Plan, date(2011, 3, 14));
    let bill = [(PROVIDER, 240_000), (WAGES, 130_000), (EXPENSES, 18_500)];
    for (line, cents) in bill {
        story.committed(date(2011, 3, 14), line, cents);
    }
    story.delivered(date(2011, 4, 22));
    bill_and_pay(&mut story, date(2011, 5, 9), &bill, "F-085");
    story.closed(date(2011, 10, 3));
    stories.push(story);

    let mut story = engaged("VAE Chef de chantier", Scheme::Vae, date(2011, 6, 20));
    story.committed(date(2011, 6, 20), PROVIDER, 120_000);
    story.cancelled(date(2011, 9, 5));
    stories.push(story);

    // Half of it is paid, the other half was never claimed.
    let mut story = engaged("CACES R372m catégorie 1", Scheme::Plan, date(2011, 11, 30));
    story.committed(date(2011, 11, 30), TUITION, 180_000);
    story.delivered(date(2012, 1, 13));
    bill_and_pay(&mut story, date(2012, 1, 30), &[(TUITION, 90_000)], "F-118");
    stories.push(story);

    // The last day of the view of 2011; paid in 2013, and it stays in that view.
    let mut story = engaged("Montage d'échafaudages", Scheme::Plan, date(2011, 12, 31));
    story.committed(date(2011, 12, 31), TUITION, 150_000);
    story.committed(date(2011, 12, 31), WAGES, 70_000);
    story.delivered(date(2012, 11, 23));
    let bill = [(TUITION, 150_000), (WAGES, 70_000)];
    bill_and_pay(&mut story, date(2012, 12, 28), &bill, "F-203");
    stories.push(story);
}

fn of_2012(stories: &mut Vec<Story>) {
    // The first day of the view of 2012. The three following are paid with one transfer.
    let mut story = engaged("Travail en hauteur et port du harnais", Scheme::Plan, date(2012, 1, 1));
    story.committed(date(2012, 1, 1), TUITION, 95_000);
    // Two digits were swapped first: members see the mistake, its reversal and what replaces it.
    story.after_a_mistake(59_000);
    bill_and_pay(&mut story, date(2012, 3, 26), &[(TUITION, 95_000)], "F-131");
    stories.push(story);

    let mut story = engaged("Habilitation électrique BR", Scheme::Plan, date(2012, 1, 16));
    story.committed(date(2012, 1, 16), TUITION, 62_000);
    story.revised(date(2012, 2, 6), TUITION, 8_000);
    bill_and_pay(&mut story, date(2012, 3, 28), &[(TUITION, 70_000)], "F-132");
    story.closed(date(2012, 9, 3));
    stories.push(story);

    let mut story = engaged("Enduits à la chaux", Scheme::Dif, date(2012, 2, 6));
    story.committed(date(2012, 2, 6), TUITION, 110_000);
    story.revised(date(2012, 2, 27), TUITION, -25_000);
    bill_and_pay(&mut story, date(2012, 3, 30), &[(TUITION, 85_000)], "F-133");
    stories.push(story);

    // A contract billed three times.
    let mut story = engaged("CAP Maçon", Scheme::Professionalisation, date(2012, 3, 5));
    story.committed(date(2012, 3, 5), PROVIDER, 549_000);
    for (received, invoice) in [(date(2012, 6, 11), "F-151"), (date(2012, 10, 8), "F-178"), (date(2013, 2, 4), "F-209")]
    {
        bill_and_pay(&mut story, received, &[(PROVIDER, 183_000)], invoice);
    }
    stories.push(story);

    let mut story = engaged("Soudage à l'arc", Scheme::Plan, date(2012, 4, 2));
    story.committed(date(2012, 4, 2), PROVIDER, 132_000);
    story.delivered(date(2012, 5, 11));
    story.invoiced(date(2012, 5, 21), PROVIDER, 145_000, "F-146");
    story.invoice_rejected(date(2012, 5, 25), PROVIDER, 145_000, "F-146");
    bill_and_pay(&mut story, date(2012, 6, 4), &[(PROVIDER, 132_000)], "F-149");
    stories.push(story);

    // The bank sends the transfer back; the next run repeats it.
    let mut story = engaged("Gestes et postures", Scheme::Plan, date(2012, 5, 14));
    story.committed(date(2012, 5, 14), TUITION, 48_000);
    let run = bill_and_pay(&mut story, date(2012, 7, 2), &[(TUITION, 48_000)], "F-158");
    story.payment_returned(date(2012, 7, 13), run, TUITION, 48_000);
    story.paid_out(payment_run(date(2012, 7, 16)), TUITION, 48_000, "F-158");
    stories.push(story);

    let mut story = engaged("Chef d'équipe gros œuvre", Scheme::Plan, date(2012, 6, 4));
    story.committed(date(2012, 6, 4), TUITION, 160_000);
    bill_and_pay(&mut story, date(2012, 9, 10), &[(TUITION, 160_000)], "F-170");
    story.recovered(date(2013, 3, 18), TUITION, 40_000);
    story.closed(date(2013, 4, 2));
    stories.push(story);

    let mut story = engaged("Métré et étude de prix", Scheme::Plan, date(2012, 9, 17));
    story.refused(date(2012, 10, 1));
    stories.push(story);

    let mut story = engaged("Pose de menuiseries", Scheme::Plan, date(2012, 12, 31));
    story.committed(date(2012, 12, 31), TUITION, 76_000);
    bill_and_pay(&mut story, date(2013, 3, 4), &[(TUITION, 76_000)], "F-214");
    stories.push(story);
}

fn later(stories: &mut Vec<Story>) {
    let mut story = engaged("Bilan de compétences", Scheme::Assessment, date(2013, 1, 1));
    story.committed(date(2013, 1, 1), PROVIDER, 150_000);
    bill_and_pay(&mut story, date(2013, 5, 6), &[(PROVIDER, 150_000)], "F-226");
    stories.push(story);

    // Paid on the promise of an invoice that came later.
    let mut story = engaged("POE Aide-maçon", Scheme::Poe, date(2014, 3, 10));
    story.committed(date(2014, 3, 10), PROVIDER, 210_000);
    story.paid_out(payment_run(date(2014, 4, 1)), PROVIDER, 210_000, "");
    story.invoiced(date(2014, 6, 16), PROVIDER, 210_000, "F-260");
    stories.push(story);

    over(stories);

    let mut story = engaged("RT 2012 et étanchéité à l'air", Scheme::Cpf, date(2015, 2, 9));
    story.committed(date(2015, 2, 9), PROVIDER, 98_000);
    bill_and_pay(&mut story, date(2015, 5, 18), &[(PROVIDER, 98_000)], "F-288");
    story.closed(date(2015, 11, 2));
    stories.push(story);
}

/// What is over, or was paid, otherwise than it was promised: one action for each way that figures have to bear.
fn over(stories: &mut Vec<Story>) {
    // Paid twice; some of it was taken back, the rest is not yet.
    let mut story = engaged("Pose de cloisons", Scheme::Plan, date(2014, 4, 7));
    story.committed(date(2014, 4, 7), TUITION, 90_000);
    let run = bill_and_pay(&mut story, date(2014, 6, 2), &[(TUITION, 90_000)], "F-258");
    story.paid_out(payment_run(after(run, 5)), TUITION, 90_000, "");
    story.recovered(date(2014, 9, 8), TUITION, 60_000);
    stories.push(story);

    // All was paid, a part was taken back, and the promise stands as it was.
    let mut story = engaged("Conduite de grue", Scheme::Plan, date(2014, 5, 12));
    story.committed(date(2014, 5, 12), TUITION, 180_000);
    bill_and_pay(&mut story, date(2014, 7, 7), &[(TUITION, 180_000)], "F-263");
    story.recovered(date(2014, 11, 3), TUITION, 30_000);
    story.closed_as_it_stands(date(2014, 12, 1));
    stories.push(story);

    let mut story = engaged("Couverture et zinguerie", Scheme::Plan, date(2014, 6, 2));
    story.committed(date(2014, 6, 2), TUITION, 150_000);
    bill_and_pay(&mut story, date(2014, 9, 1), &[(TUITION, 90_000)], "F-267");
    story.closed_as_it_stands(date(2015, 1, 12));
    stories.push(story);

    let mut story = engaged("Coffrage et banchage", Scheme::Plan, date(2014, 9, 15));
    story.committed(date(2014, 9, 15), TUITION, 70_000);
    story.refused(date(2014, 9, 29));
    stories.push(story);

    let mut story = engaged("Carrelage", Scheme::Plan, date(2014, 10, 6));
    story.committed(date(2014, 10, 6), TUITION, 50_000);
    story.paid_out(payment_run(date(2014, 10, 13)), TUITION, 20_000, "");
    story.cancelled(date(2014, 11, 17));
    stories.push(story);
}

/// What is not finished at the end of 2016, one action for each state on the way.
fn under_way(stories: &mut Vec<Story>) {
    let commit = |title, scheme, day: Date, cents| {
        let mut story = engaged(title, scheme, day);
        story.committed(day, TUITION, cents);
        story
    };
    let mut story = commit("Habilitation électrique BR", Scheme::Plan, date(2016, 9, 12), 72_000);
    story.delivered(date(2016, 11, 18));
    story.invoiced(date(2016, 12, 5), TUITION, 72_000, "F-331");
    story.payment_ordered(date(2016, 12, 28));
    stories.push(story);

    let mut story = commit("Travail en hauteur et port du harnais", Scheme::Plan, date(2016, 10, 3), 88_000);
    story.delivered(date(2016, 12, 2));
    story.invoiced(date(2016, 12, 22), TUITION, 88_000, "F-334");
    stories.push(story);

    let mut story = commit("AIPR encadrant", Scheme::Plan, date(2016, 11, 7), 39_000);
    story.delivered(date(2016, 12, 16));
    stories.push(story);

    stories.push(commit("Lecture de plans", Scheme::Cpf, date(2016, 12, 12), 84_000));

    let lodged = |title, day| Story::lodged(title, Scheme::Plan, day);
    let mut story = lodged("Conduite de travaux", date(2016, 12, 1));
    story.reviewed(date(2016, 12, 9));
    stories.push(story);

    let mut story = lodged("Soudage à l'arc", date(2016, 12, 8));
    story.found_incomplete(date(2016, 12, 14));
    stories.push(story);

    stories.push(lodged("Montage d'échafaudages", date(2016, 12, 20)));
}

/// A file that is lodged three weeks before it is engaged, with nothing missing.
fn engaged(title: &'static str, scheme: Scheme, engaged: Date) -> Story {
    let lodged = before(engaged, 21);
    let mut story = Story::lodged(title, scheme, lodged);
    story.reviewed(after(lodged, 7));
    story
}

/// An invoice and its payment by the first run a week later, which is returned.
fn bill_and_pay(story: &mut Story, received: Date, bill: &[(Line, i64)], invoice: &str) -> Date {
    story.delivered(received);
    for (line, cents) in bill {
        story.invoiced(received, *line, *cents, invoice);
    }
    let run = payment_run(after(received, 7));
    story.payment_ordered(after(received, 3));
    for (line, cents) in bill {
        story.paid_out(run, *line, *cents, invoice);
    }
    run
}
