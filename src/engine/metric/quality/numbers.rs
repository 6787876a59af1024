//! What is read from the sums of a regression.

use super::super::Metric;
use super::Figure;
use crate::engine::summary::{Magnitudes, RegressionSums};
use crate::stats::{NoValue, RegressionTotals, interval};

/// Figures of a regression.
pub(super) const METRICS: &[Metric] =
    &[Metric::Mae, Metric::Rmse, Metric::R2, Metric::Mape, Metric::MedianAbsoluteError, Metric::MeanError];

/// Predictions against labels.
#[derive(Debug, Clone, Copy)]
pub(super) struct Errors<'a>(pub(super) &'a RegressionSums);

impl Errors<'_> {
    /// One figure; `Empty` for one that is not read from numbers. R² has no interval: it would take sums of products of errors and labels; MAPE has none
    /// because a few labels near 0 rule it.
    pub(super) fn figure(self, metric: Metric) -> Figure {
        let totals = self.totals();
        match metric {
            Metric::Mae => Figure::exact(totals.mae(), totals.n).within(totals.mae_interval()),
            Metric::Rmse => Figure::exact(totals.rmse(), totals.n).within(totals.rmse_interval(self.0.sizes.squares())),
            Metric::R2 => Figure::exact(totals.r2(), totals.n),
            // nothing can be said in shares of labels that are all 0
            Metric::Mape if totals.n_relative == 0 && totals.n > 0 => Figure::exact(Err(NoValue::ConstantLabels), totals.n),
            Metric::Mape => Figure::exact(totals.mape(), totals.n_relative),
            Metric::MedianAbsoluteError => self.median(),
            Metric::MeanError => Figure::exact(totals.mean_error(), totals.n).within(totals.mean_error_interval()),
            _ => Figure::exact(Err(NoValue::Empty), totals.n),
        }
    }

    fn median(self) -> Figure {
        let sizes = &self.0.sizes;
        let n = sizes.total();
        let value = match sizes.median() {
            Some(value) => Ok(value),
            None if n == 0 => Err(NoValue::Empty),
            None => Err(NoValue::OutOfRange),
        };
        let ends = interval::median_ranks(n).and_then(|(low, high)| sizes.at(low).zip(sizes.at(high)));
        Figure { bound: value.map_or(0.0, Magnitudes::bound), ..Figure::exact(value, n) }.within(ends)
    }

    fn totals(self) -> RegressionTotals {
        let sums = self.0;
        // a sum of squares whose terms were cut is too small: the labels' spread is then not known, the errors' size at least
        let label_squared = if sums.label_squared.saturated() > 0 { f64::INFINITY } else { sums.label_squared.value() };
        RegressionTotals {
            n: sums.n,
            absolute_error: sums.absolute_error.value(),
            squared_error: sums.squared_error.value(),
            error: sums.error.value(),
            relative_error: sums.relative_error.value(),
            n_relative: sums.n_relative,
            label: sums.label.value(),
            label_squared,
        }
    }
}
