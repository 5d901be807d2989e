//! Ten minutes without SES: no mail is lost, and none is sent twice but one whose sender crashed.
//!
//! The portal's own parts do it: the reader of the stream with its retries, its bisecting and its dead letters, and
//! the sweep, which runs when its schedule would. Only the clock is moved.

use std::collections::BTreeMap;
use std::time::Duration;

use futures::future::join_all;
use harness::{Outage, PASSWORD, Person, World, link_token};
use local::Mail;
use portal::store::Table;

const MINUTE: Duration = Duration::from_secs(60);
/// Who signs up in each of the ten minutes: together more than the stream hands over at once, or gives up on slowly.
const A_MINUTE: usize = 5;
/// What SES throttles before it takes nothing: the three attempts of one call, and one more.
const THROTTLED: usize = 4;

fn people() -> Vec<Person> {
    (0..10 * A_MINUTE).map(|number| Person::at(&format!("jeanne{number}@martin.example"))).collect()
}

/// The mails by whom they are to.
fn by_reader(mails: &[Mail]) -> BTreeMap<&str, Vec<&Mail>> {
    let mut readers = BTreeMap::<&str, Vec<&Mail>>::new();
    for mail in mails {
        readers.entry(&mail.to).or_default().push(mail);
    }
    readers
}

/// Ten minutes in which people sign up and SES takes nothing; the sweep runs after five and after ten.
async fn outage(world: &World, ses: &Outage, people: &[Person]) {
    ses.throttle(THROTTLED);
    ses.begin();
    for (minute, people) in people.chunks(A_MINUTE).enumerate() {
        for answer in join_all(people.iter().map(|person| world.sign_up(person))).await {
            answer.expect(202);
        }
        world.portal.drain().await.unwrap();
        world.advance(MINUTE);
        if minute % 5 == 4 {
            world.sweep().await;
        }
    }
    assert!(world.portal.mails().is_empty(), "SES took one");
    ses.end();
}

/// The sweep's next runs, and all mails after them; what the first woke is not woken by the second.
async fn next_sweeps(world: &World) -> Vec<Mail> {
    for _ in 0..3 {
        world.advance(5 * MINUTE);
        world.sweep().await;
    }
    world.mails().await
}

/// How many wishes for a mail are open.
async fn open_wishes(world: &World) -> usize {
    world.items(Table::Identity).await.iter().filter(|item| item.contains_key("unsent")).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_minutes_without_ses_lose_no_mail_and_send_none_twice() {
    let (ses, options) = Outage::of_ses();
    let world = World::start_with(options).await;
    let people = people();
    outage(&world, &ses, &people).await;

    // Each was given up on by the stream, which names its place there, and by none of the sweeps.
    let letters = world.portal.dead_letters();
    assert!(letters.len() >= people.len(), "{} of {} were given up on", letters.len(), people.len());
    assert!(letters.iter().all(|letter| letter["function"] == "send-mail"), "{letters:?}");
    assert!(ses.refused() > 6 * people.len(), "the stream tries a record six times, not {} in all", ses.refused());
    assert_eq!(open_wishes(&world).await, people.len(), "each waits in the outbox");

    let mails = next_sweeps(&world).await;
    let readers = by_reader(&mails);
    assert_eq!(readers.len(), people.len(), "a mail is lost");
    assert_eq!(mails.len(), people.len(), "a mail came twice");
    assert_eq!(open_wishes(&world).await, 0);
    for person in [&people[0], &people[people.len() - 1]] {
        let jeanne = world.visitor();
        jeanne.set_password(&link_token(readers[person.email.as_str()][0]), PASSWORD).await.expect(204);
        jeanne.log_in(&person.email, PASSWORD).await.expect(200);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crash_between_ses_and_the_mark_sends_that_one_mail_twice_and_no_other() {
    let (ses, options) = Outage::of_ses();
    let world = World::start_with(options).await;
    let people = people();
    outage(&world, &ses, &people).await;
    ses.crash_sender();
    let mails = next_sweeps(&world).await;
    let readers = by_reader(&mails);
    assert_eq!(readers.len(), people.len(), "a mail is lost");
    let twice: Vec<_> = readers.values().filter(|copies| copies.len() > 1).collect();
    assert_eq!(twice.len(), 1, "one sender crashed: {twice:?}");
    assert_eq!(twice[0].len(), 2);
    // The same link, so whichever of the two is read works.
    assert_eq!(twice[0][0].text, twice[0][1].text);
    assert_eq!(open_wishes(&world).await, 0);
}
