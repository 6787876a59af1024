//! Who may name whom (docs/ARCHITECTURE.md): a scan over the text of `src/`, so that a forbidden edge fails with file and line.
//!
//! It reads paths (`crate::…`, `super::…`, `std::…`, names of crates) after comments, strings and test code were blanked out.
//! It does not resolve names: a path through a re-export counts as what is written.

use crate::support::rust_files;
use crate::support::source::{Finding, Path, code_of, line_of, paths_in};
use std::collections::BTreeSet;

/// Steps of the engine; one may name those of lower rank and itself. `settings` is data that every step may name.
const ENGINE_RANKS: &[(&str, u8)] = &[
    ("catalogue", 0),
    ("summary", 0),
    ("part", 0),
    ("reference", 1),
    ("join", 1),
    ("window", 1),
    ("metric", 2),
    ("published", 2),
    ("calibration", 3),
    ("verdict", 3),
    ("alert", 4),
    ("shard", 5),
    ("evaluator", 5),
];

/// Crates and modules that the core (event, stats, engine) may not name: the world is at the rim.
const NOT_IN_CORE: &[&str] = &[
    "tokio",
    "rdkafka",
    "axum",
    "hyper",
    "reqwest",
    "tracing",
    "tracing_subscriber",
    "serde_json",
    "csv",
    "parquet",
    "minijinja",
    "prometheus_client",
    "std::fs",
    "std::net",
    "std::env",
    "std::process",
    "std::thread",
];

/// Calls that read the clock or global randomness, as the last part of a path.
const NOT_CALLED_IN_CORE: &[&str] = &["now", "thread_rng", "rng", "random", "from_os_rng", "from_entropy"];

/// Files of the engine whose types are data that configuration is made of.
const SETTINGS_FILES: &[&str] =
    &["engine/verdict/rule.rs", "engine/catalogue/metric.rs", "engine/catalogue/subject.rs", "engine/metric/measurement.rs"];

const MAX_FILE_LINES: usize = 500;
const MAX_MAIN_LINES: usize = 80;

#[test]
fn every_room_names_only_what_it_may() {
    let files = sources();
    let settings = settings_types(&files);
    let findings: Vec<String> =
        files.iter().flat_map(|(path, text)| check_file(path, text, &settings)).map(|finding| finding.to_string()).collect();
    assert!(findings.is_empty(), "forbidden edges:\n{}", findings.join("\n"));
}

#[test]
fn files_stay_readable() {
    let too_long: Vec<String> = sources()
        .iter()
        .map(|(path, text)| (path, text.lines().count(), if path == "main.rs" { MAX_MAIN_LINES } else { MAX_FILE_LINES }))
        .filter(|(_, n_lines, max)| n_lines > max)
        .map(|(path, n_lines, max)| format!("src/{path}: {n_lines} lines, at most {max}"))
        .collect();
    assert!(too_long.is_empty(), "split these:\n{}", too_long.join("\n"));
}

/// Every `.rs` file below `src/` with its path from there, in order.
fn sources() -> Vec<(String, String)> {
    let files = rust_files("src");
    assert!(files.len() > 20, "the scan sees only {} files", files.len());
    files
}

/// Names of the public types that configuration may name: those of every `settings.rs` and of [`SETTINGS_FILES`].
fn settings_types(files: &[(String, String)]) -> BTreeSet<String> {
    let is_settings = |path: &str| path.ends_with("/settings.rs") || SETTINGS_FILES.contains(&path);
    let definitions = files.iter().filter(|(path, _)| is_settings(path)).flat_map(|(_, text)| text.lines().map(str::trim_start));
    let words = definitions.filter_map(|line| line.strip_prefix("pub struct ").or_else(|| line.strip_prefix("pub enum ")));
    words.map(|rest| rest.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap().to_owned()).collect()
}

/// All forbidden edges of one file; `path` is relative to `src/`.
fn check_file(path: &str, text: &str, settings: &BTreeSet<String>) -> Vec<Finding> {
    if path == "lib.rs" || path.ends_with("tests.rs") || path.contains("/tests/") {
        return Vec::new();
    }
    let from = module_of(path);
    let code = code_of(text);
    let mut findings = Vec::new();
    for Path { offset, segments } in paths_in(&code, &from) {
        if let Some(edge) = forbidden(path, &from, &segments, settings) {
            findings.push(Finding { file: format!("src/{path}"), line: line_of(&code, offset), edge });
        }
    }
    findings
}

/// `engine/window/pane.rs` → `engine`, `window`, `pane`; `engine/mod.rs` → `engine`.
fn module_of(path: &str) -> Vec<String> {
    let stem = path.strip_suffix(".rs").unwrap();
    let stem = stem.strip_suffix("/mod").unwrap_or(stem);
    stem.split('/').map(str::to_owned).collect()
}

/// Why `from` may not name `to`, if so. `to` begins with `crate` for our own modules, otherwise with a crate.
fn forbidden(file: &str, from: &[String], to: &[String], settings: &BTreeSet<String>) -> Option<String> {
    let room = from[0].as_str();
    let full = to.join("::");
    let refuse = |rule: &str| Some(format!("{} names {full}: {rule}", from.join("::")));
    if to[0] != "crate" {
        if to[0] == "rdkafka" && !file.starts_with("edge/ingest/") {
            return refuse("only edge::ingest names rdkafka");
        }
        let in_core = matches!(room, "event" | "stats" | "engine");
        let begins_with = |banned: &&str| full == **banned || full.starts_with(&format!("{banned}::"));
        if in_core && NOT_IN_CORE.iter().any(begins_with) {
            return refuse("the core does no I/O");
        }
        if in_core && to.len() > 1 && NOT_CALLED_IN_CORE.contains(&to[to.len() - 1].as_str()) {
            return refuse("the core reads no clock and no global randomness");
        }
        return None;
    }
    let target = to.get(1).map_or("", String::as_str);
    let own = target == room;
    match room {
        "app" | "cli" => None,
        "main" if target != "cli" => refuse("main names only cli"),
        "main" => None,
        "event" | "stats" | "telemetry" if !own => refuse("it names nothing of ours"),
        "event" | "stats" | "telemetry" => None,
        "engine" if own => engine_step(from, to).and_then(refuse),
        "engine" if !matches!(target, "event" | "stats") => refuse("the engine names event and stats"),
        "engine" => None,
        "edge" if own => match (from.get(1), to.get(2)) {
            (Some(mine), Some(other)) if mine != other => refuse("rooms of edge do not name each other"),
            _ => None,
        },
        "edge" if !matches!(target, "event" | "engine" | "telemetry") => refuse("edge names event, engine and telemetry"),
        "edge" => None,
        "serve" if !own && !matches!(target, "event" | "config" | "telemetry") => {
            refuse("serve names event, its view, config and telemetry")
        }
        "serve" => None,
        "config" if own || target == "event" => None,
        "config" if to.iter().any(|part| part == "settings" || settings.contains(part)) => None,
        "config" => refuse("config names settings, and none of the machinery"),
        _ => refuse("this room has no rule yet: add one here and in docs/ARCHITECTURE.md"),
    }
}

/// Why a step of the engine may not name another, if so.
fn engine_step(from: &[String], to: &[String]) -> Option<&'static str> {
    let (mine, other) = (from.get(1)?.as_str(), to.get(2)?.as_str());
    if mine == other || mine == "settings" || other == "settings" {
        return None;
    }
    let rank = |step: &str| ENGINE_RANKS.iter().find(|(name, _)| *name == step).map(|(_, rank)| *rank);
    match (rank(mine), rank(other)) {
        (Some(mine), Some(other)) if other < mine => None,
        (Some(_), Some(_)) => Some(
            "steps of the engine name only earlier ones: summary, then reference, join, window, then metric, verdict, alert, shard and evaluator",
        ),
        _ => Some("this step of the engine has no rank yet: add one here and in docs/ARCHITECTURE.md"),
    }
}

#[track_caller]
fn check(path: &str, text: &str, expected: &[&str]) {
    let settings = BTreeSet::from(["ChannelSettings".to_owned(), "Rule".to_owned()]);
    let found: Vec<String> = check_file(path, text, &settings).iter().map(ToString::to_string).collect();
    assert_eq!(found.len(), expected.len(), "{found:#?}");
    for (found, expected) in found.iter().zip(expected) {
        assert!(found.starts_with(expected), "{found}\nshould begin with {expected}");
    }
}

#[test]
fn planted_edges_between_rooms_are_found() {
    check("event/kind.rs", "\nuse crate::stats::psi;\n", &["src/event/kind.rs:2: event::kind names crate::stats::psi"]);
    check(
        "engine/join/mod.rs",
        "use crate::edge::notify::Channel;",
        &["src/engine/join/mod.rs:1: engine::join names crate::edge::notify::Channel"],
    );
    check(
        "engine/window/pane.rs",
        "use crate::engine::alert::Outbox;",
        &["src/engine/window/pane.rs:1: engine::window::pane names crate::engine::alert::Outbox"],
    );
    check("engine/join/mod.rs", "use super::window::Pane;", &["src/engine/join/mod.rs:1: engine::join names crate::engine::window::Pane"]);
    check(
        "edge/decode/json.rs",
        "fn f() -> super::super::state::Disk {}",
        &["src/edge/decode/json.rs:1: edge::decode::json names crate::edge::state::Disk"],
    );
    check("edge/state/mod.rs", "use crate::config::Config;", &["src/edge/state/mod.rs:1: edge::state names crate::config::Config"]);
    check("serve/view.rs", "use crate::engine::shard::Shard;", &["src/serve/view.rs:1: serve::view names crate::engine::shard::Shard"]);
    check("config/raw.rs", "use crate::edge::notify::Worker;", &["src/config/raw.rs:1: config::raw names crate::edge::notify::Worker"]);
    check("main.rs", "use driftd::engine::shard;", &["src/main.rs:1: main names crate::engine::shard"]);
    check("utils/mod.rs", "use crate::event::Event;", &["src/utils/mod.rs:1: utils names crate::event::Event"]);
    check(
        "engine/magic/mod.rs",
        "use crate::engine::join::Join;",
        &["src/engine/magic/mod.rs:1: engine::magic names crate::engine::join::Join"],
    );
}

#[test]
fn planted_edges_to_the_world_are_found() {
    check("stats/psi.rs", "fn f() { tokio::spawn(g()); }", &["src/stats/psi.rs:1: stats::psi names tokio::spawn"]);
    check(
        "engine/join/mod.rs",
        "use std::{\n    collections::BTreeMap,\n    fs::File,\n};",
        &["src/engine/join/mod.rs:3: engine::join names std::fs::File"],
    );
    check("event/time.rs", "let t = std::time::Instant::now();", &["src/event/time.rs:1: event::time names std::time::Instant::now"]);
    check("event/time.rs", "let t = jiff::Timestamp::now();", &["src/event/time.rs:1: event::time names jiff::Timestamp::now"]);
    check("event/time.rs", "let t = Instant::now();", &["src/event/time.rs:1: event::time names Instant::now"]);
    check("engine/shard/mod.rs", "let r = rand::thread_rng();", &["src/engine/shard/mod.rs:1: engine::shard names rand::thread_rng"]);
    check(
        "edge/notify/slack.rs",
        "use rdkafka::consumer::Consumer;",
        &["src/edge/notify/slack.rs:1: edge::notify::slack names rdkafka::consumer::Consumer"],
    );
    check("cli/demo.rs", "use rdkafka::mocking::MockCluster;", &["src/cli/demo.rs:1: cli::demo names rdkafka::mocking::MockCluster"]);
}

#[test]
fn every_part_of_a_group_is_seen() {
    let text = "use crate::{\n    event::Event,\n    engine::{metric::Metric, alert::{self, Outbox}},\n};\n";
    let alert = "src/engine/verdict/mod.rs:3: engine::verdict names crate::engine::alert";
    check("engine/verdict/mod.rs", text, &[&format!("{alert}:"), &format!("{alert}::Outbox")]);
}

#[test]
fn allowed_edges_comments_strings_and_tests_are_left_alone() {
    check("engine/metric/mod.rs", "use crate::engine::{window::Pane, reference::Reference, settings::Task};\nuse crate::stats;", &[]);
    check("engine/alert/outbox.rs", "use super::{AlertFacts, RetrainFacts};\nuse crate::event::Timestamp;", &[]);
    check("edge/ingest/kafka.rs", "use rdkafka::Message;\nuse super::settings::KafkaSettings;\nuse crate::telemetry::Metric;", &[]);
    check(
        "config/raw.rs",
        "use crate::edge::notify::ChannelSettings;\nuse crate::engine::verdict::Rule;\nuse crate::engine::settings::Task;",
        &[],
    );
    check(
        "serve/api/mod.rs",
        "use crate::serve::view::View;\nuse super::view;\nuse super::super::telemetry::Names;\nuse axum::Router;",
        &[],
    );
    check("app.rs", "use crate::{edge, engine, serve};", &[]);
    check(
        "event/kind.rs",
        "//! See [`crate::engine`].\n/// `tokio::spawn` /* */\nconst A: &str = \"crate::edge::x\"; /* crate::cli::y */",
        &[],
    );
    check("event/kind.rs", "const C: char = '\"'; const R: &str = r#\"a \" crate::cli::x\"#; fn f<'a>(x: &'a str) {}", &[]);
    check(
        "engine/join/mod.rs",
        "fn f() {}\n#[cfg(test)]\nmod tests {\n    use crate::cli::x;\n    fn g() { std::fs::read(\"{\"); }\n}\n",
        &[],
    );
    check("event/kind.rs", "fn f(now: Timestamp) { self.now(); let now = now; }", &[]);
    check("engine/summary/tests.rs", "use crate::edge::decode;", &[]);
}

#[test]
fn code_after_a_test_module_still_counts() {
    let text = "#[cfg(test)]\nmod tests;\n\n#[cfg(test)]\nmod more {\n    fn f() {}\n}\nuse crate::cli::x;\n";
    check("stats/mod.rs", text, &["src/stats/mod.rs:8: stats names crate::cli::x"]);
}
