//! Bins, smoothing and estimates as NannyML 0.13.1 and Evidently 0.7.23 have them, to tell driftd's functions to count as they do.

/// The formulas by which `benches/detection` runs the peers' rules: one piece for both.
#[path = "../../../benches/detection/figures.rs"]
pub(crate) mod figures;

use super::super::*;
pub(crate) use figures::{doane, edges, range as least_and_greatest};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet, HashSet};

pub(crate) const LN_2_ROOT: f64 = 0.832_554_611_157_697_8;

/// Values without nulls and infinities, as Evidently cleans them.
pub(crate) fn finite(values: &Value) -> Vec<f64> {
    values.as_array().unwrap().iter().filter_map(Value::as_f64).map(|v| v + 0.0).collect()
}

/// `numpy.linspace(first, last, n + 1)`.
pub(crate) fn linspace(first: f64, last: f64, n: u32) -> Vec<f64> {
    let step = (last - first) / f64::from(n);
    (0..n).map(|i| f64::from(i) * step + first).chain([last]).collect()
}

/// `numpy.histogram_bin_edges(values, "sturges")` of `n` values.
fn sturges_of(n: usize, values: &[f64]) -> Vec<f64> {
    let (first, last) = least_and_greatest(values);
    edges(values, (last - first) / ((n as f64).log2() + 1.0))
}

pub(crate) fn sturges(values: &[f64]) -> Vec<f64> {
    sturges_of(values.len(), values)
}

pub(crate) fn sorted(values: &[f64]) -> Vec<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    sorted
}

/// `numpy.histogram`, and one more bin for what lies outside.
pub(crate) fn histogram(values: &[f64], edges: &[f64]) -> Vec<u64> {
    figures::histogram(&sorted(values), edges)
}

pub(crate) fn by_value<T: Ord>(reference: &[T], current: &[T]) -> (Vec<u64>, Vec<u64>) {
    let mut counts: BTreeMap<&T, (u64, u64)> = BTreeMap::new();
    reference.iter().for_each(|value| counts.entry(value).or_default().0 += 1);
    current.iter().for_each(|value| counts.entry(value).or_default().1 += 1);
    counts.into_values().unzip()
}

/// Order of bits of non-negative numbers, and a total order of all.
pub(crate) fn key(value: f64) -> i64 {
    let bits = value.to_bits() as i64;
    bits ^ (((bits >> 63) as u64) >> 1) as i64
}

pub(crate) fn keys(values: &[f64]) -> Vec<i64> {
    values.iter().map(|&v| key(v)).collect()
}

/// Evidently's bins: a value each up to 20 distinct reference values, Sturges' over both samples above that.
pub(crate) fn evidently_bins(reference: &[f64], current: &[f64]) -> (Vec<u64>, Vec<u64>) {
    let mut distinct = BTreeSet::new();
    if reference.iter().any(|&v| distinct.insert(key(v)) && distinct.len() > 20) {
        let edges = sturges(&[reference, current].concat());
        (histogram(reference, &edges), histogram(current, &edges))
    } else {
        by_value(&keys(reference), &keys(current))
    }
}

/// Evidently's shares: an empty bin gets 0.0001, or a millionth of the least share where that is no larger.
pub(crate) fn filled(counts: &[u64]) -> Vec<f64> {
    let n = counts.iter().sum::<u64>() as f64;
    let shares = counts.iter().map(|&c| c as f64 / n);
    let least = shares.clone().filter(|p| *p > 0.0).fold(f64::INFINITY, f64::min);
    let floor = if least <= 1e-4 { least / 1e6 } else { 1e-4 };
    shares.map(|p| if p == 0.0 { floor } else { p }).collect()
}

/// PSI and `scipy.stats.entropy(reference, current)` of Evidently's shares; the latter divides by their sums.
pub(crate) fn evidently_psi_and_kl(reference: &[u64], current: &[u64]) -> (f64, f64) {
    let occupied: Vec<(u64, u64)> = reference.iter().zip(current).map(|(&r, &c)| (r, c)).collect();
    let (p, q) = (filled(&occupied.iter().map(|b| b.0).collect::<Vec<_>>()), filled(&occupied.iter().map(|b| b.1).collect::<Vec<_>>()));
    let (sum_p, sum_q) = (p.iter().sum::<f64>(), q.iter().sum::<f64>());
    let pairs = p.iter().zip(&q);
    let psi = pairs.clone().map(|(p, q)| (q - p) * (q / p).ln()).sum();
    (psi, pairs.map(|(p, q)| p / sum_p * ((p / sum_p) / (q / sum_q)).ln()).sum())
}

/// Evidently's Hellinger distance of numbers: Sturges' bins over the distinct values of both samples.
pub(crate) fn evidently_hellinger(reference: &[f64], current: &[f64]) -> f64 {
    let all = [reference, current].concat();
    let distinct: HashSet<u64> = all.iter().map(|v| v.to_bits()).collect();
    let edges = sturges_of(distinct.len(), &all);
    hellinger(&histogram(reference, &edges), &histogram(current, &edges)).unwrap()
}

/// Evidently's figures of numbers in its bins: PSI, Kullback–Leibler divergence and Jensen–Shannon distance.
pub(crate) fn evidently_numbers(reference: &[f64], current: &[f64]) -> [f64; 3] {
    let (r, c) = evidently_bins(reference, current);
    // the last bin of a histogram is that of what lies outside: none does
    let outside = usize::from(r.len() > 1 && r[r.len() - 1] == 0 && c[c.len() - 1] == 0);
    let (psi, kl) = evidently_psi_and_kl(&r[..r.len() - outside], &c[..c.len() - outside]);
    [psi, kl, jensen_shannon(&r, &c).unwrap() * LN_2_ROOT]
}

/// `scipy.stats.chisquare(current, reference share · m).pvalue`.
pub(crate) fn goodness_of_fit(reference: &[u64], current: &[u64]) -> f64 {
    let (n, m) = (reference.iter().sum::<u64>() as f64, current.iter().sum::<u64>() as f64);
    let cells = reference.iter().zip(current).map(|(&r, &c)| (r as f64 / n * m, c as f64));
    let statistic: f64 = cells.map(|(expected, seen)| (seen - expected).powi(2) / expected).sum();
    if statistic.is_infinite() { 0.0 } else { chi_square_tail(statistic, reference.len() as u32 - 1) }
}

/// `scipy.stats.chi2_contingency(correction=True)` of two by two: every difference is up to a half nearer to what is expected.
pub(crate) fn with_yates(reference: &[u64], current: &[u64]) -> f64 {
    let (n, m) = (reference.iter().sum::<u64>() as f64, current.iter().sum::<u64>() as f64);
    let bins = reference.iter().zip(current).map(|(&r, &c)| (r as f64, c as f64));
    bins.flat_map(|(r, c)| [(r, n * (r + c) / (n + m)), (c, m * (r + c) / (n + m))])
        .map(|(seen, expected)| ((seen - expected).abs() - 0.5f64.min((seen - expected).abs())).powi(2) / expected)
        .sum()
}

/// A sample of 10,000 values or more as NannyML keeps it for its estimates: shares up to the edges of so many equal bins.
#[derive(Debug)]
pub(crate) struct Estimated {
    edges: Vec<f64>,
    shares: Vec<f64>,
}

impl Estimated {
    /// `widened`: equal values get half a unit to either side, as `numpy.histogram` has it when it is told a number of bins.
    pub(crate) fn new(reference: &[f64], widened: bool) -> Self {
        let (mut first, mut last) = least_and_greatest(reference);
        if widened && first == last {
            (first, last) = (first - 0.5, last + 0.5);
        }
        let edges = linspace(first, last, 10_000);
        Self { shares: Self::cumulated(reference, &edges), edges }
    }

    fn cumulated(values: &[f64], edges: &[f64]) -> Vec<f64> {
        let counts = histogram(values, edges);
        let shares = counts[..edges.len() - 1].iter().map(|&c| c as f64 / values.len() as f64);
        shares
            .scan(0.0, |sum, share| {
                *sum += share;
                Some(*sum)
            })
            .collect()
    }

    /// Its Kolmogorov–Smirnov distance: the largest difference at an edge.
    pub(crate) fn kolmogorov_smirnov(&self, current: &[f64]) -> f64 {
        let below = current.iter().filter(|v| **v < self.edges[0]).count() as f64 / current.len() as f64;
        let shares = Self::cumulated(current, &self.edges);
        self.shares.iter().zip(shares).map(|(r, c)| (r - (below + c)).abs()).fold(0.0, f64::max)
    }

    /// Its Wasserstein distance: steps within, exact beyond, where one value more than there is counts at the end of the range.
    pub(crate) fn wasserstein(&self, current: &[f64]) -> f64 {
        let (first, last, n) = (self.edges[0], self.edges[self.edges.len() - 1], current.len() as f64);
        let sum = |distance: &dyn Fn(f64) -> f64| current.iter().map(|&v| distance(v).max(0.0)).sum::<f64>() / n;
        let smaller = current.iter().filter(|v| **v < first).count();
        let before = if smaller > 0 { (smaller + 1) as f64 / n } else { 0.0 };
        let shares = Self::cumulated(current, &self.edges);
        let apart: f64 = self.shares.iter().zip(shares).map(|(r, c)| (r - (c + before)).abs()).sum();
        apart * (self.edges[1] - self.edges[0]) + sum(&|v| first - v) + sum(&|v| v - last)
    }
}
