//! Configuration: raw layers → one validated `Config`, every problem reported at once with its key path.

pub mod duration;
mod problem;
pub mod rules;
mod threshold;

pub use problem::Problem;
pub use threshold::{parse_threshold, print_threshold};
