//! Quality of a classifier from its confusion matrix: rows are labels, columns are predictions.

use super::NoValue;
use ndarray::ArrayView2;

/// Share of right answers, Σ diagonal / Σ all (scikit-learn `accuracy_score`); `Empty` without any.
pub fn accuracy(matrix: ArrayView2<'_, u64>) -> Result<f64, NoValue> {
    ratio(matrix.diag().sum(), matrix.sum()).ok_or(NoValue::Empty)
}

/// One class against all others.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ClassCounts {
    /// Of the class, and predicted so.
    pub true_positive: u64,
    /// Predicted to be of the class, but not of it.
    pub false_positive: u64,
    /// Of the class, but predicted otherwise.
    pub false_negative: u64,
}

impl ClassCounts {
    /// The counts of `class`; all 0 for a class that the matrix does not have.
    pub fn of(matrix: ArrayView2<'_, u64>, class: usize) -> Self {
        let Some(&true_positive) = matrix.get((class, class)) else { return Self::default() };
        let false_positive = matrix.column(class).sum() - true_positive;
        Self { true_positive, false_positive, false_negative: matrix.row(class).sum() - true_positive }
    }

    /// Whether the class occurs, as label or as prediction.
    pub fn occurs(self) -> bool {
        self.true_positive + self.false_positive + self.false_negative > 0
    }

    /// Precision tp / (tp + fp): the share of predictions of the class that are right.
    pub fn precision(self) -> Result<f64, NoValue> {
        ratio(self.true_positive, self.true_positive + self.false_positive).ok_or(NoValue::NoPositivePrediction)
    }

    /// Recall tp / (tp + fn): the share of the class that was found.
    pub fn recall(self) -> Result<f64, NoValue> {
        ratio(self.true_positive, self.true_positive + self.false_negative).ok_or(NoValue::NoPositiveLabel)
    }

    /// F1 = 2tp / (2tp + fp + fn), the harmonic mean of precision and recall; 0 where the class occurs and none was hit,
    /// not defined where it does not occur at all.
    pub fn f1(self) -> Result<f64, NoValue> {
        let hits = 2 * self.true_positive;
        ratio(hits, hits + self.false_positive + self.false_negative).ok_or(NoValue::NoPositiveLabel)
    }
}

/// Mean of one figure over the classes that occur as label or as prediction, each with the same weight.
///
/// A class that occurs but has no such figure (precision of a class that was never predicted) counts as 0: it was missed. A class that
/// does not occur at all has no part in the mean, so a small window is not marked down for what it did not see. That is scikit-learn's
/// `average="macro", zero_division=0` with its default `labels`; with `labels=` all known classes, absent ones would count as 0.
/// `Empty` without any pair.
pub fn macro_mean(matrix: ArrayView2<'_, u64>, figure: fn(ClassCounts) -> Result<f64, NoValue>) -> Result<f64, NoValue> {
    let (mut sum, mut n) = (0.0, 0u32);
    for counts in (0..matrix.nrows()).map(|class| ClassCounts::of(matrix, class)).filter(|counts| counts.occurs()) {
        sum += figure(counts).unwrap_or(0.0);
        n += 1;
    }
    if n > 0 { Ok(sum / f64::from(n)) } else { Err(NoValue::Empty) }
}

fn ratio(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}
