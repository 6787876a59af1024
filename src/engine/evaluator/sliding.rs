//! The input columns of a window as a running sum: a slide costs the panes that come and go, however many the window holds.
//!
//! Invariant: the sum is that of the panes in its span, as they are kept now. Counts are whole numbers, so what is taken out again leaves no trace.

use crate::engine::summary::ColumnCounts;
use crate::engine::window::InputPane;
use crate::event::Timestamp;
use std::collections::BTreeMap;
use std::sync::Arc;

/// A running sum of the input columns of panes.
#[derive(Debug, Default)]
pub(super) struct Sliding {
    /// Start of the first pane in the sum, and of the first one after it.
    span: Option<(Timestamp, Timestamp)>,
    columns: Vec<ColumnCounts>,
    /// Panes in the sum that have columns.
    n_panes: usize,
}

impl Sliding {
    /// The sum over the panes of `[start, end)`: reached from the last one where that lies before it and touches it, anew elsewhere.
    pub(super) fn columns(&mut self, panes: &BTreeMap<Timestamp, Arc<InputPane>>, start: Timestamp, end: Timestamp) -> &[ColumnCounts] {
        let touches = |&(from, to): &(Timestamp, Timestamp)| from <= start && start <= to && to <= end;
        let (from, to) = self.span.filter(touches).unwrap_or_else(|| {
            *self = Self::default();
            (start, start)
        });
        panes.range(from..start).for_each(|(_, pane)| self.leave(pane));
        panes.range(to..end).for_each(|(_, pane)| self.come(pane));
        self.span = Some((start, end));
        &self.columns
    }

    /// Follows a pane that is replaced by a newer version of itself, or comes late where there was none.
    pub(super) fn replace(&mut self, at: Timestamp, old: Option<&InputPane>, new: &InputPane) {
        if self.holds(at) {
            old.into_iter().for_each(|old| self.leave(old));
            self.come(new);
        }
    }

    /// Follows a pane that is dropped.
    pub(super) fn drop_pane(&mut self, at: Timestamp, pane: &InputPane) {
        if self.holds(at) {
            self.leave(pane);
        }
    }

    fn holds(&self, at: Timestamp) -> bool {
        self.span.is_some_and(|(from, to)| (from..to).contains(&at))
    }

    fn come(&mut self, pane: &InputPane) {
        // a pane from before there was a reference has no columns
        if pane.inputs.is_empty() {
            return;
        }
        if self.n_panes == 0 {
            self.columns.clone_from(&pane.inputs);
        } else {
            self.columns.iter_mut().zip(&pane.inputs).for_each(|(sum, column)| sum.merge(column));
        }
        self.n_panes += 1;
    }

    fn leave(&mut self, pane: &InputPane) {
        if pane.inputs.is_empty() {
            return;
        }
        self.n_panes = self.n_panes.saturating_sub(1);
        if self.n_panes == 0 {
            self.columns.clear();
        } else {
            self.columns.iter_mut().zip(&pane.inputs).for_each(|(sum, column)| sum.unmerge(column));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::summary::NumberSums;
    use proptest::prelude::*;

    /// A pane of two columns with these values; of none where there are no values.
    fn pane(values: &[i32]) -> Arc<InputPane> {
        let column = || ColumnCounts { sums: Some(NumberSums::new(1.0)), ..ColumnCounts::new(4) };
        let mut pane = InputPane::default();
        if !values.is_empty() {
            pane.inputs = vec![column(), column()];
        }
        for &value in values {
            pane.inputs[0].add_number(value.rem_euclid(4) as usize, f64::from(value) / 3.0, f64::from(value.min(0)));
            pane.inputs[1].missing += 1;
        }
        Arc::new(pane)
    }

    /// What happens to the panes of a stream between two windows.
    #[derive(Debug, Clone)]
    enum Step {
        Put(i64, Vec<i32>),
        Drop,
        Window(i64),
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let values = prop::collection::vec(-20..20i32, 0..4);
        let step = prop_oneof![
            4 => (0..8i64, values).prop_map(|(at, values)| Step::Put(at, values)),
            1 => Just(Step::Drop),
            3 => (0..4i64).prop_map(Step::Window),
        ];
        prop::collection::vec(step, 1..60)
    }

    proptest! {
        #[test]
        fn it_is_what_adding_all_panes_gives(steps in steps(), size in 1..6i64) {
            let (mut sliding, mut panes, mut end) = (Sliding::default(), BTreeMap::<Timestamp, Arc<InputPane>>::new(), 0);
            for step in steps {
                match step {
                    Step::Put(back, values) => {
                        let (at, new) = (Timestamp(end + 2 - back), pane(&values));
                        let old = panes.insert(at, Arc::clone(&new));
                        sliding.replace(at, old.as_deref(), &new);
                    }
                    Step::Drop => {
                        if let Some((at, old)) = panes.pop_first() {
                            sliding.drop_pane(at, &old);
                        }
                    }
                    Step::Window(by) => {
                        end += by;
                        let (start, end) = (Timestamp(end - size), Timestamp(end));
                        let mut sum = InputPane::default();
                        panes.range(start..end).for_each(|(_, pane)| sum.merge(pane));
                        prop_assert_eq!(sliding.columns(&panes, start, end), &sum.inputs[..]);
                    }
                }
            }
        }
    }
}
