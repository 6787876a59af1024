//! The engine's facts as a [`View`]: counters, latest readings, alerts, readiness.

use super::Pipeline;
use super::clock::wall_clock;
use super::keeper::KeeperError;
use super::topics::Topics;
use crate::edge::encode::Line;
use crate::edge::ingest::PartitionLag;
use crate::engine::alert::{AlertFacts, AlertState};
use crate::engine::evaluator::Effect;
use crate::engine::join::Pushed;
use crate::engine::metric::{Baseline, Measurement, Metric, Reading, Subject, Verdict};
use crate::engine::window::StreamKey;
use crate::event::{InvalidReason, RejectReason, Timestamp};
use crate::serve::{AlertPhase, AlertView, NotReady, PartitionView, ReadingView, ReadyCheck, StreamView, View, WindowView, WorstView};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// The latest readings of one stream.
#[derive(Debug)]
struct Latest {
    window: WindowView,
    readings: BTreeMap<(Subject, Metric), Measurement>,
}

/// Collects facts and publishes views of them.
#[derive(Debug)]
pub(super) struct Publisher {
    views: watch::Sender<Arc<View>>,
    view: View,
    latest: BTreeMap<StreamKey, Latest>,
    /// What is wrong by its check, and the topic where it is about one.
    not_ready: BTreeMap<(ReadyCheck, Option<Arc<str>>), NotReady>,
}

impl Publisher {
    /// Publishes to `views`; not ready until the broker has answered and partitions are assigned.
    pub(super) fn new(views: watch::Sender<Arc<View>>, environment: &str) -> Self {
        let mut not_ready = BTreeMap::new();
        for (check, reason, what_to_do) in [
            (ReadyCheck::Kafka, "no broker has answered yet", "wait, or check kafka.brokers and that the topics exist"),
            (ReadyCheck::Partitions, "no partitions are assigned yet", "wait for the consumer group; joining takes some seconds"),
        ] {
            not_ready.insert((check, None), NotReady::new(check, reason, what_to_do));
        }
        Self { views, view: View::starting(environment, wall_clock()), latest: BTreeMap::new(), not_ready }
    }

    /// Whether every measurement is logged, so that somebody may read what each of them names.
    pub(super) fn logs_measurements() -> bool {
        tracing::enabled!(target: "driftd::measurement", tracing::Level::DEBUG)
    }

    /// A check that failed is well again, but for what it says of single topics.
    pub(super) fn solved(&mut self, check: ReadyCheck) {
        self.not_ready.remove(&(check, None));
    }

    /// Kafka answers, and a topic is there.
    pub(super) fn reads(&mut self, topic: &str) {
        self.solved(ReadyCheck::Kafka);
        // nearly always there is nothing to mend, and this is called for every run of messages
        if !self.not_ready.is_empty() {
            self.not_ready.retain(|(check, about), _| *check != ReadyCheck::Kafka || about.as_deref() != Some(topic));
        }
    }

    /// Something that a person may have to mend; `topic`: where it is about one alone.
    pub(super) fn problem(&mut self, problem: NotReady, topic: Option<Arc<str>>) {
        let before = self.not_ready.insert((problem.check, topic), problem.clone());
        if before.is_none_or(|b| b.reason != problem.reason) {
            tracing::warn!(check = problem.check.as_str(), reason = %problem.reason, what_to_do = %problem.what_to_do, "not ready");
        }
    }

    /// One attempt at a receiver.
    pub(super) fn attempted(&mut self, receiver: &Arc<str>) {
        *self.view.notifications.attempts.entry(Arc::clone(receiver)).or_default() += 1;
    }

    /// What became of a checkpoint.
    pub(super) fn checkpoint(&mut self, saved: &Result<usize, KeeperError>, took: Duration) {
        let checkpoint = &mut self.view.checkpoint;
        checkpoint.total += 1;
        match saved {
            Ok(bytes) => {
                checkpoint.last_success = Some(wall_clock());
                checkpoint.duration_ms = Some(took.as_millis() as u64);
                checkpoint.size_bytes = Some(*bytes as u64);
                self.solved(ReadyCheck::Checkpoint);
            }
            Err(error) => {
                checkpoint.failures += 1;
                let what_to_do = "make room in daemon.state_dir; nothing is sent and no offset is committed until then";
                self.problem(NotReady::new(ReadyCheck::Checkpoint, error.to_string(), what_to_do), None);
            }
        }
    }

    /// Whether the last checkpoint did not reach the disk.
    pub(super) fn checkpoint_failed(&self) -> bool {
        self.not_ready.contains_key(&(ReadyCheck::Checkpoint, None))
    }

    /// Notes (and logs) an effect of the engine.
    pub(super) fn take(&mut self, effect: Effect) {
        match effect {
            Effect::Measured(measurement) => self.measured(measurement),
            Effect::Alert(transition) => {
                let facts = &transition.facts;
                log_alert(facts);
                *self.view.alert_transitions.entry((Arc::clone(&facts.rule), facts.state.as_str())).or_default() += 1;
            }
            Effect::Retrain(facts) => {
                tracing::warn!(model = %facts.alert.model, incident = %facts.alert.incident.0, reason = %facts.reason, "retraining asked for");
            }
        }
    }

    fn measured(&mut self, measurement: Measurement) {
        // the very line of `driftd replay`; built only where the filter asks for it
        tracing::debug!(target: "driftd::measurement", line = Line::measurement(&measurement).to_json(), "measured");
        self.view.last_evaluation = Some(wall_clock());
        if measurement.baseline != Baseline::Reference {
            // the view has one reading for a subject and metric: that against the reference
            return;
        }
        let key = StreamKey { model: measurement.model.clone(), segment: measurement.segment.clone() };
        let window = &measurement.window;
        let (start, end, predictions, labels) = (window.start, window.end, window.predictions, window.labels);
        let window = WindowView { start, end, predictions, labels };
        let latest = self.latest.entry(key).or_insert_with(|| Latest { window, readings: BTreeMap::new() });
        if measurement.subject == Subject::Service && measurement.metric == Metric::ErrorRate {
            let model = (Arc::clone(&measurement.model.model), Arc::clone(&measurement.model.version));
            *self.view.windows_evaluated.entry(model).or_default() += u64::from(measurement.segment.is_none());
            latest.window = window;
        }
        // windows mature out of order and are amended late: the newest one's reading is the one to show
        let place = (measurement.subject.clone(), measurement.metric);
        if latest.readings.get(&place).is_none_or(|shown| shown.window.end <= measurement.window.end) {
            latest.readings.insert(place, measurement);
        }
    }

    /// Publishes everything as it is now.
    pub(super) fn publish(&mut self, pipeline: &Pipeline, topics: &Topics, lag: Vec<PartitionLag>) {
        let view = &mut self.view;
        view.published_at = wall_clock();
        let state = pipeline.shard.state();
        let counts = state.counts();
        view.events.applied = counts.applied;
        view.events.duplicate = counts.duplicate;
        view.events.late = counts.late;
        view.events.labels_not_sampled = counts.labels_not_sampled;
        view.events.amended = counts.amended;
        let received =
            counts.received_by.iter().filter_map(|(&(topic, kind), &n)| Some(((Arc::clone(topics.name(topic)?), kind.as_str()), n)));
        view.events.received = received.collect();
        view.events.rejected = RejectReason::ALL.iter().map(|r| (r.as_str(), counts.rejected.get(r).copied().unwrap_or(0))).collect();
        view.events.values_invalid = InvalidReason::ALL.iter().map(|&r| (r.as_str(), counts.invalid_values[r as usize])).collect();
        view.join.labels_joined = counts.labels_joined;
        view.join.labels_revised = counts.revised;
        view.join.labels_waiting = pipeline.shard.in_flight();
        view.join.predictions = pipeline.shard.n_predictions() as u64;
        view.join.bytes = pipeline.shard.join_bytes() as u64;
        view.join.predictions_not_sampled = counts.predictions_not_sampled;
        let evicted = [("predictions", counts.predictions_evicted), ("labels", counts.labels_evicted)];
        let by_bound = |(store, pushed): (_, Pushed)| [((store, "number"), pushed.by_number), ((store, "bytes"), pushed.by_bytes)];
        view.join.evicted = evicted.into_iter().flat_map(by_bound).collect();
        view.segments_overflow = counts.segments_overflow;
        let watermark = pipeline.shard.watermarks().inputs;
        view.watermark = Some(watermark).filter(|&w| w != Timestamp::MIN);
        view.n_models = pipeline.evaluator.models().count() as u64;
        view.partitions = lag.into_iter().map(partition_view).collect();
        let evaluator = pipeline.evaluator.state();
        view.retrain_requests = crate::engine::alert::Admission::NAMES
            .iter()
            .map(|&name| (name, evaluator.admissions.get(name).copied().unwrap_or(0)))
            .collect();
        view.outbox.pending = evaluator.outbox.len() as u64;
        view.outbox.dropped = evaluator.outbox.dropped();
        view.outbox.cancelled = evaluator.outbox.cancelled();
        view.alerts_forgotten = evaluator.alerts.forgotten();
        view.outbox.oldest = evaluator.outbox.oldest().map(|n| n.owed_since());
        view.notifications.delivered = evaluator.outbox.delivered().map(|(r, reason, n)| ((Arc::clone(r), reason.as_str()), n)).collect();
        view.notifications.failures = evaluator.outbox.failed().map(|(r, reason, n)| ((Arc::clone(r), reason.as_str()), n)).collect();
        view.set_alerts(evaluator.alerts.active().filter_map(alert_view).collect());
        view.set_streams(self.latest.iter().map(|(key, latest)| stream_view(key, latest)).collect());
        view.not_ready = self.not_ready.values().cloned().collect();
        self.views.send_replace(Arc::new(view.clone()));
    }
}

fn partition_view(lag: PartitionLag) -> PartitionView {
    PartitionView {
        topic: lag.topic,
        partition: lag.partition,
        next_offset: lag.next_offset.unwrap_or(0),
        high_offset: Some(lag.end_offset),
    }
}

fn alert_view(facts: &AlertFacts) -> Option<AlertView> {
    let phase = match facts.state {
        AlertState::Firing => AlertPhase::Firing,
        AlertState::Pending => AlertPhase::Pending,
        AlertState::Resolved => return None,
    };
    let worst = facts.worst.iter().map(|w| WorstView {
        subject: w.subject.to_string().into(),
        metric: w.metric.as_str(),
        value: w.value,
        threshold: w.threshold,
    });
    Some(AlertView {
        rule: Arc::clone(&facts.rule),
        title: Arc::clone(&facts.title),
        severity: facts.severity.as_str(),
        model: Arc::clone(&facts.model.model),
        version: Arc::clone(&facts.model.version),
        segment: facts.segment.clone(),
        incident: Arc::clone(&facts.incident.0),
        phase,
        since: facts.since,
        worst: worst.collect(),
    })
}

fn stream_view(key: &StreamKey, latest: &Latest) -> StreamView {
    let reading = |m: &Measurement| ReadingView {
        subject: m.subject.to_string().into(),
        metric: m.metric.as_str(),
        value: match m.reading {
            Reading::Value(value) => Ok(value),
            Reading::Undefined(reason) => Err(reason.as_str()),
        },
        threshold: m.threshold,
        verdict: m.verdict.map(Verdict::as_str),
        n_current: m.n_current,
    };
    StreamView {
        model: Arc::clone(&key.model.model),
        version: Arc::clone(&key.model.version),
        segment: key.segment.clone(),
        window: latest.window,
        readings: latest.readings.values().map(reading).collect(),
    }
}

fn log_alert(facts: &AlertFacts) {
    let worst = facts.worst.first().map(|w| format!("{} {} {:.4} ({})", w.subject, w.metric.as_str(), w.value, w.threshold));
    let worst = worst.unwrap_or_default();
    tracing::warn!(
        rule = %facts.rule, state = facts.state.as_str(), model = %facts.model, segment = facts.segment.as_deref().unwrap_or(""),
        incident = %facts.incident.0, window_end = %facts.window.end, worst, "alert"
    );
}
