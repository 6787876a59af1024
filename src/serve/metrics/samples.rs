//! The view as a table of samples, one family a metric.

use super::super::{ProcessFacts, ReadingView, StreamView, View};
use crate::event::Timestamp;
use crate::telemetry::MetricName;
use std::collections::BTreeMap;
use xxhash_rust::xxh3::xxh3_64;

/// Longest label value, in bytes; a longer one is cut and told apart by a hash.
const MAX_LABEL_BYTES: usize = 256;

/// A sample's value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Number {
    /// An exact count.
    Count(u64),
    /// A finite number.
    Real(f64),
}

type Family = BTreeMap<Vec<String>, Number>;

/// Every sample of one scrape.
#[derive(Debug, Default)]
pub(super) struct Samples(BTreeMap<MetricName, Family>);

impl Samples {
    /// The samples of one metric, sorted by label values.
    pub(super) fn family(&self, metric: MetricName) -> Option<&Family> {
        self.0.get(&metric)
    }

    fn put(&mut self, metric: MetricName, labels: &[&str], number: Number) {
        debug_assert_eq!(labels.len(), metric.labels().len(), "{}", metric.as_str());
        self.0.entry(metric).or_default().insert(labels.iter().map(|l| bounded(l)).collect(), number);
    }

    fn count(&mut self, metric: MetricName, labels: &[&str], n: u64) {
        self.put(metric, labels, Number::Count(n));
    }

    fn real(&mut self, metric: MetricName, labels: &[&str], value: f64) {
        if value.is_finite() {
            self.put(metric, labels, Number::Real(value));
        }
    }

    fn time(&mut self, metric: MetricName, at: Option<Timestamp>) {
        if let Some(at) = at {
            self.real(metric, &[], seconds(at.millis()));
        }
    }
}

/// Takes every sample from the view.
pub(super) fn collect(view: &View, process: &ProcessFacts) -> Samples {
    let mut samples = Samples::default();
    put_events(&mut samples, view);
    put_progress(&mut samples, view);
    for stream in view.streams() {
        for reading in &stream.readings {
            put_reading(&mut samples, stream, reading);
        }
    }
    put_alerts(&mut samples, view);
    samples.count(MetricName::BuildInfo, &[view.version], 1);
    samples.time(MetricName::ProcessStartTime, Some(view.started_at));
    if let Some(bytes) = process.resident_bytes {
        samples.count(MetricName::ProcessResidentMemory, &[], bytes);
    }
    samples
}

fn put_events(samples: &mut Samples, view: &View) {
    let events = &view.events;
    for ((topic, kind), &n) in &events.received {
        samples.count(MetricName::EventsReceived, &[topic, kind], n);
    }
    samples.count(MetricName::EventsApplied, &[], events.applied);
    for (reason, &n) in &events.rejected {
        samples.count(MetricName::EventsRejected, &[reason], n);
    }
    samples.count(MetricName::EventsDuplicate, &[], events.duplicate);
    samples.count(MetricName::EventsLate, &[], events.late);
    samples.count(MetricName::LabelsNotSampled, &[], events.labels_not_sampled);
    samples.count(MetricName::EventsAmended, &[], events.amended);
    for (reason, &n) in &events.values_invalid {
        samples.count(MetricName::ValuesInvalid, &[reason], n);
    }
    samples.count(MetricName::LabelsJoined, &[], view.join.labels_joined);
    samples.count(MetricName::LabelsRevised, &[], view.join.labels_revised);
    samples.count(MetricName::LabelsWaiting, &[], view.join.labels_waiting);
    samples.count(MetricName::JoinPredictions, &[], view.join.predictions);
    samples.count(MetricName::JoinBytes, &[], view.join.bytes);
    samples.count(MetricName::PredictionsNotSampled, &[], view.join.predictions_not_sampled);
    for ((store, bound), &n) in &view.join.evicted {
        samples.count(MetricName::JoinEvicted, &[store, bound], n);
    }
    samples.count(MetricName::SegmentsOverflow, &[], view.segments_overflow);
}

fn put_progress(samples: &mut Samples, view: &View) {
    samples.time(MetricName::WatermarkTimestamp, view.watermark);
    if let Some(watermark) = view.watermark {
        samples.real(MetricName::EventTimeLag, &[], seconds(view.published_at.since(watermark)));
    }
    for partition in &view.partitions {
        if let Some(lag) = partition.lag() {
            samples.count(MetricName::ConsumerLag, &[&partition.topic, &partition.partition.to_string()], lag);
        }
    }
    samples.count(MetricName::AssignedPartitions, &[], view.partitions.len() as u64);
    let checkpoint = &view.checkpoint;
    if let Some(ms) = checkpoint.duration_ms {
        samples.real(MetricName::CheckpointDuration, &[], ms as f64 / 1000.0);
    }
    if let Some(bytes) = checkpoint.size_bytes {
        samples.count(MetricName::CheckpointSize, &[], bytes);
    }
    samples.time(MetricName::CheckpointLastSuccess, checkpoint.last_success);
    samples.count(MetricName::Checkpoints, &[], checkpoint.total);
    samples.count(MetricName::CheckpointFailures, &[], checkpoint.failures);
    for ((model, version), &n) in &view.windows_evaluated {
        samples.count(MetricName::WindowsEvaluated, &[model, version], n);
    }
    samples.time(MetricName::LastEvaluation, view.last_evaluation);
    samples.count(MetricName::SeriesOverflow, &[], view.series_overflow());
    samples.count(MetricName::Models, &[], view.n_models);
}

fn put_reading(samples: &mut Samples, stream: &StreamView, reading: &ReadingView) {
    let Ok(value) = reading.value else { return };
    let (model, version, metric) = (&*stream.model, &*stream.version, reading.metric);
    let segment = stream.segment.as_deref().unwrap_or("");
    let subject = &*reading.subject;
    let is_other = matches!(subject, "data" | "estimated_quality" | "errors" | "latency") || subject.starts_with("quality@");
    match subject.split_once(':') {
        _ if is_other => samples.real(MetricName::Reading, &[model, version, segment, subject, metric], value),
        Some(("fairness", _)) => samples.real(MetricName::Reading, &[model, version, segment, subject, metric], value),
        _ if subject == "quality" => samples.real(MetricName::Quality, &[model, version, segment, "", metric], value),
        Some(("quality", class)) => samples.real(MetricName::Quality, &[model, version, segment, class, metric], value),
        _ if subject == "service" => samples.real(MetricName::Service, &[model, version, segment, metric], value),
        _ => samples.real(MetricName::Drift, &[model, version, segment, subject, metric], value),
    }
}

fn put_alerts(samples: &mut Samples, view: &View) {
    for (severity, &n) in &view.alerts_firing {
        samples.count(MetricName::AlertsFiring, &[severity], n);
    }
    for ((rule, state), &n) in &view.alert_transitions {
        samples.count(MetricName::AlertTransitions, &[rule, state], n);
    }
    for ((receiver, reason), &n) in &view.notifications.delivered {
        samples.count(MetricName::NotificationsDelivered, &[receiver, reason], n);
    }
    for (receiver, &n) in &view.notifications.attempts {
        samples.count(MetricName::NotificationAttempts, &[receiver], n);
    }
    for ((receiver, reason), &n) in &view.notifications.failures {
        samples.count(MetricName::NotificationFailures, &[receiver, reason], n);
    }
    samples.count(MetricName::OutboxPending, &[], view.outbox.pending);
    let oldest = view.outbox.oldest.map_or(0, |at| view.published_at.since(at).max(0));
    samples.real(MetricName::OutboxOldest, &[], seconds(oldest));
    samples.count(MetricName::OutboxDropped, &[], view.outbox.dropped);
    samples.count(MetricName::OutboxCancelled, &[], view.outbox.cancelled);
    samples.count(MetricName::AlertsForgotten, &[], view.alerts_forgotten);
    for (outcome, &n) in &view.retrain_requests {
        samples.count(MetricName::RetrainRequests, &[outcome], n);
    }
}

fn seconds(ms: i64) -> f64 {
    ms as f64 / 1000.0
}

/// Cuts a long value at a character's border and appends a hash, so that two long names stay two series.
fn bounded(value: &str) -> String {
    if value.len() <= MAX_LABEL_BYTES {
        return value.to_owned();
    }
    let mut end = MAX_LABEL_BYTES - 17;
    while !value.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}~{:016x}", &value[..end], xxh3_64(value.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_values_are_cut_and_stay_apart() {
        let (a, b) = (format!("{}a", "ä".repeat(300)), format!("{}b", "ä".repeat(300)));
        assert!(bounded(&a).len() <= MAX_LABEL_BYTES);
        assert_ne!(bounded(&a), bounded(&b));
        assert_eq!(bounded("short"), "short");
    }
}
