//! Configuration: raw layers → one validated [`Config`], every problem reported at once with its key path.
//!
//! The way: `layers` (file and environment, by the `config` crate) → `reader` (typed keys; each call names kind, default and meaning)
//! → `sections`, `model`, `overrides`, `receiver` (what the keys mean together) → `load`. From the same calls come `effective`
//! (what is in force, and why) and the reference page docs/CONFIGURATION.md.
//! It reads files, and nothing else of the world: the environment is an argument.

mod class;
mod costs;
mod detectors;
pub mod duration;
mod effective;
mod kafka;
mod layers;
mod load;
mod model;
mod origin;
mod overrides;
mod page;
mod problem;
mod raw;
mod reader;
mod receiver;

pub mod rule_test;
pub mod rules;
mod secret;
mod sections;
mod settings;
mod suggest;
mod threshold;

#[cfg(test)]
mod tests;

pub use class::canonical_class;
pub use effective::Effective;
pub use layers::SyntaxError;
pub use load::{Finding, LoadError, LoadOptions, Loaded, load, load_text, load_with};
pub use origin::Origin;
pub use page::reference_page;
pub use problem::Problem;
pub use secret::SecretPolicy;
pub use settings::{Config, DaemonSettings, LogSettings};
pub use threshold::{parse_threshold, print_threshold};

/// Name of the built-in rules in messages and origins.
pub const DEFAULT_RULES_ORIGIN: &str = "alerts/default.toml";
