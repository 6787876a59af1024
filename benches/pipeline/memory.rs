//! In memory: what each stage of the engine costs, in CPU nanoseconds a prediction.

use crate::Options;
use crate::figure::{Figure, Goal};
use crate::measure::{Stage, cpu_of, rounds};
use crate::traffic::{Body, Driver, Log, Message, Traffic, Watched};
use driftd::edge::decode::json::{Decoder, Scanner};
use driftd::event::Event;

/// Windows as they are without a word about them.
pub(crate) const USUAL: &str = "";
/// Windows of 50,000 requests that do not overlap, as the other tools' job has them.
pub(crate) const TUMBLING: &str = "[window]\nsize = \"500s\"\nslide = \"500s\"";
/// Messages that are decoded ahead of what is measured: few, so that they are still in a cache.
const AHEAD: usize = 256;

pub(crate) fn run(options: &Options) -> Vec<Figure> {
    let mut figures = of_message(options, "900 B", Body::Long);
    figures.extend(of_message(options, "630 B", Body::Short));
    figures.extend(features(options));
    figures
}

/// The job of the other tools, once.
pub(crate) fn once(options: &Options) -> Figure {
    let watched = Watched::new(Traffic::of(Body::Short), TUMBLING);
    let log = Log::new(watched.traffic, options.rows, true, 1);
    Figure::new("memory", "ns CPU/prediction", [apply(&watched, &log, true)])
}

/// The stages for one length of a message.
fn of_message(options: &Options, name: &str, body: Body) -> Vec<Figure> {
    let watched = Watched::new(Traffic::of(body), USUAL);
    let tumbling = watched.with(TUMBLING);
    let bare = Log::new(watched.traffic, options.rows, false, 1);
    let labelled = Log::new(watched.traffic, options.rows, true, 1);
    eprintln!("{name}: {:.0} bytes a prediction, {} messages", bare.mean_bytes(), labelled.len());
    let mut stages = [
        Stage::new(format!("{name}: decode"), || decode(&watched, &bare)),
        Stage::new(format!("{name}: apply, no parsing"), || apply(&watched, &bare, false)),
        Stage::new(format!("{name}: decode and apply"), || whole(&watched, &bare, false)),
        Stage::new(format!("{name}: whole: and windows, judged"), || whole(&watched, &bare, true)),
        Stage::new(format!("{name}: whole, with labels"), || whole(&watched, &labelled, true)),
        Stage::new(format!("{name}: no parsing, labels, windows of 50,000"), || apply(&tumbling, &labelled, true)),
        Stage::new(format!("{name}: one snapshot at the end (ms)"), || snapshot(&watched, &labelled)),
    ];
    rounds(options.rounds, &mut stages);
    let mut figures: Vec<Figure> =
        stages.iter().take(6).map(|stage| Figure::new(&stage.name, "ns CPU/prediction", stage.samples.clone())).collect();
    figures.push(Figure::new(&stages[6].name, "ms CPU", stages[6].samples.clone()));
    figures.push(Figure::rate(&stages[4].name, &stages[4].samples));
    figures.push(Figure::rate(&stages[5].name, &stages[5].samples));
    figures
}

/// What four times the features cost.
fn features(options: &Options) -> Vec<Figure> {
    let watched = [25, 100].map(|features| Watched::new(Traffic::of(Body::Long).features(features), USUAL));
    let logs = watched.each_ref().map(|w| Log::new(w.traffic, options.rows / 4, true, 2));
    let mut stages = [
        Stage::new("25 features: whole", || whole(&watched[0], &logs[0], true)),
        Stage::new("100 features: whole", || whole(&watched[1], &logs[1], true)),
    ];
    rounds(options.rounds, &mut stages);
    let mut figures: Vec<Figure> =
        stages.iter().map(|stage| Figure::new(&stage.name, "ns CPU/prediction", stage.samples.clone())).collect();
    let ratio = Figure::ratio("100 features against 25", &stages[1].samples, &stages[0].samples);
    figures.push(ratio.goal(Goal::AtMost(4.2)));
    figures
}

/// Nanoseconds a row of `seconds` for a log.
fn per_row(seconds: f64, log: &Log) -> f64 {
    seconds * 1e9 / log.rows as f64
}

fn decode(watched: &Watched, log: &Log) -> f64 {
    let mut decoder = Decoder::default();
    let settings = &watched.config.events;
    let (seconds, n) = cpu_of(|| {
        let mut n = 0;
        for (message, bytes) in log.iter() {
            decoder.decode(Some(bytes), message.role, settings, &mut |event| n += usize::from(std::hint::black_box(event).is_ok()));
        }
        n
    });
    assert_eq!(n, log.len(), "every message is an event");
    per_row(seconds, log)
}

/// Decoded events into panes, and with `turns` into judged windows; decoding is not measured.
fn apply(watched: &Watched, log: &Log, turns: bool) -> f64 {
    let mut driver = watched.driver();
    let mut scanner = Scanner::default();
    let messages: Vec<(Message, &[u8])> = log.iter().collect();
    let mut seconds = 0.0;
    for (place, part) in messages.chunks(AHEAD).enumerate() {
        let scan = |&(message, bytes): &(Message, _)| {
            let text = str::from_utf8(bytes).expect("JSON is UTF-8");
            (message, scanner.scan(text, message.role, &watched.config.events).expect("the scanner knows the message"))
        };
        let events: Vec<(Message, Event<'_>)> = part.iter().map(scan).collect();
        seconds += cpu_of(|| {
            events.iter().for_each(|(message, event)| driver.event(*message, event));
            if turns && place % (Driver::BATCH / AHEAD) == 0 {
                std::hint::black_box(driver.turn());
            }
        })
        .0;
    }
    seconds += cpu_of(|| driver.settle()).0;
    per_row(seconds, log)
}

/// Messages into the engine; with `turns` windows are judged.
pub(crate) fn whole(watched: &Watched, log: &Log, turns: bool) -> f64 {
    let mut driver = watched.driver();
    let (seconds, ()) = cpu_of(|| feed(&mut driver, log, turns));
    per_row(seconds, log)
}

pub(crate) fn feed(driver: &mut Driver, log: &Log, turns: bool) {
    for (place, (message, bytes)) in log.iter().enumerate() {
        driver.message(message, bytes);
        if turns && place % Driver::BATCH == 0 {
            std::hint::black_box(driver.turn());
        }
    }
    driver.settle();
}

/// One snapshot of what is remembered after the log, in milliseconds.
fn snapshot(watched: &Watched, log: &Log) -> f64 {
    let mut driver = watched.driver();
    feed(&mut driver, log, true);
    let (seconds, bytes) = cpu_of(|| driver.pipeline.snapshot(&|_| false).expect("the state can be encoded"));
    std::hint::black_box(bytes);
    seconds * 1e3
}
