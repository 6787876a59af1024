//! A reference of the traffic's distribution: rows as CSV, compiled by the command that users run (in a process whose memory is not measured).

use super::{Rows, Traffic};
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::process::{Command, Stdio};

/// Rows of a reference.
const ROWS: usize = 50_000;
/// Seed of its rows: none of any log.
const SEED: u64 = 7_919;

/// Writes the compiled reference.
pub(crate) fn build(traffic: Traffic, path: &Path) {
    let rows = path.with_extension("csv");
    write_reference(traffic, &rows).expect("the directory takes files");
    let mut command = Command::new(env!("CARGO_BIN_EXE_driftd"));
    command.args(["reference", "build", "--task", "binary", "--positive", "1", "--out"]).arg(path).arg(rows);
    let status = command.stdout(Stdio::null()).status().expect("the command starts");
    assert!(status.success(), "driftd reference build: {status}");
}

/// Writes the rows of the reference as a table with a head.
pub(crate) fn write_reference(traffic: Traffic, path: &Path) -> io::Result<()> {
    let mut out = BufWriter::new(File::create(path)?);
    let names: Vec<String> = (0..traffic.features).map(|place| traffic.body.feature(place)).collect();
    writeln!(out, "{},prediction,score,label,timestamp", names.join(","))?;
    let mut line = Vec::new();
    for row in Rows::new(traffic.models(1), SEED).take(ROWS) {
        line.clear();
        for value in &row.values {
            value.write(&mut line);
            line.push(b',');
        }
        out.write_all(&line)?;
        writeln!(out, "{},{},{},{}", u8::from(row.prediction), row.score, u8::from(row.label), row.at.0)?;
    }
    out.flush()
}
