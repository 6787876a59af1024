//! The table at the end: what was injected when, what came of it, how fast, and who was told; then every promise.

use super::checks::Check;
use super::message::{Told, What};
use super::receivers::To;
use super::screen::{Paint, clock, wrap};
use super::story::{Injection, Record};
use comfy_table::{CellAlignment, ContentArrangement, Table, presets};
use std::collections::BTreeSet;
use std::fmt::Write;
use std::time::Instant;

/// Width of the table.
const WIDTH: u16 = 104;
/// Findings of an alert that are shown.
const SHOWN: usize = 2;

/// What was injected when, and what came of it.
pub(super) fn table(record: &Record) -> String {
    let mut table = Table::new();
    table.load_style(presets::UTF8_FULL_CONDENSED).set_content_arrangement(ContentArrangement::Dynamic);
    let width = table.width().map_or(WIDTH, |terminal| terminal.min(WIDTH));
    table.set_width(width);
    table.set_header(["what was injected", "at", "what came of it", "at", "delay", "who was told"]);
    for column in [1, 3, 4] {
        if let Some(column) = table.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    for (injection, injected) in &record.injected {
        let (mut name, mut at) = (injection.name(), clock(record.time(*injected)));
        for (first, what) in came_of(record, injection) {
            let delay = format!("{:.1} s", first.at.saturating_duration_since(*injected).as_secs_f64());
            let told = told_to(record, first);
            table.add_row([std::mem::take(&mut name), std::mem::take(&mut at), what, clock(record.time(first.at)), delay, told]);
        }
        if !name.is_empty() {
            table.add_row([name, at, "nothing".to_owned(), String::new(), String::new(), String::new()]);
        }
    }
    table.to_string()
}

/// Each promise on a line, and the last word.
pub(super) fn verdict(checks: &[Check], paint: Paint) -> String {
    let mut text = String::new();
    let width = checks.iter().map(|check| check.promise.chars().count()).max().unwrap_or(0);
    for Check { promise, outcome } in checks {
        let (mark, what) = match outcome {
            Ok(what) => (paint.good("✓"), what),
            Err(what) => (paint.bad("✗"), what),
        };
        for (i, part) in wrap(what, usize::from(WIDTH) - width - 6).iter().enumerate() {
            let part = if outcome.is_ok() { paint.faint(part) } else { paint.bad(part) };
            let head = if i == 0 { format!("  {mark} {promise:width$}") } else { " ".repeat(width + 4) };
            writeln!(text, "{head}  {part}").expect("a String takes everything");
        }
    }
    text
}

/// The first message of everything that an injection led to, in words, in order of time.
fn came_of<'a>(record: &'a Record, injection: &Injection) -> Vec<(&'a Told, String)> {
    let mut seen = BTreeSet::new();
    let firsts = record.told.iter().filter(move |told| seen.insert((told.what as u8, told.incident.as_str())));
    firsts.filter_map(|told| Some((told, consequence(record, told, injection)?))).collect()
}

/// What a message says, where the injection is what it comes from.
fn consequence(record: &Record, told: &Told, injection: &Injection) -> Option<String> {
    let is_drift = told.rule == "feature-drift";
    match (told.what, injection) {
        (What::Firing, Injection::Drift) if is_drift => Some(alert(record, told)),
        (What::Firing, Injection::Concept) if !is_drift => Some(alert(record, told)),
        (What::Retrain, Injection::Concept) => Some("retraining asked for".to_owned()),
        (What::Resolved, Injection::Deploy { .. }) => {
            let rule = record.told.iter().find(|other| other.incident == told.incident && !other.rule.is_empty());
            Some(format!("{} resolved", rule.map_or("?", |other| &other.rule)))
        }
        _ => None,
    }
}

fn alert(record: &Record, told: &Told) -> String {
    // Slack's message says it in words
    let told = record.messages(To::Slack, What::Firing).find(|slack| slack.incident == told.incident).unwrap_or(told);
    let mut about: Vec<&str> = told.worst.iter().map(super::message::Finding::of).collect();
    let mut seen = BTreeSet::new();
    about.retain(|name| seen.insert(*name));
    let more = if about.len() > SHOWN { ", …" } else { "" };
    about.truncate(SHOWN);
    format!("{}: {}{more}", told.rule, about.join(", "))
}

fn told_to(record: &Record, first: &Told) -> String {
    let was_told = |to: &To| record.messages(*to, first.what).any(|told| told.incident == first.incident);
    To::ALL.into_iter().filter(was_told).map(To::as_str).collect::<Vec<_>>().join(", ")
}

/// How long the story took.
pub(super) fn took(record: &Record, now: Instant) -> String {
    format!("{:.0} s", record.time(now).as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::demo::story::tests::good_story;

    #[test]
    fn every_cause_has_its_consequences() {
        let (story, _) = good_story();
        let table = table(&story.record);
        let line = |part: &str| table.lines().find(|line| line.contains(part)).unwrap_or_else(|| panic!("{part} in\n{table}")).to_owned();
        assert!(line("feature-drift: amount, age").contains("6.0 s"), "{table}");
        assert!(line("model-quality: recall, accuracy").contains("Slack, PagerDuty"), "{table}");
        assert!(line("retraining asked for").contains("pipeline"), "{table}");
        assert!(line("model-quality resolved").contains("6.0 s"), "{table}");
        assert!(line("v2 is deployed").contains("feature-drift resolved"), "{table}");
    }

    #[test]
    fn what_failed_is_marked() {
        let checks =
            [Check { promise: "this", outcome: Ok("fine".into()) }, Check { promise: "that other", outcome: Err("not at all".into()) }];
        assert_eq!(verdict(&checks, Paint { is_on: false }), "  ✓ this        fine\n  ✗ that other  not at all\n");
    }
}
