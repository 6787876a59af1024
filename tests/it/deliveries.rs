//! Receivers that misbehave, at the end of the whole way: each gets what is owed to it, under one id, and none keeps another waiting.

use crate::support::installation::{Installation, PATIENCE};
use crate::support::kafka::Broker;
use crate::support::receiver::{Answer, Received, Receiver};
use crate::support::signature::assert_signed;
use crate::support::traffic::{Phase, requests, start_before_now};
use std::time::Duration;

#[track_caller]
fn assert_same_message(attempts: &[Received]) {
    for attempt in attempts {
        assert_eq!(attempt.header("webhook-id"), attempts[0].header("webhook-id"), "one id over all attempts");
        assert_eq!(attempt.body, attempts[0].body, "one body over all attempts");
    }
}

#[test]
fn receivers_that_refuse_limit_reset_and_hang() {
    let broker = Broker::shared();
    let limiting = Receiver::with_script([Answer::too_many(4)]);
    let failing = Receiver::with_script([Answer::status(500), Answer::status(503)]);
    let resetting = Receiver::with_script([Answer::Reset]);
    resetting.afterwards(Answer::pagerduty_accepted());
    let (hanging, steady) = (Receiver::with_script([Answer::Hang]), Receiver::start());
    let mut installation = Installation::new(broker, "deliveries", 1);
    // what hangs is owed over the restart: there is no point in waiting for it
    installation.set("daemon", "shutdown", "2s");
    installation.slack("limiting", &limiting);
    installation.webhook("failing", &failing);
    installation.pagerduty("resetting", &resetting);
    installation.webhook("hanging", &hanging);
    installation.webhook("steady", &steady);
    let mut running = installation.start();
    let start = start_before_now(120);
    requests(start, 0, 16, Phase::AmountDrifts).for_each(|request| installation.predict(broker, &request));

    let limited = limiting.wait_for(2, PATIENCE);
    let waited = limited[1].at - limited[0].at;
    assert!(waited >= Duration::from_secs(4), "tried again after {waited:?}, but the receiver asked for 4 s");
    assert_same_message(&limited);
    let failed = failing.wait_for(3, PATIENCE);
    assert_same_message(&failed);
    failed.iter().for_each(assert_signed);
    assert_same_message(&resetting.wait_for(2, PATIENCE));

    // the resolution reaches the others while one still hangs on the first message
    requests(start, 16, 36, Phase::Healthy).for_each(|request| installation.predict(broker, &request));
    let told = steady.wait_for(2, PATIENCE);
    assert_ne!(told[0].header("webhook-id"), told[1].header("webhook-id"));
    assert_eq!(told[1].json()["type"], "dev.driftd.alert.resolved.v1");
    resetting.wait_for(3, PATIENCE);
    limiting.wait_for(3, PATIENCE);
    assert_eq!(hanging.received().len(), 1, "the second message waits for the first");

    let metrics =
        running.wait_for_metrics("four receivers that have everything", |metrics| metrics.sum("driftd_notifications_delivered_total") == 8);
    for (receiver, reason, n) in
        [("limiting", "rate_limited", 1), ("failing", "server_error", 2), ("resetting", "network", 1), ("hanging", "timeout", 0)]
    {
        let series = format!(r#"driftd_notification_failures_total{{receiver="{receiver}",reason="{reason}"}}"#);
        assert_eq!(metrics.get(&series), n, "{series}");
    }
    assert_eq!(metrics.get("driftd_outbox_pending"), 2, "both messages to the receiver that hangs");

    // a restart does not forget them: the same id and the same words, then the resolution
    running.terminate();
    let _running = installation.start();
    let received = hanging.wait_for(3, PATIENCE);
    assert_same_message(&received[..2]);
    assert_eq!(received[2].json()["type"], "dev.driftd.alert.resolved.v1");
    assert_eq!(steady.received().len(), 2, "what was accepted is not sent again");
}
