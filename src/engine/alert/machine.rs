//! inactive → pending → firing → resolved, one alert for each (rule, model, version, segment).
//!
//! Invariants: an episode fires at most once and resolves at most once (I6); every time comes from a window or an argument (I9); what could not be judged
//! neither confirms nor clears anything. It does not send: it returns what is owed, for the outbox in the same state (I7).

use super::episode::{Episode, RetrainWish};
use super::explain::{Explanation, Insight};
use super::findings::Findings;
use super::inhibition;
use super::{AlertFacts, AlertState, Incident, Notification, Timestamp, Transition, WindowFacts};
use crate::engine::metric::{Measurement, Subject};
use crate::engine::settings::{AlertSettings, ColumnKind, Task};
use crate::engine::verdict::{Aspect, Rule};
use crate::engine::window::StreamKey;
use crate::event::ModelKey;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Most alerts that are remembered at once. Streams and rules are bounded by the configuration; this bounds what versions of the past leave behind.
const MAX_ENTRIES: usize = 200_000;

/// Every alert.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Alerts {
    entries: BTreeMap<Fingerprint, Entry>,
    /// Highest episode number among those that were forgotten: a new entry goes on from it, so that no id ever means two things.
    episode_floor: u64,
    forgotten: u64,
}

/// One window of one stream after `judge`, on one of its two clocks.
#[derive(Clone, Copy)]
pub struct Judged<'a> {
    /// The stream.
    pub stream: &'a StreamKey,
    /// Which of the measurements are meant: those of the other clock are passed over.
    pub aspect: Aspect,
    /// The window.
    pub window: WindowFacts,
    /// The rules of the model.
    pub rules: &'a [Arc<Rule>],
    /// What the model predicts.
    pub task: Task,
    /// How the column behind a subject is understood, as for `judge`.
    pub kinds: &'a dyn Fn(&Subject) -> Option<ColumnKind>,
    /// The window's measurements, judged.
    pub measurements: &'a [Measurement],
    /// What else is known of the window; asked where an alert fires.
    pub insight: &'a dyn Insight,
}

/// What came of it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Observed {
    /// Steps of alerts, in the order of the rules.
    pub transitions: Vec<Transition>,
    /// What is owed to receivers, for the outbox.
    pub notifications: Vec<Notification>,
    /// Firing incidents that want a retraining which was not asked for yet; offered again with every window until `Alerts::retrain_asked`.
    pub retrain: Vec<Incident>,
}

/// The identity of an alert over its episodes. The stream comes first, so that the alerts of one model stand together.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
struct Fingerprint {
    stream: StreamKey,
    rule: Arc<str>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Entry {
    /// Number of the last episode that fired.
    episode: u64,
    /// By aspect, the end of the last window that was judged: an older one, or the same one amended, is not taken again.
    judged_end: [Option<Timestamp>; 2],
    active: Option<Box<Episode>>,
}

impl std::fmt::Debug for Judged<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Judged")
            .field("stream", self.stream)
            .field("aspect", &self.aspect)
            .field("window", &self.window)
            .finish_non_exhaustive()
    }
}

impl Alerts {
    /// Takes one judged window of one stream: windows of one aspect in rising order of their end (an older one is ignored). Windows without data belong
    /// here too: with them an unconfirmed alert is forgotten in time.
    ///
    /// An alert whose rule is not among `judged.rules` any more resolves with a note.
    pub fn observe(&mut self, judged: &Judged<'_>, settings: &AlertSettings) -> Observed {
        let mut observed = Observed::default();
        self.close_unconfigured(judged, settings, &mut observed);
        for (rule, findings) in judged.rules.iter().zip(inhibition::findings(judged)) {
            let key = Fingerprint { stream: judged.stream.clone(), rule: Arc::clone(&rule.name) };
            if findings.n_judged() > 0 && !self.entries.contains_key(&key) {
                self.entries.insert(key.clone(), Entry::new(self.episode_floor));
            }
            if let Some(entry) = self.entries.get_mut(&key) {
                entry.step(&Step { rule, judged, settings }, findings, &mut observed);
            }
        }
        self.forget_beyond(MAX_ENTRIES);
        observed
    }

    /// The version takes no traffic any more: its firing alerts resolve with the note, its pending ones are dropped.
    ///
    /// `at`: event time of the decision. `window`: the last window that was seen of it.
    pub fn retire(&mut self, model: &ModelKey, at: Timestamp, window: WindowFacts, note: &str, settings: &AlertSettings) -> Observed {
        let mut observed = Observed::default();
        let first = Fingerprint { stream: StreamKey { model: model.clone(), segment: None }, rule: "".into() };
        for (_, entry) in self.entries.range_mut(first..).take_while(|(key, _)| key.stream.model == *model) {
            entry.end(at, window, Some(note.into()), settings, &mut observed);
        }
        let floor = self.episode_floor;
        self.entries.retain(|key, entry| key.stream.model != *model || entry.episode > floor);
        observed
    }

    /// A retraining was asked for because of this incident; it is not offered again.
    pub fn retrain_asked(&mut self, incident: &Incident) {
        let episode = self.entries.values_mut().filter_map(|entry| entry.active.as_mut()).find(|e| e.facts.incident == *incident);
        if let Some(episode) = episode {
            episode.retrain = RetrainWish::Asked;
        }
    }

    /// The alerts that fire, by stream and rule.
    pub fn firing(&self) -> impl Iterator<Item = &AlertFacts> {
        self.active().filter(|facts| facts.state == AlertState::Firing)
    }

    /// Whether an alert of the stream fires.
    pub fn fires(&self, stream: &StreamKey) -> bool {
        let first = Fingerprint { stream: stream.clone(), rule: "".into() };
        let of_stream = self.entries.range(first..).take_while(|(key, _)| key.stream == *stream);
        let mut active = of_stream.filter_map(|(_, entry)| entry.active.as_ref());
        active.any(|episode| episode.facts.state == AlertState::Firing)
    }

    /// The alerts that are pending or fire, by stream and rule.
    pub fn active(&self) -> impl Iterator<Item = &AlertFacts> {
        self.entries.values().filter_map(|entry| entry.active.as_ref()).map(|episode| &episode.facts)
    }

    /// The alert of that incident, while it fires (a pending one has the number that it may yet give to another).
    pub fn get(&self, incident: &Incident) -> Option<&AlertFacts> {
        self.firing().find(|facts| facts.incident == *incident)
    }

    /// Alerts of the past that were forgotten because too many were remembered.
    pub fn forgotten(&self) -> u64 {
        self.forgotten
    }

    fn close_unconfigured(&mut self, judged: &Judged<'_>, settings: &AlertSettings, observed: &mut Observed) {
        let first = Fingerprint { stream: judged.stream.clone(), rule: "".into() };
        let is_segment = judged.stream.segment.is_some();
        for (key, entry) in self.entries.range_mut(first..).take_while(|(key, _)| key.stream == *judged.stream) {
            let configured = judged.rules.iter().any(|rule| rule.name == key.rule && (rule.segments || !is_segment));
            if !configured {
                entry.end(judged.window.end, judged.window, Some("the rule is no longer configured for it".into()), settings, observed);
            }
        }
    }

    /// Drops the inactive entries that were judged longest ago until nine tenths of the bound are left.
    fn forget_beyond(&mut self, bound: usize) {
        if self.entries.len() <= bound {
            return;
        }
        let inactive = self.entries.iter().filter(|(_, entry)| entry.active.is_none());
        let mut oldest: Vec<_> = inactive.map(|(key, entry)| (entry.judged_end.into_iter().max().flatten(), key.clone())).collect();
        oldest.sort();
        let surplus = self.entries.len() - (bound - bound / 10);
        for (_, key) in oldest.into_iter().take(surplus) {
            if let Some(entry) = self.entries.remove(&key) {
                self.episode_floor = self.episode_floor.max(entry.episode);
                self.forgotten += 1;
            }
        }
    }
}

/// What one step of one alert needs.
struct Step<'a> {
    rule: &'a Rule,
    judged: &'a Judged<'a>,
    settings: &'a AlertSettings,
}

impl Entry {
    fn new(episode: u64) -> Self {
        Self { episode, judged_end: [None, None], active: None }
    }

    fn step(&mut self, step: &Step<'_>, findings: Findings, observed: &mut Observed) {
        let (rule, window, aspect) = (step.rule, step.judged.window, step.judged.aspect);
        self.expire(step, observed);
        let last = &mut self.judged_end[aspect as usize];
        if findings.n_judged() > 0 && last.is_none_or(|end| window.end > end) {
            *last = Some(window.end);
            if findings.breaching.is_empty() {
                self.take_calm(step, &findings, observed);
            } else {
                self.take_breach(step, findings, observed);
            }
        }
        if let Some(episode) = &mut self.active {
            observed.notifications.extend(episode.repeat(rule, aspect, window.end, step.settings));
            if rule.retrain && episode.facts.state == AlertState::Firing && episode.retrain == RetrainWish::Open {
                observed.retrain.push(episode.facts.incident.clone());
            }
        }
    }

    fn take_breach(&mut self, step: &Step<'_>, findings: Findings, observed: &mut Observed) {
        let (rule, window, aspect) = (step.rule, step.judged.window, step.judged.aspect);
        let is_new = self.active.is_none();
        let next = self.episode + 1;
        let episode = self.active.get_or_insert_with(|| Box::new(Episode::new(first_facts(step, next), aspect)));
        let track = &mut episode.tracks[aspect as usize];
        track.take_breach(&window, findings, episode.facts.state == AlertState::Pending);
        let confirmed = track.breach().is_some_and(|breach| breach.is_confirmed(rule.confirm));
        if confirmed || episode.facts.state == AlertState::Firing {
            track.explain(|worst| Explanation::of(worst, step.judged));
        }
        episode.refresh(rule, window);
        if episode.facts.state == AlertState::Pending && confirmed {
            self.episode = next;
            observed.notifications.extend(episode.fire(rule, aspect, window.end, step.settings));
            observed.transitions.push(Transition { facts: episode.facts.clone() });
        } else if is_new {
            observed.transitions.push(Transition { facts: episode.facts.clone() });
        }
    }

    fn take_calm(&mut self, step: &Step<'_>, findings: &Findings, observed: &mut Observed) {
        let (rule, window) = (step.rule, step.judged.window);
        let Some(episode) = &mut self.active else { return };
        let settled = (episode.facts.state == AlertState::Firing).then_some(rule.resolve_after);
        episode.tracks[step.judged.aspect as usize].take_calm(&window, findings, settled);
        if episode.is_breached() {
            episode.refresh(rule, window);
        } else {
            self.end(window.end, window, None, step.settings, observed);
        }
    }

    fn expire(&mut self, step: &Step<'_>, observed: &mut Observed) {
        let window = step.judged.window;
        let Some(episode) = &mut self.active else { return };
        let expired = episode.tracks[step.judged.aspect as usize].expire(&window, step.rule.confirm);
        if expired && !episode.is_breached() {
            let note = "what was left of it was never confirmed, and not judged for more than ten windows";
            self.end(window.end, window, Some(note.into()), step.settings, observed);
        }
    }

    /// Resolves a firing alert; a pending one just goes.
    fn end(&mut self, at: Timestamp, window: WindowFacts, note: Option<Arc<str>>, settings: &AlertSettings, observed: &mut Observed) {
        let Some(mut episode) = self.active.take() else { return };
        if episode.facts.state == AlertState::Firing {
            observed.notifications.extend(episode.resolve(at, window, note, settings));
            observed.transitions.push(Transition { facts: episode.facts });
        }
    }
}

fn first_facts(step: &Step<'_>, episode: u64) -> AlertFacts {
    let (rule, stream, window) = (step.rule, step.judged.stream, step.judged.window);
    AlertFacts {
        environment: Arc::clone(&step.settings.environment),
        rule: Arc::clone(&rule.name),
        title: Arc::clone(&rule.title),
        severity: rule.severity,
        model: stream.model.clone(),
        segment: stream.segment.clone(),
        incident: Incident::new(&step.settings.environment, &rule.name, stream, episode),
        state: AlertState::Pending,
        since: window.start,
        fired_at: None,
        resolved_at: None,
        window,
        worst: Vec::new(),
        n_breaching: 0,
        n_judged: 0,
        note: None,
        explanation: None,
    }
}

#[cfg(test)]
mod tests;
