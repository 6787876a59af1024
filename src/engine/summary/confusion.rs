//! Predicted class against true class.

use super::take_counts;
use ndarray::Array2;
use serde::{Deserialize, Serialize};

/// A confusion matrix as counts by (true class, predicted class), both as places in the model's label map.
/// Sparse and growing, so that a label map that is still being learned needs no rebuilding.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Confusion {
    counts: std::collections::BTreeMap<(u16, u16), u64>,
}

impl Confusion {
    /// Counts one labelled prediction.
    pub fn add(&mut self, label: u16, predicted: u16) {
        *self.counts.entry((label, predicted)).or_default() += 1;
    }

    /// Takes one labelled prediction out again (a revised label).
    pub fn remove(&mut self, label: u16, predicted: u16) {
        if let Some(count) = self.counts.get_mut(&(label, predicted)) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                self.counts.remove(&(label, predicted));
            }
        }
    }

    /// Adds `other`.
    pub fn merge(&mut self, other: &Self) {
        for (&cell, &count) in &other.counts {
            *self.counts.entry(cell).or_default() += count;
        }
    }

    /// Takes `other`, which is a part of it, out again; no trace of it is left.
    pub fn unmerge(&mut self, other: &Self) {
        take_counts(&mut self.counts, &other.counts);
    }

    /// Number of labelled predictions.
    pub fn total(&self) -> u64 {
        self.counts.values().sum()
    }

    /// The dense matrix over `n_classes` classes: rows are labels, columns are predictions.
    pub fn matrix(&self, n_classes: usize) -> Array2<u64> {
        let mut matrix = Array2::zeros((n_classes, n_classes));
        for (&(label, predicted), &count) in &self.counts {
            if let Some(cell) = matrix.get_mut((usize::from(label), usize::from(predicted))) {
                *cell += count;
            }
        }
        matrix
    }
}
