//! The panes of one stream, and how far its windows have been judged.

use super::sliding::{Kept, Sliding};
use crate::engine::metric::WindowFacts;
use crate::engine::settings::{JoinSettings, WindowSettings};
use crate::engine::window::{InputHead, InputPane, InputSum, OutcomeHead, OutcomePane, OutcomeSum, PackedOutcome, Pane, PaneUpdate};
use crate::event::Timestamp;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::collections::{BTreeMap, btree_map};
use std::iter::Peekable;
use std::sync::Arc;

/// After the last request, windows go on to be judged for this many window lengths; then the stream sleeps until the next request.
const WAKE_WINDOWS: i64 = 4;
/// A window counts as watched in full when the silence at its border is at most this many mean gaps between requests.
const SILENT_GAPS: f64 = 10.0;

/// How far the windows of a stream have been judged; part of the state.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Progress {
    /// End of the next window to be judged; `None`: the stream sleeps.
    pub(super) next_end: Option<Timestamp>,
    /// End of the last window that was judged: no window is judged twice.
    pub(super) last_end: Option<Timestamp>,
    /// First request since the stream woke.
    pub(super) since: Option<Timestamp>,
    /// End of the last pane with a request.
    pub(super) last_pane_end: Option<Timestamp>,
    /// The last request of a window that was judged.
    pub(super) last_request: Option<Timestamp>,
    /// The last label that was joined.
    pub(super) last_label: Option<Timestamp>,
    /// Whether another version of the model took over: its silence is then not this one's.
    pub(super) retired: bool,
    /// Windows whose quality waits for labels, by their end.
    pub(super) waiting: BTreeMap<Timestamp, WindowFacts>,
    /// Windows whose quality was judged and may yet be amended, by their end: what was printed.
    pub(super) judged: BTreeMap<Timestamp, Printed>,
}

/// What was known when a window's quality was printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Printed {
    pub(super) facts: WindowFacts,
    pub(super) labelled: u64,
    pub(super) revised: u64,
}

/// The panes of one stream.
#[derive(Debug, Default)]
pub(super) struct StreamPanes {
    inputs: Kept<InputHead>,
    outcomes: Kept<OutcomeHead>,
    /// The requests of the last window that was judged on the clock of its inputs.
    sliding: Sliding<InputSum>,
    /// The outcomes of the last window whose quality was judged.
    sliding_outcomes: Sliding<OutcomeSum>,
    /// Labelled predictions of all outcome panes.
    labelled: u64,
    /// Starts of the first and the last outcome pane that changed since maturity was last looked at; `None`: none did.
    changed: Changed,
}

/// A range of outcome panes.
#[derive(Debug, Clone, Copy)]
struct Changed(Option<(Timestamp, Timestamp)>);

impl Default for Changed {
    /// Nothing has been looked at yet.
    fn default() -> Self {
        Self(Some((Timestamp::MIN, Timestamp::MAX)))
    }
}

impl Progress {
    /// Wakes a sleeping stream for a pane with requests.
    pub(super) fn wake(&mut self, start: Timestamp, pane: &InputHead, window: &WindowSettings) {
        let end = start.plus(window.slide_ms);
        self.last_pane_end = Some(self.last_pane_end.map_or(end, |e| e.max(end)));
        let next = self.last_end.map_or(end, |last| end.max(last.plus(window.slide_ms)));
        if self.next_end.is_none() && next <= start.plus(window.size_ms) {
            self.next_end = Some(next);
            self.since = pane.span.map(|(first, _)| first);
        }
    }

    /// Notes what a window held, of this stream and of its model: a version without a request while another one has some is retired, until its next one.
    pub(super) fn saw(&mut self, pane: &InputPane, requests_of_model: u64) {
        self.last_request = self.last_request.max(pane.span.map(|(_, last)| last));
        self.retired = pane.requests == 0 && (self.retired || requests_of_model > 0);
    }

    /// Moves on to the next window, or to sleep; not while an alert fires, which is to be told again, and must be able to resolve; and not before
    /// `wait_ms` have passed since the last request, which a rule on silence may ask for.
    pub(super) fn step(&mut self, window: &WindowSettings, fires: bool, wait_ms: i64) {
        let awake_ms = (WAKE_WINDOWS * window.size_ms).max(if self.retired { 0 } else { wait_ms });
        let last = self.last_pane_end.map_or(Timestamp::MIN, |e| e.plus(awake_ms));
        self.last_end = self.next_end.or(self.last_end);
        self.next_end = self.next_end.map(|end| end.plus(window.slide_ms)).filter(|&end| fires || end <= last);
    }

    /// Closes the first of the judged windows that end up to `until`.
    pub(super) fn close_one(&mut self, until: Timestamp) -> Option<(Timestamp, Printed)> {
        self.judged.first_entry().filter(|entry| *entry.key() <= until).map(|entry| entry.remove_entry())
    }
}

impl StreamPanes {
    /// Takes a published pane; a newer version of it replaces the older one.
    pub(super) fn take(&mut self, update: &PaneUpdate) {
        if let Some(input) = &update.input {
            let old = self.inputs.insert(update.start, Arc::clone(input));
            self.sliding.replace(update.start, old.as_deref(), input);
        }
        if let Some(outcome) = &update.outcome {
            let old = self.outcomes.insert(update.start, Arc::clone(outcome));
            self.sliding_outcomes.replace(update.start, old.as_deref(), outcome);
            self.labelled = self.labelled + outcome.head().labelled - old.map_or(0, |old| old.head().labelled);
            self.note_change(update.start);
        }
    }

    /// The sum of the input panes of `[start, end)`, the next window of the stream, in the buffers of `pane`: at the cost of what comes and goes. To be
    /// given back by [`StreamPanes::give_back`].
    pub(super) fn lend_inputs(&mut self, start: Timestamp, end: Timestamp, pane: &mut InputPane) {
        self.sliding.over(&self.inputs, start, end).lend(pane);
        for (_, kept) in self.inputs.range(start..end) {
            let head = kept.head();
            if let Some((first, last)) = head.span {
                pane.extend_span(first);
                pane.extend_span(last);
            }
            if !head.new_features.is_empty() {
                pane.new_features.merge(&head.new_features);
            }
        }
    }

    /// Takes back what was lent last.
    pub(super) fn give_back(&mut self, pane: &mut InputPane) {
        self.sliding.sum_mut().take_back(pane);
    }

    /// The sum of the input panes of `[start, end)`, with everything that a pane has.
    pub(super) fn inputs(&self, start: Timestamp, end: Timestamp) -> InputPane {
        let mut sum = InputPane::default();
        self.inputs.range(start..end).for_each(|(_, pane)| sum.merge(&InputPane::unpack(pane)));
        sum
    }

    /// A part of the sum of the input panes of `[start, end)`.
    pub(super) fn part<T>(&self, start: Timestamp, end: Timestamp, of: impl Fn(&InputSum) -> T) -> T {
        match self.sliding.of(start, end) {
            Some(sum) => of(sum),
            None => of(Sliding::default().over(&self.inputs, start, end)),
        }
    }

    /// Requests in `[start, end)`.
    pub(super) fn requests(&self, start: Timestamp, end: Timestamp) -> u64 {
        self.inputs.range(start..end).map(|(_, pane)| pane.head().requests).sum()
    }

    /// The last request before `end`, of the panes that are kept.
    pub(super) fn last_request(&self, end: Timestamp) -> Option<Timestamp> {
        self.inputs.range(..end).rev().find_map(|(_, pane)| pane.head().span.map(|(_, last)| last))
    }

    /// Makes the sum of the outcome panes of `[start, end)` the one that [`StreamPanes::outcomes`] has at hand.
    pub(super) fn slide_outcomes(&mut self, start: Timestamp, end: Timestamp) {
        self.sliding_outcomes.over(&self.outcomes, start, end);
    }

    /// The sum of the outcome panes of `[start, end)`, without what [`OutcomeSum`] lacks; `None` where there is none.
    pub(super) fn outcomes(&self, start: Timestamp, end: Timestamp) -> Option<Cow<'_, OutcomePane>> {
        match self.sliding_outcomes.of(start, end) {
            Some(sum) => sum.pane().map(Cow::Borrowed),
            None => self.whole_outcomes(start, end).map(Cow::Owned),
        }
    }

    /// The sum of the outcome panes of `[start, end)`, with everything that a pane has; `None` where there is none.
    pub(super) fn whole_outcomes(&self, start: Timestamp, end: Timestamp) -> Option<OutcomePane> {
        let mut panes = self.outcomes.range(start..end).map(|(_, pane)| OutcomePane::unpack(pane));
        let mut sum = panes.next()?;
        panes.for_each(|pane| sum.merge(&pane));
        Some(sum)
    }

    /// Predictions that expect a label, those that have one, and revisions, in `[start, end)`.
    pub(super) fn coverage(&self, start: Timestamp, end: Timestamp) -> (u64, u64, u64) {
        let heads = self.outcomes.range(start..end).map(|(_, pane)| pane.head());
        heads.fold((0, 0, 0), |(e, l, r), head| (e + head.expected, l + head.labelled, r + head.revised))
    }

    /// Labelled predictions of all panes that are kept.
    pub(super) fn labelled(&self) -> u64 {
        self.labelled
    }

    /// Notes that maturity may have changed for windows that hold the outcome pane that begins at `start`.
    pub(super) fn note_change(&mut self, start: Timestamp) {
        let (first, last) = self.changed.0.unwrap_or((start, start));
        self.changed = Changed(Some((first.min(start), last.max(start))));
    }

    /// The waiting windows that are mature by now, oldest first. Looks at those whose panes changed since it was last asked, and at those whose horizon
    /// has passed: the others wait on.
    pub(super) fn take_mature(
        &mut self,
        waiting: &BTreeMap<Timestamp, WindowFacts>,
        join: &JoinSettings,
        all: Timestamp,
    ) -> Vec<WindowFacts> {
        let changed = self.changed.0.take();
        let may_be = |facts: &WindowFacts| {
            changed.is_some_and(|(first, last)| first < facts.end && facts.start <= last) || horizon_passed(join, facts.end, all)
        };
        let (mut ready, mut sums): (Vec<WindowFacts>, Option<Running<'_>>) = (Vec::new(), None);
        for facts in waiting.values().filter(|facts| may_be(facts)) {
            let sums = sums.get_or_insert_with(|| Running::new(&self.outcomes, facts.start));
            let (expected, labelled) = sums.over(facts.start, facts.end);
            if mature(join, facts.end, all, expected, labelled) {
                ready.push(*facts);
            }
        }
        ready
    }

    /// Drops panes that no window to come has any use for; `now`: how far event time has come.
    pub(super) fn prune(&mut self, progress: &Progress, window: &WindowSettings, now: Timestamp) {
        // a stream that sleeps may still get panes, of labels alone; what wakes it lies at most a window back
        let asleep = progress.last_pane_end.map(|end| end.max(now.minus(window.size_ms)));
        let next = progress.next_end.or(asleep).unwrap_or(Timestamp::MIN);
        if next != Timestamp::MIN {
            let oldest = next.minus(window.size_ms);
            while let Some(pane) = self.inputs.first_entry().filter(|pane| *pane.key() < oldest) {
                let (start, pane) = pane.remove_entry();
                self.sliding.drop_pane(start, &pane);
            }
        }
        let first_open = [progress.waiting.keys().next(), progress.judged.keys().next(), progress.next_end.as_ref()];
        if let Some(&end) = first_open.into_iter().flatten().min() {
            let oldest = end.minus(window.size_ms);
            while let Some(pane) = self.outcomes.first_entry().filter(|pane| *pane.key() < oldest) {
                let (start, pane) = pane.remove_entry();
                self.labelled -= pane.head().labelled;
                self.sliding_outcomes.drop_pane(start, &pane);
            }
        }
    }
}

/// Coverage of one window after the other, each beginning and ending no earlier than the last one: every pane is looked at twice.
struct Running<'a> {
    coming: Peekable<btree_map::Range<'a, Timestamp, Arc<PackedOutcome>>>,
    leaving: Peekable<btree_map::Range<'a, Timestamp, Arc<PackedOutcome>>>,
    expected: u64,
    labelled: u64,
}

impl<'a> Running<'a> {
    fn new(panes: &'a Kept<OutcomeHead>, first: Timestamp) -> Self {
        let from = || panes.range(first..).peekable();
        Self { coming: from(), leaving: from(), expected: 0, labelled: 0 }
    }

    /// Predictions that expect a label, and those that have one, in `[start, end)`.
    fn over(&mut self, start: Timestamp, end: Timestamp) -> (u64, u64) {
        while let Some((_, pane)) = self.coming.next_if(|(at, _)| **at < end) {
            self.expected += pane.head().expected;
            self.labelled += pane.head().labelled;
        }
        while let Some((_, pane)) = self.leaving.next_if(|(at, _)| **at < start) {
            self.expected -= pane.head().expected;
            self.labelled -= pane.head().labelled;
        }
        (self.expected, self.labelled)
    }
}

/// What is to be said of the window that ends at `end`; `ended`: whether no prediction will come any more, so that silence at the end of the
/// window is the end of what was read and not of the traffic.
pub(super) fn window_facts(
    progress: &Progress,
    window: &WindowSettings,
    end: Timestamp,
    pane: &InputPane,
    labels: u64,
    ended: bool,
) -> WindowFacts {
    let start = end.minus(window.size_ms);
    let whole = pane.span.is_none_or(|(first, last)| {
        let gap_ms = (last.since(first) as f64 / pane.requests.max(2) as f64).max(1.0);
        let silent = |ms: i64| ms as f64 > SILENT_GAPS * gap_ms;
        let began_late = progress.since.is_some_and(|since| silent(since.since(start)));
        let ended_early = ended && silent(end.since(last));
        !began_late && !ended_early
    });
    WindowFacts { start, end, predictions: pane.requests, labels, whole }
}

/// Whether the quality of a window can be judged: enough of its labels have come, or the horizon has passed.
fn mature(join: &JoinSettings, end: Timestamp, all: Timestamp, expected: u64, labelled: u64) -> bool {
    let covered = expected > 0 && labelled as f64 >= join.mature_coverage * expected as f64;
    covered || horizon_passed(join, end, all)
}

fn horizon_passed(join: &JoinSettings, end: Timestamp, all: Timestamp) -> bool {
    all != Timestamp::MAX && all >= end.plus(join.horizon_ms)
}

#[cfg(test)]
mod tests;
