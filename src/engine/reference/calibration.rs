//! How much the figures of a reference vary from one of its own windows to the next: what "normal" is for traffic that is not independent.

use crate::engine::catalogue::{Metric, Subject};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Figures of a reference's own windows.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Calibration {
    /// Length of the windows, in milliseconds; 0: they are blocks of consecutive rows, because the reference's rows have no times.
    pub window_ms: i64,
    /// By subject and metric.
    pub figures: BTreeMap<(Subject, Metric), Variation>,
}

/// One figure over the windows of the reference.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Variation {
    /// Windows that had a value.
    pub windows: u32,
    /// Mean number of values behind one.
    pub n: u64,
    /// Mean of the figure.
    pub mean: f64,
    /// Its standard deviation from window to window (n−1).
    pub std: f64,
    /// Least value.
    pub min: f64,
    /// Greatest value.
    pub max: f64,
}
