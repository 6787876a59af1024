//! Simulated traffic: what a stationary stream looks like, and what can happen to it. Everything follows from the seed.

use crate::changes::Change;
use crate::watcher::Setup;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal, Uniform};
use statrs::distribution::{ContinuousCDF, Normal};

/// Hours of a reference: two weeks.
pub(crate) const REFERENCE_HOURS: usize = 14 * 24;
/// Shares of the categories of a categorical feature.
const CATEGORIES: [(&str, f64); 5] = [("a", 0.40), ("b", 0.30), ("c", 0.15), ("d", 0.10), ("e", 0.05)];
/// Every fifth feature is categorical.
const CATEGORICAL_EVERY: usize = 5;
/// Share of the positive class among the answers.
pub(crate) const POSITIVE: f64 = 0.4;
/// Share of wrong answers.
pub(crate) const ERRORS: f64 = 0.03;

/// How the rows of a stream hang together.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Kind {
    /// Independent rows.
    Independent,
    /// Each feature is an autoregressive series from row to row, with this correlation.
    Autocorrelated(f64),
    /// Independent rows around a mean that goes up and down with the hour of the day by this many standard deviations.
    Daily(f64),
    /// Independent rows around a mean that is higher by this many standard deviations on Saturdays and Sundays.
    Weekly(f64),
}

/// A stream without a change, and how driftd watches it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct World {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    pub(crate) features: usize,
    /// Rows of an hour: least and most.
    pub(crate) rows: (usize, usize),
    pub(crate) setup: Setup,
}

/// One value of a feature.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Cell {
    Null,
    Number(f64),
    Name(&'static str),
}

/// The rows of one hour, by column.
#[derive(Debug, Default)]
pub(crate) struct Hour {
    pub(crate) features: Vec<Vec<Cell>>,
    /// Answer and truth: whether of the positive class.
    pub(crate) outcomes: Vec<(bool, bool)>,
}

/// A running stream; a copy goes on with the same rows.
#[derive(Debug, Clone)]
pub(crate) struct Stream {
    world: World,
    rng: ChaCha8Rng,
    /// The autoregressive state of each feature, and of the answers.
    latent: Vec<f64>,
    thresholds: Vec<(f64, &'static str)>,
    hour: usize,
}

/// Whether feature `place` is categorical.
pub(crate) fn is_categorical(place: usize) -> bool {
    place % CATEGORICAL_EVERY == 1
}

/// Standard normal distribution.
pub(crate) fn normal() -> Normal {
    Normal::standard()
}

impl Stream {
    /// A stream that begins at this hour of the week.
    pub(crate) fn new(world: World, seed: u64, hour: usize) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let latent = (0..=world.features).map(|_| StandardNormal.sample(&mut rng)).collect();
        let mut below = 0.0;
        let thresholds = CATEGORIES
            .iter()
            .map(|&(name, share)| {
                below += share;
                (if below < 1.0 { normal().inverse_cdf(below) } else { f64::INFINITY }, name)
            })
            .collect();
        Self { world, rng, latent, thresholds, hour }
    }

    /// The next hour, under `change`.
    pub(crate) fn next_hour(&mut self, change: Change) -> Hour {
        let (least, most) = self.world.rows;
        let n = if least == most { least } else { Uniform::new_inclusive(least, most).map_or(least, |d| d.sample(&mut self.rng)) };
        let level = self.level();
        let features = (0..self.world.features).map(|place| self.feature(place, n, level, change)).collect();
        let outcomes = self.outcomes(n, level, change);
        self.hour += 1;
        Hour { features, outcomes }
    }

    /// Where the season has the mean of every feature, in standard deviations.
    fn level(&self) -> f64 {
        match self.world.kind {
            Kind::Daily(amplitude) => amplitude * (std::f64::consts::TAU * (self.hour % 24) as f64 / 24.0).sin(),
            Kind::Weekly(step) if self.hour / 24 % 7 >= 5 => step,
            _ => 0.0,
        }
    }

    fn draw(&mut self, place: usize) -> f64 {
        let shock: f64 = StandardNormal.sample(&mut self.rng);
        match self.world.kind {
            Kind::Autocorrelated(rho) => {
                let next = rho * self.latent[place] + (1.0 - rho * rho).sqrt() * shock;
                self.latent[place] = next;
                next
            }
            _ => shock,
        }
    }

    fn feature(&mut self, place: usize, n: usize, level: f64, change: Change) -> Vec<Cell> {
        let unit = Uniform::new(0.0, 1.0).expect("0 is less than 1");
        (0..n)
            .map(|_| {
                let latent = self.draw(place);
                if is_categorical(place) {
                    if let (Change::NewCategory(share), 1) = (change, place)
                        && unit.sample(&mut self.rng) < share
                    {
                        return Cell::Name("never seen");
                    }
                    let latent = latent + 0.5 * level;
                    return Cell::Name(self.thresholds.iter().find(|(t, _)| latent < *t).map_or("e", |(_, name)| name));
                }
                let latent = match change {
                    Change::Mean(shift) if place == 0 => latent + shift,
                    Change::Variance(factor) if place == 0 => latent * factor,
                    Change::Nulls(share) if place == 0 && unit.sample(&mut self.rng) < share => return Cell::Null,
                    _ => latent,
                };
                // every third numeric feature has a heavy tail
                Cell::Number(if place % 3 == 2 { (latent + level).exp() } else { latent + level })
            })
            .collect()
    }

    fn outcomes(&mut self, n: usize, level: f64, change: Change) -> Vec<(bool, bool)> {
        let unit = Uniform::new(0.0, 1.0).expect("0 is less than 1");
        let more = if let Change::Label(more) = change { more } else { 0.0 };
        let wrong = if let Change::Concept(share) = change { share } else { ERRORS };
        let threshold = normal().inverse_cdf(POSITIVE + more);
        let place = self.world.features;
        (0..n)
            .map(|_| {
                let truth = self.draw(place) - 0.2 * level < threshold;
                let right = unit.sample(&mut self.rng) >= wrong;
                (truth == right, truth)
            })
            .collect()
    }
}
