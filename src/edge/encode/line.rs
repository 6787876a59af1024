//! The long form: one JSON object a line, for `replay`, the API and the export topic alike.
//!
//! Invariant: a value that is not defined is `null` with its reason, never NaN; the key order is fixed, so equal input gives equal bytes.

mod why;

use crate::engine::alert::{AlertFacts, OffsetSpan, RetrainFacts};
use crate::engine::metric::{Baseline, Measurement, Part, Reading, Verdict, WindowFacts};
use crate::engine::shard::Counts;
use crate::engine::verdict::NEVER_ENOUGH;
use crate::event::{InvalidReason, RejectReason};
use serde::Serialize;
use std::collections::BTreeMap;
use why::{ExplanationLine, WorstLine};

/// One line of the long form.
#[derive(Debug, Serialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum Line {
    /// One number about one window; the last line for a (window, subject, metric) counts.
    Measurement(Box<MeasurementLine>),
    /// A step of an alert.
    Alert(Box<AlertLine>),
    /// A retraining was asked for.
    Retrain(Box<RetrainLine>),
    /// A record that was not applied.
    Rejected(RejectedLine),
    /// The closing line: what became of every event.
    Summary(Box<SummaryLine>),
}

#[derive(Debug, Serialize)]
struct WindowLine {
    start: String,
    end: String,
    predictions: u64,
    labels: u64,
}

/// A measurement on the wire.
#[derive(Debug, Serialize)]
pub struct MeasurementLine {
    model: String,
    version: String,
    segment: Option<String>,
    window: WindowLine,
    subject: String,
    metric: &'static str,
    value: Option<f64>,
    threshold: Option<f64>,
    /// The same metric on the reference; of a distance its mean over the reference's own windows.
    #[serde(skip_serializing_if = "Option::is_none")]
    on_reference: Option<f64>,
    p_value: Option<f64>,
    /// `p_value` corrected over the features of one evaluation.
    #[serde(skip_serializing_if = "Option::is_none")]
    q_value: Option<f64>,
    /// What windows of the reference itself show.
    #[serde(skip_serializing_if = "Option::is_none")]
    noise_floor: Option<f64>,
    /// Standard deviation from window to window of the reference.
    #[serde(skip_serializing_if = "Option::is_none")]
    sigma: Option<f64>,
    /// Lower and upper end of the 95 % confidence interval.
    #[serde(skip_serializing_if = "Option::is_none")]
    interval: Option<[f64; 2]>,
    n_reference: u64,
    n_current: u64,
    verdict: Option<&'static str>,
    /// Why there is no value, or no bound to judge it by.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
    /// Values needed, where there are not enough; left out where no number would do (the reference is too small).
    #[serde(skip_serializing_if = "Option::is_none")]
    need: Option<u64>,
    /// How far the true value may be above the one given.
    #[serde(skip_serializing_if = "Option::is_none")]
    error_bound: Option<f64>,
    /// Id of the reference it was compared with.
    #[serde(skip_serializing_if = "Option::is_none")]
    reference: Option<String>,
    /// What it was compared with, where that is not the reference.
    #[serde(skip_serializing_if = "Option::is_none")]
    against: Option<&'static str>,
    /// What contributed most, largest first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    parts: Vec<PartLine>,
    /// Beside the accuracy of a classifier of few classes.
    #[serde(skip_serializing_if = "Option::is_none")]
    confusion: Option<ConfusionLine>,
}

#[derive(Debug, Serialize)]
struct ConfusionLine {
    classes: Vec<String>,
    /// By label, then by prediction.
    matrix: Vec<Vec<u64>>,
}

#[derive(Debug, Serialize)]
struct PartLine {
    name: String,
    reference: f64,
    current: f64,
    contribution: f64,
}

/// An alert on the wire.
#[derive(Debug, Serialize)]
pub struct AlertLine {
    state: &'static str,
    rule: String,
    severity: &'static str,
    model: String,
    version: String,
    segment: Option<String>,
    incident: String,
    since: String,
    window: WindowLine,
    worst: Vec<WorstLine>,
    breaching: u64,
    judged: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    explanation: Option<ExplanationLine>,
}

#[derive(Debug, Serialize)]
struct SpanLine {
    topic: String,
    partition: i32,
    first_offset: i64,
    last_offset: i64,
}

/// A request for a retraining on the wire.
#[derive(Debug, Serialize)]
pub struct RetrainLine {
    model: String,
    version: String,
    rule: String,
    incident: String,
    reason: String,
    requested_at: String,
    labelled: u64,
    window: WindowLine,
    worst: Vec<WorstLine>,
    predictions: Vec<SpanLine>,
    labels: Vec<SpanLine>,
}

/// A record that was not applied, by where it stood.
#[derive(Debug, Serialize)]
pub struct RejectedLine {
    source: String,
    line: u64,
    reason: &'static str,
}

#[derive(Debug, Serialize)]
struct CountsLine {
    received: u64,
    applied: u64,
    late: u64,
    duplicate: u64,
    rejected: BTreeMap<&'static str, u64>,
    /// Labels whose id is not in the sample that is joined; only where there are some.
    #[serde(skip_serializing_if = "is_zero")]
    not_sampled: u64,
    in_flight: u64,
}

/// What became of every event: `received` is the sum of the rest of `counts`.
#[derive(Debug, Serialize)]
pub struct SummaryLine {
    counts: CountsLine,
    /// Of the applied: came after their pane had closed.
    amended: u64,
    /// Of the applied labels: replaced another one.
    revised: u64,
    /// Single values that could not be used; their events count all the same.
    invalid_values: BTreeMap<&'static str, u64>,
    windows: u64,
}

impl Line {
    /// The line of a measurement.
    pub fn measurement(m: &Measurement) -> Self {
        let reason = match (m.reading, m.verdict) {
            (Reading::Undefined(reason), _) => Some(reason.as_str()),
            // there is a value, but not what its bound follows
            (Reading::Value(_), Some(Verdict::Undefined(reason))) => Some(reason.as_str()),
            (Reading::Value(_), _) => None,
        };
        let need = match m.verdict {
            Some(Verdict::NotEnough { need, .. }) => Some(need).filter(|&n| n != NEVER_ENOUGH),
            _ => None,
        };
        Self::Measurement(Box::new(MeasurementLine {
            model: m.model.model.to_string(),
            version: m.model.version.to_string(),
            segment: m.segment.as_ref().map(ToString::to_string),
            window: WindowLine::of(&m.window),
            subject: m.subject.to_string(),
            metric: m.metric.as_str(),
            value: m.reading.value(),
            threshold: m.threshold,
            on_reference: m.on_reference,
            p_value: m.p_value,
            q_value: m.q_value,
            noise_floor: m.noise_floor,
            sigma: m.sigma,
            interval: m.interval.map(|(lower, upper)| [lower, upper]),
            n_reference: m.n_reference,
            n_current: m.n_current,
            verdict: m.verdict.map(Verdict::as_str),
            reason,
            need,
            error_bound: Some(m.error_bound).filter(|&b| b > 0.0),
            reference: m.reference.as_ref().map(ToString::to_string),
            against: (m.baseline != Baseline::Reference).then(|| m.baseline.as_str()),
            parts: m.parts.iter().map(PartLine::of).collect(),
            confusion: m.confusion.as_ref().map(|table| ConfusionLine {
                classes: table.classes.iter().map(ToString::to_string).collect(),
                matrix: table.counts.clone(),
            }),
        }))
    }

    /// The line of a step of an alert.
    pub fn alert(facts: &AlertFacts) -> Self {
        Self::Alert(Box::new(AlertLine {
            state: facts.state.as_str(),
            rule: facts.rule.to_string(),
            severity: facts.severity.as_str(),
            model: facts.model.model.to_string(),
            version: facts.model.version.to_string(),
            segment: facts.segment.as_ref().map(ToString::to_string),
            incident: facts.incident.0.to_string(),
            since: facts.since.to_string(),
            window: WindowLine::of(&facts.window),
            worst: facts.worst.iter().map(WorstLine::of).collect(),
            breaching: facts.n_breaching,
            judged: facts.n_judged,
            note: facts.note.as_ref().map(ToString::to_string),
            explanation: facts.explanation.as_ref().map(ExplanationLine::of),
        }))
    }

    /// The line of a request for a retraining.
    pub fn retrain(facts: &RetrainFacts) -> Self {
        let alert = &facts.alert;
        Self::Retrain(Box::new(RetrainLine {
            model: alert.model.model.to_string(),
            version: alert.model.version.to_string(),
            rule: alert.rule.to_string(),
            incident: alert.incident.0.to_string(),
            reason: facts.reason.to_string(),
            requested_at: facts.requested_at.to_string(),
            labelled: facts.labelled,
            window: WindowLine::of(&alert.window),
            worst: alert.worst.iter().map(WorstLine::of).collect(),
            predictions: facts.predictions.iter().map(SpanLine::of).collect(),
            labels: facts.labels.iter().map(SpanLine::of).collect(),
        }))
    }

    /// The line of a record that was not applied; `line` counts from 1.
    pub fn rejected(source: &str, line: u64, reason: RejectReason) -> Self {
        Self::Rejected(RejectedLine { source: source.to_owned(), line, reason: reason.as_str() })
    }

    /// The closing line.
    pub fn summary(counts: &Counts, in_flight: u64, windows: u64) -> Self {
        let invalid = InvalidReason::ALL.iter().map(|&r| (r.as_str(), counts.invalid_values[r as usize]));
        Self::Summary(Box::new(SummaryLine {
            counts: CountsLine {
                received: counts.received,
                applied: counts.applied,
                late: counts.late,
                duplicate: counts.duplicate,
                rejected: counts.rejected.iter().map(|(reason, &n)| (reason.as_str(), n)).collect(),
                not_sampled: counts.labels_not_sampled,
                in_flight,
            },
            amended: counts.amended,
            revised: counts.revised,
            invalid_values: invalid.filter(|&(_, n)| n > 0).collect(),
            windows,
        }))
    }

    /// The line for people; `None` for measurements and rejected records, which are counted in the summary.
    pub fn text(&self) -> Option<String> {
        match self {
            Self::Measurement(_) | Self::Rejected(_) => None,
            Self::Alert(a) => {
                let segment = a.segment.as_ref().map(|s| format!(" [{s}]")).unwrap_or_default();
                let worst: Vec<String> = a.worst.iter().take(3).map(WorstLine::text).collect();
                let model = format!("{}/{}{segment}", a.model, a.version);
                Some(format!("{}  {:<8}  {}  {model}  {}", a.window.end, a.state, a.rule, worst.join(", ")))
            }
            Self::Retrain(r) => Some(format!("{}  retrain   {}/{}  {}", r.requested_at, r.model, r.version, r.reason)),
            Self::Summary(s) => {
                let c = &s.counts;
                let rejected: u64 = c.rejected.values().sum();
                let mut text = format!(
                    "{} events: {} applied, {} late, {} duplicate, {rejected} rejected, {} waiting; {} windows",
                    c.received, c.applied, c.late, c.duplicate, c.in_flight, s.windows
                );
                if c.not_sampled > 0 {
                    text.push_str(&format!("\n  not sampled: {} labels", c.not_sampled));
                }
                for (reason, n) in &c.rejected {
                    text.push_str(&format!("\n  rejected {reason}: {n}"));
                }
                Some(text)
            }
        }
    }

    /// The line as text, without its end.
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("a line has text keys and finite numbers only")
    }

    /// Writes the line and its end.
    pub fn write(&self, out: &mut dyn std::io::Write) -> std::io::Result<()> {
        serde_json::to_writer(&mut *out, self)?;
        out.write_all(b"\n")
    }
}

fn is_zero(n: &u64) -> bool {
    *n == 0
}

impl WindowLine {
    fn of(window: &WindowFacts) -> Self {
        Self { start: window.start.to_string(), end: window.end.to_string(), predictions: window.predictions, labels: window.labels }
    }
}

impl PartLine {
    fn of(part: &Part) -> Self {
        Self { name: part.name.to_string(), reference: part.reference, current: part.current, contribution: part.contribution }
    }
}

impl SpanLine {
    fn of(span: &OffsetSpan) -> Self {
        Self { topic: span.topic.to_string(), partition: span.partition, first_offset: span.first, last_offset: span.last }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::metric::{ConfusionTable, Metric, Subject};
    use crate::event::{ModelKey, Timestamp};

    fn measurement() -> Measurement {
        let window = WindowFacts { start: Timestamp(0), end: Timestamp(60_000), predictions: 9, labels: 8, whole: true };
        let subject = Subject::Feature("amount".into());
        Measurement {
            n_reference: 100,
            n_current: 9,
            ..Measurement::new(ModelKey::new("fraud", "v1"), window, subject, Metric::Psi, Reading::Value(0.25))
        }
    }

    const HEAD: &str = r#"{"kind":"measurement","model":"fraud","version":"v1","segment":null,"window":{"start":"1970-01-01T00:00:00.000Z","end":"1970-01-01T00:01:00.000Z","predictions":9,"labels":8},"subject":"feature:amount","metric":"psi","value":0.25,"#;

    #[track_caller]
    fn check(measurement: &Measurement, rest: &str) {
        assert_eq!(Line::measurement(measurement).to_json(), format!("{HEAD}{rest}"));
    }

    #[test]
    fn a_line_is_as_long_as_what_is_known() {
        check(&measurement(), r#""threshold":null,"p_value":null,"n_reference":100,"n_current":9,"verdict":null}"#);
        let part = |name: &str, contribution| Part { name: name.into(), reference: 0.125, current: 0.5, contribution };
        let full = Measurement {
            threshold: Some(0.1),
            on_reference: Some(0.02),
            p_value: Some(0.001),
            q_value: Some(0.002),
            noise_floor: Some(0.05),
            sigma: Some(0.01),
            interval: Some((0.2, 0.3)),
            baseline: Baseline::LastWeek,
            parts: vec![part("12.5 to 40", 0.2), part("(new)", 0.05)],
            verdict: Some(Verdict::Breach),
            reference: Some("f9d7".into()),
            confusion: Some(ConfusionTable { classes: vec!["no".into(), "yes".into()], counts: vec![vec![50, 10], vec![5, 35]] }),
            ..measurement()
        };
        check(
            &full,
            r#""threshold":0.1,"on_reference":0.02,"p_value":0.001,"q_value":0.002,"noise_floor":0.05,"sigma":0.01,"interval":[0.2,0.3],"n_reference":100,"n_current":9,"verdict":"breach","reference":"f9d7","against":"last_week","parts":[{"name":"12.5 to 40","reference":0.125,"current":0.5,"contribution":0.2},{"name":"(new)","reference":0.125,"current":0.5,"contribution":0.05}],"confusion":{"classes":["no","yes"],"matrix":[[50,10],[5,35]]}}"#,
        );
    }

    #[test]
    fn a_value_that_cannot_be_judged_says_why() {
        let verdict = Some(Verdict::Undefined(crate::engine::metric::UndefinedReason::NotInReference));
        let rest = r#""threshold":null,"p_value":null,"n_reference":100,"n_current":9,"verdict":"undefined","reason":"not_in_reference"}"#;
        check(&Measurement { verdict, ..measurement() }, rest);
    }
}
