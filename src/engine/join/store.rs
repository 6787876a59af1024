//! Predictions that wait for labels, and labels that wait for predictions.

use crate::engine::summary::{ListValues, Scores};
use crate::event::{Position, Timestamp};
use serde::{Deserialize, Serialize};
use smallvec::SmallVec;
use std::borrow::Cow;
use std::collections::{HashMap, VecDeque};
use std::hash::{BuildHasherDefault, Hasher};

/// What was predicted, or what was true.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Outcome {
    /// A class by its place in the model's label map.
    Class(u16),
    /// A number.
    Number(f64),
    /// A ranked list. Boxed twice, so that the entries of other tasks stay small.
    List(Box<RankedList>),
    /// What was true of a ranked list.
    Judged(Box<JudgedList>),
}

/// A ranked list: hashes of its first k items, best first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RankedList(pub Box<[u64]>);

/// A ranked list against its label; the label itself is not kept.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct JudgedList {
    /// Hash of the relevant items and their gains: tells one label from another.
    pub label: u64,
    /// What the list is worth by it.
    pub values: ListValues,
}

/// A relevant item: its hash and its gain.
pub type RelevantItem = (u64, f64);

/// The truth as it is known for one prediction.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Truth {
    /// What was true.
    pub outcome: Outcome,
    /// When that became known.
    pub at: Timestamp,
}

/// A remembered prediction.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// The model version, by its place in the shard.
    pub model: u32,
    /// The streams it was counted in, by the route's place in the shard.
    pub route: u32,
    /// When it was made.
    pub timestamp: Timestamp,
    /// What was predicted; `None`: nothing that a label could be compared with.
    pub predicted: Option<Outcome>,
    /// Its scores, where a metric needs them.
    pub scores: Scores,
    /// The truth, once it is known.
    pub truth: Option<Truth>,
}

/// What a label says, wherever that is kept.
#[derive(Debug, Clone, PartialEq)]
pub struct Told<'a> {
    /// The label in canonical text; empty where it is a list.
    pub label: Cow<'a, str>,
    /// The relevant items where the label is a list, each once, by hash.
    pub items: Option<Cow<'a, [RelevantItem]>>,
    /// When it became known.
    pub timestamp: Timestamp,
    /// Name of the model, where the label says it.
    pub model: Option<&'a str>,
    /// Where it stood in the log.
    pub position: Position,
}

/// A label that came before its prediction.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct WaitingLabel {
    /// The label in canonical text; empty where it is a list.
    pub label: String,
    /// The relevant items where the label is a list, each once, by hash.
    pub items: Option<Box<[RelevantItem]>>,
    /// When it became known.
    pub timestamp: Timestamp,
    /// Name of the model, where the label says it.
    pub model: Option<String>,
    /// Where it stood in the log.
    pub position: Position,
}

impl WaitingLabel {
    /// What it says.
    pub fn told(&self) -> Told<'_> {
        let items = self.items.as_deref().map(Cow::Borrowed);
        let (label, model) = (Cow::Borrowed(self.label.as_str()), self.model.as_deref());
        Told { label, items, timestamp: self.timestamp, model, position: self.position }
    }
}

impl From<Told<'_>> for WaitingLabel {
    fn from(told: Told<'_>) -> Self {
        Self {
            label: told.label.into_owned(),
            items: told.items.map(|items| items.into_owned().into()),
            timestamp: told.timestamp,
            model: told.model.map(str::to_owned),
            position: told.position,
        }
    }
}

/// Whether a prediction was seen before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Known {
    /// No.
    New,
    /// The same model version answered under this id before.
    Duplicate,
}

/// Predictions and labels by id. Ids are hashed to 64 bits with a seed of the state: among n live ids the odds that any two
/// collide are about n²/2⁶⁵ (3e-6 for 10 million).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct JoinStore {
    seed: u64,
    /// Nearly every id has one prediction, which stands in the map itself.
    predictions: HashMap<u64, SmallVec<[Entry; 1]>, BuildHasherDefault<IdHasher>>,
    /// Ids in the order of their arrival, for expiry.
    prediction_order: VecDeque<(Timestamp, u64)>,
    labels: HashMap<u64, Vec<WaitingLabel>, BuildHasherDefault<IdHasher>>,
    label_order: VecDeque<(Timestamp, u64)>,
    n_predictions: usize,
    n_labels: usize,
}

/// The key is a hash already.
#[derive(Debug, Clone, Copy, Default)]
struct IdHasher(u64);

impl Hasher for IdHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        // only u64 keys are hashed; anything else still hashes, slowly
        for &byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(byte);
        }
    }

    fn write_u64(&mut self, key: u64) {
        self.0 = key;
    }
}

/// The key of an id, or of an item, in a store of that seed.
pub fn key_of(seed: u64, id: &str) -> u64 {
    xxhash_rust::xxh3::xxh3_64_with_seed(id.as_bytes(), seed)
}

impl JoinStore {
    /// An empty store whose ids are hashed with `seed`.
    pub fn new(seed: u64) -> Self {
        Self {
            seed,
            predictions: HashMap::default(),
            prediction_order: VecDeque::new(),
            labels: HashMap::default(),
            label_order: VecDeque::new(),
            n_predictions: 0,
            n_labels: 0,
        }
    }

    /// The seed of the id hash.
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// The key of an id.
    pub fn key(&self, id: &str) -> u64 {
        key_of(self.seed, id)
    }

    /// Predictions that are remembered.
    pub fn n_predictions(&self) -> usize {
        self.n_predictions
    }

    /// Labels that wait.
    pub fn n_labels(&self) -> usize {
        self.n_labels
    }

    /// Whether this model version answered under this id before. One id may be answered by several models (a champion and a shadow).
    pub fn known(&self, key: u64, model: u32) -> Known {
        match self.predictions.get(&key) {
            Some(entries) if entries.iter().any(|e| e.model == model) => Known::Duplicate,
            _ => Known::New,
        }
    }

    /// Remembers a prediction that is [`Known::New`].
    pub fn remember(&mut self, key: u64, entry: Entry) {
        self.prediction_order.push_back((entry.timestamp, key));
        self.predictions.entry(key).or_default().push(entry);
        self.n_predictions += 1;
    }

    /// The predictions under an id.
    pub fn predictions_mut(&mut self, key: u64) -> &mut [Entry] {
        self.predictions.get_mut(&key).map_or(&mut [], SmallVec::as_mut_slice)
    }

    /// Keeps a label until its prediction comes.
    pub fn wait(&mut self, key: u64, label: WaitingLabel) {
        self.label_order.push_back((label.timestamp, key));
        self.labels.entry(key).or_insert_with(|| Vec::with_capacity(1)).push(label);
        self.n_labels += 1;
    }

    /// The labels that wait for this id.
    pub fn waiting(&self, key: u64) -> &[WaitingLabel] {
        self.labels.get(&key).map_or(&[], Vec::as_slice)
    }

    /// The labels that waited for this id, taken out, in the order of their arrival.
    pub fn take_waiting(&mut self, key: u64) -> Vec<WaitingLabel> {
        let labels = self.labels.remove(&key).unwrap_or_default();
        self.n_labels -= labels.len();
        labels
    }

    /// Forgets the oldest predictions while there are more than `most`, and those from before `horizon`. Returns how many the number alone pushed out.
    pub fn forget_predictions(&mut self, horizon: Timestamp, most: usize) -> u64 {
        let mut evicted = 0;
        while let Some(&(timestamp, key)) = self.prediction_order.front() {
            let full = self.n_predictions > most;
            if timestamp >= horizon && !full {
                break;
            }
            self.prediction_order.pop_front();
            let Some(entries) = self.predictions.get_mut(&key) else { continue };
            let Some(place) = entries.iter().position(|e| e.timestamp == timestamp) else { continue };
            entries.swap_remove(place);
            if entries.is_empty() {
                self.predictions.remove(&key);
            }
            self.n_predictions -= 1;
            evicted += u64::from(timestamp >= horizon);
        }
        evicted
    }

    /// Forgets the oldest labels while there are more than `most`, and those from before `horizon`: (too old, pushed out).
    pub fn forget_labels(&mut self, horizon: Timestamp, most: usize) -> (u64, u64) {
        let (mut expired, mut evicted) = (0, 0);
        while let Some(&(timestamp, key)) = self.label_order.front() {
            if timestamp >= horizon && self.n_labels <= most {
                break;
            }
            self.label_order.pop_front();
            let Some(labels) = self.labels.get_mut(&key) else { continue };
            let Some(place) = labels.iter().position(|l| l.timestamp == timestamp) else { continue };
            labels.remove(place);
            if labels.is_empty() {
                self.labels.remove(&key);
            }
            self.n_labels -= 1;
            if timestamp < horizon { expired += 1 } else { evicted += 1 }
        }
        // ids whose labels were taken leave their place in the order behind; it is cut back so that it stays bounded
        if self.label_order.len() > 2 * self.n_labels + 1024 {
            let labels = &self.labels;
            self.label_order.retain(|(_, key)| labels.contains_key(key));
        }
        (expired, evicted)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{PartitionId, TopicId};

    fn entry(model: u32, at: i64) -> Entry {
        Entry { model, route: 0, timestamp: Timestamp(at), predicted: Some(Outcome::Class(1)), scores: Scores::None, truth: None }
    }

    fn label(at: i64) -> WaitingLabel {
        let position = Position { partition: PartitionId { topic: TopicId(1), partition: 0 }, offset: at };
        WaitingLabel { label: "1".into(), items: None, timestamp: Timestamp(at), model: None, position }
    }

    #[test]
    fn one_id_may_be_answered_by_two_models_but_not_twice_by_one() {
        let mut store = JoinStore::new(7);
        let key = store.key("a");
        assert_eq!(store.known(key, 0), Known::New);
        store.remember(key, entry(0, 5));
        assert_eq!(store.known(key, 0), Known::Duplicate);
        assert_eq!(store.known(key, 1), Known::New);
        store.remember(key, entry(1, 6));
        assert_eq!(store.predictions_mut(key).len(), 2);
    }

    #[test]
    fn both_stores_are_bounded_and_say_what_they_dropped() {
        let mut store = JoinStore::new(7);
        for i in 0..10 {
            store.remember(i, entry(0, i as i64));
            store.wait(100 + i, label(i as i64));
        }
        assert_eq!(store.forget_predictions(Timestamp(2), 5), 3, "two too old, three pushed out");
        assert_eq!(store.n_predictions(), 5);
        assert_eq!(store.forget_labels(Timestamp(2), 5), (2, 3));
        assert_eq!(store.n_labels(), 5);
        assert_eq!(store.take_waiting(109).len(), 1);
        assert_eq!(store.forget_labels(Timestamp(100), 5), (4, 0));
        assert_eq!(store.n_labels(), 0);
    }
}
