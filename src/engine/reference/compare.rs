//! One column of a window against a baseline over the same slots: every distance of the catalogue.

use super::{ColumnReference, Slots};
use crate::engine::catalogue::Metric;
use crate::engine::summary::{ColumnCounts, NumberSums};
use crate::stats::{self, Bounded, LEAST_EXPECTED, LineSample, NoValue, Smoothing};
use std::cell::OnceCell;

/// A distance, and what is known about it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Comparison {
    /// The distance.
    pub value: f64,
    /// How far the true distance may be from it; 0 where the cells say it exactly.
    pub error_bound: f64,
    /// Bins compared, less one; 0 where there are none.
    pub degrees: u32,
    /// Probability of a distance this large without a change, by the test that belongs to the metric.
    pub p_value: Option<f64>,
    /// Values of the baseline.
    pub n_reference: u64,
    /// Values of the window.
    pub n_current: u64,
}

/// Distances that bins are enough for.
pub const OF_BINS: [Metric; 8] = [
    Metric::Psi,
    Metric::TotalVariation,
    Metric::JensenShannon,
    Metric::Hellinger,
    Metric::KullbackLeibler,
    Metric::LInfinity,
    Metric::ChiSquare,
    Metric::CramersV,
];

/// Why two columns have no distance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Incomparable {
    /// The baseline has no valid value.
    NoReference,
    /// The window has no valid value.
    NoData,
    /// The column is of another kind than the metric needs, or the reference lacks a spread to measure by.
    NotInReference,
    /// The sums are beyond the range of numbers.
    OutOfRange,
}

/// A distance without the sizes of its samples.
struct Distance {
    read: Bounded,
    degrees: u32,
    p_value: Option<f64>,
}

impl Distance {
    fn exact(value: f64) -> Self {
        Self { read: Bounded { value, bound: 0.0 }, degrees: 0, p_value: None }
    }
}

/// Two samples over the slots of one column; what several distances need of both is made once.
#[derive(Debug)]
pub struct Pair<'a> {
    pub(super) column: &'a ColumnReference,
    pub(super) baseline: &'a ColumnCounts,
    pub(super) current: &'a ColumnCounts,
    n_reference: u64,
    n_current: u64,
    bins: OnceCell<[Vec<u64>; 2]>,
}

impl Pair<'_> {
    /// The size of the baseline.
    pub fn n_reference(&self) -> u64 {
        self.n_reference
    }

    /// The size of the window.
    pub fn n_current(&self) -> u64 {
        self.n_current
    }

    /// Both counts by bin.
    pub(super) fn bins(&self) -> &[Vec<u64>; 2] {
        self.bins.get_or_init(|| [self.column.binned(self.baseline), self.column.binned(self.current)])
    }

    /// Whether both are counted over the column's slots, and hold a value.
    pub(super) fn check(&self) -> Result<(), Incomparable> {
        let n_slots = self.column.counts.slots.len();
        if self.n_reference == 0 || self.baseline.slots.len() != n_slots {
            return Err(Incomparable::NoReference);
        }
        if self.n_current == 0 || self.current.slots.len() != n_slots {
            return Err(Incomparable::NoData);
        }
        Ok(())
    }

    /// `metric` of the window against the baseline.
    pub fn compare(&self, metric: Metric) -> Result<Comparison, Incomparable> {
        self.check()?;
        let Self { column, baseline, current, n_reference, n_current, .. } = *self;
        let distance = match metric {
            Metric::Psi
            | Metric::TotalVariation
            | Metric::JensenShannon
            | Metric::Hellinger
            | Metric::KullbackLeibler
            | Metric::LInfinity
            | Metric::ChiSquare
            | Metric::CramersV => of_bins(metric, &self.bins()[0], &self.bins()[1]),
            Metric::Ks | Metric::CramerVonMises | Metric::AndersonDarling => self.of_ranks(metric),
            _ => column.of_values(metric, baseline, current),
        }?;
        let Distance { read: Bounded { value, bound }, degrees, p_value } = distance;
        if !value.is_finite() || !bound.is_finite() {
            return Err(Incomparable::OutOfRange);
        }
        Ok(Comparison { value, error_bound: bound, degrees, p_value, n_reference, n_current })
    }

    /// Tests by rank (numeric columns).
    fn of_ranks(&self, metric: Metric) -> Result<Distance, Incomparable> {
        let Slots::Numeric(_) = &self.column.slots else { return Err(Incomparable::NotInReference) };
        let (reference, current) = (&self.baseline.slots, &self.current.slots);
        let (read, p_value) = match metric {
            Metric::Ks => {
                let ks = stats::ks(reference, current).ok_or(Incomparable::NoData)?;
                (Bounded { value: ks.distance, bound: ks.bound }, stats::ks_p_value(ks.distance, self.n_reference, self.n_current))
            }
            Metric::CramerVonMises => {
                let test = stats::cramer_von_mises(reference, current).ok_or(Incomparable::NoData)?;
                (Bounded { value: test.statistic, bound: test.bound }, test.p_value)
            }
            _ => {
                let test = stats::anderson_darling(reference, current).ok_or(Incomparable::NoData)?;
                (Bounded { value: test.statistic, bound: test.bound }, test.p_value)
            }
        };
        Ok(Distance { read, degrees: 0, p_value: Some(p_value) })
    }
}

impl ColumnReference {
    /// `current` against `baseline`, both counted over this column's slots: the reference's own counts, or those of another window. Spread and points are
    /// the reference's in any case.
    pub fn pair<'a>(&'a self, baseline: &'a ColumnCounts, current: &'a ColumnCounts) -> Pair<'a> {
        let (n_reference, n_current) = (baseline.valid(), current.valid());
        Pair { column: self, baseline, current, n_reference, n_current, bins: OnceCell::new() }
    }

    /// One distance of [`ColumnReference::pair`].
    pub fn compare(&self, metric: Metric, baseline: &ColumnCounts, current: &ColumnCounts) -> Result<Comparison, Incomparable> {
        self.pair(baseline, current).compare(metric)
    }

    /// Distances in the column's unit or its spread (numeric columns).
    fn of_values(&self, metric: Metric, baseline: &ColumnCounts, current: &ColumnCounts) -> Result<Distance, Incomparable> {
        let (Slots::Numeric(cells), Some(moments)) = (&self.slots, self.moments) else { return Err(Incomparable::NotInReference) };
        let (points, known, live) = (cells.points(), line(baseline), line(current));
        let read = match metric {
            Metric::Wasserstein => return stats::wasserstein(points, known, live).map_err(reason).map(inexact),
            Metric::Energy => return stats::energy_distance(points, known, live).map_err(reason).map(inexact),
            // beside a constant nothing has a size; only the same constant again is no change
            _ if moments.std == 0.0 => {
                let same = [baseline, current].iter().all(|counts| counts.slots.get(1) == Some(&counts.valid()));
                return if same { Ok(Distance::exact(0.0)) } else { Err(Incomparable::NotInReference) };
            }
            Metric::WassersteinScaled => stats::wasserstein(points, known, live).map_err(reason)?,
            Metric::MeanShift => {
                let mean = |counts: &ColumnCounts| Some(NumberSums::known(&counts.sums?.deviation)? / counts.valid() as f64);
                let (before, now) = mean(baseline).zip(mean(current)).ok_or(Incomparable::OutOfRange)?;
                Bounded { value: (now - before).abs(), bound: 0.0 }
            }
            Metric::MedianShift | Metric::P95Shift => {
                let (numerator, denominator) = if metric == Metric::MedianShift { (1, 2) } else { (95, 100) };
                let quantile = |sample| stats::quantile(points, sample, numerator, denominator).map_err(reason);
                let (before, now) = (quantile(known)?, quantile(live)?);
                Bounded { value: (now.value - before.value).abs(), bound: before.bound + now.bound }
            }
            _ => return Err(Incomparable::NotInReference),
        };
        Ok(inexact(Bounded { value: read.value / moments.std, bound: read.bound / moments.std }))
    }
}

/// Distances over bins.
fn of_bins(metric: Metric, reference: &[u64], current: &[u64]) -> Result<Distance, Incomparable> {
    let degrees = stats::occupied(reference, current).saturating_sub(1);
    if metric == Metric::Psi {
        let psi = stats::psi(reference, current, Smoothing::Jeffreys).ok_or(Incomparable::NoData)?;
        return Ok(Distance { degrees, p_value: Some(psi.p_value), ..Distance::exact(psi.value) });
    }
    if metric == Metric::KullbackLeibler {
        let value = stats::kullback_leibler(reference, current, Smoothing::Jeffreys).ok_or(Incomparable::NoData)?;
        return Ok(Distance { degrees, ..Distance::exact(value) });
    }
    let test = stats::chi_square(reference, current, LEAST_EXPECTED).ok_or(Incomparable::NoData)?;
    let (value, degrees) = match metric {
        Metric::ChiSquare => (Some(test.statistic), test.degrees),
        Metric::CramersV => (Some(test.cramers_v), test.degrees),
        Metric::TotalVariation => (stats::total_variation(reference, current), degrees),
        Metric::JensenShannon => (stats::jensen_shannon(reference, current), degrees),
        Metric::Hellinger => (stats::hellinger(reference, current), degrees),
        _ => (stats::l_infinity(reference, current), degrees),
    };
    Ok(Distance { degrees, p_value: Some(test.p_value), ..Distance::exact(value.ok_or(Incomparable::NoData)?) })
}

/// A column's counts as a sample on the number line.
pub(super) fn line(counts: &ColumnCounts) -> LineSample<'_> {
    let sum = |of: fn(&NumberSums) -> &crate::engine::summary::FixedSum| counts.sums.as_ref().and_then(|sums| NumberSums::known(of(sums)));
    LineSample { cells: &counts.slots, below: sum(|sums| &sums.below), above: sum(|sums| &sums.above) }
}

fn inexact(read: Bounded) -> Distance {
    Distance { read, degrees: 0, p_value: None }
}

fn reason(reason: NoValue) -> Incomparable {
    match reason {
        NoValue::OutOfRange => Incomparable::OutOfRange,
        _ => Incomparable::NoData,
    }
}
