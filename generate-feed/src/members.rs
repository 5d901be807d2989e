//! The establishments: which company they belong to, how large they are, how long they live.

use std::io::{self, Write};

use jiff::civil::Date;

use crate::batch::Batch;
use crate::calendar::{after, year_start};
use crate::distribution::{Bracket, Draw, Purpose};
use crate::expected::Outcome;
use crate::identifiers;
use crate::names;
use crate::options::Options;
use crate::records::MemberRecord;
use crate::showcase;
use crate::troubles::Troubles;

/// The place of the account that is given an exact number of entries.
pub(crate) const LARGE_ACCOUNT_INDEX: u32 = 5;

/// Companies of several sites come in the same places of each block of this many establishments,
/// so that an index says which company it belongs to without a look at the others.
const BLOCK: u32 = 40;

/// Per mille of the open establishments that close in a year.
const CLOSURES: u32 = 40;

/// Per mille of the establishments that opened during the years told, spread evenly; the others
/// were there before.
const OPENED_MEANWHILE: u32 = 120;

/// An establishment with what its ledger is drawn from.
pub(crate) struct Member {
    pub index: u32,
    pub record: MemberRecord,
    pub bracket: &'static Bracket,
    pub employees: u32,
}

impl Member {
    pub(crate) fn draw(options: &Options, index: u32) -> Self {
        let (company, site) = company_and_site(index);
        let mut of_company = Draw::new(options.seed, company, Purpose::Company);
        let company_name = match company {
            0 => names::LEAFLET_COMPANY.to_owned(),
            _ => names::company(&mut of_company),
        };
        let contact_email = names::contact_email(&company_name, &mut of_company);

        let mut draw = Draw::new(options.seed, index, Purpose::Member);
        let (bracket, opened_on, closed_on) = match (index, options.large_account) {
            (0, _) => (showcase::bracket(), showcase::OPENED_ON, None),
            (LARGE_ACCOUNT_INDEX, Some(entries)) => {
                let years = options.years.iter().count();
                let a_year = entries / u32::try_from(years).unwrap_or(1);
                (Bracket::with_entries(a_year), opened_before(options, &mut draw), None)
            }
            _ => {
                let bracket = Bracket::draw(&mut draw);
                let opened_on = opening(options, &mut draw);
                (bracket, opened_on, closure(options, opened_on, &mut draw))
            }
        };
        let name = match site {
            0 => company_name,
            _ => names::branch(&company_name, &mut draw),
        };
        let record = MemberRecord {
            member_number: identifiers::member_number(index),
            siret: identifiers::siret(company, site),
            name,
            headcount_band: bracket.headcount_band().to_owned(),
            contact_email,
            opened_on,
            closed_on,
            // The back office counts the closure as a change of what it sent at the opening.
            version: if closed_on.is_some() { 2 } else { 1 },
        };
        let employees = draw.between(bracket.employees.0, bracket.employees.1);
        Self { index, record, bracket, employees }
    }

    /// Whether the account was open on that day.
    pub(crate) fn open_on(&self, day: Date) -> bool {
        self.record.opened_on <= day && self.record.closed_on.is_none_or(|closed| day <= closed)
    }
}

/// Tells each batch what it is news of: the opening, the closure, or both at once.
pub(crate) fn write_member<M: Write, L: Write>(
    member: &Member,
    mut troubles: Option<&mut Troubles>,
    batches: &mut [Batch<M, L>],
) -> io::Result<()> {
    let record = &member.record;
    let mut known = 0;
    for batch in batches.iter_mut().filter(|batch| record.opened_on <= batch.days.last) {
        let now = match record.closed_on {
            Some(day) if day > batch.days.last => MemberRecord { closed_on: None, version: 1, ..record.clone() },
            _ => record.clone(),
        };
        if now.version == known {
            continue;
        }
        batch.member(&now, if known == 0 { Outcome::Posted } else { Outcome::Corrected })?;
        if let Some(troubles) = &mut troubles {
            troubles.member(&now, batch)?;
        }
        known = now.version;
    }
    Ok(())
}

/// The index of the company's first establishment, and which of its sites this is: in each block
/// one company has three and another two.
fn company_and_site(index: u32) -> (u32, u32) {
    let site = match index % BLOCK {
        1 | 11 => 1,
        2 => 2,
        _ => 0,
    };
    (index - site, site)
}

fn opened_before(options: &Options, draw: &mut Draw) -> Date {
    let years_before = i16::try_from(draw.between(1, 30)).unwrap_or(1);
    draw.day_of(options.years.first() - years_before)
}

fn opening(options: &Options, draw: &mut Draw) -> Date {
    if !draw.chance(OPENED_MEANWHILE) {
        return opened_before(options, draw);
    }
    let years = options.years.last() - options.years.first();
    let later = draw.between(0, u32::from(years.unsigned_abs()));
    draw.day_of(options.years.first() + i16::try_from(later).unwrap_or_default())
}

fn closure(options: &Options, opened_on: Date, draw: &mut Draw) -> Option<Date> {
    options.years.iter().find_map(|year| {
        let closes = draw.chance(CLOSURES);
        let day = after(year_start(year), draw.between(0, 364));
        (closes && day > opened_on).then_some(day)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::options::Years;

    fn options() -> Options {
        Options {
            establishments: 20_000,
            years: Years::new(2009, 2016).unwrap(),
            seed: 3,
            batch_id: "test".to_owned(),
            large_account: None,
        }
    }

    #[test]
    fn sites_share_their_companys_siren_and_name() {
        let options = options();
        for (index, head) in [(1, 0), (2, 0), (11, 10), (42, 40)] {
            let site = Member::draw(&options, index).record;
            let head = Member::draw(&options, head).record;
            assert_eq!(site.siret[..9], head.siret[..9]);
            assert_ne!(site.siret, head.siret);
            assert!(site.name.starts_with(&head.name));
        }
        assert_ne!(Member::draw(&options, 3).record.siret[..9], Member::draw(&options, 4).record.siret[..9]);
    }

    #[test]
    fn four_per_cent_of_the_open_ones_close_each_year() {
        let options = options();
        let members = (0..20_000).map(|index| Member::draw(&options, index).record);
        let mut open = [0_u32; 8];
        let mut closed = [0_u32; 8];
        for member in members {
            for (place, year) in options.years.iter().enumerate() {
                let there =
                    member.opened_on < year_start(year) && member.closed_on.is_none_or(|day| day >= year_start(year));
                open[place] += u32::from(there);
                let leaves = there && member.closed_on.is_some_and(|day| day.year() == year);
                closed[place] += u32::from(leaves);
            }
            assert!(member.closed_on.is_none_or(|day| day > member.opened_on));
        }
        let per_mille = closed.iter().sum::<u32>() * 1000 / open.iter().sum::<u32>();
        assert!((37..=43).contains(&per_mille), "{per_mille}");
    }

    #[test]
    fn sizes_are_shared_out_as_the_fund_counts_them() {
        let options = options();
        let small = (1..20_000).filter(|index| Member::draw(&options, *index).record.headcount_band == "1-9").count();
        assert!((17_100..17_500).contains(&small), "{small}");
    }
}
