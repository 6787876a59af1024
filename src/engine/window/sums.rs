//! Sums of closed panes from which panes can be taken out again.

use super::packed::{layout, rest};
use super::{InputHead, InputPane, OutcomeHead, OutcomePane, Packed, PackedInput, PackedOutcome, Pane};
use crate::engine::summary::{ColumnCounts, ColumnSum, Unpacker};

/// A sum of closed panes. What comes and goes again leaves no trace: counts are whole numbers, and sums of reals are in fixed point.
pub trait Sum: Default {
    /// What is known of its panes without unpacking them.
    type Head;

    /// Adds a pane.
    fn come(&mut self, pane: &Packed<Self::Head>);
    /// Takes a pane out that came.
    fn leave(&mut self, pane: &Packed<Self::Head>);
}

/// A sum of panes of requests. Names of new features, positions and the span are not in it: no part can be taken out of those.
#[derive(Debug, Default)]
pub struct InputSum {
    /// Panes in it that have columns: one from before there was a reference has none.
    n_with_columns: usize,
    inputs: Vec<ColumnSum>,
    /// Prediction and score.
    outputs: [Option<ColumnSum>; 2],
    /// The rest; its columns are empty.
    rest: InputPane,
}

/// A sum of panes of outcomes. The last label and positions are not in it.
#[derive(Debug, Default)]
pub struct OutcomeSum {
    n_panes: usize,
    pane: Option<OutcomePane>,
}

impl Sum for InputSum {
    type Head = InputHead;

    fn come(&mut self, pane: &PackedInput) {
        let mut from = pane.columns();
        let (n_inputs, present) = layout(&mut from);
        self.n_with_columns += usize::from(n_inputs > 0);
        for place in 0..n_inputs {
            if self.inputs.len() == place {
                self.inputs.push(ColumnSum::like(&from));
            }
            self.inputs[place].merge(&mut from);
        }
        for (sum, _) in self.outputs.iter_mut().zip(present).filter(|(_, present)| *present) {
            sum.get_or_insert_with(|| ColumnSum::like(&from)).merge(&mut from);
        }
        if let Some(more) = rest::<InputPane>(from) {
            self.rest.requests += pane.head().requests;
            self.rest.merge_all_but_columns(&InputPane { positions: Default::default(), ..more });
        }
    }

    fn leave(&mut self, pane: &PackedInput) {
        let mut from = pane.columns();
        let (n_inputs, present) = layout(&mut from);
        self.n_with_columns = self.n_with_columns.saturating_sub(usize::from(n_inputs > 0));
        (0..n_inputs).for_each(|place| take_out(self.inputs.get_mut(place), &mut from));
        self.outputs.iter_mut().zip(present).filter(|(_, present)| *present).for_each(|(sum, _)| take_out(sum.as_mut(), &mut from));
        if self.n_with_columns == 0 {
            self.inputs.clear();
        }
        if let Some(less) = rest::<InputPane>(from) {
            self.rest.unmerge_all_but_columns(&InputPane { requests: pane.head().requests, ..less });
        }
    }
}

fn take_out(sum: Option<&mut ColumnSum>, from: &mut Unpacker<'_>) {
    match sum {
        Some(sum) => sum.unmerge(from),
        None => from.skip_column(),
    }
}

impl InputSum {
    /// Lends the sum out as a pane, whose buffers are used again; to be given back by [`InputSum::take_back`].
    pub fn lend(&mut self, pane: &mut InputPane) {
        let (mut inputs, outputs) = (std::mem::take(&mut pane.inputs), [pane.prediction.take(), pane.score.take()]);
        *pane = std::mem::take(&mut self.rest);
        inputs.resize_with(self.inputs.len(), || ColumnCounts::new(0));
        self.inputs.iter().zip(&mut inputs).for_each(|(sum, column)| sum.copy_to(column));
        pane.inputs = inputs;
        let [prediction, score] = outputs;
        pane.prediction = wide(self.outputs[0].as_ref(), prediction);
        pane.score = wide(self.outputs[1].as_ref(), score);
    }

    /// Takes back what was lent; `pane` keeps its columns, for the next one.
    pub fn take_back(&mut self, pane: &mut InputPane) {
        let columns = InputPane {
            inputs: std::mem::take(&mut pane.inputs),
            prediction: pane.prediction.take(),
            score: pane.score.take(),
            ..InputPane::default()
        };
        self.rest = std::mem::replace(pane, columns);
        (self.rest.span, self.rest.new_features) = Default::default();
    }

    /// The column of the input at `place`; `None` where no pane has it.
    pub fn input(&self, place: usize) -> Option<ColumnCounts> {
        self.inputs.get(place).map(ColumnSum::counts)
    }

    /// The column of predictions; `None` where no pane has it.
    pub fn prediction(&self) -> Option<ColumnCounts> {
        self.outputs[0].as_ref().map(ColumnSum::counts)
    }

    /// The column of scores; `None` where no pane has it.
    pub fn score(&self) -> Option<ColumnCounts> {
        self.outputs[1].as_ref().map(ColumnSum::counts)
    }
}

/// The sum as a column, in the buffers of `column`.
fn wide(sum: Option<&ColumnSum>, column: Option<ColumnCounts>) -> Option<ColumnCounts> {
    sum.map(|sum| {
        let mut column = column.unwrap_or_else(|| ColumnCounts::new(0));
        sum.copy_to(&mut column);
        column
    })
}

impl Sum for OutcomeSum {
    type Head = OutcomeHead;

    fn come(&mut self, pane: &PackedOutcome) {
        let pane = OutcomePane::unpack(pane);
        self.n_panes += 1;
        match &mut self.pane {
            Some(sum) => sum.merge(&pane),
            None => self.pane = Some(pane),
        }
        if let Some(sum) = &mut self.pane {
            (sum.last_label, sum.prediction_positions, sum.label_positions) = Default::default();
        }
    }

    fn leave(&mut self, pane: &PackedOutcome) {
        self.n_panes = self.n_panes.saturating_sub(1);
        match &mut self.pane {
            Some(sum) if self.n_panes > 0 => sum.unmerge(&OutcomePane::unpack(pane)),
            _ => self.pane = None,
        }
    }
}

impl OutcomeSum {
    /// The sum; `None` without a pane.
    pub fn pane(&self) -> Option<&OutcomePane> {
        self.pane.as_ref()
    }
}
