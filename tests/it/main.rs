//! The integration tests, in one binary. They need Java and the broker's jars (`make test` has both, see docs/DEVELOPING.md)
//! and fail, never skip, when no broker can be had.

#![expect(clippy::unwrap_used, reason = "a test stops at the first thing that is not as it should be")]

mod architecture;
mod daemon_process;
mod demo;
mod golden;
mod kafka_broker;
mod receiver;
mod support;
