//! The distribution of the Kolmogorov–Smirnov distance.

use statrs::function::gamma::ln_gamma;
use std::f64::consts::PI;

/// Up to this many values the distribution is computed term by term, above it by its expansions.
const MOST_BY_NUMBER: f64 = 3_000.0;

/// Probability of a two-sample Kolmogorov–Smirnov distance of at least `distance` without a change, samples of `n` and `m` values.
///
/// The distribution is that of one sample of `nm/(n+m)` values, rounded, against a known distribution: what `scipy.stats.ks_2samp(method="asymp")` computes
/// (it is asymptotic in the second sample only). Ties make the true probability smaller.
pub fn ks_p_value(distance: f64, n: u64, m: u64) -> f64 {
    let (n, m) = (n as f64, m as f64);
    let size = n * m / (n + m);
    if size > 0.0 { kolmogorov_tail(distance, size.round_ties_even().max(1.0)) } else { 1.0 }
}

/// P(D_n ≥ d) of one sample of `n` values against a known distribution (`scipy.stats.kstwo.sf`); regions as in R. Simard and P. L'Ecuyer, J. Stat. Software 39(11), 2011.
fn kolmogorov_tail(d: f64, n: f64) -> f64 {
    let (t, z_squared) = (n * d, n * d * d);
    let p = if d >= 1.0 || z_squared >= 370.0 {
        0.0
    } else if t <= 0.5 {
        1.0
    } else if d >= 0.5 || z_squared >= if n <= 140.0 { 4.0 } else { 2.2 } {
        // the two sides of the distance no longer meet: twice the one-sided probability
        2.0 * if n > MOST_BY_NUMBER { one_sided_limit(d, n) } else { one_sided_tail(d, n) }
    } else if n <= 140.0 || n <= MOST_BY_NUMBER && n * d.powf(1.5) <= 1.4 {
        1.0 - by_matrix(d, n)
    } else {
        1.0 - pelz_good(d, n)
    };
    p.clamp(0.0, 1.0)
}

/// P(D_n⁺ ≥ d) = d·Σ_j C(n,j)·(1−d−j/n)^(n−j)·(d+j/n)^(j−1) (N. V. Smirnov 1944; Z. W. Birnbaum and F. H. Tingey, Ann. Math. Stat. 22, 1951).
fn one_sided_tail(d: f64, n: f64) -> f64 {
    let last = (n * (1.0 - d)).floor();
    // the logarithm of C(n,j), from term to term
    let mut choose = 0.0;
    let mut sum = 0.0;
    let mut j = 0.0;
    while j <= last {
        let (left, right) = (d + j / n, 1.0 - d - j / n);
        let power = if right > 0.0 { (n - j) * right.ln() } else { f64::NEG_INFINITY };
        sum += (choose + power + (j - 1.0) * left.ln()).exp();
        choose += ((n - j) / (j + 1.0)).ln();
        j += 1.0;
    }
    d * sum
}

/// P(D_n < d) exactly (J. Durbin 1973; G. Marsaglia, W. W. Tsang, J. Wang, J. Stat. Software 8(18), 2003): the middle of n!/nⁿ·Hⁿ, with H of 2k−1 rows, k = ⌈nd⌉.
/// Called where k is small.
fn by_matrix(d: f64, n: f64) -> f64 {
    let k = (n * d).ceil();
    let (h, size) = (k - n * d, 2 * k as usize - 1);
    let mut matrix = vec![0.0; size * size];
    for row in 0..size {
        for column in 0..size.min(row + 2) {
            matrix[row * size + column] = 1.0;
        }
    }
    let power = |i: usize| h.powi(i as i32);
    for i in 0..size {
        matrix[i * size] -= power(i + 1);
        matrix[(size - 1) * size + i] -= power(size - i);
    }
    matrix[(size - 1) * size] += (2.0 * h - 1.0).max(0.0).powi(size as i32);
    for row in 0..size {
        for column in 0..size.min(row + 2) {
            (1..=row + 1 - column).for_each(|g| matrix[row * size + column] /= g as f64);
        }
    }
    // the middle of Hⁿ by squaring, n!/nⁿ and the powers of ten that were taken out in logarithms
    let (mut result, mut ln_result) = (identity(size), 0.0);
    let (mut square, mut ln_square) = (matrix, 0.0);
    let mut rest = n as u64;
    while rest > 0 {
        if rest % 2 == 1 {
            result = product(&result, &square, size);
            ln_result += ln_square + rescale(&mut result);
        }
        square = product(&square, &square, size);
        ln_square = 2.0 * ln_square + rescale(&mut square);
        rest /= 2;
    }
    let middle = result[(size / 2) * size + size / 2];
    if middle > 0.0 { (middle.ln() + ln_result + ln_gamma(n + 1.0) - n * n.ln()).exp() } else { 0.0 }
}

fn identity(size: usize) -> Vec<f64> {
    let mut matrix = vec![0.0; size * size];
    (0..size).for_each(|i| matrix[i * size + i] = 1.0);
    matrix
}

fn product(a: &[f64], b: &[f64], size: usize) -> Vec<f64> {
    let mut out = vec![0.0; size * size];
    for row in 0..size {
        for (inner, &factor) in a[row * size..(row + 1) * size].iter().enumerate().filter(|(_, f)| **f != 0.0) {
            let (target, source) = (&mut out[row * size..(row + 1) * size], &b[inner * size..(inner + 1) * size]);
            target.iter_mut().zip(source).for_each(|(t, s)| *t += factor * s);
        }
    }
    out
}

/// Divides by the largest entry; the logarithm of what was taken out.
fn rescale(matrix: &mut [f64]) -> f64 {
    let largest = matrix.iter().fold(0.0f64, |most, v| most.max(v.abs()));
    if largest > 0.0 {
        matrix.iter_mut().for_each(|v| *v /= largest);
        largest.ln()
    } else {
        0.0
    }
}

/// P(D_n < d) by the expansion of W. Pelz and I. J. Good, J. R. Stat. Soc. B 38, 1976, in powers of 1/√n.
fn pelz_good(d: f64, n: f64) -> f64 {
    let z = n.sqrt() * d;
    let (z2, z4, z6, z8) = (z.powi(2), z.powi(4), z.powi(6), z.powi(8));
    let (pi2, pi4, pi6) = (PI.powi(2), PI.powi(4), PI.powi(6));
    let mut k = [0.0; 4];
    let terms = (16.0 * z / PI).ceil() as u32 + 1;
    for i in (0..terms).rev() {
        // half-integers i + ½ of both signs
        let h2 = (f64::from(i) + 0.5).powi(2);
        let (h4, h6) = (h2 * h2, h2 * h2 * h2);
        let weight = 2.0 * (-pi2 * h2 / (2.0 * z2)).exp();
        k[0] += weight;
        k[1] += weight * (pi2 * h2 - z2);
        k[2] += weight * (6.0 * z6 + 2.0 * z4 + pi2 * (2.0 * z4 - 5.0 * z2) * h2 + pi4 * (1.0 - 2.0 * z2) * h4);
        k[3] += weight
            * (pi6 * h6 * (5.0 - 30.0 * z2) + pi4 * h4 * (-60.0 * z2 + 212.0 * z4) + pi2 * h2 * (135.0 * z4 - 96.0 * z6)
                - 30.0 * z6
                - 90.0 * z8);
    }
    let root = (PI / 2.0).sqrt();
    k[0] *= root / z;
    k[1] *= root / (6.0 * z4);
    k[2] *= root / (72.0 * z.powi(7));
    k[3] *= root / (6480.0 * z.powi(10));
    for i in (1..=terms).rev() {
        // whole numbers of both signs
        let i2 = f64::from(i).powi(2);
        let weight = 2.0 * (-pi2 * i2 / (2.0 * z2)).exp();
        k[2] -= root / (36.0 * z.powi(3)) * weight * pi2 * i2;
        k[3] += root / (216.0 * z6) * weight * (3.0 * pi2 * i2 * z2 - pi4 * i2 * i2);
    }
    k[0] + k[1] / n.sqrt() + k[2] / n + k[3] / n.powf(1.5)
}

/// P(D_n⁺ ≥ d) of a large sample with z = √n·d: exp(−2z²)·(1 − 2z/(3√n) + 2z²/(3n)·(1 − 2z²/3) + 4z/(9n√n)·(1/5 − 19z²/15 + 2z⁴/3)) (H. A. Lauwerier, Z. Wahrscheinlichkeitstheorie 2, 1963).
/// Where its terms are no longer small the logarithm of the same, to 1/n.
fn one_sided_limit(d: f64, n: f64) -> f64 {
    let (root, z) = (n.sqrt(), n.sqrt() * d);
    let z2 = z * z;
    if z < 3.0 {
        let first = -2.0 * z / (3.0 * root) + 2.0 * z2 / (3.0 * n) * (1.0 - 2.0 * z2 / 3.0);
        let last = 4.0 * z / (9.0 * n * root) * (0.2 - 19.0 * z2 / 15.0 + 2.0 * z2 * z2 / 3.0);
        (-2.0 * z2).exp() * (1.0 + first + last)
    } else {
        (-2.0 * (z + 1.0 / (6.0 * root)).powi(2) - 4.0 * (z2 * z2 - z2) / (9.0 * n)).exp()
    }
}
