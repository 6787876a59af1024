//! DDM.

use super::{Change, usable_share};
use serde::{Deserialize, Serialize};

/// Answers up to which nothing is reported.
const WARM_UP: u64 = 30;
/// Standard deviations above the best error rate so far that are a warning (and below: a change).
const WARNING: f64 = 2.0;
const DRIFT: f64 = 3.0;

/// The drift detection method: the error rate since the last change against its lowest point (Gama, Medas, Castillo, Rodrigues, *Learning with
/// Drift Detection*, SBIA 2004). It finds rising errors only.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Ddm {
    n: u64,
    rate: f64,
    /// Rate and standard deviation where their sum was least.
    best: Option<(f64, f64)>,
}

impl Ddm {
    /// Takes the next answer: 1 wrong, 0 right.
    pub fn update(&mut self, value: f64) -> Change {
        let Some(value) = usable_share(value) else { return Change::None };
        self.n += 1;
        self.rate += (value - self.rate) / self.n as f64;
        if self.n <= WARM_UP {
            return Change::None;
        }
        let spread = (self.rate * (1.0 - self.rate) / self.n as f64).max(0.0).sqrt();
        let level = self.rate + spread;
        let (rate, best_spread) = match self.best {
            Some((rate, best_spread)) if level > rate + best_spread => (rate, best_spread),
            _ => *self.best.insert((self.rate, spread)),
        };
        if level > rate + DRIFT * best_spread {
            *self = Self::default();
            Change::Drift
        } else if level > rate + WARNING * best_spread {
            Change::Warning
        } else {
            Change::None
        }
    }
}
