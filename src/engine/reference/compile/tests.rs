use super::*;
use crate::engine::catalogue::Metric;
use crate::engine::reference::{Moments, ReferenceQuality, Slots};
use crate::engine::summary::ColumnCounts;
use proptest::prelude::*;

fn numbers(name: &str, values: &[f64]) -> Column {
    Column::of(name, values.iter().map(|&v| Scalar::Number(v)))
}

fn texts(name: &str, values: &[&'static str]) -> Column {
    Column::of(name, values.iter().map(|&v| Scalar::Text(v.into())))
}

fn table(columns: Vec<Column>) -> Table {
    Table::new(columns)
}

fn one(column: Column, spec: &CompileSpec) -> (ColumnReference, Vec<Note>) {
    let compiled = compile(&table(vec![column]), spec).unwrap();
    let notes = compiled.notes.into_iter().filter(|note| note.column.is_some()).collect();
    (compiled.reference.inputs[0].column.clone(), notes)
}

fn points(column: &ColumnReference) -> &[f64] {
    match &column.slots {
        Slots::Numeric(cells) => cells.points(),
        _ => panic!("not numeric"),
    }
}

fn exact(column: &ColumnReference) -> bool {
    matches!(&column.slots, Slots::Numeric(cells) if cells.exact())
}

fn binned_value(column: &ColumnReference, value: f64) -> usize {
    let Slots::Numeric(cells) = &column.slots else { panic!("not numeric") };
    let mut counts = column.empty_counts();
    counts.add(cells.cell(value));
    column.binned(&counts).iter().position(|&n| n == 1).unwrap()
}

#[test]
fn few_distinct_values_have_a_bin_each_and_one_below_between_and_above() {
    let (column, notes) = one(numbers("x", &[3.0, 1.0, 1.0, -0.0, 0.0, 7.0]), &CompileSpec::default());
    assert_eq!(points(&column), [0.0, 1.0, 3.0, 7.0]);
    assert!(exact(&column) && notes.is_empty());
    assert_eq!(column.counts.slots, [0, 2, 0, 2, 0, 1, 0, 1, 0]);
    let bins: Vec<usize> = [-1.0, 0.0, 1.0, 3.0, 7.0, 8.0, 0.5, 5.0].iter().map(|&v| binned_value(&column, v)).collect();
    assert_eq!(bins, [0, 1, 2, 3, 4, 5, 6, 6]);
    assert_eq!(column.n_bins, 7);
}

#[test]
fn a_constant_notices_a_move_to_either_side() {
    let (column, notes) = one(numbers("x", &[0.1; 30]), &CompileSpec::default());
    assert_eq!((column.n_bins, column.binned(&column.counts)), (3, vec![0, 30, 0]));
    assert_eq!([binned_value(&column, 0.0), binned_value(&column, 0.1), binned_value(&column, 0.2)], [0, 1, 2]);
    // numpy: np.std([0.1] * 30) is 1.4e-17; the spread of equal values is exactly nothing
    assert_eq!(column.moments, Some(Moments { mean: 0.1, std: 0.0, min: 0.1, max: 0.1 }));
    assert_eq!(notes, [Note { column: Some("x".into()), kind: NoteKind::Constant }]);
}

#[test]
fn deciles_are_values_of_the_reference_and_bins_are_closed_on_the_right() {
    // np.quantile(np.arange(1, 1001), np.arange(1, 10) / 10, method="inverted_cdf") -> 100, 200, …, 900
    let values: Vec<f64> = (1..=1000).map(f64::from).collect();
    for cells in [64, 256, 1000] {
        let (column, _) = one(numbers("x", &values), &CompileSpec { cells, ..CompileSpec::default() });
        assert_eq!(column.binned(&column.counts), [100; 10], "{cells}");
        assert_eq!([100.0, 100.5, 0.0, 900.0, 900.1, 1e300].map(|v| binned_value(&column, v)), [0, 1, 0, 8, 9, 9]);
        assert_eq!(exact(&column), cells == 1000);
        let largest_open = column.counts.slots.iter().step_by(2).max().copied().unwrap();
        assert!(largest_open <= 1000 / cells as u64 + 1, "no open cell holds more than a quantile step: {largest_open}");
    }
}

/// np.quantile(np.arange(1, 1001), np.arange(1, k) / k, method="inverted_cdf"); a shift of half the mass from the upper to the lower part of one decile is
/// seen by
/// twenty bins and not by ten.
#[test]
fn the_number_of_bins_has_an_effect() {
    let values: Vec<f64> = (1..=1000).map(f64::from).collect();
    for (bins, edge) in [(2, 500.0), (4, 250.0), (20, 50.0), (50, 20.0)] {
        let (column, _) = one(numbers("x", &values), &CompileSpec { bins, ..CompileSpec::default() });
        assert_eq!(column.binned(&column.counts), vec![1000 / bins as u64; bins], "{bins}");
        assert_eq!([edge, edge + 0.5].map(|v| binned_value(&column, v)), [0, 1], "{bins}");
    }
    let psi = |bins: usize| {
        let (column, _) = one(numbers("x", &values), &CompileSpec { bins, ..CompileSpec::default() });
        let mut live = column.empty_counts();
        // the upper half of every decile is gone
        values.iter().filter(|v| (**v - 1.0) % 100.0 < 50.0).for_each(|v| column.count_numbers(&[*v], &mut live));
        column.compare(Metric::Psi, &column.counts, &live).unwrap().value
    };
    assert!(psi(10) < 1e-3 && psi(20) > 1.0, "{} {}", psi(10), psi(20));
    // few values have a bin each, whatever is said
    let (column, _) = one(numbers("x", &[1.0, 2.0, 3.0]), &CompileSpec { bins: 2, ..CompileSpec::default() });
    assert_eq!(column.n_bins, 6);
}

#[test]
fn an_atom_has_a_cell_of_its_own_and_merges_deciles() {
    let mut values = vec![0.0; 700];
    values.extend((1..=300).map(f64::from));
    let (column, _) = one(numbers("x", &values), &CompileSpec::default());
    assert_eq!(points(&column)[0], 0.0);
    assert_eq!(column.counts.slots[1], 700);
    // np.unique(np.quantile(values, np.arange(1, 10) / 10, method="inverted_cdf")) -> 0, 100, 200
    assert_eq!(column.binned(&column.counts), [700, 100, 100, 100]);
}

#[test]
fn what_is_no_number_is_counted_apart() {
    let cells = [Scalar::Number(1.0), Scalar::Null, Scalar::NonFinite, Scalar::Text("n/a".into()), Scalar::Structured, Scalar::Number(2.0)];
    let (column, notes) = one(Column::of("x", cells), &CompileSpec::default());
    // order of InvalidReason::ALL: wrong type, not finite, unknown class, out of range
    assert_eq!((column.counts.valid(), column.counts.missing, column.counts.invalid), (2, 1, [2, 1, 0, 0]));
    let kinds: Vec<&str> = notes.iter().map(|note| note.kind.as_str()).collect();
    assert_eq!(kinds, ["mixed_types", "invalid"]);
}

#[test]
fn an_empty_column_has_one_cell_and_no_point() {
    let (column, notes) = one(Column::of("x", [Scalar::Null, Scalar::Null]), &CompileSpec::default());
    assert!(points(&column).is_empty() && exact(&column));
    assert_eq!((column.counts.slots.len(), column.n_bins, column.counts.missing, column.moments), (1, 1, 2, None));
    assert_eq!(notes[0].kind, NoteKind::NoValues);
}

#[test]
fn moments_do_not_overflow() {
    let (column, _) = one(numbers("x", &[1e300, -1e300, 1e300, -1e300]), &CompileSpec::default());
    assert_eq!(column.moments, Some(Moments { mean: 0.0, std: 1e300, min: -1e300, max: 1e300 }));
    let (column, _) = one(numbers("x", &[f64::MAX, f64::MIN]), &CompileSpec::default());
    assert!(column.moments.unwrap().std.is_finite());
    // np.mean, np.std of [1e9 + 1, 1e9 + 2, 1e9 + 3, 1e9 + 4] -> 1000000002.5, 1.118033988749895
    let (column, _) = one(numbers("x", &[1e9 + 1.0, 1e9 + 2.0, 1e9 + 3.0, 1e9 + 4.0]), &CompileSpec::default());
    let moments = column.moments.unwrap();
    assert_eq!(moments.mean, 1_000_000_002.5);
    assert!((moments.std - 1.118_033_988_749_895).abs() < 1e-15);
}

#[test]
fn names_are_kept_by_mass_and_the_rest_is_remembered() {
    let column = texts("x", &["b", "b", "a", "a", "c", "d", "e"]);
    let spec = CompileSpec { max_categories: 3, remembered_categories: 4, ..CompileSpec::default() };
    let (column, notes) = one(column, &spec);
    let Slots::Categorical(categories) = &column.slots else { panic!("not categorical") };
    assert_eq!(categories.kept().iter().map(|name| &**name).collect::<Vec<_>>(), ["a", "b", "c"]);
    assert_eq!(column.counts.slots, [2, 2, 1, 2, 0]);
    assert_eq!(categories.slot("never"), categories.other_slot(), "more names than are remembered: an unknown one may be one of them");
    assert_eq!((column.bins, column.n_bins), (vec![0, 1, 2, 3, 4], 5));
    assert_eq!(notes[0].kind, NoteKind::ManyCategories { distinct: 5, kept: 3 });
    let spec = CompileSpec { remembered_categories: 5, ..spec };
    let (column, _) = one(texts("x", &["b", "b", "a", "a", "c", "d", "e"]), &spec);
    let Slots::Categorical(categories) = &column.slots else { panic!("not categorical") };
    assert_eq!((categories.slot("e"), categories.slot("never")), (3, 4));
}

#[test]
fn a_number_and_its_text_are_one_category() {
    let cells = [Scalar::Number(6.0), Scalar::Text("6".into()), Scalar::Number(5.0), Scalar::NonFinite];
    let spec = CompileSpec { categorical: vec!["day".into()], ..CompileSpec::default() };
    let (column, _) = one(Column::of("day", cells), &spec);
    assert_eq!((column.counts.slots, column.counts.invalid), (vec![1, 2, 0, 0], [0, 1, 0, 0]));
}

#[test]
fn roles_go_by_name_unless_inside_features() {
    let flat = ["prediction_id", "timestamp", "model", "version", "latency_ms", "status", "score_a", "score_z", "amount", ""];
    let mut columns: Vec<Column> = flat.iter().map(|name| texts(name, &["a", "b"])).collect();
    columns.push(texts("prediction", &["a", "b"]));
    columns.push(texts("label", &["b", "b"]).within_features());
    let names = |spec: &CompileSpec| -> Vec<String> {
        compile(&table(columns.clone()), spec).unwrap().reference.inputs.iter().map(|f| f.name.to_string()).collect()
    };
    assert_eq!(names(&CompileSpec::default()), ["amount", "label", "score_z"]);
    let spec = CompileSpec { categorical: vec!["model".into()], ignore: vec!["score_z".into()], ..CompileSpec::default() };
    assert_eq!(names(&spec), ["amount", "label", "model"]);
}

#[test]
fn a_binary_model_has_its_label_map_in_slot_order() {
    let prediction = numbers("prediction", &[0.0, 1.0, 1.0, 1.0]);
    let label = Column::of("label", [Scalar::Text("0".into()), Scalar::Bool(true), Scalar::Null, Scalar::Text("0".into())]);
    let score = numbers("score", &[0.1, 0.9, 1.5, 0.6]);
    let spec = CompileSpec { positive: Some("true".into()), ..CompileSpec::default() };
    let compiled = compile(&table(vec![prediction, label, score]), &spec).unwrap();
    let outputs = &compiled.reference.outputs;
    assert_eq!((compiled.task, compiled.positive.as_deref()), (Some(Task::Binary), Some("1")));
    assert_eq!(outputs.classes, ["0".into(), "1".into()]);
    assert_eq!(outputs.prediction.as_ref().unwrap().counts.slots, [1, 3, 0, 0]);
    assert_eq!(
        (outputs.label.as_ref().unwrap().counts.slots.as_slice(), outputs.label.as_ref().unwrap().counts.missing),
        ([2, 1, 0, 0].as_slice(), 1)
    );
    assert_eq!(outputs.score.as_ref().unwrap().counts.invalid, [0, 0, 0, 1]);
    let Some(ReferenceQuality::Classes(confusion)) = &outputs.quality else { panic!("no confusion") };
    assert_eq!(confusion.matrix(2).iter().copied().collect::<Vec<_>>(), [1, 1, 0, 1]);
}

#[test]
fn classes_of_a_multiclass_model_are_sorted_as_text_like_their_slots() {
    let label = numbers("label", &[10.0, 2.0, 1.0, 2.0]);
    let compiled = compile(&table(vec![label]), &CompileSpec::default()).unwrap();
    let outputs = &compiled.reference.outputs;
    assert_eq!(compiled.task, Some(Task::Multiclass));
    assert_eq!(outputs.classes, ["1".into(), "10".into(), "2".into()]);
    let Slots::Categorical(categories) = &outputs.label.as_ref().unwrap().slots else { panic!("not categorical") };
    assert_eq!(categories.kept(), outputs.classes);
    assert_eq!(outputs.label.as_ref().unwrap().counts.slots, [1, 1, 2, 0, 0]);
}

#[test]
fn a_regression_is_seen_by_fractions_or_by_many_values() {
    let many: Vec<f64> = (0..21).map(f64::from).collect();
    for values in [&[1.0, 2.5, 3.0][..], &many] {
        let compiled = compile(&table(vec![numbers("label", values), numbers("prediction", values)]), &CompileSpec::default()).unwrap();
        assert_eq!(compiled.task, Some(Task::Regression));
        let Some(ReferenceQuality::Numbers(sums)) = compiled.reference.outputs.quality else { panic!("no sums") };
        assert_eq!((sums.n, sums.absolute_error.value()), (values.len() as u64, 0.0));
        assert_eq!(sums.center, values.iter().sum::<f64>() / values.len() as f64);
    }
}

#[test]
fn a_task_that_does_not_fit_is_an_error_that_says_what_to_do() {
    let binary = CompileSpec { task: Some(Task::Binary), ..CompileSpec::default() };
    let error = |column: Column, spec: &CompileSpec| compile(&table(vec![column]), spec).unwrap_err().to_string();
    let text = error(texts("label", &["a", "b", "c"]), &binary);
    assert!(text.contains("have 3: a, b, c") && text.contains("multiclass"), "{text}");
    let text = error(numbers("prediction", &[0.0, 0.93, 1.0]), &binary);
    assert!(text.contains("`score`"), "{text}");
    let positive = CompileSpec { positive: Some("yes".into()), ..binary };
    assert!(error(numbers("label", &[0.0, 1.0]), &positive).contains("\"yes\""));
    let regression = CompileSpec { task: Some(Task::Regression), ..CompileSpec::default() };
    assert!(error(texts("label", &["a", "b"]), &regression).contains("no"));
    let names: Vec<Scalar<'_>> = (0..300).map(|i| Scalar::Text(format!("c{i}").into())).collect();
    assert!(matches!(compile(&table(vec![Column::of("label", names)]), &CompileSpec::default()), Err(CompileError::TooManyClasses { .. })));
    assert_eq!(compile(&table(vec![Column::new("x")]), &CompileSpec::default()), Err(CompileError::NoRows));
    assert!(matches!(
        compile(&table(vec![texts("x", &["a"]), texts("x", &["a"])]), &CompileSpec::default()),
        Err(CompileError::RepeatedColumn(_))
    ));
}

#[test]
fn a_binary_reference_of_one_class_knows_the_other() {
    let compiled = compile(&table(vec![numbers("label", &[0.0, 0.0])]), &CompileSpec::default()).unwrap();
    assert_eq!((compiled.task, compiled.reference.task()), (Some(Task::Binary), Some(Task::Binary)));
    let spec = CompileSpec { task: Some(Task::Binary), positive: Some("fraud".into()), ..CompileSpec::default() };
    let compiled = compile(&table(vec![texts("label", &["fine", "fine"])]), &spec).unwrap();
    assert_eq!(compiled.reference.outputs.classes, ["fine".into(), "fraud".into()]);
}

fn cell() -> impl Strategy<Value = Scalar<'static>> {
    prop_oneof![
        8 => (-30i32..30).prop_map(|v| Scalar::Number(f64::from(v) / 4.0)),
        4 => any::<f64>().prop_map(|v| if v.is_finite() { Scalar::Number(v) } else { Scalar::NonFinite }),
        1 => Just(Scalar::Null),
        1 => Just(Scalar::Number(-0.0)),
        1 => "[a-c]{1,2}".prop_map(|v| Scalar::Text(v.into())),
        1 => Just(Scalar::Bool(true)),
        1 => Just(Scalar::Structured),
    ]
}

fn reference_of(rows: &[(Scalar<'static>, Scalar<'static>, i32)], cells: usize) -> Reference {
    let numeric = Column::of("x", rows.iter().map(|row| row.0.clone()));
    let categorical = Column::of("y", rows.iter().map(|row| row.1.clone()));
    let label = Column::of("label", rows.iter().map(|row| Scalar::Number(f64::from(row.2))));
    let prediction = Column::of("prediction", rows.iter().map(|row| Scalar::Number(f64::from(row.2 / 2))));
    let spec = CompileSpec {
        cells,
        numeric: vec!["x".into()],
        categorical: vec!["y".into()],
        max_categories: 5,
        task: Some(if rows.len().is_multiple_of(2) { Task::Regression } else { Task::Multiclass }),
        ..CompileSpec::default()
    };
    compile(&table(vec![numeric, categorical, label, prediction]), &spec).unwrap().reference
}

fn columns(reference: &Reference) -> Vec<(&ColumnReference, &'static str)> {
    let outputs = &reference.outputs;
    let inputs = reference.inputs.iter().map(|input| (&input.column, if &*input.name == "x" { "x" } else { "y" }));
    inputs.chain(outputs.prediction.iter().map(|c| (c, "prediction"))).chain(outputs.label.iter().map(|c| (c, "label"))).collect()
}

proptest! {
    #[test]
    fn rows_may_come_in_any_order(rows in prop::collection::vec((cell(), cell(), 0i32..9), 1..200), seed in any::<u64>(), cells in 10usize..40) {
        let mut shuffled = rows.clone();
        shuffled.sort_by_key(|row| xxhash_rust::xxh3::xxh3_64_with_seed(format!("{row:?}").as_bytes(), seed));
        prop_assert_eq!(reference_of(&rows, cells), reference_of(&shuffled, cells));
    }

    #[test]
    fn every_row_is_counted_once_and_every_slot_has_a_bin(rows in prop::collection::vec((cell(), cell(), 0i32..9), 1..200), cells in 10usize..40) {
        let reference = reference_of(&rows, cells);
        for (column, name) in columns(&reference) {
            prop_assert_eq!(column.counts.total(), rows.len() as u64, "{}", name);
            prop_assert_eq!(column.bins.len(), column.counts.slots.len());
            prop_assert_eq!(column.binned(&column.counts).iter().sum::<u64>(), column.counts.valid());
            prop_assert!(column.bins.iter().all(|&bin| bin < column.n_bins));
        }
    }

    #[test]
    fn live_values_are_counted_by_the_same_rules(rows in prop::collection::vec((cell(), cell(), 0i32..9), 1..200), cells in 10usize..40) {
        let numeric = Column::of("x", rows.iter().map(|row| row.0.clone()));
        let categorical = Column::of("y", rows.iter().map(|row| row.1.clone()));
        let label = Column::of("label", rows.iter().map(|row| row.1.clone()));
        let score = Column::of("score", rows.iter().map(|row| row.0.clone()));
        let (spec, classes) = (CompileSpec { cells, max_categories: 5, ..CompileSpec::default() }, vec!["a".into(), "1".into(), "true".into()]);
        let spec = CompileSpec { categorical: vec!["y".into()], task: Some(Task::Multiclass), classes, ..spec };
        let reference = compile(&table(vec![numeric, categorical, label, score]), &spec).unwrap().reference;
        for input in reference.inputs.iter() {
            let mut counts = input.column.empty_counts();
            let places = rows.iter().map(|row| input.column.place(if &*input.name == "x" { &row.0 } else { &row.1 }));
            places.for_each(|place| input.column.count(place, &mut counts));
            prop_assert_eq!(&counts, &input.column.counts, "{}", input.name);
        }
        if let Some(label) = &reference.outputs.label {
            let mut counts = label.empty_counts();
            rows.iter().for_each(|row| label.count(reference.outputs.place_class(&row.1), &mut counts));
            prop_assert_eq!(&counts, &label.counts);
        }
        if let Some(score) = &reference.outputs.score {
            let mut counts = score.empty_counts();
            rows.iter().for_each(|row| score.count(reference.outputs.place_score(&row.0).unwrap(), &mut counts));
            prop_assert_eq!(&counts, &score.counts);
        }
    }

    #[test]
    fn every_value_of_the_reference_lies_in_a_cell_with_a_count(rows in prop::collection::vec((cell(), cell(), 0i32..9), 1..200), cells in 10usize..40) {
        let reference = reference_of(&rows, cells);
        // a column of nothing but arrays and objects is left out
        let Some((_, input)) = reference.input("x") else { return Ok(()) };
        let column = &input.column;
        let Slots::Numeric(slots) = &column.slots else { panic!("not numeric") };
        for (value, ..) in &rows {
            if let Scalar::Number(value) = value {
                prop_assert!(column.counts.slots[slots.cell(*value)] > 0);
            }
        }
        prop_assert!(slots.points().len() <= cells.max(20) + 12);
    }

    #[test]
    fn no_open_cell_holds_more_than_a_step(values in prop::collection::vec(-50i32..50, 50..400), cells in 10usize..40) {
        let values: Vec<f64> = values.into_iter().map(f64::from).collect();
        let (column, _) = one(numbers("x", &values), &CompileSpec { cells, ..CompileSpec::default() });
        let ColumnCounts { slots, .. } = &column.counts;
        for open in slots.iter().step_by(2) {
            prop_assert!(*open as usize * cells <= values.len(), "{open} of {} in {cells}", values.len());
        }
    }
}
