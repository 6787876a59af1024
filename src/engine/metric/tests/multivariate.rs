//! All inputs together, on real data: NannyML's figure from raw rows, and ours from sums.

use super::*;
use crate::edge::ingest::table::read_table;
use crate::engine::reference::compile::{CompileSpec, compile};
use crate::engine::reference::table::Table;
use crate::engine::summary::MomentSums;
use crate::event::{Scalar, canonical_text};
use crate::stats::{components_for, symmetric_eigen};
use ndarray::{Array1, Array2, Axis, Slice};
use serde_json::Value;
use std::collections::HashMap;
use std::io::Read;
use std::path::{Path, PathBuf};

fn data(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(path)
}

/// A data set: names and kinds of its columns, its reference, and the features of its predictions.
struct Set {
    names: Vec<(String, bool)>,
    reference: Table,
    predictions: Vec<Value>,
    golden: Value,
}

fn load(name: &str) -> Set {
    let golden: Value = serde_json::from_str(&std::fs::read_to_string(data("golden/nannyml_pca.json")).unwrap()).unwrap();
    let golden = golden[name].clone();
    let of =
        |key: &str, numeric| golden[key].as_array().unwrap().iter().map(|n| (n.as_str().unwrap().to_owned(), numeric)).collect::<Vec<_>>();
    let names = [of("numerical", true), of("categorical", false)].concat();
    let mut text = String::new();
    let packed = std::fs::File::open(data(&format!("{name}/predictions.jsonl.gz"))).unwrap();
    flate2::read::GzDecoder::new(packed).read_to_string(&mut text).unwrap();
    let predictions = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()["features"].take()).collect();
    let reference = read_table(&data(&format!("{name}/reference.parquet")), &mut |_, _| {}).unwrap();
    Set { names, reference, predictions, golden }
}

fn scalar(value: &Value) -> Scalar<'_> {
    match value {
        Value::Number(n) => Scalar::Number(n.as_f64().unwrap()),
        Value::String(text) => Scalar::Text(text.as_str().into()),
        other => panic!("{other}"),
    }
}

/// NannyML's figure by chunk: frequency encoding, `StandardScaler` (a column without spread is only centred), the components that carry 65 % of the
/// reference's variance, and the mean over rows of the distance between a row and its reconstruction.
fn nannyml(set: &Set) -> (usize, Vec<f64>) {
    let rows = set.reference.rows;
    let columns: Vec<_> = set.names.iter().map(|(name, numeric)| (set.reference.column(name).unwrap(), *numeric)).collect();
    let shares: Vec<HashMap<String, f64>> = columns
        .iter()
        .map(|(column, _)| {
            let mut shares = HashMap::new();
            column.values.iter().for_each(|v| *shares.entry(canonical_text(&v).unwrap().into_owned()).or_default() += 1.0 / rows as f64);
            shares
        })
        .collect();
    let encode = |i: usize, value: &Scalar<'_>| match value {
        Scalar::Number(number) if columns[i].1 => *number,
        value => shares[i].get(&*canonical_text(value).unwrap()).copied().unwrap_or(0.0),
    };
    let raw = Array2::from_shape_fn((rows, columns.len()), |(row, i)| encode(i, &columns[i].0.values.get(row)));
    let mean = raw.mean_axis(Axis(0)).unwrap();
    let constant = |i: usize| raw.column(i).iter().all(|v| *v == raw[[0, i]]);
    let spread: Array1<f64> = (0..columns.len()).map(|i| if constant(i) { 1.0 } else { raw.column(i).std(0.0) }).collect();
    let scaled = (&raw - &mean) / &spread;
    let eigen = symmetric_eigen(&(scaled.t().dot(&scaled) / (rows - 1) as f64)).unwrap();
    let kept = components_for(&eigen.values, 0.65);
    let components = eigen.vectors.slice_axis(Axis(0), Slice::from(..kept));
    let error = |features: &Value| {
        let row: Array1<f64> = set.names.iter().enumerate().map(|(i, (name, _))| encode(i, &scalar(&features[name]))).collect();
        let row = (row - &mean) / &spread;
        (&row - &components.t().dot(&components.dot(&row))).mapv(|v| v * v).sum().sqrt()
    };
    let n = set.golden["rows_per_chunk"].as_u64().unwrap() as usize;
    (kept, set.predictions.chunks(n).map(|chunk| chunk.iter().map(error).sum::<f64>() / chunk.len() as f64).collect())
}

/// Our two figures by chunk, with all that is said of them.
fn ours(set: &Set) -> Vec<[Measurement; 2]> {
    let only = |name: &str| set.names.iter().any(|(known, _)| known == name);
    let columns = set.reference.columns.iter().filter(|column| only(&column.name)).cloned().collect();
    let of_kind = |wanted| set.names.iter().filter(|(_, numeric)| *numeric == wanted).map(|(name, _)| name.as_str().into()).collect();
    let spec = CompileSpec { numeric: of_kind(true), categorical: of_kind(false), ..CompileSpec::default() };
    let reference = compile(&Table::new(columns), &spec).unwrap().reference;
    let (stream, known) = (stream(), reference.encodings.moments.as_ref().unwrap());
    let units = |features: &Value| -> Vec<i32> {
        let of = |d: &crate::engine::reference::moments::Dimension| {
            let input = &reference.inputs[d.input];
            let value = scalar(&features[&*input.name]);
            d.units(&value, input.column.place(&value))
        };
        known.dimensions.iter().map(of).collect()
    };
    let n = set.golden["rows_per_chunk"].as_u64().unwrap() as usize;
    let measure = |chunk: &[Value]| {
        let mut sums = MomentSums::new(known.dimensions.len());
        chunk.iter().for_each(|features| sums.add(&units(features)));
        let pane = InputPane { moments: Some(sums), ..InputPane::default() };
        let measured = measure_inputs(&context(&stream, Task::Binary, &[], Some(&reference)), &pane, &SERVICE);
        [Metric::PcaError, Metric::Frechet].map(|metric| reading(&measured, &Subject::Features, metric).clone())
    };
    set.predictions.chunks(n).map(measure).collect()
}

const SETS: [&str; 3] = ["elec2", "nml_car_price", "nml_credit_card"];

#[test]
fn nannymls_reconstruction_error_from_raw_rows() {
    for name in SETS {
        let set = load(name);
        let (kept, got) = nannyml(&set);
        assert_eq!(kept as u64, set.golden["n_components_kept"].as_u64().unwrap(), "{name}");
        for (i, want) in set.golden["value"].as_array().unwrap().iter().enumerate() {
            let want = want.as_f64().unwrap();
            assert!((got[i] - want).abs() <= 1e-6 * want, "{name} chunk {i}: {} instead of {want}", got[i]);
        }
    }
}

#[test]
fn ours_moves_on_the_chunks_where_theirs_does_and_in_the_same_direction() {
    for (name, first_changed) in [("nml_car_price", 5), ("nml_credit_card", 5)] {
        let set = load(name);
        let measured = ours(&set);
        let theirs: Vec<f64> = set.golden["value"].as_array().unwrap().iter().map(|v| v.as_f64().unwrap()).collect();
        let before = theirs[..first_changed].iter().sum::<f64>() / first_changed as f64;
        for (i, [pca, frechet]) in measured.iter().enumerate() {
            let (value, normal) = (pca.reading.value().unwrap(), pca.on_reference.unwrap());
            let distance = frechet.reading.value().unwrap();
            assert_eq!((pca.n_current, pca.n_reference), (2000, 20_000));
            assert!(pca.parts.len() <= 10 && !pca.parts.is_empty());
            // a mean of squares is moved by the tail more than a mean of distances
            let (moved, expected) = (value / normal - 1.0, theirs[i] / before - 1.0);
            if i < first_changed {
                assert!(moved.abs() < 0.05 && distance < 0.1, "{name} chunk {i}: {moved} {expected} {distance}");
            } else {
                assert!(
                    moved.abs() > 0.05 && moved.signum() == expected.signum() && distance > 0.1,
                    "{name} chunk {i}: {moved} {expected} {distance}"
                );
            }
        }
    }
}

/// In elec2 the columns that moved most are constant in the reference, and so are no part of either figure. Chunk by chunk the two change in the same
/// direction:
/// which chunks lie above the one before, and how they are ordered (rank correlation).
#[test]
fn ours_follows_theirs_where_nothing_stands_still() {
    let set = load("elec2");
    let measured = ours(&set);
    let got: Vec<f64> = measured.iter().map(|[pca, _]| pca.reading.value().unwrap()).collect();
    let theirs: Vec<f64> = set.golden["value"].as_array().unwrap().iter().map(|v| v.as_f64().unwrap()).collect();
    assert_eq!((got.len(), theirs.len()), (12, 12));
    let rank = |values: &[f64], i: usize| values.iter().filter(|v| **v < values[i]).count() as f64;
    let apart: f64 = (0..12).map(|i| (rank(&got, i) - rank(&theirs, i)).powi(2)).sum();
    let spearman = 1.0 - 6.0 * apart / (12.0 * 143.0);
    assert!(spearman > 0.7, "{spearman}: {got:?} {theirs:?}");
    assert!(measured.iter().all(|[pca, frechet]| pca.n_current == 2500 && frechet.reading.value().unwrap() > 0.0));
}

#[test]
fn the_parts_of_the_reconstruction_error_add_up_to_its_change() {
    for [pca, _] in ours(&load("elec2")) {
        let change = pca.reading.value().unwrap() - pca.on_reference.unwrap();
        let parts: f64 = pca.parts.iter().map(|part| part.contribution).sum();
        assert!((change - parts).abs() < 1e-9, "{change} {parts}");
        // columns that are constant in the reference have no scale to be measured by
        assert!(pca.parts.iter().all(|part| !["vicprice", "vicdemand", "transfer"].contains(&&*part.name)));
    }
}

#[test]
fn why_there_is_no_figure() {
    let stream = stream();
    let columns = vec![("x", numeric(&numbers(&[1.0, 2.0])))];
    let bare = reference(columns, OutputReference::default());
    let column = |f: fn(f64) -> f64| (0..50).map(move |i| Scalar::Number(f(f64::from(i))));
    let table = Table::new(vec![
        crate::engine::reference::table::Column::of("a", column(|i| i)),
        crate::engine::reference::table::Column::of("b", column(|i| i * i)),
    ]);
    let full = compile(&table, &CompileSpec::default()).unwrap().reference;
    let sums = |rows: &[[i32; 2]]| {
        let mut sums = MomentSums::new(2);
        rows.iter().for_each(|row| sums.add(row));
        Some(sums)
    };
    let of = |reference: Option<&Reference>, moments| {
        let measured =
            measure_inputs(&context(&stream, Task::Binary, &[], reference), &InputPane { moments, ..InputPane::default() }, &SERVICE);
        [Metric::PcaError, Metric::Frechet].map(|metric| reading(&measured, &Subject::Features, metric).reading)
    };
    let no = |reason| [Reading::Undefined(reason); 2];
    assert_eq!(of(None, None), no(UndefinedReason::NoReference));
    assert_eq!(of(Some(&bare), sums(&[[1, 2]])), no(UndefinedReason::NotInReference));
    assert_eq!(of(Some(&full), None), no(UndefinedReason::NoData));
    assert_eq!(of(Some(&full), Some(MomentSums::new(7))), no(UndefinedReason::NoData), "sums of another reference");
    let [pca, frechet] = of(Some(&full), sums(&[[4096, 4096]]));
    assert!(pca.value().is_some() && frechet == Reading::Undefined(UndefinedReason::NoData), "a covariance takes two");
    // every value at its cut
    let [pca, frechet] = of(Some(&full), sums(&[[40_960, -40_960]; 5]));
    assert!(pca.value().unwrap() > 10.0 && frechet.value().unwrap() > 100.0);
    let segment = StreamKey { segment: Some("a=1".into()), ..stream.clone() };
    let ctx = Context { stream: &segment, ..context(&segment, Task::Binary, &[], Some(&full)) };
    let measured = measure_inputs(&ctx, &InputPane::default(), &SERVICE);
    assert!(measured.iter().all(|m| m.metric != Metric::PcaError && m.metric != Metric::Frechet), "sums are kept of the whole only");
}
