//! Quality of a regression from sums.

use super::{NoValue, interval};

/// Share of Σ(y−c)² below which the labels' spread drowns in the rounding of the sums.
const SPREAD_RESOLUTION: f64 = 1e-13;

/// Sums over n pairs of prediction and label y, with e = prediction − y and c a fixed centre near the labels' mean, so that
/// the spread of the labels does not drown in their offset.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct RegressionTotals {
    /// Number of pairs.
    pub n: u64,
    /// Σ|e|, in the label's unit.
    pub absolute_error: f64,
    /// Σe², in the square of the label's unit.
    pub squared_error: f64,
    /// Σe, in the label's unit.
    pub error: f64,
    /// Σ|e|/|y| over the pairs whose label is not 0.
    pub relative_error: f64,
    /// Number of those pairs.
    pub n_relative: u64,
    /// Σ(y−c), in the label's unit.
    pub label: f64,
    /// Σ(y−c)², in the square of the label's unit.
    pub label_squared: f64,
}

impl RegressionTotals {
    /// Mean absolute error Σ|e| / n (scikit-learn `mean_absolute_error`).
    pub fn mae(self) -> Result<f64, NoValue> {
        self.mean(self.absolute_error)
    }

    /// Root of the mean squared error, √(Σe² / n) (scikit-learn `root_mean_squared_error`).
    pub fn rmse(self) -> Result<f64, NoValue> {
        self.mean(self.squared_error).map(f64::sqrt)
    }

    /// Mean error (bias) Σe / n: positive where predictions are too high.
    pub fn mean_error(self) -> Result<f64, NoValue> {
        self.mean(self.error)
    }

    /// Mean absolute percentage error as a share, Σ|e|/|y| / n, over the pairs whose label is not 0. scikit-learn's
    /// `mean_absolute_percentage_error` divides by 2.2e-16 instead where the label is 0. `Empty` where every label is 0.
    pub fn mape(self) -> Result<f64, NoValue> {
        Self { n: self.n_relative, ..self }.mean(self.relative_error)
    }

    /// 95 % interval of the mean absolute error, from the spread Σe² of its terms |e|.
    pub fn mae_interval(self) -> Option<(f64, f64)> {
        interval::mean(self.n, self.absolute_error, self.squared_error)
    }

    /// 95 % interval of the root of the mean squared error: the root of that of the mean of e² (the delta method on the scale on which it is a mean).
    /// `powers`: Σe² and Σe⁴ from the same source, which may be inexact; only the spread of e² is taken from them.
    pub fn rmse_interval(self, powers: Option<(f64, f64)>) -> Option<(f64, f64)> {
        let (squares, fourths) = powers.filter(|_| self.n >= 2)?;
        let n = self.n as f64;
        let variance = ((fourths - squares * (squares / n)) / (n - 1.0)).max(0.0);
        let (low, high) = interval::around(self.squared_error / n, (variance / n).sqrt())?;
        Some((low.max(0.0).sqrt(), high.sqrt()))
    }

    /// 95 % interval of the mean error.
    pub fn mean_error_interval(self) -> Option<(f64, f64)> {
        interval::mean(self.n, self.error, self.squared_error)
    }

    /// Coefficient of determination 1 − Σe² / Σ(y−ȳ)² (scikit-learn `r2_score`), with Σ(y−ȳ)² = Σ(y−c)² − (Σ(y−c))² / n.
    ///
    /// Not defined for labels that are all equal (one label included), where scikit-learn says 1, 0 or NaN.
    pub fn r2(self) -> Result<f64, NoValue> {
        self.mean(self.squared_error)?;
        let n = self.n as f64;
        let (squares, square) = (n * self.label_squared, self.label * self.label);
        let spread = squares - square;
        let value = 1.0 - self.squared_error * (n / spread);
        if !squares.is_finite() || !square.is_finite() {
            Err(NoValue::OutOfRange)
        } else if spread <= SPREAD_RESOLUTION * squares {
            Err(NoValue::ConstantLabels)
        } else if value.is_finite() {
            Ok(value)
        } else {
            Err(NoValue::OutOfRange)
        }
    }

    fn mean(self, sum: f64) -> Result<f64, NoValue> {
        match self.n {
            0 => Err(NoValue::Empty),
            _ if !sum.is_finite() => Err(NoValue::OutOfRange),
            n => Ok(sum / n as f64),
        }
    }
}
