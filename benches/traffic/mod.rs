//! The traffic of the benchmarks: the message of the comparison, its labels, a reference of the same distribution, and an engine that watches it.
//!
//! A message has 25 features (or a multiple of that): 6 amounts in cents, 6 integers, 8 numbers of full precision, and 5 categories of 2, 5, 20, 100 and
//! 1,000 values. The model is binary, right in 97 % of the cases. Nothing drifts. Everything follows from seeds.

mod driver;
mod log;
mod reference;
mod row;
mod watched;

pub(crate) use driver::Driver;
pub(crate) use log::{Log, Message, Messages};
pub(crate) use reference::write_reference;
pub(crate) use row::{Row, Rows};
pub(crate) use watched::Watched;

/// Features that repeat: as many of each kind stand in every 25.
pub(crate) const BLOCK: usize = 25;
/// First event of every log: 2026-01-05T00:00:00Z, in the past of any daemon.
pub(crate) const BEGIN_MS: i64 = 1_767_571_200_000;
/// Event time from a prediction to its label.
pub(crate) const LABEL_DELAY_MS: i64 = 60_000;
/// Requests a second of event time, all models together, where a benchmark does not say otherwise.
pub(crate) const USUAL_RATE: f64 = 100.0;

/// How long the names of features are, and so the messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Body {
    /// About 630 bytes with 25 features.
    Short,
    /// About 900 bytes with 25 features.
    Long,
}

impl Body {
    /// The name of a feature.
    pub(crate) fn feature(self, place: usize) -> String {
        match self {
            Self::Short => format!("x{place:03}"),
            Self::Long => format!("customer_x{place:05}"),
        }
    }
}

/// What is generated.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Traffic {
    pub(crate) body: Body,
    pub(crate) features: usize,
    /// Models that take turns.
    pub(crate) models: usize,
    /// Requests a second of event time, all models together.
    pub(crate) rate: f64,
}

impl Traffic {
    /// One model with 25 features.
    pub(crate) fn of(body: Body) -> Self {
        Self { body, features: BLOCK, models: 1, rate: USUAL_RATE }
    }

    pub(crate) fn features(self, features: usize) -> Self {
        Self { features, ..self }
    }

    pub(crate) fn models(self, models: usize) -> Self {
        Self { models, ..self }
    }

    pub(crate) fn rate(self, rate: f64) -> Self {
        Self { rate, ..self }
    }
}

/// The name of a model.
pub(crate) fn model(place: usize) -> String {
    format!("model-{place:04}")
}
