//! What the demo shows while it runs: what happens as lines, and where standard output is a terminal a small block below them that is drawn anew.

use super::story::{Phase, Record};
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::collections::{BTreeMap, BTreeSet};
use std::io::{IsTerminal, Write};
use std::time::{Duration, Instant};

/// Width at which long lines are broken.
const WIDTH: usize = 100;
/// Width of the time and the name before a line's text.
const MARGIN: usize = 18;
/// Width of the line above the block; shorter than any terminal, so that it can be taken away.
const RULE: usize = 60;
/// Lines of the block.
const BLOCK: usize = 6;
/// Readings of a curve.
const CURVE: usize = 40;
/// Time between two status lines where there is no block.
const PLAIN_STATUS: Duration = Duration::from_secs(5);

/// Whose line it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Voice {
    /// The demo itself.
    Demo,
    /// Something is injected.
    Inject,
    /// The team's channel.
    Slack,
    /// Who is on call.
    PagerDuty,
    /// The training pipeline.
    Pipeline,
}

impl Voice {
    /// The name before the line.
    fn as_str(self) -> &'static str {
        match self {
            Self::Demo => "demo",
            Self::Inject => "inject",
            Self::Slack => "slack",
            Self::PagerDuty => "pagerduty",
            Self::Pipeline => "pipeline",
        }
    }

    fn colour(self) -> u8 {
        match self {
            Self::Demo => 37,
            Self::Inject => 33,
            Self::Slack => 35,
            Self::PagerDuty => 32,
            Self::Pipeline => 36,
        }
    }
}

/// Colours, where they are wanted.
#[derive(Debug, Clone, Copy)]
pub(super) struct Paint {
    /// Whether they are.
    pub is_on: bool,
}

impl Paint {
    pub(super) fn good(self, text: &str) -> String {
        self.sgr("32", text)
    }

    pub(super) fn bad(self, text: &str) -> String {
        self.sgr("31", text)
    }

    pub(super) fn faint(self, text: &str) -> String {
        self.sgr("2", text)
    }

    pub(super) fn bold(self, text: &str) -> String {
        self.sgr("1", text)
    }

    fn sgr(self, code: &str, text: &str) -> String {
        if self.is_on { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
    }
}

/// What the block shows besides the record.
#[derive(Debug, Clone, Copy)]
pub(super) struct Now {
    pub at: Instant,
    pub phase: Phase,
    /// Requests in the last seconds, by the second.
    pub rate: f64,
}

/// The standard output.
#[derive(Debug)]
pub(super) struct Screen {
    pub paint: Paint,
    /// The block's lines; `None` where there is no terminal.
    block: Option<(MultiProgress, Vec<ProgressBar>)>,
    accuracy: Vec<f64>,
    drift: Vec<f64>,
    last_window: String,
    last_status: Option<Instant>,
}

impl Screen {
    /// The standard output as it is.
    pub(super) fn new() -> Self {
        let is_terminal = std::io::stdout().is_terminal();
        let wants_colour = std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
        let block = is_terminal.then(|| {
            let all = MultiProgress::with_draw_target(ProgressDrawTarget::stdout_with_hz(8));
            let style = ProgressStyle::with_template("{wide_msg}").expect("the template is valid");
            let lines = (0..BLOCK).map(|_| all.add(ProgressBar::new_spinner().with_style(style.clone()))).collect();
            (all, lines)
        });
        let paint = Paint { is_on: is_terminal && wants_colour };
        Self { paint, block, accuracy: Vec::new(), drift: Vec::new(), last_window: String::new(), last_status: None }
    }

    /// Says something; later lines of a text stand below its first.
    pub(super) fn say(&mut self, at: Option<Duration>, voice: Voice, text: &[String]) -> std::io::Result<()> {
        let time = at.map_or_else(|| "     ".to_owned(), clock);
        for (i, line) in text.iter().flat_map(|line| wrap(line, WIDTH - MARGIN)).enumerate() {
            let margin = if i == 0 {
                let name = format!("{:9}", voice.as_str());
                format!(" {}  {}", self.paint.faint(&time), self.paint.sgr(&voice.colour().to_string(), &name))
            } else {
                " ".repeat(MARGIN - 1)
            };
            let line = if i == 0 { line } else { self.paint.faint(&line) };
            self.line(&format!("{margin} {line}"))?;
        }
        Ok(())
    }

    /// Prints one line as it is.
    pub(super) fn line(&self, line: &str) -> std::io::Result<()> {
        match &self.block {
            Some((all, _)) => all.println(line),
            None => {
                let mut out = std::io::stdout().lock();
                writeln!(out, "{line}")?;
                out.flush()
            }
        }
    }

    /// Shows how things stand now.
    pub(super) fn show(&mut self, record: &Record, now: Now) -> std::io::Result<()> {
        self.remember(record);
        let Some((_, bars)) = &self.block else {
            let due = self.last_status.is_none_or(|last| now.at.saturating_duration_since(last) >= PLAIN_STATUS);
            if due {
                self.last_status = Some(now.at);
                let text = plain_status(record, now);
                self.say(Some(record.time(now.at)), Voice::Demo, &[text])?;
            }
            return Ok(());
        };
        for (bar, line) in bars.iter().zip(self.lines(record, now)) {
            bar.set_message(line);
            bar.tick();
        }
        Ok(())
    }

    /// Takes the block away, so that what follows stands below the lines.
    pub(super) fn close(&mut self) {
        if let Some((all, bars)) = self.block.take() {
            // where lines above were broken by a narrow terminal, a line of the block may stay behind: let it be an empty one
            for bar in &bars {
                bar.set_message("");
                bar.tick();
            }
            bars.iter().for_each(ProgressBar::finish_and_clear);
            // a terminal that is gone needs no clearing
            drop(all.clear());
        }
    }

    fn remember(&mut self, record: &Record) {
        let Some(model) = record.status.newest().filter(|model| model.window.end != self.last_window) else { return };
        self.last_window.clone_from(&model.window.end);
        push(&mut self.accuracy, model.accuracy());
        push(&mut self.drift, model.worst_input().and_then(|(_, reading)| reading.value));
    }

    fn lines(&self, record: &Record, now: Now) -> [String; BLOCK] {
        let paint = self.paint;
        let label = |text: &str| paint.faint(&format!(" {text:9}"));
        let lag =
            record.status.event_time_lag_seconds.map_or_else(String::new, |lag| format!(", windows close {lag:.1} s behind the clock"));
        let padded = |(text, is_fine): (String, bool)| if is_fine { format!("{text:40}") } else { paint.bad(&format!("{text:40}")) };
        let [accuracy, input] = readings(record).map(padded);
        let firing = firing(record);
        [
            paint.faint(&"─".repeat(RULE)),
            format!(" {}  {}", paint.bold(&clock(record.time(now.at))), paint.bold(now.phase.caption())),
            format!("{}  {:.0} requests/s{lag}", label("traffic"), now.rate),
            format!("{}  {accuracy} {}", label("accuracy"), paint.faint(&curve(&self.accuracy, 0.75, 1.0))),
            format!("{}  {input} {}", label("inputs"), paint.faint(&curve(&self.drift, 0.0, 1.0))),
            format!("{}  {}", label("firing"), if firing.is_empty() { paint.good("nothing") } else { paint.bad(&firing) }),
        ]
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        self.close();
    }
}

/// Accuracy and worst input of the version that answers, each with whether it is as it should be.
fn readings(record: &Record) -> [(String, bool); 2] {
    let Some(model) = record.status.newest() else { return [("not judged yet".to_owned(), true), ("not judged yet".to_owned(), true)] };
    let version = &model.version;
    let accuracy = model.accuracy().map_or_else(
        || (format!("{version} has no labels yet"), true),
        |value| (format!("{version} {value:.3}, {} 0.90", if value < 0.9 { "below" } else { "above" }), value >= 0.9),
    );
    let input = model.worst_input().and_then(|(name, reading)| {
        let (value, threshold) = reading.value.zip(reading.threshold)?;
        let metric = if reading.metric == "total_variation" { "TV".to_owned() } else { reading.metric.to_uppercase() };
        let side = if value > threshold { "above" } else { "below" };
        Some((format!("{version} {metric} of {name} {value:.3}, {side} {threshold:.2}"), value <= threshold))
    });
    [accuracy, input.unwrap_or_else(|| (format!("{version}: its reference is being learned"), true))]
}

/// `v1: feature-drift (amount, age); model-quality (recall)`: what fires, by version; empty where nothing does.
fn firing(record: &Record) -> String {
    let mut by_version = BTreeMap::<&str, Vec<String>>::new();
    for alert in record.status.firing() {
        let inputs: BTreeSet<&str> = alert.worst.iter().filter_map(|worst| worst.subject.strip_prefix("feature:")).collect();
        let about = match alert.worst.first() {
            _ if !inputs.is_empty() => inputs.into_iter().take(3).collect::<Vec<_>>().join(", "),
            Some(worst) if ["quality", "service"].contains(&&*worst.subject) => worst.metric.clone(),
            worst => worst.map(|worst| worst.subject.clone()).unwrap_or_default(),
        };
        by_version.entry(&alert.version).or_default().push(format!("{} ({about})", alert.rule));
    }
    by_version.iter().map(|(version, alerts)| format!("{version}: {}", alerts.join("; "))).collect::<Vec<_>>().join("; ")
}

fn plain_status(record: &Record, now: Now) -> String {
    let [(accuracy, _), (input, _)] = readings(record);
    let firing = firing(record);
    let firing = if firing.is_empty() { "nothing" } else { &firing };
    format!("{:.0} requests/s; accuracy: {accuracy}; worst input: {input}; firing: {firing}", now.rate)
}

fn push(curve: &mut Vec<f64>, value: Option<f64>) {
    curve.extend(value);
    let surplus = curve.len().saturating_sub(CURVE);
    curve.drain(..surplus);
}

/// Readings as a row of bars between two bounds.
fn curve(values: &[f64], low: f64, high: f64) -> String {
    const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    let bar = |value: &f64| BARS[((value - low) / (high - low) * 7.0).round().clamp(0.0, 7.0) as usize];
    values.iter().map(bar).collect()
}

/// Minutes and seconds.
pub(super) fn clock(time: Duration) -> String {
    format!("{:02}:{:02}", time.as_secs() / 60, time.as_secs() % 60)
}

/// Breaks a line at spaces.
pub(super) fn wrap(line: &str, width: usize) -> Vec<String> {
    let (mut lines, mut last) = (Vec::new(), String::new());
    for word in line.split(' ') {
        if !last.is_empty() && last.chars().count() + 1 + word.chars().count() > width {
            lines.push(std::mem::take(&mut last));
        }
        if !last.is_empty() {
            last.push(' ');
        }
        last.push_str(word);
    }
    lines.push(last);
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::demo::story::tests::{good_story, status};

    #[test]
    fn long_lines_break_at_words() {
        assert_eq!(wrap("one two three", 7), ["one two", "three"]);
        assert_eq!(wrap("", 7), [""]);
        assert_eq!(wrap("indivisible word", 4), ["indivisible", "word"]);
        assert_eq!(clock(Duration::from_secs(75)), "01:15");
        assert_eq!(curve(&[0.0, 0.5, 1.0, 2.0], 0.0, 1.0), "▁▅██");
    }

    #[test]
    fn the_status_in_one_line() {
        let (mut story, _) = good_story();
        story.take_status(status("v2", 59, 0.871, "ok"));
        let text = plain_status(&story.record, Now { at: Instant::now(), phase: Phase::Over, rate: 1999.6 });
        assert_eq!(
            text,
            "2000 requests/s; accuracy: v2 0.871, below 0.90; worst input: v2 PSI of amount 0.010, below 0.10; firing: nothing"
        );
    }
}
