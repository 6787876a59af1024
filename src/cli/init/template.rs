//! The text of the configuration that `driftd init` writes.

use super::{InitArgs, show};
use crate::edge::state::reference_file::ReferenceFile;
use crate::engine::settings::{ColumnKind, Task};
use std::path::Path;

/// The configuration. `reference` stands beside it.
pub(super) fn configuration(args: &InitArgs, file: &ReferenceFile, reference: &Path) -> String {
    let receivers = RECEIVERS.to_owned();
    [head(args, file), kafka(args), window(args, file), model(args, file, reference), overrides(file), receivers].join("\n")
}

/// A line with its comment in the column of the others.
fn line(setting: &str, comment: &str) -> String {
    format!("{setting:<30} # {comment}\n")
}

fn head(args: &InitArgs, file: &ReferenceFile) -> String {
    format!(
        "# driftd watches the model {} against {} ({} rows).\n\
         # Every other setting has a default: `driftd check --config {} --effective` prints each with its value.\n\
         # Durations: \"30s\", \"5m\", \"1h\", \"7d\". Relative paths are relative to this file.\n\n[daemon]\n",
        one_line(&args.model),
        one_line(&file.source),
        file.reference.rows,
        one_line(&args.out.display().to_string()),
    ) + &line("environment = \"default\"", "name of this installation; part of every alert's identity")
        + &line("state_dir = \"state\"", "snapshots; must survive restarts")
        + &line("listen = \"127.0.0.1:9464\"", "/livez /readyz /metrics")
}

fn kafka(args: &InitArgs) -> String {
    format!("[kafka]\nbrokers = {}\ngroup = \"driftd\"\n", quoted(&args.brokers))
        + &line(&format!("predictions = [{}]", quoted(&args.predictions_topic)), "topics of predictions")
        + &line(&format!("labels = [{}]", quoted(&args.labels_topic)), "topics of labels; the same topic may carry both")
        + &line("start = \"earliest\"", "where to begin without a state: earliest | latest")
        + "# Further librdkafka properties; those that are secrets as files with their values:\n\
           # properties = { \"security.protocol\" = \"sasl_ssl\", \"sasl.mechanism\" = \"SCRAM-SHA-512\", \"sasl.username\" = \"driftd\" }\n\
           # secrets = { \"sasl.password\" = \"/run/secrets/kafka\" }\n"
}

fn window(args: &InitArgs, file: &ReferenceFile) -> String {
    let judged = match file.task {
        Some(Task::Regression) => "share of labels at which R², MAE and RMSE are judged before the horizon",
        _ => "share of labels at which accuracy, precision and recall are judged before the horizon",
    };
    "[window]\n".to_owned()
        + &line(&format!("size = {}", quoted(&show(args.window))), "length of a window")
        + &line(&format!("slide = {}", quoted(&show(args.slide))), "how often a window is judged; size is a multiple of it")
        + &line("lateness = \"1m\"", "events this late are in time; later ones amend")
        + &line("idle = \"30s\"", "a silent partition then stops holding the others back")
        + "\n[join]\n"
        + &line("horizon = \"7d\"", "a window's quality is judged at the latest this long after its end")
        + &line("keep = \"90d\"", "how long labels are still taken")
        + &line("mature_coverage = 0.95", judged)
}

fn model(args: &InitArgs, file: &ReferenceFile, reference: &Path) -> String {
    let path = quoted(&reference.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned()));
    let policy = match &file.version {
        Some(version) => format!("{{ file = {path}, version = {} }}", quoted(version)),
        None => path,
    };
    let task = file.task.unwrap_or(Task::Binary);
    let mut text = format!("[[model]]\nname = {}\ntask = \"{}\"\n", quoted(&args.model), task.as_str());
    if let Some(positive) = &file.positive {
        text += &line(&format!("positive = {}", class(positive)), "the class that precision and recall speak of");
    }
    let classes: Vec<String> = file.reference.outputs.classes.iter().map(|name| class(name)).collect();
    if !classes.is_empty() {
        text += &line(&format!("# classes = [{}]", classes.join(", ")), "default: those of the reference");
    }
    text += &line(&format!("reference = {policy}"), "compiled; `driftd reference show` prints what is in it");
    match &file.version {
        Some(_) => text += &line("new_version = \"inherit\"", "a version without a reference of its own; or { learn = 10000 }"),
        None => text += &line("# new_version = \"inherit\"", "has a meaning once the reference names its version (init --version v1)"),
    }
    text += &kinds(args, file);
    let ignored: Vec<String> = args.compile.ignore.iter().map(|name| quoted(name)).collect();
    text += &line(&format!("ignore = [{}]", ignored.join(", ")), "features that are not watched");
    if let Some(name) = names(file, ColumnKind::Categorical).first() {
        text += &line(&format!("# segments = [{name}]"), "windows are also kept apart by the values of these features");
    }
    text
}

/// Kinds of features: those that were told, and as a comment those that were inferred.
fn kinds(args: &InitArgs, file: &ReferenceFile) -> String {
    let told =
        [("numeric", ColumnKind::Numeric, &args.compile.numeric), ("categorical", ColumnKind::Categorical, &args.compile.categorical)];
    let mut text = "# Kinds of features where a reference is learned from events; the compiled one has them already:\n".to_owned();
    for (key, kind, told) in told {
        let list: Vec<String> = told.iter().map(|name| quoted(name)).collect();
        text += &match list.is_empty() {
            true => format!("# {key} = [{}]\n", names(file, kind).join(", ")),
            false => format!("{key} = [{}]\n", list.join(", ")),
        };
    }
    if !args.compile.text.is_empty() {
        let list: Vec<String> = args.compile.text.iter().map(|name| quoted(name)).collect();
        text += &format!("text = [{}]\n", list.join(", "));
    }
    text
}

/// Features of a kind, quoted, a few of them.
fn names(file: &ReferenceFile, kind: ColumnKind) -> Vec<String> {
    const SHOWN: usize = 20;
    // what is made of a text goes by the kind of the text
    let is_own = |name: &str| file.reference.encodings.source_of(name).is_none();
    let inputs = file.reference.inputs.iter().filter(|input| input.column.kind() == kind && is_own(&input.name));
    inputs.take(SHOWN).map(|input| quoted(&input.name)).collect()
}

/// Examples of overrides, with features of this very reference.
fn overrides(file: &ReferenceFile) -> String {
    let mut text =
        "# Thresholds are those of the built-in rules. To change them for this model, narrowed by any of rule, feature and metric;\n\
                    # such blocks stand directly below their model:\n"
            .to_owned();
    let mut example = |lines: &str| text += &format!("#\n# [[model.override]]\n{lines}");
    if let Some(name) = names(file, ColumnKind::Numeric).first() {
        example(&format!("# feature = {name}\n# metric = \"psi\"\n# above = 0.25\n"));
    }
    if let Some(name) = names(file, ColumnKind::Categorical).first() {
        example(&format!("# feature = {name}\n# enabled = false\n"));
    }
    example(match file.task {
        Some(Task::Regression) => "# metric = \"r2\"\n# below = 0.8\n",
        _ => "# metric = \"accuracy\"\n# below = 0.85\n",
    });
    text
}

const RECEIVERS: &str = "# Who is told. Without a receiver alerts are only logged and counted.
# A webhook's URL, a key and a signing secret are secrets and never stand in this file: put each into a file that only driftd can
# read (url_file, routing_key_file, secret_file) or into the environment (url_env, routing_key_env, secret_env).
#
# [[receiver]]
# name = \"team-slack\"
# type = \"slack\"
# url_env = \"SLACK_WEBHOOK_URL\"
# min_severity = \"warning\"
#
# [[receiver]]
# name = \"on-call\"
# type = \"pagerduty\"
# routing_key_file = \"/run/secrets/pagerduty\"
# min_severity = \"critical\"
#
# [[receiver]]
# name = \"anything\"
# type = \"webhook\"
# url_file = \"/run/secrets/webhook-url\"
# secret_file = \"/run/secrets/webhook-secret\"
#
# The pipeline that is asked for a retraining when quality falls or the target shifts:
#
# [retrain]
# url_file = \"/run/secrets/retrain-url\"
# secret_file = \"/run/secrets/retrain-secret\"
# cooldown = \"6h\"
# daily_budget = 4
# min_labels = 1000
";

/// A TOML string.
fn quoted(text: &str) -> String {
    toml::Value::from(text).to_string()
}

/// A class: whole numbers and truth values as people write them.
fn class(text: &str) -> String {
    let is_whole = text.parse::<i64>().is_ok_and(|number| number.to_string() == text);
    if is_whole || matches!(text, "true" | "false") { text.to_owned() } else { quoted(text) }
}

/// Text for a comment, which ends with its line.
fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}
