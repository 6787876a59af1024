//! What an alert and a retraining trigger say. The rim turns these into Slack blocks, PagerDuty events, CloudEvents and output lines.

use super::Explanation;
use crate::engine::metric::{Baseline, Metric, Part, Subject, WindowFacts};
use crate::engine::verdict::Severity;
use crate::event::{ModelKey, Timestamp};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Names one episode of one alert: `<16 hex digits>-<episode>`, a pure function of (environment, rule, model, version, segment) and the episode's number
/// in the state. Dedup keys and webhook ids derive from it (invariant I6). An episode is one firing: a pending alert carries the number that it will
/// have when it fires, and leaves it to the next one when it does not.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Incident(pub Arc<str>);

/// Where an alert stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum AlertState {
    /// Breached, not yet confirmed.
    Pending,
    /// Confirmed.
    Firing,
    /// Over.
    Resolved,
}

impl AlertState {
    /// Every state, in the order in which an alert goes through them.
    pub const ALL: [Self; 3] = [Self::Pending, Self::Firing, Self::Resolved];

    /// The name used in output.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Firing => "firing",
            Self::Resolved => "resolved",
        }
    }
}

/// One thing that was beyond its bound.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Worst {
    /// What.
    pub subject: Subject,
    /// By which metric.
    pub metric: Metric,
    /// The reading.
    pub value: f64,
    /// The bound.
    pub threshold: f64,
    /// Whether the bound is an upper one.
    pub above: bool,
    /// Values of the window behind it.
    pub n_current: u64,
    /// What it was compared with.
    pub against: Baseline,
    /// The same figure on the reference, where it has one (quality, rates).
    pub reference: Option<f64>,
    /// What contributed most to the reading, largest first, at most 3: bins, categories, features.
    pub parts: Vec<Part>,
    /// The subject's share of all that is beyond its bound (0 to 1): its largest excess over the sum of those of every breaching subject.
    pub share: f64,
}

/// Everything an alert says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AlertFacts {
    /// Name of the installation.
    pub environment: Arc<str>,
    /// Name of the rule.
    pub rule: Arc<str>,
    /// What a person reads first.
    pub title: Arc<str>,
    /// How bad it is.
    pub severity: Severity,
    /// The model version.
    pub model: ModelKey,
    /// `feature=value`; `None` for the whole.
    pub segment: Option<Arc<str>>,
    /// The episode.
    pub incident: Incident,
    /// Where the alert stands now.
    pub state: AlertState,
    /// Start of the first window that breached.
    pub since: Timestamp,
    /// End of the window by which it fired; `None` while pending.
    pub fired_at: Option<Timestamp>,
    /// End of the window by which it resolved.
    pub resolved_at: Option<Timestamp>,
    /// The window that was judged last.
    pub window: WindowFacts,
    /// What was beyond its bound, worst first (relative to the bound), at most 10; for a resolved alert what it was at its worst.
    pub worst: Vec<Worst>,
    /// How many subjects were beyond their bound.
    pub n_breaching: u64,
    /// How many subjects the rule judged.
    pub n_judged: u64,
    /// Why it resolved, in words, where it was not by clear windows (the version no longer takes traffic).
    pub note: Option<Arc<str>>,
    /// Why, as far as its last breaching window says; of a resolved alert, the worst of those since it fired. `None` while pending.
    pub explanation: Option<Explanation>,
}

/// One step of one alert.
#[derive(Debug, Clone, PartialEq)]
pub struct Transition {
    /// What the alert now says.
    pub facts: AlertFacts,
}

/// A range of offsets of one topic's partition, both ends included.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OffsetSpan {
    /// Topic by name.
    pub topic: Arc<str>,
    /// Partition.
    pub partition: i32,
    /// First offset.
    pub first: i64,
    /// Last offset.
    pub last: i64,
}

/// Everything a retraining pipeline needs to begin.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RetrainFacts {
    /// The alert that asked for it.
    pub alert: AlertFacts,
    /// In words: which rule, which metric, which value.
    pub reason: Arc<str>,
    /// Labelled predictions of the version that are kept at that time.
    pub labelled: u64,
    /// Where the window's predictions stand in Kafka.
    pub predictions: Vec<OffsetSpan>,
    /// Where the window's labels stand in Kafka.
    pub labels: Vec<OffsetSpan>,
    /// When it was asked for (event time: the end of the judged window).
    pub requested_at: Timestamp,
}
