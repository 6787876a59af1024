//! Event-time windows: panes of one slide's length, the watermark that closes them, windows as sums of panes.

mod pane;
mod watermark;

pub use pane::{Detections, InputPane, OutcomePane, PaneUpdate, Quality, StreamKey};
pub use watermark::{Carries, Watermark, Watermarks};
