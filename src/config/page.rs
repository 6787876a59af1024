//! The reference page docs/CONFIGURATION.md, made of the very calls that read a configuration.
//!
//! `config/driftd.toml` is read with its commented examples switched on; what the reader asked for is the table.

use super::load::{LoadOptions, read};
use super::reader::{Entry, Fallback};
use super::secret::SecretPolicy;
use crate::engine::metric::Metric;
use crate::engine::verdict::{Bound, Condition, Rule, SubjectPattern, Threshold};
use std::collections::BTreeMap;
use std::path::Path;

/// The commented configuration with every default.
const COMMENTED: &str = include_str!("../../config/driftd.toml");

const INTRODUCTION: &str = "\
# Configuration

<!-- generated from src/config; regenerate: DRIFTD_BLESS=1 cargo test --lib config::tests::page -->

One TOML file, named by `--config`. `config/driftd.toml` has every setting with its default, `config/minimal.toml` the fewest that
work. `driftd check --config driftd.toml` tells everything that is wrong with a file at once; `--effective` prints every value in
force and where it came from.

- **Layers.** Built-in defaults, over them the file, over it the environment: `DRIFTD__WINDOW__SIZE=2h` sets `window.size`. The
  environment sets single values and lists (comma-separated), not `[[model]]` and `[[receiver]]` blocks. An unknown key is refused.
- **Kinds.** duration: `\"250ms\"`, `\"30s\"`, `\"1h30m\"`, `\"7d\"`. size: `\"512KiB\"`, `\"1MiB\"`, `\"100MB\"`. class: a text, a number
  or a flag; `1`, `1.0` and `\"1\"` are the same class. threshold: a number, or of the reference's own figure:
  `\"reference * 1.2\"`, `\"reference - 0.05\"`, `\"reference * 0.9 + 0.1\"`.
- **Secrets** stand in a file (`*_file`, trimmed) or in a variable (`*_env`), never in the configuration, and print as `***`. The URL
  of a Slack or webhook receiver is a secret too. It is https, unless it points to this machine or `insecure_http = true`.
- **Paths** count from the directory of the configuration file.
- In the tables `-` means: not set, nothing happens. *required*: the block does not hold without it.
";

/// What each table is for.
const SECTIONS: [(&str, &str); 14] = [
    ("daemon", "The process."),
    ("log", "What the process says about itself."),
    ("kafka", "Where events come from."),
    ("events", "What an event may be; others are rejected, and counted by reason."),
    ("window", "Event-time windows and the watermark."),
    ("join", "Predictions and their labels."),
    ("limits", "Bounds on what is watched at once; what they drop is counted."),
    ("rules", "What is judged. The documented thresholds are `alerts/default.toml`."),
    ("model[]", "What is watched. The first block whose name fits takes an event."),
    ("model[].costs", "What answers are worth, for `business_value`. Without this table there is no such figure."),
    (
        "model[].detectors",
        "What change detectors go by. Those run that a rule names (`subject = \"errors\"` or `\"latency\"`); a change of these keys begins them anew.",
    ),
    (
        "model[].override[]",
        "What this model wants otherwise than the rules say. `rule`, `feature` and `metric` narrow a block; without any of them it holds for all \
         rules. A block with a feature goes before one without.",
    ),
    ("receiver[]", "Who is told. Which keys belong there depends on `type`."),
    ("retrain", "The retraining trigger: a signed webhook. Without this table no retraining is asked for."),
];

/// The page. It is a pure function of the program.
///
/// # Panics
/// Where `config/driftd.toml` with its examples switched on does not load; a test holds that it does.
pub fn reference_page() -> String {
    let options = LoadOptions { secrets: SecretPolicy::Unread, default_rules: Some(vec![example_rule()]) };
    let (_, entries) = read(&switched_on(COMMENTED), Path::new("driftd.toml"), &BTreeMap::new(), &options)
        .expect("config/driftd.toml loads with its examples switched on, by a test");
    let mut page = INTRODUCTION.to_owned();
    for (table, meaning) in SECTIONS {
        let heading = match table.strip_suffix("[]") {
            Some(block) => format!("[[{}]]", block.replace("[]", "")),
            None => format!("[{}]", table.replace("[]", "")),
        };
        page.push_str(&format!("\n## `{heading}`\n\n{meaning}\n\n| key | kind | default | meaning |\n|---|---|---|---|\n"));
        let mut rows: Vec<String> = Vec::new();
        for entry in &entries {
            let path = without_indices(&entry.path);
            if entry.kind != "secret" && path.rsplit_once('.').is_some_and(|(of, _)| of == table) {
                let row = row(entry, &path);
                if !rows.contains(&row) {
                    rows.push(row);
                }
            }
        }
        rows.iter().for_each(|row| page.push_str(row));
    }
    page
}

/// Every example of the commented file as if it were meant: lines like `# [[receiver]]` and `# key = value`.
pub(crate) fn switched_on(text: &str) -> String {
    let line = |line: &str| {
        let example = line.strip_prefix("# ").filter(|rest| {
            let key = rest.split(" = ").next().unwrap_or_default();
            rest.starts_with('[') || (key.len() < rest.len() && key.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'))
        });
        format!("{}\n", example.unwrap_or(line))
    };
    text.lines().map(line).collect()
}

fn row(entry: &Entry, path: &str) -> String {
    let key = path.rsplit('.').next().unwrap_or_default();
    let default = match entry.fallback {
        Fallback::Required => "*required*".to_owned(),
        Fallback::Nothing => "-".to_owned(),
        Fallback::Text(text) => format!("`{text}`"),
    };
    format!("| `{key}` | {} | {default} | {} |\n", entry.kind, entry.doc.replace('|', "\\|"))
}

/// `model[3].name` as `model[].name`.
fn without_indices(path: &str) -> String {
    let mut inside = false;
    let keep = |c: &char| {
        inside = *c == '[' || (inside && *c != ']');
        !inside || *c == '['
    };
    path.chars().filter(keep).collect()
}

/// What the example of an override speaks of.
fn example_rule() -> Rule {
    let bound = Bound::Above(Threshold::Absolute(0.1));
    let condition = Condition {
        min_events: 1,
        origin: super::DEFAULT_RULES_ORIGIN.into(),
        ..Condition::new(SubjectPattern::AnyFeature, Metric::Psi, bound)
    };
    Rule {
        title: "Feature drift".into(),
        segments: false,
        confirm: 1,
        resolve_after: 1,
        resolve_level: 1.0,
        ..Rule::new("feature-drift", vec![condition])
    }
}
