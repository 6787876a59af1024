//! What the source tells the engine.

use crate::edge::ingest::Batch;
use std::fmt;
use std::sync::Arc;

/// One thing that came from Kafka, in the order in which it happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SourceEvent {
    /// Messages.
    Batch(Batch),
    /// Partitions that are read from now on, and where each begins.
    Assigned(Vec<Assignment>),
    /// Partitions that are no longer read. With the `range` assignor each rebalance revokes all and assigns all again.
    Revoked(Vec<(Arc<str>, i32)>),
    /// The partition has been read to its end. Said again each second as long as that holds and the leader can be reached, so an engine may count a
    /// partition as idle when it has heard this, without a message in between, for the configured time.
    EndOfPartition {
        /// Name of the topic.
        topic: Arc<str>,
        /// Partition within the topic.
        partition: i32,
        /// The offset to be read next: all before it has been handed over. Worth keeping in the state, also where no message came.
        offset: i64,
    },
    /// Something is wrong, but the source goes on.
    Problem(SourceProblem),
    /// The consumer cannot go on; the thread ends. The daemon should snapshot and exit with an error.
    Fatal(String),
}

/// Where an assigned partition begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assignment {
    /// Name of the topic.
    pub topic: Arc<str>,
    /// Partition within the topic.
    pub partition: i32,
    /// Its first offset.
    pub from: ReadFrom,
}

/// The first offset of an assigned partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReadFrom {
    /// The state's next offset.
    State(i64),
    /// The oldest message kept; the state does not know the partition.
    Earliest,
    /// The next message; the state does not know the partition.
    Latest,
}

/// What kind of problem it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ProblemKind {
    /// No broker can be reached.
    Unreachable,
    /// The broker does not accept the credentials.
    Authentication,
    /// TLS could not be set up.
    Tls,
    /// The broker does not allow the group or a topic to this user.
    Authorization,
    /// A topic does not exist (yet).
    TopicMissing,
    /// Messages between the state's offset and the first one read are gone.
    OffsetGap,
    /// The partition begins again below the state's offset: the topic was made anew.
    OffsetsRestarted,
    /// The engine took nothing for `max.poll.interval.ms`; the partitions were lost and will be assigned again.
    PollTooLate,
    /// The offsets for lag tools could not be committed.
    CommitFailed,
    /// Anything else that librdkafka reports.
    Other,
}

impl ProblemKind {
    /// Every kind, for tables and suites.
    pub const ALL: [Self; 10] = [
        Self::Unreachable,
        Self::Authentication,
        Self::Tls,
        Self::Authorization,
        Self::TopicMissing,
        Self::OffsetGap,
        Self::OffsetsRestarted,
        Self::PollTooLate,
        Self::CommitFailed,
        Self::Other,
    ];

    /// The name used in output and metric labels.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unreachable => "unreachable",
            Self::Authentication => "authentication",
            Self::Tls => "tls",
            Self::Authorization => "authorization",
            Self::TopicMissing => "topic_missing",
            Self::OffsetGap => "offset_gap",
            Self::OffsetsRestarted => "offsets_restarted",
            Self::PollTooLate => "poll_too_late",
            Self::CommitFailed => "commit_failed",
            Self::Other => "other",
        }
    }

    /// What whoever reads the message can do about it; empty where nothing is to be done.
    pub fn advice(self) -> &'static str {
        match self {
            Self::Unreachable => "check kafka.brokers and the network; reading goes on by itself when a broker answers",
            Self::Authentication => "check kafka.properties (sasl.mechanism, sasl.username) and the file behind kafka.secrets",
            Self::Tls => "check ssl.ca.location and security.protocol in kafka.properties",
            Self::Authorization => "give this user Read and Describe on the topics and Read on the group",
            Self::TopicMissing => "create it or correct kafka.predictions and kafka.labels; reading begins by itself when it appears",
            Self::OffsetGap => "the topic's retention is shorter than the time driftd was away; windows of that time are incomplete",
            Self::OffsetsRestarted => {
                "messages up to the state's offset count as applied; move the state away to read the new topic from its start"
            }
            Self::PollTooLate => "the engine was blocked: look for a slow disk or a machine without memory or processor time",
            Self::CommitFailed => "only lag tools are affected; driftd resumes from its own state",
            Self::Other => "",
        }
    }
}

/// Something that is wrong while the source goes on. Repetitions within 30 s are counted, not told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceProblem {
    /// What kind it is.
    pub kind: ProblemKind,
    /// The topic, where it is about one.
    pub topic: Option<Arc<str>>,
    /// What librdkafka said.
    pub text: String,
    /// For [`ProblemKind::OffsetGap`] and [`ProblemKind::OffsetsRestarted`].
    pub gap: Option<OffsetGap>,
}

impl fmt::Display for SourceProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind.advice() {
            "" => f.write_str(&self.text),
            advice => write!(f, "{}; {advice}", self.text),
        }
    }
}

/// A partition whose first message was not the one the state expected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OffsetGap {
    /// Partition within the topic.
    pub partition: i32,
    /// The state's next offset.
    pub expected: i64,
    /// Offset of the first message. For a gap `found - expected` is the most that was lost: compaction and transactions leave gaps too.
    pub found: i64,
}
