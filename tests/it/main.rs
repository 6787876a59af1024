//! The integration tests, in one binary. They need Java and the broker's jars (`make test` has both, see docs/DEVELOPING.md)
//! and fail, never skip, when no broker can be had.

#![expect(clippy::unwrap_used, reason = "a test stops at the first thing that is not as it should be")]

mod architecture;
mod bad_input;
mod daemon_process;
mod data_quality;
mod deliveries;
mod demo;
mod docs;
mod end_to_end;
mod estimated;
mod golden;
mod kafka_broker;
mod kafka_topics;
mod quality;
mod real_data;
mod receiver;
mod recovery;
mod support;
