//! What `driftd reference show` says of a calibration.

use super::show::short;
use crate::config::duration::print_duration;
use crate::engine::catalogue::{Metric, Subject};
use crate::engine::reference::{Calibration, Reference, Variation};
use comfy_table::{CellAlignment, ContentArrangement, Table, presets};
use serde_json::{Value, json};
use std::io::Write;

/// The metrics whose floors are printed; JSON has all of them.
const SHOWN: [Metric; 3] = [Metric::Psi, Metric::Ks, Metric::TotalVariation];

/// Prints the noise floor of every column, for windows of the size that it was found with.
pub(super) fn print(reference: &Reference, out: &mut dyn Write) -> anyhow::Result<()> {
    let Some(calibration) = &reference.calibration else {
        writeln!(out, "not calibrated: too few rows to see how windows differ without any change; 240 are the least")?;
        return Ok(());
    };
    let cut = match calibration.window_ms {
        0 => "blocks of consecutive rows (no column `timestamp`, or fewer than 8 windows with 30 rows)".to_owned(),
        ms => format!("windows of {}", print_duration(ms)),
    };
    writeln!(out, "calibrated on {} {cut}; noise floors, which one window in 10,000 is above without any change:", calibration.windows)?;
    let mut table = Table::new();
    table.load_style(presets::UTF8_FULL_CONDENSED).set_content_arrangement(ContentArrangement::Dynamic);
    table.set_header(["column", "values a window"].into_iter().chain(SHOWN.map(Metric::as_str)));
    for (name, subject) in columns(reference) {
        let figures = SHOWN.map(|metric| calibration.figures.get(&(subject.clone(), metric)));
        let of_vectors = calibration.figures.get(&(subject.clone(), Metric::Mmd));
        let n = figures
            .iter()
            .flatten()
            .next()
            .copied()
            .or(of_vectors)
            .map_or("rows are sorted by it".to_owned(), |figure| figure.n.to_string());
        let floors = SHOWN.iter().zip(figures).map(|(&metric, figure)| figure.map_or(String::new(), |f| floor(f, metric)));
        table.add_row([name.to_owned(), n].into_iter().chain(floors));
    }
    table.column_iter_mut().skip(1).for_each(|column| column.set_cell_alignment(CellAlignment::Right));
    writeln!(out, "{table}")?;
    Ok(())
}

/// Columns with something to compare, in the order of the table above.
fn columns(reference: &Reference) -> Vec<(&str, Subject)> {
    let outputs = &reference.outputs;
    let outputs = [
        ("prediction", &outputs.prediction, Subject::Prediction),
        ("score", &outputs.score, Subject::Score),
        ("label", &outputs.label, Subject::Label),
    ];
    let inputs = reference.inputs.iter().filter(|f| f.column.counts.valid() > 0).map(|f| (&*f.name, Subject::Feature(f.name.clone())));
    let outputs = outputs.into_iter().filter(|(_, column, _)| column.as_ref().is_some_and(|c| c.counts.valid() > 0));
    inputs.chain(outputs.map(|(name, _, subject)| (name, subject))).collect()
}

fn floor(figure: &Variation, metric: Metric) -> String {
    let normal = figure.normal(metric, figure.n, u64::MAX);
    normal.and_then(|normal| normal.noise_floor).map_or(String::new(), short)
}

/// The same for programs, every figure.
pub(super) fn to_json(calibration: &Calibration) -> Value {
    let figures = calibration.figures.iter().map(|((subject, metric), f)| {
        json!({
            "subject": subject.to_string(),
            "metric": metric.as_str(),
            "windows": f.windows,
            "n": f.n,
            "mean": f.mean,
            "std": f.std,
            "min": f.min,
            "max": f.max,
            "ceiling": f.ceiling,
        })
    });
    json!({ "window_ms": calibration.window_ms, "windows": calibration.windows, "figures": figures.collect::<Vec<_>>() })
}
