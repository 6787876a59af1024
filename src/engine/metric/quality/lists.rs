//! What is read from the sums of ranked lists.

use super::super::Metric;
use super::Figure;
use crate::engine::summary::{RankingSums, ValueSums};
use crate::stats::{NoValue, interval};

/// Figures of a ranking.
pub(super) const METRICS: &[Metric] = &[Metric::Ndcg, Metric::PrecisionAtK, Metric::RecallAtK, Metric::Mrr];

/// One figure: a mean over lists, with its interval from the squares; `Empty` for one that is not read from lists. What needs something to find is a mean
/// over the lists whose label has a relevant item.
pub(super) fn figure(sums: &RankingSums, metric: Metric) -> Figure {
    match metric {
        Metric::PrecisionAtK => mean(&sums.precision, sums.n),
        Metric::Mrr => mean(&sums.reciprocal_rank, sums.n),
        Metric::Ndcg | Metric::RecallAtK if sums.n_relevant == 0 => Figure::exact(Err(NoValue::NoPositiveLabel), sums.n),
        Metric::Ndcg => mean(&sums.ndcg, sums.n_relevant),
        Metric::RecallAtK => mean(&sums.recall, sums.n_relevant),
        _ => Figure::exact(Err(NoValue::Empty), sums.n),
    }
}

fn mean(values: &ValueSums, n: u64) -> Figure {
    let value = if n > 0 { Ok((values.sum.value() / n as f64).clamp(0.0, 1.0)) } else { Err(NoValue::Empty) };
    Figure::exact(value, n).within(interval::mean(n, values.sum.value(), values.squares.value()))
}
