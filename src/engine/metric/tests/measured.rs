//! What the catalogue says is measured, and what is.

use super::conformance::{Case, measure_with};
use super::*;
use crate::engine::catalogue::Family;
use std::collections::BTreeSet;

/// Readings of a rich window on inputs of every kind, on outputs, quality and segments: subject and metric of all that are not ruled out by the settings.
fn measured(task: Task) -> BTreeSet<(Subject, Metric)> {
    let values: Vec<f64> = (0..40).map(|i| f64::from(i % 5)).collect();
    let case = Case { name: "rich", reference: numbers(&values), current: numbers(&values[3..]) };
    let hashed = column((0..8).collect(), Slots::Hashed(8), &case.reference);
    let vector = column(vec![0], Slots::Vector(2), &case.reference);
    let mut all = measure_with(&case, task, &[("t", hashed), ("v", vector)]);
    let (stream, classes) = (stream(), ["0".into(), "1".into(), "2".into()]);
    let mut confusion = Confusion::default();
    (0..600u16).for_each(|i| confusion.add(i % 2, i % 3));
    let segment = |name: &str| (name.into(), OutcomePane::new(Quality::Classes(confusion.clone()), None));
    let segments = [segment("c=a"), segment("c=b")];
    all.extend(measure_fairness(&context(&stream, task, &classes, None), &"c".into(), Some(&segments)));
    let is_configured = |m: &Measurement| m.reading != Reading::Undefined(UndefinedReason::NotConfigured);
    all.into_iter().filter(is_configured).map(|m| (m.subject, m.metric)).collect()
}

#[test]
fn the_catalogue_says_what_is_measured_and_nothing_else() {
    let inputs = [("c", ColumnKind::Categorical), ("t", ColumnKind::Text), ("v", ColumnKind::Vector), ("x", ColumnKind::Numeric)];
    // which detectors run on errors and latency is for the settings to say
    let others = "prediction score label residual quality quality:1 quality@0.3 estimated_quality fairness:c service data features";
    for task in Task::ALL {
        let measured = measured(task);
        let subjects = others.split(' ').map(|name| (Subject::parse(name).unwrap(), None));
        let inputs = inputs.map(|(name, kind)| (feature(name), Some(kind)));
        for (subject, kind) in subjects.chain(inputs) {
            for &metric in Metric::ALL {
                let is = measured.contains(&(subject.clone(), metric));
                assert_eq!(subject.has(metric, task, kind), is, "{} {} {task:?}", subject, metric.as_str());
                if kind.is_none() {
                    let kinds = ColumnKind::ALL.map(|kind| subject.has(metric, task, Some(kind)));
                    let own = ColumnKind::ALL.map(|kind| is && subject.kind(task) == Some(kind));
                    assert_eq!(kinds, own, "a kind narrows columns, and only to their own: {subject} {} {task:?}", metric.as_str());
                }
            }
        }
    }
}

#[test]
fn every_metric_has_a_subject() {
    assert!(Metric::ALL.iter().all(|&metric| metric.family() != Family::Distance || feature("x").carries(metric)));
    for &metric in Metric::ALL {
        assert!(Task::ALL.iter().any(|&task| measured(task).iter().any(|(_, measured)| *measured == metric)), "{}", metric.as_str());
    }
}
