//! The panes of one stream as the shard keeps them.

use super::packed::{Packed, PackedRecord, Pane};
use crate::engine::part::{PartError, PartSource, Parts};
use crate::event::Timestamp;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::Arc;

/// Panes by their start: those that are counted in are open, the others are packed, and shared with whom they were published to. Who counts in a packed
/// pane opens it again.
#[derive(Debug, Clone)]
pub struct Panes<P: Pane> {
    open: BTreeMap<Timestamp, Box<P>>,
    closed: BTreeMap<Timestamp, Arc<Packed<P::Head>>>,
}

impl<P: Pane> Default for Panes<P> {
    fn default() -> Self {
        Self { open: BTreeMap::new(), closed: BTreeMap::new() }
    }
}

impl<P: Pane> Panes<P> {
    /// The pane that begins at `start`, open; empty where there was none.
    pub fn open(&mut self, start: Timestamp) -> &mut P
    where
        P: Default,
    {
        self.open_or(start, P::default)
    }

    /// The pane that begins at `start`, open; made by `new` where there was none.
    pub fn open_or(&mut self, start: Timestamp, new: impl FnOnce() -> P) -> &mut P {
        match self.open.entry(start) {
            Entry::Occupied(open) => open.into_mut(),
            Entry::Vacant(place) => {
                let pane = self.closed.remove(&start).map_or_else(new, |packed| P::unpack(&packed));
                place.insert(Box::new(pane))
            }
        }
    }

    /// The pane that begins at `start`, open, if there is one.
    pub fn open_known(&mut self, start: Timestamp) -> Option<&mut P> {
        match self.open.entry(start) {
            Entry::Occupied(open) => Some(open.into_mut()),
            Entry::Vacant(place) => Some(place.insert(Box::new(P::unpack(&*self.closed.remove(&start)?)))),
        }
    }

    /// The pane that begins at `start`, closed from now on, if there is one.
    pub fn close(&mut self, start: Timestamp) -> Option<Arc<Packed<P::Head>>> {
        if let Some(pane) = self.open.remove(&start) {
            self.closed.insert(start, Arc::new(pane.pack()));
        }
        self.closed.get(&start).map(Arc::clone)
    }

    /// The panes that begin at `from` or later and end by `until`, each `length_ms` long; closed from now on.
    pub fn close_from(
        &mut self,
        from: Timestamp,
        until: Timestamp,
        length_ms: i64,
    ) -> impl Iterator<Item = (Timestamp, Arc<Packed<P::Head>>)> {
        let ended = move |start: &Timestamp| start.plus(length_ms) <= until;
        let open: Vec<Timestamp> = self.open.range(from..).map(|(&start, _)| start).take_while(ended).collect();
        open.into_iter().for_each(|start| drop(self.close(start)));
        self.closed.range(from..).take_while(move |(start, _)| ended(start)).map(|(&start, packed)| (start, Arc::clone(packed)))
    }

    /// Where panes begin, in no order.
    pub fn starts(&self) -> impl Iterator<Item = Timestamp> {
        self.open.keys().chain(self.closed.keys()).copied()
    }

    /// Drops the panes that begin before `oldest`.
    pub fn drop_before(&mut self, oldest: Timestamp) {
        while let Some(pane) = self.open.first_entry().filter(|pane| *pane.key() < oldest) {
            pane.remove();
        }
        while let Some(pane) = self.closed.first_entry().filter(|pane| *pane.key() < oldest) {
            pane.remove();
        }
    }

    /// Drops all panes.
    pub fn clear(&mut self) {
        self.open.clear();
        self.closed.clear();
    }

    /// What stands of them in a snapshot, which has closed panes only.
    pub fn record(&self, parts: &mut Parts<'_>) -> Vec<(Timestamp, PackedRecord<P::Head>)> {
        self.packed().into_iter().map(|(start, packed)| (start, packed.record(parts))).collect()
    }

    /// The panes of a snapshot.
    pub fn from_record(record: Vec<(Timestamp, PackedRecord<P::Head>)>, parts: &PartSource) -> Result<Self, PartError> {
        let closed = record.into_iter().map(|(start, packed)| Ok((start, Arc::new(packed.open(parts)?))));
        Ok(Self { open: BTreeMap::new(), closed: closed.collect::<Result<_, PartError>>()? })
    }

    /// All of them as if they were closed.
    fn packed(&self) -> BTreeMap<Timestamp, Arc<Packed<P::Head>>> {
        let open = self.open.iter().map(|(&start, pane)| (start, Arc::new(pane.pack())));
        self.closed.iter().map(|(&start, packed)| (start, Arc::clone(packed))).chain(open).collect()
    }
}

/// Whether a pane is open makes no difference.
impl<P: Pane> PartialEq for Panes<P> {
    fn eq(&self, other: &Self) -> bool {
        self.packed() == other.packed()
    }
}
