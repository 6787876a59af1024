//! Whatever stops in mid-stream, broker or daemon, in good order or not: nothing is lost, nothing counts twice, and the closed windows are those of a run
//! that nothing disturbed.

use crate::support::installation::{Installation, PATIENCE, Running, measurements};
use crate::support::kafka::Broker;
use crate::support::oracle::{Window, quality, readings};
use crate::support::receiver::{Answer, Received, Receiver};
use crate::support::traffic::{Phase, Request, requests, start_before_now, timestamp};
use rand::{Rng, SeedableRng};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Time from a prediction to its label.
const DELAY_MS: i64 = 500;
/// A silence in which driftd hears that it has read everything.
const QUIET: Duration = Duration::from_secs(4);
/// `window.idle` where a silence that begins with [`QUIET`] goes on as an outage of [`OUTAGE`].
const IDLE: &str = "8s";
const OUTAGE: Duration = Duration::from_secs(7);
/// Requests that are produced in one go.
const BURST: usize = 25;

/// Event time from the last request to those that close everything.
const FIRST_CLOSING_MS: i64 = 60_000;
const SECOND_CLOSING_MS: i64 = 80_000;

/// Produces requests with their labels at a pace, then one more a minute later in each partition, so that everything before it closes.
struct Production<'a> {
    installation: &'a Installation,
    broker: &'a Broker,
    requests: &'a [Request],
    /// Time for all of it.
    takes: Duration,
    /// Requests produced so far.
    progress: AtomicU64,
    /// It pauses when so many have been produced.
    allowed: AtomicU64,
}

impl<'a> Production<'a> {
    fn new(installation: &'a Installation, broker: &'a Broker, requests: &'a [Request], takes: Duration) -> Self {
        Self { installation, broker, requests, takes, progress: AtomicU64::new(0), allowed: AtomicU64::new(u64::MAX) }
    }

    /// The number of requests that is this share of all, in whole bursts.
    fn share(&self, share: f64) -> u64 {
        (self.requests.len() as f64 * share) as u64 / BURST as u64 * BURST as u64
    }

    /// Waits until so many requests have been produced.
    fn wait_for(&self, n: u64) {
        crate::support::wait_until("progress", PATIENCE, || (self.progress.load(Ordering::SeqCst) >= n).then_some(()));
    }

    /// Pauses at `n` requests until the daemon has read them all and knows that it is at the end: the quiet in which an outage begins.
    fn quiet_at(&self, n: u64, running: &mut Running) {
        self.wait_for(n);
        self.broker.flush();
        running.wait_for_metrics("all that was produced", |m| m.sum("driftd_events_received_total") >= 2 * n);
        // the source looks for ends once a second, and takes its time where messages have just come
        std::thread::sleep(QUIET);
    }

    /// Returns how many events were produced.
    fn run(&self) -> u64 {
        let began = Instant::now();
        for (i, burst) in self.requests.chunks(BURST).enumerate() {
            let is_allowed = || (self.progress.load(Ordering::SeqCst) < self.allowed.load(Ordering::SeqCst)).then_some(());
            crate::support::wait_until("leave to go on", PATIENCE, is_allowed);
            for request in burst {
                self.installation.predict(self.broker, request);
                self.installation.label(self.broker, request, DELAY_MS);
            }
            self.progress.fetch_add(burst.len() as u64, Ordering::SeqCst);
            let due = self.takes.mul_f64((i + 1) as f64 * BURST as f64 / self.requests.len() as f64);
            std::thread::sleep(due.saturating_sub(began.elapsed()));
        }
        2 * self.requests.len() as u64 + self.close(FIRST_CLOSING_MS)
    }

    /// One request more in each partition, that much later. Returns how many events that makes.
    fn close(&self, later_ms: i64) -> u64 {
        let n_partitions = self.installation.n_partitions;
        let last = self.requests.last().unwrap();
        let mut reached = BTreeSet::new();
        let mut n_produced = 0;
        for i in 0.. {
            if reached.len() == n_partitions as usize {
                break;
            }
            let request = Request { id: format!("last-{later_ms}-{i}"), at_ms: last.at_ms + later_ms, ..last.clone() };
            reached.insert(request.partition(n_partitions));
            self.installation.predict(self.broker, &request);
            self.installation.label(self.broker, &request, DELAY_MS);
            n_produced += 2;
        }
        self.broker.flush();
        n_produced
    }

    /// Waits until each of `daemons` has applied all `n_events` once and judged everything of the traffic. Returns how many events there are then.
    fn settle(&self, daemons: &mut [&mut Running], n_events: u64) -> u64 {
        daemons.iter_mut().for_each(|running| assert_all_applied(running, n_events));
        // event time goes on once more when all labels are there: by now there is nothing to wait for
        let n_events = n_events + self.close(SECOND_CLOSING_MS);
        let closing = (self.requests.last().unwrap().at_ms + FIRST_CLOSING_MS) / 2_000 * 2_000 + 4_000;
        for running in daemons {
            running.wait_for_reading(closing, "quality", "accuracy");
            running.wait_for_metrics("all told", |m| m.sum("driftd_alerts_firing") + m.sum("driftd_outbox_pending") == 0);
            assert_all_applied(running, n_events);
        }
        n_events
    }
}

/// Healthy, drift of an input, healthy, fall of quality, healthy: alerts fire and resolve all the way.
fn story(start: i64) -> Vec<Request> {
    let phases = [
        (0, 12, Phase::Healthy),
        (12, 32, Phase::AmountDrifts),
        (32, 52, Phase::Healthy),
        (52, 72, Phase::ConceptShifts),
        (72, 92, Phase::Healthy),
    ];
    phases.into_iter().flat_map(|(from, to, phase)| requests(start, from, to, phase)).collect()
}

/// Every window up to the end of the traffic: requests, quality, and each reading as `driftd replay` has it over the same events.
fn assert_closed_windows(installation: &Installation, lines: &[Value], requests: &[Request]) {
    let end = requests.last().unwrap().at_ms / 2_000 * 2_000;
    let got = readings(lines, end);
    let first = requests[0].at_ms;
    for window in (first + 4_000..=end).step_by(2_000).map(|end| Window { start: end - 4_000, end }) {
        let expected = quality(requests, window);
        let reading = |subject: &str, metric: &str| {
            let versions = &got[&(timestamp(window.end), subject.to_owned(), metric.to_owned())];
            versions.last().unwrap().clone()
        };
        assert_eq!(reading("service", "error_rate")["window"]["predictions"], expected.n);
        assert_eq!(reading("service", "throughput_rps")["value"], expected.n as f64 / 4.0);
        assert_eq!(reading("quality", "accuracy")["value"], expected.accuracy);
        assert_eq!(reading("quality", "recall")["value"], expected.recall);
    }
    let predictions: Vec<String> = requests.iter().map(|r| r.prediction().to_string()).collect();
    let labels: Vec<String> = requests.iter().map(|r| r.label(DELAY_MS).to_string()).collect();
    // the last windows of a replay end with their file: it has the traffic of four seconds that nobody asks for
    let replayed: Vec<Value> = installation.replay(&predictions, &labels).iter().map(|line| serde_json::from_str(line).unwrap()).collect();
    let replayed = readings(&replayed, end - 4_000);
    let got = readings(lines, end - 4_000);
    assert_same_readings(&got, &replayed);
}

/// The same windows with the same readings; each was printed in one version only, however often.
#[track_caller]
fn assert_same_readings(
    got: &BTreeMap<crate::support::oracle::Key, Vec<Value>>,
    expected: &BTreeMap<crate::support::oracle::Key, Vec<Value>>,
) {
    assert!(expected.len() > 100, "{} readings are no test", expected.len());
    let keys = |readings: &BTreeMap<_, _>| readings.keys().cloned().collect::<BTreeSet<_>>();
    assert_eq!(keys(got), keys(expected));
    for (key, versions) in got {
        let expected = &expected[key];
        assert_eq!((versions.len(), versions), (1, expected), "{key:?}");
    }
}

/// No label missing at its window's judgement, and no silence long enough to close anything.
fn without_haste(installation: &mut Installation) {
    installation.set("join", "mature_coverage", 1.0);
    installation.set("window", "idle", "5m");
}

#[track_caller]
fn assert_all_applied(running: &mut Running, n_events: u64) {
    let metrics = running.wait_for_received(n_events);
    assert_eq!(metrics.get("driftd_events_applied_total"), n_events, "each event counts once: {metrics:?}");
}

#[test]
fn a_broker_that_stops_under_load_and_dies_in_a_quiet_moment() {
    let broker = Broker::start();
    let mut installation = Installation::new(&broker, "outage", 2);
    installation.set("join", "mature_coverage", 1.0);
    installation.set("window", "idle", IDLE);
    let mut running = installation.start();
    let story = story(start_before_now(180));
    let production = Production::new(&installation, &broker, &story, Duration::from_secs(14));
    let quiet = production.share(0.65);
    production.allowed.store(quiet, Ordering::SeqCst);
    let n_events = std::thread::scope(|scope| {
        let producing = scope.spawn(|| production.run());
        production.wait_for(production.share(0.25));
        broker.stop();
        broker.start_again();
        production.quiet_at(quiet, &mut running);
        broker.kill();
        production.allowed.store(u64::MAX, Ordering::SeqCst);
        // a silence that is only an outage closes nothing
        std::thread::sleep(OUTAGE);
        broker.start_again();
        producing.join().unwrap()
    });
    production.settle(&mut [&mut running], n_events);
    assert_closed_windows(&installation, &running.measurements(), &story);
    running.daemon.wait_for_http(&running.address, "/readyz", 200, PATIENCE);
    running.terminate();
}

#[test]
fn sigterm_under_load_and_a_start_after_a_pause() {
    let broker = Broker::shared();
    let mut installation = Installation::new(broker, "sigterm", 2);
    installation.set("join", "mature_coverage", 1.0);
    installation.set("window", "idle", IDLE);
    let story = story(start_before_now(180));
    let production = Production::new(&installation, broker, &story, Duration::from_secs(12));
    let quiet = production.share(0.65);
    production.allowed.store(quiet, Ordering::SeqCst);
    let mut lines = Vec::new();
    let mut end = |running: &mut Running| {
        let began = Instant::now();
        running.terminate();
        assert!(began.elapsed() < Duration::from_secs(10), "SIGTERM took {:?}", began.elapsed());
        lines.extend(running.daemon.lines());
    };
    let (mut running, n_events) = std::thread::scope(|scope| {
        let producing = scope.spawn(|| production.run());
        let mut running = installation.start();
        running.wait_for_metrics("some progress", |m| m.sum("driftd_events_received_total") >= 2_000);
        end(&mut running);
        let mut running = installation.start();
        production.quiet_at(quiet, &mut running);
        end(&mut running);
        production.allowed.store(u64::MAX, Ordering::SeqCst);
        // what is produced meanwhile is in time all the same
        std::thread::sleep(OUTAGE);
        (installation.start(), producing.join().unwrap())
    });
    let n_events = production.settle(&mut [&mut running], n_events);
    lines.extend(running.daemon.lines());
    assert_closed_windows(&installation, &measurements(&lines), &story);
    assert_committed_to_the_end(&installation, broker, n_events / 2);
}

/// What a lag tool sees: the group stands where the state does.
fn assert_committed_to_the_end(installation: &Installation, broker: &Broker, n_predictions: u64) {
    let group = installation.config["kafka"]["group"].as_str().unwrap();
    let log = broker.consume(&installation.predictions, n_predictions as usize);
    for partition in 0..installation.n_partitions {
        let end = log.iter().filter(|message| message.partition == partition).count() as i64;
        crate::support::wait_until("the committed offset", PATIENCE, || {
            (broker.committed(group, &installation.predictions, partition)? == end).then_some(())
        });
    }
}

/// The receivers of one run, with all that they heard.
struct Receivers {
    webhook: Receiver,
    pagerduty: Receiver,
    pipeline: Receiver,
}

impl Receivers {
    fn of(installation: &mut Installation) -> Self {
        let receivers = Self { webhook: Receiver::start(), pagerduty: Receiver::start(), pipeline: Receiver::start() };
        receivers.pagerduty.afterwards(Answer::pagerduty_accepted());
        installation.webhook("anything", &receivers.webhook);
        installation.pagerduty("on-call", &receivers.pagerduty);
        installation.retrain(&receivers.pipeline);
        receivers
    }

    /// Signed messages by id.
    fn messages(&self) -> BTreeMap<String, Vec<Received>> {
        let mut messages = BTreeMap::<String, Vec<Received>>::new();
        for request in [self.webhook.received(), self.pipeline.received()].concat() {
            messages.entry(request.header("webhook-id").unwrap().to_owned()).or_default().push(request);
        }
        messages
    }

    /// What PagerDuty was told: (action, key), each once.
    fn pages(&self) -> BTreeSet<(String, String)> {
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let bodies = self.pagerduty.received().into_iter().map(|request| request.json());
        bodies.map(|body| (text(&body["event_action"]), text(&body["dedup_key"]))).collect()
    }
}

#[test]
fn kill_in_mid_stream_and_the_windows_and_ids_of_an_undisturbed_run() {
    const SEED: u64 = 20_261_122;
    const N_KILLS: u64 = 4;
    let broker = Broker::shared();
    let mut installation = Installation::new(broker, "kill", 2);
    without_haste(&mut installation);
    let mut killed = installation.twin(broker);
    without_haste(&mut killed);
    let (calm_receivers, killed_receivers) = (Receivers::of(&mut installation), Receivers::of(&mut killed));
    let story = story(start_before_now(180));
    let production = Production::new(&installation, broker, &story, Duration::from_secs(20));
    let mut calm = installation.start();
    let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(SEED);
    let mut lines = Vec::new();
    let (mut running, n_events) = std::thread::scope(|scope| {
        let producing = scope.spawn(|| production.run());
        for kill in 0..N_KILLS {
            let mut running = killed.start();
            // somewhere in its share of the stream, whatever is being done there: assignment, reading, judging, saving, sending
            let share = (kill as f64 + rng.random_range(0.3..1.0)) / (N_KILLS as f64 + 0.5);
            production.wait_for(production.share(share));
            running.daemon.kill();
            lines.extend(running.daemon.lines());
        }
        (killed.start(), producing.join().unwrap())
    });
    production.settle(&mut [&mut calm, &mut running], n_events);
    lines.extend(running.daemon.lines());
    let n_restored = lines.iter().filter(|line| line.contains("\"state restored\"")).count();
    assert_eq!(n_restored as u64, N_KILLS, "each start after a kill went on from a snapshot");
    let (calm_lines, killed_lines) = (calm.measurements(), measurements(&lines));
    assert_closed_windows(&installation, &calm_lines, &story);
    let until = story.last().unwrap().at_ms / 2_000 * 2_000;
    assert_same_readings(&readings(&killed_lines, until), &readings(&calm_lines, until));

    let (calm, killed) = (calm_receivers.messages(), killed_receivers.messages());
    let ids = |messages: &BTreeMap<String, Vec<Received>>| messages.keys().cloned().collect::<BTreeSet<_>>();
    assert_eq!(ids(&calm), ids(&killed));
    assert_eq!(calm_receivers.pages(), killed_receivers.pages());
    assert!(calm.values().all(|attempts| attempts.len() == 1), "an undisturbed run says everything once");
    let names: BTreeSet<&str> = calm.keys().map(|id| id.split('-').nth(2).unwrap()).collect();
    assert_eq!(names, BTreeSet::from(["firing", "resolved", "retrain"]), "{calm:?}");
    let mut n_repeated = 0;
    for (id, attempts) in &killed {
        n_repeated += attempts.len() as u64 - 1;
        assert!(attempts.iter().all(|attempt| attempt.body == attempts[0].body), "{id} says two things: {attempts:?}");
    }
    assert!(n_repeated <= N_KILLS * 2, "{n_repeated} messages were repeated over {N_KILLS} kills");
}
