//! The real data sets of `tests/data`: the reference, the events of every chunk, and what other libraries say of them.

use crate::edge::ingest::table::read_table;
use crate::engine::reference::table::Table;
use crate::event::Scalar;
use serde_json::Value;
use std::collections::HashMap;
use std::io::Read;
use std::path::{Path, PathBuf};

pub(super) const SETS: [&str; 3] = ["elec2", "nml_car_price", "nml_credit_card"];

pub(super) struct Set {
    pub(super) name: &'static str,
    /// Bounds of the chunks, quality and latency of each.
    pub(super) golden: Value,
    /// Figures by column and chunk, and those of NannyML and Evidently.
    pub(super) figures: Value,
    pub(super) table: Table,
    pub(super) predictions: Vec<Value>,
    pub(super) labels: HashMap<String, Value>,
}

pub(super) fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(name)
}

fn json(path: &Path) -> Value {
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn lines(path: &Path) -> Vec<Value> {
    let mut text = String::new();
    flate2::read::GzDecoder::new(std::fs::File::open(path).unwrap()).read_to_string(&mut text).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

pub(super) fn load(name: &'static str) -> Set {
    let folder = folder(name);
    Set {
        name,
        golden: json(&folder.join("golden.json")),
        figures: json(&folder.join(format!("../golden/{name}.json"))),
        table: read_table(&folder.join("reference.parquet"), &mut |_, _| {}).unwrap(),
        predictions: lines(&folder.join("predictions.jsonl.gz")),
        labels: lines(&folder.join("labels.jsonl.gz"))
            .into_iter()
            .map(|mut line| (line["prediction_id"].as_str().unwrap().to_owned(), line["label"].take()))
            .collect(),
    }
}

impl Set {
    /// The events of every chunk.
    pub(super) fn chunks(&self) -> impl Iterator<Item = &[Value]> {
        self.golden["chunks"].as_array().unwrap().iter().map(|chunk| {
            let (from, to) = (chunk["start"].as_u64().unwrap() as usize, chunk["end"].as_u64().unwrap() as usize);
            &self.predictions[from..to]
        })
    }

    /// The label of an event, where it came.
    pub(super) fn label(&self, event: &Value) -> Option<&Value> {
        self.labels.get(event["prediction_id"].as_str().unwrap())
    }

    /// What a column of the figures holds of an event; `None`: null, or no label.
    pub(super) fn value<'a>(&'a self, column: &str, event: &'a Value) -> Option<&'a Value> {
        let value = match column {
            "prediction" | "score" => &event[column],
            "label" => self.label(event)?,
            _ => match column.strip_prefix("score_") {
                Some(class) => &event["scores"][class],
                None => &event["features"][column],
            },
        };
        (!value.is_null()).then_some(value)
    }

    /// The numbers of a column in the reference, and in each chunk.
    pub(super) fn numbers(&self, column: &str) -> (Vec<f64>, Vec<Vec<f64>>) {
        let number = |value: Scalar<'_>| if let Scalar::Number(number) = value { number } else { panic!("{column}: {value:?}") };
        let reference = self.table.column(column).unwrap().values.iter().map(number).collect();
        let of_chunk = |chunk: &[Value]| chunk.iter().filter_map(|event| self.value(column, event)?.as_f64()).collect();
        (reference, self.chunks().map(of_chunk).collect())
    }
}

/// A value of an event as the engine takes it.
pub(super) fn scalar(value: &Value) -> Scalar<'_> {
    value.as_f64().map_or_else(|| Scalar::Text(value.as_str().unwrap().into()), Scalar::Number)
}
