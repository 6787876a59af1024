//! What the logs are told.

use serde::{Deserialize, Serialize};

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogFormat {
    /// One readable line an entry.
    #[default]
    Text,
    /// One JSON object a line, fields at the top level.
    Json,
}

impl LogFormat {
    /// Every format, for tables and suites.
    pub const ALL: [Self; 2] = [Self::Text, Self::Json];

    /// The name used in configuration.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Json => "json",
        }
    }
}
