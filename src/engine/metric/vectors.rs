//! A vector column of a window against the reference's: maximum mean discrepancy.

use super::{Context, Measurement, Metric, Reading, Subject, UndefinedReason};
use crate::engine::reference::vectors::FEATURES;
use crate::engine::reference::{FeatureReference, Slots};
use crate::engine::window::InputPane;
use crate::stats;

/// `mmd` of the input at `place`, where it holds vectors and somebody asks.
pub(super) fn measure(ctx: &Context<'_>, place: usize, feature: &FeatureReference, pane: &InputPane) -> Option<Measurement> {
    let reference = ctx.reference.filter(|_| ctx.wanted.contains(Metric::Mmd) && matches!(feature.column.slots, Slots::Vector(_)))?;
    let known = reference.encodings.vectors.iter().enumerate().find(|(_, vector)| vector.input == place);
    let sums = known.and_then(|(i, _)| pane.vectors.get(i));
    let (n_reference, n_current) = (known.map_or(0, |(_, vector)| vector.n), sums.map_or(0, |sums| sums.n()));
    let reason = if n_reference == 0 { UndefinedReason::NoReference } else { UndefinedReason::NoData };
    let subject = Subject::Feature(feature.name.clone());
    let mut measurement = Measurement {
        segment: ctx.stream.segment.clone(),
        reference: Some(reference.id.clone()),
        n_reference,
        n_current,
        ..Measurement::new(ctx.stream.model.clone(), ctx.window, subject, Metric::Mmd, Reading::Undefined(reason))
    };
    if let (Some((_, vector)), Some(mean)) = (known, sums.and_then(|sums| sums.mean())) {
        let root = (2.0 / FEATURES as f64).sqrt();
        let scaled = |mean: &[f64]| -> Vec<f64> { mean.iter().map(|m| m * root).collect() };
        let (mine, theirs) = (scaled(&mean), scaled(&vector.mean));
        if let Some(mmd) = stats::mmd((&theirs, &mine), vector.trace, vector.trace_of_square, n_current, n_reference) {
            (measurement.reading, measurement.p_value) = (Reading::Value(mmd.value), Some(mmd.p_value));
        }
    }
    Some(measurement)
}
