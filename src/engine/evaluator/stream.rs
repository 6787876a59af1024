//! The panes of one stream, and how far its windows have been judged.

use super::sliding::Sliding;
use crate::engine::metric::WindowFacts;
use crate::engine::settings::{JoinSettings, WindowSettings};
use crate::engine::summary::ColumnCounts;
use crate::engine::window::{InputPane, OutcomePane, PaneUpdate};
use crate::event::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
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
    inputs: BTreeMap<Timestamp, Arc<InputPane>>,
    outcomes: BTreeMap<Timestamp, Arc<OutcomePane>>,
    /// The input columns of the last window that was asked for.
    sliding: Sliding,
}

impl Progress {
    /// Wakes a sleeping stream for a pane with requests.
    pub(super) fn wake(&mut self, start: Timestamp, pane: &InputPane, window: &WindowSettings) {
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
            self.outcomes.insert(update.start, Arc::clone(outcome));
        }
    }

    /// The sum of the input panes of `[start, end)`.
    pub(super) fn inputs(&self, start: Timestamp, end: Timestamp) -> InputPane {
        let mut sum = InputPane::default();
        self.inputs.range(start..end).for_each(|(_, pane)| sum.merge(pane));
        sum
    }

    /// The same for the next window of the stream: at the cost of what comes and goes.
    pub(super) fn next_inputs(&mut self, start: Timestamp, end: Timestamp) -> InputPane {
        let mut sum = InputPane::default();
        self.inputs.range(start..end).for_each(|(_, pane)| sum.merge_all_but_inputs(pane));
        sum.inputs = self.sliding.columns(&self.inputs, start, end).to_vec();
        sum
    }

    /// The sum of one column of the input panes of `[start, end)`; `None` where none of them has it.
    pub(super) fn column(
        &self,
        start: Timestamp,
        end: Timestamp,
        of: impl Fn(&InputPane) -> Option<&ColumnCounts>,
    ) -> Option<ColumnCounts> {
        let mut columns = self.inputs.range(start..end).filter_map(|(_, pane)| of(pane));
        let mut sum = columns.next()?.clone();
        columns.for_each(|column| sum.merge(column));
        Some(sum)
    }

    /// Requests in `[start, end)`.
    pub(super) fn requests(&self, start: Timestamp, end: Timestamp) -> u64 {
        self.inputs.range(start..end).map(|(_, pane)| pane.requests).sum()
    }

    /// The last request before `end`, of the panes that are kept.
    pub(super) fn last_request(&self, end: Timestamp) -> Option<Timestamp> {
        self.inputs.range(..end).rev().find_map(|(_, pane)| pane.span.map(|(_, last)| last))
    }

    /// The sum of the outcome panes of `[start, end)`; `None` where there is none.
    pub(super) fn outcomes(&self, start: Timestamp, end: Timestamp) -> Option<OutcomePane> {
        let mut panes = self.outcomes.range(start..end).map(|(_, pane)| pane);
        let mut sum = OutcomePane::clone(panes.next()?);
        panes.for_each(|pane| sum.merge(pane));
        Some(sum)
    }

    /// Predictions that expect a label, those that have one, and revisions, in `[start, end)`.
    pub(super) fn coverage(&self, start: Timestamp, end: Timestamp) -> (u64, u64, u64) {
        let panes = self.outcomes.range(start..end);
        panes.fold((0, 0, 0), |(e, l, r), (_, pane)| (e + pane.expected, l + pane.labelled, r + pane.revised))
    }

    /// Labelled predictions of all panes that are kept.
    pub(super) fn labelled(&self) -> u64 {
        self.outcomes.values().map(|pane| pane.labelled).sum()
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
            while self.outcomes.first_key_value().is_some_and(|(&start, _)| start < oldest) {
                self.outcomes.pop_first();
            }
        }
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
pub(super) fn mature(join: &JoinSettings, end: Timestamp, all: Timestamp, expected: u64, labelled: u64) -> bool {
    let covered = expected > 0 && labelled as f64 >= join.mature_coverage * expected as f64;
    covered || (all != Timestamp::MAX && all >= end.plus(join.horizon_ms))
}
