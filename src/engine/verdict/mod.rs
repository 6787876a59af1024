//! Rule × Measurement → Verdict: enough data, significant, material.

mod aspect;
mod enough;
mod judge;
mod rule;

pub use aspect::Aspect;
pub use enough::{NEVER_ENOUGH, need};
pub use judge::{Assessment, Scope, Significance, Standing, assess, judge};
pub use rule::{Bound, Condition, DEFAULT_ALPHA, Rule, Severity, SubjectPattern, Threshold};

#[cfg(test)]
pub(crate) mod tests;
