//! Change detectors at work: the streams of answers and latencies of one model version, value by value.
//!
//! Invariant: what is found is a pure function of the values in the order in which they were applied; the state of every detector is part of the record.

use crate::engine::catalogue::{Metric, Signal, needs_answers};
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
        if metric.family() != crate::engine::catalogue::Family::Detector || (in_numbers && needs_answers(metric)) {
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
