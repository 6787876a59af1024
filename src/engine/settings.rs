//! What the engine is told: plain values, already validated by `config`.

use crate::engine::catalogue::MetricSet;
use crate::engine::verdict::Rule;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
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
}

impl Task {
    /// Every task, for tables and suites.
    pub const ALL: [Self; 3] = [Self::Binary, Self::Multiclass, Self::Regression];

    /// The name used in configuration and output.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Binary => "binary",
            Self::Multiclass => "multiclass",
            Self::Regression => "regression",
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
    /// Kinds of columns that inference would get wrong (learned references).
    pub kinds: BTreeMap<Arc<str>, ColumnKind>,
    /// Features by which windows are also kept apart, one segment a value.
    pub segments: Vec<Arc<str>>,
    /// Features that are not watched.
    pub ignore: Vec<Arc<str>>,
    /// The metrics that are measured: the usual ones, those that rules look at, and those that were asked for.
    pub metrics: MetricSet,
    /// The rules for this model, its overrides already applied.
    pub rules: Vec<Arc<Rule>>,
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
