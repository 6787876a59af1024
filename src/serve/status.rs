//! The JSON of `/status`: a contract with its own structs, converted by hand from the view.
//!
//! Times are RFC 3339 in UTC; a value that is not defined is `null` with its reason, never NaN.

use super::{AlertView, ReadingView, StreamView, View};
use crate::event::Timestamp;
use serde::Serialize;
use std::collections::BTreeMap;

/// The whole document.
#[derive(Debug, Clone, Serialize)]
pub struct Status<'a> {
    version: &'a str,
    environment: &'a str,
    started_at: String,
    published_at: String,
    ready: bool,
    not_ready: Vec<NotReadyJson<'a>>,
    counts: Counts<'a>,
    watermark: Option<String>,
    event_time_lag_seconds: Option<f64>,
    last_evaluation: Option<String>,
    partitions: Vec<PartitionJson<'a>>,
    models: Vec<ModelJson<'a>>,
    readings_left_out: u64,
    alerts: Vec<AlertJson<'a>>,
    alerts_left_out: u64,
    outbox: OutboxJson,
    retrain_requests: &'a BTreeMap<&'static str, u64>,
    checkpoint: CheckpointJson,
}

#[derive(Debug, Clone, Serialize)]
struct NotReadyJson<'a> {
    check: &'static str,
    reason: &'a str,
    what_to_do: &'a str,
}

#[derive(Debug, Clone, Serialize)]
struct Counts<'a> {
    received: u64,
    applied: u64,
    duplicate: u64,
    late: u64,
    labels_not_sampled: u64,
    rejected: &'a BTreeMap<&'static str, u64>,
    values_invalid: &'a BTreeMap<&'static str, u64>,
    labels_joined: u64,
    labels_revised: u64,
    labels_waiting: u64,
    predictions_waiting: u64,
    predictions_not_sampled: u64,
}

#[derive(Debug, Clone, Serialize)]
struct PartitionJson<'a> {
    topic: &'a str,
    partition: i32,
    next_offset: i64,
    lag: Option<u64>,
}

#[derive(Debug, Clone, Serialize)]
struct ModelJson<'a> {
    model: &'a str,
    version: &'a str,
    segment: Option<&'a str>,
    window: WindowJson,
    readings: Vec<ReadingJson<'a>>,
}

#[derive(Debug, Clone, Serialize)]
struct WindowJson {
    start: String,
    end: String,
    predictions: u64,
    labels: u64,
}

#[derive(Debug, Clone, Serialize)]
struct ReadingJson<'a> {
    subject: &'a str,
    metric: &'static str,
    value: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
    threshold: Option<f64>,
    verdict: Option<&'static str>,
    n_current: u64,
}

#[derive(Debug, Clone, Serialize)]
struct AlertJson<'a> {
    rule: &'a str,
    title: &'a str,
    severity: &'static str,
    model: &'a str,
    version: &'a str,
    segment: Option<&'a str>,
    incident: &'a str,
    state: &'static str,
    since: String,
    worst: Vec<WorstJson<'a>>,
}

#[derive(Debug, Clone, Serialize)]
struct WorstJson<'a> {
    subject: &'a str,
    metric: &'static str,
    value: f64,
    threshold: f64,
}

#[derive(Debug, Clone, Serialize)]
struct OutboxJson {
    pending: u64,
    oldest: Option<String>,
    dropped: u64,
    delivered: u64,
}

#[derive(Debug, Clone, Serialize)]
struct CheckpointJson {
    total: u64,
    failures: u64,
    last_success: Option<String>,
    duration_ms: Option<u64>,
    size_bytes: Option<u64>,
}

impl<'a> From<&'a View> for Status<'a> {
    fn from(view: &'a View) -> Self {
        Self {
            version: view.version,
            environment: &view.environment,
            started_at: view.started_at.to_string(),
            published_at: view.published_at.to_string(),
            ready: view.not_ready.is_empty(),
            not_ready: view
                .not_ready
                .iter()
                .map(|n| NotReadyJson { check: n.check.as_str(), reason: &n.reason, what_to_do: &n.what_to_do })
                .collect(),
            counts: counts(view),
            watermark: text(view.watermark),
            event_time_lag_seconds: view.watermark.map(|w| view.published_at.since(w) as f64 / 1000.0),
            last_evaluation: text(view.last_evaluation),
            partitions: view
                .partitions
                .iter()
                .map(|p| PartitionJson { topic: &p.topic, partition: p.partition, next_offset: p.next_offset, lag: p.lag() })
                .collect(),
            models: view.streams().iter().map(model).collect(),
            readings_left_out: view.series_overflow(),
            alerts: view.alerts().iter().map(alert).collect(),
            alerts_left_out: view.alerts_overflow(),
            outbox: OutboxJson {
                pending: view.outbox.pending,
                oldest: text(view.outbox.oldest),
                dropped: view.outbox.dropped,
                delivered: view.notifications.delivered.values().sum(),
            },
            retrain_requests: &view.retrain_requests,
            checkpoint: CheckpointJson {
                total: view.checkpoint.total,
                failures: view.checkpoint.failures,
                last_success: text(view.checkpoint.last_success),
                duration_ms: view.checkpoint.duration_ms,
                size_bytes: view.checkpoint.size_bytes,
            },
        }
    }
}

fn counts(view: &View) -> Counts<'_> {
    Counts {
        received: view.events.received.values().sum(),
        applied: view.events.applied,
        duplicate: view.events.duplicate,
        late: view.events.late,
        labels_not_sampled: view.events.labels_not_sampled,
        rejected: &view.events.rejected,
        values_invalid: &view.events.values_invalid,
        labels_joined: view.join.labels_joined,
        labels_revised: view.join.labels_revised,
        labels_waiting: view.join.labels_waiting,
        predictions_waiting: view.join.predictions,
        predictions_not_sampled: view.join.predictions_not_sampled,
    }
}

fn model(stream: &StreamView) -> ModelJson<'_> {
    ModelJson {
        model: &stream.model,
        version: &stream.version,
        segment: stream.segment.as_deref(),
        window: WindowJson {
            start: stream.window.start.to_string(),
            end: stream.window.end.to_string(),
            predictions: stream.window.predictions,
            labels: stream.window.labels,
        },
        readings: stream.readings.iter().map(reading).collect(),
    }
}

fn reading(reading: &ReadingView) -> ReadingJson<'_> {
    ReadingJson {
        subject: &reading.subject,
        metric: reading.metric,
        value: reading.value.ok(),
        reason: reading.value.err(),
        threshold: reading.threshold,
        verdict: reading.verdict,
        n_current: reading.n_current,
    }
}

fn alert(alert: &AlertView) -> AlertJson<'_> {
    AlertJson {
        rule: &alert.rule,
        title: &alert.title,
        severity: alert.severity,
        model: &alert.model,
        version: &alert.version,
        segment: alert.segment.as_deref(),
        incident: &alert.incident,
        state: alert.phase.as_str(),
        since: alert.since.to_string(),
        worst: alert
            .worst
            .iter()
            .map(|w| WorstJson { subject: &w.subject, metric: w.metric, value: w.value, threshold: w.threshold })
            .collect(),
    }
}

fn text(at: Option<Timestamp>) -> Option<String> {
    at.map(|at| at.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::serve::view::tests::sample_view;

    #[test]
    fn the_document_is_the_golden_one() {
        let text = serde_json::to_string_pretty(&Status::from(&sample_view())).unwrap() + "\n";
        crate::serve::docs::assert_file("tests/data/status.json", &text);
    }

    #[test]
    fn an_undefined_value_is_null_with_its_reason() {
        let view = sample_view();
        let json = serde_json::to_value(Status::from(&view)).unwrap();
        let precision = json["models"][0]["readings"].as_array().unwrap().iter().find(|r| r["metric"] == "precision").unwrap().clone();
        assert_eq!(precision["value"], serde_json::Value::Null);
        assert_eq!(precision["reason"], "no_positive_prediction");
        assert_eq!(json["alerts"][0]["state"], "firing");
    }
}
