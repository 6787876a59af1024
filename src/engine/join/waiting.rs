//! Labels that wait for their predictions, in the order of their arrival, and an index by id.
//!
//! They leave in any order. So their places are used again, and each knows its neighbours in that order.

use super::ALLOCATION_BYTES;
use super::index::Index;
use super::label::WaitingLabel;
use crate::event::Timestamp;
use smallvec::SmallVec;

/// Most bytes that a waiting label takes besides its texts and items: its cell, of which there may be twice as many, and its place in the index.
pub(super) const LABEL_BYTES: usize = 224;

/// Cells are allocated by the block, so that no growth moves them.
const BLOCK: usize = 1 << 10;

/// No cell.
const NONE: u32 = u32::MAX;

/// Waiting labels.
#[derive(Debug, Clone)]
pub(super) struct WaitingLabels {
    index: Index,
    blocks: Vec<Vec<Cell>>,
    /// The cell that was given back last; the next one that is used.
    free: u32,
    oldest: u32,
    newest: u32,
    /// Labels that ever came; which of two came first.
    arrived: u64,
    n: usize,
    heap_bytes: usize,
}

#[derive(Debug, Clone)]
struct Cell {
    key: u64,
    arrival: u64,
    /// The label that came before.
    older: u32,
    /// The label that came next; of a free cell the next free one.
    newer: u32,
    label: Option<WaitingLabel>,
}

impl WaitingLabels {
    pub(super) fn new() -> Self {
        let (index, blocks, arrived, n, heap_bytes) = (Index::new(), Vec::new(), 0, 0, 0);
        Self { index, blocks, free: NONE, oldest: NONE, newest: NONE, arrived, n, heap_bytes }
    }

    pub(super) fn len(&self) -> usize {
        self.n
    }

    /// Most bytes that the labels take.
    pub(super) fn bytes(&self) -> usize {
        self.n * LABEL_BYTES + self.heap_bytes
    }

    pub(super) fn wait(&mut self, key: u64, label: WaitingLabel) {
        self.heap_bytes += label.heap_bytes();
        let cell = Cell { key, arrival: self.arrived, older: self.newest, newer: NONE, label: Some(label) };
        self.arrived += 1;
        let at = self.put(cell);
        self.link(self.newest, at);
        self.newest = at;
        self.index.insert(key, at);
        self.n += 1;
    }

    /// The labels that wait for this id.
    pub(super) fn of(&self, key: u64) -> impl Iterator<Item = &WaitingLabel> {
        self.cells_of(key).into_iter().filter_map(|at| self.cell(at).label.as_ref())
    }

    /// The labels that waited for this id, taken out.
    pub(super) fn take(&mut self, key: u64) -> Vec<WaitingLabel> {
        self.cells_of(key).into_iter().filter_map(|at| self.remove(at)).collect()
    }

    /// When the label became known that came first.
    pub(super) fn oldest(&self) -> Option<Timestamp> {
        (self.n > 0).then(|| self.cell(self.oldest).label.as_ref()).flatten().map(|label| label.timestamp)
    }

    pub(super) fn forget_oldest(&mut self) {
        if self.n > 0 {
            self.remove(self.oldest);
        }
    }

    /// Reads the lines of memory that the next calls for these keys will read first.
    pub(super) fn touch(&self, keys: &[u64]) {
        if self.n > 0 {
            self.index.touch(keys.iter().copied());
        }
    }

    /// All keys and labels, oldest first.
    pub(super) fn iter(&self) -> impl Iterator<Item = (u64, &WaitingLabel)> {
        let cell = |at: u32| (at != NONE).then(|| self.cell(at));
        let cells = std::iter::successors(cell(self.oldest), move |before| cell(before.newer));
        cells.filter_map(|cell| Some((cell.key, cell.label.as_ref()?)))
    }

    /// The cells of this id, in the order of their arrival.
    fn cells_of(&self, key: u64) -> SmallVec<[u32; 2]> {
        let mut cells: SmallVec<[u32; 2]> = SmallVec::new();
        if self.n > 0 {
            self.index.find(key, |at| {
                if self.cell(at).key == key {
                    cells.push(at);
                }
                false
            });
        }
        cells.sort_unstable_by_key(|&at| self.cell(at).arrival);
        cells
    }

    fn remove(&mut self, at: u32) -> Option<WaitingLabel> {
        let free = self.free;
        let cell = self.cell_mut(at);
        let (key, older, newer, label) = (cell.key, cell.older, cell.newer, cell.label.take()?);
        cell.newer = free;
        self.free = at;
        self.link(older, newer);
        if newer == NONE {
            self.newest = older;
        } else {
            self.cell_mut(newer).older = older;
        }
        self.index.remove(key, at);
        self.n -= 1;
        self.heap_bytes -= label.heap_bytes();
        self.trim();
        Some(label)
    }

    /// Says which label came next after `older`, or which is the oldest.
    fn link(&mut self, older: u32, newer: u32) {
        if older == NONE { self.oldest = newer } else { self.cell_mut(older).newer = newer }
    }

    /// Puts a cell where one is free.
    fn put(&mut self, cell: Cell) -> u32 {
        if self.free != NONE {
            let at = self.free;
            self.free = self.cell(at).newer;
            *self.cell_mut(at) = cell;
            return at;
        }
        if self.blocks.last().is_none_or(|block| block.len() == BLOCK) {
            self.blocks.push(Vec::with_capacity(BLOCK));
        }
        let before = (self.blocks.len() - 1) * BLOCK;
        let Some(block) = self.blocks.last_mut() else { return NONE };
        block.push(cell);
        (before + block.len() - 1) as u32
    }

    /// Moves the labels together once they fill less than half of the cells.
    fn trim(&mut self) {
        if self.blocks.len() <= 4 || self.n * 2 >= (self.blocks.len() - 1) * BLOCK {
            return;
        }
        let mut old = std::mem::replace(self, Self::new());
        let mut at = old.oldest;
        while at != NONE {
            let cell = old.cell_mut(at);
            let (key, newer, label) = (cell.key, cell.newer, cell.label.take());
            label.into_iter().for_each(|label| self.wait(key, label));
            at = newer;
        }
    }

    fn cell(&self, at: u32) -> &Cell {
        &self.blocks[at as usize / BLOCK][at as usize % BLOCK]
    }

    fn cell_mut(&mut self, at: u32) -> &mut Cell {
        &mut self.blocks[at as usize / BLOCK][at as usize % BLOCK]
    }
}

/// Bound by what [`LABEL_BYTES`] says: two cells, the index, and the rounding of an allocation.
const _: () = assert!(2 * size_of::<Cell>() + 19 <= LABEL_BYTES && ALLOCATION_BYTES >= 24);
