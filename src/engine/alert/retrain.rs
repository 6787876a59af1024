//! Whether a wish for a retraining is granted: once an incident, not too often for a model, not without labels.
//!
//! Invariant: one incident asks at most once (its id is `<incident>-retrain`). A wish that is held back is not lost: it is made again with the next window
//! while its alert fires. Budgets count in event time, so a replay grants the same ones.

use super::{AlertFacts, Body, Incident, Notification, NotifyReason, Outbox, RetrainFacts, Timestamp};
use crate::engine::settings::RetrainSettings;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

const DAY_MS: i64 = 86_400_000;
/// Granted incidents that are remembered for each model, the newest ones.
const MAX_GRANTED: usize = 64;
/// Models that are remembered, the ones that asked last.
const MAX_MODELS: usize = 10_000;

/// Who may ask for a retraining.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct RetrainGate {
    models: BTreeMap<Arc<str>, Granted>,
}

/// What was granted to one model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Granted {
    last: Timestamp,
    /// Start of the UTC day of `used`.
    day: Timestamp,
    used: u32,
    incidents: VecDeque<Incident>,
}

/// What the gate says to a wish.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Admission {
    /// Ask now; it counts.
    Granted,
    /// The model asked a short while ago.
    Cooldown {
        /// End of the cooldown.
        until: Timestamp,
    },
    /// The model has asked as often today (UTC, event time) as it may.
    BudgetSpent,
    /// There is not enough to train on.
    TooFewLabels {
        /// Labelled predictions that are kept.
        labelled: u64,
        /// Labelled predictions needed.
        need: u64,
    },
    /// This incident has asked before.
    AlreadyAsked,
}

impl Admission {
    /// The name of every answer, in the order of the type, for tables and metric labels.
    pub const NAMES: [&'static str; 5] = ["granted", "cooldown", "budget_spent", "too_few_labels", "already_asked"];

    /// The name used in output and metric labels.
    pub fn as_str(self) -> &'static str {
        let place = match self {
            Self::Granted => 0,
            Self::Cooldown { .. } => 1,
            Self::BudgetSpent => 2,
            Self::TooFewLabels { .. } => 3,
            Self::AlreadyAsked => 4,
        };
        Self::NAMES[place]
    }
}

impl RetrainGate {
    /// Answers the wish of `incident`; `Granted` takes from the model's budget at once, so the request must follow.
    ///
    /// `labelled`: labelled predictions of the version that are kept. `at`: event time of the evaluation.
    pub fn admit(&mut self, model: &str, incident: &Incident, labelled: u64, at: Timestamp, settings: &RetrainSettings) -> Admission {
        let day = at.floor(DAY_MS);
        if let Some(granted) = self.models.get(model) {
            if granted.incidents.contains(incident) {
                return Admission::AlreadyAsked;
            }
            let until = granted.last.plus(settings.cooldown_ms);
            if at < until {
                return Admission::Cooldown { until };
            }
        }
        // the two clocks of a model differ by days: an evaluation of yesterday does not open today's budget again
        let used = self.models.get(model).map_or(0, |granted| if day > granted.day { 0 } else { granted.used });
        if used >= settings.daily_budget {
            return Admission::BudgetSpent;
        }
        if labelled < settings.min_labels {
            return Admission::TooFewLabels { labelled, need: settings.min_labels };
        }
        self.grant(model, incident, at, used + 1);
        Admission::Granted
    }

    /// Owes the request to the retraining receiver, under the id `<incident>-retrain`.
    pub fn request(&self, facts: RetrainFacts, settings: &RetrainSettings, max_outbox: usize, outbox: &mut Outbox) {
        let notification = Notification {
            id: format!("{}-retrain", facts.alert.incident).into(),
            receiver: Arc::clone(&settings.receiver),
            reason: NotifyReason::Retrain,
            body: Body::Retrain(facts),
        };
        outbox.push(notification, max_outbox);
    }

    fn grant(&mut self, model: &str, incident: &Incident, at: Timestamp, used: u32) {
        if !self.models.contains_key(model) && self.models.len() >= MAX_MODELS {
            let oldest = self.models.iter().min_by_key(|(_, granted)| granted.last).map(|(name, _)| Arc::clone(name));
            oldest.and_then(|name| self.models.remove(&name));
        }
        let granted = self.models.entry(model.into()).or_insert_with(|| Granted {
            last: at,
            day: at.floor(DAY_MS),
            used: 0,
            incidents: VecDeque::new(),
        });
        granted.last = granted.last.max(at);
        granted.day = granted.day.max(at.floor(DAY_MS));
        granted.used = used;
        granted.incidents.push_back(incident.clone());
        if granted.incidents.len() > MAX_GRANTED {
            granted.incidents.pop_front();
        }
    }
}

/// Why an alert asks for a retraining, in one sentence: rule, metric, value, bound.
pub fn retrain_reason(facts: &AlertFacts) -> Arc<str> {
    let Some(worst) = facts.worst.first() else {
        return format!("{} fires for {}", facts.rule, facts.model).into();
    };
    let side = if worst.above { "above" } else { "below" };
    let (subject, metric) = (&worst.subject, worst.metric.as_str());
    format!("{} fires for {}: {metric} of {subject} is {:.4}, {side} {}", facts.rule, facts.model, worst.value, worst.threshold).into()
}

#[cfg(test)]
mod tests;
