//! The real data sets of `tests/data`, with chunk i of the golden numbers put into window i.

use flate2::read::GzDecoder;
use serde_json::Value;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// Length of a window, and of a slide: windows do not overlap, so chunk i is window i.
pub(crate) const WINDOW_MS: i64 = 3_600_000;
/// Start of window 0: 2026-01-01T00:00:00Z.
pub(crate) const START_MS: i64 = 1_767_225_600_000;

/// One data set, prepared in a directory of its own.
pub(crate) struct Dataset {
    /// Where everything is.
    pub(crate) directory: tempfile::TempDir,
    /// The golden numbers.
    pub(crate) golden: Value,
}

impl Dataset {
    /// Unpacks a data set; prediction j of chunk i is moved to its share of hour i, its label follows with the original delay.
    pub(crate) fn prepare(name: &str) -> Self {
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(name);
        let golden: Value = serde_json::from_str(&fs::read_to_string(source.join("golden.json")).unwrap()).unwrap();
        let directory = tempfile::tempdir().unwrap();
        fs::copy(source.join("reference.parquet"), directory.path().join("reference.parquet")).unwrap();
        let mut moved = std::collections::HashMap::new();
        let mut predictions = String::new();
        let lines: Vec<Value> = unpack(&source.join("predictions.jsonl.gz"));
        for (i, chunk) in golden["chunks"].as_array().unwrap().iter().enumerate() {
            let (from, to) = (chunk["start"].as_u64().unwrap() as usize, chunk["end"].as_u64().unwrap() as usize);
            for (j, line) in lines[from..to].iter().enumerate() {
                let mut line = line.clone();
                let at = START_MS + i as i64 * WINDOW_MS + j as i64 * WINDOW_MS / (to - from) as i64;
                let before = millis(line["timestamp"].as_str().unwrap());
                moved.insert(line["prediction_id"].as_str().unwrap().to_owned(), at - before);
                line["timestamp"] = text(at).into();
                predictions.push_str(&format!("{line}\n"));
            }
        }
        let mut labels = String::new();
        for mut line in unpack(&source.join("labels.jsonl.gz")) {
            let by = moved[line["prediction_id"].as_str().unwrap()];
            line["timestamp"] = text(millis(line["timestamp"].as_str().unwrap()) + by).into();
            labels.push_str(&format!("{line}\n"));
        }
        fs::write(directory.path().join("predictions.jsonl"), predictions).unwrap();
        fs::write(directory.path().join("labels.jsonl"), labels).unwrap();
        Self { directory, golden }
    }

    /// A file of it.
    pub(crate) fn path(&self, file: &str) -> PathBuf {
        self.directory.path().join(file)
    }

    /// Runs `driftd` in its directory, which must succeed.
    pub(crate) fn driftd(&self, arguments: &[&str]) -> Output {
        let output = Command::new(env!("CARGO_BIN_EXE_driftd")).args(arguments).current_dir(self.directory.path()).output().unwrap();
        assert!(output.status.success(), "driftd {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        output
    }

    /// Runs `driftd init` and `driftd replay`; the lines of the replay.
    pub(crate) fn replay(&self, init: &[&str]) -> Vec<Value> {
        let mut arguments = vec!["init", "--reference", "reference.parquet", "--window", "1h", "--slide", "1h", "--out", "driftd.toml"];
        arguments.extend(init);
        self.driftd(&arguments);
        let replay = ["replay", "--config", "driftd.toml", "--predictions", "predictions.jsonl", "--labels", "labels.jsonl"];
        let output = self.driftd(&replay);
        String::from_utf8(output.stdout).unwrap().lines().map(|l| serde_json::from_str(l).unwrap()).collect()
    }
}

/// The value that counts (the last one printed) of a subject's metric in window `i`, with its whole line.
pub(crate) fn reading(lines: &[Value], i: usize, subject: &str, metric: &str) -> Value {
    let start = text(START_MS + i as i64 * WINDOW_MS);
    let fits = |line: &&Value| {
        line["kind"] == "measurement" && line["window"]["start"] == start.as_str() && line["subject"] == subject && line["metric"] == metric
    };
    lines.iter().rev().find(fits).unwrap_or_else(|| panic!("no {metric} of {subject} in window {i}")).clone()
}

fn unpack(path: &Path) -> Vec<Value> {
    let mut text = String::new();
    GzDecoder::new(fs::File::open(path).unwrap()).read_to_string(&mut text).unwrap();
    text.lines().map(|l| serde_json::from_str(l).unwrap()).collect()
}

fn millis(text: &str) -> i64 {
    driftd::event::Timestamp::parse(text).unwrap().millis()
}

fn text(millis: i64) -> String {
    driftd::event::Timestamp(millis).to_string()
}
