//! A script for the whole engine: events at times, then what came of them.

use crate::engine::catalogue::MetricSet;
use crate::engine::evaluator::{Effect, Evaluator, EvaluatorState};
use crate::engine::metric::{Measurement, Metric, Subject};
use crate::engine::part::Parts;
use crate::engine::settings::*;
use crate::engine::shard::{Counts, References, Shard, ShardRecord};
use crate::engine::verdict::{Bound, Condition, Rule, Severity, SubjectPattern, Threshold};
use crate::engine::window::Carries;
use crate::event::*;
use std::sync::Arc;

/// One second of the script's time.
pub(crate) const SECOND: i64 = 1000;
const PREDICTIONS: &str = "predictions";
const LABELS: &str = "labels";

/// Shard and evaluator, driven by hand.
pub(super) struct Script {
    pub(super) shard: Shard,
    pub(super) evaluator: Evaluator,
    pub(super) effects: Vec<Effect>,
    settings: Arc<Settings>,
    references: References,
    now: Timestamp,
    offsets: [i64; 2],
}

/// A rule with one condition.
pub(super) fn rule(name: &str, subject: SubjectPattern, metric: Metric, bound: Bound) -> Arc<Rule> {
    let condition = Condition { min_events: 10, ..Condition::new(subject, metric, bound) };
    Arc::new(Rule { retrain: true, resolve_level: 1.0, ..Rule::new(name, vec![condition]) })
}

/// Windows of 10 s, slides of 5 s, no lateness; labels judged at 90 % or after 60 s.
pub(super) fn settings() -> Settings {
    let low_accuracy =
        rule("accuracy", SubjectPattern::Exactly(Subject::Quality), Metric::Accuracy, Bound::Below(Threshold::Absolute(0.9)));
    Settings {
        window: WindowSettings {
            size_ms: 10 * SECOND,
            slide_ms: 5 * SECOND,
            lateness_ms: 0,
            idle_ms: 2 * SECOND,
            max_future_ms: 60 * SECOND,
        },
        join: JoinSettings {
            horizon_ms: 60 * SECOND,
            keep_ms: 600 * SECOND,
            mature_coverage: 0.9,
            max_predictions: 10_000,
            max_labels: 1_000,
            max_bytes: 1 << 30,
            sample: 1.0,
        },
        limits: Limits { models: 4, segments: 2, classes: 10 },
        models: vec![Arc::new(ModelSettings {
            name: "m*".into(),
            task: Task::Binary,
            positive: Some("1".into()),
            classes: vec!["0".into(), "1".into()],
            reference: ReferencePolicy::Learn { rows: 50 },
            new_version: NewVersion::Learn { rows: 50 },
            cells: 16,
            bins: 10,
            kinds: Default::default(),
            segments: Vec::new(),
            ignore: Vec::new(),
            metrics: MetricSet::usual(),
            estimate: true,
            k: DEFAULT_K,
            beta: DEFAULT_BETA,
            costs: None,
            decision_thresholds: Vec::new(),
            detectors: DetectorSettings::default(),
            rules: vec![low_accuracy],
        })],
        alerting: AlertSettings {
            environment: "test".into(),
            receivers: vec![ReceiverSettings { name: "team".into(), min_severity: Severity::Info, send_resolved: true }],
            retrain: Some(RetrainSettings { receiver: "retrain".into(), cooldown_ms: 600 * SECOND, daily_budget: 3, min_labels: 10 }),
            max_outbox: 100,
        },
    }
}

impl Script {
    pub(super) fn new(settings: Settings) -> Self {
        Self::with_references(settings, References::new())
    }

    /// The same with reference files.
    pub(super) fn with_references(settings: Settings, references: References) -> Self {
        let settings = Arc::new(settings);
        let shard = Shard::new(Arc::clone(&settings), references.clone(), 7);
        let evaluator = Evaluator::restore(Arc::clone(&settings), EvaluatorState::default());
        let mut script = Self { shard, evaluator, effects: Vec::new(), settings, references, now: Timestamp(0), offsets: [0, 0] };
        script.assign();
        script
    }

    fn assign(&mut self) {
        for (topic, carries) in
            [(PREDICTIONS, Carries { predictions: true, labels: false }), (LABELS, Carries { predictions: false, labels: true })]
        {
            let topic = self.shard.topic(topic, carries).unwrap();
            self.shard.assign(PartitionId { topic, partition: 0 }, self.now);
        }
    }

    fn position(&mut self, topic: u16) -> Position {
        let offset = self.offsets[usize::from(topic)];
        self.offsets[usize::from(topic)] += 1;
        Position { partition: PartitionId { topic: TopicId(topic), partition: 0 }, offset }
    }

    /// A prediction made `at` these milliseconds, which is also when it comes.
    pub(super) fn predict(&mut self, id: &str, version: &str, at: i64, prediction: &str, features: &[(&str, Scalar<'static>)]) {
        self.event(0, &predicted(id, version, at, prediction, features));
    }

    /// A prediction that comes `at` these milliseconds, of a clock that is `ahead`.
    pub(super) fn predict_ahead(&mut self, id: &str, at: i64, ahead: i64) {
        self.now = self.now.max(Timestamp(at));
        self.apply(0, &predicted(id, "v1", at + ahead, "1", &[]));
    }

    /// A prediction with a score, or with a score for each class.
    pub(super) fn predict_scored(
        &mut self,
        id: &str,
        at: i64,
        prediction: Scalar<'static>,
        score: Scalar<'static>,
        scores: &[(&str, f64)],
    ) {
        let Event::Prediction(mut scored) = predicted(id, "v1", at, "", &[]) else { return };
        (scored.prediction, scored.score) = (prediction, score);
        scored.scores = scores.iter().map(|(class, score)| ((*class).to_owned().into(), Scalar::Number(*score))).collect();
        self.event(0, &Event::Prediction(scored));
    }

    /// A request that failed `at` these milliseconds.
    pub(super) fn fail(&mut self, id: &str, at: i64) {
        let Event::Prediction(mut failed) = predicted(id, "v1", at, "1", &[]) else { return };
        (failed.status, failed.prediction) = (Status::Failed, Scalar::Null);
        self.event(0, &Event::Prediction(failed));
    }

    /// A label that becomes known `at` these milliseconds.
    pub(super) fn label(&mut self, id: &str, at: i64, label: &str) {
        self.label_of(id, at, text(label));
    }

    /// The same, of any type.
    pub(super) fn label_of(&mut self, id: &str, at: i64, label: Scalar<'static>) {
        let event = Event::Label(Label { prediction_id: id.to_owned().into(), label, timestamp: Timestamp(at), model: None });
        self.event(1, &event);
    }

    /// Any event, now or later.
    pub(super) fn event(&mut self, topic: u16, event: &Event<'_>) {
        self.now = self.now.max(event.timestamp());
        self.apply(topic, event);
    }

    fn apply(&mut self, topic: u16, event: &Event<'_>) {
        let position = self.position(topic);
        assert!(self.shard.begin(position, self.now));
        self.shard.apply(event, position, self.now);
        self.turn();
    }

    /// Lets time pass with nothing coming.
    pub(super) fn silence(&mut self, until: i64) {
        while self.now < Timestamp(until) {
            self.now = self.now.plus(SECOND);
            for topic in 0..2 {
                self.shard.reached_end(PartitionId { topic: TopicId(topic), partition: 0 }, self.offsets[usize::from(topic)], self.now);
            }
            self.turn();
        }
    }

    fn turn(&mut self) {
        let marks = self.shard.advance();
        if let Some(published) = self.shard.publish() {
            self.evaluator.take(published, &self.shard.state().topic_names());
            self.effects.extend(self.evaluator.advance(marks));
        }
    }

    /// Ends the log.
    pub(super) fn finish(&mut self) {
        self.shard.finish();
        if let Some(published) = self.shard.publish() {
            self.evaluator.take(published, &self.shard.state().topic_names());
        }
        self.effects.extend(self.evaluator.finish());
    }

    /// The same with other settings.
    pub(super) fn restart_with(&mut self, settings: Settings) {
        self.settings = Arc::new(settings);
        self.restart();
    }

    /// The same where the settings no longer fit the state, which is noted so many times.
    pub(super) fn restart_with_notes(&mut self, settings: Settings, n_notes: usize) {
        self.settings = Arc::new(settings);
        assert_eq!(self.begin_anew(), n_notes);
    }

    /// Stops the process and starts it again from its state, as bytes.
    pub(super) fn restart(&mut self) {
        assert_eq!(self.begin_anew(), 0);
    }

    /// Bytes of the shard in a snapshot.
    pub(super) fn written_bytes(&mut self) -> usize {
        let mut parts = Parts::new(&|_| false);
        let record = postcard::to_stdvec(&self.shard.record(&mut parts)).unwrap();
        record.len() + parts.into_parts().iter().filter_map(|part| part.bytes.as_ref()).map(|bytes| bytes.len()).sum::<usize>()
    }

    fn begin_anew(&mut self) -> usize {
        let mut parts = Parts::new(&|_| false);
        let record = postcard::to_stdvec(&self.shard.record(&mut parts)).unwrap();
        let shard = postcard::from_bytes::<ShardRecord<'_>>(&record).unwrap().open(&parts.into_source()).unwrap();
        let evaluator: EvaluatorState = postcard::from_bytes(&postcard::to_stdvec(self.evaluator.state()).unwrap()).unwrap();
        assert_eq!(evaluator, *self.evaluator.state());
        let (shard, notes) = Shard::restore(shard, Arc::clone(&self.settings), self.references.clone());
        self.shard = shard;
        self.evaluator = Evaluator::restore(Arc::clone(&self.settings), evaluator);
        if let Some(published) = self.shard.publish() {
            self.evaluator.take(published, &self.shard.state().topic_names());
        }
        self.assign();
        notes.len()
    }

    pub(super) fn counts(&self) -> &Counts {
        self.shard.state().counts()
    }

    pub(super) fn measurements(&self) -> impl Iterator<Item = &Measurement> {
        self.effects.iter().filter_map(|e| if let Effect::Measured(m) = e { Some(m) } else { None })
    }

    /// The last reading of a metric in the window that starts `at`.
    pub(super) fn reading(&self, at: i64, subject: &Subject, metric: Metric) -> Option<f64> {
        let fits = |m: &&Measurement| m.window.start == Timestamp(at) && m.subject == *subject && m.metric == metric && m.segment.is_none();
        self.measurements().filter(fits).last()?.reading.value()
    }

    /// State and version of every alert step, in order.
    pub(super) fn alerts(&self) -> Vec<(&'static str, String)> {
        let step = |e: &Effect| match e {
            Effect::Alert(t) => Some((t.facts.state.as_str(), t.facts.model.version.to_string())),
            _ => None,
        };
        self.effects.iter().filter_map(step).collect()
    }
}

pub(super) fn text(value: &str) -> Scalar<'static> {
    Scalar::Text(value.to_owned().into())
}

pub(crate) fn predicted(id: &str, version: &str, at: i64, prediction: &str, features: &[(&str, Scalar<'static>)]) -> Event<'static> {
    Event::Prediction(Prediction {
        id: id.to_owned().into(),
        model: "model".into(),
        version: version.to_owned().into(),
        timestamp: Timestamp(at),
        features: features.iter().map(|(name, value)| ((*name).to_owned().into(), value.clone())).collect(),
        prediction: text(prediction),
        score: Scalar::Null,
        scores: Vec::new(),
        latency_ms: Scalar::Number(5.0),
        status: Status::Ok,
    })
}
