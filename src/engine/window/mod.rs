//! Event-time windows: panes of one slide's length, the watermark that closes them, windows as sums of panes.

mod packed;
mod pane;
mod panes;
mod sums;
mod watermark;

pub use packed::{InputHead, OutcomeHead, Packed, PackedInput, PackedOutcome, PackedRecord, Pane};
pub use pane::{Detections, InputPane, OutcomePane, PaneUpdate, Quality, StreamKey};
pub use panes::Panes;
pub use sums::{InputSum, OutcomeSum, Sum};
pub use watermark::{Carries, Watermark, Watermarks};

#[cfg(test)]
pub(crate) mod tests;
