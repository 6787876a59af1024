//! Mathematics on counts and slices. Knows nothing of ours.
//!
//! Invariant: every function is total. Where a number is not defined (no data, a zero denominator) the answer says so; it is never NaN
//! or infinite, and never a 0 that could be taken for "no change". Counts are numbers of events: a total must stay below 2^63.
//!
//! Not here: thresholds, bins (the caller cuts), and where counts come from.

mod chi_square;
mod classification;
mod counts;
pub mod detector;
mod divergence;
mod expected;
mod expected_class;
mod false_discovery;
mod frechet;
mod gamma;
pub mod interval;
mod isotonic;
mod kolmogorov;
mod ks;
mod line;
mod matrix;
mod mmd;
mod pca;
pub mod power;
mod proportions;
mod psi;
mod rank;
mod ranking;
mod regression;
pub mod scores;
mod total_variation;

pub use chi_square::{ChiSquareReading, LEAST_EXPECTED, chi_square, chi_square_tail};
pub use classification::{ClassCounts, accuracy, balanced_accuracy, macro_mean, matthews, mean_value, weighted_mean};
pub use counts::occupied;
pub use divergence::{hellinger, hellinger_part, jensen_shannon, jensen_shannon_part, kullback_leibler, l_infinity};
pub use expected::{Chance, Estimate, Group, expected_mean};
pub use expected_class::{ExpectedClass, ScoredRows};
pub use false_discovery::benjamini_hochberg;
pub use frechet::frechet_squared;
pub use gamma::gamma_quantile;
pub use isotonic::{Pool, isotonic};
pub use kolmogorov::ks_p_value;
pub use ks::{KsReading, ks};
pub use line::{Bounded, LineSample, energy_areas, energy_distance, quantile, wasserstein, wasserstein_areas};
pub use matrix::{Eigen, symmetric_eigen, symmetric_eigenvalues};
pub use mmd::{MmdReading, mmd};
pub use pca::{components_for, residuals};
pub use proportions::{Share, difference_interval, mean, mean_difference_interval, mean_ratio_interval, ratio_interval, z_of_pairs};
pub use psi::{PsiReading, Smoothing, psi};
pub use rank::{RankReading, anderson_darling, anderson_darling_by_cell, cramer_von_mises, cramer_von_mises_by_cell};
pub use ranking::{ndcg, precision_at_k, recall_at_k, reciprocal_rank};
pub use regression::RegressionTotals;
pub use total_variation::total_variation;

/// Why a statistic has no value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum NoValue {
    /// There is nothing to compute it from.
    Empty,
    /// Nothing was predicted to be of the class.
    NoPositivePrediction,
    /// Nothing is of the class.
    NoPositiveLabel,
    /// All labels are of one class.
    OneClass,
    /// All labels are equal, as far as the sums can tell.
    ConstantLabels,
    /// The sums are beyond the range of numbers.
    OutOfRange,
}

impl NoValue {
    /// Every reason, for tables and suites.
    pub const ALL: [Self; 6] =
        [Self::Empty, Self::NoPositivePrediction, Self::NoPositiveLabel, Self::OneClass, Self::ConstantLabels, Self::OutOfRange];

    /// The name used in output.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::NoPositivePrediction => "no_positive_prediction",
            Self::NoPositiveLabel => "no_positive_label",
            Self::OneClass => "one_class",
            Self::ConstantLabels => "constant_labels",
            Self::OutOfRange => "out_of_range",
        }
    }
}

#[cfg(test)]
pub(crate) mod tests;
