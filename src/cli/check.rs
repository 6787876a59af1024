//! `driftd check`: whether a configuration holds, what is in force, and whether the rules do what their tests say.

pub mod rule_tests;

use crate::app::{load_references, reference_notes};
use crate::config::{Config, Effective, LoadOptions, Loaded, SecretPolicy, load_with};
use crate::edge::notify::Notifier;
use crate::engine::verdict::Rule;
use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

/// Widest value that is padded for; a longer one pushes only its own origin to the right.
const WIDEST_VALUE: usize = 48;

/// Arguments of `driftd check`.
#[derive(Debug, Clone, clap::Args)]
pub struct CheckArgs {
    /// The configuration
    #[arg(long, short, value_name = "FILE", default_value = "driftd.toml")]
    pub config: PathBuf,
    /// Print every value in force and where it came from
    #[arg(long)]
    pub effective: bool,
    /// Run the rule tests of this directory; without it those in `tests/` beside each file of `rules.files`
    #[arg(long, value_name = "DIR")]
    pub rules_tests: Option<PathBuf>,
    /// Do not read secrets: for machines that do not have them
    #[arg(long)]
    pub without_secrets: bool,
}

/// Checks, with the environment of the process; exit code 1 where something is wrong.
///
/// # Errors
/// Where `out` cannot be written to.
pub fn run(args: CheckArgs, out: &mut dyn Write) -> anyhow::Result<ExitCode> {
    // a name or a value that is not UTF-8 cannot be one of ours
    let env = std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?))).collect();
    Ok(if check(&args, &env, out)? { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Checks, with a given environment; whether everything holds.
///
/// # Errors
/// Where `out` cannot be written to.
pub fn check(args: &CheckArgs, env: &BTreeMap<String, String>, out: &mut dyn Write) -> anyhow::Result<bool> {
    let secrets = if args.without_secrets { SecretPolicy::Unread } else { SecretPolicy::Required };
    let loaded = match load_with(&args.config, env, &LoadOptions { secrets, ..LoadOptions::default() }) {
        Ok(loaded) => loaded,
        Err(error) => {
            writeln!(out, "{error}")?;
            return Ok(false);
        }
    };
    let file = args.config.display();
    for warning in &loaded.warnings {
        writeln!(out, "{file}: warning: {warning}")?;
    }
    if args.effective {
        print_effective(&loaded.effective, out)?;
    }
    let mut passed = usable(&loaded.config, secrets, &args.config, out)?;
    for directory in test_directories(args, &loaded) {
        passed &= run_rule_tests(&directory, &loaded, out)?;
    }
    if passed {
        writeln!(out, "{file}: ok ({})", counts(&loaded))?;
    }
    Ok(passed)
}

/// Whether what the configuration names can be used too: references, receivers and their templates. All problems are written.
fn usable(config: &Config, secrets: SecretPolicy, file: &Path, out: &mut dyn Write) -> anyhow::Result<bool> {
    let references = match load_references(config) {
        Ok(references) => {
            for note in reference_notes(config, &references) {
                writeln!(out, "{}: warning: {note}", file.display())?;
            }
            None
        }
        Err(error) => Some(format!("{error:#}")),
    };
    let receivers = match secrets {
        SecretPolicy::Required => Notifier::new(config.channels.clone(), config.templates.as_deref()).err().map(|error| error.to_string()),
        SecretPolicy::Unread => None,
    };
    let problems: Vec<String> = references.into_iter().chain(receivers).collect();
    for problem in &problems {
        writeln!(out, "{}: {problem}", file.display())?;
    }
    Ok(problems.is_empty())
}

/// Where rule tests are: as told, else `tests/` beside each file of rules, where there is one.
fn test_directories(args: &CheckArgs, loaded: &Loaded) -> BTreeSet<PathBuf> {
    match &args.rules_tests {
        Some(directory) => BTreeSet::from([directory.clone()]),
        None => loaded.rule_files.iter().filter_map(|file| Some(file.parent()?.join("tests"))).filter(|tests| tests.is_dir()).collect(),
    }
}

/// Runs every `*.toml` of the directory, in the order of their names, against the rules as read (before the overrides of any model); whether all pass.
fn run_rule_tests(directory: &Path, loaded: &Loaded, out: &mut dyn Write) -> anyhow::Result<bool> {
    let files = match toml_files(directory) {
        Ok(files) if files.is_empty() => {
            writeln!(out, "{}: no rule tests (*.toml) in it", directory.display())?;
            return Ok(false);
        }
        Ok(files) => files,
        Err(error) => {
            writeln!(out, "{}: cannot be read: {error}", directory.display())?;
            return Ok(false);
        }
    };
    let rules: Vec<Arc<Rule>> = loaded.rules.iter().cloned().map(Arc::new).collect();
    let (mut n_passed, mut all_pass) = (0, true);
    for file in files {
        let name = file.display().to_string();
        let report = match std::fs::read_to_string(&file) {
            Ok(text) => rule_tests::run_rule_tests(&rules, &text, &name),
            Err(error) => {
                writeln!(out, "{name}: cannot be read: {error}")?;
                all_pass = false;
                continue;
            }
        };
        for failure in &report.failures {
            writeln!(out, "{failure}")?;
        }
        n_passed += report.n_passed;
        all_pass &= report.failures.is_empty();
    }
    if all_pass {
        writeln!(out, "{}: {n_passed} rule tests pass", directory.display())?;
    }
    Ok(all_pass)
}

fn toml_files(directory: &Path) -> std::io::Result<Vec<PathBuf>> {
    let paths: Vec<PathBuf> = std::fs::read_dir(directory)?.map(|entry| Ok(entry?.path())).collect::<std::io::Result<_>>()?;
    let mut files: Vec<PathBuf> = paths.into_iter().filter(|path| path.extension().is_some_and(|extension| extension == "toml")).collect();
    files.sort();
    Ok(files)
}

/// `2 models, 8 rules, 3 receivers`.
fn counts(loaded: &Loaded) -> String {
    let engine = &loaded.config.engine;
    let counted = |n: usize, what: &str| format!("{n} {what}{}", if n == 1 { "" } else { "s" });
    let retrain = if engine.alerting.retrain.is_some() { ", retraining" } else { "" };
    let receivers = counted(engine.alerting.receivers.len(), "receiver");
    format!("{}, {}, {receivers}{retrain}", counted(engine.models.len(), "model"), counted(loaded.rules.len(), "rule"))
}

/// Three columns: key, value, origin.
fn print_effective(effective: &[Effective], out: &mut dyn Write) -> std::io::Result<()> {
    let width = |text: &str| text.chars().count();
    let keys = effective.iter().map(|e| width(&e.path)).max().unwrap_or_default();
    let values = effective.iter().map(|e| width(&e.value)).filter(|w| *w <= WIDEST_VALUE).max().unwrap_or_default();
    for Effective { path, value, origin, .. } in effective {
        writeln!(out, "{path:keys$}  {value:values$}  {origin}")?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_text(text: &str, effective: bool) -> (bool, String) {
        check_in(&tempfile::tempdir().unwrap(), text, effective)
    }

    fn check_in(directory: &tempfile::TempDir, text: &str, effective: bool) -> (bool, String) {
        let config = directory.path().join("driftd.toml");
        std::fs::write(&config, text).unwrap();
        let args = CheckArgs { config, effective, rules_tests: None, without_secrets: false };
        let env = BTreeMap::from([("DRIFTD__WINDOW__SLIDE".to_owned(), "10m".to_owned())]);
        let mut out = Vec::new();
        let passed = check(&args, &env, &mut out).unwrap();
        let out = String::from_utf8(out).unwrap();
        (passed, out.replace(&format!("{}/", directory.path().display()), ""))
    }

    const RIGHT: &str = "[window]\nsize = \"2h\"\n[[model]]\nname = \"fraud\"\ntask = \"binary\"\n[[receiver]]\nname = \"pipe\"\ntype = \"webhook\"\nurl = \"http://127.0.0.1:9/\"\n";

    #[test]
    fn a_right_file_is_counted() {
        let (passed, out) = check_text(RIGHT, false);
        assert!(passed, "{out}");
        assert!(out.starts_with("driftd.toml: ok (1 model, ") && out.ends_with("1 receiver)\n"), "{out}");
    }

    #[test]
    fn rule_tests_beside_the_rules_are_run() {
        let directory = tempfile::tempdir().unwrap();
        let rules = std::fs::read_to_string("alerts/default.toml").unwrap();
        std::fs::write(directory.path().join("mine.toml"), rules.replace("above = 100", "above = 90")).unwrap();
        std::fs::create_dir(directory.path().join("tests")).unwrap();
        let text = format!("{RIGHT}\n[rules]\nfiles = [\"mine.toml\"]\n");
        for test in std::fs::read_dir("alerts/tests").unwrap() {
            let test = test.unwrap();
            std::fs::copy(test.path(), directory.path().join("tests").join(test.file_name())).unwrap();
        }
        let (passed, out) = check_in(&directory, &text, false);
        assert!(!passed && out.contains("latency"), "the bound of the latency was moved: {out}");
        std::fs::write(directory.path().join("mine.toml"), rules).unwrap();
        let (passed, out) = check_in(&directory, &text, false);
        assert!(passed && out.contains("rule tests pass"), "{out}");
    }

    #[test]
    fn what_the_configuration_names_must_be_usable() {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("broken.reference"), b"no reference").unwrap();
        let text = RIGHT.replace("task = \"binary\"", "task = \"binary\"\nreference = \"broken.reference\"");
        let (passed, out) = check_in(&directory, &text, false);
        assert!(!passed && out.contains("broken.reference"), "{out}");
    }

    #[test]
    fn a_reference_of_other_windows_is_told() {
        use crate::edge::state::reference_file::ReferenceFile;
        use crate::engine::calibration::{CalibrationSpec, calibrate};
        use crate::engine::reference::compile::{CompileSpec, compile};
        use crate::engine::reference::table::{Column, Table};
        use crate::event::{Scalar, Timestamp};
        let mut table = Table::new(vec![Column::of("x", (0..1000).map(|i| Scalar::Number(f64::from(i * 7 % 100))))]);
        (0..1000).for_each(|i| table.times.push(&Scalar::Number(f64::from(i) * 36_000.0)));
        let mut compiled = compile(&table, &CompileSpec::default()).unwrap();
        let (task, positive, numeric, costly) = (None, None, Vec::new(), Default::default());
        calibrate(&mut compiled.reference, &table, &CalibrationSpec { window_ms: 3_600_000, task, positive, numeric, costly });
        let directory = tempfile::tempdir().unwrap();
        ReferenceFile::new(compiled, "rows".to_owned(), Timestamp(0), None).save(&directory.path().join("fraud.reference")).unwrap();
        let text = RIGHT.replace("task = \"binary\"", "task = \"binary\"\nreference = \"fraud.reference\"");
        let (passed, out) = check_in(&directory, &text, false);
        let warning =
            "warning: the noise of fraud.reference was measured on windows of 1h, but window.size is 2h: build it with --window 2h";
        assert!(passed && out.contains(warning), "{out}");
        let (passed, out) = check_in(&directory, &text.replace("2h", "1h"), false);
        assert!(passed && !out.contains("warning"), "{out}");
    }

    #[test]
    fn every_value_with_its_origin() {
        let (passed, out) = check_text(RIGHT, true);
        assert!(passed, "{out}");
        let line = |key: &str| {
            let line = out.lines().find(|line| line.split_whitespace().next() == Some(key)).unwrap_or_else(|| panic!("{key} in {out}"));
            line.split_whitespace().collect::<Vec<_>>().join(" ")
        };
        assert_eq!(line("window.size"), "window.size \"2h\" driftd.toml:2");
        assert_eq!(line("window.slide"), "window.slide \"10m\" environment DRIFTD__WINDOW__SLIDE");
        assert_eq!(line("window.idle"), "window.idle \"30s\" default");
        let columns: Vec<_> = out.lines().filter(|l| l.starts_with("window.")).map(|l| l.find('"')).collect();
        assert!(columns.windows(2).all(|pair| pair[0] == pair[1]), "{out}");
    }

    #[test]
    fn all_problems_and_their_lines() {
        let (passed, out) = check_text(&RIGHT.replace("binary", "binry").replace("2h", "95m"), false);
        assert!(!passed);
        assert_eq!(
            out,
            "driftd.toml:2: window.size: \"1h35m\" is not a multiple of window.slide \"10m\"\n\
             driftd.toml:5: model[0].task: \"binry\" is none of binary, multiclass, regression, ranking, did you mean `binary`?\n"
        );
    }

    #[test]
    fn rule_tests_of_a_directory() {
        let directory = tempfile::tempdir().unwrap();
        let config = directory.path().join("driftd.toml");
        std::fs::write(&config, RIGHT).unwrap();
        let run = |tests: &Path| {
            let args = CheckArgs { config: config.clone(), effective: false, rules_tests: Some(tests.to_owned()), without_secrets: false };
            let mut out = Vec::new();
            (check(&args, &BTreeMap::new(), &mut out).unwrap(), String::from_utf8(out).unwrap())
        };
        let (passed, out) = run(&Path::new(env!("CARGO_MANIFEST_DIR")).join("alerts/tests"));
        assert!(passed && out.contains("rule tests pass"), "{out}");
        let own = directory.path().join("tests");
        assert!(!run(&own).0, "a directory that is not there");
        std::fs::create_dir(&own).unwrap();
        assert!(!run(&own).0, "a directory without tests tests nothing");
        std::fs::write(own.join("a.toml"), "[[test]]\n").unwrap();
        let (passed, out) = run(&own);
        assert!(!passed && out.contains("a.toml: test[0].name: is required") && !out.contains(": ok ("), "{out}");
    }

    #[test]
    fn a_file_that_is_not_there() {
        let missing = CheckArgs { config: "/nowhere/driftd.toml".into(), effective: false, rules_tests: None, without_secrets: true };
        let mut out = Vec::new();
        assert!(!check(&missing, &BTreeMap::new(), &mut out).unwrap());
        assert!(String::from_utf8(out).unwrap().starts_with("cannot read /nowhere/driftd.toml: "));
    }
}
