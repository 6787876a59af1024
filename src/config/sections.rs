//! The single tables: daemon, log, events, window, join, limits.

use super::reader::{Fallback, Section};
use super::secret::Secrets;
use super::settings::{DaemonSettings, LogSettings};
use crate::edge::decode::DecodeSettings;
use crate::engine::settings::{JoinSettings, Limits, WindowSettings};
use crate::event::Timestamp;
use crate::telemetry::LogFormat;
use std::net::{Ipv4Addr, SocketAddr};

/// `[daemon]`: the process, and the installation's name.
pub(crate) fn daemon(section: Section<'_>, secrets: &Secrets<'_>) -> (DaemonSettings, String) {
    let name = |text: &str| {
        let plain = text.len() <= 64 && text.chars().all(|c| c.is_alphanumeric() || "-_./ ".contains(c));
        if plain { Ok(()) } else { Err(format!("{text:?} is no name: at most 64 letters, digits, blanks and - _ . /")) }
    };
    let environment = section.checked_text(
        "environment",
        Fallback::Text("\"default\""),
        "Name of this installation; part of every alert's identity, so that two installations never share an incident.",
        name,
    );
    let state_dir = section.text(
        "state_dir",
        Fallback::Text("\"state\""),
        "Directory of the snapshots; must survive restarts. A relative path counts from the configuration file's directory.",
    );
    let default_listen = SocketAddr::from((Ipv4Addr::LOCALHOST, 9464));
    let listen = section.take(
        "listen",
        "address",
        Fallback::Text("\"127.0.0.1:9464\""),
        "Where `/livez`, `/readyz` and `/metrics` are served.",
        |raw| {
            let text = raw.text()?;
            text.parse().map_err(|_| format!("{text:?} is no address: write an IP and a port, e.g. \"0.0.0.0:9464\""))
        },
        |address: &SocketAddr| format!("\"{address}\""),
    );
    let checkpoint_ms =
        section.duration("checkpoint", "\"10s\"", 100, "Time between two snapshots: at most this much is read again after a crash.");
    let shutdown_ms =
        section.duration("shutdown", "\"10s\"", 100, "Longest drain on SIGTERM; what is not delivered by then waits in the snapshot.");
    section.finish();
    let daemon = DaemonSettings {
        state_dir: secrets.base_dir.join(state_dir),
        listen: listen.unwrap_or(default_listen),
        checkpoint_ms,
        shutdown_ms: shutdown_ms.unsigned_abs(),
    };
    (daemon, environment)
}

/// `[log]`.
pub(crate) fn log(section: Section<'_>) -> LogSettings {
    let formats = LogFormat::ALL.map(|format| (format.as_str(), format));
    let format =
        section.choice("format", &formats, Fallback::Text("\"text\""), "Shape of a log line: `text` or `json`.").unwrap_or(LogFormat::Text);
    let level = section.checked_text(
        "level",
        Fallback::Text("\"info\""),
        "A `tracing` filter: a level, or levels by module, e.g. `info,driftd::edge=debug`.",
        log_filter,
    );
    section.finish();
    LogSettings { format, level }
}

/// A bare word is read by `tracing` as a module at its finest level, so a misspelled level would pass as one; here it does not.
fn log_filter(text: &str) -> Result<(), String> {
    const LEVELS: [&str; 6] = ["off", "error", "warn", "info", "debug", "trace"];
    for directive in text.split(',').map(str::trim) {
        if !directive.contains(['=', '[']) && !LEVELS.contains(&directive) {
            let near = super::suggest::hint(directive, LEVELS);
            return Err(format!("{directive:?} is no level: write off, error, warn, info, debug or trace, or module=level{near}"));
        }
    }
    let parsed = tracing_subscriber::EnvFilter::builder().parse(text);
    parsed.map(drop).map_err(|error| format!("{text:?} is no filter: {error}"))
}

/// `[events]`.
pub(crate) fn events(section: Section<'_>) -> DecodeSettings {
    let standard = DecodeSettings::default();
    let max_bytes = section.size("max_bytes", "\"1MiB\"", 64..=1 << 30, "Longest message; longer ones are rejected as `too_large`.");
    let max_features =
        section.count("max_features", "2000", 1..=100_000, "Most features of one event; more are rejected as `too_complex`.");
    let time = |key, default, doc| {
        let parse = |raw: super::raw::Raw<'_>| {
            let text = raw.text()?;
            Timestamp::parse(&text).map_err(|_| format!("{text:?} is no time: write e.g. \"2026-01-01T00:00:00Z\""))
        };
        // whole seconds print without decimals, as people write them
        let print = |time: &Timestamp| format!("\"{}\"", time.to_string().replace(".000Z", "Z"));
        section.take(key, "time", Fallback::Text(default), doc, parse, print)
    };
    let earliest =
        time("earliest", "\"1980-01-01T00:00:00Z\"", "Earliest event time taken; older ones are rejected as `timestamp_out_of_range`.");
    let latest = time("latest", "\"2100-01-01T00:00:00Z\"", "First event time no longer taken.");
    let (earliest, latest) = (earliest.unwrap_or(standard.earliest), latest.unwrap_or(standard.latest));
    if section.sound(&["earliest", "latest"]) && earliest >= latest {
        section.refuse("latest", format!("\"{latest}\" is not after events.earliest \"{earliest}\""));
    }
    section.finish();
    DecodeSettings { max_bytes, max_features: whole(max_features), earliest, latest }
}

/// Most panes of one window: each is kept in memory.
const MOST_PANES: i64 = 10_000;

/// `[window]`.
pub(crate) fn window(section: Section<'_>) -> WindowSettings {
    let size_ms = section.duration("size", "\"1h\"", 1000, "Length of a window; a multiple of the slide.");
    let slide_ms =
        section.duration("slide", "\"5m\"", 1000, "Distance between two windows, and the length of a pane; a multiple of a second.");
    let lateness_ms = section.duration(
        "lateness",
        "\"1m\"",
        0,
        "How far behind the highest event time an event may come and still be in time: a window closes this much after its end.",
    );
    let idle_ms = section.duration(
        "idle",
        "\"30s\"",
        1000,
        "A silent partition that was read to its end stops holding the windows back after this long.",
    );
    let max_future_ms =
        section.duration("max_future", "\"10m\"", 0, "Events further ahead of their arrival are rejected as `timestamp_in_future`.");
    let text = super::duration::print_duration;
    if section.sound(&["slide"]) && slide_ms % 1000 != 0 {
        section.refuse("slide", format!("\"{}\" is not a multiple of a second", text(slide_ms)));
    }
    if section.sound(&["size", "slide"]) {
        if size_ms % slide_ms != 0 {
            section.refuse("size", format!("\"{}\" is not a multiple of window.slide \"{}\"", text(size_ms), text(slide_ms)));
        } else if size_ms / slide_ms > MOST_PANES {
            let panes = size_ms / slide_ms;
            section.refuse(
                "size",
                format!("makes {panes} panes of window.slide \"{}\", more than {MOST_PANES}: slide further", text(slide_ms)),
            );
        }
    }
    section.finish();
    WindowSettings { size_ms, slide_ms, lateness_ms, idle_ms, max_future_ms }
}

/// `[join]`.
pub(crate) fn join(section: Section<'_>) -> JoinSettings {
    let horizon_ms = section.duration(
        "horizon",
        "\"7d\"",
        0,
        "A window's quality is judged at the latest when event time is this far past its end, with the labels that are there.",
    );
    let keep_ms = section.duration("keep", "\"90d\"", 0, "How long labels are still taken; until then they amend a judged window.");
    let mature_coverage = section.number(
        "mature_coverage",
        "0.95",
        0.0..=1.0,
        "Share of predictions with a label at which a window is judged before the horizon.",
    );
    let max_predictions = section.count(
        "max_predictions",
        "2000000",
        1..=1_000_000_000,
        "Most predictions that wait for a label; the oldest is dropped, and counted.",
    );
    let max_labels = section.count(
        "max_labels",
        "500000",
        1..=1_000_000_000,
        "Most labels that wait for a prediction; the oldest is dropped, and counted.",
    );
    let max_bytes = section.size(
        "max_bytes",
        "\"1GiB\"",
        1 << 20..=1 << 44,
        "Most memory that predictions and labels take together; the oldest are dropped, and counted.",
    );
    let sample = section.number(
        "sample",
        "1",
        0.000_001..=1.0,
        "Share of predictions that are remembered for their labels, chosen by `prediction_id`; labels of the others are counted, not joined.",
    );
    if section.sound(&["horizon", "keep"]) && keep_ms < horizon_ms {
        let text = super::duration::print_duration;
        section.refuse("keep", format!("\"{}\" is shorter than join.horizon \"{}\"", text(keep_ms), text(horizon_ms)));
    }
    section.finish();
    let (max_predictions, max_labels) = (whole(max_predictions), whole(max_labels));
    JoinSettings { horizon_ms, keep_ms, mature_coverage, max_predictions, max_labels, max_bytes, sample }
}

/// `[limits]`, and the bound of the outbox.
pub(crate) fn limits(section: Section<'_>) -> (Limits, usize) {
    let models =
        section.count("models", "1000", 1..=100_000, "Most model versions; events of further ones are rejected as `too_many_models`.");
    let segments =
        section.count("segments", "50", 1..=100_000, "Most segments of one model version; further ones are counted, not watched.");
    let classes = section.count("classes", "100", 2..=10_000, "Most classes of one model.");
    let outbox = section.count(
        "outbox",
        "10000",
        10..=1_000_000,
        "Most notifications that wait at once; the oldest repeat is dropped first, and counted.",
    );
    section.finish();
    (Limits { models: whole(models), segments: whole(segments), classes: whole(classes) }, whole(outbox))
}

/// A count as the platform's own; the ranges above keep it far below the end.
pub(crate) fn whole(count: u64) -> usize {
    usize::try_from(count).unwrap_or(usize::MAX)
}
