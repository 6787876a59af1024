//! A prediction: into the panes of its streams, and into the join.

use super::Shard;
use super::block::Block;
use super::counts::Counts;
use super::model::{ModelRecord, ModelRuntime, Source};
use super::ranked::ranked_list;
use super::scored::place_scores;
use super::special::Special;
use super::state::StreamState;
use crate::engine::catalogue::Signal;
use crate::engine::join::{Entry, Known, Outcome, in_sample};
use crate::engine::reference::{ColumnReference, Place, Reference};
use crate::engine::settings::ModelSettings;
use crate::engine::summary::{Confusion, RankingSums, RegressionSums, Scores};
use crate::engine::window::{InputPane, OutcomePane, Quality, StreamKey};
use crate::event::{InvalidReason, ModelKey, Position, Prediction, RejectReason, Scalar, Status, Timestamp, canonical_text};
use std::sync::Arc;

/// Longest text of a segment's value; a longer one is not kept apart.
const MAX_SEGMENT_BYTES: usize = 128;

/// Most sets of streams that are told apart (segments by several features multiply); beyond it only the whole is counted.
const MAX_ROUTES: usize = 1 << 16;

/// Buffers that are used again for every prediction.
#[derive(Debug, Default)]
pub(super) struct Scratch {
    /// Places of the features that the reference does not have and nobody foresaw.
    new_features: Vec<usize>,
    /// What a place alone does not say.
    special: Special,
    route: Vec<u32>,
}

impl Shard {
    pub(super) fn apply_prediction(&mut self, prediction: &Prediction<'_>, position: Position, arrival: Timestamp) -> Option<RejectReason> {
        let model = match self.model(&prediction.model, &prediction.version) {
            Ok(model) => model,
            Err(reason) => return Some(reason),
        };
        let key = self.state.join.key(&prediction.id);
        let sampled = in_sample(&prediction.id, self.settings.join.sample);
        if sampled && self.state.join.known(key, model) == Known::Duplicate {
            self.state.counts.duplicate += 1;
            self.count_duplicate(model, prediction.timestamp);
            return None;
        }
        let window = &self.settings.window;
        let start = prediction.timestamp.floor(window.slide_ms);
        let closed = self.state.watermark.current().inputs;
        if start.plus(window.size_ms) <= closed {
            self.state.counts.late += 1;
            return None;
        }
        let late_for_its_pane = start.plus(window.slide_ms) <= closed;
        self.state.counts.applied += 1;
        self.state.counts.amended += u64::from(late_for_its_pane);

        self.learn_from(model, prediction);
        self.find_route(model, prediction);
        let route = self.intern_route(model);
        let outcome = self.count(model, (route, start), prediction, position, arrival);
        if late_for_its_pane {
            self.dirty_inputs.extend(self.scratch.route.iter().map(|&s| (s, start)));
        }
        let scores = if outcome.is_some() { self.remembered_scores(model, prediction) } else { Scores::None };
        if !sampled {
            self.state.counts.predictions_not_sampled += 1;
            return None;
        }
        if outcome.is_some() && self.blocks.expect_label(position) {
            self.expect_labels(model, start);
        }
        let entry = Entry { model, route, timestamp: prediction.timestamp, predicted: outcome, scores, truth: None };
        self.state.join.remember(key, entry);
        self.join_waiting(key);
        None
    }

    /// Counts a prediction that came again, in the pane of its own time: where some window to come holds it.
    fn count_duplicate(&mut self, model: u32, at: Timestamp) {
        let window = &self.settings.window;
        let start = at.floor(window.slide_ms);
        let closed = self.state.watermark.current().inputs;
        if start.plus(window.size_ms) <= closed {
            return;
        }
        let whole = self.state.models[model as usize].whole;
        self.state.streams[whole as usize].inputs.open(start).duplicates += 1;
        if start.plus(window.slide_ms) <= closed {
            self.dirty_inputs.insert((whole, start));
        }
    }

    /// Enters a model version and its stream.
    pub(super) fn enter_model(&mut self, model: &str, version: &str, settings: Arc<ModelSettings>) -> u32 {
        let (place, whole) = (self.state.models.len() as u32, self.state.streams.len() as u32);
        let key = ModelKey::new(model, version);
        self.state.streams.push(StreamState::new(key.clone(), None));
        let record = ModelRecord::new(key, &settings, &self.references, whole);
        self.runtimes.push(ModelRuntime::new(settings, &record));
        self.state.models.push(record);
        self.places.entry(model.into()).or_default().insert(version.into(), place);
        place
    }

    /// Puts the streams of a prediction into `scratch.route`: the whole, then its segments.
    fn find_route(&mut self, model: u32, prediction: &Prediction<'_>) {
        let settings = &self.runtimes[model as usize].settings;
        let record = &mut self.state.models[model as usize];
        let route = &mut self.scratch.route;
        route.clear();
        route.push(record.whole);
        for feature in &settings.segments {
            let Some(value) = prediction.features.get(feature).and_then(canonical_text) else { continue };
            let segment = format!("{feature}={value}");
            if let Some(&stream) = record.segments.get(&segment) {
                route.push(stream);
            } else if record.segments.len() < self.settings.limits.segments && value.len() <= MAX_SEGMENT_BYTES {
                let stream = self.state.streams.len() as u32;
                self.state.streams.push(StreamState::new(record.key.clone(), Some(segment.as_str().into())));
                record.segments.insert(segment, stream);
                route.push(stream);
            } else {
                self.state.counts.segments_overflow += 1;
            }
        }
        if route.len() > 1 && self.state.routes.len() >= MAX_ROUTES && !self.route_places.contains_key(route) {
            route.truncate(1);
            self.state.counts.segments_overflow += 1;
        }
    }

    fn intern_route(&mut self, model: u32) -> u32 {
        let is_whole = self.scratch.route.len() == 1;
        if let Some(route) = self.runtimes[model as usize].whole_route.filter(|_| is_whole) {
            return route;
        }
        let route = self.enter_route();
        if is_whole {
            self.runtimes[model as usize].whole_route = Some(route);
        }
        route
    }

    fn enter_route(&mut self) -> u32 {
        if let Some(&route) = self.route_places.get(&self.scratch.route) {
            return route;
        }
        let place = self.state.routes.len() as u32;
        self.state.routes.push(self.scratch.route.clone());
        self.route_places.insert(self.scratch.route.clone(), place);
        place
    }

    /// Counts a prediction in the block of its route and slide; what a label can later be compared with, if anything.
    fn count(
        &mut self,
        model: u32,
        block: (u32, Timestamp),
        prediction: &Prediction<'_>,
        position: Position,
        arrival: Timestamp,
    ) -> Option<Outcome> {
        let (start, scratch) = (block.1, &mut self.scratch);
        let runtime = &mut self.runtimes[model as usize];
        let record = &mut self.state.models[model as usize];
        let counts = &mut self.state.counts;
        let block = self.blocks.row(block, &record.reference, &mut self.state.streams, &self.state.routes);
        let n_classes = record.classes.names().len();
        let (answer, outcome) = place_answer(record, runtime, prediction, self.settings.limits.classes, self.state.join.seed());
        runtime.changed |= record.classes.names().len() != n_classes;
        let of_positive = super::scores::of_positive(prediction, &runtime.settings);
        let score = record.reference.as_ref().and_then(|r| r.outputs.place_score(&of_positive)).unwrap_or(Place::Missing);
        for place in [answer, score] {
            if let Place::Invalid(reason) = place {
                counts.invalid(reason);
            }
        }
        if prediction.status == Status::Unrecognised {
            counts.invalid(InvalidReason::WrongType);
        }
        let latency = latency(prediction, counts);
        let failed = prediction.status == Status::Failed;
        // a failed request has no answer, whatever its event carries
        let outcome = outcome.filter(|_| !failed);
        place_scores(&mut block.scores, runtime, prediction, &of_positive, outcome.as_ref());
        scratch.new_features.clear();
        match &*record.reference {
            Some(reference) => {
                block.rest.unknown_features += tell_inputs(block, scratch, runtime, reference, prediction, counts);
                if !failed {
                    block.answer(answer, score);
                }
            }
            None => scratch.special.clear(),
        }
        let rest = &mut block.rest;
        rest.requests += 1;
        rest.errors += u64::from(failed);
        match latency {
            Some(ms) => block.latencies.push(ms),
            None => rest.latency_missing += 1,
        }
        rest.positions.add(position);
        rest.extend_span(prediction.timestamp);
        scratch.special.add_to(rest);
        // what is known of the whole stream only
        let skew_ms = prediction.timestamp.since(arrival);
        let watched = record.detectors.watch(Signal::Latency);
        if skew_ms > 0 || watched || !scratch.new_features.is_empty() || scratch.special.has_moments() {
            let pane = self.state.streams[record.whole as usize].inputs.open(start);
            scratch.new_features.iter().for_each(|&place| pane.new_features.add(prediction.features.name(place)));
            if skew_ms > 0 {
                pane.skew_seconds.add(skew_ms as f64 / 1000.0);
            }
            scratch.special.add_moments(pane);
            if let Some(ms) = latency.filter(|_| watched) {
                record.detectors.see(Signal::Latency, ms, &mut pane.detections);
            }
        }
        outcome
    }

    /// Counts in the panes what waits for it.
    pub(super) fn settle(&mut self) {
        self.blocks.settle(&mut self.state.streams, &self.state.routes);
    }

    /// Makes panes for the outcomes of predictions that can have a label, where there are none yet; they change when the block is counted.
    fn expect_labels(&mut self, model: u32, start: Timestamp) {
        let (record, runtime) = (&self.state.models[model as usize], &self.runtimes[model as usize]);
        for &stream in &self.scratch.route {
            self.state.streams[stream as usize].outcomes.open_or(start, || new_outcome_pane(record, runtime));
            self.dirty_outcomes.insert((stream, start));
        }
    }
}

/// Gives a pane the columns of the reference that it does not have yet (a reference that was being learned when the pane began).
pub(super) fn fit(pane: &mut InputPane, reference: &Reference) {
    if pane.inputs.len() != reference.inputs.len() {
        pane.inputs = reference.inputs.iter().map(|f| f.column.empty_counts()).collect();
    }
    let outputs = &reference.outputs;
    for (counts, column) in [(&mut pane.prediction, &outputs.prediction), (&mut pane.score, &outputs.score)] {
        if counts.is_none() {
            *counts = column.as_ref().map(ColumnReference::empty_counts);
        }
    }
}

/// Counts every input of the reference in `block`, and puts the places of the features that it does not have into `scratch`; the number of the latter.
///
/// A name that the settings segment by was foreseen; null is no value yet, and an array or object is none that a reference could have.
fn tell_inputs(
    block: &mut Block,
    scratch: &mut Scratch,
    runtime: &mut ModelRuntime,
    reference: &Reference,
    prediction: &Prediction<'_>,
    counts: &mut Counts,
) -> u64 {
    scratch.special.begin(runtime, reference);
    let foreseen = |names: &[Arc<str>], name: &str| names.iter().any(|n| **n == *name);
    let mut unknown = 0;
    runtime.learn_names(&prediction.features);
    for (at, value) in prediction.features.values().iter().enumerate() {
        let name = || prediction.features.name(at);
        let place = match runtime.source(at, &prediction.features) {
            Some(Source::Input(input)) => {
                let place = reference.inputs[input].column.place(value);
                match place {
                    // nearly all of them; it stays in a register
                    Place::Number(number) => block.tell_number(input, number),
                    _ => block.tell(input, place),
                }
                scratch.special.note_value(runtime, reference, input, value, place);
                place
            }
            Some(Source::Text(text)) => scratch.special.tell_text(runtime, reference, text, value, block),
            Some(Source::Vector(vector)) => scratch.special.tell_vector(runtime, reference, vector, value, block),
            None if foreseen(&runtime.settings.ignore, name()) => continue,
            None => {
                unknown += 1;
                if !foreseen(&runtime.settings.segments, name()) && !matches!(value, Scalar::Null | Scalar::Structured) {
                    scratch.new_features.push(at);
                }
                continue;
            }
        };
        if let Place::Invalid(reason) = place {
            counts.invalid(reason);
        }
    }
    block.end_inputs();
    unknown
}

/// The usable latency of a request, in milliseconds.
fn latency(prediction: &Prediction<'_>, counts: &mut Counts) -> Option<f64> {
    match prediction.latency_ms {
        Scalar::Number(ms) if ms >= 0.0 => Some(ms),
        Scalar::Null => None,
        ref other => {
            counts.invalid(reason_of(other));
            None
        }
    }
}

/// Where the answer is counted, and what a label can be compared with.
fn place_answer(
    record: &mut ModelRecord,
    runtime: &mut ModelRuntime,
    prediction: &Prediction<'_>,
    cap: usize,
    seed: u64,
) -> (Place, Option<Outcome>) {
    let answer = &prediction.prediction;
    if answer.is_null() {
        return (Place::Missing, None);
    }
    if runtime.is_ranking() {
        return match ranked_list(answer, runtime.settings.k, seed) {
            Some(list) => (Place::Missing, Some(Outcome::List(Box::new(list)))),
            None => (Place::Invalid(reason_of(answer)), None),
        };
    }
    if runtime.is_regression() {
        let Scalar::Number(number) = *answer else { return (Place::Invalid(reason_of(answer)), None) };
        record.scale.get_or_insert((number, number.abs()));
        let column = record.reference.as_ref().and_then(|r| r.outputs.prediction.as_ref());
        return (column.map_or(Place::Missing, |c| c.place(answer)), Some(Outcome::Number(number)));
    }
    if canonical_text(answer).is_none() {
        return (Place::Invalid(reason_of(answer)), None);
    }
    match record.classes.find(answer) {
        Some(class) => (runtime.class_slot(record, class), Some(Outcome::Class(class))),
        // an open map takes it; a closed one counts it as invalid, never as another class
        None => match record.classes.place(answer, cap) {
            Some(class) => (runtime.class_slot(record, class), Some(Outcome::Class(class))),
            None => (Place::Invalid(InvalidReason::UnknownClass), None),
        },
    }
}

/// Why a value that should have been a number is none.
pub(super) fn reason_of(value: &Scalar<'_>) -> InvalidReason {
    match value {
        Scalar::NonFinite => InvalidReason::NonFinite,
        Scalar::Number(_) => InvalidReason::OutOfRange,
        _ => InvalidReason::WrongType,
    }
}

/// An empty outcome pane of a model.
pub(super) fn new_outcome_pane(record: &ModelRecord, runtime: &ModelRuntime) -> OutcomePane {
    let quality = if runtime.is_regression() {
        let (center, spread) = record.scale.unwrap_or((0.0, 0.0));
        Quality::Numbers(RegressionSums::new(center, spread))
    } else if runtime.is_ranking() {
        Quality::Lists(RankingSums::default())
    } else {
        Quality::Classes(Confusion::default())
    };
    let labels = record.reference.as_ref().and_then(|r| r.outputs.label.as_ref()).map(|c| c.empty_counts());
    OutcomePane::new(quality, labels)
}

impl StreamState {
    fn new(model: ModelKey, segment: Option<Arc<str>>) -> Self {
        Self {
            key: Arc::new(StreamKey { model, segment }),
            inputs: Default::default(),
            outcomes: Default::default(),
            published: Timestamp::MIN,
        }
    }
}
