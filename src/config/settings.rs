//! The validated configuration: plain values, one struct per part of the daemon.
//!
//! Invariant: it is built by `load` alone, and only where nothing was wrong; so a `Config` cannot be half right.

use crate::edge::decode::DecodeSettings;
use crate::edge::ingest::KafkaSettings;
use crate::edge::notify::ChannelSettings;
use crate::engine::settings::Settings;
use crate::telemetry::LogFormat;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

/// Everything driftd is told.
#[derive(Debug, Clone)]
pub struct Config {
    /// The process itself.
    pub daemon: DaemonSettings,
    /// What it says about itself.
    pub log: LogSettings,
    /// Where events come from.
    pub kafka: KafkaSettings,
    /// What an event may be.
    pub events: DecodeSettings,
    /// What the engine does with them.
    pub engine: Settings,
    /// Where notifications go: every receiver, and one named `retrain` where there is a `[retrain]`. Empty under
    /// [`SecretPolicy::Unread`](super::SecretPolicy::Unread).
    pub channels: Vec<ChannelSettings>,
    /// Directory of message templates that take the place of built-in ones.
    pub templates: Option<PathBuf>,
    /// The directory of the configuration file, from which relative paths count.
    pub base_dir: PathBuf,
}

impl Config {
    /// The place that a path of the configuration means (a reference's, for one).
    pub fn resolve(&self, path: impl AsRef<Path>) -> PathBuf {
        self.base_dir.join(path)
    }
}

/// The process itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DaemonSettings {
    /// Directory of the snapshots, already resolved.
    pub state_dir: PathBuf,
    /// Where HTTP listens.
    pub listen: SocketAddr,
    /// Time between two snapshots, in milliseconds.
    pub checkpoint_ms: i64,
    /// Longest drain when asked to stop, in milliseconds.
    pub shutdown_ms: u64,
}

/// What the process says about itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogSettings {
    /// Shape of a line.
    pub format: LogFormat,
    /// A `tracing` filter.
    pub level: String,
}
