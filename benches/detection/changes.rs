//! What can happen to a stream, and how large it has to be to reach a documented threshold.

use crate::world::{ERRORS, POSITIVE, normal};
use statrs::distribution::ContinuousCDF;

pub(crate) const CHANGES: [&str; 6] = ["mean shift", "variance", "new category", "null surge", "label shift", "concept shift"];
pub(crate) const FACTORS: [f64; 3] = [1.0, 1.5, 3.0];

/// What happens to a stream.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Change {
    None,
    /// Feature 0 moves up by this many standard deviations.
    Mean(f64),
    /// Feature 0 spreads by this factor.
    Variance(f64),
    /// This share of the categorical feature is a name that was never seen.
    NewCategory(f64),
    /// This share of feature 0 is null.
    Nulls(f64),
    /// The share of the positive class rises by this, in answers and labels.
    Label(f64),
    /// This share of the answers is wrong.
    Concept(f64),
}

/// The size of each kind of change that just reaches `factor` times the documented threshold, by whichever documented figure reaches it first.
pub(crate) fn sized(kind: &str, factor: f64) -> Change {
    match kind {
        "mean shift" => Change::Mean(bisect(0.0, 5.0, factor, |shift| drift(shift, 1.0))),
        "variance" => Change::Variance(bisect(1.0, 10.0, factor, |scale| drift(0.0, scale))),
        "new category" => Change::NewCategory(0.10 * factor),
        "null surge" => Change::Nulls(0.05 * factor),
        "label shift" => Change::Label(0.05 * factor),
        "concept shift" => Change::Concept(bisect(0.0, 0.5, factor, quality)),
        _ => Change::None,
    }
}

/// The change, faded in: `part` of it from 0 to 1.
pub(crate) fn faded(change: Change, part: f64) -> Change {
    match change {
        Change::None => Change::None,
        Change::Mean(x) => Change::Mean(x * part),
        Change::Variance(x) => Change::Variance(1.0 + (x - 1.0) * part),
        Change::NewCategory(x) => Change::NewCategory(x * part),
        Change::Nulls(x) => Change::Nulls(x * part),
        Change::Label(x) => Change::Label(x * part),
        Change::Concept(x) => Change::Concept(ERRORS + (x - ERRORS) * part),
    }
}

/// The greater of PSI (deciles) and KS over their documented bound of 0.10, of a normal variable that is moved and stretched.
fn drift(shift: f64, scale: f64) -> f64 {
    let moved = |x: f64| normal().cdf((x - shift) / scale);
    let edges: Vec<f64> = (1..10).map(|i| normal().inverse_cdf(f64::from(i) / 10.0)).collect();
    let mut below = 0.0;
    let mut psi = 0.0;
    for i in 0..10 {
        let upto = edges.get(i).map_or(1.0, |&edge| moved(edge));
        let (p, q) = (0.1, (upto - below).max(1e-12));
        psi += (q - p) * (q / p).ln();
        below = upto;
    }
    let ks = (-400..=400).map(|i| f64::from(i) / 50.0).map(|x| (moved(x) - normal().cdf(x)).abs()).fold(0.0, f64::max);
    psi.max(ks) / 0.10
}

/// How far accuracy, precision or recall lies below 1, the worst of them, over the documented 0.10.
fn quality(wrong: f64) -> f64 {
    let precision = POSITIVE * (1.0 - wrong) / (POSITIVE * (1.0 - wrong) + (1.0 - POSITIVE) * wrong);
    (1.0 - precision).max(wrong) / 0.10
}

fn bisect(mut low: f64, mut high: f64, wanted: f64, f: impl Fn(f64) -> f64) -> f64 {
    for _ in 0..60 {
        let middle = 0.5 * (low + high);
        if f(middle) < wanted { low = middle } else { high = middle }
    }
    0.5 * (low + high)
}
