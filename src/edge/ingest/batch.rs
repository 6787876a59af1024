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
        let mut begin = 0;
        self.entries.iter().map(move |entry| {
            let value = &self.bytes[begin..entry.end];
            begin = entry.end;
            Message {
                topic: &self.topics[usize::from(entry.topic)],
                partition: entry.partition,
                offset: entry.offset,
                timestamp_ms: entry.timestamp_ms,
                payload: (!entry.is_tombstone).then_some(value),
            }
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
        assert_eq!((batch.len(), batch.n_bytes()), (4, 9));
        assert!(Arc::ptr_eq(batch.iter().next().unwrap().topic, &topics[0]));
    }
}
