//! JSON lines: one object a line, flat, or an event with `features` inside.

use super::{PROGRESS_STEP, TableError, TableLimits, io, is_not_read, is_time, name, open, time};
use crate::engine::reference::table::{Column, ColumnValues, Origin, Table};
use crate::event::{MAX_DIMENSIONS, Scalar};
use serde_json::{Map, Value};
use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

/// Longest line, in bytes.
const MAX_LINE: u64 = 64 << 20;

/// Reads a file of JSON lines; empty lines are passed over.
pub(super) fn read(path: &Path, limits: TableLimits, progress: &mut dyn FnMut(u64, Option<u64>)) -> Result<Table, TableError> {
    let mut reader = BufReader::with_capacity(1 << 18, open(path)?);
    let (mut builder, mut bytes, mut line) = (Builder::default(), Vec::new(), 0u64);
    loop {
        bytes.clear();
        line += 1;
        let broken = |problem: String| TableError::Line { path: name(path), line, problem };
        let n = (&mut reader).take(MAX_LINE + 1).read_until(b'\n', &mut bytes).map_err(|source| io(path, source))?;
        if n == 0 {
            break;
        }
        if n as u64 > MAX_LINE {
            return Err(broken(format!("longer than {MAX_LINE} bytes; there must be one object a line")));
        }
        let text = bytes.strip_prefix(b"\xef\xbb\xbf").filter(|_| line == 1).unwrap_or(&bytes);
        if text.trim_ascii().is_empty() {
            continue;
        }
        builder.row(object(text).map_err(broken)?).map_err(broken)?;
        if builder.columns.len() > limits.columns {
            return Err(TableError::TooManyColumns { path: name(path), max: limits.columns });
        }
        if (builder.rows as u64).is_multiple_of(PROGRESS_STEP) {
            progress(builder.rows as u64, None);
        }
    }
    progress(builder.rows as u64, None);
    let mut table = Table::new(builder.columns);
    table.rows = builder.rows;
    table.times = builder.times;
    table.columns.iter_mut().for_each(|column| column.values.fill(builder.rows));
    Ok(table)
}

fn object(text: &[u8]) -> Result<Map<String, Value>, String> {
    match serde_json::from_slice(text) {
        Ok(Value::Object(object)) => Ok(object),
        Ok(Value::Array(_)) => Err("an array; write one object a line".to_owned()),
        Ok(_) => Err("not an object".to_owned()),
        Err(error) if error.is_eof() => Err("the object does not end on its line; write one object a line".to_owned()),
        Err(error) => Err(format!("not JSON: {}", error.to_string().replace("at line 1 column", "at column"))),
    }
}

/// Columns by name, as they turn up.
#[derive(Default)]
struct Builder {
    columns: Vec<Column>,
    places: HashMap<(Origin, String), usize>,
    rows: usize,
    times: ColumnValues,
}

impl Builder {
    fn row(&mut self, mut object: Map<String, Value>) -> Result<(), String> {
        if let Some((_, value)) = object.iter().find(|(key, _)| is_time(key)) {
            self.times.fill(self.rows);
            self.times.push(&time(&scalar(value)));
        }
        match object.remove("features") {
            None => self.flat(object),
            Some(Value::Object(features)) => {
                // an event: what stands beside `features` and is no output is no feature either
                object.retain(|key, _| matches!(key.as_str(), "prediction" | "label" | "score" | "scores"));
                self.flat(object);
                features.iter().for_each(|(key, value)| self.cell(Origin::Features, key, value));
            }
            Some(_) => return Err("`features` is not an object".to_owned()),
        }
        self.rows += 1;
        Ok(())
    }

    fn flat(&mut self, object: Map<String, Value>) {
        for (key, value) in &object {
            match value {
                Value::Object(scores) if key == "scores" => {
                    scores.iter().for_each(|(class, score)| self.cell(Origin::Flat, &format!("score_{class}"), score));
                }
                _ if is_not_read(key) => {}
                _ => self.cell(Origin::Flat, key, value),
            }
        }
    }

    fn cell(&mut self, origin: Origin, key: &str, value: &Value) {
        let place = *self.places.entry((origin, key.to_owned())).or_insert_with(|| {
            let column = Column::new(key);
            self.columns.push(if origin == Origin::Features { column.within_features() } else { column });
            self.columns.len() - 1
        });
        let values = &mut self.columns[place].values;
        values.fill(self.rows);
        // `scores` may spell a column that stands beside it too: the first one counts
        if values.len() == self.rows {
            values.push(&scalar(value));
        }
    }
}

/// An array of numbers, as an event may have one.
fn vector(elements: &[Value]) -> Option<Vec<f64>> {
    let number = |n: f64| if n.is_finite() { n } else { f64::INFINITY };
    let numbers: Option<Vec<f64>> = elements.iter().map(|element| element.as_f64().map(number)).collect();
    numbers.filter(|numbers| (1..=MAX_DIMENSIONS).contains(&numbers.len()))
}

fn scalar(value: &Value) -> Scalar<'_> {
    match value {
        Value::Null => Scalar::Null,
        Value::Bool(value) => Scalar::Bool(*value),
        Value::Number(number) => number.as_f64().filter(|n| n.is_finite()).map_or(Scalar::NonFinite, Scalar::Number),
        Value::String(text) => Scalar::Text(text.into()),
        Value::Array(elements) => vector(elements).map_or(Scalar::Structured, |vector| Scalar::Vector(vector.into())),
        Value::Object(_) => Scalar::Structured,
    }
}
