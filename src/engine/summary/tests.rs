use super::*;

#[test]
fn fixed_sum_is_the_same_in_any_order_and_takes_back() {
    let terms = [0.1, 1e6, -3.25, 7e-9, 0.2];
    let (mut forward, mut backward) = (FixedSum::new(0), FixedSum::new(0));
    terms.iter().for_each(|&t| forward.add(t));
    terms.iter().rev().for_each(|&t| backward.add(t));
    assert_eq!(forward, backward);
    forward.remove(1e6);
    assert!((forward.value() - (0.1 - 3.25 + 7e-9 + 0.2)).abs() < 1e-15);
}

#[test]
fn fixed_sum_cuts_and_counts_what_is_too_large() {
    let mut sum = FixedSum::new(0);
    sum.add(1e300);
    sum.add(1.0);
    assert_eq!(sum.saturated(), 1);
    assert!(sum.value().is_finite());
    sum.remove(1e300);
    assert_eq!((sum.value(), sum.saturated()), (1.0, 0));
}

#[test]
fn what_is_taken_out_leaves_no_trace() {
    let (mut whole, mut part) = (FixedSum::new(0), FixedSum::new(0));
    [0.1, 1e6, -3.25].iter().for_each(|&t| whole.add(t));
    let before = whole;
    [7e-9, 1e300].iter().for_each(|&t| part.add(t));
    whole.merge(&part);
    whole.unmerge(&part);
    assert_eq!(whole, before);

    let (mut whole, mut part) = (ColumnCounts::new(3), ColumnCounts::new(3));
    whole.add(1);
    (part.slots, part.missing) = (vec![4, 0, 2], 3);
    part.add_invalid(crate::event::InvalidReason::NonFinite);
    let before = whole.clone();
    whole.merge(&part);
    whole.unmerge(&part);
    assert_eq!(whole, before);
}

#[test]
fn histogram_quantiles_are_within_one_percent() {
    let mut histogram = Histogram::default();
    (1..=1000).for_each(|v| histogram.add(f64::from(v)));
    for (q, exact) in [(0.5, 500.0), (0.95, 950.0), (0.99, 990.0), (1.0, 1000.0)] {
        let got = histogram.quantile(q).unwrap();
        assert!((got - exact).abs() <= 0.0101 * exact, "{q}: {got} vs {exact}");
    }
    assert_eq!(Histogram::default().quantile(0.5), None);
}

#[test]
fn confusion_takes_back_a_revised_label() {
    let mut confusion = Confusion::default();
    confusion.add(0, 1);
    confusion.add(1, 1);
    confusion.remove(0, 1);
    let mut expected = Confusion::default();
    expected.add(1, 1);
    assert_eq!(confusion, expected);
    assert_eq!(confusion.matrix(2)[[1, 1]], 1);
}
