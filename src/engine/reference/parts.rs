//! Which bins of a column a distance comes from, in words.

use super::compare::{Pair, line};
use super::{Cells, ColumnReference, Slots};
use crate::engine::catalogue::Metric;
use crate::engine::summary::ColumnCounts;
use crate::stats::{self, Smoothing};
use std::collections::BTreeMap;
use std::sync::Arc;

/// What a bin, a category or a stretch of the number line adds to a distance.
#[derive(Debug, Clone, PartialEq)]
pub struct Contribution {
    /// As a person reads it: `12.5 to 40`, `above 90`, `= 3`, `DE`, `(new)`.
    pub name: Arc<str>,
    /// Its share of the baseline.
    pub reference: f64,
    /// Its share of the window.
    pub current: f64,
    /// What it adds; of a metric that is a root, to its square. Below 0 where it takes away: a share that shrank in a Kullback–Leibler divergence, mass that
    /// moved against the mean.
    pub contribution: f64,
}

/// A contribution before it has a name.
struct Part {
    place: Where,
    reference: f64,
    current: f64,
    contribution: f64,
}

/// What a part stands for.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Where {
    Bin(usize),
    Cell(usize),
    UpTo(usize),
    /// From one cell to another, both included.
    Cells(usize, usize),
}

impl Pair<'_> {
    /// The `top` largest contributions to a distance by their size, largest first; none where nothing differs.
    pub fn parts(&self, metric: Metric, top: usize) -> Vec<Contribution> {
        if top == 0 || self.check().is_err() {
            return Vec::new();
        }
        let Self { column, baseline, current, .. } = *self;
        let mut parts = match metric {
            Metric::Ks => greatest_gap(baseline, current),
            Metric::Wasserstein | Metric::WassersteinScaled | Metric::Energy => column.areas(metric, baseline, current),
            Metric::CramerVonMises | Metric::AndersonDarling => column.ranks(metric, baseline, current),
            Metric::MeanShift => column.moved_mass(baseline, current),
            Metric::MedianShift => column.crossed(baseline, current, (1, 2)),
            Metric::P95Shift => column.crossed(baseline, current, (95, 100)),
            _ => self.bin_parts(metric),
        };
        parts.retain(|part| part.contribution != 0.0 && part.contribution.is_finite());
        parts.sort_by(|a, b| b.contribution.abs().total_cmp(&a.contribution.abs()));
        parts.truncate(top);
        let named = |part: Part| Contribution {
            name: column.name(part.place),
            reference: part.reference,
            current: part.current,
            contribution: part.contribution,
        };
        parts.into_iter().map(named).collect()
    }

    fn bin_parts(&self, metric: Metric) -> Vec<Part> {
        let [reference, current] = self.bins();
        let bins = stats::occupied(reference, current);
        let (n, m) = (self.n_reference(), self.n_current());
        let smooth = |count, n| Smoothing::Jeffreys.share(count, u128::from(n), bins);
        let counted = reference.iter().zip(current).enumerate().filter(|&(_, (&r, &c))| r > 0 || c > 0);
        let part = |(bin, (&r, &c)): (usize, (&u64, &u64))| {
            let (p, q) = (r as f64 / n as f64, c as f64 / m as f64);
            let contribution = match metric {
                Metric::Psi => (smooth(c, m) - smooth(r, n)) * (smooth(c, m) / smooth(r, n)).ln(),
                Metric::KullbackLeibler => smooth(c, m) * (smooth(c, m) / smooth(r, n)).ln(),
                Metric::JensenShannon => stats::jensen_shannon_part(p, q),
                Metric::Hellinger => stats::hellinger_part(p, q),
                Metric::TotalVariation => 0.5 * (p - q).abs(),
                Metric::LInfinity => (p - q).abs(),
                // as before bins are put together: what the bin itself would add
                // (of Cramér's V: to the X²/(n + m) that it is the root of, before the correction of bias)
                Metric::CramersV => (p - q) * (p - q) / (r + c) as f64 * (n as f64 * m as f64 / (n + m) as f64),
                Metric::ChiSquare => (p - q) * (p - q) * n as f64 * m as f64 / (r + c) as f64,
                _ => return None,
            };
            Some(Part { place: Where::Bin(bin), reference: p, current: q, contribution })
        };
        counted.filter_map(part).collect()
    }
}

impl ColumnReference {
    /// The `top` largest contributions to one distance of [`ColumnReference::pair`].
    #[cfg(test)]
    pub fn parts(&self, metric: Metric, baseline: &ColumnCounts, current: &ColumnCounts, top: usize) -> Vec<Contribution> {
        self.pair(baseline, current).parts(metric, top)
    }

    /// Area between the distribution functions by bin; of the energy distance of their squared difference.
    fn areas(&self, metric: Metric, baseline: &ColumnCounts, current: &ColumnCounts) -> Vec<Part> {
        let (Slots::Numeric(cells), Some(moments)) = (&self.slots, self.moments) else { return Vec::new() };
        let scale = if metric == Metric::WassersteinScaled { moments.std } else { 1.0 };
        let (points, known, live) = (cells.points(), line(baseline), line(current));
        let areas =
            if metric == Metric::Energy { stats::energy_areas(points, known, live) } else { stats::wasserstein_areas(points, known, live) };
        self.by_bin(baseline, current, areas.into_iter().map(|area| area / scale))
    }

    /// What the values of each bin add to a statistic of ranks.
    fn ranks(&self, metric: Metric, baseline: &ColumnCounts, current: &ColumnCounts) -> Vec<Part> {
        let mut added = vec![0.0; baseline.slots.len()];
        let add = |cell: usize, part: f64| added[cell] += part;
        let read = if metric == Metric::CramerVonMises {
            stats::cramer_von_mises_by_cell(&baseline.slots, &current.slots, add)
        } else {
            stats::anderson_darling_by_cell(&baseline.slots, &current.slots, add)
        };
        // below its mean nothing differs that could be named
        if read.is_none_or(|read| read.statistic <= 0.0) {
            return Vec::new();
        }
        self.by_bin(baseline, current, added)
    }

    /// What each bin adds to the change of the mean, in its direction: share × distance from the reference's mean, after less before, over σ. Values in a
    /// gap are taken at its middle, so that the parts add up to the change as far as the cells tell.
    fn moved_mass(&self, baseline: &ColumnCounts, current: &ColumnCounts) -> Vec<Part> {
        let (Slots::Numeric(cells), Some(moments)) = (&self.slots, self.moments) else { return Vec::new() };
        let points = cells.points();
        let (Some(&first), Some(&last)) = (points.first(), points.last()) else { return Vec::new() };
        let share_moved = |counts: &ColumnCounts, cell: usize| {
            let (sample, n) = (line(counts), counts.valid() as f64);
            let share = counts.slots[cell] as f64 / n;
            let distance = |point: f64| (point - moments.mean) / moments.std;
            match cell {
                _ if counts.slots[cell] == 0 => 0.0,
                0 => share * distance(first) - sample.below.unwrap_or(0.0) / n / moments.std,
                cell if cell == 2 * points.len() => share * distance(last) + sample.above.unwrap_or(0.0) / n / moments.std,
                cell if cell % 2 == 1 => share * distance(points[cell / 2]),
                cell => share * distance(f64::midpoint(points[cell / 2 - 1], points[cell / 2])),
            }
        };
        let moved: Vec<f64> = (0..baseline.slots.len()).map(|cell| share_moved(current, cell) - share_moved(baseline, cell)).collect();
        let direction = moved.iter().sum::<f64>().signum();
        self.by_bin(baseline, current, moved.into_iter().map(|part| part * direction))
    }

    /// The stretch from where a quantile was to where it is: all of its shift, and how much of either sample lies there.
    fn crossed(&self, baseline: &ColumnCounts, current: &ColumnCounts, (numerator, denominator): (u64, u64)) -> Vec<Part> {
        let (Slots::Numeric(cells), Some(moments)) = (&self.slots, self.moments) else { return Vec::new() };
        let at = |counts: &ColumnCounts| {
            let value = stats::quantile(cells.points(), line(counts), numerator, denominator).ok()?.value;
            Some((cells.cell(value), value))
        };
        let Some(((from, before), (to, now))) = at(baseline).zip(at(current)) else { return Vec::new() };
        let (first, last) = (from.min(to), from.max(to));
        let share = |counts: &ColumnCounts| counts.slots[first..=last].iter().sum::<u64>() as f64 / counts.valid() as f64;
        let contribution = (now - before).abs() / moments.std;
        vec![Part { place: Where::Cells(first, last), reference: share(baseline), current: share(current), contribution }]
    }

    /// What each cell adds, by bin, or by cell where a bin is no single stretch.
    fn by_bin(&self, baseline: &ColumnCounts, current: &ColumnCounts, added: impl IntoIterator<Item = f64>) -> Vec<Part> {
        let (n, m) = (baseline.valid() as f64, current.valid() as f64);
        let stretches = self.stretches_by_bin();
        let mut parts: Vec<Part> = Vec::new();
        for (cell, contribution) in added.into_iter().enumerate() {
            let bin = usize::from(self.bins[cell]);
            let place = if stretches.get(&bin) == Some(&1) { Where::Bin(bin) } else { Where::Cell(cell) };
            let (reference, current) = (baseline.slots[cell] as f64 / n, current.slots[cell] as f64 / m);
            match parts.last_mut().filter(|part| part.place == place) {
                Some(part) => {
                    part.reference += reference;
                    part.current += current;
                    part.contribution += contribution;
                }
                None => parts.push(Part { place, reference, current, contribution }),
            }
        }
        parts
    }

    /// Of how many stretches of cells each bin is made, in one pass: columns can have tens of thousands of cells.
    fn stretches_by_bin(&self) -> BTreeMap<usize, usize> {
        let mut stretches = BTreeMap::new();
        for run in self.bins.chunk_by(|a, b| a == b) {
            *stretches.entry(usize::from(run[0])).or_default() += 1;
        }
        stretches
    }

    /// First and last cell of a bin of a numeric column; `None` where there are others between them.
    fn stretch(&self, bin: usize) -> Option<(usize, usize)> {
        let of_bin = |b: &u16| usize::from(*b) == bin;
        let (first, last) = (self.bins.iter().position(of_bin)?, self.bins.iter().rposition(of_bin)?);
        self.bins[first..=last].iter().all(of_bin).then_some((first, last))
    }

    fn name(&self, place: Where) -> Arc<str> {
        match (&self.slots, place) {
            (Slots::Categorical(categories), Where::Bin(slot) | Where::Cell(slot) | Where::UpTo(slot) | Where::Cells(slot, _)) => {
                categories.slot_name(slot).into()
            }
            (Slots::Numeric(cells), Where::Bin(bin)) => {
                self.stretch(bin).map_or_else(|| "between values".into(), |(first, last)| stretch_name(cells, first, last))
            }
            (Slots::Numeric(cells), Where::Cell(cell)) => stretch_name(cells, cell, cell),
            (Slots::Numeric(cells), Where::UpTo(cell)) => stretch_name(cells, 0, cell),
            (Slots::Numeric(cells), Where::Cells(first, last)) => stretch_name(cells, first, last),
            (Slots::Vector(_) | Slots::Hashed(_), Where::Bin(slot) | Where::Cell(slot) | Where::UpTo(slot) | Where::Cells(slot, _)) => {
                format!("bucket {slot}").into()
            }
        }
    }
}

/// Where the distribution functions are farthest apart: what lies up to there.
fn greatest_gap(baseline: &ColumnCounts, current: &ColumnCounts) -> Vec<Part> {
    let (n, m) = (baseline.valid(), current.valid());
    let (mut f, mut g) = (0u128, 0u128);
    let mut best = (0u128, 0, 0u128, 0u128);
    for (cell, (&r, &c)) in baseline.slots.iter().zip(&current.slots).enumerate() {
        (f, g) = (f + u128::from(r), g + u128::from(c));
        let gap = (f * u128::from(m)).abs_diff(g * u128::from(n));
        if gap > best.0 {
            best = (gap, cell, f, g);
        }
    }
    let (reference, current) = (best.2 as f64 / n as f64, best.3 as f64 / m as f64);
    let contribution = best.0 as f64 / (n as f64 * m as f64);
    vec![Part { place: Where::UpTo(best.1), reference, current, contribution }]
}

/// The cells from `first` to `last` in words.
fn stretch_name(cells: &Cells, first: usize, last: usize) -> Arc<str> {
    let points = cells.points();
    let low = if first.is_multiple_of(2) { first.checked_sub(1).map(|cell| cell / 2) } else { Some(first / 2) };
    let (low, high) = (low.and_then(|i| points.get(i)), points.get(last / 2));
    match (low, high) {
        (None, None) => "all values".into(),
        (None, Some(&high)) => format!("{} {}", if last % 2 == 1 { "up to" } else { "below" }, short(high)).into(),
        (Some(&low), None) => format!("{} {}", if first.is_multiple_of(2) { "above" } else { "from" }, short(low)).into(),
        (Some(&low), Some(_)) if first == last && first % 2 == 1 => format!("= {}", short(low)).into(),
        (Some(&low), Some(&high)) => format!("{} to {}", short(low), short(high)).into(),
    }
}

/// A number to six digits, as a person writes it.
fn short(number: f64) -> String {
    let rounded: f64 = format!("{number:.5e}").parse().unwrap_or(number);
    if rounded == 0.0 || (1e-4..1e15).contains(&rounded.abs()) { rounded.to_string() } else { format!("{rounded:e}") }
}
