//! Figures that are expected rather than counted, with the error that the expectation may have.

use super::Pool;

/// 97.5th percentile of the normal distribution (`scipy.stats.norm.ppf(0.975)`).
const NORMAL_97_5: f64 = 1.959_963_984_540_054;

/// A figure that follows from what was learned on one sample and seen in another.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Estimate {
    /// The figure.
    pub value: f64,
    /// Variance of the counted figure around it, were what was learned exact: the window's rows may turn out either way.
    pub sampling: f64,
    /// Variance of the figure itself, because what was learned comes from a finite sample.
    pub learning: f64,
}

impl Estimate {
    /// Where the counted figure lies with a chance of 95 %, if what was learned still holds (normal approximation).
    pub fn interval(self) -> (f64, f64) {
        let reach = NORMAL_97_5 * (self.sampling + self.learning).sqrt();
        (self.value - reach, self.value + reach)
    }

    /// The mean of figures over the same rows. How they depend on each other is not known: the standard error of a mean is at most the mean of the
    /// standard errors, and that is taken. `None` without any.
    pub fn mean(of: &[Self]) -> Option<Self> {
        let n = of.len() as f64;
        let mean = |part: fn(&Self) -> f64| of.iter().map(part).sum::<f64>() / n;
        let (sampling, learning) = (mean(|e| e.sampling.sqrt()), mean(|e| e.learning.sqrt()));
        (!of.is_empty()).then(|| Self { value: mean(|e| e.value), sampling: sampling * sampling, learning: learning * learning })
    }

    /// The sum of figures over rows that no two of them share; what they learned may be from the same sample, see [`Estimate::mean`].
    pub fn sum(of: &[Self]) -> Self {
        let sum = |part: fn(&Self) -> f64| of.iter().map(part).sum::<f64>();
        let learning = sum(|e| e.learning.sqrt());
        Self { value: sum(|e| e.value), sampling: sum(|e| e.sampling), learning: learning * learning }
    }

    /// The figure in another unit.
    pub fn scaled(self, by: f64) -> Self {
        Self { value: self.value * by, sampling: self.sampling * by * by, learning: self.learning * by * by }
    }

    /// The square root of a figure that is not negative (delta method).
    pub fn sqrt(self) -> Self {
        let value = self.value.max(0.0).sqrt();
        let slope = if value > 0.0 { 0.5 / value } else { 0.0 };
        Self { value, sampling: self.sampling * slope * slope, learning: self.learning * slope * slope }
    }
}

/// What was learned about the rows of one group.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Group {
    /// Rows it was learned from; at least 1.
    pub n: u64,
    /// Their mean.
    pub mean: f64,
    /// Their population variance.
    pub variance: f64,
}

/// The mean over a window's rows of a quantity whose distribution depends on the group only: Σ nᵍ·meanᵍ / Σ nᵍ. `None` without a row, or where it is
/// beyond the range of numbers.
pub fn expected_mean(groups: impl Iterator<Item = (u64, Group)>) -> Option<Estimate> {
    let groups: Vec<(u64, Group)> = groups.filter(|(n, _)| *n > 0).collect();
    let total = groups.iter().map(|(n, _)| *n).sum::<u64>() as f64;
    let mut estimate = Estimate { value: 0.0, sampling: 0.0, learning: 0.0 };
    for (n, group) in &groups {
        let share = *n as f64 / total;
        estimate.value += share * group.mean;
        estimate.sampling += share * (group.variance / total);
        estimate.learning += share * share * (group.variance / group.n.max(1) as f64);
    }
    (total > 0.0 && estimate.value.is_finite() && (estimate.sampling + estimate.learning).is_finite()).then_some(estimate)
}

/// The chance that a score's answer is yes, between the shares of two neighbouring pools (or of one: `low` = `high`).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Chance {
    /// Place of the lower pool.
    pub low: usize,
    /// Place of the upper pool.
    pub high: usize,
    /// How far the score lies from the lower towards the upper (0 to 1).
    pub weight: f64,
}

impl Chance {
    /// The chance (0 to 1); 0 where a pool does not exist.
    pub fn of(self, pools: &[Pool]) -> f64 {
        let share = |place: usize| pools.get(place).map_or(0.0, Pool::share);
        share(self.low) * (1.0 - self.weight) + share(self.high) * self.weight
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expected_means_by_hand() {
        let small = Group { n: 100, mean: 2.0, variance: 1.0 };
        let large = Group { n: 25, mean: 10.0, variance: 16.0 };
        let estimate = expected_mean([(30, small), (0, large), (10, large)].into_iter()).unwrap();
        assert_eq!(estimate.value, 4.0);
        // (30·1 + 10·16) / 40², and .75²·1/100 + .25²·16/25
        assert!((estimate.sampling - 190.0 / 1600.0).abs() < 1e-15);
        assert!((estimate.learning - (0.005_625 + 0.04)).abs() < 1e-15);
        let (from, to) = estimate.interval();
        let reach = 1.959_963_984_540_054 * (0.118_75f64 + 0.045_625).sqrt();
        assert!((from - (4.0 - reach)).abs() < 1e-12 && (to - (4.0 + reach)).abs() < 1e-12);
        let root = estimate.sqrt();
        assert_eq!((root.value, root.sampling), (2.0, estimate.sampling / 16.0));
        assert_eq!(expected_mean([(0, small)].into_iter()), None);
        assert_eq!(
            expected_mean([(1, Group { mean: f64::MAX, ..large }), (1, Group { variance: f64::INFINITY, ..large })].into_iter()),
            None
        );
    }

    #[test]
    fn dependent_figures_are_taken_at_their_worst() {
        let estimate = |value, sampling, learning| Estimate { value, sampling, learning };
        let pair = [estimate(0.25, 4.0, 1.0), estimate(0.75, 16.0, 9.0)];
        assert_eq!(Estimate::mean(&pair), Some(estimate(0.5, 9.0, 4.0)));
        assert_eq!(Estimate::sum(&pair), estimate(1.0, 20.0, 16.0));
        assert_eq!(Estimate::mean(&[]), None);
    }
}
