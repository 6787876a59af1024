//! What the panes say of a window beyond its measurements, for an alert that fires: which way a column went, and which segments a reading comes from.

use super::stream::StreamPanes;
use super::with_context;
use crate::engine::alert::{Insight, MAX_SEGMENTS, SegmentShare, Worst};
use crate::engine::catalogue::Range;
use crate::engine::metric::{
    Baseline, Context, Measurement, Metric, Part, ServiceFacts, Subject, WindowFacts, measure_inputs, measure_outcomes, named_parts,
};
use crate::engine::published::ModelFacts;
use crate::engine::reference::{ColumnReference, Movement};
use crate::engine::summary::ColumnCounts;
use crate::engine::verdict::Aspect;
use crate::engine::window::{InputSum, StreamKey};
use std::collections::BTreeMap;

/// The sums behind one window of one stream.
pub(super) struct Sums<'a> {
    pub(super) model: &'a ModelFacts,
    pub(super) panes: &'a BTreeMap<StreamKey, StreamPanes>,
    pub(super) key: &'a StreamKey,
    pub(super) window: WindowFacts,
    pub(super) aspect: Aspect,
}

impl Insight for Sums<'_> {
    fn movement(&self, subject: &Subject) -> Option<Movement> {
        let (column, counts) = self.column(subject)?;
        column.movement(&counts)
    }

    fn parts(&self, measurement: &Measurement) -> Vec<Part> {
        let column = self.column(&measurement.subject).filter(|_| measurement.baseline == Baseline::Reference);
        column.map(|(column, counts)| named_parts(column, &counts, measurement.metric)).unwrap_or_default()
    }

    fn segments(&self, worst: &Worst) -> Vec<SegmentShare> {
        let about_the_whole =
            matches!(worst.subject, Subject::Data | Subject::Features | Subject::Fairness(_) | Subject::Errors | Subject::Latency);
        if self.key.segment.is_some() || about_the_whole || worst.metric == Metric::Throughput || worst.against != Baseline::Reference {
            return Vec::new();
        }
        let rows = self.panes.get(self.key).map_or(0, |panes| self.rows(panes));
        let streams = self.panes.range(self.key.clone()..).take_while(|(stream, _)| stream.model == self.key.model);
        let share = |(stream, panes): (&StreamKey, &StreamPanes)| {
            let share = self.rows(panes) as f64 / rows as f64;
            let value = (share > 0.0 && share.is_finite()).then(|| self.reading(stream, panes, worst)).flatten()?;
            let contribution = badness(worst, value) * share;
            let segment = stream.segment.clone()?;
            contribution.is_finite().then_some(SegmentShare { segment, value, rows: share.min(1.0), contribution })
        };
        let mut shares: Vec<SegmentShare> = streams.filter_map(share).filter(|share| share.contribution > 0.0).collect();
        shares.sort_by(|a, b| b.contribution.total_cmp(&a.contribution).then_with(|| a.segment.cmp(&b.segment)));
        shares.truncate(MAX_SEGMENTS);
        shares
    }
}

impl Sums<'_> {
    /// The column of the reference behind a subject, and its counts in the window.
    fn column(&self, subject: &Subject) -> Option<(&ColumnReference, ColumnCounts)> {
        let panes = self.panes.get(self.key)?;
        let reference = self.model.reference.as_ref()?;
        let (start, end) = (self.window.start, self.window.end);
        let outputs = &reference.outputs;
        match subject {
            Subject::Feature(name) => {
                let (place, feature) = reference.input(name)?;
                Some((&feature.column, panes.part(start, end, |sum| sum.input(place))?))
            }
            Subject::Prediction => Some((outputs.prediction.as_ref()?, panes.part(start, end, InputSum::prediction)?)),
            Subject::Score => Some((outputs.score.as_ref()?, panes.part(start, end, InputSum::score)?)),
            Subject::Label => Some((outputs.label.as_ref()?, panes.outcomes(start, end)?.labels.clone()?)),
            Subject::Residual => Some((outputs.residual.as_ref()?, panes.outcomes(start, end)?.residuals.clone()?)),
            _ => None,
        }
    }

    /// What a reading of the aspect is about: requests, or labelled predictions.
    fn rows(&self, panes: &StreamPanes) -> u64 {
        match self.aspect {
            Aspect::Inputs => panes.requests(self.window.start, self.window.end),
            Aspect::Outcomes => panes.coverage(self.window.start, self.window.end).1,
        }
    }

    /// The same metric of the same subject in another stream of the model.
    fn reading(&self, stream: &StreamKey, panes: &StreamPanes, worst: &Worst) -> Option<f64> {
        let (start, end) = (self.window.start, self.window.end);
        let measurements: Vec<Measurement> = with_context(self.model, stream, self.window, false, |ctx| {
            let only = Context { wanted: [worst.metric].into_iter().collect(), ..*ctx };
            match self.aspect {
                Aspect::Inputs => {
                    let service = ServiceFacts { requests_of_model: 0, seconds: 0.0 };
                    measure_inputs(&only, &panes.inputs(start, end), &service)
                }
                Aspect::Outcomes => panes.outcomes(start, end).map(|pane| measure_outcomes(&only, &pane)).unwrap_or_default(),
            }
        });
        measurements.iter().find(|m| m.subject == worst.subject && m.metric == worst.metric)?.reading.value()
    }
}

/// How bad a reading is: of an upper bound the reading itself; of a lower one what it lacks to the greatest there is, or to the bound where there is none.
fn badness(worst: &Worst, value: f64) -> f64 {
    match worst.metric.range() {
        _ if worst.above => value,
        Range::Unit | Range::Correlation => 1.0 - value,
        Range::NonNegative | Range::Real => (worst.threshold - value).max(0.0),
    }
}
