//! The posting rule against a ledger in memory: golden figures, and any sequence of records against a
//! plain model.

mod booking;
mod bounds;
mod golden;
mod histories;
mod ledger;
mod renumbered;
mod sequences;
mod sources;
mod transfers;
mod waits;
mod warnings;
mod withdrawals;
