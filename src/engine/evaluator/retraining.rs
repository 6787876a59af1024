//! From an alert that wants a retraining to the request for it.

use super::{Effect, Evaluator};
use crate::engine::alert::{Admission, AlertFacts, Incident, Observed, OffsetSpan, RetrainFacts, retrain_reason};
use crate::engine::metric::WindowFacts;
use crate::engine::summary::Positions;
use crate::engine::window::StreamKey;
use crate::event::Timestamp;
use std::cmp::Reverse;
use std::sync::Arc;

impl Evaluator {
    /// Hands on what an evaluation did to the alerts, and asks for the retrainings that it wants and the gate grants.
    pub(super) fn follow(&mut self, observed: Observed, key: &StreamKey, window: WindowFacts, effects: &mut Vec<Effect>) {
        effects.extend(observed.transitions.into_iter().map(Effect::Alert));
        let max_outbox = self.settings.alerting.max_outbox;
        self.state.outbox.push_all(observed.notifications, max_outbox);
        let Some(settings) = self.settings.alerting.retrain.clone() else { return };
        let whole = StreamKey { model: key.model.clone(), segment: None };
        let labelled = self.panes.get(&whole).map_or(0, |panes| panes.labelled());
        let at = window.end.max(self.now);
        let wish = |incident: Incident| Some((self.state.alerts.get(&incident)?.clone(), incident));
        let mut wishes: Vec<(AlertFacts, Incident)> = observed.retrain.into_iter().filter_map(wish).collect();
        // the gate may grant one of several: the request then names the gravest reason
        wishes.sort_by_key(|(alert, _)| Reverse(alert.severity));
        for (alert, incident) in wishes {
            let admission = self.state.gate.admit(&key.model.model, &incident, labelled, at, &settings);
            *self.state.admissions.entry(admission.as_str().to_owned()).or_default() += 1;
            if admission != Admission::Granted {
                continue;
            }
            self.state.alerts.retrain_asked(&incident);
            let facts = self.retrain_facts(alert, key, labelled, window, at);
            self.state.gate.request(facts.clone(), &settings, max_outbox, &mut self.state.outbox);
            effects.push(Effect::Retrain(facts));
        }
    }

    fn retrain_facts(&self, alert: AlertFacts, key: &StreamKey, labelled: u64, window: WindowFacts, at: Timestamp) -> RetrainFacts {
        let (mut predictions, mut labels) = (Positions::default(), Positions::default());
        if let Some(panes) = self.panes.get(key) {
            predictions = panes.inputs(window.start, window.end).positions;
            if let Some(outcomes) = panes.whole_outcomes(window.start, window.end) {
                predictions.merge(&outcomes.prediction_positions);
                labels = outcomes.label_positions;
            }
        }
        RetrainFacts {
            reason: retrain_reason(&alert),
            alert,
            labelled,
            predictions: self.spans(&predictions),
            labels: self.spans(&labels),
            requested_at: at,
        }
    }

    fn spans(&self, positions: &Positions) -> Vec<OffsetSpan> {
        let span = |(partition, range): (crate::event::PartitionId, crate::engine::summary::OffsetRange)| {
            let topic = Arc::clone(self.topics.get(usize::from(partition.topic.0))?);
            Some(OffsetSpan { topic, partition: partition.partition, first: range.first, last: range.last })
        };
        positions.iter().filter_map(span).collect()
    }
}
