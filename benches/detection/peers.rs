//! The rules that other tools ship, on the same hours, with the bins and thresholds that their sources and documents give.
//!
//! - Evidently 0.7: with a reference of more than 1,000 rows, Wasserstein distance over the reference's standard deviation for numbers, Jensen–Shannon
//!   distance (natural logarithm) for names, each from 0.1 on; a data set drifts where half of the columns do. No rule for nulls.
//! - NannyML 0.13.1: Jensen–Shannon distance (base 2, bins after Doane and one for what lies outside) of every column, missing rate and realised quality, each
//!   against mean ± 3 standard deviations of the reference's own windows: `DEFAULT_THRESHOLDS` of its source. The documentation of its methods still names a
//!   constant 0.1 for the distance, as older versions had it: once with the other two as they are, once alone.
//! - Scouter 0.25: PSI over deciles, shares of 0 raised to 1e-10, at the 95 % point of χ²(B−1)/n; a name that was never seen is not counted.
//! - PSI at 0.1 and at 0.2, deciles, shares of 0 raised to 1e-4: what is written by hand.

use crate::figures::{Ranked, doane, histogram, jensen_shannon, psi, shares, std};
use crate::world::{Cell, Hour};
use statrs::distribution::{ChiSquared, ContinuousCDF};
use std::collections::BTreeMap;

/// A rule of another tool.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Peer {
    EvidentlyAny,
    EvidentlyHalf,
    NannymlShipped,
    NannymlDocumented,
    NannymlConstant,
    Scouter,
    PsiTenth,
    PsiFifth,
}

/// Something of each rule.
pub(crate) type ByPeer<T> = [T; Peer::ALL.len()];

impl Peer {
    pub(crate) const ALL: [Self; 8] = [
        Self::EvidentlyAny,
        Self::EvidentlyHalf,
        Self::NannymlShipped,
        Self::NannymlDocumented,
        Self::NannymlConstant,
        Self::Scouter,
        Self::PsiTenth,
        Self::PsiFifth,
    ];

    /// As short as a table's head has to be; the page says what each is.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::EvidentlyAny => "Evidently, any",
            Self::EvidentlyHalf => "Evidently, half",
            Self::NannymlShipped => "NannyML, 3σ",
            Self::NannymlDocumented => "NannyML, 0.1 and 3σ",
            Self::NannymlConstant => "NannyML, JS 0.1",
            Self::Scouter => "Scouter, χ²",
            Self::PsiTenth => "PSI 0.1",
            Self::PsiFifth => "PSI 0.2",
        }
    }
}

/// The reference of one column as the peers see it.
#[derive(Debug)]
enum Column {
    Numbers { ranked: Ranked, std: f64, deciles: Vec<f64>, deciles_share: Vec<f64>, doane: Vec<f64>, doane_share: Vec<f64> },
    Names { share: BTreeMap<&'static str, f64> },
}

/// Figures of every column in one hour, and its quality.
type OfHour = (Vec<Figures>, [f64; 3]);

/// Figures of one column in one hour.
#[derive(Debug, Clone, Copy)]
struct Figures {
    /// Wasserstein over σ, or Jensen–Shannon to base e.
    evidently: f64,
    /// Jensen–Shannon to base 2.
    nannyml: f64,
    /// PSI with its floor of 1e-10, its degrees of freedom, and the number of values behind it.
    scouter: (f64, usize, f64),
    /// PSI with a floor of 1e-4.
    psi: f64,
    missing: f64,
}

/// What every rule needs of a reference.
#[derive(Debug)]
pub(crate) struct Peers {
    columns: Vec<Column>,
    /// Mean and standard deviation over the reference's hours of JS (2) and of the missing rate by column, and of the three quality figures.
    js: Vec<(f64, f64)>,
    missing: Vec<(f64, f64)>,
    quality: Vec<(f64, f64)>,
    /// χ²₀.₉₅ by degrees of freedom.
    chi_square: Vec<f64>,
}

impl Peers {
    pub(crate) fn new(hours: &[Hour]) -> Self {
        let n_features = hours[0].features.len();
        let mut columns: Vec<Column> =
            (0..n_features).map(|f| Column::new(hours.iter().flat_map(|h| h.features[f].iter().copied()))).collect();
        for label in [false, true] {
            columns.push(Column::new(hours.iter().flat_map(|h| outcome_cells(h, label))));
        }
        let chi_square = (0..40).map(|d| ChiSquared::new(f64::from(d.max(1))).map_or(f64::INFINITY, |chi| chi.inverse_cdf(0.95))).collect();
        let mut peers = Self { columns, js: Vec::new(), missing: Vec::new(), quality: Vec::new(), chi_square };
        // every third hour is enough for a mean and a spread, and meets every hour of the day and day of the week
        let own: Vec<OfHour> = hours.iter().step_by(3).map(|hour| peers.figures(hour)).collect();
        let spread = |of: &dyn Fn(&OfHour) -> f64| {
            let values: Vec<f64> = own.iter().map(of).filter(|v| v.is_finite()).collect();
            (values.iter().sum::<f64>() / values.len() as f64, std(&values))
        };
        peers.js = (0..peers.columns.len()).map(|c| spread(&|(f, _)| f[c].nannyml)).collect();
        peers.missing = (0..peers.columns.len()).map(|c| spread(&|(f, _)| f[c].missing)).collect();
        peers.quality = (0..3).map(|q| spread(&|(_, quality)| quality[q])).collect();
        peers
    }

    /// Which rules alert on an hour.
    pub(crate) fn alerts(&self, hour: &Hour) -> ByPeer<bool> {
        let (figures, quality) = self.figures(hour);
        let above = |value: f64, (mean, std): (f64, f64)| value > mean + 3.0 * std;
        // each side of a quality figure is a threshold, as long as it lies between 0 and 1
        let beside = |value: f64, (mean, std): (f64, f64)| value < (mean - 3.0 * std).max(0.0) || value > (mean + 3.0 * std).min(1.0);
        let drifted = figures.iter().filter(|f| f.evidently >= 0.1).count();
        let shifted = figures.iter().zip(&self.js).any(|(f, &own)| above(f.nannyml, own));
        let distant = figures.iter().any(|f| f.nannyml > 0.1);
        let unlike = figures.iter().zip(&self.missing).any(|(f, &own)| above(f.missing, own))
            || quality.iter().zip(&self.quality).any(|(&q, &own)| beside(q, own));
        let improbable = |f: &Figures| {
            let (psi, degrees, n) = f.scouter;
            degrees > 0 && psi > self.chi_square[degrees.min(39)] / n
        };
        Peer::ALL.map(|peer| match peer {
            Peer::EvidentlyAny => drifted > 0,
            Peer::EvidentlyHalf => 2 * drifted >= figures.len(),
            Peer::NannymlShipped => shifted || unlike,
            Peer::NannymlDocumented => distant || unlike,
            Peer::NannymlConstant => distant,
            Peer::Scouter => figures.iter().any(improbable),
            Peer::PsiTenth => figures.iter().any(|f| f.psi > 0.1),
            Peer::PsiFifth => figures.iter().any(|f| f.psi > 0.2),
        })
    }

    /// Figures of every column, and accuracy, precision and recall.
    fn figures(&self, hour: &Hour) -> (Vec<Figures>, [f64; 3]) {
        let of_features = self.columns.iter().zip(&hour.features).map(|(column, cells)| column.read(cells));
        let outputs = [false, true].map(|label| outcome_cells(hour, label).collect::<Vec<_>>());
        let of_outputs = self.columns[hour.features.len()..].iter().zip(&outputs).map(|(column, cells)| column.read(cells));
        let figures = of_features.chain(of_outputs).collect();
        let count = |f: fn(&(bool, bool)) -> bool| hour.outcomes.iter().filter(|o| f(o)).count() as f64;
        let hits = count(|o| o.0 && o.1);
        (figures, [count(|o| o.0 == o.1) / hour.outcomes.len() as f64, hits / count(|o| o.0), hits / count(|o| o.1)])
    }
}

fn outcome_cells(hour: &Hour, label: bool) -> impl Iterator<Item = Cell> + '_ {
    hour.outcomes.iter().map(move |&(said, truth)| Cell::Name(if if label { truth } else { said } { "1" } else { "0" }))
}

/// Values of a reference that its Wasserstein distance is taken from, at most: the others lie between two of these, which moves a distance by less than a
/// ten-thousandth of the reference's spread, and all of 1.7 million lie too far apart in memory to be looked through for every row.
const MOST_RANKED: usize = 20_000;

/// Sorted values, those in the middle of equally many ranks each where there are too many.
fn thinned(sorted: &[f64]) -> Vec<f64> {
    let n = sorted.len().min(MOST_RANKED);
    (0..n).map(|i| sorted[((2 * i + 1) * sorted.len()) / (2 * n)]).collect()
}

impl Column {
    fn new(cells: impl Iterator<Item = Cell>) -> Self {
        let mut numbers = Vec::new();
        let mut names: BTreeMap<&'static str, f64> = BTreeMap::new();
        for cell in cells {
            match cell {
                Cell::Null => {}
                Cell::Number(x) => numbers.push(x),
                Cell::Name(name) => *names.entry(name).or_default() += 1.0,
            }
        }
        if numbers.is_empty() {
            let n: f64 = names.values().sum();
            return Self::Names { share: names.into_iter().map(|(name, count)| (name, count / n)).collect() };
        }
        let std = std(&numbers);
        let mut sorted = numbers;
        sorted.sort_unstable_by(f64::total_cmp);
        let deciles: Vec<f64> = (1..10).map(|i| sorted[sorted.len() * i / 10]).collect();
        let doane = doane(&sorted);
        Self::Numbers {
            std,
            deciles_share: between(&sorted, &deciles),
            deciles,
            doane_share: shares(&histogram(&sorted, &doane)),
            doane,
            ranked: Ranked::new(thinned(&sorted)),
        }
    }

    fn read(&self, cells: &[Cell]) -> Figures {
        let missing = cells.iter().filter(|c| **c == Cell::Null).count() as f64 / cells.len() as f64;
        match self {
            Self::Numbers { ranked, std, deciles, deciles_share, doane, doane_share } => {
                let mut values: Vec<f64> = cells.iter().filter_map(|c| if let Cell::Number(x) = c { Some(*x) } else { None }).collect();
                values.sort_unstable_by(f64::total_cmp);
                let bins = between(&values, deciles);
                Figures {
                    evidently: ranked.wasserstein(&values) / std,
                    nannyml: jensen_shannon(doane_share, &shares(&histogram(&values, doane))) / std::f64::consts::LN_2.sqrt(),
                    scouter: (psi(deciles_share, &bins, 1e-10), 9, values.len() as f64),
                    psi: psi(deciles_share, &bins, 1e-4),
                    missing,
                }
            }
            Self::Names { share } => {
                let mut counts: BTreeMap<&str, u64> = share.keys().map(|&name| (name, 0)).collect();
                let mut unseen = 0;
                for cell in cells {
                    if let Cell::Name(name) = cell {
                        *counts.get_mut(name).unwrap_or(&mut unseen) += 1;
                    }
                }
                let p: Vec<f64> = share.values().copied().chain([0.0]).collect();
                let mut counts: Vec<u64> = counts.into_values().collect();
                let (known, seen) = (shares(&counts), counts.iter().sum::<u64>() as f64);
                counts.push(unseen);
                let q = shares(&counts);
                let js = jensen_shannon(&p, &q);
                Figures {
                    evidently: js,
                    nannyml: js / std::f64::consts::LN_2.sqrt(),
                    scouter: (psi(&p[..known.len()], &known, 1e-10), known.len() - 1, seen),
                    // a name that is in neither has no part in it
                    psi: if unseen == 0 { psi(&p[..known.len()], &known, 1e-4) } else { psi(&p, &q, 1e-4) },
                    missing,
                }
            }
        }
    }
}

/// Shares of sorted values below, between and above edges.
fn between(sorted: &[f64], edges: &[f64]) -> Vec<f64> {
    let mut last = 0;
    let upto = edges.iter().map(|&edge| sorted.partition_point(|&x| x < edge)).chain([sorted.len()]);
    let counts: Vec<u64> = upto.map(|upto| (upto - std::mem::replace(&mut last, upto)) as u64).collect();
    shares(&counts)
}
