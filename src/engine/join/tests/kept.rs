//! Who keeps the parts of a join from one snapshot to the next.

use crate::engine::join::*;
use crate::engine::part::{PartId, PartSource, Parts};
use std::collections::BTreeMap;
use std::sync::Arc;

#[derive(Debug, Default)]
pub(super) struct Kept {
    parts: BTreeMap<PartId, Arc<[u8]>>,
    /// Parts that were written anew for the last snapshot.
    pub(super) n_new: usize,
}

impl Kept {
    /// Takes a snapshot, and keeps its parts and no others: its record, as bytes.
    pub(super) fn save(&mut self, store: &mut JoinStore) -> Vec<u8> {
        let before = std::mem::take(&mut self.parts);
        let has = |id| before.contains_key(&id);
        let mut parts = Parts::new(&has);
        let record = postcard::to_stdvec(&store.record(&mut parts)).unwrap();
        let parts = parts.into_parts();
        self.n_new = parts.iter().filter(|part| part.bytes.is_some()).count();
        let known = |part: crate::engine::part::Part| (part.id, part.bytes.unwrap_or_else(|| Arc::clone(&before[&part.id])));
        self.parts = parts.into_iter().map(known).collect();
        record
    }

    /// Forgets everything, as after a snapshot that failed.
    pub(super) fn lose(&mut self) {
        self.parts.clear();
    }

    pub(super) fn source(&self) -> PartSource {
        self.parts.iter().map(|(&id, bytes)| (id, Arc::clone(bytes))).collect()
    }

    /// The store of a record.
    pub(super) fn read(&self, record: &[u8]) -> Option<JoinStore> {
        postcard::from_bytes::<JoinRecord<'_>>(record).ok()?.open(&self.source()).ok()
    }

    /// Stops and begins again.
    pub(super) fn restart(&mut self, store: &mut JoinStore) -> JoinStore {
        let record = self.save(store);
        self.read(&record).expect("what was written comes back")
    }
}
