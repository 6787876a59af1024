//! Figures of many windows → how they vary.

use crate::engine::reference::Variation;
use crate::stats::gamma_quantile;

/// One window in 10,000 of traffic like the reference's is above the ceiling: of hourly windows about one a year.
const CEILING: f64 = 1.0 - 1e-4;

/// How sure it is to be that the true spread is no greater than the one taken.
const CONFIDENCE: f64 = 0.95;

/// Fewer values of one figure say too little of how it varies.
const LEAST_VALUES: u32 = 8;

/// Mean and spread of one figure, value by value (Welford, Technometrics 4, 1962); values come in the order of the windows, so the result is always the same.
#[derive(Debug, Clone, Copy)]
pub(super) struct Spread {
    windows: u32,
    values_behind: u64,
    mean: f64,
    squares: f64,
    min: f64,
    max: f64,
}

impl Default for Spread {
    fn default() -> Self {
        Self { windows: 0, values_behind: 0, mean: 0.0, squares: 0.0, min: f64::INFINITY, max: f64::NEG_INFINITY }
    }
}

impl Spread {
    /// Takes the figure of one window, made from `n` values.
    pub(super) fn add(&mut self, value: f64, n: u64) {
        self.windows += 1;
        self.values_behind += n;
        let above = value - self.mean;
        self.mean += above / f64::from(self.windows);
        self.squares += above * (value - self.mean);
        self.min = self.min.min(value);
        self.max = self.max.max(value);
    }

    /// What was found; `None` for too few windows, and for figures beyond the range of numbers.
    pub(super) fn variation(self, timed: bool) -> Option<Variation> {
        let Self { windows, mean, min, max, .. } = self;
        if windows < LEAST_VALUES {
            return None;
        }
        let std = (self.squares.max(0.0) / f64::from(windows - 1)).sqrt();
        let ceiling = ceiling(mean, std, windows).max(max);
        let n = self.values_behind / u64::from(windows);
        let found = Variation { timed, windows, n, mean, std, min, max, ceiling };
        [mean, std, min, max, ceiling].iter().all(|v| v.is_finite()).then_some(found)
    }
}

/// What one window in 10,000 is above: of a gamma distribution with the mean that was seen and the greatest spread that the windows leave possible. A figure
/// that can be negative has none, and is taken as normal.
fn ceiling(mean: f64, std: f64, windows: u32) -> f64 {
    const NORMAL_CEILING: f64 = 3.719_016_485_455_68;
    let std = std * possible_spread(windows);
    gamma_quantile(mean, std, CEILING).unwrap_or(mean + NORMAL_CEILING * std)
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

    fn variation(values: &[f64]) -> Option<Variation> {
        let mut spread = Spread::default();
        values.iter().for_each(|&value| spread.add(value, 100));
        spread.variation(true)
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
