//! What change detectors found in a window.

use super::{Context, Finding, Measurement, Reading, UndefinedReason};
use crate::engine::catalogue::Signal;
use crate::engine::window::InputPane;

/// The number of changes that each detector which runs found in the window, on each signal. One that saw values and found nothing reads 0; one that saw
/// no value reads nothing. Detectors watch the stream of the whole, so a segment has none.
pub(super) fn measure(ctx: &Context<'_>, pane: &InputPane) -> Vec<Measurement> {
    if ctx.stream.segment.is_some() {
        return Vec::new();
    }
    let on = |signal: Signal| {
        let running = ctx.detectors.iter().filter(|(watched, _)| *watched == signal);
        let findings = running.map(|key| {
            let counts = pane.detections.get(key).copied().unwrap_or_default();
            let reading = match counts.seen {
                0 => Reading::Undefined(UndefinedReason::NoData),
                _ => Reading::Value(counts.found as f64),
            };
            Finding::new(key.1, reading, counts.seen)
        });
        ctx.measurements(&signal.subject(), findings.collect(), None)
    };
    Signal::ALL.into_iter().flat_map(on).collect()
}
