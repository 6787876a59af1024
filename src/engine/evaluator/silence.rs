//! How long nothing came: requests, and labels. Figures of the model, all versions together, so that a rollout is no outage of the old version.

use super::Evaluator;
use crate::engine::metric::{DataFacts, Measurement, Metric, Reading, UndefinedReason};
use crate::engine::settings::WindowSettings;
use crate::engine::verdict::{Rule, Threshold};
use crate::engine::window::{PaneUpdate, StreamKey};
use crate::event::{ModelKey, Timestamp};
use std::sync::Arc;

/// Longest silence that a rule can wait for, in milliseconds: a year.
const LONGEST_WAIT_MS: f64 = 366.0 * 86_400_000.0;

impl Evaluator {
    /// Remembers when the last label of a version came.
    pub(super) fn note_labels(&mut self, update: &PaneUpdate) {
        let last = update.outcome.as_ref().and_then(|pane| pane.head().last_label);
        if last.is_some() && update.stream.segment.is_none() {
            let progress = self.state.progress.entry(StreamKey::clone(&update.stream)).or_default();
            progress.last_label = progress.last_label.max(last);
        }
    }

    /// How long a model has been silent at the end of a window.
    ///
    /// Silence is known only as far as the log was read: labels may lag behind predictions, and where a file ends nothing stopped.
    pub(super) fn data_facts(&self, model: &str, end: Timestamp) -> DataFacts {
        let read = if self.inputs_ended { end.min(self.last_request().unwrap_or(end)) } else { end };
        let silence = |last: Timestamp, read: Timestamp| read.since(last).max(0);
        let last_request = self.versions(model).filter_map(|key| self.last_request_of(key, end)).max();
        DataFacts {
            silence_ms: last_request.map(|last| silence(last, read)),
            label_silence_ms: self.last_label(model).map(|last| silence(last, read.min(self.labels_read))),
        }
    }

    /// A model that never had a label has no coverage of them: nothing stalls that never ran.
    pub(super) fn without_coverage(&self, model: &str, mut measurements: Vec<Measurement>) -> Vec<Measurement> {
        if self.last_label(model).is_none() {
            let coverage = measurements.iter_mut().filter(|m| m.metric == Metric::LabelCoverage && m.reading == Reading::Value(0.0));
            coverage.for_each(|m| m.reading = Reading::Undefined(UndefinedReason::NoLabels));
        }
        measurements
    }

    fn versions(&self, model: &str) -> impl Iterator<Item = &StreamKey> {
        let first = StreamKey { model: ModelKey::new(model, ""), segment: None };
        let of_model = self.state.progress.range(first..).map(|(key, _)| key);
        of_model.take_while(move |key| *key.model.model == *model).filter(|key| key.segment.is_none())
    }

    /// The last request of a version before `end`: of its panes, else as it was remembered when they were dropped.
    fn last_request_of(&self, key: &StreamKey, end: Timestamp) -> Option<Timestamp> {
        let remembered = self.state.progress.get(key).and_then(|p| p.last_request).filter(|&at| at < end);
        self.panes.get(key).and_then(|panes| panes.last_request(end)).max(remembered)
    }

    /// The last request of any model.
    fn last_request(&self) -> Option<Timestamp> {
        let kept = self.panes.values().filter_map(|panes| panes.last_request(Timestamp::MAX));
        kept.chain(self.state.progress.values().filter_map(|p| p.last_request)).max()
    }

    fn last_label(&self, model: &str) -> Option<Timestamp> {
        self.versions(model).filter_map(|key| self.state.progress.get(key)?.last_label).max()
    }
}

/// How long a stream must be watched after its last request so that a rule on its silence can fire, in milliseconds; 0 where there is none.
pub(super) fn longest_wait(rules: &[Arc<Rule>], window: &WindowSettings) -> i64 {
    let waits = rules.iter().flat_map(|rule| {
        let of_silence = rule.conditions.iter().filter(|c| c.metric == Metric::Silence && c.bound.is_above());
        of_silence.filter_map(|condition| match condition.bound.threshold() {
            Threshold::Absolute(seconds) if seconds.is_finite() => {
                let ms = (seconds * 1000.0).clamp(0.0, LONGEST_WAIT_MS) as i64;
                Some(ms.saturating_add(window.size_ms.saturating_mul(i64::from(rule.confirm) + 1)))
            }
            _ => None,
        })
    });
    waits.max().unwrap_or(0)
}
