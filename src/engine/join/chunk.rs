//! Predictions that came one after the other: memory is taken and given back by the chunk.

use super::ALLOCATION_BYTES;
use super::entry::{Entry, Truth};
use super::slot::Slot;
use crate::engine::part::PartId;
use crate::event::Timestamp;
use std::borrow::Cow;

/// Most predictions of a chunk.
pub(super) const CHUNK: usize = 1 << 14;

/// Some predictions in the order of their arrival.
#[derive(Debug, Clone)]
pub(super) struct Chunk {
    slots: Vec<Slot>,
    /// Entries that do not fit into a slot; `None` once they are forgotten.
    rare: Vec<Option<Box<Entry>>>,
    /// What it is called in a snapshot, until it changes: predictions, and what was true of them.
    parts: (Option<PartId>, Option<PartId>),
}

impl Chunk {
    /// An empty chunk. Memory that is not written to is none yet.
    pub(super) fn new() -> Self {
        Self { slots: Vec::with_capacity(CHUNK), rare: Vec::new(), parts: (None, None) }
    }

    /// Forgets everything, so that it can be used again.
    pub(super) fn clear(&mut self) {
        self.slots.clear();
        self.rare = Vec::new();
        self.parts = (None, None);
    }

    /// What it is called in a snapshot, as far as it has not changed since that was noted.
    pub(super) fn parts(&self) -> (Option<PartId>, Option<PartId>) {
        self.parts
    }

    /// Notes what it is called in a snapshot.
    pub(super) fn set_parts(&mut self, predictions: PartId, truths: PartId) {
        self.parts = (Some(predictions), Some(truths));
    }

    /// Begins a chunk whose first `n` predictions are forgotten.
    pub(super) fn begin_forgotten(&mut self, n: usize) {
        self.slots.resize(n, Slot::rare(0, 0, u32::MAX));
    }

    pub(super) fn len(&self) -> usize {
        self.slots.len()
    }

    pub(super) fn slot(&self, at: usize) -> &Slot {
        &self.slots[at]
    }

    /// Adds an entry; `usual`: its model is that of its route. Returns the bytes that it takes besides its slot.
    pub(super) fn push(&mut self, key: u64, entry: Entry, usual: bool) -> usize {
        let slot = Slot::of(key, &entry).filter(|_| usual);
        let bytes = if slot.is_some() { 0 } else { rare_bytes(&entry) };
        let slot = slot.unwrap_or_else(|| self.push_rare(key, entry));
        self.slots.push(slot);
        self.parts = (None, None);
        bytes
    }

    fn push_rare(&mut self, key: u64, entry: Entry) -> Slot {
        let (route, place) = (entry.route, self.rare.len() as u32);
        self.rare.push(Some(Box::new(entry)));
        Slot::rare(key, route, place)
    }

    /// The rare entry at that place, if it is one.
    pub(super) fn rare(&self, at: usize) -> Option<&Entry> {
        self.rare.get(self.slots[at].rare_place()?)?.as_deref()
    }

    /// Bytes that the entry at that place takes besides its slot.
    pub(super) fn bytes_of_rare(&self, at: usize) -> usize {
        self.rare(at).map_or(0, rare_bytes)
    }

    /// The entry at that place; `model`: that of a route.
    pub(super) fn entry(&self, at: usize, model: impl FnOnce(u32) -> u32) -> Cow<'_, Entry> {
        let slot = &self.slots[at];
        self.rare(at).map_or_else(|| Cow::Owned(slot.entry(model(slot.route))), Cow::Borrowed)
    }

    pub(super) fn timestamp(&self, at: usize) -> Timestamp {
        self.rare(at).map_or_else(|| self.slots[at].timestamp(), |entry| entry.timestamp)
    }

    /// Notes what was true; by how much that changes the bytes of rare entries: (before, after).
    pub(super) fn set_truth(&mut self, at: usize, truth: Truth, model: impl FnOnce(u32) -> u32) -> (usize, usize) {
        let slot = self.slots[at];
        self.parts.1 = None;
        if let Some(rare) = slot.rare_place().and_then(|place| self.rare.get_mut(place))
            && let Some(entry) = rare
        {
            let before = rare_bytes(entry);
            entry.truth = Some(truth);
            let after = rare_bytes(entry);
            let usual = Slot::of(slot.key, entry).filter(|_| model(slot.route) == entry.model);
            return match usual {
                Some(usual) => {
                    (self.slots[at], *rare) = (usual, None);
                    self.parts.0 = None;
                    (before, 0)
                }
                None => (before, after),
            };
        }
        let entry = Entry { truth: Some(truth), ..slot.entry(model(slot.route)) };
        if let Some(slot) = Slot::of(slot.key, &entry) {
            self.slots[at] = slot;
            return (0, 0);
        }
        let bytes = rare_bytes(&entry);
        self.slots[at] = self.push_rare(slot.key, entry);
        self.parts.0 = None;
        (0, bytes)
    }

    /// Gives back what the entry at that place takes besides its slot: its bytes. It may not be asked for any more.
    pub(super) fn forget(&mut self, at: usize) -> usize {
        let rare = self.slots[at].rare_place().and_then(|place| self.rare.get_mut(place)?.take());
        rare.map_or(0, |entry| rare_bytes(&entry))
    }
}

/// Most bytes of a rare entry besides its slot: itself, what it holds, and its place, which may be allocated twice over.
fn rare_bytes(entry: &Entry) -> usize {
    2 * size_of::<Option<Box<Entry>>>() + ALLOCATION_BYTES + size_of::<Entry>() + entry.heap_bytes()
}
