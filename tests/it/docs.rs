//! Holds README.md and the pages under `docs/` to the code: what they list is what there is, and what they show works.

use crate::support::{root, rust_files};
use driftd::edge::encode::Line;
use driftd::edge::notify::backoff_ms;
use driftd::engine::alert::{CauseKind, FailureReason};
use driftd::engine::metric::{UndefinedReason, Verdict};
use driftd::engine::reference::{Direction, Movement};
use driftd::engine::shard::Counts;
use driftd::event::{InvalidReason, RejectReason};
use serde_json::Value;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};

/// Pages that are written by hand.
const PAGES: [&str; 11] = [
    "README.md",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "SECURITY.md",
    "docs/ALERTS.md",
    "docs/ARCHITECTURE.md",
    "docs/DEVELOPING.md",
    "docs/EVENTS.md",
    "docs/GLOSSARY.md",
    "docs/PERFORMANCE.md",
    "docs/STATISTICS.md",
];

/// Words that a reader of the code or of an alert must be able to look up.
const TERMS: [&str; 44] = [
    "alert",
    "amended",
    "bin",
    "bound",
    "canonical class",
    "category",
    "cell",
    "checkpoint",
    "concept drift",
    "condition",
    "confirmation",
    "coverage",
    "data drift",
    "duplicate",
    "effect",
    "episode",
    "event time",
    "evaluator",
    "horizon",
    "incident",
    "label",
    "late",
    "lateness",
    "learned reference",
    "mature",
    "measurement",
    "metric",
    "offset",
    "outbox",
    "pane",
    "prediction",
    "reading",
    "receiver",
    "reference",
    "reject reason",
    "resolve level",
    "rule",
    "segment",
    "shard",
    "snapshot",
    "subject",
    "verdict",
    "watermark",
    "window",
];

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The text between two marks, the second being the first end of a comment's block after it.
#[track_caller]
fn between<'a>(text: &'a str, begin: &str, end: &str) -> &'a str {
    let (_, rest) = text.split_once(begin).unwrap_or_else(|| panic!("{begin:?} is missing"));
    rest.split_once(end).unwrap_or_else(|| panic!("{end:?} is missing after {begin:?}")).0
}

/// The cells of a Markdown table's rows, without its head.
fn rows(table: &str) -> Vec<Vec<String>> {
    let lines = table.lines().filter(|line| line.starts_with('|')).skip(2);
    lines.map(|line| line.trim_matches('|').split(" | ").map(|cell| cell.trim().trim_matches('|').trim().to_owned()).collect()).collect()
}

fn code(cell: &str) -> String {
    cell.trim_matches('`').to_owned()
}

/// The names in the first column of the table between two comments of a page.
fn listed(page: &str, name: &str) -> Vec<String> {
    let text = read(page);
    let table = between(&text, &format!("<!-- {name}: "), &format!("<!-- end of {name} -->"));
    rows(table).iter().map(|row| code(&row[0])).collect()
}

/// The first fenced block after a mark.
#[track_caller]
fn block<'a>(text: &'a str, mark: &str, language: &str) -> &'a str {
    let (_, rest) = text.split_once(mark).unwrap_or_else(|| panic!("{mark:?} is missing"));
    between(rest, &format!("```{language}\n"), "```")
}

/// The fenced blocks of a language, of the whole page.
fn blocks<'a>(text: &'a str, language: &str) -> Vec<&'a str> {
    let fence = format!("```{language}\n");
    text.split(fence.as_str()).skip(1).map(|rest| rest.split("```").next().unwrap()).collect()
}

fn driftd(directory: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_driftd")).current_dir(directory).args(arguments).output().unwrap()
}

#[track_caller]
fn assert_runs(directory: &Path, arguments: &[&str]) -> String {
    let output = driftd(directory, arguments);
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "driftd {}: {text}{}", arguments.join(" "), String::from_utf8_lossy(&output.stderr));
    text
}

#[test]
fn the_readme_shows_the_minimal_configuration() {
    assert_eq!(block(&read("README.md"), "<!-- the same as config/minimal.toml", "toml"), read("config/minimal.toml"));
}

/// One row of the table for each condition of the built-in rules, in their order.
#[test]
fn the_readme_has_the_documented_thresholds() {
    let rules: toml::Table = read("alerts/default.toml").parse().unwrap();
    let mut expected = Vec::new();
    for rule in rules["rule"].as_array().unwrap() {
        let wants_retraining = if rule["retrain"].as_bool().unwrap() { ", retraining" } else { "" };
        for condition in rule["condition"].as_array().unwrap() {
            let (side, bound) = condition.get("above").map_or_else(|| ("<", &condition["below"]), |above| (">", above));
            let bound = bound.as_str().map_or_else(|| number(&bound.to_string()), str::to_owned);
            expected.push(vec![
                rule["name"].as_str().unwrap().to_owned(),
                words_for(condition).to_owned(),
                condition["metric"].as_str().unwrap().to_owned(),
                format!("{side} {bound}"),
                format!("{}{wants_retraining}", rule["severity"].as_str().unwrap()),
            ]);
        }
    }
    let readme = read("README.md");
    let table = rows(between(&readme, "<!-- thresholds: ", "<!-- end of thresholds -->"));
    let listed: Vec<Vec<String>> = table
        .iter()
        .map(|row| {
            let (side, bound) = row[3].split_once(' ').unwrap();
            vec![code(&row[0]), row[1].clone(), code(&row[2]), format!("{side} {}", number(bound)), row[4].clone()]
        })
        .collect();
    assert_eq!(listed, expected);
}

/// A number in one form; anything else as it is.
fn number(text: &str) -> String {
    text.parse::<f64>().map_or_else(|_| text.to_owned(), |number| number.to_string())
}

fn words_for(condition: &toml::Value) -> &'static str {
    let part = |key| condition.get(key).and_then(toml::Value::as_str);
    match (part("subject").unwrap(), part("kind").or(part("task"))) {
        ("feature:*", Some("numeric")) => "numeric inputs",
        ("feature:*", Some("categorical")) => "categorical inputs",
        ("feature:*", None) => "inputs",
        ("data", None) => "the data",
        ("prediction", Some("categorical")) => "predicted classes",
        ("prediction", Some("numeric")) => "predicted numbers",
        ("label", Some("categorical")) => "labelled classes",
        ("label", Some("numeric")) => "labelled numbers",
        ("quality", None) => "quality",
        ("quality", Some("regression")) => "quality of a regression",
        ("service", None) => "service",
        other => panic!("the README has no words for {other:?}"),
    }
}

#[test]
fn the_readme_lists_every_command() {
    let directory = tempfile::tempdir().unwrap();
    let help = assert_runs(directory.path(), &["--help"]);
    let commands = between(&help, "Commands:\n", "\n\n").lines().filter_map(|line| line.strip_prefix("  ")).filter(|l| !l.starts_with(' '));
    let readme = read("README.md");
    for command in commands.filter_map(|line| line.split_whitespace().next()).filter(|name| *name != "help") {
        assert!(readme.contains(&format!("| `driftd {command}` |")), "{command}");
    }
}

#[test]
fn the_page_of_events_has_every_reason() {
    let rejects: Vec<_> = RejectReason::ALL.iter().map(|reason| reason.as_str()).collect();
    assert_eq!(listed("docs/EVENTS.md", "reasons"), rejects);
    let invalid: Vec<_> = InvalidReason::ALL.iter().map(|reason| reason.as_str()).collect();
    assert_eq!(listed("docs/EVENTS.md", "invalid values"), invalid);
    let undefined: Vec<_> = UndefinedReason::ALL.iter().map(|reason| reason.as_str()).collect();
    assert_eq!(listed("docs/EVENTS.md", "undefined"), undefined);
    let not_enough = Verdict::NotEnough { n: 0, need: 1 };
    let undefined = Verdict::Undefined(UndefinedReason::NoData);
    let verdicts = [Verdict::Ok, Verdict::Breach, not_enough, Verdict::NotSignificant, Verdict::Immature, undefined].map(Verdict::as_str);
    assert_eq!(listed("docs/EVENTS.md", "verdicts"), verdicts);
    let moved = |direction| CauseKind::Moved(Movement { direction, means: None });
    let causes = [
        CauseKind::NullSurge { reference: None, current: 0.0 },
        CauseKind::InvalidSurge { reference: None, current: 0.0 },
        CauseKind::Stuck,
        CauseKind::NewValues { rate: 0.0 },
        moved(Direction::Up),
        moved(Direction::Down),
        moved(Direction::BothWays),
        moved(Direction::Shares),
    ];
    assert_eq!(listed("docs/EVENTS.md", "causes"), causes.map(CauseKind::as_str));
}

/// The events of the page are taken, and its summary line is one that the program writes.
#[test]
fn the_events_of_the_page_are_taken() {
    let page = read("docs/EVENTS.md");
    let shown: Vec<&str> = blocks(&page, "json").into_iter().map(str::trim_end).collect();
    let (prediction, label) = (shown[0], shown[1]);
    let directory = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| fs::write(directory.path().join(name), text).unwrap();
    write("p.jsonl", prediction);
    write("l.jsonl", label);
    write("driftd.toml", "[[model]]\nname = \"*\"\ntask = \"binary\"\n");
    let lines = assert_runs(directory.path(), &["replay", "--predictions", "p.jsonl", "--labels", "l.jsonl"]);
    let summary: Value = serde_json::from_str(lines.lines().last().unwrap()).unwrap();
    assert_eq!(summary["counts"]["applied"], 2, "{summary}");
    assert_eq!(summary["counts"]["rejected"], Value::Object(Default::default()), "{summary}");
    let mut written = Vec::new();
    Line::summary(&Counts::default(), 0, 0).write(&mut written).unwrap();
    let written: Value = serde_json::from_slice(&written).unwrap();
    let shown_summary = shown.iter().find(|line| line.starts_with("{\"kind\":\"summary\"")).unwrap();
    let shown_summary: Value = serde_json::from_str(shown_summary).unwrap();
    let keys = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!(keys(&shown_summary), keys(&written));
    assert_eq!(keys(&shown_summary["counts"]), keys(&written["counts"]));
    let counts = &shown_summary["counts"];
    let rejected: u64 = counts["rejected"].as_object().unwrap().values().map(|n| n.as_u64().unwrap()).sum();
    let settled: u64 = ["applied", "late", "duplicate", "in_flight"].iter().map(|key| counts[key].as_u64().unwrap()).sum();
    assert_eq!(counts["received"], settled + rejected, "received is the sum of the rest");
}

#[test]
fn the_webhooks_of_the_page_are_the_golden_ones() {
    let page = read("docs/EVENTS.md");
    for name in ["webhook-firing-sparse.json", "webhook-retrain-sparse.json"] {
        let file = format!("tests/data/webhooks/{name}");
        let shown: Value = serde_json::from_str(block(&page, &format!("<!-- the same as {file} -->"), "json")).unwrap();
        assert_eq!(shown, serde_json::from_str::<Value>(&read(&file)).unwrap(), "{file}");
    }
}

#[test]
fn the_rules_of_the_page_are_accepted() {
    let page = read("docs/ALERTS.md");
    let directory = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| fs::write(directory.path().join(name), text).unwrap();
    write("rules.toml", block(&page, "runs `driftd check` on this file -->", "toml"));
    let model = "[[model]]\nname = \"fraud\"\ntask = \"binary\"\n";
    let receiver = "[[receiver]]\nname = \"team\"\ntype = \"webhook\"\nurl = \"http://127.0.0.1:9/\"\n";
    write("rules-in-force.toml", &format!("[rules]\nfiles = [\"rules.toml\"]\n{model}{receiver}"));
    assert_runs(directory.path(), &["check", "--config", "rules-in-force.toml"]);
    write("changes.toml", block(&page, "runs `driftd check` on these rules -->", "toml"));
    write("changes-in-force.toml", &format!("[rules]\nfiles = [\"changes.toml\"]\n{model}"));
    assert_runs(directory.path(), &["check", "--config", "changes-in-force.toml"]);
    write("overrides.toml", block(&page, "runs `driftd check` on this -->", "toml"));
    assert_runs(directory.path(), &["check", "--config", "overrides.toml"]);
    fs::create_dir(directory.path().join("tests")).unwrap();
    write("tests/one.toml", block(&page, "runs this test on the built-in rules -->", "toml"));
    write("built-in.toml", model);
    assert_runs(directory.path(), &["check", "--config", "built-in.toml", "--rules-tests", "tests"]);
}

#[test]
fn the_page_of_alerts_has_every_failure() {
    let page = read("docs/ALERTS.md");
    let failures = rows(between(&page, "<!-- failures: ", "<!-- end of failures -->"));
    let listed: BTreeSet<String> = failures.iter().filter_map(|row| row.get(2)).map(|cell| code(cell)).filter(|c| !c.is_empty()).collect();
    let expected: BTreeSet<String> = FailureReason::ALL.iter().map(|reason| reason.as_str().to_owned()).collect();
    assert_eq!(listed, expected);
}

#[test]
fn the_delays_of_the_page_are_those_of_the_notifier() {
    let page = read("docs/ALERTS.md").replace('\n', " ");
    assert!(page.contains("after 1 s, 2 s, 4 s, 8 s, 16 s, 32 s, then every minute for about half an hour, then every 5 minutes"));
    assert!(page.contains("each up to a quarter sooner"));
    let delays = [(0, 1), (1, 2), (2, 4), (3, 8), (4, 16), (5, 32), (6, 60), (30, 60), (100, 300)];
    for (attempt, seconds) in delays {
        let ms = backoff_ms(attempt, "id");
        assert!((750 * seconds..=1000 * seconds).contains(&ms), "attempt {attempt}: {ms} ms");
    }
}

#[test]
fn the_glossary_is_sorted_and_has_the_words() {
    let page = read("docs/GLOSSARY.md");
    let words: Vec<String> =
        page.lines().filter_map(|line| line.strip_prefix("- **")?.split_once("**")).map(|(word, _)| word.to_lowercase()).collect();
    let mut sorted = words.clone();
    sorted.sort();
    assert_eq!(words, sorted);
    let missing: Vec<_> = TERMS.iter().filter(|term| !words.iter().any(|word| word == *term)).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

/// The tests that the invariants name are there, and so are the files.
#[test]
fn the_architecture_names_what_there_is() {
    let page = read("docs/ARCHITECTURE.md");
    let sources = all_sources();
    let invariants = rows(between(&page, "<!-- invariants: ", "<!-- end of invariants -->"));
    assert_eq!(invariants.iter().map(|row| code(&row[0])).collect::<Vec<_>>(), (1..=10).map(|n| format!("I{n}")).collect::<Vec<_>>());
    for row in &invariants {
        let tests: Vec<&str> = row[3].split('`').skip(1).step_by(2).collect();
        assert!(!tests.is_empty(), "{} names no test", row[0]);
        for test in tests {
            assert!(sources.contains(&format!("fn {test}(")), "{}: no test is called {test}", row[0]);
        }
    }
    for path in
        page.split('`').skip(1).step_by(2).filter(|word| ["src/", "tests/", "alerts/", "config/"].iter().any(|d| word.starts_with(d)))
    {
        assert!(root().join(path).exists(), "docs/ARCHITECTURE.md: {path}");
    }
}

fn all_sources() -> String {
    rust_files("src").into_iter().chain(rust_files("tests")).map(|(_, text)| text).collect()
}

/// Links and pictures within the repository lead somewhere.
#[test]
fn links_lead_somewhere() {
    for page in PAGES {
        let text = read(page);
        let folder = root().join(page).parent().unwrap().to_owned();
        for target in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let path = target.split('#').next().unwrap();
            if !target.contains("://") && !path.is_empty() {
                assert!(folder.join(path).exists(), "{page}: {target}");
            }
        }
    }
}
