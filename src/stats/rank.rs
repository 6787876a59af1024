//! Two-sample tests by rank, from counts over cells.
//!
//! Cells are those of [`super::ks`]: odd ones are single points, even ones open intervals. Values at a point are ties. In an open cell the order is not known: values there count
//! as distinct and evenly mixed, and `bound` says how far any order could be from that.

use super::counts::totals;
use std::f64::consts::PI;

/// A statistic of ranks.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RankReading {
    /// The statistic.
    pub statistic: f64,
    /// How far the true statistic may be from it; 0 where the cells say it exactly.
    pub bound: f64,
    /// Probability of a statistic this large without a change.
    pub p_value: f64,
}

/// Cramér–von Mises two-sample statistic T = nm/(n+m)²·Σ (F−G)² over all values of both samples (T. W. Anderson, Ann. Math. Stat. 33, 1962, eq. 3): 0 of equal shares whatever the sizes. Without ties
/// the statistic of `scipy.stats.cramervonmises_2samp`, which with ties adds the squares of the ranks that they share (a constant against itself reads 10.5 there at 100 and 40 values, p = 3e-24).
/// The probability is that of the limit at Anderson's standardised T; ties make the true one smaller.
///
/// `None` where a sample is empty.
pub fn cramer_von_mises(reference_cells: &[u64], current_cells: &[u64]) -> Option<RankReading> {
    cramer_von_mises_by_cell(reference_cells, current_cells, |_, _| ())
}

/// [`cramer_von_mises`], telling `part` what each occupied cell adds to the statistic.
pub fn cramer_von_mises_by_cell(reference_cells: &[u64], current_cells: &[u64], mut part: impl FnMut(usize, f64)) -> Option<RankReading> {
    let (n, m) = totals(reference_cells, current_cells)?;
    let scale = (n * m) as f64;
    let factor = n as f64 * m as f64 / ((n + m) as f64 * (n + m) as f64);
    let signed = |f: u128, g: u128| if f >= g { (f - g) as f64 / scale } else { -((g - f) as f64 / scale) };
    // distribution functions times nm
    let (mut f, mut g) = (0u128, 0u128);
    let (mut sum, mut spread) = (0.0, 0.0);
    for (cell, (&r, &c)) in reference_cells.iter().zip(current_cells).enumerate().filter(|(_, (r, c))| **r > 0 || **c > 0) {
        let (after_f, after_g) = (f + u128::from(r) * m, g + u128::from(c) * n);
        let (t, before, after) = (r as f64 + c as f64, signed(f, g), signed(after_f, after_g));
        let read = if cell % 2 == 1 {
            t * after * after
        } else {
            // evenly mixed: before + (after − before)·i/t for i = 1…t, squared and added up
            let step = after - before;
            let read = t * before * before + before * step * (t + 1.0) + step * step * (t + 1.0) * (2.0 * t + 1.0) / (6.0 * t);
            let (low, high) = (signed(f, after_g), signed(after_f, g));
            let most = low.abs().max(high.abs());
            let least = if low <= 0.0 && high >= 0.0 { 0.0 } else { low.abs().min(high.abs()) };
            if t > 1.0 {
                spread += (t * most * most - read).max(read - t * least * least).max(0.0);
            }
            read
        };
        sum += read;
        part(cell, factor * read);
        (f, g) = (after_f, after_g);
    }
    let (n, m) = (n as f64, m as f64);
    let (whole, pairs) = (n + m, n * m);
    let statistic = pairs / (whole * whole) * sum;
    let expected = (1.0 + 1.0 / whole) / 6.0;
    let variance = (whole + 1.0) * (4.0 * pairs * whole - 3.0 * (n * n + m * m) - 2.0 * pairs) / (45.0 * whole * whole * 4.0 * pairs);
    let standardised = if variance > 0.0 { 1.0 / 6.0 + (statistic - expected) / (45.0 * variance).sqrt() } else { 0.0 };
    Some(RankReading { statistic, bound: pairs / (whole * whole) * spread, p_value: cramer_von_mises_tail(standardised) })
}

/// P(W² ≥ x) of the limit of the Cramér–von Mises statistic by N. V. Smirnov's formula 2/π·Σ(−1)^(j−1)·∫ exp(−xs²/2)/√(s·|sin s|) ds over ((2j−1)π, 2jπ)
/// (Anderson and Darling, Ann. Math. Stat. 23, 1952, §4): each term is positive and small, so that tails keep their digits. The square roots at both ends go away with s = (2j−1)π + π(1−cos θ)/2.
pub(super) fn cramer_von_mises_tail(x: f64) -> f64 {
    // P(W² < 0.003) is 1e-18
    if x < 0.003 {
        return 1.0;
    }
    const STEPS: u32 = 256;
    let mut sum = 0.0;
    for j in 1..=400u32 {
        let start = f64::from(2 * j - 1) * PI;
        if x * start * start / 2.0 > 745.0 {
            break;
        }
        let integral: f64 = (0..STEPS)
            .map(|i| {
                let theta = PI * (f64::from(i) + 0.5) / f64::from(STEPS);
                let above = PI * (1.0 - theta.cos()) / 2.0;
                let s = start + above;
                // ds = π/2·sin θ dθ, and |sin s| = sin(above)
                (-x * s * s / 2.0).exp() / (s * above.sin()).sqrt() * PI / 2.0 * theta.sin()
            })
            .sum::<f64>()
            * PI
            / f64::from(STEPS);
        let term = 2.0 / PI * integral;
        sum += if j % 2 == 1 { term } else { -term };
        if term < 1e-18 * sum.abs() {
            break;
        }
    }
    sum.clamp(0.0, 1.0)
}

/// Values of an open cell are spread over at most so many middle ranks: A² grows by 0.03 % at most with 256 cells, 1.5 % with 2. `bound` contains it.
const MOST_STEPS: u64 = 64;

/// Anderson–Darling two-sample statistic A²akN with middle ranks, standardised by its mean and standard deviation without a change (F. W. Scholz and M. A. Stephens, J. Am. Stat. Assoc. 82, 1987,
/// eq. 7), as `scipy.stats.anderson_ksamp(midrank=True)`: about 0 without a change, and lower for ties. The probability is interpolated in their Table 2 by a parabola through its logarithms; the table
/// ends at 0.25 and 0.001, and so does the probability.
///
/// `None` where a sample is empty or both together have fewer than four values.
pub fn anderson_darling(reference_cells: &[u64], current_cells: &[u64]) -> Option<RankReading> {
    anderson_darling_by_cell(reference_cells, current_cells, |_, _| ())
}

/// [`anderson_darling`], telling `told` what each occupied cell adds: all together the statistic and its mean without a change, 1/σ.
pub fn anderson_darling_by_cell(reference_cells: &[u64], current_cells: &[u64], mut told: impl FnMut(usize, f64)) -> Option<RankReading> {
    let (n, m) = totals(reference_cells, current_cells)?;
    if n + m < 4 {
        return None;
    }
    let whole = (n + m) as f64;
    let (n, m) = (n as f64, m as f64);
    let (sigma, factor) = (anderson_darling_sigma(n, m), (whole - 1.0) / whole);
    let (mut before_reference, mut before_current) = (0.0, 0.0);
    let (mut sum, mut spread) = (0.0, 0.0);
    for (cell, (&r, &c)) in reference_cells.iter().zip(current_cells).enumerate().filter(|(_, (r, c))| **r + **c > 0) {
        let steps = if cell % 2 == 1 { 1 } else { (r + c).min(MOST_STEPS) };
        let (r, c) = (r as f64, c as f64);
        let share = (r / steps as f64, c / steps as f64);
        let mut part = 0.0;
        for step in 0..steps {
            let (a, b) = (before_reference + share.0 * (step as f64 + 0.5), before_current + share.1 * (step as f64 + 0.5));
            part += ranked(share.0 + share.1, a, b, n, m);
        }
        if cell % 2 == 0 && r + c > 1.0 {
            let (least, most) = any_order(before_reference, before_current, r, c, n, m);
            spread += (most - part).max(part - least).max(0.0);
        }
        sum += part;
        told(cell, factor * part / sigma);
        (before_reference, before_current) = (before_reference + r, before_current + c);
    }
    let statistic = (factor * sum - 1.0) / sigma;
    Some(RankReading { statistic, bound: factor * spread / sigma, p_value: anderson_darling_p(statistic) })
}

/// What `ties` equal values add to A²: with a and b the middle ranks in either sample, N = n+m, B = a+b: ties·(m·a − n·b)² / (n·m·(B(N−B) − N·ties/4)).
fn ranked(ties: f64, a: f64, b: f64, n: f64, m: f64) -> f64 {
    let (rank, whole) = (a + b, n + m);
    let difference = m * a - n * b;
    // all values equal: nothing divided by nothing, and nothing to see
    if difference == 0.0 { 0.0 } else { ties * (difference / n) * (difference / m) / (rank * (whole - rank) - whole * ties / 4.0) }
}

/// Least and most that the values of an open cell can add, in whatever order they come, tied or not. The difference is linear in both ranks and greatest at a corner;
/// the denominator is concave in rank and number of ties and least at a corner, and at most N²/4.
fn any_order(a: f64, b: f64, r: f64, c: f64, n: f64, m: f64) -> (f64, f64) {
    let (whole, total, before) = (n + m, r + c, a + b);
    let (low, high) = (m * a - n * (b + c), m * (a + r) - n * b);
    let most = low.abs().max(high.abs());
    let least = if low <= 0.0 && high >= 0.0 { 0.0 } else { low.abs().min(high.abs()) };
    let denominator = |u: f64, ties: f64| u * (whole - u) + ties * (whole / 4.0 - u) - ties * ties / 4.0;
    let smallest = [(before, 1.0), (before, total), (before + total - 1.0, 1.0)]
        .map(|(u, ties)| denominator(u, ties))
        .into_iter()
        .filter(|d| *d > 0.0);
    let smallest = smallest.fold(whole * whole / 4.0, f64::min);
    (total * least * least / (n * m * whole * whole / 4.0), total * most * most / (n * m * smallest))
}

/// Standard deviation of A² for two samples (Scholz and Stephens 1987, eq. 4).
fn anderson_darling_sigma(n: f64, m: f64) -> f64 {
    let whole = n + m;
    let (h, g) = harmonic_sums(whole);
    let inverse = 1.0 / n + 1.0 / m;
    let a = (4.0 * g - 6.0) + (10.0 - 6.0 * g) * inverse;
    let b = (2.0 * g - 4.0) * 4.0 + 16.0 * h + (2.0 * g - 14.0 * h - 4.0) * inverse - 8.0 * h + 4.0 * g - 6.0;
    let c = (6.0 * h + 2.0 * g - 2.0) * 4.0 + (4.0 * h - 4.0 * g + 6.0) * 2.0 + (2.0 * h - 6.0) * inverse + 4.0 * h;
    let d = (2.0 * h + 6.0) * 4.0 - 8.0 * h;
    let variance = (((a * whole + b) * whole + c) * whole + d) / ((whole - 1.0) * (whole - 2.0) * (whole - 3.0));
    variance.max(f64::MIN_POSITIVE).sqrt()
}

/// h = Σ 1/i for i < N and g = Σ_{i<j<N} 1/((N−i)·j). Of many values by their expansions, whose next terms are below 1e-10: h = ln N + γ − 1/(2N) and g = π²/6 − (2 ln N + 1 + 2γ)/N.
fn harmonic_sums(whole: f64) -> (f64, f64) {
    const EULER: f64 = 0.577_215_664_901_532_9;
    if whole > 1e5 {
        return (whole.ln() + EULER - 0.5 / whole, PI * PI / 6.0 - (2.0 * whole.ln() + 1.0 + 2.0 * EULER) / whole);
    }
    let (mut tail, mut g) = (0.0, 0.0);
    // scipy: hs_cs = cumsum(1/(N−1), 1/(N−2), …, 1/2), g = Σ hs_cs[i]/(i+2)
    for i in 2..whole as u64 {
        tail += 1.0 / (whole - i as f64 + 1.0);
        g += tail / i as f64;
    }
    (tail + 1.0, g)
}

/// Least squares of ln p by a parabola in the critical values 0.325, 1.226, 1.961, 2.718, 3.752, 4.592, 6.546 of p = 0.25, 0.1, 0.05, 0.025, 0.01, 0.005, 0.001
/// (`numpy.polyfit(critical, log(p), 2)`).
fn anderson_darling_p(statistic: f64) -> f64 {
    if statistic < 0.325 {
        0.25
    } else if statistic > 6.546 {
        0.001
    } else {
        (0.018_198_094_574_111_343 * statistic * statistic - 1.008_226_564_465_251_5 * statistic - 1.077_770_279_820_486).exp()
    }
}
