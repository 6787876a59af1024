//! `driftd demo`: the whole story in one command. A broker in this process, traffic, the daemon itself as a process, and receivers on loopback.
//!
//! Invariant: the daemon is the real one (`driftd run` with a configuration file, reading Kafka over TCP), with the documented rules; only its windows are
//! short. The exit code is 0 only where every promise of the story was kept.

mod checks;
mod daemon;
mod message;
mod pipeline;
mod place;
mod receivers;
mod report;
mod screen;
mod status;
mod story;
mod traffic;

use crate::cli::generate::Scenario;
use crate::edge::ingest::EmbeddedBroker;
use crate::edge::notify::contract::RetrainData;
use crate::engine::settings::Task;
use anyhow::Context;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use checks::{Check, Ending};
use daemon::Daemon;
use message::Told;
use pipeline::Harvest;
use place::{Addresses, Place, Secrets};
use receivers::To;
use screen::{Now, Screen, Voice};
use status::Status;
use std::fs::File;
use std::io::Read;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::time::{Duration, Instant};
use story::{Act, Injection, Story};
use tokio::runtime::Runtime;
use tokio::signal::unix::{SignalKind, signal};
use traffic::Traffic;

/// Topics of the demo.
const PREDICTIONS: &str = "predictions";
const LABELS: &str = "labels";
/// Partitions of each: the embedded broker keeps 5 MiB of one, which the daemon and the pipeline must have read by then.
const PARTITIONS: i32 = 4;
/// Consumer properties that suit the embedded broker.
const PROPERTIES: [(&str, &str); 2] = [("session.timeout.ms", "6000"), ("heartbeat.interval.ms", "300")];
/// Mean time from a prediction to its label, in milliseconds.
const LABEL_DELAY_MS: f64 = 600.0;
/// Longest wait for the daemon to be ready.
const STARTING: Duration = Duration::from_secs(60);
/// Longest wait for the daemon to read what was sent last, and to end.
const DRAINING: Duration = Duration::from_secs(30);
/// Longest wait for news before the story and the screen move on.
const TURN: Duration = Duration::from_millis(100);
/// Time over which the rate is measured.
const RATE: Duration = Duration::from_secs(2);
/// Exit code of a process that was interrupted (128 + SIGINT).
const INTERRUPTED: u8 = 130;

/// Show the whole story.
#[derive(Debug, Clone, clap::Args)]
pub struct DemoArgs {
    /// Go on with the retrained version when the story is told, until interrupted
    #[arg(long)]
    pub keep: bool,
    /// Work in this directory (new or empty) and leave configuration, reference, log and state there
    #[arg(long, value_name = "DIR")]
    pub dir: Option<PathBuf>,
    /// Requests per second
    #[arg(long, value_name = "N", default_value_t = 2000, value_parser = clap::value_parser!(u32).range(1600..=10_000))]
    pub rate: u32,
    /// Seed of the traffic
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
}

/// Something that happened.
#[derive(Debug)]
enum Event {
    /// A receiver got a message.
    Told(Told),
    /// The pipeline was asked for a retraining.
    Retrain(Told, Box<RetrainData>),
    /// The pipeline has read its training data.
    Harvested(Harvest),
    /// Something was done to the traffic.
    Injected(Injection, Instant),
    /// The daemon's word.
    Status(Box<Status>),
    /// The demo cannot go on.
    Broken(String),
    /// SIGINT, SIGTERM or SIGHUP.
    Interrupted,
}

/// How the story ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ended {
    /// By itself.
    Told,
    /// Somebody wanted it to.
    Interrupted,
}

/// Runs the demo; everything it started has ended when this returns.
pub fn run(args: &DemoArgs) -> anyhow::Result<ExitCode> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().context("cannot start the runtime")?;
    let (events, news) = mpsc::channel();
    interrupt_on_signal(&runtime, &events)?;
    let place = Place::open(args.dir.as_deref())?;
    // declared before whatever uses it, so that it ends last
    let broker = EmbeddedBroker::start()?;
    let mut screen = Screen::new();
    let stage = Stage::set(args, &runtime, &place, &broker, &events, &screen)?;
    stage.perform(args, &runtime, &news, &mut screen)
}

/// Everything that runs while the story is told.
struct Stage {
    brokers: String,
    client: reqwest::Client,
    address: String,
    daemon: Daemon,
    traffic: Traffic,
    events: Sender<Event>,
    story: Story,
    sent: Vec<(Instant, u64)>,
}

impl Stage {
    /// Starts everything; the daemon is ready and traffic flows when this returns.
    fn set(
        args: &DemoArgs,
        runtime: &Runtime,
        place: &Place,
        broker: &EmbeddedBroker,
        events: &Sender<Event>,
        screen: &Screen,
    ) -> anyhow::Result<Self> {
        for topic in [PREDICTIONS, LABELS] {
            broker.create_topic(topic, PARTITIONS)?;
        }
        let brokers = broker.bootstrap_servers().to_owned();
        let scenario = Scenario {
            rate: f64::from(args.rate),
            label_delay_ms: LABEL_DELAY_MS,
            // without an end: whoever tells the story stops it
            duration_ms: i64::MAX / 4,
            ..Scenario::healthy(Task::Binary)
        };
        place.write_reference(&scenario, args.seed)?;
        let secrets = secrets()?;
        let receivers = receivers::start(runtime, secrets.clone(), events.clone())?;
        let config = place.write_configuration(&Addresses { brokers: &brokers, receivers: &receivers }, &secrets)?;
        for line in prologue(args, place, &brokers, &receivers, screen) {
            screen.line(&line)?;
        }
        let mut daemon = Daemon::start(&config, place.file("daemon.log"))?;
        let address = daemon.address(STARTING)?;
        let client = reqwest::Client::builder().no_proxy().build()?;
        wait_until_ready(runtime, &client, &address, &mut daemon)?;
        runtime.spawn(status::watch(client.clone(), address.clone(), events.clone()));
        let traffic = Traffic::start(scenario, args.seed, &brokers, events.clone())?;
        let story = Story::new(Instant::now());
        Ok(Self { brokers, client, address, daemon, traffic, events: events.clone(), story, sent: Vec::new() })
    }

    /// Tells the story, ends everything, and says what came of it.
    fn perform(mut self, args: &DemoArgs, runtime: &Runtime, news: &Receiver<Event>, screen: &mut Screen) -> anyhow::Result<ExitCode> {
        if self.tell(news, screen, false)? == Ended::Interrupted {
            screen.close();
            screen.line("interrupted: the daemon and everything else has ended")?;
            return Ok(ExitCode::from(INTERRUPTED));
        }
        let mut checks = checks::of_story(&self.story.record);
        let took = report::took(&self.story.record, Instant::now());
        let table = report::table(&self.story.record);
        if args.keep {
            screen.line(&table)?;
            screen.line("the story is told; traffic goes on until you interrupt it (Ctrl-C)")?;
            self.tell(news, screen, true)?;
        }
        let stuck = self.story.record.stuck;
        let ending = self.end(runtime)?;
        checks.extend(checks::of_ending(&ending));
        screen.close();
        if !args.keep {
            screen.line(&format!("\n{table}"))?;
        }
        screen.line(&format!("\n{}", report::verdict(&checks, screen.paint)))?;
        let missing: Vec<&Check> = checks.iter().filter(|check| check.outcome.is_err()).collect();
        if missing.is_empty() {
            screen.line(&screen.paint.good(&format!("everything happened as told, in {took}")))?;
            return Ok(ExitCode::SUCCESS);
        }
        if let Some(phase) = stuck {
            screen.line(&format!("the story did not go on from: {}", phase.caption()))?;
        }
        screen.line(&screen.paint.bad(&format!("{} of {} promises were not kept", missing.len(), checks.len())))?;
        Ok(ExitCode::FAILURE)
    }

    /// Takes news and lets the story go on, until it ends; `for_ever`: until interrupted.
    fn tell(&mut self, news: &Receiver<Event>, screen: &mut Screen, for_ever: bool) -> anyhow::Result<Ended> {
        loop {
            match news.recv_timeout(TURN) {
                Ok(Event::Interrupted) => return Ok(Ended::Interrupted),
                Ok(event) => self.take(event, screen)?,
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => unreachable!("a sender is kept here"),
            }
            self.daemon.check()?;
            let now = Instant::now();
            match self.story.turn(now) {
                Some(Act::Inject(injection)) => self.traffic.injections().send(injection).context("the traffic has ended")?,
                Some(Act::End) if !for_ever => return Ok(Ended::Told),
                Some(Act::End) | None => {}
            }
            let now = Now { at: now, phase: self.story.phase, rate: self.rate(now) };
            screen.show(&self.story.record, now)?;
        }
    }

    fn take(&mut self, event: Event, screen: &mut Screen) -> anyhow::Result<()> {
        let record = &mut self.story.record;
        match event {
            Event::Status(status) => self.story.take_status(*status),
            Event::Told(mut told) => {
                if let Some(begun) = record.told.iter().find(|begun| told.rule.is_empty() && begun.incident == told.incident) {
                    told.text.push(format!("the incident of {}", begun.rule));
                }
                let voice = if told.to == To::Slack { Voice::Slack } else { Voice::PagerDuty };
                screen.say(Some(record.time(told.at)), voice, &told.text)?;
                record.told.push(told);
            }
            Event::Retrain(told, data) => {
                screen.say(Some(record.time(told.at)), Voice::Pipeline, &told.text)?;
                // delivery is at least once: the incident says whether it is the same request
                let is_new = !record.told.iter().any(|other| other.to == To::Pipeline && other.incident == told.incident);
                record.told.push(told);
                if is_new {
                    pipeline::start(self.brokers.clone(), *data, self.traffic.injections(), self.events.clone())?;
                }
            }
            Event::Harvested(harvest) => {
                let share = harvest.right as f64 / harvest.examples.max(1) as f64;
                let text = format!(
                    "reads {} messages at the trigger's offsets: {} labelled examples, v1 is right in {:.1} % of them; trains",
                    checks::thousands(harvest.messages),
                    checks::thousands(harvest.examples),
                    share * 100.0
                );
                screen.say(Some(record.time(Instant::now())), Voice::Pipeline, &[text])?;
                record.harvest = Some(harvest);
            }
            Event::Injected(injection, at) => {
                screen.say(Some(record.time(at)), Voice::Inject, &[injection.caption()])?;
                record.injected.push((injection, at));
            }
            Event::Broken(problem) => anyhow::bail!(problem),
            Event::Interrupted => {}
        }
        Ok(())
    }

    /// Ends the traffic, lets the daemon read all of it, and ends the daemon.
    fn end(self, runtime: &Runtime) -> anyhow::Result<Ending> {
        let Self { traffic, client, address, mut daemon, story, .. } = self;
        let sent = traffic.stop()?;
        let began = Instant::now();
        let mut counts = story.record.status.counts;
        while began.elapsed() < DRAINING {
            let status = runtime.block_on(status::fetch(&client, &address)).context("the daemon does not answer")?;
            counts = status.counts;
            if counts.received >= sent.predictions + sent.labels && status.outbox.pending == 0 {
                break;
            }
            daemon.check()?;
            std::thread::sleep(TURN);
        }
        Ok(Ending { sent, counts, exit: daemon.stop(DRAINING) })
    }

    /// Requests by the second, over the last seconds.
    fn rate(&mut self, now: Instant) -> f64 {
        self.sent.push((now, self.traffic.predictions()));
        let old = self.sent.iter().take_while(|(at, _)| now.saturating_duration_since(*at) > RATE).count();
        self.sent.drain(..old);
        let Some((&(first, before), &(last, after))) = self.sent.first().zip(self.sent.last()) else { return 0.0 };
        (after - before) as f64 / last.saturating_duration_since(first).as_secs_f64().max(0.001)
    }
}

fn prologue(args: &DemoArgs, place: &Place, brokers: &str, receivers: &str, screen: &Screen) -> Vec<String> {
    let row = |name: &str, text: String| format!("  {}  {text}", screen.paint.faint(&format!("{name:9}")));
    let config = place.file("driftd.toml");
    let removed = if place.is_kept() { "" } else { " (removed at the end)" };
    vec![
        screen.paint.bold("driftd demo: a fraud model in production, watched for about a minute and a half"),
        row("broker", format!("{brokers}, in this process; topics {PREDICTIONS} and {LABELS}, {PARTITIONS} partitions each")),
        row("traffic", format!("{} requests a second, their labels 0.6 s later on average", checks::thousands(u64::from(args.rate)))),
        row("daemon", format!("driftd run --config {}{removed}", config.display())),
        row("windows", "4 s, a new one each second; rules and thresholds are the documented ones".to_owned()),
        row("receivers", format!("{receivers} stands for Slack, PagerDuty and the training pipeline")),
        String::new(),
    ]
}

fn wait_until_ready(runtime: &Runtime, client: &reqwest::Client, address: &str, daemon: &mut Daemon) -> anyhow::Result<()> {
    let began = Instant::now();
    while !runtime.block_on(status::fetch(client, address)).is_ok_and(|status| status.ready) {
        daemon.check()?;
        anyhow::ensure!(began.elapsed() < STARTING, "the daemon is not ready after {STARTING:?}; see /readyz?verbose");
        std::thread::sleep(TURN);
    }
    Ok(())
}

/// New ones for each run.
fn secrets() -> anyhow::Result<Secrets> {
    let mut bytes = [0; 48];
    File::open("/dev/urandom").and_then(|mut source| source.read_exact(&mut bytes)).context("cannot make secrets")?;
    let (key, rest) = bytes.split_at(16);
    let routing_key = key.iter().map(|byte| format!("{byte:02x}")).collect();
    Ok(Secrets { routing_key, signing_key: format!("whsec_{}", STANDARD.encode(rest)) })
}

/// The first signal ends the demo in order.
fn interrupt_on_signal(runtime: &Runtime, events: &Sender<Event>) -> anyhow::Result<()> {
    let _guard = runtime.enter();
    for kind in [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()] {
        let (mut signals, events) = (signal(kind)?, events.clone());
        runtime.spawn(async move {
            while signals.recv().await.is_some() {
                // nobody listens any more where the demo is at its end
                drop(events.send(Event::Interrupted));
            }
        });
    }
    Ok(())
}
