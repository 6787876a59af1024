//! The hot owner: events → panes. It owns its partitions' join, panes, watermark and offsets; nothing else changes them.
//!
//! Invariant: a pane is a pure function of the prefix of the log that was applied. A record below the state's offset is a no-op (I3).

mod apply;
mod block;
mod counts;
mod detect;
mod known;
mod label;
mod learning;
mod model;
mod ranked;
mod sample;
mod scored;
mod scores;
mod special;
mod state;

pub use counts::{Counts, EventKind};
pub use model::References;
pub use state::{ShardRecord, ShardState};

use crate::engine::part::Parts;
use crate::engine::settings::Settings;
use crate::engine::window::{Carries, Watermarks};
use crate::event::{Event, PartitionId, Position, RejectReason, Timestamp, TopicId};
use block::Blocks;
use model::ModelRuntime;
use smallvec::SmallVec;
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

/// The hot owner.
#[derive(Debug)]
pub struct Shard {
    state: ShardState,
    settings: Arc<Settings>,
    references: References,
    runtimes: Vec<ModelRuntime>,
    /// Place of each model version: by model, then by version.
    places: HashMap<Box<str>, HashMap<Box<str>, u32>>,
    /// The model version of the last prediction: the next one mostly is of the same.
    last_model: Option<u32>,
    route_places: HashMap<Vec<u32>, u32>,
    /// Panes that changed after they were published.
    dirty_inputs: BTreeSet<(u32, Timestamp)>,
    dirty_outcomes: BTreeSet<(u32, Timestamp)>,
    /// The end of the last slide at which panes were published.
    published: Timestamp,
    blocks: Blocks,
    scratch: apply::Scratch,
}

/// What changed between a state and the configuration it is continued with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RestoreNote {
    /// The model's reference file is another one: its inputs begin anew.
    ReferenceChanged(String),
    /// No `[[model]]` block takes the model any more: it is no longer watched.
    ModelDropped(String),
}

impl Shard {
    /// An empty shard; `seed` is the seed of the id hash.
    pub fn new(settings: Arc<Settings>, references: References, seed: u64) -> Self {
        Self::restore(ShardState::new(seed), settings, references).0
    }

    /// Continues from a state. Everything that was published before is published again.
    pub fn restore(mut state: ShardState, settings: Arc<Settings>, references: References) -> (Self, Vec<RestoreNote>) {
        let mut notes = Vec::new();
        let (mut runtimes, mut places) = (Vec::new(), HashMap::<Box<str>, HashMap<Box<str>, u32>>::new());
        for (place, record) in state.models.iter_mut().enumerate() {
            let found = settings.models.iter().find(|m| model::fits(&m.name, &record.key.model));
            let model_settings = found.cloned().unwrap_or_else(|| {
                notes.push(RestoreNote::ModelDropped(record.key.to_string()));
                Arc::new(model::unwatched(&record.key.model))
            });
            record.detectors.adopt(&model_settings);
            if found.is_some() && record.adopt(&model_settings, &references) {
                notes.push(RestoreNote::ReferenceChanged(record.key.to_string()));
                for &stream in record.segments.values().chain([&record.whole]) {
                    let stream = &mut state.streams[stream as usize];
                    stream.inputs.clear();
                    stream.outcomes.clear();
                }
            }
            if found.is_some() {
                let by_version = places.entry(record.key.model.as_ref().into()).or_default();
                by_version.insert(record.key.version.as_ref().into(), place as u32);
            }
            runtimes.push(ModelRuntime::new(model_settings, record));
        }
        for stream in &mut state.streams {
            stream.published = Timestamp::MIN;
        }
        let dirty_outcomes =
            state.streams.iter().enumerate().flat_map(|(s, stream)| stream.outcomes.starts().map(move |p| (s as u32, p))).collect();
        let route_places = state.routes.iter().cloned().zip(0..).collect();
        let shard = Self {
            state,
            settings,
            references,
            runtimes,
            places,
            last_model: None,
            route_places,
            dirty_inputs: BTreeSet::new(),
            dirty_outcomes,
            published: Timestamp::MIN,
            blocks: Blocks::default(),
            scratch: apply::Scratch::default(),
        };
        (shard, notes)
    }

    /// What it knows. Panes may lack what was applied since they were published: [`Shard::settled`] has all.
    pub fn state(&self) -> &ShardState {
        &self.state
    }

    /// What it knows, with everything that was applied.
    pub fn settled(&mut self) -> &ShardState {
        self.settle();
        &self.state
    }

    /// What is to be remembered.
    pub fn record<'s>(&'s mut self, parts: &mut Parts<'_>) -> ShardRecord<'s> {
        self.settle();
        self.state.record(parts)
    }

    /// The place of a topic; `None` beyond 65,536 of them.
    pub fn topic(&mut self, name: &str, carries: Carries) -> Option<TopicId> {
        self.state.topic(name, carries)
    }

    /// Begins to watch a partition.
    pub fn assign(&mut self, partition: PartitionId, now: Timestamp) {
        if let Some(topic) = self.state.topics.get(usize::from(partition.topic.0)) {
            self.state.watermark.assign(partition, topic.carries, now);
        }
    }

    /// Stops watching a partition: it no longer holds the watermark back. Its panes stay.
    pub fn revoke(&mut self, partition: PartitionId) {
        self.state.watermark.revoke(partition);
    }

    /// Notes that a partition is read to its end, which is `next_offset`; to be said again as long as that holds. An empty partition is begun there by it, so that nothing
    /// written to it later can be missed.
    pub fn reached_end(&mut self, partition: PartitionId, next_offset: i64, now: Timestamp) {
        self.state.offsets.entry(partition).or_insert(next_offset);
        self.state.watermark.reached_end(partition, now);
    }

    /// Takes the next message. `false`: it was applied before, and nothing of it may be applied again.
    pub fn begin(&mut self, position: Position, arrival: Timestamp) -> bool {
        let next = self.state.offsets.entry(position.partition).or_insert(i64::MIN);
        if position.offset < *next {
            return false;
        }
        *next = position.offset + 1;
        self.state.watermark.heard(position.partition, arrival);
        true
    }

    /// Notes that nothing from before `at` will come from a partition any more (a source that is sorted by time).
    pub fn progress(&mut self, partition: PartitionId, at: Timestamp) {
        self.state.watermark.observe(partition, at, at, &self.settings.window);
    }

    /// Applies one event of the message that was begun last; why it was rejected, if it was.
    pub fn apply(&mut self, event: &Event<'_>, position: Position, arrival: Timestamp) -> Option<RejectReason> {
        let kind = match event {
            Event::Prediction(_) => EventKind::Prediction,
            Event::Label(_) => EventKind::Label,
        };
        self.state.counts.receive(position.partition.topic, kind);
        let rejected = if event.timestamp() > arrival.plus(self.settings.window.max_future_ms) {
            Some(RejectReason::TimestampInFuture)
        } else {
            self.state.watermark.observe(position.partition, event.timestamp(), arrival, &self.settings.window);
            match event {
                Event::Prediction(prediction) => self.apply_prediction(prediction, position, arrival),
                Event::Label(label) => self.apply_label(label, position),
            }
        };
        if let Some(reason) = rejected {
            self.state.counts.reject(reason);
        }
        rejected
    }

    /// Counts an event of the message that was begun last which the decoder could not take.
    pub fn reject(&mut self, reason: RejectReason, position: Position) {
        self.state.counts.receive(position.partition.topic, EventKind::Unreadable);
        self.state.counts.reject(reason);
    }

    /// Moves the watermarks, forgets what is too old.
    pub fn advance(&mut self) -> Watermarks {
        let marks = self.state.watermark.advance(&self.settings.window);
        self.forget(marks.all);
        marks
    }

    /// Ends all waiting (the end of a replay).
    pub fn finish(&mut self) -> Watermarks {
        self.state.watermark.finish();
        self.state.watermark.current()
    }

    /// Events that still wait: labels without a prediction.
    pub fn in_flight(&self) -> u64 {
        self.state.join.n_labels() as u64
    }

    /// Predictions that are remembered for their labels.
    pub fn n_predictions(&self) -> usize {
        self.state.join.n_predictions()
    }

    /// Most bytes that those predictions and the labels that wait take.
    pub fn join_bytes(&self) -> usize {
        self.state.join.bytes()
    }

    /// Says which ids come next, some dozens at a time: their join is then faster. It changes nothing else.
    pub fn foresee<'i>(&self, ids: impl IntoIterator<Item = &'i str>) {
        let keys: SmallVec<[u64; 64]> = ids.into_iter().map(|id| self.state.join.key(id)).collect();
        self.state.join.touch(&keys);
    }

    /// How far event time has come.
    pub fn watermarks(&self) -> Watermarks {
        self.state.watermark.current()
    }

    /// The place of a model version that is watched.
    fn known_model(&mut self, model: &str, version: &str) -> Option<u32> {
        let of = |place: u32| &self.state.models[place as usize].key;
        let is_it = |&place: &u32| *of(place).version == *version && *of(place).model == *model;
        if !self.last_model.as_ref().is_some_and(is_it) {
            self.last_model = Some(*self.places.get(model)?.get(version)?);
        }
        self.last_model
    }

    /// The place of a model version, entered if it is new.
    fn model(&mut self, model: &str, version: &str) -> Result<u32, RejectReason> {
        if let Some(place) = self.known_model(model, version) {
            return Ok(place);
        }
        let fitting = self.settings.models.iter().find(|m| model::fits(&m.name, model)).cloned();
        let settings = fitting.ok_or(RejectReason::UnknownModel)?;
        if self.state.models.len() >= self.settings.limits.models {
            return Err(RejectReason::TooManyModels);
        }
        Ok(self.enter_model(model, version, settings))
    }
}

mod publish;
