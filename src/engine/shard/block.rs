//! Predictions on their way into the panes: gathered by column, then counted one column after the other, while its cells are in the cache.
//!
//! Invariant: a block only puts the counting off. What the panes hold after [`Blocks::settle`] does not depend on when predictions were counted or
//! together with which others, because all of it is sums of integers (I4). Whoever reads panes settles first.

use super::apply::fit;
use super::scored::Score;
use super::state::StreamState;
use crate::engine::reference::{ColumnReference, Place, Reference};
use crate::engine::summary::{ColumnCounts, Positions};
use crate::engine::window::InputPane;
use crate::event::{InvalidReason, Position, Timestamp};
use std::sync::Arc;

/// Predictions of a full block: enough for the way to a column to be worth it, few enough for all of the block to stay in the cache.
const MAX_ROWS: u32 = 256;
/// Blocks that are open at once; where more are needed the oldest is counted early.
const MAX_BLOCKS: usize = 64;

/// What a column of a block has yet to count.
#[derive(Debug, Default)]
struct Waiting {
    numbers: Vec<f64>,
    slots: Vec<u32>,
    /// Many values at once, by slot.
    many: Vec<u64>,
    missing: u64,
    invalid: [u64; InvalidReason::ALL.len()],
    /// The row that last said something of it.
    row: u32,
}

/// Predictions of one route and slide.
#[derive(Debug)]
pub(super) struct Block {
    route: u32,
    start: Timestamp,
    reference: Option<Arc<Reference>>,
    /// Rows so far, the present one included.
    rows: u32,
    inputs: Vec<Waiting>,
    /// Inputs of which the present row has said something.
    n_told: usize,
    prediction: Waiting,
    score: Waiting,
    /// Latencies in milliseconds.
    pub(super) latencies: Vec<f64>,
    /// Scores by class.
    pub(super) scores: Vec<Score>,
    /// All else that is not a column.
    pub(super) rest: InputPane,
    /// Predictions that can have a label, and where they stood in the log.
    expected: (u64, Positions),
}

/// The open blocks of a shard.
#[derive(Debug, Default)]
pub(super) struct Blocks {
    open: Vec<Block>,
    /// The one that was used last.
    last: usize,
    /// The one that makes room next.
    oldest: usize,
}

impl Waiting {
    #[inline]
    fn add(&mut self, place: Place) {
        match place {
            Place::Number(number) => self.numbers.push(number),
            Place::Slot(slot) => self.slots.push(slot as u32),
            Place::Many => {}
            Place::Missing => self.missing += 1,
            Place::Invalid(reason) => self.invalid[reason as usize] += 1,
        }
    }

    fn count(&self, column: &ColumnReference, counts: &mut ColumnCounts) {
        column.count_numbers(&self.numbers, counts);
        self.slots.iter().for_each(|&slot| counts.add(slot as usize));
        counts.slots.iter_mut().zip(&self.many).for_each(|(sum, count)| *sum += count);
        counts.missing += self.missing;
        counts.invalid.iter_mut().zip(self.invalid).for_each(|(sum, count)| *sum += count);
    }

    fn clear(&mut self) {
        self.numbers.clear();
        self.slots.clear();
        self.many.clear();
        (self.missing, self.invalid, self.row) = (0, Default::default(), 0);
    }
}

impl Block {
    /// Counts where the present row has a value of an input. Each input has one at most.
    pub(super) fn tell(&mut self, input: usize, place: Place) {
        self.told(input).add(place);
    }

    /// The same of a number of a numeric column.
    #[inline]
    pub(super) fn tell_number(&mut self, input: usize, number: f64) {
        self.told(input).numbers.push(number);
    }

    #[inline]
    fn told(&mut self, input: usize) -> &mut Waiting {
        let waiting = &mut self.inputs[input];
        self.n_told += usize::from(waiting.row != self.rows);
        waiting.row = self.rows;
        waiting
    }

    /// Counts many values of one input of the present row, by slot.
    pub(super) fn tell_many(&mut self, input: usize, counts: &[u64]) {
        self.tell(input, Place::Many);
        let many = &mut self.inputs[input].many;
        many.resize(counts.len().max(many.len()), 0);
        many.iter_mut().zip(counts).for_each(|(sum, count)| *sum += count);
    }

    /// Counts as missing what the present row has said nothing of.
    pub(super) fn end_inputs(&mut self) {
        if self.n_told < self.inputs.len() {
            self.inputs.iter_mut().filter(|waiting| waiting.row != self.rows).for_each(|waiting| waiting.missing += 1);
        }
    }

    /// Counts the answer of the present row.
    pub(super) fn answer(&mut self, prediction: Place, score: Place) {
        self.prediction.add(prediction);
        self.score.add(score);
    }

    fn new() -> Self {
        Self {
            route: 0,
            start: Timestamp::MIN,
            reference: None,
            rows: 0,
            inputs: Vec::new(),
            n_told: 0,
            prediction: Waiting::default(),
            score: Waiting::default(),
            latencies: Vec::new(),
            scores: Vec::new(),
            rest: InputPane::default(),
            expected: Default::default(),
        }
    }

    /// Begins anew; what was allocated stays.
    fn begin(&mut self, route: u32, start: Timestamp, reference: Option<Arc<Reference>>) {
        (self.route, self.start, self.rows) = (route, start, 0);
        let n_inputs = reference.as_ref().map_or(0, |reference| reference.inputs.len());
        self.inputs.resize_with(n_inputs, Waiting::default);
        self.inputs.iter_mut().chain([&mut self.prediction, &mut self.score]).for_each(Waiting::clear);
        self.latencies.clear();
        self.scores.clear();
        (self.rest, self.expected) = Default::default();
        self.reference = reference;
    }

    /// Counts it in the panes of its streams; it is empty then.
    fn settle(&mut self, streams: &mut [StreamState], routes: &[Vec<u32>]) {
        if self.rows == 0 {
            return;
        }
        for &stream in &routes[self.route as usize] {
            let (n_expected, positions) = &self.expected;
            let stream = &mut streams[stream as usize];
            if *n_expected > 0
                && let Some(pane) = stream.outcomes.open_known(self.start)
            {
                pane.expected += n_expected;
                pane.prediction_positions.merge(positions);
            }
            let pane = stream.inputs.open(self.start);
            pane.merge_all_but_columns(&self.rest);
            self.latencies.iter().for_each(|&ms| pane.latency.add(ms));
            self.scores.iter().for_each(|score| pane.add_score(score.class, score.cell, score.predicted));
            let Some(reference) = &self.reference else { continue };
            fit(pane, reference);
            for ((waiting, input), counts) in self.inputs.iter().zip(reference.inputs.iter()).zip(&mut pane.inputs) {
                waiting.count(&input.column, counts);
            }
            let outputs = &reference.outputs;
            let columns = [(&self.prediction, &outputs.prediction, &mut pane.prediction), (&self.score, &outputs.score, &mut pane.score)];
            for (waiting, column, counts) in columns {
                if let (Some(column), Some(counts)) = (column, counts) {
                    waiting.count(column, counts);
                }
            }
        }
        let reference = self.reference.take();
        self.begin(self.route, self.start, reference);
    }
}

impl Blocks {
    /// Begins a row of the block of this route and slide. A block of another reference, or a full one, is counted first.
    pub(super) fn row(
        &mut self,
        (route, start): (u32, Timestamp),
        reference: &Option<Arc<Reference>>,
        streams: &mut [StreamState],
        routes: &[Vec<u32>],
    ) -> &mut Block {
        let is_it = |block: &Block| block.route == route && block.start == start;
        if !self.open.get(self.last).is_some_and(is_it) {
            self.last = match self.open.iter().position(is_it) {
                Some(place) => place,
                None => self.place(route, start, streams, routes),
            };
        }
        let block = &mut self.open[self.last];
        let is_same = match (&block.reference, reference) {
            (Some(a), Some(b)) => Arc::ptr_eq(a, b),
            (a, b) => a.is_none() && b.is_none(),
        };
        if !is_same || block.rows >= MAX_ROWS {
            block.settle(streams, routes);
            block.begin(route, start, reference.clone());
        }
        block.rows += 1;
        block.n_told = 0;
        block
    }

    /// Counts the present row of the block that was used last among those that can have a label; whether it is the first of the block.
    pub(super) fn expect_label(&mut self, position: Position) -> bool {
        let Some(block) = self.open.get_mut(self.last) else { return false };
        block.expected.0 += 1;
        block.expected.1.add(position);
        block.expected.0 == 1
    }

    /// A place for a block of this route and slide.
    fn place(&mut self, route: u32, start: Timestamp, streams: &mut [StreamState], routes: &[Vec<u32>]) -> usize {
        let place = if self.open.len() < MAX_BLOCKS {
            self.open.push(Block::new());
            self.open.len() - 1
        } else {
            self.oldest = (self.oldest + 1) % MAX_BLOCKS;
            self.open[self.oldest].settle(streams, routes);
            self.oldest
        };
        self.open[place].begin(route, start, None);
        place
    }

    /// Counts everything that waits.
    pub(super) fn settle(&mut self, streams: &mut [StreamState], routes: &[Vec<u32>]) {
        self.open.iter_mut().for_each(|block| block.settle(streams, routes));
    }
}
