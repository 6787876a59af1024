//! What the labels of a window say: of the stream, and of its segments against each other.

use super::{Evaluator, with_context};
use crate::engine::catalogue::{Family, Subject};
use crate::engine::metric::{Measurement, WindowFacts, measure_fairness, measure_outcomes, wants_fairness};
use crate::engine::published::ModelFacts;
use crate::engine::verdict::SubjectPattern;
use crate::engine::window::{OutcomePane, StreamKey};
use std::collections::BTreeSet;
use std::sync::Arc;

impl Evaluator {
    /// Measures the outcomes of a window of a stream; of the whole also how its segments differ.
    pub(super) fn measure_outcomes(&self, model: &ModelFacts, key: &StreamKey, facts: WindowFacts, pane: &OutcomePane) -> Vec<Measurement> {
        with_context(model, key, facts, self.names_parts, |ctx| {
            let mut measurements = measure_outcomes(ctx, pane);
            if key.segment.is_none() && wants_fairness(ctx) {
                for feature in compared_features(model) {
                    let segments = model.settings.segments.contains(&feature).then(|| self.segments(key, &feature, facts));
                    measurements.extend(measure_fairness(ctx, &feature, segments.as_deref()));
                }
            }
            measurements
        })
    }

    /// The segments of one feature and what became of their predictions in a window, by name.
    fn segments(&self, key: &StreamKey, feature: &str, window: WindowFacts) -> Vec<(Arc<str>, OutcomePane)> {
        let prefix = format!("{feature}=");
        let first = StreamKey { model: key.model.clone(), segment: Some(prefix.as_str().into()) };
        let streams = self.panes.range(first..).take_while(|(stream, _)| stream.model == key.model);
        let named = streams.map_while(|(stream, panes)| Some((stream.segment.clone().filter(|s| s.starts_with(&prefix))?, panes)));
        named.filter_map(|(segment, panes)| Some((segment, panes.outcomes(window.start, window.end)?.into_owned()))).collect()
    }
}

/// The features whose segments are compared: those that the model is cut by, and those that a rule asks about.
fn compared_features(model: &ModelFacts) -> BTreeSet<Arc<str>> {
    let conditions = model.settings.rules.iter().flat_map(|rule| &rule.conditions);
    let asked =
        conditions.filter(|condition| condition.metric.family() == Family::Fairness).filter_map(|condition| match &condition.subject {
            SubjectPattern::Exactly(Subject::Fairness(feature)) => Some(feature.clone()),
            _ => None,
        });
    asked.chain(model.settings.segments.iter().cloned()).collect()
}
