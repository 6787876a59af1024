//! Isotonic regression of a yes/no answer on an ordered score.

/// Neighbouring scores with one common share of yes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pool {
    /// Place of the first score in it.
    pub first: usize,
    /// Place of the last score in it.
    pub last: usize,
    /// Answers that were no.
    pub no: u64,
    /// Answers that were yes.
    pub yes: u64,
}

/// The non-decreasing shares of yes with the least squared error over scores in rising order, each with its counts of no and yes (pool adjacent
/// violators: Ayer, Brunk, Ewing, Reid, Silverman 1955; the fit of scikit-learn's `IsotonicRegression` with the counts as weights).
///
/// Scores without an answer are passed over. Shares are compared in integers, so equal data give equal pools; equal neighbours are one pool, which
/// changes no value. Empty without any answer.
pub fn isotonic(counts: impl IntoIterator<Item = [u64; 2]>) -> Vec<Pool> {
    let mut pools: Vec<Pool> = Vec::new();
    for (place, [no, yes]) in counts.into_iter().enumerate().filter(|(_, [no, yes])| no + yes > 0) {
        let mut pool = Pool { first: place, last: place, no, yes };
        while let Some(before) = pools.pop_if(|before| !before.is_below(&pool)) {
            pool = Pool { first: before.first, last: pool.last, no: before.no + pool.no, yes: before.yes + pool.yes };
        }
        pools.push(pool);
    }
    pools
}

impl Pool {
    /// Number of answers.
    pub fn n(&self) -> u64 {
        self.no + self.yes
    }

    /// Share of yes (0 to 1); 0 without an answer.
    pub fn share(&self) -> f64 {
        self.yes as f64 / self.n().max(1) as f64
    }

    /// Whether the share of yes is less than that of `other`: a/(a+b) < c/(c+d) where ad < cb.
    fn is_below(&self, other: &Self) -> bool {
        u128::from(self.yes) * u128::from(other.no) < u128::from(other.yes) * u128::from(self.no)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn shares(counts: &[[u64; 2]]) -> Vec<f64> {
        let mut fitted = vec![f64::NAN; counts.len()];
        for pool in isotonic(counts.iter().copied()) {
            fitted[pool.first..=pool.last].fill(pool.share());
        }
        fitted
    }

    /// By hand; the same as `IsotonicRegression().fit_transform(range(n), yes/(no+yes), sample_weight=no+yes)`.
    #[test]
    fn neighbours_out_of_order_are_pooled_by_their_weights() {
        assert_eq!(shares(&[]), Vec::<f64>::new());
        assert_eq!(shares(&[[3, 1]]), [0.25]);
        assert_eq!(shares(&[[4, 0], [3, 1], [0, 2]]), [0.0, 0.25, 1.0]);
        // 1 3 2 4 3 5 in twentieths: 1, (3+2)/2, (4+3)/2, 5
        let steps = [1, 3, 2, 4, 3, 5].map(|yes| [20 - yes, yes]);
        assert_eq!(shares(&steps), [0.05, 0.125, 0.125, 0.175, 0.175, 0.25]);
        // 0.75 of 4 before 0.25 of 12 are 6 of 16; the 0.3 of 10 after them is lower still: 9 of 26
        assert_eq!(shares(&[[1, 3], [9, 3], [7, 3]]), [9.0 / 26.0; 3]);
        // all the wrong way round: one pool
        assert_eq!(shares(&[[0, 1], [1, 0], [1, 0]]), [1.0 / 3.0; 3]);
    }

    #[test]
    fn equal_neighbours_are_one_pool_and_scores_without_answers_none() {
        let pools = isotonic([[1, 1], [0, 0], [2, 2], [0, 3]]);
        assert_eq!(pools, [Pool { first: 0, last: 2, no: 3, yes: 3 }, Pool { first: 3, last: 3, no: 0, yes: 3 }]);
    }

    proptest! {
        #[test]
        fn shares_rise_keep_every_answer_and_meet_the_min_max_formula(counts in prop::collection::vec([0u64..9, 0u64..9], 0..24)) {
            let pools = isotonic(counts.iter().copied());
            prop_assert!(pools.windows(2).all(|pair| pair[0].share() < pair[1].share() && pair[0].last < pair[1].first));
            prop_assert_eq!(pools.iter().map(Pool::n).sum::<u64>(), counts.iter().map(|c| c[0] + c[1]).sum::<u64>());
            // Robertson, Wright, Dykstra 1988: the fit at i is the greatest, over starts up to i, of the least mean over ends from i
            let mean = |from: usize, to: usize| {
                let (no, yes) = counts[from..=to].iter().fold((0, 0), |sum, c| (sum.0 + c[0], sum.1 + c[1]));
                (no + yes > 0).then(|| yes as f64 / (no + yes) as f64)
            };
            let fitted = shares(&counts);
            for i in (0..counts.len()).filter(|&i| counts[i] != [0, 0]) {
                let least = |from| (i..counts.len()).filter_map(|to| mean(from, to)).fold(f64::INFINITY, f64::min);
                let want = (0..=i).map(least).fold(0.0, f64::max);
                prop_assert!((fitted[i] - want).abs() < 1e-12, "{} {} {}", i, fitted[i], want);
            }
        }
    }
}
