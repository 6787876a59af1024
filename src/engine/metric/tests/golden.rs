//! Columns of real data, every one and every chunk, against scipy 1.15.3 and numpy 2.2.6 (see `tests/data/golden/README.md`): values in, measurements out.

use super::real::{SETS, Set, load, scalar};
use super::*;
use crate::engine::reference::Incomparable;
use crate::engine::reference::compile::{CompileSpec, compile};
use crate::stats::{LineSample, Smoothing, psi, quantile};
use serde_json::Value;

/// Numbers of other libraries are met to this relative error.
const RELATIVE: f64 = 1e-9;

pub(super) fn floats(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|v| v.as_f64().unwrap()).collect()
}

/// Compares, and counts it.
#[track_caller]
fn close(compared: &mut usize, name: &str, got: f64, want: f64) {
    assert!((got - want).abs() <= RELATIVE * want.abs(), "{name}: got {got}, want {want}");
    *compared += 1;
}

/// Measures columns as the inputs of a model.
pub(super) fn measure(reference: &Reference, inputs: Vec<ColumnCounts>, wanted: MetricSet) -> Vec<Measurement> {
    let stream = stream();
    let pane = InputPane { inputs, ..InputPane::default() };
    measure_inputs(&Context { wanted, ..context(&stream, Task::Binary, &[], Some(reference)) }, &pane, &SERVICE)
}

/// A numeric column with bins `[edge_i, edge_i+1)` that resolves the values of `all`.
fn resolved(known: &[f64], all: Vec<f64>, edges: &[f64]) -> ColumnReference {
    let cells = Cells::new(all.into_iter().chain(edges.iter().copied()).collect(), true);
    // point i is cell 2i+1 and the open cell 2i+2 above it has no edge inside: both lie in the bin of the point
    let bin_of = |point: f64| edges.partition_point(|edge| *edge <= point) as u16;
    let bins = std::iter::once(0).chain(cells.points().iter().flat_map(|&p| [bin_of(p); 2])).collect();
    column(bins, Slots::Numeric(cells), &numbers(known))
}

const OF_NUMBERS: [Metric; 7] = [
    Metric::Ks,
    Metric::JensenShannon,
    Metric::Hellinger,
    Metric::Wasserstein,
    Metric::WassersteinScaled,
    Metric::MeanShift,
    Metric::MedianShift,
];

/// The middle of the two middle values, as numpy has it (`numpy.median` of an even number), where driftd takes the lower one.
fn middle(column: &ColumnReference, counts: &ColumnCounts) -> f64 {
    let Slots::Numeric(cells) = &column.slots else { panic!("numbers") };
    let (n, line) = (counts.valid(), LineSample { cells: &counts.slots, below: None, above: None });
    let at = |rank| quantile(cells.points(), line, rank, n).unwrap().value;
    f64::midpoint(at(n.div_ceil(2)), at(n / 2 + 1))
}

/// A column whose cells resolve every value, one chunk: everything that scipy and numpy say, to 1e-9 and without a bound. (Without the parts of a measurement,
/// which take most of the time over so many cells.)
fn check_chunk(compared: &mut usize, name: &str, column: &ColumnReference, chunk: &[f64], figures: &Value, place: usize) {
    let (live, want) = (counts(column, &numbers(chunk)), |key: &str| figures[key][place].as_f64().unwrap());
    assert_eq!(live.valid(), figures["n"][place].as_u64().unwrap(), "{name}");
    let of = |metric| {
        let got = column.compare(metric, &column.counts, &live);
        assert!(got.as_ref().is_ok_and(|got| got.error_bound == 0.0) || got == Err(Incomparable::NotInReference), "{name}: {metric:?}");
        got
    };
    let value = |metric| of(metric).unwrap().value;
    // scipy.stats.ks_2samp(reference, chunk).statistic, ks_2samp(method="asymp").pvalue, wasserstein_distance
    close(compared, name, value(Metric::Ks), want("ks_stat"));
    close(compared, name, of(Metric::Ks).unwrap().p_value.unwrap(), want("ks_p_asymp"));
    close(compared, name, value(Metric::Wasserstein), want("wasserstein"));
    let (binned, current) = (column.binned(&column.counts), column.binned(&live));
    let expected: Vec<u64> = serde_json::from_value(figures["decile_counts"][place].clone()).unwrap();
    assert_eq!(current, expected, "{name}");
    for (eps, key) in [(1e-4, "decile_psi_eps1e-4"), (1e-6, "decile_psi_eps1e-6")] {
        close(compared, name, psi(&binned, &current, Smoothing::Epsilon(eps)).unwrap().value, want(key));
    }
    close(compared, name, value(Metric::JensenShannon), want("decile_js_base2"));
    close(compared, name, value(Metric::JensenShannon) * std::f64::consts::LN_2.sqrt(), want("decile_js_base_e"));
    close(compared, name, value(Metric::Hellinger), want("decile_hellinger"));
    close(compared, name, middle(column, &live), want("median"));
    let moments = column.moments.unwrap();
    if moments.std == 0.0 {
        // numpy's standard deviation of a constant is rounding noise; here nothing has a size beside one
        let scaled = [Metric::WassersteinScaled, Metric::MeanShift, Metric::MedianShift].map(|metric| of(metric).map(|got| got.value));
        assert!(scaled.iter().all(|r| [Err(Incomparable::NotInReference), Ok(0.0)].contains(r)), "{name}: {scaled:?}");
        return;
    }
    close(compared, name, value(Metric::WassersteinScaled), want("wasserstein_over_ref_std"));
    // means that agree to the last digits leave none of their difference: to 1e-9 of a thousandth of a spread
    let shift = (want("mean") - moments.mean).abs() / moments.std;
    assert!((value(Metric::MeanShift) - shift).abs() <= RELATIVE * shift.max(1e-3), "{name}: {shift}");
    let mut sorted = chunk.to_vec();
    sorted.sort_by(f64::total_cmp);
    // numpy.quantile(…, 0.5, method="inverted_cdf"): the lower of two middle values
    let lower = |sorted: &[f64]| sorted[sorted.len().div_ceil(2) - 1];
    let shift = (lower(&sorted) - quantile_of_reference(column)).abs() / moments.std;
    close(compared, name, value(Metric::MedianShift), shift);
    *compared += 1;
}

fn quantile_of_reference(column: &ColumnReference) -> f64 {
    let Slots::Numeric(cells) = &column.slots else { panic!("numbers") };
    quantile(cells.points(), LineSample { cells: &column.counts.slots, below: None, above: None }, 1, 2).unwrap().value
}

#[test]
fn every_numeric_column_of_real_data() {
    let (mut compared, mut pairs, mut constant) = (0, 0, 0);
    for set in SETS.map(load) {
        for (name, figures) in set.figures["numerical"].as_object().unwrap() {
            let (known, chunks) = set.numbers(name);
            let edges = floats(&figures["deciles"]["inner_edges"]);
            let column = resolved(&known, chunks.iter().flatten().chain(&known).copied().collect(), &edges);
            let expected: Vec<u64> = serde_json::from_value(figures["deciles"]["reference_counts"].clone()).unwrap();
            assert_eq!(column.binned(&column.counts), expected, "{name}");
            let (moments, want) = (column.moments.unwrap(), &figures["reference"]);
            close(&mut compared, name, moments.mean, want["mean"].as_f64().unwrap());
            close(&mut compared, name, moments.min, want["min"].as_f64().unwrap());
            close(&mut compared, name, moments.max, want["max"].as_f64().unwrap());
            close(&mut compared, name, middle(&column, &column.counts), want["median"].as_f64().unwrap());
            if moments.std > 0.0 {
                close(&mut compared, name, moments.std, want["std_ddof0"].as_f64().unwrap());
            }
            constant += usize::from(moments.std == 0.0);
            for (place, chunk) in chunks.iter().enumerate() {
                check_chunk(&mut compared, &format!("{} {name} {place}", set.name), &column, chunk, figures, place);
                pairs += 1;
            }
        }
    }
    // 21 columns, 224 chunks of a column; 3 constant ones in elec2 have no spread: 9 figures of each of their 36 chunks, else 12
    assert_eq!((pairs, constant), (224, 3));
    assert_eq!(compared, 21 * 5 - 3 + 36 * 9 + 188 * 12);
}

/// As `driftd reference build` cuts them: how far the readings are off, and how much of that the bound admits.
#[test]
fn the_cells_that_are_shipped_are_within_their_bounds_and_the_bounds_are_small() {
    let (mut compared, mut worst, mut of_prices) = (0, [0.0f64; 4], [0.0f64; 4]);
    for set in SETS.map(load) {
        let task = if set.name == "nml_car_price" { Task::Regression } else { Task::Multiclass };
        let whole = compile(&set.table, &CompileSpec { task: Some(task), ..CompileSpec::default() }).unwrap().reference;
        for (name, figures) in set.figures["numerical"].as_object().unwrap().iter().filter(|(name, _)| !name.starts_with("score")) {
            let column = match name.as_str() {
                "prediction" => whole.outputs.prediction.clone().unwrap(),
                "label" => whole.outputs.label.clone().unwrap(),
                _ => whole.inputs.iter().find(|input| *input.name == **name).unwrap().column.clone(),
            };
            let moments = column.moments.unwrap();
            let reference = reference(vec![("x", column)], OutputReference::default());
            for (place, chunk) in set.numbers(name).1.iter().enumerate() {
                let live = counts(&reference.inputs[0].column, &numbers(chunk));
                let measured = measure(&reference, vec![live], OF_NUMBERS.into_iter().collect());
                let of = |metric| reading(&measured, &feature("x"), metric);
                let (ks, want) = (of(Metric::Ks), figures["ks_stat"][place].as_f64().unwrap());
                let least = ks.reading.value().unwrap();
                assert!(least <= want + 1e-15 && want <= least + ks.error_bound + 1e-15, "{name} {place}: {ks:?}, want {want}");
                let (moved, want) = (of(Metric::Wasserstein), figures["wasserstein"][place].as_f64().unwrap());
                let off = (moved.reading.value().unwrap() - want).abs();
                assert!(off <= RELATIVE * want + moved.error_bound, "{name} {place}: {moved:?}, want {want}");
                if moments.std > 0.0 {
                    let shift = (figures["mean"][place].as_f64().unwrap() - moments.mean).abs() / moments.std;
                    let got = of(Metric::MeanShift).reading.value().unwrap();
                    assert!((got - shift).abs() <= RELATIVE * shift.max(1e-3), "{name} {place}: {got}, want {shift}");
                    let bounds = [ks.error_bound, ks_off(least, figures, place), moved.error_bound / moments.std, off / moments.std];
                    let worst = if name == "nswprice" { &mut of_prices } else { &mut worst };
                    *worst = std::array::from_fn(|i| worst[i].max(bounds[i]));
                } else {
                    assert_eq!((ks.error_bound, moved.error_bound), (0.0, 0.0), "{name} {place}: beside a constant all is exact");
                }
                compared += 1;
            }
        }
    }
    assert_eq!(compared, 6 * 12 + 7 * 10 + 4 * 10);
    // KS and how far it is off, Wasserstein in σ and how far it is off; of prices with a long tail, whose outermost cells are wide
    let within = |got: [f64; 4], most: [f64; 4]| assert!(got.iter().zip(most).all(|(got, most)| *got <= most), "{got:?} {most:?}");
    within(worst, [0.004, 0.002, 0.14, 0.036]);
    within(of_prices, [0.004, 0.001, 0.95, 0.48]);
}

fn ks_off(got: f64, figures: &Value, place: usize) -> f64 {
    figures["ks_stat"][place].as_f64().unwrap() - got
}

#[test]
fn every_categorical_column_of_real_data() {
    let (mut compared, mut pairs) = (0, 0);
    for set in SETS.map(load) {
        for (name, figures) in set.figures["categorical"].as_object().unwrap() {
            pairs += check_names(&mut compared, &set, name, figures);
        }
    }
    // 10 columns: 3 of elec2, 2 of the car prices, 5 of the credit cards
    assert_eq!(pairs, 3 * 12 + 2 * 10 + 5 * 10);
    assert_eq!(compared, pairs * 9);
}

/// One column, every chunk; their number.
fn check_names(compared: &mut usize, set: &Set, name: &str, figures: &Value) -> usize {
    let keys: Vec<Arc<str>> = serde_json::from_value(figures["keys"].clone()).unwrap();
    let names = Categories::new(keys.clone(), vec![], false);
    let tally = |counts: &Value| {
        let mut slots = vec![0; names.n_slots()];
        keys.iter().enumerate().for_each(|(place, key)| slots[names.slot(key)] = counts[place].as_u64().unwrap());
        ColumnCounts { slots, ..ColumnCounts::new(0) }
    };
    let mut column = column((0..names.n_slots() as u16).collect(), Slots::Categorical(names.clone()), &[]);
    for value in set.table.column(name).unwrap().values.iter() {
        let (place, mut counts) = (column.place(&value), std::mem::replace(&mut column.counts, ColumnCounts::new(0)));
        column.count(place, &mut counts);
        column.counts = counts;
    }
    assert_eq!(column.counts, tally(&figures["reference_counts"]), "{name}");
    let known = reference(vec![("x", column)], OutputReference::default());
    let column = &known.inputs[0].column;
    let mut chunks = 0;
    for (place, chunk) in set.chunks().enumerate() {
        let mut live = column.empty_counts();
        chunk.iter().filter_map(|event| set.value(name, event)).for_each(|v| column.count(column.place(&scalar(v)), &mut live));
        assert_eq!(live, tally(&figures["counts"][place]), "{name} {place}");
        let measured = measure(&known, vec![live.clone()], MetricSet::all());
        let (got, want) = (|metric| reading(&measured, &feature("x"), metric), |key: &str| figures[key][place].as_f64().unwrap());
        // .5 * np.abs(p - q).sum()
        close(compared, name, got(Metric::TotalVariation).reading.value().unwrap(), want("tvd"));
        assert_eq!(got(Metric::TotalVariation).degrees as usize, keys.len() - 1);
        for (metric, key) in [(Metric::JensenShannon, "js_base2"), (Metric::Hellinger, "hellinger"), (Metric::LInfinity, "l_infinity")] {
            let (got, want) = (got(metric).reading.value().unwrap(), want(key));
            // numpy's shares cancel in the last digits
            assert!((got - want).abs() <= RELATIVE * want + 1e-15, "{name} {place}: {metric:?} {got}, want {want}");
            *compared += 1;
        }
        // scipy.stats.chi2_contingency(correction=False); every expected count is 5 or more here
        let test = got(Metric::ChiSquare);
        close(compared, name, test.reading.value().unwrap(), want("chi2_contingency_stat_no_yates"));
        let (p, of_scipy) = (test.p_value.unwrap(), want("chi2_contingency_p_no_yates"));
        assert!((p - of_scipy).abs() <= RELATIVE * of_scipy + 1e-300, "{name}: {p}, want {of_scipy}");
        *compared += 1;
        assert_eq!(u64::from(test.degrees), figures["chi2_contingency_dof"][place].as_u64().unwrap(), "{name}");
        for (eps, key) in [(1e-4, "psi_eps1e-4"), (1e-6, "psi_eps1e-6")] {
            let got = psi(&column.counts.slots, &live.slots, Smoothing::Epsilon(eps)).unwrap();
            close(compared, name, got.value, want(key));
        }
        let base_e = got(Metric::JensenShannon).reading.value().unwrap() * std::f64::consts::LN_2.sqrt();
        close(compared, name, base_e, want("js_base_e"));
        chunks += 1;
    }
    chunks
}

/// `numpy.percentile(latency, p)` lies between the nearest rank's value and its neighbour; ours is within 1 % of the nearest rank's.
#[test]
fn latencies_of_every_chunk() {
    let mut compared = 0;
    for set in SETS.map(load) {
        for (place, chunk) in set.chunks().enumerate() {
            let mut sorted: Vec<f64> = chunk.iter().map(|event| event["latency_ms"].as_f64().unwrap()).collect();
            let mut pane = InputPane { requests: chunk.len() as u64, ..InputPane::default() };
            sorted.iter().for_each(|ms| pane.latency.add(*ms));
            sorted.sort_by(f64::total_cmp);
            let stream = stream();
            let measured = measure_inputs(&context(&stream, Task::Binary, &[], None), &pane, &SERVICE);
            for (metric, key, percent) in
                [(Metric::LatencyP50, "p50", 50), (Metric::LatencyP95, "p95", 95), (Metric::LatencyP99, "p99", 99)]
            {
                let want = set.golden["latency_ms"][key][place].as_f64().unwrap();
                let nearest = sorted[(sorted.len() * percent).div_ceil(100) - 1];
                let at = (sorted.len() - 1) as f64 * percent as f64 / 100.0;
                let (below, above) = (sorted[at.floor() as usize], sorted[at.ceil() as usize]);
                close(&mut compared, key, below + (above - below) * at.fract(), want);
                let got = reading(&measured, &Subject::Service, metric).reading.value().unwrap();
                assert!((got - nearest).abs() <= 0.01 * nearest, "{} {place} {key}: {got}, want {nearest}", set.name);
                assert!((got - want).abs() <= 0.01 * nearest + (above - below), "{} {place} {key}: {got}, want {want}", set.name);
            }
        }
    }
    assert_eq!(compared, 32 * 3);
}
