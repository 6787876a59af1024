//! Reference rows: what the model's training left behind, drawn from the healthy phase of its first version.

use super::feature::{Feature, N_NUMERIC};
use super::request::{Answer, CLASSES, Request, Target};
use super::scenario::Scenario;
use super::traffic::Traffic;
use crate::event::Timestamp;
use anyhow::{Context, bail};
use serde_json::{Map, Value};
use std::io::Write;
use std::path::Path;

/// How a reference file is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ReferenceFormat {
    /// A header line, then one row a line; a missing value is an empty field.
    Csv,
    /// One object a line; a missing value is `null`.
    JsonLines,
}

impl ReferenceFormat {
    /// By the file's extension.
    pub(super) fn of(path: &Path) -> anyhow::Result<Self> {
        match path.extension().and_then(|e| e.to_str()) {
            Some("csv") => Ok(Self::Csv),
            Some("jsonl" | "ndjson") => Ok(Self::JsonLines),
            _ => bail!("cannot tell the format of {}: name it .csv, .jsonl or .ndjson", path.display()),
        }
    }
}

/// Writes `n_rows` answered and labelled requests. They come from a seed of their own, so that the reference is no part of the traffic.
pub(crate) fn write_reference(
    out: &mut dyn Write,
    format: ReferenceFormat,
    scenario: &Scenario,
    seed: u64,
    n_rows: usize,
) -> anyhow::Result<()> {
    // any fixed number that turns one seed into another one
    let mut traffic = Traffic::new(scenario, seed ^ 0x7265_6665_7265_6e63);
    let rows = std::iter::repeat_with(|| traffic.next_request(Timestamp(0)));
    let rows = rows.filter_map(|request| request.answer.clone().map(|answer| (request, answer))).take(n_rows);
    match format {
        ReferenceFormat::Csv => write_csv(out, rows),
        ReferenceFormat::JsonLines => write_json_lines(out, rows),
    }
    .context("cannot write the reference")
}

fn write_csv(out: &mut dyn Write, rows: impl Iterator<Item = (Request, Answer)>) -> anyhow::Result<()> {
    let mut writer = csv::Writer::from_writer(out);
    for (i, (request, answer)) in rows.enumerate() {
        let row = columns(&request, &answer);
        if i == 0 {
            writer.write_record(row.iter().map(|(name, _)| name))?;
        }
        writer.write_record(row.iter().map(|(_, value)| match value {
            Value::Null => String::new(),
            Value::String(text) => text.clone(),
            other => other.to_string(),
        }))?;
    }
    Ok(writer.flush()?)
}

fn write_json_lines(out: &mut dyn Write, rows: impl Iterator<Item = (Request, Answer)>) -> anyhow::Result<()> {
    for (request, answer) in rows {
        let row: Map<String, Value> = columns(&request, &answer).into_iter().collect();
        serde_json::to_writer(&mut *out, &row)?;
        out.write_all(b"\n")?;
    }
    Ok(out.flush()?)
}

/// Inputs by name, then `prediction`, `score` or `score_<class>`, and `label`.
fn columns(request: &Request, answer: &Answer) -> Vec<(String, Value)> {
    let mut columns: Vec<(String, Value)> = Feature::ALL
        .iter()
        .map(|feature| {
            let i = feature.index();
            let value = match feature.is_numeric() {
                true if feature.is_whole() => request.inputs.numeric[i].map_or(Value::Null, |v| Value::from(v as i64)),
                true => Value::from(request.inputs.numeric[i]),
                false => Value::from(request.inputs.categorical[i - N_NUMERIC].as_deref()),
            };
            (feature.as_str().to_owned(), value)
        })
        .collect();
    columns.push(("prediction".to_owned(), target(answer.prediction)));
    match (answer.prediction, answer.scores.as_slice()) {
        (Target::Binary(_), [.., positive]) => columns.push(("score".to_owned(), Value::from(*positive))),
        (_, scores) => columns.extend(CLASSES.iter().zip(scores).map(|(class, score)| (format!("score_{class}"), Value::from(*score)))),
    }
    columns.push(("label".to_owned(), target(request.truth)));
    columns
}

fn target(target: Target) -> Value {
    match target {
        Target::Binary(class) => Value::from(class),
        Target::Class(class) => Value::from(CLASSES[class]),
        Target::Number(value) => Value::from(value),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::settings::Task;

    fn written(format: ReferenceFormat, task: Task, n: usize) -> String {
        let mut out = Vec::new();
        write_reference(&mut out, format, &Scenario::healthy(task), 1, n).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn csv_has_the_columns_of_the_contract() {
        let text = written(ReferenceFormat::Csv, Task::Binary, 500);
        assert_eq!(
            text.lines().next().unwrap(),
            "amount,age,account_days,velocity,distance_km,hour,country,device,channel,prediction,score,label"
        );
        let mut reader = csv::Reader::from_reader(text.as_bytes());
        let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
        assert_eq!(rows.len(), 500);
        let right = rows.iter().filter(|r| r[9] == r[11]).count();
        assert!(right > 460, "{right}");
        assert!(rows.iter().any(|r| r[4].is_empty()) && rows.iter().all(|r| !r[0].is_empty()));
        assert!(rows.iter().all(|r| (r[10].parse::<f64>().unwrap() > 0.5) == (&r[9] == "1")));
    }

    #[test]
    fn json_lines_say_the_same_for_each_task() {
        for (task, keys) in [
            (Task::Binary, ["score", "label"]),
            (Task::Multiclass, ["score_low", "score_high"]),
            (Task::Regression, ["prediction", "label"]),
        ] {
            let text = written(ReferenceFormat::JsonLines, task, 10);
            assert_eq!(text.lines().count(), 10);
            for line in text.lines() {
                let row: Value = serde_json::from_str(line).unwrap();
                assert!(keys.iter().all(|key| row.get(key).is_some()), "{line}");
            }
        }
    }

    #[test]
    fn the_reference_is_no_part_of_the_traffic() {
        let first = Traffic::new(&Scenario::healthy(Task::Binary), 1).next_request(Timestamp(0));
        let amount = first.inputs.numeric[0].unwrap().to_string();
        assert!(!written(ReferenceFormat::Csv, Task::Binary, 1).contains(&amount));
        assert!(ReferenceFormat::of(Path::new("reference.parquet")).is_err());
    }
}
