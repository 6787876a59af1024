//! What is more than one column: texts, vectors, and all inputs together.

use super::*;
use crate::engine::metric::Reading;

const N: usize = 200;

/// Hours of `N` rows with two numbers that go together, a text and a vector of two numbers.
fn table(hours: usize, seed: u64) -> Table {
    let mut stream = Stream::new(0.0, seed);
    let x = stream.take(hours * N);
    let y: Vec<f64> = x.iter().map(|x| x + stream.next()).collect();
    const WORDS: [&str; 8] = ["red", "green", "blue", "round", "small", "heavy", "odd", "rare"];
    let text = |row: usize| -> String {
        let words = (0..1 + (x[row].abs() * 3.0) as usize).map(|i| WORDS[(row * 7 + i * 3 + (y[row].abs() * 2.0) as usize) % 8]);
        // one text in five has a word that no other has
        words.collect::<Vec<_>>().join(" ") + &if row.is_multiple_of(5) { format!(" w{:05}", 10_000 + row) } else { " usual".to_owned() }
    };
    let mut table = Table::new(vec![
        Column::of("comment", (0..x.len()).map(|row| if row % 50 == 0 { Scalar::Null } else { Scalar::Text(text(row).into()) })),
        Column::of("e", (0..x.len()).map(|row| Scalar::Vector(vec![x[row], y[row]].into()))),
        Column::of("x", x.iter().map(|&v| Scalar::Number(v))),
        Column::of("y", y.iter().map(|&v| if v > 3.0 { Scalar::Null } else { Scalar::Number(v) })),
    ]);
    (0..table.rows).for_each(|row| table.times.push(&Scalar::Number((row as i64 * HOUR / N as i64) as f64)));
    table
}

fn compiled(table: &Table) -> Reference {
    let mut reference = compile(table, &CompileSpec { text: vec!["comment".into()], ..CompileSpec::default() }).unwrap().reference;
    calibrate(&mut reference, table, &spec());
    assert_eq!(reference.check(), Ok(()));
    reference
}

#[test]
fn rows_are_counted_as_the_compiler_counts_them() {
    let table = table(10, 3);
    let reference = compiled(&table);
    let (spec, all) = (spec(), (0..table.rows).collect::<Vec<_>>());
    let rows = Rows::new(&reference, &table, &spec);
    let (pane, outcomes) = rows.count(&all, true);
    for (feature, counts) in reference.inputs.iter().zip(&pane.inputs) {
        assert_eq!(feature.column.counts, *counts, "{}", feature.name);
    }
    let (known, moments) = (reference.encodings.moments.as_ref().unwrap(), pane.moments.as_ref().unwrap().moments().unwrap());
    assert_eq!((&known.mean, known.n), (&moments.mean, moments.n));
    assert_eq!(known.dimensions.len(), 5, "two numbers, and three of the text");
    assert_eq!(reference.encodings.vectors[0].mean, pane.vectors[0].mean().unwrap());
    // what is left without a window is what the others show
    let (head, tail) = all.split_at(N);
    let (rest, _) = rows.count(tail, true);
    let without = rows.without(&rows.count(head, true).0, &outcomes);
    assert_eq!(without.encodings.moments, known.over(rest.moments.as_ref().unwrap()));
    let means = without.encodings.vectors[0].mean.iter().zip(rest.vectors[0].mean().unwrap());
    assert!(means.into_iter().all(|(got, want)| (got - want).abs() < 1e-12));
}

#[test]
fn texts_vectors_and_all_inputs_have_a_noise_floor_and_sigmas() {
    let reference = compiled(&table(40, 5));
    let (later, spec) = (table(10, 6), spec());
    let rows = Rows::new(&reference, &later, &spec);
    let (inputs, outcomes) = rows.count(&(0..N).collect::<Vec<_>>(), true);
    let live = measure(&reference, &spec, MetricSet::all(), &inputs, &outcomes);
    let expected = [
        ("features", Metric::PcaError),
        ("features", Metric::Frechet),
        ("feature:e", Metric::Mmd),
        ("feature:comment#length", Metric::Psi),
        ("feature:comment#words", Metric::Ks),
        ("feature:comment#unseen_words", Metric::Ks),
        ("feature:comment#ngrams", Metric::TotalVariation),
    ];
    for (subject, metric) in expected {
        let m = live.iter().find(|m| m.subject == Subject::parse(subject).unwrap() && m.metric == metric).unwrap();
        let Reading::Value(value) = m.reading else { panic!("{m:?}") };
        let (floor, sigma, normal) = (m.noise_floor.unwrap(), m.sigma.unwrap(), m.on_reference.unwrap());
        assert!(
            sigma > 0.0 && sigma < normal && value < floor && floor < 12.0 * normal,
            "{subject} {metric:?}: {value} {normal} {sigma} {floor}"
        );
    }
    // costly ones are left out where nobody asks
    let mut reference = reference;
    calibrate(&mut reference, &later, &CalibrationSpec { costly: [Metric::Frechet].into_iter().collect(), ..spec });
    let costly: BTreeSet<Metric> = reference.calibration.unwrap().figures.into_keys().map(|(_, metric)| metric).collect();
    assert!(costly.contains(&Metric::Frechet) && !costly.contains(&Metric::PcaError) && !costly.contains(&Metric::Mmd));
}

#[test]
fn a_squared_distance_of_all_inputs_shrinks_with_the_number_of_values() {
    let reference = compiled(&table(60, 7));
    let (later, spec) = (table(80, 8), spec());
    let rows = Rows::new(&reference, &later, &spec);
    for n in [50, 800] {
        let (mut sum, mut over, windows) = (0.0, 0, later.rows / n);
        let mut normal = None;
        for start in (0..windows * n).step_by(n) {
            let (inputs, outcomes) = rows.count(&(start..start + n).collect::<Vec<_>>(), true);
            let wanted = [Metric::Frechet].into_iter().collect();
            let found = measure(&reference, &spec, wanted, &inputs, &outcomes).into_iter().find(|m| m.metric == Metric::Frechet).unwrap();
            let value = found.reading.value().unwrap();
            (sum, over) = (sum + value, over + usize::from(value > found.noise_floor.unwrap()));
            normal = found.on_reference;
        }
        let ratio = sum / windows as f64 / normal.unwrap();
        assert!((0.75..1.3).contains(&ratio), "windows of {n} values: {ratio} of what is said to be normal");
        assert!(over * 100 <= windows, "{over} of {windows} above the floor");
    }
}
