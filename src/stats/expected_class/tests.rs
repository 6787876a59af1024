use super::*;
use proptest::prelude::*;

type Figure = (&'static str, fn(&ExpectedClass<'_>) -> Option<Estimate>);

const FIGURES: [Figure; 7] = [
    ("accuracy", |e| e.accuracy().ok()),
    ("precision", |e| e.precision().ok()),
    ("recall", |e| e.recall().ok()),
    ("specificity", |e| e.specificity().ok()),
    ("balanced accuracy", |e| e.balanced_accuracy().ok()),
    ("f1", |e| e.f1().ok()),
    ("roc auc", |e| e.roc_auc()),
];

fn pool(no: u64, yes: u64) -> Pool {
    Pool { first: 0, last: 0, no, yes }
}

fn at(pool: usize, rows: [u64; 2]) -> ScoredRows {
    ScoredRows { rows, chance: Chance { low: pool, high: pool, weight: 0.0 } }
}

/// Scores with chances 0.1, 0.5 and 0.8; the class predicted for the upper two.
fn example() -> (Vec<ScoredRows>, Vec<Pool>) {
    (vec![at(0, [60, 0]), at(1, [0, 20]), at(2, [0, 20])], vec![pool(90, 10), pool(50, 50), pool(20, 80)])
}

#[test]
fn the_confusion_matrix_that_is_to_be_expected() {
    let (cells, pools) = example();
    let class = ExpectedClass::new(&cells, &pools);
    // tp 10 + 16, fp 10 + 4, fn 6, tn 54
    let values = FIGURES.map(|(_, figure)| figure(&class).unwrap().value);
    let auc = (16.0 * (54.0 + 10.0 + 2.0) + 10.0 * (54.0 + 5.0) + 6.0 * 27.0) / (32.0 * 68.0);
    let want = [0.80, 26.0 / 40.0, 26.0 / 32.0, 54.0 / 68.0, (26.0 / 32.0 + 54.0 / 68.0) / 2.0, 52.0 / 72.0, auc];
    for ((name, _), (got, want)) in FIGURES.iter().zip(values.iter().zip(want)) {
        assert!((got - want).abs() < 1e-12, "{name}: {got} {want}");
    }
    let accuracy = class.accuracy().unwrap();
    // Σ n c (1−c) / n², and Σ shareᵇ² · s(1−s)/(n+1) with s = (yes + ½)/(n + 1)
    assert!((accuracy.sampling - (60.0 * 0.09 + 20.0 * 0.25 + 20.0 * 0.16) / 1e4).abs() < 1e-15);
    let variance = |yes: f64| (yes + 0.5) / 101.0 * (1.0 - (yes + 0.5) / 101.0) / 101.0;
    assert!((accuracy.learning - (0.36 * variance(10.0) + 0.04 * variance(50.0) + 0.04 * variance(80.0))).abs() < 1e-15);
}

#[test]
fn what_cannot_be_expected_says_why() {
    let pools = [pool(10, 0), pool(0, 10)];
    let none = ExpectedClass::new(&[], &pools);
    assert_eq!(none.accuracy(), Err(NoValue::Empty));
    let never = [at(0, [10, 0])];
    let never = ExpectedClass::new(&never, &pools);
    assert_eq!(never.precision(), Err(NoValue::NoPositivePrediction));
    assert_eq!(never.recall(), Err(NoValue::NoPositiveLabel));
    assert_eq!((never.f1(), never.roc_auc()), (Err(NoValue::NoPositiveLabel), None));
    assert_eq!(never.accuracy().map(|e| e.value), Ok(1.0));
    let always = [at(1, [0, 10])];
    let always = ExpectedClass::new(&always, &pools);
    assert_eq!((always.specificity(), always.roc_auc()), (Err(NoValue::NoPositiveLabel), None));
    assert_eq!(always.recall().map(|e| e.value), Ok(1.0));
    // a score beyond every pool counts as no, and does not fail
    let beyond = [at(7, [0, 10])];
    assert_eq!(ExpectedClass::new(&beyond, &pools).precision().map(|e| e.value), Ok(0.0));
}

/// Every way in which the rows could turn out, with its chance.
fn outcomes(chances: &[(bool, f64)]) -> Vec<(f64, [f64; 4])> {
    let mut all = vec![(1.0, [0.0; 4])];
    for &(predicted, chance) in chances {
        let next = all.into_iter().flat_map(|(p, counts): (f64, [f64; 4])| {
            let (mut yes, mut no) = (counts, counts);
            yes[if predicted { 0 } else { 2 }] += 1.0;
            no[if predicted { 1 } else { 3 }] += 1.0;
            [(p * chance, yes), (p * (1.0 - chance), no)]
        });
        all = next.collect();
    }
    all
}

fn example_rows() -> impl Strategy<Value = (Vec<[u64; 2]>, Vec<(u64, u64)>)> {
    (prop::collection::vec([0u64..3, 0u64..3], 4), prop::collection::vec((1u64..50, 1u64..50), 4))
}

proptest! {
    /// Scores that are calibrated by construction: the estimate is the expectation over everything that can happen, its variance theirs.
    #[test]
    fn calibrated_scores_give_the_expectation((rows, pools) in example_rows()) {
        let pools: Vec<Pool> = pools.into_iter().map(|(no, yes)| pool(no, yes)).collect();
        let cells: Vec<_> = rows.iter().enumerate().map(|(place, rows)| at(place, *rows)).collect();
        let class = ExpectedClass::new(&cells, &pools);
        let each = |side: usize| {
            let of = pools.iter().zip(&rows).flat_map(move |(pool, rows)| std::iter::repeat_n((side == 1, pool.share()), rows[side] as usize));
            of.collect::<Vec<_>>()
        };
        let all = outcomes(&[each(0), each(1)].concat());
        let check = |estimate: Estimate, figure: &dyn Fn([f64; 4]) -> f64| {
            let mean: f64 = all.iter().map(|(p, counts)| p * figure(*counts)).sum();
            let variance: f64 = all.iter().map(|(p, counts)| p * (figure(*counts) - mean).powi(2)).sum();
            assert!((estimate.value - mean).abs() < 1e-9 && (estimate.sampling - variance).abs() < 1e-9, "{estimate:?} {mean} {variance}");
        };
        let n = class.n();
        if n > 0.0 {
            check(class.accuracy().unwrap(), &|[tp, _, _, tn]| (tp + tn) / n);
            check(class.accuracy_share(n), &|[tp, ..]| tp / n);
        }
        if class.predicted() > 0.0 {
            check(class.precision().unwrap(), &|[tp, fp, ..]| tp / (tp + fp));
        }
    }

    /// The delta method's slopes against the figures themselves, each pool's share moved a little.
    #[test]
    fn slopes_are_those_of_the_figures(
        rows in prop::collection::vec(([0u64..40, 0u64..40], 0usize..3, 0.0..1.0f64), 1..8), shares in prop::collection::vec(0.1..0.9f64, 4),
    ) {
        const N: f64 = 1e12;
        let pools_at = |shares: &[f64]| shares.iter().map(|s| pool((N * (1.0 - s)) as u64, (N * s) as u64)).collect::<Vec<_>>();
        let cells: Vec<ScoredRows> =
            rows.iter().map(|&(rows, low, weight)| ScoredRows { rows, chance: Chance { low, high: low + 1, weight } }).collect();
        let figures = |shares: &[f64]| {
            let pools = pools_at(shares);
            let class = ExpectedClass::new(&cells, &pools);
            FIGURES.map(|(_, figure)| figure(&class))
        };
        let (middle, step) = (figures(&shares), 1e-5);
        let mut learning = [0.0; FIGURES.len()];
        for place in 0..shares.len() {
            let moved = |by: f64| {
                let mut shares = shares.clone();
                shares[place] += by;
                figures(&shares)
            };
            let variance = shares[place] * (1.0 - shares[place]) / N;
            for (sum, (up, down)) in learning.iter_mut().zip(moved(step).into_iter().zip(moved(-step))) {
                if let (Some(up), Some(down)) = (up, down) {
                    *sum += ((up.value - down.value) / (2.0 * step)).powi(2) * variance;
                }
            }
        }
        for ((name, _), (got, want)) in FIGURES.iter().zip(middle.into_iter().zip(learning)) {
            if let Some(got) = got {
                prop_assert!((got.learning - want).abs() <= 1e-4 * want + 1e-20, "{}: {} {}", name, got.learning, want);
            }
        }
    }
}
