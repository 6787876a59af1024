//! A reference that is learned from the first events of a version: the sample is compiled once it is complete.

use super::Shard;
use super::known::Known;
use super::model::{ModelRecord, ModelRuntime};
use super::sample::Scope;
use crate::engine::calibration::{CalibrationSpec, calibrate};
use crate::engine::catalogue::Subject;
use crate::engine::reference::compile::{CompileSpec, compile};
use crate::engine::reference::{Calibration, Reference};
use crate::engine::settings::{ColumnKind, ModelSettings};
use crate::event::{Prediction, Scalar, Status};
use std::sync::Arc;

impl Shard {
    /// Takes a prediction into the sample of its model version, where one is growing, and compiles it once it is complete.
    pub(super) fn learn_from(&mut self, model: u32, prediction: &Prediction<'_>) {
        let (record, runtime) = (&mut self.state.models[model as usize], &mut self.runtimes[model as usize]);
        let Some(learning) = record.learning.as_mut().filter(|l| !l.rows_done) else { return };
        if prediction.status == Status::Failed || !learning.push(prediction, &runtime.settings.ignore) {
            return;
        }
        // what was counted so far was counted by the reference before
        self.blocks.settle(&mut self.state.streams, &self.state.routes);
        let scope = learning.scope;
        let table = learning.table();
        let spec = spec(&runtime.settings, record);
        let Ok(compiled) = compile(&table, &spec) else {
            // nothing usable in it: the next rows may be better
            if let Some(learning) = &mut record.learning {
                learning.restart();
            }
            return;
        };
        let mut learned = compiled.reference;
        let windows = calibration_spec(&runtime.settings, self.settings.window.size_ms);
        calibrate(&mut learned, &table, &windows);
        if scope == Scope::Outputs
            && let Some(inherited) = &*record.reference
        {
            learned.id = format!("{}+{}", inherited.id, learned.id).into();
            learned.inputs.clone_from(&inherited.inputs);
            learned.encodings.clone_from(&inherited.encodings);
            learned.calibration = with_outputs(inherited.calibration.as_ref(), learned.calibration.take());
            // what the predecessor was worth stays the measure; what is normal to say, and to be true, is learned
            let of_predecessor = inherited.outputs.clone();
            learned.outputs.quality = of_predecessor.quality;
            (learned.outputs.scores, learned.outputs.losses) = (of_predecessor.scores, of_predecessor.losses);
            learned.outputs.residual = of_predecessor.residual;
        }
        if let Some(learning) = &mut record.learning {
            learning.rows_done = true;
        }
        for class in &learned.outputs.classes {
            record.classes.place(&Scalar::Text(class.as_ref().into()), usize::MAX);
        }
        learned.outputs.classes = record.classes.names().to_vec();
        record.classes.close();
        record.reference = Known::learned(learned);
        if runtime.is_ranking() {
            // its labels are no column, so none are waited for
            record.learning = None;
        }
        finish_labels(record, &runtime.settings);
        runtime.refresh(record);
    }
}

/// Takes a label into the sample of its model version, where labels are learned.
pub(super) fn learn_label(record: &mut ModelRecord, runtime: &mut ModelRuntime, label: &str) {
    let Some(sample) = &mut record.learning else { return };
    let label = match label.parse::<f64>() {
        Ok(number) if runtime.is_regression() => Scalar::Number(number),
        _ => Scalar::Text(label.into()),
    };
    if sample.push_label(&label) && sample.rows_done {
        finish_labels(record, &runtime.settings);
        runtime.refresh(record);
    }
}

/// Adds the label column to a learned reference once there are labels enough; learning is then over.
fn finish_labels(record: &mut ModelRecord, settings: &ModelSettings) {
    let Some(sample) = record.learning.as_ref().filter(|s| s.rows_done && s.has_labels()) else { return };
    let table = sample.label_table();
    if let (Ok(mut compiled), Some(reference)) = (compile(&table, &spec(settings, record)), &*record.reference) {
        // they come in the order in which they were heard, which is not that of the predictions: blocks
        calibrate(&mut compiled.reference, &table, &calibration_spec(settings, 0));
        let mut with_labels = Reference::clone(reference);
        with_labels.id = format!("{}+{}", reference.id, compiled.reference.id).into();
        with_labels.outputs.label = compiled.reference.outputs.label;
        with_labels.calibration = with_figures(with_labels.calibration.take(), compiled.reference.calibration);
        record.reference = Known::learned(with_labels);
    }
    record.learning = None;
}

/// How a learned reference is calibrated: on windows as they are judged.
fn calibration_spec(settings: &ModelSettings, window_ms: i64) -> CalibrationSpec {
    let numeric = settings.kinds.iter().filter(|(_, kind)| **kind == ColumnKind::Numeric).map(|(name, _)| Arc::clone(name)).collect();
    CalibrationSpec { window_ms, task: Some(settings.task), positive: settings.positive.clone(), numeric, costly: settings.metrics }
}

/// What the predecessor's inputs and quality vary by, and what the learned outputs do.
fn with_outputs(inherited: Option<&Calibration>, learned: Option<Calibration>) -> Option<Calibration> {
    let mut inherited = inherited.cloned();
    if let Some(calibration) = &mut inherited {
        calibration.figures.retain(|(subject, _), _| !matches!(subject, Subject::Prediction | Subject::Score | Subject::Label));
    }
    with_figures(inherited, learned)
}

/// One calibration with the figures of another one added.
fn with_figures(calibration: Option<Calibration>, more: Option<Calibration>) -> Option<Calibration> {
    match (calibration, more) {
        (Some(mut calibration), Some(more)) => {
            calibration.figures.extend(more.figures);
            Some(calibration)
        }
        (calibration, more) => calibration.or(more),
    }
}

/// How the model's settings cut a learned reference.
fn spec(settings: &ModelSettings, record: &ModelRecord) -> CompileSpec {
    let of_kind = |kind: ColumnKind| settings.kinds.iter().filter(|(_, k)| **k == kind).map(|(name, _)| Arc::clone(name)).collect();
    CompileSpec {
        cells: settings.cells,
        bins: settings.bins,
        numeric: of_kind(ColumnKind::Numeric),
        categorical: of_kind(ColumnKind::Categorical),
        text: of_kind(ColumnKind::Text),
        task: Some(settings.task),
        positive: settings.positive.clone(),
        // a single class so far: the compiler adds the other one of a binary model
        classes: if record.classes.names().len() < 2 { Vec::new() } else { record.classes.names().to_vec() },
        ..CompileSpec::default()
    }
}
