//! What every command that runs the engine needs first.

use crate::config::{Config, LoadOptions, SecretPolicy, load_with};
use crate::edge::state::reference_file::ReferenceFile;
use crate::engine::settings::ReferencePolicy;
use crate::engine::shard::References;
use anyhow::Context as _;
use std::path::Path;
use std::sync::Arc;

/// Loads and validates a configuration; an error lists every problem. What tells nobody and reads no Kafka needs no `secrets`.
pub fn load_config(path: &Path, secrets: SecretPolicy) -> anyhow::Result<Config> {
    // a name or a value that is not UTF-8 cannot be one of ours
    let environment = std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
    Ok(load_with(path, &environment.collect(), &LoadOptions { secrets, ..LoadOptions::default() })?.config)
}

/// Loads the compiled references that the configuration names.
pub fn load_references(config: &Config) -> anyhow::Result<References> {
    let mut references = References::new();
    for model in &config.engine.models {
        let ReferencePolicy::File { path, .. } = &model.reference else { continue };
        if references.contains_key(path) {
            continue;
        }
        let file = config.resolve(&**path);
        let loaded = ReferenceFile::load(&file).with_context(|| {
            format!(
                "cannot load the reference of model {:?}; build it with `driftd reference build … --out {}`",
                model.name,
                file.display()
            )
        })?;
        references.insert(Arc::clone(path), Arc::new(loaded.reference));
    }
    Ok(references)
}
