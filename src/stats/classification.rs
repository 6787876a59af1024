//! Quality of a classifier from its confusion matrix: rows are labels, columns are predictions.

use super::NoValue;
use ndarray::{Array2, ArrayView2, Axis};

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
    /// Neither of the class nor predicted so.
    pub true_negative: u64,
}

impl ClassCounts {
    /// The counts of `class`; a class that the matrix does not have was neither true nor predicted.
    pub fn of(matrix: ArrayView2<'_, u64>, class: usize) -> Self {
        let total = matrix.sum();
        let Some(&true_positive) = matrix.get((class, class)) else { return Self { true_negative: total, ..Self::default() } };
        Self::from_sums(true_positive, matrix.row(class).sum(), matrix.column(class).sum(), total)
    }

    /// The counts of every class, in one pass over the matrix.
    fn of_each(matrix: ArrayView2<'_, u64>) -> impl Iterator<Item = Self> {
        let (labels, predicted, total) = (matrix.sum_axis(Axis(1)), matrix.sum_axis(Axis(0)), matrix.sum());
        let hits = matrix.diag().to_vec();
        hits.into_iter().zip(labels).zip(predicted).map(move |((hits, labels), predicted)| Self::from_sums(hits, labels, predicted, total))
    }

    fn from_sums(true_positive: u64, labels: u64, predicted: u64, total: u64) -> Self {
        Self {
            true_positive,
            false_positive: predicted - true_positive,
            false_negative: labels - true_positive,
            true_negative: total + true_positive - predicted - labels,
        }
    }

    /// All decisions of all classes pooled: every wrong answer is a false positive of one class and a false negative of another.
    pub fn pooled(matrix: ArrayView2<'_, u64>) -> Self {
        let (total, n_classes) = (matrix.sum(), matrix.nrows() as u64);
        let true_positive = matrix.diag().sum();
        let wrong = total - true_positive;
        let decisions = total.saturating_mul(n_classes);
        let true_negative = decisions.saturating_sub(true_positive + 2 * wrong);
        Self { true_positive, false_positive: wrong, false_negative: wrong, true_negative }
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

    /// F-beta = (1+β²)·tp / ((1+β²)·tp + β²·fn + fp): recall counts β times as much as precision (van Rijsbergen 1979; scikit-learn `fbeta_score`).
    /// Not defined where F1 is not.
    pub fn f_beta(self, beta: f64) -> Result<f64, NoValue> {
        let weight = beta * beta;
        let hits = (1.0 + weight) * self.true_positive as f64;
        let misses = weight * self.false_negative as f64 + self.false_positive as f64;
        match hits + misses {
            _ if self.true_positive + self.false_positive + self.false_negative == 0 => Err(NoValue::NoPositiveLabel),
            // a beta of 0 leaves nothing but precision
            0.0 => Ok(0.0),
            whole if whole.is_finite() => Ok(hits / whole),
            _ => Err(NoValue::OutOfRange),
        }
    }

    /// Specificity tn / (tn + fp): the share of what is not of the class that was recognised; `OneClass` where every label is of the class.
    pub fn specificity(self) -> Result<f64, NoValue> {
        let negatives = self.true_negative + self.false_positive;
        ratio(self.true_negative, negatives).ok_or(if self.occurs() { NoValue::OneClass } else { NoValue::Empty })
    }

    /// Share of all answers that say the class, (tp + fp) / n.
    pub fn selection_rate(self) -> Result<f64, NoValue> {
        ratio(self.true_positive + self.false_positive, self.total()).ok_or(NoValue::Empty)
    }

    /// Number of pairs.
    pub fn total(self) -> u64 {
        self.true_positive + self.false_positive + self.false_negative + self.true_negative
    }

    /// The two-by-two matrix with the class in the second place.
    pub fn matrix(self) -> Array2<u64> {
        ndarray::array![[self.true_negative, self.false_positive], [self.false_negative, self.true_positive]]
    }
}

/// Mean of one figure over the classes that occur as label or as prediction, each with the same weight.
///
/// A class that occurs but has no such figure (precision of a class that was never predicted) counts as 0: it was missed. A class that
/// does not occur at all has no part in the mean, so a small window is not marked down for what it did not see. That is scikit-learn's
/// `average="macro", zero_division=0` with its default `labels`; with `labels=` all known classes, absent ones would count as 0.
/// `Empty` without any pair.
pub fn macro_mean(matrix: ArrayView2<'_, u64>, figure: impl Fn(ClassCounts) -> Result<f64, NoValue>) -> Result<f64, NoValue> {
    mean(matrix, figure, |_| 1)
}

/// Mean of one figure over the classes by their number of labels (scikit-learn `average="weighted", zero_division=0`). A class without the figure
/// counts as 0, one without labels has no weight. `Empty` without any pair.
pub fn weighted_mean(matrix: ArrayView2<'_, u64>, figure: impl Fn(ClassCounts) -> Result<f64, NoValue>) -> Result<f64, NoValue> {
    mean(matrix, figure, |counts| counts.true_positive + counts.false_negative)
}

fn mean(
    matrix: ArrayView2<'_, u64>,
    figure: impl Fn(ClassCounts) -> Result<f64, NoValue>,
    weight: impl Fn(ClassCounts) -> u64,
) -> Result<f64, NoValue> {
    let (mut sum, mut weights) = (0.0, 0);
    for counts in ClassCounts::of_each(matrix).filter(|counts| counts.occurs()) {
        sum += weight(counts) as f64 * figure(counts).unwrap_or(0.0);
        weights += weight(counts);
    }
    if weights > 0 { Ok(sum / weights as f64) } else { Err(NoValue::Empty) }
}

/// Mean recall over the classes that have labels (scikit-learn `balanced_accuracy_score`).
pub fn balanced_accuracy(matrix: ArrayView2<'_, u64>) -> Result<f64, NoValue> {
    let recalls = ClassCounts::of_each(matrix).filter_map(|counts| counts.recall().ok());
    let (sum, n) = recalls.fold((0.0, 0u32), |(sum, n), recall| (sum + recall, n + 1));
    if n > 0 { Ok(sum / f64::from(n)) } else { Err(NoValue::Empty) }
}

/// Matthews correlation of labels and predictions (Matthews 1975), for any number of classes (Gorodkin 2004; scikit-learn `matthews_corrcoef`):
/// `(c·n − Σ t_k·p_k) / √((n² − Σ p_k²)(n² − Σ t_k²))` with c right answers, t_k labels and p_k predictions of class k.
///
/// `OneClass` where all labels are of one class, since nothing can correlate with them. Answers that are all the same say nothing about the labels: 0
/// (the limit, Chicco and Jurman 2020).
pub fn matthews(matrix: ArrayView2<'_, u64>) -> Result<f64, NoValue> {
    let (n, right) = (u128::from(matrix.sum()), u128::from(matrix.diag().sum()));
    if n == 0 {
        return Err(NoValue::Empty);
    }
    let (mut both, mut labels, mut predictions) = (0u128, 0u128, 0u128);
    for class in 0..matrix.nrows() {
        let (label, predicted) = (u128::from(matrix.row(class).sum()), u128::from(matrix.column(class).sum()));
        both += label * predicted;
        labels += label * label;
        predictions += predicted * predicted;
    }
    let (label_spread, predicted_spread) = ((n * n - labels) as f64, (n * n - predictions) as f64);
    if label_spread == 0.0 {
        return Err(NoValue::OneClass);
    }
    if predicted_spread == 0.0 {
        return Ok(0.0);
    }
    let covariance = if right * n >= both { (right * n - both) as f64 } else { -((both - right * n) as f64) };
    Ok((covariance / (label_spread.sqrt() * predicted_spread.sqrt())).clamp(-1.0, 1.0))
}

/// Mean value of a pair, where `values` says what each pair of label (row) and prediction (column) is worth.
pub fn mean_value(matrix: ArrayView2<'_, u64>, values: ArrayView2<'_, f64>) -> Result<f64, NoValue> {
    let n = matrix.sum();
    if n == 0 || matrix.dim() != values.dim() {
        return Err(NoValue::Empty);
    }
    let mean = matrix.iter().zip(values.iter()).map(|(&count, &value)| count as f64 * value).sum::<f64>() / n as f64;
    if mean.is_finite() { Ok(mean) } else { Err(NoValue::OutOfRange) }
}

fn ratio(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}
