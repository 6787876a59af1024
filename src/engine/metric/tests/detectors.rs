//! Changes in a window as measurements.

use super::*;
use crate::engine::window::Detections;

#[test]
fn a_detector_that_ran_reads_its_changes_and_one_without_a_value_reads_nothing() {
    let stream = stream();
    let running: BTreeSet<_> = [
        (Signal::Errors, Metric::Adwin),
        (Signal::Latency, Metric::Adwin),
        (Signal::Errors, Metric::Ddm),
        (Signal::Latency, Metric::Cusum),
    ]
    .into();
    let mut pane = InputPane::default();
    pane.detections.insert((Signal::Errors, Metric::Adwin), Detections { seen: 500, found: 2 });
    pane.detections.insert((Signal::Errors, Metric::Ddm), Detections { seen: 500, found: 0 });
    // counted before the rule was taken back
    pane.detections.insert((Signal::Errors, Metric::Kswin), Detections { seen: 500, found: 1 });
    let ctx = Context { detectors: &running, ..context(&stream, Task::Binary, &[], None) };
    let all = measure_inputs(&ctx, &pane, &SERVICE);
    let of_detectors: Vec<_> = all.iter().filter(|m| Signal::of(&m.subject).is_some()).collect();
    let read: Vec<_> = of_detectors.iter().map(|m| (m.subject.to_string(), m.metric, m.reading, m.n_current)).collect();
    let nothing = Reading::Undefined(UndefinedReason::NoData);
    let want = [
        ("errors", Metric::Adwin, Reading::Value(2.0), 500),
        ("errors", Metric::Ddm, Reading::Value(0.0), 500),
        ("latency", Metric::Adwin, nothing, 0),
        ("latency", Metric::Cusum, nothing, 0),
    ];
    assert_eq!(read, want.map(|(subject, metric, reading, n)| (subject.to_owned(), metric, reading, n)));
    assert!(of_detectors.iter().all(|m| m.reference.is_none() && m.n_reference == 0));
}

#[test]
fn a_segment_has_no_detectors() {
    let segment = StreamKey { segment: Some("country=DE".into()), ..stream() };
    let running: BTreeSet<_> = [(Signal::Errors, Metric::Adwin)].into();
    let ctx = Context { detectors: &running, ..context(&segment, Task::Binary, &[], None) };
    let measured = measure_inputs(&ctx, &InputPane::default(), &SERVICE);
    assert!(measured.iter().all(|m| Signal::of(&m.subject).is_none()));
}

#[test]
fn panes_add_up() {
    let pane = |seen, found| {
        let mut pane = InputPane::default();
        pane.detections.insert((Signal::Errors, Metric::Adwin), Detections { seen, found });
        pane.detections.insert((Signal::Latency, Metric::Cusum), Detections { seen: 2 * seen, found: 0 });
        pane
    };
    let (mut a, mut b) = (pane(5, 1), pane(7, 2));
    a.merge(&pane(7, 2));
    b.merge(&pane(5, 1));
    assert_eq!((&a, a.detections[&(Signal::Errors, Metric::Adwin)]), (&b, Detections { seen: 12, found: 3 }));
    let mut none = InputPane::default();
    none.merge(&a);
    assert_eq!(none, a);
}
