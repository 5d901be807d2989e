//! What an establishment pays in.

use jiff::civil::{self, Date};

use crate::calendar::after;
use crate::distribution::Draw;
use crate::records::EntryKind;

/// A contribution entry in the making.
pub(crate) struct Contribution {
    /// Tells the contributions of one year apart.
    pub key: &'static str,
    pub kind: EntryKind,
    pub year: i16,
    pub cents: i64,
    pub date: Date,
}

/// 25,000.00 EUR: what an employee of the trade earns in a year, about.
const WAGES_A_HEAD: i64 = 2_500_000;

// Per mille of the years of an establishment of ten or more.
const VOLUNTARY: u32 = 120;
const REFUND: u32 = 25;

/// What is paid for `year`: the collective agreement's share by halves in spring and autumn, the
/// legal share before the end of the next February, as the law has it.
pub(crate) fn draw_contributions(draw: &mut Draw, year: i16, employees: u32) -> Vec<Contribution> {
    let wages = i64::from(employees) * WAGES_A_HEAD * i64::from(draw.between(90, 110)) / 100;
    let small = employees < 10;
    // Of wages: 0.55 % below ten employees, 1.60 % from ten on.
    let legal = wages * if small { 55 } else { 160 } / 10_000;
    // What the trade's agreement adds: 0.35 % and 0.20 %.
    let agreement = wages * if small { 35 } else { 20 } / 10_000;

    let mut contributions = Vec::with_capacity(5);
    let mut add = |draw: &mut Draw, key, kind, cents, in_year, in_month| {
        let date = after(civil::date(in_year, in_month, 1), draw.between(8, 27));
        contributions.push(Contribution { key, kind, year, cents, date });
    };
    let half = agreement / 2;
    add(draw, "A1", EntryKind::ContributionAgreement, half, year, 4);
    add(draw, "A2", EntryKind::ContributionAgreement, agreement - half, year, 9);
    if !small && draw.chance(VOLUNTARY) {
        let cents = legal * i64::from(draw.between(10, 60)) / 100;
        add(draw, "V", EntryKind::ContributionVoluntary, cents, year, 11);
    }
    add(draw, "L", EntryKind::ContributionLegal, legal, year + 1, 2);
    if !small && draw.chance(REFUND) {
        let cents = legal * i64::from(draw.between(2, 15)) / 100;
        add(draw, "R", EntryKind::ContributionRefund, cents, year + 1, 5);
    }
    contributions
}

/// What a member reads.
pub(crate) fn label(kind: EntryKind, year: i16) -> String {
    let what = match kind {
        EntryKind::ContributionLegal => "Contribution légale",
        EntryKind::ContributionAgreement => "Contribution conventionnelle",
        EntryKind::ContributionVoluntary => "Versement volontaire",
        EntryKind::ContributionRefund => "Remboursement de trop-versé",
        _ => "Contribution",
    };
    format!("{what} {year}")
}
