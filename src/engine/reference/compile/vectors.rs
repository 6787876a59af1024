//! Vector columns: their length, the width of their kernel, and the means of their features.
//!
//! Invariant: rows are chosen by what they hold and summed in integers, so the order of the rows does not matter; the rows that are looked at are bounded.

use super::CompiledColumn;
use crate::engine::reference::table::ColumnValues;
use crate::engine::reference::vectors::{FEATURES, Projection, VectorReference};
use crate::engine::reference::{ColumnReference, Slots};
use crate::engine::summary::{ColumnCounts, FEATURE_UNIT, VectorSums};
use crate::event::{InvalidReason, Scalar};
use std::borrow::Cow;
use std::collections::BTreeMap;
use xxhash_rust::xxh3::xxh3_64;

/// Most vectors that the means are made from: those of the least hashes.
const MOST_VECTORS: usize = 20_000;
/// Vectors from which the spread of the features is estimated: pairs of them.
const SPREAD_VECTORS: usize = 1000;
/// Vectors between which distances are taken for the width of the kernel.
const WIDTH_VECTORS: usize = 300;

/// Compiles a vector column of the most frequent length (ties: the lesser). `None` beside it where no vector is usable; its place among the inputs is
/// not known yet.
pub(super) fn vector_column(name: &str, values: &ColumnValues) -> (CompiledColumn, Option<VectorReference>) {
    let mut lengths: BTreeMap<usize, u64> = BTreeMap::new();
    for value in values.iter() {
        if let Scalar::Vector(vector) = &value {
            *lengths.entry(vector.len()).or_default() += 1;
        }
    }
    let dimension = lengths.iter().max_by_key(|&(length, count)| (count, std::cmp::Reverse(length))).map_or(0, |(&length, _)| length);
    let mut counts = ColumnCounts::new(1);
    let mut vectors: Vec<(u64, Cow<'_, [f64]>)> = Vec::new();
    for value in values.iter() {
        match value {
            Scalar::Null => counts.missing += 1,
            Scalar::Vector(vector) if vector.len() != dimension => counts.add_invalid(InvalidReason::WrongType),
            Scalar::Vector(vector) if vector.iter().any(|x| !x.is_finite()) => counts.add_invalid(InvalidReason::NonFinite),
            Scalar::Vector(vector) => {
                counts.add(0);
                vectors.push((hash(&vector), vector));
            }
            _ => counts.add_invalid(InvalidReason::WrongType),
        }
    }
    vectors.sort_unstable_by_key(|(hash, _)| *hash);
    let distinct = vectors.chunk_by(|a, b| a.0 == b.0).count() as u64;
    vectors.truncate(MOST_VECTORS);
    let vectors: Vec<&[f64]> = vectors.iter().map(|(_, vector)| vector.as_ref()).collect();
    let column = ColumnReference { slots: Slots::Vector(dimension), counts, bins: vec![0], n_bins: 1, moments: None };
    (CompiledColumn { column, distinct }, reference(xxh3_64(name.as_bytes()), dimension, &vectors))
}

/// A hash of the content; `-0.0` is `0.0`.
fn hash(vector: &[f64]) -> u64 {
    let bytes: Vec<u8> = vector.iter().flat_map(|x| (x + 0.0).to_le_bytes()).collect();
    xxh3_64(&bytes)
}

/// `vectors`: usable ones, in an order that does not depend on the rows'.
fn reference(seed: u64, dimension: usize, vectors: &[&[f64]]) -> Option<VectorReference> {
    let sigma = width(&vectors[..vectors.len().min(WIDTH_VECTORS)]);
    let projection = Projection::new(dimension, sigma, seed);
    let (mut sums, mut units, mut sample) = (VectorSums::default(), Vec::new(), Vec::new());
    for vector in vectors {
        if projection.features(vector, &mut units) {
            sums.add(&units);
            if sample.len() < SPREAD_VECTORS {
                sample.push(units.clone());
            }
        }
    }
    let mean = sums.mean()?;
    let factor = 2.0 / FEATURES as f64;
    // the squares of cosine and sine of an angle add up to 1
    let trace = (1.0 - factor * mean.iter().map(|m| m * m).sum::<f64>()).max(0.0);
    let trace_of_square = trace_of_square(&sample, &mean).min(trace * trace);
    Some(VectorReference { input: 0, dimension, sigma, seed, n: sums.n(), mean, trace, trace_of_square })
}

/// The median distance of two vectors (Gretton et al., JMLR 13, 2012, §8); where most are equal the mean distance, where all are, a tenth of their
/// length, and 1 for zeros.
fn width(vectors: &[&[f64]]) -> f64 {
    let scale = vectors.iter().flat_map(|v| v.iter()).fold(0.0f64, |most, x| most.max(x.abs()));
    if scale == 0.0 {
        return 1.0;
    }
    let length = |differences: &mut dyn Iterator<Item = f64>| differences.map(|x| x * x).sum::<f64>().sqrt();
    let mut distances = Vec::new();
    for (i, a) in vectors.iter().enumerate() {
        distances.extend(vectors[..i].iter().map(|b| length(&mut a.iter().zip(*b).map(|(x, y)| x / scale - y / scale))));
    }
    distances.sort_unstable_by(f64::total_cmp);
    let median = distances.get(distances.len() / 2).copied().unwrap_or(0.0);
    let mean = distances.iter().sum::<f64>() / distances.len().max(1) as f64;
    let tenth = vectors.first().map_or(1.0, |v| length(&mut v.iter().map(|x| x / scale)) / 10.0);
    let width = [median, mean, tenth].into_iter().find(|w| *w > 0.0).unwrap_or(1.0);
    (width * scale).clamp(f64::MIN_POSITIVE, f64::MAX)
}

/// tr Σ² as the mean squared dot product of two centred feature vectors, over the pairs of a sample.
fn trace_of_square(sample: &[Vec<i32>], mean: &[f64]) -> f64 {
    let root = (2.0 / FEATURES as f64).sqrt();
    let centred = |units: &Vec<i32>| -> Vec<f64> {
        units.iter().zip(mean).map(|(&unit, mean)| (f64::from(unit) / FEATURE_UNIT - mean) * root).collect()
    };
    let sample: Vec<Vec<f64>> = sample.iter().map(centred).collect();
    let mut sum = 0.0;
    for (i, a) in sample.iter().enumerate() {
        sum += sample[..i].iter().map(|b| a.iter().zip(b).map(|(x, y)| x * y).sum::<f64>().powi(2)).sum::<f64>();
    }
    let pairs = sample.len() * sample.len().saturating_sub(1) / 2;
    sum / pairs.max(1) as f64
}
