//! One pass from the layers to the validated configuration.

use super::effective::{self, Effective};
use super::layers::{self, SyntaxError};
use super::model::{self, ModelContext};
use super::reader::{Entry, Fallback, Reader, Section};
use super::secret::{SecretPolicy, Secrets};
use super::settings::Config;
use super::{DEFAULT_RULES_ORIGIN, Problem, kafka, receiver, rules, sections};
use crate::engine::settings::{AlertSettings, ReceiverSettings, Settings};
use crate::engine::verdict::Rule;
use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A configuration that holds, and how it came about.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// The configuration.
    pub config: Config,
    /// Every value in force and where it came from, in the order of the reference page.
    pub effective: Vec<Effective>,
    /// What works, but is hardly meant.
    pub warnings: Vec<Problem>,
    /// The rules as read, before any override: what their tests speak of.
    pub rules: Vec<Rule>,
    /// The files they were read from; empty: the built-in ones.
    pub rule_files: Vec<PathBuf>,
}

/// What is read besides the file.
#[derive(Debug, Clone)]
pub struct LoadOptions {
    /// Whether secrets are read.
    pub secrets: SecretPolicy,
    /// The rules that hold without `rules.files`; `None`: the built-in ones.
    pub default_rules: Option<Vec<Rule>>,
}

impl Default for LoadOptions {
    fn default() -> Self {
        Self { secrets: SecretPolicy::Required, default_rules: None }
    }
}

/// Why there is no configuration.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The file cannot be read.
    #[error("cannot read {}: {source}; name the configuration with --config, or make one with `driftd init`", file.display())]
    Read {
        /// The file.
        file: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The file is no TOML.
    #[error("{}", Listed(errors.iter().map(|e| format!("{}:{}:{}: not TOML: {}", file.display(), e.line, e.column, e.message))))]
    Syntax {
        /// The file.
        file: PathBuf,
        /// Every place.
        errors: Vec<SyntaxError>,
    },
    /// The file is TOML, but no configuration.
    #[error("{}", Listed(findings.iter().map(|finding| finding.display(file))))]
    Invalid {
        /// The file.
        file: PathBuf,
        /// Every problem.
        findings: Vec<Finding>,
    },
}

impl LoadError {
    /// The problems of a file that is TOML.
    pub fn problems(&self) -> Vec<Problem> {
        match self {
            Self::Invalid { findings, .. } => findings.iter().map(|finding| finding.problem.clone()).collect(),
            Self::Read { .. } | Self::Syntax { .. } => Vec::new(),
        }
    }
}

/// A problem, and the line of the file where its key or the nearest one above it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The problem.
    pub problem: Problem,
    /// Line, from 1; `None`: nothing of it stands in the file.
    pub line: Option<usize>,
}

impl Finding {
    fn display(&self, file: &Path) -> String {
        match self.line {
            Some(line) => format!("{}:{line}: {}", file.display(), self.problem),
            None => format!("{}: {}", file.display(), self.problem),
        }
    }
}

/// One line each.
struct Listed<I>(I);

impl<I: Iterator<Item = String> + Clone> fmt::Display for Listed<I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, line) in self.0.clone().enumerate() {
            write!(f, "{}{line}", if i == 0 { "" } else { "\n" })?;
        }
        Ok(())
    }
}

/// Loads a configuration with its secrets: defaults, over them the file, over it `DRIFTD__SECTION__KEY` of `env`.
///
/// # Errors
/// Everything that is wrong, at once.
pub fn load(path: &Path, env: &BTreeMap<String, String>) -> Result<Loaded, LoadError> {
    load_with(path, env, &LoadOptions::default())
}

/// As `load`, and `options` says what is read besides.
///
/// # Errors
/// Everything that is wrong, at once.
pub fn load_with(path: &Path, env: &BTreeMap<String, String>, options: &LoadOptions) -> Result<Loaded, LoadError> {
    let text = std::fs::read_to_string(path).map_err(|source| LoadError::Read { file: path.to_owned(), source })?;
    load_text(&text, path, env, options)
}

/// As `load_with` for a text that would stand in the file `path`; relative paths count from its directory.
///
/// # Errors
/// Everything that is wrong, at once.
pub fn load_text(text: &str, path: &Path, env: &BTreeMap<String, String>, options: &LoadOptions) -> Result<Loaded, LoadError> {
    read(text, path, env, options).map(|(loaded, _)| loaded)
}

/// The configuration, and every key that was read on the way.
pub(crate) fn read(
    text: &str,
    path: &Path,
    env: &BTreeMap<String, String>,
    options: &LoadOptions,
) -> Result<(Loaded, Vec<Entry>), LoadError> {
    let name = path.file_name().map_or_else(|| path.to_string_lossy(), |name| name.to_string_lossy());
    let layers = layers::merge(text, &name, env).map_err(|errors| LoadError::Syntax { file: path.to_owned(), errors })?;
    let reader = Reader::default();
    reader.problems.borrow_mut().extend(layers.problems);
    reader.warnings.borrow_mut().extend(layers.warnings);
    let base_dir = match path.parent() {
        Some(directory) if !directory.as_os_str().is_empty() => directory.to_owned(),
        _ => PathBuf::from("."),
    };
    let secrets = Secrets { policy: options.secrets, base_dir: &base_dir, env };
    let root = Section::root(&reader, &layers.root);
    let (config, of_rules, of_section) = config(root, &secrets, options.default_rules.as_deref());
    let Reader { problems, warnings, entries } = reader;
    let problems = problems.into_inner();
    if !problems.is_empty() {
        let findings = problems.into_iter().map(|problem| Finding { line: line_of(&problem.path, &layers.lines), problem }).collect();
        return Err(LoadError::Invalid { file: path.to_owned(), findings });
    }
    let entries = entries.into_inner();
    let effective = effective::of_entries(&entries).into_iter().chain(of_rules).collect();
    Ok((Loaded { config, effective, warnings: warnings.into_inner(), rules: of_section.rules, rule_files: of_section.files }, entries))
}

/// Reads every section, in the order of the reference page.
fn config(root: Section<'_>, secrets: &Secrets<'_>, default_rules: Option<&[Rule]>) -> (Config, Vec<Effective>, RulesSection) {
    let reader = root.reader;
    let (daemon, environment) = sections::daemon(root.table("daemon"), secrets);
    let log = sections::log(root.table("log"));
    let kafka = kafka::kafka(root.table("kafka"), secrets);
    let events = sections::events(root.table("events"));
    let window = sections::window(root.table("window"));
    let join = sections::join(root.table("join"));
    let (limits, max_outbox) = sections::limits(root.table("limits"));
    let of_section = read_rules(root.table("rules"), secrets.base_dir, default_rules);
    let (rules, built_in, templates) = (&of_section.rules, of_section.files.is_empty(), of_section.templates.clone());
    let context = ModelContext { rules, max_classes: limits.classes, base_dir: secrets.base_dir };
    let models = model::models(&root, context);
    let (receivers, mut channels) = receiver::receivers(root.tables("receiver"), secrets);
    let (retrain, retrain_channel) = receiver::retrain(root.table("retrain"), secrets);
    channels.extend(retrain_channel);
    check_receivers(rules, &receivers, reader);
    root.finish();

    let of_rules = models.iter().enumerate().flat_map(|(i, (model, changes))| effective::of_rules(i, model, changes, built_in)).collect();
    let alerting = AlertSettings { environment: environment.into(), receivers, retrain, max_outbox };
    let models = models.into_iter().map(|(model, _)| Arc::new(model)).collect();
    let engine = Settings { window, join, limits, models, alerting };
    let config = Config { daemon, log, kafka, events, engine, channels, templates, base_dir: secrets.base_dir.to_owned() };
    (config, of_rules, of_section)
}

/// What `[rules]` says.
struct RulesSection {
    /// The rules of the files it names, else the default ones.
    rules: Vec<Rule>,
    /// Those files.
    files: Vec<PathBuf>,
    /// The directory of message templates.
    templates: Option<PathBuf>,
}

fn read_rules(section: Section<'_>, base_dir: &Path, default_rules: Option<&[Rule]>) -> RulesSection {
    let doc = "Rule files instead of the built-in `alerts/default.toml`.";
    let files = section.list("files", Fallback::Text("[]"), doc);
    let reader = section.reader;
    let n_problems = reader.problems.borrow().len();
    let mut rules: Vec<Rule> = Vec::new();
    let mut take = |origin: &str, read: Result<Vec<Rule>, Vec<Problem>>| match read {
        Ok(more) => rules.extend(more),
        Err(problems) => problems.into_iter().for_each(|p| reader.refuse(format!("{origin}: {}", p.path), p.message)),
    };
    match (files.is_empty(), default_rules) {
        (true, Some(given)) => take(DEFAULT_RULES_ORIGIN, Ok(given.to_vec())),
        (true, None) => take(DEFAULT_RULES_ORIGIN, rules::parse_rules(rules::DEFAULT_RULES, DEFAULT_RULES_ORIGIN)),
        (false, _) => {
            for (i, file) in files.iter().enumerate() {
                let path = base_dir.join(file);
                match std::fs::read_to_string(&path) {
                    Ok(text) => take(file, rules::parse_rules(&text, file)),
                    Err(error) => section.refuse(&format!("files[{i}]"), format!("cannot read {}: {error}", path.display())),
                }
            }
        }
    }
    for (i, rule) in rules.iter().enumerate() {
        if rules[..i].iter().any(|earlier| earlier.name == rule.name) {
            section.refuse("files", format!("two rules have the name {:?}", rule.name));
        }
    }
    // a file that was refused is missing here, and with it what others inhibit
    if reader.problems.borrow().len() == n_problems {
        rules::check_inhibitions(&rules).into_iter().for_each(|problem| section.refuse("files", problem));
    }
    let doc = "Directory of message templates (`slack-firing.j2` and so on) that take the place of built-in ones, or \"builtin\".";
    let templates = section.text("templates", Fallback::Text("\"builtin\""), doc);
    let templates = Some(templates).filter(|t| t != "builtin").map(|t| base_dir.join(t));
    if let Some(path) = templates.as_ref().filter(|path| !path.is_dir()) {
        section.refuse("templates", format!("there is no directory {}", path.display()));
    }
    section.finish();
    RulesSection { rules, files: files.iter().map(|file| base_dir.join(file)).collect(), templates }
}

/// Every receiver that a rule names must be there; and somebody should be told at all.
fn check_receivers(rules: &[Rule], receivers: &[ReceiverSettings], reader: &Reader) {
    for rule in rules {
        for name in rule.receivers.iter().filter(|name| !receivers.iter().any(|receiver| receiver.name == **name)) {
            let near = super::suggest::hint(name, receivers.iter().map(|receiver| receiver.name.as_ref()));
            reader.refuse("rules.files", format!("rule {:?} tells {name:?}, and there is no such [[receiver]]{near}", rule.name));
        }
    }
    if receivers.is_empty() {
        reader.warn("receiver", "is missing, so nobody is told when an alert fires: write a [[receiver]] block");
    }
}

/// The line of the key at `path`, else of the nearest table above it.
fn line_of(path: &str, lines: &BTreeMap<String, usize>) -> Option<usize> {
    let mut path = path;
    loop {
        if let Some(line) = lines.get(path) {
            return Some(*line);
        }
        path = &path[..path.rfind(['.', '['])?];
    }
}
