//! EDDM.

use super::{Change, usable_share};
use serde::{Deserialize, Serialize};

/// Answers, and errors, up to which nothing is reported.
const WARM_UP: u64 = 30;

/// The early drift detection method: the distance between two errors, mean plus two standard deviations, against its highest point (Baena-García et al.,
/// *Early Drift Detection Method*, IWKDDS 2006). It finds errors that come closer together only.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Eddm {
    warning: f64,
    drift: f64,
    n: u64,
    n_errors: u64,
    last_error: u64,
    mean: f64,
    /// Sum of squared deviations of the distances from their mean.
    squares: f64,
    highest: f64,
    /// A warning holds until the next error.
    warned: bool,
}

impl Eddm {
    /// `warning`, `drift`: parts of the highest point below which it warns, and below which the stream has changed (0.95 and 0.90 by the paper).
    pub fn new(warning: f64, drift: f64) -> Self {
        let (n, n_errors, last_error) = (0, 0, 0);
        Self { warning, drift, n, n_errors, last_error, mean: 0.0, squares: 0.0, highest: 0.0, warned: false }
    }

    /// Takes the next answer: 0 right, anything else wrong.
    pub fn update(&mut self, value: f64) -> Change {
        let Some(value) = usable_share(value) else { return Change::None };
        self.n += 1;
        if value > 0.0 {
            let part = self.error();
            self.warned = part.is_some_and(|part| part < self.warning);
            if part.is_some_and(|part| part < self.drift) {
                *self = Self::new(self.warning, self.drift);
                return Change::Drift;
            }
        }
        if self.warned { Change::Warning } else { Change::None }
    }

    /// Notes an error; where the distances stand by now, as a part of their highest point.
    fn error(&mut self) -> Option<f64> {
        let distance = (self.n - self.last_error) as f64;
        (self.n_errors, self.last_error) = (self.n_errors + 1, self.n);
        let before = self.mean;
        self.mean += (distance - self.mean) / self.n_errors as f64;
        self.squares += (distance - before) * (distance - self.mean);
        if self.n <= WARM_UP {
            return None;
        }
        let variance = if self.n_errors > 1 { self.squares / (self.n_errors - 1) as f64 } else { 0.0 };
        let level = self.mean + 2.0 * variance.max(0.0).sqrt();
        if level > self.highest {
            self.highest = level;
            return None;
        }
        (self.n_errors > WARM_UP).then(|| level / self.highest)
    }
}
