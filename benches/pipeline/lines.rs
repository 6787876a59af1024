//! From JSON lines in files: `driftd replay`, with the join of labels and all reports, as a user runs it.

use crate::Options;
use crate::figure::Figure;
use crate::measure::{Stage, cpu_of_process, rounds};
use crate::memory::TUMBLING;
use crate::traffic::{Body, Messages, Traffic, Watched, write_reference};
use driftd::edge::decode::TopicRole;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;
use std::process::Command;

pub(crate) fn run(options: &Options) -> Vec<Figure> {
    let watched = [Body::Short, Body::Long].map(|body| Watched::new(Traffic::of(body), TUMBLING));
    for watched in &watched {
        write(watched.traffic, options.rows, watched.directory()).expect("the directory takes files");
    }
    let [short, long] = &watched;
    let mut stages = [
        Stage::new("630 B: lines, labels, windows of 50,000, reports", || replay(short.directory(), options.rows)),
        Stage::new("900 B: lines, labels, windows of 50,000, reports", || replay(long.directory(), options.rows)),
    ];
    rounds(options.rounds, &mut stages);
    let costs = stages.iter().map(|stage| Figure::new(&stage.name, "ns CPU/prediction", stage.samples.clone()));
    let rates = stages.iter().map(|stage| Figure::rate(&stage.name, &stage.samples));
    costs.chain(rates).collect()
}

/// One replay of the short message.
pub(crate) fn once(options: &Options) -> Figure {
    let watched = Watched::new(Traffic::of(Body::Short), TUMBLING);
    write(watched.traffic, options.rows, watched.directory()).expect("the directory takes files");
    Figure::new("lines", "ns CPU/prediction", [replay(watched.directory(), options.rows)])
}

/// Writes the lines and the reference of the short message.
pub(crate) fn export(directory: &Path, rows: usize) -> std::io::Result<()> {
    std::fs::create_dir_all(directory)?;
    let traffic = Traffic::of(Body::Short);
    write_reference(traffic, &directory.join("reference.csv"))?;
    write(traffic, rows, directory)
}

/// Writes `predictions.jsonl` and `labels.jsonl`.
fn write(traffic: Traffic, rows: usize, directory: &Path) -> std::io::Result<()> {
    let mut predictions = BufWriter::new(File::create(directory.join("predictions.jsonl"))?);
    let mut labels = BufWriter::new(File::create(directory.join("labels.jsonl"))?);
    let mut messages = Messages::new(traffic, rows, true, 1);
    let mut bytes = Vec::new();
    while let Some(message) = messages.next_into(&mut bytes) {
        bytes.push(b'\n');
        let out = if message.role == TopicRole::Labels { &mut labels } else { &mut predictions };
        out.write_all(&bytes)?;
        bytes.clear();
    }
    predictions.flush()?;
    labels.flush()
}

/// CPU nanoseconds a prediction, with the start of the program.
fn replay(directory: &Path, rows: usize) -> f64 {
    let before = cpu_of_process("self", true);
    let mut command = Command::new(env!("CARGO_BIN_EXE_driftd"));
    let arguments = ["replay", "--predictions", "predictions.jsonl", "--labels", "labels.jsonl", "--out", "report.ndjson"];
    let status = command.current_dir(directory).args(arguments).status().expect("the command starts");
    assert!(status.success(), "driftd replay: {status}");
    (cpu_of_process("self", true) - before) * 1e9 / rows as f64
}
