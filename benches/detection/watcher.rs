//! driftd's own rules on the simulated streams: the reference is compiled and calibrated as `driftd reference build` does it, and every hour goes
//! through the engine's evaluator, with the built-in rules.

use crate::world::{Cell, Hour, REFERENCE_HOURS, World, is_categorical};
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
use driftd::engine::window::{InputPane, OutcomePane, Pane, PaneUpdate, Quality, StreamKey, Watermarks};
use driftd::event::{ModelKey, Scalar, Timestamp};
use std::collections::BTreeMap;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

const HOUR_MS: i64 = 3_600_000;

/// How a stream is watched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Setup {
    /// The built-in rules on hourly windows that do not overlap, as the other tools' are.
    Hourly,
    /// The built-in rules at the default slide of five minutes.
    FiveMinutes,
    /// Hourly, with a rule of one's own on the same hour of last week beside the built-in ones.
    LastWeek,
}

impl Setup {
    /// Windows that end within an hour, and so the panes of one.
    fn panes(self) -> usize {
        if self == Self::FiveMinutes { 12 } else { 1 }
    }

    /// The defaults, but for three things. The slide, as above. Throughput is switched off: the streams are not meant to have a thousand requests a second.
    /// Lateness has no say here whatever it is set to: it delays a watermark, and the evaluator is handed the watermarks themselves.
    fn configuration(self) -> String {
        let slide = if self == Self::FiveMinutes { "" } else { "[window]\nslide = \"1h\"\n" };
        let rules =
            if self == Self::LastWeek { "[rules]\nfiles = [\"alerts/default.toml\", \"benches/detection/last_week.toml\"]\n" } else { "" };
        let model = "[[model]]\nname = \"m\"\ntask = \"binary\"\n[[model.override]]\nrule = \"throughput\"\nenabled = false\n";
        format!("{slide}{rules}{model}")
    }
}

/// What is made once for a stream: settings and reference.
#[derive(Debug, Clone)]
pub(crate) struct Prepared {
    setup: Setup,
    settings: Arc<Settings>,
    reference: Arc<Reference>,
}

impl Prepared {
    /// The first two weeks of a stream as reference.
    pub(crate) fn new(world: World, hours: &[Hour]) -> Self {
        let options = LoadOptions { secrets: SecretPolicy::Required, ..LoadOptions::default() };
        let loaded = load_text(&world.setup.configuration(), Path::new("detection.toml"), &BTreeMap::new(), &options);
        let settings = Arc::new(loaded.expect("the configuration is right").config.engine);
        let table = table(world, hours);
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
        Self { setup: world.setup, settings, reference: Arc::new(reference) }
    }

    fn evaluator(&self, state: EvaluatorState) -> Evaluator {
        let mut evaluator = Evaluator::restore(Arc::clone(&self.settings), state);
        let facts = ModelFacts {
            key: ModelKey::new("m", "1"),
            settings: Arc::clone(&self.settings.models[0]),
            reference: Some(Arc::clone(&self.reference)),
            classes: self.reference.outputs.classes.as_slice().into(),
            learning: false,
        };
        evaluator.take(Published { models: vec![facts], panes: Vec::new() }, &[]);
        evaluator
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
    /// Begins at that hour of the week; the reference begins at hour 0.
    pub(crate) fn new(prepared: &Prepared, hour: usize) -> Self {
        let inputs = &prepared.reference.inputs;
        let n = inputs.len();
        let places = (0..n).map(|f| inputs.iter().position(|input| *input.name == *name(f)).expect("every feature is an input")).collect();
        Self {
            evaluator: prepared.evaluator(EvaluatorState::default()),
            prepared: prepared.clone(),
            stream: Arc::new(StreamKey { model: ModelKey::new("m", "1"), segment: None }),
            places,
            hour: (REFERENCE_HOURS + hour) as i64,
            fired: BTreeMap::new(),
        }
    }

    /// Another daemon that goes on from here, as after a restart: all windows that have ended were judged, and none overlaps the next.
    pub(crate) fn fork(&self) -> Self {
        assert_eq!(self.prepared.setup.panes(), 1, "panes of a window that has not ended are no part of the state");
        Self {
            evaluator: self.prepared.evaluator(self.evaluator.state().clone()),
            prepared: self.prepared.clone(),
            stream: Arc::clone(&self.stream),
            places: self.places.clone(),
            hour: self.hour,
            fired: self.fired.clone(),
        }
    }

    /// Shows it one hour, pane by pane; how many alerts fired in it.
    pub(crate) fn watch(&mut self, hour: &Hour) -> u64 {
        let (n, panes) = (hour.outcomes.len(), self.prepared.setup.panes());
        let length_ms = HOUR_MS / panes as i64;
        let mut fired = 0;
        for pane in 0..panes {
            let rows = n * pane / panes..n * (pane + 1) / panes;
            let start = Timestamp(self.hour * HOUR_MS + pane as i64 * length_ms);
            let end = start.plus(length_ms);
            let update = PaneUpdate {
                stream: Arc::clone(&self.stream),
                start,
                input: Some(Arc::new(self.inputs(hour, rows.clone(), start, end).pack())),
                outcome: Some(Arc::new(self.outcomes(&hour.outcomes[rows]).pack())),
            };
            self.evaluator.take(Published { models: Vec::new(), panes: vec![update] }, &[]);
            for effect in self.evaluator.advance(Watermarks { inputs: end, all: end }) {
                if let Effect::Alert(transition) = effect
                    && transition.facts.state == AlertState::Firing
                {
                    fired += 1;
                    *self.fired.entry(transition.facts.rule).or_default() += 1;
                }
            }
        }
        self.hour += 1;
        fired
    }

    fn inputs(&self, hour: &Hour, rows: Range<usize>, start: Timestamp, end: Timestamp) -> InputPane {
        let reference = &self.prepared.reference;
        let n = rows.len() as u64;
        let mut pane = InputPane { requests: n, latency_missing: n, ..InputPane::default() };
        pane.extend_span(start);
        pane.extend_span(end.minus(1));
        pane.inputs = reference.inputs.iter().map(|input| input.column.empty_counts()).collect();
        for (cells, &place) in hour.features.iter().zip(&self.places) {
            let column = &reference.inputs[place].column;
            for &cell in &cells[rows.clone()] {
                column.count(column.place(&scalar(cell)), &mut pane.inputs[place]);
            }
        }
        pane.prediction = reference.outputs.prediction.as_ref().map(|column| {
            let mut counts = column.empty_counts();
            hour.outcomes[rows].iter().for_each(|o| column.count(reference.outputs.place_class(&class(o.0)), &mut counts));
            counts
        });
        pane
    }

    fn outcomes(&self, outcomes: &[(bool, bool)]) -> OutcomePane {
        let outputs = &self.prepared.reference.outputs;
        let mut confusion = Confusion::default();
        let mut labels = outputs.label.as_ref().map(|column| column.empty_counts());
        for &(said, truth) in outcomes {
            let place = |positive| match outputs.place_class(&class(positive)) {
                Place::Slot(slot) => slot as u16,
                _ => 0,
            };
            confusion.add(place(truth), place(said));
            if let (Some(counts), Some(column)) = (&mut labels, &outputs.label) {
                column.count(outputs.place_class(&class(truth)), counts);
            }
        }
        let mut pane = OutcomePane::new(Quality::Classes(confusion), labels);
        pane.expected = outcomes.len() as u64;
        pane.labelled = pane.expected;
        (0..pane.labelled).for_each(|_| pane.delay_seconds.add(1.0));
        pane
    }
}
