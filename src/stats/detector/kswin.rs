//! KSWIN.

use super::{Change, usable};
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

/// Distance up to which nothing is a change, whatever its probability, in parts of 10.
const LEAST_TENTHS: usize = 1;

/// Kolmogorov–Smirnov windowing: the newest values of a window against as many drawn from its older part, with every value (Raab, Heusinger, Schleif,
/// *Reactive Soft Prototype Computing for Concept Drift Streams*, Neurocomputing 2020). It finds changes of any kind.
///
/// The draw is a Fisher–Yates shuffle by SplitMix64 (Steele, Lea, Flood 2014), whose state is part of the detector's: the same stream gives the same changes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Kswin {
    /// Values in a full window.
    size: usize,
    /// The newest of them that are compared.
    newest: usize,
    /// Least number of values by which the counts of the two samples differ at some point in a change.
    critical: usize,
    window: VecDeque<f64>,
    random: u64,
}

impl Kswin {
    /// `alpha`: probability of a distance that is a change, for one value of a stream that does not change (0 to 1). `size`: values in the window.
    /// `newest`: those of them that are compared with as many others, at most half. `seed`: of the draw.
    pub fn new(alpha: f64, size: usize, newest: usize, seed: u64) -> Self {
        let newest = newest.clamp(1, (size / 2).max(1));
        let significant = (1..=newest).find(|&h| tail(newest, h) <= alpha).unwrap_or(newest + 1);
        let critical = significant.max(newest * LEAST_TENTHS / 10 + 1);
        Self { size: size.max(2), newest, critical, window: VecDeque::new(), random: seed }
    }

    /// Takes the next value.
    pub fn update(&mut self, value: f64) -> Change {
        let Some(value) = usable(value) else { return Change::None };
        if self.window.len() == self.size {
            self.window.pop_front();
        }
        self.window.push_back(value);
        if self.window.len() < self.size || self.difference() < self.critical {
            return Change::None;
        }
        self.window.clear();
        Change::Drift
    }

    /// Largest difference between the counts up to a point of the newest values and of as many older ones.
    fn difference(&mut self) -> usize {
        let n_older = self.size - self.newest;
        let mut older: Vec<f64> = self.window.range(..n_older).copied().collect();
        for place in 0..self.newest {
            let drawn = place + self.below(n_older - place);
            older.swap(place, drawn);
        }
        older.truncate(self.newest);
        let mut newest: Vec<f64> = self.window.range(n_older..).copied().collect();
        older.sort_by(f64::total_cmp);
        newest.sort_by(f64::total_cmp);
        let (mut i, mut j, mut largest) = (0, 0, 0);
        while i < older.len() && j < newest.len() {
            let point = older[i].min(newest[j]);
            i += older[i..].iter().take_while(|v| **v <= point).count();
            j += newest[j..].iter().take_while(|v| **v <= point).count();
            largest = largest.max(i.abs_diff(j));
        }
        largest
    }

    /// A number in `0..n`. (The remainder favours small ones by n in 2⁶⁴.)
    fn below(&mut self, n: usize) -> usize {
        self.random = self.random.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.random;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((z ^ (z >> 31)) % n.max(1) as u64) as usize
    }
}

/// Probability that the counts of two samples of `n` values each differ by `h` or more at some point: 2 Σ (−1)^(k−1) C(2n, n−kh) / C(2n, n), k = 1, 2, …
/// (Gnedenko, Korolyuk 1951; `scipy.stats.ks_2samp(method="exact")`). `h` from 1 to `n`.
fn tail(n: usize, h: usize) -> f64 {
    let (mut sum, mut sign) = (0.0, 1.0);
    for step in (h..=n).step_by(h.max(1)) {
        // C(2n, n−s) / C(2n, n) = Π (n−s+i)/(n+i), i = 1..s
        let ratio: f64 = (1..=step).map(|i| (n - step + i) as f64 / (n + i) as f64).product();
        sum += sign * ratio;
        sign = -sign;
    }
    (2.0 * sum).clamp(0.0, 1.0)
}

#[cfg(test)]
mod tests {
    use super::tail;

    /// `scipy.stats.ks_2samp(a, b, method="exact").pvalue` of samples of that size and distance.
    #[test]
    fn exact_probabilities() {
        for (n, h, want) in [(1, 1, 1.0), (2, 2, 1.0 / 3.0), (3, 3, 0.1), (4, 3, 16.0 / 70.0)] {
            assert!((tail(n, h) - want).abs() < 1e-12, "{n} {h}: {}", tail(n, h));
        }
        assert!((1..30).all(|h| tail(30, h) >= tail(30, h + 1)));
    }
}
