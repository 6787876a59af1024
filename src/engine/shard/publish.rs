//! What leaves the shard, and what it forgets.

use super::Shard;
use crate::engine::join::Bounds;
use crate::engine::published::Published;
use crate::engine::window::PaneUpdate;
use crate::event::{RejectReason, Timestamp};
use std::sync::Arc;

impl Shard {
    /// Everything the evaluator has not heard yet: closed panes, and panes that changed after they were closed. `None` until a slide has passed.
    pub fn publish(&mut self) -> Option<Published> {
        let marks = self.state.watermark.current();
        let slide = self.settings.window.slide_ms;
        let closed = marks.inputs.floor(slide);
        if closed <= self.published && marks.inputs != Timestamp::MAX {
            return None;
        }
        self.published = closed;
        self.settle();
        let mut published = Published::default();
        for (runtime, record) in self.runtimes.iter_mut().zip(&self.state.models) {
            if std::mem::take(&mut runtime.changed) {
                published.models.push(record.facts(&runtime.settings));
            }
        }
        for (place, stream) in self.state.streams.iter_mut().enumerate() {
            let from = if stream.published == Timestamp::MIN { Timestamp::MIN } else { stream.published.minus(slide).plus(1) };
            for (start, pane) in stream.inputs.close_from(from, marks.inputs, slide) {
                self.dirty_inputs.remove(&(place as u32, start));
                published.panes.push(PaneUpdate { stream: Arc::clone(&stream.key), start, input: Some(pane), outcome: None });
            }
            stream.published = closed;
        }
        for (place, start) in std::mem::take(&mut self.dirty_inputs) {
            let stream = &mut self.state.streams[place as usize];
            if start.plus(slide) > marks.inputs {
                continue;
            }
            let Some(pane) = stream.inputs.close(start) else { continue };
            published.panes.push(PaneUpdate { stream: Arc::clone(&stream.key), start, input: Some(pane), outcome: None });
        }
        for (place, start) in std::mem::take(&mut self.dirty_outcomes) {
            let stream = &mut self.state.streams[place as usize];
            let Some(pane) = stream.outcomes.close(start) else { continue };
            published.panes.push(PaneUpdate { stream: Arc::clone(&stream.key), start, input: None, outcome: Some(pane) });
        }
        self.drop_old_panes();
        Some(published)
    }

    /// Forgets predictions and labels that have waited long enough, or are too many.
    pub(super) fn forget(&mut self, all: Timestamp) {
        let join = &self.settings.join;
        let horizon = if all == Timestamp::MIN { Timestamp::MIN } else { all.minus(join.keep_ms) };
        let bounds = Bounds { predictions: join.max_predictions, labels: join.max_labels, bytes: join.max_bytes };
        let forgotten = self.state.join.forget(horizon, &bounds);
        let counts = &mut self.state.counts;
        counts.predictions_evicted.add(forgotten.predictions);
        counts.labels_evicted.add(forgotten.labels);
        counts.reject_many(RejectReason::LabelWithoutPrediction, forgotten.labels_expired);
        counts.reject_many(RejectReason::LabelEvicted, forgotten.labels.total());
    }

    /// Drops panes that no window to come has any use for. (A replay that has ended drops nothing: its last windows are still to be read.)
    fn drop_old_panes(&mut self) {
        let marks = self.state.watermark.current();
        if marks.inputs == Timestamp::MAX || marks.inputs == Timestamp::MIN {
            return;
        }
        let window = &self.settings.window;
        let oldest_input = marks.inputs.minus(window.size_ms);
        let oldest_outcome = marks.all.minus(self.settings.join.keep_ms).minus(window.size_ms);
        for stream in &mut self.state.streams {
            stream.inputs.drop_before(oldest_input);
            if marks.all != Timestamp::MIN {
                stream.outcomes.drop_before(oldest_outcome);
            }
        }
    }
}
