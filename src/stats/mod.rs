//! Mathematics on counts and slices. Knows nothing of ours.
//!
//! Invariant: every function is total. Where a number is not defined (no data, a zero denominator) the answer says so; it is never NaN
//! or infinite, and never a 0 that could be taken for "no change". Counts are numbers of events: a total must stay below 2^63.
//!
//! Not here: thresholds, bins (the caller cuts), and where counts come from.

mod classification;
mod counts;
mod gamma;
mod ks;
pub mod power;
mod psi;
mod regression;
mod total_variation;

pub use classification::{ClassCounts, accuracy, macro_mean};
pub use counts::occupied;
pub use gamma::gamma_quantile;
pub use ks::{KsReading, ks};
pub use psi::{PsiReading, Smoothing, psi};
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
    /// All labels are equal, as far as the sums can tell.
    ConstantLabels,
    /// The sums are beyond the range of numbers.
    OutOfRange,
}

impl NoValue {
    /// Every reason, for tables and suites.
    pub const ALL: [Self; 5] = [Self::Empty, Self::NoPositivePrediction, Self::NoPositiveLabel, Self::ConstantLabels, Self::OutOfRange];

    /// The name used in output.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::NoPositivePrediction => "no_positive_prediction",
            Self::NoPositiveLabel => "no_positive_label",
            Self::ConstantLabels => "constant_labels",
            Self::OutOfRange => "out_of_range",
        }
    }
}

#[cfg(test)]
mod tests;
