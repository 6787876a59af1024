//! The cold owner: panes → windows → measurements → verdicts → alerts → what is owed to the world. One step per slide.
//!
//! Invariant: it changes nothing but its own state, and the same panes and watermarks give the same effects in the same order.

mod explain;
mod fairness;
mod retraining;
mod silence;
mod sliding;
mod stream;
mod trail;

use crate::engine::alert::{Alerts, Judged, Observed, Outbox, RetrainFacts, RetrainGate, Transition};
use crate::engine::metric::{Context, Measurement, ServiceFacts, Subject, WindowFacts, measure_data, measure_inputs, share_of_drifted};
use crate::engine::published::{ModelFacts, Published};
use crate::engine::settings::{ColumnKind, Settings};
use crate::engine::verdict::{Aspect, judge};
use crate::engine::window::{InputPane, StreamKey, Watermarks};
use crate::event::{ModelKey, Scalar, Timestamp, class_place};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;
use stream::{Printed, Progress, StreamPanes, window_facts};
use trail::{Trail, wishes};

/// What the evaluator remembers over a restart.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct EvaluatorState {
    progress: BTreeMap<StreamKey, Progress>,
    /// Past windows of the streams that are compared with them.
    trails: BTreeMap<StreamKey, Trail>,
    /// Where every alert stands.
    pub alerts: Alerts,
    /// When each model last asked for a retraining.
    pub gate: RetrainGate,
    /// What is owed to the world.
    pub outbox: Outbox,
    /// Wishes for a retraining, by what the gate said to them.
    pub admissions: BTreeMap<String, u64>,
    /// Input windows that were judged.
    pub windows: u64,
}

/// The cold owner.
#[derive(Debug)]
pub struct Evaluator {
    settings: Arc<Settings>,
    state: EvaluatorState,
    models: BTreeMap<ModelKey, ModelFacts>,
    panes: BTreeMap<StreamKey, StreamPanes>,
    topics: Vec<Arc<str>>,
    /// The window that is measured, between two windows its empty buffers.
    buffer: InputPane,
    /// Whether every distance names its parts, and not only those that an alert tells of.
    names_parts: bool,
    /// Whether no prediction will come any more.
    inputs_ended: bool,
    /// How far event time has come: what the retraining gate goes by, because the windows of its two clocks end days apart.
    now: Timestamp,
    /// How far labels have been read too: a silence beyond it is not known.
    labels_read: Timestamp,
}

/// What a step wants the world to know.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// A measurement.
    Measured(Measurement),
    /// A step of an alert.
    Alert(Transition),
    /// A retraining was asked for.
    Retrain(RetrainFacts),
}

impl Evaluator {
    /// Continues from a state; the shard publishes its panes anew.
    pub fn restore(settings: Arc<Settings>, state: EvaluatorState) -> Self {
        Self {
            settings,
            state,
            models: BTreeMap::new(),
            panes: BTreeMap::new(),
            topics: Vec::new(),
            buffer: InputPane::default(),
            names_parts: false,
            inputs_ended: false,
            now: Timestamp::MIN,
            labels_read: Timestamp::MIN,
        }
    }

    /// Names the parts of every distance from now on, for somebody who reads all measurements. Alerts name theirs in any case; all others are work for nothing
    /// where nobody reads them, a quarter of that of a slide.
    pub fn name_all_parts(&mut self) {
        self.names_parts = true;
    }

    /// What is to be remembered.
    pub fn state(&self) -> &EvaluatorState {
        &self.state
    }

    /// What is owed to the world.
    pub fn outbox_mut(&mut self) -> &mut Outbox {
        &mut self.state.outbox
    }

    /// The model versions it knows.
    pub fn models(&self) -> impl Iterator<Item = &ModelFacts> {
        self.models.values()
    }

    /// Takes what the shard published; `topics`: names by place, for offset ranges.
    pub fn take(&mut self, published: Published, topics: &[Arc<str>]) {
        if self.topics != topics {
            self.topics = topics.to_vec();
        }
        for model in published.models {
            self.models.insert(model.key.clone(), model);
        }
        for update in published.panes {
            if let Some(pane) = update.input.as_ref().map(|pane| pane.head()).filter(|pane| pane.requests > 0) {
                let progress = self.state.progress.entry(StreamKey::clone(&update.stream)).or_default();
                progress.wake(update.start, pane, &self.settings.window);
            }
            self.note_labels(&update);
            self.panes.entry(StreamKey::clone(&update.stream)).or_default().take(&update);
        }
    }

    /// Judges every window that the watermarks have passed.
    pub fn advance(&mut self, marks: Watermarks) -> Vec<Effect> {
        let mut effects = Vec::new();
        self.advance_telling(marks, &mut |effect| effects.push(effect));
        effects
    }

    /// The same, for whoever takes effects one by one: those of a slide of many models are many.
    pub fn advance_telling(&mut self, marks: Watermarks, tell: &mut dyn FnMut(Effect)) {
        let mut effects = Vec::new();
        if marks.inputs != Timestamp::MAX {
            self.now = marks.inputs;
        }
        self.labels_read = marks.all;
        while let Some(end) = self.next_end().filter(|&end| end <= marks.inputs) {
            let due = self.state.progress.iter().filter(|(_, p)| p.next_end == Some(end)).map(|(key, _)| key.clone());
            for key in due.collect::<Vec<_>>() {
                self.judge_inputs(&key, end, &mut effects);
                effects.drain(..).for_each(&mut *tell);
            }
        }
        for key in self.state.progress.keys().cloned().collect::<Vec<_>>() {
            self.judge_waiting(&key, marks.all, &mut effects);
            effects.drain(..).for_each(&mut *tell);
            if let (Some(panes), Some(progress)) = (self.panes.get_mut(&key), self.state.progress.get(&key)) {
                panes.prune(progress, &self.settings.window, self.now);
            }
        }
        if marks.inputs != Timestamp::MAX && marks.inputs != Timestamp::MIN {
            let oldest = marks.inputs.minus(trail::LONGEST_MS + self.settings.window.size_ms);
            self.state.trails.values_mut().for_each(|trail| trail.forget(oldest));
            self.state.trails.retain(|_, trail| !trail.is_empty());
        }
    }

    /// Says that no prediction will come any more, of any model: windows end with the last one, instead of going on empty. Labels may still come.
    pub fn end_inputs(&mut self) {
        self.inputs_ended = true;
    }

    /// Judges what is left once nothing more will come. Quality that is not mature is printed and not judged; quality that was amended is
    /// printed again.
    pub fn finish(&mut self) -> Vec<Effect> {
        self.end_inputs();
        let mut effects = self.advance(Watermarks { inputs: Timestamp::MAX, all: Timestamp::MAX });
        for key in self.state.progress.keys().cloned().collect::<Vec<_>>() {
            self.print_amended(&key, Timestamp::MAX, &mut effects);
            let waiting = self.state.progress.get_mut(&key).map(|p| std::mem::take(&mut p.waiting)).unwrap_or_default();
            for (_, facts) in waiting {
                self.measure_quality(&key, facts, false, &mut effects);
            }
        }
        effects
    }

    fn next_end(&self) -> Option<Timestamp> {
        self.state.progress.values().filter_map(|p| p.next_end).min()
    }

    /// End of the last pane with a request, of any stream.
    fn last_pane_end(&self) -> Option<Timestamp> {
        self.state.progress.values().filter_map(|p| p.last_pane_end).max()
    }

    /// Measures and judges what went in and out during the window that ends at `end`.
    fn judge_inputs(&mut self, key: &StreamKey, end: Timestamp, effects: &mut Vec<Effect>) {
        let window = self.settings.window.clone();
        let start = end.minus(window.size_ms);
        if self.inputs_ended && self.last_pane_end().is_none_or(|last| last < end) {
            if let Some(progress) = self.state.progress.get_mut(key) {
                progress.next_end = None;
            }
            return;
        }
        let Some(panes) = self.panes.get_mut(key).filter(|_| self.models.contains_key(&key.model)) else {
            if let Some(progress) = self.state.progress.get_mut(key) {
                progress.next_end = None;
            }
            return;
        };
        let mut pane = std::mem::take(&mut self.buffer);
        panes.lend_inputs(start, end, &mut pane);
        let measured = self.measure_inputs(key, (start, end), &pane, effects);
        if let Some(panes) = self.panes.get_mut(key) {
            panes.give_back(&mut pane);
        }
        self.buffer = pane;
        let Some((facts, mut measurements)) = measured else { return };
        let observed = self.judge_and_observe(key, facts, Aspect::Inputs, &mut measurements);
        effects.extend(measurements.into_iter().map(Effect::Measured));
        self.follow(observed, key, facts, effects);
    }

    /// Measures a window on the clock of its inputs, and moves on to the next one; `None` where the version takes no traffic any more.
    fn measure_inputs(
        &mut self,
        key: &StreamKey,
        (start, end): (Timestamp, Timestamp),
        pane: &InputPane,
        effects: &mut Vec<Effect>,
    ) -> Option<(WindowFacts, Vec<Measurement>)> {
        let (panes, model) = (self.panes.get_mut(key)?, self.models.get(&key.model)?);
        let window = self.settings.window.clone();
        let (_, labelled, _) = panes.coverage(start, end);
        if pane.requests > 0 {
            panes.note_change(start);
        }
        let requests_of_model = self.requests_of_model(&key.model.model, start, end);
        let fires = self.state.alerts.fires(key);
        let data = self.data_facts(&key.model.model, end);
        let wait_ms = silence::longest_wait(&model.settings.rules, &window);
        let progress = self.state.progress.get_mut(key)?;
        let facts = window_facts(progress, &window, end, pane, labelled, self.inputs_ended);
        progress.saw(pane, requests_of_model);
        progress.step(&window, fires, wait_ms);
        self.state.windows += 1;
        if pane.requests == 0 && (requests_of_model > 0 || progress.retired) {
            if key.segment.is_none() {
                self.retire(&key.model, facts, effects);
            }
            return None;
        }
        if pane.requests > 0 {
            progress.waiting.insert(end, facts);
        }
        let service = ServiceFacts { requests_of_model, seconds: window.size_ms as f64 / 1000.0 };
        let mut measurements = with_context(model, key, facts, self.names_parts, |ctx| {
            let mut measurements = measure_inputs(ctx, pane, &service);
            measurements.extend(measure_data(ctx, pane, &data));
            measurements
        });
        let trailing = wishes(model, key);
        if let Some(reference) = model.reference.as_ref().filter(|_| !trailing.is_empty()) {
            let trail = self.state.trails.entry(key.clone()).or_default();
            measurements.extend(trail.step(key, facts, reference, pane, &trailing));
        }
        Some((facts, measurements))
    }

    /// A version that takes no traffic any more while another one of its model does: its alerts are over.
    fn retire(&mut self, model: &ModelKey, facts: WindowFacts, effects: &mut Vec<Effect>) {
        let note = "the version no longer takes traffic, another one does";
        let observed = self.state.alerts.retire(model, facts.end, facts, note, &self.settings.alerting);
        self.follow(observed, &StreamKey { model: model.clone(), segment: None }, facts, effects);
    }

    /// Judges the quality of the windows whose labels are mature by now.
    fn judge_waiting(&mut self, key: &StreamKey, all: Timestamp, effects: &mut Vec<Effect>) {
        let (Some(progress), Some(panes)) = (self.state.progress.get(key), self.panes.get_mut(key)) else { return };
        for facts in panes.take_mature(&progress.waiting, &self.settings.join, all) {
            self.measure_quality(key, facts, true, effects);
        }
        if all != Timestamp::MAX && all != Timestamp::MIN {
            self.print_amended(key, all.minus(self.settings.join.keep_ms), effects);
        }
    }

    /// Prints again the windows up to `until` whose labels changed after they were judged, and closes them.
    fn print_amended(&mut self, key: &StreamKey, until: Timestamp, effects: &mut Vec<Effect>) {
        let (Some(panes), Some(model)) = (self.panes.get(key), self.models.get(&key.model)) else { return };
        while let Some((end, printed)) = self.state.progress.get_mut(key).and_then(|progress| progress.close_one(until)) {
            let (_, labelled, revised) = panes.coverage(printed.facts.start, end);
            if (labelled, revised) == (printed.labelled, printed.revised) {
                continue;
            }
            let Some(pane) = panes.outcomes(printed.facts.start, end) else { continue };
            let facts = WindowFacts { labels: labelled, ..printed.facts };
            let mut measurements = self.measure_outcomes(model, key, facts, &pane);
            judge_only(model, key, true, &mut measurements);
            effects.extend(measurements.into_iter().map(Effect::Measured));
        }
    }

    /// Measures the quality of a window; judges it and moves the alerts where it is `mature`.
    fn measure_quality(&mut self, key: &StreamKey, facts: WindowFacts, mature: bool, effects: &mut Vec<Effect>) {
        let Some(panes) = self.panes.get_mut(key) else { return };
        panes.slide_outcomes(facts.start, facts.end);
        let (Some(panes), Some(model)) = (self.panes.get(key), self.models.get(&key.model)) else { return };
        let (_, labelled, revised) = panes.coverage(facts.start, facts.end);
        let facts = WindowFacts { labels: labelled, ..facts };
        if let Some(progress) = self.state.progress.get_mut(key) {
            progress.waiting.remove(&facts.end);
            progress.judged.insert(facts.end, Printed { facts, labelled, revised });
        }
        let Some(pane) = panes.outcomes(facts.start, facts.end) else { return };
        let measurements = self.measure_outcomes(model, key, facts, &pane);
        let mut measurements = self.without_coverage(&key.model.model, measurements);
        if !mature {
            judge_only(model, key, false, &mut measurements);
            effects.extend(measurements.into_iter().map(Effect::Measured));
            return;
        }
        let observed = self.judge_and_observe(key, facts, Aspect::Outcomes, &mut measurements);
        effects.extend(measurements.into_iter().map(Effect::Measured));
        self.follow(observed, key, facts, effects);
    }

    /// Judges the measurements of one window on one of its clocks, and moves the alerts by them.
    fn judge_and_observe(&mut self, key: &StreamKey, window: WindowFacts, aspect: Aspect, measurements: &mut [Measurement]) -> Observed {
        let Some(model) = self.models.get(&key.model) else { return Observed::default() };
        judge_only(model, key, true, measurements);
        // a figure about the verdicts is known, and judged, only after them
        if let Some(place) = share_of_drifted(model.reference.as_deref(), measurements) {
            judge_only(model, key, true, &mut measurements[place..=place]);
        }
        let kinds = |subject: &Subject| kind_of(model, subject);
        let (rules, task) = (&model.settings.rules, model.settings.task);
        let insight = explain::Sums { model, panes: &self.panes, key, window, aspect };
        let judged = Judged { stream: key, aspect, window, rules, task, kinds: &kinds, measurements, insight: &insight };
        self.state.alerts.observe(&judged, &self.settings.alerting)
    }

    /// Requests of all versions of a model in `[start, end)`.
    fn requests_of_model(&self, model: &str, start: Timestamp, end: Timestamp) -> u64 {
        let first = StreamKey { model: ModelKey::new(model, ""), segment: None };
        let of_model = self.panes.range(first..).take_while(|(key, _)| *key.model.model == *model);
        of_model.filter(|(key, _)| key.segment.is_none()).map(|(_, panes)| panes.requests(start, end)).sum()
    }
}

/// Calls `measure` with everything it needs to know of a stream's window.
fn with_context<T>(
    model: &ModelFacts,
    key: &StreamKey,
    window: WindowFacts,
    names_parts: bool,
    measure: impl FnOnce(&Context<'_>) -> T,
) -> T {
    let positive = model.settings.positive.as_ref().and_then(|p| class_place(&model.classes, &Scalar::Text(p.as_ref().into())));
    let detectors = model.settings.watched();
    measure(&Context {
        stream: key,
        window,
        task: model.settings.task,
        positive,
        classes: &model.classes,
        reference: model.reference.as_deref(),
        learning: model.learning,
        wanted: model.settings.metrics,
        estimate: model.settings.estimate,
        beta: model.settings.beta,
        costs: model.settings.costs.as_ref(),
        each_class: model.settings.looks_at_classes(),
        decision_thresholds: &model.settings.decision_thresholds,
        detectors: &detectors,
        names_parts,
    })
}

fn kind_of(model: &ModelFacts, subject: &Subject) -> Option<ColumnKind> {
    let Subject::Feature(name) = subject else { return None };
    Some(model.reference.as_ref()?.input(name)?.1.column.kind())
}

fn judge_only(model: &ModelFacts, key: &StreamKey, mature: bool, measurements: &mut [Measurement]) {
    let kinds = |subject: &Subject| kind_of(model, subject);
    judge(&model.settings.rules, model.settings.task, &kinds, key.segment.is_some(), mature, measurements);
}
