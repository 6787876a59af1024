//! 95 % confidence intervals. `None` where a sample does not say how far its figure may be off.
//!
//! All of them take the pairs of a window as independent of each other; where they are not, the truth is less certain than the interval says.

use super::NoValue;
use ndarray::ArrayView2;

/// 97.5th percentile of the standard normal distribution (`scipy.stats.norm.ppf(0.975)`).
pub const NORMAL_975: f64 = 1.959_963_984_540_054;

/// Occupied cells of a matrix up to which leaving one out is worth its time.
const MOST_CELLS: usize = 400;

/// Of a share of `part` in `whole`: E. B. Wilson's score interval (JASA 22, 1927; statsmodels `proportion_confint(method="wilson")`).
pub fn wilson(part: u64, whole: u64) -> Option<(f64, f64)> {
    if whole == 0 || part > whole {
        return None;
    }
    let (n, share, z2) = (whole as f64, part as f64 / whole as f64, NORMAL_975 * NORMAL_975);
    let centre = (share + z2 / (2.0 * n)) / (1.0 + z2 / n);
    let half = NORMAL_975 / (1.0 + z2 / n) * (share * (1.0 - share) / n + z2 / (4.0 * n * n)).sqrt();
    Some(((centre - half).clamp(0.0, share), (centre + half).clamp(share, 1.0)))
}

/// Of a mean of `n` terms with these sums of terms and of their squares: normal, with the sample's variance. `None` below two terms, or where the sums are
/// beyond the range of numbers.
pub fn mean(n: u64, sum: f64, squares: f64) -> Option<(f64, f64)> {
    if n < 2 {
        return None;
    }
    let (count, mean) = (n as f64, sum / n as f64);
    let variance = ((squares - sum * mean) / (count - 1.0)).max(0.0);
    around(mean, (variance / count).sqrt())
}

/// `value` and 1.96 standard errors to either side.
pub fn around(value: f64, standard_error: f64) -> Option<(f64, f64)> {
    let half = NORMAL_975 * standard_error;
    (value.is_finite() && half.is_finite()).then_some((value - half, value + half))
}

/// Of a share-like value strictly between 0 and 1 on the scale of its logit, which keeps it there. `None` at either end.
pub fn logit(value: f64, standard_error_of_logit: f64) -> Option<(f64, f64)> {
    if !(value > 0.0 && value < 1.0) {
        return None;
    }
    let centre = (value / (1.0 - value)).ln();
    let (low, high) = around(centre, standard_error_of_logit)?;
    let back = |x: f64| 1.0 / (1.0 + (-x).exp());
    Some((back(low), back(high)))
}

/// Of any figure of a confusion matrix: normal, with the jackknife's variance (J. W. Tukey 1958; B. Efron and C. Stein, Annals of Statistics 9, 1981):
/// one pair is left out at a time, all pairs of one cell alike. For smooth figures it is the delta method with its gradient taken from the data.
///
/// `None` where the figure is not defined without one of the pairs, where no pair changes it (nothing went wrong so far, which is no certainty),
/// and where more than 400 cells are occupied.
pub fn jackknife(matrix: ArrayView2<'_, u64>, figure: impl Fn(ArrayView2<'_, u64>) -> Result<f64, NoValue>) -> Option<(f64, f64)> {
    let value = figure(matrix).ok()?;
    let occupied: Vec<((usize, usize), u64)> =
        matrix.indexed_iter().filter(|&(_, &count)| count > 0).map(|(place, &count)| (place, count)).collect();
    if occupied.len() > MOST_CELLS {
        return None;
    }
    let mut without = matrix.to_owned();
    let mut values = Vec::with_capacity(occupied.len());
    for &(place, count) in &occupied {
        without[place] -= 1;
        values.push((figure(without.view()).ok()?, count as f64));
        without[place] += 1;
    }
    let n = matrix.sum() as f64;
    let mean = values.iter().map(|(v, count)| v * count).sum::<f64>() / n;
    let squares = values.iter().map(|(v, count)| count * (v - mean) * (v - mean)).sum::<f64>();
    let error = ((n - 1.0) / n * squares).sqrt();
    if error > 0.0 { around(value, error) } else { None }
}

/// Ranks (from 1) between which the median of `n` values lies with 95 %, by the binomial distribution's normal approximation
/// (W. J. Conover, *Practical Nonparametric Statistics*, 1999, §3.2). `None` for fewer than ten values.
pub fn median_ranks(n: u64) -> Option<(u64, u64)> {
    if n < 10 {
        return None;
    }
    let (half, spread) = (n as f64 / 2.0, NORMAL_975 * (n as f64).sqrt() / 2.0);
    Some((((half - spread).floor() as u64).max(1), ((half + spread).ceil() as u64 + 1).min(n)))
}
