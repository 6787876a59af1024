//! What is judged, and against what. Rules are data (`alerts/*.toml`), never code.

use crate::engine::metric::{Baseline, Metric, Subject};
use crate::engine::settings::{ColumnKind, Task};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// One rule: when any of its conditions is breached for long enough, one alert per model version and segment fires.
#[derive(Debug, Clone, PartialEq)]
pub struct Rule {
    /// Name, part of the alert's identity.
    pub name: Arc<str>,
    /// What a person reads first.
    pub title: Arc<str>,
    /// How bad it is.
    pub severity: Severity,
    /// What it looks at; the first condition that fits a measurement judges it.
    pub conditions: Vec<Condition>,
    /// Whether people are told.
    pub notify: bool,
    /// Whether a retraining is asked for.
    pub retrain: bool,
    /// Whether segments are judged too, each with an alert of its own.
    pub segments: bool,
    /// Non-overlapping breaching windows until it fires (at least 1).
    pub confirm: u32,
    /// Non-overlapping clear windows until it resolves (at least 1).
    pub resolve_after: u32,
    /// Part of the firing level below which a window is clear (0 to 1; for `below` thresholds of the room left to the ideal).
    pub resolve_level: f64,
    /// Time after which a firing alert is told again; `None`: never. In milliseconds.
    pub repeat_ms: Option<i64>,
    /// Names of the receivers; empty: all.
    pub receivers: Vec<Arc<str>>,
    /// A reading counts as significant where its corrected p-value is at most this (0 to 1).
    pub alpha: f64,
    /// Names of the rules that say nothing of a subject while this one breaches on it.
    pub inhibits: Vec<Arc<str>>,
}

impl Rule {
    /// A rule with the defaults of the configuration: a warning that is confirmed after 2 windows, resolves after 2 at 80 %, and never repeats.
    pub fn new(name: &str, conditions: Vec<Condition>) -> Self {
        Self {
            name: name.into(),
            title: name.into(),
            severity: Severity::Warning,
            conditions,
            notify: true,
            retrain: false,
            segments: true,
            confirm: 2,
            resolve_after: 2,
            resolve_level: 0.8,
            repeat_ms: None,
            receivers: Vec::new(),
            alpha: DEFAULT_ALPHA,
            inhibits: Vec::new(),
        }
    }
}

/// The level of significance of a rule that does not say its own.
pub const DEFAULT_ALPHA: f64 = 0.01;

/// One thing a rule looks at.
#[derive(Debug, Clone, PartialEq)]
pub struct Condition {
    /// Which subjects.
    pub subject: SubjectPattern,
    /// Which metric.
    pub metric: Metric,
    /// Only columns of this kind; `None`: both.
    pub kind: Option<ColumnKind>,
    /// Only models of this task; `None`: all.
    pub task: Option<Task>,
    /// The material bound.
    pub bound: Bound,
    /// Least number of events (labels for quality) besides what the metric itself needs.
    pub min_events: u64,
    /// What a column is compared with.
    pub against: Baseline,
    /// Whether the confidence interval of the reading must lie beyond the bound, and not only the reading.
    pub confident: bool,
    /// Where the bound was set, for `driftd check --effective`.
    pub origin: Arc<str>,
}

impl Condition {
    /// A condition without any narrowing.
    pub fn new(subject: SubjectPattern, metric: Metric, bound: Bound) -> Self {
        Self {
            subject,
            metric,
            kind: None,
            task: None,
            bound,
            min_events: 0,
            against: Baseline::Reference,
            confident: false,
            origin: "test".into(),
        }
    }
}

/// Which subjects a condition looks at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SubjectPattern {
    /// Any feature.
    AnyFeature,
    /// Exactly this subject.
    Exactly(Subject),
}

/// The material bound.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Bound {
    /// Breached when the value is greater.
    Above(Threshold),
    /// Breached when the value is less.
    Below(Threshold),
}

/// A bound's level.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Threshold {
    /// This number.
    Absolute(f64),
    /// `factor × (the same metric on the reference) + offset + sigmas × (its standard deviation from window to window)`.
    Reference {
        /// Factor.
        factor: f64,
        /// Offset.
        offset: f64,
        /// Standard deviations.
        sigmas: f64,
    },
}

/// How bad an alert is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Severity {
    /// Worth knowing.
    Info,
    /// Look at it during the day.
    Warning,
    /// Look at it soon.
    Error,
    /// Wake somebody.
    Critical,
}

impl Severity {
    /// Every severity, rising.
    pub const ALL: [Self; 4] = [Self::Info, Self::Warning, Self::Error, Self::Critical];

    /// The name used in configuration and output (and by PagerDuty).
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Error => "error",
            Self::Critical => "critical",
        }
    }
}
