//! Quality of scores: how well they rank, and how well they hit.
//!
//! A score is a number from 0 to 1 for one class against the rest. Rankings are read from groups of scores that cannot be told apart; where a group
//! is one value they are tied and the figure is exact, else the figure is the middle of what is possible, and says how far that reaches.

use super::{Bounded, NoValue, interval};

/// Scores are kept this far from 0 and 1 under a logarithm: the distance of 1 to the next number, as scikit-learn does for 64-bit scores.
const CLIP: f64 = f64::EPSILON;
/// Bins of the calibration error.
const CALIBRATION_BINS: usize = 10;

/// Scores that are counted together.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ScoreGroup {
    /// Least score that may be in it.
    pub low: f64,
    /// Greatest score that may be in it; equal to `low` where all are the same.
    pub high: f64,
    /// Scores of what is not of the class.
    pub negatives: u64,
    /// Scores of what is.
    pub positives: u64,
}

impl ScoreGroup {
    /// Whether all scores of it are one value, or there is but one.
    fn is_tied(self) -> bool {
        self.low >= self.high || self.negatives + self.positives == 1
    }
}

/// Scores sorted and gathered by value, each with whether it was of the class: what every figure here takes, exactly.
pub fn groups(scores: impl IntoIterator<Item = (f64, bool)>) -> Vec<ScoreGroup> {
    let mut scores: Vec<(f64, bool)> = scores.into_iter().filter(|(score, _)| score.is_finite()).collect();
    scores.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut groups: Vec<ScoreGroup> = Vec::new();
    for (score, yes) in scores {
        let (negatives, positives) = (u64::from(!yes), u64::from(yes));
        match groups.last_mut().filter(|group| group.low == score) {
            Some(group) => {
                group.negatives += negatives;
                group.positives += positives;
            }
            None => groups.push(ScoreGroup { low: score, high: score, negatives, positives }),
        }
    }
    groups
}

fn totals(groups: &[ScoreGroup]) -> (u64, u64) {
    groups.iter().fold((0, 0), |(n, p), group| (n + group.negatives, p + group.positives))
}

/// Both totals, where both classes occur.
fn both_classes(groups: &[ScoreGroup]) -> Result<(u64, u64), NoValue> {
    match totals(groups) {
        (0, 0) => Err(NoValue::Empty),
        (0, _) | (_, 0) => Err(NoValue::OneClass),
        totals => Ok(totals),
    }
}

/// Area under the ROC curve: the share of pairs of a positive and a negative in which the positive has the greater score, ties by half (Mann and Whitney
/// 1947; scikit-learn `roc_auc_score`). `groups` rise. Within a group of several values half of the pairs are taken to be right.
pub fn roc_auc(groups: &[ScoreGroup]) -> Result<Bounded, NoValue> {
    let (negatives, positives) = both_classes(groups)?;
    // in half pairs, so that all stays whole
    let (mut wins, mut unknown, mut below) = (0u128, 0u128, 0u128);
    for group in groups {
        let (no, yes) = (u128::from(group.negatives), u128::from(group.positives));
        wins += yes * (2 * below + no);
        below += no;
        if !group.is_tied() {
            unknown += yes * no;
        }
    }
    let half_pairs = 2.0 * (negatives as f64 * positives as f64);
    Ok(Bounded { value: wins as f64 / half_pairs, bound: unknown as f64 / half_pairs })
}

/// 95 % interval of [`roc_auc`]: variance by DeLong, DeLong and Clarke-Pearson (Biometrics 44, 1988), on the scale of the logit (Qin and Hotilovac,
/// Statistical Methods in Medical Research 17, 2008). `None` with fewer than two of either class, and at 0 or 1.
pub fn roc_auc_interval(groups: &[ScoreGroup]) -> Option<(f64, f64)> {
    let auc = roc_auc(groups).ok()?.value;
    let (negatives, positives) = both_classes(groups).ok()?;
    if negatives < 2 || positives < 2 {
        return None;
    }
    let (n, p) = (negatives as f64, positives as f64);
    // each positive's share of negatives below it, and each negative's share of positives above it
    let (mut below, mut above, mut of_positives, mut of_negatives) = (0.0, p, 0.0, 0.0);
    for group in groups {
        let (no, yes) = (group.negatives as f64, group.positives as f64);
        above -= yes;
        of_positives += yes * ((below + no / 2.0) / n - auc).powi(2);
        of_negatives += no * ((above + yes / 2.0) / p - auc).powi(2);
        below += no;
    }
    let variance = of_positives / (p - 1.0) / p + of_negatives / (n - 1.0) / n;
    if variance > 0.0 { interval::logit(auc, variance.sqrt() / (auc * (1.0 - auc))) } else { None }
}

/// Average precision Σ (R_k − R_{k−1})·P_k over falling thresholds, tied scores one threshold (scikit-learn `average_precision_score`). `groups` rise.
/// Within a group of several values it is the middle of the least and the greatest possible.
pub fn average_precision(groups: &[ScoreGroup]) -> Result<Bounded, NoValue> {
    let (_, positives) = both_classes(groups)?;
    let (mut least, mut greatest, mut hits, mut false_alarms) = (0.0, 0.0, 0u64, 0u64);
    for group in groups.iter().rev().filter(|group| group.positives + group.negatives > 0) {
        let (before, yes) = (hits, group.positives as f64);
        hits += group.positives;
        let precision = |false_alarms: u64| yes * hits as f64 / (hits + false_alarms).max(1) as f64;
        let tied = precision(false_alarms + group.negatives);
        if group.is_tied() {
            least += tied;
            greatest += tied;
        } else {
            // best: all positives on top of the negatives, tied; worst: below them, one by one
            greatest += precision(false_alarms);
            least += one_by_one(before, hits, false_alarms + group.negatives).min(tied);
        }
        false_alarms += group.negatives;
    }
    let (least, greatest) = (least / positives as f64, greatest / positives as f64);
    Ok(Bounded { value: f64::midpoint(least, greatest), bound: (greatest - least).max(0.0) / 2.0 })
}

/// Lower bound of Σ i/(i+k) for i from `before`+1 to `hits`. The terms are concave in i, so each stretch is at least its trapezoid; stretches double.
fn one_by_one(before: u64, hits: u64, k: u64) -> f64 {
    let term = |i: u64| i as f64 / (i as f64 + k as f64);
    let (mut sum, mut first, mut length) = (0.0, before + 1, 1u64);
    while first <= hits {
        let last = hits.min(first.saturating_add(length - 1));
        sum += (last - first + 1) as f64 * f64::midpoint(term(first), term(last));
        (first, length) = (last + 1, if length < 32 { length + 1 } else { length * 2 });
    }
    sum
}

/// 95 % interval of [`average_precision`] on the scale of the logit, by the number of positives (K. Boyd, K. H. Eng and C. D. Page, ECML 2013, "logit
/// interval"). `None` at 0 or 1.
pub fn average_precision_interval(groups: &[ScoreGroup]) -> Option<(f64, f64)> {
    let value = average_precision(groups).ok()?.value;
    let (_, positives) = totals(groups);
    interval::logit(value, (positives as f64 * value * (1.0 - value)).sqrt().recip())
}

/// Expected calibration error Σ n_b/n · |mean score − share of positives| over ten equal bins of the score, open below and closed above but for the first
/// (Pakdaman Naeini, Cooper, Hauskrecht, AAAI 2015). `groups` may not reach over a multiple of 0.1.
pub fn calibration_error(groups: &[ScoreGroup]) -> Result<Bounded, NoValue> {
    let (negatives, positives) = totals(groups);
    if negatives + positives == 0 {
        return Err(NoValue::Empty);
    }
    let mut bins = [(0.0, 0.0); CALIBRATION_BINS];
    let mut uncertain = 0.0;
    for group in groups {
        let n = (group.negatives + group.positives) as f64;
        let bin = ((group.high * CALIBRATION_BINS as f64 - 1e-9).ceil().max(1.0) as usize - 1).min(CALIBRATION_BINS - 1);
        bins[bin].0 += n * f64::midpoint(group.low, group.high);
        bins[bin].1 += group.positives as f64;
        uncertain += n * (group.high - group.low) / 2.0;
    }
    let n = (negatives + positives) as f64;
    let value = bins.iter().map(|(scores, positives)| (scores - positives).abs()).sum::<f64>() / n;
    Ok(Bounded { value: value.min(1.0), bound: uncertain / n })
}

/// Brier score of one class against the rest, the mean of (score − truth)² (G. W. Brier 1950; scikit-learn `brier_score_loss`).
pub fn brier(groups: &[ScoreGroup]) -> Result<Bounded, NoValue> {
    let (negatives, positives) = totals(groups);
    if negatives + positives == 0 {
        return Err(NoValue::Empty);
    }
    let sum = |no: fn(&ScoreGroup) -> f64, yes: fn(&ScoreGroup) -> f64| -> f64 {
        groups.iter().map(|g| g.negatives as f64 * no(g).powi(2) + g.positives as f64 * (1.0 - yes(g)).powi(2)).sum()
    };
    let n = (negatives + positives) as f64;
    let (least, greatest) = (sum(|g| g.low, |g| g.high) / n, sum(|g| g.high, |g| g.low) / n);
    Ok(Bounded { value: f64::midpoint(least, greatest), bound: (greatest - least).max(0.0) / 2.0 })
}

/// 95 % interval of [`brier`]: normal, by the spread of the terms, each score taken at the middle of its group. `None` below two terms.
pub fn brier_interval(groups: &[ScoreGroup]) -> Option<(f64, f64)> {
    let (value, (negatives, positives)) = (brier(groups).ok()?.value, totals(groups));
    let sum = |power: i32| -> f64 {
        let terms = groups.iter().map(|g| {
            let middle = f64::midpoint(g.low, g.high);
            g.negatives as f64 * middle.powi(2 * power) + g.positives as f64 * (1.0 - middle).powi(2 * power)
        });
        terms.sum()
    };
    let (low, high) = interval::mean(negatives + positives, sum(1), sum(2))?;
    let half = (high - low) / 2.0;
    Some((value - half, value + half))
}

/// What one binary prediction adds to log loss and Brier score: −ln of the score of what was true, and (score − truth)². `score` is that of the
/// positive class, from 0 to 1; it is clipped to [ε, 1−ε] under the logarithm (scikit-learn `log_loss`).
pub fn binary_loss(score: f64, positive: bool) -> (f64, f64) {
    let of_truth = if positive { score } else { 1.0 - score };
    (-clipped(of_truth).ln(), (score - f64::from(u8::from(positive))).powi(2))
}

/// The same of one prediction with a score for each class, which are first made to add up to 1 (as scikit-learn wants them); the Brier score is the sum over
/// the classes. `None` where there is no such class, or the scores do not have a positive sum.
pub fn class_loss(scores: &[f64], truth: usize) -> Option<(f64, f64)> {
    let sum: f64 = scores.iter().sum();
    let of_truth = scores.get(truth)? / sum;
    if !(sum > 0.0 && sum.is_finite() && of_truth.is_finite()) {
        return None;
    }
    let target = |class| f64::from(u8::from(class == truth));
    let squares = scores.iter().enumerate().map(|(class, score)| (score / sum - target(class)).powi(2)).sum();
    Some((-clipped(of_truth).ln(), squares))
}

fn clipped(score: f64) -> f64 {
    score.clamp(CLIP, 1.0 - CLIP)
}
