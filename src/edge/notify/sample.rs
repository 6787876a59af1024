//! Sample notifications: templates are tried on them when they are loaded, and golden files are made from them.

use crate::engine::alert::{
    AlertFacts, AlertState, Body, Cause, CauseKind, Explanation, Incident, Moved, Notification, NotifyReason, OffsetSpan, RetrainFacts,
    SegmentShare, Worst,
};
use crate::engine::metric::{Baseline, Metric, Part, Subject, WindowFacts};
use crate::engine::reference::{Direction, Movement};
use crate::engine::verdict::Severity;
use crate::event::{ModelKey, Timestamp};

/// 2026-11-22T09:00:00Z.
const START: Timestamp = Timestamp(1_795_338_000_000);
const HOUR_MS: i64 = 3_600_000;

/// A notification in which every optional fact is there.
pub(super) fn full(reason: NotifyReason) -> Notification {
    let mut alert = alert(reason);
    alert.segment = Some("country=DE".into());
    if reason == NotifyReason::Resolved {
        alert.note = Some("version v1 no longer takes traffic".into());
    }
    alert.worst = vec![
        worst(Subject::Feature("amount".into()), Metric::Psi, 0.312_4, 0.1, true, 5_000),
        worst(Subject::Feature("age".into()), Metric::Ks, 0.214_9, 0.1, true, 4_990),
        worst(Subject::Feature("country".into()), Metric::TotalVariation, 0.181, 0.1, true, 5_000),
        worst(Subject::Prediction, Metric::TotalVariation, 0.061_2, 0.05, true, 5_000),
        worst(Subject::Quality, Metric::Accuracy, 0.871_3, 0.9, false, 4_800),
        worst(Subject::Service, Metric::LatencyP95, 128.44, 100.0, true, 5_000),
    ];
    let [amount, _, country, .., accuracy, _] = alert.worst.as_mut_slice() else { unreachable!("six were put in") };
    (amount.share, amount.parts) = (0.5, vec![part("above 90", 0.1, 0.41, 0.437_5), part("12.5 to 40", 0.3, 0.11, 0.19)]);
    (country.share, country.parts) = (0.25, vec![part("(new)", 0.0, 0.12, 0.06)]);
    accuracy.reference = Some(0.94);
    alert.explanation = Some(explanation());
    alert.n_breaching = 8;
    alert.n_judged = 24;
    notification(reason, alert)
}

/// A notification in which every optional fact is missing.
pub(super) fn sparse(reason: NotifyReason) -> Notification {
    let mut alert = alert(reason);
    (alert.fired_at, alert.resolved_at) = (None, None);
    notification(reason, alert)
}

fn alert(reason: NotifyReason) -> AlertFacts {
    let hours = match reason {
        NotifyReason::Firing | NotifyReason::Retrain => 0,
        NotifyReason::Repeat => 4,
        NotifyReason::Resolved => 6,
    };
    let start = START.plus(hours * HOUR_MS);
    let end = start.plus(HOUR_MS);
    let resolved = reason == NotifyReason::Resolved;
    AlertFacts {
        environment: "prod".into(),
        rule: "feature-drift".into(),
        title: "Data drift".into(),
        severity: Severity::Warning,
        model: ModelKey::new("fraud", "v1"),
        segment: None,
        incident: Incident("8f3a0c6e51d2b794-3".into()),
        state: if resolved { AlertState::Resolved } else { AlertState::Firing },
        since: START,
        fired_at: Some(START.plus(HOUR_MS)),
        resolved_at: resolved.then_some(end),
        window: WindowFacts { start, end, predictions: 5_000, labels: 4_800, whole: true },
        worst: Vec::new(),
        n_breaching: 0,
        n_judged: 24,
        note: None,
        explanation: None,
    }
}

fn notification(reason: NotifyReason, alert: AlertFacts) -> Notification {
    let id = format!("{}-{}-sample", alert.incident.0, reason.as_str());
    let body = match reason {
        NotifyReason::Retrain => Body::Retrain(RetrainFacts {
            reason: "rule model-quality: accuracy 0.871 is below 0.9".into(),
            labelled: 41_210,
            predictions: vec![span("predictions", 0, 120_000, 124_999), span("predictions", 1, 98_500, 101_730)],
            labels: vec![span("labels", 0, 77_000, 81_799)],
            requested_at: alert.window.end,
            alert,
        }),
        _ => Body::Alert(alert),
    };
    Notification { id: id.into(), receiver: "sample".into(), reason, body }
}

fn span(topic: &str, partition: i32, first: i64, last: i64) -> OffsetSpan {
    OffsetSpan { topic: topic.into(), partition, first, last }
}

fn worst(subject: Subject, metric: Metric, value: f64, threshold: f64, above: bool, n_current: u64) -> Worst {
    Worst {
        subject,
        metric,
        value,
        threshold,
        above,
        n_current,
        against: Baseline::Reference,
        reference: None,
        parts: Vec::new(),
        share: 0.0,
    }
}

fn part(name: &str, reference: f64, current: f64, contribution: f64) -> Part {
    Part { name: name.into(), reference, current, contribution }
}

fn explanation() -> Explanation {
    let cause = |feature: &str, kind, part| Cause { subject: Subject::Feature(feature.into()), kind, part };
    let up = Movement { direction: Direction::Up, means: Some((61.27, 83.9)) };
    let segment = |name: &str, value: f64, rows: f64| SegmentShare { segment: name.into(), value, rows, contribution: value * rows };
    Explanation {
        causes: vec![
            cause("amount", CauseKind::Moved(up), Some(part("above 90", 0.1, 0.41, 0.437_5))),
            cause("age", CauseKind::NullSurge { reference: Some(0.001), current: 0.312 }, None),
            cause("country", CauseKind::NewValues { rate: 0.12 }, Some(part("(new)", 0.0, 0.12, 0.06))),
        ],
        prediction: Some(Moved { metric: Metric::TotalVariation, value: 0.081_2, threshold: 0.05, moved: true }),
        segments: vec![segment("device=mobile", 0.5, 0.5), segment("device=tablet", 0.25, 0.25)],
    }
}
