//! Where a value came from.

use std::fmt;

/// Where a value came from, later layers over earlier ones.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// Nobody said it.
    Default,
    /// The configuration file: `driftd.toml:14`.
    File(String),
    /// A variable of the environment, by name.
    Environment(String),
    /// A file that a key of the configuration names (secrets): its path.
    SecretFile(String),
    /// A file of rules: its name.
    Rules(String),
    /// A `[[model.override]]` block: its key path.
    Override(String),
}

impl Origin {
    /// Whether nobody said it.
    pub fn is_default(&self) -> bool {
        matches!(self, Self::Default)
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File(place) => f.write_str(place),
            Self::Environment(variable) => write!(f, "environment {variable}"),
            Self::SecretFile(path) => write!(f, "file {path}"),
            Self::Rules(file) => write!(f, "rules {file}"),
            Self::Override(path) => write!(f, "override {path}"),
        }
    }
}
