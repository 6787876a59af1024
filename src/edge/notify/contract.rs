//! The JSON of the generic webhook and of the retraining trigger: CloudEvents 1.0, structured. A contract, held by golden files.
//!
//! Its structs are its own and are filled by hand: a change of the engine's facts does not change what receivers read. Fields may be added under the same
//! `type`; anything else needs a new version of it. Invariant: the body is a function of the notification alone, so every retry sends the same bytes.

use super::text;
use crate::engine::alert::{AlertFacts, Body, Notification, NotifyReason, OffsetSpan, RetrainFacts, Worst};
use crate::event::Timestamp;
use serde::{Deserialize, Serialize};

/// Longest name or sentence in a body, in characters; longer ones end in `…`.
const TEXT: usize = 1_024;

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
