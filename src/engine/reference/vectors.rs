//! Vector columns (embeddings): random Fourier features, whose means are all that a window keeps of its vectors.
//!
//! Invariant: the features follow from dimension, width and seed alone, by a generator that is written out here: a reference that was compiled by one
//! version of the program means the same to every later one.

use crate::engine::summary::{FEATURE_UNIT, VectorSums};
use serde::{Deserialize, Serialize};
use std::f64::consts::TAU;

/// Features of a vector.
pub const FEATURES: usize = 256;
/// Frequencies: each gives a cosine and a sine.
const FREQUENCIES: usize = FEATURES / 2;

/// What is known of one vector column.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct VectorReference {
    /// Place among the reference's inputs.
    pub input: usize,
    /// Length of its vectors.
    pub dimension: usize,
    /// Width σ of the kernel exp(−‖x−y‖²/2σ²): the median distance of two reference vectors.
    pub sigma: f64,
    /// Seed of the frequencies.
    pub seed: u64,
    /// Reference vectors that the figures below are made from.
    pub n: u64,
    /// Mean of each feature, before the factor √(2/[`FEATURES`]).
    pub mean: Vec<f64>,
    /// tr Σ of the features' covariance, with the factor.
    pub trace: f64,
    /// tr Σ², likewise.
    pub trace_of_square: f64,
}

/// The map from vectors to features; not kept in files, because it follows from a few numbers.
#[derive(Debug, Clone, PartialEq)]
pub struct Projection {
    dimension: usize,
    /// By dimension, then frequency.
    weights: Vec<f64>,
}

impl VectorReference {
    /// The map to features.
    pub fn projection(&self) -> Projection {
        Projection::new(self.dimension, self.sigma, self.seed)
    }

    /// The reference without some of the `of` vectors that its own were chosen from; as it is where none would be left. Exact where all were chosen, else
    /// as it is to be expected: a chosen one is one of those with the odds of any.
    pub fn without(&self, part: &VectorSums, of: u64) -> Self {
        let share = part.n() as f64 / of.max(1) as f64;
        let Some(mean) = part.mean().filter(|mean| share < 1.0 && mean.len() == self.mean.len()) else { return self.clone() };
        let rest = |(all, part): (&f64, &f64)| (all - share * part) / (1.0 - share);
        Self { n: (self.n as f64 * (1.0 - share)).round() as u64, mean: self.mean.iter().zip(&mean).map(rest).collect(), ..self.clone() }
    }

    /// Whether it is one that the compiler makes.
    pub(super) fn is_sound(&self) -> bool {
        let numbers = [self.sigma, self.trace, self.trace_of_square];
        let finite = numbers.iter().chain(&self.mean).all(|v| v.is_finite());
        finite && self.sigma > 0.0 && self.mean.len() == FEATURES && (1..=crate::event::MAX_DIMENSIONS).contains(&self.dimension)
    }
}

impl Projection {
    /// Features whose dot product, divided by the number of frequencies, is about the Gaussian kernel of width `sigma` (A. Rahimi, B. Recht, NIPS 2007;
    /// cosine and sine of one frequency rather than cosines with random phases, which is never less exact for this kernel: D. Sutherland, J. Schneider,
    /// UAI 2015).
    pub fn new(dimension: usize, sigma: f64, seed: u64) -> Self {
        let mut normals = Normals { state: seed };
        let mut weights = Vec::with_capacity(dimension * FREQUENCIES);
        while weights.len() < dimension * FREQUENCIES {
            let (a, b) = normals.pair();
            weights.extend([a / sigma, b / sigma]);
        }
        Self { dimension, weights }
    }

    /// Puts the features of a vector into `units` (of 2^-30): cosines and sines by turns. `false`, and nothing in it, where the vector has another
    /// length or is too large for a feature.
    pub fn features(&self, vector: &[f64], units: &mut Vec<i32>) -> bool {
        units.clear();
        if vector.len() != self.dimension {
            return false;
        }
        let mut angles = [0.0; FREQUENCIES];
        for (&x, weights) in vector.iter().zip(self.weights.chunks_exact(FREQUENCIES)) {
            angles.iter_mut().zip(weights).for_each(|(angle, weight)| *angle += x * weight);
        }
        if angles.iter().any(|angle| !angle.is_finite()) {
            return false;
        }
        let in_units = |value: f64| (value * FEATURE_UNIT).round_ties_even() as i32;
        units.extend(angles.iter().flat_map(|angle| [in_units(angle.cos()), in_units(angle.sin())]));
        true
    }
}

/// Standard normal numbers: SplitMix64 (Steele, Lea, Flood, OOPSLA 2014) and the transform of Box and Muller (1958).
struct Normals {
    state: u64,
}

impl Normals {
    fn bits(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.state;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^ (bits >> 31)
    }

    /// Above 0, at most 1.
    fn uniform(&mut self) -> f64 {
        ((self.bits() >> 11) + 1) as f64 / (1u64 << 53) as f64
    }

    fn pair(&mut self) -> (f64, f64) {
        let radius = (-2.0 * self.uniform().ln()).sqrt();
        let angle = TAU * self.uniform();
        (radius * angle.cos(), radius * angle.sin())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn features(projection: &Projection, vector: &[f64]) -> Vec<f64> {
        let mut units = Vec::new();
        assert!(projection.features(vector, &mut units));
        units.iter().map(|&unit| f64::from(unit) / FEATURE_UNIT / (FREQUENCIES as f64).sqrt()).collect()
    }

    #[test]
    fn the_generator_stays_as_it_is() {
        // the first outputs of SplitMix64 for the seed 1234567, as its authors' C code gives them
        let mut normals = Normals { state: 1_234_567 };
        assert_eq!([normals.bits(), normals.bits()], [6_457_827_717_110_365_317, 3_203_168_211_198_807_973]);
        let sample: Vec<f64> = (0..10_000).flat_map(|_| <[f64; 2]>::from(normals.pair())).collect();
        let moment = |k: i32| sample.iter().map(|v| v.powi(k)).sum::<f64>() / 20_000.0;
        assert!(moment(1).abs() < 0.03 && (moment(2) - 1.0).abs() < 0.05 && (moment(4) - 3.0).abs() < 0.3);
    }

    #[test]
    fn the_dot_product_is_about_the_kernel() {
        let (sigma, projection) = (3.0, Projection::new(8, 3.0, 7));
        let origin = features(&projection, &[0.0; 8]);
        for distance in [0.0, 1.0, 3.0, 6.0, 50.0] {
            let mut point = [0.0; 8];
            point[2] = distance;
            let got: f64 = features(&projection, &point).iter().zip(&origin).map(|(a, b)| a * b).sum();
            let kernel = (-distance * distance / (2.0 * sigma * sigma)).exp();
            // the error of a mean of 128 cosines, three times its standard deviation
            assert!((got - kernel).abs() < 3.0 * 0.71 / (FREQUENCIES as f64).sqrt(), "{distance}: {got} {kernel}");
        }
    }

    #[test]
    fn a_part_is_taken_out() {
        let (mut part, mut rest) = (VectorSums::default(), VectorSums::default());
        let units = |value: f64| vec![(value * FEATURE_UNIT) as i32; FEATURES];
        part.add(&units(0.5));
        [0.25, -0.5, 0.125].iter().for_each(|&value| rest.add(&units(value)));
        let mut all = part.clone();
        all.merge(&rest);
        let of = |sums: &VectorSums| VectorReference {
            input: 0,
            dimension: 2,
            sigma: 1.0,
            seed: 7,
            n: sums.n(),
            mean: sums.mean().unwrap(),
            trace: 0.5,
            trace_of_square: 0.1,
        };
        assert_eq!(of(&all).without(&part, 4), of(&rest));
        assert_eq!(of(&all).without(&all, 4), of(&all), "nothing would be left");
    }

    #[test]
    fn what_has_no_features() {
        let projection = Projection::new(2, 1.0, 7);
        let mut units = vec![1];
        for vector in [&[1.0][..], &[1.0, f64::INFINITY], &[f64::MAX, f64::MAX]] {
            assert!(!projection.features(vector, &mut units) && units.is_empty(), "{vector:?}");
        }
        assert!(projection.features(&[5e-324, 1e300], &mut units));
        assert_eq!(units.len(), FEATURES);
    }
}
