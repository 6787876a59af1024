//! What the length of a window costs: nothing per event, whatever the number of panes that it holds.

use crate::Options;
use crate::figure::{Figure, Goal};
use crate::measure::cpu_of;
use crate::traffic::{Body, Driver, Log, Traffic, Watched};

/// Event time of a log: more than the longest window.
const SPAN_SECONDS: f64 = 26.0 * 3600.0;
const WINDOWS: [(&str, &str); 3] = [
    ("1 h every 5 min", "[window]\nsize = \"1h\"\nslide = \"5m\""),
    ("24 h every 5 min", "[window]\nsize = \"24h\"\nslide = \"5m\""),
    ("1 h every minute", "[window]\nsize = \"1h\"\nslide = \"1m\""),
];

pub(crate) fn run(options: &Options) -> Vec<Figure> {
    let traffic = Traffic::of(Body::Long).rate(options.rows as f64 / SPAN_SECONDS);
    let watched = Watched::new(traffic, WINDOWS[0].1);
    let watched = WINDOWS.map(|(_, window)| watched.with(window));
    let log = Log::new(traffic, options.rows, false, 3);
    let [mut events, mut slides] = [const { [const { Vec::new() }; WINDOWS.len()] }; 2];
    for _ in 0..options.rounds {
        for (place, watched) in watched.iter().enumerate() {
            let (event, slide) = pass(&mut watched.driver(), &log);
            events[place].push(event);
            slides[place].push(slide);
        }
    }
    let mut figures = Vec::new();
    for (place, (name, _)) in WINDOWS.iter().enumerate() {
        figures.push(Figure::new(format!("{name}: events"), "ns CPU/prediction", events[place].clone()));
        figures.push(Figure::new(format!("{name}: a slide"), "ms CPU", slides[place].clone()));
    }
    figures.push(Figure::ratio("cost of an event, 24 h against 1 h", &events[1], &events[0]).goal(Goal::AtMost(1.05)));
    figures.push(Figure::ratio("cost of an event, slides of 1 min against 5", &events[2], &events[0]));
    figures
}

/// Nanoseconds a prediction, and milliseconds a slide.
fn pass(driver: &mut Driver, log: &Log) -> (f64, f64) {
    let (mut slides, mut n_slides) = (0.0, 0);
    let (all, ()) = cpu_of(|| {
        for (place, (message, bytes)) in log.iter().enumerate() {
            driver.message(message, bytes);
            if place % 64 == 0 {
                let (seconds, effects) = cpu_of(|| driver.turn());
                slides += seconds;
                n_slides += usize::from(!effects.is_empty());
            }
        }
    });
    ((all - slides) * 1e9 / log.rows as f64, slides * 1e3 / n_slides as f64)
}
