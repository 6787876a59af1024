//! What the engine publishes: plain data, immutable once published (`Arc<View>` through `tokio::sync::watch`).
//!
//! Invariant: a view is bounded (`MAX_SERIES` readings, `MAX_ALERTS` alerts) and says how much the bound left out.
//! It holds its own types and names no type of the engine, so that the engine may change without changing a response.

use super::{NotReady, ReadyCheck};
use crate::event::{InvalidReason, RejectReason, Timestamp};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Most readings of one view.
pub const MAX_SERIES: usize = 20_000;

/// Most alerts of one view.
pub const MAX_ALERTS: usize = 5_000;

/// Everything that can be seen of driftd from outside.
#[derive(Debug, Clone, PartialEq)]
pub struct View {
    /// Version of driftd.
    pub version: &'static str,
    /// Name of the installation.
    pub environment: Arc<str>,
    /// Wall clock at which the process started.
    pub started_at: Timestamp,
    /// Wall clock at which this view was made.
    pub published_at: Timestamp,
    /// What became of events and values.
    pub events: EventCounts,
    /// The join of predictions and labels.
    pub join: JoinView,
    /// Partitions this instance reads.
    pub partitions: Vec<PartitionView>,
    /// Event time up to which windows are closed; `None`: no event yet.
    pub watermark: Option<Timestamp>,
    /// Wall clock of the last evaluation.
    pub last_evaluation: Option<Timestamp>,
    /// Windows judged, by model and version.
    pub windows_evaluated: BTreeMap<(Arc<str>, Arc<str>), u64>,
    /// Model versions watched.
    pub n_models: u64,
    /// Events whose segment was beyond the limit.
    pub segments_overflow: u64,
    /// Latest readings, set by `set_streams`.
    streams: Vec<StreamView>,
    /// Readings that `set_streams` left out.
    series_overflow: u64,
    /// Alerts that are pending or fire, set by `set_alerts`.
    alerts: Vec<AlertView>,
    /// Alerts that `set_alerts` left out.
    alerts_overflow: u64,
    /// Firing alerts by severity; counts those that the bound left out too.
    pub alerts_firing: BTreeMap<&'static str, u64>,
    /// Alerts of the past that are no longer remembered.
    pub alerts_forgotten: u64,
    /// Alerts that entered a state, by rule and state.
    pub alert_transitions: BTreeMap<(Arc<str>, &'static str), u64>,
    /// What became of notifications.
    pub notifications: NotificationCounts,
    /// Notifications that are owed.
    pub outbox: OutboxView,
    /// Retraining triggers asked for, by outcome.
    pub retrain_requests: BTreeMap<&'static str, u64>,
    /// Snapshots.
    pub checkpoint: CheckpointView,
    /// Why this instance is not ready; empty: it is.
    pub not_ready: Vec<NotReady>,
}

/// What became of events and values. Each event received ends in exactly one of applied, rejected, duplicate, late, not sampled
/// (invariant I1), or waits.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct EventCounts {
    /// By topic and kind (`prediction`, `label`, `unreadable`).
    pub received: BTreeMap<(Arc<str>, &'static str), u64>,
    /// Went into a pane or a join.
    pub applied: u64,
    /// By reason.
    pub rejected: BTreeMap<&'static str, u64>,
    /// Seen before.
    pub duplicate: u64,
    /// Came after their pane was closed for good.
    pub late: u64,
    /// Labels outside the sample that is joined.
    pub labels_not_sampled: u64,
    /// Of the applied: came after their pane had closed, while a window that holds it was open.
    pub amended: u64,
    /// Single values that could not be used, by reason.
    pub values_invalid: BTreeMap<&'static str, u64>,
}

/// The join of predictions and labels.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct JoinView {
    /// Labels that met their prediction.
    pub labels_joined: u64,
    /// Labels that replaced an earlier one.
    pub labels_revised: u64,
    /// Labels that wait for their prediction.
    pub labels_waiting: u64,
    /// Predictions that are remembered for their labels.
    pub predictions: u64,
    /// Most bytes that these predictions and labels take.
    pub bytes: u64,
    /// Predictions outside the sample that is joined.
    pub predictions_not_sampled: u64,
    /// Entries pushed out of a full store, by store (`predictions`, `labels`) and by the bound that was reached (`number`, `bytes`).
    pub evicted: BTreeMap<(&'static str, &'static str), u64>,
}

/// One partition that this instance reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartitionView {
    /// Topic by name.
    pub topic: Arc<str>,
    /// Partition number.
    pub partition: i32,
    /// Offset of the next message to take.
    pub next_offset: i64,
    /// Offset that the next produced message will get, where the broker has said it.
    pub high_offset: Option<i64>,
}

impl PartitionView {
    /// Messages not taken yet, where known.
    pub fn lag(&self) -> Option<u64> {
        self.high_offset.map(|high| u64::try_from(high.saturating_sub(self.next_offset)).unwrap_or(0))
    }
}

/// Latest readings of one model version, or of one of its segments.
#[derive(Debug, Clone, PartialEq)]
pub struct StreamView {
    /// Name of the model.
    pub model: Arc<str>,
    /// Version of the model.
    pub version: Arc<str>,
    /// `feature=value`; `None` for the whole.
    pub segment: Option<Arc<str>>,
    /// The window whose inputs and service were measured last.
    pub window: WindowView,
    /// The readings.
    pub readings: Vec<ReadingView>,
}

/// Which window, and how much is in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WindowView {
    /// First instant.
    pub start: Timestamp,
    /// First instant after it.
    pub end: Timestamp,
    /// Predictions in it.
    pub predictions: u64,
    /// Predictions in it that have a label.
    pub labels: u64,
}

/// One reading.
#[derive(Debug, Clone, PartialEq)]
pub struct ReadingView {
    /// `feature:<name>`, `prediction`, `score`, `label`, `quality`, `quality:<class>`, `service`, `data`, `features`.
    pub subject: Arc<str>,
    /// Name of the metric.
    pub metric: &'static str,
    /// The number, or the name of the reason why there is none.
    pub value: Result<f64, &'static str>,
    /// The bound it was judged by.
    pub threshold: Option<f64>,
    /// What the rule said.
    pub verdict: Option<&'static str>,
    /// Values of the window behind it.
    pub n_current: u64,
}

/// Where an alert stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum AlertPhase {
    /// Confirmed.
    Firing,
    /// Breached, not yet confirmed.
    Pending,
}

impl AlertPhase {
    /// Every phase, for tables and suites.
    pub const ALL: [Self; 2] = [Self::Firing, Self::Pending];

    /// The name used in output.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Firing => "firing",
            Self::Pending => "pending",
        }
    }
}

/// One alert that is pending or fires.
#[derive(Debug, Clone, PartialEq)]
pub struct AlertView {
    /// Name of the rule.
    pub rule: Arc<str>,
    /// What a person reads first.
    pub title: Arc<str>,
    /// How bad it is.
    pub severity: &'static str,
    /// Name of the model.
    pub model: Arc<str>,
    /// Version of the model.
    pub version: Arc<str>,
    /// `feature=value`; `None` for the whole.
    pub segment: Option<Arc<str>>,
    /// The episode's id, as receivers see it.
    pub incident: Arc<str>,
    /// Where it stands.
    pub phase: AlertPhase,
    /// Start of the first window that breached (event time).
    pub since: Timestamp,
    /// What is beyond its bound, worst first.
    pub worst: Vec<WorstView>,
}

/// One thing beyond its bound.
#[derive(Debug, Clone, PartialEq)]
pub struct WorstView {
    /// What.
    pub subject: Arc<str>,
    /// By which metric.
    pub metric: &'static str,
    /// The reading.
    pub value: f64,
    /// The bound.
    pub threshold: f64,
}

/// What became of notifications.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct NotificationCounts {
    /// Accepted, by receiver and why they were sent.
    pub delivered: BTreeMap<(Arc<str>, &'static str), u64>,
    /// Attempts, by receiver.
    pub attempts: BTreeMap<Arc<str>, u64>,
    /// Failed attempts, by receiver and reason.
    pub failures: BTreeMap<(Arc<str>, &'static str), u64>,
}

/// Notifications that are owed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct OutboxView {
    /// How many.
    pub pending: u64,
    /// Wall clock at which the oldest was put in.
    pub oldest: Option<Timestamp>,
    /// Pushed out of a full outbox.
    pub dropped: u64,
    /// Lost their meaning before anybody was told.
    pub cancelled: u64,
}

/// Snapshots.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct CheckpointView {
    /// Tried.
    pub total: u64,
    /// Failed.
    pub failures: u64,
    /// Wall clock of the last one that is safe on disk.
    pub last_success: Option<Timestamp>,
    /// Time the last one took, in milliseconds.
    pub duration_ms: Option<u64>,
    /// Size of the last one, in bytes.
    pub size_bytes: Option<u64>,
}

impl View {
    /// The view of a process that has just begun: nothing counted, every known reason at zero, not ready because the state is not read yet.
    pub fn starting(environment: impl Into<Arc<str>>, now: Timestamp) -> Self {
        Self {
            version: env!("CARGO_PKG_VERSION"),
            environment: environment.into(),
            started_at: now,
            published_at: now,
            events: EventCounts {
                rejected: RejectReason::ALL.iter().map(|r| (r.as_str(), 0)).collect(),
                values_invalid: InvalidReason::ALL.iter().map(|r| (r.as_str(), 0)).collect(),
                ..EventCounts::default()
            },
            join: JoinView::default(),
            partitions: Vec::new(),
            watermark: None,
            last_evaluation: None,
            windows_evaluated: BTreeMap::new(),
            n_models: 0,
            segments_overflow: 0,
            streams: Vec::new(),
            series_overflow: 0,
            alerts: Vec::new(),
            alerts_overflow: 0,
            alerts_firing: BTreeMap::new(),
            alerts_forgotten: 0,
            alert_transitions: BTreeMap::new(),
            notifications: NotificationCounts::default(),
            outbox: OutboxView::default(),
            retrain_requests: BTreeMap::new(),
            checkpoint: CheckpointView::default(),
            not_ready: vec![NotReady::new(ReadyCheck::State, "the state is not read yet", "wait; a large snapshot takes some seconds")],
        }
    }

    /// Replaces the readings: wholes before segments, then by name, at most `MAX_SERIES` readings; what is left out is counted.
    pub fn set_streams(&mut self, mut streams: Vec<StreamView>) {
        streams.sort_by(|a, b| {
            let key = |s: &StreamView| (s.segment.is_some(), s.model.clone(), s.version.clone(), s.segment.clone());
            key(a).cmp(&key(b))
        });
        let mut room = MAX_SERIES;
        self.series_overflow = 0;
        for stream in &mut streams {
            self.series_overflow += stream.readings.len().saturating_sub(room) as u64;
            stream.readings.truncate(room);
            room -= stream.readings.len();
        }
        self.streams = streams;
    }

    /// Latest readings, wholes before segments.
    pub fn streams(&self) -> &[StreamView] {
        &self.streams
    }

    /// Readings that were left out.
    pub fn series_overflow(&self) -> u64 {
        self.series_overflow
    }

    /// Replaces the alerts: firing before pending, oldest first, at most `MAX_ALERTS`; `alerts_firing` is counted over all of them.
    pub fn set_alerts(&mut self, mut alerts: Vec<AlertView>) {
        for count in self.alerts_firing.values_mut() {
            *count = 0;
        }
        for alert in alerts.iter().filter(|a| a.phase == AlertPhase::Firing) {
            *self.alerts_firing.entry(alert.severity).or_default() += 1;
        }
        alerts.sort_by(|a, b| (a.phase, a.since, &a.incident).cmp(&(b.phase, b.since, &b.incident)));
        self.alerts_overflow = alerts.len().saturating_sub(MAX_ALERTS) as u64;
        alerts.truncate(MAX_ALERTS);
        self.alerts = alerts;
    }

    /// Alerts that are pending or fire, firing first.
    pub fn alerts(&self) -> &[AlertView] {
        &self.alerts
    }

    /// Alerts that were left out.
    pub fn alerts_overflow(&self) -> u64 {
        self.alerts_overflow
    }
}

#[cfg(test)]
pub(super) mod tests;
