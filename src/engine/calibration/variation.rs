//! Figures of many windows → how they vary.

use crate::engine::catalogue::Metric;
use crate::engine::reference::{Variation, is_distance};
use crate::stats::gamma_quantile;

/// One window in 10,000 of traffic like the reference's is above the ceiling: of hourly windows about one a year.
const CEILING: f64 = 1.0 - 1e-4;

/// How sure it is to be that the true spread is no greater than the one taken.
const CONFIDENCE: f64 = 0.95;

/// Fewer values of one figure say too little of how it varies.
const LEAST_VALUES: u32 = 8;

/// Mean and spread, value by value (Welford, Technometrics 4, 1962).
#[derive(Debug, Clone, Copy, Default)]
struct Moments {
    n: u32,
    mean: f64,
    squares: f64,
}

impl Moments {
    fn add(&mut self, value: f64) {
        self.n += 1;
        let above = value - self.mean;
        self.mean += above / f64::from(self.n);
        self.squares += above * (value - self.mean);
    }

    fn std(self) -> f64 {
        (self.squares.max(0.0) / f64::from(self.n.max(2) - 1)).sqrt()
    }
}

/// What the windows show of one figure; they come in order, so the result is always the same.
#[derive(Debug, Clone, Copy)]
pub(super) struct Spread {
    values_behind: u64,
    of_values: Moments,
    of_squares: Moments,
    min: f64,
    max: f64,
}

impl Default for Spread {
    fn default() -> Self {
        let (of_values, of_squares) = Default::default();
        Self { values_behind: 0, of_values, of_squares, min: f64::INFINITY, max: f64::NEG_INFINITY }
    }
}

impl Spread {
    /// Takes the figure of one window, made from `n` values.
    pub(super) fn add(&mut self, value: f64, n: u64) {
        self.values_behind += n;
        self.of_values.add(value);
        self.of_squares.add(value * value);
        self.min = self.min.min(value);
        self.max = self.max.max(value);
    }

    /// What was found of `metric`; `None` for too few windows, and for figures beyond the range of numbers.
    pub(super) fn variation(self, metric: Metric, timed: bool) -> Option<Variation> {
        let (windows, mean, std) = (self.of_values.n, self.of_values.mean, self.of_values.std());
        if windows < LEAST_VALUES {
            return None;
        }
        let (min, max) = (self.min, self.max);
        let of_square = if is_distance(metric) { ceiling(self.of_squares).map(f64::sqrt) } else { None };
        let ceiling = of_square.or(ceiling(self.of_values)).unwrap_or(f64::NAN).max(max);
        let n = self.values_behind / u64::from(windows);
        let found = Variation { timed, windows, n, mean, std, min, max, ceiling };
        [mean, std, min, max, ceiling].iter().all(|v| v.is_finite()).then_some(found)
    }
}

/// What one window in 10,000 is above: of a gamma distribution with the mean that was seen and the greatest spread that the windows leave possible. Squared
/// distances are close to it, being sums of squares, so a distance is taken by its square. A figure that can be negative has none, and is taken as normal.
fn ceiling(moments: Moments) -> Option<f64> {
    const NORMAL_CEILING: f64 = 3.719_016_485_455_68;
    let std = moments.std() * possible_spread(moments.n);
    let found = gamma_quantile(moments.mean, std, CEILING).unwrap_or(moments.mean + NORMAL_CEILING * std);
    found.is_finite().then_some(found)
}

/// The upper end of the one-sided confidence interval of a standard deviation, over its estimate: √((w−1)/χ²₀.₀₅(w−1)), 1.8 for 8 windows, 1.1 for 168.
/// The few windows of a short reference show too little of the tail as a rule.
fn possible_spread(windows: u32) -> f64 {
    let degrees = f64::from(windows.saturating_sub(1));
    let least = gamma_quantile(degrees, (2.0 * degrees).sqrt(), 1.0 - CONFIDENCE);
    least.filter(|&least| least > 0.0).map_or(1.0, |least| (degrees / least).sqrt())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn variation_of(metric: Metric, values: &[f64]) -> Option<Variation> {
        let mut spread = Spread::default();
        values.iter().for_each(|&value| spread.add(value, 100));
        spread.variation(metric, true)
    }

    fn variation(values: &[f64]) -> Option<Variation> {
        variation_of(Metric::Psi, values)
    }

    #[test]
    fn moments_of_the_windows() {
        // the variance is 42/7
        let found = variation(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0]).unwrap();
        assert_eq!((found.windows, found.n, found.mean, found.min, found.max), (8, 100, 4.5, 1.0, 8.0));
        assert!((found.std - 6f64.sqrt()).abs() < 1e-12);
        assert!(found.ceiling > 4.5 + 4.0 * found.std, "skewed, and from few windows: {found:?}");
    }

    #[test]
    fn few_windows_leave_much_possible() {
        // tables of chi-square: its 5th percentile is 2.167 for 7 degrees of freedom
        assert!((possible_spread(8) - (7.0f64 / 2.167).sqrt()).abs() < 1e-3, "{}", possible_spread(8));
        assert!((possible_spread(168) - 1.1).abs() < 0.01, "{}", possible_spread(168));
    }

    #[test]
    fn what_never_varies_has_its_value_as_ceiling() {
        assert_eq!(variation(&[0.0; 20]).unwrap().ceiling, 0.0);
        assert_eq!(variation(&[0.25; 20]).unwrap().ceiling, 0.25);
    }

    #[test]
    fn a_distance_has_the_ceiling_of_its_square() {
        let distances: Vec<f64> = (1..=20).map(|i| f64::from(i) / 100.0).collect();
        let squares: Vec<f64> = distances.iter().map(|d| d * d).collect();
        let (root, square) = (variation_of(Metric::Ks, &distances).unwrap(), variation(&squares).unwrap());
        assert!((root.ceiling - square.ceiling.sqrt()).abs() < 1e-12);
        let huge: Vec<f64> = distances.iter().map(|d| d * 1e100).collect();
        let huge = variation_of(Metric::Wasserstein, &huge).unwrap();
        assert!(huge.ceiling > 2e99 && huge.ceiling.is_finite(), "the spread of whose squares is beyond numbers");
    }

    #[test]
    fn too_few_windows_and_numbers_too_large_are_not_known() {
        assert_eq!(variation(&[1.0; 7]), None);
        assert_eq!(variation(&[1e300, -1e300, 1e300, -1e300, 1e300, -1e300, 1e300, -1e300]), None);
    }

    #[test]
    fn negative_figures_are_taken_as_normal() {
        let found = variation(&[-1.0, -2.0, -3.0, -1.5, -2.5, -2.0, -1.0, -3.0, -2.0]).unwrap();
        assert!((found.ceiling - (found.mean + 3.719 * found.std * possible_spread(9))).abs() < 1e-3);
    }
}
