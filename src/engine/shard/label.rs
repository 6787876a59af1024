//! A label: to the panes of the prediction it belongs to.

use super::Shard;
use super::apply::new_outcome_pane;
use super::model::{ModelRecord, ModelRuntime};
use super::ranked::{judge, relevant_items};
use super::scores::positive_place;
use super::state::StreamState;
use crate::engine::catalogue::Signal;
use crate::engine::join::{Entry, Outcome, Told, Truth, in_sample, key_of};
use crate::engine::settings::Settings;
use crate::engine::summary::Scores;
use crate::engine::window::{OutcomePane, Quality};
use crate::event::{Label, Position, RejectReason, Scalar, Timestamp, canonical_text};
use std::borrow::Cow;

/// What became of one label.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Joined {
    /// The first of its prediction.
    Applied,
    /// It replaced another one.
    Revised,
    /// It said what was known, or is older than what is known.
    Duplicate,
    /// It could not be used.
    Rejected(RejectReason),
}

impl Shard {
    pub(super) fn apply_label(&mut self, label: &Label<'_>, position: Position) -> Option<RejectReason> {
        let key = self.state.join.key(&label.prediction_id);
        // a smaller sample than before leaves predictions behind that expect their labels
        if !in_sample(&label.prediction_id, self.settings.join.sample) && self.state.join.places(key).is_empty() {
            self.state.counts.labels_not_sampled += 1;
            return None;
        }
        let (text, items) = match &label.label {
            Scalar::List(items) => match relevant_items(items, self.state.join.seed()) {
                Some(items) => (Cow::Borrowed(""), Some(Cow::Owned(items.into_vec()))),
                None => return Some(RejectReason::InvalidLabel),
            },
            single => match canonical_text(single) {
                Some(text) => (text, None),
                None => return Some(RejectReason::InvalidLabel),
            },
        };
        let told = Told { label: text, items, timestamp: label.timestamp, model: label.model.as_deref(), position };
        match self.join(key, &told) {
            Some(Joined::Rejected(reason)) => return Some(reason),
            Some(joined) => self.count_joined(joined),
            None => self.wait(key, told),
        }
        None
    }

    /// Joins the labels that waited for a prediction that has just come.
    pub(super) fn join_waiting(&mut self, key: u64) {
        if self.state.join.n_labels() == 0 {
            return;
        }
        let mut labels = self.state.join.take_waiting(key);
        labels.sort_by_key(|l| l.timestamp);
        for label in labels {
            match self.join(key, &label.told()) {
                Some(joined) => self.count_joined(joined),
                None => self.state.join.wait(key, label),
            }
        }
    }

    fn wait(&mut self, key: u64, label: Told<'_>) {
        let says_the_same = |other: Told<'_>| (&other.label, &other.items, other.model) == (&label.label, &label.items, label.model);
        let known = self.state.join.waiting(key).any(|waiting| says_the_same(waiting.told()));
        if known {
            self.state.counts.duplicate += 1;
        } else {
            self.state.join.wait(key, label.into());
        }
    }

    fn count_joined(&mut self, joined: Joined) {
        let counts = &mut self.state.counts;
        match joined {
            Joined::Applied | Joined::Revised => {
                counts.applied += 1;
                counts.labels_joined += 1;
                counts.revised += u64::from(joined == Joined::Revised);
            }
            Joined::Duplicate => counts.duplicate += 1,
            Joined::Rejected(reason) => counts.reject(reason),
        }
    }

    /// Joins a label with every prediction under its id (of its model, where it names one); `None` where there is none yet.
    /// It is counted once, by the best that became of it.
    fn join(&mut self, key: u64, label: &Told<'_>) -> Option<Joined> {
        let Self { state, runtimes, settings, dirty_outcomes, .. } = self;
        let (mut best, seed) = (None, state.join.seed());
        for place in state.join.places(key) {
            let entry = state.join.entry(place);
            let record = &mut state.models[entry.model as usize];
            if label.model.is_some_and(|m| *m != *record.key.model) {
                continue;
            }
            let runtime = &mut runtimes[entry.model as usize];
            let n_classes = record.classes.names().len();
            let truth = truth_of(label, entry.predicted.as_ref(), record, runtime, (settings, seed));
            runtime.changed |= record.classes.names().len() != n_classes;
            let joined = match truth {
                _ if entry.predicted.is_none() => Joined::Rejected(RejectReason::LabelWithoutOutcome),
                Err(reason) => Joined::Rejected(reason),
                Ok(outcome) => {
                    let truth = Truth { outcome, at: label.timestamp };
                    let start = entry.timestamp.floor(settings.window.slide_ms);
                    let mut joined = Joined::Rejected(RejectReason::LabelTooLate);
                    for &stream in &state.routes[entry.route as usize] {
                        let Some(pane) = state.streams[stream as usize].outcomes.open_known(start) else { continue };
                        joined = settle(&entry, &truth, pane, record, runtime, label.position);
                        if matches!(joined, Joined::Applied | Joined::Revised) {
                            dirty_outcomes.insert((stream, start));
                        }
                    }
                    if joined == Joined::Applied {
                        let (closed, slide_ms) = (state.watermark.current().inputs, settings.window.slide_ms);
                        show_error(
                            record,
                            entry.predicted.as_ref(),
                            &truth,
                            open_slide(label.timestamp, closed, slide_ms),
                            &mut state.streams,
                        );
                        super::learning::learn_label(record, runtime, &label.label);
                    }
                    if matches!(joined, Joined::Applied | Joined::Revised) {
                        state.join.set_truth(place, truth);
                    }
                    joined
                }
            };
            best = better(best, joined);
        }
        best
    }
}

/// The label as the model's truth.
fn truth_of(
    label: &Told<'_>,
    predicted: Option<&Outcome>,
    record: &mut ModelRecord,
    runtime: &ModelRuntime,
    (settings, seed): (&Settings, u64),
) -> Result<Outcome, RejectReason> {
    if runtime.is_ranking() {
        let Some(Outcome::List(list)) = predicted else { return Err(RejectReason::LabelWithoutOutcome) };
        // a single value is the one relevant item
        let only = [(key_of(seed, &label.label), 1.0)];
        let relevant = label.items.as_deref().unwrap_or(&only);
        return Ok(Outcome::Judged(Box::new(judge(list, relevant, runtime.settings.k))));
    }
    if label.items.is_some() {
        return Err(RejectReason::InvalidLabel);
    }
    if runtime.is_regression() {
        let number = label.label.parse::<f64>().ok().filter(|v| v.is_finite());
        return number.map(Outcome::Number).ok_or(RejectReason::InvalidLabel);
    }
    let text = Scalar::Text(label.label.as_ref().into());
    record.classes.place(&text, settings.limits.classes).map(Outcome::Class).ok_or(RejectReason::UnknownLabelClass)
}

/// Shows a newly labelled answer to the detectors on errors; what they find counts in the slide that begins at `start`.
fn show_error(record: &mut ModelRecord, predicted: Option<&Outcome>, truth: &Truth, start: Timestamp, streams: &mut [StreamState]) {
    if !record.detectors.watch(Signal::Errors) {
        return;
    }
    let error = match (predicted, &truth.outcome) {
        (Some(Outcome::Class(answer)), Outcome::Class(label)) => f64::from(u8::from(answer != label)),
        (Some(Outcome::Number(answer)), Outcome::Number(label)) => (answer - label).abs(),
        _ => return,
    };
    let pane = streams[record.whole as usize].inputs.open(start);
    record.detectors.see(Signal::Errors, error, &mut pane.detections);
}

/// The slide that a label of that time counts in: its own while that is open, else the oldest open one. A label judges an answer of long ago, but
/// what it says of the stream is news of now, and a closed pane has been judged.
fn open_slide(at: Timestamp, closed: Timestamp, slide_ms: i64) -> Timestamp {
    let own = at.floor(slide_ms);
    if own.plus(slide_ms) > closed { own } else { closed.floor(slide_ms) }
}

/// Puts the truth of one prediction into one pane; what was known before is taken out first.
fn settle(
    entry: &Entry,
    truth: &Truth,
    pane: &mut OutcomePane,
    record: &ModelRecord,
    runtime: &ModelRuntime,
    position: Position,
) -> Joined {
    let Some(predicted) = &entry.predicted else { return Joined::Rejected(RejectReason::LabelWithoutOutcome) };
    let joined = match &entry.truth {
        Some(known) if known.outcome == truth.outcome || truth.at < known.at => return Joined::Duplicate,
        Some(known) => {
            tally(pane, record, runtime, (predicted, &entry.scores), &known.outcome, false);
            pane.revised += 1;
            Joined::Revised
        }
        None => {
            pane.labelled += 1;
            let delay_ms = truth.at.since(entry.timestamp).max(0);
            pane.delay_seconds.add(delay_ms as f64 / 1000.0);
            Joined::Applied
        }
    };
    if pane.labels.is_none() {
        pane.labels = new_outcome_pane(record, runtime).labels;
    }
    tally(pane, record, runtime, (predicted, &entry.scores), &truth.outcome, true);
    pane.label_positions.add(position);
    pane.last_label = pane.last_label.max(Some(truth.at));
    joined
}

/// Adds (or takes out) one pair of answer and truth.
fn tally(
    pane: &mut OutcomePane,
    record: &ModelRecord,
    runtime: &ModelRuntime,
    (predicted, scores): (&Outcome, &Scores),
    truth: &Outcome,
    add: bool,
) {
    match (&mut pane.quality, predicted, truth) {
        (Quality::Classes(confusion), &Outcome::Class(answer), &Outcome::Class(label)) => {
            if add {
                confusion.add(label, answer)
            } else {
                confusion.remove(label, answer)
            }
            if *scores != Scores::None {
                let positive = positive_place(record.classes.names(), &runtime.settings);
                pane.scores.tally(scores, usize::from(label), positive, add);
            }
        }
        (Quality::Numbers(sums), &Outcome::Number(answer), &Outcome::Number(label)) => {
            if add {
                sums.add(answer, label)
            } else {
                sums.remove(answer, label)
            }
            tally_residual(pane, record, answer - label, add);
        }
        (Quality::Lists(sums), Outcome::List(_), Outcome::Judged(judged)) => sums.tally(&judged.values, add),
        _ => debug_assert!(false, "a model has one kind of outcome"),
    }
    let column = record.reference.as_ref().and_then(|r| r.outputs.label.as_ref());
    let (Some(counts), Some(column)) = (&mut pane.labels, column) else { return };
    let value = match *truth {
        Outcome::List(_) | Outcome::Judged(_) => return,
        Outcome::Number(number) => Scalar::Number(number),
        Outcome::Class(class) => match record.classes.names().get(usize::from(class)) {
            Some(name) => Scalar::Text(name.as_ref().into()),
            None => return,
        },
    };
    let placed = column.place(&value);
    if add { column.count(placed, counts) } else { column.take_back(placed, counts) }
}

/// Adds (or takes out) one residual, where the reference has residuals.
fn tally_residual(pane: &mut OutcomePane, record: &ModelRecord, residual: f64, add: bool) {
    let column = record.reference.as_ref().and_then(|r| r.outputs.residual.as_ref());
    let Some(column) = column.filter(|_| residual.is_finite()) else { return };
    let counts = pane.residuals.get_or_insert_with(|| column.empty_counts());
    let placed = column.place(&Scalar::Number(residual));
    if add { column.count(placed, counts) } else { column.take_back(placed, counts) }
}

/// A label that several predictions share is counted by the best that became of it.
fn better(best: Option<Joined>, next: Joined) -> Option<Joined> {
    let rank = |j: &Joined| match j {
        Joined::Applied => 3,
        Joined::Revised => 2,
        Joined::Duplicate => 1,
        Joined::Rejected(_) => 0,
    };
    match best {
        Some(best) if rank(&best) >= rank(&next) => Some(best),
        _ => Some(next),
    }
}
