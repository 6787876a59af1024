//! What can be done to the traffic while it flows.
//!
//! A change *sets* a state, it does not add to it: applied twice it is the same as once, and the healthy value undoes it.

use super::feature::Feature;
use serde::Deserialize;
use std::fmt;

/// One change. In a scenario file: `change.shift = { feature = "amount", mean_sigma = 1.0 }`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Change {
    /// Moves a numeric input by `mean_sigma` standard deviations and stretches its spread by `scale`. Healthy: 0 and 1.
    Shift {
        /// A numeric input.
        feature: Feature,
        /// Standard deviations of the latent value.
        #[serde(default)]
        mean_sigma: f64,
        /// Factor of the latent deviation.
        #[serde(default = "one")]
        scale: f64,
    },
    /// A category the reference has never seen takes a share of a categorical input. Healthy: 0.
    NewCategory {
        /// A categorical input.
        feature: Feature,
        /// Its name.
        category: String,
        /// Share of requests (0 to 1).
        share: f64,
    },
    /// An input is missing in a share of requests. Healthy: 0 (for `distance_km` its usual 2 %).
    Nulls {
        /// Any input.
        feature: Feature,
        /// Share of requests (0 to 1).
        share: f64,
    },
    /// Labels follow another rule, and the answers' distribution moves. 0: healthy, 1: a model of the old rule falls to about 0.8 accuracy.
    Concept {
        /// 0 to 1.
        strength: f64,
    },
    /// Requests take so many times as long. Healthy: 1.
    Latency {
        /// Factor, above 0.
        factor: f64,
    },
    /// A share of requests fails. Healthy: 0.002.
    Errors {
        /// Share of requests (0 to 1).
        share: f64,
    },
    /// So many times the usual rate. Healthy: 1.
    Rate {
        /// Factor, above 0.
        factor: f64,
    },
    /// Another version takes all requests. It is trained on the concept of this moment.
    Deploy {
        /// Its name.
        version: String,
    },
}

/// A change that cannot be made.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum ChangeError {
    /// The input is of the other kind.
    #[error("{feature} is {is}, {change} needs {needs} input")]
    WrongKind {
        /// Name of the input.
        feature: &'static str,
        /// What it is.
        is: &'static str,
        /// What was asked for.
        change: &'static str,
        /// What that needs.
        needs: &'static str,
    },
    /// A number outside its range.
    #[error("{name} = {value} is out of range, give {range}")]
    OutOfRange {
        /// Name of the number.
        name: &'static str,
        /// Its value.
        value: f64,
        /// What is allowed.
        range: &'static str,
    },
    /// An empty text.
    #[error("{0} is empty")]
    Empty(&'static str),
}

impl Change {
    /// Whether the change can be made.
    pub fn check(&self) -> Result<(), ChangeError> {
        match self {
            Self::Shift { feature, mean_sigma, scale } => {
                kind(*feature, true, "shift")?;
                range("mean_sigma", *mean_sigma, -20.0..=20.0, "a number from -20 to 20")?;
                range("scale", *scale, 0.0..=100.0, "a number from 0 to 100")
            }
            Self::NewCategory { feature, category, share } => {
                kind(*feature, false, "new_category")?;
                if category.is_empty() {
                    return Err(ChangeError::Empty("category"));
                }
                is_share("share", *share)
            }
            Self::Nulls { share, .. } | Self::Errors { share } => is_share("share", *share),
            Self::Concept { strength } => is_share("strength", *strength),
            Self::Latency { factor } => range("factor", *factor, 0.001..=10_000.0, "a number from 0.001 to 10000"),
            Self::Rate { factor } => range("factor", *factor, 0.0001..=1000.0, "a number from 0.0001 to 1000"),
            Self::Deploy { version } if version.is_empty() => Err(ChangeError::Empty("version")),
            Self::Deploy { .. } => Ok(()),
        }
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Shift { feature, mean_sigma, scale } => {
                write!(f, "shift {} by {mean_sigma} deviations, spread × {scale}", feature.as_str())
            }
            Self::NewCategory { feature, category, share } => write!(f, "new category {category:?} in {share} of {}", feature.as_str()),
            Self::Nulls { feature, share } => write!(f, "{} missing in {share} of requests", feature.as_str()),
            Self::Concept { strength } => write!(f, "concept turned by {strength}"),
            Self::Latency { factor } => write!(f, "latency × {factor}"),
            Self::Errors { share } => write!(f, "{share} of requests fail"),
            Self::Rate { factor } => write!(f, "rate × {factor}"),
            Self::Deploy { version } => write!(f, "deploy {version}"),
        }
    }
}

fn one() -> f64 {
    1.0
}

fn kind(feature: Feature, numeric: bool, change: &'static str) -> Result<(), ChangeError> {
    match (feature.is_numeric(), numeric) {
        (true, false) => Err(ChangeError::WrongKind { feature: feature.as_str(), is: "numeric", change, needs: "a categorical" }),
        (false, true) => Err(ChangeError::WrongKind { feature: feature.as_str(), is: "categorical", change, needs: "a numeric" }),
        _ => Ok(()),
    }
}

fn is_share(name: &'static str, value: f64) -> Result<(), ChangeError> {
    range(name, value, 0.0..=1.0, "a share from 0 to 1")
}

fn range(name: &'static str, value: f64, allowed: std::ops::RangeInclusive<f64>, text: &'static str) -> Result<(), ChangeError> {
    // contains() is false for NaN
    if allowed.contains(&value) { Ok(()) } else { Err(ChangeError::OutOfRange { name, value, range: text }) }
}
