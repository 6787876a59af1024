//! How much the figures of a reference vary from one of its own windows to the next: what "normal" is for traffic that is not independent.
//!
//! Not here: cutting the reference into windows and measuring them (`engine::calibration`).

use crate::engine::catalogue::{Family, Metric, Range, Subject};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Figures of a reference's own windows.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Calibration {
    /// Length of the windows, in milliseconds; 0: they are blocks of consecutive rows, because the reference's rows have no times.
    pub window_ms: i64,
    /// Windows that were measured.
    pub windows: u32,
    /// By subject and metric.
    pub figures: BTreeMap<(Subject, Metric), Variation>,
    /// Distances over bins of each window from the one a week earlier, where the reference is longer than a week: of those what differs between the hours of a
    /// week is no part.
    pub week_apart: BTreeMap<(Subject, Metric), Variation>,
}

/// One figure over the windows of the reference.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Variation {
    /// Whether the windows were cut by time, and so hold what differs between hours; else they are blocks of rows.
    pub timed: bool,
    /// The share of the figure (of its square, of its variance: what shrinks with the number of values) that values drawn by chance from the whole
    /// reference do not explain, and no number of values averages out: 0 to 1. 0 for blocks.
    pub lasting: f64,
    /// Windows that had a value.
    pub windows: u32,
    /// Mean number of values behind one.
    pub n: u64,
    /// Mean of the figure.
    pub mean: f64,
    /// Its standard deviation from window to window (n−1).
    pub std: f64,
    /// Least value.
    pub min: f64,
    /// Greatest value.
    pub max: f64,
    /// What one window in 10,000 is above, as far as the windows tell; at least `max`.
    pub ceiling: f64,
}

/// What is normal for a figure of a window of a certain size.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Normal {
    /// Mean from window to window.
    pub mean: f64,
    /// Standard deviation from window to window.
    pub sigma: f64,
    /// Readings up to this are what windows of the reference itself show; only of figures that are a distance from the reference.
    pub noise_floor: Option<f64>,
}

impl Calibration {
    /// Whether it is one that calibration makes; says what is wrong.
    pub(super) fn check(&self) -> Result<(), String> {
        for ((subject, metric), figure) in self.figures.iter().chain(&self.week_apart) {
            let numbers = [figure.mean, figure.std, figure.min, figure.max, figure.ceiling];
            if numbers.iter().any(|v| !v.is_finite()) || figure.std < 0.0 || !(0.0..=1.0).contains(&figure.lasting) {
                return Err(format!("the calibration of {} on {subject} holds no numbers", metric.as_str()));
            }
        }
        Ok(())
    }

    /// What is normal for `metric` on `subject` in a window of `n` values, against a reference of `m`; `None`: not known.
    pub fn normal(&self, subject: &Subject, metric: Metric, n: u64, m: u64) -> Option<Normal> {
        self.figures.get(&(subject.clone(), metric))?.normal(metric, n, m)
    }

    /// The noise floor of a distance between two windows of `n` and `other` values, where the reference has `m`; `None`: not known, or no distance.
    ///
    /// A window of the past is a smaller sample than the reference, and noisier. What differs between hours can at most be twice as far apart in two windows as
    /// it is from their mean; the floor does not add that: that two hours of a day differ is what a condition on the previous window asks about.
    ///
    /// `week_apart`: whether the two are the same hour of two weeks; a reference that has such pairs then says what they show.
    pub fn floor_between(&self, subject: &Subject, metric: Metric, [n, other]: [u64; 2], m: u64, week_apart: bool) -> Option<f64> {
        let pair = self.week_apart.get(&(subject.clone(), metric)).filter(|_| week_apart && n > 0 && other > 0);
        if let Some(figure) = pair {
            return figure.against(metric, Sizes { n, other, m: figure.n })?.noise_floor;
        }
        let figure = self.figures.get(&(subject.clone(), metric)).filter(|_| n > 0 && other > 0)?;
        figure.against(metric, Sizes { n, other, m })?.noise_floor
    }
}

impl Variation {
    /// What is normal for a window of `n` values against a reference of `m`; `None` for an empty one.
    pub fn normal(&self, metric: Metric, n: u64, m: u64) -> Option<Normal> {
        self.against(metric, Sizes { n, other: m, m })
    }

    fn against(&self, metric: Metric, sizes: Sizes) -> Option<Normal> {
        if sizes.n == 0 || self.n == 0 {
            return None;
        }
        let (growth, by) = (Growth::of(metric), self.growth(metric, sizes));
        // the figure of a window alone keeps its mean, and only its spread depends on the size
        let (mean, ceiling) = match growth {
            Growth::OfTheWindow => (self.mean, self.mean + (self.ceiling - self.mean) * by),
            Growth::SquaredDistance | Growth::Distance | Growth::Statistic => (self.mean * by, self.ceiling * by),
        };
        let floor = matches!(metric.family(), Family::Distance | Family::Inputs).then(|| within(metric, ceiling));
        let normal = Normal { mean: within(metric, mean), sigma: self.std * by, noise_floor: floor };
        [normal.mean, normal.sigma, ceiling].iter().all(|v| v.is_finite()).then_some(normal)
    }

    /// By how much figures of windows of `n` values are larger (or vary more) than those of the windows that were measured.
    ///
    /// The noise of a squared distance of two samples shrinks with `1/n + 1/m`, whatever the distance, and with values that depend on each other too, because
    /// those only make n and m count for less. With `r = (1/n + 1/m)/(1/n_w + 1/m)`, n_w the size of the reference's windows:
    /// squared distances grow by r, distances by √r, test statistics (squared distances over their noise) not at all, figures of the
    /// window alone vary by √(n_w/n).
    ///
    /// A window larger than the reference's (r < 1) is quieter only where what varies averages out. Blocks of consecutive rows are short, what they vary by
    /// is taken for dependence of neighbours, and it does. Windows cut by time also vary by the hour of the day and the day of the week, which no number of
    /// values averages out: of those only what chance explains shrinks, by `lasting + (1 − lasting)·r` (and a statistic, being divided by a smaller
    /// noise, grows by that over r). A reference is often a sample: few rows an hour, of which most that varies is chance, beside thousands live.
    fn growth(&self, metric: Metric, sizes: Sizes) -> f64 {
        let share = |n: u64| if n == 0 { 0.0 } else { 1.0 / n as f64 };
        let Sizes { n, other, m } = sizes;
        let growth = Growth::of(metric);
        let ratio = match growth {
            Growth::OfTheWindow => share(n) / share(self.n),
            _ => (share(n) + share(other)) / (share(self.n) + share(m)),
        };
        let allowed = if ratio < 1.0 { self.lasting + (1.0 - self.lasting) * ratio } else { ratio };
        match growth {
            Growth::SquaredDistance => allowed,
            Growth::Distance | Growth::OfTheWindow => allowed.sqrt(),
            Growth::Statistic => allowed / ratio,
        }
    }
}

/// Numbers of values.
#[derive(Debug, Clone, Copy)]
struct Sizes {
    /// Of the window.
    n: u64,
    /// Of what it is compared with.
    other: u64,
    /// Of what the reference's own windows were compared with.
    m: u64,
}

/// How a figure depends on the number of values behind it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Growth {
    /// A squared distance of two samples.
    SquaredDistance,
    /// A distance of two samples.
    Distance,
    /// A squared distance over its own noise.
    Statistic,
    /// A mean, share or percentile of the window.
    OfTheWindow,
}

impl Growth {
    fn of(metric: Metric) -> Self {
        match metric {
            Metric::Psi | Metric::KullbackLeibler | Metric::Mmd | Metric::Frechet => Self::SquaredDistance,
            Metric::ChiSquare | Metric::CramerVonMises | Metric::AndersonDarling => Self::Statistic,
            _ if metric.family() == Family::Distance => Self::Distance,
            _ => Self::OfTheWindow,
        }
    }
}

/// Whether a metric is a distance that is not squared: its noise shrinks with the root of the number of values.
pub fn is_distance(metric: Metric) -> bool {
    Growth::of(metric) == Growth::Distance
}

/// Whether a metric is a figure of the window alone, of which only the spread shrinks with the number of values.
pub fn is_of_the_window(metric: Metric) -> bool {
    Growth::of(metric) == Growth::OfTheWindow
}

/// Standard deviation of a share's estimate from `n` values where the reference's `m` values show `share`; `None` for a figure that is no share of its values.
///
/// √(p(1−p)/n) with p as Jeffreys' prior has it, (c + ½)/(m + 1): a reference without a single case does not say that there is none.
pub fn sampling_sigma(metric: Metric, share: f64, n: u64, m: u64) -> Option<f64> {
    let is_share = metric.family() == Family::Rate && metric != Metric::Constant
        || matches!(
            metric,
            Metric::Accuracy | Metric::SelectionRate | Metric::PrecisionMicro | Metric::RecallMicro | Metric::F1Micro | Metric::FBetaMicro
        );
    if !is_share || n == 0 || !(0.0..=1.0).contains(&share) {
        return None;
    }
    let p = (share * m as f64 + 0.5) / (m as f64 + 1.0);
    Some((p * (1.0 - p) / n as f64).sqrt())
}

/// `value` kept within what the metric can be.
fn within(metric: Metric, value: f64) -> f64 {
    match metric.range() {
        Range::Unit => value.clamp(0.0, 1.0),
        Range::Correlation => value.clamp(-1.0, 1.0),
        Range::NonNegative => value.max(0.0),
        Range::Real => value,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TIMED: Variation =
        Variation { timed: true, lasting: 1.0, windows: 50, n: 1000, mean: 0.02, std: 0.01, min: 0.001, max: 0.06, ceiling: 0.08 };
    const BLOCKS: Variation = Variation { timed: false, lasting: 0.0, ..TIMED };

    #[track_caller]
    fn check(variation: Variation, metric: Metric, n: u64, m: u64, expected: f64) {
        let got = variation.normal(metric, n, m).unwrap();
        let floor = got.noise_floor.unwrap();
        assert!((floor / (0.08 * expected) - 1.0).abs() < 1e-12, "{metric:?} {n} {m}: {floor}");
        assert!((got.sigma / (0.01 * expected) - 1.0).abs() < 1e-12 && (got.mean / (0.02 * expected) - 1.0).abs() < 1e-12);
    }

    #[test]
    fn smaller_windows_are_noisier() {
        let large = u64::MAX;
        for variation in [TIMED, BLOCKS] {
            check(variation, Metric::Psi, 1000, large, 1.0);
            check(variation, Metric::Psi, 250, large, 4.0);
            check(variation, Metric::Ks, 250, large, 2.0);
            check(variation, Metric::Mmd, 250, large, 4.0);
            // reported as its square: ‖Δmean‖² of noise is tr Σ·(1/n + 1/m)
            check(variation, Metric::Frechet, 250, large, 4.0);
            check(variation, Metric::JensenShannon, 250, large, 2.0);
            check(variation, Metric::ChiSquare, 250, large, 1.0);
            // (1/250 + 1/1000)/(1/1000 + 1/1000)
            check(variation, Metric::KullbackLeibler, 250, 1000, 2.5);
        }
    }

    #[test]
    fn larger_windows_are_quieter_only_where_noise_averages_out() {
        let large = u64::MAX;
        check(TIMED, Metric::Psi, 4000, large, 1.0);
        check(TIMED, Metric::Ks, 4000, large, 1.0);
        check(TIMED, Metric::ChiSquare, 4000, large, 4.0);
        let half = Variation { lasting: 0.5, ..TIMED };
        check(half, Metric::Psi, 4000, large, 0.625);
        check(half, Metric::Ks, 4000, large, 0.625f64.sqrt());
        check(half, Metric::ChiSquare, 4000, large, 2.5);
        check(half, Metric::Psi, 250, large, 4.0);
        check(BLOCKS, Metric::Psi, 4000, large, 0.25);
        check(BLOCKS, Metric::Ks, 4000, large, 0.5);
        check(BLOCKS, Metric::ChiSquare, 4000, large, 1.0);
    }

    #[test]
    fn two_windows_are_twice_as_far_apart_as_each_from_a_large_reference() {
        let figures = BTreeMap::from([((Subject::Score, Metric::Psi), TIMED), ((Subject::Score, Metric::Ks), BLOCKS)]);
        let calibration = Calibration { window_ms: 1000, windows: 50, figures, ..Calibration::default() };
        let floor = |metric, n, other, m| calibration.floor_between(&Subject::Score, metric, [n, other], m, true).unwrap();
        let near = |got: f64, expected: f64| assert!((got / expected - 1.0).abs() < 1e-9, "{got} {expected}");
        near(floor(Metric::Psi, 1000, 1000, u64::MAX), 0.16);
        near(floor(Metric::Ks, 1000, 1000, u64::MAX), 0.08 * 2f64.sqrt());
        near(floor(Metric::Psi, 1000, 1000, 1000), 0.08);
        assert_eq!(calibration.floor_between(&Subject::Score, Metric::Psi, [1000, 0], 1000, true), None);
    }

    #[test]
    fn pairs_of_windows_a_week_apart_say_more_of_last_week_than_others() {
        let pairs = Variation { ceiling: 0.01, lasting: 0.0, ..TIMED };
        let key = (Subject::Score, Metric::Psi);
        let [figures, week_apart] = [TIMED, pairs].map(|found| BTreeMap::from([(key.clone(), found)]));
        let calibration = Calibration { window_ms: 1000, windows: 50, figures, week_apart };
        let floor = |sizes, week_apart| calibration.floor_between(&Subject::Score, Metric::Psi, sizes, u64::MAX, week_apart);
        let near = |got: Option<f64>, expected: f64| assert!((got.unwrap() / expected - 1.0).abs() < 1e-9, "{got:?} {expected}");
        near(floor([1000, 1000], true), 0.01);
        near(floor([500, 500], true), 0.02);
        near(floor([2000, 2000], true), 0.005);
        near(floor([1000, 1000], false), 0.16);
        assert_eq!(floor([1000, 0], true), None);
    }

    #[test]
    fn figures_of_the_window_keep_their_mean() {
        let accuracy = Variation { mean: 0.9, max: 0.97, ceiling: 0.99, ..TIMED };
        let normal = accuracy.normal(Metric::Accuracy, 250, 10_000).unwrap();
        assert_eq!((normal.mean, normal.sigma, normal.noise_floor), (0.9, 0.02, None));
        assert_eq!(accuracy.normal(Metric::Accuracy, 4000, 10_000).unwrap().sigma, 0.01);
        assert_eq!(Variation { timed: false, lasting: 0.0, ..accuracy }.normal(Metric::Accuracy, 4000, 10_000).unwrap().sigma, 0.005);
    }

    #[test]
    fn nothing_leaves_its_range() {
        let normal = TIMED.normal(Metric::Ks, 1, 0).unwrap();
        assert_eq!(normal.noise_floor, Some(1.0));
        assert_eq!(TIMED.normal(Metric::Ks, 0, 1000), None);
        assert_eq!(Variation { ceiling: f64::MAX, ..TIMED }.normal(Metric::Wasserstein, 10, 1000), None);
    }

    #[test]
    fn shares_have_a_spread_without_any_window() {
        let sigma = |metric, share, n, m| sampling_sigma(metric, share, n, m);
        assert!((sigma(Metric::Accuracy, 0.9, 900, u64::MAX).unwrap() - 0.01).abs() < 1e-9);
        assert!(sigma(Metric::MissingRate, 0.0, 1000, 10_000).unwrap() > 1e-4, "none in 10,000 is not never");
        assert_eq!(sigma(Metric::Recall, 0.9, 900, 900), None, "a share of the positives, whose number is not known here");
        assert_eq!(sigma(Metric::Rmse, 0.9, 900, 900), None);
        assert_eq!(sigma(Metric::MissingRate, 0.5, 0, 900), None);
    }
}
