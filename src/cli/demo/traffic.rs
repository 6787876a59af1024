//! The requests to the model: `driftd generate`'s traffic at the pace of the clock, through a real producer, on a thread of its own.

use super::story::Injection;
use super::{Event, LABELS, PREDICTIONS};
use crate::cli::generate::{Scenario, Schedule, What};
use crate::edge::ingest::Producer;
use crate::event::Timestamp;
use anyhow::Context;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Longest wait for the broker's last acknowledgements.
const FLUSH: Duration = Duration::from_secs(30);
/// How long the producer gathers a batch, in milliseconds.
const LINGER_MS: u32 = 100;
/// Shorter waits than this are not worth a sleep.
const SHORT: Duration = Duration::from_millis(2);

/// Running traffic.
#[derive(Debug)]
pub(super) struct Traffic {
    injections: Sender<Injection>,
    predictions: Arc<AtomicU64>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<anyhow::Result<Sent>>>,
}

/// What was sent, acknowledged by the broker.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Sent {
    /// Predictions.
    pub predictions: u64,
    /// Labels.
    pub labels: u64,
    /// Wall time from the first to the last.
    pub took: Duration,
}

impl Traffic {
    /// Begins to send. What is injected is reported when it holds; so is a failure.
    pub(super) fn start(scenario: Scenario, seed: u64, brokers: &str, events: Sender<Event>) -> anyhow::Result<Self> {
        // the embedded broker answers a fetch with one batch of each partition: large batches let whoever is behind catch up
        let properties = BTreeMap::from([("linger.ms".to_owned(), LINGER_MS.to_string())]);
        let producer = Producer::new(brokers, &properties)?;
        let (injections, orders) = mpsc::channel();
        let (predictions, stop) = (Arc::<AtomicU64>::default(), Arc::<AtomicBool>::default());
        let (counter, stopped) = (Arc::clone(&predictions), Arc::clone(&stop));
        let run = move || {
            let sent = play(scenario, seed, &producer, &orders, &counter, &stopped, &events);
            if let Err(error) = &sent {
                // nobody listens any more where the demo is at its end
                drop(events.send(Event::Broken(format!("the traffic ended: {error:#}"))));
            }
            sent
        };
        let thread = std::thread::Builder::new().name("traffic".to_owned()).spawn(run).context("cannot start the traffic")?;
        Ok(Self { injections, predictions, stop, thread: Some(thread) })
    }

    /// A way to inject things from elsewhere.
    pub(super) fn injections(&self) -> Sender<Injection> {
        self.injections.clone()
    }

    /// Predictions sent so far.
    pub(super) fn predictions(&self) -> u64 {
        self.predictions.load(Ordering::Relaxed)
    }

    /// Ends the traffic and waits until the broker has all of it.
    pub(super) fn stop(mut self) -> anyhow::Result<Sent> {
        self.stop.store(true, Ordering::Relaxed);
        let thread = self.thread.take().context("the traffic was stopped before")?;
        thread.join().map_err(|_| anyhow::anyhow!("the traffic's thread panicked"))?
    }
}

impl Drop for Traffic {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}

fn play(
    scenario: Scenario,
    seed: u64,
    producer: &Producer,
    orders: &Receiver<Injection>,
    predictions: &AtomicU64,
    stop: &AtomicBool,
    events: &Sender<Event>,
) -> anyhow::Result<Sent> {
    let start = Timestamp(jiff::Timestamp::now().as_millisecond());
    let began = Instant::now();
    let mut schedule = Schedule::new(scenario, seed, start)?;
    let mut sent = Sent::default();
    while let Some(happening) = schedule.next() {
        let due = Duration::from_millis(happening.at.since(start).max(0).unsigned_abs());
        if let Some(ahead) = due.checked_sub(began.elapsed()).filter(|ahead| *ahead > SHORT) {
            std::thread::sleep(ahead);
        }
        match happening.what {
            What::Prediction(message) => {
                producer.send(PREDICTIONS, None, Some(message.key.as_bytes()), Some(message.line.as_bytes()))?;
                sent.predictions += 1;
                predictions.store(sent.predictions, Ordering::Relaxed);
            }
            What::Label(message) => {
                producer.send(LABELS, None, Some(message.key.as_bytes()), Some(message.line.as_bytes()))?;
                sent.labels += 1;
            }
            What::Change(_) => {}
        }
        for injection in orders.try_iter() {
            injection.changes().iter().try_for_each(|change| schedule.apply(change))?;
            // nobody listens any more where the demo is at its end
            drop(events.send(Event::Injected(injection, Instant::now())));
        }
        if stop.load(Ordering::Relaxed) {
            break;
        }
    }
    producer.flush(FLUSH)?;
    sent.took = began.elapsed();
    Ok(sent)
}
