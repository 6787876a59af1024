//! Mergeable summaries: everything a window knows is a sum of integers, so order and grouping never matter (invariant I4).

mod column_sum;
mod confusion;
mod fixed;
mod histogram;
mod magnitudes;
mod moments;
mod names;
mod numbers;
mod packed;
mod positions;
mod ranking;
mod regression;
mod scored;
mod scores;
mod vector;

pub use column_sum::ColumnSum;
pub use confusion::Confusion;
pub use fixed::FixedSum;
pub use histogram::Histogram;
pub use magnitudes::Magnitudes;
pub use moments::{MOST_SIGMAS, MeanAndProducts, MomentSums, moment_units};
pub use names::NameCounts;
pub use numbers::NumberSums;
pub use packed::{Packer, Unpacker};
pub use positions::{OffsetRange, Positions};
pub use ranking::{FoundValues, ListValues, RankingSums, ValueSums};
pub use regression::RegressionSums;
pub use scored::{Losses, ScoreSums, Scores};
pub use scores::{ScoreTable, score_cell, score_range};
pub use vector::{FEATURE_UNIT, VectorSums};

use crate::event::InvalidReason;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Counts of one column: by cell (numeric) or by name (categorical), as its reference cuts it, with what was not countable kept apart.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ColumnCounts {
    /// One count per slot of the reference's column.
    pub slots: Vec<u64>,
    /// Nulls and absent keys.
    pub missing: u64,
    /// Values that could not be counted, in the order of [`InvalidReason::ALL`].
    pub invalid: [u64; InvalidReason::ALL.len()],
    /// Sums of the values in slots (numeric columns).
    pub sums: Option<NumberSums>,
}

impl ColumnCounts {
    /// Empty counts over `slots` slots.
    pub fn new(slots: usize) -> Self {
        Self { slots: vec![0; slots], missing: 0, invalid: [0; InvalidReason::ALL.len()], sums: None }
    }

    /// Counts one value in `slot`. A slot outside the column is a defect of the caller; it is ignored in release builds.
    pub fn add(&mut self, slot: usize) {
        debug_assert!(slot < self.slots.len());
        if let Some(count) = self.slots.get_mut(slot) {
            *count += 1;
        }
    }

    /// Takes one value out of `slot` again (a revised label).
    pub fn remove(&mut self, slot: usize) {
        if let Some(count) = self.slots.get_mut(slot) {
            *count = count.saturating_sub(1);
        }
    }

    /// Counts one number in `slot`: `deviation` from the reference's mean, `beyond` its range (see [`NumberSums::add`]).
    pub fn add_number(&mut self, slot: usize, deviation: f64, beyond: f64) {
        self.add(slot);
        if let Some(sums) = &mut self.sums {
            sums.add(deviation, beyond);
        }
    }

    /// Takes one number out of `slot` again; no trace of it is left.
    pub fn remove_number(&mut self, slot: usize, deviation: f64, beyond: f64) {
        self.remove(slot);
        if let Some(sums) = &mut self.sums {
            sums.remove(deviation, beyond);
        }
    }

    /// Counts one value that could not be used.
    pub fn add_invalid(&mut self, reason: InvalidReason) {
        self.invalid[reason as usize] += 1;
    }

    /// Number of values in slots.
    pub fn valid(&self) -> u64 {
        self.slots.iter().sum()
    }

    /// Number of values that could not be used, for any reason.
    pub fn invalid(&self) -> u64 {
        self.invalid.iter().sum()
    }

    /// Number of events seen by this column.
    pub fn total(&self) -> u64 {
        self.valid() + self.missing + self.invalid()
    }

    /// Adds `other`, slot by slot. Both belong to the same reference column.
    pub fn merge(&mut self, other: &Self) {
        debug_assert_eq!(self.slots.len(), other.slots.len());
        for (mine, theirs) in self.slots.iter_mut().zip(&other.slots) {
            *mine += theirs;
        }
        self.missing += other.missing;
        for (mine, theirs) in self.invalid.iter_mut().zip(&other.invalid) {
            *mine += theirs;
        }
        match (&mut self.sums, &other.sums) {
            (Some(mine), Some(theirs)) => mine.merge(theirs),
            (mine @ None, Some(theirs)) => *mine = Some(*theirs),
            (_, None) => {}
        }
    }

    /// Takes `other`, which is a part of it, out again.
    pub fn unmerge(&mut self, other: &Self) {
        debug_assert_eq!(self.slots.len(), other.slots.len());
        let slots = self.slots.iter_mut().zip(&other.slots);
        for (mine, theirs) in slots.chain(self.invalid.iter_mut().zip(&other.invalid)) {
            *mine = mine.saturating_sub(*theirs);
        }
        self.missing = self.missing.saturating_sub(other.missing);
        if let (Some(mine), Some(theirs)) = (&mut self.sums, &other.sums) {
            mine.unmerge(theirs);
        }
    }
}

/// Takes the counts of a part out of those of the whole; what is then 0 leaves no trace.
fn take_counts<K: Ord>(whole: &mut BTreeMap<K, u64>, part: &BTreeMap<K, u64>) {
    for (key, count) in part {
        let Some(mine) = whole.get_mut(key) else { continue };
        *mine = mine.saturating_sub(*count);
        if *mine == 0 {
            whole.remove(key);
        }
    }
}

#[cfg(test)]
mod tests;
