//! The pure middle: no I/O, no clock, no randomness. Everything is a function of its inputs and the `now` that it is given.
//!
//! Flow: `catalogue, summary ← reference, join, window ← metric ← calibration, verdict ← alert ← shard, evaluator`, never back.
//! The two owners do not name each other: what one tells the other stands in `published`.

pub mod alert;
pub mod calibration;
pub mod catalogue;
pub mod evaluator;
pub mod join;
pub mod metric;
pub mod part;
pub mod published;
pub mod reference;
pub mod settings;
pub mod shard;
pub mod summary;
pub mod verdict;
pub mod window;

#[cfg(test)]
pub(crate) mod tests;
