//! The wiring: what the commands run.

mod clock;
mod daemon;
mod engine;
mod pipeline;
mod publisher;
mod setup;
mod topics;

pub use daemon::{run, run_until};
pub use pipeline::{Pipeline, PipelineState};
pub use setup::{load_config, load_references};
