//! Change detectors at work: the streams of answers and latencies of one model version, value by value.
//!
//! Invariant: what is found is a pure function of the values in the order in which they were applied; the state of every detector is part of the record.

use crate::engine::catalogue::{Family, Metric, Signal};
use crate::engine::settings::{DetectorSettings, ModelSettings, Task};
use crate::engine::window::Detections;
use crate::stats::detector::{Adwin, Change, Cusum, Ddm, Detector, Eddm, HddmA, HddmW, Kswin, PageHinkley, Sides, Standard};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// ADWIN looks for a cut after every so many values (river's default).
const ADWIN_CLOCK: u64 = 32;
/// EDDM warns, and reports, below these parts of the best distance (Baena-García et al.).
const EDDM_LEVELS: (f64, f64) = (0.95, 0.90);
/// KSWIN compares the newest of these many values with as many of the others (river's defaults).
const KSWIN_WINDOW: (usize, usize) = (100, 30);
/// Any number would do; a fixed one makes every run of a log find the same.
const KSWIN_SEED: u64 = 42;

/// The detectors of a model version.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Detectors {
    settings: DetectorSettings,
    task: Option<Task>,
    running: BTreeMap<(Signal, Metric), Running>,
}

/// One detector, and what stands before it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Running {
    /// Brings numbers to the scale that the thresholds are meant for; `None`: the detector takes them as they are.
    standard: Option<Standard>,
    detector: Detector,
    /// Values that are yet to be passed over after a change.
    deaf: u64,
}

impl Detectors {
    /// The detectors that the rules name, from their beginning.
    pub(super) fn new(settings: &ModelSettings) -> Self {
        let mut detectors = Self::default();
        detectors.adopt(settings);
        detectors
    }

    /// Continues under the present settings: those that are no longer named end, new ones begin, and all begin anew where a setting changed.
    pub(super) fn adopt(&mut self, settings: &ModelSettings) {
        if (self.settings, self.task) != (settings.detectors, Some(settings.task)) {
            (self.settings, self.task) = (settings.detectors, Some(settings.task));
            self.running.clear();
        }
        let named = settings.watched();
        self.running.retain(|key, _| named.contains(key));
        for (signal, metric) in named {
            let in_numbers = signal == Signal::Latency || settings.task == Task::Regression;
            if let Some(running) = Running::new(metric, in_numbers, &self.settings) {
                self.running.entry((signal, metric)).or_insert(running);
            }
        }
    }

    /// Whether any detector watches `signal`.
    pub(super) fn watch(&self, signal: Signal) -> bool {
        self.running.keys().any(|(watched, _)| *watched == signal)
    }

    /// Shows the next value of a signal to its detectors; what they find is counted in `found`.
    pub(super) fn see(&mut self, signal: Signal, value: f64, found: &mut BTreeMap<(Signal, Metric), Detections>) {
        for (&key, running) in self.running.iter_mut().filter(|((watched, _), _)| *watched == signal) {
            let counts = found.entry(key).or_default();
            counts.seen += 1;
            counts.found += u64::from(running.see(value, &self.settings));
        }
    }
}

impl Running {
    /// A detector from its beginning; `None`: the metric is none, or works on answers only.
    fn new(metric: Metric, in_numbers: bool, settings: &DetectorSettings) -> Option<Self> {
        if metric.family() != Family::Detector || (in_numbers && metric.needs_answers()) {
            return None;
        }
        let (warning, drift) = EDDM_LEVELS;
        let (size, newest) = KSWIN_WINDOW;
        let detector = match metric {
            Metric::Adwin => Detector::Adwin(Adwin::new(settings.adwin_delta, ADWIN_CLOCK)),
            Metric::PageHinkley => Detector::PageHinkley(PageHinkley::new(settings.page_hinkley_threshold, Sides::Both)),
            Metric::Ddm => Detector::Ddm(Ddm::default()),
            Metric::Eddm => Detector::Eddm(Eddm::new(warning, drift)),
            Metric::HddmA => Detector::HddmA(HddmA::new(settings.hddm_confidence, Sides::Up)),
            Metric::HddmW => Detector::HddmW(HddmW::new(settings.hddm_confidence, Sides::Up)),
            Metric::Kswin => Detector::Kswin(Kswin::new(settings.kswin_alpha, size, newest, KSWIN_SEED)),
            Metric::Cusum => Detector::Cusum(Cusum::new(settings.cusum_arl, settings.warm_up)),
            _ => return None,
        };
        let needs_scale = in_numbers && matches!(metric, Metric::Adwin | Metric::PageHinkley);
        Some(Self { standard: needs_scale.then(|| Standard::new(settings.warm_up)), detector, deaf: 0 })
    }

    /// Whether the stream has changed with this value.
    fn see(&mut self, value: f64, settings: &DetectorSettings) -> bool {
        if self.deaf > 0 {
            self.deaf -= 1;
            return false;
        }
        let scaled = match &mut self.standard {
            Some(standard) => standard.scale(value),
            None => Some(value),
        };
        let drift = scaled.is_some_and(|value| self.detector.update(value) == Change::Drift);
        if drift {
            self.deaf = settings.refractory;
            // what is usual is another thing from now on
            self.standard = self.standard.take().map(|_| Standard::new(settings.warm_up));
        }
        drift
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::shard::model::unwatched;
    use crate::engine::verdict::{Bound, Condition, Rule, SubjectPattern, Threshold};
    use std::sync::Arc;

    fn settings(watched: &[(Signal, Metric)]) -> ModelSettings {
        let condition = |&(signal, metric): &(Signal, Metric)| {
            Condition::new(SubjectPattern::Exactly(signal.subject()), metric, Bound::Above(Threshold::Absolute(0.0)))
        };
        let rules = vec![Arc::new(Rule::new("changes", watched.iter().map(condition).collect()))];
        ModelSettings { rules, ..unwatched("m") }
    }

    /// Shows right answers, then wrong ones.
    fn show(detectors: &mut Detectors, right: usize, wrong: usize) -> BTreeMap<(Signal, Metric), Detections> {
        let mut found = BTreeMap::new();
        let answers = std::iter::repeat_n(0.0, right).chain(std::iter::repeat_n(1.0, wrong));
        answers.for_each(|answer| detectors.see(Signal::Errors, answer, &mut found));
        found
    }

    const ADWIN: (Signal, Metric) = (Signal::Errors, Metric::Adwin);
    const DDM: (Signal, Metric) = (Signal::Errors, Metric::Ddm);

    #[test]
    fn after_a_change_a_detector_rests() {
        let mut settings = settings(&[ADWIN]);
        let found = |settings: &ModelSettings| show(&mut Detectors::new(settings), 320, 320)[&ADWIN];
        assert_eq!(found(&settings), Detections { seen: 640, found: 1 });
        settings.detectors.refractory = 0;
        assert_eq!(found(&settings), Detections { seen: 640, found: 1 });
        let alternating = |refractory| {
            settings.detectors.refractory = refractory;
            let mut detectors = Detectors::new(&settings);
            (0..4).map(|_| show(&mut detectors, 96, 96)[&ADWIN].found).sum::<u64>()
        };
        let counts = [0, 100, 10_000].map(alternating);
        assert!(counts[0] > counts[1] && counts[1] > counts[2] && counts[2] == 1, "{counts:?}");
    }

    #[test]
    fn a_changed_configuration_ends_begins_and_keeps_detectors() {
        let mut detectors = Detectors::new(&settings(&[ADWIN, DDM]));
        show(&mut detectors, 50, 0);
        let before = detectors.clone();
        detectors.adopt(&settings(&[ADWIN, DDM]));
        assert_eq!(detectors, before, "nothing changed");
        detectors.adopt(&settings(&[ADWIN, (Signal::Latency, Metric::Cusum)]));
        assert_eq!(detectors.running.keys().copied().collect::<Vec<_>>(), [ADWIN, (Signal::Latency, Metric::Cusum)]);
        assert_eq!(detectors.running[&ADWIN], before.running[&ADWIN]);
        let mut changed = settings(&[ADWIN]);
        changed.detectors.adwin_delta = 0.01;
        detectors.adopt(&changed);
        assert_eq!(detectors, Detectors::new(&changed), "all begin anew");
        detectors.adopt(&unwatched("m"));
        assert!(!detectors.watch(Signal::Errors));
    }

    #[test]
    fn detectors_of_answers_do_not_run_on_numbers() {
        let every: Vec<_> = Metric::ALL.iter().flat_map(|&m| Signal::ALL.map(|s| (s, m))).collect();
        let mut settings = settings(&every);
        assert_eq!(Detectors::new(&settings).running.len(), 8 + 4);
        settings.task = Task::Regression;
        assert_eq!(Detectors::new(&settings).running.len(), 4 + 4);
        assert!(Detectors::new(&settings).running.keys().eq(settings.watched().iter()));
    }
}
