//! Ranked lists against numbers worked out by hand and by scikit-learn.

use super::super::{NoValue, ndcg, precision_at_k, recall_at_k, reciprocal_rank};
use proptest::prelude::*;

fn close(got: f64, want: f64) {
    assert!((got - want).abs() < 1e-12, "{got} {want}");
}

#[test]
fn graded_lists_as_in_the_literature() {
    // 3, 2, 3, 0, 1, 2: DCG 6.861, in the best order 3, 3, 2, 2, 1, 0 it is 7.141 (the worked example that goes with the measure)
    let shown = [3.0, 2.0, 3.0, 0.0, 1.0, 2.0];
    let log = |place: f64| (place + 1.0).log2();
    let dcg = 3.0 + 2.0 / log(2.0) + 3.0 / log(3.0) + 1.0 / log(5.0) + 2.0 / log(6.0);
    let best = 3.0 + 3.0 / log(2.0) + 2.0 / log(3.0) + 2.0 / log(4.0) + 1.0 / log(5.0);
    assert!((dcg - 6.861).abs() < 5e-4 && (best - 7.141).abs() < 5e-4, "{dcg} {best}");
    close(ndcg(&shown, &[3.0, 3.0, 2.0, 2.0, 1.0], 6).unwrap(), dcg / best);
    // items that were not shown count against it: a 3 and a 2 more make the best order 3, 3, 3, 2, 2, 2 of 8.740
    assert!((ndcg(&shown, &[3.0, 2.0, 3.0, 1.0, 2.0, 3.0, 2.0], 6).unwrap() - 0.785).abs() < 5e-4);
}

/// `sklearn.metrics.ndcg_score([gains], [[n, n - 1, …, 1]], k=k)` of scikit-learn 1.9.1: gains in the order shown, all of the list's items.
#[test]
fn lists_by_scikit_learn() {
    let cases: [(&[f64], usize, f64); 10] = [
        // the examples of its manual: ndcg_score([[10, 0, 0, 1, 5]], [[.1, .2, .3, 4, 70]]), with [[.05, 1.1, 1., .5, .0]], and that with k=4
        (&[5.0, 1.0, 0.0, 0.0, 10.0], 5, 0.6956940443813076),
        (&[0.0, 0.0, 1.0, 10.0, 5.0], 5, 0.493680191377376),
        (&[0.0, 0.0, 1.0, 10.0, 5.0], 4, 0.3520241100634488),
        (&[3.0, 2.0, 3.0, 0.0, 1.0, 2.0], 6, 0.9608081943360616),
        (&[3.0, 2.0, 3.0, 0.0, 1.0, 2.0, 3.0, 2.0], 6, 0.7850023719699479),
        // ties in the gains
        (&[1.0, 1.0, 0.0, 1.0, 0.0, 0.0, 1.0, 0.0], 5, 0.8048099750039491),
        (&[0.0, 0.0, 2.0, 2.0, 2.0, 1.0, 0.0], 3, 0.23463936301137828),
        (&[2.0, 2.0, 2.0], 2, 1.0),
        (&[0.0, 0.0, 0.0, 0.5], 4, 0.4306765580733929),
        (&[1e-3, 5.0, 0.0, 5.0, 2.5, 2.5], 10, 0.683730985671053),
    ];
    for (gains, k, want) in cases {
        let relevant: Vec<f64> = gains.iter().copied().filter(|gain| *gain > 0.0).collect();
        let got = ndcg(gains, &relevant, k).unwrap();
        assert!((got - want).abs() <= 1e-9 * want, "{gains:?} {k}: got {got}, want {want}");
    }
}

/// C. D. Manning, P. Raghavan, H. Schütze, *Introduction to Information Retrieval*, 2008, exercise 8.8: two rankings of ten, R N R N N N N N R R and
/// N R N N R R R N N N, of four relevant documents each. Precision at 4, at 10, recall at 4, first hit.
#[test]
fn lists_of_a_textbook() {
    let ranking = |marks: &str| -> Vec<f64> { marks.bytes().map(|mark| f64::from(u8::from(mark == b'R'))).collect() };
    for (marks, p4, p10, r4, first) in [("RNRNNNNNRR", 0.5, 0.4, 0.5, 1.0), ("NRNNRRRNNN", 0.25, 0.4, 0.25, 0.5)] {
        let shown = ranking(marks);
        close(precision_at_k(&shown, 4).unwrap(), p4);
        close(precision_at_k(&shown, 10).unwrap(), p10);
        close(recall_at_k(&shown, 4, 4).unwrap(), r4);
        close(recall_at_k(&shown, 4, 10).unwrap(), 1.0);
        close(reciprocal_rank(&shown, 10), first);
    }
}

#[test]
fn lists_by_hand() {
    struct Case {
        ranked: &'static [f64],
        relevant: &'static [f64],
        k: usize,
        want: (f64, f64, f64, f64),
    }
    let second = 1.0 / 3.0_f64.log2();
    let cases = [
        Case { ranked: &[1.0, 0.0, 0.0], relevant: &[1.0], k: 3, want: (1.0, 1.0 / 3.0, 1.0, 1.0) },
        Case { ranked: &[0.0, 1.0, 0.0], relevant: &[1.0], k: 3, want: (second, 1.0 / 3.0, 1.0, 0.5) },
        // beyond k nothing counts
        Case { ranked: &[0.0, 0.0, 1.0], relevant: &[1.0], k: 2, want: (0.0, 0.0, 0.0, 0.0) },
        // a short list leaves places empty
        Case { ranked: &[1.0], relevant: &[1.0, 1.0], k: 10, want: (1.0 / (1.0 + second), 0.1, 0.5, 1.0) },
        // more is relevant than k places can hold: the best that can be done is 1
        Case { ranked: &[1.0, 1.0], relevant: &[1.0; 8], k: 2, want: (1.0, 1.0, 0.25, 1.0) },
        // items of equal gain may stand in any order
        Case { ranked: &[2.0, 2.0, 1.0], relevant: &[1.0, 2.0, 2.0], k: 3, want: (1.0, 1.0, 1.0, 1.0) },
        Case { ranked: &[], relevant: &[1.0], k: 3, want: (0.0, 0.0, 0.0, 0.0) },
    ];
    for Case { ranked, relevant, k, want } in cases {
        close(ndcg(ranked, relevant, k).unwrap(), want.0);
        close(precision_at_k(ranked, k).unwrap(), want.1);
        close(recall_at_k(ranked, relevant.len(), k).unwrap(), want.2);
        close(reciprocal_rank(ranked, k), want.3);
    }
    assert_eq!(ndcg(&[0.0], &[], 3), Err(NoValue::NoPositiveLabel));
    assert_eq!(recall_at_k(&[0.0], 0, 3), Err(NoValue::NoPositiveLabel));
    assert_eq!(precision_at_k(&[], 0), Err(NoValue::Empty));
}

proptest! {
    #[test]
    fn always_a_share_and_1_in_the_best_order(
        gains in prop::collection::vec(prop_oneof![Just(0.0), 0.0..10.0f64, Just(f64::MIN_POSITIVE), Just(5e-324), Just(1e308), Just(f64::MAX)], 0..12),
        k in 1usize..15,
    ) {
        let relevant: Vec<f64> = gains.iter().copied().filter(|gain| *gain > 0.0).collect();
        let mut best = gains.clone();
        best.sort_by(|a, b| b.total_cmp(a));
        match ndcg(&gains, &relevant, k) {
            Ok(value) => {
                prop_assert!((0.0..=1.0).contains(&value));
                prop_assert_eq!(ndcg(&best, &relevant, k), Ok(1.0));
            }
            Err(reason) => {
                prop_assert_eq!(reason, NoValue::NoPositiveLabel);
                prop_assert!(relevant.is_empty());
            }
        }
    }
}
