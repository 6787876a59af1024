//! All inputs together as numbers: how they are encoded, and the reference's mean, spread and principal components in that encoding.

use super::{ColumnReference, FeatureReference, Place, Slots};
use crate::engine::summary::{MomentSums, moment_units};
use crate::event::Scalar;
use crate::stats::{Eigen, components_for, symmetric_eigen};
use ndarray::Array2;
use serde::{Deserialize, Serialize};

/// Most inputs that are looked at together: the first by name.
pub const MAX_INPUTS: usize = 200;
/// Share of the variance that the principal components keep (NannyML's default).
const KEPT_VARIANCE: f64 = 0.65;

/// All inputs of a reference together.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MomentReference {
    /// The inputs, in their order in the reference.
    pub dimensions: Vec<Dimension>,
    /// Rows.
    pub n: u64,
    /// Mean by dimension, in standard deviations: about 0.
    pub mean: Vec<f64>,
    /// Eigenvalues of the covariance (n−1), falling.
    pub values: Vec<f64>,
    /// Eigenvectors by rows, in the order of `values`.
    pub vectors: Vec<f64>,
    /// How many of them are kept as principal components.
    pub kept: usize,
}

/// One input as a number of standard deviations from the reference's mean.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Dimension {
    /// Place among the reference's inputs.
    pub input: usize,
    /// How its values become numbers.
    pub encoding: Encoding,
}

/// How the values of an input become numbers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Encoding {
    /// Numbers as they are.
    Number {
        /// Mean of the reference.
        mean: f64,
        /// Standard deviation of the reference.
        std: f64,
    },
    /// Names by how frequent they are in the reference: by slot, standardised, in the units of [`MomentSums`].
    Frequency(Vec<i32>),
}

impl Dimension {
    /// How an input is encoded; `None` where it has no spread, or is neither numeric nor categorical.
    pub(super) fn of(input: usize, column: &ColumnReference) -> Option<Self> {
        let encoding = match &column.slots {
            Slots::Numeric(_) => {
                let moments = column.moments.filter(|m| m.std > 0.0 && m.mean.is_finite() && m.std.is_finite())?;
                Encoding::Number { mean: moments.mean, std: moments.std }
            }
            Slots::Categorical(categories) => {
                let n = column.counts.valid() as f64;
                let share = |slot: usize| {
                    // names without a slot of their own have the mean frequency of all of them
                    let names = if slot == categories.other_slot() { categories.n_other().max(1) } else { 1 };
                    column.counts.slots[slot] as f64 / names as f64 / n
                };
                let shares: Vec<f64> = (0..categories.n_slots()).map(share).collect();
                let weighted = |f: &dyn Fn(f64) -> f64| shares.iter().zip(&column.counts.slots).map(|(&s, &c)| f(s) * c as f64 / n).sum();
                let mean: f64 = weighted(&|share| share);
                let variance: f64 = weighted(&|share| (share - mean).powi(2));
                // equally frequent names are told apart by rounding only
                let std = Some(variance.sqrt()).filter(|std| *std > 1e-9)?;
                Encoding::Frequency(shares.iter().map(|share| moment_units((share - mean) / std)).collect())
            }
            Slots::Vector(_) | Slots::Hashed(_) => return None,
        };
        Some(Self { input, encoding })
    }

    /// A value in units; what is missing or invalid is at the mean.
    pub fn units(&self, value: &Scalar<'_>, place: Place) -> i32 {
        match (&self.encoding, place, value) {
            (Encoding::Number { mean, std }, Place::Number(number), _) => moment_units((number - mean) / std),
            (Encoding::Frequency(units), Place::Slot(slot), _) => units.get(slot).copied().unwrap_or(0),
            _ => 0,
        }
    }
}

impl MomentReference {
    /// From the reference's own sums; `None` without rows or dimensions.
    pub(super) fn new(dimensions: Vec<Dimension>, sums: &MomentSums) -> Option<Self> {
        let (d, moments) = (dimensions.len(), sums.moments()?);
        let covariance = covariance(&moments.mean, &moments.second, moments.n)?;
        let eigen = symmetric_eigen(&covariance).filter(|_| d > 0)?;
        let kept = components_for(&eigen.values, KEPT_VARIANCE);
        let vectors = eigen.vectors.iter().copied().collect();
        Some(Self { dimensions, n: moments.n, mean: moments.mean, values: eigen.values, vectors, kept })
    }

    /// The same inputs, encoded alike, over other rows; `None` where those are too few.
    pub fn over(&self, sums: &MomentSums) -> Option<Self> {
        Self::new(self.dimensions.clone(), sums)
    }

    /// The decomposition of its covariance.
    pub fn eigen(&self) -> Option<Eigen> {
        let d = self.values.len();
        Some(Eigen { values: self.values.clone(), vectors: Array2::from_shape_vec((d, d), self.vectors.clone()).ok()? })
    }

    /// Whether it is one that the compiler makes of these inputs.
    pub(super) fn is_sound(&self, inputs: &[FeatureReference]) -> bool {
        let d = self.dimensions.len();
        let numbers = self.mean.iter().chain(&self.values).chain(&self.vectors);
        let fits = |dimension: &Dimension| match (&dimension.encoding, inputs.get(dimension.input).map(|input| &input.column.slots)) {
            (Encoding::Number { mean, std }, Some(Slots::Numeric(_))) => mean.is_finite() && std.is_finite() && *std > 0.0,
            (Encoding::Frequency(units), Some(Slots::Categorical(categories))) => units.len() == categories.n_slots(),
            _ => false,
        };
        self.n >= 2
            && (1..=MAX_INPUTS).contains(&d)
            && [self.mean.len(), self.values.len()] == [d; 2]
            && self.vectors.len() == d * d
            && self.kept <= d
            && numbers.clone().all(|v| v.is_finite())
            && self.dimensions.iter().all(fits)
    }
}

/// The covariance (n−1) from a mean and a second moment about 0; `None` with fewer than two rows.
pub fn covariance(mean: &[f64], second: &[f64], n: u64) -> Option<Array2<f64>> {
    let d = mean.len();
    if n < 2 || second.len() != d * d {
        return None;
    }
    let factor = n as f64 / (n - 1) as f64;
    Some(Array2::from_shape_fn((d, d), |(i, j)| (second[i * d + j] - mean[i] * mean[j]) * factor))
}
