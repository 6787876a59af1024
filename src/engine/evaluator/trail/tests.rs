use super::*;
use crate::engine::reference::compile::{CompileSpec, compile};
use crate::engine::reference::table::{Column, Table};
use crate::event::{ModelKey, Scalar};

const HOUR: i64 = 3_600_000;

fn key() -> StreamKey {
    StreamKey { model: ModelKey::new("m", "v"), segment: None }
}

fn reference() -> Reference {
    let x = Column::of("x", (0..1000).map(|i| Scalar::Number(f64::from(i))));
    let country = Column::of("country", (0..1000).map(|i| Scalar::Text(["AT", "CH", "DE"][i % 3].into())));
    compile(&Table::new(vec![x, country]), &CompileSpec::default()).unwrap().reference
}

fn wish(subject: SubjectPattern, metric: Metric, against: Baseline) -> Wish {
    Wish { subject, kind: None, metric, against }
}

/// A window of 100 requests whose `x` begins at `from`.
fn pane(reference: &Reference, from: i32) -> InputPane {
    let mut inputs: Vec<ColumnCounts> = reference.inputs.iter().map(|f| f.column.empty_counts()).collect();
    for i in 0..100 {
        let (place, x) = reference.input("x").unwrap();
        x.column.count_numbers(&[f64::from(from + 5 * i)], &mut inputs[place]);
        let (place, country) = reference.input("country").unwrap();
        country.column.count(country.column.place(&Scalar::Text("CH".into())), &mut inputs[place]);
    }
    InputPane { requests: 100, inputs, ..InputPane::default() }
}

fn window(end: i64, size: i64) -> WindowFacts {
    WindowFacts { start: Timestamp(end - size), end: Timestamp(end), predictions: 100, labels: 0, whole: true }
}

fn readings(measurements: &[Measurement]) -> Vec<(String, &'static str, Option<f64>)> {
    measurements.iter().map(|m| (m.subject.to_string(), m.baseline.as_str(), m.reading.value().map(|v| (v * 1e3).round() / 1e3))).collect()
}

#[test]
fn each_window_is_compared_with_the_one_that_it_follows_and_with_last_week() {
    let (reference, mut trail) = (reference(), Trail::default());
    let x = || SubjectPattern::Exactly(Subject::Feature("x".into()));
    let wishes = [wish(x(), Metric::TotalVariation, Baseline::PreviousWindow), wish(x(), Metric::TotalVariation, Baseline::LastWeek)];
    let mut at = |hour: i64, from: i32| trail.step(&key(), window(hour * HOUR, HOUR), &reference, &pane(&reference, from), &wishes);
    assert_eq!(readings(&at(1, 0)), [("feature:x".into(), "previous_window", None), ("feature:x".into(), "last_week", None)]);
    assert_eq!(readings(&at(2, 0))[0].2, Some(0.0));
    let moved = at(3, 500);
    assert_eq!(readings(&moved)[0].2, Some(1.0), "the other half of the values");
    assert_eq!((moved[0].n_reference, moved[0].n_current, moved[0].degrees), (100, 100, 9));
    assert_eq!((moved[0].reference.clone(), moved[1].reading), (None, Reading::Undefined(UndefinedReason::NoReference)));
    assert_eq!(readings(&at(4, 500))[0].2, Some(0.0), "the step has become the past");
    let week_later = at(3 + 7 * 24, 0);
    assert_eq!(readings(&week_later), [("feature:x".into(), "previous_window", None), ("feature:x".into(), "last_week", Some(1.0))]);
    assert_eq!(readings(&at(4 + 7 * 24, 500))[1].2, Some(0.0));
}

#[test]
fn bins_alone_give_what_the_counts_would() {
    let reference = reference();
    let (past, current) = (pane(&reference, 100), pane(&reference, 450));
    for (feature, (before, now)) in reference.inputs.iter().zip(past.inputs.iter().zip(&current.inputs)) {
        let kept = unbinned(&feature.column, &binned(&feature.column, before));
        for metric in [Metric::Psi, Metric::TotalVariation] {
            assert_eq!(feature.column.compare(metric, &kept, now), feature.column.compare(metric, before, now));
            assert!(feature.column.compare(metric, &kept, now).is_ok());
        }
    }
}

#[test]
fn overlapping_windows_are_not_compared() {
    let (reference, mut trail) = (reference(), Trail::default());
    let wishes = [wish(SubjectPattern::AnyFeature, Metric::Psi, Baseline::PreviousWindow)];
    for slide in 1..=4 {
        let end = 12 * HOUR + slide * HOUR / 4;
        let measured = trail.step(&key(), window(end, HOUR), &reference, &pane(&reference, 0), &wishes);
        assert_eq!(measured.len(), if slide == 4 { 2 } else { 0 }, "both features, once an hour");
    }
    assert_eq!(trail.windows.len(), 1);
}

#[test]
fn a_week_that_is_no_number_of_windows_is_found_all_the_same() {
    let (reference, mut trail) = (reference(), Trail::default());
    let wishes = [wish(SubjectPattern::AnyFeature, Metric::Psi, Baseline::LastWeek)];
    let (size, mut found) = (5 * HOUR, 0);
    for hour in 0..400 {
        let measured = trail.step(&key(), window(hour * HOUR, size), &reference, &pane(&reference, 0), &wishes);
        found += measured.iter().filter(|m| m.reading == Reading::Value(0.0)).count();
    }
    assert_eq!(found, 2 * (400 - 168) / 5 - 2 + 2 * usize::from((400 - 168) % 5 > 0));
    assert!(trail.windows.len() <= 2 * 168 / 5 + 4, "{}", trail.windows.len());
}

#[test]
fn it_is_bounded_and_holds_what_is_asked_for_only() {
    let (reference, mut trail) = (reference(), Trail::default());
    let country = SubjectPattern::Exactly(Subject::Feature("country".into()));
    let mut last_week = [wish(country, Metric::Psi, Baseline::LastWeek)];
    for minute in 0..2000 {
        trail.step(&key(), window(minute * 60_000, 60_000), &reference, &pane(&reference, 0), &last_week);
    }
    assert_eq!(trail.windows.len(), MOST_WINDOWS);
    let columns = trail.windows.values().next().unwrap();
    let (x, country) = (reference.input("x").unwrap().0, reference.input("country").unwrap().0);
    assert!(columns[x].is_empty() && columns[country].iter().sum::<u32>() == 100);
    last_week[0].against = Baseline::PreviousWindow;
    trail.step(&key(), window(2000 * 60_000, 60_000), &reference, &pane(&reference, 0), &last_week);
    assert_eq!(trail.windows.len(), 2, "a condition on the previous window needs no week");
    trail.forget(Timestamp(3000 * 60_000));
    assert!(trail.is_empty());
}

#[test]
fn another_reference_or_window_begins_anew() {
    let (reference, mut trail) = (reference(), Trail::default());
    let wishes = [wish(SubjectPattern::AnyFeature, Metric::Psi, Baseline::PreviousWindow)];
    let mut at = |hour: i64, size: i64, reference: &Reference| {
        let measured = trail.step(&key(), window(hour * HOUR, size), reference, &pane(reference, 0), &wishes);
        measured[0].reading
    };
    let none = Reading::Undefined(UndefinedReason::NoReference);
    assert_eq!([at(2, HOUR, &reference), at(3, HOUR, &reference)], [none, Reading::Value(0.0)]);
    assert_eq!([at(4, 2 * HOUR, &reference), at(6, 2 * HOUR, &reference)], [none, Reading::Value(0.0)]);
    let mut other = reference.clone();
    other.id = "other".into();
    assert_eq!(at(8, 2 * HOUR, &other), none, "its bins may be others");
}

#[test]
fn an_empty_window_is_no_past_and_has_no_figure() {
    let (reference, mut trail) = (reference(), Trail::default());
    let wishes = [wish(SubjectPattern::AnyFeature, Metric::Psi, Baseline::PreviousWindow)];
    let mut at = |hour: i64, pane: &InputPane| trail.step(&key(), window(hour * HOUR, HOUR), &reference, pane, &wishes)[0].reading;
    let full = pane(&reference, 0);
    at(1, &full);
    assert_eq!(at(2, &InputPane::default()), Reading::Undefined(UndefinedReason::NoData));
    assert_eq!(at(3, &full), Reading::Undefined(UndefinedReason::NoReference));
}
