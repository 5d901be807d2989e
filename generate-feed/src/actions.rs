//! What may happen to an action, drawn from how often it happens.

use jiff::civil::Date;

use crate::calendar::{after, payment_run, year_end, year_start};
use crate::distribution::Draw;
use crate::names;
use crate::records::{CostKind, Payee, Scheme, scheme_in_force};
use crate::story::{Line, Story};

// How often, per mille of actions, unless said otherwise.
const REFUSED: u32 = 40;
const CANCELLED: u32 = 50;
const INCOMPLETE_AT_FIRST: u32 = 150;
const REVISED: u32 = 80;
const SPENT_LESS_THAN_COMMITTED: u32 = 120;
const PAID_IN_ADVANCE: u32 = 15;
const RECOVERED: u32 = 8;
const CLOSED_IN_THE_END: u32 = 700;
/// Of the files of the last quarter: engaged on the last day of a view or the first of the next.
const ENGAGED_AT_NEW_YEAR: u32 = 40;
/// Of those that are refused: the commitment was booked before, and stays.
const REFUSED_AFTER_COMMITMENT: u32 = 50;
/// Of those that are cancelled: something was paid in advance.
const CANCELLED_AFTER_PAYMENT: u32 = 50;
/// Of those that are recovered, or cancelled after a payment: all of the money comes back.
const ALL_TAKEN_BACK: u32 = 600;
/// Of actions: one of their costs is paid once more by mistake.
const PAID_TWICE: u32 = 4;
/// Of those that are closed: what was committed and not spent stays committed.
const CLOSED_AS_IT_STANDS: u32 = 80;
/// Of invoices.
const INVOICE_REJECTED: u32 = 40;
/// Of payments.
const RETURNED: u32 = 3;

/// Draws the whole life of an action that is lodged on this day. The oddities have dice of their own, so that all else is
/// as it would be without them.
pub(crate) fn draw_story(draw: &mut Draw, oddities: &mut Draw, lodged: Date, largest_group: u32) -> Story {
    let engaged = draw_engagement(draw, lodged);
    let scheme = draw_scheme(draw, lodged.year(), engaged.year());
    let mut story = Story::lodged(names::title(scheme, lodged.year(), draw), scheme, lodged);
    if draw.chance(INCOMPLETE_AT_FIRST) {
        story.found_incomplete(after(lodged, draw.between(1, 8)).min(engaged));
    }
    story.reviewed(after(lodged, draw.between(2, 15)).min(engaged));
    if draw.chance(REFUSED) {
        if oddities.chance(REFUSED_AFTER_COMMITMENT) {
            for (line, cents) in draw_bill(oddities, scheme, largest_group) {
                story.committed(engaged, line, cents);
            }
        }
        story.refused(after(engaged, if story.is_committed() { 10 } else { 0 }));
        return story;
    }

    let mut bill = draw_bill(draw, scheme, largest_group);
    for (line, cents) in &bill {
        story.committed(engaged, *line, *cents);
    }
    if draw.chance(CANCELLED) {
        let day = after(engaged, draw.between(5, 60));
        match bill.first() {
            Some((line, cents)) if oddities.chance(CANCELLED_AFTER_PAYMENT) => {
                story.paid_out(payment_run(engaged), *line, cents / 2, "");
                story.cancelled(day);
                if oddities.chance(ALL_TAKEN_BACK) {
                    story.recovered(after(story.latest(), oddities.between(30, 200)), *line, cents / 2);
                }
            }
            _ => story.cancelled(day),
        }
        return story;
    }
    if draw.chance(REVISED) {
        let change = i64::from(draw.between(10, 30));
        let change = if draw.chance(600) { -change } else { change };
        if let Some((line, cents)) = bill.first_mut() {
            let difference = *cents * change / 100;
            *cents += difference;
            story.revised(after(engaged, draw.between(3, 20)), *line, difference);
        }
    }
    if draw.chance(SPENT_LESS_THAN_COMMITTED) {
        let spent = i64::from(draw.between(60, 95));
        for (_, cents) in &mut bill {
            *cents = *cents * spent / 100;
        }
    }

    let delivered = after(engaged, draw.between(10, 100));
    if draw.chance(PAID_IN_ADVANCE) {
        pay_in_advance(draw, &mut story, &bill, delivered);
    } else {
        pay_by_instalments(draw, &mut story, &bill, scheme, delivered);
    }

    let as_it_stands = pay_twice(oddities, &mut story, &bill) || oddities.chance(CLOSED_AS_IT_STANDS);
    let close = |story: &mut Story, day| {
        if as_it_stands { story.closed_as_it_stands(day) } else { story.closed(day) }
    };
    if draw.chance(RECOVERED) {
        if let Some((line, cents)) = bill.first() {
            let part = i64::from(draw.between(10, 40));
            let day = after(story.latest(), draw.between(30, 200));
            story.recovered(day, *line, cents * part / 100);
        }
        let day = after(story.latest(), draw.between(5, 30));
        close(&mut story, day);
    } else if draw.chance(CLOSED_IN_THE_END) {
        let day = after(story.latest(), draw.between(60, 200));
        close(&mut story, day);
    }
    story
}

/// Now and then a cost is paid once more; mostly the fund finds out. Says whether it was.
fn pay_twice(oddities: &mut Draw, story: &mut Story, bill: &[(Line, i64)]) -> bool {
    let Some((line, cents)) = bill.first().filter(|_| oddities.chance(PAID_TWICE)) else { return false };
    story.paid_out(payment_run(after(story.latest(), oddities.between(5, 40))), *line, *cents, "");
    if oddities.chance(ALL_TAKEN_BACK) {
        story.recovered(after(story.latest(), oddities.between(30, 200)), *line, *cents);
    }
    true
}

/// An action of one entry: engaged on this day, and nothing since.
pub(crate) fn draw_engaged_only(draw: &mut Draw, day: Date) -> Story {
    let scheme = draw_scheme(draw, day.year(), day.year());
    let mut story = Story::lodged(names::title(scheme, day.year(), draw), scheme, day);
    let line = Line { cost_kind: CostKind::Tuition, payee: Payee::Company };
    let cents = i64::try_from(draw.cents_per_trainee()).unwrap_or(i64::MAX);
    story.committed(day, line, cents);
    story
}

fn draw_engagement(draw: &mut Draw, lodged: Date) -> Date {
    if lodged.month() >= 10 && draw.chance(ENGAGED_AT_NEW_YEAR) {
        return match draw.chance(500) {
            true => year_end(lodged.year()),
            false => year_start(lodged.year() + 1),
        };
    }
    after(lodged, draw.between(5, 40))
}

/// A scheme that the law has both when the file is lodged and when it is engaged.
fn draw_scheme(draw: &mut Draw, lodged: i16, engaged: i16) -> Scheme {
    const WEIGHTS: [(Scheme, u32); 10] = [
        (Scheme::Plan, 62),
        (Scheme::Dif, 14),
        (Scheme::Professionalisation, 12),
        (Scheme::Cpf, 14),
        (Scheme::Assessment, 4),
        (Scheme::Vae, 3),
        (Scheme::Poe, 4),
        (Scheme::Pdc, 55),
        (Scheme::Apprenticeship, 20),
        (Scheme::ProA, 5),
    ];
    let place = draw.weighted(WEIGHTS.iter().map(|(scheme, weight)| {
        let exists = scheme_in_force(*scheme, lodged) && scheme_in_force(*scheme, engaged);
        if exists { *weight } else { 0 }
    }));
    WEIGHTS[place].0
}

/// What an action will cost, a line for each kind of cost.
fn draw_bill(draw: &mut Draw, scheme: Scheme, largest_group: u32) -> Vec<(Line, i64)> {
    // One contract costs three times one course; the factors keep the average where it is.
    let (trainees, per_cent) = match scheme {
        Scheme::Professionalisation | Scheme::Apprenticeship | Scheme::ProA => (1, 250),
        Scheme::Vae | Scheme::Assessment => (1, 100),
        _ => (draw.between(1, largest_group), 80),
    };
    let total: u64 = (0..trainees).map(|_| draw.cents_per_trainee() * per_cent / 100).sum();
    let total = i64::try_from(total).unwrap_or(i64::MAX / 100);

    let payee = if draw.chance(550) { Payee::Provider } else { Payee::Company };
    let tuition = Line { cost_kind: CostKind::Tuition, payee };
    let wages = Line { cost_kind: CostKind::Wages, payee: Payee::Company };
    let expenses = Line { cost_kind: CostKind::Expenses, payee: Payee::Company };
    let part = |per_cent: u32| total * i64::from(per_cent) / 100;
    match draw.below(100) {
        0..55 => vec![(tuition, total)],
        55..90 => {
            let first = part(draw.between(50, 75));
            vec![(tuition, first), (wages, total - first)]
        }
        _ => {
            let first = part(draw.between(50, 65));
            let second = part(draw.between(20, 30));
            vec![(tuition, first), (wages, second), (expenses, total - first - second)]
        }
    }
}

/// The money goes out on the promise of an invoice, which follows.
fn pay_in_advance(draw: &mut Draw, story: &mut Story, bill: &[(Line, i64)], delivered: Date) {
    let run = payment_run(after(story.latest(), draw.between(1, 10)));
    for (line, cents) in bill {
        story.paid_out(run, *line, *cents, "");
    }
    story.delivered(delivered);
    let received = after(story.latest(), draw.between(5, 30));
    let invoice = draw_invoice(draw, received);
    for (line, cents) in bill {
        story.invoiced(received, *line, *cents, &invoice);
    }
}

fn pay_by_instalments(draw: &mut Draw, story: &mut Story, bill: &[(Line, i64)], scheme: Scheme, delivered: Date) {
    let instalments: i64 = match scheme {
        // Contracts last a year and more and are billed by the quarter.
        Scheme::Professionalisation | Scheme::Apprenticeship => i64::from(draw.between(3, 4)),
        _ if draw.chance(250) => 2,
        _ => 1,
    };
    let mut due = delivered;
    for place in 0..instalments {
        // What rounding leaves goes to the later instalments; together they are the bill.
        let share = |cents: i64| cents * (place + 1) / instalments - cents * place / instalments;
        if place + 1 == instalments {
            story.delivered(due);
        }
        let received = after(due, draw.between(3, 35));
        let mut invoice = draw_invoice(draw, received);
        for (line, cents) in bill {
            story.invoiced(received, *line, share(*cents), &invoice);
        }
        if draw.chance(INVOICE_REJECTED) {
            let rejected = after(received, draw.between(3, 12));
            for (line, cents) in bill {
                story.invoice_rejected(rejected, *line, share(*cents), &invoice);
            }
            invoice.push_str("-R");
            let again = after(rejected, draw.between(5, 25));
            for (line, cents) in bill {
                story.invoiced(again, *line, share(*cents), &invoice);
            }
        }
        story.payment_ordered(after(story.latest(), draw.between(3, 12)));
        for (line, cents) in bill {
            pay(draw, story, *line, share(*cents), &invoice);
        }
        due = after(due, 91).max(story.latest());
    }
}

/// Pays with the next run; a transfer that the bank sends back is repeated with the run after.
fn pay(draw: &mut Draw, story: &mut Story, line: Line, cents: i64, invoice: &str) {
    let run = payment_run(story.latest());
    story.paid_out(run, line, cents, invoice);
    if draw.chance(RETURNED) {
        let returned = after(run, draw.between(2, 6));
        story.payment_returned(returned, run, line, cents);
        story.paid_out(payment_run(after(returned, 5)), line, cents, invoice);
    }
}

fn draw_invoice(draw: &mut Draw, received: Date) -> String {
    format!("F-{}-{:04}", received.year(), draw.between(1, 9_999))
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;
    use crate::distribution::Purpose;
    use crate::records::EntryKind;

    #[test]
    fn schemes_exist_in_their_years() {
        let mut draw = Draw::new(1, 1, Purpose::Actions);
        for year in 1995..2030 {
            for engaged in [year, year + 1] {
                let scheme = draw_scheme(&mut draw, year, engaged);
                assert!(scheme_in_force(scheme, year) && scheme_in_force(scheme, engaged), "{scheme:?} {year}");
            }
        }
    }

    #[test]
    fn amounts_are_positive_and_only_revisions_may_be_negative() {
        let mut draw = Draw::new(1, 2, Purpose::Actions);
        let mut oddities = Draw::new(1, 2, Purpose::Oddities);
        for _ in 0..5_000 {
            let story = draw_story(&mut draw, &mut oddities, date(2012, 11, 5), 8);
            for (_, fact) in story.until(date(2030, 1, 1)).unwrap().facts {
                let fine = match fact.kind {
                    EntryKind::CommitmentRevision => fact.cents != 0,
                    _ => fact.cents > 0,
                };
                assert!(fine, "{fact:?}");
            }
        }
    }
}
