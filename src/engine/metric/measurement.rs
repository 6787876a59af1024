//! One number about one window, with everything needed to judge it.

use crate::engine::catalogue::{Metric, Subject};
use crate::event::{ModelKey, Timestamp};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::sync::Arc;

/// One number about one window.
#[derive(Debug, Clone, PartialEq)]
pub struct Measurement {
    /// The model version.
    pub model: ModelKey,
    /// `feature=value`; `None` for the whole.
    pub segment: Option<Arc<str>>,
    /// The window.
    pub window: WindowFacts,
    /// What was measured.
    pub subject: Subject,
    /// How.
    pub metric: Metric,
    /// The number, or why there is none.
    pub reading: Reading,
    /// How far the true value may be from the reading: above it for KS with fewer cells than reference values, to either side for what is read from score
    /// cells and for the median error; 0 where it is exact.
    pub error_bound: f64,
    /// Number of bins or classes compared, minus one; 0 where the metric has none.
    pub degrees: u32,
    /// The bound it was judged by; `None`: no rule looks at it, or the reference does not have the metric.
    pub threshold: Option<f64>,
    /// Probability of a reading this large without a change, by the two-sample test that belongs to the metric; `None`: there is none.
    pub p_value: Option<f64>,
    /// `p_value` corrected over the subjects of one evaluation that the metric was read on (Benjamini–Hochberg).
    pub q_value: Option<f64>,
    /// Readings up to this are what windows of the reference itself show; `None`: not known.
    pub noise_floor: Option<f64>,
    /// Standard deviation of the metric from window to window of the reference, or of its estimate at this size; `None`: not known.
    pub sigma: Option<f64>,
    /// 95 % confidence interval of the reading; `None`: there is none.
    pub interval: Option<(f64, f64)>,
    /// What it was compared with.
    pub baseline: Baseline,
    /// What contributed most, largest first: bins, categories, segments.
    pub parts: Vec<Part>,
    /// The confusion matrix, beside the accuracy of the whole where there are few classes.
    pub confusion: Option<ConfusionTable>,
    /// Valid reference values compared with.
    pub n_reference: u64,
    /// What the reading is a statement about: valid values of the window (all events for missing, invalid and error rates, labelled
    /// predictions for quality, answered ones for coverage, requests of all versions for throughput).
    pub n_current: u64,
    /// Id of the reference; `None` where none is involved.
    pub reference: Option<Arc<str>>,
    /// The verdict of the rule that judged it first; `None`: no rule looks at it.
    pub verdict: Option<Verdict>,
    /// The same metric on the reference, where it has one (quality, missing and invalid rates).
    pub on_reference: Option<f64>,
}

impl Measurement {
    /// A reading about nothing in particular: no values, compared with nothing, not judged.
    pub fn new(model: ModelKey, window: WindowFacts, subject: Subject, metric: Metric, reading: Reading) -> Self {
        Self {
            model,
            segment: None,
            window,
            subject,
            metric,
            reading,
            error_bound: 0.0,
            degrees: 0,
            threshold: None,
            p_value: None,
            q_value: None,
            noise_floor: None,
            sigma: None,
            interval: None,
            baseline: Baseline::Reference,
            parts: Vec::new(),
            confusion: None,
            n_reference: 0,
            n_current: 0,
            reference: None,
            verdict: None,
            on_reference: None,
        }
    }
}

/// What a column of a window is compared with.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Baseline {
    /// The model's reference.
    #[default]
    Reference,
    /// The window before, which it does not overlap.
    PreviousWindow,
    /// The window that ended a week earlier.
    LastWeek,
}

impl Baseline {
    /// Every baseline, for tables and suites.
    pub const ALL: [Self; 3] = [Self::Reference, Self::PreviousWindow, Self::LastWeek];

    /// The name used in configuration and output.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Reference => "reference",
            Self::PreviousWindow => "previous_window",
            Self::LastWeek => "last_week",
        }
    }
}

/// A bin, category or segment, and what it adds to a reading.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Part {
    /// As a person reads it: `12.5 to 40`, `DE`, `(new)`, `country=DE`.
    pub name: Arc<str>,
    /// Its share of the baseline (0 to 1), or its figure there.
    pub reference: f64,
    /// Its share of the window (0 to 1), or its figure there.
    pub current: f64,
    /// What it adds to the reading, in the reading's unit.
    pub contribution: f64,
}

/// Answers against truth, counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfusionTable {
    /// The classes, in the order of rows and columns.
    pub classes: Vec<Arc<str>>,
    /// Labelled predictions: a row for each label, in it a number for each prediction.
    pub counts: Vec<Vec<u64>>,
}

/// Which window, and how much is in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct WindowFacts {
    /// First instant.
    pub start: Timestamp,
    /// First instant after it.
    pub end: Timestamp,
    /// Predictions in it.
    pub predictions: u64,
    /// Predictions in it that have a label by now.
    pub labels: u64,
    /// Whether traffic was watched for the whole of it (not so for the first windows after the first event).
    pub whole: bool,
}

/// A number, or why there is none; never NaN (invariant I5).
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Reading {
    /// A finite number.
    Value(f64),
    /// None, and why.
    Undefined(UndefinedReason),
}

impl Reading {
    /// The number, where there is one.
    pub fn value(self) -> Option<f64> {
        match self {
            Self::Value(v) => Some(v),
            Self::Undefined(_) => None,
        }
    }
}

/// Why a metric has no value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum UndefinedReason {
    /// The window has no usable value.
    NoData,
    /// The reference has no such column, or no usable value in it.
    NoReference,
    /// The reference is still being learned.
    Learning,
    /// No labels yet.
    NoLabels,
    /// Precision without a positive prediction.
    NoPositivePrediction,
    /// Recall without a positive label.
    NoPositiveLabel,
    /// R² of labels that are all equal.
    ConstantLabels,
    /// The window's labels are all of one class, so that nothing can be ranked.
    OneClass,
    /// The reference lacks what the metric needs: its own quality, its spread, its scores.
    NotInReference,
    /// The model's settings lack what the metric needs (a cost matrix).
    NotConfigured,
    /// The window began before the model was first seen, so a rate over it would be too low.
    PartialWindow,
    /// The sums are beyond the range of numbers.
    OutOfRange,
}

impl UndefinedReason {
    /// Every reason, for tables and suites.
    pub const ALL: [Self; 12] = [
        Self::NoData,
        Self::NoReference,
        Self::Learning,
        Self::NoLabels,
        Self::NoPositivePrediction,
        Self::NoPositiveLabel,
        Self::ConstantLabels,
        Self::OneClass,
        Self::NotInReference,
        Self::NotConfigured,
        Self::PartialWindow,
        Self::OutOfRange,
    ];

    /// The name used in output.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NoData => "no_data",
            Self::NoReference => "no_reference",
            Self::Learning => "learning",
            Self::NoLabels => "no_labels",
            Self::NoPositivePrediction => "no_positive_prediction",
            Self::NoPositiveLabel => "no_positive_label",
            Self::ConstantLabels => "constant_labels",
            Self::OneClass => "one_class",
            Self::NotInReference => "not_in_reference",
            Self::NotConfigured => "not_configured",
            Self::PartialWindow => "partial_window",
            Self::OutOfRange => "out_of_range",
        }
    }
}

/// What a rule says of a measurement. Each missing ground has its own name, and "no data" is never "no drift".
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Verdict {
    /// Enough data, and within the bound.
    Ok,
    /// Enough data, significant, and beyond the bound.
    Breach,
    /// Too few values to say.
    NotEnough {
        /// Values in the window.
        n: u64,
        /// Values needed.
        need: u64,
    },
    /// Beyond the bound, but no more than chance explains.
    NotSignificant,
    /// Labels are still coming: printed, not judged.
    Immature,
    /// There is no value.
    Undefined(UndefinedReason),
}

impl Verdict {
    /// The name used in output.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Breach => "breach",
            Self::NotEnough { .. } => "not_enough",
            Self::NotSignificant => "not_significant",
            Self::Immature => "immature",
            Self::Undefined(_) => "undefined",
        }
    }
}

impl fmt::Display for Verdict {
    /// The name, with what is missing where something is: `not_enough (50 of 217 values)`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())?;
        match self {
            Self::NotEnough { n, need: u64::MAX } => write!(f, " ({n} values, the reference is too small for any number)"),
            Self::NotEnough { n, need } => write!(f, " ({n} of {need} values)"),
            Self::Undefined(reason) => write!(f, " ({})", reason.as_str()),
            Self::Ok | Self::Breach | Self::NotSignificant | Self::Immature => Ok(()),
        }
    }
}
