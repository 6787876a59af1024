//! HDDM-A and HDDM-W.

use super::{Change, Sides, usable_share};
use serde::{Deserialize, Serialize};

/// How much larger than that of a change the probability of a false warning is (0.005 to 0.001).
const WARNING: f64 = 5.0;

/// What it means that a mean has left its bound at some probability of a false change.
fn change(confidence: f64, has_left: impl Fn(f64) -> bool) -> Change {
    if has_left(confidence) {
        Change::Drift
    } else if has_left((WARNING * confidence).min(1.0)) {
        Change::Warning
    } else {
        Change::None
    }
}
/// Weight of the newest value in a weighted average.
const LAMBDA: f64 = 0.05;

/// The mean since the last change against the mean up to its lowest point, by Hoeffding's inequality (Frías-Blanco et al., *Online and
/// Non-Parametric Drift Detection Methods Based on Hoeffding's Bounds*, IEEE TKDE 2015, A-test). Values of 0 to 1.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct HddmA {
    confidence: f64,
    sides: Sides,
    all: Prefix,
    lowest: Prefix,
    highest: Prefix,
}

/// The first `n` values, and their sum.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
struct Prefix {
    n: u64,
    sum: f64,
}

impl Prefix {
    fn mean(self) -> f64 {
        self.sum / self.n as f64
    }

    /// Distance of the mean from the expectation that is passed with probability `confidence`.
    fn bound(self, confidence: f64) -> f64 {
        ((2.0 * self.n as f64).recip() * confidence.recip().ln()).sqrt()
    }

    /// Whether the mean of `all` differs from that of this beginning of it by more than chance; `sign` 1: lies above, −1: below.
    fn is_left(self, all: Self, sign: f64, confidence: f64) -> bool {
        if self.n == all.n {
            return false;
        }
        let m = (all.n - self.n) as f64 / self.n as f64 / all.n as f64;
        sign * (all.mean() - self.mean()) >= (m / 2.0 * (2.0 / confidence).ln()).sqrt()
    }
}

impl HddmA {
    /// `confidence`: the probability of a false change, by the bound (0 to 1).
    pub fn new(confidence: f64, sides: Sides) -> Self {
        Self { confidence, sides, all: Prefix::default(), lowest: Prefix::default(), highest: Prefix::default() }
    }

    /// Takes the next value (0 to 1).
    pub fn update(&mut self, value: f64) -> Change {
        let Some(value) = usable_share(value) else { return Change::None };
        self.all.n += 1;
        self.all.sum += value;
        let (all, confidence) = (self.all, self.confidence);
        if self.lowest.n == 0 || all.mean() + all.bound(confidence) <= self.lowest.mean() + self.lowest.bound(confidence) {
            self.lowest = all;
        }
        if self.highest.n == 0 || all.mean() - all.bound(confidence) >= self.highest.mean() - self.highest.bound(confidence) {
            self.highest = all;
        }
        let has_left = |confidence| {
            let fallen = || self.sides == Sides::Both && self.highest.is_left(all, -1.0, confidence);
            self.lowest.is_left(all, 1.0, confidence) || fallen()
        };
        let change = change(confidence, has_left);
        if change == Change::Drift {
            *self = Self::new(confidence, self.sides);
        }
        change
    }
}

/// The weighted mean since its lowest point against the weighted mean at that point, by McDiarmid's inequality (the same paper, W-test): quicker with
/// gradual changes. Values of 0 to 1.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct HddmW {
    confidence: f64,
    sides: Sides,
    all: Option<Weighted>,
    rise: Split,
    fall: Split,
}

/// A weighted mean, and the sum of the squared weights in it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
struct Weighted {
    mean: f64,
    weights: f64,
}

/// The weighted mean at the extreme point, and that of what came after it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
struct Split {
    before: Option<Weighted>,
    after: Option<Weighted>,
}

impl Weighted {
    /// The mean with one value more. The first value has the weight 1 in the mean and 1 − λ in the bound, as in river.
    fn with(before: Option<Self>, value: f64) -> Self {
        let Self { mean, weights } = before.unwrap_or(Self { mean: value, weights: 1.0 });
        let kept = 1.0 - LAMBDA;
        Self { mean: LAMBDA * value + kept * mean, weights: LAMBDA * LAMBDA + kept * kept * weights }
    }

    fn bound(self, confidence: f64) -> f64 {
        (self.weights * confidence.recip().ln() / 2.0).sqrt()
    }
}

impl Split {
    /// Takes a value; `all`: the mean with it; `sign` 1: the extreme is the lowest point, −1: the highest.
    fn take(&mut self, all: Weighted, value: f64, sign: f64, confidence: f64) {
        let level = |w: Weighted| sign * w.mean + w.bound(confidence);
        if self.before.is_none_or(|before| level(all) < level(before)) {
            *self = Self { before: Some(all), after: None };
        } else {
            self.after = Some(Weighted::with(self.after, value));
        }
    }

    fn is_left(self, sign: f64, confidence: f64) -> bool {
        let (Some(before), Some(after)) = (self.before, self.after) else { return false };
        let both = Weighted { mean: 0.0, weights: before.weights + after.weights };
        sign * (after.mean - before.mean) > both.bound(confidence)
    }
}

impl HddmW {
    /// `confidence`: the probability of a false change, by the bound (0 to 1).
    pub fn new(confidence: f64, sides: Sides) -> Self {
        Self { confidence, sides, all: None, rise: Split::default(), fall: Split::default() }
    }

    /// Takes the next value (0 to 1).
    pub fn update(&mut self, value: f64) -> Change {
        let Some(value) = usable_share(value) else { return Change::None };
        let (all, confidence) = (Weighted::with(self.all, value), self.confidence);
        self.all = Some(all);
        self.rise.take(all, value, 1.0, confidence);
        self.fall.take(all, value, -1.0, confidence);
        let has_left =
            |confidence| self.rise.is_left(1.0, confidence) || (self.sides == Sides::Both && self.fall.is_left(-1.0, confidence));
        let change = change(confidence, has_left);
        if change == Change::Drift {
            *self = Self::new(confidence, self.sides);
        }
        change
    }
}
