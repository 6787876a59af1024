//! `[[model]]`: what is watched, against what reference, by which rules.

use super::class::canonical_class;
use super::costs::costs;
use super::detectors::detectors;
use super::layers::Table;
use super::overrides::{self, Changes};
use super::raw::Raw;
use super::reader::{Fallback, Section, print_list, quoted};
use super::sections::whole;
use crate::engine::catalogue::{Family, Metric, MetricSet, Subject};
use crate::engine::settings::{ColumnKind, ModelSettings, NewVersion, ReferencePolicy, Task};
use crate::engine::verdict::{Rule, SubjectPattern};
use crate::event::MAX_ITEMS;
use ::config::ValueKind;
use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::path::Path;
use std::sync::Arc;

/// Predictions that a learned reference may be made of.
const LEARN_ROWS: RangeInclusive<u64> = 10..=10_000_000;
/// Predictions from which a new version's outputs are learned, unless said otherwise.
const INHERIT_ROWS: usize = 10_000;
/// Longest name of a model, in bytes: as long as an event's may be.
const LONGEST_NAME: usize = 256;

/// What models are read with.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ModelContext<'a> {
    /// The rules before a model's overrides.
    pub(crate) rules: &'a [Rule],
    /// `limits.classes`.
    pub(crate) max_classes: usize,
    pub(crate) base_dir: &'a Path,
}

/// Every `[[model]]`, with what its overrides changed in the rules.
pub(crate) fn models(root: &Section<'_>, ctx: ModelContext<'_>) -> Vec<(ModelSettings, Changes)> {
    let blocks = root.tables("model");
    if blocks.is_empty() && root.sound(&["model"]) {
        root.refuse("model", "is missing, so nothing would be watched: write a [[model]] block");
    }
    let paths: Vec<String> = blocks.iter().map(|block| block.path("name")).collect();
    let models: Vec<(ModelSettings, Changes)> = blocks.into_iter().map(|block| model(block, ctx)).collect();
    for (i, (model, _)) in models.iter().enumerate() {
        let taker = models[..i].iter().position(|(earlier, _)| !model.name.is_empty() && covers(&earlier.name, &model.name));
        if let Some(taker) = taker {
            let message = format!("{:?} is never reached: model[{taker}] {:?} takes its events first", model.name, models[taker].0.name);
            root.reader.refuse(&paths[i], message);
        }
    }
    models
}

/// Whether every name that `later` takes is taken by `earlier`. A `*` of `later` must be met by one of `earlier`.
fn covers(earlier: &str, later: &str) -> bool {
    // the classic walk with one point of return: `*` takes as little as it can, and more when the rest does not fit
    let (pattern, name): (Vec<char>, Vec<char>) = (earlier.chars().collect(), later.chars().collect());
    let (mut p, mut n, mut star) = (0, 0, None);
    while n < name.len() {
        match pattern.get(p) {
            Some('*') => {
                star = Some((p, n));
                p += 1;
            }
            Some(c) if *c == name[n] && *c != '*' => (p, n) = (p + 1, n + 1),
            _ => match star {
                Some((at, taken)) => {
                    star = Some((at, taken + 1));
                    (p, n) = (at + 1, taken + 1);
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|c| *c == '*')
}

fn model(section: Section<'_>, ctx: ModelContext<'_>) -> (ModelSettings, Changes) {
    let name = section.checked_text(
        "name",
        Fallback::Required,
        "Name of the model as its events carry it, or a pattern with `*`; the first block that fits takes an event.",
        |text| {
            if text.len() <= LONGEST_NAME { Ok(()) } else { Err(format!("is longer than {LONGEST_NAME} bytes")) }
        },
    );
    let tasks = Task::ALL.map(|task| (task.as_str(), task));
    let task = section.choice(
        "task",
        &tasks,
        Fallback::Required,
        "What it predicts: `binary`, `multiclass`, `regression` or `ranking` (lists of items, best first).",
    );
    let (positive, classes) = classes(&section, task, ctx.max_classes);
    let reference = reference(&section, ctx.base_dir);
    let new_version = new_version(&section);
    let cells = section.count("cells", "256", 2..=100_000, "Resolution of a learned reference: cells per numeric column.");
    let bins = section.count(
        "bins",
        "10",
        2..=100,
        "Bins of a learned reference per numeric column of more than 20 values, for PSI and its like.",
    );
    let lists = ["numeric", "categorical", "text", "ignore", "segments"];
    let docs = [
        "Features that are numbers where inference gets it wrong (learned references).",
        "Features that are categories where inference gets it wrong (learned references).",
        "Features that are texts: watched by length, words, unseen words and 3-grams (learned references; never inferred).",
        "Features that are not watched.",
        "Features by which windows are also kept apart, one segment a value.",
    ];
    let [numeric, categorical, text, ignore, segments]: [Vec<String>; 5] =
        std::array::from_fn(|i| section.list(lists[i], Fallback::Text("[]"), docs[i]));
    if let Some(both) = categorical.iter().find(|name| numeric.contains(name)) {
        section.refuse("categorical", format!("{both:?} stands in numeric too"));
    }
    if let Some(both) = text.iter().find(|name| numeric.contains(name) || categorical.contains(name)) {
        section.refuse("text", format!("{both:?} stands in numeric or categorical too"));
    }
    if let Some(both) = ignore.iter().find(|name| [&numeric, &categorical, &text].iter().any(|names| names.contains(name))) {
        section.refuse("ignore", format!("{both:?} has a kind in numeric, categorical or text, but is not watched"));
    }
    let of_kind = |names: Vec<String>, kind| names.into_iter().map(move |name| (Arc::<str>::from(name), kind));
    let kinds: BTreeMap<Arc<str>, ColumnKind> = of_kind(numeric, ColumnKind::Numeric)
        .chain(of_kind(categorical, ColumnKind::Categorical))
        .chain(of_kind(text, ColumnKind::Text))
        .collect();
    let asked = section.list(
        "metrics",
        Fallback::Text("[]"),
        "Metrics that are measured besides the usual ones and those that rules look at; `all`: every one.",
    );
    let estimate = section.flag(
        "estimate",
        true,
        "Whether quality is estimated from scores or predictions before labels arrive, where the reference has both; a rule on `estimated_quality` turns it on.",
    );
    let detectors = detectors(section.table("detectors"));
    let changes = overrides::apply(section.tables("override"), ctx.rules, &ignore, section.reader);
    let metrics = metrics(&section, task, &asked, &changes.rules);
    let k = section.count("k", "10", 1..=MAX_ITEMS as u64, "ranking: how many places of a list count; the rest of it is forgotten.");
    let beta = section.number("beta", "2", 0.01..=100.0, "How many times as much recall counts as precision in `f_beta`.");
    let costs = costs(&section, task, &classes);
    section.finish();
    let model = ModelSettings {
        name: name.into(),
        task: task.unwrap_or(Task::Binary),
        positive: positive.map(Into::into),
        classes: shared(classes),
        reference,
        new_version,
        cells: whole(cells),
        bins: whole(bins),
        kinds,
        segments: shared(segments),
        ignore: shared(ignore),
        metrics,
        estimate: estimate || changes.rules.iter().any(looks_at_estimates),
        k: whole(k),
        beta,
        costs,
        decision_thresholds: decision_thresholds(&changes.rules),
        detectors,
        rules: changes.rules.iter().cloned().map(Arc::new).collect(),
    };
    (model, changes)
}

/// Whether a rule asks for quality before labels arrive.
fn looks_at_estimates(rule: &Rule) -> bool {
    let estimated = SubjectPattern::Exactly(Subject::EstimatedQuality);
    rule.conditions.iter().any(|condition| condition.subject == estimated)
}

/// The usual metrics, those of ranked lists where there are any, those that rules look at, and those that are asked for by name.
fn metrics(section: &Section<'_>, task: Option<Task>, asked: &[String], rules: &[Rule]) -> MetricSet {
    let by_rules = rules.iter().flat_map(|rule| &rule.conditions).map(|condition| condition.metric);
    let of_lists = Metric::ALL.iter().copied().filter(|m| task == Some(Task::Ranking) && m.family() == Family::Ranking);
    let mut metrics: MetricSet = MetricSet::usual().iter().chain(of_lists).chain(by_rules).collect();
    for name in asked {
        match Metric::parse(name) {
            Some(metric) => metrics.insert(metric),
            None if name == "all" => metrics = MetricSet::all(),
            None => section.refuse("metrics", format!("{name:?} is no metric; `driftd check --help` and docs/STATISTICS.md list them")),
        }
    }
    metrics
}

/// The decision thresholds that rules look at, each once.
fn decision_thresholds(rules: &[Rule]) -> Vec<Arc<str>> {
    let mut thresholds: Vec<Arc<str>> = Vec::new();
    for condition in rules.iter().flat_map(|rule| &rule.conditions) {
        if let SubjectPattern::Exactly(Subject::QualityAt(threshold)) = &condition.subject
            && !thresholds.contains(threshold)
        {
            thresholds.push(threshold.clone());
        }
    }
    thresholds
}

fn shared(names: Vec<String>) -> Vec<Arc<str>> {
    names.into_iter().map(Into::into).collect()
}

/// The positive class and the classes, in canonical form, as far as the task has them.
fn classes(section: &Section<'_>, task: Option<Task>, max_classes: usize) -> (Option<String>, Vec<String>) {
    let positive = section.take(
        "positive",
        "class",
        Fallback::Text("1"),
        "binary: the class that precision and recall speak of.",
        |raw| canonical_class(raw.0),
        |class| print_class(class),
    );
    let classes = section.take(
        "classes",
        "list of classes",
        Fallback::Text("[]"),
        "The classes; empty: those of the reference, else those that are seen.",
        |raw| raw.list(|item| canonical_class(item.0)),
        |classes| print_list(classes),
    );
    let classes = classes.unwrap_or_default();
    let Some(task) = task else { return (None, Vec::new()) };
    if task != Task::Binary && section.has("positive") {
        section.refuse("positive", format!("a {} model has no positive class: leave it out", task.as_str()));
    }
    if matches!(task, Task::Regression | Task::Ranking) && section.has("classes") && !classes.is_empty() {
        section.refuse("classes", format!("a {} model has no classes: leave it out", task.as_str()));
    }
    if classes.len() > max_classes {
        section.refuse("classes", format!("names {} classes, more than limits.classes {max_classes}", classes.len()));
    }
    let n_needed = if task == Task::Binary { "two" } else { "more than two" };
    let wrong = match (task, classes.len()) {
        (_, 0) | (Task::Regression | Task::Ranking, _) => false,
        (Task::Binary, n) => n != 2,
        (Task::Multiclass, n) => n < 2,
    };
    if wrong {
        section.refuse("classes", format!("names {}, but a {} model has {n_needed}", classes.len(), task.as_str()));
    }
    let positive = (task == Task::Binary).then(|| positive.unwrap_or_else(|| "1".to_owned()));
    if let Some(positive) = &positive
        && !classes.is_empty()
        && !wrong
        && section.sound(&["positive", "classes"])
        && !classes.contains(positive)
    {
        section.refuse("positive", format!("{positive:?} is none of model classes {}", print_list(&classes)));
    }
    (positive, classes)
}

/// Whole numbers as people write them, everything else as a text.
fn print_class(class: &str) -> String {
    if class.parse::<i64>().is_ok() || matches!(class, "true" | "false") { class.to_owned() } else { quoted(class) }
}

fn reference(section: &Section<'_>, base_dir: &Path) -> ReferencePolicy {
    let parse = |raw: Raw<'_>| match &raw.0.kind {
        ValueKind::String(_) => Ok(ReferencePolicy::File { path: raw.text()?.into(), version: None }),
        ValueKind::Table(table) => reference_table(table),
        _ => Err(format!("is a path, {{ file = \"…\", version = \"…\" }} or {{ learn = 10000 }}, but {} stands there", raw.found())),
    };
    let print = |policy: &ReferencePolicy| match policy {
        ReferencePolicy::File { path, version: None } => quoted(path),
        ReferencePolicy::File { path, version: Some(version) } => format!("{{ file = {path:?}, version = {version:?} }}"),
        ReferencePolicy::Learn { rows } => format!("{{ learn = {rows} }}"),
    };
    let doc = "What its windows are compared with: the path of a compiled reference, `{ file = \"…\", version = \"v1\" }` to limit it to one version, \
               or `{ learn = 10000 }`: the first predictions of each version.";
    let policy = section.take("reference", "reference", Fallback::Text("{ learn = 10000 }"), doc, parse, print);
    if let Some(ReferencePolicy::File { path, .. }) = &policy
        && !base_dir.join(path.as_ref()).is_file()
    {
        let place = base_dir.join(path.as_ref());
        section.refuse("reference", format!("there is no file {}: make it with `driftd reference build`", place.display()));
    }
    policy.unwrap_or(ReferencePolicy::Learn { rows: INHERIT_ROWS })
}

fn reference_table(table: &Table) -> Result<ReferencePolicy, String> {
    only_keys(table, &["file", "version", "learn"])?;
    let named = |key: &str, message: String| format!("{key}: {message}");
    match (table.get("file"), table.get("version"), table.get("learn")) {
        (Some(file), version, None) => {
            let path = Raw(file).text().map_err(|m| named("file", m))?;
            let version = version.map(|version| match &version.kind {
                ValueKind::I64(number) => Ok(number.to_string()),
                _ => Raw(version).text().map_err(|m| named("version", m)),
            });
            Ok(ReferencePolicy::File { path: path.into(), version: version.transpose()?.map(Into::into) })
        }
        (None, None, Some(rows)) => {
            let rows = Raw(rows).count(&LEARN_ROWS).map_err(|m| named("learn", m))?;
            Ok(ReferencePolicy::Learn { rows: whole(rows) })
        }
        _ => Err("has either a file (and its version) or learn".to_owned()),
    }
}

fn only_keys(table: &Table, known: &[&str]) -> Result<(), String> {
    let unknown = table.keys().filter(|key| !known.contains(&key.as_str())).min();
    unknown.map_or(Ok(()), |key| Err(format!("{key}: no such key{}", super::suggest::hint(key, known.iter().copied()))))
}

fn new_version(section: &Section<'_>) -> NewVersion {
    let parse = |raw: Raw<'_>| match &raw.0.kind {
        ValueKind::String(text) if text == "inherit" => Ok(NewVersion::Inherit { rows: INHERIT_ROWS }),
        ValueKind::Table(table) => {
            only_keys(table, &["learn", "inherit"])?;
            let rows = |key: &str| table.get(key).map(|rows| Raw(rows).count(&LEARN_ROWS).map_err(|m| format!("{key}: {m}"))).transpose();
            match (rows("learn")?, rows("inherit")?) {
                (Some(rows), None) => Ok(NewVersion::Learn { rows: whole(rows) }),
                (None, Some(rows)) => Ok(NewVersion::Inherit { rows: whole(rows) }),
                _ => Err("has either learn or inherit".to_owned()),
            }
        }
        _ => Err(format!("is \"inherit\" or {{ learn = 10000 }}, but {} stands there", raw.found())),
    };
    let print = |policy: &NewVersion| match policy {
        NewVersion::Inherit { rows: INHERIT_ROWS } => quoted("inherit"),
        NewVersion::Inherit { rows } => format!("{{ inherit = {rows} }}"),
        NewVersion::Learn { rows } => format!("{{ learn = {rows} }}"),
    };
    let doc = "What a version without a reference of its own is compared with: `\"inherit\"` (the model's reference for the inputs; the outputs are \
               learned from its first 10000 predictions, `{ inherit = N }` for another number) or `{ learn = N }` (both are learned).";
    let policy = section.take("new_version", "policy", Fallback::Text("\"inherit\""), doc, parse, print);
    policy.unwrap_or(NewVersion::Inherit { rows: INHERIT_ROWS })
}

#[cfg(test)]
mod tests {
    use super::covers;

    #[test]
    fn patterns_that_leave_nothing_to_a_later_block() {
        for (earlier, later, taken) in [
            ("*", "fraud", true),
            ("fraud-*", "fraud-eu", true),
            ("fraud-*", "fraud-*", true),
            ("fraud-*", "*", false),
            ("*", "a*b", true),
            ("*-eu", "fraud-eu-eu", true),
            ("a*b*c", "axxbyyc", true),
            ("a*b*c", "axxbyy", false),
            ("fraud", "fraud-*", false),
            ("", "x", false),
        ] {
            assert_eq!(covers(earlier, later), taken, "{earlier} {later}");
        }
    }
}
