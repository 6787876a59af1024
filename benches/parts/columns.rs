//! Values → slots, and sums of slots → figures.

use crate::scattered;
use divan::Bencher;
use divan::counter::ItemsCount;
use driftd::engine::catalogue::Metric;
use driftd::engine::reference::compile::{CompileSpec, compile};
use driftd::engine::reference::table::{Column, Table};
use driftd::engine::reference::{Categories, Cells, ColumnReference};
use driftd::engine::summary::{ColumnCounts, ColumnSum, Packer, Unpacker};
use driftd::event::Scalar;
use std::hint::black_box;
use std::sync::Arc;

const VALUES: usize = 10_000;

/// Numbers between 0 and 1.
fn numbers(n: usize) -> Vec<f64> {
    scattered(n).map(|x| x as f64 / u64::MAX as f64).collect()
}

/// Which cell of `m` points a number lies in.
#[divan::bench(args = [256, 1024, 4096])]
fn cell_lookup(bencher: Bencher<'_, '_>, m: usize) {
    let cells = Cells::new(numbers(m), true);
    let values = numbers(VALUES);
    bencher.counter(ItemsCount::new(VALUES)).bench(|| values.iter().map(|&value| cells.cell(black_box(value))).sum::<usize>());
}

/// The same by a plain search.
#[divan::bench(args = [256, 1024, 4096])]
fn cell_search(bencher: Bencher<'_, '_>, m: usize) {
    let cells = Cells::new(numbers(m), true);
    let points = cells.points();
    let values = numbers(VALUES);
    bencher.counter(ItemsCount::new(VALUES)).bench(|| {
        let search = |&value: &f64| {
            let below = points.partition_point(|&point| point < black_box(value));
            2 * below + usize::from(points.get(below) == Some(&value))
        };
        values.iter().map(search).sum::<usize>()
    });
}

/// Which slot of `n` categories a name has.
#[divan::bench(args = [5, 50, 1000])]
fn category_lookup(bencher: Bencher<'_, '_>, n: usize) {
    let names: Vec<Arc<str>> = (0..n).map(|i| format!("c{i}").into()).collect();
    let categories = Categories::new(names.clone(), Vec::new(), false);
    let asked: Vec<&str> = scattered(VALUES).map(|x| &*names[x as usize % n]).collect();
    bencher.counter(ItemsCount::new(VALUES)).bench(|| asked.iter().map(|name| categories.slot(black_box(name))).sum::<usize>());
}

/// A compiled column of the usual resolution, and the counts of a window.
fn column() -> (ColumnReference, ColumnCounts) {
    let cells = |n, scale: f64| numbers(n).into_iter().map(move |x| Scalar::Number(scale * x));
    let table = Table::new(vec![Column::of("x", cells(50_000, 1.0)).within_features()]);
    let compiled = compile(&table, &CompileSpec::default()).expect("the table is a reference");
    let column = compiled.reference.inputs[0].column.clone();
    let mut counts = column.empty_counts();
    cells(VALUES, 1.01).for_each(|value| column.count(column.place(&value), &mut counts));
    (column, counts)
}

/// The column of a pane as it is kept, of so many values.
fn packed(values: usize) -> (ColumnCounts, Vec<u8>) {
    let (column, _) = column();
    let mut counts = column.empty_counts();
    numbers(values).into_iter().for_each(|value| column.count(column.place(&Scalar::Number(value)), &mut counts));
    let mut packer = Packer::default();
    packer.column(&counts);
    (counts, packer.into_bytes())
}

/// Packing the column of a pane that has closed.
#[divan::bench(args = [100, 10_000])]
fn column_pack(bencher: Bencher<'_, '_>, values: usize) {
    let (counts, _) = packed(values);
    bencher.bench(|| {
        let mut packer = Packer::default();
        packer.column(black_box(&counts));
        packer.into_bytes()
    });
}

/// Adding the column of a pane to that of a window, and taking it out again.
#[divan::bench(args = [100, 10_000])]
fn column_merge_and_unmerge(bencher: Bencher<'_, '_>, values: usize) {
    let (_, bytes) = packed(values);
    let mut sum = ColumnSum::like(&Unpacker::new(&bytes));
    bencher.bench_local(|| {
        sum.merge(&mut Unpacker::new(black_box(&bytes)));
        sum.unmerge(&mut Unpacker::new(black_box(&bytes)));
    });
}

/// A figure of a column of a window.
#[divan::bench(args = [Metric::Ks, Metric::Psi, Metric::Wasserstein])]
fn compare(bencher: Bencher<'_, '_>, metric: Metric) {
    let (column, counts) = column();
    bencher.bench(|| black_box(&column).compare(metric, &column.counts, black_box(&counts)));
}
