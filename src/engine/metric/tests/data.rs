//! What is wrong with the data, by hand.

use super::*;
use crate::engine::reference::compile::{CompileSpec, compile};
use crate::engine::reference::table::{Column, Table};
use crate::event::Scalar;
use proptest::prelude::*;

/// What is measured of column `x` in a window of these values.
#[track_caller]
fn of_column(column: ColumnReference, current: &[Seen], metric: Metric) -> Measurement {
    let reference = reference(vec![("x", column)], OutputReference::default());
    let inputs = vec![counts(&reference.inputs[0].column, current)];
    let stream = stream();
    let ctx = context(&stream, Task::Binary, &[], Some(&reference));
    reading(&measure_inputs(&ctx, &InputPane { inputs, ..InputPane::default() }, &SERVICE), &feature("x"), metric).clone()
}

fn data(ctx: &Context<'_>, pane: &InputPane, metric: Metric) -> Measurement {
    reading(&measure_data(ctx, pane, &DataFacts::default()), &Subject::Data, metric).clone()
}

#[test]
fn a_text_that_vanished_is_one_feature() {
    let texts = (0..200).map(|n| Scalar::Text(format!("order {n} came late").into()));
    let table = Table::new(vec![Column::of("comment", texts).within_features()]);
    let spec = CompileSpec { text: vec!["comment".into()], ..CompileSpec::default() };
    let reference = compile(&table, &spec).unwrap().reference;
    assert_eq!(reference.inputs.len(), 4);
    let missing = |column: &ColumnReference| ColumnCounts { missing: 150, ..column.empty_counts() };
    let inputs = reference.inputs.iter().map(|input| missing(&input.column)).collect();
    let stream = stream();
    let ctx = context(&stream, Task::Binary, &[], Some(&reference));
    let m = data(&ctx, &InputPane { requests: 150, inputs, ..InputPane::default() }, Metric::VanishedFeatures);
    let names: Vec<&str> = m.parts.iter().map(|part| &*part.name).collect();
    assert_eq!((m.reading, names), (Reading::Value(1.0), vec!["comment"]));
}

#[test]
fn values_beyond_the_reference_have_a_rate() {
    let current = [numbers(&[0.9, 1.0, 2.5, 4.0, 4.1, 9.0, 1e300, -1e300]), vec![Seen::Missing; 8], vec![Seen::Invalid]].concat();
    let m = of_column(numeric(&numbers(&[1.0, 2.0, 4.0])), &current, Metric::OutOfRangeRate);
    assert_eq!((m.reading, m.n_current, m.n_reference, m.on_reference), (Reading::Value(5.0 / 8.0), 8, 3, Some(0.0)));
    let names = of_column(categorical(&numbers(&[1.0, 2.0])), &current, Metric::Constant);
    assert_eq!(names.reading, Reading::Value(0.0));
}

#[test]
fn a_column_that_got_stuck_is_constant() {
    let varied: Vec<Seen> = (0..100).map(|n| Seen::Number(f64::from(n % 10))).collect();
    let flag = |rare: usize| [vec![Seen::Number(0.0); 1000 - rare], vec![Seen::Number(1.0); rare]].concat();
    let check = |what: &str, known: &[Seen], current: Vec<Seen>, want: f64| {
        for column in [numeric(known), categorical(known)] {
            let m = of_column(column, &current, Metric::Constant);
            assert_eq!((m.reading, m.n_current), (Reading::Value(want), current.len() as u64), "{what}");
        }
    };
    check("stuck at a value of the reference", &varied, vec![Seen::Number(3.0); 100], 1.0);
    check("too few to say", &varied, vec![Seen::Number(3.0); 99], 0.0);
    check("one that differs", &varied, [vec![Seen::Number(3.0); 500], numbers(&[4.0])].concat(), 0.0);
    check("constant in the reference too", &[Seen::Number(3.0); 50], vec![Seen::Number(3.0); 500], 0.0);
    check("a flag that is set in 1 % of the reference, 100 without it", &flag(10), vec![Seen::Number(0.0); 100], 0.0);
    check("and a thousand without it", &flag(10), vec![Seen::Number(0.0); 1000], 1.0);
    check("a value that the reference does not have cannot be told from others like it", &varied, vec![Seen::Number(3.5); 500], 0.0);
    // but all of it lies in one cell, and no distance overlooks that
    for metric in [Metric::Psi, Metric::Ks] {
        let drift = of_column(numeric(&varied), &vec![Seen::Number(3.5); 500], metric);
        assert!(drift.reading.value().unwrap() > 0.3, "{drift:?}");
    }
}

/// The least and the greatest value are points whatever the resolution, so that a reference is never out of its own range.
#[test]
fn least_and_greatest_are_points_of_a_compiled_column() {
    let values: Vec<f64> = (0..3000).map(|n| f64::from((n * 7919) % 3001).powi(2)).collect();
    for cells in [2, 3, 16, 256] {
        let table = Table::new(vec![Column::of("x", values.iter().map(|&v| Scalar::Number(v)))]);
        let compiled = compile(&table, &CompileSpec { cells, ..CompileSpec::default() }).unwrap().reference;
        let (_, input) = compiled.input("x").unwrap();
        let slots = &input.column.counts.slots;
        assert_eq!((slots.first(), slots.last()), (Some(&0), Some(&0)), "{cells} cells");
        assert!(slots[1] > 0 && slots[slots.len() - 2] > 0, "{cells} cells");
    }
}

#[test]
fn duplicates_are_a_share_of_what_came() {
    let (stream, pane) = (stream(), InputPane { requests: 95, duplicates: 5, ..InputPane::default() });
    let m = data(&context(&stream, Task::Binary, &[], None), &pane, Metric::DuplicateRate);
    assert_eq!((m.reading, m.n_current), (Reading::Value(0.05), 100));
}

#[test]
fn a_feature_that_no_event_carries_has_vanished_and_is_named() {
    let there = |n: usize| [vec![Seen::Number(1.0); n], vec![Seen::Missing; 100 - n]].concat();
    let columns = [("full", 100), ("half", 50), ("rare", 49), ("here", 100)];
    let inputs = columns.iter().map(|&(name, n)| (name, numeric(&there(n)))).collect();
    let reference = reference(inputs, OutputReference::default());
    let stream = stream();
    let ctx = context(&stream, Task::Binary, &[], Some(&reference));
    let pane = |n: usize| {
        let gone = |name: &str| if name == "here" { there(1) } else { vec![Seen::Missing; n] };
        let inputs = reference.inputs.iter().map(|f| counts(&f.column, &gone(&f.name))).collect();
        InputPane { requests: n as u64, inputs, ..InputPane::default() }
    };
    let m = data(&ctx, &pane(100), Metric::VanishedFeatures);
    let parts: Vec<_> = m.parts.iter().map(|p| (&*p.name, p.reference, p.current, p.contribution)).collect();
    assert_eq!((m.reading, parts), (Reading::Value(2.0), vec![("full", 1.0, 0.0, 1.0), ("half", 0.5, 0.0, 1.0)]));
    assert_eq!(m.reference.as_deref(), Some("reference"));
    assert_eq!(data(&ctx, &pane(99), Metric::VanishedFeatures).reading, Reading::Value(0.0), "too few to say");
    let unknown = context(&stream, Task::Binary, &[], None);
    assert_eq!(data(&unknown, &pane(100), Metric::VanishedFeatures).reading, Reading::Undefined(UndefinedReason::NoReference));
}

#[test]
fn names_that_the_reference_lacks_are_counted_and_named() {
    let reference = reference(vec![], OutputReference::default());
    let stream = stream();
    let ctx = context(&stream, Task::Binary, &[], Some(&reference));
    let mut pane = InputPane { requests: 200, ..InputPane::default() };
    assert_eq!(data(&ctx, &pane, Metric::NewFeatures).reading, Reading::Value(0.0));
    (0..50).for_each(|_| pane.new_features.add("b"));
    (0..100).for_each(|_| pane.new_features.add("c"));
    let m = data(&ctx, &pane, Metric::NewFeatures);
    let parts: Vec<_> = m.parts.iter().map(|p| (&*p.name, p.current)).collect();
    assert_eq!((m.reading, parts), (Reading::Value(2.0), vec![("c", 0.5), ("b", 0.25)]));
}

#[test]
fn clocks_are_judged_by_the_95th_percentile_of_all_requests() {
    let stream = stream();
    let ctx = context(&stream, Task::Binary, &[], None);
    let skew = |ahead: u64| {
        let mut pane = InputPane { requests: 100, ..InputPane::default() };
        (0..ahead).for_each(|_| pane.skew_seconds.add(120.0));
        data(&ctx, &pane, Metric::ClockSkew).reading.value().unwrap()
    };
    assert_eq!((skew(0), skew(5)), (0.0, 0.0));
    assert!((skew(6) - 120.0).abs() <= 1.2 && (skew(100) - 120.0).abs() <= 1.2);
}

#[test]
fn silence_is_told_in_seconds_and_never_of_a_segment() {
    let mut stream = stream();
    let facts = DataFacts { silence_ms: Some(90_500), label_silence_ms: Some(-3) };
    let measured = measure_data(&context(&stream, Task::Binary, &[], None), &InputPane::default(), &facts);
    assert_eq!(reading(&measured, &Subject::Data, Metric::Silence).reading, Reading::Value(90.5));
    assert_eq!(reading(&measured, &Subject::Data, Metric::LabelSilence).reading, Reading::Value(0.0));
    stream.segment = Some("country=DE".into());
    assert!(measure_data(&context(&stream, Task::Binary, &[], None), &InputPane::default(), &facts).is_empty());
}

/// §6.7: nulls are counted and judged; they are no drift, and no drift hides them.
#[test]
fn a_null_surge_is_a_rate_and_no_drift() {
    let known = [numbers(&[1.0, 2.0, 3.0, 4.0]).repeat(100), vec![Seen::Missing; 4]].concat();
    let surge = [numbers(&[1.0, 2.0, 3.0, 4.0]).repeat(50), vec![Seen::Missing; 200]].concat();
    for column in [numeric(&known), categorical(&known)] {
        let missing = of_column(column.clone(), &surge, Metric::MissingRate);
        assert_eq!((missing.reading, missing.n_current), (Reading::Value(0.5), 400));
        assert_eq!(missing.on_reference, Some(4.0 / 404.0));
        assert_eq!(of_column(column, &surge, Metric::TotalVariation).reading, Reading::Value(0.0));
    }
}

/// §6.8: an unseen category costs no event; it is a bin of its own, and its rate is told.
#[test]
fn a_new_category_is_drift_and_a_rate() {
    let known = numbers(&[1.0, 2.0]).repeat(100);
    let current = numbers(&[1.0, 2.0, 7.0, 8.0]).repeat(25);
    let rate = of_column(categorical(&known), &current, Metric::NewCategoryRate);
    assert_eq!((rate.reading, rate.n_current), (Reading::Value(0.5), 100));
    assert_eq!(of_column(categorical(&known), &current, Metric::TotalVariation).reading, Reading::Value(0.5));
    assert!(of_column(categorical(&known), &current, Metric::Psi).reading.value().unwrap() > 0.25);
}

/// §6.6: a column without any value says so, and costs no other column and no aggregate its reading.
#[test]
fn an_empty_column_costs_no_other_one_its_reading() {
    let known = numbers(&[1.0, 2.0, 3.0]).repeat(50);
    for gone in [Seen::Missing, Seen::Invalid] {
        let reference = reference(vec![("empty", numeric(&known)), ("x", numeric(&known))], OutputReference::default());
        let inputs = vec![counts(&reference.inputs[0].column, &[gone; 150]), counts(&reference.inputs[1].column, &known)];
        let pane = InputPane { requests: 150, inputs, ..InputPane::default() };
        let stream = stream();
        let ctx = context(&stream, Task::Binary, &[], Some(&reference));
        let measured = measure_inputs(&ctx, &pane, &SERVICE);
        for metric in [Metric::Psi, Metric::Ks, Metric::OutOfRangeRate, Metric::Constant] {
            assert_eq!(reading(&measured, &feature("empty"), metric).reading, Reading::Undefined(UndefinedReason::NoData), "{metric:?}");
            assert_eq!(reading(&measured, &feature("x"), metric).reading, Reading::Value(0.0), "{metric:?}");
        }
        let vanished = data(&ctx, &pane, Metric::VanishedFeatures);
        assert_eq!(vanished.reading, Reading::Value(f64::from(u8::from(gone == Seen::Missing))), "an invalid value is there");
    }
}

proptest! {
    #[test]
    fn rates_are_those_of_counting_by_hand(known in prop::collection::vec(-5i32..5, 1..60), current in prop::collection::vec(-9i32..9, 1..300)) {
        let number = |values: &[i32]| numbers(&values.iter().map(|&v| f64::from(v)).collect::<Vec<_>>());
        let (min, max) = (*known.iter().min().unwrap(), *known.iter().max().unwrap());
        let beyond = current.iter().filter(|v| **v < min || **v > max).count();
        let m = of_column(numeric(&number(&known)), &number(&current), Metric::OutOfRangeRate);
        prop_assert_eq!(m.reading, Reading::Value(beyond as f64 / current.len() as f64));
        let m = of_column(numeric(&number(&known)), &number(&current), Metric::Constant);
        let stuck = current.len() >= 100 && current.iter().all(|v| v == &current[0]);
        prop_assert!(m.reading == Reading::Value(0.0) || stuck);
    }
}
