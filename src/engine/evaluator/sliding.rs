//! A window as a running sum: a slide costs the panes that come and go, however many the window holds.
//!
//! Invariant: the sum is that of the panes in its span, as they are kept now.

use crate::engine::window::{Packed, Sum};
use crate::event::Timestamp;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Closed panes by their start.
pub(super) type Kept<H> = BTreeMap<Timestamp, Arc<Packed<H>>>;

/// A running sum of panes.
#[derive(Debug, Default)]
pub(super) struct Sliding<S> {
    /// Start of the first pane in the sum, and of the first one after it.
    span: Option<(Timestamp, Timestamp)>,
    sum: S,
}

impl<S: Sum> Sliding<S> {
    /// The sum over the panes of `[start, end)`: reached from the last one where that lies before it and touches it, anew elsewhere.
    pub(super) fn over(&mut self, panes: &Kept<S::Head>, start: Timestamp, end: Timestamp) -> &mut S {
        let touches = |&(from, to): &(Timestamp, Timestamp)| from <= start && start <= to && to <= end;
        let (from, to) = self.span.filter(touches).unwrap_or_else(|| {
            *self = Self::default();
            (start, start)
        });
        panes.range(from..start).for_each(|(_, pane)| self.sum.leave(pane));
        panes.range(to..end).for_each(|(_, pane)| self.sum.come(pane));
        self.span = Some((start, end));
        &mut self.sum
    }

    /// The sum over the panes of `[start, end)` where it is that already.
    pub(super) fn of(&self, start: Timestamp, end: Timestamp) -> Option<&S> {
        (self.span == Some((start, end))).then_some(&self.sum)
    }

    /// The sum as it was last asked for.
    pub(super) fn sum_mut(&mut self) -> &mut S {
        &mut self.sum
    }

    /// Follows a pane that is replaced by a newer version of itself, or comes late where there was none.
    pub(super) fn replace(&mut self, at: Timestamp, old: Option<&Packed<S::Head>>, new: &Packed<S::Head>) {
        if self.holds(at) {
            old.into_iter().for_each(|old| self.sum.leave(old));
            self.sum.come(new);
        }
    }

    /// Follows a pane that is dropped.
    pub(super) fn drop_pane(&mut self, at: Timestamp, pane: &Packed<S::Head>) {
        if self.holds(at) {
            self.sum.leave(pane);
        }
    }

    fn holds(&self, at: Timestamp) -> bool {
        self.span.is_some_and(|(from, to)| (from..to).contains(&at))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::window::tests::{Seed, as_a_sum, input_pane, lent, seeds};
    use crate::engine::window::{InputPane, InputSum, Pane};
    use proptest::prelude::*;

    /// What happens to the panes of a stream between two windows.
    #[derive(Debug, Clone)]
    enum Step {
        Put(i64, Vec<Seed>),
        Drop,
        Window(i64),
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let step = prop_oneof![
            4 => (0..8i64, seeds()).prop_map(|(at, values)| Step::Put(at, values)),
            1 => Just(Step::Drop),
            3 => (0..4i64).prop_map(Step::Window),
        ];
        prop::collection::vec(step, 1..60)
    }

    proptest! {
        #[test]
        fn it_is_what_adding_all_panes_gives(steps in steps(), size in 1..6i64) {
            let (mut sliding, mut panes, mut end) = (Sliding::<InputSum>::default(), Kept::default(), 0);
            let mut buffer = InputPane::default();
            for step in steps {
                match step {
                    Step::Put(back, values) => {
                        let (at, new) = (Timestamp(end + 2 - back), Arc::new(input_pane(&values).pack()));
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
                        panes.range(start..end).for_each(|(_, pane)| sum.merge(&InputPane::unpack(pane)));
                        let slid = lent(sliding.over(&panes, start, end), &mut buffer);
                        prop_assert_eq!(as_a_sum(slid), as_a_sum(sum));
                        prop_assert!(sliding.of(start, end).is_some() && sliding.of(start, end.plus(1)).is_none());
                    }
                }
            }
        }
    }
}
