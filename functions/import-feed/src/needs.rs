//! The records that are read for jobs before they are planned.

use portal::store::{Account, Action, AwaitedMember, Facets, Guard, Remittance, Totals, WaitingContent};

use crate::feed::LedgerRecord;
use crate::posting::{Context, Job, Need, Task};

/// The records that a job needs in any case, so that they are read in one call for many jobs.
pub(crate) fn first_needs(context: &Context, job: &Job) -> Vec<Need> {
    let guard = |source, key| Need::Guard(Guard::key_of(source, key));
    let account = |number| Need::Account(Account::key_of(number));
    let view = |number, view| [Need::Totals(Totals::key_of(number, view)), Need::Facets(Facets::key_of(number, view))];
    match &job.task {
        Task::Post(LedgerRecord::Action(record)) => {
            let mut needs = vec![guard(&context.source, &record.source_key), account(&record.member_number)];
            needs.push(Need::Action(Action::key_of(&record.member_number, &record.action_id)));
            needs.extend(view(&record.member_number, context.rule.of_engagement(record.engagement_date)));
            needs
        }
        Task::Post(LedgerRecord::Entry(record)) => {
            let mut needs = vec![guard(&context.source, &record.source_key), account(&record.member_number)];
            match (&record.action_id, record.facts.year) {
                (Some(action_id), _) => needs.push(Need::Action(Action::key_of(&record.member_number, action_id))),
                (None, Some(year)) => needs.extend(view(&record.member_number, context.rule.of_year(year))),
                (None, None) => {}
            }
            let remittance = record.facts.transfer(None);
            let key = |number| Remittance::key_of(&record.member_number, &context.source, number);
            needs.extend(remittance.map(|number| Need::Remittance(key(number))));
            needs
        }
        Task::Post(LedgerRecord::Withdrawal(record)) => vec![guard(&context.source, &record.source_key)],
        Task::Release(pending, target) => {
            let mut needs = vec![guard(&pending.source, &pending.source_key), account(&target.account)];
            needs.extend(
                [&pending.place, target].map(|place| Need::Action(Action::key_of(&place.account, &place.action_id))),
            );
            needs
        }
        Task::Relocate(entry, target) => {
            vec![guard(&entry.source, &entry.source_key), account(&target.account)]
        }
        Task::GiveUp(record, _) => {
            let awaited = Need::Awaited(AwaitedMember::key_of(&record.place.account));
            vec![guard(&record.source, &record.source_key), awaited]
        }
        Task::Admit(record) => {
            let place = &record.place;
            let awaited = Need::Awaited(AwaitedMember::key_of(&place.account));
            let mut needs = vec![guard(&record.source, &record.source_key), account(&place.account), awaited];
            needs.extend(place.action_id.as_ref().map(|id| Need::Action(Action::key_of(&place.account, id))));
            match &record.content {
                WaitingContent::Action { engagement_date, .. } => {
                    needs.extend(view(&place.account, context.rule.of_engagement(*engagement_date)));
                }
                WaitingContent::Entry(facts) => {
                    needs.extend(
                        facts.year.map(|year| view(&place.account, context.rule.of_year(year))).into_iter().flatten(),
                    );
                    let remittance = facts.transfer(None);
                    let key = |number| Remittance::key_of(&place.account, &record.source, number);
                    needs.extend(remittance.map(|number| Need::Remittance(key(number))));
                }
            }
            needs
        }
    }
}
