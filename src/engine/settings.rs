//! What the engine is told: plain values, already validated by `config`.

use crate::engine::catalogue::{Family, Metric, MetricSet, Signal, Subject};
use crate::engine::verdict::{Rule, SubjectPattern};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Everything the engine is told.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// Windows and watermark.
    pub window: WindowSettings,
    /// The join of predictions and labels.
    pub join: JoinSettings,
    /// Bounds on what may be watched at once.
    pub limits: Limits,
    /// Models, in the configuration's order: the first whose pattern matches takes the event.
    pub models: Vec<Arc<ModelSettings>>,
    /// What alerts are sent to, and how.
    pub alerting: AlertSettings,
}

/// Event-time windows. All times in milliseconds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WindowSettings {
    /// Length of a window; a multiple of the slide.
    pub size_ms: i64,
    /// Distance between two windows, and the length of a pane; a multiple of a second.
    pub slide_ms: i64,
    /// How far behind the highest event time an event may come and still be in time.
    pub lateness_ms: i64,
    /// After this long without a message, a partition that was read to its end no longer holds the watermark back.
    pub idle_ms: i64,
    /// An event whose timestamp lies further than this after its arrival is rejected.
    pub max_future_ms: i64,
}

/// The join of predictions and labels. All times in milliseconds.
#[derive(Debug, Clone, PartialEq)]
pub struct JoinSettings {
    /// A window's quality is judged at the latest when the watermark is this far past its end.
    pub horizon_ms: i64,
    /// How long a prediction waits for its label and a label for its prediction; labels may amend a judged window until then.
    pub keep_ms: i64,
    /// Share of predictions with a label at which a window is judged before the horizon (0 to 1).
    pub mature_coverage: f64,
    /// Most predictions that are remembered at once; the oldest is dropped, and counted.
    pub max_predictions: usize,
    /// Most labels that wait for their prediction at once; the oldest is dropped, and counted.
    pub max_labels: usize,
    /// Most bytes that both take together; the oldest are dropped, and counted.
    pub max_bytes: usize,
    /// Share of all ids that are joined (above 0, at most 1).
    pub sample: f64,
}

/// Bounds on what may be watched at once; what they drop is counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Model versions.
    pub models: usize,
    /// Segments per model version.
    pub segments: usize,
    /// Classes per model.
    pub classes: usize,
}

/// What a model predicts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Task {
    /// Two classes, one of them positive.
    Binary,
    /// More than two classes.
    Multiclass,
    /// A number.
    Regression,
    /// A list of items, best first.
    Ranking,
}

impl Task {
    /// Every task, for tables and suites.
    pub const ALL: [Self; 4] = [Self::Binary, Self::Multiclass, Self::Regression, Self::Ranking];

    /// The name used in configuration and output.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Binary => "binary",
            Self::Multiclass => "multiclass",
            Self::Regression => "regression",
            Self::Ranking => "ranking",
        }
    }
}

/// How a column is understood.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum ColumnKind {
    /// Numbers, counted by cells.
    Numeric,
    /// Names, counted by name.
    Categorical,
    /// Vectors of one length (embeddings), told apart by a kernel.
    Vector,
    /// Texts, counted by their character 3-grams (length, words and unseen words of a text are columns of numbers beside it).
    Text,
}

impl ColumnKind {
    /// Every kind, for tables and suites.
    pub const ALL: [Self; 4] = [Self::Numeric, Self::Categorical, Self::Vector, Self::Text];

    /// The name used in configuration and output.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Numeric => "numeric",
            Self::Categorical => "categorical",
            Self::Vector => "vector",
            Self::Text => "text",
        }
    }
}

/// One `[[model]]` block.
#[derive(Debug, Clone, PartialEq)]
pub struct ModelSettings {
    /// Name of the model, or a pattern with `*`.
    pub name: Arc<str>,
    /// What it predicts.
    pub task: Task,
    /// The positive class of a binary model, in canonical form.
    pub positive: Option<Arc<str>>,
    /// The classes, in canonical form; empty: those of the reference, else those that are seen.
    pub classes: Vec<Arc<str>>,
    /// Where the reference comes from.
    pub reference: ReferencePolicy,
    /// What a version without a reference of its own is compared with.
    pub new_version: NewVersion,
    /// Cells per numeric column of a learned reference.
    pub cells: usize,
    /// Bins per numeric column of a learned reference.
    pub bins: usize,
    /// Kinds of columns that inference would get wrong (learned references).
    pub kinds: BTreeMap<Arc<str>, ColumnKind>,
    /// Features by which windows are also kept apart, one segment a value.
    pub segments: Vec<Arc<str>>,
    /// Features that are not watched.
    pub ignore: Vec<Arc<str>>,
    /// The metrics that are measured: the usual ones, those that rules look at, and those that were asked for.
    pub metrics: MetricSet,
    /// Whether quality is estimated before labels arrive.
    pub estimate: bool,
    /// Places of a ranked list that count.
    pub k: usize,
    /// How many times as much recall counts as precision in F-beta.
    pub beta: f64,
    /// What answers are worth; `None`: not said.
    pub costs: Option<CostMatrix>,
    /// Decision thresholds other than the model's own at which rules look (`quality@0.3`), as they are written.
    pub decision_thresholds: Vec<Arc<str>>,
    /// What change detectors go by; which of them run is said by the rules.
    pub detectors: DetectorSettings,
    /// The rules for this model, its overrides already applied.
    pub rules: Vec<Arc<Rule>>,
}

/// Places of a ranked list that count where nothing else is said.
pub const DEFAULT_K: usize = 10;

/// Bins of a numeric column where nothing else is said: its deciles.
pub const DEFAULT_BINS: usize = 10;

/// β of F-beta where nothing else is said: F2, recall counts twice as much as precision. (F1 is a metric of its own.)
pub const DEFAULT_BETA: f64 = 2.0;

impl ModelSettings {
    /// Whether the scores of a prediction are remembered until its label comes: they take memory, so only where something is read from them.
    pub fn needs_scores(&self) -> bool {
        !self.decision_thresholds.is_empty() || self.metrics.iter().any(Metric::needs_scores)
    }

    /// Whether a rule looks at one class of the model.
    pub fn looks_at_classes(&self) -> bool {
        let of_class = |subject: &SubjectPattern| matches!(subject, SubjectPattern::Exactly(Subject::ClassQuality(_)));
        self.rules.iter().flat_map(|rule| &rule.conditions).any(|condition| of_class(&condition.subject))
    }
}

/// What an answer is worth, by what was true; negative where it costs. In whatever unit the user counts.
#[derive(Debug, Clone, PartialEq)]
pub enum CostMatrix {
    /// Of a binary model.
    Binary {
        /// A positive that was found.
        true_positive: f64,
        /// A false alarm.
        false_positive: f64,
        /// A negative that was recognised.
        true_negative: f64,
        /// A positive that was missed.
        false_negative: f64,
    },
    /// Of a multiclass model: (truth, answer) in canonical form → value; a pair that is not there is worth nothing.
    Classes(BTreeMap<(Arc<str>, Arc<str>), f64>),
}

impl ModelSettings {
    /// The change detectors that a rule looks at, each with what it watches.
    pub fn watched(&self) -> BTreeSet<(Signal, Metric)> {
        let conditions = self.rules.iter().flat_map(|rule| &rule.conditions).filter(|c| c.metric.family() == Family::Detector);
        let of_task = conditions.filter(|c| c.task.is_none_or(|task| task == self.task));
        let watched = of_task.filter_map(|condition| match &condition.subject {
            SubjectPattern::Exactly(subject) => Some((Signal::of(subject)?, condition.metric)),
            SubjectPattern::AnyFeature => None,
        });
        // a rule for all models does not mean on numbers what works on answers only
        let watched = watched.filter(|(signal, _)| *signal != Signal::Errors || self.task != Task::Ranking);
        watched.filter(|(signal, metric)| !metric.needs_answers() || (*signal == Signal::Errors && self.task != Task::Regression)).collect()
    }
}

/// `[model.detectors]`: what change detectors go by.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct DetectorSettings {
    /// ADWIN: probability of a false cut, by its bound (0 to 1).
    pub adwin_delta: f64,
    /// Page–Hinkley: sum of deviations that is a change, on the scale of right and wrong answers.
    pub page_hinkley_threshold: f64,
    /// HDDM-A and HDDM-W: probability of a false change, by their bounds (0 to 1).
    pub hddm_confidence: f64,
    /// KSWIN: probability with every value of a false change (0 to 1).
    pub kswin_alpha: f64,
    /// CUSUM: mean number of values between two false changes.
    pub cusum_arl: f64,
    /// Values from which mean and spread of a stream of numbers are learned (ADWIN, Page–Hinkley; CUSUM of any stream).
    pub warm_up: u64,
    /// Values after a change during which a detector rests.
    pub refractory: u64,
}

impl Default for DetectorSettings {
    fn default() -> Self {
        Self {
            adwin_delta: 0.002,
            page_hinkley_threshold: 50.0,
            hddm_confidence: 0.001,
            kswin_alpha: 0.000_001,
            cusum_arl: 1_000_000.0,
            warm_up: 1000,
            refractory: 100,
        }
    }
}

/// Where a model's reference comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReferencePolicy {
    /// A compiled file, by the name under which the rim loaded it; `version` limits it to that version of the model.
    File {
        /// Path as configured, the key in the evaluator's table of loaded references.
        path: Arc<str>,
        /// The version it was built for; `None`: every version.
        version: Option<Arc<str>>,
    },
    /// The first `rows` predictions of each version.
    Learn {
        /// Number of predictions.
        rows: usize,
    },
}

/// What a version without a reference of its own is compared with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NewVersion {
    /// The model's reference for the inputs; the outputs are learned from its first `rows` predictions.
    Inherit {
        /// Predictions from which the outputs are learned.
        rows: usize,
    },
    /// Inputs and outputs are learned from its first `rows` predictions.
    Learn {
        /// Number of predictions.
        rows: usize,
    },
}

/// Who is told, and when a retraining may be asked for. All times in milliseconds.
#[derive(Debug, Clone, PartialEq)]
pub struct AlertSettings {
    /// Name of this installation; part of every id and message.
    pub environment: Arc<str>,
    /// Receivers of alerts, by name, in the configuration's order.
    pub receivers: Vec<ReceiverSettings>,
    /// The retraining trigger; `None`: never asked for.
    pub retrain: Option<RetrainSettings>,
    /// Most notifications that wait at once; the oldest repeat is dropped first, and counted.
    pub max_outbox: usize,
}

/// One receiver of alerts, as far as the engine must know it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReceiverSettings {
    /// Its name in the configuration.
    pub name: Arc<str>,
    /// The least severity it is told of.
    pub min_severity: crate::engine::verdict::Severity,
    /// Whether it is told when an alert resolves.
    pub send_resolved: bool,
}

/// When a retraining may be asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RetrainSettings {
    /// Name of the receiver in the outbox.
    pub receiver: Arc<str>,
    /// Time between two triggers of one model.
    pub cooldown_ms: i64,
    /// Most triggers of one model in a UTC day.
    pub daily_budget: u32,
    /// Least number of labelled predictions of the version that are kept when the trigger is sent.
    pub min_labels: u64,
}
