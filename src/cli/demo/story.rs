//! The story: what is injected when, and what has happened so far.
//!
//! Invariant: pure. It goes on when what it waits for has happened, not at fixed times, so that a busy machine tells the same story, only later.

use super::message::{Told, What};
use super::pipeline::Harvest;
use super::receivers::To;
use super::status::Status;
use crate::cli::generate::{Change, Feature};
use std::collections::BTreeSet;
use std::time::{Duration, Instant};

/// How long all is well at first.
const HEALTHY: Duration = Duration::from_secs(18);
/// Windows that must have been judged by then: twice as many as two full ones that do not overlap.
const HEALTHY_WINDOWS: usize = 12;
/// How long the first alert is left alone on the stage.
const PAUSE: Duration = Duration::from_secs(6);
/// How long the retrained version is watched.
const RECOVERY: Duration = Duration::from_secs(20);
/// How long each part of the story waits for what should happen.
const PATIENCE: Duration = Duration::from_secs(60);

/// The inputs that drift.
pub(super) const DRIFTING: [&str; 2] = ["amount", "age"];

/// Where the story stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    /// Nothing is wrong.
    Healthy,
    /// Two inputs drift.
    Drifting,
    /// The concept has turned.
    Turned,
    /// A retraining was asked for.
    Retraining,
    /// The retrained version answers.
    Recovering,
    /// All is told.
    Over,
}

impl Phase {
    /// One line about it.
    pub(super) fn caption(self) -> &'static str {
        match self {
            Self::Healthy => "healthy: inputs, answers and labels look like the reference",
            Self::Drifting => "two inputs drift",
            Self::Turned => "the concept has turned: labels follow a rule that v1 does not know",
            Self::Retraining => "the pipeline retrains",
            Self::Recovering => "v2 answers, trained on the new rule",
            Self::Over => "the story is told",
        }
    }
}

/// What is done to the traffic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Injection {
    /// Two inputs drift.
    Drift,
    /// The concept turns.
    Concept,
    /// The pipeline deploys a version.
    Deploy {
        /// Its name.
        version: String,
    },
}

impl Injection {
    /// The changes of the generator.
    pub(super) fn changes(&self) -> Vec<Change> {
        match self {
            Self::Drift => vec![
                Change::Shift { feature: Feature::Amount, mean_sigma: 1.0, scale: 1.0 },
                Change::Shift { feature: Feature::Age, mean_sigma: 0.8, scale: 1.0 },
            ],
            Self::Concept => vec![Change::Concept { strength: 1.0 }],
            Self::Deploy { version } => vec![Change::Deploy { version: version.clone() }],
        }
    }

    /// A few words about it.
    pub(super) fn name(&self) -> String {
        match self {
            Self::Drift => "two inputs drift".to_owned(),
            Self::Concept => "the concept turns".to_owned(),
            Self::Deploy { version } => format!("{version} is deployed"),
        }
    }

    /// One line about it.
    pub(super) fn caption(&self) -> String {
        match self {
            Self::Drift => "amount shifts by 1 standard deviation, age by 0.8".to_owned(),
            Self::Concept => "the concept turns: labels follow another rule".to_owned(),
            Self::Deploy { version } => format!("the pipeline deploys {version}"),
        }
    }
}

/// What the story wants done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Act {
    /// Do this to the traffic.
    Inject(Injection),
    /// It is over.
    End,
}

/// Everything that happened.
#[derive(Debug)]
pub(super) struct Record {
    /// When the traffic began.
    pub began: Instant,
    /// What was injected when.
    pub injected: Vec<(Injection, Instant)>,
    /// Every message.
    pub told: Vec<Told>,
    /// What the pipeline found.
    pub harvest: Option<Harvest>,
    /// The daemon's latest word.
    pub status: Status,
    /// Alerts that were seen firing before anything was injected.
    pub early: BTreeSet<String>,
    /// Versions and ends of windows that were seen judged.
    pub windows: BTreeSet<(String, String)>,
    /// The accuracy of the first version, last before anything was injected and least of all.
    pub accuracy: Option<(f64, f64)>,
    /// Where the story did not go on.
    pub stuck: Option<Phase>,
}

/// The story and where it stands.
#[derive(Debug)]
pub(super) struct Story {
    pub record: Record,
    pub phase: Phase,
    since: Instant,
}

impl Record {
    /// An empty record.
    pub(super) fn new(began: Instant) -> Self {
        let (injected, told, early, windows) = Default::default();
        Self { began, injected, told, harvest: None, status: Status::default(), early, windows, accuracy: None, stuck: None }
    }

    /// Time since the traffic began.
    pub(super) fn time(&self, at: Instant) -> Duration {
        at.saturating_duration_since(self.began)
    }

    /// When a version was deployed, and which.
    pub(super) fn deployed(&self) -> Option<(&str, Instant)> {
        self.injected.iter().find_map(|(injection, at)| match injection {
            Injection::Deploy { version } => Some((version.as_str(), *at)),
            Injection::Drift | Injection::Concept => None,
        })
    }

    /// The messages to one receiver about one thing.
    pub(super) fn messages(&self, to: To, what: What) -> impl Iterator<Item = &Told> {
        self.told.iter().filter(move |told| told.to == to && told.what == what)
    }

    /// The first message to anyone that a rule's alert fires.
    pub(super) fn fired(&self, rule: &str) -> Option<&Told> {
        self.told.iter().find(|told| told.what == What::Firing && told.rule == rule)
    }

    /// Whether everybody who was told that something fires was told of its end.
    pub(super) fn all_resolved(&self) -> bool {
        let resolved = |told: &Told| self.messages(told.to, What::Resolved).any(|end| end.incident == told.incident);
        self.told.iter().filter(|told| told.what == What::Firing).all(resolved)
    }

    /// Windows of a version that were seen judged.
    pub(super) fn n_windows(&self, version: &str) -> usize {
        self.windows.iter().filter(|(of, _)| of == version).count()
    }
}

impl Story {
    /// Begins with healthy traffic.
    pub(super) fn new(began: Instant) -> Self {
        Self { record: Record::new(began), phase: Phase::Healthy, since: began }
    }

    /// Takes the daemon's latest word.
    pub(super) fn take_status(&mut self, status: Status) {
        let record = &mut self.record;
        for model in &status.models {
            record.windows.insert((model.version.clone(), model.window.end.clone()));
        }
        if let Some(now) = status.model("v1").and_then(|model| model.accuracy()) {
            let before = if self.phase == Phase::Healthy { now } else { record.accuracy.map_or(now, |(before, _)| before) };
            record.accuracy = Some((before, record.accuracy.map_or(now, |(_, least)| least.min(now))));
        }
        if self.phase == Phase::Healthy {
            record.early.extend(status.firing().map(|alert| format!("{} of {}", alert.rule, alert.version)));
        }
        record.status = status;
    }

    /// What is to be done now, if anything.
    pub(super) fn turn(&mut self, now: Instant) -> Option<Act> {
        if self.phase == Phase::Over {
            return None;
        }
        if now.saturating_duration_since(self.since) > PATIENCE {
            self.record.stuck = Some(self.phase);
            self.enter(Phase::Over, now);
            return Some(Act::End);
        }
        let waited = |since: Instant, long: Duration| now.saturating_duration_since(since) >= long;
        let record = &self.record;
        match self.phase {
            Phase::Healthy => {
                let is_seen = record.n_windows("v1") >= HEALTHY_WINDOWS && record.accuracy.is_some();
                (is_seen && waited(self.since, HEALTHY)).then(|| self.inject(Phase::Drifting, Injection::Drift, now))
            }
            Phase::Drifting => {
                let seen = record.fired("feature-drift").is_some_and(|told| waited(told.at, PAUSE));
                seen.then(|| self.inject(Phase::Turned, Injection::Concept, now))
            }
            Phase::Turned => {
                if record.messages(To::Pipeline, What::Retrain).next().is_some() {
                    self.enter(Phase::Retraining, now);
                }
                None
            }
            Phase::Retraining => {
                if record.deployed().is_some() {
                    self.enter(Phase::Recovering, now);
                }
                None
            }
            Phase::Recovering => {
                let healed = record.deployed().is_some_and(|(version, _)| is_healthy(&record.status, version)) && record.all_resolved();
                let over = healed && record.status.firing().next().is_none() && waited(self.since, RECOVERY);
                over.then(|| {
                    self.enter(Phase::Over, now);
                    Act::End
                })
            }
            Phase::Over => None,
        }
    }

    fn inject(&mut self, phase: Phase, injection: Injection, now: Instant) -> Act {
        self.enter(phase, now);
        Act::Inject(injection)
    }

    fn enter(&mut self, phase: Phase, now: Instant) {
        self.phase = phase;
        self.since = now;
    }
}

/// Whether a version is right often enough and its inputs were judged and found as they should be.
pub(super) fn is_healthy(status: &Status, version: &str) -> bool {
    status.model(version).is_some_and(|model| model.accuracy().is_some_and(|accuracy| accuracy >= 0.9) && model.inputs_are_fine())
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::cli::demo::message::Finding;

    pub(in crate::cli::demo) fn told(to: To, what: What, rule: &str, incident: &str, at: Instant) -> Told {
        let worst = match rule {
            "feature-drift" => vec![("PSI of amount", "1.02"), ("PSI of age", "0.6"), ("KS distance of amount", "0.38")],
            _ => vec![("recall", "0.78"), ("accuracy", "0.8255")],
        };
        let worst = worst.into_iter().map(|(what, value)| Finding { what: what.into(), value: value.into() }).collect();
        Told { to, at, what, incident: incident.into(), rule: rule.into(), model: "fraud/v1".into(), text: Vec::new(), worst }
    }

    pub(in crate::cli::demo) fn status(version: &str, end: u32, accuracy: f64, verdict: &str) -> Status {
        let text = format!(
            r#"{{"ready":true,"counts":{{"received":10,"applied":9,"duplicate":0,"late":0,"rejected":{{"not_json":1}},"labels_waiting":0}},
            "event_time_lag_seconds":1.0,"alerts":[],"outbox":{{"pending":0}},"models":[{{"version":"{version}","window":{{"end":"2026-01-01T00:00:{end:02}Z","predictions":8000}},
            "readings":[{{"subject":"quality","metric":"accuracy","value":{accuracy},"threshold":0.9,"verdict":"ok"}},
            {{"subject":"feature:amount","metric":"psi","value":0.01,"threshold":0.1,"verdict":"{verdict}"}}]}}]}}"#
        );
        serde_json::from_str(&text).unwrap()
    }

    /// A story in which everything happens as told.
    pub(in crate::cli::demo) fn good_story() -> (Story, Vec<Act>) {
        let began = Instant::now();
        let at = |seconds: u64| began + Duration::from_secs(seconds);
        let mut story = Story::new(began);
        let mut acts = Vec::new();
        for second in 0..90 {
            let now = at(second);
            let tell = |story: &mut Story, to, what, rule, incident| story.record.told.push(told(to, what, rule, incident, now));
            match second {
                24 => tell(&mut story, To::Slack, What::Firing, "feature-drift", "f"),
                36 => {
                    tell(&mut story, To::Slack, What::Firing, "model-quality", "q");
                    tell(&mut story, To::PagerDuty, What::Firing, "model-quality", "q");
                    tell(&mut story, To::Pipeline, What::Retrain, "model-quality", "q");
                }
                39 => story.record.harvest = Some(Harvest { messages: 16_000, examples: 7_900, right: 6_500 }),
                42 => story.record.injected.push((Injection::Deploy { version: "v2".into() }, now)),
                48 => {
                    tell(&mut story, To::Slack, What::Resolved, "feature-drift", "f");
                    tell(&mut story, To::Slack, What::Resolved, "model-quality", "q");
                    tell(&mut story, To::PagerDuty, What::Resolved, "", "q");
                }
                _ => {}
            }
            let version = if second < 42 { "v1" } else { "v2" };
            story.take_status(status(version, second as u32 % 60, if (30..42).contains(&second) { 0.83 } else { 0.95 }, "ok"));
            if let Some(act) = story.turn(now) {
                if let Act::Inject(injection) = &act {
                    story.record.injected.push((injection.clone(), now));
                }
                acts.push(act);
            }
        }
        (story, acts)
    }

    #[test]
    fn it_goes_on_with_what_happens() {
        let (story, acts) = good_story();
        assert_eq!(acts, [Act::Inject(Injection::Drift), Act::Inject(Injection::Concept), Act::End]);
        assert_eq!((story.phase, story.record.stuck), (Phase::Over, None));
        assert_eq!(story.record.accuracy, Some((0.95, 0.83)));
    }

    #[test]
    fn it_does_not_wait_for_ever() {
        let began = Instant::now();
        let mut story = Story::new(began);
        assert_eq!(story.turn(began + HEALTHY), None, "nothing was judged yet");
        assert_eq!(story.turn(began + PATIENCE + Duration::from_secs(1)), Some(Act::End));
        assert_eq!(story.record.stuck, Some(Phase::Healthy));
        assert_eq!(story.turn(began + PATIENCE * 2), None);
    }
}
