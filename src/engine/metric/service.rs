//! Latency, throughput and errors of a window.

use super::{Context, Finding, Metric, Reading, ServiceFacts, UndefinedReason};
use crate::engine::window::InputPane;
use crate::stats::interval;

/// The service figures. Throughput is a figure of the model, all versions together, so a segment does not have it. No request at all in a
/// window that was watched from end to end is a throughput of 0, not a lack of data: it is the outage that the figure is there to show.
pub(super) fn findings(ctx: &Context<'_>, pane: &InputPane, service: &ServiceFacts) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (metric, quantile) in [(Metric::LatencyP50, 0.5), (Metric::LatencyP95, 0.95), (Metric::LatencyP99, 0.99)] {
        findings.push(Finding::new(metric, or_no_data(pane.latency.quantile(quantile)), pane.latency.total()));
    }
    if ctx.stream.segment.is_none() {
        let requests = service.requests_of_model;
        let reading = if ctx.window.whole {
            or_no_data((service.seconds > 0.0).then(|| requests as f64 / service.seconds))
        } else {
            Reading::Undefined(UndefinedReason::PartialWindow)
        };
        findings.push(Finding::new(Metric::Throughput, reading, requests));
    }
    let error_rate = (pane.requests > 0).then(|| pane.errors as f64 / pane.requests as f64);
    let interval = interval::wilson(pane.errors, pane.requests);
    findings.push(Finding { interval, ..Finding::new(Metric::ErrorRate, or_no_data(error_rate), pane.requests) });
    findings
}

fn or_no_data(value: Option<f64>) -> Reading {
    value.map_or(Reading::Undefined(UndefinedReason::NoData), Reading::Value)
}
