//! Segments against each other, by hand.

use super::*;

fn compare(task: Task, names: &[&str], segments: &[(&str, OutcomePane)]) -> Vec<Measurement> {
    let (stream, classes) = (stream(), classes(names));
    let segments: Vec<_> = segments.iter().map(|(name, pane)| (Arc::from(*name), pane.clone())).collect();
    measure_fairness(&context(&stream, task, &classes, None), &"country".into(), Some(&segments))
}

#[track_caller]
fn of(measured: &[Measurement], metric: Metric) -> &Measurement {
    reading(measured, &Subject::Fairness("country".into()), metric)
}

#[track_caller]
fn near(got: f64, want: f64) {
    assert!((got - want).abs() < 1e-9, "{got} instead of {want}");
}

#[test]
fn the_two_segments_furthest_apart_are_named() {
    // tn, fp / fn, tp
    let segments = [
        ("country=AT", pane(&[&[10, 10], &[5, 5]])), // 30 labels: too few
        ("country=DE", pane(&[&[80, 20], &[24, 56]])),
        ("country=FR", pane(&[&[70, 30], &[32, 48]])),
        ("country=IT", pane(&[&[80, 20], &[28, 52]])),
    ];
    let measured = compare(Task::Binary, &["0", "1"], &segments);
    let recall = of(&measured, Metric::RecallDifference);
    near(recall.reading.value().unwrap(), 56.0 / 80.0 - 48.0 / 80.0);
    let parts: Vec<_> = recall.parts.iter().map(|p| (&*p.name, p.current)).collect();
    assert_eq!(parts, [("country=DE (180 labels)", 0.7), ("country=FR (180 labels)", 0.6)]);
    near(recall.parts[0].reference, 156.0 / 240.0);
    near(recall.parts.iter().map(|p| p.contribution).sum(), recall.reading.value().unwrap());
    assert_eq!(recall.n_current, 540);
    let ratio = of(&measured, Metric::RecallRatio);
    near(ratio.reading.value().unwrap(), 6.0 / 7.0);
    near(ratio.parts.iter().map(|p| p.contribution).product(), 6.0 / 7.0);
    near(of(&measured, Metric::SelectionRateDifference).reading.value().unwrap(), 78.0 / 180.0 - 72.0 / 180.0);
    near(of(&measured, Metric::PrecisionDifference).reading.value().unwrap(), 56.0 / 76.0 - 48.0 / 78.0);
    near(of(&measured, Metric::ErrorDifference).reading.value().unwrap(), 62.0 / 180.0 - 44.0 / 180.0);
    near(of(&measured, Metric::ErrorRatio).reading.value().unwrap(), 44.0 / 62.0);
    assert!(measured.windows(2).all(|pair| pair[0].metric < pair[1].metric));
}

/// Newcombe 1998, table II: 56 of 70 against 48 of 80; with a third segment the interval is wider, because two of three were picked.
#[test]
fn intervals_are_those_of_the_pair_and_wider_when_it_was_picked() {
    let mut segments = vec![("country=DE", pane(&[&[80, 0], &[14, 56]])), ("country=FR", pane(&[&[80, 0], &[32, 48]]))];
    let (from, to) = of(&compare(Task::Binary, &["0", "1"], &segments), Metric::RecallDifference).interval.unwrap();
    assert!((from - 0.0524).abs() < 5.1e-5 && (to - 0.3339).abs() < 5.1e-5, "{from} {to}");
    segments.push(("country=IT", pane(&[&[80, 0], &[21, 49]])));
    let (wider_from, wider_to) = of(&compare(Task::Binary, &["0", "1"], &segments), Metric::RecallDifference).interval.unwrap();
    assert!(wider_from < from && wider_to > to, "{wider_from} {wider_to}");
}

#[test]
fn several_classes_are_compared_on_those_that_every_segment_has() {
    let segments =
        [("country=DE", pane(&[&[40, 10, 0], &[10, 40, 0], &[3, 3, 4]])), ("country=FR", pane(&[&[30, 20, 0], &[20, 30, 0], &[0, 0, 40]]))];
    let measured = compare(Task::Multiclass, &["a", "b", "c"], &segments);
    near(of(&measured, Metric::RecallDifference).reading.value().unwrap(), 0.8 - 0.6);
    near(of(&measured, Metric::ErrorDifference).reading.value().unwrap(), 40.0 / 140.0 - 26.0 / 110.0);
    let selection = of(&measured, Metric::SelectionRateDifference);
    assert_eq!(selection.reading, Reading::Undefined(UndefinedReason::NotConfigured));
}

#[test]
fn what_cannot_be_compared_has_a_reason() {
    let all_no = || pane(&[&[150, 0], &[50, 0]]);
    let measured = compare(Task::Binary, &["0", "1"], &[("country=DE", all_no()), ("country=FR", all_no())]);
    assert_eq!(of(&measured, Metric::SelectionRateDifference).reading, Reading::Value(0.0));
    assert_eq!(of(&measured, Metric::SelectionRateRatio).reading, Reading::Undefined(UndefinedReason::NoData));
    assert_eq!(of(&measured, Metric::PrecisionDifference).reading, Reading::Undefined(UndefinedReason::NoData));
    assert_eq!(of(&measured, Metric::ErrorRatio).reading, Reading::Value(1.0));
    for segments in [vec![], vec![("country=DE", all_no())], vec![("country=DE", all_no()), ("country=FR", pane(&[&[9, 9], &[9, 9]]))]] {
        let measured = compare(Task::Binary, &["0", "1"], &segments);
        assert!(measured.iter().all(|m| m.reading == Reading::Undefined(UndefinedReason::NoData) && m.parts.is_empty()));
    }
    let stream = stream();
    let measured = measure_fairness(&context(&stream, Task::Binary, &[], None), &"country".into(), None);
    assert!(measured.iter().all(|m| m.reading == Reading::Undefined(UndefinedReason::NotConfigured)));
    assert_eq!(measured.len(), 8);
}

/// Whatever the segments, a figure keeps to its limits and its interval holds it.
#[test]
fn figures_keep_to_their_limits() {
    let panes =
        [&[&[100, 0][..], &[0, 100]], &[&[0, 100], &[100, 0]], &[&[100, 0], &[100, 0]], &[&[0, 100], &[0, 100]], &[&[1, 99], &[2, 98]]];
    for a in panes {
        for b in panes {
            for task in [Task::Binary, Task::Multiclass] {
                for m in compare(task, &["0", "1"], &[("country=DE", pane(a)), ("country=FR", pane(b))]) {
                    let Some(value) = m.reading.value() else { continue };
                    assert!((0.0..=1.0).contains(&value), "{m:?}");
                    assert!(m.interval.is_none_or(|(from, to)| 0.0 <= from && from <= value && value <= to && to <= 1.0), "{m:?}");
                    assert!(m.parts.len() == 2 && m.parts.iter().all(|p| p.contribution.is_finite()), "{m:?}");
                    assert!(m.metric.family() == crate::engine::catalogue::Family::Fairness && m.subject.carries(m.metric));
                }
            }
        }
    }
}
