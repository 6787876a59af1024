//! What was beyond its bound, and why, on the wire.

use super::PartLine;
use crate::engine::alert::{Cause, Explanation, Moved, SegmentShare, Worst};
use crate::engine::metric::Baseline;
use serde::Serialize;

/// One thing that was beyond its bound.
#[derive(Debug, Serialize)]
pub(super) struct WorstLine {
    subject: String,
    metric: &'static str,
    value: f64,
    threshold: f64,
    /// What it was compared with, where that is not the reference.
    #[serde(skip_serializing_if = "Option::is_none")]
    against: Option<&'static str>,
    /// The same figure on the reference.
    #[serde(skip_serializing_if = "Option::is_none")]
    reference: Option<f64>,
    /// The subject's share of all that is beyond its bound; left out where it is alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    share: Option<f64>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    parts: Vec<PartLine>,
}

/// Why an alert fires.
#[derive(Debug, Serialize)]
pub(super) struct ExplanationLine {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    causes: Vec<CauseLine>,
    #[serde(skip_serializing_if = "Option::is_none")]
    prediction: Option<MovedLine>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    segments: Vec<SegmentLine>,
}

#[derive(Debug, Serialize)]
struct CauseLine {
    subject: String,
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reference: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    current: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    part: Option<PartLine>,
}

#[derive(Debug, Serialize)]
struct MovedLine {
    metric: &'static str,
    value: f64,
    threshold: f64,
    moved: bool,
}

#[derive(Debug, Serialize)]
struct SegmentLine {
    segment: String,
    value: f64,
    rows: f64,
    contribution: f64,
}

impl WorstLine {
    pub(super) fn of(worst: &Worst) -> Self {
        Self {
            subject: worst.subject.to_string(),
            metric: worst.metric.as_str(),
            value: worst.value,
            threshold: worst.threshold,
            against: (worst.against != Baseline::Reference).then(|| worst.against.as_str()),
            reference: worst.reference,
            share: Some(worst.share).filter(|&share| share < 1.0),
            parts: worst.parts.iter().map(PartLine::of).collect(),
        }
    }
}

impl ExplanationLine {
    pub(super) fn of(explanation: &Explanation) -> Self {
        let cause = |cause: &Cause| {
            let (reference, current) = cause.kind.figures();
            let (subject, part) = (cause.subject.to_string(), cause.part.as_ref().map(PartLine::of));
            CauseLine { subject, kind: cause.kind.as_str(), reference, current, part }
        };
        let moved = |m: Moved| MovedLine { metric: m.metric.as_str(), value: m.value, threshold: m.threshold, moved: m.moved };
        let segment = |share: &SegmentShare| SegmentLine {
            segment: share.segment.to_string(),
            value: share.value,
            rows: share.rows,
            contribution: share.contribution,
        };
        Self {
            causes: explanation.causes.iter().map(cause).collect(),
            prediction: explanation.prediction.map(moved),
            segments: explanation.segments.iter().map(segment).collect(),
        }
    }
}

impl WorstLine {
    pub(super) fn text(&self) -> String {
        format!("{} {} {:.4} ({})", self.subject, self.metric, self.value, self.threshold)
    }
}

#[cfg(test)]
mod tests {
    use super::super::Line;
    use super::*;
    use crate::engine::alert::{AlertFacts, AlertState, CauseKind, Incident};
    use crate::engine::metric::{Metric, Part, Subject, WindowFacts};
    use crate::engine::verdict::Severity;
    use crate::event::{ModelKey, Timestamp};

    #[test]
    fn an_alert_line_is_as_long_as_what_is_known() {
        let window = WindowFacts { start: Timestamp(0), end: Timestamp(60_000), predictions: 9, labels: 8, whole: true };
        let part = Part { name: "above 9".into(), reference: 0.25, current: 0.5, contribution: 0.125 };
        let worst = Worst {
            subject: Subject::Feature("x".into()),
            metric: Metric::Psi,
            value: 0.5,
            threshold: 0.25,
            above: true,
            n_current: 9,
            against: Baseline::Reference,
            reference: None,
            parts: Vec::new(),
            share: 1.0,
        };
        let full = Worst { against: Baseline::LastWeek, reference: Some(0.125), parts: vec![part.clone()], share: 0.5, ..worst.clone() };
        assert_eq!(
            serde_json::to_string(&WorstLine::of(&worst)).unwrap(),
            r#"{"subject":"feature:x","metric":"psi","value":0.5,"threshold":0.25}"#
        );
        assert_eq!(
            serde_json::to_string(&WorstLine::of(&full)).unwrap(),
            r#"{"subject":"feature:x","metric":"psi","value":0.5,"threshold":0.25,"against":"last_week","reference":0.125,"share":0.5,"parts":[{"name":"above 9","reference":0.25,"current":0.5,"contribution":0.125}]}"#
        );
        let mut facts = AlertFacts {
            environment: "prod".into(),
            rule: "r".into(),
            title: "t".into(),
            severity: Severity::Warning,
            model: ModelKey::new("m", "v1"),
            segment: None,
            incident: Incident("i-1".into()),
            state: AlertState::Firing,
            since: Timestamp(0),
            fired_at: None,
            resolved_at: None,
            window,
            worst: vec![worst],
            n_breaching: 1,
            n_judged: 2,
            note: None,
            explanation: None,
        };
        assert!(Line::alert(&facts).to_json().ends_with(r#""breaching":1,"judged":2}"#));
        facts.explanation = Some(Explanation {
            causes: vec![Cause {
                subject: Subject::Score,
                kind: CauseKind::NullSurge { reference: Some(0.0), current: 0.5 },
                part: Some(part),
            }],
            prediction: Some(Moved { metric: Metric::Psi, value: 0.5, threshold: 0.25, moved: true }),
            segments: vec![SegmentShare { segment: "a=b".into(), value: 0.5, rows: 0.25, contribution: 0.125 }],
        });
        let line = Line::alert(&facts).to_json();
        assert_eq!(
            line.split_once(r#""explanation":"#).unwrap().1,
            r#"{"causes":[{"subject":"score","kind":"null_surge","reference":0.0,"current":0.5,"part":{"name":"above 9","reference":0.25,"current":0.5,"contribution":0.125}}],"prediction":{"metric":"psi","value":0.5,"threshold":0.25,"moved":true},"segments":[{"segment":"a=b","value":0.5,"rows":0.25,"contribution":0.125}]}}"#
        );
    }
}
