//! The demo's directory: the reference, the secrets and the configuration with which the daemon is started. Removed at the end unless it was asked for.

use crate::cli::generate::{ReferenceFormat, Scenario, write_reference};
use crate::cli::reference::{CompileArgs, compile_input};
use crate::config::load;
use crate::engine::settings::Task;
use anyhow::Context;
use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{BufWriter, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Rows of the reference.
const REFERENCE_ROWS: usize = 20_000;
/// Length of a window.
const WINDOW: Duration = Duration::from_secs(4);

/// The directory.
#[derive(Debug)]
pub(super) struct Place {
    path: PathBuf,
    is_kept: bool,
}

/// What the configuration must say of this run.
pub(super) struct Addresses<'a> {
    /// `host:port` of the broker.
    pub brokers: &'a str,
    /// `http://host:port` of the receivers.
    pub receivers: &'a str,
}

/// What only the daemon and its receivers know.
#[derive(Clone)]
pub(super) struct Secrets {
    /// PagerDuty's integration key.
    pub routing_key: String,
    /// The key that signs retraining triggers.
    pub signing_key: String,
}

impl Place {
    /// The directory that was asked for, or a temporary one.
    pub(super) fn open(asked: Option<&Path>) -> anyhow::Result<Self> {
        let (path, is_kept) = match asked {
            Some(path) => (path.to_owned(), true),
            None => (std::env::temp_dir().join(format!("driftd-demo-{}", std::process::id())), false),
        };
        let made = fs::DirBuilder::new().recursive(is_kept).mode(0o700).create(&path);
        made.with_context(|| format!("cannot make the directory {}", path.display()))?;
        // the daemon is told by its configuration's directory where everything is
        let path = path.canonicalize().with_context(|| format!("cannot use the directory {}", path.display()))?;
        let place = Self { path, is_kept };
        let in_use = is_kept && fs::read_dir(&place.path)?.next().is_some();
        anyhow::ensure!(!in_use, "{} is not empty; give --dir an empty or a new directory", place.path.display());
        Ok(place)
    }

    /// A file in it.
    pub(super) fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// Whether it stays.
    pub(super) fn is_kept(&self) -> bool {
        self.is_kept
    }

    /// Makes the reference of the healthy model and compiles it, as `driftd reference build` does.
    pub(super) fn write_reference(&self, scenario: &Scenario, seed: u64) -> anyhow::Result<()> {
        let (rows, compiled) = (self.file("reference.csv"), self.file("fraud.reference"));
        let mut out = BufWriter::new(File::create(&rows).with_context(|| format!("cannot write {}", rows.display()))?);
        write_reference(&mut out, ReferenceFormat::Csv, scenario, seed, REFERENCE_ROWS)?;
        drop(out);
        let args =
            CompileArgs { task: Some(Task::Binary), positive: Some("1".into()), version: Some("v1".into()), ..CompileArgs::default() };
        Ok(compile_input(&rows, &args, WINDOW)?.save(&compiled)?)
    }

    /// Writes the secrets and the configuration, and reads it as the daemon will.
    pub(super) fn write_configuration(&self, addresses: &Addresses<'_>, secrets: &Secrets) -> anyhow::Result<PathBuf> {
        self.write("pagerduty.key", &secrets.routing_key)?;
        self.write("retrain.secret", &secrets.signing_key)?;
        self.write("driftd.toml", &configuration(addresses))?;
        let path = self.file("driftd.toml");
        load(&path, &BTreeMap::new()).context("the demo's own configuration")?;
        Ok(path)
    }

    fn write(&self, name: &str, text: &str) -> anyhow::Result<()> {
        let path = self.file(name);
        let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path);
        let written = file.and_then(|mut file| file.write_all(text.as_bytes()));
        written.with_context(|| format!("cannot write {}", path.display()))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if !self.is_kept {
            // a temporary directory that stays behind is no reason to fail
            drop(fs::remove_dir_all(&self.path));
        }
    }
}

/// Short windows, so that the story fits into a minute and a half; every rule and threshold is the documented one.
fn configuration(addresses: &Addresses<'_>) -> String {
    let Addresses { brokers, receivers } = addresses;
    format!(
        r#"# The configuration of `driftd demo`: windows of seconds, and receivers on this machine. No rule is changed.

[daemon]
environment = "demo"
state_dir = "state"
listen = "127.0.0.1:0"
checkpoint = "2s"

[kafka]
brokers = "{brokers}"
group = "driftd-demo"
predictions = ["predictions"]
labels = ["labels"]
properties = {{ "session.timeout.ms" = "6000", "heartbeat.interval.ms" = "300" }}

[window]
size = "4s"
slide = "1s"
lateness = "1s"
idle = "2s"

[join]
horizon = "10s"
keep = "1m"
mature_coverage = 0.95

[[model]]
name = "fraud"
task = "binary"
positive = 1
reference = {{ file = "fraud.reference", version = "v1" }}
new_version = {{ learn = 6000 }}    # a retrained version is compared with its own first predictions

[[receiver]]
name = "team-slack"
type = "slack"
url = "{receivers}/slack"

[[receiver]]
name = "on-call"
type = "pagerduty"
url = "{receivers}/pagerduty"
routing_key_file = "pagerduty.key"
min_severity = "error"

[retrain]
url = "{receivers}/retrain"
secret_file = "retrain.secret"
"#
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const ADDRESSES: Addresses<'_> = Addresses { brokers: "127.0.0.1:9", receivers: "http://127.0.0.1:9" };

    fn secrets() -> Secrets {
        Secrets { routing_key: "a".repeat(32), signing_key: "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD".into() }
    }

    #[test]
    fn the_rules_are_the_documented_ones() {
        let place = Place::open(None).unwrap();
        place.write_reference(&Scenario::healthy(Task::Binary), 1).unwrap();
        let path = place.write_configuration(&ADDRESSES, &secrets()).unwrap();
        let loaded = load(&path, &BTreeMap::new()).unwrap();
        assert_eq!(loaded.warnings.len(), 0, "{:?}", loaded.warnings);
        let plain = path.with_file_name("plain.toml");
        fs::write(&plain, "[[model]]\nname = \"fraud\"\ntask = \"binary\"\n").unwrap();
        let documented = load(&plain, &BTreeMap::new()).unwrap();
        assert_eq!(loaded.config.engine.models[0].rules, documented.config.engine.models[0].rules);
        let path = place.path.clone();
        assert!(path.exists());
        drop(place);
        assert!(!path.exists());
    }

    #[test]
    fn a_directory_that_was_asked_for_stays_and_must_be_empty() {
        let parent = tempfile::tempdir().unwrap();
        let asked = parent.path().join("kept");
        let place = Place::open(Some(&asked)).unwrap();
        place.write("driftd.toml", "").unwrap();
        drop(place);
        assert!(asked.join("driftd.toml").exists());
        let error = Place::open(Some(&asked)).unwrap_err().to_string();
        assert!(error.contains("not empty"), "{error}");
    }
}
