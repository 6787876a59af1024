//! A driftd that watches the traffic: a directory with a configuration and references, and what the daemon reads from it.

use super::{Driver, Traffic, model, reference};
use driftd::app::{Pipeline, load_config, load_references};
use driftd::config::{Config, SecretPolicy};
use driftd::engine::shard::References;
use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;
use tempfile::TempDir;

/// An installation: a directory with a configuration and the references that it names, and what the daemon reads from it.
#[derive(Debug, Clone)]
pub(crate) struct Watched {
    pub(crate) traffic: Traffic,
    pub(crate) config: Config,
    references: References,
    directory: Arc<TempDir>,
}

impl Watched {
    /// With these settings before the models (such as `[window]`), and the defaults beyond them.
    pub(crate) fn new(traffic: Traffic, settings: &str) -> Self {
        let directory = Arc::new(tempfile::tempdir().expect("a directory can be made"));
        let first = directory.path().join(reference_name(0));
        reference::build(traffic, &first);
        for place in 1..traffic.models {
            std::fs::hard_link(&first, directory.path().join(reference_name(place))).expect("the directory takes links");
        }
        let config = load(directory.path(), traffic, settings);
        // each model loads its own, though the bytes are the same
        let references = load_references(&config).expect("the references are there");
        Self { traffic, config, references, directory }
    }

    /// The same references under other settings, which take the place of the configuration.
    pub(crate) fn with(&self, settings: &str) -> Self {
        Self { config: load(self.directory.path(), self.traffic, settings), ..self.clone() }
    }

    /// The directory, with `driftd.toml`.
    pub(crate) fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// An empty engine.
    pub(crate) fn pipeline(&self) -> Pipeline {
        Pipeline::new(Arc::new(self.config.engine.clone()), self.config.events.clone(), self.references.clone(), 1)
    }

    /// An empty engine that is fed.
    pub(crate) fn driver(&self) -> Driver {
        Driver::new(self.pipeline())
    }
}

fn load(directory: &Path, traffic: Traffic, settings: &str) -> Config {
    let mut text = format!("{settings}\n");
    for place in 0..traffic.models {
        let (name, reference) = (model(place), reference_name(place));
        writeln!(text, "[[model]]\nname = \"{name}\"\ntask = \"binary\"\nreference = \"{reference}\"").expect("writing to a String");
    }
    let path = directory.join("driftd.toml");
    std::fs::write(&path, text).expect("the directory takes files");
    load_config(&path, SecretPolicy::Required).expect("the configuration is right")
}

fn reference_name(place: usize) -> String {
    format!("{}.reference", model(place))
}
