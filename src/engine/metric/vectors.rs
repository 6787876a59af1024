//! A vector column of a window against the reference's: maximum mean discrepancy.

use super::{Context, Finding, Measurement, Metric, Reading, Subject, UndefinedReason};
use crate::engine::reference::vectors::FEATURES;
use crate::engine::reference::{FeatureReference, Slots};
use crate::engine::window::InputPane;
use crate::stats;

/// `mmd` of the input at `place`, where it holds vectors and somebody asks. It names no parts: what a window keeps are means of cosines and sines along
/// random directions, and none of them is a coordinate of the vector.
pub(super) fn measure(ctx: &Context<'_>, place: usize, feature: &FeatureReference, pane: &InputPane) -> Vec<Measurement> {
    let is_vector = matches!(feature.column.slots, Slots::Vector(_));
    let Some(reference) = ctx.reference.filter(|_| is_vector && ctx.wanted.contains(Metric::Mmd)) else { return Vec::new() };
    let known = reference.encodings.vectors.iter().enumerate().find(|(_, vector)| vector.input == place);
    let sums = known.and_then(|(i, _)| pane.vectors.get(i));
    let (n_reference, n_current) = (known.map_or(0, |(_, vector)| vector.n), sums.map_or(0, |sums| sums.n()));
    let reason = if n_reference == 0 { UndefinedReason::NoReference } else { UndefinedReason::NoData };
    let mut finding = Finding { n_reference, ..Finding::new(Metric::Mmd, Reading::Undefined(reason), n_current) };
    if let (Some((_, vector)), Some(mean)) = (known, sums.and_then(|sums| sums.mean())) {
        let root = (2.0 / FEATURES as f64).sqrt();
        let scaled = |mean: &[f64]| -> Vec<f64> { mean.iter().map(|m| m * root).collect() };
        let (mine, theirs) = (scaled(&mean), scaled(&vector.mean));
        if let Some(mmd) = stats::mmd((&theirs, &mine), vector.trace, vector.trace_of_square, n_current, n_reference) {
            (finding.reading, finding.p_value) = (Reading::Value(mmd.value), Some(mmd.p_value));
        }
    }
    ctx.measurements(&Subject::Feature(feature.name.clone()), vec![finding], ctx.reference)
}
