//! Which file holds which part of the last snapshot, and which parts move to the next file so that few files are left, and little in them that nobody needs.

use super::format::{PartFile, PartPlace};
use crate::engine::part::{Part, PartId};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Most files that hold parts of one snapshot, before those with the least are emptied.
const MAX_FILES: usize = 64;
/// Bytes that may lie in files without being needed, besides as many as are needed.
const SLACK: u64 = 16 << 20;
/// Most bytes that move with one snapshot.
const MAX_MOVED: u64 = 32 << 20;

/// Where the parts of a snapshot stand.
#[derive(Debug, Clone, Default)]
pub(super) struct PartTable {
    places: HashMap<PartId, PartPlace>,
    /// Length of each file that holds some of them.
    lengths: BTreeMap<u64, u64>,
}

impl PartTable {
    /// The table of a snapshot.
    pub(super) fn new(parts: &[PartPlace], files: impl IntoIterator<Item = PartFile>) -> Self {
        let lengths = files.into_iter().map(|file| (file.file, file.length)).collect();
        Self { places: parts.iter().map(|place| (place.id, *place)).collect(), lengths }
    }

    /// Where a part stands.
    pub(super) fn get(&self, id: PartId) -> Option<&PartPlace> {
        self.places.get(&id)
    }

    /// Length of a file that holds some of them.
    pub(super) fn length_of(&self, file: u64) -> u64 {
        self.lengths.get(&file).copied().unwrap_or(0)
    }

    /// Forgets what stands in a file that cannot be read: it is to be given again.
    pub(super) fn lose(&mut self, file: u64) {
        self.places.retain(|_, place| place.file != file);
        self.lengths.remove(&file);
    }

    /// The parts among `wanted` that move to the next file: those of the files that hold the least, while there are too many files or too much in them that nobody
    /// needs. A few with each snapshot, so that none takes long.
    pub(super) fn moving(&self, wanted: &[Part]) -> BTreeSet<PartId> {
        let mut live: BTreeMap<u64, Vec<&PartPlace>> = BTreeMap::new();
        wanted.iter().filter_map(|part| self.get(part.id)).for_each(|place| live.entry(place.file).or_default().push(place));
        let bytes_of = |places: &[&PartPlace]| places.iter().map(|place| place.length).sum::<u64>();
        let needed: u64 = live.values().map(|places| bytes_of(places)).sum();
        let mut on_disk: u64 = live.keys().map(|&file| self.length_of(file)).sum();
        let mut n_files = live.len();
        let mut by_bytes: Vec<(u64, u64)> = live.iter().map(|(&file, places)| (bytes_of(places), file)).collect();
        by_bytes.sort_unstable();
        let (mut moving, mut moved) = (BTreeSet::new(), 0);
        for (_, file) in by_bytes {
            if n_files <= MAX_FILES && on_disk <= needed.saturating_mul(2).saturating_add(SLACK) {
                break;
            }
            for place in &live[&file] {
                if moved > 0 && moved + place.length > MAX_MOVED {
                    return moving;
                }
                moved += place.length;
                moving.insert(place.id);
            }
            n_files -= 1;
            on_disk -= self.length_of(file);
        }
        moving
    }
}
