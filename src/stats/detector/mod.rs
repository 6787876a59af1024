//! Change detectors: one value after the other in, a verdict about the stream out.
//!
//! Each is a value of bounded size that can be written down and read back: the same values in the same order give the same changes, whether
//! or not it was stored in between. A detector that found a change begins anew with the next value. What is not a number is passed over,
//! and what is beyond ±[`LARGEST`] counts as that much, so that no state ever holds an infinite sum.
//!
//! Where a river detector of the same name exists (river 0.26.1), the changes are found at the same values, KSWIN excepted, which draws at random.

mod adwin;
mod cusum;
mod ddm;
mod eddm;
mod hddm;
mod kswin;
mod page_hinkley;
mod standard;

pub use adwin::Adwin;
pub use cusum::{Cusum, average_run_length, threshold_of_run_length};
pub use ddm::Ddm;
pub use eddm::Eddm;
pub use hddm::{HddmA, HddmW};
pub use kswin::Kswin;
pub use page_hinkley::PageHinkley;
pub use standard::{Moments, Standard};

use serde::{Deserialize, Serialize};

/// Largest absolute value that is taken as it is: its cube, summed over any number of values, is a number still.
pub const LARGEST: f64 = 1e90;

/// What a detector says after a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Change {
    /// Nothing.
    None,
    /// The stream may be about to change (DDM, EDDM and HDDM only).
    Warning,
    /// The stream has changed; the detector begins anew.
    Drift,
}

/// To which side a change must go to be one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Sides {
    /// The mean rises.
    Up,
    /// The mean rises or falls.
    Both,
}

/// Any of the detectors.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Detector {
    /// Adaptive windowing.
    Adwin(Adwin),
    /// The Page–Hinkley test.
    PageHinkley(PageHinkley),
    /// The drift detection method.
    Ddm(Ddm),
    /// The early drift detection method.
    Eddm(Eddm),
    /// Hoeffding's bound on averages.
    HddmA(HddmA),
    /// McDiarmid's bound on weighted averages.
    HddmW(HddmW),
    /// Kolmogorov–Smirnov windowing.
    Kswin(Kswin),
    /// The cumulative sum chart.
    Cusum(Cusum),
}

impl Detector {
    /// Takes the next value of the stream. DDM, EDDM and HDDM take values of 0 to 1 (EDDM: anything but 0 is an error).
    pub fn update(&mut self, value: f64) -> Change {
        match self {
            Self::Adwin(detector) => detector.update(value),
            Self::PageHinkley(detector) => detector.update(value),
            Self::Ddm(detector) => detector.update(value),
            Self::Eddm(detector) => detector.update(value),
            Self::HddmA(detector) => detector.update(value),
            Self::HddmW(detector) => detector.update(value),
            Self::Kswin(detector) => detector.update(value),
            Self::Cusum(detector) => detector.update(value),
        }
    }
}

/// The value as a detector takes it; `None`: it is not a number.
fn usable(value: f64) -> Option<f64> {
    (!value.is_nan()).then(|| value.clamp(-LARGEST, LARGEST))
}

/// A share as a detector takes it; `None`: it is not a number.
fn usable_share(value: f64) -> Option<f64> {
    (!value.is_nan()).then(|| value.clamp(0.0, 1.0))
}

#[cfg(test)]
mod tests;
