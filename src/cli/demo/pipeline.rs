//! The training pipeline: takes the facts of the trigger, reads that window's events back from Kafka, and deploys the next version.

use super::story::Injection;
use super::{Event, LABELS, PREDICTIONS, PROPERTIES};
use crate::edge::ingest::{Batch, KafkaSettings, KafkaSource, OffsetTable, PartitionOffset, SourceEvent, StartAt};
use crate::edge::notify::contract::{OffsetRange, RetrainData};
use anyhow::{Context, bail};
use serde::Deserialize;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, Sender};
use std::time::{Duration, Instant};

/// Longest wait for the window's events.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long the training takes at least, from the trigger on.
const TRAINING: Duration = Duration::from_secs(6);
/// Longest wait for leaving the group.
const LEAVING: Duration = Duration::from_millis(500);

/// What the pipeline found at the offsets of the trigger.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Harvest {
    /// Messages in the ranges.
    pub messages: u64,
    /// Predictions with their label.
    pub examples: u64,
    /// How many of them were right.
    pub right: u64,
}

/// A prediction or a label, as far as a training needs it here.
#[derive(Debug, Deserialize)]
struct Row {
    prediction_id: String,
    version: Option<String>,
    prediction: Option<i64>,
    label: Option<i64>,
}

/// Retrains on a thread of its own, and deploys through `injections`.
pub(super) fn start(brokers: String, trigger: RetrainData, injections: Sender<Injection>, events: Sender<Event>) -> anyhow::Result<()> {
    let run = move || {
        let began = Instant::now();
        let told = match retrain(&brokers, &trigger) {
            Ok(harvest) => events.send(Event::Harvested(harvest)),
            Err(error) => events.send(Event::Broken(format!("the pipeline: {error:#}"))),
        };
        // nobody listens any more where the demo is at its end
        if told.is_ok() {
            std::thread::sleep(TRAINING.saturating_sub(began.elapsed()));
            drop(injections.send(Injection::Deploy { version: next_version(&trigger.version) }));
        }
    };
    std::thread::Builder::new().name("pipeline".to_owned()).spawn(run).context("cannot start the pipeline")?;
    Ok(())
}

/// `v1` → `v2`.
fn next_version(version: &str) -> String {
    let digits = version.trim_start_matches(|c: char| !c.is_ascii_digit());
    match digits.parse::<u64>() {
        Ok(number) => format!("{}{}", &version[..version.len() - digits.len()], number + 1),
        Err(_) => format!("{version}-retrained"),
    }
}

/// Reads what the trigger names, and joins it.
fn retrain(brokers: &str, trigger: &RetrainData) -> anyhow::Result<Harvest> {
    let ranges: Vec<&OffsetRange> = trigger.data.predictions.iter().chain(&trigger.data.labels).collect();
    anyhow::ensure!(!ranges.is_empty(), "the trigger names no offsets");
    let begins = ranges.iter().map(|r| PartitionOffset { topic: r.topic.as_str().into(), partition: r.partition, next_offset: r.first });
    let properties = PROPERTIES.iter().map(|&(name, value)| (name.to_owned(), value.to_owned()));
    let settings = KafkaSettings {
        brokers: brokers.to_owned(),
        group: "training-pipeline".to_owned(),
        predictions: vec![PREDICTIONS.to_owned()],
        labels: vec![LABELS.to_owned()],
        start: StartAt::Latest,
        properties: properties.collect(),
        secrets: BTreeMap::new(),
    };
    let (source, events) = KafkaSource::start(&settings, Arc::new(OffsetTable::from_offsets(begins)))?;
    let mut reading = Reading { missing: ranges.into_iter().cloned().collect(), ..Reading::default() };
    let began = Instant::now();
    while !reading.missing.is_empty() {
        let left = PATIENCE.checked_sub(began.elapsed()).context("the window's events did not come in time")?;
        match events.recv_timeout(left) {
            Ok(SourceEvent::Batch(batch)) => reading.take(&batch, trigger),
            Ok(SourceEvent::Fatal(text)) => bail!("{text}"),
            Ok(_) | Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => bail!("its consumer ended"),
        }
    }
    source.stop(LEAVING);
    Ok(reading.harvest())
}

/// What has been read so far.
#[derive(Debug, Default)]
struct Reading {
    /// Ranges that have not been read to their end.
    missing: Vec<OffsetRange>,
    messages: u64,
    predictions: HashMap<String, i64>,
    labels: HashMap<String, i64>,
}

impl Reading {
    fn take(&mut self, batch: &Batch, trigger: &RetrainData) {
        for message in batch.iter() {
            let of_message = |range: &OffsetRange| *range.topic == **message.topic && range.partition == message.partition;
            let Some(place) = self.missing.iter().position(of_message) else { continue };
            let (first, last) = (self.missing[place].first, self.missing[place].last);
            if message.offset >= last {
                self.missing.swap_remove(place);
            }
            if message.offset < first || message.offset > last {
                continue;
            }
            self.messages += 1;
            let Some(row) = message.payload.and_then(|payload| serde_json::from_slice::<Row>(payload).ok()) else { continue };
            if let Some(label) = row.label {
                self.labels.insert(row.prediction_id, label);
            } else if let Some(prediction) = row.prediction.filter(|_| row.version.as_deref() == Some(&trigger.version)) {
                self.predictions.insert(row.prediction_id, prediction);
            }
        }
    }

    fn harvest(&self) -> Harvest {
        let pairs = || self.predictions.iter().filter_map(|(id, prediction)| Some((prediction, self.labels.get(id)?)));
        Harvest {
            messages: self.messages,
            examples: pairs().count() as u64,
            right: pairs().filter(|(prediction, label)| prediction == label).count() as u64,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_counted_on() {
        assert_eq!(["v1", "v9", "2026.3", "main"].map(next_version), ["v2", "v10", "2026.3-retrained", "main-retrained"]);
    }

    #[test]
    fn only_what_lies_in_the_ranges_is_read_and_joined() {
        let text = include_str!("../../../tests/data/webhooks/webhook-retrain.json");
        let trigger: crate::edge::notify::contract::CloudEvent<RetrainData> = serde_json::from_str(text).unwrap();
        let topics: Arc<[Arc<str>]> = vec![Arc::from(LABELS), Arc::from(PREDICTIONS)].into();
        let mut batch = Batch::new(topics);
        let prediction = |id: &str, class: i64| format!(r#"{{"prediction_id":"{id}","version":"v1","prediction":{class}}}"#);
        let label = |id: &str, class: i64| format!(r#"{{"prediction_id":"{id}","label":{class}}}"#);
        for (offset, id, class) in [(4, "before", 1), (5, "a", 1), (6, "b", 0), (7, "unlabelled", 0), (8, "after", 1)] {
            batch.push(1, 0, offset, None, Some(prediction(id, class).as_bytes()));
        }
        for (offset, id) in [(0, "a"), (1, "b"), (2, "before"), (3, "after")] {
            batch.push(0, 0, offset, None, Some(label(id, 1).as_bytes()));
        }
        let range = |topic: &str, first, last| OffsetRange { topic: topic.to_owned(), partition: 0, first, last };
        let missing = vec![range(PREDICTIONS, 5, 7), range(LABELS, 0, 3)];
        let mut reading = Reading { missing, ..Reading::default() };
        reading.take(&batch, &trigger.data);
        assert!(reading.missing.is_empty());
        assert_eq!(reading.harvest(), Harvest { messages: 7, examples: 2, right: 1 });
    }
}
