//! The pipeline and its durable memory: what must be safe on disk before what may be told to the world.
//!
//! Invariants: a notification is offered only once a durable snapshot holds it (intent before effect, I7); offsets may be committed only up to the
//! last durable snapshot. Every step is a call of its own, so that a crash test can stop between any two of them.

use super::{Pipeline, PipelineState, RecordError};
use crate::edge::decode::DecodeSettings;
use crate::edge::notify::Outcome;
use crate::edge::state::{Disk, Refusal, SnapshotStore, StateError};
use crate::engine::alert::Notification;
use crate::engine::settings::Settings;
use crate::engine::shard::{References, RestoreNote};
use crate::event::Timestamp;
use std::sync::Arc;

/// The pipeline and its durable memory.
#[derive(Debug)]
pub struct Keeper<D> {
    pipeline: Pipeline,
    store: SnapshotStore<D>,
    /// Messages that had come to be owed when the state was last saved.
    saved: u64,
}

/// How a keeper began.
#[derive(Debug, Default)]
pub struct Opened {
    /// Number and size in bytes of the snapshot that was read; `None`: there never was one.
    pub snapshot: Option<(u64, usize)>,
    /// Newer snapshots that could not be used.
    pub refused: Vec<Refusal>,
    /// What differs between the state and the configuration.
    pub notes: Vec<RestoreNote>,
}

/// Why the state could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum KeeperError {
    /// The disk.
    #[error(transparent)]
    State(#[from] StateError),
    /// A whole snapshot that this program cannot read.
    #[error("snapshot {sequence} is from another version of driftd; go back to that version, or move the snapshot away to begin anew")]
    Foreign {
        /// Its number.
        sequence: u64,
        /// What the reader stumbled over.
        source: RecordError,
    },
    /// The state could not be written as bytes.
    #[error("cannot encode the state")]
    Encode(#[source] postcard::Error),
}

impl<D: Disk> Keeper<D> {
    /// Continues from the newest snapshot that is whole; begins anew, with `seed`, where there never was one.
    pub fn open(
        mut store: SnapshotStore<D>,
        settings: Arc<Settings>,
        decode: DecodeSettings,
        references: References,
        seed: u64,
    ) -> Result<(Self, Opened), KeeperError> {
        let mut opened = Opened::default();
        let pipeline = match store.load()? {
            None => Pipeline::new(settings, decode, references, seed),
            Some(loaded) => {
                let sequence = loaded.sequence;
                let state =
                    PipelineState::read(&loaded.state, &loaded.parts).map_err(|source| KeeperError::Foreign { sequence, source })?;
                (opened.snapshot, opened.refused) = (Some((sequence, loaded.bytes)), loaded.refused);
                let (pipeline, notes) = Pipeline::restore(state, settings, decode, references);
                opened.notes = notes;
                pipeline
            }
        };
        let saved = pipeline.evaluator.state().outbox.pushed();
        Ok((Self { pipeline, store, saved }, opened))
    }

    /// What is kept.
    pub fn pipeline(&self) -> &Pipeline {
        &self.pipeline
    }

    /// What is kept, to put messages in.
    pub fn pipeline_mut(&mut self) -> &mut Pipeline {
        &mut self.pipeline
    }

    /// Whether something is owed that no durable snapshot holds yet.
    pub fn is_unsaved(&self) -> bool {
        self.pipeline.evaluator.state().outbox.pushed() != self.saved
    }

    /// Makes the state durable; the bytes that were written for it. On an error nothing may be committed, and nothing new is offered, until it succeeds.
    pub fn save(&mut self) -> Result<usize, KeeperError> {
        let store = &self.store;
        let snapshot = self.pipeline.snapshot(&|id| store.has(id)).map_err(KeeperError::Encode)?;
        let written = self.store.save(self.store.next_sequence(), &snapshot)?;
        self.saved = self.pipeline.evaluator.state().outbox.pushed();
        Ok(written)
    }

    /// What may be sent now, with the number of attempts so far: nothing while something is unsaved.
    pub fn due(&self, now: Timestamp) -> Vec<(Arc<Notification>, u32)> {
        if self.is_unsaved() { Vec::new() } else { self.pipeline.evaluator.state().outbox.due(now) }
    }

    /// Notes that a notification is being sent.
    pub fn sending(&mut self, id: &str) {
        self.pipeline.evaluator.outbox_mut().mark_in_flight(id);
    }

    /// Notes what became of a notification.
    pub fn settle(&mut self, outcome: &Outcome, now: Timestamp) {
        let not_before = now.plus(outcome.retry_at_ms_from_now.unwrap_or(0));
        self.pipeline.evaluator.outbox_mut().settle(&outcome.id, &outcome.receiver, &outcome.delivery, not_before);
    }

    /// The store, for tests that look at the disk below.
    #[cfg(test)]
    fn store(&self) -> &SnapshotStore<D> {
        &self.store
    }
}

impl KeeperError {
    /// Whether the daemon must stop: it cannot know what the disk holds. Otherwise (a full disk) it may try again.
    pub fn must_stop(&self) -> bool {
        match self {
            Self::State(error) => error.must_stop(),
            Self::Foreign { .. } | Self::Encode(_) => true,
        }
    }
}

#[cfg(test)]
mod tests;
