//! Rule × Measurement → Verdict: enough data, significant, material.

mod rule;

pub use rule::{Bound, Condition, Rule, Severity, SubjectPattern, Threshold};
