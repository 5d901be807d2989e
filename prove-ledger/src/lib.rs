//! Proof of a ledger: its entries are those that digests of earlier hours name.
//!
//! `reconcile` writes digests into a bucket where nobody can change them. This reads entries with nobody's help and adds up the
//! same hashes, so that it needs the right to read one table, and trust in neither the functions nor the operators
//! ([0159](../../docs/decisions/0159-digests-that-nobody-can-delete.md)).

mod digests;
mod entries;
mod fault;
mod proof;

pub use digests::{Attested, Digests, DigestsError};
pub use fault::Fault;
pub use proof::{Faulty, Proof, prove};
