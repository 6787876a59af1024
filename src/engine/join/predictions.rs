//! Predictions in the order of their arrival, which is that of their expiry, and an index by id.

use super::Known;
use super::chunk::{CHUNK, Chunk};
use super::entry::{Entry, Truth};
use super::index::Index;
use crate::engine::part::PartId;
use crate::event::Timestamp;
use smallvec::SmallVec;
use std::borrow::Cow;
use std::collections::VecDeque;

/// Most bytes that a usual prediction takes: its slot (40), and its place in the index (18.3).
pub(super) const PREDICTION_BYTES: usize = 64;

/// Oldest entries that are forgotten together.
const TOGETHER: usize = 64;

/// Highest route whose model is kept; entries of others are kept whole.
const MAX_ROUTE: u32 = 1 << 20;

/// Where a prediction is, until it is forgotten.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place(u32);

/// Remembered predictions.
#[derive(Debug, Clone)]
pub(super) struct Predictions {
    index: Index,
    chunks: VecDeque<Chunk>,
    /// The place of the first slot of the first chunk; places go on from there, and begin again at 0 after the last.
    first: u32,
    /// How many of the first chunk are forgotten already.
    forgotten: usize,
    n: usize,
    /// The model of each route; `u32::MAX`: not known yet.
    models: Vec<u32>,
    rare_bytes: usize,
    /// A chunk that was given back; the next one to be filled.
    spare: Option<Chunk>,
}

impl Predictions {
    /// An empty store that is about to hold `n`.
    pub(super) fn with_capacity(n: usize) -> Self {
        let (chunks, first, forgotten, models, rare_bytes, spare) = Default::default();
        Self { index: Index::with_capacity(n), chunks, first, forgotten, n: 0, models, rare_bytes, spare }
    }

    pub(super) fn len(&self) -> usize {
        self.n
    }

    /// Most bytes that the predictions take.
    pub(super) fn bytes(&self) -> usize {
        self.n * PREDICTION_BYTES + self.rare_bytes
    }

    pub(super) fn known(&self, key: u64, model: u32) -> Known {
        let is_it = |place| {
            let (chunk, at) = self.find(place);
            let slot = chunk.slot(at);
            slot.key == key && chunk.rare(at).map_or_else(|| self.model_of(slot.route), |entry| entry.model) == model
        };
        self.index.find(key, is_it).map_or(Known::New, |_| Known::Duplicate)
    }

    pub(super) fn remember(&mut self, key: u64, entry: Entry) {
        if self.chunks.back().is_none_or(|chunk| chunk.len() == CHUNK) {
            self.chunks.push_back(self.spare.take().unwrap_or_else(Chunk::new));
        }
        let usual = self.learn_model(entry.route, entry.model);
        let place = self.place(self.n);
        if let Some(chunk) = self.chunks.back_mut() {
            self.rare_bytes += chunk.push(key, entry, usual);
            self.index.insert(key, place);
            self.n += 1;
        }
    }

    /// Remembers many predictions, and leaves none behind.
    pub(super) fn remember_all(&mut self, entries: &mut Vec<(u64, Entry)>) {
        self.index.touch(entries.iter().map(|(key, _)| *key));
        entries.drain(..).for_each(|(key, entry)| self.remember(key, entry));
    }

    /// The predictions under an id, in the order of their arrival.
    pub(super) fn places(&self, key: u64) -> SmallVec<[Place; 2]> {
        let mut places: SmallVec<[Place; 2]> = SmallVec::new();
        self.index.find(key, |place| {
            let (chunk, at) = self.find(place);
            if chunk.slot(at).key == key {
                places.push(Place(place));
            }
            false
        });
        places.sort_unstable_by_key(|place| place.0.wrapping_sub(self.first));
        places
    }

    /// What is remembered at a place.
    pub(super) fn entry(&self, place: Place) -> Cow<'_, Entry> {
        let (chunk, at) = self.find(place.0);
        chunk.entry(at, |route| self.model_of(route))
    }

    /// Notes what was true of the prediction at a place.
    pub(super) fn set_truth(&mut self, place: Place, truth: Truth) {
        let (chunk, at) = self.offset(place.0);
        let Self { chunks, models, .. } = self;
        let (before, after) = chunks[chunk].set_truth(at, truth, |route| models.get(route as usize).copied().unwrap_or(u32::MAX));
        self.rare_bytes = self.rare_bytes + after - before;
    }

    /// When the prediction was made that came first.
    pub(super) fn oldest(&self) -> Option<Timestamp> {
        self.nth(0).map(|(chunk, at)| chunk.timestamp(at))
    }

    /// Forgets the oldest predictions as long as `too_much` says so of their time, their number and their bytes.
    pub(super) fn forget_while(&mut self, mut too_much: impl FnMut(Timestamp, usize, usize) -> bool) {
        loop {
            let mut n = 0;
            let mut rare_bytes = self.rare_bytes;
            let mut keys = [0; TOGETHER];
            while n < TOGETHER
                && let Some((chunk, at)) = self.nth(n)
                && too_much(chunk.timestamp(at), self.n - n, (self.n - n) * PREDICTION_BYTES + rare_bytes)
            {
                rare_bytes -= chunk.bytes_of_rare(at);
                keys[n] = chunk.slot(at).key;
                n += 1;
            }
            self.index.touch(keys[..n].iter().copied());
            keys[..n].iter().for_each(|&key| self.forget_oldest(key));
            if n < TOGETHER {
                return;
            }
        }
    }

    fn forget_oldest(&mut self, key: u64) {
        self.index.remove(key, self.place(0));
        let Some(chunk) = self.chunks.front_mut() else { return };
        self.rare_bytes -= chunk.forget(self.forgotten);
        self.forgotten += 1;
        self.n -= 1;
        if self.forgotten == CHUNK {
            self.forgotten = 0;
            self.first = self.first.wrapping_add(CHUNK as u32);
            self.spare = self.chunks.pop_front();
            self.spare.iter_mut().for_each(Chunk::clear);
        }
    }

    /// Reads the lines of memory that the next calls for these keys will read first.
    pub(super) fn touch(&self, keys: &[u64]) {
        self.index.touch(keys.iter().copied());
    }

    /// How many of the first chunk are forgotten.
    pub(super) fn forgotten(&self) -> usize {
        self.forgotten
    }

    /// Goes over the chunks, each with the place of its first prediction that is not forgotten and what tells the model of a route; `name` gives its names.
    pub(super) fn each_chunk(&mut self, mut name: impl FnMut(&Chunk, usize, &dyn Fn(u32) -> u32) -> (PartId, PartId)) {
        let Self { chunks, models, forgotten, .. } = self;
        let model = |route: u32| models.get(route as usize).copied().unwrap_or(u32::MAX);
        for (place, chunk) in chunks.iter_mut().enumerate() {
            let (predictions, truths) = name(chunk, if place == 0 { *forgotten } else { 0 }, &model);
            chunk.set_parts(predictions, truths);
        }
    }

    /// Names the chunk that was filled last.
    pub(super) fn name_last_chunk(&mut self, predictions: PartId, truths: PartId) {
        if let Some(chunk) = self.chunks.back_mut() {
            chunk.set_parts(predictions, truths);
        }
    }

    /// Lets the first chunk of an empty store begin behind `n` predictions that are forgotten.
    pub(super) fn begin_forgotten(&mut self, n: usize) {
        if n > 0 && self.chunks.is_empty() {
            let mut chunk = Chunk::new();
            chunk.begin_forgotten(n);
            self.chunks.push_back(chunk);
            self.forgotten = n;
        }
    }

    /// All keys and entries, oldest first.
    pub(super) fn iter(&self) -> impl Iterator<Item = (u64, Cow<'_, Entry>)> {
        let all = self.chunks.iter().flat_map(|chunk| (0..chunk.len()).map(move |at| (chunk, at)));
        all.skip(self.forgotten).map(|(chunk, at)| (chunk.slot(at).key, chunk.entry(at, |route| self.model_of(route))))
    }

    /// Bytes that are allocated for slots and index.
    #[cfg(test)]
    pub(super) fn allocated(&self) -> usize {
        let chunks = self.chunks.len() + usize::from(self.spare.is_some());
        chunks * CHUNK * size_of::<super::slot::Slot>() + self.index.allocated()
    }

    /// Lets the places of an empty store begin elsewhere.
    #[cfg(test)]
    pub(super) fn begin_at(&mut self, place: u32) {
        self.first = place;
    }

    /// Learns the model of a route; whether it is that of the entry.
    fn learn_model(&mut self, route: u32, model: u32) -> bool {
        let at = route as usize;
        if at >= self.models.len() {
            if route > MAX_ROUTE {
                return false;
            }
            self.models.resize(at + 1, u32::MAX);
        }
        if self.models[at] == u32::MAX {
            self.models[at] = model;
        }
        self.models[at] == model
    }

    fn model_of(&self, route: u32) -> u32 {
        self.models.get(route as usize).copied().unwrap_or(u32::MAX)
    }

    fn place(&self, nth: usize) -> u32 {
        self.first.wrapping_add((self.forgotten + nth) as u32)
    }

    fn nth(&self, n: usize) -> Option<(&Chunk, usize)> {
        (n < self.n).then(|| self.find(self.place(n)))
    }

    fn find(&self, place: u32) -> (&Chunk, usize) {
        let (chunk, at) = self.offset(place);
        (&self.chunks[chunk], at)
    }

    fn offset(&self, place: u32) -> (usize, usize) {
        let offset = place.wrapping_sub(self.first) as usize;
        (offset / CHUNK, offset % CHUNK)
    }
}
