//! docs/PERFORMANCE.md: the machine, the goals, the tables.

use crate::figure::{Figure, table};
use driftd::event::Timestamp;
use std::fs::read_to_string;
use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};

const PAGE: &str = "docs/PERFORMANCE.md";
const MARKS: (&str, &str) = ("<!-- written by make bench-pipeline -->\n", "<!-- end of what make bench-pipeline writes -->");
/// Dependencies that a figure depends on most.
const CRATES: [&str; 3] = ["rdkafka", "rdkafka-sys", "serde_json"];

/// Where and with what it was measured, in a sentence without its full stop.
pub(crate) fn machine() -> String {
    let cpus = read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpus.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": ")).map_or("unknown", |(_, name)| name);
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let load = read_to_string("/proc/loadavg").unwrap_or_default();
    let load = load.split(' ').next().unwrap_or_default();
    let rustc = Command::new("rustc").arg("--version").output().map(|output| String::from_utf8_lossy(&output.stdout).into_owned());
    let rustc = rustc.unwrap_or_default().split(' ').take(2).collect::<Vec<_>>().join(" ");
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as i64);
    let date = Timestamp(now).to_string();
    let lock = read_to_string("Cargo.lock").unwrap_or_default();
    let version = |name: &str| {
        let entry = lock.split_once(&format!("name = \"{name}\"\nversion = \"")).map_or("", |(_, rest)| rest);
        format!("{name} {}", entry.split('"').next().unwrap_or_default())
    };
    let (date, crates) = (&date[..10], CRATES.map(version).join(", "));
    let driftd = env!("CARGO_PKG_VERSION");
    format!("{date}, {cores} cores of {model}, load {load} at the end; driftd {driftd}, {rustc}, {crates}")
}

/// The goals that figures are held to, and the tables of the scenes.
pub(crate) fn text(scenes: &[(&str, Vec<Figure>)], command: &str) -> String {
    let mut text = format!("{}; `{command}`.\n\n", machine());
    let with_goal = |(scene, figures): &(&str, Vec<Figure>)| -> Vec<Figure> {
        let named = |figure: &Figure| Figure { name: format!("{scene}: {}", figure.name), ..figure.clone() };
        figures.iter().filter(|figure| figure.goal.is_some()).map(named).collect()
    };
    let goals: Vec<Figure> = scenes.iter().flat_map(with_goal).collect();
    if !goals.is_empty() {
        text += &format!("{}\n", table("goal", &goals));
    }
    for (scene, figures) in scenes {
        text += &format!("{}\n", table(scene, figures));
    }
    text
}

/// Puts the text into the page.
pub(crate) fn write(text: &str) {
    let page = read_to_string(PAGE).expect("the page is there");
    let (head, rest) = page.split_once(MARKS.0).expect("the page has its mark");
    let (_, tail) = rest.split_once(MARKS.1).expect("the page has its second mark");
    std::fs::write(PAGE, format!("{head}{}{text}{}{tail}", MARKS.0, MARKS.1)).expect("the page can be written");
}
