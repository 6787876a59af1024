//! Distances of two samples along the number line, from counts over the cells of points.
//!
//! Cells are those of [`super::ks`]: cell `2i+1` is point `i`, cell `2i` lies strictly between the points `i−1` and `i`. A value at a point is known exactly. Values in an open
//! cell between two points are taken at its middle, and `bound` says how far the truth may be from the reading for that. Nothing is known of where values below the first or above the
//! last point lie but the sum of their distances to it, which says exactly what they add to a Wasserstein distance.

use super::NoValue;
use super::counts::{total, totals};

/// One sample over cells.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LineSample<'a> {
    /// Counts by cell.
    pub cells: &'a [u64],
    /// Sum of the distances of values below the first point to it; `None`: not known, or beyond the range of numbers.
    pub below: Option<f64>,
    /// Sum of the distances of values above the last point to it.
    pub above: Option<f64>,
}

/// A number that may be inexact.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bounded {
    /// The number.
    pub value: f64,
    /// How far the true number may be from it; 0 where it is exact.
    pub bound: f64,
}

/// Values of one sample beyond the last (or first) point, as if all were at their mean distance: their share, and that distance.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Tail {
    count: u64,
    share: f64,
    /// Share times mean distance.
    area: f64,
}

impl Tail {
    fn new(count: u64, sum: Option<f64>, n: u128) -> Result<Self, NoValue> {
        let sum = if count == 0 { 0.0 } else { sum.ok_or(NoValue::OutOfRange)? };
        Ok(Self { count, share: count as f64 / n as f64, area: sum / n as f64 })
    }

    fn distance(self) -> f64 {
        if self.count == 0 { 0.0 } else { self.area / self.share }
    }
}

/// The tails of both samples on either side.
fn tails(reference: LineSample<'_>, current: LineSample<'_>, n: u128, m: u128) -> Result<[(Tail, Tail); 2], NoValue> {
    let end = |sample: LineSample<'_>, last: bool| (if last { sample.cells.last() } else { sample.cells.first() }).copied().unwrap_or(0);
    let side = |last: bool| -> Result<(Tail, Tail), NoValue> {
        let sum = |s: LineSample<'_>| if last { s.above } else { s.below };
        Ok((Tail::new(end(reference, last), sum(reference), n)?, Tail::new(end(current, last), sum(current), m)?))
    };
    Ok([side(false)?, side(true)?])
}

/// Calls `area(width, difference, cell)` for every stretch between the first and the last point on which `difference`, |F−G| times nm, is constant; `cell` is the open cell it lies in.
fn stretches(points: &[f64], reference: &[u64], current: &[u64], n: u128, m: u128, mut area: impl FnMut(f64, u128, usize)) {
    let (mut f, mut g) = (0u128, 0u128);
    for (cell, (&r, &c)) in reference.iter().zip(current).enumerate().take(2 * points.len()) {
        if cell % 2 == 0 && cell > 0 {
            // half the width on either side of the middle, halved first so that it cannot overflow
            let half = points[cell / 2] / 2.0 - points[cell / 2 - 1] / 2.0;
            area(half, f.abs_diff(g), cell);
            (f, g) = (f + u128::from(r) * m, g + u128::from(c) * n);
            area(half, f.abs_diff(g), cell);
        } else {
            (f, g) = (f + u128::from(r) * m, g + u128::from(c) * n);
        }
    }
}

/// Checks that counts and points belong together; sizes of both samples.
fn sizes(points: &[f64], reference: LineSample<'_>, current: LineSample<'_>) -> Result<(u128, u128), NoValue> {
    debug_assert_eq!(reference.cells.len(), 2 * points.len() + 1, "counts are over the cells of the points");
    if points.is_empty() || reference.cells.len() != 2 * points.len() + 1 {
        return Err(NoValue::Empty);
    }
    totals(reference.cells, current.cells).ok_or(NoValue::Empty)
}

fn finite(value: f64, bound: f64) -> Result<Bounded, NoValue> {
    if value.is_finite() && bound.is_finite() { Ok(Bounded { value, bound }) } else { Err(NoValue::OutOfRange) }
}

/// Σ over open cells between points of `weight(cell)` times width times both samples' shares: how far mass that is taken at the middle of its cell lies from its place, doubled.
fn displaced(points: &[f64], reference: &[u64], current: &[u64], n: u128, m: u128, weight: impl Fn(usize) -> f64) -> f64 {
    let inner = (2..2 * points.len()).step_by(2).filter(|&cell| reference[cell] + current[cell] > 0);
    inner
        .map(|cell| {
            weight(cell) * (points[cell / 2] - points[cell / 2 - 1]) * (reference[cell] as f64 / n as f64 + current[cell] as f64 / m as f64)
        })
        .sum()
}

/// Wasserstein-1 distance ∫|F−G|dx, in the unit of the points (L. N. Wasserstein 1969; S. S. Vallender, Theory Probab. Appl. 18, 1974), as `scipy.stats.wasserstein_distance`.
///
/// Beyond the first and the last point it is exact where one sample alone has values there. Within, mass moves by at most half the width of its cell, which `bound` adds up.
pub fn wasserstein(points: &[f64], reference: LineSample<'_>, current: LineSample<'_>) -> Result<Bounded, NoValue> {
    let (n, m) = sizes(points, reference, current)?;
    let scale = (n * m) as f64;
    let (mut value, mut bound) = (0.0, 0.5 * displaced(points, reference.cells, current.cells, n, m, |_| 1.0));
    stretches(points, reference.cells, current.cells, n, m, |width, difference, _| {
        // an infinite width times nothing is no number
        if difference > 0 {
            value += width * (difference as f64 / scale);
        }
    });
    for (r, c) in tails(reference, current, n, m)? {
        let read = if r.count == 0 || c.count == 0 { r.area + c.area } else { steps(r, c, |height| height) };
        value += read;
        // ∫|F−G| lies between |∫F − ∫G| and ∫F + ∫G
        if r.count > 0 && c.count > 0 {
            bound += (r.area + c.area - read).max(read - (r.area - c.area).abs());
        }
    }
    finite(value, bound)
}

/// ∫weight(|F−G|) over a tail where each sample sits at its mean distance.
fn steps(r: Tail, c: Tail, weight: impl Fn(f64) -> f64) -> f64 {
    let (near, far) = if r.distance() <= c.distance() { (r, c) } else { (c, r) };
    weight((r.share - c.share).abs()) * near.distance() + weight(far.share) * (far.distance() - near.distance())
}

/// Energy distance √(2∫(F−G)²dx), in the root of the points' unit (G. J. Székely and M. L. Rizzo, *Energy statistics*, J. Stat. Plan. Inference 143, 2013), as
/// `scipy.stats.energy_distance`.
///
/// `bound`: mass that is taken at the middle of its cell changes ∫(F−G)² by no more than twice its displacement times the largest |F−G| that is possible in the cell. Values in a tail with sum S
/// of distances and share t have ∫F² between S/n (one far away) and t·S (all at one place, which is the reading).
pub fn energy_distance(points: &[f64], reference: LineSample<'_>, current: LineSample<'_>) -> Result<Bounded, NoValue> {
    let (n, m) = sizes(points, reference, current)?;
    let scale = (n * m) as f64;
    let mut integral = 0.0;
    let mut possible = vec![0.0f64; reference.cells.len()];
    stretches(points, reference.cells, current.cells, n, m, |width, difference, cell| {
        let difference = difference as f64 / scale;
        possible[cell] = possible[cell].max(difference);
        if difference > 0.0 {
            integral += width * difference * difference;
        }
    });
    let share = |cell: usize| reference.cells[cell] as f64 / n as f64 + current.cells[cell] as f64 / m as f64;
    let mut uncertain = displaced(points, reference.cells, current.cells, n, m, |cell| (possible[cell] + share(cell)).min(1.0));
    for (r, c) in tails(reference, current, n, m)? {
        let read = steps(r, c, |height| height * height);
        integral += read;
        let least = |tail: Tail, n: u128| if tail.count > 1 { tail.area / n as f64 } else { tail.share * tail.area };
        uncertain += match (r.count, c.count) {
            (0, 0) => 0.0,
            (_, 0) => (read - least(r, n)).max(0.0),
            (0, _) => (read - least(c, m)).max(0.0),
            // (F−G)² is at most F² + G², and at least 0
            _ => read.max(r.share * r.area + c.share * c.area - read),
        };
    }
    // √(2x) as 2√(x/2): twice an integral near the end of the range of numbers is none
    let root = |half: f64| 2.0 * half.max(0.0).sqrt();
    let (half, spread) = (integral / 2.0, uncertain / 2.0);
    let value = root(half);
    // the root is steepest at 0: the way down is the longer one, but for rounding
    finite(value, (value - root(half - spread)).max(root(half + spread) - value))
}

/// Quantile of one sample by nearest rank: the least value v with F(v) ≥ `numerator/denominator`. At a point exact; in an open cell its middle.
///
/// Beyond the points: the mean of the values there; of the k values at least as far out as the quantile none is farther than sum/k on average, which bounds it.
pub fn quantile(points: &[f64], sample: LineSample<'_>, numerator: u64, denominator: u64) -> Result<Bounded, NoValue> {
    let n = total(sample.cells);
    let (Some(&first), Some(&last)) = (points.first(), points.last()) else { return Err(NoValue::Empty) };
    if n == 0 || sample.cells.len() != 2 * points.len() + 1 {
        return Err(NoValue::Empty);
    }
    let rank = (n * u128::from(numerator)).div_ceil(u128::from(denominator.max(1))).clamp(1, n);
    let mut below = 0u128;
    for (cell, &count) in sample.cells.iter().enumerate() {
        let count = u128::from(count);
        if below + count < rank {
            below += count;
            continue;
        }
        let tail = |sum: Option<f64>, at_least_as_far: u128| {
            let sum = sum.ok_or(NoValue::OutOfRange)?;
            let distance = sum / count as f64;
            let bound = if count == 1 { 0.0 } else { distance.max(sum / at_least_as_far as f64 - distance) };
            Ok((distance, bound))
        };
        return if cell % 2 == 1 {
            finite(points[cell / 2], 0.0)
        } else if cell == 0 {
            let (distance, bound) = tail(sample.below, rank)?;
            finite(first - distance, bound)
        } else if cell == 2 * points.len() {
            let (distance, bound) = tail(sample.above, n - rank + 1)?;
            finite(last + distance, bound)
        } else {
            let (low, high) = (points[cell / 2 - 1], points[cell / 2]);
            finite(low / 2.0 + high / 2.0, high / 2.0 - low / 2.0)
        };
    }
    Err(NoValue::Empty)
}

/// What each open cell adds to a Wasserstein distance: the area between the distribution functions there, both ends included; empty where there is none.
pub fn wasserstein_areas(points: &[f64], reference: LineSample<'_>, current: LineSample<'_>) -> Vec<f64> {
    areas(points, reference, current, |height| height)
}

/// What each open cell adds to the square of an energy distance, 2∫(F−G)²dx, both ends included; empty where there is none.
pub fn energy_areas(points: &[f64], reference: LineSample<'_>, current: LineSample<'_>) -> Vec<f64> {
    areas(points, reference, current, |height| 2.0 * height * height)
}

/// ∫weight(|F−G|) by open cell.
fn areas(points: &[f64], reference: LineSample<'_>, current: LineSample<'_>, weight: impl Fn(f64) -> f64) -> Vec<f64> {
    let Ok((n, m)) = sizes(points, reference, current) else { return Vec::new() };
    let scale = (n * m) as f64;
    let mut areas = vec![0.0; reference.cells.len()];
    stretches(points, reference.cells, current.cells, n, m, |width, difference, cell| {
        if difference > 0 {
            areas[cell] += width * weight(difference as f64 / scale);
        }
    });
    if let (Ok([below, above]), Some(last)) = (tails(reference, current, n, m), areas.len().checked_sub(1)) {
        for ((r, c), cell) in [(below, 0), (above, last)] {
            areas[cell] = steps(r, c, &weight);
        }
    }
    areas
}
