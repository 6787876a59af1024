//! Where events come from: Kafka (the only place that names rdkafka) and files.

pub mod replay;
mod settings;
pub mod table;

pub use settings::{KafkaSettings, StartAt};
