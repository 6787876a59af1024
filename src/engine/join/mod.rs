//! prediction ⋈ label by id: in either order, bounded in number and time, with coverage and delay.
//!
//! Invariant: every label ends in exactly one of joined, duplicate, waiting, or a rejection with its reason.

mod classes;
mod store;

pub use classes::Classes;
pub use store::{Entry, JoinStore, JudgedList, Known, Outcome, RankedList, RelevantItem, Told, Truth, WaitingLabel, key_of};
