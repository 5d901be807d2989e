//! One establishment's ledger: from its stories to the lines of the feed.

use std::io::{self, Write};

use jiff::civil::Date;

use crate::actions::{draw_engaged_only, draw_story};
use crate::calendar::year_end;
use crate::contributions::{self, Contribution, draw_contributions};
use crate::distribution::{Draw, Purpose};
use crate::feed_file::FeedFile;
use crate::members::{LARGE_ACCOUNT_INDEX, Member};
use crate::options::Options;
use crate::records::{ActionRecord, EntryRecord, Payee};
use crate::showcase;
use crate::story::{Line, Story, Told};

/// How many training bodies there are that the fund pays directly.
const PROVIDERS: u32 = 60;

/// Writes all that is known of an account on the feed's last day: contributions first, then each
/// action followed by its entries.
pub(crate) fn write_account<W: Write>(options: &Options, member: &Member, out: &mut FeedFile<W>) -> io::Result<()> {
    let mut account = Account {
        out,
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
        for contribution in draw_contributions(&mut draw, year, member.employees) {
            account.write_contribution(&contribution)?;
        }
    }
    let mut draw = Draw::new(options.seed, member.index, Purpose::Actions);
    match options.large_account {
        Some(entries) if member.index == LARGE_ACCOUNT_INDEX => {
            account.write_exactly(entries.into(), options, member, &mut draw)
        }
        _ => account.write_ordinary(options, member, &mut draw),
    }
}

/// An account under way.
struct Account<'a, W> {
    out: &'a mut FeedFile<W>,
    member_number: &'a str,
    horizon: Date,
    actions: u64,
    entries: u64,
}

impl<W: Write> Account<'_, W> {
    fn write_showcase(&mut self, options: &Options) -> io::Result<()> {
        let known = |year: i16| year >= options.years.first();
        for contribution in showcase::contributions().filter(|it| known(it.year)) {
            self.write_contribution(&contribution)?;
        }
        for story in showcase::stories() {
            if let Some(told) = story.until(self.horizon)
                && known(told.lodged.year())
            {
                self.write_action(told, 0)?;
            }
        }
        Ok(())
    }

    fn write_ordinary(&mut self, options: &Options, member: &Member, draw: &mut Draw) -> io::Result<()> {
        for year in options.years.iter() {
            let count = draw.count(member.bracket.actions_milli);
            let mut days: Vec<Date> = (0..count).map(|_| draw.day_of(year)).collect();
            days.sort_unstable();
            for day in days.into_iter().filter(|day| member.open_on(*day)) {
                let story = draw_story(draw, day, member.bracket.largest_group);
                self.tell(story, draw)?;
            }
        }
        Ok(())
    }

    /// Fills the account up to `target` entries, the same number each year.
    fn write_exactly(&mut self, target: u64, options: &Options, member: &Member, draw: &mut Draw) -> io::Result<()> {
        let years = options.years.iter().count() as u64;
        let start = self.entries;
        for (place, year) in (1..).zip(options.years.iter()) {
            let due = start + target.saturating_sub(start) * place / years;
            while self.entries < due {
                let day = draw.day_of(year);
                let story = draw_story(draw, day, member.bracket.largest_group);
                let Some(told) = story.until(self.horizon) else { continue };
                if self.entries + told.facts.len() as u64 > target {
                    break;
                }
                self.write_action(told, provider(draw))?;
            }
        }
        // The next action would have been too long. Files engaged in the last days, which nothing
        // has followed yet, are an entry each and make the number exact.
        while self.entries < target {
            let story = draw_engaged_only(draw, self.horizon);
            self.tell(story, draw)?;
        }
        Ok(())
    }

    fn tell(&mut self, story: Story, draw: &mut Draw) -> io::Result<()> {
        match story.until(self.horizon) {
            Some(told) => self.write_action(told, provider(draw)),
            None => Ok(()),
        }
    }

    fn write_action(&mut self, told: Told, provider: u32) -> io::Result<()> {
        self.actions += 1;
        let (member_number, ordinal) = (self.member_number, self.actions);
        let action_id = format!("{}-{member_number}-{ordinal:03}", told.lodged.year());
        self.out.action(ActionRecord {
            source_key: format!("A-{member_number}-{ordinal:03}"),
            source_version: told.version,
            member_number: member_number.to_owned(),
            action_id: action_id.clone(),
            title: told.title.to_owned(),
            scheme: told.scheme,
            status: told.status,
            engagement_date: told.engagement_date,
        })?;
        for (place, (date, fact)) in (1..).zip(told.facts) {
            let remittance = fact.transfer.map(|day| self.remittance(day, fact.line, provider));
            let (remittance_number, bank_reference) = remittance.unzip();
            let entry = EntryRecord {
                source_key: format!("E-{member_number}-{ordinal:03}-{place:02}"),
                source_version: 1,
                member_number: member_number.to_owned(),
                action_id: Some(action_id.clone()),
                kind: fact.kind,
                cost_kind: Some(fact.line.cost_kind),
                payee: Some(fact.line.payee),
                amount_cents: fact.cents,
                effective_date: date,
                contribution_year: None,
                remittance_number,
                bank_reference,
                invoice_number: fact.invoice,
                label: fact.label.to_owned(),
            };
            let entry = match fact.keyed_in {
                None => entry,
                Some(amount_cents) => {
                    self.write_entry(EntryRecord { amount_cents, ..entry.clone() })?;
                    EntryRecord { source_version: 2, ..entry }
                }
            };
            self.write_entry(entry)?;
        }
        Ok(())
    }

    fn write_contribution(&mut self, contribution: &Contribution) -> io::Result<()> {
        let Contribution { key, kind, year, cents, date } = *contribution;
        if date > self.horizon || cents == 0 {
            return Ok(());
        }
        self.write_entry(EntryRecord {
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
        })
    }

    fn write_entry(&mut self, record: EntryRecord) -> io::Result<()> {
        self.entries += 1;
        self.out.entry(record)
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
