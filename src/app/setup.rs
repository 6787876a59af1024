//! What every command that runs the engine needs first.

use crate::config::duration::print_duration;
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

/// What is worth knowing of references that hold: those whose noise was measured on windows of another length than those that are judged. A live window
/// scales it by its number of values, but longer windows hide what differs within them, and shorter ones show it.
pub fn reference_notes(config: &Config, references: &References) -> Vec<String> {
    let size_ms = config.engine.window.size_ms;
    let calibrated = references.iter().filter_map(|(path, reference)| Some((path, reference.calibration.as_ref()?.window_ms)));
    let other = calibrated.filter(|&(_, window_ms)| window_ms != 0 && window_ms != size_ms).map(|(path, window_ms)| {
        let (of_reference, size) = (print_duration(window_ms), print_duration(size_ms));
        format!("the noise of {path} was measured on windows of {of_reference}, but window.size is {size}: build it with --window {size}")
    });
    other.collect()
}
