//! What is judged, and against what. Rules are data (`alerts/*.toml`), never code.

use crate::engine::metric::{Metric, Subject};
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
}

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
    /// Where the bound was set, for `driftd check --effective`.
    pub origin: Arc<str>,
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
    /// `factor × (the same metric on the reference) + offset`.
    Reference {
        /// Factor.
        factor: f64,
        /// Offset.
        offset: f64,
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
