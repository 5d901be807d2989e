//! The tests of what crosses functions. One binary, as each would link the whole portal; a part runs
//! alone with `cargo test -p portal-tests journeys::`.

#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "tests and what they are made of")]

mod access_requests;
mod account_list;
mod applications;
mod asvs;
mod budgets;
mod canary;
mod colleagues_at_once;
mod command_line;
mod contest;
mod documents;
mod edge;
mod email_change;
mod erasure;
mod events;
mod everything;
mod evidence;
mod expiries;
mod expiry;
mod export;
mod faults;
mod guessed_numbers;
mod guessing;
mod hand_over;
mod idempotency;
mod input;
mod journeys;
mod keys;
mod kill;
mod ledger;
mod ledger_files;
mod left_addresses;
mod links;
mod mail_feedback;
mod news;
mod nothing_forgotten;
mod observed;
mod one_user_twice;
mod policies;
mod postings;
mod profile;
mod races;
mod roles;
mod security;
mod ses_outage;
mod sessions;
mod staff;
mod staff_acts;
mod staff_commands;
mod statement;
mod templates;
mod tour;
mod users;
mod users_at_once;
