//! driftd watches machine-learning models in production.
//!
//! The map of the house (docs/ARCHITECTURE.md has the plan):
//! Kafka ─► `edge::ingest` ─► `edge::decode` ─► `engine` (join ─► pane ═► window ─► metric ─► verdict ─► alert ─► outbox) ─► `edge::notify`.
//! One snapshot (`edge::state`) holds it all; `serve` shows an immutable view of it; `app` wires, `cli` commands.

pub mod edge;
pub mod engine;
pub mod event;
pub mod stats;

pub mod config;
pub mod serve;
pub mod telemetry;

pub mod app;
pub mod cli;
