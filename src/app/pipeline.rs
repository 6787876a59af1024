//! The engine as one thing: bytes in, effects out. The daemon and the replay drive the very same one.

use crate::edge::decode::json::Decoder;
use crate::edge::decode::{DecodeSettings, TopicRole};
use crate::engine::evaluator::{Effect, Evaluator, EvaluatorState};
use crate::engine::settings::Settings;
use crate::engine::shard::{References, RestoreNote, Shard, ShardState};
use crate::event::{Position, RejectReason, Timestamp};
use serde::{Deserialize, Serialize};
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
#[derive(Debug, Serialize, Deserialize)]
pub struct PipelineState {
    /// Offsets, panes, join, counters.
    pub shard: ShardState,
    /// Windows, alerts, outbox.
    pub evaluator: EvaluatorState,
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
        (Self { shard, evaluator: Evaluator::restore(settings, state.evaluator), decoder: Decoder::default(), decode }, notes)
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
        if let Some(published) = self.shard.publish() {
            self.evaluator.take(published, &self.shard.state().topic_names());
            self.evaluator.advance_telling(marks, tell);
        }
    }

    /// Says that no prediction will come any more; labels may.
    pub fn end_inputs(&mut self) {
        self.evaluator.end_inputs();
    }

    /// Closes and judges what is left, once nothing more will come.
    pub fn finish(&mut self) -> Vec<Effect> {
        self.shard.finish();
        if let Some(published) = self.shard.publish() {
            self.evaluator.take(published, &self.shard.state().topic_names());
        }
        self.evaluator.finish()
    }

    /// What is to be remembered, as bytes.
    pub fn snapshot(&mut self) -> Result<Vec<u8>, postcard::Error> {
        #[derive(Serialize)]
        struct Borrowed<'a> {
            shard: &'a ShardState,
            evaluator: &'a EvaluatorState,
        }
        postcard::to_stdvec(&Borrowed { shard: self.shard.settled(), evaluator: self.evaluator.state() })
    }
}
