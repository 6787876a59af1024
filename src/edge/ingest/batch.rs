//! Messages back to back in one buffer: one allocation for a thousand of them, and one hand-over to the engine.
//!
//! Invariant: messages of one partition stand in the order of their offsets, within a batch and from batch to batch.

use std::sync::Arc;

/// One message of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Message<'a> {
    /// Name of the topic; the same allocation for all messages of a topic.
    pub topic: &'a Arc<str>,
    /// Partition within the topic.
    pub partition: i32,
    /// Offset within the partition.
    pub offset: i64,
    /// The broker's or the producer's time, in milliseconds since 1970; `None` where the message has none.
    pub timestamp_ms: Option<i64>,
    /// The value; `None` for a tombstone.
    pub payload: Option<&'a [u8]>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Entry {
    topic: u16,
    partition: i32,
    offset: i64,
    timestamp_ms: Option<i64>,
    /// End of the value in the buffer (it begins where the one before ends).
    end: usize,
    is_tombstone: bool,
}

/// Messages that were read together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch {
    topics: Arc<[Arc<str>]>,
    entries: Vec<Entry>,
    bytes: Vec<u8>,
}

impl Batch {
    /// An empty batch of messages of these topics.
    pub fn new(topics: Arc<[Arc<str>]>) -> Self {
        Self { topics, entries: Vec::new(), bytes: Vec::new() }
    }

    /// Adds a message of the topic at place `topic` of the table given to [`Batch::new`].
    ///
    /// # Panics
    /// In [`Batch::iter`], if there is no such topic.
    pub fn push(&mut self, topic: u16, partition: i32, offset: i64, timestamp_ms: Option<i64>, payload: Option<&[u8]>) {
        self.bytes.extend_from_slice(payload.unwrap_or_default());
        self.entries.push(Entry { topic, partition, offset, timestamp_ms, end: self.bytes.len(), is_tombstone: payload.is_none() });
    }

    /// Number of messages.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is no message.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Bytes of all values.
    pub fn n_bytes(&self) -> usize {
        self.bytes.len()
    }

    /// The messages in the order in which they were read.
    pub fn iter(&self) -> impl Iterator<Item = Message<'_>> {
        self.runs().flat_map(|run| run.messages())
    }

    /// The same in runs of one partition, each as long as it goes: what is to be said of a partition need not be said for every message.
    pub fn runs(&self) -> impl Iterator<Item = Run<'_>> {
        let mut begin = 0;
        self.entries.chunk_by(|a, b| (a.topic, a.partition) == (b.topic, b.partition)).map(move |entries| {
            let run = Run { batch: self, entries, begin };
            begin = run.last().end;
            run
        })
    }
}

/// Messages of one partition that follow each other; at least one.
#[derive(Debug, Clone, Copy)]
pub struct Run<'a> {
    batch: &'a Batch,
    entries: &'a [Entry],
    /// Where the first value begins.
    begin: usize,
}

impl<'a> Run<'a> {
    fn last(&self) -> &'a Entry {
        &self.entries[self.entries.len() - 1]
    }

    /// Name of the topic.
    pub fn topic(&self) -> &'a Arc<str> {
        &self.batch.topics[usize::from(self.last().topic)]
    }

    /// Partition within the topic.
    pub fn partition(&self) -> i32 {
        self.last().partition
    }

    /// Offset behind the last message.
    pub fn next_offset(&self) -> i64 {
        self.last().offset + 1
    }

    /// The messages in the order of their offsets.
    pub fn messages(self) -> impl Iterator<Item = Message<'a>> {
        let Self { batch, entries, mut begin } = self;
        let topic = self.topic();
        entries.iter().map(move |entry| {
            let value = &batch.bytes[begin..entry.end];
            begin = entry.end;
            let payload = (!entry.is_tombstone).then_some(value);
            Message { topic, partition: entry.partition, offset: entry.offset, timestamp_ms: entry.timestamp_ms, payload }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_come_back_as_they_went_in() {
        let topics: Arc<[Arc<str>]> = vec![Arc::from("a"), Arc::from("b")].into();
        let mut batch = Batch::new(topics.clone());
        assert!(batch.is_empty());
        batch.push(0, 3, 7, Some(11), Some(b"first"));
        batch.push(1, 0, 0, None, None);
        batch.push(1, 0, 1, None, Some(b""));
        batch.push(0, 3, 9, Some(12), Some(b"last"));
        let shown: Vec<_> =
            batch.iter().map(|m| (&**m.topic, m.partition, m.offset, m.timestamp_ms, m.payload.map(<[u8]>::to_vec))).collect();
        assert_eq!(
            shown,
            [
                ("a", 3, 7, Some(11), Some(b"first".to_vec())),
                ("b", 0, 0, None, None),
                ("b", 0, 1, None, Some(Vec::new())),
                ("a", 3, 9, Some(12), Some(b"last".to_vec())),
            ]
        );
        let runs: Vec<_> = batch.runs().map(|run| (&**run.topic(), run.partition(), run.next_offset(), run.messages().count())).collect();
        assert_eq!(runs, [("a", 3, 8, 1), ("b", 0, 2, 2), ("a", 3, 10, 1)]);
        assert_eq!((batch.len(), batch.n_bytes()), (4, 9));
        assert!(Arc::ptr_eq(batch.iter().next().unwrap().topic, &topics[0]));
    }
}
