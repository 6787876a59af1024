//! A prediction: into the panes of its streams, and into the join.

use super::Shard;
use super::counts::Counts;
use super::model::{ModelRecord, ModelRuntime, Source};
use super::ranked::ranked_list;
use super::scored::{Score, place_scores};
use super::special::Special;
use super::state::StreamState;
use crate::engine::catalogue::Signal;
use crate::engine::join::{Entry, Known, Outcome};
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
    /// Place of each input of the reference.
    inputs: Vec<Place>,
    /// Scores by class.
    scores: Vec<Score>,
    /// Places of the features that the reference does not have and nobody foresaw.
    new_features: Vec<usize>,
    /// What a place alone does not say.
    special: Special,
    route: Vec<u32>,
}

/// The parts of a prediction as they are counted.
struct Counted<'a> {
    reference: Option<&'a Reference>,
    inputs: &'a [Place],
    special: &'a Special,
    unknown_features: u64,
    event: &'a Prediction<'a>,
    new_features: &'a [usize],
    skew_seconds: Option<f64>,
    prediction: Place,
    score: Place,
    scores: &'a [Score],
    latency: Option<f64>,
    failed: bool,
    at: Timestamp,
    position: Position,
}

impl Shard {
    pub(super) fn apply_prediction(&mut self, prediction: &Prediction<'_>, position: Position, arrival: Timestamp) -> Option<RejectReason> {
        let model = match self.model(&prediction.model, &prediction.version) {
            Ok(model) => model,
            Err(reason) => return Some(reason),
        };
        let key = self.state.join.key(&prediction.id);
        if self.state.join.known(key, model) == Known::Duplicate {
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
        let outcome = self.count_in_panes(model, prediction, position, arrival);
        if late_for_its_pane {
            self.dirty_inputs.extend(self.scratch.route.iter().map(|&s| (s, start)));
        }
        let route = self.intern_route(model);
        if outcome.is_some() {
            self.expect_label(model, start, position);
        }
        let scores = if outcome.is_some() { self.remembered_scores(model, prediction) } else { Scores::None };
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
        let pane = self.state.streams[whole as usize].inputs.entry(start).or_default();
        Arc::make_mut(pane).duplicates += 1;
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
            let Some((_, value)) = prediction.features.iter().find(|(name, _)| **name == **feature) else { continue };
            let Some(value) = canonical_text(value) else { continue };
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

    /// Counts a prediction in the panes of its route; what a label can later be compared with, if anything.
    fn count_in_panes(&mut self, model: u32, prediction: &Prediction<'_>, position: Position, arrival: Timestamp) -> Option<Outcome> {
        let start = prediction.timestamp.floor(self.settings.window.slide_ms);
        let runtime = &mut self.runtimes[model as usize];
        let record = &mut self.state.models[model as usize];
        let counts = &mut self.state.counts;
        let reference = record.reference.clone();
        let unknown_features = match &reference {
            Some(reference) => place_inputs(&mut self.scratch, runtime, reference, prediction, counts),
            None => {
                // what stands there is the last prediction's, of another model
                self.scratch.inputs.clear();
                self.scratch.new_features.clear();
                self.scratch.special.clear();
                0
            }
        };
        let n_classes = record.classes.names().len();
        let (answer, outcome) = place_answer(record, runtime, prediction, self.settings.limits.classes, self.state.join.seed());
        runtime.changed |= record.classes.names().len() != n_classes;
        let of_positive = super::scores::of_positive(prediction, &runtime.settings);
        let score = reference.as_deref().and_then(|r| r.outputs.place_score(&of_positive)).unwrap_or(Place::Missing);
        let latency = match prediction.latency_ms {
            Scalar::Number(ms) if ms >= 0.0 => Some(ms),
            Scalar::Null => None,
            ref other => {
                counts.invalid(reason_of(other));
                None
            }
        };
        if prediction.status == Status::Unrecognised {
            counts.invalid(InvalidReason::WrongType);
        }
        for place in [answer, score] {
            if let Place::Invalid(reason) = place {
                counts.invalid(reason);
            }
        }
        let failed = prediction.status == Status::Failed;
        // a failed request has no answer, whatever its event carries
        let outcome = outcome.filter(|_| !failed);
        place_scores(&mut self.scratch.scores, runtime, prediction, &of_positive, outcome.as_ref());
        let counted = Counted {
            reference: reference.as_deref(),
            inputs: &self.scratch.inputs,
            special: &self.scratch.special,
            unknown_features,
            event: prediction,
            new_features: &self.scratch.new_features,
            skew_seconds: Some(prediction.timestamp.since(arrival)).filter(|&ms| ms > 0).map(|ms| ms as f64 / 1000.0),
            prediction: answer,
            score,
            scores: &self.scratch.scores,
            latency,
            failed,
            at: prediction.timestamp,
            position,
        };
        for &stream in &self.scratch.route {
            let pane = Arc::make_mut(self.state.streams[stream as usize].inputs.entry(start).or_default());
            counted.add_to(pane);
            if stream == record.whole {
                self.scratch.special.add_moments(pane);
            }
        }
        let whole = &mut self.state.streams[record.whole as usize].inputs;
        if let Some(pane) = whole.get_mut(&start).filter(|_| counted.says_of_the_data()) {
            counted.add_data_to(Arc::make_mut(pane));
        }
        if let Some(ms) = latency.filter(|_| record.detectors.watch(Signal::Latency)) {
            let pane = self.state.streams[record.whole as usize].inputs.entry(start).or_default();
            record.detectors.see(Signal::Latency, ms, &mut Arc::make_mut(pane).detections);
        }
        outcome
    }

    /// Counts a prediction among those that can have a label.
    fn expect_label(&mut self, model: u32, start: Timestamp, position: Position) {
        let (record, runtime) = (&self.state.models[model as usize], &self.runtimes[model as usize]);
        for &stream in &self.scratch.route {
            let pane =
                self.state.streams[stream as usize].outcomes.entry(start).or_insert_with(|| Arc::new(new_outcome_pane(record, runtime)));
            let pane = Arc::make_mut(pane);
            pane.expected += 1;
            pane.prediction_positions.add(position);
            self.dirty_outcomes.insert((stream, start));
        }
    }
}

impl Counted<'_> {
    /// Whether there is anything for [`Counted::add_data_to`]: in healthy traffic there is not.
    fn says_of_the_data(&self) -> bool {
        !self.new_features.is_empty() || self.skew_seconds.is_some()
    }

    /// What is known of the data itself is known of the whole stream only.
    fn add_data_to(&self, pane: &mut InputPane) {
        let names = self.new_features.iter().filter_map(|&place| self.event.features.get(place));
        names.for_each(|(name, _)| pane.new_features.add(name));
        if let Some(seconds) = self.skew_seconds {
            pane.skew_seconds.add(seconds);
        }
    }

    fn add_to(&self, pane: &mut InputPane) {
        pane.requests += 1;
        pane.errors += u64::from(self.failed);
        match self.latency {
            Some(ms) => pane.latency.add(ms),
            None => pane.latency_missing += 1,
        }
        pane.unknown_features += self.unknown_features;
        pane.positions.add(self.position);
        pane.extend_span(self.at);
        let Some(reference) = self.reference else { return };
        fit(pane, reference);
        for (counts, &place) in pane.inputs.iter_mut().zip(self.inputs) {
            place.count(counts);
        }
        self.special.add_to(pane);
        // a failed request has no answer, whatever its event carries
        for (column, place) in [(&mut pane.prediction, self.prediction), (&mut pane.score, self.score)] {
            if let Some(counts) = column.as_mut().filter(|_| !self.failed) {
                place.count(counts);
            }
        }
        for score in self.scores {
            pane.add_score(score.class, score.cell, score.predicted);
        }
    }
}

/// Gives a pane the columns of the reference that it does not have yet (a reference that was being learned when the pane began).
fn fit(pane: &mut InputPane, reference: &Reference) {
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

/// Puts the place of every input of the reference into `scratch`, and the names of those that it does not have; the number of the latter.
///
/// A name that the settings segment by was foreseen; null is no value yet, and an array or object is none that a reference could have.
fn place_inputs(
    scratch: &mut Scratch,
    runtime: &mut ModelRuntime,
    reference: &Reference,
    prediction: &Prediction<'_>,
    counts: &mut Counts,
) -> u64 {
    let places = &mut scratch.inputs;
    places.clear();
    places.resize(reference.inputs.len(), Place::Missing);
    scratch.new_features.clear();
    scratch.special.begin(runtime, reference);
    let foreseen = |names: &[Arc<str>], name: &str| names.iter().any(|n| **n == *name);
    let mut unknown = 0;
    for (at, (name, value)) in prediction.features.iter().enumerate() {
        let place = match runtime.source(at, name) {
            Some(Source::Input(input)) => {
                places[input] = reference.inputs[input].column.place(value);
                scratch.special.note_value(runtime, reference, input, value, places[input]);
                places[input]
            }
            Some(Source::Text(text)) => scratch.special.place_text(runtime, reference, text, value, places),
            Some(Source::Vector(vector)) => scratch.special.place_vector(runtime, reference, vector, value, places),
            None if foreseen(&runtime.settings.ignore, name) => continue,
            None => {
                unknown += 1;
                if !foreseen(&runtime.settings.segments, name) && !matches!(value, Scalar::Null | Scalar::Structured) {
                    scratch.new_features.push(at);
                }
                continue;
            }
        };
        if let Place::Invalid(reason) = place {
            counts.invalid(reason);
        }
    }
    unknown
}

/// Where the answer is counted, and what a label can be compared with.
fn place_answer(
    record: &mut ModelRecord,
    runtime: &ModelRuntime,
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
        Some(class) => (class_slot(record, class), Some(Outcome::Class(class))),
        // an open map takes it; a closed one counts it as invalid, never as another class
        None => match record.classes.place(answer, cap) {
            Some(class) => (class_slot(record, class), Some(Outcome::Class(class))),
            None => (Place::Invalid(InvalidReason::UnknownClass), None),
        },
    }
}

/// The slot of a class in the reference's prediction column.
fn class_slot(record: &ModelRecord, class: u16) -> Place {
    let column = record.reference.as_ref().and_then(|r| r.outputs.prediction.as_ref());
    match (column, record.classes.names().get(usize::from(class))) {
        (Some(column), Some(name)) => column.place(&Scalar::Text(name.as_ref().into())),
        _ => Place::Missing,
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
