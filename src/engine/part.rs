//! Parts of the state that rarely change and make up most of it: closed panes, chunks of predictions, learned references. A snapshot names them by
//! their content, so that one that was written before is not written again.
//!
//! Invariant: equal bytes have equal ids, and different ones (but for odds of 2⁻¹²⁸ a pair) different ids; a part never changes.

use serde::{Deserialize, Serialize};
use std::collections::{HashMap, HashSet};
use std::fmt;
use std::sync::Arc;

/// Name of a part: XXH3 of its bytes, 128 bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct PartId(u128);

impl PartId {
    /// The name of these bytes.
    pub fn of(bytes: &[u8]) -> Self {
        Self(xxhash_rust::xxh3::xxh3_128(bytes))
    }
}

impl fmt::Display for PartId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

/// A part of a state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// Its name.
    pub id: PartId,
    /// Its bytes; `None`: whoever keeps parts has it.
    pub bytes: Option<Arc<[u8]>>,
}

/// Gathers the parts of a state that is being written, each once.
pub struct Parts<'k> {
    has: &'k dyn Fn(PartId) -> bool,
    parts: Vec<Part>,
    seen: HashSet<PartId>,
}

impl fmt::Debug for Parts<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Parts").field("parts", &self.parts.len()).finish()
    }
}

impl<'k> Parts<'k> {
    /// `has`: which parts are kept already, so that their bytes are not wanted.
    pub fn new(has: &'k dyn Fn(PartId) -> bool) -> Self {
        Self { has, parts: Vec::new(), seen: HashSet::new() }
    }

    /// Adds a part that was named before; `bytes` is asked only where they are wanted. They must be those that were named.
    pub fn add(&mut self, id: PartId, bytes: impl FnOnce() -> Arc<[u8]>) {
        if self.seen.insert(id) {
            let bytes = (!(self.has)(id)).then(bytes);
            self.parts.push(Part { id, bytes });
        }
    }

    /// Names a part and adds it.
    pub fn put(&mut self, bytes: Vec<u8>) -> PartId {
        let id = PartId::of(&bytes);
        self.add(id, || bytes.into());
        id
    }

    /// Adds a part whose bytes are not at hand; `false`: they are wanted, and it was not added.
    pub fn keep(&mut self, id: PartId) -> bool {
        let kept = self.seen.contains(&id) || (self.has)(id);
        if kept && self.seen.insert(id) {
            self.parts.push(Part { id, bytes: None });
        }
        kept
    }

    /// All of them at once, for a suite that keeps none.
    #[cfg(test)]
    pub(crate) fn into_source(self) -> PartSource {
        self.parts.into_iter().map(|part| (part.id, part.bytes.expect("nothing is kept"))).collect()
    }

    /// All of them, in the order in which they were added.
    pub fn into_parts(self) -> Vec<Part> {
        self.parts
    }
}

/// Parts that were read back.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PartSource(HashMap<PartId, Arc<[u8]>>);

/// A state cannot be put together again from what was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PartError {
    /// A part is not there.
    #[error("part {0} of the state is missing")]
    Missing(PartId),
    /// A part is there, but is not what it should be.
    #[error("part {0} of the state is not what was written")]
    Malformed(PartId),
}

impl PartSource {
    /// Adds a part.
    pub fn add(&mut self, id: PartId, bytes: Arc<[u8]>) {
        self.0.insert(id, bytes);
    }

    /// The bytes of a part.
    pub fn get(&self, id: PartId) -> Result<&Arc<[u8]>, PartError> {
        self.0.get(&id).ok_or(PartError::Missing(id))
    }
}

impl FromIterator<(PartId, Arc<[u8]>)> for PartSource {
    fn from_iter<I: IntoIterator<Item = (PartId, Arc<[u8]>)>>(parts: I) -> Self {
        Self(parts.into_iter().collect())
    }
}
