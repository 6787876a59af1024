//! What makes a label true: a direction through the inputs' signals, and how far it has turned.
//!
//! The truth is an ordinal logit: with the risk `s` (a weighted sum of signals, near standard normal) and borders `b`,
//! P(class ≥ k) = 1 / (1 + exp(−gain·(s − b_k))). A model is the same formula with the weights of the concept it was trained on, so that it is
//! right and calibrated as long as the concept stays, and wrong to a known degree when it turns: two directions at the angle θ disagree on θ/π of a
//! normal population.

use super::feature::{Feature, N_FEATURES, N_NUMERIC};

/// Weights of the healthy concept, in the order of `Feature::ALL`. Amount and age weigh little: they can drift without moving the labels.
const WEIGHTS: [f64; N_FEATURES] = [0.10, -0.08, -0.50, 0.55, 0.42, 0.20, 0.22, 0.20, 0.22];
/// The direction towards which the concept turns, before its part along `WEIGHTS` is taken out.
const TOWARDS: [f64; N_FEATURES] = [0.10, 0.05, 0.45, 0.30, 0.50, -0.20, -0.30, 0.25, 0.30];
/// Angle of the full turn, in radians: with the noise of the labels about 0.8 accuracy remains.
const TURN: f64 = 0.55;
/// How far the border sinks at full strength: the positives' share rises from 0.40 to about 0.45, before the inputs move.
const SINK: f64 = 0.12;
/// How far the population moves along the old direction at full strength, in standard deviations over all numeric inputs together.
const NUDGE: f64 = 0.20;

/// A direction through the signals.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Concept {
    weights: [f64; N_FEATURES],
    sink: f64,
}

impl Concept {
    /// The concept that has turned by `strength` (0: healthy, 1: fully).
    pub(super) fn at(strength: f64) -> Self {
        let (sin, cos) = (TURN * strength).sin_cos();
        let length = norm(&WEIGHTS);
        let along = dot(&TOWARDS, &WEIGHTS) / (length * length);
        let mut across = [0.0; N_FEATURES];
        for ((a, t), w) in across.iter_mut().zip(TOWARDS).zip(WEIGHTS) {
            *a = t - along * w;
        }
        let width = norm(&across);
        let mut weights = [0.0; N_FEATURES];
        for ((out, w), a) in weights.iter_mut().zip(WEIGHTS).zip(across) {
            *out = cos * w / length + sin * a / width;
        }
        Self { weights, sink: SINK * strength }
    }

    /// The risk of these signals, near standard normal in healthy traffic.
    pub(super) fn risk(&self, signals: &[f64; N_FEATURES]) -> f64 {
        dot(&self.weights, signals) + self.sink
    }
}

/// How far the latent value of a numeric input moves when the concept turns: all of them a little, so that the answers' distribution moves
/// while no single input moves by more than about 0.05 (KS).
pub(super) fn nudge(feature: Feature, strength: f64) -> f64 {
    if feature.is_numeric() { NUDGE * strength * WEIGHTS[feature.index()] / norm(&WEIGHTS[..N_NUMERIC]) } else { 0.0 }
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(x, y)| x * y).sum()
}

fn norm(a: &[f64]) -> f64 {
    dot(a, a).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_concept_has_length_one_and_turns_by_its_angle() {
        let healthy = Concept::at(0.0);
        for strength in [0.0, 0.25, 0.5, 1.0] {
            let turned = Concept::at(strength);
            assert!((norm(&turned.weights) - 1.0).abs() < 1e-12);
            let angle = dot(&healthy.weights, &turned.weights).clamp(-1.0, 1.0).acos();
            assert!((angle - TURN * strength).abs() < 1e-7, "{strength}: {angle}");
        }
    }
}
