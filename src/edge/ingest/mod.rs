//! Where events come from: Kafka (the only place that names rdkafka) and files.

mod batch;
mod embedded;
mod kafka;
mod producer;
pub mod replay;
mod settings;
pub mod table;

pub use batch::{Batch, Message, Run};
pub use embedded::{EmbeddedBroker, EmbeddedError};
pub use kafka::{
    Assignment, Closing, KafkaConfigError, KafkaSource, OffsetGap, OffsetTable, PartitionLag, PartitionOffset, ProblemKind, ReadFrom,
    SourceEvent, SourceProblem, SourceStatus, consumer_properties,
};
pub use producer::{Delivered, Producer, ProducerError};
pub use settings::{KafkaSettings, StartAt};
