//! `driftd reference show`: a compiled reference for people and for programs.

use super::{ShowArgs, calibration};
use crate::edge::state::reference_file::ReferenceFile;
use crate::engine::reference::{ColumnReference, ReferenceQuality, Slots};
use comfy_table::{CellAlignment, ContentArrangement, Table, presets};
use serde_json::{Value, json};
use std::io::Write;
use std::process::ExitCode;

/// Prints a compiled reference.
pub(super) fn run(args: &ShowArgs, out: &mut dyn Write) -> anyhow::Result<ExitCode> {
    let file = ReferenceFile::load(&args.file)?;
    if args.json {
        serde_json::to_writer_pretty(&mut *out, &to_json(&file))?;
        writeln!(out)?;
    } else {
        print(&file, out)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// One column with what is printed about it.
struct Row<'a> {
    role: &'static str,
    name: &'a str,
    column: &'a ColumnReference,
    distinct: u64,
}

fn rows(file: &ReferenceFile) -> Vec<Row<'_>> {
    let (outputs, distinct) = (&file.reference.outputs, &file.distinct);
    let inputs = file.reference.inputs.iter().zip(distinct.inputs.iter().copied().chain(std::iter::repeat(0)));
    let mut rows: Vec<Row<'_>> =
        inputs.map(|(input, distinct)| Row { role: "feature", name: &input.name, column: &input.column, distinct }).collect();
    let outputs = [
        ("prediction", &outputs.prediction, distinct.prediction),
        ("score", &outputs.score, distinct.score),
        ("label", &outputs.label, distinct.label),
    ];
    for (role, column, distinct) in outputs {
        rows.extend(column.iter().map(|column| Row { role, name: role, column, distinct: distinct.unwrap_or(0) }));
    }
    rows
}

/// Remarks about a column.
fn remarks(file: &ReferenceFile, row: &Row<'_>) -> Vec<String> {
    file.notes.iter().filter(|note| note.column.as_deref() == Some(row.name)).map(|note| note.kind.to_string()).collect()
}

/// Prints a reference as text.
pub(super) fn print(file: &ReferenceFile, out: &mut dyn Write) -> anyhow::Result<()> {
    let reference = &file.reference;
    let version = file.version.as_deref().map_or(String::new(), |version| format!(", version {version}"));
    writeln!(out, "reference {} from {}{version}, {} rows, built {}", reference.id, file.source, reference.rows, file.created_at)?;
    match file.task {
        Some(task) => write!(out, "task {}", task.as_str())?,
        None => write!(out, "no prediction and no label column: inputs only")?,
    }
    if !reference.outputs.classes.is_empty() {
        write!(out, ", classes {}", reference.outputs.classes.join(", "))?;
    }
    if let Some(positive) = &file.positive {
        write!(out, ", positive {positive}")?;
    }
    let outputs = &reference.outputs;
    writeln!(out, "{}", outputs.quality.as_ref().map_or(String::new(), |found| quality(found, outputs.classes.len())))?;

    let mut table = Table::new();
    table.load_style(presets::UTF8_FULL_CONDENSED).set_content_arrangement(ContentArrangement::Dynamic);
    let header = ["column", "kind", "distinct", "slots", "bins", "missing", "mean", "std", "min", "max", "notes"];
    table.set_header(header);
    let rows = rows(file);
    for row in &rows {
        table.add_row(cells(file, row));
    }
    for column in table.column_iter_mut().skip(2).take(8) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    writeln!(out, "{table}")?;
    calibration::print(reference, out)?;
    let has_row = |name: &str| rows.iter().any(|row| row.name == name);
    for note in file.notes.iter().filter(|note| !note.column.as_deref().is_some_and(has_row)) {
        writeln!(out, "note: {note}")?;
    }
    Ok(())
}

fn cells(file: &ReferenceFile, row: &Row<'_>) -> [String; 11] {
    let column = row.column;
    let slots = match &column.slots {
        Slots::Numeric(cells) if cells.exact() => format!("{} cells", cells.n_cells()),
        Slots::Numeric(cells) => format!("~{} cells", cells.n_cells()),
        Slots::Categorical(categories) => format!("{} names", categories.kept().len()),
        Slots::Vector(dimension) => format!("{dimension} dims"),
        Slots::Hashed(buckets) => format!("{buckets} buckets"),
    };
    let moment = |f: fn(&crate::engine::reference::Moments) -> f64| column.moments.as_ref().map_or(String::new(), |m| short(f(m)));
    let missing = 100.0 * column.counts.missing as f64 / column.counts.total().max(1) as f64;
    [
        row.name.to_owned(),
        column.kind().as_str().to_owned(),
        row.distinct.to_string(),
        slots,
        column.n_bins.to_string(),
        if column.counts.missing == 0 { "0 %".to_owned() } else { format!("{missing:.2} %") },
        moment(|m| m.mean),
        moment(|m| m.std),
        moment(|m| m.min),
        moment(|m| m.max),
        remarks(file, row).join("; "),
    ]
}

/// Quality of the model on its reference, in a few words.
fn quality(quality: &ReferenceQuality, n_classes: usize) -> String {
    match quality {
        ReferenceQuality::Classes(confusion) => {
            let n = confusion.total();
            let right: u64 = confusion.matrix(n_classes).diag().sum();
            format!(", accuracy {} on {n} labelled rows", short(right as f64 / n.max(1) as f64))
        }
        ReferenceQuality::Numbers(sums) => {
            let mean = sums.absolute_error.value() / sums.n.max(1) as f64;
            format!(", mean absolute error {} on {} labelled rows", short(mean), sums.n)
        }
    }
}

/// A number in at most about eight characters.
pub(super) fn short(value: f64) -> String {
    let size = value.abs();
    if size != 0.0 && !(1e-4..1e7).contains(&size) {
        let text = format!("{value:.3e}");
        let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
        return format!("{}e{exponent}", digits.trim_end_matches('0').trim_end_matches('.'));
    }
    let digits = if size >= 1000.0 {
        1
    } else if size >= 1.0 {
        3
    } else {
        5
    };
    let text = format!("{value:.digits$}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// The same for programs.
fn to_json(file: &ReferenceFile) -> Value {
    let reference = &file.reference;
    let columns: Vec<Value> = rows(file).iter().map(|row| column_to_json(file, row)).collect();
    json!({
        "kind": "reference",
        "id": reference.id,
        "source": file.source,
        "created_at": file.created_at.to_string(),
        "version": file.version,
        "rows": reference.rows,
        "task": file.task.map(|task| task.as_str()),
        "classes": reference.outputs.classes,
        "positive": file.positive,
        "columns": columns,
        "calibration": reference.calibration.as_ref().map(calibration::to_json),
        "notes": file.notes.iter().map(ToString::to_string).collect::<Vec<_>>(),
    })
}

fn column_to_json(file: &ReferenceFile, row: &Row<'_>) -> Value {
    let (column, counts) = (row.column, &row.column.counts);
    let slots = match &column.slots {
        Slots::Numeric(cells) => json!({ "points": cells.points(), "exact": cells.exact() }),
        Slots::Categorical(categories) => {
            let names: Vec<&str> = (0..categories.n_slots()).map(|slot| categories.slot_name(slot)).collect();
            json!({ "names": names })
        }
        Slots::Vector(dimension) => json!({ "dimension": dimension }),
        Slots::Hashed(buckets) => json!({ "buckets": buckets }),
    };
    json!({
        "name": row.name,
        "role": row.role,
        "kind": column.kind().as_str(),
        "distinct": row.distinct,
        "valid": counts.valid(),
        "missing": counts.missing,
        "invalid": counts.invalid(),
        "slots": slots,
        "counts": counts.slots,
        "bins": column.bins,
        "bin_counts": column.binned(counts),
        "mean": column.moments.map(|m| m.mean),
        "std": column.moments.map(|m| m.std),
        "min": column.moments.map(|m| m.min),
        "max": column.moments.map(|m| m.max),
        "notes": remarks(file, row),
    })
}
