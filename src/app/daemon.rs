//! `driftd run`: wires configuration, state, Kafka, engine, notifiers and HTTP; ends with the engine.

use super::clock::wall_clock;
use super::engine::Engine;
use super::keeper::Keeper;
use super::publisher::Publisher;
use super::topics::Topics;
use super::{load_config, load_references, reference_notes};
use crate::config::{Config, SecretPolicy};
use crate::edge::ingest::{KafkaSource, OffsetTable, PartitionOffset};
use crate::edge::notify::{Notifier, Workers};
use crate::edge::state::{DirDisk, SnapshotStore};
use crate::serve::{Heartbeat, View, serve};
use crate::telemetry;
use anyhow::Context as _;
use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio::sync::watch;

/// Longest wait for open HTTP requests and sends when the engine has ended.
const CLOSING: Duration = Duration::from_secs(1);

/// Runs the daemon until SIGTERM or SIGINT; with `stop_with_stdin` also until its standard input ends, so that whoever holds the other end of that
/// pipe does not leave it behind, however it goes itself.
pub fn run(config: &Path, stop_with_stdin: bool) -> anyhow::Result<()> {
    let config = load_config(config, SecretPolicy::Required)?;
    telemetry::init(config.log.format, &config.log.level)?;
    let stop = Arc::new(AtomicBool::new(false));
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().context("cannot start the runtime")?;
    stop_on_signal(&runtime, Arc::clone(&stop))?;
    if stop_with_stdin {
        stop_on_end_of_input(Arc::clone(&stop))?;
    }
    run_until(&config, &runtime, &stop)
}

/// Runs the daemon until `stop` is set.
pub fn run_until(config: &Config, runtime: &Runtime, stop: &Arc<AtomicBool>) -> anyhow::Result<()> {
    let state_dir = config.resolve(&config.daemon.state_dir);
    let keeper = restore(config, &state_dir)?;
    let notifier = Arc::new(Notifier::new(config.channels.clone(), config.templates.as_deref())?);

    let (views, view) = watch::channel(Arc::new(View::starting(Arc::clone(&config.engine.alerting.environment), wall_clock())));
    let heartbeat = Heartbeat::default();
    let listener = runtime
        .block_on(TcpListener::bind(config.daemon.listen))
        .with_context(|| format!("cannot listen on {} (daemon.listen)", config.daemon.listen))?;
    tracing::info!(address = %listener.local_addr()?, "listening");
    let (close, mut closed) = watch::channel(false);
    let shutdown = async move {
        // an error means that the sender is gone, which is as good a reason to end
        let _ended = closed.wait_for(|closed| *closed).await.is_ok();
    };
    let http = runtime.spawn(serve(listener, view, heartbeat.clone(), shutdown));

    // bounded by the outbox: each owed notification is in flight at most once
    let (outcome, outcomes) = mpsc::channel();
    // an engine that has ended takes no outcome any more: what is owed stays in its last snapshot and is sent again under the same id
    let workers = Arc::new(Workers::spawn(notifier, runtime.handle(), move |o| drop(outcome.send(o))));
    let ended =
        start_engine(config, keeper, &workers, outcomes, Publisher::new(views, &config.engine.alerting.environment), heartbeat, stop)?
            .join()
            .map_err(|_| anyhow::anyhow!("the engine panicked; the state is that of the last checkpoint"))?;
    close.send_replace(true);
    runtime.block_on(async {
        workers.shutdown(CLOSING).await;
        match tokio::time::timeout(CLOSING, http).await {
            Ok(Ok(Err(error))) => tracing::warn!(%error, "http server"),
            Ok(Err(error)) => tracing::warn!(%error, "http server"),
            Ok(Ok(Ok(()))) | Err(_) => {}
        }
    });
    ended
}

/// Continues from the newest snapshot that is whole, or begins anew where there never was one.
fn restore(config: &Config, state_dir: &Path) -> anyhow::Result<Keeper<DirDisk>> {
    let store = SnapshotStore::open(DirDisk::open(state_dir)?)?;
    let settings = Arc::new(config.engine.clone());
    let seed = RandomState::new().build_hasher().finish();
    let references = load_references(config)?;
    for note in reference_notes(config, &references) {
        tracing::warn!("{note}");
    }
    let (keeper, opened) = Keeper::open(store, settings, config.events.clone(), references, seed)?;
    for refusal in &opened.refused {
        tracing::error!(file = %refusal.file, reason = %refusal.reason, "snapshot refused, an older one is used");
    }
    for note in &opened.notes {
        tracing::warn!(?note, "the state and the configuration differ");
    }
    match opened.snapshot {
        Some((sequence, bytes)) => tracing::info!(sequence, bytes, "state restored"),
        None => tracing::info!("no snapshot yet: starting with an empty state"),
    }
    Ok(keeper)
}

fn start_engine(
    config: &Config,
    mut keeper: Keeper<DirDisk>,
    workers: &Arc<Workers>,
    outcomes: mpsc::Receiver<crate::edge::notify::Outcome>,
    publisher: Publisher,
    heartbeat: Heartbeat,
    stop: &Arc<AtomicBool>,
) -> anyhow::Result<std::thread::JoinHandle<anyhow::Result<()>>> {
    let topics = Topics::enter(&config.kafka, &mut keeper.pipeline_mut().shard);
    let offsets = keeper.pipeline().shard.state().next_offsets();
    let offsets = offsets.map(|(topic, partition, next_offset)| PartitionOffset { topic: Arc::clone(topic), partition, next_offset });
    let offsets = Arc::new(OffsetTable::from_offsets(offsets));
    // the name below is durable before the broker hears of it: a start that is cut off here leaves no member under a lost name
    if let Err(error) = keeper.save() {
        anyhow::ensure!(!error.must_stop(), error);
    }
    let mut settings = config.kafka.clone();
    // a static member comes back without a rebalance, also after a kill; its name must be its own and outlive it, as the state does
    let instance = format!("driftd-{:016x}", keeper.pipeline().shard.state().seed());
    settings.properties.entry("group.instance.id".to_owned()).or_insert(instance);
    let (kafka, source) = KafkaSource::start(&settings, Arc::clone(&offsets))?;
    let engine = Engine {
        keeper,
        topics,
        source,
        kafka,
        offsets,
        outcomes,
        workers: Arc::clone(workers),
        publisher,
        heartbeat,
        stop: Arc::clone(stop),
        checkpoint_every: Duration::from_millis(config.daemon.checkpoint_ms.unsigned_abs()),
        shutdown: Duration::from_millis(config.daemon.shutdown_ms),
    };
    let stop = Arc::clone(stop);
    let run = move || {
        let ended = engine.run();
        if let Err(error) = &ended {
            tracing::error!(error = format!("{error:#}"), "the engine stopped");
        }
        stop.store(true, Ordering::Relaxed);
        ended
    };
    std::thread::Builder::new().name("engine".to_owned()).spawn(run).context("cannot start the engine's thread")
}

fn stop_on_end_of_input(stop: Arc<AtomicBool>) -> anyhow::Result<()> {
    let wait = move || {
        // an input that cannot be read has ended, too
        drop(std::io::copy(&mut std::io::stdin().lock(), &mut std::io::sink()));
        stop.store(true, Ordering::Relaxed);
    };
    std::thread::Builder::new().name("stdin".to_owned()).spawn(wait).context("cannot watch the standard input")?;
    Ok(())
}

fn stop_on_signal(runtime: &Runtime, stop: Arc<AtomicBool>) -> anyhow::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let _guard = runtime.enter();
    let (mut term, mut int) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    runtime.spawn(async move {
        tokio::select! { _ = term.recv() => {}, _ = int.recv() => {} }
        stop.store(true, Ordering::Relaxed);
    });
    Ok(())
}
