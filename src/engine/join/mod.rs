//! prediction ⋈ label by id: in either order, bounded in number, bytes and time, with coverage and delay.
//!
//! Invariant: every label ends in exactly one of joined, duplicate, waiting, not sampled, or a rejection with its reason.

mod chunk;
mod classes;
mod codec;
mod entry;
mod index;
mod label;
mod predictions;
mod sample;
mod slot;
mod store;
mod waiting;

pub use classes::Classes;
pub use codec::JoinRecord;
pub use entry::{Entry, JudgedList, Outcome, RankedList, Truth};
pub use label::{RelevantItem, Told, WaitingLabel};
pub use predictions::Place;
pub use sample::in_sample;
pub use store::{Bounds, Forgotten, JoinStore, Known, Pushed, key_of};

/// Most bytes that an allocation takes besides what was asked for.
const ALLOCATION_BYTES: usize = 24;

#[cfg(test)]
mod tests;
