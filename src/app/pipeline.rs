//! The engine as one thing: bytes in, effects out. The daemon and the replay drive the very same one.

use crate::edge::decode::json::Decoder;
use crate::edge::decode::{DecodeSettings, TopicRole};
use crate::edge::state::Snapshot;
use crate::engine::evaluator::{Effect, Evaluator, EvaluatorState};
use crate::engine::part::{PartError, PartId, PartSource, Parts};
use crate::engine::settings::Settings;
use crate::engine::shard::{References, RestoreNote, Shard, ShardRecord, ShardState};
use crate::event::{Position, RejectReason, Timestamp};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::sync::Arc;

/// Shard and evaluator together.
#[derive(Debug)]
pub struct Pipeline {
    /// The hot owner.
    pub shard: Shard,
    /// The cold owner.
    pub evaluator: Evaluator,
    decoder: Decoder,
    decode: DecodeSettings,
}

/// What is remembered over a restart, as one value (invariant I2).
#[derive(Debug)]
pub struct PipelineState {
    /// Offsets, panes, join, counters.
    pub shard: ShardState,
    /// Windows, alerts, outbox.
    pub evaluator: EvaluatorState,
}

/// The same as it stands in a snapshot, which has most of it in parts.
#[derive(Debug, Serialize, Deserialize)]
pub struct PipelineRecord<'s> {
    /// Offsets, panes, join, counters.
    pub shard: ShardRecord<'s>,
    /// Windows, alerts, outbox.
    pub evaluator: Cow<'s, EvaluatorState>,
}

/// Why a snapshot's content is no state.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// The record itself.
    #[error(transparent)]
    Record(#[from] postcard::Error),
    /// A part that it names.
    #[error(transparent)]
    Part(#[from] PartError),
}

impl PipelineState {
    /// The state that was written as this record and these parts.
    pub fn read(record: &[u8], parts: &PartSource) -> Result<Self, RecordError> {
        let record: PipelineRecord<'_> = postcard::from_bytes(record)?;
        Ok(Self { shard: record.shard.open(parts)?, evaluator: record.evaluator.into_owned() })
    }
}

impl Pipeline {
    /// Continues from a state.
    pub fn restore(
        state: PipelineState,
        settings: Arc<Settings>,
        decode: DecodeSettings,
        references: References,
    ) -> (Self, Vec<RestoreNote>) {
        let (shard, notes) = Shard::restore(state.shard, Arc::clone(&settings), references);
        let evaluator = Evaluator::restore(settings, state.evaluator);
        let mut pipeline = Self { shard, evaluator, decoder: Decoder::default(), decode };
        pipeline.hand_over();
        (pipeline, notes)
    }

    /// An empty pipeline; `seed` is the seed of the id hash.
    pub fn new(settings: Arc<Settings>, decode: DecodeSettings, references: References, seed: u64) -> Self {
        let state = PipelineState { shard: ShardState::new(seed), evaluator: EvaluatorState::default() };
        Self::restore(state, settings, decode, references).0
    }

    /// Applies one message, unless it was applied before. `rejected` hears of every event in it that was not taken.
    pub fn message(
        &mut self,
        bytes: Option<&[u8]>,
        role: TopicRole,
        position: Position,
        arrival: Timestamp,
        rejected: &mut dyn FnMut(RejectReason),
    ) {
        if !self.shard.begin(position, arrival) {
            return;
        }
        let shard = &mut self.shard;
        self.decoder.decode(bytes, role, &self.decode, &mut |event| match event {
            Ok(event) => {
                if let Some(reason) = shard.apply(&event, position, arrival) {
                    rejected(reason);
                }
            }
            Err(reason) => {
                shard.reject(reason, position);
                rejected(reason);
            }
        });
    }

    /// Closes and judges the windows that the watermark has passed.
    pub fn turn(&mut self) -> Vec<Effect> {
        let mut effects = Vec::new();
        self.turn_telling(&mut |effect| effects.push(effect));
        effects
    }

    /// The same, for whoever takes effects one by one.
    pub fn turn_telling(&mut self, tell: &mut dyn FnMut(Effect)) {
        let marks = self.shard.advance();
        if self.hand_over() {
            self.evaluator.advance_telling(marks, tell);
        }
    }

    /// Tells the evaluator what the shard has for it; whether there was anything. After a restart that is every pane, and no occasion to judge: windows that wait for labels would
    /// be judged by fewer of them than without the restart.
    fn hand_over(&mut self) -> bool {
        let Some(published) = self.shard.publish() else { return false };
        self.evaluator.take(published, &self.shard.state().topic_names());
        true
    }

    /// Says that no prediction will come any more; labels may.
    pub fn end_inputs(&mut self) {
        self.evaluator.end_inputs();
    }

    /// Closes and judges what is left, once nothing more will come.
    pub fn finish(&mut self) -> Vec<Effect> {
        self.shard.finish();
        self.hand_over();
        self.evaluator.finish()
    }

    /// What is to be remembered; `has`: the parts whose bytes are kept already.
    pub fn snapshot(&mut self, has: &dyn Fn(PartId) -> bool) -> Result<Snapshot, postcard::Error> {
        let mut parts = Parts::new(has);
        let record = PipelineRecord { shard: self.shard.record(&mut parts), evaluator: Cow::Borrowed(self.evaluator.state()) };
        let state = postcard::to_stdvec(&record)?;
        Ok(Snapshot { state, parts: parts.into_parts() })
    }
}
