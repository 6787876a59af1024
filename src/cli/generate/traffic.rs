//! The generator: one request after another, for any time it is told.
//!
//! Invariant: pure. Time is an argument, randomness a seed; the same seed, calls and changes give the same bytes. Each purpose draws from a stream of
//! its own, and each request draws the same number of times, so that a change of one thing leaves the draws of all others as they were.

use super::change::{Change, ChangeError};
use super::concept::{Concept, nudge};
use super::feature::{Feature, N_CATEGORICAL, N_FEATURES, N_NUMERIC};
use super::request::{Answer, CLASSES, Inputs, Request, Target};
use super::scenario::Scenario;
use crate::engine::settings::Task;
use crate::event::Timestamp;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Exp1, StandardNormal};
use std::borrow::Cow;
use std::sync::Arc;
use xxhash_rust::xxh3::xxh3_128;

/// Share of answered requests that get a label.
const LABELLED: f64 = 0.99;
/// Share of healthy requests that fail.
const ERRORS: f64 = 0.002;
/// Healthy latency is log-normal: median in milliseconds, and deviation of the logarithm (95 % below 48 ms).
const LATENCY: (f64, f64) = (18.0, 0.6);
/// Borders between classes on the risk's axis: 40 % of a standard normal lie above the first, thirds between the other two.
const BINARY_BORDERS: &[f64] = &[0.2533];
const MULTICLASS_BORDERS: &[f64] = &[-0.4307, 0.4307];
/// A regression's value is `LEVEL + SPREAD·risk`, its truth has this deviation around it.
const LEVEL: f64 = 100.0;
const SPREAD: f64 = 25.0;
const NOISE: f64 = 5.0;

/// A model under traffic.
#[derive(Debug, Clone)]
pub struct Traffic {
    seed: u64,
    n_requests: u64,
    task: Task,
    model: Arc<str>,
    version: Arc<str>,
    label_delay_ms: f64,
    shifts: [Shift; N_NUMERIC],
    new_categories: [Option<(Cow<'static, str>, f64)>; N_CATEGORICAL],
    missing: [f64; N_FEATURES],
    strength: f64,
    truth: Concept,
    trained: Concept,
    latency_factor: f64,
    error_share: f64,
    rate_factor: f64,
    inputs: ChaCha8Rng,
    outcomes: ChaCha8Rng,
    service: ChaCha8Rng,
    labels: ChaCha8Rng,
}

#[derive(Debug, Clone, Copy)]
struct Shift {
    mean_sigma: f64,
    scale: f64,
}

impl Traffic {
    /// Healthy traffic to the scenario's model. The scenario's steps are not played here: whoever keeps the time applies them.
    pub fn new(scenario: &Scenario, seed: u64) -> Self {
        Self {
            seed,
            n_requests: 0,
            task: scenario.task,
            model: scenario.model.clone(),
            version: scenario.version.clone(),
            label_delay_ms: scenario.label_delay_ms,
            shifts: [Shift { mean_sigma: 0.0, scale: 1.0 }; N_NUMERIC],
            new_categories: [const { None }; N_CATEGORICAL],
            missing: Feature::ALL.map(Feature::missing_share),
            strength: 0.0,
            truth: Concept::at(0.0),
            trained: Concept::at(0.0),
            latency_factor: 1.0,
            error_share: ERRORS,
            rate_factor: 1.0,
            inputs: stream(seed, 1),
            outcomes: stream(seed, 2),
            service: stream(seed, 3),
            labels: stream(seed, 4),
        }
    }

    /// Makes a change; it holds from the next request on.
    pub fn apply(&mut self, change: &Change) -> Result<(), ChangeError> {
        change.check()?;
        match change {
            Change::Shift { feature, mean_sigma, scale } => {
                self.shifts[feature.index()] = Shift { mean_sigma: *mean_sigma, scale: *scale };
            }
            Change::NewCategory { feature, category, share } => {
                self.new_categories[feature.index() - N_NUMERIC] = Some((category.clone().into(), *share));
            }
            Change::Nulls { feature, share } => self.missing[feature.index()] = share.max(feature.missing_share()),
            Change::Concept { strength } => {
                self.strength = *strength;
                self.truth = Concept::at(*strength);
            }
            Change::Latency { factor } => self.latency_factor = *factor,
            Change::Errors { share } => self.error_share = *share,
            Change::Rate { factor } => self.rate_factor = *factor,
            Change::Deploy { version } => {
                self.version = version.as_str().into();
                self.trained = self.truth.clone();
            }
        }
        Ok(())
    }

    /// How many times the usual rate flows now.
    pub fn rate_factor(&self) -> f64 {
        self.rate_factor
    }

    /// The version that answers now.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// The next request, answered at `at`.
    pub fn next_request(&mut self, at: Timestamp) -> Request {
        let id = self.next_id(at);
        let (inputs, true_risk) = self.draw_inputs();
        let truth = self.draw_truth(true_risk);
        let failed = self.service.random::<f64>() < self.error_share;
        let latency_ms = self.draw_latency();
        let labelled = self.labels.random::<f64>() < LABELLED;
        let delay = self.labels.sample::<f64, _>(Exp1) * self.label_delay_ms;
        let answer = (!failed).then(|| self.answer(&inputs));
        // a label never stands before its prediction, and one of no answer could not be compared
        let label_at = (labelled && !failed).then(|| at.plus((delay as i64).max(1)));
        Request { id, at, model: self.model.clone(), version: self.version.clone(), inputs, answer, latency_ms, truth, label_at }
    }

    /// A hash of (seed, number, time) in the form of a UUID: two runs into one topic do not repeat each other's ids.
    fn next_id(&mut self, at: Timestamp) -> String {
        let mut bytes = [0; 24];
        bytes[..8].copy_from_slice(&self.seed.to_le_bytes());
        bytes[8..16].copy_from_slice(&self.n_requests.to_le_bytes());
        bytes[16..].copy_from_slice(&at.millis().to_le_bytes());
        self.n_requests += 1;
        let hex = format!("{:032x}", xxh3_128(&bytes));
        format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
    }

    /// The inputs as the model sees them, and the true risk, which also knows what is missing there.
    fn draw_inputs(&mut self) -> (Inputs, f64) {
        let mut inputs = Inputs::default();
        for feature in &Feature::ALL[..N_NUMERIC] {
            let i = feature.index();
            let shift = self.shifts[i];
            let u = self.inputs.sample::<f64, _>(StandardNormal) * shift.scale + shift.mean_sigma + nudge(*feature, self.strength);
            inputs.numeric[i] = Some(feature.value(u));
        }
        for (i, feature) in Feature::ALL[N_NUMERIC..].iter().enumerate() {
            let (known, new) = (self.inputs.random::<f64>(), self.inputs.random::<f64>());
            inputs.categorical[i] = Some(match &self.new_categories[i] {
                Some((category, share)) if new < *share => category.clone(),
                _ => Cow::Borrowed(feature.category(known)),
            });
        }
        let true_risk = self.truth.risk(&inputs.signals());
        for feature in Feature::ALL {
            if self.inputs.random::<f64>() < self.missing[feature.index()] {
                inputs.remove(feature);
            }
        }
        (inputs, true_risk)
    }

    fn draw_truth(&mut self, risk: f64) -> Target {
        let (uniform, normal) = (self.outcomes.random::<f64>(), self.outcomes.sample::<f64, _>(StandardNormal));
        match self.task {
            Task::Regression => Target::Number(round(LEVEL + SPREAD * risk + NOISE * normal, 100.0)),
            // no traffic of lists is made: `generate` refuses the task
            Task::Binary | Task::Multiclass | Task::Ranking => {
                let mut rest = uniform;
                let probabilities = probabilities(self.task, risk);
                let class = probabilities.iter().position(|p| {
                    rest -= p;
                    rest < 0.0
                });
                self.class(class.unwrap_or(probabilities.len() - 1))
            }
        }
    }

    fn answer(&self, inputs: &Inputs) -> Answer {
        let risk = self.trained.risk(&inputs.signals());
        if self.task == Task::Regression {
            return Answer { prediction: Target::Number(round(LEVEL + SPREAD * risk, 100.0)), scores: Vec::new() };
        }
        let scores: Vec<f64> = probabilities(self.task, risk).iter().map(|p| round(*p, 1e6)).collect();
        // the first of equals: at 0.5 a binary model says 0
        let best = scores.iter().enumerate().fold(0, |best, (i, p)| if *p > scores[best] { i } else { best });
        Answer { prediction: self.class(best), scores }
    }

    fn class(&self, class: usize) -> Target {
        if self.task == Task::Multiclass { Target::Class(class.min(CLASSES.len() - 1)) } else { Target::Binary(u8::from(class > 0)) }
    }

    fn draw_latency(&mut self) -> f64 {
        let (median, deviation) = LATENCY;
        let normal: f64 = self.service.sample(StandardNormal);
        round(median * (deviation * normal).exp() * self.latency_factor, 1000.0)
    }
}

/// Probability of each class, from low to high (ordinal logit). Steeper borders where there are more of them, so that each task is about as easy.
fn probabilities(task: Task, risk: f64) -> Vec<f64> {
    let (borders, gain) = if task == Task::Multiclass { (MULTICLASS_BORDERS, 34.0) } else { (BINARY_BORDERS, 17.0) };
    let above = borders.iter().map(|border| 1.0 / (1.0 + (-gain * (risk - border)).exp()));
    let mut upper = 1.0;
    let mut probabilities = Vec::with_capacity(borders.len() + 1);
    for lower in above.chain([0.0]) {
        probabilities.push(upper - lower);
        upper = lower;
    }
    probabilities
}

fn stream(seed: u64, number: u64) -> ChaCha8Rng {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    rng.set_stream(number);
    rng
}

fn round(value: f64, parts: f64) -> f64 {
    (value * parts).round() / parts
}

#[cfg(test)]
mod tests;
