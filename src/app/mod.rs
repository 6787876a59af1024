//! The wiring: what the commands run.

mod pipeline;
mod setup;

pub use pipeline::{Pipeline, PipelineState};
pub use setup::{load_config, load_references};
