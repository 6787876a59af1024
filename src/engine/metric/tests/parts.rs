//! What a reading names as its parts, and that they add up to it.

use super::*;
use crate::engine::catalogue::Family;

/// A reference of the values 0 to 9, and a window that has more of the large ones: bins of two values each, exact cells.
fn column_and_window() -> (ColumnReference, ColumnCounts) {
    let known: Vec<f64> = (0..1000).map(|i| f64::from(i % 10)).collect();
    let mut column = numeric(&numbers(&known));
    column.bins = (0..column.bins.len() as u16).map(|cell| cell.saturating_sub(1) / 4).collect();
    column.n_bins = column.bins.iter().max().unwrap() + 1;
    let live: Vec<f64> = (0..800).map(|i| f64::from(if i % 4 == 0 { 9 } else { i % 10 })).collect();
    let counts = counts(&column, &numbers(&live));
    (column, counts)
}

#[test]
fn every_distance_of_numbers_names_parts_that_add_up_to_it() {
    let (column, window) = column_and_window();
    let value = |metric| column.compare(metric, &column.counts, &window).unwrap().value;
    let distances = Metric::ALL.iter().copied().filter(|m| m.family() == Family::Distance && *m != Metric::Mmd);
    for metric in distances {
        let parts = column.parts(metric, &column.counts, &window, usize::MAX);
        let sum: f64 = parts.iter().map(|part| part.contribution).sum();
        let expected = match metric {
            // their squares are sums
            Metric::JensenShannon | Metric::Hellinger | Metric::Energy => value(metric).powi(2),
            // before the correction of bias
            Metric::CramersV => value(Metric::ChiSquare) / (column.counts.valid() + window.valid()) as f64,
            // and its mean without a change, over σ
            Metric::AndersonDarling => sum,
            // the greatest value is the 95th percentile of both
            Metric::P95Shift => {
                assert_eq!((value(metric), parts.len()), (0.0, 0));
                continue;
            }
            _ => value(metric),
        };
        // it is the greatest of them
        let named = if metric == Metric::LInfinity { parts[0].contribution } else { sum };
        assert!((named / expected - 1.0).abs() < 1e-9, "{metric:?}: {named} {expected} {parts:?}");
        assert!(parts.is_sorted_by(|a, b| a.contribution.abs() >= b.contribution.abs()), "{metric:?}");
        assert!(parts.iter().all(|part| !part.name.is_empty() && part.contribution.is_finite()), "{metric:?} {parts:?}");
    }
    let standardised = value(Metric::AndersonDarling);
    let sum: f64 = column.parts(Metric::AndersonDarling, &column.counts, &window, usize::MAX).iter().map(|p| p.contribution).sum();
    assert!((1.0..2.0).contains(&(sum - standardised)), "1/σ of the statistic, about 1.3: {sum} {standardised}");
}

#[test]
fn what_shrank_is_named_too() {
    let (column, window) = column_and_window();
    let parts = column.parts(Metric::KullbackLeibler, &column.counts, &window, usize::MAX);
    assert!(parts[0].contribution > 0.0 && &*parts[0].name == "from 8", "{parts:?}");
    let shrunk = parts.iter().find(|part| part.current < part.reference).expect("a share that shrank");
    assert!(shrunk.contribution < 0.0, "{shrunk:?}");
    // mass that left the low values moves the mean as well as mass that came to the high ones
    let parts = column.parts(Metric::MeanShift, &column.counts, &window, usize::MAX);
    assert!(&*parts[0].name == "from 8" && parts.iter().any(|part| &*part.name == "below 2" && part.contribution > 0.0), "{parts:?}");
    let back = column.parts(Metric::MeanShift, &window, &column.counts, 1);
    assert!((back[0].contribution - parts[0].contribution).abs() < 1e-12, "in the direction of the shift, whichever it is");
}

#[test]
fn a_quantile_names_the_stretch_that_it_crossed() {
    let (column, window) = column_and_window();
    let [part] = column.parts(Metric::MedianShift, &column.counts, &window, 3).try_into().unwrap();
    // medians 4 and 6
    assert_eq!((&*part.name, part.reference), ("4 to 6", 0.3));
    let same = column.parts(Metric::MedianShift, &column.counts, &column.counts.clone(), 3);
    assert!(same.is_empty(), "{same:?}");
}
