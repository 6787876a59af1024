//! Rule × Measurement → Verdict: enough data, significant, material.

mod aspect;
mod enough;
mod judge;
mod level;
mod rule;
mod significance;

pub use aspect::Aspect;
pub use enough::{NEVER_ENOUGH, need};
pub use judge::{Assessment, Scope, Standing, assess, judge};
pub use rule::{Bound, Condition, DEFAULT_ALPHA, Rule, Severity, SubjectPattern, Threshold};
pub use significance::Significance;

#[cfg(test)]
pub(crate) mod tests;
