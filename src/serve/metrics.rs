//! The view as OpenMetrics text.
//!
//! Invariant: a pure function of its arguments, sorted, no series twice, no NaN; label names and kinds come from `MetricName`, so that a sample
//! cannot disagree with its documentation. A reading without a value has no sample: absence is how Prometheus says "no data".

mod samples;

use super::{ProcessFacts, View};
use crate::telemetry::{MetricKind, MetricName};
use prometheus_client::collector::Collector;
use prometheus_client::encoding::text::encode;
use prometheus_client::encoding::{DescriptorEncoder, MetricEncoder};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::exemplar::Exemplar;
use prometheus_client::registry::Registry;
use samples::{Number, Samples};
use std::fmt;

/// Content type of what `render_metrics` makes.
pub(super) const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// The body of `/metrics`.
pub fn render_metrics(view: &View, process: &ProcessFacts) -> String {
    let mut registry = Registry::default();
    registry.register_collector(Box::new(Exposition(samples::collect(view, process))));
    let mut text = String::new();
    encode(&mut text, &registry).expect("writing to a String does not fail");
    text
}

#[derive(Debug)]
struct Exposition(Samples);

type LabelPairs<'a> = Vec<(&'static str, &'a str)>;
type NoExemplar<'a> = Option<&'a Exemplar<LabelPairs<'a>, f64>>;

impl Collector for Exposition {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        for &metric in MetricName::ALL {
            let Some(family) = self.0.family(metric) else { continue };
            let (name, kind) = match metric.kind() {
                MetricKind::Counter => (metric.as_str().trim_end_matches("_total"), MetricType::Counter),
                MetricKind::Gauge => (metric.as_str(), MetricType::Gauge),
                MetricKind::Info => (metric.as_str().trim_end_matches("_info"), MetricType::Info),
            };
            let mut sink = encoder.encode_descriptor(name, metric.help(), None, kind)?;
            for (values, number) in family {
                encode_sample(&mut sink, metric, values, *number)?;
            }
        }
        Ok(())
    }
}

fn encode_sample(sink: &mut MetricEncoder<'_>, metric: MetricName, values: &[String], number: Number) -> Result<(), fmt::Error> {
    let pairs: LabelPairs<'_> = metric.labels().iter().copied().zip(values.iter().map(String::as_str)).collect();
    if metric.kind() == MetricKind::Info {
        return sink.encode_info(&pairs);
    }
    if pairs.is_empty() {
        return encode_number(sink, metric.kind(), number);
    }
    encode_number(&mut sink.encode_family(&pairs)?, metric.kind(), number)
}

fn encode_number(sink: &mut MetricEncoder<'_>, kind: MetricKind, number: Number) -> Result<(), fmt::Error> {
    match (kind, number) {
        (MetricKind::Counter, Number::Count(n)) => sink.encode_counter(&n, NoExemplar::None),
        (MetricKind::Counter, Number::Real(v)) => sink.encode_counter(&v, NoExemplar::None),
        (_, Number::Count(n)) => sink.encode_gauge(&n),
        (_, Number::Real(v)) => sink.encode_gauge(&v),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Timestamp;
    use crate::serve::view::tests::sample_view;

    const PROCESS: ProcessFacts = ProcessFacts { resident_bytes: Some(52_428_800) };

    #[test]
    fn the_exposition_is_the_golden_text() {
        crate::serve::docs::assert_file("tests/data/metrics.txt", &render_metrics(&sample_view(), &PROCESS));
    }

    #[test]
    fn every_metric_appears_once_everything_has_happened() {
        let text = render_metrics(&sample_view(), &PROCESS);
        for metric in MetricName::ALL {
            let sample = |line: &str| line.strip_prefix(metric.as_str()).is_some_and(|rest| rest.starts_with([' ', '{']));
            assert!(text.lines().any(sample), "{} has no sample", metric.as_str());
        }
        assert!(text.ends_with("# EOF\n"));
    }

    #[test]
    fn a_process_that_has_just_begun_exposes_its_reasons_at_zero() {
        let text = render_metrics(&View::starting("test", Timestamp(0)), &ProcessFacts::default());
        assert!(text.contains("driftd_events_rejected_total{reason=\"not_json\"} 0\n"), "{text}");
        assert!(text.contains("driftd_events_applied_total 0\n"), "{text}");
        assert!(!text.contains("driftd_drift"), "a family without samples has no header: {text}");
    }

    #[test]
    fn names_of_strangers_cannot_break_the_text() {
        let mut view = sample_view();
        let mut streams = view.streams().to_vec();
        streams[0].model = "a\"b\\c\nd".into();
        streams[1].model = "m".repeat(5_000).into();
        view.set_streams(streams);
        let text = render_metrics(&view, &PROCESS);
        assert!(text.contains(r#"model="a\"b\\c\nd""#), "{text}");
        assert!(text.lines().all(|line| line.len() < 2_000));
        let mut seen = std::collections::BTreeSet::new();
        for line in text.lines().filter(|l| !l.starts_with('#')) {
            assert!(seen.insert(line.rsplit_once(' ').unwrap().0), "series twice: {line}");
        }
    }
}
