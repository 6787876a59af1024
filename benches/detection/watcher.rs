//! driftd's own rules on the simulated streams: the reference is compiled and calibrated as `driftd reference build` does it, and every hour goes
//! through the engine's evaluator, with the built-in rules.

use crate::world::{Cell, Hour, REFERENCE_HOURS, Stream, World, is_categorical};
use driftd::config::{LoadOptions, SecretPolicy, load_text};
use driftd::engine::alert::AlertState;
use driftd::engine::calibration::{CalibrationSpec, calibrate};
use driftd::engine::catalogue::MetricSet;
use driftd::engine::evaluator::{Effect, Evaluator, EvaluatorState};
use driftd::engine::published::{ModelFacts, Published};
use driftd::engine::reference::compile::{CompileSpec, compile};
use driftd::engine::reference::table::{Column, Table};
use driftd::engine::reference::{Place, Reference};
use driftd::engine::settings::{Settings, Task};
use driftd::engine::summary::Confusion;
use driftd::engine::window::{InputPane, OutcomePane, PaneUpdate, Quality, StreamKey, Watermarks};
use driftd::event::{ModelKey, Scalar, Timestamp};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

pub(crate) const HOUR_MS: i64 = 3_600_000;

/// The built-in rules at hourly windows. Throughput is switched off: the streams are not meant to have a thousand requests a second.
const CONFIGURATION: &str = r#"
[window]
size = "1h"
slide = "1h"
lateness = "0s"
[[model]]
name = "m"
task = "binary"
[[model.override]]
rule = "throughput"
enabled = false
"#;

/// What is made once for a stream: settings and reference.
#[derive(Debug, Clone)]
pub(crate) struct Prepared {
    pub(crate) settings: Arc<Settings>,
    pub(crate) reference: Arc<Reference>,
    pub(crate) hours: Arc<Vec<Hour>>,
}

impl Prepared {
    /// Two weeks of a stream as reference.
    pub(crate) fn new(world: World, seed: u64) -> Self {
        let mut stream = Stream::new(world, seed);
        let hours: Vec<Hour> = (0..REFERENCE_HOURS).map(|_| stream.next_hour(crate::world::Change::None)).collect();
        let options = LoadOptions { secrets: SecretPolicy::Required, ..LoadOptions::default() };
        let loaded = load_text(CONFIGURATION, Path::new("detection.toml"), &BTreeMap::new(), &options).expect("the configuration is right");
        let settings = Arc::new(loaded.config.engine);
        let table = table(world, &hours);
        let spec = CompileSpec { task: Some(Task::Binary), positive: Some("1".into()), ..CompileSpec::default() };
        let mut reference = compile(&table, &spec).expect("the table is a reference").reference;
        let spec = CalibrationSpec {
            window_ms: HOUR_MS,
            task: spec.task,
            positive: spec.positive,
            numeric: Vec::new(),
            costly: MetricSet::default(),
        };
        calibrate(&mut reference, &table, &spec);
        Self { settings, reference: Arc::new(reference), hours: Arc::new(hours) }
    }
}

fn scalar(cell: Cell) -> Scalar<'static> {
    match cell {
        Cell::Null => Scalar::Null,
        Cell::Number(number) => Scalar::Number(number),
        Cell::Name(name) => Scalar::Text(name.into()),
    }
}

fn class(positive: bool) -> Scalar<'static> {
    Scalar::Text(if positive { "1" } else { "0" }.into())
}

/// The reference's rows as the reader of a file would hand them on.
fn table(world: World, hours: &[Hour]) -> Table {
    let mut columns: Vec<Column> = (0..world.features)
        .map(|place| {
            let cells = hours.iter().flat_map(|hour| hour.features[place].iter().map(|&cell| scalar(cell)));
            Column::of(name(place), cells).within_features()
        })
        .collect();
    columns.push(Column::of("prediction", hours.iter().flat_map(|hour| hour.outcomes.iter().map(|o| class(o.0)))));
    columns.push(Column::of("label", hours.iter().flat_map(|hour| hour.outcomes.iter().map(|o| class(o.1)))));
    let times = hours.iter().enumerate().flat_map(|(h, hour)| {
        let n = hour.outcomes.len() as i64;
        (0..n).map(move |row| Scalar::Number((h as i64 * HOUR_MS + row * HOUR_MS / n) as f64))
    });
    Table { times: Column::of("timestamp", times).values, ..Table::new(columns) }
}

fn name(place: usize) -> String {
    let kind = if is_categorical(place) { "c" } else { "x" };
    format!("{kind}{place:03}")
}

/// A daemon's evaluator on one stream.
#[derive(Debug)]
pub(crate) struct Watcher {
    prepared: Prepared,
    evaluator: Evaluator,
    stream: Arc<StreamKey>,
    /// Place of each simulated feature among the inputs of the reference.
    places: Vec<usize>,
    hour: i64,
    /// Firing alerts so far, by rule.
    pub(crate) fired: BTreeMap<Arc<str>, u64>,
}

impl Watcher {
    pub(crate) fn new(prepared: &Prepared) -> Self {
        let key = ModelKey::new("m", "1");
        let mut evaluator = Evaluator::restore(Arc::clone(&prepared.settings), EvaluatorState::default());
        let classes: Arc<[Arc<str>]> = prepared.reference.outputs.classes.as_slice().into();
        let facts = ModelFacts {
            key: key.clone(),
            settings: Arc::clone(&prepared.settings.models[0]),
            reference: Some(Arc::clone(&prepared.reference)),
            classes,
            learning: false,
        };
        evaluator.take(Published { models: vec![facts], panes: Vec::new() }, &[]);
        let inputs = &prepared.reference.inputs;
        let n = inputs.len();
        let places = (0..n).map(|f| inputs.iter().position(|input| *input.name == *name(f)).expect("every feature is an input")).collect();
        Self {
            prepared: prepared.clone(),
            evaluator,
            stream: Arc::new(StreamKey { model: key, segment: None }),
            places,
            // the live stream goes on at the same hour of the week at which the reference began
            hour: REFERENCE_HOURS as i64,
            fired: BTreeMap::new(),
        }
    }

    /// Shows it one hour; how many alerts fired by it.
    pub(crate) fn watch(&mut self, hour: &Hour) -> u64 {
        let start = Timestamp(self.hour * HOUR_MS);
        self.hour += 1;
        let end = Timestamp(self.hour * HOUR_MS);
        let update = PaneUpdate {
            stream: Arc::clone(&self.stream),
            start,
            input: Some(Arc::new(self.inputs(hour, start))),
            outcome: Some(Arc::new(self.outcomes(hour))),
        };
        self.evaluator.take(Published { models: Vec::new(), panes: vec![update] }, &[]);
        let mut fired = 0;
        for effect in self.evaluator.advance(Watermarks { inputs: end, all: end }) {
            if let Effect::Alert(transition) = effect
                && transition.facts.state == AlertState::Firing
            {
                fired += 1;
                *self.fired.entry(transition.facts.rule).or_default() += 1;
            }
        }
        fired
    }

    fn inputs(&self, hour: &Hour, start: Timestamp) -> InputPane {
        let reference = &self.prepared.reference;
        let n = hour.outcomes.len() as u64;
        let mut pane = InputPane { requests: n, latency_missing: n, ..InputPane::default() };
        pane.extend_span(start);
        pane.extend_span(start.plus(HOUR_MS - 1));
        pane.inputs = reference.inputs.iter().map(|input| input.column.empty_counts()).collect();
        for (cells, &place) in hour.features.iter().zip(&self.places) {
            let column = &reference.inputs[place].column;
            for &cell in cells {
                column.place(&scalar(cell)).count(&mut pane.inputs[place]);
            }
        }
        pane.prediction = reference.outputs.prediction.as_ref().map(|column| {
            let mut counts = column.empty_counts();
            hour.outcomes.iter().for_each(|o| reference.outputs.place_class(&class(o.0)).count(&mut counts));
            counts
        });
        pane
    }

    fn outcomes(&self, hour: &Hour) -> OutcomePane {
        let outputs = &self.prepared.reference.outputs;
        let mut confusion = Confusion::default();
        let mut labels = outputs.label.as_ref().map(|column| column.empty_counts());
        for &(said, truth) in &hour.outcomes {
            let place = |positive| match outputs.place_class(&class(positive)) {
                Place::Slot(slot) => slot as u16,
                _ => 0,
            };
            confusion.add(place(truth), place(said));
            if let Some(counts) = &mut labels {
                outputs.place_class(&class(truth)).count(counts);
            }
        }
        let mut pane = OutcomePane::new(Quality::Classes(confusion), labels);
        pane.expected = hour.outcomes.len() as u64;
        pane.labelled = pane.expected;
        (0..pane.labelled).for_each(|_| pane.delay_seconds.add(1.0));
        pane
    }
}
