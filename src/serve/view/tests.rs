//! A view in which everything has happened, for the golden texts, and the view's bounds.

use super::*;
use std::collections::BTreeMap;

fn counts<const N: usize>(pairs: [(&'static str, u64); N]) -> BTreeMap<&'static str, u64> {
    pairs.into_iter().collect()
}

fn reading(
    subject: &str,
    metric: &'static str,
    value: Result<f64, &'static str>,
    threshold: Option<f64>,
    verdict: &'static str,
) -> ReadingView {
    ReadingView { subject: subject.into(), metric, value, threshold, verdict: Some(verdict), n_current: 5000 }
}

fn stream(segment: Option<&str>, readings: Vec<ReadingView>) -> StreamView {
    let window = WindowView { start: at("09:00:00"), end: at("10:00:00"), predictions: 5000, labels: 4800 };
    StreamView { model: "fraud".into(), version: "v1".into(), segment: segment.map(Into::into), window, readings }
}

fn at(time: &str) -> Timestamp {
    Timestamp::parse(&format!("2026-11-22T{time}Z")).unwrap()
}

fn alert(incident: &str, phase: AlertPhase) -> AlertView {
    AlertView {
        rule: "feature-drift".into(),
        title: "Inputs drift".into(),
        severity: "warning",
        model: "fraud".into(),
        version: "v1".into(),
        segment: None,
        incident: incident.into(),
        phase,
        since: at("09:05:00"),
        worst: vec![WorstView { subject: "feature:amount".into(), metric: "psi", value: 0.3125, threshold: 0.1 }],
    }
}

/// Every metric has a sample in this view.
pub(in crate::serve) fn sample_view() -> View {
    let mut view = View::starting("production", at("08:00:00"));
    view.version = "0.0.0-test";
    view.published_at = at("10:01:30");
    view.events = EventCounts {
        received: [(("predictions".into(), "prediction"), 5010), (("labels".into(), "label"), 4805), (("labels".into(), "unreadable"), 3)]
            .into(),
        applied: 9800,
        rejected: counts([("not_json", 3), ("missing_id", 5)]),
        duplicate: 7,
        late: 3,
        labels_not_sampled: 6,
        amended: 1,
        values_invalid: counts([("wrong_type", 2), ("non_finite", 0)]),
    };
    view.join = JoinView {
        labels_joined: 4790,
        labels_revised: 2,
        labels_waiting: 8,
        predictions: 210,
        bytes: 15_232,
        predictions_not_sampled: 9,
        evicted: [(("predictions", "number"), 1), (("labels", "bytes"), 0)].into(),
    };
    view.partitions = vec![
        PartitionView { topic: "predictions".into(), partition: 0, next_offset: 5010, high_offset: Some(5022) },
        PartitionView { topic: "labels".into(), partition: 0, next_offset: 4808, high_offset: None },
    ];
    view.watermark = Some(at("10:00:29"));
    view.last_evaluation = Some(at("10:01:29"));
    view.windows_evaluated = [(("fraud".into(), "v1".into()), 24)].into();
    view.n_models = 1;
    view.segments_overflow = 4;
    view.set_streams(vec![
        stream(Some("country=DE"), vec![reading("quality", "accuracy", Ok(0.875), Some(0.9), "breach")]),
        stream(
            None,
            vec![
                reading("feature:amount", "psi", Ok(0.3125), Some(0.1), "breach"),
                reading("feature:amount", "missing_rate", Ok(0.0), None, "ok"),
                reading("prediction", "total_variation", Ok(0.0625), Some(0.05), "breach"),
                reading("quality", "precision", Err("no_positive_prediction"), Some(0.9), "undefined"),
                reading("quality", "accuracy", Ok(0.9375), Some(0.9), "ok"),
                reading("quality:1", "recall", Ok(0.90625), None, "ok"),
                reading("service", "latency_p95_ms", Ok(42.5), Some(100.0), "ok"),
                reading("estimated_quality", "accuracy", Ok(0.875), None, "ok"),
            ],
        ),
    ]);
    view.alerts_firing = counts([("critical", 0), ("warning", 0)]);
    view.set_alerts(vec![alert("00000000000000aa-2", AlertPhase::Pending), alert("00000000000000bb-1", AlertPhase::Firing)]);
    view.alert_transitions = [(("feature-drift".into(), "firing"), 1), (("feature-drift".into(), "pending"), 2)].into();
    view.notifications = NotificationCounts {
        delivered: [(("team-slack".into(), "firing"), 1)].into(),
        attempts: [("team-slack".into(), 3)].into(),
        failures: [(("team-slack".into(), "rate_limited"), 2)].into(),
    };
    view.outbox = OutboxView { pending: 1, oldest: Some(at("10:01:20")), dropped: 0, cancelled: 2 };
    view.retrain_requests = counts([("sent", 1), ("cooldown", 2)]);
    view.checkpoint =
        CheckpointView { total: 12, failures: 1, last_success: Some(at("10:01:25")), duration_ms: Some(18), size_bytes: Some(1_048_576) };
    view.not_ready.clear();
    view
}

#[test]
fn wholes_come_before_segments_and_the_bound_counts_what_it_leaves_out() {
    let mut view = View::starting("test", Timestamp(0));
    let many = vec![reading("feature:x", "psi", Ok(0.0), None, "ok"); MAX_SERIES];
    view.set_streams(vec![stream(Some("country=DE"), many.clone()), stream(None, many[..10].to_vec())]);
    assert_eq!(view.streams()[0].segment, None);
    assert_eq!(view.streams().iter().map(|s| s.readings.len()).sum::<usize>(), MAX_SERIES);
    assert_eq!(view.series_overflow(), 10);
    view.set_streams(Vec::new());
    assert_eq!(view.series_overflow(), 0);
}

#[test]
fn firing_alerts_are_counted_beyond_the_bound() {
    let mut view = View::starting("test", Timestamp(0));
    let alerts =
        (0..MAX_ALERTS + 5).map(|i| alert(&i.to_string(), if i % 2 == 0 { AlertPhase::Pending } else { AlertPhase::Firing })).collect();
    view.set_alerts(alerts);
    assert_eq!((view.alerts().len(), view.alerts_overflow()), (MAX_ALERTS, 5));
    assert_eq!(view.alerts()[0].phase, AlertPhase::Firing);
    assert_eq!(view.alerts_firing["warning"], (MAX_ALERTS as u64 + 5) / 2);
    view.set_alerts(Vec::new());
    assert_eq!(view.alerts_firing["warning"], 0);
}

#[test]
fn lag_is_known_only_with_a_high_offset_and_never_negative() {
    let partition = |high_offset| PartitionView { topic: "t".into(), partition: 0, next_offset: 10, high_offset };
    assert_eq!(partition(None).lag(), None);
    assert_eq!(partition(Some(15)).lag(), Some(5));
    assert_eq!(partition(Some(3)).lag(), Some(0));
}
