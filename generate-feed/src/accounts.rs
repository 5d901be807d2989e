//! One establishment's ledger: from its stories to the lines of the feed.

use std::io::{self, Write};

use jiff::civil::Date;

use crate::actions::{draw_engaged_only, draw_story};
use crate::batch::Batch;
use crate::calendar::year_end;
use crate::contributions::{self, Contribution, draw_contributions};
use crate::distribution::{Draw, Purpose};
use crate::expected::{Expected, Outcome};
use crate::members::{LARGE_ACCOUNT_INDEX, Member};
use crate::options::Options;
use crate::records::{ActionRecord, EntryRecord, Payee};
use crate::showcase;
use crate::story::{Fact, Line, Story, Told};
use crate::troubles::{Troubles, Unit};

/// How many training bodies there are that the fund pays directly.
const PROVIDERS: u32 = 60;

/// Writes all that is known of an account on the feed's last day: contributions first, then each
/// action followed by its entries. Each batch gets what happened on its days.
pub(crate) fn write_account<M: Write, L: Write>(
    options: &Options,
    member: &Member,
    troubles: Option<&mut Troubles>,
    batches: &mut [Batch<M, L>],
    expected: &mut Expected,
) -> io::Result<()> {
    let mut account = Account {
        batches,
        troubles,
        expected,
        member_number: &member.record.member_number,
        horizon: options.years.horizon(),
        actions: 0,
        entries: 0,
    };
    if member.index == 0 {
        return account.write_showcase(options);
    }
    let mut draw = Draw::new(options.seed, member.index, Purpose::Contributions);
    for year in options.years.iter().filter(|year| member.open_on(year_end(*year))) {
        account.write_contributions(&draw_contributions(&mut draw, year, member.employees))?;
    }
    let mut draw = Dice {
        actions: Draw::new(options.seed, member.index, Purpose::Actions),
        oddities: Draw::new(options.seed, member.index, Purpose::Oddities),
    };
    match options.large_account {
        Some(entries) if member.index == LARGE_ACCOUNT_INDEX => {
            account.write_exactly(entries.into(), options, member, &mut draw)
        }
        _ => account.write_ordinary(options, member, &mut draw),
    }
}

/// What an account's actions are drawn with.
struct Dice {
    actions: Draw,
    oddities: Draw,
}

impl Dice {
    fn story(&mut self, lodged: Date, member: &Member) -> Story {
        draw_story(&mut self.actions, &mut self.oddities, lodged, member.bracket.largest_group)
    }
}

/// An account under way.
struct Account<'a, M, L> {
    batches: &'a mut [Batch<M, L>],
    troubles: Option<&'a mut Troubles>,
    expected: &'a mut Expected,
    member_number: &'a str,
    horizon: Date,
    actions: u64,
    /// Those in force; what was keyed in wrong first does not count twice.
    entries: u64,
}

impl<M: Write, L: Write> Account<'_, M, L> {
    fn write_showcase(&mut self, options: &Options) -> io::Result<()> {
        let known = |year: i16| year >= options.years.first();
        for contribution in showcase::contributions().filter(|it| known(it.year)) {
            self.write_contributions(&[contribution])?;
        }
        for story in showcase::stories() {
            if let Some(told) = story.until(self.horizon)
                && known(told.lodged.year())
            {
                self.write_action(&story, &told, 0)?;
            }
        }
        Ok(())
    }

    fn write_ordinary(&mut self, options: &Options, member: &Member, dice: &mut Dice) -> io::Result<()> {
        for year in options.years.iter() {
            let count = dice.actions.count(member.bracket.actions_milli);
            let mut days: Vec<Date> = (0..count).map(|_| dice.actions.day_of(year)).collect();
            days.sort_unstable();
            for day in days.into_iter().filter(|day| member.open_on(*day)) {
                let story = dice.story(day, member);
                self.tell(&story, &mut dice.actions)?;
            }
        }
        Ok(())
    }

    /// Fills the account up to `target` entries, the same number each year.
    fn write_exactly(&mut self, target: u64, options: &Options, member: &Member, dice: &mut Dice) -> io::Result<()> {
        let years = options.years.iter().count() as u64;
        let start = self.entries;
        for (place, year) in (1..).zip(options.years.iter()) {
            let due = start + target.saturating_sub(start) * place / years;
            while self.entries < due {
                let day = dice.actions.day_of(year);
                let story = dice.story(day, member);
                let Some(told) = story.until(self.horizon) else { continue };
                if self.entries + told.facts.len() as u64 > target {
                    break;
                }
                self.write_action(&story, &told, provider(&mut dice.actions))?;
            }
        }
        // The next action would have been too long. Files engaged in the last days, which nothing
        // has followed yet, are an entry each and make the number exact.
        while self.entries < target {
            let story = draw_engaged_only(&mut dice.actions, self.horizon);
            self.tell(&story, &mut dice.actions)?;
        }
        Ok(())
    }

    fn tell(&mut self, story: &Story, draw: &mut Draw) -> io::Result<()> {
        match story.until(self.horizon) {
            Some(told) => self.write_action(story, &told, provider(draw)),
            None => Ok(()),
        }
    }

    /// Sends each batch the action's state on its last day, if that is news, and the entries of its days.
    fn write_action(&mut self, story: &Story, told: &Told, provider: u32) -> io::Result<()> {
        self.actions += 1;
        self.entries += told.facts.len() as u64;
        self.expected.action(told);
        let (mut version, mut facts) = (0, 0);
        for place in 0..self.batches.len() {
            let Some(now) = story.until(self.batches[place].days.last) else { continue };
            let mut units = Vec::with_capacity(now.facts.len() - facts + 1);
            if now.version > version {
                let outcome = if version == 0 { Outcome::Posted } else { Outcome::Corrected };
                units.push(Unit::Action(self.action(&now), outcome));
            }
            for (ordinal, (day, fact)) in (1..).zip(&now.facts).skip(facts) {
                units.push(self.entry(&now, ordinal, *day, fact, provider));
            }
            (version, facts) = (now.version, now.facts.len());
            self.send(units, place)?;
        }
        Ok(())
    }

    fn action(&self, told: &Told) -> ActionRecord {
        let (member_number, ordinal) = (self.member_number, self.actions);
        ActionRecord {
            source_key: format!("A-{member_number}-{ordinal:03}"),
            source_version: told.version,
            member_number: member_number.to_owned(),
            action_id: self.action_id(told),
            title: told.title.to_owned(),
            scheme: told.scheme,
            status: told.status,
            engagement_date: told.engagement_date,
        }
    }

    fn action_id(&self, told: &Told) -> String {
        format!("{}-{}-{:03}", told.lodged.year(), self.member_number, self.actions)
    }

    /// The `place`-th entry of an action, counted from 1.
    fn entry(&self, told: &Told, place: u32, day: Date, fact: &Fact, provider: u32) -> Unit {
        let (member_number, ordinal) = (self.member_number, self.actions);
        let remittance = fact.transfer.map(|day| self.remittance(day, fact.line, provider));
        let (remittance_number, bank_reference) = remittance.unzip();
        let record = EntryRecord {
            source_key: format!("E-{member_number}-{ordinal:03}-{place:02}"),
            source_version: if fact.keyed_in.is_some() { 2 } else { 1 },
            member_number: member_number.to_owned(),
            action_id: Some(self.action_id(told)),
            kind: fact.kind,
            cost_kind: Some(fact.line.cost_kind),
            payee: Some(fact.line.payee),
            amount_cents: fact.cents,
            effective_date: day,
            contribution_year: None,
            remittance_number,
            bank_reference,
            invoice_number: fact.invoice.clone(),
            label: fact.label.to_owned(),
        };
        let mistaken = |cents| EntryRecord { source_version: 1, amount_cents: cents, ..record.clone() };
        let mistake = fact.keyed_in.map(|cents| Box::new(mistaken(cents)));
        Unit::Entry { mistake, record }
    }

    /// Sends each batch those of its days.
    fn write_contributions(&mut self, contributions: &[Contribution]) -> io::Result<()> {
        let horizon = self.horizon;
        let known = || contributions.iter().filter(move |it| it.date <= horizon && it.cents != 0);
        for contribution in known() {
            self.entries += 1;
            self.expected.contribution(contribution);
        }
        for place in 0..self.batches.len() {
            let days = self.batches[place].days;
            let own = known().filter(|it| days.contains(it.date));
            let units = own.map(|it| Unit::Entry { mistake: None, record: self.contribution(it) }).collect();
            self.send(units, place)?;
        }
        Ok(())
    }

    fn contribution(&self, contribution: &Contribution) -> EntryRecord {
        let Contribution { key, kind, year, cents, date } = *contribution;
        EntryRecord {
            source_key: format!("E-{}-C{year}-{key}", self.member_number),
            source_version: 1,
            member_number: self.member_number.to_owned(),
            action_id: None,
            kind,
            cost_kind: None,
            payee: None,
            amount_cents: cents,
            effective_date: date,
            contribution_year: Some(year),
            remittance_number: None,
            bank_reference: None,
            invoice_number: None,
            label: contributions::label(kind, year),
        }
    }

    fn send(&mut self, units: Vec<Unit>, place: usize) -> io::Result<()> {
        let batch = &mut self.batches[place];
        match &mut self.troubles {
            Some(troubles) => troubles.send(units, place, batch),
            None => units.into_iter().flat_map(|unit| unit.into_lines(false)).try_for_each(|sent| batch.send(&sent)),
        }
    }

    /// Number and bank reference of a transfer. They follow from the day and from who is paid, so
    /// that all that one run pays to one payee is on one notice.
    fn remittance(&self, day: Date, line: Line, provider: u32) -> (String, String) {
        let payee = match line.payee {
            Payee::Company => self.member_number.to_owned(),
            Payee::Provider => format!("P{provider:02}"),
        };
        let run = day.strftime("%m%d");
        (format!("V-{}-{run}-{payee}", day.year()), format!("CSTR {}{run} {payee}", day.year()))
    }
}

fn provider(draw: &mut Draw) -> u32 {
    draw.between(1, PROVIDERS)
}
