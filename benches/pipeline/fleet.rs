//! Many models: memory while an hour of one-minute panes is kept, and the work of a slide, in which the windows of all models close at once. Messages are
//! made as they are needed, so that what is resident is the engine.

use crate::figure::{Figure, Goal};
use crate::measure::{cpu_of, memory, wall_of};
use crate::traffic::{Body, Messages, Traffic, Watched};
use driftd::edge::decode::TopicRole;
use driftd::engine::evaluator::Effect;

const WINDOW: &str = "[window]\nsize = \"1h\"\nslide = \"1m\"";
/// Requests of a model in a minute: of many models, and of one alone.
const ROWS_A_MINUTE: (usize, usize) = (30, 600);
/// Minutes before slides are measured: a window, and the lateness.
const FILLING: usize = 62;
/// Minutes that are measured: of many models, and of one alone.
const MEASURED: (usize, usize) = (8, 40);

pub(crate) fn run(models: usize) -> Vec<Figure> {
    let is_alone = models == 1;
    let (rows_a_minute, measured) = if is_alone { (ROWS_A_MINUTE.1, MEASURED.1) } else { (ROWS_A_MINUTE.0, MEASURED.0) };
    let traffic = Traffic::of(Body::Long).models(models).rate((models * rows_a_minute) as f64 / 60.0);
    let watched = Watched::new(traffic, WINDOW);
    let mut driver = watched.driver();
    let first = memory("self", "VmRSS");
    let n_rows = models * rows_a_minute * (FILLING + measured) + 1;
    let mut messages = Messages::new(traffic, n_rows, true, 4);
    let (mut cpu, mut wall) = (Vec::new(), Vec::new());
    let (mut bytes, mut minute, mut n_slides) = (Vec::new(), 0, 0);
    let (mut half, mut n_half, mut n_measurements) = (0.0, 0, 0);
    while let Some(message) = messages.next_into(&mut bytes) {
        driver.message(message, &bytes);
        bytes.clear();
        if message.role == TopicRole::Labels || message.at.0.div_euclid(60_000) == minute {
            continue;
        }
        // the first prediction of a minute closes a pane, and with it a window of each model
        minute = message.at.0.div_euclid(60_000);
        n_slides += 1;
        let (seconds, (cpu_seconds, effects)) = wall_of(|| cpu_of(|| driver.turn()));
        if n_slides == FILLING / 2 {
            (half, n_half) = (memory("self", "VmRSS"), driver.pipeline.shard.n_predictions());
        }
        if n_slides > FILLING {
            cpu.push(cpu_seconds * 1e3);
            wall.push(seconds * 1e3);
            n_measurements = effects.iter().filter(|effect| matches!(effect, Effect::Measured(_))).count();
        }
        if !is_alone && n_slides % 10 == 0 {
            eprintln!("{models} models: minute {n_slides} of {}, {seconds:.2} s a slide", FILLING + measured);
        }
    }
    let (last, n_last) = (memory("self", "VmRSS"), driver.pipeline.shard.n_predictions());
    let (most_memory, most_latency) = if is_alone { (30.0, 50.0) } else { (1500.0, 1000.0) };
    vec![
        Figure::new("resident: with references, before the first event", "MB", [first]),
        Figure::new(format!("resident: after {} min, {n_half} predictions remembered", FILLING / 2), "MB", [half]),
        Figure::new(format!("resident: after {} min, {n_last} predictions remembered", FILLING + measured), "MB", [last])
            .goal(Goal::AtMost(most_memory)),
        Figure::new("measurements of a slide", "", [n_measurements as f64]),
        Figure::new("a slide", "ms CPU", cpu),
        Figure::new("a slide, p99: window closed to alert known", "ms", [quantile(&wall, 0.99)]).goal(Goal::AtMost(most_latency)),
    ]
}

/// The smallest sample that is not exceeded by a share `q` of all.
fn quantile(samples: &[f64], q: f64) -> f64 {
    let mut sorted = samples.to_vec();
    sorted.sort_by(f64::total_cmp);
    let place = (q * sorted.len() as f64).ceil() as usize;
    sorted[place.clamp(1, sorted.len()) - 1]
}
