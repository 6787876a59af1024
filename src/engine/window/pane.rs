//! What one stream saw during one slide.

use super::{PackedInput, PackedOutcome};
use crate::engine::catalogue::{Metric, Signal};
use crate::engine::summary::{
    ColumnCounts, Confusion, Histogram, MomentSums, NameCounts, Positions, RankingSums, RegressionSums, ScoreSums, ScoreTable, VectorSums,
};
use crate::event::{ModelKey, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;

/// What is kept apart: a model version as a whole, or one segment of it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct StreamKey {
    /// The model version.
    pub model: ModelKey,
    /// `feature=value`; `None` for the whole.
    pub segment: Option<Arc<str>>,
}

/// The requests of one slide: inputs, outputs and service figures, by the time of the prediction.
/// Columns are those of the reference in use; before there is one (a reference that is being learned) they are empty.
/// Its encoding lacks what stands elsewhere in a [`super::Packed`] one.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct InputPane {
    /// Predictions, failed ones included.
    #[serde(skip)]
    pub requests: u64,
    /// Failed predictions.
    pub errors: u64,
    /// Latencies in milliseconds.
    pub latency: Histogram,
    /// Requests without a usable latency.
    pub latency_missing: u64,
    /// Inputs, in the order of the reference's `inputs`.
    #[serde(skip)]
    pub inputs: Vec<ColumnCounts>,
    /// Predictions, where the reference has them.
    #[serde(skip)]
    pub prediction: Option<ColumnCounts>,
    /// Scores of the positive class, where the reference has them.
    #[serde(skip)]
    pub score: Option<ColumnCounts>,
    /// Scores by whether their class was predicted, for each class that the reference has calibrated, in its order. Empty where nothing is estimated.
    pub scores: Vec<ScoreTable>,
    /// Feature values whose name the reference does not have.
    pub unknown_features: u64,
    /// Requests by the name of a feature that the reference does not have, of the least 50 such names (whole streams only).
    #[serde(skip)]
    pub new_features: NameCounts,
    /// Predictions of this slide that came again under an id that was known; they are not among `requests` (whole streams only).
    pub duplicates: u64,
    /// How far timestamps lay after their arrival, in seconds, of the requests of which they did (whole streams only).
    pub skew_seconds: Histogram,
    /// Features of vectors, in the order of the reference's vectors; empty where nobody asks for them or none has come.
    pub vectors: Vec<VectorSums>,
    /// All inputs together; `None` where nobody asks for them, and for segments.
    pub moments: Option<MomentSums>,
    /// Where the predictions stood in the log.
    pub positions: Positions,
    /// Event times of the first and the last request.
    #[serde(skip)]
    pub span: Option<(Timestamp, Timestamp)>,
    /// What change detectors saw (the stream of the whole only). Errors count at the time of their labels, so a pane may have them and no request.
    pub detections: BTreeMap<(Signal, Metric), Detections>,
}

/// What one change detector saw during one slide.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Detections {
    /// Values of its stream.
    pub seen: u64,
    /// Changes that it found.
    pub found: u64,
}

/// What became of the predictions of one slide, by the time of the *prediction*; labels amend it until they no longer come.
/// Its encoding lacks what stands elsewhere in a [`super::Packed`] one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OutcomePane {
    /// Predictions that can have a label (answered, with a usable prediction).
    #[serde(skip)]
    pub expected: u64,
    /// Predictions that have one.
    #[serde(skip)]
    pub labelled: u64,
    /// Labels, over the reference's label column, where it has one.
    #[serde(skip)]
    pub labels: Option<ColumnCounts>,
    /// Prediction against truth.
    pub quality: Quality,
    /// Scores against truth, where scores are remembered (classes).
    pub scores: ScoreSums,
    /// Prediction minus label, over the reference's residual column, where it has one (regressions).
    #[serde(skip)]
    pub residuals: Option<ColumnCounts>,
    /// From the prediction's timestamp to its label's, in seconds.
    pub delay_seconds: Histogram,
    /// Labels that replaced an earlier, different one.
    #[serde(skip)]
    pub revised: u64,
    /// Event time of the last label that was joined.
    #[serde(skip)]
    pub last_label: Option<Timestamp>,
    /// Where the expected predictions stood in the log.
    pub prediction_positions: Positions,
    /// Where the labels stood in the log.
    pub label_positions: Positions,
}

/// Prediction against truth, as sums.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Quality {
    /// Classes.
    Classes(Confusion),
    /// Numbers.
    Numbers(RegressionSums),
    /// Ranked lists.
    Lists(RankingSums),
}

impl InputPane {
    /// Adds `other`, which has the same columns (or none yet).
    pub fn merge(&mut self, other: &Self) {
        if self.inputs.is_empty() {
            self.inputs.clone_from(&other.inputs);
        } else {
            self.inputs.iter_mut().zip(&other.inputs).for_each(|(a, b)| a.merge(b));
        }
        merge_column(&mut self.prediction, other.prediction.as_ref());
        merge_column(&mut self.score, other.score.as_ref());
        self.merge_all_but_columns(other);
    }

    /// The same but for inputs, prediction and score.
    pub fn merge_all_but_columns(&mut self, other: &Self) {
        self.requests += other.requests;
        self.errors += other.errors;
        self.latency.merge(&other.latency);
        self.latency_missing += other.latency_missing;
        self.scores.resize_with(self.scores.len().max(other.scores.len()), ScoreTable::default);
        self.scores.iter_mut().zip(&other.scores).for_each(|(a, b)| a.merge(b));
        self.unknown_features += other.unknown_features;
        self.new_features.merge(&other.new_features);
        self.duplicates += other.duplicates;
        self.skew_seconds.merge(&other.skew_seconds);
        if self.vectors.len() < other.vectors.len() {
            self.vectors.resize_with(other.vectors.len(), VectorSums::default);
        }
        self.vectors.iter_mut().zip(&other.vectors).for_each(|(a, b)| a.merge(b));
        match (&mut self.moments, &other.moments) {
            (Some(a), Some(b)) => a.merge(b),
            (mine @ None, Some(b)) => *mine = Some(b.clone()),
            (_, None) => {}
        }
        self.positions.merge(&other.positions);
        if let Some((first, last)) = other.span {
            self.extend_span(first);
            self.extend_span(last);
        }
        for (&detector, other) in &other.detections {
            let mine = self.detections.entry(detector).or_default();
            mine.seen += other.seen;
            mine.found += other.found;
        }
    }

    /// Takes `part` out again, but for columns, and for what no part can be taken out of: names of new features, positions, and the span.
    pub(super) fn unmerge_all_but_columns(&mut self, part: &Self) {
        self.requests = self.requests.saturating_sub(part.requests);
        self.errors = self.errors.saturating_sub(part.errors);
        self.latency.unmerge(&part.latency);
        self.latency_missing = self.latency_missing.saturating_sub(part.latency_missing);
        self.scores.iter_mut().zip(&part.scores).for_each(|(a, b)| a.unmerge(b));
        self.unknown_features = self.unknown_features.saturating_sub(part.unknown_features);
        self.duplicates = self.duplicates.saturating_sub(part.duplicates);
        self.skew_seconds.unmerge(&part.skew_seconds);
        self.vectors.iter_mut().zip(&part.vectors).for_each(|(a, b)| a.unmerge(b));
        if let (Some(a), Some(b)) = (&mut self.moments, &part.moments) {
            a.unmerge(b);
        }
        for (detector, part) in &part.detections {
            if let Some(mine) = self.detections.get_mut(detector) {
                mine.seen = mine.seen.saturating_sub(part.seen);
                mine.found = mine.found.saturating_sub(part.found);
            }
        }
    }

    /// Notes the event time of a request.
    pub fn extend_span(&mut self, at: Timestamp) {
        self.span = Some(self.span.map_or((at, at), |(first, last)| (first.min(at), last.max(at))));
    }

    /// Counts one score of the class at `place` among the calibrated ones.
    pub fn add_score(&mut self, place: usize, cell: u16, predicted: bool) {
        if self.scores.len() <= place {
            self.scores.resize_with(place + 1, ScoreTable::default);
        }
        self.scores[place].add(cell, predicted);
    }
}

impl OutcomePane {
    /// An empty pane of the given quality.
    pub fn new(quality: Quality, labels: Option<ColumnCounts>) -> Self {
        Self {
            expected: 0,
            labelled: 0,
            labels,
            quality,
            scores: ScoreSums::default(),
            residuals: None,
            delay_seconds: Histogram::default(),
            revised: 0,
            last_label: None,
            prediction_positions: Positions::default(),
            label_positions: Positions::default(),
        }
    }

    /// Adds `other`, which belongs to the same model.
    pub fn merge(&mut self, other: &Self) {
        self.expected += other.expected;
        self.labelled += other.labelled;
        merge_column(&mut self.labels, other.labels.as_ref());
        match (&mut self.quality, &other.quality) {
            (Quality::Classes(a), Quality::Classes(b)) => a.merge(b),
            (Quality::Numbers(a), Quality::Numbers(b)) => a.merge(b),
            (Quality::Lists(a), Quality::Lists(b)) => a.merge(b),
            _ => debug_assert!(false, "panes of one model have one kind of quality"),
        }
        self.scores.merge(&other.scores);
        merge_column(&mut self.residuals, other.residuals.as_ref());
        self.delay_seconds.merge(&other.delay_seconds);
        self.revised += other.revised;
        self.last_label = self.last_label.max(other.last_label);
        self.prediction_positions.merge(&other.prediction_positions);
        self.label_positions.merge(&other.label_positions);
    }

    /// Takes `part` out again, but for what no part can be taken out of: the last label, and positions.
    pub(super) fn unmerge(&mut self, part: &Self) {
        self.expected = self.expected.saturating_sub(part.expected);
        self.labelled = self.labelled.saturating_sub(part.labelled);
        unmerge_column(&mut self.labels, part.labels.as_ref());
        match (&mut self.quality, &part.quality) {
            (Quality::Classes(a), Quality::Classes(b)) => a.unmerge(b),
            (Quality::Numbers(a), Quality::Numbers(b)) => a.unmerge(b),
            (Quality::Lists(a), Quality::Lists(b)) => a.unmerge(b),
            _ => debug_assert!(false, "panes of one model have one kind of quality"),
        }
        self.scores.unmerge(&part.scores);
        unmerge_column(&mut self.residuals, part.residuals.as_ref());
        self.delay_seconds.unmerge(&part.delay_seconds);
        self.revised = self.revised.saturating_sub(part.revised);
    }
}

fn merge_column(mine: &mut Option<ColumnCounts>, theirs: Option<&ColumnCounts>) {
    match (mine.as_mut(), theirs) {
        (Some(a), Some(b)) => a.merge(b),
        (None, Some(b)) => *mine = Some(b.clone()),
        _ => {}
    }
}

fn unmerge_column(mine: &mut Option<ColumnCounts>, part: Option<&ColumnCounts>) {
    if let (Some(mine), Some(part)) = (mine, part) {
        mine.unmerge(part);
    }
}

/// A pane as the shard publishes it: cumulative, so the newest one replaces what was published before and a repeat changes nothing.
#[derive(Debug, Clone, PartialEq)]
pub struct PaneUpdate {
    /// The stream.
    pub stream: Arc<StreamKey>,
    /// Start of the pane.
    pub start: Timestamp,
    /// Requests; `None`: unchanged since the last update.
    pub input: Option<Arc<PackedInput>>,
    /// Outcomes; `None`: unchanged since the last update.
    pub outcome: Option<Arc<PackedOutcome>>,
}
