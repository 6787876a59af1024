//! Where the events go: files, or two Kafka topics.

use super::schedule::Message;
use anyhow::Context;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

/// Takes events in order of time.
pub(super) trait Sink {
    /// Takes a prediction event.
    fn prediction(&mut self, message: &Message) -> anyhow::Result<()>;
    /// Takes a label event.
    fn label(&mut self, message: &Message) -> anyhow::Result<()>;
    /// Brings everything taken to its place.
    fn finish(&mut self) -> anyhow::Result<()>;
}

/// Two files of one event a line.
#[derive(Debug)]
pub(super) struct FileSink {
    predictions: Option<BufWriter<File>>,
    labels: Option<BufWriter<File>>,
}

impl FileSink {
    /// Creates the files, and empties those that exist; an event whose file is not asked for is left out.
    pub(super) fn create(predictions: Option<&Path>, labels: Option<&Path>) -> anyhow::Result<Self> {
        Ok(Self { predictions: predictions.map(create).transpose()?, labels: labels.map(create).transpose()? })
    }
}

/// Creates a file for writing, with its path in the error.
pub(super) fn create(path: &Path) -> anyhow::Result<BufWriter<File>> {
    Ok(BufWriter::new(File::create(path).with_context(|| format!("cannot create {}", path.display()))?))
}

impl Sink for FileSink {
    fn prediction(&mut self, message: &Message) -> anyhow::Result<()> {
        write_line(&mut self.predictions, message)
    }

    fn label(&mut self, message: &Message) -> anyhow::Result<()> {
        write_line(&mut self.labels, message)
    }

    fn finish(&mut self) -> anyhow::Result<()> {
        for file in [&mut self.predictions, &mut self.labels].into_iter().flatten() {
            file.flush().context("cannot write to the end")?;
        }
        Ok(())
    }
}

fn write_line(file: &mut Option<BufWriter<File>>, message: &Message) -> anyhow::Result<()> {
    if let Some(file) = file {
        file.write_all(message.line.as_bytes()).and_then(|()| file.write_all(b"\n")).context("cannot write an event")?;
    }
    Ok(())
}

/// What a Kafka producer must be able to do here.
pub(super) trait Publish {
    /// Hands a message over; waits while the producer's queue is full. The partition follows from the key.
    fn publish(&mut self, topic: &str, key: &[u8], payload: &[u8]) -> anyhow::Result<()>;
    /// Waits until the broker has everything, and says what it refused.
    fn flush(&mut self) -> anyhow::Result<()>;
}

/// Two topics, both partitioned by `prediction_id`.
#[derive(Debug)]
pub(super) struct TopicSink<P> {
    producer: P,
    predictions: String,
    labels: String,
}

impl<P: Publish> TopicSink<P> {
    /// Sends to these topics.
    pub(super) fn new(producer: P, predictions: impl Into<String>, labels: impl Into<String>) -> Self {
        Self { producer, predictions: predictions.into(), labels: labels.into() }
    }
}

impl<P: Publish> Sink for TopicSink<P> {
    fn prediction(&mut self, message: &Message) -> anyhow::Result<()> {
        self.producer.publish(&self.predictions, message.key.as_bytes(), message.line.as_bytes())
    }

    fn label(&mut self, message: &Message) -> anyhow::Result<()> {
        self.producer.publish(&self.labels, message.key.as_bytes(), message.line.as_bytes())
    }

    fn finish(&mut self) -> anyhow::Result<()> {
        self.producer.flush()
    }
}
