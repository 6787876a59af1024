//! What the scores and predictions of a reference let expect of rows that have no label yet.
//!
//! Invariant: integers and exact sums only, so that it does not depend on the order of the rows.

use crate::engine::summary::{FixedSum, ScoreTable, score_range};
use crate::stats::{Chance, Pool, isotonic};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// What a reference with labels says of rows without them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Expectation {
    /// One calibration per class that has scores, in the order of [`super::OutputReference::scores`].
    Classes(Vec<ScoreCalibration>),
    /// Errors by prediction.
    Numbers(ErrorTable),
}

/// How often a score of a class is right.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ScoreCalibration {
    /// The class.
    pub class: Arc<str>,
    /// Neighbouring score cells with one common share of rows of the class, rising.
    pub steps: Vec<CalibrationStep>,
    /// The reference's scores by whether the class was predicted.
    pub predicted: ScoreTable,
}

/// Score cells `first` to `last` and the answers in them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct CalibrationStep {
    /// First cell.
    pub first: u16,
    /// Last cell.
    pub last: u16,
    /// Rows that were not of the class.
    pub no: u64,
    /// Rows that were.
    pub yes: u64,
}

/// Errors of a regression by groups of neighbouring predictions.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ErrorTable {
    /// What the sums are measured in: errors are divided by it before they are added, so that sums of their powers keep their digits.
    pub unit: f64,
    /// For each slot of the reference's prediction column the group that it belongs to.
    pub groups: Vec<u16>,
    /// One entry per group.
    pub sums: Vec<ErrorSums>,
}

/// Sums over the rows of one group, with u = (prediction − label) / unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorSums {
    /// Number of rows.
    pub n: u64,
    /// Σ|u|.
    pub absolute: FixedSum,
    /// Σu².
    pub squared: FixedSum,
    /// Σu⁴.
    pub fourth: FixedSum,
}

impl ScoreCalibration {
    /// Fits the calibration of `class` to its scores by whether it was true; `None` without any.
    pub fn fit(class: Arc<str>, truth: &ScoreTable, predicted: ScoreTable) -> Option<Self> {
        let cells: Vec<u16> = truth.iter().map(|(cell, _)| cell).collect();
        let pools = isotonic(truth.iter().map(|(_, counts)| counts));
        let step = |pool: Pool| CalibrationStep { first: cells[pool.first], last: cells[pool.last], no: pool.no, yes: pool.yes };
        let steps: Vec<CalibrationStep> = pools.into_iter().map(step).collect();
        (!steps.is_empty()).then_some(Self { class, steps, predicted })
    }

    /// The steps as pools, which [`ScoreCalibration::chance`] refers to.
    pub fn pools(&self) -> Vec<Pool> {
        let pool = |(place, step): (usize, &CalibrationStep)| Pool { first: place, last: place, no: step.no, yes: step.yes };
        self.steps.iter().enumerate().map(pool).collect()
    }

    /// Labelled rows that it was fitted to.
    pub fn n(&self) -> u64 {
        self.steps.iter().map(|step| step.no + step.yes).sum()
    }

    /// The chance that a row with a score in `cell` is of the class: that of its step, between two steps on the straight line from one to the other,
    /// beyond the outer ones theirs.
    pub fn chance(&self, cell: u16) -> Chance {
        let above = self.steps.partition_point(|step| step.last < cell).min(self.steps.len().saturating_sub(1));
        let alone = Chance { low: above, high: above, weight: 0.0 };
        let (Some(next), Some(before)) = (self.steps.get(above), above.checked_sub(1).and_then(|place| self.steps.get(place))) else {
            return alone;
        };
        if next.first <= cell || cell > next.last {
            return alone;
        }
        let (from, at, to) = (middle(before.last), middle(cell), middle(next.first));
        // two cells may share their middle only where they are one
        if to > from { Chance { low: above - 1, high: above, weight: (at - from) / (to - from) } } else { alone }
    }
}

/// The score that stands for a cell.
fn middle(cell: u16) -> f64 {
    let (from, to) = score_range(cell);
    (from + to) / 2.0
}

impl ErrorTable {
    /// An empty table over these groups.
    pub fn new(unit: f64, groups: Vec<u16>) -> Self {
        let n_groups = groups.iter().max().map_or(0, |group| usize::from(*group) + 1);
        let unit = if unit.is_finite() && unit > 0.0 { unit } else { 1.0 };
        Self { unit, groups, sums: vec![ErrorSums::default(); n_groups] }
    }

    /// Counts one row whose prediction belongs to `slot`.
    pub fn add(&mut self, slot: usize, error: f64) {
        let Some(sums) = self.groups.get(slot).and_then(|group| self.sums.get_mut(usize::from(*group))) else { return };
        let error = error / self.unit;
        sums.n += 1;
        sums.absolute.add(error.abs());
        sums.squared.add(error * error);
        sums.fourth.add(error.powi(4));
    }

    /// Rows that it was made of.
    pub fn n(&self) -> u64 {
        self.sums.iter().map(|sums| sums.n).sum()
    }

    /// Whether a term was too large for the sums, so that they cannot be trusted.
    pub fn is_cut(&self) -> bool {
        self.sums.iter().any(|sums| sums.absolute.saturated() + sums.squared.saturated() + sums.fourth.saturated() > 0)
    }
}

impl Default for ErrorSums {
    fn default() -> Self {
        let zero = FixedSum::new(0);
        Self { n: 0, absolute: zero, squared: zero, fourth: zero }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::summary::score_cell;

    fn table(rows: &[(f64, u64, u64)]) -> ScoreTable {
        let mut table = ScoreTable::default();
        for &(score, no, yes) in rows {
            (0..no).for_each(|_| table.add(score_cell(score), false));
            (0..yes).for_each(|_| table.add(score_cell(score), true));
        }
        table
    }

    #[test]
    fn a_score_between_two_steps_lies_on_the_line_between_them() {
        // 0.2 and 0.3 are out of order: one step of 4 in 10
        let truth = table(&[(0.1, 9, 1), (0.2, 2, 3), (0.3, 4, 1), (0.9, 1, 9)]);
        let calibration = ScoreCalibration::fit("1".into(), &truth, ScoreTable::default()).unwrap();
        let pools = calibration.pools();
        assert_eq!((calibration.n(), pools.len()), (30, 3));
        let chance = |score: f64| calibration.chance(score_cell(score)).of(&pools);
        for (score, want) in
            [(0.0, 0.1), (0.1, 0.1), (0.15, 0.25), (0.2, 0.4), (0.25, 0.4), (0.3, 0.4), (0.6, 0.65), (0.9, 0.9), (1.0, 0.9)]
        {
            assert!((chance(score) - want).abs() < 1e-12, "{score}: {}", chance(score));
        }
        assert_eq!(ScoreCalibration::fit("1".into(), &ScoreTable::default(), ScoreTable::default()), None);
    }

    #[test]
    fn errors_are_added_by_group() {
        let mut errors = ErrorTable::new(2.0, vec![0, 0, 1]);
        for (slot, error) in [(0, 2.0), (1, -4.0), (2, 6.0), (9, 1.0)] {
            errors.add(slot, error);
        }
        let sums: Vec<_> = errors.sums.iter().map(|s| (s.n, s.absolute.value(), s.squared.value(), s.fourth.value())).collect();
        assert_eq!(sums, [(2, 3.0, 5.0, 17.0), (1, 3.0, 9.0, 81.0)]);
        assert!(!errors.is_cut());
        errors.add(2, 1e300);
        assert!(errors.is_cut());
        assert_eq!(ErrorTable::new(f64::NAN, vec![]).unit, 1.0);
    }
}
