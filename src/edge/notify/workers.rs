//! One task and one bounded queue per receiver, so that a receiver that hangs delays no other.
//!
//! Invariant: every notification that was taken ends in exactly one [`Outcome`], except those a [`Workers::shutdown`] ran out of time for; they are still
//! in the outbox and go out again, under the same id, after the restart. Nothing here keeps a notification for later: the outbox does.

use super::{Notifier, backoff_ms};
use crate::engine::alert::{Delivery, FailureReason, Notification};
use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::runtime::Handle;
use tokio::sync::{mpsc, watch};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::Instant;

/// Notifications that wait for one receiver; the outbox keeps the rest.
const QUEUE: usize = 64;

/// What became of one attempt, for the outbox and the counters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// Id of the notification.
    pub id: Arc<str>,
    /// Name of its receiver.
    pub receiver: Arc<str>,
    /// How it went.
    pub delivery: Delivery,
    /// Milliseconds from now until it may be tried again, the receiver's wish included; `None` where it will not be.
    pub retry_at_ms_from_now: Option<i64>,
    /// How long the attempt took, in milliseconds.
    pub latency_ms: u64,
}

/// Why a notification was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Busy {
    /// The receiver's queue is full: offer it again later.
    #[error("the receiver's queue is full")]
    QueueFull,
    /// The workers are being stopped.
    #[error("the workers are stopping")]
    Stopping,
}

/// The tasks that send notifications.
pub struct Workers {
    queues: BTreeMap<Arc<str>, mpsc::Sender<Job>>,
    /// For notifications whose receiver is no longer configured: they must be answered too.
    unrouted: mpsc::Sender<Job>,
    stop: watch::Sender<bool>,
    tasks: Mutex<Vec<JoinHandle<()>>>,
}

struct Job {
    notification: Arc<Notification>,
    attempt: u32,
}

impl Workers {
    /// Starts one task per receiver on `runtime`. `report` is called with each outcome, on one of its threads: it must not block for long.
    pub fn spawn(notifier: Arc<Notifier>, runtime: &Handle, report: impl Fn(Outcome) + Send + Sync + 'static) -> Self {
        let report: Arc<dyn Fn(Outcome) + Send + Sync> = Arc::new(report);
        let (stop, stopped) = watch::channel(false);
        let mut tasks = Vec::new();
        let mut worker = || {
            let (queue, jobs) = mpsc::channel(QUEUE);
            let worker = Worker { notifier: notifier.clone(), report: report.clone(), closed_until: None };
            tasks.push(runtime.spawn(worker.run(jobs, stopped.clone())));
            queue
        };
        let queues = notifier.receivers().map(|name| (name.clone(), worker())).collect();
        let unrouted = worker();
        Self { queues, unrouted, stop, tasks: Mutex::new(tasks) }
    }

    /// Hands over a notification that has been tried `attempt` times before. Never blocks; needs no runtime.
    ///
    /// # Errors
    /// When its receiver's queue is full or the workers are stopping: it was not taken, and no outcome will come.
    pub fn offer(&self, notification: Arc<Notification>, attempt: u32) -> Result<(), Busy> {
        let queue = self.queues.get(&notification.receiver).unwrap_or(&self.unrouted);
        queue.try_send(Job { notification, attempt }).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => Busy::QueueFull,
            mpsc::error::TrySendError::Closed(_) => Busy::Stopping,
        })
    }

    /// Takes nothing more, sends what was taken, and gives up after `deadline`. Returns how many receivers were not done by then.
    pub async fn shutdown(&self, deadline: Duration) -> usize {
        self.stop.send_replace(true);
        let tasks = match self.tasks.lock() {
            Ok(mut tasks) => std::mem::take(&mut *tasks),
            Err(poisoned) => std::mem::take(&mut *poisoned.into_inner()),
        };
        let end = Instant::now() + deadline;
        let mut n_aborted = 0;
        for mut task in tasks {
            if tokio::time::timeout_at(end, &mut task).await.is_err() {
                task.abort();
                n_aborted += 1;
            }
        }
        if n_aborted > 0 {
            tracing::warn!(receivers = n_aborted, "notifications were still under way at the end, they go out again after the restart");
        }
        n_aborted
    }
}

impl fmt::Debug for Workers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Workers").field("receivers", &self.queues.keys()).finish_non_exhaustive()
    }
}

/// One receiver's task.
struct Worker {
    notifier: Arc<Notifier>,
    report: Arc<dyn Fn(Outcome) + Send + Sync>,
    /// The receiver asked to be left alone until then.
    closed_until: Option<Instant>,
}

impl Worker {
    async fn run(mut self, mut jobs: mpsc::Receiver<Job>, mut stopped: watch::Receiver<bool>) {
        let mut stopping = false;
        loop {
            let job = tokio::select! {
                // an error means that the workers were dropped, which stops them as well
                _ = stopped.changed(), if !stopping => {
                    stopping = true;
                    jobs.close();
                    continue;
                }
                job = jobs.recv() => job,
            };
            let Some(job) = job else { return };
            self.attempt(job).await;
        }
    }

    async fn attempt(&mut self, Job { notification, attempt }: Job) {
        let begun = Instant::now();
        let delivery = match self.closed_for(begun) {
            Some(after_ms) => Delivery::Retry { reason: FailureReason::RateLimited, after_ms: Some(after_ms) },
            None => self.deliver(notification.clone()).await,
        };
        let ended = Instant::now();
        let retry_at_ms_from_now = match delivery {
            Delivery::Retry { after_ms, .. } => Some(backoff_ms(attempt, &notification.id).max(after_ms.unwrap_or(0))),
            Delivery::Accepted | Delivery::Refused(_) => None,
        };
        if let Delivery::Retry { reason: FailureReason::RateLimited, after_ms: Some(ms) } = delivery {
            self.closed_until = Some(ended + Duration::from_millis(ms.unsigned_abs()));
        }
        (self.report)(Outcome {
            id: notification.id.clone(),
            receiver: notification.receiver.clone(),
            delivery,
            retry_at_ms_from_now,
            latency_ms: u64::try_from((ended - begun).as_millis()).unwrap_or(u64::MAX),
        });
    }

    /// Milliseconds for which the receiver's last `Retry-After` still keeps everything from it.
    fn closed_for(&self, now: Instant) -> Option<i64> {
        let left = self.closed_until?.checked_duration_since(now)?.as_millis();
        i64::try_from(left).ok().filter(|ms| *ms > 0)
    }

    /// Sends in a task of its own, so that a panic costs one notification and not the receiver.
    async fn deliver(&self, notification: Arc<Notification>) -> Delivery {
        let notifier = self.notifier.clone();
        let (receiver, id) = (notification.receiver.clone(), notification.id.clone());
        let mut sending = JoinSet::new();
        sending.spawn(async move { notifier.deliver(&notification, unix_seconds()).await });
        match sending.join_next().await {
            Some(Ok(delivery)) => delivery,
            _ => {
                tracing::error!(receiver = &*receiver, id = &*id, "sending panicked, notification given up");
                Delivery::Refused(FailureReason::Unbuildable)
            }
        }
    }
}

fn unix_seconds() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| i64::try_from(since.as_secs()).unwrap_or(i64::MAX))
}
