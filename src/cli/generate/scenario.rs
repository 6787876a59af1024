//! The script of a run: rate, length, delay of labels, and what changes when. Data, not code.
//!
//! Invariant: a `Scenario` that exists can be played; all problems of a file are reported at once.

use super::change::Change;
use crate::engine::settings::Task;
use serde::Deserialize;
use std::sync::Arc;
use std::time::Duration;

/// A script.
#[derive(Debug, Clone, PartialEq)]
pub struct Scenario {
    /// What the model predicts.
    pub task: Task,
    /// Name of the model in the events.
    pub model: Arc<str>,
    /// Version at the start.
    pub version: Arc<str>,
    /// Requests per second.
    pub rate: f64,
    /// Length of the run, in milliseconds.
    pub duration_ms: i64,
    /// Mean time from a prediction to its label, in milliseconds.
    pub label_delay_ms: f64,
    /// What changes when, in order of time.
    pub steps: Vec<Step>,
}

/// One change at its time.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// Milliseconds from the start.
    pub at_ms: i64,
    /// What changes.
    pub change: Change,
}

/// Why a scenario cannot be played: all reasons, one a line.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", .0.join("\n"))]
pub struct ScenarioError(pub Vec<String>);

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    model: Option<String>,
    version: Option<String>,
    rate: Option<f64>,
    duration: Option<String>,
    label_delay: Option<String>,
    #[serde(default)]
    step: Vec<RawStep>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawStep {
    at: String,
    change: Change,
}

/// Fastest rate: one request a microsecond.
const MAX_RATE: f64 = 1e6;
/// Longest run and longest mean delay: ten years.
const MAX_TIME: Duration = Duration::from_secs(10 * 365 * 86_400);

impl Scenario {
    /// The script that is played where none is given.
    pub const BUILT_IN: &'static str = include_str!("scenario.toml");

    /// A healthy run without an end that matters: the start for whoever makes changes by hand.
    pub fn healthy(task: Task) -> Self {
        Self {
            task,
            model: default_model(task).into(),
            version: "v1".into(),
            rate: 1500.0,
            duration_ms: 300_000,
            label_delay_ms: 20_000.0,
            steps: Vec::new(),
        }
    }

    /// Reads a script.
    pub fn parse(text: &str, task: Task) -> Result<Self, ScenarioError> {
        let raw: Raw = toml::from_str(text).map_err(|error| ScenarioError(vec![error.to_string().trim_end().to_owned()]))?;
        let mut problems = Vec::new();
        let mut scenario = Self::healthy(task);
        for (name, given, target) in [("model", raw.model, &mut scenario.model), ("version", raw.version, &mut scenario.version)] {
            match given {
                Some(text) if text.is_empty() => problems.push(format!("{name} is empty")),
                Some(text) => *target = text.into(),
                None => {}
            }
        }
        if let Some(rate) = raw.rate {
            scenario.rate = rate;
        }
        if let Some(text) = raw.duration {
            scenario.duration_ms = time("duration", &text, &mut problems);
        }
        if let Some(text) = raw.label_delay {
            scenario.label_delay_ms = time("label_delay", &text, &mut problems) as f64;
        }
        for (i, step) in raw.step.into_iter().enumerate() {
            if let Err(error) = step.change.check() {
                problems.push(format!("step[{i}].change: {error}"));
            }
            let at_ms = time(&format!("step[{i}].at"), &step.at, &mut problems);
            scenario.steps.push(Step { at_ms, change: step.change });
        }
        scenario.steps.sort_by_key(|step| step.at_ms);
        if let Err(error) = scenario.check_rate() {
            problems.push(error);
        }
        if problems.is_empty() { Ok(scenario) } else { Err(ScenarioError(problems)) }
    }

    /// Whether the rate can be played; for whoever sets it after reading.
    pub fn check_rate(&self) -> Result<(), String> {
        if self.rate > 0.0 && self.rate <= MAX_RATE {
            Ok(())
        } else {
            Err(format!("rate = {} is out of range, give a number above 0 and up to 1e6", self.rate))
        }
    }
}

fn default_model(task: Task) -> &'static str {
    match task {
        Task::Binary => "fraud",
        Task::Multiclass => "risk",
        Task::Regression => "price",
        Task::Ranking => "search",
    }
}

/// Reads a time in milliseconds; a problem is noted and read as 0.
fn time(path: &str, text: &str, problems: &mut Vec<String>) -> i64 {
    match humantime::parse_duration(text) {
        Ok(time) if time <= MAX_TIME => time.as_millis() as i64,
        Ok(_) => {
            problems.push(format!("{path} = {text:?} is longer than ten years"));
            0
        }
        Err(error) => {
            problems.push(format!("{path} = {text:?}: {error}, give a time like \"30s\" or \"5m\""));
            0
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::generate::feature::Feature;

    #[test]
    fn the_built_in_script_can_be_played() {
        let scenario = Scenario::parse(Scenario::BUILT_IN, Task::Binary).unwrap();
        assert_eq!((&*scenario.model, &*scenario.version, scenario.rate), ("fraud", "v1", 1500.0));
        assert_eq!(
            scenario.steps[0],
            Step { at_ms: 60_000, change: Change::Shift { feature: Feature::Amount, mean_sigma: 1.0, scale: 1.0 } }
        );
        assert!(scenario.steps.iter().any(|s| s.change == Change::Deploy { version: "v2".into() }));
        assert!(scenario.steps.is_sorted_by_key(|s| s.at_ms));
    }

    #[test]
    fn every_problem_is_reported_at_once_with_its_path() {
        let text = r#"
            rate = -1
            duration = "soon"
            [[step]]
            at = "1m"
            change.shift = { feature = "country", mean_sigma = 1.0 }
            [[step]]
            at = "1m"
            change.nulls = { feature = "amount", share = nan }
            [[step]]
            at = "1m"
            change.new_category = { feature = "amount", category = "x", share = 0.1 }
        "#;
        let ScenarioError(problems) = Scenario::parse(text, Task::Binary).unwrap_err();
        let has = |part: &str| assert!(problems.iter().any(|p| p.contains(part)), "{part} in {problems:?}");
        has("rate = -1");
        has("duration = \"soon\"");
        has("step[0].change: country is categorical, shift needs a numeric input");
        has("step[1].change: share = NaN");
        has("step[2].change: amount is numeric, new_category needs a categorical input");
        assert_eq!(problems.len(), 5);
    }

    #[test]
    fn a_misspelt_key_is_an_error() {
        for text in [
            "raet = 1",
            "[[step]]\nat = \"1m\"\nchange.errors = { share = 0.1, shrae = 1 }",
            "[[step]]\nat = \"1m\"\nchange.earthquake = {}",
        ] {
            let error = Scenario::parse(text, Task::Binary).unwrap_err().to_string();
            assert!(error.contains("unknown") || error.contains("unexpected"), "{error}");
        }
    }
}
