//! How good one ranked list is.
//!
//! `ranked` are the gains of the items in the order in which they were shown, 0 for one that is not relevant; `relevant` the gains (above 0) of all
//! items that are relevant, in any order. Only the first `k` places count, and a list may be shorter.

use super::NoValue;

/// Normalised discounted cumulative gain: Σ gain/log₂(1 + place) over that of the best order of all relevant items, both cut at `k`
/// (K. Järvelin and J. Kekäläinen, ACM TOIS 20, 2002; gains enter as they are, as in scikit-learn's `ndcg_score`). 0 to 1.
/// Without a relevant item no order is better than another.
pub fn ndcg(ranked: &[f64], relevant: &[f64], k: usize) -> Result<f64, NoValue> {
    // over the greatest gain, so that no sum leaves the range of numbers
    let greatest = relevant.iter().copied().fold(0.0, f64::max);
    if k == 0 || !(greatest > 0.0 && greatest.is_finite()) {
        return Err(NoValue::NoPositiveLabel);
    }
    let mut best = relevant.to_vec();
    best.sort_by(|a, b| b.total_cmp(a));
    let dcg = |gains: &[f64]| gains.iter().take(k).zip(2_u32..).map(|(gain, place)| gain / greatest / f64::from(place).log2()).sum::<f64>();
    Ok((dcg(ranked) / dcg(&best)).clamp(0.0, 1.0))
}

/// Share of `k` places that hold a relevant item; the places that a shorter list leaves empty hold none.
pub fn precision_at_k(ranked: &[f64], k: usize) -> Result<f64, NoValue> {
    if k == 0 { Err(NoValue::Empty) } else { Ok(hits(ranked, k) as f64 / k as f64) }
}

/// Share of the `n_relevant` relevant items that are among the first `k`.
pub fn recall_at_k(ranked: &[f64], n_relevant: usize, k: usize) -> Result<f64, NoValue> {
    if n_relevant == 0 { Err(NoValue::NoPositiveLabel) } else { Ok((hits(ranked, k) as f64 / n_relevant as f64).min(1.0)) }
}

/// One over the place of the first relevant item among the first `k`; 0 where there is none (E. M. Voorhees, TREC-8, 1999).
pub fn reciprocal_rank(ranked: &[f64], k: usize) -> f64 {
    ranked.iter().take(k).position(|gain| *gain > 0.0).map_or(0.0, |place| 1.0 / (place + 1) as f64)
}

fn hits(ranked: &[f64], k: usize) -> usize {
    ranked.iter().take(k).filter(|gain| **gain > 0.0).count()
}
