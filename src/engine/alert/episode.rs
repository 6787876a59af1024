//! One alert from its first breach to its end, and what its receivers were told.

use super::findings::{MAX_WORST, sort_worst_first};
use super::incident::notification_id;
use super::track::{Breach, Track};
use super::{AlertFacts, AlertState, Body, Explanation, Notification, NotifyReason, Timestamp, WindowFacts, Worst};
use crate::engine::metric::Subject;
use crate::engine::settings::{AlertSettings, ReceiverSettings};
use crate::engine::verdict::{Aspect, Rule};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// One alert from its first breach to its end.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Episode {
    pub facts: AlertFacts,
    pub tracks: [Track; 2],
    pub retrain: RetrainWish,
    /// What was beyond its bound when it was at its worst.
    peak: Peak,
    /// The explanation of the worst window since it fired, and how far beyond its bound that was.
    explained: Option<(f64, Explanation)>,
    /// The clock by which it fired, and by which the repeat interval runs (the other one may be days ahead or behind).
    clock: Aspect,
    /// Receivers that were told of it.
    told: BTreeSet<Arc<str>>,
    /// End of the window by which they were told last.
    told_at: Timestamp,
    repeats: u64,
}

/// What has become of the wish for a retraining.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum RetrainWish {
    /// Not asked for yet.
    Open,
    /// Asked for.
    Asked,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
struct Peak {
    worst: Vec<Worst>,
    n_breaching: u64,
    n_judged: u64,
}

impl Episode {
    /// A pending alert that has not seen a window yet.
    pub(super) fn new(facts: AlertFacts, clock: Aspect) -> Self {
        Self {
            told_at: facts.window.end,
            facts,
            tracks: [Track::default(), Track::default()],
            retrain: RetrainWish::Open,
            peak: Peak::default(),
            explained: None,
            clock,
            told: BTreeSet::new(),
            repeats: 0,
        }
    }

    /// Whether a part of it is beyond its bound, or not long enough within it.
    pub(super) fn is_breached(&self) -> bool {
        self.tracks.iter().any(|track| track.breach().is_some())
    }

    /// Brings the facts up to date with the tracks after a judged window.
    pub(super) fn refresh(&mut self, rule: &Rule, window: WindowFacts) {
        let facts = &mut self.facts;
        facts.title = Arc::clone(&rule.title);
        facts.severity = rule.severity;
        facts.window = window;
        let breaches = || self.tracks.iter().filter_map(Track::breach);
        if facts.state == AlertState::Pending {
            facts.since = breaches().filter_map(Breach::since).min().unwrap_or(facts.since);
            // what was cleared before it was confirmed is no part of this alert
            if !self.peak.worst.iter().all(|worst| breaches().any(|breach| breach.suspects(&worst.subject))) {
                self.peak = Peak::default();
            }
        }
        facts.worst = breaches().flat_map(|breach| &breach.worst).cloned().collect();
        sort_worst_first(&mut facts.worst);
        facts.worst.truncate(MAX_WORST);
        set_shares(&mut facts.worst, breaches().map(Breach::excess).sum());
        facts.n_breaching = breaches().map(|breach| breach.n_breaching).sum();
        facts.n_judged = self.tracks.iter().map(|track| track.n_judged).sum();
        let excess = |worst: &[Worst]| worst.first().map_or(f64::NEG_INFINITY, Worst::excess);
        let mut gravest_first: Vec<&Breach> = breaches().collect();
        gravest_first.sort_by(|a, b| excess(&b.worst).total_cmp(&excess(&a.worst)));
        facts.explanation = Explanation::joined(gravest_first.into_iter().map(|breach| breach.explanation.as_ref()));
        if excess(&facts.worst) > excess(&self.peak.worst) {
            self.peak = Peak { worst: facts.worst.clone(), n_breaching: facts.n_breaching, n_judged: facts.n_judged };
        }
        if let Some(explanation) = &facts.explanation {
            let now = facts.worst.first().map_or(0.0, Worst::weight);
            if self.explained.as_ref().is_none_or(|(before, _)| now >= *before) {
                self.explained = Some((now, explanation.clone()));
            }
        }
    }

    /// Turns a confirmed alert into a firing one; the receivers to tell.
    pub(super) fn fire(&mut self, rule: &Rule, aspect: Aspect, end: Timestamp, settings: &AlertSettings) -> Vec<Notification> {
        self.facts.state = AlertState::Firing;
        self.facts.fired_at = Some(end);
        self.clock = aspect;
        self.tell(rule, end, settings, NotifyReason::Firing)
    }

    /// Tells again where the repeat interval has passed on the clock by which it fired.
    pub(super) fn repeat(&mut self, rule: &Rule, aspect: Aspect, end: Timestamp, settings: &AlertSettings) -> Vec<Notification> {
        let due = rule.repeat_ms.is_some_and(|interval| end.since(self.told_at) >= interval);
        if self.facts.state != AlertState::Firing || self.clock != aspect || !due {
            return Vec::new();
        }
        self.repeats += 1;
        self.tell(rule, end, settings, NotifyReason::Repeat)
    }

    /// Turns a firing alert into a resolved one, which shows what was at its worst; the receivers to tell.
    pub(super) fn resolve(
        &mut self,
        at: Timestamp,
        window: WindowFacts,
        note: Option<Arc<str>>,
        settings: &AlertSettings,
    ) -> Vec<Notification> {
        let peak = std::mem::take(&mut self.peak);
        self.facts.state = AlertState::Resolved;
        self.facts.resolved_at = Some(at);
        self.facts.window = window;
        self.facts.note = note;
        (self.facts.worst, self.facts.n_breaching, self.facts.n_judged) = (peak.worst, peak.n_breaching, peak.n_judged);
        self.facts.explanation = self.explained.take().map(|(_, explanation)| explanation);
        let to_tell = |receiver: &&ReceiverSettings| receiver.send_resolved && self.told.contains(&receiver.name);
        settings.receivers.iter().filter(to_tell).map(|receiver| self.notification(receiver, NotifyReason::Resolved)).collect()
    }

    fn tell(&mut self, rule: &Rule, end: Timestamp, settings: &AlertSettings, reason: NotifyReason) -> Vec<Notification> {
        self.told_at = end;
        if !rule.notify {
            return Vec::new();
        }
        let wanted = |receiver: &&ReceiverSettings| {
            receiver.min_severity <= rule.severity && (rule.receivers.is_empty() || rule.receivers.contains(&receiver.name))
        };
        let receivers: Vec<_> = settings.receivers.iter().filter(wanted).collect();
        self.told.extend(receivers.iter().map(|receiver| Arc::clone(&receiver.name)));
        receivers.into_iter().map(|receiver| self.notification(receiver, reason)).collect()
    }

    fn notification(&self, receiver: &ReceiverSettings, reason: NotifyReason) -> Notification {
        let meaning = match reason {
            NotifyReason::Repeat => format!("repeat-{}", self.repeats),
            NotifyReason::Firing | NotifyReason::Resolved | NotifyReason::Retrain => reason.as_str().to_owned(),
        };
        Notification {
            id: notification_id(&self.facts.incident, &meaning, &receiver.name),
            receiver: Arc::clone(&receiver.name),
            reason,
            body: Body::Alert(self.facts.clone()),
        }
    }
}

/// Every entry's share of the summed excess; entries are worst first, so the first one of a subject has its largest.
fn set_shares(worst: &mut [Worst], sum: f64) {
    let mut largest: BTreeMap<Subject, f64> = BTreeMap::new();
    for entry in worst {
        let weight = entry.weight();
        let of_subject = *largest.entry(entry.subject.clone()).or_insert(weight);
        entry.share = if sum > 0.0 { (of_subject / sum).min(1.0) } else { 0.0 };
    }
}
