//! The workers: independence of receivers, bounds, shutdown.

use super::super::{Busy, Channel, ChannelSettings, Outcome, Workers};
use super::server::{Answers, Server};
use super::{notifier, settings, to, webhook};
use crate::engine::alert::{Delivery, FailureReason, Notification, NotifyReason};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::runtime::Handle;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

fn spawn(receivers: Vec<ChannelSettings>) -> (Workers, UnboundedReceiver<Outcome>) {
    let (sender, outcomes) = unbounded_channel();
    let workers = Workers::spawn(notifier(receivers), &Handle::current(), move |outcome| sender.send(outcome).unwrap());
    (workers, outcomes)
}

fn numbered(receiver: &str, n: usize) -> Arc<Notification> {
    Arc::new(Notification { id: format!("0011223344556677-{n}-{receiver}").into(), ..to(receiver, NotifyReason::Firing) })
}

async fn next(outcomes: &mut UnboundedReceiver<Outcome>) -> Outcome {
    tokio::time::timeout(Duration::from_secs(10), outcomes.recv()).await.unwrap().unwrap()
}

#[tokio::test]
async fn a_hanging_receiver_delays_no_other() {
    let hanging = Server::start(vec![Answers::Hangs]).await;
    let healthy = Server::start(vec![Answers::With(200, "", "ok")]).await;
    let slow = ChannelSettings { timeout_ms: 30_000, ..settings("hanging", webhook(), &hanging.url) };
    let (workers, mut outcomes) = spawn(vec![slow, settings("healthy", Channel::Slack, &healthy.url)]);
    let begun = Instant::now();
    for n in 0..20 {
        workers.offer(numbered("hanging", n), 0).unwrap();
        workers.offer(numbered("healthy", n), 0).unwrap();
    }
    for n in 0..20 {
        let outcome = next(&mut outcomes).await;
        assert_eq!((&*outcome.receiver, outcome.delivery), ("healthy", Delivery::Accepted));
        assert_eq!((outcome.id.clone(), outcome.retry_at_ms_from_now), (numbered("healthy", n).id.clone(), None));
    }
    assert!(begun.elapsed() < Duration::from_secs(10));
    assert_eq!(workers.shutdown(Duration::from_millis(50)).await, 1);
}

#[tokio::test]
async fn a_full_queue_is_busy_and_a_stopped_one_says_so() {
    let server = Server::start(vec![Answers::Hangs]).await;
    let (workers, _outcomes) = spawn(vec![settings("r", webhook(), &server.url)]);
    let taken = (0..200).take_while(|n| workers.offer(numbered("r", *n), 0).is_ok()).count();
    assert!((64..=65).contains(&taken), "{taken}");
    assert_eq!(workers.offer(numbered("r", 999), 0), Err(Busy::QueueFull));
    assert_eq!(workers.shutdown(Duration::from_millis(50)).await, 1);
    // the task drops its queue once the runtime has carried the abort out
    tokio::time::timeout(Duration::from_secs(10), async {
        while workers.offer(numbered("r", 999), 0) != Err(Busy::Stopping) {
            tokio::task::yield_now().await;
        }
    })
    .await
    .unwrap();
}

#[tokio::test]
async fn a_failure_is_reported_with_the_time_of_the_next_attempt() {
    let limited = Server::start(vec![Answers::With(429, "Retry-After: 90\r\n", "")]).await;
    let failing = Server::start(vec![Answers::With(500, "", "")]).await;
    let (workers, mut outcomes) = spawn(vec![settings("limited", webhook(), &limited.url), settings("failing", webhook(), &failing.url)]);

    workers.offer(numbered("failing", 1), 3).unwrap();
    let outcome = next(&mut outcomes).await;
    assert_eq!(outcome.delivery, Delivery::Retry { reason: FailureReason::ServerError, after_ms: None });
    assert!((6_000..=8_000).contains(&outcome.retry_at_ms_from_now.unwrap()), "2³ s less jitter: {outcome:?}");

    workers.offer(numbered("limited", 1), 0).unwrap();
    assert_eq!(next(&mut outcomes).await.retry_at_ms_from_now, Some(90_000));
    // the receiver asked to be left alone: further notifications do not reach it
    workers.offer(numbered("limited", 2), 0).unwrap();
    let spared = next(&mut outcomes).await;
    assert!(matches!(spared.delivery, Delivery::Retry { reason: FailureReason::RateLimited, .. }));
    assert!((80_000..=90_000).contains(&spared.retry_at_ms_from_now.unwrap()), "{spared:?}");
    assert_eq!(limited.received().len(), 1);
    assert_eq!(workers.shutdown(Duration::from_secs(5)).await, 0);
}

#[tokio::test]
async fn a_receiver_that_is_no_longer_configured_gets_an_answer() {
    let (workers, mut outcomes) = spawn(Vec::new());
    workers.offer(numbered("gone", 1), 5).unwrap();
    let outcome = next(&mut outcomes).await;
    assert_eq!((outcome.delivery, outcome.retry_at_ms_from_now), (Delivery::Refused(FailureReason::Unbuildable), None));
}

#[tokio::test]
async fn shutdown_sends_what_was_taken() {
    let server = Server::start(vec![Answers::With(200, "", "ok")]).await;
    let (workers, mut outcomes) = spawn(vec![settings("r", Channel::Slack, &server.url)]);
    for n in 0..10 {
        workers.offer(numbered("r", n), 0).unwrap();
    }
    assert_eq!(workers.shutdown(Duration::from_secs(10)).await, 0);
    assert_eq!(workers.offer(numbered("r", 11), 0), Err(Busy::Stopping));
    for _ in 0..10 {
        assert_eq!(next(&mut outcomes).await.delivery, Delivery::Accepted);
    }
    assert_eq!(server.received().len(), 10);
}

#[test]
fn offers_come_from_a_plain_thread() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let server = runtime.block_on(Server::start(vec![Answers::With(200, "", "")]));
    let (sender, outcomes) = std::sync::mpsc::sync_channel(8);
    let receivers = vec![settings("r", webhook(), &server.url)];
    let workers = Workers::spawn(notifier(receivers), runtime.handle(), move |outcome| sender.send(outcome).unwrap());
    std::thread::scope(|scope| {
        scope.spawn(|| workers.offer(numbered("r", 1), 0).unwrap());
    });
    assert_eq!(outcomes.recv_timeout(Duration::from_secs(10)).unwrap().delivery, Delivery::Accepted);
    assert_eq!(runtime.block_on(workers.shutdown(Duration::from_secs(5))), 0);
}
