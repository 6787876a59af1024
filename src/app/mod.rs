//! The wiring: what the commands run.

mod clock;
mod daemon;
mod engine;
mod keeper;
mod pipeline;
mod publisher;
mod setup;
mod topics;

pub use daemon::{run, run_until};
pub use keeper::{Keeper, KeeperError, Opened};
pub use pipeline::{Pipeline, PipelineRecord, PipelineState, RecordError};
pub use setup::{load_config, load_references, reference_notes};
