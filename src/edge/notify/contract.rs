//! The JSON of the generic webhook and of the retraining trigger: CloudEvents 1.0, structured. A contract, held by golden files.
//!
//! Its structs are its own and are filled by hand: a change of the engine's facts does not change what receivers read. Fields may be added under the same
//! `type`; anything else needs a new version of it. Invariant: the body is a function of the notification alone, so every retry sends the same bytes.

use super::text;
use crate::engine::alert::{
    AlertFacts, Body, Cause, Explanation, Notification, NotifyReason, OffsetSpan, RetrainFacts, SegmentShare, Worst,
};
use crate::engine::metric::Part;
use crate::event::Timestamp;
use serde::{Deserialize, Serialize};

/// Longest name or sentence in a body, in characters; longer ones end in `…`.
const TEXT: usize = 1_024;
/// Longest name of a bin, a category or a segment: there may be dozens of them.
const PART: usize = 256;

/// The envelope (CloudEvents 1.0).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CloudEvent<D> {
    /// `1.0`.
    pub specversion: String,
    /// The notification's id: the same over retries, and the value of `webhook-id`.
    pub id: String,
    /// `/driftd/<environment>`, percent-encoded.
    pub source: String,
    /// What happened, e.g. `dev.driftd.alert.firing.v1`.
    pub r#type: String,
    /// `model/<model>/<version>`.
    pub subject: String,
    /// When it happened, in event time (RFC 3339).
    pub time: String,
    /// `application/json`.
    pub datacontenttype: String,
    /// The facts.
    pub data: D,
}

/// `data` of `dev.driftd.alert.*.v1`, and PagerDuty's `custom_details`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AlertData {
    /// The episode.
    pub incident: String,
    /// `firing` or `resolved`.
    pub state: String,
    /// `info`, `warning`, `error`, `critical`.
    pub severity: String,
    /// Name of the rule.
    pub rule: String,
    /// What a person reads first.
    pub title: String,
    /// Name of the installation.
    pub environment: String,
    /// Name of the model.
    pub model: String,
    /// Version of the model.
    pub version: String,
    /// `feature=value`, or null.
    pub segment: Option<String>,
    /// Start of the first window that breached.
    pub since: String,
    /// End of the window by which it fired.
    pub fired_at: Option<String>,
    /// End of the window by which it resolved.
    pub resolved_at: Option<String>,
    /// The window judged last.
    pub window: WindowData,
    /// What was beyond its bound, worst first.
    pub worst: Vec<WorstData>,
    /// How many subjects were beyond their bound.
    pub breaching: u64,
    /// How many subjects were judged.
    pub judged: u64,
    /// Why it resolved, where not by clear windows.
    pub note: Option<String>,
    /// Why it fires, as far as its last breaching window says; null where nothing is known.
    pub explanation: Option<ExplanationData>,
}

/// `data` of `dev.driftd.retrain.requested.v1`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RetrainData {
    /// The incident that asked for it: run at most one training for each.
    pub incident: String,
    /// Name of the installation.
    pub environment: String,
    /// Name of the model.
    pub model: String,
    /// Version of the model.
    pub version: String,
    /// `feature=value`, or null.
    pub segment: Option<String>,
    /// Which rule, metric and value asked for it, in words.
    pub reason: String,
    /// Name of the rule.
    pub rule: String,
    /// `info`, `warning`, `error`, `critical`.
    pub severity: String,
    /// End of the window that asked for it.
    pub requested_at: String,
    /// That window.
    pub window: WindowData,
    /// What there is to train with.
    pub counts: CountsData,
    /// What was beyond its bound, worst first.
    pub worst: Vec<WorstData>,
    /// Where the window's events stand in Kafka.
    pub data: TrainingData,
}

/// A window.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WindowData {
    /// First instant.
    pub start: String,
    /// First instant after it.
    pub end: String,
    /// Predictions in it.
    pub predictions: u64,
    /// Predictions in it that had a label.
    pub labels: u64,
}

/// One thing that was beyond its bound.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct WorstData {
    /// `feature:<name>`, `prediction`, `quality`, …
    pub subject: String,
    /// Name of the metric.
    pub metric: String,
    /// The reading; null where it is not finite.
    pub value: Option<f64>,
    /// The bound.
    pub threshold: Option<f64>,
    /// `above` or `below`: on which side of the threshold a value is a breach.
    pub breach: String,
    /// Values of the window behind the reading.
    pub n_current: u64,
    /// What it was compared with: `reference`, `previous_window`, `last_week`.
    pub against: String,
    /// The same figure on the reference; null where it has none.
    pub reference: Option<f64>,
    /// The subject's share of all that is beyond its bound, 0 to 1.
    pub share: f64,
    /// What contributed most, largest first, at most 3.
    pub parts: Vec<PartData>,
}

/// A bin, a category or a feature, and what it adds to a reading.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PartData {
    /// `12.5 to 40`, `DE`, `(new)`, …
    pub name: String,
    /// Its share of the reference (0 to 1), or its figure there.
    pub reference: Option<f64>,
    /// Its share of the window (0 to 1), or its figure there.
    pub current: Option<f64>,
    /// What it adds to the reading.
    pub contribution: Option<f64>,
}

/// Why an alert fires.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ExplanationData {
    /// What became of the worst columns, worst first, at most 3.
    pub causes: Vec<CauseData>,
    /// Whether the prediction moved with the features; null where that is not known, or where the alert is about the prediction itself.
    pub prediction: Option<MovedData>,
    /// Where the worst reading comes from, largest contribution first, at most 5.
    pub segments: Vec<SegmentData>,
}

/// What became of one column.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CauseData {
    /// `feature:<name>`, `prediction`, `score`, `label`.
    pub subject: String,
    /// `null_surge`, `invalid_surge`, `new_values`, `stuck`, `moved_up`, `moved_down`, `moved_both_ways`, `shares_moved`.
    pub kind: String,
    /// The rate that surged (0 to 1), or the mean of values that moved, on the reference; null where there is none.
    pub reference: Option<f64>,
    /// The same in the window.
    pub current: Option<f64>,
    /// The bin or category that grew most (or shrank, where none grew); null where none is known.
    pub part: Option<PartData>,
}

/// Whether the prediction is beyond its own bound.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MovedData {
    /// By which metric.
    pub metric: String,
    /// The reading.
    pub value: Option<f64>,
    /// The bound.
    pub threshold: Option<f64>,
    /// Whether it is judged to be beyond it.
    pub moved: bool,
}

/// One segment's part in the worst reading.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SegmentData {
    /// `feature=value`.
    pub segment: String,
    /// The same metric in the segment.
    pub value: Option<f64>,
    /// Its share of the window's requests (of quality: of its labels), 0 to 1.
    pub rows: f64,
    /// How bad the reading is, times `rows`.
    pub contribution: Option<f64>,
}

/// What there is to train with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CountsData {
    /// Predictions in the window.
    pub predictions: u64,
    /// Predictions in the window that had a label.
    pub labels: u64,
    /// Labelled predictions of the version that driftd keeps in all.
    pub labelled: u64,
}

/// Where the window's events stand in Kafka. The ranges hold all of them, and may hold others between.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrainingData {
    /// Predictions.
    pub predictions: Vec<OffsetRange>,
    /// Labels.
    pub labels: Vec<OffsetRange>,
}

/// Offsets of one partition, both ends included.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OffsetRange {
    /// Topic.
    pub topic: String,
    /// Partition.
    pub partition: i32,
    /// First offset.
    pub first: i64,
    /// Last offset.
    pub last: i64,
}

/// The body for a notification.
pub(super) fn body(notification: &Notification) -> Result<Vec<u8>, serde_json::Error> {
    match &notification.body {
        Body::Alert(alert) => serde_json::to_vec(&envelope(notification, alert, happened_at(alert), alert_data(alert))),
        Body::Retrain(facts) => serde_json::to_vec(&envelope(notification, &facts.alert, facts.requested_at, retrain_data(facts))),
    }
}

/// When an alert came to its present state.
pub(super) fn happened_at(alert: &AlertFacts) -> Timestamp {
    alert.resolved_at.unwrap_or(alert.window.end)
}

/// An alert's facts in the contract's shape.
pub(super) fn alert_data(alert: &AlertFacts) -> AlertData {
    AlertData {
        incident: line(&alert.incident.0),
        state: alert.state.as_str().to_owned(),
        severity: alert.severity.as_str().to_owned(),
        rule: line(&alert.rule),
        title: line(&alert.title),
        environment: line(&alert.environment),
        model: line(&alert.model.model),
        version: line(&alert.model.version),
        segment: alert.segment.as_deref().map(line),
        since: alert.since.to_string(),
        fired_at: alert.fired_at.map(|at| at.to_string()),
        resolved_at: alert.resolved_at.map(|at| at.to_string()),
        window: window_data(alert),
        worst: alert.worst.iter().map(worst_data).collect(),
        breaching: alert.n_breaching,
        judged: alert.n_judged,
        note: alert.note.as_deref().map(line),
        explanation: alert.explanation.as_ref().map(explanation_data),
    }
}

fn retrain_data(facts: &RetrainFacts) -> RetrainData {
    let alert = &facts.alert;
    RetrainData {
        incident: line(&alert.incident.0),
        environment: line(&alert.environment),
        model: line(&alert.model.model),
        version: line(&alert.model.version),
        segment: alert.segment.as_deref().map(line),
        reason: line(&facts.reason),
        rule: line(&alert.rule),
        severity: alert.severity.as_str().to_owned(),
        requested_at: facts.requested_at.to_string(),
        window: window_data(alert),
        counts: CountsData { predictions: alert.window.predictions, labels: alert.window.labels, labelled: facts.labelled },
        worst: alert.worst.iter().map(worst_data).collect(),
        data: TrainingData {
            predictions: facts.predictions.iter().map(offset_range).collect(),
            labels: facts.labels.iter().map(offset_range).collect(),
        },
    }
}

fn envelope<D>(notification: &Notification, alert: &AlertFacts, time: Timestamp, data: D) -> CloudEvent<D> {
    CloudEvent {
        specversion: "1.0".to_owned(),
        id: notification.id.to_string(),
        source: format!("/driftd/{}", text::percent_encode(&line(&alert.environment))),
        r#type: event_type(notification.reason).to_owned(),
        subject: format!("model/{}/{}", line(&alert.model.model), line(&alert.model.version)),
        time: time.to_string(),
        datacontenttype: "application/json".to_owned(),
        data,
    }
}

fn event_type(reason: NotifyReason) -> &'static str {
    match reason {
        NotifyReason::Firing => "dev.driftd.alert.firing.v1",
        NotifyReason::Repeat => "dev.driftd.alert.repeat.v1",
        NotifyReason::Resolved => "dev.driftd.alert.resolved.v1",
        NotifyReason::Retrain => "dev.driftd.retrain.requested.v1",
    }
}

fn window_data(alert: &AlertFacts) -> WindowData {
    let window = &alert.window;
    WindowData { start: window.start.to_string(), end: window.end.to_string(), predictions: window.predictions, labels: window.labels }
}

fn worst_data(worst: &Worst) -> WorstData {
    WorstData {
        subject: line(&worst.subject.to_string()),
        metric: worst.metric.as_str().to_owned(),
        value: finite(worst.value),
        threshold: finite(worst.threshold),
        breach: if worst.above { "above" } else { "below" }.to_owned(),
        n_current: worst.n_current,
        against: worst.against.as_str().to_owned(),
        reference: worst.reference.and_then(finite),
        share: worst.share,
        parts: worst.parts.iter().map(part_data).collect(),
    }
}

fn part_data(part: &Part) -> PartData {
    PartData {
        name: text::cut(&part.name, PART),
        reference: finite(part.reference),
        current: finite(part.current),
        contribution: finite(part.contribution),
    }
}

fn explanation_data(explanation: &Explanation) -> ExplanationData {
    let cause = |cause: &Cause| {
        let (reference, current) = cause.kind.figures();
        CauseData {
            subject: line(&cause.subject.to_string()),
            kind: cause.kind.as_str().to_owned(),
            reference: reference.and_then(finite),
            current: current.and_then(finite),
            part: cause.part.as_ref().map(part_data),
        }
    };
    let segment = |share: &SegmentShare| SegmentData {
        segment: text::cut(&share.segment, PART),
        value: finite(share.value),
        rows: share.rows,
        contribution: finite(share.contribution),
    };
    ExplanationData {
        causes: explanation.causes.iter().map(cause).collect(),
        prediction: explanation.prediction.as_ref().map(|prediction| MovedData {
            metric: prediction.metric.as_str().to_owned(),
            value: finite(prediction.value),
            threshold: finite(prediction.threshold),
            moved: prediction.moved,
        }),
        segments: explanation.segments.iter().map(segment).collect(),
    }
}

fn offset_range(span: &OffsetSpan) -> OffsetRange {
    OffsetRange { topic: span.topic.to_string(), partition: span.partition, first: span.first, last: span.last }
}

fn finite(value: f64) -> Option<f64> {
    value.is_finite().then_some(value)
}

fn line(text: &str) -> String {
    text::cut(text, TEXT)
}
