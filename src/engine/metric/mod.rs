//! Reference × Window → Measurement.

mod measurement;
mod name;

pub use measurement::{Measurement, Reading, Subject, UndefinedReason, Verdict, WindowFacts};
pub use name::Metric;
