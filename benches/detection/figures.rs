//! Figures of other tools, by their own bins and formulas.
//!
//! Nothing but the standard library: `src/stats/tests/peers.rs` takes this file in and holds it to the numbers that the tools themselves gave.

/// Least and greatest.
pub(crate) fn range(values: &[f64]) -> (f64, f64) {
    values.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), &v| (a.min(v), b.max(v)))
}

/// `numpy.linspace` between the ends of the values in as many bins as `width` asks for; half a unit either way around equal values.
pub(crate) fn edges(values: &[f64], width: f64) -> Vec<f64> {
    let (mut first, mut last) = range(values);
    let n = if width > 0.0 { ((last - first) / width).ceil() } else { 1.0 };
    if first == last {
        (first, last) = (first - 0.5, last + 0.5);
    }
    let step = (last - first) / n;
    let mut edges: Vec<f64> = (0..n as u32).map(|i| f64::from(i) * step + first).collect();
    edges.push(last);
    edges
}

/// `numpy.std`.
pub(crate) fn std(values: &[f64]) -> f64 {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    (values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / n).sqrt()
}

/// `numpy.histogram_bin_edges(values, "doane")`, NannyML's bins (Doane 1976).
pub(crate) fn doane(values: &[f64]) -> Vec<f64> {
    let (n, (first, last)) = (values.len() as f64, range(values));
    let mean = values.iter().sum::<f64>() / n;
    let sigma = std(values);
    if n <= 2.0 || sigma <= 0.0 {
        return edges(values, 0.0);
    }
    let skew = values.iter().map(|v| ((v - mean) / sigma).powi(3)).sum::<f64>() / n;
    let skew_sigma = (6.0 * (n - 2.0) / ((n + 1.0) * (n + 3.0))).sqrt();
    edges(values, (last - first) / (1.0 + n.log2() + (1.0 + skew.abs() / skew_sigma).log2()))
}

/// `numpy.histogram` of sorted values: bins closed on the left, the last one on both sides. One more at the end for what lies outside, on either side:
/// NannyML's `leftover`.
pub(crate) fn histogram(sorted: &[f64], edges: &[f64]) -> Vec<u64> {
    let last = edges.len() - 1;
    let below = |i: usize| sorted.partition_point(|&x| if i == last { x <= edges[i] } else { x < edges[i] });
    let mut counts: Vec<u64> = (0..last).map(|i| below(i + 1).saturating_sub(below(i)) as u64).collect();
    counts.push(sorted.len() as u64 - counts.iter().sum::<u64>());
    counts
}

/// Counts over their sum.
pub(crate) fn shares(counts: &[u64]) -> Vec<f64> {
    let n = counts.iter().sum::<u64>().max(1) as f64;
    counts.iter().map(|&c| c as f64 / n).collect()
}

/// `scipy.spatial.distance.jensenshannon`, natural logarithm; over √ln 2 it is that to base 2.
pub(crate) fn jensen_shannon(p: &[f64], q: &[f64]) -> f64 {
    let side = |a: f64, m: f64| if a > 0.0 { a * (a / m).ln() } else { 0.0 };
    let sum: f64 = p.iter().zip(q).map(|(&p, &q)| side(p, 0.5 * (p + q)) + side(q, 0.5 * (p + q))).sum();
    (0.5 * sum).max(0.0).sqrt()
}

/// PSI of shares, those below `floor` raised to it.
pub(crate) fn psi(p: &[f64], q: &[f64], floor: f64) -> f64 {
    let pairs = p.iter().zip(q).map(|(&p, &q)| (p.max(floor), q.max(floor)));
    pairs.map(|(p, q)| (q - p) * (q / p).ln()).sum()
}

/// A sample by rank, with the sums of its values up to each rank.
#[derive(Debug)]
pub(crate) struct Ranked {
    pub(crate) sorted: Vec<f64>,
    sums: Vec<f64>,
}

impl Ranked {
    pub(crate) fn new(mut values: Vec<f64>) -> Self {
        values.sort_unstable_by(f64::total_cmp);
        // the window's values are compared with neighbours in rank, so the sums are of distances from the middle: they stay small
        let middle = values.get(values.len() / 2).copied().unwrap_or_default();
        let mut sum = 0.0;
        let up_to = values.iter().map(|v| {
            sum += v - middle;
            sum
        });
        let sums = std::iter::once(0.0).chain(up_to).collect();
        Self { sums, sorted: values }
    }

    /// `scipy.stats.wasserstein_distance` from another sorted sample: each of its values against the stretch of ranks that it stands for.
    pub(crate) fn wasserstein(&self, other: &[f64]) -> f64 {
        let (m, n) = (self.sorted.len(), other.len());
        let middle = self.sorted[m / 2];
        let rank = |i: usize| i as f64 * m as f64 / n as f64;
        let area = |(i, &x): (usize, &f64)| {
            let (from, to) = (rank(i), rank(i + 1));
            // where x lies among the values of its own stretch
            let (first, last) = (from as usize, (to.ceil() as usize).min(m));
            let above = ((first + self.sorted[first..last].partition_point(|&r| r < x)) as f64).clamp(from, to);
            let x = x - middle;
            let (low, high) = (self.sum_to(above) - self.sum_to(from), self.sum_to(to) - self.sum_to(above));
            (x * (above - from) - low) + (high - x * (to - above))
        };
        other.iter().enumerate().map(area).sum::<f64>() / m as f64
    }

    /// Sum up to a rank, a value that is cut by it in part.
    fn sum_to(&self, rank: f64) -> f64 {
        let whole = (rank as usize).min(self.sorted.len());
        let part = self.sums.get(whole + 1).map_or(0.0, |next| (next - self.sums[whole]) * (rank - whole as f64));
        self.sums[whole] + part
    }
}
