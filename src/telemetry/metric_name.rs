//! Every Prometheus metric of driftd itself: name, help, type and labels in one table.
//!
//! Invariant: labels come from enums or from bounded sets (topics, receivers, models, features), never from events' free text.
//! `docs/METRICS.md` is this table as text; a test holds the two together.

use std::fmt::Write;

/// What a metric is to Prometheus.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MetricKind {
    /// Only grows while the process and its state live.
    Counter,
    /// Goes up and down.
    Gauge,
    /// Always 1; its labels are the message.
    Info,
}

impl MetricKind {
    /// Every kind, for tables and suites.
    pub const ALL: [Self; 3] = [Self::Counter, Self::Gauge, Self::Info];

    /// The name Prometheus knows it by.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Info => "info",
        }
    }
}

macro_rules! metrics {
    ($($name:ident: $kind:ident $text:literal [$($label:literal),*] $help:literal;)*) => {
        /// Every own metric. The name is a contract: dashboards and alert rules are written against it.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum MetricName { $(#[doc = $help] $name,)* }

        impl MetricName {
            /// Every metric, in the order they are exposed.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The full name, as a query names it.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }

            /// One sentence for the `# HELP` line.
            pub fn help(self) -> &'static str {
                match self { $(Self::$name => $help,)* }
            }

            /// What it is.
            pub fn kind(self) -> MetricKind {
                match self { $(Self::$name => MetricKind::$kind,)* }
            }

            /// Names of its labels, in order.
            pub fn labels(self) -> &'static [&'static str] {
                match self { $(Self::$name => &[$($label),*],)* }
            }
        }
    };
}

metrics! {
    EventsReceived: Counter "driftd_events_received_total" ["topic", "kind"]
        "Events taken from Kafka, by topic and kind (prediction, label, unreadable).";
    EventsApplied: Counter "driftd_events_applied_total" [] "Events that went into a pane or a join.";
    EventsRejected: Counter "driftd_events_rejected_total" ["reason"] "Events that were not applied, by reason.";
    EventsDuplicate: Counter "driftd_events_duplicate_total" [] "Events whose prediction_id was seen before.";
    EventsLate: Counter "driftd_events_late_total" [] "Events that came after their pane was closed for good.";
    LabelsNotSampled: Counter "driftd_labels_not_sampled_total" [] "Labels outside join.sample, which are not joined.";
    EventsAmended: Counter "driftd_events_amended_total" [] "Of the applied: predictions that came after their pane had closed.";
    ValuesInvalid: Counter "driftd_values_invalid_total" ["reason"] "Single values that could not be used, by reason; the rest of their event counts.";
    LabelsJoined: Counter "driftd_labels_joined_total" [] "Labels that met their prediction.";
    LabelsRevised: Counter "driftd_labels_revised_total" [] "Labels that replaced an earlier label of the same prediction.";
    LabelsWaiting: Gauge "driftd_labels_waiting" [] "Labels that wait for their prediction.";
    JoinPredictions: Gauge "driftd_join_predictions" [] "Predictions that are remembered for their labels.";
    JoinBytes: Gauge "driftd_join_bytes" [] "Most memory that these predictions and labels take; join.max_bytes bounds it.";
    PredictionsNotSampled: Counter "driftd_predictions_not_sampled_total" []
        "Of the applied: predictions outside join.sample, which are not remembered for a label.";
    JoinEvicted: Counter "driftd_join_evicted_total" ["store", "bound"]
        "Entries pushed out of a full store of the join (predictions, labels), by the bound that was reached (number, bytes).";
    WatermarkTimestamp: Gauge "driftd_watermark_timestamp_seconds" [] "Event time up to which windows are closed.";
    EventTimeLag: Gauge "driftd_event_time_lag_seconds" [] "Wall clock minus watermark when the figures were taken.";
    ConsumerLag: Gauge "driftd_consumer_lag_records" ["topic", "partition"] "Messages of a partition that driftd has not taken yet.";
    AssignedPartitions: Gauge "driftd_assigned_partitions" [] "Partitions this instance reads.";
    CheckpointDuration: Gauge "driftd_checkpoint_duration_seconds" [] "Time the last snapshot took.";
    CheckpointSize: Gauge "driftd_checkpoint_size_bytes" [] "Bytes that the last snapshot wrote: what was written before is named, not written again.";
    CheckpointLastSuccess: Gauge "driftd_checkpoint_last_success_timestamp_seconds" [] "Wall clock of the last snapshot that is safe on disk.";
    Checkpoints: Counter "driftd_checkpoint_total" [] "Snapshots tried.";
    CheckpointFailures: Counter "driftd_checkpoint_failures_total" [] "Snapshots that failed.";
    WindowsEvaluated: Counter "driftd_windows_evaluated_total" ["model", "version"] "Windows judged, amendments included.";
    LastEvaluation: Gauge "driftd_last_evaluation_timestamp_seconds" [] "Wall clock of the last evaluation.";
    Drift: Gauge "driftd_drift" ["model", "version", "segment", "subject", "metric"]
        "Latest reading of inputs, answers and labels against the reference; segment is empty for the whole.";
    Quality: Gauge "driftd_quality" ["model", "version", "segment", "class", "metric"]
        "Latest reading of answers against labels; class is empty for all classes together.";
    Service: Gauge "driftd_service" ["model", "version", "segment", "metric"] "Latest reading of latency, throughput and errors, in the metric's own unit.";
    Reading: Gauge "driftd_reading" ["model", "version", "segment", "subject", "metric"]
        "Latest reading of everything else: the data itself, estimated quality, quality at another threshold, fairness, change detectors.";
    SeriesOverflow: Gauge "driftd_series_overflow" [] "Readings left out of the view because it was full.";
    AlertsFiring: Gauge "driftd_alerts_firing" ["severity"] "Alerts that fire now.";
    AlertTransitions: Counter "driftd_alert_transitions_total" ["rule", "state"] "Alerts that entered a state (pending, firing, resolved).";
    NotificationsDelivered: Counter "driftd_notifications_delivered_total" ["receiver", "reason"] "Notifications a receiver has accepted, by why they were sent.";
    NotificationAttempts: Counter "driftd_notification_attempts_total" ["receiver"] "Attempts to deliver a notification.";
    NotificationFailures: Counter "driftd_notification_failures_total" ["receiver", "reason"] "Attempts that failed, by reason.";
    OutboxPending: Gauge "driftd_outbox_pending" [] "Notifications that are owed.";
    OutboxOldest: Gauge "driftd_outbox_oldest_seconds" [] "Age of the oldest notification that is owed.";
    OutboxDropped: Counter "driftd_outbox_dropped_total" [] "Notifications pushed out of a full outbox.";
    OutboxCancelled: Counter "driftd_outbox_cancelled_total" [] "Notifications that lost their meaning before anybody was told: the alert was over, or a newer message took their place.";
    AlertsForgotten: Counter "driftd_alerts_forgotten_total" [] "Alerts of the past whose number of episodes is no longer remembered, because there are too many.";
    RetrainRequests: Counter "driftd_retrain_requests_total" ["outcome"] "Retraining triggers asked for, by what became of them.";
    Models: Gauge "driftd_models" [] "Model versions watched.";
    SegmentsOverflow: Counter "driftd_segments_overflow_total" [] "Events whose segment was beyond limits.segments; they count in the whole.";
    BuildInfo: Info "driftd_build_info" ["version"] "Version of driftd.";
    ProcessStartTime: Gauge "process_start_time_seconds" [] "Wall clock at which the process started.";
    ProcessResidentMemory: Gauge "process_resident_memory_bytes" [] "Resident memory of the process.";
}

/// All metrics as a Markdown table, in the order of `MetricName::ALL`.
pub fn markdown_table() -> String {
    let mut text = String::from("| metric | type | labels | meaning |\n|---|---|---|---|\n");
    for &metric in MetricName::ALL {
        let labels = metric.labels().iter().map(|l| format!("`{l}`")).collect::<Vec<_>>().join(", ");
        writeln!(text, "| `{}` | {} | {} | {} |", metric.as_str(), metric.kind().as_str(), labels, metric.help())
            .expect("writing to a String does not fail");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn names_follow_the_conventions() {
        let names: BTreeSet<_> = MetricName::ALL.iter().map(|m| m.as_str()).collect();
        assert_eq!(names.len(), MetricName::ALL.len(), "a name is used twice");
        for &metric in MetricName::ALL {
            let name = metric.as_str();
            assert!(name.starts_with("driftd_") || name.starts_with("process_"), "{name}");
            assert!(name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'), "{name}");
            assert_eq!(name.ends_with("_total"), metric.kind() == MetricKind::Counter, "{name}");
            assert_eq!(name.ends_with("_info"), metric.kind() == MetricKind::Info, "{name}");
            assert!(metric.help().ends_with('.') && !metric.help().contains('\n'), "{name}");
        }
    }
}
