//! The message templates: built in, each replaceable by a file of the same name.
//!
//! Invariant: an undefined fact is an error, a render is bounded in steps, and Slack's facts are escaped on output. A replaced template is tried on sample
//! facts when it is loaded, so that a mistake is found at start and not with the first alert.

use super::words::words;
use super::{sample, text};
use crate::engine::alert::{Notification, NotifyReason};
use minijinja::syntax::SyntaxConfig;
use minijinja::{AutoEscape, Environment, Output, State, UndefinedBehavior, Value};
use std::path::{Path, PathBuf};

/// Most instructions of one render; the built-in ones take a few hundred.
const FUEL: u64 = 50_000;
/// Largest template file, in bytes.
const MAX_FILE: u64 = 64 * 1024;

/// Name and built-in source of every template.
const BUILT_IN: [(&str, &str); 6] = [
    ("slack-firing.j2", include_str!("../../../alerts/templates/slack-firing.j2")),
    ("slack-repeat.j2", include_str!("../../../alerts/templates/slack-repeat.j2")),
    ("slack-resolved.j2", include_str!("../../../alerts/templates/slack-resolved.j2")),
    ("slack-retrain.j2", include_str!("../../../alerts/templates/slack-retrain.j2")),
    ("pagerduty-firing.j2", include_str!("../../../alerts/templates/pagerduty-firing.j2")),
    ("pagerduty-repeat.j2", include_str!("../../../alerts/templates/pagerduty-repeat.j2")),
];

/// Parts of a Slack template, in the order [`super::slack`] takes them.
pub(super) const SLACK_PARTS: [&str; 5] = ["text", "header", "body", "fields", "context"];
/// Parts of a PagerDuty template.
pub(super) const PAGERDUTY_PARTS: [&str; 1] = ["summary"];

/// Why the templates could not be loaded.
#[derive(Debug, thiserror::Error)]
pub enum TemplateError {
    /// The directory or a file in it cannot be read.
    #[error("cannot read template {}: {source}", path.display())]
    Read {
        /// What could not be read.
        path: PathBuf,
        /// The system's answer.
        source: std::io::Error,
    },
    /// A file that replaces no template.
    #[error("{}: no template of that name; those that can be replaced are {}", path.display(), names().join(", "))]
    UnknownName {
        /// The file.
        path: PathBuf,
    },
    /// A file too large to be a template.
    #[error("{}: larger than {MAX_FILE} bytes", path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
    },
    /// A template that does not parse, or fails on sample facts.
    #[error("template {name} does not work: {message}")]
    Broken {
        /// Its file name.
        name: String,
        /// What is wrong, with the line.
        message: String,
    },
}

/// All templates, ready to render.
#[derive(Debug)]
pub(super) struct Templates(Environment<'static>);

impl Templates {
    /// The built-in templates, each replaced by the file of the same name in `directory` where there is one.
    pub(super) fn load(directory: Option<&Path>) -> Result<Self, TemplateError> {
        let mut templates = Self(environment());
        for (name, source) in BUILT_IN {
            templates.add(name, source.to_owned())?;
        }
        if let Some(directory) = directory {
            for (name, source) in replacements(directory)? {
                templates.add(&name, source)?;
            }
        }
        templates.try_all()?;
        Ok(templates)
    }

    /// The named parts of the template for `channel` and the notification's reason, trimmed.
    pub(super) fn parts<const N: usize>(
        &self,
        channel: &str,
        parts: [&str; N],
        notification: &Notification,
    ) -> Result<[String; N], minijinja::Error> {
        let mut rendered = self.0.get_template(&file_name(channel, notification.reason))?.render_captured(words(notification))?;
        let mut texts = [const { String::new() }; N];
        for (text, part) in texts.iter_mut().zip(parts) {
            *text = rendered.with_state_mut(|state| state.render_block(part))?.trim().to_owned();
        }
        Ok(texts)
    }

    fn add(&mut self, name: &str, source: String) -> Result<(), TemplateError> {
        self.0.add_template_owned(name.to_owned(), source).map_err(|error| broken(name, &error))
    }

    /// Renders each template on full and on sparse facts.
    fn try_all(&self) -> Result<(), TemplateError> {
        for reason in NotifyReason::ALL {
            for notification in [sample::full(reason), sample::sparse(reason)] {
                self.parts("slack", SLACK_PARTS, &notification).map_err(|error| broken(&file_name("slack", reason), &error))?;
                if matches!(reason, NotifyReason::Firing | NotifyReason::Repeat) {
                    self.parts("pagerduty", PAGERDUTY_PARTS, &notification)
                        .map_err(|error| broken(&file_name("pagerduty", reason), &error))?;
                }
            }
        }
        Ok(())
    }
}

fn environment() -> Environment<'static> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_fuel(Some(FUEL));
    // a block tag on its own line leaves no line behind
    environment
        .set_syntax(SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build().expect("the default delimiters are distinct"));
    environment
        .set_auto_escape_callback(|name| if name.starts_with("slack-") { AutoEscape::Custom("slack".into()) } else { AutoEscape::None });
    environment.set_formatter(write_escaped);
    environment
}

/// Writes a value, escaped for the channel unless the template marked it safe.
fn write_escaped(out: &mut Output<'_>, state: &mut State<'_, '_>, value: &Value) -> Result<(), minijinja::Error> {
    let plain = value.to_string();
    let escaped = match state.auto_escape() {
        AutoEscape::Custom(_) if !value.is_safe() => text::escape_slack(&plain),
        _ => plain,
    };
    out.write_str(&escaped).map_err(|_| minijinja::Error::new(minijinja::ErrorKind::WriteFailure, "cannot write"))
}

/// The `.j2` files of a directory, by name. Other files and hidden ones (a mounted ConfigMap has some) are none of ours.
fn replacements(directory: &Path) -> Result<Vec<(String, String)>, TemplateError> {
    let unreadable = |path: &Path| {
        let path = path.to_owned();
        move |source| TemplateError::Read { path, source }
    };
    let mut found = Vec::new();
    for entry in std::fs::read_dir(directory).map_err(unreadable(directory))? {
        let path = entry.map_err(unreadable(directory))?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if !name.ends_with(".j2") || name.starts_with('.') {
            continue;
        }
        if !names().contains(&name.as_str()) {
            return Err(TemplateError::UnknownName { path });
        }
        if std::fs::metadata(&path).map_err(unreadable(&path))?.len() > MAX_FILE {
            return Err(TemplateError::TooLarge { path });
        }
        let source = std::fs::read_to_string(&path).map_err(unreadable(&path))?;
        found.push((name, source));
    }
    Ok(found)
}

fn file_name(channel: &str, reason: NotifyReason) -> String {
    format!("{channel}-{}.j2", reason.as_str())
}

fn names() -> Vec<&'static str> {
    BUILT_IN.iter().map(|(name, _)| *name).collect()
}

fn broken(name: &str, error: &minijinja::Error) -> TemplateError {
    TemplateError::Broken { name: name.to_owned(), message: error.to_string() }
}
