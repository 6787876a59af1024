//! The rules that other tools ship, on the same hours: their formulas, bins and thresholds, as their sources and documents give them.
//!
//! - Evidently 0.7: with a reference of more than 1,000 rows, Wasserstein distance over the reference's standard deviation for numbers, Jensen–Shannon
//!   distance (natural logarithm) for names, each at 0.1; a data set drifts where half of the columns do. No rule for nulls.
//! - NannyML 0.13: Jensen–Shannon distance (base 2, bins after Doane and one for what lies outside), missing rate and realised quality, each against the
//!   mean of the reference's own windows ± 3 standard deviations; the same distance at its older constant threshold of 0.1.
//! - Scouter 0.25: PSI over deciles, shares of 0 raised to 1e-10, at the 95 % point of χ²(B−1)/n; a name that was never seen is not counted.
//! - PSI at 0.1 and at 0.2, deciles, shares of 0 raised to 1e-4: what is written by hand.

use crate::world::{Cell, Hour};
use statrs::distribution::{ChiSquared, ContinuousCDF};
use std::collections::BTreeMap;

/// A rule of another tool.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Peer {
    EvidentlyAny,
    EvidentlyHalf,
    NannymlThreeSigma,
    NannymlConstant,
    Scouter,
    PsiTenth,
    PsiFifth,
}

impl Peer {
    pub(crate) const ALL: [Self; 7] = [
        Self::EvidentlyAny,
        Self::EvidentlyHalf,
        Self::NannymlThreeSigma,
        Self::NannymlConstant,
        Self::Scouter,
        Self::PsiTenth,
        Self::PsiFifth,
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::EvidentlyAny => "Evidently 0.7, any column",
            Self::EvidentlyHalf => "Evidently 0.7, half of the columns",
            Self::NannymlThreeSigma => "NannyML 0.13, mean ± 3σ",
            Self::NannymlConstant => "NannyML 0.13, JS > 0.1",
            Self::Scouter => "Scouter 0.25, PSI χ²",
            Self::PsiTenth => "PSI > 0.1",
            Self::PsiFifth => "PSI > 0.2",
        }
    }
}

/// The reference of one column as the peers see it.
#[derive(Debug)]
enum Column {
    Numbers { sorted: Vec<f64>, std: f64, deciles: Vec<f64>, deciles_share: Vec<f64>, doane: Vec<f64>, doane_share: Vec<f64> },
    Names { share: BTreeMap<&'static str, f64> },
}

/// Figures of one hour.
#[derive(Debug, Default, Clone)]
struct Figures {
    /// By column: Wasserstein over σ or Jensen–Shannon (e); Jensen–Shannon (2); PSI with floor 1e-10, degrees and n; PSI with floor 1e-4; missing rate.
    columns: Vec<[f64; 4]>,
    degrees: Vec<f64>,
    n: Vec<f64>,
    missing: Vec<f64>,
    /// Accuracy, precision, recall.
    quality: [f64; 3],
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
        // every fourth hour is enough for a mean and a spread
        let own: Vec<Figures> = hours.iter().step_by(4).map(|hour| peers.figures(hour)).collect();
        let spread = |of: &dyn Fn(&Figures) -> f64| {
            let values: Vec<f64> = own.iter().map(of).collect();
            let mean = values.iter().sum::<f64>() / values.len() as f64;
            let variance = values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / values.len() as f64;
            (mean, variance.sqrt())
        };
        peers.js = (0..peers.columns.len()).map(|c| spread(&|f| f.columns[c][1])).collect();
        peers.missing = (0..peers.columns.len()).map(|c| spread(&|f| f.missing[c])).collect();
        peers.quality = (0..3).map(|q| spread(&|f| f.quality[q])).collect();
        peers
    }

    /// Which rules alert on an hour.
    pub(crate) fn alerts(&self, hour: &Hour) -> [bool; Peer::ALL.len()] {
        let figures = self.figures(hour);
        let drifted = |column: usize, threshold: f64| figures.columns.iter().filter(|f| f[column] > threshold).count();
        let beyond = |value: f64, (mean, std): (f64, f64)| value > mean + 3.0 * std;
        let three_sigma = figures.columns.iter().zip(&self.js).any(|(f, &own)| beyond(f[1], own))
            || figures.missing.iter().zip(&self.missing).any(|(&m, &own)| beyond(m, own))
            || figures.quality.iter().zip(&self.quality).any(|(&q, &(mean, std))| q < mean - 3.0 * std);
        let scouter = (0..figures.columns.len()).any(|c| {
            let degrees = figures.degrees[c] as usize;
            degrees > 0 && figures.columns[c][2] > self.chi_square[degrees.min(39)] / figures.n[c]
        });
        Peer::ALL.map(|peer| match peer {
            Peer::EvidentlyAny => drifted(0, 0.1) > 0,
            Peer::EvidentlyHalf => 2 * drifted(0, 0.1) >= figures.columns.len(),
            Peer::NannymlThreeSigma => three_sigma,
            Peer::NannymlConstant => drifted(1, 0.1) > 0,
            Peer::Scouter => scouter,
            Peer::PsiTenth => drifted(3, 0.1) > 0,
            Peer::PsiFifth => drifted(3, 0.2) > 0,
        })
    }

    fn figures(&self, hour: &Hour) -> Figures {
        let mut figures = Figures::default();
        for (place, column) in self.columns.iter().enumerate() {
            let outcomes: Vec<Cell>;
            let cells = match hour.features.get(place) {
                Some(cells) => cells,
                None => {
                    outcomes = outcome_cells(hour, place > hour.features.len()).collect();
                    &outcomes
                }
            };
            column.read(cells, &mut figures);
        }
        let count = |f: fn(&(bool, bool)) -> bool| hour.outcomes.iter().filter(|o| f(o)).count() as f64;
        let hits = count(|o| o.0 && o.1);
        figures.quality = [count(|o| o.0 == o.1) / hour.outcomes.len() as f64, hits / count(|o| o.0), hits / count(|o| o.1)];
        figures
    }
}

fn outcome_cells(hour: &Hour, label: bool) -> impl Iterator<Item = Cell> + '_ {
    hour.outcomes.iter().map(move |&(said, truth)| Cell::Name(if if label { truth } else { said } { "1" } else { "0" }))
}

impl Column {
    fn new(cells: impl Iterator<Item = Cell>) -> Self {
        let (mut sorted, mut names, mut n) = (Vec::new(), BTreeMap::new(), 0.0);
        for cell in cells {
            match cell {
                Cell::Number(x) => sorted.push(x),
                Cell::Name(name) => {
                    *names.entry(name).or_insert(0.0) += 1.0;
                    n += 1.0;
                }
                Cell::Null => {}
            }
        }
        if sorted.is_empty() {
            names.values_mut().for_each(|count| *count /= n);
            return Self::Names { share: names };
        }
        sorted.sort_unstable_by(f64::total_cmp);
        let n = sorted.len() as f64;
        let mean = sorted.iter().sum::<f64>() / n;
        let moment = |k: i32| sorted.iter().map(|x| (x - mean).powi(k)).sum::<f64>() / n;
        let std = moment(2).sqrt();
        let deciles: Vec<f64> = (1..10).map(|i| sorted[(n * f64::from(i) / 10.0) as usize]).collect();
        let doane = doane(&sorted, moment(3) / std.powi(3));
        let deciles_share = shares(&sorted, &deciles);
        let doane_share = shares(&sorted, &doane);
        Self::Numbers { sorted, std, deciles, deciles_share, doane, doane_share }
    }

    fn read(&self, cells: &[Cell], figures: &mut Figures) {
        let missing = cells.iter().filter(|c| **c == Cell::Null).count() as f64 / cells.len() as f64;
        figures.missing.push(missing);
        match self {
            Self::Numbers { sorted, std, deciles, deciles_share, doane, doane_share } => {
                let mut values: Vec<f64> = cells.iter().filter_map(|c| if let Cell::Number(x) = c { Some(*x) } else { None }).collect();
                values.sort_unstable_by(f64::total_cmp);
                let n = values.len() as f64;
                let quantile = |i: usize| sorted[(sorted.len() as f64 * (i as f64 + 0.5) / n) as usize];
                let area = values.iter().enumerate().map(|(i, x)| (x - quantile(i)).abs()).sum::<f64>() / n;
                let bins = shares(&values, deciles);
                let js = jensen_shannon(doane_share, &shares(&values, doane));
                figures.columns.push([
                    area / std,
                    js / std::f64::consts::LN_2.sqrt(),
                    psi(deciles_share, &bins, 1e-10),
                    psi(deciles_share, &bins, 1e-4),
                ]);
                figures.degrees.push(9.0);
                figures.n.push(n);
            }
            Self::Names { share } => {
                let mut counts: BTreeMap<&str, f64> = share.keys().map(|&name| (name, 0.0)).collect();
                let mut unseen = 0.0;
                for cell in cells {
                    if let Cell::Name(name) = cell {
                        match counts.get_mut(name) {
                            Some(count) => *count += 1.0,
                            None => unseen += 1.0,
                        }
                    }
                }
                let seen: f64 = counts.values().sum();
                let n = seen + unseen;
                let p: Vec<f64> = share.values().copied().chain([0.0]).collect();
                let q: Vec<f64> = counts.values().map(|c| c / n).chain([unseen / n]).collect();
                let known: Vec<f64> = counts.values().map(|c| c / seen.max(1.0)).collect();
                let js = jensen_shannon(&p, &q);
                figures.columns.push([js, js / std::f64::consts::LN_2.sqrt(), psi(&p[..known.len()], &known, 1e-10), psi(&p, &q, 1e-4)]);
                figures.degrees.push(known.len() as f64 - 1.0);
                figures.n.push(seen);
            }
        }
    }
}

/// Shares of sorted values below, between and above edges.
fn shares(sorted: &[f64], edges: &[f64]) -> Vec<f64> {
    let below = edges.iter().map(|&edge| sorted.partition_point(|&x| x < edge)).chain([sorted.len()]);
    let mut last = 0;
    below
        .map(|upto| {
            let share = (upto - last) as f64 / sorted.len().max(1) as f64;
            last = upto;
            share
        })
        .collect()
}

/// Edges of equal bins after Doane (1976), as numpy cuts them; what lies outside falls into the first and the last open bin.
fn doane(sorted: &[f64], skewness: f64) -> Vec<f64> {
    let n = sorted.len() as f64;
    let spread = (6.0 * (n - 2.0) / ((n + 1.0) * (n + 3.0))).sqrt();
    let bins = (1.0 + n.log2() + (1.0 + skewness.abs() / spread).log2()).ceil();
    let (min, max) = (sorted[0], sorted[sorted.len() - 1]);
    (0..=bins as usize).map(|i| min + (max - min) * i as f64 / bins).collect()
}

/// Jensen–Shannon distance, natural logarithm.
fn jensen_shannon(p: &[f64], q: &[f64]) -> f64 {
    let side = |a: f64, m: f64| if a > 0.0 { a * (a / m).ln() } else { 0.0 };
    let sum: f64 = p.iter().zip(q).map(|(&p, &q)| side(p, 0.5 * (p + q)) + side(q, 0.5 * (p + q))).sum();
    (0.5 * sum).max(0.0).sqrt()
}

fn psi(p: &[f64], q: &[f64], floor: f64) -> f64 {
    p.iter()
        .zip(q)
        .filter(|(p, q)| **p > 0.0 || **q > 0.0)
        .map(|(&p, &q)| (p.max(floor), q.max(floor)))
        .map(|(p, q)| (q - p) * (q / p).ln())
        .sum()
}
